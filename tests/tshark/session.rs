//! What is captured: a session with a bit of everything, and a frame of every message.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::BytesMut;
use cti_protocol::ged188::catalogue::{FieldInfo, MessageInfo, WireType};
use cti_protocol::ged188::codes::{
    AgentState, AgentStateMask, CallMsgMask, ConfigMsgMask, ConnectionDeviceIdType, ServiceMask,
};
use cti_protocol::ged188::{
    AnswerCallReq, AnyMessage, ClearConnectionReq, CloseReq, ConfigRequestEvent, ConfigRequestKeyEvent,
    ConsultationCallReq, Data, Frame, FrameCodec, HeartbeatReq, HoldCallReq, ListAgentTeamReq, MakeCallReq,
    MonitorAgentTeamStartReq, NamedVariable, OpenReq, QueryAgentStateReq, QueryAgentStatisticsReq, QueryDeviceInfoReq,
    QuerySkillGroupStatisticsReq, ReconnectCallReq, RetrieveCallReq, SetAgentStateReq, SetCallDataReq, SnapshotCallReq,
    SnapshotDeviceReq, Text, TransferCallReq, Version,
};
use serde_json::Value;
use tokio_util::codec::Decoder;

use crate::relay::Relay;
use crate::support::Gateway;

const ANY: u32 = 0xffff_ffff;

/// A client that waits for what it needs.
struct Client {
    stream: TcpStream,
    version: Version,
    frames: FrameCodec,
    read: BytesMut,
    invoke_id: u32,
}

impl Client {
    fn opens(address: &str, version: u32, client: &str, agent: Option<&str>, services: u32) -> Client {
        let version = Version::new(version).expect("a version");
        let stream = TcpStream::connect(address).expect("the gateway");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
        let mut client_ =
            Client { stream, version, frames: FrameCodec::default(), read: BytesMut::new(), invoke_id: 0 };
        client_.sends(OpenReq {
            invoke_id: 1,
            version_number: version.number(),
            idle_timeout: ANY,
            peripheral_id: ANY,
            services_requested: ServiceMask(services),
            call_msg_mask: CallMsgMask(ANY),
            agent_state_mask: AgentStateMask(0x3fff),
            client_id: text(client),
            client_password: Some(Data::new(&[0_u8][..]).expect("one byte").into()),
            agent_id: agent.and_then(text),
            ..Default::default()
        });
        client_.waits(|message| matches!(message, AnyMessage::OpenConf(_)));
        client_
    }

    fn sends(&mut self, message: impl Into<AnyMessage>) {
        let mut bytes = BytesMut::new();
        message.into().encode(self.version, &mut bytes).expect("a message");
        self.stream.write_all(&bytes).expect("a gateway that listens");
    }

    fn waits(&mut self, is_it: impl Fn(&AnyMessage) -> bool) -> AnyMessage {
        let mut chunk = [0; 4096];
        loop {
            while let Some(frame) = self.frames.decode(&mut self.read).expect("whole frames") {
                let message = AnyMessage::decode(&frame, self.version).expect("a message");
                if is_it(&message) {
                    return message;
                }
            }
            let bytes = self.stream.read(&mut chunk).expect("a gateway that speaks");
            assert!(bytes > 0, "the gateway closed the connection");
            self.read.extend_from_slice(&chunk[..bytes]);
        }
    }

    /// Sends a request and waits for its answer, whichever it is.
    fn asks(&mut self, request: impl FnOnce(u32) -> AnyMessage) -> AnyMessage {
        self.invoke_id += 1;
        let invoke_id = 1_000 + self.invoke_id;
        self.sends(request(invoke_id));
        self.waits(|message| message.invoke_id() == Some(invoke_id))
    }

    fn goes(&mut self, agent: &str, state: AgentState) {
        let device = (agent.parse::<u32>().expect("a number") + 2_000).to_string();
        let is_login = state == AgentState::AGENT_STATE_LOGIN;
        self.asks(|invoke_id| {
            SetAgentStateReq {
                invoke_id,
                peripheral_id: ANY,
                agent_state: state,
                agent_id: text(agent),
                agent_instrument: text(&device).filter(|_| is_login),
                agent_password: Text::new(&format!("pw{agent}")).ok().filter(|_| is_login).map(Into::into),
                ..Default::default()
            }
            .into()
        });
    }
}

/// Two agents, a supervisor and a wallboard at a gateway with calls.
pub(crate) fn recorded() -> Vec<Value> {
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("ctigate.toml");
    let content = "[[team]]\nid = 7\nname = \"all\"\nsupervisors = [\"1003\"]\nagents = [\"1001\", \"1002\"]\n\
                   [[acd]]\nkind = \"embedded\"\nwrap_up = \"50ms\"\n[acd.calls]\nauto_answer = false\n";
    std::fs::write(&config, content).expect("a file");
    let gateway = Gateway::start_at("127.0.0.1:0", &["-c", &config.display().to_string()]);
    let relay = Relay::start(&gateway.address);
    let bridge = ServiceMask::CTI_SERVICE_ALL_EVENTS.0
        | ServiceMask::CTI_SERVICE_CLIENT_CONTROL.0
        | ServiceMask::CTI_SERVICE_PERIPHERAL_MONITOR.0
        | ServiceMask::CTI_SERVICE_CONFIG_EVENTS.0;
    let own = ServiceMask::CTI_SERVICE_CLIENT_EVENTS.0
        | ServiceMask::CTI_SERVICE_CLIENT_CONTROL.0
        | ServiceMask::CTI_SERVICE_CALL_DATA_UPDATE.0;
    let mut wallboard = Client::opens(&relay.address, 24, "wallboard", None, bridge);
    let mut first = Client::opens(&relay.address, 9, "first", Some("1001"), own);
    let mut second = Client::opens(&relay.address, 20, "second", Some("1002"), own);
    let supervisor = own | ServiceMask::CTI_SERVICE_SUPERVISOR.0;
    let mut supervisor = Client::opens(&relay.address, 23, "supervisor", Some("1003"), supervisor);
    supervisor.asks(|invoke_id| ListAgentTeamReq { invoke_id, supervisor_id: ANY, ..Default::default() }.into());
    supervisor.asks(|invoke_id| MonitorAgentTeamStartReq { invoke_id, team_id: 7, ..Default::default() }.into());

    wallboard.sends(ConfigRequestKeyEvent { peripheral_id: ANY, ..Default::default() });
    wallboard.waits(|message| matches!(message, AnyMessage::ConfigKeyEvent(_)));
    wallboard.sends(ConfigRequestEvent {
        config_information: ConfigMsgMask(0xf),
        peripheral_id: ANY,
        ..Default::default()
    });
    wallboard.waits(|message| matches!(message, AnyMessage::ConfigEndEvent(_)));
    wallboard.asks(|invoke_id| HeartbeatReq { invoke_id, ..Default::default() }.into());
    for (client, agent) in [(&mut first, "1001"), (&mut second, "1002")] {
        client.goes(agent, AgentState::AGENT_STATE_LOGIN);
        client.goes(agent, AgentState::AGENT_STATE_NOT_READY);
        // Refused: the agent is another's.
        client.goes("1005", AgentState::AGENT_STATE_AVAILABLE);
    }
    first.asks(|invoke_id| {
        MakeCallReq { invoke_id, agent_instrument: text("3001"), dialed_number: text("3002"), ..Default::default() }
            .into()
    });
    let call = |message: &AnyMessage| match message {
        AnyMessage::CallDeliveredEvent(event) => Some(event.connection_call_id),
        _ => None,
    };
    let id = call(&second.waits(|message| call(message).is_some())).expect("a call");
    let (one, two) = (("3001", id), ("3002", id));
    second.asks(|invoke_id| {
        AnswerCallReq { invoke_id, connection_call_id: two.1, connection_device_id: text(two.0), ..Default::default() }
            .into()
    });
    first.asks(|invoke_id| {
        SetCallDataReq {
            invoke_id,
            connection_call_id: one.1,
            connection_device_id: text(one.0),
            call_variable1: text("one"),
            num_named_variables: 1,
            named_variables: vec![NamedVariable::new("user.account", "12345").expect("it fits")],
            ..Default::default()
        }
        .into()
    });
    first.asks(|invoke_id| {
        HoldCallReq { invoke_id, connection_call_id: one.1, connection_device_id: text(one.0), ..Default::default() }
            .into()
    });
    first.asks(|invoke_id| {
        RetrieveCallReq {
            invoke_id,
            held_connection_call_id: one.1,
            held_connection_device_id: text(one.0),
            ..Default::default()
        }
        .into()
    });
    let asked = first.asks(|invoke_id| {
        ConsultationCallReq {
            invoke_id,
            active_connection_call_id: one.1,
            active_connection_device_id: text(one.0),
            dialed_number: text("0041443456789"),
            ..Default::default()
        }
        .into()
    });
    let AnyMessage::ConsultationCallConf(asked) = asked else { panic!("{asked:?}") };
    first.asks(|invoke_id| {
        ReconnectCallReq {
            invoke_id,
            active_connection_call_id: asked.new_connection_call_id,
            held_connection_call_id: one.1,
            active_connection_device_id: text(one.0),
            held_connection_device_id: text(one.0),
            ..Default::default()
        }
        .into()
    });
    let transferred = first.asks(|invoke_id| {
        TransferCallReq {
            invoke_id,
            active_connection_call_id: one.1,
            held_connection_call_id: ANY,
            held_connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_NONE,
            active_connection_device_id: text(one.0),
            dialed_number: text("0041443456789"),
            ..Default::default()
        }
        .into()
    });
    assert!(matches!(transferred, AnyMessage::TransferCallConf(_)), "{transferred:?}");
    wallboard.asks(|invoke_id| {
        SnapshotCallReq {
            invoke_id,
            peripheral_id: ANY,
            connection_call_id: id,
            connection_device_id: text("3002"),
            ..Default::default()
        }
        .into()
    });
    wallboard.asks(|invoke_id| {
        SnapshotDeviceReq { invoke_id, peripheral_id: ANY, agent_instrument: text("3002"), ..Default::default() }.into()
    });
    second.asks(|invoke_id| {
        ClearConnectionReq {
            invoke_id,
            connection_call_id: two.1,
            connection_device_id: text(two.0),
            ..Default::default()
        }
        .into()
    });
    wallboard.asks(|invoke_id| {
        QueryAgentStatisticsReq { invoke_id, peripheral_id: ANY, agent_id: text("1001"), ..Default::default() }.into()
    });
    wallboard.asks(|invoke_id| {
        QuerySkillGroupStatisticsReq {
            invoke_id,
            peripheral_id: ANY,
            skill_group_number: 1,
            skill_group_id: ANY,
            ..Default::default()
        }
        .into()
    });
    wallboard.asks(|invoke_id| {
        QueryAgentStateReq { invoke_id, peripheral_id: ANY, agent_id: text("1002"), ..Default::default() }.into()
    });
    wallboard.asks(|invoke_id| {
        QueryDeviceInfoReq { invoke_id, peripheral_id: ANY, agent_instrument: text("3001"), ..Default::default() }
            .into()
    });
    supervisor.goes("1002", AgentState::AGENT_STATE_LOGOUT);
    first.goes("1001", AgentState::AGENT_STATE_LOGOUT);
    for client in [&mut first, &mut second, &mut supervisor, &mut wallboard] {
        client.asks(|invoke_id| CloseReq { invoke_id, ..Default::default() }.into());
    }
    relay.lines()
}

fn text<const MAX: usize>(content: &str) -> Option<Text<MAX>> {
    Text::new(content).ok()
}

/// An OPEN_REQ by which whoever reads along learns the version.
pub(crate) fn open_req(version: Version) -> Frame {
    let request = OpenReq { version_number: version.number(), client_id: text("sample"), ..Default::default() };
    let mut bytes = BytesMut::new();
    AnyMessage::from(request).encode(version, &mut bytes).expect("a message");
    FrameCodec::default().decode(&mut bytes).expect("a frame").expect("a whole one")
}

/// A body of the message with each of its fields once.
pub(crate) fn sample(info: &MessageInfo, version: Version, seed: u8) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    for (at, field) in info.fixed.iter().filter(|field| field.is_in(version)).enumerate() {
        body.extend((0..field.bytes_max?).map(|byte| seed.wrapping_mul(31).wrapping_add((at * 7 + byte) as u8)));
    }
    if info.name == "OPEN_REQ" {
        body[4..8].copy_from_slice(&version.number().to_be_bytes());
    }
    for field in info.floating.iter().filter(|field| field.is_in(version)) {
        let Some(tag) = field.tag.filter(|tag| version.tag_bytes() == 2 || tag.0 < 256) else { continue };
        let data = data(field, seed);
        body.extend(&tag.0.to_be_bytes()[2 - version.tag_bytes()..]);
        body.extend(&(data.len() as u16).to_be_bytes()[2 - version.length_bytes()..]);
        body.extend(data);
    }
    Some(body)
}

fn data(field: &FieldInfo, seed: u8) -> Vec<u8> {
    let bytes_max = field.bytes_max.unwrap_or(4);
    let words = |bytes_max: usize| -> Vec<u8> {
        let text = format!("{}{seed} & <x>", &field.name[..1]);
        text.bytes().take(bytes_max - 1).chain([0]).collect()
    };
    match field.wire_type {
        WireType::String => words(bytes_max),
        WireType::Unspec => (0..bytes_max.min(4) as u8).map(|byte| byte.wrapping_add(seed) | 1).collect(),
        WireType::NamedVar => b"user.account\x00 12 \"34\" \x00".to_vec(),
        WireType::NamedArray => [&[seed % 5][..], b"user.lines\x00value\x00"].concat(),
        _ => (0..bytes_max as u8).map(|byte| byte.wrapping_mul(17).wrapping_add(seed)).collect(),
    }
}
