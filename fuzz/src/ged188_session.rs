//! GED-188 sessions, from the bytes that a client sends to the bytes that it is sent: each request has exactly one answer, and
//! each message is one of the session's version.

use std::sync::Arc;

use bytes::BytesMut;
use cti_protocol::ged188::catalogue::CATALOGUE;
use cti_protocol::ged188::{
    AnyMessage, Flavour, Frame, FrameCodec, MessageType, Version, peek_invoke_id, peek_version_number,
};
use ctigate::config;
use ctigate::dialects::ged188::{ANSWERED, Ged188};
use tokio_util::codec::Decoder;

use super::conversation::{self, Ledger};

/// Two clients of a gateway whose ACD lives and fails: the first byte configures the gateway, the others are steps.
pub fn ged188_session(input: &[u8]) {
    let dialect = |house: &Arc<_>, gate, config: &config::Config| {
        Arc::new(Ged188::new(Arc::clone(house), gate, config, &config.listeners[0])) as _
    };
    conversation::play(input, dialect, |config| Asked {
        flavour: match config.listeners[0].flavour {
            config::Flavour::Cce => Flavour::Cce,
            config::Flavour::Uccx => Flavour::Uccx,
        },
        unanswered: Vec::new(),
        version_asked: None,
        version: None,
    });
}

struct Asked {
    flavour: Flavour,
    unanswered: Vec<(MessageType, u32)>,
    /// What the last OPEN_REQ named.
    version_asked: Option<u32>,
    /// The open session's.
    version: Option<Version>,
}

impl Asked {
    /// Strikes out a request that this may be the answer to: the one that it confirms, or any of its number.
    fn answer(&mut self, by: MessageType, invoke_id: u32) {
        let confirmed = by.name().and_then(|name| name.strip_suffix("_CONF")).map(|stem| format!("{stem}_REQ"));
        let is_of_id = |asked: &(MessageType, u32)| asked.1 == invoke_id;
        let exact = |asked: &(MessageType, u32)| is_of_id(asked) && asked.0.name() == confirmed.as_deref();
        let at = self.unanswered.iter().position(exact).or_else(|| self.unanswered.iter().position(is_of_id));
        let at = at.unwrap_or_else(|| panic!("{by} answers {invoke_id}, which nobody asked: {:?}", self.unanswered));
        self.unanswered.remove(at);
    }

    /// The answers of the CONFIG service are events.
    fn answer_config(&mut self, by: MessageType, asked: MessageType) {
        let at = self.unanswered.iter().position(|(message_type, _)| *message_type == asked);
        self.unanswered.remove(at.unwrap_or_else(|| panic!("{by} without {asked}")));
    }
}

impl Ledger for Asked {
    /// A message that the gateway answers, or any other, with that body.
    fn request(&self, kind: u8, payload: &[u8]) -> Vec<u8> {
        let kind = usize::from(kind);
        let message_type = match kind.checked_sub(128) {
            None => ANSWERED[kind % ANSWERED.len()],
            Some(other) => CATALOGUE[other % CATALOGUE.len()].message_type,
        };
        [&(payload.len() as u32).to_be_bytes(), &message_type.0.to_be_bytes(), payload].concat()
    }

    fn sent(&mut self, bytes: &[u8]) {
        for frame in frames(bytes) {
            self.version_asked = peek_version_number(&frame).or(self.version_asked);
            self.unanswered.push((frame.message_type, peek_invoke_id(&frame).unwrap_or(0)));
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        for frame in frames(bytes) {
            let message_type = frame.message_type;
            if message_type == MessageType::OPEN_CONF {
                let number = self.version_asked.expect("OPEN_CONF answers an OPEN_REQ");
                self.version = match self.flavour {
                    Flavour::Cce => Version::new(number),
                    Flavour::Uccx => Version::uccx(number),
                };
                assert!(self.version.is_some(), "a session of version {number}");
            }
            match self.version {
                Some(version) => {
                    let message = AnyMessage::decode(&frame, version).expect("a message of the session's version");
                    assert!(message.unknown_tags().is_empty(), "{message:?}");
                }
                // The last is said to who asks too fast.
                None => assert!(
                    matches!(
                        message_type,
                        MessageType::FAILURE_CONF | MessageType::FAILURE_EVENT | MessageType::CONTROL_FAILURE_CONF
                    ),
                    "{message_type} before a session"
                ),
            }
            match message_type {
                MessageType::CONFIG_KEY_EVENT => {
                    self.answer_config(message_type, MessageType::CONFIG_REQUEST_KEY_EVENT);
                }
                MessageType::CONFIG_END_EVENT => self.answer_config(message_type, MessageType::CONFIG_REQUEST_EVENT),
                _ if message_type.name().is_some_and(|name| name.ends_with("_CONF")) => {
                    self.answer(message_type, peek_invoke_id(&frame).expect("a confirmation has one"));
                }
                _ => (),
            }
        }
    }

    fn unanswered(&self) -> usize {
        self.unanswered.len()
    }
}

/// The whole frames among these bytes.
fn frames(bytes: &[u8]) -> Vec<Frame> {
    let (mut codec, mut bytes) = (FrameCodec::default(), BytesMut::from(bytes));
    std::iter::from_fn(|| codec.decode(&mut bytes).ok().flatten()).collect()
}
