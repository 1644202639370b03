//! See `ctigate_fuzz::opencti_session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ctigate_fuzz::opencti_session(input));
