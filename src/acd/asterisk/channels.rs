//! Asterisk's channels, as its events tell of them: who is where, and on which call.
//!
//! Does no IO. Not here: what a call is to the gateway (`switch`), who talks with whom (`bridges`). A call is the channels
//! with one `Linkedid`, the oldest channel's own id: a channel that shows an older one later belongs to that call. It never
//! goes back to a younger one, although events may come that were made before. Must hold: a channel is here until it has
//! hung up, and not again after that: Asterisk tells of some things when the channel that they happened to is gone.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::ami::{Message, unescape_value};
use super::calls::{age_of, known_number};
use super::names::Names;
use crate::model::{CallCause, Instrument, QueueId};

/// Every channel, by its Uniqueid, and the calls that they make, by their Linkedid.
#[derive(Debug, Default)]
pub(super) struct Channels {
    pub(super) by_id: HashMap<String, Channel>,
    pub(super) calls: HashMap<String, Vec<String>>,
    /// Who talks in which bridge.
    pub(super) bridges: HashMap<String, Vec<String>>,
    /// The devices that have had a channel.
    devices: HashSet<Instrument>,
    /// Those that hung up last, the latest at the end: a list that was made before would bring them back.
    hung_up: VecDeque<String>,
    count: u64,
}

/// One channel.
#[derive(Clone, Debug, Default)]
pub(super) struct Channel {
    /// Its name, which commands need.
    pub(super) name: String,
    /// The call that it is on, by the oldest Linkedid there.
    pub(super) call: String,
    /// The oldest Linkedid that it has shown itself.
    pub(super) linked: String,
    /// The bridge in which it talks.
    pub(super) bridge: Option<String>,
    /// One in which it only waits.
    pub(super) waits_in_bridge: Option<String>,
    pub(super) state: ChannelState,
    /// The device behind it, where the interface's template makes such channels.
    pub(super) device: Option<Instrument>,
    /// The number of who is behind it.
    pub(super) number: Option<String>,
    /// What it dialled, or was dialled as.
    pub(super) dialed: Option<String>,
    pub(super) is_held: bool,
    /// Somebody dials it, and it has not answered.
    pub(super) is_dialed: bool,
    /// It was dialled, and has.
    pub(super) has_answered: bool,
    /// The gateway had it made: until it is through to somebody it is dialling, although its own end has answered.
    pub(super) is_made: bool,
    /// It has reached somebody, or a queue.
    pub(super) is_through: bool,
    /// It was transferred away, and hangs up.
    pub(super) is_gone: bool,
    /// The gateway has asked for the transfer by which it loses whom it talks with.
    pub(super) joining: Option<Arc<Joining>>,
    /// Why it leaves, where that was told.
    pub(super) cause: Option<CallCause>,
    /// The queue that it waits in, and how many do.
    pub(super) waits_in: Option<(QueueId, u16)>,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) dialed_by: Option<String>,
    /// The second half of a `Local` channel that has dialled it.
    pub(super) behind: Option<String>,
    /// It was reached through a `Local` channel at a device, or is the half through which one was: while that hangs up, piece
    /// by piece, it stands for nobody of its own.
    pub(super) is_used: bool,
    count: u64,
}

/// A transfer of two calls that one device is on: its channels on them, and with whom each of these talks.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Joining {
    pub(super) legs: [String; 2],
    pub(super) ends: [String; 2],
}

/// `ChannelState`, as Asterisk numbers them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(super) struct ChannelState(pub(super) u8);

impl ChannelState {
    /// Dials.
    pub(super) const RING: ChannelState = ChannelState(4);
    /// Rings.
    pub(super) const RINGING: ChannelState = ChannelState(5);
    /// Has answered, or was answered.
    pub(super) const UP: ChannelState = ChannelState(6);
}

impl Channel {
    /// The second half of a `Local` channel is the inside of what its first half stands for.
    pub(super) fn is_inner_half(&self) -> bool {
        self.name.ends_with(";2")
    }

    /// What both halves of a `Local` channel are named.
    pub(super) fn half(&self) -> Option<&str> {
        self.name.strip_suffix(";1").or_else(|| self.name.strip_suffix(";2"))
    }
}

impl Channels {
    /// The channels of a call, the oldest first.
    pub(super) fn of_call(&self, linked: &str) -> Vec<(&String, &Channel)> {
        let ids = self.calls.get(linked).into_iter().flatten();
        let mut channels: Vec<_> = ids.filter_map(|id| self.by_id.get_key_value(id)).collect();
        channels.sort_unstable_by_key(|(_, channel)| channel.count);
        channels
    }

    /// The Linkedids of all calls.
    pub(super) fn calls(&self) -> Vec<String> {
        self.calls.keys().cloned().collect()
    }

    pub(super) fn clear(&mut self) {
        let devices = std::mem::take(&mut self.devices);
        *self = Channels { count: self.count, devices, ..Channels::default() };
    }

    /// Whether that is the name of a device that has had a channel.
    pub(super) fn has_seen(&self, device: &Instrument) -> bool {
        self.devices.contains(device)
    }

    /// A channel is there, of which may be that nothing was known. As [`note`](Channels::note).
    pub(super) fn begin(&mut self, names: &Names, message: &Message) -> Option<(String, String)> {
        let id = message.text_of("Uniqueid")?;
        let is_known = self.by_id.contains_key(id);
        if !is_known && (self.by_id.len() >= CHANNELS_MAX || self.hung_up.iter().any(|gone| gone == id)) {
            return None;
        }
        if !is_known {
            self.count += 1;
            let linked = message.text_of("Linkedid")?.to_owned();
            let is_made = id.starts_with(MADE_HERE);
            let (call, count) = (linked.clone(), self.count);
            let channel = Channel { call, linked: linked.clone(), is_made, count, ..Channel::default() };
            self.by_id.insert(id.to_owned(), channel);
            self.calls.entry(linked).or_default().push(id.to_owned());
        }
        self.note(names, message, "")
    }

    /// Takes in what an event tells of the channel whose headers begin with that prefix: nothing for the one that it
    /// happened to, `Dest` for the one that was dialled. Gives its id, and the call that it belongs to.
    pub(super) fn note(&mut self, names: &Names, message: &Message, prefix: &str) -> Option<(String, String)> {
        let text = |key: &str| message.text_of(&format!("{prefix}{key}"));
        let (id, linked) = (text("Uniqueid")?.to_owned(), text("Linkedid")?.to_owned());
        let channel = self.by_id.get_mut(&id)?;
        if let Some(name) = text("Channel").filter(|name| *name != channel.name) {
            name.clone_into(&mut channel.name);
            channel.device = names.device_of_channel(name);
            if let Some(device) = channel.device.as_ref().filter(|_| self.devices.len() < DEVICES_MAX) {
                self.devices.insert(device.clone());
            }
        }
        // A list may have been ahead of the events: who has answered does not ring again.
        if let Some(state) = text("ChannelState").and_then(|state| state.parse().ok())
            && channel.state != ChannelState::UP
        {
            channel.state = ChannelState(state);
        }
        if let Some(number) = text("CallerIDNum").and_then(known_number) {
            channel.number = Some(number);
        }
        // The dialplan's own extensions, `s` and the like, are no numbers.
        if let Some(exten) = text("Exten").filter(|exten| exten.len() > 1) {
            channel.dialed = Some(exten.to_owned());
        }
        for (key, value) in message.headers() {
            let is_variable = key.strip_suffix(b"ChanVariable").is_some_and(|before| before == prefix.as_bytes());
            if let (true, Ok(value)) = (is_variable, std::str::from_utf8(value))
                && let Some((name, value)) = value.split_once('=')
                && names.is_variable(name)
            {
                channel.variables.insert(name.to_owned(), unescape_value(value));
            }
        }
        if age_of(&linked) < age_of(&channel.linked) {
            channel.linked = linked;
        }
        let is_older = age_of(&channel.linked) < age_of(&channel.call);
        let call = if is_older { &channel.linked } else { &channel.call };
        Some((id, call.clone()))
    }

    /// The channel comes to another call.
    pub(super) fn move_to(&mut self, id: &str, call: &str) {
        let Some(channel) = self.by_id.get_mut(id) else { return };
        let was = std::mem::replace(&mut channel.call, call.to_owned());
        self.calls.entry(call.to_owned()).or_default().push(id.to_owned());
        self.take_from(&was, id);
    }

    fn take_from(&mut self, call: &str, id: &str) {
        if let Some(ids) = self.calls.get_mut(call) {
            ids.retain(|other| other != id);
            if ids.is_empty() {
                self.calls.remove(call);
            }
        }
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Channel> {
        self.by_id.get_mut(id)
    }

    pub(super) fn get(&self, id: &str) -> Option<&Channel> {
        self.by_id.get(id)
    }

    /// The channel carries that. Gives its call.
    pub(super) fn set_variable(&mut self, id: &str, name: &str, value: &str) -> Option<String> {
        let channel = self.by_id.get_mut(id)?;
        channel.variables.insert(name.to_owned(), value.to_owned());
        Some(channel.call.clone())
    }

    /// One channel dials another.
    pub(super) fn dials(&mut self, from: Option<&str>, to: &str) {
        let is_inner_half = from.and_then(|from| self.by_id.get(from)).is_some_and(Channel::is_inner_half);
        if let Some(channel) = self.by_id.get_mut(to) {
            channel.behind = from.filter(|_| is_inner_half).map(str::to_owned);
            (channel.is_dialed, channel.cause) = (true, None);
            channel.dialed_by = from.map(str::to_owned);
        }
    }

    /// The channel that was dialled has answered: who dialled is through.
    pub(super) fn answered(&mut self, id: &str) {
        let Some(channel) = self.by_id.get_mut(id) else { return };
        channel.has_answered |= std::mem::take(&mut channel.is_dialed);
        if let Some(by) = channel.dialed_by.take() {
            channel.is_through = true;
            self.by_id.entry(by).and_modify(|channel| channel.is_through = true);
        }
    }

    /// The channel is gone. Gives the call that it was on, and what was known of the channel.
    pub(super) fn hung_up(&mut self, id: &str) -> Option<(String, Channel)> {
        if self.hung_up.len() >= HUNG_UP_MAX {
            self.hung_up.pop_front();
        }
        self.hung_up.push_back(id.to_owned());
        self.leave(id);
        let channel = self.by_id.remove(id)?;
        self.take_from(&channel.call, id);
        Some((channel.call.clone(), channel))
    }

    /// Of a list of all channels: those that are not in it are gone. Gives the calls that they were on.
    pub(super) fn keep(&mut self, listed: &HashSet<String>) -> Vec<String> {
        let gone: Vec<String> = self.by_id.keys().filter(|id| !listed.contains(*id)).cloned().collect();
        gone.iter().filter_map(|id| Some(self.hung_up(id)?.0)).collect()
    }
}

/// What the ids of channels begin with that the gateway has made.
pub(super) const MADE_HERE: &str = "ctigate-";
/// More channels than this are not followed: a thousand times what an Asterisk of one machine carries.
const CHANNELS_MAX: usize = 1_000_000;
/// As many may hang up while a list is on its way.
const HUNG_UP_MAX: usize = 256;
/// More devices than this are not remembered.
const DEVICES_MAX: usize = 100_000;
