//! The fuzz targets as plain functions: one an untrusted entry. What a target finds is a test that calls its function.
//!
//! Lives here: what is done with arbitrary bytes, and what must hold then. Not here: libFuzzer (`fuzz_targets/`, one line a
//! target), the inputs that are kept (`corpus/`; `tests/fuzz.rs` of the gateway plays them through these functions).
//! Must hold: public functions only, those that a socket's bytes go through.

mod ami_stream;
mod asterisk_session;
mod capture;
mod config;
mod conversation;
mod ged188_session;
mod opencti_message;
mod opencti_session;
mod steps;

pub use ami_stream::ami_stream;
pub use asterisk_session::asterisk_session;
pub use capture::capture;
pub use config::config;
pub use cti_protocol::ged188::{sweep as ged188_stream, sweep_body as ged188_body};
pub use ged188_session::ged188_session;
pub use opencti_message::opencti_message;
pub use opencti_session::opencti_session;

/// A target's name, which is that of its corpus, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("ami_stream", ami_stream),
    ("asterisk_session", asterisk_session),
    ("capture", capture),
    ("config", config),
    ("ged188_body", ged188_body),
    ("ged188_session", ged188_session),
    ("ged188_stream", ged188_stream),
    ("opencti_message", opencti_message),
    ("opencti_session", opencti_session),
];
