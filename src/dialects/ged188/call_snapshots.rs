//! Calls as they stand, for who asks. Not here: who may ask.

use std::sync::Arc;

use cti_protocol::ged188::codes::ConnectionDeviceIdType;
use cti_protocol::ged188::{CallDevice, Data, DeviceCall, SnapshotCallConf, SnapshotDeviceConf, Text};

use super::calls::{PARTIES_MAX, call_type, count, kind, named_arrays, named_variables, state_of, text};
use crate::model::{Call, Instrument};

/// A call as the table knows it.
pub(super) fn snapshot_of_call(call: &Call, invoke_id: u32) -> SnapshotCallConf {
    let data = &call.data;
    let [v1, v2, v3, v4, v5, v6, v7, v8, v9, v10] = data.variables.each_ref().map(|value| text(value.as_ref()));
    let call_devices: Vec<CallDevice> = (call.parties.iter())
        .take(PARTIES_MAX)
        .map(|party| CallDevice {
            connection_call_id: Some(call.id.0),
            connection_device_id_type: Some(ConnectionDeviceIdType::CONNECTION_ID_STATIC),
            connection_device_id: Some(Text::cut(party.device.as_str())),
            device_type: Some(kind(&party.kind)),
            device_id: Some(Text::cut(party.device.as_str())),
            connection_state: Some(state_of(party.state)),
        })
        .collect();
    let (named_variables, named_arrays) = (named_variables(call), named_arrays(call));
    SnapshotCallConf {
        invoke_id,
        call_type: call_type(call.kind),
        num_call_devices: count(call_devices.len()),
        num_named_variables: count(named_variables.len()),
        num_named_arrays: count(named_arrays.len()),
        ani: text(call.caller_number()),
        dnis: text(call.dialed_number.as_ref()),
        dialed_number: text(call.dialed_number.as_ref()),
        user_to_user_info: data.user_to_user.clone().and_then(|info| Data::new(info).ok()),
        router_call_key_day: Some(call.key.0),
        router_call_key_call_id: Some(call.key.1),
        caller_entered_digits: text(data.caller_entered_digits.as_ref()),
        call_variable1: v1,
        call_variable2: v2,
        call_variable3: v3,
        call_variable4: v4,
        call_variable5: v5,
        call_variable6: v6,
        call_variable7: v7,
        call_variable8: v8,
        call_variable9: v9,
        call_variable10: v10,
        call_wrapup_data: text(data.wrap_up.as_ref()),
        named_variables,
        named_arrays,
        call_devices,
        ..Default::default()
    }
}

/// The calls of a device as the table knows them.
pub(super) fn snapshot_of_device(calls: &[Arc<Call>], device: &Instrument, invoke_id: u32) -> SnapshotDeviceConf {
    let calls: Vec<DeviceCall> = (calls.iter())
        .take(PARTIES_MAX)
        .map(|call| DeviceCall {
            connection_call_id: Some(call.id.0),
            connection_device_id_type: Some(ConnectionDeviceIdType::CONNECTION_ID_STATIC),
            connection_device_id: Some(Text::cut(device.as_str())),
            state: call.party(device).map(|party| state_of(party.state)),
            silent_monitor_status: None,
        })
        .collect();
    SnapshotDeviceConf { invoke_id, num_calls: count(calls.len()), calls, ..Default::default() }
}
