//! What differs between two configurations, and which of it a running gateway can take over. Not here: taking it over.
//!
//! Must hold: a secret is not shown, old or new.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::{Config, ListenerConfig};

/// A key that has another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key, such as `limits.connections_max`.
    pub key: String,
    /// What it was, as JSON; none: it was not there.
    pub from: Option<String>,
    /// What it is, as JSON; none: it is not there.
    pub to: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{}: {} -> {}", self.key, value(&self.from), value(&self.to))
    }
}

impl Config {
    /// What is to change for this configuration to become that one, in the order of the keys.
    pub fn changes_to(&self, other: &Config) -> Vec<Change> {
        let (old, new) = (self.leaves(), other.leaves());
        let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
        keys.sort();
        keys.dedup();
        keys.into_iter()
            .filter(|key| old.get(*key) != new.get(*key))
            .map(|key| Change { key: key.clone(), from: old.get(key).cloned(), to: new.get(key).cloned() })
            .collect()
    }

    /// This configuration with all of the other that connections to come can be served by. What a link to an ACD, the table
    /// of agents or a bound address depends on stays.
    pub fn with_live_parts_of(&self, other: &Config) -> Config {
        let mut live = self.clone();
        live.log.filter.clone_from(&other.log.filter);
        live.clients.clone_from(&other.clients);
        live.reasons.clone_from(&other.reasons);
        live.limits = super::Limits {
            sessions_per_client_max: self.limits.sessions_per_client_max,
            outbound_total_bytes_max: self.limits.outbound_total_bytes_max,
            subscriptions_max: self.limits.subscriptions_max,
            agents_max: self.limits.agents_max,
            calls_max: self.limits.calls_max,
            acd_commands_max: self.limits.acd_commands_max,
            memory_bytes_max: self.limits.memory_bytes_max,
            acd_events_max: self.limits.acd_events_max,
            deferred_events_max: self.limits.deferred_events_max,
            ..other.limits.clone()
        };
        live.timeouts.open = other.timeouts.open;
        live.timeouts.dead_peer = other.timeouts.dead_peer;
        live.timeouts.write = other.timeouts.write;
        live.sessions.resume_window = other.sessions.resume_window;
        live.sessions.lost_sessions_max = other.sessions.lost_sessions_max;
        live.sessions.resume_events_max = other.sessions.resume_events_max;
        live.sessions.resume_bytes_max = other.sessions.resume_bytes_max;
        let is_same = |one: &ListenerConfig, other: &ListenerConfig| {
            (one.dialect, one.transport, one.address) == (other.dialect, other.transport, other.address)
        };
        for listener in &mut live.listeners {
            if let Some(changed) = other.listeners.iter().find(|other| is_same(listener, other)) {
                *listener = changed.clone();
            }
        }
        live
    }

    /// Every value by its key. Tables in a list are told by their id, or else by their place.
    fn leaves(&self) -> BTreeMap<String, String> {
        let mut leaves = BTreeMap::new();
        // All keys are texts, so that this cannot fail; if it did, nothing would be said to differ.
        collect("", &serde_json::to_value(self).unwrap_or_default(), &mut leaves);
        leaves
    }
}

fn collect(key: &str, value: &Value, leaves: &mut BTreeMap<String, String>) {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| collect(&below(name), value, leaves)),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (at, item) in items.iter().enumerate() {
                let id = item.get("id").map_or_else(|| at.to_string(), Value::to_string);
                collect(&format!("{key}[{id}]"), item, leaves);
            }
        }
        Value::Null => (),
        value => {
            leaves.insert(key.to_owned(), value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::from_toml("test", text).unwrap()
    }

    fn said(changes: &[Change]) -> Vec<String> {
        changes.iter().map(Change::to_string).collect()
    }

    #[test]
    fn changes_are_told_by_key_with_old_and_new_value() {
        let old =
            config("[limits]\nconnections_max = 10\n[[client]]\nid = \"crm\"\npassword = \"\"\nrole = \"bridge\"\n");
        let new = config("[log]\nfilter = \"debug\"\n[[client]]\nid = \"crm\"\npassword = \"\"\nservices = []\n");
        assert_eq!(
            said(&old.changes_to(&new)),
            [
                "client[\"crm\"].role: \"bridge\" -> \"agent\"",
                "client[\"crm\"].services: nothing -> []",
                "limits.connections_max: 10 -> 20000",
                "log.filter: \"info\" -> \"debug\"",
            ]
        );
        assert_eq!(old.changes_to(&old), []);
    }

    #[test]
    fn no_change_shows_a_secret() {
        let old = config("[[client]]\nid = \"a\"\npassword = \"s24680\"\n");
        let new = config(
            "[[client]]\nid = \"a\"\npassword = { env = \"A\" }\n[[client]]\nid = \"b\"\npassword = \"s24680\"\n",
        );
        let said = said(&old.changes_to(&new)).join("\n");
        assert!(said.contains("client[\"b\"].password: nothing -> \"***\"") && !said.contains("24680"), "{said}");
    }

    #[test]
    fn what_is_bound_or_linked_stays_until_a_restart() {
        let old = config("");
        let new = config(
            "[limits]\nconnections_max = 10\nacd_events_max = 99\n[timeouts]\nopen = \"1s\"\nacd_answer = \"1s\"\n\
             [[listener]]\nfailure_text = false\n[[listener]]\naddress = \"127.0.0.1:42028\"\n\
             [[acd]]\nkind = \"embedded\"\nlatency = \"1s\"\n",
        );
        let live = old.with_live_parts_of(&new);
        assert_eq!(
            said(&old.changes_to(&live)),
            [
                "limits.connections_max: 20000 -> 10",
                "listener[0].failure_text: true -> false",
                "timeouts.open: \"30s\" -> \"1s\""
            ]
        );
        let waiting: Vec<String> = live.changes_to(&new).into_iter().map(|change| change.key).collect();
        for key in ["acd[0].latency", "limits.acd_events_max", "listener[1].address", "timeouts.acd_answer"] {
            assert!(waiting.iter().any(|waiting| waiting == key), "{key} in {waiting:?}");
        }
    }
}
