//! Measures how the machine stands, and tells the house.
//!
//! Not here: what is judged from it, and what is refused then (`operations`).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::observe::resident_bytes;
use crate::operations::{Bearable, House, Judge, Level, Strain};

/// How often it is measured.
const EVERY: Duration = Duration::from_millis(100);

/// Measures until the gateway has stopped.
pub(super) async fn measure(house: Arc<House>, bearable: Bearable, stopped: CancellationToken) {
    let mut judge = Judge::new(bearable);
    let mut known = Level::All;
    loop {
        let due = Instant::now() + EVERY;
        if stopped.run_until_cancelled(tokio::time::sleep_until(due)).await.is_none() {
            return;
        }
        let strain =
            Strain { lag: Instant::now().saturating_duration_since(due), memory_bytes: resident_bytes().unwrap_or(0) };
        let level = judge.judge(strain);
        house.set_machine(level);
        let Strain { lag, memory_bytes } = strain;
        if level > known {
            warn!(?level, ?lag, memory_bytes, "the gateway cannot keep up");
        } else if level < known {
            info!(?level, ?lag, memory_bytes, "the gateway keeps up better again");
        }
        known = level;
    }
}
