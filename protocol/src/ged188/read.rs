//! Reading a body: the walk over the fixed part, then over the floating fields.
//!
//! Lives here: cursors, offsets and the making of errors. The tables of `messages` call these functions row by row.
//! Not here: what a field's data means (`wire`), where it is kept (`field`).

use nom::{IResult, Parser, bytes::complete::take, number::complete as parse};

use super::catalogue::{FieldInfo, newest};
use super::error::{DecodeError, Excerpt};
use super::field::Take;
use super::frame::HEADER_BYTES;
use super::octets::Storage;
use super::rest::{Rest, UnknownField};
use super::wire::{Flaw, Number};
use super::{MessageType, Tag, Version};

/// A walk over one body.
pub(crate) struct Reader<'a> {
    message: MessageType,
    version: Version,
    body: &'a [u8],
    left: &'a [u8],
    /// Where the floating part began, for the rare second walk.
    floating: &'a [u8],
    last_row: usize,
    out_of_order: bool,
    unknown: Vec<UnknownField<&'a [u8]>>,
    /// What stood between the fixed part and the floating one.
    more: &'a [u8],
}

/// A floating field as it stands in the body.
pub(crate) struct RawField<'a> {
    pub(crate) tag: Tag,
    data: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(message: MessageType, version: Version, body: &'a [u8]) -> Reader<'a> {
        let (left, floating, more) = (body, body, &body[..0]);
        Reader { message, version, body, left, floating, last_row: 0, out_of_order: false, unknown: Vec::new(), more }
    }

    /// The next field of the fixed part; the default where the version does not have it.
    #[inline]
    pub(crate) fn fixed<T: Number>(&mut self, name: &'static str, since: u8) -> Result<T, DecodeError> {
        if !self.version.has(since) {
            return Ok(T::default());
        }
        match T::parse(self.left) {
            Ok((left, value)) => {
                (self.left, self.floating) = (left, left);
                Ok(value)
            }
            Err(_) => Err(self.short(name, T::BYTES_MAX)),
        }
    }

    /// Passes over bytes behind the fixed part that the table does not have, if the floating part reads only without them:
    /// whole, and with every field that is required.
    pub(crate) fn skip_more(&mut self, bytes: usize, since: u8, rows: &[FieldInfo]) {
        if !self.version.has(since) || self.reads(self.left, rows) {
            return;
        }
        if let Some((more, left)) = self.left.split_at_checked(bytes)
            && self.reads(left, rows)
        {
            (self.more, self.left, self.floating) = (more, left, left);
        }
    }

    fn reads(&self, mut left: &[u8], rows: &[FieldInfo]) -> bool {
        let mut tags = Vec::new();
        while !left.is_empty() {
            let Ok((behind, (tag, _))) = field(self.version, left) else { return false };
            tags.push(tag);
            left = behind;
        }
        let is_due = |row: &&FieldInfo| row.required && row.is_in(self.version);
        rows.iter().filter(is_due).all(|row| row.tag.is_none_or(|tag| tags.contains(&tag)))
    }

    /// The next floating field; none at the end of the message.
    #[inline]
    pub(crate) fn next_field(&mut self) -> Result<Option<RawField<'a>>, DecodeError> {
        if self.left.is_empty() {
            return Ok(None);
        }
        let offset = self.offset();
        match field(self.version, self.left) {
            Ok((left, (tag, data))) => {
                self.left = left;
                Ok(Some(RawField { tag, data, offset }))
            }
            Err(_) => Err(self.broken()),
        }
    }

    /// Gives `field` to the place that its tag names: row number `row`, described by `info`.
    pub(crate) fn take<F: Take<'a>>(
        &mut self,
        place: &mut F,
        row: usize,
        info: &'static FieldInfo,
        field: RawField<'a>,
    ) -> Result<(), DecodeError> {
        if !info.is_in(self.version) {
            self.keep(field);
            return Ok(());
        }
        match place.take(field.data) {
            Ok(true) => self.came(row),
            Ok(false) => self.keep(field),
            Err(flaw) => return Err(self.flawed(info, &field, flaw)),
        }
        Ok(())
    }

    /// Gives `field` to the place if its tag is one of the place's set; whether it was.
    pub(crate) fn take_member<F: Take<'a>>(
        &mut self,
        place: &mut F,
        row: usize,
        field: &RawField<'a>,
    ) -> Result<bool, DecodeError> {
        let is_here = |info: &&FieldInfo| info.tag == Some(field.tag) && info.is_in(self.version);
        let Some(info) = F::MEMBERS.iter().find(is_here) else { return Ok(false) };
        place.take_member(field.tag, field.data).map_err(|flaw| self.flawed(info, field, flaw))?;
        self.came(row);
        Ok(true)
    }

    /// Keeps a field that has no place.
    #[cold]
    pub(crate) fn keep(&mut self, field: RawField<'a>) {
        self.unknown.push(UnknownField { tag: field.tag, data: field.data });
    }

    /// What the table did not say of this message, once every field was read.
    #[inline]
    pub(crate) fn rest<S: Storage + From<&'a [u8]>>(self) -> Rest<S> {
        let is_ordinary = !self.out_of_order && self.unknown.is_empty() && self.more.is_empty();
        if is_ordinary { Rest::default() } else { self.strange_rest() }
    }

    /// Notes that a field of a row came, and so whether the order is the table's, with unknown fields last.
    #[inline]
    fn came(&mut self, row: usize) {
        self.out_of_order |= row < self.last_row || !self.unknown.is_empty();
        self.last_row = row;
    }

    #[cold]
    fn strange_rest<S: Storage + From<&'a [u8]>>(self) -> Rest<S> {
        let mut order = Vec::new();
        let mut left = self.floating;
        while self.out_of_order && !left.is_empty() {
            // The first walk found every field whole.
            let Ok((behind, (tag, _))) = field(self.version, left) else { break };
            order.push(tag);
            left = behind;
        }
        let unknown = self.unknown.into_iter().map(|field| UnknownField { tag: field.tag, data: field.data.into() });
        Rest::strange(unknown.collect(), order, self.more.into())
    }

    /// Where the walk stands, from the start of the frame.
    fn offset(&self) -> usize {
        HEADER_BYTES + self.body.len() - self.left.len()
    }

    #[cold]
    fn short(&self, field: &'static str, bytes_due: usize) -> DecodeError {
        let (message, offset, there) = (self.message, self.offset(), Excerpt::of(self.left));
        DecodeError::ShortFixedPart { message, field, offset, bytes_due, there }
    }

    #[cold]
    fn broken(&self) -> DecodeError {
        let (message, offset) = (self.message, self.offset());
        let (tag, length) = match tag(self.version, self.left) {
            Ok((left, tag)) => (Some(tag), length(self.version, left).ok().map(|(_, length)| length)),
            Err(_) => (None, None),
        };
        // It may be a password that is cut off.
        let there = Excerpt::hidden(self.left);
        DecodeError::BrokenLength { message, offset, tag, length, there }
    }

    #[cold]
    fn flawed(&self, info: &'static FieldInfo, field: &RawField<'_>, flaw: Flaw) -> DecodeError {
        let (message, offset, bytes) = (self.message, field.offset, field.data.len());
        let there = if info.secret { Excerpt::hidden(field.data) } else { Excerpt::of(field.data) };
        let field = info.name;
        match flaw {
            Flaw::TooLong { bytes_max } => {
                DecodeError::FieldTooLong { message, field, offset, bytes, bytes_max, there }
            }
            Flaw::WrongWidth { bytes_due } => {
                DecodeError::WrongWidth { message, field, offset, bytes, bytes_due, there }
            }
            Flaw::NameWithoutEnd => DecodeError::NameWithoutEnd { message, field, offset, there },
        }
    }
}

/// The usual body, read in one go: of a version with wide tags and lengths that has the whole fixed part, no field more often than
/// its row allows, in the table's order, and nothing that the table does not have. Whatever is otherwise is [`Reader`]'s.
pub(crate) struct PlainReader<'a, const FIXED_BYTES: usize> {
    version: Version,
    fixed: &'a [u8; FIXED_BYTES],
    taken: usize,
    left: &'a [u8],
    last_row: usize,
}

impl<'a, const FIXED_BYTES: usize> PlainReader<'a, FIXED_BYTES> {
    /// None where it is known already that the body is otherwise. `since` is when the fixed part was whole.
    #[inline(always)]
    pub(crate) fn new(version: Version, body: &'a [u8], since: u8) -> Option<PlainReader<'a, FIXED_BYTES>> {
        let is_plain = version.tag_bytes() == 2 && version.length_bytes() == 2 && version.has(since);
        let (fixed, left) = body.split_first_chunk().filter(|_| is_plain)?;
        Some(PlainReader { version, fixed, taken: 0, left, last_row: 0 })
    }

    /// The next field of the fixed part.
    #[inline(always)] // so that where it lies is a constant
    pub(crate) fn fixed<T: Number>(&mut self) -> T {
        let value = T::parse(&self.fixed[self.taken..]).map(|(_, value)| value);
        self.taken += T::BYTES_MAX;
        value.unwrap_or_default() // it is there: the fixed part is as long as its fields together
    }

    /// The next floating field; none at the end of those that are whole.
    #[inline(always)]
    pub(crate) fn next_field(&mut self) -> Option<(Tag, &'a [u8])> {
        let ([tag @ .., length_high, length_low], behind) = self.left.split_first_chunk::<4>()?;
        let (data, left) = behind.split_at_checked(u16::from_be_bytes([*length_high, *length_low]).into())?;
        self.left = left;
        Some((Tag(u16::from_be_bytes(*tag)), data))
    }

    /// Gives data to the place of that row; whether that is what is due there.
    #[inline(always)]
    pub(crate) fn take<F: Take<'a>>(&mut self, place: &mut F, row: usize, since: u8, data: &'a [u8]) -> bool {
        let is_next = row >= self.last_row && self.version.has(since);
        self.last_row = row;
        is_next && place.take(data) == Ok(true)
    }

    /// Gives data to the place if the tag is one of the place's set; whether it was, and due there.
    #[inline(always)]
    pub(crate) fn take_member<F: Take<'a>>(&mut self, place: &mut F, row: usize, tag: Tag, data: &'a [u8]) -> bool {
        let is_next = row >= self.last_row && self.version.has(const { newest(F::MEMBERS) });
        let is_taken = is_next && place.take_member(tag, data) == Ok(true);
        self.last_row = if is_taken { row } else { self.last_row };
        is_taken
    }

    /// Whether that was all.
    #[inline(always)]
    pub(crate) fn is_done(&self) -> bool {
        self.left.is_empty()
    }
}

/// A whole floating field: tag, length, data.
#[inline]
fn field(version: Version, input: &[u8]) -> IResult<&[u8], (Tag, &[u8]), ()> {
    let (input, tag) = tag(version, input)?;
    let (input, length) = length(version, input)?;
    let (input, data) = take(length).parse(input)?;
    Ok((input, (tag, data)))
}

#[inline]
fn tag(version: Version, input: &[u8]) -> IResult<&[u8], Tag, ()> {
    let (input, tag) = if version.tag_bytes() == 1 { byte(input) } else { parse::be_u16(input) }?;
    Ok((input, Tag(tag)))
}

#[inline]
fn length(version: Version, input: &[u8]) -> IResult<&[u8], usize, ()> {
    let (input, length) = if version.length_bytes() == 1 { byte(input) } else { parse::be_u16(input) }?;
    Ok((input, length.into()))
}

#[inline]
fn byte(input: &[u8]) -> IResult<&[u8], u16, ()> {
    let (input, byte) = parse::be_u8(input)?;
    Ok((input, byte.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_is_for_wide_versions_that_have_the_whole_fixed_part() {
        let is_short = |version, since| PlainReader::<4>::new(version, &[0; 9], since).is_some();
        for version in Version::all() {
            let is_wide = (version.tag_bytes(), version.length_bytes()) == (2, 2);
            assert_eq!(is_short(version, 0), is_wide, "{version}");
            assert_eq!(is_short(version, 22), is_wide && version.number() >= 22, "{version}");
        }
        assert!(PlainReader::<4>::new(Version::LATEST, &[0; 3], 0).is_none(), "the fixed part is cut off");
    }
}
