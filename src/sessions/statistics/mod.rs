//! What agents and queues did: counts and times, computed from what the ACD reports.
//!
//! Not here: what a dialect calls the figures. Must hold: a call counts when it is done with, after-call work included; a
//! period that a midnight or half hour cuts is split there; nothing is scanned when something happens.
//!
//! What the guides leave open is decided here: talk time is without hold; a call's whole time is talk, hold and
//! after-call work; a call that came from no queue counts in the first of its agent's queues; the last five minutes
//! move on in steps of ten seconds.

mod agents;
mod calls;
mod figures;
mod queues;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dashmap::DashMap;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::model::{AgentFacts, AgentId, AgentState, Call, CallId, PartyKind, PeripheralId, QueueId};
use agents::AgentBook;
use calls::OpenCall;
pub use figures::{CallFigures, Figures};
use queues::QueueBook;

/// Everybody's figures.
#[derive(Debug)]
pub struct Statistics {
    clock: Clock,
    of: DashMap<PeripheralId, Arc<Mutex<Books>>>,
}

/// An agent's figures. Calls that are not done with are not in them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AgentFigures {
    /// Since the login; of the last session while the agent is logged out, until the day ends.
    pub session: Figures,
    /// Since midnight.
    pub today: Figures,
}

/// A queue's figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct QueueFigures {
    /// What its agents are doing.
    pub agents: AgentCounts,
    /// How many calls wait in it.
    pub waiting: u32,
    /// How long they have waited, all together, in milliseconds.
    pub waited: u64,
    /// How long the first of them has, in milliseconds.
    pub waited_longest: u64,
    /// The last five minutes.
    pub five_minutes: Figures,
    /// Since the last full or half hour.
    pub half_hour: Figures,
    /// Since midnight.
    pub today: Figures,
}

/// What the agents of a queue are doing, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs, reason = "each is the number of agents in the state of its name")]
pub struct AgentCounts {
    pub logged_on: u32,
    pub available: u32,
    pub not_ready: u32,
    /// On a call of this queue.
    pub talking_in: u32,
    /// On a call to somebody outside.
    pub talking_out: u32,
    /// On a call with a colleague.
    pub talking_other: u32,
    pub work_not_ready: u32,
    pub work_ready: u32,
    /// Busy with another queue's call, or with something else.
    pub busy_other: u32,
    pub reserved: u32,
    pub hold: u32,
}

/// The time of day, by the time that has passed since the start: a clock that is put right meanwhile moves no figures.
#[derive(Clone, Copy, Debug)]
struct Clock {
    started: Instant,
    /// Milliseconds since the first midnight of all, by the time of day that days begin at.
    started_at: u64,
}

/// One ACD's.
#[derive(Debug, Default)]
struct Books {
    agents: HashMap<AgentId, AgentBook>,
    queues: HashMap<QueueId, QueueBook>,
    waiting: HashMap<CallId, (QueueId, u64)>,
    /// Which day it is.
    day: u64,
}

impl Statistics {
    /// Nothing has happened yet. Days begin that long after midnight, UTC.
    pub fn new(day_begins: Duration) -> Statistics {
        Statistics::starting_at(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), day_begins)
    }

    /// The same at another time of day, told as the time since 1970.
    pub fn starting_at(time_of_day: Duration, day_begins: Duration) -> Statistics {
        let started_at = millis(time_of_day.saturating_sub(day_begins));
        Statistics { clock: Clock { started: Instant::now(), started_at }, of: DashMap::new() }
    }

    /// The figures of an agent now; none if nothing was heard of it yet.
    pub fn of_agent(&self, peripheral: PeripheralId, agent: &AgentId) -> Option<AgentFigures> {
        let (books, now) = self.books(peripheral);
        let mut books = books.lock();
        let book = books.agents.get_mut(agent)?;
        book.advance(now);
        Some(AgentFigures { session: book.session, today: book.today })
    }

    /// The figures of a queue now.
    pub fn of_queue(&self, peripheral: PeripheralId, queue: QueueId) -> QueueFigures {
        let (books, now) = self.books(peripheral);
        let mut books = books.lock();
        let Books { agents, queues, waiting, .. } = &mut *books;
        let book = queues.entry(queue).or_insert_with(|| QueueBook::new(now));
        book.advance(now);
        let mut figures = book.figures();
        for member in book.members().filter_map(|agent| agents.get(agent)) {
            member.count_in(queue, &mut figures.agents);
        }
        for (_, since) in waiting.values().filter(|(of, _)| *of == queue) {
            let waited = now.saturating_sub(*since);
            figures.waiting += 1;
            figures.waited += waited;
            figures.waited_longest = figures.waited_longest.max(waited);
        }
        figures
    }

    /// An agent is as these facts say from now on.
    pub fn agent_changed(&self, peripheral: PeripheralId, facts: &AgentFacts) {
        let (books, now) = self.books(peripheral);
        let mut books = books.lock();
        books.begin_day(now / DAY);
        let Books { agents, queues, .. } = &mut *books;
        let book = agents.entry(facts.agent.clone()).or_insert_with(|| AgentBook::new(now));
        book.advance(now);
        let (was, left) = (book.state, std::mem::take(&mut book.queues));
        for queue in left {
            queue_book(queues, queue, now).leave(&facts.agent, was);
        }
        book.enter(facts.state, facts.queues.clone());
        for queue in &facts.queues {
            queue_book(queues, *queue, now).join(&facts.agent, facts.state);
        }
    }

    /// A call is as it is now, and was otherwise before; `other` is one that became part of it.
    pub fn call_changed(&self, peripheral: PeripheralId, was: Option<&Call>, other: Option<&Call>, call: &Call) {
        let (books, now) = self.books(peripheral);
        let mut books = books.lock();
        for before in [was, other].into_iter().flatten() {
            for (agent, device) in before.agents() {
                let stays = before.id == call.id && call.device_of(agent) == Some(device);
                if !stays {
                    books.done(agent, before.id, now);
                }
            }
        }
        if let Some(other) = other {
            books.left_queue(other.id, now);
        }
        match (call.queue, call.queue_point()) {
            (Some(queue), Some(_)) => {
                books.waiting.entry(call.id).or_insert((queue, now));
            }
            _ => books.left_queue(call.id, now),
        }
        for party in &call.parties {
            if let PartyKind::Agent(agent) = &party.kind {
                let book = books.agents.entry(agent.clone()).or_insert_with(|| AgentBook::new(now));
                book.call(call.id, || OpenCall::new(call, &party.device, now)).goes_to(party.state, now);
            }
        }
    }

    /// A call is done with.
    pub fn call_ended(&self, peripheral: PeripheralId, call: &Call) {
        let (books, now) = self.books(peripheral);
        let mut books = books.lock();
        books.left_queue(call.id, now);
        for (agent, _) in call.agents() {
            books.done(agent, call.id, now);
        }
    }

    /// Calls that are counted as present, agents' and waiting ones: none when there are none.
    pub fn calls_open(&self, peripheral: PeripheralId) -> usize {
        let (books, _) = self.books(peripheral);
        let books = books.lock();
        books.waiting.len() + books.agents.values().map(AgentBook::calls_open).sum::<usize>()
    }

    fn books(&self, peripheral: PeripheralId) -> (Arc<Mutex<Books>>, u64) {
        let now = self.clock.started_at + millis(self.clock.started.elapsed());
        if let Some(books) = self.of.get(&peripheral) {
            return (Arc::clone(&books), now);
        }
        (Arc::clone(&self.of.entry(peripheral).or_default()), now)
    }
}

impl Default for Statistics {
    fn default() -> Statistics {
        Statistics::new(Duration::ZERO)
    }
}

impl Books {
    /// Once a day, those are forgotten who are not there: agents come and go.
    fn begin_day(&mut self, day: u64) {
        if self.day != day {
            self.day = day;
            self.agents.retain(|_, book| book.state != AgentState::LoggedOut || book.calls_open() > 0);
        }
    }

    /// An agent is done with a call: if it was answered it counts.
    fn done(&mut self, agent: &AgentId, call: CallId, now: u64) {
        let Some(book) = self.agents.get_mut(agent) else { return };
        book.advance(now);
        let Some((queue, figures)) = book.done(call, now) else { return };
        if let Some(queue) = queue.or_else(|| book.queues.first().copied()) {
            queue_book(&mut self.queues, queue, now).add(&figures);
        }
    }

    fn left_queue(&mut self, call: CallId, now: u64) {
        let Some((queue, since)) = self.waiting.remove(&call) else { return };
        let waited = now.saturating_sub(since);
        let figures = Figures { queued: 1, queue_time: waited, queue_longest: waited, ..Figures::default() };
        queue_book(&mut self.queues, queue, now).add(&figures);
    }
}

fn queue_book(queues: &mut HashMap<QueueId, QueueBook>, queue: QueueId, now: u64) -> &mut QueueBook {
    let book = queues.entry(queue).or_insert_with(|| QueueBook::new(now));
    book.advance(now);
    book
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A day, in milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1_000;
