//! Calls that become one, and whoever leaves one: by Asterisk's Linkedids, by bridges, by transfers.
//!
//! Not here: which event says so (`switch`), and how a call is told (`steps`). Must hold: of two calls that become one, one
//! is told to have ended in the other.

use std::sync::Arc;

use super::super::calls::age_of;
use super::super::channels::{Channel, Joining};
use super::{Absorbed, Switch, Touched};
use crate::model::{Call, CallKind, CallReport, CallStep, Instrument, Joined, Party, PartyKind};

impl Switch {
    /// Who talks in one bridge is on one call: Asterisk gives most of them one Linkedid for it, but not a conference's.
    pub(super) fn talk_together(&mut self, bridge: &str) -> Touched {
        let ids = self.channels.in_bridge(bridge).to_vec();
        self.are_one(&ids)
    }

    /// Those channels are on one call, the oldest that one of them is on.
    pub(super) fn are_one(&mut self, ids: &[String]) -> Touched {
        let calls = ids.iter().filter_map(|id| Some(self.channels.get(id)?.call.clone()));
        let Some(oldest) = calls.min_by_key(|call| (age_of(call), call.clone())) else { return Touched::default() };
        ids.iter().fold(Touched::default(), |touched, id| touched.and(self.come(id, &oldest)))
    }

    /// The gateway asks for that transfer.
    pub(in crate::acd::asterisk) fn is_to_join(&mut self, joining: &Arc<Joining>) {
        for leg in &joining.legs {
            self.channels.get_mut(leg).into_iter().for_each(|leg| leg.joining = Some(Arc::clone(joining)));
        }
    }

    /// Nothing comes of it.
    pub(in crate::acd::asterisk) fn does_not_join(&mut self, joining: &Joining) {
        for leg in &joining.legs {
            self.channels.get_mut(leg).into_iter().for_each(|leg| leg.joining = None);
        }
    }

    /// That channel hangs up. Asterisk brings the ends of a transfer together one after the other, and a phone may have left
    /// by its first call before the second one moves: with the first, who is elsewhere by then, the transfer has been made.
    pub(super) fn joined_without(&mut self, id: &str) -> Touched {
        let Some(leg) = self.channels.get_mut(id) else { return Touched::default() };
        let (bridge, Some(joining)) = (leg.bridge.clone(), leg.joining.take()) else { return Touched::default() };
        self.does_not_join(&joining);
        let ends: Vec<&Channel> = joining.ends.iter().filter_map(|end| self.channels.get(end)).collect();
        let [one, other] = ends[..] else { return Touched::default() };
        let own = if joining.legs[0] == id { one } else { other };
        if one.call == other.call || own.bridge.is_none() || own.bridge == bridge {
            return Touched::default();
        }
        joining.legs.iter().for_each(|leg| self.channels.leave(leg));
        let touched = self.are_one(&joining.ends);
        self.is_transferred_by(&joining.legs);
        touched
    }

    /// Who was on a call only because of a bridge is on its own one again after that.
    pub(super) fn go_home(&mut self, id: &str) -> Touched {
        let home = self.channels.own_call(id).map(str::to_owned);
        home.map(|home| self.come(id, &home)).unwrap_or_default()
    }

    /// A channel comes to another call, and whom it is connected with comes along. Where nobody stays behind, two calls have
    /// become one.
    pub(super) fn come(&mut self, id: &str, to: &str) -> Touched {
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
