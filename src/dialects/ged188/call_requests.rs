//! What an open session may ask about calls: control, data, snapshots.
//!
//! Not here: what is done then (`operations`), and the events that it brings (`calls`). Must hold: a request is refused
//! here before anything is changed, or it is given to an operation that answers it exactly once.

use std::sync::Arc;

use cti_protocol::ged188::codes::{ConnectionDeviceIdType, ConsultType, ControlFailure, ServiceMask, Status, special};
use cti_protocol::ged188::{
    AlternateCallConf, AnswerCallConf, AnyMessage, ClearCallConf, ClearConnectionConf, ConferenceCallConf,
    ConsultationCallConf, DeflectCallConf, HoldCallConf, MakeCallConf, ReconnectCallConf, ReleaseCallConf,
    RetrieveCallConf, SendDtmfSignalConf, SetCallDataConf, SnapshotCallReq, SnapshotDeviceReq, Text, TransferCallConf,
};

use super::Ged188;
use super::answers::No;
use super::call_data::{More, change_of, data_of, must_leave_the_rest};
use super::calls::{NO_LINE, line_type, parties};
use super::identity::{device, given, missing, number};
use super::session::Session;
use crate::model::{Call, CallCommand, CallId, CallOutcome, Connection, ConsultKind, FarEnd, Instrument, Tones};

/// Refuses codes that the guide's tables do not have. All ones stand for none.
macro_rules! must_know {
    ($request:ident: $($field:ident as $name:literal or $status:ident),+) => {
        $(if $request.$field.name().is_none() && $request.$field.0 != u16::MAX {
            let why = format!("{} is {}, which is none of its values", $name, $request.$field.0);
            return Err(No::failure(Status::$status, why));
        })+
    };
}

/// The codes of how a call is to be placed. What they ask for is the ACD's own choice.
macro_rules! must_know_placement {
    ($request:ident) => {
        must_know!($request:
            call_placement_type as "CallPlacementType" or E_CTI_INVALID_CALL_PLACEMENT_TYPE,
            call_manner_type as "CallMannerType" or E_CTI_INVALID_CALL_MANNER_TYPE,
            call_option as "CallOption" or E_CTI_INVALID_CALL_OPTION,
            facility_type as "FacilityType" or E_CTI_INVALID_FACILITY_TYPE,
            answering_machine as "AnsweringMachine" or E_CTI_INVALID_ANSWERING_MACHINE
        )
    };
}

/// The type of the connection in the fields that most requests have.
macro_rules! must_know_type {
    ($request:ident) => {
        must_know!($request: connection_device_id_type as "ConnectionDeviceIDType" or E_CTI_INVALID_CONNECTION_ID_TYPE)
    };
}

/// The connection in those fields.
macro_rules! connection {
    ($session:ident, $shared:ident, $request:ident) => {{
        must_know_type!($request);
        $session.connection(
            $shared,
            $request.peripheral_id,
            $request.connection_call_id,
            ("ConnectionDeviceID", $request.connection_device_id.as_ref()),
            $request.agent_instrument.as_ref(),
        )?
    }};
}

/// The call that is talked on.
macro_rules! active {
    ($session:ident, $shared:ident, $request:ident) => {{
        must_know!($request:
            active_connection_device_id_type as "ActiveConnectionDeviceIDType" or E_CTI_INVALID_CONNECTION_ID_TYPE
        );
        $session.connection(
            $shared,
            $request.peripheral_id,
            $request.active_connection_call_id,
            ("ActiveConnectionDeviceID", $request.active_connection_device_id.as_ref()),
            $request.agent_instrument.as_ref(),
        )?
    }};
}

/// The call that waits.
macro_rules! held {
    ($session:ident, $shared:ident, $request:ident) => {{
        must_know!($request:
            held_connection_device_id_type as "HeldConnectionDeviceIDType" or E_CTI_INVALID_CONNECTION_ID_TYPE
        );
        $session.connection(
            $shared,
            $request.peripheral_id,
            $request.held_connection_call_id,
            ("HeldConnectionDeviceID", $request.held_connection_device_id.as_ref()),
            $request.agent_instrument.as_ref(),
        )?
    }};
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
    /// Does what the client asks of a call. False if the message is about something else.
    pub(super) fn on_call_request(&mut self, shared: &Arc<Ged188>, message: &AnyMessage<&[u8]>) -> Result<bool, No> {
        match message {
            AnyMessage::MakeCallReq(request) => {
                let from = self.device_of(shared, request.peripheral_id, request.agent_instrument.as_ref())?;
                let to = dialed(request.dialed_number.as_ref())?;
                must_know_placement!(request);
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
                must_know_placement!(request);
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
                must_know_placement!(request);
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
                must_know_placement!(request);
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
                let to = number("CalledDeviceID", request.called_device_id.as_ref())?;
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
                self.must_have(&[ServiceMask::CTI_SERVICE_CLIENT_CONTROL], "call control")?;
                must_know_type!(request);
                let id = CallId(request.connection_call_id);
                let seen_from = request.connection_device_id.as_ref();
                self.call_seen_from(shared, request.peripheral_id, id, seen_from)?;
                let command = CallCommand::ClearCall(id);
                self.control(shared, request.invoke_id, request.peripheral_id, command, |asked, _| {
                    ClearCallConf { invoke_id: asked.invoke_id, ..Default::default() }.into()
                })?;
            }
            AnyMessage::SendDtmfSignalReq(request) => {
                let from = connection!(self, shared, request);
                let digits = given("DTMFString", request.dtmf_string.as_ref())?.ok_or_else(|| missing("DTMFString"))?;
                let tones = Tones::new(digits).ok_or_else(|| {
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
                must_know_type!(request);
                let at = self.connection(
                    shared,
                    request.peripheral_id,
                    request.connection_call_id,
                    ("ConnectionDeviceID", request.connection_device_id.as_ref()),
                    None,
                )?;
                let change = data_of!(request, More::of(request));
                must_leave_the_rest(request, self.seen_call(shared, request.peripheral_id, at.call)?.as_deref())?;
                let command = CallCommand::SetData { at, change };
                self.give(shared, request.invoke_id, request.peripheral_id, command, |asked, _| {
                    SetCallDataConf { invoke_id: asked.invoke_id, ..Default::default() }.into()
                })?;
            }
            AnyMessage::ReleaseCallReq(request) => {
                self.must_have(&[ServiceMask::CTI_SERVICE_CALL_DATA_UPDATE], "RELEASE_CALL_REQ")?;
                must_know_type!(request);
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
            AnyMessage::SnapshotCallReq(request) => self.snapshot_call(shared, request)?,
            AnyMessage::SnapshotDeviceReq(request) => self.snapshot_device(shared, request)?,
            _ => return Ok(false),
        }
        Ok(true)
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
        let answer = self.accept_with(invoke_id, move |face, done| face.say_any(&confirm(&asked, &done)))?;
        shared.house.run(Arc::clone(&shared.house).control_call(self.requester().clone(), peripheral, command, answer));
        Ok(())
    }

    /// The end of a call that a request names: by ConnectionDeviceID or, where that is not given, the device of the agent.
    fn connection(
        &self,
        shared: &Arc<Ged188>,
        peripheral: u32,
        call: u32,
        (field, id): (&'static str, Option<&Text<64, &[u8]>>),
        instrument: Option<&Text<64, &[u8]>>,
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
        instrument: Option<&Text<64, &[u8]>>,
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

    /// A call as the table has it, for what a request says of it; none if the client may not see it.
    fn seen_call(&self, shared: &Ged188, peripheral: u32, call: CallId) -> Result<Option<Arc<Call>>, No> {
        let peripheral = shared.peripheral(peripheral, None)?;
        Ok(shared.house.call(self.requester(), peripheral, call).ok())
    }

    /// A call that the client may see, from the device that the request names: one that is on it, or that it began at.
    fn call_seen_from(
        &self,
        shared: &Ged188,
        peripheral: u32,
        id: CallId,
        from: Option<&Text<64, &[u8]>>,
    ) -> Result<Arc<Call>, No> {
        let peripheral = shared.peripheral(peripheral, None)?;
        let call = shared.house.call(self.requester(), peripheral, id)?;
        match device("ConnectionDeviceID", from)? {
            Some(device) if call.party(&device).is_none() && call.home != device => {
                let why = format!("ConnectionDeviceID {device} is not on call {}", id.0);
                Err(No::failure(Status::E_CTI_NOT_CALL_PARTY, why))
            }
            _ => Ok(call),
        }
    }

    fn snapshot_call(&self, shared: &Arc<Ged188>, request: &SnapshotCallReq<&[u8]>) -> Result<(), No> {
        self.must_have(&[ServiceMask::CTI_SERVICE_CLIENT_CONTROL], "SNAPSHOT_CALL_REQ")?;
        must_know_type!(request);
        let (id, seen_from) = (CallId(request.connection_call_id), request.connection_device_id.as_ref());
        let call = self.call_seen_from(shared, request.peripheral_id, id, seen_from)?;
        self.face.say(&super::call_snapshots::snapshot_of_call(&call, request.invoke_id));
        Ok(())
    }

    fn snapshot_device(&self, shared: &Arc<Ged188>, request: &SnapshotDeviceReq<&[u8]>) -> Result<(), No> {
        self.must_have(&[ServiceMask::CTI_SERVICE_CLIENT_CONTROL], "SNAPSHOT_DEVICE_REQ")?;
        let peripheral = shared.peripheral(request.peripheral_id, None)?;
        let device = self.device_of(shared, request.peripheral_id, request.agent_instrument.as_ref())?;
        let calls = shared.house.calls_of_device(self.requester(), peripheral, &device)?;
        if calls.is_empty() && shared.house.table.is_no_instrument(peripheral, &device) {
            let why = format!("AgentInstrument {device} is not known");
            return Err(No::control(ControlFailure::CF_INVALID_CSTA_DEVICE_IDENTIFIER, why));
        }
        self.face.say(&super::call_snapshots::snapshot_of_device(&calls, &device, request.invoke_id));
        Ok(())
    }
}

fn dialed(number: Option<&Text<40, &[u8]>>) -> Result<Instrument, No> {
    self::number("DialedNumber", number)?.ok_or_else(|| missing("DialedNumber"))
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
