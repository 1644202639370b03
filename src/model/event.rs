//! What subscribers are told. Not here: how a dialect says it, and who wants to hear it.

use std::sync::Arc;
use std::time::Instant;

use super::{
    AgentFacts, AgentId, AgentState, Call, CallId, CallStep, Instrument, PeripheralId, QueueId, Queues, SessionId,
};

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// An agent changed.
    Agent(AgentEvent),
    /// A call is on its way to an agent, or no longer.
    PreCall(PreCallEvent),
    /// Something happened to a call.
    Call(CallEvent),
    /// What was told before was wrong, and was put right.
    Correction(CorrectionEvent),
}

impl Event {
    /// When the gateway read from the ACD what this tells, where that is what brought it about.
    pub fn read_at(&self) -> Option<Instant> {
        match self {
            Event::Agent(event) => event.read_at,
            Event::PreCall(event) => event.read_at,
            Event::Call(event) => event.read_at,
            Event::Correction(_) => None,
        }
    }
}

/// An audit found a difference between the table and the ACD. What is right is told by events of its own, before this one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CorrectionEvent {
    /// The ACD that knew better.
    pub peripheral: PeripheralId,
    /// The agent that it is about, if it is about one.
    pub agent: Option<AgentId>,
    /// The device that the agent works, or worked, at.
    pub instrument: Option<Instrument>,
    /// What was wrong, in words.
    pub text: String,
}

/// A step in a call's life, and who hears of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallEvent {
    /// The ACD that has the call.
    pub peripheral: PeripheralId,
    /// The call as it is after the step.
    pub call: Arc<Call>,
    /// What happened.
    pub step: CallStep,
    /// The call that the parties who hear of it were on before, where a transfer or conference brought them to this one.
    pub was: Option<CallId>,
    /// The call that they were told of before, where its data changed: what differs is what changed. None: all of it.
    pub before: Option<Arc<Call>>,
    /// The device that the step is seen from: the call's number and this name one connection.
    pub at: Instrument,
    /// Whether those hear of it who follow everything.
    pub to_all: bool,
    /// The parties whose followers hear of it: device, and the agent there.
    pub to: Vec<(Instrument, Option<AgentId>)>,
    /// When the gateway read from the ACD what this tells; none where it was not that that brought it about.
    pub read_at: Option<Instant>,
}

/// An agent entered a state, or its queues changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgentEvent {
    /// The ACD that says so.
    pub peripheral: PeripheralId,
    /// The state to show: that of `facts`, or the moment `LoggedIn` just before it.
    pub state: AgentState,
    /// What it is while no call makes it something else: the state before the call, where it is on one.
    pub idle: AgentState,
    /// The agent as it is now. A logged-out agent keeps here the instrument that it was logged in at.
    pub facts: AgentFacts,
    /// The queues that the agent has left with this change.
    pub left: Queues,
    /// The agent's own client session, if it has one.
    pub owner: Option<SessionId>,
    /// The client that brought it about, by its own name, where that is not the agent's own: a supervisor, or a bridge.
    pub by: Option<Arc<str>>,
    /// When the gateway read it from the ACD; none where it did not come from there.
    pub read_at: Option<Instant>,
}

/// A call announced to an agent, or the announcement taken back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PreCallEvent {
    /// The ACD that says so.
    pub peripheral: PeripheralId,
    /// The call and whom it is for.
    pub call: PreCall,
    /// True when the call will not come after all.
    pub aborted: bool,
    /// When the gateway read it from the ACD.
    pub read_at: Option<Instant>,
}

/// A call on its way to an agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PreCall {
    /// The agent that the call is offered to.
    pub agent: AgentId,
    /// Where it will ring.
    pub instrument: Instrument,
    /// The queue that it comes from.
    pub queue: QueueId,
    /// The call's key at the ACD: the day of its arrival and its number on that day.
    pub key: (u32, u32),
    /// The caller's number, if known.
    pub ani: Option<String>,
    /// The number that was dialled, if known.
    pub dialed_number: Option<String>,
    /// Where this stands in the ACD's own order of changes of the agent, as `AgentFacts::order`.
    pub order: u64,
}

/// What an ACD reports of one agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AgentReport {
    /// The agent changed.
    Facts(AgentFacts),
    /// A call is on its way to the agent.
    PreCall(PreCall),
    /// That call will not come after all.
    PreCallAbort(PreCall),
}

/// A report of one agent, and when the gateway read it from the ACD, where it came from there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard {
    /// What was reported.
    pub report: AgentReport,
    /// When it was read.
    pub read_at: Option<Instant>,
}

impl AgentReport {
    /// Where it stands in the ACD's own order of changes of the agent.
    pub fn order(&self) -> u64 {
        match self {
            AgentReport::Facts(facts) => facts.order,
            AgentReport::PreCall(call) | AgentReport::PreCallAbort(call) => call.order,
        }
    }

    /// The agent that it is about.
    pub fn agent(&self) -> &AgentId {
        match self {
            AgentReport::Facts(facts) => &facts.agent,
            AgentReport::PreCall(call) | AgentReport::PreCallAbort(call) => &call.agent,
        }
    }
}

/// The link to an ACD went, or came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkEvent {
    /// The ACD concerned.
    pub peripheral: PeripheralId,
    /// Whether it can be reached now.
    pub online: bool,
}
