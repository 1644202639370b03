//! The logout sequence, point by point.

use std::time::Duration;

use cti_protocol::ged188::codes::{AgentState, ControlFailure, DeviceIdType, Status};
use cti_protocol::ged188::{AnyMessage, MonitorStartReq, MonitorStopReq, Text};
use ctigate::acd::AcdRefusal;
use ctigate::model::{AgentId, ReasonCode};

use crate::support::desk::{Desk, FORCED, instrument_of, skill_groups, text};
use crate::support::house::{ACD_ANSWER, TestHouse, house, house_of};

const LOGIN: AgentState = AgentState::AGENT_STATE_LOGIN;
const LOGOUT: AgentState = AgentState::AGENT_STATE_LOGOUT;
const NOT_READY: AgentState = AgentState::AGENT_STATE_NOT_READY;
const AVAILABLE: AgentState = AgentState::AGENT_STATE_AVAILABLE;

// --- 1: refused at once, changing nothing ---------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn refuses_a_logout_that_names_no_agent() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    desk.asks_with("1001", LOGOUT, |request| request.agent_id = None);
    assert_eq!(desk.receives_failure().await.status, Status::E_CTI_REQUIRED_DATA_MISSING);
    desk.asks_with("1001", LOGOUT, |request| request.agent_id = Some(Text::new("").unwrap()));
    assert_eq!(desk.receives_failure().await.status, Status::E_CTI_REQUIRED_DATA_MISSING);
    assert_eq!(desk.queries("1001").await, NOT_READY);
}

#[tokio::test(start_paused = true)]
async fn refuses_a_logout_of_an_agent_that_nobody_knows() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.asks("9999", LOGOUT);
    assert_eq!(bridge.receives_control_failure().await.failure_code, ControlFailure::CF_INVALID_AGENT_ID_SPECIFIED);
}

#[tokio::test(start_paused = true)]
async fn refuses_a_logout_of_an_agent_in_no_queue() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.asks("1001", LOGOUT);
    let refused = desk.receives_control_failure().await;
    assert_eq!(refused.failure_code, ControlFailure::CF_INVALID_OBJECT_STATE);
    assert!(refused.text.unwrap().as_str().contains("1001 is not logged in"));
}

#[tokio::test(start_paused = true)]
async fn refuses_a_logout_from_a_queue_that_the_agent_is_not_in() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    let login = desk.asks_with("1001", LOGIN, |request| {
        (request.num_skill_groups, request.skill_groups) = (1, skill_groups(&[1]));
    });
    desk.receives_confirm(login).await;
    desk.receives_event("1001", LOGIN).await;
    desk.receives_event("1001", NOT_READY).await;
    desk.asks_with("1001", LOGOUT, |request| {
        (request.num_skill_groups, request.skill_groups) = (2, skill_groups(&[1, 3]));
    });
    let refused = desk.receives_control_failure().await;
    assert_eq!(refused.failure_code, ControlFailure::CF_INVALID_SKILL_GROUP_SPECIFIED);
    assert_eq!(desk.queries("1001").await, NOT_READY);
    assert_eq!(adapters(&house), ["1001"]);
}

#[tokio::test(start_paused = true)]
async fn refuses_a_logout_of_another_clients_agent() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let mut other = Desk::of_agent(&house, "1002").await;
    other.asks("1001", LOGOUT);
    assert_eq!(other.receives_failure().await.status, Status::E_CTI_FUNCTION_NOT_AVAILABLE);
    assert_eq!(desk.queries("1001").await, NOT_READY);
}

#[tokio::test(start_paused = true)]
async fn tells_a_second_client_that_the_logout_is_under_way() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let mut bridge = Desk::bridge(&house).await;
    let held = house.acd.hold("log_out");
    let first = desk.asks("1001", LOGOUT);
    let held = held.await.unwrap();
    bridge.asks("1001", LOGOUT);
    let refused = bridge.receives_control_failure().await;
    assert_eq!(refused.failure_code, ControlFailure::CF_DUPLICATE_INVOCATION_REJECTION);
    assert!(refused.text.unwrap().as_str().contains("under way"));
    held.does_it();
    desk.receives_event("1001", LOGOUT).await;
    desk.receives_confirm(first).await;
}

#[tokio::test(start_paused = true)]
async fn refuses_a_logout_with_a_wrong_password_and_takes_one_without() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    desk.asks_with("1001", LOGOUT, |request| request.agent_password = Some(Text::new("wrong").unwrap().into()));
    let refused = desk.receives_control_failure().await;
    assert_eq!(refused.failure_code, ControlFailure::CF_INVALID_AGENT_ID_OR_PASSWORD_SPECIFIED);
    let logout = desk.asks("1001", LOGOUT);
    desk.receives_event("1001", LOGOUT).await;
    desk.receives_confirm(logout).await;
}

// --- 2: a partial logout -------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn leaving_one_queue_keeps_the_others_the_adapter_and_the_subscription() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let partial = desk.asks_with("1001", LOGOUT, |request| {
        (request.num_skill_groups, request.skill_groups) = (1, skill_groups(&[2]));
    });
    let event = desk.receives_event("1001", NOT_READY).await;
    let of_queue = |number| event.flt_skill_groups.iter().find(|set| set.number == Some(number)).unwrap().state;
    assert_eq!(of_queue(2), Some(LOGOUT));
    assert_eq!(of_queue(1), Some(NOT_READY));
    desk.receives_confirm(partial).await;
    assert_eq!(adapters(&house), ["1001"]);
    let ready = desk.asks("1001", AVAILABLE);
    desk.receives_confirm(ready).await;
    desk.receives_event("1001", AVAILABLE).await;
}

#[tokio::test(start_paused = true)]
async fn leaving_every_queue_by_name_is_a_whole_logout() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let logout = desk.asks_with("1001", LOGOUT, |request| {
        (request.num_skill_groups, request.skill_groups) = (3, skill_groups(&[3, 1, 2]));
    });
    desk.receives_event("1001", LOGOUT).await;
    desk.receives_confirm(logout).await;
    assert!(adapters(&house).is_empty());
    assert_eq!(house.house.table.subscriptions.count(), 0);
}

// --- 3: while it is under way --------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn takes_no_other_state_request_while_the_logout_is_under_way() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let held = house.acd.hold("log_out");
    let logout = desk.asks("1001", LOGOUT);
    let held = held.await.unwrap();
    for state in [AVAILABLE, NOT_READY, LOGIN] {
        desk.asks("1001", state);
        assert!(desk.receives_control_failure().await.text.unwrap().as_str().contains("under way"), "{state:?}");
    }
    held.does_it();
    desk.receives_event("1001", LOGOUT).await;
    desk.receives_confirm(logout).await;
    desk.receives_nothing().await;
}

// --- 4: the ACD refuses, or does not answer --------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn fails_and_tears_nothing_down_when_the_acd_refuses() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let held = house.acd.hold("log_out");
    desk.asks("1001", LOGOUT);
    held.await.unwrap().refuses(AcdRefusal::Refused { code: 42, words: "not on a Monday".to_owned() });
    let failed = desk.receives_control_failure().await;
    assert_eq!(failed.failure_code, ControlFailure::CF_GENERIC_OPERATION_REJECTION);
    assert_eq!(failed.peripheral_error_code, 42);
    assert!(failed.text.unwrap().as_str().contains("not on a Monday"));
    assert_eq!(adapters(&house), ["1001"]);
    assert_eq!(desk.queries("1001").await, NOT_READY);
    let ready = desk.asks("1001", AVAILABLE);
    desk.receives_confirm(ready).await;
    desk.receives_event("1001", AVAILABLE).await;
}

#[tokio::test(start_paused = true)]
async fn fails_when_the_acd_does_not_answer_and_asks_what_became_of_the_agent() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let held = house.acd.hold("log_out");
    desk.asks("1001", LOGOUT);
    held.await.unwrap().never_answers();
    let failed = desk.receives_control_failure().await;
    assert_eq!(failed.failure_code, ControlFailure::CF_REQUEST_TIMEOUT_REJECTION);
    assert!(house.acd.journal().contains(&"agent 1001 done".to_owned()));
    assert_eq!(adapters(&house), ["1001"]);
    assert_eq!(desk.queries("1001").await, NOT_READY);
}

#[tokio::test(start_paused = true)]
async fn fails_when_the_acd_did_it_in_silence_and_tears_down_all_the_same() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let held = house.acd.hold("log_out");
    desk.asks("1001", LOGOUT);
    held.await.unwrap().does_it_in_silence();
    desk.receives_event("1001", LOGOUT).await;
    assert_eq!(desk.receives_control_failure().await.failure_code, ControlFailure::CF_REQUEST_TIMEOUT_REJECTION);
    desk.receives_nothing().await;
    assert!(adapters(&house).is_empty());
    assert_eq!(house.house.table.subscriptions.count(), 0);
    let again = desk.asks("1001", LOGOUT);
    desk.receives_confirm(again).await;
}

#[tokio::test(start_paused = true)]
async fn fails_when_the_link_is_lost_in_between_and_the_rebuild_tells_the_truth() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let held = house.acd.hold("log_out");
    desk.asks("1001", LOGOUT);
    let held = held.await.unwrap();
    house.acd.inner.go_away();
    held.does_it(); // does what it can: refuses, the link is down
    let mut failed = false;
    let mut offline = false;
    for _ in 0..2 {
        match desk.receives().await {
            AnyMessage::ControlFailureConf(refused) => {
                assert_eq!(refused.failure_code, ControlFailure::CF_RESOURCE_OUT_OF_SERVICE);
                failed = true;
            }
            AnyMessage::SystemEvent(_) => offline = true,
            other => panic!("{other:?}"),
        }
    }
    assert!(failed && offline);
    house.acd.inner.console_log_out(&AgentId::new("1001").unwrap(), ReasonCode(7));
    house.acd.inner.come_back();
    desk.receives_system_event().await;
    let event = desk.receives_event("1001", LOGOUT).await;
    assert_eq!(event.event_reason_code, 7);
    desk.receives_nothing().await;
    assert!(adapters(&house).is_empty());
}

// --- 5, 6, 7: the last event, the teardown, and only then the confirm ------------------------------------------------

#[tokio::test(start_paused = true)]
async fn every_subscriber_gets_the_last_event_and_the_confirm_waits_for_the_adapter() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    bridge.receives_event("1001", LOGIN).await;
    bridge.receives_event("1001", NOT_READY).await;
    let held = house.acd.hold("close_adapter");
    let logout = desk.asks_with("1001", LOGOUT, |request| request.event_reason_code = 17);
    assert_eq!(desk.receives_event("1001", LOGOUT).await.event_reason_code, 17);
    assert_eq!(bridge.receives_event("1001", LOGOUT).await.event_reason_code, 17);
    let held = desk.receives_nothing_until(held).await.unwrap();
    desk.receives_nothing().await;
    held.does_it();
    desk.receives_confirm(logout).await;
    assert!(adapters(&house).is_empty());
    desk.receives_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_logout_ends_device_monitors_in_every_session_and_keeps_all_events() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    let mut recorder = Desk::bridge(&house).await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    let monitor = starts_monitor(&mut recorder, &instrument_of("1001")).await;
    desk.logs_in("1001").await;
    for id in [monitor, 0] {
        assert_eq!(recorder.receives_event("1001", LOGIN).await.monitor_id, id);
    }
    for id in [monitor, 0] {
        assert_eq!(recorder.receives_event("1001", NOT_READY).await.monitor_id, id);
    }
    let logout = desk.asks("1001", LOGOUT);
    desk.receives_event("1001", LOGOUT).await;
    desk.receives_confirm(logout).await;
    for id in [monitor, 0] {
        assert_eq!(recorder.receives_event("1001", LOGOUT).await.monitor_id, id);
    }
    for state in [LOGIN, NOT_READY, LOGOUT] {
        bridge.receives_event("1001", state).await;
    }
    // The agent comes back: only the all-events subscriptions and the agent's own, which its login begins anew, hear it.
    desk.logs_in("1001").await;
    assert_eq!(recorder.receives_event("1001", LOGIN).await.monitor_id, 0);
    assert_eq!(recorder.receives_event("1001", NOT_READY).await.monitor_id, 0);
    recorder.receives_nothing().await;
    // A client that tidies up its ended monitor is not told that it erred.
    recorder.sends(MonitorStopReq { invoke_id: 9, monitor_id: monitor, ..Default::default() });
    assert!(matches!(recorder.receives().await, AnyMessage::MonitorStopConf(_)));
}

#[tokio::test(start_paused = true)]
async fn after_the_confirm_the_agents_client_hears_nothing_until_it_logs_in_again() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let logout = desk.asks("1001", LOGOUT);
    desk.receives_event("1001", LOGOUT).await;
    desk.receives_confirm(logout).await;
    let login = bridge.asks("1001", LOGIN);
    for _ in 0..3 {
        bridge.receives().await; // what the first login and the logout brought
    }
    bridge.receives_confirm(login).await;
    desk.receives_nothing().await;
}

// --- 8: the teardown fails -------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_teardown_that_fails_fails_the_request_and_goes_on_until_it_is_done() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let first = house.acd.hold("close_adapter");
    let second = house.acd.hold("close_adapter");
    desk.asks("1001", LOGOUT);
    first.await.unwrap().refuses(AcdRefusal::Refused { code: 0, words: "busy".to_owned() });
    desk.receives_event("1001", LOGOUT).await;
    let failed = desk.receives_control_failure().await;
    assert!(failed.text.unwrap().as_str().contains("close adapter"), "names the step");
    assert_eq!(desk.queries("1001").await, LOGOUT, "the logout is not undone");
    let tried_again = second.await.unwrap();
    tried_again.does_it();
    desk.receives_nothing().await;
    assert!(adapters(&house).is_empty(), "done in the background");
    let again = desk.asks("1001", LOGOUT);
    desk.receives_confirm(again).await;
}

#[tokio::test(start_paused = true)]
async fn asking_again_before_the_teardown_is_done_finishes_it() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let held = house.acd.hold("close_adapter");
    desk.asks("1001", LOGOUT);
    held.await.unwrap().never_answers();
    desk.receives_event("1001", LOGOUT).await;
    assert!(desk.receives_control_failure().await.text.unwrap().as_str().contains("close adapter"));
    let again = desk.asks("1001", LOGOUT);
    desk.receives_confirm(again).await;
    assert!(adapters(&house).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_login_waits_for_the_teardown_that_is_left_to_do() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let held = house.acd.hold("close_adapter");
    desk.asks("1001", LOGOUT);
    held.await.unwrap().refuses(AcdRefusal::LinkDown);
    desk.receives_event("1001", LOGOUT).await;
    desk.receives_control_failure().await;
    desk.logs_in("1001").await;
    let journal = house.acd.journal();
    let last = |what: &str| journal.iter().rposition(|line| line == what).unwrap();
    assert!(last("close_adapter 1001 done") < last("open_adapter 1001 asked"));
    assert_eq!(adapters(&house), ["1001"]);
}

// --- 9: the connection drops ----------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn the_sequence_runs_to_its_end_when_the_client_is_gone() {
    for step in ["log_out", "close_adapter"] {
        let house = house().await;
        let mut bridge = Desk::bridge(&house).await;
        let mut desk = Desk::of_agent(&house, "1001").await;
        desk.logs_in("1001").await;
        for _ in 0..2 {
            bridge.receives().await;
        }
        let held = house.acd.hold(step);
        desk.asks("1001", LOGOUT);
        let held = held.await.unwrap();
        desk.drops();
        held.does_it();
        bridge.receives_event("1001", LOGOUT).await;
        house.house.commands_done().await;
        assert!(adapters(&house).is_empty(), "{step}");
        assert_eq!(house.house.table.subscriptions.count(), 1, "{step}: the bridge's own");
    }
}

// --- races ----------------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_logout_that_meets_a_login_is_done_after_it() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    let held = house.acd.hold("log_in");
    let login = desk.asks("1001", LOGIN);
    let held = held.await.unwrap();
    let logout = desk.asks("1001", LOGOUT);
    held.does_it();
    desk.receives_confirm(login).await;
    desk.receives_event("1001", LOGIN).await;
    desk.receives_event("1001", NOT_READY).await;
    desk.receives_event("1001", LOGOUT).await;
    desk.receives_confirm(logout).await;
    assert!(adapters(&house).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_logout_that_meets_a_login_which_fails_is_refused() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    let held = house.acd.hold("log_in");
    desk.asks("1001", LOGIN);
    let held = held.await.unwrap();
    desk.asks("1001", LOGOUT);
    held.refuses(AcdRefusal::Refused { code: 1, words: "no".to_owned() });
    assert_eq!(desk.receives_control_failure().await.failure_code, ControlFailure::CF_GENERIC_OPERATION_REJECTION);
    assert_eq!(desk.receives_control_failure().await.failure_code, ControlFailure::CF_INVALID_OBJECT_STATE);
    assert!(adapters(&house).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_operators_logout_at_the_acd_tears_down_as_well() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    house.acd.inner.console_log_out(&AgentId::new("1001").unwrap(), ReasonCode(99));
    assert_eq!(desk.receives_event("1001", LOGOUT).await.event_reason_code, 99);
    desk.receives_nothing().await;
    assert!(adapters(&house).is_empty());
    assert_eq!(house.house.table.subscriptions.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_agent_on_a_call_logs_out_only_when_forced() {
    let mut world = ctigate::acd::embedded::EmbeddedConfig::default();
    world.calls.answer_after = Duration::from_secs(1);
    let house = house_of(world, |_| ()).await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.ignores_calls = true;
    desk.logs_in("1001").await;
    let ready = desk.asks("1001", AVAILABLE);
    desk.receives_confirm(ready).await;
    desk.receives_event("1001", AVAILABLE).await;
    house.acd.inner.arrive(ctigate::model::QueueId(1));
    assert!(matches!(desk.receives().await, AnyMessage::AgentPreCallEvent(_)));
    desk.receives_event("1001", AgentState::AGENT_STATE_RESERVED).await;
    desk.receives_event("1001", AgentState::AGENT_STATE_TALKING).await;
    desk.asks("1001", LOGOUT);
    assert_eq!(desk.receives_control_failure().await.failure_code, ControlFailure::CF_INVALID_OBJECT_STATE);
    let forced = desk.asks_with("1001", LOGOUT, |request| request.forced_flag = FORCED);
    desk.receives_event("1001", LOGOUT).await;
    desk.receives_confirm(forced).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_too_late_changes_nothing_but_the_truth() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let held = house.acd.hold("log_out");
    desk.asks("1001", LOGOUT);
    let held = held.await.unwrap();
    tokio::time::advance(ACD_ANSWER * 2).await;
    assert_eq!(desk.receives_control_failure().await.failure_code, ControlFailure::CF_REQUEST_TIMEOUT_REJECTION);
    held.does_it(); // to nobody
    assert_eq!(desk.queries("1001").await, NOT_READY);
    assert_eq!(adapters(&house), ["1001"]);
}

async fn starts_monitor(desk: &mut Desk, device: &str) -> u32 {
    let invoke_id = desk.next_invoke_id();
    desk.sends(MonitorStartReq {
        invoke_id,
        peripheral_id: 5000,
        call_msg_mask: cti_protocol::ged188::codes::CallMsgMask(0xffff_ffff),
        agent_state_mask: cti_protocol::ged188::codes::AgentStateMask(0xffff_ffff),
        connection_device_id_type: cti_protocol::ged188::codes::ConnectionDeviceIdType::CONNECTION_ID_NONE,
        monitored_device_type: DeviceIdType::DEVID_DEVICE_IDENTIFIER,
        monitored_device_id: text(device),
        ..Default::default()
    });
    match desk.receives().await {
        AnyMessage::MonitorStartConf(started) => started.monitor_id,
        other => panic!("MONITOR_START_CONF expected, got {other:?}"),
    }
}

fn adapters(house: &TestHouse) -> Vec<String> {
    house.acd.inner.adapters().iter().map(ToString::to_string).collect()
}
