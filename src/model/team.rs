//! Teams: which supervisors watch and help which agents. Not here: what a supervisor may do, and how it is told.

use std::collections::HashMap;
use std::sync::Arc;

use super::{AgentId, AgentKey, PeripheralId};

/// The number that a team is known by, over all ACDs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Deserialize, serde::Serialize)]
#[serde(transparent)]
pub struct TeamId(pub u32);

/// A team of one ACD's agents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Team {
    /// Its number.
    pub id: TeamId,
    /// The ACD that its agents work at.
    pub peripheral: PeripheralId,
    /// What people call it.
    pub name: String,
    /// Who supervises it, the primary supervisor first. They need not be members.
    pub supervisors: Vec<AgentId>,
    /// Its members.
    pub agents: Vec<AgentId>,
}

impl Team {
    /// Whether the agent is one of the team.
    pub fn has_member(&self, key: &AgentKey) -> bool {
        self.peripheral == key.peripheral && self.agents.contains(&key.agent)
    }
}

/// Every team, found by its members and its supervisors.
#[derive(Debug, Default)]
pub struct Teams {
    of_member: HashMap<AgentKey, Vec<TeamId>>,
    of_supervisor: HashMap<AgentKey, Vec<Arc<Team>>>,
}

impl Teams {
    /// Indexes the teams; each id is there once.
    pub fn new(teams: impl IntoIterator<Item = Team>) -> Teams {
        let mut index = Teams::default();
        for team in teams.into_iter().map(Arc::new) {
            let key = |agent: &AgentId| AgentKey { peripheral: team.peripheral, agent: agent.clone() };
            for member in &team.agents {
                index.of_member.entry(key(member)).or_default().push(team.id);
            }
            for supervisor in &team.supervisors {
                index.of_supervisor.entry(key(supervisor)).or_default().push(Arc::clone(&team));
            }
        }
        index
    }

    /// Whether nobody is in any team.
    pub fn is_empty(&self) -> bool {
        self.of_member.is_empty()
    }

    /// The teams that an agent is a member of.
    pub fn of_member(&self, key: &AgentKey) -> &[TeamId] {
        self.of_member.get(key).map_or(&[], Vec::as_slice)
    }

    /// The teams that an agent supervises, in the order of the configuration.
    pub fn of_supervisor(&self, key: &AgentKey) -> &[Arc<Team>] {
        self.of_supervisor.get(key).map_or(&[], Vec::as_slice)
    }
}
