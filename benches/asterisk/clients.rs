//! The gateway's load: one GED-188 connection an agent, each with one request outstanding.
//!
//! Must hold: it costs little itself, for it shares the machine with what is measured: requests are encoded once, and of
//! what comes only what is no confirm and no event is looked into.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use cti_protocol::ged188::codes::{AgentState, AgentStateMask, CallMsgMask, ForcedFlag, ServiceMask};
use cti_protocol::ged188::{
    AnyMessage, Frame, FrameCodec, MessageType, OpenReq, SetAgentStateReq, Text, Version, WantedSkillGroup,
    peek_invoke_id,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::codec::Decoder;

use crate::figures::{Figures, Tally};
use crate::starting_gun;
use crate::support::Failure;

/// Lets that many agents do their rounds until the time is over; each ends logged out.
pub(crate) fn run(address: &str, agents: usize, time: Duration) -> Result<Figures, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut clients = Vec::new();
        for agent in 0..agents {
            clients.push(Client::open(address, agent).await?);
        }
        starting_gun()?;
        let start = Instant::now();
        let rounds: JoinSet<_> = clients.into_iter().map(|client| client.work(start + time)).collect();
        let tallies = timeout(time + PATIENCE, all(rounds)).await??;
        Ok(tallies.figures(start.elapsed()))
    })
}

async fn all(mut rounds: JoinSet<Result<Tally, Failure>>) -> Result<Tally, Failure> {
    let mut all = Tally::new();
    while let Some(worked) = rounds.join_next().await {
        all.add(&worked??);
    }
    Ok(all)
}

struct Client {
    stream: TcpStream,
    frames: FrameCodec,
    read: BytesMut,
    agent: usize,
}

impl Client {
    async fn open(address: &str, agent: usize) -> Result<Client, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut client = Client { stream, frames: FrameCodec::default(), read: BytesMut::new(), agent };
        let request = OpenReq {
            invoke_id: OPEN,
            version_number: VERSION.number(),
            idle_timeout: u32::MAX,
            peripheral_id: PERIPHERAL,
            services_requested: ServiceMask(
                ServiceMask::CTI_SERVICE_CLIENT_EVENTS.0 | ServiceMask::CTI_SERVICE_CLIENT_CONTROL.0,
            ),
            call_msg_mask: CallMsgMask::ALL,
            agent_state_mask: AgentStateMask::ALL,
            client_id: Some(Text::new("bench")?),
            client_password: Some(Default::default()),
            agent_id: Some(agent_id(agent)?),
            agent_instrument: Some(instrument(agent)?),
            ..Default::default()
        };
        client.ask(&encoded(request)?, OPEN, MessageType::OPEN_CONF).await?;
        Ok(client)
    }

    async fn work(mut self, until: Instant) -> Result<Tally, Failure> {
        let requests = self.round()?;
        let mut tally = Tally::new();
        while Instant::now() < until {
            for (request, invoke_id) in requests.iter().zip(1..) {
                let sent_at = Instant::now();
                self.ask(request, invoke_id, MessageType::SET_AGENT_STATE_CONF).await?;
                tally.answered(sent_at.elapsed());
            }
        }
        Ok(tally)
    }

    /// What an agent asks for, over and over.
    fn round(&self) -> Result<Vec<BytesMut>, Failure> {
        let request = |invoke_id, agent_state, event_reason_code| -> Result<_, Failure> {
            Ok(SetAgentStateReq {
                invoke_id,
                peripheral_id: PERIPHERAL,
                agent_state,
                event_reason_code,
                forced_flag: ForcedFlag::FALSE,
                agent_instrument: Some(instrument(self.agent)?),
                agent_id: Some(agent_id(self.agent)?),
                ..Default::default()
            })
        };
        let login = SetAgentStateReq {
            agent_password: Some(Text::new("any")?.into()),
            num_skill_groups: 1,
            skill_groups: vec![WantedSkillGroup { number: Some(1), priority: Some(0) }],
            ..request(1, AgentState::AGENT_STATE_LOGIN, 0)?
        };
        let rest = [
            request(2, AgentState::AGENT_STATE_AVAILABLE, 0)?,
            request(3, AgentState::AGENT_STATE_NOT_READY, 7)?,
            request(4, AgentState::AGENT_STATE_LOGOUT, 1)?,
        ];
        [login].into_iter().chain(rest).map(encoded).collect()
    }

    async fn ask(&mut self, request: &[u8], invoke_id: u32, confirm: MessageType) -> Result<(), Failure> {
        self.stream.write_all(request).await?;
        loop {
            while let Some(frame) = self.frames.decode(&mut self.read)? {
                if frame.message_type == confirm {
                    return if peek_invoke_id(&frame) == Some(invoke_id) {
                        Ok(())
                    } else {
                        Err("a confirm of another request".into())
                    };
                }
                self.must_be_event(&frame)?;
            }
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err("the gateway closed the connection".into());
            }
        }
    }

    fn must_be_event(&self, frame: &Frame) -> Result<(), Failure> {
        match frame.message_type {
            MessageType::AGENT_STATE_EVENT | MessageType::SYSTEM_EVENT => Ok(()),
            _ => {
                let message = AnyMessage::decode(frame, VERSION)?;
                Err(format!("agent {} got {message:?}", 1001 + self.agent).into())
            }
        }
    }
}

fn agent_id(agent: usize) -> Result<Text<12>, Failure> {
    Ok(Text::new(&(1001 + agent).to_string())?)
}

fn instrument(agent: usize) -> Result<Text<64>, Failure> {
    Ok(Text::new(&(3001 + agent).to_string())?)
}

pub(crate) fn encoded(message: impl Into<AnyMessage>) -> Result<BytesMut, Failure> {
    let mut bytes = BytesMut::new();
    message.into().encode(VERSION, &mut bytes)?;
    Ok(bytes)
}

pub(crate) const VERSION: Version = Version::LATEST;
pub(crate) const PERIPHERAL: u32 = 5000;
const OPEN: u32 = 99;
/// A request takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
