//! On real sockets: pieces of frames, many frames at once, hostile bytes, shutdown, and races of many clients.

use std::sync::Arc;
use std::time::Duration;

use cti_protocol::ged188::codes::{AgentState, ServiceMask, Status};
use cti_protocol::ged188::{AnyMessage, HeartbeatReq, OpenReq, SetAgentStateReq, Text};
use ctigate::acd::AcdRefusal;
use tokio::io::AsyncWriteExt;
use tokio::sync::Barrier;

use crate::support::desk::{instrument_of, open_req, services_of_agent, services_of_bridge, text};
use crate::support::wire::{Served, Wire, served};

#[tokio::test]
async fn a_frame_may_come_a_byte_at_a_time_and_a_hundred_in_one_read() {
    let served = served(|_| ()).await;
    let mut wire = Wire::opened(served.address, open_req("any", ServiceMask(0))).await;
    let one = wire.frame(HeartbeatReq { invoke_id: 1, ..Default::default() });
    for byte in &one {
        wire.stream.write_all(std::slice::from_ref(byte)).await.unwrap();
        wire.stream.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(matches!(wire.receives().await, Some(AnyMessage::HeartbeatConf(answer)) if answer.invoke_id == 1));
    let mut many = bytes::BytesMut::new();
    for invoke_id in 0..100 {
        many.extend_from_slice(&wire.frame(HeartbeatReq { invoke_id, ..Default::default() }));
    }
    wire.stream.write_all(&many).await.unwrap();
    let answered = wire.reads_once().await;
    assert_eq!(answered.len(), 1_200, "all that one read brought is answered in one write");
}

#[tokio::test]
async fn hostile_bytes_stop_neither_the_gateway_nor_another_client() {
    let served = served(|_| ()).await;
    let mut bystander = Wire::opened(served.address, open_req("bystander", services_of_bridge())).await;
    bystander.receives().await;
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for round in 0..200 {
        let mut wire = match round % 2 {
            0 => Wire::connected(served.address).await,
            _ => Wire::opened(served.address, open_req("hostile", services_of_bridge())).await,
        };
        let mut bytes: Vec<u8> = (0..random() % 600).map(|_| random() as u8).collect();
        if round % 3 == 0 {
            // A frame that is sound outside and random inside.
            let length = u32::try_from(bytes.len()).unwrap();
            let header = [length.to_be_bytes(), ((random() % 284) as u32).to_be_bytes()].concat();
            bytes.splice(0..0, header);
        }
        // The gateway may have closed the connection already: then there is nothing to write to.
        let _ = wire.stream.write_all(&bytes).await;
    }
    bystander.sends(HeartbeatReq { invoke_id: 42, ..Default::default() }).await;
    assert!(matches!(bystander.receives().await, Some(AnyMessage::HeartbeatConf(answer)) if answer.invoke_id == 42));
}

#[tokio::test]
async fn a_client_that_stops_reading_is_closed_and_the_agents_work_on() {
    let served = served(|config| config.limits.outbound_bytes_max = 64 * 1024).await;
    let mut deaf = Wire::opened(served.address, open_req("deaf", services_of_bridge())).await;
    let mut bridge = Wire::opened(served.address, open_req("bridge", services_of_bridge())).await;
    bridge.receives().await;
    logs_in(&mut bridge, "1001").await;
    let mut asked = 0;
    while served.gateway.house().table.clients() == 2 {
        asked += 1;
        assert!(asked < 200_000, "the deaf client was never closed");
        let state = if asked % 2 == 0 { AgentState::AGENT_STATE_NOT_READY } else { AgentState::AGENT_STATE_AVAILABLE };
        bridge.sends(state_req("1001", asked, state)).await;
        answered(&mut bridge, asked).await;
        bridge.receives().await;
    }
    while deaf.receives().await.is_some() {}
}

#[tokio::test]
async fn draining_lets_running_logouts_end_says_goodbye_and_takes_no_more() {
    let Served { gateway, acd, address } = served(|_| ()).await;
    let mut wire = Wire::opened(address, of_agent("1001")).await;
    logs_in(&mut wire, "1001").await;
    let held = acd.hold("close_adapter");
    wire.sends(state_req("1001", 50, AgentState::AGENT_STATE_LOGOUT)).await;
    let held = held.await.unwrap();
    let drained = tokio::spawn(gateway.drain());
    assert!(matches!(wire.receives().await, Some(AnyMessage::AgentStateEvent(_))));
    // Whether the listener is closed by now shows at a connection that is refused.
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    held.does_it();
    assert!(matches!(wire.receives().await, Some(AnyMessage::SetAgentStateConf(answer)) if answer.invoke_id == 50));
    match wire.receives().await {
        Some(AnyMessage::FailureEvent(event)) => assert_eq!(event.status, Status::E_CTI_CTI_SERVER_OFFLINE),
        other => panic!("FAILURE_EVENT expected, got {other:?}"),
    }
    assert!(wire.receives().await.is_none());
    drop(wire);
    drained.await.unwrap();
    assert!(acd.inner.adapters().is_empty());
}

/// Many agents, each with a desktop and a bridge that want opposite things, connections that drop, and an ACD that fails:
/// afterwards the table says what the ACD says, and nothing is half open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_logins_logouts_drops_and_faults_leave_nothing_half_done() {
    const AGENTS: u32 = 100;
    let served = served(|config| {
        config.timeouts.acd_answer = Duration::from_millis(300);
        // On a machine that has no time for them, two hundred clients read nothing for longer than a dead peer or a slow one
        // may: that is not what this is about.
        config.timeouts.dead_peer = Duration::from_secs(600);
        config.limits.outbound_bytes_max = 64 << 20;
    })
    .await;
    let mut faults = Vec::new();
    for step in ["log_out", "log_in", "close_adapter", "open_adapter", "log_out", "close_adapter"].repeat(8) {
        faults.push(served.acd.hold(step));
    }
    let faults = tokio::spawn(async move {
        for (at, held) in faults.into_iter().enumerate() {
            let Ok(held) = held.await else { continue };
            match at % 4 {
                0 => held.refuses(AcdRefusal::Refused { code: 1, words: "no".to_owned() }),
                1 => held.never_answers(),
                2 => held.does_it_in_silence(),
                _ => held.does_it(),
            }
        }
    });
    let start = Arc::new(Barrier::new(2 * AGENTS as usize));
    let mut clients = Vec::new();
    for agent in 1001..1001 + AGENTS {
        for is_bridge in [false, true] {
            let (start, address) = (Arc::clone(&start), served.address);
            clients.push(tokio::spawn(async move { one_racer(address, agent, is_bridge, start).await }));
        }
    }
    for client in clients {
        client.await.expect("a client that saw the promise kept");
    }
    faults.abort();
    served.gateway.house().table.subscriptions.count();
    // What failed is tried again until it is done.
    let quiet = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            let snapshot = ctigate::acd::Acd::snapshot(&served.acd.inner).await.unwrap();
            let logged_in: Vec<_> =
                snapshot.agents.iter().filter(|facts| facts.is_logged_in()).map(|facts| facts.agent.clone()).collect();
            let table_agrees = snapshot.agents.iter().all(|truth| {
                let key = ctigate::model::AgentKey {
                    peripheral: ctigate::model::PeripheralId(5000),
                    agent: truth.agent.clone(),
                };
                let cell = served.gateway.house().table.agent(&key).expect("every agent is known");
                let entry = cell.entry();
                !truth.differs_from(&entry.facts) && entry.logging_out.is_none()
            });
            let mut adapters = snapshot.adapters.clone();
            adapters.sort();
            let mut expected = logged_in.clone();
            expected.sort();
            if table_agrees && adapters == expected {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    quiet.await.expect("table, ACD and adapters agree when all is quiet");
}

async fn one_racer(address: std::net::SocketAddr, agent: u32, is_bridge: bool, start: Arc<Barrier>) {
    let agent = agent.to_string();
    let request = if is_bridge { open_req(&format!("bridge-{agent}"), services_of_bridge()) } else { of_agent(&agent) };
    let mut wire = Wire::opened(address, request).await;
    start.wait().await;
    let mut invoke_id = 0;
    for round in 0..6 {
        for state in [AgentState::AGENT_STATE_LOGIN, AgentState::AGENT_STATE_AVAILABLE, AgentState::AGENT_STATE_LOGOUT]
        {
            invoke_id += 1;
            wire.sends(state_req(&agent, invoke_id, state)).await;
            let is_dropping = !is_bridge && round == 4 && state == AgentState::AGENT_STATE_LOGOUT;
            if is_dropping && agent.ends_with('7') {
                return; // with a logout under way
            }
            let is_confirmed = answered_either_way(&mut wire, invoke_id).await;
            if !is_bridge && state == AgentState::AGENT_STATE_LOGOUT && is_confirmed {
                // Nothing but the answer may come now: the subscription has ended.
                invoke_id += 1;
                wire.sends(HeartbeatReq { invoke_id, ..Default::default() }).await;
                match wire.receives().await {
                    Some(AnyMessage::HeartbeatConf(_)) => (),
                    other => panic!("after the confirm of {agent}'s logout came {other:?}"),
                }
            }
        }
    }
}

/// Reads up to the answer; says whether it is a confirm.
async fn answered_either_way(wire: &mut Wire, invoke_id: u32) -> bool {
    loop {
        match wire.receives().await.expect("an open connection") {
            AnyMessage::SetAgentStateConf(answer) if answer.invoke_id == invoke_id => return true,
            AnyMessage::ControlFailureConf(answer) if answer.invoke_id == invoke_id => return false,
            AnyMessage::FailureConf(answer) if answer.invoke_id == invoke_id => return false,
            AnyMessage::AgentStateEvent(_) | AnyMessage::SystemEvent(_) => (),
            other => panic!("{other:?}"),
        }
    }
}

async fn answered(wire: &mut Wire, invoke_id: u32) {
    assert!(answered_either_way(wire, invoke_id).await, "{invoke_id} was refused");
}

async fn logs_in(wire: &mut Wire, agent: &str) {
    wire.sends(state_req(agent, 1, AgentState::AGENT_STATE_LOGIN)).await;
    answered(wire, 1).await;
    for _ in 0..2 {
        assert!(matches!(wire.receives().await, Some(AnyMessage::AgentStateEvent(_))));
    }
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
