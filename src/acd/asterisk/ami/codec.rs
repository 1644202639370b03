//! A stream from Asterisk, cut into messages. Not here: what they say.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio_util::codec::Decoder;

use super::Message;

/// The longest message that is taken; Asterisk's own are a few thousand bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// What is found in the stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AmiFrame {
    /// The first line, such as `Asterisk Call Manager/11.0.0`. No blank line follows it.
    Banner(Bytes),
    /// A message.
    Message(Message),
    /// A message longer than [`MESSAGE_BYTES_MAX`] was skipped; the stream goes on behind its end.
    TooLong {
        /// How many bytes it had.
        bytes: usize,
    },
}

/// Cuts a stream into its banner and its messages, which end with a blank line. Lines may end with LF alone, and blank
/// lines too many, which some of Asterisk's texts bring, are no messages.
#[derive(Debug, Default)]
pub struct AmiCodec {
    has_banner: bool,
    /// How much of the buffer was looked through already.
    seen: usize,
    /// How much of a message that is too long was thrown away already.
    skipped: usize,
}

impl Decoder for AmiCodec {
    type Item = AmiFrame;
    type Error = io::Error;

    fn decode(&mut self, input: &mut BytesMut) -> io::Result<Option<AmiFrame>> {
        if !self.has_banner {
            return self.banner(input);
        }
        if self.skipped == 0 {
            while let [b'\n', ..] | [b'\r', b'\n', ..] = &input[..] {
                input.advance(if input[0] == b'\n' { 1 } else { 2 });
                self.seen = 0;
            }
        }
        match self.end_of_message(input) {
            Some((text, all)) => {
                self.seen = 0;
                let bytes = std::mem::take(&mut self.skipped) + text;
                let mut message = input.split_to(all);
                message.truncate(text);
                Ok(Some(match bytes > MESSAGE_BYTES_MAX {
                    true => AmiFrame::TooLong { bytes },
                    false => AmiFrame::Message(Message::new(message.freeze())),
                }))
            }
            None => {
                // What may be the beginning of its end stays.
                let keep = input.len().min(END_BYTES_MAX - 1);
                self.seen = input.len() - keep;
                if self.skipped + input.len() > MESSAGE_BYTES_MAX + END_BYTES_MAX {
                    self.skipped += self.seen;
                    input.advance(self.seen);
                    self.seen = 0;
                }
                Ok(None)
            }
        }
    }
}

impl AmiCodec {
    fn banner(&mut self, input: &mut BytesMut) -> io::Result<Option<AmiFrame>> {
        let end = memchr::memchr(b'\n', input);
        if end.unwrap_or(input.len()) > BANNER_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the first line is no banner: it is too long"));
        }
        let Some(end) = end else { return Ok(None) };
        self.has_banner = true;
        let mut line = input.split_to(end + 1);
        line.truncate(end - usize::from(end > 0 && line[end - 1] == b'\r'));
        Ok(Some(AmiFrame::Banner(line.freeze())))
    }

    /// Where the first message ends: its length without and with the blank line.
    fn end_of_message(&self, input: &[u8]) -> Option<(usize, usize)> {
        let mut from = self.seen;
        while let Some(found) = memchr::memchr(b'\n', &input[from..]) {
            let end = from + found;
            let text = end - usize::from(end > 0 && input[end - 1] == b'\r');
            match &input[end + 1..] {
                [b'\n', ..] => return Some((text, end + 2)),
                [b'\r', b'\n', ..] => return Some((text, end + 3)),
                _ => from = end + 1,
            }
        }
        None
    }
}

const BANNER_BYTES_MAX: usize = 1024;
/// CR LF CR LF.
const END_BYTES_MAX: usize = 4;
