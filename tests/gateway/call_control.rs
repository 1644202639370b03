//! What clients ask to be done with calls: two calls that become one, calls that are made, refusals.

use std::time::Duration;

use cti_protocol::ged188::codes::{
    AnsweringMachine, CallMannerType, CallOption, CallPlacementType, ControlFailure, FacilityType, ServiceMask, Status,
};
use cti_protocol::ged188::{
    AnyMessage, ClearCallReq, ConsultationCallReq, MakeCallReq, MessageType, NamedVariable, OpenReq,
    QueryDeviceInfoReq, SnapshotCallReq, SnapshotDeviceReq, Stranger,
};
use ctigate::model::QueueId;

use crate::support::desk::{Desk, open_req, services_of_agent, text};
use crate::support::house::{PERIPHERAL, TestHouse, house_of};
use crate::support::phone::{call_watcher, in_words, patient_world, ready_desk};

/// Agent 1001 talks with a caller (call 1) and asks agent 1002 (call 2).
async fn consulting() -> (TestHouse, Desk, Desk, Desk) {
    let house = house_of(patient_world(), |_| ()).await;
    let b = call_watcher(&house).await;
    let mut a1 = ready_desk(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    a1.answers(1, "3001");
    a1.hears().await;
    let mut a2 = ready_desk(&house, "1002").await;
    let mut b = b;
    b.hears().await;
    let consult = a1.consults(1, "3001", "3002");
    assert_eq!(
        a1.hears().await,
        [
            format!("CONSULTATION_CALL {consult}"),
            "CALL_HELD 1@3001 lcs 4".to_owned(),
            "BEGIN_CALL 2@3001".to_owned(),
            "CALL_SERVICE_INITIATED 2@3001 lcs 1".to_owned(),
            "CALL_ORIGINATED 2@3001 lcs 1".to_owned(),
            "CALL_DELIVERED 2@3001 lcs 1 cause 22".to_owned(),
        ]
    );
    assert_eq!(a2.hears().await, ["BEGIN_CALL 2@3002", "CALL_DELIVERED 2@3002 lcs 2 cause 22", "agent RESERVED"]);
    let answer = a2.answers(2, "3002");
    assert_eq!(
        a2.hears().await,
        [format!("ANSWER_CALL {answer}"), "CALL_ESTABLISHED 2@3002 lcs 3".to_owned(), "agent TALKING".to_owned()]
    );
    assert_eq!(a1.hears().await, ["CALL_ESTABLISHED 2@3001 lcs 3"]);
    b.hears().await;
    (house, a1, a2, b)
}

#[tokio::test(start_paused = true)]
async fn a_consult_transfer_leaves_the_caller_with_the_agent_who_was_asked() {
    let (house, mut a1, mut a2, mut b) = consulting().await;
    let transfer = a1.transfers(2, 1, "3001");
    assert_eq!(
        a1.hears().await,
        [
            format!("TRANSFER_CALL {transfer}"),
            "CALL_TRANSFERRED 1@3001 lcs 0 cause 32 with 2".to_owned(),
            "END_CALL 1@3001".to_owned(),
            "END_CALL 2@3001".to_owned(),
            "agent AVAILABLE".to_owned(),
        ]
    );
    assert_eq!(a2.hears().await, ["CALL_TRANSFERRED 1@3001 lcs 3 cause 32 with 2", "CALL_DATA_UPDATE 2@3002 now 1"]);
    assert_eq!(
        b.hears().await,
        ["CALL_TRANSFERRED 1@3001 lcs 0 cause 32 with 2", "CALL_DATA_UPDATE 2@3002 now 1", "END_CALL 2@3001"]
    );
    a2.clears(1, "3002");
    let heard = a2.hears().await;
    assert_eq!(heard[3..], ["CALL_CLEARED 1@3002 lcs 0", "END_CALL 1@3002", "agent AVAILABLE"]);
    assert!(house.house.table.calls(PERIPHERAL).lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_conference_has_three_and_goes_on_when_one_leaves() {
    let (house, mut a1, mut a2, mut b) = consulting().await;
    let confer = a1.confers(2, 1, "3001");
    assert_eq!(
        a1.hears().await,
        [
            format!("CONFERENCE_CALL {confer}"),
            "CALL_CONFERENCED 1@3001 lcs 3 cause 17 with 2".to_owned(),
            "END_CALL 2@3001".to_owned(),
        ]
    );
    assert_eq!(a2.hears().await, ["CALL_CONFERENCED 1@3001 lcs 3 cause 17 with 2", "CALL_DATA_UPDATE 2@3002 now 1"]);
    b.hears().await;
    a1.clears(1, "3001");
    assert_eq!(a1.hears().await[1..], ["CALL_CONNECTION_CLEARED 1@3001 lcs 0", "END_CALL 1@3001", "agent AVAILABLE"]);
    assert_eq!(a2.hears().await, ["CALL_CONNECTION_CLEARED 1@3001 lcs 0"]);
    a2.clears(1, "3002");
    assert_eq!(a2.hears().await.last().map(String::as_str), Some("agent AVAILABLE"));
    assert_eq!(b.hears().await.last().map(String::as_str), Some("END_CALL 1@8001"));
    assert!(house.house.table.calls(PERIPHERAL).lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reconnect_ends_the_question_and_takes_the_caller_back() {
    let (_house, mut a1, mut a2, _b) = consulting().await;
    let reconnect = a1.reconnects(2, 1, "3001");
    let heard = a1.hears().await;
    assert_eq!(heard[0], format!("RECONNECT_CALL {reconnect}"));
    let calls: Vec<_> = heard.iter().filter(|words| !words.starts_with("agent")).collect();
    assert_eq!(
        calls[1..],
        [
            "CALL_CONNECTION_CLEARED 2@3001 lcs 0",
            "CALL_CONNECTION_CLEARED 2@3002 lcs 0",
            "CALL_CLEARED 2@3001 lcs 0",
            "END_CALL 2@3001",
            "CALL_RETRIEVED 1@3001 lcs 3",
        ]
    );
    assert_eq!(heard.iter().rfind(|words| words.starts_with("agent")).map(String::as_str), Some("agent TALKING"));
    assert_eq!(a2.hears().await.last().map(String::as_str), Some("agent AVAILABLE"));
}

#[tokio::test(start_paused = true)]
async fn alternating_holds_the_one_and_takes_the_other() {
    let (_house, mut a1, _a2, _b) = consulting().await;
    let alternate = a1.alternates(2, 1, "3001");
    assert_eq!(
        a1.hears().await,
        [
            format!("ALTERNATE_CALL {alternate}"),
            "CALL_HELD 2@3001 lcs 4".to_owned(),
            "agent HOLD".to_owned(),
            "CALL_RETRIEVED 1@3001 lcs 3".to_owned(),
            "agent TALKING".to_owned(),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_blind_transfer_rings_where_it_was_sent() {
    let house = house_of(patient_world(), |_| ()).await;
    let mut a1 = ready_desk(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    a1.answers(1, "3001");
    a1.hears().await;
    let mut a2 = ready_desk(&house, "1002").await;
    let transfer = a1.transfers_blindly(1, "3001", "3002");
    assert_eq!(
        a1.hears().await,
        [
            format!("TRANSFER_CALL {transfer}"),
            "CALL_TRANSFERRED 1@3001 lcs 0 cause 32 with 4294967295".to_owned(),
            "END_CALL 1@3001".to_owned(),
            "agent AVAILABLE".to_owned(),
        ]
    );
    assert_eq!(a2.hears().await, ["BEGIN_CALL 1@3002", "CALL_DELIVERED 1@3002 lcs 2 cause 22", "agent RESERVED"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_made_goes_out_is_answered_and_hung_up() {
    let mut world = patient_world();
    world.calls.auto_answer = true;
    let house = house_of(world, |_| ()).await;
    let mut a = ready_desk(&house, "1001").await;
    let make = a.makes_call("3001", "0041123");
    assert_eq!(
        a.hears().await,
        [
            format!("MAKE_CALL {make}"),
            "BEGIN_CALL 1@3001".to_owned(),
            "CALL_SERVICE_INITIATED 1@3001 lcs 1".to_owned(),
            "agent TALKING".to_owned(),
            "CALL_ORIGINATED 1@3001 lcs 1".to_owned(),
            "CALL_DELIVERED 1@3001 lcs 1 cause 22".to_owned(),
        ]
    );
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(a.hears().await, ["CALL_ESTABLISHED 1@3001 lcs 3"]);
    a.clears(1, "3001");
    assert_eq!(a.hears().await.last().map(String::as_str), Some("agent AVAILABLE"));
}

#[tokio::test(start_paused = true)]
async fn a_deflected_call_rings_elsewhere() {
    let house = house_of(patient_world(), |_| ()).await;
    let mut a1 = ready_desk(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    let mut a2 = ready_desk(&house, "1002").await;
    a1.hears().await;
    let deflect = a1.deflects(1, "3001", "3002");
    assert_eq!(
        a1.hears().await,
        [
            format!("DEFLECT_CALL {deflect}"),
            "PRE_CALL_ABORT".to_owned(),
            "CALL_DIVERTED 1@3001 lcs 0 cause 28".to_owned(),
            "END_CALL 1@3001".to_owned(),
            "agent AVAILABLE".to_owned(),
        ]
    );
    assert_eq!(a2.hears().await, ["BEGIN_CALL 1@3002", "CALL_DELIVERED 1@3002 lcs 2 cause 22", "agent RESERVED"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_is_refused_with_its_code() {
    let (_house, mut a1, mut a2, mut b) = consulting().await;
    b.hears().await;
    let refusals = [
        (a1.answers(2, "3001"), ControlFailure::CF_INVALID_OBJECT_STATE),
        (a1.answers(77, "3001"), ControlFailure::CF_INVALID_CSTA_CALL_IDENTIFIER),
        (a1.makes_call("3001", "3003"), ControlFailure::CF_INVALID_OBJECT_STATE),
        (a1.holds(1, "3001"), ControlFailure::CF_INVALID_OBJECT_STATE),
        (a1.holds(2, "3002"), ControlFailure::CF_PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE),
        (a1.transfers_blindly(2, "3001", "3002"), ControlFailure::CF_RESOURCE_BUSY),
        (a1.transfers_blindly(2, "3001", "bob"), ControlFailure::CF_INVALID_DESTINATION),
        (a1.releases(1, "3001"), ControlFailure::CF_INVALID_OBJECT_STATE),
    ];
    for (invoke_id, code) in refusals {
        let refusal = a1.receives_control_failure().await;
        assert_eq!((refusal.invoke_id, refusal.failure_code), (invoke_id, code), "{refusal:?}");
    }
    a2.hears().await;
    a1.receives_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn tones_are_sent_and_what_is_no_tone_is_refused_a_pause_as_well() {
    let (_house, mut a1, _a2, _b) = consulting().await;
    for tones in ["1", "0123456789*#ABCD", "abcd", "1234567890123456789012345678901"] {
        let sent = a1.sends_tones(2, "3001", tones);
        match a1.receives().await {
            AnyMessage::SendDtmfSignalConf(conf) => assert_eq!(conf.invoke_id, sent),
            other => panic!("{tones}: {other:?}"),
        }
    }
    for none in ["1,2", ",", "1 2", "12x", "é"] {
        let sent = a1.sends_tones(2, "3001", none);
        let refusal = a1.receives_failure().await;
        assert_eq!((refusal.invoke_id, refusal.status), (sent, Status::E_CTI_INVALID_DIGITS), "{none}");
    }
}

#[tokio::test(start_paused = true)]
async fn call_control_needs_its_service_and_data_another_one() {
    let house = house_of(patient_world(), |_| ()).await;
    let mut desk = Desk::connected(&house, 20);
    let services = ServiceMask::CTI_SERVICE_CLIENT_EVENTS;
    desk.opens(OpenReq { agent_id: text("1001"), ..open_req("desktop-1001", services) }).await;
    desk.answers(1, "3001");
    assert_eq!(desk.receives_failure().await.status, Status::E_CTI_FUNCTION_NOT_AVAILABLE);
    let mut desk = Desk::connected(&house, 20);
    desk.opens(OpenReq { agent_id: text("1002"), ..open_req("desktop-1002", services_of_agent()) }).await;
    desk.sets_data(1, "3002", |_| ());
    assert_eq!(desk.receives_failure().await.status, Status::E_CTI_FUNCTION_NOT_AVAILABLE);
}

#[tokio::test(start_paused = true)]
async fn call_data_travels_with_the_call_and_is_told_to_all_of_its_clients() {
    let (_house, mut a1, mut a2, mut b) = consulting().await;
    let set = a1.sets_data(1, "3001", |request| {
        request.call_variable3 = text("gold");
        request.num_named_variables = 1;
        request.named_variables = vec![NamedVariable::new("user.ticket", "4711").unwrap()];
    });
    assert_eq!(a1.hears().await, [format!("SET_CALL_DATA {set}"), "CALL_DATA_UPDATE 1@3001".to_owned()]);
    a1.transfers(2, 1, "3001");
    a2.receives().await;
    match a2.receives().await {
        AnyMessage::CallDataUpdateEvent(update) => {
            assert_eq!((update.connection_call_id, update.new_connection_call_id), (2, 1));
            assert_eq!(update.call_variable3, text("gold"));
            assert_eq!((update.num_named_variables, update.named_variables.len()), (1, 1));
            assert_eq!(update.named_variables[0].value(), "4711");
        }
        other => panic!("CALL_DATA_UPDATE_EVENT expected, got {other:?}"),
    }
    b.hears().await;
    a2.sets_data(1, "3002", |request| request.num_named_variables = 2);
    assert_eq!(a2.receives_failure().await.status, Status::E_CTI_INVALID_NUM_NAMED_VARIABLES);
}

#[tokio::test(start_paused = true)]
async fn snapshots_show_a_call_and_a_device_to_those_whom_they_concern() {
    let (_house, mut a1, _a2, _b) = consulting().await;
    let ask_device =
        |invoke_id, device: &str| SnapshotDeviceReq { invoke_id, agent_instrument: text(device), ..Default::default() };
    a1.sends(ask_device(7, "3001"));
    match a1.receives().await {
        AnyMessage::SnapshotDeviceConf(shown) => {
            let calls: Vec<_> =
                shown.calls.iter().map(|call| (call.connection_call_id, call.state.unwrap().0)).collect();
            assert_eq!((shown.invoke_id, calls), (7, vec![(Some(1), 4), (Some(2), 3)]));
        }
        other => panic!("{}", in_words(&other)),
    }
    a1.sends(ask_device(8, "3002"));
    assert_eq!(
        a1.receives_control_failure().await.failure_code,
        ControlFailure::CF_PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE
    );
    let ask_call = |invoke_id, call| SnapshotCallReq { invoke_id, connection_call_id: call, ..Default::default() };
    a1.sends(ask_call(9, 2));
    match a1.receives().await {
        AnyMessage::SnapshotCallConf(shown) => {
            let devices: Vec<_> = shown.call_devices.iter().map(|party| party.device_id.clone().unwrap()).collect();
            assert_eq!((shown.invoke_id, shown.num_call_devices), (9, 2));
            assert_eq!(devices, [text("3001").unwrap(), text("3002").unwrap()]);
        }
        other => panic!("{}", in_words(&other)),
    }
    a1.sends(ask_call(10, 99));
    assert_eq!(a1.receives_control_failure().await.failure_code, ControlFailure::CF_INVALID_CSTA_CALL_IDENTIFIER);
}

#[tokio::test(start_paused = true)]
async fn a_device_says_which_calls_it_can_control_and_tell_of() {
    let house = house_of(patient_world(), |_| ()).await;
    let mut desk = ready_desk(&house, "1001").await;
    desk.sends(QueryDeviceInfoReq { invoke_id: 5, agent_instrument: text("3001"), ..Default::default() });
    match desk.receives().await {
        AnyMessage::QueryDeviceInfoConf(info) => {
            assert_eq!(info.call_control_supported.0, 0x0007_f7ff, "all but predictive calls");
            assert_ne!(info.call_events_supported.0 & 0x6000, 0, "BEGIN_CALL and END_CALL");
        }
        other => panic!("{}", in_words(&other)),
    }
}

#[tokio::test(start_paused = true)]
async fn who_dials_a_busy_number_hears_that_until_it_hangs_up_or_takes_the_other_call_back() {
    let (house, mut a1, mut a2, mut b) = consulting().await;
    let mut a3 = ready_desk(&house, "1003").await;
    b.hears().await;
    let make = a3.makes_call("3003", "3002");
    assert_eq!(
        a3.hears().await,
        [
            format!("MAKE_CALL {make}"),
            "BEGIN_CALL 3@3003".to_owned(),
            "CALL_SERVICE_INITIATED 3@3003 lcs 1".to_owned(),
            "agent TALKING".to_owned(),
            "CALL_ORIGINATED 3@3003 lcs 1".to_owned(),
            "CALL_FAILED 3@3003 lcs 6 cause 3".to_owned(),
        ]
    );
    assert!(a2.hears().await.is_empty(), "who is busy is not told");
    tokio::time::sleep(Duration::from_secs(6)).await; // nobody hangs up: the tone ends by itself
    assert_eq!(
        a3.hears().await,
        ["CALL_CONNECTION_CLEARED 3@3003 lcs 0", "CALL_CLEARED 3@3003 lcs 0", "END_CALL 3@3003", "agent AVAILABLE",]
    );
    // The same while a call waits: it is taken back.
    a2.clears(2, "3002");
    a1.hears().await;
    a1.retrieves(1, "3001");
    a1.hears().await;
    a3.makes_call("3003", "3004");
    a3.hears().await;
    a1.consults(1, "3001", "3003");
    assert_eq!(a1.hears().await.last().map(String::as_str), Some("CALL_FAILED 5@3001 lcs 6 cause 3"));
    a1.reconnects(5, 1, "3001");
    let heard = a1.hears().await;
    assert!(heard.contains(&"CALL_RETRIEVED 1@3001 lcs 3".to_owned()), "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some("agent TALKING"));
}

#[tokio::test(start_paused = true)]
async fn alternating_with_a_call_that_rings_answers_it() {
    let house = house_of(patient_world(), |_| ()).await;
    let mut a1 = ready_desk(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    a1.hears().await;
    let mut a2 = ready_desk(&house, "1002").await;
    a1.makes_call("3001", "3002");
    a2.answers(2, "3002");
    a2.hears().await;
    a1.hears().await;
    let alternate = a1.alternates(2, 1, "3001");
    assert_eq!(
        a1.hears().await,
        [
            format!("ALTERNATE_CALL {alternate}"),
            "CALL_HELD 2@3001 lcs 4".to_owned(),
            "agent HOLD".to_owned(),
            "CALL_ESTABLISHED 1@3001 lcs 3".to_owned(),
            "agent TALKING".to_owned(),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_conference_that_is_cleared_is_cleared_for_everybody_at_once() {
    let (house, mut a1, mut a2, mut b) = consulting().await;
    a1.confers(2, 1, "3001");
    a1.hears().await;
    a2.hears().await;
    b.hears().await;
    let invoke_id = b.next_invoke_id();
    b.sends(ClearCallReq { invoke_id, connection_call_id: 1, ..Default::default() });
    b.hears().await;
    for (desk, own) in [(&mut a1, "3001"), (&mut a2, "3002")] {
        let heard = desk.hears().await;
        assert!(heard.contains(&format!("CALL_CLEARED 1@{own} lcs 0")), "{heard:?}");
        assert_eq!(heard.iter().filter(|words| words.starts_with("CALL_CONNECTION_CLEARED")).count(), 3, "{heard:?}");
        assert!(heard.contains(&format!("END_CALL 1@{own}")), "{heard:?}");
    }
    assert!(house.house.table.calls(PERIPHERAL).lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn codes_and_devices_that_there_are_not_are_refused_each_with_its_code() {
    let (_house, mut a1, _a2, mut b) = consulting().await;
    let make = MakeCallReq { agent_instrument: text("3001"), dialed_number: text("3003"), ..Default::default() };
    let refused = [
        (MakeCallReq { call_placement_type: CallPlacementType(999), ..make.clone() }, 45),
        (MakeCallReq { call_manner_type: CallMannerType(77), ..make.clone() }, 44),
        (MakeCallReq { call_option: CallOption(77), ..make.clone() }, 51),
        (MakeCallReq { facility_type: FacilityType(77), ..make.clone() }, 47),
        (MakeCallReq { answering_machine: AnsweringMachine(77), ..make.clone() }, 43),
        (MakeCallReq { dialed_number: text("30\u{1}3"), ..make.clone() }, 62),
    ];
    for (request, status) in refused {
        a1.sends(request);
        assert_eq!(a1.receives_failure().await.status, Status(status));
    }
    a1.sends(ConsultationCallReq {
        call_placement_type: CallPlacementType(999),
        ..ConsultationCallReq {
            active_connection_call_id: 2,
            active_connection_device_id: text("3001"),
            dialed_number: text("3003"),
            ..Default::default()
        }
    });
    assert_eq!(a1.receives_failure().await.status, Status::E_CTI_INVALID_CALL_PLACEMENT_TYPE);
    // What the tables have, and all ones, is taken as it comes: here only the state of the device is in the way.
    for type_ in [0, 1, 6, 0xffff] {
        a1.sends(MakeCallReq { call_placement_type: CallPlacementType(type_), ..make.clone() });
        assert_eq!(a1.receives_control_failure().await.failure_code, ControlFailure::CF_INVALID_OBJECT_STATE);
    }
    // Who follows everything names the call by where it began, or by a device that is on it.
    b.sends(SnapshotCallReq { connection_call_id: 2, connection_device_id: text("9999"), ..Default::default() });
    assert_eq!(b.receives_failure().await.status, Status::E_CTI_NOT_CALL_PARTY);
    b.sends(ClearCallReq { connection_call_id: 2, connection_device_id: text("9999"), ..Default::default() });
    assert_eq!(b.receives_failure().await.status, Status::E_CTI_NOT_CALL_PARTY);
    b.sends(SnapshotDeviceReq { agent_instrument: text("9999"), ..Default::default() });
    assert_eq!(b.receives_control_failure().await.failure_code, ControlFailure::CF_INVALID_CSTA_DEVICE_IDENTIFIER);
    b.makes_call("9999", "3003");
    assert_eq!(b.receives_control_failure().await.failure_code, ControlFailure::CF_INVALID_CSTA_DEVICE_IDENTIFIER);
    for device in ["8001", "3001"] {
        b.sends(SnapshotCallReq { connection_call_id: 1, connection_device_id: text(device), ..Default::default() });
        assert!(matches!(b.receives().await, AnyMessage::SnapshotCallConf(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_cleared_also_with_the_type_of_the_asking_device_in_the_fixed_part() {
    let house = house_of(patient_world(), |_| ()).await;
    let mut desk = ready_desk(&house, "1001").await;
    let make = desk.makes_call("3001", "3002");
    assert_eq!(desk.hears().await[0], format!("MAKE_CALL {make}"));
    let mut body = Vec::new();
    body.extend(9_u32.to_be_bytes());
    body.extend(0xffff_ffff_u32.to_be_bytes());
    body.extend(1_u32.to_be_bytes());
    body.extend([0, 0]);
    body.extend([0xff, 0xff]); // RequestingDeviceIDType
    body.extend([0, 25, 0, 5]);
    body.extend(b"3001\0");
    desk.sends(Stranger { message_type: MessageType::CLEAR_CONNECTION_REQ, body: body.into() });
    let heard = desk.hears().await;
    assert!(heard.contains(&"CLEAR_CONNECTION 9".to_owned()), "{heard:?}");
    assert!(heard.contains(&"CALL_CLEARED 1@3001 lcs 0".to_owned()), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn refusals_are_written_in_ascii() {
    let house = house_of(patient_world(), |_| ()).await;
    let mut desk = ready_desk(&house, "1001").await;
    let mut body = vec![0; 14];
    body.extend([0, 25, 0, 65]);
    body.extend([b'x'; 65]); // one byte too long, and more than an excerpt shows
    desk.sends(Stranger { message_type: MessageType::CLEAR_CONNECTION_REQ, body: body.into() });
    let text_of = |refusal: cti_protocol::ged188::FailureConf| refusal.text.unwrap().as_str().into_owned();
    let why = text_of(desk.receives_failure().await);
    assert!(why.is_ascii() && why.contains("..."), "{why}");
    desk.makes_call("3001", "h\u{e9}");
    let why = desk.receives_control_failure().await.text.unwrap().as_str().into_owned();
    assert!(why.is_ascii() && why.contains("h? cannot be called"), "{why}");
}
