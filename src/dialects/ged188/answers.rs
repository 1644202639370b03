//! What is said when a request is not done: which message, which code, and why in words.
//!
//! Not here: whether it is done. FAILURE_CONF is for what the gateway refuses, CONTROL_FAILURE_CONF for what the ACD or the
//! agent's state refuses.

use cti_protocol::ged188::codes::{ControlFailure, Status};
use cti_protocol::ged188::{AnyMessage, ControlFailureConf, DecodeError, FailureConf, FailureEvent, Text};

use super::names::ascii;
use crate::access::Denied;
use crate::acd::{AcdRefusal, BadField};
use crate::dialects::CloseReason;
use crate::observe::RequestResult;
use crate::operations::Refusal;

/// A refusal in the protocol's words.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum No {
    /// The gateway refuses.
    Failure { status: Status, why: String },
    /// The ACD or the agent's state refuses.
    Control { code: ControlFailure, peripheral_error: u32, why: String },
}

impl No {
    pub(super) fn failure(status: Status, why: impl Into<String>) -> No {
        No::Failure { status, why: why.into() }
    }

    pub(super) fn control(code: ControlFailure, why: impl Into<String>) -> No {
        No::Control { code, peripheral_error: 0, why: why.into() }
    }

    /// What a request is counted as that is refused so.
    pub(super) fn result(&self) -> RequestResult {
        match self {
            No::Control { code: ControlFailure::CF_OUTSTANDING_REQUEST_LIMIT_EXCEEDED, .. } => RequestResult::Congested,
            No::Control {
                code: ControlFailure::CF_RESOURCE_OUT_OF_SERVICE | ControlFailure::CF_REQUEST_TIMEOUT_REJECTION,
                ..
            }
            | No::Failure { status: Status::E_CTI_CTI_SERVER_OFFLINE | Status::E_CTI_UNSPECIFIED_FAILURE, .. } => {
                RequestResult::AcdFault
            }
            No::Failure { .. } | No::Control { .. } => RequestResult::ClientFault,
        }
    }

    /// Why, in words.
    pub(super) fn why(self) -> String {
        match self {
            No::Failure { why, .. } | No::Control { why, .. } => why,
        }
    }

    /// The message that says so; without the reason in words where the listener is told to leave it out.
    pub(super) fn message(self, invoke_id: u32, with_text: bool) -> AnyMessage {
        let text = |why: &str| with_text.then(|| Text::cut(&ascii(why)));
        match self {
            No::Failure { status, why } => {
                FailureConf { invoke_id, status, text: text(&why), ..Default::default() }.into()
            }
            No::Control { code: failure_code, peripheral_error: peripheral_error_code, why } => ControlFailureConf {
                invoke_id,
                failure_code,
                peripheral_error_code,
                text: text(&why),
                ..Default::default()
            }
            .into(),
        }
    }
}

/// The last word to a client whose session ends without its asking, where there is one.
pub(super) fn last_word(reason: &CloseReason, with_text: bool) -> Option<FailureEvent> {
    let status = match reason {
        CloseReason::Shutdown => Status::E_CTI_CTI_SERVER_OFFLINE,
        CloseReason::Replaced { .. } => Status::E_CTI_NEW_SESSION_OPENED,
        CloseReason::Revoked { .. } => Status::E_CTI_FUNCTION_NOT_AVAILABLE,
        CloseReason::Idle { .. } | CloseReason::NotOpened { .. } => Status::E_CTI_TIMEOUT,
        CloseReason::Impatient { .. } => Status::E_CTI_SESSION_NOT_OPEN,
        CloseReason::BrokenFraming(_) => Status::E_CTI_INVALID_MESSAGE_LENGTH,
        // Another side may have room, and so may this one later.
        CloseReason::TooManyConnections { .. } => Status::E_CTI_CTI_SERVER_OFFLINE,
        CloseReason::Flood { .. } => Status::E_CTI_TOO_MUCH_DATA,
        CloseReason::ClientClosed
        | CloseReason::ClientGone
        | CloseReason::Slow(_)
        | CloseReason::Stalled { .. }
        | CloseReason::DeadPeer(_)
        | CloseReason::Failed(_)
        | CloseReason::NoTls(_) => return None,
        // GED-188 has no such transport.
        CloseReason::TooBig { .. }
        | CloseReason::NotText
        | CloseReason::BrokenWebSocket(_)
        | CloseReason::HttpAnswered { .. }
        | CloseReason::BrokenHttp(_) => return None,
    };
    Some(FailureEvent { status, text: with_text.then(|| Text::cut(&ascii(&reason.to_string()))), ..Default::default() })
}

impl From<Denied> for No {
    fn from(denied: Denied) -> No {
        No::failure(Status::E_CTI_INVALID_PASSWORD, denied.to_string())
    }
}

impl From<DecodeError> for No {
    fn from(error: DecodeError) -> No {
        let status = match &error {
            DecodeError::FieldTooLong { field: "NamedVariable" | "NamedArray" | "CallWrapupData", .. } => {
                Status::E_CTI_VALUE_TOO_LONG
            }
            DecodeError::FieldTooLong { field, .. } if field.starts_with("CallVariable") => {
                Status::E_CTI_VALUE_TOO_LONG
            }
            DecodeError::FieldTooLong { .. } | DecodeError::WrongWidth { .. } => Status::E_CTI_INVALID_FIELD_LENGTH,
            _ => Status::E_CTI_BAD_MESSAGE_FORMAT,
        };
        No::failure(status, error.to_string())
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> No {
        let why = refusal.to_string();
        match &refusal {
            Refusal::UnknownPeripheral { .. } => No::failure(Status::E_CTI_INVALID_PERIPHERAL_ID, why),
            Refusal::Unanswered => No::failure(Status::E_CTI_UNSPECIFIED_FAILURE, why),
            Refusal::NoRight { .. } => No::failure(Status::E_CTI_FUNCTION_NOT_AVAILABLE, why),
            Refusal::NoRightAt { .. } => No::control(ControlFailure::CF_PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE, why),
            Refusal::NotOnCall { .. } => No::failure(Status::E_CTI_NOT_CALL_PARTY, why),
            Refusal::LinkDown { .. } => No::control(ControlFailure::CF_RESOURCE_OUT_OF_SERVICE, why),
            Refusal::Congested { .. } => No::control(ControlFailure::CF_RESOURCE_BUSY, why),
            Refusal::UnknownAgent { .. } => No::control(ControlFailure::CF_INVALID_AGENT_ID_SPECIFIED, why),
            Refusal::NotLoggedIn { .. } | Refusal::OnCall { .. } | Refusal::InThatState { .. } => {
                No::control(ControlFailure::CF_INVALID_OBJECT_STATE, why)
            }
            Refusal::NotInQueue { .. } => No::control(ControlFailure::CF_INVALID_SKILL_GROUP_SPECIFIED, why),
            Refusal::TooManyGuesses { .. } => {
                No::control(ControlFailure::CF_INVALID_AGENT_ID_OR_PASSWORD_SPECIFIED, why)
            }
            Refusal::LogoutUnderWay { .. } => No::control(ControlFailure::CF_DUPLICATE_INVOCATION_REJECTION, why),
            Refusal::Call { reason: AcdRefusal::CallData(error), .. } => error.clone().into(),
            // A device that is to call, not one to log in at.
            Refusal::Call { reason: AcdRefusal::UnknownInstrument { .. }, .. } => {
                No::control(ControlFailure::CF_INVALID_CSTA_DEVICE_IDENTIFIER, why)
            }
            Refusal::Acd { reason, .. } | Refusal::Adapter { reason, .. } | Refusal::Call { reason, .. } => {
                let (code, peripheral_error) = control_failure_of(reason);
                No::Control { code, peripheral_error, why }
            }
        }
    }
}

fn control_failure_of(reason: &AcdRefusal) -> (ControlFailure, u32) {
    let code = match reason {
        AcdRefusal::BadCredentials => ControlFailure::CF_INVALID_AGENT_ID_OR_PASSWORD_SPECIFIED,
        AcdRefusal::UnknownAgent { .. } => ControlFailure::CF_INVALID_AGENT_ID_SPECIFIED,
        AcdRefusal::UnknownInstrument { .. } => ControlFailure::CF_INVALID_LOGON_DEVICE_SPECIFIED,
        AcdRefusal::InstrumentInUse { .. } => ControlFailure::CF_SPECIFIED_EXTENSION_ALREADY_IN_USE,
        AcdRefusal::AlreadyLoggedIn { .. } => ControlFailure::CF_SPECIFIED_AGENT_ALREADY_SIGNED_ON,
        AcdRefusal::BadQueue { .. } => ControlFailure::CF_INVALID_SKILL_GROUP_SPECIFIED,
        AcdRefusal::NotLoggedIn { .. } | AcdRefusal::WrongState { .. } => ControlFailure::CF_INVALID_OBJECT_STATE,
        AcdRefusal::BadValue { field: BadField::Agent, .. } => ControlFailure::CF_INVALID_AGENT_ID_SPECIFIED,
        AcdRefusal::BadValue { field: BadField::Instrument, .. } => ControlFailure::CF_INVALID_LOGON_DEVICE_SPECIFIED,
        AcdRefusal::CallData(_) | AcdRefusal::BadValue { field: BadField::CallData, .. } => {
            ControlFailure::CF_VALUE_OUT_OF_RANGE
        }
        AcdRefusal::UnknownCall { .. } => ControlFailure::CF_INVALID_CSTA_CALL_IDENTIFIER,
        AcdRefusal::NotOnCall { .. } => ControlFailure::CF_INVALID_CSTA_CONNECTION_IDENTIFIER,
        AcdRefusal::WrongCallState { .. } => ControlFailure::CF_INVALID_OBJECT_STATE,
        AcdRefusal::BadDestination { .. } => ControlFailure::CF_INVALID_DESTINATION,
        AcdRefusal::Busy { .. } => ControlFailure::CF_RESOURCE_BUSY,
        AcdRefusal::Congested { .. } => ControlFailure::CF_RESOURCE_BUSY,
        AcdRefusal::ReasonRequired => ControlFailure::CF_REASON_CODE_REQUIRED,
        AcdRefusal::NotSupported { .. } => ControlFailure::CF_INVALID_FEATURE,
        AcdRefusal::LinkDown => ControlFailure::CF_RESOURCE_OUT_OF_SERVICE,
        AcdRefusal::TimedOut { .. } => ControlFailure::CF_REQUEST_TIMEOUT_REJECTION,
        AcdRefusal::Refused { code, .. } => return (ControlFailure::CF_GENERIC_OPERATION_REJECTION, *code),
    };
    (code, 0)
}
