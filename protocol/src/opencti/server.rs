//! Everything that the gateway sends: answers, events, and notices, which are about the connection and not counted.

use bytes::BufMut;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answer, Event, Welcome};

/// One message of the gateway. An answer has `id`, an event has `seq`, a notice has `notice`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ServerMessage {
    /// The answer to a request.
    Answer(Answer),
    /// Something happened.
    Event(Box<Event>),
    /// Something about the connection.
    Notice(Notice),
}

/// Something about the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// What.
    pub notice: NoticeName,
    /// When, as an event's `time`.
    #[schemars(extend("format" = "date-time"))]
    pub time: String,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What a notice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NoticeName {
    /// The gateway is there, and had nothing else to say.
    Heartbeat,
    /// The last message of a connection that the gateway ends.
    Closed,
}

impl ServerMessage {
    /// Writes the message as one line without its end.
    pub fn write(&self, out: &mut impl BufMut) {
        let written = serde_json::to_writer(out.writer(), self);
        debug_assert!(written.is_ok(), "plain structs and texts can be written: {written:?}");
    }
}

impl From<Answer> for ServerMessage {
    fn from(answer: Answer) -> ServerMessage {
        ServerMessage::Answer(answer)
    }
}

impl From<Welcome> for ServerMessage {
    fn from(welcome: Welcome) -> ServerMessage {
        ServerMessage::Answer(Answer::Welcome(Box::new(welcome)))
    }
}

impl From<Notice> for ServerMessage {
    fn from(notice: Notice) -> ServerMessage {
        ServerMessage::Notice(notice)
    }
}
