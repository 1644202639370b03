//! See `ctigate_fuzz::capture`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ctigate_fuzz::capture(input));
