//! OpenCTI on real sockets, TCP and WebSocket: connections cut at random under load, and hostile clients beside good ones.

use std::sync::Arc;
use std::time::Duration;

use ctigate::acd::AgentsConfig;
use ctigate::acd::embedded::{EmbeddedConfig, InstrumentsConfig};
use ctigate::config::{DialectName, ListenerConfig, Transport};
use ctigate::model::AgentId;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::crm::{login, logout};
use crate::support::node::{Node, Way};
use crate::support::wire::{Served, served, served_by};

/// A gateway that speaks OpenCTI in both ways.
async fn served_both() -> (Served, [Way; 2]) {
    let served = served(|config| {
        for transport in [Transport::Tcp, Transport::Websocket] {
            config.listeners.push(ListenerConfig {
                dialect: DialectName::Opencti,
                transport,
                address: "127.0.0.1:0".parse().unwrap(),
                ..Default::default()
            });
        }
    })
    .await;
    let listeners = served.gateway.listeners();
    let ways = [Way::Tcp(listeners[1].1), Way::WebSocket(listeners[2].1)];
    (served, ways)
}

fn state(agent: &str, reason: u32) -> Value {
    let options = json!({"pyReasonCode": reason.to_string()});
    json!({"activity": "SetAgentNotReady", "AgentID": agent, "AgentOptions": options})
}

/// Agent and reason of an event of an agent's state.
fn change(event: &Value) -> Option<(String, String)> {
    let text = |name: &str| event[name].as_str().unwrap().to_owned();
    (event["pyEventType"] == "AgentStateEvent").then(|| (text("pyAgentId"), text("pyReasonCode")))
}

const LAST: u32 = 60_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_are_cut_at_random_under_load_miss_nothing_and_hear_nothing_twice() {
    let (_served, ways) = served_both().await;
    let mut tasks = Vec::new();
    for (number, way) in [ways[0], ways[1], ways[0], ways[1]].into_iter().enumerate() {
        tasks.push(tokio::spawn(is_cut_at_random(way, ways[0], 1001 + 10 * number as u32)));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

/// Ten agents of one node change states as fast as another client asks for it, while the node is cut again and again. Somebody
/// who is never cut hears the same.
async fn is_cut_at_random(way: Way, steady: Way, first: u32) {
    let agents: Vec<String> = (first..first + 10).map(|agent| agent.to_string()).collect();
    let mut node = Node::connected(way).await;
    let mut watcher = Node::connected(steady).await;
    for agent in &agents {
        node.succeeds(login(agent)).await;
        let dn = login(agent)["DN"].clone();
        watcher.succeeds(json!({"activity": "SubscribeForEvents", "DN": dn})).await;
    }
    let actor = {
        let agents = agents.clone();
        tokio::spawn(async move {
            let mut actor = Node::connected(steady).await;
            for round in 0..30 {
                for agent in &agents {
                    actor.succeeds(state(agent, 1_000 + round)).await;
                }
            }
            for agent in &agents {
                actor.succeeds(state(agent, LAST)).await;
            }
        })
    };
    let mut random = u64::from(first).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut heard = Vec::new();
    let mut over = 0;
    while over < agents.len() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        if random.is_multiple_of(11) {
            if random.is_multiple_of(2) {
                node.sends(json!({"activity": "Heartbeat"})).await; // its answer goes down with the connection
            }
            node.is_cut();
            node.connects().await;
        }
        let event = node.hears_event().await;
        if let Some(change) =
            change(&event).filter(|(_, reason)| reason.parse::<u32>().is_ok_and(|reason| reason >= 1_000))
        {
            over += usize::from(change.1 == LAST.to_string());
            heard.push(change);
        }
    }
    actor.await.unwrap();
    assert!(node.resumed > 10, "cut {} times", node.resumed);
    let mut seen = Vec::new();
    while seen.len() < heard.len() {
        let event = watcher.hears_event().await;
        seen.extend(change(&event).filter(|(_, reason)| reason.parse::<u32>().is_ok_and(|reason| reason >= 1_000)));
    }
    assert_eq!(heard.len(), 310);
    assert_eq!(heard, seen);
    for agent in &agents {
        let id = node.sends(logout(agent)).await;
        let answer = loop {
            let message = node.hears().await.expect("an answer");
            if message.get("id") == Some(&json!(id)) {
                break message; // behind that to the last heartbeat
            }
        };
        assert_eq!(answer["ok"], true, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_log_in_and_out_and_vanish_leave_nothing_behind() {
    let (served, ways) = served_both().await;
    let mut tasks = Vec::new();
    for number in 0..8_u32 {
        let way = ways[number as usize % 2];
        tasks.push(tokio::spawn(async move {
            let agent = (1051 + number / 2).to_string(); // two clients fight for each agent
            for round in 0..20 {
                let mut node = Node::connected(way).await;
                let (login, logout) = (login(&agent), logout(&agent));
                let answer = node.asks(login).await;
                let is_told = answer["ok"] == true || answer["code"].is_string();
                assert!(is_told, "{answer}");
                match (round + number) % 3 {
                    0 => {
                        let answer = node.asks(logout).await;
                        assert!(answer["ok"] == true || answer["code"].is_string(), "{answer}");
                    }
                    1 => {
                        node.sends(logout).await;
                        node.is_cut();
                    }
                    _ => node.is_cut(),
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let mut node = Node::connected(ways[0]).await;
    for agent in 1051..1055_u32 {
        let answer = node.asks(logout(&agent.to_string())).await;
        assert!(answer["ok"] == true || answer["code"] == "OPENCTI_AGENT_NOT_LOGGED_IN", "{answer}");
        let facts = served.acd.inner.facts(&AgentId::new(&agent.to_string()).unwrap()).unwrap();
        assert!(!facts.is_logged_in(), "{facts:?}");
    }
    assert_eq!(served.acd.inner.adapters(), []);
    assert_eq!(served.gateway.house().table.subscriptions.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_carries_a_thousand_agents() {
    let served = served_by(world_of(1_000), |config| {
        let opencti = ListenerConfig { dialect: DialectName::Opencti, ..config.listeners[0].clone() };
        config.listeners.push(opencti);
    })
    .await;
    let mut node = Node::connected(Way::Tcp(served.gateway.listeners()[1].1)).await;
    let agents: Vec<String> = (1..=1_000).map(|agent| agent.to_string()).collect();
    let password = |agent: &str| format!("pw{agent}");
    let log_in = |agent: &String| json!({"activity": "LoginAgent", "AgentID": agent, "AgentPassword": password(agent), "DN": format!("7{agent}")});
    let ready = |agent: &String| json!({"activity": "SetAgentReady", "AgentID": agent});
    let log_out = |agent: &String| json!({"activity": "LogoutAgent", "AgentID": agent});
    for requests in [agents.iter().map(log_in).collect::<Vec<_>>(), agents.iter().map(ready).collect()] {
        all_succeed(&mut node, requests).await;
    }
    node.is_cut();
    node.connects().await;
    all_succeed(&mut node, agents.iter().map(log_out).collect()).await;
    assert_eq!(served.acd.inner.adapters(), []);
    assert_eq!(served.gateway.house().table.subscriptions.count(), 0);
}

/// All in flight at once, each answered once.
async fn all_succeed(node: &mut Node, requests: Vec<Value>) {
    let mut open = std::collections::HashSet::new();
    for request in requests {
        open.insert(node.sends(request).await);
    }
    while !open.is_empty() {
        let message = node.hears().await.expect("an answer");
        if let Some(id) = message.get("id") {
            assert_eq!(message["ok"], true, "{message}");
            assert!(open.remove(&id.as_u64().unwrap()), "answered once: {message}");
        }
    }
}

/// Agents 1 to `count`, and devices 71 and so on.
fn world_of(count: u32) -> EmbeddedConfig {
    let world = EmbeddedConfig::default();
    let agents = AgentsConfig { first: 1, count, ..world.agents[0].clone() };
    let devices = (1..=count).map(|agent| format!("7{agent}").parse().unwrap());
    let instruments = devices.map(|first| InstrumentsConfig { first, count: 1 }).collect();
    EmbeddedConfig { agents: vec![agents], instruments, ..world }
}

#[tokio::test]
async fn hostile_json_stops_neither_the_gateway_nor_another_client() {
    let (_served, ways) = served_both().await;
    let Way::Tcp(address) = ways[0] else { unreachable!() };
    let mut bystander = Node::connected(ways[1]).await;
    let deep = "[".repeat(60_000);
    let endless = "x".repeat(1_000_000);
    let attacks: Vec<Vec<u8>> = vec![
        b"{\"id\":1,\"activity\":\"Hello\"".to_vec(),
        format!("{{\"id\":1,\"activity\":\"Hello\",\"x\":{deep}\n").into_bytes(),
        deep.into_bytes(),
        endless.into_bytes(),
        [b"\xff\xfe\x00\x80".repeat(1_000), b"\n".to_vec()].concat(),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"\x00\x00\x00\x48\x00\x00\x00\x03".repeat(100),
        "{\"id\":1,\"activity\":\"Heartbeat\"}\n".repeat(10_000).into_bytes(),
    ];
    let mut open = Vec::new();
    for attack in attacks {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let writing = tokio::time::timeout(Duration::from_secs(5), stream.write_all(&attack));
        let _ = writing.await; // the gateway may have had enough
        open.push(stream);
        bystander.succeeds(json!({"activity": "Heartbeat"})).await;
    }
    // Who sent whole lines was answered each of them, and who sent none can still say something sensible.
    let hello = json!({"id": 2, "activity": "Hello", "protocolVersion": 1, "identity": "late"});
    for stream in &mut open[1..2] {
        stream.write_all(format!("{hello}\n").as_bytes()).await.unwrap();
        let mut read = Vec::new();
        while !String::from_utf8_lossy(&read).contains("\"session\"") {
            assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "{}", String::from_utf8_lossy(&read));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_stops_tells_its_nodes_and_answers_what_it_took() {
    let (served, ways) = served_both().await;
    let acd = Arc::clone(&served.acd);
    let mut nodes = [Node::connected(ways[0]).await, Node::connected(ways[1]).await];
    for (node, agent) in nodes.iter_mut().zip(["1001", "1002"]) {
        node.succeeds(login(agent)).await;
    }
    let holds = [acd.hold("log_out"), acd.hold("log_out")];
    let mut ids = Vec::new();
    for (node, agent) in nodes.iter_mut().zip(["1001", "1002"]) {
        ids.push(node.sends(logout(agent)).await);
    }
    let mut held = Vec::new();
    for hold in holds {
        held.push(hold.await.unwrap());
    }
    let draining = tokio::spawn(served.gateway.drain());
    for held in held {
        held.does_it();
    }
    for (node, id) in nodes.iter_mut().zip(ids) {
        let mut is_answered = false;
        while let Some(message) = node.hears().await {
            is_answered |= message == json!({"id": id, "ok": true});
        }
        assert!(is_answered);
    }
    draining.await.unwrap();
    assert_eq!(acd.inner.adapters(), []);
}
