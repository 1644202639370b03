//! What Asterisk's answers and events make of an agent, message by message. What a real Asterisk does is in
//! `tests/asterisk`.

mod calls;
mod config;
mod control;
mod echoes;
mod states;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

use super::ami::{Action, Kind, Message};
use super::config::AsteriskConfig;
use super::line::Line;
use super::members::{Device, Effect, Member, Place};
use super::names::{Interface, Names};
use super::news;
use super::world::World;
use crate::acd::{AcdEvent, AcdInbox, acd_channel};
use crate::model::{AgentFacts, AgentId, AgentState, Instrument, QueueId, ReasonCode};

/// One Asterisk without a wire: what it answers and tells is put in, what subscribers are told and what is sent comes out.
struct Bench {
    world: World,
    line: Arc<Line>,
    inbox: AcdInbox,
    now: Instant,
}

const CONFIG: &str = r#"
    user = "ctigate"
    secret = "ctigate-secret"
    interface = "PJSIP/{instrument}"
    [[queue]]
    number = 1
    name = "sales"
    [[queue]]
    number = 2
    name = "support"
    [[reason]]
    code = 7
    text = "lunch"
    [[reason]]
    code = 32763
    text = "Auto-Pause"
"#;

#[test]
fn what_is_reported_is_as_old_as_what_was_read() {
    let mut bench = Bench::new();
    let read_at = bench.now.into_std();
    bench.world.read_at = Some(read_at);
    bench.answers_added(1);
    let mut batch = Vec::new();
    futures_util::FutureExt::now_or_never(bench.inbox.take(&mut batch, 100));
    assert!(!batch.is_empty() && batch.iter().all(|read| read.read_at == read_at), "{batch:?}");
}

impl Bench {
    fn new() -> Bench {
        Bench::with(CONFIG)
    }

    fn with(config: &str) -> Bench {
        let config: AsteriskConfig = toml::from_str(config).expect("a configuration");
        config.validate().expect("a sound one");
        let names = Arc::new(Names::new(&config).expect("names"));
        let line = Arc::new(Line::new(100));
        line.open();
        let (events, inbox) = acd_channel(1_000);
        let mut world = World::new(names, Arc::clone(&line), config.reason_when_unreachable());
        world.connect(events);
        let now = Instant::now();
        world.set_members(None, Vec::new(), now);
        Bench { world, line, inbox, now }
    }

    /// Asterisk tells something: an event's name and its other headers.
    fn tells(&mut self, event: &str, headers: &str) {
        let text = format!("Event: {event}\r\n{}", headers.replace(", ", "\r\n"));
        let message = Message::new(Bytes::from(text));
        let Kind::Event(name) = message.kind() else { panic!("no event: {message:?}") };
        assert!(news::take(&mut self.world, name, &message, self.now), "{event} is not known");
    }

    /// Asterisk tells of agent 1001's membership in a queue.
    fn tells_member(&mut self, event: &str, queue: &str, headers: &str) {
        let who = "Interface: PJSIP/3001, MemberName: 1001";
        self.tells(event, &format!("Queue: {queue}, {who}, {headers}"));
    }

    /// Asterisk answers that agent 1001 was added, paused.
    fn answers_added(&mut self, queue: u32) {
        self.answers(&Effect::Added(place(queue), member(Some(""))));
    }

    fn answers(&mut self, effect: &Effect) {
        self.world.is_done(effect, self.now);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.world.pass(self.now);
    }

    /// What was told since.
    fn take(&mut self) -> Vec<AcdEvent> {
        let mut batch = Vec::new();
        while !self.inbox.is_empty() {
            futures_util::FutureExt::now_or_never(self.inbox.take(&mut batch, 100));
        }
        batch.into_iter().map(|read| read.event).collect()
    }

    /// What was told of agents since, in short words.
    fn told(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        for event in self.take() {
            told.push(match event {
                AcdEvent::Call(_) => continue,
                AcdEvent::Agent(facts) => short(&facts),
                AcdEvent::PreCall(call) => format!("call from queue {}", call.queue),
                AcdEvent::PreCallAbort(call) => format!("no call from queue {}", call.queue),
                other => format!("{other:?}"),
            });
        }
        told
    }

    /// What was put in line since, as it would be sent.
    fn sent(&self) -> Vec<String> {
        std::iter::from_fn(|| self.line.take()).map(|order| as_sent(&order.action)).collect()
    }

    fn facts(&self) -> Option<AgentFacts> {
        self.world.facts(&agent())
    }
}

/// An action in one line: its name, and its headers.
fn as_sent(action: &Action) -> String {
    let mut bytes = BytesMut::new();
    action.encode(1, &mut bytes);
    let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
    text.trim_end().replace("\r\nActionID: 1", "").replace("\r\n", ", ").replace("Action: ", "")
}

fn agent() -> AgentId {
    AgentId::new("1001").expect("an id")
}

fn place(queue: u32) -> Place {
    Place { queue: QueueId(queue), interface: Interface::new("PJSIP/3001") }
}

fn member(paused: Option<&str>) -> Member {
    Member {
        agent: agent(),
        instrument: Instrument::new("3001").expect("an instrument"),
        spelled: "PJSIP/3001".into(),
        paused: paused.map(str::to_owned),
        device: Device::UNKNOWN,
        is_in_call: false,
    }
}

fn paused(text: Option<&str>) -> Effect {
    Effect::Paused { interface: Interface::new("PJSIP/3001"), queue: None, text: text.map(str::to_owned) }
}

fn short(facts: &AgentFacts) -> String {
    let queues: Vec<String> = facts.queues.iter().map(ToString::to_string).collect();
    let reason = if facts.reason == ReasonCode(0) { String::new() } else { format!(" ({})", facts.reason) };
    let next = facts.next_state.map(|next| format!(" then {next:?}")).unwrap_or_default();
    match facts.state {
        AgentState::LoggedOut => format!("LoggedOut{reason}"),
        state => format!("{state:?}{reason} in {}{next}", queues.join(" ")),
    }
}

const IDLE: &str = "Status: 1, InCall: 0, Paused: 0, PausedReason: ";
const IDLE_PAUSED: &str = "Status: 1, InCall: 0, Paused: 1, PausedReason: ";
