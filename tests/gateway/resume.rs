//! A lost OpenCTI session that is taken up again: every event that was missed, in order, exactly once.

use std::time::Duration;

use ctigate::dialects::CloseReason;
use ctigate::model::Role;
use serde_json::{Value, json};

use crate::support::crm::{Crm, login, logout};
use crate::support::house::{TestHouse, client, house, house_with};

fn state(agent: &str, reason: u16) -> Value {
    let options = json!({"pyReasonCode": reason.to_string()});
    json!({"activity": "SetAgentNotReady", "AgentID": agent, "AgentOptions": options})
}

/// A session with an agent whose connection is lost, its secret name and its last event; and somebody else who can act on it.
async fn lost_session(house: &TestHouse) -> (String, u64, Crm) {
    let (mut crm, welcome) = Crm::open_as(house, "crm").await;
    crm.logs_in("1001").await;
    let seq = crm.seq;
    crm.drops();
    (welcome["session"].as_str().unwrap().to_owned(), seq, Crm::open(house).await)
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_gets_every_event_that_was_missed_and_a_snapshot() {
    let house = house().await;
    let (session, seq, mut other) = lost_session(&house).await;
    for reason in 10..20 {
        other.succeeds(state("1001", reason)).await;
    }
    let (mut crm, welcome) = Crm::resume(&house, &session, seq).await;
    assert_eq!(
        (&welcome["resumed"], &welcome["session"], &welcome["seq"]),
        (&json!(true), &json!(session), &json!(seq))
    );
    for reason in 10..20 {
        let event =
            json!({"pyEventType": "AgentStateEvent", "pyReasonCode": reason.to_string(), "seq": seq + reason - 9});
        crm.receives(event).await;
    }
    crm.receives(json!({"pyEventType": "SnapshotEvent", "pyAgentId": "1001", "pyReasonCode": "19"})).await;
    crm.receives_nothing().await;
    crm.succeeds(state("1001", 1)).await; // the agent is still this session's
    crm.receives(json!({"pyReasonCode": "break"})).await;
    crm.succeeds(logout("1001")).await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_was_sent_and_not_seen_comes_again_and_one_that_was_seen_does_not() {
    let house = house().await;
    let (mut crm, welcome) = Crm::open_as(&house, "crm").await;
    crm.logs_in("1001").await; // three events
    crm.drops();
    let session = welcome["session"].as_str().unwrap();
    let (mut crm, _) = Crm::resume(&house, session, 1).await;
    crm.receives(json!({"seq": 2, "pyEventName": "NotReady"})).await;
    crm.receives(json!({"seq": 3, "pyEventName": "Snapshot"})).await;
    crm.receives(json!({"seq": 4, "pyEventName": "Snapshot"})).await; // after the reconnect
    crm.receives_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_only_thought_to_be_alive_gives_way_and_is_told_why() {
    let house = house().await;
    let (mut old, welcome) = Crm::open_as(&house, "crm").await;
    old.logs_in("1001").await;
    let (mut new, welcome) = Crm::resume(&house, welcome["session"].as_str().unwrap(), 3).await;
    assert_eq!(welcome["resumed"], true);
    old.wakes();
    assert!(matches!(old.closed, Some(CloseReason::Replaced { .. })), "{:?}", old.closed);
    let notice = old.receives_message().await;
    assert_eq!(notice["notice"], "Closed", "{notice}");
    new.receives(json!({"pyEventName": "Snapshot"})).await;
    new.succeeds(state("1001", 2)).await;
    new.receives(json!({"pyReasonCode": "lunch"})).await;
    // The end of the old connection was not a loss of the session.
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    new.succeeds(logout("1001")).await;
}

#[tokio::test(start_paused = true)]
async fn past_the_kept_events_the_client_is_told_so_and_gets_a_fresh_snapshot() {
    let house = house_with(|config| config.sessions.resume_events_max = 5).await;
    let (session, seq, mut other) = lost_session(&house).await;
    for reason in 10..16 {
        other.succeeds(state("1001", reason)).await;
    }
    let (mut crm, welcome) = Crm::resume(&house, &session, seq).await;
    assert_eq!(welcome["resumed"], false);
    assert!(welcome["why"].as_str().unwrap().contains("1 of the events missed"), "{welcome}");
    assert_eq!(welcome["session"], json!(session), "the session goes on");
    crm.receives(json!({"pyEventName": "Snapshot", "pyAgentId": "1001", "pyReasonCode": "15", "seq": seq + 7})).await;
    crm.receives_nothing().await;
    crm.succeeds(logout("1001")).await;
}

#[tokio::test(start_paused = true)]
async fn the_bytes_of_the_kept_events_are_bounded_as_well() {
    let house = house_with(|config| config.sessions.resume_bytes_max = 600).await;
    let (session, seq, mut other) = lost_session(&house).await;
    for reason in 10..16 {
        other.succeeds(state("1001", reason)).await;
    }
    let (_, welcome) = Crm::resume(&house, &session, seq).await;
    assert_eq!(welcome["resumed"], false, "six events have more than 600 bytes");
}

#[tokio::test(start_paused = true)]
async fn past_the_window_the_client_gets_another_session_and_is_told_so() {
    let house = house_with(|config| config.sessions.grace = false).await;
    let (session, seq, _other) = lost_session(&house).await;
    tokio::time::sleep(Duration::from_secs(121)).await;
    assert_eq!(house.house.table.subscriptions.count(), 0, "of the lost session nothing is left");
    assert_eq!(house.house.table.clients(), 1);
    let (mut crm, welcome) = Crm::resume(&house, &session, seq).await;
    assert_eq!((&welcome["resumed"], &welcome["seq"]), (&json!(false), &json!(0)));
    assert_ne!(welcome["session"], json!(session));
    assert!(welcome["why"].as_str().unwrap().contains("too long ago"), "{welcome}");
    let snapshot =
        json!({"pyEventName": "Snapshot", "pyAgentId": "", "pyDeviceState": "CLOSED", "pyLinkState": "CONNECTED"});
    crm.receives(snapshot).await;
    // The agent is still logged in: it is taken up by logging in where it is.
    crm.succeeds(login("1001")).await;
    crm.receives(json!({"pyEventName": "Snapshot", "pyAgentState": "NotReady", "pyDeviceState": "OPENED"})).await;
    crm.succeeds(logout("1001")).await;
}

#[tokio::test(start_paused = true)]
async fn of_more_lost_sessions_than_allowed_the_latest_are_not_kept() {
    let house = house_with(|config| config.sessions.lost_sessions_max = 2).await;
    let mut sessions = Vec::new();
    for _ in 0..4 {
        let (crm, welcome) = Crm::open_as(&house, "crm").await;
        sessions.push(welcome["session"].as_str().unwrap().to_owned());
        crm.drops();
    }
    assert_eq!(house.house.table.clients(), 2);
    for (session, is_kept) in sessions.iter().zip([true, true, false, false]) {
        let (_, welcome) = Crm::resume(&house, session, 0).await;
        assert_eq!(welcome["resumed"], is_kept);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_else_takes_a_session_up() {
    let both = ["crm", "thief"].map(|id| client(id, Role::Bridge));
    let house = house_with(|config| config.clients.extend(both)).await;
    let (session, seq, _other) = lost_session(&house).await;
    let mut thief = Crm::connected(&house);
    let resume = json!({"session": session, "seq": seq});
    let hello = json!({"activity": "Hello", "protocolVersion": 1, "identity": "thief", "resume": resume});
    let welcome = thief.succeeds(hello).await;
    assert_eq!(welcome["resumed"], false);
    assert_ne!(welcome["session"], json!(session));
    let (_, welcome) = Crm::resume(&house, &session, seq).await;
    assert_eq!(welcome["resumed"], true);
    let (_, welcome) = Crm::resume(&house, "guessed", 0).await;
    assert_eq!(welcome["resumed"], false);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_claims_to_have_seen_what_was_never_sent_gets_a_fresh_snapshot() {
    let house = house().await;
    let (session, _, _other) = lost_session(&house).await;
    let (mut crm, welcome) = Crm::resume(&house, &session, u64::MAX).await;
    assert_eq!((&welcome["resumed"], &welcome["seq"]), (&json!(false), &json!(3)));
    crm.receives(json!({"seq": 4, "pyEventName": "Snapshot"})).await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_was_logged_out_meanwhile_is_shown_so() {
    let house = house().await;
    let (session, seq, mut other) = lost_session(&house).await;
    other.succeeds(logout("1001")).await;
    let (mut crm, welcome) = Crm::resume(&house, &session, seq).await;
    assert_eq!(welcome["resumed"], true);
    crm.receives(json!({"pyEventType": "AgentStateEvent", "pyEventName": "Logout"})).await;
    crm.receives(json!({"pyEventName": "Snapshot", "pyAgentState": "Logout", "pyDeviceState": "CLOSED"})).await;
    assert_eq!(crm.fails(state("1001", 1)).await.0, "OPENCTI_AGENT_NOT_LOGGED_IN");
    crm.logs_in("1001").await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_somebody_took_up_meanwhile_is_not_the_sessions_any_more_unless_they_share() {
    use ctigate::model::SecondClient::{Reject, Share, TakeOver};
    for (second_client, is_lost) in [(Share, false), (TakeOver, true), (Reject, true)] {
        let house = house_with(|config| config.sessions.second_client = second_client).await;
        let (session, seq, mut other) = lost_session(&house).await;
        other.succeeds(login("1001")).await;
        let (mut crm, _) = Crm::resume(&house, &session, seq).await;
        let snapshot = crm.receives(json!({"pyEventName": "Snapshot", "pyAgentId": "1001"})).await;
        assert_eq!(snapshot.get("message").is_some(), is_lost, "{snapshot}");
        other.succeeds(state("1001", 2)).await;
        match is_lost {
            true => crm.receives_nothing().await,
            false => drop(crm.receives(json!({"pyReasonCode": "lunch"})).await),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_logout_that_was_asked_before_the_loss_runs_to_its_end() {
    let house = house().await;
    let (mut crm, welcome) = Crm::open_as(&house, "crm").await;
    crm.logs_in("1001").await;
    let asked = house.acd.hold("log_out");
    crm.sends(logout("1001"));
    let held = asked.await.unwrap();
    crm.drops();
    held.does_it();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(house.acd.inner.adapters(), []);
    let (mut crm, _) = Crm::resume(&house, welcome["session"].as_str().unwrap(), 3).await;
    crm.receives(json!({"pyEventType": "AgentStateEvent", "pyEventName": "Logout"})).await;
    crm.receives(json!({"pyEventName": "Snapshot", "pyAgentState": "Logout"})).await;
    crm.receives_nothing().await; // and no answer to a request of another connection
}

#[tokio::test(start_paused = true)]
async fn a_login_that_was_asked_before_the_loss_is_the_sessions_when_it_comes_back() {
    let house = house().await;
    let (mut crm, welcome) = Crm::open_as(&house, "crm").await;
    let asked = house.acd.hold("log_in");
    crm.sends(login("1001"));
    let held = asked.await.unwrap();
    crm.drops();
    held.does_it();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (mut crm, _) = Crm::resume(&house, welcome["session"].as_str().unwrap(), 0).await;
    crm.receives(json!({"pyEventName": "Login"})).await;
    crm.receives(json!({"pyEventName": "NotReady"})).await;
    crm.receives(json!({"pyEventName": "Snapshot", "pyDeviceState": "OPENED"})).await;
    crm.receives(json!({"pyEventName": "Snapshot"})).await; // after the reconnect
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    crm.succeeds(logout("1001")).await; // it was not lost any more
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_stops_answers_what_it_took_and_says_goodbye() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    let asked = house.acd.hold("log_out");
    let id = crm.sends(logout("1001"));
    let held = asked.await.unwrap();
    crm.gateway_shuts_down();
    assert_eq!(crm.fails(logout("1001")).await.0, "OPENCTI_HTTP_ERROR_503");
    held.does_it();
    crm.receives_event().await;
    crm.receives_event().await;
    assert_eq!(crm.receives_message().await, json!({"id": id, "ok": true}));
    crm.wakes();
    assert!(matches!(crm.closed, Some(CloseReason::Shutdown)), "{:?}", crm.closed);
    let notice = crm.receives_message().await;
    assert_eq!(notice["notice"], "Closed", "{notice}");
}

#[tokio::test(start_paused = true)]
async fn a_node_with_more_agents_than_the_outbound_bound_has_room_for_comes_back_all_the_same() {
    let agents: Vec<String> = (1001..=1100).map(|agent| agent.to_string()).collect();
    let house = house_with(|config| {
        config.limits.outbound_bytes_max = 20_000; // some 60 Snapshots
        config.sessions.resume_bytes_max = 10_000;
    })
    .await;
    let (mut crm, welcome) = Crm::open_as(&house, "crm").await;
    for agent in &agents {
        crm.logs_in(agent).await;
    }
    let seq = crm.seq;
    crm.drops();
    let (mut crm, _) = Crm::resume(&house, welcome["session"].as_str().unwrap(), seq).await;
    for _ in &agents {
        crm.receives(json!({"pyEventName": "Snapshot"})).await;
    }
    // A client that does not read is none the less ended, however often its agents' Snapshots are due.
    for _ in 0..5 {
        house.acd.inner.go_away();
        tokio::time::sleep(Duration::from_secs(1)).await;
        house.acd.inner.come_back();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(crm.outbox.take(&mut bytes::BytesMut::new()).is_err(), "a slow client");
}

#[tokio::test(start_paused = true)]
async fn connections_cut_at_random_under_load_account_for_every_event() {
    let house = house().await;
    let (mut crm, welcome) = Crm::open_as(&house, "crm").await;
    let session = welcome["session"].as_str().unwrap().to_owned();
    crm.logs_in("1001").await;
    let mut other = Crm::open(&house).await;
    let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut reasons = Vec::new();
    for round in 0..400_u16 {
        other.succeeds(state("1001", 100 + round)).await;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // Reads nothing, something or all, and loses the connection with what it has not read.
        for _ in 0..random % 4 {
            if let Some(event) = crm.has_received() {
                reasons.extend(reason_of(&event));
            }
        }
        if random.is_multiple_of(5) {
            let seq = crm.seq;
            crm.drops();
            let (again, welcome) = Crm::resume(&house, &session, seq).await;
            assert_eq!(welcome["resumed"], true);
            crm = again;
        }
    }
    while let Some(event) = crm.has_received() {
        reasons.extend(reason_of(&event));
    }
    assert_eq!(reasons, Vec::from_iter((100..500).map(|reason| reason.to_string())), "each once, in order");
}

/// The reason of an event of the agent's state; a Snapshot only repeats it.
fn reason_of(event: &Value) -> Option<String> {
    (event["pyEventType"] == "AgentStateEvent").then(|| event["pyReasonCode"].as_str().unwrap().to_owned())
}
