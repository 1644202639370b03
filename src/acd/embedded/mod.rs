//! The embedded ACD: the default one, and a simulator that clients can be tested against.
//!
//! Lives here: an ACD's rules for agents, queues and calls, with latency and faults as configured. Not here: anything of a
//! client. Must hold: a command without latency or fault is done at its first poll; what the world changes by itself is
//! reported in the order in which it changes.

mod calls;
mod config;
mod control;
mod faults;
mod parties;
mod supervision;
#[cfg(test)]
mod tests;
mod world;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

pub use config::{CallsConfig, Command, EmbeddedConfig, Fault, FaultKind, InstrumentsConfig, Outage, QueueConfig};
use faults::Faults;
use world::World;

use super::{Acd, AcdConfigError, AcdEvents, AcdRefusal, Capabilities, Snapshot};
use crate::model::{
    AgentFacts, AgentId, Call, CallAbility, CallCommand, CallOutcome, Instrument, Login, Password, QueueChoice,
    QueueId, ReasonCode, StateChange, WantedState,
};

/// An ACD in the gateway's own process.
#[derive(Debug)]
pub struct EmbeddedAcd {
    world: Mutex<World>,
    faults: Mutex<Faults>,
    latency: Duration,
    outages: Vec<Outage>,
    began: Instant,
    /// Something may be due earlier than was thought.
    changed: Notify,
}

impl EmbeddedAcd {
    /// The world that the configuration describes, in which nobody is logged in.
    pub fn new(config: EmbeddedConfig) -> Result<EmbeddedAcd, AcdConfigError> {
        config.validate()?;
        Ok(EmbeddedAcd {
            faults: Mutex::new(Faults::new(config.faults.clone())),
            latency: config.latency,
            outages: config.outages.clone(),
            world: Mutex::new(World::new(config)?),
            began: Instant::now(),
            changed: Notify::new(),
        })
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Does a command: after the latency, unless a fault is in its way or the ACD is away.
    async fn obey<T>(
        &self,
        command: Command,
        agent: Option<&AgentId>,
        work: impl FnOnce(&mut World, Duration) -> Result<T, AcdRefusal>,
    ) -> Result<T, AcdRefusal> {
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        if self.world.lock().is_away {
            return Err(AcdRefusal::LinkDown); // a command that does not get there meets no fault there
        }
        let fault = self.faults.lock().take(command, agent);
        let kind = fault.as_ref().map(|fault| fault.kind);
        match (kind, fault) {
            (Some(FaultKind::Refuse), Some(Fault { code, words, .. })) => Err(AcdRefusal::Refused { code, words }),
            (Some(FaultKind::TimeOut), _) => std::future::pending().await,
            (Some(FaultKind::DoneInSilence), _) => {
                let _unsaid = self.do_now(work);
                std::future::pending().await
            }
            (Some(FaultKind::AnswerLate), Some(Fault { delay, .. })) => {
                let answer = self.do_now(work);
                tokio::time::sleep(delay).await;
                answer
            }
            _ => self.do_now(work),
        }
    }

    fn do_now<T>(&self, work: impl FnOnce(&mut World, Duration) -> Result<T, AcdRefusal>) -> Result<T, AcdRefusal> {
        let now = self.now();
        let (answer, is_earlier) = {
            let mut world = self.world.lock();
            if world.is_away {
                return Err(AcdRefusal::LinkDown);
            }
            let due = world.next_due();
            let answer = work(&mut world, now);
            (answer, world.next_due() != due)
        };
        if is_earlier {
            self.changed.notify_one();
        }
        answer
    }
}

/// The simulator's console: what an operator at a real ACD would do.
impl EmbeddedAcd {
    /// Logs an agent out behind the gateway's back.
    pub fn console_log_out(&self, agent: &AgentId, reason: ReasonCode) {
        let now = self.now();
        self.world.lock().leave_unasked(now, agent, reason);
        self.changed.notify_one();
    }

    /// Changes an agent's state behind the gateway's back, if it is logged in.
    pub fn console_set_state(&self, agent: &AgentId, wanted: WantedState, reason: ReasonCode) {
        let now = self.now();
        let change = StateChange { agent: agent.clone(), wanted, reason };
        self.world.lock().set_state_unasked(now, &change);
        self.changed.notify_one();
    }

    /// Lets a caller come to a queue.
    pub fn arrive(&self, queue: QueueId) {
        let now = self.now();
        self.world.lock().arrive(now, queue);
        self.changed.notify_one();
    }

    /// Cannot be reached any more, until [`come_back`](EmbeddedAcd::come_back).
    pub fn go_away(&self) {
        self.world.lock().go_away();
    }

    /// Can be reached again.
    pub fn come_back(&self) {
        self.world.lock().come_back();
    }

    /// The next reports get lost on their way.
    pub fn lose_reports(&self, count: usize) {
        self.world.lock().reports_to_lose = count;
    }

    /// Makes commands go wrong from now on.
    pub fn add_fault(&self, fault: Fault) {
        self.faults.lock().add(fault);
    }

    /// Makes no command go wrong any more.
    pub fn clear_faults(&self) {
        self.faults.lock().clear();
    }

    /// The agents whose adapter is open.
    pub fn adapters(&self) -> Vec<AgentId> {
        self.world.lock().adapters.iter().cloned().collect()
    }

    /// How an agent really stands.
    pub fn facts(&self, agent: &AgentId) -> Option<AgentFacts> {
        self.world.lock().agents.get(agent).map(|seat| seat.facts.clone())
    }

    /// The calls that there really are.
    pub fn calls(&self) -> Vec<Arc<Call>> {
        self.world.lock().calls.there.values().cloned().collect()
    }

    /// How many callers found their queue full.
    pub fn turned_away(&self) -> u64 {
        self.world.lock().calls.turned_away
    }
}

#[async_trait]
impl Acd for EmbeddedAcd {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            after_call_work: true,
            partial_logout: true,
            lists_instruments: true,
            lists_agents: true,
            calls: CallAbility::ALL.into_iter().collect(),
        }
    }

    async fn run(&self, events: AcdEvents) {
        self.world.lock().connect(events.clone());
        let mut looked_at = None;
        loop {
            let turn = self.outages.iter().filter_map(|outage| outage.next_turn(looked_at)).min();
            let due = self.world.lock().next_due();
            let next = [due, turn].into_iter().flatten().min();
            tokio::select! {
                () = events.closed() => return,
                () = self.changed.notified() => (),
                () = until(next.and_then(|next| self.began.checked_add(next))) => (),
            }
            let now = self.now();
            let mut world = self.world.lock();
            world.pass(now);
            if let Some(at) = turn.filter(|at| *at <= now) {
                looked_at = Some(at);
                let is_on = self.outages.iter().any(|outage| outage.is_on(at));
                if is_on { world.go_away() } else { world.come_back() }
            }
        }
    }

    async fn open_adapter(&self, agent: &AgentId, _instrument: &Instrument) -> Result<(), AcdRefusal> {
        self.obey(Command::OpenAdapter, Some(agent), |world, _| world.open_adapter(agent)).await
    }

    async fn close_adapter(&self, agent: &AgentId) -> Result<(), AcdRefusal> {
        self.obey(Command::CloseAdapter, Some(agent), |world, _| {
            world.adapters.remove(agent);
            Ok(())
        })
        .await
    }

    async fn authenticate(&self, agent: &AgentId, password: &Password) -> Result<(), AcdRefusal> {
        self.obey(Command::Authenticate, Some(agent), |world, _| world.authenticate(agent, password)).await
    }

    async fn log_in(&self, login: &Login) -> Result<AgentFacts, AcdRefusal> {
        self.obey(Command::LogIn, Some(&login.agent), |world, now| world.log_in(now, login)).await
    }

    async fn set_state(&self, change: &StateChange) -> Result<AgentFacts, AcdRefusal> {
        self.obey(Command::SetState, Some(&change.agent), |world, now| world.set_state(now, change)).await
    }

    async fn log_out(
        &self,
        agent: &AgentId,
        queues: &QueueChoice,
        reason: ReasonCode,
        forced: bool,
    ) -> Result<AgentFacts, AcdRefusal> {
        let _leaving = Leaving::new(self, agent);
        self.obey(Command::LogOut, Some(agent), |world, now| world.log_out(now, agent, queues, reason, forced)).await
    }

    async fn control_call(&self, command: &CallCommand) -> Result<CallOutcome, AcdRefusal> {
        self.obey(Command::ControlCall, None, |world, now| world.control_call(now, command)).await
    }

    async fn agent(&self, agent: &AgentId) -> Result<Option<AgentFacts>, AcdRefusal> {
        let facts = |world: &mut World, _| Ok(world.agents.get(agent).map(|seat| seat.facts.clone()));
        self.obey(Command::Agent, Some(agent), facts).await
    }

    async fn snapshot(&self) -> Result<Snapshot, AcdRefusal> {
        self.obey(Command::Snapshot, None, |world, _| Ok(world.snapshot())).await
    }
}

/// While this lives, a logout is on its way. Also who gives it up in the middle ends it.
struct Leaving<'a> {
    acd: &'a EmbeddedAcd,
    agent: &'a AgentId,
}

impl<'a> Leaving<'a> {
    fn new(acd: &'a EmbeddedAcd, agent: &'a AgentId) -> Leaving<'a> {
        acd.world.lock().set_leaving(acd.now(), agent, true);
        Leaving { acd, agent }
    }
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.acd.world.lock().set_leaving(self.acd.now(), self.agent, false);
        self.acd.changed.notify_one();
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
