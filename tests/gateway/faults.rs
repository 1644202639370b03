//! What clients do to a gateway, and what arrives at the others all the same. What befalls the process is in `tests/faults`.

use std::io::Write;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use cti_protocol::ged188::codes::{AgentState, ServiceMask, Status};
use cti_protocol::ged188::{AnyMessage, HeartbeatReq, OpenReq, SetAgentStateReq, Text};
use ctigate::acd::embedded::EmbeddedConfig;
use ctigate::dialects::CloseReason;
use ctigate::model::{AgentId, ReasonCode, WantedState};
use socket2::SockRef;
use tokio::io::AsyncWriteExt;

use crate::support::desk::{Desk, instrument_of, open_req, services_of_agent, services_of_bridge, text};
use crate::support::house::house;
use crate::support::overheard::overheard;
use crate::support::wire::{Served, Wire, served, served_by};

const LOGGED_OUT: AgentState = AgentState::AGENT_STATE_LOGOUT;
const NOT_READY: AgentState = AgentState::AGENT_STATE_NOT_READY;
const AVAILABLE: AgentState = AgentState::AGENT_STATE_AVAILABLE;

// --- half open ------------------------------------------------------------------------------------------------------

/// The cable is out: nothing comes any more, not even an end.
#[tokio::test(start_paused = true)]
async fn a_client_that_is_half_open_is_found_and_its_agent_is_told_of_to_others_step_by_step() {
    let house = house().await;
    let mut half_open = Desk::connected(&house, 20);
    let request = OpenReq { idle_timeout: 20, agent_id: text("1001"), ..open_req("desktop", services_of_agent()) };
    half_open.opens(request).await;
    half_open.logs_in("1001").await;
    let ready = half_open.asks("1001", AVAILABLE);
    half_open.receives_confirm(ready).await;
    let mut bridge = Desk::bridge(&house).await;
    half_open.lets_pass(Duration::from_secs(19)).await;
    assert!(half_open.closed.is_none());
    half_open.lets_pass(Duration::from_secs(1)).await;
    assert!(matches!(half_open.closed, Some(CloseReason::Idle { .. })), "{:?}", half_open.closed);
    bridge.receives_event("1001", NOT_READY).await;
    bridge.receives_event("1001", LOGGED_OUT).await;
    bridge.receives_nothing_until(tokio::time::sleep(Duration::from_secs(60))).await;
    assert_eq!((house.house.table.clients(), house.acd.inner.adapters().len()), (1, 0));
}

/// The desktop is there again while its old connection still counts as alive: nobody loses anything, nothing is told twice.
#[tokio::test(start_paused = true)]
async fn who_comes_back_before_the_half_open_connection_is_found_takes_its_place() {
    let house = house().await;
    let mut half_open = Desk::of_agent(&house, "1001").await;
    half_open.logs_in("1001").await;
    let mut bridge = Desk::bridge(&house).await;
    let mut back = Desk::of_agent(&house, "1001").await;
    half_open.wakes();
    assert!(matches!(half_open.closed, Some(CloseReason::Replaced { .. })), "{:?}", half_open.closed);
    bridge.receives_nothing_until(tokio::time::sleep(Duration::from_secs(100))).await;
    let out = back.asks("1001", LOGGED_OUT);
    back.receives_event("1001", LOGGED_OUT).await;
    back.receives_confirm(out).await;
    bridge.receives_event("1001", LOGGED_OUT).await;
}

// --- reset ----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_connection_that_is_reset_in_the_middle_of_a_logout_leaves_a_whole_logout() {
    let (served, mut reasons) = overheard(|_| ()).await;
    let mut bridge = Wire::opened(served.address, open_req("bridge", services_of_bridge())).await;
    bridge.receives().await;
    let mut desktop = Wire::opened(served.address, of_agent("1001")).await;
    desktop.sends(state_req("1001", 1, AgentState::AGENT_STATE_LOGIN)).await;
    assert!(matches!(desktop.receives().await, Some(AnyMessage::SetAgentStateConf(_))));
    for _ in 0..2 {
        assert!(matches!(bridge.receives().await, Some(AnyMessage::AgentStateEvent(_))));
    }
    let held = served.acd.hold("log_out");
    desktop.sends(state_req("1001", 2, LOGGED_OUT)).await;
    let held = held.await.unwrap();
    SockRef::from(&desktop.stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(desktop);
    assert_eq!(reasons.next().await, "the connection ended without a goodbye");
    held.does_it();
    match bridge.receives().await {
        Some(AnyMessage::AgentStateEvent(event)) => assert_eq!(event.agent_state, LOGGED_OUT),
        other => panic!("AGENT_STATE_EVENT expected, got {other:?}"),
    }
    // One event and no other: the next that comes is the answer to what is asked now.
    while !served.acd.inner.adapters().is_empty() {
        tokio::task::yield_now().await;
    }
    bridge.sends(HeartbeatReq { invoke_id: 3, ..Default::default() }).await;
    assert!(matches!(bridge.receives().await, Some(AnyMessage::HeartbeatConf(answer)) if answer.invoke_id == 3));
    assert_eq!(served.gateway.house().table.clients(), 1);
}

// --- slow -----------------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_byte_a_second_opens_no_session_in_time_and_does_one_login_where_one_is_open() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    let bytes = |desk: &Desk, message: AnyMessage| {
        let mut bytes = BytesMut::new();
        message.encode(desk.version, &mut bytes).unwrap();
        bytes
    };
    let mut slow = Desk::connected(&house, 20);
    let open = bytes(&slow, open_req("slow", services_of_bridge()).into());
    let (mut half, mut seconds) = (BytesMut::new(), 0);
    for byte in open {
        if slow.closed.is_some() {
            break;
        }
        half.put_u8(byte);
        slow.sends_piece(&mut half);
        slow.lets_pass(Duration::from_secs(1)).await;
        seconds += 1;
    }
    assert!(matches!(slow.closed, Some(CloseReason::NotOpened { .. })), "{:?}", slow.closed);
    assert_eq!(seconds, 30);

    let mut slow = Desk::of_agent(&house, "1001").await;
    let login = bytes(&slow, state_req("1001", 7, AgentState::AGENT_STATE_LOGIN).into());
    let mut half = BytesMut::new();
    for byte in login {
        half.put_u8(byte);
        slow.sends_piece(&mut half);
        slow.lets_pass(Duration::from_secs(1)).await;
        assert!(half.len() < 256);
    }
    slow.receives_confirm(7).await;
    bridge.receives_event("1001", AgentState::AGENT_STATE_LOGIN).await;
    bridge.receives_event("1001", NOT_READY).await;
    bridge.receives_nothing_until(tokio::time::sleep(Duration::from_secs(1))).await;
}

#[tokio::test]
async fn ten_clients_that_stop_reading_cost_who_reads_no_event() {
    const CHANGES: u16 = 3_000;
    let (served, mut reasons) = overheard(|config| config.limits.outbound_bytes_max = 32 * 1024).await;
    let mut deaf = Vec::new();
    for _ in 0..10 {
        deaf.push(Wire::opened(served.address, open_req("deaf", services_of_bridge())).await);
    }
    let mut reader = Wire::opened(served.address, open_req("reader", services_of_bridge())).await;
    reader.receives().await;
    let agent = AgentId::new("1001").unwrap();
    reader.sends(state_req("1001", 1, AgentState::AGENT_STATE_LOGIN)).await;
    assert!(matches!(reader.receives().await, Some(AnyMessage::SetAgentStateConf(_))));
    for _ in 0..2 {
        assert!(matches!(reader.receives().await, Some(AnyMessage::AgentStateEvent(_))));
    }
    for change in 1..=CHANGES {
        let wanted = if change % 2 == 0 { WantedState::NotReady } else { WantedState::Ready };
        served.acd.inner.console_set_state(&agent, wanted, ReasonCode(change));
        match reader.receives().await {
            Some(AnyMessage::AgentStateEvent(event)) => {
                assert_eq!(event.agent_state, if change % 2 == 0 { NOT_READY } else { AVAILABLE }, "change {change}");
            }
            other => panic!("AGENT_STATE_EVENT {change} expected, got {other:?}"),
        }
    }
    for _ in 0..10 {
        let reason = reasons.next().await;
        assert!(reason.starts_with("the client does not keep up: "), "{reason}");
    }
    assert_eq!(served.gateway.house().table.clients(), 1);
}

// --- too much -------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_client_that_floods_is_ended_and_every_request_of_the_others_is_answered() {
    let (served, mut reasons) = overheard(|config| config.limits.requests_per_second_max = 100).await;
    let mut flood = Wire::opened(served.address, open_req("flood", services_of_bridge())).await;
    let mut frames = BytesMut::new();
    for invoke_id in 0..1_000 {
        frames.extend_from_slice(&flood.frame(HeartbeatReq { invoke_id, ..Default::default() }));
    }
    let flooding = tokio::spawn(async move { while flood.stream.write_all(&frames).await.is_ok() {} });
    let mut bystander = Wire::opened(served.address, open_req("bystander", services_of_bridge())).await;
    bystander.receives().await;
    for invoke_id in 0..50 {
        bystander.sends(HeartbeatReq { invoke_id, ..Default::default() }).await;
        match bystander.receives().await {
            Some(AnyMessage::HeartbeatConf(answer)) => assert_eq!(answer.invoke_id, invoke_id),
            other => panic!("HEARTBEAT_CONF expected, got {other:?}"),
        }
    }
    assert_eq!(reasons.next().await, "the client goes on asking much faster than 100 times a second");
    flooding.await.unwrap();
}

// --- the end --------------------------------------------------------------------------------------------------------

/// Blank lines, of which there may be as many as there can be.
#[tokio::test]
async fn a_client_whose_bytes_never_cease_has_its_deadlines_all_the_same() {
    let (served, mut reasons) = overheard(|config| {
        config.timeouts.open = Duration::from_millis(300);
        config.limits.requests_per_second_max = u32::MAX;
    })
    .await;
    let mut endless = std::net::TcpStream::connect(served.gateway.listeners()[1].1).unwrap();
    let sending = tokio::task::spawn_blocking(move || while endless.write_all(&[b'\n'; 256 * 1024]).is_ok() {});
    let reason = reasons.next().await;
    assert_eq!(reason, "no session was opened within 300ms");
    sending.await.unwrap();
}

/// Twenty desktops that never stop asking, and a gateway that is sent away: what the ACD was asked is answered, each once.
#[tokio::test]
async fn every_request_that_was_accepted_before_the_goodbye_is_answered() {
    const AGENTS: std::ops::Range<u32> = 1001..1021;
    let world = EmbeddedConfig { latency: Duration::from_millis(2), ..EmbeddedConfig::default() };
    let Served { gateway, acd, address } =
        served_by(world, |config| config.timeouts.goodbyes = Duration::from_millis(500)).await;
    let (told, mut told_so_far) = tokio::sync::mpsc::unbounded_channel();
    let mut desktops = Vec::new();
    for agent in AGENTS {
        let (agent, told) = (agent.to_string(), told.clone());
        let mut wire = Wire::opened(address, of_agent(&agent)).await;
        desktops.push(tokio::spawn(async move {
            let (mut confirms, mut goodbyes, mut invoke_id) = (0, 0, 1);
            wire.sends(state_req(&agent, invoke_id, AgentState::AGENT_STATE_LOGIN)).await;
            loop {
                match wire.receives().await {
                    Some(AnyMessage::SetAgentStateConf(answer)) => {
                        assert_eq!((answer.invoke_id, goodbyes), (invoke_id, 0));
                        confirms += u32::from(invoke_id > 1);
                        invoke_id += 1;
                        let state = if invoke_id % 2 == 0 { AVAILABLE } else { NOT_READY };
                        let _gone_or_not =
                            wire.stream.write_all(&wire.frame(state_req(&agent, invoke_id, state))).await;
                        let _ = told.send(());
                    }
                    Some(AnyMessage::FailureConf(refused)) => {
                        assert_eq!(refused.status, Status::E_CTI_CTI_SERVER_OFFLINE);
                    }
                    Some(AnyMessage::FailureEvent(goodbye)) => {
                        assert_eq!(goodbye.status, Status::E_CTI_CTI_SERVER_OFFLINE);
                        goodbyes += 1;
                    }
                    Some(AnyMessage::AgentStateEvent(_)) => (),
                    Some(other) => panic!("{other:?}"),
                    None => return (confirms, goodbyes),
                }
            }
        }));
    }
    for _ in 0..500 {
        told_so_far.recv().await.unwrap();
    }
    gateway.drain().await;
    let (mut confirms, mut goodbyes) = (0, 0);
    for desktop in desktops {
        let (confirmed, said) = desktop.await.expect("a desktop that was told the truth");
        (confirms, goodbyes) = (confirms + confirmed, goodbyes + said);
    }
    assert_eq!(goodbyes, AGENTS.len(), "each got one");
    let done = acd.journal().iter().filter(|line| line.starts_with("set_state") && line.ends_with("done")).count();
    let asked = acd.journal().iter().filter(|line| line.starts_with("set_state") && line.ends_with("asked")).count();
    assert_eq!((asked, done), (confirms as usize, confirms as usize), "asked of the ACD, done there, and confirmed");
}

#[tokio::test]
async fn connections_that_are_reset_before_they_are_accepted_cost_nobody_else_anything() {
    let served = served(|_| ()).await;
    let mut bystander = Wire::opened(served.address, open_req("bystander", ServiceMask(0))).await;
    for _ in 0..500 {
        let wire = Wire::connected(served.address).await;
        SockRef::from(&wire.stream).set_linger(Some(Duration::ZERO)).unwrap();
        drop(wire); // often before it was accepted
    }
    bystander.sends(HeartbeatReq { invoke_id: 1, ..Default::default() }).await;
    assert!(matches!(bystander.receives().await, Some(AnyMessage::HeartbeatConf(_))));
}

fn of_agent(agent: &str) -> OpenReq {
    OpenReq { agent_id: text(agent), ..open_req(&format!("desktop-{agent}"), services_of_agent()) }
}

fn state_req(agent: &str, invoke_id: u32, agent_state: AgentState) -> SetAgentStateReq {
    let mut request =
        SetAgentStateReq { invoke_id, peripheral_id: 5000, agent_state, agent_id: text(agent), ..Default::default() };
    if agent_state == AgentState::AGENT_STATE_LOGIN {
        request.agent_instrument = text(&instrument_of(agent));
        request.agent_password = Some(Text::new(&format!("pw{agent}")).unwrap().into());
    }
    request
}
