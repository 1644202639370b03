//! The way back from an ACD: a bounded channel that never makes the ACD's reader wait.
//!
//! Not here: what is done with an event. Must hold: nothing is lost in silence. What does not fit sets a mark, and the
//! reader, on finding it, rebuilds the table from the ACD and tells the differences. An answer of the ACD comes another,
//! shorter way: who must not overtake the reports that came before it waits for them by [`AcdProgress`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::{mpsc, watch};

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

/// A report, and when it was read from the ACD.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadEvent {
    /// What was reported.
    pub event: AcdEvent,
    /// When.
    pub read_at: Instant,
}

/// Makes the two ends; `events_max` is how many may wait for the gateway.
pub fn acd_channel(events_max: usize) -> (AcdEvents, AcdInbox) {
    let (sender, receiver) = mpsc::channel(events_max);
    let state = Arc::<State>::default();
    let (taken, _) = watch::channel(0);
    (AcdEvents { sender, state: Arc::clone(&state) }, AcdInbox { receiver, state, handed_out: 0, taken })
}

/// What is known even where a report did not fit.
#[derive(Debug, Default)]
struct State {
    overflowed: AtomicBool,
    link_up: AtomicBool,
    /// How many reports were given, those that did not fit not counted. Counted before they are sent, so never too few.
    reported: AtomicU64,
}

/// The ACD's end.
#[derive(Clone, Debug)]
pub struct AcdEvents {
    sender: mpsc::Sender<ReadEvent>,
    state: Arc<State>,
}

impl AcdEvents {
    /// Reports an event, at once. One that does not fit is replaced by a resync.
    pub fn report(&self, event: AcdEvent) {
        self.report_read(event, tokio::time::Instant::now().into_std());
    }

    /// The same, of what was read from the ACD a moment ago.
    pub fn report_read(&self, event: AcdEvent, read_at: Instant) {
        match &event {
            AcdEvent::LinkUp => self.state.link_up.store(true, Ordering::Release),
            AcdEvent::LinkDown { .. } => self.state.link_up.store(false, Ordering::Release),
            _ => (),
        }
        self.state.reported.fetch_add(1, Ordering::AcqRel);
        if let Err(mpsc::error::TrySendError::Full(_)) = self.sender.try_send(ReadEvent { event, read_at }) {
            self.state.reported.fetch_sub(1, Ordering::AcqRel);
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
    receiver: mpsc::Receiver<ReadEvent>,
    state: Arc<State>,
    handed_out: u64,
    taken: watch::Sender<u64>,
}

impl AcdInbox {
    /// Waits for events and takes all that are there, up to `batch_max`. False when the ACD is gone for good.
    pub async fn take(&mut self, batch: &mut Vec<ReadEvent>, batch_max: usize) -> bool {
        let count = self.receiver.recv_many(batch, batch_max).await;
        self.handed_out += count as u64;
        count > 0
    }

    /// Takes all that are there, without waiting.
    pub fn take_what_is_there(&mut self, batch: &mut Vec<ReadEvent>) {
        while let Ok(event) = self.receiver.try_recv() {
            batch.push(event);
            self.handed_out += 1;
        }
    }

    /// All that was taken out so far has been taken in.
    pub fn is_taken_in(&self) {
        self.taken.send_if_modified(|taken| std::mem::replace(taken, self.handed_out) != self.handed_out);
    }

    /// How far the reader is, to be waited for by others.
    pub fn progress(&self) -> AcdProgress {
        AcdProgress { state: Arc::clone(&self.state), taken: self.taken.subscribe() }
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

/// How far the reader of an ACD's reports is.
#[derive(Clone, Debug)]
pub struct AcdProgress {
    state: Arc<State>,
    taken: watch::Receiver<u64>,
}

impl AcdProgress {
    /// How many reports wait to be taken in.
    pub fn waiting(&self) -> u64 {
        self.state.reported.load(Ordering::Acquire).saturating_sub(*self.taken.borrow())
    }

    /// Completes when everything that was reported up to now has been taken in, or nobody takes reports in any more.
    pub async fn caught_up(mut self) {
        let reported = self.state.reported.load(Ordering::Acquire);
        let _nobody_reads = self.taken.wait_for(|taken| *taken >= reported).await;
    }
}
