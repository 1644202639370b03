//! The frame: eight header bytes and a body, cut out of the stream and put back into it.
//!
//! Lives here: the length rule and its bound, as a `tokio_util` codec.
//! Not here: what a body holds.
//! Must hold: a length from the wire is compared with the bound before anything is made from it.

use std::{fmt, io};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use nom::{IResult, Parser, number::complete::be_u32};
use tokio_util::codec::{Decoder, Encoder};

use super::MessageType;

/// One message as it travels: its number and the bytes behind the header.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// The header's second number.
    pub message_type: MessageType,
    /// Everything behind the header: the fixed part, then the floating part.
    pub body: Bytes,
}

impl fmt::Debug for Frame {
    /// Name and length only: there may be a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({:?}, {} bytes)", self.message_type, self.body.len())
    }
}

/// Cuts a stream into [`Frame`]s and writes frames into it.
#[derive(Clone, Debug)]
pub struct FrameCodec {
    frame_bytes_max: usize,
}

impl FrameCodec {
    /// A codec that refuses frames above `frame_bytes_max` bytes, header included.
    pub fn new(frame_bytes_max: usize) -> FrameCodec {
        FrameCodec { frame_bytes_max }
    }

    /// The length of the whole frame whose header says `claimed`, if the bound allows it.
    fn frame_bytes(&self, message_type: MessageType, claimed: usize) -> Result<usize, FrameError> {
        let body_bytes_max = self.frame_bytes_max.saturating_sub(HEADER_BYTES);
        if claimed > body_bytes_max {
            return Err(FrameError::TooLong { message_type, claimed, body_bytes_max });
        }
        Ok(HEADER_BYTES + claimed)
    }
}

impl Default for FrameCodec {
    fn default() -> FrameCodec {
        FrameCodec::new(FRAME_BYTES_MAX)
    }
}

impl Decoder for FrameCodec {
    type Item = Frame;
    type Error = FrameError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let Ok((_, (claimed, message_type))) = header(input) else { return Ok(None) };
        let frame_bytes = self.frame_bytes(message_type, claimed)?;
        if input.len() < frame_bytes {
            // The bound was checked: a stranger cannot make us reserve more than one frame.
            input.reserve(frame_bytes - input.len());
            return Ok(None);
        }
        let mut body = input.split_to(frame_bytes).freeze();
        body.advance(HEADER_BYTES);
        Ok(Some(Frame { message_type, body }))
    }

    fn decode_eof(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        match self.decode(input)? {
            None if !input.is_empty() => Err(FrameError::CutOff { bytes: input.len() }),
            frame => Ok(frame),
        }
    }
}

impl Encoder<Frame> for FrameCodec {
    type Error = FrameError;

    fn encode(&mut self, frame: Frame, out: &mut BytesMut) -> Result<(), FrameError> {
        out.reserve(self.frame_bytes(frame.message_type, frame.body.len())?);
        // The bound is far below u32::MAX unless somebody chose it so: then the claim says no less than it can.
        out.put_u32(u32::try_from(frame.body.len()).unwrap_or(u32::MAX));
        out.put_u32(frame.message_type.0);
        out.extend_from_slice(&frame.body);
        Ok(())
    }
}

/// MessageLength and MessageType.
fn header(input: &[u8]) -> IResult<&[u8], (usize, MessageType), ()> {
    (be_u32.map(|length: u32| length as usize), be_u32.map(MessageType)).parse(input)
}

/// Why the stream cannot go on: whoever sends this does not speak GED-188 within our bounds.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A header claims, or a frame to be written has, a body above the bound.
    #[error("a frame of type {message_type} claims a body of {claimed} bytes, at most {body_bytes_max} are taken")]
    TooLong {
        /// The type that the header gives; of little meaning if the stream is of another protocol.
        message_type: MessageType,
        /// The claimed length of the body in bytes.
        claimed: usize,
        /// The bound in bytes, header not included.
        body_bytes_max: usize,
    },
    /// The stream ended within a frame.
    #[error("the stream ended {bytes} bytes into a frame")]
    CutOff {
        /// How much of the frame had come, header included.
        bytes: usize,
    },
    /// The stream itself failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Bytes of the header: MessageLength and MessageType.
pub const HEADER_BYTES: usize = 8;

/// The largest message of the guides of versions 23 to 25, header included; taken for all.
pub const FRAME_BYTES_MAX: usize = 12_500;
