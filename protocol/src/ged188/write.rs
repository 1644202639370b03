//! Writing a frame: header, fixed part, floating fields, and the length once it is known.
//!
//! Lives here: one pass into the caller's buffer, which is as it was if anything does not fit.
//! Not here: which fields there are; the tables of `messages` call these functions row by row.

use std::ops::Range;

use bytes::{BufMut, BytesMut};

use super::catalogue::FieldInfo;
use super::error::EncodeError;
use super::frame::{FRAME_BYTES_MAX, HEADER_BYTES};
use super::octets::{Octets, Storage, copy};
use super::rest::{Rest, reorder};
use super::wire::{Number, Wire};
use super::{MessageType, Tag, Version};

/// One frame on its way out. The first error sticks and comes out of [`Writer::finish`].
///
/// Fields are gathered in `here` and leave in one piece: most frames fit. Whatever does not fit, or needs care, is written
/// behind what was gathered so far.
pub(crate) struct Writer<'a> {
    message: MessageType,
    version: Version,
    out: &'a mut BytesMut,
    start: usize,
    here: [u8; HERE_BYTES],
    len: usize,
    head: Head,
    error: Option<EncodeError>,
    /// Where each floating field lies, noted only if the message came in an order of its own.
    order: Option<Order>,
}

/// Header and fixed part on their way out, gathered first so that they leave in one piece. They have at most `BYTES_MAX` bytes.
pub(crate) struct FixedPart<const BYTES_MAX: usize> {
    version: Version,
    bytes: [u8; BYTES_MAX],
    len: usize,
}

impl<const BYTES_MAX: usize> FixedPart<BYTES_MAX> {
    #[inline]
    pub(crate) fn new(message: MessageType, version: Version) -> FixedPart<BYTES_MAX> {
        let mut fixed = FixedPart { version, bytes: [0; BYTES_MAX], len: 0 };
        fixed.put(0_u32, 0); // the length, once it is known
        fixed.put(message.0, 0);
        fixed
    }

    /// The next field, unless the version does not have it.
    #[inline]
    pub(crate) fn put<T: Number>(&mut self, value: T, since: u8) {
        if self.version.has(since) {
            value.write(&mut self.bytes[self.len..self.len + T::BYTES_MAX]);
            self.len += T::BYTES_MAX;
        }
    }
}

/// How the tag and length of the next field can be written.
#[derive(Clone, Copy)]
enum Head {
    /// Two bytes each, with nothing to mind but the bounds.
    Wide,
    /// One byte each, with nothing to mind but the bounds.
    Narrow,
    /// Of unlike widths, or a field's place is to be noted, or the frame is nearly as long as may be, or an error came before.
    Careful,
}

struct Order {
    floating_start: usize,
    fields: Vec<(Tag, Range<usize>)>,
}

impl<'a> Writer<'a> {
    /// A frame behind what `out` holds.
    #[inline]
    pub(crate) fn new(message: MessageType, version: Version, out: &'a mut BytesMut) -> Writer<'a> {
        let start = out.len();
        let head = match (version.tag_bytes(), version.length_bytes()) {
            (2, 2) => Head::Wide,
            (1, 1) => Head::Narrow,
            _ => Head::Careful,
        };
        Writer { message, version, out, start, here: [0; HERE_BYTES], len: 0, head, error: None, order: None }
    }

    /// Header and fixed part, and what stood behind that. A message that came in an order of its own leaves in it.
    #[inline]
    pub(crate) fn fixed<const BYTES_MAX: usize>(
        &mut self,
        fixed: &FixedPart<BYTES_MAX>,
        more: &[u8],
        rest: &Rest<impl Storage>,
    ) {
        match self.here.first_chunk_mut() {
            Some(here) => (*here, self.len) = (fixed.bytes, fixed.len),
            None => self.out.extend_from_slice(&fixed.bytes[..fixed.len]), // those of statistics
        }
        if !rest.is_empty() {
            self.leave();
            self.out.extend_from_slice(more);
            if !rest.order().is_empty() {
                self.order = Some(Order { floating_start: self.out.len(), fields: Vec::new() });
                self.head = Head::Careful;
            }
        }
    }

    /// One floating field, unless the version does not have it.
    #[inline(always)] // so that the row is a constant where it is written
    pub(crate) fn floating<T: Wire>(&mut self, row: &'static FieldInfo, value: &T) {
        let Some(tag) = row.tag.filter(|_| row.is_in(self.version)) else { return };
        let as_it_travels = value.as_it_travels();
        let bytes = as_it_travels.map_or_else(|| value.bytes(), <[u8]>::len);
        match (self.field(tag, bytes), as_it_travels) {
            (Some(data), Some(travels)) => return copy(travels, data),
            (Some(mut data), None) => return value.put(&mut data),
            (None, _) => (),
        }
        if self.careful_head(row.name, tag, bytes) {
            value.put(self.out);
        }
    }

    /// Adds the unknown fields, restores the order, and puts the length into the header.
    #[inline]
    pub(crate) fn finish(&mut self, rest: &Rest<impl Storage>) -> Result<(), EncodeError> {
        if !rest.is_empty() {
            self.strange(rest);
        }
        if let Some(error) = self.error.take() {
            self.out.truncate(self.start);
            return Err(error);
        }
        self.out.extend_from_slice(&self.here[..self.len]);
        let body_bytes = (self.out.len() - self.start - HEADER_BYTES) as u32;
        self.out[self.start..self.start + 4].copy_from_slice(&body_bytes.to_be_bytes());
        Ok(())
    }

    /// A body that is written as it came.
    pub(crate) fn raw(mut self, body: &[u8]) -> Result<(), EncodeError> {
        self.out.put_u64(u64::from(self.message.0));
        if self.fits("body", body.len()) {
            self.out.extend_from_slice(body);
        }
        self.finish(&Rest::<Octets>::default())
    }

    /// What was gathered leaves.
    #[cold]
    fn leave(&mut self) {
        self.out.extend_from_slice(&self.here[..self.len]);
        self.len = 0;
    }

    #[cold]
    fn strange(&mut self, rest: &Rest<impl Storage>) {
        for field in rest.unknown() {
            if self.careful_head(field.tag.name().unwrap_or("an unknown field"), field.tag, field.data.as_ref().len()) {
                self.out.extend_from_slice(field.data.as_ref());
            }
        }
        self.leave();
        if let (Some(order), None) = (self.order.take(), &self.error) {
            reorder(self.out, order.floating_start, &order.fields, rest.order());
        }
    }

    /// The place for a field's data, behind its tag and length, if it can be gathered.
    #[inline(always)] // as above: tag and width are constants then
    fn field(&mut self, tag: Tag, bytes: usize) -> Option<&mut [u8]> {
        let from = self.len;
        match self.head {
            Head::Wide => {
                let (head, data) = self.here.get_mut(from..from + 4 + bytes)?.split_first_chunk_mut()?;
                // What fits in there has no length above u16::MAX.
                *head = (u32::from(tag.0) << 16 | bytes as u32).to_be_bytes();
                self.len += 4 + bytes;
                Some(data)
            }
            Head::Narrow if tag.0 < 256 && bytes < 256 => {
                let (head, data) = self.here.get_mut(from..from + 2 + bytes)?.split_first_chunk_mut()?;
                *head = (tag.0 << 8 | bytes as u16).to_be_bytes();
                self.len += 2 + bytes;
                Some(data)
            }
            _ => None,
        }
    }

    /// Writes tag and length behind what was gathered, minding everything; whether the field's data may follow.
    #[cold]
    fn careful_head(&mut self, name: &'static str, tag: Tag, bytes: usize) -> bool {
        self.leave();
        let (tag_bytes, length_bytes) = (self.version.tag_bytes(), self.version.length_bytes());
        let bytes_max = if length_bytes == 1 { usize::from(u8::MAX) } else { usize::from(u16::MAX) };
        if bytes > bytes_max || (tag_bytes == 1 && tag.0 > u16::from(u8::MAX)) {
            self.refuse(name, tag, bytes, bytes_max);
            return false;
        }
        let field_bytes = tag_bytes + length_bytes + bytes;
        if self.error.is_some() || !self.fits(name, field_bytes) {
            return false;
        }
        if let Some(order) = &mut self.order {
            let from = self.out.len() - order.floating_start;
            order.fields.push((tag, from..from + field_bytes));
        }
        self.out.extend_from_slice(&tag.0.to_be_bytes()[2 - tag_bytes..]);
        self.out.extend_from_slice(&(bytes as u16).to_be_bytes()[2 - length_bytes..]);
        true
    }

    /// Whether the frame keeps its bound with `bytes` more behind what has left. Where it might not with all that can be
    /// gathered behind those, care is needed from then on.
    fn fits(&mut self, field: &'static str, bytes: usize) -> bool {
        let bytes = self.out.len() - self.start + bytes;
        if bytes + HERE_BYTES > FRAME_BYTES_MAX {
            self.head = Head::Careful;
        }
        if bytes <= FRAME_BYTES_MAX {
            return true;
        }
        let (message, bytes_max) = (self.message, FRAME_BYTES_MAX);
        self.fail(EncodeError::FrameTooLong { message, field, bytes, bytes_max });
        false
    }

    #[cold]
    fn refuse(&mut self, field: &'static str, tag: Tag, bytes: usize, bytes_max: usize) {
        let (message, version) = (self.message, self.version);
        self.fail(if bytes > bytes_max {
            EncodeError::FieldTooLong { message, field, version, bytes, bytes_max }
        } else {
            EncodeError::TagTooLarge { message, field, version, tag }
        });
    }

    fn fail(&mut self, error: EncodeError) {
        self.error.get_or_insert(error);
        self.head = Head::Careful;
    }
}

/// So much of a frame is gathered before it leaves; most frames are smaller.
const HERE_BYTES: usize = 256;
