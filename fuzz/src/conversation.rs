//! A gateway without sockets, on virtual time, in which two clients do what an input says: connect, send, wait, vanish, while
//! the ACD lives, fails and comes back.
//!
//! Lives here: the steps, and what must hold whichever dialect is spoken. Not here: which answers a request has (the
//! ledgers, `ged188_session` and `opencti_session`).
//! Must hold: the same input is the same story, as far as the gateway's own maps have an order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use ctigate::access::Gate;
use ctigate::acd::embedded::{Command, EmbeddedAcd, EmbeddedConfig, Fault, FaultKind, InstrumentsConfig};
use ctigate::acd::{Acd, AgentsConfig, Peripheral};
use ctigate::config::{ClientConfig, Config, TeamConfig};
use ctigate::dialects::{CloseReason, Conversation, Dialect, Outbox};
use ctigate::model::{
    AgentId, AgentKey, LogoutOnCall, Password, PeripheralId, QueueId, ReasonCode, Role, SecondClient, Secret, TeamId,
    WantedState,
};
use ctigate::operations::{House, Rules};
use ctigate::server::rules;

use super::steps::Steps;

/// What was asked on one connection, and what was answered.
pub(crate) trait Ledger {
    /// What a client sends for a request of that kind.
    fn request(&self, kind: u8, payload: &[u8]) -> Vec<u8>;

    /// The connection took these bytes.
    fn sent(&mut self, bytes: &[u8]);

    /// The connection said this; every answer is to something that was asked and not answered yet.
    fn received(&mut self, bytes: &[u8]);

    /// How many requests have no answer yet.
    fn unanswered(&self) -> usize;
}

/// Plays an input: the first byte chooses how the gateway is configured, the others are steps.
pub(crate) fn play<L: Ledger>(
    input: &[u8],
    dialect: impl Fn(&Arc<House>, Arc<Gate>, &Config) -> Arc<dyn Dialect>,
    ledger: impl Fn(&Config) -> L,
) {
    let Some((&choices, steps)) = input.split_first() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let config = configured(choices);
        let acd = Arc::new(EmbeddedAcd::new(world(choices)).expect("a sound world"));
        let house = housed(&config, &acd).await;
        let gate = Gate::new(config.doors().expect("no secret is kept elsewhere"));
        let dialect = dialect(&house, gate, &config);
        let mut story = Story { acd, house, dialect, ledger: || ledger(&config), lines: [const { None }; 2] };
        let mut steps = Steps(steps);
        while story.step(&mut steps).await.is_some() {}
        story.end().await;
    });
}

struct Story<L, N: Fn() -> L> {
    acd: Arc<EmbeddedAcd>,
    house: Arc<House>,
    dialect: Arc<dyn Dialect>,
    ledger: N,
    lines: [Option<Line<L>>; 2],
}

/// One connection.
struct Line<L> {
    conversation: Box<dyn Conversation>,
    outbox: Arc<Outbox>,
    /// What was sent and not taken.
    half: BytesMut,
    ledger: L,
}

impl<L: Ledger, N: Fn() -> L> Story<L, N> {
    /// One step, after which all that can be done at once is done. None when the input is at its end.
    async fn step(&mut self, steps: &mut Steps<'_>) -> Option<()> {
        let what = steps.byte()?;
        let at = usize::from(what >> 3 & 1);
        let mut passes = Duration::from_millis(1);
        match what & 7 {
            0 | 1 => {
                let (kind, payload) = (steps.byte()?, steps.bytes()?);
                let request = self.line(at).ledger.request(kind, payload);
                self.send(at, &request);
            }
            2 => {
                let raw = steps.bytes()?;
                self.send(at, raw);
            }
            3 => self.close(at, &CloseReason::ClientGone),
            4 => passes = Duration::from_millis(1 << (steps.byte()? % 17)),
            5 => self.happens_at_the_acd(steps.byte()?),
            6 if what == 0xf6 => {
                for at in [0, 1] {
                    self.on(at, |conversation| conversation.on_shutdown());
                }
            }
            _ => passes = Duration::ZERO,
        }
        self.pass(passes).await;
        Some(())
    }

    fn happens_at_the_acd(&mut self, what: u8) {
        let argument = what >> 3;
        let agent = agent(argument % AGENTS);
        let fails_once = |kind| {
            let fault = Fault::new(COMMANDS[usize::from(argument) % COMMANDS.len()], kind);
            self.acd.add_fault(Fault { times: Some(1), delay: Duration::from_secs(3), code: 7, ..fault });
        };
        match what & 7 {
            0 => self.acd.arrive(QueueId(1 + u32::from(argument) % 2)),
            1 if argument < 16 => self.acd.go_away(),
            1 => self.acd.come_back(),
            2 => self.acd.console_log_out(&agent, ReasonCode(argument.into())),
            3 => self.acd.console_set_state(&agent, WantedState::Ready, ReasonCode(0)),
            4 => fails_once(FaultKind::Refuse),
            5 => fails_once(FaultKind::TimeOut),
            6 => fails_once(FaultKind::DoneInSilence),
            _ => fails_once(FaultKind::AnswerLate),
        }
    }

    async fn pass(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
        for at in [0, 1] {
            self.on(at, |conversation| conversation.on_wake());
            self.on(at, |conversation| conversation.on_deadline(now()));
        }
    }

    /// The connection, which is made if there is none.
    fn line(&mut self, at: usize) -> &mut Line<L> {
        self.lines[at].get_or_insert_with(|| {
            let outbox = Outbox::new(Config::default().limits.outbound_bytes_max);
            let peer = SocketAddr::from(([127, 0, 0, 1], at as u16 + 1)).into();
            let conversation = Arc::clone(&self.dialect).converse(peer, Arc::clone(&outbox), now());
            Line { conversation, outbox, half: BytesMut::new(), ledger: (self.ledger)() }
        })
    }

    fn send(&mut self, at: usize, bytes: &[u8]) {
        let line = self.line(at);
        line.half.extend_from_slice(bytes);
        let before = line.half.clone();
        let taken = line.conversation.on_bytes(now(), &mut line.half);
        line.ledger.sent(&before[..before.len() - line.half.len()]);
        self.on(at, |_| taken);
    }

    /// Lets the connection do something, reads what it says, and closes it if it is to be closed.
    fn on(&mut self, at: usize, act: impl FnOnce(&mut dyn Conversation) -> Result<(), CloseReason>) {
        let Some(line) = &mut self.lines[at] else { return };
        let done = act(&mut *line.conversation);
        if let Err(reason) = done.and(line.read()) {
            self.close(at, &reason);
        }
    }

    fn close(&mut self, at: usize, reason: &CloseReason) {
        let Some(mut line) = self.lines[at].take() else { return };
        let _ = line.conversation.close(reason);
        let _ = line.read(); // of one that was too slow there is nothing more
        if matches!(reason, CloseReason::ClientClosed | CloseReason::Shutdown) {
            assert_eq!(line.ledger.unanswered(), 0, "requests without an answer when the session ends in good order");
        }
    }

    /// All commands come to their end, every request has its answer, and when the clients have been gone for long, nothing
    /// of them is left and the table is what the ACD says.
    async fn end(mut self) {
        self.acd.clear_faults();
        self.acd.come_back();
        let done = tokio::time::timeout(COMMANDS_MAX, self.house.commands_done()).await;
        assert!(done.is_ok(), "a command has no end");
        self.pass(Duration::from_millis(1)).await;
        for line in self.lines.iter().flatten() {
            assert_eq!(line.ledger.unanswered(), 0, "requests without an answer");
        }
        for at in [0, 1] {
            self.close(at, &CloseReason::ClientGone);
        }
        tokio::time::sleep(GRACE_MAX).await;
        let table = &self.house.table;
        assert_eq!((table.clients(), table.subscriptions.count()), (0, 0), "clients and subscriptions are left");
        let mut at_work = Vec::new();
        for agent in (0..AGENTS).map(agent) {
            let truth = self.acd.facts(&agent).expect("an agent of the world");
            let cell = table.agent(&AgentKey { peripheral: PERIPHERAL, agent: agent.clone() }).expect("it is listed");
            assert_eq!(cell.entry().facts, truth, "the table says otherwise than the ACD");
            at_work.extend(truth.is_logged_in().then_some(agent));
        }
        let mut adapters = self.acd.adapters();
        adapters.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        assert_eq!(adapters, at_work, "adapters are those of the agents at work");
        self.house.end();
    }
}

impl<L: Ledger> Line<L> {
    fn read(&mut self) -> Result<(), CloseReason> {
        let mut said = BytesMut::new();
        self.outbox.take(&mut said)?;
        self.ledger.received(&said);
        self.outbox.still_writing(0);
        Ok(())
    }
}

fn configured(choices: u8) -> Config {
    let mut config = Config::default();
    config.sessions.second_client =
        [SecondClient::Share, SecondClient::TakeOver, SecondClient::Reject][usize::from(choices & 3) % 3];
    config.sessions.logout_on_call =
        [LogoutOnCall::Reject, LogoutOnCall::Force, LogoutOnCall::AfterCall][usize::from(choices >> 2 & 3) % 3];
    config.listeners[0].flavour = match choices & 16 {
        0 => ctigate::config::Flavour::Cce,
        _ => ctigate::config::Flavour::Uccx,
    };
    config.limits.message_bytes_max = 512;
    config.limits.requests_in_flight_max = 8;
    config.limits.requests_per_second_max = 50;
    config.limits.monitors_max = 8;
    config.limits.subscriptions_max = 12;
    config.limits.calls_max = 4;
    config.limits.acd_commands_max = 8;
    if choices & 128 != 0 {
        config.clients = [("d", Role::Agent), ("crm", Role::Supervisor)].map(client).into();
    }
    let ids = |numbers: std::ops::Range<u8>| numbers.map(|number| agent(number).to_string()).collect();
    config.teams = vec![TeamConfig {
        id: TeamId(1),
        name: "one".to_owned(),
        peripheral: None,
        supervisors: ids(0..1),
        agents: ids(1..3),
    }];
    config
}

/// Whoever names it and gives no password may be that client, with any agent.
fn client((id, role): (&str, Role)) -> ClientConfig {
    let password = Some(Secret::Here(Password::default()));
    ClientConfig { id: id.to_owned(), role, password, agents: Some(vec!["*".to_owned()]), ..Default::default() }
}

fn world(choices: u8) -> EmbeddedConfig {
    let mut world = EmbeddedConfig::default();
    world.queues.truncate(2);
    let queues = world.queues.iter().map(|queue| queue.number).collect();
    world.agents =
        vec![AgentsConfig { first: 1001, count: AGENTS.into(), password: Password::new("pw").into(), queues }];
    world.instruments = vec![InstrumentsConfig { first: 3001, count: 4 }];
    world.calls.auto_answer = choices & 32 == 0;
    world.latency = Duration::from_millis(if choices & 64 == 0 { 0 } else { 50 });
    world
}

async fn housed(config: &Config, acd: &Arc<EmbeddedAcd>) -> Arc<House> {
    let rules = Rules { audit: None, ..rules(config) };
    let peripheral = Peripheral { id: PERIPHERAL, acd: Arc::<EmbeddedAcd>::clone(acd) as Arc<dyn Acd> };
    let house = House::new(vec![peripheral], config.teams(), rules);
    house.connect(config.limits.acd_events_max);
    house.all_online().await;
    house
}

fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}

fn agent(number: u8) -> AgentId {
    AgentId::new(&(1001 + u32::from(number)).to_string()).expect("an id")
}

pub(crate) const PERIPHERAL: PeripheralId = PeripheralId(5000);
const AGENTS: u8 = 3;
const COMMANDS: [Command; 8] = [
    Command::OpenAdapter,
    Command::CloseAdapter,
    Command::Authenticate,
    Command::LogIn,
    Command::SetState,
    Command::LogOut,
    Command::ControlCall,
    Command::Agent,
];
/// Longer than any command waits for the ACD.
const COMMANDS_MAX: Duration = Duration::from_secs(600);
/// Longer than a lost client is waited for, and than what is wrong with an adapter is left so.
const GRACE_MAX: Duration = Duration::from_secs(600);
