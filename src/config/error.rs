//! What is wrong with a file: one line, with file, place, key and value.

use std::io;

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
        /// What is wrong, the value included.
        what: String,
    },
}

pub(super) fn parse(file: &str, text: &str) -> Result<Config, ConfigError> {
    let invalid = |error: &toml::de::Error, key: String| {
        let place = error.span().map(|span| place(text, span.start));
        let value = error.span().and_then(|span| text.get(span)).filter(|value| !value.contains('\n'));
        let message = error.message().replace('\n', " ");
        let what = match value.map(str::trim).filter(|value| !value.is_empty()) {
            Some(value) => format!("{message} (at `{value}`)"),
            None => message,
        };
        ConfigError::Invalid { file: file.to_owned(), place, key, what }
    };
    let document = toml::de::Deserializer::parse(text).map_err(|error| invalid(&error, "the file".to_owned()))?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let key = error.path().to_string();
        invalid(error.inner(), if key == "." { "the file".to_owned() } else { key })
    })
}

fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn place_of(place: Option<&(usize, usize)>) -> String {
    place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default()
}
