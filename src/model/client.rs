//! Clients that meet at one agent, and agents that want to go while they are on a call: what the configuration says of
//! either. Not here: which protocol they speak.

/// What a second client of an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondClient {
    /// Both have the agent.
    Share,
    /// The newcomer has it, and the other one is told.
    TakeOver,
    /// The newcomer is refused.
    Reject,
}

/// What a logout of an agent on a call does, unless it is a forced one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogoutOnCall {
    /// The ACD is asked, which refuses it.
    Reject,
    /// It is done, and confirmed, when the call has ended; no other call is offered.
    AfterCall,
    /// It is done as a forced one: the call ends.
    Force,
}
