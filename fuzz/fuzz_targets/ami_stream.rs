//! What an Asterisk sends, or who pretends to be one: the same messages whatever pieces it comes in, and bounded memory.
#![no_main]

use bytes::BytesMut;
use ctigate::acd::asterisk::ami::{AmiCodec, AmiFrame, MESSAGE_BYTES_MAX};
use tokio_util::codec::Decoder;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((size, stream)) = input.split_first() else { return };
    let whole = frames(stream, stream.len().max(1));
    assert_eq!(frames(stream, usize::from(*size).max(1)), whole);
});

fn frames(stream: &[u8], piece: usize) -> Vec<AmiFrame> {
    let (mut codec, mut input, mut frames) = (AmiCodec::default(), BytesMut::new(), Vec::new());
    input.extend_from_slice(b"banner\n");
    for piece in stream.chunks(piece) {
        input.extend_from_slice(piece);
        while let Some(frame) = codec.decode(&mut input).expect("its banner ends") {
            if let AmiFrame::Message(message) = &frame {
                let _ = (message.kind(), message.number_of("ActionID"), message.headers().count());
            }
            frames.push(frame);
        }
        assert!(input.len() <= MESSAGE_BYTES_MAX + piece.len() + 8);
    }
    frames
}
