//! The calls of each ACD: which there are, and who is on them.
//!
//! Not here: what a report does to them (`operations`). Must hold: while one ACD's calls are locked nothing happens to
//! them, so who begins to listen meanwhile is told of every call once and misses nothing of it.

use std::sync::Arc;

use ahash::HashMap;

use crate::model::{AgentId, Call, CallId, Instrument, Party, PartyKind};

/// The calls of one ACD.
#[derive(Debug)]
pub struct Calls {
    calls_max: usize,
    by_id: HashMap<CallId, Arc<Call>>,
    by_device: HashMap<Instrument, Vec<CallId>>,
    by_agent: HashMap<AgentId, Vec<CallId>>,
}

impl Calls {
    pub(super) fn new(calls_max: usize) -> Calls {
        Calls { calls_max, by_id: HashMap::default(), by_device: HashMap::default(), by_agent: HashMap::default() }
    }

    /// Whether one more would be too many.
    pub fn is_full(&self) -> bool {
        self.by_id.len() >= self.calls_max
    }

    /// The call with that number.
    pub fn get(&self, id: CallId) -> Option<&Arc<Call>> {
        self.by_id.get(&id)
    }

    /// Puts a call in, or replaces what was known of it; returns that.
    pub fn put(&mut self, call: Arc<Call>) -> Option<Arc<Call>> {
        let was = self.take(call.id);
        for Party { device, kind, .. } in &call.parties {
            self.by_device.entry(device.clone()).or_default().push(call.id);
            if let PartyKind::Agent(agent) = kind {
                self.by_agent.entry(agent.clone()).or_default().push(call.id);
            }
        }
        self.by_id.insert(call.id, call);
        was
    }

    /// Takes a call out.
    pub fn take(&mut self, id: CallId) -> Option<Arc<Call>> {
        let call = self.by_id.remove(&id)?;
        for Party { device, kind, .. } in &call.parties {
            forget(&mut self.by_device, device, id);
            if let PartyKind::Agent(agent) = kind {
                forget(&mut self.by_agent, agent, id);
            }
        }
        Some(call)
    }

    /// Every call, in the order of their numbers.
    pub fn all(&self) -> Vec<Arc<Call>> {
        let mut all: Vec<_> = self.by_id.values().cloned().collect();
        all.sort_unstable_by_key(|call| call.id);
        all
    }

    /// The calls that an agent is on, in the order in which it came to them.
    pub fn of_agent(&self, agent: &AgentId) -> Vec<Arc<Call>> {
        self.those(self.by_agent.get(agent))
    }

    /// The calls that a device is on, in the order in which it came to them.
    pub fn of_device(&self, device: &Instrument) -> Vec<Arc<Call>> {
        self.those(self.by_device.get(device))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.by_id.len()
    }

    /// Whether nothing is left, in any index.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty() && self.by_device.is_empty() && self.by_agent.is_empty()
    }

    fn those(&self, ids: Option<&Vec<CallId>>) -> Vec<Arc<Call>> {
        ids.into_iter().flatten().filter_map(|id| self.by_id.get(id)).cloned().collect()
    }
}

fn forget<K: std::hash::Hash + Eq>(index: &mut HashMap<K, Vec<CallId>>, key: &K, id: CallId) {
    if let Some(ids) = index.get_mut(key) {
        ids.retain(|known| *known != id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}
