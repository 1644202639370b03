//! A scripted client without a socket: what it sends goes to a session's state machine, what it receives comes out of the
//! session's outbox. Time is virtual.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use cti_protocol::ged188::codes::{AgentState, AgentStateMask, CallMsgMask, ForcedFlag, ServiceMask, Status};
use cti_protocol::ged188::{
    AgentStateEvent, AnyMessage, FailureConf, FrameCodec, OpenConf, OpenReq, QueryAgentStateReq, SetAgentStateConf,
    SetAgentStateReq, SystemEvent, Text, Version, WantedSkillGroup,
};
use ctigate::dialects::{CloseReason, Conversation, Dialect, Outbox};
use tokio_util::codec::Decoder;

use super::house::TestHouse;

pub struct Desk {
    pub version: Version,
    conversation: Box<dyn Conversation>,
    pub outbox: Arc<Outbox>,
    received: BytesMut,
    frames: FrameCodec,
    invoke_id: u32,
    pub closed: Option<CloseReason>,
    /// Call events are not looked at.
    pub ignores_calls: bool,
}

/// How long a client waits for a frame, in virtual time, before the test fails.
const PATIENCE: Duration = Duration::from_secs(120);

impl Desk {
    /// Connected, nothing said yet.
    pub fn connected(house: &TestHouse, version: u32) -> Desk {
        let outbox = Outbox::new(house.outbound_bytes_max);
        let peer: std::net::SocketAddr = "127.0.0.1:1".parse().unwrap();
        let now = tokio::time::Instant::now().into_std();
        let conversation = Arc::clone(&house.dialect).converse(peer.into(), Arc::clone(&outbox), now);
        let version = match house.is_uccx {
            true => Version::uccx(version),
            false => Version::new(version),
        };
        Desk {
            version: version.expect("a version that there is"),
            conversation,
            outbox,
            received: BytesMut::new(),
            frames: FrameCodec::default(),
            invoke_id: 100,
            closed: None,
            ignores_calls: false,
        }
    }

    /// An agent's own desktop.
    pub async fn of_agent(house: &TestHouse, agent: &str) -> Desk {
        let mut desk = Desk::connected(house, 20);
        let client = format!("desktop-{agent}");
        let opened = desk.opens(OpenReq { agent_id: text(agent), ..open_req(&client, services_of_agent()) }).await;
        assert_eq!(opened.services_granted, services_of_agent());
        desk
    }

    /// A client that sees everything and may command everybody.
    pub async fn bridge(house: &TestHouse) -> Desk {
        let mut desk = Desk::connected(house, 20);
        desk.opens(open_req("bridge", services_of_bridge())).await;
        assert!(matches!(desk.receives().await, AnyMessage::SystemEvent(_)), "one for the peripheral");
        desk
    }

    pub async fn opens(&mut self, request: OpenReq) -> OpenConf {
        let request = OpenReq { version_number: self.version.number(), ..request };
        self.sends(request);
        match self.receives().await {
            AnyMessage::OpenConf(opened) => opened,
            other => panic!("OPEN_CONF expected, got {other:?}"),
        }
    }

    pub async fn is_refused_to_open(&mut self, request: OpenReq) -> Status {
        let request = OpenReq { version_number: self.version.number(), ..request };
        self.sends(request);
        self.receives_failure().await.status
    }

    pub fn next_invoke_id(&mut self) -> u32 {
        self.invoke_id += 1;
        self.invoke_id
    }

    pub fn sends(&mut self, message: impl Into<AnyMessage>) {
        let mut bytes = BytesMut::new();
        message.into().encode(self.version, &mut bytes).expect("a message that can be written");
        self.sends_bytes(&bytes);
    }

    pub fn sends_bytes(&mut self, bytes: &[u8]) {
        let now = tokio::time::Instant::now().into_std();
        if let Err(reason) = self.conversation.on_bytes(now, &mut BytesMut::from(bytes)) {
            self.is_closed(reason);
        }
    }

    /// Sends bytes as they come in from a socket, with what earlier ones left.
    pub fn sends_piece(&mut self, half: &mut BytesMut) {
        let now = tokio::time::Instant::now().into_std();
        if let Err(reason) = self.conversation.on_bytes(now, half) {
            self.is_closed(reason);
        }
    }

    /// Time passes, and the session looks whether something is due.
    pub async fn lets_pass(&mut self, time: Duration) {
        tokio::time::advance(time).await;
        if let Err(reason) = self.conversation.on_deadline(tokio::time::Instant::now().into_std()) {
            self.is_closed(reason);
        }
    }

    pub fn gateway_shuts_down(&mut self) {
        if let Err(reason) = self.conversation.on_shutdown() {
            self.is_closed(reason);
        }
    }

    /// The connection is lost.
    pub fn drops(mut self) {
        self.conversation.close(&CloseReason::ClientGone);
    }

    /// The same, for who goes on looking.
    pub fn is_lost(&mut self) {
        self.is_closed(CloseReason::ClientGone);
    }

    fn is_closed(&mut self, reason: CloseReason) {
        if self.closed.is_none() {
            self.conversation.close(&reason);
            self.closed = Some(reason);
        }
    }

    /// Does what the connection's task does when it is woken.
    pub fn wakes(&mut self) {
        if self.closed.is_none()
            && let Err(reason) = self.conversation.on_wake()
        {
            self.is_closed(reason);
        }
    }

    /// What has come and was not looked at yet, without waiting.
    pub fn has_received(&mut self) -> Option<AnyMessage> {
        let mut bytes = BytesMut::new();
        self.outbox.take(&mut bytes).expect("a client that keeps up");
        self.received.extend_from_slice(&bytes);
        self.outbox.still_writing(0);
        let frame = self.frames.decode(&mut self.received).expect("whole frames")?;
        let message = AnyMessage::decode(&frame, self.version).expect("a frame of the session's version");
        assert_eq!(message.unknown_tags().len(), 0, "{message:?}");
        Some(message)
    }

    pub async fn receives(&mut self) -> AnyMessage {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                while let Some(message) = self.has_received() {
                    if !(self.ignores_calls && is_call_event(&message)) {
                        return message;
                    }
                }
                self.outbox.woken().await;
                self.wakes();
            }
        });
        waited.await.expect("a frame, which did not come")
    }

    /// Nothing more comes while the world has nothing left to do for a second.
    pub async fn receives_nothing(&mut self) {
        if let Ok(message) = tokio::time::timeout(Duration::from_secs(1), self.receives()).await {
            panic!("nothing expected, got {message:?}");
        }
    }

    pub async fn receives_nothing_until<T>(&mut self, what: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            message = self.receives() => panic!("nothing expected, got {message:?}"),
            done = what => done,
        }
    }

    pub async fn receives_failure(&mut self) -> FailureConf {
        match self.receives().await {
            AnyMessage::FailureConf(failure) => failure,
            other => panic!("FAILURE_CONF expected, got {other:?}"),
        }
    }

    pub async fn receives_control_failure(&mut self) -> cti_protocol::ged188::ControlFailureConf {
        match self.receives().await {
            AnyMessage::ControlFailureConf(failure) => failure,
            other => panic!("CONTROL_FAILURE_CONF expected, got {other:?}"),
        }
    }

    pub async fn receives_system_event(&mut self) -> SystemEvent {
        match self.receives().await {
            AnyMessage::SystemEvent(event) => event,
            other => panic!("SYSTEM_EVENT expected, got {other:?}"),
        }
    }

    pub async fn receives_confirm(&mut self, invoke_id: u32) {
        match self.receives().await {
            AnyMessage::SetAgentStateConf(SetAgentStateConf { invoke_id: id, .. }) if id == invoke_id => (),
            other => panic!("SET_AGENT_STATE_CONF {invoke_id} expected, got {other:?}"),
        }
    }

    pub async fn receives_event(&mut self, agent: &str, state: AgentState) -> AgentStateEvent {
        match self.receives().await {
            AnyMessage::AgentStateEvent(event) if event.agent_state == state && event.agent_id == text(agent) => event,
            other => panic!("AGENT_STATE_EVENT {state:?} of {agent} expected, got {other:?}"),
        }
    }

    /// Asks for a state; gives the invoke id.
    pub fn asks(&mut self, agent: &str, state: AgentState) -> u32 {
        self.asks_with(agent, state, |_| ())
    }

    pub fn asks_with(&mut self, agent: &str, state: AgentState, change: impl FnOnce(&mut SetAgentStateReq)) -> u32 {
        let invoke_id = self.next_invoke_id();
        let mut request = SetAgentStateReq {
            invoke_id,
            peripheral_id: 0xffff_ffff,
            agent_state: state,
            agent_id: text(agent),
            ..Default::default()
        };
        if state == AgentState::AGENT_STATE_LOGIN {
            request.agent_instrument = text(&instrument_of(agent));
            request.agent_password = Some(Text::new(&format!("pw{agent}")).unwrap().into());
        }
        change(&mut request);
        self.sends(request);
        invoke_id
    }

    /// Logs an agent in and reads all that this brings.
    pub async fn logs_in(&mut self, agent: &str) {
        let invoke_id = self.asks(agent, AgentState::AGENT_STATE_LOGIN);
        self.receives_confirm(invoke_id).await;
        self.receives_event(agent, AgentState::AGENT_STATE_LOGIN).await;
        self.receives_event(agent, AgentState::AGENT_STATE_NOT_READY).await;
    }

    /// Logs an agent in whose events others get as well, and is answered.
    pub async fn logs_in_beside(&mut self, agent: &str) {
        let invoke_id = self.asks(agent, AgentState::AGENT_STATE_LOGIN);
        self.is_answered(invoke_id).await;
    }

    /// The request is done, whatever events come before its answer.
    pub async fn is_answered(&mut self, invoke_id: u32) {
        loop {
            match self.receives().await {
                AnyMessage::SetAgentStateConf(answer) if answer.invoke_id == invoke_id => return,
                AnyMessage::AgentStateEvent(_) => (),
                other => panic!("SET_AGENT_STATE_CONF {invoke_id} expected, got {other:?}"),
            }
        }
    }

    pub async fn queries(&mut self, agent: &str) -> AgentState {
        let invoke_id = self.next_invoke_id();
        self.sends(QueryAgentStateReq {
            invoke_id,
            peripheral_id: 0xffff_ffff,
            agent_id: text(agent),
            ..Default::default()
        });
        match self.receives().await {
            AnyMessage::QueryAgentStateConf(answer) if answer.invoke_id == invoke_id => answer.agent_state,
            other => panic!("QUERY_AGENT_STATE_CONF expected, got {other:?}"),
        }
    }
}

/// Whether it tells of a step in a call's life.
pub fn is_call_event(message: &AnyMessage) -> bool {
    let name = message.name().unwrap_or_default();
    name.ends_with("_EVENT") && ["CALL_", "BEGIN_CALL", "END_CALL"].iter().any(|start| name.starts_with(start))
}

pub fn open_req(client_id: &str, services: ServiceMask) -> OpenReq {
    OpenReq {
        invoke_id: 1,
        version_number: 20,
        idle_timeout: 0xffff_ffff,
        peripheral_id: 0xffff_ffff,
        services_requested: services,
        call_msg_mask: CallMsgMask(0xffff_ffff),
        agent_state_mask: AgentStateMask(0x3fff),
        client_id: text(client_id),
        client_password: Some(cti_protocol::ged188::Data::new(&[0_u8][..]).unwrap().into()),
        ..Default::default()
    }
}

pub fn services_of_agent() -> ServiceMask {
    ServiceMask(ServiceMask::CTI_SERVICE_CLIENT_EVENTS.0 | ServiceMask::CTI_SERVICE_CLIENT_CONTROL.0)
}

pub fn services_of_bridge() -> ServiceMask {
    ServiceMask(
        ServiceMask::CTI_SERVICE_ALL_EVENTS.0
            | ServiceMask::CTI_SERVICE_CLIENT_CONTROL.0
            | ServiceMask::CTI_SERVICE_PERIPHERAL_MONITOR.0,
    )
}

pub fn text<const MAX: usize>(content: &str) -> Option<Text<MAX>> {
    Some(Text::new(content).expect("a text that fits"))
}

/// The device that an agent of the default world works at: 1001 at 3001.
pub fn instrument_of(agent: &str) -> String {
    (agent.parse::<u32>().unwrap() + 2000).to_string()
}

pub fn skill_groups(numbers: &[i32]) -> Vec<WantedSkillGroup> {
    numbers.iter().map(|number| WantedSkillGroup { number: Some(*number), ..Default::default() }).collect()
}

pub const FORCED: ForcedFlag = ForcedFlag::TRUE;
