//! Calls of the embedded world: they arrive, wait, are offered, and what happens to them by itself.
//!
//! Not here: who may be ready (`world`), who is on a call and what that makes of an agent (`parties`), what clients ask
//! (`control`). Must hold: the same seed tells the same story.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ahash::HashMap;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::config::EmbeddedConfig;
use super::world::World;
use crate::acd::AcdEvent;
use crate::model::{
    AgentFacts, AgentId, AgentState, Call, CallCause, CallData, CallId, CallKind, CallStep, Instrument, Party,
    PartyKind, PartyState, PreCall, QueueId, ReasonCode,
};

/// The calls that there are, and what is due when.
#[derive(Debug)]
pub(super) struct Calls {
    pub(super) there: HashMap<CallId, Arc<Call>>,
    waiting: BTreeMap<QueueId, VecDeque<CallId>>,
    due: BTreeSet<(Duration, u64, Due)>,
    made: u32,
    /// Callers who found their queue full.
    pub(super) turned_away: u64,
    dice: StdRng,
    timers_set: u64,
}

/// What happens by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Arrival,
    Abandon(CallId),
    /// Who rings picks up, if it still is the ringing that began with that change.
    Answer(CallId, Instrument, u64),
    /// As `Answer`.
    NoAnswer(CallId, Instrument, u64),
    HangUp(CallId, Instrument),
    /// Of the call that somebody listens with.
    NothingToHear(CallId),
    /// The agent, and the change that began its after-call work: another state makes this void.
    WrapUpEnd(AgentId, u64),
}

/// A device that rings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ringing {
    /// The change that began it.
    since: u64,
    /// A queue offered the call: what is not answered goes back there.
    is_offered: bool,
}

impl Calls {
    pub(super) fn new(config: &EmbeddedConfig) -> Calls {
        let mut calls = Calls {
            there: HashMap::default(),
            waiting: config.queues.iter().map(|queue| (queue.number, VecDeque::new())).collect(),
            due: BTreeSet::new(),
            made: 0,
            turned_away: 0,
            dice: StdRng::seed_from_u64(config.calls.seed),
            timers_set: 0,
        };
        calls.set_arrival(Duration::ZERO, config.calls.per_minute);
        calls
    }

    pub(super) fn set(&mut self, at: Duration, due: Due) {
        self.timers_set += 1;
        self.due.insert((at, self.timers_set, due));
    }

    fn set_arrival(&mut self, now: Duration, per_minute: f64) {
        if per_minute > 0.0 && !self.waiting.is_empty() {
            // Exponential gaps: arrivals that know nothing of each other.
            let share: f64 = self.dice.random_range(f64::EPSILON..1.0);
            let gap = Duration::try_from_secs_f64(-share.ln() * 60.0 / per_minute).unwrap_or(Duration::MAX);
            self.set(now.saturating_add(gap), Due::Arrival);
        }
    }

    /// The queue that a number is dialled for.
    pub(super) fn queue_of_number(&self, number: &str) -> Option<QueueId> {
        self.waiting.keys().find(|queue| number_of(**queue) == number).copied()
    }

    /// How many wait in a queue.
    fn waiting_in(&self, queue: QueueId) -> u16 {
        self.waiting.get(&queue).map_or(0, |waiting| u16::try_from(waiting.len()).unwrap_or(u16::MAX))
    }

    /// A call waits no longer.
    pub(super) fn stop_waiting(&mut self, id: CallId) {
        for waiting in self.waiting.values_mut() {
            waiting.retain(|waiting| *waiting != id);
        }
    }

    /// What is due for one call is due for another from here on: its parties have moved there.
    pub(super) fn rename(&mut self, from: CallId, to: CallId) {
        let of_call = |due: &Due| match due {
            Due::Answer(call, ..) | Due::NoAnswer(call, ..) | Due::HangUp(call, _) => *call == from,
            Due::Abandon(_) | Due::Arrival | Due::NothingToHear(_) | Due::WrapUpEnd(..) => false,
        };
        let moved: Vec<_> = self.due.iter().filter(|(.., due)| of_call(due)).cloned().collect();
        for (at, number, due) in moved {
            self.due.remove(&(at, number, due.clone()));
            let due = match due {
                Due::Answer(_, device, since) => Due::Answer(to, device, since),
                Due::NoAnswer(_, device, since) => Due::NoAnswer(to, device, since),
                Due::HangUp(_, device) => Due::HangUp(to, device),
                other => other,
            };
            self.due.insert((at, number, due));
        }
        for waiting in self.waiting.values_mut() {
            for call in waiting.iter_mut().filter(|call| **call == from) {
                *call = to;
            }
        }
    }

    /// A number for a call that is about to begin.
    pub(super) fn new_id(&mut self) -> CallId {
        self.made = self.made.wrapping_add(1);
        CallId(self.made)
    }

    #[cfg(test)]
    pub(super) fn is_waiting(&self, id: CallId) -> bool {
        self.waiting.values().any(|waiting| waiting.contains(&id))
    }
}

/// The number that a queue's callers dial.
pub(super) fn number_of(queue: QueueId) -> String {
    format!("8{:03}", queue.0)
}

impl World {
    /// When something happens next by itself.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.calls.due.first().map(|(at, ..)| *at)
    }

    /// Lets happen what is due.
    pub(super) fn pass(&mut self, now: Duration) {
        while self.next_due().is_some_and(|at| at <= now) {
            let Some((at, _, due)) = self.calls.due.pop_first() else { return };
            match due {
                Due::Arrival => {
                    let queues: Vec<QueueId> = self.calls.waiting.keys().copied().collect();
                    let queue = queues[self.calls.dice.random_range(0..queues.len())];
                    self.arrive(at, queue);
                    self.calls.set_arrival(at, self.config.calls.per_minute);
                }
                Due::Abandon(call) => self.abandon(at, call),
                Due::Answer(call, device, since) if self.rings_since(call, &device, since) => {
                    self.pick_up(at, call, &device);
                }
                Due::NoAnswer(call, device, since) if self.rings_since(call, &device, since) => {
                    self.no_answer(at, call, &device);
                }
                Due::Answer(..) | Due::NoAnswer(..) => (), // that ringing is over
                Due::HangUp(call, device) => self.leave_call(at, call, &device, CallCause::Normal),
                Due::NothingToHear(own) => self.nothing_to_hear(now, own), // due at once, whenever that was
                Due::WrapUpEnd(agent, change) => self.wrap_up_ends(at, &agent, change),
            }
        }
    }

    /// A caller comes to a queue.
    pub(super) fn arrive(&mut self, now: Duration, queue: QueueId) {
        if !self.calls.waiting.contains_key(&queue) {
            return;
        }
        if !self.has_room(queue) {
            self.calls.turned_away += 1;
            return;
        }
        let id = self.calls.new_id();
        let ani = format!("0{:09}", self.calls.dice.random_range(0..1_000_000_000_u32));
        let number = number_of(queue);
        let (Ok(caller), Ok(home)) = (Instrument::new(&ani), Instrument::new(&number)) else { return };
        self.begin(Call {
            id,
            kind: CallKind::QueuedIn,
            queue: Some(queue),
            key: (DAY, id.0),
            ani: Some(ani),
            dialed_number: Some(number),
            home,
            parties: vec![Party { device: caller, kind: PartyKind::Outside, state: PartyState::Connected }],
            data: Arc::new(CallData::default()),
            order: 0,
        });
        self.wait_in_queue(now, id, queue, false);
        self.calls.set(now.saturating_add(self.config.calls.patience), Due::Abandon(id));
        self.offer_waiting(now);
    }

    /// Whether a queue holds one more.
    pub(super) fn has_room(&self, queue: QueueId) -> bool {
        self.calls.waiting.get(&queue).is_some_and(|waiting| waiting.len() < self.config.calls.waiting_max)
    }

    /// A call waits in a queue: as the last one, or as the first where it did so before.
    pub(super) fn wait_in_queue(&mut self, _now: Duration, id: CallId, queue: QueueId, as_first: bool) {
        let Some(waiting) = self.calls.waiting.get_mut(&queue) else { return };
        if as_first {
            waiting.push_front(id)
        } else {
            waiting.push_back(id)
        }
        let Ok(at) = Instrument::new(&number_of(queue)) else { return };
        let waiting = self.calls.waiting_in(queue);
        let point = Party { device: at.clone(), kind: PartyKind::QueuePoint, state: PartyState::Queued };
        self.step(id, CallStep::Queued { at, waiting }, |call| {
            call.queue = Some(queue);
            call.parties.push(point);
        });
    }

    /// Offers waiting calls to ready agents, longest wait to longest wait.
    pub(super) fn offer_waiting(&mut self, now: Duration) {
        let waited_for = self.calls.waiting.iter().filter(|(_, calls)| !calls.is_empty());
        let queues: Vec<QueueId> = waited_for.map(|(queue, _)| *queue).collect();
        for queue in queues {
            while let Some((call, agent)) = self.next_offer(queue) {
                self.offer(now, call, &agent);
            }
        }
    }

    fn next_offer(&mut self, queue: QueueId) -> Option<(CallId, AgentId)> {
        let (_, agent) = self.ready.get(&queue)?.first()?.clone();
        let call = self.calls.waiting.get_mut(&queue)?.pop_front()?;
        Some((call, agent))
    }

    fn offer(&mut self, now: Duration, id: CallId, agent: &AgentId) {
        let Some(device) = self.agents.get(agent).and_then(|seat| seat.facts.instrument.clone()) else { return };
        let reserved = self.change(agent, |facts| facts.state = AgentState::Reserved);
        if let Some(call) = self.pre_call(id, &reserved) {
            self.report(AcdEvent::PreCall(call));
        }
        self.report_agent(reserved);
        self.ring(now, id, &device, PartyKind::Agent(agent.clone()), true);
        let point = self.calls.there.get(&id).and_then(|call| call.queue_point().cloned());
        if let Some(point) = point {
            self.step(id, CallStep::Left(point.clone(), CallCause::Redirected), |call| {
                call.parties.retain(|party| party.device != point);
            });
        }
    }

    /// It rings at a device, which picks up after a while or not at all; `is_offered` by its queue, or dialled.
    pub(super) fn ring(&mut self, now: Duration, id: CallId, device: &Instrument, kind: PartyKind, is_offered: bool) {
        self.join(id, Party { device: device.clone(), kind, state: PartyState::Alerting });
        self.step(id, CallStep::Delivered(device.clone()), |_| ());
        let since = self.calls.there.get(&id).map_or(0, |call| call.order);
        self.ringing.insert((id, device.clone()), Ringing { since, is_offered });
        let calls = &self.config.calls;
        let (answer_after, ring_max) = (calls.answer_after, calls.ring_max);
        if self.calls.dice.random_bool(calls.no_answer) || !calls.auto_answer {
            self.calls.set(now.saturating_add(ring_max), Due::NoAnswer(id, device.clone(), since));
        } else {
            self.calls.set(now.saturating_add(answer_after), Due::Answer(id, device.clone(), since));
        }
    }

    /// It is answered at a device.
    pub(super) fn pick_up(&mut self, now: Duration, id: CallId, device: &Instrument) {
        self.ringing.remove(&(id, device.clone()));
        self.step(id, CallStep::Established(device.clone()), |call| {
            for party in &mut call.parties {
                if party.device == *device || party.state == PartyState::Initiated {
                    party.state = PartyState::Connected;
                }
            }
        });
        self.refresh_all(now, id);
        // Somebody outside ends the talk by and by.
        let outside = self.calls.there.get(&id).into_iter().flat_map(|call| &call.parties);
        let outside: Vec<Instrument> =
            outside.filter(|party| party.kind == PartyKind::Outside).map(|party| party.device.clone()).collect();
        for device in outside {
            let calls = &self.config.calls;
            let talk = self.calls.dice.random_range(calls.talk_min..=calls.talk_max);
            self.calls.set(now.saturating_add(talk), Due::HangUp(id, device));
        }
        self.complete_joining(id, device);
    }

    /// It rang in vain: an agent is not ready, and a call that came from a queue is the first there again.
    fn no_answer(&mut self, now: Duration, id: CallId, device: &Instrument) {
        let queue = self.calls.there.get(&id).and_then(|call| call.queue).filter(|_| self.came_from_queue(id, device));
        self.stop_ringing(now, id, device, CallCause::NotAnswered, queue);
        if let Some(agent) = self.agent_at(device).filter(|_| queue.is_some()) {
            if self.is_on_any_call(device) {
                return self.refresh(now, &agent);
            }
            self.release_all(&agent);
            let reason = self.config.calls.reason_of_no_answer();
            let away = self.change(&agent, |facts| {
                (facts.state, facts.reason, facts.next_state) = (AgentState::NotReady, reason, None);
            });
            self.report_agent(away);
        }
        self.offer_waiting(now);
    }

    /// A device rings no longer: the call goes back to its queue, or goes on or ends without it.
    pub(super) fn stop_ringing(
        &mut self,
        now: Duration,
        id: CallId,
        device: &Instrument,
        cause: CallCause,
        queue: Option<QueueId>,
    ) {
        let Some(queue) = queue else { return self.leave_call(now, id, device, cause) };
        if let Some(agent) = self.agent_at(device) {
            self.withdraw(id, &agent);
        }
        self.part(id, device);
        self.step(id, CallStep::Left(device.clone(), cause), |call| {
            call.parties.retain(|party| party.device != *device);
        });
        self.wait_in_queue(now, id, queue, true);
    }

    /// Whether a device rings because a queue offered it the call.
    pub(super) fn came_from_queue(&self, id: CallId, device: &Instrument) -> bool {
        self.ringing.get(&(id, device.clone())).is_some_and(|ringing| ringing.is_offered)
    }

    fn abandon(&mut self, now: Duration, id: CallId) {
        let Some(call) = self.calls.there.get(&id) else { return };
        let is_answered = call
            .agents()
            .any(|(_, device)| call.party(device).is_some_and(|party| party.state != PartyState::Alerting));
        let caller = call.parties.iter().find(|party| party.kind != PartyKind::QueuePoint);
        let Some(caller) = caller.filter(|_| !is_answered).map(|party| party.device.clone()) else { return };
        self.leave_call(now, id, &caller, CallCause::Abandoned);
    }

    fn wrap_up_ends(&mut self, now: Duration, agent: &AgentId, change: u64) {
        let Some(seat) = self.agents.get(agent).filter(|seat| seat.since == change) else { return };
        let next = match seat.facts.state {
            AgentState::WorkReady => AgentState::Ready,
            _ => AgentState::NotReady,
        };
        self.is_free(now, agent, next);
    }

    pub(super) fn after_wrap_up(&self) -> AgentState {
        if self.config.ready_after_wrap_up { AgentState::Ready } else { AgentState::NotReady }
    }

    /// The agent has nothing to do any more: it is what it asked to be, or else `next`.
    pub(super) fn is_free(&mut self, now: Duration, agent: &AgentId, next: AgentState) {
        self.release_all(agent);
        let asked_because = self.agents.get(agent).map(|seat| seat.next_reason).unwrap_or_default();
        let free = self.change(agent, |facts| {
            facts.reason = if facts.next_state.is_some() { asked_because } else { ReasonCode::default() };
            facts.state = facts.next_state.take().unwrap_or(next);
        });
        self.report_agent(free);
        self.offer_waiting(now);
    }

    /// The agent logs out: what it was offered goes back to its queue, what it talks on it leaves.
    pub(super) fn drop_calls_of(&mut self, now: Duration, agent: &AgentId) {
        let Some(device) = self.agents.get(agent).and_then(|seat| seat.facts.instrument.clone()) else { return };
        for id in self.calls_of(&device) {
            let queue = self.calls.there.get(&id).and_then(|call| call.queue);
            let queue = queue.filter(|_| self.came_from_queue(id, &device));
            if queue.is_some() {
                self.stop_ringing(now, id, &device, CallCause::Redirected, queue);
            } else {
                let others = self.leave_call_only(id, &device, CallCause::Normal);
                for other in others.iter().filter(|other| *other != agent) {
                    self.refresh(now, other);
                }
                self.end_if_over(id);
            }
        }
        self.release_all(agent);
    }

    /// Takes an announcement back.
    pub(super) fn withdraw(&mut self, id: CallId, agent: &AgentId) {
        let Some(seat) = self.agents.get(agent) else { return };
        if let Some(call) = self.pre_call(id, &seat.facts) {
            self.report(AcdEvent::PreCallAbort(call));
        }
    }

    fn rings_since(&self, id: CallId, device: &Instrument, since: u64) -> bool {
        self.ringing.get(&(id, device.clone())).is_some_and(|ringing| ringing.since == since)
    }

    fn pre_call(&self, id: CallId, facts: &AgentFacts) -> Option<PreCall> {
        let call = self.calls.there.get(&id)?;
        Some(PreCall {
            agent: facts.agent.clone(),
            instrument: facts.instrument.clone()?,
            queue: call.queue?,
            key: call.key,
            ani: call.ani.clone(),
            dialed_number: call.dialed_number.clone(),
            order: facts.order,
        })
    }
}

/// The day of every call key: the world has one.
pub(super) const DAY: u32 = 1;
