//! Properties over the whole catalogue: what goes in comes out, and nothing that comes in does harm.

use bytes::BytesMut;
use cti_protocol::ged188::catalogue::CATALOGUE;
use cti_protocol::ged188::{AnyMessage, Frame, HEADER_BYTES, Version, sweep, sweep_body};
use proptest::collection::vec;
use proptest::prelude::*;

use super::samples::{self, Choices};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn what_is_decoded_is_encoded_to_the_same_bytes(
        (message, version) in (0..CATALOGUE.len(), 0..Version::all().count()),
        choices in vec(any::<u8>(), 0..600),
    ) {
        let (info, version) = (CATALOGUE[message], Version::all().nth(version).expect("below the count"));
        let frame = samples::frame(info, samples::body(info, version, &mut Choices(&choices)));
        let decoded = AnyMessage::decode(&frame, version).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let encoded = encode(&decoded, version);
        prop_assert_eq!(&encoded.body, &frame.body);
        prop_assert_eq!(encoded.message_type, info.message_type);
        prop_assert_eq!(AnyMessage::decode(&encoded, version), Ok(decoded));
    }

    #[test]
    fn a_message_sent_to_an_older_session_is_whole_there(
        (message, version) in (0..CATALOGUE.len(), 0..Version::all().count()),
        choices in vec(any::<u8>(), 0..300),
    ) {
        let (info, version) = (CATALOGUE[message], Version::all().nth(version).expect("below the count"));
        let newest = samples::body(info, Version::LATEST, &mut Choices(&choices));
        let message = AnyMessage::decode(&samples::frame(info, newest), Version::LATEST)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let mut out = BytesMut::from(&b"before"[..]);
        // Unknown tags above 255 have no room in the narrow versions; then nothing may be written.
        if message.encode(version, &mut out).is_err() {
            prop_assert_eq!(&out[..], b"before");
            return Ok(());
        }
        let body = out.split_off(b"before".len() + HEADER_BYTES).freeze();
        let there = AnyMessage::decode(&Frame { message_type: info.message_type, body }, version);
        let there = there.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(there.to_json(version), message.to_json(version));
    }

    #[test]
    fn json_has_the_fields_that_came_in_the_order_of_the_table(
        (message, version) in (0..CATALOGUE.len(), 0..Version::all().count()),
        choices in vec(any::<u8>(), 0..300),
    ) {
        let (info, version) = (CATALOGUE[message], Version::all().nth(version).expect("below the count"));
        let frame = samples::frame(info, samples::body(info, version, &mut Choices(&choices)));
        let decoded = AnyMessage::decode(&frame, version).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let json = decoded.to_json(version);
        let keys: Vec<&str> = json.as_object().expect("an object").keys().map(String::as_str).collect();
        let rows = info.fixed.iter().chain(info.floating).filter(|row| row.is_in(version)).map(|row| row.name);
        let in_order: Vec<&str> = rows.filter(|name| keys.contains(name)).collect();
        prop_assert_eq!(&keys, &in_order);
        prop_assert!(keys.len() >= info.fixed.iter().filter(|row| row.is_in(version)).count());
    }

    #[test]
    fn no_stream_of_bytes_does_harm(stream in vec(any::<u8>(), 0..400)) {
        sweep(&stream);
    }

    #[test]
    fn no_body_does_harm(input in vec(any::<u8>(), 0..300)) {
        sweep_body(&input);
    }

    #[test]
    fn no_damaged_message_does_harm(
        (message, version) in (0..CATALOGUE.len(), 0..Version::all().count()),
        choices in vec(any::<u8>(), 0..300),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (info, version) = (CATALOGUE[message], Version::all().nth(version).expect("below the count"));
        let mut body = samples::body(info, version, &mut Choices(&choices));
        for (at, byte) in damage.iter().filter(|_| !info.fixed.is_empty()) {
            let at = at.index(body.len());
            body[at] = *byte;
        }
        let body_bytes = body.len() as u32;
        sweep(&[&body_bytes.to_be_bytes()[..], &info.message_type.0.to_be_bytes()[..], &body[..]].concat());
    }
}

pub(crate) fn encode(message: &AnyMessage, version: Version) -> Frame {
    let mut out = BytesMut::new();
    message.encode(version, &mut out).expect("a message that was read can be written");
    let claimed = u32::from_be_bytes(out[..4].try_into().expect("four bytes"));
    let body = out.split_off(HEADER_BYTES).freeze();
    assert_eq!(claimed as usize, body.len(), "MessageLength counts the bytes behind the header");
    Frame { message_type: message.message_type(), body }
}
