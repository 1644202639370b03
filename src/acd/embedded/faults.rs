//! Which command goes wrong when. Not here: what then happens.

use super::config::{Command, Fault};
use crate::model::AgentId;

/// The faults that are set, each with what is left of it.
#[derive(Debug)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn new(faults: Vec<Fault>) -> Faults {
        Faults(faults)
    }

    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that this command meets, if any; the first that fits counts it.
    pub(super) fn take(&mut self, command: Command, agent: Option<&AgentId>) -> Option<Fault> {
        let fits = |fault: &Fault| {
            (fault.on == Command::Any || fault.on == command)
                && fault.agent.as_deref().is_none_or(|wanted| agent.is_some_and(|agent| agent.as_str() == wanted))
        };
        let fault = self.0.iter_mut().find(|fault| fits(fault) && fault.times != Some(0))?;
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        Some(fault.clone())
    }
}
