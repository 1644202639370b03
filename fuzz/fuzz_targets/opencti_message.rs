//! See `ctigate_fuzz::opencti_message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ctigate_fuzz::opencti_message(input));
