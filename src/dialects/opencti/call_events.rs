//! Calls as a device's client is told of them: how the device stands on each, who else is on it, and what travels with it.
//!
//! Not here: who gets it. The source has no event for a transfer or a conference, and none that says what another party
//! does: so a client is told whatever has become different from what it was told before, and of nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use cti_protocol::opencti::{
    CallEventName, CallInfo, CallInfoEvent, CallStateEvent, CallType, Media, Party, PartyInfo, PartyInfoEvent, What,
};

use crate::model::{Call, CallCause, CallDataValues, CallKind, CallStep, Instrument, PartyKind, PartyState};

/// What a client knows of one call of a device.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    /// The call as it was then.
    pub(super) call: Arc<Call>,
    state: CallEventName,
    agent: String,
    parties: Vec<Instrument>,
}

impl Told {
    /// The call is over for the device: what is said where it goes on as another one.
    pub(super) fn over(&self, device: &Instrument) -> What {
        self.ends(device, CallEventName::Disconnected)
    }

    fn ends(&self, device: &Instrument, name: CallEventName) -> What {
        View { call: &self.call, device }.state(name, self.agent.clone(), &self.parties)
    }
}

/// What is to be said of a call at a device after a step, to a client that was told `before`; and what it knows then:
/// nothing once the call is over for the device.
pub(super) fn news(
    call: &Arc<Call>,
    step: Option<&CallStep>,
    device: &Instrument,
    before: Option<&Told>,
) -> (Vec<What>, Option<Told>) {
    let has_ended = step == Some(&CallStep::Ended);
    let now = (!has_ended).then(|| standing(call, device)).flatten();
    let Some((state, agent)) = now else {
        let over = before.filter(|before| before.state != CallEventName::Abandoned);
        let is_abandoned = step.is_some_and(is_abandoned);
        let said = over.map(|before| match before.state {
            CallEventName::Alerting if is_abandoned => before.ends(device, CallEventName::Abandoned),
            _ => before.over(device),
        });
        return (said.into_iter().collect(), None);
    };
    let was = before.map(|before| before.state);
    let name = match (state, was) {
        // It may ring on for a moment.
        (_, Some(CallEventName::Abandoned)) => return (Vec::new(), before.cloned()),
        (CallEventName::Alerting, Some(_)) if step.is_some_and(is_abandoned) => CallEventName::Abandoned,
        (CallEventName::Established, Some(CallEventName::Held | CallEventName::Retrieved)) => CallEventName::Retrieved,
        (state, _) => state,
    };
    if let Some(before) = before.filter(|_| name == CallEventName::Abandoned) {
        return (vec![before.ends(device, name)], Some(Told { state: name, ..before.clone() }));
    }
    let parties = present(call);
    let view = View { call, device };
    let mut said = Vec::new();
    if was != Some(name) {
        said.push(view.state(name, agent.clone(), &parties));
    }
    if before.is_none_or(|before| before.parties != parties) {
        said.push(view.parties(agent.clone(), &parties));
    }
    if before.is_none_or(|before| before.call.data != call.data) {
        said.push(view.data(agent.clone()));
    }
    (said, Some(Told { call: Arc::clone(call), state: name, agent, parties }))
}

/// How the device stands on the call, as an event's name, and its agent; none once it is off, or waits in a queue.
fn standing(call: &Call, device: &Instrument) -> Option<(CallEventName, String)> {
    let party = call.party(device)?;
    let state = match party.state {
        PartyState::Initiated => CallEventName::Initiated,
        PartyState::Alerting => CallEventName::Alerting,
        PartyState::Connected => CallEventName::Established,
        PartyState::Held => CallEventName::Held,
        PartyState::Null | PartyState::Queued | PartyState::Failed => return None,
    };
    let agent = match &party.kind {
        PartyKind::Agent(agent) => agent.to_string(),
        _ => String::new(),
    };
    Some((state, agent))
}

fn is_abandoned(step: &CallStep) -> bool {
    matches!(step, CallStep::Left(_, CallCause::Abandoned) | CallStep::Cleared(CallCause::Abandoned))
}

/// Everybody who is on the call and not done with it. A queue is a place and nobody.
fn present(call: &Call) -> Vec<Instrument> {
    let is_there = |party: &&crate::model::Party| {
        party.kind != PartyKind::QueuePoint && !matches!(party.state, PartyState::Null | PartyState::Failed)
    };
    call.parties.iter().filter(is_there).map(|party| party.device.clone()).collect()
}

/// A call as one device sees it.
struct View<'a> {
    call: &'a Call,
    device: &'a Instrument,
}

impl View<'_> {
    fn state(&self, event_name: CallEventName, agent_id: String, parties: &[Instrument]) -> What {
        let call = self.call;
        let other = parties.iter().find(|party| *party != self.device).map(ToString::to_string);
        let other = other.or_else(|| match call.kind {
            CallKind::Out | CallKind::Inside | CallKind::Consult | CallKind::Supervision(_)
                if call.home == *self.device =>
            {
                call.dialed_number.clone()
            }
            _ => call.ani.clone(),
        });
        What::CallStateEvent(CallStateEvent {
            event_name,
            media: Media::Voice,
            ani: call.caller_number().cloned().unwrap_or_default(),
            call_id: call.id.0.to_string(),
            call_type: call_type(call),
            other_dn: other.unwrap_or_default(),
            agent_id,
            this_dn: self.device.to_string(),
        })
    }

    fn parties(&self, agent_id: String, parties: &[Instrument]) -> What {
        What::PartyInfoEvent(PartyInfoEvent {
            event_name: PartyInfo::PartyInfo,
            media: Media::Voice,
            call_id: self.call.id.0.to_string(),
            agent_id,
            this_dn: self.device.to_string(),
            parties: parties.iter().map(|device| Party { dn: device.to_string() }).collect(),
        })
    }

    fn data(&self, agent_id: String) -> What {
        let CallDataValues { variables, named, arrays, user_to_user, wrap_up, .. } = &**self.call.data;
        let elements = arrays.iter().map(|((name, index), value)| (format!("{name}[{index}]"), value.clone()));
        let named: BTreeMap<String, String> = named.clone().into_iter().chain(elements).collect();
        What::CallInfoEvent(CallInfoEvent {
            event_name: CallInfo::CallInfo,
            media: Media::Voice,
            call_id: self.call.id.0.to_string(),
            agent_id,
            this_dn: self.device.to_string(),
            dnis: self.call.dialed_number.clone().unwrap_or_default(),
            call_variables: variables.to_vec(),
            named_variables: named,
            application_data: user_to_user.as_deref().map(text_or_hexadecimal),
            wrap_up_data: wrap_up.clone(),
        })
    }
}

fn text_or_hexadecimal(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().fold("0x".to_owned(), |text, byte| text + &format!("{byte:02x}")),
    }
}

/// A conference is of the kind that its call began as, as far as that is known.
fn call_type(call: &Call) -> CallType {
    match call.kind {
        CallKind::QueuedIn => CallType::Inbound,
        CallKind::Conference if call.queue.is_some() => CallType::Inbound,
        CallKind::TransferredIn | CallKind::Consult => CallType::Consult,
        CallKind::Out => CallType::Outbound,
        CallKind::Inside | CallKind::Supervision(_) => CallType::Internal,
        CallKind::Conference => CallType::Unknown,
    }
}
