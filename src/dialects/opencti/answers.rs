//! What is said when a request is not done: which code, and why in words. Not here: whether it is done.

use cti_protocol::opencti::{Answer, Code, Flaw, RequestId};

use crate::access::Denied;
use crate::acd::AcdRefusal;
use crate::observe::RequestResult;
use crate::operations::Refusal;

/// A refusal in the protocol's words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct No {
    code: Code,
    why: String,
}

impl No {
    pub(super) fn new(code: Code, why: impl Into<String>) -> No {
        No { code, why: why.into() }
    }

    /// What a request is counted as that is refused so.
    pub(super) fn result(&self) -> RequestResult {
        match self.code {
            Code::TooManyRequests => RequestResult::Congested,
            Code::Unavailable | Code::Timeout | Code::Internal => RequestResult::AcdFault,
            _ => RequestResult::ClientFault,
        }
    }

    /// The answer that says so.
    pub(super) fn answer(self, id: Option<RequestId>) -> Answer {
        Answer::fail(id, self.code, self.why)
    }
}

impl From<Denied> for No {
    fn from(denied: Denied) -> No {
        No::new(Code::Unauthorized, denied.to_string())
    }
}

impl From<Flaw> for No {
    fn from(flaw: Flaw) -> No {
        let code = match flaw {
            Flaw::UnknownActivity { .. } => Code::UnknownActivity,
            _ => Code::InvalidRequest,
        };
        No::new(code, flaw.to_string())
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> No {
        let code = match &refusal {
            Refusal::NoRight { .. } | Refusal::NoRightAt { .. } | Refusal::NotOnCall { .. } => Code::NoRight,
            Refusal::UnknownPeripheral { .. } => Code::NotFound,
            Refusal::LinkDown { .. } | Refusal::Congested { .. } => Code::Unavailable,
            // The source's scripts ask for one thing: whether the agent is in. One that nobody knows is not.
            Refusal::UnknownAgent { .. } | Refusal::NotLoggedIn { .. } | Refusal::NotInQueue { .. } => {
                Code::AgentNotLoggedIn
            }
            Refusal::InThatState { .. } => Code::InSameState,
            Refusal::TooManyGuesses { .. } => Code::Unauthorized,
            Refusal::OnCall { .. } => Code::InvalidObjectState,
            Refusal::LogoutUnderWay { .. } => Code::LogoutUnderWay,
            Refusal::Acd { reason, .. } | Refusal::Adapter { reason, .. } | Refusal::Call { reason, .. } => {
                code_of(reason)
            }
            Refusal::Unanswered => Code::Internal,
        };
        No::new(code, refusal.to_string())
    }
}

fn code_of(reason: &AcdRefusal) -> Code {
    match reason {
        AcdRefusal::BadCredentials => Code::Unauthorized,
        AcdRefusal::UnknownAgent { .. }
        | AcdRefusal::UnknownInstrument { .. }
        | AcdRefusal::BadQueue { .. }
        | AcdRefusal::UnknownCall { .. } => Code::NotFound,
        AcdRefusal::NotOnCall { .. } | AcdRefusal::WrongCallState { .. } => Code::InvalidObjectState,
        AcdRefusal::BadDestination { .. } => Code::InvalidDestination,
        AcdRefusal::Busy { .. } => Code::DestinationBusy,
        AcdRefusal::InstrumentInUse { .. } | AcdRefusal::AlreadyLoggedIn { .. } => Code::AgentLoggedIn,
        AcdRefusal::NotLoggedIn { .. } => Code::AgentNotLoggedIn,
        AcdRefusal::WrongState { .. } => Code::InvalidObjectState,
        AcdRefusal::BadValue { .. } | AcdRefusal::CallData(_) => Code::InvalidRequest,
        AcdRefusal::Congested { .. } | AcdRefusal::LinkDown => Code::Unavailable,
        AcdRefusal::ReasonRequired => Code::ReasonRequired,
        AcdRefusal::NotSupported { .. } => Code::NotSupported,
        AcdRefusal::TimedOut { .. } => Code::Timeout,
        _ => Code::GenericOperation,
    }
}
