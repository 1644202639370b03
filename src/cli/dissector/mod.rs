//! `ctigate dissector`: a Wireshark dissector, from the catalogue.
//!
//! Lives here: the catalogue as Lua tables, in front of the code that reads them (`ged188.lua`). Not here: a layout.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::process::ExitCode;

use cti_protocol::ged188::catalogue::{CATALOGUE, FieldInfo, MessageInfo, SentBy};
use cti_protocol::ged188::{MessageType, Tag};

/// Print a dissector of GED-188 for Wireshark and tshark, as Lua.
///
/// Put it into Wireshark's folder of personal Lua plugins, or name it: `tshark -X lua_script:ged188.lua -r FILE`. It knows the
/// connections to ports 42027 and 43027, and those that begin with an OPEN_REQ, which also says in which version they go on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args) -> ExitCode {
    super::print_whole(&dissector())
}

/// The whole script.
fn dissector() -> String {
    let mut tables = Tables::default();
    let messages: String = CATALOGUE.iter().map(|info| tables.message(info)).collect();
    let declared: BTreeSet<u32> = CATALOGUE.iter().map(|info| info.message_type.0).collect();
    let named = MessageType::all().filter(|number| !declared.contains(&number.0));
    let named: String = named.map(|number| format!("  [{}] = {},\n", number.0, quoted(&number.to_string()))).collect();
    let mut seen = BTreeSet::new();
    let tags = Tag::all().filter(|(_, tag)| seen.insert(tag.0));
    let tags: String = tags.map(|(name, tag)| format!("  [{}] = {},\n", tag.0, quoted(name))).collect();
    let mut script = String::from(HEAD);
    let _ = write!(
        script,
        "local names = {{\n{}}}\n\nlocal rows = {{\n{}}}\n\nlocal messages = {{\n{messages}}}\n\n\
         -- Messages of which only the number is known.\nlocal named = {{\n{named}}}\n\nlocal tags = {{\n{tags}}}\n\n",
        tables.names, tables.rows
    );
    script + include_str!("ged188.lua")
}

const HEAD: &str = "-- GED-188 (Cisco CTI Server protocol) for Wireshark. Written by `ctigate dissector`: change the catalogue, not this.\n\n";

/// The tables so far, and where in them things are.
#[derive(Default)]
struct Tables {
    names: String,
    names_at: HashMap<*const (&'static str, u32), usize>,
    rows: String,
    rows_at: HashMap<(&'static str, &'static str, usize, usize), usize>,
    filters: HashMap<String, usize>,
}

impl Tables {
    fn message(&mut self, info: &MessageInfo) -> String {
        let sent_by = match info.sent_by {
            SentBy::Client => "client",
            SentBy::Server => "server",
            SentBy::Both => "both",
        };
        let mut text = format!(
            "  [{}] = {{ name = {}, since = {}, sent_by = \"{sent_by}\",\n    fixed = {{ ",
            info.message_type.0,
            quoted(info.name),
            info.since
        );
        for field in info.fixed {
            let _ = write!(text, "{{ row = {}, since = {} }}, ", self.row(field), field.since);
        }
        text += "},\n    floating = { ";
        let mut seen = BTreeSet::new();
        for (field, tag) in info.floating.iter().filter_map(|field| Some((field, field.tag?))) {
            if seen.insert(tag) {
                let _ = write!(text, "[{}] = {{ row = {}, since = {} }}, ", tag.0, self.row(field), field.since);
            }
        }
        text + "} },\n"
    }

    /// The row of a field; fields that are equal but for where they stand share one.
    fn row(&mut self, field: &FieldInfo) -> usize {
        // What nobody may see is shown as a text without it.
        let kind = if field.secret { "STRING" } else { field.wire_type.name() };
        let bytes = field.bytes_max.unwrap_or_default();
        let names = self.names(field.names);
        let key = (field.name, kind, names, if is_number(kind) { bytes } else { 0 });
        if let Some(at) = self.rows_at.get(&key) {
            return *at;
        }
        let at = self.rows_at.len() + 1;
        self.rows_at.insert(key, at);
        let values = if names == 0 { "nil".to_owned() } else { names.to_string() };
        let (filter, mask, secret) = (self.filter(field.name), field.is_mask, field.secret);
        let _ = writeln!(
            self.rows,
            "  {{ filter = {}, name = {}, kind = \"{kind}\", bytes = {bytes}, values = {values}, mask = {mask}, secret = {secret} }},",
            quoted(&filter),
            quoted(field.name)
        );
        at
    }

    /// A filter's name: the guide's in small letters; the second field of that name has `_2` behind it.
    fn filter(&mut self, name: &str) -> String {
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let count = self.filters.entry(plain.clone()).or_default();
        *count += 1;
        if *count == 1 { plain } else { format!("{plain}_{count}") }
    }

    fn names(&mut self, names: &'static [(&'static str, u32)]) -> usize {
        if names.is_empty() {
            return 0;
        }
        let next = self.names_at.len() + 1;
        let at = *self.names_at.entry(names.as_ptr()).or_insert(next);
        if at == next {
            let mut seen = BTreeSet::new();
            let first = names.iter().filter(|(_, value)| seen.insert(*value));
            let values: String = first.map(|(name, value)| format!("[{value}] = {}, ", quoted(name))).collect();
            let _ = writeln!(self.names, "  {{ {values}}},");
        }
        at
    }
}

fn is_number(kind: &str) -> bool {
    !matches!(kind, "STRING" | "UNSPEC" | "NAMEDVAR" | "NAMEDARRAY" | "UNKNOWN")
}

/// A Lua string. Names of the guide are plain.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_field_tag_and_value_is_in_it() {
        let script = dissector();
        for info in CATALOGUE {
            assert!(script.contains(&format!("[{}] = {{ name = \"{}\"", info.message_type.0, info.name)));
            let tagged = info.floating.iter().filter(|field| field.tag.is_some());
            for field in info.fixed.iter().chain(tagged) {
                let kind = if field.secret { "STRING" } else { field.wire_type.name() };
                let row = format!("name = \"{}\", kind = \"{kind}\"", field.name);
                assert!(script.contains(&row), "{row} of {}", info.name);
                for (name, value) in field.names {
                    // Of two names for one value the first is shown.
                    let is_shown = field.names.iter().find(|(_, other)| other == value) == Some(&(*name, *value));
                    assert!(!is_shown || script.contains(&format!("[{value}] = \"{name}\"")), "{name}");
                }
            }
        }
        for (name, tag) in Tag::all() {
            let first = Tag::all().find(|(_, other)| *other == tag).unwrap().0;
            assert!(first != name || script.contains(&format!("[{}] = \"{name}\"", tag.0)), "{name}");
        }
        for number in MessageType::all() {
            assert!(script.contains(&format!("\"{number}\"")));
        }
    }
}
