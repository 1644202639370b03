//! What differs between two configurations, and which of it a running gateway can take over. Not here: taking it over.
//!
//! Must hold: a secret is not shown, old or new.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::{Config, Limits, ListenerConfig, SessionsConfig, Timeouts};

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
        // Key by key, so that nobody adds one without saying which it is.
        let (kept, changed) = (&self.limits, &other.limits);
        live.limits = Limits {
            connections_max: changed.connections_max,
            connections_per_address_max: changed.connections_per_address_max,
            sessions_per_client_max: kept.sessions_per_client_max,
            frame_bytes_max: changed.frame_bytes_max,
            message_bytes_max: changed.message_bytes_max,
            outbound_bytes_max: changed.outbound_bytes_max,
            outbound_total_bytes_max: changed.outbound_total_bytes_max,
            requests_in_flight_max: changed.requests_in_flight_max,
            requests_per_second_max: changed.requests_per_second_max,
            monitors_max: changed.monitors_max,
            subscriptions_max: kept.subscriptions_max,
            agents_max: kept.agents_max,
            calls_max: kept.calls_max,
            acd_commands_max: kept.acd_commands_max,
            acd_events_max: kept.acd_events_max,
            deferred_events_max: kept.deferred_events_max,
            memory_bytes_max: kept.memory_bytes_max,
        };
        let (kept, changed) = (&self.timeouts, &other.timeouts);
        live.timeouts = Timeouts {
            open: changed.open,
            acd_start: kept.acd_start,
            acd_answer: kept.acd_answer,
            adapter_retry_min: kept.adapter_retry_min,
            adapter_retry_max: kept.adapter_retry_max,
            dead_peer: changed.dead_peer,
            write: changed.write,
            lag: kept.lag,
            goodbyes: kept.goodbyes,
            drain: kept.drain,
            audit: kept.audit,
        };
        let (kept, changed) = (&self.sessions, &other.sessions);
        live.sessions = SessionsConfig {
            second_client: kept.second_client,
            resume_window: changed.resume_window,
            lost_sessions_max: changed.lost_sessions_max,
            resume_events_max: changed.resume_events_max,
            resume_bytes_max: changed.resume_bytes_max,
            grace: kept.grace,
            not_ready_after: kept.not_ready_after,
            logout_after: kept.logout_after,
            lost_reason: kept.lost_reason,
            logout_on_call: kept.logout_on_call,
            day_begins: kept.day_begins,
        };
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
