//! See `ctigate_fuzz::ami_stream`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ctigate_fuzz::ami_stream(input));
