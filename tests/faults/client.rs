//! A GED-188 client on a real socket.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use cti_protocol::ged188::codes::{AgentState, AgentStateMask, CallMsgMask, ServiceMask};
use cti_protocol::ged188::{
    AnyMessage, Data, FrameCodec, HeartbeatReq, OpenConf, OpenReq, QueryAgentStateConf, QueryAgentStateReq,
    SetAgentStateReq, Text, Version, WantedSkillGroup,
};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::codec::Decoder;

use crate::process::PATIENCE;

pub struct Client {
    stream: TcpStream,
    read: BytesMut,
    frames: FrameCodec,
    invoke_id: u32,
    pub opened: OpenConf,
}

const VERSION: Version = Version::new(20).unwrap();

/// What a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Confirmed,
    Refused,
    /// The connection ended, or was said to end, before an answer.
    Gone,
}

impl Client {
    /// A connection on which nothing is said.
    pub async fn connected(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).await.expect("a listening gateway");
        stream.set_nodelay(true).expect("a socket");
        let (read, frames) = (BytesMut::new(), FrameCodec::default());
        Client { stream, read, frames, invoke_id: 100, opened: OpenConf::default() }
    }

    /// An agent's own desktop.
    pub async fn of_agent(address: SocketAddr, agent: u32) -> Client {
        let mut client = Client::connected(address).await;
        let services = ServiceMask::CTI_SERVICE_CLIENT_EVENTS | ServiceMask::CTI_SERVICE_CLIENT_CONTROL;
        client.opens(OpenReq { agent_id: text(&agent.to_string()), ..open_req(services) }).await;
        client
    }

    /// One that may command everybody, and hears of nobody.
    pub async fn bridge(address: SocketAddr) -> Client {
        let mut client = Client::connected(address).await;
        client.opens(open_req(ServiceMask::CTI_SERVICE_CLIENT_CONTROL)).await;
        client
    }

    pub async fn opens(&mut self, request: OpenReq) {
        self.sends(request).await;
        self.is_opened().await;
    }

    pub async fn is_opened(&mut self) {
        match self.receives().await {
            Some(AnyMessage::OpenConf(opened)) => self.opened = opened,
            other => panic!("OPEN_CONF expected, got {other:?}"),
        }
    }

    pub async fn sends(&mut self, message: impl Into<AnyMessage>) {
        let mut bytes = BytesMut::new();
        message.into().encode(VERSION, &mut bytes).expect("a message that can be written");
        let _gone_or_not = self.stream.write_all(&bytes).await;
    }

    /// The next message; none at the end of the connection.
    pub async fn receives(&mut self) -> Option<AnyMessage> {
        let next = async {
            loop {
                if let Some(frame) = self.frames.decode(&mut self.read).expect("whole frames") {
                    return Some(AnyMessage::decode(&frame, VERSION).expect("a frame of the session's version"));
                }
                match self.stream.read_buf(&mut self.read).await {
                    Ok(0) | Err(_) => return None,
                    Ok(_) => (),
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("a message, or the end")
    }

    /// Whether a message is there, without waiting for one.
    pub async fn has_received(&mut self) -> Option<AnyMessage> {
        let nothing = tokio::time::timeout(Duration::ZERO, self.stream.read_buf(&mut self.read)).await;
        drop(nothing);
        let frame = self.frames.decode(&mut self.read).expect("whole frames")?;
        Some(AnyMessage::decode(&frame, VERSION).expect("a frame of the session's version"))
    }

    pub async fn shows_a_sign_of_life(&mut self) {
        self.invoke_id += 1;
        let invoke_id = self.invoke_id;
        self.sends(HeartbeatReq { invoke_id, ..Default::default() }).await;
        loop {
            match self.receives().await {
                Some(AnyMessage::HeartbeatConf(answer)) if answer.invoke_id == invoke_id => return,
                Some(AnyMessage::AgentStateEvent(_) | AnyMessage::SystemEvent(_)) => (),
                other => panic!("HEARTBEAT_CONF {invoke_id} expected, got {other:?}"),
            }
        }
    }

    /// Asks for a state, and reads up to the answer.
    pub async fn asks(&mut self, agent: u32, state: AgentState) -> Said {
        self.invoke_id += 1;
        let invoke_id = self.invoke_id;
        let mut request = SetAgentStateReq {
            invoke_id,
            peripheral_id: 0xffff_ffff,
            agent_state: state,
            agent_id: text(&agent.to_string()),
            ..Default::default()
        };
        if state == AgentState::AGENT_STATE_LOGIN {
            request.agent_instrument = text(&(agent + 2000).to_string());
            request.agent_password = Some(Text::new(&format!("pw{agent}")).expect("a password").into());
            request.num_skill_groups = 2;
            request.skill_groups =
                [1, 2].map(|number| WantedSkillGroup { number: Some(number), ..Default::default() }).into();
        }
        self.sends(request).await;
        loop {
            match self.receives().await {
                Some(AnyMessage::SetAgentStateConf(answer)) if answer.invoke_id == invoke_id => return Said::Confirmed,
                Some(AnyMessage::ControlFailureConf(answer)) if answer.invoke_id == invoke_id => return Said::Refused,
                Some(AnyMessage::FailureConf(answer)) if answer.invoke_id == invoke_id => return Said::Refused,
                Some(AnyMessage::AgentStateEvent(_) | AnyMessage::SystemEvent(_)) => (),
                Some(AnyMessage::FailureEvent(_)) | None => return Said::Gone,
                other => panic!("an answer to {invoke_id} expected, got {other:?}"),
            }
        }
    }

    pub async fn queries(&mut self, agent: u32) -> QueryAgentStateConf {
        self.invoke_id += 1;
        let agent_id = text(&agent.to_string());
        let invoke_id = self.invoke_id;
        self.sends(QueryAgentStateReq { invoke_id, peripheral_id: 0xffff_ffff, agent_id, ..Default::default() }).await;
        loop {
            match self.receives().await {
                Some(AnyMessage::QueryAgentStateConf(answer)) => return answer,
                Some(AnyMessage::AgentStateEvent(_) | AnyMessage::SystemEvent(_)) => (),
                other => panic!("QUERY_AGENT_STATE_CONF expected, got {other:?}"),
            }
        }
    }

    /// The connection ends without a word.
    pub fn resets(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("a socket");
    }
}

pub fn open_req(services: ServiceMask) -> OpenReq {
    OpenReq {
        invoke_id: 1,
        version_number: VERSION.number(),
        idle_timeout: 0xffff_ffff,
        peripheral_id: 0xffff_ffff,
        services_requested: services,
        call_msg_mask: CallMsgMask(0),
        agent_state_mask: AgentStateMask(0x3fff),
        client_id: text("client"),
        client_password: Some(Data::new(&[0_u8][..]).expect("a NUL").into()),
        ..Default::default()
    }
}

fn text<const MAX: usize>(content: &str) -> Option<Text<MAX>> {
    Some(Text::new(content).expect("a text that fits"))
}
