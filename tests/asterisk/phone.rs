//! A SIP phone without sound: registers, rings, answers, holds, retrieves, hangs up.

use std::time::Duration;

use md5::{Digest, Md5};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::rig::PATIENCE;

/// A phone that was registered; it is switched off when this is dropped, and Asterisk does not hear of it.
pub struct Phone {
    keys: mpsc::UnboundedSender<Key>,
    display: watch::Receiver<Display>,
    dialog: watch::Receiver<String>,
    task: JoinHandle<()>,
}

/// What the phone shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    Idle,
    Ringing,
    Talking,
    Holding,
    Unregistered,
}

/// What it does by itself with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    AnswersAfter(Duration),
    /// Until a key is pressed.
    Rings,
    Declines,
}

#[derive(Clone, Debug)]
enum Key {
    Answer,
    Decline,
    Hold,
    Retrieve,
    Bye,
    Refer(String),
    Unregister,
    Register,
}

impl Phone {
    /// A phone of Asterisk's, 3001 to 3003.
    pub async fn registered(sip_port: u16, user: &str, manners: Manners) -> Phone {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        socket.connect(("127.0.0.1", sip_port)).await.expect("the loopback");
        let (keys, pressed) = mpsc::unbounded_channel();
        let (shows, display) = watch::channel(Display::Unregistered);
        let (names, dialog) = watch::channel(String::new());
        let set = Set {
            port: socket.local_addr().expect("bound").port(),
            socket,
            user: user.to_owned(),
            manners,
            shows,
            names,
            sequence: 1,
            branch: 0,
            sdp: 1,
            call: None,
        };
        let phone = Phone { keys, display, dialog, task: tokio::spawn(set.works(pressed)) };
        phone.press(Key::Register);
        phone.shows(Display::Idle).await;
        phone
    }

    pub fn display(&self) -> Display {
        *self.display.borrow()
    }

    /// Waits until it shows that.
    pub async fn shows(&self, wanted: Display) {
        let mut display = self.display.clone();
        let shown = tokio::time::timeout(PATIENCE, display.wait_for(|shown| *shown == wanted)).await;
        match shown {
            Ok(shown) => drop(shown.expect("a phone that works")),
            Err(_) => panic!("the phone does not show {wanted:?} but {:?}", self.display()),
        }
    }

    pub async fn answers(&self) {
        self.press(Key::Answer);
        self.shows(Display::Talking).await;
    }

    pub async fn declines(&self) {
        self.press(Key::Decline);
        self.shows(Display::Idle).await;
    }

    pub async fn holds(&self) {
        self.press(Key::Hold);
        self.shows(Display::Holding).await;
    }

    pub async fn retrieves(&self) {
        self.press(Key::Retrieve);
        self.shows(Display::Talking).await;
    }

    pub async fn hangs_up(&self) {
        self.press(Key::Bye);
        self.shows(Display::Idle).await;
    }

    /// Brings its own call and the one of another line of the same device together, and is on neither after that.
    pub async fn joins(&self, line: &Phone, number: &str) {
        let dialog = line.dialog.borrow().clone();
        self.press(Key::Refer(format!("<sip:{number}@127.0.0.1?Replaces={dialog}>")));
        line.shows(Display::Idle).await;
        self.hangs_up().await;
    }

    pub async fn unregisters(&self) {
        self.press(Key::Unregister);
        self.shows(Display::Unregistered).await;
    }

    pub async fn registers_again(&self) {
        self.press(Key::Register);
        self.shows(Display::Idle).await;
    }

    fn press(&self, key: Key) {
        self.keys.send(key).expect("a phone that works");
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The phone itself.
struct Set {
    socket: UdpSocket,
    port: u16,
    user: String,
    manners: Manners,
    shows: watch::Sender<Display>,
    /// The dialog of its call, as another one names it that is to replace it.
    names: watch::Sender<String>,
    sequence: u32,
    branch: u32,
    sdp: u32,
    call: Option<Call>,
}

/// From its first ring to its end.
struct Call {
    invite: Sip,
    /// Our own end, with the tag.
    me: String,
    answers_at: Option<Instant>,
    /// What an INVITE of ours makes of the call once it is accepted.
    wanted: Option<(u32, Display)>,
}

/// A request or a response.
#[derive(Clone)]
struct Sip {
    first: String,
    headers: Vec<(String, String)>,
}

impl Sip {
    fn parsed(bytes: &[u8]) -> Sip {
        let text = String::from_utf8_lossy(bytes);
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        let mut lines = head.lines();
        let first = lines.next().unwrap_or_default().to_owned();
        let header =
            |line: &str| line.split_once(':').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
        Sip { first, headers: lines.filter_map(header).collect() }
    }

    fn get(&self, key: &str) -> &str {
        self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map_or("", |(_, value)| value)
    }

    fn sequence(&self) -> u32 {
        self.get("CSeq").split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
    }
}

impl Set {
    async fn works(mut self, mut pressed: mpsc::UnboundedReceiver<Key>) {
        loop {
            let answers_at = self.call.as_ref().and_then(|call| call.answers_at);
            let answers = async {
                match answers_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                message = receive(&self.socket) => self.hears(message).await,
                key = pressed.recv() => match key {
                    Some(key) => self.is_pressed(key).await,
                    None => return,
                },
                () = answers => self.answers().await,
            }
        }
    }

    async fn is_pressed(&mut self, key: Key) {
        match key {
            Key::Answer => self.answers().await,
            Key::Decline => self.ends_unanswered("603 Decline").await,
            Key::Hold => self.invites("sendonly", Display::Holding).await,
            Key::Retrieve => self.invites("sendrecv", Display::Talking).await,
            Key::Bye => {
                self.sequence += 1;
                self.asks_in_call("BYE", self.sequence, "").await;
                self.call = None;
                self.shows(Display::Idle);
            }
            Key::Refer(to) => {
                self.sequence += 1;
                self.sends_in_call("REFER", self.sequence, &format!("Refer-To: {to}\r\n"), "").await;
            }
            Key::Register => self.registers(3600, Display::Idle).await,
            Key::Unregister => self.registers(0, Display::Unregistered).await,
        }
    }

    async fn hears(&mut self, message: Sip) {
        let method = message.first.split(' ').next().unwrap_or_default();
        let is_of_call = self.call.as_ref().is_some_and(|call| call.invite.get("Call-ID") == message.get("Call-ID"));
        match method {
            "INVITE" if self.call.is_none() => self.rings(message).await,
            "INVITE" if !is_of_call => self.replies(&message, "486 Busy Here", "").await,
            "INVITE" if *self.shows.borrow() == Display::Ringing => self.replies(&message, "180 Ringing", "").await,
            "INVITE" => {
                let sdp = self.sdp("sendrecv");
                self.replies(&message, "200 OK", &sdp).await;
            }
            "CANCEL" if is_of_call => {
                self.replies(&message, "200 OK", "").await;
                self.ends_unanswered("487 Request Terminated").await;
            }
            "BYE" if is_of_call => {
                self.replies(&message, "200 OK", "").await;
                self.call = None;
                self.shows(Display::Idle);
            }
            // Some phones do what such a request says: it is how one presses their keys from afar.
            "NOTIFY" if is_of_call => {
                self.replies(&message, "200 OK", "").await;
                let display = *self.shows.borrow();
                match (message.get("Event"), display) {
                    ("talk", Display::Ringing) => self.answers().await,
                    ("talk", Display::Holding) => self.invites("sendrecv", Display::Talking).await,
                    ("hold", Display::Talking) => self.invites("sendonly", Display::Holding).await,
                    _ => (),
                }
            }
            "ACK" => (),
            "SIP/2.0" => self.hears_response(&message).await,
            _ => self.replies(&message, "200 OK", "").await,
        }
    }

    /// Of the responses only those to an INVITE of ours say anything.
    async fn hears_response(&mut self, message: &Sip) {
        let wanted =
            self.call.as_mut().and_then(|call| call.wanted.take_if(|(sequence, _)| *sequence == message.sequence()));
        let Some((sequence, display)) = wanted else { return };
        if message.first.starts_with("SIP/2.0 1") {
            self.call.iter_mut().for_each(|call| call.wanted = Some((sequence, display)));
            return;
        }
        assert!(message.first.starts_with("SIP/2.0 200"), "{}", message.first);
        self.asks_in_call("ACK", sequence, "").await;
        self.shows(display);
    }

    async fn rings(&mut self, invite: Sip) {
        let me = format!("{};tag={}", invite.get("To"), self.port);
        let theirs = invite.get("From").split("tag=").nth(1).unwrap_or_default();
        let dialog = format!("{}%3Bto-tag%3D{theirs}%3Bfrom-tag%3D{}", invite.get("Call-ID"), self.port);
        self.names.send_replace(dialog);
        let answers_at = match self.manners {
            Manners::AnswersAfter(time) => Some(Instant::now() + time),
            Manners::Rings | Manners::Declines => None,
        };
        self.replies(&invite, "180 Ringing", "").await;
        self.call = Some(Call { invite, me, answers_at, wanted: None });
        self.shows(Display::Ringing);
        if self.manners == Manners::Declines {
            self.ends_unanswered("603 Decline").await;
        }
    }

    async fn answers(&mut self) {
        let sdp = self.sdp("sendrecv");
        let Some(call) = &mut self.call else { return };
        call.answers_at = None;
        let invite = call.invite.clone();
        self.replies(&invite, "200 OK", &sdp).await;
        self.shows(Display::Talking);
    }

    async fn ends_unanswered(&mut self, status: &str) {
        if let Some(call) = self.call.take() {
            self.replies(&call.invite, status, "").await;
        }
        self.shows(Display::Idle);
    }

    async fn invites(&mut self, direction: &str, display: Display) {
        let sdp = self.sdp(direction);
        self.sequence += 1;
        let sequence = self.sequence;
        self.call.iter_mut().for_each(|call| call.wanted = Some((sequence, display)));
        self.asks_in_call("INVITE", sequence, &sdp).await;
    }

    fn shows(&self, display: Display) {
        self.shows.send_replace(display);
    }

    async fn registers(&mut self, expires: u32, display: Display) {
        let uri = "sip:127.0.0.1";
        let user = self.user.clone();
        let mut authorization = String::new();
        loop {
            self.sequence += 1;
            let (sequence, port) = (self.sequence, self.port);
            let via = self.via();
            self.sends(&format!(
                "REGISTER {uri} SIP/2.0\r\n{via}From: <sip:{user}@127.0.0.1>;tag={sequence}\r\n\
                 To: <sip:{user}@127.0.0.1>\r\nCall-ID: register-{port}-{sequence}\r\nCSeq: {sequence} REGISTER\r\n\
                 Contact: <sip:{user}@127.0.0.1:{port}>\r\nExpires: {expires}\r\n{authorization}Content-Length: 0\r\n\r\n"
            ))
            .await;
            let answer = loop {
                let message = receive(&self.socket).await;
                if message.get("CSeq") == format!("{sequence} REGISTER") {
                    break message;
                }
            };
            if answer.first.starts_with("SIP/2.0 200") {
                return self.shows(display);
            }
            assert!(answer.first.starts_with("SIP/2.0 401") && authorization.is_empty(), "{}", answer.first);
            authorization = digest(answer.get("WWW-Authenticate"), &user, uri);
        }
    }

    async fn asks_in_call(&mut self, method: &str, sequence: u32, body: &str) {
        self.sends_in_call(method, sequence, "", body).await;
    }

    async fn sends_in_call(&mut self, method: &str, sequence: u32, more: &str, body: &str) {
        let via = self.via();
        let Some(Call { invite, me, .. }) = &self.call else { return };
        let contact = invite.get("Contact");
        let target = contact.split(['<', '>']).nth(1).unwrap_or(contact);
        let (them, id) = (invite.get("From"), invite.get("Call-ID"));
        let end = self.end(body);
        let text = format!(
            "{method} {target} SIP/2.0\r\n{via}From: {me}\r\nTo: {them}\r\nCall-ID: {id}\r\nCSeq: {sequence} {method}\r\n{more}{end}"
        );
        self.sends(&text).await;
    }

    async fn replies(&mut self, request: &Sip, status: &str, body: &str) {
        let vias: String =
            request.headers.iter().filter(|(key, _)| key == "Via").map(|(_, via)| format!("Via: {via}\r\n")).collect();
        let (from, id, sequence) = (request.get("From"), request.get("Call-ID"), request.get("CSeq"));
        let tag = if request.get("To").contains("tag=") { String::new() } else { format!(";tag={}", self.port) };
        let to = format!("{}{tag}", request.get("To"));
        let end = self.end(body);
        let text =
            format!("SIP/2.0 {status}\r\n{vias}From: {from}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: {sequence}\r\n{end}");
        self.sends(&text).await;
    }

    fn via(&mut self) -> String {
        self.branch += 1;
        let (port, branch) = (self.port, self.branch);
        format!("Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{port}x{branch};rport\r\nMax-Forwards: 70\r\n")
    }

    fn end(&self, body: &str) -> String {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let (user, port, length) = (&self.user, self.port, body.len());
        format!("Contact: <sip:{user}@127.0.0.1:{port}>\r\n{kind}Content-Length: {length}\r\n\r\n{body}")
    }

    /// The sound goes to the port of the phone's own signalling, which passes it over.
    fn sdp(&mut self, direction: &str) -> String {
        self.sdp += 1;
        let (version, port) = (self.sdp, self.port);
        format!(
            "v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na={direction}\r\n"
        )
    }

    async fn sends(&self, text: &str) {
        // Asterisk may be gone, by a test's hand: then nobody hears it.
        let _ = self.socket.send(text.as_bytes()).await;
    }
}

/// Passes over what is no SIP, and that Asterisk is gone for a while.
async fn receive(socket: &UdpSocket) -> Sip {
    let mut bytes = vec![0; 65_536];
    loop {
        if let Ok(length) = socket.recv(&mut bytes).await
            && bytes[..length].windows(7).any(|seven| seven == b"SIP/2.0")
        {
            return Sip::parsed(&bytes[..length]);
        }
    }
}

const SECRET: &str = "phone-secret";

/// RFC 2617, with the quality of protection `auth`.
fn digest(challenge: &str, user: &str, uri: &str) -> String {
    let of = |key: &str| {
        let start = challenge.find(&format!("{key}=\"")).map(|at| at + key.len() + 2);
        start.and_then(|start| challenge[start..].split('"').next()).unwrap_or_default()
    };
    let md5 = |text: String| Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (realm, nonce, opaque) = (of("realm"), of("nonce"), of("opaque"));
    let (ours, asked) = (md5(format!("{user}:{realm}:{SECRET}")), md5(format!("REGISTER:{uri}")));
    let response = md5(format!("{ours}:{nonce}:00000001:abcdef:auth:{asked}"));
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         opaque=\"{opaque}\", cnonce=\"abcdef\", response=\"{response}\", algorithm=MD5, qop=auth, nc=00000001\r\n"
    )
}
