//! `Local` channels: a pair of halves, of which the first stands for whoever is reached through the second.
//!
//! Not here: what a party is (`switch`). Must hold: of a half and of who is behind it one is told of, the device of the two.

use std::collections::HashSet;

use super::channels::{Channel, ChannelState};

/// What of a call's channels is somebody else's inside.
#[derive(Debug, Default)]
pub(super) struct Insides {
    /// Those that stand for nobody of their own.
    hidden: HashSet<String>,
    /// First halves behind which somebody has put the call on hold.
    held: HashSet<String>,
    /// First halves through which somebody at a device has answered, and who is behind the half that is the device.
    pub(super) used: Vec<String>,
}

impl Insides {
    pub(super) fn of(channels: &[(String, Channel)]) -> Insides {
        let mut insides = Insides::default();
        if !channels.iter().any(|(_, channel)| channel.half().is_some() || channel.is_used) {
            return insides;
        }
        let outer: Vec<Option<usize>> = (0..channels.len()).map(|at| outer_of(channels, at)).collect();
        for (at, (id, channel)) in channels.iter().enumerate() {
            let device_above = above(&outer, at).find(|above| channels[*above].1.device.is_some());
            let devices = (0..channels.len()).filter(|other| channels[*other].1.device.is_some());
            let behind: Vec<_> = devices.filter(|other| above(&outer, *other).any(|above| above == at)).collect();
            if device_above.is_some() || behind.iter().any(|device| channels[*device].1.state == ChannelState::UP) {
                insides.used.push(id.clone());
            }
            let is_nobody = channel.device.is_none() && (outer[at].is_some() || !behind.is_empty() || channel.is_used);
            if channel.is_inner_half() || device_above.is_some() || is_nobody {
                insides.hidden.insert(id.clone());
            }
            if let Some(above) = device_above.filter(|_| channel.is_held) {
                insides.held.insert(channels[above].0.clone());
            }
        }
        insides
    }

    pub(super) fn is_hidden(&self, id: &str) -> bool {
        self.hidden.contains(id)
    }

    pub(super) fn is_held(&self, id: &str) -> bool {
        self.held.contains(id)
    }
}

/// The first half of the `Local` channel behind which a channel is: its second half has dialled it, or talks with nobody
/// else.
fn outer_of(channels: &[(String, Channel)], at: usize) -> Option<usize> {
    let (id, channel) = &channels[at];
    if channel.is_inner_half() {
        return None;
    }
    let is_inner = |(inner_id, inner): &&(String, Channel)| {
        let is_elsewhere = inner.bridge.is_some() && channel.bridge.is_some() && inner.bridge != channel.bridge;
        let is_dialed = channel.behind.as_ref() == Some(inner_id) && !is_elsewhere;
        let in_bridge = |bridge: &String| channels.iter().filter(|(_, c)| c.bridge.as_ref() == Some(bridge)).count();
        let is_with = inner.bridge == channel.bridge && channel.bridge.as_ref().is_some_and(|it| in_bridge(it) == 2);
        inner_id != id && inner.is_inner_half() && (is_dialed || is_with)
    };
    let (_, inner) = channels.iter().find(is_inner)?;
    let is_outer = |(_, outer): &(String, Channel)| !outer.is_inner_half() && outer.half() == inner.half();
    channels.iter().position(is_outer).filter(|outer| *outer != at)
}

/// The first halves behind which a channel is, the nearest first.
fn above(outer: &[Option<usize>], at: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(outer[at], |at| outer[*at]).take(CHAIN_MAX)
}

/// No dialplan leads through more.
const CHAIN_MAX: usize = 8;
