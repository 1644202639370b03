//! Messages made up from the catalogue alone: bodies that the tables allow, out of whatever numbers a test brings.

use cti_protocol::ged188::catalogue::{CATALOGUE, FieldInfo, MessageInfo, WireType};
use cti_protocol::ged188::{Frame, Tag, Version};

/// Choices for a sample: each byte decides something; when they run out, every choice is the simplest.
pub(crate) struct Choices<'a>(pub(crate) &'a [u8]);

impl Choices<'_> {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let wide = usize::from(self.byte()) << 8 | usize::from(self.byte());
        wide % bound.max(1)
    }

    fn byte(&mut self) -> u8 {
        let Some((first, left)) = self.0.split_first() else { return 0 };
        self.0 = left;
        *first
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.byte()).collect()
    }

    /// Text as clients send it: with or without NUL, sometimes none at all.
    fn text(&mut self, bytes_max: usize) -> Vec<u8> {
        let len = self.below(bytes_max + 1);
        let mut text: Vec<u8> = (0..len).map(|_| b' ' + self.byte() % 95).collect();
        if len > 0 && self.below(4) > 0 {
            text[len - 1] = 0;
        }
        text
    }
}

/// A body of `info` in `version` with every field of its fixed part and some of its floating part, in any order.
pub(crate) fn body(info: &MessageInfo, version: Version, choices: &mut Choices<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    for row in info.fixed.iter().filter(|row| row.is_in(version)) {
        body.extend(choices.bytes(row.bytes_max.expect("a number has a width")));
    }
    let rows: Vec<_> = info.floating.iter().filter(|row| row.tag.is_some() && row.is_in(version)).collect();
    let many = if rows.is_empty() { choices.below(2) } else { choices.below(3 * rows.len()) };
    for at in 0..many {
        // A strange tag now and then; else the rows in their order or in any.
        let row = match choices.below(8) {
            0 => None,
            1..=3 => rows.get(at),
            _ => rows.get(choices.below(rows.len())),
        };
        let (tag, data) = match row {
            Some(row) => (row.tag.expect("only rows with tags are left").0, data(row, choices)),
            None => (strange_tag(info, choices), vec![choices.byte(); 4]),
        };
        if body.len() + data.len() > 12_000 || !put(&mut body, version, tag, &data) {
            break;
        }
    }
    body
}

/// Every message in every version, with nothing in it.
pub(crate) fn one_of_each() -> impl Iterator<Item = (&'static MessageInfo, Version, Frame)> {
    let pairs = CATALOGUE.iter().flat_map(|info| Version::all().map(move |version| (*info, version)));
    pairs.map(|(info, version)| (info, version, frame(info, body(info, version, &mut Choices(&[])))))
}

pub(crate) fn frame(info: &MessageInfo, body: Vec<u8>) -> Frame {
    Frame { message_type: info.message_type, body: body.into() }
}

/// Adds a floating field in the version's widths; false if the version cannot say the tag.
pub(crate) fn put(body: &mut Vec<u8>, version: Version, tag: u16, data: &[u8]) -> bool {
    if version.tag_bytes() == 1 && tag > 255 {
        return false;
    }
    body.extend(&tag.to_be_bytes()[2 - version.tag_bytes()..]);
    body.extend(&(data.len() as u16).to_be_bytes()[2 - version.length_bytes()..]);
    body.extend(data);
    true
}

/// A tag that the message does not have.
fn strange_tag(info: &MessageInfo, choices: &mut Choices<'_>) -> u16 {
    let first = choices.below(400) as u16;
    let is_strange = |tag: &u16| info.floating.iter().all(|row| row.tag != Some(Tag(*tag)));
    (first..).find(is_strange).expect("no message has that many tags")
}

fn data(row: &FieldInfo, choices: &mut Choices<'_>) -> Vec<u8> {
    let bytes_max = row.bytes_max.expect("a row with a tag has a maximum");
    match row.wire_type {
        WireType::String => choices.text(bytes_max),
        WireType::Unspec => {
            let len = choices.below(bytes_max + 1);
            choices.bytes(len)
        }
        WireType::NamedVar => named(choices),
        WireType::NamedArray => [vec![choices.byte()], named(choices)].concat(),
        _ if row.name == "FltEnabledServices" => {
            let len = 2 * choices.below(4);
            choices.bytes(len)
        }
        _ => choices.bytes(bytes_max),
    }
}

fn named(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut name = choices.text(32);
    name.retain(|byte| *byte != 0);
    [name, vec![0], choices.text(211)].concat()
}
