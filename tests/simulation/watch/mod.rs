//! Who watches: all that clients and the ACD see goes through here, and is held against what must hold.
//!
//! Lives here: the invariants that can be seen on a wire or at the ACD. Not here: those of the table, and what is left at
//! the end (`gateway`). Must hold: what is called a breach is one, whatever the order of things that happen at once.

mod events;
mod known;
mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use ctigate::model::{AgentFacts, AgentId};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::story::{Invariant, Story};
use super::words::{AGENTS, Ask, Brings, Heard, LOST_REASON, Target, View};
use known::{Asked, Condition, Life, Line, Session, Status, Subscription, Told};

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

/// How far the gateway's table is, for who begins to listen: the order of an agent's facts there, and whether it is logged in.
pub type Lens = Box<dyn Fn(&str) -> Option<(u64, bool)> + Send>;

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
            let (order, is_in) = known(agent)?;
            let at = life.moments.iter().rposition(|facts| facts.order <= order)?;
            // Of one that the ACD did not name any more it is only known that it was out since.
            let is_out_since = !is_in && life.moments[at].is_logged_in();
            let out = life.moments[at..].iter().position(|facts| !facts.is_logged_in()).filter(|_| is_out_since);
            Some((agent.clone(), at + out.unwrap_or(0)))
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

    fn closes(&mut self, line: usize, why: String, is_done: bool) {
        let now = Instant::now();
        self.story.tell(format!("{} has ended: {why}", self.lines[line].name));
        let had: Vec<String> = (AGENTS.iter())
            .filter(|agent| {
                // Who does not read may not know yet that somebody else has it.
                let reads = self.lines[line].reads;
                let sessions = self.sessions.iter().filter(|session| reads && session.line == line);
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
