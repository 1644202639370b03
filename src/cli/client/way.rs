//! The way to a gateway: its address, and TLS where that is asked for. Not here: what is said then.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::tls::{Stream, TlsError, Trust, TrustConfig};

/// How long a connection may take to be made.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// TLS to the gateway.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct TlsArgs {
    /// Connect with TLS: a PEM file with who signs the gateway's certificate, or that certificate itself.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// The name that the gateway's certificate is for [default: the host that is connected to]
    #[arg(long, value_name = "NAME", requires = "tls_ca")]
    tls_name: Option<String>,
    /// A PEM file with the certificate that is shown to the gateway.
    #[arg(long, value_name = "FILE", requires = "tls_ca", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// A PEM file with its private key.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
}

impl TlsArgs {
    /// The way to a gateway at that address.
    pub(in crate::cli) fn way(&self, address: &str) -> Result<Way, TlsError> {
        let config = self.tls_ca.as_ref().map(|ca| TrustConfig {
            ca: ca.clone(),
            name: self.tls_name.clone(),
            certificate: self.tls_certificate.clone(),
            key: self.tls_key.clone(),
        });
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
        let trust = config.map(|config| Trust::read(&config, host)).transpose()?;
        Ok(Way { address: address.to_owned(), trust })
    }
}

/// Where a gateway is, and whom to trust there.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Way {
    address: String,
    trust: Option<Trust>,
}

impl Way {
    /// Connects; gives up after some seconds.
    pub(in crate::cli) async fn connect(&self) -> io::Result<Stream> {
        let connecting = timeout(CONNECT_WAIT, async {
            let stream = TcpStream::connect(&self.address).await?;
            stream.set_nodelay(true)?;
            Stream::over(stream, self.trust.as_ref()).await
        });
        connecting.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl From<&str> for Way {
    /// Without TLS.
    fn from(address: &str) -> Way {
        Way { address: address.to_owned(), trust: None }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}
