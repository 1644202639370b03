//! The line in which actions wait for the link: bounded, and with logout and hang-up going first.
//!
//! Not here: the link itself. Must hold: an action whose requester has gone is not sent any more; what cannot be sent
//! because the link is down is said to be so at once.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use super::ami::Action;
use super::members::{Effect, Said};
use crate::acd::AcdRefusal;

/// The actions that are not sent yet.
#[derive(Debug)]
pub(super) struct Line {
    state: Mutex<State>,
    /// Told when there is something to send.
    pub(super) changed: Notify,
    waiting_max: usize,
}

#[derive(Debug, Default)]
struct State {
    is_open: bool,
    urgent: VecDeque<Order>,
    normal: VecDeque<Order>,
}

/// An action, what it does if Asterisk says that it is done, and who waits to hear that.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) action: Action,
    pub(super) effect: Effect,
    pub(super) reply: Option<oneshot::Sender<Result<Said, AcdRefusal>>>,
}

/// Which of two goes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rank {
    /// Logout and hang-up: whoever leaves must not wait behind those who come.
    Urgent,
    Normal,
}

impl Line {
    pub(super) fn new(waiting_max: usize) -> Line {
        Line { state: Mutex::default(), changed: Notify::new(), waiting_max }
    }

    /// Puts an action in line; its answer comes to the receiver.
    pub(super) fn ask(
        &self,
        rank: Rank,
        action: Action,
        effect: Effect,
    ) -> Result<oneshot::Receiver<Result<Said, AcdRefusal>>, AcdRefusal> {
        let (sender, receiver) = oneshot::channel();
        self.put(rank, Order { action, effect, reply: Some(sender) })?;
        Ok(receiver)
    }

    /// Puts an action in line whose answer nobody waits for.
    pub(super) fn tell(&self, rank: Rank, action: Action, effect: Effect) -> Result<(), AcdRefusal> {
        self.put(rank, Order { action, effect, reply: None })
    }

    fn put(&self, rank: Rank, order: Order) -> Result<(), AcdRefusal> {
        let mut state = self.state.lock();
        if !state.is_open {
            return Err(AcdRefusal::LinkDown);
        }
        let waiting = state.urgent.len() + state.normal.len();
        match rank {
            // One who leaves is taken however many wait: there are never more of those than have come.
            Rank::Urgent => state.urgent.push_back(order),
            Rank::Normal if waiting >= self.waiting_max => return Err(AcdRefusal::Congested { waiting }),
            Rank::Normal => state.normal.push_back(order),
        }
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// The next action to send.
    pub(super) fn take(&self) -> Option<Order> {
        let mut state = self.state.lock();
        loop {
            let order = state.urgent.pop_front().or_else(|| state.normal.pop_front())?;
            if order.reply.as_ref().is_none_or(|reply| !reply.is_closed()) {
                return Some(order);
            }
        }
    }

    /// The link is up.
    pub(super) fn open(&self) {
        self.state.lock().is_open = true;
    }

    /// The link is down: nothing is taken any more, and what waited is said to have failed.
    pub(super) fn close(&self) {
        let waiting = {
            let mut state = self.state.lock();
            state.is_open = false;
            [std::mem::take(&mut state.urgent), std::mem::take(&mut state.normal)]
        };
        for reply in waiting.into_iter().flatten().filter_map(|order| order.reply) {
            let _ = reply.send(Err(AcdRefusal::LinkDown)); // who has gone need not hear it
        }
    }
}
