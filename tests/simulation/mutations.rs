//! Deliberate bugs: that the list of them still fits the source. Not here: that each is found; `tests/mutations` looks at
//! that, since every one of them is a gateway of its own to build.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    mutation: Vec<Mutation>,
}

/// A small change of the source, and what finds it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutation {
    name: String,
    invariant: String,
    file: String,
    text: String,
    becomes: String,
}

fn top() -> PathBuf {
    std::env::var_os("CTIGATE_MUTATE").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

fn list() -> Vec<Mutation> {
    let text = include_str!("mutations.toml");
    toml::from_str::<List>(text).expect("a list of mutations").mutation
}

impl Mutation {
    /// The source as it is, and with the bug in it.
    fn applied(&self, top: &Path) -> Result<String, String> {
        let path = top.join(&self.file);
        let source = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", self.file))?;
        match source.matches(&self.text).count() {
            1 => Ok(source.replacen(&self.text, &self.becomes, 1)),
            count => Err(format!("{}: its text is {count} times in {}", self.name, self.file)),
        }
    }
}

#[test]
fn every_deliberate_bug_still_fits_the_source() {
    let list = list();
    let wrong: Vec<String> = list.iter().filter_map(|mutation| mutation.applied(&top()).err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let names: BTreeSet<&str> = list.iter().map(|mutation| mutation.name.as_str()).collect();
    assert_eq!(names.len(), list.len(), "no name twice");
    let unknown = list.iter().filter(|mutation| !super::story::Invariant::NAMES.contains(&mutation.invariant.as_str()));
    assert_eq!(unknown.map(|mutation| &mutation.invariant).collect::<Vec<_>>(), Vec::<&String>::new());
    let found: BTreeSet<&str> = list.iter().map(|mutation| mutation.invariant.as_str()).collect();
    let idle: Vec<_> = super::story::Invariant::NAMES.iter().filter(|name| !found.contains(**name)).collect();
    assert!(idle.is_empty(), "no mutation proves that these bite: {idle:?}");
}

/// For `tests/mutations`: puts the mutation named CTIGATE_MUTATION into the tree at CTIGATE_MUTATE, or lists all of them.
#[test]
#[ignore = "a tool of tests/mutations"]
fn apply() {
    let Ok(name) = std::env::var("CTIGATE_MUTATION") else {
        for Mutation { name, invariant, .. } in list() {
            println!("mutation {name} {invariant}");
        }
        return;
    };
    let mutation = list().into_iter().find(|mutation| mutation.name == name).expect("a mutation of that name");
    let mutated = mutation.applied(&top()).expect("a text that is there once");
    std::fs::write(top().join(&mutation.file), mutated).expect("a file that can be written");
}
