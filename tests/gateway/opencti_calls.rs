//! Calls at a CRM desktop: what the contract's events say of them, and what its activities do with them.

use std::time::Duration;

use ctigate::config::ClientConfig;
use ctigate::model::{QueueId, Role, Service};
use serde_json::{Value, json};

use crate::support::crm::{Crm, login, logout};
use crate::support::house::{PERIPHERAL, TestHouse, client, house_of, house_with};
use crate::support::phone::{at, patient_world, ready_desk};

async fn patient_house() -> TestHouse {
    house_of(patient_world(), |_| ()).await
}

/// A node with this agent, logged in and ready.
async fn ready_crm(house: &TestHouse, agent: &str) -> Crm {
    let mut crm = Crm::open(house).await;
    crm.logs_in(agent).await;
    crm.succeeds(json!({"activity": "SetAgentReady", "AgentID": agent})).await;
    crm.receives(json!({"pyEventName": "Ready"})).await;
    crm
}

/// All that has come, but for answers, in words.
async fn hears(crm: &mut Crm) -> Vec<String> {
    events(crm).await.iter().map(words).collect()
}

async fn events(crm: &mut Crm) -> Vec<Value> {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    crm.wakes();
    let mut heard: Vec<Value> = crm.events.drain(..).collect();
    while let Some(message) = crm.has_received() {
        heard.extend(message.get("seq").is_some().then_some(message));
    }
    heard
}

fn words(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let (call, dn, name) = (text("pyCallId"), text("pyThisDN"), text("pyEventName"));
    match text("pyEventType").as_str() {
        "CallStateEvent" => format!("{name} {call}@{dn} {} with {}", text("pyCallType"), text("pyOtherDN")),
        "PartyInfoEvent" => {
            let parties = event["pyParties"].as_array().unwrap().iter().map(|party| party["pyDN"].as_str().unwrap());
            format!("{name} {call}@{dn} {}", parties.collect::<Vec<_>>().join(","))
        }
        "CallInfoEvent" => {
            let set = event["pyCallVariables"].as_array().unwrap().iter().filter_map(Value::as_str);
            let set = set.map(str::to_owned);
            let named = event["pyNamedVariables"].as_object().unwrap().iter();
            let named = named.map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
            format!("{name} {call}@{dn} {}", set.chain(named).collect::<Vec<_>>().join(",")).trim_end().to_owned()
        }
        "AgentStateEvent" => format!("agent {name} {}", text("pyWorkMode")),
        _ => format!("{name} {}", text("pyAgentState")),
    }
}

/// What the device's calls say, without the agent's states.
async fn hears_of_calls(crm: &mut Crm) -> Vec<String> {
    let heard = hears(crm).await;
    heard.into_iter().filter(|words| !words.starts_with("agent ")).collect()
}

fn call(activity: &str, agent: &str) -> Value {
    json!({"activity": activity, "AgentID": agent})
}

#[tokio::test(start_paused = true)]
async fn an_inbound_call_alerts_is_established_held_retrieved_and_disconnected() {
    let house = patient_house().await;
    let mut crm = ready_crm(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    let caller = house.acd.inner.calls()[0].ani.clone().unwrap();
    let with = format!("INBOUND with {caller}");
    let alerting = hears(&mut crm).await;
    assert_eq!(
        alerting,
        [
            "agent Ready BUSY".to_owned(),
            format!("Alerting 1@3001 {with}"),
            format!("PartyInfo 1@3001 {caller},3001"),
            "CallInfo 1@3001".to_owned(),
        ]
    );
    crm.succeeds(json!({"activity": "answerCall", "DN": "3001"})).await;
    assert_eq!(hears(&mut crm).await, [format!("Established 1@3001 {with}"), "agent Ready BUSY".to_owned()]);
    crm.succeeds(json!({"activity": "holdCall", "CallId": "1", "DN": "3001"})).await;
    assert_eq!(hears_of_calls(&mut crm).await, [format!("Held 1@3001 {with}")]);
    crm.succeeds(json!({"activity": "retrieveCall", "DN": "3001"})).await;
    assert_eq!(hears_of_calls(&mut crm).await, [format!("Retrieved 1@3001 {with}")]);
    crm.succeeds(json!({"activity": "hangUpCall", "DN": "3001"})).await;
    assert_eq!(hears(&mut crm).await, [format!("Disconnected 1@3001 {with}"), "agent Ready MODE_AUTO_IN".to_owned()]);
    assert!(house.house.table.calls(PERIPHERAL).lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_is_told_as_abandoned() {
    let mut world = patient_world();
    world.calls.patience = Duration::from_secs(10);
    let house = house_of(world, |_| ()).await;
    let mut crm = ready_crm(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    hears(&mut crm).await;
    tokio::time::sleep(Duration::from_secs(11)).await;
    let heard = hears_of_calls(&mut crm).await;
    assert_eq!(heard.last().unwrap().split(' ').next(), Some("Abandoned"), "{heard:?}");
    assert_eq!(heard.iter().filter(|words| words.starts_with("Abandoned")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_made_with_data_and_both_ends_are_told() {
    let house = patient_house().await;
    let mut crm = Crm::open(&house).await;
    for agent in ["1001", "1002"] {
        crm.logs_in(agent).await;
    }
    crm.succeeds(json!({
        "activity": "makeCall", "AgentID": "1001", "Destination": "3002",
        "pyCallVariables": ["gold", null, "42"], "pyNamedVariables": {"user.case": "C-7", "user.list[2]": "x"},
        "pyApplicationData": "hello",
    }))
    .await;
    let events = events(&mut crm).await;
    let info = events.iter().find(|event| event["pyEventType"] == "CallInfoEvent" && event["pyThisDN"] == "3002");
    let info = info.expect("call data at the other end");
    assert_eq!(info["pyCallVariables"].as_array().unwrap()[..3], [json!("gold"), json!(null), json!("42")]);
    assert_eq!((&info["pyApplicationData"], &info["pyDNIS"]), (&json!("hello"), &json!("3002")));
    let data = "gold,42,user.case=C-7,user.list[2]=x";
    let at = |device: &str, heard: &[String]| -> Vec<String> {
        heard.iter().filter(|words| words.contains(&format!("@{device}"))).cloned().collect()
    };
    let heard: Vec<String> = events.iter().map(words).collect();
    assert_eq!(
        at("3001", &heard),
        [
            "Initiated 1@3001 INTERNAL with 3002".to_owned(),
            "PartyInfo 1@3001 3001".to_owned(),
            format!("CallInfo 1@3001 {data}"),
            "PartyInfo 1@3001 3001,3002".to_owned(),
        ]
    );
    assert_eq!(
        at("3002", &heard),
        [
            "Alerting 1@3002 INTERNAL with 3001".to_owned(),
            "PartyInfo 1@3002 3001,3002".to_owned(),
            format!("CallInfo 1@3002 {data}"),
        ]
    );
    crm.succeeds(call("answerCall", "1002")).await;
    let heard = hears(&mut crm).await;
    assert_eq!(at("3001", &heard), ["Established 1@3001 INTERNAL with 3002"]);
    assert_eq!(at("3002", &heard), ["Established 1@3002 INTERNAL with 3001"]);
    // What the other end does with its phone is not this end's state.
    crm.succeeds(json!({"activity": "holdCall", "CallID": "1", "AgentID": "1002"})).await;
    let heard = hears_of_calls(&mut crm).await;
    assert_eq!(heard, ["Held 1@3002 INTERNAL with 3001"]);
    crm.succeeds(call("retrieveCall", "1002")).await;
    crm.succeeds(json!({"activity": "sendDTMF", "AgentID": "1001", "Digits": "12#"})).await;
    crm.succeeds(call("hangUpCall", "1001")).await;
    let heard = hears_of_calls(&mut crm).await;
    assert_eq!(heard.iter().filter(|words| words.starts_with("Disconnected")).count(), 2, "{heard:?}");
}

/// 1001 talks with a caller (call 1) and with 1002, who was asked (call 2).
async fn consulting(activity: &str) -> (TestHouse, Crm, Crm, String) {
    let house = patient_house().await;
    let mut asking = ready_crm(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    let caller = house.acd.inner.calls()[0].ani.clone().unwrap();
    hears(&mut asking).await;
    asking.succeeds(call("answerCall", "1001")).await;
    let mut asked = ready_crm(&house, "1002").await;
    hears(&mut asking).await;
    asking.succeeds(json!({"activity": activity, "AgentID": "1001", "Destination": "3002"})).await;
    assert_eq!(
        hears_of_calls(&mut asking).await,
        [
            format!("Held 1@3001 INBOUND with {caller}"),
            "Initiated 2@3001 CONSULT with 3002".to_owned(),
            "PartyInfo 2@3001 3001".to_owned(),
            "CallInfo 2@3001".to_owned(),
            "PartyInfo 2@3001 3001,3002".to_owned(),
        ]
    );
    hears(&mut asked).await;
    asked.succeeds(call("answerCall", "1002")).await;
    hears(&mut asked).await;
    assert_eq!(hears_of_calls(&mut asking).await, ["Established 2@3001 CONSULT with 3002"]);
    (house, asking, asked, caller)
}

#[tokio::test(start_paused = true)]
async fn a_transfer_leaves_the_caller_with_who_was_asked() {
    let (house, mut asking, mut asked, caller) = consulting("transferInitiate").await;
    asking.succeeds(call("transferComplete", "1001")).await;
    let heard = hears_of_calls(&mut asking).await;
    assert_eq!(
        heard,
        ["Disconnected 2@3001 CONSULT with 3002".to_owned(), format!("Disconnected 1@3001 INBOUND with {caller}")]
    );
    assert_eq!(
        hears_of_calls(&mut asked).await,
        [
            "Disconnected 2@3002 CONSULT with 3001".to_owned(),
            format!("Established 1@3002 CONSULT with {caller}"),
            format!("PartyInfo 1@3002 {caller},3002"),
            "CallInfo 1@3002".to_owned(),
        ]
    );
    asked.succeeds(call("hangUpCall", "1002")).await;
    hears(&mut asked).await;
    assert!(house.house.table.calls(PERIPHERAL).lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_conference_tells_everybody_who_is_on_it_and_a_party_can_be_dropped() {
    let (house, mut asking, mut asked, caller) = consulting("conferenceInitiate").await;
    asking.succeeds(call("conferenceComplete", "1001")).await;
    assert_eq!(
        hears_of_calls(&mut asking).await,
        [
            "Disconnected 2@3001 CONSULT with 3002".to_owned(),
            format!("Retrieved 1@3001 INBOUND with {caller}"),
            format!("PartyInfo 1@3001 {caller},3001,3002"),
        ]
    );
    let heard = hears_of_calls(&mut asked).await;
    assert_eq!(heard[0], "Disconnected 2@3002 CONSULT with 3001");
    assert!(heard.contains(&format!("PartyInfo 1@3002 {caller},3001,3002")), "{heard:?}");
    let (code, _) = asking.fails(json!({"activity": "dropParty", "AgentID": "1001", "Party": "3077"})).await;
    assert_eq!(code, "OPENCTI_CF_INVALID_OBJECT_STATE");
    asking.succeeds(json!({"activity": "dropParty", "CallID": "1", "DN": "3001", "Party": "3002"})).await;
    assert_eq!(hears_of_calls(&mut asking).await, [format!("PartyInfo 1@3001 {caller},3001")]);
    let heard = hears_of_calls(&mut asked).await;
    assert!(heard[0].starts_with("Disconnected 1@3002"), "{heard:?}");
    asking.succeeds(call("hangUpCall", "1001")).await;
    hears(&mut asking).await;
    assert!(house.house.table.calls(PERIPHERAL).lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_blind_transfer_and_a_conference_call_need_nobody_to_be_asked() {
    let house = patient_house().await;
    let mut crm = ready_crm(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    let caller = house.acd.inner.calls()[0].ani.clone().unwrap();
    hears(&mut crm).await;
    crm.succeeds(call("answerCall", "1001")).await;
    hears(&mut crm).await;
    let mut second = ready_crm(&house, "1002").await;
    crm.succeeds(json!({"activity": "conferenceCall", "AgentID": "1001", "Destination": "3002"})).await;
    let heard = hears_of_calls(&mut second).await;
    assert!(heard.contains(&format!("PartyInfo 1@3002 {caller},3001,3002")), "{heard:?}");
    second.succeeds(call("hangUpCall", "1002")).await;
    hears(&mut second).await;
    let mut third = ready_crm(&house, "1003").await;
    hears(&mut crm).await;
    crm.succeeds(json!({"activity": "blindTransfer", "AgentID": "1001", "Destination": "3003"})).await;
    let heard = hears_of_calls(&mut crm).await;
    assert_eq!(heard.last().map(|words| words.split(' ').next().unwrap()), Some("Disconnected"), "{heard:?}");
    let heard = hears_of_calls(&mut third).await;
    assert!(heard[0].starts_with("Alerting 1@3003"), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_with_a_call_is_refused_with_the_contracts_code() {
    let house = patient_house().await;
    let mut crm = ready_crm(&house, "1001").await;
    for (request, code, word) in [
        (json!({"activity": "answerCall", "DN": "3001"}), "OPENCTI_CF_INVALID_OBJECT_STATE", "ringing"),
        (json!({"activity": "hangUpCall", "DN": "3001"}), "OPENCTI_CF_INVALID_OBJECT_STATE", "talked on"),
        (json!({"activity": "holdCall", "DN": "3001"}), "OPENCTI_INVALID_REQUEST", "CallID"),
        (json!({"activity": "holdCall", "DN": "3001", "CallID": "77"}), "OPENCTI_HTTP_ERROR_404", "77"),
        (json!({"activity": "holdCall", "DN": "3001", "CallID": "x"}), "OPENCTI_HTTP_ERROR_404", "\"x\""),
        (json!({"activity": "transferComplete", "DN": "3001"}), "OPENCTI_CF_INVALID_OBJECT_STATE", "CallID"),
        (
            json!({"activity": "makeCall", "DN": "3001", "Destination": "x"}),
            "OPENCTI_CF_INVALID_DESTINATION",
            "not a number",
        ),
        (
            json!({"activity": "makeCall", "DN": "3001", "Destination": "9", "pyNamedVariables": {"": "x"}}),
            "OPENCTI_INVALID_REQUEST",
            "pyNamedVariables",
        ),
    ] {
        let (found, why) = crm.fails(request.clone()).await;
        assert!(found == code && why.contains(word), "{request}: {found} {why}");
    }
    crm.succeeds(json!({"activity": "makeCall", "Destination": "3002"})).await; // the session's one agent
    let (code, why) = crm.fails(json!({"activity": "sendDTMF", "DN": "3001", "CallID": "1", "Digits": "1x"})).await;
    assert!(code == "OPENCTI_INVALID_REQUEST" && why.contains("Digits"), "{code} {why}");
    for none in ["1,2", &"1".repeat(33)] {
        let (code, _) = crm.fails(json!({"activity": "sendDTMF", "DN": "3001", "CallID": "1", "Digits": none})).await;
        assert_eq!(code, "OPENCTI_INVALID_REQUEST", "{none:?}");
    }
    let (code, _) = crm.fails(json!({"activity": "holdCall", "DN": "3001", "CallID": "1"})).await;
    assert_eq!(code, "OPENCTI_CF_INVALID_OBJECT_STATE", "it rings at the other end");
    crm.logs_in("1003").await;
    let (code, why) = crm.fails(json!({"activity": "hangUpCall"})).await;
    assert!(code == "OPENCTI_INVALID_REQUEST" && why.contains("DN"), "whose? {code} {why}");
}

#[tokio::test(start_paused = true)]
async fn a_session_handles_the_calls_of_its_own_agents_only() {
    let house = house_with(|config| {
        let of = |id: &str, services| ClientConfig { services: Some(services), ..client(id, Role::Bridge) };
        config.clients = vec![
            of("crm", vec![Service::ClientEvents, Service::ClientControl]),
            of("watcher", vec![Service::AllEvents]),
        ];
    })
    .await;
    let mut own = Crm::open(&house).await;
    own.logs_in("1001").await;
    own.succeeds(json!({"activity": "makeCall", "Destination": "3002"})).await;
    let mut stranger = Crm::open(&house).await;
    stranger.logs_in("1002").await;
    for request in [
        json!({"activity": "hangUpCall", "DN": "3001", "CallID": "1"}),
        json!({"activity": "makeCall", "DN": "3005", "Destination": "3001"}),
    ] {
        assert_eq!(stranger.fails(request).await.0, "OPENCTI_NO_RIGHT");
    }
    let (mut watcher, _) = Crm::open_as(&house, "watcher").await;
    let (code, why) = watcher.fails(json!({"activity": "hangUpCall", "DN": "3001", "CallID": "1"})).await;
    assert!(code == "OPENCTI_NO_RIGHT" && why.contains("client_control"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn who_subscribes_in_the_middle_of_a_call_is_told_of_it_behind_the_snapshot() {
    let house = patient_house().await;
    let mut desk = ready_desk(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    let caller = house.acd.inner.calls()[0].ani.clone().unwrap();
    desk.answers(1, &at("1001"));
    desk.hears().await;
    let mut crm = Crm::open(&house).await;
    crm.succeeds(json!({"activity": "SubscribeForEvents", "DN": "3001"})).await;
    let expected = [
        "Snapshot Busy".to_owned(),
        format!("Established 1@3001 INBOUND with {caller}"),
        format!("PartyInfo 1@3001 {caller},3001"),
        "CallInfo 1@3001".to_owned(),
    ];
    assert_eq!(hears(&mut crm).await, expected);
    crm.succeeds(json!({"activity": "GetSnapshot", "AgentID": "1001"})).await;
    assert_eq!(hears(&mut crm).await, expected, "asked once more, told once more");
    desk.sets_data(1, "3001", |request| request.call_variable1 = crate::support::desk::text("gold"));
    desk.hears().await;
    assert_eq!(hears(&mut crm).await, ["CallInfo 1@3001 gold"]);
    // The ACD is out of reach, and comes back: the call with it.
    house.acd.inner.go_away();
    let heard = hears(&mut crm).await;
    assert_eq!(heard[0], format!("Disconnected 1@3001 INBOUND with {caller}"));
    house.acd.inner.come_back();
    let heard = hears(&mut crm).await;
    assert!(heard.contains(&expected[1]) && heard.contains(&"CallInfo 1@3001 gold".to_owned()), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_taken_up_again_hears_what_became_of_the_call_and_after_a_gap_how_it_stands() {
    let house = house_of(patient_world(), |config| config.sessions.resume_events_max = 5).await;
    let (mut crm, welcome) = Crm::open_as(&house, "crm").await;
    crm.logs_in("1001").await;
    crm.succeeds(json!({"activity": "SetAgentReady", "AgentID": "1001"})).await;
    hears(&mut crm).await;
    let session = welcome["session"].as_str().unwrap().to_owned();
    let seen = crm.seq;
    crm.drops();
    house.acd.inner.arrive(QueueId(1)); // four events
    let (mut crm, welcome) = Crm::resume(&house, &session, seen).await;
    assert_eq!(welcome["resumed"], true);
    let heard = hears(&mut crm).await;
    assert_eq!(heard.iter().filter(|words| words.starts_with("Alerting 1@3001")).count(), 1, "{heard:?}");
    crm.drops();
    let (mut crm, welcome) = Crm::resume(&house, &session, 1).await;
    assert_eq!(welcome["resumed"], false);
    let heard = hears(&mut crm).await;
    assert!(heard[0].starts_with("Snapshot") && heard[1].starts_with("Alerting 1@3001"), "{heard:?}");
    crm.succeeds(call("answerCall", "1001")).await;
}

#[tokio::test(start_paused = true)]
async fn a_logout_leaves_nothing_known_of_the_agents_calls() {
    let house = patient_house().await;
    let mut crm = ready_crm(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    hears(&mut crm).await;
    crm.succeeds(call("answerCall", "1001")).await;
    hears(&mut crm).await;
    crm.succeeds(call("hangUpCall", "1001")).await;
    crm.succeeds(logout("1001")).await;
    hears(&mut crm).await;
    let mut other = Crm::open(&house).await;
    other.succeeds(login("1002")).await;
    other.succeeds(json!({"activity": "makeCall", "AgentID": "1002", "Destination": "3001"})).await;
    crm.receives_nothing().await;
    other.succeeds(call("hangUpCall", "1002")).await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_who_was_not_ready_stays_so_by_name_while_it_is_on_a_call() {
    let house = patient_house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    hears(&mut crm).await;
    let of_agent =
        |heard: Vec<String>| heard.into_iter().filter(|words| words.starts_with("agent")).collect::<Vec<_>>();
    crm.succeeds(json!({"activity": "makeCall", "Destination": "3002"})).await;
    assert_eq!(of_agent(hears(&mut crm).await), ["agent NotReady BUSY"]);
    crm.succeeds(call("hangUpCall", "1001")).await;
    assert_eq!(of_agent(hears(&mut crm).await), ["agent NotReady AUX_WORK"]);
    // Who asks for another state while on the call has its name at once.
    crm.succeeds(json!({"activity": "makeCall", "Destination": "3002"})).await;
    assert_eq!(of_agent(hears(&mut crm).await), ["agent NotReady BUSY"]);
    crm.succeeds(json!({"activity": "SetAgentReady", "AgentID": "1001"})).await;
    assert_eq!(of_agent(hears(&mut crm).await), ["agent Ready BUSY"]);
}
