//! The connecting side: whom it trusts, and what it shows. Not here: when it connects.
//!
//! Must hold: nothing is said before the other side has shown a certificate that is known, or signed by one that is, and is for
//! the name that is wanted.

use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};

use super::{TlsError, authorities, certificates, private_key};

/// Whom a connection from here trusts, and what it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TrustConfig {
    /// A PEM file: who signs the other side's certificate, or that certificate itself, which is trusted then whoever signed it
    /// and however old it is.
    pub ca: PathBuf,
    /// The name that it has to be for; the host that is connected to if left out.
    #[serde(default)]
    pub name: Option<String>,
    /// A PEM file: the certificate that is shown, where one is asked for.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// A PEM file: its private key.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

impl TrustConfig {
    /// A certificate and its key go together.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        match (&self.certificate, &self.key) {
            (Some(_), None) => Err(("key", "it is missing: certificate needs it".to_owned())),
            (None, Some(_)) => Err(("certificate", "it is missing: key belongs to it".to_owned())),
            _ => Ok(()),
        }
    }
}

/// The same with its files read.
#[derive(Clone)]
pub struct Trust {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trust").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Trust {
    /// Reads the files.
    pub fn read(config: &TrustConfig, host: &str) -> Result<Trust, TlsError> {
        let unusable = |error: &dyn std::fmt::Display| TlsError::Unusable(error.to_string());
        let name = config.name.as_deref().unwrap_or(host);
        let name =
            ServerName::try_from(name.to_owned()).map_err(|error| unusable(&format!("name: {name:?}: {error}")))?;
        let named = certificates("ca", &config.ca)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let signed = WebPkiServerVerifier::builder_with_provider(
            Arc::new(authorities("ca", &config.ca)?),
            Arc::clone(&provider),
        );
        let signed = signed.build().map_err(|error| unusable(&error))?;
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().map_err(|error| unusable(&error))?;
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(NamedOrSigned { named, signed }));
        let client = match (&config.certificate, &config.key) {
            (Some(certificate), Some(key)) => {
                let chain = certificates("certificate", certificate)?;
                let shown = builder.with_client_auth_cert(chain, private_key("key", key)?);
                shown.map_err(|error| unusable(&format!("certificate {}: {error}", certificate.display())))?
            }
            _ => builder.with_no_client_auth(),
        };
        Ok(Trust { connector: TlsConnector::from(Arc::new(client)), name })
    }

    async fn shake_hands(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

/// Takes the very certificates that are named, and those that they have signed. Most certificates that sign themselves are
/// made as an authority's, which no server may show by the rules of signed ones.
#[derive(Debug)]
struct NamedOrSigned {
    named: Vec<CertificateDer<'static>>,
    signed: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for NamedOrSigned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if !self.named.contains(shown) {
            return self.signed.verify_server_cert(shown, between, name, ocsp, now);
        }
        let is_for = webpki::EndEntityCert::try_from(shown)
            .is_ok_and(|shown| shown.verify_is_valid_for_subject_name(name).is_ok());
        match is_for {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::NotValidForName.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signed.verify_tls12_signature(message, shown, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signed.verify_tls13_signature(message, shown, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}

/// A connection, plain or secured.
#[derive(Debug)]
pub enum Stream {
    /// As it is.
    Plain(TcpStream),
    /// Under TLS.
    Secured(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Agrees upon TLS, where somebody is to be trusted.
    pub async fn over(stream: TcpStream, trust: Option<&Trust>) -> io::Result<Stream> {
        match trust {
            None => Ok(Stream::Plain(stream)),
            Some(trust) => Ok(Stream::Secured(Box::new(trust.shake_hands(stream).await?))),
        }
    }
}

/// Does the same with either.
macro_rules! either {
    ($self:ident, $stream:ident => $do:expr) => {
        match $self.get_mut() {
            Stream::Plain($stream) => $do,
            Stream::Secured($stream) => $do,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_read(cx, into))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write_vectored(cx, bytes))
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self, Stream::Plain(_))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
