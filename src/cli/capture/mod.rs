//! Network captures: the GED-188 frames of each connection, in the order of the wire.
//!
//! Lives here: files (`packets`), what TCP makes of them (`streams`), and which connections are GED-188. Not here: what
//! the frames say.
//! Must hold: a file is input like any other. It takes bounded memory, and the worst that it brings is an error, or a
//! connection of which it is said what is missing.

mod packets;
mod streams;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use cti_protocol::ged188::{FRAME_BYTES_MAX, Frame, FrameCodec, HEADER_BYTES, MessageType};
use tokio_util::codec::Decoder;

pub use packets::CaptureError;
use packets::{Packet, packets};
use streams::{Piece, Stream};

/// The CTI Server's ports of instance 0, sides A and B.
pub const PORTS: [u16; 2] = [42027, 43027];

/// What a capture may make us keep.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Connections that are followed at a time; the half of them that has been silent longest makes room.
    connections_max: usize,
    /// Bytes that are kept, of all connections together, because others before them are missing.
    ahead_bytes_max: usize,
}

const BOUNDS: Bounds = Bounds { connections_max: 10_000, ahead_bytes_max: 256 * 1024 * 1024 };

/// Something that a connection in a capture brought.
#[derive(Debug, PartialEq)]
pub struct Heard {
    /// The connection, counted from 1 in the order in which they appear.
    pub connection: u32,
    /// Whether the client sent it.
    pub from_client: bool,
    /// Its time, since 1970.
    pub at: Duration,
    /// The packet that completed it, counted from 1 as Wireshark does.
    pub packet: u64,
    /// What it brought.
    pub what: What,
}

/// What a side of a connection brings.
#[derive(Debug, PartialEq)]
pub enum What {
    /// A whole frame.
    Frame(Frame),
    /// That side will send no more.
    Closed,
    /// What that side sends from here on cannot be read any more: why.
    Lost(String),
}

/// Reads a capture to its end and tells what it holds. Connections are GED-188 if the server's port is among these, or if
/// they begin with an OPEN_REQ.
pub fn read<E: From<CaptureError>>(
    input: impl Read + Send,
    ports: &[u16],
    tell: impl FnMut(Heard) -> Result<(), E>,
) -> Result<(), E> {
    read_within(BOUNDS, input, ports, tell)
}

fn read_within<E: From<CaptureError>>(
    bounds: Bounds,
    input: impl Read + Send,
    ports: &[u16],
    mut tell: impl FnMut(Heard) -> Result<(), E>,
) -> Result<(), E> {
    let mut connections = Connections { bounds, ports, known: HashMap::new(), numbers: 0, ahead: 0 };
    let mut number = 0;
    packets(input, |packet| {
        number += 1;
        connections.take(number, &packet, &mut tell)
    })?;
    connections.end(&mut tell)
}

struct Connections<'a> {
    bounds: Bounds,
    ports: &'a [u16],
    known: HashMap<(SocketAddr, SocketAddr), Connection>,
    numbers: u32,
    /// Bytes that are kept because others before them are missing.
    ahead: usize,
}

struct Connection {
    /// None until it is known to be GED-188.
    number: Option<u32>,
    client: SocketAddr,
    of_client: Side,
    of_server: Side,
    last: (u64, Duration),
}

#[derive(Default)]
struct Side {
    stream: Stream,
    bytes: BytesMut,
    frames: FrameCodec,
    /// A whole frame was read: from then on it is known where the next one begins.
    is_in_step: bool,
    /// The stream ended, or cannot be read.
    is_over: bool,
}

impl Connections<'_> {
    fn take<E>(
        &mut self,
        number: u64,
        packet: &Packet<'_>,
        tell: &mut impl FnMut(Heard) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(segment) = packet.segment() else { return Ok(()) };
        let key = (segment.from.min(segment.to), segment.from.max(segment.to));
        if segment.syn && !segment.ack {
            // A port that is used again is another connection.
            if let Some(old) = self.known.remove(&key) {
                self.forget(old, tell)?;
            }
        }
        if !self.known.contains_key(&key) {
            let client = match (segment.syn, segment.ack) {
                (true, false) => segment.from,
                (true, true) => segment.to,
                _ if self.ports.contains(&segment.to.port()) => segment.from,
                _ if self.ports.contains(&segment.from.port()) => segment.to,
                _ if begins_with_open_req(segment.payload) => segment.from,
                _ => return Ok(()), // it began before the capture, and nothing says that it is ours
            };
            self.make_room(tell)?;
            self.known.insert(key, Connection::new(client));
        }
        let Some(connection) = self.known.get_mut(&key) else { return Ok(()) };
        connection.last = (number, packet.at);
        let from_client = connection.client == segment.from;
        let server = if from_client { segment.to } else { segment.from };
        let is_ours = connection.number.is_some()
            || self.ports.contains(&server.port())
            || (from_client && begins_with_open_req(segment.payload));
        if is_ours && connection.number.is_none() && !segment.payload.is_empty() {
            self.numbers += 1;
            connection.number = Some(self.numbers);
        }
        let side = if from_client { &mut connection.of_client } else { &mut connection.of_server };
        let others = self.ahead - side.stream.ahead_bytes();
        let pieces = side.stream.take(&segment, self.bounds.ahead_bytes_max.saturating_sub(others));
        self.ahead = others + side.stream.ahead_bytes();
        let heard = |what| {
            connection.number.map(|connection| Heard { connection, from_client, at: packet.at, packet: number, what })
        };
        let mut whats = Vec::new();
        for piece in pieces {
            side.read(piece, &mut whats);
        }
        whats.into_iter().filter_map(heard).try_for_each(tell)
    }

    fn make_room<E>(&mut self, tell: &mut impl FnMut(Heard) -> Result<(), E>) -> Result<(), E> {
        if self.known.len() < self.bounds.connections_max {
            return Ok(());
        }
        let mut last: Vec<u64> = self.known.values().map(|connection| connection.last.0).collect();
        let (_, middle, _) = last.select_nth_unstable(self.bounds.connections_max / 2);
        let silent = self.known.extract_if(|_, connection| connection.last.0 < *middle).map(|(_, old)| old);
        let mut silent: Vec<Connection> = silent.collect();
        silent.sort_unstable_by_key(|connection| connection.number);
        silent.into_iter().try_for_each(|old| self.forget(old, tell))
    }

    fn forget<E>(&mut self, old: Connection, tell: &mut impl FnMut(Heard) -> Result<(), E>) -> Result<(), E> {
        self.ahead -= old.of_client.stream.ahead_bytes() + old.of_server.stream.ahead_bytes();
        old.end(tell)
    }

    fn end<E>(self, tell: &mut impl FnMut(Heard) -> Result<(), E>) -> Result<(), E> {
        let mut left: Vec<Connection> = self.known.into_values().collect();
        left.sort_unstable_by_key(|connection| connection.number);
        left.into_iter().try_for_each(|connection| connection.end(tell))
    }
}

impl Connection {
    fn new(client: SocketAddr) -> Connection {
        Connection {
            number: None,
            client,
            of_client: Side::default(),
            of_server: Side::default(),
            last: (0, Duration::ZERO),
        }
    }

    /// Nothing more comes of it: says what was begun and is not whole.
    fn end<E>(self, tell: &mut impl FnMut(Heard) -> Result<(), E>) -> Result<(), E> {
        let Some(connection) = self.number else { return Ok(()) };
        let (packet, at) = self.last;
        for (from_client, side) in [(true, self.of_client), (false, self.of_server)] {
            let missing = side.stream.missing();
            let what = match (side.is_over, missing, side.bytes.len()) {
                (true, ..) | (false, 0, 0) => continue,
                (false, 0, bytes) => format!("the capture ends in the middle of a frame, behind {bytes} bytes of it"),
                (false, missing, _) => format!("{missing} bytes were not captured"),
            };
            tell(Heard { connection, from_client, at, packet, what: What::Lost(what) })?;
        }
        Ok(())
    }
}

impl Side {
    fn read(&mut self, piece: Piece, whats: &mut Vec<What>) {
        if self.is_over {
            return;
        }
        match piece {
            Piece::Bytes(bytes) => {
                // Of a stream that began before the capture a segment's first byte is a frame's, or the next one's is.
                let may_begin_inside = self.stream.began_before() && !self.is_in_step;
                if may_begin_inside && self.bytes.is_empty() && !looks_like_frame(&bytes) {
                    return;
                }
                self.bytes.extend_from_slice(&bytes);
                self.frames(whats);
                // What is left is the beginning of a frame, and must not hold on to all that came with it.
                self.bytes = BytesMut::from(&self.bytes[..]);
            }
            Piece::Lost(what) => {
                self.is_over = true;
                whats.push(What::Lost(what));
            }
            Piece::End => {
                self.is_over = true;
                if !self.bytes.is_empty() {
                    let what = format!("it ends in the middle of a frame, behind {} bytes of it", self.bytes.len());
                    whats.push(What::Lost(what));
                }
                whats.push(What::Closed);
            }
        }
    }

    fn frames(&mut self, whats: &mut Vec<What>) {
        loop {
            match self.frames.decode(&mut self.bytes) {
                Ok(Some(frame)) => {
                    self.is_in_step = true;
                    whats.push(What::Frame(frame));
                }
                Ok(None) => return,
                Err(error) => {
                    // Where the next frame begins is not known any more.
                    self.is_over = true;
                    self.bytes.clear();
                    return whats.push(What::Lost(error.to_string()));
                }
            }
        }
    }
}

/// The header that a segment begins with: how long its frame's body is, and what it is.
fn header(payload: &[u8]) -> Option<(usize, MessageType)> {
    let number = |at: usize| payload.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    Some((number(0)? as usize, MessageType(number(4)?)))
}

fn begins_with_open_req(payload: &[u8]) -> bool {
    header(payload).is_some_and(|(body, kind)| kind == MessageType::OPEN_REQ && body <= FRAME_BYTES_MAX - HEADER_BYTES)
}

fn looks_like_frame(payload: &[u8]) -> bool {
    header(payload).is_some_and(|(body, kind)| kind.name().is_some() && body <= FRAME_BYTES_MAX - HEADER_BYTES)
}
