//! A CRM node on a real socket, TCP or WebSocket, that checks what it hears: the schema, and that no event is missing or
//! comes twice.

#![allow(dead_code, reason = "each binary of tests that has it uses a part of it")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::codec::{Framed, LinesCodec};

use super::schema::{assert_is_request, assert_is_server_message};

/// How a node connects.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    Tcp(SocketAddr),
    WebSocket(SocketAddr),
}

enum Line {
    Tcp(Framed<TcpStream, LinesCodec>),
    WebSocket(Box<WebSocketStream<TcpStream>>),
}

/// A node with a session that outlives its connections.
pub struct Node {
    way: Way,
    line: Option<Line>,
    session: Option<String>,
    next_id: u64,
    /// The number of the last event.
    pub seq: u64,
    /// Events that came while something else was waited for.
    pub events: VecDeque<Value>,
    /// How often a lost session was taken up with every event.
    pub resumed: u32,
}

/// What should come comes long before this.
const PATIENCE: Duration = Duration::from_secs(20);

impl Node {
    pub async fn connected(way: Way) -> Node {
        let mut node = Node { way, line: None, session: None, next_id: 0, seq: 0, events: VecDeque::new(), resumed: 0 };
        node.connects().await;
        node
    }

    /// Connects, and takes its session up if it had one.
    pub async fn connects(&mut self) {
        self.line = Some(match self.way {
            Way::Tcp(address) => Line::Tcp(Framed::new(stream(address).await, LinesCodec::new())),
            Way::WebSocket(address) => {
                let url = format!("ws://{address}/");
                let (websocket, _) = tokio_tungstenite::client_async(url, stream(address).await).await.unwrap();
                Line::WebSocket(Box::new(websocket))
            }
        });
        let mut hello = json!({"activity": "Hello", "protocolVersion": 1, "identity": "node"});
        if let Some(session) = &self.session {
            hello["resume"] = json!({"session": session, "seq": self.seq});
        }
        let id = self.sends(hello).await;
        let welcome = self.hears().await.expect("an answer to Hello");
        assert_eq!((&welcome["id"], &welcome["ok"]), (&json!(id), &json!(true)), "{welcome}");
        if self.session.is_some() {
            assert_eq!(welcome["resumed"], true, "{welcome}");
            self.resumed += 1;
        }
        self.session = Some(welcome["session"].as_str().unwrap().to_owned());
    }

    /// The cable is pulled: what was sent and not read is lost.
    pub fn is_cut(&mut self) {
        let Some(line) = self.line.take() else { return };
        let stream = match &line {
            Line::Tcp(framed) => framed.get_ref(),
            Line::WebSocket(websocket) => websocket.get_ref(),
        };
        SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    pub async fn sends(&mut self, mut request: Value) -> u64 {
        self.next_id += 1;
        request["id"] = json!(self.next_id);
        assert_is_request(&request);
        let text = request.to_string();
        match self.line.as_mut().expect("a connection") {
            Line::Tcp(framed) => framed.send(text).await.unwrap(),
            Line::WebSocket(websocket) => websocket.send(Message::text(text)).await.unwrap(),
        }
        self.next_id
    }

    /// Asks, reads up to the answer, and it is done.
    pub async fn succeeds(&mut self, request: Value) {
        let said = request.to_string();
        let answer = self.asks(request).await;
        assert_eq!(answer["ok"], true, "{answer} to {said}");
    }

    /// Asks, and reads up to the answer.
    pub async fn asks(&mut self, request: Value) -> Value {
        let id = self.sends(request).await;
        loop {
            let message = self.hears().await.expect("an answer");
            match message.get("id") {
                Some(answered) => {
                    assert_eq!(*answered, json!(id), "{message}");
                    return message;
                }
                None => self.events.push_back(message),
            }
        }
    }

    /// The next event.
    pub async fn hears_event(&mut self) -> Value {
        match self.events.pop_front() {
            Some(event) => event,
            None => self.hears().await.expect("an event"),
        }
    }

    /// The next answer or event; none at the end of the connection. Events have to be numbered without a gap.
    pub async fn hears(&mut self) -> Option<Value> {
        loop {
            let text = tokio::time::timeout(PATIENCE, self.text()).await.expect("a message, which did not come")?;
            let message: Value = serde_json::from_str(&text).expect("JSON");
            assert_is_server_message(&message);
            if message.get("id").is_none()
                && let Some(seq) = message.get("seq")
            {
                self.seq += 1;
                assert_eq!(*seq, json!(self.seq), "each event once, without a gap: {message}");
            }
            if message.get("notice").is_none() {
                return Some(message);
            }
        }
    }

    async fn text(&mut self) -> Option<String> {
        match self.line.as_mut().expect("a connection") {
            Line::Tcp(framed) => framed.next().await?.ok(),
            Line::WebSocket(websocket) => loop {
                match websocket.next().await?.ok()? {
                    Message::Text(text) => return Some(text.to_string()),
                    Message::Close(_) => return None,
                    _ => (),
                }
            },
        }
    }
}

async fn stream(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("a listening gateway");
    stream.set_nodelay(true).unwrap();
    stream
}
