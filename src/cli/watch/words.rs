//! Events in words: the name, then what matters. One line each.
//!
//! Lives here: which fields matter in a call's event, and how any other message is told from the catalogue alone.
//! Not here: which events are shown (`filter`).

use cti_protocol::ged188::catalogue::{self, FieldInfo};
use cti_protocol::ged188::{AnyMessage, Version};
use serde_json::Value;

use crate::cli::agent::words::told;

/// The line of a message, without its time.
pub(in crate::cli) fn line(message: &AnyMessage, version: Version) -> String {
    let name = message.name().unwrap_or("UNKNOWN");
    let what = match message {
        AnyMessage::AgentStateEvent(event) => match &event.agent_instrument {
            Some(instrument) => format!("{} at {instrument}", told(message)),
            None => told(message),
        },
        AnyMessage::SystemEvent(_)
        | AnyMessage::FailureEvent(_)
        | AnyMessage::AgentPreCallEvent(_)
        | AnyMessage::AgentPreCallAbortEvent(_)
        | AnyMessage::Stranger(_) => told(message),
        other if is_of_a_call(name) => fields(other, version, matters_to_a_call),
        other => fields(other, version, |field| Some(field.name)),
    };
    // Whatever a server puts into its texts, this stays one line and does nothing to a terminal.
    let line = format!("{name} {what}");
    line.trim_end().chars().fold(String::with_capacity(line.len()), |mut shown, letter| {
        if letter.is_control() {
            shown.extend(letter.escape_default())
        } else {
            shown.push(letter)
        }
        shown
    })
}

fn is_of_a_call(name: &str) -> bool {
    name.ends_with("_EVENT") && (name.starts_with("CALL_") || ["BEGIN_CALL_EVENT", "END_CALL_EVENT"].contains(&name))
}

fn matters_to_a_call(field: &FieldInfo) -> Option<&'static str> {
    CALL_WORDS.iter().find(|(name, _)| *name == field.name).map(|(_, word)| *word)
}

/// The fields of a message that `word` has one for and that say something, in the order of the table.
fn fields(message: &AnyMessage, version: Version, word: impl Fn(&FieldInfo) -> Option<&'static str>) -> String {
    let Some(info) = catalogue::by_type(message.message_type()) else { return String::new() };
    let json = message.to_json(version);
    let told = info.fixed.iter().chain(info.floating).filter_map(|field| {
        let value = json.get(field.name).filter(|value| says_something(field, value))?;
        Some(format!("{} {}", word(field)?, shown(field, value)))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Whether a value is more than the protocol's way to leave a field empty.
fn says_something(field: &FieldInfo, value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Null => false,
        // A code of 0 often is a name among others; a bare 0 and all ones are none.
        Value::Number(number) => match number.as_i64() {
            Some(0) => !field.names.is_empty(),
            Some(-1 | 0xffff | 0xffff_ffff) => false,
            _ => true,
        },
        Value::Bool(_) | Value::Object(_) => true,
    }
}

/// A value, codes by their names.
pub(in crate::cli) fn shown(field: &FieldInfo, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(|value| shown(field, value)).collect::<Vec<_>>().join(" "),
        Value::Number(number) => {
            let named = field.names.iter().find(|(_, code)| number.as_u64() == Some(u64::from(*code)));
            named.map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned())
        }
        other => other.to_string(),
    }
}

/// What matters in a call's event, and the word for it.
const CALL_WORDS: &[(&str, &str)] = &[
    ("CallType", "type"),
    ("ConnectionCallID", "call"),
    ("PrimaryCallID", "call"),
    ("SecondaryCallID", "other call"),
    ("SecondaryConnectionCallID", "other call"),
    ("NewConnectionCallID", "new call"),
    ("ConnectedPartyCallID", "calls"),
    ("ConnectionDeviceID", "at"),
    ("AlertingDeviceID", "alerting"),
    ("AnsweringDeviceID", "answered by"),
    ("HoldingDeviceID", "held by"),
    ("RetrievingDeviceID", "retrieved by"),
    ("ReleasingDeviceID", "released by"),
    ("FailingDeviceID", "failed at"),
    ("DivertingDeviceID", "diverted by"),
    ("ControllerDeviceID", "controller"),
    ("AddedPartyDeviceID", "added"),
    ("TransferringDeviceID", "transferred by"),
    ("TransferredDeviceID", "transferred"),
    ("QueueDeviceID", "queue device"),
    ("CallingDeviceID", "from"),
    ("CalledDeviceID", "to"),
    ("ConnectedPartyDeviceID", "parties"),
    ("ANI", "caller"),
    ("DialedNumber", "dialed"),
    ("SkillGroupNumber", "queue"),
    ("NumQueued", "queued"),
    ("LocalConnectionState", "now"),
    ("EventCause", "because of"),
];

#[cfg(test)]
mod tests {
    use cti_protocol::ged188::catalogue::CATALOGUE;
    use cti_protocol::ged188::codes::{AgentState, CallType, EventCause, LocalConnectionState};
    use cti_protocol::ged188::{
        AgentStateEvent, BeginCallEvent, CallEstablishedEvent, ConfigAgentEvent, EndCallEvent, Text,
    };

    use super::*;

    #[test]
    fn an_agents_state_is_told_with_its_place() {
        let event = AgentStateEvent {
            agent_id: Some(Text::cut("1001")),
            agent_instrument: Some(Text::cut("3001")),
            agent_state: AgentState::AGENT_STATE_NOT_READY,
            event_reason_code: 12,
            skill_group_number: 1,
            ..Default::default()
        };
        let told = line(&event.into(), Version::LATEST);
        assert_eq!(told, "AGENT_STATE_EVENT agent 1001 is NOT_READY (reason 12) in queue 1 at 3001");
    }

    #[test]
    fn a_call_is_told_with_its_parties_queue_and_cause() {
        let begin = BeginCallEvent {
            connection_call_id: 17,
            call_type: CallType::CALLTYPE_ACD_IN,
            ani: Some(Text::cut("5551234")),
            ..Default::default()
        };
        let told = line(&begin.into(), Version::LATEST);
        assert_eq!(told, "BEGIN_CALL_EVENT type CALLTYPE_ACD_IN, call 17, caller 5551234");
        let established = CallEstablishedEvent {
            connection_call_id: 17,
            skill_group_number: 3,
            local_connection_state: LocalConnectionState::LCS_CONNECT,
            event_cause: EventCause::CEC_NONE,
            calling_device_id: Some(Text::cut("5551234")),
            answering_device_id: Some(Text::cut("3001")),
            ..Default::default()
        };
        let told = line(&established.into(), Version::LATEST);
        for part in ["call 17", "queue 3", "answered by 3001", "from 5551234", "now LCS_CONNECT"] {
            assert!(told.contains(part), "{part} is missing: {told}");
        }
        let end = EndCallEvent { connection_call_id: 17, ..Default::default() };
        assert_eq!(line(&end.into(), Version::LATEST), "END_CALL_EVENT call 17");
    }

    #[test]
    fn any_other_event_is_told_by_its_catalogue_entry() {
        let event = ConfigAgentEvent { num_records: 2, ..Default::default() };
        let told = line(&event.into(), Version::LATEST);
        assert!(told.starts_with("CONFIG_AGENT_EVENT ") && told.contains("NumRecords 2"), "{told}");
    }

    #[test]
    fn a_hostile_text_stays_one_line() {
        let event = EndCallEvent { connection_device_id: Some(Text::cut("30\n01\u{1b}[2J")), ..Default::default() };
        let told = line(&event.into(), Version::LATEST);
        assert!(told.ends_with("at 30\\n01\\u{1b}[2J"), "{told}");
    }

    #[test]
    fn every_word_is_for_a_field_of_a_calls_event() {
        let events = || CATALOGUE.iter().filter(|info| is_of_a_call(info.name));
        for (name, _) in CALL_WORDS {
            let is_there =
                events().flat_map(|info| info.fixed.iter().chain(info.floating)).any(|row| row.name == *name);
            assert!(is_there, "{name}");
        }
    }
}
