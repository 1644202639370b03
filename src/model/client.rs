//! Clients that meet at one agent. Not here: which protocol they speak.

/// What a second client of an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondClient {
    /// Both have the agent.
    Share,
    /// The newcomer has it, and the other one is told.
    TakeOver,
    /// The newcomer is refused.
    Reject,
}
