//! The protocol's numbers for what the model names. Not here: anything that is not a number.

use cti_protocol::ged188::codes::{self, AgentStateMask, CallControlMask, CallMsgMask, PeripheralType};
use cti_protocol::ged188::{Flavour, Version};

use crate::model::{AgentState, CallAbilities, CallAbility, CallStepKind, Filter};

/// The number of a state.
pub(super) fn state_code(state: AgentState) -> codes::AgentState {
    use codes::AgentState as Code;
    match state {
        AgentState::LoggedIn => Code::AGENT_STATE_LOGIN,
        AgentState::LoggedOut => Code::AGENT_STATE_LOGOUT,
        AgentState::NotReady => Code::AGENT_STATE_NOT_READY,
        AgentState::Ready => Code::AGENT_STATE_AVAILABLE,
        AgentState::Reserved => Code::AGENT_STATE_RESERVED,
        AgentState::Talking => Code::AGENT_STATE_TALKING,
        AgentState::Hold => Code::AGENT_STATE_HOLD,
        AgentState::WorkNotReady => Code::AGENT_STATE_WORK_NOT_READY,
        AgentState::WorkReady => Code::AGENT_STATE_WORK_READY,
        AgentState::BusyOther => Code::AGENT_STATE_BUSY_OTHER,
        AgentState::Unknown => Code::AGENT_STATE_UNKNOWN,
    }
}

/// What two masks let through. Bits without a meaning here are ignored: most clients set them all. A state that the
/// protocol has no bit for comes to whoever wants any state.
pub(super) fn filter_of(call_mask: CallMsgMask, agent_mask: AgentStateMask) -> Filter {
    let has = |bit: AgentStateMask| agent_mask.0 & bit.0 != 0;
    let agent_states = AgentState::ALL.into_iter().filter(|state| match state {
        AgentState::LoggedIn => has(AgentStateMask::AGENT_LOGIN_MASK),
        AgentState::LoggedOut => has(AgentStateMask::AGENT_LOGOUT_MASK),
        AgentState::NotReady => has(AgentStateMask::AGENT_NOT_READY_MASK),
        AgentState::Ready => has(AgentStateMask::AGENT_AVAILABLE_MASK),
        AgentState::Reserved => has(AgentStateMask::AGENT_RESERVED_MASK),
        AgentState::Talking => has(AgentStateMask::AGENT_TALKING_MASK),
        AgentState::Hold => has(AgentStateMask::AGENT_HOLD_MASK),
        AgentState::WorkNotReady => has(AgentStateMask::AGENT_WORK_NOT_READY_MASK),
        AgentState::WorkReady => has(AgentStateMask::AGENT_WORK_READY_MASK),
        AgentState::BusyOther => has(AgentStateMask::AGENT_BUSY_OTHER_MASK),
        AgentState::Unknown => agent_mask.0 != 0,
    });
    Filter {
        agent_states: agent_states.collect(),
        pre_calls: call_mask.0 & CallMsgMask::AGENT_PRE_CALL_MASK.0 != 0,
        pre_call_aborts: call_mask.0 & CallMsgMask::AGENT_PRE_CALL_ABORT_MASK.0 != 0,
        calls: CallStepKind::ALL.into_iter().filter(|step| call_mask.0 & bit_of(*step).0 != 0).collect(),
    }
}

/// The bit of CallMsgMask that asks for a step.
fn bit_of(step: CallStepKind) -> CallMsgMask {
    match step {
        CallStepKind::Began => CallMsgMask::BEGIN_CALL_MASK,
        CallStepKind::Initiated => CallMsgMask::CALL_SERVICE_INITIATED_MASK,
        CallStepKind::Originated => CallMsgMask::CALL_ORIGINATED_MASK,
        CallStepKind::Delivered => CallMsgMask::CALL_DELIVERED_MASK,
        CallStepKind::Queued => CallMsgMask::CALL_QUEUED_MASK,
        CallStepKind::Dequeued => CallMsgMask::CALL_DEQUEUED_MASK,
        CallStepKind::Established => CallMsgMask::CALL_ESTABLISHED_MASK,
        CallStepKind::Held => CallMsgMask::CALL_HELD_MASK,
        CallStepKind::Retrieved => CallMsgMask::CALL_RETRIEVED_MASK,
        CallStepKind::Diverted => CallMsgMask::CALL_DIVERTED_MASK,
        CallStepKind::Failed => CallMsgMask::CALL_FAILED_MASK,
        CallStepKind::Left => CallMsgMask::CALL_CONNECTION_CLEARED_MASK,
        CallStepKind::Transferred => CallMsgMask::CALL_TRANSFERRED_MASK,
        CallStepKind::Conferenced => CallMsgMask::CALL_CONFERENCED_MASK,
        CallStepKind::DataChanged => CallMsgMask::CALL_DATA_UPDATE_MASK,
        CallStepKind::Cleared => CallMsgMask::CALL_CLEARED_MASK,
        CallStepKind::Ended => CallMsgMask::END_CALL_MASK,
    }
}

/// What a device can be asked: what the gateway answers itself, and what its ACD can do.
pub(super) fn control_mask(can: CallAbilities) -> CallControlMask {
    let own = CallControlMask::CONTROL_QUERY_AGENT_STATE
        | CallControlMask::CONTROL_SET_AGENT_STATE
        | CallControlMask::CONTROL_QUERY_DEVICE_INFO
        | CallControlMask::CONTROL_SNAPSHOT_CALL
        | CallControlMask::CONTROL_SNAPSHOT_DEVICE;
    CallAbility::ALL
        .into_iter()
        .filter(|ability| can.holds(*ability))
        .map(control_bit)
        .fold(own, |mask, bit| mask | bit)
}

fn control_bit(ability: CallAbility) -> CallControlMask {
    match ability {
        CallAbility::Make => CallControlMask::CONTROL_MAKE_CALL,
        CallAbility::Answer => CallControlMask::CONTROL_ANSWER_CALL,
        CallAbility::Hold => CallControlMask::CONTROL_HOLD_CALL,
        CallAbility::Retrieve => CallControlMask::CONTROL_RETRIEVE_CALL,
        CallAbility::Alternate => CallControlMask::CONTROL_ALTERNATE_CALL,
        CallAbility::Reconnect => CallControlMask::CONTROL_RECONNECT_CALL,
        CallAbility::Consult => CallControlMask::CONTROL_CONSULTATION_CALL,
        CallAbility::Transfer => CallControlMask::CONTROL_TRANSFER_CALL,
        CallAbility::Conference => CallControlMask::CONTROL_CONFERENCE_CALL,
        CallAbility::Deflect => CallControlMask::CONTROL_DEFLECT_CALL,
        CallAbility::ClearConnection => CallControlMask::CONTROL_CLEAR_CONNECTION,
        CallAbility::ClearCall => CallControlMask::CONTROL_CLEAR_CALL,
        CallAbility::SendDtmf => CallControlMask::CONTROL_SEND_DTMF_SIGNAL,
        // These are the Call Data Update's and the Supervisor's services: no bit stands for them.
        CallAbility::SetData | CallAbility::Release | CallAbility::Supervise => CallControlMask(0),
    }
}

/// The events that calls may bring.
pub(super) fn events_mask() -> CallMsgMask {
    let own = CallMsgMask::AGENT_PRE_CALL_MASK | CallMsgMask::AGENT_PRE_CALL_ABORT_MASK;
    CallStepKind::ALL.into_iter().map(bit_of).fold(own, |mask, bit| mask | bit)
}

/// Whether an agent is offered calls. The guides up to 17 print routable as 0, those from 23 as 1; what lies between is
/// not printed, so the turn is taken at 20, with the other changes of that version.
pub(super) fn agent_mode(state: AgentState, version: Version) -> u16 {
    let is_routable = !matches!(state, AgentState::LoggedOut | AgentState::NotReady | AgentState::WorkNotReady);
    u16::from(is_routable == (version.number() >= 20))
}

/// The kind of peripheral that clients are told of: an enterprise agent peripheral, or what UCCX says of itself.
pub(super) fn peripheral_type(flavour: Flavour) -> PeripheralType {
    match flavour {
        Flavour::Cce => PeripheralType::PT_ENTERPRISE_AGENT,
        Flavour::Uccx => PeripheralType::PT_ACMI_CRS,
    }
}

/// Words as a STRING can hold them: that is ASCII.
pub(super) fn ascii(words: &str) -> String {
    words.chars().map(|letter| if letter.is_ascii() { letter } else { '?' }).collect()
}
