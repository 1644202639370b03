//! One agent in the table: what the ACD said last, and what is under way.
//!
//! Not here: the steps of a login or logout. Must hold: `order` never goes back.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Place;
use crate::model::{AgentFacts, AgentKey, AgentState, Heard, Instrument, PeripheralId, ReasonCode, SessionId};

/// An agent's place in the table.
#[derive(Debug)]
pub struct AgentCell {
    /// Who.
    pub key: AgentKey,
    /// Held for the whole of a command: an agent's commands are done one after another, in the order in which they came.
    pub turn: Arc<tokio::sync::Mutex<()>>,
    /// Woken when what the ACD says of it has changed.
    pub changed: tokio::sync::Notify,
    entry: Mutex<AgentEntry>,
    _place: Place<PeripheralId>,
}

impl AgentCell {
    pub(super) fn new(key: AgentKey, place: Place<PeripheralId>) -> AgentCell {
        let facts = AgentFacts::logged_out(key.agent.clone(), ReasonCode::default(), 0);
        AgentCell {
            key,
            turn: Arc::default(),
            changed: tokio::sync::Notify::new(),
            entry: Mutex::new(AgentEntry::new(facts)),
            _place: place,
        }
    }

    /// What the table says of the agent; locked until dropped, so never held while waiting.
    pub fn entry(&self) -> MutexGuard<'_, AgentEntry> {
        self.entry.lock()
    }
}

/// What the table says of an agent.
#[derive(Debug)]
pub struct AgentEntry {
    /// What the ACD said last.
    pub facts: AgentFacts,
    /// Its last state that was none of a call's.
    pub idle: AgentState,
    /// Since when the agent is in its state, as far as the gateway knows.
    pub since: Instant,
    /// Which login this is, counted over all agents: tells one from the next.
    pub login: u64,
    /// The device that the agent worked at last: a logout's last event still names it.
    pub last_instrument: Option<Instrument>,
    /// The binding to the ACD.
    pub adapter: AdapterState,
    /// A logout that is waiting or running, and who asked for it.
    pub logging_out: Option<(LogoutKind, SessionId)>,
    /// A logout whose teardown failed was finished since: who asks again is told that it is done.
    pub owes_confirm: bool,
    /// What the ACD did last is not known, and could not be asked yet.
    pub unsure: Option<Unsure>,
    /// A background task is putting right what is not as it should be.
    pub mending: bool,
    /// Who has a command with the ACD that is not the agent's own client: what the command brings is told as theirs.
    pub doer: Option<Doer>,
    /// The sessions that would miss the agent: who logged it in, or took it up later. Nobody while it is logged out.
    pub(super) attendants: Vec<SessionId>,
    /// The sessions whose login of the agent is under way, where clients may not meet.
    pub claims: Vec<SessionId>,
    /// All of them were lost: the agent is logged out after a while unless somebody comes back.
    pub(super) lost: Option<Lost>,
    /// Some: a command is with the ACD, and what the ACD reports meanwhile waits here for its answer.
    deferred: Option<VecDeque<Heard>>,
}

/// An agent whose clients were lost.
#[derive(Debug)]
pub(super) struct Lost {
    /// Tells one loss from the next.
    pub(super) number: u64,
    /// The name by which a client may come back for it.
    pub(super) name: Arc<str>,
    /// Dropped when somebody does, which whoever waits to log the agent out hears at once.
    pub(super) _back: oneshot::Sender<std::convert::Infallible>,
}

/// Who changes an agent that is not its own.
#[derive(Debug)]
pub struct Doer {
    /// The client's own name.
    pub name: Arc<str>,
    /// Where the change stands in the ACD's order of changes of the agent, once the ACD has said it.
    pub order: Option<u64>,
}

/// Whether an agent's binding to the ACD is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdapterState {
    /// None.
    Closed,
    /// There.
    Open,
    /// Should be gone, and the ACD has not confirmed it yet.
    Closing,
}

/// What a command without an answer leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsure {
    /// How the agent stands.
    Facts,
    /// Whether a logout that was said to have failed was done after all: then who asks again is told that it is.
    Logout,
    /// Whether a login that was said to have failed was done after all: then it is undone.
    Login,
}

/// What a logout under way will leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoutKind {
    /// Other queues: the agent goes on working.
    Partial,
    /// Nothing: no other state request is taken meanwhile.
    Full,
}

impl AgentEntry {
    fn new(facts: AgentFacts) -> AgentEntry {
        AgentEntry {
            idle: facts.state,
            facts,
            since: Instant::now(),
            login: 0,
            last_instrument: None,
            adapter: AdapterState::Closed,
            logging_out: None,
            owes_confirm: false,
            unsure: None,
            mending: false,
            doer: None,
            attendants: Vec::new(),
            claims: Vec::new(),
            lost: None,
            deferred: None,
        }
    }

    /// Whether nothing at all would be lost with this entry.
    pub fn is_idle(&self) -> bool {
        !self.facts.is_logged_in()
            && !self.owes_confirm
            && self.adapter == AdapterState::Closed
            && self.logging_out.is_none()
            && self.unsure.is_none()
            && !self.mending
            && self.deferred.is_none()
            && self.claims.is_empty()
    }

    /// The sessions that would miss the agent.
    pub fn attendants(&self) -> &[SessionId] {
        &self.attendants
    }

    /// Who is to be told as having brought a change about.
    pub fn doer_of(&self, order: u64) -> Option<Arc<str>> {
        self.doer.as_ref().filter(|doer| doer.order == Some(order)).map(|doer| Arc::clone(&doer.name))
    }

    /// The ACD has answered the command that is under way with facts of that order.
    pub fn done_at(&mut self, order: u64) {
        if let Some(doer) = &mut self.doer {
            doer.order = Some(order);
        }
    }

    /// Whether all who had the agent were lost, and nobody is back.
    pub fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// Whether all who had the agent were lost, by that loss.
    pub fn is_lost_by(&self, loss: u64) -> bool {
        self.lost.as_ref().is_some_and(|lost| lost.number == loss)
    }

    /// From here on the ACD's reports about this agent wait for [`stop_deferring`](Self::stop_deferring).
    pub fn start_deferring(&mut self) {
        self.deferred.get_or_insert_default();
    }

    /// The reports that waited, in their order.
    pub fn stop_deferring(&mut self) -> VecDeque<Heard> {
        self.deferred.take().unwrap_or_default()
    }

    /// The newest place in the ACD's order that was heard of, whether it was taken in or waits.
    pub fn newest_order(&self) -> u64 {
        let waiting = self.deferred.iter().flatten().map(|heard| heard.report.order());
        waiting.fold(self.facts.order, u64::max)
    }

    /// Keeps a report for later if a command is with the ACD; gives it back otherwise. Past `events_max` the oldest goes:
    /// the agent is asked for then.
    pub fn defer(&mut self, heard: Heard, events_max: usize) -> Option<Heard> {
        let Some(deferred) = &mut self.deferred else { return Some(heard) };
        if deferred.len() >= events_max {
            deferred.pop_front();
            self.unsure.get_or_insert(Unsure::Facts);
        }
        deferred.push_back(heard);
        None
    }
}
