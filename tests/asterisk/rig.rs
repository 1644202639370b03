//! A real Asterisk of a test's own, a hand at its console, and a gateway in front of it.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use ctigate::config::Config;
use ctigate::server::Gateway;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// What should come comes long before this.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// One Asterisk, ended and removed when dropped.
pub struct Asterisk {
    name: String,
    pub port: u16,
    _claim: std::net::TcpListener,
}

impl Asterisk {
    pub async fn start() -> Asterisk {
        static STARTED: AtomicU16 = AtomicU16::new(0);
        let pid = std::process::id();
        loop {
            let at = STARTED.fetch_add(1, Ordering::Relaxed);
            // Below the ports that the system hands out; the last one of a block says to other processes that it is taken.
            let port = 10_000 + ((pid.wrapping_mul(7) as u16).wrapping_add(at) % 108) * 200;
            let Ok(claim) = std::net::TcpListener::bind(("127.0.0.1", port + 199)) else { continue };
            let is_free = std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()
                && std::net::UdpSocket::bind(("127.0.0.1", port + 22)).is_ok();
            if !is_free {
                continue;
            }
            let asterisk = Asterisk { name: format!("test-{pid}-{at}"), port, _claim: claim };
            asterisk.up().await;
            return asterisk;
        }
    }

    /// Starts it, again if it was ended.
    pub async fn up(&self) {
        self.script("up", Some(self.port)).await;
    }

    /// Ends it as a crash would.
    pub async fn kill(&self) {
        self.script("kill", None).await;
    }

    /// Stops its processes where they are, or lets them go on.
    pub fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(folder().join(&self.name).join("pid")).expect("it runs");
        assert!(Command::new("kill").args([signal, pid.trim()]).status().expect("kill").success());
    }

    async fn script(&self, verb: &'static str, port: Option<u16>) {
        let mut command = script(verb, &self.name);
        command.args(port.map(|port| port.to_string()));
        let done = tokio::task::spawn_blocking(move || command.status().expect("a script")).await.expect("it ran");
        assert!(done.success(), "{verb}: {done}");
    }

    pub async fn console(&self) -> Console {
        Console::connect(self.port).await
    }
}

impl Drop for Asterisk {
    fn drop(&mut self) {
        let _ = script("kill", &self.name).status();
        let _ = std::fs::remove_dir_all(folder().join(&self.name));
    }
}

fn script(verb: &str, name: &str) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/asterisk/asterisk"));
    command.arg(verb).arg(folder()).arg(name).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    command
}

fn folder() -> PathBuf {
    std::env::var_os("CTIGATE_ASTERISK")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../asterisk"), Into::into)
}

/// An operator's connection of its own, with every right.
pub struct Console {
    stream: BufReader<TcpStream>,
    last_id: u32,
}

/// A member as `QueueStatus` says it: paused with that reason or not, and its device's state.
pub type Members = BTreeMap<(String, String), (Option<String>, String)>;

impl Console {
    async fn connect(port: u16) -> Console {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a manager");
        let mut console = Console { stream: BufReader::new(stream), last_id: 0 };
        let mut banner = String::new();
        console.stream.read_line(&mut banner).await.expect("a banner");
        console.does("Login", &[("Username", "admin"), ("Secret", "admin-secret"), ("Events", "off")]).await;
        console
    }

    /// Does an action that Asterisk accepts; gives its answer and the items of its list.
    pub async fn does(&mut self, action: &str, headers: &[(&str, &str)]) -> Vec<Vec<(String, String)>> {
        let (answers, is_done) = self.tries(action, headers).await;
        assert!(is_done, "{action}: {answers:?}");
        answers
    }

    pub async fn tries(&mut self, action: &str, headers: &[(&str, &str)]) -> (Vec<Vec<(String, String)>>, bool) {
        self.last_id += 1;
        let id = self.last_id.to_string();
        let mut text = format!("Action: {action}\r\nActionID: {id}\r\n");
        for (key, value) in headers {
            text.push_str(&format!("{key}: {value}\r\n"));
        }
        text.push_str("\r\n");
        self.stream.write_all(text.as_bytes()).await.expect("a manager that reads");
        let mut messages: Vec<Vec<(String, String)>> = Vec::new();
        loop {
            let message = tokio::time::timeout(PATIENCE, self.message()).await.expect("an answer");
            if value(&message, "ActionID") != Some(&id) {
                continue;
            }
            let is_last = match value(&message, "EventList") {
                Some("start") => false,
                Some(_) => true,
                None => messages.is_empty(),
            };
            messages.push(message);
            if is_last {
                let is_done = value(&messages[0], "Response") == Some("Success");
                return (messages, is_done);
            }
        }
    }

    async fn message(&mut self) -> Vec<(String, String)> {
        let mut message = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.stream.read_line(&mut line).await.expect("UTF-8") > 0, "the manager has gone");
            match line.trim_end_matches(['\r', '\n']) {
                "" => return message,
                line => message
                    .push(line.split_once(": ").map_or((line.into(), String::new()), |(k, v)| (k.into(), v.into()))),
            }
        }
    }

    /// Who is where: by queue and member's name.
    pub async fn members(&mut self) -> Members {
        let list = self.does("QueueStatus", &[]).await;
        let members = list.iter().filter(|item| value(item, "Event") == Some("QueueMember"));
        members
            .map(|item| {
                let text = |key: &str| value(item, key).unwrap_or_default().to_owned();
                let paused = (text("Paused") == "1").then(|| text("PausedReason"));
                ((text("Queue"), text("Name")), (paused, text("Status")))
            })
            .collect()
    }

    pub async fn channels(&mut self) -> Vec<String> {
        let list = self.does("CoreShowChannels", &[]).await;
        list.iter().filter_map(|item| value(item, "Channel").map(str::to_owned)).collect()
    }

    /// The first channel whose name begins so.
    pub async fn channel(&mut self, begin: &str) -> String {
        let mut channels = self.channels().await;
        channels.sort();
        channels.into_iter().find(|name| name.starts_with(begin)).expect("a channel")
    }

    /// What a channel carries, as the dialplan sees it.
    pub async fn carries(&mut self, channel: &str, variable: &str) -> String {
        let answer = self.does("Getvar", &[("Channel", channel), ("Variable", variable)]).await;
        value(&answer[0], "Value").unwrap_or_default().to_owned()
    }

    /// A command of the console, as an operator types it.
    pub async fn types(&mut self, command: &str) -> String {
        let answer = self.does("Command", &[("Command", command)]).await;
        let lines = answer[0].iter().filter(|(key, _)| key == "Output").map(|(_, line)| line.as_str());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// A caller comes to a queue, of one of the kinds in extensions.conf.
    pub async fn calls(&mut self, queue: &str, kind: &str) {
        let channel = format!("Local/{kind}@callers/n");
        let headers =
            [("Channel", &*channel), ("Context", "callers"), ("Exten", queue), ("Priority", "1"), ("Async", "true")];
        self.does("Originate", &headers).await;
    }

    /// Waits until what is so is so.
    pub async fn until(&mut self, what: &str, is_so: impl Fn(&Members) -> bool) -> Members {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let members = self.members().await;
            if is_so(&members) {
                return members;
            }
            assert!(tokio::time::Instant::now() < deadline, "{what}: {members:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn value<'a>(message: &'a [(String, String)], key: &str) -> Option<&'a str> {
    message.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

/// A gateway, and where its clients connect.
pub struct Served {
    pub gateway: Gateway,
    pub address: SocketAddr,
    pub opencti: SocketAddr,
    pub opencti_ws: SocketAddr,
}

/// A gateway in front of an Asterisk whose agents are of that context in extensions.conf; `more` goes into its `[[acd]]`.
pub async fn gateway(port: u16, interface: &str, more: &str) -> Served {
    gateway_as("ctigate", port, interface, more).await
}

/// As [`gateway`], by another user of manager.conf.
pub async fn gateway_as(user: &str, port: u16, interface: &str, more: &str) -> Served {
    let text = format!(
        r#"
        [timeouts]
        acd_answer = "8s"
        [[listener]]
        address = "127.0.0.1:0"
        [[listener]]
        dialect = "opencti"
        address = "127.0.0.1:0"
        [[listener]]
        dialect = "opencti"
        transport = "websocket"
        address = "127.0.0.1:0"
        [[acd]]
        kind = "asterisk"
        peripheral = 5000
        port = {port}
        user = "{user}"
        secret = "{user}-secret"
        interface = "{interface}"
        {more}
        [[acd.queue]]
        number = 1
        name = "sales"
        [[acd.queue]]
        number = 2
        name = "support"
        [[acd.queue]]
        number = 3
        name = "billing"
        [[acd.reason]]
        code = 7
        text = "lunch"
        [[acd.reason]]
        code = 32763
        text = "Auto-Pause"
        "#
    );
    let config = Config::from_toml("test", &text).expect("a sound configuration");
    let gateway = Gateway::start(config).await.expect("a gateway that starts");
    let [address, opencti, opencti_ws] = [0, 1, 2].map(|at| gateway.listeners()[at].1);
    Served { gateway, address, opencti, opencti_ws }
}

pub const TALKERS: &str = "Local/{instrument}@long-agents/n";
pub const RINGERS: &str = "Local/{instrument}@slow-agents/n";

/// What `queue show` of every queue says, by queue: the names of its members.
pub async fn shown(console: &mut Console) -> HashMap<String, Vec<String>> {
    let mut shown = HashMap::new();
    for queue in ["sales", "support", "billing"] {
        let text = console.types(&format!("queue show {queue}")).await;
        let lines = text.lines().map(str::trim).filter(|line| line.contains(" (Local/") || line.contains(" (PJSIP/"));
        shown.insert(queue.to_owned(), lines.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect());
    }
    shown
}

/// Waits until the table has no call: the last channel of one ends after the last party's.
pub async fn no_call_is_left(served: &Served) {
    let calls = served.gateway.house().table.calls(ctigate::model::PeripheralId(5000));
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !calls.lock().is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", calls.lock().all());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
