//! Who talks with whom: bridges, and what else holds channels together.
//!
//! Not here: what follows for calls (`switch`). A bridge in which channels only wait, as parked ones do, holds nobody
//! together. Must hold: a channel is in one bridge at most, and in the index of that one only.

use super::channels::{Channel, Channels};

impl Channels {
    /// A channel comes into a bridge, and perhaps takes another one's place there.
    pub(super) fn enter(&mut self, id: &str, bridge: &str, is_for_talking: bool, in_place_of: Option<&str>) {
        if let Some(other) = in_place_of {
            self.leave(other);
        }
        self.leave(id);
        let Some(channel) = self.by_id.get_mut(id) else { return };
        if is_for_talking {
            channel.bridge = Some(bridge.to_owned());
            self.bridges.entry(bridge.to_owned()).or_default().push(id.to_owned());
        } else {
            channel.waits_in_bridge = Some(bridge.to_owned());
        }
    }

    /// A list has it in that bridge, and does not say what the bridge is for: of a known one it is known.
    pub(super) fn is_listed_in(&mut self, id: &str, bridge: &str, is_for_talking: bool) {
        let Some(channel) = self.by_id.get(id) else { return };
        let is_known = channel.bridge.as_deref() == Some(bridge) || channel.waits_in_bridge.as_deref() == Some(bridge);
        if !is_known {
            self.enter(id, bridge, is_for_talking, None);
        }
    }

    /// It is in no bridge any more.
    pub(super) fn leave(&mut self, id: &str) {
        let Some(channel) = self.by_id.get_mut(id) else { return };
        channel.waits_in_bridge = None;
        if let Some(bridge) = channel.bridge.take()
            && let Some(ids) = self.bridges.get_mut(&bridge)
        {
            ids.retain(|other| other != id);
            if ids.is_empty() {
                self.bridges.remove(&bridge);
            }
        }
    }

    /// Who talks in a bridge.
    pub(super) fn in_bridge(&self, bridge: &str) -> &[String] {
        self.bridges.get(bridge).map_or(&[], Vec::as_slice)
    }

    /// A channel, and those of its call that it is connected with: through a bridge, a `Local` channel, or as one dials
    /// the other. Where it goes, they go.
    pub(super) fn together(&self, id: &str) -> Vec<String> {
        let Some(channel) = self.by_id.get(id) else { return Vec::new() };
        let mut others = self.of_call(&channel.call);
        others.retain(|(other, _)| *other != id);
        let mut found = vec![(id, channel)];
        let mut at = 0;
        while let Some(&one) = found.get(at) {
            let (connected, left): (Vec<_>, Vec<_>) =
                others.into_iter().partition(|(id, channel)| are_connected(one, (id, channel)));
            found.extend(connected.into_iter().map(|(id, channel)| (id.as_str(), channel)));
            (others, at) = (left, at + 1);
        }
        found.into_iter().map(|(id, _)| id.to_owned()).collect()
    }

    /// Asterisk gives a channel that is in a bridge with others' its own Linkedid all the same, as a conference's have it:
    /// the call that it is on without them, where that is another one.
    pub(super) fn own_call(&self, id: &str) -> Option<&str> {
        let channel = self.by_id.get(id).filter(|channel| channel.call != channel.linked)?;
        let is_here = |other: &String| other != id && self.get(other).is_some_and(|other| other.call == channel.call);
        let is_among_them = channel.bridge.as_ref().is_some_and(|bridge| self.in_bridge(bridge).iter().any(is_here));
        (!is_among_them).then_some(&channel.linked)
    }

    /// Of the calls' channels, those that the gateway had made, whose own end has answered, and that nobody else is
    /// reached by or dialled from.
    pub(super) fn alone_on(&self, calls: &[String]) -> Vec<String> {
        let channels = calls.iter().flat_map(|call| self.calls.get(call).into_iter().flatten());
        channels.filter(|id| self.is_alone(id)).cloned().collect()
    }

    pub(super) fn is_alone(&self, id: &str) -> bool {
        self.by_id.get(id).is_some_and(|channel| {
            let is_up = channel.is_made && channel.state == super::channels::ChannelState::UP;
            let others = || self.of_call(&channel.call).into_iter();
            is_up && !channel.is_through && others().all(|(_, other)| other.dialed_by.as_deref() != Some(id))
        })
    }
}

fn are_connected((id, one): (&str, &Channel), (other_id, other): (&str, &Channel)) -> bool {
    let is_from = |from: &Option<String>, id: &str| from.as_deref() == Some(id);
    (one.bridge.is_some() && one.bridge == other.bridge)
        || (one.half().is_some() && one.half() == other.half())
        || is_from(&one.dialed_by, other_id)
        || is_from(&other.dialed_by, id)
        || is_from(&one.behind, other_id)
        || is_from(&other.behind, id)
}
