//! What a socket brings: frames, messages, the same bytes again.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cti_protocol::ged188::sweep(input));
