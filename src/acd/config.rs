//! What the tables of several kinds of ACD have in common. Not here: the keys of one kind.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::model::{AgentId, Password, QueueId, Secret};

/// Agents with consecutive ids.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AgentsConfig {
    /// The first id.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// Their passwords, or where these are kept; `{id}` stands for the agent's id.
    pub password: Secret,
    /// The queues that they may be in, and are logged in to where a login names none.
    pub queues: Vec<QueueId>,
}

impl AgentsConfig {
    /// Every agent with its password and its queues, if the password can be read from where it is kept.
    pub(super) fn every(&self) -> Result<impl Iterator<Item = (AgentId, Password, Vec<QueueId>)>, AcdConfigError> {
        let read = self.password.read();
        let password = read.map_err(|error| AcdConfigError { key: "agents".to_owned(), what: error.to_string() })?;
        Ok(numbers(self.first, self.count).filter_map(move |number| {
            let id = number.to_string();
            let password = Password::new(password.expose().replace("{id}", &id));
            let mut queues = self.queues.clone();
            queues.sort_unstable();
            queues.dedup();
            Some((AgentId::new(&id).ok()?, password, queues))
        }))
    }
}

/// What does not hold together in the table of an ACD.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {what}")]
pub struct AcdConfigError {
    /// The key within the ACD's table.
    pub key: String,
    /// What is wrong, the value included.
    pub what: String,
}

/// Checks the ranges of agents: sound, apart from each other, and in queues that there are.
pub(super) fn check_agents(agents: &[AgentsConfig], queues: &HashSet<QueueId>) -> Result<(), AcdConfigError> {
    let mut count = 0_u32;
    let mut ids = Vec::new();
    for (at, range) in agents.iter().enumerate() {
        count = count.saturating_add(range.count);
        ids.push(span(format!("agents[{at}]"), range.first, range.count)?);
        if let Some(queue) = range.queues.iter().find(|queue| !queues.contains(queue)) {
            return wrong(format!("agents[{at}].queues"), format!("there is no queue {queue}"));
        }
        if range.queues.is_empty() {
            return wrong(format!("agents[{at}].queues"), "an agent in no queue can never log in".to_owned());
        }
    }
    disjoint("agents", ids)?;
    match count > COUNT_MAX {
        true => wrong("agents".to_owned(), format!("{count} in all, {COUNT_MAX} are allowed")),
        false => Ok(()),
    }
}

/// The numbers of a range, the highest that there is included.
pub(super) fn numbers(first: u32, count: u32) -> impl Iterator<Item = u32> {
    (0..count).map_while(move |at| first.checked_add(at))
}

pub(super) fn span(key: String, first: u32, count: u32) -> Result<(u32, u32), AcdConfigError> {
    if count == 0 || count > COUNT_MAX {
        return wrong(format!("{key}.count"), format!("{count} is not between 1 and {COUNT_MAX}"));
    }
    match first.checked_add(count - 1) {
        Some(last) => Ok((first, last)),
        None => wrong(format!("{key}.first"), format!("{first} leaves no room for {count}")),
    }
}

pub(super) fn disjoint(key: &str, mut spans: Vec<(u32, u32)>) -> Result<(), AcdConfigError> {
    spans.sort_unstable();
    match spans.windows(2).find(|pair| pair[0].1 >= pair[1].0) {
        Some(pair) => wrong(key.to_owned(), format!("{} is in two ranges", pair[1].0)),
        None => Ok(()),
    }
}

pub(super) fn wrong<T>(key: String, what: String) -> Result<T, AcdConfigError> {
    Err(AcdConfigError { key, what })
}

/// The most agents, and the most devices, of one world.
pub(super) const COUNT_MAX: u32 = 100_000;
