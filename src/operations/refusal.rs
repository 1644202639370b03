//! Why a command was not done. Not here: the codes that a dialect says it with.

use super::Step;
use crate::acd::AcdRefusal;
use crate::model::{AgentId, AgentState, CallId, Instrument, PeripheralId, QueueId, SessionId};
use crate::observe::RequestResult;

/// Why a command was not done: what, for whom, and at which step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The client may not do that to this agent.
    #[error("session {session} has no right over agent {agent}")]
    NoRight {
        /// The session that asked.
        session: SessionId,
        /// The agent it asked for.
        agent: AgentId,
    },
    /// The client may not do that at this device.
    #[error("session {session} has no right at instrument {device}")]
    NoRightAt {
        /// The session that asked.
        session: SessionId,
        /// The device it asked for.
        device: Instrument,
    },
    /// The client is no party of the call.
    #[error("session {session} is no party of call {}", call.0)]
    NotOnCall {
        /// The session that asked.
        session: SessionId,
        /// The call it asked for.
        call: CallId,
    },
    /// The ACD did not do it with the call.
    #[error("could not {what}: {reason}")]
    Call {
        /// What was asked, as a verb.
        what: &'static str,
        /// What the ACD answered.
        reason: AcdRefusal,
    },
    /// No such ACD.
    #[error("peripheral {peripheral} is not known")]
    UnknownPeripheral {
        /// The number that was given.
        peripheral: PeripheralId,
    },
    /// The ACD cannot be reached.
    #[error("the link to peripheral {peripheral} is down")]
    LinkDown {
        /// Its number.
        peripheral: PeripheralId,
    },
    /// The gateway or the ACD has too much to do, or to remember: later it may do it.
    #[error("congested: {why}")]
    Congested {
        /// What there is too much of.
        why: &'static str,
    },
    /// The ACD knows no such agent.
    #[error("agent {agent} is not known")]
    UnknownAgent {
        /// The id that was given.
        agent: AgentId,
    },
    /// The agent is in no queue.
    #[error("agent {agent} is not logged in")]
    NotLoggedIn {
        /// The agent.
        agent: AgentId,
    },
    /// The agent is what it is asked to be, which the client's protocol refuses.
    #[error("agent {agent} is {state:?} already")]
    InThatState {
        /// The agent.
        agent: AgentId,
        /// How it is.
        state: AgentState,
    },
    /// The agent is not in a queue that was named.
    #[error("agent {agent} is not logged in to queue {queue}")]
    NotInQueue {
        /// The agent.
        agent: AgentId,
        /// The queue that was named.
        queue: QueueId,
    },
    /// Somebody is logging the agent out just now.
    #[error("a logout of agent {agent} is under way, asked by session {by}")]
    LogoutUnderWay {
        /// The agent.
        agent: AgentId,
        /// The session that asked for it.
        by: SessionId,
    },
    /// The agent is on a call that is let end first.
    #[error("agent {agent} is on a call")]
    OnCall {
        /// The agent.
        agent: AgentId,
    },
    /// Wrong passwords of the agent came too often: this one was not looked at.
    #[error("{step} of agent {agent} failed: wrong passwords came too often: wait {} seconds", wait.as_secs() + 1)]
    TooManyGuesses {
        /// What was asked.
        step: Step,
        /// The agent.
        agent: AgentId,
        /// How long none is looked at.
        wait: std::time::Duration,
    },
    /// An operation ended without a word: a bug, told as one.
    #[error("the request came to no end")]
    Unanswered,
    /// The ACD did not do it.
    #[error("{step} of agent {agent} failed: {reason}")]
    Acd {
        /// What the ACD was asked.
        step: Step,
        /// The agent.
        agent: AgentId,
        /// What it answered.
        reason: AcdRefusal,
    },
    /// The agent's adapter could not be opened or closed. A close is tried again in the background until it is done.
    #[error("step '{step}' failed for agent {agent}: {reason}")]
    Adapter {
        /// The step.
        step: Step,
        /// The agent.
        agent: AgentId,
        /// What the ACD answered.
        reason: AcdRefusal,
    },
}

/// Whose fault a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The one who asked.
    Client,
    /// The ACD, or the way to it.
    Acd,
}

impl From<Blame> for RequestResult {
    fn from(blame: Blame) -> RequestResult {
        match blame {
            Blame::Client => RequestResult::ClientFault,
            Blame::Acd => RequestResult::AcdFault,
        }
    }
}

impl Refusal {
    /// The step that failed, where it names one.
    pub fn step(&self) -> Option<Step> {
        match self {
            Refusal::Acd { step, .. } | Refusal::Adapter { step, .. } => Some(*step),
            Refusal::Call { .. } => Some(Step::ControlCall),
            _ => None,
        }
    }

    /// What a request is counted as that was refused by it.
    pub fn result(&self) -> RequestResult {
        let (Refusal::Acd { reason, .. } | Refusal::Adapter { reason, .. } | Refusal::Call { reason, .. }) = self
        else {
            return self.blame().into();
        };
        match reason {
            AcdRefusal::Congested { .. } => RequestResult::Congested,
            _ => self.blame().into(),
        }
    }

    /// Whose fault it is: an operator looks into those of the ACD, a client's author into the others.
    pub fn blame(&self) -> Blame {
        match self {
            Refusal::NoRight { .. }
            | Refusal::NoRightAt { .. }
            | Refusal::NotOnCall { .. }
            | Refusal::UnknownPeripheral { .. }
            | Refusal::UnknownAgent { .. }
            | Refusal::NotLoggedIn { .. }
            | Refusal::InThatState { .. }
            | Refusal::NotInQueue { .. }
            | Refusal::OnCall { .. }
            | Refusal::TooManyGuesses { .. }
            | Refusal::LogoutUnderWay { .. } => Blame::Client,
            Refusal::LinkDown { .. } | Refusal::Congested { .. } | Refusal::Adapter { .. } | Refusal::Unanswered => {
                Blame::Acd
            }
            Refusal::Acd { reason, .. } | Refusal::Call { reason, .. } => match reason {
                AcdRefusal::LinkDown | AcdRefusal::TimedOut { .. } | AcdRefusal::Congested { .. } => Blame::Acd,
                _ => Blame::Client,
            },
        }
    }
}
