//! A GED-188 client on a real socket.

use std::collections::HashMap;
use std::net::SocketAddr;

use bytes::BytesMut;
use cti_protocol::ged188::codes::{
    AgentState, AgentStateMask, CallMsgMask, ServiceMask, SupervisoryAction, SystemEventId,
};
use cti_protocol::ged188::{
    AgentStateEvent, AnyMessage, FrameCodec, OpenReq, QueryAgentStateReq, SetAgentStateReq, SuperviseCallReq, Text,
    Version, WantedSkillGroup,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::codec::Decoder;

use super::rig::PATIENCE;

pub struct Desk {
    stream: TcpStream,
    received: BytesMut,
    frames: FrameCodec,
    invoke_id: u32,
    /// What came besides the answers, and was not asked for yet.
    pub events: Vec<AnyMessage>,
    /// The state and reason that the client was told last, by agent.
    pub told: HashMap<String, (AgentState, u16)>,
}

pub const LOGIN: AgentState = AgentState::AGENT_STATE_LOGIN;
pub const LOGOUT: AgentState = AgentState::AGENT_STATE_LOGOUT;
pub const READY: AgentState = AgentState::AGENT_STATE_AVAILABLE;
pub const NOT_READY: AgentState = AgentState::AGENT_STATE_NOT_READY;
pub const TALKING: AgentState = AgentState::AGENT_STATE_TALKING;
pub const RESERVED: AgentState = AgentState::AGENT_STATE_RESERVED;
pub const WORK_NOT_READY: AgentState = AgentState::AGENT_STATE_WORK_NOT_READY;
pub const WORK_READY: AgentState = AgentState::AGENT_STATE_WORK_READY;

impl Desk {
    /// An agent's own desktop.
    pub async fn of_agent(address: SocketAddr, agent: &str) -> Desk {
        let services = ServiceMask::CTI_SERVICE_CLIENT_EVENTS.0 | ServiceMask::CTI_SERVICE_CLIENT_CONTROL.0;
        Desk::open(address, ServiceMask(services), Some(agent)).await
    }

    /// One that hears and may do everything.
    pub async fn bridge(address: SocketAddr) -> Desk {
        let services = ServiceMask::CTI_SERVICE_ALL_EVENTS.0 | ServiceMask::CTI_SERVICE_CLIENT_CONTROL.0;
        Desk::open(address, ServiceMask(services), None).await
    }

    /// An agent's own, that is a supervisor's.
    pub async fn of_supervisor(address: SocketAddr, agent: &str) -> Desk {
        let services = ServiceMask::CTI_SERVICE_CLIENT_EVENTS.0
            | ServiceMask::CTI_SERVICE_CLIENT_CONTROL.0
            | ServiceMask::CTI_SERVICE_SUPERVISOR.0;
        Desk::open(address, ServiceMask(services), Some(agent)).await
    }

    /// Does that to the one call of an agent: the failure's words if it was refused.
    pub async fn supervises(&mut self, agent: &str, action: SupervisoryAction) -> Result<(), String> {
        self.invoke_id += 1;
        self.sends(SuperviseCallReq {
            invoke_id: self.invoke_id,
            peripheral_id: 0xffff_ffff,
            agent_connection_call_id: 0xffff_ffff,
            supervisor_connection_call_id: 0xffff_ffff,
            supervisory_action: action,
            agent_id: text(agent),
            ..Default::default()
        })
        .await;
        self.is_answered().await
    }

    /// Waits for an event that is so.
    pub async fn hears_of<T>(&mut self, is_so: impl Fn(&AnyMessage) -> Option<T>) -> T {
        loop {
            if let Some(at) = self.events.iter().position(|event| is_so(event).is_some()) {
                let event = self.events.drain(..=at).next_back().expect("it is there");
                return is_so(&event).expect("it is so");
            }
            let event = self.takes_event().await;
            self.events.push(event);
        }
    }

    async fn open(address: SocketAddr, services: ServiceMask, agent: Option<&str>) -> Desk {
        let stream = TcpStream::connect(address).await.expect("a listening gateway");
        stream.set_nodelay(true).expect("a socket");
        let (received, frames) = (BytesMut::new(), FrameCodec::default());
        let mut desk = Desk { stream, received, frames, invoke_id: 1, events: Vec::new(), told: HashMap::new() };
        desk.sends(OpenReq {
            invoke_id: 1,
            version_number: 20,
            idle_timeout: 0xffff_ffff,
            peripheral_id: 0xffff_ffff,
            services_requested: services,
            call_msg_mask: CallMsgMask(0xffff_ffff),
            agent_state_mask: AgentStateMask(0x3fff),
            client_id: text(agent.unwrap_or("bridge")),
            agent_id: agent.and_then(text),
            ..Default::default()
        })
        .await;
        match desk.next().await {
            AnyMessage::OpenConf(_) => desk,
            other => panic!("OPEN_CONF expected, got {other:?}"),
        }
    }

    async fn sends(&mut self, message: impl Into<AnyMessage>) {
        let mut bytes = BytesMut::new();
        message.into().encode(version(), &mut bytes).expect("a message that fits");
        self.stream.write_all(&bytes).await.expect("a connection that takes bytes");
    }

    async fn next(&mut self) -> AnyMessage {
        let next = async {
            loop {
                if let Some(frame) = self.frames.decode(&mut self.received).expect("whole frames") {
                    return AnyMessage::decode(&frame, version()).expect("a frame of version 20");
                }
                assert!(self.stream.read_buf(&mut self.received).await.expect("a connection") > 0, "closed");
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("a frame, which did not come")
    }

    async fn takes_event(&mut self) -> AnyMessage {
        let message = self.next().await;
        if let AnyMessage::AgentStateEvent(AgentStateEvent { agent_id, agent_state, event_reason_code, .. }) = &message
        {
            let agent = agent_id.as_ref().and_then(|id| id.to_str()).unwrap_or_default().to_owned();
            self.told.insert(agent, (*agent_state, *event_reason_code));
        }
        message
    }

    /// Asks for a state and waits for the answer: the failure's words if it was refused. Events that come before are kept.
    pub async fn asks(
        &mut self,
        agent: &str,
        state: AgentState,
        change: impl FnOnce(&mut SetAgentStateReq),
    ) -> Result<(), String> {
        self.starts_asking(agent, state, change).await;
        self.is_answered().await
    }

    /// Asks, and does not wait.
    pub async fn starts_asking(&mut self, agent: &str, state: AgentState, change: impl FnOnce(&mut SetAgentStateReq)) {
        self.invoke_id += 1;
        let mut request = SetAgentStateReq {
            invoke_id: self.invoke_id,
            peripheral_id: 0xffff_ffff,
            agent_state: state,
            agent_id: text(agent),
            ..Default::default()
        };
        if state == LOGIN {
            request.agent_instrument = text(&instrument_of(agent));
        }
        change(&mut request);
        self.sends(request).await;
    }

    /// The answer to the last request.
    pub async fn is_answered(&mut self) -> Result<(), String> {
        loop {
            match self.takes_event().await {
                AnyMessage::SetAgentStateConf(conf) if conf.invoke_id == self.invoke_id => return Ok(()),
                AnyMessage::SuperviseCallConf(conf) if conf.invoke_id == self.invoke_id => return Ok(()),
                AnyMessage::ControlFailureConf(failure) if failure.invoke_id == self.invoke_id => {
                    let words = failure.text.as_ref().and_then(|text| text.to_str()).unwrap_or_default();
                    return Err(format!("{:?}: {words}", failure.failure_code));
                }
                AnyMessage::FailureConf(failure) => return Err(format!("{failure:?}")),
                event => self.events.push(event),
            }
        }
    }

    pub async fn does(&mut self, agent: &str, state: AgentState) {
        self.asks(agent, state, |_| ()).await.unwrap_or_else(|words| panic!("{state:?} of {agent}: {words}"));
    }

    /// Waits until the client has been told that state of the agent.
    pub async fn hears(&mut self, agent: &str, state: AgentState) -> u16 {
        loop {
            if let Some((told, reason)) = self.told.get(agent)
                && *told == state
            {
                return *reason;
            }
            let told = self.told.get(agent).copied();
            let event = tokio::time::timeout(PATIENCE, self.takes_event()).await;
            let event = event.unwrap_or_else(|_| panic!("{agent}: {state:?} expected, told {told:?}"));
            self.events.push(event);
        }
    }

    /// Waits for the system event that a peripheral went or came.
    pub async fn hears_system(&mut self, wanted: SystemEventId) {
        loop {
            let is_it = |event: &AnyMessage| matches!(event, AnyMessage::SystemEvent(e) if e.system_event_id == wanted);
            if let Some(at) = self.events.iter().position(is_it) {
                self.events.drain(..=at);
                return;
            }
            let event = self.takes_event().await;
            self.events.push(event);
        }
    }

    /// What the gateway says of an agent: its state and queues.
    pub async fn queries(&mut self, agent: &str) -> (AgentState, Vec<u32>) {
        self.invoke_id += 1;
        let invoke_id = self.invoke_id;
        self.sends(QueryAgentStateReq {
            invoke_id,
            peripheral_id: 0xffff_ffff,
            agent_id: text(agent),
            ..Default::default()
        })
        .await;
        loop {
            match self.takes_event().await {
                AnyMessage::QueryAgentStateConf(conf) => {
                    return (conf.agent_state, conf.skill_groups.iter().filter_map(|group| group.number).collect());
                }
                AnyMessage::ControlFailureConf(failure) => panic!("{failure:?}"),
                event => self.events.push(event),
            }
        }
    }
}

/// Names the queues of a request.
pub fn in_queues(numbers: &'static [i32]) -> impl FnOnce(&mut SetAgentStateReq) {
    move |request| {
        let named = |number: &i32| WantedSkillGroup { number: Some(*number), ..Default::default() };
        request.skill_groups = numbers.iter().map(named).collect();
        request.num_skill_groups = u16::try_from(numbers.len()).expect("a few");
    }
}

pub fn for_reason(code: u16) -> impl FnOnce(&mut SetAgentStateReq) {
    move |request| request.event_reason_code = code
}

/// Agent 1001 works at 3001.
pub fn instrument_of(agent: &str) -> String {
    agent.parse::<u32>().map_or_else(|_| "3001".to_owned(), |number| (number + 2000).to_string())
}

fn text<const MAX: usize>(content: &str) -> Option<Text<MAX>> {
    Some(Text::new(content).expect("a text that fits"))
}

fn version() -> Version {
    Version::new(20).expect("a version")
}
