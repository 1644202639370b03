//! An ACD whose answers a test can hold back, refuse or never give; otherwise the embedded one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ctigate::acd::embedded::{EmbeddedAcd, EmbeddedConfig};
use ctigate::acd::{Acd, AcdEvents, AcdRefusal, Capabilities, Snapshot};
use ctigate::model::{
    AgentFacts, AgentId, CallCommand, CallOutcome, Instrument, Login, Password, QueueChoice, ReasonCode, StateChange,
};
use tokio::sync::oneshot;

/// The embedded ACD with a hand on its answers.
#[derive(Debug)]
pub struct HeldAcd {
    pub inner: EmbeddedAcd,
    holds: Mutex<HashMap<&'static str, Vec<oneshot::Sender<Held>>>>,
    journal: Mutex<Vec<String>>,
    /// What it says that it can do, where that is not all.
    pub capabilities: Mutex<Option<Capabilities>>,
    /// What it says of everything, where that is not how it is now.
    pub snapshot: Mutex<Option<Snapshot>>,
}

/// A command that has reached the ACD and waits for what the test makes of it.
#[derive(Debug)]
pub struct Held {
    verdict: oneshot::Sender<Verdict>,
}

#[derive(Debug)]
enum Verdict {
    Do,
    Refuse(AcdRefusal),
    DoAndKeepSilent,
    Die { having_done_it: bool, having_said_so: bool },
}

/// What comes of it once it is done.
enum Then {
    Says,
    KeepsSilent,
    SaysAndDies,
    Dies,
}

impl Held {
    /// The ACD does it and says so.
    pub fn does_it(self) {
        let _ = self.verdict.send(Verdict::Do);
    }

    /// The ACD does not do it and says why.
    pub fn refuses(self, reason: AcdRefusal) {
        let _ = self.verdict.send(Verdict::Refuse(reason));
    }

    /// The ACD does it and never answers.
    pub fn does_it_in_silence(self) {
        let _ = self.verdict.send(Verdict::DoAndKeepSilent);
    }

    /// The ACD goes away, before it has done it.
    pub fn dies_before_it(self) {
        let _ = self.verdict.send(Verdict::Die { having_done_it: false, having_said_so: false });
    }

    /// The ACD goes away, having done it; whether that is said is `having_said_so`.
    pub fn dies_after_it(self, having_said_so: bool) {
        let _ = self.verdict.send(Verdict::Die { having_done_it: true, having_said_so });
    }

    /// The ACD neither does it nor answers.
    pub fn never_answers(self) {
        drop(self.verdict);
    }
}

impl HeldAcd {
    pub fn new(config: EmbeddedConfig) -> Arc<HeldAcd> {
        Arc::new(HeldAcd {
            inner: EmbeddedAcd::new(config).expect("a sound configuration"),
            holds: Mutex::default(),
            journal: Mutex::default(),
            capabilities: Mutex::default(),
            snapshot: Mutex::default(),
        })
    }

    /// The next command of that name waits for the test; await what this returns to get hold of it.
    pub fn hold(&self, command: &'static str) -> oneshot::Receiver<Held> {
        let (send, receive) = oneshot::channel();
        self.holds.lock().unwrap().entry(command).or_default().push(send);
        receive
    }

    /// What was asked so far, in order.
    pub fn journal(&self) -> Vec<String> {
        self.journal.lock().unwrap().clone()
    }

    fn note(&self, line: String) {
        self.journal.lock().unwrap().push(line);
    }

    async fn before(&self, command: &'static str) -> Result<Then, AcdRefusal> {
        let hold = {
            let mut holds = self.holds.lock().unwrap();
            holds.get_mut(command).filter(|waiting| !waiting.is_empty()).map(|waiting| waiting.remove(0))
        };
        let Some(hold) = hold else { return Ok(Then::Says) };
        let (verdict, decided) = oneshot::channel();
        if hold.send(Held { verdict }).is_err() {
            return Ok(Then::Says);
        }
        match decided.await {
            Ok(Verdict::Do) => Ok(Then::Says),
            Ok(Verdict::Refuse(reason)) => Err(reason),
            Ok(Verdict::DoAndKeepSilent) => Ok(Then::KeepsSilent),
            Ok(Verdict::Die { having_done_it: false, .. }) => {
                self.inner.go_away();
                Err(AcdRefusal::LinkDown)
            }
            Ok(Verdict::Die { having_said_so: true, .. }) => Ok(Then::SaysAndDies),
            Ok(Verdict::Die { .. }) => Ok(Then::Dies),
            Err(_) => std::future::pending().await,
        }
    }

    async fn run_held<T>(
        &self,
        command: &'static str,
        about: String,
        action: impl Future<Output = Result<T, AcdRefusal>>,
    ) -> Result<T, AcdRefusal> {
        self.note(format!("{command} {about} asked"));
        let then = self.before(command).await?;
        let done = action.await;
        self.note(format!("{command} {about} {}", if done.is_ok() { "done" } else { "refused" }));
        match then {
            Then::Says => done,
            Then::KeepsSilent => std::future::pending().await,
            Then::SaysAndDies => {
                self.inner.go_away();
                done
            }
            Then::Dies => {
                self.inner.go_away();
                Err(AcdRefusal::LinkDown)
            }
        }
    }
}

#[async_trait]
impl Acd for HeldAcd {
    fn capabilities(&self) -> Capabilities {
        self.capabilities.lock().unwrap().unwrap_or(self.inner.capabilities())
    }

    async fn run(&self, events: AcdEvents) {
        self.inner.run(events).await;
    }

    async fn open_adapter(&self, agent: &AgentId, instrument: &Instrument) -> Result<(), AcdRefusal> {
        self.run_held("open_adapter", agent.to_string(), self.inner.open_adapter(agent, instrument)).await
    }

    async fn close_adapter(&self, agent: &AgentId) -> Result<(), AcdRefusal> {
        self.run_held("close_adapter", agent.to_string(), self.inner.close_adapter(agent)).await
    }

    async fn authenticate(&self, agent: &AgentId, password: &Password) -> Result<(), AcdRefusal> {
        self.run_held("authenticate", agent.to_string(), self.inner.authenticate(agent, password)).await
    }

    async fn log_in(&self, login: &Login) -> Result<AgentFacts, AcdRefusal> {
        self.run_held("log_in", login.agent.to_string(), self.inner.log_in(login)).await
    }

    async fn set_state(&self, change: &StateChange) -> Result<AgentFacts, AcdRefusal> {
        self.run_held("set_state", change.agent.to_string(), self.inner.set_state(change)).await
    }

    async fn log_out(
        &self,
        agent: &AgentId,
        queues: &QueueChoice,
        reason: ReasonCode,
        forced: bool,
    ) -> Result<AgentFacts, AcdRefusal> {
        self.run_held("log_out", agent.to_string(), self.inner.log_out(agent, queues, reason, forced)).await
    }

    async fn control_call(&self, command: &CallCommand) -> Result<CallOutcome, AcdRefusal> {
        self.run_held("control_call", command.what().to_owned(), self.inner.control_call(command)).await
    }

    async fn agent(&self, agent: &AgentId) -> Result<Option<AgentFacts>, AcdRefusal> {
        self.run_held("agent", agent.to_string(), self.inner.agent(agent)).await
    }

    async fn snapshot(&self) -> Result<Snapshot, AcdRefusal> {
        let earlier = self.snapshot.lock().unwrap().take();
        match earlier {
            Some(earlier) => Ok(earlier),
            None => {
                let mut snapshot = self.run_held("snapshot", String::new(), self.inner.snapshot()).await?;
                let lists_agents = self.capabilities().lists_agents;
                snapshot.agents.retain(|facts| lists_agents || facts.is_logged_in());
                Ok(snapshot)
            }
        }
    }
}
