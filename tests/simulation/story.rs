//! What happened, in numbered steps, and the first invariant that did not hold.
//!
//! Not here: what the invariants mean (`watch`). Must hold: nothing of a story depends on the machine, the day or another
//! seed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

macro_rules! invariants {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What must hold, whatever happens.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Invariant { $($(#[$doc])* $name,)* }

        impl Invariant {
            /// The names of all.
            pub const NAMES: &[&str] = &[$(stringify!($name)),*];
        }
    };
}

invariants! {
    /// A logout is confirmed when the agent is out and its adapter closed, not before.
    ConfirmAfterTeardown,
    /// The last event of an agent comes before the logout's confirm.
    LastEventBeforeConfirm,
    /// Of a subscription that has ended nothing is written any more.
    NothingAfterTheEnd,
    /// An agent has one owner, where the configuration does not let clients share it.
    OneOwner,
    /// When all is quiet, the table has what the ACD has, and adapters are open for those who are logged in.
    TableIsTruth,
    /// Each request is answered exactly once.
    AnsweredOnce,
    /// When all clients are gone nothing of them is left.
    NothingLeft,
    /// Events keep the ACD's order, and none comes twice.
    InOrder,
    /// When all is quiet, whoever subscribes has been told how things stand.
    NothingLost,
    /// Of a call its beginning is told first and its end last.
    CallsBeginAndEnd,
    /// An agent's commands are done one after another.
    OneCommandAtATime,
    /// While an agent logs out, nothing else is done with it: who asks is told so at once.
    LogoutIsExclusive,
    /// A logout that leaves queues leaves the adapter, and a login comes after its adapter.
    AdapterAroundLogin,
    /// Nobody is logged out for having been lost who was not, and whoever was, is.
    Grace,
    /// What waits for a client is bounded.
    Bounded,
    /// All comes to an end.
    Ends,
    /// Nothing panics.
    NoPanic,
}

/// An invariant that did not hold.
#[derive(Clone, Debug)]
pub struct Breach {
    pub invariant: Invariant,
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.invariant, self.what)
    }
}

/// One seed's story.
#[derive(Clone, Debug)]
pub struct Story {
    began: Instant,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    lines: Vec<(Duration, String)>,
    breach: Option<Breach>,
}

impl Story {
    pub fn begin() -> Story {
        Story { began: Instant::now(), inner: Arc::default() }
    }

    /// Adds a step.
    pub fn tell(&self, what: impl Into<String>) {
        self.inner.lock().lines.push((self.began.elapsed(), what.into()));
    }

    /// Something is not as it must be. What follows from the first one is not looked at.
    pub fn breach(&self, invariant: Invariant, what: impl Into<String>) {
        let what = what.into();
        self.tell(format!("!!!! {invariant:?}: {what}"));
        self.inner.lock().breach.get_or_insert(Breach { invariant, what });
    }

    pub fn has_breach(&self) -> bool {
        self.inner.lock().breach.is_some()
    }

    /// The whole story, and how it failed if it did.
    pub fn end(&self) -> (String, Option<Breach>) {
        let inner = self.inner.lock();
        let mut text = String::new();
        for (step, (at, what)) in inner.lines.iter().enumerate() {
            text += &format!("{:4} {:>11.3} s  {what}\n", step + 1, at.as_secs_f64());
        }
        (text, inner.breach.clone())
    }
}
