//! Random stories on virtual time: desktops and bridges that want opposite things, connections that drop, an ACD that
//! refuses, keeps silent and goes away. Whatever happens, the promises hold. A story is told by its seed alone:
//! `CTIGATE_SEED=17 cargo test --test gateway stories -- --nocapture` tells one again, step by step.

#![allow(clippy::print_stderr)] // a story is told aloud to whoever looks for what went wrong in it

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cti_protocol::ged188::codes::{AgentState, ServiceMask};
use cti_protocol::ged188::{AnyMessage, OpenReq};
use ctigate::acd::embedded::{Command, Fault, FaultKind};
use ctigate::model::{AgentId, AgentKey, QueueId, ReasonCode};

use crate::support::desk::{
    Desk, FORCED, instrument_of, is_call_event, open_req, services_of_agent, services_of_bridge, skill_groups, text,
};
use crate::support::house::{PERIPHERAL, TestHouse, house_with_rules};

const LOGIN: AgentState = AgentState::AGENT_STATE_LOGIN;
const LOGOUT: AgentState = AgentState::AGENT_STATE_LOGOUT;
const AGENTS: [&str; 5] = ["1001", "1002", "1003", "1004", "1005"];
const STORIES: u64 = 150;
const STEPS: usize = 120;

#[test]
fn whatever_happens_the_promises_hold() {
    let told: Option<u64> = std::env::var("CTIGATE_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in told.map_or(1..=STORIES, |seed| seed..=seed) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let story = std::panic::AssertUnwindSafe(|| runtime.block_on(story(seed, told.is_some())));
        if let Err(panic) = std::panic::catch_unwind(story) {
            eprintln!("the story of seed {seed} went wrong");
            std::panic::resume_unwind(panic);
        }
    }
}

async fn story(seed: u64, aloud: bool) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut world = ctigate::acd::embedded::EmbeddedConfig::default();
    world.calls.answer_after = Duration::from_millis(700);
    world.calls.talk_min = Duration::from_secs(1);
    world.calls.talk_max = Duration::from_secs(3);
    world.latency = Duration::from_millis([0, 0, 30][dice.below(3)]);
    let house = house_with_rules(world, |rules| rules.audit = Some(Duration::from_secs(20))).await;
    let mut players = Vec::new();
    for agent in AGENTS {
        players.push(Player::open(&house, Some(agent)));
    }
    for _ in 0..2 {
        players.push(Player::open(&house, None));
    }
    for step in 0..STEPS {
        let what = act(&house, &mut players, &mut dice).await;
        if aloud {
            eprintln!("{step}: {what}");
        }
        pass(Duration::from_millis([0, 0, 1, 40, 900][dice.below(5)])).await;
        for player in &mut players {
            player.looks(aloud);
        }
    }
    all_is_quiet(&house, &mut players, aloud).await;
}

/// One thing happens.
async fn act(house: &TestHouse, players: &mut [Player], dice: &mut Dice) -> String {
    let at = dice.below(players.len());
    let agent = players[at].agent.unwrap_or(AGENTS[dice.below(AGENTS.len())]);
    match dice.below(32) {
        30 => {
            let count = 1 + dice.below(3);
            house.acd.inner.lose_reports(count);
            format!("the next {count} reports get lost")
        }
        31 => {
            house.acd.inner.lose_reports(0);
            "reports come through again".to_owned()
        }
        20..=29 => players[at].does_something_with_calls(agent, dice),
        0..=11 => {
            let state = [
                LOGIN,
                LOGIN,
                LOGIN,
                LOGOUT,
                LOGOUT,
                LOGOUT,
                AgentState::AGENT_STATE_AVAILABLE,
                AgentState::AGENT_STATE_NOT_READY,
                AgentState::AGENT_STATE_WORK_READY,
            ][dice.below(9)];
            let (is_forced, some) = (dice.below(4) == 0, dice.below(4) == 0);
            players[at].asks(agent, state, is_forced, some);
            format!("player {at} asks {agent} to be {state:?}, forced {is_forced}, some queues {some}")
        }
        12 => {
            let of = players[at].agent;
            let gone = std::mem::replace(&mut players[at], Player::open(house, of));
            gone.desk.drops();
            format!("player {at} drops its connection and opens another one")
        }
        13 => {
            house.acd.inner.console_log_out(&AgentId::new(agent).unwrap(), ReasonCode(9));
            format!("an operator logs {agent} out")
        }
        14 => {
            house.acd.inner.go_away();
            "the acd goes away".to_owned()
        }
        15 | 16 => {
            house.acd.inner.come_back();
            "the acd comes back".to_owned()
        }
        17 => {
            house.acd.inner.arrive(QueueId(1 + dice.below(3) as u32));
            "a call arrives".to_owned()
        }
        _ => {
            let on = [
                Command::LogIn,
                Command::LogOut,
                Command::LogOut,
                Command::CloseAdapter,
                Command::CloseAdapter,
                Command::OpenAdapter,
                Command::SetState,
                Command::Agent,
                Command::Snapshot,
            ][dice.below(9)];
            let kind =
                [FaultKind::Refuse, FaultKind::TimeOut, FaultKind::DoneInSilence, FaultKind::AnswerLate][dice.below(4)];
            let delay = Duration::from_secs([1, 4, 7][dice.below(3)]);
            house.acd.inner.add_fault(Fault { times: Some(1), delay, ..Fault::new(on, kind) });
            format!("the next {on:?} meets {kind:?}, {delay:?}")
        }
    }
}

/// Nothing goes wrong any more, time passes, and everything agrees with everything.
async fn all_is_quiet(house: &TestHouse, players: &mut Vec<Player>, aloud: bool) {
    house.acd.inner.clear_faults();
    house.acd.inner.lose_reports(0);
    house.acd.inner.come_back();
    for _ in 0..40 {
        pass(Duration::from_secs(5)).await;
    }
    for player in players.iter_mut() {
        player.looks(aloud);
        assert!(player.open.is_empty(), "requests that were never answered: {:?}", player.open);
        assert!(player.about_calls.is_empty(), "requests that were never answered: {:?}", player.about_calls);
    }
    let mut logged_in = BTreeSet::new();
    for agent in AGENTS {
        let key = AgentKey { peripheral: PERIPHERAL, agent: AgentId::new(agent).unwrap() };
        let truth = house.acd.inner.facts(&key.agent).unwrap();
        let cell = house.house.table.agent(&key).expect("every agent is known");
        let entry = cell.entry();
        assert!(!truth.differs_from(&entry.facts), "the acd says {truth:?}, the table {:?}", entry.facts);
        assert!(entry.logging_out.is_none() && !entry.mending && entry.unsure.is_none(), "{entry:?}");
        assert!(cell.turn.try_lock().is_ok(), "somebody still has the turn of {agent}");
        if truth.is_logged_in() {
            logged_in.insert(key.agent);
        }
    }
    calls_agree(house, players);
    let adapters: BTreeSet<_> = house.acd.inner.adapters().into_iter().collect();
    assert_eq!(adapters, logged_in, "adapters are open exactly for those who are logged in");
    for player in players.drain(..) {
        player.desk.drops();
    }
    assert_eq!(house.house.table.clients(), 0);
    assert_eq!(house.house.table.subscriptions.count(), 0, "no subscription outlives its session");
}

/// The table has the calls that the ACD has, and who follows everything was told of exactly these.
fn calls_agree(house: &TestHouse, players: &[Player]) {
    let mut truth = house.acd.inner.calls();
    truth.sort_unstable_by_key(|call| call.id);
    assert_eq!(house.house.table.calls(PERIPHERAL).lock().all(), truth);
    let ids: BTreeSet<u32> = truth.iter().map(|call| call.id.0).collect();
    for bridge in players.iter().filter(|player| player.agent.is_none() && player.desk.closed.is_none()) {
        assert_eq!(bridge.calls, ids, "what a bridge was told of");
    }
}

/// A client and what it may expect.
struct Player {
    desk: Desk,
    /// Whose desktop it is; a bridge is nobody's.
    agent: Option<&'static str>,
    open: BTreeMap<u32, Asked>,
    /// Its own subscription has ended by a logout that was confirmed here, and it has not asked for a login since.
    has_ended: bool,
    asks_in: u32,
    /// The calls that it was told of, and the requests about calls that are not answered.
    calls: BTreeSet<u32>,
    about_calls: BTreeSet<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    state: AgentState,
    is_whole: bool,
    login_asked_before: u32,
}

impl Player {
    fn open(house: &TestHouse, agent: Option<&'static str>) -> Player {
        let mut desk = Desk::connected(house, 20);
        let request = match agent {
            Some(agent) => {
                OpenReq { agent_id: text(agent), ..open_req(&format!("desktop-{agent}"), services_of_agent()) }
            }
            None => open_req("bridge", ServiceMask(services_of_bridge().0)),
        };
        desk.sends(request);
        assert!(matches!(desk.has_received(), Some(AnyMessage::OpenConf(_))));
        Player {
            desk,
            agent,
            open: BTreeMap::new(),
            has_ended: false,
            asks_in: 0,
            calls: BTreeSet::new(),
            about_calls: BTreeSet::new(),
        }
    }

    fn asks(&mut self, agent: &str, state: AgentState, is_forced: bool, some_queues: bool) {
        if self.desk.closed.is_some() {
            return;
        }
        if state == LOGIN {
            self.asks_in += 1;
            self.has_ended = false;
        }
        let asked = Asked { state, is_whole: !some_queues, login_asked_before: self.asks_in };
        let invoke_id = self.desk.asks_with(agent, state, |request| {
            if is_forced {
                request.forced_flag = FORCED;
            }
            if some_queues && (state == LOGIN || state == LOGOUT) {
                (request.num_skill_groups, request.skill_groups) = (1, skill_groups(&[2]));
            }
        });
        assert!(self.open.insert(invoke_id, asked).is_none());
    }

    /// Reads what came and checks it.
    fn looks(&mut self, aloud: bool) {
        self.desk.wakes();
        while let Some(message) = self.desk.has_received() {
            if aloud {
                eprintln!("    {:?} hears {message:?}", self.agent.unwrap_or("bridge"));
            }
            match message {
                AnyMessage::SetAgentStateConf(confirm) => {
                    let asked = self.answered(confirm.invoke_id);
                    let is_last_word = asked.login_asked_before == self.asks_in;
                    if asked.state == LOGOUT && asked.is_whole && self.agent.is_some() && is_last_word {
                        self.has_ended = true;
                    }
                }
                AnyMessage::ControlFailureConf(refusal) => self.is_refused(refusal.invoke_id),
                AnyMessage::FailureConf(refusal) => self.is_refused(refusal.invoke_id),
                AnyMessage::AgentStateEvent(event) => {
                    assert!(!self.has_ended, "after the confirm of a logout came {event:?}");
                    assert_eq!(event.monitor_id == 0, self.agent.is_none());
                    if event.agent_state == LOGOUT && self.agent.is_some() {
                        self.calls.clear(); // with its last event end its subscriptions
                    }
                }
                AnyMessage::AgentPreCallEvent(_) | AnyMessage::AgentPreCallAbortEvent(_) => {
                    assert!(!self.has_ended, "after the confirm of a logout came {message:?}");
                }
                AnyMessage::SystemEvent(_) | AnyMessage::FailureEvent(_) => (),
                message if is_call_event(&message) => self.hears_of_a_call(&message),
                answer => {
                    let asked = answer.invoke_id().is_some_and(|invoke_id| self.about_calls.remove(&invoke_id));
                    assert!(asked, "{answer:?}");
                }
            }
        }
    }

    /// The beginning comes first, the end last, and nothing after it.
    fn hears_of_a_call(&mut self, message: &AnyMessage) {
        assert!(!self.has_ended, "after the confirm of a logout came {message:?}");
        let fields = message.to_json(self.desk.version);
        let number = |name: &str| fields.get(name).and_then(|id| id.as_u64()).map(|id| id as u32);
        let call = number("ConnectionCallID").or_else(|| number("PrimaryCallID")).expect("a call");
        match message {
            AnyMessage::BeginCallEvent(_) => assert!(self.calls.insert(call), "it began before: {message:?}"),
            AnyMessage::EndCallEvent(_) => assert!(self.calls.remove(&call), "it had no beginning: {message:?}"),
            AnyMessage::CallDataUpdateEvent(update) if update.new_connection_call_id != call => {
                assert!(self.calls.contains(&call), "it had no beginning: {message:?}");
                // Who follows everything knew both, and is told that the one has ended.
                if self.agent.is_some() {
                    self.calls.remove(&call);
                    self.calls.insert(update.new_connection_call_id);
                }
            }
            _ if self.agent.is_some() && number("SecondaryCallID").is_some_and(|id| self.calls.contains(&id)) => (),
            _ => assert!(self.calls.contains(&call), "it had no beginning: {message:?}"),
        }
    }

    fn does_something_with_calls(&mut self, agent: &str, dice: &mut Dice) -> String {
        if self.desk.closed.is_some() {
            return "nothing".to_owned();
        }
        let device = instrument_of(agent);
        let mut call = || self.calls.iter().nth(dice.below(self.calls.len().max(1))).copied().unwrap_or(1);
        let (one, other) = (call(), call());
        let to = ["3001", "3002", "3003", "3004", "3005", "0041", "8001", "8002"][dice.below(8)];
        let what = dice.below(14);
        let desk = &mut self.desk;
        let invoke_id = match what {
            0 | 1 => desk.makes_call(&device, to),
            2 => desk.answers(one, &device),
            3 => desk.holds(one, &device),
            4 => desk.retrieves(one, &device),
            5 => desk.clears(one, &device),
            6 | 7 => desk.consults(one, &device, to),
            8 => desk.transfers(one, other, &device),
            9 => desk.transfers_blindly(one, &device, to),
            10 => desk.confers(one, other, &device),
            11 => desk.alternates(one, other, &device),
            12 => desk.reconnects(one, other, &device),
            _ => desk.deflects(one, &device, to),
        };
        self.about_calls.insert(invoke_id);
        format!("{agent} asks {what} of calls {one} and {other}, {to}")
    }

    fn is_refused(&mut self, invoke_id: u32) {
        if !self.about_calls.remove(&invoke_id) {
            self.answered(invoke_id);
        }
    }

    fn answered(&mut self, invoke_id: u32) -> Asked {
        self.open
            .remove(&invoke_id)
            .unwrap_or_else(|| panic!("an answer to {invoke_id}, which was not asked or is answered"))
    }
}

/// Time passes, and everybody does what there is to do.
async fn pass(time: Duration) {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % bound
    }
}
