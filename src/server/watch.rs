//! Looks up how the gateway is when somebody asks. Not here: what is made of it (`observe`), and HTTP (`observing`).
//!
//! Must hold: an agent's entry is never locked while an index is, and nothing is locked for longer than one look.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::Mutex;

use super::open::OpenConnections;
use crate::config::Config;
use crate::model::{AgentState, PeripheralId, QueueId};
use crate::observe::{
    AcdSight, Label, ListenerSight, Metrics, Phase, QueueSight, Readiness, SessionSight, Sight, Watched,
};
use crate::operations::House;
use crate::sessions::{AdapterState, AgentEntry};

/// What a look is taken at.
#[derive(Debug)]
pub(super) struct Watch {
    house: Arc<House>,
    /// What is in force.
    config: Mutex<Config>,
    /// In their order.
    listeners: Mutex<Vec<(String, SocketAddr, OpenConnections)>>,
    phase: AtomicU8,
}

impl Watch {
    pub(super) fn new(house: &Arc<House>, config: &Config) -> Arc<Watch> {
        let (house, config) = (Arc::clone(house), Mutex::new(config.clone()));
        let phase = AtomicU8::new(Phase::Starting as u8);
        Arc::new(Watch { house, config, listeners: Mutex::default(), phase })
    }

    /// A listener is bound, or is spoken at in another way from now on: its connections are the same.
    pub(super) fn listens(&self, name: &str, address: SocketAddr) -> OpenConnections {
        let mut listeners = self.listeners.lock();
        if let Some((_, _, open)) = listeners.iter().find(|(known, ..)| known == name) {
            return open.clone();
        }
        let open = OpenConnections::default();
        listeners.push((name.to_owned(), address, open.clone()));
        open
    }

    /// Has every connection look at what has become of the gateway.
    pub(super) fn wake_connections(&self) {
        let listeners = self.listeners.lock().clone();
        listeners.iter().for_each(|(_, _, open)| open.wake());
    }

    /// Another configuration is in force from now on.
    pub(super) fn configured_by(&self, config: &Config) {
        self.config.lock().clone_from(config);
    }

    pub(super) fn enters(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
    }

    fn phase(&self) -> Phase {
        let phase = self.phase.load(Ordering::Acquire);
        Phase::ALL.get(usize::from(phase)).copied().unwrap_or(Phase::Stopping)
    }

    fn peripherals(&self) -> impl Iterator<Item = PeripheralId> {
        self.house.peripherals().iter().map(|peripheral| peripheral.id)
    }

    fn acd(&self, id: PeripheralId) -> AcdSight {
        let table = &self.house.table;
        let link = table.link(id);
        let mut all = Count::default();
        let mut of_queues: HashMap<QueueId, Count> =
            link.queues.iter().map(|(id, _)| (*id, Count::default())).collect();
        let (mut lost, mut to_mend) = (0, 0);
        for cell in table.agents_of(id) {
            let entry = cell.entry();
            all.add(entry.facts.state);
            for queue in &entry.facts.queues {
                // Those that the ACD has not listed are counted among all agents.
                if let Some(of_queue) = of_queues.get_mut(queue) {
                    of_queue.add(entry.facts.state);
                }
            }
            lost += usize::from(entry.is_lost());
            to_mend += usize::from(is_to_mend(&entry));
        }
        let queues = link.queues.iter().map(|(queue, name)| QueueSight {
            queue: queue.0,
            name: name.clone(),
            agents: of_queues.remove(queue).unwrap_or_default().by_state(),
        });
        AcdSight {
            peripheral: id.0,
            is_up: link.online,
            agents: all.by_state(),
            queues: queues.collect(),
            lost,
            to_mend,
            calls: table.calls(id).lock().count(),
            events_waiting: self.house.reports_waiting(id),
            commands_waiting: self.house.commands_waiting(id),
        }
    }

    fn sessions(&self) -> Vec<SessionSight> {
        let mut sessions: Vec<SessionSight> = Vec::new();
        for client in self.house.table.all_clients() {
            let dialect = client.dialect();
            let at = sessions.iter().position(|known| known.dialect == dialect).unwrap_or_else(|| {
                sessions.push(SessionSight { dialect, connected: 0, lost: 0 });
                sessions.len() - 1
            });
            match client.is_connected() {
                true => sessions[at].connected += 1,
                false => sessions[at].lost += 1,
            }
        }
        sessions
    }
}

impl Watched for Watch {
    fn readiness(&self) -> Readiness {
        let listeners = self.listeners.lock();
        Readiness {
            phase: self.phase(),
            listeners: listeners.iter().map(|(name, address, _)| (name.clone(), address.to_string())).collect(),
            acds: self.peripherals().map(|id| (id.0, self.house.table.is_online(id))).collect(),
        }
    }

    fn sight(&self) -> Sight {
        let (limits, listeners) = (self.config.lock().limits.clone(), self.listeners.lock().clone());
        let listeners = listeners.into_iter().map(|(name, _, open)| {
            let waiting = open.waiting();
            ListenerSight {
                name,
                connections: waiting.connections,
                outbound_bytes: waiting.bytes,
                outbound_bytes_max: waiting.bytes_max,
            }
        });
        Sight {
            phase: self.phase(),
            listeners: listeners.collect(),
            connections_max: limits.connections_max,
            acds: self.peripherals().map(|id| self.acd(id)).collect(),
            acd_events_max: limits.acd_events_max,
            acd_commands_max: limits.acd_commands_max,
            overload: self.house.machine() as usize,
            sessions: self.sessions(),
            subscriptions: self.house.table.subscriptions.count(),
            requests_running: self.house.commands_running(),
            tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
            outbound_bytes_limit: limits.outbound_bytes_max,
        }
    }

    fn metrics(&self) -> &Metrics {
        &self.house.metrics
    }

    fn configuration(&self) -> serde_json::Value {
        // All keys are texts: it cannot fail.
        serde_json::to_value(&*self.config.lock()).unwrap_or_default()
    }
}

/// Agents by state.
#[derive(Default)]
struct Count([usize; AgentState::ALL.len()]);

impl Count {
    fn add(&mut self, state: AgentState) {
        self.0[state as usize] += 1;
    }

    fn by_state(self) -> Vec<(&'static str, usize)> {
        AgentState::ALL.iter().map(|state| state_name(*state)).zip(self.0).collect()
    }
}

fn state_name(state: AgentState) -> &'static str {
    match state {
        AgentState::LoggedIn => "logged_in",
        AgentState::LoggedOut => "logged_out",
        AgentState::NotReady => "not_ready",
        AgentState::Ready => "ready",
        AgentState::Reserved => "reserved",
        AgentState::Talking => "talking",
        AgentState::Hold => "hold",
        AgentState::WorkNotReady => "work_not_ready",
        AgentState::WorkReady => "work_ready",
        AgentState::BusyOther => "busy_other",
        AgentState::Unknown => "unknown",
    }
}

/// A background task has to do with the agent: its adapter is not as it should be, or what it is was not said.
fn is_to_mend(entry: &AgentEntry) -> bool {
    entry.mending || entry.unsure.is_some() || entry.adapter == AdapterState::Closing
}
