//! The session of `ctigate supervise`: opened as a supervisor or as a bridge, and whom it knows then.
//!
//! Not here: what is done with them (`work`).

use std::collections::HashMap;
use std::time::Duration;

use cti_protocol::ged188::codes::{AgentFlags, AgentState, AgentStateMask, CallMsgMask, ConfigMsgMask, ServiceMask};
use cti_protocol::ged188::{
    AgentTeamConfigEvent, AnyMessage, ConfigRequestEvent, Data, ListAgentTeamReq, OpenReq, Secret, Text, TextError,
    Version,
};
use tokio::time::timeout;

use super::work::{Known, Member};
use crate::cli::agent::words::refusal;
use crate::cli::client::{Client, ClientError};

/// How the session is opened.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) version: Version,
    pub(super) peripheral: u32,
    /// As whom; none is a bridge.
    pub(super) supervisor: Option<Text<12>>,
    /// Whether the agents have to be asked for.
    pub(super) lists_agents: bool,
    pub(super) client_id: Text<64>,
    pub(super) client_password: Secret<Data<64>>,
    pub(super) client_signature: Option<Text<64>>,
}

impl Opening {
    fn request(&self, invoke_id: u32) -> OpenReq {
        OpenReq {
            invoke_id,
            version_number: self.version.number(),
            idle_timeout: u32::MAX, // every request has its own end: nothing is idle here
            peripheral_id: if self.supervisor.is_some() { self.peripheral } else { u32::MAX },
            services_requested: self.services(),
            // Answers are all that counts: a bridge's events of thousands of agents would be for nobody.
            call_msg_mask: match self.supervisor {
                Some(_) => CallMsgMask::AGENT_TEAM_CONFIG_MASK,
                None => CallMsgMask(0),
            },
            agent_state_mask: AgentStateMask(0),
            client_id: Some(self.client_id.clone()),
            client_password: Some(self.client_password.clone()),
            client_signature: self.client_signature.clone(),
            agent_id: self.supervisor.clone(),
            ..Default::default()
        }
    }

    fn services(&self) -> ServiceMask {
        let as_whom = match self.supervisor {
            Some(_) => ServiceMask::CTI_SERVICE_CLIENT_EVENTS.0 | ServiceMask::CTI_SERVICE_SUPERVISOR.0,
            None => ServiceMask::CTI_SERVICE_ALL_EVENTS.0,
        };
        let records = if self.lists_agents { ServiceMask::CTI_SERVICE_CONFIG_EVENTS.0 } else { 0 };
        ServiceMask(as_whom | ServiceMask::CTI_SERVICE_CLIENT_CONTROL.0 | records)
    }
}

/// A password as it travels.
pub(super) fn password(text: &str) -> Result<Secret<Data<64>>, TextError> {
    Ok(Data::new(text.as_bytes())?.into())
}

/// Opens the session, and wants all services granted that it asks for.
pub(super) async fn open(client: &mut Client, opening: &Opening, wait: Duration) -> Result<(), SessionError> {
    let invoke_id = client.next_invoke_id();
    client.send(opening.request(invoke_id)).await?;
    loop {
        let message = next(client, "OPEN_REQ", wait).await?;
        if let AnyMessage::OpenConf(opened) = &message {
            let missing = opening.services().0 & !opened.services_granted.0;
            return if missing == 0 { Ok(()) } else { Err(SessionError::NotGranted { missing: ServiceMask(missing) }) };
        }
    }
}

/// The supervisor's teams: told by events as the session opens, complete when the list of their numbers comes.
pub(super) async fn teams(client: &mut Client, wait: Duration) -> Result<Teams, SessionError> {
    let mut teams = Teams { ids: Vec::new(), told: Vec::new() };
    let invoke_id = client.next_invoke_id();
    client.send(ListAgentTeamReq { invoke_id, supervisor_id: u32::MAX, ..Default::default() }).await?;
    loop {
        match next(client, "LIST_AGENT_TEAM_REQ", wait).await? {
            AnyMessage::AgentTeamConfigEvent(team) => teams.told.push(team),
            AnyMessage::ListAgentTeamConf(list) => {
                teams.ids.extend_from_slice(&list.team_ids);
                if list.more == 0 {
                    return Ok(teams);
                }
            }
            _ => (),
        }
    }
}

/// Every agent that the gateway knows at a peripheral.
pub(super) async fn agents(client: &mut Client, peripheral: u32, wait: Duration) -> Result<Vec<Member>, SessionError> {
    let mut agents = Vec::new();
    client
        .send(ConfigRequestEvent {
            config_information: ConfigMsgMask::CONFIG_AGENT,
            config_msg_mask: ConfigMsgMask::CONFIG_AGENT,
            peripheral_id: peripheral,
            ..Default::default()
        })
        .await?;
    loop {
        match next(client, "CONFIG_REQUEST_EVENT", wait).await? {
            AnyMessage::ConfigAgentEvent(event) => {
                for id in event.records.iter().filter_map(|record| record.login_id.as_ref()) {
                    match Text::new(&id.as_str()) {
                        Ok(id) => {
                            agents.push(Member { id, peripheral, is_named: false, known: None, is_supervisor: false })
                        }
                        Err(why) => {
                            let id = id.to_string();
                            eprintln!("ctigate supervise: agent {} is left out: {why}", id.escape_debug());
                        }
                    }
                }
            }
            AnyMessage::ConfigEndEvent(_) => return Ok(agents),
            _ => (),
        }
    }
}

/// The next message that is no refusal.
async fn next(client: &mut Client, what: &'static str, wait: Duration) -> Result<AnyMessage, SessionError> {
    loop {
        match timeout(wait, client.receive()).await.map_err(|_| SessionError::NoAnswer { what })? {
            Ok(message) => match refusal(&message) {
                Some(why) => return Err(SessionError::Refused { what, why }),
                None => return Ok(message),
            },
            Err(error) if error.is_final() => return Err(error.into()),
            Err(error) => eprintln!("ctigate supervise: a message cannot be read: {error}"),
        }
    }
}

/// What a supervisor's session was told of its teams.
#[derive(Debug)]
pub(super) struct Teams {
    pub(super) ids: Vec<u32>,
    told: Vec<AgentTeamConfigEvent>,
}

impl Teams {
    /// The agents of these teams, or of all; each once, as a supervisor only where it is nothing else.
    pub(super) fn members(&self, wanted: &[u32]) -> Vec<Member> {
        let mut members: Vec<Member> = Vec::new();
        let mut places = HashMap::new();
        for team in self.told.iter().filter(|team| wanted.is_empty() || wanted.contains(&team.team_id)) {
            for agent in &team.agents {
                let Some(id) = agent.id.clone().filter(|id| !id.is_empty()) else { continue };
                let is_supervisor = agent.flags.unwrap_or(AgentFlags(0)) != AgentFlags(0);
                let place = *places.entry((team.peripheral_id, id.clone())).or_insert(members.len());
                match members.get_mut(place) {
                    Some(member) => member.is_supervisor &= is_supervisor,
                    None => members.push(Member {
                        id,
                        peripheral: team.peripheral_id,
                        is_named: false,
                        known: Some(Known {
                            state: agent.state.unwrap_or(AgentState::AGENT_STATE_UNKNOWN),
                            seconds: agent.state_duration,
                        }),
                        is_supervisor,
                    }),
                }
            }
        }
        members
    }
}

/// Why there is no session, or nobody known in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{what} refused: {why}")]
    Refused { what: &'static str, why: String },
    #[error("OPEN_REQ: {missing:?} was not granted to this client")]
    NotGranted { missing: ServiceMask },
    #[error("the gateway did not answer: {what}")]
    NoAnswer { what: &'static str },
}
