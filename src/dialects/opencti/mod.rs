//! OpenCTI, the protocol of CRM desktops, as JSON lines: one client connection's state machine, and the sessions that
//! outlive their connections.
//!
//! Lives here: what a session may ask, what it is told, and how it is taken up again. Not here: the messages themselves
//! (`cti_protocol`), the order in which a login or logout goes (`operations`), sockets and WebSocket.
//! Must hold: every request gets exactly one answer; a message that cannot be read costs its own answer and nothing else;
//! a session's events are numbered without a gap, and whoever takes it up again gets each that is still kept exactly once.

mod answers;
mod call_events;
mod call_requests;
mod client;
mod hello;
mod names;
mod render;
mod requests;
mod session;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use cti_protocol::opencti::{Activity, Notice, NoticeName, ServerMessage};
use dashmap::DashMap;

use self::session::Session;
use crate::access::Gate;
use crate::config::{Config, ListenerConfig, ReasonConfig, SessionsConfig};
use crate::dialects::{CloseReason, Conversation, Dialect, Outbox, Page, Peer};
use crate::observe::RequestCounts;
use crate::operations::House;

/// What the sessions of one listener share.
#[derive(Debug)]
pub struct OpenCti {
    house: Arc<House>,
    gate: Arc<Gate>,
    settings: ListenerConfig,
    keeping: SessionsConfig,
    reasons: Vec<ReasonConfig>,
    message_bytes_max: usize,
    requests_in_flight_max: usize,
    requests_per_second_max: u32,
    devices_max: usize,
    open_wait: Duration,
    requests: RequestCounts<&'static str>,
    sessions: Sessions,
}

/// Every session of a gateway: whoever comes back may do so at another listener.
pub type Sessions = Arc<Registry>;

/// Every session of a gateway, and how many of them are without a connection.
#[derive(Default)]
pub struct Registry {
    by_token: DashMap<String, Arc<Session>>,
    lost: AtomicUsize,
}

impl fmt::Debug for Registry {
    /// Without the names by which sessions could be taken up.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("sessions", &self.by_token.len()).field("lost", &self.lost).finish()
    }
}

impl OpenCti {
    /// The dialect as one listener is configured to speak it.
    pub fn new(
        house: Arc<House>,
        gate: Arc<Gate>,
        config: &Config,
        listener: &ListenerConfig,
        sessions: Sessions,
    ) -> OpenCti {
        OpenCti {
            requests: house.metrics.requests(DIALECT, Activity::NAMES.iter().map(|name| (*name, *name))),
            house,
            gate,
            settings: listener.clone(),
            keeping: config.sessions.clone(),
            reasons: config.reasons.clone(),
            message_bytes_max: config.limits.message_bytes_max,
            requests_in_flight_max: config.limits.requests_in_flight_max,
            requests_per_second_max: config.limits.requests_per_second_max,
            devices_max: config.limits.monitors_max,
            open_wait: config.timeouts.open,
            sessions,
        }
    }
}

impl Dialect for OpenCti {
    fn converse(self: Arc<Self>, peer: Peer, outbox: Arc<Outbox>, now: Instant) -> Box<dyn Conversation> {
        Box::new(client::Client::new(self, peer, outbox, now))
    }

    fn turn_away(&self, reason: &CloseReason) -> Bytes {
        let mut out = BytesMut::new();
        ServerMessage::from(closed(reason)).write(&mut out);
        out.put_u8(b'\n');
        out.freeze()
    }

    fn page(&self, path: &str) -> Option<Page> {
        let is_there = path == "/schema.json" || self.settings.try_page;
        let (content_type, body) = match path {
            _ if !is_there => return None,
            "/schema.json" => {
                ("application/schema+json", Bytes::from(format!("{:#}\n", cti_protocol::opencti::schema())))
            }
            "/try" => ("text/html; charset=utf-8", Bytes::from_static(include_bytes!("try.html"))),
            "/try.js" => ("text/javascript; charset=utf-8", Bytes::from_static(include_bytes!("try.js"))),
            "/try.css" => ("text/css; charset=utf-8", Bytes::from_static(include_bytes!("try.css"))),
            _ => return None,
        };
        Some(Page { content_type, body })
    }
}

/// The last word to a client.
fn closed(reason: &CloseReason) -> Notice {
    Notice { notice: NoticeName::Closed, time: time_of_day(), message: Some(reason.to_string()) }
}

/// What sessions of this dialect call it.
const DIALECT: &str = "opencti";

/// The time of day as events say it: RFC 3339, UTC, milliseconds.
fn time_of_day() -> String {
    humantime::format_rfc3339_millis(std::time::SystemTime::now()).to_string()
}
