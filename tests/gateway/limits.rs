//! Every limit of the configuration, and the test that reaches it: what is over it is told so, and nobody else notices.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use cti_protocol::ged188::codes::{AgentState, ControlFailure, ServiceMask, Status};
use cti_protocol::ged188::{AnyMessage, HeartbeatReq, MonitorStartReq, OpenReq, QueryAgentStateReq};
use ctigate::acd::Acd;
use ctigate::config::{Config, Limits, Timeouts};
use ctigate::dialects::{CloseReason, Outbox, Total};
use ctigate::model::{AgentId, QueueId, ReasonCode, WantedState};
use ctigate::operations::Level;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::crm::{Crm, login, logout};
use crate::support::desk::{Desk, open_req, services_of_agent, services_of_bridge, text};
use crate::support::house::{PERIPHERAL, house, house_of, house_with};
use crate::support::overheard::overheard;
use crate::support::phone::{patient_world, ready_desk};
use crate::support::wire::{Served, Wire, served};

/// Each key of `[limits]`, and where it is reached.
const LIMITS: &[(&str, &[&str])] = &[
    ("connections_max", &["limits::one_connection_too_many_is_told_so_in_its_own_protocol"]),
    ("connections_per_address_max", &["limits::one_address_cannot_take_the_places_of_all"]),
    ("sessions_per_client_max", &["limits::one_session_too_many_of_an_identity_is_refused"]),
    ("frame_bytes_max", &["limits::a_frame_of_the_allowed_length_is_read_and_a_longer_one_ends_the_connection"]),
    (
        "message_bytes_max",
        &[
            "opencti::what_cannot_be_read_costs_its_own_answer_and_nothing_else",
            "opencti::a_message_that_comes_byte_by_byte_is_one_and_an_endless_one_holds_no_memory",
            "websocket::a_message_that_is_too_long_ends_the_connection",
        ],
    ),
    (
        "outbound_bytes_max",
        &[
            "session::a_slow_client_is_closed_with_its_reason_and_nobody_else_notices",
            "sockets::a_client_that_stops_reading_is_closed_and_the_agents_work_on",
            "websocket::a_client_that_does_not_read_is_ended_and_the_others_do_not_wait_for_it",
        ],
    ),
    (
        "outbound_total_bytes_max",
        &[
            "limits::where_too_much_waits_each_may_be_owed_its_share_and_no_more",
            "limits::a_client_that_does_not_read_is_closed_sooner_where_there_is_little_room",
        ],
    ),
    (
        "requests_in_flight_max",
        &[
            "state::requests_past_the_bound_are_refused_and_the_others_answered",
            "opencti::more_requests_in_flight_than_allowed_and_more_devices_are_refused",
        ],
    ),
    (
        "requests_per_second_max",
        &[
            "limits::requests_that_come_too_fast_are_refused_and_who_leaves_gets_through",
            "limits::opencti_requests_that_come_too_fast_are_refused_and_who_leaves_gets_through",
            "limits::a_flood_ends_its_connection",
        ],
    ),
    (
        "monitors_max",
        &[
            "limits::monitors_of_one_connection_and_of_all_have_a_bound",
            "opencti::more_requests_in_flight_than_allowed_and_more_devices_are_refused",
        ],
    ),
    ("subscriptions_max", &["limits::monitors_of_one_connection_and_of_all_have_a_bound"]),
    ("agents_max", &["limits::an_acd_with_more_agents_than_may_be_known_fills_no_memory"]),
    ("calls_max", &["limits::an_acd_with_more_calls_than_may_be_known_fills_no_memory"]),
    ("acd_commands_max", &["limits::an_acd_that_does_not_answer_is_asked_less_and_less_and_who_leaves_gets_through"]),
    (
        "acd_events_max",
        &[
            "encounters::a_link_whose_return_was_lost_among_reports_is_up_all_the_same",
            "encounters::a_link_whose_loss_was_lost_among_reports_is_down_all_the_same",
        ],
    ),
    ("deferred_events_max", &["limits::more_reports_of_an_agent_than_may_wait_are_asked_for_anew"]),
    ("memory_bytes_max", &["limits::a_process_that_is_too_large_takes_no_newcomers"]),
];

/// Each key of `[timeouts]`, and where it is reached.
const TIMEOUTS: &[(&str, &[&str])] = &[
    (
        "open",
        &[
            "session::ends_a_connection_that_opens_no_session",
            "opencti::a_connection_without_hello_is_ended_and_told_so",
            "websocket::a_handshake_that_is_never_done_is_ended",
        ],
    ),
    ("acd_start", &["limits::an_acd_that_is_away_keeps_nobody_else_waiting"]),
    ("acd_answer", &["state::a_login_whose_answer_is_lost_fails_and_leaves_nobody_logged_in"]),
    ("adapter_retry_min", &["logout::a_teardown_that_fails_fails_the_request_and_goes_on_until_it_is_done"]),
    ("adapter_retry_max", &["logout::a_teardown_that_fails_fails_the_request_and_goes_on_until_it_is_done"]),
    (
        "dead_peer",
        &[
            "a_connection_is_told_to_find_a_dead_peer_by_itself",
            "limits::a_client_whose_end_takes_nothing_any_more_is_found_by_the_socket_itself",
        ],
    ),
    ("write", &["limits::a_client_that_takes_nothing_is_closed_for_that_whatever_it_may_be_owed"]),
    ("lag", &["limits::a_machine_that_comes_too_late_takes_no_newcomers"]),
    ("goodbyes", &["each_has_a_moment_of_its_own_and_the_last_is_in_time"]),
    ("drain", &["limits::who_does_not_take_a_goodbye_is_cut_after_a_while"]),
    ("audit", &["audit::an_agent_whose_event_was_lost_is_put_right_and_it_is_said"]),
];

#[test]
fn every_limit_is_reached_by_a_test() {
    let keys = |debug: String| -> Vec<String> {
        let lines = debug.lines().filter(|line| line.starts_with("    ") && !line.starts_with("     "));
        lines.filter_map(|line| Some(line.trim().split_once(':')?.0.to_owned())).collect()
    };
    let named = |table: &[(&str, &[&str])]| Vec::from_iter(table.iter().map(|(key, _)| (*key).to_owned()));
    assert_eq!(named(LIMITS), sorted_as(keys(format!("{:#?}", Limits::default())), LIMITS));
    assert_eq!(named(TIMEOUTS), sorted_as(keys(format!("{:#?}", Timeouts::default())), TIMEOUTS));
    let top = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    for (key, tests) in LIMITS.iter().chain(TIMEOUTS) {
        for test in *tests {
            let (file, name) = match test.split_once("::") {
                Some((module, name)) => (format!("{top}tests/gateway/{module}.rs"), name),
                None => (
                    format!("{top}src/server/{}", if *key == "goodbyes" { "goodbyes.rs" } else { "sockets.rs" }),
                    *test,
                ),
            };
            let source = std::fs::read_to_string(&file).expect("a file of tests");
            assert!(source.contains(&format!("fn {name}")), "{key} names {test}, which is not in {file}");
        }
    }
}

/// The keys in the table's order, with those at the end that it does not have.
fn sorted_as(mut keys: Vec<String>, table: &[(&str, &[&str])]) -> Vec<String> {
    keys.sort_by_key(|key| table.iter().position(|(named, _)| named == key).unwrap_or(usize::MAX));
    keys
}

// --- connections and sessions ---------------------------------------------------------------------------------------

#[tokio::test]
async fn one_connection_too_many_is_told_so_in_its_own_protocol() {
    let (served, mut reasons) = overheard(|config| config.limits.connections_max = 2).await;
    let at = |name: usize| served.gateway.listeners()[name].1;
    let mut first = Wire::opened(at(0), open_req("one", ServiceMask(0))).await;
    let second = Wire::opened(at(0), open_req("two", ServiceMask(0))).await;

    let mut third = Wire::connected(at(0)).await;
    third.sends(open_req("three", ServiceMask(0))).await; // unread, it must not cost the client the last words
    match third.receives().await {
        Some(AnyMessage::FailureEvent(event)) => assert_eq!(event.status, Status::E_CTI_CTI_SERVER_OFFLINE),
        other => panic!("FAILURE_EVENT expected, got {other:?}"),
    }
    assert!(third.receives().await.is_none());
    let why = "there are 2 connections to the gateway already, no more are taken";
    let notice: serde_json::Value = serde_json::from_str(&all_of(at(1), "").await).expect("one line");
    assert_eq!((notice["notice"].as_str(), notice["message"].as_str()), (Some("Closed"), Some(why)));
    let http = all_of(at(2), "GET / HTTP/1.1\r\nHost: here\r\n\r\n").await;
    assert!(http.starts_with("HTTP/1.1 503 ") && http.ends_with(&format!("{why}\n")), "{http}");

    first.sends(HeartbeatReq { invoke_id: 1, ..Default::default() }).await;
    assert!(matches!(first.receives().await, Some(AnyMessage::HeartbeatConf(_))));
    drop(second);
    reasons.next().await;
    // A place that is free again is taken again.
    loop {
        let mut wire = Wire::connected(at(0)).await;
        let opened = wire.stream.write_all(&wire.frame(open_req("three", ServiceMask(0)))).await;
        if opened.is_ok() && matches!(wire.receives().await, Some(AnyMessage::OpenConf(_))) {
            break;
        }
    }
}

#[tokio::test]
async fn one_address_cannot_take_the_places_of_all() {
    let (served, _reasons) = overheard(|config| config.limits.connections_per_address_max = 2).await;
    let wires = [
        Wire::opened(served.address, open_req("one", ServiceMask(0))).await,
        Wire::opened(served.address, open_req("two", ServiceMask(0))).await,
    ];
    let mut third = Wire::connected(served.address).await;
    match third.receives().await {
        Some(AnyMessage::FailureEvent(event)) => assert_eq!(event.status, Status::E_CTI_CTI_SERVER_OFFLINE),
        other => panic!("FAILURE_EVENT expected, got {other:?}"),
    }
    let neighbour = TcpSocket::new_v4().unwrap();
    neighbour.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut neighbour = Wire::on(neighbour.connect(served.address).await.unwrap());
    neighbour.sends(open_req("three", ServiceMask(0))).await;
    assert!(matches!(neighbour.receives().await, Some(AnyMessage::OpenConf(_))));
    drop(wires);
}

#[tokio::test(start_paused = true)]
async fn one_session_too_many_of_an_identity_is_refused() {
    let house = house_with(|config| config.limits.sessions_per_client_max = 2).await;
    let first = Desk::bridge(&house).await;
    let _second = Desk::bridge(&house).await;
    let mut third = Desk::connected(&house, 20);
    assert_eq!(third.is_refused_to_open(open_req("bridge", services_of_bridge())).await, Status::E_CTI_TOO_MUCH_DATA);
    // The protocols share an identity.
    let mut crm = Crm::connected(&house);
    let hello = hello_of("bridge");
    assert_eq!(crm.fails(hello.clone()).await.0, "OPENCTI_TOO_MANY_SESSIONS");
    Crm::open_as(&house, "somebody else").await;
    // The connection is still there, and may try again.
    first.drops();
    crm.succeeds(hello).await;
    assert_eq!(third.is_refused_to_open(open_req("bridge", services_of_bridge())).await, Status::E_CTI_TOO_MUCH_DATA);
    assert_eq!(house.house.table.session_places.taken(&"bridge".into()), 2);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_takes_the_place_of_its_old_session() {
    let house = house_with(|config| config.limits.sessions_per_client_max = 1).await;
    let mut old = Desk::of_agent(&house, "1001").await;
    for _ in 0..3 {
        let new = Desk::of_agent(&house, "1001").await;
        assert_eq!(house.house.table.session_places.taken(&"desktop-1001".into()), 2, "until the old one is told");
        let mut third = Desk::connected(&house, 20);
        let other = OpenReq { agent_id: text("1002"), ..open_req("desktop-1001", services_of_agent()) };
        assert_eq!(third.is_refused_to_open(other).await, Status::E_CTI_TOO_MUCH_DATA);
        old.wakes();
        assert!(matches!(old.closed, Some(CloseReason::Replaced { .. })), "{:?}", old.closed);
        drop(old);
        old = new;
    }
    assert_eq!(house.house.table.session_places.taken(&"desktop-1001".into()), 1);

    let (mut old, welcome) = Crm::open_as(&house, "crm").await;
    let token = welcome["session"].as_str().unwrap().to_owned();
    let (_new, _) = Crm::resume(&house, &token, 0).await;
    assert_eq!(Crm::connected(&house).fails(hello_of("crm")).await.0, "OPENCTI_TOO_MANY_SESSIONS");
    old.wakes();
    assert!(matches!(old.closed, Some(CloseReason::Replaced { .. })), "{:?}", old.closed);
}

fn hello_of(identity: &str) -> serde_json::Value {
    json!({"activity": "Hello", "protocolVersion": 1, "identity": identity})
}

// --- what comes in --------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_frame_of_the_allowed_length_is_read_and_a_longer_one_ends_the_connection() {
    let house = house_with(|config| config.limits.frame_bytes_max = 512).await;
    for (length, is_closed) in [(512 - 8, false), (512 - 8 + 1, true)] {
        let mut desk = Desk::bridge(&house).await;
        let mut bytes = BytesMut::from(&u32::to_be_bytes(length)[..]);
        bytes.extend_from_slice(&[0; 4]);
        bytes.resize(8 + length as usize, 0);
        desk.sends_bytes(&bytes);
        assert_eq!(matches!(desk.closed, Some(CloseReason::BrokenFraming(_))), is_closed, "{:?}", desk.closed);
    }
}

fn query(invoke_id: u32, agent: &str) -> QueryAgentStateReq {
    QueryAgentStateReq { invoke_id, peripheral_id: 5000, agent_id: text(agent), ..Default::default() }
}

#[tokio::test(start_paused = true)]
async fn requests_that_come_too_fast_are_refused_and_who_leaves_gets_through() {
    let house = house_with(|config| config.limits.requests_per_second_max = 10).await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    let mut bystander = Desk::bridge(&house).await;
    desk.logs_in("1001").await;
    // The OPEN_REQ and the login were two of the eight that are for everything.
    for _ in 0..6 {
        assert_eq!(desk.queries("1001").await, AgentState::AGENT_STATE_NOT_READY);
    }
    desk.sends(query(7, "1001"));
    let refused = desk.receives_control_failure().await;
    assert_eq!((refused.invoke_id, refused.failure_code), (7, ControlFailure::CF_PERFORMANCE_LIMIT_EXCEEDED));
    desk.sends(HeartbeatReq { invoke_id: 8, ..Default::default() });
    assert!(matches!(desk.receives().await, AnyMessage::HeartbeatConf(_)));
    let out = desk.asks("1001", AgentState::AGENT_STATE_LOGOUT);
    desk.receives_event("1001", AgentState::AGENT_STATE_LOGOUT).await;
    desk.receives_confirm(out).await;
    desk.sends(HeartbeatReq { invoke_id: 9, ..Default::default() });
    assert_eq!(desk.receives_control_failure().await.invoke_id, 9, "of that as well there is an end");
    // Nobody else notices, and it passes.
    bystander.logs_in_beside("1002").await;
    desk.lets_pass(Duration::from_secs(1)).await;
    assert_eq!(desk.queries("1001").await, AgentState::AGENT_STATE_LOGOUT);
    assert!(desk.closed.is_none());
}

#[tokio::test(start_paused = true)]
async fn opencti_requests_that_come_too_fast_are_refused_and_who_leaves_gets_through() {
    let house = house_with(|config| config.limits.requests_per_second_max = 10).await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    let snapshot = json!({"activity": "GetSnapshot", "AgentID": "1001"});
    for _ in 0..6 {
        crm.succeeds(snapshot.clone()).await;
    }
    assert_eq!(crm.fails(snapshot.clone()).await.0, "OPENCTI_TOO_MANY_REQUESTS");
    crm.succeeds(json!({"activity": "Heartbeat"})).await;
    crm.succeeds(logout("1001")).await;
    assert_eq!(crm.fails(json!({"activity": "Heartbeat"})).await.0, "OPENCTI_TOO_MANY_REQUESTS");
    crm.lets_pass(Duration::from_secs(1)).await;
    crm.succeeds(snapshot).await;
}

#[tokio::test(start_paused = true)]
async fn what_asks_for_nothing_cannot_come_as_fast_as_it_likes() {
    let house = house_with(|config| config.limits.requests_per_second_max = 10).await;
    let is_flood = |crm: &Crm| matches!(crm.closed, Some(CloseReason::Flood { per_second: 10 }));
    let mut crm = Crm::open(&house).await;
    crm.sends_text(&"\n".repeat(110));
    assert!(crm.closed.is_none());
    crm.sends_text(&" \n".repeat(10));
    assert!(is_flood(&crm), "{:?}", crm.closed);

    let mut crm = Crm::open(&house).await;
    (0..120).for_each(|_| crm.pings());
    assert!(is_flood(&crm), "{:?}", crm.closed);

    // A blank line between two messages is nobody's request.
    let mut crm = Crm::open(&house).await;
    for _ in 0..7 {
        crm.sends_text("\n");
        crm.succeeds(json!({"activity": "GetSnapshot", "AgentID": "1001"})).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_ends_its_connection() {
    let house = house_with(|config| config.limits.requests_per_second_max = 10).await;
    let mut desk = Desk::bridge(&house).await;
    let mut bytes = BytesMut::new();
    for invoke_id in 0..200 {
        AnyMessage::from(query(invoke_id, "1001")).encode(desk.version, &mut bytes).unwrap();
    }
    desk.sends_bytes(&bytes);
    assert!(matches!(desk.closed, Some(CloseReason::Flood { per_second: 10 })), "{:?}", desk.closed);
    let mut answers = 0;
    let last = loop {
        match desk.receives().await {
            AnyMessage::FailureEvent(last) => break last,
            _ => answers += 1,
        }
    };
    assert_eq!(last.status, Status::E_CTI_TOO_MUCH_DATA);
    assert_eq!(answers, 7 + 100, "seven that were done, and ten seconds' worth that were refused");

    let mut crm = Crm::open(&house).await;
    crm.sends_text(&"nonsense\n".repeat(200));
    assert!(matches!(crm.closed, Some(CloseReason::Flood { per_second: 10 })), "{:?}", crm.closed);
    // A connection that never opens a session has no more.
    let mut stranger = Desk::connected(&house, 20);
    stranger.sends_bytes(&bytes);
    let mut told = Vec::new();
    while let AnyMessage::FailureConf(no) = stranger.receives().await {
        told.push(no.status);
    }
    told.dedup();
    assert_eq!(told, [Status::E_CTI_SESSION_NOT_OPEN, Status::E_CTI_TOO_MUCH_DATA]);
    assert!(matches!(stranger.closed, Some(CloseReason::Flood { per_second: 10 })), "{:?}", stranger.closed);
}

#[tokio::test(start_paused = true)]
async fn monitors_of_one_connection_and_of_all_have_a_bound() {
    let house = house_with(|config| (config.limits.monitors_max, config.limits.subscriptions_max) = (3, 5)).await;
    let mut desks = [Desk::bridge(&house).await, Desk::bridge(&house).await];
    let start = |desk: &mut Desk, number: u32| {
        let monitored_device_id = text(&(3001 + number).to_string());
        desk.sends(MonitorStartReq { invoke_id: number, peripheral_id: 5000, monitored_device_id, ..monitor() });
    };
    for (desk, most) in desks.iter_mut().zip([3, 2]) {
        for number in 0..most {
            start(desk, number);
            assert!(matches!(desk.receives().await, AnyMessage::MonitorStartConf(_)));
        }
        start(desk, most);
        assert_eq!(desk.receives_failure().await.status, Status::E_CTI_TOO_MUCH_DATA);
    }
    let mut crm = Crm::open(&house).await;
    assert_eq!(crm.fails(login("1001")).await.0, "OPENCTI_TOO_MANY_SUBSCRIPTIONS");
    let [first, mut second] = desks;
    first.drops();
    start(&mut second, 9);
    assert!(matches!(second.receives().await, AnyMessage::MonitorStartConf(_)));
    crm.logs_in("1001").await;
    second.drops();
    crm.succeeds(logout("1001")).await;
}

fn monitor() -> MonitorStartReq {
    MonitorStartReq {
        call_msg_mask: cti_protocol::ged188::codes::CallMsgMask(0xffff_ffff),
        agent_state_mask: cti_protocol::ged188::codes::AgentStateMask(0x3fff),
        connection_device_id_type: cti_protocol::ged188::codes::ConnectionDeviceIdType::CONNECTION_ID_NONE,
        monitored_device_type: cti_protocol::ged188::codes::DeviceIdType::DEVID_DEVICE_IDENTIFIER,
        ..Default::default()
    }
}

// --- what goes out --------------------------------------------------------------------------------------------------

#[test]
fn where_too_much_waits_each_may_be_owed_its_share_and_no_more() {
    let total = Total::new(100_000, 10);
    let outbox = || Outbox::sharing(200_000, Arc::clone(&total));
    let (debtor, reader) = (outbox(), outbox());
    let add = |outbox: &Outbox, bytes: usize| outbox.add(|out| out.extend_from_slice(&vec![0; bytes]));
    add(&debtor, 95_000);
    add(&reader, 9_000);
    assert_eq!((total.bytes(), reader.is_over()), (104_000, false), "its share is 10,000");
    let mut pending = BytesMut::new();
    reader.take(&mut pending).unwrap();
    reader.still_writing(0);
    add(&reader, 9_000);
    assert!(!reader.is_over(), "who reads is not closed for who does not");
    add(&debtor, 1);
    assert!(debtor.is_over(), "who owes more than its share is closed when there is more");
    drop(debtor);
    assert_eq!(total.bytes(), 9_000);
    add(&reader, 80_000);
    assert!(!reader.is_over(), "with room there is no share");
    drop(reader);
    assert_eq!(total.bytes(), 0);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_sooner_where_there_is_little_room() {
    let reason = why_a_deaf_client_is_closed(|config| {
        config.limits.connections_max = 4;
        config.limits.outbound_total_bytes_max = 4 * 16 * 1024;
        config.limits.outbound_bytes_max = 64 << 20;
        config.timeouts.write = Duration::from_secs(600);
        config.timeouts.dead_peer = Duration::from_secs(600);
    })
    .await;
    assert!(reason.contains("bytes wait for it, 16384 are allowed"), "{reason}");
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_closed_for_that_whatever_it_may_be_owed() {
    let reason = why_a_deaf_client_is_closed(|config| {
        owe_without_end(config);
        config.timeouts.write = Duration::from_millis(300);
    })
    .await;
    assert!(reason.starts_with("the client has taken nothing for 300ms of the "), "{reason}");
}

/// What the system says of an end that is gone, and of one that takes nothing, is the same.
#[tokio::test]
async fn a_client_whose_end_takes_nothing_any_more_is_found_by_the_socket_itself() {
    let reason = why_a_deaf_client_is_closed(|config| {
        owe_without_end(config);
        config.timeouts.write = Duration::from_secs(600);
        config.timeouts.dead_peer = Duration::from_secs(2); // the least that a configuration may say
    })
    .await;
    assert_eq!(reason, CloseReason::DeadPeer(std::io::ErrorKind::TimedOut).to_string());
}

async fn why_a_deaf_client_is_closed(change: impl FnOnce(&mut Config)) -> String {
    let (served, mut reasons) = overheard(change).await;
    let _deaf = deaf_bridge(&served).await;
    work_until(&served, || reasons.any()).await
}

/// A client may be owed as much as there is memory for.
fn owe_without_end(config: &mut Config) {
    config.limits.outbound_bytes_max = 1 << 30;
    config.limits.outbound_total_bytes_max = 1 << 40;
}

/// At that pace what is written at once takes longer than a client may take nothing.
#[tokio::test]
async fn a_client_that_only_listens_and_takes_little_at_a_time_stays() {
    const PATIENCE: Duration = Duration::from_secs(2);
    let served = served(|config| {
        owe_without_end(config);
        config.timeouts.write = PATIENCE;
    })
    .await;
    let mut slow = deaf_bridge(&served).await;
    let mut turns = 0;
    work_until(&served, || {
        turns += 1;
        (turns == 1_000).then_some(()) // more than it takes, in a small part of its patience
    })
    .await;
    let (mut often, start) = (tokio::time::interval(PATIENCE / 40), Instant::now());
    let mut little = [0; 1_024];
    while start.elapsed() < 3 * PATIENCE {
        often.tick().await;
        slow.stream.read_exact(&mut little).await.expect("a connection that is not closed");
    }
    assert_eq!(served.gateway.house().table.clients(), 1, "it still has its session");
}

/// A client that hears of everything, takes little and then nothing.
async fn deaf_bridge(served: &Served) -> Wire {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut deaf = Wire::on(socket.connect(served.address).await.unwrap());
    deaf.sends(open_req("deaf", services_of_bridge())).await;
    assert!(matches!(deaf.receives().await, Some(AnyMessage::OpenConf(_))));
    deaf
}

/// An agent works until that happens, and never waits for anybody.
async fn work_until<T>(served: &Served, mut what: impl FnMut() -> Option<T>) -> T {
    let agent = AgentId::new("1001").unwrap();
    let login = ctigate::model::Login {
        agent: agent.clone(),
        password: ctigate::model::Password::new("pw1001"),
        instrument: ctigate::model::Instrument::new("3001").unwrap(),
        queues: ctigate::model::QueueChoice::AsAcdSays,
        forced: false,
    };
    served.acd.inner.log_in(&login).await.unwrap();
    let mut bystander = Wire::opened(served.address, open_req("bystander", ServiceMask(0))).await;
    for turn in 0..1_000_000 {
        if let Some(found) = what() {
            bystander.sends(HeartbeatReq { invoke_id: 1, ..Default::default() }).await;
            assert!(matches!(bystander.receives().await, Some(AnyMessage::HeartbeatConf(_))), "nobody else noticed");
            return found;
        }
        let wanted = if turn % 2 == 0 { WantedState::Ready } else { WantedState::NotReady };
        served.acd.inner.console_set_state(&agent, wanted, ReasonCode(0));
        tokio::task::yield_now().await;
    }
    panic!("it did not happen");
}

// --- what an ACD brings ---------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_acd_with_more_agents_than_may_be_known_fills_no_memory() {
    let house = house_with(|config| config.limits.agents_max = 10).await;
    let known = || house.house.table.agents_of(PERIPHERAL).len();
    assert_eq!(known(), 10, "of the hundred that the ACD has");
    let is_known = |agent: &&u32| {
        let agent = AgentId::new(&agent.to_string()).unwrap();
        house.house.table.agent(&ctigate::model::AgentKey { peripheral: PERIPHERAL, agent }).is_some()
    };
    let agents = Vec::from_iter(1001..=1100);
    let (inside, outside) = (agents.iter().find(is_known).unwrap(), agents.iter().rfind(|one| !is_known(one)).unwrap());
    let mut bridge = Desk::bridge(&house).await;
    bridge.asks(&outside.to_string(), AgentState::AGENT_STATE_LOGIN);
    let refused = bridge.receives_control_failure().await;
    assert_eq!(refused.failure_code, ControlFailure::CF_RESOURCE_BUSY);
    assert!(refused.text.unwrap().to_string().contains("congested"), "{:?}", refused.failure_code);
    // What the ACD says of such an agent is nobody's, and a known one works as ever.
    house.acd.inner.console_log_out(&AgentId::new(&outside.to_string()).unwrap(), ReasonCode(0));
    bridge.logs_in(&inside.to_string()).await;
    assert_eq!(known(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_acd_with_more_calls_than_may_be_known_fills_no_memory() {
    let house = house_of(patient_world(), |config| config.limits.calls_max = 1).await;
    let mut desk = ready_desk(&house, "1001").await;
    for _ in 0..5 {
        house.acd.inner.arrive(QueueId(1));
    }
    desk.hears().await;
    let known = || house.house.table.calls(PERIPHERAL).lock().count();
    assert_eq!((known(), house.acd.inner.calls().len()), (1, 5));
    // One more agent would bring more of them.
    let mut bridge = Desk::bridge(&house).await;
    bridge.ignores_calls = true;
    bridge.asks("1002", AgentState::AGENT_STATE_LOGIN);
    assert_eq!(bridge.receives_control_failure().await.failure_code, ControlFailure::CF_RESOURCE_BUSY);
    // The call that is known goes its way; then there is room for what the ACD says of the next.
    desk.answers(1, "3001");
    desk.hears().await;
    desk.clears(1, "3001");
    let heard = desk.hears().await;
    assert!(heard.contains(&"END_CALL 1@3001".to_owned()), "{heard:?}");
    assert_eq!(known(), 1, "the next one, which is offered to the agent by now");
    assert!(heard.iter().any(|words| words.starts_with("BEGIN_CALL")), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn more_reports_of_an_agent_than_may_wait_are_asked_for_anew() {
    let house = house_with(|config| config.limits.deferred_events_max = 16).await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let held = house.acd.hold("set_state");
    let asked = desk.asks("1001", AgentState::AGENT_STATE_AVAILABLE);
    let held = held.await.unwrap();
    let agent = AgentId::new("1001").unwrap();
    for turn in 0..40 {
        let wanted = if turn % 2 == 0 { WantedState::Ready } else { WantedState::NotReady };
        house.acd.inner.console_set_state(&agent, wanted, ReasonCode(turn));
        tokio::task::yield_now().await;
    }
    assert!(!house.acd.journal().contains(&"agent 1001 asked".to_owned()));
    held.does_it();
    desk.receives_confirm(asked).await;
    let told = desk.hears().await;
    assert!((2..=17).contains(&told.len()), "16 waited at most, and one came with the answer: {told:?}");
    assert_eq!(told.last().unwrap(), "agent AVAILABLE");
    desk.lets_pass(Duration::from_secs(1)).await;
    assert_eq!(desk.queries("1001").await, AgentState::AGENT_STATE_AVAILABLE);
    assert!(house.acd.journal().contains(&"agent 1001 asked".to_owned()), "{:?}", house.acd.journal());
}

// --- overload -------------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_acd_that_does_not_answer_is_asked_less_and_less_and_who_leaves_gets_through() {
    let house = house_with(|config| config.limits.acd_commands_max = 4).await;
    let mut bridge = Desk::bridge(&house).await;
    for agent in ["1001", "1002", "1003", "1005", "1006"] {
        bridge.logs_in(agent).await;
    }
    let mut held = Vec::new();
    let mut silent = Vec::new();
    for agent in ["1001", "1002"] {
        let hold = house.acd.hold("set_state");
        silent.push(bridge.asks(agent, AgentState::AGENT_STATE_AVAILABLE));
        held.push(hold.await.unwrap());
    }
    assert_eq!(house.house.commands_waiting(PERIPHERAL), 2);
    let busy = async |bridge: &mut Desk, agent: &str, state| {
        let asked = bridge.asks(agent, state);
        let refused = bridge.receives_control_failure().await;
        assert_eq!((refused.invoke_id, refused.failure_code), (asked, ControlFailure::CF_RESOURCE_BUSY));
        assert!(refused.text.unwrap().to_string().contains("congested"));
    };
    // Half of what may wait: no newcomers.
    busy(&mut bridge, "1004", AgentState::AGENT_STATE_LOGIN).await;
    let mut crm = Crm::open(&house).await;
    let (code, why) = crm.fails(login("1004")).await;
    assert_eq!(code, "OPENCTI_HTTP_ERROR_503");
    assert!(why.contains("congested"), "{why}");
    let hold = house.acd.hold("set_state");
    silent.push(bridge.asks("1003", AgentState::AGENT_STATE_AVAILABLE));
    held.push(hold.await.unwrap());
    // Three quarters: only who leaves.
    busy(&mut bridge, "1005", AgentState::AGENT_STATE_AVAILABLE).await;
    let out = bridge.asks("1006", AgentState::AGENT_STATE_LOGOUT);
    bridge.receives_event("1006", AgentState::AGENT_STATE_LOGOUT).await;
    bridge.receives_confirm(out).await;
    let hold = house.acd.hold("log_out");
    silent.push(bridge.asks("1005", AgentState::AGENT_STATE_LOGOUT));
    held.push(hold.await.unwrap());
    // All of it: nothing, but what needs no ACD.
    busy(&mut bridge, "1001", AgentState::AGENT_STATE_LOGOUT).await;
    assert_eq!(bridge.queries("1003").await, AgentState::AGENT_STATE_NOT_READY);
    // Each that was taken is answered, once, and then all is as before.
    held.into_iter().for_each(|held| held.does_it());
    let mut answered = Vec::new();
    while answered.len() < 4 {
        match bridge.receives().await {
            AnyMessage::SetAgentStateConf(answer) => answered.push(answer.invoke_id),
            AnyMessage::AgentStateEvent(_) => (),
            other => panic!("{other:?}"),
        }
    }
    answered.sort_unstable();
    assert_eq!(answered, silent);
    bridge.hears().await;
    assert_eq!(house.house.commands_waiting(PERIPHERAL), 0);
    bridge.logs_in("1004").await;
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_cannot_keep_up_takes_no_newcomers_and_then_only_who_leaves() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let (mut crm, welcome) = Crm::open_as(&house, "crm").await;
    let session = welcome["session"].as_str().unwrap().to_owned();
    crm.logs_in("1002").await;
    let seq = crm.seq;
    let hello = json!({"activity": "Hello", "protocolVersion": 1, "identity": "late"});

    house.house.set_machine(Level::NoNewcomers);
    let mut late = Desk::connected(&house, 20);
    let refused = late.is_refused_to_open(open_req("late", services_of_bridge())).await;
    assert_eq!(refused, Status::E_CTI_CTI_SERVER_OFFLINE);
    let mut late_crm = Crm::connected(&house);
    let (code, why) = late_crm.fails(hello.clone()).await;
    assert!(code == "OPENCTI_HTTP_ERROR_503" && why.starts_with("congested"), "{code} {why}");
    assert_eq!(crm.fails(login("1003")).await.0, "OPENCTI_HTTP_ERROR_503");
    assert_eq!(desk.queries("1001").await, AgentState::AGENT_STATE_NOT_READY);
    crm.drops();
    let (mut crm, welcome) = Crm::resume(&house, &session, seq).await;
    assert_eq!(welcome["resumed"], true, "who comes back is no newcomer");

    house.house.set_machine(Level::OnlyLeaving);
    desk.sends(query(7, "1001"));
    assert_eq!(desk.receives_control_failure().await.failure_code, ControlFailure::CF_RESOURCE_BUSY);
    desk.sends(HeartbeatReq { invoke_id: 8, ..Default::default() });
    assert!(matches!(desk.receives().await, AnyMessage::HeartbeatConf(_)));
    desk.asks("1001", AgentState::AGENT_STATE_AVAILABLE);
    assert_eq!(desk.receives_control_failure().await.failure_code, ControlFailure::CF_RESOURCE_BUSY);
    let out = desk.asks("1001", AgentState::AGENT_STATE_LOGOUT);
    desk.receives_event("1001", AgentState::AGENT_STATE_LOGOUT).await;
    desk.receives_confirm(out).await;
    let snapshot = json!({"activity": "GetSnapshot", "AgentID": "1002"});
    assert_eq!(crm.fails(snapshot.clone()).await.0, "OPENCTI_HTTP_ERROR_503");
    crm.succeeds(json!({"activity": "Heartbeat"})).await;
    crm.succeeds(logout("1002")).await;

    house.house.set_machine(Level::All);
    crm.succeeds(snapshot).await;
    late.opens(open_req("late", services_of_bridge())).await;
    late_crm.succeeds(hello).await;
    desk.logs_in("1001").await;
}

#[tokio::test(start_paused = true)]
async fn where_only_leaving_is_borne_a_call_is_hung_up_an_agent_goes_not_ready_and_nothing_else_is_done() {
    let house = house_of(patient_world(), |_| ()).await;
    let mut desk = ready_desk(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    desk.answers(1, "3001");
    desk.hears().await;

    house.house.set_machine(Level::OnlyLeaving);
    for asked in ["holds", "consults"] {
        match asked {
            "holds" => desk.holds(1, "3001"),
            _ => desk.consults(1, "3001", "3002"),
        };
        assert_eq!(desk.receives_control_failure().await.failure_code, ControlFailure::CF_RESOURCE_BUSY, "{asked}");
    }
    let cleared = desk.clears(1, "3001");
    let heard = desk.hears().await;
    assert_eq!(heard[0], format!("CLEAR_CONNECTION {cleared}"));
    assert!(house.house.table.calls(PERIPHERAL).lock().is_empty(), "{heard:?}");
    let not_ready = desk.asks("1001", AgentState::AGENT_STATE_NOT_READY);
    desk.receives_confirm(not_ready).await;
    desk.receives_event("1001", AgentState::AGENT_STATE_NOT_READY).await;
    desk.asks("1001", AgentState::AGENT_STATE_AVAILABLE);
    assert_eq!(desk.receives_control_failure().await.failure_code, ControlFailure::CF_RESOURCE_BUSY);
}

#[tokio::test]
async fn a_process_that_is_too_large_takes_no_newcomers() {
    let taken = vec![1_u8; 32 << 20]; // so that it is, whatever else there is
    let (served, _reasons) = overheard(|config| config.limits.memory_bytes_max = 16 << 20).await;
    is_congested(served.address).await;
    drop(taken);
}

#[tokio::test]
async fn a_machine_that_comes_too_late_takes_no_newcomers() {
    let (served, _reasons) = overheard(|config| config.timeouts.lag = Duration::from_millis(1)).await;
    let busy = tokio::spawn(async {
        loop {
            std::thread::sleep(Duration::from_millis(120)); // the one thread that all tasks of this test have
            tokio::task::yield_now().await;
        }
    });
    is_congested(served.address).await;
    busy.abort();
}

/// Opens sessions until one is refused for too much to do.
async fn is_congested(address: SocketAddr) {
    let refused = async {
        loop {
            let mut wire = Wire::connected(address).await;
            wire.sends(open_req("late", ServiceMask(0))).await;
            match wire.receives().await {
                Some(AnyMessage::OpenConf(_)) => (),
                Some(AnyMessage::FailureConf(refused)) => return refused,
                other => panic!("{other:?}"),
            }
        }
    };
    let refused = tokio::time::timeout(Duration::from_secs(20), refused).await.expect("a refusal");
    assert_eq!(refused.status, Status::E_CTI_CTI_SERVER_OFFLINE);
    assert!(refused.text.unwrap().to_string().starts_with("congested"));
}

// --- beginning and end ----------------------------------------------------------------------------------------------

#[tokio::test]
async fn an_acd_that_is_away_keeps_nobody_else_waiting() {
    let mut config = ctigate::config::Config::default();
    config.listeners[0].address = "127.0.0.1:0".parse().unwrap();
    config.timeouts.acd_start = Duration::from_millis(50);
    let acd = crate::support::acd::HeldAcd::new(ctigate::acd::embedded::EmbeddedConfig::default());
    acd.inner.go_away();
    let peripheral = ctigate::acd::Peripheral { id: PERIPHERAL, acd };
    let gateway = ctigate::server::Gateway::start_with(config, vec![peripheral]).await.expect("a gateway that starts");
    Wire::opened(gateway.listeners()[0].1, open_req("early", ServiceMask(0))).await;
}

#[tokio::test]
async fn who_does_not_take_a_goodbye_is_cut_after_a_while() {
    let (served, mut reasons) = overheard(|config| config.timeouts.drain = Duration::from_millis(100)).await;
    let half_done = TcpStream::connect(served.gateway.listeners()[1].1).await.unwrap();
    let deaf = Wire::opened(served.address, open_req("deaf", services_of_bridge())).await;
    tokio::time::timeout(Duration::from_secs(20), served.gateway.drain()).await.expect("an end");
    assert_eq!(reasons.next().await, "the gateway is shutting down");
    drop((half_done, deaf)); // neither of which has closed its end
}

/// Everything that a connection is told until it is closed.
async fn all_of(address: SocketAddr, said: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    let mut heard = String::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut heard)).await;
    read.expect("an end").expect("text");
    heard
}
