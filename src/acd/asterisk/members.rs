//! Who is a member of which queue: from Asterisk's answers at once, from its events when they come.
//!
//! An answer tells what was done before the event that tells the same: events go through another thread there and may be
//! seconds late. So each answer leaves an echo to be expected, and until it has come, events of that membership are of the
//! past. Without that, a login's event that comes after the logout's answer would log a ghost in.
//! Not here: what a membership means for an agent (`world`).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::ami::Message;
use super::names::Interface;
use crate::model::{AgentId, Instrument, QueueId, Supervision};

/// One interface in one queue.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    pub(super) queue: QueueId,
    pub(super) interface: Interface,
}

/// A member of a queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Member {
    pub(super) agent: AgentId,
    /// The device that the interface stands for.
    pub(super) instrument: Instrument,
    /// The interface as Asterisk spells it.
    pub(super) spelled: Arc<str>,
    /// Why it is paused, if it is; the text may be empty.
    pub(super) paused: Option<String>,
    pub(super) device: Device,
    /// On a call of this very queue.
    pub(super) is_in_call: bool,
}

/// A device's state, as app_queue numbers them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Device(pub(super) u8);

impl Device {
    pub(super) const UNKNOWN: Device = Device(0);
    pub(super) const NOT_IN_USE: Device = Device(1);
    pub(super) const INVALID: Device = Device(4);
    pub(super) const UNAVAILABLE: Device = Device(5);

    /// Whether something goes on there: in use, busy, ringing, on hold.
    pub(super) fn is_busy(self) -> bool {
        matches!(self.0, 2 | 3 | 6 | 7 | 8)
    }

    /// Whether no call can reach it: no such device, or nobody registered there.
    pub(super) fn is_unreachable(self) -> bool {
        matches!(self, Device::INVALID | Device::UNAVAILABLE)
    }
}

/// What an action does, if Asterisk says that it is done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    /// Nothing that is kept here.
    Nothing,
    Added(Place, Member),
    Removed(Place),
    /// Paused with that text, or not paused; in one queue or in all in which the interface is.
    Paused {
        interface: Interface,
        queue: Option<QueueId>,
        text: Option<String>,
    },
    /// The list that comes is every member of every queue.
    AllMembers,
    /// The list that comes is where that interface is a member, spelled so.
    MembersAt(Interface, Arc<str>),
    /// The list that comes is every channel.
    Channels,
    /// A channel, by its Uniqueid, carries that.
    Variable {
        channel: String,
        name: String,
        value: String,
    },
    /// A supervisor's call, by its Linkedid, is of that kind.
    Supervision(String, Supervision),
}

/// What Asterisk answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Said {
    pub(super) is_done: bool,
    /// Its words, one line.
    pub(super) words: String,
    /// What was asked for, where that was a value.
    pub(super) value: Option<String>,
}

/// A place, whether or not there is a member now.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) member: Option<Member>,
    expected: VecDeque<(Echo, Instant)>,
    /// More echoes were due than are kept: until then every event is taken for one of them.
    blind_until: Option<Instant>,
}

/// What an event tells of a membership.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Echo {
    Added,
    Removed,
    Paused(Option<String>),
}

impl Slot {
    /// An answer was ahead of its event.
    pub(super) fn expect(&mut self, echo: Echo, now: Instant) {
        self.expected.push_back((echo, now));
        if self.expected.len() > EXPECTED_MAX {
            self.expected.clear();
            self.blind_until = Some(now + ECHO_MAX);
        }
    }

    /// Whether an event that tells this is news; if not, it is of the past. Of the echoes expected only pauses may be
    /// missing: a pause of all queues is told of those only in which the member still was.
    pub(super) fn is_news(&mut self, told: &Echo, now: Instant) -> bool {
        if self.is_blind(now) {
            return false;
        }
        self.forget_overdue(now);
        if self.expected.front().is_some_and(|(echo, _)| echo == told) {
            self.expected.pop_front();
            return self.expected.is_empty();
        }
        if matches!(told, Echo::Paused(_)) {
            return self.expected.is_empty();
        }
        match self.expected.iter().position(|(echo, _)| !matches!(echo, Echo::Paused(_))) {
            None => self.expected.clear(),
            Some(at) if self.expected[at].0 == *told => drop(self.expected.drain(..=at)),
            Some(_) => (),
        }
        self.expected.is_empty()
    }

    /// Whether the answers are ahead of the events.
    pub(super) fn is_ahead(&mut self, now: Instant) -> bool {
        self.forget_overdue(now);
        self.is_blind(now) || !self.expected.is_empty()
    }

    /// Nothing is lost with it.
    pub(super) fn is_idle(&self) -> bool {
        self.member.is_none() && self.expected.is_empty() && self.blind_until.is_none()
    }

    fn is_blind(&mut self, now: Instant) -> bool {
        self.blind_until.take_if(|until| *until <= now);
        self.blind_until.is_some()
    }

    fn forget_overdue(&mut self, now: Instant) {
        while self.expected.front().is_some_and(|(_, since)| now.duration_since(*since) > ECHO_MAX) {
            self.expected.pop_front();
        }
    }
}

/// What a message tells of a member's pause: none if it is not paused.
pub(super) fn pause_in(message: &Message) -> Option<String> {
    let is_paused = message.text_of("Paused") == Some("1");
    is_paused.then(|| message.text_of("PausedReason").unwrap_or_default().to_owned())
}

/// What it tells of the member's device.
pub(super) fn device_in(message: &Message) -> Device {
    message.number_of("Status").and_then(|status| u8::try_from(status).ok()).map_or(Device::UNKNOWN, Device)
}

/// An event that is later than this is not expected any more. Asterisk was seen seconds late after a mass login.
const ECHO_MAX: Duration = Duration::from_secs(60);
/// Asterisk was seen to be some hundred events of one member behind when commands came as fast as it answered them.
const EXPECTED_MAX: usize = 16_384;
