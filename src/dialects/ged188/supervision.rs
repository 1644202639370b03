//! SUPERVISE_CALL_REQ: which call of whose, by whom, and what is done with it.
//!
//! Not here: who may (`operations`), and which teams there are (`supervisor`). The guide says little of it; decided here:
//! who listens does so on a call of its own, of CallType SUPERVISOR_MONITOR or SUPERVISOR_WHISPER, which BEGIN_CALL_EVENT
//! names; barge in and intercept are a conference and a transfer of the agent's call. SUPERVISE_CALL_CONF names the agent's
//! connection, SUPERVISOR_CLEAR ends the supervisor's. What a request does not name is found: the supervisor's device is
//! that of the session's own agent, a call is the one that the device talks on.

use std::sync::Arc;

use cti_protocol::ged188::codes::{
    ConnectionDeviceIdType, ControlFailure, ServiceMask, Status, SupervisoryAction, special,
};
use cti_protocol::ged188::{SuperviseCallConf, SuperviseCallReq, Text};

use super::Ged188;
use super::answers::No;
use super::identity::{AgentFields, device, missing};
use super::session::Session;
use crate::model::{CallCommand, CallId, CallOutcome, Connection, Instrument, PartyState, PeripheralId, Supervision};

impl Session {
    pub(super) fn supervise_call(&mut self, shared: &Arc<Ged188>, request: &SuperviseCallReq<&[u8]>) -> Result<(), No> {
        self.must_have(&[ServiceMask::CTI_SERVICE_SUPERVISOR], "SUPERVISE_CALL_REQ")?;
        let how = action(request.supervisory_action)?;
        let fields = AgentFields::of(
            request.agent_id.as_ref(),
            None,
            request.agent_instrument.as_ref(),
            request.agent_extension.as_ref(),
        )?;
        let peripheral = shared.peripheral(request.peripheral_id, fields.agent.as_ref())?;
        let by = match device("SupervisorInstrument", request.supervisor_instrument.as_ref())? {
            Some(by) => Some(by),
            None => device("SupervisorConnectionDeviceID", request.supervisor_connection_device_id.as_ref())?,
        };
        let by = match by {
            Some(by) => by,
            None => self.own_device(shared).ok_or_else(|| missing("SupervisorInstrument"))?,
        };
        let (supervised, command) = match how {
            Some(how) => {
                let device = self.device_watched(shared, peripheral, request, &fields)?;
                shared.house.must_supervise_at(self.requester(), peripheral, &device)?;
                let watched = call_at(shared, peripheral, request.agent_connection_call_id, device)?;
                (watched.clone(), CallCommand::Supervise { watched, by, how })
            }
            None => {
                shared.house.must_supervise_at(self.requester(), peripheral, &by)?;
                let own = call_at(shared, peripheral, request.supervisor_connection_call_id, by)?;
                (own.clone(), CallCommand::ClearConnection(own))
            }
        };
        let confirm = SuperviseCallConf {
            invoke_id: request.invoke_id,
            connection_call_id: supervised.call.0,
            connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_STATIC,
            connection_device_id: Some(Text::cut(supervised.device.as_str())),
            ..Default::default()
        };
        let answer = self.accept_with(request.invoke_id, move |face, _: CallOutcome| face.say(&confirm))?;
        shared.house.run(Arc::clone(&shared.house).control_call(self.requester().clone(), peripheral, command, answer));
        Ok(())
    }

    /// Where the agent works whose call it is about: by AgentConnectionDeviceID, or by the agent's fields.
    fn device_watched(
        &self,
        shared: &Ged188,
        peripheral: PeripheralId,
        request: &SuperviseCallReq<&[u8]>,
        fields: &AgentFields,
    ) -> Result<Instrument, No> {
        if let Some(device) = device("AgentConnectionDeviceID", request.agent_connection_device_id.as_ref())? {
            return Ok(device);
        }
        if let Some(device) = fields.device() {
            return Ok(device.clone());
        }
        let key = shared.agent(peripheral, fields).ok_or_else(|| missing("AgentConnectionDeviceID"))?;
        shared.house.must_have_right_over(self.requester(), &key)?;
        let at = shared.house.table.agent(&key).and_then(|cell| cell.entry().facts.instrument.clone());
        at.ok_or_else(|| {
            No::control(ControlFailure::CF_INVALID_OBJECT_STATE, format!("agent {} is not logged in", key.agent))
        })
    }
}

/// The call that is named or, where none is, the one that is talked on at the device.
fn call_at(shared: &Ged188, peripheral: PeripheralId, call: u32, device: Instrument) -> Result<Connection, No> {
    if call != special::NULL_CALL_ID {
        return Ok(Connection { call: CallId(call), device });
    }
    let calls = shared.house.table.calls(peripheral).lock().of_device(&device);
    let stands = |state: PartyState| {
        calls.iter().find(|call| call.party(&device).is_some_and(|party| party.state == state)).map(|call| call.id)
    };
    match stands(PartyState::Connected).or_else(|| stands(PartyState::Held)) {
        Some(call) => Ok(Connection { call, device }),
        None => {
            let why = format!("nobody talks on a call at {device}");
            Err(No::control(ControlFailure::CF_INVALID_CSTA_CONNECTION_IDENTIFIER, why))
        }
    }
}

/// What is done with the call; none for the end of it.
fn action(action: SupervisoryAction) -> Result<Option<Supervision>, No> {
    Ok(match action {
        SupervisoryAction::SUPERVISOR_CLEAR => None,
        SupervisoryAction::SUPERVISOR_MONITOR => Some(Supervision::Listen),
        SupervisoryAction::SUPERVISOR_WHISPER => Some(Supervision::Whisper),
        SupervisoryAction::SUPERVISOR_BARGE_IN => Some(Supervision::BargeIn),
        SupervisoryAction::SUPERVISOR_INTERCEPT => Some(Supervision::Intercept),
        SupervisoryAction(other) => {
            let why = format!("SupervisoryAction {other} is not 0 to 4");
            return Err(No::failure(Status::E_CTI_INVALID_SUPERVISORY_ACTION, why));
        }
    })
}
