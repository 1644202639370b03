//! The catalogue against the facts: every row of one is a row of the other, by name, number, type and version.

use std::collections::BTreeMap;

use cti_protocol::ged188::catalogue::{self, CATALOGUE, FieldInfo, MessageInfo, SentBy};
use cti_protocol::ged188::{MessageType, Tag, codes};
use toml::{Table, Value};

#[test]
fn every_declared_message_is_a_message_of_the_facts_and_the_other_way_round() {
    let facts = messages();
    let named: Vec<&str> = facts.iter().map(|message| text(message, "name")).collect();
    for info in CATALOGUE {
        assert!(named.contains(&info.name), "{} is declared and not in the facts", info.name);
    }
    for name in &named {
        assert!(catalogue::by_name(name).is_some(), "{name} is in the facts and not declared");
    }
    assert_eq!(CATALOGUE.len(), named.len(), "no message is declared twice");
}

#[test]
fn every_row_of_a_declared_message_is_the_row_of_the_facts() {
    for fact in &messages() {
        let info = catalogue::by_name(text(fact, "name")).expect("compared above");
        compare_heads(info, fact);
        compare_rows(info, "fixed", info.fixed.iter().collect(), rows(fact, "fixed"));
        let (tagged, untagged) = info.floating.iter().partition(|row| row.tag.is_some());
        let (fact_tagged, fact_untagged) = rows(fact, "floating").into_iter().partition(|row| row.contains_key("tag"));
        compare_rows(info, "floating", tagged, fact_tagged);
        compare_rows(info, "untagged", untagged, fact_untagged);
    }
}

#[test]
fn every_message_type_has_the_number_and_version_of_the_facts() {
    let facts = load("message-types.toml");
    let facts: Vec<_> =
        tables(&facts, "type").map(|row| (number(row, "number"), text(row, "name"), since(row))).collect();
    let ours: Vec<_> = MessageType::all()
        .map(|kind| (i64::from(kind.0), kind.name().expect("it is in the table"), i64::from(kind.since())))
        .collect();
    let mut sorted = facts.clone();
    sorted.sort_unstable();
    assert_eq!(ours, sorted);
    assert_eq!(ours.len(), 243);
    for (number, name, _) in ours {
        assert_eq!(MessageType::named(name), Some(MessageType(number as u32)));
    }
}

#[test]
fn every_tag_has_the_number_and_version_of_the_facts() {
    let facts = load("tags.toml");
    let mut expected: Vec<_> = ["tag", "former"].into_iter().flat_map(|table| tables(&facts, table)).collect();
    expected.sort_by_key(|row| (number(row, "number"), since(row)));
    let ours: Vec<_> = Tag::all().map(|(name, tag)| (i64::from(tag.0), name)).collect();
    assert_eq!(ours, expected.iter().map(|row| (number(row, "number"), text(row, "name"))).collect::<Vec<_>>());
    assert_eq!(tables(&facts, "tag").count(), 242);
    for row in expected {
        let tag = Tag::named(text(row, "name")).expect("compared above");
        assert_eq!(i64::from(tag.0), number(row, "number"));
        if tag.name() == Some(text(row, "name")) {
            assert_eq!(i64::from(tag.since()), since(row), "{tag}");
        }
    }
}

#[test]
fn every_code_has_the_name_and_number_of_the_facts() {
    let facts = load("constants.toml");
    let mut expected = BTreeMap::new();
    for (table, rows) in &facts {
        let rows = rows.as_table().expect("a table of constants");
        let rows: BTreeMap<_, _> = rows.iter().map(|(name, value)| (name.as_str(), value.as_integer())).collect();
        expected.insert(table.as_str(), rows);
    }
    let mut ours = BTreeMap::new();
    for (table, rows) in codes::TABLES {
        let rows: BTreeMap<_, _> = rows.iter().map(|(name, value)| (*name, Some(i64::from(*value)))).collect();
        ours.insert(*table, rows);
    }
    assert_eq!(ours, expected);
}

fn compare_heads(info: &MessageInfo, fact: &Table) {
    assert_eq!(i64::from(info.message_type.0), number(fact, "type"), "{}", info.name);
    assert_eq!(info.message_type.name(), Some(info.name));
    assert_eq!(info.service, text(fact, "service"), "{}", info.name);
    assert_eq!(i64::from(info.since), since(fact), "{}", info.name);
    let sent_by = match info.sent_by {
        SentBy::Client => "client",
        SentBy::Server => "server",
        SentBy::Both => "both",
    };
    assert_eq!(sent_by, text(fact, "sent_by"), "{}", info.name);
}

fn compare_rows(info: &MessageInfo, part: &str, ours: Vec<&FieldInfo>, facts: Vec<&Table>) {
    let names = |rows: &[&Table]| rows.iter().map(|row| text(row, "name").to_owned()).collect::<Vec<_>>();
    assert_eq!(ours.iter().map(|row| row.name).collect::<Vec<_>>(), names(&facts), "{} {part}", info.name);
    for (row, fact) in ours.into_iter().zip(facts) {
        let place = format!("{} {part} {}", info.name, row.name);
        assert_eq!(row.wire_type.name(), text(fact, "type"), "{place}");
        assert_eq!(i64::from(row.since), since(fact), "{place}");
        if part == "fixed" {
            continue;
        }
        assert_eq!(row.tag.and_then(Tag::name), fact.get("tag").and_then(Value::as_str), "{place}");
        assert_eq!(row.bytes_max.map(|max| max as i64), fact.get("max").and_then(Value::as_integer), "{place}");
        assert_eq!(row.required, flag(fact, "required"), "{place}");
        assert_eq!(row.repeated, flag(fact, "repeated"), "{place}");
        assert_eq!(row.uccx, fact.get("dialect").is_some_and(|dialect| dialect.as_str() == Some("uccx")), "{place}");
    }
}

fn messages() -> Vec<Table> {
    let files = ["core", "call-events", "call-control", "supervisor-config"];
    files
        .iter()
        .flat_map(|file| tables(&load(&format!("messages-{file}.toml")), "message").cloned().collect::<Vec<_>>())
        .collect()
}

fn load(file: &str) -> Table {
    let path = format!("{}/tests/facts/{file}", env!("CARGO_MANIFEST_DIR"));
    let content = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    content.parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn rows<'a>(fact: &'a Table, part: &'a str) -> Vec<&'a Table> {
    tables(fact, part).collect()
}

fn tables<'a>(of: &'a Table, key: &'a str) -> impl Iterator<Item = &'a Table> {
    of[key].as_array().expect("an array").iter().map(|row| row.as_table().expect("a table"))
}

fn text<'a>(of: &'a Table, key: &str) -> &'a str {
    of[key].as_str().expect("a string")
}

fn number(of: &Table, key: &str) -> i64 {
    of[key].as_integer().expect("a number")
}

fn since(of: &Table) -> i64 {
    of.get("since").and_then(Value::as_integer).unwrap_or_default()
}

fn flag(of: &Table, key: &str) -> bool {
    of.get(key).and_then(Value::as_bool).unwrap_or_default()
}
