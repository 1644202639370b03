//! Every request of GED-188 by every role.

use bytes::{BufMut, BytesMut};
use cti_protocol::ged188::catalogue::{CATALOGUE, SentBy};
use cti_protocol::ged188::codes::{
    AgentState, ClientEventState, ConnectionDeviceIdType, ControlFailure, ForcedFlag, ServiceMask, Status,
    SupervisoryAction,
};
use cti_protocol::ged188::{
    AlternateCallReq, AnswerCallReq, AnyMessage, ChangeMonitorMaskReq, ClearCallReq, ClearConnectionReq,
    ClientEventReportReq, CloseReq, ConferenceCallReq, ConfigRequestEvent, ConfigRequestKeyEvent, ConsultationCallReq,
    Data, DeflectCallReq, HeartbeatReq, HoldCallReq, ListAgentTeamReq, MakeCallReq, MessageType,
    MonitorAgentTeamStartReq, MonitorAgentTeamStopReq, MonitorStartReq, MonitorStopReq, OpenReq, QueryAgentStateReq,
    QueryAgentStatisticsReq, QueryDeviceInfoReq, QuerySkillGroupStatisticsReq, ReconnectCallReq, ReleaseCallReq,
    RetrieveCallReq, SendDtmfSignalReq, SetAgentStateReq, SetCallDataReq, SnapshotCallReq, SnapshotDeviceReq,
    SuperviseCallReq, Text, TransferCallReq,
};
use ctigate::dialects::ged188::ANSWERED;

use super::{CLIENTS, HELPER, Mark, OWN, SECRET, STRANGER, Scene, Stage, TARGETS, judge};
use crate::support::desk::{Desk, instrument_of, open_req, text};

/// Somebody outside, who can be called.
const OUTSIDE: &str = "0041443456789";
const NO_CALL: u32 = 0xffff_ffff;
const EVERYTHING: ServiceMask = ServiceMask(0xffff_ffff);
/// The first monitor that a session starts.
const FIRST_MONITOR: u32 = 2;

/// Whom a sample is aimed at.
struct Aim {
    invoke_id: u32,
    agent: &'static str,
    device: String,
    team: u32,
    /// A monitor of the session's own, or one that it does not have.
    monitor: u32,
}

struct Row {
    of: MessageType,
    scene: Scene,
    /// Whether it changes something when it is done.
    is_change: bool,
    sample: fn(&Aim) -> AnyMessage,
    /// For each client: about its own agent, a team-mate, a stranger.
    expected: [&'static str; 5],
}

const TELLS: bool = false;
const CHANGES: bool = true;

macro_rules! table {
    ($($of:ident in $scene:ident $effect:ident, $agent:literal $supervisor:literal $bridge:literal $admin:literal $narrow:literal:
        |$aim:ident| $sample:expr;)*) => {
        const TABLE: &[Row] = &[$(Row {
            of: MessageType::$of,
            scene: Scene::$scene,
            is_change: $effect,
            sample: |$aim| $sample.into(),
            expected: [$agent, $supervisor, $bridge, $admin, $narrow],
        }),*];
    };
}

/// Fills a request about the call of one device.
macro_rules! of_call {
    ($aim:ident, $message:ident { $($field:ident: $value:expr),* $(,)? }) => {
        $message {
            invoke_id: $aim.invoke_id,
            connection_call_id: 1,
            connection_device_id: text(&$aim.device),
            $($field: $value,)*
            ..Default::default()
        }
    };
}

/// Fills a request about the two calls of one device.
macro_rules! of_two {
    ($aim:ident, $message:ident) => {
        $message {
            invoke_id: $aim.invoke_id,
            active_connection_call_id: 2,
            active_connection_device_id: text(&$aim.device),
            held_connection_call_id: 1,
            held_connection_device_id: text(&$aim.device),
            ..Default::default()
        }
    };
}

table! {
    //                                          agent  super  bridge admin  narrow
    OPEN_REQ in Out TELLS,                      "+--" "+--" "+++" "+++" "+--": |aim| OpenReq {
        agent_id: text(aim.agent), ..open_of("", CLIENT_EVENTS) };
    HEARTBEAT_REQ in In TELLS,                  "+++" "+++" "+++" "+++" "+++": |aim| HeartbeatReq {
        invoke_id: aim.invoke_id, ..Default::default() };
    CLOSE_REQ in In TELLS,                      "+++" "+++" "+++" "+++" "+++": |aim| CloseReq {
        invoke_id: aim.invoke_id, ..Default::default() };
    CLIENT_EVENT_REPORT_REQ in In TELLS,        "+++" "+++" "+++" "+++" "+++": |aim| ClientEventReportReq {
        invoke_id: aim.invoke_id, state: ClientEventState::NORMAL, text: text("all is well"), ..Default::default() };

    SET_AGENT_STATE_REQ in Out CHANGES,         "+--" "+--" "+++" "+++" "---": |aim| SetAgentStateReq {
        agent_instrument: text(&aim.device), agent_password: password_of(aim), ..state(aim, LOGIN) };
    SET_AGENT_STATE_REQ in In TELLS,            "+--" "+--" "+++" "+++" "---": |aim| SetAgentStateReq {
        forced_flag: ForcedFlag::AUTHENTICATE_ONLY, agent_password: password_of(aim), ..state(aim, LOGIN) };
    SET_AGENT_STATE_REQ in In CHANGES,          "+--" "++-" "+++" "+++" "---": |aim| state(aim, AVAILABLE);
    SET_AGENT_STATE_REQ in In CHANGES,          "+--" "++-" "+++" "+++" "---": |aim| state(aim, LOGOUT);
    SET_AGENT_STATE_REQ in In CHANGES,          "+--" "++-" "+++" "+++" "---": |aim| SetAgentStateReq {
        agent_id: None, agent_instrument: text(&aim.device), ..state(aim, AVAILABLE) };
    SET_AGENT_STATE_REQ in In CHANGES,          "+--" "++-" "+++" "+++" "---": |aim| SetAgentStateReq {
        agent_instrument: text(&aim.device), ..state(aim, LOGOUT) };
    // Where a stranger works is not found out by asking for one device after the other.
    SET_AGENT_STATE_REQ in In TELLS,            ".--" "..-" "..." "..." "---": |aim| SetAgentStateReq {
        agent_instrument: text("3029"), ..state(aim, LOGOUT) };
    QUERY_AGENT_STATE_REQ in In TELLS,          "+--" "++-" "+++" "+++" "---": |aim| QueryAgentStateReq {
        invoke_id: aim.invoke_id, agent_id: text(aim.agent), ..Default::default() };
    QUERY_AGENT_STATE_REQ in Out TELLS,         "+--" "++-" "+++" "+++" "---": |aim| QueryAgentStateReq {
        invoke_id: aim.invoke_id, agent_id: text(aim.agent), ..Default::default() };
    QUERY_AGENT_STATE_REQ in In TELLS,          "+--" "++-" "+++" "+++" "---": |aim| QueryAgentStateReq {
        invoke_id: aim.invoke_id, agent_instrument: text(&aim.device), ..Default::default() };
    QUERY_AGENT_STATISTICS_REQ in In TELLS,     "+--" "++-" "+++" "+++" "+--": |aim| QueryAgentStatisticsReq {
        invoke_id: aim.invoke_id, agent_id: text(aim.agent), ..Default::default() };
    QUERY_AGENT_STATISTICS_REQ in In TELLS,     "+--" "++-" "+++" "+++" "+--": |aim| QueryAgentStatisticsReq {
        invoke_id: aim.invoke_id, agent_instrument: text(&aim.device), ..Default::default() };
    // What nobody's name is in: how a group does, what a device can.
    QUERY_SKILL_GROUP_STATISTICS_REQ in In TELLS, "+++" "+++" "+++" "+++" "+++": |aim| QuerySkillGroupStatisticsReq {
        invoke_id: aim.invoke_id, skill_group_number: 1, skill_group_id: 1, ..Default::default() };
    QUERY_DEVICE_INFO_REQ in In TELLS,          "+++" "+++" "+++" "+++" "---": |aim| QueryDeviceInfoReq {
        invoke_id: aim.invoke_id, agent_instrument: text(&aim.device), ..Default::default() };

    MONITOR_START_REQ in In CHANGES,            "+--" "++-" "+++" "+++" "---": |aim| monitor(aim, &aim.device);
    MONITOR_START_REQ in In CHANGES,            "+--" "++-" "+++" "+++" "---": |aim| monitor(aim, aim.agent);
    MONITOR_START_REQ in Out CHANGES,           "---" "---" "+++" "+++" "---": |aim| monitor(aim, &aim.device);
    MONITOR_START_REQ in Talking CHANGES,       "---" "---" "+++" "+++" "---": |aim| MonitorStartReq {
        connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_STATIC, connection_call_id: 1,
        connection_device_id: text(&aim.device), monitored_device_id: None, ..monitor(aim, "") };
    MONITOR_STOP_REQ in In CHANGES,             "+??" "+??" "+??" "+??" "---": |aim| MonitorStopReq {
        invoke_id: aim.invoke_id, monitor_id: aim.monitor, ..Default::default() };
    CHANGE_MONITOR_MASK_REQ in In TELLS,        "+??" "+??" "+??" "+??" "---": |aim| ChangeMonitorMaskReq {
        invoke_id: aim.invoke_id, monitor_id: aim.monitor, ..Default::default() };

    MAKE_CALL_REQ in In CHANGES,                "+--" "+--" "+++" "+++" "---": |aim| MakeCallReq {
        invoke_id: aim.invoke_id, agent_instrument: text(&aim.device), dialed_number: text(OUTSIDE), ..Default::default() };
    ANSWER_CALL_REQ in Ringing CHANGES,         "+--" "+--" "+++" "+++" "---": |aim| of_call!(aim, AnswerCallReq {});
    DEFLECT_CALL_REQ in Ringing CHANGES,        "+--" "+--" "+++" "+++" "---": |aim| of_call!(aim, DeflectCallReq {
        called_device_id: text(&instrument_of(HELPER)) });
    HOLD_CALL_REQ in Talking CHANGES,           "+--" "+--" "+++" "+++" "---": |aim| of_call!(aim, HoldCallReq {});
    CLEAR_CONNECTION_REQ in Talking CHANGES,    "+--" "+--" "+++" "+++" "---": |aim| of_call!(aim, ClearConnectionReq {});
    CLEAR_CALL_REQ in Talking CHANGES,          "+--" "+--" "+++" "+++" "---": |aim| of_call!(aim, ClearCallReq {});
    SEND_DTMF_SIGNAL_REQ in Talking TELLS,      "+--" "+--" "+++" "+++" "---": |aim| of_call!(aim, SendDtmfSignalReq {
        dtmf_string: text("123") });
    SET_CALL_DATA_REQ in Talking CHANGES,       "+--" "+--" "+++" "+++" "---": |aim| of_call!(aim, SetCallDataReq {
        call_variable1: text("gold") });
    RELEASE_CALL_REQ in Left CHANGES,           "+--" "+--" "+++" "+++" "---": |aim| of_call!(aim, ReleaseCallReq {});
    SNAPSHOT_CALL_REQ in Talking TELLS,         "+--" "+--" "+++" "+++" "---": |aim| of_call!(aim, SnapshotCallReq {});
    SNAPSHOT_DEVICE_REQ in Talking TELLS,       "+--" "+--" "+++" "+++" "---": |aim| SnapshotDeviceReq {
        invoke_id: aim.invoke_id, agent_instrument: text(&aim.device), ..Default::default() };
    RETRIEVE_CALL_REQ in OnHold CHANGES,        "+--" "+--" "+++" "+++" "---": |aim| RetrieveCallReq {
        invoke_id: aim.invoke_id, held_connection_call_id: 1, held_connection_device_id: text(&aim.device),
        ..Default::default() };
    CONSULTATION_CALL_REQ in Talking CHANGES,   "+--" "+--" "+++" "+++" "---": |aim| ConsultationCallReq {
        invoke_id: aim.invoke_id, active_connection_call_id: 1, active_connection_device_id: text(&aim.device),
        dialed_number: text(OUTSIDE), ..Default::default() };
    TRANSFER_CALL_REQ in Consulting CHANGES,    "+--" "+--" "+++" "+++" "---": |aim| of_two!(aim, TransferCallReq);
    TRANSFER_CALL_REQ in Talking CHANGES,       "+--" "+--" "+++" "+++" "---": |aim| TransferCallReq {
        active_connection_call_id: 1, held_connection_call_id: NO_CALL, held_connection_device_id: None,
        dialed_number: text(&instrument_of(HELPER)), ..of_two!(aim, TransferCallReq) };
    CONFERENCE_CALL_REQ in Consulting CHANGES,  "+--" "+--" "+++" "+++" "---": |aim| of_two!(aim, ConferenceCallReq);
    RECONNECT_CALL_REQ in Consulting CHANGES,   "+--" "+--" "+++" "+++" "---": |aim| of_two!(aim, ReconnectCallReq);
    ALTERNATE_CALL_REQ in Consulting CHANGES,   "+--" "+--" "+++" "+++" "---": |aim| AlternateCallReq {
        invoke_id: aim.invoke_id, active_connection_call_id: 2, active_connection_device_id: text(&aim.device),
        other_connection_call_id: 1, other_connection_device_id: text(&aim.device), ..Default::default() };

    // Nobody listens to its own call. Whoever hears everything is given no supervisor's service besides.
    SUPERVISE_CALL_REQ in Talking CHANGES,      "---" ".+-" "---" "---" "---": |aim| supervise(aim);
    SUPERVISE_CALL_REQ in Talking CHANGES,      "---" ".+-" "---" "---" "---": |aim| SuperviseCallReq {
        agent_connection_call_id: NO_CALL, agent_connection_device_id: None, agent_id: text(aim.agent), ..supervise(aim) };
    LIST_AGENT_TEAM_REQ in In TELLS,            "---" "+??" "---" "---" "---": |aim| ListAgentTeamReq {
        invoke_id: aim.invoke_id, supervisor_id: aim.agent.parse().unwrap(), ..Default::default() };
    MONITOR_AGENT_TEAM_START_REQ in In CHANGES, "---" "++?" "---" "---" "---": |aim| MonitorAgentTeamStartReq {
        invoke_id: aim.invoke_id, team_id: aim.team, ..Default::default() };
    MONITOR_AGENT_TEAM_STOP_REQ in In TELLS,    "---" "???" "---" "---" "---": |aim| MonitorAgentTeamStopReq {
        invoke_id: aim.invoke_id, monitor_id: aim.monitor, ..Default::default() };
    CONFIG_REQUEST_KEY_EVENT in In TELLS,       "---" "---" "+++" "+++" "---": |_aim| ConfigRequestKeyEvent::default();
    CONFIG_REQUEST_EVENT in In TELLS,           "---" "---" "+++" "+++" "---": |_aim| ConfigRequestEvent::default();
}

const LOGIN: AgentState = AgentState::AGENT_STATE_LOGIN;
const LOGOUT: AgentState = AgentState::AGENT_STATE_LOGOUT;
const AVAILABLE: AgentState = AgentState::AGENT_STATE_AVAILABLE;
const CLIENT_EVENTS: ServiceMask = ServiceMask::CTI_SERVICE_CLIENT_EVENTS;

fn state(aim: &Aim, agent_state: AgentState) -> SetAgentStateReq {
    SetAgentStateReq { invoke_id: aim.invoke_id, agent_state, agent_id: text(aim.agent), ..Default::default() }
}

fn password_of(aim: &Aim) -> Option<cti_protocol::ged188::Secret<Text<64>>> {
    Some(Text::new(&format!("pw{}", aim.agent)).unwrap().into())
}

fn monitor(aim: &Aim, what: &str) -> MonitorStartReq {
    MonitorStartReq {
        invoke_id: aim.invoke_id,
        connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_NONE,
        monitored_device_id: text(what),
        ..Default::default()
    }
}

fn supervise(aim: &Aim) -> SuperviseCallReq {
    SuperviseCallReq {
        invoke_id: aim.invoke_id,
        agent_connection_call_id: 1,
        supervisor_connection_call_id: NO_CALL,
        supervisory_action: SupervisoryAction::SUPERVISOR_MONITOR,
        agent_connection_device_id: text(&aim.device),
        supervisor_instrument: text(&instrument_of(OWN)),
        ..Default::default()
    }
}

fn open_of(client: &str, services: ServiceMask) -> OpenReq {
    let client_password = Some(Data::new(SECRET.as_bytes()).unwrap().into());
    OpenReq { client_password, ..open_req(client, services) }
}

/// A session that asks for everything there is.
async fn opened(stage: &Stage, client: &str) -> Desk {
    let mut desk = Desk::connected(&stage.house, 20);
    let agent_id = if matches!(client, "bridge" | "admin") { None } else { text(OWN) };
    desk.opens(OpenReq { agent_id, ..open_of(client, EVERYTHING) }).await;
    desk.hears().await;
    desk
}

/// The answer to a request, among whatever else has come.
async fn answer(desk: &mut Desk, request: &AnyMessage) -> AnyMessage {
    for _ in 0..40 {
        tokio::task::yield_now().await;
    }
    desk.wakes();
    let is_answer = |message: &AnyMessage| {
        let name = message.name().unwrap_or_default();
        match request.invoke_id() {
            Some(invoke_id) => message.invoke_id() == Some(invoke_id) && !name.ends_with("_EVENT"),
            None => name.starts_with("CONFIG_") || name.starts_with("FAILURE_"),
        }
    };
    let mut others = Vec::new();
    while let Some(message) = desk.has_received() {
        if is_answer(&message) {
            return message;
        }
        others.push(message);
    }
    panic!("no answer to {request:?}, but {others:?}");
}

fn mark(answer: &AnyMessage) -> Mark {
    match answer {
        AnyMessage::FailureConf(failure) => match failure.status {
            Status::E_CTI_FUNCTION_NOT_AVAILABLE | Status::E_CTI_NOT_CALL_PARTY | Status::E_CTI_INVALID_AGENT_DATA => {
                '-'
            }
            Status::E_CTI_INVALID_MONITORID | Status::E_CTI_TEAM_NOT_FOUND | Status::E_CTI_SUPERVISOR_NOT_FOUND => '?',
            _ => '.',
        },
        AnyMessage::ControlFailureConf(failure) => match failure.failure_code {
            ControlFailure::CF_PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE => '-',
            _ => '.',
        },
        _ => '+',
    }
}

#[test]
fn every_request_that_is_served_has_a_row() {
    for served in ANSWERED {
        assert!(TABLE.iter().any(|row| row.of == *served), "{served} has no row");
    }
}

#[tokio::test(start_paused = true)]
async fn every_role_may_do_what_its_column_says_and_a_refusal_changes_nothing() {
    let mut wrong = Vec::new();
    for row in TABLE {
        for (client, expected) in CLIENTS.into_iter().zip(row.expected) {
            for (target, expected) in TARGETS.into_iter().zip(expected.chars()) {
                wrong.extend(tried(row, client, target, expected).await);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn tried(row: &Row, client: &'static str, target: &'static str, expected: Mark) -> Option<String> {
    let stage = Stage::set(row.scene, target).await;
    let aim = Aim {
        invoke_id: 7,
        agent: target,
        device: instrument_of(target),
        team: if target == STRANGER { 2 } else { 1 },
        monitor: if target == OWN { FIRST_MONITOR } else { 4711 },
    };
    let is_open = row.of == MessageType::OPEN_REQ;
    let mut desk = if is_open { Desk::connected(&stage.house, 20) } else { opened(&stage, client).await };
    if matches!(row.of, MessageType::MONITOR_STOP_REQ | MessageType::CHANGE_MONITOR_MASK_REQ) {
        desk.sends(monitor(&aim, &instrument_of(OWN)));
        desk.hears().await;
    }
    let request = match (row.sample)(&aim) {
        AnyMessage::OpenReq(open) => AnyMessage::from(OpenReq { client_id: text(client), ..open }),
        other => other,
    };
    let before = stage.truth();
    desk.sends(request.clone());
    let answer = answer(&mut desk, &request).await;
    let what = format!("{} in {:?} by {client} about {target}", row.of, row.scene);
    let told = format!("{answer:?}");
    if told.contains(STRANGER) && expected == '-' && !format!("{request:?}").contains(STRANGER) {
        return Some(format!("{what}: a stranger is named: {told}"));
    }
    judge(&what, expected, mark(&answer), &told, (&before, &stage.truth()), row.is_change)
}

/// A stranger's call by one's own device: the requests about calls, with the numbers that the samples do not have.
#[tokio::test(start_paused = true)]
async fn nobody_reaches_a_strangers_call_by_its_own_device() {
    let of_calls = TABLE.iter().filter(|row| !matches!(row.scene, Scene::Out | Scene::In));
    for row in of_calls {
        for client in ["agent", "supervisor", "narrow"] {
            let stage = Stage::set(row.scene, STRANGER).await;
            let mut desk = opened(&stage, client).await;
            let aim = Aim { invoke_id: 7, agent: OWN, device: instrument_of(OWN), team: 1, monitor: FIRST_MONITOR };
            let request = (row.sample)(&aim);
            if matches!(request, AnyMessage::SnapshotDeviceReq(_)) {
                continue; // one's own device, which has no call
            }
            let before = stage.truth();
            desk.sends(request.clone());
            let answer = answer(&mut desk, &request).await;
            assert_ne!(mark(&answer), '+', "{} by {client}: {answer:?}", row.of);
            assert_eq!(before, stage.truth(), "{} by {client}", row.of);
            assert!(!format!("{answer:?}").contains(STRANGER), "{answer:?}");
        }
    }
}

/// A frame of that type: InvokeID, zeros where the fixed part of a declared one goes on, and no floating field.
fn frame_of(message: MessageType) -> BytesMut {
    let info = CATALOGUE.iter().find(|info| info.message_type == message);
    let bytes = info.map_or(4, |info| info.fixed.iter().map(|field| field.bytes_max.unwrap_or(0)).sum::<usize>());
    let mut frame = BytesMut::new();
    frame.put_u32(u32::try_from(bytes.max(4)).unwrap());
    frame.put_u32(message.0);
    frame.put_u32(7);
    frame.put_bytes(0, bytes.saturating_sub(4));
    frame
}

#[tokio::test(start_paused = true)]
async fn whatever_is_not_served_is_refused_for_every_role_and_changes_nothing() {
    let stage = Stage::set(Scene::Talking, OWN).await;
    let before_anybody = stage.truth();
    let mut tried = 0;
    for client in CLIENTS {
        let mut desk = opened(&stage, client).await;
        let before = stage.truth();
        let numbers = MessageType::all().chain([0, 999, u32::MAX].map(MessageType));
        for message in numbers.filter(|message| !ANSWERED.contains(message)) {
            desk.sends_bytes(&frame_of(message));
            match desk.receives().await {
                AnyMessage::FailureConf(failure) => {
                    let is_told = matches!(
                        failure.status,
                        Status::E_CTI_FUNCTION_NOT_AVAILABLE
                            | Status::E_CTI_INVALID_MSG_TYPE_FOR_VERSION
                            | Status::E_CTI_BAD_MESSAGE_FORMAT
                    );
                    assert!(is_told, "{message} by {client}: {failure:?}");
                    let is_request = CATALOGUE
                        .iter()
                        .any(|info| info.message_type == message && info.sent_by != SentBy::Server && info.since <= 20);
                    if is_request {
                        let none = (7, Status::E_CTI_FUNCTION_NOT_AVAILABLE);
                        assert_eq!((failure.invoke_id, failure.status), none, "{message} by {client}: {failure:?}");
                        tried += 1;
                    }
                }
                other => panic!("{message} by {client}: {other:?}"),
            }
        }
        assert_eq!(before, stage.truth(), "{client}");
        desk.drops();
    }
    assert_eq!(before_anybody, stage.truth());
    assert!(tried > 15 * CLIENTS.len(), "{tried}");
}

#[tokio::test(start_paused = true)]
async fn who_did_not_prove_who_it_is_may_do_nothing() {
    let stage = Stage::set(Scene::Talking, OWN).await;
    let before = stage.truth();
    for (client, password) in [("nobody", SECRET), ("admin", "guess"), ("", "")] {
        let mut desk = Desk::connected(&stage.house, 20);
        for is_open_tried in [false, true] {
            if is_open_tried {
                let client_password = Some(Data::new(password.as_bytes()).unwrap().into());
                let open = OpenReq { client_password, ..open_req(client, EVERYTHING) };
                let status = desk.is_refused_to_open(open).await;
                assert_eq!(status, Status::E_CTI_INVALID_PASSWORD, "{client}");
            }
            for row in TABLE.iter().filter(|row| row.of != MessageType::OPEN_REQ) {
                let aim = Aim { invoke_id: 7, agent: OWN, device: instrument_of(OWN), team: 1, monitor: FIRST_MONITOR };
                desk.sends((row.sample)(&aim));
                assert_eq!(desk.receives_failure().await.status, Status::E_CTI_SESSION_NOT_OPEN, "{}", row.of);
            }
        }
    }
    assert_eq!(before, stage.truth());
}

#[tokio::test(start_paused = true)]
async fn each_role_is_granted_its_own_services_and_no_others() {
    let stage = Stage::empty().await;
    let of_agents = CLIENT_EVENTS
        | ServiceMask::CTI_SERVICE_CLIENT_CONTROL
        | ServiceMask::CTI_SERVICE_CALL_DATA_UPDATE
        | ServiceMask::CTI_SERVICE_PERIPHERAL_MONITOR
        | ServiceMask::CTI_SERVICE_IGNORE_DUPLICATE_AGENT_EVENTS;
    let of_bridges = ServiceMask(of_agents.0 & !CLIENT_EVENTS.0)
        | ServiceMask::CTI_SERVICE_ALL_EVENTS
        | ServiceMask::CTI_SERVICE_CONFIG_EVENTS;
    let of_narrow = CLIENT_EVENTS | ServiceMask::CTI_SERVICE_IGNORE_DUPLICATE_AGENT_EVENTS;
    let of_supervisors = of_agents | ServiceMask::CTI_SERVICE_SUPERVISOR;
    for (client, granted) in CLIENTS.into_iter().zip([of_agents, of_supervisors, of_bridges, of_bridges, of_narrow]) {
        let mut desk = Desk::connected(&stage.house, 20);
        let opened = desk.opens(OpenReq { agent_id: text(OWN), ..open_of(client, EVERYTHING) }).await;
        assert_eq!(opened.services_granted, granted, "{client}");
        desk.drops();
    }
    // What only others may have is nothing to open a session for.
    for (client, service) in [
        ("agent", ServiceMask::CTI_SERVICE_SUPERVISOR),
        ("agent", ServiceMask::CTI_SERVICE_ALL_EVENTS),
        ("supervisor", ServiceMask::CTI_SERVICE_ALL_EVENTS),
        ("supervisor", ServiceMask::CTI_SERVICE_CONFIG_EVENTS),
        ("bridge", ServiceMask::CTI_SERVICE_SUPERVISOR),
        ("narrow", ServiceMask::CTI_SERVICE_CLIENT_CONTROL),
    ] {
        let mut desk = Desk::connected(&stage.house, 20);
        let status = desk.is_refused_to_open(OpenReq { agent_id: text(OWN), ..open_of(client, service) }).await;
        assert_eq!(status, Status::E_CTI_FUNCTION_NOT_AVAILABLE, "{client} {service:?}");
    }
}
