//! One agent's figures. Not here: those of its queues.

use super::calls::{OpenCall, Sort};
use super::{DAY, Doing, Figures};
use crate::model::{AgentState, CallId, PartyState, QueueId};

/// An agent's figures, and what they will grow by.
#[derive(Debug)]
pub(super) struct AgentBook {
    pub(super) state: AgentState,
    pub(super) queues: Vec<QueueId>,
    pub(super) session: Figures,
    pub(super) today: Figures,
    /// Up to here the figures hold the time in the present state.
    mark: u64,
    open: Vec<(CallId, OpenCall)>,
}

impl AgentBook {
    pub(super) fn new(now: u64) -> AgentBook {
        AgentBook {
            state: AgentState::LoggedOut,
            queues: Vec::new(),
            session: Figures::default(),
            today: Figures::default(),
            mark: now,
            open: Vec::new(),
        }
    }

    /// Takes in the time that has passed.
    pub(super) fn advance(&mut self, now: u64) {
        if self.mark == now {
            return; // as for most of a burst
        }
        if self.mark / DAY != now / DAY {
            self.session.add(&time_in(self.state, now.saturating_sub(self.mark)));
            self.today = time_in(self.state, now % DAY);
        } else {
            let passed = time_in(self.state, now.saturating_sub(self.mark));
            self.session.add(&passed);
            self.today.add(&passed);
        }
        self.mark = now;
    }

    /// Up to date already, the agent is in another state, or in other queues.
    pub(super) fn enter(&mut self, state: AgentState, queues: &[QueueId]) {
        if self.state == AgentState::LoggedOut && state != AgentState::LoggedOut {
            self.session = Figures::default();
        }
        self.state = state;
        if self.queues != queues {
            self.queues = queues.to_vec();
        }
    }

    /// The agent's part in a call.
    pub(super) fn call(&mut self, id: CallId, new: impl FnOnce() -> OpenCall) -> &mut OpenCall {
        let at = self.open.iter().position(|(open, _)| *open == id).unwrap_or_else(|| {
            self.open.push((id, new()));
            self.open.len() - 1
        });
        &mut self.open[at].1
    }

    /// Up to date already, the agent is done with a call; what it came to, if it counts, and in which queue.
    pub(super) fn done(&mut self, id: CallId, now: u64) -> Option<(Option<QueueId>, Figures)> {
        let at = self.open.iter().position(|(open, _)| *open == id)?;
        let (_, call) = self.open.swap_remove(at);
        let queue = call.queue;
        let figures = call.total(now)?;
        self.add(&figures);
        Some((queue, figures))
    }

    /// Up to date already, something counts for both periods.
    pub(super) fn add(&mut self, figures: &Figures) {
        self.session.add(figures);
        self.today.add(figures);
    }

    pub(super) fn calls_open(&self) -> usize {
        self.open.len()
    }

    /// What the agent is doing, as one of its queues sees it.
    pub(super) fn doing(&self, queue: QueueId) -> Doing {
        let busy = self.open.iter().map(|(_, call)| call).find(|call| call.state == PartyState::Connected);
        let busy = busy.or_else(|| self.open.first().map(|(_, call)| call));
        let is_elsewhere = busy.and_then(|call| call.queue).is_some_and(|of| of != queue);
        match self.state {
            AgentState::Ready => Doing::Available,
            AgentState::NotReady => Doing::NotReady,
            AgentState::WorkNotReady => Doing::WorkNotReady,
            AgentState::WorkReady => Doing::WorkReady,
            AgentState::Reserved => Doing::Reserved,
            AgentState::Talking | AgentState::Hold if is_elsewhere => Doing::BusyOther,
            AgentState::Hold => Doing::Hold,
            AgentState::Talking => match busy.map(|call| call.sort) {
                Some(Sort::Handled) => Doing::TalkingIn,
                Some(Sort::Out) => Doing::TalkingOut,
                _ => Doing::TalkingOther,
            },
            AgentState::BusyOther | AgentState::Unknown | AgentState::LoggedIn | AgentState::LoggedOut => {
                Doing::BusyOther
            }
        }
    }
}

/// What time in a state counts as.
fn time_in(state: AgentState, time: u64) -> Figures {
    let counts = |is: bool| if is { time } else { 0 };
    Figures {
        available: counts(state == AgentState::Ready),
        logged_on: counts(state != AgentState::LoggedOut),
        not_ready: counts(state == AgentState::NotReady),
        ..Figures::default()
    }
}
