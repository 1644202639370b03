//! An action that was sent: what its answer will do, and until when it is waited for. Not here: the socket.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::super::ami::Message;
use super::super::line::Order;
use super::super::members::{Effect, Member, Place, Said};
use super::super::names::Names;
use super::super::news::listed_member;
use crate::acd::AcdRefusal;

/// An action without an answer.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) id: u64,
    pub(super) name: &'static str,
    pub(super) effect: Effect,
    pub(super) sent_at: Instant,
    pub(super) deadline: Instant,
    /// The items of its list so far.
    pub(super) rows: Rows,
    reply: Option<oneshot::Sender<Result<Said, AcdRefusal>>>,
    is_given_up: bool,
}

/// The items of a list, as far as they matter.
#[derive(Debug, Default)]
pub(super) enum Rows {
    #[default]
    None,
    Members(Vec<(Place, Member)>),
    Channels(Vec<Message>),
}

impl InFlight {
    pub(super) fn new(id: u64, order: Order, now: Instant, patience: Duration) -> InFlight {
        InFlight {
            id,
            name: order.action.name(),
            effect: order.effect,
            sent_at: now,
            deadline: now + patience,
            rows: Rows::None,
            reply: order.reply,
            is_given_up: false,
        }
    }

    /// Nobody waits for the answer any more. It may come all the same, and then does what it says.
    pub(super) fn give_up(&mut self, waited: Duration) {
        self.is_given_up = true;
        if let Some(reply) = self.reply.take() {
            let _ = reply.send(Err(AcdRefusal::TimedOut { waited })); // who has gone need not hear it
        }
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.is_given_up
    }

    pub(super) fn answer(self, said: Said) {
        match self.reply {
            Some(reply) => drop(reply.send(Ok(said))),
            None if !said.is_done && !self.is_given_up => {
                tracing::debug!(action = self.name, words = said.words, "asterisk refused what nobody waits for");
            }
            None => (),
        }
    }

    pub(super) fn fail(self, refusal: AcdRefusal) {
        if let Some(reply) = self.reply {
            let _ = reply.send(Err(refusal)); // who has gone need not hear it
        }
    }
}

impl Rows {
    pub(super) fn of(effect: &Effect) -> Rows {
        match effect {
            Effect::AllMembers | Effect::MembersAt(..) => Rows::Members(Vec::new()),
            Effect::Channels => Rows::Channels(Vec::new()),
            _ => Rows::None,
        }
    }

    /// Takes an item in. Says how many there are.
    pub(super) fn take(&mut self, names: &Names, message: &Message) -> usize {
        match self {
            Rows::None => 0,
            Rows::Members(members) => {
                members.extend(listed_member(names, message));
                members.len()
            }
            Rows::Channels(channels) => {
                channels.push(message.clone());
                channels.len()
            }
        }
    }
}

/// Where the action with that id is, if it is in flight.
pub(super) fn find(in_flight: &VecDeque<InFlight>, id: u64) -> Option<usize> {
    in_flight.binary_search_by_key(&id, |sent| sent.id).ok()
}
