//! Who watches: all that clients and the ACD see goes through here, and is held against what must hold.
//!
//! Lives here: the invariants that can be seen on a wire or at the ACD. Not here: those of the table, and what is left at
//! the end (`gateway`). Must hold: what is called a breach is one, whatever the order of things that happen at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use ctigate::model::{AgentFacts, AgentId};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::story::{Invariant, Story};
use super::words::{AGENTS, Ask, Brings, CallStep, Heard, LOST_REASON, Opening, Source, Target, View};

/// What the ACD is asked.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Command {
    OpenAdapter,
    CloseAdapter,
    Authenticate,
    LogIn,
    SetState { reason: u16 },
    LogOut { reason: u16, is_whole: bool },
    ControlCall,
    Agent,
    Snapshot,
}

impl Command {
    /// Whether the answer says how the agent is then.
    pub fn is_answered_with_facts(self) -> bool {
        matches!(self, Command::LogIn | Command::SetState { .. } | Command::LogOut { .. })
    }
}

/// By what the watch judges.
#[derive(Clone, Copy, Debug)]
pub struct Yardstick {
    /// Clients may share an agent.
    pub is_shared: bool,
    /// The ACD lists all its agents. If not, who is logged out is forgotten, and may be told of once more.
    pub lists_agents: bool,
    /// How long the ACD's reports are on their way.
    pub lag: Duration,
    pub not_ready_after: Duration,
    pub logout_after: Duration,
}

/// How far the gateway's table is, for who begins to listen: the order of an agent's facts there.
pub type Lens = Box<dyn Fn(&str) -> Option<u64> + Send>;

#[derive(Clone)]
pub struct Watch {
    story: Story,
    inner: Arc<Mutex<Inner>>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

struct Inner {
    story: Story,
    yardstick: Yardstick,
    lens: Option<Lens>,
    /// Counts everything that is noted here.
    seq: u64,
    lives: BTreeMap<String, Life>,
    lines: Vec<Line>,
    sessions: Vec<Session>,
}

/// All that became of one agent.
#[derive(Default)]
struct Life {
    /// What the ACD ever said of it, in its order.
    moments: Vec<AgentFacts>,
    /// The same with the adapter, and since when.
    conditions: Vec<Condition>,
    /// Commands that are with the ACD.
    open: Vec<Command>,
    /// The gateway was told that its login was done.
    is_known: bool,
    /// When the last connection ended whose client had the agent.
    last_had: Option<Instant>,
}

struct Condition {
    since: u64,
    at: Instant,
    facts: AgentFacts,
    is_adapter_open: bool,
}

/// One connection.
struct Line {
    name: String,
    opening: Option<Opening>,
    is_open: bool,
    closed: Option<String>,
    reads: bool,
    asked: BTreeMap<u32, Asked>,
    answered: BTreeSet<u32>,
    subscriptions: BTreeMap<u32, Subscription>,
    session: Option<usize>,
}

struct Asked {
    ask: Ask,
    /// When all its bytes were with the gateway.
    delivered: Option<u64>,
    at: Instant,
    must_fail: bool,
    /// Where the table was then, and when the gateway had looked at it.
    before: Told,
    after: Told,
    /// Whether the table had the agent that is to be followed: if not, it may be taken for a device.
    is_known: bool,
}

/// For each agent that is known, which of its moments is.
type Told = BTreeMap<String, usize>;

/// An OpenCTI session.
#[derive(Default)]
struct Session {
    token: String,
    seq: u64,
    line: usize,
    subscriptions: BTreeMap<String, Subscription>,
    has: BTreeSet<String>,
    let_go: BTreeSet<String>,
    /// A connection was lost with a request that may still begin something.
    may_begin_more: bool,
}

struct Subscription {
    target: Target,
    began: u64,
    status: Status,
    /// What was told last; in the beginning, where the table was before it began.
    seen: Told,
    /// How each agent was said or shown to stand last.
    last: BTreeMap<String, (View, u16)>,
    /// Where the table was before and after it began: what came in between may have been told or not.
    at_first: (Told, Told),
    calls: BTreeSet<u32>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Status {
    Alive,
    /// It may be alive or not.
    Unsure,
    /// It had ended, and a login that is under way may begin it anew.
    Renewing,
    Ended,
}

impl Watch {
    pub fn new(story: Story, yardstick: Yardstick) -> Watch {
        let inner = Inner {
            story: story.clone(),
            yardstick,
            lens: None,
            seq: 0,
            lives: AGENTS.iter().map(|agent| ((*agent).to_owned(), Life::default())).collect(),
            lines: Vec::new(),
            sessions: Vec::new(),
        };
        Watch { story, inner: Arc::new(Mutex::new(inner)) }
    }

    pub fn tells(&self, what: String) {
        self.story.tell(what);
    }

    pub fn looks_through(&self, lens: Lens) {
        self.inner.lock().lens = Some(lens);
    }
}

/// What the ACD says.
impl Watch {
    pub fn facts_are(&self, facts: &AgentFacts) {
        self.story.tell(format!(
            "acd    {} is {:?} ({}) at {} in {:?}, order {}",
            facts.agent,
            facts.state,
            facts.reason,
            facts.instrument.as_ref().map_or("-", |device| device.as_str()),
            facts.queues.iter().map(|queue| queue.0).collect::<Vec<_>>(),
            facts.order
        ));
        let mut inner = self.inner.lock();
        let since = inner.next();
        let life = inner.life(facts.agent.as_str());
        let was_in = life.moments.last().is_some_and(AgentFacts::is_logged_in);
        if !(was_in && facts.is_logged_in()) {
            life.is_known = false;
        }
        life.moments.push(facts.clone());
        let is_adapter_open = life.conditions.last().is_some_and(|last| last.is_adapter_open);
        life.conditions.push(Condition { since, at: Instant::now(), facts: facts.clone(), is_adapter_open });
    }

    pub fn adapter_is(&self, agent: &AgentId, is_adapter_open: bool) {
        self.story.tell(format!("acd    adapter of {agent} {}", if is_adapter_open { "open" } else { "closed" }));
        let mut inner = self.inner.lock();
        let since = inner.next();
        let life = inner.life(agent.as_str());
        if let Some(last) = life.conditions.last() {
            let facts = last.facts.clone();
            life.conditions.push(Condition { since, at: Instant::now(), facts, is_adapter_open });
        }
    }

    pub fn login_is_known(&self, agent: &AgentId) {
        let mut inner = self.inner.lock();
        let life = inner.life(agent.as_str());
        life.is_known = life.is_in();
    }

    /// The gateway asks the ACD something about an agent.
    pub fn command_begins(&self, agent: &AgentId, command: Command, is_up: bool) {
        let mut inner = self.inner.lock();
        inner.next();
        let agent = agent.as_str();
        let life = inner.life(agent);
        if let Some(other) = life.open.iter().find(|_| command != Command::Authenticate) {
            let what = format!("{command:?} of {agent} while {other:?} is under way");
            self.story.breach(Invariant::OneCommandAtATime, what);
        }
        if command != Command::Authenticate {
            life.open.push(command);
        }
        if !is_up {
            return;
        }
        let (is_in, is_adapter_open) = (life.is_in(), life.conditions.last().is_some_and(|last| last.is_adapter_open));
        match command {
            Command::LogIn if !is_in && !is_adapter_open => {
                self.story.breach(Invariant::AdapterAroundLogin, format!("{agent} logs in without an adapter"));
            }
            Command::CloseAdapter if is_in && life.is_known => {
                self.story.breach(Invariant::AdapterAroundLogin, format!("the adapter of {agent}, who is logged in"));
            }
            Command::SetState { reason: LOST_REASON } => inner.check_grace(agent, false),
            Command::LogOut { reason: LOST_REASON, .. } => inner.check_grace(agent, true),
            _ => (),
        }
    }

    pub fn command_ends(&self, agent: &AgentId, command: Command) {
        let mut inner = self.inner.lock();
        let life = inner.life(agent.as_str());
        if let Some(at) = life.open.iter().position(|open| *open == command) {
            life.open.remove(at);
        }
    }
}

/// What clients do.
impl Watch {
    /// A new connection; gives its number.
    pub fn connects(&self, name: String) -> usize {
        self.story.tell(format!("{name} connects"));
        let mut inner = self.inner.lock();
        inner.lines.push(Line {
            name,
            opening: None,
            is_open: false,
            closed: None,
            reads: true,
            asked: BTreeMap::new(),
            answered: BTreeSet::new(),
            subscriptions: BTreeMap::new(),
            session: None,
        });
        inner.lines.len() - 1
    }

    pub fn asks(&self, line: usize, id: u32, ask: Ask) {
        let mut inner = self.inner.lock();
        self.story.tell(format!("{} asks {id}: {ask:?}", inner.lines[line].name));
        inner.lines[line].asked.insert(id, Asked::new(ask));
    }

    pub fn reads(&self, line: usize, reads: bool) {
        let mut inner = self.inner.lock();
        inner.lines[line].reads = reads;
        self.story.tell(format!("{} {} reading", inner.lines[line].name, if reads { "goes on" } else { "stops" }));
    }

    /// The last byte of these requests is about to reach the gateway.
    pub fn is_delivered(&self, line: usize, ids: &[u32]) {
        let mut inner = self.inner.lock();
        for id in ids {
            inner.is_delivered(line, *id);
        }
    }

    /// The gateway has taken them, and nothing was written yet.
    pub fn is_taken(&self, line: usize, ids: &[u32]) {
        let mut inner = self.inner.lock();
        let now = inner.table();
        for id in ids {
            if let Some(asked) = inner.lines[line].asked.get_mut(id) {
                asked.after.clone_from(&now);
            }
        }
    }

    /// The gateway has looked at them.
    pub fn was_looked_at(&self, line: usize, ids: &[u32]) {
        let inner = self.inner.lock();
        let there = &inner.lines[line];
        let late = ids.iter().filter(|id| there.asked.get(id).is_some_and(|asked| asked.must_fail));
        for id in late.filter(|_| there.reads && there.closed.is_none()) {
            let what = format!("{} was not told at once that {id} cannot be done: a logout is under way", there.name);
            self.story.breach(Invariant::LogoutIsExclusive, what);
        }
    }

    pub fn hears(&self, line: usize, heard: Heard) {
        let mut inner = self.inner.lock();
        if !matches!(heard, Heard::Seq(_)) {
            self.story.tell(format!("{} hears {}", inner.lines[line].name, inner.in_words(&heard)));
        }
        inner.hears(line, heard);
    }

    /// The connection has ended. `is_done`: all that was asked had to be answered before.
    pub fn closes(&self, line: usize, why: String, is_done: bool) {
        let mut inner = self.inner.lock();
        inner.closes(line, why, is_done);
    }

    pub fn breaks(&self, line: usize, invariant: Invariant, what: String) {
        let name = self.inner.lock().lines[line].name.clone();
        self.story.breach(invariant, format!("{name}: {what}"));
    }
}

/// What a trial wants to know, to do what makes sense.
impl Watch {
    pub fn is_open(&self, line: usize) -> bool {
        let inner = self.inner.lock();
        inner.lines[line].is_open && inner.lines[line].closed.is_none()
    }

    pub fn is_closed(&self, line: usize) -> bool {
        self.inner.lock().lines[line].closed.is_some()
    }

    pub fn monitors(&self, line: usize) -> Vec<u32> {
        self.inner.lock().lines[line].subscriptions.keys().copied().filter(|id| *id > 1).collect()
    }

    /// The sessions whose connection is gone: token and last event.
    pub fn lost_sessions(&self) -> Vec<(usize, u64)> {
        let inner = self.inner.lock();
        let is_lost = |session: &&(usize, &Session)| inner.lines[session.1.line].closed.is_some();
        inner.sessions.iter().enumerate().filter(|s| is_lost(&s)).map(|(at, s)| (at, s.seq)).collect()
    }

    pub fn token(&self, session: usize) -> String {
        self.inner.lock().sessions[session].token.clone()
    }

    /// The agents that some client has and that are logged in: should all clients be lost now, they are logged out.
    pub fn had(&self) -> Vec<String> {
        let inner = self.inner.lock();
        let is_had = |agent: &&&str| inner.lives[**agent].is_in() && inner.has_desktop(agent);
        AGENTS.iter().filter(is_had).map(|agent| (*agent).to_owned()).collect()
    }
}

/// What is looked at between steps.
impl Watch {
    /// All that could happen at this moment has.
    pub fn settled(&self) {
        let inner = self.inner.lock();
        for agent in AGENTS {
            let desktops = inner.lines.iter().filter(|line| line.has_desktop(agent)).count();
            // Who does not read may not know yet that somebody else has it.
            let reads = |session: &&Session| inner.lines[session.line].reads;
            let sessions = inner.sessions.iter().filter(reads).filter(|session| inner.has(session, agent)).count();
            let is_shared = inner.yardstick.is_shared;
            if desktops > 1 || (!is_shared && desktops + sessions > 1) {
                let what = format!("{agent} has {desktops} desktops and {sessions} OpenCTI sessions");
                self.story.breach(Invariant::OneOwner, what);
            }
        }
    }

    /// Nothing is under way any more and the link is up: all has been answered and told. `calls`: those that there are.
    pub fn quiet(&self, calls: &[u32]) {
        let inner = self.inner.lock();
        for line in inner.lines.iter().filter(|line| line.closed.is_none()) {
            for (id, asked) in line.asked.iter().filter(|(_, asked)| asked.delivered.is_some()) {
                let what = format!("{} was never answered to {id}: {:?}", line.name, asked.ask);
                self.story.breach(Invariant::AnsweredOnce, what);
            }
            for (id, subscription) in &line.subscriptions {
                inner.has_all(&format!("{} by monitor {id}", line.name), subscription, calls);
            }
        }
        for session in inner.sessions.iter().filter(|session| inner.lines[session.line].closed.is_none()) {
            for (device, subscription) in &session.subscriptions {
                inner.has_all(&format!("{} at {device}", inner.lines[session.line].name), subscription, calls);
            }
        }
    }
}

impl Life {
    fn is_in(&self) -> bool {
        self.moments.last().is_some_and(AgentFacts::is_logged_in)
    }

    /// Whether it was so at any time from then on.
    fn was(&self, from: u64, so: impl Fn(&Condition) -> bool) -> bool {
        let first = self.conditions.iter().rposition(|condition| condition.since <= from).unwrap_or(0);
        self.conditions[first..].iter().any(so)
    }

    /// Whether, from then on, it was out and then without an adapter, whatever became of it since.
    fn was_torn_down(&self, from: u64, known: Instant) -> bool {
        let begins = |at: usize| self.conditions.get(at).map(|condition| condition.at);
        let mut first = self.conditions.iter().rposition(|condition| condition.since <= from).unwrap_or(0);
        // What had only just happened is not known everywhere yet.
        while first > 0 && begins(first).is_some_and(|at| at >= known) {
            first -= 1;
        }
        let mut since = self.conditions[first..].iter().skip_while(|now| now.facts.is_logged_in());
        since.any(|now| !now.is_adapter_open)
    }

    /// The device that it worked at then, or had worked at last.
    fn device_at(&self, at: u64) -> Option<&str> {
        let until = self.conditions.iter().filter(|condition| condition.since <= at);
        until.rev().find_map(|condition| condition.facts.instrument.as_ref()).map(|device| device.as_str())
    }

    /// The device that it works at, or worked at last.
    fn device(&self) -> Option<&str> {
        self.moments.iter().rev().find_map(|facts| facts.instrument.as_ref()).map(|device| device.as_str())
    }
}

impl Line {
    fn has_desktop(&self, agent: &str) -> bool {
        let is_its = matches!(&self.opening, Some(Opening::Desktop { agent: own, .. }) if own == agent);
        is_its && self.is_open && self.closed.is_none()
    }
}

impl Line {
    /// Whether something is asked that begins a subscription which may have ended before.
    fn wants_events(&self) -> bool {
        let begins = |ask: &Ask| matches!(ask, Ask::LogIn { .. } | Ask::Subscribe { .. });
        self.asked.values().any(|asked| asked.delivered.is_some() && begins(&asked.ask))
    }

    /// Whether something is asked that the agent is shown for.
    fn asks_for(&self, agent: &str) -> bool {
        let shows =
            |ask: &Ask| matches!(ask, Ask::Query { agent: asked } | Ask::LogOut { agent: asked, .. } if asked == agent);
        self.asked.values().any(|asked| asked.delivered.is_some() && shows(&asked.ask))
    }
}

impl Asked {
    fn new(ask: Ask) -> Asked {
        Asked {
            ask,
            delivered: None,
            at: Instant::now(),
            must_fail: false,
            before: Told::new(),
            after: Told::new(),
            is_known: true,
        }
    }
}

impl Subscription {
    /// How the agent stands, by what was told; where nothing was, by where the table was when it began. Of whom nothing was
    /// ever known is logged out.
    fn told(&self, agent: &str, life: &Life) -> (View, u16) {
        let at_first = self.at_first.1.get(agent).or(self.at_first.0.get(agent)).map(|at| View::of(&life.moments[*at]));
        self.last.get(agent).copied().or(at_first).unwrap_or((View::Out, 0))
    }

    fn is_of(&self, agent: &str, device: Option<&str>) -> bool {
        match &self.target {
            Target::All => false,
            Target::Agent(own) => own == agent,
            Target::Device(own) => Some(own.as_str()) == device,
        }
    }
}

impl Inner {
    fn next(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    fn life(&mut self, agent: &str) -> &mut Life {
        self.lives.entry(agent.to_owned()).or_default()
    }

    fn breach(&self, invariant: Invariant, what: String) {
        self.story.breach(invariant, what);
    }

    /// Whether a connection is there whose session was opened for the agent.
    fn has_desktop(&self, agent: &str) -> bool {
        self.lines.iter().any(|line| line.has_desktop(agent))
    }

    fn has(&self, session: &Session, agent: &str) -> bool {
        session.has.contains(agent) && self.lines[session.line].closed.is_none()
    }

    /// Where the table is.
    fn table(&self) -> Told {
        let known = |agent: &str| self.lens.as_ref().and_then(|lens| lens(agent));
        let told = |(agent, life): (&String, &Life)| {
            let known = known(agent)?;
            Some((agent.clone(), life.moments.iter().rposition(|facts| facts.order <= known)?))
        };
        self.lives.iter().filter_map(told).collect()
    }

    /// A subscription that began between these two.
    fn subscription(&mut self, target: Target, status: Status, before: Told, after: Told) -> Subscription {
        let seen = before.clone();
        let is_logout = |asked: &Asked| {
            let Ask::LogOut { agent, .. } = &asked.ask else { return false };
            let is_of = match &target {
                Target::All => false,
                Target::Agent(own) => own == agent,
                Target::Device(_) => true,
            };
            asked.delivered.is_some() && is_of
        };
        let may_end = self.lines.iter().flat_map(|line| line.asked.values()).any(is_logout);
        let status = if may_end { Status::Unsure } else { status };
        let (at_first, last, calls) = ((before, after), BTreeMap::new(), BTreeSet::new());
        Subscription { target, began: self.next(), status, seen, last, at_first, calls }
    }

    fn check_grace(&self, agent: &str, is_logout: bool) {
        let owners: Vec<&str> = (self.lines.iter().filter(|line| line.has_desktop(agent)))
            .map(|line| line.name.as_str())
            .chain(
                (self.sessions.iter().filter(|session| self.has(session, agent)))
                    .filter(|session| self.lines[session.line].reads)
                    .map(|session| self.lines[session.line].name.as_str()),
            )
            .collect();
        if !owners.is_empty() {
            self.breach(Invariant::Grace, format!("{agent} is not lost: {owners:?} has it"));
        }
        let Yardstick { not_ready_after, logout_after, .. } = self.yardstick;
        let least = if is_logout { not_ready_after + logout_after } else { not_ready_after };
        if let Some(since) = self.lives.get(agent).and_then(|life| life.last_had).map(|at| at.elapsed())
            && since < least
        {
            self.breach(Invariant::Grace, format!("{agent} was lost {since:?} ago, and {least:?} are given"));
        }
    }

    fn is_delivered(&mut self, line: usize, id: u32) {
        let now = self.next();
        let Some(asked) = self.lines[line].asked.get(&id) else { return };
        let ask = asked.ask.clone();
        let leaves = |agent: &str| {
            let is_logout = |open: &Command| matches!(open, Command::LogOut { reason: 1.., is_whole: true });
            self.lives.get(agent).is_some_and(|life| life.open.iter().any(is_logout))
        };
        let must_fail = match &ask {
            Ask::LogIn { agent, .. }
            | Ask::LogOut { agent, .. }
            | Ask::Ready { agent }
            | Ask::NotReady { agent, .. } => self.lines[line].is_open && leaves(agent),
            _ => false,
        };
        let before = self.table();
        let is_known = |agent: &str| self.lens.as_ref().is_some_and(|lens| lens(agent).is_some());
        let is_known = !matches!(&ask, Ask::Monitor { of: Target::Agent(agent) } if !is_known(agent));
        if let Some(asked) = self.lines[line].asked.get_mut(&id) {
            (asked.delivered, asked.at) = (Some(now), Instant::now());
            (asked.must_fail, asked.before, asked.is_known) = (must_fail, before, is_known);
        }
        match &ask {
            Ask::Open(opening) => self.lines[line].opening = Some(opening.clone()),
            // The session's own subscription may begin anew from here on.
            Ask::LogIn { agent, device, .. } => {
                self.may_begin(line, device, self.table());
                if let Some(session) = self.lines[line].session {
                    self.sessions[session].let_go.remove(agent);
                } else if let Some(own) = self.lines[line].subscriptions.get_mut(&1)
                    && own.status == Status::Ended
                {
                    own.status = Status::Renewing;
                }
            }
            Ask::LogOut { agent, .. } | Ask::Query { agent } => {
                if matches!(ask, Ask::LogOut { .. }) {
                    self.may_end(agent);
                }
                if let Some(session) = self.lines[line].session {
                    self.sessions[session].let_go.remove(agent); // it is shown once more
                }
            }
            Ask::Subscribe { device } => self.may_begin(line, device, self.table()),
            Ask::Unsubscribe { device } => {
                if let Some(session) = self.lines[line].session {
                    let lives = &self.lives;
                    let session = &mut self.sessions[session];
                    session.has.retain(|agent| lives[agent].device() != Some(device));
                }
            }
            Ask::StopMonitor { id } => {
                if let Some(subscription) = self.lines[line].subscriptions.get_mut(id) {
                    subscription.status = Status::Unsure;
                }
            }
            _ => (),
        }
    }

    /// A logout of an agent that is out already ends without a word what began since its last event.
    fn may_end(&mut self, agent: &str) {
        let life = &self.lives[agent];
        let of_lines = self.lines.iter_mut().flat_map(|line| line.subscriptions.values_mut());
        let of_sessions = self.sessions.iter_mut().flat_map(|session| session.subscriptions.values_mut());
        for subscription in of_lines.chain(of_sessions) {
            let is_told_out = subscription.seen.get(agent).is_none_or(|seen| !life.moments[*seen].is_logged_in());
            if subscription.is_of(agent, life.device()) && is_told_out && subscription.status == Status::Alive {
                subscription.status = Status::Unsure;
            }
        }
    }

    fn may_begin(&mut self, line: usize, device: &str, before: Told) {
        let Some(session) = self.lines[line].session else { return };
        match self.sessions[session].subscriptions.get_mut(device) {
            Some(known) if known.status == Status::Ended => known.status = Status::Unsure,
            Some(_) => (),
            None => {
                let target = Target::Device(device.to_owned());
                let subscription = self.subscription(target, Status::Unsure, before.clone(), before);
                self.sessions[session].subscriptions.insert(device.to_owned(), subscription);
            }
        }
    }

    fn hears(&mut self, line: usize, heard: Heard) {
        let now = self.next();
        match heard {
            Heard::Answer { id, is_ok, brings, .. } => self.is_answered(now, line, id, is_ok, brings),
            Heard::Seq(seq) => {
                let Some(at) = self.lines[line].session else { return };
                let session = &mut self.sessions[at];
                if session.line == line && seq != session.seq + 1 {
                    let what = format!("event {seq} comes after event {}", session.seq);
                    session.seq = seq;
                    return self.breach(Invariant::InOrder, what);
                }
                session.seq = session.seq.max(seq);
            }
            Heard::TakenOver { agent, device } => {
                let Some(at) = self.lines[line].session else { return };
                let session = &mut self.sessions[at];
                session.has.remove(&agent);
                if let Some(subscription) = session.subscriptions.get_mut(&device) {
                    subscription.status = Status::Unsure;
                }
            }
            Heard::Agent { by, agent, device, view, reason, is_snapshot } => {
                self.hears_of_agent(line, &by, &agent, &device, view.map(|view| (view, reason)), is_snapshot);
            }
            Heard::Call { by, call, step } => self.hears_of_call(line, &by, call, step),
            Heard::Other(_) => (),
        }
    }

    fn is_answered(&mut self, now: u64, line: usize, id: u32, is_ok: bool, brings: Option<Brings>) {
        let there = &mut self.lines[line];
        let Some(asked) = there.asked.remove(&id).filter(|asked| asked.delivered.is_some()) else {
            let how = if there.answered.contains(&id) { "a second time" } else { "which was not asked" };
            let what = format!("{} is answered to {id} {how}", there.name);
            return self.breach(Invariant::AnsweredOnce, what);
        };
        there.answered.insert(id);
        if is_ok && asked.must_fail {
            let what = format!("{}: {id} was done while a logout was under way: {:?}", there.name, asked.ask);
            self.breach(Invariant::LogoutIsExclusive, what);
        }
        let delivered = (asked.delivered.unwrap_or(now), asked.at);
        let (before, after) = (asked.before, asked.after);
        match asked.ask {
            Ask::Open(opening) if is_ok => self.opens(line, opening, brings, (before, after)),
            Ask::LogOut { agent, queues, .. } if is_ok => self.is_confirmed(line, &agent, &queues, delivered),
            Ask::LogIn { agent, device, .. } => self.login_is_answered(line, &agent, &device, is_ok),
            Ask::Subscribe { device } if is_ok => self.follows(line, &device),
            Ask::Unsubscribe { device } if is_ok => {
                let Some(session) = self.lines[line].session else { return };
                let is_wanted = self.wants_events(line);
                if let Some(known) = self.sessions[session].subscriptions.get_mut(&device).filter(|_| is_wanted) {
                    known.status = Status::Unsure;
                } else {
                    self.sessions[session].subscriptions.remove(&device);
                }
            }
            Ask::Monitor { of } if is_ok => {
                if let Some(Brings::Monitor(id)) = brings {
                    let status = if asked.is_known { Status::Alive } else { Status::Unsure };
                    let subscription = self.subscription(of, status, before, after);
                    self.lines[line].subscriptions.insert(id, subscription);
                }
            }
            Ask::StopMonitor { id } if is_ok => drop(self.lines[line].subscriptions.remove(&id)),
            _ => (),
        }
    }

    fn opens(&mut self, line: usize, opening: Opening, brings: Option<Brings>, (before, after): (Told, Told)) {
        self.lines[line].is_open = true;
        match opening {
            Opening::Desktop { agent, .. } => {
                let own = self.subscription(Target::Agent(agent), Status::Alive, before, after);
                self.lines[line].subscriptions.insert(1, own);
            }
            Opening::Bridge { .. } => {
                let all = self.subscription(Target::All, Status::Alive, before, after);
                self.lines[line].subscriptions.insert(0, all);
            }
            Opening::Fresh | Opening::Resume { .. } => {
                let Some(Brings::Session { token, resumed, seq }) = brings else { return };
                let known = self.sessions.iter().position(|session| session.token == token);
                let at = known.unwrap_or_else(|| {
                    self.sessions.push(Session { token, ..Session::default() });
                    self.sessions.len() - 1
                });
                let before = &self.lines[self.sessions[at].line];
                let may_begin_more = known.is_some() && before.wants_events();
                let session = &mut self.sessions[at];
                session.may_begin_more |= may_begin_more;
                (session.line, session.seq) = (line, seq);
                if known.is_some() && resumed != Some(true) {
                    session.has.clear(); // what is lost may have been the end of anything
                    for subscription in session.subscriptions.values_mut() {
                        subscription.status = Status::Unsure;
                    }
                }
                self.lines[line].session = Some(at);
                let asked = self.lines[line].asked.values().filter(|asked| asked.delivered.is_some());
                let devices = asked.filter_map(|asked| match &asked.ask {
                    Ask::LogIn { device, .. } | Ask::Subscribe { device } => {
                        Some((device.clone(), asked.before.clone()))
                    }
                    _ => None,
                });
                for (device, before) in devices.collect::<Vec<_>>() {
                    self.may_begin(line, &device, before);
                }
            }
        }
    }

    /// An OpenCTI session has been told that it hears of a device.
    fn follows(&mut self, line: usize, device: &str) {
        let Some(session) = self.lines[line].session else { return };
        let lives = &self.lives;
        let Some(subscription) = self.sessions[session].subscriptions.get_mut(device) else { return };
        let is_out = |(agent, seen): (&String, &usize)| {
            let life = &lives[agent];
            life.moments[*seen].is_logged_in() || life.device() != Some(device)
        };
        if subscription.status == Status::Unsure && subscription.seen.iter().all(is_out) {
            subscription.status = Status::Alive;
        }
    }

    fn login_is_answered(&mut self, line: usize, agent: &str, device: &str, is_ok: bool) {
        if let Some(session) = self.lines[line].session {
            if is_ok {
                self.sessions[session].has.insert(agent.to_owned());
                self.follows(line, device);
            }
            return;
        }
        let waits = self.wants_events(line);
        let Some(own) = self.lines[line].subscriptions.get_mut(&1) else { return };
        own.status = match (own.status, is_ok, waits) {
            (Status::Unsure | Status::Renewing, true, _) => Status::Alive,
            (Status::Renewing, false, false) => Status::Ended,
            (status, ..) => status,
        };
    }

    /// A logout was confirmed that was asked at that time.
    fn is_confirmed(&mut self, line: usize, agent: &str, queues: &[u32], (asked, at): (u64, Instant)) {
        let life = &self.lives[agent];
        let has_left = |now: &Condition| {
            let is_in = |queue: &u32| now.facts.queues.iter().any(|there| there.0 == *queue);
            !queues.is_empty() && now.facts.is_logged_in() && !queues.iter().any(is_in)
        };
        if !life.was_torn_down(asked, at - self.yardstick.lag) && !life.was(asked, has_left) {
            let what = format!("{}: the logout of {agent} was confirmed, and it is not", self.lines[line].name);
            self.breach(Invariant::ConfirmAfterTeardown, what);
        }
        self.may_end(agent);
        if !queues.is_empty() {
            return; // what it left is not known here
        }
        let life = &self.lives[agent];
        let was_in = life.conditions.iter().rfind(|condition| condition.since <= asked);
        let has_ended = was_in.is_some_and(|was| was.facts.is_logged_in());
        let device = life.device_at(asked).map(str::to_owned);
        let shares_device = |from: u64| {
            let is_there = |now: &Condition| now.facts.instrument.as_ref().map(|at| at.as_str()) == device.as_deref();
            self.lives.iter().any(|(other, life)| other != agent && life.was(from, is_there))
        };
        let mut breaches = Vec::new();
        let check = |subscription: &Subscription, by: &dyn std::fmt::Display| {
            // Told last that it is out: of this or of an earlier end, which look the same.
            let is_told = !has_ended || subscription.told(agent, life).0 == View::Out;
            let is_due = subscription.status == Status::Alive && subscription.began < asked;
            (is_due && !is_told).then(|| format!("the logout of {agent} was confirmed before its last event, by {by}"))
        };
        for (id, subscription) in &self.lines[line].subscriptions {
            if subscription.is_of(agent, device.as_deref()) || subscription.target == Target::All {
                breaches.extend(check(subscription, &format!("monitor {id}")));
            }
        }
        let session = self.lines[line].session;
        if let Some((at, device)) = session.zip(device.as_ref())
            && let Some(subscription) = self.sessions[at].subscriptions.get(device)
        {
            breaches.extend(check(subscription, device));
        }
        for what in breaches {
            self.breach(Invariant::LastEventBeforeConfirm, what);
        }
        // With it have ended the subscriptions that were there when it was asked.
        let is_wanted = self.wants_events(line);
        let keeps = shares_device(asked);
        for subscription in self.lines[line].subscriptions.values_mut() {
            let is_device = matches!(subscription.target, Target::Device(_));
            if subscription.is_of(agent, device.as_deref()) && subscription.status == Status::Alive {
                let has_ended = subscription.began < asked && !(is_device && keeps);
                subscription.status = if has_ended { Status::Ended } else { Status::Unsure };
            }
        }
        if let Some(at) = session {
            let may_be_shown = is_wanted || self.lines[line].asks_for(agent);
            let session = &mut self.sessions[at];
            session.has.remove(agent);
            if !may_be_shown {
                session.let_go.insert(agent.to_owned());
            }
            if let Some(subscription) = device.and_then(|device| session.subscriptions.get_mut(&device)) {
                subscription.status = if is_wanted { Status::Unsure } else { Status::Ended };
            }
        }
    }

    /// Whether something is under way that begins a subscription which may have ended before.
    fn wants_events(&self, line: usize) -> bool {
        let session = self.lines[line].session.map(|session| &self.sessions[session]);
        self.lines[line].wants_events() || session.is_some_and(|session| session.may_begin_more)
    }

    fn find(&mut self, line: usize, by: &Source) -> Option<&mut Subscription> {
        match by {
            Source::Monitor(id) => self.lines[line].subscriptions.get_mut(id),
            Source::Device(device) => {
                let session = &mut self.sessions[self.lines[line].session?];
                session.subscriptions.get_mut(device)
            }
        }
    }

    /// Whether events of a session that goes on elsewhere still come here.
    fn is_left_over(&self, line: usize) -> bool {
        self.lines[line].session.is_some_and(|session| self.sessions[session].line != line)
    }

    fn hears_of_agent(
        &mut self,
        line: usize,
        by: &Source,
        agent: &str,
        device: &str,
        view: Option<(View, u16)>,
        is_snapshot: bool,
    ) {
        if self.is_left_over(line) {
            return;
        }
        let name = self.lines[line].name.clone();
        if let Some(session) = self.lines[line].session {
            let session = &mut self.sessions[session];
            if view.is_some_and(|(view, _)| view == View::Out) {
                session.has.remove(agent);
            }
            let is_followed =
                session.subscriptions.get(device).is_some_and(|subscription| subscription.status != Status::Ended);
            if is_snapshot && session.let_go.contains(agent) && !is_followed {
                let what = format!("{name} is shown {agent}, whose logout was confirmed");
                return self.breach(Invariant::NothingAfterTheEnd, what);
            }
        }
        let moments: Vec<(View, u16)> = self.lives[agent].moments.iter().map(View::of).collect();
        let forgets = !self.yardstick.lists_agents;
        let mut others = self.lives.iter().filter(|(other, _)| *other != agent);
        let is_shared = others.any(|(_, life)| {
            life.moments.iter().any(|facts| facts.instrument.as_ref().is_some_and(|at| at.as_str() == device))
        });
        let is_wanted = self.wants_events(line);
        let story = self.story.clone();
        let Some(subscription) = self.find(line, by) else {
            if !is_snapshot {
                let what = format!("{name} hears of {agent} by {by:?}, which there is not");
                self.breach(Invariant::NothingAfterTheEnd, what);
            }
            return;
        };
        if subscription.status == Status::Ended && !is_snapshot {
            let what = format!("{name} hears of {agent} by {by:?}, which has ended");
            return self.breach(Invariant::NothingAfterTheEnd, what);
        }
        let Some((view, reason)) = view else { return }; // the moment of a login: what it is then comes behind it
        subscription.last.insert(agent.to_owned(), (view, reason));
        if is_snapshot {
            return; // it may show what was told before
        }
        let seen = subscription.seen.get(agent).copied();
        if forgets && view == View::Out && seen.is_none_or(|seen| moments[seen].0 == View::Out) {
            return; // nothing has ended: it was only not known any more
        }
        let first = seen.map_or(0, |seen| seen + 1);
        let found = (first..moments.len()).find(|at| moments[*at] == (view, reason));
        match found {
            Some(at) => drop(subscription.seen.insert(agent.to_owned(), at)),
            None if subscription.status != Status::Alive => (),
            None => {
                let what =
                    format!("{name} hears by {by:?} that {agent} is {view:?} ({reason}), which is old or not true");
                return self.breach(Invariant::InOrder, what);
            }
        }
        if view == View::Out && subscription.target != Target::All {
            let is_device = matches!(subscription.target, Target::Device(_));
            // One that a request which is not answered yet may have begun anew.
            let left: Vec<u32> = subscription.calls.iter().copied().collect();
            if subscription.status == Status::Alive && !is_shared && !left.is_empty() {
                let what = format!("{name} was not told that calls {left:?} end for {agent}, who is out");
                story.breach(Invariant::CallsBeginAndEnd, what);
            }
            subscription.status = match by {
                Source::Monitor(1) if is_wanted => Status::Renewing,
                Source::Device(_) if is_wanted => Status::Unsure,
                _ if is_device && is_shared => Status::Unsure,
                _ => Status::Ended,
            };
        }
    }

    fn hears_of_call(&mut self, line: usize, by: &Source, call: u32, step: CallStep) {
        if self.is_left_over(line) {
            return;
        }
        let name = self.lines[line].name.clone();
        let Some(subscription) = self.find(line, by) else {
            let what = format!("{name} hears of call {call} by {by:?}, which there is not");
            return self.breach(Invariant::NothingAfterTheEnd, what);
        };
        let is_there = subscription.calls.contains(&call);
        let is_in_order = match step {
            CallStep::Began => subscription.calls.insert(call),
            CallStep::Went => is_there,
            CallStep::Ended => subscription.calls.remove(&call),
        };
        match subscription.status {
            Status::Ended => {
                let what = format!("{name} hears of call {call} by {by:?}, which has ended");
                self.breach(Invariant::NothingAfterTheEnd, what);
            }
            // OpenCTI tells how a call stands, not that it began.
            Status::Alive if !is_in_order && matches!(by, Source::Monitor(_)) => {
                let what = format!("{name} hears by {by:?} that call {call} {step:?}, and it was there: {is_there}");
                self.breach(Invariant::CallsBeginAndEnd, what);
            }
            _ => (),
        }
    }

    fn closes(&mut self, line: usize, why: String, is_done: bool) {
        let now = Instant::now();
        self.story.tell(format!("{} has ended: {why}", self.lines[line].name));
        let had: Vec<String> = (AGENTS.iter())
            .filter(|agent| {
                let sessions = self.sessions.iter().filter(|session| session.line == line);
                self.lines[line].has_desktop(agent) || sessions.into_iter().any(|session| self.has(session, agent))
            })
            .map(|agent| (*agent).to_owned())
            .collect();
        for agent in had {
            self.life(&agent).last_had = Some(now);
        }
        let there = &mut self.lines[line];
        there.closed = Some(why);
        if is_done && let Some((id, asked)) = there.asked.iter().find(|(_, asked)| asked.delivered.is_some()) {
            let what = format!("{} has ended, and was not answered to {id}: {:?}", there.name, asked.ask);
            self.breach(Invariant::AnsweredOnce, what);
        }
    }

    /// What a subscription was told last of each agent is how it stands.
    fn has_all(&self, whose: &str, subscription: &Subscription, calls: &[u32]) {
        if subscription.status != Status::Alive {
            return;
        }
        for (agent, life) in &self.lives {
            let Some(now) = life.moments.last() else { continue };
            let is_about = match &subscription.target {
                Target::All => true,
                Target::Agent(own) => own == agent,
                Target::Device(own) => now.instrument.as_ref().is_some_and(|at| at.as_str() == own),
            };
            let told = subscription.told(agent, life);
            if is_about && told != View::of(now) {
                let what = format!("{whose} was told last that {agent} is {told:?}, and it is {:?}", View::of(now));
                self.breach(Invariant::NothingLost, what);
            }
        }
        let told: Vec<u32> = subscription.calls.iter().copied().collect();
        if subscription.target == Target::All && told != calls {
            self.breach(Invariant::NothingLost, format!("{whose} was told of calls {told:?}, there are {calls:?}"));
        }
    }

    /// Without secrets that differ from run to run.
    fn in_words(&self, heard: &Heard) -> String {
        let mut words = String::new();
        let _ = match heard {
            Heard::Answer { id, is_ok, brings, why } => {
                let brings = match brings {
                    Some(Brings::Session { resumed, seq, .. }) => {
                        format!(" session, resumed {resumed:?}, at event {seq}")
                    }
                    Some(Brings::Monitor(id)) => format!(" monitor {id}"),
                    None => String::new(),
                };
                write!(words, "{} to {id}{brings}{why}", if *is_ok { "yes" } else { "no" })
            }
            other => write!(words, "{other:?}"),
        };
        words
    }
}
