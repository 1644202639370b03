//! Messages built in Rust: what is written is read back, and what a version cannot say is refused by name.

use bytes::{Bytes, BytesMut};
use cti_protocol::ged188::codes::{AgentState, ForcedFlag};
use cti_protocol::ged188::{
    AgentStateEvent, AgentStateSkillGroup, AnyMessage, Decode, EncodeError, FRAME_BYTES_MAX, Frame, HEADER_BYTES,
    HeartbeatReq, Message, MessageType, NamedVariable, OpenReq, Rest, Secret, SetAgentStateReq, SetCallDataReq,
    Stranger, Tag, Text, UnknownField, Version, WantedSkillGroup,
};
use proptest::prelude::*;

#[test]
fn a_logout_is_the_bytes_that_the_guide_prints() {
    let logout = SetAgentStateReq {
        invoke_id: 7,
        peripheral_id: 5000,
        agent_state: AgentState::AGENT_STATE_LOGOUT,
        num_skill_groups: 1,
        forced_flag: ForcedFlag::TRUE,
        agent_id: Some(Text::new("1001").expect("it fits")),
        skill_groups: vec![WantedSkillGroup { number: Some(10), priority: None }],
        ..SetAgentStateReq::default()
    };
    let mut out = BytesMut::new();
    logout.encode(version(15), &mut out).expect("it fits");
    let expected =
        b"\0\0\0\x22\0\0\0\x26\0\0\0\x07\0\0\x13\x88\0\x01\0\0\0\x01\0\0\x01\0\0\0\0\x05\x051001\0\x3e\x04\0\0\0\x0a";
    assert_eq!(&out[..], expected);
    assert_eq!(SetAgentStateReq::decode_body(&out.freeze().slice(HEADER_BYTES..), version(15)), Ok(logout));
}

#[test]
fn a_message_prints_what_is_there_and_no_password() {
    let login = SetAgentStateReq {
        agent_password: Some(Secret::new(Text::new("opensesame").expect("it fits"))),
        agent_id: Some(Text::new("1001").expect("it fits")),
        ..SetAgentStateReq::default()
    };
    let (printed, json) = (format!("{login:?}"), login.to_json(Version::LATEST).to_string());
    assert!(!printed.contains("opensesame") && !json.contains("opensesame"), "{printed} {json}");
    assert!(printed.contains(r#"agent_id: Some("1001"), agent_password: Some(***)"#), "{printed}");
    assert!(printed.contains("AgentState: AGENT_STATE_LOGIN"), "{printed}");
    assert!(!printed.contains("position_id"), "{printed}");
}

#[test]
fn a_password_where_none_is_expected_does_not_print_either() {
    // A second AgentPassword has no place in the request; the frame does not know what it carries.
    let fields = b"\x31\x05first\x31\x06second";
    let body = Bytes::from([&[0; 16][..], &fields[..]].concat());
    let frame = Frame { message_type: SetAgentStateReq::TYPE, body: body.clone() };
    let request = AnyMessage::decode(&frame, version(9)).expect("it is whole");
    assert_eq!(request.unknown_tags().len(), 1);
    let stranger = Stranger { message_type: MessageType(9_999), body };
    let printed = format!("{frame:?} {request:?} {} {stranger:?}", request.to_json(version(9)));
    assert!(!printed.contains("first") && !printed.contains("second"), "{printed}");
    assert!(printed.contains("rest: [AGENT_PASSWORD_TAG of 6 bytes]"), "{printed}");
}

#[test]
fn an_ordinary_message_costs_a_pointer_for_strangers() {
    assert_eq!(size_of::<HeartbeatReq>(), 16);
    assert_eq!(size_of::<Rest>(), 8);
    assert!(size_of::<AnyMessage>() <= 600, "{}", size_of::<AnyMessage>());
}

#[test]
fn unknown_fields_are_counted_and_go_out_last() {
    let field = |tag, data: &[u8]| UnknownField { tag: Tag(tag), data: data.into() };
    let request = OpenReq {
        client_id: Some(Text::new("c").expect("it fits")),
        rest: Rest::new(vec![field(250, b"ab"), field(251, b"")]),
        ..OpenReq::default()
    };
    let mut out = BytesMut::new();
    request.encode(version(9), &mut out).expect("it fits");
    assert!(out.ends_with(b"\x01\x02c\0\xfa\x02ab\xfb\0"));
    assert_eq!(AnyMessage::from(request).unknown_tags().len(), 2);
}

#[test]
fn what_a_version_cannot_say_is_refused_and_nothing_is_written() {
    let unknown = |tag, bytes: usize| HeartbeatReq {
        rest: Rest::new(vec![UnknownField { tag: Tag(tag), data: vec![0; bytes][..].into() }]),
        ..HeartbeatReq::default()
    };
    let mut out = BytesMut::from(&b"before"[..]);
    let mut refusal = |message: HeartbeatReq, number| {
        let refused = message.encode(version(number), &mut out).expect_err("it does not fit");
        assert_eq!(&out[..], b"before");
        refused
    };
    let refused = refusal(unknown(7, 256), 19);
    assert_eq!(refused.to_string(), "TEXT_TAG of HEARTBEAT_REQ has 256 bytes, version 19 can say 255");
    let refused = refusal(unknown(303, 1), 19);
    assert_eq!(
        refused.to_string(),
        "FLT_TERM_DEVICE_NAME of HEARTBEAT_REQ has tag 303, version 19 has one byte for it"
    );
    let refused = refusal(unknown(7, 12_485), 20);
    assert!(matches!(refused, EncodeError::FrameTooLong { field: "TEXT_TAG", bytes: 12_501, bytes_max: 12_500, .. }));
    let body = Bytes::from(vec![0; 12_493]);
    let stranger = AnyMessage::from(Stranger { message_type: MessageType(9_999), body });
    assert!(matches!(stranger.encode(version(20), &mut out), Err(EncodeError::FrameTooLong { .. })));
    assert_eq!(&out[..], b"before");
    unknown(7, 12_484).encode(version(20), &mut out).expect("as long as allowed");
}

#[test]
fn a_frame_full_of_the_smallest_fields_is_kept_and_goes_out_as_it_came() {
    // An empty field of the message and an empty one of nobody, in turn: as many fields as a frame can hold.
    let body = [&[0, 0, 0, 1, 0, 0, 0, 6][..], &[250, 0, 7, 0].repeat(3_121)].concat();
    let frame = Frame { message_type: MessageType::FAILURE_CONF, body: body.into() };
    let message = AnyMessage::decode(&frame, version(9)).expect("it is whole");
    assert_eq!(message.unknown_tags().len(), 2 * 3_121 - 1);
    let mut out = BytesMut::new();
    message.encode(version(9), &mut out).expect("it came as one frame");
    assert_eq!(out[HEADER_BYTES..], frame.body[..]);
}

#[test]
fn a_stranger_is_named_if_the_type_table_has_it() {
    let named = Frame { message_type: MessageType::DESKTOP_CONNECTED_IND, body: Bytes::from_static(b"abc") };
    let message = AnyMessage::decode(&named, Version::LATEST).expect("strangers are not refused");
    assert_eq!((message.name(), message.invoke_id()), (Some("DESKTOP_CONNECTED_IND"), None));
    let nameless = Frame { message_type: MessageType(9_999), body: Bytes::new() };
    assert_eq!(AnyMessage::decode(&nameless, Version::LATEST).expect("nor is this one").name(), None);
}

#[test]
fn text_is_looked_at_and_not_copied() {
    let body = Bytes::from_static(b"\0\0\0\x01\0\0\0\x06\x07\x03hi\0");
    let frame = Frame { message_type: MessageType::FAILURE_CONF, body: body.clone() };
    let AnyMessage::FailureConf(conf) = AnyMessage::view(&frame, version(9)).expect("it is whole") else {
        panic!("it is a FAILURE_CONF")
    };
    let text = conf.text.expect("it is there");
    assert_eq!(text.wire_bytes().as_ptr(), body[10..].as_ptr());
}

proptest! {
    #[test]
    fn sets_that_begin_with_their_first_member_come_back_as_they_were(
        sets in prop::collection::vec(any::<(i32, Option<u32>, Option<u16>, Option<u16>)>(), 0..99),
        number in 10u32..=24,
    ) {
        let event: AgentStateEvent = AgentStateEvent {
            num_flt_skill_groups: sets.len() as u16,
            flt_skill_groups: sets.into_iter().map(|(number, id, priority, state)| {
                AgentStateSkillGroup { number: Some(number), id, priority, state: state.map(AgentState) }
            }).collect(),
            ..AgentStateEvent::default()
        };
        let mut out = BytesMut::new();
        event.encode(version(number), &mut out).expect("it fits");
        let body = out.freeze().slice(HEADER_BYTES..);
        prop_assert_eq!(AgentStateEvent::decode_body(&body, version(number)), Ok(event));
    }
}

proptest! {
    /// Fields of any lengths, up to the bound and beyond it.
    #[test]
    fn a_frame_is_as_long_as_its_fields_and_never_longer_than_may_be(
        lengths in prop::collection::vec(0usize..=200, 1..40),
        total in 12_200usize..=12_800,
        (number, head) in prop::sample::select(vec![(9, 2), (19, 2), (20, 4), (24, 4)]),
    ) {
        let mut call = SetCallDataReq::default();
        let mut out = BytesMut::new();
        call.encode(version(number), &mut out).expect("it fits");
        let field = |length: usize| head + "n\0".len() + length + "\0".len();
        let mut left = total - out.len();
        let mut fields = Vec::new();
        for length in lengths.iter().copied().cycle() {
            let length = if left > 2 * field(200) { length } else { (left - field(0)).min(200) };
            fields.push(length);
            left -= field(length);
            if left < field(0) {
                break;
            }
        }
        let total = total - left;
        let variable = |length: usize| NamedVariable::new("n", &"v".repeat(length)).expect("it fits");
        call.named_variables = fields.into_iter().map(variable).collect();
        out = BytesMut::from(&b"before"[..]);
        match call.encode(version(number), &mut out) {
            Ok(()) => {
                prop_assert!(total <= FRAME_BYTES_MAX, "{} bytes", total);
                prop_assert_eq!(out.len(), b"before".len() + total);
                let body = out.freeze().slice(b"before".len() + HEADER_BYTES..);
                prop_assert_eq!(SetCallDataReq::decode_body(&body, version(number)), Ok(call));
            }
            Err(EncodeError::FrameTooLong { field: "NamedVariable", bytes, .. }) => {
                prop_assert!(total > FRAME_BYTES_MAX && bytes <= total, "{} of {} bytes", bytes, total);
                prop_assert_eq!(&out[..], b"before");
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}

fn version(number: u32) -> Version {
    Version::new(number).expect("a known version")
}

#[test]
fn clear_connection_may_have_two_bytes_more_in_its_fixed_part_and_goes_out_as_it_came() {
    let message_type = MessageType::CLEAR_CONNECTION_REQ;
    let fixed = [0, 0, 0, 7, 0, 0, 0x13, 0x88, 0, 0, 0, 42, 0, 0];
    let device = [&[0, 25, 0, 5][..], b"3001\0"].concat();
    for more in [&[][..], &[0, 0], &[0, 76], &[0xff, 0xff]] {
        for rest in [&[][..], &[0, 219, 0, 2, b'9', 0], &[1, 250, 0, 1, b'x']] {
            let body: Bytes = [&fixed[..], more, &device, rest].concat().into();
            let frame = Frame { message_type, body: body.clone() };
            let message = AnyMessage::decode(&frame, version(24)).expect("it is whole");
            let AnyMessage::ClearConnectionReq(request) = &message else { panic!("{message:?}") };
            assert_eq!(request.connection_device_id, Text::new("3001").ok(), "{body:?}");
            let mut out = BytesMut::new();
            message.encode(version(24), &mut out).expect("it fits");
            assert_eq!(out[HEADER_BYTES..], body);
        }
    }
    // A field of that version only: an older session has no such bytes.
    let body: Bytes = [&fixed[..], &[0xff, 0xff], &[25, 5], b"3001\0"].concat().into();
    AnyMessage::decode(&Frame { message_type, body }, version(13)).expect_err("a broken field");
}
