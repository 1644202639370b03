//! GED-188, the Cisco CTI Server protocol: one client connection's state machine.
//!
//! Lives here: what a session may ask, and wire ⇄ model. Not here: the layout of messages (`cti_protocol`), the order in
//! which a login or logout goes (`operations`), sockets.
//! Must hold: every request gets exactly one answer; a frame that cannot be read costs its own answer and nothing else.

mod answers;
mod call_data;
mod call_requests;
mod call_snapshots;
mod calls;
mod configuration;
mod events;
mod face;
mod identity;
mod monitors;
mod names;
mod open;
mod requests;
mod session;
mod statistics;
mod supervision;
mod supervisor;

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use cti_protocol::ged188::{Flavour, MessageType, Version};

use crate::access::Gate;
use crate::config::{self, Config, ListenerConfig};
use crate::dialects::{CloseReason, Conversation, Dialect, Outbox, Peer};
use crate::observe::RequestCounts;
use crate::operations::House;

/// What the sessions of one listener share.
#[derive(Debug)]
pub struct Ged188 {
    house: Arc<House>,
    gate: Arc<Gate>,
    settings: ListenerConfig,
    flavour: Flavour,
    frame_bytes_max: usize,
    requests_in_flight_max: usize,
    requests_per_second_max: u32,
    monitors_max: usize,
    open_wait: std::time::Duration,
    requests: RequestCounts<MessageType>,
}

impl Ged188 {
    /// The dialect as one listener is configured to speak it.
    pub fn new(house: Arc<House>, gate: Arc<Gate>, config: &Config, listener: &ListenerConfig) -> Ged188 {
        Ged188 {
            requests: house
                .metrics
                .requests(DIALECT, ANSWERED.iter().filter_map(|message| Some((*message, message.name()?)))),
            house,
            gate,
            settings: listener.clone(),
            flavour: match listener.flavour {
                config::Flavour::Cce => Flavour::Cce,
                config::Flavour::Uccx => Flavour::Uccx,
            },
            frame_bytes_max: config.limits.frame_bytes_max,
            requests_in_flight_max: config.limits.requests_in_flight_max,
            requests_per_second_max: config.limits.requests_per_second_max,
            monitors_max: config.limits.monitors_max,
            open_wait: config.timeouts.open,
        }
    }
}

impl Dialect for Ged188 {
    fn converse(self: Arc<Self>, peer: Peer, outbox: Arc<Outbox>, now: Instant) -> Box<dyn Conversation> {
        Box::new(session::Client::new(self, peer, outbox, now))
    }

    /// How wide a tag is depends on the version, which nobody has named yet: nothing with a tag is said.
    fn turn_away(&self, reason: &CloseReason) -> Bytes {
        let mut out = BytesMut::new();
        if let Some(last_word) = answers::last_word(reason, false) {
            face::encode(&mut out, Version::LATEST, &last_word);
        }
        out.freeze()
    }
}

/// What sessions of this dialect call it.
const DIALECT: &str = "ged188";

/// The requests that a session answers, apart from refusing them.
pub const ANSWERED: &[MessageType] = &[
    MessageType::OPEN_REQ,
    MessageType::HEARTBEAT_REQ,
    MessageType::CLOSE_REQ,
    MessageType::CLIENT_EVENT_REPORT_REQ,
    MessageType::QUERY_AGENT_STATE_REQ,
    MessageType::SUPERVISE_CALL_REQ,
    MessageType::SET_AGENT_STATE_REQ,
    MessageType::QUERY_DEVICE_INFO_REQ,
    MessageType::MONITOR_START_REQ,
    MessageType::MONITOR_STOP_REQ,
    MessageType::CHANGE_MONITOR_MASK_REQ,
    MessageType::ALTERNATE_CALL_REQ,
    MessageType::ANSWER_CALL_REQ,
    MessageType::CLEAR_CALL_REQ,
    MessageType::CLEAR_CONNECTION_REQ,
    MessageType::CONFERENCE_CALL_REQ,
    MessageType::CONSULTATION_CALL_REQ,
    MessageType::DEFLECT_CALL_REQ,
    MessageType::HOLD_CALL_REQ,
    MessageType::MAKE_CALL_REQ,
    MessageType::RECONNECT_CALL_REQ,
    MessageType::RETRIEVE_CALL_REQ,
    MessageType::TRANSFER_CALL_REQ,
    MessageType::SEND_DTMF_SIGNAL_REQ,
    MessageType::SNAPSHOT_CALL_REQ,
    MessageType::SNAPSHOT_DEVICE_REQ,
    MessageType::SET_CALL_DATA_REQ,
    MessageType::RELEASE_CALL_REQ,
    MessageType::QUERY_AGENT_STATISTICS_REQ,
    MessageType::QUERY_SKILL_GROUP_STATISTICS_REQ,
    MessageType::LIST_AGENT_TEAM_REQ,
    MessageType::CONFIG_REQUEST_KEY_EVENT,
    MessageType::CONFIG_REQUEST_EVENT,
    MessageType::MONITOR_AGENT_TEAM_START_REQ,
    MessageType::MONITOR_AGENT_TEAM_STOP_REQ,
];

/// What a session is sent, besides the confirmations of those requests.
pub const SENT: &[MessageType] = &[
    MessageType::FAILURE_CONF,
    MessageType::FAILURE_EVENT,
    MessageType::AGENT_STATE_EVENT,
    MessageType::SYSTEM_EVENT,
    MessageType::CONTROL_FAILURE_CONF,
    MessageType::AGENT_PRE_CALL_EVENT,
    MessageType::AGENT_PRE_CALL_ABORT_EVENT,
    MessageType::BEGIN_CALL_EVENT,
    MessageType::END_CALL_EVENT,
    MessageType::CALL_DATA_UPDATE_EVENT,
    MessageType::CALL_DELIVERED_EVENT,
    MessageType::CALL_ESTABLISHED_EVENT,
    MessageType::CALL_HELD_EVENT,
    MessageType::CALL_RETRIEVED_EVENT,
    MessageType::CALL_CLEARED_EVENT,
    MessageType::CALL_CONNECTION_CLEARED_EVENT,
    MessageType::CALL_ORIGINATED_EVENT,
    MessageType::CALL_FAILED_EVENT,
    MessageType::CALL_CONFERENCED_EVENT,
    MessageType::CALL_TRANSFERRED_EVENT,
    MessageType::CALL_DIVERTED_EVENT,
    MessageType::CALL_SERVICE_INITIATED_EVENT,
    MessageType::CALL_QUEUED_EVENT,
    MessageType::CALL_DEQUEUED_EVENT,
    MessageType::AGENT_TEAM_CONFIG_EVENT,
    MessageType::CONFIG_KEY_EVENT,
    MessageType::CONFIG_BEGIN_EVENT,
    MessageType::CONFIG_END_EVENT,
    MessageType::CONFIG_SKILL_GROUP_EVENT,
    MessageType::CONFIG_AGENT_EVENT,
    MessageType::CONFIG_DEVICE_EVENT,
];

/// The time of day that the protocol's TIME fields hold: seconds since 1970, UTC.
fn time_of_day() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
}
