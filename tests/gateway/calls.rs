//! Calls as clients hear of them: the flows of the guide, for an agent's own desktop (A) and for who follows all (B).

use std::time::Duration;

use cti_protocol::ged188::codes::{AgentState, CallMsgMask, ConnectionDeviceIdType, ServiceMask, Status};
use cti_protocol::ged188::{AnyMessage, ChangeMonitorMaskReq, MonitorStartReq, MonitorStopReq};
use ctigate::model::{LogoutOnCall, QueueId};

use crate::support::desk::{Desk, open_req, text};
use crate::support::house::{PERIPHERAL, TestHouse, house_of};
use crate::support::phone::{at, call_watcher, patient_world, ready_desk};

async fn patient_house() -> TestHouse {
    house_of(patient_world(), |_| ()).await
}

#[tokio::test(start_paused = true)]
async fn an_inbound_call_is_told_from_its_arrival_to_its_end() {
    let mut world = patient_world();
    world.wrap_up = Duration::from_secs(5);
    let house = house_of(world, |_| ()).await;
    let (mut b, mut a) = (call_watcher(&house).await, ready_desk(&house, "1001").await);
    house.acd.inner.arrive(QueueId(1));
    assert_eq!(
        a.hears().await,
        [
            "PRE_CALL",
            "agent RESERVED",
            "BEGIN_CALL 1@3001",
            "CALL_DELIVERED 1@3001 lcs 2 cause 22",
            "CALL_CONNECTION_CLEARED 1@8001 lcs 0 cause 28"
        ]
    );
    let caller = house.acd.inner.calls()[0].ani.clone().unwrap();
    assert_eq!(
        b.hears().await,
        [
            "BEGIN_CALL 1@8001",
            "CALL_QUEUED 1@8001 lcs 5",
            "CALL_DELIVERED 1@3001 lcs 2 cause 22",
            "CALL_CONNECTION_CLEARED 1@8001 lcs 0 cause 28"
        ]
    );

    let answer = a.answers(1, "3001");
    let told = ["CALL_ESTABLISHED 1@3001 lcs 3".to_owned()];
    assert_eq!(
        a.hears().await,
        [&[format!("ANSWER_CALL {answer}")], &told[..], &["agent TALKING".to_owned()]].concat()
    );
    assert_eq!(b.hears().await, told);

    let hold = a.holds(1, "3001");
    assert_eq!(
        a.hears().await,
        [format!("HOLD_CALL {hold}"), "CALL_HELD 1@3001 lcs 4".to_owned(), "agent HOLD".to_owned()]
    );
    let retrieve = a.retrieves(1, "3001");
    assert_eq!(
        a.hears().await,
        [format!("RETRIEVE_CALL {retrieve}"), "CALL_RETRIEVED 1@3001 lcs 3".to_owned(), "agent TALKING".to_owned()]
    );
    b.hears().await;

    let clear = a.clears(1, "3001");
    assert_eq!(
        a.hears().await,
        [
            format!("CLEAR_CONNECTION {clear}"),
            "CALL_CONNECTION_CLEARED 1@3001 lcs 0".to_owned(),
            format!("CALL_CONNECTION_CLEARED 1@{caller} lcs 0"),
            "CALL_CLEARED 1@3001 lcs 0".to_owned(),
            "agent WORK_READY".to_owned(),
        ]
    );
    let data = a.sets_data(1, "3001", |request| request.call_wrapup_data = crate::support::desk::text("sold"));
    assert_eq!(a.hears().await, [format!("SET_CALL_DATA {data}"), "CALL_DATA_UPDATE 1@3001".to_owned()]);
    b.hears().await;
    let release = a.releases(1, "3001");
    assert_eq!(a.hears().await, [format!("RELEASE_CALL {release}"), "END_CALL 1@3001".to_owned()]);
    assert_eq!(b.hears().await, ["END_CALL 1@8001"]);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(a.hears().await, ["agent AVAILABLE"]);
    assert!(house.house.table.calls(crate::support::house::PERIPHERAL).lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_after_call_work_the_end_comes_before_the_next_state() {
    let house = patient_house().await;
    let mut a = ready_desk(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    a.answers(1, "3001");
    a.hears().await;
    a.clears(1, "3001");
    let heard = a.hears().await;
    assert_eq!(heard[3..], ["CALL_CLEARED 1@3001 lcs 0", "END_CALL 1@3001", "agent AVAILABLE"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_answered_leaves_the_agent_and_waits_again() {
    let mut world = patient_world();
    world.calls.ring_max = Duration::from_secs(10);
    let house = house_of(world, |_| ()).await;
    let (mut b, mut a) = (call_watcher(&house).await, ready_desk(&house, "1001").await);
    house.acd.inner.arrive(QueueId(1));
    a.hears().await;
    b.hears().await;
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(
        a.hears().await,
        ["PRE_CALL_ABORT", "CALL_CONNECTION_CLEARED 1@3001 lcs 0 cause 10", "END_CALL 1@3001", "agent NOT_READY"]
    );
    assert_eq!(b.hears().await, ["CALL_CONNECTION_CLEARED 1@3001 lcs 0 cause 10", "CALL_QUEUED 1@8001 lcs 5"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_rings_while_the_link_is_lost_is_taken_back_like_any_other() {
    let mut world = patient_world();
    world.calls.ring_max = Duration::from_secs(10);
    let house = house_of(world, |_| ()).await;
    let mut a = ready_desk(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    a.hears().await;
    house.acd.inner.go_away();
    house.acd.inner.come_back();
    a.hears().await;
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(a.hears().await[..1], ["PRE_CALL_ABORT"]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_ends_the_call_for_everybody() {
    let mut world = patient_world();
    world.calls.patience = Duration::from_secs(10);
    let house = house_of(world, |_| ()).await;
    let (mut b, mut a) = (call_watcher(&house).await, ready_desk(&house, "1001").await);
    house.acd.inner.arrive(QueueId(1));
    a.hears().await;
    b.hears().await;
    tokio::time::sleep(Duration::from_secs(11)).await;
    let heard = a.hears().await;
    assert_eq!(heard[..1], ["PRE_CALL_ABORT"]);
    assert_eq!(heard[heard.len() - 3..], ["CALL_CLEARED 1@3001 lcs 0 cause 5", "END_CALL 1@3001", "agent AVAILABLE"]);
    assert_eq!(b.hears().await.last().map(String::as_str), Some("END_CALL 1@8001"));
}

#[tokio::test(start_paused = true)]
async fn who_comes_in_the_middle_of_a_call_is_told_of_it_first() {
    let house = patient_house().await;
    let mut a = ready_desk(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    a.answers(1, "3001");
    a.hears().await;
    let mut b = call_watcher(&house).await;
    assert_eq!(b.hears().await, ["BEGIN_CALL 1@8001"]);
    a.drops();
    let mut again = crate::support::desk::Desk::of_agent(&house, "1001").await;
    assert_eq!(again.hears().await, ["BEGIN_CALL 1@3001"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_ends_the_calls_and_what_is_there_afterwards_begins_anew() {
    let house = patient_house().await;
    let mut a = ready_desk(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    a.answers(1, "3001");
    a.hears().await;
    house.acd.inner.go_away();
    assert_eq!(a.hears().await, ["END_CALL 1@3001", "SYSTEM 0"]);
    house.acd.inner.come_back();
    assert_eq!(a.hears().await, ["SYSTEM 0", "BEGIN_CALL 1@3001"]);
    house.acd.inner.go_away();
    a.hears().await;
    tokio::time::sleep(Duration::from_secs(3_000)).await; // the caller has hung up by then, unheard
    house.acd.inner.come_back();
    assert_eq!(a.hears().await, ["SYSTEM 0", "agent AVAILABLE"]);
}

#[tokio::test(start_paused = true)]
async fn a_forced_logout_hangs_up_and_nothing_is_told_after_its_confirm() {
    let house = patient_house().await;
    let (mut b, mut a) = (call_watcher(&house).await, ready_desk(&house, "1001").await);
    house.acd.inner.arrive(QueueId(1));
    a.answers(1, &at("1001"));
    a.hears().await;
    b.hears().await;
    let logout = a.asks_with("1001", cti_protocol::ged188::codes::AgentState::AGENT_STATE_LOGOUT, |request| {
        request.forced_flag = crate::support::desk::FORCED;
    });
    assert_eq!(a.hears().await.last(), Some(&format!("SET_AGENT_STATE {logout}")));
    assert_eq!(b.hears().await.last().map(String::as_str), Some("END_CALL 1@8001"));
    assert_eq!(house.acd.inner.calls(), []);
}

#[tokio::test(start_paused = true)]
async fn a_monitor_of_a_call_follows_it_alone_and_ends_with_it() {
    let house = patient_house().await;
    let mut a = ready_desk(&house, "1001").await;
    house.acd.inner.arrive(QueueId(1));
    house.acd.inner.arrive(QueueId(2));
    a.hears().await;
    let mut monitor = Desk::connected(&house, 20);
    monitor.opens(open_req("recorder", ServiceMask::CTI_SERVICE_PERIPHERAL_MONITOR)).await;
    let asks = |call: u32| MonitorStartReq {
        invoke_id: 1,
        connection_call_id: call,
        peripheral_id: 0xffff_ffff,
        connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_STATIC,
        connection_device_id: text("3001"),
        call_msg_mask: CallMsgMask(0xffff_ffff),
        ..Default::default()
    };
    monitor.sends(asks(77));
    assert_eq!(monitor.receives_failure().await.status, Status::E_CTI_INVALID_CALLID);
    monitor.sends(asks(1));
    let AnyMessage::MonitorStartConf(started) = monitor.receives().await else { panic!("MONITOR_START_CONF expected") };
    assert_eq!(monitor.hears().await, ["BEGIN_CALL 1@8001"]);

    a.answers(1, "3001");
    a.holds(1, "3001");
    a.retrieves(1, "3001");
    a.clears(1, "3001");
    let heard = monitor.hears().await;
    assert_eq!(heard[..3], ["CALL_ESTABLISHED 1@3001 lcs 3", "CALL_HELD 1@3001 lcs 4", "CALL_RETRIEVED 1@3001 lcs 3"]);
    assert_eq!(heard.last().map(String::as_str), Some("END_CALL 1@8001"));
    assert!(heard.iter().all(|words| words.contains(" 1@")), "{heard:?}");
    assert_eq!(heard.iter().filter(|words| words.starts_with("END_CALL")).count(), 1);

    // It is over: nothing more comes, and who tidies up is not told that it erred.
    let monitor_id = started.monitor_id;
    monitor.sends(ChangeMonitorMaskReq { invoke_id: 2, monitor_id, ..Default::default() });
    assert_eq!(monitor.receives_failure().await.status, Status::E_CTI_MONITOR_TERMINATED);
    monitor.sends(MonitorStopReq { invoke_id: 3, monitor_id, ..Default::default() });
    assert!(matches!(monitor.receives().await, AnyMessage::MonitorStopConf(_)));
    monitor.receives_nothing().await;
}

/// Whatever ends an agent's part in a call by logging it out, its own client hears of that end, and before the logout.
#[tokio::test(start_paused = true)]
async fn a_logout_on_a_call_or_in_after_call_work_tells_the_calls_end_first() {
    for is_after_call in [false, true] {
        let mut world = patient_world();
        world.wrap_up = Duration::from_secs(60);
        let house = house_of(world, |config| config.sessions.logout_on_call = LogoutOnCall::Force).await;
        let mut desk = ready_desk(&house, "1001").await;
        let mut other = Desk::bridge(&house).await;
        house.acd.inner.arrive(QueueId(1));
        desk.answers(1, "3001");
        desk.hears().await;
        if is_after_call {
            desk.clears(1, "3001");
            desk.hears().await;
        }
        other.hears().await;
        let logout = desk.asks("1001", AgentState::AGENT_STATE_LOGOUT);
        let heard = desk.hears().await;
        let place = |words: &str| heard.iter().position(|heard| heard == words).unwrap_or(usize::MAX);
        assert!(place("END_CALL 1@3001") < place("agent LOGOUT"), "{heard:?}");
        assert_eq!(heard.last(), Some(&format!("SET_AGENT_STATE {logout}")), "{heard:?}");
        if !is_after_call {
            let ends = heard.iter().filter(|words| words.starts_with("CALL_CONNECTION_CLEARED")).count();
            assert_eq!(ends, 2, "{heard:?}");
            assert!(place("CALL_CLEARED 1@3001 lcs 0") < place("END_CALL 1@3001"), "{heard:?}");
        }
        assert!(other.hears().await.contains(&"END_CALL 1@8001".to_owned()));
        assert!(house.house.table.calls(PERIPHERAL).lock().is_empty());
    }
}
