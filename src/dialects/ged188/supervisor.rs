//! The SUPERVISOR service: who is in which team, and how its agents stand.
//!
//! Not here: which teams there are (`config`), and what the right over their agents is good for (`operations`).

use std::sync::Arc;

use cti_protocol::ged188::codes::{AgentFlags, ServiceMask, Status, TeamConfigOperation};
use cti_protocol::ged188::{
    AgentTeamConfigEvent, ListAgentTeamConf, ListAgentTeamReq, MonitorAgentTeamStartConf, MonitorAgentTeamStartReq,
    MonitorAgentTeamStopConf, MonitorAgentTeamStopReq, TeamAgent, Text,
};

use super::Ged188;
use super::answers::No;
use super::events::icm_agent_id;
use super::face::Face;
use super::identity::AgentFields;
use super::monitors::unknown;
use super::names::state_code;
use super::session::Session;
use crate::model::{AgentId, AgentKey, AgentState, AgentStates, Filter, PeripheralId, Team, TeamId};
use crate::operations::Right;
use crate::sessions::{Subscription, Target};

/// How many teams one LIST_AGENT_TEAM_CONF holds, by the guide.
const TEAMS_MAX: usize = 64;
/// How many agents one AGENT_TEAM_CONFIG_EVENT holds: at most 44 bytes each, so that a frame of 12,500 bytes holds them.
const AGENTS_MAX: usize = 250;

impl Ged188 {
    /// The teams of a session that asks for the SUPERVISOR service: it must be an agent's own, and that agent's a supervisor.
    pub(super) fn supervised(
        &self,
        granted: ServiceMask,
        peripheral: PeripheralId,
        fields: &AgentFields,
    ) -> Result<Arc<[Arc<Team>]>, No> {
        let has = |service: ServiceMask| granted.0 & service.0 != 0;
        if !has(ServiceMask::CTI_SERVICE_SUPERVISOR) {
            return Ok(Arc::default());
        }
        let refused = |why: String| No::failure(Status::E_CTI_FUNCTION_NOT_AVAILABLE, why);
        if !has(ServiceMask::CTI_SERVICE_CLIENT_EVENTS) {
            return Err(refused("the SUPERVISOR service goes with CLIENT_EVENTS, of a supervisor, only".to_owned()));
        }
        let key = self.agent(peripheral, fields).ok_or_else(|| {
            refused("the SUPERVISOR service needs an AgentID, or a device that an agent is logged in at".to_owned())
        })?;
        let teams: Arc<[_]> = self.house.table.teams.of_supervisor(&key).into();
        if teams.is_empty() {
            return Err(refused(format!("AgentID {} supervises no team", key.agent)));
        }
        Ok(teams)
    }

    /// Says who is in the teams, and how they stand now. A team too large for one frame goes on in the next.
    pub(super) fn say_teams(&self, face: &Face, teams: &[Arc<Team>]) {
        for team in teams {
            let supervisors = team.supervisors.iter().enumerate().map(|(at, agent)| {
                (agent, if at == 0 { AgentFlags::PRIMARY_SUPERVISOR } else { AgentFlags::SUPERVISOR })
            });
            let members = team.agents.iter().filter(|agent| !team.supervisors.contains(agent));
            let agents: Vec<TeamAgent> = (supervisors.chain(members.map(|agent| (agent, AgentFlags(0)))))
                .filter_map(|(agent, flags)| self.team_agent(team.peripheral, agent, flags))
                .collect();
            let first = TeamConfigOperation::RESTORE_PERMANENT;
            for (at, agents) in agents.chunks(AGENTS_MAX).enumerate() {
                face.say(&AgentTeamConfigEvent {
                    peripheral_id: team.peripheral.0,
                    team_id: team.id.0,
                    number_of_agents: u16::try_from(agents.len()).unwrap_or(u16::MAX),
                    config_operation: if at == 0 { first } else { TeamConfigOperation::ADD_AGENT },
                    agent_team_name: Text::new(&team.name).ok(),
                    agents: agents.to_vec(),
                    ..Default::default()
                });
            }
        }
    }

    /// None if the agent's id is too long for the field: the message has no other one.
    fn team_agent(&self, peripheral: PeripheralId, agent: &AgentId, flags: AgentFlags) -> Option<TeamAgent> {
        let id = Text::new(agent.as_str()).ok()?;
        let cell = self.house.table.agent(&AgentKey { peripheral, agent: agent.clone() });
        let (state, seconds) = cell.map_or((AgentState::LoggedOut, 0), |cell| {
            let entry = cell.entry();
            (entry.facts.state, entry.since.elapsed().as_secs())
        });
        Some(TeamAgent {
            id: Some(id),
            flags: Some(flags),
            state: Some(state_code(state)),
            state_duration: Some(u32::try_from(seconds).unwrap_or(u32::MAX)),
        })
    }
}

impl Session {
    /// SupervisorID is the numeric id of the session's own agent, or 0 or all ones for just that.
    pub(super) fn list_agent_team(
        &mut self,
        shared: &Arc<Ged188>,
        request: &ListAgentTeamReq<&[u8]>,
    ) -> Result<(), No> {
        let teams = self.teams("LIST_AGENT_TEAM_REQ")?;
        let own = self.own_agent(shared).map(|key| icm_agent_id(key.agent.as_str()).cast_unsigned());
        if !matches!(request.supervisor_id, 0 | 0xffff_ffff) && own != Some(request.supervisor_id) {
            let why = format!("SupervisorID {} is not that of this session", request.supervisor_id);
            return Err(No::failure(Status::E_CTI_SUPERVISOR_NOT_FOUND, why));
        }
        let ids: Vec<u32> = teams.iter().map(|team| team.id.0).collect();
        let segments = ids.chunks(TEAMS_MAX).count();
        for (at, ids) in ids.chunks(TEAMS_MAX).enumerate() {
            self.face.say(&ListAgentTeamConf {
                invoke_id: request.invoke_id,
                number_of_agent_teams: u16::try_from(ids.len()).unwrap_or(u16::MAX),
                segment_number: u16::try_from(at + 1).unwrap_or(u16::MAX),
                more: u16::from(at + 1 < segments),
                team_ids: ids.to_vec(),
                ..Default::default()
            });
        }
        Ok(())
    }

    pub(super) fn monitor_agent_team_start(
        &mut self,
        shared: &Arc<Ged188>,
        request: &MonitorAgentTeamStartReq<&[u8]>,
    ) -> Result<(), No> {
        let team = TeamId(request.team_id);
        if !self.teams("MONITOR_AGENT_TEAM_START_REQ")?.iter().any(|own| own.id == team) {
            let why = format!("TeamID {} is not one of this supervisor's", request.team_id);
            return Err(No::failure(Status::E_CTI_TEAM_NOT_FOUND, why));
        }
        let target = Target::Team(team);
        if self.monitors.values().any(|monitor| monitor.target == target) {
            let why = format!("TeamID {} is monitored by this session already", request.team_id);
            return Err(No::failure(Status::E_CTI_AGENT_TEAM_MONITOR_ALREADY_EXISTS, why));
        }
        let place = self.must_have_room(shared)?;
        let id = self.new_monitor_id();
        let filter = Filter { agent_states: AgentStates::from_iter(AgentState::ALL), ..Filter::default() };
        let face = Arc::<Face>::clone(&self.face) as _;
        let subscription = Subscription::in_place(Some(place), id, target, filter, face);
        // Confirmed first: a client does not know an event's monitor before.
        let confirm = MonitorAgentTeamStartConf { invoke_id: request.invoke_id, monitor_id: id, ..Default::default() };
        self.face.say(&confirm);
        shared.house.table.subscribe(&subscription);
        self.monitors.insert(id, subscription);
        Ok(())
    }

    pub(super) fn monitor_agent_team_stop(
        &mut self,
        shared: &Arc<Ged188>,
        request: &MonitorAgentTeamStopReq<&[u8]>,
    ) -> Result<(), No> {
        self.teams("MONITOR_AGENT_TEAM_STOP_REQ")?;
        let is_of_team = |monitor: &Arc<Subscription>| matches!(monitor.target, Target::Team(_));
        if !self.monitors.get(&request.monitor_id).is_some_and(is_of_team) {
            return Err(unknown(request.monitor_id));
        }
        if let Some(monitor) = self.monitors.remove(&request.monitor_id) {
            shared.house.table.subscriptions.remove(&monitor);
        }
        self.face.say(&MonitorAgentTeamStopConf { invoke_id: request.invoke_id, ..Default::default() });
        Ok(())
    }

    fn teams(&self, what: &str) -> Result<&[Arc<Team>], No> {
        self.must_have(&[ServiceMask::CTI_SERVICE_SUPERVISOR], what)?;
        match &self.face.requester.right {
            Right::Supervisor { teams, .. } => Ok(teams),
            _ => Ok(&[]),
        }
    }
}
