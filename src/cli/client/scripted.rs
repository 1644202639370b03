//! A tiny server for the tests: it answers as a gateway would, but for what a test's script changes.

use bytes::BytesMut;
use cti_protocol::ged188::codes::{AgentState, ControlFailure};
use cti_protocol::ged188::{
    AgentStateEvent, AnyMessage, CloseConf, ControlFailureConf, FrameCodec, HeartbeatConf, OpenConf,
    QueryAgentStateConf, SetAgentStateConf, SetAgentStateReq, Text, Version,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::Decoder;

/// What a script says in place of the default answer.
pub(crate) enum Say {
    /// What a gateway says.
    Default,
    /// These messages, nothing else.
    These(Vec<AnyMessage>),
    /// These bytes.
    Bytes(Vec<u8>),
    /// Closes the connection.
    HangUp,
}

/// Serves any number of clients on a free port; gives the address.
pub(crate) async fn serve(script: impl Fn(&AnyMessage) -> Say + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, script.clone()));
        }
    });
    address
}

async fn converse(mut stream: TcpStream, script: impl Fn(&AnyMessage) -> Say) {
    let (mut frames, mut read) = (FrameCodec::default(), BytesMut::new());
    while stream.read_buf(&mut read).await.is_ok_and(|read| read > 0) {
        while let Some(frame) = frames.decode(&mut read).unwrap() {
            let request = AnyMessage::decode(&frame, VERSION).unwrap();
            let mut bytes = BytesMut::new();
            let answers = match script(&request) {
                Say::Default => default_answers(&request),
                Say::These(messages) => messages,
                Say::Bytes(raw) => {
                    bytes.extend_from_slice(&raw);
                    Vec::new()
                }
                Say::HangUp => return,
            };
            for answer in answers {
                answer.encode(VERSION, &mut bytes).unwrap();
            }
            if stream.write_all(&bytes).await.is_err() {
                return;
            }
        }
    }
}

/// Confirms everything; a state change's event comes behind its confirm, a logout's before it.
pub(crate) fn default_answers(request: &AnyMessage) -> Vec<AnyMessage> {
    match request {
        AnyMessage::OpenReq(request) => {
            let services_granted = request.services_requested;
            vec![OpenConf { invoke_id: request.invoke_id, services_granted, ..Default::default() }.into()]
        }
        AnyMessage::SetAgentStateReq(request) => {
            let confirm = SetAgentStateConf { invoke_id: request.invoke_id, ..Default::default() }.into();
            match request.agent_state {
                AgentState::AGENT_STATE_LOGOUT => vec![event(request), confirm],
                _ => vec![confirm, event(request)],
            }
        }
        AnyMessage::QueryAgentStateReq(request) => {
            let agent_state = AgentState::AGENT_STATE_AVAILABLE;
            vec![QueryAgentStateConf { invoke_id: request.invoke_id, agent_state, ..Default::default() }.into()]
        }
        AnyMessage::HeartbeatReq(request) => {
            vec![HeartbeatConf { invoke_id: request.invoke_id, ..Default::default() }.into()]
        }
        AnyMessage::CloseReq(request) => vec![CloseConf { invoke_id: request.invoke_id, ..Default::default() }.into()],
        _ => Vec::new(),
    }
}

/// The event of a state change, a login leading to not ready.
pub(crate) fn event(request: &SetAgentStateReq) -> AnyMessage {
    let agent_state = match request.agent_state {
        AgentState::AGENT_STATE_LOGIN => AgentState::AGENT_STATE_NOT_READY,
        other => other,
    };
    let (event_reason_code, agent_id) = (request.event_reason_code, request.agent_id.clone());
    AgentStateEvent { monitor_id: 1, agent_state, event_reason_code, agent_id, ..Default::default() }.into()
}

/// A refusal with the text that the ACD gives.
pub(crate) fn refusal(request: &SetAgentStateReq, failure_code: ControlFailure, text: &str) -> AnyMessage {
    let text = Some(Text::cut(text));
    ControlFailureConf { invoke_id: request.invoke_id, failure_code, text, ..Default::default() }.into()
}

/// Whether a message asks for that state.
pub(crate) fn asks_for(request: &AnyMessage, state: AgentState) -> Option<&SetAgentStateReq> {
    match request {
        AnyMessage::SetAgentStateReq(request) if request.agent_state == state => Some(request),
        _ => None,
    }
}

const VERSION: Version = Version::new(20).unwrap();
