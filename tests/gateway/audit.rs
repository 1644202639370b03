//! Reports that were lost without anybody's noticing: found by an audit, put right, and told.

use std::time::Duration;

use cti_protocol::ged188::AnyMessage;
use cti_protocol::ged188::codes::{AgentState, SystemEventId};
use ctigate::acd::Capabilities;
use ctigate::acd::embedded::{Command, Fault, FaultKind};
use ctigate::model::{AgentId, LogoutOnCall, QueueId, ReasonCode, WantedState};

use crate::support::desk::Desk;
use crate::support::house::{PERIPHERAL, house, house_with_rules};
use crate::support::phone::{call_watcher, patient_world, ready_desk};

const AUDIT: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn an_agent_whose_event_was_lost_is_put_right_and_it_is_said() {
    let house = house_with_rules(patient_world(), |rules| rules.audit = Some(AUDIT)).await;
    let mut a = ready_desk(&house, "1001").await;
    let mut stranger = ready_desk(&house, "1002").await;
    house.acd.inner.lose_reports(1);
    house.acd.inner.console_set_state(&AgentId::new("1001").unwrap(), WantedState::NotReady, ReasonCode(7));
    assert_eq!(a.hears().await, [""; 0], "nobody knows of it");
    tokio::time::sleep(AUDIT).await;
    let event = a.receives_event("1001", AgentState::AGENT_STATE_NOT_READY).await;
    assert_eq!(event.event_reason_code, 7);
    let said = a.receives_system_event().await;
    assert_eq!(said.system_event_id, SystemEventId::SYS_TEXT_FYI);
    let text = said.text.unwrap().to_string();
    assert_eq!(text, "agent 1001 was Ready here and is NotReady at the ACD");
    assert_eq!(stranger.hears().await, [""; 0], "it is the business of those who follow the agent");
    tokio::time::sleep(AUDIT * 3).await;
    assert_eq!(a.hears().await, [""; 0], "it is said once");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_end_was_lost_ends_and_one_whose_beginning_was_lost_begins() {
    let house = house_with_rules(patient_world(), |rules| rules.audit = Some(AUDIT)).await;
    let (mut b, mut a) = (call_watcher(&house).await, ready_desk(&house, "1001").await);
    house.acd.inner.lose_reports(usize::MAX);
    house.acd.inner.arrive(QueueId(1));
    house.acd.inner.lose_reports(0);
    assert_eq!(a.hears().await, [""; 0]);
    tokio::time::sleep(AUDIT).await;
    let heard = a.hears().await;
    assert_eq!(heard[..2], ["agent RESERVED", "BEGIN_CALL 1@3001"]);
    assert_eq!(b.hears().await[..1], ["BEGIN_CALL 1@8001"]);
    house.acd.inner.lose_reports(usize::MAX);
    a.answers(1, "3001");
    a.clears(1, "3001");
    a.hears().await;
    house.acd.inner.lose_reports(0);
    tokio::time::sleep(AUDIT).await;
    assert_eq!(a.hears().await[..2], ["agent AVAILABLE", "END_CALL 1@3001"]);
    assert_eq!(b.hears().await[..1], ["END_CALL 1@8001"]);
    assert!(house.house.table.calls(PERIPHERAL).lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_only_on_its_way_is_no_difference() {
    let house = house_with_rules(patient_world(), |rules| rules.audit = Some(AUDIT)).await;
    let mut a = ready_desk(&house, "1001").await;
    let delay = Duration::from_secs(2);
    let late = Fault { times: Some(1), delay, ..Fault::new(Command::Snapshot, FaultKind::AnswerLate) };
    house.acd.inner.add_fault(late);
    tokio::time::sleep(AUDIT).await;
    house.acd.inner.arrive(QueueId(1)); // reported while the snapshot is on its way
    tokio::time::sleep(delay).await;
    let heard = a.hears().await;
    assert_eq!(heard[..2], ["PRE_CALL", "agent RESERVED"]);
    assert!(!heard.iter().any(|words| words.starts_with("SYSTEM")), "{heard:?}");
    tokio::time::sleep(AUDIT * 2).await;
    assert_eq!(a.hears().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_acd_that_does_not_answer_an_audit_is_left_in_peace() {
    let house = house_with_rules(patient_world(), |rules| rules.audit = Some(AUDIT)).await;
    let mut a = ready_desk(&house, "1001").await;
    let _silent = house.acd.hold("snapshot");
    tokio::time::sleep(AUDIT + Duration::from_secs(20)).await;
    assert_eq!(a.hears().await, [""; 0], "the link is as it was");
    assert_eq!(a.queries("1001").await, AgentState::AGENT_STATE_AVAILABLE);
}

/// A desk on a call, of a gateway with that policy.
async fn talking(policy: LogoutOnCall) -> (crate::support::house::TestHouse, Desk) {
    let house = house_with_rules(patient_world(), |rules| rules.logout_on_call = policy).await;
    let mut a = ready_desk(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    a.answers(1, "3001");
    a.hears().await;
    (house, a)
}

#[tokio::test(start_paused = true)]
async fn a_logout_after_the_call_waits_for_its_end_and_no_call_comes_in_between() {
    let (house, mut a) = talking(LogoutOnCall::AfterCall).await;
    house.acd.inner.arrive(QueueId(1)); // waits for the next free agent
    let logout = a.asks("1001", AgentState::AGENT_STATE_LOGOUT);
    assert_eq!(a.hears().await, ["agent TALKING"], "not ready is what it will be next");
    assert_eq!(house.house.commands_waiting(PERIPHERAL), 0, "it waits for a caller, not for the ACD");
    let again = a.asks("1001", AgentState::AGENT_STATE_LOGOUT);
    assert_eq!(a.receives_control_failure().await.invoke_id, again, "one logout at a time");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(a.hears().await, [""; 0]);
    let clear = a.clears(1, "3001");
    let heard = a.hears().await;
    assert_eq!(heard[0], format!("CLEAR_CONNECTION {clear}"));
    assert_eq!(
        heard[3..],
        [
            "CALL_CLEARED 1@3001 lcs 0".to_owned(),
            "END_CALL 1@3001".to_owned(),
            "agent NOT_READY".to_owned(),
            "agent LOGOUT".to_owned(),
            format!("SET_AGENT_STATE {logout}"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn where_the_acd_does_not_say_whether_it_keeps_calls_away_the_logout_fails_and_the_acd_is_asked() {
    let (house, mut a) = talking(LogoutOnCall::AfterCall).await;
    let held = house.acd.hold("set_state");
    let logout = a.asks("1001", AgentState::AGENT_STATE_LOGOUT);
    held.await.unwrap().never_answers();
    assert_eq!(a.receives_control_failure().await.invoke_id, logout);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(house.acd.journal().last().map(String::as_str), Some("agent 1001 done"));
}

#[tokio::test(start_paused = true)]
async fn a_logout_by_force_ends_the_call() {
    let (house, mut a) = talking(LogoutOnCall::Force).await;
    let logout = a.asks("1001", AgentState::AGENT_STATE_LOGOUT);
    assert_eq!(a.hears().await.last(), Some(&format!("SET_AGENT_STATE {logout}")));
    assert_eq!(house.acd.inner.calls(), []);
}

#[tokio::test(start_paused = true)]
async fn a_logout_on_a_call_is_rejected_by_default() {
    let (_house, mut a) = talking(LogoutOnCall::Reject).await;
    let logout = a.asks("1001", AgentState::AGENT_STATE_LOGOUT);
    match a.receives().await {
        AnyMessage::ControlFailureConf(refusal) => assert_eq!(refusal.invoke_id, logout),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_stops_waits_for_no_call() {
    let (house, mut a) = talking(LogoutOnCall::AfterCall).await;
    let logout = a.asks("1001", AgentState::AGENT_STATE_LOGOUT);
    a.hears().await;
    tokio::time::timeout(Duration::from_secs(1), house.house.commands_done()).await.expect("at once");
    assert_eq!(a.receives_control_failure().await.invoke_id, logout);
}

#[tokio::test(start_paused = true)]
async fn who_logged_out_while_the_table_was_rebuilt_is_not_told_of_as_logged_in_again() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1001").await;
    let able = ctigate::acd::Acd::capabilities(&house.acd.inner);
    *house.acd.capabilities.lock().unwrap() = Some(Capabilities { lists_agents: false, ..able });
    let asked = house.acd.hold("snapshot");
    house.acd.inner.go_away();
    house.acd.inner.come_back();
    let asked = asked.await.unwrap();
    // Reported, and not heard before the snapshot, which names nobody who is out.
    let agent = AgentId::new("1001").unwrap();
    house.acd.inner.console_set_state(&agent, WantedState::Ready, ReasonCode::default());
    house.acd.inner.console_log_out(&agent, ReasonCode(7));
    asked.does_it();
    bridge.receives_system_event().await;
    bridge.receives_system_event().await;
    bridge.receives_event("1001", AgentState::AGENT_STATE_LOGOUT).await;
    bridge.receives_nothing().await;
}
