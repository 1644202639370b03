//! How fast one connection may ask: a second's worth at once, a reserve for who leaves, and what makes a flood.

use std::time::{Duration, Instant};

use ctigate::dialects::{Pace, Rate};
use ctigate::operations::Urgency;

fn fine(rate: &mut Rate, urgency: Urgency, count: usize) -> usize {
    (0..count).filter(|_| rate.take(urgency) == Pace::Fine).count()
}

#[test]
fn a_seconds_worth_at_once_and_then_the_allowed_rate() {
    let now = Instant::now();
    let mut rate = Rate::new(100, now);
    assert_eq!(fine(&mut rate, Urgency::Ordinary, 150), 80);
    rate.pass(now + Duration::from_millis(500));
    assert_eq!(fine(&mut rate, Urgency::Ordinary, 150), 50);
    rate.pass(now + Duration::from_secs(60));
    assert_eq!(fine(&mut rate, Urgency::Newcomer, 150), 80, "no more than a second's worth is saved up");
}

#[test]
fn who_leaves_gets_through_where_nothing_else_does() {
    let mut rate = Rate::new(100, Instant::now());
    fine(&mut rate, Urgency::Ordinary, 500);
    assert_eq!(fine(&mut rate, Urgency::Leaving, 30), 20);
}

#[test]
fn three_times_the_allowed_rate_for_ten_seconds_is_a_flood_and_twice_is_none() {
    let seconds_until_flood = |times: usize| {
        let now = Instant::now();
        let mut rate = Rate::new(100, now);
        let tenths = (0..6_000).find(|tenth| {
            rate.pass(now + Duration::from_millis(100 * tenth));
            (0..10 * times).any(|_| rate.take(Urgency::Ordinary) == Pace::Flood)
        });
        tenths.map(|tenths| tenths / 10)
    };
    assert_eq!(seconds_until_flood(2), None);
    let seconds = seconds_until_flood(3).expect("a flood");
    assert!((9..=11).contains(&seconds), "{seconds}");
}

#[test]
fn a_clock_that_stands_gives_nothing_and_takes_nothing() {
    let now = Instant::now();
    let mut rate = Rate::new(10, now);
    rate.pass(now + Duration::from_secs(1));
    fine(&mut rate, Urgency::Ordinary, 10);
    rate.pass(now);
    rate.pass(now + Duration::from_secs(1));
    assert_eq!(fine(&mut rate, Urgency::Ordinary, 1), 0);
}
