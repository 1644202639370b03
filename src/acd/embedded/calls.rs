//! Calls of the embedded world: they arrive, wait, are offered, answered, ended, or given up.
//!
//! Not here: who may be ready. Must hold: a call is in one place; the same seed tells the same story.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::config::EmbeddedConfig;
use super::world::World;
use crate::acd::AcdEvent;
use crate::model::{AgentFacts, AgentId, AgentState, PreCall, QueueId, ReasonCode};

/// The calls that there are, and what is due when.
#[derive(Debug)]
pub(super) struct Calls {
    there: HashMap<u32, Call>,
    waiting: BTreeMap<QueueId, VecDeque<u32>>,
    due: BTreeSet<(Duration, u64, Due)>,
    made: u32,
    /// Callers who found their queue full.
    pub(super) turned_away: u64,
    dice: StdRng,
    timers_set: u64,
}

#[derive(Debug)]
struct Call {
    queue: QueueId,
    ani: String,
    dialed_number: String,
    /// Whom it is offered to or talks with.
    agent: Option<AgentId>,
}

/// What happens by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Arrival,
    Abandon(u32),
    /// The call, whom it is offered to, and the change that offered it: the same may be offered there twice.
    Answer(u32, AgentId, u64),
    /// As `Answer`.
    NoAnswer(u32, AgentId, u64),
    HangUp(u32, AgentId),
    /// The agent, and the change that began its after-call work: another state makes this void.
    WrapUpEnd(AgentId, u64),
}

impl Calls {
    pub(super) fn new(config: &EmbeddedConfig) -> Calls {
        let mut calls = Calls {
            there: HashMap::new(),
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

    fn set(&mut self, at: Duration, due: Due) {
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
                Due::Answer(call, agent, since) if self.is_since(&agent, since) => self.answer(at, call, &agent),
                Due::NoAnswer(call, agent, since) if self.is_since(&agent, since) => self.no_answer(at, call, &agent),
                Due::Answer(..) | Due::NoAnswer(..) => (), // that offer is over
                Due::HangUp(call, agent) => self.hang_up(at, call, &agent),
                Due::WrapUpEnd(agent, change) => self.wrap_up_ends(at, &agent, change),
            }
        }
    }

    /// A caller comes to a queue.
    pub(super) fn arrive(&mut self, now: Duration, queue: QueueId) {
        let waiting_max = self.config.calls.waiting_max;
        let Some(waiting) = self.calls.waiting.get_mut(&queue) else { return };
        if waiting.len() >= waiting_max {
            self.calls.turned_away += 1;
            return;
        }
        self.calls.made = self.calls.made.wrapping_add(1);
        let id = self.calls.made;
        waiting.push_back(id);
        let ani = format!("0{:09}", self.calls.dice.random_range(0..1_000_000_000_u32));
        let call = Call { queue, ani, dialed_number: format!("8{:03}", queue.0), agent: None };
        self.calls.there.insert(id, call);
        self.calls.set(now.saturating_add(self.config.calls.patience), Due::Abandon(id));
        self.offer_waiting(now);
    }

    /// Offers waiting calls to ready agents, longest wait to longest wait.
    pub(super) fn offer_waiting(&mut self, now: Duration) {
        let queues: Vec<QueueId> = self.calls.waiting.keys().copied().collect();
        for queue in queues {
            while let Some((call, agent)) = self.next_offer(queue) {
                self.offer(now, call, &agent);
            }
        }
    }

    fn next_offer(&mut self, queue: QueueId) -> Option<(u32, AgentId)> {
        let (_, agent) = self.ready.get(&queue)?.first()?.clone();
        let call = self.calls.waiting.get_mut(&queue)?.pop_front()?;
        Some((call, agent))
    }

    fn offer(&mut self, now: Duration, id: u32, agent: &AgentId) {
        if let Some(call) = self.calls.there.get_mut(&id) {
            call.agent = Some(agent.clone());
        }
        if let Some(seat) = self.agents.get_mut(agent) {
            seat.call = Some(id);
        }
        let reserved = self.change(agent, |facts| facts.state = AgentState::Reserved);
        let since = reserved.order;
        if let Some(call) = self.pre_call(id, &reserved) {
            self.report(AcdEvent::PreCall(call));
        }
        self.report_agent(reserved);
        let calls = &self.config.calls;
        if self.calls.dice.random_bool(calls.no_answer) {
            self.calls.set(now.saturating_add(calls.ring_max), Due::NoAnswer(id, agent.clone(), since));
        } else {
            self.calls.set(now.saturating_add(calls.answer_after), Due::Answer(id, agent.clone(), since));
        }
    }

    fn answer(&mut self, now: Duration, id: u32, agent: &AgentId) {
        if !self.is_at(id, agent, AgentState::Reserved) {
            return;
        }
        let talking = self.change(agent, |facts| facts.state = AgentState::Talking);
        self.report_agent(talking);
        let calls = &self.config.calls;
        let talk = self.calls.dice.random_range(calls.talk_min..=calls.talk_max);
        self.calls.set(now.saturating_add(talk), Due::HangUp(id, agent.clone()));
    }

    /// It rang in vain: the agent is not ready, the call is the first of its queue again.
    fn no_answer(&mut self, now: Duration, id: u32, agent: &AgentId) {
        if !self.is_at(id, agent, AgentState::Reserved) {
            return;
        }
        self.withdraw(id, agent);
        let reason = self.config.calls.reason_of_no_answer();
        let away = self.change(agent, |facts| {
            (facts.state, facts.reason, facts.next_state) = (AgentState::NotReady, reason, None);
        });
        self.report_agent(away);
        if let Some(call) = self.calls.there.get_mut(&id) {
            call.agent = None;
            if let Some(waiting) = self.calls.waiting.get_mut(&call.queue) {
                waiting.push_front(id);
            }
        }
        self.offer_waiting(now);
    }

    fn abandon(&mut self, now: Duration, id: u32) {
        let Some(call) = self.calls.there.get(&id) else { return };
        match call.agent.clone() {
            None => {
                if let Some(waiting) = self.calls.waiting.get_mut(&call.queue) {
                    waiting.retain(|waiting| *waiting != id);
                }
                self.calls.there.remove(&id);
            }
            Some(agent) if self.is_at(id, &agent, AgentState::Reserved) => {
                self.withdraw(id, &agent);
                self.calls.there.remove(&id);
                self.is_free(now, &agent, AgentState::Ready);
            }
            Some(_) => (), // talking: patience is no question any more
        }
    }

    fn hang_up(&mut self, now: Duration, id: u32, agent: &AgentId) {
        if !self.is_at(id, agent, AgentState::Talking) {
            return;
        }
        self.calls.there.remove(&id);
        if let Some(seat) = self.agents.get_mut(agent) {
            seat.call = None;
        }
        if self.config.wrap_up.is_zero() {
            return self.is_free(now, agent, self.after_wrap_up());
        }
        let is_ready_next = self.after_wrap_up() == AgentState::Ready;
        let working = self.change(agent, |facts| {
            facts.state = match facts.next_state {
                Some(AgentState::NotReady | AgentState::WorkNotReady) => AgentState::WorkNotReady,
                None if !is_ready_next => AgentState::WorkNotReady,
                _ => AgentState::WorkReady,
            };
            // The after-call work itself was asked for: what follows it is left to it.
            facts.next_state = facts.next_state.filter(|next| matches!(next, AgentState::Ready | AgentState::NotReady));
        });
        self.calls.set(now.saturating_add(self.config.wrap_up), Due::WrapUpEnd(agent.clone(), working.order));
        self.report_agent(working);
    }

    fn wrap_up_ends(&mut self, now: Duration, agent: &AgentId, change: u64) {
        let Some(seat) = self.agents.get(agent).filter(|seat| seat.since == change) else { return };
        let next = match seat.facts.state {
            AgentState::WorkReady => AgentState::Ready,
            _ => AgentState::NotReady,
        };
        self.is_free(now, agent, next);
    }

    fn after_wrap_up(&self) -> AgentState {
        if self.config.ready_after_wrap_up { AgentState::Ready } else { AgentState::NotReady }
    }

    /// The agent has nothing to do any more: it is what it asked to be, or else `next`.
    fn is_free(&mut self, now: Duration, agent: &AgentId, next: AgentState) {
        let asked_because = self.agents.get(agent).map(|seat| seat.next_reason).unwrap_or_default();
        let free = self.change(agent, |facts| {
            facts.reason = if facts.next_state.is_some() { asked_because } else { ReasonCode::default() };
            facts.state = facts.next_state.take().unwrap_or(next);
        });
        self.report_agent(free);
        self.offer_waiting(now);
    }

    /// The agent logs out: what it was offered goes back to its queue, what it talked on ends.
    pub(super) fn drop_call_of(&mut self, agent: &AgentId) {
        let Some(id) = self.agents.get(agent).and_then(|seat| seat.call) else { return };
        if self.is_at(id, agent, AgentState::Reserved) {
            self.withdraw(id, agent);
            if let Some(call) = self.calls.there.get_mut(&id) {
                call.agent = None;
                if let Some(waiting) = self.calls.waiting.get_mut(&call.queue) {
                    waiting.push_front(id);
                }
            }
        } else {
            self.calls.there.remove(&id);
            if let Some(seat) = self.agents.get_mut(agent) {
                seat.call = None;
            }
        }
    }

    /// Takes an offer back.
    fn withdraw(&mut self, id: u32, agent: &AgentId) {
        let Some(seat) = self.agents.get_mut(agent) else { return };
        seat.call = None;
        let facts = seat.facts.clone();
        if let Some(call) = self.pre_call(id, &facts) {
            self.report(AcdEvent::PreCallAbort(call));
        }
    }

    fn is_since(&self, agent: &AgentId, change: u64) -> bool {
        self.agents.get(agent).is_some_and(|seat| seat.since == change)
    }

    fn is_at(&self, id: u32, agent: &AgentId, state: AgentState) -> bool {
        self.agents.get(agent).is_some_and(|seat| seat.call == Some(id) && seat.facts.state == state)
    }

    fn pre_call(&self, id: u32, facts: &AgentFacts) -> Option<PreCall> {
        let call = self.calls.there.get(&id)?;
        Some(PreCall {
            agent: facts.agent.clone(),
            instrument: facts.instrument.clone()?,
            queue: call.queue,
            key: (DAY, id),
            ani: Some(call.ani.clone()),
            dialed_number: Some(call.dialed_number.clone()),
            order: facts.order,
        })
    }
}

/// The day of every call key: the world has one.
const DAY: u32 = 1;
