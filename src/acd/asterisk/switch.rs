//! Calls as the gateway tells of them, made from channels: parties, queue, data, and which step led from what was told to
//! what is.
//!
//! Does no IO. Not here: channels (`channels`), agents' states (`world`). Asterisk tells of channels and never of a call:
//! so a call is looked at anew whenever one of its channels has changed, and told step by step where it differs.
//! Must hold: what is told of a call ends with its end; a device is on one call once.

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
                let (call, gone) = self.channels.hung_up(message.text_of("Uniqueid")?)?;
                let is_taken_back = gone.is_dialed && gone.cause == Some(CallCause::Redirected);
                let left: Vec<_> = self.channels.of_call(&call).into_iter().map(|(_, channel)| channel).collect();
                let is_waiting = left.iter().any(|channel| channel.waits_in.is_some());
                let is_answered_elsewhere = message.number_of("Cause") == Some(ANSWERED_ELSEWHERE)
                    || left.iter().any(|channel| channel.has_answered && channel.waits_in.is_none());
                if is_taken_back && is_waiting && !is_answered_elsewhere {
                    // Nobody else has answered, and no time was up: the caller has hung up, as will be told next.
                    self.tracked(&call).is_abandoned = true;
                }
                return Some(Touched::one(&call));
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

    /// Who talks in one bridge is on one call: Asterisk gives most of them one Linkedid for it, but not a conference's.
    fn talk_together(&mut self, bridge: &str) -> Touched {
        let ids = self.channels.in_bridge(bridge).to_vec();
        self.are_one(&ids)
    }

    /// Those channels are on one call, the oldest that one of them is on.
    fn are_one(&mut self, ids: &[String]) -> Touched {
        let calls = ids.iter().filter_map(|id| Some(self.channels.get(id)?.call.clone()));
        let Some(oldest) = calls.min_by_key(|call| (age_of(call), call.clone())) else { return Touched::default() };
        ids.iter().fold(Touched::default(), |touched, id| touched.and(self.come(id, &oldest)))
    }

    /// Who was on a call only because of a bridge is on its own one again after that.
    fn go_home(&mut self, id: &str) -> Touched {
        let home = self.channels.own_call(id).map(str::to_owned);
        home.map(|home| self.come(id, &home)).unwrap_or_default()
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

    /// A channel comes to another call, and whom it is connected with comes along. Where nobody stays behind, two calls have
    /// become one.
    fn come(&mut self, id: &str, to: &str) -> Touched {
        let Some(from) = self.channels.get(id).map(|channel| channel.call.clone()) else { return Touched::default() };
        if from == to {
            return Touched::one(to);
        }
        let together = self.channels.together(id);
        let by = self.on_both(&from, to, &together);
        let all = self.channels.of_call(&from);
        let stays = |(id, channel): &(&String, &Channel)| {
            !together.contains(id) && !channel.is_gone && !channel.is_inner_half()
        };
        let is_parted = by.is_none() && all.iter().any(stays);
        let coming = if is_parted { together } else { all.into_iter().map(|(id, _)| id.clone()).collect() };
        for id in &coming {
            self.channels.move_to(id, to);
        }
        let touched = Touched { calls: vec![from.clone(), to.to_owned()], joined: Vec::new() };
        if !is_parted {
            return touched.and(self.join(&from, to, id, by));
        }
        if let Some(other) = self.calls.get_mut(&from) {
            let devices: Vec<_> = coming.iter().filter_map(|id| other.devices.remove_entry(id)).collect();
            self.tracked(to).devices.extend(devices);
        }
        touched
    }

    /// The device of ours that is on both calls, where it is others than itself that come from one to the other.
    fn on_both(&self, from: &str, to: &str, coming: &[String]) -> Option<Instrument> {
        let (other, call) = (self.calls.get(from)?, self.calls.get(to)?);
        let (other_told, told) = (other.told.as_ref()?, call.told.as_ref()?);
        let is_ours = |party: &&Party| matches!(party.kind, PartyKind::Agent(_) | PartyKind::Device);
        let by = told.parties.iter().filter(is_ours).find(|party| other_told.party(&party.device).is_some())?;
        let by = by.device.clone();
        let is_others = coming.iter().any(|id| other.devices.get(id).is_some_and(|device| *device != by));
        (is_others && other_told.parties.iter().any(|party| party.device != by)).then_some(by)
    }

    /// Two calls became one, as that channel came. Where a device was on both, it did that, and it is a transfer unless it
    /// talks on with them.
    fn join(&mut self, was: &str, now: &str, came: &str, by: Option<Instrument>) -> Touched {
        let mut touched = Touched::default();
        let Some(mut other) = self.forget(was) else { return touched };
        let bridge = self.channels.get(came).and_then(|channel| channel.bridge.as_ref());
        let talks: Vec<String> = bridge.map(|bridge| self.channels.in_bridge(bridge).to_vec()).unwrap_or_default();
        let call = self.tracked(now);
        call.queue = call.queue.or(other.queue);
        call.devices.extend(other.devices);
        call.absorbed.append(&mut other.absorbed);
        let (Some(told), Some(by)) = (&call.told, by) else {
            // It goes on as the larger of the two.
            let size = |told: &Option<Arc<Call>>| told.as_ref().map_or(0, |told| told.parties.len());
            if size(&other.told) > size(&call.told) {
                std::mem::swap(&mut call.id, &mut other.id);
                std::mem::swap(&mut call.told, &mut other.told);
                std::mem::swap(&mut call.plain_kind, &mut other.plain_kind);
                let id = call.id;
                self.linked_of.remove(&other.id);
                self.linked_of.insert(id, now.to_owned());
            }
            let absorbed = other.told.map(|told| Absorbed { told, by: None });
            self.tracked(now).absorbed.extend(absorbed);
            return touched;
        };
        let Some(other) = other.told else { return touched };
        let legs: Vec<String> =
            call.devices.iter().filter(|(_, device)| **device == by).map(|(id, _)| id.clone()).collect();
        let (stays, leaves): (Vec<_>, Vec<_>) = legs.into_iter().partition(|id| talks.contains(id));
        if stays.is_empty() {
            let joined = transferred(told, &other, &by);
            (call.is_transferred, call.told) = (true, Some(Arc::clone(&joined.call)));
            touched.joined.push((now.to_owned(), joined));
        } else {
            call.absorbed.push(Absorbed { told: other, by: Some(by) });
        }
        for id in leaves {
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.is_gone = true;
            }
        }
        touched
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
        // Whom the half of a `Local` channel without a device stands for is seen once it rings there.
        _ if channel.is_dialed && (channel.device.is_some() || channel.half().is_none()) => Some(PartyState::Alerting),
        _ => None,
    }
}

/// What the other parties know a channel by: its device, or of somebody outside the number, or, where that is not known, is
/// taken, or is a device's name, its own id.
fn device_of(id: &str, channel: &Channel, parties: &[Party], is_device: IsDevice<'_>) -> Instrument {
    let is_free = |name: &Instrument| !is_device(name) && parties.iter().all(|party| party.device != *name);
    let by_number = || channel.number.as_deref().and_then(|number| Instrument::new(number).ok()).filter(is_free);
    let by_id = || Instrument::new(id).ok();
    channel.device.clone().or_else(by_number).or_else(by_id).unwrap_or_else(nowhere)
}

fn nowhere() -> Instrument {
    Instrument::new("unknown").unwrap_or_else(|_| unreachable!("a word is an instrument's name"))
}

fn kind_of(call: &Tracked, parties: &[Party]) -> CallKind {
    let is_on = |party: &&Party| matches!(party.state, PartyState::Connected | PartyState::Held);
    let is_outside = |party: &Party| party.kind == PartyKind::Outside;
    if let Some(how) = call.supervision {
        return CallKind::Supervision(how);
    }
    let was = call.plain_kind;
    if parties.iter().filter(is_on).count() > 2 {
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
    let (mut answered, mut joined) = (Vec::new(), Vec::new());
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
            (None, PartyState::Connected) => {
                joined.push(device);
                continue;
            }
            _ => continue,
        });
    }
    // Whoever comes to others is told of to them, and as what comes nearest.
    if call.told.is_some() && came.is_empty() && answered.is_empty() && next.kind != CallKind::Conference {
        answered.extend(joined.first().cloned());
    }
    let has_answer = came.iter().any(|step| matches!(step, CallStep::Established(_)));
    if let Some(device) = answered.first().filter(|_| !has_answer) {
        came.push(CallStep::Established(device.clone()));
    }
    if let (CallKind::Conference, Some(told)) = (next.kind, &call.told) {
        let is_first = told.kind != CallKind::Conference;
        let all: Vec<&Instrument> = joined.iter().chain(&answered).collect();
        let added = if is_first { &all[all.len().saturating_sub(1)..] } else { &all[..] };
        for added in added {
            let others = || next.parties.iter().filter(|party| party.device != **added);
            let by = others().find(|party| party.kind != PartyKind::Outside).or_else(|| others().next());
            let by = by.map_or_else(|| (*added).clone(), |party| party.device.clone());
            let joined = Joined { primary: call.id, secondary: None, by, added: (*added).clone() };
            came.push(CallStep::Conferenced(joined));
        }
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

/// A call goes on with the other's parties, but for who has joined the two: Asterisk's bridges take it out of both.
fn transferred(told: &Call, other: &Call, by: &Instrument) -> CallReport {
    let moved: Vec<&Party> = other.parties.iter().filter(|party| party.device != *by).collect();
    let added = moved.first().map_or_else(|| by.clone(), |party| party.device.clone());
    let mut call = Call { kind: CallKind::TransferredIn, ..told.clone() };
    call.parties.retain(|party| party.device != *by);
    call.parties.extend(moved.into_iter().filter(|party| told.party(&party.device).is_none()).cloned());
    let joined = Joined { primary: told.id, secondary: Some(other.id), by: by.clone(), added };
    CallReport { call: Arc::new(call), step: CallStep::Transferred(joined) }
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
/// The kind of bridge in which nobody talks: for those who are parked, and the like.
const ONLY_WAITING: &str = "holding_bridge";
/// Applications whose bridges are such.
const WAIT_IN_BRIDGES: &[&str] = &["AgentLogin", "BridgeWait", "Park"];
/// Applications by which a call is on its way: whoever is in another one is served by it.
const DIAL: &[&str] = &["", "AppDial", "AppDial2", "AppQueue", "Dial", "Queue"];
