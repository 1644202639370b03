//! What an open session may ask about calls. Not here: what is done then (`operations`), and the events that it brings
//! (`call_events`).
//!
//! Must hold: a request is refused here before anything is changed, or the one operation that it is given to answers it.

use std::sync::Arc;

use cti_protocol::opencti::{Activity, Code, Dial, DropParty, OfCall, RequestId, SendDtmf};

use super::OpenCti;
use super::answers::No;
use super::hello::Opened;
use super::names::{device, given};
use super::requests::accept;
use super::session::Line;
use crate::model::{
    CALL_VARIABLES, CallCommand, CallDataChange, CallDataError, CallDataValues, CallId, Connection, ConsultKind,
    FarEnd, Instrument, PartyState, PeripheralId, Tones,
};
use crate::operations::Refusal;

/// The device whose calls a request is about.
struct Place {
    peripheral: PeripheralId,
    device: Instrument,
}

/// The properties that say which device.
type Named<'a> = (Option<&'a String>, Option<&'a String>, Option<&'a String>);

impl Opened {
    /// Does what the client asks of a call, or says why not.
    pub(super) fn on_call_request(
        &self,
        shared: &Arc<OpenCti>,
        line: &Arc<Line>,
        id: &RequestId,
        activity: &Activity,
    ) -> Result<(), No> {
        self.must_control(activity.name())?;
        let (place, command) = self.call_command(shared, activity)?;
        let by = self.requester_at(shared, place.peripheral, &place.device);
        let answer = accept(shared, line, id)?;
        let house = Arc::clone(&shared.house);
        let answer = Box::new(|done: Result<_, _>| answer(done.map(drop)));
        shared.house.run(house.control_call(by, place.peripheral, command, answer));
        Ok(())
    }

    fn call_command(&self, shared: &OpenCti, activity: &Activity) -> Result<(Place, CallCommand), No> {
        const TALKED: &[PartyState] = &[PartyState::Connected];
        const RINGING: &[PartyState] = &[PartyState::Alerting];
        const WAITING: &[PartyState] = &[PartyState::Held];
        const ENDABLE: &[PartyState] = &[PartyState::Connected, PartyState::Initiated, PartyState::Alerting];
        let of = |request: &OfCall, states| {
            let place = self.place(shared, of_call(request))?;
            let at = place.connection(shared, "CallID", request.call_id.as_deref(), states)?;
            Ok::<_, No>((place, at))
        };
        // Of a call that is talked on, and one that waits.
        let both = |request: &OfCall| {
            let (place, active) = of(request, TALKED)?;
            let held = place.connection(shared, "HeldCallId", request.held_call_id.as_deref(), WAITING)?;
            Ok::<_, No>((place, active, held))
        };
        let dial = |request: &Dial| {
            let place = self.place(shared, (request.dn.as_ref(), request.agent_id.as_ref(), request.acd.as_ref()))?;
            let active = place.connection(shared, "CallID", request.call_id.as_deref(), TALKED)?;
            Ok::<_, No>((place, active, destination("Destination", &request.destination)?, data_of(request)?))
        };
        let consult = |request: &Dial, kind| {
            let (place, active, to, data) = dial(request)?;
            Ok((place, CallCommand::Consult { active, to, kind, data }))
        };
        match activity {
            Activity::AnswerCall(request) => of(request, RINGING).map(|(place, at)| (place, CallCommand::Answer(at))),
            Activity::HoldCall(request) => {
                let call = given(request.call_id.as_deref()).or(given(request.held_call_id.as_deref()));
                let call = call.ok_or_else(|| No::new(Code::InvalidRequest, "CallID: it is blank"))?;
                let place = self.place(shared, of_call(request))?;
                let at = place.connection(shared, "CallID", Some(call), TALKED)?;
                Ok((place, CallCommand::Hold(at)))
            }
            Activity::RetrieveCall(request) => {
                let place = self.place(shared, of_call(request))?;
                let call = given(request.call_id.as_deref()).or(given(request.held_call_id.as_deref()));
                let at = place.connection(shared, "CallID", call, WAITING)?;
                Ok((place, CallCommand::Retrieve(at)))
            }
            Activity::HangUpCall(request) => {
                of(request, ENDABLE).map(|(place, at)| (place, CallCommand::ClearConnection(at)))
            }
            Activity::MakeCall(request) => {
                let place =
                    self.place(shared, (request.dn.as_ref(), request.agent_id.as_ref(), request.acd.as_ref()))?;
                let to = destination("Destination", &request.destination)?;
                let (from, data) = (place.device.clone(), data_of(request)?);
                Ok((place, CallCommand::Make { from, to, data }))
            }
            Activity::ConsultationCall(request) => consult(request, ConsultKind::Either),
            Activity::TransferInitiate(request) => consult(request, ConsultKind::Transfer),
            Activity::ConferenceInitiate(request) => consult(request, ConsultKind::Conference),
            Activity::TransferComplete(request) => both(request).map(|(place, active, held)| {
                let command = CallCommand::Transfer { active, to: FarEnd::Held(held), data: Default::default() };
                (place, command)
            }),
            Activity::ConferenceComplete(request) => both(request).map(|(place, active, held)| {
                let command = CallCommand::Conference { active, with: FarEnd::Held(held), data: Default::default() };
                (place, command)
            }),
            Activity::BlindTransfer(request) => {
                let (place, active, to, data) = dial(request)?;
                Ok((place, CallCommand::Transfer { active, to: FarEnd::Dialed(to), data }))
            }
            Activity::ConferenceCall(request) => {
                let (place, active, to, data) = dial(request)?;
                Ok((place, CallCommand::Conference { active, with: FarEnd::Dialed(to), data }))
            }
            Activity::DropParty(request) => {
                let DropParty { party, call_id, dn, agent_id, acd } = request;
                let place = self.place(shared, (dn.as_ref(), agent_id.as_ref(), acd.as_ref()))?;
                let at = place.connection(shared, "CallID", call_id.as_deref(), TALKED)?;
                Ok((place, CallCommand::Drop { at, party: destination("Party", party)? }))
            }
            Activity::SendDtmf(request) => {
                let SendDtmf { digits, call_id, dn, agent_id, acd } = request;
                let place = self.place(shared, (dn.as_ref(), agent_id.as_ref(), acd.as_ref()))?;
                let from = place.connection(shared, "CallID", call_id.as_deref(), TALKED)?;
                let tones = Tones::new(digits).ok_or_else(|| {
                    let why = format!("Digits: 1 to {} of 0-9, *, # and A-D can be sent", Tones::MAX);
                    No::new(Code::InvalidRequest, why)
                })?;
                Ok((place, CallCommand::SendDtmf { from, tones }))
            }
            other => Err(No::new(Code::UnknownActivity, format!("{} is about no call", other.name()))),
        }
    }

    /// The device that a request names, or its agent's, or that of the session's one agent. Who has no right there is told
    /// nothing else.
    fn place(&self, shared: &OpenCti, (dn, agent_id, acd): Named<'_>) -> Result<Place, No> {
        let acd = acd.map(String::as_str);
        let agent = given(agent_id.map(String::as_str)).map(|agent| shared.agent(acd, agent)).transpose()?;
        if let Some(dn) = given(dn.map(String::as_str)) {
            let device = device(dn)?;
            // A device is told by who works there, or by its ACD.
            let own = || self.session.agents().into_iter().map(|(key, _)| key);
            let of_own = || own().find(|key| shared.last_device(key).as_ref() == Some(&device));
            let peripheral = match agent.or_else(|| given(acd).is_none().then(of_own).flatten()) {
                Some(key) => key.peripheral,
                None => shared.acd(acd, None)?,
            };
            let there = || shared.house.table.agent_at(peripheral, &device);
            if !self.rights.every_agent && !there().is_some_and(|key| self.session.has_agent(&key)) {
                return Err(Refusal::NoRightAt { session: self.session.id, device }.into());
            }
            return Ok(Place { peripheral, device });
        }
        let key = match agent {
            Some(key) if self.has_right_over(&key) => key,
            Some(key) => return Err(Refusal::NoRight { session: self.session.id, agent: key.agent }.into()),
            None => match &self.session.agents()[..] {
                [(key, _)] => key.clone(),
                _ => return Err(No::new(Code::InvalidRequest, "DN: it is blank, and so is AgentID")),
            },
        };
        let device = shared.last_device(&key);
        let nowhere = || No::new(Code::AgentNotLoggedIn, format!("agent {} works at no device", key.agent));
        Ok(Place { peripheral: key.peripheral, device: device.ok_or_else(nowhere)? })
    }
}

impl Place {
    /// The call that a request names or, where it names none, the device's one in the first of these states that has any.
    fn connection(
        &self,
        shared: &OpenCti,
        property: &str,
        named: Option<&str>,
        states: &[PartyState],
    ) -> Result<Connection, No> {
        let Place { peripheral, device } = self;
        let device = device.clone();
        if let Some(named) = given(named) {
            let call = named.parse().map(CallId);
            let call = call.map_err(|_| No::new(Code::NotFound, format!("{property}: there is no call {named:?}")))?;
            return Ok(Connection { call, device });
        }
        let calls = shared.house.table.calls(*peripheral).lock().of_device(&device);
        let stands = |state: &PartyState| {
            let is_so = |call: &&Arc<_>| crate::model::Call::party(call, &device).is_some_and(|at| at.state == *state);
            calls.iter().find(is_so).map(|call| call.id)
        };
        match states.iter().find_map(stands) {
            Some(call) => Ok(Connection { call, device }),
            None => {
                let why = format!("{property}: it is blank, and {device} has no call that is {}", words(states));
                Err(No::new(Code::InvalidObjectState, why))
            }
        }
    }
}

fn of_call(request: &OfCall) -> Named<'_> {
    (request.dn.as_ref(), request.agent_id.as_ref(), request.acd.as_ref())
}

fn words(states: &[PartyState]) -> String {
    let word = |state: &PartyState| match state {
        PartyState::Connected => "talked on",
        PartyState::Alerting => "ringing",
        PartyState::Held => "on hold",
        PartyState::Initiated => "being made",
        PartyState::Null | PartyState::Queued | PartyState::Failed => "over",
    };
    states.iter().map(word).collect::<Vec<_>>().join(" or ")
}

fn destination(property: &str, number: &str) -> Result<Instrument, No> {
    Instrument::new(number)
        .map_err(|error| No::new(Code::InvalidDestination, format!("{property}: the number cannot be: {error}")))
}

/// The call data of a request.
fn data_of(request: &Dial) -> Result<CallDataChange, No> {
    let mut data = CallDataValues::default();
    let given = &request.call_variables;
    if given.len() > CALL_VARIABLES {
        let why = format!("pyCallVariables: it has {}, there are {CALL_VARIABLES}", given.len());
        return Err(No::new(Code::InvalidRequest, why));
    }
    for (variable, given) in data.variables.iter_mut().zip(given) {
        variable.clone_from(given);
    }
    for (name, value) in &request.named_variables {
        match element(name) {
            Some((array, index)) => drop(data.arrays.insert((array.to_owned(), index), value.clone())),
            None => drop(data.named.insert(name.clone(), value.clone())),
        }
    }
    data.user_to_user = request.application_data.as_ref().map(|text| text.clone().into());
    let property = |error: &CallDataError| match error {
        CallDataError::TooLong { field, .. } | CallDataError::HoldsNul { field }
            if field.starts_with("CallVariable") =>
        {
            "pyCallVariables"
        }
        CallDataError::TooLong { field, .. } if field == "UserToUserInfo" => "pyApplicationData",
        _ => "pyNamedVariables",
    };
    let cannot = |error| No::new(Code::InvalidRequest, format!("{}: {error}", property(&error)));
    CallDataChange::new(data).map_err(cannot)
}

/// `name[3]` as its two parts.
fn element(name: &str) -> Option<(&str, u8)> {
    let (array, index) = name.strip_suffix(']')?.rsplit_once('[')?;
    Some((array, index.parse().ok()?)).filter(|_| !array.is_empty())
}
