//! Fields that the server gives anew each time: those that are translated, and those that are not compared.
//!
//! Lives here: the table of both, and which recorded id is which replayed one. Not here: the comparison.

use std::collections::HashMap;

use bytes::BytesMut;
use cti_protocol::ged188::catalogue::{self, CATALOGUE, FieldInfo, WireType};
use cti_protocol::ged188::{Frame, Version};
use serde_json::{Map, Value};

/// Fields that differ from session to session without meaning, besides every field of type TIME.
pub(super) const IGNORED: &[(&str, &str)] = &[
    ("StateDuration", "how long a state has lasted depends on the pace"),
    ("AtcStateDuration", "the same, of a team's agents"),
    ("Duration", "the same, of the state before"),
    ("RouterCallKeyDay", "the router's key of a call holds the day"),
    ("RouterCallKeyCallID", "and its own number"),
    ("RouterCallKeySequenceNumber", "and a count of its own"),
    ("CallReferenceID", "made up for each call"),
    ("ProtocolReferenceGUID", "made up for each call"),
    ("ClientAddress", "the replay comes from where it is run"),
    ("ClientPort", "and from any port"),
];

/// What an id names. Those of a connection are apart from those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Monitor { connection: usize },
    Session,
    Call,
}

/// What kind of id a field holds, if it holds one that the server gives.
fn kind(field: &str, connection: usize) -> Option<Kind> {
    match field {
        "MonitorID" => Some(Kind::Monitor { connection }),
        "SessionID" => Some(Kind::Session),
        "RouterCallKeyCallID" => None,
        _ if field.ends_with("CallID") => Some(Kind::Call),
        _ => None,
    }
}

/// Whether an id is the protocol's way to say that there is none.
fn is_none(id: u64) -> bool {
    id == 0 || id == u64::from(u32::MAX)
}

/// Whether two messages speak of the same agents, devices and parties: what they say in texts is the same.
pub(super) fn agree(
    message: &str,
    recorded: &Map<String, Value>,
    replayed: &Map<String, Value>,
    ignored: &Ignored,
) -> bool {
    let is_text = |value: &Value| match value {
        Value::Array(values) => values.iter().any(Value::is_string),
        value => value.is_string(),
    };
    let mut texts = recorded.iter().filter(|(field, value)| is_text(value) && !ignored.has(message, field));
    texts.all(|(field, value)| replayed.get(field) == Some(value))
}

/// Which replayed id stands for which recorded one.
#[derive(Debug, Default)]
pub(super) struct Ids {
    replayed: HashMap<(Kind, u64), u64>,
    recorded: HashMap<(Kind, u64), u64>,
}

impl Ids {
    /// Learns from two messages that are the same one. The first use of an id counts.
    pub(super) fn learn(&mut self, connection: usize, recorded: &Map<String, Value>, replayed: &Map<String, Value>) {
        for (field, old) in recorded {
            let (Some(kind), Some(new)) = (kind(field, connection), replayed.get(field)) else { continue };
            match (old, new) {
                (Value::Array(old), Value::Array(new)) => {
                    old.iter().zip(new).for_each(|(old, new)| self.pair(kind, old, new));
                }
                _ => self.pair(kind, old, new),
            }
        }
    }

    fn pair(&mut self, kind: Kind, old: &Value, new: &Value) {
        let (Some(old), Some(new)) = (old.as_u64(), new.as_u64()) else { return };
        let is_new = !self.replayed.contains_key(&(kind, old)) && !self.recorded.contains_key(&(kind, new));
        if is_new && !is_none(old) && !is_none(new) {
            self.replayed.insert((kind, old), new);
            self.recorded.insert((kind, new), old);
        }
    }

    /// A replayed message with the recorded ids.
    pub(super) fn as_recorded(&self, connection: usize, mut fields: Map<String, Value>) -> Map<String, Value> {
        for (field, value) in &mut fields {
            let Some(kind) = kind(field, connection) else { continue };
            let translate = |value: &mut Value| {
                if let Some(old) = value.as_u64().and_then(|new| self.recorded.get(&(kind, new))) {
                    *value = (*old).into();
                }
            };
            match value {
                Value::Array(values) => values.iter_mut().for_each(translate),
                value => translate(value),
            }
        }
        fields
    }

    /// A recorded request with the replayed ids.
    pub(super) fn translate(&self, connection: usize, frame: &Frame, version: Version) -> Frame {
        let mut body = BytesMut::from(&frame.body[..]);
        let rows = catalogue::by_type(frame.message_type).map(|info| info.fixed).unwrap_or_default();
        let mut offset = 0;
        for row in rows.iter().filter(|row| row.is_in(version)) {
            let end = offset + fixed_bytes(row);
            if let (Some(kind), Some(id)) = (kind(row.name, connection), body.get_mut(offset..end))
                && let Ok(old) = <[u8; 4]>::try_from(&*id)
                && let Some(new) = self.replayed.get(&(kind, u64::from(u32::from_be_bytes(old))))
                && let Ok(new) = u32::try_from(*new)
            {
                id.copy_from_slice(&new.to_be_bytes());
            }
            offset = end;
        }
        Frame { message_type: frame.message_type, body: body.freeze() }
    }
}

fn fixed_bytes(row: &FieldInfo) -> usize {
    match row.wire_type {
        WireType::Uchar => 1,
        WireType::Ushort | WireType::Bool => 2,
        _ => 4,
    }
}

/// The fields that are not compared: those of the table, and those that the arguments add.
#[derive(Debug)]
pub(super) struct Ignored {
    more: Vec<IgnoredField>,
}

impl Ignored {
    pub(super) fn new(more: &[IgnoredField]) -> Ignored {
        Ignored { more: more.to_vec() }
    }

    pub(super) fn has(&self, message: &str, field: &str) -> bool {
        let is_time = || {
            let info = catalogue::by_name(message);
            let mut rows = info.into_iter().flat_map(|info| info.fixed.iter().chain(info.floating));
            rows.any(|row| row.name == field && row.wire_type == WireType::Time)
        };
        IGNORED.iter().any(|(name, _)| *name == field)
            || self.more.iter().any(|more| more.field == field && more.message.as_ref().is_none_or(|it| it == message))
            || is_time()
    }
}

/// A field that is not compared, of every message or of one.
#[derive(Debug, Clone)]
pub(super) struct IgnoredField {
    message: Option<String>,
    field: String,
}

impl std::str::FromStr for IgnoredField {
    type Err = String;

    /// Refuses what no message has.
    fn from_str(text: &str) -> Result<IgnoredField, String> {
        let (message, field) = match text.split_once('.') {
            Some((message, field)) => (Some(message.to_owned()), field.to_owned()),
            None => (None, text.to_owned()),
        };
        let mut of = CATALOGUE.iter().filter(|info| message.as_ref().is_none_or(|message| message == info.name));
        match of.any(|info| info.fixed.iter().chain(info.floating).any(|row| row.name == field)) {
            true => Ok(IgnoredField { message, field }),
            false => {
                Err("expected FIELD or MESSAGE.FIELD by the guide's names, such as QUERY_AGENT_STATE_CONF.NumTasks"
                    .to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cti_protocol::ged188::catalogue::SentBy;
    use cti_protocol::ged188::{AnyMessage, FrameCodec, MonitorStopReq};
    use serde_json::json;
    use tokio_util::codec::Decoder;

    use super::*;

    fn fields(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a_request_names_the_monitor_that_its_connection_was_given() {
        let mut ids = Ids::default();
        ids.learn(0, &fields(json!({"MonitorID": 7})), &fields(json!({"MonitorID": 9})));
        for version in Version::all() {
            let mut bytes = BytesMut::new();
            <AnyMessage>::from(MonitorStopReq { invoke_id: 7, monitor_id: 7, ..Default::default() })
                .encode(version, &mut bytes)
                .unwrap();
            let frame = FrameCodec::default().decode(&mut bytes).unwrap().unwrap();
            assert_eq!(ids.translate(0, &frame, version).body[..], [0, 0, 0, 7, 0, 0, 0, 9]);
            assert_eq!(ids.translate(1, &frame, version), frame, "another connection's");
        }
    }

    #[test]
    fn the_first_use_of_an_id_counts_and_none_stays_none() {
        let mut ids = Ids::default();
        ids.learn(0, &fields(json!({"ConnectionCallID": 7})), &fields(json!({"ConnectionCallID": 9})));
        ids.learn(1, &fields(json!({"ConnectionCallID": 7})), &fields(json!({"ConnectionCallID": 8})));
        ids.learn(1, &fields(json!({"ConnectionCallID": 0})), &fields(json!({"ConnectionCallID": 5})));
        let seen = |id: u32| ids.as_recorded(3, fields(json!({"PrimaryCallID": id})));
        assert_eq!(seen(9), fields(json!({"PrimaryCallID": 7})));
        assert_eq!(seen(8), fields(json!({"PrimaryCallID": 8})));
        assert_eq!(seen(5), fields(json!({"PrimaryCallID": 5})));
    }

    #[test]
    fn messages_about_different_agents_do_not_agree() {
        let of = |agent: &str, guid: &str| fields(json!({"AgentID": agent, "ProtocolReferenceGUID": guid, "MRDID": 1}));
        let none = Ignored::new(&[]);
        assert!(agree("AGENT_PRE_CALL_EVENT", &of("1001", "a"), &of("1001", "b"), &none));
        assert!(!agree("AGENT_PRE_CALL_EVENT", &of("1001", "a"), &of("1002", "a"), &none));
        let ignored = Ignored::new(&["AgentID".parse().unwrap()]);
        assert!(agree("AGENT_PRE_CALL_EVENT", &of("1001", "a"), &of("1002", "a"), &ignored));
    }

    #[test]
    fn every_id_of_a_request_stands_in_its_fixed_part_with_four_bytes() {
        for info in CATALOGUE.iter().filter(|info| info.sent_by != SentBy::Server) {
            for row in info.fixed.iter().filter(|row| kind(row.name, 0).is_some()) {
                assert_eq!(fixed_bytes(row), 4, "{} {}", info.name, row.name);
            }
            for row in info.floating {
                assert!(kind(row.name, 0).is_none(), "{} {}", info.name, row.name);
            }
        }
    }

    #[test]
    fn every_ignored_field_is_one_of_the_catalogue() {
        for (field, _) in IGNORED {
            assert!(field.parse::<IgnoredField>().is_ok(), "{field}");
        }
        assert!("NoSuchField".parse::<IgnoredField>().is_err());
        assert!("OPEN_CONF.SkillGroupNumber".parse::<IgnoredField>().is_err());
    }

    #[test]
    fn a_field_is_ignored_where_the_arguments_say() {
        let ignored = Ignored::new(&["OPEN_CONF.AgentState".parse().unwrap()]);
        assert!(ignored.has("OPEN_CONF", "AgentState"));
        assert!(!ignored.has("AGENT_STATE_EVENT", "AgentState"));
        assert!(ignored.has("OPEN_CONF", "ICMCentralControllerTime"), "of type TIME");
    }
}
