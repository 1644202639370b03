//! What can be wrong with bytes, and with a message that is to become bytes.
//!
//! Lives here: the two error enums; each names message, field, place and what was there.
//! Not here: the status code that a server answers with, and whether the session goes on.
//! Must hold: no error shows a byte of a password.

use std::fmt;

use super::{MessageType, Tag, Version};

/// Why a body is not the message that its header says it is. Only broken bytes are refused; strangers are kept.
///
/// Every `offset` counts bytes from the start of the frame, its eight header bytes included.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The body ends within the fixed part.
    #[error("{message} ends at byte {offset} within {field}: {bytes_due} bytes are due, there are {there}")]
    ShortFixedPart {
        /// The message that was being read.
        message: MessageType,
        /// The guide's name of the first field that is not whole.
        field: &'static str,
        /// Where that field begins.
        offset: usize,
        /// How many bytes the field has.
        bytes_due: usize,
        /// What was there instead.
        there: Excerpt,
    },
    /// A floating field's tag or length is cut off, or its length points past the end of the message.
    #[error(
        "{message} has a broken floating field at byte {offset}: tag {tag:?}, length {length:?}, there are {there}"
    )]
    BrokenLength {
        /// The message that was being read.
        message: MessageType,
        /// Where the floating field begins, with its tag.
        offset: usize,
        /// The tag, unless it is cut off.
        tag: Option<Tag>,
        /// The length that the field claims, unless it is cut off.
        length: Option<usize>,
        /// What was there, from the tag on.
        there: Excerpt,
    },
    /// A text or raw field holds more than its table allows.
    #[error("{field} of {message} at byte {offset} has {bytes} bytes of at most {bytes_max}: {there}")]
    FieldTooLong {
        /// The message that was being read.
        message: MessageType,
        /// The guide's name of the field.
        field: &'static str,
        /// Where the floating field begins, with its tag.
        offset: usize,
        /// The field's length.
        bytes: usize,
        /// The field's maximum, the closing NUL of a text included.
        bytes_max: usize,
        /// How the field begins; empty for a password.
        there: Excerpt,
    },
    /// A number in the floating part has another width than its type.
    #[error("{field} of {message} at byte {offset} has {bytes} bytes instead of {bytes_due}: {there}")]
    WrongWidth {
        /// The message that was being read.
        message: MessageType,
        /// The guide's name of the field.
        field: &'static str,
        /// Where the floating field begins, with its tag.
        offset: usize,
        /// The field's length.
        bytes: usize,
        /// The width of the field's type.
        bytes_due: usize,
        /// What the field holds.
        there: Excerpt,
    },
    /// A named variable or array whose name does not end.
    #[error("{field} of {message} at byte {offset} holds no name that ends in NUL: {there}")]
    NameWithoutEnd {
        /// The message that was being read.
        message: MessageType,
        /// The guide's name of the field.
        field: &'static str,
        /// Where the floating field begins, with its tag.
        offset: usize,
        /// What the field holds.
        there: Excerpt,
    },
}

impl DecodeError {
    /// Where in the frame, in bytes from its first header byte.
    pub fn offset(&self) -> usize {
        match self {
            DecodeError::ShortFixedPart { offset, .. }
            | DecodeError::BrokenLength { offset, .. }
            | DecodeError::FieldTooLong { offset, .. }
            | DecodeError::WrongWidth { offset, .. }
            | DecodeError::NameWithoutEnd { offset, .. } => *offset,
        }
    }

    /// The message whose body is broken.
    pub fn message_type(&self) -> MessageType {
        match self {
            DecodeError::ShortFixedPart { message, .. }
            | DecodeError::BrokenLength { message, .. }
            | DecodeError::FieldTooLong { message, .. }
            | DecodeError::WrongWidth { message, .. }
            | DecodeError::NameWithoutEnd { message, .. } => *message,
        }
    }

    /// The guide's name of the field; none when a floating field is too broken to say which it is.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            DecodeError::BrokenLength { .. } => None,
            DecodeError::ShortFixedPart { field, .. }
            | DecodeError::FieldTooLong { field, .. }
            | DecodeError::WrongWidth { field, .. }
            | DecodeError::NameWithoutEnd { field, .. } => Some(field),
        }
    }
}

/// Why a message cannot be written. The output is as it was before.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The field holds more than its length can say in this version.
    #[error("{field} of {message} has {bytes} bytes, version {version} can say {bytes_max}")]
    FieldTooLong {
        /// The message that was to be written.
        message: MessageType,
        /// The guide's name of the field, or that of its tag.
        field: &'static str,
        /// The version asked for.
        version: Version,
        /// The field's length.
        bytes: usize,
        /// The most that the version's length field can say.
        bytes_max: usize,
    },
    /// The field's tag has no room in this version's one-byte tags.
    #[error("{field} of {message} has tag {}, version {version} has one byte for it", tag.0)]
    TagTooLarge {
        /// The message that was to be written.
        message: MessageType,
        /// The guide's name of the field, or that of its tag.
        field: &'static str,
        /// The version asked for.
        version: Version,
        /// The tag.
        tag: Tag,
    },
    /// The frame outgrows the protocol's bound.
    #[error("{message} grows to {bytes} bytes with {field}, a frame has at most {bytes_max}")]
    FrameTooLong {
        /// The message that was to be written.
        message: MessageType,
        /// The field that brought it over the bound.
        field: &'static str,
        /// Bytes of the frame up to and with that field, header included.
        bytes: usize,
        /// The bound, header included.
        bytes_max: usize,
    },
}

/// The beginning of some bytes that an error speaks of: enough to recognise them, of fixed size.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Excerpt {
    head: [u8; Excerpt::HEAD_BYTES],
    bytes: usize,
    hidden: bool,
}

impl Excerpt {
    const HEAD_BYTES: usize = 8;

    /// The first bytes of `all`.
    pub(crate) fn of(all: &[u8]) -> Excerpt {
        let mut head = [0; Excerpt::HEAD_BYTES];
        for (to, from) in head.iter_mut().zip(all) {
            *to = *from;
        }
        Excerpt { head, bytes: all.len(), hidden: false }
    }

    /// Only how many bytes there are.
    pub(crate) fn hidden(all: &[u8]) -> Excerpt {
        Excerpt { bytes: all.len(), hidden: true, ..Excerpt::default() }
    }

    /// How many bytes there were in all.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes)?;
        if self.hidden || self.bytes == 0 {
            return Ok(());
        }
        f.write_str(" (")?;
        for byte in self.head.iter().take(self.bytes) {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(if self.bytes > self.head.len() { "...)" } else { ")" })
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
