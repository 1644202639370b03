//! See `ctigate_fuzz::asterisk_session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ctigate_fuzz::asterisk_session(input));
