//! What is not secure is refused or said; secrets stay secret; a running gateway takes over a new configuration.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command};
use std::time::Duration;

use bytes::BytesMut;
use cti_protocol::ged188::codes::{ServiceMask, Status};
use cti_protocol::ged188::{AnyMessage, Data, FrameCodec, HeartbeatReq, OpenReq, Text, Version};
use tokio_util::codec::Decoder;

use crate::support::{ctigate, file, lines, run};

#[test]
fn a_password_becomes_a_line_of_the_configuration_that_lets_its_client_in() {
    let made = run(&["passwd", "--memory", "64", "--passes", "1"], b"hunter2\n");
    assert_eq!(made.status.code(), Some(0), "{:?}", lines(&made.stderr));
    let line = lines(&made.stdout).remove(0);
    assert!(line.starts_with("password_hash = \"$argon2id$v=19$m=64,t=1,p=1$") && !line.contains("hunter2"), "{line}");
    let (_directory, path) = file(&format!("[[client]]\nid = \"crm\"\nrole = \"bridge\"\n{line}\n{HERE}"));
    let gateway = Gateway::of(&["serve", "-c", path.to_str().unwrap()]);
    assert_eq!(gateway.opens("crm", "hunter2").1, None);
    assert_eq!(gateway.opens("crm", "hunter3").1, Some(Status::E_CTI_INVALID_PASSWORD));
}

#[test]
fn no_password_and_one_that_no_client_can_send_are_not_hashed() {
    for (input, why) in [("\n", "empty"), (&*format!("{}\n", "x".repeat(65)), "64 bytes")] {
        let made = run(&["passwd"], input.as_bytes());
        assert_eq!((made.status.code(), made.stdout.len()), (Some(2), 0));
        assert!(lines(&made.stderr)[0].contains(why), "{:?}", lines(&made.stderr));
    }
}

#[test]
fn a_listener_that_other_machines_reach_is_refused_unless_it_is_secure() {
    let bridge = "[[client]]\nid = \"crm\"\nrole = \"bridge\"\npassword = { env = \"CRM_PASSWORD\" }\n";
    let open = "[[client]]\nid = \"crm\"\nrole = \"bridge\"\npassword = \"\"\n";
    let tls = "[listener.tls]\ncertificate = \"/c\"\nkey = \"/k\"\n";
    let anywhere = "[[listener]]\naddress = \"0.0.0.0:42027\"\n";
    let agents =
        "[[acd]]\nkind = \"embedded\"\n[[acd.agents]]\nfirst = 1\ncount = 1\nqueues = [1]\npassword = \"x{id}x\"\n";
    let asterisk = "[[acd]]\nkind = \"asterisk\"\nuser = \"u\"\nsecret = \"s\"\n[[acd.queue]]\nnumber = 1\nname = \"q\"\n\
                    [[acd.agents]]\nfirst = 1001\ncount = 9\nqueues = [1]\npassword = \"pw{id}\"\n";
    for (text, complaint) in [
        (format!("{anywhere}{bridge}{agents}"), Some("listener[0].tls: 0.0.0.0:42027 can be reached")),
        (format!("{anywhere}{tls}{agents}"), Some("client: there is none")),
        (format!("{anywhere}{tls}{open}{agents}"), Some("client[0].password: it is empty")),
        (format!("{anywhere}{tls}{bridge}"), Some("acd[0].agents[0].password: these are the demonstration's")),
        (
            format!("{anywhere}{tls}{bridge}{asterisk}"),
            Some("acd[0].agents[0].password: these are the demonstration's"),
        ),
        (format!("{anywhere}{tls}{bridge}{agents}"), None),
        (format!("allow_insecure = true\n{anywhere}"), None),
        ("[[listener]]\naddress = \"[::1]:42027\"\n[[listener]]\naddress = \"127.9.9.9:42027\"\n".to_owned(), None),
    ] {
        let (_directory, path) = file(&text);
        let checked = run(&["check-config", path.to_str().unwrap()], b"");
        let said = lines(&checked.stderr).concat();
        match complaint {
            Some(complaint) => {
                assert_eq!(checked.status.code(), Some(2), "{text}");
                assert!(said.contains(complaint) && said.contains("allow_insecure"), "{said}");
            }
            None => assert_eq!(checked.status.code(), Some(0), "{text}: {said}"),
        }
    }
    let given = run(&["serve", "--listen", "ged188=0.0.0.0:0"], b"");
    assert_eq!(given.status.code(), Some(2));
    assert!(lines(&given.stderr).concat().contains("listener[0].tls: 0.0.0.0:0 can be reached"));
}

#[test]
fn what_is_not_secure_is_said_at_every_start() {
    // The second time with nothing in the log.
    for filter in ["info", "off"] {
        let log = format!("[log]\nfilter = \"{filter}\"\n");
        let (_directory, path) = file(&format!("allow_insecure = true\n{log}[[listener]]\naddress = \"0.0.0.0:0\"\n"));
        let log = Gateway::of(&["serve", "-c", path.to_str().unwrap()]).ends();
        for key in ["listener[0].tls", "client", "acd[0].agents[0].password"] {
            let is_said = |line: &&str| line.contains("not secure") && line.contains(&format!("key=\"{key}\""));
            assert!(log.lines().any(|line| is_said(&line)), "{key} in {log}");
        }
    }
}

#[test]
fn memory_with_secrets_is_not_dumped() {
    let gateway = Gateway::of(&["serve", "--listen", "ged188=127.0.0.1:0"]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", gateway.child.id())).unwrap();
    let core: Vec<&str> =
        limits.lines().find(|line| line.starts_with("Max core")).unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "{core:?}");
}

#[test]
fn a_signal_brings_clients_limits_and_logs_of_the_changed_file_and_keeps_who_is_connected() {
    let with = |password: &str, more: &str| {
        format!("{more}\n{HERE}[[client]]\nid = \"crm\"\nrole = \"bridge\"\npassword = \"{password}\"\n")
    };
    let (_directory, path) = file(&with("first-s3cret", ""));
    let mut gateway = Gateway::of(&["serve", "-c", path.to_str().unwrap()]);
    let (mut client, refused) = gateway.opens("crm", "first-s3cret");
    assert_eq!(refused, None);

    let changes = "[log]\nfilter = \"debug\"\n[limits]\nframe_bytes_max = 600\nacd_events_max = 99\n";
    fs::write(&path, with("second-s3cret", changes)).unwrap();
    gateway.hangs_up();
    let said = gateway.says_until("read again");
    for words in [
        "limits.frame_bytes_max: 12500 -> 600",
        "log.filter: \"info\" -> \"debug\"",
        "what the client has to show has changed",
        "in force after a restart only change=limits.acd_events_max: 65536 -> 99",
    ] {
        assert!(said.contains(words), "{words:?} in {said}");
    }
    assert_eq!(gateway.opens("crm", "first-s3cret").1, Some(Status::E_CTI_INVALID_PASSWORD));
    assert_eq!(gateway.opens("crm", "second-s3cret").1, None);
    client.sends(HeartbeatReq { invoke_id: 7, ..Default::default() });
    assert!(matches!(client.receives_answer(), AnyMessage::HeartbeatConf(answer) if answer.invoke_id == 7));

    fs::write(&path, "nonsense = 1\n").unwrap();
    gateway.hangs_up();
    let said = gateway.says_until("nothing has changed");
    assert!(said.contains("nonsense"), "{said}");
    assert_eq!(gateway.opens("crm", "second-s3cret").1, None);
    let log = gateway.ends();
    assert!(log.contains("DEBUG") && !log.contains("s3cret"), "{log}");
}

#[test]
fn the_service_manager_is_told_of_every_step() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let hears = || {
        let mut bytes = [0; 256];
        let length = socket.recv(&mut bytes).expect("a word from the gateway");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let mut command = ctigate(&["serve", "--listen", "ged188=127.0.0.1:0"]);
    let gateway = Gateway::from(command.env("NOTIFY_SOCKET", &path));
    assert_eq!(hears().trim_end(), "READY=1");
    gateway.hangs_up();
    assert!(hears().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(hears().trim_end(), "READY=1");
    gateway.ends();
    assert_eq!(hears().trim_end(), "STOPPING=1");
}

/// A listener on a free port of the loopback.
const HERE: &str = "[[listener]]\naddress = \"127.0.0.1:0\"\n";

struct Gateway {
    child: Child,
    address: SocketAddr,
    log: BufReader<std::process::ChildStderr>,
}

impl Gateway {
    fn of(args: &[&str]) -> Gateway {
        Gateway::from(&mut ctigate(args))
    }

    fn from(command: &mut Command) -> Gateway {
        let mut child = command.spawn().expect("the command starts");
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut ready).expect("a line");
        let listeners = ready.strip_prefix("ready ").unwrap_or_else(|| panic!("ready …, not {ready:?}"));
        let listeners: serde_json::Value = serde_json::from_str(listeners).expect("JSON");
        let address: SocketAddr = listeners["ged188"].as_str().expect("an address").parse().expect("an address");
        let address = SocketAddr::from(([127, 0, 0, 1], address.port()));
        let log = BufReader::new(child.stderr.take().expect("a pipe"));
        Gateway { child, address, log }
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().expect("kill").success());
    }

    fn hangs_up(&self) {
        self.signal("-HUP");
    }

    /// Its log up to a line with these words.
    fn says_until(&mut self, words: &str) -> String {
        let mut said = String::new();
        while !said.contains(words) {
            assert_ne!(self.log.read_line(&mut said).expect("a log"), 0, "{words:?} in {said}");
        }
        said
    }

    /// What is left of its log.
    fn ends(mut self) -> String {
        self.signal("-TERM");
        let mut log = String::new();
        self.log.read_to_string(&mut log).expect("a log");
        assert_eq!(self.child.wait().expect("an end").code(), Some(0));
        log
    }

    /// Opens a session for all events, or tells why not.
    fn opens(&self, client: &str, password: &str) -> (Client, Option<Status>) {
        let mut opening = Client::connected(self.address);
        opening.sends(OpenReq {
            invoke_id: 1,
            version_number: 20,
            idle_timeout: u32::MAX,
            peripheral_id: u32::MAX,
            services_requested: ServiceMask::CTI_SERVICE_ALL_EVENTS,
            client_id: Some(Text::new(client).unwrap()),
            client_password: Some(Data::new(password.as_bytes()).unwrap().into()),
            ..Default::default()
        });
        match opening.receives_answer() {
            AnyMessage::OpenConf(_) => (opening, None),
            AnyMessage::FailureConf(failure) => (opening, Some(failure.status)),
            other => panic!("an answer to OPEN_REQ expected, got {other:?}"),
        }
    }
}

struct Client {
    stream: TcpStream,
    received: BytesMut,
    frames: FrameCodec,
}

impl Client {
    fn connected(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).expect("a listening gateway");
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client { stream, received: BytesMut::new(), frames: FrameCodec::default() }
    }

    fn sends(&mut self, message: impl Into<AnyMessage>) {
        let mut bytes = BytesMut::new();
        message.into().encode(version(), &mut bytes).unwrap();
        self.stream.write_all(&bytes).expect("a connection that takes bytes");
    }

    /// The next message that is no event.
    fn receives_answer(&mut self) -> AnyMessage {
        loop {
            while let Some(frame) = self.frames.decode(&mut self.received).expect("whole frames") {
                let message = AnyMessage::decode(&frame, version()).expect("a frame of the session's version");
                if !matches!(message, AnyMessage::SystemEvent(_)) {
                    return message;
                }
            }
            let mut bytes = [0; 4096];
            let read = self.stream.read(&mut bytes).expect("an answer");
            assert_ne!(read, 0, "an answer, and no end");
            self.received.extend_from_slice(&bytes[..read]);
        }
    }
}

fn version() -> Version {
    Version::new(20).unwrap()
}

impl Drop for Gateway {
    /// One that a test has not ended must not outlive it.
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}
