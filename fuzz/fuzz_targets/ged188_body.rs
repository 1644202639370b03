//! The body of one message, decoded, encoded and decoded again: no byte is spent on finding a header.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cti_protocol::ged188::sweep_body(input));
