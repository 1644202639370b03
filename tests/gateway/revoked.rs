//! A configuration that is read again takes rights away from who is in.

use cti_protocol::ged188::codes::{ServiceMask, Status};
use cti_protocol::ged188::{AnyMessage, HeartbeatReq, OpenReq};
use ctigate::config::{ClientConfig, Config, DialectName, ListenerConfig};
use ctigate::model::{Password, Role, Secret, Service};
use ctigate::server::Gateway;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::support::desk::{open_req, services_of_agent, services_of_bridge, text};
use crate::support::house::client;
use crate::support::wire::Wire;

fn config(clients: Vec<ClientConfig>) -> Config {
    let mut config = Config { clients, ..Config::default() };
    config.listeners[0].address = "127.0.0.1:0".parse().unwrap();
    let opencti = ListenerConfig {
        dialect: DialectName::Opencti,
        address: "127.0.0.1:0".parse().unwrap(),
        ..ListenerConfig::default()
    };
    config.listeners.push(opencti);
    config
}

async fn is_served(wire: &mut Wire) -> bool {
    wire.sends(HeartbeatReq { invoke_id: 9, ..Default::default() }).await;
    matches!(wire.receives().await, Some(AnyMessage::HeartbeatConf(_)))
}

/// The last word, and the end of the connection behind it.
async fn is_sent_away(wire: &mut Wire) {
    match wire.receives().await {
        Some(AnyMessage::FailureEvent(event)) => {
            assert_eq!(event.status, Status::E_CTI_FUNCTION_NOT_AVAILABLE);
            let why = event.text.unwrap().to_string();
            assert!(why.ends_with("may has changed"), "{why}");
        }
        other => panic!("FAILURE_EVENT expected, got {other:?}"),
    }
    assert!(wire.receives().await.is_none());
}

/// A client that speaks lines.
struct Lines(BufReader<TcpStream>);

impl Lines {
    async fn greets(gateway: &Gateway, identity: &str, resume: Option<&Value>) -> (Lines, Value) {
        let mut lines = Lines(BufReader::new(TcpStream::connect(gateway.listeners()[1].1).await.unwrap()));
        let mut hello = json!({"id": 1, "activity": "Hello", "protocolVersion": 1, "identity": identity});
        if let Some(session) = resume {
            hello["resume"] = json!({"session": session, "seq": 0});
        }
        lines.0.get_mut().write_all(format!("{hello}\n").as_bytes()).await.unwrap();
        let welcome = lines.reads().await.expect("a welcome");
        assert_eq!(welcome["ok"], true, "{welcome}");
        (lines, welcome)
    }

    async fn reads(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        (!line.is_empty()).then(|| serde_json::from_str(&line).unwrap())
    }
}

#[tokio::test]
async fn sessions_of_a_client_that_may_less_or_is_struck_off_end_and_those_of_others_go_on() {
    let desk = || client("desk", Role::Agent);
    let all = vec![client("crm", Role::Bridge), client("wallboard", Role::Bridge), desk(), client("old", Role::Bridge)];
    let gateway = Gateway::start(config(all)).await.unwrap();
    let address = gateway.listeners()[0].1;
    let mut wires = Vec::new();
    for id in ["crm", "wallboard", "old"] {
        let mut wire = Wire::opened(address, open_req(id, services_of_bridge())).await;
        assert!(matches!(wire.receives().await, Some(AnyMessage::SystemEvent(_))));
        wires.push(wire);
    }
    let [crm, wallboard, old] = &mut wires[..] else { unreachable!("three were opened") };
    let mut own =
        Wire::opened(address, OpenReq { agent_id: text("1001"), ..open_req("desk", services_of_agent()) }).await;
    let (mut lines, welcome) = Lines::greets(&gateway, "crm", None).await;

    // The crm's password changes, which takes nothing away; of the others one may less, and one is gone.
    let password = Some(Secret::Here(Password::new("new")));
    let crm_now = ClientConfig { password, ..client("crm", Role::Bridge) };
    let less = ClientConfig { services: Some(vec![Service::AllEvents]), ..client("wallboard", Role::Bridge) };
    let mut now = config(vec![crm_now, less, desk()]);
    gateway.reload(&now).unwrap();
    is_sent_away(wallboard).await;
    is_sent_away(old).await;
    assert!(is_served(crm).await && is_served(&mut own).await);

    // And who was a bridge is an agent's desktop: what its old session heard is not taken up.
    now.clients[0] = client("crm", Role::Agent);
    gateway.reload(&now).unwrap();
    is_sent_away(crm).await;
    assert!(is_served(&mut own).await);
    let word = lines.reads().await.expect("a last word");
    assert_eq!(word["notice"], "Closed");
    assert!(word["message"].as_str().unwrap().contains("\"crm\""), "{word}");
    assert!(lines.reads().await.is_none());
    let (_again, told) = Lines::greets(&gateway, "crm", Some(&welcome["session"])).await;
    assert_eq!(told["resumed"], false);
}

#[tokio::test]
async fn who_came_in_while_anybody_did_is_asked_to_leave_once_clients_are_named() {
    let gateway = Gateway::start(config(Vec::new())).await.unwrap();
    let address = gateway.listeners()[0].1;
    let mut anybody = Wire::opened(address, open_req("whoever", ServiceMask::CTI_SERVICE_CLIENT_CONTROL)).await;
    gateway.reload(&config(vec![client("crm", Role::Bridge)])).unwrap();
    is_sent_away(&mut anybody).await;
    let mut crm = Wire::opened(address, open_req("crm", ServiceMask::CTI_SERVICE_CLIENT_CONTROL)).await;
    gateway.reload(&config(Vec::new())).unwrap();
    assert!(is_served(&mut crm).await, "nobody may less than before");
}
