//! The bytes of the manager interface, as Asterisk sends them and as it must not get them.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use tokio_util::codec::Decoder;

use super::*;
use crate::model::Password;

const STREAM: &[u8] =
    b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n\
    Event: OriginateResponse\r\nResponse: Failure\r\nactionid:7\r\nUniqueid: <unknown>\r\n\r\n\
    Response: Error\r\nActionID: 2\r\nMessage: Invalid interface, queuename, or ringinuse value\n\r\n\r\n\
    Event: FullyBooted\nStatus: Fully Booted: yes\n\nEvent: Empty\r\nPausedReason: \r\n\r\n";

fn frames(chunks: &[&[u8]]) -> Vec<AmiFrame> {
    let (mut codec, mut input, mut frames) = (AmiCodec::default(), BytesMut::new(), Vec::new());
    for chunk in chunks {
        input.extend_from_slice(chunk);
        while let Some(frame) = codec.decode(&mut input).expect("a banner that ends") {
            frames.push(frame);
        }
        assert!(input.len() <= MESSAGE_BYTES_MAX + chunk.len() + 8, "{} bytes are kept", input.len());
    }
    frames
}

fn messages(frames: Vec<AmiFrame>) -> Vec<Message> {
    let message = |frame| match frame {
        AmiFrame::Message(message) => Some(message),
        AmiFrame::Banner(_) | AmiFrame::TooLong { .. } => None,
    };
    frames.into_iter().filter_map(message).collect()
}

#[test]
fn a_stream_is_its_banner_and_its_messages_wherever_it_is_split() {
    let whole = frames(&[STREAM]);
    assert_eq!(whole.len(), 6);
    assert_eq!(whole[0], AmiFrame::Banner(Bytes::from_static(b"Asterisk Call Manager/11.0.0")));
    for at in 0..STREAM.len() {
        assert_eq!(frames(&[&STREAM[..at], &STREAM[at..]]), whole, "split at {at}");
    }
    let bytes: Vec<&[u8]> = STREAM.chunks(1).collect();
    assert_eq!(frames(&bytes), whole);
}

#[test]
fn the_first_line_says_what_a_message_is() {
    let messages = messages(frames(&[STREAM]));
    assert_eq!(messages[0].kind(), Kind::Response(b"Success"));
    assert_eq!(messages[1].kind(), Kind::Event(b"OriginateResponse"), "though it has a header Response");
    assert_eq!(messages[1].number_of("ActionID"), Some(7), "names have no case, the blank may be missing");
    assert_eq!(messages[2].kind(), Kind::Response(b"Error"));
    assert_eq!(messages[3].text_of("Status"), Some("Fully Booted: yes"));
    assert_eq!(messages[4].bytes_of("PausedReason"), Some(&b""[..]));
    assert_eq!(messages[4].text_of("PausedReason"), None);
    assert_eq!(Message::new(Bytes::from_static(b"nonsense")).kind(), Kind::Other);
}

#[test]
fn values_are_bytes_and_need_not_be_text() {
    let messages = messages(frames(&[b"x\r\nEvent: A\r\nName: \xff\0\r\n\r\n"]));
    assert_eq!(messages[0].bytes_of("Name"), Some(&b"\xff\0"[..]));
    assert_eq!(messages[0].text_of("Name"), None);
}

#[test]
fn a_message_that_is_too_long_is_skipped_and_the_stream_goes_on() {
    for (bytes, is_taken) in [(MESSAGE_BYTES_MAX, true), (MESSAGE_BYTES_MAX + 1, false), (5_000_000, false)] {
        let long = vec![b'x'; bytes];
        let stream = [b"banner\r\n", &long[..], b"\r\n\r\nEvent: Next\r\n\r\n"].concat();
        let chunks: Vec<&[u8]> = stream.chunks(1_000).collect();
        let found = frames(&chunks);
        match is_taken {
            true => assert_eq!(found[1], AmiFrame::Message(Message::new(long.into()))),
            false => assert_eq!(found[1], AmiFrame::TooLong { bytes }),
        }
        assert_eq!(found[2], AmiFrame::Message(Message::new(Bytes::from_static(b"Event: Next"))));
    }
}

#[test]
fn a_first_line_without_an_end_is_an_error() {
    let mut input = BytesMut::from(&[b'x'; 5_000][..]);
    assert!(AmiCodec::default().decode(&mut input).is_err());
}

#[test]
fn an_action_has_its_id_second() {
    let mut bytes = BytesMut::new();
    let action = Action::new("QueuePause").with("Paused", "true").expect("sendable");
    action.encode(42, &mut bytes);
    assert_eq!(&bytes[..], b"Action: QueuePause\r\nActionID: 42\r\nPaused: true\r\n\r\n");
    assert_eq!(format!("{:?}", action.with("Secret", "s3cret").expect("sendable")), "Action(QueuePause, 4 lines)");
}

#[test]
fn what_would_inject_a_header_or_an_action_is_refused_with_its_place() {
    for (value, character) in [("a\r\nAction: Logoff", '\r'), ("a\nb", '\n'), ("a\0", '\0')] {
        let refused = Action::new("QueuePause").with("Reason", value).expect_err("an injection");
        assert_eq!(refused, ActionError::Injection { action: "QueuePause", header: "Reason", character, at: 1 });
    }
}

#[test]
fn a_line_and_a_message_that_asterisk_would_not_take_are_refused() {
    let value = |bytes: usize| "x".repeat(bytes - "Reason: ".len());
    assert!(Action::new("QueuePause").with("Reason", &value(1_022)).is_ok());
    let refused = Action::new("QueuePause").with("Reason", &value(1_023)).expect_err("too long");
    assert_eq!(refused.to_string(), "QueuePause: the line of Reason has 1023 bytes, 1022 are allowed");
    let mut action = Action::new("Originate");
    for _ in 2..128 {
        action = action.with("Variable", "x").expect("up to line 128");
    }
    let refused = action.with("Variable", "x").expect_err("line 129");
    assert_eq!(refused.to_string(), "Originate: Variable is line 129, 128 are allowed");
}

#[test]
fn a_member_gets_only_texts_that_come_back_whole() {
    assert!(MemberText::new("x".repeat(79)).is_ok());
    assert_eq!(MemberText::new("x".repeat(80)), Err(UnsendableText::TooLong { bytes: 80 }));
    for character in [',', '|', ';', '\n'] {
        let refused = MemberText::new(format!("tea{character} late"));
        assert_eq!(refused, Err(UnsendableText::Character { character, at: 3 }));
    }
    assert_eq!(MemberText::new(" B"), Err(UnsendableText::Blank));
}

#[test]
fn a_challenge_is_met_with_the_md5_of_it_and_the_secret() {
    assert_eq!(challenge_key("140762734", &Password::new("ctigate-secret")), EXPECTED_KEY);
}

proptest! {
    #[test]
    fn whatever_comes_in_whatever_pieces_is_bounded_and_never_a_panic(
        chunks in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), any::<u8>()], 0..300), 0..40),
    ) {
        let stream = [b"banner\n".to_vec(), chunks.concat()].concat();
        let mut pieces: Vec<&[u8]> = vec![b"banner\n"];
        pieces.extend(chunks.iter().map(Vec::as_slice));
        let in_pieces = frames(&pieces);
        prop_assert_eq!(&in_pieces, &frames(&[&stream]));
        for message in messages(in_pieces) {
            let _ = (message.kind(), message.number_of("ActionID"), message.headers().count());
        }
    }

    #[test]
    fn what_is_taken_into_an_action_is_one_message_with_just_those_values(values in proptest::collection::vec(".{0,90}", 0..20)) {
        let mut action = Action::new("Test");
        let mut taken = Vec::new();
        for value in values {
            if let Ok(more) = action.clone().with("Value", &value) {
                action = more;
                taken.push(value);
            }
        }
        let mut bytes = BytesMut::from(&b"banner\r\n"[..]);
        action.encode(1, &mut bytes);
        let messages = messages(frames(&[&bytes]));
        prop_assert_eq!(messages.len(), 1);
        let back: Vec<_> = messages[0].headers().skip(2).map(|(_, value)| value.to_vec()).collect();
        prop_assert_eq!(back, taken.into_iter().map(String::into_bytes).collect::<Vec<_>>());
    }
}

/// Of `md5sum`.
const EXPECTED_KEY: &str = "d7068ae0331aa94c1f387bb35af42b1c";
