//! CRM desktops in front of a real Asterisk: OpenCTI's activities against what the console shows, beside a GED-188 client.

use serde_json::{Value, json};

use super::desk::*;
use super::node::{Node, Way};
use super::rig::*;

fn login(agent: &str) -> Value {
    json!({"activity": "LoginAgent", "AgentID": agent, "AgentPassword": "any", "DN": agent})
}

fn of(members: &Members, agent: &str) -> Vec<(String, Option<String>)> {
    let own = members.iter().filter(|((_, name), _)| name == agent);
    own.map(|((queue, _), (paused, _))| (queue.clone(), paused.clone())).collect()
}

fn in_all(pause: Option<&str>) -> Vec<(String, Option<String>)> {
    ["billing", "sales", "support"].map(|queue| (queue.to_owned(), pause.map(str::to_owned))).to_vec()
}

/// The next event of that kind, past others.
async fn hears(node: &mut Node, kind: &str) -> Value {
    loop {
        let event = node.hears_event().await;
        if event["pyEventType"] == kind {
            return event;
        }
    }
}

#[tokio::test]
async fn after_every_activity_the_console_shows_what_the_crm_was_told() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let mut crm = Node::connected(Way::WebSocket(served.opencti_ws)).await;
    crm.succeeds(login("1001")).await;
    assert_eq!(of(&console.members().await, "1001"), in_all(Some("")));
    let snapshot = hears(&mut crm, "SnapshotEvent").await;
    assert_eq!((&snapshot["pyAgentState"], &snapshot["pyDeviceState"]), (&json!("NotReady"), &json!("OPENED")));
    crm.succeeds(json!({"activity": "SetAgentReady", "AgentID": "1001"})).await;
    assert_eq!(of(&console.members().await, "1001"), in_all(None));
    let lunch = json!({"pyOpenCTI": {"pyReasonCode": "meeting"}});
    crm.succeeds(json!({"activity": "SetAgentNotReady", "AgentID": "1001", "AgentOptions": lunch})).await;
    assert_eq!(of(&console.members().await, "1001"), in_all(Some("meeting")), "the catalogue's name");
    let work = json!({"activity": "SetAgentNotReady", "AgentID": "1001", "WorkMode": "AFTER_CALL_WORK"});
    crm.succeeds(work).await;
    assert_eq!(of(&console.members().await, "1001"), in_all(Some("after-call work")));
    crm.succeeds(json!({"activity": "LogoutAgent", "AgentID": "1001", "Queue": "sales,billing"})).await;
    assert_eq!(of(&console.members().await, "1001"), [("support".to_owned(), Some("after-call work".to_owned()))]);
    crm.succeeds(json!({"activity": "LogoutAgent", "AgentID": "1001"})).await;
    assert_eq!(of(&console.members().await, "1001"), []);
    assert!(shown(&mut console).await.values().all(Vec::is_empty));
    let answer = crm.asks(json!({"activity": "LogoutAgent", "AgentID": "1001"})).await;
    assert_eq!(answer["code"], "OPENCTI_AGENT_NOT_LOGGED_IN");
}

#[tokio::test]
async fn what_the_console_and_a_ged188_client_do_is_told_to_the_crm() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let mut crm = Node::connected(Way::Tcp(served.opencti)).await;
    crm.succeeds(login("1001")).await;
    crm.events.clear();
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.asks("1001", READY, |_| ()).await.expect("ready");
    assert_eq!(hears(&mut crm, "AgentStateEvent").await["pyEventName"], "Ready");
    let member = ("Interface", "Local/1001@long-agents/n");
    console.does("QueuePause", &[member, ("Paused", "true"), ("Reason", "lunch")]).await;
    let event = hears(&mut crm, "AgentStateEvent").await;
    assert_eq!(event["pyEventName"], "NotReady", "{event}");
    for queue in ["sales", "support", "billing"] {
        console.does("QueueRemove", &[member, ("Queue", queue)]).await;
    }
    loop {
        let event = hears(&mut crm, "AgentStateEvent").await;
        if event["pyEventName"] == "Logout" {
            break;
        }
    }
    let answer = crm.asks(json!({"activity": "SetAgentReady", "AgentID": "1001"})).await;
    assert_eq!(answer["code"], "OPENCTI_AGENT_NOT_LOGGED_IN", "{answer}");
}

#[tokio::test]
async fn a_call_that_rings_at_the_agent_is_told_with_the_callers_number_and_the_queue() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, RINGERS, "").await;
    let mut crm = Node::connected(Way::Tcp(served.opencti)).await;
    crm.succeeds(login("1001")).await;
    crm.succeeds(json!({"activity": "SetAgentReady", "AgentID": "1001"})).await;
    console.calls("sales", "patient").await;
    let call = hears(&mut crm, "CallStateEvent").await;
    assert_eq!((&call["pyEventName"], &call["queue"]), (&json!("Alerting"), &json!("sales")), "{call}");
    crm.succeeds(json!({"activity": "LogoutAgent", "AgentID": "1001"})).await;
    assert_eq!(of(&console.members().await, "1001"), []);
}

#[tokio::test]
async fn a_crm_that_is_cut_and_comes_back_has_heard_what_happened_and_its_agent_is_still_in_the_queues() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let mut crm = Node::connected(Way::Tcp(served.opencti)).await;
    crm.succeeds(login("1001")).await;
    crm.events.clear();
    crm.is_cut();
    let mut other = Node::connected(Way::Tcp(served.opencti)).await;
    for reason in 100..120 {
        let options = json!({"pyReasonCode": reason.to_string()});
        other.succeeds(json!({"activity": "SetAgentNotReady", "AgentID": "1001", "AgentOptions": options})).await;
    }
    crm.connects().await;
    for reason in 100..120 {
        assert_eq!(hears(&mut crm, "AgentStateEvent").await["pyReasonCode"], reason.to_string());
    }
    assert_eq!(hears(&mut crm, "SnapshotEvent").await["pyAgentState"], "NotReady");
    assert_eq!(of(&console.members().await, "1001"), in_all(Some("119")));
    crm.succeeds(json!({"activity": "LogoutAgent", "AgentID": "1001"})).await;
    assert_eq!(of(&console.members().await, "1001"), []);
}

#[tokio::test]
async fn a_link_to_asterisk_that_is_cut_is_told_and_the_logout_is_refused_until_it_is_back() {
    let asterisk = Asterisk::start().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let mut crm = Node::connected(Way::Tcp(served.opencti)).await;
    crm.succeeds(login("1001")).await;
    crm.events.clear();
    asterisk.kill().await;
    assert_eq!(hears(&mut crm, "SnapshotEvent").await["pyLinkState"], "DISCONNECTED");
    let answer = crm.asks(json!({"activity": "LogoutAgent", "AgentID": "1001"})).await;
    assert_eq!(answer["code"], "OPENCTI_HTTP_ERROR_503", "{answer}");
    asterisk.up().await;
    // Its members are gone with the crash: first the link, then what has changed.
    assert_eq!(hears(&mut crm, "SnapshotEvent").await["pyLinkState"], "CONNECTED");
    assert_eq!(hears(&mut crm, "AgentStateEvent").await["pyEventName"], "Logout");
    crm.succeeds(login("1001")).await;
}
