//! Events in this protocol's words. Not here: who gets them, and their numbers.

use bytes::{BufMut, Bytes, BytesMut};
use cti_protocol::opencti::{
    AgentEventName, AgentStateEvent, DeviceState, EventBody, LinkState, Media, SessionAgentState, Snapshot,
    SnapshotEvent, What, WorkMode,
};
use tracing::error;

use super::{OpenCti, time_of_day};
use crate::model::{AgentEvent, AgentFacts, AgentKey, AgentState, Call, Event, Instrument, PeripheralId, QueueId};
use crate::sessions::{AdapterState, AgentEntry};

/// What a Snapshot shows.
pub(super) struct Shown {
    pub(super) facts: Option<AgentFacts>,
    pub(super) device: Option<Instrument>,
    pub(super) is_adapter_open: bool,
}

impl Shown {
    /// No agent, no device.
    pub(super) fn nothing() -> Shown {
        Shown { facts: None, device: None, is_adapter_open: false }
    }

    pub(super) fn of(entry: &AgentEntry) -> Shown {
        Shown {
            facts: Some(entry.facts.clone()),
            device: entry.last_instrument.clone(),
            is_adapter_open: entry.adapter == AdapterState::Open,
        }
    }
}

impl OpenCti {
    /// An event's bytes but for its number.
    pub(super) fn render(&self, event: &Event) -> Option<Bytes> {
        Some(write(&match event {
            Event::Agent(event) => self.agent_state(event),
            Event::PreCall(_) => return None,    // the call itself says that it alerts
            Event::Correction(_) => return None, // the event that says what is right says enough
            Event::Call(_) => return Some(Bytes::new()), // each device's clients are told in words of their own
        }))
    }

    /// How an agent stands, by the table.
    pub(super) fn shown(&self, key: &AgentKey) -> Shown {
        let Some(cell) = self.house.table.agent(key) else {
            return Shown { facts: None, device: None, is_adapter_open: false };
        };
        Shown::of(&cell.entry())
    }

    /// A Snapshot of an agent, or of a device where nobody works.
    pub(super) fn snapshot(
        &self,
        peripheral: Option<PeripheralId>,
        key: Option<&AgentKey>,
        shown: Shown,
        message: Option<String>,
    ) -> Bytes {
        let Shown { facts, device, is_adapter_open } = shown;
        let state = facts.as_ref().map_or(AgentState::LoggedOut, |facts| facts.state);
        let is_online = peripheral.is_none_or(|id| self.house.table.is_online(id));
        let here = facts.as_ref().and_then(|facts| facts.instrument.clone()).or(device);
        let snapshot = SnapshotEvent {
            event_name: Snapshot::Snapshot,
            media: Media::Voice,
            agent_id: key.map(|key| key.agent.to_string()).unwrap_or_default(),
            this_dn: here.map(|device| device.to_string()).unwrap_or_default(),
            agent_state: snapshot_state(state),
            device_state: if is_adapter_open { DeviceState::Opened } else { DeviceState::Closed },
            link_state: if is_online { LinkState::Connected } else { LinkState::Disconnected },
            reason_code: facts.as_ref().map(|facts| self.reason_name(facts.reason)).unwrap_or_default(),
            work_mode: work_mode(state),
            message,
        };
        let queues = facts.map(|facts| facts.queues).unwrap_or_default();
        write(&self.body(peripheral, &queues, What::SnapshotEvent(snapshot)))
    }

    fn agent_state(&self, event: &AgentEvent) -> EventBody {
        let facts = &event.facts;
        let what = AgentStateEvent {
            event_name: event_name(event.state, facts.next_state, event.idle),
            media: Media::Voice,
            agent_id: facts.agent.to_string(),
            this_dn: facts.instrument.as_ref().map(ToString::to_string).unwrap_or_default(),
            reason_code: self.reason_name(facts.reason),
            work_mode: work_mode(event.state),
        };
        // Of an agent that is out, the queues that it has left: where it was is what a reader wants to know.
        let queues = if facts.is_logged_in() { &facts.queues } else { &event.left };
        self.body(Some(event.peripheral), queues, What::AgentStateEvent(what))
    }

    /// What is said of a call at a device: see `call_events`.
    pub(super) fn of_call(&self, peripheral: PeripheralId, call: &Call, what: What) -> Bytes {
        let queue: Vec<QueueId> = call.queue.into_iter().collect();
        write(&self.body(Some(peripheral), &queue, what))
    }

    fn body(&self, peripheral: Option<PeripheralId>, queues: &[QueueId], what: What) -> EventBody {
        EventBody {
            time: time_of_day(),
            acd: peripheral.map(|id| id.to_string()).unwrap_or_default(),
            queue: peripheral.map(|id| self.queue_names(id, queues)).unwrap_or_default(),
            what,
        }
    }
}

fn write(body: &EventBody) -> Bytes {
    let mut out = BytesMut::new();
    if let Err(error) = serde_json::to_writer((&mut out).writer(), body) {
        error!(%error, "an event of our own cannot be written"); // plain structs and texts: it can
    }
    out.freeze()
}

fn snapshot_state(state: AgentState) -> SessionAgentState {
    match state {
        AgentState::LoggedIn => SessionAgentState::Login,
        AgentState::LoggedOut => SessionAgentState::Logout,
        AgentState::Ready => SessionAgentState::Ready,
        AgentState::NotReady | AgentState::WorkNotReady | AgentState::WorkReady => SessionAgentState::NotReady,
        AgentState::Reserved | AgentState::Talking | AgentState::Hold | AgentState::BusyOther => {
            SessionAgentState::Busy
        }
        AgentState::Unknown => SessionAgentState::Unknown,
    }
}

/// An agent's event has no name for being on a call: `pyWorkMode` says it. The name is then what the agent has asked to be
/// next, or else what it was before: so a desktop's ready button stays as the agent left it.
fn event_name(state: AgentState, next: Option<AgentState>, idle: AgentState) -> AgentEventName {
    match state {
        AgentState::LoggedIn => AgentEventName::Login,
        AgentState::LoggedOut => AgentEventName::Logout,
        AgentState::Ready => AgentEventName::Ready,
        AgentState::NotReady | AgentState::WorkNotReady | AgentState::WorkReady => AgentEventName::NotReady,
        AgentState::Unknown => AgentEventName::Unknown,
        AgentState::Reserved | AgentState::Talking | AgentState::Hold | AgentState::BusyOther => {
            match next.filter(|next| !next.is_on_call()).unwrap_or(idle) {
                AgentState::NotReady | AgentState::WorkNotReady | AgentState::WorkReady => AgentEventName::NotReady,
                _ => AgentEventName::Ready,
            }
        }
    }
}

fn work_mode(state: AgentState) -> WorkMode {
    match state {
        AgentState::Ready => WorkMode::AutoIn,
        AgentState::NotReady => WorkMode::AuxWork,
        AgentState::WorkNotReady | AgentState::WorkReady => WorkMode::Acw,
        AgentState::Reserved | AgentState::Talking | AgentState::Hold | AgentState::BusyOther => WorkMode::Busy,
        AgentState::LoggedIn | AgentState::LoggedOut | AgentState::Unknown => WorkMode::None,
    }
}
