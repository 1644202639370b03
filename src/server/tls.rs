//! TLS of listeners: their certificates, and what they want of clients'.
//!
//! Not here: what a certificate's name is good for (`access`), the TLS of links to ACDs (`acd`).
//! Must hold: a client's certificate is used only after it was verified.

use std::io;
use std::sync::Arc;

use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, ServerConfig, SupportedProtocolVersion};
use tokio_rustls::server::TlsStream;

use crate::access::Certificate;
use crate::config::{ClientCertificates, TlsConfig, TlsVersion};
use crate::tls::{TlsError, authorities, certificates, private_key};

/// A listener's TLS, as its files were when they were read.
pub(super) struct Secured(TlsAcceptor);

impl Secured {
    /// Reads the files of a listener.
    pub(super) fn new(settings: &TlsConfig) -> Result<Secured, TlsError> {
        Ok(Secured(TlsAcceptor::from(Arc::new(server_config(settings)?))))
    }

    /// Agrees with a client, and says which certificate it has shown.
    pub(super) async fn shake_hands(
        &self,
        stream: TcpStream,
    ) -> io::Result<(TlsStream<TcpStream>, Option<Arc<dyn Certificate>>)> {
        let stream = self.0.accept(stream).await?;
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let certificate = shown.map(|shown| Arc::new(Shown(shown.clone().into_owned())) as Arc<dyn Certificate>);
        Ok((stream, certificate))
    }
}

/// A client's certificate. It was verified as the handshake ended.
#[derive(Debug)]
struct Shown(CertificateDer<'static>);

impl Certificate for Shown {
    fn is_for(&self, name: &str) -> bool {
        let Ok(name) = ServerName::try_from(name) else { return false };
        webpki::EndEntityCert::try_from(&self.0)
            .is_ok_and(|certificate| certificate.verify_is_valid_for_subject_name(&name).is_ok())
    }
}

fn server_config(settings: &TlsConfig) -> Result<ServerConfig, TlsError> {
    let unusable = |error: &dyn std::fmt::Display| TlsError::Unusable(error.to_string());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_protocol_versions(versions(settings.min_version)).map_err(|error| unusable(&error))?;
    let builder = match &settings.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let roots = authorities("client_ca", file)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = match settings.client_certificates {
                ClientCertificates::Required => verifier,
                ClientCertificates::Optional | ClientCertificates::None => verifier.allow_unauthenticated(),
            };
            builder.with_client_cert_verifier(verifier.build().map_err(|error| unusable(&error))?)
        }
    };
    let chain = certificates("certificate", &settings.certificate)?;
    let key = private_key("key", &settings.key)?;
    builder.with_single_cert(chain, key).map_err(|error| {
        unusable(&format!("certificate {} and key {}: {error}", settings.certificate.display(), settings.key.display()))
    })
}

fn versions(min: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    const SINCE_1_2: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
    const SINCE_1_3: &[&SupportedProtocolVersion] = &[&TLS13];
    match min {
        TlsVersion::V1_2 => SINCE_1_2,
        TlsVersion::V1_3 => SINCE_1_3,
    }
}
