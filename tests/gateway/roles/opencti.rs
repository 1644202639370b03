//! Every activity of OpenCTI by every role.

use cti_protocol::opencti::Activity;
use serde_json::{Value, json};

use super::{CLIENTS, HELPER, MATE, Mark, OWN, SECRET, STRANGER, Scene, Stage, TARGETS, judge};
use crate::support::crm::Crm;
use crate::support::desk::instrument_of;

/// Somebody outside, who can be called.
const OUTSIDE: &str = "0041443456789";

struct Row {
    of: &'static str,
    scene: Scene,
    is_change: bool,
    /// The request but for its activity; the target is an agent's id.
    sample: fn(&str) -> Value,
    /// For each client: about its own agent, a team-mate, a stranger.
    expected: [&'static str; 5],
}

const TELLS: bool = false;
const CHANGES: bool = true;

const fn row(
    of: &'static str,
    scene: Scene,
    is_change: bool,
    expected: [&'static str; 5],
    sample: fn(&str) -> Value,
) -> Row {
    Row { of, scene, is_change, sample, expected }
}

fn agent(target: &str) -> Value {
    json!({"AgentID": target})
}

/// The device's call that the activity can be about.
fn of_call(target: &str) -> Value {
    json!({"DN": instrument_of(target)})
}

/// The same, by its number.
fn of_call_1(target: &str) -> Value {
    json!({"DN": instrument_of(target), "CallID": "1"})
}

fn dial(target: &str) -> Value {
    json!({"DN": instrument_of(target), "Destination": OUTSIDE})
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    //                                                   agent  super  bridge admin  narrow
    row("Hello", Scene::In, TELLS,                      ["...", "...", "...", "...", "..."], |_| json!({"protocolVersion": 1, "identity": "admin", "secret": SECRET})),
    row("Heartbeat", Scene::In, TELLS,                  ["+++", "+++", "+++", "+++", "+++"], |_| json!({})),
    row("OpenAdapter", Scene::Out, TELLS,               ["+--", "+--", "+++", "+++", "+--"], agent),
    row("CloseAdapter", Scene::Out, TELLS,              ["+--", "+--", "+++", "+++", "+--"], agent),
    // Closing the adapter of an agent who is in would be half a logout. Of one that the client has not nothing is said.
    row("CloseAdapter", Scene::In, TELLS,               [".--", ".--", "...", "...", "+--"], agent),
    row("SubscribeForEvents", Scene::In, TELLS,         ["+--", "+--", "+++", "+++", "+--"], |target| json!({"DN": instrument_of(target), "AgentID": target, "AgentPassword": format!("pw{target}")})),
    row("SubscribeForEvents", Scene::In, TELLS,         ["---", "---", "+++", "+++", "---"], |target| json!({"DN": instrument_of(target)})),
    row("SubscribeForEvents", Scene::In, TELLS,         ["+--", "+--", "+++", "+++", "+--"], |target| json!({"DN": instrument_of(target), "AgentID": OWN, "AgentPassword": format!("pw{OWN}")})),
    // Of what one is told, less may be wanted at any time.
    row("UnSubscribeForEvents", Scene::In, TELLS,       ["+++", "+++", "+++", "+++", "+++"], |target| json!({"DN": instrument_of(target)})),
    row("UnSubscribeForEvents", Scene::In, TELLS,       ["+++", "+++", "+++", "+++", "+++"], agent),
    row("LoginAgent", Scene::Out, CHANGES,              ["+--", "+--", "+++", "+++", "---"], |target| json!({"AgentID": target, "AgentPassword": format!("pw{target}"), "DN": instrument_of(target)})),
    row("LogoutAgent", Scene::In, CHANGES,              ["+--", "+--", "+++", "+++", "---"], agent),
    row("SetAgentReady", Scene::In, CHANGES,            ["+--", "+--", "+++", "+++", "---"], agent),
    row("SetAgentNotReady", Scene::Ringing, TELLS,      ["+--", "+--", "+++", "+++", "---"], |target| json!({"AgentID": target, "AgentOptions": {"pyReasonCode": "3"}})),
    row("GetSnapshot", Scene::In, TELLS,                ["+--", "+--", "+++", "+++", "---"], agent),
    row("makeCall", Scene::In, CHANGES,                 ["+--", "+--", "+++", "+++", "---"], dial),
    row("makeCall", Scene::In, CHANGES,                 ["+--", "+--", "+++", "+++", "---"], |target| json!({"AgentID": target, "Destination": OUTSIDE})),
    row("answerCall", Scene::Ringing, CHANGES,          ["+--", "+--", "+++", "+++", "---"], of_call),
    row("answerCall", Scene::Ringing, CHANGES,          ["+--", "+--", "+++", "+++", "---"], agent),
    // Not even that there is no such call.
    row("answerCall", Scene::Talking, TELLS,            [".--", ".--", "...", "...", "---"], of_call),
    row("holdCall", Scene::Talking, CHANGES,            ["+--", "+--", "+++", "+++", "---"], of_call_1),
    row("hangUpCall", Scene::Talking, CHANGES,          ["+--", "+--", "+++", "+++", "---"], of_call),
    row("hangUpCall", Scene::Talking, CHANGES,          ["+--", "+--", "+++", "+++", "---"], of_call_1),
    row("sendDTMF", Scene::Talking, TELLS,              ["+--", "+--", "+++", "+++", "---"], |target| json!({"DN": instrument_of(target), "Digits": "123"})),
    row("blindTransfer", Scene::Talking, CHANGES,       ["+--", "+--", "+++", "+++", "---"], |target| json!({"DN": instrument_of(target), "Destination": instrument_of(HELPER)})),
    row("conferenceCall", Scene::Talking, CHANGES,      ["+--", "+--", "+++", "+++", "---"], |target| json!({"DN": instrument_of(target), "Destination": instrument_of(HELPER)})),
    row("consultationCall", Scene::Talking, CHANGES,    ["+--", "+--", "+++", "+++", "---"], dial),
    row("transferInitiate", Scene::Talking, CHANGES,    ["+--", "+--", "+++", "+++", "---"], dial),
    row("conferenceInitiate", Scene::Talking, CHANGES,  ["+--", "+--", "+++", "+++", "---"], dial),
    row("retrieveCall", Scene::OnHold, CHANGES,         ["+--", "+--", "+++", "+++", "---"], of_call),
    row("transferComplete", Scene::Consulting, CHANGES, ["+--", "+--", "+++", "+++", "---"], of_call),
    row("conferenceComplete", Scene::Consulting, CHANGES, ["+--", "+--", "+++", "+++", "---"], of_call),
    row("dropParty", Scene::Consulting, CHANGES,        ["+--", "+--", "+++", "+++", "---"], |target| json!({"DN": instrument_of(target), "CallID": "2", "Party": instrument_of(HELPER)})),
];

#[test]
fn every_activity_has_a_row() {
    for activity in Activity::NAMES {
        assert!(TABLE.iter().any(|row| row.of == *activity), "{activity} has no row");
    }
}

/// A session; that of an agent or supervisor has logged its agent in, where somebody is to be in.
async fn opened(stage: &mut Stage, client: &str, scene: Scene) -> Crm {
    let mut crm = Crm::connected(&stage.house);
    let hello = json!({"activity": "Hello", "protocolVersion": 1, "identity": client, "secret": SECRET});
    crm.succeeds(hello).await;
    let is_desk = matches!(client, "agent" | "supervisor");
    for agent in [OWN, MATE, STRANGER, HELPER].into_iter().filter(|_| scene != Scene::Out) {
        match is_desk && agent == OWN {
            true => drop(crm.succeeds(login(agent)).await),
            false => stage.enters(agent).await,
        }
    }
    crm
}

fn login(agent: &str) -> Value {
    let (device, password) = (instrument_of(agent), format!("pw{agent}"));
    json!({"activity": "LoginAgent", "AgentID": agent, "AgentPassword": password, "DN": device})
}

fn mark(answer: &Value) -> Mark {
    match answer["code"].as_str() {
        None => '+',
        Some("OPENCTI_NO_RIGHT" | "OPENCTI_HTTP_ERROR_401") => '-',
        Some(_) => '.',
    }
}

#[tokio::test(start_paused = true)]
async fn every_role_may_do_what_its_column_says_and_a_refusal_changes_nothing() {
    let mut wrong = Vec::new();
    for row in TABLE {
        for (client, expected) in CLIENTS.into_iter().zip(row.expected) {
            for (target, expected) in TARGETS.into_iter().zip(expected.chars()) {
                wrong.extend(tried(row, client, target, expected).await);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn tried(row: &Row, client: &str, target: &str, expected: Mark) -> Option<String> {
    let mut stage = Stage::empty().await;
    let mut crm = opened(&mut stage, client, row.scene).await;
    stage.acts(row.scene, target).await;
    let before = stage.truth();
    let mut request = (row.sample)(target);
    request["activity"] = json!(row.of);
    let answer = crm.asks(request.clone()).await;
    let what = format!("{} in {:?} by {client} about {target}: {request}", row.of, row.scene);
    // Heartbeats apart, time stands still: what came did so because of the request.
    let told = format!("{answer}");
    if expected == '-' && told.contains(STRANGER) && !request.to_string().contains(STRANGER) {
        return Some(format!("{what}: a stranger is named: {told}"));
    }
    judge(&what, expected, mark(&answer), &told, (&before, &stage.truth()), row.is_change)
}

#[tokio::test(start_paused = true)]
async fn nobody_reaches_a_strangers_call_by_its_own_device() {
    let of_calls = TABLE.iter().filter(|row| !matches!(row.scene, Scene::Out | Scene::In));
    for row in of_calls.filter(|row| !row.of.starts_with("SetAgent")) {
        for client in ["agent", "supervisor", "narrow"] {
            let mut stage = Stage::empty().await;
            let mut crm = opened(&mut stage, client, row.scene).await;
            stage.acts(row.scene, STRANGER).await;
            let before = stage.truth();
            for call in ["1", "2"] {
                let mut request = (row.sample)(OWN);
                (request["activity"], request["CallID"], request["AgentID"]) = (json!(row.of), json!(call), json!(OWN));
                let answer = crm.asks(request).await;
                assert_ne!(mark(&answer), '+', "{} by {client}: {answer}", row.of);
                assert!(!answer.to_string().contains(STRANGER), "{answer}");
            }
            assert_eq!(before, stage.truth(), "{} by {client}", row.of);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_did_not_prove_who_it_is_may_do_nothing() {
    let stage = Stage::set(Scene::Talking, OWN).await;
    let before = stage.truth();
    for (client, secret) in [("nobody", SECRET), ("admin", "guess")] {
        let mut crm = Crm::connected(&stage.house);
        for is_hello_tried in [false, true] {
            if is_hello_tried {
                let hello = json!({"activity": "Hello", "protocolVersion": 1, "identity": client, "secret": secret});
                assert_eq!(crm.fails(hello).await.0, "OPENCTI_HTTP_ERROR_401");
            }
            for row in TABLE.iter().filter(|row| row.of != "Hello") {
                let mut request = (row.sample)(OWN);
                request["activity"] = json!(row.of);
                assert_eq!(crm.fails(request).await.0, "OPENCTI_NO_SESSION", "{}", row.of);
            }
        }
    }
    assert_eq!(before, stage.truth());
}
