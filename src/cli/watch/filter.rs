//! Which events are shown. Not here: how.

use std::collections::HashMap;
use std::str::FromStr;

use cti_protocol::ged188::catalogue::CATALOGUE;
use cti_protocol::ged188::{AnyMessage, Version};
use serde_json::Value;

/// What the arguments let through. Nothing named: everything.
#[derive(Debug, Default)]
pub(super) struct Filter {
    events: Vec<EventPattern>,
    /// Each agent named, and the devices it was last seen at: a call's events name those, not the agent.
    agents: HashMap<String, Vec<String>>,
}

impl Filter {
    pub(super) fn new(events: &[EventPattern], agents: &[String]) -> Filter {
        Filter { events: events.to_vec(), agents: agents.iter().map(|agent| (agent.clone(), Vec::new())).collect() }
    }

    /// Whether to show a message. Learns from every message where the agents are.
    pub(super) fn lets_through(&mut self, message: &AnyMessage, version: Version) -> bool {
        let is_of_an_agent = self.agents.is_empty() || self.is_of_an_agent(&message.to_json(version));
        let name = message.name().unwrap_or_default();
        is_of_an_agent && (self.events.is_empty() || self.events.iter().any(|pattern| pattern.fits(name)))
    }

    fn is_of_an_agent(&mut self, fields: &Value) -> bool {
        let text = |name| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        if let Some(id) = text("AgentID").or_else(|| text("AgentIDLong")) {
            let Some(devices) = self.agents.get_mut(id) else { return false };
            let now: Vec<String> =
                ["AgentInstrument", "AgentExtension"].into_iter().filter_map(text).map(str::to_owned).collect();
            if !now.is_empty() {
                *devices = now;
            }
            return true;
        }
        let is_known = |value: &Value| {
            let device = value.as_str().unwrap_or_default();
            self.agents.values().flatten().any(|known| known == device)
        };
        fields.as_object().into_iter().flatten().filter(|(name, _)| names_a_device(name)).any(
            |(_, value)| match value {
                Value::Array(values) => values.iter().any(is_known),
                value => is_known(value),
            },
        )
    }
}

fn names_a_device(field: &str) -> bool {
    field.ends_with("DeviceID") || field == "AgentInstrument" || field == "AgentExtension"
}

/// A message's name, `*` standing for any letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EventPattern(String);

impl EventPattern {
    fn fits(&self, name: &str) -> bool {
        let Some((head, rest)) = self.0.split_once('*') else { return self.0 == name };
        let Some(mut left) = name.strip_prefix(head) else { return false };
        let mut pieces: Vec<&str> = rest.split('*').collect();
        let tail = pieces.pop().unwrap_or_default();
        for piece in pieces {
            let Some(at) = left.find(piece) else { return false };
            left = &left[at + piece.len()..];
        }
        left.ends_with(tail)
    }
}

impl FromStr for EventPattern {
    type Err = String;

    /// Refuses what would never come.
    fn from_str(text: &str) -> Result<EventPattern, String> {
        let pattern = EventPattern(text.to_ascii_uppercase());
        match CATALOGUE.iter().any(|info| pattern.fits(info.name)) {
            true => Ok(pattern),
            false => Err("no message of GED-188 is called so, such as AGENT_STATE_EVENT or CALL_*".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use cti_protocol::ged188::{AgentStateEvent, EndCallEvent, SystemEvent, Text};

    use super::*;

    fn state(agent: &str, instrument: &str) -> AnyMessage {
        let (agent_id, agent_instrument) = (Some(Text::cut(agent)), Some(Text::cut(instrument)));
        AgentStateEvent { agent_id, agent_instrument, ..Default::default() }.into()
    }

    fn call_at(device: &str) -> AnyMessage {
        EndCallEvent { connection_device_id: Some(Text::cut(device)), ..Default::default() }.into()
    }

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, name, fits) in [
            ("CALL_*", "CALL_HELD_EVENT", true),
            ("call_held_event", "CALL_HELD_EVENT", true),
            ("CALL_*", "BEGIN_CALL_EVENT", false),
            ("*CALL_EVENT", "BEGIN_CALL_EVENT", true),
            ("*_CALL_*", "BEGIN_CALL_EVENT", true),
            ("AGENT_*_EVENT", "AGENT_STATE_EVENT", true),
            ("AGENT_STATE", "AGENT_STATE_EVENT", false),
            ("*", "SYSTEM_EVENT", true),
        ] {
            let pattern = EventPattern(pattern.to_ascii_uppercase());
            assert_eq!(pattern.fits(name), fits, "{pattern:?} {name}");
        }
        assert!("AGENT_STATE_EVNT".parse::<EventPattern>().is_err());
    }

    #[test]
    fn an_agents_calls_are_found_by_the_device_that_it_was_last_seen_at() {
        let mut filter = Filter::new(&[], &["1001".to_owned()]);
        let mut shows = |message: AnyMessage| filter.lets_through(&message, Version::LATEST);
        assert!(!shows(call_at("3001")), "nobody knows yet whose it is");
        assert!(shows(state("1001", "3001")));
        assert!(shows(call_at("3001")));
        assert!(!shows(state("1002", "3002")));
        assert!(!shows(call_at("3002")));
        assert!(!shows(SystemEvent::default().into()));
        assert!(shows(state("1001", "3009")));
        assert!(!shows(call_at("3001")), "the agent moved");
    }

    #[test]
    fn an_agent_is_followed_by_events_that_are_not_shown() {
        let mut filter = Filter::new(&["END_CALL_EVENT".parse().unwrap()], &["1001".to_owned()]);
        assert!(!filter.lets_through(&state("1001", "3001"), Version::LATEST));
        assert!(filter.lets_through(&call_at("3001"), Version::LATEST));
    }
}
