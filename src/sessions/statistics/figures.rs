//! The figures of one agent or queue over one period. Not here: where they come from.

use super::calls::Sort;
use crate::model::Supervision;

/// Counts and times over one period; times in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Time in which a call could have been offered.
    pub available: u64,
    /// Time logged in.
    pub logged_on: u64,
    /// Time not ready.
    pub not_ready: u64,
    /// Calls from a queue.
    pub handled: CallFigures,
    /// Calls to somebody outside.
    pub out: CallFigures,
    /// Calls made to a colleague.
    pub internal: CallFigures,
    /// Calls that a colleague made.
    pub internal_received: CallFigures,
    /// Calls that left the queue, to an agent or otherwise.
    pub queued: u32,
    /// How long they had waited.
    pub queue_time: u64,
    /// How long that was for the one that waited longest.
    pub queue_longest: u64,
    /// Calls that a supervisor had to do with.
    pub supervised: SupervisedFigures,
}

/// How often a supervisor took part in calls: each time that the ACD let one, not each call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SupervisedFigures {
    /// Listened silently.
    pub monitored: u32,
    /// Whispered to the agent.
    pub whispered: u32,
    /// Joined.
    pub barged_in: u32,
    /// Took over.
    pub intercepted: u32,
}

impl SupervisedFigures {
    pub(super) fn once(how: Supervision) -> SupervisedFigures {
        let mut figures = SupervisedFigures::default();
        *match how {
            Supervision::Listen => &mut figures.monitored,
            Supervision::Whisper => &mut figures.whispered,
            Supervision::BargeIn => &mut figures.barged_in,
            Supervision::Intercept => &mut figures.intercepted,
        } = 1;
        figures
    }

    fn add(&mut self, more: &SupervisedFigures) {
        self.monitored += more.monitored;
        self.whispered += more.whispered;
        self.barged_in += more.barged_in;
        self.intercepted += more.intercepted;
    }
}

/// Answered calls of one sort.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CallFigures {
    /// How many.
    pub calls: u32,
    /// Time talked.
    pub talk: u64,
    /// Time of after-call work.
    pub after_call: u64,
    /// How many of them were on hold at any time.
    pub held: u32,
    /// Time on hold.
    pub held_time: u64,
}

impl CallFigures {
    /// Talk, hold and after-call work together.
    pub fn time(&self) -> u64 {
        self.talk + self.held_time + self.after_call
    }

    fn add(&mut self, more: &CallFigures) {
        self.calls += more.calls;
        self.talk += more.talk;
        self.after_call += more.after_call;
        self.held += more.held;
        self.held_time += more.held_time;
    }
}

impl Figures {
    /// Those of calls of one sort alone.
    pub(super) fn of_calls(sort: Sort, calls: CallFigures) -> Figures {
        let mut figures = Figures::default();
        *match sort {
            Sort::Handled => &mut figures.handled,
            Sort::Out => &mut figures.out,
            Sort::Internal => &mut figures.internal,
            Sort::InternalReceived => &mut figures.internal_received,
        } = calls;
        figures
    }

    /// Adds another period's.
    pub(super) fn add(&mut self, more: &Figures) {
        self.available += more.available;
        self.logged_on += more.logged_on;
        self.not_ready += more.not_ready;
        self.handled.add(&more.handled);
        self.out.add(&more.out);
        self.internal.add(&more.internal);
        self.internal_received.add(&more.internal_received);
        self.queued += more.queued;
        self.queue_time += more.queue_time;
        self.queue_longest = self.queue_longest.max(more.queue_longest);
        self.supervised.add(&more.supervised);
    }
}
