//! One message from Asterisk. Not here: where it begins and ends in a stream (`codec`).

use bytes::Bytes;

/// One message: lines `Key: Value`. Values are bytes, for Asterisk passes them through undecoded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    text: Bytes,
}

/// What a message is: its first line alone decides, for an event may have a header `Response` as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind<'a> {
    /// The answer to an action: `Success`, `Error` or another word.
    Response(&'a [u8]),
    /// An event, by its name; also an item of a list that an action asked for.
    Event(&'a [u8]),
    /// Neither. Asterisk sends none such.
    Other,
}

impl Message {
    /// A message without the blank line at its end.
    pub fn new(text: Bytes) -> Message {
        Message { text }
    }

    /// What it is.
    pub fn kind(&self) -> Kind<'_> {
        match self.headers().next() {
            Some((key, value)) if key.eq_ignore_ascii_case(b"Response") => Kind::Response(value),
            Some((key, value)) if key.eq_ignore_ascii_case(b"Event") => Kind::Event(value),
            _ => Kind::Other,
        }
    }

    /// The value of the first header of that name, whatever the case of its letters.
    pub fn bytes_of(&self, key: &str) -> Option<&[u8]> {
        self.headers().find(|(name, _)| name.eq_ignore_ascii_case(key.as_bytes())).map(|(_, value)| value)
    }

    /// The same where it is UTF-8, and not empty.
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.bytes_of(key).and_then(|value| std::str::from_utf8(value).ok()).filter(|value| !value.is_empty())
    }

    /// The same as a number.
    pub fn number_of(&self, key: &str) -> Option<u64> {
        self.text_of(key)?.parse().ok()
    }

    /// Every header, in order. A line without a colon is a name without a value.
    pub fn headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.text.split(|byte| *byte == b'\n').map(|line| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            match memchr::memchr(b':', line) {
                Some(colon) => (&line[..colon], line[colon + 1..].strip_prefix(b" ").unwrap_or(&line[colon + 1..])),
                None => (line, &b""[..]),
            }
        })
    }
}
