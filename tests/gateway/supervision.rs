//! Supervisors on their agents' calls: they listen, whisper, join in, take over, and stop.

use cti_protocol::ged188::codes::{ControlFailure, ServiceMask, Status, SupervisoryAction};
use cti_protocol::ged188::{AnyMessage, OpenReq, QueryAgentStatisticsReq, SuperviseCallConf, SuperviseCallReq};
use ctigate::model::QueueId;

use crate::support::desk::{Desk, open_req, services_of_agent, text};
use crate::support::house::{PERIPHERAL, TestHouse, house_of, team};
use crate::support::phone::{call_watcher, in_words, patient_world, ready_desk};

const MONITOR: SupervisoryAction = SupervisoryAction::SUPERVISOR_MONITOR;
const WHISPER: SupervisoryAction = SupervisoryAction::SUPERVISOR_WHISPER;
const BARGE_IN: SupervisoryAction = SupervisoryAction::SUPERVISOR_BARGE_IN;
const INTERCEPT: SupervisoryAction = SupervisoryAction::SUPERVISOR_INTERCEPT;
const CLEAR: SupervisoryAction = SupervisoryAction::SUPERVISOR_CLEAR;
const NO_CALL: u32 = 0xffff_ffff;

/// Agent 1002 talks with a caller (call 1); 1001, logged in and not ready, supervises it.
struct Talk {
    house: TestHouse,
    agent: Desk,
    supervisor: Desk,
    all: Desk,
}

async fn talk() -> Talk {
    let house = house_of(patient_world(), |config| config.teams = vec![team(1, &["1001"], &["1002"])]).await;
    let mut agent = ready_desk(&house, "1002").await;
    house.acd.inner.arrive(QueueId(1));
    agent.answers(1, "3002");
    agent.hears().await;
    let all = call_watcher(&house).await;
    let mut supervisor = supervisor(&house).await;
    supervisor.hears().await; // who is in its team
    supervisor.logs_in("1001").await;
    supervisor.hears().await;
    let mut talk = Talk { house, agent, supervisor, all };
    talk.all.hears().await;
    talk
}

async fn supervisor(house: &TestHouse) -> Desk {
    let services = ServiceMask(services_of_agent().0 | ServiceMask::CTI_SERVICE_SUPERVISOR.0);
    let mut desk = Desk::connected(house, 20);
    desk.opens(OpenReq { agent_id: text("1001"), ..open_req("desktop-1001", services) }).await;
    desk
}

fn supervises(desk: &mut Desk, action: SupervisoryAction, change: impl FnOnce(&mut SuperviseCallReq)) -> u32 {
    let invoke_id = desk.next_invoke_id();
    let mut request = SuperviseCallReq {
        invoke_id,
        peripheral_id: NO_CALL,
        agent_connection_call_id: 1,
        supervisor_connection_call_id: NO_CALL,
        supervisory_action: action,
        agent_connection_device_id: text("3002"),
        ..Default::default()
    };
    change(&mut request);
    desk.sends(request);
    invoke_id
}

/// What has come, the confirm of that request apart: it names the agent's connection, or the one that was cleared.
async fn confirmed(desk: &mut Desk, invoke_id: u32) -> ((u32, String), Vec<String>) {
    let mut confirmed = None;
    let mut heard = Vec::new();
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    desk.wakes();
    while let Some(message) = desk.has_received() {
        match message {
            AnyMessage::SuperviseCallConf(SuperviseCallConf {
                invoke_id: of,
                connection_call_id,
                connection_device_id,
                ..
            }) if of == invoke_id => {
                let device = connection_device_id.unwrap().to_str().unwrap().to_owned();
                assert_eq!(confirmed.replace((connection_call_id, device)), None, "confirmed twice");
            }
            other => heard.push(in_words(&other)),
        }
    }
    (confirmed.expect("SUPERVISE_CALL_CONF"), heard)
}

fn nothing_is_left(house: &TestHouse) {
    assert!(house.house.table.calls(PERIPHERAL).lock().is_empty());
    assert!(house.acd.inner.calls().is_empty());
    assert_eq!(house.house.table.statistics.calls_open(PERIPHERAL), 0);
}

#[tokio::test(start_paused = true)]
async fn who_listens_has_a_call_of_its_own_that_ends_with_the_agents_and_the_agent_is_not_told() {
    let Talk { house, mut agent, mut supervisor, mut all } = talk().await;
    let asked = supervises(&mut supervisor, MONITOR, |_| ());
    let (named, heard) = confirmed(&mut supervisor, asked).await;
    assert_eq!(named, (1, "3002".to_owned()));
    assert_eq!(heard, ["BEGIN_CALL 2@3001", "CALL_ESTABLISHED 2@3001 lcs 3", "agent TALKING"]);
    assert_eq!(all.hears().await, ["BEGIN_CALL 2@3001", "CALL_ESTABLISHED 2@3001 lcs 3"]);
    assert!(agent.hears().await.is_empty());

    agent.clears(1, "3002");
    agent.hears().await;
    assert_eq!(
        supervisor.hears().await,
        ["CALL_CONNECTION_CLEARED 2@3001 lcs 0", "CALL_CLEARED 2@3001 lcs 0", "END_CALL 2@3001", "agent NOT_READY",]
    );
    assert!(all.hears().await.contains(&"END_CALL 2@3001".to_owned()));
    nothing_is_left(&house);
}

#[tokio::test(start_paused = true)]
async fn the_call_that_a_supervisor_listens_with_is_of_its_own_type_and_holds_the_data_of_the_other() {
    let Talk { mut agent, mut supervisor, .. } = talk().await;
    agent.sets_data(1, "3002", |request| request.call_variable1 = text("gold"));
    agent.hears().await;
    supervises(&mut supervisor, MONITOR, |_| ());
    supervises(&mut supervisor, WHISPER, |_| ());
    let mut told = Vec::new();
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    supervisor.wakes();
    while let Some(message) = supervisor.has_received() {
        match message {
            AnyMessage::BeginCallEvent(event) => told.push((event.call_type.0, event.call_variable1)),
            AnyMessage::CallDataUpdateEvent(event) => told.push((event.call_type.0, event.call_variable1)),
            _ => (),
        }
    }
    // The data is told once: what did not change is not told again.
    assert_eq!(told, [(21, text("gold")), (22, None)], "CALLTYPE_SUPERVISOR_MONITOR, then _WHISPER");
}

#[tokio::test(start_paused = true)]
async fn who_barges_in_is_a_third_party_and_may_go_again() {
    let Talk { house, mut agent, mut supervisor, mut all } = talk().await;
    let listens = supervises(&mut supervisor, MONITOR, |_| ());
    confirmed(&mut supervisor, listens).await;
    all.hears().await;
    let barges = supervises(&mut supervisor, BARGE_IN, |_| ());
    let (named, heard) = confirmed(&mut supervisor, barges).await;
    assert_eq!(named, (1, "3002".to_owned()));
    assert_eq!(
        heard,
        [
            "CALL_CONNECTION_CLEARED 2@3001 lcs 0",
            "CALL_CLEARED 2@3001 lcs 0",
            "END_CALL 2@3001",
            "BEGIN_CALL 1@3001",
            "CALL_CONFERENCED 1@3001 lcs 3 cause 17 with 4294967295",
        ]
    );
    assert_eq!(agent.hears().await, ["CALL_CONFERENCED 1@3001 lcs 3 cause 17 with 4294967295"]);
    let caller_and_two = house.house.table.calls(PERIPHERAL).lock().all()[0].parties.len();
    assert_eq!(caller_and_two, 3);

    // Without a call named, it is the one that the supervisor talks on.
    let clears = supervises(&mut supervisor, CLEAR, |_| ());
    let (named, heard) = confirmed(&mut supervisor, clears).await;
    assert_eq!(named, (1, "3001".to_owned()));
    assert_eq!(heard, ["CALL_CONNECTION_CLEARED 1@3001 lcs 0", "END_CALL 1@3001", "agent NOT_READY"]);
    assert_eq!(agent.hears().await, ["CALL_CONNECTION_CLEARED 1@3001 lcs 0"]);
    agent.clears(1, "3002");
    agent.hears().await;
    nothing_is_left(&house);
}

#[tokio::test(start_paused = true)]
async fn who_intercepts_has_the_caller_and_the_agent_is_free() {
    for before in [None, Some(MONITOR), Some(BARGE_IN)] {
        let Talk { house, mut agent, mut supervisor, mut all } = talk().await;
        if let Some(before) = before {
            supervises(&mut supervisor, before, |_| ());
            supervisor.hears().await;
            agent.hears().await;
        }
        let asked = supervises(&mut supervisor, INTERCEPT, |_| ());
        let (_, heard) = confirmed(&mut supervisor, asked).await;
        assert!(heard.contains(&"CALL_TRANSFERRED 1@3002 lcs 3 cause 32 with 4294967295".to_owned()), "{heard:?}");
        assert_eq!(
            agent.hears().await,
            ["CALL_TRANSFERRED 1@3002 lcs 0 cause 32 with 4294967295", "END_CALL 1@3002", "agent AVAILABLE"]
        );
        all.hears().await;
        supervisor.clears(1, "3001");
        assert!(supervisor.hears().await.contains(&"END_CALL 1@3001".to_owned()));
        assert_eq!(all.hears().await.last().map(String::as_str), Some("END_CALL 1@8001"));
        nothing_is_left(&house);
    }
}

#[tokio::test(start_paused = true)]
async fn the_agent_may_be_named_without_its_device_or_its_call() {
    let Talk { mut supervisor, .. } = talk().await;
    let by_id = supervises(&mut supervisor, MONITOR, |request| {
        request.agent_connection_call_id = NO_CALL;
        request.agent_connection_device_id = None;
        request.agent_id = text("1002");
        request.supervisor_instrument = text("3001");
    });
    assert_eq!(confirmed(&mut supervisor, by_id).await.0, (1, "3002".to_owned()));
    supervises(&mut supervisor, MONITOR, |request| {
        request.agent_connection_call_id = NO_CALL;
        request.agent_connection_device_id = text("3009");
    });
    let failure = supervisor.receives_control_failure().await;
    assert_eq!(failure.failure_code, ControlFailure::CF_PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE);
    supervises(&mut supervisor, MONITOR, |request| request.agent_connection_device_id = None);
    assert_eq!(supervisor.receives_failure().await.status, Status::E_CTI_REQUIRED_DATA_MISSING);
}

#[tokio::test(start_paused = true)]
async fn nobody_else_is_listened_to_and_by_nobody_else() {
    let Talk { house, mut agent, mut supervisor, mut all } = talk().await;
    // Not a supervisor.
    supervises(&mut agent, BARGE_IN, |_| ());
    assert_eq!(agent.receives_failure().await.status, Status::E_CTI_FUNCTION_NOT_AVAILABLE);
    // Not one of its team's.
    let mut other = ready_desk(&house, "1003").await;
    house.acd.inner.arrive(QueueId(1));
    other.answers(2, "3003");
    other.hears().await;
    for action in [MONITOR, WHISPER, BARGE_IN, INTERCEPT] {
        supervises(&mut supervisor, action, |request| {
            request.agent_connection_call_id = 2;
            request.agent_connection_device_id = text("3003");
        });
        let failure = supervisor.receives_control_failure().await;
        assert_eq!(failure.failure_code, ControlFailure::CF_PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE);
        // Nor a place that nobody works at, which is answered alike.
        supervises(&mut supervisor, action, |request| request.agent_connection_device_id = text("3050"));
        let failure = supervisor.receives_control_failure().await;
        assert_eq!(failure.failure_code, ControlFailure::CF_PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE);
    }
    // Not with somebody else's device.
    supervises(&mut supervisor, MONITOR, |request| request.supervisor_instrument = text("3003"));
    let failure = supervisor.receives_control_failure().await;
    assert_eq!(failure.failure_code, ControlFailure::CF_PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE);
    // Not what there is not.
    supervises(&mut supervisor, SupervisoryAction(5), |_| ());
    assert_eq!(supervisor.receives_failure().await.status, Status::E_CTI_INVALID_SUPERVISORY_ACTION);
    supervises(&mut supervisor, MONITOR, |request| request.agent_connection_call_id = 77);
    let failure = supervisor.receives_control_failure().await;
    assert_eq!(failure.failure_code, ControlFailure::CF_INVALID_CSTA_CALL_IDENTIFIER);
    all.hears().await;
    assert_eq!(house.acd.inner.calls().len(), 2, "nothing came of all that");
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_who_talks_or_listens_cannot_do_so_twice_and_gives_nobody_what_it_hears() {
    let Talk { house, mut supervisor, .. } = talk().await;
    supervisor.makes_call("3001", "0041443456789");
    supervisor.hears().await;
    supervises(&mut supervisor, MONITOR, |_| ());
    let failure = supervisor.receives_control_failure().await;
    assert_eq!(failure.failure_code, ControlFailure::CF_INVALID_OBJECT_STATE);
    supervisor.clears(2, "3001");
    supervisor.hears().await;

    supervises(&mut supervisor, MONITOR, |_| ());
    supervisor.hears().await;
    supervisor.transfers_blindly(3, "3001", "3009");
    let failure = supervisor.receives_control_failure().await;
    assert_eq!(failure.failure_code, ControlFailure::CF_INVALID_OBJECT_STATE);
    assert_eq!(house.acd.inner.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_whose_connection_is_lost_or_who_is_logged_out_listens_no_longer() {
    let Talk { house, mut agent, mut supervisor, .. } = talk().await;
    supervises(&mut supervisor, MONITOR, |_| ());
    supervisor.hears().await;
    house.acd.inner.console_log_out(&ctigate::model::AgentId::new("1001").unwrap(), Default::default());
    assert!(supervisor.hears().await.contains(&"END_CALL 2@3001".to_owned()));
    assert_eq!(house.acd.inner.calls().len(), 1);
    agent.clears(1, "3002");
    agent.hears().await;
    nothing_is_left(&house);
}

#[tokio::test(start_paused = true)]
async fn statistics_count_for_the_agent_what_its_supervisor_did() {
    let Talk { mut agent, mut supervisor, .. } = talk().await;
    for action in [MONITOR, WHISPER, MONITOR, BARGE_IN, INTERCEPT] {
        let asked = supervises(&mut supervisor, action, |_| ());
        confirmed(&mut supervisor, asked).await;
    }
    agent.hears().await;
    agent.sends(QueryAgentStatisticsReq {
        invoke_id: 9,
        peripheral_id: NO_CALL,
        agent_id: text("1002"),
        ..Default::default()
    });
    let AnyMessage::QueryAgentStatisticsConf(figures) = agent.receives().await else { panic!("figures expected") };
    assert_eq!(
        [
            figures.monitor_calls_session,
            figures.whisper_calls_session,
            figures.barge_in_calls_session,
            figures.intercept_calls_session,
        ],
        [2, 1, 1, 1]
    );
    assert_eq!(figures.monitor_calls_today, 2);
    assert_eq!(figures.handled_calls_session, 1);
}
