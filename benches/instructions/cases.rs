//! What is counted, and what is asked of it.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use cti_protocol::ged188::codes::AgentState;
use cti_protocol::ged188::{AnyMessage, Decode, Frame, HEADER_BYTES, Message, Octets, SetAgentStateReq, Text, Version};
use prost::Message as _;

use super::{by_hand, others};

/// One thing to do, in so many rounds.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) play: fn(u32),
}

/// How many times the instructions of `to` those of `of` are to be, at most or at least.
pub(crate) struct Target {
    pub(crate) of: &'static str,
    pub(crate) to: &'static str,
    pub(crate) at_most: bool,
    pub(crate) ratio: f64,
    /// What is worse than this is a failure: how it stands while the target is missed, with some room for another compiler.
    pub(crate) now: f64,
}

pub(crate) const CASES: &[Case] = &[
    Case { name: "decode by hand, nothing checked", play: decode_by_hand },
    Case { name: "decode", play: decode },
    Case { name: "decode and keep", play: decode_and_keep },
    Case { name: "decode whatever it is", play: decode_any },
    Case { name: "decode by prost", play: decode_by_prost },
    Case { name: "decode by serde_json", play: decode_by_serde_json },
    Case { name: "encode by hand", play: encode_by_hand },
    Case { name: "encode", play: encode },
    Case { name: "encode by prost", play: encode_by_prost },
    Case { name: "encode by serde_json", play: encode_by_serde_json },
];

pub(crate) const TARGETS: &[Target] = &[
    Target { of: "decode", to: "decode by hand, nothing checked", at_most: true, ratio: 1.8, now: 2.6 },
    Target { of: "decode and keep", to: "decode by hand, nothing checked", at_most: true, ratio: 3.0, now: 3.9 },
    Target { of: "decode by prost", to: "decode and keep", at_most: false, ratio: 5.0, now: 3.6 },
    Target { of: "decode by serde_json", to: "decode and keep", at_most: false, ratio: 20.0, now: 18.0 },
    Target { of: "encode", to: "encode by hand", at_most: true, ratio: 2.2, now: 2.05 },
    Target { of: "encode by prost", to: "encode", at_most: false, ratio: 2.0, now: 1.3 },
];

const VERSION: Version = Version::LATEST;

/// An agent gets ready: what most of these requests are.
fn message() -> SetAgentStateReq {
    SetAgentStateReq {
        invoke_id: 7,
        peripheral_id: 5000,
        agent_state: AgentState::AGENT_STATE_AVAILABLE,
        agent_instrument: Some(Text::new("3041").expect("it fits")),
        agent_id: Some(Text::new("1001").expect("it fits")),
        ..SetAgentStateReq::default()
    }
}

fn body() -> Bytes {
    let mut wire = BytesMut::new();
    message().encode(VERSION, &mut wire).expect("it can be written");
    wire.freeze().slice(HEADER_BYTES..)
}

fn decode_by_hand(rounds: u32) {
    let body = body();
    let read = by_hand::read(&body);
    assert_eq!((read.invoke_id, read.agent_state, read.agent_id), (7, 3, &b"1001\0"[..]));
    for _ in 0..rounds {
        let _ = black_box(&by_hand::read(black_box(&body)));
    }
}

fn decode(rounds: u32) {
    let body = body();
    assert_eq!(SetAgentStateReq::decode_body(&body, VERSION), Ok(message()));
    for _ in 0..rounds {
        let _ = black_box(&SetAgentStateReq::<&[u8]>::decode_body(black_box(&body), black_box(VERSION)));
    }
}

fn decode_and_keep(rounds: u32) {
    let body = body();
    for _ in 0..rounds {
        let _ = black_box(&SetAgentStateReq::<Octets>::decode_body(black_box(&body), black_box(VERSION)));
    }
}

fn decode_any(rounds: u32) {
    let frame = Frame { message_type: SetAgentStateReq::TYPE, body: body() };
    for _ in 0..rounds {
        let _ = black_box(&AnyMessage::view(black_box(&frame), black_box(VERSION)));
    }
}

fn decode_by_prost(rounds: u32) {
    let body = others::message().encode_to_vec();
    for _ in 0..rounds {
        let _ = black_box(&others::SetAgentState::decode(&black_box(&body)[..]));
    }
}

fn decode_by_serde_json(rounds: u32) {
    let body = serde_json::to_vec(&others::message()).expect("it can be written");
    for _ in 0..rounds {
        let _ = black_box(&serde_json::from_slice::<others::SetAgentState>(black_box(&body)));
    }
}

fn encode_by_hand(rounds: u32) {
    let body = body();
    let (read, mut out) = (by_hand::read(&body), BytesMut::with_capacity(OUT_BYTES));
    by_hand::write(&read, &mut out);
    assert_eq!(out[HEADER_BYTES..], body);
    for _ in 0..rounds {
        out.clear();
        by_hand::write(black_box(&read), black_box(&mut out));
    }
}

fn encode(rounds: u32) {
    let (message, mut out) = (message(), BytesMut::with_capacity(OUT_BYTES));
    for _ in 0..rounds {
        out.clear();
        let _ = black_box(black_box(&message).encode(black_box(VERSION), black_box(&mut out)));
    }
}

fn encode_by_prost(rounds: u32) {
    let (message, mut out) = (others::message(), BytesMut::with_capacity(OUT_BYTES));
    for _ in 0..rounds {
        out.clear();
        let _ = black_box(black_box(&message).encode(black_box(&mut out)));
    }
}

fn encode_by_serde_json(rounds: u32) {
    let (message, mut out) = (others::message(), Vec::with_capacity(OUT_BYTES));
    for _ in 0..rounds {
        out.clear();
        let _ = black_box(serde_json::to_writer(black_box(&mut out), black_box(&message)));
    }
}

/// Room for what is written, so that nobody has to make any.
const OUT_BYTES: usize = 1_024;
