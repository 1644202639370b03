//! Call events in words, and requests about calls: what a client with call control sends and hears.

use cti_protocol::ged188::codes::{AgentState, CallMsgMask, ConnectionDeviceIdType, ServiceMask};
use cti_protocol::ged188::{
    AlternateCallReq, AnswerCallReq, AnyMessage, ClearConnectionReq, ConferenceCallReq, ConsultationCallReq,
    DeflectCallReq, HoldCallReq, MakeCallReq, OpenReq, ReconnectCallReq, ReleaseCallReq, RetrieveCallReq,
    SendDtmfSignalReq, SetCallDataReq, TransferCallReq,
};
use ctigate::acd::embedded::EmbeddedConfig;

use super::desk::{Desk, instrument_of, is_call_event, open_req, services_of_agent, services_of_bridge, text};
use super::house::TestHouse;

const STATIC: ConnectionDeviceIdType = ConnectionDeviceIdType::CONNECTION_ID_STATIC;
const NO_CALL: u32 = 0xffff_ffff;

/// A world where nobody picks up unless told to, and callers stay.
pub fn patient_world() -> EmbeddedConfig {
    let mut world = EmbeddedConfig::default();
    world.calls.auto_answer = false;
    world.calls.patience = std::time::Duration::from_secs(3_600);
    world.calls.ring_max = std::time::Duration::from_secs(600);
    world.calls.talk_min = std::time::Duration::from_secs(1_800);
    world.calls.talk_max = std::time::Duration::from_secs(1_800);
    world
}

/// An agent's own desktop, logged in and ready, all its events heard.
pub async fn ready_desk(house: &TestHouse, agent: &str) -> Desk {
    let mut desk = Desk::connected(house, 20);
    let services = ServiceMask(services_of_agent().0 | ServiceMask::CTI_SERVICE_CALL_DATA_UPDATE.0);
    desk.opens(OpenReq { agent_id: text(agent), ..open_req(&format!("desktop-{agent}"), services) }).await;
    desk.logs_in(agent).await;
    let ready = desk.asks(agent, AgentState::AGENT_STATE_AVAILABLE);
    desk.receives_confirm(ready).await;
    desk.receives_event(agent, AgentState::AGENT_STATE_AVAILABLE).await;
    desk
}

/// A client that hears of all calls and of nothing else.
pub async fn call_watcher(house: &TestHouse) -> Desk {
    let mut desk = Desk::connected(house, 20);
    let mut request = open_req("bridge", services_of_bridge());
    request.agent_state_mask.0 = 0;
    request.call_msg_mask =
        CallMsgMask(!(CallMsgMask::AGENT_PRE_CALL_MASK.0 | CallMsgMask::AGENT_PRE_CALL_ABORT_MASK.0));
    desk.opens(request).await;
    desk.receives_system_event().await;
    desk
}

impl Desk {
    /// All that has come, in words.
    pub async fn hears(&mut self) -> Vec<String> {
        // Whatever is on its way gets there first.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        self.wakes();
        let mut words = Vec::new();
        while let Some(message) = self.has_received() {
            words.push(in_words(&message));
        }
        words
    }

    fn asks_about_call(&mut self, message: impl FnOnce(u32) -> AnyMessage) -> u32 {
        let invoke_id = self.next_invoke_id();
        self.sends(message(invoke_id));
        invoke_id
    }

    pub fn answers(&mut self, call: u32, device: &str) -> u32 {
        self.asks_about_call(|invoke_id| {
            AnswerCallReq {
                invoke_id,
                connection_call_id: call,
                connection_device_id: text(device),
                ..Default::default()
            }
            .into()
        })
    }

    pub fn holds(&mut self, call: u32, device: &str) -> u32 {
        self.asks_about_call(|invoke_id| {
            HoldCallReq {
                invoke_id,
                connection_call_id: call,
                connection_device_id: text(device),
                ..Default::default()
            }
            .into()
        })
    }

    pub fn sends_tones(&mut self, call: u32, device: &str, tones: &str) -> u32 {
        self.asks_about_call(|invoke_id| {
            SendDtmfSignalReq {
                invoke_id,
                connection_call_id: call,
                connection_device_id: text(device),
                dtmf_string: text(tones),
                ..Default::default()
            }
            .into()
        })
    }

    pub fn retrieves(&mut self, call: u32, device: &str) -> u32 {
        self.asks_about_call(|invoke_id| {
            RetrieveCallReq {
                invoke_id,
                held_connection_call_id: call,
                held_connection_device_id: text(device),
                ..Default::default()
            }
            .into()
        })
    }

    pub fn clears(&mut self, call: u32, device: &str) -> u32 {
        self.asks_about_call(|invoke_id| {
            ClearConnectionReq {
                invoke_id,
                connection_call_id: call,
                connection_device_id: text(device),
                ..Default::default()
            }
            .into()
        })
    }

    pub fn makes_call(&mut self, from: &str, to: &str) -> u32 {
        self.asks_about_call(|invoke_id| {
            MakeCallReq { invoke_id, agent_instrument: text(from), dialed_number: text(to), ..Default::default() }
                .into()
        })
    }

    pub fn consults(&mut self, call: u32, device: &str, to: &str) -> u32 {
        self.asks_about_call(|invoke_id| {
            ConsultationCallReq {
                invoke_id,
                active_connection_call_id: call,
                active_connection_device_id: text(device),
                dialed_number: text(to),
                ..Default::default()
            }
            .into()
        })
    }

    pub fn transfers(&mut self, active: u32, held: u32, device: &str) -> u32 {
        self.asks_about_call(|invoke_id| {
            TransferCallReq {
                invoke_id,
                active_connection_call_id: active,
                held_connection_call_id: held,
                active_connection_device_id: text(device),
                held_connection_device_id: text(device),
                ..Default::default()
            }
            .into()
        })
    }

    pub fn transfers_blindly(&mut self, call: u32, device: &str, to: &str) -> u32 {
        self.asks_about_call(|invoke_id| {
            TransferCallReq {
                invoke_id,
                active_connection_call_id: call,
                held_connection_call_id: NO_CALL,
                held_connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_NONE,
                active_connection_device_id: text(device),
                dialed_number: text(to),
                ..Default::default()
            }
            .into()
        })
    }

    pub fn confers(&mut self, active: u32, held: u32, device: &str) -> u32 {
        self.asks_about_call(|invoke_id| {
            ConferenceCallReq {
                invoke_id,
                active_connection_call_id: active,
                held_connection_call_id: held,
                active_connection_device_id: text(device),
                held_connection_device_id: text(device),
                ..Default::default()
            }
            .into()
        })
    }

    pub fn alternates(&mut self, active: u32, other: u32, device: &str) -> u32 {
        self.asks_about_call(|invoke_id| {
            AlternateCallReq {
                invoke_id,
                active_connection_call_id: active,
                other_connection_call_id: other,
                active_connection_device_id: text(device),
                other_connection_device_id: text(device),
                ..Default::default()
            }
            .into()
        })
    }

    pub fn reconnects(&mut self, active: u32, held: u32, device: &str) -> u32 {
        self.asks_about_call(|invoke_id| {
            ReconnectCallReq {
                invoke_id,
                active_connection_call_id: active,
                held_connection_call_id: held,
                active_connection_device_id: text(device),
                held_connection_device_id: text(device),
                ..Default::default()
            }
            .into()
        })
    }

    pub fn deflects(&mut self, call: u32, device: &str, to: &str) -> u32 {
        self.asks_about_call(|invoke_id| {
            DeflectCallReq {
                invoke_id,
                connection_call_id: call,
                connection_device_id: text(device),
                called_device_id: text(to),
                ..Default::default()
            }
            .into()
        })
    }

    pub fn releases(&mut self, call: u32, device: &str) -> u32 {
        self.asks_about_call(|invoke_id| {
            ReleaseCallReq {
                invoke_id,
                connection_device_id_type: STATIC,
                connection_call_id: call,
                connection_device_id: text(device),
                ..Default::default()
            }
            .into()
        })
    }

    pub fn sets_data(&mut self, call: u32, device: &str, change: impl FnOnce(&mut SetCallDataReq)) -> u32 {
        self.asks_about_call(|invoke_id| {
            let mut request = SetCallDataReq {
                invoke_id,
                connection_device_id_type: STATIC,
                connection_call_id: call,
                connection_device_id: text(device),
                ..Default::default()
            };
            change(&mut request);
            request.into()
        })
    }
}

/// The device of a desk's agent, for short.
pub fn at(agent: &str) -> String {
    instrument_of(agent)
}

/// A message in words: what a step is, of which call, seen from where, and what it is about.
pub fn in_words(message: &AnyMessage) -> String {
    let name = message.name().unwrap_or("?").trim_end_matches("_EVENT");
    match message {
        AnyMessage::AgentStateEvent(event) => {
            let state = format!("{:?}", event.agent_state);
            format!("agent {}", state.trim_start_matches("AGENT_STATE_"))
        }
        AnyMessage::AgentPreCallEvent(_) => "PRE_CALL".to_owned(),
        AnyMessage::AgentPreCallAbortEvent(_) => "PRE_CALL_ABORT".to_owned(),
        message if is_call_event(message) => {
            let fields = message.to_json(cti_protocol::ged188::Version::LATEST);
            let field = |name: &str| fields.get(name).map(|value| value.to_string().replace('"', ""));
            let call = field("ConnectionCallID").or_else(|| field("PrimaryCallID")).unwrap_or_default();
            let at = field("ConnectionDeviceID").or_else(|| field("PrimaryDeviceID")).unwrap_or_default();
            let mut words = format!("{name} {call}@{at}");
            if let Some(state) = field("LocalConnectionState") {
                words += &format!(" lcs {state}");
            }
            if let Some(cause) = field("EventCause").filter(|cause| cause != "65535") {
                words += &format!(" cause {cause}");
            }
            if let Some(new) = field("NewConnectionCallID").filter(|new| *new != call) {
                words += &format!(" now {new}");
            }
            if let Some(second) = field("SecondaryCallID") {
                words += &format!(" with {second}");
            }
            words
        }
        other => format!("{} {:?}", name.trim_end_matches("_CONF"), other.invoke_id().unwrap_or_default()),
    }
}
