//! Calls as the gateway tells of them, made from channels: parties, queue, data, and which step led from what was told to
//! what is.
//!
//! Does no IO. Not here: channels (`channels`), agents' states (`world`). Asterisk tells of channels and never of a call:
//! so a call is looked at anew whenever one of its channels has changed, and told step by step where it differs.
//! Must hold: what is told of a call ends with its end; a device is on one call once.

mod joins;
mod steps;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::ami::{Message, unescape_value};
use super::calls::{age_of, key_of};
use super::channels::{Channel, ChannelState, Channels};
use super::locals::Insides;
use super::names::Names;
use crate::model::{
    AgentId, Call, CallCause, CallData, CallId, CallKind, CallReport, CallStep, Instrument, Joined, Party, PartyKind,
    PartyState, QueueId, Supervision,
};
use steps::{apply, device_of, kind_of, nowhere, state_of, steps};

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
    /// A supervisor is on it, who takes part in another call by ChanSpy.
    pub(super) supervision: Option<Supervision>,
    /// The device of each channel that is a party, by its Uniqueid: a party keeps it, whatever its number becomes.
    devices: HashMap<String, Instrument>,
    told: Option<Arc<Call>>,
    /// The kind that it was told of as, conferences left out: it is that again when two are left.
    plain_kind: Option<CallKind>,
    /// Calls that have become part of this one, which is still to be told.
    absorbed: Vec<Absorbed>,
}

/// A call that goes on as another one.
#[derive(Debug)]
struct Absorbed {
    told: Arc<Call>,
    /// The device that was on both, and is on what they have become.
    by: Option<Instrument>,
}

/// What an event did to calls.
#[derive(Default, Debug)]
pub(super) struct Touched {
    /// The calls that may have changed, by their Linkedids.
    calls: Vec<String>,
    /// What is to be told of them before.
    joined: Vec<(String, CallReport)>,
}

impl Touched {
    pub(super) fn one(call: &str) -> Touched {
        Touched { calls: vec![call.to_owned()], joined: Vec::new() }
    }

    /// Both.
    pub(super) fn and(mut self, other: Touched) -> Touched {
        self.calls.extend(other.calls.into_iter().filter(|call| !self.calls.contains(call)).collect::<Vec<_>>());
        self.joined.extend(other.joined);
        self
    }

    pub(super) fn calls(&self) -> &[String] {
        &self.calls
    }
}

/// A call that the gateway has made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// What is to be dialled once its own end has answered.
    pub(super) to: Instrument,
    pub(super) purpose: Purpose,
    /// Asterisk has said that nothing comes of it.
    pub(super) has_failed: bool,
}

/// What the gateway makes a call for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    Talk,
    /// To ask somebody about another call.
    Consult,
    /// To take part in somebody's call.
    Supervise(Supervision),
}

/// Who works at a device.
pub(super) type AgentAt<'a> = &'a dyn Fn(&Instrument) -> Option<AgentId>;
/// Whether that is the name of a device.
pub(super) type IsDevice<'a> = &'a dyn Fn(&Instrument) -> bool;

impl Switch {
    /// Takes an event in; gives the calls that may have changed.
    pub(super) fn take(&mut self, names: &Names, event: &[u8], message: &Message) -> Option<Touched> {
        match event {
            b"Hangup" => {
                let id = message.text_of("Uniqueid")?;
                let joined = self.joined_without(id);
                let (call, gone) = self.channels.hung_up(id)?;
                let is_taken_back = gone.is_dialed && gone.cause == Some(CallCause::Redirected);
                let left: Vec<_> = self.channels.of_call(&call).into_iter().map(|(_, channel)| channel).collect();
                let is_waiting = left.iter().any(|channel| channel.waits_in.is_some());
                let is_answered_elsewhere = message.number_of("Cause") == Some(ANSWERED_ELSEWHERE)
                    || left.iter().any(|channel| channel.has_answered && channel.waits_in.is_none());
                if is_taken_back && is_waiting && !is_answered_elsewhere {
                    // Nobody else has answered, and no time was up: the caller has hung up, as will be told next.
                    self.tracked(&call).is_abandoned = true;
                }
                return Some(joined.and(Touched::one(&call)));
            }
            b"AgentRingNoAnswer" => {
                let (dest, touched) = self.note(names, message, "Dest")?;
                self.channels.get_mut(&dest)?.cause = Some(CallCause::NotAnswered);
                return Some(touched);
            }
            b"DialBegin" | b"DialEnd" | b"AgentCalled" => return self.dialled(names, event, message),
            b"BlindTransfer" => {
                let (transferer, touched) = self.note(names, message, "Transferer")?;
                if message.text_of("Result") == Some("Success") {
                    self.is_transferred_by(&[transferer]);
                }
                return Some(touched);
            }
            b"ChanSpyStart" => {
                let (spyer, touched) = self.note(names, message, "Spyer")?;
                let channel = self.channels.get_mut(&spyer)?;
                channel.is_through = true;
                let call = channel.call.clone();
                let watched = message.text_of("SpyeeChannel").and_then(|name| names.device_of_channel(name));
                self.supervises(&call, watched);
                return Some(touched);
            }
            b"AttendedTransfer" => return self.asked_first(names, message),
            _ => (),
        }
        let (id, mut touched) = match event {
            b"Newchannel" => {
                let (id, call) = self.channels.begin(names, message)?;
                let touched = self.come(&id, &call);
                (id, touched)
            }
            _ => self.note(names, message, "")?,
        };
        let channel = self.channels.get_mut(&id)?;
        match event {
            b"Newstate" if channel.state == ChannelState::UP => self.channels.answered(&id),
            b"Hold" => channel.is_held = true,
            b"Unhold" => channel.is_held = false,
            b"BridgeEnter" => {
                (channel.is_through, channel.is_dialed) = (true, false);
                (channel.is_gone, channel.is_used) = (false, false); // whatever it was before
                if let Some(bridge) = message.text_of("BridgeUniqueid") {
                    let is_for_talking = message.text_of("BridgeTechnology") != Some(ONLY_WAITING);
                    self.channels.enter(&id, bridge, is_for_talking, message.text_of("SwapUniqueid"));
                    touched = touched.and(self.go_home(&id)).and(self.talk_together(bridge));
                }
                self.is_not_abandoned(&id);
            }
            b"BridgeLeave" => self.channels.leave(&id),
            b"AgentConnect" => self.is_not_abandoned(&id),
            b"QueueCallerJoin" => {
                if let Some(queue) = message.text_of("Queue").and_then(|queue| names.queue_number(queue)) {
                    let waiting = message.number_of("Count").and_then(|count| u16::try_from(count).ok());
                    channel.waits_in = Some((queue, waiting.unwrap_or(1)));
                    channel.is_through = true;
                    touched = touched.and(self.go_home(&id));
                    let call = self.channels.get(&id).map(|channel| channel.call.clone()).unwrap_or_default();
                    self.tracked(&call).queue = Some(queue);
                }
            }
            b"QueueCallerLeave" => channel.waits_in = None,
            b"QueueCallerAbandon" => {
                channel.cause = Some(CallCause::Abandoned);
                let call = channel.call.clone();
                self.tracked(&call).is_abandoned = true;
            }
            b"VarSet" => {
                let (name, value) = (message.text_of("Variable"), message.text_of("Value").unwrap_or_default());
                if let Some(name) = name.filter(|name| names.is_variable(name)) {
                    channel.variables.insert(name.to_owned(), unescape_value(value));
                }
            }
            _ => (),
        }
        Some(touched)
    }

    fn note(&mut self, names: &Names, message: &Message, prefix: &str) -> Option<(String, Touched)> {
        let (id, call) = self.channels.note(names, message, prefix)?;
        let touched = self.come(&id, &call);
        Some((id, touched))
    }

    fn dialled(&mut self, names: &Names, event: &[u8], message: &Message) -> Option<Touched> {
        let (from, by) = self.note(names, message, "").unzip();
        let home = from.as_ref().map(|from| self.go_home(from)).unwrap_or_default();
        let touched = by.unwrap_or_default().and(home);
        let Some((dest, of_dest)) = self.note(names, message, "Dest") else { return Some(touched) };
        let touched = touched.and(of_dest);
        match (event, message.text_of("DialStatus")) {
            (b"DialEnd", Some("ANSWER")) => {
                self.channels.answered(&dest);
                self.is_not_abandoned(&dest);
            }
            (b"DialEnd", status) => {
                if let Some(channel) = self.channels.get_mut(&dest).filter(|dest| dest.cause.is_none()) {
                    channel.cause = Some(match status {
                        Some("BUSY" | "CONGESTION" | "CHANUNAVAIL") => CallCause::Busy,
                        Some("CANCEL") => CallCause::Redirected,
                        _ => CallCause::NotAnswered,
                    });
                }
            }
            _ => self.channels.dials(from.as_deref(), &dest),
        }
        Some(touched)
    }

    /// A phone has brought two calls of its own together. Of the target Asterisk may have told nothing else.
    fn asked_first(&mut self, names: &Names, message: &Message) -> Option<Touched> {
        let is_done = message.text_of("Result") == Some("Success") && message.text_of("DestType") != Some("Threeway");
        for by in ["OrigTransfererUniqueid", "SecondTransfererUniqueid"] {
            if let (true, Some(id)) = (is_done, message.text_of(by)) {
                self.channels.leave(id);
            }
        }
        let mut touched = Touched::default();
        let mut noted = |switch: &mut Switch, prefix: &str| {
            let (id, of_it) = switch.note(names, message, prefix)?;
            touched = std::mem::take(&mut touched).and(of_it);
            Some(id)
        };
        let ends: Vec<String> =
            ["TransferTarget", "Transferee"].iter().filter_map(|prefix| noted(self, prefix)).collect();
        let by: Vec<String> =
            ["OrigTransferer", "SecondTransferer"].iter().filter_map(|prefix| noted(self, prefix)).collect();
        if is_done {
            touched = touched.and(self.are_one(&ends));
            self.is_transferred_by(&by);
        }
        Some(touched)
    }

    /// Those channels have transferred their call, and hang up.
    fn is_transferred_by(&mut self, channels: &[String]) {
        for id in channels {
            let Some(channel) = self.channels.get_mut(id) else { continue };
            channel.is_gone = true;
            let call = channel.call.clone();
            self.tracked(&call).is_transferred = true;
        }
    }

    /// Somebody has answered, whatever it looked like.
    fn is_not_abandoned(&mut self, id: &str) {
        if let Some(call) = self.channels.get(id).and_then(|channel| self.calls.get_mut(&channel.call)) {
            call.is_abandoned = false;
        }
    }

    /// A channel carries that.
    pub(super) fn set_variable(&mut self, channel: &str, name: &str, value: &str) -> Option<Touched> {
        let linked = self.channels.set_variable(channel, name, value)?;
        Some(Touched::one(&linked))
    }

    /// A supervisor's call is of another kind from now on.
    pub(super) fn set_supervision(&mut self, linked: &str, how: Supervision) -> Option<Touched> {
        self.calls.get_mut(linked)?.supervision = Some(how);
        Some(Touched::one(linked))
    }

    /// The call by which a device takes part in somebody's: its Linkedid, whose device that is, and how the call was told.
    pub(super) fn supervision_by(&self, device: &Instrument) -> Option<(&str, Option<&str>, &Arc<Call>)> {
        let is_by = |told: &Arc<Call>| told.party(device).is_some();
        self.calls.iter().filter(|(_, call)| call.supervision.is_some()).find_map(|(linked, call)| {
            Some((linked.as_str(), call.dialed.as_deref(), call.told.as_ref().filter(|told| is_by(told))?))
        })
    }

    /// A call is one that somebody listens with, if that was not known: then silently, as far as can be told.
    fn supervises(&mut self, linked: &str, watched: Option<Instrument>) {
        let call = self.tracked(linked);
        call.supervision.get_or_insert(Supervision::Listen);
        call.dialed = call.dialed.take().or(watched.map(|device| device.to_string()));
    }

    /// A list tells of every channel that there is.
    pub(super) fn set_channels(&mut self, names: &Names, items: &[Message]) -> Touched {
        let (mut listed, mut touched) = (HashSet::new(), Touched::default());
        let mut items: Vec<&Message> = items.iter().collect();
        items.sort_by_cached_key(|item| item.text_of("Uniqueid").map(age_of)); // the list has no order
        for item in items {
            let Some((id, call)) = self.channels.begin(names, item) else { continue };
            touched = touched.and(self.come(&id, &call));
            let (application, bridge) = (item.text_of("Application"), item.text_of("BridgeId"));
            match bridge {
                Some(bridge) => {
                    let is_for_talking = application.is_none_or(|it| !WAIT_IN_BRIDGES.contains(&it));
                    self.channels.is_listed_in(&id, bridge, is_for_talking);
                }
                None => self.channels.leave(&id),
            }
            let queue = (application == Some("Queue"))
                .then(|| names.queue_number(item.text_of("ApplicationData")?.split(',').next()?))
                .flatten();
            let waits_in = queue.filter(|_| bridge.is_none());
            if let Some(channel) = self.channels.get_mut(&id) {
                let is_served = channel.state == ChannelState::UP && application.is_some_and(|it| !DIAL.contains(&it));
                channel.is_through |= bridge.is_some() || waits_in.is_some() || (channel.is_made && is_served);
                channel.waits_in = waits_in.map(|queue| (queue, channel.waits_in.map_or(1, |(_, waiting)| waiting)));
            }
            if let Some(queue) = queue {
                self.tracked(&call).queue.get_or_insert(queue);
            }
            if item.text_of("Application") == Some("ChanSpy") {
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.is_through = true;
                }
                let watched = item.text_of("ApplicationData").and_then(|data| data.split(',').next());
                let watched = watched.and_then(|name| names.device_of_channel(name));
                self.supervises(&call, watched);
            }
            listed.insert(id);
        }
        for id in &listed {
            touched = touched.and(self.go_home(id));
            if let Some(bridge) = self.channels.get(id).and_then(|channel| channel.bridge.clone()) {
                touched = touched.and(self.talk_together(&bridge));
            }
        }
        // Every call is looked at: also those that have lost their last channel without a word.
        touched.calls.extend(self.channels.keep(&listed));
        touched.calls.extend(self.channels.calls());
        touched.calls.extend(self.calls.keys().cloned());
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
        is_device: IsDevice<'_>,
    ) -> Vec<CallReport> {
        let mut reports = Vec::new();
        for (linked, CallReport { call, step }) in touched.joined {
            *order += 1;
            let now = Arc::new(Call { order: *order, ..(*call).clone() });
            let told = self.calls.get_mut(&linked).and_then(|known| known.told.as_mut());
            if let Some(told) = told.filter(|told| Arc::ptr_eq(told, &call)) {
                *told = Arc::clone(&now);
            }
            reports.push(CallReport { call: now, step });
        }
        for linked in &touched.calls {
            if let Some(made) = being_made.get(linked) {
                let call = self.tracked(linked);
                (call.is_consult, call.dialed) = (made.purpose == Purpose::Consult, Some(made.to.to_string()));
                if let Purpose::Supervise(how) = made.purpose {
                    call.supervision.get_or_insert(how);
                }
            }
            reports.extend(self.changes(names, linked, order, agent_at, is_device));
        }
        reports
    }

    /// The calls on which somebody from outside is known by that name.
    pub(super) fn with_outsider(&self, name: &Instrument) -> Touched {
        let is_it = |party: &Party| party.kind == PartyKind::Outside && party.device == *name;
        let told = self.calls.iter().filter_map(|(linked, call)| Some((linked, call.told.as_ref()?)));
        let calls = told.filter(|(_, told)| told.parties.iter().any(is_it)).map(|(linked, _)| linked.clone());
        Touched { calls: calls.collect(), joined: Vec::new() }
    }

    /// Asterisk itself has answered what the gateway dialled, if nobody else has been dialled since.
    pub(super) fn is_served(&mut self, id: &str) -> Option<Touched> {
        if !self.channels.is_alone(id) {
            return None;
        }
        let channel = self.channels.get_mut(id)?;
        channel.is_through = true;
        Some(Touched::one(&channel.call))
    }

    /// Every call that was told of, as it is.
    pub(super) fn told(&self) -> Vec<Arc<Call>> {
        self.calls.values().filter_map(|call| call.told.clone()).collect()
    }

    /// How many calls are kept, told of or not.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.calls.len().max(self.linked_of.len())
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
                supervision: None,
                devices: HashMap::new(),
                told: None,
                plain_kind: None,
                absorbed: Vec::new(),
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

    fn changes(
        &mut self,
        names: &Names,
        linked: &str,
        order: &mut u64,
        agent_at: AgentAt<'_>,
        is_device: IsDevice<'_>,
    ) -> Vec<CallReport> {
        self.tracked(linked);
        let mut next = self.looked_at(names, linked, agent_at, is_device);
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
        let mut steps = steps(call, before, &next, &self.channels);
        let mut now = was.as_deref().cloned().unwrap_or_else(|| Call { parties: Vec::new(), ..next.clone() });
        let is_kind_new = now.kind != next.kind && matches!(next.kind, CallKind::Supervision(_));
        (now.kind, now.queue) = (next.kind, next.queue);
        now.ani = now.ani.or(next.ani.take());
        now.dialed_number = now.dialed_number.or(next.dialed_number.take());
        if next.kind != CallKind::Conference {
            call.plain_kind = Some(next.kind);
        }
        let is_data_new = now.data != next.data;
        now.data = Arc::clone(&next.data);
        let mut reports = Vec::new();
        let mut report = |reports: &mut Vec<CallReport>, now: &mut Call, step: CallStep| {
            *order += 1;
            now.order = *order;
            reports.push(CallReport { call: Arc::new(now.clone()), step });
        };
        let mut before_it = Vec::new();
        for Absorbed { told: other, by } in std::mem::take(&mut call.absorbed) {
            let is_it = |joined: &&mut Joined| joined.secondary.is_none() && other.party(&joined.added).is_some();
            let mut joins = steps.iter_mut().filter_map(|step| match step {
                CallStep::Conferenced(joined) => Some(joined),
                _ => None,
            });
            match joins.find(is_it) {
                Some(joined) => {
                    joined.secondary = Some(other.id);
                    joined.by = by.unwrap_or_else(|| joined.by.clone());
                }
                // Its parties come to this call as new ones.
                None => report(&mut before_it, &mut (*other).clone(), CallStep::Ended),
            }
        }
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
        } else if reports.is_empty() && (is_data_new || is_kind_new) {
            report(&mut reports, &mut now, CallStep::DataChanged);
        }
        if has_ended {
            self.forget(linked);
        } else if let Some(call) = self.calls.get_mut(linked) {
            let told = reports.last().map(|last| Arc::clone(&last.call));
            call.told = told.or(was);
        }
        before_it.append(&mut reports);
        before_it
    }

    /// The call as its channels have it.
    fn looked_at(&mut self, names: &Names, linked: &str, agent_at: AgentAt<'_>, is_device: IsDevice<'_>) -> Call {
        let channels: Vec<(String, Channel)> =
            self.channels.of_call(linked).into_iter().map(|(id, channel)| (id.clone(), channel.clone())).collect();
        let insides = Insides::of(&channels);
        for id in &insides.used {
            self.channels.get_mut(id).into_iter().for_each(|half| half.is_used = true);
        }
        // A caller chooses its number: it never goes for the device that has it.
        let is_device = |name: &Instrument| self.channels.has_seen(name) || is_device(name);
        let mut devices = self.calls.get_mut(linked).map(|call| std::mem::take(&mut call.devices)).unwrap_or_default();
        let mut parties: Vec<Party> = Vec::new();
        let mut data = CallData::default();
        for (id, channel) in &channels {
            names.put_variables(&channel.variables, &mut data);
            if channel.is_gone || insides.is_hidden(id) {
                continue;
            }
            let Some(state) = state_of(channel) else { continue };
            let state = if insides.is_held(id) { PartyState::Held } else { state };
            let kept =
                devices.get(id).filter(|name| channel.device.as_ref() == Some(name) || !is_device(name)).cloned();
            let device = kept.unwrap_or_else(|| device_of(id, channel, &parties, &is_device));
            devices.insert(id.clone(), device.clone());
            let kind = match &channel.device {
                Some(device) => agent_at(device).map_or(PartyKind::Device, PartyKind::Agent),
                None => PartyKind::Outside,
            };
            if parties.iter().all(|party| party.device != device) {
                parties.push(Party { device, kind, state });
            }
            let is_served = || {
                let others = channels.iter().filter(|(other, _)| other != id && !insides.is_hidden(other));
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
        devices.retain(|id, _| !insides.is_hidden(id) && channels.iter().any(|(known, _)| known == id));
        let call = self.tracked(linked);
        call.devices = devices;
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

/// The cause of a hang-up, after ITU-T Q.850: somebody else has answered.
const ANSWERED_ELSEWHERE: u64 = 26;
/// The kind of bridge in which nobody talks: for those who are parked, and the like.
const ONLY_WAITING: &str = "holding_bridge";
/// Applications whose bridges are such.
const WAIT_IN_BRIDGES: &[&str] = &["AgentLogin", "BridgeWait", "Park"];
/// Applications by which a call is on its way: whoever is in another one is served by it.
const DIAL: &[&str] = &["", "AppDial", "AppDial2", "AppQueue", "Dial", "Queue"];
