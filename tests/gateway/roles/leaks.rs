//! What a session of one team hears while another team works: nothing that names them, searched for in the raw bytes.
//!
//! Lives here: spies, which ask for everything in every order. Must hold: what is answered to a refused request may repeat
//! what that request named, and nothing else may.

use std::collections::HashMap;
use std::time::Duration;

use bytes::BytesMut;
use cti_protocol::ged188::codes::{
    AgentState, AgentStateMask, CallMsgMask, ConnectionDeviceIdType, ForcedFlag, ServiceMask, SupervisoryAction,
};
use cti_protocol::ged188::{
    AnyMessage, ChangeMonitorMaskReq, ConfigRequestEvent, ConfigRequestKeyEvent, Data, ListAgentTeamReq,
    MonitorAgentTeamStartReq, MonitorStartReq, OpenReq, QueryAgentStateReq, QueryAgentStatisticsReq, SetAgentStateReq,
    SnapshotCallReq, SnapshotDeviceReq, SuperviseCallReq, Text,
};
use ctigate::acd::Acd;
use ctigate::model::{AgentId, Instrument, Login, Password, QueueChoice, QueueId, ReasonCode};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::{MATE, OWN, SECRET, STRANGER, Stage};
use crate::support::crm::Crm;
use crate::support::desk::{Desk, instrument_of, open_req, text};

/// Another of the strangers.
const OTHER: &str = "1013";
/// What travels with the strangers' calls.
const DATA: &str = "IBAN CH93";
const NO_CALL: u32 = 0xffff_ffff;
const EVERYTHING: u32 = 0xffff_ffff;
const AVAILABLE: AgentState = AgentState::AGENT_STATE_AVAILABLE;
const NOT_READY: AgentState = AgentState::AGENT_STATE_NOT_READY;
const LOGIN: AgentState = AgentState::AGENT_STATE_LOGIN;
const LOGOUT: AgentState = AgentState::AGENT_STATE_LOGOUT;

/// A client that looks for what is not its own.
struct Spy {
    ear: Ear,
    /// Whom and what it must not hear of.
    needles: Vec<Vec<u8>>,
    /// What it asked, by the ids of its requests.
    asked: HashMap<String, Vec<u8>>,
    /// For what is said when it heard something.
    story: Vec<String>,
}

enum Ear {
    Ged188(Desk),
    OpenCti(Crm),
}

impl Spy {
    fn new(ear: Ear, client: &str) -> Spy {
        let mut names = vec![STRANGER, OTHER, DATA];
        if client != "supervisor" || matches!(ear, Ear::OpenCti(_)) {
            names.push(MATE);
        }
        let mut needles: Vec<Vec<u8>> = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        // ICMAgentID is the same as a number.
        needles.extend(names.iter().filter_map(|name| name.parse().ok()).map(|id: u32| id.to_be_bytes().to_vec()));
        Spy { ear, needles, asked: HashMap::new(), story: Vec::new() }
    }

    async fn ged188(stage: &Stage, client: &str) -> Spy {
        let mut desk = Desk::connected(&stage.house, 20);
        desk.opens(OpenReq { agent_id: text(OWN), ..open_of(client) }).await;
        Spy::new(Ear::Ged188(desk), client)
    }

    async fn opencti(stage: &Stage, client: &str) -> Spy {
        let mut crm = Crm::connected(&stage.house);
        crm.succeeds(hello(client)).await;
        Spy::new(Ear::OpenCti(crm), client)
    }

    fn asks(&mut self, message: impl FnOnce(u32) -> AnyMessage) {
        let Ear::Ged188(desk) = &mut self.ear else { panic!("a spy that speaks GED-188") };
        if desk.closed.is_some() {
            return;
        }
        let invoke_id = desk.next_invoke_id();
        let message = message(invoke_id);
        self.story.push(format!("asks {message:?}").chars().take(160).collect());
        let mut bytes = BytesMut::new();
        message.encode(desk.version, &mut bytes).unwrap();
        desk.sends_bytes(&bytes);
        self.asked.insert(invoke_id.to_string(), bytes.to_vec());
    }

    fn asks_json(&mut self, request: Value) {
        let Ear::OpenCti(crm) = &mut self.ear else { panic!("a spy that speaks OpenCTI") };
        self.story.push(format!("asks {request}"));
        let id = crm.sends(request.clone());
        self.asked.insert(id.to_string(), request.to_string().into_bytes());
    }

    /// Reads all that has come, and fails if a needle is in it.
    async fn heard_nothing(&mut self, after: &str) {
        for _ in 0..30 {
            tokio::task::yield_now().await;
        }
        self.story.push(after.to_owned());
        for piece in self.pieces() {
            let exempt = self.refused(&piece).and_then(|id| self.asked.get(&id));
            for needle in &self.needles {
                let is_in = |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
                if is_in(&piece) && !exempt.is_some_and(|asked| is_in(asked)) {
                    let story = self.story[self.story.len().saturating_sub(40)..].join("\n");
                    panic!("{:?} was heard in {:?}\n{story}", text_of(needle), text_of(&piece));
                }
            }
        }
    }

    /// The frames or lines that have come.
    fn pieces(&mut self) -> Vec<Vec<u8>> {
        let outbox = match &mut self.ear {
            Ear::Ged188(desk) => {
                desk.wakes();
                &desk.outbox
            }
            Ear::OpenCti(crm) => {
                crm.wakes();
                &crm.outbox
            }
        };
        let mut bytes = BytesMut::new();
        outbox.take(&mut bytes).expect("a spy that keeps up");
        outbox.still_writing(0);
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let end = match &self.ear {
                Ear::Ged188(_) => 8 + u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize,
                Ear::OpenCti(_) => 1 + bytes.iter().position(|byte| *byte == b'\n').unwrap(),
            };
            pieces.push(bytes.split_to(end).to_vec());
        }
        pieces
    }

    /// The id of the request that this says is refused.
    fn refused(&self, piece: &[u8]) -> Option<String> {
        match &self.ear {
            Ear::Ged188(_) => {
                const REFUSALS: [u32; 2] = [1, 35];
                let number = |at: usize| u32::from_be_bytes(piece[at..at + 4].try_into().unwrap());
                REFUSALS.contains(&number(4)).then(|| number(8).to_string())
            }
            Ear::OpenCti(_) => {
                let answer: Value = serde_json::from_slice(piece).unwrap();
                (answer["Status"] == "Fail").then(|| answer["id"].to_string())
            }
        }
    }

    /// Asks GED-188 for all that there might be to hear.
    fn asks_for_everything(&mut self) {
        for what in [OWN, MATE, STRANGER, OTHER].iter().flat_map(|agent| [(*agent).to_owned(), instrument_of(agent)]) {
            self.asks(|invoke_id| monitor_start(invoke_id, &what).into());
        }
        for call in 1..=4 {
            self.asks(|invoke_id| {
                MonitorStartReq {
                    connection_call_id: call,
                    connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_STATIC,
                    connection_device_id: text(&instrument_of(STRANGER)),
                    monitored_device_id: None,
                    ..monitor_start(invoke_id, "")
                }
                .into()
            });
            self.asks(|invoke_id| {
                SnapshotCallReq {
                    invoke_id,
                    connection_call_id: call,
                    connection_device_id: text(&instrument_of(OWN)),
                    ..Default::default()
                }
                .into()
            });
        }
        for team_id in [1, 2] {
            self.asks(|invoke_id| MonitorAgentTeamStartReq { invoke_id, team_id, ..Default::default() }.into());
        }
        self.asks(|invoke_id| ListAgentTeamReq { invoke_id, supervisor_id: 1011, ..Default::default() }.into());
        self.asks(|_| ConfigRequestKeyEvent::default().into());
        self.asks(|_| ConfigRequestEvent::default().into());
        for agent in [MATE, STRANGER, OTHER] {
            self.asks_about(agent);
        }
        for monitor_id in 1..12 {
            self.asks(|invoke_id| {
                let (call_msg_mask, agent_state_mask) = (CallMsgMask(EVERYTHING), AgentStateMask(EVERYTHING));
                ChangeMonitorMaskReq { invoke_id, monitor_id, call_msg_mask, agent_state_mask, ..Default::default() }
                    .into()
            });
        }
    }

    /// Asks about an agent by its device alone, and by its id.
    fn asks_about(&mut self, agent: &str) {
        let device = instrument_of(agent);
        for (agent_id, agent_instrument) in [(None, text(&device)), (text(agent), None), (text(agent), text("3029"))] {
            let (id, at) = (agent_id.clone(), agent_instrument.clone());
            self.asks(|invoke_id| {
                QueryAgentStateReq { invoke_id, agent_id: id, agent_instrument: at, ..Default::default() }.into()
            });
            let (id, at) = (agent_id.clone(), agent_instrument.clone());
            self.asks(|invoke_id| {
                QueryAgentStatisticsReq { invoke_id, agent_id: id, agent_instrument: at, ..Default::default() }.into()
            });
            // Not ready: a call that it is offered would be its own.
            for agent_state in [NOT_READY, LOGOUT] {
                let (id, at) = (agent_id.clone(), agent_instrument.clone());
                self.asks(|invoke_id| {
                    SetAgentStateReq {
                        invoke_id,
                        agent_state,
                        agent_id: id,
                        agent_instrument: at,
                        ..Default::default()
                    }
                    .into()
                });
            }
        }
        let at = text(&device);
        self.asks(|invoke_id| SnapshotDeviceReq { invoke_id, agent_instrument: at, ..Default::default() }.into());
        let at = text(&device);
        self.asks(|invoke_id| {
            SuperviseCallReq {
                invoke_id,
                agent_connection_call_id: NO_CALL,
                supervisor_connection_call_id: NO_CALL,
                supervisory_action: SupervisoryAction::SUPERVISOR_MONITOR,
                agent_connection_device_id: at,
                supervisor_instrument: text(&instrument_of(OWN)),
                ..Default::default()
            }
            .into()
        });
        // Its place: a login there says that it is taken, and not by whom.
        self.asks(|invoke_id| login(invoke_id, OWN, &device, ForcedFlag::FALSE).into());
    }
}

fn text_of(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn open_of(client: &str) -> OpenReq {
    let client_password = Some(Data::new(SECRET.as_bytes()).unwrap().into());
    OpenReq { client_password, ..open_req(client, ServiceMask(EVERYTHING)) }
}

fn hello(client: &str) -> Value {
    json!({"activity": "Hello", "protocolVersion": 1, "identity": client, "secret": SECRET})
}

fn monitor_start(invoke_id: u32, what: &str) -> MonitorStartReq {
    MonitorStartReq {
        invoke_id,
        call_msg_mask: CallMsgMask(EVERYTHING),
        agent_state_mask: AgentStateMask(EVERYTHING),
        connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_NONE,
        monitored_device_id: text(what),
        ..Default::default()
    }
}

fn login(invoke_id: u32, agent: &str, device: &str, forced_flag: ForcedFlag) -> SetAgentStateReq {
    SetAgentStateReq {
        invoke_id,
        agent_state: LOGIN,
        forced_flag,
        agent_id: text(agent),
        agent_instrument: text(device),
        agent_password: Some(Text::new(&format!("pw{agent}")).unwrap().into()),
        ..Default::default()
    }
}

impl Stage {
    async fn enters_at(&mut self, agent: &str, device: &str) {
        self.director.asks_with(agent, LOGIN, |request| request.agent_instrument = text(device));
        self.director.hears().await;
    }

    async fn is(&mut self, agent: &str, state: AgentState) {
        self.director.asks(agent, state);
        self.director.hears().await;
    }

    /// Somebody calls queue 1, where one agent at most is ready; gives the call, whose data it is told to carry.
    async fn arrives(&mut self, spies: &mut [&mut Spy], device: &str) -> u32 {
        self.house.acd.inner.arrive(QueueId(1));
        self.director.hears().await;
        let call = self.house.acd.inner.calls().into_iter().max_by_key(|call| call.id).expect("a call that came");
        for spy in spies {
            spy.needles.extend(call.ani.clone().map(String::into_bytes));
        }
        self.director.answers(call.id.0, device);
        self.director.sets_data(call.id.0, device, |request| {
            (request.call_variable1, request.call_wrapup_data) = (text(DATA), text(DATA));
        });
        self.director.hears().await;
        call.id.0
    }

    async fn directs(&mut self, ask: impl FnOnce(&mut Desk) -> u32) {
        ask(&mut self.director);
        self.director.hears().await;
    }
}

#[tokio::test(start_paused = true)]
async fn another_teams_day_is_not_heard_by_who_asks_for_everything_at_every_hour() {
    for client in ["agent", "supervisor", "narrow"] {
        for is_in in [false, true] {
            let mut stage = Stage::empty().await;
            let mut spy = Spy::ged188(&stage, client).await;
            if is_in {
                stage.enters(OWN).await;
            }
            let hour = async |spy: &mut Spy, what: &str| {
                spy.heard_nothing(what).await;
                spy.asks_for_everything();
                spy.heard_nothing("asked for everything").await;
            };
            hour(&mut spy, "nobody is there").await;
            for agent in [STRANGER, OTHER] {
                stage.enters(agent).await;
            }
            hour(&mut spy, "they come").await;
            stage.is(STRANGER, AVAILABLE).await;
            hour(&mut spy, "one is ready").await;
            let (at, other_at) = (instrument_of(STRANGER), instrument_of(OTHER));
            let call = stage.arrives(&mut [&mut spy], &at).await;
            hour(&mut spy, "a call comes").await;
            stage.directs(|director| director.holds(call, &at)).await;
            stage.directs(|director| director.retrieves(call, &at)).await;
            stage.directs(|director| director.consults(call, &at, &other_at)).await;
            hour(&mut spy, "they talk to each other").await;
            stage.directs(|director| director.answers(call + 1, &other_at)).await;
            stage.directs(|director| director.confers(call + 1, call, &at)).await;
            hour(&mut spy, "all of them").await;
            stage.directs(|director| director.clears(call, &at)).await;
            stage.house.acd.inner.go_away();
            tokio::time::sleep(Duration::from_secs(5)).await;
            hour(&mut spy, "the ACD is away").await;
            stage.house.acd.inner.come_back();
            tokio::time::sleep(Duration::from_secs(60)).await;
            hour(&mut spy, "the ACD is back").await;
            stage.directs(|director| director.clears(call, &other_at)).await;
            for agent in [STRANGER, OTHER] {
                stage.is(agent, NOT_READY).await;
                stage.is(agent, LOGOUT).await;
            }
            hour(&mut spy, "they go").await;
        }
    }
}

/// How an agent's place becomes another's while the agent's client listens there.
#[derive(Clone, Copy, Debug)]
enum Handover {
    Logout,
    ConsoleLogout,
    Moved,
    WhileTheAcdIsAway,
}

#[tokio::test(start_paused = true)]
async fn who_comes_to_a_monitored_device_is_not_heard_there() {
    use Handover::{ConsoleLogout, Logout, Moved, WhileTheAcdIsAway};
    for client in ["agent", "supervisor"] {
        for handover in [Logout, ConsoleLogout, Moved, WhileTheAcdIsAway] {
            let mut stage = Stage::empty().await;
            let mut spy = Spy::ged188(&stage, client).await;
            let place = instrument_of(OWN);
            let acd = &stage.house.acd.inner;
            let own = AgentId::new(OWN).unwrap();
            stage.director.asks(OWN, LOGIN);
            stage.director.hears().await;
            spy.asks_for_everything();
            spy.heard_nothing("listens").await;
            match handover {
                Logout => {
                    stage.director.asks(OWN, LOGOUT);
                }
                ConsoleLogout => acd.console_log_out(&own, ReasonCode(1)),
                Moved => {
                    stage.director.asks_with(OWN, LOGIN, |request| {
                        request.agent_instrument = text("3005");
                        request.forced_flag = ForcedFlag::TRUE;
                    });
                }
                WhileTheAcdIsAway => {
                    // Nobody is told of what happens until everything is asked anew.
                    acd.lose_reports(1_000);
                    acd.console_log_out(&own, ReasonCode(1));
                    let login = Login {
                        agent: AgentId::new(STRANGER).unwrap(),
                        password: Password::new(format!("pw{STRANGER}")),
                        instrument: Instrument::new(&place).unwrap(),
                        queues: QueueChoice::AsAcdSays,
                        forced: false,
                    };
                    acd.log_in(&login).await.unwrap();
                    // Who comes is told of before who went, as no order is promised.
                    let mut truth = acd.snapshot().await.unwrap();
                    truth.agents.reverse();
                    *stage.house.acd.snapshot.lock().unwrap() = Some(truth);
                    acd.go_away();
                    tokio::time::sleep(Duration::from_secs(2)).await;
                    acd.lose_reports(0);
                    acd.come_back();
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
            }
            stage.director.hears().await;
            spy.heard_nothing("the agent is gone").await;
            spy.asks(|invoke_id| monitor_start(invoke_id, &place).into());
            stage.enters_at(STRANGER, &place).await;
            spy.asks_for_everything();
            stage.is(STRANGER, AVAILABLE).await;
            stage.arrives(&mut [&mut spy], &place).await;
            spy.heard_nothing(&format!("{handover:?}")).await;
            let there =
                stage.house.house.table.agent_at(crate::support::house::PERIPHERAL, &Instrument::new(&place).unwrap());
            assert_eq!(there.expect("somebody").agent.as_str(), STRANGER, "{handover:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_at_another_teams_device_is_not_opened_and_one_that_waits_there_hears_nothing() {
    for client in ["agent", "supervisor"] {
        let mut stage = Stage::empty().await;
        let place = instrument_of(STRANGER);
        let by_device = || OpenReq { agent_instrument: text(&place), ..open_of(client) };
        let mut refused = Desk::connected(&stage.house, 20);
        assert!(refused.is_refused_to_open(by_device()).await.name().is_some());
        // Its own agent, at a place where nobody works yet.
        let mut desk = Desk::connected(&stage.house, 20);
        desk.opens(OpenReq { agent_id: text(OWN), ..by_device() }).await;
        let mut spy = Spy::new(Ear::Ged188(desk), client);
        spy.asks_for_everything();
        spy.asks(|invoke_id| SnapshotDeviceReq { invoke_id, ..Default::default() }.into());
        spy.heard_nothing("waits").await;
        stage.enters_at(STRANGER, &place).await;
        stage.is(STRANGER, AVAILABLE).await;
        stage.arrives(&mut [&mut spy], &place).await;
        spy.asks(|invoke_id| SnapshotDeviceReq { invoke_id, ..Default::default() }.into());
        spy.asks(|invoke_id| QueryAgentStateReq { invoke_id, ..Default::default() }.into());
        spy.heard_nothing("somebody came").await;
        // Once somebody works there, it is said that it is so, and not who.
        let mut late = Desk::connected(&stage.house, 20);
        late.sends(OpenReq { agent_id: text(OWN), ..by_device() });
        let mut late = Spy::new(Ear::Ged188(late), client);
        late.heard_nothing("asks for both").await;
        // The same client takes its own session over, and gets no more by that.
        let mut desk = Desk::connected(&stage.house, 20);
        desk.opens(OpenReq { agent_id: text(OWN), ..open_of(client) }).await;
        let mut second = Spy::new(Ear::Ged188(desk), client);
        second.needles.clone_from(&spy.needles);
        second.asks_for_everything();
        stage.is(STRANGER, NOT_READY).await;
        second.heard_nothing("took over").await;
        spy.heard_nothing("was taken over").await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_at_another_teams_device_has_no_part_in_whoever_comes_to_work_there() {
    let mut stage = Stage::empty().await;
    let place = instrument_of(STRANGER);
    let mut desk = Desk::connected(&stage.house, 20);
    desk.opens(OpenReq { agent_id: text(OWN), agent_instrument: text(&place), ..open_of("agent") }).await;
    // The stranger's own desktop is not kept out.
    let mut stranger = Desk::connected(&stage.house, 20);
    let services = ServiceMask::CTI_SERVICE_CLIENT_EVENTS | ServiceMask::CTI_SERVICE_CLIENT_CONTROL;
    let both =
        || OpenReq { agent_id: text(STRANGER), agent_instrument: text(&place), ..open_req("stranger", services) };
    stranger.opens(both()).await;
    stranger.drops();
    // Nor is a stranger who logs in at the phone itself missed when the waiting desktop is lost.
    let login = Login {
        agent: AgentId::new(STRANGER).unwrap(),
        password: Password::new(format!("pw{STRANGER}")),
        instrument: Instrument::new(&place).unwrap(),
        queues: QueueChoice::AsAcdSays,
        forced: false,
    };
    stage.house.acd.inner.log_in(&login).await.unwrap();
    stage.director.hears().await;
    desk.drops();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    let facts = stage.house.acd.inner.facts(&login.agent).unwrap();
    assert!(facts.is_logged_in(), "{facts:?}");
}

#[tokio::test(start_paused = true)]
async fn who_has_left_a_call_hears_no_more_of_it() {
    for client in ["agent", "supervisor"] {
        for way in ["blind transfer", "consult transfer", "conference and goodbye"] {
            let mut stage = Stage::empty().await;
            let mut spy = Spy::ged188(&stage, client).await;
            let (own, there) = (instrument_of(OWN), instrument_of(STRANGER));
            stage.enters(OWN).await;
            stage.enters(STRANGER).await;
            stage.is(OWN, AVAILABLE).await;
            stage.house.acd.inner.arrive(QueueId(1));
            stage.director.hears().await;
            stage.directs(|director| director.answers(1, &own)).await;
            spy.asks(|invoke_id| monitor_start(invoke_id, &own).into());
            if way == "blind transfer" {
                stage.directs(|director| director.transfers_blindly(1, &own, &there)).await;
            } else {
                stage.directs(|director| director.consults(1, &own, &there)).await;
                stage.directs(|director| director.answers(2, &there)).await;
                if way == "consult transfer" {
                    stage.directs(|director| director.transfers(2, 1, &own)).await;
                } else {
                    stage.directs(|director| director.confers(2, 1, &own)).await;
                    let call = stage.house.acd.inner.calls()[0].id.0;
                    stage.directs(|director| director.clears(call, &own)).await;
                }
            }
            // All up to here was its own call.
            for _ in 0..30 {
                tokio::task::yield_now().await;
            }
            spy.pieces();
            let call = stage.house.acd.inner.calls()[0].id.0;
            stage.directs(|director| director.answers(call, &there)).await;
            stage.directs(|director| director.sets_data(call, &there, |data| data.call_variable2 = text(DATA))).await;
            stage.directs(|director| director.holds(call, &there)).await;
            stage.directs(|director| director.retrieves(call, &there)).await;
            stage.directs(|director| director.consults(call, &there, &instrument_of(OTHER))).await;
            for id in 1..=4 {
                spy.asks(|invoke_id| {
                    SnapshotCallReq { invoke_id, connection_call_id: id, ..Default::default() }.into()
                });
            }
            spy.heard_nothing(way).await;
            let is_carried =
                stage.house.acd.inner.calls().iter().any(|call| call.data.variables[1].as_deref() == Some(DATA));
            assert!(is_carried, "{way}: the stranger's call carries what must not be heard");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_desktop_of_opencti_hears_nobody_but_its_own_agents() {
    let mut stage = Stage::empty().await;
    let (own, there) = (instrument_of(OWN), instrument_of(STRANGER));
    let mut spy = Spy::opencti(&stage, "agent").await;
    let subscribe = |device: &str| json!({"activity": "SubscribeForEvents", "DN": device, "AgentID": OWN, "AgentPassword": format!("pw{OWN}")});
    let login = |device: &str| json!({"activity": "LoginAgent", "DN": device, "AgentID": OWN, "AgentPassword": format!("pw{OWN}")});
    // At its own place and at others', before anybody works there.
    for device in [own.as_str(), &there, &instrument_of(OTHER), &instrument_of(MATE)] {
        spy.asks_json(subscribe(device));
        spy.heard_nothing("subscribes").await;
    }
    spy.asks_json(login(&own));
    spy.heard_nothing("logs in").await;
    for device in [&there, &instrument_of(OTHER), &instrument_of(MATE)] {
        spy.asks_json(subscribe(device));
    }
    stage.enters(STRANGER).await;
    stage.enters(MATE).await;
    stage.is(STRANGER, AVAILABLE).await;
    spy.heard_nothing("they come").await;
    let call = stage.arrives(&mut [&mut spy], &there).await;
    spy.heard_nothing("a call comes").await;
    for request in [
        subscribe(&there),
        login(&there),
        json!({"activity": "GetSnapshot", "AgentID": STRANGER}),
        json!({"activity": "GetSnapshot", "AgentID": OWN}),
        json!({"activity": "OpenAdapter", "AgentID": STRANGER}),
        json!({"activity": "CloseAdapter", "AgentID": STRANGER}),
        json!({"activity": "answerCall", "DN": there}),
        json!({"activity": "hangUpCall", "AgentID": STRANGER}),
        json!({"activity": "holdCall", "DN": own, "CallID": call.to_string()}),
        json!({"activity": "makeCall", "DN": there, "Destination": "0041443456789"}),
    ] {
        spy.asks_json(request);
        spy.heard_nothing("asks").await;
    }
    // Its own place becomes another's, with what it had subscribed to before and after.
    spy.asks_json(json!({"activity": "LogoutAgent", "AgentID": OWN}));
    spy.heard_nothing("logs out").await;
    spy.asks_json(subscribe(&own));
    spy.heard_nothing("subscribes").await;
    stage.enters_at(OTHER, &own).await;
    stage.is(STRANGER, NOT_READY).await;
    stage.is(OTHER, AVAILABLE).await;
    stage.arrives(&mut [&mut spy], &own).await;
    spy.heard_nothing("another agent works at its place").await;
    // What is said of everything at once, when the ACD comes back, names nobody either.
    stage.house.acd.inner.go_away();
    tokio::time::sleep(Duration::from_secs(5)).await;
    stage.house.acd.inner.come_back();
    tokio::time::sleep(Duration::from_secs(60)).await;
    spy.heard_nothing("the ACD was away").await;
}

#[tokio::test(start_paused = true)]
async fn a_session_is_taken_up_by_its_own_client_only_and_tells_it_nothing_of_others() {
    let mut stage = Stage::empty().await;
    stage.enters(STRANGER).await;
    // Somebody's session, whose name has become known.
    let mut victim = Crm::connected(&stage.house);
    let victim_hello = json!({"activity": "Hello", "protocolVersion": 1, "identity": "director"});
    let welcome = victim.succeeds(victim_hello).await;
    victim.succeeds(json!({"activity": "SubscribeForEvents", "DN": instrument_of(STRANGER)})).await;
    victim.drops();
    for seq in [0, 1, 1_000] {
        let mut crm = Crm::connected(&stage.house);
        let mut request = hello("agent");
        request["resume"] = json!({"session": welcome["session"], "seq": seq});
        let told = crm.succeeds(request).await;
        assert_eq!(told["resumed"], false);
        assert_ne!(told["session"], welcome["session"]);
        let mut spy = Spy::new(Ear::OpenCti(crm), "agent");
        stage.is(STRANGER, AVAILABLE).await;
        stage.is(STRANGER, NOT_READY).await;
        spy.heard_nothing("with a stolen name").await;
    }
    // One's own, with a device subscribed to at which somebody else works meanwhile.
    let mut crm = Crm::connected(&stage.house);
    let welcome = crm.succeeds(hello("agent")).await;
    let place = instrument_of(OTHER);
    let subscribe =
        json!({"activity": "SubscribeForEvents", "DN": place, "AgentID": OWN, "AgentPassword": format!("pw{OWN}")});
    crm.succeeds(subscribe).await;
    crm.drops();
    stage.enters(OTHER).await;
    stage.is(OTHER, AVAILABLE).await;
    let mut crm = Crm::connected(&stage.house);
    let mut request = hello("agent");
    request["resume"] = json!({"session": welcome["session"], "seq": 0});
    crm.sends(request);
    let mut spy = Spy::new(Ear::OpenCti(crm), "agent");
    spy.heard_nothing("is back").await;
    stage.arrives(&mut [&mut spy], &place).await;
    spy.heard_nothing("a call comes").await;
}

/// Everybody does whatever comes to mind; the spy of either dialect must not hear the strangers.
#[tokio::test(start_paused = true)]
async fn whatever_is_done_in_whichever_order_strangers_are_not_heard() {
    for seed in 0..60 {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut stage = Stage::empty().await;
        let client = ["agent", "supervisor"][dice.random_range(0..2)];
        let mut spies = [Spy::ged188(&stage, client).await, Spy::opencti(&stage, "agent").await];
        for spy in &mut spies {
            spy.story.push(format!("seed {seed}, {client}"));
        }
        for _ in 0..80 {
            let step = random_step(&mut dice, &mut stage, &mut spies).await;
            for spy in &mut spies {
                spy.heard_nothing(&step).await;
            }
        }
    }
}

async fn random_step(dice: &mut StdRng, stage: &mut Stage, spies: &mut [Spy; 2]) -> String {
    let agent = [STRANGER, OTHER][dice.random_range(0..2)];
    let device = ["3001", "3002", "3012", "3013"][dice.random_range(0..4)];
    let call = dice.random_range(1..6);
    let [ged188, opencti] = spies;
    match dice.random_range(0..22) {
        0..4 => stage.enters_at(agent, device).await,
        4 | 5 => stage.is(agent, AVAILABLE).await,
        6 => stage.is(agent, NOT_READY).await,
        7 | 8 => stage.is(agent, LOGOUT).await,
        9 | 10 if stage.house.acd.inner.calls().len() < 3 => {
            stage.arrives(&mut [ged188, opencti], device).await;
        }
        11 => stage.directs(|director| director.clears(call, device)).await,
        12 => stage.directs(|director| director.holds(call, device)).await,
        13 => {
            let far_end = stage.house.acd.inner.facts(&AgentId::new(OTHER).unwrap()).and_then(|facts| facts.instrument);
            if let Some(far_end) = far_end {
                stage.directs(|director| director.consults(call, device, far_end.as_str())).await;
            }
        }
        14 => {
            stage.house.acd.inner.go_away();
            tokio::time::sleep(Duration::from_secs(3)).await;
            stage.house.acd.inner.come_back();
            tokio::time::sleep(Duration::from_secs(40)).await;
        }
        15 => ged188.asks(|invoke_id| login(invoke_id, OWN, device, ForcedFlag::TRUE).into()),
        16 => {
            let agent_id = text(OWN);
            let logout =
                |invoke_id| SetAgentStateReq { invoke_id, agent_state: LOGOUT, agent_id, ..Default::default() };
            ged188.asks(|invoke_id| logout(invoke_id).into());
        }
        17 | 18 => ged188.asks(|invoke_id| monitor_start(invoke_id, device).into()),
        19 => ged188.asks_about(agent),
        20 => {
            let (activity, password) =
                (["SubscribeForEvents", "LoginAgent"][dice.random_range(0..2)], format!("pw{OWN}"));
            opencti.asks_json(json!({"activity": activity, "DN": device, "AgentID": OWN, "AgentPassword": password}));
        }
        _ => {
            let activity = ["LogoutAgent", "GetSnapshot", "hangUpCall"][dice.random_range(0..3)];
            opencti.asks_json(json!({"activity": activity, "AgentID": OWN}));
        }
    }
    format!("{agent} {device} {call}")
}
