//! What an operator sees of a running gateway: metrics, health, and what to do about them.
//!
//! Lives here: the names of metrics, the counters behind them, the pages that a scraper or a person is given, the runbook.
//! Not here: sockets (`server`), decisions; nobody asks a counter what to do.
//! Must hold: counting is an atomic addition, its handle looked up beforehand; no label is what a client wrote, so no client
//! can make them grow; what can be counted when it is asked for is not kept.

mod counted;
mod histogram;
mod labels;
pub mod names;
mod pages;
mod process;
pub mod runbook;
mod sight;

pub use counted::{
    AcdCommand, AcdCounts, AcdFailure, Asked, By, ListenerCounts, LogoutStep, Metrics, Rebuild, RequestCounts,
    RequestResult, StepOutcome,
};
pub use histogram::Histogram;
pub use labels::Label;
pub(crate) use labels::labels;
pub use pages::{Page, page};
pub use process::resident_bytes;
pub use sight::{AcdSight, ListenerSight, Phase, QueueSight, Readiness, SessionSight, Sight, Watched};
