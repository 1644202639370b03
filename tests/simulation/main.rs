//! The gateway in a world that a seed decides: clients, an ACD that goes wrong, a network that breaks, on virtual time.
//! After every step it is looked whether what must always hold does.
//!
//! `CTIGATE_SEED=n` plays one seed and tells its story; `CTIGATE_SEEDS=n` plays so many.

#![allow(unreachable_pub, reason = "nobody reaches into a test")]
#![allow(clippy::print_stdout, reason = "it tells stories")]

mod acd;
mod crm;
mod desk;
mod dice;
mod gateway;
mod mutations;
mod story;
mod trial;
mod watch;
mod wire;
mod words;

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use trial::{Told, play};

/// How many seeds are played where nobody says.
const SEEDS: u64 = 4_000;

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is {value:?}, which is no number")))
}

/// How many seeds may fail before no more are played.
const FAILURES_MAX: usize = 20;

#[test]
fn whatever_the_seeds_bring_all_that_must_hold_holds() {
    if let Some(seed) = number("CTIGATE_SEED") {
        let Told { story, breach } = play(seed);
        println!("{story}");
        return assert!(breach.is_none(), "seed {seed} breaks {}", breach.unwrap());
    }
    let (first, count) = (number("CTIGATE_FIRST_SEED").unwrap_or(1), number("CTIGATE_SEEDS").unwrap_or(SEEDS));
    let failed = play_all(first, count);
    let Some((seed, Told { story, .. })) = failed.first() else { return };
    let breaches =
        failed.iter().filter_map(|(seed, told)| Some(format!("seed {seed} breaks {}", told.breach.as_ref()?)));
    let breaches = breaches.collect::<Vec<_>>().join("\n");
    panic!("{story}\n{breaches}\nrerun: CTIGATE_SEED={seed} cargo test --test simulation seeds -- --nocapture\n");
}

/// Plays so many seeds on all processors; gives those that failed, in their order.
fn play_all(first: u64, count: u64) -> Vec<(u64, Told)> {
    let next = AtomicU64::new(first);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count || failed.lock().len() >= FAILURES_MAX {
                        return;
                    }
                    let told = play(seed);
                    if told.breach.is_some() {
                        failed.lock().push((seed, told));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner();
    failed.sort_unstable_by_key(|(seed, _)| *seed);
    failed
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 1..=20 {
        let (once, again) = (play(seed).story, play(seed).story);
        let parted = once.lines().zip(again.lines()).find(|(once, again)| once != again);
        assert_eq!(parted, None, "seed {seed} tells two stories");
        assert_eq!(once.len(), again.len(), "seed {seed} tells two stories");
    }
}
