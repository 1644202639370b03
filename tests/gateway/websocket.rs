//! WebSocket listeners on real sockets: handshake, refusals, pages, messages and lines, limits, and how it ends.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use ctigate::acd::Peripheral;
use ctigate::acd::embedded::EmbeddedConfig;
use ctigate::config::{Config, DialectName, Transport};
use ctigate::dialects::{CloseReason, Conversation, Departed, Dialect, Outbox, Page, Peer};
use ctigate::server::Gateway;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes as Payload, Error, Message};

use crate::support::acd::HeldAcd;
use crate::support::house::PERIPHERAL;

#[tokio::test]
async fn messages_go_in_and_come_out() {
    let served = served(|_| ()).await;
    for path in ["/", "/opencti"] {
        let mut client = served.client(path).await;
        for text in ["{\"id\":1}", "", "{\"name\":\"Zoë 電話\"}"] {
            client.says(text).await;
            assert_eq!(client.hears().await, text);
        }
    }
}

#[tokio::test]
async fn what_comes_right_behind_the_handshake_is_heard() {
    let served = served(|_| ()).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = handshake_of(served.address, "");
    let hello = [0x81, 0x85, 0, 0, 0, 0, b'h', b'e', b'l', b'l', b'o'];
    stream.write_all(&[head.as_bytes(), &hello].concat()).await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"\x81\x05hello") {
        assert_ne!(within(stream.read_buf(&mut read)).await.unwrap(), 0, "{}", read.escape_ascii());
    }
    assert!(read.starts_with(b"HTTP/1.1 101 "));
}

#[tokio::test]
async fn a_message_in_pieces_is_one_message() {
    let served = served(|_| ()).await;
    let mut client = served.client("/").await;
    let pieces = [(Data::Text, "{\"a\":", false), (Data::Continue, "1", false), (Data::Continue, "}", true)];
    for (opcode, piece, is_last) in pieces {
        let frame = Frame::message(piece.to_owned(), OpCode::Data(opcode), is_last);
        client.socket.send(Message::Frame(frame)).await.unwrap();
        client.socket.send(Message::Ping(Payload::new())).await.unwrap(); // may come between the pieces
    }
    assert_eq!(client.hears().await, "{\"a\":1}");
}

#[tokio::test]
async fn line_breaks_do_not_make_two_messages_of_one() {
    let served = served(|_| ()).await;
    let mut client = served.client("/").await;
    client.says("{\r\n  \"a\": 1\n}\n").await;
    assert_eq!(client.hears().await, "{    \"a\": 1 } ");
    client.says("{\"id\":1}\n{\"id\":2}").await;
    assert_eq!(client.hears().await, "{\"id\":1} {\"id\":2}");
    client.says("next").await;
    assert_eq!(client.hears().await, "next");
}

#[tokio::test]
async fn many_lines_at_once_come_out_as_many_messages_in_order() {
    let served = served(|_| ()).await;
    let mut client = served.client("/").await;
    client.says("count 20000").await;
    for number in 1..=20_000 {
        assert_eq!(client.hears().await, number.to_string());
    }
}

#[tokio::test]
async fn a_ping_is_answered() {
    let served = served(|_| ()).await;
    let mut client = served.client("/").await;
    client.socket.send(Message::Ping(Payload::from_static(b"there?"))).await.unwrap();
    assert_eq!(client.receives().await.unwrap(), Message::Pong(Payload::from_static(b"there?")));
}

#[tokio::test]
async fn pings_are_told_to_the_conversation_which_may_have_enough_of_them() {
    let served = served(|_| ()).await;
    let mut client = served.client("/").await;
    let ping = Message::Ping(Payload::from_static(b"there?"));
    for _ in 0..3 {
        client.socket.send(ping.clone()).await.unwrap();
        assert!(matches!(client.receives().await.unwrap(), Message::Pong(_)));
    }
    client.socket.send(ping).await.unwrap();
    let closed = loop {
        if let Message::Close(closed) = client.receives().await.unwrap() {
            break closed.expect("a reason");
        }
    };
    assert_eq!(closed.code, CloseCode::Policy);
}

#[tokio::test]
async fn pages_from_elsewhere_may_not_connect() {
    let served = served(|_| ()).await;
    let own = format!("http://{}", served.address);
    assert!(served.connects("/", &[("origin", &own)]).await.is_ok());
    for origin in ["http://evil.example", "null"] {
        let (status, why) = served.connects("/", &[("origin", origin)]).await.unwrap_err();
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert_eq!(why.lines().count(), 1, "{why}");
    }
}

#[tokio::test]
async fn a_name_that_was_made_to_point_here_does_not_help_a_page() {
    let served = served(|_| ()).await;
    let name = format!("evil.example:{}", served.address.port());
    let headers = [("origin", &*format!("http://{name}")), ("host", &*name)];
    assert_eq!(served.connects("/", &headers).await.unwrap_err().0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn listed_pages_may_connect_and_no_others() {
    let served = served(|config| config.listeners[0].origins = vec!["https://crm.example".to_owned()]).await;
    assert!(served.connects("/", &[("origin", "https://crm.example")]).await.is_ok());
    assert!(served.connects("/", &[]).await.is_ok(), "not a browser");
    let own = format!("http://{}", served.address);
    for origin in ["http://crm.example", "https://crm.example.evil.example", &own] {
        assert_eq!(served.connects("/", &[("origin", origin)]).await.unwrap_err().0, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn handshakes_that_are_none_are_refused() {
    let served = served(|_| ()).await;
    for (from, to, status) in [
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", "426"),
        ("Upgrade: websocket", "Upgrade: h2c", "426"),
        ("Connection: Upgrade", "Connection: close", "426"),
        ("HTTP/1.1", "HTTP/1.0", "426"),
        ("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Key: no", "400"),
        ("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", "", "400"),
        ("GET /", "what is this", "400"),
    ] {
        let answer = served.asks(&handshake_of(served.address, "").replace(from, to)).await;
        assert_eq!(answer.split(' ').nth(1), Some(status), "{to}: {answer}");
    }
    let endless = format!("X-Long: {}\r\n", "x".repeat(64 * 1024));
    let answer = served.asks(&handshake_of(served.address, &endless)).await;
    assert!(!answer.contains(" 101 "), "{answer}");
}

#[tokio::test]
async fn browsers_are_given_the_dialects_pages_and_nothing_else() {
    let served = served(|_| ()).await;
    let of = |method: &str, path: &str| format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n\r\n", served.address);
    let page = served.asks(&of("GET", "/try?from=here")).await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.ends_with("\r\n\r\n<p>hello</p>"), "{page}");
    for header in [
        "content-type: text/html; charset=utf-8",
        "content-security-policy: default-src 'none';",
        "frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "connection: close",
    ] {
        assert!(page.contains(header), "{header} is missing: {page}");
    }
    for (method, path, status) in [
        ("GET", "/", "426"),
        ("GET", "/opencti", "426"),
        ("GET", "/nothing", "404"),
        ("GET", "/try/", "404"),
        ("GET", "/../etc/passwd", "404"),
        ("POST", "/try", "405"),
        ("DELETE", "/", "405"),
    ] {
        let answer = served.asks(&of(method, path)).await;
        assert_eq!(answer.split(' ').nth(1), Some(status), "{method} {path}: {answer}");
    }
    assert!(served.reasons_so_far().await.is_empty(), "no page is a conversation");
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_connection() {
    let served = served(|config| config.limits.message_bytes_max = 1_024).await;
    let mut client = served.client("/").await;
    let longest = "x".repeat(1_024);
    client.says(&longest).await;
    assert_eq!(client.hears().await, longest);
    client.says(&"x".repeat(1_025)).await;
    client.is_closed(CloseCode::Size, "a message is longer than the 1024 bytes that it may have").await;

    let mut client = served.client("/").await;
    for at in 0..3 {
        let opcode = if at == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message("x".repeat(500), OpCode::Data(opcode), false);
        client.socket.send(Message::Frame(frame)).await.unwrap();
    }
    client.is_closed(CloseCode::Size, "a message is longer than the 1024 bytes that it may have").await;
}

#[tokio::test]
async fn what_is_no_text_ends_the_connection() {
    let served = served(|_| ()).await;
    let mut client = served.client("/").await;
    client.socket.send(Message::Binary(Payload::from_static(b"{}"))).await.unwrap();
    client.is_closed(CloseCode::Unsupported, "a message is binary, and only text is spoken here").await;

    let mut client = served.client("/").await;
    let frame = Frame::message(Payload::from_static(b"\xff\xfe"), OpCode::Data(Data::Text), true);
    client.socket.send(Message::Frame(frame)).await.unwrap();
    assert_eq!(client.end().await.unwrap().code, CloseCode::Invalid);

    let mut client = served.client("/").await;
    client.socket.get_mut().write_all(b"\x81\x02{}").await.unwrap(); // not masked
    assert_eq!(client.end().await.unwrap().code, CloseCode::Protocol);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_ended_and_the_others_do_not_wait_for_it() {
    let served = served(|config| config.limits.outbound_bytes_max = 64 * 1_024).await;
    let deaf = served.client("/").await;
    let mut lively = served.client("/").await;
    let mut rounds = 0;
    let reason = loop {
        rounds += 1;
        assert!(rounds < 100_000, "the deaf client was never ended");
        lively.says("shout 8000").await;
        assert_eq!(lively.hears().await.len(), 8_000);
        if let Ok(reason) = served.reasons.lock().await.try_recv() {
            break reason;
        }
    };
    assert!(reason.starts_with("the client does not keep up: "), "{reason}");
    lively.says("still there").await;
    assert_eq!(lively.hears().await, "still there");
    drop(deaf);
}

#[tokio::test]
async fn a_client_that_reads_again_learns_why_it_was_ended() {
    let served = served(|config| config.limits.outbound_bytes_max = 16 * 1_024).await;
    let mut client = served.client("/").await;
    client.says("shout 20000").await;
    let last = client.end().await.unwrap();
    assert_eq!(last.code, CloseCode::Policy);
    assert!(last.reason.starts_with("the client does not keep up: "), "{last:?}");
}

#[tokio::test]
async fn shutting_down_says_so_to_everyone() {
    let served = served(|_| ()).await;
    let mut clients = [served.client("/").await, served.client("/opencti").await];
    let half_done = TcpStream::connect(served.address).await.unwrap();
    for client in &mut clients {
        client.says("there").await;
        assert_eq!(client.hears().await, "there");
    }
    let drained = tokio::spawn(served.gateway.drain());
    for client in &mut clients {
        client.is_closed(CloseCode::Away, "the gateway is shutting down").await;
    }
    drop(clients);
    within(drained).await.unwrap();
    drop(half_done);
}

#[tokio::test]
async fn a_handshake_that_is_never_done_is_ended() {
    let served = served(|config| config.timeouts.open = Duration::from_millis(200)).await;
    for half in ["", "GET / HTTP/1.1\r\nHost: here\r\n"] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(half.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        let _ = within(stream.read_to_end(&mut read)).await; // reset or closed, both are an end
        assert!(!read.starts_with(b"HTTP/1.1 101"));
    }
}

#[tokio::test]
async fn a_session_that_is_never_opened_is_ended() {
    let served = served(|config| config.timeouts.open = Duration::from_millis(200)).await;
    let mut client = served.client("/").await;
    client.is_closed(CloseCode::Policy, "no session was opened within 200ms").await;
}

#[tokio::test]
async fn how_a_client_leaves_is_told_to_its_conversation() {
    let served = served(|_| ()).await;
    let closed = "the client closed the session";
    let gone = "the connection ended without a goodbye";
    let away = CloseFrame { code: CloseCode::Away, reason: "".into() };
    let done = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    for (frame, expected) in [(Some(done), closed), (None, gone), (Some(away), gone)] {
        let mut client = served.client("/").await;
        client.socket.close(frame.clone()).await.unwrap();
        assert_eq!(client.end().await.map(|frame| frame.code), frame.map(|frame| frame.code), "the handshake's echo");
        assert_eq!(served.reason().await, expected);
    }
    drop(served.client("/").await);
    assert_eq!(served.reason().await, gone);
}

/// Says every line again; `count N` says N lines, `shout N` a line of N bytes to everybody.
#[derive(Debug)]
struct Echo {
    everybody: Mutex<Vec<Arc<Outbox>>>,
    reasons: mpsc::UnboundedSender<String>,
    open: Duration,
}

struct Echoing {
    echo: Arc<Echo>,
    peer: SocketAddr,
    outbox: Arc<Outbox>,
    opens_until: Option<Instant>,
    pings: usize,
}

impl Dialect for Echo {
    fn converse(self: Arc<Self>, peer: Peer, outbox: Arc<Outbox>, now: Instant) -> Box<dyn Conversation> {
        self.everybody.lock().unwrap().push(Arc::clone(&outbox));
        let opens_until = Some(now + self.open);
        Box::new(Echoing { echo: self, peer: peer.address, outbox, opens_until, pings: 0 })
    }

    fn page(&self, path: &str) -> Option<Page> {
        let body = Bytes::from_static(b"<p>hello</p>");
        (path == "/try").then_some(Page { content_type: "text/html; charset=utf-8", body })
    }
}

impl Echoing {
    fn say(outbox: &Outbox, line: &str) {
        outbox.add(|bytes| {
            bytes.extend_from_slice(line.as_bytes());
            bytes.extend_from_slice(b"\n");
        });
    }
}

impl Conversation for Echoing {
    fn peer(&self) -> SocketAddr {
        self.peer
    }

    fn on_ping(&mut self, _: Instant) -> Result<(), CloseReason> {
        self.pings += 1;
        if self.pings > 3 { Err(CloseReason::Flood { per_second: 3 }) } else { Ok(()) }
    }

    fn on_bytes(&mut self, _: Instant, read: &mut BytesMut) -> Result<(), CloseReason> {
        self.opens_until = None;
        assert_eq!(read.iter().filter(|byte| **byte == b'\n').count(), 1, "one message is one line");
        let read = read.split();
        let line = std::str::from_utf8(&read).unwrap().strip_suffix('\n').expect("a whole line");
        match line.split_once(' ') {
            Some(("count", lines)) => {
                for number in 1..=lines.parse().unwrap() {
                    Echoing::say(&self.outbox, &u32::to_string(&number));
                }
            }
            Some(("shout", bytes)) => {
                let shout = "!".repeat(bytes.parse().unwrap());
                self.echo.everybody.lock().unwrap().iter().for_each(|outbox| Echoing::say(outbox, &shout));
            }
            _ => Echoing::say(&self.outbox, line),
        }
        Ok(())
    }

    fn on_wake(&mut self) -> Result<(), CloseReason> {
        Ok(())
    }

    fn on_deadline(&mut self, now: Instant) -> Result<(), CloseReason> {
        match self.opens_until {
            Some(until) if until <= now => Err(CloseReason::NotOpened { waited: self.echo.open }),
            _ => Ok(()),
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.opens_until
    }

    fn on_shutdown(&mut self) -> Result<(), CloseReason> {
        Err(CloseReason::Shutdown)
    }

    fn close(&mut self, reason: &CloseReason) -> Departed {
        Echoing::say(&self.outbox, LAST_WORD);
        let _ = self.echo.reasons.send(reason.to_string());
        Departed::default()
    }
}

struct Served {
    gateway: Gateway,
    address: SocketAddr,
    /// Why each conversation ended.
    reasons: AsyncMutex<mpsc::UnboundedReceiver<String>>,
}

#[derive(Debug)]
struct Client {
    socket: WebSocketStream<TcpStream>,
}

const LAST_WORD: &str = "that was all";
/// What should come comes long before this.
const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway that echoes on a free port of the loopback.
async fn served(change: impl FnOnce(&mut Config)) -> Served {
    let mut config = Config::default();
    let listener = &mut config.listeners[0];
    listener.address = "127.0.0.1:0".parse().unwrap();
    listener.dialect = DialectName::Opencti;
    listener.transport = Transport::Websocket;
    change(&mut config);
    let acd = HeldAcd::new(EmbeddedConfig::default());
    let peripheral = Peripheral { id: PERIPHERAL, acd };
    let (told, reasons) = mpsc::unbounded_channel();
    let echo = Arc::new(Echo { everybody: Mutex::default(), reasons: told, open: config.timeouts.open });
    let spoken = Arc::clone(&echo);
    let speak = move |_: &_, _: &_, _: &_, _: &_| Arc::<Echo>::clone(&spoken) as _;
    let gateway = Gateway::start_speaking(config, vec![peripheral], speak).await;
    let gateway = gateway.expect("a gateway that starts");
    let address = gateway.listeners()[0].1;
    Served { gateway, address, reasons: AsyncMutex::new(reasons) }
}

impl Served {
    async fn client(&self, path: &str) -> Client {
        self.connects(path, &[]).await.expect("a handshake that is done")
    }

    /// A client, or the status and body that it was refused with.
    async fn connects(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<Client, (StatusCode, String)> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        match within(tokio_tungstenite::client_async(request, stream)).await {
            Ok((socket, answer)) => {
                assert!(!answer.headers().contains_key(header::SEC_WEBSOCKET_EXTENSIONS));
                Ok(Client { socket })
            }
            Err(Error::Http(answer)) => {
                let body = answer.body().clone().unwrap_or_default();
                Err((answer.status(), String::from_utf8(body).unwrap()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Everything that is answered to these bytes.
    async fn asks(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let _ = stream.write_all(request.as_bytes()).await; // may be refused before it is whole
        let mut answer = Vec::new();
        let _ = within(stream.read_to_end(&mut answer)).await;
        String::from_utf8(answer).unwrap()
    }

    /// Why the next conversation ended.
    async fn reason(&self) -> String {
        within(self.reasons.lock().await.recv()).await.unwrap()
    }

    async fn reasons_so_far(self) -> Vec<String> {
        within(self.gateway.drain()).await;
        let mut reasons = self.reasons.into_inner();
        std::iter::from_fn(|| reasons.try_recv().ok()).collect()
    }
}

impl Client {
    async fn says(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("a connection that takes messages");
    }

    async fn hears(&mut self) -> String {
        loop {
            match self.receives().await {
                Some(Message::Text(text)) => return text.to_string(),
                Some(Message::Pong(_)) => (),
                other => panic!("a text expected, got {other:?}"),
            }
        }
    }

    async fn receives(&mut self) -> Option<Message> {
        within(self.socket.next()).await.map(|message| message.expect("a sound frame"))
    }

    /// What the gateway's close frame says, whatever comes before it.
    async fn end(&mut self) -> Option<CloseFrame> {
        loop {
            if let Message::Close(frame) = self.receives().await.expect("a close frame") {
                return frame;
            }
        }
    }

    /// The last word comes before the close frame, and the connection's end behind it.
    async fn is_closed(&mut self, code: CloseCode, why: &str) {
        assert_eq!(self.hears().await, LAST_WORD);
        let last = self.end().await.expect("a close frame that says why");
        assert_eq!((last.code, last.reason.as_str()), (code, why));
        assert_eq!(self.receives().await, None);
    }
}

fn handshake_of(address: SocketAddr, more: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{more}\r\n"
    )
}

async fn within<T>(done: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, done).await.expect("what should come")
}
