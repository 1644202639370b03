//! Supervisors on agents' calls: they listen, join in, take over.
//!
//! Not here: who may (`operations`). Must hold: who listens is on a call of its own and no party of the other one, whose
//! parties do not see it; that call of its own ends with the agent's part in the other.

use std::sync::Arc;
use std::time::Duration;

use super::calls::{DAY, Due};
use super::control::wrong_state;
use super::world::World;
use crate::acd::AcdRefusal;
use crate::model::{
    Call, CallCause, CallId, CallKind, CallOutcome, CallStep, Connection, Instrument, Joined, Party, PartyState,
    Supervision,
};

impl World {
    pub(super) fn supervise(
        &mut self,
        now: Duration,
        watched: &Connection,
        by: &Instrument,
        how: Supervision,
    ) -> Result<CallOutcome, AcdRefusal> {
        if !self.instruments.contains(by) {
            return Err(AcdRefusal::UnknownInstrument { instrument: by.clone() });
        }
        self.must_be(watched, &[PartyState::Connected, PartyState::Held])?;
        self.must_be_heard_by_others(watched)?;
        let own = self.call_to_listen(by);
        let at = Connection { call: watched.call, device: by.clone() };
        let has_joined = how == Supervision::Intercept
            && self.must_be(&at, &[PartyState::Connected]).is_ok()
            && self.are_others_on(watched, by);
        if !has_joined {
            self.must_be_new(watched.call, by)?;
            self.must_be_free_to_talk(by, own.as_slice())?;
        }
        match how {
            Supervision::Listen | Supervision::Whisper => Ok(self.listen(now, watched, by, how, own)),
            Supervision::BargeIn => {
                self.leave_own(own, by);
                self.join_in(watched.call, by);
                let joined = Joined { primary: watched.call, secondary: None, by: by.clone(), added: by.clone() };
                self.step(watched.call, CallStep::Conferenced(joined), |call| call.kind = CallKind::Conference);
                self.refresh_all(now, watched.call);
                Ok(self.outcome(watched.call))
            }
            Supervision::Intercept => {
                self.leave_own(own, by);
                if !has_joined {
                    self.join_in(watched.call, by);
                }
                let from = watched.device.clone();
                let joined = Joined { primary: watched.call, secondary: None, by: from.clone(), added: by.clone() };
                self.part(watched.call, &from);
                self.step(watched.call, CallStep::Transferred(joined), |call| {
                    call.kind = CallKind::TransferredIn;
                    call.parties.retain(|party| party.device != from);
                });
                self.refresh_all(now, watched.call);
                if let Some(agent) = self.agent_at(&from) {
                    self.refresh(now, &agent);
                }
                Ok(self.outcome(watched.call))
            }
        }
    }

    /// A call that somebody only listens with is not for others to listen to or to be brought into.
    pub(super) fn must_be_heard_by_others(&self, at: &Connection) -> Result<(), AcdRefusal> {
        let state = self.must_be_party(at)?;
        if self.listening.contains_key(&at.call) { Err(wrong_state(at, state)) } else { Ok(()) }
    }

    /// After a step of a call: where an agent that is listened to has left it, who listens is to stop.
    pub(super) fn notice_listeners(&mut self, id: CallId) {
        let deserted = |watched: &Connection| watched.call == id && !self.is_talked_on(watched);
        let own: Vec<CallId> =
            self.listening.iter().filter(|(_, watched)| deserted(watched)).map(|(own, _)| *own).collect();
        for own in own {
            self.calls.set(Duration::ZERO, Due::NothingToHear(own));
        }
    }

    pub(super) fn nothing_to_hear(&mut self, now: Duration, own: CallId) {
        let has_to_stop = self.listening.get(&own).is_some_and(|watched| !self.is_talked_on(watched));
        if let Some(by) = self.calls.there.get(&own).map(|call| call.home.clone()).filter(|_| has_to_stop) {
            self.leave_call(now, own, &by, CallCause::Normal);
        }
    }

    /// Who listens to a call listens to the one that it has become part of.
    pub(super) fn listen_on(&mut self, was: CallId, now: CallId) {
        for watched in self.listening.values_mut().filter(|watched| watched.call == was) {
            watched.call = now;
        }
    }

    fn listen(
        &mut self,
        now: Duration,
        watched: &Connection,
        by: &Instrument,
        how: Supervision,
        own: Option<CallId>,
    ) -> CallOutcome {
        let kind = CallKind::Supervision(how);
        if let Some(own) = own.filter(|own| self.listening.get(own) == Some(watched)) {
            if self.calls.there.get(&own).is_some_and(|call| call.kind != kind) {
                self.step(own, CallStep::DataChanged, |call| call.kind = kind);
            }
            return self.outcome(own);
        }
        self.leave_own(own, by);
        let id = self.calls.new_id();
        let data = self.calls.there.get(&watched.call).map(|call| Arc::clone(&call.data)).unwrap_or_default();
        self.listening.insert(id, watched.clone());
        self.begin(Call {
            id,
            kind,
            queue: None,
            key: (DAY, id.0),
            ani: Some(by.to_string()),
            dialed_number: Some(watched.device.to_string()),
            home: by.clone(),
            parties: vec![Party { device: by.clone(), kind: self.kind_at(by), state: PartyState::Initiated }],
            data,
            order: 0,
        });
        self.step(id, CallStep::Established(by.clone()), |call| {
            call.parties.iter_mut().for_each(|party| party.state = PartyState::Connected);
        });
        self.refresh_all(now, id);
        self.outcome(id)
    }

    fn join_in(&mut self, id: CallId, by: &Instrument) {
        self.join(id, Party { device: by.clone(), kind: self.kind_at(by), state: PartyState::Connected });
    }

    /// The call that a device listens with.
    fn call_to_listen(&self, by: &Instrument) -> Option<CallId> {
        self.calls_of(by).into_iter().find(|id| self.listening.contains_key(id))
    }

    /// Listens no longer; what becomes of the supervisor is the caller's to decide.
    fn leave_own(&mut self, own: Option<CallId>, by: &Instrument) {
        let Some(own) = own else { return };
        self.leave_call_only(own, by, CallCause::Normal);
        self.release(own, by);
        self.end_if_over(own);
    }

    /// Whether somebody is on the call besides the two.
    fn are_others_on(&self, watched: &Connection, by: &Instrument) -> bool {
        let is_other =
            |party: &Party| party.state != PartyState::Null && party.device != watched.device && party.device != *by;
        *by != watched.device
            && self.calls.there.get(&watched.call).is_some_and(|call| call.parties.iter().any(is_other))
    }

    fn is_talked_on(&self, at: &Connection) -> bool {
        self.must_be(at, &[PartyState::Connected, PartyState::Held]).is_ok()
    }
}
