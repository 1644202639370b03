//! A recorded session: who sent which frame on which connection, in the order of the wire.
//!
//! Lives here: reading a recording, one JSON object a line or a network capture, and the version that each connection speaks. Not here: what is
//! done with it.
//! Must hold: a file is input like any other; whatever is in it, the worst is an error that names its line.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cti_protocol::ged188::{AnyMessage, Frame, FrameCodec, MessageType, Version, peek_version_number};
use serde::Deserialize;
use tokio_util::codec::Decoder;

use crate::cli::capture::{self, CaptureError, Heard, PORTS, What as Brought};

/// Everything that was recorded.
#[derive(Debug)]
pub(super) struct Recording {
    /// The recording's name and version of each connection; their places are what [`Step::connection`] counts in.
    pub(super) connections: Vec<Connection>,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) name: String,
    pub(super) version: Version,
    /// The server closed it, and may do so again.
    pub(super) ended_by_server: bool,
}

/// One thing that happened.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) connection: usize,
    /// Since the recording's first step.
    pub(super) at: Duration,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// The client sent this frame. One that cannot be read was sent nevertheless.
    Sent { frame: Frame, message: Option<Box<AnyMessage>> },
    /// The server sent this message.
    Heard(Box<AnyMessage>),
    /// The client closed the connection.
    Ended,
}

/// One line of a recording.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    connection: u32,
    /// Seconds, from any beginning.
    #[serde(default)]
    time: f64,
    from: From,
    /// The frame, header included; without one, this side closes the connection.
    #[serde(default)]
    hex: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum From {
    Client,
    Server,
}

impl Recording {
    /// Reads a recording to its end.
    pub(super) fn read(mut input: impl BufRead + Send, uccx: bool) -> Result<Recording, RecordingError> {
        if CAPTURE_MAGICS.iter().any(|magic| input.fill_buf().is_ok_and(|bytes| bytes.starts_with(magic))) {
            return Recording::from_capture(input, uccx);
        }
        let mut recording = Recording { connections: Vec::new(), steps: Vec::new() };
        let (mut places, mut first_time, mut bytes) = (HashMap::new(), None, Vec::new());
        for number in 1.. {
            bytes.clear();
            let read = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
            if read == 0 {
                break;
            }
            let wrong = |what| RecordingError::Line { number, what };
            if read as u64 == LINE_BYTES_MAX {
                return Err(wrong(Wrong::TooLong));
            }
            if bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if recording.steps.len() == STEPS_MAX {
                return Err(RecordingError::TooMany);
            }
            let line: Line = serde_json::from_slice(&bytes).map_err(|error| wrong(Wrong::Json(error)))?;
            let time = Duration::try_from_secs_f64(line.time).map_err(|_| wrong(Wrong::Time))?;
            let at = time.saturating_sub(*first_time.get_or_insert(time));
            let frame = line.hex.as_deref().map(frame_of).transpose().map_err(wrong)?;
            recording.add(line.connection, line.from, at, frame, uccx, &mut places).map_err(wrong)?;
        }
        if recording.steps.is_empty() {
            return Err(RecordingError::Empty);
        }
        Ok(recording)
    }

    /// Reads the sessions of a network capture.
    fn from_capture(input: impl Read + Send, uccx: bool) -> Result<Recording, RecordingError> {
        let mut recording = Recording { connections: Vec::new(), steps: Vec::new() };
        let (mut places, mut first_time) = (HashMap::new(), None);
        capture::read(input, &PORTS, |heard| {
            let Heard { connection, from_client, at, what, packet } = heard;
            let from = if from_client { From::Client } else { From::Server };
            let at = at.saturating_sub(*first_time.get_or_insert(at));
            let wrong = |what| RecordingError::Packet { packet, connection, what };
            let frame = match what {
                Brought::Frame(frame) => Some(frame),
                Brought::Closed => None,
                Brought::Lost(what) => return Err(wrong(Wrong::Frame(what))),
            };
            if recording.steps.len() == STEPS_MAX {
                return Err(RecordingError::TooMany);
            }
            // A connection may close before anything was said.
            if frame.is_none() && !places.contains_key(&connection) {
                return Ok(());
            }
            recording.add(connection, from, at, frame, uccx, &mut places).map_err(wrong)
        })?;
        if recording.steps.is_empty() { Err(RecordingError::Empty) } else { Ok(recording) }
    }

    /// Adds what happened next; without a frame, that side closed the connection.
    fn add(
        &mut self,
        connection: u32,
        from: From,
        at: Duration,
        frame: Option<Frame>,
        uccx: bool,
        places: &mut HashMap<u32, usize>,
    ) -> Result<(), Wrong> {
        let place = match (places.get(&connection), &frame) {
            (Some(place), _) => *place,
            (None, frame) => {
                let number = frame.as_ref().filter(|frame| frame.message_type == MessageType::OPEN_REQ);
                let number = number.and_then(peek_version_number).ok_or(Wrong::NoOpen)?;
                let version = if uccx { Version::uccx(number) } else { Version::new(number) };
                let version = version.ok_or(Wrong::Version { number })?;
                let name = connection.to_string();
                self.connections.push(Connection { name, version, ended_by_server: false });
                places.insert(connection, self.connections.len() - 1);
                self.connections.len() - 1
            }
        };
        let version = self.connections[place].version;
        let what = match (from, frame) {
            (From::Client, Some(frame)) => {
                let message = AnyMessage::decode(&frame, version).ok().map(Box::new);
                What::Sent { frame, message }
            }
            (From::Client, None) => What::Ended,
            (From::Server, Some(frame)) => What::Heard(Box::new(
                AnyMessage::decode(&frame, version).map_err(|error| Wrong::Frame(error.to_string()))?,
            )),
            (From::Server, None) => {
                self.connections[place].ended_by_server = true;
                return Ok(());
            }
        };
        self.steps.push(Step { connection: place, at, what });
        Ok(())
    }
}

/// The one whole frame that the digits spell.
fn frame_of(hex: &str) -> Result<Frame, Wrong> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else { return Err(Wrong::Hex) };
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    let mut bytes = BytesMut::from(Bytes::from(bytes.ok_or(Wrong::Hex)?));
    match FrameCodec::default().decode_eof(&mut bytes) {
        Ok(Some(frame)) if bytes.is_empty() => Ok(frame),
        Ok(Some(_)) => Err(Wrong::Frame("the line goes on behind its frame".to_owned())),
        Ok(None) => Err(Wrong::Frame("there is no frame".to_owned())),
        Err(error) => Err(Wrong::Frame(error.to_string())),
    }
}

/// Why a file is no recording.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordingError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("there is no session in it")]
    Empty,
    #[error(transparent)]
    Capture(#[from] CaptureError),
    #[error("packet {packet}, connection {connection}: {what}")]
    Packet { packet: u64, connection: u32, what: Wrong },
    #[error("it has more than {STEPS_MAX} frames")]
    TooMany,
    #[error("line {number}: {what}")]
    Line { number: usize, what: Wrong },
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    #[error("it is longer than 1 MiB")]
    TooLong,
    #[error("{0}")]
    Json(serde_json::Error),
    #[error("its time is no number of seconds")]
    Time,
    #[error("its hex is no whole bytes")]
    Hex,
    #[error("{0}")]
    Frame(String),
    #[error("its connection does not begin with an OPEN_REQ: what is spoken there is not known")]
    NoOpen,
    #[error("its OPEN_REQ asks for version {number}, which is not known")]
    Version { number: u32 },
}

const LINE_BYTES_MAX: u64 = 1024 * 1024;
const STEPS_MAX: usize = 1_000_000;
/// How pcap and pcapng files begin, in both byte orders.
const CAPTURE_MAGICS: [[u8; 4]; 5] = [
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0x0a, 0x0d, 0x0d, 0x0a],
];
