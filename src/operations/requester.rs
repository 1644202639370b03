//! Who asks, and over whom that gives a right. Not here: how a client proved who it is.

use super::Refusal;
use crate::model::{AgentKey, Instrument, PeripheralId, SessionId};
use crate::sessions::Target;

/// The session that asks for a command.
#[derive(Clone, Debug)]
pub struct Requester {
    /// Which.
    pub session: SessionId,
    /// Over whom.
    pub right: Right,
}

/// The agents that a session may command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// Every agent: a bridge.
    Every,
    /// The agent or the device that the session was opened for.
    Of(Target),
    /// None at all.
    Nobody,
}

impl Requester {
    /// Whether the session was opened for a device of that ACD.
    pub(super) fn is_of_device(&self, id: PeripheralId) -> bool {
        matches!(&self.right, Right::Of(Target::Device(peripheral, _)) if *peripheral == id)
    }

    /// Whether the session may command whom it likes.
    pub(super) fn has_every_right(&self) -> bool {
        matches!(self.right, Right::Every | Right::Of(Target::All))
    }

    /// Whether the session may command a device where nobody works.
    pub(super) fn has_right_at_empty(&self, id: PeripheralId, device: &Instrument) -> bool {
        self.has_every_right() || self.right == Right::Of(Target::Device(id, device.clone()))
    }

    /// Refuses unless the session may command this agent, who works (or is to work) at that device.
    pub fn must_have_right(&self, key: &AgentKey, instrument: Option<&Instrument>) -> Result<(), Refusal> {
        let has = match &self.right {
            Right::Every | Right::Of(Target::All) => true,
            Right::Nobody => false,
            Right::Of(Target::Agent(own)) => own == key,
            Right::Of(Target::Device(peripheral, own)) => *peripheral == key.peripheral && Some(own) == instrument,
        };
        if has { Ok(()) } else { Err(Refusal::NoRight { session: self.session, agent: key.agent.clone() }) }
    }
}
