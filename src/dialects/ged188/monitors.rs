//! Monitors that a client starts: by device, by agent or by call, with masks of their own.
//!
//! Not here: the subscription that a session has by its services.

use std::sync::Arc;

use cti_protocol::ged188::codes::{ConnectionDeviceIdType, DeviceIdType, ServiceMask, Status};
use cti_protocol::ged188::{
    ChangeMonitorMaskConf, ChangeMonitorMaskReq, MonitorStartConf, MonitorStartReq, MonitorStopConf, MonitorStopReq,
};

use super::Ged188;
use super::answers::No;
use super::face::Face;
use super::identity::{given, missing};
use super::names::filter_of;
use super::session::Session;
use crate::model::{AgentId, AgentKey, CallId, CallKey, Instrument, PeripheralId};
use crate::sessions::{Full, Place, Subscription, Target};

impl Session {
    pub(super) fn monitor_start(&mut self, shared: &Arc<Ged188>, request: &MonitorStartReq<&[u8]>) -> Result<(), No> {
        self.may_monitor("MONITOR_START_REQ")?;
        let call = given("ConnectionDeviceID", request.connection_device_id.as_ref())?;
        let device = given("MonitoredDeviceID", request.monitored_device_id.as_ref())?;
        let names_call =
            request.connection_device_id_type != ConnectionDeviceIdType::CONNECTION_ID_NONE && call.is_some();
        let peripheral = shared.peripheral(request.peripheral_id, None)?;
        let target = match device {
            Some(_) if names_call => {
                let why = "ConnectionDeviceID and MonitoredDeviceID are both given";
                return Err(No::failure(Status::E_CTI_MUTUALLY_EXCLUS_DEVICEID_TYPES, why));
            }
            Some(device) => target_of(shared, peripheral, request.monitored_device_type, device)?,
            None if names_call => {
                let call = CallId(request.connection_call_id);
                if shared.house.table.calls(peripheral).lock().get(call).is_none() {
                    let why = format!("ConnectionCallID {} is no call of peripheral {peripheral}", call.0);
                    return Err(No::failure(Status::E_CTI_INVALID_CALLID, why));
                }
                Target::Call(CallKey { peripheral, call })
            }
            None => return Err(missing("MonitoredDeviceID")),
        };
        self.must_see(shared, &target)?;
        let place = self.must_have_room(shared)?;

        let id = self.new_monitor_id();
        let filter = filter_of(request.call_msg_mask, request.agent_state_mask);
        let face = Arc::<Face>::clone(&self.face) as _;
        let subscription = Subscription::in_place(Some(place), id, target, filter, face);
        // Confirmed first: a client does not know an event's monitor before.
        self.face.say(&MonitorStartConf { invoke_id: request.invoke_id, monitor_id: id, ..Default::default() });
        shared.house.table.subscribe(&subscription);
        self.monitors.insert(id, subscription);
        Ok(())
    }

    /// A monitor that a logout, or the end of its call, has ended can still be stopped: a client that tidies up is not told that it erred.
    pub(super) fn monitor_stop(&mut self, shared: &Arc<Ged188>, request: &MonitorStopReq<&[u8]>) -> Result<(), No> {
        self.may_monitor("MONITOR_STOP_REQ")?;
        let subscription = self.monitors.remove(&request.monitor_id).ok_or_else(|| unknown(request.monitor_id))?;
        shared.house.table.subscriptions.remove(&subscription);
        self.face.say(&MonitorStopConf { invoke_id: request.invoke_id, ..Default::default() });
        Ok(())
    }

    pub(super) fn change_monitor_mask(&mut self, request: &ChangeMonitorMaskReq<&[u8]>) -> Result<(), No> {
        self.may_monitor("CHANGE_MONITOR_MASK_REQ")?;
        let subscription = self.monitors.get(&request.monitor_id).ok_or_else(|| unknown(request.monitor_id))?;
        if subscription.has_ended() {
            let why = format!("MonitorID {} has ended, with its agent's logout or its call", request.monitor_id);
            return Err(No::failure(Status::E_CTI_MONITOR_TERMINATED, why));
        }
        subscription.set_filter(filter_of(request.call_msg_mask, request.agent_state_mask));
        self.face.say(&ChangeMonitorMaskConf { invoke_id: request.invoke_id, ..Default::default() });
        Ok(())
    }

    /// An agent's desktop monitors its own agent, a supervisor's those of its teams as well, and both the devices where these
    /// work now: a logout ends the monitor of the device. A call goes from one to the other, and is told of by theirs.
    fn must_see(&self, shared: &Ged188, target: &Target) -> Result<(), No> {
        if self.permit.sees_everybody() {
            return Ok(());
        }
        let agent = match target {
            Target::Agent(key) => Some(key.clone()),
            Target::Device(peripheral, device) => shared.house.table.agent_at(*peripheral, device),
            Target::All | Target::Team(_) | Target::Call(_) => None,
        };
        // The same words whoever works at the device, and if nobody does.
        if agent.is_some_and(|agent| self.requester().must_have_right(&agent, None).is_ok()) {
            return Ok(());
        }
        let why = format!("role {:?} monitors its own agents and their devices only", self.permit.role.name());
        Err(No::failure(Status::E_CTI_FUNCTION_NOT_AVAILABLE, why))
    }

    fn may_monitor(&self, what: &str) -> Result<(), No> {
        self.must_have(&[ServiceMask::CTI_SERVICE_PERIPHERAL_MONITOR], what)
    }

    /// A place for one more monitor.
    pub(super) fn must_have_room(&mut self, shared: &Ged188) -> Result<Place<()>, No> {
        if self.monitors.len() >= shared.monitors_max {
            // Ended ones that the client never stopped make room first.
            self.monitors.retain(|_, subscription| !subscription.has_ended());
        }
        if self.monitors.len() >= shared.monitors_max {
            let why = format!("{} monitors are started, no more are allowed", self.monitors.len());
            return Err(No::failure(Status::E_CTI_TOO_MUCH_DATA, why));
        }
        let all = |full: Full| No::failure(Status::E_CTI_TOO_MUCH_DATA, format!("monitors of all clients: {full}"));
        shared.house.table.subscription_places.take(()).map_err(all)
    }

    pub(super) fn new_monitor_id(&mut self) -> u32 {
        loop {
            self.next_monitor_id = self.next_monitor_id.wrapping_add(1).max(2);
            if !self.monitors.contains_key(&self.next_monitor_id) {
                return self.next_monitor_id;
            }
        }
    }
}

/// What a device monitor is about: a device or, where no device has that name, the agent who has it as an id.
fn target_of(shared: &Ged188, peripheral: PeripheralId, kind: DeviceIdType, name: &str) -> Result<Target, No> {
    let invalid = |why: String| No::failure(Status::E_CTI_INVALID_DEVICE, why);
    match kind {
        DeviceIdType::DEVID_DEVICE_IDENTIFIER
        | DeviceIdType::DEVID_AGENT_DEVICE
        | DeviceIdType::DEVID_NON_ACD_DEVICE_IDENTIFIER
        | DeviceIdType::DEVID_SHARED_DEVICE_IDENTIFIER
        | DeviceIdType::DEVID_NONE => (),
        _ => {
            let why = format!("MonitoredDeviceType {kind:?} cannot be monitored");
            return Err(No::failure(Status::E_CTI_INVALID_DEVICE_ID_TYPE, why));
        }
    }
    let table = &shared.house.table;
    let device =
        Instrument::new(name).map_err(|error| invalid(format!("MonitoredDeviceID {name:?} cannot be: {error}")))?;
    if table.is_instrument(peripheral, &device) {
        return Ok(Target::Device(peripheral, device));
    }
    let agent = AgentId::new(name).ok().map(|agent| AgentKey { peripheral, agent });
    match agent.filter(|key| table.agent(key).is_some()) {
        Some(key) => Ok(Target::Agent(key)),
        None if !table.is_no_instrument(peripheral, &device) => Ok(Target::Device(peripheral, device)),
        None => Err(invalid(format!("MonitoredDeviceID {name} is no device and no agent"))),
    }
}

pub(super) fn unknown(id: u32) -> No {
    No::failure(Status::E_CTI_INVALID_MONITORID, format!("MonitorID {id} is not one of this session"))
}
