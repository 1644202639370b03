//! Agents whose clients were lost: they stay as they are for a while, go not ready, and are logged out.

use std::time::Duration;

use cti_protocol::ged188::CloseReq;
use cti_protocol::ged188::codes::AgentState;
use ctigate::acd::AcdRefusal;
use ctigate::model::{AgentId, QueueId, SecondClient};
use serde_json::json;

use crate::support::crm::{Crm, login};
use crate::support::desk::Desk;
use crate::support::house::{TestHouse, house, house_with};

const LOGGED_OUT: AgentState = AgentState::AGENT_STATE_LOGOUT;
const NOT_READY: AgentState = AgentState::AGENT_STATE_NOT_READY;
const AVAILABLE: AgentState = AgentState::AGENT_STATE_AVAILABLE;
/// "connection lost" in the default catalogue.
const LOST: u16 = 50_002;
const NOT_READY_AFTER: Duration = Duration::from_secs(30);
const LOGOUT_AFTER: Duration = Duration::from_secs(60);
const A_MOMENT: Duration = Duration::from_millis(10);

fn is_logged_in(house: &TestHouse, agent: &str) -> bool {
    house.acd.inner.facts(&AgentId::new(agent).unwrap()).is_some_and(|facts| facts.is_logged_in())
}

async fn ready_desk(house: &TestHouse) -> Desk {
    let mut desk = Desk::of_agent(house, "1001").await;
    desk.logs_in("1001").await;
    let asked = desk.asks("1001", AVAILABLE);
    desk.receives_confirm(asked).await;
    desk.receives_event("1001", AVAILABLE).await;
    desk
}

/// Not before its time, not ready; not before its time, out.
async fn sees_it_go(bridge: &mut Desk) {
    bridge.receives_nothing_until(tokio::time::sleep(NOT_READY_AFTER - A_MOMENT)).await;
    let gone = bridge.receives_event("1001", NOT_READY).await;
    assert_eq!(gone.event_reason_code, LOST);
    bridge.receives_nothing_until(tokio::time::sleep(LOGOUT_AFTER - A_MOMENT)).await;
    let out = bridge.receives_event("1001", LOGGED_OUT).await;
    assert_eq!(out.event_reason_code, LOST);
}

#[tokio::test(start_paused = true)]
async fn an_agent_whose_ged188_desktop_is_lost_goes_not_ready_and_is_logged_out_before_everybodys_eyes() {
    let house = house().await;
    let desk = ready_desk(&house).await;
    let mut bridge = Desk::bridge(&house).await;
    desk.drops();
    sees_it_go(&mut bridge).await;
    tokio::time::sleep(A_MOMENT).await;
    assert!(!is_logged_in(&house, "1001"));
    assert_eq!(house.acd.inner.adapters(), []);
}

#[tokio::test(start_paused = true)]
async fn an_agent_whose_opencti_session_is_lost_goes_the_same_way() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    crm.succeeds(json!({"activity": "SetAgentReady", "AgentID": "1001"})).await;
    let mut bridge = Desk::bridge(&house).await;
    let mut watcher = Crm::open(&house).await;
    watcher.succeeds(json!({"activity": "SubscribeForEvents", "DN": "3001"})).await;
    watcher.receives(json!({"pyEventName": "Snapshot", "pyAgentState": "Ready"})).await;
    crm.drops();
    sees_it_go(&mut bridge).await;
    watcher.receives(json!({"pyEventName": "NotReady", "pyReasonCode": "connection lost"})).await;
    watcher.receives(json!({"pyEventName": "Logout", "pyReasonCode": "connection lost"})).await;
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_within_the_grace_finds_everything_as_it_was() {
    let house = house().await;
    let desk = ready_desk(&house).await;
    desk.drops();
    tokio::time::sleep(NOT_READY_AFTER - A_MOMENT).await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.receives_nothing_until(tokio::time::sleep(NOT_READY_AFTER + LOGOUT_AFTER)).await;
    assert_eq!(desk.queries("1001").await, AVAILABLE);
    // Lost once more, it is waited for once more from the start.
    desk.drops();
    tokio::time::sleep(NOT_READY_AFTER + LOGOUT_AFTER - A_MOMENT).await;
    assert!(is_logged_in(&house, "1001"));
    tokio::time::sleep(A_MOMENT * 2).await;
    assert!(!is_logged_in(&house, "1001"));
}

#[tokio::test(start_paused = true)]
async fn an_opencti_session_that_is_taken_up_again_keeps_its_agents_logged_in() {
    let house = house().await;
    let (mut crm, welcome) = Crm::open_as(&house, "crm").await;
    crm.logs_in("1001").await;
    crm.logs_in("1002").await;
    crm.drops();
    tokio::time::sleep(NOT_READY_AFTER + Duration::from_secs(5)).await;
    let (_crm, welcome) = Crm::resume(&house, welcome["session"].as_str().unwrap(), 6).await;
    assert_eq!(welcome["resumed"], true);
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(is_logged_in(&house, "1001") && is_logged_in(&house, "1002"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_goodbye_is_not_lost() {
    let house = house().await;
    let mut desk = ready_desk(&house).await;
    desk.sends(CloseReq { invoke_id: 1, ..Default::default() });
    desk.wakes();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(is_logged_in(&house, "1001"));
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_another_client_has_as_well_is_not_lost() {
    let house = house().await;
    let desk = ready_desk(&house).await;
    let mut crm = Crm::open(&house).await;
    crm.succeeds(login("1001")).await;
    desk.drops();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(is_logged_in(&house, "1001"));
    crm.drops();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(!is_logged_in(&house, "1001"));
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_was_taken_over_is_lost_with_its_new_client_only() {
    let house = house_with(|config| config.sessions.second_client = SecondClient::TakeOver).await;
    let (mut one, mut two) = (Crm::open(&house).await, Crm::open(&house).await);
    one.logs_in("1001").await;
    two.succeeds(login("1001")).await;
    one.drops();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(is_logged_in(&house, "1001"));
    two.drops();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(!is_logged_in(&house, "1001"));
}

#[tokio::test(start_paused = true)]
async fn a_bridge_that_comes_back_has_the_agents_that_it_logged_in() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1001").await;
    bridge.drops();
    tokio::time::sleep(NOT_READY_AFTER / 2).await;
    let bridge = Desk::bridge(&house).await;
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(is_logged_in(&house, "1001"));
    bridge.drops();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(!is_logged_in(&house, "1001"));
}

#[tokio::test(start_paused = true)]
async fn a_bridge_that_is_back_before_its_old_connection_is_found_to_be_lost_has_its_agents() {
    let house = house().await;
    let mut old = Desk::bridge(&house).await;
    old.logs_in("1001").await;
    let new = Desk::bridge(&house).await;
    old.drops();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(is_logged_in(&house, "1001"));
    new.drops();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(!is_logged_in(&house, "1001"));
}

#[tokio::test(start_paused = true)]
async fn a_login_whose_client_was_lost_before_it_was_done_is_a_lost_one() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    let asked = house.acd.hold("log_in");
    crm.sends(login("1001"));
    let held = asked.await.unwrap();
    crm.drops();
    held.does_it();
    tokio::time::sleep(A_MOMENT).await;
    assert!(is_logged_in(&house, "1001"));
    tokio::time::sleep(NOT_READY_AFTER + LOGOUT_AFTER + A_MOMENT).await;
    assert!(!is_logged_in(&house, "1001"), "no ghost login");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_let_end_before_a_lost_agent_is_logged_out() {
    let house = house().await;
    let desk = ready_desk(&house).await;
    house.acd.inner.arrive(QueueId(1));
    tokio::time::sleep(Duration::from_secs(5)).await;
    desk.drops();
    let mut bridge = Desk::bridge(&house).await;
    let mut was_talking_late = false;
    let begun = tokio::time::Instant::now();
    while is_logged_in(&house, "1001") {
        let facts = house.acd.inner.facts(&AgentId::new("1001").unwrap()).unwrap();
        was_talking_late |= facts.state.is_on_call();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(begun.elapsed() < Duration::from_secs(3_600), "a ghost login: {facts:?}");
    }
    assert!(was_talking_late);
    while bridge.has_received().is_some() {}
}

#[tokio::test(start_paused = true)]
async fn a_logout_that_the_acd_refuses_is_tried_again_until_it_is_done() {
    let house = house().await;
    let desk = ready_desk(&house).await;
    desk.drops();
    for _ in 0..3 {
        let asked = house.acd.hold("log_out");
        asked.await.unwrap().refuses(AcdRefusal::Refused { code: 1, words: "not now".to_owned() });
        tokio::time::sleep(A_MOMENT).await;
        assert!(is_logged_in(&house, "1001"));
    }
    tokio::time::sleep(LOGOUT_AFTER).await;
    assert!(!is_logged_in(&house, "1001"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_agent_whom_somebody_else_fails_to_log_out_is_logged_out_all_the_same() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    ready_desk(&house).await.drops();
    tokio::time::sleep(NOT_READY_AFTER + LOGOUT_AFTER - A_MOMENT).await;
    // The time is over while a command is with the ACD, and before that is done a logout comes.
    let (working, leaving) = (house.acd.hold("set_state"), house.acd.hold("log_out"));
    bridge.asks("1001", AVAILABLE);
    let working = working.await.unwrap();
    tokio::time::sleep(2 * A_MOMENT).await;
    bridge.asks("1001", LOGGED_OUT);
    working.does_it();
    leaving.await.unwrap().refuses(AcdRefusal::Refused { code: 1, words: "not now".to_owned() });
    tokio::time::sleep(A_MOMENT).await;
    assert!(is_logged_in(&house, "1001"));
    tokio::time::sleep(LOGOUT_AFTER).await;
    assert!(!is_logged_in(&house, "1001"), "a ghost login");
}

#[tokio::test(start_paused = true)]
async fn a_lost_agent_outlives_a_link_that_is_down_and_is_logged_out_then() {
    let house = house().await;
    let desk = ready_desk(&house).await;
    desk.drops();
    house.acd.inner.go_away();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    house.acd.inner.come_back();
    tokio::time::sleep(LOGOUT_AFTER).await;
    assert!(!is_logged_in(&house, "1001"));
}

#[tokio::test(start_paused = true)]
async fn without_grace_a_lost_agent_stays_as_it_is() {
    let house = house_with(|config| config.sessions.grace = false).await;
    let desk = ready_desk(&house).await;
    desk.drops();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(is_logged_in(&house, "1001"));
}
