//! A GED-188 client: its bytes, and what it understands. Not here: when it says what (`trial`).

use bytes::BytesMut;
use cti_protocol::ged188::codes::{AgentState, AgentStateMask, CallMsgMask, ForcedFlag, ServiceMask};
use cti_protocol::ged188::{
    AnswerCallReq, AnyMessage, ClearConnectionReq, CloseReq, Data, FrameCodec, HeartbeatReq, HoldCallReq,
    MonitorStartReq, MonitorStopReq, OpenReq, QueryAgentStateReq, RetrieveCallReq, SetAgentStateReq,
    SupervisorAssistReq, Text, Version, WantedSkillGroup,
};
use tokio_util::codec::Decoder;

use super::words::{Ask, Brings, CallAsk, CallStep, Heard, Opening, PERIPHERAL, Source, Target, View};

/// What a client has of a frame.
#[derive(Default)]
pub struct Desk {
    half: BytesMut,
    frames: FrameCodec,
}

fn version() -> Version {
    Version::new(20).unwrap()
}

impl Desk {
    /// A request's bytes.
    pub fn write(id: u32, ask: &Ask, out: &mut BytesMut) {
        let message = request(id, ask);
        message.encode(version(), out).unwrap_or_else(|error| panic!("{ask:?} can be written: {error}"));
    }

    /// What came in whole by now.
    pub fn hears(&mut self, bytes: &[u8]) -> Vec<Result<Heard, String>> {
        self.half.extend_from_slice(bytes);
        let mut heard = Vec::new();
        loop {
            let frame = match self.frames.decode(&mut self.half) {
                Ok(Some(frame)) => frame,
                Ok(None) => return heard,
                Err(error) => {
                    heard.push(Err(format!("no frame: {error}")));
                    return heard;
                }
            };
            heard.push(match AnyMessage::decode(&frame, version()) {
                Ok(message) => Ok(understood(message)),
                Err(error) => Err(format!("no message: {error}")),
            });
        }
    }
}

fn text<const MAX: usize>(content: &str) -> Option<Text<MAX>> {
    Some(Text::new(content).unwrap())
}

fn request(invoke_id: u32, ask: &Ask) -> AnyMessage {
    let set = |agent: &str, agent_state: AgentState| SetAgentStateReq {
        invoke_id,
        peripheral_id: PERIPHERAL,
        agent_state,
        agent_id: text(agent),
        ..Default::default()
    };
    let groups = |queues: &[u32]| -> Vec<WantedSkillGroup> {
        let number = |queue: &u32| WantedSkillGroup { number: Some(queue.cast_signed()), ..Default::default() };
        queues.iter().map(number).collect()
    };
    match ask {
        Ask::Open(opening) => open(invoke_id, opening).into(),
        Ask::LogIn { agent, device, queues, forced, with_password } => {
            let password = if *with_password { format!("pw{agent}") } else { "wrong".to_owned() };
            SetAgentStateReq {
                agent_instrument: text(device),
                agent_password: Some(Text::new(&password).unwrap().into()),
                num_skill_groups: u16::try_from(queues.len()).unwrap(),
                skill_groups: groups(queues),
                forced_flag: if *forced { ForcedFlag::TRUE } else { ForcedFlag::FALSE },
                ..set(agent, AgentState::AGENT_STATE_LOGIN)
            }
            .into()
        }
        Ask::LogOut { agent, queues, reason, forced } => SetAgentStateReq {
            event_reason_code: *reason,
            num_skill_groups: u16::try_from(queues.len()).unwrap(),
            skill_groups: groups(queues),
            forced_flag: if *forced { ForcedFlag::TRUE } else { ForcedFlag::FALSE },
            ..set(agent, AgentState::AGENT_STATE_LOGOUT)
        }
        .into(),
        Ask::Ready { agent } => set(agent, AgentState::AGENT_STATE_AVAILABLE).into(),
        Ask::NotReady { agent, reason } => {
            SetAgentStateReq { event_reason_code: *reason, ..set(agent, AgentState::AGENT_STATE_NOT_READY) }.into()
        }
        Ask::Query { agent } => {
            QueryAgentStateReq { invoke_id, peripheral_id: PERIPHERAL, agent_id: text(agent), ..Default::default() }
                .into()
        }
        Ask::Monitor { of } => {
            let name = match of {
                Target::Agent(name) | Target::Device(name) => name,
                Target::All => "",
            };
            MonitorStartReq {
                invoke_id,
                peripheral_id: PERIPHERAL,
                call_msg_mask: CallMsgMask(0xffff_ffff),
                agent_state_mask: AgentStateMask(0x3fff),
                monitored_device_id: text(name),
                ..Default::default()
            }
            .into()
        }
        Ask::StopMonitor { id } => MonitorStopReq { invoke_id, monitor_id: *id, ..Default::default() }.into(),
        Ask::OfCall { what, call, device } => of_call(invoke_id, *what, *call, device),
        Ask::Close => CloseReq { invoke_id, ..Default::default() }.into(),
        Ask::Heartbeat => HeartbeatReq { invoke_id, ..Default::default() }.into(),
        Ask::Nonsense | Ask::Subscribe { .. } | Ask::Unsubscribe { .. } => {
            SupervisorAssistReq { invoke_id, ..Default::default() }.into()
        }
    }
}

fn of_call(invoke_id: u32, what: CallAsk, call: u32, device: &str) -> AnyMessage {
    let (connection_call_id, connection_device_id) = (call, text(device));
    match what {
        CallAsk::Answer => {
            AnswerCallReq { invoke_id, connection_call_id, connection_device_id, ..Default::default() }.into()
        }
        CallAsk::Hold => {
            HoldCallReq { invoke_id, connection_call_id, connection_device_id, ..Default::default() }.into()
        }
        CallAsk::Retrieve => RetrieveCallReq {
            invoke_id,
            held_connection_call_id: call,
            held_connection_device_id: text(device),
            ..Default::default()
        }
        .into(),
        CallAsk::HangUp => {
            ClearConnectionReq { invoke_id, connection_call_id, connection_device_id, ..Default::default() }.into()
        }
    }
}

fn open(invoke_id: u32, opening: &Opening) -> OpenReq {
    let control = ServiceMask::CTI_SERVICE_CLIENT_CONTROL.0 | ServiceMask::CTI_SERVICE_PERIPHERAL_MONITOR.0;
    let (client, agent, services) = match opening {
        Opening::Desktop { client, agent, supervises } => {
            let more = if *supervises { ServiceMask::CTI_SERVICE_SUPERVISOR.0 } else { 0 };
            (client.as_str(), text(agent), control | more | ServiceMask::CTI_SERVICE_CLIENT_EVENTS.0)
        }
        Opening::Bridge { client } => (client.as_str(), None, control | ServiceMask::CTI_SERVICE_ALL_EVENTS.0),
        Opening::Fresh | Opening::Resume { .. } => ("none", None, 0),
    };
    OpenReq {
        invoke_id,
        version_number: version().number(),
        idle_timeout: 0xffff_ffff,
        peripheral_id: PERIPHERAL,
        services_requested: ServiceMask(services),
        call_msg_mask: CallMsgMask(!CallMsgMask::AGENT_TEAM_CONFIG_MASK.0),
        agent_state_mask: AgentStateMask(0x3fff),
        client_id: text(client),
        client_password: Some(Data::new(&[0_u8][..]).unwrap().into()),
        agent_id: agent,
        ..Default::default()
    }
}

fn understood(message: AnyMessage) -> Heard {
    let yes = |id: u32, brings: Option<Brings>| Heard::Answer { id, is_ok: true, brings, why: String::new() };
    let no = |id: u32, why: String| Heard::Answer { id, is_ok: false, brings: None, why };
    let call = |monitor: u32, call: u32, step: CallStep| Heard::Call { by: Source::Monitor(monitor), call, step };
    let why = |code: String, text: Option<String>| format!(": {code} {}", text.unwrap_or_default());
    use AnyMessage as M;
    match message {
        M::FailureConf(no_) => {
            let words = no_.text.as_ref().map(|text| text.as_str().into_owned());
            no(no_.invoke_id, why(format!("{:?}", no_.status), words))
        }
        M::ControlFailureConf(no_) => {
            let words = no_.text.as_ref().map(|text| text.as_str().into_owned());
            no(no_.invoke_id, why(format!("{:?}", no_.failure_code), words))
        }
        M::AgentStateEvent(event) => {
            let text = |field: Option<String>| field.unwrap_or_default();
            let (view, reason) = view_of(event.agent_state, event.event_reason_code);
            Heard::Agent {
                by: Source::Monitor(event.monitor_id),
                agent: text(event.agent_id.map(|id| id.as_str().into_owned())),
                device: text(event.agent_instrument.map(|at| at.as_str().into_owned())),
                view,
                reason,
                is_snapshot: false,
            }
        }
        M::MonitorStartConf(yes_) => yes(yes_.invoke_id, Some(Brings::Monitor(yes_.monitor_id))),
        M::BeginCallEvent(event) => call(event.monitor_id, event.connection_call_id, CallStep::Began),
        M::EndCallEvent(event) => call(event.monitor_id, event.connection_call_id, CallStep::Ended),
        M::CallDeliveredEvent(event) => call(event.monitor_id, event.connection_call_id, CallStep::Went),
        M::CallEstablishedEvent(event) => call(event.monitor_id, event.connection_call_id, CallStep::Went),
        M::CallHeldEvent(event) => call(event.monitor_id, event.connection_call_id, CallStep::Went),
        M::CallRetrievedEvent(event) => call(event.monitor_id, event.connection_call_id, CallStep::Went),
        M::CallConnectionClearedEvent(event) => call(event.monitor_id, event.connection_call_id, CallStep::Went),
        M::CallClearedEvent(event) => call(event.monitor_id, event.connection_call_id, CallStep::Went),
        other => match other.invoke_id() {
            Some(id) => yes(id, None),
            None => Heard::Other(other.name().unwrap_or("a stranger").to_owned()),
        },
    }
}

/// None: the moment of a login, behind which comes what the agent is then.
fn view_of(state: AgentState, reason: u16) -> (Option<View>, u16) {
    match state {
        AgentState::AGENT_STATE_LOGIN => (None, 0),
        AgentState::AGENT_STATE_LOGOUT => (Some(View::Out), 0),
        AgentState::AGENT_STATE_AVAILABLE => (Some(View::Ready), 0),
        AgentState::AGENT_STATE_NOT_READY => (Some(View::NotReady), reason),
        _ => (Some(View::OnCall), 0),
    }
}
