//! What one connection may say, and whether it does: the protocol's promises as a state machine.
//!
//! Lives here: which answer belongs to which request, and when a subscription has ended. Not here: sockets, clocks,
//! counting.
//! Must hold: every message that comes is exactly one thing; every request is answered once.

use cti_protocol::ged188::AnyMessage;
use serde::Serialize;
use tokio::time::Instant;

/// The kinds of request that are measured apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Open,
    Login,
    Ready,
    NotReady,
    Query,
    MakeCall,
    /// No request: a call's event at who is called.
    Delivered,
    AnswerCall,
    /// The event of the answer at who has dialled.
    Established,
    ClearCall,
    /// The event of the end at who was called.
    Cleared,
    Logout,
    /// Asked politely at the end, not measured.
    Close,
}

impl Kind {
    /// Those with a row in the table where states are cycled.
    pub(super) const OF_STATES: &[Kind] =
        &[Kind::Open, Kind::Login, Kind::Ready, Kind::NotReady, Kind::Query, Kind::Logout];
    /// Those where calls are taken.
    pub(super) const OF_CALLS: &[Kind] = &[
        Kind::Open,
        Kind::Login,
        Kind::MakeCall,
        Kind::Delivered,
        Kind::AnswerCall,
        Kind::Established,
        Kind::ClearCall,
        Kind::Cleared,
        Kind::Logout,
    ];

    /// For people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Open => "open",
            Kind::Login => "login",
            Kind::Ready => "ready",
            Kind::NotReady => "not ready",
            Kind::Query => "query",
            Kind::MakeCall => "make call",
            Kind::Delivered => "→ delivered",
            Kind::AnswerCall => "answer",
            Kind::Established => "→ established",
            Kind::ClearCall => "clear",
            Kind::Cleared => "→ cleared",
            Kind::Logout => "logout",
            Kind::Close => "close",
        }
    }

    fn is_confirmed_by(self, message: &AnyMessage) -> bool {
        match self {
            Kind::Open => matches!(message, AnyMessage::OpenConf(_)),
            Kind::Query => matches!(message, AnyMessage::QueryAgentStateConf(_)),
            Kind::Close => matches!(message, AnyMessage::CloseConf(_)),
            Kind::MakeCall => matches!(message, AnyMessage::MakeCallConf(_)),
            Kind::AnswerCall => matches!(message, AnyMessage::AnswerCallConf(_)),
            Kind::ClearCall => matches!(message, AnyMessage::ClearConnectionConf(_)),
            Kind::Delivered | Kind::Established | Kind::Cleared => false,
            Kind::Login | Kind::Ready | Kind::NotReady | Kind::Logout => {
                matches!(message, AnyMessage::SetAgentStateConf(_))
            }
        }
    }
}

/// What no gateway may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Violation {
    /// A logout was confirmed, and an event of the subscription that it ended came behind the confirm.
    EventAfterLogout,
    /// An answer to nothing that was asked, or a second one.
    ConfirmForNoRequest,
    /// No answer within the deadline.
    NeverAnswered,
    /// A frame that is not GED-188 of the session's version.
    Undecodable,
    /// An answer that belongs to another kind of request.
    WrongAnswer,
    /// The connection ended without having been asked to.
    ClosedUnexpectedly,
}

impl Violation {
    /// For people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Violation::EventAfterLogout => "event of an ended subscription after the logout's confirm",
            Violation::ConfirmForNoRequest => "confirm for no request",
            Violation::NeverAnswered => "request never answered",
            Violation::Undecodable => "undecodable frame",
            Violation::WrongAnswer => "answer of the wrong type",
            Violation::ClosedUnexpectedly => "connection closed unexpectedly",
        }
    }
}

/// A request that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) kind: Kind,
    pub(super) invoke_id: u32,
    /// When it was to be sent: latencies begin here, however late it was sent.
    pub(super) due: Instant,
    /// When it must be answered.
    pub(super) deadline: Instant,
}

/// What a message was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// The confirm of that request.
    Confirmed(Asked),
    /// That request was refused with that code.
    Refused(Asked, String),
    /// An event of the subscription.
    Event,
    /// Something about the gateway itself, not about the agent.
    Notice,
    /// What may not be.
    Violation(Violation),
}

/// One connection's promises.
#[derive(Debug, Default)]
pub(super) struct Watch {
    asked: Option<Asked>,
    /// Between a logout's confirm and the next login.
    has_ended: bool,
}

impl Watch {
    /// A request is on its way; there is one at a time.
    pub(super) fn sends(&mut self, asked: Asked) {
        if asked.kind == Kind::Login {
            self.has_ended = false;
        }
        self.asked = Some(asked);
    }

    /// The request that waits, if one does.
    pub(super) fn asked(&self) -> Option<Asked> {
        self.asked
    }

    /// Judges what came.
    pub(super) fn hears(&mut self, message: &AnyMessage) -> Heard {
        if !is_answer(message) {
            return match is_of_a_subscription(message) {
                true if self.has_ended => Heard::Violation(Violation::EventAfterLogout),
                true => Heard::Event,
                false => Heard::Notice,
            };
        }
        let Some(asked) = self.asked.take_if(|asked| message.invoke_id() == Some(asked.invoke_id)) else {
            return Heard::Violation(Violation::ConfirmForNoRequest);
        };
        if let Some(code) = refusal_code(message) {
            return Heard::Refused(asked, code);
        }
        if !asked.kind.is_confirmed_by(message) {
            return Heard::Violation(Violation::WrongAnswer);
        }
        self.has_ended |= asked.kind == Kind::Logout;
        Heard::Confirmed(asked)
    }
}

fn is_answer(message: &AnyMessage) -> bool {
    message.name().is_some_and(|name| name.ends_with("_CONF"))
}

/// Whether an event is one that subscribers get. System events go to everybody.
fn is_of_a_subscription(message: &AnyMessage) -> bool {
    let name = message.name().unwrap_or_default();
    name.ends_with("_EVENT") && !matches!(message, AnyMessage::SystemEvent(_) | AnyMessage::FailureEvent(_))
}

/// The code that a refusal gives.
fn refusal_code(message: &AnyMessage) -> Option<String> {
    match message {
        AnyMessage::FailureConf(no) => Some(format!("{:?}", no.status)),
        AnyMessage::ControlFailureConf(no) => Some(format!("{:?}", no.failure_code)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use cti_protocol::ged188::codes::ControlFailure;
    use cti_protocol::ged188::{
        AgentStateEvent, ControlFailureConf, QueryAgentStateConf, SetAgentStateConf, SystemEvent,
    };

    use super::*;

    fn asked(kind: Kind, invoke_id: u32) -> Asked {
        let due = Instant::now();
        Asked { kind, invoke_id, due, deadline: due }
    }

    fn confirm(invoke_id: u32) -> AnyMessage {
        SetAgentStateConf { invoke_id, ..Default::default() }.into()
    }

    #[test]
    fn an_event_behind_a_logouts_confirm_breaks_the_promise_until_the_next_login() {
        let (mut watch, event) = (Watch::default(), AnyMessage::from(AgentStateEvent::default()));
        assert_eq!(watch.hears(&event), Heard::Event);
        watch.sends(asked(Kind::Logout, 1));
        assert_eq!(watch.hears(&event), Heard::Event, "the last event comes before the confirm");
        assert!(matches!(watch.hears(&confirm(1)), Heard::Confirmed(_)));
        assert_eq!(watch.hears(&event), Heard::Violation(Violation::EventAfterLogout));
        assert_eq!(watch.hears(&SystemEvent::default().into()), Heard::Notice, "the ACD's link is no subscription");
        watch.sends(asked(Kind::Login, 2));
        assert_eq!(watch.hears(&event), Heard::Event);
    }

    #[test]
    fn a_refused_logout_ends_nothing() {
        let mut watch = Watch::default();
        watch.sends(asked(Kind::Logout, 1));
        let failure_code = ControlFailure::CF_REASON_CODE_REQUIRED;
        let no = ControlFailureConf { invoke_id: 1, failure_code, ..Default::default() };
        match watch.hears(&no.into()) {
            Heard::Refused(asked, code) => {
                assert_eq!((asked.kind, code.as_str()), (Kind::Logout, "CF_REASON_CODE_REQUIRED"));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(watch.hears(&AgentStateEvent::default().into()), Heard::Event);
    }

    #[test]
    fn an_answer_is_due_once_and_to_its_own_request() {
        let mut watch = Watch::default();
        let stray = Heard::Violation(Violation::ConfirmForNoRequest);
        assert_eq!(watch.hears(&confirm(1)), stray);
        watch.sends(asked(Kind::Ready, 2));
        assert_eq!(watch.hears(&confirm(1)), stray);
        assert!(matches!(watch.hears(&confirm(2)), Heard::Confirmed(_)));
        assert_eq!(watch.hears(&confirm(2)), stray);
    }

    #[test]
    fn an_answer_of_another_kind_is_wrong() {
        let mut watch = Watch::default();
        watch.sends(asked(Kind::Ready, 1));
        let answer = QueryAgentStateConf { invoke_id: 1, ..Default::default() };
        assert_eq!(watch.hears(&answer.into()), Heard::Violation(Violation::WrongAnswer));
        assert_eq!(watch.asked(), None, "it was an answer all the same");
    }
}
