//! Golden vectors: bytes from outside and bytes worked out by hand, each with what it must turn into.

use bytes::{Bytes, BytesMut};
use cti_protocol::ged188::catalogue::{self, MessageInfo};
use cti_protocol::ged188::{AnyMessage, DecodeError, Flavour, Frame, FrameCodec, MessageType, Tag, Version};
use serde_json::Value;
use tokio_util::codec::Decoder;

use super::properties::encode;

#[test]
fn samples_of_an_independent_driver_are_read_field_by_field() {
    let mut seen = 0;
    for line in read("driver-v20.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).expect("a line is JSON");
        let name = vector["name"].as_str().expect("a name");
        let bytes = hex(vector["hex"].as_str().expect("bytes"));
        // These samples begin at MessageType; the length stands before it on the wire.
        let mut wire = BytesMut::from(&(bytes.len() as u32 - 4).to_be_bytes()[..]);
        wire.extend_from_slice(&bytes);
        let version = Version::new(20).expect("known");
        let (frame, message) = decode(wire, version).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(frame.message_type.name(), vector["message"].as_str(), "{name}");
        assert_eq!(encode(&message, version), frame, "{name}");
        assert!(message.unknown_tags().is_empty(), "{name}: {message:?}");
        let fields = message.to_json(version);
        let expected = &vector["fields"];
        for (field, value) in expected["fixed"].as_object().expect("fields") {
            assert_eq!(fields[field], plain(value), "{name} {field}");
        }
        let info = catalogue::by_type(frame.message_type).expect("it is declared");
        for (field, values) in floating(info, &expected["floating"]) {
            let got = match &fields[field] {
                Value::Array(got) => got.clone(),
                got => vec![got.clone()],
            };
            assert_eq!(got, values, "{name} {field}");
        }
        seen += 1;
    }
    assert_eq!(seen, 35);
}

#[test]
fn bytes_worked_out_by_hand_are_read_and_written_as_they_say() {
    let file: toml::Table = read("by-hand.toml").parse().expect("the file is TOML");
    for vector in file["vector"].as_array().expect("vectors") {
        let name = vector["name"].as_str().expect("a name");
        let (version, wire) = (version(vector), BytesMut::from(&hex(vector["hex"].as_str().expect("bytes"))[..]));
        let decoded = decode(wire, version);
        if let Some(refusal) = vector.get("refused") {
            let refused = decoded.err().unwrap_or_else(|| panic!("{name} is to be refused"));
            assert_eq!(kind(&refused), refusal["kind"].as_str().expect("a kind"), "{name}: {refused}");
            assert_eq!(
                refused.offset() as i64,
                refusal["offset"].as_integer().expect("an offset"),
                "{name}: {refused}"
            );
            assert_eq!(refused.field(), refusal.get("field").and_then(toml::Value::as_str), "{name}: {refused}");
            assert_eq!(refused.to_string(), refusal["says"].as_str().expect("words"), "{name}");
            continue;
        }
        let (frame, message) = decoded.unwrap_or_else(|error| panic!("{name}: {error}"));
        let message_type = vector["message"].as_str().and_then(MessageType::named).expect("a message");
        assert_eq!(frame.message_type, message_type, "{name}");
        let fields: Value = serde_json::from_str(vector["fields"].as_str().expect("JSON")).expect("JSON");
        assert_eq!(message.to_json(version).to_string(), fields.to_string(), "{name}: the order matters, too");
        let unknown: Vec<i64> = message.unknown_tags().iter().map(|field| i64::from(field.tag.0)).collect();
        let expected = vector.get("unknown").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        assert_eq!(unknown, expected.iter().filter_map(toml::Value::as_integer).collect::<Vec<_>>(), "{name}");
        assert_eq!(encode(&message, version), frame, "{name}");
    }
}

fn decode(mut wire: BytesMut, version: Version) -> Result<(Frame, AnyMessage), DecodeError> {
    let frame = FrameCodec::default().decode(&mut wire).expect("within the bound").expect("a whole frame");
    assert_eq!(wire, Bytes::new(), "MessageLength is right");
    let message = AnyMessage::decode(&frame, version)?;
    Ok((frame, message))
}

fn version(vector: &toml::Value) -> Version {
    let number = vector["version"].as_integer().expect("a version") as u32;
    let version = match vector.get("flavour").and_then(toml::Value::as_str) {
        Some("uccx") => Version::uccx(number),
        _ => Version::new(number),
    };
    let version = version.expect("a known version");
    assert_eq!(version.flavour() == Flavour::Uccx, vector.get("flavour").is_some());
    version
}

fn kind(refused: &DecodeError) -> &'static str {
    match refused {
        DecodeError::ShortFixedPart { .. } => "short fixed part",
        DecodeError::BrokenLength { .. } => "broken length",
        DecodeError::FieldTooLong { .. } => "field too long",
        DecodeError::WrongWidth { .. } => "wrong width",
        DecodeError::NameWithoutEnd { .. } => "name without end",
        _ => "another",
    }
}

/// The driver's value without the name it gives it; a named variable has a name of its own.
fn plain(value: &Value) -> Value {
    if value.get("name").is_some() { value.clone() } else { value.get("value").unwrap_or(value).clone() }
}

/// The driver's floating fields, those of one tag together, under the name that the message's table has for the tag.
fn floating(info: &MessageInfo, fields: &Value) -> Vec<(&'static str, Vec<Value>)> {
    let mut grouped: Vec<(&str, Vec<Value>)> = Vec::new();
    for field in fields.as_array().expect("fields") {
        let tag = Tag(field["tag"].as_u64().expect("a tag") as u16);
        let row = info.floating.iter().find(|row| row.tag == Some(tag)).expect("the message has the tag");
        match grouped.iter_mut().find(|(known, _)| *known == row.name) {
            Some((_, values)) => values.push(plain(&field["value"])),
            None => grouped.push((row.name, vec![plain(&field["value"])])),
        }
    }
    grouped
}

fn read(file: &str) -> String {
    let path = format!("{}/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("a digit")).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}
