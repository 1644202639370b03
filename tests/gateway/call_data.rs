//! What travels with calls: how much of it may, who sets it in which dialect, and what clients are told of a change.

use cti_protocol::ged188::codes::{CallType, ConnectionDeviceIdType, Disposition, Status};
use cti_protocol::ged188::{
    AnyMessage, CallDataUpdateEvent, ConferenceCallReq, Data, NamedArray, NamedVariable, SetCallDataReq,
    SnapshotCallConf, SnapshotCallReq,
};
use ctigate::model::QueueId;
use serde_json::{Map, Value, json};

use crate::support::crm::Crm;
use crate::support::desk::{Desk, text};
use crate::support::house::{TestHouse, house_of};
use crate::support::phone::{call_watcher, patient_world, ready_desk};

/// Agent 1001 talks with a caller on call 1.
async fn talking() -> (TestHouse, Desk) {
    let house = house_of(patient_world(), |_| ()).await;
    let mut a1 = ready_desk(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    a1.answers(1, "3001");
    a1.hears().await;
    (house, a1)
}

/// The same, and agent 1002 is asked on call 2.
async fn consulting() -> (TestHouse, Desk, Desk) {
    let (house, mut a1) = talking().await;
    let mut a2 = ready_desk(&house, "1002").await;
    a1.consults(1, "3001", "3002");
    a1.hears().await;
    a2.answers(2, "3002");
    a2.hears().await;
    a1.hears().await;
    (house, a1, a2)
}

/// Variables of these names, each with as many bytes.
fn variables(names: std::ops::Range<u32>, bytes: usize) -> impl FnOnce(&mut SetCallDataReq) {
    move |request| {
        let variable = |at: u32| NamedVariable::new(&format!("user.v{at:03}"), &"x".repeat(bytes)).unwrap();
        request.named_variables = names.map(variable).collect();
        request.num_named_variables = u16::try_from(request.named_variables.len()).unwrap();
    }
}

async fn snapshot(desk: &mut Desk, call: u32) -> SnapshotCallConf {
    let invoke_id = desk.next_invoke_id();
    desk.sends(SnapshotCallReq { invoke_id, connection_call_id: call, ..Default::default() });
    match desk.receives().await {
        AnyMessage::SnapshotCallConf(shown) => *shown,
        other => panic!("SNAPSHOT_CALL_CONF expected, got {other:?}"),
    }
}

/// The next update of a call's data; what else comes before is not looked at.
async fn update(desk: &mut Desk) -> CallDataUpdateEvent {
    loop {
        if let AnyMessage::CallDataUpdateEvent(update) = desk.receives().await {
            return *update;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_has_two_thousand_bytes_of_named_variables_however_they_come() {
    let (house, mut a1) = talking().await;
    // 9 times 9 + 200 + 2 = 1899 bytes.
    let set = a1.sets_data(1, "3001", variables(0..9, 200));
    assert_eq!(a1.hears().await, [format!("SET_CALL_DATA {set}"), "CALL_DATA_UPDATE 1@3001".to_owned()]);
    for round in 1..4_u32 {
        a1.sets_data(1, "3001", variables(round * 9..round * 9 + 9, 200));
        let refusal = a1.receives_failure().await;
        assert_eq!(refusal.status, Status::E_CTI_TOO_MUCH_DATA, "{refusal:?}");
    }
    a1.sets_data(1, "3001", |request| {
        request.num_named_arrays = 1;
        request.named_arrays = vec![NamedArray::new("user.list", 1, &"x".repeat(100)).unwrap()];
    });
    assert_eq!(a1.receives_failure().await.status, Status::E_CTI_TOO_MUCH_DATA);
    // Other values of the same names have room.
    a1.sets_data(1, "3001", variables(0..9, 210));
    assert_eq!(update(&mut a1).await.num_named_variables, 9);
    a1.hears().await;
    assert_eq!(snapshot(&mut a1, 1).await.named_variables.len(), 9);
    // What a consultation adds to its copy counts, too; and a call that begins so begins for all.
    let mut a2 = ready_desk(&house, "1002").await;
    a1.sends(cti_protocol::ged188::ConsultationCallReq {
        invoke_id: 77,
        active_connection_call_id: 1,
        active_connection_device_id: text("3001"),
        dialed_number: text("3002"),
        num_named_variables: 1,
        named_variables: vec![NamedVariable::new("user.more", &"x".repeat(210)).unwrap()],
        ..Default::default()
    });
    assert_eq!(a1.receives_failure().await.status, Status::E_CTI_TOO_MUCH_DATA);
    a1.receives_nothing().await;
    a1.consults(1, "3001", "3002");
    assert_eq!(a2.hears().await[0], "BEGIN_CALL 2@3002");
}

#[tokio::test(start_paused = true)]
async fn two_calls_that_become_one_keep_what_there_is_room_for() {
    let (_house, mut a1, mut a2) = consulting().await;
    a1.sets_data(1, "3001", variables(0..5, 200));
    a1.sets_data(2, "3001", variables(5..12, 200));
    a1.hears().await;
    a2.hears().await;
    a1.transfers(2, 1, "3001");
    let told = update(&mut a2).await;
    let names: Vec<String> = told.named_variables.iter().map(|variable| variable.name().into_owned()).collect();
    assert_eq!(names[4..], ["user.v004", "user.v005", "user.v006", "user.v007", "user.v008"]);
    assert_eq!(told.num_named_variables, 9);
    assert_eq!(snapshot(&mut a2, 1).await.named_variables, told.named_variables);
}

#[tokio::test(start_paused = true)]
async fn a_name_is_a_variables_or_an_arrays_and_stays_so() {
    let (_house, mut a1) = talking().await;
    let scalar = |request: &mut SetCallDataReq| {
        request.num_named_variables = 1;
        request.named_variables = vec![NamedVariable::new("user.ticket", "4711").unwrap()];
    };
    let array = |request: &mut SetCallDataReq| {
        request.num_named_arrays = 1;
        request.named_arrays = vec![NamedArray::new("user.ticket", 0, "4711").unwrap()];
    };
    a1.sets_data(1, "3001", |request| {
        scalar(request);
        array(request);
    });
    assert_eq!(a1.receives_failure().await.status, Status::E_CTI_SCALAR_FUNCTION_ON_ARRAY);
    a1.sets_data(1, "3001", scalar);
    a1.hears().await;
    a1.sets_data(1, "3001", array);
    assert_eq!(a1.receives_failure().await.status, Status::E_CTI_ARRAY_FUNCTION_ON_SCALAR);
    a1.sets_data(1, "3001", |request| {
        array(request);
        request.named_arrays = vec![NamedArray::new("user.list", 7, "4711").unwrap()];
    });
    a1.hears().await;
    a1.sets_data(1, "3001", |request| {
        scalar(request);
        request.named_variables = vec![NamedVariable::new("user.list", "4711").unwrap()];
    });
    assert_eq!(a1.receives_failure().await.status, Status::E_CTI_SCALAR_FUNCTION_ON_ARRAY);
}

#[tokio::test(start_paused = true)]
async fn what_one_dialect_cannot_tell_the_other_one_cannot_set() {
    let house = house_of(patient_world(), |_| ()).await;
    let mut watcher = call_watcher(&house).await;
    let mut crm = Crm::open(&house).await;
    crm.logs_in("1001").await;
    let named = |name: &str, value: &str| json!({"pyNamedVariables": {name: value}});
    let many: Map<String, Value> = (0..200).map(|at| (format!("v{at}"), json!("x".repeat(200)))).collect();
    let refused = [
        (named(&"n".repeat(40), "short"), "name of a variable has 40 bytes, 32"),
        (named("good", &"v".repeat(300)), "good has 300 bytes, 210"),
        (named("good", "a\0b"), "NUL"),
        (named("", "short"), "no name"),
        (json!({"pyNamedVariables": {"list": "one", "list[1]": "two"}}), "list is an array"),
        (json!({"pyNamedVariables": many}), "2000 are allowed"),
        (json!({"pyCallVariables": ["x".repeat(41)]}), "CallVariable1 has 41 bytes, 40"),
        (json!({"pyApplicationData": "x".repeat(132)}), "UserToUserInfo has 132 bytes, 131"),
    ];
    for (data, why) in refused {
        let mut request = json!({"activity": "makeCall", "Destination": "3002"});
        request.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        let (code, message) = crm.fails(request).await;
        assert!(code == "OPENCTI_INVALID_REQUEST" && message.contains(why), "{code} {message} for {why}");
    }
    let most = json!({
        "activity": "makeCall",
        "Destination": "3002",
        "pyCallVariables": ["x".repeat(40)],
        "pyNamedVariables": {"n".repeat(32): "v".repeat(210), "list[3]": ""},
        "pyApplicationData": "x".repeat(131),
    });
    crm.succeeds(most).await;
    match watcher.receives().await {
        AnyMessage::BeginCallEvent(begun) => {
            assert_eq!((begun.num_named_variables, begun.named_variables.len()), (1, 1));
            assert_eq!((begun.num_named_arrays, begun.named_arrays.len()), (1, 1));
            assert_eq!(begun.call_variable1, text(&"x".repeat(40)));
            assert_eq!(begun.user_to_user_info, Data::new("x".repeat(131)).ok());
        }
        other => panic!("BEGIN_CALL_EVENT expected, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_tells_what_changed_and_every_named_variable() {
    let (house, mut a1) = talking().await;
    let mut b = call_watcher(&house).await;
    b.hears().await;
    a1.sets_data(1, "3001", |request| {
        request.call_variable1 = text("one");
        request.call_wrapup_data = text("sold");
        request.user_to_user_info = Data::new("uui").ok();
        request.num_named_variables = 1;
        request.named_variables = vec![NamedVariable::new("user.ticket", "4711").unwrap()];
    });
    let first = update(&mut a1).await;
    assert_eq!((first.call_variable1, first.call_wrapup_data), (text("one"), text("sold")));
    assert_eq!((first.user_to_user_info, first.ani), (Data::new("uui").ok(), None));
    update(&mut b).await;
    a1.hears().await;
    a1.sets_data(1, "3001", |request| request.call_variable2 = text("two"));
    for desk in [&mut a1, &mut b] {
        let second = update(desk).await;
        assert_eq!((second.call_variable1.clone(), second.call_variable2.clone()), (None, text("two")));
        assert_eq!((second.ani.clone(), second.dialed_number.clone()), (None, None));
        assert_eq!((second.user_to_user_info.clone(), second.call_wrapup_data.clone()), (None, None));
        assert_eq!((second.num_named_variables, second.named_variables.len()), (1, 1));
    }
    // A client that comes later has the whole of it from the beginning.
    let mut late = call_watcher(&house).await;
    match late.receives().await {
        AnyMessage::BeginCallEvent(begun) => {
            assert_eq!((begun.call_variable1, begun.call_variable2), (text("one"), text("two")));
            assert_eq!(begun.named_variables.len(), 1);
        }
        other => panic!("BEGIN_CALL_EVENT expected, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_transferred_call_keeps_its_data_takes_what_it_lacks_and_says_so_to_both_sides() {
    let (house, mut a1, mut a2) = consulting().await;
    let mut b = call_watcher(&house).await;
    b.hears().await;
    a1.sets_data(1, "3001", |request| request.call_variable1 = text("of call 1"));
    a1.sets_data(2, "3001", |request| {
        request.call_variable1 = text("of call 2");
        request.call_variable2 = text("asked");
        request.call_variable3 = text("");
    });
    for desk in [&mut a1, &mut a2, &mut b] {
        desk.hears().await;
    }
    a1.transfers(2, 1, "3001");
    // For who was asked, call 2 goes on as call 1: of what differs between the two it is told.
    let told = update(&mut a2).await;
    assert_eq!((told.connection_call_id, told.new_connection_call_id), (2, 1));
    assert_eq!((told.call_variable1, told.call_variable2, told.call_variable3), (text("of call 1"), None, None));
    // Who follows everything is told of both: what call 1 took, and what differs for call 2.
    let taken = update(&mut b).await;
    assert_eq!((taken.connection_call_id, taken.new_connection_call_id), (1, 1));
    assert_eq!((taken.call_variable1, taken.call_variable2, taken.call_variable3), (None, text("asked"), text("")));
    let moved = update(&mut b).await;
    assert_eq!((moved.connection_call_id, moved.call_variable1), (2, text("of call 1")));
    let shown = snapshot(&mut a2, 1).await;
    assert_eq!((shown.call_variable1, shown.call_variable2), (text("of call 1"), text("asked")));
}

#[tokio::test(start_paused = true)]
async fn what_a_crm_knows_of_the_caller_is_kept_and_told_and_what_cannot_be_set_is_refused_by_name() {
    let (house, mut a1) = talking().await;
    let mut b = call_watcher(&house).await;
    b.hears().await;
    a1.sets_data(1, "3001", |request| {
        request.ani = text("0041441234567");
        request.caller_entered_digits = text("4711");
        request.customer_phone_number = text("0041791234567");
        request.customer_account_number = text("A-1");
        request.campaign_id = 17;
        request.query_rule_id = 3;
        request.call_type = CallType::CALLTYPE_ACD_IN; // as it is
    });
    for desk in [&mut a1, &mut b] {
        let told = update(desk).await;
        assert_eq!((told.ani, told.caller_entered_digits), (text("0041441234567"), text("4711")));
        assert_eq!((told.customer_phone_number, told.customer_account_number), (text("0041791234567"), text("A-1")));
        assert_eq!((told.campaign_id, told.query_rule_id), (17, 3));
    }
    a1.hears().await;
    let shown = snapshot(&mut a1, 1).await;
    assert_eq!((shown.ani, shown.caller_entered_digits), (text("0041441234567"), text("4711")));
    // None of these says anything of a campaign.
    a1.sets_data(1, "3001", |request| (request.campaign_id, request.query_rule_id) = (0, 0xffff_ffff));
    a1.hears().await;
    a1.sets_data(1, "3001", |request| request.call_variable1 = text("x"));
    assert_eq!(update(&mut a1).await.campaign_id, 17);
    a1.hears().await;
    type Change = fn(&mut SetCallDataReq);
    let refused: [(Change, Status, &str); 5] = [
        (|request| request.call_type = CallType(15), Status::E_CTI_INVALID_CALL_TYPE, "CallType"),
        (
            |request| request.called_party_disposition = Disposition(13),
            Status::E_CTI_CALLED_PARTY_DISPOSITION,
            "CalledPartyDisposition",
        ),
        (|request| request.router_call_key_day = Some(99), Status::E_CTI_PROTECTED_VARIABLE, "RouterCallKeyDay"),
        (|request| request.call_originated_from = Some(b'D'), Status::E_CTI_PROTECTED_VARIABLE, "CallOriginatedFrom"),
        (
            |request| request.connection_device_id_type = ConnectionDeviceIdType(7),
            Status::E_CTI_INVALID_CONNECTION_ID_TYPE,
            "ConnectionDeviceIDType",
        ),
    ];
    for (change, status, field) in refused {
        a1.sets_data(1, "3001", change);
        let refusal = a1.receives_failure().await;
        assert_eq!(refusal.status, status, "{refusal:?}");
        assert!(refusal.text.unwrap().as_str().contains(field));
    }
}

#[tokio::test(start_paused = true)]
async fn data_is_set_by_the_parties_of_the_call_only() {
    let (house, mut a1) = talking().await;
    let mut a2 = ready_desk(&house, "1002").await;
    a2.sets_data(1, "3002", |request| request.call_variable1 = text("not mine"));
    assert_eq!(a2.receives_failure().await.status, Status::E_CTI_NOT_CALL_PARTY);
    a2.sets_data(1, "3001", |request| request.call_variable1 = text("not mine"));
    assert_eq!(a2.receives_failure().await.status, Status::E_CTI_NOT_CALL_PARTY);
    a2.releases(1, "3002");
    assert_eq!(a2.receives_failure().await.status, Status::E_CTI_NOT_CALL_PARTY);
    a1.sets_data(99, "3001", |request| request.call_variable1 = text("nobodys"));
    assert_eq!(a1.receives_failure().await.status, Status::E_CTI_NOT_CALL_PARTY);
    a1.receives_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn data_that_comes_with_a_transfer_or_conference_of_two_calls_is_the_call_s_that_goes_on() {
    let (_house, mut a1, mut a2) = consulting().await;
    a1.sends(ConferenceCallReq {
        invoke_id: 70,
        active_connection_call_id: 2,
        held_connection_call_id: 1,
        active_connection_device_id: text("3001"),
        held_connection_device_id: text("3001"),
        call_variable4: text("joined"),
        ..Default::default()
    });
    assert_eq!(update(&mut a2).await.call_variable4, text("joined"));
    let told = update(&mut a1).await;
    assert_eq!((told.connection_call_id, told.call_variable4), (1, text("joined")));
    assert_eq!(snapshot(&mut a2, 1).await.call_variable4, text("joined"));
}
