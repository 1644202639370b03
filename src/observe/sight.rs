//! What is so at one moment, counted when somebody asks. Not here: who looks it up (`server`).
//!
//! Must hold: of what an ACD or a client can make many, at most so many have series of their own.

use std::time::UNIX_EPOCH;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::counted::Metrics;
use super::labels::labels;
use super::names::{self, Named};
use super::process::Process;

labels! {
    /// How far the gateway is.
    pub enum Phase {
        /// Listeners are bound and ACDs waited for.
        Starting = "starting",
        /// Clients are served.
        Serving = "serving",
        /// It was told to stop.
        Stopping = "stopping",
    }
}

/// Who can say how the gateway is.
pub trait Watched: Send + Sync {
    /// Whether clients should be sent here.
    fn readiness(&self) -> Readiness;
    /// All that can be counted now.
    fn sight(&self) -> Sight;
    /// What was counted so far.
    fn metrics(&self) -> &Metrics;
    /// The configuration that is in force, its secrets hidden.
    fn configuration(&self) -> serde_json::Value;
}

/// Whether clients should be sent here, and what is in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// How far the gateway is. Every listener is bound before it serves.
    pub phase: Phase,
    /// The listeners, by name and address.
    pub listeners: Vec<(String, String)>,
    /// The ACDs, and whether each can be reached.
    pub acds: Vec<(u32, bool)>,
}

impl Readiness {
    /// Whether they should.
    pub fn is_ready(&self) -> bool {
        is_ready(self.phase, self.acds.iter().map(|(_, is_up)| *is_up))
    }
}

/// Served, with at least one ACD: an agent of one that is away waits for it wherever it connects.
fn is_ready(phase: Phase, mut are_up: impl Iterator<Item = bool>) -> bool {
    phase == Phase::Serving && are_up.any(|is_up| is_up)
}

/// All that can be counted at one moment.
#[derive(Clone, Debug)]
pub struct Sight {
    /// How far the gateway is.
    pub phase: Phase,
    /// By listener.
    pub listeners: Vec<ListenerSight>,
    /// How many connections there may be.
    pub connections_max: usize,
    /// By ACD.
    pub acds: Vec<AcdSight>,
    /// How many reports of one may wait.
    pub acd_events_max: usize,
    /// How many commands for one may wait.
    pub acd_commands_max: usize,
    /// What the machine cannot bear any more, from 0, which is nothing.
    pub overload: usize,
    /// By dialect.
    pub sessions: Vec<SessionSight>,
    /// Subscriptions to events.
    pub subscriptions: usize,
    /// Requests that wait.
    pub requests_running: usize,
    /// Tasks of the runtime.
    pub tasks: usize,
    /// Bytes that may wait for one client.
    pub outbound_bytes_limit: usize,
}

/// One listener's connections.
#[derive(Clone, Debug)]
pub struct ListenerSight {
    /// Its name.
    pub name: String,
    /// How many there are.
    pub connections: usize,
    /// Bytes that wait for them all.
    pub outbound_bytes: usize,
    /// Bytes that wait for one of them, at most.
    pub outbound_bytes_max: usize,
}

/// One ACD, its agents and calls.
#[derive(Clone, Debug, Default)]
pub struct AcdSight {
    /// Its number.
    pub peripheral: u32,
    /// Whether it can be reached.
    pub is_up: bool,
    /// Its agents by state; every state is there.
    pub agents: Vec<(&'static str, usize)>,
    /// Its queues.
    pub queues: Vec<QueueSight>,
    /// Agents without a client, who wait for one.
    pub lost: usize,
    /// Agents that are not as they should be.
    pub to_mend: usize,
    /// Its calls.
    pub calls: usize,
    /// Its reports that wait.
    pub events_waiting: u64,
    /// Commands that wait for it.
    pub commands_waiting: usize,
}

/// One queue's agents.
#[derive(Clone, Debug)]
pub struct QueueSight {
    /// Its number.
    pub queue: u32,
    /// Its name, where it has one.
    pub name: String,
    /// Its agents by state; every state is there.
    pub agents: Vec<(&'static str, usize)>,
}

/// One dialect's sessions.
#[derive(Clone, Debug)]
pub struct SessionSight {
    /// Which.
    pub dialect: &'static str,
    /// Those with a connection.
    pub connected: usize,
    /// Those that wait for their client to come back.
    pub lost: usize,
}

/// Queues that have series of their own; the agents of others are counted among all agents only.
const QUEUES_MAX: usize = 256;

type Labels = Vec<(&'static str, String)>;

impl Sight {
    /// Writes all of it as a scraper reads it.
    pub(super) fn write(&self, metrics: &Metrics, text: &mut String) -> std::fmt::Result {
        let mut gauges = Gauges(Registry::default());
        gauges.set(names::BUILD, [(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1)]);
        let is_ready = is_ready(self.phase, self.acds.iter().map(|acd| acd.is_up));
        gauges.set(names::READY, [(vec![], usize::from(is_ready))]);
        gauges.set(names::STOPPING, [(vec![], usize::from(self.phase == Phase::Stopping))]);
        self.write_clients(&mut gauges);
        self.write_acds(&mut gauges);
        write_process(&mut gauges, metrics);
        prometheus_text::encode(text, &gauges.0)
    }

    fn write_clients(&self, gauges: &mut Gauges) {
        let by_listener =
            self.listeners.iter().map(|listener| (vec![("listener", listener.name.clone())], listener.connections));
        gauges.set(names::CONNECTIONS, by_listener);
        gauges.set(names::CONNECTIONS_MAX, [(vec![], self.connections_max)]);
        let outbound = self.listeners.iter().map(|listener| listener.outbound_bytes).sum();
        gauges.set(names::OUTBOUND_BYTES, [(vec![], outbound)]);
        let most = self.listeners.iter().map(|listener| listener.outbound_bytes_max).max().unwrap_or_default();
        gauges.set(names::OUTBOUND_BYTES_MAX, [(vec![], most)]);
        gauges.set(names::OUTBOUND_BYTES_LIMIT, [(vec![], self.outbound_bytes_limit)]);
        let sessions = self.sessions.iter().flat_map(|sessions| {
            [("connected", sessions.connected), ("lost", sessions.lost)].map(|(state, count)| {
                (vec![("dialect", sessions.dialect.to_owned()), ("state", state.to_owned())], count)
            })
        });
        gauges.set(names::SESSIONS, sessions);
        gauges.set(names::SUBSCRIPTIONS, [(vec![], self.subscriptions)]);
        gauges.set(names::REQUESTS_RUNNING, [(vec![], self.requests_running)]);
        gauges.set(names::TASKS, [(vec![], self.tasks)]);
    }

    fn write_acds(&self, gauges: &mut Gauges) {
        let of_acds = |count: fn(&AcdSight) -> usize| {
            self.acds.iter().map(move |acd| (vec![("peripheral", acd.peripheral.to_string())], count(acd)))
        };
        gauges.set(names::ACD_LINK_UP, of_acds(|acd| usize::from(acd.is_up)));
        gauges.set(names::AGENTS_LOST, of_acds(|acd| acd.lost));
        gauges.set(names::AGENTS_TO_MEND, of_acds(|acd| acd.to_mend));
        gauges.set(names::CALLS, of_acds(|acd| acd.calls));
        gauges.set(names::ACD_EVENTS_WAITING, of_acds(|acd| usize::try_from(acd.events_waiting).unwrap_or(usize::MAX)));
        gauges.set(names::ACD_EVENTS_WAITING_MAX, [(vec![], self.acd_events_max)]);
        gauges.set(names::ACD_COMMANDS_WAITING, of_acds(|acd| acd.commands_waiting));
        gauges.set(names::ACD_COMMANDS_WAITING_MAX, [(vec![], self.acd_commands_max)]);
        gauges.set(names::OVERLOAD, [(vec![], self.overload)]);
        let agents = self.acds.iter().flat_map(|acd| {
            acd.agents.iter().map(|(state, count)| {
                (vec![("peripheral", acd.peripheral.to_string()), ("state", (*state).to_owned())], *count)
            })
        });
        gauges.set(names::AGENTS, agents);
        let queues = self.acds.iter().flat_map(|acd| {
            acd.queues.iter().take(QUEUES_MAX).flat_map(|queue| {
                queue.agents.iter().map(|(state, count)| {
                    let labels = vec![
                        ("peripheral", acd.peripheral.to_string()),
                        ("queue", queue.queue.to_string()),
                        ("name", queue.name.clone()),
                        ("state", (*state).to_owned()),
                    ];
                    (labels, *count)
                })
            })
        });
        gauges.set(names::QUEUE_AGENTS, queues);
    }
}

fn write_process(gauges: &mut Gauges, metrics: &Metrics) {
    let process = Process::now();
    for (named, value) in [
        (names::MEMORY, process.memory_bytes),
        (names::OPEN_FDS, process.fds),
        (names::MAX_FDS, process.fds_max),
        (names::STARTED, metrics.started.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())),
    ] {
        let value = value.and_then(|value| usize::try_from(value).ok());
        gauges.set(named, value.map(|value| (vec![], value)));
    }
}

struct Gauges(Registry);

impl Gauges {
    fn set(&mut self, named: Named, values: impl IntoIterator<Item = (Labels, usize)>) {
        let family = Family::<Labels, Gauge>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        self.0.register(named.name, named.help, family);
    }
}
