//! A gateway without listeners, its embedded ACD, and desktops whose bytes go straight in and out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Buf, BytesMut};
use cti_protocol::ged188::codes::{AgentStateMask, DeviceIdType, ServiceMask};
use cti_protocol::ged188::{
    AnyMessage, Data, MessageType, MonitorStartReq, OpenReq, QueryAgentStateReq, Text, Version,
};
use ctigate::access::Gate;
use ctigate::acd::embedded::{EmbeddedAcd, EmbeddedConfig, InstrumentsConfig};
use ctigate::acd::{AgentsConfig, Peripheral};
use ctigate::config::{Config, ListenerConfig};
use ctigate::dialects::ged188::Ged188;
use ctigate::dialects::{Conversation, Dialect, Outbox};
use ctigate::model::{
    AgentEvent, AgentId, AgentKey, Instrument, Login, Logout, Password, PeripheralId, QueueChoice, QueueId, Queues,
    ReasonCode,
};
use ctigate::operations::{House, Requester, Right};
use ctigate::server::rules;
use tokio::runtime::{Builder, Runtime};

/// The house, with every agent of its ACD logged in, each at an instrument of its own.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) acd: Arc<EmbeddedAcd>,
    pub(crate) house: Arc<House>,
    dialect: Arc<Ged188>,
}

/// A client's connection, without its socket.
pub(crate) struct Desk {
    conversation: Box<dyn Conversation>,
    outbox: Arc<Outbox>,
    read: BytesMut,
}

impl World {
    pub(crate) fn new(agents: u32) -> World {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let world = EmbeddedConfig {
            agents: vec![AgentsConfig {
                first: AGENTS,
                count: agents,
                password: Password::default().into(),
                queues: vec![QueueId(1)],
            }],
            instruments: vec![InstrumentsConfig { first: INSTRUMENTS, count: agents }],
            ..EmbeddedConfig::default()
        };
        let acd = Arc::new(EmbeddedAcd::new(world).expect("a sound world"));
        let mut config = Config::default();
        config.limits.requests_per_second_max = u32::MAX;
        config.limits.sessions_per_client_max = 20_000;
        let peripheral = Peripheral { id: PERIPHERAL, acd: Arc::clone(&acd) as _ };
        let _on = runtime.enter();
        let house = House::new(vec![peripheral], config.teams(), rules(&config));
        house.connect(EVENTS_MAX);
        let gate = Gate::new(config.doors().expect("no secret is kept elsewhere"));
        let dialect = Arc::new(Ged188::new(Arc::clone(&house), gate, &config, &ListenerConfig::default()));
        drop(_on);
        let world = World { runtime, acd, house, dialect };
        world.runtime.block_on(async {
            world.house.all_online().await;
            let by =
                Requester { session: world.house.table.new_session(), client: "bench".into(), right: Right::Every };
            for agent in 0..agents {
                let login = Login {
                    agent: agent_key(agent).agent,
                    password: Password::default(),
                    instrument: instrument(agent),
                    queues: QueueChoice::AsAcdSays,
                    forced: false,
                };
                world.log_in(&by, &agent_key(agent), login).await;
            }
        });
        world
    }

    pub(crate) async fn log_in(&self, by: &Requester, key: &AgentKey, login: Login) {
        let answer = Box::new(|done: Result<(), _>| done.expect("logged in"));
        Arc::clone(&self.house).log_in(by.clone(), key.clone(), login, || (), answer).await;
    }

    pub(crate) async fn log_out(&self, by: &Requester, key: &AgentKey) {
        let logout = Logout {
            agent: key.agent.clone(),
            queues: QueueChoice::AsAcdSays,
            reason: ReasonCode(0),
            password: None,
            forced: false,
        };
        let answer = Box::new(|done: Result<_, _>| drop(done.expect("logged out")));
        Arc::clone(&self.house).log_out(by.clone(), key.clone(), logout, answer).await;
    }

    /// That the agent stands as it does.
    pub(crate) fn agent_event(&self, agent: u32) -> AgentEvent {
        let facts = self.house.table.agent(&agent_key(agent)).expect("it is logged in").entry().facts.clone();
        let (state, idle) = (facts.state, facts.state);
        AgentEvent {
            peripheral: PERIPHERAL,
            state,
            idle,
            facts,
            left: Queues::new(),
            owner: None,
            by: None,
            read_at: None,
        }
    }

    /// A session that commands agents and hears nothing.
    pub(crate) fn commander(&self) -> Desk {
        self.open(open(ServiceMask::CTI_SERVICE_CLIENT_CONTROL))
    }

    /// The agent's own session, which hears of it.
    pub(crate) fn desktop(&self, agent: u32) -> Desk {
        let services = ServiceMask::CTI_SERVICE_CLIENT_EVENTS | ServiceMask::CTI_SERVICE_CLIENT_CONTROL;
        let agent_id = Text::new(agent_key(agent).agent.as_str()).ok();
        self.open(OpenReq { agent_id, ..open(services) })
    }

    /// A session with a monitor of the agent's device.
    pub(crate) fn monitor(&self, agent: u32) -> Desk {
        let mut desk = self.open(open(ServiceMask::CTI_SERVICE_PERIPHERAL_MONITOR));
        let start = MonitorStartReq {
            invoke_id: 2,
            peripheral_id: PERIPHERAL.0,
            agent_state_mask: AgentStateMask::ALL,
            monitored_device_type: DeviceIdType::DEVID_DEVICE_IDENTIFIER,
            monitored_device_id: Text::new(instrument(agent).as_str()).ok(),
            ..MonitorStartReq::default()
        };
        let answer = desk.ask(&encoded(start));
        assert_eq!(message_type(&answer), Some(MessageType::MONITOR_START_CONF));
        desk
    }

    fn open(&self, request: OpenReq) -> Desk {
        let _on = self.runtime.enter();
        let outbox = Outbox::new(1 << 20);
        let peer = SocketAddr::from(([127, 0, 0, 1], 1)).into();
        let conversation = Arc::clone(&self.dialect).converse(peer, Arc::clone(&outbox), Instant::now());
        let mut desk = Desk { conversation, outbox, read: BytesMut::new() };
        let answer = desk.ask(&encoded(request));
        assert_eq!(message_type(&answer), Some(MessageType::OPEN_CONF));
        desk
    }
}

impl Desk {
    /// What a request is answered with at once.
    pub(crate) fn ask(&mut self, request: &[u8]) -> BytesMut {
        self.read.extend_from_slice(request);
        self.conversation.on_bytes(Instant::now(), &mut self.read).expect("the session stays open");
        self.take()
    }

    /// What it was sent since.
    pub(crate) fn take(&self) -> BytesMut {
        let mut out = BytesMut::new();
        self.outbox.take(&mut out).expect("it is never slow");
        out
    }
}

/// Of so many agents the first is number 0.
pub(crate) fn agent_key(agent: u32) -> AgentKey {
    let agent = AgentId::new(&(AGENTS + agent).to_string()).expect("an id");
    AgentKey { peripheral: PERIPHERAL, agent }
}

pub(crate) fn instrument(agent: u32) -> Instrument {
    Instrument::new(&(INSTRUMENTS + agent).to_string()).expect("a number")
}

pub(crate) fn query(agent: u32) -> BytesMut {
    encoded(QueryAgentStateReq {
        invoke_id: 7,
        peripheral_id: PERIPHERAL.0,
        agent_id: Text::new(agent_key(agent).agent.as_str()).ok(),
        ..QueryAgentStateReq::default()
    })
}

/// How many of these frames tell of an agent.
pub(crate) fn agent_events(mut frames: &[u8]) -> usize {
    let mut events = 0;
    while let Some(message) = message_type(frames) {
        events += usize::from(message == MessageType::AGENT_STATE_EVENT);
        let body_bytes = frames.get_u32() as usize;
        frames.advance(HEADER_BYTES - 4 + body_bytes);
    }
    events
}

/// Of the first frame.
pub(crate) fn message_type(mut frames: &[u8]) -> Option<MessageType> {
    frames.try_get_u32().and_then(|_| frames.try_get_u32()).ok().map(MessageType)
}

fn open(services_requested: ServiceMask) -> OpenReq {
    OpenReq {
        invoke_id: 1,
        version_number: VERSION.number(),
        idle_timeout: u32::MAX,
        peripheral_id: PERIPHERAL.0,
        services_requested,
        agent_state_mask: AgentStateMask::ALL,
        client_id: Text::new("bench").ok(),
        client_password: Data::new(&[0_u8][..]).ok().map(Into::into),
        ..OpenReq::default()
    }
}

fn encoded(message: impl Into<AnyMessage>) -> BytesMut {
    let mut bytes = BytesMut::new();
    message.into().encode(VERSION, &mut bytes).expect("it can be written");
    bytes
}

pub(crate) const PERIPHERAL: PeripheralId = PeripheralId(5_000);
const HEADER_BYTES: usize = 8;
const VERSION: Version = Version::LATEST;
const AGENTS: u32 = 10_001;
const INSTRUMENTS: u32 = 100_001;
/// As the configuration has it where nobody says otherwise.
const EVENTS_MAX: usize = 10_000;
