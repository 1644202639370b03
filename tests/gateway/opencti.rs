//! OpenCTI: what the contract says of each activity, and what GED-188 clients of the same agents see of it.

use std::time::Duration;

use bytes::BytesMut;
use cti_protocol::ged188::codes::AgentState;
use ctigate::acd::AcdRefusal;
use ctigate::config::{ClientConfig, DialectName, ListenerConfig};
use ctigate::dialects::CloseReason;
use ctigate::model::{AgentId, Password, QueueId, ReasonCode, Role, SecondClient, Secret, Service};
use serde_json::{Value, json};

use crate::support::crm::{Crm, login, logout};
use crate::support::desk::Desk;
use crate::support::house::{ACD_ANSWER, TestHouse, client, house, house_with};

const LOGGED_OUT: AgentState = AgentState::AGENT_STATE_LOGOUT;

fn ready(agent: &str) -> Value {
    json!({"activity": "SetAgentReady", "AgentID": agent})
}

fn not_ready(agent: &str, reason: &str) -> Value {
    json!({"activity": "SetAgentNotReady", "AgentID": agent, "AgentOptions": {"pyReasonCode": reason}})
}

async fn house_with_listener(change: impl FnOnce(&mut ListenerConfig)) -> TestHouse {
    house_with(|config| {
        let mut listener = ListenerConfig { dialect: DialectName::Opencti, ..Default::default() };
        change(&mut listener);
        config.listeners.push(listener);
    })
    .await
}

fn facts(house: &TestHouse, agent: &str) -> ctigate::model::AgentFacts {
    house.acd.inner.facts(&AgentId::new(agent).unwrap()).expect("an agent of the default world")
}

// --- LogoutAgent, sentence by sentence -----------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn logout_agent_logs_the_agent_out() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    crm.succeeds(logout("1001")).await;
    assert!(!facts(&house, "1001").is_logged_in());
    crm.receives(json!({"pyEventType": "AgentStateEvent", "pyEventName": "Logout", "pyThisDN": "3001"})).await;
    let snapshot = json!({"pyEventType": "SnapshotEvent", "pyAgentState": "Logout", "pyDeviceState": "CLOSED"});
    crm.receives(snapshot).await;
    crm.receives_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_logged_out_agent_gets_no_more_calls_from_the_queue() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    crm.succeeds(ready("1001")).await;
    house.acd.inner.arrive(QueueId(1));
    crm.receives(json!({"pyEventName": "Ready"})).await;
    crm.receives(json!({"pyEventName": "Ready", "pyWorkMode": "BUSY"})).await;
    crm.receives(json!({"pyEventType": "CallStateEvent", "pyEventName": "Alerting", "pyAgentId": "1001"})).await;
    let mut other = Crm::open(&house).await;
    other.logs_in("1002").await;
    other.succeeds(ready("1002")).await;
    other.receives(json!({"pyEventName": "Ready"})).await;
    other.succeeds(logout("1002")).await;
    other.receives_event().await;
    other.receives_event().await;
    house.acd.inner.arrive(QueueId(1));
    other.receives_nothing().await;
    assert!(!facts(&house, "1002").is_logged_in());
}

#[tokio::test(start_paused = true)]
async fn a_logged_out_agent_cannot_change_the_agent_state() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    crm.succeeds(logout("1001")).await;
    for request in [ready("1001"), not_ready("1001", "lunch")] {
        let (code, why) = crm.fails(request).await;
        assert_eq!(code, "OPENCTI_AGENT_NOT_LOGGED_IN");
        assert!(why.contains("1001 is not logged in"), "{why}");
    }
    assert!(!facts(&house, "1001").is_logged_in());
}

#[tokio::test(start_paused = true)]
async fn the_agent_must_be_logged_in_to_at_least_one_queue_before_a_logout() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    let (code, why) = crm.fails(logout("1001")).await;
    assert_eq!(code, "OPENCTI_AGENT_NOT_LOGGED_IN");
    assert!(why.contains("agent 1001 is not logged in"), "{why}");
    assert_eq!(crm.fails(logout("9999")).await.0, "OPENCTI_AGENT_NOT_LOGGED_IN");
    crm.receives_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_logout_closes_the_adapter_before_it_is_answered() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    let closing = house.acd.hold("close_adapter");
    let id = crm.sends(logout("1001"));
    let held = closing.await.unwrap();
    crm.receives(json!({"pyEventType": "AgentStateEvent", "pyEventName": "Logout"})).await;
    crm.receives_nothing().await; // the adapter is open: nothing is said of a success
    held.does_it();
    crm.receives(json!({"pyEventType": "SnapshotEvent", "pyDeviceState": "CLOSED"})).await;
    assert_eq!(crm.receives_message().await, json!({"id": id, "ok": true}));
    assert_eq!(house.acd.inner.adapters(), []);
}

#[tokio::test(start_paused = true)]
async fn a_logout_unsubscribes_from_the_devices_events_before_it_is_answered() {
    let house = house().await;
    let (mut crm, mut watcher) = (Crm::open(&house).await, Crm::open(&house).await);
    crm.logs_in("1001").await;
    watcher.succeeds(json!({"activity": "SubscribeForEvents", "DN": "3001"})).await;
    watcher.receives(json!({"pyEventType": "SnapshotEvent", "pyAgentId": "1001"})).await;
    let subscriptions = || house.house.table.subscriptions.count();
    assert_eq!(subscriptions(), 2);
    let id = crm.sends(logout("1001"));
    crm.receives(json!({"pyEventName": "Logout"})).await;
    crm.receives(json!({"pyEventName": "Snapshot"})).await;
    assert_eq!(crm.receives_message().await, json!({"id": id, "ok": true}));
    assert_eq!(subscriptions(), 0, "in every session that held one");
    watcher.receives(json!({"pyEventName": "Logout"})).await;
    // Whatever the agent does now, elsewhere, nobody here hears it.
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    crm.receives_nothing().await;
    watcher.receives_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn the_success_of_a_logout_has_no_status_and_changes_no_property() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    let answer = crm.asks(logout("1001")).await;
    let id = answer["id"].clone();
    assert_eq!(answer, json!({"id": id, "ok": true}));
}

#[tokio::test(start_paused = true)]
async fn the_failure_of_a_logout_has_the_status_fail_and_a_message() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    let answer = crm.asks(logout("1001")).await;
    assert_eq!(answer["Status"], "Fail");
    assert!(answer["StatusMessage"].as_str().is_some_and(|why| !why.is_empty()), "{answer}");
    assert!(answer.get("ok").is_none(), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn queue_is_the_queue_that_the_agent_is_logged_in_to() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    let all = facts(&house, "1001").queues;
    assert!(all.len() > 1, "the agent is in {all:?}");
    crm.succeeds(json!({"activity": "LogoutAgent", "AgentID": "1001", "Queue": "sales"})).await;
    assert_eq!(facts(&house, "1001").queues[..], all[1..], "out of sales alone");
    let left = crm.receives(json!({"pyEventType": "AgentStateEvent", "pyEventName": "NotReady"})).await;
    assert!(!left["queue"].as_str().unwrap().contains("sales"), "{left}");
    crm.receives(json!({"pyEventType": "SnapshotEvent", "pyAgentState": "NotReady", "pyDeviceState": "OPENED"})).await;
    let (code, why) = crm.fails(json!({"activity": "LogoutAgent", "AgentID": "1001", "Queue": "sales"})).await;
    assert_eq!(code, "OPENCTI_AGENT_NOT_LOGGED_IN", "{why}");
    let (code, why) = crm.fails(json!({"activity": "LogoutAgent", "AgentID": "1001", "Queue": "garden"})).await;
    assert_eq!(code, "OPENCTI_HTTP_ERROR_404");
    assert!(why.contains("Queue") && why.contains("garden"), "{why}");
    let rest: Vec<_> = all[1..].iter().map(ToString::to_string).collect();
    crm.succeeds(json!({"activity": "LogoutAgent", "AgentID": "1001", "Queue": rest.join(",")})).await;
    assert!(!facts(&house, "1001").is_logged_in());
}

#[tokio::test(start_paused = true)]
async fn a_blank_queue_logs_out_of_all_that_the_acd_says() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    crm.succeeds(json!({"activity": "LogoutAgent", "AgentID": "1001", "Queue": ""})).await;
    assert_eq!(facts(&house, "1001").queues[..], []);
}

#[tokio::test(start_paused = true)]
async fn agent_options_hold_the_reason_code_of_the_logout() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    let pages = [
        json!({"pyReasonCode": "lunch"}),
        json!({"pyOpenCTI": {"pyReasonCode": "lunch"}}),
        json!({"pyReasonCode": "2"}),
    ];
    for options in pages {
        crm.logs_in("1001").await;
        crm.succeeds(json!({"activity": "LogoutAgent", "AgentID": "1001", "AgentOptions": options})).await;
        crm.receives(json!({"pyEventName": "Logout", "pyReasonCode": "lunch"})).await;
        crm.receives(json!({"pyEventName": "Snapshot", "pyReasonCode": "lunch"})).await;
        assert_eq!(facts(&house, "1001").reason, ReasonCode(2));
    }
}

#[tokio::test(start_paused = true)]
async fn the_reason_code_of_a_logout_is_optional_or_by_configuration_mandatory() {
    let house = house_with_listener(|listener| listener.logout_reason_required = true).await;
    let (mut crm, welcome) = Crm::open_as(&house, "crm").await;
    assert_eq!(welcome["logoutReasonRequired"], true);
    crm.logs_in("1001").await;
    let (code, why) = crm.fails(logout("1001")).await;
    assert_eq!(code, "OPENCTI_REASON_REQUIRED");
    assert!(why.contains("pyReasonCode"), "{why}");
    assert!(facts(&house, "1001").is_logged_in(), "nothing has changed");
    let unknown = json!({"activity": "LogoutAgent", "AgentID": "1001", "AgentOptions": {"pyReasonCode": "fishing"}});
    let (code, why) = crm.fails(unknown).await;
    assert_eq!(code, "OPENCTI_INVALID_REQUEST");
    assert!(why.contains("pyReasonCode") && why.contains("fishing") && why.contains("lunch"), "{why}");
    crm.succeeds(json!({"activity": "LogoutAgent", "AgentID": "1001", "AgentOptions": {"pyReasonCode": "lunch"}}))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_logout_without_an_agent_id_fails() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    for text in [r#"{"id":7,"activity":"LogoutAgent"}"#, r#"{"id":7,"activity":"LogoutAgent","AgentID":""}"#] {
        crm.sends_text(&format!("{text}\n"));
        let answer = crm.receives_message().await;
        assert_eq!((&answer["id"], &answer["Status"]), (&json!(7), &json!("Fail")), "{answer}");
        assert!(answer["StatusMessage"].as_str().unwrap().contains("AgentID"), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_acd_refuses_is_a_failure_that_says_why_and_leaves_the_agent_as_it_is() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    let asked = house.acd.hold("log_out");
    let id = crm.sends(logout("1001"));
    let reason = AcdRefusal::Refused { code: 42, words: "not now".to_owned() };
    asked.await.unwrap().refuses(reason);
    let answer = crm.receives_message().await;
    assert_eq!((&answer["id"], &answer["code"]), (&json!(id), &json!("OPENCTI_CF_GENERIC_OPERATION")));
    assert!(answer["StatusMessage"].as_str().unwrap().contains("not now"), "{answer}");
    crm.succeeds(ready("1001")).await;
    crm.receives(json!({"pyEventName": "Ready"})).await;
    let asked = house.acd.hold("log_out");
    let id = crm.sends(logout("1001"));
    asked.await.unwrap().never_answers();
    tokio::time::advance(ACD_ANSWER).await;
    let answer = crm.receives_message().await;
    assert_eq!((&answer["id"], &answer["code"]), (&json!(id), &json!("OPENCTI_HTTP_ERROR_504")), "{answer}");
    crm.succeeds(logout("1001")).await;
}

// --- the other activities -------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn hello_tells_what_there_is() {
    let house = house().await;
    let (_, welcome) = Crm::open_as(&house, "crm").await;
    assert_eq!((&welcome["protocolVersion"], &welcome["heartbeatSeconds"]), (&json!(1), &json!(15)));
    assert_eq!((&welcome["seq"], &welcome["resumeSeconds"]), (&json!(0), &json!(120)));
    let acd = &welcome["acds"][0];
    assert_eq!((&acd["acd"], &acd["online"]), (&json!("5000"), &json!(true)));
    assert_eq!(acd["queues"][0], "sales");
    assert_eq!(acd["capabilities"], json!({"afterCallWork": true, "partialLogout": true, "callControl": true}));
    assert_eq!(welcome["reasonCodes"][1], json!({"code": 2, "name": "lunch"}));
    assert!(welcome["session"].as_str().unwrap().len() >= 32);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_before_hello_and_a_second_hello_is_refused() {
    let house = house().await;
    let mut crm = Crm::connected(&house);
    assert_eq!(crm.fails(login("1001")).await.0, "OPENCTI_NO_SESSION");
    crm.sends_text("{\"id\":1,\"activity\":\"Hello\",\"protocolVersion\":2,\"identity\":\"crm\"}\n");
    let refused = crm.receives_message().await;
    assert_eq!(refused["code"], "OPENCTI_INVALID_REQUEST");
    assert!(refused["StatusMessage"].as_str().unwrap().contains("protocolVersion: 2"), "{refused}");
    let hello = json!({"activity": "Hello", "protocolVersion": 1, "identity": "crm"});
    crm.succeeds(hello.clone()).await;
    assert_eq!(crm.fails(hello).await.0, "OPENCTI_NO_SESSION");
}

#[tokio::test(start_paused = true)]
async fn identity_and_secret_must_match_where_clients_are_configured() {
    let password = Some(Secret::Here(Password::new("s3cret")));
    let client = ClientConfig { password, ..client("crm", Role::Bridge) };
    let house = house_with(|config| config.clients.push(client)).await;
    for (identity, secret) in [("crm", "wrong"), ("crm", ""), ("other", "s3cret")] {
        let mut crm = Crm::connected(&house);
        let hello = json!({"activity": "Hello", "protocolVersion": 1, "identity": identity, "secret": secret});
        let (code, why) = crm.fails(hello).await;
        assert_eq!(code, "OPENCTI_HTTP_ERROR_401");
        assert!(!why.contains("s3cret"), "{why}");
    }
    let mut crm = Crm::connected(&house);
    crm.succeeds(json!({"activity": "Hello", "protocolVersion": 1, "identity": "crm", "secret": "s3cret"})).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_without_all_events_commands_and_hears_only_agents_whose_password_it_knows() {
    let services = Some(vec![Service::ClientEvents, Service::ClientControl]);
    let desk = ClientConfig { services, ..client("desk", Role::Agent) };
    let house = house_with(|config| config.clients.extend([desk, client("crm", Role::Bridge)])).await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    let (mut desk, _) = Crm::open_as(&house, "desk").await;
    let watch = json!({"activity": "SubscribeForEvents", "DN": "3001"});
    for request in [logout("1001"), ready("1001"), json!({"activity": "GetSnapshot", "AgentID": "1001"}), watch] {
        assert_eq!(desk.fails(request).await.0, "OPENCTI_NO_RIGHT");
    }
    let guess = json!({"activity": "SubscribeForEvents", "DN": "3001", "AgentID": "1001", "AgentPassword": "guess"});
    assert_eq!(desk.fails(guess).await.0, "OPENCTI_HTTP_ERROR_401");
    let guess = json!({"activity": "LoginAgent", "AgentID": "1001", "AgentPassword": "guess", "DN": "3001"});
    assert_eq!(desk.fails(guess).await.0, "OPENCTI_HTTP_ERROR_401");
    desk.receives_nothing().await;
    let known = json!({"activity": "SubscribeForEvents", "DN": "3001", "AgentID": "1001", "AgentPassword": "pw1001"});
    desk.succeeds(known).await;
    desk.receives(json!({"pyEventName": "Snapshot", "pyAgentId": "1001"})).await;
    desk.logs_in("1002").await;
    // Having an agent is no right to hear another one's device.
    crm.logs_in("1003").await;
    let others = json!({"activity": "SubscribeForEvents", "DN": "3003", "AgentID": "1002", "AgentPassword": "pw1002"});
    assert_eq!(desk.fails(others).await.0, "OPENCTI_NO_RIGHT");
    desk.succeeds(ready("1002")).await;
    desk.succeeds(logout("1002")).await;
}

#[tokio::test(start_paused = true)]
async fn ready_and_not_ready_and_after_call_work_are_told_with_the_contracts_names() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    crm.succeeds(ready("1001")).await;
    crm.receives(json!({"pyEventName": "Ready", "pyWorkMode": "MODE_AUTO_IN", "pyReasonCode": "", "acd": "5000"}))
        .await;
    crm.succeeds(not_ready("1001", "Lunch")).await;
    crm.receives(json!({"pyEventName": "NotReady", "pyWorkMode": "AUX_WORK", "pyReasonCode": "lunch"})).await;
    let work = json!({"activity": "SetAgentNotReady", "AgentID": "1001", "WorkMode": "AFTER_CALL_WORK"});
    crm.succeeds(work).await;
    let event = crm.receives(json!({"pyEventName": "NotReady", "pyWorkMode": "ACW"})).await;
    assert_eq!(event["queue"], "sales,support,billing");
    crm.succeeds(json!({"activity": "GetSnapshot", "AgentID": "1001"})).await;
    crm.receives(
        json!({"pyAgentState": "NotReady", "pyWorkMode": "ACW", "pyLinkState": "CONNECTED", "pyMedia": "voice"}),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn asking_for_the_state_that_an_agent_has_fails_and_changes_nothing() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    crm.succeeds(ready("1001")).await;
    crm.receives(json!({"pyEventName": "Ready"})).await;
    assert_eq!(crm.fails(ready("1001")).await.0, "OPENCTI_IN_SAME_STATE");
    crm.succeeds(not_ready("1001", "1")).await;
    crm.succeeds(not_ready("1001", "2")).await; // for another reason
    assert_eq!(crm.fails(not_ready("1001", "2")).await.0, "OPENCTI_IN_SAME_STATE");
}

#[tokio::test(start_paused = true)]
async fn a_login_that_fails_says_why_and_leaves_nothing() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    let with = |name: &str, value: &str| {
        let mut request = login("1001");
        request[name] = json!(value);
        request
    };
    for (request, code, names) in [
        (with("AgentPassword", "wrong"), "OPENCTI_HTTP_ERROR_401", "password"),
        (with("DN", "77"), "OPENCTI_HTTP_ERROR_404", "77"),
        (with("Queue", "garden"), "OPENCTI_HTTP_ERROR_404", "garden"),
        (with("Acd", "6000"), "OPENCTI_HTTP_ERROR_404", "6000"),
        (with("DN", "a\nb"), "OPENCTI_INVALID_REQUEST", "DN"),
    ] {
        let (was, why) = crm.fails(request).await;
        assert_eq!(was, code, "{why}");
        assert!(why.contains(names), "{why}");
    }
    crm.receives_nothing().await;
    assert_eq!(house.house.table.subscriptions.count(), 0);
    assert_eq!(house.acd.inner.adapters(), []);
}

#[tokio::test(start_paused = true)]
async fn a_login_without_a_device_works_where_the_agent_was_last_or_the_configuration_says() {
    let house = house_with_listener(|listener| listener.login_instrument = "3{agent}".to_owned()).await;
    let mut crm = Crm::open(&house).await;
    let blank =
        |agent: &str| json!({"activity": "LoginAgent", "AgentID": agent, "AgentPassword": format!("pw{agent}")});
    let (_, why) = crm.fails(blank("1001")).await;
    assert!(why.contains("31001"), "{why}");
    crm.logs_in("1001").await;
    crm.succeeds(logout("1001")).await;
    crm.succeeds(blank("1001")).await;
    assert_eq!(facts(&house, "1001").instrument.unwrap().as_str(), "3001");
}

#[tokio::test(start_paused = true)]
async fn logins_without_a_device_get_free_ones() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await; // at 3001
    let mut devices = std::collections::HashSet::new();
    for agent in 1002..=1100 {
        let agent = agent.to_string();
        let password = format!("pw{agent}");
        crm.succeeds(json!({"activity": "LoginAgent", "AgentID": agent, "AgentPassword": password, "DN": ""})).await;
        assert!(devices.insert(facts(&house, &agent).instrument.unwrap()));
    }
    assert_eq!(devices.len(), 99);
}

#[tokio::test(start_paused = true)]
async fn adapter_and_subscription_activities_may_be_asked_again() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    let of = |activity: &str| json!({"activity": activity, "AgentID": "1001"});
    crm.succeeds(json!({"activity": "OpenAdapter"})).await;
    crm.succeeds(of("OpenAdapter")).await;
    assert_eq!(crm.fails(json!({"activity": "OpenAdapter", "AgentID": "9999"})).await.0, "OPENCTI_HTTP_ERROR_404");
    crm.logs_in("1001").await;
    crm.succeeds(of("OpenAdapter")).await;
    let (code, why) = crm.fails(of("CloseAdapter")).await;
    assert_eq!(code, "OPENCTI_CF_INVALID_OBJECT_STATE", "it would be half a logout");
    assert!(why.contains("LogoutAgent"), "{why}");
    crm.succeeds(json!({"activity": "SubscribeForEvents", "DN": "3001"})).await;
    crm.receives(json!({"pyEventName": "Snapshot"})).await;
    crm.succeeds(ready("1001")).await;
    crm.receives(json!({"pyEventName": "Ready"})).await;
    crm.receives_nothing().await; // once, although it is subscribed twice
    crm.succeeds(json!({"activity": "UnSubscribeForEvents", "DN": "3001"})).await;
    crm.succeeds(json!({"activity": "UnSubscribeForEvents", "AgentID": "1001"})).await;
    crm.succeeds(not_ready("1001", "1")).await;
    crm.receives_nothing().await;
    crm.succeeds(logout("1001")).await;
    crm.receives(json!({"pyEventName": "Snapshot", "pyAgentState": "Logout"})).await;
    for activity in ["CloseAdapter", "CloseAdapter", "UnSubscribeForEvents"] {
        crm.succeeds(of(activity)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_offered_call_alerts_and_an_agent_on_a_call_is_busy() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    crm.succeeds(ready("1001")).await;
    crm.receives(json!({"pyEventName": "Ready"})).await;
    house.acd.inner.arrive(QueueId(1));
    crm.receives(json!({"pyEventType": "AgentStateEvent", "pyEventName": "Ready", "pyWorkMode": "BUSY"})).await;
    let call =
        json!({"pyEventType": "CallStateEvent", "pyEventName": "Alerting", "pyThisDN": "3001", "queue": "sales"});
    crm.receives(call).await;
    crm.receives(json!({"pyEventType": "PartyInfoEvent"})).await;
    crm.receives(json!({"pyEventType": "CallInfoEvent"})).await;
    crm.succeeds(json!({"activity": "GetSnapshot", "AgentID": "1001"})).await;
    let mut snapshot = crm.receives_event().await;
    while snapshot["pyEventType"] != "SnapshotEvent" {
        snapshot = crm.receives_event().await;
    }
    assert_eq!(snapshot["pyAgentState"], "Busy");
}

#[tokio::test(start_paused = true)]
async fn one_connection_carries_many_agents_and_many_requests_in_flight() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    let agents: Vec<String> = (1001..=1100).map(|agent| agent.to_string()).collect();
    let first = house.acd.hold("log_in");
    let mut open: std::collections::HashSet<u64> = agents.iter().map(|agent| crm.sends(login(agent))).collect();
    let held = first.await.unwrap();
    let mut answered = Vec::new();
    while answered.len() < 99 {
        let message = crm.receives_message().await;
        if let Some(id) = message["id"].as_u64() {
            assert_eq!(message["ok"], true, "{message}");
            assert!(open.remove(&id), "answered once");
            answered.push(id);
        }
    }
    let last = Vec::from_iter(open);
    held.does_it();
    loop {
        let message = crm.receives_message().await;
        if message.get("id").is_some() {
            assert_eq!(message, json!({"id": last[0], "ok": true}), "the first that was asked is the last to be done");
            break;
        }
    }
    assert!(agents.iter().all(|agent| facts(&house, agent).is_logged_in()));
}

#[tokio::test(start_paused = true)]
async fn more_requests_in_flight_than_allowed_and_more_devices_are_refused() {
    let house = house_with(|config| (config.limits.requests_in_flight_max, config.limits.monitors_max) = (2, 3)).await;
    let mut crm = Crm::open(&house).await;
    let holds = [house.acd.hold("log_in"), house.acd.hold("log_in")];
    crm.sends(login("1001"));
    crm.sends(login("1002"));
    let (code, _) = crm.fails(login("1003")).await;
    assert_eq!(code, "OPENCTI_TOO_MANY_REQUESTS");
    for hold in holds {
        hold.await.unwrap().does_it();
    }
    for _ in 0..8 {
        crm.receives_message().await; // two answers, and three events each
    }
    crm.logs_in("1003").await;
    assert_eq!(crm.fails(login("1004")).await.0, "OPENCTI_TOO_MANY_SUBSCRIPTIONS");
    let watch = json!({"activity": "SubscribeForEvents", "DN": "3009"});
    assert_eq!(crm.fails(watch).await.0, "OPENCTI_TOO_MANY_SUBSCRIPTIONS");
}

// --- beside GED-188 -------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_agent_logged_out_here_is_logged_out_for_its_ged188_desktop() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let mut crm = Crm::open(&house).await;
    crm.succeeds(json!({"activity": "SubscribeForEvents", "DN": "3001"})).await;
    crm.receives(json!({"pyEventName": "Snapshot", "pyAgentId": "1001", "pyAgentState": "NotReady"})).await;
    crm.succeeds(not_ready("1001", "lunch")).await;
    let told = desk.receives_event("1001", AgentState::AGENT_STATE_NOT_READY).await;
    assert_eq!(told.event_reason_code, 2);
    crm.receives(json!({"pyEventName": "NotReady"})).await;
    crm.succeeds(
        json!({"activity": "LogoutAgent", "AgentID": "1001", "AgentOptions": {"pyReasonCode": "end of shift"}}),
    )
    .await;
    let told = desk.receives_event("1001", LOGGED_OUT).await;
    assert_eq!(told.event_reason_code, 5);
    desk.receives_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_logged_out_by_ged188_is_logged_out_here() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    let mut bridge = Desk::bridge(&house).await;
    let asked = bridge.asks("1001", LOGGED_OUT);
    crm.receives(json!({"pyEventName": "Logout"})).await;
    bridge.receives_event("1001", LOGGED_OUT).await;
    bridge.receives_confirm(asked).await;
    assert_eq!(crm.fails(logout("1001")).await.0, "OPENCTI_AGENT_NOT_LOGGED_IN");
    crm.logs_in("1001").await;
}

#[tokio::test(start_paused = true)]
async fn of_two_logouts_at_once_one_is_done_and_the_other_is_told_so() {
    let house = house().await;
    let (mut one, mut two) = (Crm::open(&house).await, Crm::open(&house).await);
    one.logs_in("1001").await;
    let asked = house.acd.hold("log_out");
    let id = one.sends(logout("1001"));
    let held = asked.await.unwrap();
    assert_eq!(two.fails(logout("1001")).await.0, "OPENCTI_LOGOUT_UNDER_WAY");
    held.does_it();
    one.receives_event().await;
    one.receives_event().await;
    assert_eq!(one.receives_message().await, json!({"id": id, "ok": true}));
    assert_eq!(two.fails(logout("1001")).await.0, "OPENCTI_AGENT_NOT_LOGGED_IN");
}

// --- two clients of one agent ---------------------------------------------------------------------------------------

async fn house_where_a_second_client(does: SecondClient) -> TestHouse {
    house_with(|config| config.sessions.second_client = does).await
}

#[tokio::test(start_paused = true)]
async fn a_second_client_shares_the_agent() {
    let house = house_where_a_second_client(SecondClient::Share).await;
    let (mut one, mut two) = (Crm::open(&house).await, Crm::open(&house).await);
    one.logs_in("1001").await;
    two.succeeds(login("1001")).await;
    two.receives(json!({"pyEventName": "Snapshot", "pyAgentState": "NotReady"})).await;
    two.succeeds(ready("1001")).await;
    for crm in [&mut one, &mut two] {
        crm.receives(json!({"pyEventName": "Ready"})).await;
        crm.receives_nothing().await;
    }
    assert_eq!(two.fails(login("1001")).await.0, "OPENCTI_AGENT_LOGGED_IN");
    let elsewhere = json!({"activity": "LoginAgent", "AgentID": "1001", "AgentPassword": "pw1001", "DN": "3009"});
    let mut three = Crm::open(&house).await;
    assert_eq!(three.fails(elsewhere).await.0, "OPENCTI_AGENT_LOGGED_IN", "in from another device");
}

#[tokio::test(start_paused = true)]
async fn a_second_client_that_does_not_know_the_password_does_not_get_the_agent() {
    let house = house().await;
    let (mut one, mut two) = (Crm::open(&house).await, Crm::open(&house).await);
    one.logs_in("1001").await;
    let guess = json!({"activity": "LoginAgent", "AgentID": "1001", "AgentPassword": "guess", "DN": "3001"});
    assert_eq!(two.fails(guess).await.0, "OPENCTI_HTTP_ERROR_401");
    one.succeeds(ready("1001")).await;
    two.receives_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_client_takes_the_agent_over_and_the_first_is_told_why() {
    let house = house_where_a_second_client(SecondClient::TakeOver).await;
    let (mut one, mut two) = (Crm::open(&house).await, Crm::open(&house).await);
    one.logs_in("1001").await;
    one.logs_in("1002").await;
    two.succeeds(login("1001")).await;
    let told = one.receives(json!({"pyEventName": "Snapshot", "pyAgentId": "1001", "pyDeviceState": "CLOSED"})).await;
    assert!(told["message"].as_str().unwrap().contains("taken over"), "{told}");
    two.receives(json!({"pyEventName": "Snapshot", "pyAgentState": "NotReady", "pyDeviceState": "OPENED"})).await;
    two.succeeds(ready("1001")).await;
    two.receives(json!({"pyEventName": "Ready"})).await;
    one.receives_nothing().await;
    one.succeeds(ready("1002")).await; // the others stay
    // From another device as well.
    let mut three = Crm::open(&house).await;
    three.succeeds(json!({"activity": "LoginAgent", "AgentID": "1001", "AgentPassword": "pw1001", "DN": "3009"})).await;
    assert_eq!(facts(&house, "1001").instrument.unwrap().as_str(), "3009");
    two.receives(json!({"pyEventName": "Logout"})).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_client_takes_the_agent_over_from_a_ged188_desktop_which_is_told_why() {
    let house = house_where_a_second_client(SecondClient::TakeOver).await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let mut crm = Crm::open(&house).await;
    crm.succeeds(login("1001")).await;
    desk.wakes();
    assert!(matches!(desk.closed, Some(CloseReason::Replaced { .. })), "{:?}", desk.closed);
}

#[tokio::test(start_paused = true)]
async fn of_two_logins_at_once_the_second_is_rejected_as_well() {
    let house = house_where_a_second_client(SecondClient::Reject).await;
    let (mut one, mut two) = (Crm::open(&house).await, Crm::open(&house).await);
    let asked = house.acd.hold("log_in");
    one.sends(login("1001"));
    let held = asked.await.unwrap();
    two.sends(login("1001"));
    held.does_it();
    let answer = two.receives_message().await;
    assert_eq!(answer["code"], "OPENCTI_AGENT_LOGGED_IN", "{answer}");
    two.receives_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_desktop_that_opens_while_the_agent_is_being_logged_in_is_taken_over_from() {
    let house = house_where_a_second_client(SecondClient::TakeOver).await;
    let mut crm = Crm::open(&house).await;
    let asked = house.acd.hold("log_in");
    let id = crm.sends(login("1001"));
    let held = asked.await.unwrap();
    let mut desk = Desk::of_agent(&house, "1001").await;
    held.does_it();
    for name in ["Login", "NotReady", "Snapshot"] {
        crm.receives(json!({"pyEventName": name})).await;
    }
    assert_eq!(crm.receives_message().await, json!({"id": id, "ok": true}));
    desk.wakes();
    assert!(matches!(desk.closed, Some(CloseReason::Replaced { .. })), "{:?}", desk.closed);
}

#[tokio::test(start_paused = true)]
async fn a_desktop_that_opens_while_the_agent_is_being_logged_in_is_rejected_until_that_has_failed() {
    let house = house_where_a_second_client(SecondClient::Reject).await;
    let mut crm = Crm::open(&house).await;
    let asked = house.acd.hold("log_in");
    crm.sends(login("1001"));
    let held = asked.await.unwrap();
    let mut desk = Desk::connected(&house, 20);
    let open = || cti_protocol::ged188::OpenReq {
        agent_id: crate::support::desk::text("1001"),
        ..crate::support::desk::open_req("desk", crate::support::desk::services_of_agent())
    };
    let refused = desk.is_refused_to_open(open()).await;
    assert_eq!(refused, cti_protocol::ged188::codes::Status::E_CTI_DEVICE_IN_USE);
    held.refuses(AcdRefusal::BadCredentials);
    assert_eq!(crm.receives_message().await["Status"], "Fail");
    desk.opens(open()).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_client_is_rejected() {
    let house = house_where_a_second_client(SecondClient::Reject).await;
    let (mut one, mut two) = (Crm::open(&house).await, Crm::open(&house).await);
    one.logs_in("1001").await;
    let (code, why) = two.fails(login("1001")).await;
    assert_eq!(code, "OPENCTI_AGENT_LOGGED_IN");
    assert!(why.contains("session"), "{why}");
    let mut desk = Desk::connected(&house, 20);
    let open = crate::support::desk::open_req("desk", crate::support::desk::services_of_agent());
    let open = cti_protocol::ged188::OpenReq { agent_id: crate::support::desk::text("1001"), ..open };
    let refused = desk.is_refused_to_open(open).await;
    assert_eq!(refused, cti_protocol::ged188::codes::Status::E_CTI_DEVICE_IN_USE);
    one.succeeds(ready("1001")).await;
}

// --- the link to the ACD --------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_link_that_goes_and_comes_is_told_by_a_snapshot_of_each_agent() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    crm.succeeds(json!({"activity": "SubscribeForEvents", "DN": "3002"})).await;
    crm.receives(json!({"pyEventName": "Snapshot", "pyThisDN": "3002", "pyAgentId": ""})).await;
    house.acd.inner.go_away();
    for _ in 0..2 {
        crm.receives(json!({"pyEventName": "Snapshot", "pyLinkState": "DISCONNECTED"})).await;
    }
    let (code, why) = crm.fails(logout("1001")).await;
    assert_eq!(code, "OPENCTI_HTTP_ERROR_503");
    assert!(why.contains("5000"), "{why}");
    house.acd.inner.come_back();
    for _ in 0..2 {
        crm.receives(json!({"pyEventName": "Snapshot", "pyLinkState": "CONNECTED"})).await;
    }
    crm.succeeds(logout("1001")).await;
}

// --- hostile input --------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_costs_its_own_answer_and_nothing_else() {
    let house = house_with(|config| config.limits.message_bytes_max = 1_000).await;
    let mut crm = Crm::open(&house).await;
    let deep = format!("{{\"id\":1,\"x\":{}{}}}", "[".repeat(400), "]".repeat(400));
    let long = format!("{{\"id\":1,\"x\":\"{}\"}}", "x".repeat(5_000));
    let broken: &[&[u8]] = &[
        b"nonsense",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"{\"id\":1}",
        b"{\"id\":1,\"activity\":7}",
        b"{\"id\":1,\"activity\":\"Nothing\"}",
        b"{\"id\":1.5,\"activity\":\"Heartbeat\"}",
        b"{\"id\":{},\"activity\":\"Heartbeat\"}",
        b"{\"id\":1,\"activity\":\"LoginAgent\",\"AgentID\":1001,\"AgentPassword\":\"x\"}",
        b"\xff\xfe\x00",
        b"{\"id\":1,\"activity\":\"Heartbeat\"}{\"id\":2,\"activity\":\"Heartbeat\"}",
        deep.as_bytes(),
        long.as_bytes(),
    ];
    for bytes in broken {
        crm.sends_bytes(&[bytes, &b"\n{\"id\":9,\"activity\":\"Heartbeat\"}\n"[..]].concat());
        let refused = crm.receives_message().await;
        assert_eq!(refused["Status"], "Fail", "{refused} to {:?}", String::from_utf8_lossy(bytes));
        assert_eq!(crm.receives_message().await, json!({"id": 9, "ok": true}));
    }
    crm.sends_text("\n  \r\n{\"id\":9,\"activity\":\"Heartbeat\"}\r\n");
    assert_eq!(crm.receives_message().await, json!({"id": 9, "ok": true}), "empty lines are nothing");
    assert!(crm.closed.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_byte_by_byte_is_one_and_an_endless_one_holds_no_memory() {
    let house = house_with(|config| config.limits.message_bytes_max = 1_000).await;
    let mut crm = Crm::open(&house).await;
    let mut half = BytesMut::new();
    for byte in b"{\"id\":\"a\",\"activity\":\"Heartbeat\"}\n" {
        crm.sends_piece(&mut half, &[*byte]);
    }
    assert_eq!(crm.receives_message().await, json!({"id": "a", "ok": true}));
    for _ in 0..1_000 {
        crm.sends_piece(&mut half, &[b'x'; 1_000]);
        assert!(half.len() <= 2_000, "{} bytes wait for an end of line", half.len());
    }
    assert_eq!(crm.receives_message().await["Status"], "Fail");
    crm.sends_piece(&mut half, b"\n{\"id\":2,\"activity\":\"Heartbeat\"}\n");
    assert_eq!(crm.receives_message().await, json!({"id": 2, "ok": true}));
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_hello_is_ended_and_told_so() {
    let house = house().await;
    let mut crm = Crm::connected(&house);
    crm.sends_text("{\"id\":1,"); // half a message is none
    crm.lets_pass(Duration::from_secs(30)).await;
    assert!(matches!(crm.closed, Some(CloseReason::NotOpened { .. })));
    let last = crm.receives_message().await;
    assert_eq!(last["notice"], "Closed");
}

#[tokio::test(start_paused = true)]
async fn no_more_heartbeats_are_promised_than_come() {
    let listener = |listener: &mut ListenerConfig| listener.heartbeat = Duration::from_millis(1_500);
    let house = house_with_listener(listener).await;
    let (_, welcome) = Crm::open_as(&house, "crm").await;
    assert_eq!(welcome["heartbeatSeconds"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_hears_a_heartbeat_and_is_ended_if_it_promised_one_and_is_silent() {
    let house = house().await;
    let mut crm = Crm::connected(&house);
    let hello = json!({"activity": "Hello", "protocolVersion": 1, "identity": "crm", "idleTimeoutSeconds": 40});
    crm.succeeds(hello).await;
    crm.lets_pass(Duration::from_secs(15)).await;
    assert_eq!(crm.receives_message().await["notice"], "Heartbeat");
    crm.lets_pass(Duration::from_secs(15)).await;
    assert_eq!(crm.receives_message().await["notice"], "Heartbeat");
    crm.succeeds(json!({"activity": "Heartbeat"})).await;
    crm.lets_pass(Duration::from_secs(39)).await;
    assert!(crm.closed.is_none());
    crm.lets_pass(Duration::from_secs(1)).await;
    assert!(matches!(crm.closed, Some(CloseReason::Idle { .. })));
}
