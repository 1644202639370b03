//! One agent's part in a call that is not done with. Not here: what becomes of it then.

use super::{CallFigures, Figures};
use crate::model::{Call, CallKind, Instrument, PartyState, QueueId};

/// Under which heading a call counts for an agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    /// It came from a queue.
    Handled,
    /// The agent called somebody outside.
    Out,
    /// The agent called a colleague.
    Internal,
    /// A colleague called the agent.
    InternalReceived,
}

/// An agent's part in a call.
#[derive(Debug)]
pub(super) struct OpenCall {
    pub(super) sort: Sort,
    pub(super) queue: Option<QueueId>,
    pub(super) state: PartyState,
    answered: bool,
    mark: u64,
    so_far: CallFigures,
}

impl OpenCall {
    pub(super) fn new(call: &Call, device: &Instrument, now: u64) -> OpenCall {
        let sort = match call.kind {
            CallKind::Consult if *device == call.home => Sort::Internal,
            CallKind::Consult => Sort::InternalReceived,
            _ if call.queue.is_some() => Sort::Handled,
            CallKind::Out => Sort::Out,
            _ if *device == call.home => Sort::Internal,
            _ => Sort::InternalReceived,
        };
        let queue = call.queue.filter(|_| sort == Sort::Handled);
        OpenCall {
            sort,
            queue,
            state: PartyState::Initiated,
            answered: false,
            mark: now,
            so_far: CallFigures { calls: 1, ..CallFigures::default() },
        }
    }

    pub(super) fn goes_to(&mut self, state: PartyState, now: u64) {
        let time = now.saturating_sub(self.mark);
        match self.state {
            PartyState::Connected => self.so_far.talk += time,
            PartyState::Held => self.so_far.held_time += time,
            PartyState::Null => self.so_far.after_call += time,
            PartyState::Initiated | PartyState::Alerting | PartyState::Queued | PartyState::Failed => (),
        }
        if state == PartyState::Held && self.state != PartyState::Held {
            self.so_far.held = 1;
        }
        self.answered |= state == PartyState::Connected;
        (self.state, self.mark) = (state, now);
    }

    /// What it comes to; nothing if it was never answered.
    pub(super) fn total(mut self, now: u64) -> Option<Figures> {
        self.goes_to(self.state, now);
        self.answered.then(|| Figures::of_calls(self.sort, self.so_far))
    }
}
