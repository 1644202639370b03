//! The Asterisk Manager Interface as bytes: messages in, actions out.
//!
//! Lives here: framing, the bounds of both directions, what may be put into an action. Not here: sockets, and what any
//! message means for an agent (`world`). Must hold: whatever comes in, memory is bounded and nothing panics; what goes out
//! is one action, exactly the one that was meant.

mod action;
mod codec;
mod escapes;
mod message;
#[cfg(test)]
mod tests;

pub use action::{Action, ActionError, MemberText, UnsendableText, challenge_key};
pub use codec::{AmiCodec, AmiFrame, MESSAGE_BYTES_MAX};
pub use escapes::{escape_argument, unescape_value};
pub use message::{Kind, Message};
