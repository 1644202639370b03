//! What the embedded ACD promises, told as tests. Not here: what the gateway makes of it.

mod agents;
mod calls;
mod config;
mod faults;
mod invariants;
mod outages;
mod takeover;

use std::sync::Arc;
use std::time::Duration;

use super::{AgentsConfig, Command, EmbeddedAcd, EmbeddedConfig, Fault, FaultKind};
use crate::acd::{Acd, AcdEvent, AcdInbox, AcdRefusal, acd_channel};
use crate::model::{
    AgentFacts, AgentId, AgentState, Instrument, Login, Password, QueueChoice, QueueId, ReasonCode, StateChange,
    WantedState,
};

/// An embedded ACD that runs, and the gateway's end of its reports.
struct Stage {
    acd: Arc<EmbeddedAcd>,
    inbox: AcdInbox,
}

/// The default world with short, even calls.
async fn stage() -> Stage {
    stage_of(|_| ()).await
}

async fn stage_of(change: impl FnOnce(&mut EmbeddedConfig)) -> Stage {
    let mut config = EmbeddedConfig::default();
    config.calls.talk_min = TALK;
    config.calls.talk_max = TALK;
    config.calls.answer_after = RING;
    change(&mut config);
    let acd = Arc::new(EmbeddedAcd::new(config).unwrap());
    let (events, inbox) = acd_channel(10_000);
    let running = Arc::clone(&acd);
    tokio::spawn(async move { running.run(events).await });
    let mut stage = Stage { acd, inbox };
    assert_eq!(stage.told().await.first().map(String::as_str), Some("link up"));
    stage
}

impl Stage {
    /// What was reported since this was last asked, in words.
    async fn told(&mut self) -> Vec<String> {
        self.heard().await.iter().map(in_words).collect()
    }

    /// The same, as it was reported.
    async fn heard(&mut self) -> Vec<AcdEvent> {
        let mut events = Vec::new();
        while let Ok(true) = tokio::time::timeout(MOMENT, self.inbox.take(&mut events, 1_000)).await {}
        events
    }

    /// What is reported in the time from now on.
    async fn told_within(&mut self, time: Duration) -> Vec<String> {
        tokio::time::sleep(time).await;
        self.told().await
    }

    async fn log_in(&self, id: u32, instrument: u32) -> Result<AgentFacts, AcdRefusal> {
        self.acd.log_in(&login(id, instrument)).await
    }

    async fn be(&self, id: u32, wanted: WantedState) -> Result<AgentFacts, AcdRefusal> {
        self.be_because(id, wanted, 0).await
    }

    async fn be_because(&self, id: u32, wanted: WantedState, reason: u16) -> Result<AgentFacts, AcdRefusal> {
        self.acd.set_state(&StateChange { agent: agent(id), wanted, reason: ReasonCode(reason) }).await
    }

    async fn log_out(&self, id: u32, queues: &[u32]) -> Result<AgentFacts, AcdRefusal> {
        self.acd.log_out(&agent(id), &named(queues), ReasonCode(9), false).await
    }

    async fn log_out_forced(&self, id: u32) -> Result<AgentFacts, AcdRefusal> {
        self.acd.log_out(&agent(id), &QueueChoice::AsAcdSays, ReasonCode(9), true).await
    }

    /// Logs an agent in, at the instrument of its number, and makes it ready.
    async fn ready(&self, id: u32) {
        self.log_in(id, id + 2_000).await.unwrap();
        self.be(id, WantedState::Ready).await.unwrap();
    }

    fn facts(&self, id: u32) -> AgentFacts {
        self.acd.facts(&agent(id)).unwrap()
    }
}

fn in_words(event: &AcdEvent) -> String {
    match event {
        AcdEvent::LinkUp => "link up".to_owned(),
        AcdEvent::LinkDown { .. } => "link down".to_owned(),
        AcdEvent::Agent(facts) => {
            let because = if facts.reason.0 == 0 { String::new() } else { format!(" because {}", facts.reason) };
            let then = facts.next_state.map(|next| format!(" then {next:?}")).unwrap_or_default();
            format!("{} {:?}{because}{then}", facts.agent, facts.state)
        }
        AcdEvent::PreCall(call) => format!("{} is offered a call of {}", call.agent, call.queue),
        AcdEvent::PreCallAbort(call) => format!("{} is offered no call of {}", call.agent, call.queue),
    }
}

fn agent(id: u32) -> AgentId {
    AgentId::new(&id.to_string()).unwrap()
}

fn device(number: u32) -> Instrument {
    Instrument::new(&number.to_string()).unwrap()
}

fn named(queues: &[u32]) -> QueueChoice {
    QueueChoice::from_named(queues.iter().copied().map(QueueId).collect())
}

fn login(id: u32, instrument: u32) -> Login {
    Login {
        agent: agent(id),
        password: Password::new(format!("pw{id}")),
        instrument: device(instrument),
        queues: QueueChoice::AsAcdSays,
        forced: false,
    }
}

/// How long it rings, and how long a call is talked on.
const RING: Duration = Duration::from_secs(3);
const TALK: Duration = Duration::from_secs(20);
/// Longer than anything that happens at once.
const MOMENT: Duration = Duration::from_millis(1);
/// So long that whatever began at the same time is over.
const SLACK: Duration = Duration::from_millis(100);
