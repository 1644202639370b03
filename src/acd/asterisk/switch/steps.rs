//! How a call is told: what its channels are as parties, of which kind it is, and which steps led to it.
//!
//! Not here: which channels are on it (`switch`, `joins`).

use super::super::channels::{Channel, ChannelState, Channels};
use super::{IsDevice, Tracked};
use crate::model::{Call, CallCause, CallKind, CallStep, Instrument, Joined, Party, PartyKind, PartyState};

/// How a channel stands as a party; none while it is none.
pub(super) fn state_of(channel: &Channel) -> Option<PartyState> {
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
pub(super) fn device_of(id: &str, channel: &Channel, parties: &[Party], is_device: IsDevice<'_>) -> Instrument {
    let is_free = |name: &Instrument| !is_device(name) && parties.iter().all(|party| party.device != *name);
    let by_number = || channel.number.as_deref().and_then(|number| Instrument::new(number).ok()).filter(is_free);
    let by_id = || Instrument::new(id).ok();
    channel.device.clone().or_else(by_number).or_else(by_id).unwrap_or_else(nowhere)
}

pub(super) fn nowhere() -> Instrument {
    Instrument::new("unknown").unwrap_or_else(|_| unreachable!("a word is an instrument's name"))
}

pub(super) fn kind_of(call: &Tracked, parties: &[Party]) -> CallKind {
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
pub(super) fn steps(call: &Tracked, before: &[Party], next: &Call, channels: &Channels) -> Vec<CallStep> {
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

fn waiting(call: &Tracked, channels: &Channels) -> u16 {
    let waits = |id: &String| channels.get(id).and_then(|channel| channel.waits_in);
    call.devices.keys().find_map(waits).map_or(1, |(_, waiting)| waiting)
}

/// The call after a step.
pub(super) fn apply(call: &mut Call, step: &CallStep, next: &[Party]) {
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
