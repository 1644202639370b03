//! One direction of a TCP connection: its segments in order, each byte once. Not here: what the bytes mean.

use std::collections::BTreeMap;

use super::packets::Segment;

/// Bytes that are kept while one before them is missing; with more, it was not captured.
const AHEAD_BYTES_MAX: usize = 1024 * 1024;
/// Segments that are kept so.
const AHEAD_MAX: usize = 4_096;
/// What keeping one takes besides its bytes, about.
const KEPT_BYTES: usize = 64;

/// What a direction brings next.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    Bytes(Vec<u8>),
    /// It goes on, and cannot be read.
    Lost(String),
    /// It ended.
    End,
}

fn lost(missing: u64) -> Piece {
    Piece::Lost(format!("{missing} bytes were not captured"))
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The sequence number of offset 0; none before the first segment.
    first: Option<u32>,
    began_before: bool,
    /// Up to here everything has been handed out.
    next: u64,
    ahead: BTreeMap<u64, Vec<u8>>,
    ahead_bytes: usize,
    /// Where it ends, if that was seen.
    ends_at: Option<u64>,
    is_over: bool,
}

impl Stream {
    /// Whether its beginning was not captured.
    pub(super) fn began_before(&self) -> bool {
        self.began_before
    }

    /// How many bytes are missing before what has come ahead of them, or before its end.
    pub(super) fn missing(&self) -> u64 {
        let ahead = self.ahead.first_key_value().map(|(at, _)| *at);
        ahead.or(self.ends_at).map_or(0, |at| at.saturating_sub(self.next))
    }

    /// How many bytes of memory are taken because others before them are missing.
    pub(super) fn ahead_bytes(&self) -> usize {
        self.ahead_bytes + self.ahead.len() * KEPT_BYTES
    }

    /// Takes a segment in, with room for so many bytes ahead of missing ones; what can be handed out now.
    pub(super) fn take(&mut self, segment: &Segment<'_>, room: usize) -> Vec<Piece> {
        if self.is_over {
            return Vec::new();
        }
        if segment.rst {
            let missing = self.missing();
            self.end();
            return vec![if missing > 0 { lost(missing) } else { Piece::End }];
        }
        if segment.syn {
            self.first.get_or_insert(segment.sequence.wrapping_add(1));
        } else if self.first.is_none() {
            if segment.payload.is_empty() && !segment.fin {
                return Vec::new(); // an acknowledgement says nothing of where its own side is
            }
            (self.first, self.began_before) = (Some(segment.sequence), true);
        }
        let sequence = if segment.syn { segment.sequence.wrapping_add(1) } else { segment.sequence };
        let mut pieces = Vec::new();
        let Some(at) = self.offset(sequence) else { return pieces };
        if segment.fin {
            self.ends_at.get_or_insert(at + segment.payload.len() as u64);
        }
        self.keep(at, segment.payload);
        let mut bytes = Vec::new();
        while let Some(entry) = self.ahead.first_entry().filter(|entry| *entry.key() <= self.next) {
            let (at, kept) = entry.remove_entry();
            self.ahead_bytes -= kept.len();
            // What was sent again, whole or in part, counts once: as it came first.
            let known = usize::try_from(self.next - at).unwrap_or(usize::MAX).min(kept.len());
            bytes.extend_from_slice(&kept[known..]);
            self.next += (kept.len() - known) as u64;
        }
        if !bytes.is_empty() {
            pieces.push(Piece::Bytes(bytes));
        }
        if !self.ahead.is_empty() && (self.ahead_bytes() > room.min(AHEAD_BYTES_MAX) || self.ahead.len() > AHEAD_MAX) {
            pieces.push(lost(self.missing()));
            self.end();
        } else if self.ends_at.is_some_and(|end| end <= self.next) {
            self.end();
            pieces.push(Piece::End);
        }
        pieces
    }

    /// Nothing of it is taken in any more.
    fn end(&mut self) {
        self.is_over = true;
        self.ahead.clear();
        self.ahead_bytes = 0;
    }

    fn keep(&mut self, at: u64, payload: &[u8]) {
        if payload.is_empty() || at + payload.len() as u64 <= self.next {
            return;
        }
        let kept = self.ahead.entry(at).or_default();
        if payload.len() > kept.len() {
            self.ahead_bytes += payload.len() - kept.len();
            *kept = payload.to_vec();
        }
    }

    /// Where in the stream a sequence number is, which wraps around every 4 GiB; none where it is before the beginning.
    fn offset(&self, sequence: u32) -> Option<u64> {
        let next = self.first?.wrapping_add(self.next as u32);
        let distance = sequence.wrapping_sub(next).cast_signed();
        self.next.checked_add_signed(distance.into())
    }
}
