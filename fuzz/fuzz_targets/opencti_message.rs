//! One OpenCTI message, read, written and read again.
#![no_main]

use cti_protocol::opencti::Request;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(request) = Request::read(text) else { return };
    let written = serde_json::to_string(&request).expect("plain structs and texts");
    assert_eq!(Request::read(&written), Ok(request));
});
