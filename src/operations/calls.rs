//! What an ACD says of a call, into the table and out to the subscribers.
//!
//! Not here: who asked the ACD. Must hold, for each subscriber: of a call it hears the beginning first and the end last,
//! also where the ACD reported neither, was out of reach in between, or the party came and went.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use tracing::error;

use super::House;
use crate::model::{
    AgentId, AgentKey, Call, CallEvent, CallId, CallReport, CallStep, Event, Instrument, Party, PartyKind, PeripheralId,
};
use crate::sessions::Calls;

/// Where a step was reported: by which ACD, and when it was read from there, if it was.
#[derive(Clone, Copy)]
struct Origin {
    peripheral: PeripheralId,
    read_at: Option<Instant>,
}

impl House {
    /// Takes a report in.
    pub(super) fn receive_call(&self, peripheral: PeripheralId, report: CallReport, read_at: Instant) {
        let calls = self.table.calls(peripheral);
        self.take_in_call(peripheral, &mut calls.lock(), report, Some(read_at));
    }

    /// What the ACD says of its calls at one moment: those that it does not have have ended, those that are new began, and
    /// how the parties of the others stand is told where it differs. What is known since is newer.
    pub(super) fn take_in_calls(&self, peripheral: PeripheralId, present: Vec<Arc<Call>>, order: u64) {
        let calls = self.table.calls(peripheral);
        let mut calls = calls.lock();
        let there: HashSet<CallId> = present.iter().map(|call| call.id).collect();
        let is_gone = |call: &Arc<Call>| call.order <= order && !there.contains(&call.id);
        for gone in calls.all().into_iter().filter(is_gone) {
            self.end_call(Origin { peripheral, read_at: None }, &mut calls, gone.id);
        }
        for call in present {
            let was = calls.get(call.id).cloned();
            let steps = was.map_or_else(Vec::new, |was| differences(&was, &call));
            if steps.is_empty() {
                self.take_in_call(peripheral, &mut calls, CallReport { call, step: CallStep::Began }, None);
                continue;
            }
            for step in steps {
                self.take_in_call(peripheral, &mut calls, CallReport { call: Arc::clone(&call), step }, None);
            }
        }
    }

    /// The ACD is out of reach: of its calls nothing is known any more.
    pub(super) fn end_calls(&self, peripheral: PeripheralId) {
        let calls = self.table.calls(peripheral);
        let mut calls = calls.lock();
        for call in calls.all() {
            self.end_call(Origin { peripheral, read_at: None }, &mut calls, call.id);
        }
    }

    /// An agent hears no more of the calls that it is on: for its clients, and those of its device, they have ended. Others
    /// hear how they go on.
    pub(super) fn end_calls_for(&self, key: &AgentKey, read_at: Option<Instant>) {
        let calls = self.table.calls(key.peripheral);
        let calls = calls.lock();
        for call in calls.of_agent(&key.agent) {
            let Some(device) = call.device_of(&key.agent).cloned() else { continue };
            let to = vec![(device.clone(), Some(key.agent.clone()))];
            self.publish_step(
                Origin { peripheral: key.peripheral, read_at },
                &call,
                CallStep::Ended,
                &device,
                false,
                to,
            );
        }
    }

    fn take_in_call(&self, peripheral: PeripheralId, calls: &mut Calls, report: CallReport, read_at: Option<Instant>) {
        let CallReport { call, step } = report;
        let from = Origin { peripheral, read_at };
        if calls.get(call.id).is_some_and(|known| known.order > call.order) {
            return; // older than what is known
        }
        if step == CallStep::Ended {
            return self.end_call(from, calls, call.id);
        }
        let joined = match &step {
            CallStep::Transferred(joined) | CallStep::Conferenced(joined) => joined.secondary,
            _ => None,
        };
        let makes_room = joined.is_some_and(|other| calls.get(other).is_some());
        if calls.is_full() && calls.get(call.id).is_none() && !makes_room {
            // Nobody has been told of it, and nobody is. It is taken in with a later report if there is room by then.
            return self.no_room.say(|left_out| {
                error!(%peripheral, call = call.id.0, calls = calls.count(), left_out, "the ACD has more calls than may be known, this one is left out");
            });
        }
        let was = calls.put(Arc::clone(&call));
        let publish = |step: CallStep, at: &Instrument, to_all: bool, to: Vec<(Instrument, Option<AgentId>)>| {
            self.publish_step(from, &call, step, at, to_all, to);
        };
        // Who was on the other call is told that it goes on as this one, once it has been told how.
        let (by, other) = match &step {
            CallStep::Transferred(joined) | CallStep::Conferenced(joined) => {
                (Some(joined.by.clone()), joined.secondary.and_then(|other| calls.take(other)))
            }
            _ => (None, None),
        };
        self.table.statistics.call_changed(peripheral, was.as_deref(), other.as_deref(), &call);
        let others = other.as_ref().map_or(&[][..], |other| &other.parties);
        let were = was.as_ref().map_or(&[][..], |was| &was.parties);
        if was.is_none() {
            publish(CallStep::Began, &call.home, true, Vec::new());
        }
        let gone = were.iter().filter(|party| !is_among(party, &call.parties));
        // Where the device is another's by now, it has to be told of the end before the beginning.
        let (replaced, gone): (Vec<&Party>, Vec<&Party>) = gone.partition(|party| call.party(&party.device).is_some());
        for party in replaced {
            publish(CallStep::Ended, &party.device, false, vec![listener(party)]);
        }
        for came in call.parties.iter().filter(|party| !is_among(party, were) && !is_among(party, others)) {
            publish(CallStep::Began, &came.device, false, vec![listener(came)]);
        }
        let is_data = step == CallStep::DataChanged;
        if !matches!(step, CallStep::Began | CallStep::Released(_) | CallStep::DataChanged) {
            let listeners = call.parties.iter().chain(gone.iter().copied()).map(listener);
            if let CallStep::Left(at, _) = &step {
                publish(step.clone(), at, true, listeners.collect()); // a connection is gone, whoever hears of it
            } else if let Some(at) = step.device().cloned() {
                // Each hears it from its own end of the call, and how that stands.
                for to in listeners {
                    publish(step.clone(), &to.0.clone(), false, vec![to]);
                }
                publish(step, &at, true, Vec::new());
            } else {
                // It happened at no device: everybody sees it from where they see the call.
                for to in listeners {
                    publish(step.clone(), &to.0.clone(), false, vec![to]);
                }
                publish(step, &call.home, true, Vec::new());
            }
        }
        if let Some(was) = was.as_ref().filter(|was| is_data || was.data != call.data) {
            self.tell_data(from, was, &call);
        }
        for gone in gone {
            publish(CallStep::Ended, &gone.device, false, vec![listener(gone)]);
        }
        if let (Some(other), Some(by)) = (other, by) {
            self.goes_on_as(from, &other, &call, &by);
        }
    }

    /// A call's parties are on another one from here on; who joined the two was on both.
    fn goes_on_as(&self, from: Origin, other: &Arc<Call>, call: &Arc<Call>, by: &Instrument) {
        let (moved, left): (Vec<&Party>, Vec<&Party>) =
            other.parties.iter().partition(|party| is_among(party, &call.parties) && party.device != *by);
        for (at, party) in moved.into_iter().enumerate() {
            let to = vec![listener(party)];
            self.publish_data(from, other, call, &party.device, at == 0, to);
        }
        for party in left {
            let to = vec![listener(party)];
            self.publish_step(from, other, CallStep::Ended, &party.device, false, to);
        }
        self.publish_step(from, other, CallStep::Ended, &other.home, true, Vec::new());
    }

    /// What travels with a call is told as what differs, whichever step brought it; who came with the step has heard all.
    fn tell_data(&self, from: Origin, was: &Arc<Call>, call: &Arc<Call>) {
        for party in call.parties.iter().filter(|party| is_among(party, &was.parties)) {
            self.publish_data(from, was, call, &party.device, false, vec![listener(party)]);
        }
        self.publish_data(from, was, call, &call.home, true, Vec::new());
    }

    /// A change of data, to those who were told of the call, or of the one that goes on as it, as it was.
    fn publish_data(
        &self,
        from: Origin,
        was: &Arc<Call>,
        call: &Arc<Call>,
        at: &Instrument,
        to_all: bool,
        to: Vec<(Instrument, Option<AgentId>)>,
    ) {
        let (call, at, before) = (Arc::clone(call), at.clone(), Some(Arc::clone(was)));
        let (step, was) = (CallStep::DataChanged, Some(was.id).filter(|was| *was != call.id));
        let Origin { peripheral, read_at } = from;
        self.table.publish(&Event::Call(CallEvent { peripheral, call, step, was, before, at, to_all, to, read_at }));
    }

    fn publish_step(
        &self,
        from: Origin,
        call: &Arc<Call>,
        step: CallStep,
        at: &Instrument,
        to_all: bool,
        to: Vec<(Instrument, Option<AgentId>)>,
    ) {
        let (call, at) = (Arc::clone(call), at.clone());
        let Origin { peripheral, read_at } = from;
        let told = CallEvent { peripheral, call, step, was: None, before: None, at, to_all, to, read_at };
        self.table.publish(&Event::Call(told));
    }

    fn end_call(&self, from: Origin, calls: &mut Calls, id: CallId) {
        let Some(call) = calls.take(id) else { return };
        self.table.statistics.call_ended(from.peripheral, &call);
        for party in &call.parties {
            let to = vec![listener(party)];
            self.publish_step(from, &call, CallStep::Ended, &party.device, false, to);
        }
        self.publish_step(from, &call, CallStep::Ended, &call.home, true, Vec::new());
    }
}

/// What a party's state must have become by: one step for each party that stands otherwise than it did.
fn differences(was: &Call, now: &Call) -> Vec<CallStep> {
    use crate::model::{CallCause, PartyState};
    let mut steps = Vec::new();
    for party in &now.parties {
        let before = was.party(&party.device).map(|party| party.state);
        if before == Some(party.state) {
            continue;
        }
        let device = party.device.clone();
        steps.push(match party.state {
            PartyState::Null => CallStep::Left(device, CallCause::Normal),
            PartyState::Initiated => CallStep::Initiated(device),
            PartyState::Alerting => CallStep::Delivered(device),
            PartyState::Connected if before == Some(PartyState::Held) => CallStep::Retrieved(device),
            PartyState::Connected => CallStep::Established(device),
            PartyState::Held => CallStep::Held(device),
            PartyState::Queued => CallStep::Queued { at: device, waiting: 0 },
            PartyState::Failed => CallStep::Failed(device, CallCause::Normal),
        });
    }
    let left = was.parties.iter().filter(|party| now.party(&party.device).is_none());
    steps.extend(left.map(|party| CallStep::Left(party.device.clone(), CallCause::Normal)));
    if steps.is_empty() && was.data != now.data {
        steps.push(CallStep::DataChanged);
    }
    steps
}

fn listener(party: &Party) -> (Instrument, Option<AgentId>) {
    let agent = match &party.kind {
        PartyKind::Agent(agent) => Some(agent.clone()),
        _ => None,
    };
    (party.device.clone(), agent)
}

fn is_among(party: &Party, those: &[Party]) -> bool {
    those.iter().any(|other| other.device == party.device && other.kind == party.kind)
}
