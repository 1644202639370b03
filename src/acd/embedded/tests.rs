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

use super::{Command, EmbeddedAcd, EmbeddedConfig, Fault, FaultKind, InstrumentsConfig, Outage};
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

    /// What was reported of the link and of agents, as it was reported.
    async fn heard(&mut self) -> Vec<AcdEvent> {
        let mut events = self.heard_all().await;
        events.retain(|event| !matches!(event, AcdEvent::Call(_)));
        events
    }

    /// All that was reported, calls included.
    async fn heard_all(&mut self) -> Vec<AcdEvent> {
        let mut events = Vec::new();
        while let Ok(true) = tokio::time::timeout(MOMENT, self.inbox.take(&mut events, 1_000)).await {}
        events.into_iter().map(|read| read.event).collect()
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
        AcdEvent::Call(report) => format!("call {} {:?}", report.call.id.0, report.step),
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

#[tokio::test(start_paused = true)]
async fn the_same_state_again_is_no_newer_fact_and_keeps_the_place_in_the_line() {
    let mut stage = stage().await;
    stage.ready(1001).await;
    stage.ready(1002).await;
    let before = stage.facts(1001);
    assert_eq!(stage.be(1001, WantedState::Ready).await, Ok(before.clone()));
    assert_eq!(stage.acd.agent(&agent(1001)).await, Ok(Some(before)));
    stage.acd.arrive(QueueId(1));
    assert_eq!(stage.told().await[0], "1001 is offered a call of 1");
}

#[tokio::test(start_paused = true)]
async fn a_forced_logout_needs_no_reason_and_not_ready_on_a_call_needs_one() {
    let mut stage = stage_of(|config| {
        (config.not_ready_reason_required, config.logout_reason_required) = (true, true);
    })
    .await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    stage.told_within(RING + SLACK).await;
    assert_eq!(stage.be(1001, WantedState::NotReady).await, Err(AcdRefusal::ReasonRequired));
    assert_eq!(stage.facts(1001).next_state, None);
    let gone = stage.acd.log_out(&agent(1001), &QueueChoice::AsAcdSays, ReasonCode(0), true).await;
    assert_eq!(gone.map(|facts| facts.state), Ok(AgentState::LoggedOut));
}

#[tokio::test(start_paused = true)]
async fn the_reason_given_on_a_call_is_the_reason_when_it_ends() {
    for wrap_up in [Duration::ZERO, Duration::from_secs(5)] {
        let mut stage = stage_of(|config| config.wrap_up = wrap_up).await;
        stage.ready(1001).await;
        stage.acd.arrive(QueueId(1));
        stage.told_within(RING + SLACK).await;
        stage.be_because(1001, WantedState::NotReady, 5).await.unwrap();
        stage.be_because(1001, WantedState::NotReady, 6).await.unwrap();
        assert_eq!(stage.facts(1001).reason, ReasonCode(0), "it is talking, which needs no reason");
        let told = stage.told_within(TALK + wrap_up).await;
        assert_eq!(told.last().map(String::as_str), Some("1001 NotReady because 6"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reason_given_on_a_call_is_forgotten_with_what_it_was_for() {
    let mut stage = stage().await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    stage.told_within(RING + SLACK).await;
    stage.be_because(1001, WantedState::NotReady, 5).await.unwrap();
    stage.be(1001, WantedState::Ready).await.unwrap();
    assert_eq!(stage.told_within(TALK).await, ["1001 Ready"]);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_after_call_work_early_is_not_held_to_what_it_asked_on_the_call() {
    let mut stage = stage_of(|config| config.wrap_up = Duration::from_secs(5)).await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    stage.told_within(RING + SLACK).await;
    stage.be_because(1001, WantedState::NotReady, 5).await.unwrap();
    assert_eq!(stage.told_within(TALK).await, ["1001 WorkNotReady then NotReady"]);
    let ready = stage.be(1001, WantedState::Ready).await.unwrap();
    assert_eq!((ready.state, ready.next_state), (AgentState::Ready, None));
    stage.acd.arrive(QueueId(1));
    let told = stage.told_within(RING + TALK + Duration::from_secs(6)).await;
    assert_eq!(told[1..], ["1001 Reserved", "1001 Talking", "1001 WorkReady", "1001 Ready"]);
}

#[tokio::test(start_paused = true)]
async fn after_call_work_ends_also_for_who_leaves_or_joins_a_queue_meanwhile() {
    let mut stage = stage_of(|config| config.wrap_up = Duration::from_secs(5)).await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    stage.told_within(RING + TALK + SLACK).await;
    assert_eq!(stage.log_out(1001, &[3]).await.unwrap().state, AgentState::WorkReady);
    assert_eq!(stage.log_in(1001, 3001).await.unwrap().state, AgentState::WorkReady);
    assert_eq!(stage.told_within(Duration::from_secs(5)).await, ["1001 Ready"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_offered_to_the_same_agent_again_rings_its_full_time_again() {
    for (no_answer, rings) in [(0.0, RING), (1.0, Duration::from_secs(15))] {
        let mut stage = stage_of(|config| config.calls.no_answer = no_answer).await;
        stage.ready(1001).await;
        stage.acd.arrive(QueueId(1));
        stage.told_within(Duration::from_secs(2)).await;
        stage.log_out_forced(1001).await.unwrap();
        stage.ready(1001).await;
        assert_eq!(stage.told().await.last().map(String::as_str), Some("1001 Reserved"));
        assert!(stage.told_within(rings - SLACK).await.is_empty(), "the first offer's time is up, not this one's");
        assert!(!stage.told_within(SLACK).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_waiting_is_offered_to_nobody_and_the_next_one_is() {
    let mut stage = stage_of(|config| config.calls.patience = Duration::from_secs(10)).await;
    stage.acd.arrive(QueueId(1));
    assert!(stage.told_within(Duration::from_secs(5)).await.is_empty());
    stage.acd.arrive(QueueId(1));
    assert!(stage.told_within(Duration::from_secs(6)).await.is_empty(), "nobody hears of a caller who only waited");
    stage.ready(1001).await;
    let heard = stage.heard().await;
    assert!(matches!(&heard[0], AcdEvent::PreCall(call) if call.key.1 == 2), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_does_while_the_link_is_down_is_done_and_not_told() {
    let mut stage = stage().await;
    stage.log_in(1001, 3001).await.unwrap();
    stage.ready(1002).await;
    stage.acd.go_away();
    stage.acd.console_set_state(&agent(1001), WantedState::NotReady, ReasonCode(7));
    stage.acd.console_log_out(&agent(1002), ReasonCode(8));
    stage.acd.come_back();
    assert_eq!(stage.told().await, ["link down", "link up"]);
    assert_eq!(stage.facts(1001).reason, ReasonCode(7));
    assert!(!stage.facts(1002).is_logged_in());
}

#[tokio::test(start_paused = true)]
async fn an_acd_that_is_away_meets_no_fault_and_uses_none_up() {
    let stage = stage().await;
    for kind in [FaultKind::Refuse, FaultKind::TimeOut, FaultKind::DoneInSilence, FaultKind::AnswerLate] {
        stage.acd.clear_faults();
        let fault = Fault { times: Some(1), delay: TALK, code: 42, ..Fault::new(Command::LogIn, kind) };
        stage.acd.add_fault(fault);
        stage.acd.go_away();
        let refusal = tokio::time::timeout(MOMENT, stage.log_in(1001, 3001)).await;
        assert_eq!(refusal.map_err(|_| kind), Ok(Err(AcdRefusal::LinkDown)));
        stage.acd.come_back();
        let met = tokio::time::timeout(MOMENT, stage.log_in(1001, 3001)).await;
        assert!(!matches!(met, Ok(Ok(_))), "{kind:?} was used up by a command that never came there");
        stage.acd.console_log_out(&agent(1001), ReasonCode(0));
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_may_begin_with_the_gateway() {
    let mut stage = stage_of(|config| config.outages = vec![outage(0, 5)]).await;
    assert_eq!(stage.log_in(1001, 3001).await, Err(AcdRefusal::LinkDown));
    assert_eq!(stage.told_within(Duration::from_secs(6)).await, ["link up"]);
}

#[tokio::test(start_paused = true)]
async fn outages_that_touch_or_overlap_are_down_until_the_last_ends() {
    for second in [outage(15, 5), outage(12, 8), outage(10, 10)] {
        let mut stage = stage_of(|config| config.outages = vec![outage(10, 5), second.clone()]).await;
        stage.told_within(Duration::from_secs(17)).await;
        assert_eq!(stage.log_in(1001, 3001).await, Err(AcdRefusal::LinkDown), "{second:?}");
        stage.told_within(Duration::from_secs(4)).await;
        assert!(stage.log_in(1001, 3001).await.is_ok(), "{second:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn arrivals_and_patience_may_be_as_good_as_never() {
    for per_minute in [f64::MIN_POSITIVE, 1e-30, 1e-18, 1e-17, 1e-12] {
        let mut stage = stage_of(|config| config.calls.per_minute = per_minute).await;
        assert!(stage.told_within(Duration::from_secs(3_600)).await.is_empty());
    }
    let mut stage = stage_of(|config| config.calls.patience = Duration::MAX).await;
    stage.told_within(Duration::from_secs(1)).await;
    stage.acd.arrive(QueueId(1));
    stage.told_within(Duration::from_secs(3_600)).await;
    stage.ready(1001).await;
    assert_eq!(stage.told().await, ["1001 is offered a call of 1", "1001 Reserved"]);
}

#[test]
fn too_many_devices_are_too_many_in_several_ranges_too() {
    let instruments = (0..3).map(|n| InstrumentsConfig { first: n * 50_000, count: 50_000 }).collect();
    let config = EmbeddedConfig { instruments, ..Default::default() };
    assert_eq!(config.validate().map_err(|error| error.key), Err("instruments".to_owned()));
}

#[test]
fn the_highest_number_can_be_an_agent_and_a_device() {
    let mut config = EmbeddedConfig::default();
    (config.agents[0].first, config.agents[0].count) = (u32::MAX - 1, 2);
    config.instruments = vec![InstrumentsConfig { first: u32::MAX, count: 1 }];
    assert_eq!(config.validate(), Ok(()));
    let ids: Vec<_> = config.agents.iter().flat_map(|range| range.every().unwrap()).map(|(id, ..)| id).collect();
    assert_eq!(ids, [agent(u32::MAX - 1), agent(u32::MAX)]);
    assert_eq!(config.every_instrument().collect::<Vec<_>>(), [device(u32::MAX)]);
}

/// An outage that comes once, in seconds.
fn outage(at: u64, lasts: u64) -> Outage {
    Outage { at: Duration::from_secs(at), lasts: Duration::from_secs(lasts), every: None }
}
