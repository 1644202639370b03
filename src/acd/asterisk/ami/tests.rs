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
fn names_of_headers_have_no_case_and_the_first_of_two_is_taken() {
    let message = Message::new(Bytes::from_static(b"EVENT: A\r\nuniqueID:1\r\nUniqueid: 2\r\nNo colon\r\nB:  x: y "));
    assert_eq!(message.kind(), Kind::Event(b"A"));
    for name in ["Uniqueid", "uniqueid", "UNIQUEID"] {
        assert_eq!(message.bytes_of(name), Some(&b"1"[..]));
    }
    assert_eq!(message.bytes_of("no colon"), Some(&b""[..]), "a name without a value");
    assert_eq!(message.bytes_of("B"), Some(&b" x: y "[..]), "one blank is the separator's, the others are the value's");
    assert_eq!(message.bytes_of("Unique"), None);
    assert_eq!(message.number_of("B"), None);
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
fn the_length_of_a_message_is_counted_the_same_wherever_it_is_split() {
    for bytes in MESSAGE_BYTES_MAX - 2..MESSAGE_BYTES_MAX + 7 {
        for end in [&b"\n\n"[..], b"\n\r\n", b"\r\n\n", b"\r\n\r\n"] {
            let stream = [b"banner\n", &vec![b'x'; bytes][..], end, b"\r\n\nEvent: Next\n\n"].concat();
            let whole = frames(&[&stream]);
            match bytes > MESSAGE_BYTES_MAX {
                true => assert_eq!(whole[1], AmiFrame::TooLong { bytes }),
                false => assert_eq!(messages(whole.clone())[0].headers().next().expect("a line").0.len(), bytes),
            }
            assert_eq!(whole.len(), 3);
            for at in MESSAGE_BYTES_MAX..stream.len() {
                let (far, last) = stream.split_at(at);
                assert_eq!(frames(&[far, last]), whole, "{bytes} bytes, {end:?}, split at {at}");
                let pieces: Vec<_> = std::iter::once(far).chain(last.chunks(1)).collect();
                assert_eq!(frames(&pieces), whole, "{bytes} bytes, {end:?}, byte by byte from {at}");
            }
        }
    }
}

#[test]
fn a_message_without_an_end_is_thrown_away_as_it_comes() {
    for line in [&b"x"[..], b"\r", b"Variable: x\r\n"] {
        let (mut codec, mut input) = (AmiCodec::default(), BytesMut::from(&b"banner\nEvent: Endless\n"[..]));
        assert!(matches!(codec.decode(&mut input), Ok(Some(AmiFrame::Banner(_)))));
        for _ in 0..100 {
            input.extend_from_slice(&line.repeat(4_096));
            assert!(matches!(codec.decode(&mut input), Ok(None)));
            assert!(input.len() <= MESSAGE_BYTES_MAX + 4, "{} bytes are kept", input.len());
        }
        assert!(input.len() < 8_192 * line.len(), "nothing of it is kept for good");
    }
}

#[test]
fn a_second_message_that_is_too_long_is_counted_from_its_own_beginning() {
    let long = vec![b'x'; MESSAGE_BYTES_MAX + 1];
    let stream = [b"banner\n", &long[..], b"\n\n\n", &long, b"\n\nEvent: Next\n\n"].concat();
    let found = frames(&stream.chunks(500).collect::<Vec<_>>());
    assert_eq!(found[1..3], [1, 1].map(|over| AmiFrame::TooLong { bytes: MESSAGE_BYTES_MAX + over }));
    assert_eq!(found[3], AmiFrame::Message(Message::new(Bytes::from_static(b"Event: Next"))));
}

#[test]
fn blank_lines_alone_are_no_messages_and_are_not_kept() {
    let stream = [b"banner\n", &b"\r\n\n".repeat(50_000)[..]].concat();
    let pieces: Vec<&[u8]> = stream.chunks(7).collect();
    assert_eq!(frames(&pieces), [AmiFrame::Banner(Bytes::from_static(b"banner"))]);
}

#[test]
fn a_first_line_without_an_end_is_an_error() {
    let mut input = BytesMut::from(&[b'x'; 5_000][..]);
    assert!(AmiCodec::default().decode(&mut input).is_err());
    let (mut codec, mut input) = (AmiCodec::default(), BytesMut::new());
    let taken = (0..5_000).take_while(|_| {
        input.extend_from_slice(b"x");
        codec.decode(&mut input).is_ok()
    });
    assert_eq!(taken.count(), 1_024);
}

#[test]
fn a_first_line_that_is_too_long_is_an_error_in_one_piece_as_in_many() {
    for (bytes, is_taken) in [(1_024, true), (1_025, false), (5_000, false)] {
        let line = [&vec![b'x'; bytes][..], b"\n"].concat();
        for piece in [1, 1_000, line.len()] {
            let (mut codec, mut input) = (AmiCodec::default(), BytesMut::new());
            let found = line.chunks(piece).try_fold(None, |_, piece| {
                input.extend_from_slice(piece);
                codec.decode(&mut input)
            });
            match is_taken {
                true => assert!(matches!(found, Ok(Some(AmiFrame::Banner(_)))), "{bytes} bytes by {piece}"),
                false => assert!(found.is_err(), "{bytes} bytes by {piece}"),
            }
        }
    }
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
    let refused = Action::new("QueuePause").with("Reason", "\u{e4}\n").expect_err("an injection");
    assert_eq!(refused.to_string(), "QueuePause: Reason holds '\\n' at byte 2");
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
    let mut bytes = BytesMut::new();
    action.encode(u64::MAX, &mut bytes);
    assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 128 + 1, "and the blank line");
    let refused = action.clone().with("Variable", "x").expect_err("line 129");
    assert_eq!(refused.to_string(), "Originate: Variable is line 129, 128 are allowed");
    let reason = MemberText::new("tea").expect("sendable");
    let refused = action.with_member("Reason", &reason).with("Variable", "x").expect_err("line 130");
    assert_eq!(refused.to_string(), "Originate: Variable is line 130, 128 are allowed");
}

#[test]
fn a_member_gets_only_texts_that_come_back_whole() {
    assert!(MemberText::new("x".repeat(79)).is_ok());
    assert_eq!(MemberText::new("x".repeat(80)), Err(UnsendableText::TooLong { bytes: 80 }));
    assert_eq!(MemberText::new("\u{e4}".repeat(40)), Err(UnsendableText::TooLong { bytes: 80 }), "bytes count");
    for character in [',', '|', ';', '\r', '\n', '\0', '\t', '\u{7f}', '\u{85}'] {
        let refused = MemberText::new(format!("tea{character} late"));
        assert_eq!(refused, Err(UnsendableText::Character { character, at: 3 }));
    }
    for text in [" B", "B ", " ", "\u{a0}B"] {
        assert_eq!(MemberText::new(text), Err(UnsendableText::Blank), "{text:?}");
    }
    let text = MemberText::new("PJSIP/100 & co: \u{e4}").expect("sendable");
    let mut bytes = BytesMut::new();
    Action::new("QueueAdd").with_member("Interface", &text).encode(1, &mut bytes);
    assert_eq!(&bytes[..], "Action: QueueAdd\r\nActionID: 1\r\nInterface: PJSIP/100 & co: \u{e4}\r\n\r\n".as_bytes());
}

#[test]
fn a_challenge_is_met_with_the_md5_of_it_and_the_secret() {
    assert_eq!(challenge_key("140762734", &Password::new("ctigate-secret")), EXPECTED_KEY);
}

/// Line ends and colons come up often enough to meet.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let often = |byte| match byte {
        0x80..0xb0 => b'\n',
        0xb0..0xd0 => b'\r',
        0xd0..0xe0 => b':',
        other => other,
    };
    proptest::collection::vec(any::<u8>(), 0..1_500).prop_map(move |bytes| bytes.into_iter().map(often).collect())
}

/// A text that breaks its line about every other time.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        60 => any::<char>(),
        30 => proptest::char::range(' ', '~'),
        1 => proptest::sample::select(vec!['\r', '\n', '\0']),
    ];
    proptest::collection::vec(character, 0..90).prop_map(String::from_iter)
}

/// What Asterisk can send as one message: at least one line, no line empty, any bytes but CR and LF.
fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let value_byte = any::<u8>().prop_map(|byte| if matches!(byte, b'\r' | b'\n') { b':' } else { byte });
    proptest::collection::vec(("[A-Za-z][A-Za-z0-9-]{0,12}", proptest::collection::vec(value_byte, 0..40)), 1..8)
}

/// The stream in pieces of these sizes, over and over.
fn pieces_of<'a>(mut stream: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if stream.is_empty() {
            break;
        }
        let (piece, rest) = stream.split_at((*size).min(stream.len()));
        pieces.push(piece);
        stream = rest;
    }
    pieces
}

proptest! {
    #[test]
    fn whatever_comes_in_whatever_pieces_is_bounded_and_never_a_panic(
        stream in stream(),
        before in prop_oneof![Just(0), MESSAGE_BYTES_MAX - 60..MESSAGE_BYTES_MAX + 8],
        sizes in proptest::collection::vec(1..400_usize, 1..8),
    ) {
        // A filler brings the first message to the bound, where the rest of the stream then happens.
        let stream = [b"banner\n", &vec![b'x'; before][..], &stream].concat();
        let in_pieces = frames(&pieces_of(&stream, &sizes));
        prop_assert_eq!(&in_pieces, &frames(&[&stream]));
        for message in messages(in_pieces) {
            prop_assert!(message.headers().count() > 0);
            let _ = (message.kind(), message.number_of("ActionID"), message.text_of("Queue"));
        }
    }

    #[test]
    fn messages_come_back_whole_in_whatever_pieces(
        sent in proptest::collection::vec((headers(), any::<bool>(), any::<bool>(), 0..3_usize), 0..12),
        sizes in proptest::collection::vec(1..200_usize, 1..8),
    ) {
        let mut stream = b"Asterisk Call Manager/11.0.0\r\n".to_vec();
        for (headers, has_cr, has_blank, blank_lines) in &sent {
            let end: &[u8] = if *has_cr { b"\r\n" } else { b"\n" };
            for (name, value) in headers {
                // Without the separator's blank, the value's own first one would be taken for it.
                let separator = if *has_blank || value.starts_with(b" ") { &b": "[..] } else { b":" };
                stream.extend_from_slice(&[name.as_bytes(), separator, value, end].concat());
            }
            stream.extend_from_slice(&end.repeat(1 + blank_lines));
        }
        let found = frames(&pieces_of(&stream, &sizes));
        prop_assert_eq!(found.len(), 1 + sent.len());
        for (message, (headers, ..)) in messages(found).iter().zip(&sent) {
            let back: Vec<_> = message.headers().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
            let sent: Vec<_> = headers.iter().map(|(name, value)| (name.clone().into_bytes(), value.clone())).collect();
            prop_assert_eq!(back, sent);
            for (name, _) in headers {
                let first = headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).expect("itself");
                prop_assert_eq!(message.bytes_of(&name.to_uppercase()), Some(&first.1[..]));
            }
        }
    }

    #[test]
    fn what_is_taken_into_an_action_is_one_message_with_just_those_values(
        values in proptest::collection::vec(text(), 0..20),
        ids in any::<(u64, u64)>(),
    ) {
        let mut action = Action::new("Test");
        let mut taken = Vec::new();
        for value in values {
            match action.clone().with("Value", &value) {
                Ok(more) => {
                    action = more;
                    taken.push(value.clone().into_bytes());
                }
                Err(_) => prop_assert!(value.contains(['\r', '\n', '\0']), "{value:?} is refused without need"),
            }
            if let Ok(member) = MemberText::new(value) {
                action = action.with_member("Value", &member);
                taken.push(member.as_str().as_bytes().to_vec());
            }
        }
        let mut bytes = BytesMut::from(&b"banner\r\n"[..]);
        action.encode(ids.0, &mut bytes);
        action.encode(ids.1, &mut bytes);
        let messages = messages(frames(&[&bytes]));
        prop_assert_eq!(messages.len(), 2);
        for (message, id) in messages.iter().zip([ids.0, ids.1]) {
            let mut headers = message.headers();
            prop_assert_eq!(headers.next(), Some((&b"Action"[..], &b"Test"[..])));
            let id = id.to_string();
            prop_assert_eq!(headers.next(), Some((&b"ActionID"[..], id.as_bytes())));
            let back: Vec<_> = headers.map(|(_, value)| value.to_vec()).collect();
            prop_assert_eq!(&back, &taken);
        }
    }

    #[test]
    fn a_member_text_that_is_taken_holds_nothing_that_separates_or_is_cut(text in text()) {
        if let Ok(member) = MemberText::new(text.clone()) {
            prop_assert_eq!(member.as_str(), &text);
            prop_assert!(text.len() <= 79 && text.trim() == text);
            prop_assert!(!text.contains([',', '|', ';', '\r', '\n', '\0']));
        }
    }
}

/// Of `md5sum`.
const EXPECTED_KEY: &str = "d7068ae0331aa94c1f387bb35af42b1c";
