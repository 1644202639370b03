//! Every command that connects, to a gateway with TLS that wants to know who comes. Not here: the gateway's side of it.

use std::fs;
use std::path::PathBuf;

use bytes::BytesMut;
use cti_protocol::ged188::codes::Status;
use cti_protocol::ged188::{AnyMessage, FailureConf, OpenReq, Text, Version};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use tempfile::TempDir;

use crate::support::{Gateway, ctigate, text};

/// A gateway with a certificate for `gate.example` that signs itself, as `openssl req -x509` makes one.
struct Secured {
    gateway: Gateway,
    ca: String,
    other: String,
    _directory: TempDir,
}

impl Secured {
    fn start() -> Secured {
        let directory = tempfile::tempdir().expect("a directory");
        let file = |name: &str, content: &str| -> PathBuf {
            let path = directory.path().join(name);
            fs::write(&path, content).expect("a file");
            path
        };
        let made = || {
            let key = KeyPair::generate().expect("a key");
            let mut params = CertificateParams::new(vec!["gate.example".to_owned()]).expect("a name");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
        };
        let ((own, key), (other, _)) = (made(), made());
        let (certificate, key) = (file("gate.pem", &own), file("gate.key", &key));
        let config = format!(
            "[[listener]]\n[listener.tls]\ncertificate = {certificate:?}\nkey = {key:?}\n\
             [[client]]\nid = \"crm\"\nrole = \"bridge\"\npassword = \"hunter2\"\n"
        );
        let config = file("ctigate.toml", &config).display().to_string();
        let (ca, other) = (certificate.display().to_string(), file("other.pem", &other).display().to_string());
        Secured { gateway: Gateway::start_at("127.0.0.1:0", &["-c", &config]), ca, other, _directory: directory }
    }

    fn address(&self) -> &str {
        &self.gateway.address
    }

    /// Where TLS is told of, trusting that file.
    fn trusting<'a>(&self, ca: &'a str) -> [&'a str; 4] {
        ["--tls-ca", ca, "--tls-name", "gate.example"]
    }
}

const CLIENT: [&str; 4] = ["--client-id", "crm", "--client-password", "hunter2"];

#[test]
fn an_agent_a_bench_a_supervisor_and_a_replay_work_over_tls() {
    let secured = Secured::start();
    let tls = secured.trusting(&secured.ca);
    let agent = [&["agent", "--connect", secured.address(), "--agent", "1001"], &CLIENT[..], &tls].concat();
    let ran = ctigate(&agent, "login\nready\nlogout 2\nquit\n");
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    assert!(text(&ran.stdout).contains("logout confirmed"), "{}", text(&ran.stdout));

    let bench = ["bench", "--connect", secured.address(), "--agents", "5", "--rate", "50", "--duration", "1"];
    let ran = ctigate(&[&bench, &CLIENT[..], &tls].concat(), "");
    assert_eq!(ran.status.code(), Some(0), "{}{}", text(&ran.stdout), text(&ran.stderr));

    let supervise = ["supervise", secured.address(), "--agent", "1001", "list"];
    let ran = ctigate(&[&supervise[..4], &CLIENT[..], &tls, &supervise[4..]].concat(), "");
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));

    // Somebody without a password was refused then, and is now.
    let line = |from, message: AnyMessage| {
        let mut bytes = BytesMut::new();
        message.encode(Version::LATEST, &mut bytes).expect("a frame");
        format!("{{\"connection\": 1, \"from\": \"{from}\", \"hex\": \"{bytes:x}\"}}\n")
    };
    let open = OpenReq {
        invoke_id: 9,
        version_number: Version::LATEST.number(),
        idle_timeout: u32::MAX,
        client_id: Text::new("crm").ok(),
        ..Default::default()
    };
    let refused = FailureConf { invoke_id: 9, status: Status::E_CTI_INVALID_PASSWORD, ..Default::default() };
    let recording = line("client", open.into()) + &line("server", refused.into());
    let ran = ctigate(&[&["replay", "-", secured.address(), "--ignore", "Text"], &tls[..]].concat(), &recording);
    assert_eq!(ran.status.code(), Some(0), "{}{}", text(&ran.stdout), text(&ran.stderr));
}

#[test]
fn the_password_may_come_from_the_environment() {
    let secured = Secured::start();
    let tls = secured.trusting(&secured.ca);
    let arguments = [&["supervise", secured.address(), "--agent", "1001", "--client-id", "crm"], &tls[..], &["list"]];
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ctigate"));
    command.args(arguments.concat()).env("CTIGATE_CLIENT_PASSWORD", "hunter2");
    let ran = command.output().expect("the command starts");
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    let help = ctigate(&["supervise", "--help"], "");
    assert!(text(&help.stdout).contains("CTIGATE_CLIENT_PASSWORD"), "{}", text(&help.stdout));
}

#[test]
fn who_shows_another_certificate_or_is_called_something_else_is_told_nothing() {
    let secured = Secured::start();
    let agent = ["agent", "--connect", secured.address(), "--agent", "1001"];
    for (tls, why) in [
        (&secured.trusting(&secured.other)[..], "certificate"),
        (&["--tls-ca", &secured.ca], "NotValidForName"),
        (&["--tls-ca", &secured.ca, "--tls-name", "other.example"], "NotValidForName"),
    ] {
        let ran = ctigate(&[&agent, &CLIENT[..], tls].concat(), "login\n");
        assert_eq!(ran.status.code(), Some(1), "{tls:?}");
        assert!(text(&ran.stderr).contains(why), "{why} in {}", text(&ran.stderr));
        assert_eq!(text(&ran.stdout), "", "{tls:?}");
    }
    let ran = ctigate(&[&agent[..], &["--tls-ca", "/no/such/file"]].concat(), "");
    assert_eq!(ran.status.code(), Some(2));
    assert!(text(&ran.stderr).contains("ca: /no/such/file: "), "{}", text(&ran.stderr));
}
