//! Named variables and arrays: call data that an administrator has given names.
//!
//! Lives here: the two types, their parts and limits (GED-188, "Messaging Conventions", data types).
//! Not here: whether a name is configured.

use std::borrow::Cow;
use std::fmt;

use bytes::BufMut;
use nom::{IResult, Parser, bytes::complete::take_till, number::complete::be_u8};
use serde_json::{Value, json};

use super::TextError;
use super::octets::{Octets, Storage};
use super::wire::{Flaw, Read, Wire, WireType};

/// NAMEDVAR: a name of at most 32 bytes and a value of at most 210, each closed by a NUL.
#[derive(Clone, PartialEq, Eq)]
pub struct NamedVariable<S = Octets> {
    wire: S,
}

impl NamedVariable {
    /// A variable with this name and value.
    ///
    /// # Errors
    /// When either is too long or holds a NUL.
    pub fn new(name: &str, value: &str) -> Result<NamedVariable, TextError> {
        Ok(NamedVariable { wire: closed(None, name, value)? })
    }
}

impl<S: Storage> NamedVariable<S> {
    /// The name, with U+FFFD in place of what is not UTF-8.
    pub fn name(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(parts(self.wire.as_ref()).0)
    }

    /// The value, with U+FFFD in place of what is not UTF-8.
    pub fn value(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(parts(self.wire.as_ref()).1)
    }
}

impl<S: Storage> fmt::Debug for NamedVariable<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}={:?}", self.name(), self.value())
    }
}

impl<S: Storage> Wire for NamedVariable<S> {
    const TYPE: WireType = WireType::NamedVar;
    const BYTES_MAX: usize = 251;

    fn bytes(&self) -> usize {
        self.wire.as_ref().len()
    }

    fn put(&self, out: &mut impl BufMut) {
        out.put_slice(self.wire.as_ref());
    }

    fn json(&self) -> Value {
        json!({ "name": self.name(), "value": self.value() })
    }
}

impl<'a, S: Storage + From<&'a [u8]>> Read<'a> for NamedVariable<S> {
    fn read(data: &'a [u8]) -> Result<NamedVariable<S>, Flaw> {
        check(data, Self::BYTES_MAX, data)?;
        Ok(NamedVariable { wire: data.into() })
    }
}

/// NAMEDARRAY: one element of a named array, with its index.
#[derive(Clone, PartialEq, Eq)]
pub struct NamedArray<S = Octets> {
    wire: S,
}

impl NamedArray {
    /// The element at `index` of the array with this name.
    ///
    /// # Errors
    /// When name or value is too long or holds a NUL.
    pub fn new(name: &str, index: u8, value: &str) -> Result<NamedArray, TextError> {
        Ok(NamedArray { wire: closed(Some(index), name, value)? })
    }
}

impl<S: Storage> NamedArray<S> {
    /// Which element.
    pub fn index(&self) -> u8 {
        self.wire.as_ref().first().copied().unwrap_or_default()
    }

    /// The array's name, with U+FFFD in place of what is not UTF-8.
    pub fn name(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(parts(self.pair()).0)
    }

    /// The element's value, with U+FFFD in place of what is not UTF-8.
    pub fn value(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(parts(self.pair()).1)
    }

    fn pair(&self) -> &[u8] {
        self.wire.as_ref().get(1..).unwrap_or_default()
    }
}

impl<S: Storage> fmt::Debug for NamedArray<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}[{}]={:?}", self.name(), self.index(), self.value())
    }
}

impl<S: Storage> Wire for NamedArray<S> {
    const TYPE: WireType = WireType::NamedArray;
    const BYTES_MAX: usize = 252;

    fn bytes(&self) -> usize {
        self.wire.as_ref().len()
    }

    fn put(&self, out: &mut impl BufMut) {
        out.put_slice(self.wire.as_ref());
    }

    fn json(&self) -> Value {
        json!({ "name": self.name(), "index": self.index(), "value": self.value() })
    }
}

impl<'a, S: Storage + From<&'a [u8]>> Read<'a> for NamedArray<S> {
    fn read(data: &'a [u8]) -> Result<NamedArray<S>, Flaw> {
        let indexed: IResult<&[u8], u8, ()> = be_u8(data);
        let (pair, _) = indexed.map_err(|_| Flaw::NameWithoutEnd)?;
        check(data, Self::BYTES_MAX, pair)?;
        Ok(NamedArray { wire: data.into() })
    }
}

/// Whether `data` as a whole and the name and value in `pair` keep their limits. A value may lack its NUL.
fn check(data: &[u8], bytes_max: usize, pair: &[u8]) -> Result<(), Flaw> {
    if data.len() > bytes_max {
        return Err(Flaw::TooLong { bytes_max });
    }
    let (from_nul, name) = until_nul(pair).map_err(|_| Flaw::NameWithoutEnd)?;
    if from_nul.is_empty() {
        return Err(Flaw::NameWithoutEnd);
    }
    let value = &from_nul[1..];
    if name.len() >= NAME_BYTES_MAX || value.len() > VALUE_BYTES_MAX {
        return Err(Flaw::TooLong { bytes_max: NAME_BYTES_MAX + VALUE_BYTES_MAX });
    }
    Ok(())
}

/// Name and value of a pair that was checked; empty where there is none.
fn parts(pair: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = pair.split(|byte| *byte == 0);
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

fn until_nul(input: &[u8]) -> IResult<&[u8], &[u8], ()> {
    take_till(|byte| byte == 0).parse(input)
}

fn closed(index: Option<u8>, name: &str, value: &str) -> Result<Octets, TextError> {
    for (text, bytes_max) in [(name, NAME_BYTES_MAX), (value, VALUE_BYTES_MAX)] {
        if text.len() >= bytes_max {
            return Err(TextError::TooLong { bytes: text.len() + 1, bytes_max });
        }
        if let Some(offset) = text.bytes().position(|byte| byte == 0) {
            return Err(TextError::HoldsNul { offset });
        }
    }
    let mut wire: Vec<u8> = index.into_iter().collect();
    for text in [name, value] {
        wire.extend_from_slice(text.as_bytes());
        wire.push(0);
    }
    Ok(wire.into())
}

/// Bytes of a name, its NUL included.
const NAME_BYTES_MAX: usize = 33;

/// Bytes of a value, its NUL included.
const VALUE_BYTES_MAX: usize = 211;
