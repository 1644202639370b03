//! OpenCTI sessions, from the lines that a client sends to those that it is sent: each request has exactly one answer, and
//! events are numbered without a gap.

use std::sync::{Arc, Mutex, PoisonError};

use cti_protocol::opencti::{Request, RequestId};
use ctigate::dialects::opencti::{OpenCti, Sessions};
use serde_json::{Value, json};

use super::conversation::{self, Ledger};

/// Two clients of a gateway whose ACD lives and fails: the first byte configures the gateway, the others are steps.
pub fn opencti_session(input: &[u8]) {
    let sessions = Sessions::default();
    let token = Arc::<Mutex<String>>::default();
    let dialect = |house: &Arc<_>, gate, config: &ctigate::config::Config| {
        Arc::new(OpenCti::new(Arc::clone(house), gate, config, &config.listeners[0], sessions.clone())) as _
    };
    conversation::play(input, dialect, |config| Asked {
        line_bytes_max: config.limits.message_bytes_max,
        line: Vec::new(),
        is_skipping: false,
        unanswered: Vec::new(),
        seq: None,
        token: Arc::clone(&token),
    });
}

struct Asked {
    line_bytes_max: usize,
    /// What was taken of a line whose end has not come.
    line: Vec<u8>,
    /// The line is too long, and was answered.
    is_skipping: bool,
    /// The ids of the requests that have no answer yet, those of unreadable ones among them.
    unanswered: Vec<Option<RequestId>>,
    /// The number of the last event.
    seq: Option<u64>,
    /// The session that was opened last, on either connection.
    token: Arc<Mutex<String>>,
}

impl Asked {
    fn on_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        match std::str::from_utf8(line) {
            Ok(text) if text.trim().is_empty() => (),
            Ok(text) => self.unanswered.push(match Request::read(text) {
                Ok(request) => Some(request.id),
                Err(unreadable) => unreadable.id,
            }),
            Err(_) => self.unanswered.push(None),
        }
    }

    fn on_message(&mut self, message: &Value) {
        if let Some(id) = message.get("id") {
            if let Some(token) = message.get("session").and_then(Value::as_str) {
                token.clone_into(&mut self.token.lock().unwrap_or_else(PoisonError::into_inner));
                self.seq = message["seq"].as_u64();
                assert!(self.seq.is_some(), "an answer to Hello without a number: {message}");
            }
            let id: Option<RequestId> = serde_json::from_value(id.clone()).expect("an id or null");
            let at = self.unanswered.iter().position(|asked| *asked == id);
            self.unanswered.remove(at.unwrap_or_else(|| panic!("{message} answers nothing: {:?}", self.unanswered)));
        } else if let Some(seq) = message.get("seq") {
            let expected = self.seq.map(|seq| seq + 1).expect("events come after Hello");
            assert_eq!(*seq, json!(expected), "events are numbered without a gap: {message}");
            self.seq = Some(expected);
        } else {
            assert!(message.get("notice").is_some(), "neither answer nor event nor notice: {message}");
        }
    }
}

impl Ledger for Asked {
    /// A line, in which `$S` stands for the secret name of the session that was opened last.
    fn request(&self, _: u8, payload: &[u8]) -> Vec<u8> {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        let mut parts = payload.split(|byte| *byte == b'$');
        let mut line = parts.next().unwrap_or_default().to_vec();
        for part in parts {
            match part.strip_prefix(b"S") {
                Some(rest) => line.extend([token.as_bytes(), rest].concat()),
                None => line.extend([b"$", part].concat()),
            }
        }
        line.push(b'\n');
        line
    }

    fn sent(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' if self.is_skipping => self.is_skipping = false,
                b'\n' => self.on_line(),
                _ if self.is_skipping => (),
                byte => {
                    self.line.push(*byte);
                    if self.line.len() > self.line_bytes_max {
                        self.line.clear();
                        self.is_skipping = true;
                        self.unanswered.push(None);
                    }
                }
            }
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").expect("whole lines");
            self.on_message(&serde_json::from_slice(line).expect("a line of JSON"));
        }
    }

    fn unanswered(&self) -> usize {
        self.unanswered.len()
    }
}
