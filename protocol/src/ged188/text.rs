//! Text and raw bytes with the field's maximum, and the wrapper that keeps passwords out of sight.
//!
//! Lives here: [`Text`], [`Data`], [`Secret`]: byte for byte as they came, and where they came while they are only looked at.
//! Not here: which field has which maximum.
//! Must hold: a value of a type is never longer than the type says, and never copied to be looked at.

use std::borrow::Cow;
use std::fmt;

use bytes::BufMut;
use serde_json::Value;

use super::octets::{Octets, Storage};
use super::wire::{Flaw, Read, Wire, WireType};

/// A STRING field of at most `MAX` bytes, the closing NUL counted.
///
/// Holds the bytes as they came, with or without NUL and whatever stands behind it, so that they go out again
/// unchanged; compares, prints and reads as what stands before the first NUL.
#[derive(Clone, Default)]
pub struct Text<const MAX: usize, S = Octets>(S);

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
    pub fn from_wire(bytes: &[u8]) -> Result<Text<MAX>, TextError> {
        match bytes.len() {
            fits if fits <= MAX => Ok(Text(bytes.into())),
            bytes => Err(TextError::TooLong { bytes, bytes_max: MAX }),
        }
    }

    /// As much of `content` as fits, cut at a character and at the first NUL: for words to people.
    pub fn cut(content: &str) -> Text<MAX> {
        let until_nul = content.split('\0').next().unwrap_or_default();
        let room = until_nul.len().min(MAX.saturating_sub(1));
        let end = (0..=room).rev().find(|end| until_nul.is_char_boundary(*end)).unwrap_or_default();
        Text::closed(&until_nul[..end])
    }

    fn closed(content: &str) -> Text<MAX> {
        Text(Octets::of(content.as_bytes(), &[0]))
    }
}

impl<const MAX: usize, S: Storage> Text<MAX, S> {
    /// The content: everything before the first NUL.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_ref().split(|byte| *byte == 0).next().unwrap_or_default()
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
        self.0.as_ref().first().is_none_or(|byte| *byte == 0)
    }

    /// The bytes as they travel.
    pub fn wire_bytes(&self) -> &[u8] {
        self.0.as_ref()
    }
}

impl<const MAX: usize, S: Storage> PartialEq for Text<MAX, S> {
    fn eq(&self, other: &Text<MAX, S>) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const MAX: usize, S: Storage> Eq for Text<MAX, S> {}

impl<const MAX: usize, S: Storage> PartialEq<str> for Text<MAX, S> {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const MAX: usize, S: Storage> std::hash::Hash for Text<MAX, S> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl<const MAX: usize, S: Storage> fmt::Display for Text<MAX, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str())
    }
}

impl<const MAX: usize, S: Storage> fmt::Debug for Text<MAX, S> {
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

impl<const MAX: usize, S: Storage> Wire for Text<MAX, S> {
    const TYPE: WireType = WireType::String;
    const BYTES_MAX: usize = MAX;

    fn bytes(&self) -> usize {
        self.0.as_ref().len()
    }

    fn put(&self, out: &mut impl BufMut) {
        out.put_slice(self.0.as_ref());
    }

    #[inline]
    fn as_it_travels(&self) -> Option<&[u8]> {
        Some(self.0.as_ref())
    }

    fn json(&self) -> Value {
        self.as_str().into()
    }

    fn is_blank(&self) -> bool {
        self.is_empty()
    }
}

impl<'a, const MAX: usize, S: Storage + From<&'a [u8]>> Read<'a> for Text<MAX, S> {
    #[inline]
    fn read(data: &'a [u8]) -> Result<Text<MAX, S>, Flaw> {
        if data.len() > MAX { Err(Flaw::TooLong { bytes_max: MAX }) } else { Ok(Text(data.into())) }
    }
}

/// An UNSPEC field of at most `MAX` bytes: anything at all.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Data<const MAX: usize, S = Octets>(S);

impl<const MAX: usize> Data<MAX> {
    /// These bytes.
    ///
    /// # Errors
    /// When there are more than `MAX`.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Data<MAX>, TextError> {
        let bytes = bytes.as_ref();
        match bytes.len() {
            fits if fits <= MAX => Ok(Data(bytes.into())),
            bytes => Err(TextError::TooLong { bytes, bytes_max: MAX }),
        }
    }
}

impl<const MAX: usize, S: Storage> Data<MAX, S> {
    /// All bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_ref()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_empty()
    }
}

impl<const MAX: usize, S: Storage> fmt::Debug for Data<MAX, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.as_ref().escape_ascii())
    }
}

impl<const MAX: usize, S: Storage> Wire for Data<MAX, S> {
    const TYPE: WireType = WireType::Unspec;
    const BYTES_MAX: usize = MAX;

    fn bytes(&self) -> usize {
        self.0.as_ref().len()
    }

    fn put(&self, out: &mut impl BufMut) {
        out.put_slice(self.0.as_ref());
    }

    #[inline]
    fn as_it_travels(&self) -> Option<&[u8]> {
        Some(self.0.as_ref())
    }

    fn json(&self) -> Value {
        self.0.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
    }

    fn is_blank(&self) -> bool {
        matches!(self.0.as_ref().first(), None | Some(0))
    }
}

impl<'a, const MAX: usize, S: Storage + From<&'a [u8]>> Read<'a> for Data<MAX, S> {
    #[inline]
    fn read(data: &'a [u8]) -> Result<Data<MAX, S>, Flaw> {
        if data.len() > MAX { Err(Flaw::TooLong { bytes_max: MAX }) } else { Ok(Data(data.into())) }
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

    fn bytes(&self) -> usize {
        self.0.bytes()
    }

    fn put(&self, out: &mut impl BufMut) {
        self.0.put(out);
    }

    #[inline]
    fn as_it_travels(&self) -> Option<&[u8]> {
        self.0.as_it_travels()
    }

    fn json(&self) -> Value {
        if self.0.is_blank() { "".into() } else { MASK.into() }
    }

    fn is_blank(&self) -> bool {
        self.0.is_blank()
    }
}

impl<'a, T: Read<'a>> Read<'a> for Secret<T> {
    #[inline]
    fn read(data: &'a [u8]) -> Result<Secret<T>, Flaw> {
        T::read(data).map(Secret)
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
