//! What the link shows an Asterisk and whom it trusts: read anew from where it is kept each time that the link is made, so that
//! a secret or a certificate that was replaced counts from the next link on, without a restart.
//!
//! Not here: where it is kept (`config`). Must hold: a file that cannot be used costs no link: what was read last is used, and
//! that is said.

use parking_lot::Mutex;
use tracing::warn;

use super::config::AsteriskConfig;
use crate::acd::AcdConfigError;
use crate::model::Password;
use crate::tls::Trust;

/// Secret and trust of one link.
#[derive(Debug)]
pub(super) struct Credentials {
    config: AsteriskConfig,
    last: Mutex<(Read, Said)>,
}

/// What was said of secret and certificates that cannot be read: once, until it is something else.
type Said = [Option<String>; 2];

/// What was read.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) secret: Password,
    pub(super) trust: Option<Trust>,
}

impl Credentials {
    /// Those that the configuration names, which can be read now.
    pub(super) fn new(config: &AsteriskConfig) -> Result<Credentials, AcdConfigError> {
        let last = Read { secret: config.read_secret()?, trust: config.trust()? };
        Ok(Credentials { config: config.clone(), last: Mutex::new((last, Said::default())) })
    }

    /// As they are now or, each by itself, as they were when they could be read last.
    pub(super) fn read(&self) -> Read {
        let (last, said) = &mut *self.last.lock();
        let (secret, trust) = (self.config.read_secret(), self.config.trust());
        let errors = [secret.as_ref().err(), trust.as_ref().err()].map(|error| error.map(AcdConfigError::to_string));
        for error in errors.iter().zip(&*said).filter(|(now, before)| now != before).filter_map(|(now, _)| now.as_ref())
        {
            warn!(host = self.config.host, port = self.config.port, error, "what was read before goes on being used");
        }
        *said = errors;
        last.secret = secret.unwrap_or_else(|_| last.secret.clone());
        last.trust = trust.unwrap_or_else(|_| last.trust.clone());
        last.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_replaced_is_read_and_what_cannot_be_read_stays_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let (secret, ca) = (directory.path().join("secret"), directory.path().join("ca.pem"));
        let certificate = rcgen::generate_simple_self_signed(["pbx.example".to_owned()]).unwrap();
        std::fs::write(&secret, "one").unwrap();
        std::fs::write(&ca, certificate.cert.pem()).unwrap();
        let config: AsteriskConfig = toml::from_str(&format!(
            "user = \"u\"\nsecret = {{ file = {secret:?} }}\ntls = {{ ca = {ca:?} }}\n[[queue]]\nnumber = 1\nname = \"q\""
        ))
        .unwrap();
        let credentials = Credentials::new(&config).unwrap();
        std::fs::write(&secret, "two").unwrap();
        std::fs::write(&ca, "no certificate").unwrap();
        let read = credentials.read();
        assert!(read.secret.expose() == "two" && read.trust.is_some());
        std::fs::remove_file(&secret).unwrap();
        assert_eq!(credentials.read().secret.expose(), "two");
    }
}
