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
use super::octets::{Octets, Storage};

/// A floating field that the message's table has no place for: a tag that the message does not have, one that is
/// newer than the session's version, or the second of a field that occurs once.
#[derive(Clone, PartialEq, Eq)]
pub struct UnknownField<S = Octets> {
    /// Its tag.
    pub tag: Tag,
    /// Its data, without tag and length.
    pub data: S,
}

impl<S: Storage> fmt::Debug for UnknownField<S> {
    /// Tag and length only: the second of a password is unknown, too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {} bytes", self.tag, self.data.as_ref().len())
    }
}

/// The strangers of one message. Empty by default and nearly always.
#[derive(Clone, Default, PartialEq)]
pub struct Rest<S = Octets>(Option<Box<Strangers<S>>>);

#[derive(Clone, Default, PartialEq)]
struct Strangers<S> {
    unknown: Vec<UnknownField<S>>,
    /// The tags of all floating fields as they came, or nothing if table order with the unknown ones last is right.
    order: Vec<Tag>,
    /// What stood between the fixed part and the floating one.
    more: S,
}

impl<S: Storage> Rest<S> {
    /// These fields behind all others.
    pub fn new(unknown: Vec<UnknownField<S>>) -> Rest<S> {
        Rest::strange(unknown, Vec::new(), S::default())
    }

    /// These fields, all fields of the message in the order of these tags, and these bytes behind the fixed part.
    pub(crate) fn strange(unknown: Vec<UnknownField<S>>, order: Vec<Tag>, more: S) -> Rest<S> {
        if unknown.is_empty() && order.is_empty() && more.as_ref().is_empty() {
            return Rest(None);
        }
        Rest(Some(Box::new(Strangers { unknown, order, more })))
    }

    /// The unknown fields, in the order in which they came.
    pub fn unknown(&self) -> &[UnknownField<S>] {
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
        self.0.as_ref().map(|strangers| strangers.more.as_ref()).unwrap_or_default()
    }
}

impl<S: Storage> fmt::Debug for Rest<S> {
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
