//! Whatever is asked in whatever order: what never stops being true, and that the same seed tells the same story.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;
use crate::acd::embedded::InstrumentsConfig;
use crate::acd::embedded::world::World;
use crate::acd::{AgentsConfig, ReadEvent};
use crate::model::{
    Call, CallCommand, CallDataChange, CallId, CallKind, CallStep, Connection, ConsultKind, FarEnd, PartyKind,
    PartyState, Supervision,
};

#[derive(Clone, Debug)]
enum Step {
    LogIn { agent: u32, instrument: u32, queues: Vec<u32>, forced: bool },
    SetState { agent: u32, wanted: WantedState, reason: u16 },
    LogOut { agent: u32, queues: Vec<u32>, forced: bool },
    ThrowOut { agent: u32 },
    Push { agent: u32, wanted: WantedState },
    Arrive { queue: u32 },
    Pass { ms: u64 },
    Control { what: u8, device: u32, to: u32 },
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
        8 => (0_u8..22, 11_u32..=14, proptest::sample::select(vec![11_u32, 12, 13, 99, 8_001, 8_002, 8_003]))
            .prop_map(|(what, device, to)| Step::Control { what, device, to }),
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
        password: Password::new("pw{id}").into(),
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
    /// The calls that were reported, as they were last.
    calls: BTreeMap<CallId, Arc<Call>>,
    story: Vec<String>,
}

impl Trial {
    fn new(config: EmbeddedConfig) -> Trial {
        let (events, inbox) = acd_channel(10_000);
        let mut world = World::new(config).expect("a sound world");
        world.connect(events);
        let newest = world.snapshot().agents.into_iter().map(|facts| (facts.agent.clone(), facts)).collect();
        Trial {
            world,
            inbox,
            now: Duration::ZERO,
            newest,
            reported: BTreeMap::new(),
            calls: BTreeMap::new(),
            story: Vec::new(),
        }
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
            Step::Control { what, device: at, to } => {
                let command = command(world, *what, &device(*at), &device(*to));
                let _refused = world.control_call(now, &command);
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
        for ReadEvent { event, .. } in events {
            self.story.push(format!("{:?} {event:?}", self.now));
            if let AcdEvent::Call(report) = &event {
                let id = report.call.id;
                let last = match report.step {
                    CallStep::Ended => self.calls.remove(&id),
                    _ => self.calls.insert(id, Arc::clone(&report.call)),
                };
                assert_eq!(
                    last.is_none(),
                    report.step == CallStep::Began,
                    "the first step is the beginning: {report:?}"
                );
                assert!(last.is_none_or(|last| last.order < report.call.order), "reported out of order: {report:?}");
                if let CallStep::Transferred(joined) | CallStep::Conferenced(joined) = &report.step {
                    joined.secondary.map(|secondary| self.calls.remove(&secondary));
                }
            }
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

    /// What an agent's calls make of it; as it is, where it has none.
    fn by_calls(&self, facts: &AgentFacts) -> AgentState {
        let on = facts
            .instrument
            .iter()
            .flat_map(|device| self.world.calls_of(device).into_iter().map(move |id| (id, device)));
        let states: Vec<PartyState> =
            on.map(|(id, device)| self.world.calls.there[&id].party(device).unwrap().state).collect();
        if states
            .iter()
            .any(|state| matches!(state, PartyState::Connected | PartyState::Initiated | PartyState::Failed))
        {
            AgentState::Talking
        } else if states.contains(&PartyState::Held) {
            AgentState::Hold
        } else if states.contains(&PartyState::Alerting) {
            AgentState::Reserved
        } else {
            let works = matches!(facts.state, AgentState::WorkReady | AgentState::WorkNotReady);
            assert!(states.is_empty() || works, "it left a call and is not done with it: {facts:?}");
            assert!(!facts.state.is_on_call(), "{facts:?} has no call");
            facts.state
        }
    }

    /// Calls and their indexes agree with each other, and with what was reported of them.
    fn check_calls(&self) {
        let world = &self.world;
        let mut on_calls: BTreeMap<Instrument, BTreeSet<CallId>> = BTreeMap::new();
        for (id, call) in &world.calls.there {
            assert_eq!((*id, Some(call)), (call.id, self.calls.get(id)), "it changed in silence");
            let real = call.parties.iter().filter(|party| party.state != PartyState::Null).count();
            let is_to_listen = matches!(call.kind, CallKind::Supervision(_)) && real == 1;
            let has_failed = call.parties.iter().any(|party| party.state == PartyState::Failed);
            assert!((real != 1 || is_to_listen || has_failed) && !call.parties.is_empty(), "{call:?}");
            assert_eq!(is_to_listen, world.listening.contains_key(id), "{call:?}");
            for party in &call.parties {
                if matches!(party.kind, PartyKind::Agent(_) | PartyKind::Device) {
                    let calls = on_calls.entry(party.device.clone()).or_default();
                    assert!(calls.insert(*id), "twice on a call: {call:?}");
                }
                let agent = match &party.kind {
                    PartyKind::Agent(agent) => Some(agent.clone()),
                    _ => None,
                };
                assert_eq!(agent, world.agent_at(&party.device), "whose it is: {call:?}");
            }
            assert_eq!(call.queue_point().is_some(), world.calls.is_waiting(*id), "{call:?}");
        }
        let indexed: BTreeMap<_, BTreeSet<_>> =
            world.on_calls.iter().map(|(device, ids)| (device.clone(), ids.iter().copied().collect())).collect();
        assert_eq!(on_calls, indexed);
        assert_eq!(self.calls.len(), world.calls.there.len(), "a call was reported that is not there");
        for (id, watched) in &world.listening {
            assert!(world.calls.there.contains_key(id), "it ended, and somebody listens: {watched:?}");
            let watched_at = world.calls.there.get(&watched.call).and_then(|call| call.party(&watched.device));
            let is_heard = watched_at.is_some_and(|party| party.state != PartyState::Null);
            assert!(is_heard || world.next_due() == Some(Duration::ZERO), "nothing to hear: {watched:?}");
        }
        for (id, device) in world.ringing.keys() {
            let state = world.calls.there.get(id).and_then(|call| call.party(device)).map(|party| party.state);
            assert_eq!(state, Some(PartyState::Alerting), "{device} does not ring");
        }
    }

    fn check(&self) {
        self.check_calls();
        let mut devices = BTreeSet::new();
        for (id, seat) in &self.world.agents {
            let facts = &seat.facts;
            assert_eq!(Some(facts), self.newest.get(id), "it changed in silence");
            assert_eq!(facts.is_logged_in(), !facts.queues.is_empty(), "{facts:?}");
            assert_eq!(facts.is_logged_in(), facts.instrument.is_some(), "{facts:?}");
            assert!(facts.queues.is_sorted_by(|a, b| a < b), "{facts:?}");
            assert_ne!(facts.state, AgentState::LoggedIn);
            assert!(facts.instrument.as_ref().is_none_or(|device| devices.insert(device.clone())), "shared: {facts:?}");
            assert_eq!(facts.state, self.by_calls(facts), "{facts:?}");
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

/// A command of each kind, about the calls that the device is on if it is on any.
fn command(world: &World, what: u8, device: &Instrument, to: &Instrument) -> CallCommand {
    let calls = world.calls_of(device);
    let at = |place: usize| Connection {
        call: calls.get(place).or(calls.first()).copied().unwrap_or(CallId(1)),
        device: device.clone(),
    };
    let state =
        |at: &Connection| world.calls.there.get(&at.call).and_then(|call| call.party(device)).map(|party| party.state);
    // The one on hold is the other one.
    let (held, active) = if state(&at(0)) == Some(PartyState::Held) { (at(0), at(1)) } else { (at(1), at(0)) };
    let data = CallDataChange::default();
    match what {
        0 | 1 => CallCommand::Make { from: device.clone(), to: to.clone(), data },
        2 => CallCommand::Answer(at(calls.len().saturating_sub(1))),
        3 => CallCommand::Hold(active),
        4 => CallCommand::Retrieve(held),
        5 => CallCommand::Alternate { active, held },
        6 => CallCommand::Reconnect { active, held },
        7 | 8 => CallCommand::Consult { active, to: to.clone(), kind: ConsultKind::Either, data },
        9 => CallCommand::Transfer { active, to: FarEnd::Held(held), data },
        10 => CallCommand::Transfer { active, to: FarEnd::Dialed(to.clone()), data },
        11 => CallCommand::Conference { active, with: FarEnd::Held(held), data },
        12 => CallCommand::Conference { active, with: FarEnd::Dialed(to.clone()), data },
        13 => CallCommand::Deflect { ringing: at(0), to: to.clone() },
        14 => CallCommand::ClearConnection(at(0)),
        16..=21 => {
            let how = match what {
                16 | 17 => Supervision::Listen,
                18 => Supervision::Whisper,
                19 | 20 => Supervision::BargeIn,
                _ => Supervision::Intercept,
            };
            CallCommand::Supervise { watched: active, by: to.clone(), how }
        }
        _ => CallCommand::Release(at(0)),
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
