//! The stream: pieces of frames, many frames at once, frames that are too long, streams that end early.

use bytes::{BufMut, Bytes, BytesMut};
use cti_protocol::ged188::{FRAME_BYTES_MAX, Frame, FrameCodec, FrameError, HEADER_BYTES, MessageType};
use cti_protocol::ged188::{peek_invoke_id, peek_version_number};
use tokio_util::codec::{Decoder, Encoder};

#[test]
fn a_frame_that_comes_byte_by_byte_is_one_frame() {
    let (mut codec, mut input) = (FrameCodec::default(), BytesMut::new());
    let wire = [0, 0, 0, 4, 0, 0, 0, 5, 1, 2, 3, 4];
    for (at, byte) in wire.iter().enumerate() {
        assert_eq!(codec.decode(&mut input).expect("no bound is broken"), None, "after {at} bytes");
        input.put_u8(*byte);
    }
    assert_eq!(codec.decode(&mut input).expect("whole"), Some(heartbeat()));
    assert!(input.is_empty());
}

#[test]
fn many_frames_in_one_read_come_out_one_by_one() {
    let (mut codec, mut input) = (FrameCodec::default(), BytesMut::new());
    for _ in 0..100 {
        codec.encode(heartbeat(), &mut input).expect("small");
    }
    input.put_slice(&[0, 0, 0]);
    for _ in 0..100 {
        assert_eq!(codec.decode(&mut input).expect("whole"), Some(heartbeat()));
    }
    assert_eq!(codec.decode(&mut input).expect("only a part of a header is left"), None);
    assert!(matches!(codec.decode_eof(&mut input), Err(FrameError::CutOff { bytes: 3 })));
}

#[test]
fn a_frame_at_the_bound_passes_and_one_byte_more_does_not() {
    let mut codec = FrameCodec::default();
    let body = Bytes::from(vec![0; FRAME_BYTES_MAX - HEADER_BYTES]);
    let (mut out, frame) = (BytesMut::new(), Frame { message_type: MessageType(9_999), body });
    codec.encode(frame.clone(), &mut out).expect("as long as allowed");
    assert_eq!(out.len(), FRAME_BYTES_MAX);
    assert_eq!(codec.decode(&mut out).expect("as long as allowed"), Some(frame));

    let body = Bytes::from(vec![0; FRAME_BYTES_MAX - HEADER_BYTES + 1]);
    let refused = codec.encode(Frame { message_type: MessageType(9_999), body }, &mut out);
    assert!(matches!(refused, Err(FrameError::TooLong { claimed: 12_493, body_bytes_max: 12_492, .. })));
    assert!(out.is_empty());
    out.put_slice(&[0, 0, 0x30, 0xcd, 0, 0, 0, 3]);
    let refused = codec.decode(&mut out).expect_err("one byte more").to_string();
    assert_eq!(refused, "a frame of type OPEN_REQ claims a body of 12493 bytes, at most 12492 are taken");
}

#[test]
fn a_bound_below_the_header_takes_empty_bodies_only() {
    let (mut codec, mut input) = (FrameCodec::new(3), BytesMut::from(&[0, 0, 0, 0, 0, 0, 1, 21][..]));
    let frame = codec.decode(&mut input).expect("nothing is claimed").expect("whole");
    assert_eq!((frame.message_type, frame.body.len()), (MessageType(277), 0));
    input.put_slice(&[0, 0, 0, 1, 0, 0, 0, 5]);
    assert!(matches!(codec.decode(&mut input), Err(FrameError::TooLong { claimed: 1, body_bytes_max: 0, .. })));
}

#[test]
fn another_protocol_is_refused_before_anything_is_made_from_its_length() {
    for stranger in [&b"GET / HTTP/1.1\r\n"[..], b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", &[0xff; 8]] {
        let mut input = BytesMut::from(stranger);
        assert!(matches!(FrameCodec::default().decode(&mut input), Err(FrameError::TooLong { .. })));
        assert!(input.capacity() < FRAME_BYTES_MAX);
    }
}

#[test]
fn waiting_for_a_body_reserves_no_more_than_the_frame() {
    let mut input = BytesMut::from(&[0, 0, 0x30, 0xcc, 0, 0, 0, 3][..]);
    assert_eq!(FrameCodec::default().decode(&mut input).expect("at the bound"), None);
    assert!(input.capacity() <= 2 * FRAME_BYTES_MAX, "{}", input.capacity());
}

#[test]
fn an_invoke_id_can_be_had_from_a_frame_that_nobody_understands() {
    let frame = |kind, body: &'static [u8]| Frame { message_type: MessageType(kind), body: Bytes::from_static(body) };
    assert_eq!(peek_invoke_id(&frame(9_999, &[0, 0, 0, 7, 9])), Some(7));
    assert_eq!(peek_invoke_id(&frame(3, &[0, 0, 0, 7])), Some(7), "an OPEN_REQ that is cut off");
    assert_eq!(peek_invoke_id(&frame(9_999, &[0, 0, 0])), None);
    assert_eq!(peek_invoke_id(&frame(30, &[0, 0, 0, 7])), None, "an AGENT_STATE_EVENT begins with MonitorID");
}

#[test]
fn the_version_of_an_open_request_is_known_before_it_is_decoded() {
    let frame = |kind, body: &'static [u8]| Frame { message_type: MessageType(kind), body: Bytes::from_static(body) };
    assert_eq!(peek_version_number(&frame(3, &[0, 0, 0, 7, 0, 0, 0, 20, 1])), Some(20));
    assert_eq!(peek_version_number(&frame(3, &[0, 0, 0, 7, 0, 0, 0])), None);
    assert_eq!(peek_version_number(&frame(3, &[0, 0])), None);
    assert_eq!(peek_version_number(&frame(5, &[0, 0, 0, 7, 0, 0, 0, 20])), None, "a HEARTBEAT_REQ");
}

fn heartbeat() -> Frame {
    Frame { message_type: MessageType::HEARTBEAT_REQ, body: Bytes::from_static(&[1, 2, 3, 4]) }
}
