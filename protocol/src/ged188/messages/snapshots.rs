//! Snapshots: the calls of a device, the devices of a call.
//!
//! Source: GED-188, "Client Control Service". Not here: how they are taken.

use super::CtiClient;
use crate::ged188::codes::{
    CallType, ConnectionDeviceIdType, DeviceIdType, Disposition, LocalConnectionState, SilentMonitorStatus,
};
use crate::ged188::set::set;
use crate::ged188::table::message;
use crate::ged188::{Data, NamedArray, NamedVariable, Text, Ushorts};

message! {
    /// Ask for the state and context of one call.
    SNAPSHOT_CALL_REQ as SnapshotCallReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
        }
    }
}

set! {
    /// One device of the call.
    CallDevice<S> {
        "CallConnectionCallID" CALL_CONN_CALLID_TAG connection_call_id: u32;
        "CallConnectionDeviceIDType" CALL_CONN_DEVID_TYPE_TAG connection_device_id_type: ConnectionDeviceIdType;
        "CallConnectionDeviceID" CALL_CONN_DEVID_TAG connection_device_id: Text<64, S>;
        "CallDeviceType" CALL_DEVID_TYPE_TAG device_type: DeviceIdType;
        "CallDeviceID" CALL_DEVID_TAG device_id: Text<64, S>;
        "CallDeviceConnectionState" CALL_DEV_CONN_STATE_TAG connection_state: LocalConnectionState;
    }
}

message! {
    /// Answers SNAPSHOT_CALL_REQ: context, then one group of six floating fields per device.
    SNAPSHOT_CALL_CONF as SnapshotCallConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "CallType" call_type: CallType;
            "NumCTIClients" num_cti_clients: u16;
            "NumCallDevices" num_call_devices: u16;
            "NumNamedVariables" num_named_variables: u16, since 6;
            "NumNamedArrays" num_named_arrays: u16, since 6;
            "CalledPartyDisposition" called_party_disposition: Disposition, since 8;
        }
        floating {
            "ANI" ANI_TAG ani: Option<Text<40, S>>;
            "UserToUserInfo" UUI_TAG user_to_user_info: Option<Data<131, S>>;
            "DNIS" DNIS_TAG dnis: Option<Text<32, S>>;
            "DialedNumber" DIALED_NUMBER_TAG dialed_number: Option<Text<40, S>>;
            "CallerEnteredDigits" CED_TAG caller_entered_digits: Option<Text<40, S>>;
            "RouterCallKeyDay" ROUTER_CALL_KEY_DAY_TAG router_call_key_day: Option<u32>;
            "RouterCallKeyCallID" ROUTER_CALL_KEY_CALLID_TAG router_call_key_call_id: Option<u32>;
            "CallVariable1" CALL_VAR_1_TAG call_variable1: Option<Text<41, S>>;
            "CallVariable2" CALL_VAR_2_TAG call_variable2: Option<Text<41, S>>;
            "CallVariable3" CALL_VAR_3_TAG call_variable3: Option<Text<41, S>>;
            "CallVariable4" CALL_VAR_4_TAG call_variable4: Option<Text<41, S>>;
            "CallVariable5" CALL_VAR_5_TAG call_variable5: Option<Text<41, S>>;
            "CallVariable6" CALL_VAR_6_TAG call_variable6: Option<Text<41, S>>;
            "CallVariable7" CALL_VAR_7_TAG call_variable7: Option<Text<41, S>>;
            "CallVariable8" CALL_VAR_8_TAG call_variable8: Option<Text<41, S>>;
            "CallVariable9" CALL_VAR_9_TAG call_variable9: Option<Text<41, S>>;
            "CallVariable10" CALL_VAR_10_TAG call_variable10: Option<Text<41, S>>;
            "CallWrapupData" CALL_WRAPUP_DATA_TAG call_wrapup_data: Option<Text<40, S>>;
            "NamedVariable" NAMED_VARIABLE_TAG named_variables: Vec<NamedVariable<S>>, since 6;
            "NamedArray" NAMED_ARRAY_TAG named_arrays: Vec<NamedArray<S>>, since 6;
            /// As many as `NumCTIClients` says.
            cti_clients: Vec<CtiClient<S>>;
            /// As many as `NumCallDevices` says.
            call_devices: Vec<CallDevice<S>>;
            "CallReferenceID" CALL_REFERENCE_ID_TAG call_reference_id: Option<Data<32, S>>, since 14;
            "COCConnectionCallID" COC_CONNECTION_CALL_ID_TAG coc_connection_call_id: Option<u32>, since 14;
            "COCCallConnectionDeviceIDType" COC_CONNECTION_DEVICE_ID_TYPE_TAG
                coc_call_connection_device_id_type: Option<ConnectionDeviceIdType>, since 14;
            "COCCallConnectionDeviceID" COC_CONNECTION_DEVICE_ID_TAG
                coc_call_connection_device_id: Option<Text<64, S>>, since 14;
            "ProtocolReferenceGUID" PROTOCOL_REFERENCE_GUID_TAG protocol_reference_guid: Option<Text<40, S>>, since 24;
            "CcaiConfigId" CCAI_CONFIG_ID ccai_config_id: Option<Text<40, S>>, since 24;
            "NumOfEnabledServices" NUM_OF_ENABLED_SERVICES num_of_enabled_services: Option<u16>, since 24;
            "FltEnabledServices" FLT_ENABLED_SERVICES flt_enabled_services: Vec<Ushorts<S>>, since 24;
        }
    }
}

message! {
    /// Ask which calls a device has; devices other than one's own need All Events and Client Control.
    SNAPSHOT_DEVICE_REQ as SnapshotDeviceReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "SnapshotDeviceType" snapshot_device_type: DeviceIdType, since 10;
        }
        floating {
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, is required;
        }
    }
}

set! {
    /// One call of the device.
    DeviceCall<S> {
        "CallConnectionCallID" CALL_CONN_CALLID_TAG connection_call_id: u32;
        "CallConnectionDeviceIDType" CALL_CONN_DEVID_TYPE_TAG connection_device_id_type: ConnectionDeviceIdType;
        "CallConnectionDeviceID" CALL_CONN_DEVID_TAG connection_device_id: Text<64, S>;
        "CallState" CALL_STATE_TAG state: LocalConnectionState;
        "SilentMonitorStatus" SILENT_MONITOR_STATUS_TAG silent_monitor_status: SilentMonitorStatus;
    }
}

message! {
    /// Answers SNAPSHOT_DEVICE_REQ: per call a group of CallID, DeviceIDType, DeviceID, CallState, SilentMonitorStatus.
    SNAPSHOT_DEVICE_CONF as SnapshotDeviceConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "NumCalls" num_calls: u16;
        }
        floating {
            /// As many as `NumCalls` says.
            calls: Vec<DeviceCall<S>>;
        }
    }
}
