//! Which events a subscription lets through. Not here: whom it is about, and the masks of any dialect.

use super::{AgentState, CallStepKind, Event};

/// What a subscriber asked to hear.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Agent events that show one of these states.
    pub agent_states: AgentStates,
    /// Announcements of calls.
    pub pre_calls: bool,
    /// Announcements taken back.
    pub pre_call_aborts: bool,
    /// What happens to calls.
    pub calls: CallSteps,
}

impl Filter {
    /// Whether the event is wanted.
    pub fn passes(&self, event: &Event) -> bool {
        match event {
            Event::Agent(agent) => self.agent_states.holds(agent.state),
            Event::PreCall(call) if call.aborted => self.pre_call_aborts,
            Event::PreCall(_) => self.pre_calls,
            Event::Correction(_) => true,
            Event::Call(call) => self.calls.holds(call.step.kind()),
        }
    }
}

/// A set of agent states.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AgentStates(u16);

impl AgentStates {
    /// Whether the set holds the state.
    pub fn holds(self, state: AgentState) -> bool {
        self.0 & (1 << state as u8) != 0
    }
}

impl FromIterator<AgentState> for AgentStates {
    fn from_iter<I: IntoIterator<Item = AgentState>>(states: I) -> AgentStates {
        AgentStates(states.into_iter().fold(0, |set, state| set | 1 << state as u8))
    }
}

/// A set of steps in a call's life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CallSteps(u32);

impl CallSteps {
    /// Whether the set holds the step.
    pub fn holds(self, step: CallStepKind) -> bool {
        self.0 & (1 << step as u8) != 0
    }
}

impl FromIterator<CallStepKind> for CallSteps {
    fn from_iter<I: IntoIterator<Item = CallStepKind>>(steps: I) -> CallSteps {
        CallSteps(steps.into_iter().fold(0, |set, step| set | 1 << step as u8))
    }
}
