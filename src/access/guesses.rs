//! How long a guesser waits. Not here: what is guessed.
//!
//! Must hold: bounded memory, however many guess from wherever; somebody's guesses at one place do not keep the true client
//! out at another.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Wrong answers that cost nothing: people mistype.
const FREE_OF_CLIENT: u32 = 3;
/// The same for one address with whichever clients: many desktops share the address of a terminal server.
const FREE_OF_ADDRESS: u32 = 30;
/// The first wait; it doubles with each wrong answer up to the longest.
const WAIT_MIN: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(60);
/// After so long without a wrong answer all is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(15 * 60);
/// How many are remembered at a time; past it the oldest are forgotten first.
const REMEMBERED_MAX: usize = 10_000;

/// Who guessed wrong lately, and until when it is not listened to.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    by_client: Tally<(String, IpAddr)>,
    by_address: Tally<IpAddr>,
}

impl Guesses {
    /// How long nothing that comes from there for this client is looked at.
    pub(crate) fn must_wait(&self, now: Instant, client: &str, from: IpAddr) -> Option<Duration> {
        let from = network(from);
        let of_client = self.by_client.must_wait(now, &(client.to_owned(), from));
        of_client.max(self.by_address.must_wait(now, &from))
    }

    /// Counts a wrong one; says how many it were from there for this client.
    pub(crate) fn was_wrong(&mut self, now: Instant, client: &str, from: IpAddr) -> u32 {
        let from = network(from);
        self.by_address.was_wrong(now, from, FREE_OF_ADDRESS);
        self.by_client.was_wrong(now, (client.to_owned(), from), FREE_OF_CLIENT)
    }

    /// The client knows its secret. What its address has guessed of others is not forgiven by that.
    pub(crate) fn was_right(&mut self, client: &str, from: IpAddr) {
        self.by_client.of.remove(&(client.to_owned(), network(from)));
    }
}

#[derive(Debug)]
pub(crate) struct Tally<K> {
    of: HashMap<K, Wrong>,
}

#[derive(Debug, Clone, Copy)]
struct Wrong {
    count: u32,
    last: Instant,
    until: Instant,
}

impl<K> Default for Tally<K> {
    fn default() -> Tally<K> {
        Tally { of: HashMap::new() }
    }
}

impl<K: Hash + Eq + Clone> Tally<K> {
    pub(crate) fn must_wait(&self, now: Instant, who: &K) -> Option<Duration> {
        let until = self.of.get(who)?.until;
        Some(until.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    pub(crate) fn was_wrong(&mut self, now: Instant, who: K, free: u32) -> u32 {
        self.make_room(now, &who);
        let wrong = self.of.entry(who).or_insert(Wrong { count: 0, last: now, until: now });
        if now.saturating_duration_since(wrong.last) >= FORGET_AFTER {
            wrong.count = 0;
        }
        wrong.count = wrong.count.saturating_add(1);
        wrong.last = now;
        if let Some(doublings) = wrong.count.checked_sub(free + 1) {
            wrong.until = now + WAIT_MAX.min(WAIT_MIN * 2_u32.saturating_pow(doublings.min(16)));
        }
        wrong.count
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

/// A machine has a whole IPv6 network of 64 bits to guess from.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn three_wrong_ones_are_free_and_then_each_doubles_the_wait_to_a_minute() {
        let (mut guesses, mut now) = (Guesses::default(), Instant::now());
        for _ in 0..3 {
            guesses.was_wrong(now, "crm", address(1));
            assert_eq!(guesses.must_wait(now, "crm", address(1)), None);
        }
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            guesses.was_wrong(now, "crm", address(1));
            assert_eq!(guesses.must_wait(now, "crm", address(1)), Some(Duration::from_secs(seconds)));
            now += Duration::from_secs(seconds);
            assert_eq!(guesses.must_wait(now, "crm", address(1)), None);
        }
    }

    #[test]
    fn guesses_at_one_place_keep_nobody_out_at_another() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        for _ in 0..10 {
            guesses.was_wrong(now, "crm", address(1));
        }
        assert!(guesses.must_wait(now, "crm", address(1)).is_some());
        assert_eq!(guesses.must_wait(now, "crm", address(2)), None);
        assert_eq!(guesses.must_wait(now, "wallboard", address(1)), None);
    }

    #[test]
    fn one_address_that_tries_many_clients_waits_as_well() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        for client in 0..31 {
            assert_eq!(guesses.must_wait(now, &client.to_string(), address(1)), None);
            guesses.was_wrong(now, &client.to_string(), address(1));
        }
        assert_eq!(guesses.must_wait(now, "yet another", address(1)), Some(WAIT_MIN));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address_and_ipv4_is_the_same_however_it_is_written() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        for host in 1..=9_u16 {
            guesses.was_wrong(now, "crm", Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host).into());
        }
        assert!(guesses.must_wait(now, "crm", Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9).into()).is_some());
        assert!(guesses.must_wait(now, "crm", Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 1).into()).is_none());
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), address(1));
    }

    #[test]
    fn who_was_right_starts_anew_and_who_was_quiet_for_long_as_well() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        for _ in 0..4 {
            guesses.was_wrong(now, "crm", address(1));
        }
        guesses.was_right("crm", address(1));
        assert_eq!(guesses.was_wrong(now, "crm", address(1)), 1);
        assert_eq!(guesses.was_wrong(now + FORGET_AFTER, "crm", address(1)), 1);
    }

    #[test]
    fn a_flood_of_guessers_takes_no_more_room_than_there_is() {
        let (mut guesses, start) = (Guesses::default(), Instant::now());
        for guess in 0..3 * REMEMBERED_MAX as u64 {
            guesses.was_wrong(start + Duration::from_micros(guess), &format!("{guess}"), address(1));
        }
        assert!(guesses.by_client.of.len() <= REMEMBERED_MAX);
        let last = (3 * REMEMBERED_MAX - 1).to_string();
        assert!(guesses.by_client.of.contains_key(&(last, address(1))), "the latest are remembered");
    }
}
