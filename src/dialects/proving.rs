//! What a connection does while it is checked who its client is. Not here: the check (`access`).
//!
//! Must hold: what comes meanwhile is kept in its order, up to a bound, and is read when the verdict is there.

use std::sync::{Arc, Weak};
use std::time::Instant;

use bytes::BytesMut;
use parking_lot::Mutex;

use super::{CloseReason, Outbox};
use crate::access::{Claim, Gate, Verdict, Waiting};

/// A client whose secret is being checked, and what it asked for.
pub(super) struct Proving<R> {
    request: R,
    verdict: Arc<Mutex<Option<Verdict>>>,
}

/// What may come while a client is checked: a few requests that it sends without waiting.
const EARLY_BYTES_MAX: usize = 64 * 1024;

/// Asks who the client is. The verdict, if it is there at once; otherwise the outbox wakes the connection when it is.
pub(super) fn prove<R>(
    gate: &Arc<Gate>,
    now: Instant,
    claim: Claim,
    outbox: &Arc<Outbox>,
    request: R,
) -> Result<(Verdict, R), Proving<R>> {
    let verdict = Arc::new(Mutex::new(None));
    let later = Asker { verdict: Arc::downgrade(&verdict), outbox: Arc::clone(outbox) };
    match gate.admit(now, claim, later) {
        Some(verdict) => Ok((verdict, request)),
        None => Err(Proving { request, verdict }),
    }
}

/// The connection that waits, until it is gone.
struct Asker {
    verdict: Weak<Mutex<Option<Verdict>>>,
    outbox: Arc<Outbox>,
}

impl Waiting for Asker {
    fn is_there(&self) -> bool {
        self.verdict.strong_count() > 0
    }

    fn hears(self, said: Verdict) {
        if let Some(verdict) = self.verdict.upgrade() {
            *verdict.lock() = Some(said);
            self.outbox.wake();
        }
    }
}

impl<R> Proving<R> {
    /// The verdict and what was asked for, or what is still waited for.
    pub(super) fn ask(self) -> Result<(Verdict, R), Proving<R>> {
        let said = self.verdict.lock().take();
        match said {
            Some(verdict) => Ok((verdict, self.request)),
            None => Err(self),
        }
    }
}

/// What came too early. Hardly anything ever does, and every session has one of these.
#[derive(Default)]
pub(super) struct Early(Option<Box<BytesMut>>);

impl Early {
    /// Keeps what was read.
    pub(super) fn keep(&mut self, read: &mut BytesMut) -> Result<(), CloseReason> {
        if read.is_empty() {
            return Ok(());
        }
        let early = self.0.get_or_insert_default();
        if early.len() + read.len() > EARLY_BYTES_MAX {
            return Err(CloseReason::Impatient { bytes_max: EARLY_BYTES_MAX });
        }
        early.extend_from_slice(read);
        read.clear();
        Ok(())
    }

    /// What was kept; with nothing more it is no more here.
    pub(super) fn take(&mut self) -> BytesMut {
        self.0.take().map(|early| *early).unwrap_or_default()
    }

    /// Puts what was kept before what is read now.
    pub(super) fn give_back(&mut self, read: &mut BytesMut) {
        if self.0.is_some() {
            let mut all = self.take();
            all.extend_from_slice(read);
            *read = all;
        }
    }
}
