//! A message that ends early is refused, at the right field and byte, or is whole without what is missing.

use cti_protocol::ged188::catalogue::CATALOGUE;
use cti_protocol::ged188::{AnyMessage, DecodeError, HEADER_BYTES, Version};

use super::properties::encode;
use super::samples::{self, Choices};

#[test]
fn every_cut_in_a_fixed_part_names_the_field_that_is_cut() {
    for (info, version, frame) in samples::one_of_each() {
        let mut begin = 0;
        for row in info.fixed.iter().filter(|row| row.is_in(version)) {
            let width = row.bytes_max.expect("a number has a width");
            for end in begin..begin + width {
                let mut cut = frame.clone();
                cut.body.truncate(end);
                let refused = AnyMessage::decode(&cut, version).expect_err("the fixed part is not whole");
                assert!(matches!(refused, DecodeError::ShortFixedPart { bytes_due, .. } if bytes_due == width));
                assert_eq!(refused.field(), Some(row.name), "{} of version {version} at {end}", info.name);
                assert_eq!(refused.offset(), HEADER_BYTES + begin, "{} of version {version} at {end}", info.name);
                assert_eq!(refused.message_type(), info.message_type);
            }
            begin += width;
        }
        assert_eq!(begin, frame.body.len(), "the empty sample of {} is its fixed part", info.name);
    }
}

#[test]
fn every_other_cut_is_refused_or_leaves_a_whole_message() {
    let choices: Vec<u8> = (0..4_000u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (number, info) in CATALOGUE.iter().enumerate() {
        for version in Version::all() {
            let whole = samples::frame(info, samples::body(info, version, &mut Choices(&choices[number * 5..])));
            for end in 0..whole.body.len() {
                let mut cut = whole.clone();
                cut.body.truncate(end);
                match AnyMessage::decode(&cut, version) {
                    Ok(message) => assert_eq!(encode(&message, version).body, cut.body),
                    Err(refused) => assert!(refused.offset() <= HEADER_BYTES + end, "{refused}"),
                }
            }
        }
    }
}
