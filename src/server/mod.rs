//! Listeners, connections and their end: everything that touches a socket.
//!
//! Lives here: accept, read, write, deadlines, limits, shutdown. Not here: what any message means (`dialects`).
//! Must hold: nobody waits for a client; a connection ends for one reason, which its log line names.

mod connection;
mod counted;
mod goodbyes;
mod http;
mod listener;
mod observing;
mod open;
mod origin;
mod reload;
mod room;
mod sockets;
mod stall;
mod strain;
mod tcp;
mod tls;
mod watch;
mod websocket;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use self::goodbyes::Goodbyes;
use self::observing::Observing;
use self::room::Room;
use self::watch::Watch;
use crate::access::Gate;
use crate::acd::asterisk::AsteriskAcd;
use crate::acd::embedded::EmbeddedAcd;
use crate::acd::{Acd, AcdConfigError, Peripheral};
use crate::config::{AcdConfig, AcdKind, Config, DialectName, ListenerConfig, ReasonConfig, Transport};
use crate::dialects::Dialect;
use crate::dialects::ged188::Ged188;
use crate::dialects::opencti::{OpenCti, Sessions};
use crate::model::{PeripheralId, ReasonCode};
use crate::observe::Phase;
use crate::operations::{Bearable, Grace, House, Rules};
use crate::sessions::Bounds;
use crate::tls::TlsError;

use listener::{Listener, Live, Spoken};
use tls::Secured;

pub use reload::Reloaded;

/// A running gateway.
pub struct Gateway {
    house: Arc<House>,
    gate: Arc<Gate>,
    listeners: Vec<(String, SocketAddr)>,
    /// What is spoken at each listener, in the same order.
    spoken: Vec<Arc<Live<Spoken>>>,
    watch: Arc<Watch>,
    observing: Option<Observing>,
    /// What is in force.
    config: Mutex<Config>,
    speak: Speak,
    /// What all connections together may be owed.
    /// First: no new connections, one after the other is told, and what does not end by itself is cut.
    goodbyes: Arc<Goodbyes>,
    /// Cancelled when all is over.
    stopped: CancellationToken,
    accepting: TaskTracker,
    connections: TaskTracker,
    drain: Duration,
    /// How long running commands can take: every step of the longest, and the turn of one before it.
    commands: Duration,
}

/// Makes the dialect of a listener.
type Speak = Box<dyn Fn(&Arc<House>, &Arc<Gate>, &Config, &ListenerConfig) -> Arc<dyn Dialect> + Send + Sync>;

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A listener's address could not be bound.
    #[error("{key}: cannot listen on {address}: {error}")]
    Bind {
        /// The key in the configuration.
        key: String,
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// A listener's TLS cannot be used.
    #[error("listener[{at}].tls.{error}")]
    Tls {
        /// Which listener.
        at: usize,
        /// What is wrong.
        error: TlsError,
    },
    /// A client's secret cannot be had.
    #[error("{key}: {what}")]
    Client {
        /// The key in the configuration.
        key: String,
        /// What is wrong.
        what: String,
    },
    /// An ACD's own configuration does not hold together.
    #[error("acd (peripheral {peripheral}): {error}")]
    Acd {
        /// Which.
        peripheral: PeripheralId,
        /// What is wrong.
        error: AcdConfigError,
    },
}

impl Gateway {
    /// Starts what the configuration says; returns when every listener is bound and every ACD is up, or has
    /// been waited for long enough.
    pub async fn start(config: Config) -> Result<Gateway, StartError> {
        let peripherals = config.acds.iter().map(|acd| peripheral(acd, &config.reasons));
        let peripherals = peripherals.collect::<Result<Vec<_>, _>>()?;
        Gateway::start_with(config, peripherals).await
    }

    /// As [`start`](Gateway::start), with ACDs that the caller made: a simulator whose console it keeps, or its own.
    pub async fn start_with(config: Config, peripherals: Vec<Peripheral>) -> Result<Gateway, StartError> {
        let sessions = Sessions::default();
        let dialect = move |house: &Arc<House>, gate: &Arc<Gate>, config: &Config, listener: &ListenerConfig| {
            dialect(house, gate, config, listener, &sessions)
        };
        Gateway::start_speaking(config, peripherals, dialect).await
    }

    /// As [`start_with`](Gateway::start_with), with dialects that the caller makes, one for each listener.
    pub async fn start_speaking(
        config: Config,
        peripherals: Vec<Peripheral>,
        dialect: impl Fn(&Arc<House>, &Arc<Gate>, &Config, &ListenerConfig) -> Arc<dyn Dialect> + Send + Sync + 'static,
    ) -> Result<Gateway, StartError> {
        let house = House::new(peripherals, config.teams(), rules(&config));
        let watch = Watch::new(&house, &config);
        let observing = observing(&config, &watch).await?;
        let doors = config.doors().map_err(|(key, what)| StartError::Client { key, what })?;
        let gate = Gate::new(doors);
        let mut bound = Vec::new();
        for (at, listener) in config.listeners.iter().enumerate() {
            let address = listener.address;
            let socket = listen(address).and_then(|socket| Ok((socket.local_addr()?, socket)));
            let (local, socket) = socket.map_err(|error| {
                let key = format!("listener[{at}].address");
                StartError::Bind { key, address, error }
            })?;
            let tls = secured(at, listener)?;
            bound.push((name(listener, at, &config.listeners), local, socket, tls));
        }
        house.connect(config.limits.acd_events_max);
        // One ACD that is away must not keep the agents of the others from their work.
        if tokio::time::timeout(config.timeouts.acd_start, house.all_online()).await.is_err() {
            warn!("not every acd can be reached, going on without: their agents are told when they can");
        }

        house.table.waiting.allow(config.limits.outbound_total_bytes_max, config.limits.connections_max);
        let mut gateway = Gateway {
            house,
            gate,
            listeners: bound.iter().map(|(name, local, ..)| (name.clone(), *local)).collect(),
            watch,
            observing,
            goodbyes: Arc::new(Goodbyes::new(config.timeouts.goodbyes)),
            stopped: CancellationToken::new(),
            accepting: TaskTracker::new(),
            connections: TaskTracker::new(),
            spoken: Vec::new(),
            drain: config.timeouts.drain,
            commands: config.timeouts.acd_answer * COMMAND_STEPS_MAX,
            config: Mutex::new(config.clone()),
            speak: Box::new(dialect),
        };
        if gateway.gate.is_open_to_anybody() {
            warn!("no [[client]] is configured: any client id may open a session");
        }
        for (key, what) in config.insecurities() {
            warn!(key, what, "not secure, and allow_insecure lets it be so");
        }
        let bearable = Bearable { lag_max: config.timeouts.lag, memory_bytes_max: config.limits.memory_bytes_max };
        tokio::spawn(strain::measure(Arc::clone(&gateway.house), bearable, gateway.stopped.clone()));
        let room = Arc::new(Room::new(gateway.connections.clone()));
        for ((name, local, socket, tls), settings) in bound.into_iter().zip(&config.listeners) {
            info!(listener = name, address = %local, tls = tls.is_some(), "listening");
            let spoken = Arc::new(Live::new(gateway.speak(&config, settings, tls, (&name, local))));
            gateway.spoken.push(Arc::clone(&spoken));
            let (goodbyes, room) = (Arc::clone(&gateway.goodbyes), Arc::clone(&room));
            gateway.accepting.spawn(Listener { socket, spoken, goodbyes, room }.run());
        }
        gateway.watch.enters(Phase::Serving);
        Ok(gateway)
    }

    /// What the connections of a listener have in common, from now on.
    fn speak(
        &self,
        config: &Config,
        settings: &ListenerConfig,
        tls: Option<Secured>,
        (name, address): (&str, SocketAddr),
    ) -> Spoken {
        let dialect_name = settings.dialect.as_str();
        Spoken {
            name: name.to_owned(),
            dialect_name,
            counts: self.house.metrics.listener(name, dialect_name),
            open_connections: self.watch.listens(name, address),
            transport: settings.transport,
            origins: origin::Origins::new(&settings.origins),
            tls,
            dialect: (self.speak)(&self.house, &self.gate, config, settings),
            open: config.timeouts.open,
            dead_peer: config.timeouts.dead_peer,
            limits: config.limits.clone(),
            write: config.timeouts.write,
            outbound: Arc::clone(&self.house.table.waiting),
            goodbyes: Arc::clone(&self.goodbyes),
        }
    }

    /// Where clients can connect: the listeners' names and the addresses that they really have.
    pub fn listeners(&self) -> &[(String, SocketAddr)] {
        &self.listeners
    }

    /// Where metrics and health are, if anywhere.
    pub fn observed_at(&self) -> Option<SocketAddr> {
        self.observing.as_ref().map(Observing::address)
    }

    /// The table and the operations, for a program that has the gateway built in.
    pub fn house(&self) -> &Arc<House> {
        &self.house
    }

    /// Stops in good order: no more connections, a goodbye to one client after the other, who is served until then, running
    /// commands to their end, and what is then left of the connections after the configured time is cut.
    pub async fn drain(self) {
        self.watch.enters(Phase::Stopping);
        let (connections, goodbyes) = (self.connections.len(), self.goodbyes.spread());
        info!(
            connections,
            ?goodbyes,
            "stopping: no more connections are taken, one client after the other is sent away"
        );
        self.goodbyes.begin(connections);
        self.watch.wake_connections();
        self.accepting.close();
        self.accepting.wait().await; // from here on there are no new connections
        self.connections.close();
        let _all_are_told = tokio::time::timeout(goodbyes, self.connections.wait()).await;
        // A logout under way is not cut: each step of a command has its own deadline.
        if tokio::time::timeout(self.commands, self.house.commands_done()).await.is_err() {
            warn!("requests are still not answered, going on without them");
        }
        if tokio::time::timeout(self.drain, self.connections.wait()).await.is_err() {
            warn!(connections = self.connections.len(), "the time for goodbyes is over, closing the rest");
            self.goodbyes.cut();
            self.watch.wake_connections();
            self.connections.wait().await;
        }
        // What was taken before its connection heard of the end.
        let _ = tokio::time::timeout(self.commands, self.house.commands_done()).await;
        self.house.end();
        self.stopped.cancel();
        if let Some(observing) = self.observing {
            observing.end().await;
        }
        info!("stopped");
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("listeners", &self.listeners).finish_non_exhaustive()
    }
}

async fn observing(config: &Config, watch: &Arc<Watch>) -> Result<Option<Observing>, StartError> {
    let Some(address) = config.observe.address else { return Ok(None) };
    let started = Observing::start(address, Arc::<Watch>::clone(watch) as _).await;
    let key = "observe.address".to_owned();
    started.map(Some).map_err(|error| StartError::Bind { key, address, error })
}

fn secured(at: usize, listener: &ListenerConfig) -> Result<Option<Secured>, StartError> {
    let tls = listener.tls.as_ref().map(Secured::new).transpose();
    tls.map_err(|error| StartError::Tls { at, error })
}

fn peripheral(config: &AcdConfig, reasons: &[ReasonConfig]) -> Result<Peripheral, StartError> {
    let AcdConfig { peripheral: id, kind } = config;
    let acd: Result<Arc<dyn Acd>, AcdConfigError> = match kind {
        AcdKind::Embedded(embedded) => EmbeddedAcd::new(embedded.clone()).map(|acd| Arc::new(acd) as _),
        AcdKind::Asterisk(asterisk) => {
            let catalogue = reasons.iter().map(|reason| (reason.code, reason.name.clone()));
            AsteriskAcd::new(&asterisk.clone().with_catalogue(catalogue)).map(|acd| Arc::new(acd) as _)
        }
    };
    Ok(Peripheral { id: *id, acd: acd.map_err(|error| StartError::Acd { peripheral: *id, error })? })
}

fn dialect(
    house: &Arc<House>,
    gate: &Arc<Gate>,
    config: &Config,
    listener: &ListenerConfig,
    sessions: &Sessions,
) -> Arc<dyn Dialect> {
    let (house, gate) = (Arc::clone(house), Arc::clone(gate));
    match listener.dialect {
        DialectName::Ged188 => Arc::new(Ged188::new(house, gate, config, listener)),
        DialectName::Opencti => Arc::new(OpenCti::new(house, gate, config, listener, sessions.clone())),
    }
}

/// What a configuration says of operations: for who makes a house without a gateway around it.
pub fn rules(config: &Config) -> Rules {
    let sessions = &config.sessions;
    Rules {
        acd_answer: config.timeouts.acd_answer,
        retry_min: config.timeouts.adapter_retry_min,
        retry_max: config.timeouts.adapter_retry_max,
        deferred_events_max: config.limits.deferred_events_max,
        second_client: sessions.second_client,
        grace: sessions.grace.then_some(Grace {
            not_ready_after: sessions.not_ready_after,
            logout_after: sessions.logout_after,
            reason: ReasonCode(sessions.lost_reason),
        }),
        logout_on_call: sessions.logout_on_call,
        day_begins: sessions.day_begins,
        audit: Some(config.timeouts.audit).filter(|every| !every.is_zero()),
        commands_max: config.limits.acd_commands_max,
        bounds: Bounds {
            agents_max: config.limits.agents_max,
            calls_max: config.limits.calls_max,
            sessions_per_client_max: config.limits.sessions_per_client_max,
            subscriptions_max: config.limits.subscriptions_max,
        },
    }
}

/// Takes an address, with room for many who come at once: beyond it each waits for seconds until it tries again by itself.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(COMING_MAX)
}

/// Those who were not accepted yet; the system has a bound of its own.
const COMING_MAX: u32 = 16_384;
/// The ACD's answers that a command may wait for, and those of one before it in its turn.
const COMMAND_STEPS_MAX: u32 = 10;

/// The first listener of a dialect and transport has their name, the others have `-2`, `-3` … behind it.
fn name(listener: &ListenerConfig, at: usize, all: &[ListenerConfig]) -> String {
    let own = |listener: &ListenerConfig| match listener.transport {
        Transport::Tcp => listener.dialect.to_string(),
        Transport::Websocket => format!("{}-ws", listener.dialect),
    };
    let name = own(listener);
    match all[..at].iter().filter(|earlier| own(earlier) == name).count() {
        0 => name,
        earlier => format!("{name}-{}", earlier + 1),
    }
}
