//! Text and raw bytes with the field's maximum, and the wrapper that keeps passwords out of sight.
//!
//! Lives here: [`Text`], [`Data`], [`Secret`]: views into the frame they came in, byte for byte.
//! Not here: which field has which maximum.
//! Must hold: a value of a type is never longer than the type says, and never copied to be looked at.

use std::borrow::Cow;
use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::Value;

use super::wire::{Flaw, Wire, WireType};

/// A STRING field of at most `MAX` bytes, the closing NUL counted.
///
/// Holds the bytes as they came, with or without NUL and whatever stands behind it, so that they go out again
/// unchanged; compares, prints and reads as what stands before the first NUL.
#[derive(Clone, Default)]
pub struct Text<const MAX: usize>(Bytes);

impl<const MAX: usize> Text<MAX> {
    /// `content` with a closing NUL, which is how the guide's own servers send it.
    ///
    /// # Errors
    /// When content and NUL together have more than `MAX` bytes, or a NUL stands in the content.
    pub fn new(content: &str) -> Result<Text<MAX>, TextError> {
        if content.len() >= MAX {
            return Err(TextError::TooLong { bytes: content.len() + 1, bytes_max: MAX });
        }
        if let Some(offset) = content.bytes().position(|byte| byte == 0) {
            return Err(TextError::HoldsNul { offset });
        }
        Ok(Text::closed(content))
    }

    /// The bytes of a field as they travel, with or without NUL.
    ///
    /// # Errors
    /// When there are more than `MAX`.
    pub fn from_wire(bytes: Bytes) -> Result<Text<MAX>, TextError> {
        if bytes.len() > MAX { Err(TextError::TooLong { bytes: bytes.len(), bytes_max: MAX }) } else { Ok(Text(bytes)) }
    }

    /// As much of `content` as fits, cut at a character and at the first NUL: for words to people.
    pub fn cut(content: &str) -> Text<MAX> {
        let until_nul = content.split('\0').next().unwrap_or_default();
        let room = until_nul.len().min(MAX.saturating_sub(1));
        let end = (0..=room).rev().find(|end| until_nul.is_char_boundary(*end)).unwrap_or_default();
        Text::closed(&until_nul[..end])
    }

    fn closed(content: &str) -> Text<MAX> {
        let mut bytes = BytesMut::with_capacity(content.len() + 1);
        bytes.extend_from_slice(content.as_bytes());
        bytes.put_u8(0);
        Text(bytes.freeze())
    }

    /// The content: everything before the first NUL.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// The content, with U+FFFD in place of what is not UTF-8.
    pub fn as_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }

    /// The content if it is UTF-8.
    pub fn to_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()).ok()
    }

    /// Whether there is no content. A field of length zero and one of a single NUL both are empty.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// The bytes as they travel.
    pub fn wire_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl<const MAX: usize> PartialEq for Text<MAX> {
    fn eq(&self, other: &Text<MAX>) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const MAX: usize> Eq for Text<MAX> {}

impl<const MAX: usize> PartialEq<str> for Text<MAX> {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const MAX: usize> std::hash::Hash for Text<MAX> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str())
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_str(), f)
    }
}

impl<const MAX: usize> TryFrom<&str> for Text<MAX> {
    type Error = TextError;

    fn try_from(content: &str) -> Result<Text<MAX>, TextError> {
        Text::new(content)
    }
}

impl<const MAX: usize> Wire for Text<MAX> {
    const TYPE: WireType = WireType::String;
    const BYTES_MAX: usize = MAX;

    fn from_field(body: &Bytes, data: &[u8]) -> Result<Text<MAX>, Flaw> {
        if data.len() > MAX { Err(Flaw::TooLong { bytes_max: MAX }) } else { Ok(Text(body.slice_ref(data))) }
    }

    fn bytes(&self) -> usize {
        self.0.len()
    }

    fn put(&self, out: &mut BytesMut) {
        out.extend_from_slice(&self.0);
    }

    fn json(&self) -> Value {
        self.as_str().into()
    }

    fn is_blank(&self) -> bool {
        self.is_empty()
    }
}

/// An UNSPEC field of at most `MAX` bytes: anything at all.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Data<const MAX: usize>(Bytes);

impl<const MAX: usize> Data<MAX> {
    /// These bytes.
    ///
    /// # Errors
    /// When there are more than `MAX`.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Data<MAX>, TextError> {
        let bytes = bytes.into();
        if bytes.len() > MAX {
            return Err(TextError::TooLong { bytes: bytes.len(), bytes_max: MAX });
        }
        Ok(Data(bytes))
    }

    /// All bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<const MAX: usize> fmt::Debug for Data<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const MAX: usize> Wire for Data<MAX> {
    const TYPE: WireType = WireType::Unspec;
    const BYTES_MAX: usize = MAX;

    fn from_field(body: &Bytes, data: &[u8]) -> Result<Data<MAX>, Flaw> {
        if data.len() > MAX { Err(Flaw::TooLong { bytes_max: MAX }) } else { Ok(Data(body.slice_ref(data))) }
    }

    fn bytes(&self) -> usize {
        self.0.len()
    }

    fn put(&self, out: &mut BytesMut) {
        out.extend_from_slice(&self.0);
    }

    fn json(&self) -> Value {
        format!("{:x}", self.0).into()
    }

    fn is_blank(&self) -> bool {
        matches!(self.0.first(), None | Some(0))
    }
}

/// A value that neither `Debug` nor JSON shows: whether it is empty is all that they tell.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides `value`.
    pub fn new(value: T) -> Secret<T> {
        Secret(value)
    }

    /// The value itself, for the one comparison that needs it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Secret<T> {
        Secret(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T: Wire> Wire for Secret<T> {
    const TYPE: WireType = T::TYPE;
    const BYTES_MAX: usize = T::BYTES_MAX;
    const SECRET: bool = true;

    fn from_field(body: &Bytes, data: &[u8]) -> Result<Secret<T>, Flaw> {
        T::from_field(body, data).map(Secret)
    }

    fn bytes(&self) -> usize {
        self.0.bytes()
    }

    fn put(&self, out: &mut BytesMut) {
        self.0.put(out);
    }

    fn json(&self) -> Value {
        if self.0.is_blank() { "".into() } else { MASK.into() }
    }

    fn is_blank(&self) -> bool {
        self.0.is_blank()
    }
}

/// Why something is no text for a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// More bytes than the field has.
    #[error("{bytes} bytes, closing NUL included, where {bytes_max} fit")]
    TooLong {
        /// How many there would be, the closing NUL of a text included.
        bytes: usize,
        /// The field's maximum.
        bytes_max: usize,
    },
    /// A NUL within the text: nobody would read what stands behind it.
    #[error("a NUL stands at byte {offset} of the text")]
    HoldsNul {
        /// Where, in bytes.
        offset: usize,
    },
}

const MASK: &str = "***";
