//! A gateway whose connections' ends are heard: each with its one reason.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use ctigate::acd::Peripheral;
use ctigate::acd::embedded::EmbeddedConfig;
use ctigate::config::{Config, DialectName, ListenerConfig, Transport};
use ctigate::dialects::ged188::Ged188;
use ctigate::dialects::opencti::{OpenCti, Sessions};
use ctigate::dialects::{CloseReason, Conversation, Departed, Dialect, Outbox, Page, Peer};
use ctigate::server::Gateway;
use tokio::sync::mpsc;

use super::acd::HeldAcd;
use super::house::PERIPHERAL;
use super::wire::Served;

/// The reasons for which connections ended, in words.
pub struct Reasons(mpsc::UnboundedReceiver<String>);

/// A reason that should come comes long before this.
const PATIENCE: Duration = Duration::from_secs(20);

impl Reasons {
    pub async fn next(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.0.recv()).await.expect("the end of a connection").expect("a gateway")
    }

    /// One that is there already.
    pub fn any(&mut self) -> Option<String> {
        self.0.try_recv().ok()
    }
}

/// Three listeners: GED-188, OpenCTI, and OpenCTI over WebSocket.
pub async fn overheard(change: impl FnOnce(&mut Config)) -> (Served, Reasons) {
    let mut config = Config::default();
    let listener = |dialect, transport| {
        let address = "127.0.0.1:0".parse().unwrap();
        ListenerConfig { dialect, transport, address, ..ListenerConfig::default() }
    };
    config.listeners = vec![
        listener(DialectName::Ged188, Transport::Tcp),
        listener(DialectName::Opencti, Transport::Tcp),
        listener(DialectName::Opencti, Transport::Websocket),
    ];
    change(&mut config);
    let acd = HeldAcd::new(EmbeddedConfig::default());
    let peripheral = Peripheral { id: PERIPHERAL, acd: Arc::<HeldAcd>::clone(&acd) as _ };
    let (told, reasons) = mpsc::unbounded_channel();
    let sessions = Sessions::default();
    let gateway = Gateway::start_speaking(config, vec![peripheral], move |house, gate, config, listener| {
        let (house, gate) = (Arc::clone(house), Arc::clone(gate));
        let inner: Arc<dyn Dialect> = match listener.dialect {
            DialectName::Ged188 => Arc::new(Ged188::new(house, gate, config, listener)),
            DialectName::Opencti => Arc::new(OpenCti::new(house, gate, config, listener, sessions.clone())),
        };
        Arc::new(Overheard { inner, told: told.clone() })
    });
    let gateway = gateway.await.expect("a gateway that starts");
    let address = gateway.listeners()[0].1;
    (Served { gateway, acd, address }, Reasons(reasons))
}

#[derive(Debug)]
struct Overheard {
    inner: Arc<dyn Dialect>,
    told: mpsc::UnboundedSender<String>,
}

impl Dialect for Overheard {
    fn converse(self: Arc<Self>, peer: Peer, outbox: Arc<Outbox>, now: Instant) -> Box<dyn Conversation> {
        let inner = Arc::clone(&self.inner).converse(peer, outbox, now);
        Box::new(OverheardConversation { inner, told: self.told.clone() })
    }

    fn turn_away(&self, reason: &CloseReason) -> Bytes {
        self.inner.turn_away(reason)
    }

    fn page(&self, path: &str) -> Option<Page> {
        self.inner.page(path)
    }
}

struct OverheardConversation {
    inner: Box<dyn Conversation>,
    told: mpsc::UnboundedSender<String>,
}

impl Conversation for OverheardConversation {
    fn peer(&self) -> SocketAddr {
        self.inner.peer()
    }

    fn on_bytes(&mut self, now: Instant, read: &mut BytesMut) -> Result<(), CloseReason> {
        self.inner.on_bytes(now, read)
    }

    fn on_wake(&mut self) -> Result<(), CloseReason> {
        self.inner.on_wake()
    }

    fn on_deadline(&mut self, now: Instant) -> Result<(), CloseReason> {
        self.inner.on_deadline(now)
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.inner.next_deadline()
    }

    fn on_shutdown(&mut self) -> Result<(), CloseReason> {
        self.inner.on_shutdown()
    }

    fn close(&mut self, reason: &CloseReason) -> Departed {
        let departed = self.inner.close(reason);
        let _ = self.told.send(reason.to_string());
        departed
    }
}
