//! What clients ask to be done with calls. Not here: what follows from it for agents (`parties`).
//!
//! Must hold: what cannot be done is refused before anything is changed.

use std::sync::Arc;
use std::time::Duration;

use super::calls::{DAY, Due};
use super::world::World;
use crate::acd::AcdRefusal;
use crate::model::{
    Call, CallCause, CallCommand, CallData, CallDataChange, CallId, CallKind, CallOutcome, CallStep, Connection,
    FarEnd, Instrument, Joined, Party, PartyKind, PartyState, QueueId,
};

/// A party that is being brought into a call in a single step: a conference once it answers.
#[derive(Clone, Debug)]
pub(super) struct Joining {
    by: Instrument,
    added: Instrument,
}

/// Where a dialled number leads.
enum Destination {
    Queue(QueueId),
    Device(Instrument, PartyKind),
    /// Nowhere: who dialled hears why.
    Nowhere(CallCause),
}

impl World {
    pub(super) fn control_call(&mut self, now: Duration, command: &CallCommand) -> Result<CallOutcome, AcdRefusal> {
        let done = Ok(CallOutcome::default());
        match command {
            CallCommand::Make { from, to, data } => self.make(now, from, to, data),
            CallCommand::Answer(at) => {
                self.must_be(at, &[PartyState::Alerting])?;
                self.must_be_free_to_talk(&at.device, &[])?;
                self.pick_up(now, at.call, &at.device);
                done
            }
            CallCommand::Hold(at) => {
                self.must_be(at, &[PartyState::Connected])?;
                self.hold(now, at);
                done
            }
            CallCommand::Retrieve(at) => {
                self.must_be(at, &[PartyState::Held])?;
                self.must_be_free_to_talk(&at.device, &[])?;
                self.retrieve(now, at);
                done
            }
            CallCommand::Alternate { active, held } => {
                self.must_be(active, &[PartyState::Connected])?;
                let rings = self.must_be(held, &[PartyState::Alerting]).is_ok();
                if !rings {
                    self.must_be(held, &[PartyState::Held])?;
                }
                must_be_of_one_device(active, held)?;
                self.hold(now, active);
                match rings {
                    true => self.pick_up(now, held.call, &held.device),
                    false => self.retrieve(now, held),
                }
                done
            }
            CallCommand::Reconnect { active, held } => {
                self.must_be(active, &[PartyState::Connected, PartyState::Initiated, PartyState::Failed])?;
                self.must_be(held, &[PartyState::Held])?;
                must_be_of_one_device(active, held)?;
                self.leave_call(now, active.call, &active.device, CallCause::Normal);
                self.release(active.call, &active.device);
                self.retrieve(now, held);
                done
            }
            CallCommand::Consult { active, to, data, .. } => self.consult(now, active, to, data),
            CallCommand::Transfer { active, to: FarEnd::Held(held), data } => {
                self.must_be_pair(active, held)?;
                self.must_share_nobody(active, held)?;
                let data = self.data_with(held.call, data)?;
                Ok(self.merge(now, active, held, data, false))
            }
            CallCommand::Transfer { active, to: FarEnd::Dialed(to), data } => self.send_on(now, active, to, data),
            CallCommand::Conference { active, with: FarEnd::Held(held), data } => {
                self.must_be_pair(active, held)?;
                self.must_be(active, &[PartyState::Connected])?;
                self.must_share_nobody(active, held)?;
                let data = self.data_with(held.call, data)?;
                Ok(self.merge(now, active, held, data, true))
            }
            CallCommand::Conference { active, with: FarEnd::Dialed(to), data } => self.bring_in(now, active, to, data),
            CallCommand::Deflect { ringing, to } => self.deflect(now, ringing, to),
            CallCommand::ClearConnection(at) => {
                self.must_be(at, ANY_STATE)?;
                self.leave_call(now, at.call, &at.device, CallCause::Normal);
                done
            }
            CallCommand::Drop { at, party } => {
                self.must_be(at, &[PartyState::Connected])?;
                let dropped = Connection { call: at.call, device: party.clone() };
                self.must_be(&dropped, ANY_STATE)?;
                self.leave_call(now, at.call, party, CallCause::Normal);
                done
            }
            CallCommand::ClearCall(id) => self.clear_call(now, *id),
            CallCommand::SendDtmf { from, .. } => {
                self.must_be(from, &[PartyState::Connected])?;
                done
            }
            CallCommand::SetData { at, change } => {
                self.must_be_party(at)?;
                self.set_data(at.call, change)?;
                done
            }
            CallCommand::Release(at) => match self.must_be_party(at)? {
                PartyState::Null => {
                    self.release(at.call, &at.device);
                    done
                }
                state => Err(wrong_state(at, state)),
            },
            CallCommand::Supervise { watched, by, how } => self.supervise(now, watched, by, *how),
        }
    }

    pub(super) fn outcome(&self, id: CallId) -> CallOutcome {
        CallOutcome { new_call: self.calls.there.get(&id).cloned() }
    }

    fn make(
        &mut self,
        now: Duration,
        from: &Instrument,
        to: &Instrument,
        data: &CallDataChange,
    ) -> Result<CallOutcome, AcdRefusal> {
        if !self.instruments.contains(from) {
            return Err(AcdRefusal::UnknownInstrument { instrument: from.clone() });
        }
        self.must_be_free_to_talk(from, &[])?;
        let destination = self.destination_or_tone(from, to)?;
        let data = CallData::default().changed_by(data).map_err(AcdRefusal::CallData)?;
        let id = self.dial(now, from, to, &destination, data, None);
        Ok(self.outcome(id))
    }

    fn consult(
        &mut self,
        now: Duration,
        active: &Connection,
        to: &Instrument,
        data: &CallDataChange,
    ) -> Result<CallOutcome, AcdRefusal> {
        self.must_be(active, &[PartyState::Connected])?;
        let destination = self.destination_or_tone(&active.device, to)?;
        let data = self.data_with(active.call, data)?;
        self.hold_only(active);
        let id = self.dial(now, &active.device, to, &destination, data, Some(active.call));
        Ok(self.outcome(id))
    }

    /// A new call from a device to wherever the number leads.
    fn dial(
        &mut self,
        now: Duration,
        from: &Instrument,
        to: &Instrument,
        destination: &Destination,
        data: CallData,
        consults_for: Option<CallId>,
    ) -> CallId {
        let id = self.calls.new_id();
        let caller = self.kind_at(from);
        let kind = match destination {
            _ if consults_for.is_some() => CallKind::Consult,
            Destination::Device(_, PartyKind::Outside) => CallKind::Out,
            _ => CallKind::Inside,
        };
        self.begin(Call {
            id,
            kind,
            queue: None,
            key: (DAY, id.0),
            ani: Some(from.to_string()),
            dialed_number: Some(to.to_string()),
            home: from.clone(),
            parties: vec![Party { device: from.clone(), kind: caller, state: PartyState::Initiated }],
            data: Arc::new(data),
            order: 0,
        });
        self.step(id, CallStep::Initiated(from.clone()), |_| ());
        self.refresh_all(now, id);
        self.step(id, CallStep::Originated(from.clone()), |_| ());
        self.bring_to(now, id, destination);
        id
    }

    /// A call comes to where its number leads.
    fn bring_to(&mut self, now: Duration, id: CallId, destination: &Destination) {
        match destination {
            Destination::Queue(queue) => {
                let dialing: Vec<Instrument> = self.calls.there.get(&id).map_or_else(Vec::new, |call| {
                    let dials = |party: &&Party| party.state == PartyState::Initiated;
                    call.parties.iter().filter(dials).map(|party| party.device.clone()).collect()
                });
                self.wait_in_queue(now, id, *queue, false);
                for device in dialing {
                    // The queue answers: who dialled listens to its music.
                    self.step(id, CallStep::Established(device.clone()), |call| {
                        set_state(call, &device, PartyState::Connected)
                    });
                }
                self.offer_waiting(now);
            }
            Destination::Device(device, kind) => {
                self.ring(now, id, device, kind.clone(), false);
                self.refresh_all(now, id);
            }
            Destination::Nowhere(cause) => {
                let Some(from) = self.calls.there.get(&id).map(|call| call.home.clone()) else { return };
                self.step(id, CallStep::Failed(from.clone(), *cause), |call| {
                    set_state(call, &from, PartyState::Failed);
                });
                self.calls.set(now.saturating_add(TONE), Due::HangUp(id, from));
            }
        }
    }

    fn hold_only(&mut self, at: &Connection) {
        self.step(at.call, CallStep::Held(at.device.clone()), |call| set_state(call, &at.device, PartyState::Held));
    }

    fn hold(&mut self, now: Duration, at: &Connection) {
        self.hold_only(at);
        self.refresh_all(now, at.call);
    }

    fn retrieve(&mut self, now: Duration, at: &Connection) {
        let step = CallStep::Retrieved(at.device.clone());
        self.step(at.call, step, |call| set_state(call, &at.device, PartyState::Connected));
        self.refresh_all(now, at.call);
    }

    /// The call that waits takes in the parties of the one that was made to ask, and of its data what it lacks itself; who
    /// asked goes, or stays.
    fn merge(
        &mut self,
        now: Duration,
        active: &Connection,
        held: &Connection,
        data: CallData,
        stays: bool,
    ) -> CallOutcome {
        let by = active.device.clone();
        let Some(asked) = self.calls.there.get(&active.call).cloned() else { return CallOutcome::default() };
        let moved: Vec<Party> = asked.parties.iter().filter(|party| party.device != by).cloned().collect();
        let added = moved.first().map_or_else(|| by.clone(), |party| party.device.clone());
        for party in &asked.parties {
            let ringing = self.ringing.get(&(asked.id, party.device.clone())).copied();
            self.part(asked.id, &party.device);
            if party.device != by {
                self.note(held.call, party);
            }
            if let Some(since) = ringing {
                self.ringing.insert((held.call, party.device.clone()), since);
                self.calls.rename(asked.id, held.call);
            }
        }
        self.calls.rename(asked.id, held.call);
        self.listen_on(asked.id, held.call);
        if !stays {
            self.part(held.call, &by);
        }
        // Its parties live on in the other call: that step is its end as well.
        self.calls.there.remove(&asked.id);
        let joined = Joined { primary: held.call, secondary: Some(active.call), by: by.clone(), added };
        let step = if stays { CallStep::Conferenced(joined) } else { CallStep::Transferred(joined) };
        self.step(held.call, step, |call| {
            call.kind = if stays { CallKind::Conference } else { CallKind::TransferredIn };
            match stays {
                true => set_state(call, &by, PartyState::Connected),
                false => call.parties.retain(|party| party.device != by),
            }
            call.parties.extend(moved);
            call.data = Arc::new(data.filled_from(&asked.data.as_change()));
            if asked.queue.is_some() {
                call.queue = asked.queue;
            }
        });
        self.refresh_all(now, held.call);
        if let Some(agent) = self.agent_at(&by) {
            self.refresh(now, &agent);
        }
        self.outcome(held.call)
    }

    /// Blind transfer.
    fn send_on(
        &mut self,
        now: Duration,
        active: &Connection,
        to: &Instrument,
        data: &CallDataChange,
    ) -> Result<CallOutcome, AcdRefusal> {
        self.must_be(active, &[PartyState::Connected, PartyState::Held])?;
        self.must_be_heard_by_others(active)?;
        let destination = self.destination(&active.device, to)?;
        if self.calls.there.get(&active.call).is_some_and(|call| call.queue_point().is_some()) {
            return Err(AcdRefusal::BadDestination { number: to.clone(), why: "the call waits in a queue" });
        }
        self.must_be_new(active.call, to)?;
        let data = self.data_with(active.call, data)?;
        let id = active.call;
        let by = active.device.clone();
        let joined = Joined { primary: id, secondary: None, by: by.clone(), added: to.clone() };
        self.part(id, &by);
        self.step(id, CallStep::Transferred(joined), |call| {
            call.kind = CallKind::TransferredIn;
            call.parties.retain(|party| party.device != by);
            call.data = Arc::new(data);
        });
        if let Some(agent) = self.agent_at(&by) {
            self.refresh(now, &agent);
        }
        self.bring_to(now, id, &destination);
        Ok(self.outcome(id))
    }

    /// A conference in a single step.
    fn bring_in(
        &mut self,
        now: Duration,
        active: &Connection,
        to: &Instrument,
        data: &CallDataChange,
    ) -> Result<CallOutcome, AcdRefusal> {
        self.must_be(active, &[PartyState::Connected])?;
        self.must_be_heard_by_others(active)?;
        let Destination::Device(device, kind) = self.destination(&active.device, to)? else {
            return Err(AcdRefusal::BadDestination { number: to.clone(), why: "a queue cannot be in a conference" });
        };
        self.must_be_new(active.call, to)?;
        self.set_data(active.call, data)?;
        self.joining.insert(active.call, Joining { by: active.device.clone(), added: device.clone() });
        self.bring_to(now, active.call, &Destination::Device(device, kind));
        Ok(self.outcome(active.call))
    }

    /// Somebody who was being brought in has answered.
    pub(super) fn complete_joining(&mut self, id: CallId, device: &Instrument) {
        if self.joining.get(&id).is_none_or(|joining| joining.added != *device) {
            return;
        }
        if let Some(Joining { by, added }) = self.joining.remove(&id) {
            let joined = Joined { primary: id, secondary: None, by, added };
            self.step(id, CallStep::Conferenced(joined), |call| call.kind = CallKind::Conference);
        }
    }

    fn deflect(&mut self, now: Duration, ringing: &Connection, to: &Instrument) -> Result<CallOutcome, AcdRefusal> {
        self.must_be(ringing, &[PartyState::Alerting])?;
        let destination = self.destination(&ringing.device, to)?;
        self.must_be_new(ringing.call, to)?;
        let (id, from) = (ringing.call, ringing.device.clone());
        if self.came_from_queue(id, &from)
            && let Some(agent) = self.agent_at(&from)
        {
            self.withdraw(id, &agent);
        }
        self.part(id, &from);
        self.step(id, CallStep::Diverted { from: from.clone(), to: to.clone() }, |call| {
            call.parties.retain(|party| party.device != from);
        });
        if let Some(agent) = self.agent_at(&from) {
            self.refresh(now, &agent);
        }
        self.bring_to(now, id, &destination);
        Ok(CallOutcome::default())
    }

    fn clear_call(&mut self, now: Duration, id: CallId) -> Result<CallOutcome, AcdRefusal> {
        if !self.calls.there.contains_key(&id) {
            return Err(AcdRefusal::UnknownCall { call: id });
        }
        for agent in self.all_leave(id, None, CallCause::Normal) {
            self.refresh(now, &agent);
        }
        self.end_if_over(id);
        self.offer_waiting(now);
        Ok(CallOutcome::default())
    }

    fn set_data(&mut self, id: CallId, change: &CallDataChange) -> Result<(), AcdRefusal> {
        let data = self.data_with(id, change)?;
        if !change.is_empty() {
            self.step(id, CallStep::DataChanged, |call| call.data = Arc::new(data));
        }
        Ok(())
    }

    /// What a call, or a copy of it, carries after a change.
    fn data_with(&self, id: CallId, change: &CallDataChange) -> Result<CallData, AcdRefusal> {
        let data = self.calls.there.get(&id).map(|call| Arc::clone(&call.data)).unwrap_or_default();
        data.changed_by(change).map_err(AcdRefusal::CallData)
    }

    /// Where a number leads for who dials it, who may learn by a tone that it is busy.
    fn destination_or_tone(&self, from: &Instrument, to: &Instrument) -> Result<Destination, AcdRefusal> {
        match self.destination(from, to) {
            Err(AcdRefusal::Busy { .. }) => Ok(Destination::Nowhere(CallCause::Busy)),
            destination => destination,
        }
    }

    /// Where a number leads from a device, if a call can be brought there now.
    fn destination(&self, from: &Instrument, to: &Instrument) -> Result<Destination, AcdRefusal> {
        let bad = |why| Err(AcdRefusal::BadDestination { number: to.clone(), why });
        if let Some(queue) = self.calls.queue_of_number(to.as_str()) {
            return match self.has_room(queue) {
                true => Ok(Destination::Queue(queue)),
                false => Err(AcdRefusal::Busy { number: to.clone() }),
            };
        }
        if from == to {
            return bad("it is the caller's own");
        }
        if !to.as_str().bytes().all(|byte| byte.is_ascii_digit() || b"*#+".contains(&byte)) {
            return bad("it is not a number");
        }
        let kind = self.kind_at(to);
        if kind != PartyKind::Outside && self.is_on_any_call(to) {
            return Err(AcdRefusal::Busy { number: to.clone() });
        }
        Ok(Destination::Device(to.clone(), kind))
    }

    pub(super) fn must_be_party(&self, at: &Connection) -> Result<PartyState, AcdRefusal> {
        let call = self.calls.there.get(&at.call).ok_or(AcdRefusal::UnknownCall { call: at.call })?;
        let party = call.party(&at.device);
        party.map(|party| party.state).ok_or_else(|| AcdRefusal::NotOnCall { call: at.call, device: at.device.clone() })
    }

    pub(super) fn must_be(&self, at: &Connection, states: &[PartyState]) -> Result<(), AcdRefusal> {
        let state = self.must_be_party(at)?;
        if states.contains(&state) { Ok(()) } else { Err(wrong_state(at, state)) }
    }

    /// Two calls of one device: one that is talked on or dialled, one on hold.
    fn must_be_pair(&self, active: &Connection, held: &Connection) -> Result<(), AcdRefusal> {
        self.must_be(active, &[PartyState::Connected, PartyState::Initiated])?;
        self.must_be(held, &[PartyState::Held])?;
        must_be_of_one_device(active, held)
    }

    /// Nobody is on a call twice, and what a supervisor listens with is not for others.
    fn must_share_nobody(&self, active: &Connection, held: &Connection) -> Result<(), AcdRefusal> {
        self.must_be_heard_by_others(active)?;
        self.must_be_heard_by_others(held)?;
        let waits = |id| self.calls.there.get(&id).and_then(|call| call.queue_point());
        if let (Some(point), Some(_)) = (waits(active.call), waits(held.call)) {
            return Err(AcdRefusal::BadDestination {
                number: point.clone(),
                why: "the other call waits in a queue, too",
            });
        }
        let asked = self.calls.there.get(&active.call).into_iter().flat_map(|call| &call.parties);
        asked
            .filter(|party| party.device != active.device)
            .try_for_each(|party| self.must_be_new(held.call, &party.device))
    }

    /// A device talks on one call at a time.
    pub(super) fn must_be_free_to_talk(&self, device: &Instrument, but: &[CallId]) -> Result<(), AcdRefusal> {
        for id in self.calls_of(device).into_iter().filter(|id| !but.contains(id)) {
            let state = self.calls.there.get(&id).and_then(|call| call.party(device)).map(|party| party.state);
            if let Some(state @ (PartyState::Connected | PartyState::Initiated | PartyState::Failed)) = state {
                return Err(wrong_state(&Connection { call: id, device: device.clone() }, state));
            }
        }
        Ok(())
    }

    pub(super) fn must_be_new(&self, id: CallId, to: &Instrument) -> Result<(), AcdRefusal> {
        match self.calls.there.get(&id).and_then(|call| call.party(to)) {
            Some(_) => Err(AcdRefusal::BadDestination { number: to.clone(), why: "it is on the call already" }),
            None => Ok(()),
        }
    }
}

const ANY_STATE: &[PartyState] = &[
    PartyState::Initiated,
    PartyState::Alerting,
    PartyState::Connected,
    PartyState::Held,
    PartyState::Queued,
    PartyState::Failed,
];

/// How long who dialled a number that leads nowhere hears that, unless it hangs up before.
const TONE: Duration = Duration::from_secs(5);

fn must_be_of_one_device(active: &Connection, held: &Connection) -> Result<(), AcdRefusal> {
    if active.device == held.device && active.call != held.call {
        return Ok(());
    }
    Err(AcdRefusal::NotOnCall { call: held.call, device: active.device.clone() })
}

fn set_state(call: &mut Call, device: &Instrument, state: PartyState) {
    if let Some(party) = call.parties.iter_mut().find(|party| party.device == *device) {
        party.state = state;
    }
}

pub(super) fn wrong_state(at: &Connection, state: PartyState) -> AcdRefusal {
    AcdRefusal::WrongCallState { call: at.call, device: at.device.clone(), state }
}
