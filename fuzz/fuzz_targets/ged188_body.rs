//! See `ctigate_fuzz::ged188_body`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ctigate_fuzz::ged188_body(input));
