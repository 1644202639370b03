//! Whatever is asked in whatever order: what never stops being true, and that the same seed tells the same story.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;
use crate::acd::AgentsConfig;
use crate::acd::embedded::InstrumentsConfig;
use crate::acd::embedded::world::World;

#[derive(Clone, Debug)]
enum Step {
    LogIn { agent: u32, instrument: u32, queues: Vec<u32>, forced: bool },
    SetState { agent: u32, wanted: WantedState, reason: u16 },
    LogOut { agent: u32, queues: Vec<u32>, forced: bool },
    ThrowOut { agent: u32 },
    Push { agent: u32, wanted: WantedState },
    Arrive { queue: u32 },
    Pass { ms: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // One agent, device and queue more than there are, so that unknown ones come up too.
    let agent = || 1_u32..=5;
    let queues = || proptest::collection::vec(1_u32..=3, 0..3);
    let wanted = || {
        proptest::sample::select(vec![
            WantedState::Ready,
            WantedState::NotReady,
            WantedState::WorkReady,
            WantedState::WorkNotReady,
        ])
    };
    let step = prop_oneof![
        4 => (agent(), 11_u32..=14, queues(), any::<bool>())
            .prop_map(|(agent, instrument, queues, forced)| Step::LogIn { agent, instrument, queues, forced }),
        5 => (agent(), wanted(), 0_u16..3).prop_map(|(agent, wanted, reason)| Step::SetState { agent, wanted, reason }),
        2 => (agent(), queues(), any::<bool>())
            .prop_map(|(agent, queues, forced)| Step::LogOut { agent, queues, forced }),
        1 => agent().prop_map(|agent| Step::ThrowOut { agent }),
        1 => (agent(), wanted()).prop_map(|(agent, wanted)| Step::Push { agent, wanted }),
        4 => (1_u32..=3).prop_map(|queue| Step::Arrive { queue }),
        4 => (0_u64..8_000).prop_map(|ms| Step::Pass { ms }),
    ];
    proptest::collection::vec(step, 1..80)
}

/// Four agents, three devices, two queues, busy enough for everything to happen.
fn small(seed: u64, wrap_up_ms: u64) -> EmbeddedConfig {
    let mut config = EmbeddedConfig::default();
    config.queues.truncate(2);
    config.agents = vec![AgentsConfig {
        first: 1,
        count: 4,
        password: Password::new("pw{id}"),
        queues: vec![QueueId(1), QueueId(2)],
    }];
    config.instruments = vec![InstrumentsConfig { first: 11, count: 3 }];
    config.wrap_up = Duration::from_millis(wrap_up_ms);
    config.calls.seed = seed;
    config.calls.per_minute = 10.0;
    config.calls.waiting_max = 3;
    config.calls.no_answer = 0.3;
    config.calls.patience = Duration::from_secs(9);
    (config.calls.answer_after, config.calls.ring_max) = (Duration::from_secs(2), Duration::from_secs(4));
    (config.calls.talk_min, config.calls.talk_max) = (Duration::from_secs(1), Duration::from_secs(6));
    config
}

/// A world, the time in it, and all that was ever said of it.
struct Trial {
    world: World,
    inbox: AcdInbox,
    now: Duration,
    /// The newest facts of each agent, from answers and reports alike.
    newest: BTreeMap<AgentId, AgentFacts>,
    /// The order of each agent's last report.
    reported: BTreeMap<AgentId, u64>,
    story: Vec<String>,
}

impl Trial {
    fn new(config: EmbeddedConfig) -> Trial {
        let (events, inbox) = acd_channel(10_000);
        let mut world = World::new(config);
        world.connect(events);
        let newest = world.snapshot().agents.into_iter().map(|facts| (facts.agent.clone(), facts)).collect();
        Trial { world, inbox, now: Duration::ZERO, newest, reported: BTreeMap::new(), story: Vec::new() }
    }

    fn take(&mut self, step: &Step) {
        let (world, now) = (&mut self.world, self.now);
        let answer = match step {
            Step::LogIn { agent, instrument, queues, forced } => {
                world.log_in(now, &Login { queues: named(queues), forced: *forced, ..login(*agent, *instrument) }).ok()
            }
            Step::SetState { agent: id, wanted, reason } => {
                let change = StateChange { agent: agent(*id), wanted: *wanted, reason: ReasonCode(*reason) };
                world.set_state(now, &change).ok()
            }
            Step::LogOut { agent: id, queues, forced } => {
                world.log_out(now, &agent(*id), &named(queues), ReasonCode(9), *forced).ok()
            }
            Step::ThrowOut { agent: id } => {
                world.leave_unasked(now, &agent(*id), ReasonCode(8));
                None
            }
            Step::Push { agent: id, wanted } => {
                let change = StateChange { agent: agent(*id), wanted: *wanted, reason: ReasonCode(7) };
                world.set_state_unasked(now, &change);
                None
            }
            Step::Arrive { queue } => {
                world.arrive(now, QueueId(*queue));
                None
            }
            Step::Pass { ms } => {
                self.now += Duration::from_millis(*ms);
                world.pass(self.now);
                None
            }
        };
        self.listen();
        if let Some(facts) = answer {
            self.learn(facts);
        }
    }

    fn listen(&mut self) {
        let mut events = Vec::new();
        while let Some(true) = self.inbox.take(&mut events, 10_000).now_or_never() {}
        for event in events {
            self.story.push(format!("{:?} {event:?}", self.now));
            if let AcdEvent::Agent(facts) = event {
                let last = self.reported.insert(facts.agent.clone(), facts.order);
                assert!(last.is_none_or(|last| last < facts.order), "reported out of order: {facts:?}");
                self.learn(facts);
            }
        }
    }

    fn learn(&mut self, facts: AgentFacts) {
        let known = self.newest.entry(facts.agent.clone()).or_insert_with(|| facts.clone());
        if facts.order == known.order {
            assert_eq!(facts, *known, "one order stands for one truth");
        } else if facts.order > known.order {
            assert!(facts.differs_from(known), "a newer fact that is no news: {facts:?}");
            *known = facts;
        }
    }

    fn check(&self) {
        let (mut devices, mut calls) = (BTreeSet::new(), BTreeSet::new());
        for (id, seat) in &self.world.agents {
            let facts = &seat.facts;
            assert_eq!(Some(facts), self.newest.get(id), "it changed in silence");
            assert_eq!(facts.is_logged_in(), !facts.queues.is_empty(), "{facts:?}");
            assert_eq!(facts.is_logged_in(), facts.instrument.is_some(), "{facts:?}");
            assert!(facts.queues.is_sorted_by(|a, b| a < b), "{facts:?}");
            assert_ne!(facts.state, AgentState::LoggedIn);
            assert!(facts.instrument.as_ref().is_none_or(|device| devices.insert(device.clone())), "shared: {facts:?}");
            assert_eq!(facts.state.is_on_call(), seat.call.is_some(), "{facts:?}");
            assert!(seat.call.is_none_or(|call| calls.insert(call)), "two agents on one call: {facts:?}");
            let works = matches!(facts.state, AgentState::WorkReady | AgentState::WorkNotReady);
            assert!(facts.next_state.is_none() || facts.state.is_on_call() || works, "{facts:?}");
            if !matches!(facts.state, AgentState::NotReady | AgentState::LoggedOut) {
                assert_eq!(facts.reason, ReasonCode(0), "{facts:?}");
            }
        }
        for (queue, ready) in &self.world.ready {
            let listed: BTreeSet<_> = ready.iter().map(|(_, agent)| agent).collect();
            let is_ready = |facts: &AgentFacts| facts.state == AgentState::Ready && facts.queues.contains(queue);
            let really: BTreeSet<_> =
                self.world.agents.iter().filter(|(_, seat)| is_ready(&seat.facts)).map(|(agent, _)| agent).collect();
            assert_eq!(listed, really, "ready in queue {queue}");
        }
    }
}

fn told(config: EmbeddedConfig, steps: &[Step]) -> Vec<String> {
    let mut trial = Trial::new(config);
    for step in steps {
        trial.take(step);
        trial.check();
    }
    trial.story
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_the_world_holds_together(seed: u64, wrap_up_ms in 0_u64..3_000, steps in steps()) {
        told(small(seed, wrap_up_ms), &steps);
    }

    #[test]
    fn the_same_seed_and_the_same_steps_tell_the_same_story(seed: u64, steps in steps()) {
        prop_assert_eq!(told(small(seed, 1_000), &steps), told(small(seed, 1_000), &steps));
    }
}

#[test]
fn another_seed_tells_another_story() {
    let steps = [
        Step::LogIn { agent: 1, instrument: 11, queues: vec![], forced: false },
        Step::SetState { agent: 1, wanted: WantedState::Ready, reason: 0 },
        Step::Pass { ms: 600_000 },
    ];
    assert_ne!(told(small(1, 0), &steps), told(small(2, 0), &steps));
}

#[test]
fn time_that_passes_at_once_is_time_that_passes_bit_by_bit() {
    let begin = [
        Step::LogIn { agent: 1, instrument: 11, queues: vec![], forced: false },
        Step::SetState { agent: 1, wanted: WantedState::Ready, reason: 0 },
    ];
    let without_time = |story: Vec<String>| -> Vec<String> {
        story.into_iter().filter_map(|line| line.split_once(' ').map(|(_, event)| event.to_owned())).collect()
    };
    let at_once = told(small(3, 1_000), &[&begin[..], &[Step::Pass { ms: 300_000 }]].concat());
    let bit_by_bit = told(small(3, 1_000), &[&begin[..], &vec![Step::Pass { ms: 100 }; 3_000]].concat());
    assert!(at_once.len() > 4);
    assert_eq!(without_time(at_once), without_time(bit_by_bit));
}
