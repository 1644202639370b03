//! What agents and queues did: counts and times, computed from what the ACD reports.
//!
//! Not here: what a dialect calls the figures. Must hold: a call counts when it is done with, after-call work included; a
//! period that a midnight or half hour cuts is split there; nothing is scanned, neither when something happens nor when
//! somebody asks.
//!
//! What the guides leave open is decided here: talk time is without hold; a call's whole time is talk, hold and
//! after-call work; a call that came from no queue counts in the first of its agent's queues; the last five minutes
//! move on in steps of ten seconds.

mod agents;
mod calls;
mod figures;
mod queues;

use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ahash::HashMap;
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::Index;
use crate::model::{
    AgentFacts, AgentId, AgentState, Call, CallId, CallKind, Instrument, PartyKind, PeripheralId, QueueId, Supervision,
};
use agents::AgentBook;
use calls::OpenCall;
pub use figures::{CallFigures, Figures, SupervisedFigures};
use queues::QueueBook;

/// Everybody's figures.
#[derive(Debug)]
pub struct Statistics {
    clock: Clock,
    of: Index<PeripheralId, Arc<Mutex<Books>>>,
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

/// What an agent is doing, for one of its queues: each is counted in the field of its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Doing {
    Available,
    NotReady,
    TalkingIn,
    TalkingOut,
    TalkingOther,
    WorkNotReady,
    WorkReady,
    BusyOther,
    Reserved,
    Hold,
}

impl AgentCounts {
    fn of(&mut self, doing: Doing) -> &mut u32 {
        match doing {
            Doing::Available => &mut self.available,
            Doing::NotReady => &mut self.not_ready,
            Doing::TalkingIn => &mut self.talking_in,
            Doing::TalkingOut => &mut self.talking_out,
            Doing::TalkingOther => &mut self.talking_other,
            Doing::WorkNotReady => &mut self.work_not_ready,
            Doing::WorkReady => &mut self.work_ready,
            Doing::BusyOther => &mut self.busy_other,
            Doing::Reserved => &mut self.reserved,
            Doing::Hold => &mut self.hold,
        }
    }
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
        Statistics { clock: Clock { started: Instant::now(), started_at }, of: Index::default() }
    }

    /// The figures of an agent now; none if nothing was heard of it yet.
    pub fn of_agent(&self, peripheral: PeripheralId, agent: &AgentId) -> Option<AgentFigures> {
        let books = self.books(peripheral);
        let (mut books, now) = self.open(&books);
        let book = books.agents.get_mut(agent)?;
        book.advance(now);
        Some(AgentFigures { session: book.session, today: book.today })
    }

    /// The figures of a queue now.
    pub fn of_queue(&self, peripheral: PeripheralId, queue: QueueId) -> QueueFigures {
        let books = self.books(peripheral);
        let (mut books, now) = self.open(&books);
        queue_book(&mut books.queues, queue, now).figures()
    }

    /// An agent is as these facts say from now on.
    pub fn agent_changed(&self, peripheral: PeripheralId, facts: &AgentFacts) {
        let books = self.books(peripheral);
        let (mut books, now) = self.open(&books);
        books.begin_day(now / DAY);
        let Books { agents, queues, .. } = &mut *books;
        let book = agents.entry(facts.agent.clone()).or_insert_with(|| AgentBook::new(now));
        book.advance(now);
        for left in book.queues.iter().filter(|queue| !facts.queues.contains(queue)) {
            queue_book(queues, *left, now).leave(&facts.agent);
        }
        book.enter(facts.state, &facts.queues);
        books.count(&facts.agent, now);
    }

    /// A call is as it is now, and was otherwise before; `other` is one that became part of it.
    pub fn call_changed(&self, peripheral: PeripheralId, was: Option<&Call>, other: Option<&Call>, call: &Call) {
        let books = self.books(peripheral);
        let (mut books, now) = self.open(&books);
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
            (Some(queue), Some(_)) => books.waits(call.id, queue, now),
            _ => books.left_queue(call.id, now),
        }
        // Who listens has no call: the one listened to counts, for its agent.
        let counts = !matches!(call.kind, CallKind::Supervision(_));
        for party in call.parties.iter().filter(|_| counts) {
            if let PartyKind::Agent(agent) = &party.kind {
                let book = books.agents.entry(agent.clone()).or_insert_with(|| AgentBook::new(now));
                book.call(call.id, || OpenCall::new(call, &party.device, now)).goes_to(party.state, now);
                books.count(agent, now);
            }
        }
    }

    /// The ACD let a supervisor take part in what an agent does at that device of the call: counted for the agent, and
    /// for the call's queue or else the agent's first.
    pub fn supervised(&self, peripheral: PeripheralId, call: &Call, device: &Instrument, how: Supervision) {
        let Some((agent, _)) = call.agents().find(|(_, at)| *at == device) else { return };
        let figures = Figures { supervised: SupervisedFigures::once(how), ..Figures::default() };
        let books = self.books(peripheral);
        let (mut books, now) = self.open(&books);
        let Books { agents, queues, .. } = &mut *books;
        let book = agents.entry(agent.clone()).or_insert_with(|| AgentBook::new(now));
        book.advance(now);
        book.add(&figures);
        if let Some(queue) = call.queue.or_else(|| book.queues.first().copied()) {
            queue_book(queues, queue, now).add(&figures);
        }
    }

    /// A call is done with.
    pub fn call_ended(&self, peripheral: PeripheralId, call: &Call) {
        let books = self.books(peripheral);
        let (mut books, now) = self.open(&books);
        books.left_queue(call.id, now);
        for (agent, _) in call.agents() {
            books.done(agent, call.id, now);
        }
    }

    /// Calls that are counted as present, agents' and waiting ones: none when there are none. For a look from outside.
    pub fn calls_open(&self, peripheral: PeripheralId) -> usize {
        let books = self.books(peripheral);
        let books = books.lock();
        books.waiting.len() + books.agents.values().map(AgentBook::calls_open).sum::<usize>()
    }

    fn books(&self, peripheral: PeripheralId) -> Arc<Mutex<Books>> {
        if let Some(books) = self.of.get(&peripheral) {
            return Arc::clone(&books);
        }
        Arc::clone(&self.of.entry(peripheral).or_default())
    }

    /// The books, and what time it is: looked at under the lock, so that it never goes back.
    fn open<'a>(&self, books: &'a Mutex<Books>) -> (MutexGuard<'a, Books>, u64) {
        let books = books.lock();
        (books, self.clock.started_at + millis(self.clock.started.elapsed()))
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
        if let Some((queue, figures)) = book.done(call, now)
            && let Some(queue) = queue.or_else(|| book.queues.first().copied())
        {
            queue_book(&mut self.queues, queue, now).add(&figures);
        }
        self.count(agent, now);
    }

    /// Counts an agent in each of its queues, as what it is doing for that queue now.
    fn count(&mut self, agent: &AgentId, now: u64) {
        let Some(book) = self.agents.get(agent) else { return };
        for queue in &book.queues {
            queue_book(&mut self.queues, *queue, now).put(agent, book.doing(*queue));
        }
    }

    fn waits(&mut self, call: CallId, queue: QueueId, now: u64) {
        if let Entry::Vacant(place) = self.waiting.entry(call) {
            place.insert((queue, now));
            queue_book(&mut self.queues, queue, now).call_came(call, now);
        }
    }

    fn left_queue(&mut self, call: CallId, now: u64) {
        let Some((queue, since)) = self.waiting.remove(&call) else { return };
        queue_book(&mut self.queues, queue, now).call_left(call, since, now);
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
