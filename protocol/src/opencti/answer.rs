//! What a request is answered with: `ok`, or status `Fail` with a message and a code. Not here: events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RequestId, Secret};

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Answer {
    /// A session is open.
    Welcome(Box<Welcome>),
    /// It is done. There is no status, and no property has changed.
    Ok(Ok),
    /// It is not done.
    Fail(Fail),
}

/// It is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ok {
    /// The request's.
    pub id: RequestId,
    /// Always true.
    #[schemars(extend("const" = true))]
    pub ok: bool,
}

/// It is not done, and nothing has changed unless the message says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fail {
    /// The request's; null if it could not be read.
    pub id: Option<RequestId>,
    /// Always `Fail`.
    #[serde(rename = "Status")]
    pub status: Status,
    /// Why, in words: which property, which value, which step.
    #[serde(rename = "StatusMessage")]
    pub status_message: String,
    /// Why, for programs.
    pub code: Code,
}

/// The one status that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Status {
    /// It is not done.
    Fail,
}

/// A session is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Welcome {
    /// The request's.
    pub id: RequestId,
    /// Always true.
    #[schemars(extend("const" = true))]
    pub ok: bool,
    /// The session's secret name, for `Hello.resume`.
    pub session: Secret,
    /// The version that is spoken: 1.
    #[schemars(extend("const" = 1))]
    pub protocol_version: u32,
    /// After a `resume`: whether every event that was missed follows. If not, some are lost, and Snapshot events show how
    /// things stand now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<bool>,
    /// After a `resume` that did not bring everything: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The `seq` of the event before the first one that follows.
    pub seq: u64,
    /// How often something is sent at least, in seconds: a client that hears nothing for twice that should connect anew.
    pub heartbeat_seconds: u64,
    /// How long a lost session can be taken up, in seconds.
    pub resume_seconds: u64,
    /// The ACDs behind the gateway.
    pub acds: Vec<Acd>,
    /// The reason-code catalogue.
    pub reason_codes: Vec<ReasonCode>,
    /// Whether `LogoutAgent` needs a reason code.
    pub logout_reason_required: bool,
    /// Whether `SetAgentNotReady` needs a reason code.
    pub not_ready_reason_required: bool,
}

/// One ACD.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Acd {
    /// Its number.
    pub acd: String,
    /// Whether it can be reached now.
    pub online: bool,
    /// What it can do.
    pub capabilities: Capabilities,
    /// The names of its queues.
    pub queues: Vec<String>,
}

/// What an ACD can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// After-call work can be asked for.
    pub after_call_work: bool,
    /// An agent can be logged out of some of its queues.
    pub partial_logout: bool,
    /// Calls can be controlled, all of it or some: what of it cannot be done is refused as not supported.
    pub call_control: bool,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReasonCode {
    /// Its number, which an ACD and other protocols know it by.
    pub code: u16,
    /// Its name, which `pyReasonCode` holds.
    pub name: String,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $wire:literal,)*) => {
        /// Why a request is not done. Those named OPENCTI_CF and OPENCTI_AGENT and the like are the source's own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum Code { $($(#[$doc])* #[serde(rename = $wire)] $variant,)* }

        impl Code {
            /// The code as it is written.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $wire,)* }
            }
        }
    };
}

codes! {
    /// The agent is logged in already, or works elsewhere, or the device is taken.
    AgentLoggedIn = "OPENCTI_AGENT_LOGGED_IN",
    /// The agent is in no queue, or not in one that was named.
    AgentNotLoggedIn = "OPENCTI_AGENT_NOT_LOGGED_IN",
    /// The agent is in the asked state already.
    InSameState = "OPENCTI_IN_SAME_STATE",
    /// What the agent is doing does not allow it.
    InvalidObjectState = "OPENCTI_CF_INVALID_OBJECT_STATE",
    /// The ACD refused.
    GenericOperation = "OPENCTI_CF_GENERIC_OPERATION",
    /// The number cannot be called.
    InvalidDestination = "OPENCTI_CF_INVALID_DESTINATION",
    /// The other end is busy.
    DestinationBusy = "OPENCTI_DEST_BUSY",
    /// Identity and secret, or agent id and password, do not match.
    Unauthorized = "OPENCTI_HTTP_ERROR_401",
    /// There is no such agent, device, queue, call or ACD.
    NotFound = "OPENCTI_HTTP_ERROR_404",
    /// Something inside the gateway failed.
    Internal = "OPENCTI_HTTP_ERROR_500",
    /// The ACD cannot be reached, too much waits for it, or the gateway cannot keep up.
    Unavailable = "OPENCTI_HTTP_ERROR_503",
    /// The ACD did not answer in time.
    Timeout = "OPENCTI_HTTP_ERROR_504",
    /// This gateway's own: the message is no request, or a property is not what it should be.
    InvalidRequest = "OPENCTI_INVALID_REQUEST",
    /// This gateway's own: no activity has that name.
    UnknownActivity = "OPENCTI_UNKNOWN_ACTIVITY",
    /// This gateway's own: the gateway, or the ACD behind it, cannot do that.
    NotSupported = "OPENCTI_NOT_SUPPORTED",
    /// This gateway's own: `Hello` comes first, and once.
    NoSession = "OPENCTI_NO_SESSION",
    /// This gateway's own: the session may not do that to this agent.
    NoRight = "OPENCTI_NO_RIGHT",
    /// This gateway's own: a reason code is needed and none was given.
    ReasonRequired = "OPENCTI_REASON_REQUIRED",
    /// This gateway's own: too many requests of this connection wait for their answer, or come in a second.
    TooManyRequests = "OPENCTI_TOO_MANY_REQUESTS",
    /// This gateway's own: as many sessions are open by that identity as may be.
    TooManySessions = "OPENCTI_TOO_MANY_SESSIONS",
    /// This gateway's own: the session carries as many agents and devices as it may.
    TooManySubscriptions = "OPENCTI_TOO_MANY_SUBSCRIPTIONS",
    /// This gateway's own: a logout of the agent is under way.
    LogoutUnderWay = "OPENCTI_LOGOUT_UNDER_WAY",
}

impl Answer {
    /// It is done.
    pub fn ok(id: RequestId) -> Answer {
        Answer::Ok(Ok { id, ok: true })
    }

    /// It is not done.
    pub fn fail(id: Option<RequestId>, code: Code, why: impl Into<String>) -> Answer {
        Answer::Fail(Fail { id, status: Status::Fail, status_message: why.into(), code })
    }
}
