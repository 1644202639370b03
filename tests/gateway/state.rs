//! Agent states, monitors, and what subscribers hear.

use std::time::Duration;

use cti_protocol::ged188::codes::{
    AgentState, AgentStateMask, CallMsgMask, ConnectionDeviceIdType, ControlFailure, DeviceIdType, ForcedFlag, Status,
    SystemEventId,
};
use cti_protocol::ged188::{AnyMessage, ChangeMonitorMaskReq, MonitorStartReq, MonitorStopReq, OpenReq, Text};
use ctigate::acd::embedded::EmbeddedConfig;
use ctigate::acd::{AcdRefusal, Capabilities};
use ctigate::model::{AgentId, QueueId, ReasonCode};

use crate::support::desk::{Desk, FORCED, open_req, services_of_agent, services_of_bridge, skill_groups, text};
use crate::support::house::{house, house_of};

const LOGIN: AgentState = AgentState::AGENT_STATE_LOGIN;
const LOGOUT: AgentState = AgentState::AGENT_STATE_LOGOUT;
const NOT_READY: AgentState = AgentState::AGENT_STATE_NOT_READY;
const AVAILABLE: AgentState = AgentState::AGENT_STATE_AVAILABLE;

#[tokio::test(start_paused = true)]
async fn an_agent_logs_in_works_and_logs_out() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    for (state, reason, shown) in [(AVAILABLE, 0, 0), (NOT_READY, 12, 12), (NOT_READY, 13, 13), (AVAILABLE, 5, 0)] {
        let asked = desk.asks_with("1001", state, |request| request.event_reason_code = reason);
        desk.receives_confirm(asked).await;
        assert_eq!(desk.receives_event("1001", state).await.event_reason_code, shown);
        assert_eq!(desk.queries("1001").await, state);
    }
    let again = desk.asks("1001", AVAILABLE);
    desk.receives_confirm(again).await;
    let logout = desk.asks("1001", LOGOUT);
    desk.receives_event("1001", LOGOUT).await;
    desk.receives_confirm(logout).await;
    assert_eq!(desk.queries("1001").await, LOGOUT);
}

#[tokio::test(start_paused = true)]
async fn a_login_is_refused_with_the_code_that_says_why() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1002").await;
    type Change = fn(&mut cti_protocol::ged188::SetAgentStateReq);
    let cases: [(Change, ControlFailure); 6] = [
        (
            |r| r.agent_password = Some(Text::new("wrong").unwrap().into()),
            ControlFailure::CF_INVALID_AGENT_ID_OR_PASSWORD_SPECIFIED,
        ),
        (|r| r.agent_password = None, ControlFailure::CF_INVALID_AGENT_ID_OR_PASSWORD_SPECIFIED),
        (|r| r.agent_id = text("9999"), ControlFailure::CF_INVALID_AGENT_ID_OR_PASSWORD_SPECIFIED),
        (|r| r.agent_instrument = text("9999"), ControlFailure::CF_INVALID_LOGON_DEVICE_SPECIFIED),
        (|r| r.agent_instrument = text("3002"), ControlFailure::CF_SPECIFIED_EXTENSION_ALREADY_IN_USE),
        (
            |r| (r.num_skill_groups, r.skill_groups) = (1, skill_groups(&[77])),
            ControlFailure::CF_INVALID_SKILL_GROUP_SPECIFIED,
        ),
    ];
    for (change, code) in cases {
        bridge.asks_with("1001", LOGIN, change);
        let refused = bridge.receives_control_failure().await;
        assert_eq!(refused.failure_code, code, "{:?}", refused.text);
    }
    bridge.asks("1002", LOGIN);
    let refused = bridge.receives_control_failure().await;
    assert_eq!(refused.failure_code, ControlFailure::CF_SPECIFIED_AGENT_ALREADY_SIGNED_ON);
    bridge.receives_nothing().await;
    let adapters: Vec<_> = house.acd.inner.adapters().iter().map(ToString::to_string).collect();
    assert_eq!(adapters, ["1002"], "a refused login leaves no adapter open");
}

#[tokio::test(start_paused = true)]
async fn what_the_gateway_refuses_itself_is_a_failure_conf() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.asks_with("1001", LOGIN, |request| request.agent_id = None);
    assert_eq!(bridge.receives_failure().await.status, Status::E_CTI_REQUIRED_DATA_MISSING);
    bridge.asks_with("1001", LOGIN, |request| request.agent_instrument = None);
    assert_eq!(bridge.receives_failure().await.status, Status::E_CTI_REQUIRED_DATA_MISSING);
    bridge.asks_with("1001", LOGIN, |request| request.num_skill_groups = 2);
    assert_eq!(bridge.receives_failure().await.status, Status::E_CTI_INVALID_NUM_SKILL_GROUPS);
    bridge.asks_with("1001", LOGIN, |request| request.peripheral_id = 1234);
    assert_eq!(bridge.receives_failure().await.status, Status::E_CTI_INVALID_PERIPHERAL_ID);
    bridge.logs_in("1001").await;
    bridge.asks_with("1001", AVAILABLE, |request| request.agent_instrument = text("3050"));
    assert_eq!(bridge.receives_failure().await.status, Status::E_CTI_INCONSISTENT_AGENT_DATA);
}

#[tokio::test(start_paused = true)]
async fn states_that_cannot_be_asked_for_are_refused() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.asks("1001", AVAILABLE);
    assert_eq!(desk.receives_control_failure().await.failure_code, ControlFailure::CF_INVALID_OBJECT_STATE);
    desk.logs_in("1001").await;
    for (state, code) in [
        (AgentState::AGENT_STATE_TALKING, ControlFailure::CF_GENERIC_STATE_INCOMPATIBILITY),
        (AgentState::AGENT_STATE_RESERVED, ControlFailure::CF_GENERIC_STATE_INCOMPATIBILITY),
        (AgentState(77), ControlFailure::CF_VALUE_OUT_OF_RANGE),
    ] {
        desk.asks("1001", state);
        assert_eq!(desk.receives_control_failure().await.failure_code, code, "{state:?}");
    }
    desk.asks_with("1001", LOGOUT, |request| request.forced_flag = ForcedFlag(9));
    assert_eq!(desk.receives_control_failure().await.failure_code, ControlFailure::CF_VALUE_OUT_OF_RANGE);
}

#[tokio::test(start_paused = true)]
async fn what_the_acd_cannot_do_is_refused_and_never_pretended() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let cannot = Capabilities {
        after_call_work: false,
        partial_logout: false,
        ..ctigate::acd::Acd::capabilities(&house.acd.inner)
    };
    *house.acd.capabilities.lock().unwrap() = Some(cannot);
    desk.asks("1001", AgentState::AGENT_STATE_WORK_READY);
    assert_eq!(desk.receives_control_failure().await.failure_code, ControlFailure::CF_INVALID_FEATURE);
    desk.asks_with("1001", LOGOUT, |request| {
        (request.num_skill_groups, request.skill_groups) = (1, skill_groups(&[2]));
    });
    assert_eq!(desk.receives_control_failure().await.failure_code, ControlFailure::CF_INVALID_FEATURE);
    assert_eq!(desk.queries("1001").await, NOT_READY);
}

#[tokio::test(start_paused = true)]
async fn a_forced_login_takes_agent_and_device_over() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1001").await;
    bridge.logs_in("1002").await;
    // 1001 moves to the device of 1002.
    let forced = bridge.asks_with("1001", LOGIN, |request| {
        request.forced_flag = FORCED;
        request.agent_instrument = text("3002");
    });
    let mut seen = Vec::new();
    for _ in 0..5 {
        match bridge.receives().await {
            AnyMessage::AgentStateEvent(event) => seen.push((event.agent_id.unwrap().to_string(), event.agent_state)),
            AnyMessage::SetAgentStateConf(confirm) => assert_eq!(confirm.invoke_id, forced),
            other => panic!("{other:?}"),
        }
    }
    for expected in [("1001", LOGOUT), ("1002", LOGOUT), ("1001", LOGIN), ("1001", NOT_READY)] {
        assert!(seen.contains(&(expected.0.to_owned(), expected.1)), "{expected:?} in {seen:?}");
    }
    bridge.receives_nothing().await;
    let adapters: Vec<_> = house.acd.inner.adapters().iter().map(ToString::to_string).collect();
    assert_eq!(adapters, ["1001"]);
}

#[tokio::test(start_paused = true)]
async fn forced_flag_2_checks_the_password_and_changes_nothing() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    let check = bridge.asks_with("1001", LOGIN, |request| request.forced_flag = ForcedFlag::AUTHENTICATE_ONLY);
    bridge.receives_confirm(check).await;
    bridge.asks_with("1001", LOGIN, |request| {
        request.forced_flag = ForcedFlag::AUTHENTICATE_ONLY;
        request.agent_password = Some(Text::new("wrong").unwrap().into());
    });
    let refused = bridge.receives_control_failure().await;
    assert_eq!(refused.failure_code, ControlFailure::CF_INVALID_AGENT_ID_OR_PASSWORD_SPECIFIED);
    assert_eq!(bridge.queries("1001").await, LOGOUT);
    bridge.receives_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_login_whose_answer_is_lost_fails_and_leaves_nobody_logged_in() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    let held = house.acd.hold("log_in");
    desk.asks("1001", LOGIN);
    held.await.unwrap().does_it_in_silence();
    let failed = desk.receives_control_failure().await;
    assert_eq!(failed.failure_code, ControlFailure::CF_REQUEST_TIMEOUT_REJECTION);
    desk.receives_nothing().await;
    assert!(!house.acd.inner.facts(&AgentId::new("1001").unwrap()).unwrap().is_logged_in());
    assert!(house.acd.inner.adapters().is_empty());
    desk.logs_in("1001").await;
}

#[tokio::test(start_paused = true)]
async fn logging_in_again_joins_further_queues() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    let login = desk.asks_with("1001", LOGIN, |request| {
        (request.num_skill_groups, request.skill_groups) = (1, skill_groups(&[1]));
    });
    desk.receives_confirm(login).await;
    desk.receives_event("1001", LOGIN).await;
    let event = desk.receives_event("1001", NOT_READY).await;
    assert_eq!((event.skill_group_number, event.num_flt_skill_groups), (1, 0));
    let more = desk.asks_with("1001", LOGIN, |request| {
        (request.num_skill_groups, request.skill_groups) = (1, skill_groups(&[3]));
    });
    desk.receives_confirm(more).await;
    let event = desk.receives_event("1001", NOT_READY).await;
    assert_eq!(event.num_flt_skill_groups, 2);
    assert_eq!(event.flt_skill_groups.iter().map(|set| set.number.unwrap()).collect::<Vec<_>>(), [1, 3]);
}

#[tokio::test(start_paused = true)]
async fn masks_say_which_states_are_heard() {
    let house = house().await;
    let mut wants_logout = Desk::connected(&house, 20);
    let request =
        OpenReq { agent_state_mask: AgentStateMask::AGENT_LOGOUT_MASK, ..open_req("mask", services_of_bridge()) };
    wants_logout.opens(request).await;
    wants_logout.receives_system_event().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let logout = desk.asks("1001", LOGOUT);
    desk.receives_event("1001", LOGOUT).await;
    desk.receives_confirm(logout).await;
    wants_logout.receives_event("1001", LOGOUT).await;
    wants_logout.receives_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn old_versions_get_one_event_a_skill_group_and_their_own_agent_mode() {
    let house = house().await;
    let mut old = Desk::connected(&house, 9);
    old.opens(open_req("old", services_of_bridge())).await;
    old.receives_system_event().await;
    let mut new = Desk::connected(&house, 24);
    new.opens(open_req("new", services_of_bridge())).await;
    new.receives_system_event().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    for state in [LOGIN, NOT_READY] {
        for group in 1..=3 {
            let event = old.receives_event("1001", state).await;
            assert_eq!((event.skill_group_number, event.flt_skill_groups.len()), (group, 0));
        }
        assert_eq!(new.receives_event("1001", state).await.flt_skill_groups.len(), 3);
    }
    let ready = desk.asks("1001", AVAILABLE);
    desk.receives_confirm(ready).await;
    assert_eq!(old.receives_event("1001", AVAILABLE).await.agent_mode.0, 0, "routable is 0 below version 20");
    assert_eq!(new.receives_event("1001", AVAILABLE).await.agent_mode.0, 1, "and 1 from there on");
}

#[tokio::test(start_paused = true)]
async fn monitors_are_started_changed_and_stopped_by_device_and_by_agent() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    let mut recorder = Desk::connected(&house, 20);
    let services = cti_protocol::ged188::codes::ServiceMask::CTI_SERVICE_PERIPHERAL_MONITOR;
    recorder.opens(open_req("recorder", services)).await;
    let by_device = starts(&mut recorder, "3001", DeviceIdType::DEVID_DEVICE_IDENTIFIER).await;
    let by_agent = starts(&mut recorder, "1001", DeviceIdType::DEVID_AGENT_DEVICE).await;
    assert_ne!(by_device, by_agent);
    desk.logs_in("1001").await;
    for state in [LOGIN, NOT_READY] {
        let mut ids = [0; 2];
        for id in &mut ids {
            *id = recorder.receives_event("1001", state).await.monitor_id;
        }
        ids.sort_unstable();
        assert_eq!(ids, [by_device, by_agent], "once for each monitor that it fits");
    }
    recorder.sends(ChangeMonitorMaskReq {
        invoke_id: 5,
        monitor_id: by_agent,
        agent_state_mask: AgentStateMask::AGENT_LOGOUT_MASK,
        ..Default::default()
    });
    assert!(matches!(recorder.receives().await, AnyMessage::ChangeMonitorMaskConf(_)));
    let ready = desk.asks("1001", AVAILABLE);
    desk.receives_confirm(ready).await;
    desk.receives_event("1001", AVAILABLE).await;
    assert_eq!(recorder.receives_event("1001", AVAILABLE).await.monitor_id, by_device);
    recorder.sends(MonitorStopReq { invoke_id: 6, monitor_id: by_device, ..Default::default() });
    assert!(matches!(recorder.receives().await, AnyMessage::MonitorStopConf(_)));
    let back = desk.asks("1001", NOT_READY);
    desk.receives_confirm(back).await;
    recorder.receives_nothing().await;
    recorder.sends(MonitorStopReq { invoke_id: 7, monitor_id: by_device, ..Default::default() });
    assert_eq!(recorder.receives_failure().await.status, Status::E_CTI_INVALID_MONITORID);
}

#[tokio::test(start_paused = true)]
async fn monitors_of_what_there_is_not_are_refused() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    let asks = |device: &str, call: Option<&str>| MonitorStartReq {
        invoke_id: 1,
        peripheral_id: 5000,
        connection_device_id_type: match call {
            Some(_) => ConnectionDeviceIdType::CONNECTION_ID_STATIC,
            None => ConnectionDeviceIdType::CONNECTION_ID_NONE,
        },
        connection_device_id: call.and_then(text),
        monitored_device_id: text(device),
        ..Default::default()
    };
    for (request, status) in [
        (asks("9999", None), Status::E_CTI_INVALID_DEVICE),
        (asks("", None), Status::E_CTI_REQUIRED_DATA_MISSING),
        (asks("", Some("3001")), Status::E_CTI_INVALID_CALLID),
        (asks("3001", Some("3001")), Status::E_CTI_MUTUALLY_EXCLUS_DEVICEID_TYPES),
    ] {
        bridge.sends(request);
        assert_eq!(bridge.receives_failure().await.status, status);
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_is_told_when_the_acd_goes_away_and_what_changed_when_it_is_back() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    for _ in 0..2 {
        bridge.receives().await;
    }
    house.acd.inner.go_away();
    for client in [&mut bridge, &mut desk] {
        let event = client.receives_system_event().await;
        assert_eq!(event.system_event_id, SystemEventId::SYS_PERIPHERAL_OFFLINE);
        assert_eq!((event.system_event_arg1, event.pg_status.0), (5000, 4));
    }
    desk.asks("1001", AVAILABLE);
    assert_eq!(desk.receives_control_failure().await.failure_code, ControlFailure::CF_RESOURCE_OUT_OF_SERVICE);
    house.acd.inner.console_set_state(
        &AgentId::new("1001").unwrap(),
        ctigate::model::WantedState::Ready,
        ReasonCode(0),
    );
    house.acd.inner.come_back();
    for client in [&mut bridge, &mut desk] {
        let event = client.receives_system_event().await;
        assert_eq!(event.system_event_id, SystemEventId::SYS_PERIPHERAL_ONLINE);
        assert_eq!(event.pg_status.0, 0);
        client.receives_event("1001", AVAILABLE).await;
        client.receives_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_asked_for_on_a_call_comes_when_the_call_ends() {
    let mut world = EmbeddedConfig::default();
    world.calls.answer_after = Duration::from_secs(1);
    let house = house_of(world, |_| ()).await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.ignores_calls = true;
    desk.logs_in("1001").await;
    let ready = desk.asks("1001", AVAILABLE);
    desk.receives_confirm(ready).await;
    desk.receives_event("1001", AVAILABLE).await;
    house.acd.inner.arrive(QueueId(1));
    match desk.receives().await {
        AnyMessage::AgentPreCallEvent(event) => {
            assert_eq!((event.agent_instrument, event.skill_group_number), (text("3001"), 1));
            assert_ne!(event.monitor_id, 0);
        }
        other => panic!("AGENT_PRE_CALL_EVENT expected, got {other:?}"),
    }
    desk.receives_event("1001", AgentState::AGENT_STATE_RESERVED).await;
    desk.receives_event("1001", AgentState::AGENT_STATE_TALKING).await;
    let later = desk.asks("1001", NOT_READY);
    desk.receives_confirm(later).await;
    let event = desk.receives_event("1001", AgentState::AGENT_STATE_TALKING).await;
    assert_eq!(event.next_agent_state, Some(NOT_READY));
    loop {
        match desk.receives().await {
            AnyMessage::AgentStateEvent(event) if event.agent_state == NOT_READY => break,
            AnyMessage::AgentStateEvent(_) => (), // after-call work, where there is any
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn requests_past_the_bound_are_refused_and_the_others_answered() {
    let house = crate::support::house::house_with(|config| config.limits.requests_in_flight_max = 2).await;
    let mut bridge = Desk::bridge(&house).await;
    let held = [house.acd.hold("authenticate"), house.acd.hold("authenticate")];
    let first = bridge.asks("1001", LOGIN);
    let second = bridge.asks("1002", LOGIN);
    bridge.asks("1003", LOGIN);
    let refused = bridge.receives_control_failure().await;
    assert_eq!(refused.failure_code, ControlFailure::CF_OUTSTANDING_REQUEST_LIMIT_EXCEEDED);
    for held in held {
        held.await.unwrap().refuses(AcdRefusal::BadCredentials);
    }
    let mut answered =
        [bridge.receives_control_failure().await.invoke_id, bridge.receives_control_failure().await.invoke_id];
    answered.sort_unstable();
    assert_eq!(answered, [first, second]);
}

#[tokio::test(start_paused = true)]
async fn the_agents_own_session_is_named_in_its_events() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    let mut desk = Desk::connected(&house, 20);
    desk.opens(OpenReq { agent_id: text("1001"), ..open_req("desktop-1001", services_of_agent()) }).await;
    desk.logs_in("1001").await;
    assert_ne!(bridge.receives_event("1001", LOGIN).await.session_id, 0);
    bridge.receives_event("1001", NOT_READY).await;
    bridge.asks("1002", LOGIN);
    bridge.receives().await;
    assert_eq!(bridge.receives_event("1002", LOGIN).await.session_id, 0);
}

async fn starts(desk: &mut Desk, device: &str, kind: DeviceIdType) -> u32 {
    let invoke_id = desk.next_invoke_id();
    desk.sends(MonitorStartReq {
        invoke_id,
        peripheral_id: 5000,
        call_msg_mask: CallMsgMask(u32::MAX),
        agent_state_mask: AgentStateMask(u32::MAX),
        connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_NONE,
        monitored_device_type: kind,
        monitored_device_id: text(device),
        ..Default::default()
    });
    match desk.receives().await {
        AnyMessage::MonitorStartConf(started) => started.monitor_id,
        other => panic!("MONITOR_START_CONF expected, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_while_the_acd_is_at_the_request_before_it_is_judged_by_what_that_leaves() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    let at_login = house.acd.hold("log_in");
    let login = desk.asks("1001", LOGIN);
    let ready = desk.asks("1001", AVAILABLE);
    let logout = desk.asks("1001", LOGOUT);
    desk.receives_nothing().await;
    at_login.await.unwrap().does_it();
    desk.receives_confirm(login).await;
    desk.receives_event("1001", LOGIN).await;
    desk.receives_event("1001", NOT_READY).await;
    // A logout goes before whatever has not been begun.
    let refused = desk.receives_control_failure().await;
    assert_eq!(
        (refused.invoke_id, refused.failure_code),
        (ready, ControlFailure::CF_DUPLICATE_INVOCATION_REJECTION),
        "{:?}",
        refused.text
    );
    desk.receives_event("1001", LOGOUT).await;
    desk.receives_confirm(logout).await;

    let at_login = house.acd.hold("log_in");
    let login = desk.asks("1001", LOGIN);
    let ready = desk.asks("1001", AVAILABLE);
    at_login.await.unwrap().does_it();
    desk.receives_confirm(login).await;
    desk.receives_event("1001", LOGIN).await;
    desk.receives_event("1001", NOT_READY).await;
    desk.receives_confirm(ready).await;
    desk.receives_event("1001", AVAILABLE).await;
}

#[tokio::test(start_paused = true)]
async fn what_comes_behind_a_login_that_fails_fails_as_well() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    let at_login = house.acd.hold("log_in");
    let login = desk.asks("1001", LOGIN);
    let ready = desk.asks("1001", AVAILABLE);
    at_login.await.unwrap().refuses(AcdRefusal::BadQueue { agent: AgentId::new("1001").unwrap(), queue: QueueId(2) });
    assert_eq!(desk.receives_control_failure().await.invoke_id, login);
    let refused = desk.receives_control_failure().await;
    assert_eq!((refused.invoke_id, refused.failure_code), (ready, ControlFailure::CF_INVALID_OBJECT_STATE));
}

#[tokio::test(start_paused = true)]
async fn a_logout_of_some_queues_behind_a_login_takes_no_more_than_those() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    let (at_login, at_logout) = (house.acd.hold("log_in"), house.acd.hold("log_out"));
    let login = desk.asks_with("1001", LOGIN, |request| {
        (request.num_skill_groups, request.skill_groups) = (2, skill_groups(&[1, 2]));
    });
    let ready = desk.asks("1001", AVAILABLE);
    let logout = desk.asks_with("1001", LOGOUT, |request| {
        (request.num_skill_groups, request.skill_groups) = (1, skill_groups(&[2]));
    });
    at_login.await.unwrap().does_it();
    desk.receives_confirm(login).await;
    desk.receives_event("1001", LOGIN).await;
    desk.receives_event("1001", NOT_READY).await;
    desk.receives_confirm(ready).await;
    desk.receives_event("1001", AVAILABLE).await;
    let at_logout = at_logout.await.unwrap();
    let not_ready = desk.asks("1001", NOT_READY);
    desk.receives_nothing().await; // the agent stays, so that its state may change
    at_logout.does_it();
    desk.receives_event("1001", AVAILABLE).await;
    desk.receives_confirm(logout).await;
    desk.receives_confirm(not_ready).await;
    desk.receives_event("1001", NOT_READY).await;
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_commands_no_agent_that_is_at_another_desk_by_then() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1001").await;
    let logout = bridge.asks("1001", LOGOUT);
    bridge.receives_event("1001", LOGOUT).await;
    bridge.receives_confirm(logout).await;
    let mut desk = Desk::connected(&house, 20);
    desk.opens(OpenReq { agent_instrument: text("3001"), ..open_req("desk-3001", services_of_agent()) }).await;
    for state in [AVAILABLE, LOGOUT] {
        let at_login = house.acd.hold("log_in");
        let login = bridge.asks_with("1001", LOGIN, |request| request.agent_instrument = text("3002"));
        while desk.has_received().is_some() {}
        let asked = desk.asks("1001", state);
        desk.receives_nothing().await;
        at_login.await.unwrap().does_it();
        bridge.is_answered(login).await;
        let refused = desk.receives_failure().await;
        assert_eq!((refused.invoke_id, refused.status), (asked, Status::E_CTI_FUNCTION_NOT_AVAILABLE), "{state:?}");
        assert!(house.acd.inner.facts(&AgentId::new("1001").unwrap()).unwrap().is_logged_in());
        // Back to the first desk, and out.
        for state in [LOGOUT, LOGIN, LOGOUT] {
            let asked = bridge.asks("1001", state);
            bridge.is_answered(asked).await;
        }
    }
}
