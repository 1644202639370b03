//! `ctigate replay` as people run it: against a gateway like the recorded one, and against others.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Output;

use bytes::BytesMut;
use cti_protocol::ged188::codes::{AgentState, AgentStateMask, CallMsgMask, DeviceIdType, ServiceMask};
use cti_protocol::ged188::{
    AnyMessage, CloseReq, Data, FrameCodec, MonitorStartConf, MonitorStartReq, MonitorStopReq, OpenReq, Text, Version,
};
use serde_json::{Value, json};
use tokio_util::codec::Decoder;

use crate::relay::Relay;
use crate::support::{Gateway, ctigate, text};
use crate::watch::{Watcher, works};

/// A wallboard and two agents, recorded.
fn recorded() -> Vec<Value> {
    let gateway = Gateway::start();
    let relay = Relay::start(&gateway.address);
    let mut watcher = Watcher::start(&relay.address, &[]);
    for agent in ["1001", "1002"] {
        works(&relay.address, agent);
        watcher.shows(&format!("agent {agent} is LOGOUT (reason 3)"));
    }
    watcher.is_told("-TERM");
    assert_eq!(watcher.ends(), Some(0));
    relay.lines()
}

fn write(path: &Path, lines: &[Value]) {
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(path, lines).expect("a file");
}

/// Replays the lines against that gateway.
fn replay(lines: &[Value], gateway: &Gateway, more: &[&str]) -> Output {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("recording.jsonl");
    write(&path, lines);
    let path = path.display().to_string();
    ctigate(&[&["replay", &path, &gateway.address], more].concat(), "")
}

/// A gateway with that configuration.
fn configured(content: &str) -> Gateway {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ctigate.toml");
    std::fs::write(&path, content).expect("a file");
    Gateway::start_at("127.0.0.1:0", &["-c", &path.display().to_string()])
}

fn differences(ran: &Output) -> Vec<Value> {
    let report: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    report["differences"].as_array().expect("a list").clone()
}

/// The frame's type and body, for a test that changes it.
fn body(line: &Value) -> Option<(u8, Vec<u8>)> {
    let bytes = data_encoding::HEXLOWER.decode(line["hex"].as_str()?.as_bytes()).expect("hex");
    Some((bytes[7], bytes[8..].to_vec()))
}

fn set_body(line: &mut Value, message_type: u8, body: &[u8]) {
    let length = u32::try_from(body.len()).expect("a short frame").to_be_bytes();
    let frame = [&length[..], &[0, 0, 0, message_type], body].concat();
    line["hex"] = data_encoding::HEXLOWER.encode(&frame).into();
}

const AGENT_STATE_EVENT: u8 = 30;
const SET_AGENT_STATE_CONF: u8 = 39;
const MONITOR_START_CONF: u8 = 94;
const MONITOR_STOP_REQ: u8 = 95;

#[test]
fn a_gateway_like_the_recorded_one_differs_in_nothing() {
    let lines = recorded();
    for more in [&[][..], &["--speed", "original"], &["--speed", "1000"]] {
        let ran = replay(&lines, &Gateway::start(), more);
        let told = text(&ran.stdout);
        assert_eq!(ran.status.code(), Some(0), "{more:?}: {told}{}", text(&ran.stderr));
        assert!(told.starts_with("3 connections, ") && told.ends_with(" events: no difference\n"), "{told}");
    }
    let ran = replay(&lines, &Gateway::start(), &["--json"]);
    let report: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    assert_eq!(report["differences"], json!([]));
    let requests = lines.iter().filter(|line| line["from"] == "client" && line["hex"].is_string()).count();
    assert_eq!(report["requests"], requests, "{report}");
    assert!(report["answers"].as_u64() >= Some(12) && report["events"].as_u64() >= Some(12), "{report}");
}

#[test]
fn a_gateway_without_the_agent_is_told_by_message_and_field() {
    let lines = recorded();
    let gateway = configured(
        "[[acd]]\nkind = \"embedded\"\n[[acd.agents]]\nfirst = 1001\ncount = 1\npassword = \"pw{id}\"\nqueues = [1, 2, 3]\n",
    );
    let ran = replay(&lines, &gateway, &["--timeout", "0.2"]);
    let told = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(1), "{told}{}", text(&ran.stderr));
    // The wallboard's is the first connection, the agents' are the others.
    let refused =
        |line: &str| line.starts_with("connection 3: OPEN_CONF (InvokeID 1) was recorded, this came: FAILURE_CONF");
    assert!(told.lines().any(refused), "{told}");
    assert!(told.contains("connection 1: AGENT_STATE_EVENT (event "), "{told}");
    assert!(!told.contains("connection 2:"), "1001 is there: {told}");
}

#[test]
fn a_reason_that_another_gateway_requires_is_told_by_its_failure_code() {
    let lines = recorded();
    // The recorded not ready and logout have one; a login leads to not ready without. Work without a reason:
    let lines: Vec<Value> = lines.into_iter().map(without_reason).collect();
    let fine = replay(&lines, &Gateway::start(), &["--ignore", "EventReasonCode"]);
    assert_eq!(fine.status.code(), Some(0), "{}", text(&fine.stdout));
    let gateway = configured("[[acd]]\nkind = \"embedded\"\nnot_ready_reason_required = true\n");
    let ran = replay(&lines, &gateway, &["--ignore", "EventReasonCode", "--json", "--timeout", "0.2"]);
    assert_eq!(ran.status.code(), Some(1), "{}", text(&ran.stdout));
    let other = differences(&ran).into_iter().find(|it| it["difference"] == "other").expect("another answer");
    assert_eq!(other["message"], "SET_AGENT_STATE_CONF", "{other}");
    assert_eq!(other["replayed"], "CONTROL_FAILURE_CONF", "{other}");
    assert!(other["told"].as_str().expect("a text").contains("CF_REASON_CODE_REQUIRED"), "{other}");
    assert!(differences(&ran).iter().any(|it| it["message"] == "AGENT_STATE_EVENT" && it["difference"] == "missing"));
}

/// A SET_AGENT_STATE_REQ with EventReasonCode 0: behind InvokeID, PeripheralID, AgentState, AgentWorkMode, NumSkillGroups.
fn without_reason(mut line: Value) -> Value {
    if let Some((38, mut body)) = body(&line) {
        body[14..16].fill(0);
        set_body(&mut line, 38, &body);
    }
    line
}

#[test]
fn a_field_that_differs_is_told_unless_it_is_ignored() {
    let mut lines = recorded();
    // OPEN_CONF's AgentState in version 20, behind seven fields of 4, 4, 4, 4, 4, 2 and 2 bytes.
    let open = lines.iter_mut().find(|line| line["connection"] == 2 && body(line).is_some_and(|(kind, _)| kind == 4));
    let open = open.expect("an OPEN_CONF");
    let mut changed = body(open).expect("a frame").1;
    changed[24..26].copy_from_slice(&[0, 3]);
    set_body(open, 4, &changed);
    let ran = replay(&lines, &Gateway::start(), &[]);
    assert_eq!(ran.status.code(), Some(1));
    let told = text(&ran.stdout);
    let expected =
        "connection 2: OPEN_CONF (InvokeID 1): AgentState is AGENT_STATE_LOGOUT, AGENT_STATE_AVAILABLE was recorded";
    assert_eq!(told.lines().next(), Some(expected), "{told}");
    assert!(told.ends_with(": 1 difference\n"), "{told}");
    for ignored in ["AgentState", "OPEN_CONF.AgentState"] {
        let ran = replay(&lines, &Gateway::start(), &["--ignore", ignored]);
        assert_eq!(ran.status.code(), Some(0), "{ignored}: {}", text(&ran.stdout));
    }
}

#[test]
fn events_that_are_missing_additional_or_out_of_order_are_told() {
    let lines = recorded();
    let is_boards_event =
        |line: &Value| line["connection"] == 1 && body(line).is_some_and(|(kind, _)| kind == AGENT_STATE_EVENT);
    let events: Vec<usize> = (0..lines.len()).filter(|place| is_boards_event(&lines[*place])).collect();
    let found = |lines: &[Value]| {
        let ran = replay(lines, &Gateway::start(), &["--json", "--timeout", "0.2"]);
        let found = differences(&ran);
        assert_eq!((found.len(), ran.status.code()), (1, Some(1)), "{found:#?}");
        assert_eq!((&found[0]["connection"], &found[0]["message"]), (&json!("1"), &json!("AGENT_STATE_EVENT")));
        found[0]["difference"].as_str().expect("a kind").to_owned()
    };
    let mut fewer = lines.clone();
    fewer.remove(events[1]);
    assert_eq!(found(&fewer), "additional");
    let mut more = lines.clone();
    more.insert(events[1], lines[events[1]].clone());
    assert_eq!(found(&more), "missing");
    let mut swapped = lines.clone();
    swapped.swap(events[0], events[events.len() - 1]);
    let ran = replay(&swapped, &Gateway::start(), &["--json"]);
    let found = differences(&ran);
    assert!(!found.is_empty() && found.iter().all(|it| it["difference"] == "order"), "{found:#?}");
}

#[test]
fn a_request_waits_for_the_answer_that_came_before_it_and_a_missing_one_is_told() {
    let mut lines = recorded();
    // An answer that never comes: the gateway confirms no InvokeID that nobody used.
    let confirm = lines.iter().position(|line| body(line).is_some_and(|(kind, _)| kind == SET_AGENT_STATE_CONF));
    let confirm = confirm.expect("a confirm");
    let mut stray = lines[confirm].clone();
    set_body(&mut stray, SET_AGENT_STATE_CONF, &[0, 0, 0x30, 0x39]);
    lines.insert(confirm, stray);
    let ran = replay(&lines, &Gateway::start(), &["--timeout", "0.2"]);
    let told = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(1), "{told}");
    assert!(told.contains("connection 2: SET_AGENT_STATE_CONF (InvokeID 12345) is missing\n"), "{told}");
    assert!(told.ends_with(": 1 difference\n"), "nothing else was lost over it: {told}");
}

/// A client that monitors a device.
struct Monitor {
    stream: TcpStream,
    frames: FrameCodec,
    read: BytesMut,
}

impl Monitor {
    fn sends(&mut self, message: impl Into<AnyMessage>) {
        let mut bytes = BytesMut::new();
        message.into().encode(VERSION, &mut bytes).expect("a frame");
        self.stream.write_all(&bytes).expect("a connection");
    }

    /// Waits for a message that is wanted.
    fn hears(&mut self, wanted: impl Fn(&AnyMessage) -> bool) -> AnyMessage {
        loop {
            while let Some(frame) = self.frames.decode(&mut self.read).expect("whole frames") {
                let message = AnyMessage::decode(&frame, VERSION).expect("a message");
                if wanted(&message) {
                    return message;
                }
            }
            let mut chunk = [0; 4096];
            let bytes = self.stream.read(&mut chunk).expect("a connection");
            assert_ne!(bytes, 0, "the gateway closed the connection");
            self.read.extend_from_slice(&chunk[..bytes]);
        }
    }
}

const VERSION: Version = Version::new(20).unwrap();

/// A monitor of a device where an agent works; gives its id, too.
fn monitored() -> (Vec<Value>, u32) {
    let gateway = Gateway::start();
    let relay = Relay::start(&gateway.address);
    let stream = TcpStream::connect(&relay.address).expect("the relay");
    let mut client = Monitor { stream, frames: FrameCodec::default(), read: BytesMut::new() };
    client.sends(OpenReq {
        invoke_id: 1,
        version_number: VERSION.number(),
        idle_timeout: u32::MAX,
        peripheral_id: u32::MAX,
        services_requested: ServiceMask::CTI_SERVICE_PERIPHERAL_MONITOR,
        client_id: Some(Text::cut("recorder")),
        client_password: Some(Data::new(vec![0]).expect("a password").into()),
        ..Default::default()
    });
    client.hears(|message| matches!(message, AnyMessage::OpenConf(_)));
    client.sends(MonitorStartReq {
        invoke_id: 2,
        peripheral_id: 5000,
        call_msg_mask: CallMsgMask::ALL,
        agent_state_mask: AgentStateMask::ALL,
        monitored_device_type: DeviceIdType::DEVID_DEVICE_IDENTIFIER,
        monitored_device_id: Some(Text::cut("3001")),
        ..Default::default()
    });
    let AnyMessage::MonitorStartConf(MonitorStartConf { monitor_id, .. }) =
        client.hears(|message| matches!(message, AnyMessage::MonitorStartConf(_)))
    else {
        unreachable!("it was waited for")
    };
    works(&relay.address, "1001");
    let logout = AgentState::AGENT_STATE_LOGOUT;
    client.hears(|message| matches!(message, AnyMessage::AgentStateEvent(event) if event.agent_state == logout));
    client.sends(MonitorStopReq { invoke_id: 3, monitor_id, ..Default::default() });
    client.hears(|message| matches!(message, AnyMessage::MonitorStopConf(_)));
    client.sends(CloseReq { invoke_id: 4, ..Default::default() });
    client.hears(|message| matches!(message, AnyMessage::CloseConf(_)));
    (relay.lines(), monitor_id)
}

#[test]
fn a_monitor_that_is_given_another_id_is_followed_by_it() {
    let (mut lines, id) = monitored();
    let (old, new) = (id.to_be_bytes(), 77_u32.to_be_bytes());
    let mut changed = Vec::new();
    for line in lines.iter_mut().filter(|line| line["connection"] == 1) {
        let Some((message_type, mut body)) = body(line) else { continue };
        let at = match message_type {
            AGENT_STATE_EVENT => 0..4,
            MONITOR_START_CONF | MONITOR_STOP_REQ => 4..8,
            _ => continue,
        };
        assert_eq!(body[at.clone()], old, "{line}");
        body[at].copy_from_slice(&new);
        set_body(line, message_type, &body);
        changed.push(message_type);
    }
    assert!(changed.starts_with(&[MONITOR_START_CONF, AGENT_STATE_EVENT]), "{changed:?}");
    assert_eq!(changed.last(), Some(&MONITOR_STOP_REQ));
    let ran = replay(&lines, &Gateway::start(), &[]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stdout));
    // A monitor that there never was stays unknown.
    let stop = lines.iter_mut().find(|line| body(line).is_some_and(|(kind, _)| kind == MONITOR_STOP_REQ));
    set_body(stop.expect("a stop"), MONITOR_STOP_REQ, &[0, 0, 0, 3, 0, 0, 0, 99]);
    let ran = replay(&lines, &Gateway::start(), &[]);
    let told = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(1), "{told}");
    assert!(told.contains("MONITOR_STOP_CONF (InvokeID 3) was recorded, this came: FAILURE_CONF"), "{told}");
}

#[test]
fn what_is_no_recording_is_refused_with_its_place() {
    let gateway = Gateway::start();
    let open = recorded().remove(0);
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("recording.jsonl");
    let heartbeat = r#"{"connection": 9, "from": "client", "hex": "000000040000000500000001"}"#;
    let cases: &[(&[u8], &str)] = &[
        (b"", "there is no session in it"),
        (b"\n\n", "there is no session in it"),
        (&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0], "neither pcap nor pcapng"),
        (&[0xff; 64], "line 1: "),
        (b"{\"connection\": 1}\n", "line 1: missing field `from`"),
        (heartbeat.as_bytes(), "line 1: its connection does not begin with an OPEN_REQ"),
        (b"{\"connection\": 1, \"from\": \"client\", \"hex\": \"0\"}\n", "line 1: its hex is no whole bytes"),
        (b"{\"connection\": 1, \"from\": \"client\", \"hex\": \"ffffffff00000003\"}\n", "line 1: a frame of type"),
        (b"{\"connection\": 1, \"from\": \"client\", \"time\": -1, \"hex\": \"00\"}\n", "line 1: its time"),
        (b"{\"connection\": 1, \"from\": \"client\", \"time\": 1e300, \"hex\": \"00\"}\n", "line 1: its time"),
        (
            b"{\"connection\": 1, \"from\": \"client\", \"hex\": \"0000000800000003000000010000ffff\"}\n",
            "line 1: its OPEN_REQ asks for version 65535",
        ),
        (&[b' '; 1 << 20], "line 1: it is longer than 1 MiB"),
    ];
    for (content, said) in cases {
        std::fs::write(&path, content).expect("a file");
        let ran = ctigate(&["replay", &path.display().to_string(), &gateway.address], "");
        let (stderr, code) = (text(&ran.stderr), ran.status.code());
        assert!(code == Some(2) && stderr.contains(said), "{said}: {code:?} {stderr}");
    }
    let ran = ctigate(&["replay", "-", "127.0.0.1:1"], &format!("{open}\n"));
    assert_eq!(ran.status.code(), Some(2));
    assert!(text(&ran.stderr).contains("cannot connect"), "{}", text(&ran.stderr));
    for wrong in [["--ignore", "NoSuchField"], ["--speed", "0"], ["--timeout", "nan"]] {
        let ran = ctigate(&[&["replay", "-", &gateway.address], &wrong[..]].concat(), "");
        assert_eq!(ran.status.code(), Some(2), "{wrong:?}");
        assert!(text(&ran.stderr).contains(wrong[0]), "{}", text(&ran.stderr));
    }
}
