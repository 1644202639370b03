//! An agent as the ACD says that it is. Not here: which client asked, and what clients are told.

use smallvec::SmallVec;

use super::{AgentId, Instrument, QueueId, ReasonCode};

/// What an agent is doing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum AgentState {
    /// Has just logged in: a moment that only an event shows, followed by the state that the ACD put the agent in.
    LoggedIn,
    /// In no queue.
    LoggedOut,
    /// Logged in and offered no calls.
    NotReady,
    /// Waiting for a call.
    Ready,
    /// A call is being offered.
    Reserved,
    /// On a call.
    Talking,
    /// Every call of the agent is on hold.
    Hold,
    /// After-call work, not ready afterwards.
    WorkNotReady,
    /// After-call work, ready afterwards.
    WorkReady,
    /// Busy with something that is not of this queue.
    BusyOther,
    /// The ACD does not say.
    Unknown,
}

impl AgentState {
    /// Every state, in the order of declaration.
    pub const ALL: [AgentState; 11] = [
        AgentState::LoggedIn,
        AgentState::LoggedOut,
        AgentState::NotReady,
        AgentState::Ready,
        AgentState::Reserved,
        AgentState::Talking,
        AgentState::Hold,
        AgentState::WorkNotReady,
        AgentState::WorkReady,
        AgentState::BusyOther,
        AgentState::Unknown,
    ];

    /// Whether a call holds the agent, so that another state can only come when the call ends.
    pub fn is_on_call(self) -> bool {
        matches!(self, AgentState::Reserved | AgentState::Talking | AgentState::Hold | AgentState::BusyOther)
    }
}

/// The states that a client can ask for, besides login and logout.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WantedState {
    /// Offer me calls.
    Ready,
    /// Offer me none.
    NotReady,
    /// After-call work, not ready afterwards.
    WorkNotReady,
    /// After-call work, ready afterwards.
    WorkReady,
}

impl From<WantedState> for AgentState {
    fn from(wanted: WantedState) -> AgentState {
        match wanted {
            WantedState::Ready => AgentState::Ready,
            WantedState::NotReady => AgentState::NotReady,
            WantedState::WorkNotReady => AgentState::WorkNotReady,
            WantedState::WorkReady => AgentState::WorkReady,
        }
    }
}

/// Some queues: most agents are in few, which cost no allocation.
pub type Queues = SmallVec<[QueueId; 4]>;

/// All that the ACD says of one agent at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgentFacts {
    /// Who.
    pub agent: AgentId,
    /// The device that the agent is logged in at; none while logged out.
    pub instrument: Option<Instrument>,
    /// The number that the device is called by, where it has one of its own.
    pub extension: Option<Instrument>,
    /// What the agent is doing; `LoggedOut` exactly while `queues` is empty. Never `LoggedIn`.
    pub state: AgentState,
    /// What the agent asked to be when the present call ends.
    pub next_state: Option<AgentState>,
    /// Why, for not ready and logged out; 0 otherwise.
    pub reason: ReasonCode,
    /// The queues that the agent is logged in to, ascending, each once.
    pub queues: Queues,
    /// Where this stands in the ACD's own order of changes of this agent: facts with a higher number are newer.
    pub order: u64,
}

impl AgentFacts {
    /// An agent in no queue.
    pub fn logged_out(agent: AgentId, reason: ReasonCode, order: u64) -> AgentFacts {
        AgentFacts {
            agent,
            instrument: None,
            extension: None,
            state: AgentState::LoggedOut,
            next_state: None,
            reason,
            queues: Queues::new(),
            order,
        }
    }

    /// Whether the agent is in any queue.
    pub fn is_logged_in(&self) -> bool {
        self.state != AgentState::LoggedOut
    }

    /// Whether anything but the order differs: only then is there something to tell.
    pub fn differs_from(&self, other: &AgentFacts) -> bool {
        self.state != other.state
            || self.reason != other.reason
            || self.next_state != other.next_state
            || self.queues != other.queues
            || self.instrument != other.instrument
            || self.extension != other.extension
    }
}
