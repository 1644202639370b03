//! A session: its agents and devices, its events and their numbers. It outlives its connection.
//!
//! Not here: what it may ask. Must hold: events are numbered, kept and sent under one lock, so that no two connections and
//! no two events can be confused; nothing here waits, and no agent is looked up while that lock is held.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::{BufMut, Bytes, BytesMut};
use cti_protocol::opencti::{Event as WireEvent, ServerMessage};
use parking_lot::Mutex;
use tracing::{info, warn};

use super::call_events::{Told, news};
use super::{DIALECT, OpenCti};
use crate::dialects::Outbox;
use crate::model::{
    AgentId, AgentKey, AgentState, Call, CallEvent, CallId, CallStep, CallStepKind, CallSteps, Event, Filter, Identity,
    Instrument, LinkEvent, PartyKind, PeripheralId, SessionId,
};
use crate::observe::Asked;
use crate::operations::Farewell;
use crate::sessions::{Form, Rendered, Subscriber, Subscription, Target};

/// A client session.
pub(super) struct Session {
    pub(super) shared: Arc<OpenCti>,
    pub(super) id: SessionId,
    /// What its client calls it when it comes back; a secret.
    pub(super) token: String,
    pub(super) client: Identity,
    /// Held while the session loses a connection or gets one, with its agents: the one is over before the other begins.
    pub(super) moving: Mutex<()>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The number of the last event.
    seq: u64,
    /// The last events, but for their numbers; the last one's is `seq`.
    kept: VecDeque<Bytes>,
    kept_bytes: usize,
    /// The connection, while there is one.
    line: Option<Arc<Line>>,
    /// How often the session was taken up or lost: tells one loss from the next.
    turns: u64,
    /// The agents that this client logged in or took up, and by which login. Those whose login has ended are not its any more.
    agents: BTreeMap<AgentKey, u64>,
    /// The devices whose events it gets, and some that a logout ended.
    devices: BTreeMap<(PeripheralId, Instrument), Followed>,
    has_ended: bool,
}

/// A device whose events a session gets.
#[derive(Debug)]
struct Followed {
    subscription: Arc<Subscription>,
    /// The agent for whose sake, and whose events alone are heard besides those of the session's own agents; none: everybody's.
    whose: Option<AgentKey>,
    /// What the session was told of the device's calls.
    calls: HashMap<CallId, Told>,
}

impl fmt::Debug for Session {
    /// Without the name by which it could be taken up.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.id).field("identity", &self.client.id).finish_non_exhaustive()
    }
}

/// One connection of a session: where its answers go, whatever becomes of the session.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) outbox: Arc<Outbox>,
    /// Requests that were taken and are not answered yet.
    pub(super) in_flight: AtomicUsize,
    /// The request that is looked at just now, until somebody has taken it on to answer it later.
    pub(super) asked: Mutex<Option<Asked>>,
}

impl Line {
    /// Adds a message to what is sent.
    pub(super) fn say(&self, message: impl Into<ServerMessage>) {
        let message = message.into();
        self.outbox.add(|out| {
            message.write(out);
            out.put_u8(b'\n');
        });
    }

    /// The last word.
    pub(super) fn say_last(&self, message: impl Into<ServerMessage>) {
        let message = message.into();
        self.outbox.add_last(|out| {
            message.write(out);
            out.put_u8(b'\n');
        });
    }

    /// The end of a request that was in flight.
    pub(super) fn answer(&self, message: impl Into<ServerMessage>) {
        self.say(message);
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
        self.outbox.wake();
    }

    fn send_event(&self, seq: u64, body: &[u8], read_at: Option<Instant>) {
        self.outbox.add_event(read_at, |out| write_event(seq, body, out));
    }

    fn send_backlog(&self, seq: u64, body: &[u8], _: Option<Instant>) {
        self.outbox.add_backlog(|out| write_event(seq, body, out));
    }
}

fn write_event(seq: u64, body: &[u8], out: &mut BytesMut) {
    WireEvent::splice(seq, body, out);
    out.put_u8(b'\n');
}

/// How a session was taken up again.
pub(super) enum Resumed {
    /// Every event that was missed is sent.
    Whole,
    /// Some are lost.
    Cut { why: String },
}

impl Session {
    pub(super) fn new(shared: Arc<OpenCti>, id: SessionId, client: Identity) -> Arc<Session> {
        let token = format!("{:032x}", rand::random::<u128>());
        Arc::new(Session { shared, id, token, client, moving: Mutex::default(), inner: Mutex::default() })
    }

    /// The first connection of a new session.
    pub(super) fn begin(&self, line: &Arc<Line>) {
        self.inner.lock().line = Some(Arc::clone(line));
    }

    /// Whether it has a connection, as far as the gateway knows.
    pub(super) fn has_line(&self) -> bool {
        self.inner.lock().line.is_some()
    }

    /// Gives the session this connection. `welcome` says that it is open, before all that was missed since `seen` is sent.
    /// None if the session has ended meanwhile.
    pub(super) fn resume(&self, line: &Arc<Line>, seen: u64, welcome: impl FnOnce(u64, &Resumed)) -> Option<Resumed> {
        let mut inner = self.inner.lock();
        if inner.has_ended {
            return None;
        }
        if let Some(old) = inner.line.replace(Arc::clone(line)) {
            old.outbox.replace(self.id);
        } else {
            self.shared.sessions.lost.fetch_sub(1, Ordering::AcqRel);
        }
        inner.turns += 1;
        let last = inner.seq;
        let first_kept = last - inner.kept.len() as u64; // the number before the first that is kept
        if seen > last {
            let why = format!("event {seen} was never sent, the last one is {last}");
            let cut = Resumed::Cut { why };
            welcome(last, &cut);
            return Some(cut);
        }
        if seen < first_kept {
            let why = format!("{} of the events missed are not kept any more", first_kept - seen);
            let cut = Resumed::Cut { why };
            welcome(last, &cut);
            return Some(cut);
        }
        welcome(seen, &Resumed::Whole);
        let known = (seen - first_kept) as usize;
        for (seq, body) in (seen + 1..).zip(inner.kept.iter().skip(known)) {
            line.send_backlog(seq, body, None);
        }
        Some(Resumed::Whole)
    }

    /// The connection is gone. Unless the session has another one by now, its agents are lost from here on, and after the
    /// window the session itself is.
    pub(super) fn lose_line(self: &Arc<Session>, line: &Arc<Line>, how: Farewell) {
        let moving = self.moving.lock();
        let (turn, lost) = {
            let mut inner = self.inner.lock();
            if !inner.line.as_ref().is_some_and(|current| Arc::ptr_eq(current, line)) {
                return;
            }
            inner.line = None;
            inner.turns += 1;
            // Counted under the lock, as `resume` counts back: never less than none.
            (inner.turns, self.shared.sessions.lost.fetch_add(1, Ordering::AcqRel))
        };
        let (house, keeping) = (&self.shared.house, &self.shared.keeping);
        house.leave(self.id, &self.token, how);
        drop(moving);
        if lost >= keeping.lost_sessions_max {
            warn!(session = %self.id, identity = self.client.id.as_str(), lost, "too many lost sessions, this one is not kept");
            return self.end_unless_back(turn);
        }
        let window = keeping.resume_window;
        let session = Arc::clone(self);
        house.later(window, move || session.end_unless_back(turn));
    }

    fn end_unless_back(&self, turn: u64) {
        let devices = {
            let mut inner = self.inner.lock();
            if inner.turns != turn {
                return;
            }
            inner.has_ended = true;
            std::mem::take(&mut inner.devices)
        };
        for followed in devices.values() {
            self.shared.house.table.subscriptions.remove(&followed.subscription);
        }
        self.shared.house.table.remove_client(self.id, &[]);
        self.shared.sessions.by_token.remove(&self.token);
        self.shared.sessions.lost.fetch_sub(1, Ordering::AcqRel);
        info!(session = %self.id, identity = self.client.id.as_str(), "session ended: its client did not come back");
    }

    /// Sends an event that is for this session alone.
    pub(super) fn say_event(&self, body: Bytes) {
        // A Snapshot of one agent among a thousand, as a rule.
        self.inner.lock().push(&self.shared, body, None, Line::send_backlog);
    }

    /// A Snapshot of one agent as it is now.
    pub(super) fn say_snapshot(&self, key: &AgentKey, message: Option<String>) {
        let shared = &self.shared;
        let Some(cell) = shared.house.table.agent(key) else {
            let shown = shared.shown(key);
            return self.say_event(shared.snapshot(Some(key.peripheral), Some(key), shown, message));
        };
        // Looked at and sent before anything can change: what comes after it is newer.
        let entry = cell.entry();
        let shown = super::render::Shown::of(&entry);
        self.say_event(shared.snapshot(Some(key.peripheral), Some(key), shown, message));
    }

    /// A Snapshot of the device's agent, or of the device where nobody works there.
    pub(super) fn say_snapshot_of_device(&self, peripheral: PeripheralId, device: &Instrument) {
        let place = (peripheral, device.clone());
        let there = self.shared.house.table.agent_at(peripheral, device);
        match there.filter(|key| self.inner.lock().hears(&place, Some(&key.agent))) {
            Some(key) => self.say_snapshot(&key, None),
            None => {
                let shown = super::render::Shown { facts: None, device: Some(device.clone()), is_adapter_open: false };
                self.say_event(self.shared.snapshot(Some(peripheral), None, shown, None));
            }
        }
    }

    /// A Snapshot of everything that the session has, on one ACD or on all.
    pub(super) fn say_snapshots(&self, peripheral: Option<PeripheralId>) {
        let is_there = |id: PeripheralId| peripheral.is_none_or(|only| only == id);
        let (agents, devices) = {
            let mut inner = self.inner.lock();
            inner.devices.retain(|_, followed| !followed.subscription.has_ended()); // by a logout
            let agents = inner.agents.iter().filter(|(key, _)| is_there(key.peripheral));
            let agents: Vec<_> = agents.map(|(key, login)| (key.clone(), *login)).collect();
            let devices: Vec<_> = inner.devices.keys().filter(|(id, _)| is_there(*id)).cloned().collect();
            (agents, devices)
        };
        // One that is in by another login is somebody else's by now; one that is out has to be told so.
        let is_own = |(key, login): &(AgentKey, u64)| self.shared.house.login_of(key).is_none_or(|now| now == *login);
        let agents: Vec<AgentKey> = agents.into_iter().filter(is_own).map(|(key, _)| key).collect();
        for key in &agents {
            self.say_snapshot(key, None);
        }
        for (id, device) in devices {
            let works_there = self.shared.house.table.agent_at(id, &device);
            if works_there.is_none_or(|key| !agents.contains(&key)) {
                self.say_snapshot_of_device(id, &device);
            }
        }
    }

    /// Lets go of the agents that were logged out without this client's asking.
    pub(super) fn forget_logged_out(&self) {
        for (key, login) in self.agents() {
            if self.shared.house.login_of(&key) != Some(login) {
                self.inner.lock().agents.remove(&key);
            }
        }
    }

    /// Whether the session has the agent.
    pub(super) fn has_agent(&self, key: &AgentKey) -> bool {
        let login = self.inner.lock().agents.get(key).copied();
        login.is_some() && self.shared.house.login_of(key) == login
    }

    /// The session's agents, each with its login.
    pub(super) fn agents(&self) -> Vec<(AgentKey, u64)> {
        self.inner.lock().agents.iter().map(|(key, login)| (key.clone(), *login)).collect()
    }

    /// Whether one more agent or device would be too many, here or of all sessions.
    pub(super) fn is_full(&self) -> bool {
        if self.shared.house.table.subscription_places.are_taken(&()) {
            return true;
        }
        let is_full = |inner: &Inner| inner.devices.len().max(inner.agents.len()) >= self.shared.devices_max;
        if !is_full(&self.inner.lock()) {
            return false;
        }
        self.forget_logged_out();
        let mut inner = self.inner.lock();
        inner.devices.retain(|_, followed| !followed.subscription.has_ended());
        is_full(&inner)
    }

    /// The session has the agent from here on, if it is logged in.
    pub(super) fn take_up(&self, key: &AgentKey) -> bool {
        // A session without a connection has it as well, and is back for it or not.
        let login = self.shared.house.attend(self.id, key, None).or_else(|| self.shared.house.login_of(key));
        login.is_some_and(|login| {
            self.inner.lock().agents.insert(key.clone(), login);
            true
        })
    }

    /// The session hears of a device from here on; of its calls once it [follows](Session::follow_calls) them.
    pub(super) fn subscribe(
        self: &Arc<Session>,
        peripheral: PeripheralId,
        device: &Instrument,
        whose: Option<AgentKey>,
    ) {
        let subscription = {
            let mut inner = self.inner.lock();
            let place = (peripheral, device.clone());
            if inner.has_ended {
                return;
            }
            if let Some(current) = inner.devices.get_mut(&place).filter(|current| !current.subscription.has_ended()) {
                current.whose = whose;
                return;
            }
            let target = Target::Device(peripheral, device.clone());
            let filter = Filter { calls: CallSteps::default(), ..everything() };
            // Whether there is room was looked at when it was asked for: who was let in then is not left out now.
            let room = self.shared.house.table.subscription_places.take(()).ok();
            let subscription = Subscription::in_place(room, 0, target, filter, Arc::<Session>::clone(self) as _);
            let followed = Followed { subscription: Arc::clone(&subscription), whose, calls: HashMap::new() };
            inner.devices.insert(place, followed);
            subscription
        };
        self.shared.house.table.subscribe(&subscription);
        if self.inner.lock().has_ended {
            self.shared.house.table.subscriptions.remove(&subscription); // ended in between: nobody else would find it
        }
    }

    /// Tells how the device stands on each of its calls, and of what happens to them from here on, if the session hears of
    /// the device.
    pub(super) fn follow_calls(&self, peripheral: PeripheralId, device: &Instrument) {
        let calls = self.shared.house.table.calls(peripheral);
        let calls = calls.lock(); // nothing happens to them meanwhile
        let place = (peripheral, device.clone());
        let is_heard = |call: &Arc<Call>| self.inner.lock().hears(&place, agent_on(call, device));
        let there: Vec<_> = calls
            .of_device(device)
            .into_iter()
            .filter(is_heard)
            .map(|call| {
                let (said, told) = news(&call, None, device, None);
                let said: Vec<Bytes> =
                    said.into_iter().map(|what| self.shared.of_call(peripheral, &call, what)).collect();
                (call.id, said, told)
            })
            .collect();
        let mut inner = self.inner.lock();
        let Some(followed) = inner.devices.get_mut(&place) else { return };
        followed.subscription.set_filter(everything());
        followed.calls = there.iter().filter_map(|(id, _, told)| Some((*id, told.clone()?))).collect();
        for body in there.into_iter().flat_map(|(_, said, _)| said) {
            inner.push(&self.shared, body, None, Line::send_backlog);
        }
    }

    /// The same for every device.
    pub(super) fn follow_all_calls(&self) {
        let devices: Vec<_> = self.inner.lock().devices.keys().cloned().collect();
        for (peripheral, device) in devices {
            self.follow_calls(peripheral, &device);
        }
    }

    /// Says of a call what has become different for the device.
    fn tell_call(&self, subscription: &Subscription, event: &CallEvent) {
        let Target::Device(peripheral, device) = &subscription.target else { return };
        let place = (*peripheral, device.clone());
        let was = match &event.step {
            CallStep::Transferred(joined) | CallStep::Conferenced(joined) => joined.secondary,
            _ => event.was,
        };
        // What is said of an ACD's calls is said while they are locked, one thing after the other: so it can be written
        // outside this session's lock.
        let (call, old) = {
            let inner = self.inner.lock();
            let Some(followed) = inner.devices.get(&place) else { return };
            let listed = event.to.iter().find(|(at, _)| at == device).map(|(_, agent)| agent.as_ref());
            if !inner.hears(&place, listed.unwrap_or_else(|| agent_on(&event.call, device))) {
                return;
            }
            (followed.calls.get(&event.call.id).cloned(), was.and_then(|was| followed.calls.get(&was).cloned()))
        };
        let mut said: Vec<Bytes> = Vec::new();
        if let Some(old) = &old {
            said.push(self.shared.of_call(*peripheral, &old.call, old.over(device)));
        }
        let (what, told) = news(&event.call, Some(&event.step), device, call.as_ref());
        said.extend(what.into_iter().map(|what| self.shared.of_call(*peripheral, &event.call, what)));
        let mut inner = self.inner.lock();
        if subscription.has_ended() {
            return;
        }
        if let Some(followed) = inner.devices.get_mut(&place) {
            if let Some(was) = was {
                followed.calls.remove(&was);
            }
            match told {
                Some(told) => drop(followed.calls.insert(event.call.id, told)),
                None => drop(followed.calls.remove(&event.call.id)),
            }
        }
        for body in said {
            inner.push(&self.shared, body, event.read_at, Line::send_event);
        }
    }

    /// The session does not hear of a device any more.
    pub(super) fn unsubscribe(&self, peripheral: PeripheralId, device: &Instrument) {
        let ended = self.inner.lock().devices.remove(&(peripheral, device.clone()));
        if let Some(followed) = ended {
            self.shared.house.table.subscriptions.remove(&followed.subscription);
        }
    }

    /// The agent is no longer this session's, and its device's events neither.
    pub(super) fn let_go(&self, key: &AgentKey, device: Option<&Instrument>) {
        self.inner.lock().agents.remove(key);
        if let Some(device) = device {
            self.unsubscribe(key.peripheral, device);
        }
    }
}

impl Inner {
    /// Whether the session may hear of that agent at a device that it subscribed to. Others may come to work there meanwhile.
    fn hears(&self, place: &(PeripheralId, Instrument), agent: Option<&AgentId>) -> bool {
        let Some(whose) = self.devices.get(place).map(|followed| &followed.whose) else { return false };
        let Some(whose) = whose else { return true };
        let Some(agent) = agent else { return false };
        let key = AgentKey { peripheral: place.0, agent: agent.clone() };
        *whose == key || self.agents.contains_key(&key)
    }

    fn push(
        &mut self,
        shared: &OpenCti,
        body: Bytes,
        read_at: Option<Instant>,
        send: fn(&Line, u64, &[u8], Option<Instant>),
    ) {
        self.seq += 1;
        if let Some(line) = &self.line {
            send(line, self.seq, &body, read_at);
        }
        self.kept_bytes += body.len();
        self.kept.push_back(body);
        while self.kept.len() > shared.keeping.resume_events_max || self.kept_bytes > shared.keeping.resume_bytes_max {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.kept_bytes -= oldest.len();
        }
    }
}

impl Subscriber for Session {
    fn session(&self) -> SessionId {
        self.id
    }

    fn client_id(&self) -> &str {
        &self.client.id
    }

    fn dialect(&self) -> &'static str {
        DIALECT
    }

    fn is_connected(&self) -> bool {
        self.inner.lock().line.is_some()
    }

    fn form(&self) -> Form {
        FORM
    }

    fn render(&self, event: &Event) -> Option<Rendered> {
        Some(Rendered { bytes: self.shared.render(event)?, own_id_at: None })
    }

    fn deliver(&self, subscription: &Subscription, event: &Event, rendered: &Rendered) {
        if let Event::Call(event) = event {
            return self.tell_call(subscription, event);
        }
        let mut inner = self.inner.lock();
        let agent = match event {
            Event::Agent(event) => Some(&event.facts.agent),
            Event::PreCall(event) => Some(&event.call.agent),
            Event::Correction(event) => event.agent.as_ref(),
            Event::Call(_) => None,
        };
        let is_heard = match &subscription.target {
            Target::Device(peripheral, device) => inner.hears(&(*peripheral, device.clone()), agent),
            _ => true,
        };
        if is_heard && !subscription.has_ended() {
            inner.push(&self.shared, rendered.bytes.clone(), event.read_at(), Line::send_event);
        }
    }

    fn end(&self, subscription: &Subscription) {
        let _inner = self.inner.lock();
        subscription.ended_mark().store(true, Ordering::Release);
    }

    fn announce(&self, event: LinkEvent) {
        self.say_snapshots(Some(event.peripheral));
    }

    fn wake(&self) {
        if let Some(line) = &self.inner.lock().line {
            line.outbox.wake();
        }
    }

    /// A session has many agents: it loses them one by one.
    fn replace(&self, _by: SessionId) {}

    fn lose(&self, agent: &AgentKey, by: SessionId) {
        let device = self.shared.last_device(agent);
        self.let_go(agent, device.as_ref());
        let shown = super::render::Shown { is_adapter_open: false, ..self.shared.shown(agent) };
        let message = format!("agent {} was taken over by session {by}", agent.agent);
        self.say_event(self.shared.snapshot(Some(agent.peripheral), Some(agent), shown, Some(message)));
    }
}

/// Who is on a call at that device.
fn agent_on<'a>(call: &'a Call, device: &Instrument) -> Option<&'a AgentId> {
    match &call.party(device)?.kind {
        PartyKind::Agent(agent) => Some(agent),
        _ => None,
    }
}

fn everything() -> Filter {
    Filter {
        agent_states: AgentState::ALL.into_iter().collect(),
        pre_calls: false,
        pre_call_aborts: false,
        calls: CallStepKind::ALL.into_iter().collect(),
    }
}

/// All sessions of this dialect share their events' bytes; GED-188's forms are small numbers.
const FORM: Form = Form(u32::MAX);
