//! Measures how the machine stands, and tells the house.
//!
//! Not here: what is judged from it, and what is refused then (`operations`).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

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
        let strain = Strain { lag: Instant::now().saturating_duration_since(due), memory_bytes: memory_bytes() };
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

/// The memory of the process that is not swapped out; 0 where the system does not tell.
fn memory_bytes() -> u64 {
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        resident.and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) * 1024
    }
    #[cfg(not(target_os = "linux"))]
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn the_memory_of_a_process_is_some_megabytes() {
        let bytes = super::memory_bytes();
        assert!((1 << 20..1 << 36).contains(&bytes), "{bytes}");
    }
}
