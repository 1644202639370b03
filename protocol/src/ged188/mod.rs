//! GED-188, the protocol of the Cisco CTI Server, versions 9 to 24, and its UCCX flavour, versions 10 to 18.
//!
//! The rooms, from the bytes inwards: [`FrameCodec`] cuts the stream into [`Frame`]s; [`AnyMessage::view`] reads a
//! frame where it lies, [`AnyMessage::decode`] for longer than that, as one of the structs of [`messages`]; each struct is declared once, as a table, in `messages/*.rs`, and
//! [`catalogue`] is what those tables leave behind to be read at run time. [`codes`] holds the numbers with names.
//!
//! Not here: what a message means to a session, which status answers which mistake, how long anybody waits.
//! Must hold: what decodes encodes to the same bytes again, strangers included; a password never prints.

pub mod catalogue;
pub mod codes;
pub mod messages;

mod any;
mod error;
mod field;
mod frame;
mod message_type;
mod named;
mod octets;
mod read;
mod rest;
mod set;
mod sweep;
mod table;
mod tag;
mod text;
mod version;
mod wire;
mod write;

pub use any::{AnyMessage, Decode, Message, Stranger, peek_invoke_id, peek_version_number};
pub use error::{DecodeError, EncodeError, Excerpt};
pub use frame::{FRAME_BYTES_MAX, Frame, FrameCodec, FrameError, HEADER_BYTES};
pub use message_type::MessageType;
pub use messages::*;
pub use named::{NamedArray, NamedVariable};
pub use octets::{Octets, Storage};
pub use rest::{Rest, UnknownField};
pub use sweep::{sweep, sweep_body};
pub use tag::Tag;
pub use text::{Data, Secret, Text, TextError};
pub use version::{Flavour, Version};
pub use wire::{Bool, Time, Ushorts};
