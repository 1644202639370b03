//! The gateway as people start it, and a colleague who does things to agents by another door. Not here: the desktop.

use std::io::{BufRead, BufReader as LineReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::chromium::PATIENCE;

/// The command, running; it ends with this.
pub struct Gateway {
    /// Where the pages and their WebSockets are.
    pub web: SocketAddr,
    /// Where JSON lines are spoken.
    pub lines: SocketAddr,
    child: Child,
}

impl Gateway {
    pub fn start() -> Gateway {
        Gateway::with("")
    }

    /// With more options for the listener of the pages.
    pub fn with(options: &str) -> Gateway {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        write!(file, "{CONFIG}{options}").expect("a file that can be written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_ctigate"))
            .args(["serve", "--config"])
            .arg(file.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the gateway starts");
        let mut ready = String::new();
        LineReader::new(child.stdout.take().expect("a pipe")).read_line(&mut ready).expect("a line");
        let listeners = ready.strip_prefix("ready ").unwrap_or_else(|| panic!("ready …, not {ready:?}"));
        let listeners: Value = serde_json::from_str(listeners).expect("JSON");
        let address = |name: &str| listeners[name].as_str().expect(name).parse().expect("an address");
        Gateway { web: address("opencti-ws"), lines: address("opencti"), child }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that may command every agent.
pub struct Colleague {
    stream: BufReader<TcpStream>,
    last_id: u64,
}

impl Colleague {
    pub async fn of(gateway: &Gateway) -> Colleague {
        let stream = TcpStream::connect(gateway.lines).await.expect("the gateway listens");
        let mut colleague = Colleague { stream: BufReader::new(stream), last_id: 0 };
        colleague.does(json!({"activity": "Hello", "protocolVersion": 1, "identity": "colleague"})).await;
        colleague
    }

    /// Logs an agent in, who picks up what rings as the embedded ACD's agents do.
    pub async fn logs_in(&mut self, agent: &str, device: &str) {
        let password = format!("pw{agent}");
        let login = json!({"activity": "LoginAgent", "AgentID": agent, "AgentPassword": password, "DN": device});
        self.does(login).await;
    }

    pub async fn makes_ready(&mut self, agent: &str) {
        self.does(json!({"activity": "SetAgentReady", "AgentID": agent})).await;
    }

    pub async fn makes_not_ready(&mut self, agent: &str, reason: &str) {
        let options = json!({"pyReasonCode": reason});
        self.does(json!({"activity": "SetAgentNotReady", "AgentID": agent, "AgentOptions": options})).await;
    }

    pub async fn logs_out(&mut self, agent: &str) {
        self.does(json!({"activity": "LogoutAgent", "AgentID": agent})).await;
    }

    /// Asks, and waits until it is done.
    async fn does(&mut self, mut request: Value) {
        self.last_id += 1;
        request["id"] = json!(self.last_id);
        self.stream.write_all(format!("{request}\n").as_bytes()).await.expect("the gateway reads");
        loop {
            let mut line = String::new();
            let read = timeout(PATIENCE, self.stream.read_line(&mut line)).await.expect("an answer").expect("a line");
            assert_ne!(read, 0, "the gateway has hung up");
            let said: Value = serde_json::from_str(&line).expect("JSON");
            if said["id"] == self.last_id {
                assert!(said["ok"] == true || said["Status"] == "Success", "{request}: {said}");
                return;
            }
        }
    }
}

/// The pages' listener is the last, so that a test can say more of it.
const CONFIG: &str = r#"
[[acd]]
kind = "embedded"

[[listener]]
dialect = "opencti"
address = "127.0.0.1:0"

[[listener]]
dialect = "opencti"
transport = "websocket"
address = "127.0.0.1:0"
try_page = true
heartbeat = "1s"
"#;
