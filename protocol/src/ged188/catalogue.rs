//! The description of every declared message, for those who read tables instead of code: dissectors, sweeps, tests.
//!
//! Lives here: the shape of a description and the list of all. The descriptions themselves stand where the messages
//! are declared; this is what is left of those tables at run time.
//! Not here: message types and tags that have a name but no declaration; see [`MessageType`] and [`Tag`].

pub use super::any::CATALOGUE;
use super::field::Floating;
pub use super::wire::WireType;
use super::wire::{Number, Wire};
use super::{MessageType, Tag, Version};

/// One message of the guide.
#[derive(Debug)]
#[non_exhaustive]
pub struct MessageInfo {
    /// The guide's name.
    pub name: &'static str,
    /// Its number in the header.
    pub message_type: MessageType,
    /// The first version that has it; 0 where no source says, which is as old as any that was read.
    pub since: u8,
    /// Who sends it.
    pub sent_by: SentBy,
    /// The services it belongs to, in the guide's words, with commas between.
    pub service: &'static str,
    /// The fixed part, in wire order.
    pub fixed: &'static [FieldInfo],
    /// The floating part, in the guide's order. Rows without a tag can not travel and come last.
    pub floating: &'static [FieldInfo],
    /// What it is for, in one sentence.
    pub doc: &'static str,
}

/// Who sends a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SentBy {
    /// The agent's side.
    Client,
    /// The CTI server.
    Server,
    /// Either: a client's message that the server passes on.
    Both,
}

/// One field of a message.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FieldInfo {
    /// The guide's name.
    pub name: &'static str,
    /// Its type.
    pub wire_type: WireType,
    /// The most bytes its data has, a text's NUL included; none where no source says.
    pub bytes_max: Option<usize>,
    /// A floating field's tag; none in the fixed part, and where no tag table has one.
    pub tag: Option<Tag>,
    /// The first version that has it; 0 where no source says.
    pub since: u8,
    /// Whether the guide marks it as required.
    pub required: bool,
    /// Whether it may occur more than once.
    pub repeated: bool,
    /// Whether only the guide of Contact Center Express has it. It is read and written in both flavours.
    pub uccx: bool,
    /// Whether its value is a secret.
    pub secret: bool,
    /// The names of its values, where they are codes or bits.
    pub names: &'static [(&'static str, u32)],
    /// Whether those are bits, any of which may be set.
    pub is_mask: bool,
}

impl FieldInfo {
    /// A row of the fixed part.
    pub(crate) const fn fixed<T: Number>(name: &'static str, since: u8) -> FieldInfo {
        FieldInfo { tag: None, ..FieldInfo::value::<T>(name, None, since) }
    }

    /// A row of the floating part.
    pub(crate) const fn floating<F: Floating>(name: &'static str, tag: Tag, since: u8) -> FieldInfo {
        FieldInfo { repeated: F::REPEATED, ..FieldInfo::value::<F::Value>(name, Some(tag), since) }
    }

    /// A row of a set, which is repeated with the set.
    pub(crate) const fn member<T: Wire>(name: &'static str, tag: Tag, since: u8) -> FieldInfo {
        FieldInfo { repeated: true, ..FieldInfo::value::<T>(name, Some(tag), since) }
    }

    /// A row of the floating part that no tag table has a number for.
    pub(crate) const fn untagged(
        name: &'static str,
        wire_type: WireType,
        bytes_max: Option<usize>,
        since: u8,
    ) -> FieldInfo {
        FieldInfo { wire_type, bytes_max, ..FieldInfo::value::<u32>(name, None, since) }
    }

    /// Marked as required.
    pub(crate) const fn required(self) -> FieldInfo {
        FieldInfo { required: true, ..self }
    }

    /// Marked as known to Contact Center Express only.
    pub(crate) const fn uccx(self) -> FieldInfo {
        FieldInfo { uccx: true, ..self }
    }

    const fn value<T: Wire>(name: &'static str, tag: Option<Tag>, since: u8) -> FieldInfo {
        FieldInfo {
            name,
            wire_type: T::TYPE,
            bytes_max: Some(T::BYTES_MAX),
            tag,
            since,
            required: false,
            repeated: false,
            uccx: false,
            secret: T::SECRET,
            names: T::NAMES,
            is_mask: T::IS_MASK,
        }
    }

    /// Whether `version` has it.
    pub const fn is_in(&self, version: Version) -> bool {
        version.has(self.since)
    }
}

/// The declared message with this number.
pub fn by_type(message_type: MessageType) -> Option<&'static MessageInfo> {
    CATALOGUE.iter().copied().find(|info| info.message_type == message_type)
}

/// The declared message with this name of the guide, such as `OPEN_REQ`.
pub fn by_name(name: &str) -> Option<&'static MessageInfo> {
    CATALOGUE.iter().copied().find(|info| info.name == name)
}

/// The rows of several tables as one. `ROWS` is their number; used by the tables, in constants only.
pub(crate) const fn join<const ROWS: usize>(tables: &[&[FieldInfo]]) -> [FieldInfo; ROWS] {
    let mut joined = [FieldInfo::untagged("", WireType::Unknown, None, 0); ROWS];
    let (mut row, mut table) = (0, 0);
    while table < tables.len() {
        let mut from = 0;
        while from < tables[table].len() {
            joined[row] = tables[table][from];
            (row, from) = (row + 1, from + 1);
        }
        table += 1;
    }
    joined
}

/// How many bytes a fixed part has if every field is there.
pub(crate) const fn fixed_bytes(fixed: &[FieldInfo]) -> usize {
    let (mut bytes, mut row) = (0, 0);
    while row < fixed.len() {
        if let Some(width) = fixed[row].bytes_max {
            bytes += width;
        }
        row += 1;
    }
    bytes
}

/// The version that the newest row came with.
pub(crate) const fn newest(rows: &[FieldInfo]) -> u8 {
    let (mut since, mut row) = (0, 0);
    while row < rows.len() {
        if rows[row].since > since {
            since = rows[row].since;
        }
        row += 1;
    }
    since
}

/// How many rows several tables have together.
pub(crate) const fn rows(tables: &[&[FieldInfo]]) -> usize {
    let (mut rows, mut table) = (0, 0);
    while table < tables.len() {
        rows += tables[table].len();
        table += 1;
    }
    rows
}
