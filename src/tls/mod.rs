//! TLS, from either side: PEM files into certificates and keys, and a connection from here to somebody who is trusted.
//!
//! Not here: what a listener wants of its clients (`server`), which links have TLS (`acd`, `cli`).

mod trust;

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::RootCertStore;

pub use trust::{Stream, Trust, TrustConfig};

/// Why TLS cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{key}: {}: {error}", file.display())]
    File {
        /// The key in the configuration.
        key: &'static str,
        /// The file that it names.
        file: PathBuf,
        /// What is wrong with it.
        error: rustls_pki_types::pem::Error,
    },
    /// A file has no certificate in it.
    #[error("{key}: {}: there is no certificate in it", file.display())]
    Empty {
        /// The key in the configuration.
        key: &'static str,
        /// The file that it names.
        file: PathBuf,
    },
    /// They cannot be used, or not together.
    #[error("{0}")]
    Unusable(String),
}

/// All certificates of a PEM file, at least one.
pub(crate) fn certificates(key: &'static str, file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |error| TlsError::File { key, file: file.to_owned(), error };
    let open = File::open(file).map_err(|error| wrong(rustls_pki_types::pem::Error::Io(error)))?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_reader_iter(BufReader::new(open)).collect();
    match all.map_err(wrong)? {
        none if none.is_empty() => Err(TlsError::Empty { key, file: file.to_owned() }),
        some => Ok(some),
    }
}

/// The private key of a PEM file.
pub(crate) fn private_key(key: &'static str, file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| TlsError::File { key, file: file.to_owned(), error })
}

/// Those who sign certificates that are taken for good.
pub(crate) fn authorities(key: &'static str, file: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(key, file)? {
        let added = roots.add(certificate);
        added.map_err(|error| TlsError::Unusable(format!("{key}: {}: {error}", file.display())))?;
    }
    Ok(roots)
}
