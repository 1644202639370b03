//! What clients ask and hear, in words that both protocols share.
//!
//! Not here: bytes (`desk`, `crm`), and what must hold of it (`watch`).

use ctigate::model::{AgentFacts, AgentState};

/// What a client asks.
#[derive(Clone, PartialEq, Debug)]
pub enum Ask {
    Open(Opening),
    LogIn {
        agent: String,
        device: String,
        queues: Vec<u32>,
        forced: bool,
        with_password: bool,
    },
    LogOut {
        agent: String,
        queues: Vec<u32>,
        reason: u16,
        forced: bool,
    },
    Ready {
        agent: String,
    },
    NotReady {
        agent: String,
        reason: u16,
    },
    Query {
        agent: String,
    },
    /// GED-188: a monitor of a device or an agent.
    Monitor {
        of: Target,
    },
    StopMonitor {
        id: u32,
    },
    /// OpenCTI: the events of a device.
    Subscribe {
        device: String,
    },
    Unsubscribe {
        device: String,
    },
    OfCall {
        what: CallAsk,
        call: u32,
        device: String,
    },
    Heartbeat,
    /// Something that is refused in any case.
    Nonsense,
    Close,
}

/// What is done with a call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum CallAsk {
    Answer,
    Hold,
    Retrieve,
    HangUp,
}

/// How a session is opened.
#[derive(Clone, PartialEq, Debug)]
pub enum Opening {
    /// GED-188: an agent's own desktop.
    Desktop { client: String, agent: String, supervises: bool },
    /// GED-188: sees and commands everybody.
    Bridge { client: String },
    /// OpenCTI.
    Fresh,
    /// OpenCTI: the session whose connection was lost, by its place among all sessions, from that event on.
    Resume { session: usize, seen: u64 },
}

/// What a subscription is about.
#[derive(Clone, PartialEq, Debug)]
pub enum Target {
    All,
    Agent(String),
    Device(String),
}

/// What a client hears.
#[derive(Clone, PartialEq, Debug)]
pub enum Heard {
    /// An answer. `names`: the monitor or session that it brings.
    Answer {
        id: u32,
        is_ok: bool,
        brings: Option<Brings>,
        why: String,
    },
    /// An agent stands so.
    Agent {
        by: Source,
        agent: String,
        device: String,
        view: Option<View>,
        reason: u16,
        is_snapshot: bool,
    },
    /// Somebody else has the agent from here on.
    TakenOver {
        agent: String,
        device: String,
    },
    Call {
        by: Source,
        call: u32,
        step: CallStep,
    },
    /// OpenCTI: the number of the event that comes now.
    Seq(u64),
    /// What matters to no invariant.
    Other(String),
}

/// What an answer brings besides success.
#[derive(Clone, PartialEq, Debug)]
pub enum Brings {
    Monitor(u32),
    /// OpenCTI: the session's secret name, whether it was taken up again, and the number of its last event.
    Session {
        token: String,
        resumed: Option<bool>,
        seq: u64,
    },
}

/// Which subscription an event came by.
#[derive(Clone, PartialEq, Debug)]
pub enum Source {
    /// GED-188: 0 is everything, 1 the session's own.
    Monitor(u32),
    /// OpenCTI: the device that it names.
    Device(String),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallStep {
    Began,
    Went,
    Ended,
}

/// How an agent stands, as far as every protocol can say it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum View {
    Out,
    NotReady,
    Ready,
    OnCall,
}

impl View {
    /// And the reason, where it counts.
    pub fn of(facts: &AgentFacts) -> (View, u16) {
        match facts.state {
            AgentState::LoggedOut => (View::Out, 0),
            AgentState::Ready => (View::Ready, 0),
            state if state.is_on_call() => (View::OnCall, 0),
            _ => (View::NotReady, facts.reason.0),
        }
    }
}

/// The one ACD.
pub const PERIPHERAL: u32 = 5000;
/// Agents, each with a device of its own; and a device more.
pub const AGENTS: [&str; 4] = ["1001", "1002", "1003", "1004"];
pub const DEVICES: [&str; 5] = ["3001", "3002", "3003", "3004", "3005"];
pub const QUEUES: [u32; 2] = [1, 2];
/// The agent who supervises the first two.
pub const SUPERVISOR: &str = "1004";
/// The reason of what is done with agents whose clients were lost.
pub const LOST_REASON: u16 = 60_002;

/// The device that an agent usually works at.
pub fn device_of(agent: &str) -> &'static str {
    AGENTS.iter().position(|known| *known == agent).map_or(DEVICES[4], |at| DEVICES[at])
}
