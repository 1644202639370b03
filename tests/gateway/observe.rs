//! Metrics, health and log lines, as an operator's tools see them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use cti_protocol::ged188::codes::{AgentState, ForcedFlag, ServiceMask};
use cti_protocol::ged188::{AnyMessage, CloseReq, SetAgentStateReq, Text};
use ctigate::acd::embedded::EmbeddedConfig;
use ctigate::acd::{AcdRefusal, Peripheral};
use ctigate::config::{ClientConfig, Config, DialectName, ListenerConfig, Transport};
use ctigate::dialects::{CloseKind, Outbox};
use ctigate::model::{AgentId, Password, ReasonCode, Role, Secret, WantedState};
use ctigate::observe::{Label, names, runbook};
use ctigate::operations::Step;
use ctigate::server::Gateway;
use serde_json::{Value, json};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::acd::HeldAcd;
use crate::support::desk::{Desk, instrument_of, open_req, services_of_agent, services_of_bridge, text};
use crate::support::house::{PERIPHERAL, house};
use crate::support::observed::{Lines, Seen, Series, asks, get};
use crate::support::wire::{Served, Wire, served};

const LOGIN: AgentState = AgentState::AGENT_STATE_LOGIN;
const LOGOUT: AgentState = AgentState::AGENT_STATE_LOGOUT;

/// A gateway with every kind of listener, and where it is observed.
async fn observed(change: impl FnOnce(&mut Config)) -> (Served, SocketAddr) {
    let served = served(|config| {
        config.observe.address = Some("127.0.0.1:0".parse().unwrap());
        for transport in [Transport::Tcp, Transport::Websocket] {
            config.listeners.push(ListenerConfig {
                dialect: DialectName::Opencti,
                address: "127.0.0.1:0".parse().unwrap(),
                transport,
                ..ListenerConfig::default()
            });
        }
        change(config);
    })
    .await;
    let address = served.gateway.observed_at().expect("an address to observe it at");
    (served, address)
}

fn listener(served: &Served, name: &str) -> SocketAddr {
    let listeners = served.gateway.listeners();
    listeners.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name} in {listeners:?}")).1
}

async fn agents_wire(address: SocketAddr, agent: &str) -> Wire {
    let request = open_req(&format!("desktop-{agent}"), services_of_agent());
    Wire::opened(address, cti_protocol::ged188::OpenReq { agent_id: text(agent), ..request }).await
}

fn state_req(invoke_id: u32, agent: &str, state: AgentState, password: &str) -> SetAgentStateReq {
    SetAgentStateReq {
        invoke_id,
        peripheral_id: 0xffff_ffff,
        agent_state: state,
        agent_id: text(agent),
        agent_instrument: if state == LOGIN { text(&instrument_of(agent)) } else { None },
        agent_password: (state == LOGIN).then(|| Text::new(password).unwrap().into()),
        ..SetAgentStateReq::default()
    }
}

/// Asks for a state, and reads up to the answer; says whether it is a confirm.
async fn asks_for(wire: &mut Wire, agent: &str, state: AgentState, password: &str) -> bool {
    wire.sends(state_req(7, agent, state, password)).await;
    loop {
        match wire.receives().await.expect("an answer") {
            AnyMessage::SetAgentStateConf(_) => return true,
            AnyMessage::ControlFailureConf(_) | AnyMessage::FailureConf(_) => return false,
            _ => (),
        }
    }
}

/// Looks again until it is so.
async fn until(address: SocketAddr, what: &str, is_so: impl Fn(&Series) -> bool) -> Series {
    let looked = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let series = Series::of(address).await;
            if is_so(&series) {
                return series;
            }
            tokio::task::yield_now().await;
        }
    });
    looked.await.unwrap_or_else(|_| panic!("{what}: it never came to that"))
}

async fn until_seen(address: SocketAddr, path: &str, status: u16) -> Seen {
    let looked = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let seen = get(address, path).await;
            if seen.status == status {
                return seen;
            }
            tokio::task::yield_now().await;
        }
    });
    looked.await.unwrap_or_else(|_| panic!("{path} never said {status}"))
}

fn sums(counted: &[(&str, f64)]) -> Vec<(String, f64)> {
    counted.iter().map(|(labels, value)| ((*labels).to_owned(), *value)).collect()
}

// --- counts -----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn what_a_desktop_did_is_counted_exactly() {
    let (served, address) = observed(|_| ()).await;
    let mut wire = agents_wire(served.address, "1001").await;
    assert!(!asks_for(&mut wire, "1001", LOGIN, "wrong").await);
    assert!(asks_for(&mut wire, "1001", LOGIN, "pw1001").await);
    assert!(asks_for(&mut wire, "1001", AgentState::AGENT_STATE_AVAILABLE, "").await);
    let series = Series::of(address).await;
    assert_eq!(series.value(r#"ctigate_agents{peripheral="5000",state="ready"}"#), 1.0);
    assert_eq!(series.value(r#"ctigate_agents{peripheral="5000",state="logged_out"}"#), 99.0);
    let of_queue = r#"ctigate_queue_agents{name="sales",peripheral="5000",queue="1",state="ready"}"#;
    assert_eq!(series.value(of_queue), 1.0);
    assert_eq!(series.value(r#"ctigate_sessions{dialect="ged188",state="connected"}"#), 1.0);
    assert_eq!(series.value("ctigate_subscriptions"), 1.0);
    assert_eq!(series.value(r#"ctigate_connections{listener="ged188"}"#), 1.0);

    assert!(asks_for(&mut wire, "1001", LOGOUT, "").await);
    wire.sends(CloseReq { invoke_id: 9, ..CloseReq::default() }).await;
    while wire.receives().await.is_some() {}
    let series = until(address, "closed", |series| series.counted("ctigate_connections").is_empty()).await;
    let expected = sums(&[
        (r#"{dialect="ged188",request="CLOSE_REQ",result="ok"}"#, 1.0),
        (r#"{dialect="ged188",request="OPEN_REQ",result="ok"}"#, 1.0),
        (r#"{dialect="ged188",request="SET_AGENT_STATE_REQ",result="client_fault"}"#, 1.0),
        (r#"{dialect="ged188",request="SET_AGENT_STATE_REQ",result="ok"}"#, 3.0),
    ]);
    assert_eq!(series.counted("ctigate_requests_total"), expected);
    let expected = sums(&[
        (r#"{outcome="done",step="admit"}"#, 1.0),
        (r#"{outcome="done",step="close_adapter"}"#, 1.0),
        (r#"{outcome="done",step="confirm"}"#, 1.0),
        (r#"{outcome="done",step="last_event"}"#, 1.0),
        (r#"{outcome="done",step="log_out"}"#, 1.0),
    ]);
    assert_eq!(series.counted("ctigate_logout_steps_total"), expected);
    let expected = sums(&[(r#"{command="authenticate",peripheral="5000",why="refused"}"#, 1.0)]);
    assert_eq!(series.counted("ctigate_acd_command_failures_total"), expected);
    for (command, count) in
        [("authenticate", 2.0), ("log_in", 1.0), ("log_out", 1.0), ("set_state", 1.0), ("agent", 0.0)]
    {
        let count_of = format!(r#"ctigate_acd_command_seconds_count{{command="{command}",peripheral="5000"}}"#);
        assert_eq!(series.value(&count_of), count, "{command}");
    }
    let expected = sums(&[(r#"{dialect="ged188",listener="ged188",reason="client_closed"}"#, 1.0)]);
    assert_eq!(series.counted("ctigate_connections_closed_total"), expected);
    assert_eq!(series.counted("ctigate_failed_steps_total"), sums(&[]));
    assert_eq!(series.counted("ctigate_sessions"), sums(&[]));
    // The login's, the state's and the logout's event, in one write each or in fewer.
    let written = series.value(r#"ctigate_event_latency_seconds_count{dialect="ged188",listener="ged188"}"#);
    assert!((1.0..=3.0).contains(&written), "{written}");
}

#[tokio::test]
async fn what_a_crm_did_is_counted_exactly() {
    let (served, address) = observed(|_| ()).await;
    let mut stream = TcpStream::connect(listener(&served, "opencti")).await.unwrap();
    let requests = [
        json!({"id": 1, "activity": "Heartbeat"}),
        json!({"id": 2, "activity": "Hello", "protocolVersion": 1, "identity": "crm"}),
        json!({"id": 3, "activity": "LoginAgent", "AgentID": "1001", "AgentPassword": "pw1001", "DN": "3001"}),
        json!({"id": 4, "activity": "LoginAgent", "AgentID": "1002", "AgentPassword": "no", "DN": "3002"}),
        json!({"id": 5, "activity": "Dance"}),
        json!({"id": 6, "activity": "LogoutAgent", "AgentID": "1001"}),
    ];
    let mut read = String::new();
    for request in requests {
        stream.write_all(format!("{request}\n").as_bytes()).await.unwrap();
        let answer = format!("\"id\":{}", request["id"]);
        while !read.contains(&answer) {
            let mut bytes = vec![0; 4096];
            let count = stream.read(&mut bytes).await.unwrap();
            read.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
    }
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
    let series =
        until(address, "lost", |series| series.0[r#"ctigate_sessions{dialect="opencti",state="lost"}"#] == 1.0).await;
    let expected = sums(&[
        (r#"{dialect="opencti",request="Heartbeat",result="client_fault"}"#, 1.0),
        (r#"{dialect="opencti",request="Hello",result="ok"}"#, 1.0),
        (r#"{dialect="opencti",request="LoginAgent",result="client_fault"}"#, 1.0),
        (r#"{dialect="opencti",request="LoginAgent",result="ok"}"#, 1.0),
        (r#"{dialect="opencti",request="LogoutAgent",result="ok"}"#, 1.0),
        (r#"{dialect="opencti",request="unknown",result="client_fault"}"#, 1.0),
    ]);
    assert_eq!(series.counted("ctigate_requests_total"), expected);
    let expected = sums(&[(r#"{dialect="opencti",listener="opencti",reason="client_gone"}"#, 1.0)]);
    assert_eq!(series.counted("ctigate_connections_closed_total"), expected);
}

#[tokio::test]
async fn requests_that_the_acd_does_not_answer_are_the_acds_fault() {
    let (served, address) = observed(|config| config.timeouts.acd_answer = Duration::from_millis(50)).await;
    let mut wire = agents_wire(served.address, "1001").await;
    assert!(asks_for(&mut wire, "1001", LOGIN, "pw1001").await);
    let held = served.acd.hold("set_state");
    wire.sends(state_req(8, "1001", AgentState::AGENT_STATE_AVAILABLE, "")).await;
    held.await.unwrap().never_answers();
    while !matches!(wire.receives().await.expect("an answer"), AnyMessage::ControlFailureConf(_)) {}
    let series = Series::of(address).await;
    let failed = r#"ctigate_requests_total{dialect="ged188",request="SET_AGENT_STATE_REQ",result="acd_fault"}"#;
    assert_eq!(series.value(failed), 1.0);
    let timed_out = r#"ctigate_acd_command_failures_total{command="set_state",peripheral="5000",why="timed_out"}"#;
    assert_eq!(series.value(timed_out), 1.0);
    assert_eq!(series.counted("ctigate_failed_steps_total"), sums(&[(r#"{step="set_state"}"#, 1.0)]));
}

#[tokio::test]
async fn two_gateways_in_one_process_count_for_themselves() {
    let (one, of_one) = observed(|_| ()).await;
    let (_other, of_other) = observed(|_| ()).await;
    let _wire = agents_wire(one.address, "1001").await;
    let opened = r#"ctigate_requests_total{dialect="ged188",request="OPEN_REQ",result="ok"}"#;
    assert_eq!((Series::of(of_one).await.value(opened), Series::of(of_other).await.value(opened)), (1.0, 0.0));
}

#[test]
fn the_oldest_event_of_a_write_is_known_once_all_of_it_is_written() {
    let outbox = Outbox::new(1_000);
    let mut pending = BytesMut::new();
    let begin = std::time::Instant::now();
    let at = |millis| Some(begin + Duration::from_millis(millis));
    outbox.add(|out| out.extend_from_slice(b"an answer"));
    outbox.take(&mut pending).unwrap();
    assert_eq!(outbox.still_writing(0), None, "no event was among it");
    pending.clear();
    outbox.add_event(at(2), |out| out.extend_from_slice(b"two"));
    outbox.add_event(at(3), |out| out.extend_from_slice(b"three"));
    outbox.take(&mut pending).unwrap();
    assert_eq!(outbox.waiting(), 8);
    assert_eq!(outbox.still_writing(4), None, "half of it waits");
    outbox.add_event(at(4), |out| out.extend_from_slice(b"four"));
    outbox.take(&mut pending).unwrap();
    assert_eq!(outbox.still_writing(0), at(2));
    assert_eq!(outbox.still_writing(0), None, "told once");
    assert_eq!(outbox.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_event_is_as_old_as_its_report_however_long_it_waited_for_a_commands_answer() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1001").await;
    let held = house.acd.hold("set_state");
    bridge.asks("1001", AgentState::AGENT_STATE_AVAILABLE);
    let held = held.await.unwrap();
    // Somebody else makes the agent not ready for another reason meanwhile.
    let agent = AgentId::new("1001").unwrap();
    house.acd.inner.console_set_state(&agent, WantedState::NotReady, ReasonCode(3));
    tokio::time::sleep(Duration::from_secs(3)).await;
    held.refuses(AcdRefusal::ReasonRequired);
    let mut bytes = BytesMut::new();
    let read_at = loop {
        bridge.outbox.woken().await;
        bridge.outbox.take(&mut bytes).unwrap();
        if let Some(read_at) = bridge.outbox.still_writing(0) {
            break read_at;
        }
    };
    assert_eq!(tokio::time::Instant::now().into_std() - read_at, Duration::from_secs(3));
}

#[tokio::test]
async fn a_reload_goes_on_counting_where_it_was() {
    let (served, address) = observed(|_| ()).await;
    let mut config = Config::default();
    config.listeners[0].address = "127.0.0.1:0".parse().unwrap();
    config.limits.connections_max = 77;
    let before = Wire::opened(served.address, open_req("before", services_of_bridge())).await;
    served.gateway.reload(&config).unwrap();
    let after = Wire::opened(served.address, open_req("after", services_of_bridge())).await;
    let series = Series::of(address).await;
    assert_eq!(series.value("ctigate_connections_max"), 77.0);
    let shown: Value = serde_json::from_str(&get(address, "/config").await.body).unwrap();
    assert_eq!(shown["limits"]["connections_max"], 77, "{shown:#}");
    assert_eq!(shown["acd"][0]["kind"], "embedded", "{shown:#}");
    assert_eq!(series.value(r#"ctigate_connections{listener="ged188"}"#), 2.0);
    drop((before, after));
    let gone = r#"ctigate_connections_closed_total{dialect="ged188",listener="ged188",reason="client_gone"}"#;
    until(address, "both are gone", |series| series.0[gone] == 2.0).await;
}

// --- health -----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_gateway_is_ready_while_an_acd_can_be_reached() {
    let (served, address) = observed(|_| ()).await;
    let ready = get(address, "/readyz").await;
    assert_eq!(ready.status, 200, "{ready:?}");
    let said: Value = serde_json::from_str(&ready.body).unwrap();
    assert_eq!(
        (&said["ready"], &said["phase"], &said["acds"]),
        (&json!(true), &json!("serving"), &json!({"5000": "up"}))
    );
    assert_eq!(said["listeners"]["ged188"], served.address.to_string());
    assert_eq!(said["listeners"].as_object().unwrap().len(), 3);

    served.acd.inner.go_away();
    let away = until_seen(address, "/readyz", 503).await;
    let said: Value = serde_json::from_str(&away.body).unwrap();
    assert_eq!(
        (&said["ready"], &said["phase"], &said["acds"]),
        (&json!(false), &json!("serving"), &json!({"5000": "down"}))
    );
    assert_eq!(get(address, "/healthz").await.status, 200);
    let series = Series::of(address).await;
    assert_eq!(series.value("ctigate_ready"), 0.0);
    assert_eq!(series.value(r#"ctigate_acd_link_up{peripheral="5000"}"#), 0.0);
    assert_eq!(series.value(r#"ctigate_acd_link_losses_total{peripheral="5000"}"#), 1.0);

    served.acd.inner.come_back();
    until_seen(address, "/readyz", 200).await;
    let series = Series::of(address).await;
    assert_eq!(series.value("ctigate_ready"), 1.0);
    assert_eq!(series.value(r#"ctigate_acd_rebuilds_total{peripheral="5000",why="link_up"}"#), 2.0);
}

/// Which address is free is not known beforehand, so it is one that no other process takes.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_gateway_that_starts_is_not_ready_before_it_has_an_acd() {
    let [_, a, b, c] = std::process::id().to_be_bytes();
    let address = SocketAddr::from(([127, a, b, c], 9427));
    let acd = HeldAcd::new(EmbeddedConfig::default());
    acd.inner.go_away();
    let mut config = Config::default();
    config.listeners[0].address = "127.0.0.1:0".parse().unwrap();
    config.observe.address = Some(address);
    config.timeouts.acd_start = Duration::from_secs(20);
    let peripheral = Peripheral { id: PERIPHERAL, acd: Arc::<HeldAcd>::clone(&acd) as _ };
    let starting = tokio::spawn(Gateway::start_with(config, vec![peripheral]));
    while TcpStream::connect(address).await.is_err() {
        tokio::task::yield_now().await;
    }
    let seen = get(address, "/readyz").await;
    assert_eq!(seen.status, 503);
    let said: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!((&said["phase"], &said["acds"]), (&json!("starting"), &json!({"5000": "down"})));
    assert_eq!(get(address, "/healthz").await.status, 200);
    acd.inner.come_back();
    let _gateway = starting.await.unwrap().unwrap();
    assert_eq!(get(address, "/readyz").await.status, 200);
}

#[tokio::test]
async fn a_gateway_that_drains_answers_to_the_last_and_says_that_it_is_not_ready() {
    let (served, address) = observed(|_| ()).await;
    let mut wire = agents_wire(served.address, "1001").await;
    assert!(asks_for(&mut wire, "1001", LOGIN, "pw1001").await);
    let held = served.acd.hold("log_out");
    wire.sends(state_req(8, "1001", LOGOUT, "")).await;
    let held = held.await.unwrap();
    let drained = tokio::spawn(served.gateway.drain());
    let seen = until_seen(address, "/readyz", 503).await;
    let said: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!((&said["phase"], &said["acds"]), (&json!("stopping"), &json!({"5000": "up"})));
    assert_eq!(get(address, "/healthz").await.status, 200);
    let series = Series::of(address).await;
    assert_eq!((series.value("ctigate_stopping"), series.value("ctigate_requests_running")), (1.0, 1.0));
    held.does_it();
    while wire.receives().await.is_some() {}
    drop(wire);
    drained.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody answers behind the end");
}

#[tokio::test]
async fn only_what_is_there_is_answered_and_only_for_those_who_look() {
    let (_served, address) = observed(|_| ()).await;
    assert_eq!(get(address, "/").await.status, 404);
    assert_eq!(get(address, "/metrics?x=1").await.status, 200);
    let posted = asks(address, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(posted.status, 405);
    assert!(posted.head.contains("allow: get, head"), "{posted:?}");
    let head = asks(address, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head:?}");
    let many = "X: y\r\n".repeat(100);
    assert_ne!(asks(address, &format!("GET /healthz HTTP/1.1\r\n{many}\r\n")).await.status, 200);
}

#[tokio::test]
async fn those_who_ask_and_never_finish_keep_nobody_else_waiting() {
    let (served, address) = observed(|_| ()).await;
    let mut idle = Vec::new();
    for _ in 0..16 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let mut refused = TcpStream::connect(address).await.unwrap();
    assert_eq!(refused.read(&mut [0; 16]).await.unwrap_or(0), 0, "the seventeenth is not taken");
    let mut wire = agents_wire(served.address, "1001").await;
    assert!(asks_for(&mut wire, "1001", LOGIN, "pw1001").await, "clients are served all the same");
    drop(idle);
}

#[tokio::test]
async fn an_address_that_others_could_reach_is_refused() {
    let error = Config::from_toml("ctigate.toml", "[observe]\naddress = \"0.0.0.0:9427\"\n").unwrap_err().to_string();
    for part in ["ctigate.toml", "observe.address", "0.0.0.0:9427"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    assert!(Config::from_toml("ctigate.toml", "[observe]\naddress = \"[::1]:9427\"\n").is_ok());
    let (_served, address) = observed(|_| ()).await;
    let mut config = Config::default();
    config.observe.address = Some(address);
    let error = Gateway::start(config).await.unwrap_err().to_string();
    assert!(error.contains("observe.address: cannot listen on"), "{error}");
}

// --- log lines --------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn every_connection_has_one_line_at_its_end_and_is_counted_there() {
    let lines = Lines::captured();
    let (served, address) = observed(|config| {
        config.limits.connections_max = 2;
        config.timeouts.open = Duration::from_millis(300);
    })
    .await;
    let closed = |reason: &'static str| {
        move |series: &Series| {
            let counted = series.counted("ctigate_connections_closed_total");
            counted.iter().any(|(labels, _)| labels.contains(&format!("reason=\"{reason}\"")))
        }
    };
    // A desktop that logs an agent in and says goodbye.
    let mut wire = agents_wire(served.address, "1001").await;
    assert!(asks_for(&mut wire, "1001", LOGIN, "pw1001").await);
    wire.sends(CloseReq { invoke_id: 9, ..CloseReq::default() }).await;
    while wire.receives().await.is_some() {}
    drop(wire);
    until(address, "client_closed", closed("client_closed")).await;
    // One that goes without a word, as a bridge.
    let wire = Wire::opened(served.address, open_req("bridge", services_of_bridge())).await;
    drop(wire);
    until(address, "client_gone", closed("client_gone")).await;
    // A frame that cannot be.
    let mut wire = Wire::connected(served.address).await;
    wire.stream.write_all(&[0xff; 8]).await.unwrap();
    while wire.receives().await.is_some() {}
    drop(wire);
    until(address, "broken_framing", closed("broken_framing")).await;
    // One too many, and two that open no session.
    let held = [Wire::connected(served.address).await, Wire::connected(served.address).await];
    until(address, "two", |series| series.0[r#"ctigate_connections{listener="ged188"}"#] == 2.0).await;
    let mut refused = Wire::connected(served.address).await;
    assert!(matches!(refused.receives().await, Some(AnyMessage::FailureEvent(_))), "it is told why");
    assert!(refused.receives().await.is_none());
    until(address, "too_many_connections", closed("too_many_connections")).await;
    for mut wire in held {
        while wire.receives().await.is_some() {}
    }
    // HTTP.
    let websocket = listener(&served, "opencti-ws");
    until(address, "none", |series| series.counted("ctigate_connections").is_empty()).await;
    assert_eq!(get(websocket, "/nothing").await.status, 404);
    until(address, "http_answered", closed("http_answered")).await;
    let mut broken = TcpStream::connect(websocket).await.unwrap();
    broken.write_all(b"\x16\x03\x01\x00\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = broken.read_to_end(&mut answer).await;
    let series = until(address, "broken_http", closed("broken_http")).await;

    let expected = sums(&[
        (r#"{dialect="ged188",listener="ged188",reason="broken_framing"}"#, 1.0),
        (r#"{dialect="ged188",listener="ged188",reason="client_closed"}"#, 1.0),
        (r#"{dialect="ged188",listener="ged188",reason="client_gone"}"#, 1.0),
        (r#"{dialect="ged188",listener="ged188",reason="not_opened"}"#, 2.0),
        (r#"{dialect="ged188",listener="ged188",reason="too_many_connections"}"#, 1.0),
        (r#"{dialect="opencti",listener="opencti-ws",reason="broken_http"}"#, 1.0),
        (r#"{dialect="opencti",listener="opencti-ws",reason="http_answered"}"#, 1.0),
    ]);
    assert_eq!(series.counted("ctigate_connections_closed_total"), expected);
    let accepted = series.counted("ctigate_connections_accepted_total");
    assert_eq!(accepted.iter().map(|(_, count)| count).sum::<f64>(), 8.0, "{accepted:?}");

    let ends = lines.of("connection closed");
    let reasons: Vec<&str> = ends.iter().map(|line| line["reason"].as_str().unwrap()).collect();
    let mut sorted = reasons.clone();
    sorted.sort_unstable();
    let expected = [
        "broken_framing",
        "broken_http",
        "client_closed",
        "client_gone",
        "http_answered",
        "not_opened",
        "not_opened",
        "too_many_connections",
    ];
    assert_eq!(sorted, expected);
    let line = |reason: &str| ends.iter().find(|line| line["reason"] == reason).unwrap();
    let of_desktop = line("client_closed");
    let told = ["level", "listener", "dialect", "client", "agents", "why", "requests", "refused"]
        .map(|field| of_desktop[field].to_string());
    let why = "\"the client closed the session\"";
    let expected = ["\"INFO\"", "\"ged188\"", "\"ged188\"", "\"desktop-1001\"", "\"1001@5000\"", why, "3", "0"];
    assert_eq!(told, expected);
    assert!(of_desktop["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{of_desktop}");
    assert!(of_desktop["session"].is_string(), "{of_desktop}");
    assert_eq!(line("client_gone")["client"], "bridge");
    assert_eq!(line("broken_framing")["level"], "WARN");
    assert!(line("not_opened")["session"].is_null());
    // Nothing else says that a connection or its session has ended.
    for other in ["session closed", "connection of a session ended", "no session was opened"] {
        assert!(lines.of(other).is_empty(), "{other}");
    }
}

#[tokio::test]
async fn those_who_are_turned_away_are_all_counted_and_have_one_line_together() {
    const REFUSED: usize = 5;
    let lines = Lines::captured();
    let (served, address) = observed(|config| config.limits.connections_max = 1).await;
    let _held = Wire::opened(served.address, open_req("one", services_of_bridge())).await;
    for _ in 0..REFUSED {
        let mut refused = Wire::connected(served.address).await;
        assert!(matches!(refused.receives().await, Some(AnyMessage::FailureEvent(_))), "it is told why");
        assert!(refused.receives().await.is_none());
    }
    let series = Series::of(address).await;
    let closed = series.counted("ctigate_connections_closed_total");
    let refused = r#"{dialect="ged188",listener="ged188",reason="too_many_connections"}"#.to_owned();
    assert!(closed.contains(&(refused, REFUSED as f64)), "{closed:?}");
    let said = lines.of("connection closed");
    assert_eq!(said.len(), 1, "one in ten seconds: {said:#?}");
    assert_eq!((&said[0]["reason"], &said[0]["left_out"]), (&json!("too_many_connections"), &json!(0)));
}

#[tokio::test]
async fn a_step_that_fails_has_one_line_with_client_agent_and_step() {
    let lines = Lines::captured();
    let (served, address) = observed(|config| config.timeouts.adapter_retry_min = Duration::from_secs(60)).await;
    let mut wire = agents_wire(served.address, "1001").await;
    assert!(asks_for(&mut wire, "1001", LOGIN, "pw1001").await);
    let held = [served.acd.hold("close_adapter"), served.acd.hold("close_adapter")];
    wire.sends(state_req(8, "1001", LOGOUT, "")).await;
    let [first, second] = held;
    let words = || AcdRefusal::Refused { code: 17, words: "not now".to_owned() };
    first.await.unwrap().refuses(words());
    second.await.unwrap().refuses(words()); // the first try in the background
    while !matches!(wire.receives().await.expect("an answer"), AnyMessage::ControlFailureConf(_)) {}
    let series =
        until(address, "tried twice", |series| series.0[r#"ctigate_failed_steps_total{step="close_adapter"}"#] == 2.0)
            .await;
    let failed = r#"ctigate_logout_steps_total{outcome="failed",step="close_adapter"}"#;
    assert_eq!(series.value(failed), 1.0, "the background's tries are no logouts");
    assert_eq!(series.value(r#"ctigate_logout_steps_total{outcome="done",step="confirm"}"#), 0.0);
    assert_eq!(series.value(r#"ctigate_agents_to_mend{peripheral="5000"}"#), 1.0);
    let steps = lines.of("step failed");
    assert_eq!(steps.len(), 2, "{steps:#?}");
    let told = ["level", "client", "agent", "step", "retry_in"].map(|field| steps[0][field].to_string());
    assert_eq!(told, ["\"WARN\"", "\"desktop-1001\"", "\"1001@5000\"", "\"close_adapter\"", "null"]);
    assert!(steps[0]["error"].as_str().unwrap().contains("not now"), "{}", steps[0]);
    assert!(steps[0]["session"].is_string(), "{}", steps[0]);
    assert_eq!((&steps[1]["client"], &steps[1]["retry_in"]), (&Value::Null, &json!("60s")));
}

#[tokio::test]
async fn a_failed_step_names_its_client_whatever_it_asked_and_when_it_has_gone_too() {
    let lines = Lines::captured();
    let (served, address) = observed(|_| ()).await;
    let mut wire = agents_wire(served.address, "1001").await;
    let held = served.acd.hold("authenticate");
    let check =
        SetAgentStateReq { forced_flag: ForcedFlag::AUTHENTICATE_ONLY, ..state_req(7, "1001", LOGIN, "pw1001") };
    wire.sends(check).await;
    held.await.unwrap().refuses(AcdRefusal::LinkDown);
    assert!(matches!(wire.receives().await, Some(AnyMessage::ControlFailureConf(_))));
    assert!(asks_for(&mut wire, "1001", LOGIN, "pw1001").await);
    let held = [served.acd.hold("log_out"), served.acd.hold("agent")];
    wire.sends(state_req(8, "1001", LOGOUT, "")).await;
    let [log_out, truth] = held;
    let log_out = log_out.await.unwrap();
    drop(wire);
    let gone = r#"ctigate_sessions{dialect="ged188",state="connected"}"#;
    until(address, "the client has gone", |series| series.0.get(gone).is_none_or(|sessions| *sessions == 0.0)).await;
    log_out.refuses(AcdRefusal::LinkDown);
    truth.await.unwrap().refuses(AcdRefusal::LinkDown);
    for step in ["authenticate", "ask_agent", "log_out"] {
        let failed = format!("ctigate_failed_steps_total{{step=\"{step}\"}}");
        until(address, step, |series| series.value(&failed) >= 1.0).await;
        let line = lines.of("step failed").into_iter().find(|line| line["step"] == step).expect("its line");
        assert_eq!((&line["client"], &line["agent"]), (&json!("desktop-1001"), &json!("1001@5000")), "{line}");
    }
}

#[tokio::test]
async fn what_refuses_requests_as_too_much_is_seen_the_acd_or_the_machine() {
    let (served, address) = observed(|config| config.limits.acd_commands_max = 77).await;
    let mut wire = agents_wire(served.address, "1001").await;
    let waiting = r#"ctigate_acd_commands_waiting{peripheral="5000"}"#;
    let series = Series::of(address).await;
    assert_eq!(series.value(waiting), 0.0);
    assert_eq!(series.value("ctigate_acd_commands_waiting_max"), 77.0);
    let held = served.acd.hold("log_in");
    wire.sends(state_req(7, "1001", LOGIN, "pw1001")).await;
    let held = held.await.unwrap();
    assert_eq!(Series::of(address).await.value(waiting), 1.0);
    drop(held);
    assert_eq!(series.value("ctigate_overload_level"), 0.0);
    let (_small, address) = observed(|config| config.limits.memory_bytes_max = 1 << 20).await;
    until(address, "only who leaves", |series| series.value("ctigate_overload_level") == 2.0).await;
}

#[tokio::test]
async fn a_clients_own_fault_is_no_failed_step() {
    let lines = Lines::captured();
    let (served, address) = observed(|_| ()).await;
    let mut wire = agents_wire(served.address, "1001").await;
    assert!(!asks_for(&mut wire, "1001", LOGIN, "wrong").await);
    assert!(!asks_for(&mut wire, "1001", LOGOUT, "").await);
    assert!(!asks_for(&mut wire, "1001", AgentState::AGENT_STATE_AVAILABLE, "").await);
    let series = Series::of(address).await;
    assert_eq!(series.counted("ctigate_failed_steps_total"), sums(&[]));
    assert_eq!(series.counted("ctigate_logout_steps_total"), sums(&[(r#"{outcome="refused",step="admit"}"#, 1.0)]));
    assert!(lines.of("step failed").is_empty());
}

// --- what must not be there -------------------------------------------------------------------------------------------

#[tokio::test]
async fn no_secret_is_in_the_metrics_or_in_a_log_line() {
    const SECRETS: [&str; 3] = ["hunter2hunter2", "opensesame-crm", "guessed-it-wrong"];
    let lines = Lines::captured();
    let client = |id: &str, role: Role, password: &str| ClientConfig {
        id: id.to_owned(),
        role,
        password: Some(Secret::Here(Password::new(password))),
        agents: (role == Role::Agent).then(|| vec!["1001".to_owned()]),
        ..ClientConfig::default()
    };
    let (served, address) = observed(|config| {
        let desktop = client("desktop-1001", Role::Agent, SECRETS[0]);
        config.clients = vec![desktop, client("crm", Role::Bridge, SECRETS[1])];
    })
    .await;
    let secret = |text: &str| Some(cti_protocol::ged188::Data::new(text.as_bytes()).unwrap().into());
    let open = |password: &str| cti_protocol::ged188::OpenReq {
        agent_id: text("1001"),
        client_password: secret(password),
        ..open_req("desktop-1001", services_of_agent())
    };
    let mut wire = Wire::opened(served.address, open(SECRETS[0])).await;
    assert!(!asks_for(&mut wire, "1001", LOGIN, SECRETS[2]).await);
    assert!(asks_for(&mut wire, "1001", LOGIN, "pw1001").await);
    let hello = |secret: &str| {
        format!(
            "{}\n",
            json!({"id": 1, "activity": "Hello", "protocolVersion": 1, "identity": "crm", "secret": secret})
        )
    };
    let opencti = listener(&served, "opencti");
    let mut crm = TcpStream::connect(opencti).await.unwrap();
    crm.write_all(hello(SECRETS[1]).as_bytes()).await.unwrap();
    let welcome = reads_line(&mut crm).await;
    let token = serde_json::from_str::<Value>(&welcome).unwrap()["session"].as_str().expect(&welcome).to_owned();
    // Those who guess.
    let mut guessing = Wire::connected(served.address).await;
    guessing.sends(open(SECRETS[2])).await;
    assert!(matches!(guessing.receives().await, Some(AnyMessage::FailureConf(_))));
    let mut guesser = TcpStream::connect(opencti).await.unwrap();
    guesser.write_all(hello(SECRETS[2]).as_bytes()).await.unwrap();
    assert!(reads_line(&mut guesser).await.contains("Fail"));
    drop((crm, guesser, guessing));
    drop(wire);
    until(address, "closed", |series| series.counted("ctigate_connections").is_empty()).await;
    let (metrics, log) = (get(address, "/metrics").await.body, lines.text());
    let configuration = get(address, "/config").await.body;
    assert!(log.contains("connection closed") && log.contains("agent logged in"), "something was logged");
    for secret in SECRETS.into_iter().chain(["pw1001", token.as_str()]) {
        assert!(!metrics.contains(secret), "{secret} in the metrics");
        assert!(!configuration.contains(secret), "{secret} in {configuration}");
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

async fn reads_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        line.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(line).unwrap()
}

#[tokio::test]
async fn nothing_that_clients_make_up_becomes_a_series() {
    let (served, address) = observed(|_| ()).await;
    let names_of = |series: Series| series.0.into_keys().collect::<Vec<_>>();
    // A session of each dialect, so that what there is is there.
    let mut wire = Wire::opened(served.address, open_req("first", services_of_bridge())).await;
    let mut stream = TcpStream::connect(listener(&served, "opencti")).await.unwrap();
    let hello = json!({"id": 1, "activity": "Hello", "protocolVersion": 1, "identity": "crm"});
    stream.write_all(format!("{hello}\n").as_bytes()).await.unwrap();
    let before = until(address, "open", |series| series.counted("ctigate_sessions").len() == 2).await;
    let before = names_of(before);
    for number in 0..1_000_u32 {
        let mut odd = Wire::opened(served.address, open_req(&format!("odd \"{number}\""), ServiceMask(0x10))).await;
        odd.stream.write_all(&frame(5_000 + number)).await.unwrap();
        assert!(matches!(odd.receives_answer().await, Some(AnyMessage::FailureConf(_))));
        let agent = format!("nobody{number}");
        wire.sends(state_req(7, &agent, LOGOUT, "")).await;
        let activity = json!({"id": number, "activity": format!("Odd{number}"), "AgentID": agent});
        stream.write_all(format!("{activity}\n").as_bytes()).await.unwrap();
    }
    let all = r#"ctigate_requests_total{dialect="opencti",request="unknown",result="client_fault"}"#;
    let after = until(address, "all of them", |series| series.0[all] == 1_000.0).await;
    let unknown = r#"ctigate_requests_total{dialect="ged188",request="unknown",result="client_fault"}"#;
    assert_eq!(after.value(unknown), 1_000.0);
    assert_eq!(names_of(after), before);
}

/// A frame of that type with an invoke id and nothing else.
fn frame(message_type: u32) -> Vec<u8> {
    [4, message_type, 1].iter().flat_map(|word: &u32| word.to_be_bytes()).collect()
}

impl Wire {
    /// The next message that is no event of the bridge's.
    async fn receives_answer(&mut self) -> Option<AnyMessage> {
        loop {
            match self.receives().await? {
                AnyMessage::SystemEvent(_) => (),
                other => return Some(other),
            }
        }
    }
}

// --- alerts, dashboard, runbook ---------------------------------------------------------------------------------------

const ALERTS: &str = include_str!("../../.deploy/alerts.yml");
const DASHBOARD: &str = include_str!("../../.deploy/grafana.json");

/// What looks like a metric in a query.
fn metrics_in(query: &str) -> Vec<&str> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("ctigate_") || word.starts_with("process_")).collect()
}

/// The metric of a series: of a histogram's parts, the histogram.
fn metric_of(word: &str) -> &str {
    let histograms = names::ALL.iter().map(|named| named.name).filter(|name| name.ends_with("_seconds"));
    let part = |name: &&str| ["_bucket", "_count", "_sum"].iter().any(|suffix| word.strip_suffix(suffix) == Some(name));
    histograms.into_iter().find(part).unwrap_or(word)
}

fn dashboard_queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_alerts_and_dashboard_ask_for_is_there() {
    let (served, address) = observed(|_| ()).await;
    let mut wire = agents_wire(served.address, "1001").await;
    assert!(asks_for(&mut wire, "1001", LOGIN, "pw1001").await);
    let there = Series::of(address).await;
    let there: Vec<&str> = there.0.keys().map(|name| metric_of(name.split('{').next().unwrap())).collect();
    for named in names::ALL {
        assert!(there.contains(&named.name), "{} is not said", named.name);
    }
    for name in &there {
        assert!(names::ALL.iter().any(|named| named.name == *name), "{name} has no constant");
    }
    let expressions = ALERTS.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).map(str::to_owned);
    let queries: Vec<String> = expressions.chain(dashboard_queries()).collect();
    assert!(queries.len() > 50, "{}", queries.len());
    for query in &queries {
        for metric in metrics_in(query) {
            assert!(names::ALL.iter().any(|named| named.name == metric_of(metric)), "{metric} in {query}");
        }
    }
    let shown: Vec<&str> = queries.iter().flat_map(|query| metrics_in(query)).map(metric_of).collect();
    let forgotten: Vec<&str> = names::ALL.iter().map(|named| named.name).filter(|name| !shown.contains(name)).collect();
    assert_eq!(forgotten, [""; 0], "nobody looks at these");
}

#[test]
fn the_dashboard_is_one_that_grafana_takes() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids: Vec<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), panels.len(), "each id once");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        }
        let (x, width) = (panel["gridPos"]["x"].as_u64().unwrap(), panel["gridPos"]["w"].as_u64().unwrap());
        assert!(x + width <= 24, "{}", panel["title"]);
    }
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let is_there = |name: &str| variables.iter().any(|variable| variable["name"] == name);
    assert!(is_there("datasource") && is_there("instance"));
}

#[test]
fn every_reason_step_and_alert_has_a_page_and_no_page_is_an_orphan() {
    let closes = CloseKind::ALL.iter().map(|kind| format!("close-{}", kind.label()));
    let steps = Step::ALL.iter().map(|step| format!("step-{}", step.label()));
    let alerts: Vec<&str> = ALERTS.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let named = ALERTS.lines().filter_map(|line| line.trim().strip_prefix("runbook: ctigate runbook "));
    let of_alerts: Vec<String> = alerts.iter().map(|alert| format!("alert-{alert}")).collect();
    assert_eq!(named.map(str::to_owned).collect::<Vec<_>>(), of_alerts, "each alert names its own page");
    let mut expected: Vec<String> = closes.chain(steps).chain(of_alerts).collect();
    let mut pages: Vec<String> = runbook::pages().map(|page| page.name.to_owned()).collect();
    expected.sort_unstable();
    pages.sort_unstable();
    assert_eq!(pages, expected);
    for page in runbook::pages() {
        for part in ["**What happened.**", "**What it means.**", "**Look.**", "**Do.**", "**Do not.**"] {
            assert_eq!(page.text.matches(part).count(), 1, "{part} of {}", page.name);
        }
        for metric in metrics_in(page.text) {
            assert!(names::ALL.iter().any(|named| named.name == metric), "{metric} in {}", page.name);
        }
        for word in page.text.split(|c: char| c.is_whitespace() || ",.;:()`".contains(c)) {
            let is_page = ["close-", "step-", "alert-"].iter().any(|kind| word.starts_with(kind));
            assert!(!is_page || runbook::find(word).is_some(), "{word} in {}", page.name);
        }
    }
}

#[test]
fn the_readme_has_every_metric() {
    let readme = include_str!("../../README.md");
    for named in names::ALL {
        let row = readme.lines().find(|line| line.starts_with(&format!("| `{}`", named.name)));
        let row = row.unwrap_or_else(|| panic!("{} is missing", named.name));
        assert_eq!(row, format!("| `{}` | {} | {} |", named.name, named.labels, named.help));
    }
}
