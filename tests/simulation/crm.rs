//! An OpenCTI client: its bytes, and what it understands. Not here: when it says what (`trial`).

use bytes::{BufMut, BytesMut};
use serde_json::{Value, json};

use super::watch::Watch;
use super::words::{Ask, Brings, CallAsk, CallStep, Heard, Opening, Source, View};

/// What a client has of a line.
#[derive(Default)]
pub struct Crm {
    half: BytesMut,
}

impl Crm {
    /// A request's bytes.
    pub fn write(id: u32, ask: &Ask, watch: &Watch, out: &mut BytesMut) {
        let mut request = request(ask, watch);
        request["id"] = json!(id);
        out.put_slice(request.to_string().as_bytes());
        out.put_u8(b'\n');
    }

    /// What came in whole by now.
    pub fn hears(&mut self, bytes: &[u8]) -> Vec<Result<Heard, String>> {
        self.half.extend_from_slice(bytes);
        let mut heard = Vec::new();
        while let Some(end) = self.half.iter().position(|byte| *byte == b'\n') {
            let line = self.half.split_to(end + 1);
            match serde_json::from_slice::<Value>(&line) {
                Ok(message) => understood(&message, &mut heard),
                Err(error) => heard.push(Err(format!("no message: {error}"))),
            }
        }
        heard
    }
}

fn request(ask: &Ask, watch: &Watch) -> Value {
    let queue = |queues: &[u32]| queues.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let reason = |reason: &u16| json!({"pyReasonCode": reason.to_string()});
    match ask {
        Ask::Open(opening) => {
            let hello = json!({"activity": "Hello", "protocolVersion": 1, "identity": "crm"});
            let Opening::Resume { session, seen } = opening else { return hello };
            let resume = json!({"session": watch.token(*session), "seq": seen});
            json!({"activity": "Hello", "protocolVersion": 1, "identity": "crm", "resume": resume})
        }
        Ask::LogIn { agent, device, queues, with_password, .. } => {
            let password = if *with_password { format!("pw{agent}") } else { "wrong".to_owned() };
            json!({
                "activity": "LoginAgent", "AgentID": agent, "AgentPassword": password, "DN": device,
                "Queue": queue(queues),
            })
        }
        Ask::LogOut { agent, queues, reason: code, .. } => json!({
            "activity": "LogoutAgent", "AgentID": agent, "Queue": queue(queues), "AgentOptions": reason(code),
        }),
        Ask::Ready { agent } => json!({"activity": "SetAgentReady", "AgentID": agent}),
        Ask::NotReady { agent, reason: code } => {
            json!({"activity": "SetAgentNotReady", "AgentID": agent, "AgentOptions": reason(code)})
        }
        Ask::Subscribe { device } => json!({"activity": "SubscribeForEvents", "DN": device}),
        Ask::Unsubscribe { device } => json!({"activity": "UnSubscribeForEvents", "DN": device}),
        Ask::OfCall { what, call, device } => {
            let activity = match what {
                CallAsk::Answer => "answerCall",
                CallAsk::Hold => "holdCall",
                CallAsk::Retrieve => "retrieveCall",
                CallAsk::HangUp => "hangUpCall",
            };
            json!({"activity": activity, "DN": device, "CallID": call.to_string()})
        }
        Ask::Query { agent } => json!({"activity": "GetSnapshot", "AgentID": agent}),
        Ask::Heartbeat => json!({"activity": "Heartbeat"}),
        Ask::Nonsense | Ask::Monitor { .. } | Ask::StopMonitor { .. } | Ask::Close => {
            json!({"activity": "Dance"})
        }
    }
}

fn understood(message: &Value, heard: &mut Vec<Result<Heard, String>>) {
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    if let Some(id) = message.get("id") {
        let Some(id) = id.as_u64().and_then(|id| u32::try_from(id).ok()) else {
            return heard.push(Err(format!("an answer to nothing: {message}")));
        };
        let is_ok = message["ok"] == true;
        let brings = message.get("session").map(|token| Brings::Session {
            token: token.as_str().unwrap_or_default().to_owned(),
            resumed: message["resumed"].as_bool(),
            seq: message["seq"].as_u64().unwrap_or_default(),
        });
        let why = if is_ok { String::new() } else { format!(": {} {}", text("code"), text("StatusMessage")) };
        return heard.push(Ok(Heard::Answer { id, is_ok, brings, why }));
    }
    let Some(seq) = message["seq"].as_u64() else {
        return heard.push(Ok(Heard::Other(format!("{} {}", text("notice"), text("message")))));
    };
    heard.push(Ok(Heard::Seq(seq)));
    let (agent, device) = (text("pyAgentId"), text("pyThisDN"));
    let reason = text("pyReasonCode").parse().unwrap_or(0);
    heard.push(Ok(match message["pyEventType"].as_str() {
        Some("SnapshotEvent") if !text("message").is_empty() => Heard::TakenOver { agent, device },
        Some("SnapshotEvent") if agent.is_empty() => Heard::Other(format!("a snapshot of {device:?} alone")),
        Some("SnapshotEvent") => {
            let view = match text("pyAgentState").as_str() {
                "Logout" => View::Out,
                "Ready" => View::Ready,
                "Busy" => View::OnCall,
                _ => View::NotReady,
            };
            agent_is(agent, device, Some(view), reason, true)
        }
        Some("AgentStateEvent") => {
            let is_busy = text("pyWorkMode") == "BUSY";
            let view = match text("pyEventName").as_str() {
                "Login" => None,
                "Logout" => Some(View::Out),
                _ if is_busy => Some(View::OnCall),
                "Ready" => Some(View::Ready),
                _ => Some(View::NotReady),
            };
            agent_is(agent, device, view, reason, false)
        }
        Some("CallStateEvent") => {
            let call = text("pyCallId").parse().unwrap_or(0);
            Heard::Call { by: Source::Device(device), call, step: CallStep::Went }
        }
        other => Heard::Other(format!("{} at {device}", other.unwrap_or("nothing"))),
    }));
}

fn agent_is(agent: String, device: String, view: Option<View>, reason: u16, is_snapshot: bool) -> Heard {
    let reason = if view == Some(View::NotReady) { reason } else { 0 };
    Heard::Agent { by: Source::Device(device.clone()), agent, device, view, reason, is_snapshot }
}
