//! The ACDs behind the gateway: one trait, one folder an ACD.
//!
//! Lives here: how each ACD is told and what it answers. Not here: what a client asked or is told (`dialects`), in which
//! order a login or logout goes (`operations`).
//! Must hold: nothing here waits for a client. A call that the ACD does not answer in time is given up by the caller,
//! so every future of this trait may be dropped at any await and leaves the adapter usable.

pub mod asterisk;
mod config;
pub mod embedded;
mod events;

use async_trait::async_trait;

use crate::model::{
    AgentFacts, AgentId, Call, CallAbilities, CallCommand, CallDataError, CallId, CallOutcome, Instrument, Login,
    Password, PeripheralId, QueueChoice, QueueId, ReasonCode, StateChange,
};
pub use config::{AcdConfigError, AgentsConfig};
pub use events::{AcdEvent, AcdEvents, AcdInbox, AcdProgress, ReadEvent, acd_channel};

/// One ACD.
///
/// The facts that a command returns describe the agent after it; the same facts may or may not come again as an event.
/// `AgentFacts::order` says which of two is newer.
#[async_trait]
pub trait Acd: Send + Sync + std::fmt::Debug {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Keeps the link up until the gateway ends, and reports on `events`: first the link, then what happens.
    /// Called once; returns when the ACD is gone for good or the inbox is closed.
    async fn run(&self, events: AcdEvents);

    /// Opens the agent's live binding: its device's monitor or membership at the ACD. Open already is a success.
    async fn open_adapter(&self, agent: &AgentId, instrument: &Instrument) -> Result<(), AcdRefusal>;

    /// Closes that binding. Closed already is a success.
    async fn close_adapter(&self, agent: &AgentId) -> Result<(), AcdRefusal>;

    /// Checks an agent's password and changes nothing.
    async fn authenticate(&self, agent: &AgentId, password: &Password) -> Result<(), AcdRefusal>;

    /// Logs an agent in to the queues named or, where none is, to those that the ACD has for it.
    /// An agent that is logged in already joins the queues that it is not in yet.
    async fn log_in(&self, login: &Login) -> Result<AgentFacts, AcdRefusal>;

    /// Changes the state of an agent that is logged in.
    async fn set_state(&self, change: &StateChange) -> Result<AgentFacts, AcdRefusal>;

    /// Logs an agent out of the queues named or of all.
    async fn log_out(
        &self,
        agent: &AgentId,
        queues: &QueueChoice,
        reason: ReasonCode,
        forced: bool,
    ) -> Result<AgentFacts, AcdRefusal>;

    /// Does something with a call. An ACD that has no such command says so.
    async fn control_call(&self, command: &CallCommand) -> Result<CallOutcome, AcdRefusal> {
        Err(AcdRefusal::NotSupported { what: command.what() })
    }

    /// What the ACD says of one agent now; none if it knows no such agent.
    async fn agent(&self, agent: &AgentId) -> Result<Option<AgentFacts>, AcdRefusal>;

    /// What the ACD says of everything now.
    async fn snapshot(&self) -> Result<Snapshot, AcdRefusal>;
}

/// What an ACD says of everything at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Where this moment stands in the ACD's own order of changes, as `AgentFacts::order`: what has a higher one is newer.
    pub order: u64,
    /// Every agent that it knows: logged in or not if it lists its agents, else at least those that are logged in.
    pub agents: Vec<AgentFacts>,
    /// Its queues, by number and name.
    pub queues: Vec<(QueueId, String)>,
    /// Its devices, as far as it can list them.
    pub instruments: Vec<Instrument>,
    /// The agents whose adapter is open there.
    pub adapters: Vec<AgentId>,
    /// Its calls; `order` is in the same count as theirs.
    pub calls: Vec<std::sync::Arc<Call>>,
}

/// What an ACD can do. What it cannot do is refused with the dialect's own code, never pretended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// Knows after-call work as a state that an agent can ask for.
    pub after_call_work: bool,
    /// An agent can be in some of its queues and leave one alone.
    pub partial_logout: bool,
    /// Lists its devices, so that an unknown one can be refused.
    pub lists_instruments: bool,
    /// Lists its agents, logged in or not, so that an unknown one can be refused.
    pub lists_agents: bool,
    /// What it can do with calls.
    pub calls: CallAbilities,
}

/// A configured ACD: its number, and the adapter that speaks to it.
#[derive(Clone, Debug)]
pub struct Peripheral {
    /// The number that clients know it by.
    pub id: PeripheralId,
    /// The adapter.
    pub acd: std::sync::Arc<dyn Acd>,
}

/// Why an ACD did not do what it was asked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcdRefusal {
    /// No such agent, or the wrong password: not told apart, so that ids cannot be guessed.
    #[error("agent id or password is not valid")]
    BadCredentials,
    /// No such agent.
    #[error("agent {agent} is not known")]
    UnknownAgent {
        /// The id that was asked for.
        agent: AgentId,
    },
    /// No such device.
    #[error("instrument {instrument} is not known")]
    UnknownInstrument {
        /// The device that was asked for.
        instrument: Instrument,
    },
    /// The device is taken.
    #[error("instrument {instrument} is in use")]
    InstrumentInUse {
        /// The device that was asked for.
        instrument: Instrument,
        /// The agent that is logged in there.
        by: AgentId,
    },
    /// The agent is logged in already, and in every queue that was named.
    #[error("agent {agent} is logged in already, at instrument {instrument}")]
    AlreadyLoggedIn {
        /// The agent.
        agent: AgentId,
        /// Where it is logged in.
        instrument: Instrument,
    },
    /// No such queue, or one that the agent may not join.
    #[error("queue {queue} is not one that agent {agent} may be in")]
    BadQueue {
        /// The agent.
        agent: AgentId,
        /// The queue that was named.
        queue: QueueId,
    },
    /// The agent is in no queue.
    #[error("agent {agent} is not logged in")]
    NotLoggedIn {
        /// The agent.
        agent: AgentId,
    },
    /// What the agent is doing does not allow it.
    #[error("agent {agent} is {state:?}, which does not allow it")]
    WrongState {
        /// The agent.
        agent: AgentId,
        /// What it is doing.
        state: crate::model::AgentState,
    },
    /// What was given for a field is nothing that this ACD could keep.
    #[error("{field} {value:?} cannot be sent to this ACD: {why}")]
    BadValue {
        /// Which.
        field: BadField,
        /// What was given.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// So many commands wait for the ACD that this one was not taken.
    #[error("{waiting} commands wait for the ACD already")]
    Congested {
        /// How many.
        waiting: usize,
    },
    /// A reason code is due and none was given.
    #[error("a reason code is required")]
    ReasonRequired,
    /// The call cannot carry it.
    #[error(transparent)]
    CallData(CallDataError),
    /// No such call.
    #[error("there is no call {}", call.0)]
    UnknownCall {
        /// The number that was given.
        call: CallId,
    },
    /// The device is not on the call.
    #[error("{device} is not on call {}", call.0)]
    NotOnCall {
        /// The call.
        call: CallId,
        /// The device.
        device: Instrument,
    },
    /// How the device stands on the call does not allow it.
    #[error("{device} is {state:?} on call {}, which does not allow it", call.0)]
    WrongCallState {
        /// The call.
        call: CallId,
        /// The device.
        device: Instrument,
        /// How it stands.
        state: crate::model::PartyState,
    },
    /// No call can be brought there.
    #[error("{number} cannot be called: {why}")]
    BadDestination {
        /// The number that was dialled.
        number: Instrument,
        /// Why not.
        why: &'static str,
    },
    /// Somebody talks there.
    #[error("{number} is busy")]
    Busy {
        /// The number that was dialled.
        number: Instrument,
    },
    /// The ACD has no such feature.
    #[error("this ACD cannot {what}")]
    NotSupported {
        /// The feature, as a verb.
        what: &'static str,
    },
    /// The link is down.
    #[error("the ACD cannot be reached")]
    LinkDown,
    /// No answer came in time; what the ACD did is not known.
    #[error("the ACD did not answer in {waited:?}")]
    TimedOut {
        /// How long the answer was waited for.
        waited: std::time::Duration,
    },
    /// The ACD said no, in its own words.
    #[error("the ACD refused: {words} (error {code})")]
    Refused {
        /// The ACD's own error number; 0 where it has none.
        code: u32,
        /// The ACD's own words, one line.
        words: String,
    },
}

/// A field of a request that an ACD cannot keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadField {
    /// The agent's id.
    Agent,
    /// The device.
    Instrument,
    /// What is to travel with a call.
    CallData,
}

impl std::fmt::Display for BadField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            BadField::Agent => "agent",
            BadField::Instrument => "instrument",
            BadField::CallData => "call data",
        })
    }
}
