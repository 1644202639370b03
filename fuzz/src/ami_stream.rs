//! What an Asterisk sends, or who pretends to be one: the same frames whatever pieces it comes in, and bounded memory.
//!
//! The first four bytes are the sizes of the pieces, over and over; the fifth may bring a filler that takes the first
//! line or the first message to its bound, which no input of a fuzzer's usual length would reach.

use bytes::BytesMut;
use ctigate::acd::asterisk::ami::{AmiCodec, AmiFrame, Kind, MESSAGE_BYTES_MAX, Message};
use tokio_util::codec::Decoder;

/// Sends a stream whole and in pieces.
pub fn ami_stream(input: &[u8]) {
    let Some((&[sizes @ .., filler], stream)) = input.split_first_chunk::<5>() else { return };
    let sizes: [u8; 4] = sizes;
    let filled = match filler {
        0..224 => vec![],
        224..240 => vec![b'x'; BANNER_BYTES_MAX + 8 - usize::from(filler - 224)],
        240.. => [b"banner\n", &vec![b'x'; MESSAGE_BYTES_MAX + 8 - usize::from(filler - 240)][..]].concat(),
    };
    let whole = frames(&[&[&filled, stream].concat()]);
    let (mut pieces, mut rest) = (vec![&filled[..]], stream);
    for size in sizes.iter().cycle() {
        let (piece, behind) = rest.split_at((usize::from(*size) + 1).min(rest.len()));
        pieces.push(piece);
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    assert_eq!(frames(&pieces), whole);
}

/// The gateway's own bound for the first line.
const BANNER_BYTES_MAX: usize = 1024;

/// Every frame, and whether the stream ended in an error.
fn frames(pieces: &[&[u8]]) -> (Vec<AmiFrame>, bool) {
    let (mut codec, mut input, mut frames) = (AmiCodec::default(), BytesMut::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match codec.decode(&mut input) {
                Ok(Some(frame)) => {
                    if let AmiFrame::Message(message) = &frame {
                        look_up(message);
                    }
                    frames.push(frame);
                }
                Ok(None) => break,
                Err(_) => return (frames, true),
            }
        }
        assert!(input.len() <= MESSAGE_BYTES_MAX + 4, "{} bytes are kept", input.len());
    }
    (frames, false)
}

fn look_up(message: &Message) {
    let first = message.headers().next().expect("a message has a line");
    match message.kind() {
        Kind::Response(value) | Kind::Event(value) => assert_eq!(value, first.1),
        Kind::Other => (),
    }
    // Each look-up walks through the message: a thousand of them would be all that the fuzzer does.
    for (at, (name, value)) in message.headers().enumerate().take(64) {
        assert!(!name.contains(&b'\n') && !value.contains(&b'\n'));
        let Ok(name) = std::str::from_utf8(name) else { continue };
        let is_first = message.headers().take(at).all(|(other, _)| !other.eq_ignore_ascii_case(name.as_bytes()));
        let found = message.bytes_of(&name.to_ascii_uppercase()).expect("it is there");
        assert!(!is_first || found == value, "another header's value");
        let _ = (message.text_of(name), message.number_of(name));
    }
}
