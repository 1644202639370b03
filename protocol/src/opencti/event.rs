//! What a client is told without asking. Not here: to whom, and when.
//!
//! The names beginning with `py` and their values are the source's; `pyAgentId` and `pyThisDN` stand in more events than
//! there, since one connection may carry many agents.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One event of a session. Its bytes are `{"seq":N,` and the body's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub struct Event {
    /// Counts the events of this session from 1, without a gap.
    #[schemars(range(min = 1))]
    pub seq: u64,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

impl Event {
    /// Writes an event whose body was written once for many sessions: the same bytes as the event's own serialization.
    pub fn splice(seq: u64, body: &[u8], out: &mut impl bytes::BufMut) {
        let mut digits = [0; 20]; // of the largest u64
        let mut at = digits.len();
        let mut rest = seq;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        out.put_slice(b"{\"seq\":");
        out.put_slice(&digits[at..]);
        out.put_u8(b',');
        out.put_slice(body.strip_prefix(b"{").unwrap_or(body));
    }
}

/// An event but for its number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventBody {
    /// When, by the gateway's clock: RFC 3339 in UTC, with milliseconds.
    #[schemars(extend("format" = "date-time"))]
    pub time: String,
    /// The ACD that it is about, by its number.
    pub acd: String,
    /// The queues that it is about, as a request's `Queue` takes them: names with commas between them.
    pub queue: String,
    /// What kind of event, with that kind's own fields beside it.
    #[serde(flatten)]
    pub what: What,
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "pyEventType")]
pub enum What {
    /// How an agent stands: after its login, before the answer to its logout, after a reconnect, when the link to the ACD
    /// goes or comes, and on request.
    SnapshotEvent(SnapshotEvent),
    /// An agent entered a state.
    AgentStateEvent(AgentStateEvent),
    /// A call entered a state.
    CallStateEvent(CallStateEvent),
    /// Who is on a call.
    PartyInfoEvent(PartyInfoEvent),
    /// What is known of a call.
    CallInfoEvent(CallInfoEvent),
}

/// How an agent stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotEvent {
    /// Always `Snapshot`.
    #[serde(rename = "pyEventName")]
    pub event_name: Snapshot,
    /// The medium.
    #[serde(rename = "pyMedia")]
    pub media: Media,
    /// The agent; empty when no agent works at the device.
    #[serde(rename = "pyAgentId")]
    pub agent_id: String,
    /// The device that the agent works at, or worked at last; empty when that is not known.
    #[serde(rename = "pyThisDN")]
    pub this_dn: String,
    /// What the agent is doing.
    #[serde(rename = "pyAgentState")]
    pub agent_state: SessionAgentState,
    /// Whether the agent's adapter is open.
    #[serde(rename = "pyDeviceState")]
    pub device_state: DeviceState,
    /// Whether the ACD can be reached.
    #[serde(rename = "pyLinkState")]
    pub link_state: LinkState,
    /// Why not ready or logged out; empty when there is no reason.
    #[serde(rename = "pyReasonCode")]
    pub reason_code: String,
    /// What the agent is doing, more closely.
    #[serde(rename = "pyWorkMode")]
    pub work_mode: WorkMode,
    /// Why this was sent, when it is not the answer to something: another client took the agent over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// An agent entered a state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentStateEvent {
    /// The state. Of an agent on a call it is the one before and after the call, and `pyWorkMode` is `BUSY`.
    #[serde(rename = "pyEventName")]
    pub event_name: AgentEventName,
    /// The medium.
    #[serde(rename = "pyMedia")]
    pub media: Media,
    /// The agent.
    #[serde(rename = "pyAgentId")]
    pub agent_id: String,
    /// The device that the agent works at, or worked at last.
    #[serde(rename = "pyThisDN")]
    pub this_dn: String,
    /// Why not ready or logged out; empty when there is no reason.
    #[serde(rename = "pyReasonCode")]
    pub reason_code: String,
    /// What the agent is doing, more closely.
    #[serde(rename = "pyWorkMode")]
    pub work_mode: WorkMode,
}

/// A call entered a state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallStateEvent {
    /// The state.
    #[serde(rename = "pyEventName")]
    pub event_name: CallEventName,
    /// The medium.
    #[serde(rename = "pyMedia")]
    pub media: Media,
    /// The caller's number; empty when it is not known.
    #[serde(rename = "pyANI")]
    pub ani: String,
    /// The call.
    #[serde(rename = "pyCallId")]
    pub call_id: String,
    /// What kind of call.
    #[serde(rename = "pyCallType")]
    pub call_type: CallType,
    /// The other party's number; empty when it is not known.
    #[serde(rename = "pyOtherDN")]
    pub other_dn: String,
    /// The agent.
    #[serde(rename = "pyAgentId")]
    pub agent_id: String,
    /// The agent's device.
    #[serde(rename = "pyThisDN")]
    pub this_dn: String,
}

/// Who is on a call: the whole list anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartyInfoEvent {
    /// Always `PartyInfo`.
    #[serde(rename = "pyEventName")]
    pub event_name: PartyInfo,
    /// The medium.
    #[serde(rename = "pyMedia")]
    pub media: Media,
    /// The call.
    #[serde(rename = "pyCallId")]
    pub call_id: String,
    /// The agent; empty when no agent works at the device.
    #[serde(rename = "pyAgentId")]
    pub agent_id: String,
    /// The agent's device.
    #[serde(rename = "pyThisDN")]
    pub this_dn: String,
    /// Everybody on the call.
    #[serde(rename = "pyParties")]
    pub parties: Vec<Party>,
}

/// Somebody on a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Party {
    /// The device.
    #[serde(rename = "pyDN")]
    pub dn: String,
}

/// What travels with a call. The source names this event; its fields are those of the source's call data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallInfoEvent {
    /// Always `CallInfo`.
    #[serde(rename = "pyEventName")]
    pub event_name: CallInfo,
    /// The medium.
    #[serde(rename = "pyMedia")]
    pub media: Media,
    /// The call.
    #[serde(rename = "pyCallId")]
    pub call_id: String,
    /// The agent; empty when no agent works at the device.
    #[serde(rename = "pyAgentId")]
    pub agent_id: String,
    /// The agent's device.
    #[serde(rename = "pyThisDN")]
    pub this_dn: String,
    /// The number that was dialled; empty when it is not known.
    #[serde(rename = "pyDNIS")]
    pub dnis: String,
    /// CallVariable1 to CallVariable10, in their order; null is one that was never set.
    #[serde(rename = "pyCallVariables")]
    #[schemars(length(min = 10, max = 10))]
    pub call_variables: Vec<Option<String>>,
    /// Named variables (ECC); an element of an array is named `name[3]`.
    #[serde(rename = "pyNamedVariables")]
    pub named_variables: BTreeMap<String, String>,
    /// User-to-user information, as a text; bytes that are none are written in hexadecimal behind `0x`.
    #[serde(rename = "pyApplicationData", default, skip_serializing_if = "Option::is_none")]
    pub application_data: Option<String>,
    /// What an agent wrote of the call in after-call work.
    #[serde(rename = "pyWrapUpData", default, skip_serializing_if = "Option::is_none")]
    pub wrap_up_data: Option<String>,
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident $(= $wire:literal)?,)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$value_doc])* $(#[serde(rename = $wire)])? $value,)* }
    )* };
}

names! {
    /// The name of a SnapshotEvent.
    Snapshot { /// The only one.
        Snapshot, }
    /// The name of a PartyInfoEvent.
    PartyInfo { /// The only one.
        PartyInfo, }
    /// The name of a CallInfoEvent.
    CallInfo { /// The only one.
        CallInfo, }
    /// The medium of an agent or call.
    Media { /// Telephony; the source does not say how it writes it.
        Voice = "voice", }
    /// An agent's state in a SnapshotEvent.
    SessionAgentState {
        /// Waiting for a call.
        Ready,
        /// Offered no calls.
        NotReady,
        /// Just logged in.
        Login,
        /// In no queue.
        Logout,
        /// On a call, or one is being offered.
        Busy,
        /// The ACD does not say.
        Unknown,
    }
    /// An agent's state in an AgentStateEvent.
    AgentEventName {
        /// Offered calls.
        Ready,
        /// Offered no calls.
        NotReady,
        /// Just logged in.
        Login,
        /// In no queue.
        Logout,
        /// The ACD does not say.
        Unknown,
    }
    /// What an agent is doing, more closely.
    WorkMode {
        /// Nothing to say.
        None = "MODE_NONE",
        /// Ready, and again after each call.
        AutoIn = "MODE_AUTO_IN",
        /// Ready, and in after-call work after each call.
        ManualIn = "MODE_MANUAL_IN",
        /// In after-call work.
        Acw = "ACW",
        /// On a call, or one is being offered.
        Busy = "BUSY",
        /// Not ready.
        AuxWork = "AUX_WORK",
    }
    /// Whether an agent's adapter is open.
    DeviceState {
        /// It is.
        Opened = "OPENED",
        /// It is not.
        Closed = "CLOSED",
    }
    /// Whether the ACD can be reached.
    LinkState {
        /// It can.
        Connected = "CONNECTED",
        /// It cannot.
        Disconnected = "DISCONNECTED",
    }
    /// What happened to a call.
    CallEventName {
        /// The caller hung up before an answer.
        Abandoned,
        /// It rings, or is about to.
        Alerting,
        /// The source's own, which does not say how it differs from Established: this gateway does not send it.
        Connected,
        /// Over for this device.
        Disconnected,
        /// The parties can speak.
        Established,
        /// On hold.
        Held,
        /// Being made.
        Initiated,
        /// Back from hold.
        Retrieved,
    }
    /// What kind of call.
    CallType {
        /// From outside, or from a queue.
        Inbound = "INBOUND",
        /// To outside.
        Outbound = "OUTBOUND",
        /// Between two devices of the ACD.
        Internal = "INTERNAL",
        /// Consultation and transferred calls.
        Consult = "CONSULT",
        /// Not known.
        Unknown = "UNKNOWN",
    }
}
