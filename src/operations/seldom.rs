//! A line of the log about what may happen very often: said at once, and then seldom, with how often it was left out.
//!
//! Not here: the line.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// So often at most.
const EVERY: Duration = Duration::from_secs(10);

/// One such line.
#[derive(Debug, Default)]
pub struct Seldom {
    last: Mutex<(Option<Instant>, u64)>,
}

impl Seldom {
    /// Says it, unless it was said a short while ago. `line` is given how often it was left out since.
    pub fn say(&self, line: impl FnOnce(u64)) {
        let now = Instant::now();
        let left_out = {
            let (said, left_out) = &mut *self.last.lock();
            if said.is_some_and(|said| now < said + EVERY) {
                *left_out += 1;
                return;
            }
            *said = Some(now);
            std::mem::take(left_out)
        };
        line(left_out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_line_is_said_at_once_and_then_seldom_and_none_is_left_uncounted() {
        let (seldom, mut said) = (Seldom::default(), Vec::new());
        for _ in 0..25 {
            seldom.say(|left_out| said.push(left_out));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(said, [0, 9, 9]);
    }
}
