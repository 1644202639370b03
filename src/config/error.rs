//! What is wrong with a file: one line, with file, place, key and value. Not here: what is right (`types`, the room's head).

use std::io;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::Config;

/// Why a configuration was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {error}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        error: io::Error,
    },
    /// A key or value is not right.
    #[error("{file}{}: {key}: {what}", place_of(place.as_ref()))]
    Invalid {
        /// The file.
        file: String,
        /// Line and column, counted from 1, where they are known.
        place: Option<(usize, usize)>,
        /// The whole path of the key, such as `listener[0].address`.
        key: String,
        /// What is wrong, the value included unless it is a secret.
        what: String,
    },
}

/// Between the key within a table and what is wrong with it, where a reader by hand says both: serde's errors are texts.
pub(super) const KEY_END: char = '\u{1f}';

pub(super) fn parse(file: &str, text: &str) -> Result<Config, ConfigError> {
    let document = toml::de::Deserializer::parse(text).map_err(|error| broken(file, text, &error))?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let (key, what) = match error.inner().message().split_once(KEY_END) {
            Some((within, what)) => (format!("{}.{within}", error.path()), what.to_owned()),
            None => (error.path().to_string(), error.inner().message().to_owned()),
        };
        let at = error.inner().span();
        invalid(file, text, if key == "." { THE_FILE.to_owned() } else { key }, &what, at)
    })
}

/// A value that is of its type and cannot be all the same.
pub(super) fn unsound(file: &str, text: &str, key: String, what: &str) -> ConfigError {
    let place = find(text, &key).map(|found| place(text, found.value.start));
    complaint(file, place, &key, what)
}

/// The text is no TOML: there are no keys yet.
fn broken(file: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let span = error.span();
    let place = span.clone().map(|span| place(text, span.start));
    let what = with_excerpt(&one_line(error.message()), span.and_then(|span| excerpt(text, span)));
    complaint(file, place, THE_FILE, &what)
}

/// What a key holds is not of its type, or there is no such key.
fn invalid(file: &str, text: &str, key: String, what: &str, at: Option<Range<usize>>) -> ConfigError {
    let is_unknown = what.starts_with("unknown field");
    let found = find(text, &key).map(|found| if is_unknown { found.key } else { found.value });
    // The reader's own place is only as good as the table that it read as a whole.
    let span = found.or(at);
    let what = match is_secret_key(&key) && !is_unknown {
        true if key.ends_with("secret") => "a string, { file = … } or { env = … } is expected".to_owned(),
        true => "a string is expected".to_owned(),
        false => with_excerpt(&one_line(what), span.clone().and_then(|span| excerpt(text, span))),
    };
    let place = span.map(|span| place(text, span.start));
    complaint(file, place, &key, &what)
}

/// Keys and excerpts may be of any characters: those that would move a terminal's cursor, or end the line, are escaped.
fn complaint(file: &str, place: Option<(usize, usize)>, key: &str, what: &str) -> ConfigError {
    let escaped = |text: &str| -> String {
        let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
        text.chars().map(escaped).collect()
    };
    ConfigError::Invalid { file: file.to_owned(), place, key: escaped(key), what: escaped(what) }
}

struct Found {
    key: Range<usize>,
    value: Range<usize>,
}

/// Where a key stands and what it holds; the innermost table that the file has on the way to it, where it is left out.
fn find(text: &str, key: &str) -> Option<Found> {
    let document = DeTable::parse(text).ok()?;
    let mut found = None;
    let mut table = document.get_ref();
    for step in key.split('.') {
        let (name, indexes) = step.split_once('[').unwrap_or((step, ""));
        let Some((key, mut value)) = table.iter().find(|(key, _)| key.get_ref() == name) else { break };
        for index in indexes.split(['[', ']']).filter(|index| !index.is_empty()) {
            value = value.get_ref().as_array()?.get(index.parse::<usize>().ok()?)?;
        }
        found = Some(Found { key: key.span(), value: value.span() });
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    found
}

/// What stands there, if it is short, of one line, and on no line that speaks of a password.
fn excerpt(text: &str, span: Range<usize>) -> Option<&str> {
    let line_start = text.get(..span.start)?.rfind('\n').map_or(0, |newline| newline + 1);
    let excerpt = text.get(span.clone())?.trim();
    let is_secret =
        SECRETS.iter().any(|secret| text.get(line_start..span.end).is_none_or(|line| line.contains(secret)));
    let is_short = (1..=EXCERPT_BYTES_MAX).contains(&excerpt.len()) && !excerpt.contains('\n');
    (is_short && !is_secret).then_some(excerpt)
}

fn is_secret_key(key: &str) -> bool {
    SECRETS.iter().any(|secret| key.ends_with(secret))
}

fn with_excerpt(what: &str, excerpt: Option<&str>) -> String {
    match excerpt {
        Some(excerpt) => format!("{what} (at `{excerpt}`)"),
        None => what.to_owned(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn place_of(place: Option<&(usize, usize)>) -> String {
    place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default()
}

const THE_FILE: &str = "the file";
/// What a key of these names holds is never printed.
const SECRETS: [&str; 2] = ["password", "secret"];
const EXCERPT_BYTES_MAX: usize = 100;
