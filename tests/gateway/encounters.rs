//! Agents, devices and requests that meet at a bad moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cti_protocol::ged188::codes::{
    AgentState, AgentStateMask, CallMsgMask, ConnectionDeviceIdType, ControlFailure, DeviceIdType, ServiceMask, Status,
};
use cti_protocol::ged188::{AnyMessage, MonitorStartReq, OpenReq, SetAgentStateReq, Text};
use ctigate::acd::embedded::{Command, EmbeddedAcd, EmbeddedConfig, Fault, FaultKind, QueueConfig};
use ctigate::acd::{Acd, AcdEvent, AcdEvents, AcdRefusal, Capabilities, Peripheral, Snapshot};
use ctigate::dialects::Outbox;
use ctigate::model::{
    AgentFacts, AgentId, Instrument, Login, Password, PeripheralId, PreCall, QueueChoice, QueueId, ReasonCode,
    StateChange, Teams, WantedState,
};
use ctigate::operations::{House, Rules};

use crate::support::desk::{Desk, FORCED, open_req, services_of_agent, services_of_bridge, skill_groups, text};
use crate::support::house::{PERIPHERAL, TestHouse, house, house_of};
use crate::support::wire::{Served, Wire, served, served_by};

const LOGIN: AgentState = AgentState::AGENT_STATE_LOGIN;
const LOGOUT: AgentState = AgentState::AGENT_STATE_LOGOUT;
const NOT_READY: AgentState = AgentState::AGENT_STATE_NOT_READY;
const AVAILABLE: AgentState = AgentState::AGENT_STATE_AVAILABLE;

async fn of_device(house: &TestHouse, client: &str, device: &str) -> Desk {
    let mut desk = Desk::connected(house, 20);
    desk.opens(OpenReq { agent_instrument: text(device), ..open_req(client, services_of_agent()) }).await;
    desk
}

/// All that comes until nothing comes for a while.
async fn everything(desk: &mut Desk) -> Vec<AnyMessage> {
    let mut all = Vec::new();
    while let Ok(message) = tokio::time::timeout(Duration::from_millis(200), desk.receives()).await {
        all.push(message);
    }
    all
}

// --- two agents at one device ---------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn the_teardown_of_one_agent_does_not_deafen_the_next_at_its_device() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1001").await;
    let held = house.acd.hold("close_adapter");
    bridge.asks("1001", LOGOUT);
    let held = held.await.unwrap();
    let mut next = of_device(&house, "next", "3001").await;
    let login = next.asks_with("1002", LOGIN, |request| request.agent_instrument = text("3001"));
    next.receives_confirm(login).await;
    next.receives_event("1002", LOGIN).await;
    next.receives_event("1002", NOT_READY).await;
    held.does_it();
    everything(&mut bridge).await;
    let ready = next.asks("1002", AVAILABLE);
    next.receives_confirm(ready).await;
    next.receives_event("1002", AVAILABLE).await;
}

#[tokio::test(start_paused = true)]
async fn who_takes_a_device_over_hears_what_happens_there() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1001").await;
    let mut taker = of_device(&house, "bridge", "3001").await;
    taker.asks_with("1002", LOGIN, |request| {
        (request.agent_instrument, request.forced_flag) = (text("3001"), FORCED);
    });
    everything(&mut taker).await;
    let ready = taker.asks("1002", AVAILABLE);
    taker.receives_confirm(ready).await;
    taker.receives_event("1002", AVAILABLE).await;
}

#[tokio::test(start_paused = true)]
async fn a_device_that_the_agent_has_left_is_free_for_another_client() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1001").await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    let mut other = Desk::connected(&house, 20);
    let at_3001 = || OpenReq { agent_instrument: text("3001"), ..open_req("other", services_of_agent()) };
    assert_eq!(other.is_refused_to_open(at_3001()).await, Status::E_CTI_DEVICE_IN_USE);
    let logout = desk.asks("1001", LOGOUT);
    desk.receives_event("1001", LOGOUT).await;
    desk.receives_confirm(logout).await;
    let login = desk.asks_with("1001", LOGIN, |request| request.agent_instrument = text("3050"));
    desk.receives_confirm(login).await;
    other.opens(at_3001()).await;
}

// --- a link that goes and comes while a command is under way -----------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_adapter_that_was_lost_with_the_link_is_opened_again_although_a_command_was_under_way() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1001").await;
    let agent = AgentId::new("1001").unwrap();
    let held = house.acd.hold("set_state");
    bridge.asks("1001", AVAILABLE);
    let held = held.await.unwrap();
    house.acd.inner.close_adapter(&agent).await.unwrap(); // as if the ACD had been started anew
    house.acd.inner.go_away();
    house.acd.inner.come_back();
    bridge.receives_system_event().await;
    bridge.receives_system_event().await;
    held.does_it();
    everything(&mut bridge).await;
    assert_eq!(house.acd.inner.adapters(), [agent]);
}

// --- forced logins --------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_forced_login_that_cannot_be_costs_the_agent_nothing() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1001").await;
    type Change = fn(&mut SetAgentStateReq);
    let cases: [(Change, ControlFailure); 3] = [
        (|request| request.agent_instrument = text("9999"), ControlFailure::CF_INVALID_LOGON_DEVICE_SPECIFIED),
        (
            |request| request.agent_password = Some(Text::new("wrong").unwrap().into()),
            ControlFailure::CF_INVALID_AGENT_ID_OR_PASSWORD_SPECIFIED,
        ),
        (
            |request| (request.num_skill_groups, request.skill_groups) = (1, skill_groups(&[77])),
            ControlFailure::CF_INVALID_SKILL_GROUP_SPECIFIED,
        ),
    ];
    for (change, code) in cases {
        bridge.asks_with("1001", LOGIN, |request| {
            (request.agent_instrument, request.forced_flag) = (text("3050"), FORCED);
            change(request);
        });
        assert_eq!(bridge.receives_control_failure().await.failure_code, code);
        assert_eq!(bridge.queries("1001").await, NOT_READY);
    }
}

#[tokio::test(start_paused = true)]
async fn a_desktop_that_comes_back_by_force_finds_everything_as_it_was() {
    let house = house().await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let ready = desk.asks("1001", AVAILABLE);
    desk.receives_confirm(ready).await;
    desk.receives_event("1001", AVAILABLE).await;
    desk.drops();
    let mut desk = Desk::of_agent(&house, "1001").await;
    let login = desk.asks_with("1001", LOGIN, |request| request.forced_flag = FORCED);
    desk.receives_confirm(login).await;
    assert_eq!(desk.queries("1001").await, AVAILABLE);
}

// --- logouts --------------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn no_call_is_offered_to_an_agent_whose_logout_is_on_its_way() {
    let house = house_of(EmbeddedConfig { latency: Duration::from_millis(200), ..Default::default() }, |_| ()).await;
    let mut desk = Desk::of_agent(&house, "1001").await;
    desk.logs_in("1001").await;
    let ready = desk.asks("1001", AVAILABLE);
    desk.receives_confirm(ready).await;
    desk.receives_event("1001", AVAILABLE).await;
    let logout = desk.asks("1001", LOGOUT);
    tokio::time::sleep(Duration::from_millis(50)).await;
    house.acd.inner.arrive(QueueId(1));
    desk.receives_event("1001", LOGOUT).await;
    desk.receives_confirm(logout).await;
}

#[tokio::test(start_paused = true)]
async fn a_monitor_that_begins_during_the_teardown_hears_the_next_login() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.logs_in("1001").await;
    let held = house.acd.hold("close_adapter");
    bridge.asks("1001", LOGOUT);
    let held = held.await.unwrap();
    let mut recorder = Desk::connected(&house, 20);
    recorder.opens(open_req("recorder", ServiceMask::CTI_SERVICE_PERIPHERAL_MONITOR)).await;
    recorder.sends(MonitorStartReq {
        invoke_id: 4,
        peripheral_id: 5000,
        call_msg_mask: CallMsgMask(u32::MAX),
        agent_state_mask: AgentStateMask(u32::MAX),
        connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_NONE,
        monitored_device_type: DeviceIdType::DEVID_AGENT_DEVICE,
        monitored_device_id: text("3001"),
        ..Default::default()
    });
    assert!(matches!(recorder.receives().await, AnyMessage::MonitorStartConf(_)));
    held.does_it();
    everything(&mut bridge).await;
    bridge.logs_in("1001").await;
    recorder.receives_event("1001", LOGIN).await;
}

#[tokio::test]
async fn draining_waits_for_a_logout_however_slow_its_steps_are() {
    let Served { gateway, acd, address } = served(|config| {
        (config.timeouts.acd_answer, config.timeouts.drain) = (Duration::from_millis(800), Duration::from_millis(100));
    })
    .await;
    let mut wire =
        Wire::opened(address, OpenReq { agent_id: text("1001"), ..open_req("d", services_of_agent()) }).await;
    let asks = |invoke_id, agent_state| SetAgentStateReq {
        invoke_id,
        peripheral_id: 5000,
        agent_state,
        agent_id: text("1001"),
        agent_instrument: text("3001"),
        agent_password: Some(Text::new("pw1001").unwrap().into()),
        ..Default::default()
    };
    wire.sends(asks(5, LOGIN)).await;
    for _ in 0..3 {
        wire.receives().await;
    }
    let held = acd.hold("authenticate");
    for on in [Command::Authenticate, Command::LogOut, Command::CloseAdapter] {
        acd.inner.add_fault(Fault { delay: Duration::from_millis(400), ..Fault::new(on, FaultKind::AnswerLate) });
    }
    wire.sends(asks(6, LOGOUT)).await;
    held.await.unwrap().does_it();
    let drained = tokio::spawn(gateway.drain());
    let mut is_confirmed = false;
    while let Some(message) = wire.receives().await {
        is_confirmed |= matches!(message, AnyMessage::SetAgentStateConf(confirm) if confirm.invoke_id == 6);
    }
    drop(wire);
    drained.await.unwrap();
    assert!(is_confirmed, "the logout that was under way was never answered");
}

// --- requests -------------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn agents_that_only_requests_have_named_are_forgotten() {
    let house = house_of(EmbeddedConfig { latency: Duration::from_millis(50), ..Default::default() }, |_| ()).await;
    let mut bridge = Desk::bridge(&house).await;
    for agent in 50_000..50_200 {
        let agent = agent.to_string();
        bridge.asks(&agent, LOGIN);
        bridge.asks(&agent, LOGOUT);
    }
    assert_eq!(everything(&mut bridge).await.len(), 400);
    assert_eq!(house.house.table.agents_of(PERIPHERAL).len(), 100);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_fits_no_frame_is_a_failure_and_not_a_silence() {
    let queues = (1..=500).map(|n| QueueConfig { number: QueueId(n), name: n.to_string() }).collect();
    let mut world = EmbeddedConfig { queues, ..EmbeddedConfig::default() };
    world.agents[0].queues = (1..=500).map(QueueId).collect();
    let house = house_of(world, |_| ()).await;
    let mut bridge = Desk::bridge(&house).await;
    bridge.asks("1001", LOGIN);
    everything(&mut bridge).await;
    bridge.sends(cti_protocol::ged188::QueryAgentStateReq {
        invoke_id: 9,
        peripheral_id: 5000,
        agent_id: text("1001"),
        ..Default::default()
    });
    let failure = bridge.receives_failure().await;
    assert_eq!((failure.invoke_id, failure.status), (9, Status::E_CTI_TOO_MUCH_DATA));
}

#[tokio::test(start_paused = true)]
async fn a_skill_group_that_says_none_given_is_none() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    for state in [LOGIN, LOGOUT] {
        bridge.asks_with("1001", state, |request| {
            (request.num_skill_groups, request.skill_groups) = (1, skill_groups(&[-1]));
        });
        let heard = everything(&mut bridge).await;
        assert!(heard.iter().any(|message| matches!(message, AnyMessage::SetAgentStateConf(_))), "{heard:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_devices_desktop_can_ask_for_an_agent_before_it_logs_in() {
    let house = house().await;
    let mut desk = of_device(&house, "desk", "3001").await;
    assert_eq!(desk.queries("1001").await, LOGOUT);
}

// --- who cannot keep up, and who can ----------------------------------------------------------------------------------

#[test]
fn what_was_written_does_not_count_as_waiting() {
    let outbox = Outbox::new(1_000);
    let mut pending = bytes::BytesMut::new();
    for _ in 0..3 {
        outbox.add(|out| out.extend_from_slice(&[0; 600]));
        outbox.take(&mut pending).expect("600 bytes of 1,000");
        pending.clear();
        outbox.still_writing(0);
    }
    outbox.add(|out| out.extend_from_slice(&[0; 600]));
    outbox.take(&mut pending).expect("600 bytes of 1,000");
    outbox.add(|out| out.extend_from_slice(&[0; 600]));
    assert_eq!(outbox.take(&mut pending).unwrap_err().queued, 1_200);
}

#[tokio::test]
async fn a_client_that_reads_is_not_cut_by_a_rebuild_larger_than_its_bound() {
    const AGENTS: u32 = 3_000;
    let mut world = EmbeddedConfig::default();
    (world.agents[0].first, world.agents[0].count) = (100_000, AGENTS);
    (world.instruments[0].first, world.instruments[0].count) = (200_000, AGENTS);
    let served = served_by(world, |config| config.limits.outbound_bytes_max = 256 * 1024).await;
    let id = |at: u32| AgentId::new(&(100_000 + at).to_string()).unwrap();
    served.acd.inner.go_away();
    let mut wire = Wire::opened(served.address, open_req("bridge", services_of_bridge())).await;
    wire.receives().await;
    served.acd.inner.come_back();
    wire.receives().await;
    for at in 0..AGENTS {
        let login = Login {
            agent: id(at),
            password: Password::new(format!("pw{}", 100_000 + at)),
            instrument: Instrument::new(&(200_000 + at).to_string()).unwrap(),
            queues: QueueChoice::AsAcdSays,
            forced: false,
        };
        Acd::log_in(&served.acd.inner, &login).await.unwrap();
    }
    served.acd.inner.go_away();
    for at in 0..AGENTS {
        served.acd.inner.console_set_state(&id(at), WantedState::Ready, ReasonCode(0));
    }
    served.acd.inner.come_back();
    let mut events = 0;
    while events < 2 * AGENTS {
        match wire.receives().await.expect("a client that keeps up stays") {
            AnyMessage::AgentStateEvent(_) => events += 1,
            AnyMessage::SystemEvent(_) => (),
            other => panic!("{other:?}"),
        }
    }
}

// --- more reports than fit ------------------------------------------------------------------------------------------

/// Reports so much at once that the last word about its link does not fit.
#[derive(Debug)]
struct Flooding {
    inner: EmbeddedAcd,
    reports: usize,
    comes_back: bool,
    flood: tokio::sync::Notify,
    is_away: AtomicBool,
}

#[async_trait]
impl Acd for Flooding {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn run(&self, events: AcdEvents) {
        events.report(AcdEvent::LinkUp);
        self.flood.notified().await;
        let call = PreCall {
            agent: AgentId::new("1001").unwrap(),
            instrument: Instrument::new("3001").unwrap(),
            queue: QueueId(1),
            key: (1, 1),
            ani: None,
            dialed_number: None,
            order: 1,
        };
        for _ in 0..self.reports {
            events.report(AcdEvent::PreCall(call.clone()));
        }
        events.report(AcdEvent::LinkDown { reason: "flooded".to_owned() });
        self.is_away.store(!self.comes_back, Ordering::Relaxed);
        if self.comes_back {
            events.report(AcdEvent::LinkUp);
        }
        events.closed().await;
    }

    async fn open_adapter(&self, agent: &AgentId, instrument: &Instrument) -> Result<(), AcdRefusal> {
        self.inner.open_adapter(agent, instrument).await
    }

    async fn close_adapter(&self, agent: &AgentId) -> Result<(), AcdRefusal> {
        self.inner.close_adapter(agent).await
    }

    async fn authenticate(&self, agent: &AgentId, password: &Password) -> Result<(), AcdRefusal> {
        self.inner.authenticate(agent, password).await
    }

    async fn log_in(&self, login: &Login) -> Result<AgentFacts, AcdRefusal> {
        self.inner.log_in(login).await
    }

    async fn set_state(&self, change: &StateChange) -> Result<AgentFacts, AcdRefusal> {
        self.inner.set_state(change).await
    }

    async fn log_out(
        &self,
        agent: &AgentId,
        queues: &QueueChoice,
        reason: ReasonCode,
        forced: bool,
    ) -> Result<AgentFacts, AcdRefusal> {
        self.inner.log_out(agent, queues, reason, forced).await
    }

    async fn agent(&self, agent: &AgentId) -> Result<Option<AgentFacts>, AcdRefusal> {
        self.inner.agent(agent).await
    }

    async fn snapshot(&self) -> Result<Snapshot, AcdRefusal> {
        match self.is_away.load(Ordering::Relaxed) {
            true => Err(AcdRefusal::LinkDown),
            false => self.inner.snapshot().await,
        }
    }
}

/// Whether the gateway takes the link for up when the flood is over.
async fn is_online_after(reports: usize, comes_back: bool) -> bool {
    const EVENTS_MAX: usize = 4_096;
    let acd = Arc::new(Flooding {
        inner: EmbeddedAcd::new(EmbeddedConfig::default()).unwrap(),
        reports,
        comes_back,
        flood: tokio::sync::Notify::new(),
        is_away: AtomicBool::new(false),
    });
    let peripheral = Peripheral { id: PeripheralId(5000), acd: Arc::<Flooding>::clone(&acd) as _ };
    let rules = Rules {
        acd_answer: Duration::from_secs(5),
        retry_min: Duration::from_millis(500),
        retry_max: Duration::from_secs(30),
        deferred_events_max: 256,
        second_client: ctigate::model::SecondClient::Share,
        grace: None,
        logout_on_call: ctigate::model::LogoutOnCall::Reject,
        day_begins: Duration::ZERO,
        audit: None,
        commands_max: 8_192,
        bounds: ctigate::sessions::Bounds::NONE,
    };
    let house = House::new(vec![peripheral], Teams::default(), rules);
    house.connect(EVENTS_MAX);
    house.all_online().await;
    acd.flood.notify_one();
    tokio::time::sleep(Duration::from_secs(600)).await;
    house.table.is_online(PeripheralId(5000))
}

#[tokio::test(start_paused = true)]
async fn a_link_whose_return_was_lost_among_reports_is_up_all_the_same() {
    assert!(is_online_after(4_095, true).await);
}

#[tokio::test(start_paused = true)]
async fn a_link_whose_loss_was_lost_among_reports_is_down_all_the_same() {
    assert!(!is_online_after(4_096, false).await);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_newer_than_the_snapshot_of_a_rebuild_stays() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    // An ACD that lists only who is logged in: when it was asked, the agent was not.
    let mut earlier = house.acd.inner.snapshot().await.unwrap();
    earlier.agents.clear();
    bridge.logs_in("1001").await;
    *house.acd.snapshot.lock().unwrap() = Some(earlier);
    house.acd.inner.go_away();
    house.acd.inner.come_back();
    bridge.receives_system_event().await;
    bridge.receives_system_event().await;
    bridge.receives_nothing().await;
    assert!(house.acd.snapshot.lock().unwrap().is_none(), "the table was rebuilt");
    assert_eq!(bridge.queries("1001").await, AgentState::AGENT_STATE_NOT_READY);
    // What is older than the snapshot and not in it is gone.
    let mut later = house.acd.inner.snapshot().await.unwrap();
    later.agents.clear();
    *house.acd.snapshot.lock().unwrap() = Some(later);
    house.acd.inner.go_away();
    house.acd.inner.come_back();
    bridge.receives_system_event().await;
    bridge.receives_system_event().await;
    bridge.receives_event("1001", AgentState::AGENT_STATE_LOGOUT).await;
}
