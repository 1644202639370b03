//! From `[[team]]` to teams. Not here: what teams are good for.

use std::collections::HashSet;

use super::{Config, TeamConfig};
use crate::model::{AgentId, PeripheralId, Team};

/// The longest AgentTeamName, its NUL counted, by the guide.
const NAME_BYTES_MAX: usize = 32;
/// The most members and supervisors of a team: the count of AGENT_TEAM_CONFIG_EVENT has two bytes.
const AGENTS_MAX: usize = 10_000;

/// The teams, or the key and what is wrong with it.
pub(super) fn read(config: &Config) -> Result<Vec<Team>, (String, String)> {
    let mut ids = HashSet::new();
    let mut teams = Vec::with_capacity(config.teams.len());
    for (at, team) in config.teams.iter().enumerate() {
        let wrong = |key: &str, what: String| (format!("team[{at}].{key}"), what);
        if !ids.insert(team.id) {
            return Err(wrong("id", format!("{} is an earlier team's", team.id.0)));
        }
        if team.name.len() >= NAME_BYTES_MAX || team.name.contains('\0') {
            return Err(wrong("name", format!("{:?} has more than {} bytes, or a NUL", team.name, NAME_BYTES_MAX - 1)));
        }
        teams.push(Team {
            id: team.id,
            peripheral: peripheral(config, team).map_err(|what| wrong("peripheral", what))?,
            name: team.name.clone(),
            supervisors: agents(&team.supervisors).map_err(|what| wrong("supervisors", what))?,
            agents: agents(&team.agents).map_err(|what| wrong("agents", what))?,
        });
    }
    Ok(teams)
}

fn peripheral(config: &Config, team: &TeamConfig) -> Result<PeripheralId, String> {
    let acds = &config.acds;
    match team.peripheral.map(PeripheralId) {
        None => acds.first().map(|acd| acd.peripheral).ok_or_else(|| "there is no ACD".to_owned()),
        Some(named) if acds.iter().any(|acd| acd.peripheral == named) => Ok(named),
        Some(named) => Err(format!("{named} is no ACD's")),
    }
}

fn agents(named: &[String]) -> Result<Vec<AgentId>, String> {
    if named.len() > AGENTS_MAX {
        return Err(format!("there are {}, more than {AGENTS_MAX}", named.len()));
    }
    let mut seen = HashSet::new();
    named
        .iter()
        .map(|name| {
            if !seen.insert(name) {
                return Err(format!("{name:?} is named twice"));
            }
            AgentId::new(name).map_err(|error| format!("{name:?} cannot be an AgentID: {error}"))
        })
        .collect()
}
