//! The nouns and verbs that every dialect and every ACD share: agent, queue, event, request, refusal.
//!
//! Lives here: plain data with its rules. Not here: a wire type of any dialect or ACD, tokio, locks, clocks.
//! Must hold: a value of these types is valid; what came from outside was checked when it was made.

mod agent;
mod call;
mod call_command;
mod call_data;
mod client;
mod event;
mod filter;
mod identity;
mod ids;
mod request;
mod secret;
mod tally;
mod team;

pub use agent::{AgentFacts, AgentState, Queues, WantedState};
pub use call::{
    Call, CallCause, CallId, CallKey, CallKind, CallReport, CallStep, CallStepKind, Joined, Party, PartyKind,
    PartyState,
};
pub use call_command::{
    CallAbilities, CallAbility, CallCommand, CallOutcome, Connection, ConsultKind, FarEnd, Supervision, Tones,
};
pub use call_data::{CALL_VARIABLES, CallData, CallDataChange, CallDataError, CallDataValues};
pub use client::{LogoutOnCall, SecondClient};
pub use event::{AgentEvent, AgentReport, CallEvent, CorrectionEvent, Event, Heard, LinkEvent, PreCall, PreCallEvent};
pub use filter::{AgentStates, CallSteps, Filter};
pub use identity::{CLIENT_BYTES_MAX, Identity, OwnAgents, Permit, Role, Service};
pub use ids::{AgentId, AgentKey, IdError, Instrument, PeripheralId, QueueId, ReasonCode, SessionId};
pub use request::{Login, Logout, QueueChoice, StateChange};
pub use secret::{Password, Secret, SecretError};
pub use tally::Tally;
pub use team::{Team, TeamId, Teams};
