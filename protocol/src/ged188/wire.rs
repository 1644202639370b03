//! The values of fields: how each type of the guide is read, written and shown.
//!
//! Lives here: the [`Wire`] trait and the numbers. Texts are in `text`, named variables in `named`, codes in `codes`.
//! Not here: where in a message a value stands (`read`, `write`), how often it may (`field`).

use std::fmt;

use bytes::BufMut;
use nom::{IResult, number::complete as parse};
use serde_json::Value;

use super::octets::{Octets, Storage};

/// The data types of the guide ("Messaging Conventions", data types).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum WireType {
    /// 1 byte, unsigned.
    Uchar,
    /// 2 bytes, unsigned.
    Ushort,
    /// 4 bytes, signed.
    Int,
    /// 4 bytes, unsigned.
    Uint,
    /// 2 bytes, 0 or 1.
    Bool,
    /// 4 bytes, seconds since 1970 UTC.
    Time,
    /// Text with a closing NUL.
    String,
    /// Raw bytes.
    Unspec,
    /// Name and value.
    NamedVar,
    /// Index, name and value.
    NamedArray,
    /// No source prints the type.
    Unknown,
}

impl WireType {
    /// The guide's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            WireType::Uchar => "UCHAR",
            WireType::Ushort => "USHORT",
            WireType::Int => "INT",
            WireType::Uint => "UINT",
            WireType::Bool => "BOOL",
            WireType::Time => "TIME",
            WireType::String => "STRING",
            WireType::Unspec => "UNSPEC",
            WireType::NamedVar => "NAMEDVAR",
            WireType::NamedArray => "NAMEDARRAY",
            WireType::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for WireType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The value of one field.
pub(crate) trait Wire: Sized {
    /// The guide's type.
    const TYPE: WireType;
    /// The most bytes that a field of it has.
    const BYTES_MAX: usize;
    /// Whether nobody may see it.
    const SECRET: bool = false;
    /// The names of its codes, if it has any.
    const NAMES: &'static [(&'static str, u32)] = &[];
    /// Whether these are bits, any of which may be set.
    const IS_MASK: bool = false;

    /// How many bytes [`Wire::put`] writes.
    fn bytes(&self) -> usize;

    /// Writes the value, without tag or length.
    fn put(&self, out: &mut impl BufMut);

    /// What [`Wire::put`] writes, where the value is kept as it travels: found once for both, length and data.
    fn as_it_travels(&self) -> Option<&[u8]> {
        None
    }

    /// The value as JSON.
    fn json(&self) -> Value;

    /// Adds the value, or the values if it is several in one field, to a JSON array.
    fn json_into(&self, values: &mut Vec<Value>) {
        values.push(self.json());
    }

    /// Whether there is nothing in it: a secret tells that much.
    fn is_blank(&self) -> bool {
        false
    }
}

/// A value as it comes.
pub(crate) trait Read<'a>: Wire {
    /// The value of a floating field.
    fn read(data: &'a [u8]) -> Result<Self, Flaw>;
}

/// A value of fixed width, which alone can stand in the fixed part.
pub(crate) trait Number: Wire + Copy + Default {
    /// The value at the start of `input`, and what is behind it.
    fn parse(input: &[u8]) -> IResult<&[u8], Self, ()>;

    /// Writes the value at the start of `to`, which has the width of the type.
    fn write(self, to: &mut [u8]);

    /// The value in 32 bits, a negative one as it travels.
    fn number(self) -> u32;
}

impl<'a, T: Number> Read<'a> for T {
    #[inline]
    fn read(data: &'a [u8]) -> Result<T, Flaw> {
        match T::parse(data) {
            Ok(([], value)) => Ok(value),
            _ => Err(Flaw::WrongWidth { bytes_due: T::BYTES_MAX }),
        }
    }
}

/// What is wrong with the data of one floating field; the reader adds which field it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flaw {
    TooLong { bytes_max: usize },
    WrongWidth { bytes_due: usize },
    NameWithoutEnd,
}

/// `$type` is a number that travels as `$raw` does; `$of` and `$to` convert.
macro_rules! number {
    ($type:ty, $kind:ident, $parse:path, $put:ident, |$value:ident| $to:expr, $of:expr) => {
        impl Wire for $type {
            const TYPE: WireType = WireType::$kind;
            const BYTES_MAX: usize = size_of::<$type>();

            fn bytes(&self) -> usize {
                Self::BYTES_MAX
            }

            fn put(&self, out: &mut impl BufMut) {
                let $value = *self;
                out.$put($to);
            }

            fn json(&self) -> Value {
                let $value = *self;
                $to.into()
            }
        }

        impl Number for $type {
            #[inline]
            fn parse(input: &[u8]) -> IResult<&[u8], $type, ()> {
                $parse(input).map(|(rest, value)| (rest, $of(value)))
            }

            #[inline]
            fn write(self, to: &mut [u8]) {
                let $value = self;
                to.copy_from_slice(&$to.to_be_bytes());
            }

            fn number(self) -> u32 {
                let $value = self;
                $to as u32
            }
        }
    };
}

number!(u8, Uchar, parse::be_u8, put_u8, |value| value, u8::from);
number!(u16, Ushort, parse::be_u16, put_u16, |value| value, u16::from);
number!(u32, Uint, parse::be_u32, put_u32, |value| value, u32::from);
number!(i32, Int, parse::be_i32, put_i32, |value| value, i32::from);
number!(Bool, Bool, parse::be_u16, put_u16, |value| value.0, Bool);
number!(Time, Time, parse::be_u32, put_u32, |value| value.0, Time);

/// BOOL: keeps the number that came, though only 0 and 1 are defined.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub struct Bool(pub u16);

impl Bool {
    /// Whether it is not 0.
    pub const fn is_true(self) -> bool {
        self.0 != 0
    }
}

impl From<bool> for Bool {
    fn from(value: bool) -> Bool {
        Bool(value.into())
    }
}

/// TIME: seconds since 1970 UTC.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Time(pub u32);

/// Several USHORTs in one field, as FltEnabledServices has them; the field's maximum is that of one.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Ushorts<S = Octets>(S);

impl Ushorts {
    /// These numbers, in this order.
    pub fn new(values: &[u16]) -> Ushorts {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        Ushorts(bytes.into())
    }
}

impl<S: Storage> Ushorts<S> {
    /// The numbers.
    pub fn values(&self) -> impl Iterator<Item = u16> {
        self.0.as_ref().chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
    }
}

impl<S: Storage> fmt::Debug for Ushorts<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values()).finish()
    }
}

impl<S: Storage> Wire for Ushorts<S> {
    const TYPE: WireType = WireType::Ushort;
    const BYTES_MAX: usize = 2;

    fn bytes(&self) -> usize {
        self.0.as_ref().len()
    }

    fn put(&self, out: &mut impl BufMut) {
        out.put_slice(self.0.as_ref());
    }

    fn json(&self) -> Value {
        self.values().collect()
    }

    fn json_into(&self, values: &mut Vec<Value>) {
        values.extend(self.values().map(Value::from));
    }
}

impl<'a, S: Storage + From<&'a [u8]>> Read<'a> for Ushorts<S> {
    fn read(data: &'a [u8]) -> Result<Ushorts<S>, Flaw> {
        if !data.len().is_multiple_of(2) {
            return Err(Flaw::WrongWidth { bytes_due: data.len() + 1 });
        }
        Ok(Ushorts(data.into()))
    }
}
