//! Runs the command, a gateway for it, and a server that breaks the promise about logouts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};

use bytes::BytesMut;
use cti_protocol::ged188::codes::AgentState;
use cti_protocol::ged188::{
    AgentStateEvent, AnyMessage, CloseConf, FrameCodec, OpenConf, QueryAgentStateConf, SetAgentStateConf, Version,
};
use tokio_util::codec::Decoder;

/// A gateway with the demo world on a free port; it ends with this.
pub(crate) struct Gateway {
    pub(crate) address: String,
    child: Child,
}

impl Gateway {
    pub(crate) fn start() -> Gateway {
        Gateway::start_at("127.0.0.1:0", &[])
    }

    pub(crate) fn start_at(address: &str, more: &[&str]) -> Gateway {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ctigate"))
            .args(["serve", "--listen", &format!("ged188={address}")])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the gateway starts");
        let mut ready = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut ready).expect("a line");
        let listeners = ready.strip_prefix("ready ").expect("the line says ready");
        let listeners: serde_json::Value = serde_json::from_str(listeners).expect("JSON");
        Gateway { address: listeners["ged188"].as_str().expect("an address").to_owned(), child }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("the gateway ends");
    }
}

/// Runs the command with that input to its end.
pub(crate) fn ctigate(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ctigate"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    // A command that ends over its arguments reads nothing.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("the command ends")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A server that confirms everything, and tells of a logout once more behind its confirm.
pub(crate) fn faithless_gateway() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || converse(stream));
        }
    });
    address
}

fn converse(mut stream: TcpStream) {
    let (mut frames, mut read, mut chunk) = (FrameCodec::default(), BytesMut::new(), [0; 4096]);
    while let Some(bytes) = stream.read(&mut chunk).ok().filter(|bytes| *bytes > 0) {
        read.extend_from_slice(&chunk[..bytes]);
        while let Some(frame) = frames.decode(&mut read).expect("whole frames") {
            let request = AnyMessage::decode(&frame, VERSION).expect("a message");
            let mut answer = BytesMut::new();
            for message in answers(&request) {
                message.encode(VERSION, &mut answer).expect("an answer");
            }
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
    }
}

fn answers(request: &AnyMessage) -> Vec<AnyMessage> {
    let invoke_id = request.invoke_id().unwrap_or_default();
    match request {
        AnyMessage::OpenReq(open) => {
            vec![OpenConf { invoke_id, services_granted: open.services_requested, ..Default::default() }.into()]
        }
        AnyMessage::SetAgentStateReq(set) => {
            let confirm = SetAgentStateConf { invoke_id, ..Default::default() }.into();
            let event = AgentStateEvent { agent_state: set.agent_state, ..Default::default() }.into();
            if set.agent_state == AgentState::AGENT_STATE_LOGOUT { vec![confirm, event] } else { vec![confirm] }
        }
        AnyMessage::QueryAgentStateReq(_) => vec![QueryAgentStateConf { invoke_id, ..Default::default() }.into()],
        AnyMessage::CloseReq(_) => vec![CloseConf { invoke_id, ..Default::default() }.into()],
        _ => vec![],
    }
}

const VERSION: Version = Version::new(20).unwrap();
