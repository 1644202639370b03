//! One entry for whoever brings arbitrary bytes: tests and fuzz targets walk the way that a connection walks.

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::catalogue::CATALOGUE;
use super::{AnyMessage, FRAME_BYTES_MAX, Frame, FrameCodec, HEADER_BYTES, Version};

/// Cuts `input` into frames under the default bound and takes each through every version.
///
/// # Panics
/// When a promise of this crate does not hold: that is what it is for.
pub fn sweep(input: &[u8]) {
    let mut codec = FrameCodec::default();
    let mut stream = BytesMut::from(input);
    while let Ok(Some(frame)) = codec.decode(&mut stream) {
        let mut again = BytesMut::new();
        codec.encode(frame.clone(), &mut again).expect("a frame that was read can be written");
        assert_eq!(codec.decode(&mut again).expect("a frame that was written can be read").as_ref(), Some(&frame));
        sweep_versions(&frame);
    }
}

/// Takes the rest of `input` for the body of the declared message that its first byte chooses, so that no byte is
/// spent on headers, and reads, writes and reads it again in every version.
///
/// # Panics
/// When a promise of this crate does not hold.
pub fn sweep_body(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else { return };
    let message_type = CATALOGUE[usize::from(*choice) % CATALOGUE.len()].message_type;
    if body.len() <= FRAME_BYTES_MAX - HEADER_BYTES {
        sweep_versions(&Frame { message_type, body: Bytes::copy_from_slice(body) });
    }
}

/// Reads `frame` in every version; what can be read must go out as the bytes that came, and be read the same again.
fn sweep_versions(frame: &Frame) {
    for version in Version::all() {
        let decoded = AnyMessage::decode(frame, version);
        assert_eq!(decoded, AnyMessage::read_any(frame, version), "either way of reading gives the same");
        let Ok(message) = decoded else { continue };
        let view = AnyMessage::view(frame, version).expect("what can be kept can be looked at");
        assert_eq!(format!("{view:?}"), format!("{message:?}"));
        let (mut out, mut of_view) = (BytesMut::new(), BytesMut::new());
        view.encode(version, &mut of_view).expect("a message that was read can be written");
        message.encode(version, &mut out).expect("a message that was read can be written");
        assert_eq!(of_view, out, "{message:?} of version {version}");
        let body = out.split_off(HEADER_BYTES).freeze();
        assert_eq!(body, frame.body, "{message:?} of version {version} goes out as it came");
        let again = Frame { message_type: frame.message_type, body: Bytes::copy_from_slice(&body) };
        assert_eq!(AnyMessage::decode(&again, version).as_ref(), Ok(&message));
        // Shown for every message that comes in: it must not fail for any of them.
        let _ = (format!("{message:?}"), message.to_json(version).to_string());
    }
}
