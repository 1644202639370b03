//! The protocol version of a session: a value that travels with the bytes.
//!
//! Lives here: which versions there are and how wide a floating field's tag and length are in each.
//! Not here: which field exists since when; that stands in the tables of `messages`.

use std::fmt;

/// A protocol version together with the family of servers that speaks it.
///
/// The number alone does not tell how wide tags and lengths are: 18 is written in two ways.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    number: u8,
    flavour: Flavour,
}

impl Version {
    /// The newest version of this catalogue, 24.
    pub const LATEST: Version = Version { number: CCE_LAST, flavour: Flavour::Cce };

    /// A version of the CTI Server proper, 9 to 24; none for any other number.
    pub const fn new(number: u32) -> Option<Version> {
        if number < CCE_FIRST as u32 || number > CCE_LAST as u32 {
            return None;
        }
        Some(Version { number: number as u8, flavour: Flavour::Cce })
    }

    /// A version of Contact Center Express, 10 to 18; none for any other number.
    pub const fn uccx(number: u32) -> Option<Version> {
        if number < UCCX_FIRST as u32 || number > UCCX_LAST as u32 {
            return None;
        }
        Some(Version { number: number as u8, flavour: Flavour::Uccx })
    }

    /// Every version: those of the CTI Server ascending, then those of Contact Center Express.
    pub fn all() -> impl Iterator<Item = Version> {
        let cce = (CCE_FIRST..=CCE_LAST).map(|number| Version { number, flavour: Flavour::Cce });
        cce.chain((UCCX_FIRST..=UCCX_LAST).map(|number| Version { number, flavour: Flavour::Uccx }))
    }

    /// The number as OPEN_REQ's VersionNumber carries it.
    pub const fn number(self) -> u32 {
        self.number as u32
    }

    /// The family of servers.
    pub const fn flavour(self) -> Flavour {
        self.flavour
    }

    /// Bytes of a floating field's tag: 1 or 2.
    pub const fn tag_bytes(self) -> usize {
        match self.flavour {
            Flavour::Cce if self.number >= CCE_WIDE => 2,
            Flavour::Uccx if self.number >= UCCX_WIDE => 2,
            _ => 1,
        }
    }

    /// Bytes of a floating field's length: 1 or 2. UCCX 18 widened the tag only.
    pub const fn length_bytes(self) -> usize {
        match self.flavour {
            Flavour::Cce if self.number >= CCE_WIDE => 2,
            _ => 1,
        }
    }

    /// Whether something that came with version `since` (0: was always there) exists in this version.
    #[inline]
    pub const fn has(self, since: u8) -> bool {
        // What the oldest version has, all have: nothing is left to compare where `since` is a constant.
        since <= CCE_FIRST || self.number >= since
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.flavour {
            Flavour::Cce => write!(f, "{}", self.number),
            Flavour::Uccx => write!(f, "UCCX {}", self.number),
        }
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({self})")
    }
}

/// The family of servers that a version number belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Flavour {
    /// Contact Center Enterprise: the CTI Server itself.
    Cce,
    /// Contact Center Express, which speaks a dialect of its own since 10.
    Uccx,
}

const CCE_FIRST: u8 = 9;
const CCE_LAST: u8 = 24;
const CCE_WIDE: u8 = 20;
const UCCX_FIRST: u8 = 10;
const UCCX_LAST: u8 = 18;
const UCCX_WIDE: u8 = 18;
