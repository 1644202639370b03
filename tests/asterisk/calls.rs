//! Calls of agents at real phones: what clients are told of them, and what they do with them.

use serde_json::{Value, json};

use super::baresip::Baresip;
use super::node::{Node, Way};
use super::rig::*;

const PHONES: &str = "PJSIP/{instrument}";
const CALLS: &str = r#"
    dial_context = "phones"
    [[acd.variable]]
    name = "CASE"
    data = 1
    [[acd.variable]]
    name = "TIER"
    data = "user.tier"
"#;

fn login(agent: &str, device: &str) -> Value {
    json!({"activity": "LoginAgent", "AgentID": agent, "AgentPassword": "any", "DN": device})
}

fn call(activity: &str, agent: &str) -> Value {
    json!({"activity": activity, "AgentID": agent})
}

/// The next event about a call, in words: `Alerting 3001 with 4711`. Call ids are left out.
async fn hears(node: &mut Node) -> String {
    loop {
        let event = node.hears_event().await;
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let (name, dn) = (text("pyEventName"), text("pyThisDN"));
        match text("pyEventType").as_str() {
            "CallStateEvent" => return format!("{name} {dn} {} with {}", text("pyCallType"), text("pyOtherDN")),
            "PartyInfoEvent" => {
                let parties = event["pyParties"].as_array().unwrap().iter();
                let parties: Vec<_> = parties.map(|party| party["pyDN"].as_str().unwrap()).collect();
                return format!("{name} {dn} {}", parties.join(","));
            }
            "CallInfoEvent" => {
                let set = event["pyCallVariables"][0].as_str().unwrap_or_default();
                return format!("{name} {dn} {set} {}", event["pyNamedVariables"]).replace(" {}", "");
            }
            _ => (),
        }
    }
}

/// Waits until that is told, past other events of calls; gives those as well.
async fn hears_until(node: &mut Node, wanted: &str) -> Vec<String> {
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last: &String| last != wanted) {
        heard.push(hears(node).await);
        assert!(heard.len() < 30, "{wanted} expected: {heard:#?}");
    }
    heard
}

/// An agent at a phone of its own, ready.
async fn ready_at(served: &Served, sip_port: u16, agent: &str, device: &str) -> (Node, Baresip) {
    let phone = Baresip::registered(sip_port, device).await;
    let mut node = Node::connected(Way::Tcp(served.opencti)).await;
    node.succeeds(login(agent, device)).await;
    node.succeeds(json!({"activity": "SetAgentReady", "AgentID": agent})).await;
    (node, phone)
}

async fn a_caller_comes(console: &mut Console) {
    let headers = [
        ("Channel", "Local/patient@callers/n"),
        ("Context", "callers"),
        ("Exten", "sales"),
        ("Priority", "1"),
        ("CallerID", "4711"),
        ("Variable", "CASE=C-7"),
        ("Async", "true"),
    ];
    console.does("Originate", &headers).await;
}

#[tokio::test]
async fn a_queues_call_is_told_from_ringing_to_its_end_with_its_parties_and_data() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, PHONES, CALLS).await;
    let (mut node, mut phone) = ready_at(&served, asterisk.port + 22, "1001", "3001").await;
    a_caller_comes(&mut console).await;
    phone.rings().await;
    assert_eq!(
        [hears(&mut node).await, hears(&mut node).await, hears(&mut node).await],
        ["Alerting 3001 INBOUND with 4711", "PartyInfo 3001 4711,3001", "CallInfo 3001 C-7"]
    );
    phone.answers().await;
    assert_eq!(hears(&mut node).await, "Established 3001 INBOUND with 4711");
    phone.holds().await;
    assert_eq!(hears(&mut node).await, "Held 3001 INBOUND with 4711");
    phone.retrieves().await;
    assert_eq!(hears(&mut node).await, "Retrieved 3001 INBOUND with 4711");

    phone.hangs_up().await;
    hears_until(&mut node, "Disconnected 3001 INBOUND with 4711").await;
    assert!(served.gateway.house().table.calls(ctigate::model::PeripheralId(5000)).lock().is_empty());
}
