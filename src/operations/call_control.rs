//! What a client asks to be done with a call. Not here: what follows from it; that comes as the ACD's reports (`calls`).

use std::sync::Arc;

use super::steps::Whose;
use super::{Answer, House, Refusal, Requester, Step, Urgency};
use crate::acd::AcdRefusal;
use crate::model::{Call, CallCommand, CallId, CallOutcome, Connection, Instrument, PeripheralId};
use crate::observe::AcdCommand;

impl House {
    /// Asks the ACD to do it; answers with what came of it.
    pub async fn control_call(
        self: Arc<House>,
        by: Requester,
        peripheral: PeripheralId,
        command: CallCommand,
        answer: Answer<CallOutcome>,
    ) {
        let done = self.control_call_in_order(&by, peripheral, &command).await;
        if let Err(refusal) = &done {
            let device = command.devices().next();
            let agent = device.and_then(|device| self.table.agent_at(peripheral, device));
            let whose = Whose { peripheral, by: Some(&by), agent: agent.as_ref() };
            self.note_refusal(Step::ControlCall, whose, refusal);
        }
        answer(done);
    }

    async fn control_call_in_order(
        &self,
        by: &Requester,
        peripheral: PeripheralId,
        command: &CallCommand,
    ) -> Result<CallOutcome, Refusal> {
        let acd = Arc::clone(&self.reachable(peripheral)?.acd);
        if let CallCommand::ClearCall(call) = command {
            self.must_see_call(by, peripheral, *call)?;
        }
        if let CallCommand::SetData { at, .. } | CallCommand::Release(at) = command {
            self.must_be_on_call(by, peripheral, at)?;
        }
        for device in command.devices() {
            self.must_have_right_at(by, peripheral, device)?;
        }
        let supervised = match command {
            CallCommand::Supervise { watched, how, .. } => {
                self.must_supervise_at(by, peripheral, &watched.device)?;
                self.table.calls(peripheral).lock().get(watched.call).cloned().map(|call| (call, watched, *how))
            }
            _ => None,
        };
        let failed = |reason: AcdRefusal| Refusal::Call { what: command.what(), reason };
        if !acd.capabilities().calls.holds(command.ability()) {
            return Err(failed(AcdRefusal::NotSupported { what: command.what() }));
        }
        if let Some((call, change)) = command.data()
            && let Some(call) = self.table.calls(peripheral).lock().get(call)
        {
            call.data.changed_by(change).map_err(|error| failed(AcdRefusal::CallData(error)))?;
        }
        let urgency = match command {
            CallCommand::ClearConnection(_) | CallCommand::ClearCall(_) | CallCommand::Release(_) => Urgency::Leaving,
            _ => Urgency::Ordinary,
        };
        let _taken = self.take_on(peripheral, urgency)?;
        let done = self.ask(peripheral, AcdCommand::ControlCall, acd.control_call(command)).await.map_err(failed)?;
        if let Some((call, watched, how)) = supervised {
            self.table.statistics.supervised(peripheral, &call, &watched.device, how);
        }
        Ok(done)
    }

    /// A call as the table knows it, for who may command one of its parties.
    pub fn call(&self, by: &Requester, peripheral: PeripheralId, id: CallId) -> Result<Arc<Call>, Refusal> {
        self.reachable(peripheral)?;
        self.must_see_call(by, peripheral, id)
    }

    /// The calls of a device, in the order in which it came to them.
    pub fn calls_of_device(
        &self,
        by: &Requester,
        peripheral: PeripheralId,
        device: &Instrument,
    ) -> Result<Vec<Arc<Call>>, Refusal> {
        self.reachable(peripheral)?;
        self.must_have_right_at(by, peripheral, device)?;
        Ok(self.table.calls(peripheral).lock().of_device(device))
    }

    /// Data is for who is on the call, or was and is not done with it.
    fn must_be_on_call(&self, by: &Requester, peripheral: PeripheralId, at: &Connection) -> Result<(), Refusal> {
        let is_there =
            (self.table.calls(peripheral).lock().get(at.call)).is_some_and(|call| call.party(&at.device).is_some());
        if is_there && self.must_have_right_at(by, peripheral, &at.device).is_ok() {
            return Ok(());
        }
        Err(Refusal::NotOnCall { session: by.session, call: at.call })
    }

    fn must_see_call(&self, by: &Requester, peripheral: PeripheralId, id: CallId) -> Result<Arc<Call>, Refusal> {
        let unknown = Refusal::Call { what: "find the call", reason: AcdRefusal::UnknownCall { call: id } };
        let call = self.table.calls(peripheral).lock().get(id).cloned().ok_or(unknown)?;
        let is_own = |device: &Instrument| self.must_have_right_at(by, peripheral, device).is_ok();
        if by.has_every_right() || call.parties.iter().any(|party| is_own(&party.device)) {
            return Ok(call);
        }
        Err(Refusal::NotOnCall { session: by.session, call: id })
    }

    /// A supervisor may do with its agents' calls what it may not do with the agents' devices. Who has no right at a device
    /// is not told who works there, nor whether anybody does.
    pub fn must_supervise_at(&self, by: &Requester, id: PeripheralId, device: &Instrument) -> Result<(), Refusal> {
        let has = match self.table.agent_at(id, device) {
            Some(agent) => by.must_have_right(&agent, Some(device)).is_ok(),
            None => by.has_right_at_empty(id, device),
        };
        if has { Ok(()) } else { Err(Refusal::NoRightAt { session: by.session, device: device.clone() }) }
    }

    fn must_have_right_at(&self, by: &Requester, id: PeripheralId, device: &Instrument) -> Result<(), Refusal> {
        let has = match self.table.agent_at(id, device) {
            Some(agent) => by.must_be(&agent, Some(device)).is_ok(),
            None => by.has_right_at_empty(id, device),
        };
        if has { Ok(()) } else { Err(Refusal::NoRightAt { session: by.session, device: device.clone() }) }
    }
}
