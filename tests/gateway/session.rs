//! Opening, keeping and closing a session.

use std::sync::Arc;
use std::time::Duration;

use cti_protocol::ged188::codes::{
    AgentState, AgentStateMask, CallMsgMask, DeviceIdType, ServiceMask, Status, SystemEventId,
};
use cti_protocol::ged188::{
    AnyMessage, CloseReq, Frame, HeartbeatReq, MessageType, MonitorStopReq, OpenReq, QueryAgentStateReq,
    RegisterServiceReq, Stranger, Text,
};
use ctigate::config::{ClientConfig, Flavour};
use ctigate::dialects::CloseReason;
use ctigate::model::{AgentId, AgentKey, AgentState as State, Password, Role, Secret, Service};

use crate::support::desk::{Desk, open_req, services_of_agent, services_of_bridge, text};
use crate::support::house::{PERIPHERAL, client, house, house_with, team};

const EVERYTHING: ServiceMask = ServiceMask(0xffff_ffff);

#[tokio::test(start_paused = true)]
async fn refuses_everything_before_a_session_is_open() {
    let house = house().await;
    let mut desk = Desk::connected(&house, 20);
    desk.sends(HeartbeatReq { invoke_id: 7, ..Default::default() });
    let failure = desk.receives_failure().await;
    assert_eq!((failure.invoke_id, failure.status), (7, Status::E_CTI_SESSION_NOT_OPEN));
    desk.sends(Stranger { message_type: MessageType(9_999), body: vec![0, 0, 0, 8].into() });
    let failure = desk.receives_failure().await;
    assert_eq!((failure.invoke_id, failure.status), (8, Status::E_CTI_SESSION_NOT_OPEN));
    desk.opens(open_req("late", services_of_bridge())).await;
}

#[tokio::test(start_paused = true)]
async fn refuses_a_second_open_and_keeps_the_first() {
    let house = house().await;
    let mut desk = Desk::bridge(&house).await;
    assert_eq!(
        desk.is_refused_to_open(open_req("bridge", services_of_bridge())).await,
        Status::E_CTI_SESSION_ALREADY_OPEN
    );
    desk.sends(HeartbeatReq { invoke_id: 3, ..Default::default() });
    assert!(matches!(desk.receives().await, AnyMessage::HeartbeatConf(answer) if answer.invoke_id == 3));
}

#[tokio::test(start_paused = true)]
async fn takes_every_version_from_9_to_24_and_no_other() {
    let house = house().await;
    for version in 9..=24 {
        let mut desk = Desk::connected(&house, version);
        desk.opens(open_req("any", services_of_bridge())).await;
        assert!(matches!(desk.receives().await, AnyMessage::SystemEvent(_)), "version {version}");
    }
    for number in [0, 8, 25, u32::MAX] {
        let mut desk = Desk::connected(&house, number.clamp(9, 24)); // it is answered in the closest version that there is
        desk.sends(OpenReq { version_number: number, ..open_req("any", services_of_bridge()) });
        assert_eq!(desk.receives_failure().await.status, Status::E_CTI_INVALID_VERSION, "version {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn grants_of_every_bit_only_what_there_is_and_what_makes_sense() {
    let house = house().await;
    let mut desk = Desk::connected(&house, 20);
    let request = OpenReq {
        call_msg_mask: CallMsgMask(u32::MAX),
        agent_state_mask: AgentStateMask(u32::MAX),
        agent_id: text("1001"),
        ..open_req("sloppy", EVERYTHING)
    };
    let granted = desk.opens(request).await.services_granted;
    for service in [
        ServiceMask::CTI_SERVICE_ALL_EVENTS,
        ServiceMask::CTI_SERVICE_CLIENT_CONTROL,
        ServiceMask::CTI_SERVICE_PERIPHERAL_MONITOR,
    ] {
        assert_ne!(granted.0 & service.0, 0, "{service:?}");
    }
    assert_eq!(granted.0 & ServiceMask::CTI_SERVICE_SUPERVISOR.0, 0);
    assert_eq!(granted.0 & 0x0400_4200, 0, "reserved bits");
}

#[tokio::test(start_paused = true)]
async fn refuses_services_that_there_are_not() {
    let house = house().await;
    let only = |service| open_req("any", service);
    let mut desk = Desk::connected(&house, 20);
    assert_eq!(
        desk.is_refused_to_open(only(ServiceMask::CTI_SERVICE_TASK_MONITOR)).await,
        Status::E_CTI_FUNCTION_NOT_AVAILABLE
    );
    assert_eq!(desk.is_refused_to_open(only(ServiceMask(0x0000_4000))).await, Status::E_CTI_INVALID_SERVICE_MASK);
    assert_eq!(
        desk.is_refused_to_open(only(services_of_agent())).await,
        Status::E_CTI_REQUIRED_DATA_MISSING,
        "no agent field with CLIENT_EVENTS"
    );
    desk.opens(only(services_of_bridge())).await;
}

#[tokio::test(start_paused = true)]
async fn takes_every_way_of_saying_no_idle_timeout_and_no_peripheral() {
    let house = house().await;
    for (idle_timeout, peripheral_id) in
        [(0xffff_ffff, 0xffff_ffff), (0x7fff_ffff, 0x7fff_ffff), (60, 0), (5, 5000), (0xffff_ffff, 5000)]
    {
        let mut desk = Desk::connected(&house, 20);
        let opened = desk.opens(OpenReq { idle_timeout, peripheral_id, ..open_req("any", services_of_bridge()) }).await;
        assert!(opened.peripheral_online.is_true());
    }
    let mut desk = Desk::connected(&house, 20);
    let request = OpenReq { idle_timeout: 4, ..open_req("any", services_of_bridge()) };
    assert_eq!(desk.is_refused_to_open(request).await, Status::E_CTI_INVALID_TIMEOUT);
    let request = OpenReq { peripheral_id: 4999, ..open_req("any", services_of_bridge()) };
    assert_eq!(desk.is_refused_to_open(request).await, Status::E_CTI_INVALID_PERIPHERAL_ID);
}

#[tokio::test(start_paused = true)]
async fn takes_a_client_without_a_password_and_none_without_an_id() {
    let house = house().await;
    let mut desk = Desk::connected(&house, 20);
    let request = OpenReq { client_id: None, ..open_req("", services_of_bridge()) };
    assert_eq!(desk.is_refused_to_open(request).await, Status::E_CTI_REQUIRED_DATA_MISSING);
    desk.opens(OpenReq { client_password: None, ..open_req("any", services_of_bridge()) }).await;
}

#[tokio::test(start_paused = true)]
async fn checks_the_passwords_of_configured_clients() {
    let house = house_with(|config| {
        let password = Some(Secret::Here(Password::new("s3cret")));
        config.clients = vec![ClientConfig { password, ..client("crm", Role::Bridge) }];
    })
    .await;
    let with = |id: &str, password: &str| OpenReq {
        client_password: Some(cti_protocol::ged188::Data::new(password.as_bytes()).unwrap().into()),
        ..open_req(id, services_of_bridge())
    };
    let mut desk = Desk::connected(&house, 20);
    for (id, password) in [("crm", "wrong"), ("crm", ""), ("other", "s3cret")] {
        assert_eq!(desk.is_refused_to_open(with(id, password)).await, Status::E_CTI_INVALID_PASSWORD, "{id}");
    }
    desk.opens(with("crm", "s3cret\0")).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_gets_no_more_than_its_configuration_allows() {
    let house = house_with(|config| {
        let services = Some(vec![Service::ClientEvents, Service::ClientControl]);
        config.clients = vec![ClientConfig { services, ..client("desktop", Role::Agent) }];
    })
    .await;
    let mut desk = Desk::connected(&house, 20);
    let granted =
        desk.opens(OpenReq { agent_id: text("1001"), ..open_req("desktop", EVERYTHING) }).await.services_granted;
    assert_eq!(granted.0 & services_of_bridge().0 & !ServiceMask::CTI_SERVICE_CLIENT_CONTROL.0, 0);
    desk.logs_in("1001").await;
    // Control without an agent of its own is control of nobody.
    let mut other = Desk::connected(&house, 20);
    other.opens(open_req("desktop", ServiceMask::CTI_SERVICE_CLIENT_CONTROL)).await;
    other.asks("1001", AgentState::AGENT_STATE_LOGOUT);
    assert_eq!(other.receives_failure().await.status, Status::E_CTI_FUNCTION_NOT_AVAILABLE);
}

#[tokio::test(start_paused = true)]
async fn a_device_has_one_client_and_its_newer_session_takes_over() {
    let house = house().await;
    let mut first = Desk::of_agent(&house, "1001").await;
    let mut stranger = Desk::connected(&house, 20);
    let by_other = OpenReq { agent_id: text("1001"), ..open_req("somebody else", services_of_agent()) };
    assert_eq!(stranger.is_refused_to_open(by_other).await, Status::E_CTI_DEVICE_IN_USE);
    let _second = Desk::of_agent(&house, "1001").await;
    match first.receives().await {
        AnyMessage::FailureEvent(event) => assert_eq!(event.status, Status::E_CTI_NEW_SESSION_OPENED),
        other => panic!("FAILURE_EVENT expected, got {other:?}"),
    }
    assert!(matches!(first.closed, Some(CloseReason::Replaced { .. })));
}

#[tokio::test(start_paused = true)]
async fn refuses_agents_and_devices_that_there_are_not_or_that_contradict_each_other() {
    let house = house().await;
    let mut working = Desk::of_agent(&house, "1002").await;
    working.logs_in("1002").await;
    let mut desk = Desk::connected(&house, 20);
    let of = |agent: Option<Text<12>>, device: Option<Text<64>>| OpenReq {
        agent_id: agent,
        agent_instrument: device,
        ..open_req("any", services_of_agent())
    };
    assert_eq!(desk.is_refused_to_open(of(text("9999"), None)).await, Status::E_CTI_INVALID_AGENT_DATA);
    assert_eq!(desk.is_refused_to_open(of(None, text("9999"))).await, Status::E_CTI_INVALID_AGENT_DATA);
    assert_eq!(desk.is_refused_to_open(of(text("1001"), text("3002"))).await, Status::E_CTI_INCONSISTENT_AGENT_DATA);
    desk.opens(of(text("1001"), text("3001"))).await;
}

#[tokio::test(start_paused = true)]
async fn tells_an_opening_client_how_its_agent_stands() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    desk.drops();
    let mut desk = Desk::connected(&house, 20);
    let request = OpenReq { agent_instrument: text("3001"), ..open_req("desktop-1001", services_of_agent()) };
    let opened = desk.opens(request).await;
    assert_eq!(opened.agent_state, AgentState::AGENT_STATE_NOT_READY, "closing a session is not a logout");
    assert_eq!((opened.agent_id, opened.agent_instrument), (text("1001"), text("3001")));
    assert_ne!(opened.monitor_id, 0);
}

#[tokio::test(start_paused = true)]
async fn answers_heartbeats_and_ends_a_session_that_falls_silent() {
    let house = house().await;
    let mut desk = Desk::connected(&house, 20);
    desk.opens(OpenReq { idle_timeout: 20, ..open_req("any", ServiceMask(0)) }).await;
    for invoke_id in 1..5 {
        desk.lets_pass(Duration::from_secs(19)).await;
        desk.sends(HeartbeatReq { invoke_id, ..Default::default() });
        assert!(matches!(desk.receives().await, AnyMessage::HeartbeatConf(answer) if answer.invoke_id == invoke_id));
    }
    desk.lets_pass(Duration::from_secs(20)).await;
    assert!(matches!(desk.closed, Some(CloseReason::Idle { .. })), "{:?}", desk.closed);
    assert!(matches!(desk.receives().await, AnyMessage::FailureEvent(event) if event.status == Status::E_CTI_TIMEOUT));
}

#[tokio::test(start_paused = true)]
async fn ends_a_connection_that_opens_no_session() {
    let house = house().await;
    let mut desk = Desk::connected(&house, 20);
    desk.lets_pass(Duration::from_secs(31)).await;
    assert!(matches!(desk.closed, Some(CloseReason::NotOpened { .. })), "{:?}", desk.closed);
}

#[tokio::test(start_paused = true)]
async fn confirms_a_close_after_the_requests_that_are_open() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let held = house.acd.hold("log_out");
    let logout = desk.asks("1001", AgentState::AGENT_STATE_LOGOUT);
    let held = held.await.unwrap();
    desk.sends(CloseReq { invoke_id: 77, ..Default::default() });
    desk.receives_nothing().await;
    held.does_it();
    desk.receives_event("1001", AgentState::AGENT_STATE_LOGOUT).await;
    desk.receives_confirm(logout).await;
    assert!(matches!(desk.receives().await, AnyMessage::CloseConf(answer) if answer.invoke_id == 77));
    assert!(matches!(desk.closed, Some(CloseReason::ClientClosed)));
    assert_eq!(house.house.table.clients(), 0);
}

#[tokio::test(start_paused = true)]
async fn says_goodbye_at_shutdown_when_the_running_logout_is_through() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let held = house.acd.hold("close_adapter");
    let logout = desk.asks("1001", AgentState::AGENT_STATE_LOGOUT);
    desk.receives_event("1001", AgentState::AGENT_STATE_LOGOUT).await;
    let held = held.await.unwrap();
    desk.gateway_shuts_down();
    desk.sends(HeartbeatReq { invoke_id: 5, ..Default::default() });
    assert_eq!(desk.receives_failure().await.status, Status::E_CTI_CTI_SERVER_OFFLINE);
    held.does_it();
    desk.receives_confirm(logout).await;
    match desk.receives().await {
        AnyMessage::FailureEvent(event) => assert_eq!(event.status, Status::E_CTI_CTI_SERVER_OFFLINE),
        other => panic!("FAILURE_EVENT expected, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn tells_an_all_events_client_of_each_peripheral_when_it_opens() {
    let house = house().await;
    let mut desk = Desk::connected(&house, 24);
    let opened = desk.opens(open_req("any", services_of_bridge())).await;
    assert_eq!(opened.monitor_id, 0);
    assert_eq!(opened.session_type.0, 1, "active");
    assert_eq!(opened.num_peripherals, Some(1));
    assert_eq!(opened.peripherals[0].id, Some(5000));
    let event = desk.receives_system_event().await;
    assert_eq!(event.system_event_id, SystemEventId::SYS_PERIPHERAL_ONLINE);
    assert_eq!(event.system_event_arg1, 5000);
    assert_eq!(event.event_device_type, DeviceIdType::DEVID_NONE);
}

#[tokio::test(start_paused = true)]
async fn a_broken_frame_costs_its_own_answer_and_nothing_else() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    // QUERY_AGENT_STATE_REQ whose AgentID claims 200 bytes; SET_AGENT_STATE_REQ that ends after its InvokeID.
    let broken: [(&[u8], Status); 3] = [
        (
            b"\0\0\0\x16\0\0\0\x24\0\0\0\x09\xff\xff\xff\xff\0\0\0\x01\0\0\0\0\0\x05\0\xc81x",
            Status::E_CTI_BAD_MESSAGE_FORMAT,
        ),
        (b"\0\0\0\x04\0\0\0\x26\0\0\0\x09", Status::E_CTI_BAD_MESSAGE_FORMAT),
        (
            b"\0\0\0\x22\0\0\0\x24\0\0\0\x09\xff\xff\xff\xff\0\0\0\x01\0\0\0\0\0\x05\0\x0e12345678901234",
            Status::E_CTI_INVALID_FIELD_LENGTH,
        ),
    ];
    for (bytes, status) in broken {
        desk.sends_bytes(bytes);
        let failure = desk.receives_failure().await;
        assert_eq!((failure.invoke_id, failure.status), (9, status), "{:?}", failure.text);
    }
    assert_eq!(desk.queries("1001").await, AgentState::AGENT_STATE_LOGOUT);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_longer_than_allowed_ends_the_connection_with_a_reason() {
    let house = house().await;
    let mut desk = Desk::connected(&house, 20);
    desk.sends_bytes(b"GET / HTTP/1.1\r\n");
    assert!(matches!(desk.closed, Some(CloseReason::BrokenFraming(_))), "{:?}", desk.closed);
    match desk.receives().await {
        AnyMessage::FailureEvent(event) => assert_eq!(event.status, Status::E_CTI_INVALID_MESSAGE_LENGTH),
        other => panic!("FAILURE_EVENT expected, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn refuses_what_it_does_not_know_or_have_and_goes_on() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    let asks = |number: u32| Stranger { message_type: MessageType(number), body: vec![0, 0, 0, 4].into() };
    for (number, status) in [
        (9_999, Status::E_CTI_INVALID_MSG_TYPE_FOR_VERSION),
        (279, Status::E_CTI_INVALID_MSG_TYPE_FOR_VERSION), // from version 24
    ] {
        let frame = asks(number);
        desk.sends(frame);
        let failure = desk.receives_failure().await;
        assert_eq!((failure.invoke_id, failure.status), (4, status), "type {number}: {:?}", failure.text);
    }
    desk.sends(RegisterServiceReq { invoke_id: 5, ..Default::default() });
    assert_eq!(desk.receives_failure().await.status, Status::E_CTI_FUNCTION_NOT_AVAILABLE, "not supported");
    desk.sends(MonitorStopReq { invoke_id: 6, monitor_id: 1, ..Default::default() });
    assert_eq!(desk.receives_failure().await.status, Status::E_CTI_FUNCTION_NOT_AVAILABLE, "service not granted");
    assert_eq!(desk.queries("1001").await, AgentState::AGENT_STATE_LOGOUT);
}

#[tokio::test(start_paused = true)]
async fn every_request_of_the_catalogue_is_answered_or_refused_as_not_available() {
    use cti_protocol::ged188::catalogue::{CATALOGUE, SentBy};
    use ctigate::dialects::ged188::ANSWERED;
    let house = house_with(|config| {
        config.teams = vec![team(1, &["1001"], &["1002"])];
    })
    .await;
    // A bridge supervises nobody, and who has an agent of its own is no bridge.
    let of_supervisors = ServiceMask(ServiceMask::CTI_SERVICE_CLIENT_EVENTS.0 | ServiceMask::CTI_SERVICE_SUPERVISOR.0);
    for info in CATALOGUE.iter().filter(|info| info.sent_by == SentBy::Client) {
        let mut desk = Desk::connected(&house, 24);
        let is_supervisors = info.service == "supervisor";
        let services = if is_supervisors { of_supervisors } else { EVERYTHING };
        let request = OpenReq { agent_id: text("1001"), ..open_req("any", services) };
        desk.opens(request).await;
        desk.receives().await; // the peripheral, or the team
        let fixed_bytes: usize = info.fixed.iter().map(|field| field.bytes_max.unwrap_or(0)).sum();
        desk.sends(Stranger { message_type: info.message_type, body: vec![0; fixed_bytes].into() });
        let answer = desk.has_received();
        let is_not_available = matches!(&answer, Some(AnyMessage::FailureConf(failure))
            if failure.status == Status::E_CTI_FUNCTION_NOT_AVAILABLE);
        assert!(answer.is_some(), "{} gets no answer", info.name);
        assert_eq!(is_not_available, !ANSWERED.contains(&info.message_type), "{}: {answer:?}", info.name);
    }
}

#[tokio::test(start_paused = true)]
async fn the_uccx_flavour_takes_the_long_agent_id_and_peripheral_1() {
    let house = house_with(|config| config.listeners[0].flavour = Flavour::Uccx).await;
    let mut desk = Desk::connected(&house, 18);
    let request = OpenReq { agent_id_long: text("1001"), peripheral_id: 1, ..open_req("uccx", services_of_agent()) };
    desk.opens(request).await;
    let login = desk.asks_with("1001", AgentState::AGENT_STATE_LOGIN, |request| {
        request.agent_id = None;
        request.agent_id_long = text("1001");
        request.peripheral_id = 1;
    });
    desk.receives_confirm(login).await;
    match desk.receives().await {
        AnyMessage::AgentStateEvent(event) => {
            assert_eq!((event.agent_id, event.agent_id_long), (None, text("1001")));
        }
        other => panic!("AGENT_STATE_EVENT expected, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_client_is_closed_with_its_reason_and_nobody_else_notices() {
    let house = house_with(|config| config.limits.outbound_bytes_max = 2_000).await;
    let slow = Desk::bridge(&house).await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    for _ in 0..10 {
        desk.logs_in("1001").await;
        let logout = desk.asks("1001", AgentState::AGENT_STATE_LOGOUT);
        desk.receives_event("1001", AgentState::AGENT_STATE_LOGOUT).await;
        desk.receives_confirm(logout).await;
    }
    let overdue = slow.outbox.take(&mut bytes::BytesMut::new()).unwrap_err();
    assert_eq!(overdue.bytes_max, 2_000);
    assert!(overdue.queued > 2_000);
}

#[tokio::test(start_paused = true)]
async fn finds_the_agent_by_any_of_its_names_or_by_none_in_its_own_session() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let by = |change: fn(&mut QueryAgentStateReq)| {
        let mut request = QueryAgentStateReq { invoke_id: 8, peripheral_id: 5000, ..Default::default() };
        change(&mut request);
        request
    };
    for request in [
        by(|request| request.agent_id = text("1001")),
        by(|request| request.agent_instrument = text("3001")),
        by(|request| request.agent_extension = text("3001")),
        by(|request| request.agent_id_long = text("1001")),
        by(|request| request.icm_agent_id = 1001),
        by(|_| ()),
    ] {
        desk.sends(request.clone());
        match desk.receives().await {
            AnyMessage::QueryAgentStateConf(answer) => {
                assert_eq!(answer.agent_state, AgentState::AGENT_STATE_NOT_READY, "{request:?}");
                assert_eq!(answer.num_skill_groups, 3);
                assert_eq!(answer.skill_groups.len(), 3);
            }
            other => panic!("{request:?}: {other:?}"),
        }
    }
}

#[test]
fn a_frame_can_be_made_by_hand() {
    // The tests above write frames by hand: that the header is length, then type is checked here.
    let frame = Frame { message_type: MessageType::HEARTBEAT_REQ, body: vec![0, 0, 0, 1].into() };
    let mut out = bytes::BytesMut::new();
    tokio_util::codec::Encoder::encode(&mut cti_protocol::ged188::FrameCodec::default(), frame, &mut out).unwrap();
    assert_eq!(&out[..], b"\0\0\0\x04\0\0\0\x05\0\0\0\x01");
}

#[tokio::test(start_paused = true)]
async fn what_a_client_asks_behind_more_than_it_may_be_owed_is_not_done() {
    let house = house_with(|config| config.limits.outbound_bytes_max = 16 * 1024).await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    let mut bytes = bytes::BytesMut::new();
    for invoke_id in 0..5_000 {
        <AnyMessage>::from(HeartbeatReq { invoke_id, ..Default::default() }).encode(desk.version, &mut bytes).unwrap();
    }
    let login = cti_protocol::ged188::SetAgentStateReq {
        invoke_id: 9,
        peripheral_id: 0xffff_ffff,
        agent_state: AgentState::AGENT_STATE_LOGIN,
        agent_id: text("1001"),
        agent_instrument: text("3001"),
        agent_password: Some(Text::new("pw1001").unwrap().into()),
        ..Default::default()
    };
    AnyMessage::from(login).encode(desk.version, &mut bytes).unwrap();
    desk.sends_bytes(&bytes);
    tokio::task::yield_now().await;
    assert!(desk.outbox.take(&mut bytes::BytesMut::new()).is_err(), "it is closed as too slow");
    let agent = ctigate::model::AgentId::new("1001").unwrap();
    assert!(!house.acd.inner.facts(&agent).unwrap().is_logged_in());
}

/// A session opens on a thread of its own, and is held up between OPEN_CONF and its subscription.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_of_the_agent_while_its_session_opens_is_told() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1001").await;
    let (not_ready, ready) = (AgentState::AGENT_STATE_NOT_READY, AgentState::AGENT_STATE_AVAILABLE);
    let key = AgentKey { peripheral: PERIPHERAL, agent: AgentId::new("1001").unwrap() };
    let cell = house.house.table.agent(&key).unwrap();
    for (by, names_agent, was, wanted, becomes) in [
        ("AgentID", true, not_ready, ready, State::Ready),
        ("AgentInstrument", false, ready, not_ready, State::NotReady),
    ] {
        let (mut desk, calls) = (Desk::connected(&house, 20), house.house.table.calls(PERIPHERAL));
        let outbox = Arc::clone(&desk.outbox);
        let services = services_of_agent();
        let request = match names_agent {
            true => OpenReq { agent_id: text("1001"), ..open_req("desktop", services) },
            false => OpenReq { agent_instrument: text("3001"), ..open_req("desktop", services) },
        };
        let held = calls.lock(); // what a subscription begins with are the calls that there are
        let opening = std::thread::spawn(move || {
            desk.sends(request);
            desk
        });
        while outbox.waiting() == 0 {
            std::thread::yield_now();
        }
        bridge.asks("1001", wanted);
        while cell.entry().facts.state != becomes {
            std::thread::yield_now();
        }
        drop(held);
        let mut desk = tokio::task::spawn_blocking(|| opening.join().unwrap()).await.unwrap();
        match desk.receives().await {
            AnyMessage::OpenConf(opened) => assert_eq!(opened.agent_state, was, "{by}"),
            other => panic!("{other:?}"),
        }
        desk.receives_event("1001", wanted).await;
        desk.drops();
    }
}
