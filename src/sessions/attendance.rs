//! Who has which agent: the sessions that would miss it, and the agents that a session would leave behind.
//!
//! Not here: what becomes of an agent that is left behind (`operations`). Must hold: an agent that is logged out has nobody;
//! a session that has left has no agent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::oneshot;

use super::Index;
use super::agents::Lost;
use super::{AgentCell, AgentEntry};
use crate::model::{AgentKey, SessionId};

/// The other direction of [`AgentEntry::attendants`], and of the agents that were left behind.
///
/// Everything here is called with the agent's entry locked.
#[derive(Debug, Default)]
pub struct Attendance {
    by_session: Index<SessionId, Agents>,
    /// By the name under which their client may come back.
    left_behind: Index<Arc<str>, BTreeSet<AgentKey>>,
    /// The sessions that are such a client, come back or here already when another one of theirs is lost.
    heirs: Index<Arc<str>, Vec<SessionId>>,
    losses: AtomicU64,
}

/// The agents of one session. A desktop has one, for which a tree would have room for eleven.
#[derive(Debug, Default)]
enum Agents {
    #[default]
    None,
    One(AgentKey),
    Many(BTreeSet<AgentKey>),
}

impl Agents {
    fn insert(&mut self, key: AgentKey) {
        *self = match std::mem::take(self) {
            Agents::None => Agents::One(key),
            Agents::One(other) if other == key => Agents::One(key),
            Agents::One(other) => Agents::Many(BTreeSet::from([other, key])),
            Agents::Many(mut agents) => {
                agents.insert(key);
                Agents::Many(agents)
            }
        };
    }

    fn remove(&mut self, key: &AgentKey) {
        match self {
            Agents::One(other) if other == key => *self = Agents::None,
            Agents::Many(agents) => drop(agents.remove(key)),
            Agents::None | Agents::One(_) => (),
        }
    }

    fn into_all(self) -> BTreeSet<AgentKey> {
        match self {
            Agents::None => BTreeSet::new(),
            Agents::One(key) => BTreeSet::from([key]),
            Agents::Many(agents) => agents,
        }
    }
}

impl Attendance {
    /// The session may have agents from here on, until it [leaves](Attendance::leave).
    pub fn arrive(&self, session: SessionId) {
        self.by_session.entry(session).or_default();
    }

    /// The session takes what others of that name leave behind, from here on.
    pub fn inherit(&self, session: SessionId, name: &str) {
        self.heirs.entry(Arc::from(name)).or_default().push(session);
    }

    /// A session that takes what others of that name leave behind.
    pub fn heir(&self, name: &str) -> Option<SessionId> {
        self.heirs.get(name)?.last().copied()
    }

    /// The session has no agent any more and gets none. Returns those that it had, whose entries still name it.
    pub fn leave(&self, session: SessionId, name: &str) -> BTreeSet<AgentKey> {
        if let Some(mut heirs) = self.heirs.get_mut(name) {
            heirs.retain(|heir| *heir != session);
        }
        self.heirs.remove_if(name, |_, heirs| heirs.is_empty());
        self.by_session.remove(&session).map(|(_, agents)| agents.into_all()).unwrap_or_default()
    }

    /// The session has the agent, who is not lost any more. False if the session has left: then nothing is changed.
    pub fn attend(&self, cell: &AgentCell, entry: &mut AgentEntry, session: SessionId) -> bool {
        let Some(mut agents) = self.by_session.get_mut(&session) else { return false };
        agents.insert(cell.key.clone());
        drop(agents);
        if !entry.attendants.contains(&session) {
            entry.attendants.push(session);
        }
        self.found(cell, entry);
        true
    }

    /// The session has the agent no longer. Says whether anybody else has.
    pub fn neglect(&self, cell: &AgentCell, entry: &mut AgentEntry, session: SessionId) -> bool {
        if let Some(mut agents) = self.by_session.get_mut(&session) {
            agents.remove(&cell.key);
        }
        entry.attendants.retain(|attendant| *attendant != session);
        !entry.attendants.is_empty()
    }

    /// The agent has logged out: nobody has it.
    pub fn end(&self, cell: &AgentCell, entry: &mut AgentEntry) {
        for session in std::mem::take(&mut entry.attendants) {
            self.neglect(cell, entry, session);
        }
        self.found(cell, entry);
    }

    /// Nobody has the agent any more, but a client of that name may come back for it. What is returned is the number of
    /// this loss, and what ends when somebody does or the agent logs out; none if that is waited for already.
    pub fn lose(
        &self,
        cell: &AgentCell,
        entry: &mut AgentEntry,
        name: &str,
    ) -> Option<(u64, oneshot::Receiver<std::convert::Infallible>)> {
        if entry.lost.is_some() {
            return None;
        }
        let name: Arc<str> = Arc::from(name);
        self.left_behind.entry(Arc::clone(&name)).or_default().insert(cell.key.clone());
        let (back, waiting) = oneshot::channel();
        let number = self.losses.fetch_add(1, Ordering::Relaxed);
        entry.lost = Some(Lost { number, name, _back: back });
        Some((number, waiting))
    }

    /// The agents that wait for a client of that name.
    pub fn left_behind(&self, name: &str) -> BTreeSet<AgentKey> {
        self.left_behind.get(name).map(|agents| agents.clone()).unwrap_or_default()
    }

    fn found(&self, cell: &AgentCell, entry: &mut AgentEntry) {
        let Some(lost) = entry.lost.take() else { return };
        if let Some(mut agents) = self.left_behind.get_mut(&lost.name) {
            agents.remove(&cell.key);
        }
        self.left_behind.remove_if(&lost.name, |_, agents| agents.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AgentId, PeripheralId};

    #[test]
    fn a_sessions_agents_are_those_that_came_and_did_not_go_however_many() {
        let key = |number: u32| AgentKey {
            peripheral: PeripheralId(1),
            agent: AgentId::new(&number.to_string()).expect("an id"),
        };
        for count in 0..5 {
            let mut agents = Agents::default();
            for number in (0..count).chain(0..count) {
                agents.insert(key(number));
            }
            agents.remove(&key(99));
            agents.remove(&key(0));
            assert_eq!(agents.into_all(), (1..count).map(key).collect(), "{count}");
        }
    }
}
