//! What a client asks of an agent, checked and free of any dialect. Not here: who may ask, and in what order it is done.

use super::{AgentId, Instrument, Password, QueueId, ReasonCode, WantedState};

/// Log an agent in.
#[derive(Clone, Debug)]
pub struct Login {
    /// Who.
    pub agent: AgentId,
    /// The agent's password at the ACD; empty where the client gave none.
    pub password: Password,
    /// The device to work at.
    pub instrument: Instrument,
    /// The queues to join.
    pub queues: QueueChoice,
    /// Take the agent and the device over, wherever they are logged in.
    pub forced: bool,
}

/// Change the state of an agent that is logged in.
#[derive(Clone, Debug)]
pub struct StateChange {
    /// Who.
    pub agent: AgentId,
    /// What to be.
    pub wanted: WantedState,
    /// Why, for not ready.
    pub reason: ReasonCode,
}

/// Log an agent out.
#[derive(Clone, Debug)]
pub struct Logout {
    /// Who.
    pub agent: AgentId,
    /// Out of which queues; `AsAcdSays` is out of all that the ACD says the agent is in.
    pub queues: QueueChoice,
    /// Why.
    pub reason: ReasonCode,
    /// Checked against the ACD where it is given.
    pub password: Option<Password>,
    /// Whatever the agent is doing, a call included.
    pub forced: bool,
}

/// Queues named by the client, or left to the ACD.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum QueueChoice {
    /// None named: those that the ACD says.
    #[default]
    AsAcdSays,
    /// These: at least one, ascending, each once.
    Named(Vec<QueueId>),
}

impl QueueChoice {
    /// Sorts and deduplicates what the client named; nothing named leaves the choice to the ACD.
    pub fn from_named(mut queues: Vec<QueueId>) -> QueueChoice {
        queues.sort_unstable();
        queues.dedup();
        if queues.is_empty() { QueueChoice::AsAcdSays } else { QueueChoice::Named(queues) }
    }
}
