//! See `ctigate_fuzz::ged188_session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ctigate_fuzz::ged188_session(input));
