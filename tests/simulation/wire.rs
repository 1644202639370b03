//! The network of a trial, and the part that `server::connection` plays in the gateway: one task a connection.
//!
//! Not here: what is said (`desk`, `crm`). Must hold: bytes arrive in order, cut anywhere; what a client does not read waits
//! at the gateway; what was on its way when a connection broke is lost.

use std::sync::{Arc, Weak};

use bytes::BytesMut;
use ctigate::dialects::{CloseReason, Conversation, Outbox};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::crm::Crm;
use super::desk::Desk;
use super::gateway::{Gateway, client_is_gone, now, what_is_due};
use super::story::Invariant;
use super::watch::Watch;
use super::words::{Ask, Heard};

/// A client's end of a connection.
pub struct Wire {
    pub line: usize,
    pub is_ged188: bool,
    /// Whom the client is about, if it is an agent's own.
    pub own: Option<String>,
    /// What the client has said and the network has not carried yet, and where in it each request ends.
    out: BytesMut,
    ends: Vec<(usize, u32)>,
    next_id: u32,
    /// It has said that it goes, and asks nothing more.
    has_left: bool,
    to_gateway: Option<mpsc::UnboundedSender<FromClient>>,
    client: Arc<Mutex<Client>>,
    /// The gateway's outbox: gone once the connection is.
    pub outbox: Weak<Outbox>,
    watch: Watch,
}

enum FromClient {
    Bytes(BytesMut, Vec<u32>),
    /// The client reads again.
    Reads,
}

/// What reads at the client's end.
struct Client {
    is_reading: bool,
    dialect: Speaks,
}

enum Speaks {
    Ged188(Desk),
    OpenCti(Crm),
}

impl Wire {
    pub fn connect(
        gateway: &Gateway,
        watch: &Watch,
        name: &str,
        is_ged188: bool,
        stopping: &CancellationToken,
    ) -> Wire {
        let line = watch.connects(name.to_owned());
        let (conversation, outbox) = gateway.accept(is_ged188);
        let (to_gateway, from_client) = mpsc::unbounded_channel();
        let dialect = if is_ged188 { Speaks::Ged188(Desk::default()) } else { Speaks::OpenCti(Crm::default()) };
        let client = Arc::new(Mutex::new(Client { is_reading: true, dialect }));
        let seen = Arc::downgrade(&outbox);
        let connection = Connection {
            line,
            conversation,
            outbox,
            from_client,
            half: BytesMut::new(),
            pending: BytesMut::new(),
            client: Arc::clone(&client),
            watch: watch.clone(),
            // What GED-188 clients ask here is never much at once.
            bytes_max: gateway.outbound_bytes_max * if is_ged188 { 1 } else { BACKLOG },
        };
        tokio::spawn(connection.run(stopping.clone()));
        Wire {
            line,
            is_ged188,
            own: None,
            out: BytesMut::new(),
            ends: Vec::new(),
            next_id: 0,
            has_left: false,
            to_gateway: Some(to_gateway),
            client,
            outbox: seen,
            watch: watch.clone(),
        }
    }

    /// Says something; the network has still to carry it.
    pub fn asks(&mut self, ask: &Ask) {
        if self.to_gateway.is_none() || self.has_left {
            return;
        }
        self.has_left = *ask == Ask::Close && self.is_ged188;
        self.next_id += 1;
        let id = self.next_id;
        match &self.client.lock().dialect {
            Speaks::Ged188(_) => Desk::write(id, ask, &mut self.out),
            Speaks::OpenCti(_) => Crm::write(id, ask, &self.watch, &mut self.out),
        }
        self.ends.push((self.out.len(), id));
        self.watch.asks(self.line, id, ask.clone());
    }

    /// How many bytes the network has to carry.
    pub fn on_its_way(&self) -> usize {
        self.out.len()
    }

    /// The network carries so many bytes.
    pub fn carries(&mut self, bytes: usize) {
        let bytes = bytes.min(self.out.len());
        if bytes == 0 {
            return;
        }
        let chunk = self.out.split_to(bytes);
        let whole: Vec<u32> = self.ends.iter().filter(|(end, _)| *end <= bytes).map(|(_, id)| *id).collect();
        self.ends.retain(|(end, _)| *end > bytes);
        self.ends.iter_mut().for_each(|(end, _)| *end -= bytes);
        if let Some(to_gateway) = &self.to_gateway {
            let _gone = to_gateway.send(FromClient::Bytes(chunk, whole));
        }
    }

    /// The connection breaks.
    pub fn breaks(&mut self) {
        self.to_gateway = None;
        self.out.clear();
    }

    pub fn is_broken(&self) -> bool {
        self.to_gateway.is_none()
    }

    pub fn reads(&mut self, is_reading: bool) {
        if self.watch.is_closed(self.line) || self.client.lock().is_reading == is_reading {
            return;
        }
        self.client.lock().is_reading = is_reading;
        self.watch.reads(self.line, is_reading);
        if let Some(to_gateway) = self.to_gateway.as_ref().filter(|_| is_reading) {
            let _gone = to_gateway.send(FromClient::Reads);
        }
    }
}

impl Client {
    fn hears(&mut self, bytes: &[u8]) -> Vec<Result<Heard, String>> {
        match &mut self.dialect {
            Speaks::Ged188(desk) => desk.hears(bytes),
            Speaks::OpenCti(crm) => crm.hears(bytes),
        }
    }
}

/// The gateway's end.
struct Connection {
    line: usize,
    conversation: Box<dyn Conversation>,
    outbox: Arc<Outbox>,
    from_client: mpsc::UnboundedReceiver<FromClient>,
    half: BytesMut,
    pending: BytesMut,
    client: Arc<Mutex<Client>>,
    watch: Watch,
    bytes_max: usize,
}

/// How many times its bound an OpenCTI session's outbox may have, with all its backlog.
const BACKLOG: usize = 5;

impl Connection {
    async fn run(mut self, stopping: CancellationToken) {
        let reason = self.serve(&stopping).await;
        self.conversation.close(&reason);
        let (is_done, is_heard) = what_is_due(&reason);
        if is_heard && self.outbox.take(&mut self.pending).is_ok() {
            self.hand_over();
        }
        let reads = self.client.lock().is_reading;
        self.watch.closes(self.line, reason.to_string(), is_done && reads);
    }

    async fn serve(&mut self, stopping: &CancellationToken) -> CloseReason {
        let mut is_stopping = false;
        loop {
            let deadline = self.conversation.next_deadline();
            let due = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                    None => std::future::pending().await,
                }
            };
            let mut asked = Vec::new();
            let done = tokio::select! {
                biased;
                () = stopping.cancelled(), if !is_stopping => {
                    is_stopping = true;
                    self.conversation.on_shutdown()
                }
                said = self.from_client.recv() => match said {
                    None => Err(client_is_gone()),
                    Some(FromClient::Reads) => Ok(()),
                    Some(FromClient::Bytes(bytes, whole)) => {
                        self.half.extend_from_slice(&bytes);
                        self.watch.is_delivered(self.line, &whole);
                        asked = whole;
                        self.conversation.on_bytes(now(), &mut self.half)
                    }
                },
                () = self.outbox.woken() => self.conversation.on_wake(),
                () = due => self.conversation.on_deadline(now()),
            };
            self.watch.is_taken(self.line, &asked);
            let flushed = self.flush();
            if done.is_ok() && flushed.is_ok() {
                self.watch.was_looked_at(self.line, &asked);
            }
            if let Err(reason) = done.and(flushed) {
                return reason;
            }
        }
    }

    fn flush(&mut self) -> Result<(), CloseReason> {
        let waiting = self.outbox.waiting();
        if waiting > self.bytes_max {
            let what = format!("{waiting} bytes wait for it, {} may", self.bytes_max);
            self.watch.breaks(self.line, Invariant::Bounded, what);
        }
        self.outbox.take(&mut self.pending)?;
        let had_bytes = !self.pending.is_empty();
        if self.client.lock().is_reading {
            self.hand_over();
        }
        if had_bytes {
            self.outbox.still_writing(self.pending.len());
        }
        Ok(())
    }

    fn hand_over(&mut self) {
        let heard = self.client.lock().hears(&self.pending);
        self.pending.clear();
        for heard in heard {
            match heard {
                Ok(heard) => self.watch.hears(self.line, heard),
                Err(what) => self.watch.breaks(self.line, Invariant::AnsweredOnce, what),
            }
        }
    }
}
