//! The calls at agents' devices, as far as an agent's state needs them: offered, connected, held, over.
//!
//! Not here: parties and call data. Must hold: a call is here only while its channel at the agent is.

use std::collections::HashMap;

use super::ami::Message;
use super::members::Place;

/// The calls that queues have brought to members.
#[derive(Debug, Default)]
pub(super) struct Calls {
    at: HashMap<Place, Vec<Call>>,
    by_channel: HashMap<String, Place>,
}

/// A call at a member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Call {
    /// The Uniqueid of its channel at the agent.
    pub(super) id: String,
    /// That channel's name, which a hang-up needs.
    pub(super) channel: String,
    pub(super) stage: Stage,
    /// As it was announced.
    pub(super) key: (u32, u32),
    pub(super) ani: Option<String>,
    pub(super) dialed_number: Option<String>,
}

/// How far a call is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Stage {
    Offered,
    Held,
    Connected,
}

impl Calls {
    /// The furthest that a call at that place is.
    pub(super) fn stage(&self, place: &Place) -> Option<Stage> {
        self.at.get(place)?.iter().map(|call| call.stage).max()
    }

    /// What rings there.
    pub(super) fn offered(&self, place: &Place) -> impl Iterator<Item = &Call> {
        self.at.get(place).into_iter().flatten().filter(|call| call.stage == Stage::Offered)
    }

    pub(super) fn put(&mut self, place: &Place, call: Call) {
        self.by_channel.insert(call.id.clone(), place.clone());
        let calls = self.at.entry(place.clone()).or_default();
        calls.retain(|earlier| earlier.id != call.id);
        calls.push(call);
    }

    /// Changes how far the call of that channel is.
    pub(super) fn advance(&mut self, id: &str, stage: Stage) -> Option<Place> {
        let place = self.by_channel.get(id)?.clone();
        let call = self.at.get_mut(&place)?.iter_mut().find(|call| call.id == id)?;
        call.stage = stage;
        Some(place)
    }

    /// Whether that channel is still there.
    pub(super) fn has(&self, id: &str) -> bool {
        self.by_channel.contains_key(id)
    }

    /// Whether the call of that channel has been answered.
    pub(super) fn is_answered(&self, id: &str) -> bool {
        let calls = self.by_channel.get(id).and_then(|place| self.at.get(place)).into_iter().flatten();
        calls.into_iter().any(|call| call.id == id && call.stage != Stage::Offered)
    }

    /// That channel is gone.
    pub(super) fn take(&mut self, id: &str) -> Option<(Place, Call)> {
        let place = self.by_channel.remove(id)?;
        let calls = self.at.get_mut(&place)?;
        let call = calls.iter().position(|call| call.id == id).map(|at| calls.swap_remove(at));
        if calls.is_empty() {
            self.at.remove(&place);
        }
        call.map(|call| (place, call))
    }

    /// What is at that place and as far as this is over.
    pub(super) fn take_at(&mut self, place: &Place, is_over: impl Fn(&Call) -> bool) -> Vec<Call> {
        let Some(calls) = self.at.get_mut(place) else { return Vec::new() };
        let (over, left): (Vec<_>, Vec<_>) = std::mem::take(calls).into_iter().partition(is_over);
        *calls = left;
        if calls.is_empty() {
            self.at.remove(place);
        }
        for call in &over {
            self.by_channel.remove(&call.id);
        }
        over
    }

    pub(super) fn clear(&mut self) {
        (self.at, self.by_channel) = Default::default();
    }
}

impl Call {
    /// The call that `AgentCalled` or `AgentConnect` tells of; `Dest…` is the channel at the agent.
    pub(super) fn in_message(message: &Message, stage: Stage) -> Option<Call> {
        let id = message.text_of("DestUniqueid")?;
        let number = |key: &str| message.text_of(key).and_then(known_number);
        Some(Call {
            id: id.to_owned(),
            channel: message.text_of("DestChannel")?.to_owned(),
            stage,
            key: key_of(message.text_of("DestLinkedid").or(message.text_of("Linkedid")).unwrap_or(id)),
            ani: number("CallerIDNum"),
            dialed_number: number("Exten"),
        })
    }
}

/// A number, where Asterisk knows it.
pub(super) fn known_number(text: &str) -> Option<String> {
    Some(text).filter(|text| !text.is_empty() && *text != "<unknown>").map(str::to_owned)
}

/// A call's key: the day of its arrival, counted from 1970, and a number on that day, from Asterisk's `epoch.counter`. Two
/// calls of one day have the same number only if 32,768 channels began in one second.
pub(super) fn key_of(linked_id: &str) -> (u32, u32) {
    let (epoch, counter) = age_of(linked_id);
    let number = (epoch % DAY_SECONDS) << 15 | counter & 0x7fff;
    (u32::try_from(epoch / DAY_SECONDS).unwrap_or_default(), u32::try_from(number).unwrap_or_default())
}

/// When a channel began, and which of that second it is, by its Uniqueid.
pub(super) fn age_of(id: &str) -> (u64, u64) {
    let (before, counter) = id.rsplit_once('.').unwrap_or((id, "0"));
    let epoch = before.rsplit('-').next().and_then(|epoch| epoch.parse().ok()).unwrap_or_default();
    (epoch, counter.parse().unwrap_or_default())
}

const DAY_SECONDS: u64 = 24 * 60 * 60;
