//! A configuration file: sound or refused in one line that names the file and, where the text has one, the place.

use ctigate::config::{Config, ConfigError};

/// Reads and checks a file.
pub fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Config::from_toml(FILE, text) {
        Ok(config) => {
            assert_eq!(config.check(), Ok(()), "what was read is sound");
            let _ = (config.teams(), format!("{config:?}"));
        }
        Err(error) => check(text, &error),
    }
}

fn check(text: &str, error: &ConfigError) {
    let said = error.to_string();
    assert!(said.starts_with(FILE) && !said.contains(char::is_control), "one line that names the file: {said:?}");
    if let ConfigError::Invalid { place: Some((line, column)), .. } = error {
        let there = text.split('\n').nth(line - 1).unwrap_or_else(|| panic!("there is no such line: {said:?}"));
        assert!(*column <= there.chars().count() + 1, "the line is not that long: {said:?}");
    }
    let (of_secrets, others): (Vec<&str>, Vec<&str>) =
        text.lines().map(str::trim).filter(|line| line.contains(MARK)).partition(|line| is_of_secret(line));
    assert!(of_secrets.is_empty() || !others.is_empty() || !said.contains(MARK), "a secret is told: {said:?}");
}

/// Whether a line sets a password or secret, and nothing else.
fn is_of_secret(line: &str) -> bool {
    let value = line.strip_prefix("password = \"").or_else(|| line.strip_prefix("secret = \""));
    value.is_some_and(|value| value.strip_suffix('"').is_some_and(|value| !value.contains('"')))
}

const FILE: &str = "ctigate.toml";
/// What no complaint may hold where it stands behind `password =` or `secret =` only.
const MARK: &str = "24680";
