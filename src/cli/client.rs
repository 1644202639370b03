//! One GED-188 client connection, and the requests that an agent's desktop makes of it.
//!
//! Lives here: frames in and out, and which request carries which field. Not here: what to ask when, and what
//! people are told (`agent`, `bench`, `supervise`, `watch`).
//! Must hold: [`Client::receive`] may be dropped at any await without losing a byte, so that it can stand in a `select!`.

#[cfg(test)]
pub(super) mod scripted;
mod way;

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use cti_protocol::ged188::codes::{
    AgentState, AgentStateMask, CallMsgMask, ConnectionDeviceIdType, ForcedFlag, ServiceMask, Status,
};
use cti_protocol::ged188::{
    AnswerCallReq, AnyMessage, ClearConnectionReq, CloseReq, Data, DecodeError, EncodeError, FrameCodec, FrameError,
    MakeCallReq, OpenConf, OpenReq, QueryAgentStateReq, Secret, SetAgentStateReq, Text, TextError, Version,
    WantedSkillGroup,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::codec::Decoder;

use crate::tls::Stream;

pub(super) use way::{TlsArgs, Way};

/// A connection that speaks one protocol version.
#[derive(Debug)]
pub(super) struct Client {
    stream: Stream,
    version: Version,
    frames: FrameCodec,
    read: BytesMut,
    last_invoke_id: u32,
}

impl Client {
    /// Connects, nothing more.
    pub(super) async fn connect(way: &Way, version: Version) -> Result<Client, ClientError> {
        let stream = way.connect().await.map_err(ClientError::Connect)?;
        Ok(Client { stream, version, frames: FrameCodec::default(), read: BytesMut::new(), last_invoke_id: 0 })
    }

    /// An InvokeID that was not used on this connection before.
    pub(super) fn next_invoke_id(&mut self) -> u32 {
        self.last_invoke_id = self.last_invoke_id.wrapping_add(1);
        self.last_invoke_id
    }

    /// Sends one message in one write. A server that takes none for long is given up.
    pub(super) async fn send(&mut self, message: impl Into<AnyMessage>) -> Result<(), ClientError> {
        let mut bytes = BytesMut::new();
        message.into().encode(self.version, &mut bytes)?;
        let sending = timeout(ANSWER_WAIT, async {
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        });
        sending.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(ClientError::Lost)
    }

    /// Ends the session in good order, if the gateway still can.
    pub(super) async fn say_goodbye(mut self) {
        let goodbye = async {
            let invoke_id = self.next_invoke_id();
            self.send(close(invoke_id)).await?;
            loop {
                match self.receive().await {
                    Ok(AnyMessage::CloseConf(_)) => return Ok(()),
                    Err(error) if error.is_final() => return Err(error),
                    _ => (),
                }
            }
        };
        // Confirmed or not: there is nothing left to say.
        let _ = timeout(CLOSE_WAIT, goodbye).await;
    }

    /// The next message. A broken body is an error that the connection survives, see [`ClientError::is_final`].
    pub(super) async fn receive(&mut self) -> Result<AnyMessage, ClientError> {
        loop {
            if let Some(frame) = self.frames.decode(&mut self.read)? {
                return Ok(AnyMessage::decode(&frame, self.version)?);
            }
            let read = self.stream.read_buf(&mut self.read).await.map_err(ClientError::Lost)?;
            if read == 0 {
                return Err(match self.frames.decode_eof(&mut self.read) {
                    Err(cut_off) => cut_off.into(),
                    Ok(_) => ClientError::Closed,
                });
            }
        }
    }
}

/// The agent that a desktop is for, and how the desktop presents itself.
#[derive(Debug, Clone)]
pub(super) struct Desktop {
    agent: Text<12>,
    password: Secret<Text<64>>,
    instrument: Text<64>,
    client_id: Text<64>,
    client_password: Secret<Data<64>>,
    peripheral_id: u32,
}

impl Desktop {
    /// Refuses what does not fit into the protocol's fields.
    pub(super) fn new(
        agent: &str,
        password: &str,
        instrument: &str,
        identity: &Identity,
    ) -> Result<Desktop, DesktopError> {
        let bad = |name| move |why| DesktopError { name, why };
        Ok(Desktop {
            agent: Text::new(agent).map_err(bad("agent"))?,
            password: Text::new(password).map_err(bad("password"))?.into(),
            instrument: Text::new(instrument).map_err(bad("instrument"))?,
            client_id: Text::new(&identity.client_id).map_err(bad("client-id"))?,
            client_password: Data::new(identity.client_password.clone().into_bytes())
                .map_err(bad("client-password"))?
                .into(),
            peripheral_id: identity.peripheral,
        })
    }

    /// Opens a session with the agent's own events and the control of its state. `idle_timeout_s` none: never idle.
    pub(super) fn open(&self, invoke_id: u32, version: Version, idle_timeout_s: Option<u32>) -> OpenReq {
        OpenReq {
            invoke_id,
            version_number: version.number(),
            idle_timeout: idle_timeout_s.unwrap_or(u32::MAX),
            peripheral_id: self.peripheral_id,
            services_requested: SERVICES,
            call_msg_mask: CallMsgMask::ALL,
            agent_state_mask: AgentStateMask::ALL,
            client_id: Some(self.client_id.clone()),
            client_password: Some(self.client_password.clone()),
            agent_id: Some(self.agent.clone()),
            agent_instrument: Some(self.instrument.clone()),
            ..Default::default()
        }
    }

    /// Logs in to the queues named, or to those that the ACD has for the agent.
    pub(super) fn login(&self, invoke_id: u32, queues: &[u32]) -> SetAgentStateReq {
        let password = Some(self.password.clone());
        let request = self.state(invoke_id, AgentState::AGENT_STATE_LOGIN, 0);
        with_queues(SetAgentStateReq { agent_password: password, ..request }, queues)
    }

    /// Logs out of the queues named, or of all.
    pub(super) fn logout(&self, invoke_id: u32, reason: u16, queues: &[u32]) -> SetAgentStateReq {
        with_queues(self.state(invoke_id, AgentState::AGENT_STATE_LOGOUT, reason), queues)
    }

    /// Asks for another state.
    pub(super) fn state(&self, invoke_id: u32, state: AgentState, reason: u16) -> SetAgentStateReq {
        SetAgentStateReq {
            invoke_id,
            peripheral_id: self.peripheral_id,
            agent_state: state,
            event_reason_code: reason,
            forced_flag: ForcedFlag::FALSE,
            agent_instrument: Some(self.instrument.clone()),
            agent_id: Some(self.agent.clone()),
            ..Default::default()
        }
    }

    /// Calls a number.
    pub(super) fn make_call(&self, invoke_id: u32, number: &str) -> MakeCallReq {
        MakeCallReq {
            invoke_id,
            peripheral_id: self.peripheral_id,
            agent_instrument: Some(self.instrument.clone()),
            dialed_number: Text::new(number).ok(),
            ..Default::default()
        }
    }

    /// Answers what rings.
    pub(super) fn answer(&self, invoke_id: u32, call: u32) -> AnswerCallReq {
        AnswerCallReq {
            invoke_id,
            peripheral_id: self.peripheral_id,
            connection_call_id: call,
            connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_STATIC,
            connection_device_id: Some(self.instrument.clone()),
            agent_instrument: Some(self.instrument.clone()),
            ..Default::default()
        }
    }

    /// Hangs up.
    pub(super) fn clear(&self, invoke_id: u32, call: u32) -> ClearConnectionReq {
        ClearConnectionReq {
            invoke_id,
            peripheral_id: self.peripheral_id,
            connection_call_id: call,
            connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_STATIC,
            connection_device_id: Some(self.instrument.clone()),
            agent_instrument: Some(self.instrument.clone()),
            ..Default::default()
        }
    }

    /// Asks how the agent stands.
    pub(super) fn query(&self, invoke_id: u32) -> QueryAgentStateReq {
        let (peripheral_id, agent_id) = (self.peripheral_id, Some(self.agent.clone()));
        QueryAgentStateReq { invoke_id, peripheral_id, agent_id, ..Default::default() }
    }
}

/// What every desktop of one run has in common.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Identity {
    /// The ClientID to open with; the gateway's configuration may ask for a known one.
    #[arg(long, default_value = "ctigate", value_name = "ID")]
    pub(super) client_id: String,
    /// The ClientPassword that belongs to it; other users of the machine can read arguments, but not the environment.
    #[arg(
        long,
        env = "CTIGATE_CLIENT_PASSWORD",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    #[arg(value_name = "PASSWORD")]
    pub(super) client_password: String,
    /// The PeripheralID that the agent works at; 5000 is the demo world's.
    #[arg(long, default_value_t = 5000, value_name = "N")]
    pub(super) peripheral: u32,
    #[command(flatten)]
    pub(super) tls: TlsArgs,
}

/// Ends the session in good order.
pub(super) fn close(invoke_id: u32) -> CloseReq {
    CloseReq { invoke_id, status: Status(0), ..Default::default() }
}

/// What of the services that a desktop needs was not granted.
pub(super) fn not_granted(opened: &OpenConf) -> Option<ServiceMask> {
    let granted = opened.services_granted.0;
    // The smaller control service is all that a desktop here needs.
    let is_control = granted & (CONTROL.0 | ServiceMask::CTI_AGENT_STATE_CONTROL_ONLY.0) != 0;
    let missing = EVENTS.0 & !granted | if is_control { 0 } else { CONTROL.0 };
    (missing != 0).then_some(ServiceMask(missing))
}

/// Reads the version off the command line.
pub(super) fn parse_version(text: &str) -> Result<Version, String> {
    let number = text.parse().ok().and_then(Version::new);
    number.ok_or_else(|| format!("the protocol version is one of 9 to {}", Version::LATEST))
}

/// Names queues in a request.
pub(super) fn with_queues(request: SetAgentStateReq, queues: &[u32]) -> SetAgentStateReq {
    let skill_groups: Vec<_> = (queues.iter())
        .map(|queue| WantedSkillGroup { number: Some(queue.cast_signed()), priority: Some(0) })
        .collect();
    let num_skill_groups = u16::try_from(skill_groups.len()).unwrap_or(u16::MAX);
    SetAgentStateReq { num_skill_groups, skill_groups, ..request }
}

/// Why a connection does not go on, or a message on it cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// There is no connection.
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
    /// It broke.
    #[error("the connection broke: {0}")]
    Lost(#[source] io::Error),
    /// The other side ended it.
    #[error("the gateway closed the connection")]
    Closed,
    /// Where a frame begins and ends is no longer known.
    #[error(transparent)]
    Framing(#[from] FrameError),
    /// One message is broken, the next may be whole.
    #[error(transparent)]
    Broken(#[from] DecodeError),
    /// The session's version cannot say this.
    #[error(transparent)]
    Unsayable(#[from] EncodeError),
}

impl ClientError {
    /// Whether nothing more can come.
    pub(super) fn is_final(&self) -> bool {
        !matches!(self, ClientError::Broken(_) | ClientError::Unsayable(_))
    }

    /// Whether what came was not GED-188, as opposed to nothing coming.
    pub(super) fn is_undecodable(&self) -> bool {
        matches!(self, ClientError::Broken(_) | ClientError::Framing(_))
    }

    /// Whether this process or the system has no descriptor left for a socket.
    pub(super) fn is_out_of_descriptors(&self) -> bool {
        match self {
            ClientError::Connect(error) => OUT_OF_DESCRIPTORS.map(Some).contains(&error.raw_os_error()),
            _ => false,
        }
    }
}

/// A value that does not fit into its field.
#[derive(Debug, thiserror::Error)]
#[error("--{name}: {why}")]
pub(super) struct DesktopError {
    name: &'static str,
    why: TextError,
}

/// How long to wait for an answer; the guide gives OPEN_REQ as much.
pub(super) const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// How long to wait for CLOSE_CONF, by the guide.
pub(super) const CLOSE_WAIT: Duration = Duration::from_secs(5);
const EVENTS: ServiceMask = ServiceMask::CTI_SERVICE_CLIENT_EVENTS;
const CONTROL: ServiceMask = ServiceMask::CTI_SERVICE_CLIENT_CONTROL;
const SERVICES: ServiceMask = ServiceMask(EVENTS.0 | CONTROL.0);
/// ENFILE and EMFILE.
const OUT_OF_DESCRIPTORS: [i32; 2] = [23, 24];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_does_not_fit_is_refused_by_its_option() {
        let identity = Identity {
            client_id: "c".into(),
            client_password: String::new(),
            peripheral: 5000,
            tls: TlsArgs::default(),
        };
        let refused = Desktop::new("1234567890123", "pw", "3001", &identity).unwrap_err();
        assert!(refused.to_string().starts_with("--agent: "), "{refused}");
    }

    #[test]
    fn state_control_alone_is_control_enough() {
        let opened = |mask| OpenConf { services_granted: ServiceMask(mask), ..Default::default() };
        let only = ServiceMask::CTI_AGENT_STATE_CONTROL_ONLY.0;
        assert_eq!(not_granted(&opened(SERVICES.0)), None);
        assert_eq!(not_granted(&opened(EVENTS.0 | only)), None);
        assert_eq!(not_granted(&opened(only)), Some(EVENTS));
        assert_eq!(not_granted(&opened(EVENTS.0)), Some(CONTROL));
    }

    #[test]
    fn queues_are_counted_where_they_are_named() {
        let identity = Identity {
            client_id: "c".into(),
            client_password: String::new(),
            peripheral: 5000,
            tls: TlsArgs::default(),
        };
        let desktop = Desktop::new("1001", "pw1001", "3001", &identity).unwrap();
        let logout = desktop.logout(7, 12, &[1, 3]);
        assert_eq!((logout.num_skill_groups, logout.event_reason_code), (2, 12));
        assert_eq!(logout.skill_groups.iter().filter_map(|group| group.number).collect::<Vec<_>>(), [1, 3]);
        assert!(desktop.login(8, &[]).skill_groups.is_empty());
    }

    #[test]
    fn versions_outside_of_the_catalogue_are_refused() {
        assert_eq!(parse_version("20").map(Version::number), Ok(20));
        for wrong in ["8", "25", "-1", "twenty"] {
            assert!(parse_version(wrong).is_err(), "{wrong}");
        }
    }
}
