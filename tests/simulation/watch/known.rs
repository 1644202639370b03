//! What is known of agents, connections, sessions and subscriptions. Not here: what must hold of it.

use std::collections::{BTreeMap, BTreeSet};

use ctigate::model::AgentFacts;
use tokio::time::Instant;

use super::super::words::{Ask, Opening, Target, View};
use super::Command;

/// All that became of one agent.
#[derive(Default)]
pub(super) struct Life {
    /// What the ACD ever said of it, in its order.
    pub(super) moments: Vec<AgentFacts>,
    /// The same with the adapter, and since when.
    pub(super) conditions: Vec<Condition>,
    /// Commands that are with the ACD.
    pub(super) open: Vec<Command>,
    /// The gateway was told that its login was done.
    pub(super) is_known: bool,
    /// When the last connection ended whose client had the agent.
    pub(super) last_had: Option<Instant>,
}

pub(super) struct Condition {
    pub(super) since: u64,
    pub(super) at: Instant,
    pub(super) facts: AgentFacts,
    pub(super) is_adapter_open: bool,
}

/// One connection.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) opening: Option<Opening>,
    pub(super) is_open: bool,
    pub(super) closed: Option<String>,
    pub(super) reads: bool,
    pub(super) asked: BTreeMap<u32, Asked>,
    pub(super) answered: BTreeSet<u32>,
    pub(super) subscriptions: BTreeMap<u32, Subscription>,
    pub(super) session: Option<usize>,
}

pub(super) struct Asked {
    pub(super) ask: Ask,
    /// When all its bytes were with the gateway.
    pub(super) delivered: Option<u64>,
    pub(super) at: Instant,
    pub(super) must_fail: bool,
    /// Where the table was then, and when the gateway had looked at it.
    pub(super) before: Told,
    pub(super) after: Told,
    /// Whether the table had the agent that is to be followed: if not, it may be taken for a device.
    pub(super) is_known: bool,
}

/// For each agent that is known, which of its moments is.
pub(super) type Told = BTreeMap<String, usize>;

/// An OpenCTI session.
#[derive(Default)]
pub(super) struct Session {
    pub(super) token: String,
    pub(super) seq: u64,
    pub(super) line: usize,
    pub(super) subscriptions: BTreeMap<String, Subscription>,
    pub(super) has: BTreeSet<String>,
    pub(super) let_go: BTreeSet<String>,
    /// A connection was lost with a request that may still begin something.
    pub(super) may_begin_more: bool,
}

pub(super) struct Subscription {
    pub(super) target: Target,
    pub(super) began: u64,
    pub(super) status: Status,
    /// What was told last; in the beginning, where the table was before it began.
    pub(super) seen: Told,
    /// How each agent was said or shown to stand last.
    pub(super) last: BTreeMap<String, (View, u16)>,
    /// Where the table was before and after it began: what came in between may have been told or not.
    pub(super) at_first: (Told, Told),
    pub(super) calls: BTreeSet<u32>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Status {
    Alive,
    /// It may be alive or not.
    Unsure,
    /// It had ended, and a login that is under way may begin it anew.
    Renewing,
    Ended,
}

impl Life {
    pub(super) fn is_in(&self) -> bool {
        self.moments.last().is_some_and(AgentFacts::is_logged_in)
    }

    /// Whether it was so at any time from then on.
    pub(super) fn was(&self, from: u64, so: impl Fn(&Condition) -> bool) -> bool {
        let first = self.conditions.iter().rposition(|condition| condition.since <= from).unwrap_or(0);
        self.conditions[first..].iter().any(so)
    }

    /// Whether, from then on, it was out and then without an adapter, whatever became of it since.
    pub(super) fn was_torn_down(&self, from: u64, known: Instant) -> bool {
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
    pub(super) fn device_at(&self, at: u64) -> Option<&str> {
        let until = self.conditions.iter().filter(|condition| condition.since <= at);
        until.rev().find_map(|condition| condition.facts.instrument.as_ref()).map(|device| device.as_str())
    }

    /// The device that it works at, or worked at last.
    pub(super) fn device(&self) -> Option<&str> {
        self.moments.iter().rev().find_map(|facts| facts.instrument.as_ref()).map(|device| device.as_str())
    }
}

impl Line {
    pub(super) fn has_desktop(&self, agent: &str) -> bool {
        let is_its = matches!(&self.opening, Some(Opening::Desktop { agent: own, .. }) if own == agent);
        is_its && self.is_open && self.closed.is_none()
    }
}

impl Line {
    /// Whether something is asked that begins a subscription which may have ended before.
    pub(super) fn wants_events(&self) -> bool {
        let begins = |ask: &Ask| matches!(ask, Ask::LogIn { .. } | Ask::Subscribe { .. });
        self.asked.values().any(|asked| asked.delivered.is_some() && begins(&asked.ask))
    }

    /// Whether something is asked that the agent is shown for.
    pub(super) fn asks_for(&self, agent: &str) -> bool {
        let shows =
            |ask: &Ask| matches!(ask, Ask::Query { agent: asked } | Ask::LogOut { agent: asked, .. } if asked == agent);
        self.asked.values().any(|asked| asked.delivered.is_some() && shows(&asked.ask))
    }
}

impl Asked {
    pub(super) fn new(ask: Ask) -> Asked {
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
    pub(super) fn told(&self, agent: &str, life: &Life) -> (View, u16) {
        let at_first = self.at_first.1.get(agent).or(self.at_first.0.get(agent)).map(|at| View::of(&life.moments[*at]));
        self.last.get(agent).copied().or(at_first).unwrap_or((View::Out, 0))
    }

    pub(super) fn is_of(&self, agent: &str, device: Option<&str>) -> bool {
        match &self.target {
            Target::All => false,
            Target::Agent(own) => own == agent,
            Target::Device(own) => Some(own.as_str()) == device,
        }
    }
}
