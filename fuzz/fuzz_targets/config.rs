//! See `ctigate_fuzz::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ctigate_fuzz::config(input));
