//! Listeners with TLS: who is let in by which certificate, and what is said there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cti_protocol::ged188::codes::{ConfigMsgMask, ServiceMask, Status};
use cti_protocol::ged188::{AnyMessage, ConfigRequestEvent, HeartbeatReq, OpenReq};
use ctigate::acd::AgentsConfig;
use ctigate::acd::embedded::{EmbeddedConfig, InstrumentsConfig};
use ctigate::config::{
    ClientCertificates, ClientConfig, Config, DialectName, ListenerConfig, TlsConfig, TlsVersion, Transport,
};
use ctigate::model::{Password, QueueId, Role};
use ctigate::server::Gateway;
use ctigate::tls::{Stream, Trust, TrustConfig};
use futures_util::StreamExt;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::{self, ClientConfig as TlsClient, RootCertStore, SupportedProtocolVersion};

use crate::support::desk::{open_req, services_of_bridge, text};
use crate::support::house::client;
use crate::support::observed::Series;
use crate::support::wire::{Served, Wire, served, served_by};

#[tokio::test]
async fn a_session_goes_over_tls_as_it_goes_without() {
    let authority = Authority::new();
    let served = served(|config| config.listeners[0].tls = Some(authority.listener("gate.example"))).await;
    let mut desk = Wire::on(authority.connects(&served).await.unwrap());
    desk.opens(OpenReq { agent_id: text("1001"), ..open_req("desk", ServiceMask::CTI_SERVICE_CLIENT_EVENTS) }).await;
    for invoke_id in 0..100 {
        desk.sends(HeartbeatReq { invoke_id, ..Default::default() }).await;
        let answer = desk.receives().await;
        assert!(matches!(&answer, Some(AnyMessage::HeartbeatConf(conf)) if conf.invoke_id == invoke_id), "{answer:?}");
    }
    served.gateway.drain().await;
    let goodbye = desk.receives().await;
    assert!(
        matches!(goodbye, Some(AnyMessage::FailureEvent(event)) if event.status == Status::E_CTI_CTI_SERVER_OFFLINE)
    );
    assert!(desk.receives().await.is_none(), "and TLS is closed in good order");
}

/// The gateway's own links, before something that asks for a certificate: here, a listener of its own.
#[tokio::test]
async fn a_link_shows_the_certificate_that_it_is_configured_with_where_it_is_asked_for_one() {
    let authority = Authority::new();
    let asking = authority.asks(authority.listener("gate.example"), ClientCertificates::Required);
    let served = served(|config| config.listeners[0].tls = Some(asking)).await;
    let Signed { certificate, key } = authority.certificate("gateway.example");
    let with = TrustConfig {
        ca: authority.file("link-ca.pem", &authority.certificate.pem()),
        name: Some("gate.example".to_owned()),
        certificate: Some(authority.file("link.pem", &certificate)),
        key: Some(authority.file("link.key", &key)),
    };
    let without = TrustConfig { certificate: None, key: None, ..with.clone() };
    for (config, is_let_in) in [(with, true), (without, false)] {
        let trust = Trust::read(&config, "gate.example").unwrap();
        let socket = TcpStream::connect(served.address).await.unwrap();
        let opened = async {
            // Whoever shows none is told so behind the handshake.
            let mut wire = Wire::on(Stream::over(socket, Some(&trust)).await.ok()?);
            let open = wire.frame(open_req("link", ServiceMask(0)));
            wire.stream.write_all(&open).await.ok()?;
            wire.stream.flush().await.ok()?;
            wire.receives().await
        };
        assert_eq!(matches!(opened.await, Some(AnyMessage::OpenConf(_))), is_let_in);
    }
}

/// More than TLS and the socket take at once has to be written on when the client reads.
#[tokio::test]
async fn a_large_answer_arrives_whole_however_late_it_is_read() {
    let authority = Authority::new();
    const AGENTS: u32 = 20_000;
    let world = EmbeddedConfig {
        agents: vec![AgentsConfig {
            first: 10_000,
            count: AGENTS,
            password: Password::new("pw{id}").into(),
            queues: vec![QueueId(1)],
        }],
        instruments: vec![InstrumentsConfig { first: 3001, count: 10 }],
        ..EmbeddedConfig::default()
    };
    let tls = authority.listener("gate.example");
    let served = served_by(world, |config| config.listeners[0].tls = Some(tls)).await;
    let mut desk = Wire::on(authority.connects(&served).await.unwrap());
    let services = services_of_bridge() | ServiceMask::CTI_SERVICE_CONFIG_EVENTS;
    desk.opens(open_req("bridge", services)).await;
    let config_information = ConfigMsgMask::CONFIG_AGENT;
    desk.sends(ConfigRequestEvent { config_information, peripheral_id: u32::MAX, ..Default::default() }).await;
    // Nothing is read until the gateway has no more room anywhere.
    desk.sends(HeartbeatReq { invoke_id: 77, ..Default::default() }).await;
    tokio::task::yield_now().await;
    let mut agents = 0;
    loop {
        match desk.receives().await.expect("a message") {
            AnyMessage::ConfigAgentEvent(event) => agents += u32::from(event.num_records),
            AnyMessage::HeartbeatConf(_) => break,
            _ => (),
        }
    }
    assert_eq!(agents, AGENTS);
}

#[tokio::test]
async fn who_does_not_speak_tls_or_says_nothing_is_cut_and_nobody_else_notices() {
    let authority = Authority::new();
    let served = served(|config| {
        config.listeners[0].tls = Some(authority.listener("gate.example"));
        config.timeouts.open = Duration::from_millis(300);
        config.observe.address = Some("127.0.0.1:0".parse().unwrap());
    })
    .await;
    let mut plain = TcpStream::connect(served.address).await.unwrap();
    plain.write_all(&[0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 9]).await.unwrap();
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    let mut good = Wire::on(authority.connects(&served).await.unwrap());
    good.opens(open_req("good", services_of_bridge())).await;
    let mut said = Vec::new();
    plain.read_to_end(&mut said).await.unwrap_or_default();
    assert!(!said.windows(4).any(|bytes| bytes == [0, 0, 0, 4]), "nothing of the protocol is said in the clear");
    assert_eq!(silent.read(&mut [0; 16]).await.unwrap_or_default(), 0, "the time for opening runs from the accept");
    let series = Series::of(served.gateway.observed_at().unwrap()).await;
    for reason in ["no_tls", "not_opened"] {
        let closed = "ctigate_connections_closed_total{dialect=\"ged188\",listener=\"ged188\"";
        assert_eq!(series.value(&format!("{closed},reason=\"{reason}\"}}")), 1.0, "{reason}");
    }
    good.receives().await;
    good.sends(HeartbeatReq { invoke_id: 1, ..Default::default() }).await;
    assert!(matches!(good.receives().await, Some(AnyMessage::HeartbeatConf(_))));
}

#[tokio::test]
async fn a_required_certificate_lets_in_whom_its_authority_knows_and_nobody_else() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let served = served(|config| {
        let tls = authority.listener("gate.example");
        config.listeners[0].tls = Some(authority.asks(tls, ClientCertificates::Required));
    })
    .await;
    let known = authority.certificate("desk.example");
    let mut desk = Wire::on(authority.connects_with(&served, Some(&known)).await.unwrap());
    desk.opens(open_req("desk", services_of_bridge())).await;
    for shown in [None, Some(stranger.certificate("desk.example"))] {
        // In TLS 1.3 a client hears of it with its first read.
        let refused = match authority.connects_with(&served, shown.as_ref()).await {
            Err(_) => true,
            Ok(stream) => {
                let mut wire = Wire::on(stream);
                let frame = wire.frame(open_req("desk", services_of_bridge()));
                wire.stream.write_all(&frame).await.is_err() || wire.receives().await.is_none()
            }
        };
        assert!(refused, "{shown:?}");
    }
}

#[tokio::test]
async fn a_client_that_is_to_come_with_its_certificate_is_not_known_without() {
    let authority = Authority::new();
    let served = served(|config| {
        let tls = authority.listener("gate.example");
        config.listeners[0].tls = Some(authority.asks(tls, ClientCertificates::Optional));
        let certificate = Some("crm.example".to_owned());
        config.clients = vec![ClientConfig { certificate, password: None, ..client("crm", Role::Bridge) }];
    })
    .await;
    let own = authority.certificate("crm.example");
    let mut crm = Wire::on(authority.connects_with(&served, Some(&own)).await.unwrap());
    crm.opens(open_req("crm", services_of_bridge())).await;
    for shown in [None, Some(authority.certificate("desk.example"))] {
        let mut other = Wire::on(authority.connects_with(&served, shown.as_ref()).await.unwrap());
        other.sends(open_req("crm", services_of_bridge())).await;
        let answer = other.receives().await;
        let is_refused =
            matches!(&answer, Some(AnyMessage::FailureConf(no)) if no.status == Status::E_CTI_INVALID_PASSWORD);
        assert!(is_refused, "{answer:?}");
    }
}

#[tokio::test]
async fn an_older_version_than_is_wanted_is_not_spoken() {
    let authority = Authority::new();
    for (min_version, is_spoken) in [(TlsVersion::V1_2, true), (TlsVersion::V1_3, false)] {
        let served = served(|config| {
            config.listeners[0].tls = Some(TlsConfig { min_version, ..authority.listener("gate.example") });
        })
        .await;
        let connected = authority.connects_by(&served, None, &[&rustls::version::TLS12]).await;
        assert_eq!(connected.is_ok(), is_spoken, "{min_version:?}");
        assert!(authority.connects_by(&served, None, &[&rustls::version::TLS13]).await.is_ok());
    }
}

#[tokio::test]
async fn a_websocket_goes_over_tls() {
    let authority = Authority::new();
    let served = served(|config| {
        config.listeners[0] = ListenerConfig {
            dialect: DialectName::Opencti,
            transport: Transport::Websocket,
            address: "127.0.0.1:0".parse().unwrap(),
            tls: Some(authority.listener("gate.example")),
            ..ListenerConfig::default()
        };
    })
    .await;
    let stream = authority.connects(&served).await.unwrap();
    let url = format!("wss://{}/", served.address);
    let (mut websocket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    let hello = r#"{"id":1,"activity":"Hello","protocolVersion":1,"identity":"crm"}"#;
    futures_util::SinkExt::send(&mut websocket, hello.into()).await.unwrap();
    let welcome = websocket.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(welcome.contains("\"ok\":true"), "{welcome}");
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_who_connects_after_the_reload_and_a_bad_one_changes_nothing() {
    let (old, new) = (Authority::new(), Authority::new());
    let files = old.listener("gate.example");
    let mut config = Config::default();
    config.listeners[0].address = "127.0.0.1:0".parse().unwrap();
    config.listeners[0].tls = Some(files.clone());
    let gateway = Gateway::start(config.clone()).await.unwrap();
    let address = gateway.listeners()[0].1;
    let mut before = Wire::on(old.connects_to(address).await.unwrap());
    before.opens(open_req("before", ServiceMask(0))).await;

    std::fs::write(&files.certificate, "no certificate").unwrap();
    let error = gateway.reload(&config).unwrap_err().to_string();
    assert!(error.starts_with("listener[0].tls.certificate: "), "{error}");
    old.connects_to(address).await.expect("the old one is in force");

    let renewed = new.listener("gate.example");
    std::fs::copy(&renewed.certificate, &files.certificate).unwrap();
    std::fs::copy(&renewed.key, &files.key).unwrap();
    gateway.reload(&config).unwrap();
    new.connects_to(address).await.expect("the new one is in force");
    assert!(old.connects_to(address).await.is_err());
    before.sends(HeartbeatReq { invoke_id: 1, ..Default::default() }).await;
    assert!(matches!(before.receives().await, Some(AnyMessage::HeartbeatConf(_))), "who is connected stays so");
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named_with_their_key() {
    let authority = Authority::new();
    let good = authority.listener("gate.example");
    let other_key = authority.listener("other.example").key;
    for (tls, wrong) in [
        (TlsConfig { certificate: "/no/such/file".into(), ..good.clone() }, "tls.certificate: /no/such/file: "),
        (TlsConfig { key: good.certificate.clone(), ..good.clone() }, "tls.key: "),
        (TlsConfig { certificate: good.key.clone(), ..good.clone() }, "there is no certificate in it"),
        (TlsConfig { key: other_key, ..good.clone() }, " and key "),
    ] {
        let mut config = Config::default();
        config.listeners[0].address = "127.0.0.1:0".parse().unwrap();
        config.listeners[0].tls = Some(tls);
        let error = Gateway::start(config).await.expect_err("it cannot start").to_string();
        assert!(error.contains(wrong) && error.starts_with("listener[0].tls."), "{wrong:?} in {error:?}");
    }
}

/// Somebody who signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
    files: TempDir,
}

/// A certificate and its key.
#[derive(Debug)]
struct Signed {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Authority { issuer: Issuer::new(params, key), certificate, files: tempfile::tempdir().unwrap() }
    }

    fn certificate(&self, name: &str) -> Signed {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Signed { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// What a listener of that name is configured with.
    fn listener(&self, name: &str) -> TlsConfig {
        let Signed { certificate, key } = self.certificate(name);
        TlsConfig {
            certificate: self.file(&format!("{name}.pem"), &certificate),
            key: self.file(&format!("{name}.key"), &key),
            client_ca: None,
            client_certificates: ClientCertificates::None,
            min_version: TlsVersion::default(),
        }
    }

    /// The same, for clients with certificates of this authority.
    fn asks(&self, tls: TlsConfig, client_certificates: ClientCertificates) -> TlsConfig {
        let client_ca = Some(self.file("ca.pem", &self.certificate.pem()));
        TlsConfig { client_ca, client_certificates, ..tls }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.files.path().join(Path::new(name));
        std::fs::write(&path, text).unwrap();
        path
    }

    async fn connects(&self, served: &Served) -> std::io::Result<TlsStream<TcpStream>> {
        self.connects_with(served, None).await
    }

    async fn connects_to(&self, address: std::net::SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        self.handshake(address, None, rustls::DEFAULT_VERSIONS).await
    }

    async fn connects_with(&self, served: &Served, shown: Option<&Signed>) -> std::io::Result<TlsStream<TcpStream>> {
        self.handshake(served.address, shown, rustls::DEFAULT_VERSIONS).await
    }

    async fn connects_by(
        &self,
        served: &Served,
        shown: Option<&Signed>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        self.handshake(served.address, shown, versions).await
    }

    /// A client that trusts this authority alone.
    async fn handshake(
        &self,
        address: std::net::SocketAddr,
        shown: Option<&Signed>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = TlsClient::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let builder = builder.with_root_certificates(roots);
        let config = match shown {
            None => builder.with_no_client_auth(),
            Some(Signed { certificate, key }) => {
                let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![certificate], key).unwrap()
            }
        };
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("gate.example").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}
