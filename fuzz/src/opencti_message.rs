//! One OpenCTI message, read, written and read again.

use cti_protocol::opencti::Request;

/// Reads a message; one that can be read is written and read the same again.
pub fn opencti_message(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(request) = Request::read(text) else { return };
    let written = serde_json::to_string(&request).expect("plain structs and texts");
    assert_eq!(Request::read(&written), Ok(request));
}
