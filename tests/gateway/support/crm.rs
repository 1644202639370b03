//! A scripted CRM node without a socket: requests go to an OpenCTI session's state machine as lines, answers and events
//! come out of its outbox, each checked against the published schema and for its number. Time is virtual.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use ctigate::dialects::{CloseReason, Conversation, Dialect, Outbox};
use serde_json::{Value, json};

use super::house::TestHouse;
use super::schema::{assert_is_request, assert_is_server_message};

/// One connection of a CRM node.
pub struct Crm {
    conversation: Box<dyn Conversation>,
    pub outbox: Arc<Outbox>,
    received: BytesMut,
    /// Events that came while something else was waited for.
    pub events: VecDeque<Value>,
    /// The number of the last event.
    pub seq: u64,
    next_id: u64,
    pub closed: Option<CloseReason>,
}

/// How long a client waits for a message, in virtual time, before the test fails.
const PATIENCE: Duration = Duration::from_secs(600);

impl Crm {
    /// Connected, nothing said yet.
    pub fn connected(house: &TestHouse) -> Crm {
        let outbox = Outbox::new(house.outbound_bytes_max);
        let peer: std::net::SocketAddr = "127.0.0.1:1".parse().unwrap();
        let now = tokio::time::Instant::now().into_std();
        let dialect: Arc<dyn Dialect> = Arc::<ctigate::dialects::opencti::OpenCti>::clone(&house.opencti) as _;
        let conversation = dialect.converse(peer.into(), Arc::clone(&outbox), now);
        Crm {
            conversation,
            outbox,
            received: BytesMut::new(),
            events: VecDeque::new(),
            seq: 0,
            next_id: 0,
            closed: None,
        }
    }

    /// With a session of its own.
    pub async fn open(house: &TestHouse) -> Crm {
        Crm::open_as(house, "crm").await.0
    }

    /// With a session of that identity; and what Hello was answered.
    pub async fn open_as(house: &TestHouse, identity: &str) -> (Crm, Value) {
        let mut crm = Crm::connected(house);
        let welcome = crm.succeeds(json!({"activity": "Hello", "protocolVersion": 1, "identity": identity})).await;
        (crm, welcome)
    }

    /// With the session of a connection that was lost; and what Hello was answered.
    pub async fn resume(house: &TestHouse, session: &str, seq: u64) -> (Crm, Value) {
        let mut crm = Crm::connected(house);
        crm.seq = seq;
        let resume = json!({"session": session, "seq": seq});
        let hello = json!({"activity": "Hello", "protocolVersion": 1, "identity": "crm", "resume": resume});
        let id = crm.sends(hello);
        let welcome = crm.receives_message().await;
        assert_eq!((&welcome["id"], &welcome["ok"]), (&json!(id), &json!(true)), "{welcome}");
        crm.seq = welcome["seq"].as_u64().unwrap();
        (crm, welcome)
    }

    /// Sends a request with an id of its own.
    pub fn sends(&mut self, request: Value) -> u64 {
        self.next_id += 1;
        let mut request = request;
        request["id"] = json!(self.next_id);
        assert_is_request(&request);
        self.sends_text(&format!("{request}\n"));
        self.next_id
    }

    pub fn sends_text(&mut self, text: &str) {
        self.sends_bytes(text.as_bytes());
    }

    /// What the server's connection does: what is not taken waits.
    pub fn sends_bytes(&mut self, bytes: &[u8]) {
        let now = tokio::time::Instant::now().into_std();
        let mut read = BytesMut::from(bytes);
        if let Err(reason) = self.conversation.on_bytes(now, &mut read) {
            self.is_closed(reason);
        }
    }

    /// Sends bytes as they come in from a socket, with what earlier ones left.
    pub fn sends_piece(&mut self, half: &mut BytesMut, bytes: &[u8]) {
        half.extend_from_slice(bytes);
        let now = tokio::time::Instant::now().into_std();
        if let Err(reason) = self.conversation.on_bytes(now, half) {
            self.is_closed(reason);
        }
    }

    /// Shows a sign of life that its transport has.
    pub fn pings(&mut self) {
        if let Err(reason) = self.conversation.on_ping(tokio::time::Instant::now().into_std()) {
            self.is_closed(reason);
        }
    }

    /// Sends a request and reads up to its answer; events on the way wait.
    pub async fn asks(&mut self, request: Value) -> Value {
        let id = json!(self.sends(request));
        loop {
            let message = self.receives_message().await;
            match message.get("id") {
                Some(answered) => {
                    assert_eq!(*answered, id, "{message}");
                    return message;
                }
                None => self.events.push_back(message),
            }
        }
    }

    /// Asks, and it is done: an answer without a status and without any property but its own.
    pub async fn succeeds(&mut self, request: Value) -> Value {
        let is_hello = request["activity"] == "Hello";
        let answer = self.asks(request).await;
        assert_eq!(answer["ok"], true, "{answer}");
        if !is_hello {
            assert_eq!(answer.as_object().unwrap().len(), 2, "nothing but id and ok: {answer}");
        }
        answer
    }

    /// Asks, and it is not done; gives code and message.
    pub async fn fails(&mut self, request: Value) -> (String, String) {
        let answer = self.asks(request).await;
        assert_eq!(answer["Status"], "Fail", "{answer}");
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        (text("code"), text("StatusMessage"))
    }

    /// The next answer or notice or event, whatever it is.
    pub async fn receives_message(&mut self) -> Value {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(message) = self.has_received() {
                    return message;
                }
                self.outbox.woken().await;
                self.wakes();
            }
        });
        waited.await.expect("a message, which did not come")
    }

    /// The next event.
    pub async fn receives_event(&mut self) -> Value {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        let message = self.receives_message().await;
        assert!(message.get("seq").is_some(), "an event expected, got {message}");
        message
    }

    /// The next event, which has these fields.
    pub async fn receives(&mut self, fields: Value) -> Value {
        let event = self.receives_event().await;
        for (name, value) in fields.as_object().unwrap() {
            assert_eq!(event[name], *value, "{name} of {event}");
        }
        event
    }

    /// Nothing is there, and nothing more comes while the world has nothing left to do for a second.
    pub async fn receives_nothing(&mut self) {
        assert!(self.events.is_empty(), "nothing expected: {:?}", self.events);
        if let Ok(message) = tokio::time::timeout(Duration::from_secs(1), self.receives_message()).await {
            panic!("nothing expected, got {message}");
        }
    }

    /// What has come and was not looked at yet, without waiting. Events have to be numbered without a gap.
    pub fn has_received(&mut self) -> Option<Value> {
        let mut bytes = BytesMut::new();
        self.outbox.take(&mut bytes).expect("a client that keeps up");
        self.received.extend_from_slice(&bytes);
        self.outbox.still_writing(0);
        let end = self.received.iter().position(|byte| *byte == b'\n')?;
        let line = self.received.split_to(end + 1);
        let message: Value = serde_json::from_slice(&line).expect("a line of JSON");
        assert_is_server_message(&message);
        if let Some(seq) = message.get("seq").filter(|_| message.get("id").is_none()) {
            self.seq += 1;
            assert_eq!(*seq, json!(self.seq), "events are numbered without a gap: {message}");
        }
        Some(message)
    }

    /// Does what the connection's task does when it is woken.
    pub fn wakes(&mut self) {
        if self.closed.is_none()
            && let Err(reason) = self.conversation.on_wake()
        {
            self.is_closed(reason);
        }
    }

    /// Time passes, and the connection looks whether something is due.
    pub async fn lets_pass(&mut self, time: Duration) {
        tokio::time::advance(time).await;
        if let Err(reason) = self.conversation.on_deadline(tokio::time::Instant::now().into_std()) {
            self.is_closed(reason);
        }
    }

    pub fn gateway_shuts_down(&mut self) {
        if let Err(reason) = self.conversation.on_shutdown() {
            self.is_closed(reason);
        }
    }

    /// The connection is lost.
    pub fn drops(mut self) {
        self.conversation.close(&CloseReason::ClientGone);
    }

    fn is_closed(&mut self, reason: CloseReason) {
        if self.closed.is_none() {
            self.conversation.close(&reason);
            self.closed = Some(reason);
        }
    }

    /// Logs an agent of the default world in, and reads all that this brings.
    pub async fn logs_in(&mut self, agent: &str) {
        self.succeeds(login(agent)).await;
        self.receives(json!({"pyEventType": "AgentStateEvent", "pyEventName": "Login", "pyAgentId": agent})).await;
        self.receives(json!({"pyEventType": "AgentStateEvent", "pyEventName": "NotReady", "pyAgentId": agent})).await;
        self.receives(json!({"pyEventType": "SnapshotEvent", "pyAgentState": "NotReady", "pyAgentId": agent})).await;
    }
}

/// What logs an agent of the default world in at its own device.
pub fn login(agent: &str) -> Value {
    json!({
        "activity": "LoginAgent",
        "AgentID": agent,
        "AgentPassword": format!("pw{agent}"),
        "DN": super::desk::instrument_of(agent),
    })
}

/// What logs an agent out.
pub fn logout(agent: &str) -> Value {
    json!({"activity": "LogoutAgent", "AgentID": agent})
}
