//! The gateway of one trial: the one place of the simulation that knows how it is built and what its table holds.
//!
//! Not here: sockets; there are none (`wire`).

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use ctigate::access::Gate;
use ctigate::acd::Peripheral;
use ctigate::config::{ClientConfig, Config, ListenerConfig, TeamConfig};
use ctigate::dialects::ged188::Ged188;
use ctigate::dialects::opencti::{OpenCti, Sessions};
use ctigate::dialects::{CloseReason, Conversation, Dialect, Outbox};
use ctigate::model::{
    AgentId, AgentKey, Instrument, LogoutOnCall, Password, PeripheralId, ReasonCode, Role, SecondClient, Secret, TeamId,
};
use ctigate::operations::{Grace, House, Rules};
use ctigate::server::rules;
use ctigate::sessions::{AdapterState, AgentEntry, Target};

use super::acd::{Manners, ScriptedAcd};
use super::dice::Dice;
use super::watch::{Watch, Yardstick};
use super::words::{AGENTS, DEVICES, LOST_REASON, PERIPHERAL, SUPERVISOR};

/// What may differ from gateway to gateway.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether clients have roles; without, everybody may everything.
    pub has_roles: bool,
    pub second_client: SecondClient,
    pub logout_on_call: LogoutOnCall,
    pub has_grace: bool,
    pub has_audit: bool,
    pub outbound_bytes_max: usize,
    pub acd_events_max: usize,
    pub resume_events_max: usize,
}

pub const ACD_ANSWER: Duration = Duration::from_secs(5);
pub const RETRY_MAX: Duration = Duration::from_secs(4);
pub const NOT_READY_AFTER: Duration = Duration::from_secs(20);
pub const LOGOUT_AFTER: Duration = Duration::from_secs(30);
pub const RESUME_WINDOW: Duration = Duration::from_secs(40);

impl Settings {
    pub fn thrown(dice: &mut Dice) -> Settings {
        use LogoutOnCall::{AfterCall, Force, Reject};
        use SecondClient::{Reject as RejectSecond, Share, TakeOver};
        Settings {
            has_roles: dice.percent(40),
            second_client: dice.weighed(&[(3, Share), (4, TakeOver), (3, RejectSecond)]),
            logout_on_call: dice.weighed(&[(5, Reject), (3, AfterCall), (2, Force)]),
            has_grace: dice.percent(85),
            has_audit: dice.percent(20),
            outbound_bytes_max: dice.weighed(&[(7, 1 << 20), (2, 4_096), (1, 1_024)]),
            acd_events_max: dice.weighed(&[(8, 1_000), (2, 4)]),
            resume_events_max: dice.weighed(&[(8, 1_000), (2, 5)]),
        }
    }

    pub fn yardstick(&self, manners: &Manners) -> Yardstick {
        Yardstick {
            lists_agents: manners.lists_agents,
            lag: Duration::from_millis(manners.lag_ms),
            is_shared: self.second_client == SecondClient::Share,
            not_ready_after: NOT_READY_AFTER,
            logout_after: LOGOUT_AFTER,
        }
    }
}

/// A gateway without listeners.
pub struct Gateway {
    pub house: Arc<House>,
    ged188: Arc<Ged188>,
    opencti: Arc<OpenCti>,
    pub outbound_bytes_max: usize,
}

impl Gateway {
    /// With its link to the ACD under way.
    pub fn start(settings: &Settings, acd: &ScriptedAcd, watch: &Watch) -> Gateway {
        let mut config = Config::default();
        config.reasons.clear();
        config.sessions.resume_window = RESUME_WINDOW;
        config.sessions.resume_events_max = settings.resume_events_max;
        config.teams = vec![TeamConfig {
            id: TeamId(1),
            name: "team".to_owned(),
            peripheral: Some(PERIPHERAL),
            supervisors: vec![SUPERVISOR.to_owned()],
            agents: vec![AGENTS[0].to_owned(), AGENTS[1].to_owned()],
        }];
        if settings.has_roles {
            config.clients = clients();
        }
        let rules = Rules {
            acd_answer: ACD_ANSWER,
            retry_max: RETRY_MAX,
            deferred_events_max: 16,
            second_client: settings.second_client,
            grace: settings.has_grace.then_some(Grace {
                not_ready_after: NOT_READY_AFTER,
                logout_after: LOGOUT_AFTER,
                reason: ReasonCode(LOST_REASON),
            }),
            logout_on_call: settings.logout_on_call,
            audit: settings.has_audit.then_some(Duration::from_secs(15)),
            ..rules(&config)
        };
        let peripheral = Peripheral { id: PeripheralId(PERIPHERAL), acd: Arc::new(acd.clone()) };
        let house = House::new(vec![peripheral], config.teams(), rules);
        house.connect(settings.acd_events_max);
        let seen_by = Arc::downgrade(&house);
        watch.looks_through(Box::new(move |agent| known_of(&seen_by, agent)));
        let listener = ListenerConfig::default();
        let gate = Gate::new(config.doors().unwrap());
        let sessions = Sessions::default();
        Gateway {
            ged188: Arc::new(Ged188::new(Arc::clone(&house), Arc::clone(&gate), &config, &listener)),
            opencti: Arc::new(OpenCti::new(Arc::clone(&house), gate, &config, &listener, sessions)),
            outbound_bytes_max: settings.outbound_bytes_max,
            house,
        }
    }

    /// A fresh connection's two ends.
    pub fn accept(&self, is_ged188: bool) -> (Box<dyn Conversation>, Arc<Outbox>) {
        let outbox = Outbox::new(self.outbound_bytes_max);
        let peer = std::net::SocketAddr::from(([127, 0, 0, 1], 1)).into();
        let conversation = match is_ged188 {
            true => Arc::clone(&self.ged188).converse(peer, Arc::clone(&outbox), now()),
            false => Arc::clone(&self.opencti).converse(peer, Arc::clone(&outbox), now()),
        };
        (conversation, outbox)
    }

    /// Where the table has otherwise than the ACD, nothing being under way.
    pub fn differences(&self, acd: &ScriptedAcd) -> Vec<String> {
        let mut found = Vec::new();
        let adapters: BTreeSet<AgentId> = acd.adapters().into_iter().collect();
        if !self.house.table.is_online(PeripheralId(PERIPHERAL)) {
            found.push("the link is up, and the table does not know".to_owned());
        }
        for facts in acd.facts() {
            let agent = &facts.agent;
            let is_open = adapters.contains(agent);
            if is_open != facts.is_logged_in() {
                let how = if is_open { "open" } else { "closed" };
                found.push(format!("the adapter of {agent} is {how}, who is {:?}", facts.state));
            }
            let Some(cell) = self.house.table.agent(&key(agent.as_str())) else {
                if facts.is_logged_in() {
                    found.push(format!("{agent} is {:?} and not in the table", facts.state));
                }
                continue;
            };
            let entry = cell.entry();
            let is_same = !entry.facts.differs_from(&facts) || (!entry.facts.is_logged_in() && !facts.is_logged_in());
            if !is_same {
                found.push(format!("the table has {:?}, the ACD {facts:?}", entry.facts));
            }
            if (entry.adapter == AdapterState::Open) != is_open || entry.adapter == AdapterState::Closing {
                found.push(format!("the table takes the adapter of {agent} for {:?}", entry.adapter));
            }
            if entry.logging_out.is_some() || entry.unsure.is_some() || entry.mending || cell.turn.try_lock().is_err() {
                found.push(format!("{agent} is not done with: {}", under_way(&entry)));
            }
            if !facts.is_logged_in() && !(entry.attendants().is_empty() && (entry.is_idle() || entry.owes_confirm)) {
                found.push(format!("{agent} is out, and not idle: {}", under_way(&entry)));
            }
            drop(entry);
            let there = facts.instrument.as_ref().map(|at| self.house.table.agent_at(PeripheralId(PERIPHERAL), at));
            if there.is_some_and(|there| there != Some(key(agent.as_str()))) {
                found.push(format!("the table does not know that {agent} is at its device"));
            }
        }
        for device in DEVICES.map(|device| Instrument::new(device).unwrap()) {
            let works_there = acd.facts().iter().any(|facts| facts.instrument.as_ref() == Some(&device));
            let taken = self.house.table.agent_at(PeripheralId(PERIPHERAL), &device);
            if !works_there && taken.is_some() {
                found.push(format!("nobody works at {device}, and the table has {taken:?} there"));
            }
        }
        let known: Vec<_> = self.house.table.calls(PeripheralId(PERIPHERAL)).lock().all();
        let known: Vec<_> = known.iter().map(|call| (call.id, call.parties.clone())).collect();
        let there: Vec<_> = acd.calls().into_iter().map(|call| (call.id, call.parties)).collect();
        if known != there {
            found.push(format!("the table has the calls {known:?}, the ACD {there:?}"));
        }
        found
    }

    /// What of clients is left though all are gone.
    pub fn leftovers(&self) -> Vec<String> {
        let table = &self.house.table;
        let mut found = Vec::new();
        for (what, count) in [("sessions", table.clients()), ("subscriptions", table.subscriptions.count())] {
            if count > 0 {
                found.push(format!("{count} {what}"));
            }
        }
        for agent in AGENTS {
            let own = Target::Agent(key(agent));
            let holder = table.holder(&key(agent), None);
            if holder.is_some() {
                found.push(format!("{own:?} is held by session {holder:?}"));
            }
        }
        let attendance = format!("{:?}", table.attendance);
        for index in ["by_session", "left_behind", "heirs"] {
            if !attendance.contains(&format!("{index}: {{}}")) {
                found.push(format!("who has whom: {attendance}"));
            }
        }
        found
    }
}

/// Each agent's desktops, by their role; the servers; none has a password.
fn clients() -> Vec<ClientConfig> {
    let client = |id: String, role: Role, agents: Option<Vec<String>>| ClientConfig {
        id,
        role,
        password: Some(Secret::Here(Password::default())),
        agents,
        ..Default::default()
    };
    let desktop = |(agent, other): (&str, &str)| {
        let role = if agent == SUPERVISOR { Role::Supervisor } else { Role::Agent };
        client(format!("desktop-{agent}{other}"), role, Some(vec![agent.to_owned()]))
    };
    let desktops = AGENTS.into_iter().flat_map(|agent| [(agent, ""), (agent, "-other")]).map(desktop);
    let servers = ["bridge", "crm"].map(|id| client(id.to_owned(), Role::Bridge, None));
    desktops.chain(servers).collect()
}

pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The client's end of a connection went.
pub fn client_is_gone() -> CloseReason {
    CloseReason::ClientGone
}

/// Whether all that was asked has to be answered before a connection ends so; and whether its last words reach the client.
pub fn what_is_due(reason: &CloseReason) -> (bool, bool) {
    let is_done = matches!(reason, CloseReason::ClientClosed | CloseReason::Shutdown);
    let is_heard = !matches!(reason, CloseReason::ClientGone | CloseReason::Failed(_) | CloseReason::Slow(_));
    (is_done, is_heard)
}

/// What of an agent is not at rest; without times, which differ from run to run.
fn under_way(entry: &AgentEntry) -> String {
    format!(
        "logging out {:?}, unsure {:?}, mending {}, adapter {:?}, of {:?}, claimed by {:?}",
        entry.logging_out,
        entry.unsure,
        entry.mending,
        entry.adapter,
        entry.attendants(),
        entry.claims
    )
}

fn known_of(house: &Weak<House>, agent: &str) -> Option<(u64, bool)> {
    let cell = house.upgrade()?.table.agent(&key(agent))?;
    let entry = cell.entry();
    Some((entry.facts.order, entry.facts.is_logged_in()))
}

fn key(agent: &str) -> AgentKey {
    AgentKey { peripheral: PeripheralId(PERIPHERAL), agent: AgentId::new(agent).unwrap() }
}
