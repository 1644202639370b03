//! One queue's figures over the last five minutes, the half hour and the day, and who is in it now. Not here: the figures of
//! its agents.

use std::collections::{BTreeSet, VecDeque};

use ahash::HashMap;

use super::{AgentCounts, DAY, Doing, Figures, QueueFigures};
use crate::model::{AgentId, CallId};

/// The steps in which the last five minutes move on; a half hour and a day are whole numbers of them.
const SLOT: u64 = 10 * 1_000;
/// How many of them are five minutes.
const SLOTS: usize = 30;
const HALF_HOUR: u64 = 30 * 60 * 1_000;

/// A queue's figures, and what they will grow by.
#[derive(Debug)]
pub(super) struct QueueBook {
    members: HashMap<AgentId, Doing>,
    /// The members, counted.
    counts: AgentCounts,
    /// Who waits, by when they came; and the sum of those times.
    waiting: BTreeSet<(u64, CallId)>,
    came_sum: u128,
    /// The five minutes, the step that is under way last.
    slots: VecDeque<Figures>,
    half_hour: Figures,
    today: Figures,
    mark: u64,
}

impl QueueBook {
    pub(super) fn new(now: u64) -> QueueBook {
        QueueBook {
            members: HashMap::default(),
            counts: AgentCounts::default(),
            waiting: BTreeSet::new(),
            came_sum: 0,
            slots: VecDeque::from([Figures::default()]),
            half_hour: Figures::default(),
            today: Figures::default(),
            mark: now,
        }
    }

    /// Takes in the time that has passed.
    pub(super) fn advance(&mut self, now: u64) {
        while self.mark < now {
            let slot_ends = (self.mark / SLOT + 1) * SLOT;
            let until = slot_ends.min(now);
            self.add_time(until - self.mark);
            self.mark = until;
            if until != slot_ends {
                continue;
            }
            self.slots.push_back(Figures::default());
            if self.slots.len() > SLOTS {
                self.slots.pop_front();
            }
            if until.is_multiple_of(HALF_HOUR) {
                self.half_hour = Figures::default();
            }
            if until.is_multiple_of(DAY) {
                self.today = Figures::default();
            }
        }
    }

    fn add_time(&mut self, time: u64) {
        let AgentCounts { available, logged_on, not_ready, .. } = self.counts;
        self.add(&Figures {
            available: u64::from(available) * time,
            logged_on: u64::from(logged_on) * time,
            not_ready: u64::from(not_ready) * time,
            ..Figures::default()
        });
    }

    /// Up to date already, something counts for all periods.
    pub(super) fn add(&mut self, figures: &Figures) {
        if let Some(slot) = self.slots.back_mut() {
            slot.add(figures);
        }
        self.half_hour.add(figures);
        self.today.add(figures);
    }

    /// Up to date already, an agent is in it, and does that.
    pub(super) fn put(&mut self, agent: &AgentId, doing: Doing) {
        match self.members.get_mut(agent) {
            Some(was) => *self.counts.of(std::mem::replace(was, doing)) -= 1,
            None => {
                self.members.insert(agent.clone(), doing);
                self.counts.logged_on += 1;
            }
        }
        *self.counts.of(doing) += 1;
    }

    /// Up to date already, an agent is not in it any more.
    pub(super) fn leave(&mut self, agent: &AgentId) {
        if let Some(was) = self.members.remove(agent) {
            self.counts.logged_on -= 1;
            *self.counts.of(was) -= 1;
        }
    }

    /// Up to date already, a call waits from now on.
    pub(super) fn call_came(&mut self, call: CallId, now: u64) {
        self.waiting.insert((now, call));
        self.came_sum += u128::from(now);
    }

    /// Up to date already, a call that came then waits no longer.
    pub(super) fn call_left(&mut self, call: CallId, came: u64, now: u64) {
        self.waiting.remove(&(came, call));
        self.came_sum -= u128::from(came);
        let waited = now.saturating_sub(came);
        self.add(&Figures { queued: 1, queue_time: waited, queue_longest: waited, ..Figures::default() });
    }

    /// Up to date already, the figures of all periods, and of now.
    pub(super) fn figures(&self) -> QueueFigures {
        let mut five_minutes = Figures::default();
        self.slots.iter().for_each(|slot| five_minutes.add(slot));
        let waiting = self.waiting.len();
        let waited = (waiting as u128 * u128::from(self.mark)).saturating_sub(self.came_sum);
        QueueFigures {
            agents: self.counts,
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
            waited: u64::try_from(waited).unwrap_or(u64::MAX),
            waited_longest: self.waiting.first().map_or(0, |(came, _)| self.mark.saturating_sub(*came)),
            five_minutes,
            half_hour: self.half_hour,
            today: self.today,
        }
    }
}
