//! The session table: who is logged in where, which client session is open, who subscribes to what.
//!
//! Lives here: the facts and the indexes that find them. Not here: sockets, wire types, waiting, and the order in which a
//! login or logout goes (`operations`).
//! Must hold: what the table says of agents is a cache of the ACD's truth and can be rebuilt from it; nothing here scans
//! a whole table to find one thing.
//!
//! Locks are taken in this order and never the other way: an agent's entry, then an ACD's calls,
//! then an index, the links or the statistics, then a subscriber's own, then a log's.

mod agents;
mod attendance;
mod calls;
mod followers;
mod log;
mod places;
pub mod statistics;
mod subscriptions;
mod total;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use parking_lot::{Mutex, RwLock};
use smol_str::SmolStr;

pub use agents::{AdapterState, AgentCell, AgentEntry, Doer, LogoutKind, Unsure};
pub use attendance::Attendance;
pub use calls::Calls;
pub use log::{Behind, Following, Log, Span};
pub use places::{Full, Place, Places};
pub use subscriptions::{Form, Rendered, Subscriber, Subscription, Subscriptions, Target};
pub use total::Total;

use crate::model::{
    AgentFacts, AgentId, AgentKey, CallEvent, CallStep, Event, Instrument, LinkEvent, PeripheralId, QueueId, SessionId,
    Teams,
};

/// A map that many threads share. Keys come from clients: what they hash to is another thing in every process.
pub(crate) type Index<K, V> = DashMap<K, V, ahash::RandomState>;

/// The one table of a gateway.
#[derive(Debug, Default)]
pub struct Table {
    agents: Index<AgentKey, Arc<AgentCell>>,
    /// The agents that may be known, of each ACD.
    agent_places: Places<PeripheralId>,
    /// The sessions that may be open, of each identity that clients open them by.
    pub session_places: Places<SmolStr>,
    /// The subscriptions that clients may start, of all together.
    pub subscription_places: Places<()>,
    calls_max: usize,
    /// Who works at which device, by the device's name and by its extension where that is another.
    /// With the place in the ACD's order of their coming there.
    at_devices: Index<(PeripheralId, Instrument), (AgentId, u64)>,
    links: RwLock<BTreeMap<PeripheralId, Link>>,
    calls: Index<PeripheralId, Arc<Mutex<Calls>>>,
    /// What agents and queues did.
    pub statistics: statistics::Statistics,
    /// Who supervises whom.
    pub teams: Arc<Teams>,
    /// Who has which agent.
    pub attendance: Attendance,
    /// Which subscriptions there are, by what they are about.
    pub subscriptions: Subscriptions,
    /// What waits to be sent, to all clients together.
    pub waiting: Arc<Total>,
    clients: Index<SessionId, Arc<dyn Subscriber>>,
    holders: Index<Target, SessionId>,
    holding: Mutex<()>,
    announcing: Mutex<()>,
    sessions_made: AtomicU32,
    logins_made: AtomicU64,
}

/// How much a table may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Agents of one ACD.
    pub agents_max: usize,
    /// Calls of one ACD.
    pub calls_max: usize,
    /// Sessions that are open by one identity.
    pub sessions_per_client_max: usize,
    /// Subscriptions that clients started, of all together.
    pub subscriptions_max: usize,
}

impl Bounds {
    /// As much as there is memory for.
    pub const NONE: Bounds = Bounds {
        agents_max: usize::MAX,
        calls_max: usize::MAX,
        sessions_per_client_max: usize::MAX,
        subscriptions_max: usize::MAX,
    };
}

/// What is known of one ACD as a whole.
#[derive(Clone, Debug, Default)]
pub struct Link {
    /// Whether it can be reached.
    pub online: bool,
    /// Its queues, by number and name.
    pub queues: Arc<[(QueueId, String)]>,
    /// Its devices; none when it does not list them.
    pub instruments: Option<Arc<Instruments>>,
    /// Whether an agent that the table does not have is none of its agents.
    pub lists_agents: bool,
}

/// The devices that an ACD lists.
#[derive(Debug)]
pub struct Instruments {
    known: HashSet<Instrument>,
    in_order: Vec<Instrument>,
    /// Where to look for a free one next.
    next: AtomicUsize,
}

impl Instruments {
    /// All devices, in the ACD's order.
    pub fn new(in_order: Vec<Instrument>) -> Arc<Instruments> {
        let known = in_order.iter().cloned().collect();
        Arc::new(Instruments { known, in_order, next: AtomicUsize::new(0) })
    }

    /// All of them, in the ACD's order.
    pub fn in_order(&self) -> &[Instrument] {
        &self.in_order
    }

    fn contains(&self, instrument: &Instrument) -> bool {
        self.known.contains(instrument)
    }
}

/// A session could not become the holder of an agent or device: another one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldBy(pub SessionId);

impl Table {
    /// An empty table of a house with these teams, whose days begin that long after midnight, UTC.
    pub fn new(teams: Teams, day_begins: std::time::Duration, bounds: Bounds) -> Table {
        let (teams, waiting) = (Arc::new(teams), Arc::<Total>::default());
        Table {
            agent_places: Places::new(bounds.agents_max),
            session_places: Places::new(bounds.sessions_per_client_max),
            subscription_places: Places::new(bounds.subscriptions_max),
            calls_max: bounds.calls_max,
            statistics: statistics::Statistics::new(day_begins),
            subscriptions: Subscriptions::new(Arc::clone(&teams), Arc::clone(&waiting)),
            waiting,
            teams,
            ..Table::default()
        }
    }

    /// A number for a session that is about to open.
    pub fn new_session(&self) -> SessionId {
        loop {
            let id = SessionId(self.sessions_made.fetch_add(1, Ordering::Relaxed).wrapping_add(1));
            if id.0 != 0 && !self.clients.contains_key(&id) {
                return id;
            }
        }
    }

    /// A number for a login that has just been done.
    pub fn new_login(&self) -> u64 {
        self.logins_made.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The agent, if the table knows it.
    pub fn agent(&self, key: &AgentKey) -> Option<Arc<AgentCell>> {
        self.agents.get(key).map(|cell| Arc::clone(&cell))
    }

    /// The agent, which is made known as logged out if it is not yet, and if one more of its ACD may be.
    pub fn agent_or_new(&self, key: &AgentKey) -> Result<Arc<AgentCell>, Full> {
        if let Some(cell) = self.agent(key) {
            return Ok(cell);
        }
        match self.agents.entry(key.clone()) {
            Entry::Occupied(known) => Ok(Arc::clone(known.get())),
            Entry::Vacant(free) => {
                let place = self.agent_places.take(key.peripheral)?;
                Ok(Arc::clone(&free.insert(Arc::new(AgentCell::new(key.clone(), place)))))
            }
        }
    }

    /// The agent who works at a device now.
    pub fn agent_at(&self, peripheral: PeripheralId, device: &Instrument) -> Option<AgentKey> {
        let agent = self.at_devices.get(&(peripheral, device.clone()))?.0.clone();
        Some(AgentKey { peripheral, agent })
    }

    /// Keeps [`agent_at`](Table::agent_at) true when an agent changes.
    pub fn moved(&self, peripheral: PeripheralId, was: &AgentFacts, now: &AgentFacts) {
        let devices = |facts: &AgentFacts| [facts.instrument.clone(), facts.extension.clone()].into_iter().flatten();
        if was.instrument == now.instrument && was.extension == now.extension {
            return;
        }
        for device in devices(was) {
            self.at_devices.remove_if(&(peripheral, device), |_, (agent, _)| *agent == was.agent);
        }
        for device in devices(now) {
            // What is heard of one agent may be older than what was heard of another: who came last is there.
            let came = (now.agent.clone(), now.order);
            let there = self.at_devices.entry((peripheral, device));
            there
                .and_modify(|last| {
                    if came.1 >= last.1 {
                        last.clone_from(&came)
                    }
                })
                .or_insert(came.clone());
        }
    }

    /// Forgets an agent that the ACD does not know and that nobody is working on.
    pub fn forget_agent(&self, key: &AgentKey) {
        self.agents.remove_if(key, |_, cell| Arc::strong_count(cell) == 1 && cell.entry().is_idle());
    }

    /// Every agent of one peripheral, in the order of their ids: for a rebuild of the table, never for looking one up.
    pub fn agents_of(&self, peripheral: PeripheralId) -> Vec<Arc<AgentCell>> {
        let of_it = self.agents.iter().filter(|cell| cell.key().peripheral == peripheral);
        let mut cells: Vec<Arc<AgentCell>> = of_it.map(|cell| Arc::clone(&cell)).collect();
        cells.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        cells
    }

    /// What is known of an ACD as a whole.
    pub fn link(&self, peripheral: PeripheralId) -> Link {
        self.links.read().get(&peripheral).cloned().unwrap_or_default()
    }

    /// Whether an ACD can be reached.
    pub fn is_online(&self, peripheral: PeripheralId) -> bool {
        self.links.read().get(&peripheral).is_some_and(|link| link.online)
    }

    /// Whether the ACD lists its devices and this is none of them.
    pub fn is_no_instrument(&self, peripheral: PeripheralId, instrument: &Instrument) -> bool {
        self.links
            .read()
            .get(&peripheral)
            .is_some_and(|link| link.instruments.as_ref().is_some_and(|known| !known.contains(instrument)))
    }

    /// Whether the ACD lists its devices and this is one of them, or somebody works there.
    pub fn is_instrument(&self, peripheral: PeripheralId, instrument: &Instrument) -> bool {
        let is_listed = |link: &Link| link.instruments.as_ref().is_some_and(|known| known.contains(instrument));
        self.at_devices.contains_key(&(peripheral, instrument.clone()))
            || self.links.read().get(&peripheral).is_some_and(is_listed)
    }

    /// A device where nobody works, if the ACD lists its devices and there is one. Who asks next gets another one.
    pub fn free_instrument(&self, peripheral: PeripheralId) -> Option<Instrument> {
        let listed = self.link(peripheral).instruments?;
        let is_free = |device: &&Instrument| !self.at_devices.contains_key(&(peripheral, (*device).clone()));
        let count = listed.in_order.len();
        let mut tried = 0;
        while tried < count {
            let at = listed.next.fetch_add(1, Ordering::Relaxed) % count;
            if let Some(device) = listed.in_order.get(at).filter(is_free) {
                return Some(device.clone());
            }
            tried += 1;
        }
        None
    }

    /// Whether the ACD lists its agents and this is none of them.
    pub fn is_no_agent(&self, key: &AgentKey) -> bool {
        self.links.read().get(&key.peripheral).is_some_and(|link| link.online && link.lists_agents)
            && !self.agents.contains_key(key)
            && !self.agent_places.are_taken(&key.peripheral) // then it may be one that is left out
    }

    /// The name of a queue, where it has one.
    pub fn queue_name(&self, peripheral: PeripheralId, queue: QueueId) -> Option<String> {
        let links = self.links.read();
        links.get(&peripheral)?.queues.iter().find(|(number, _)| *number == queue).map(|(_, name)| name.clone())
    }

    /// Changes what is known of an ACD as a whole.
    pub fn with_link(&self, peripheral: PeripheralId, change: impl FnOnce(&mut Link)) {
        change(self.links.write().entry(peripheral).or_default());
    }

    /// Lets a session be told what concerns every session.
    pub fn add_client(&self, client: Arc<dyn Subscriber>) {
        self.clients.insert(client.session(), client);
    }

    /// Ends what a session held: its place among the clients and its agents or devices. Its subscriptions it ends itself.
    pub fn remove_client(&self, session: SessionId, held: &[Target]) {
        self.clients.remove(&session);
        for target in held {
            self.holders.remove_if(target, |_, holder| *holder == session);
        }
    }

    /// A session by its number.
    pub fn client(&self, session: SessionId) -> Option<Arc<dyn Subscriber>> {
        self.clients.get(&session).map(|client| Arc::clone(&client))
    }

    /// Every session that is open, the oldest first.
    pub fn all_clients(&self) -> Vec<Arc<dyn Subscriber>> {
        let mut clients: Vec<Arc<dyn Subscriber>> = self.clients.iter().map(|client| Arc::clone(&client)).collect();
        clients.sort_unstable_by_key(|client| client.session());
        clients
    }

    /// How many sessions are open.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// Makes a session the holder of all these agents and devices, or of none of them. `may_replace` is asked about each
    /// session that holds one of them, or one of `related`, now; those that are replaced are returned.
    pub fn hold(
        &self,
        session: SessionId,
        targets: &[Target],
        related: &[Target],
        may_replace: impl Fn(SessionId) -> bool,
    ) -> Result<Vec<SessionId>, HeldBy> {
        let _one_at_a_time = self.holding.lock();
        let mut replaced = Vec::new();
        for target in targets.iter().chain(related) {
            if let Some(holder) = self.holders.get(target).map(|holder| *holder).filter(|holder| *holder != session) {
                // A holder that is gone from the clients is only not cleaned up yet.
                if self.clients.contains_key(&holder) {
                    if !may_replace(holder) {
                        return Err(HeldBy(holder));
                    }
                    replaced.push(holder);
                }
            }
        }
        for target in targets {
            self.holders.insert(target.clone(), session);
        }
        replaced.sort_unstable();
        replaced.dedup();
        Ok(replaced)
    }

    /// How many open sessions of that client hold one of these.
    pub fn held_by(&self, client: &str, targets: &[Target]) -> usize {
        let holders = targets.iter().filter_map(|target| self.holders.get(target).map(|holder| *holder));
        let mut own: Vec<SessionId> = holders.collect();
        own.sort_unstable();
        own.dedup();
        own.retain(|holder| self.client(*holder).is_some_and(|session| session.client_id() == client));
        own.len()
    }

    /// The session that holds an agent, or the device that it works at.
    pub fn holder(&self, key: &AgentKey, instrument: Option<&Instrument>) -> Option<SessionId> {
        let by_agent = self.holders.get(&Target::Agent(key.clone())).map(|holder| *holder);
        by_agent.or_else(|| {
            let device = Target::Device(key.peripheral, instrument?.clone());
            self.holders.get(&device).map(|holder| *holder)
        })
    }

    /// The calls of an ACD, to be locked.
    pub fn calls(&self, peripheral: PeripheralId) -> Arc<Mutex<Calls>> {
        if let Some(calls) = self.calls.get(&peripheral) {
            return Arc::clone(&calls);
        }
        let new = || Arc::new(Mutex::new(Calls::new(self.calls_max)));
        Arc::clone(&self.calls.entry(peripheral).or_insert_with(new))
    }

    /// From here on the subscription's session gets what it is about. First it is told of the calls that there are.
    pub fn subscribe(&self, subscription: &Arc<Subscription>) {
        let peripherals: Vec<PeripheralId> = match &subscription.target {
            Target::All => self.calls.iter().map(|calls| *calls.key()).collect(),
            Target::Agent(key) => vec![key.peripheral],
            Target::Device(peripheral, _) => vec![*peripheral],
            Target::Call(key) => vec![key.peripheral],
            Target::Team(_) => Vec::new(),
        };
        let locks: Vec<_> = peripherals.into_iter().map(|peripheral| (peripheral, self.calls(peripheral))).collect();
        let calls: Vec<_> = locks.iter().map(|(peripheral, calls)| (*peripheral, calls.lock())).collect();
        for (peripheral, calls) in &calls {
            let there = match &subscription.target {
                Target::All => calls.all(),
                Target::Agent(key) => calls.of_agent(&key.agent),
                Target::Device(_, device) => calls.of_device(device),
                Target::Call(key) => calls.get(key.call).cloned().into_iter().collect(),
                Target::Team(_) => Vec::new(),
            };
            if there.is_empty() && matches!(subscription.target, Target::Call(_)) {
                return subscription.end(); // it has ended meanwhile
            }
            for call in there {
                let at = match &subscription.target {
                    Target::All | Target::Call(_) => Some(call.home.clone()),
                    Target::Agent(key) => call.device_of(&key.agent).cloned(),
                    Target::Device(_, device) => Some(device.clone()),
                    Target::Team(_) => None,
                };
                let Some(at) = at else { continue };
                subscription.tell(&Event::Call(CallEvent {
                    peripheral: *peripheral,
                    call,
                    step: CallStep::Began,
                    was: None,
                    before: None,
                    at,
                    to_all: false,
                    to: Vec::new(),
                    read_at: None,
                }));
            }
        }
        self.subscriptions.add(Arc::clone(subscription));
    }

    /// Hands an event to every subscription that it concerns: rendered once a form; whoever follows everything finds
    /// it in a log, the others get a copy each.
    pub fn publish(&self, event: &Event) {
        self.subscriptions.publish(event);
    }

    /// Tells every open session that the link to an ACD went or came back, the oldest first.
    pub fn announce(&self, event: LinkEvent) {
        let _one_at_a_time = self.announcing.lock();
        // Who is told may look agents up: no index is locked meanwhile.
        for client in self.all_clients() {
            client.announce(event);
        }
    }

    /// Has every open session look whether something has changed for it.
    pub fn wake_clients(&self) {
        self.clients.iter().for_each(|client| client.wake());
    }

    /// While nothing is announced: what is said of links in here is never older than an announcement that came before it.
    pub fn between_announcements<T>(&self, say: impl FnOnce() -> T) -> T {
        let _one_at_a_time = self.announcing.lock();
        say()
    }
}
