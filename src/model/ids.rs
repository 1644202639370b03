//! Identities. Not here: what they identify.

use std::fmt;

use smol_str::SmolStr;

/// One ACD behind the gateway, by the number that clients know it by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct PeripheralId(pub u32);

/// A queue's number. GED-188 calls a queue a skill group, UCCX a CSQ.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct QueueId(pub u32);

/// Why an agent is not ready or logged out; 0 is "no reason given". The numbers are the contact centre's own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct ReasonCode(pub u16);

/// One client session of this gateway's life; never used twice. 0 is the gateway itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SessionId(pub u32);

impl SessionId {
    /// The gateway itself, where it does something that no client asked for.
    pub const HOUSE: SessionId = SessionId(0);
}

/// An agent's id, as the ACD knows it: 1 to 128 bytes without control characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AgentId(SmolStr);

/// The device that an agent works at, as the ACD knows it: 1 to 128 bytes without control characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instrument(SmolStr);

/// An agent of one peripheral. Agent ids are unique within a peripheral only.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct AgentKey {
    /// The ACD that the agent belongs to.
    pub peripheral: PeripheralId,
    /// The agent's id there.
    pub agent: AgentId,
}

/// Why a text is no agent id or instrument.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing was given.
    #[error("it is empty")]
    Empty,
    /// Longer than 128 bytes.
    #[error("it has {bytes} bytes, {ID_BYTES_MAX} are allowed")]
    TooLong {
        /// The length that was given.
        bytes: usize,
    },
    /// A control character, which an ACD's line protocol could take for the end of a field.
    #[error("it holds a control character at byte {at}")]
    Control {
        /// Where, counted from 0.
        at: usize,
    },
}

/// The longest agent id or instrument, in bytes of UTF-8 (UCCX allows 128).
const ID_BYTES_MAX: usize = 128;

macro_rules! text_id {
    ($name:ident) => {
        impl $name {
            /// Takes a text from outside, or says what is wrong with it.
            pub fn new(text: &str) -> Result<Self, IdError> {
                checked(text).map(|text| Self(SmolStr::new(text)))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), &self.0)
            }
        }
    };
}
text_id!(AgentId);
text_id!(Instrument);

fn checked(text: &str) -> Result<&str, IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > ID_BYTES_MAX {
        return Err(IdError::TooLong { bytes: text.len() });
    }
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(text); // as most are
    }
    match text.char_indices().find(|(_, c)| c.is_control()) {
        Some((at, _)) => Err(IdError::Control { at }),
        None => Ok(text),
    }
}

macro_rules! shown_as_number {
    ($($name:ident)*) => { $(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )* };
}
shown_as_number!(PeripheralId QueueId ReasonCode SessionId);

impl fmt::Display for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.agent, self.peripheral)
    }
}
