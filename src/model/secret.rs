//! Secrets, and where an operator keeps them. Not here: what they open.
//!
//! Must hold: no secret is printed, whoever prints what it stands in; its memory is wiped when it is done with.

use std::fmt;
use std::path::PathBuf;

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

/// A secret that is compared and handed on, never printed.
#[derive(Clone, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(transparent)]
pub struct Password(Zeroizing<String>);

/// What is printed in place of a secret.
const HIDDEN: &str = "***";

impl Password {
    /// Takes a password as the client sent it.
    pub fn new(text: impl Into<String>) -> Password {
        Password(Zeroizing::new(text.into()))
    }

    /// The password itself, for the one who checks it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the other is the same, in a time that does not tell how much of it is right.
    pub fn matches(&self, other: &Password) -> bool {
        use subtle::ConstantTimeEq;
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_str(HIDDEN)
    }
}

/// A secret in the configuration, or where it is kept: `"…"`, `{ file = "…" }` or `{ env = "…" }`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(untagged, expecting = "a text, { file = … } or { env = … } is expected")]
pub enum Secret {
    /// The secret itself.
    Here(Password),
    /// The first line of a file.
    File {
        /// Its path.
        file: PathBuf,
    },
    /// An environment variable.
    Env {
        /// Its name.
        env: String,
    },
}

/// Why a secret cannot be had from where it is kept.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {error}", file.display())]
    File {
        /// Its path.
        file: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// There is nothing in the file's first line, or in the variable: a secret that everybody knows.
    #[error("{place}: it is empty")]
    Empty {
        /// The file or the variable.
        place: String,
    },
    /// The environment has no such variable, or no text in it.
    #[error("environment variable {env}: {error}")]
    Env {
        /// Its name.
        env: String,
        /// What is wrong, without what is in it.
        error: &'static str,
    },
}

impl Secret {
    /// The secret, from wherever it is kept.
    pub fn read(&self) -> Result<Password, SecretError> {
        let (secret, place) = match self {
            Secret::Here(secret) => return Ok(secret.clone()),
            Secret::File { file } => {
                let text = std::fs::read_to_string(file).map(Zeroizing::new);
                let text = text.map_err(|error| SecretError::File { file: file.clone(), error })?;
                (Password::new(text.lines().next().unwrap_or_default()), file.display().to_string())
            }
            Secret::Env { env } => {
                let secret = std::env::var(env).map(Password::new).map_err(|error| {
                    let is_missing = error == std::env::VarError::NotPresent;
                    let error = if is_missing { "it is not set" } else { "it is not UTF-8" };
                    SecretError::Env { env: env.clone(), error }
                })?;
                (secret, format!("environment variable {env}"))
            }
        };
        if secret.expose().is_empty() { Err(SecretError::Empty { place }) } else { Ok(secret) }
    }
}

impl From<Password> for Secret {
    fn from(secret: Password) -> Secret {
        Secret::Here(secret)
    }
}

impl Default for Secret {
    fn default() -> Secret {
        Secret::Here(Password::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_the_first_line_of_its_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hunter2\n# made on Monday\n").unwrap();
        let secret = Secret::File { file: file.path().to_owned() };
        assert_eq!(secret.read().unwrap().expose(), "hunter2");
        std::fs::write(file.path(), "\nhunter2\n").unwrap();
        assert!(secret.read().unwrap_err().to_string().ends_with(": it is empty"), "half written, or never");
    }

    #[test]
    fn a_secret_is_not_shown_by_whatever_shows_what_it_stands_in() {
        let secret = Secret::Here(Password::new("hunter2"));
        let shown = format!("{secret:?} {secret:#?} {}", serde_json::to_string(&secret).unwrap());
        assert!(!shown.contains("hunter2") && shown.contains(HIDDEN), "{shown}");
    }

    #[test]
    fn who_reads_why_a_secret_cannot_be_had_is_told_where_it_should_be() {
        let missing = Secret::Env { env: "CTIGATE_NO_SUCH_VARIABLE".to_owned() };
        assert_eq!(
            missing.read().unwrap_err().to_string(),
            "environment variable CTIGATE_NO_SUCH_VARIABLE: it is not set"
        );
        let missing = Secret::File { file: "/no/such/file".into() };
        assert!(missing.read().unwrap_err().to_string().starts_with("/no/such/file: cannot be read: "));
    }
}
