//! Wrong answers by who gave them, and how long who gave many is not listened to. Not here: what is guessed, and clocks.
//!
//! Must hold: bounded memory, however many guess.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// The first wait; it doubles with each wrong answer up to the longest.
const WAIT_MIN: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(60);
/// After so long without a wrong answer all is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(15 * 60);
/// How many are remembered at a time; past it the oldest are forgotten first.
const REMEMBERED_MAX: usize = 10_000;

/// Who gave wrong answers lately, and until when it is not listened to.
#[derive(Debug)]
pub struct Tally<K> {
    /// Wrong answers that cost nothing: people mistype.
    free: u32,
    of: HashMap<K, Wrong>,
}

#[derive(Debug, Clone, Copy)]
struct Wrong {
    count: u32,
    last: Instant,
    until: Instant,
}

impl<K: Hash + Eq> Tally<K> {
    /// Nobody has answered yet; so many wrong answers will cost nothing.
    pub fn new(free: u32) -> Tally<K> {
        Tally { free, of: HashMap::new() }
    }

    /// How long nothing of this one's is looked at.
    pub fn must_wait(&self, now: Instant, who: &K) -> Option<Duration> {
        let until = self.of.get(who)?.until;
        Some(until.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// Counts a wrong one; says how many it were.
    pub fn was_wrong(&mut self, now: Instant, who: K) -> u32 {
        self.make_room(now, &who);
        let wrong = self.of.entry(who).or_insert(Wrong { count: 0, last: now, until: now });
        if now.saturating_duration_since(wrong.last) >= FORGET_AFTER {
            wrong.count = 0;
        }
        wrong.count = wrong.count.saturating_add(1);
        wrong.last = now;
        if let Some(doublings) = wrong.count.checked_sub(self.free + 1) {
            wrong.until = now + WAIT_MAX.min(WAIT_MIN * 2_u32.saturating_pow(doublings.min(16)));
        }
        wrong.count
    }

    /// What was counted as wrong has turned out to be neither wrong nor right.
    pub fn was_neither(&mut self, now: Instant, who: &K) {
        if let Some(wrong) = self.of.get_mut(who) {
            wrong.count = wrong.count.saturating_sub(1);
            wrong.until = now;
        }
    }

    /// This one has answered right: it begins anew.
    pub fn was_right(&mut self, who: &K) {
        self.of.remove(who);
    }

    /// How many are remembered.
    pub fn remembered(&self) -> usize {
        self.of.len()
    }

    fn make_room(&mut self, now: Instant, who: &K) {
        if self.of.len() < REMEMBERED_MAX || self.of.contains_key(who) {
            return;
        }
        self.of.retain(|_, wrong| now.saturating_duration_since(wrong.last) < FORGET_AFTER);
        if self.of.len() >= REMEMBERED_MAX {
            // Half of them at once: room is not made for every single guess of a flood.
            let mut lasts: Vec<Instant> = self.of.values().map(|wrong| wrong.last).collect();
            let middle = lasts.len() / 2;
            let (_, middle, _) = lasts.select_nth_unstable(middle);
            let middle = *middle;
            self.of.retain(|_, wrong| wrong.last > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ones_cost_nothing_and_then_each_doubles_the_wait_to_a_minute() {
        let (mut tally, mut now) = (Tally::new(3), Instant::now());
        for _ in 0..3 {
            tally.was_wrong(now, "crm");
            assert_eq!(tally.must_wait(now, &"crm"), None);
        }
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            tally.was_wrong(now, "crm");
            assert_eq!(tally.must_wait(now, &"crm"), Some(Duration::from_secs(seconds)));
            now += Duration::from_secs(seconds);
            assert_eq!(tally.must_wait(now, &"crm"), None);
        }
    }

    #[test]
    fn who_was_right_begins_anew_and_who_was_quiet_for_long_as_well() {
        let (mut tally, now) = (Tally::new(3), Instant::now());
        for _ in 0..4 {
            tally.was_wrong(now, "crm");
        }
        tally.was_right(&"crm");
        assert_eq!(tally.was_wrong(now, "crm"), 1);
        assert_eq!(tally.was_wrong(now + FORGET_AFTER, "crm"), 1);
    }

    #[test]
    fn what_was_neither_wrong_nor_right_costs_nothing_and_forgives_nothing() {
        let (mut tally, now) = (Tally::new(1), Instant::now());
        assert_eq!(tally.was_wrong(now, "crm"), 1);
        assert_eq!(tally.was_wrong(now, "crm"), 2);
        tally.was_neither(now, &"crm");
        assert_eq!(tally.must_wait(now, &"crm"), None);
        assert_eq!(tally.was_wrong(now, "crm"), 2);
    }

    #[test]
    fn a_flood_of_guessers_takes_no_more_room_than_there_is() {
        let (mut tally, start) = (Tally::new(3), Instant::now());
        for guess in 0..3 * REMEMBERED_MAX as u64 {
            tally.was_wrong(start + Duration::from_micros(guess), guess);
        }
        assert!(tally.remembered() <= REMEMBERED_MAX);
        assert!(tally.of.contains_key(&(3 * REMEMBERED_MAX as u64 - 1)), "the latest are remembered");
    }
}
