//! Who is on a call, and what that makes of an agent: reserved, talking, on hold, in after-call work.
//!
//! Not here: why somebody comes or goes. Must hold: every change of a call is a step that is reported; a call without
//! parties is gone; an agent is on a call by its state exactly while a call has it as a party.

use std::sync::Arc;
use std::time::Duration;

use super::calls::Due;
use super::world::World;
use crate::acd::AcdEvent;
use crate::model::{
    AgentId, AgentState, Call, CallCause, CallId, CallReport, CallStep, Instrument, Party, PartyKind, PartyState,
    ReasonCode,
};

impl World {
    /// A call is there.
    pub(super) fn begin(&mut self, call: Call) {
        let (id, parties) = (call.id, call.parties.clone());
        self.calls.there.insert(id, Arc::new(call));
        for party in &parties {
            self.note(id, party);
        }
        self.step(id, CallStep::Began, |_| ());
    }

    /// Changes a call and reports it.
    pub(super) fn step(&mut self, id: CallId, step: CallStep, change: impl FnOnce(&mut Call)) {
        let Some(call) = self.calls.there.get_mut(&id) else { return };
        self.changes += 1;
        let changed = Arc::make_mut(call);
        change(changed);
        changed.order = self.changes;
        let call = Arc::clone(call);
        self.report(AcdEvent::Call(CallReport { call, step }));
        self.notice_listeners(id);
    }

    /// Somebody comes to a call; the step that says so is the caller's to take.
    pub(super) fn join(&mut self, id: CallId, party: Party) {
        let Some(call) = self.calls.there.get_mut(&id) else { return };
        Arc::make_mut(call).parties.push(party.clone());
        self.note(id, &party);
    }

    /// A call is one of its device's from here on.
    pub(super) fn note(&mut self, id: CallId, party: &Party) {
        if matches!(party.kind, PartyKind::Agent(_) | PartyKind::Device) {
            self.on_calls.entry(party.device.clone()).or_default().push(id);
        }
    }

    /// A device has nothing more to do with a call; the step that says so is the caller's to take.
    pub(super) fn part(&mut self, id: CallId, device: &Instrument) {
        self.ringing.remove(&(id, device.clone()));
        if let Some(calls) = self.on_calls.get_mut(device) {
            calls.retain(|call| *call != id);
            if calls.is_empty() {
                self.on_calls.remove(device);
            }
        }
    }

    /// The calls that a device has to do with, after-call work included.
    pub(super) fn calls_of(&self, device: &Instrument) -> Vec<CallId> {
        self.on_calls.get(device).cloned().unwrap_or_default()
    }

    /// Whether a device is on a call that it has not left.
    pub(super) fn is_on_any_call(&self, device: &Instrument) -> bool {
        let is_on = |id: &CallId| {
            let party = self.calls.there.get(id).and_then(|call| call.party(device));
            party.is_some_and(|party| party.state != PartyState::Null)
        };
        self.on_calls.get(device).is_some_and(|calls| calls.iter().any(is_on))
    }

    /// The agent who works at a device.
    pub(super) fn agent_at(&self, device: &Instrument) -> Option<AgentId> {
        self.at_instrument.get(device).cloned()
    }

    /// A device leaves a call; with fewer than two left on it, it ends for all.
    pub(super) fn leave_call(&mut self, now: Duration, id: CallId, device: &Instrument, cause: CallCause) {
        let agents = self.leave_call_only(id, device, cause);
        for agent in agents {
            self.refresh(now, &agent);
        }
        self.end_if_over(id);
        self.offer_waiting(now);
    }

    /// The same, but what becomes of the agents is the caller's to decide. Returns those whose call it was.
    pub(super) fn leave_call_only(&mut self, id: CallId, device: &Instrument, cause: CallCause) -> Vec<AgentId> {
        let Some(call) = self.calls.there.get(&id).cloned() else { return Vec::new() };
        let is_real = |party: &&Party| party.state != PartyState::Null;
        if call.party(device).filter(is_real).is_none() {
            return Vec::new();
        }
        let left: Vec<&Party> = call.parties.iter().filter(is_real).filter(|party| party.device != *device).collect();
        if left.len() >= 2 {
            let agent = call.agents().find(|(_, at)| *at == device).map(|(agent, _)| agent.clone());
            self.withdraw_if_offered(id, device);
            self.part(id, device);
            self.step(id, CallStep::Left(device.clone(), cause), |call| {
                call.parties.retain(|party| party.device != *device);
            });
            return agent.into_iter().collect();
        }
        self.all_leave(id, Some(device), cause)
    }

    /// Everybody leaves a call, who causes it first. Returns the agents whose call it was.
    pub(super) fn all_leave(&mut self, id: CallId, first: Option<&Instrument>, cause: CallCause) -> Vec<AgentId> {
        let Some(call) = self.calls.there.get(&id).cloned() else { return Vec::new() };
        self.calls.stop_waiting(id);
        self.listening.remove(&id);
        for device in call.parties.iter().map(|party| &party.device) {
            self.withdraw_if_offered(id, device);
        }
        let others = call.parties.iter().filter(|party| party.state != PartyState::Null).map(|party| &party.device);
        let others = others.filter(|device| Some(*device) != first).map(|device| (device.clone(), CallCause::Normal));
        let first = first.map(|device| (device.clone(), cause));
        let leaving: Vec<(Instrument, CallCause)> = first.into_iter().chain(others).collect();
        for (device, cause) in leaving {
            self.ringing.remove(&(id, device.clone()));
            // An agent stays to the end: its after-call work is part of the call.
            let is_agent = call.agents().any(|(_, at)| *at == device);
            if !is_agent {
                self.part(id, &device);
            }
            self.step(id, CallStep::Left(device.clone(), cause), |call| {
                if is_agent {
                    let party = call.parties.iter_mut().find(|party| party.device == device);
                    party.into_iter().for_each(|party| party.state = PartyState::Null);
                } else {
                    call.parties.retain(|party| party.device != device);
                }
            });
        }
        self.step(id, CallStep::Cleared(cause), |_| ());
        call.agents().map(|(agent, _)| agent.clone()).collect()
    }

    fn withdraw_if_offered(&mut self, id: CallId, device: &Instrument) {
        if self.came_from_queue(id, device)
            && let Some(agent) = self.agent_at(device)
        {
            self.withdraw(id, &agent);
        }
    }

    /// Everybody on a call is what the call makes of them.
    pub(super) fn refresh_all(&mut self, now: Duration, id: CallId) {
        let Some(call) = self.calls.there.get(&id).cloned() else { return };
        for (agent, _) in call.agents() {
            self.refresh(now, agent);
        }
    }

    /// An agent is what its calls make of it.
    pub(super) fn refresh(&mut self, now: Duration, agent: &AgentId) {
        let Some(seat) = self.agents.get(agent) else { return };
        let Some(device) = seat.facts.instrument.clone() else { return };
        let was = seat.facts.state;
        let states: Vec<PartyState> = (self.calls_of(&device).iter())
            .filter_map(|id| Some(self.calls.there.get(id)?.party(&device)?.state))
            .filter(|state| *state != PartyState::Null)
            .collect();
        let has = |wanted: &[PartyState]| states.iter().any(|state| wanted.contains(state));
        let now_is = if has(&[PartyState::Connected, PartyState::Initiated, PartyState::Failed]) {
            AgentState::Talking
        } else if has(&[PartyState::Held]) {
            AgentState::Hold
        } else if has(&[PartyState::Alerting]) {
            AgentState::Reserved
        } else {
            return self.has_no_call(now, agent, was);
        };
        if now_is != was {
            let changed = self.change(agent, |facts| (facts.state, facts.reason) = (now_is, ReasonCode::default()));
            self.report_agent(changed);
        }
    }

    /// The last call of an agent is over: after-call work if there was a talk, or else it is free at once.
    fn has_no_call(&mut self, now: Duration, agent: &AgentId, was: AgentState) {
        match was {
            AgentState::Reserved => self.is_free(now, agent, self.before(agent)),
            AgentState::Talking | AgentState::Hold if self.config.wrap_up.is_zero() => {
                self.is_free(now, agent, self.after_call(agent));
            }
            AgentState::Talking | AgentState::Hold => self.work_after_call(now, agent),
            _ => self.release_all(agent),
        }
    }

    /// What an agent was before its calls.
    fn before(&self, agent: &AgentId) -> AgentState {
        match self.agents.get(agent).map(|seat| seat.before) {
            Some(AgentState::Ready) => AgentState::Ready,
            _ => AgentState::NotReady,
        }
    }

    /// What an agent is after its calls, unless it asks for something else: who was not ready before stays so.
    fn after_call(&self, agent: &AgentId) -> AgentState {
        if self.before(agent) == AgentState::Ready { self.after_wrap_up() } else { AgentState::NotReady }
    }

    fn work_after_call(&mut self, now: Duration, agent: &AgentId) {
        let is_ready_next = self.after_call(agent) == AgentState::Ready;
        let working = self.change(agent, |facts| {
            facts.state = match facts.next_state {
                Some(AgentState::NotReady | AgentState::WorkNotReady) => AgentState::WorkNotReady,
                None if !is_ready_next => AgentState::WorkNotReady,
                _ => AgentState::WorkReady,
            };
            // The after-call work itself was asked for: what follows it is left to it.
            facts.next_state = facts.next_state.filter(|next| matches!(next, AgentState::Ready | AgentState::NotReady));
        });
        let end = now.saturating_add(self.config.wrap_up);
        self.calls.set(end, Due::WrapUpEnd(agent.clone(), working.order));
        self.report_agent(working);
    }

    /// An agent is done with every call that it has left.
    pub(super) fn release_all(&mut self, agent: &AgentId) {
        let Some(device) = self.agents.get(agent).and_then(|seat| seat.facts.instrument.clone()) else { return };
        for id in self.calls_of(&device) {
            self.release(id, &device);
        }
    }

    /// A device is done with a call that it has left. False if it has not left it.
    pub(super) fn release(&mut self, id: CallId, device: &Instrument) -> bool {
        let party = self.calls.there.get(&id).and_then(|call| call.party(device));
        if party.is_none_or(|party| party.state != PartyState::Null) {
            return false;
        }
        let others = self.calls.there.get(&id).map_or(0, |call| call.parties.len() - 1);
        if others == 0 {
            self.end(id);
            return true;
        }
        self.part(id, device);
        self.step(id, CallStep::Released(device.clone()), |call| {
            call.parties.retain(|party| party.device != *device);
        });
        true
    }

    /// A call that nobody has to do with is gone.
    pub(super) fn end_if_over(&mut self, id: CallId) {
        if self.calls.there.get(&id).is_some_and(|call| call.parties.is_empty()) {
            self.end(id);
        }
    }

    fn end(&mut self, id: CallId) {
        self.step(id, CallStep::Ended, |_| ());
        let Some(call) = self.calls.there.remove(&id) else { return };
        for party in &call.parties {
            self.part(id, &party.device);
        }
        self.calls.stop_waiting(id);
        self.joining.remove(&id);
    }

    /// An agent logs in at a device that is on a call: from here on it is the agent's.
    pub(super) fn adopt_calls(&mut self, now: Duration, agent: &AgentId, device: &Instrument) {
        for id in self.calls_of(device) {
            self.step(id, CallStep::DataChanged, |call| {
                let party = call.parties.iter_mut().find(|party| party.device == *device);
                party.into_iter().for_each(|party| party.kind = PartyKind::Agent(agent.clone()));
            });
        }
        self.refresh(now, agent);
    }

    /// What stands at a number that is dialled.
    pub(super) fn kind_at(&self, device: &Instrument) -> PartyKind {
        match self.agent_at(device) {
            Some(agent) => PartyKind::Agent(agent),
            None if self.instruments.contains(device) => PartyKind::Device,
            None => PartyKind::Outside,
        }
    }
}
