//! One queue's figures over the last five minutes, the half hour and the day. Not here: those of its agents.

use std::collections::{HashSet, VecDeque};

use super::agents::time_in;
use super::{DAY, Figures, QueueFigures};
use crate::model::{AgentId, AgentState};

/// The steps in which the last five minutes move on; a half hour and a day are whole numbers of them.
const SLOT: u64 = 10 * 1_000;
/// How many of them are five minutes.
const SLOTS: usize = 30;
const HALF_HOUR: u64 = 30 * 60 * 1_000;

/// A queue's figures, and what they will grow by.
#[derive(Debug)]
pub(super) struct QueueBook {
    members: HashSet<AgentId>,
    /// How many members are available, logged on and not ready: what a millisecond adds.
    pace: Pace,
    /// The five minutes, the step that is under way last.
    slots: VecDeque<Figures>,
    half_hour: Figures,
    today: Figures,
    mark: u64,
}

#[derive(Debug, Default)]
struct Pace {
    available: u64,
    logged_on: u64,
    not_ready: u64,
}

impl QueueBook {
    pub(super) fn new(now: u64) -> QueueBook {
        QueueBook {
            members: HashSet::new(),
            pace: Pace::default(),
            slots: VecDeque::from([Figures::default()]),
            half_hour: Figures::default(),
            today: Figures::default(),
            mark: now,
        }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &AgentId> {
        self.members.iter()
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
        let Pace { available, logged_on, not_ready } = self.pace;
        self.add(&Figures {
            available: available * time,
            logged_on: logged_on * time,
            not_ready: not_ready * time,
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

    /// Up to date already, an agent is in it, in that state.
    pub(super) fn join(&mut self, agent: &AgentId, state: AgentState) {
        if self.members.insert(agent.clone()) {
            let one = time_in(state, 1);
            self.pace.available += one.available;
            self.pace.logged_on += one.logged_on;
            self.pace.not_ready += one.not_ready;
        }
    }

    /// Up to date already, an agent that was in it in that state is not any more.
    pub(super) fn leave(&mut self, agent: &AgentId, state: AgentState) {
        if self.members.remove(agent) {
            let one = time_in(state, 1);
            self.pace.available -= one.available;
            self.pace.logged_on -= one.logged_on;
            self.pace.not_ready -= one.not_ready;
        }
    }

    /// The figures of all periods; who waits, and what the agents do, is for others to say.
    pub(super) fn figures(&self) -> QueueFigures {
        let mut five_minutes = Figures::default();
        self.slots.iter().for_each(|slot| five_minutes.add(slot));
        QueueFigures { five_minutes, half_hour: self.half_hour, today: self.today, ..QueueFigures::default() }
    }
}
