//! One bench client: one agent's desktop, one connection, one task.
//!
//! Lives here: asking, waiting, telling the figures. Not here: what is right (`watch`), when to ask (`schedule`), what all
//! desks do together (the room's head).
//! Must hold: a desk listens whenever it waits for something; a desk whose connection is gone still takes part in every
//! phase, so that nobody waits for it.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use cti_protocol::ged188::{AnyMessage, Version};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::calls::{Line, Pair};
use super::figures::Figures;
use super::pace::Bells;
use super::schedule::{Schedule, Step};
use super::watch::{Asked, Heard, Kind, Violation, Watch};
use crate::cli::client::{self, Client, ClientError, Desktop, Way};

/// What all desks do at a time; the next one begins when every desk is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Phase {
    Gather,
    Open,
    Login,
    Work {
        start: Instant,
        duration: Duration,
        rate: f64,
    },
    /// As pairs of desks that call each other.
    Calls {
        start: Instant,
        duration: Duration,
        per_second: f64,
    },
    Logout,
    /// Nothing may come of an ended subscription.
    Listen {
        until: Instant,
    },
    Close,
}

/// What the desks share.
#[derive(Debug)]
pub(super) struct Office {
    pub(super) way: Way,
    pub(super) version: Version,
    pub(super) desks: u32,
    pub(super) answer_wait: Duration,
    pub(super) bells: Bells,
    /// How many may connect, log in, log out or close at a time.
    pub(super) storm: Semaphore,
    pub(super) figures: Arc<Mutex<Figures>>,
    /// The desks that call each other: two neighbours each.
    pub(super) pairs: Vec<Pair>,
}

/// A desktop and its connection.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) number: u32,
    agent: String,
    desktop: Desktop,
    pub(super) office: Arc<Office>,
    pub(super) client: Option<Client>,
    watch: Watch,
    pub(super) is_logged_in: bool,
    /// While the rates are measured.
    pub(super) counts_until: Option<Instant>,
    /// Whom it calls, where it does.
    pub(super) partner: Option<String>,
    pub(super) line: Line,
    /// What the gateway last said about itself: it may explain why it hung up.
    last_notice: Option<String>,
}

impl Desk {
    pub(super) fn new(
        number: u32,
        agent: String,
        desktop: Desktop,
        partner: Option<String>,
        office: Arc<Office>,
    ) -> Desk {
        Desk {
            number,
            agent,
            desktop,
            office,
            client: None,
            watch: Watch::default(),
            is_logged_in: false,
            counts_until: None,
            partner,
            line: Line::default(),
            last_notice: None,
        }
    }

    /// Takes part in every phase; says when it is done with each.
    pub(super) async fn run(mut self, mut phases: watch::Receiver<Phase>, done: mpsc::Sender<()>) {
        loop {
            let phase = self.next_phase(&mut phases).await;
            match phase {
                Phase::Gather => (),
                Phase::Open => self.open().await,
                Phase::Login => self.log_in().await,
                Phase::Work { start, duration, rate } => self.work(start, duration, rate).await,
                Phase::Calls { start, duration, per_second } => self.call(start, duration, per_second).await,
                Phase::Logout => self.log_out().await,
                Phase::Listen { until } => self.listen_until(until).await,
                Phase::Close => self.close().await,
            }
            if done.send(()).await.is_err() || phase == Phase::Close {
                return;
            }
        }
    }

    async fn next_phase(&mut self, phases: &mut watch::Receiver<Phase>) -> Phase {
        loop {
            tokio::select! {
                changed = phases.changed() => return match changed {
                    Ok(()) => *phases.borrow_and_update(),
                    Err(_) => Phase::Close,
                },
                heard = receive(&mut self.client) => self.judge(heard),
            }
        }
    }

    async fn open(&mut self) {
        let office = Arc::clone(&self.office);
        let Ok(_turn) = office.storm.acquire().await else { return };
        let due = Instant::now();
        match Client::connect(&office.way, office.version).await {
            Ok(client) => self.client = Some(client),
            Err(error) => {
                let mut figures = office.figures.lock();
                figures.out_of_descriptors |= error.is_out_of_descriptors();
                figures.failed(Kind::Open, &error.to_string());
                figures.desktops_failed += 1;
                return;
            }
        }
        // The connection stays whatever the desktop does: nobody sends heartbeats here.
        if !self.ask(Kind::Open, due, |desktop, id| desktop.open(id, office.version, None).into()).await {
            office.figures.lock().desktops_failed += 1;
            self.client = None;
        }
    }

    async fn log_in(&mut self) {
        if self.client.is_none() {
            return;
        }
        let office = Arc::clone(&self.office);
        let Some(_turn) = self.turn(&office.storm).await else { return };
        let is_done = self.ask(Kind::Login, Instant::now(), |desktop, id| desktop.login(id, &[]).into()).await;
        self.is_logged_in = is_done;
        office.figures.lock().desktops_failed += u64::from(!is_done);
    }

    async fn work(&mut self, start: Instant, duration: Duration, rate: f64) {
        let mut schedule = Schedule::new(start, duration, rate, self.number, self.office.desks);
        self.counts_until = Some(schedule.end());
        if self.is_logged_in {
            while self.client.is_some() {
                let Some(due) = schedule.next_due(Instant::now()) else { break };
                if schedule.has_pace() {
                    self.listen_until_rung(due, self.number).await;
                } else {
                    self.listen_until(due).await;
                }
                let step = schedule.take();
                self.ask(step.kind(), due, |desktop, id| match step {
                    Step::State { state, reason } => desktop.state(id, state, reason).into(),
                    Step::Query => desktop.query(id).into(),
                })
                .await;
            }
        }
        self.office.figures.lock().working.not_sent += schedule.not_sent();
        self.listen_until(schedule.end()).await;
        self.counts_until = None;
    }

    async fn log_out(&mut self) {
        if !self.is_logged_in {
            return;
        }
        let office = Arc::clone(&self.office);
        let is_done = match self.turn(&office.storm).await {
            Some(_turn) => {
                let logout = |desktop: &Desktop, id| desktop.logout(id, LOGOUT_REASON, &[]).into();
                self.ask(Kind::Logout, Instant::now(), logout).await
            }
            None => false,
        };
        office.figures.lock().desktops_failed += u64::from(!is_done);
    }

    async fn close(&mut self) {
        let office = Arc::clone(&self.office);
        if let Some(_turn) = self.turn(&office.storm).await {
            self.ask(Kind::Close, Instant::now(), |_, id| client::close(id).into()).await;
        }
        self.client = None;
    }

    /// Waits for its turn, listening; none if the connection is gone by then.
    async fn turn<'s>(&mut self, storm: &'s Semaphore) -> Option<tokio::sync::SemaphorePermit<'s>> {
        let turn = storm.acquire();
        tokio::pin!(turn);
        loop {
            tokio::select! {
                turn = &mut turn => return turn.ok().filter(|_| self.client.is_some()),
                heard = receive(&mut self.client) => self.judge(heard),
            }
        }
    }

    pub(super) async fn listen_until(&mut self, until: Instant) {
        loop {
            tokio::select! {
                () = sleep_until(until) => return,
                heard = receive(&mut self.client) => self.judge(heard),
            }
        }
    }

    /// Listens until a request is due and the bell has rung for it.
    pub(super) async fn listen_until_rung(&mut self, due: Instant, bell: u32) {
        let office = Arc::clone(&self.office);
        while Instant::now() < due {
            tokio::select! {
                () = office.bells.rung(bell) => (), // perhaps for an earlier one, while this desk was busy
                heard = receive(&mut self.client) => self.judge(heard),
            }
        }
    }

    /// Sends one request and waits until it is answered or cannot be any more; says whether it was confirmed.
    pub(super) async fn ask(
        &mut self,
        kind: Kind,
        due: Instant,
        build: impl FnOnce(&Desktop, u32) -> AnyMessage,
    ) -> bool {
        let Some(client) = &mut self.client else { return false };
        let invoke_id = client.next_invoke_id();
        let deadline = Instant::now() + self.office.answer_wait;
        self.watch.sends(Asked { kind, invoke_id, due, deadline });
        if let Err(error) = client.send(build(&self.desktop, invoke_id)).await {
            self.judge(Err(error));
            return false;
        }
        loop {
            tokio::select! {
                heard = receive(&mut self.client) => {
                    let is_confirm = self.judge_answer(heard);
                    if self.client.is_none() || self.watch.asked().is_none() {
                        return is_confirm;
                    }
                }
                () = sleep_until(deadline) => {
                    self.violated(Violation::NeverAnswered, &format!("{} within {:?}", kind.name(), self.office.answer_wait));
                    self.client = None; // an answer that came now would be taken for another one's
                    return false;
                }
            }
        }
    }

    pub(super) fn judge(&mut self, heard: Result<AnyMessage, ClientError>) {
        self.judge_answer(heard);
    }

    /// Counts what came; says whether it confirmed what was asked.
    fn judge_answer(&mut self, heard: Result<AnyMessage, ClientError>) -> bool {
        let now = Instant::now();
        let message = match heard {
            Ok(message) => message,
            Err(error) => {
                self.on_error(&error);
                return false;
            }
        };
        let counts = self.counts_until.is_some_and(|until| now < until);
        self.note_call(&message, now);
        match self.watch.hears(&message) {
            Heard::Confirmed(asked) => {
                let missing = match &message {
                    AnyMessage::OpenConf(opened) => client::not_granted(opened),
                    _ => None,
                };
                let mut figures = self.office.figures.lock();
                figures.answered(asked.kind, now.saturating_duration_since(asked.due));
                figures.working.answers += u64::from(counts);
                if let Some(missing) = missing {
                    figures.failed(Kind::Open, &format!("{missing:?} was not granted"));
                }
                missing.is_none()
            }
            Heard::Refused(asked, code) => {
                let mut figures = self.office.figures.lock();
                figures.failed(asked.kind, &code);
                figures.working.answers += u64::from(counts);
                false
            }
            Heard::Event => {
                self.office.figures.lock().working.events += u64::from(counts);
                false
            }
            Heard::Notice => {
                if let AnyMessage::FailureEvent(event) = &message {
                    self.last_notice = Some(format!("{:?}", event.status));
                }
                false
            }
            Heard::Violation(violation) => {
                self.violated(violation, message.name().unwrap_or("a message of an unknown type"));
                false
            }
        }
    }

    fn on_error(&mut self, error: &ClientError) {
        let is_closing = self.watch.asked().is_some_and(|asked| asked.kind == Kind::Close);
        if error.is_undecodable() {
            self.violated(Violation::Undecodable, &error.to_string());
        } else if !is_closing {
            let notice = self.last_notice.as_ref().map(|notice| format!(" after {notice}")).unwrap_or_default();
            self.violated(Violation::ClosedUnexpectedly, &format!("{error}{notice}"));
        }
        if error.is_final() {
            self.client = None;
        }
    }

    fn violated(&self, violation: Violation, what: &str) {
        self.office.figures.lock().violated(violation, || format!("agent {}: {what}", self.agent));
    }
}

/// The next message; nothing ever where there is no connection.
pub(super) async fn receive(client: &mut Option<Client>) -> Result<AnyMessage, ClientError> {
    match client {
        Some(client) => client.receive().await,
        None => pending().await,
    }
}

/// An ACD may ask for one.
const LOGOUT_REASON: u16 = 1;
