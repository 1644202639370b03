//! The keys of a listener's or a link's TLS. Not here: what is done with them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[listener.tls]`: the certificate that a listener shows, and what it wants of its clients'.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// A PEM file: the listener's certificate, and those between it and the one that clients know.
    pub certificate: PathBuf,
    /// A PEM file: the certificate's private key.
    pub key: PathBuf,
    /// A PEM file: who signs the certificates of clients.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// Whether clients have to show one.
    #[serde(default)]
    pub client_certificates: ClientCertificates,
    /// The oldest version that is spoken.
    #[serde(default)]
    pub min_version: TlsVersion,
}

/// Whether clients have to show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificates {
    /// It is not asked for.
    #[default]
    None,
    /// It is asked for; whoever shows one that is not good is not let in.
    Optional,
    /// Nobody is let in without.
    Required,
}

/// A version of TLS. What is older than these has known holes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum TlsVersion {
    /// RFC 5246, with forward secrecy and authenticated encryption only.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// RFC 8446.
    #[serde(rename = "1.3")]
    V1_3,
}

impl TlsConfig {
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        match (&self.client_ca, self.client_certificates) {
            (None, ClientCertificates::Optional | ClientCertificates::Required) => {
                Err(("client_ca", "it is missing: whose certificates are good?".to_owned()))
            }
            (Some(_), ClientCertificates::None) => {
                Err(("client_ca", "client_certificates is \"none\", so it would be ignored".to_owned()))
            }
            _ => Ok(()),
        }
    }
}
