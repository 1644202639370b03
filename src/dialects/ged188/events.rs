//! Events as frames. Not here: who gets them, and through which filter.

use bytes::{BufMut, BytesMut};
use cti_protocol::ged188::codes::{self, special};
use cti_protocol::ged188::{
    AgentPreCallAbortEvent, AgentPreCallEvent, AgentStateEvent, AgentStateSkillGroup, AnyMessage, Flavour, SystemEvent,
    Text, Time, Version,
};
use tracing::error;

use super::names::{agent_mode, ascii, peripheral_type, state_code};
use crate::model::{AgentEvent, AgentState, CorrectionEvent, Event, PreCallEvent, QueueId};
use crate::sessions::{Form, Rendered};

/// MonitorID is the first field of every event: right behind the eight bytes of the header.
const MONITOR_ID_AT: usize = 8;
/// How many sets of skill group fields one AGENT_STATE_EVENT holds; more go into another one.
const SETS_MAX: usize = 99;
/// The version from which several skill groups go into one event.
const SETS_SINCE: u32 = 10;

/// Sessions of equal version and flavour share their frames.
pub(super) fn form(version: Version) -> Form {
    Form(version.number() << 1 | u32::from(version.flavour() == Flavour::Uccx))
}

/// The event as frames of that version, MonitorID left 0.
pub(super) fn render(event: &Event, version: Version) -> Option<Rendered> {
    let messages: Vec<AnyMessage> = match event {
        Event::Agent(event) => agent_state_events(event, version).into_iter().map(AnyMessage::from).collect(),
        Event::PreCall(event) => vec![pre_call(event)],
        Event::Call(event) => vec![super::calls::message(event, version)],
        Event::Correction(event) => vec![correction(event)],
    };
    // The one event that does not begin with a MonitorID.
    let own_id_at = Some(MONITOR_ID_AT).filter(|_| !matches!(event, Event::Correction(_)));
    let mut bytes = BytesMut::new();
    for message in messages {
        if let Err(error) = message.encode(version, &mut bytes) {
            error!(message = ?message.name(), version = version.number(), %error, "an event cannot be written in this version");
            return None;
        }
    }
    Some(Rendered { bytes: bytes.freeze(), own_id_at })
}

/// Adds the frames with the subscription's own id in each.
pub(super) fn write_with_own_id(out: &mut BytesMut, event: &Rendered, own_id: u32) {
    let mut at = out.len();
    out.put_slice(&event.bytes);
    let Some(id_at) = event.own_id_at.filter(|_| own_id != 0) else { return };
    while let Some(length) = out.get(at..at + 4).and_then(|length| length.try_into().ok()).map(u32::from_be_bytes) {
        if let Some(id) = out.get_mut(at + id_at..at + id_at + 4) {
            id.copy_from_slice(&own_id.to_be_bytes());
        }
        at += 8 + length as usize;
    }
}

fn agent_state_events(event: &AgentEvent, version: Version) -> Vec<AgentStateEvent> {
    let groups: Vec<(QueueId, AgentState)> = event
        .facts
        .queues
        .iter()
        .map(|queue| (*queue, event.state))
        .chain(event.left.iter().map(|queue| (*queue, AgentState::LoggedOut)))
        .collect();
    let first = |groups: &[(QueueId, AgentState)]| groups.first().copied();
    if groups.len() <= 1 {
        return vec![agent_state_event(event, version, first(&groups), &[])];
    }
    if version.number() < SETS_SINCE {
        return groups.iter().map(|group| agent_state_event(event, version, Some(*group), &[])).collect();
    }
    groups.chunks(SETS_MAX).map(|sets| agent_state_event(event, version, first(sets), sets)).collect()
}

fn agent_state_event(
    event: &AgentEvent,
    version: Version,
    group: Option<(QueueId, AgentState)>,
    sets: &[(QueueId, AgentState)],
) -> AgentStateEvent {
    let facts = &event.facts;
    let number = group.map_or(special::NULL_SKILL_GROUP, |(queue, _)| queue.0);
    let id = Identity::of(facts.agent.as_str(), version);
    let extension = facts.extension.as_ref().or(facts.instrument.as_ref());
    AgentStateEvent {
        peripheral_id: event.peripheral.0,
        session_id: event.owner.map_or(0, |session| session.0),
        peripheral_type: peripheral_type(version.flavour()),
        skill_group_state: state_code(group.map_or(event.state, |(_, state)| state)),
        skill_group_number: number,
        skill_group_id: number,
        agent_state: state_code(event.state),
        event_reason_code: facts.reason.0,
        mrd_id: MRD_VOICE,
        num_tasks: num_tasks(event.state),
        agent_mode: codes::AgentMode(agent_mode(event.state, version)),
        max_task_limit: 1,
        icm_agent_id: icm_agent_id(facts.agent.as_str()),
        agent_availability_status: availability(event.state),
        num_flt_skill_groups: u16::try_from(sets.len()).unwrap_or(u16::MAX),
        cti_client_signature: event.by.as_deref().map(Text::cut),
        agent_id: id.short,
        agent_id_long: id.long,
        agent_extension: extension.and_then(|extension| Text::new(extension.as_str()).ok()),
        agent_instrument: facts.instrument.as_ref().and_then(|instrument| Text::new(instrument.as_str()).ok()),
        next_agent_state: facts.next_state.map(state_code),
        flt_skill_groups: sets.iter().map(set).collect(),
        ..Default::default()
    }
}

fn set((queue, state): &(QueueId, AgentState)) -> AgentStateSkillGroup {
    AgentStateSkillGroup {
        number: Some(queue.0.cast_signed()),
        id: Some(queue.0),
        priority: Some(0),
        state: Some(state_code(*state)),
    }
}

fn correction(event: &CorrectionEvent) -> AnyMessage {
    SystemEvent {
        icm_central_controller_time: Time(super::time_of_day()),
        system_event_id: codes::SystemEventId::SYS_TEXT_FYI,
        system_event_arg1: event.peripheral.0,
        event_device_type: codes::DeviceIdType::DEVID_NONE,
        text: Some(Text::cut(&ascii(&event.text))),
        ..Default::default()
    }
    .into()
}

fn pre_call(event: &PreCallEvent) -> AnyMessage {
    let call = &event.call;
    let agent_instrument = Text::new(call.instrument.as_str()).ok();
    let (router_call_key_day, router_call_key_call_id) = (Some(call.key.0), Some(call.key.1));
    let router_call_key_sequence_number = Some(0);
    if event.aborted {
        return AgentPreCallAbortEvent {
            mrd_id: MRD_VOICE,
            agent_instrument,
            router_call_key_day,
            router_call_key_call_id,
            router_call_key_sequence_number,
            ..Default::default()
        }
        .into();
    }
    AgentPreCallEvent {
        service_number: special::NULL_SERVICE,
        service_id: special::NULL_SERVICE,
        skill_group_number: call.queue.0,
        skill_group_id: call.queue.0,
        mrd_id: MRD_VOICE,
        agent_skill_target_id: icm_agent_id(call.agent.as_str()).cast_unsigned(),
        agent_instrument,
        router_call_key_day,
        router_call_key_call_id,
        router_call_key_sequence_number,
        ani: call.ani.as_deref().and_then(|ani| Text::new(ani).ok()),
        dialed_number: call.dialed_number.as_deref().and_then(|number| Text::new(number).ok()),
        agent_id: Text::new(call.agent.as_str()).ok(),
        ..Default::default()
    }
    .into()
}

/// The media routing domain of voice calls: the one that there is here.
pub(super) const MRD_VOICE: i32 = 1;

/// An agent's id in the field of the session's flavour: AgentID, or UCCX's AgentIDLong, which also takes what is too long
/// for the other one.
pub(super) struct Identity {
    pub(super) short: Option<Text<12>>,
    pub(super) long: Option<Text<129>>,
}

impl Identity {
    pub(super) fn of(agent: &str, version: Version) -> Identity {
        let short = if version.flavour() == Flavour::Cce { Text::new(agent).ok() } else { None };
        let long = if short.is_none() { Text::new(agent).ok() } else { None };
        Identity { short, long }
    }
}

/// The numeric id that an agent has besides its name: the name itself where that is a number, 0 (none) otherwise.
pub(super) fn icm_agent_id(agent: &str) -> i32 {
    agent.parse().unwrap_or(0)
}

pub(super) fn num_tasks(state: AgentState) -> u32 {
    u32::from(state.is_on_call())
}

pub(super) fn availability(state: AgentState) -> codes::AgentAvailability {
    match state {
        AgentState::Ready => codes::AgentAvailability::ICM_AVAILABLE,
        _ => codes::AgentAvailability::NOT_AVAILABLE,
    }
}
