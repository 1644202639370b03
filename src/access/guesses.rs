//! How long a guesser waits. Not here: what is guessed, and how long it is after how many (`model`).
//!
//! Must hold: somebody's guesses at one place do not keep the true client out at another.

use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use crate::model::Tally;

/// Wrong answers that cost nothing: people mistype.
const FREE_OF_CLIENT: u32 = 3;
/// The same for one address with whichever clients: many desktops share the address of a terminal server.
const FREE_OF_ADDRESS: u32 = 30;

/// Who guessed wrong lately, and until when it is not listened to.
#[derive(Debug)]
pub(crate) struct Guesses {
    by_client: Tally<(String, IpAddr)>,
    by_address: Tally<IpAddr>,
}

impl Guesses {
    pub(crate) fn new() -> Guesses {
        Guesses { by_client: Tally::new(FREE_OF_CLIENT), by_address: Tally::new(FREE_OF_ADDRESS) }
    }

    /// How long nothing that comes from there for this client is looked at.
    pub(crate) fn must_wait(&self, now: Instant, client: &str, from: IpAddr) -> Option<Duration> {
        let from = network(from);
        let of_client = self.by_client.must_wait(now, &(client.to_owned(), from));
        of_client.max(self.by_address.must_wait(now, &from))
    }

    /// Counts a wrong one; says how many it were from there for this client.
    pub(crate) fn was_wrong(&mut self, now: Instant, client: &str, from: IpAddr) -> u32 {
        let from = network(from);
        self.by_address.was_wrong(now, from);
        self.by_client.was_wrong(now, (client.to_owned(), from))
    }

    /// The client knows its secret. What its address has guessed of others is not forgiven by that.
    pub(crate) fn was_right(&mut self, client: &str, from: IpAddr) {
        self.by_client.was_right(&(client.to_owned(), network(from)));
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
    fn guesses_at_one_place_keep_nobody_out_at_another() {
        let (mut guesses, now) = (Guesses::new(), Instant::now());
        for _ in 0..10 {
            guesses.was_wrong(now, "crm", address(1));
        }
        assert!(guesses.must_wait(now, "crm", address(1)).is_some());
        assert_eq!(guesses.must_wait(now, "crm", address(2)), None);
        assert_eq!(guesses.must_wait(now, "wallboard", address(1)), None);
    }

    #[test]
    fn one_address_that_tries_many_clients_waits_as_well() {
        let (mut guesses, now) = (Guesses::new(), Instant::now());
        for client in 0..31 {
            assert_eq!(guesses.must_wait(now, &client.to_string(), address(1)), None);
            guesses.was_wrong(now, &client.to_string(), address(1));
        }
        assert_eq!(guesses.must_wait(now, "yet another", address(1)), Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address_and_ipv4_is_the_same_however_it_is_written() {
        let (mut guesses, now) = (Guesses::new(), Instant::now());
        for host in 1..=9_u16 {
            guesses.was_wrong(now, "crm", Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host).into());
        }
        assert!(guesses.must_wait(now, "crm", Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9).into()).is_some());
        assert!(guesses.must_wait(now, "crm", Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 1).into()).is_none());
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), address(1));
    }
}
