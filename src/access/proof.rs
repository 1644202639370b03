//! How a client proves who it is: a password, known plainly or by its Argon2 hash, or a certificate.
//!
//! Not here: how often it may try (`guesses`).

use std::collections::HashMap;
use std::fmt;

use argon2::password_hash::phc::{self, PasswordHash as Parsed};
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params};
use blake2::digest::{KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::Password;

/// What a client has to show; whatever is named here, all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// What it has to know.
    pub password: Known,
    /// The name that its certificate has to be for.
    pub certificate: Option<String>,
}

/// What is known of a client's password.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// The password itself. An empty one is an open door to whoever names the client.
    Plainly(Password),
    /// Its hash.
    ByHash(PasswordHash),
    /// Nothing: its certificate is enough.
    NotAsked,
}

/// An Argon2 hash in PHC's text, such as `$argon2id$v=19$m=19456,t=2,p=1$…$…`; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Why a text is no hash that can be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordHashError {
    /// It is not one of Argon2.
    #[error("it is no Argon2 hash such as `ctigate passwd` makes: {0}")]
    Unreadable(phc::Error),
    /// It is one of Argon2's with parameters that it does not have.
    #[error("it is no Argon2 hash such as `ctigate passwd` makes: {0}")]
    Unsupported(password_hash::Error),
    /// It is a set of parameters, without a salt or hash.
    #[error("it is no Argon2 hash such as `ctigate passwd` makes: it ends before its salt or hash")]
    CutOff,
    /// Checking it would take more than a gateway can give.
    #[error("it asks for {memory_kib} KiB of memory and {passes} passes, more than {MEMORY_KIB_MAX} and {PASSES_MAX}")]
    TooDear {
        /// What it asks for, KiB.
        memory_kib: u32,
        /// How often the memory is gone through.
        passes: u32,
    },
    /// It could not be made.
    #[error("the hash cannot be made: {0}")]
    NotMade(password_hash::Error),
}

/// What one check of a password costs: the client, the gateway, and whoever guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// How often it is gone through.
    pub passes: u32,
}

const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;

impl Default for HashCost {
    /// What OWASP's password storage cheat sheet (2024) names first for Argon2id.
    fn default() -> HashCost {
        HashCost { memory_kib: 19 * 1024, passes: 2 }
    }
}

impl PasswordHash {
    /// Takes a hash as `ctigate passwd` prints it.
    pub fn new(text: &str) -> Result<PasswordHash, PasswordHashError> {
        let parsed = Parsed::new(text).map_err(PasswordHashError::Unreadable)?;
        argon2::Algorithm::new(parsed.algorithm).map_err(|error| PasswordHashError::Unsupported(error.into()))?;
        let params = Params::try_from(&parsed).map_err(PasswordHashError::Unsupported)?;
        let (memory_kib, passes) = (params.m_cost(), params.t_cost());
        if memory_kib > MEMORY_KIB_MAX || passes > PASSES_MAX {
            return Err(PasswordHashError::TooDear { memory_kib, passes });
        }
        if parsed.hash.is_none() || parsed.salt.is_none() {
            return Err(PasswordHashError::CutOff);
        }
        Ok(PasswordHash(text.to_owned()))
    }

    /// Hashes a password, with a new salt.
    pub fn of(password: &Password, cost: HashCost) -> Result<PasswordHash, PasswordHashError> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None);
        let params = params.map_err(|error| PasswordHashError::NotMade(error.into()))?;
        let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let salt: [u8; 16] = rand::random();
        let hash = argon2.hash_password_with_salt(password.expose().as_bytes(), &salt);
        let hash: Parsed = hash.map_err(PasswordHashError::NotMade)?;
        PasswordHash::new(&hash.to_string())
    }

    /// The hash itself, for who writes it into a configuration.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn is_of(&self, password: &Password) -> bool {
        let Ok(parsed) = Parsed::new(&self.0) else { return false };
        Argon2::default().verify_password(password.expose().as_bytes(), &parsed).is_ok()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'de> Deserialize<'de> for PasswordHash {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<PasswordHash, D::Error> {
        let text = String::deserialize(input)?;
        PasswordHash::new(&text).map_err(serde::de::Error::custom)
    }
}

impl Serialize for PasswordHash {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_str("***")
    }
}

impl Proof {
    /// Whether the password is right, where that takes no time.
    pub(super) fn is_right_at_once(&self, password: &Password) -> Option<bool> {
        match &self.password {
            Known::Plainly(known) => Some(known.matches(password)),
            Known::ByHash(_) => None,
            Known::NotAsked => Some(self.certificate.is_some()),
        }
    }

    /// Whether the password is right. Takes as long as its hash wants.
    pub(super) fn is_right(&self, password: &Password) -> bool {
        match &self.password {
            Known::ByHash(hash) => hash.is_of(password),
            _ => self.is_right_at_once(password).unwrap_or(false),
        }
    }
}

/// Passwords that were right, as digests under a key that this process forgets: ten thousand desktops that come back at
/// once, all with the same password, cost one slow hash.
pub(super) struct Proven {
    key: [u8; 32],
    digests: HashMap<String, (Proof, Digest)>,
}

pub(super) type Digest = [u8; 32];

impl Proven {
    pub(super) fn new() -> Proven {
        Proven { key: rand::random(), digests: HashMap::new() }
    }

    pub(super) fn holds(&self, id: &str, proof: &Proof, digest: &Digest) -> bool {
        use subtle::ConstantTimeEq;
        self.digests.get(id).is_some_and(|(of, known)| of == proof && known.ct_eq(digest).into())
    }

    pub(super) fn remember(&mut self, id: &str, proof: &Proof, password: &Password) {
        let digest = self.digest(id, password);
        self.digests.insert(id.to_owned(), (proof.clone(), digest));
    }

    pub(super) fn keep(&mut self, is_still: impl Fn(&str, &Proof) -> bool) {
        self.digests.retain(|id, (proof, _)| is_still(id, proof));
    }

    /// A number for a name, always the same and not to be foretold.
    pub(super) fn number(&self, id: &str) -> usize {
        let [first, second, third, fourth, ..] = self.digest(id, &Password::default());
        u32::from_be_bytes([first, second, third, fourth]) as usize
    }

    pub(super) fn digest(&self, id: &str, password: &Password) -> Digest {
        let mut digest = <blake2::Blake2sMac256 as KeyInit>::new(&self.key.into());
        // Lengths first: no two pairs are written alike.
        digest.update(&(id.len() as u64).to_be_bytes());
        digest.update(id.as_bytes());
        digest.update(password.expose().as_bytes());
        digest.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: HashCost = HashCost { memory_kib: 8, passes: 1 };

    #[test]
    fn a_hash_is_of_its_password_only_and_two_of_one_password_differ() {
        let (right, wrong) = (Password::new("hunter2"), Password::new("hunter3"));
        let (one, two) = (PasswordHash::of(&right, CHEAP).unwrap(), PasswordHash::of(&right, CHEAP).unwrap());
        assert!(one.is_of(&right) && two.is_of(&right) && !one.is_of(&wrong));
        assert_ne!(one, two);
        assert!(one.expose().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", one.expose());
        assert_eq!(format!("{one:?}"), "***");
    }

    #[test]
    fn what_is_no_hash_or_too_dear_to_check_is_refused_with_the_reason() {
        for (text, why) in [
            ("hunter2", "it is no Argon2 hash such as `ctigate passwd` makes: "),
            ("$2b$12$abcdefghijklmnopqrstuv", "it is no Argon2 hash such as `ctigate passwd` makes: "),
            ("$argon2id$v=19$m=19456,t=2,p=1", "it is no Argon2 hash such as `ctigate passwd` makes: "),
            (
                "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG",
                "it asks for 4194304 KiB of memory and 2 passes",
            ),
        ] {
            let error = PasswordHash::new(text).unwrap_err().to_string();
            assert!(error.starts_with(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_hash_made_elsewhere_is_taken() {
        // The reference implementation's test vector: `argon2 somesalt -t 2 -m 16 -p 1 -l 32 -id` of "password".
        let text = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let hash = PasswordHash::new(text).unwrap();
        assert!(hash.is_of(&Password::new("password")) && !hash.is_of(&Password::new("Password")));
    }

    #[test]
    fn a_password_proved_once_is_not_taken_for_another_client_or_a_changed_hash() {
        let password = Password::new("hunter2");
        let proof = |hash| Proof { password: Known::ByHash(hash), certificate: None };
        let old = proof(PasswordHash::of(&password, CHEAP).unwrap());
        let new = proof(PasswordHash::of(&password, CHEAP).unwrap());
        let mut proven = Proven::new();
        proven.remember("crm", &old, &password);
        assert!(proven.holds("crm", &old, &proven.digest("crm", &password)));
        assert!(!proven.holds("crm", &old, &proven.digest("crm", &Password::new("hunter3"))));
        assert!(!proven.holds("cr", &old, &proven.digest("cr", &Password::new("mhunter2"))));
        assert!(!proven.holds("wallboard", &old, &proven.digest("wallboard", &password)));
        assert!(!proven.holds("crm", &new, &proven.digest("crm", &password)));
    }
}
