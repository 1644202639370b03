//! Calls of agents at real phones: what clients are told of them, and what they do with them.

use std::time::Duration;

use serde_json::{Value, json};

use super::baresip::Baresip;
use super::node::{Node, Way};
use super::phone::{Display, Manners, Phone};
use super::proxy::Proxy;
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
        match tokio::time::timeout(PATIENCE, hears(node)).await {
            Ok(words) => heard.push(words),
            Err(_) => panic!("{wanted} expected: {heard:#?}"),
        }
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
    a_caller_comes_to(console, "callers", "sales").await;
}

async fn a_caller_comes_to(console: &mut Console, context: &str, number: &str) {
    let headers = [
        ("Channel", "Local/patient@callers/n"),
        ("Context", context),
        ("Exten", number),
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
    no_call_is_left(&served).await;
}

#[tokio::test]
async fn phones_that_call_each_other_are_told_of_and_hung_up_from_a_desktop() {
    let asterisk = Asterisk::start().await;
    let served = gateway(asterisk.port, PHONES, CALLS).await;
    let (mut one, mut phone) = ready_at(&served, asterisk.port + 22, "1001", "3001").await;
    let (mut two, mut other) = ready_at(&served, asterisk.port + 22, "1002", "3002").await;
    phone.dials("3002").await;
    other.rings().await;
    assert_eq!(hears(&mut one).await, "Initiated 3001 INTERNAL with 3002");
    assert_eq!(hears_until(&mut two, "CallInfo 3002 ").await[0], "Alerting 3002 INTERNAL with 3001");
    other.answers().await;
    hears_until(&mut one, "Established 3001 INTERNAL with 3002").await;
    assert_eq!(hears(&mut two).await, "Established 3002 INTERNAL with 3001");
    two.succeeds(call("hangUpCall", "1002")).await;
    hears_until(&mut one, "Disconnected 3001 INTERNAL with 3002").await;
    hears_until(&mut two, "Disconnected 3002 INTERNAL with 3001").await;
    no_call_is_left(&served).await;
}

#[tokio::test]
async fn a_call_made_from_a_desktop_rings_at_its_own_phone_first() {
    let asterisk = Asterisk::start().await;
    let served = gateway(asterisk.port, PHONES, CALLS).await;
    let (mut one, mut phone) = ready_at(&served, asterisk.port + 22, "1001", "3001").await;
    let (mut two, mut other) = ready_at(&served, asterisk.port + 22, "1002", "3002").await;
    one.succeeds(json!({
        "activity": "makeCall", "AgentID": "1001", "Destination": "3002",
        "pyCallVariables": ["C-8"], "pyNamedVariables": {"user.tier": "gold"},
    }))
    .await;
    phone.rings().await;
    assert_eq!(hears(&mut one).await, "Initiated 3001 INTERNAL with 3002");
    phone.answers().await;
    other.rings().await;
    hears_until(&mut one, r#"CallInfo 3001 C-8 {"user.tier":"gold"}"#).await;
    assert_eq!(hears(&mut two).await, "Alerting 3002 INTERNAL with 3001");
    other.answers().await;
    hears_until(&mut one, "Established 3001 INTERNAL with 3002").await;
    hears_until(&mut two, "Established 3002 INTERNAL with 3001").await;
    one.succeeds(json!({"activity": "sendDTMF", "AgentID": "1001", "Digits": "1#"})).await;
    for (request, code) in [
        (json!({"activity": "holdCall", "AgentID": "1001", "CallID": "x"}), "OPENCTI_HTTP_ERROR_404"),
        (json!({"activity": "conferenceCall", "AgentID": "1001", "Destination": "77"}), "OPENCTI_NOT_SUPPORTED"),
        (json!({"activity": "retrieveCall", "AgentID": "1001"}), "OPENCTI_CF_INVALID_OBJECT_STATE"),
        (
            json!({"activity": "makeCall", "AgentID": "1001", "Destination": "3002", "pyCallVariables": [null, "x"]}),
            "OPENCTI_INVALID_REQUEST",
        ),
        (
            json!({"activity": "makeCall", "AgentID": "1001", "Destination": "3002\r\nX: y"}),
            "OPENCTI_CF_INVALID_DESTINATION",
        ),
    ] {
        let answer = one.asks(request.clone()).await;
        assert_eq!(answer["code"], code, "{request}: {answer}");
    }
    one.succeeds(call("hangUpCall", "1001")).await;
    hears_until(&mut two, "Disconnected 3002 INTERNAL with 3001").await;
    hears_until(&mut one, "Disconnected 3001 INTERNAL with 3002").await;
    no_call_is_left(&served).await;
    drop(phone);
}

#[tokio::test]
async fn a_blind_transfer_takes_the_caller_and_its_data_to_another_phone() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, PHONES, CALLS).await;
    let (mut one, mut phone) = ready_at(&served, asterisk.port + 22, "1001", "3001").await;
    a_caller_comes(&mut console).await;
    phone.rings().await;
    phone.answers().await;
    hears_until(&mut one, "Established 3001 INBOUND with 4711").await;
    let (mut two, mut other) = ready_at(&served, asterisk.port + 22, "1002", "3002").await;
    one.succeeds(json!({"activity": "blindTransfer", "AgentID": "1001", "Destination": "3002"})).await;
    hears_until(&mut one, "Disconnected 3001 INBOUND with 4711").await;
    other.rings().await;
    assert_eq!(
        hears_until(&mut two, "CallInfo 3002 C-7").await,
        ["Alerting 3002 CONSULT with 4711", "PartyInfo 3002 4711,3002", "CallInfo 3002 C-7"]
    );
    other.answers().await;
    assert_eq!(hears(&mut two).await, "Established 3002 CONSULT with 4711");
    two.succeeds(call("hangUpCall", "1002")).await;
    hears_until(&mut two, "Disconnected 3002 CONSULT with 4711").await;
    no_call_is_left(&served).await;
}

#[tokio::test]
async fn who_is_asked_first_is_given_the_caller() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, PHONES, CALLS).await;
    let (mut one, mut phone) = ready_at(&served, asterisk.port + 22, "1001", "3001").await;
    a_caller_comes(&mut console).await;
    phone.rings().await;
    phone.answers().await;
    hears_until(&mut one, "Established 3001 INBOUND with 4711").await;
    let (mut two, mut other) = ready_at(&served, asterisk.port + 22, "1002", "3002").await;
    one.succeeds(json!({"activity": "transferInitiate", "AgentID": "1001", "Destination": "3002"})).await;
    // The phone has a second line for it, and puts the first on hold.
    phone.rings().await;
    hears_until(&mut one, "Initiated 3001 CONSULT with 3002").await;
    phone.answers().await;
    other.rings().await;
    hears_until(&mut two, "Alerting 3002 CONSULT with 3001").await;
    other.answers().await;
    let heard = hears_until(&mut one, "Established 3001 CONSULT with 3002").await;
    assert!(heard.contains(&"Held 3001 INBOUND with 4711".to_owned()), "{heard:?}");
    one.succeeds(call("transferComplete", "1001")).await;
    let heard = hears_until(&mut two, "CallInfo 3002 C-7").await;
    assert!(heard.contains(&"Disconnected 3002 CONSULT with 3001".to_owned()), "{heard:?}");
    assert!(heard.contains(&"PartyInfo 3002 4711,3002".to_owned()), "{heard:?}");
    let mut over = vec![hears(&mut one).await];
    while over.iter().filter(|words| words.starts_with("Disconnected")).count() < 2 {
        over.push(hears(&mut one).await);
    }
    two.succeeds(call("hangUpCall", "1002")).await;
    hears_until(&mut two, "Disconnected 3002 CONSULT with 4711").await;
    no_call_is_left(&served).await;
}

#[tokio::test]
async fn a_caller_who_gives_up_and_a_phone_that_nobody_answers_are_told() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, PHONES, CALLS).await;
    let (mut node, mut phone) = ready_at(&served, asterisk.port + 22, "1001", "3001").await;
    let caller = ("Channel", "Local/impatient@callers/n"); // for two seconds
    let rest = [("Context", "callers"), ("Exten", "sales"), ("Priority", "1"), ("CallerID", "4712"), ("Async", "true")];
    console.does("Originate", &[&[caller], &rest[..]].concat()).await;
    phone.rings().await;
    hears_until(&mut node, "Alerting 3001 INBOUND with 4712").await;
    hears_until(&mut node, "Abandoned 3001 INBOUND with 4712").await;
    no_call_is_left(&served).await;
    let rest =
        [("Context", "callers"), ("Exten", "billing"), ("Priority", "1"), ("CallerID", "4713"), ("Async", "true")];
    console.does("Originate", &[&[("Channel", "Local/patient@callers/n")], &rest[..]].concat()).await;
    hears_until(&mut node, "Alerting 3001 INBOUND with 4713").await;
    hears_until(&mut node, "Disconnected 3001 INBOUND with 4713").await; // three seconds long
}

#[tokio::test]
async fn a_gateway_that_comes_in_the_middle_of_a_call_finds_it_and_so_does_one_whose_link_was_cut() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, PHONES, CALLS).await;
    let (mut one, mut phone) = ready_at(&served, asterisk.port + 22, "1001", "3001").await;
    a_caller_comes(&mut console).await;
    phone.rings().await;
    phone.answers().await;
    hears_until(&mut one, "Established 3001 INBOUND with 4711").await;
    let late = gateway(asterisk.port, PHONES, CALLS).await;
    let mut watcher = Node::connected(Way::Tcp(late.opencti)).await;
    watcher.succeeds(json!({"activity": "SubscribeForEvents", "DN": "3001"})).await;
    let heard = hears_until(&mut watcher, "PartyInfo 3001 4711,3001").await;
    assert!(heard[0].starts_with("Established 3001 INBOUND"), "{heard:?}");
    let ids = |served: &Served| {
        let calls = served.gateway.house().table.calls(ctigate::model::PeripheralId(5000));
        calls.lock().all().iter().map(|call| call.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&served), ids(&late), "a call has its number from Asterisk");
    watcher.succeeds(json!({"activity": "hangUpCall", "DN": "3001"})).await;
    hears_until(&mut one, "Disconnected 3001 INBOUND with 4711").await;
    hears_until(&mut watcher, "Disconnected 3001 INBOUND with 4711").await;
    no_call_is_left(&served).await;
    no_call_is_left(&late).await;
}

#[tokio::test]
async fn a_phone_that_takes_notify_answers_holds_and_retrieves_from_a_desktop() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, PHONES, "phones_take_notify = true").await;
    let phone = Phone::registered(asterisk.port + 22, "3001", Manners::Rings).await;
    let mut node = Node::connected(Way::Tcp(served.opencti)).await;
    node.succeeds(login("1001", "3001")).await;
    node.succeeds(json!({"activity": "SetAgentReady", "AgentID": "1001"})).await;
    a_caller_comes(&mut console).await;
    hears_until(&mut node, "Alerting 3001 INBOUND with 4711").await;
    phone.shows(Display::Ringing).await;
    node.succeeds(call("answerCall", "1001")).await;
    hears_until(&mut node, "Established 3001 INBOUND with 4711").await;
    phone.shows(Display::Talking).await;
    let id = served.gateway.house().table.calls(ctigate::model::PeripheralId(5000)).lock().all()[0].id.0.to_string();
    node.succeeds(json!({"activity": "holdCall", "AgentID": "1001", "CallID": id})).await;
    hears_until(&mut node, "Held 3001 INBOUND with 4711").await;
    phone.shows(Display::Holding).await;
    node.succeeds(call("retrieveCall", "1001")).await;
    hears_until(&mut node, "Retrieved 3001 INBOUND with 4711").await;
    // Without a context to dial in nothing can be dialled, and that is said.
    let answer = node.asks(json!({"activity": "makeCall", "AgentID": "1001", "Destination": "3002"})).await;
    assert_eq!(answer["code"], "OPENCTI_NOT_SUPPORTED", "{answer}");
}

#[tokio::test]
async fn a_number_that_is_not_there_is_refused_and_the_caller_stays() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, PHONES, CALLS).await;
    let (mut one, mut phone) = ready_at(&served, asterisk.port + 22, "1001", "3001").await;
    let nowhere = |activity: &str| json!({"activity": activity, "AgentID": "1001", "Destination": "nowhere"});
    a_caller_comes(&mut console).await;
    phone.rings().await;
    phone.answers().await;
    hears_until(&mut one, "Established 3001 INBOUND with 4711").await;
    for activity in ["blindTransfer", "transferInitiate"] {
        let answer = one.asks(nowhere(activity)).await;
        assert_eq!(answer["code"], "OPENCTI_CF_INVALID_DESTINATION", "{answer}");
    }
    phone.holds().await;
    assert_eq!(hears(&mut one).await, "Held 3001 INBOUND with 4711", "nothing has happened in between");
    phone.hangs_up().await;
    hears_until(&mut one, "Disconnected 3001 INBOUND with 4711").await;
    let answer = one.asks(nowhere("makeCall")).await;
    assert_eq!(answer["code"], "OPENCTI_CF_INVALID_DESTINATION", "{answer}");
    no_call_is_left(&served).await;
}

#[tokio::test]
async fn call_data_is_what_was_given_whatever_characters_it_has() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, PHONES, CALLS).await;
    let (mut one, mut phone) = ready_at(&served, asterisk.port + 22, "1001", "3001").await;
    let odd = r#"{"s":"it's, \"}(x[y]?)z${E}é "#;
    let makes = |value: &str| json!({"activity": "makeCall", "AgentID": "1001", "Destination": "8000", "pyCallVariables": [value]});
    one.succeeds(makes(odd)).await;
    hears_until(&mut one, &format!("CallInfo 3001 {odd}")).await;
    phone.rings().await;
    phone.answers().await;
    let channel = console.channel("PJSIP/3001-").await;
    assert_eq!(console.carries(&channel, "CASE").await, odd);
    let other = format!("{odd}, more");
    console.does("Setvar", &[("Channel", &channel), ("Variable", "CASE"), ("Value", &other)]).await;
    hears_until(&mut one, &format!("CallInfo 3001 {other}")).await;
    one.succeeds(call("hangUpCall", "1001")).await;
    no_call_is_left(&served).await;
    let answer = one.asks(makes(" blank")).await;
    assert_eq!(answer["code"], "OPENCTI_INVALID_REQUEST", "{answer}");

    a_caller_comes(&mut console).await;
    phone.rings().await;
    phone.answers().await;
    hears_until(&mut one, "Established 3001 INBOUND with 4711").await;
    let (mut two, _other) = ready_at(&served, asterisk.port + 22, "1002", "3002").await;
    let transfer =
        json!({"activity": "blindTransfer", "AgentID": "1001", "Destination": "3002", "pyCallVariables": [odd]});
    one.succeeds(transfer).await;
    hears_until(&mut two, &format!("CallInfo 3002 {odd}")).await;
    let caller = console.channel("Local/patient@callers-").await;
    assert_eq!(console.carries(&caller, "CASE").await, odd);
}

#[tokio::test]
async fn a_call_that_is_given_up_stops_to_ring_and_one_that_cannot_be_made_fails_at_once() {
    let asterisk = Asterisk::start().await;
    let proxy = Proxy::to(asterisk.port).await;
    let more = format!("action_deadline = \"500ms\"\nping_every = \"200ms\"\n{CALLS}");
    let served = gateway(proxy.port, PHONES, &more).await;
    let phone = Phone::registered(asterisk.port + 22, "3001", Manners::Rings).await;
    let mut node = Node::connected(Way::Tcp(served.opencti)).await;
    node.succeeds(login("1001", "3001")).await;
    proxy.swallow_answer_to("Originate");
    let make = json!({"activity": "makeCall", "AgentID": "1001", "Destination": "8000"});
    let (answer, ()) = tokio::join!(node.asks(make), phone.shows(Display::Ringing));
    assert_eq!(answer["code"], "OPENCTI_HTTP_ERROR_504", "{answer}");
    phone.shows(Display::Idle).await;
    no_call_is_left(&served).await;
    let answer = node.asks(json!({"activity": "makeCall", "DN": "3003", "Destination": "8000"})).await;
    assert!(answer.to_string().contains("could not ring the device"), "nobody is registered there: {answer}");
}

#[tokio::test]
async fn a_transfer_that_a_phone_completes_itself_is_told_as_one() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, PHONES, CALLS).await;
    let sip_port = asterisk.port + 22;
    let first_line = Phone::registered(sip_port, "3001", Manners::AnswersAfter(Duration::ZERO)).await;
    let mut one = Node::connected(Way::Tcp(served.opencti)).await;
    one.succeeds(login("1001", "3001")).await;
    let (mut two, mut other) = ready_at(&served, sip_port, "1002", "3002").await;
    // Dialled, and of no queue: of such a call Asterisk tells less.
    a_caller_comes_to(&mut console, "phones", "3001").await;
    hears_until(&mut one, "Established 3001 INBOUND with 4711").await;
    let second_line = Phone::registered(sip_port, "3001", Manners::AnswersAfter(Duration::ZERO)).await;
    one.succeeds(json!({"activity": "transferInitiate", "AgentID": "1001", "Destination": "3002"})).await;
    other.rings().await;
    other.answers().await;
    hears_until(&mut one, "Established 3001 CONSULT with 3002").await;
    hears_until(&mut two, "Established 3002 CONSULT with 3001").await;
    first_line.joins(&second_line, "3002").await;
    let heard = hears_until(&mut two, "CallInfo 3002 C-7").await;
    assert!(heard.contains(&"Disconnected 3002 CONSULT with 3001".to_owned()), "{heard:?}");
    assert!(heard.contains(&"PartyInfo 3002 4711,3002".to_owned()), "{heard:?}");
    let mut over = Vec::new();
    while over.iter().filter(|words: &&String| words.starts_with("Disconnected")).count() < 2 {
        over.push(hears(&mut one).await);
    }
    two.succeeds(call("hangUpCall", "1002")).await;
    hears_until(&mut two, "Disconnected 3002 CONSULT with 4711").await;
    no_call_is_left(&served).await;
}

#[tokio::test]
async fn where_all_phones_ring_the_first_to_answer_has_the_call_and_nobody_gave_up() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let more = format!("{CALLS}\n[[acd.queue]]\nnumber = 4\nname = \"together\"");
    let served = gateway(asterisk.port, PHONES, &more).await;
    let (mut one, mut phone) = ready_at(&served, asterisk.port + 22, "1001", "3001").await;
    let (mut two, mut other) = ready_at(&served, asterisk.port + 22, "1002", "3002").await;
    a_caller_comes_to(&mut console, "callers", "together").await;
    phone.rings().await;
    other.rings().await;
    phone.answers().await;
    hears_until(&mut one, "Established 3001 INBOUND with 4711").await;
    hears_until(&mut two, "Disconnected 3002 INBOUND with 4711").await;
    phone.hangs_up().await;
    hears_until(&mut one, "Disconnected 3001 INBOUND with 4711").await;
    no_call_is_left(&served).await;
}

#[tokio::test]
async fn phones_and_a_caller_in_a_conference_are_on_one_call() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, PHONES, CALLS).await;
    let (mut one, mut phone) = ready_at(&served, asterisk.port + 22, "1001", "3001").await;
    let (mut two, mut other) = ready_at(&served, asterisk.port + 22, "1002", "3002").await;
    let kind = |served: &Served| {
        let calls = served.gateway.house().table.calls(ctigate::model::PeripheralId(5000));
        calls.lock().all().iter().map(|call| call.kind).collect::<Vec<_>>()
    };
    a_caller_comes_to(&mut console, "phones", "conference").await;
    phone.dials("conference").await;
    hears_until(&mut one, "PartyInfo 3001 3001,4711").await;
    other.dials("conference").await;
    hears_until(&mut one, "PartyInfo 3001 3001,4711,3002").await;
    hears_until(&mut two, "PartyInfo 3002 3001,4711,3002").await;
    assert_eq!(kind(&served), [ctigate::model::CallKind::Conference]);
    phone.hangs_up().await;
    hears_until(&mut two, "PartyInfo 3002 4711,3002").await;
    assert_ne!(kind(&served), [ctigate::model::CallKind::Conference]);
    two.succeeds(call("hangUpCall", "1002")).await;
    console.does("Hangup", &[("Channel", "/^Local/")]).await;
    no_call_is_left(&served).await;
}

#[tokio::test]
async fn a_made_call_that_no_phone_but_asterisk_answers_is_through_all_the_same() {
    let asterisk = Asterisk::start().await;
    let served = gateway(asterisk.port, PHONES, CALLS).await;
    let (mut one, mut phone) = ready_at(&served, asterisk.port + 22, "1001", "3001").await;
    one.succeeds(json!({"activity": "makeCall", "AgentID": "1001", "Destination": "voicemail"})).await;
    phone.rings().await;
    phone.answers().await;
    hears_until(&mut one, "Established 3001 INTERNAL with voicemail").await;
    one.succeeds(call("hangUpCall", "1001")).await;
    hears_until(&mut one, "Disconnected 3001 INTERNAL with voicemail").await;
    no_call_is_left(&served).await;
}

#[tokio::test]
async fn a_member_whose_local_channel_leads_to_a_phone_is_one_party() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, "Local/{instrument}@hot-agents/n", CALLS).await;
    let (mut node, mut phone) = ready_at(&served, asterisk.port + 22, "1001", "3001").await;
    a_caller_comes(&mut console).await;
    phone.rings().await;
    hears_until(&mut node, "PartyInfo 3001 4711,3001").await;
    phone.answers().await;
    phone.holds().await;
    hears_until(&mut node, "Held 3001 INBOUND with 4711").await;
    phone.hangs_up().await;
    let heard = hears_until(&mut node, "Disconnected 3001 INBOUND with 4711").await;
    assert!(heard.iter().all(|words| words.matches(',').count() < 2), "{heard:?}");
    no_call_is_left(&served).await;
}
