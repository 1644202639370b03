//! Now and then the table is compared with what the ACD says: a report that was lost without anybody's noticing would leave
//! an agent stuck for good.
//!
//! Not here: how a snapshot gets into the table (`resync`). Must hold: what is only on its way is no difference; what is
//! put right is told to whoever was told wrong.

use std::collections::HashSet;

use tracing::warn;

use super::House;
use crate::acd::Snapshot;
use crate::model::{AgentKey, Call, CallId, CorrectionEvent, Event, PeripheralId};

impl House {
    /// What the table has otherwise than the snapshot, in words, by agent. Reports that came before the snapshot have been
    /// taken in by now.
    pub(super) fn differences(&self, id: PeripheralId, snapshot: &Snapshot) -> Vec<CorrectionEvent> {
        let mut found = Vec::new();
        for facts in &snapshot.agents {
            let key = AgentKey { peripheral: id, agent: facts.agent.clone() };
            let Some(cell) = self.table.agent(&key) else { continue };
            // A command that is under way has its own way of finding out.
            let Ok(_turn) = cell.turn.try_lock() else { continue };
            let entry = cell.entry();
            if facts.order <= entry.facts.order || !facts.differs_from(&entry.facts) {
                continue;
            }
            let instrument = facts.instrument.clone().or_else(|| entry.last_instrument.clone());
            let text =
                format!("agent {} was {:?} here and is {:?} at the ACD", key.agent, entry.facts.state, facts.state);
            found.push(CorrectionEvent { peripheral: id, agent: Some(key.agent), instrument, text });
        }
        let calls = self.table.calls(id);
        let calls = calls.lock();
        let there: HashSet<CallId> = snapshot.calls.iter().map(|call| call.id).collect();
        let is_lost = |call: &Call| !there.contains(&call.id);
        let gone = calls.all().into_iter().filter(|call| call.order <= snapshot.order && is_lost(call));
        for call in gone {
            let text = format!("call {} was here and is over at the ACD", call.id.0);
            found.push(CorrectionEvent { peripheral: id, agent: None, instrument: None, text });
        }
        for call in &snapshot.calls {
            let text = match calls.get(call.id) {
                None => format!("call {} was not here and is at the ACD", call.id.0),
                Some(known) if known.order < call.order && known.parties != call.parties => {
                    format!("call {} was otherwise here than at the ACD", call.id.0)
                }
                Some(_) => continue,
            };
            found.push(CorrectionEvent { peripheral: id, agent: None, instrument: None, text });
        }
        found
    }

    /// Tells what was put right.
    pub(super) fn tell_corrections(&self, corrections: Vec<CorrectionEvent>) {
        for correction in corrections {
            if let Some(counts) = self.metrics.acd(correction.peripheral) {
                counts.corrections.inc();
            }
            warn!(peripheral = %correction.peripheral, what = correction.text, "an audit put the table right");
            self.table.publish(&Event::Correction(correction));
        }
    }
}
