//! Messages in words: one line each, names and not numbers.
//!
//! Not here: which message answers what.

use cti_protocol::ged188::codes::{AgentState, special};
use cti_protocol::ged188::{AgentStateEvent, AnyMessage, QueryAgentStateConf, Text, Version};

/// An answer that is no refusal.
pub(super) fn answered(what: &str, message: &AnyMessage) -> String {
    match message {
        AnyMessage::OpenConf(opened) => {
            let online = if opened.peripheral_online.is_true() { "" } else { ", the ACD is not reachable" };
            format!("open confirmed, the agent is {}{online}", state_name(opened.agent_state))
        }
        AnyMessage::QueryAgentStateConf(answer) => queried(answer),
        AnyMessage::SetAgentStateConf(_) | AnyMessage::CloseConf(_) => format!("{what} confirmed"),
        other => format!("{what} answered with {}", told(other)),
    }
}

/// Why a request was refused, if that is what the message says.
pub(in crate::cli) fn refusal(message: &AnyMessage) -> Option<String> {
    match message {
        AnyMessage::FailureConf(no) => Some(with_text(format!("{:?}", no.status), no.text.as_ref())),
        AnyMessage::ControlFailureConf(no) => {
            let code = match no.peripheral_error_code {
                0 => format!("{:?}", no.failure_code),
                error => format!("{:?} (the ACD's error {error})", no.failure_code),
            };
            Some(with_text(code, no.text.as_ref()))
        }
        _ => None,
    }
}

/// What came without having been asked for.
pub(in crate::cli) fn told(message: &AnyMessage) -> String {
    match message {
        AnyMessage::AgentStateEvent(event) => agent_is(event),
        AnyMessage::SystemEvent(event) => {
            with_text(format!("system event {:?}", event.system_event_id), event.text.as_ref())
        }
        AnyMessage::FailureEvent(event) => {
            with_text(format!("the gateway reports {:?}", event.status), event.text.as_ref())
        }
        AnyMessage::AgentPreCallEvent(call) => {
            let from = call.ani.as_ref().map(|ani| format!(" from {ani}")).unwrap_or_default();
            format!("a call{from} comes from queue {}", call.skill_group_number)
        }
        AnyMessage::AgentPreCallAbortEvent(_) => "the call does not come after all".to_owned(),
        AnyMessage::Stranger(stranger) => {
            let bytes = stranger.body.len();
            match stranger.message_type.name() {
                Some(name) => format!("{name} with {bytes} bytes"),
                None => format!("a message of the unknown type {} with {bytes} bytes", stranger.message_type.0),
            }
        }
        other => format!("{} {}", other.name().unwrap_or("a message"), other.to_json(Version::LATEST)),
    }
}

fn agent_is(event: &AgentStateEvent) -> String {
    let id = event.agent_id.as_ref().map(ToString::to_string);
    let id = id.or_else(|| event.agent_id_long.as_ref().map(ToString::to_string));
    let sets = event.flt_skill_groups.iter().filter_map(|set| Some((set.number?.cast_unsigned(), set.state?)));
    let mut groups: Vec<(u32, AgentState)> = sets.collect();
    if groups.is_empty() && event.skill_group_number != special::NULL_SKILL_GROUP {
        groups.push((event.skill_group_number, event.skill_group_state));
    }
    let is_left = |group: &(u32, AgentState)| group.1 == AgentState::AGENT_STATE_LOGOUT;
    let queues = |wanted_left: bool| -> Vec<u32> {
        groups.iter().filter(|group| is_left(group) == wanted_left).map(|group| group.0).collect()
    };
    let mut line = format!("agent {} is {}", id.as_deref().unwrap_or("?"), state_name(event.agent_state));
    if event.event_reason_code != 0 {
        line += &format!(" (reason {})", event.event_reason_code);
    }
    line += &in_queues(" in ", &queues(false));
    line += &in_queues(", left ", &queues(true));
    if let Some(next) = event.next_agent_state {
        line += &format!(", then {}", state_name(next));
    }
    line
}

fn queried(answer: &QueryAgentStateConf) -> String {
    let id = answer.agent_id.as_ref().map(ToString::to_string);
    let id = id.or_else(|| answer.agent_id_long.as_ref().map(ToString::to_string));
    let queues: Vec<u32> = answer.skill_groups.iter().filter_map(|group| group.number).collect();
    let at = answer.agent_instrument.as_ref().map(|instrument| format!(" at {instrument}")).unwrap_or_default();
    let (id, state) = (id.as_deref().unwrap_or("?"), state_name(answer.agent_state));
    format!("agent {id} is {state}{}{at}", in_queues(" in ", &queues))
}

/// The queues in words, behind `lead`; nothing if there are none.
pub(in crate::cli) fn in_queues(lead: &str, queues: &[u32]) -> String {
    let numbers: Vec<String> = queues.iter().map(u32::to_string).collect();
    match queues.len() {
        0 => String::new(),
        1 => format!("{lead}queue {}", numbers[0]),
        _ => format!("{lead}queues {}", numbers.join(", ")),
    }
}

/// The guide's name without the prefix that all have.
pub(in crate::cli) fn state_name(state: AgentState) -> String {
    let name = format!("{state:?}");
    name.strip_prefix("AGENT_STATE_").map(str::to_owned).unwrap_or(name)
}

fn with_text<const MAX: usize>(code: String, text: Option<&Text<MAX>>) -> String {
    match text.filter(|text| !text.is_empty()) {
        // Whatever a server puts there, it stays one line.
        Some(text) => format!("{code}: {}", text.to_string().escape_debug()),
        None => code,
    }
}

#[cfg(test)]
mod tests {
    use cti_protocol::ged188::codes::{ControlFailure, Status};
    use cti_protocol::ged188::{AgentStateSkillGroup, ControlFailureConf, FailureConf, SetAgentStateConf, Stranger};

    use super::*;

    fn set(number: i32, state: AgentState) -> AgentStateSkillGroup {
        AgentStateSkillGroup { number: Some(number), state: Some(state), ..Default::default() }
    }

    #[test]
    fn a_state_is_told_with_its_reason_and_queues() {
        let not_ready = AgentState::AGENT_STATE_NOT_READY;
        let event = AgentStateEvent {
            agent_id: Some(Text::cut("1001")),
            agent_state: not_ready,
            event_reason_code: 12,
            flt_skill_groups: vec![set(1, not_ready), set(2, not_ready), set(3, not_ready)],
            ..Default::default()
        };
        assert_eq!(told(&event.into()), "agent 1001 is NOT_READY (reason 12) in queues 1, 2, 3");
    }

    #[test]
    fn queues_that_an_agent_left_are_told_apart() {
        let (out, ready) = (AgentState::AGENT_STATE_LOGOUT, AgentState::AGENT_STATE_AVAILABLE);
        let mut event = AgentStateEvent {
            agent_id_long: Some(Text::cut("1001")),
            agent_state: ready,
            flt_skill_groups: vec![set(1, ready), set(2, out)],
            ..Default::default()
        };
        assert_eq!(told(&event.clone().into()), "agent 1001 is AVAILABLE in queue 1, left queue 2");
        event.flt_skill_groups.clear();
        (event.agent_state, event.skill_group_number, event.skill_group_state) = (out, 7, out);
        assert_eq!(told(&event.clone().into()), "agent 1001 is LOGOUT, left queue 7");
        event.skill_group_number = special::NULL_SKILL_GROUP;
        event.next_agent_state = Some(AgentState(77));
        assert_eq!(told(&event.into()), "agent 1001 is LOGOUT, then AgentState(77)");
    }

    #[test]
    fn a_refusal_has_its_code_by_name_and_its_text_in_one_line() {
        let no = FailureConf {
            status: Status::E_CTI_INVALID_VERSION,
            text: Some(Text::cut("no\nsuch")),
            ..Default::default()
        };
        assert_eq!(refusal(&no.into()).as_deref(), Some("E_CTI_INVALID_VERSION: no\\nsuch"));
        let no = ControlFailureConf {
            failure_code: ControlFailure::CF_REASON_CODE_REQUIRED,
            peripheral_error_code: 9,
            ..Default::default()
        };
        assert_eq!(refusal(&no.into()).as_deref(), Some("CF_REASON_CODE_REQUIRED (the ACD's error 9)"));
        assert_eq!(refusal(&SetAgentStateConf::default().into()), None);
    }

    #[test]
    fn an_answer_of_the_wrong_kind_is_named() {
        assert_eq!(answered("login", &SetAgentStateConf::default().into()), "login confirmed");
        let stranger = Stranger { message_type: cti_protocol::ged188::MessageType(9999), body: Default::default() };
        assert_eq!(
            answered("login", &stranger.into()),
            "login answered with a message of the unknown type 9999 with 0 bytes"
        );
    }
}
