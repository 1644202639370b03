//! Supervisors: who they are, which teams they see, and what they may do to their agents.

use cti_protocol::ged188::codes::{AgentFlags, AgentState, ServiceMask, Status, TeamConfigOperation};
use cti_protocol::ged188::{
    AgentTeamConfigEvent, AnyMessage, ListAgentTeamReq, MonitorAgentTeamStartReq, MonitorAgentTeamStopReq, OpenReq,
    SnapshotDeviceReq, Text,
};
use ctigate::config::Config;

use crate::support::desk::{Desk, open_req, services_of_agent, services_of_bridge, text};
use crate::support::house::{TestHouse, house, house_with, team};

const LOGOUT: AgentState = AgentState::AGENT_STATE_LOGOUT;
const NOT_READY: AgentState = AgentState::AGENT_STATE_NOT_READY;
const AVAILABLE: AgentState = AgentState::AGENT_STATE_AVAILABLE;
const SUPERVISOR: ServiceMask = ServiceMask::CTI_SERVICE_SUPERVISOR;

/// 1001 supervises 1002 and 1003, and shares the team of 1004 with 1009.
fn two_teams(config: &mut Config) {
    config.teams = vec![team(1, &["1001"], &["1002", "1003"]), team(2, &["1009", "1001"], &["1004", "1001"])];
}

fn supervising() -> ServiceMask {
    ServiceMask(services_of_agent().0 | SUPERVISOR.0)
}

fn open_req_of(agent: &str, services: ServiceMask) -> OpenReq {
    OpenReq { agent_id: text(agent), ..open_req(&format!("desktop-{agent}"), services) }
}

/// The supervisor's desktop, and what it is told of its teams when it opens.
async fn supervisor(house: &TestHouse, agent: &str) -> (Desk, Vec<AgentTeamConfigEvent>) {
    let mut desk = Desk::connected(house, 20);
    let opened = desk.opens(open_req_of(agent, supervising())).await;
    assert_eq!(opened.services_granted, supervising());
    let mut teams = Vec::new();
    while let Some(message) = desk.has_received() {
        match message {
            AnyMessage::AgentTeamConfigEvent(team) => teams.push(team),
            other => panic!("AGENT_TEAM_CONFIG_EVENT expected, got {other:?}"),
        }
    }
    (desk, teams)
}

async fn watches(desk: &mut Desk, team: u32) -> u32 {
    let invoke_id = desk.next_invoke_id();
    desk.sends(MonitorAgentTeamStartReq { invoke_id, team_id: team, ..Default::default() });
    match desk.receives().await {
        AnyMessage::MonitorAgentTeamStartConf(confirm) if confirm.invoke_id == invoke_id => confirm.monitor_id,
        other => panic!("MONITOR_AGENT_TEAM_START_CONF expected, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_is_told_its_teams_when_it_opens_and_when_it_asks() {
    let house = house_with(two_teams).await;
    let mut desk = Desk::of_agent(&house, "1002").await;
    desk.logs_in("1002").await;
    tokio::time::advance(std::time::Duration::from_secs(7)).await;

    let (mut supervisor, teams) = supervisor(&house, "1001").await;
    let first = &teams[0];
    assert_eq!((first.team_id, first.peripheral_id, first.number_of_agents), (1, 5000, 3));
    assert_eq!(first.config_operation, TeamConfigOperation::RESTORE_PERMANENT);
    assert_eq!(first.agent_team_name, text("team 1"));
    let members: Vec<_> = first.agents.iter().map(|one| (one.id.clone(), one.flags, one.state)).collect();
    assert_eq!(
        members,
        [
            (text("1001"), Some(AgentFlags::PRIMARY_SUPERVISOR), Some(LOGOUT)),
            (text("1002"), Some(AgentFlags(0)), Some(NOT_READY)),
            (text("1003"), Some(AgentFlags(0)), Some(LOGOUT)),
        ]
    );
    assert_eq!(first.agents[1].state_duration, Some(7));
    // A supervisor that is a member as well is there once.
    assert_eq!(
        teams[1].agents.iter().map(|one| one.flags).collect::<Vec<_>>(),
        [Some(AgentFlags::PRIMARY_SUPERVISOR), Some(AgentFlags::SUPERVISOR), Some(AgentFlags(0)),]
    );

    supervisor.sends(ListAgentTeamReq { invoke_id: 7, supervisor_id: 1001, ..Default::default() });
    match supervisor.receives().await {
        AnyMessage::ListAgentTeamConf(list) => {
            assert_eq!((list.invoke_id, list.number_of_agent_teams, list.segment_number, list.more), (7, 2, 1, 0));
            assert_eq!(list.team_ids, [1, 2]);
        }
        other => panic!("LIST_AGENT_TEAM_CONF expected, got {other:?}"),
    }
    supervisor.sends(ListAgentTeamReq { invoke_id: 8, supervisor_id: 1009, ..Default::default() });
    assert_eq!(supervisor.receives_failure().await.status, Status::E_CTI_SUPERVISOR_NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn teams_come_in_segments_of_64_and_large_ones_in_several_frames() {
    let house = house_with(|config| {
        let agents: Vec<String> = (2_000..2_600).map(|id: u32| id.to_string()).collect();
        let agents: Vec<&str> = agents.iter().map(String::as_str).collect();
        config.teams = (1..=130).map(|id| team(id, &["1001"], &[])).collect();
        config.teams.push(team(131, &["1001"], &agents));
    })
    .await;
    let (mut desk, teams) = supervisor(&house, "1001").await;
    let large: Vec<_> = teams.iter().filter(|team| team.team_id == 131).collect();
    assert_eq!(large.iter().map(|part| part.agents.len()).sum::<usize>(), 601);
    assert!(large[1..].iter().all(|part| part.config_operation == TeamConfigOperation::ADD_AGENT));
    desk.sends(ListAgentTeamReq { invoke_id: 1, supervisor_id: 0xffff_ffff, ..Default::default() });
    let mut segments = Vec::new();
    while let Some(AnyMessage::ListAgentTeamConf(list)) = desk.has_received() {
        segments.push((list.segment_number, list.team_ids.len(), list.more));
    }
    assert_eq!(segments, [(1, 64, 1), (2, 64, 1), (3, 3, 0)]);
}

#[tokio::test(start_paused = true)]
async fn the_service_is_for_supervisors_own_sessions_only() {
    let house = house_with(two_teams).await;
    let of_no_supervisor = open_req_of("1002", supervising());
    let without_events = open_req_of("1001", SUPERVISOR);
    let of_nobody = open_req("wallboard", ServiceMask(services_of_bridge().0 | SUPERVISOR.0));
    for request in [of_no_supervisor, without_events, of_nobody] {
        let status = Desk::connected(&house, 20).is_refused_to_open(request).await;
        assert_eq!(status, Status::E_CTI_FUNCTION_NOT_AVAILABLE);
    }
    // A bridge that asks for whatever there is gets what a bridge can have.
    let mut bridge = Desk::connected(&house, 20);
    let opened = bridge.opens(open_req("bridge", ServiceMask(0xffff_ffff))).await;
    assert_eq!(opened.services_granted.0 & SUPERVISOR.0, 0);
    bridge.receives_system_event().await;
    bridge.sends(MonitorAgentTeamStartReq { invoke_id: 1, team_id: 1, ..Default::default() });
    assert_eq!(bridge.receives_failure().await.status, Status::E_CTI_FUNCTION_NOT_AVAILABLE);
}

#[tokio::test(start_paused = true)]
async fn a_team_monitor_follows_its_agents_across_logouts_until_it_is_stopped() {
    let house = house_with(two_teams).await;
    let (mut supervisor, _) = supervisor(&house, "1001").await;
    let monitor = watches(&mut supervisor, 1).await;
    let mut desk = Desk::of_agent(&house, "1002").await;
    for _ in 0..2 {
        desk.logs_in("1002").await;
        for state in [AgentState::AGENT_STATE_LOGIN, NOT_READY] {
            assert_eq!(supervisor.receives_event("1002", state).await.monitor_id, monitor);
        }
        let logout = desk.asks("1002", LOGOUT);
        desk.receives_event("1002", LOGOUT).await;
        desk.receives_confirm(logout).await;
        assert_eq!(supervisor.receives_event("1002", LOGOUT).await.monitor_id, monitor);
    }
    // The other team is not monitored.
    Desk::of_agent(&house, "1004").await.logs_in("1004").await;
    supervisor.receives_nothing().await;

    supervisor.sends(MonitorAgentTeamStartReq { invoke_id: 1, team_id: 1, ..Default::default() });
    let again = supervisor.receives_failure().await.status;
    assert_eq!(again, Status::E_CTI_AGENT_TEAM_MONITOR_ALREADY_EXISTS);
    supervisor.sends(MonitorAgentTeamStartReq { invoke_id: 2, team_id: 77, ..Default::default() });
    assert_eq!(supervisor.receives_failure().await.status, Status::E_CTI_TEAM_NOT_FOUND);
    for (id, stops) in [(monitor, true), (monitor, false), (1, false)] {
        supervisor.sends(MonitorAgentTeamStopReq { invoke_id: 3, monitor_id: id, ..Default::default() });
        match supervisor.receives().await {
            AnyMessage::MonitorAgentTeamStopConf(_) => assert!(stops),
            AnyMessage::FailureConf(failure) => {
                assert!(!stops);
                assert_eq!(failure.status, Status::E_CTI_INVALID_MONITORID);
            }
            other => panic!("an answer expected, got {other:?}"),
        }
    }
    Desk::of_agent(&house, "1003").await.logs_in("1003").await;
    supervisor.receives_nothing().await;
    supervisor.drops();
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_changes_and_ends_its_agents_states_and_everybody_is_told_who_did() {
    let house = house_with(two_teams).await;
    let mut bridge = Desk::bridge(&house).await;
    let (mut supervisor, _) = supervisor(&house, "1001").await;
    let mut desk = Desk::of_agent(&house, "1002").await;
    desk.logs_in("1002").await;
    let own = [
        bridge.receives_event("1002", AgentState::AGENT_STATE_LOGIN).await.cti_client_signature,
        bridge.receives_event("1002", NOT_READY).await.cti_client_signature,
    ];
    assert_eq!(own, [None, None], "its own doing");

    for (state, reason) in [(AVAILABLE, 0), (NOT_READY, 3), (LOGOUT, 5)] {
        let asked = supervisor.asks_with("1002", state, |request| request.event_reason_code = reason);
        supervisor.receives_confirm(asked).await;
        for watcher in [&mut desk, &mut bridge] {
            let event = watcher.receives_event("1002", state).await;
            assert_eq!(event.cti_client_signature, text("desktop-1001"));
            assert_eq!(event.event_reason_code, reason);
        }
    }
    // What the agent does next is its own again.
    desk.logs_in("1002").await;
    let event = bridge.receives_event("1002", AgentState::AGENT_STATE_LOGIN).await;
    assert_eq!(event.cti_client_signature, None);
}

#[tokio::test(start_paused = true)]
async fn who_did_it_is_named_by_its_signature_where_it_gave_one() {
    let house = house_with(two_teams).await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1002").await;
    let longest = "s".repeat(64);
    for (signature, told) in [("Grace", "Grace"), ("", "desktop-1001"), (&longest, &longest[1..])] {
        let mut supervisor = Desk::connected(&house, 20);
        let client_signature = Text::from_wire(signature.as_bytes()).ok();
        supervisor.opens(OpenReq { client_signature, ..open_req_of("1001", supervising()) }).await;
        while supervisor.has_received().is_some() {}
        let asked = supervisor.asks("1002", AVAILABLE);
        supervisor.receives_confirm(asked).await;
        assert_eq!(bridge.receives_event("1002", AVAILABLE).await.cti_client_signature, text(told));
        let asked = supervisor.asks("1002", NOT_READY);
        supervisor.receives_confirm(asked).await;
        assert_eq!(bridge.receives_event("1002", NOT_READY).await.cti_client_signature, text(told));
        supervisor.drops();
    }
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_has_no_right_over_others_agents_and_none_to_log_in_or_to_handle_calls() {
    let house = house_with(two_teams).await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1002").await;
    bridge.logs_in("1005").await;
    let (mut supervisor, _) = supervisor(&house, "1001").await;
    for state in [AVAILABLE, LOGOUT] {
        supervisor.asks("1005", state);
        assert_eq!(supervisor.receives_failure().await.status, Status::E_CTI_FUNCTION_NOT_AVAILABLE);
    }
    supervisor.asks("1003", AgentState::AGENT_STATE_LOGIN);
    assert_eq!(supervisor.receives_failure().await.status, Status::E_CTI_FUNCTION_NOT_AVAILABLE);
    supervisor.sends(SnapshotDeviceReq {
        invoke_id: 9,
        peripheral_id: 0xffff_ffff,
        agent_instrument: text("3002"),
        ..Default::default()
    });
    supervisor.receives_control_failure().await;
    assert_eq!(supervisor.queries("1002").await, NOT_READY);
}

#[tokio::test(start_paused = true)]
async fn without_teams_nobody_is_a_supervisor() {
    let house = house().await;
    let status = Desk::connected(&house, 20).is_refused_to_open(open_req_of("1001", supervising())).await;
    assert_eq!(status, Status::E_CTI_FUNCTION_NOT_AVAILABLE);
}
