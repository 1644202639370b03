//! An action for Asterisk, refused here where Asterisk would cut it, tear it or take it for another one.
//!
//! Asterisk escapes nothing, answers too long a line with an error that may name no action, and cuts some values without a
//! word. Not here: which action is due.

use bytes::{BufMut, BytesMut};
use md5::{Digest, Md5};

use crate::model::Password;

/// One action, complete but for its ActionID.
#[derive(Clone, PartialEq, Eq)]
pub struct Action {
    name: &'static str,
    /// The headers behind `Action` and `ActionID`, each with its CR LF.
    headers: String,
    lines: usize,
}

/// Why a header cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// A character that ends the line, so that what follows is a header or an action of its own; or ends the value.
    #[error("{action}: {header} holds {character:?} at byte {at}")]
    Injection {
        /// The action.
        action: &'static str,
        /// The header.
        header: &'static str,
        /// CR, LF or NUL.
        character: char,
        /// Where in the value, counted from 0.
        at: usize,
    },
    /// Longer than a line may be.
    #[error("{action}: the line of {header} has {bytes} bytes, {LINE_BYTES_MAX} are allowed")]
    LineTooLong {
        /// The action.
        action: &'static str,
        /// The header.
        header: &'static str,
        /// The length of the whole line, without its end.
        bytes: usize,
    },
    /// More lines than a message may have.
    #[error("{action}: {header} is line {line}, {LINES_MAX} are allowed")]
    TooManyLines {
        /// The action.
        action: &'static str,
        /// The header that is one too many.
        header: &'static str,
        /// Its number, counted from 1.
        line: usize,
    },
}

impl Action {
    /// An action without headers.
    pub fn new(name: &'static str) -> Action {
        Action { name, headers: String::new(), lines: 2 }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The same with one header more.
    pub fn with(mut self, header: &'static str, value: &str) -> Result<Action, ActionError> {
        let action = self.name;
        if let Some((at, character)) = value.char_indices().find(|(_, c)| matches!(c, '\r' | '\n' | '\0')) {
            return Err(ActionError::Injection { action, header, character, at });
        }
        let bytes = header.len() + SEPARATOR.len() + value.len();
        if bytes > LINE_BYTES_MAX {
            return Err(ActionError::LineTooLong { action, header, bytes });
        }
        if self.lines >= LINES_MAX {
            return Err(ActionError::TooManyLines { action, header, line: self.lines + 1 });
        }
        for part in [header, SEPARATOR, value, LINE_END] {
            self.headers.push_str(part);
        }
        self.lines += 1;
        Ok(self)
    }

    /// The same with one header more, whose value was found sendable before.
    pub fn with_member(mut self, header: &'static str, value: &MemberText) -> Action {
        for part in [header, SEPARATOR, value.as_str(), LINE_END] {
            self.headers.push_str(part);
        }
        self.lines += 1;
        self
    }

    /// Its bytes. The ActionID stands second, so that an error's answer has it whatever the error is about.
    pub fn encode(&self, id: u64, out: &mut BytesMut) {
        use std::fmt::Write;
        out.reserve(self.name.len() + self.headers.len() + 48);
        let _ = write!(out, "Action: {}{LINE_END}ActionID: {id}{LINE_END}", self.name); // a BytesMut takes everything
        out.put_slice(self.headers.as_bytes());
        out.put_slice(LINE_END.as_bytes());
    }
}

/// Without the values: one of them may be the proof of a secret.
impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Action({}, {} lines)", self.name, self.lines)
    }
}

/// A text that a queue member can have as its interface, name or pause reason, and have back as it is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MemberText(String);

/// Why a member cannot have a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsendableText {
    /// Asterisk would cut it, and take it for another one that is cut to the same.
    #[error("it has {bytes} bytes, Asterisk keeps {MEMBER_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// `,` `|` and `;` separate fields and records where Asterisk stores members, a control character ends a line.
    #[error("it holds {character:?} at byte {at}, which would corrupt the members that Asterisk stores")]
    Character {
        /// The character.
        character: char,
        /// Where, counted from 0.
        at: usize,
    },
    /// Blanks at its ends are lost on the way.
    #[error("it begins or ends with a blank")]
    Blank,
}

impl MemberText {
    /// Takes a text that will come back as it is.
    pub fn new(text: impl Into<String>) -> Result<MemberText, UnsendableText> {
        let text = text.into();
        if text.len() > MEMBER_BYTES_MAX {
            return Err(UnsendableText::TooLong { bytes: text.len() });
        }
        if let Some((at, character)) = text.char_indices().find(|(_, c)| matches!(c, ',' | '|' | ';') || c.is_control())
        {
            return Err(UnsendableText::Character { character, at });
        }
        if text.trim() != text {
            return Err(UnsendableText::Blank);
        }
        Ok(MemberText(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What proves the secret: MD5 of challenge and secret, in hex.
pub fn challenge_key(challenge: &str, secret: &Password) -> String {
    use std::fmt::Write;
    let digest = Md5::new().chain_update(challenge).chain_update(secret.expose()).finalize();
    digest.iter().fold(String::with_capacity(32), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}"); // a String takes everything
        hex
    })
}

const SEPARATOR: &str = ": ";
const LINE_END: &str = "\r\n";
/// Asterisk's own bounds: a line without its end, and the lines of one action. Seen on 22.10.
const LINE_BYTES_MAX: usize = 1022;
const LINES_MAX: usize = 128;
/// What Asterisk keeps of an interface, a member's name and a pause reason.
const MEMBER_BYTES_MAX: usize = 79;
