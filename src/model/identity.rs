//! Who a client is, and what that lets it do: role, services, agents.
//!
//! Lives here: what each role may. Not here: how a client proves who it is (`access`), and what a session then asks for
//! (`dialects`). Must hold: what is not allowed here is not allowed.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use smol_str::SmolStr;

use super::AgentId;

/// What a client is to the contact centre. Each may less than the next one but for what is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// An agent's desktop: sees and commands its own agent only.
    #[default]
    Agent,
    /// A supervisor's desktop: its own agent, and the agents of the teams that this one supervises.
    Supervisor,
    /// A server, such as a CRM's or a recorder: sees and commands every agent, listens to nobody's calls.
    Bridge,
    /// Everything, the calls of every agent included.
    Admin,
}

/// The longest ClientID and ClientPassword, by GED-188: nobody is known by a longer one, in any protocol.
pub const CLIENT_BYTES_MAX: usize = 64;

/// A service that a session may be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Events of the session's own agent.
    ClientEvents,
    /// Events of everything.
    AllEvents,
    /// Monitors of devices and agents, of those that the role sees.
    PeripheralMonitor,
    /// Changing agents' states, and call control.
    ClientControl,
    /// Changing what travels with calls.
    CallDataUpdate,
    /// Watching teams, changing their agents' states, and listening to their calls.
    Supervisor,
    /// What is configured: agents, skill groups, devices.
    ConfigEvents,
}

/// A client that has proved who it is, or one of a gateway that asks nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The ClientID.
    pub id: SmolStr,
    /// What that lets it do, the same for all of its sessions.
    pub permit: Arc<Permit>,
}

/// What a client may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// What the client is.
    pub role: Role,
    /// Narrows what the role may; none: all that the role may.
    pub services: Option<Vec<Service>>,
    /// The agents that an agent's or supervisor's desktop may be opened for.
    pub agents: OwnAgents,
}

/// The agents that a client may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnAgents {
    /// Whichever: a desktop that all agents share, whose agents prove themselves when they log in.
    Any,
    /// These.
    These(HashSet<String>),
}

impl Role {
    /// The most that may be granted to a client of this role.
    pub fn services(self) -> &'static [Service] {
        use Service::{AllEvents, CallDataUpdate, ClientControl, ClientEvents, ConfigEvents, PeripheralMonitor};
        match self {
            Role::Agent => &[ClientEvents, ClientControl, CallDataUpdate, PeripheralMonitor],
            Role::Supervisor => &[ClientEvents, ClientControl, CallDataUpdate, PeripheralMonitor, Service::Supervisor],
            Role::Bridge => &[ClientEvents, ClientControl, CallDataUpdate, PeripheralMonitor, AllEvents, ConfigEvents],
            Role::Admin => &Service::ALL,
        }
    }

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Role::Agent => "agent",
            Role::Supervisor => "supervisor",
            Role::Bridge => "bridge",
            Role::Admin => "admin",
        }
    }
}

impl Service {
    /// Every one.
    pub const ALL: [Service; 7] = [
        Service::ClientEvents,
        Service::AllEvents,
        Service::PeripheralMonitor,
        Service::ClientControl,
        Service::CallDataUpdate,
        Service::Supervisor,
        Service::ConfigEvents,
    ];
}

impl Identity {
    /// Whoever comes to a gateway without any `[[client]]`: a demonstration, or a laboratory.
    pub fn anybody(id: impl Into<SmolStr>) -> Identity {
        static PERMIT: LazyLock<Arc<Permit>> =
            LazyLock::new(|| Arc::new(Permit { role: Role::Admin, services: None, agents: OwnAgents::Any }));
        Identity { id: id.into(), permit: Arc::clone(&PERMIT) }
    }
}

impl Permit {
    /// Whether it may be granted the service.
    pub fn may_have(&self, service: Service) -> bool {
        self.role.services().contains(&service)
            && self.services.as_ref().is_none_or(|services| services.contains(&service))
    }

    /// Whether it is no one agent's: sees all of them.
    pub fn sees_everybody(&self) -> bool {
        self.role >= Role::Bridge
    }

    /// Whether it may open a session for that agent.
    pub fn may_be(&self, agent: &AgentId) -> bool {
        self.may_be_anybody()
            || match &self.agents {
                OwnAgents::Any => true,
                OwnAgents::These(agents) => agents.contains(agent.as_str()),
            }
    }

    /// Whether it may open a session for a device, whoever works there.
    pub fn may_be_anybody(&self) -> bool {
        self.sees_everybody() || self.agents == OwnAgents::Any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permit(role: Role, services: Option<Vec<Service>>) -> Permit {
        let agents = OwnAgents::These(HashSet::from(["1001".to_owned()]));
        Permit { role, services, agents }
    }

    #[test]
    fn services_narrow_a_role_and_never_widen_it() {
        let agent = permit(Role::Agent, Some(vec![Service::ClientEvents, Service::AllEvents]));
        assert!(agent.may_have(Service::ClientEvents));
        assert!(!agent.may_have(Service::ClientControl) && !agent.may_have(Service::AllEvents));
    }

    #[test]
    fn only_an_admin_both_sees_everybody_and_listens_to_calls() {
        let may = |role, service| permit(role, None).may_have(service);
        assert!(may(Role::Supervisor, Service::Supervisor) && !may(Role::Supervisor, Service::AllEvents));
        assert!(!may(Role::Bridge, Service::Supervisor) && may(Role::Bridge, Service::AllEvents));
        assert!(Service::ALL.iter().all(|service| may(Role::Admin, *service)));
    }

    #[test]
    fn a_desktop_is_its_own_agents_and_a_bridge_is_whoever_it_likes() {
        let (own, other) = (AgentId::new("1001").unwrap(), AgentId::new("1002").unwrap());
        for role in [Role::Agent, Role::Supervisor] {
            let desktop = permit(role, None);
            assert!(desktop.may_be(&own) && !desktop.may_be(&other) && !desktop.may_be_anybody(), "{role:?}");
        }
        assert!(permit(Role::Bridge, None).may_be(&other));
    }
}
