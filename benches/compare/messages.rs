//! The frames that all of them are sent, and what a client has to know of frames to count them.

use bytes::BytesMut;
use cti_protocol::ged188::codes::{AgentState, AgentStateMask, ServiceMask};
use cti_protocol::ged188::{
    AnyMessage, CloseReq, Data, HeartbeatReq, MonitorStartReq, OpenConf, OpenReq, QueryAgentStateReq, SetAgentStateReq,
    Text, Version, codes,
};

use crate::support::Failure;

/// The session's version.
pub(crate) const VERSION: Version = Version::new(20).unwrap();
/// The gateway's only ACD.
pub(crate) const PERIPHERAL: u32 = 5_000;
/// MessageLength and MessageType.
pub(crate) const HEADER_BYTES: usize = 8;
pub(crate) const OPEN_REQ: u32 = 3;
pub(crate) const HEARTBEAT_REQ: u32 = 5;
pub(crate) const HEARTBEAT_CONF: u32 = 6;
pub(crate) const CLOSE_REQ: u32 = 7;
pub(crate) const CLOSE_CONF: u32 = 8;
/// A frame of this bench's own, for its bare server: whoever sent it gets what is published.
pub(crate) const SUBSCRIBE: u32 = 0xf001;
/// The other one: its body is published.
pub(crate) const PUBLISH: u32 = 0xf002;
/// FAILURE_CONF, FAILURE_EVENT and CONTROL_FAILURE_CONF: nothing here may fail.
const FAILURES: [u32; 3] = [1, 2, 35];

/// The first frame's type, and the frame with its header; none while it is not whole.
pub(crate) fn first_frame(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (length, message) = (number(0)?, number(4)?);
    Some((message, bytes.get(..HEADER_BYTES + length as usize)?))
}

/// A confirm of nothing but the request's InvokeID.
pub(crate) fn confirm(request: &[u8], message: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&4_u32.to_be_bytes());
    out.extend_from_slice(&message.to_be_bytes());
    out.extend_from_slice(&request[HEADER_BYTES..HEADER_BYTES + 4]);
}

pub(crate) fn frame(message: u32, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEADER_BYTES + body.len());
    frame.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend_from_slice(&message.to_be_bytes());
    frame.extend_from_slice(body);
    frame
}

/// Where frames end in a stream of which it sees one piece after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frames {
    header: [u8; HEADER_BYTES],
    known: usize,
    body_left: usize,
}

impl Frames {
    /// How many frames end in that piece. None of them may be a failure.
    pub(crate) fn count(&mut self, mut bytes: &[u8]) -> Result<usize, Failure> {
        let mut ended = 0;
        while !bytes.is_empty() {
            if self.known < HEADER_BYTES {
                let taken = bytes.len().min(HEADER_BYTES - self.known);
                self.header[self.known..self.known + taken].copy_from_slice(&bytes[..taken]);
                self.known += taken;
                bytes = &bytes[taken..];
                if self.known < HEADER_BYTES {
                    break;
                }
                let number = |at: usize| u32::from_be_bytes(self.header[at..at + 4].try_into().unwrap_or_default());
                self.body_left = number(0) as usize;
                if FAILURES.contains(&number(4)) {
                    return Err(format!("a request has failed: {:02x?}", &bytes[..bytes.len().min(80)]).into());
                }
            }
            let taken = bytes.len().min(self.body_left);
            self.body_left -= taken;
            bytes = &bytes[taken..];
            if self.body_left == 0 {
                (ended, self.known) = (ended + 1, 0);
            }
        }
        Ok(ended)
    }
}

/// A session that commands agents and hears nothing.
pub(crate) fn open_to_command() -> Vec<u8> {
    encode(open("bench", ServiceMask::CTI_SERVICE_CLIENT_CONTROL))
}

/// An agent's desktop.
pub(crate) fn open_of_agent(agent: u32) -> Vec<u8> {
    let services = ServiceMask::CTI_SERVICE_CLIENT_EVENTS | ServiceMask::CTI_SERVICE_CLIENT_CONTROL;
    encode(OpenReq { agent_id: Text::new(&agent.to_string()).ok(), ..open("bench", services) })
}

/// A session that hears how every agent stands.
pub(crate) fn open_to_hear() -> Vec<u8> {
    encode(open("bench", ServiceMask::CTI_SERVICE_ALL_EVENTS))
}

/// A session that may start monitors.
pub(crate) fn open_to_monitor() -> Vec<u8> {
    encode(open("bench", ServiceMask::CTI_SERVICE_PERIPHERAL_MONITOR))
}

fn open(client: &str, services_requested: ServiceMask) -> OpenReq {
    OpenReq {
        invoke_id: 1,
        version_number: VERSION.number(),
        idle_timeout: 0xffff_ffff,
        peripheral_id: PERIPHERAL,
        services_requested,
        agent_state_mask: AgentStateMask(0x3fff),
        client_id: Text::new(client).ok(),
        client_password: Data::new(&[0_u8][..]).ok().map(Into::into),
        ..Default::default()
    }
}

/// What an OPEN_REQ is answered with by the servers that know nothing.
pub(crate) fn open_conf() -> Vec<u8> {
    encode(OpenConf { invoke_id: 1, num_peripherals: Some(0), ..Default::default() })
}

pub(crate) fn close() -> Vec<u8> {
    encode(CloseReq { invoke_id: 9, ..Default::default() })
}

pub(crate) fn heartbeat() -> Vec<u8> {
    encode(HeartbeatReq { invoke_id: 7, ..Default::default() })
}

pub(crate) fn query(agent: u32) -> Vec<u8> {
    encode(QueryAgentStateReq {
        invoke_id: 7,
        peripheral_id: PERIPHERAL,
        agent_id: Text::new(&agent.to_string()).ok(),
        ..Default::default()
    })
}

pub(crate) fn monitor(agent: u32) -> Vec<u8> {
    encode(MonitorStartReq {
        invoke_id: 7,
        peripheral_id: PERIPHERAL,
        agent_state_mask: AgentStateMask(0x3fff),
        monitored_device_type: codes::DeviceIdType::DEVID_DEVICE_IDENTIFIER,
        monitored_device_id: Text::new(&agent.to_string()).ok(),
        ..Default::default()
    })
}

/// One more turn of an agent: 0 logs in, then ready, not ready, and 3 logs out.
pub(crate) fn turn(agent: u32, step: usize) -> Vec<u8> {
    let steps = [
        AgentState::AGENT_STATE_LOGIN,
        AgentState::AGENT_STATE_AVAILABLE,
        AgentState::AGENT_STATE_NOT_READY,
        AgentState::AGENT_STATE_LOGOUT,
    ];
    let instrument = Text::new(&(agent + INSTRUMENTS).to_string()).ok();
    encode(SetAgentStateReq {
        invoke_id: 7,
        peripheral_id: PERIPHERAL,
        agent_state: steps[step],
        agent_id: Text::new(&agent.to_string()).ok(),
        agent_instrument: instrument.filter(|_| step == 0),
        agent_password: Text::new("pw").ok().filter(|_| step == 0).map(Into::into),
        ..Default::default()
    })
}

/// Agents and instruments begin here, one for one.
pub(crate) const AGENTS: u32 = 10_001;
/// By how much an agent's instrument is above its id.
pub(crate) const INSTRUMENTS: u32 = 100_000;

fn encode(message: impl Into<AnyMessage>) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    if let Err(error) = message.into().encode(VERSION, &mut bytes) {
        unreachable!("a message of this bench cannot be written: {error}");
    }
    bytes.to_vec()
}
