//! A call as the ACD says that it is, and what happens to it. Not here: which client hears of it, and the numbers that a
//! dialect has for its states and causes.

use std::sync::Arc;

use super::{AgentId, CallData, Instrument, PeripheralId, QueueId, Supervision};

/// A call's number at its ACD: no two present calls have the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct CallId(pub u32);

/// A call of one peripheral.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct CallKey {
    /// The ACD that has the call.
    pub peripheral: PeripheralId,
    /// Its number there.
    pub call: CallId,
}

/// How a call came about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CallKind {
    /// A caller came to a queue.
    QueuedIn,
    /// It came to an agent by a transfer.
    TransferredIn,
    /// An agent called somebody outside.
    Out,
    /// Between two devices of the ACD.
    Inside,
    /// An agent asks another one while a call waits.
    Consult,
    /// More than two are on it.
    Conference,
    /// A supervisor takes part in an agent's call from this one of its own, and is no party of that.
    Supervision(Supervision),
}

/// All that the ACD says of one call at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Its number.
    pub id: CallId,
    /// How it came about.
    pub kind: CallKind,
    /// The queue that it came from, if it came from one.
    pub queue: Option<QueueId>,
    /// The key that it keeps wherever it goes: the day of its arrival and its number on that day.
    pub key: (u32, u32),
    /// The caller's number as the ACD knows it.
    pub ani: Option<String>,
    /// The number that was dialled, if known.
    pub dialed_number: Option<String>,
    /// The device that it began at, a queue's point or who dialled: whoever follows everything sees it from there.
    pub home: Instrument,
    /// Who is on it, in the order in which they came.
    pub parties: Vec<Party>,
    /// What travels with it.
    pub data: Arc<CallData>,
    /// Where this stands in the ACD's own order of changes: what has a higher number is newer.
    pub order: u64,
}

impl Call {
    /// The party at a device.
    pub fn party(&self, device: &Instrument) -> Option<&Party> {
        self.parties.iter().find(|party| party.device == *device)
    }

    /// The caller's number: as a client set it, or else as the ACD knows it.
    pub fn caller_number(&self) -> Option<&String> {
        self.data.ani.as_ref().or(self.ani.as_ref())
    }

    /// The device that an agent is on it with.
    pub fn device_of(&self, agent: &AgentId) -> Option<&Instrument> {
        self.agents().find(|(there, _)| *there == agent).map(|(_, device)| device)
    }

    /// The place where it waits, if it does.
    pub fn queue_point(&self) -> Option<&Instrument> {
        self.parties.iter().find(|party| party.kind == PartyKind::QueuePoint).map(|party| &party.device)
    }

    /// The agents on it, with their devices.
    pub fn agents(&self) -> impl Iterator<Item = (&AgentId, &Instrument)> {
        self.parties.iter().filter_map(|party| match &party.kind {
            PartyKind::Agent(agent) => Some((agent, &party.device)),
            _ => None,
        })
    }
}

/// One end of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Party {
    /// The device, or the number of one outside.
    pub device: Instrument,
    /// Whose it is.
    pub kind: PartyKind,
    /// How it stands.
    pub state: PartyState,
}

/// Whose end of a call it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PartyKind {
    /// An agent's, at the device where it is logged in.
    Agent(AgentId),
    /// A device where no agent is logged in.
    Device,
    /// The place where calls of a queue wait.
    QueuePoint,
    /// Somebody who is none of the ACD's.
    Outside,
}

/// How one end of a call stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PartyState {
    /// Has left the call and is not done with it: after-call work can still change its data.
    Null,
    /// Is dialling, or waits for the other end to answer.
    Initiated,
    /// Rings.
    Alerting,
    /// Talks.
    Connected,
    /// Has put the call on hold.
    Held,
    /// Waits in a queue.
    Queued,
    /// Could not be reached.
    Failed,
}

/// Why something happened to a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CallCause {
    /// Nothing in particular.
    Normal,
    /// It is new.
    New,
    /// It went somewhere else.
    Redirected,
    /// Nobody answered.
    NotAnswered,
    /// The caller gave up.
    Abandoned,
    /// The device is busy.
    Busy,
    /// Of a transfer.
    Transfer,
    /// Of a conference.
    Conference,
    /// Of a question to another agent.
    Consult,
}

/// What happened to a call. The device is that of the party that it happened to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallStep {
    /// It is there. Whoever joins later learns it from being among the parties.
    Began,
    /// A device went off hook to dial.
    Initiated(Instrument),
    /// The number was dialled.
    Originated(Instrument),
    /// It rings at the device.
    Delivered(Instrument),
    /// It waits in the queue of `Call::queue`.
    Queued {
        /// The queue point.
        at: Instrument,
        /// How many calls wait there, this one included.
        waiting: u16,
    },
    /// It waits no longer.
    Dequeued(Instrument),
    /// It was answered at the device.
    Established(Instrument),
    /// The device put it on hold.
    Held(Instrument),
    /// The device took it off hold.
    Retrieved(Instrument),
    /// It went from a device to another without having been answered.
    Diverted {
        /// Where it was.
        from: Instrument,
        /// Where it goes.
        to: Instrument,
    },
    /// It could not be brought to the device.
    Failed(Instrument, CallCause),
    /// The device left it.
    Left(Instrument, CallCause),
    /// This call and another became one by a transfer; what goes on is this one.
    Transferred(Joined),
    /// This call and another became one by a conference; what goes on is this one.
    Conferenced(Joined),
    /// What travels with it changed.
    DataChanged,
    /// Nobody is on it any more.
    Cleared(CallCause),
    /// The device, which had left it before, is done with it. Told to nobody but those who follow the device, as an end.
    Released(Instrument),
    /// It is done with, after-call work included: the last of it.
    Ended,
}

impl CallStep {
    /// The device that it happened to, where it happened to one.
    pub fn device(&self) -> Option<&Instrument> {
        match self {
            CallStep::Initiated(device)
            | CallStep::Originated(device)
            | CallStep::Delivered(device)
            | CallStep::Queued { at: device, .. }
            | CallStep::Dequeued(device)
            | CallStep::Established(device)
            | CallStep::Held(device)
            | CallStep::Retrieved(device)
            | CallStep::Diverted { from: device, .. }
            | CallStep::Failed(device, _)
            | CallStep::Left(device, _)
            | CallStep::Released(device)
            | CallStep::Transferred(Joined { by: device, .. })
            | CallStep::Conferenced(Joined { by: device, .. }) => Some(device),
            CallStep::Began | CallStep::DataChanged | CallStep::Cleared(_) | CallStep::Ended => None,
        }
    }

    /// Which step it is, without where and why.
    pub fn kind(&self) -> CallStepKind {
        match self {
            CallStep::Began => CallStepKind::Began,
            CallStep::Initiated(_) => CallStepKind::Initiated,
            CallStep::Originated(_) => CallStepKind::Originated,
            CallStep::Delivered(_) => CallStepKind::Delivered,
            CallStep::Queued { .. } => CallStepKind::Queued,
            CallStep::Dequeued(_) => CallStepKind::Dequeued,
            CallStep::Established(_) => CallStepKind::Established,
            CallStep::Held(_) => CallStepKind::Held,
            CallStep::Retrieved(_) => CallStepKind::Retrieved,
            CallStep::Diverted { .. } => CallStepKind::Diverted,
            CallStep::Failed(..) => CallStepKind::Failed,
            CallStep::Left(..) => CallStepKind::Left,
            CallStep::Transferred(_) => CallStepKind::Transferred,
            CallStep::Conferenced(_) => CallStepKind::Conferenced,
            CallStep::DataChanged => CallStepKind::DataChanged,
            CallStep::Cleared(_) => CallStepKind::Cleared,
            CallStep::Released(_) | CallStep::Ended => CallStepKind::Ended,
        }
    }
}

/// The steps without where and why: what filters tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is the `CallStep` of its name")]
pub enum CallStepKind {
    Began,
    Initiated,
    Originated,
    Delivered,
    Queued,
    Dequeued,
    Established,
    Held,
    Retrieved,
    Diverted,
    Failed,
    Left,
    Transferred,
    Conferenced,
    DataChanged,
    Cleared,
    Ended,
}

impl CallStepKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [CallStepKind; 17] = [
        CallStepKind::Began,
        CallStepKind::Initiated,
        CallStepKind::Originated,
        CallStepKind::Delivered,
        CallStepKind::Queued,
        CallStepKind::Dequeued,
        CallStepKind::Established,
        CallStepKind::Held,
        CallStepKind::Retrieved,
        CallStepKind::Diverted,
        CallStepKind::Failed,
        CallStepKind::Left,
        CallStepKind::Transferred,
        CallStepKind::Conferenced,
        CallStepKind::DataChanged,
        CallStepKind::Cleared,
        CallStepKind::Ended,
    ];
}

/// How two calls became one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Joined {
    /// The call that was there first.
    pub primary: CallId,
    /// The call that was made to ask; none where the other party was dialled at once.
    pub secondary: Option<CallId>,
    /// The device that did it.
    pub by: Instrument,
    /// The device that was brought in.
    pub added: Instrument,
}

/// What an ACD reports of a call: the step, and the call as it is after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallReport {
    /// The call as it is now. A party that is no longer listed is done with it.
    pub call: Arc<Call>,
    /// What happened.
    pub step: CallStep,
}
