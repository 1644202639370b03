//! What an open session may ask about calls: control, data, snapshots.
//!
//! Not here: what is done then (`operations`), and the events that it brings (`calls`). Must hold: a request is refused
//! here before anything is changed, or it is given to an operation that answers it exactly once.

use std::sync::Arc;

use cti_protocol::ged188::codes::{ConnectionDeviceIdType, ConsultType, ServiceMask, Status, special};
use cti_protocol::ged188::{
    AlternateCallConf, AnswerCallConf, AnyMessage, ClearCallConf, ClearConnectionConf, ConferenceCallConf,
    ConsultationCallConf, DeflectCallConf, HoldCallConf, MakeCallConf, ReconnectCallConf, ReleaseCallConf,
    RetrieveCallConf, SendDtmfSignalConf, SetCallDataConf, SnapshotCallReq, SnapshotDeviceReq, Text, TransferCallConf,
};

use super::Ged188;
use super::answers::No;
use super::call_data::{change_of, data_of};
use super::calls::{NO_LINE, line_type, parties};
use super::identity::{device, given, missing};
use super::session::Session;
use crate::model::{CallCommand, CallId, CallOutcome, Connection, ConsultKind, FarEnd, Instrument, Tones};

/// The connection in the fields that most requests have.
macro_rules! connection {
    ($session:ident, $shared:ident, $request:ident) => {
        $session.connection(
            $shared,
            $request.peripheral_id,
            $request.connection_call_id,
            ("ConnectionDeviceID", $request.connection_device_id.as_ref()),
            $request.agent_instrument.as_ref(),
        )?
    };
}

/// The call that is talked on.
macro_rules! active {
    ($session:ident, $shared:ident, $request:ident) => {
        $session.connection(
            $shared,
            $request.peripheral_id,
            $request.active_connection_call_id,
            ("ActiveConnectionDeviceID", $request.active_connection_device_id.as_ref()),
            $request.agent_instrument.as_ref(),
        )?
    };
}

/// The call that waits.
macro_rules! held {
    ($session:ident, $shared:ident, $request:ident) => {
        $session.connection(
            $shared,
            $request.peripheral_id,
            $request.held_connection_call_id,
            ("HeldConnectionDeviceID", $request.held_connection_device_id.as_ref()),
            $request.agent_instrument.as_ref(),
        )?
    };
}

/// The call that waits or, in a single step, the number.
macro_rules! far_end {
    ($session:ident, $shared:ident, $request:ident) => {
        if $request.held_connection_call_id == special::NULL_CALL_ID {
            FarEnd::Dialed(dialed($request.dialed_number.as_ref())?)
        } else {
            FarEnd::Held(held!($session, $shared, $request))
        }
    };
}

/// The two ends that a confirmation names: the request's InvokeID and the device that asked.
struct Asked {
    invoke_id: u32,
    device: Option<Instrument>,
}

impl Session {
    /// Does what the client asks of a call. Gives the message back if it is about something else.
    pub(super) fn on_call_request(
        &mut self,
        shared: &Arc<Ged188>,
        message: AnyMessage,
    ) -> Result<Option<AnyMessage>, No> {
        match message {
            AnyMessage::MakeCallReq(request) => {
                let from = self.device_of(shared, request.peripheral_id, request.agent_instrument.as_ref())?;
                let to = dialed(request.dialed_number.as_ref())?;
                let data = data_of!(request);
                let command = CallCommand::Make { from, to, data };
                self.control(shared, request.invoke_id, request.peripheral_id, command, |asked, done| {
                    let (id, line) = ids(done);
                    MakeCallConf {
                        invoke_id: asked.invoke_id,
                        new_connection_call_id: id,
                        new_connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_STATIC,
                        line_handle: NO_LINE,
                        line_type: line,
                        new_connection_device_id: name(asked.device.as_ref()),
                        ..Default::default()
                    }
                    .into()
                })?;
            }
            AnyMessage::AnswerCallReq(request) => {
                let at = connection!(self, shared, request);
                self.control(shared, request.invoke_id, request.peripheral_id, CallCommand::Answer(at), |asked, _| {
                    AnswerCallConf { invoke_id: asked.invoke_id, ..Default::default() }.into()
                })?;
            }
            AnyMessage::HoldCallReq(request) => {
                let at = connection!(self, shared, request);
                self.control(shared, request.invoke_id, request.peripheral_id, CallCommand::Hold(at), |asked, _| {
                    HoldCallConf { invoke_id: asked.invoke_id, ..Default::default() }.into()
                })?;
            }
            AnyMessage::RetrieveCallReq(request) => {
                let at = held!(self, shared, request);
                self.control(
                    shared,
                    request.invoke_id,
                    request.peripheral_id,
                    CallCommand::Retrieve(at),
                    |asked, _| RetrieveCallConf { invoke_id: asked.invoke_id, ..Default::default() }.into(),
                )?;
            }
            AnyMessage::AlternateCallReq(request) => {
                let active = active!(self, shared, request);
                let held = self.connection(
                    shared,
                    request.peripheral_id,
                    request.other_connection_call_id,
                    ("OtherConnectionDeviceID", request.other_connection_device_id.as_ref()),
                    request.agent_instrument.as_ref(),
                )?;
                let command = CallCommand::Alternate { active, held };
                self.control(shared, request.invoke_id, request.peripheral_id, command, |asked, _| {
                    AlternateCallConf { invoke_id: asked.invoke_id, ..Default::default() }.into()
                })?;
            }
            AnyMessage::ReconnectCallReq(request) => {
                let (active, held) = (active!(self, shared, request), held!(self, shared, request));
                let command = CallCommand::Reconnect { active, held };
                self.control(shared, request.invoke_id, request.peripheral_id, command, |asked, _| {
                    ReconnectCallConf { invoke_id: asked.invoke_id, ..Default::default() }.into()
                })?;
            }
            AnyMessage::ConsultationCallReq(request) => {
                let active = active!(self, shared, request);
                let to = dialed(request.dialed_number.as_ref())?;
                let kind = match request.consult_type {
                    ConsultType::CT_UNSPECIFIED => ConsultKind::Either,
                    ConsultType::CT_TRANSFER => ConsultKind::Transfer,
                    ConsultType::CT_CONFERENCE => ConsultKind::Conference,
                    ConsultType(other) => {
                        let why = format!("ConsultType {other} is not 0, 1 or 2");
                        return Err(No::failure(Status::E_CTI_INVALID_CONSULT_TYPE, why));
                    }
                };
                let data = data_of!(request);
                let command = CallCommand::Consult { active, to, kind, data };
                self.control(shared, request.invoke_id, request.peripheral_id, command, |asked, done| {
                    let (id, line) = ids(done);
                    ConsultationCallConf {
                        invoke_id: asked.invoke_id,
                        new_connection_call_id: id,
                        new_connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_STATIC,
                        line_handle: NO_LINE,
                        line_type: line,
                        new_connection_device_id: name(asked.device.as_ref()),
                        ..Default::default()
                    }
                    .into()
                })?;
            }
            AnyMessage::TransferCallReq(request) => {
                let active = active!(self, shared, request);
                let to = far_end!(self, shared, request);
                let data = data_of!(request);
                let command = CallCommand::Transfer { active, to, data };
                self.control(shared, request.invoke_id, request.peripheral_id, command, |asked, done| {
                    let (id, line) = ids(done);
                    let parties = done.new_call.as_deref().map(parties).unwrap_or_default();
                    TransferCallConf {
                        invoke_id: asked.invoke_id,
                        new_connection_call_id: id,
                        new_connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_STATIC,
                        num_parties: u16::try_from(parties.len()).unwrap_or(u16::MAX),
                        line_handle: NO_LINE,
                        line_type: line,
                        new_connection_device_id: name(asked.device.as_ref()),
                        connected_parties: parties,
                        ..Default::default()
                    }
                    .into()
                })?;
            }
            AnyMessage::ConferenceCallReq(request) => {
                let active = active!(self, shared, request);
                let with = far_end!(self, shared, request);
                let data = data_of!(request);
                let command = CallCommand::Conference { active, with, data };
                self.control(shared, request.invoke_id, request.peripheral_id, command, |asked, done| {
                    let (id, line) = ids(done);
                    let parties = done.new_call.as_deref().map(parties).unwrap_or_default();
                    ConferenceCallConf {
                        invoke_id: asked.invoke_id,
                        new_connection_call_id: id,
                        new_connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_STATIC,
                        num_parties: u16::try_from(parties.len()).unwrap_or(u16::MAX),
                        line_handle: NO_LINE,
                        line_type: line,
                        new_connection_device_id: name(asked.device.as_ref()),
                        connected_parties: parties,
                        ..Default::default()
                    }
                    .into()
                })?;
            }
            AnyMessage::DeflectCallReq(request) => {
                let ringing = connection!(self, shared, request);
                let to = device("CalledDeviceID", request.called_device_id.as_ref())?;
                let to = to.ok_or_else(|| missing("CalledDeviceID"))?;
                let command = CallCommand::Deflect { ringing, to };
                self.control(shared, request.invoke_id, request.peripheral_id, command, |asked, _| {
                    DeflectCallConf { invoke_id: asked.invoke_id, ..Default::default() }.into()
                })?;
            }
            AnyMessage::ClearConnectionReq(request) => {
                let at = connection!(self, shared, request);
                let command = CallCommand::ClearConnection(at);
                self.control(shared, request.invoke_id, request.peripheral_id, command, |asked, _| {
                    ClearConnectionConf { invoke_id: asked.invoke_id, ..Default::default() }.into()
                })?;
            }
            AnyMessage::ClearCallReq(request) => {
                let command = CallCommand::ClearCall(CallId(request.connection_call_id));
                self.control(shared, request.invoke_id, request.peripheral_id, command, |asked, _| {
                    ClearCallConf { invoke_id: asked.invoke_id, ..Default::default() }.into()
                })?;
            }
            AnyMessage::SendDtmfSignalReq(request) => {
                let from = connection!(self, shared, request);
                let digits = given("DTMFString", request.dtmf_string.as_ref())?.ok_or_else(|| missing("DTMFString"))?;
                let tones = Tones::new(&digits).ok_or_else(|| {
                    let why = format!("DTMFString {digits:?}: 1 to {} of 0-9, *, # and A-D can be sent", Tones::MAX);
                    No::failure(Status::E_CTI_INVALID_DIGITS, why)
                })?;
                let command = CallCommand::SendDtmf { from, tones };
                self.control(shared, request.invoke_id, request.peripheral_id, command, |asked, _| {
                    SendDtmfSignalConf { invoke_id: asked.invoke_id, ..Default::default() }.into()
                })?;
            }
            AnyMessage::SetCallDataReq(request) => {
                self.must_have(&[ServiceMask::CTI_SERVICE_CALL_DATA_UPDATE], "SET_CALL_DATA_REQ")?;
                let at = self.connection(
                    shared,
                    request.peripheral_id,
                    request.connection_call_id,
                    ("ConnectionDeviceID", request.connection_device_id.as_ref()),
                    None,
                )?;
                let change = data_of!(request);
                let command = CallCommand::SetData { at, change };
                self.give(shared, request.invoke_id, request.peripheral_id, command, |asked, _| {
                    SetCallDataConf { invoke_id: asked.invoke_id, ..Default::default() }.into()
                })?;
            }
            AnyMessage::ReleaseCallReq(request) => {
                self.must_have(&[ServiceMask::CTI_SERVICE_CALL_DATA_UPDATE], "RELEASE_CALL_REQ")?;
                let at = self.connection(
                    shared,
                    request.peripheral_id,
                    request.connection_call_id,
                    ("ConnectionDeviceID", request.connection_device_id.as_ref()),
                    None,
                )?;
                self.give(shared, request.invoke_id, request.peripheral_id, CallCommand::Release(at), |asked, _| {
                    ReleaseCallConf { invoke_id: asked.invoke_id, ..Default::default() }.into()
                })?;
            }
            AnyMessage::SnapshotCallReq(request) => self.snapshot_call(shared, &request)?,
            AnyMessage::SnapshotDeviceReq(request) => self.snapshot_device(shared, &request)?,
            other => return Ok(Some(other)),
        }
        Ok(None)
    }

    fn control(
        &self,
        shared: &Arc<Ged188>,
        invoke_id: u32,
        peripheral: u32,
        command: CallCommand,
        confirm: fn(&Asked, &CallOutcome) -> AnyMessage,
    ) -> Result<(), No> {
        self.must_have(&[ServiceMask::CTI_SERVICE_CLIENT_CONTROL], "call control")?;
        self.give(shared, invoke_id, peripheral, command, confirm)
    }

    fn give(
        &self,
        shared: &Arc<Ged188>,
        invoke_id: u32,
        peripheral: u32,
        command: CallCommand,
        confirm: fn(&Asked, &CallOutcome) -> AnyMessage,
    ) -> Result<(), No> {
        let asked = Asked { invoke_id, device: command.devices().next().cloned() };
        let peripheral = shared.peripheral(peripheral, None)?;
        let answer = self.accept_with(invoke_id, move |done: CallOutcome| confirm(&asked, &done))?;
        shared.house.run(Arc::clone(&shared.house).control_call(self.requester(), peripheral, command, answer));
        Ok(())
    }

    /// The end of a call that a request names: by ConnectionDeviceID or, where that is not given, the device of the agent.
    fn connection(
        &self,
        shared: &Arc<Ged188>,
        peripheral: u32,
        call: u32,
        (field, id): (&'static str, Option<&Text<64>>),
        instrument: Option<&Text<64>>,
    ) -> Result<Connection, No> {
        if call == special::NULL_CALL_ID {
            return Err(missing("a call"));
        }
        let device = match device(field, id)? {
            Some(device) => device,
            None => self.device_of(shared, peripheral, instrument)?,
        };
        Ok(Connection { call: CallId(call), device })
    }

    /// AgentInstrument or, where it is not given, the device of the session's own agent.
    fn device_of(
        &self,
        shared: &Arc<Ged188>,
        peripheral: u32,
        instrument: Option<&Text<64>>,
    ) -> Result<Instrument, No> {
        shared.peripheral(peripheral, None)?;
        if let Some(device) = device("AgentInstrument", instrument)? {
            return Ok(device);
        }
        self.own_device(shared).ok_or_else(|| missing("AgentInstrument"))
    }

    /// Where the session's own agent works.
    pub(super) fn own_device(&self, shared: &Ged188) -> Option<Instrument> {
        let own = self.own_agent(shared).and_then(|key| shared.house.table.agent(&key))?;
        own.entry().facts.instrument.clone()
    }

    fn snapshot_call(&self, shared: &Arc<Ged188>, request: &SnapshotCallReq) -> Result<(), No> {
        self.must_have(&[ServiceMask::CTI_SERVICE_CLIENT_CONTROL], "SNAPSHOT_CALL_REQ")?;
        let peripheral = shared.peripheral(request.peripheral_id, None)?;
        let call = shared.house.call(&self.requester(), peripheral, CallId(request.connection_call_id))?;
        self.face.say(super::call_snapshots::snapshot_of_call(&call, request.invoke_id));
        Ok(())
    }

    fn snapshot_device(&self, shared: &Arc<Ged188>, request: &SnapshotDeviceReq) -> Result<(), No> {
        self.must_have(&[ServiceMask::CTI_SERVICE_CLIENT_CONTROL], "SNAPSHOT_DEVICE_REQ")?;
        let peripheral = shared.peripheral(request.peripheral_id, None)?;
        let device = self.device_of(shared, request.peripheral_id, request.agent_instrument.as_ref())?;
        let calls = shared.house.calls_of_device(&self.requester(), peripheral, &device)?;
        self.face.say(super::call_snapshots::snapshot_of_device(&calls, &device, request.invoke_id));
        Ok(())
    }
}

fn dialed(number: Option<&Text<40>>) -> Result<Instrument, No> {
    device("DialedNumber", number)?.ok_or_else(|| missing("DialedNumber"))
}

fn name(device: Option<&Instrument>) -> Option<Text<64>> {
    device.map(|device| Text::cut(device.as_str()))
}

fn ids(done: &CallOutcome) -> (u32, cti_protocol::ged188::codes::LineType) {
    match &done.new_call {
        Some(call) => (call.id.0, line_type(call.kind)),
        None => (special::NULL_CALL_ID, cti_protocol::ged188::codes::LineType::LINETYPE_UNKNOWN),
    }
}
