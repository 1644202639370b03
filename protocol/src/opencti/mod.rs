//! OpenCTI, the protocol of CRM desktops such as Pega Call, as JSON: requests, answers, events, notices.
//!
//! Lives here: the messages, declared once each, and the JSON Schema that is made from them. One message is one JSON
//! object: a line of its own over TCP, a text message of its own over WebSocket. Not here: what a session may ask, and when
//! it is told what.
//! Source: Pega Call's public documentation (activities of 8.6 and 8.7, events' draft-06 schemas). Names beginning with `py`,
//! the activities' names and properties and their value sets are its own. The envelope (`id`, `ok`, `seq`, `time`, `acd`,
//! `queue`), `Hello`, `GetSnapshot`, `Heartbeat` and the notices are this gateway's: the source has no wire format.
//! Must hold: no input makes anything here panic; what cannot be read is refused with the names of property and problem.

mod answer;
mod event;
mod request;
mod schema;
mod server;

pub use answer::{Acd, Answer, Capabilities, Code, Fail, Ok, ReasonCode, Status, Welcome};
pub use event::{
    AgentEventName, AgentStateEvent, CallEventName, CallInfo, CallInfoEvent, CallStateEvent, CallType, DeviceState,
    Event, EventBody, LinkState, Media, Party, PartyInfo, PartyInfoEvent, SessionAgentState, Snapshot, SnapshotEvent,
    What, WorkMode,
};
pub use request::{
    Activity, AgentOptions, CloseAdapter, Dial, DropParty, Flaw, GetSnapshot, Heartbeat, Hello, LoginAgent,
    LogoutAgent, OfCall, OpenAdapter, ReasonPage, Request, RequestId, Resume, Secret, SendDtmf, SetAgentNotReady,
    SetAgentReady, SubscribeForEvents, UnSubscribeForEvents, Unreadable,
};
pub use schema::schema;
pub use server::{Notice, NoticeName, ServerMessage};

/// The version that `Hello` names.
pub const PROTOCOL_VERSION: u32 = 1;
