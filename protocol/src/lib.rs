//! Wire protocols of computer telephony integration: bytes to messages and back.
//!
//! Lives here: one folder a dialect, each whole in itself: framing for `tokio_util::codec`, messages, descriptions.
//! Not here: sockets, tasks, clocks, session state, and any word of the gateway that uses these messages.
//! Must hold: no input makes anything here panic or hold more memory than a small multiple of the frame it came in.

pub mod ged188;
pub mod opencti;
