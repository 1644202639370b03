//! Asterisk: its queues (app_queue) as an ACD, over one connection of its manager interface.
//!
//! An agent is a queue member: its name is the agent's id, its interface is made of the agent's instrument. Logging in is
//! joining queues, not ready is a pause, after-call work is a pause of its own. Seen on Asterisk 22 (AMI 11.0.0).
//! Lives here: what a command sends, and what becomes of it. Not here: bytes (`ami`), the connection (`link`), what is
//! known of the queues (`world`). Must hold: what an agent is, is what Asterisk answered or told.

pub mod ami;
mod bridges;
mod calls;
mod channels;
mod config;
mod control;
mod credentials;
mod line;
mod link;
mod locals;
mod members;
mod names;
mod news;
mod supervision;
mod switch;
#[cfg(test)]
mod tests;
mod world;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::time::Instant;
use tracing::warn;

use calls::Call;
pub use config::{AsteriskConfig, AsteriskQueue, DataName, ReasonText, VariableConfig};
use credentials::Credentials;
use line::{Line, Rank};
pub use link::Counts;
use link::Link;
use members::{Effect, Place, Said};
use names::{Names, Pause};
use world::{World, hangup_action};

use self::ami::Action;
use super::{Acd, AcdConfigError, AcdEvents, AcdRefusal, Capabilities, Snapshot};
use crate::model::{
    AgentFacts, AgentId, AgentState, CallCommand, CallOutcome, Instrument, Login, Password, QueueChoice, ReasonCode,
    StateChange, WantedState,
};

/// One Asterisk.
#[derive(Debug)]
pub struct AsteriskAcd {
    names: Arc<Names>,
    line: Arc<Line>,
    world: Arc<Mutex<World>>,
    link: Link,
}

impl AsteriskAcd {
    /// The Asterisk that the configuration describes, not connected yet. Its secret and certificates must be where they are kept.
    pub fn new(config: &AsteriskConfig) -> Result<AsteriskAcd, AcdConfigError> {
        config.validate()?;
        config.agents.iter().try_for_each(|range| range.every().map(drop))?;
        let names = Names::new(config).map_err(|what| AcdConfigError { key: "interface".to_owned(), what })?;
        let names = Arc::new(names);
        let line = Arc::new(Line::new(config.waiting_max));
        let world = World::new(Arc::clone(&names), Arc::clone(&line), config.reason_when_unreachable());
        let world = Arc::new(Mutex::new(world));
        let link = Link {
            host: config.host.clone(),
            port: config.port,
            user: config.user.clone(),
            credentials: Credentials::new(config)?,
            in_flight_max: config.in_flight_max,
            action_deadline: config.action_deadline,
            ping_every: config.ping_every,
            connect_deadline: config.connect_deadline,
            reconnect_min: config.reconnect_min,
            reconnect_max: config.reconnect_max,
            line: Arc::clone(&line),
            world: Arc::clone(&world),
            counts: Counts::default(),
        };
        Ok(AsteriskAcd { names, line, world, link })
    }

    /// What happened on the link that should not.
    pub fn counts(&self) -> &Counts {
        &self.link.counts
    }

    /// Sends actions at once and waits for all their answers, in their order.
    async fn ask_all(&self, rank: Rank, actions: Vec<(Action, Effect)>) -> Vec<Result<Said, AcdRefusal>> {
        let asked: Vec<_> = actions.into_iter().map(|(action, effect)| self.line.ask(rank, action, effect)).collect();
        join_all(asked.into_iter().map(|asked| async {
            asked?.await.unwrap_or(Err(AcdRefusal::LinkDown)) // the link takes its orders with it when it ends
        }))
        .await
    }

    /// What has become of something, before those who come: until it is known, somebody waits for it to be put right.
    async fn ask(&self, action: Action, effect: Effect) -> Result<Said, AcdRefusal> {
        let said = self.line.ask(Rank::Urgent, action, effect)?.await.unwrap_or(Err(AcdRefusal::LinkDown))?;
        if said.is_done { Ok(said) } else { Err(refused(&said.words)) }
    }

    /// Hangs these calls up and waits until they are gone; it does not matter if they were already. Asterisk's answer says
    /// only that the channel was told.
    async fn hang_up(&self, calls: Vec<Call>) -> Result<(), AcdRefusal> {
        if calls.is_empty() {
            return Ok(());
        }
        self.hang_up_channels(calls.iter().map(|call| &*call.channel)).await?;
        let changes = Arc::clone(&self.world.lock().calls_changed);
        let are_gone = async {
            loop {
                let mut hangup = std::pin::pin!(changes.notified());
                hangup.as_mut().enable();
                if !calls.iter().any(|call| self.world.lock().calls.has(&call.id)) {
                    return;
                }
                hangup.await;
            }
        };
        let gone = tokio::time::timeout(HANG_UP_MAX, are_gone).await;
        gone.map_err(|_| refused("a call that rings was hung up, and rings on"))
    }

    /// Tells every one of these channels to hang up; those that are gone already did.
    async fn hang_up_channels(&self, channels: impl Iterator<Item = &str> + Send) -> Result<(), AcdRefusal> {
        let actions: Result<Vec<_>, _> =
            channels.map(|channel| Ok((hangup_action(channel)?, Effect::Nothing))).collect();
        for answer in self.ask_all(Rank::Urgent, actions?).await {
            let said = answer?;
            if !said.is_done && !said.words.contains("No such channel") {
                return Err(refused(&format!("hanging up a call: {}", said.words)));
            }
        }
        Ok(())
    }

    async fn join(&self, login: &Login, plan: world::LoginPlan) -> Result<(), AcdRefusal> {
        let evictions = plan.evicted.into_iter().map(|(place, action)| (action, Effect::Removed(place))).collect();
        for answer in self.ask_all(Rank::Normal, evictions).await {
            let said = answer?;
            if !said.is_done && !link::is_not_there(&said.words) {
                return Err(refused(&format!("the agent at the device cannot be put out: {}", said.words)));
            }
        }
        let places: Vec<Place> = plan.joins.iter().map(|(place, ..)| place.clone()).collect();
        let joins = plan.joins.into_iter().map(|(place, member, action)| (action, Effect::Added(place, member)));
        let answers = self.ask_all(Rank::Normal, joins.collect()).await;
        let mut outcomes = Vec::new();
        for (place, answer) in places.iter().zip(&answers) {
            let failure = match answer {
                Ok(said) if said.is_done => None,
                Ok(said) if said.words.contains(ALREADY_THERE) => self.who_is_there(login, place).await.err(),
                Ok(said) => Some(refused(&said.words)),
                Err(refusal) => Some(refusal.clone()),
            };
            outcomes.push((place, failure));
        }
        if outcomes.iter().all(|(_, failure)| failure.is_none()) {
            return Ok(());
        }
        let undone = self.leave_again(&outcomes, &answers).await;
        // What could not be undone is what the caller has to know: it asks then what has become of the agent.
        undone.and(Err(self.login_failure(&outcomes)))
    }

    /// Asterisk says that the interface is in the queue already: that is right if it is there for this very agent.
    async fn who_is_there(&self, login: &Login, place: &Place) -> Result<(), AcdRefusal> {
        let interface = self.names.interface(&login.instrument)?;
        self.ask_members_at(place.interface.clone(), interface.as_str()).await?;
        match self.world.lock().agent_at(place) {
            Some(agent) if *agent == login.agent => Ok(()),
            Some(by) => Err(AcdRefusal::InstrumentInUse { instrument: login.instrument.clone(), by: by.clone() }),
            None => Err(refused("the interface was there, and then was not")),
        }
    }

    async fn ask_members_at(&self, interface: names::Interface, spelled: &str) -> Result<(), AcdRefusal> {
        let action = Action::new("QueueStatus").with("Member", spelled).map_err(|error| refused(&error.to_string()))?;
        self.ask(action, Effect::MembersAt(interface, spelled.into())).await.map(drop)
    }

    /// A login is in all of its queues or in none: what was joined is left again.
    async fn leave_again(
        &self,
        outcomes: &[(&Place, Option<AcdRefusal>)],
        answers: &[Result<Said, AcdRefusal>],
    ) -> Result<(), AcdRefusal> {
        let joined: Vec<&Place> = outcomes
            .iter()
            .zip(answers)
            .filter(|(_, answer)| answer.as_ref().is_ok_and(|said| said.is_done))
            .map(|((place, _), _)| *place)
            .collect();
        let removals = self.world.lock().removals(&joined);
        let mut undone = Ok(());
        for answer in self.ask_all(Rank::Urgent, removals).await {
            let left = answer.and_then(|said| match said.is_done || link::is_not_there(&said.words) {
                true => Ok(()),
                false => Err(refused(&format!("a queue that was joined could not be left again: {}", said.words))),
            });
            if let Err(error) = &left {
                warn!(%error, "a queue that a failed login had joined could not be left at once");
            }
            undone = undone.and(left);
        }
        undone
    }

    /// What became of each queue, in words; where one was not answered, that is the failure.
    fn login_failure(&self, outcomes: &[(&Place, Option<AcdRefusal>)]) -> AcdRefusal {
        let failures: Vec<&AcdRefusal> = outcomes.iter().filter_map(|(_, failure)| failure.as_ref()).collect();
        // First what leaves open what has become of the agent, then what says more than words.
        let is_open = |refusal: &&&AcdRefusal| matches!(refusal, AcdRefusal::TimedOut { .. } | AcdRefusal::LinkDown);
        let is_plain = |refusal: &&&AcdRefusal| !matches!(refusal, AcdRefusal::Refused { .. });
        if let Some(refusal) = failures.iter().find(is_open).or_else(|| failures.iter().find(is_plain)) {
            return (*refusal).clone();
        }
        let words: Vec<String> = outcomes
            .iter()
            .map(|(place, failure)| match failure {
                Some(AcdRefusal::Refused { words, .. }) => format!("queue {}: {words}", self.named(place)),
                _ => format!("queue {}: joined and left again", self.named(place)),
            })
            .collect();
        refused(&words.join("; "))
    }

    fn named(&self, place: &Place) -> &str {
        self.names.queue_name(place.queue).unwrap_or_default()
    }

    /// Marks an agent as being at work on: its changes are told when the command is done, or given up.
    fn hold<'a>(&'a self, agent: &'a AgentId) -> Hold<'a> {
        self.world.lock().hold(agent);
        Hold { acd: self, agent, is_done: false }
    }
}

#[async_trait]
impl Acd for AsteriskAcd {
    fn capabilities(&self) -> Capabilities {
        let lists_agents = self.names.configured_agents().next().is_some();
        Capabilities {
            after_call_work: true,
            partial_logout: true,
            lists_instruments: false,
            lists_agents,
            calls: control::abilities(&self.names),
        }
    }

    async fn run(&self, events: AcdEvents) {
        self.world.lock().connect(events.clone());
        self.link.run(events).await;
    }

    /// The adapter is the interface, kept for the agent: nobody else logs in there. Asterisk itself knows no such thing.
    async fn open_adapter(&self, agent: &AgentId, instrument: &Instrument) -> Result<(), AcdRefusal> {
        self.world.lock().open_adapter(agent, instrument)
    }

    async fn close_adapter(&self, agent: &AgentId) -> Result<(), AcdRefusal> {
        let ringing = self.world.lock().ringing_of(agent);
        self.hang_up(ringing).await?;
        self.world.lock().close_adapter(agent);
        Ok(())
    }

    async fn authenticate(&self, agent: &AgentId, password: &Password) -> Result<(), AcdRefusal> {
        if self.names.admits(agent, password) { Ok(()) } else { Err(AcdRefusal::BadCredentials) }
    }

    async fn log_in(&self, login: &Login) -> Result<AgentFacts, AcdRefusal> {
        let agent = &login.agent;
        let (allowed, default) = self.names.queues_of(agent);
        let queues = match &login.queues {
            QueueChoice::AsAcdSays => default,
            QueueChoice::Named(named) => match named.iter().find(|queue| !allowed.contains(queue)) {
                Some(&queue) => return Err(AcdRefusal::BadQueue { agent: agent.clone(), queue }),
                None => named.clone(),
            },
        };
        let hold = self.hold(agent);
        let plan = self.world.lock().plan_login(agent, &login.instrument, &queues, login.forced)?;
        self.join(login, plan).await?;
        hold.done()
    }

    async fn set_state(&self, change: &StateChange) -> Result<AgentFacts, AcdRefusal> {
        let text = match change.wanted {
            WantedState::Ready => None,
            WantedState::NotReady => Some(self.names.pause_text(Pause::NotReady(change.reason))),
            WantedState::WorkReady => Some(self.names.pause_text(Pause::Work(AgentState::WorkReady))),
            WantedState::WorkNotReady => Some(self.names.pause_text(Pause::Work(AgentState::WorkNotReady))),
        };
        let hold = self.hold(&change.agent);
        let actions = self.world.lock().plan_pause(&change.agent, text.as_deref())?;
        for answer in self.ask_all(Rank::Normal, actions).await {
            let said = answer?;
            if !said.is_done {
                return Err(refused(&said.words));
            }
        }
        hold.done()
    }

    /// Asterisk knows no reasons of a logout, and lets a call that is talked on go on to its end; one that only rings is
    /// hung up before the logout is said to be done.
    async fn log_out(
        &self,
        agent: &AgentId,
        queues: &QueueChoice,
        reason: ReasonCode,
        _forced: bool,
    ) -> Result<AgentFacts, AcdRefusal> {
        let hold = self.hold(agent);
        let named = match queues {
            QueueChoice::AsAcdSays => None,
            QueueChoice::Named(named) => Some(named.as_slice()),
        };
        let removals = self.world.lock().plan_logout(agent, named)?;
        let places: Vec<Place> = removals.iter().map(|(place, _)| place.clone()).collect();
        let actions = removals.into_iter().map(|(place, action)| (action, Effect::Removed(place))).collect();
        let answers = self.ask_all(Rank::Urgent, actions).await;
        let has_left = |answer: &Result<Said, _>| {
            answer.as_ref().is_ok_and(|said| said.is_done || link::is_not_there(&said.words))
        };
        if !answers.iter().all(has_left) {
            return Err(self.logout_failure(&places, &answers));
        }
        let ringing = {
            let world = self.world.lock();
            places.iter().flat_map(|place| world.ringing_at(place)).collect()
        };
        self.hang_up(ringing).await?;
        self.world.lock().set_logout_reason(agent, reason);
        hold.done()
    }

    async fn control_call(&self, command: &CallCommand) -> Result<CallOutcome, AcdRefusal> {
        self.control(command).await
    }

    async fn agent(&self, agent: &AgentId) -> Result<Option<AgentFacts>, AcdRefusal> {
        let interfaces = self.world.lock().interfaces_of(agent);
        let hold = self.hold(agent);
        for (interface, spelled) in &interfaces {
            self.ask_members_at(interface.clone(), spelled).await?;
        }
        let facts = hold.done()?;
        Ok((!interfaces.is_empty()).then_some(facts))
    }

    async fn snapshot(&self) -> Result<Snapshot, AcdRefusal> {
        let all =
            vec![(Action::new("QueueStatus"), Effect::AllMembers), (Action::new("CoreShowChannels"), Effect::Channels)];
        for answer in self.ask_all(Rank::Urgent, all).await {
            let said = answer?;
            if !said.is_done {
                warn!(words = said.words, "asterisk does not say everything");
            }
        }
        let mut world = self.world.lock();
        // Of a link that was lost since, nothing is known: that is no empty Asterisk.
        if world.is_known() { Ok(world.snapshot(Instant::now())) } else { Err(AcdRefusal::LinkDown) }
    }
}

impl AsteriskAcd {
    /// What became of each queue, in words; where one was not answered, that is the failure.
    fn logout_failure(&self, places: &[Place], answers: &[Result<Said, AcdRefusal>]) -> AcdRefusal {
        if let Some(refusal) = answers.iter().find_map(|answer| answer.as_ref().err()) {
            return refusal.clone();
        }
        let words: Vec<String> = places
            .iter()
            .zip(answers)
            .filter_map(|(place, answer)| answer.as_ref().ok().map(|said| (place, said)))
            .map(|(place, said)| match said.is_done {
                true => format!("queue {}: left", self.named(place)),
                false => format!("queue {}: {}", self.named(place), said.words),
            })
            .collect();
        refused(&words.join("; "))
    }
}

/// While this lives, what changes about an agent is not told.
struct Hold<'a> {
    acd: &'a AsteriskAcd,
    agent: &'a AgentId,
    is_done: bool,
}

impl Hold<'_> {
    /// The command is done: how the agent stands. That is not known if the link was lost since the last answer.
    fn done(mut self) -> Result<AgentFacts, AcdRefusal> {
        self.is_done = true;
        let mut world = self.acd.world.lock();
        let facts = world.release(self.agent, Instant::now());
        if world.is_known() { Ok(facts) } else { Err(AcdRefusal::LinkDown) }
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            self.acd.world.lock().release(self.agent, Instant::now());
        }
    }
}

fn refused(words: &str) -> AcdRefusal {
    AcdRefusal::Refused { code: 0, words: words.to_owned() }
}

const ALREADY_THERE: &str = "Already there";
/// How long a channel takes to end that was told to.
const HANG_UP_MAX: Duration = Duration::from_secs(2);
