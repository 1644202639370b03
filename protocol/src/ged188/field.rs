//! Places in the floating part: a field once, a field many times, a set of fields many times.
//!
//! Lives here: how a place takes a field that came, and how it is written and shown. A message struct has one place
//! a row: `Option<T>` for once, `Vec<T>` for many, `Vec<Set>` for sets (declared with `set!`).
//! Not here: the walk over the bytes (`read`), tags and lengths (`write`).

use serde_json::{Map, Value};

use super::catalogue::FieldInfo;
use super::wire::{Flaw, Read, Wire};
use super::write::Writer;
use super::{Tag, Version};

/// A place in the floating part.
pub(crate) trait Floating: Default {
    /// What one field holds.
    type Value: Wire;
    /// Whether fields may follow the first.
    const REPEATED: bool;
    /// The table of a set; empty for a row of its own.
    const MEMBERS: &'static [FieldInfo] = &[];

    /// Writes every field of the place, in order. `rows` is the row's description, or those of the set's members.
    fn put(&self, rows: &'static [FieldInfo], writer: &mut Writer<'_>);

    /// Adds what is there to `fields`, by the guide's names.
    fn json(&self, rows: &'static [FieldInfo], version: Version, fields: &mut Map<String, Value>);

    /// Whether there is anything.
    fn is_present(&self) -> bool;
}

/// A place that takes what comes.
pub(crate) trait Take<'a>: Floating {
    /// Takes a field of the row's tag; false if there is no room for one more.
    fn take(&mut self, data: &'a [u8]) -> Result<bool, Flaw>;

    /// Takes a field of one of [`Floating::MEMBERS`]; false if its tag is none of theirs.
    fn take_member(&mut self, _tag: Tag, _data: &'a [u8]) -> Result<bool, Flaw> {
        Ok(false)
    }
}

impl<T: Wire> Floating for Option<T> {
    type Value = T;
    const REPEATED: bool = false;

    #[inline]
    fn put(&self, rows: &'static [FieldInfo], writer: &mut Writer<'_>) {
        if let (Some(value), Some(row)) = (self, rows.first()) {
            writer.floating(row, value);
        }
    }

    fn json(&self, rows: &'static [FieldInfo], version: Version, fields: &mut Map<String, Value>) {
        if let (Some(value), Some(row)) = (self, rows.first().filter(|row| row.is_in(version))) {
            fields.insert(row.name.to_owned(), value.json());
        }
    }

    fn is_present(&self) -> bool {
        self.is_some()
    }
}

impl<'a, T: Read<'a>> Take<'a> for Option<T> {
    #[inline]
    fn take(&mut self, data: &'a [u8]) -> Result<bool, Flaw> {
        if self.is_some() {
            return Ok(false);
        }
        *self = Some(T::read(data)?);
        Ok(true)
    }
}

impl<T: Element> Floating for Vec<T> {
    type Value = T::Value;
    const REPEATED: bool = true;
    const MEMBERS: &'static [FieldInfo] = T::MEMBERS;

    #[inline]
    fn put(&self, rows: &'static [FieldInfo], writer: &mut Writer<'_>) {
        self.iter().for_each(|element| element.put(rows, writer));
    }

    fn json(&self, rows: &'static [FieldInfo], version: Version, fields: &mut Map<String, Value>) {
        for row in rows.iter().filter(|row| row.is_in(version)) {
            let mut values = Vec::new();
            self.iter().for_each(|element| element.json_into(row, &mut values));
            if !values.is_empty() {
                fields.insert(row.name.to_owned(), values.into());
            }
        }
    }

    fn is_present(&self) -> bool {
        !self.is_empty()
    }
}

impl<'a, T: TakeElement<'a>> Take<'a> for Vec<T> {
    fn take(&mut self, data: &'a [u8]) -> Result<bool, Flaw> {
        T::take(self, data)?;
        Ok(true)
    }

    fn take_member(&mut self, tag: Tag, data: &'a [u8]) -> Result<bool, Flaw> {
        T::take_member(self, tag, data)
    }
}

/// What a `Vec` in the floating part holds: values, or sets of values.
pub(crate) trait Element: Sized {
    /// What one field holds; of no matter for a set.
    type Value: Wire;
    /// The table of a set.
    const MEMBERS: &'static [FieldInfo];

    fn put(&self, rows: &'static [FieldInfo], writer: &mut Writer<'_>);

    /// Adds what it has for `row` to a JSON array.
    fn json_into(&self, row: &FieldInfo, values: &mut Vec<Value>);
}

impl<T: Wire> Element for T {
    type Value = T;
    const MEMBERS: &'static [FieldInfo] = &[];

    #[inline]
    fn put(&self, rows: &'static [FieldInfo], writer: &mut Writer<'_>) {
        if let Some(row) = rows.first() {
            writer.floating(row, self);
        }
    }

    fn json_into(&self, _: &FieldInfo, values: &mut Vec<Value>) {
        Wire::json_into(self, values);
    }
}

/// An element that comes: as a field of its own, or as one of a set's.
pub(crate) trait TakeElement<'a>: Element {
    fn take(list: &mut Vec<Self>, data: &'a [u8]) -> Result<(), Flaw>;

    /// False if the tag is none of the set's.
    fn take_member(list: &mut Vec<Self>, tag: Tag, data: &'a [u8]) -> Result<bool, Flaw>;
}

impl<'a, T: Read<'a>> TakeElement<'a> for T {
    fn take(list: &mut Vec<T>, data: &'a [u8]) -> Result<(), Flaw> {
        list.push(T::read(data)?);
        Ok(())
    }

    fn take_member(_: &mut Vec<T>, _: Tag, _: &'a [u8]) -> Result<bool, Flaw> {
        Ok(false)
    }
}
