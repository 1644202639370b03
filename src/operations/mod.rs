//! What a command does, and in what order: login, logout, state change, query, and the rebuild of the table.
//!
//! Lives here: the sequences and what the failure of each step means. Not here: wire types, sockets, how an ACD is told
//! (`acd`), how a client is answered (`dialects`).
//! Must hold: no logout is confirmed before the adapter is closed and the subscriptions are ended; an agent's commands
//! are done one after another; what an agent is comes from the ACD, asked or reported, never assumed.

mod adapters;
mod audit;
mod call_control;
mod calls;
mod grace;
mod login;
mod logout;
mod logout_on_call;
mod overload;
mod passwords;
mod refusal;
mod reports;
mod requester;
mod resync;
mod seldom;
mod state;
mod steps;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use self::passwords::AgentGuesses;
use crate::acd::{AcdProgress, AcdRefusal, Peripheral};
use crate::model::{AgentId, AgentKey, LogoutOnCall, PeripheralId, SecondClient, Teams};
use crate::observe::{AcdCommand, By, Metrics};
use crate::sessions::{Bounds, Index, Table};

pub use grace::{Claim, Farewell, Grace};
pub use logout::LoggedOut;
pub use overload::{Bearable, Judge, Level, Strain, Urgency};
pub use refusal::{Blame, Refusal};
pub use requester::{Requester, Right};
pub use seldom::Seldom;
pub use state::Demands;
pub use steps::Step;

/// Takes the outcome of a command to the one who asked: called exactly once, never waits.
pub type Answer<T> = Box<dyn FnOnce(Result<T, Refusal>) + Send>;

/// A gateway's table, its ACDs, and what is done with them.
#[derive(Debug)]
pub struct House {
    /// Who is logged in where, and who subscribes to what.
    pub table: Table,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    failed_steps: By<Step, Counter>,
    peripherals: Vec<Peripheral>,
    rules: Rules,
    commands: TaskTracker,
    ending: CancellationToken,
    /// No call is waited for any more.
    stopping: CancellationToken,
    links: watch::Sender<()>,
    /// What the gateway has to do.
    load: overload::Load,
    /// About what does not fit into the table.
    no_room: Seldom,
    /// About what there is too much to do for.
    refusing: Seldom,
    /// How far the reading of each ACD's reports is.
    progress: Index<PeripheralId, AcdProgress>,
    agent_guesses: AgentGuesses,
}

/// How long things are waited for, how much may wait, and how clients are treated that meet or are lost.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// For an ACD's answer.
    pub acd_answer: Duration,
    /// Before a failed step is tried again, the first time; doubles up to `retry_max`.
    pub retry_min: Duration,
    /// The longest pause between two tries.
    pub retry_max: Duration,
    /// How many reports about one agent wait while a command is with the ACD.
    pub deferred_events_max: usize,
    /// What a second client of an agent does.
    pub second_client: SecondClient,
    /// What becomes of an agent whose clients were lost; none: it stays as it is.
    pub grace: Option<Grace>,
    /// What a logout of an agent on a call does.
    pub logout_on_call: LogoutOnCall,
    /// How long after midnight, UTC, the day of the statistics begins.
    pub day_begins: Duration,
    /// How often the table is compared with what each ACD says; none: only when a link comes up.
    pub audit: Option<Duration>,
    /// How many commands may wait for one ACD; from the half on newcomers are refused.
    pub commands_max: usize,
    /// How much the table may hold.
    pub bounds: Bounds,
}

impl House {
    /// A house whose ACDs are not connected yet; see [`connect`](House::connect).
    pub fn new(peripherals: Vec<Peripheral>, teams: Teams, rules: Rules) -> Arc<House> {
        let metrics = Metrics::new(peripherals.iter().map(|peripheral| peripheral.id));
        Arc::new(House {
            table: Table::new(teams, rules.day_begins, rules.bounds),
            load: overload::Load::new(peripherals.iter().map(|peripheral| peripheral.id), rules.commands_max),
            no_room: Seldom::default(),
            refusing: Seldom::default(),
            failed_steps: metrics.failed_steps(),
            metrics,
            peripherals,
            rules,
            commands: TaskTracker::new(),
            ending: CancellationToken::new(),
            stopping: CancellationToken::new(),
            links: watch::Sender::new(()),
            progress: Index::default(),
            agent_guesses: AgentGuesses::new(),
        })
    }

    /// The ACDs, in the order of the configuration.
    pub fn peripherals(&self) -> &[Peripheral] {
        &self.peripherals
    }

    /// The ACD with that number.
    pub fn peripheral(&self, id: PeripheralId) -> Option<&Peripheral> {
        self.peripherals.iter().find(|peripheral| peripheral.id == id)
    }

    /// The ACD meant by a client that names none: the one that has the agent, or else the first of the configuration.
    pub fn home_of(&self, agent: Option<&AgentId>) -> Option<PeripheralId> {
        let has_agent = |id: &PeripheralId| {
            agent.is_some_and(|agent| self.table.agent(&AgentKey { peripheral: *id, agent: agent.clone() }).is_some())
        };
        let mut ids = self.peripherals.iter().map(|peripheral| peripheral.id);
        let first = ids.clone().next();
        ids.find(has_agent).or(first)
    }

    /// Runs a command to its end, whatever becomes of the one who asked. A command that needs nobody's answer is done
    /// when this returns; one that has to wait goes on by itself.
    pub fn run(&self, command: impl Future<Output = ()> + Send + 'static) {
        let mut command: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(command);
        if command.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            self.commands.spawn(command);
        }
    }

    /// Does something after a while, unless the gateway ends before that.
    pub fn later(self: &Arc<House>, pause: Duration, work: impl FnOnce() + Send + 'static) {
        let ending = self.ending.clone();
        tokio::spawn(async move {
            if ending.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
                work();
            }
        });
    }

    /// Says how the machine stands, from here on.
    pub fn set_machine(&self, level: Level) {
        self.load.set_machine(level);
    }

    /// How the machine stands, as it was said last.
    pub fn machine(&self) -> Level {
        self.load.machine()
    }

    /// Refuses what the machine cannot take on now, whatever it is about.
    pub fn must_bear(&self, urgency: Urgency) -> Result<(), Refusal> {
        self.load.must_bear(urgency).map_err(|refusal| self.congested(refusal))
    }

    /// Takes a command to an ACD on, or refuses it for having too much to do.
    fn take_on(&self, id: PeripheralId, urgency: Urgency) -> Result<overload::Taken, Refusal> {
        self.load.take(id, urgency).map_err(|refusal| self.congested(refusal))
    }

    /// Says that something was refused for that; not each of many.
    fn congested(&self, refusal: Refusal) -> Refusal {
        self.refusing.say(|left_out| warn!(error = %refusal, left_out, "requests are refused"));
        refusal
    }

    /// How many commands wait for an ACD.
    pub fn commands_waiting(&self, id: PeripheralId) -> usize {
        self.load.waiting(id)
    }

    /// Waits until no command is running any more. Commands that are given meanwhile are waited for as well.
    pub async fn commands_done(&self) {
        self.stopping.cancel();
        self.commands.close();
        self.commands.wait().await;
    }

    /// How many commands are running.
    pub fn commands_running(&self) -> usize {
        self.commands.len()
    }

    /// How many reports of an ACD wait to be taken in.
    pub fn reports_waiting(&self, id: PeripheralId) -> u64 {
        self.progress.get(&id).map_or(0, |progress| progress.waiting())
    }

    /// Ends what runs in the background: the links, and the tries to put adapters right.
    pub fn end(&self) {
        self.ending.cancel();
    }

    /// Waits until every ACD can be reached and the table holds what it says.
    pub async fn all_online(&self) {
        let mut links = self.links.subscribe();
        while !self.peripherals.iter().all(|peripheral| self.table.is_online(peripheral.id)) {
            if links.changed().await.is_err() {
                return;
            }
        }
    }

    /// An ACD's answer, or the refusal that none came in time.
    async fn ask<T>(
        &self,
        id: PeripheralId,
        command: AcdCommand,
        answer: impl Future<Output = Result<T, AcdRefusal>>,
    ) -> Result<T, AcdRefusal> {
        let (waited, asked) = (self.rules.acd_answer, tokio::time::Instant::now());
        let answer = tokio::time::timeout(waited, answer).await.unwrap_or(Err(AcdRefusal::TimedOut { waited }));
        self.count_answer(id, command, asked.elapsed(), &answer);
        answer
    }

    /// The ACD with that number, if it can be reached now.
    fn reachable(&self, id: PeripheralId) -> Result<&Peripheral, Refusal> {
        let peripheral = self.peripheral(id).ok_or(Refusal::UnknownPeripheral { peripheral: id })?;
        if self.table.is_online(id) { Ok(peripheral) } else { Err(Refusal::LinkDown { peripheral: id }) }
    }
}
