//! Who asks, and over whom that gives a right. Not here: how a client proved who it is.

use std::sync::Arc;

use smol_str::SmolStr;

use super::Refusal;
use crate::model::{AgentKey, Instrument, PeripheralId, SessionId, Team};
use crate::sessions::Target;

/// The session that asks for a command.
#[derive(Clone, Debug)]
pub struct Requester {
    /// Which.
    pub session: SessionId,
    /// The ClientID that it was opened with, to name it by even when it has gone.
    pub client: SmolStr,
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
    /// The same, and how the agents of these teams stand: a supervisor. Their calls stay their own.
    Supervisor {
        /// What the session was opened for: the supervisor's own agent or device.
        own: Target,
        /// Whom it supervises.
        teams: Arc<[Arc<Team>]>,
    },
    /// None at all.
    Nobody,
}

impl Requester {
    /// What the session was opened for.
    fn own(&self) -> Option<&Target> {
        match &self.right {
            Right::Of(own) | Right::Supervisor { own, .. } => Some(own),
            Right::Every | Right::Nobody => None,
        }
    }

    /// Whether the session was opened for a device of that ACD.
    pub(super) fn is_of_device(&self, id: PeripheralId) -> bool {
        matches!(self.own(), Some(Target::Device(peripheral, _)) if *peripheral == id)
    }

    /// Whether the session may command whom it likes.
    pub(super) fn has_every_right(&self) -> bool {
        matches!(self.right, Right::Every | Right::Of(Target::All))
    }

    /// Whether the session may command a device where nobody works.
    pub(super) fn has_right_at_empty(&self, id: PeripheralId, device: &Instrument) -> bool {
        self.has_every_right() || self.own() == Some(&Target::Device(id, device.clone()))
    }

    /// Refuses unless the session may command this agent, who works (or is to work) at that device.
    pub fn must_have_right(&self, key: &AgentKey, instrument: Option<&Instrument>) -> Result<(), Refusal> {
        let is_supervised = match &self.right {
            Right::Supervisor { teams, .. } => teams.iter().any(|team| team.has_member(key)),
            _ => false,
        };
        if is_supervised { Ok(()) } else { self.must_be(key, instrument) }
    }

    /// Whether the session was opened for this agent, or for the device that it works at.
    pub(super) fn is_for(&self, key: &AgentKey, instrument: Option<&Instrument>) -> bool {
        match self.own() {
            Some(Target::Agent(own)) => own == key,
            Some(Target::Device(peripheral, own)) => *peripheral == key.peripheral && Some(own) == instrument,
            _ => false,
        }
    }

    /// Refuses unless the session may handle this agent's calls: one's own, or everybody's.
    pub fn must_be(&self, key: &AgentKey, instrument: Option<&Instrument>) -> Result<(), Refusal> {
        if self.is_for(key, instrument) || self.has_every_right() {
            Ok(())
        } else {
            Err(Refusal::NoRight { session: self.session, agent: key.agent.clone() })
        }
    }
}
