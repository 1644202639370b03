//! What a client asks: activities by name, with properties by name.
//!
//! Not here: whether it may. Must hold: a property that is not what it should be is named, with what was given.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Request {
    /// The client's own number or name for this request; its answer carries the same.
    pub id: RequestId,
    /// What is asked, with its properties beside the name.
    #[serde(flatten)]
    pub activity: Activity,
}

/// What a request is called by its client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RequestId {
    /// A number.
    Number(i64),
    /// A text of at most 128 bytes.
    Text(#[schemars(length(max = 128))] String),
}

/// The longest request id that is a text, in bytes.
const ID_BYTES_MAX: usize = 128;

macro_rules! activities {
    ($($(#[$doc:meta])* $wire:literal $name:ident($properties:ty),)*) => {
        /// Every activity, with its properties.
        #[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
        #[serde(tag = "activity")]
        pub enum Activity { $($(#[$doc])* #[serde(rename = $wire)] $name($properties),)* }

        impl Activity {
            /// The names of all activities.
            pub const NAMES: &[&str] = &[$($wire),*];

            /// The activity's name.
            pub fn name(&self) -> &'static str {
                match self { $(Activity::$name(_) => $wire,)* }
            }

            fn read(name: &str, text: &str) -> Option<Result<Activity, Flaw>> {
                match name { $($wire => Some(properties(text).map(Activity::$name)),)* _ => None }
            }
        }
    };
}

activities! {
    /// Opens a session; the first request of every connection.
    "Hello" Hello(Hello),
    /// Set-up before an agent logs in.
    "OpenAdapter" OpenAdapter(OpenAdapter),
    /// Clean-up after an agent has logged out.
    "CloseAdapter" CloseAdapter(CloseAdapter),
    /// Starts the events of one device.
    "SubscribeForEvents" SubscribeForEvents(SubscribeForEvents),
    /// Stops the events of one device.
    "UnSubscribeForEvents" UnSubscribeForEvents(UnSubscribeForEvents),
    /// Logs an agent in, and starts the events of its device.
    "LoginAgent" LoginAgent(LoginAgent),
    /// Logs an agent out, closes its adapter, and stops the events of its device.
    "LogoutAgent" LogoutAgent(LogoutAgent),
    /// Makes an agent reachable.
    "SetAgentReady" SetAgentReady(SetAgentReady),
    /// Stops offering calls to an agent.
    "SetAgentNotReady" SetAgentNotReady(SetAgentNotReady),
    /// Has a Snapshot event of one agent sent.
    "GetSnapshot" GetSnapshot(GetSnapshot),
    /// Does nothing: for a client that promised to be heard now and then.
    "Heartbeat" Heartbeat(Heartbeat),
    /// Answers the call that rings.
    "answerCall" AnswerCall(OfCall),
    /// Puts a call on hold.
    "holdCall" HoldCall(OfCall),
    /// Takes a call off hold.
    "retrieveCall" RetrieveCall(OfCall),
    /// Releases the call that is talked on, or rings, or is being made.
    "hangUpCall" HangUpCall(OfCall),
    /// Calls a number.
    "makeCall" MakeCall(Dial),
    /// Holds the call and asks somebody else about it.
    "consultationCall" ConsultationCall(Dial),
    /// The same, to transfer the call then.
    "transferInitiate" TransferInitiate(Dial),
    /// Leaves the call that waits to who was asked.
    "transferComplete" TransferComplete(OfCall),
    /// Leaves the call to somebody who is not asked before.
    "blindTransfer" BlindTransfer(Dial),
    /// As consultationCall, to make a conference then.
    "conferenceInitiate" ConferenceInitiate(Dial),
    /// Makes one call of the one that waits and the one that is talked on.
    "conferenceComplete" ConferenceComplete(OfCall),
    /// Brings somebody in who is not asked before.
    "conferenceCall" ConferenceCall(Dial),
    /// Sends another party of the call away.
    "dropParty" DropParty(DropParty),
    /// Sends tones.
    "sendDTMF" SendDtmf(SendDtmf),
}

/// Opens a session, or takes up one whose connection was lost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The version of this protocol that the client speaks: 1.
    #[schemars(extend("const" = 1))]
    pub protocol_version: u32,
    /// Who the client is: the id of a configured client.
    #[schemars(length(min = 1))]
    pub identity: String,
    /// That client's secret; may be left out where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// The session to take up.
    #[serde(default, deserialize_with = "page", skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
    /// The client promises to be heard at least so often, in seconds: a session that is not is ended. None if left out: then
    /// only a peer that does not answer at TCP's level is.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout_seconds: Option<u32>,
}

/// The session to take up, and how far its client had got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resume {
    /// `session` of the answer that opened it.
    pub session: Secret,
    /// The `seq` of the last event that the client has seen; 0 if it has seen none.
    pub seq: u64,
}

/// Set-up before an agent logs in. Asking again is harmless.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenAdapter {
    /// The agent; left out, there is nothing to check.
    #[serde(rename = "AgentID", default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The ACD that the agent belongs to, by its number; left out, the one that has the agent.
    #[serde(rename = "Acd", default, skip_serializing_if = "Option::is_none")]
    pub acd: Option<String>,
}

/// Clean-up after an agent has logged out. Asking again is harmless.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CloseAdapter {
    /// The agent; left out, there is nothing to check.
    #[serde(rename = "AgentID", default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The ACD that the agent belongs to, by its number; left out, the one that has the agent.
    #[serde(rename = "Acd", default, skip_serializing_if = "Option::is_none")]
    pub acd: Option<String>,
}

/// Starts the events of one device; a Snapshot of the agent who works there comes first. Asking again is harmless.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubscribeForEvents {
    /// The device.
    #[serde(rename = "DN")]
    #[schemars(length(min = 1))]
    pub dn: String,
    /// The agent who works there: needed, with the password, by clients that may not command every agent.
    #[serde(rename = "AgentID", default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// That agent's password.
    #[serde(rename = "AgentPassword", default, skip_serializing_if = "Option::is_none")]
    pub agent_password: Option<Secret>,
    /// The ACD that the device belongs to, by its number; left out, the agent's, or the first.
    #[serde(rename = "Acd", default, skip_serializing_if = "Option::is_none")]
    pub acd: Option<String>,
}

/// Stops the events of one device. Asking again is harmless.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnSubscribeForEvents {
    /// The device; left out, that of the agent.
    #[serde(rename = "DN", default, skip_serializing_if = "Option::is_none")]
    pub dn: Option<String>,
    /// The agent.
    #[serde(rename = "AgentID", default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The ACD that the device belongs to, by its number; left out, the agent's, or the first.
    #[serde(rename = "Acd", default, skip_serializing_if = "Option::is_none")]
    pub acd: Option<String>,
}

/// Logs an agent in, and starts the events of its device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoginAgent {
    /// The agent's id in the ACD.
    #[serde(rename = "AgentID")]
    #[schemars(length(min = 1))]
    pub agent_id: String,
    /// The agent's password in the ACD, which may not check it.
    #[serde(rename = "AgentPassword")]
    pub agent_password: Secret,
    /// The queues to join, by name or number, with commas between them; blank leaves the choice to the ACD.
    #[serde(rename = "Queue", default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Taken and not needed: a login has no reason.
    #[serde(rename = "AgentOptions", default, deserialize_with = "page", skip_serializing_if = "Option::is_none")]
    pub agent_options: Option<AgentOptions>,
    /// The device to work at; blank leaves the choice to the gateway.
    #[serde(rename = "DN", alias = "extension", alias = "Extension", default, skip_serializing_if = "Option::is_none")]
    pub dn: Option<String>,
    /// The ACD that the agent belongs to, by its number; left out, the one that has the agent, or the first.
    #[serde(rename = "Acd", default, skip_serializing_if = "Option::is_none")]
    pub acd: Option<String>,
}

/// Logs an agent out, closes its adapter, and stops the events of its device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogoutAgent {
    /// The agent's id in the ACD.
    #[serde(rename = "AgentID")]
    #[schemars(length(min = 1))]
    pub agent_id: String,
    /// The queues to leave, by name or number, with commas between them; blank leaves the choice to the ACD.
    #[serde(rename = "Queue", default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Why.
    #[serde(rename = "AgentOptions", default, deserialize_with = "page", skip_serializing_if = "Option::is_none")]
    pub agent_options: Option<AgentOptions>,
    /// The ACD that the agent belongs to, by its number; left out, the one that has the agent.
    #[serde(rename = "Acd", default, skip_serializing_if = "Option::is_none")]
    pub acd: Option<String>,
}

/// Makes an agent reachable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SetAgentReady {
    /// The agent's id in the ACD.
    #[serde(rename = "AgentID")]
    #[schemars(length(min = 1))]
    pub agent_id: String,
    /// Where given, queues that the agent is in: an agent is ready in all its queues or in none.
    #[serde(rename = "Queue", default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Taken and not needed: the ACD decides what comes after a call.
    #[serde(rename = "WorkMode", default, skip_serializing_if = "Option::is_none")]
    pub work_mode: Option<String>,
    /// The ACD that the agent belongs to, by its number; left out, the one that has the agent.
    #[serde(rename = "Acd", default, skip_serializing_if = "Option::is_none")]
    pub acd: Option<String>,
}

/// Stops offering calls to an agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SetAgentNotReady {
    /// The agent's id in the ACD.
    #[serde(rename = "AgentID")]
    #[schemars(length(min = 1))]
    pub agent_id: String,
    /// Where given, queues that the agent is in: an agent is not ready in all its queues or in none.
    #[serde(rename = "Queue", default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Why.
    #[serde(rename = "AgentOptions", default, deserialize_with = "page", skip_serializing_if = "Option::is_none")]
    pub agent_options: Option<AgentOptions>,
    /// `AFTER_CALL_WORK` (or `ACW`) asks for after-call work; anything else for not ready.
    #[serde(rename = "WorkMode", default, skip_serializing_if = "Option::is_none")]
    pub work_mode: Option<String>,
    /// The ACD that the agent belongs to, by its number; left out, the one that has the agent.
    #[serde(rename = "Acd", default, skip_serializing_if = "Option::is_none")]
    pub acd: Option<String>,
}

/// Has a Snapshot event of one agent sent, before the answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GetSnapshot {
    /// The agent's id in the ACD.
    #[serde(rename = "AgentID")]
    #[schemars(length(min = 1))]
    pub agent_id: String,
    /// The ACD that the agent belongs to, by its number; left out, the one that has the agent.
    #[serde(rename = "Acd", default, skip_serializing_if = "Option::is_none")]
    pub acd: Option<String>,
}

/// Does nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Heartbeat {}

/// Something that is done with a call of a device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OfCall {
    /// The call, by the `pyCallId` of its events; blank, the one of the device's calls that the activity can be about.
    #[serde(rename = "CallID", alias = "CallId", alias = "callId", default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// The call that waits on hold, where two are meant; blank, the device's one. holdCall takes either name for its call.
    #[serde(rename = "HeldCallId", alias = "heldCallId", default, skip_serializing_if = "Option::is_none")]
    pub held_call_id: Option<String>,
    /// The device whose call it is; blank, the agent's.
    #[serde(rename = "DN", alias = "dn", default, skip_serializing_if = "Option::is_none")]
    pub dn: Option<String>,
    /// The agent at the device; where neither is given, the session's one agent.
    #[serde(rename = "AgentID", alias = "agentId", default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The ACD that has the call, by its number; left out, the one that has the agent, or the first.
    #[serde(rename = "Acd", default, skip_serializing_if = "Option::is_none")]
    pub acd: Option<String>,
}

/// A number is called; all but makeCall do it for a call that is there. The call that comes about carries the data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dial {
    /// The number.
    #[serde(rename = "Destination", alias = "destination")]
    #[schemars(length(min = 1))]
    pub destination: String,
    /// The call, by the `pyCallId` of its events; blank, the one of the device's calls that the activity can be about.
    #[serde(rename = "CallID", alias = "CallId", alias = "callId", default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// The device whose call it is; blank, the agent's.
    #[serde(rename = "DN", alias = "dn", default, skip_serializing_if = "Option::is_none")]
    pub dn: Option<String>,
    /// The agent at the device; where neither is given, the session's one agent.
    #[serde(rename = "AgentID", alias = "agentId", default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The ACD that has the call, by its number; left out, the one that has the agent, or the first.
    #[serde(rename = "Acd", default, skip_serializing_if = "Option::is_none")]
    pub acd: Option<String>,
    /// CallVariable1 to CallVariable10, in their order; null leaves one as it is.
    #[serde(rename = "pyCallVariables", default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub call_variables: Vec<Option<String>>,
    /// Named variables (ECC); an element of an array is named `name[3]`.
    #[serde(rename = "pyNamedVariables", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub named_variables: BTreeMap<String, String>,
    /// User-to-user information, as a text.
    #[serde(rename = "pyApplicationData", default, skip_serializing_if = "Option::is_none")]
    pub application_data: Option<String>,
}

/// Another party of a call is sent away.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DropParty {
    /// The device, by the `pyDN` of PartyInfoEvent.
    #[serde(rename = "Party", alias = "PartyToRemove")]
    #[schemars(length(min = 1))]
    pub party: String,
    /// The call, by the `pyCallId` of its events; blank, the one of the device's calls that the activity can be about.
    #[serde(rename = "CallID", alias = "CallId", alias = "callId", default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// The device whose call it is; blank, the agent's.
    #[serde(rename = "DN", alias = "dn", default, skip_serializing_if = "Option::is_none")]
    pub dn: Option<String>,
    /// The agent at the device; where neither is given, the session's one agent.
    #[serde(rename = "AgentID", alias = "agentId", default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The ACD that has the call, by its number; left out, the one that has the agent, or the first.
    #[serde(rename = "Acd", default, skip_serializing_if = "Option::is_none")]
    pub acd: Option<String>,
}

/// Tones are sent on the call that is talked on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SendDtmf {
    /// What to send: `0`-`9`, `*`, `#`, `A`-`D`.
    #[serde(rename = "Digits", alias = "digits")]
    #[schemars(length(min = 1))]
    pub digits: String,
    /// The call, by the `pyCallId` of its events; blank, the one of the device's calls that the activity can be about.
    #[serde(rename = "CallID", alias = "CallId", alias = "callId", default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// The device whose call it is; blank, the agent's.
    #[serde(rename = "DN", alias = "dn", default, skip_serializing_if = "Option::is_none")]
    pub dn: Option<String>,
    /// The agent at the device; where neither is given, the session's one agent.
    #[serde(rename = "AgentID", alias = "agentId", default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The ACD that has the call, by its number; left out, the one that has the agent, or the first.
    #[serde(rename = "Acd", default, skip_serializing_if = "Option::is_none")]
    pub acd: Option<String>,
}

/// The page of options that an agent's request carries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentOptions {
    /// Why: a name or number of the reason-code catalogue.
    #[serde(rename = "pyReasonCode", default, skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// The same, one page deeper, as the source writes it: `AgentOptions.pyOpenCTI.pyReasonCode`.
    #[serde(rename = "pyOpenCTI", default, deserialize_with = "page", skip_serializing_if = "Option::is_none")]
    pub open_cti: Option<ReasonPage>,
}

/// The page in `AgentOptions` that holds the reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReasonPage {
    /// Why.
    #[serde(rename = "pyReasonCode", default, skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
}

impl AgentOptions {
    /// The reason, wherever it stands; none if it is blank.
    pub fn reason(&self) -> Option<&str> {
        let deeper = || self.open_cti.as_ref()?.reason_code.as_deref();
        self.reason_code
            .as_deref()
            .filter(|reason| !reason.is_empty())
            .or_else(deeper)
            .filter(|reason| !reason.is_empty())
    }
}

/// A text that is never printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one who checks it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A request that cannot be read, with its id as far as that could be.
#[derive(Clone, Debug, PartialEq)]
pub struct Unreadable {
    /// The request's id, if it has a good one.
    pub id: Option<RequestId>,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// No JSON object.
    #[error("the request is no JSON object: {what}")]
    Json {
        /// What the parser says, with the column.
        what: String,
    },
    /// Without an id, or with one that is none.
    #[error("id: {what}")]
    Id {
        /// What is wrong with it.
        what: String,
    },
    /// Without an activity, or with one that is none.
    #[error("activity: {what}")]
    NoActivity {
        /// What is wrong with it.
        what: String,
    },
    /// No activity has that name.
    #[error("activity {name:?} is not known")]
    UnknownActivity {
        /// The name.
        name: String,
    },
    /// A property is missing or not what it should be.
    #[error("{property}{what}")]
    Property {
        /// Which, with `: ` behind it; empty where `what` says it.
        property: String,
        /// What is wrong with it.
        what: String,
    },
}

impl Request {
    /// Reads one message.
    pub fn read(text: &str) -> Result<Request, Unreadable> {
        let nameless = |flaw| Unreadable { id: None, flaw };
        let Object(envelope): Object<Envelope> =
            serde_json::from_str(text).map_err(|error| nameless(Flaw::Json { what: not_an_object(&error) }))?;
        let id = envelope.id().map_err(nameless)?;
        let named = |flaw| Unreadable { id: Some(id.clone()), flaw };
        let name = envelope.activity().map_err(named)?;
        if let Some(read) = Activity::read(&name, text) {
            let activity = read.map_err(named)?;
            return Ok(Request { id, activity });
        }
        Err(named(Flaw::UnknownActivity { name: shortened(&name) }))
    }
}

/// What every request has. Numbers and texts alike are taken here, to say of a wrong one what it is.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    id: Option<serde_json::Value>,
    #[serde(default)]
    activity: Option<serde_json::Value>,
}

impl Envelope {
    fn id(&self) -> Result<RequestId, Flaw> {
        let what = match &self.id {
            None => "it is missing".to_owned(),
            Some(serde_json::Value::String(text)) if text.len() <= ID_BYTES_MAX => {
                return Ok(RequestId::Text(text.clone()));
            }
            Some(serde_json::Value::String(text)) => {
                format!("it has {} bytes, {ID_BYTES_MAX} are allowed", text.len())
            }
            Some(value) => match value.as_i64() {
                Some(number) => return Ok(RequestId::Number(number)),
                None => format!("{} is neither a text nor a whole number of 64 bits", scalar(value)),
            },
        };
        Err(Flaw::Id { what })
    }

    fn activity(&self) -> Result<String, Flaw> {
        match &self.activity {
            Some(serde_json::Value::String(name)) => Ok(name.clone()),
            None => Err(Flaw::NoActivity { what: "it is missing".to_owned() }),
            Some(other) => Err(Flaw::NoActivity { what: format!("{} is no text", scalar(other)) }),
        }
    }
}

fn properties<T: DeserializeOwned>(text: &str) -> Result<T, Flaw> {
    let read = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text));
    read.map(|Object(properties)| properties).map_err(|error: serde_path_to_error::Error<serde_json::Error>| {
        let path = error.path().to_string();
        let is_secret = SECRETS.iter().any(|secret| path.ends_with(secret));
        let what =
            if is_secret { "it is not what it should be".to_owned() } else { shortened(&error.inner().to_string()) };
        let property = if path == "." { String::new() } else { format!("{path}: ") };
        Flaw::Property { property, what }
    })
}

/// A JSON object: a struct alone would be read from an array as well, by the order of its fields.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Object<T>, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
            }
        }
        input.deserialize_map(Fields(PhantomData))
    }
}

fn page<'de, D: Deserializer<'de>, T: Deserialize<'de>>(input: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<Object<T>>::deserialize(input)?.map(|Object(page)| page))
}

/// The properties whose values are told back to nobody.
const SECRETS: [&str; 4] = ["secret", "session", "resume", "AgentPassword"];

/// What the parser says; of a text that is no object, only that: it may be a secret in the wrong place.
fn not_an_object(error: &serde_json::Error) -> String {
    let words = error.to_string();
    match error.is_data() && !words.starts_with("duplicate field") {
        true => "it is another kind of value".to_owned(),
        false => shortened(&words),
    }
}

/// A number as it is; of an object or array, only that it is one.
fn scalar(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(_) => "an object".to_owned(),
        serde_json::Value::Array(_) => "an array".to_owned(),
        value => shortened(&value.to_string()),
    }
}

/// What a client sent is told back to it in part only.
fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 160;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
