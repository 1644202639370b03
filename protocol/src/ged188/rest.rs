//! What a message brought that its table does not say: unknown fields, and an order of its own.
//!
//! Lives here: keeping it, counting it, and putting it back where it was.
//! Not here: whether somebody minds.
//! Must hold: an ordinary message pays one empty pointer for it.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::Tag;

/// A floating field that the message's table has no place for: a tag that the message does not have, one that is
/// newer than the session's version, or the second of a field that occurs once.
#[derive(Clone, PartialEq, Eq)]
pub struct UnknownField {
    /// Its tag.
    pub tag: Tag,
    /// Its data, without tag and length.
    pub data: Bytes,
}

impl fmt::Debug for UnknownField {
    /// Tag and length only: the second of a password is unknown, too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {} bytes", self.tag, self.data.len())
    }
}

/// The strangers of one message. Empty by default and nearly always.
#[derive(Clone, Default, PartialEq)]
pub struct Rest(Option<Box<Strangers>>);

#[derive(Clone, Default, PartialEq)]
struct Strangers {
    unknown: Vec<UnknownField>,
    /// The tags of all floating fields as they came, or nothing if table order with the unknown ones last is right.
    order: Vec<Tag>,
    /// What stood between the fixed part and the floating one.
    more: Bytes,
}

impl Rest {
    /// These fields behind all others.
    pub fn new(unknown: Vec<UnknownField>) -> Rest {
        Rest::strange(unknown, Vec::new(), Bytes::new())
    }

    /// These fields, all fields of the message in the order of these tags, and these bytes behind the fixed part.
    pub(crate) fn strange(unknown: Vec<UnknownField>, order: Vec<Tag>, more: Bytes) -> Rest {
        if unknown.is_empty() && order.is_empty() && more.is_empty() {
            return Rest(None);
        }
        Rest(Some(Box::new(Strangers { unknown, order, more })))
    }

    /// The unknown fields, in the order in which they came.
    pub fn unknown(&self) -> &[UnknownField] {
        self.0.as_ref().map(|strangers| strangers.unknown.as_slice()).unwrap_or_default()
    }

    /// Whether the message is just what its table says, in its order.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The order in which the fields came, if it was not the table's.
    pub(crate) fn order(&self) -> &[Tag] {
        self.0.as_ref().map(|strangers| strangers.order.as_slice()).unwrap_or_default()
    }

    /// What stood between the fixed part and the floating one.
    pub(crate) fn more(&self) -> &[u8] {
        self.0.as_ref().map(|strangers| &strangers.more[..]).unwrap_or_default()
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.unknown()).finish()
    }
}

/// Brings the floating part of a message that begins at `start` of `out` into the order of the tags `order`. Fields
/// of the same tag keep their order; `fields` says where each lies, from `start`. Those not in `order` come last.
pub(crate) fn reorder(out: &mut BytesMut, start: usize, fields: &[(Tag, Range<usize>)], order: &[Tag]) {
    let written = Bytes::copy_from_slice(&out[start..]);
    let mut of_tag: HashMap<Tag, VecDeque<usize>> = HashMap::new();
    for (place, (tag, _)) in fields.iter().enumerate() {
        of_tag.entry(*tag).or_default().push_back(place);
    }
    out.truncate(start);
    let mut is_out = vec![false; fields.len()];
    let asked = order.iter().filter_map(|tag| of_tag.get_mut(tag)?.pop_front()).collect::<Vec<_>>();
    for place in asked.into_iter().chain(0..fields.len()) {
        if !std::mem::replace(&mut is_out[place], true) {
            out.extend_from_slice(&written[fields[place].1.clone()]);
        }
    }
}
