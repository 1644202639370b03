//! The way back from an ACD: a bounded channel that never makes the ACD's reader wait.
//!
//! Not here: what is done with an event. Must hold: nothing is lost in silence. What does not fit sets a mark, and the
//! reader, on finding it, rebuilds the table from the ACD and tells the differences.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

use crate::model::{AgentFacts, CallReport, PreCall};

/// What an ACD reports unasked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AcdEvent {
    /// The link is up and the ACD can be asked for its truth.
    LinkUp,
    /// The link is down. Until it is up again nothing is known of its agents.
    LinkDown {
        /// Why, for the operator's log.
        reason: String,
    },
    /// An agent changed.
    Agent(AgentFacts),
    /// A call is on its way to an agent.
    PreCall(PreCall),
    /// That call will not come after all.
    PreCallAbort(PreCall),
    /// Something happened to a call.
    Call(CallReport),
}

impl AcdEvent {
    /// Where it stands in the ACD's own order of changes; none for the link's.
    pub fn order(&self) -> Option<u64> {
        match self {
            AcdEvent::LinkUp | AcdEvent::LinkDown { .. } => None,
            AcdEvent::Agent(facts) => Some(facts.order),
            AcdEvent::PreCall(call) | AcdEvent::PreCallAbort(call) => Some(call.order),
            AcdEvent::Call(report) => Some(report.call.order),
        }
    }
}

/// Makes the two ends; `events_max` is how many may wait for the gateway.
pub fn acd_channel(events_max: usize) -> (AcdEvents, AcdInbox) {
    let (sender, receiver) = mpsc::channel(events_max);
    let state = Arc::<State>::default();
    (AcdEvents { sender, state: Arc::clone(&state) }, AcdInbox { receiver, state })
}

/// What is known even where a report did not fit.
#[derive(Debug, Default)]
struct State {
    overflowed: AtomicBool,
    link_up: AtomicBool,
}

/// The ACD's end.
#[derive(Clone, Debug)]
pub struct AcdEvents {
    sender: mpsc::Sender<AcdEvent>,
    state: Arc<State>,
}

impl AcdEvents {
    /// Reports an event, at once. One that does not fit is replaced by a resync.
    pub fn report(&self, event: AcdEvent) {
        match &event {
            AcdEvent::LinkUp => self.state.link_up.store(true, Ordering::Release),
            AcdEvent::LinkDown { .. } => self.state.link_up.store(false, Ordering::Release),
            _ => (),
        }
        if let Err(mpsc::error::TrySendError::Full(_)) = self.sender.try_send(event) {
            self.state.overflowed.store(true, Ordering::Release);
        }
    }

    /// Completes when the gateway no longer listens.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }
}

/// The gateway's end.
#[derive(Debug)]
pub struct AcdInbox {
    receiver: mpsc::Receiver<AcdEvent>,
    state: Arc<State>,
}

impl AcdInbox {
    /// Waits for events and takes all that are there, up to `batch_max`. False when the ACD is gone for good.
    pub async fn take(&mut self, batch: &mut Vec<AcdEvent>, batch_max: usize) -> bool {
        self.receiver.recv_many(batch, batch_max).await > 0
    }

    /// Takes all that are there, without waiting.
    pub fn take_what_is_there(&mut self, batch: &mut Vec<AcdEvent>) {
        while let Ok(event) = self.receiver.try_recv() {
            batch.push(event);
        }
    }

    /// Whether events were dropped since [`take_overflow`](AcdInbox::take_overflow).
    pub fn has_overflowed(&self) -> bool {
        self.state.overflowed.load(Ordering::Acquire)
    }

    /// From here on only what is dropped anew counts.
    pub fn take_overflow(&self) {
        self.state.overflowed.store(false, Ordering::Release);
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.receiver.is_empty()
    }

    /// What the ACD said last of its link, whether or not that report came through.
    pub fn is_link_up(&self) -> bool {
        self.state.link_up.load(Ordering::Acquire)
    }
}
