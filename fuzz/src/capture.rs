//! What somebody captured, or made to look like it: the same frames whatever pieces the file comes in, each connection and
//! side in its order, and nothing behind a side's end.
//!
//! The first byte says what follows: a file as it is, or segments that a file is made of, because no fuzzer of bytes would
//! find headers that fit together a hundred times.

use std::collections::HashSet;
use std::io::{self, Read};

use ctigate::cli::capture::{self, CaptureError, Heard, PORTS, What};

/// Reads a capture whole and in pieces.
pub fn capture(input: &[u8]) {
    let Some((&kind, input)) = input.split_first() else { return };
    let file = if kind % 2 == 0 { input.to_vec() } else { file(input) };
    let whole = heard(&file[..]);
    let piece_bytes = usize::from(kind / 2) + 1;
    assert_eq!(heard(Pieces { file: &file, piece_bytes }), whole);
}

/// All that the capture holds, and how it ends.
fn heard(file: impl Read + Send) -> (Vec<Heard>, String) {
    let (mut all, mut connections) = (Vec::<Heard>::new(), 0);
    let (mut over, mut closed) = (HashSet::new(), HashSet::new());
    let ended = capture::read::<CaptureError>(file, &PORTS, |heard| {
        assert!(heard.connection > 0);
        connections = connections.max(heard.connection);
        let side = (heard.connection, heard.from_client);
        // It may be lost and then closed; nothing else comes behind its end.
        assert!(!closed.contains(&side), "{side:?} is closed, and brings {heard:?}");
        assert!(!over.contains(&side) || heard.what == What::Closed, "{side:?} is over, and brings {heard:?}");
        if !matches!(heard.what, What::Frame(_)) {
            over.insert(side);
        }
        if heard.what == What::Closed {
            closed.insert(side);
        }
        all.push(heard);
        Ok(())
    });
    let told: HashSet<u32> = all.iter().map(|heard| heard.connection).collect();
    assert!(told.len() <= connections as usize);
    (all, format!("{ended:?}"))
}

/// A file that is read in pieces of a size.
struct Pieces<'a> {
    file: &'a [u8],
    piece_bytes: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let room = into.len().min(self.piece_bytes);
        self.file.read(&mut into[..room])
    }
}

/// A capture of raw IP packets, one for each segment: its connection, side and flags, where it begins from where the side
/// has come to, and its length; then the payload.
fn file(mut input: &[u8]) -> Vec<u8> {
    let head = [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 262_144, 101];
    let mut file: Vec<u8> = head.into_iter().flat_map(u32::to_be_bytes).collect();
    let mut next = [0xffff_ffc0_u32; 8];
    while let Some((&[what, from, length], rest)) = input.split_first_chunk::<3>() {
        let (payload, rest) = rest.split_at(usize::from(length).min(rest.len()));
        input = rest;
        let (connection, from_client) = (what & 3, what & 4 == 0);
        let side = &mut next[usize::from(what & 7)];
        let sequence = side.wrapping_add_signed(i32::from(from.cast_signed()));
        // FIN, SYN, RST and ACK, where TCP has them.
        let flags = what >> 3 & 7 | (what >> 2 & 16);
        *side = sequence.wrapping_add(payload.len() as u32 + u32::from(flags & 3 != 0));
        let (client, server) =
            (([10, 0, 0, 1], 50_000 + u16::from(connection)), ([10, 0, 0, 2], 42_027 + u16::from(connection / 2)));
        let (from, to) = if from_client { (client, server) } else { (server, client) };
        let packet_bytes = 40 + payload.len();
        file.extend([0, 0, packet_bytes as u32, packet_bytes as u32].into_iter().flat_map(u32::to_be_bytes));
        let packet_bytes = (packet_bytes as u16).to_be_bytes();
        file.extend([0x45, 0, packet_bytes[0], packet_bytes[1], 0, 0, 0, 0, 64, 6, 0, 0]);
        file.extend([from.0, to.0].concat());
        file.extend([from.1, to.1].into_iter().flat_map(u16::to_be_bytes));
        file.extend([sequence, 0].into_iter().flat_map(u32::to_be_bytes));
        file.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        file.extend(payload);
    }
    file
}
