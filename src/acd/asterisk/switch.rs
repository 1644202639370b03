//! Calls as the gateway tells of them, made from channels: parties, queue, data, and which step led from what was told to
//! what is.
//!
//! Does no IO. Not here: channels (`channels`), agents' states (`world`). Asterisk tells of channels and never of a call:
//! so a call is looked at anew whenever one of its channels has changed, and told step by step where it differs.
//! Must hold: what is told of a call ends with its end; a device is on one call once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::ami::Message;
use super::calls::{age_of, key_of};
use super::channels::{Channel, ChannelState, Channels, Touched};
use super::names::Names;
use crate::model::{
    AgentId, Call, CallCause, CallData, CallId, CallKind, CallReport, CallStep, Instrument, Joined, Party, PartyKind,
    PartyState, QueueId,
};

/// The calls of one Asterisk.
#[derive(Debug, Default)]
pub(super) struct Switch {
    pub(super) channels: Channels,
    calls: HashMap<String, Tracked>,
    linked_of: HashMap<CallId, String>,
}

/// A call, besides its channels.
#[derive(Debug)]
struct Tracked {
    id: CallId,
    queue: Option<QueueId>,
    /// What was dialled, where the gateway dialled it.
    dialed: Option<String>,
    is_consult: bool,
    is_transferred: bool,
    is_abandoned: bool,
    /// The device of each channel that is a party, by its Uniqueid: a party keeps it, whatever its number becomes.
    devices: HashMap<String, Instrument>,
    told: Option<Arc<Call>>,
}

/// A call that the gateway has made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// What is to be dialled once its own end has answered.
    pub(super) to: Instrument,
    /// To ask somebody about another call.
    pub(super) is_consult: bool,
}

/// Who works at a device.
pub(super) type AgentAt<'a> = &'a dyn Fn(&Instrument) -> Option<AgentId>;

impl Switch {
    /// Takes an event in; gives the calls that may have changed.
    pub(super) fn take(&mut self, names: &Names, event: &[u8], message: &Message) -> Option<Touched> {
        let channels = &mut self.channels;
        match event {
            b"Hangup" => {
                let (linked, gone) = channels.hung_up(message.text_of("Uniqueid")?)?;
                let is_taken_back = gone.is_dialed && gone.cause == Some(CallCause::Redirected);
                let is_answered_elsewhere = message.number_of("Cause") == Some(ANSWERED_ELSEWHERE)
                    || channels
                        .of_call(&linked)
                        .iter()
                        .any(|(_, channel)| channel.has_answered && channel.waits_in.is_none());
                if is_taken_back
                    && !is_answered_elsewhere
                    && channels.of_call(&linked).iter().any(|(_, channel)| channel.waits_in.is_some())
                {
                    // Nobody else has answered, and no time was up: the caller has hung up, as will be told next.
                    self.tracked(&linked).is_abandoned = true;
                }
                return Some(Touched::one(&linked));
            }
            b"AgentRingNoAnswer" => {
                let (dest, touched) = channels.note(names, message, "Dest")?;
                channels.get_mut(&dest)?.cause = Some(CallCause::NotAnswered);
                return Some(touched);
            }
            b"DialBegin" | b"DialEnd" | b"AgentCalled" => {
                let (from, by) = channels.note(names, message, "").unzip();
                let (dest, touched) = channels.note(names, message, "Dest")?;
                let touched = by.unwrap_or_default().and(touched);
                match event {
                    b"DialEnd" => match message.text_of("DialStatus") {
                        Some("ANSWER") => channels.answered(&dest),
                        status => {
                            if let Some(channel) = channels.get_mut(&dest).filter(|dest| dest.cause.is_none()) {
                                channel.cause = Some(match status {
                                    Some("BUSY" | "CONGESTION" | "CHANUNAVAIL") => CallCause::Busy,
                                    Some("CANCEL") => CallCause::Redirected,
                                    _ => CallCause::NotAnswered,
                                });
                            }
                        }
                    },
                    _ => channels.dials(from.as_deref(), &dest),
                }
                return Some(touched);
            }
            b"BlindTransfer" => {
                let (transferer, touched) = channels.note(names, message, "Transferer")?;
                if message.text_of("Result") == Some("Success")
                    && let Some(channel) = channels.get_mut(&transferer)
                {
                    channel.is_gone = true;
                    let call = self.calls.get_mut(touched.calls.first()?)?;
                    call.is_transferred = true;
                }
                return Some(touched);
            }
            _ => (),
        }
        let (id, touched) = match event {
            b"Newchannel" => channels.begin(names, message)?,
            _ => channels.note(names, message, "")?,
        };
        let channel = channels.get_mut(&id)?;
        if let (b"AgentConnect" | b"BridgeEnter", Some(call)) = (event, self.calls.get_mut(touched.calls.first()?)) {
            call.is_abandoned = false; // whatever it looked like
        }
        match event {
            b"Newstate" if channel.state == ChannelState::UP => channels.answered(&id),
            b"Hold" => channel.is_held = true,
            b"Unhold" => channel.is_held = false,
            b"BridgeEnter" => (channel.is_through, channel.is_dialed) = (true, false),
            b"QueueCallerJoin" => {
                let queue = names.queue_number(message.text_of("Queue")?)?;
                let waiting = message.number_of("Count").and_then(|count| u16::try_from(count).ok());
                channel.waits_in = Some((queue, waiting.unwrap_or(1)));
                channel.is_through = true;
                self.tracked(touched.calls.first()?).queue = Some(queue);
            }
            b"QueueCallerLeave" => channel.waits_in = None,
            b"QueueCallerAbandon" => {
                channel.cause = Some(CallCause::Abandoned);
                self.tracked(touched.calls.first()?).is_abandoned = true;
            }
            b"VarSet" => {
                let (name, value) = (message.text_of("Variable")?, message.text_of("Value").unwrap_or_default());
                if names.is_variable(name) {
                    channel.variables.insert(name.to_owned(), value.to_owned());
                }
            }
            _ => (),
        }
        Some(touched)
    }

    /// A channel carries that.
    pub(super) fn set_variable(&mut self, channel: &str, name: &str, value: &str) -> Option<Touched> {
        let linked = self.channels.set_variable(channel, name, value)?;
        Some(Touched::one(&linked))
    }

    /// A list tells of every channel that there is.
    pub(super) fn set_channels(&mut self, names: &Names, items: &[Message]) -> Touched {
        let (mut listed, mut touched) = (HashSet::new(), Touched::default());
        let mut items: Vec<&Message> = items.iter().collect();
        items.sort_by_cached_key(|item| item.text_of("Uniqueid").map(age_of)); // the list has no order
        for item in items {
            let Some((id, noted)) = self.channels.begin(names, item) else { continue };
            touched = touched.and(noted);
            let waits_in = (item.text_of("Application") == Some("Queue") && item.text_of("BridgeId").is_none())
                .then(|| names.queue_number(item.text_of("ApplicationData")?.split(',').next()?))
                .flatten();
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.is_through |= item.text_of("BridgeId").is_some() || waits_in.is_some();
                channel.waits_in = waits_in.map(|queue| (queue, channel.waits_in.map_or(1, |(_, waiting)| waiting)));
            }
            let queue = (item.text_of("Application") == Some("Queue"))
                .then(|| names.queue_number(item.text_of("ApplicationData")?.split(',').next()?))
                .flatten();
            if let (Some(queue), Some(linked)) = (queue, item.text_of("Linkedid")) {
                self.tracked(linked).queue.get_or_insert(queue);
            }
            listed.insert(id);
        }
        // Every call is looked at: also those that have lost their last channel without a word.
        let gone = Touched { calls: self.channels.keep(&listed), joined: Vec::new() };
        let known = self.channels.calls().into_iter().chain(self.calls.keys().cloned());
        let mut touched = touched.and(gone).and(Touched { calls: known.collect(), joined: Vec::new() });
        touched.calls.sort_unstable();
        touched.calls.dedup();
        touched
    }

    /// What is to be told of the calls that an event touched. `being_made` are those that the gateway makes.
    pub(super) fn reports(
        &mut self,
        names: &Names,
        touched: Touched,
        order: &mut u64,
        being_made: &HashMap<String, Made>,
        agent_at: AgentAt<'_>,
    ) -> Vec<CallReport> {
        let mut reports = Vec::new();
        for (was, now) in &touched.joined {
            reports.extend(self.join(was, now, order));
        }
        for linked in &touched.calls {
            if let Some(made) = being_made.get(linked) {
                let call = self.tracked(linked);
                (call.is_consult, call.dialed) = (made.is_consult, Some(made.to.to_string()));
            }
            reports.extend(self.changes(names, linked, order, agent_at));
        }
        reports
    }

    /// Every call that was told of, as it is.
    pub(super) fn told(&self) -> Vec<Arc<Call>> {
        self.calls.values().filter_map(|call| call.told.clone()).collect()
    }

    /// The link is gone: nothing is known any more.
    pub(super) fn clear(&mut self) {
        self.channels.clear();
        (self.calls, self.linked_of) = Default::default();
    }

    /// The channels of a call, by the device of each that is a party.
    pub(super) fn parties(&self, id: CallId) -> Vec<(Instrument, String, &Channel)> {
        let Some(linked) = self.linked_of.get(&id) else { return Vec::new() };
        let Some(call) = self.calls.get(linked) else { return Vec::new() };
        let channels = self.channels.of_call(linked).into_iter();
        channels.filter_map(|(id, channel)| Some((call.devices.get(id)?.clone(), id.clone(), channel))).collect()
    }

    /// The call as it was told last.
    pub(super) fn call(&self, id: CallId) -> Option<&Arc<Call>> {
        self.calls.get(self.linked_of.get(&id)?)?.told.as_ref()
    }

    /// The call of a channel, as it was told last.
    pub(super) fn call_of_channel(&self, linked: &str) -> Option<&Arc<Call>> {
        self.calls.get(linked)?.told.as_ref()
    }

    fn tracked(&mut self, linked: &str) -> &mut Tracked {
        if !self.calls.contains_key(linked) {
            let mut id = CallId(key_of(linked).1);
            while self.linked_of.contains_key(&id) {
                id = CallId(id.0.wrapping_add(1)); // another day's, or as many channels in one second as there are numbers
            }
            self.linked_of.insert(id, linked.to_owned());
            let call = Tracked {
                id,
                queue: None,
                dialed: None,
                is_consult: false,
                is_transferred: false,
                is_abandoned: false,
                devices: HashMap::new(),
                told: None,
            };
            self.calls.insert(linked.to_owned(), call);
        }
        self.calls.entry(linked.to_owned()).or_insert_with(|| unreachable!("it was put there above"))
    }

    fn forget(&mut self, linked: &str) -> Option<Tracked> {
        let call = self.calls.remove(linked)?;
        self.linked_of.remove(&call.id);
        Some(call)
    }

    /// Two calls became one. Where a device was on both, it did that, and it is a transfer: Asterisk's bridges take whoever
    /// joins two calls out of both.
    fn join(&mut self, was: &str, now: &str, order: &mut u64) -> Option<CallReport> {
        let other = self.forget(was)?;
        let call = self.tracked(now);
        call.queue = call.queue.or(other.queue);
        call.devices.extend(other.devices);
        let other = other.told?;
        *order += 1;
        let by = call.told.as_ref().and_then(|told| {
            let by = told.parties.iter().find(|party| other.party(&party.device).is_some())?.device.clone();
            Some((Arc::clone(told), by))
        });
        let moved = |by: &Instrument| -> Vec<Party> {
            other.parties.iter().filter(|party| party.device != *by).cloned().collect()
        };
        let Some((told, by, moved)) = by.map(|(told, by)| (told, by.clone(), moved(&by))).filter(|it| !it.2.is_empty())
        else {
            // Somebody else joined them: its parties come to the other call as new ones.
            let ended = Call { order: *order, ..(*other).clone() };
            return Some(CallReport { call: Arc::new(ended), step: CallStep::Ended });
        };
        let added = moved[0].device.clone();
        call.is_transferred = true;
        let mut joined = (*told).clone();
        joined.order = *order;
        joined.kind = CallKind::TransferredIn;
        joined.parties.retain(|party| party.device != by);
        for party in moved.into_iter().filter(|party| told.party(&party.device).is_none()) {
            joined.parties.push(party);
        }
        let joined = Arc::new(joined);
        call.told = Some(Arc::clone(&joined));
        let leaving: Vec<String> =
            call.devices.iter().filter(|(_, device)| **device == by).map(|(id, _)| id.clone()).collect();
        for id in leaving {
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.is_gone = true;
            }
        }
        let step = Joined { primary: told.id, secondary: Some(other.id), by, added };
        Some(CallReport { call: joined, step: CallStep::Transferred(step) })
    }

    fn changes(&mut self, names: &Names, linked: &str, order: &mut u64, agent_at: AgentAt<'_>) -> Vec<CallReport> {
        self.tracked(linked);
        let mut next = self.looked_at(names, linked, agent_at);
        let Some(call) = self.calls.get_mut(linked) else { return Vec::new() };
        let is_inside = |party: &Party| matches!(party.kind, PartyKind::Agent(_) | PartyKind::Device);
        let is_ours = call.told.is_some() || call.queue.is_some() || next.parties.iter().any(is_inside);
        if !is_ours || (call.told.is_none() && next.parties.is_empty()) {
            if self.channels.of_call(linked).is_empty() {
                self.forget(linked);
            }
            return Vec::new();
        }
        let was = call.told.clone();
        let is_new = was.is_none();
        let before = was.as_deref().map_or(&[][..], |was| &was.parties);
        let steps = steps(call, before, &next, &self.channels);
        let mut now = was.as_deref().cloned().unwrap_or_else(|| Call { parties: Vec::new(), ..next.clone() });
        (now.kind, now.queue) = (next.kind, next.queue);
        now.ani = now.ani.or(next.ani.take());
        now.dialed_number = now.dialed_number.or(next.dialed_number.take());
        let is_data_new = now.data != next.data;
        now.data = Arc::clone(&next.data);
        let mut reports = Vec::new();
        let mut report = |reports: &mut Vec<CallReport>, now: &mut Call, step: CallStep| {
            *order += 1;
            now.order = *order;
            reports.push(CallReport { call: Arc::new(now.clone()), step });
        };
        // A caller comes without a step: it is there.
        let silent = |party: &&Party| {
            party.state == PartyState::Connected && steps.iter().all(|s| s.device() != Some(&party.device))
        };
        for party in next.parties.iter().filter(silent) {
            if now.party(&party.device).is_none() {
                now.parties.push(party.clone());
            }
        }
        for step in steps {
            apply(&mut now, &step, &next.parties);
            report(&mut reports, &mut now, step);
        }
        // What no step says: another agent works at a device.
        for party in &next.parties {
            if now.party(&party.device).is_none_or(|known| known != party) {
                now.parties.retain(|known| known.device != party.device);
                now.parties.push(party.clone());
            }
        }
        let has_ended = next.parties.is_empty();
        if has_ended {
            let cause = if call.is_abandoned { CallCause::Abandoned } else { CallCause::Normal };
            report(&mut reports, &mut now, CallStep::Cleared(cause));
            report(&mut reports, &mut now, CallStep::Ended);
        } else if reports.is_empty() && (is_new || was.as_deref().is_some_and(|was| was.parties != now.parties)) {
            report(&mut reports, &mut now, CallStep::Began);
        } else if reports.is_empty() && is_data_new {
            report(&mut reports, &mut now, CallStep::DataChanged);
        }
        if has_ended {
            self.forget(linked);
        } else if let Some(call) = self.calls.get_mut(linked) {
            let told = reports.last().map(|last| Arc::clone(&last.call));
            call.told = told.or(was);
        }
        reports
    }

    /// The call as its channels have it.
    fn looked_at(&mut self, names: &Names, linked: &str, agent_at: AgentAt<'_>) -> Call {
        let channels: Vec<(String, Channel)> =
            self.channels.of_call(linked).into_iter().map(|(id, channel)| (id.clone(), channel.clone())).collect();
        let call = self.tracked(linked);
        let mut parties: Vec<Party> = Vec::new();
        let mut data = CallData::default();
        for (id, channel) in &channels {
            names.put_variables(&channel.variables, &mut data);
            if channel.is_inner_half() || channel.is_gone {
                continue;
            }
            let Some(state) = state_of(channel) else { continue };
            let device = call.devices.entry(id.clone()).or_insert_with(|| device_of(id, channel, &parties)).clone();
            let kind = match &channel.device {
                Some(device) => agent_at(device).map_or(PartyKind::Device, PartyKind::Agent),
                None => PartyKind::Outside,
            };
            if parties.iter().all(|party| party.device != device) {
                parties.push(Party { device, kind, state });
            }
            let is_served = || {
                let others = channels.iter().filter(|(other, channel)| other != id && !channel.is_inner_half());
                others.filter_map(|(_, channel)| state_of(channel)).any(|state| state != PartyState::Initiated)
            };
            if let Some((queue, _)) = channel.waits_in
                && !is_served()
                && let Some(point) = names.queue_name(queue).and_then(|name| Instrument::new(name).ok())
                && parties.iter().all(|party| party.device != point)
            {
                parties.push(Party { device: point, kind: PartyKind::QueuePoint, state: PartyState::Queued });
            }
        }
        call.devices.retain(|id, _| channels.iter().any(|(known, _)| known == id));
        let first = channels.iter().map(|(_, channel)| channel).find(|channel| !channel.is_inner_half());
        let point = call.queue.and_then(|queue| Instrument::new(names.queue_name(queue)?).ok());
        let home = point.or_else(|| parties.first().map(|party| party.device.clone()));
        Call {
            id: call.id,
            kind: kind_of(call, &parties),
            queue: call.queue,
            key: key_of(linked),
            ani: first.and_then(|channel| channel.number.clone()),
            dialed_number: call.dialed.clone().or_else(|| first.and_then(|channel| channel.dialed.clone())),
            home: call.told.as_ref().map(|told| told.home.clone()).or(home).unwrap_or_else(nowhere),
            parties,
            data: Arc::new(data),
            order: 0,
        }
    }
}

/// How a channel stands as a party; none while it is none.
fn state_of(channel: &Channel) -> Option<PartyState> {
    let is_dialling = channel.is_made && !channel.is_through;
    match channel.state {
        _ if channel.is_held => Some(PartyState::Held),
        _ if is_dialling => Some(PartyState::Initiated),
        ChannelState::UP => Some(PartyState::Connected),
        ChannelState::RINGING => Some(PartyState::Alerting),
        ChannelState::RING if channel.is_through => Some(PartyState::Connected),
        ChannelState::RING => Some(PartyState::Initiated),
        _ if channel.is_dialed => Some(PartyState::Alerting),
        _ => None,
    }
}

/// What the other parties know a channel by: its device, the number behind it, or, where that is not known or is taken,
/// its own id.
fn device_of(id: &str, channel: &Channel, parties: &[Party]) -> Instrument {
    let is_free = |device: &Instrument| parties.iter().all(|party| party.device != *device);
    let by_number = || channel.number.as_deref().and_then(|number| Instrument::new(number).ok());
    let by_id = || Instrument::new(id).ok();
    channel.device.clone().or_else(by_number).filter(is_free).or_else(by_id).unwrap_or_else(nowhere)
}

fn nowhere() -> Instrument {
    Instrument::new("unknown").unwrap_or_else(|_| unreachable!("a word is an instrument's name"))
}

fn kind_of(call: &Tracked, parties: &[Party]) -> CallKind {
    let is_on = |party: &&Party| matches!(party.state, PartyState::Connected | PartyState::Held);
    let is_outside = |party: &Party| party.kind == PartyKind::Outside;
    let was = call.told.as_ref().map(|told| told.kind);
    if parties.iter().filter(is_on).count() > 2 || was == Some(CallKind::Conference) {
        return CallKind::Conference;
    }
    match was {
        _ if call.is_transferred => CallKind::TransferredIn,
        _ if call.is_consult => CallKind::Consult,
        _ if call.queue.is_some() => CallKind::QueuedIn,
        Some(kind @ (CallKind::QueuedIn | CallKind::Out)) => kind,
        _ if parties.first().is_some_and(is_outside) => CallKind::QueuedIn,
        _ if parties.iter().any(is_outside) => CallKind::Out,
        _ => CallKind::Inside,
    }
}

/// What must have happened between the two.
fn steps(call: &Tracked, before: &[Party], next: &Call, channels: &Channels) -> Vec<CallStep> {
    let at = |device: &Instrument| before.iter().find(|party| party.device == *device).map(|party| party.state);
    let mut came = Vec::new();
    let mut answered = Vec::new();
    for party in &next.parties {
        let (was, device) = (at(&party.device), party.device.clone());
        if was == Some(party.state) {
            continue;
        }
        came.push(match (was, party.state) {
            (_, PartyState::Initiated) => CallStep::Initiated(device),
            (_, PartyState::Alerting) => CallStep::Delivered(device),
            (_, PartyState::Held) => CallStep::Held(device),
            (_, PartyState::Queued) => CallStep::Queued { at: device, waiting: waiting(call, channels) },
            (Some(PartyState::Held), _) => CallStep::Retrieved(device),
            (Some(PartyState::Alerting), _) => {
                answered.push(device.clone());
                CallStep::Established(device)
            }
            (Some(PartyState::Initiated), _) => {
                answered.push(device);
                continue; // who answers says it, if anybody does
            }
            _ => continue,
        });
    }
    let has_answer = came.iter().any(|step| matches!(step, CallStep::Established(_)));
    if let Some(device) = answered.first().filter(|_| !has_answer) {
        came.push(CallStep::Established(device.clone()));
    }
    let is_first_conference =
        next.kind == CallKind::Conference && call.told.as_ref().is_some_and(|told| told.kind != CallKind::Conference);
    if let (true, Some(added)) = (is_first_conference, answered.last()) {
        let by = next.parties.iter().find(|party| party.device != *added && party.kind != PartyKind::Outside);
        let by = by.map_or_else(|| added.clone(), |party| party.device.clone());
        let joined = Joined { primary: call.id, secondary: None, by, added: added.clone() };
        came.push(CallStep::Conferenced(joined));
    }
    let is_diverted = came.iter().any(|step| matches!(step, CallStep::Delivered(_)));
    let left = before.iter().filter(|party| next.party(&party.device).is_none()).map(|party| {
        let cause = match party.kind {
            PartyKind::QueuePoint if is_diverted => CallCause::Redirected,
            _ if call.is_abandoned => CallCause::Abandoned,
            _ if call.is_transferred && next.parties.len() < before.len() && party.state == PartyState::Connected => {
                CallCause::Transfer
            }
            _ if party.state == PartyState::Alerting && !next.parties.is_empty() => CallCause::NotAnswered,
            _ => CallCause::Normal,
        };
        CallStep::Left(party.device.clone(), cause)
    });
    let left: Vec<CallStep> = left.collect();
    if is_diverted { came.into_iter().chain(left).collect() } else { left.into_iter().chain(came).collect() }
}

fn waiting(call: &Tracked, channels: &Channels) -> u16 {
    let waits = |id: &String| channels.get(id).and_then(|channel| channel.waits_in);
    call.devices.keys().find_map(waits).map_or(1, |(_, waiting)| waiting)
}

/// The call after a step.
fn apply(call: &mut Call, step: &CallStep, next: &[Party]) {
    match step {
        CallStep::Left(device, _) => call.parties.retain(|party| party.device != *device),
        CallStep::Conferenced(_) => (),
        step => {
            // With who answers all that changes by it: who dialled is through.
            let is_answer = matches!(step, CallStep::Established(_));
            let concerned = next.iter().filter(|party| is_answer || Some(&party.device) == step.device());
            for party in concerned {
                match call.parties.iter_mut().find(|known| known.device == party.device) {
                    Some(known) => *known = party.clone(),
                    None => call.parties.push(party.clone()),
                }
            }
        }
    }
}

/// The cause of a hang-up, after ITU-T Q.850: somebody else has answered.
const ANSWERED_ELSEWHERE: u64 = 26;
