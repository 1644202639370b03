//! The embedded world's rules: agents, queues, devices. It does no IO and reads no clock: time is an argument.
//!
//! Not here: calls (`calls`), latency and faults (`mod`). Must hold: an agent is in no queue exactly while it is logged
//! out; a device has one agent; whatever changes outside of a command is reported, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ahash::{HashMap, HashSet, RandomState};
use indexmap::IndexMap;

use super::calls::{Calls, Ringing};
use super::config::EmbeddedConfig;
use super::control::Joining;
use crate::acd::{AcdConfigError, AcdEvent, AcdEvents, AcdRefusal, Snapshot};
use crate::model::{
    AgentFacts, AgentId, AgentState, CallId, Connection, Instrument, Login, Password, QueueChoice, QueueId, Queues,
    ReasonCode, StateChange, WantedState,
};

/// Everything that there is.
#[derive(Debug)]
pub(super) struct World {
    pub(super) config: EmbeddedConfig,
    /// In the configuration's order.
    pub(super) agents: IndexMap<AgentId, Seat, RandomState>,
    pub(super) at_instrument: HashMap<Instrument, AgentId>,
    pub(super) instruments: HashSet<Instrument>,
    /// The ready agents of each queue, the one who waits longest first.
    pub(super) ready: BTreeMap<QueueId, BTreeSet<(u64, AgentId)>>,
    pub(super) calls: Calls,
    /// The calls that one of the ACD's devices has to do with, in the order in which it came to them.
    pub(super) on_calls: HashMap<Instrument, Vec<CallId>>,
    /// Where it rings.
    pub(super) ringing: HashMap<(CallId, Instrument), Ringing>,
    /// Who is being brought into a call.
    pub(super) joining: HashMap<CallId, Joining>,
    /// The calls that supervisors listen with, and to which agent's end of which call.
    pub(super) listening: BTreeMap<CallId, Connection>,
    pub(super) adapters: BTreeSet<AgentId>,
    /// The ACD cannot be reached.
    pub(super) is_away: bool,
    events: Option<AcdEvents>,
    /// How many of the next reports get lost.
    pub(super) reports_to_lose: usize,
    /// The number of changes so far: what `AgentFacts::order` is taken from.
    pub(super) changes: u64,
}

/// An agent and what the outside does not see of it.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) facts: AgentFacts,
    password: Password,
    may_join: Vec<QueueId>,
    /// What it was before its calls.
    pub(super) before: AgentState,
    /// A logout is on its way here: no call is offered meanwhile.
    is_leaving: bool,
    /// The change that put it in its state: joining a queue later does not send a ready agent to the end.
    pub(super) since: u64,
    /// Why it wants its `next_state`.
    pub(super) next_reason: ReasonCode,
}

impl World {
    pub(super) fn new(config: EmbeddedConfig) -> Result<World, AcdConfigError> {
        let mut agents = IndexMap::default();
        for range in &config.agents {
            agents.extend(range.every()?.map(|(id, password, may_join)| {
                let facts = AgentFacts::logged_out(id.clone(), ReasonCode::default(), 1);
                (
                    id,
                    Seat {
                        facts,
                        password,
                        may_join,
                        before: AgentState::NotReady,
                        is_leaving: false,
                        since: 0,
                        next_reason: ReasonCode::default(),
                    },
                )
            }));
        }
        Ok(World {
            agents,
            at_instrument: HashMap::default(),
            instruments: config.every_instrument().collect(),
            ready: config.queues.iter().map(|queue| (queue.number, BTreeSet::new())).collect(),
            calls: Calls::new(&config),
            on_calls: HashMap::default(),
            ringing: HashMap::default(),
            joining: HashMap::default(),
            listening: BTreeMap::new(),
            adapters: BTreeSet::new(),
            is_away: false,
            events: None,
            reports_to_lose: 0,
            changes: 1,
            config,
        })
    }

    /// From here on changes are reported there.
    pub(super) fn connect(&mut self, events: AcdEvents) {
        self.events = Some(events);
        self.report(AcdEvent::LinkUp);
    }

    pub(super) fn go_away(&mut self) {
        if !self.is_away {
            self.report(AcdEvent::LinkDown { reason: "the embedded ACD was told to go away".to_owned() });
            self.is_away = true;
        }
    }

    pub(super) fn come_back(&mut self) {
        if self.is_away {
            self.is_away = false;
            self.report(AcdEvent::LinkUp);
        }
    }

    /// Nobody hears anything while the ACD is away.
    pub(super) fn report(&mut self, event: AcdEvent) {
        if self.reports_to_lose > 0 && event.order().is_some() {
            self.reports_to_lose -= 1;
            return;
        }
        if let Some(events) = self.events.as_ref().filter(|_| !self.is_away) {
            events.report(event);
        }
    }

    pub(super) fn report_agent(&mut self, facts: AgentFacts) {
        self.report(AcdEvent::Agent(facts));
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            order: self.changes,
            agents: self.agents.values().map(|seat| seat.facts.clone()).collect(),
            queues: self.config.queues.iter().map(|queue| (queue.number, queue.name.clone())).collect(),
            instruments: self.instruments.iter().cloned().collect(),
            adapters: self.adapters.iter().cloned().collect(),
            calls: self.calls.there.values().cloned().collect(),
        }
    }

    pub(super) fn open_adapter(&mut self, agent: &AgentId) -> Result<(), AcdRefusal> {
        self.seat(agent)?; // so that there are never more adapters than agents
        self.adapters.insert(agent.clone());
        Ok(())
    }

    pub(super) fn authenticate(&self, agent: &AgentId, password: &Password) -> Result<(), AcdRefusal> {
        let seat = self.agents.get(agent).filter(|seat| seat.password.matches(password));
        seat.map(|_| ()).ok_or(AcdRefusal::BadCredentials)
    }

    pub(super) fn log_in(&mut self, now: Duration, login: &Login) -> Result<AgentFacts, AcdRefusal> {
        let agent = &login.agent;
        self.authenticate(agent, &login.password)?;
        if !self.instruments.contains(&login.instrument) {
            return Err(AcdRefusal::UnknownInstrument { instrument: login.instrument.clone() });
        }
        let queues = self.queues_to_join(agent, &login.queues)?;
        let seat = self.seat(agent)?;
        if let Some(at) = seat.facts.instrument.clone() {
            let joins = queues.iter().any(|queue| !seat.facts.queues.contains(queue));
            if at == login.instrument && joins {
                let joined = self.change(agent, |facts| {
                    facts.queues.extend(queues);
                    facts.queues.sort_unstable();
                    facts.queues.dedup();
                });
                self.offer_waiting(now);
                return Ok(joined);
            }
            if at == login.instrument && login.forced {
                return Ok(seat.facts.clone()); // a desktop that comes back finds everything as it was
            }
            if at == login.instrument || !login.forced {
                return Err(AcdRefusal::AlreadyLoggedIn { agent: agent.clone(), instrument: at });
            }
        }
        let taken_by = self.at_instrument.get(&login.instrument).filter(|by| *by != agent).cloned();
        if let Some(by) = taken_by {
            if !login.forced {
                return Err(AcdRefusal::InstrumentInUse { instrument: login.instrument.clone(), by });
            }
            self.leave_reported(now, &by, ReasonCode::default());
        }
        self.leave_reported(now, agent, ReasonCode::default());
        let came = self.change(agent, |facts| {
            facts.state = AgentState::NotReady;
            facts.reason = ReasonCode::default();
            facts.instrument = Some(login.instrument.clone());
            facts.queues = queues.into();
        });
        self.adopt_calls(now, agent, &login.instrument);
        self.offer_waiting(now);
        Ok(came)
    }

    pub(super) fn set_state(&mut self, now: Duration, change: &StateChange) -> Result<AgentFacts, AcdRefusal> {
        let changed = self.set_state_only(change)?;
        self.offer_waiting(now);
        Ok(changed)
    }

    /// As [`set_state`](World::set_state), by somebody else's doing: reported, and before the call that may follow.
    pub(super) fn set_state_unasked(&mut self, now: Duration, change: &StateChange) {
        let before = self.changes;
        if let Ok(changed) = self.set_state_only(change)
            && changed.order > before
        {
            self.report_agent(changed);
            self.offer_waiting(now);
        }
    }

    fn set_state_only(&mut self, change: &StateChange) -> Result<AgentFacts, AcdRefusal> {
        let facts = &self.seat(&change.agent)?.facts;
        if !facts.is_logged_in() {
            return Err(AcdRefusal::NotLoggedIn { agent: change.agent.clone() });
        }
        let is_not_ready = change.wanted == WantedState::NotReady;
        if is_not_ready && self.config.not_ready_reason_required && change.reason == ReasonCode::default() {
            return Err(AcdRefusal::ReasonRequired);
        }
        let reason = if is_not_ready { change.reason } else { ReasonCode::default() };
        if facts.state.is_on_call() {
            // Also while it only rings: the call that was offered is still the agent's to answer.
            let asked = self.change(&change.agent, |facts| facts.next_state = Some(change.wanted.into()));
            if let Some(seat) = self.agents.get_mut(&change.agent) {
                seat.next_reason = reason;
            }
            return Ok(asked);
        }
        if !matches!(change.wanted, WantedState::WorkReady | WantedState::WorkNotReady) {
            self.release_all(&change.agent);
        }
        Ok(self.change(&change.agent, |facts| {
            // What was asked for on the call before is overruled.
            (facts.state, facts.reason, facts.next_state) = (change.wanted.into(), reason, None);
        }))
    }

    pub(super) fn log_out(
        &mut self,
        now: Duration,
        agent: &AgentId,
        queues: &QueueChoice,
        reason: ReasonCode,
        forced: bool,
    ) -> Result<AgentFacts, AcdRefusal> {
        let facts = &self.seat(agent)?.facts;
        if !facts.is_logged_in() {
            return Err(AcdRefusal::NotLoggedIn { agent: agent.clone() });
        }
        let stays: Queues = match queues {
            QueueChoice::AsAcdSays => Queues::new(),
            QueueChoice::Named(leaving) => {
                if let Some(&queue) = leaving.iter().find(|queue| !facts.queues.contains(queue)) {
                    return Err(AcdRefusal::BadQueue { agent: agent.clone(), queue });
                }
                facts.queues.iter().filter(|queue| !leaving.contains(queue)).copied().collect()
            }
        };
        if !stays.is_empty() {
            return Ok(self.change(agent, |facts| facts.queues = stays));
        }
        if self.config.logout_reason_required && reason == ReasonCode::default() && !forced {
            return Err(AcdRefusal::ReasonRequired);
        }
        if facts.state.is_on_call() && !forced {
            return Err(AcdRefusal::WrongState { agent: agent.clone(), state: facts.state });
        }
        let gone = self.leave(now, agent, reason);
        self.offer_waiting(now);
        Ok(gone)
    }

    /// An agent is logged out by somebody else's doing.
    pub(super) fn leave_unasked(&mut self, now: Duration, agent: &AgentId, reason: ReasonCode) {
        self.leave_reported(now, agent, reason);
        self.offer_waiting(now);
    }

    fn leave_reported(&mut self, now: Duration, agent: &AgentId, reason: ReasonCode) {
        if self.agents.get(agent).is_some_and(|seat| seat.facts.is_logged_in()) {
            let gone = self.leave(now, agent, reason);
            self.report_agent(gone);
        }
    }

    /// The agent leaves everything, and its call ends. One that was offered is for the caller to offer to another,
    /// once all that comes before is told.
    fn leave(&mut self, now: Duration, agent: &AgentId, reason: ReasonCode) -> AgentFacts {
        self.drop_calls_of(now, agent);
        self.change(agent, |facts| {
            *facts = AgentFacts::logged_out(facts.agent.clone(), reason, facts.order);
        })
    }

    /// Changes an agent. What differs then has a new order, and is found by device and among the ready ones.
    pub(super) fn change(&mut self, agent: &AgentId, change: impl FnOnce(&mut AgentFacts)) -> AgentFacts {
        let Some(seat) = self.agents.get_mut(agent) else {
            return AgentFacts::logged_out(agent.clone(), ReasonCode::default(), self.changes);
        };
        let was = seat.facts.clone();
        change(&mut seat.facts);
        if !seat.facts.differs_from(&was) {
            return was;
        }
        self.changes += 1;
        seat.facts.order = self.changes;
        let now = seat.facts.clone();
        let place = (seat.since, agent.clone());
        for queue in was.queues.iter().filter(|_| was.state == AgentState::Ready) {
            self.ready.get_mut(queue).map(|ready| ready.remove(&place));
        }
        if was.state != now.state {
            seat.since = now.order;
        }
        if now.state.is_on_call() && !was.state.is_on_call() {
            seat.before = was.state;
        }
        let place = (seat.since, agent.clone());
        let may_be_offered = now.state == AgentState::Ready && !seat.is_leaving;
        for queue in now.queues.iter().filter(|_| may_be_offered) {
            self.ready.get_mut(queue).map(|ready| ready.insert(place.clone()));
        }
        if was.instrument != now.instrument {
            if let Some(device) = &was.instrument {
                self.at_instrument.remove(device);
            }
            if let Some(device) = &now.instrument {
                self.at_instrument.insert(device.clone(), agent.clone());
            }
        }
        now
    }

    /// A logout of the agent is on its way, or no longer: until it is decided, no call is offered.
    pub(super) fn set_leaving(&mut self, now: Duration, agent: &AgentId, is_leaving: bool) {
        let Some(seat) = self.agents.get_mut(agent) else { return };
        seat.is_leaving = is_leaving;
        let place = (seat.since, agent.clone());
        for queue in seat.facts.queues.iter().filter(|_| seat.facts.state == AgentState::Ready) {
            match is_leaving {
                true => self.ready.get_mut(queue).map(|ready| ready.remove(&place)),
                false => self.ready.get_mut(queue).map(|ready| ready.insert(place.clone())),
            };
        }
        self.offer_waiting(now);
    }

    fn seat(&self, agent: &AgentId) -> Result<&Seat, AcdRefusal> {
        self.agents.get(agent).ok_or_else(|| AcdRefusal::UnknownAgent { agent: agent.clone() })
    }

    fn queues_to_join(&self, agent: &AgentId, asked: &QueueChoice) -> Result<Vec<QueueId>, AcdRefusal> {
        let may_join = &self.seat(agent)?.may_join;
        let QueueChoice::Named(named) = asked else { return Ok(may_join.clone()) };
        match named.iter().find(|queue| !may_join.contains(queue)) {
            Some(&queue) => Err(AcdRefusal::BadQueue { agent: agent.clone(), queue }),
            None => Ok(named.clone()),
        }
    }
}
