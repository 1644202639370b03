//! A gateway in front of an Asterisk that says whatever an input says, on virtual time: events, answers to what it was asked,
//! bytes that are neither, silence, and the end of the connection.
//!
//! The link has no seam below its socket, so there is a real one, on the loopback interface. Must hold: every command has its
//! one answer, whatever comes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::BytesMut;
use ctigate::acd::asterisk::{AsteriskAcd, AsteriskConfig};
use ctigate::acd::{Acd, Peripheral};
use ctigate::config::{AcdKind, Config};
use ctigate::model::{
    AgentId, AgentKey, CallCommand, CallId, Connection, ConsultKind, FarEnd, Instrument, Login, Logout, LogoutOnCall,
    Password, PeripheralId, QueueChoice, QueueId, ReasonCode, SecondClient, SessionId, StateChange, Supervision,
    WantedState,
};
use ctigate::operations::{Answer, Demands, House, Requester, Right, Rules};
use ctigate::sessions::Bounds;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::steps::Steps;

/// Plays an input: the first byte says how Asterisk answers what it is not told to answer, the others are steps.
pub fn asterisk_session(input: &[u8]) {
    let Some((&choices, steps)) = input.split_first() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let mut story = Story::begin(choices).await;
        let mut steps = Steps(steps);
        while story.step(&mut steps).await.is_some() {}
        story.end().await;
    });
}

/// Where the gateway finds its Asterisk; one address for all inputs.
fn shared() -> &'static (std::net::TcpListener, AsteriskConfig) {
    static SHARED: OnceLock<(std::net::TcpListener, AsteriskConfig)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket that does not block");
        let port = listener.local_addr().expect("it is bound").port();
        let config = Config::from_toml("asterisk", &format!("{CONFIG}port = {port}\n{QUEUES}")).expect("a sound one");
        let AcdKind::Asterisk(asterisk) = config.acds.into_iter().next().expect("one").kind else { unreachable!() };
        (listener, asterisk)
    })
}

struct Story {
    house: Arc<House>,
    listener: TcpListener,
    socket: Option<Socket>,
    answers_itself: bool,
    asked: usize,
    answered: Arc<AtomicUsize>,
}

/// Asterisk's end of a connection.
struct Socket {
    stream: TcpStream,
    read: BytesMut,
    /// The actions that have no answer yet: name and ActionID.
    actions: Vec<(String, String)>,
}

impl Story {
    async fn begin(choices: u8) -> Story {
        let (listener, config) = shared();
        let listener = listener.try_clone().and_then(TcpListener::from_std).expect("a listener");
        while let Ok(left) = tokio::time::timeout(Duration::ZERO, listener.accept()).await {
            drop(left); // from the end of the input before
        }
        let acd = Arc::new(AsteriskAcd::new(config).expect("a sound configuration")) as Arc<dyn Acd>;
        let rules = Rules {
            acd_answer: Duration::from_secs(10),
            retry_min: Duration::from_secs(1),
            retry_max: Duration::from_secs(30),
            deferred_events_max: 16,
            second_client: SecondClient::Share,
            grace: None,
            logout_on_call: [LogoutOnCall::Reject, LogoutOnCall::Force, LogoutOnCall::AfterCall]
                [usize::from(choices >> 1 & 3) % 3],
            day_begins: Duration::ZERO,
            audit: None,
            commands_max: 64,
            bounds: Bounds { calls_max: 16, ..Bounds::NONE },
        };
        let house = House::new(vec![Peripheral { id: PERIPHERAL, acd }], Config::default().teams(), rules);
        house.connect(1_024);
        let answers_itself = choices & 1 == 0;
        let mut story = Story { house, listener, socket: None, answers_itself, asked: 0, answered: Arc::default() };
        story.pass(Duration::from_millis(1)).await;
        story
    }

    /// One step, after which all that can be done at once is done. None when the input is at its end.
    async fn step(&mut self, steps: &mut Steps<'_>) -> Option<()> {
        let what = steps.byte()?;
        let mut passes = Duration::from_millis(1);
        match what & 7 {
            0 | 1 => {
                let event = steps.bytes()?;
                self.say(&[b"Event: ", &with_crlf(event)[..], b"\r\n\r\n"].concat()).await;
            }
            2 => {
                let text = steps.bytes()?;
                self.answer_oldest(what >> 3, text).await;
            }
            3 => {
                let raw = steps.bytes()?;
                self.say(raw).await;
            }
            4 => passes = Duration::from_millis(1 << (steps.byte()? % 17)),
            5 => self.command(what >> 3, steps.byte()?),
            6 => self.socket = None,
            _ => self.answers_itself = what & 8 == 0,
        }
        self.pass(passes).await;
        Some(())
    }

    /// Time passes; what was asked meanwhile is read, and answered if Asterisk is to do so by itself.
    async fn pass(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
        for _ in 0..ROUNDS_MAX {
            if self.socket.is_none()
                && let Ok(Ok((stream, _))) = tokio::time::timeout(Duration::ZERO, self.listener.accept()).await
            {
                let _ = stream.set_zero_linger(); // thousands of connections a second must not wait for their end
                self.socket = Some(Socket { stream, read: BytesMut::new(), actions: Vec::new() });
                self.say(b"Asterisk Call Manager/11.0.0\r\n").await;
            }
            let Some(socket) = &mut self.socket else { return };
            if !socket.read() {
                self.socket = None;
                continue;
            }
            if socket.actions.is_empty() {
                return;
            }
            let is_login = ["Challenge", "Login", "Filter"].contains(&socket.actions[0].0.as_str());
            if !is_login && !self.answers_itself {
                return;
            }
            while self.socket.as_ref().is_some_and(|socket| !socket.actions.is_empty()) {
                self.answer_oldest(0, b"").await;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn say(&mut self, bytes: &[u8]) {
        if let Some(socket) = &mut self.socket {
            let written = tokio::time::timeout(Duration::from_secs(1), socket.stream.write_all(bytes)).await;
            if !matches!(written, Ok(Ok(()))) {
                self.socket = None;
            }
        }
    }

    /// Success, another word, or the items of a list, which blank lines part.
    async fn answer_oldest(&mut self, how: u8, text: &[u8]) {
        let Some((name, id)) =
            self.socket.as_mut().and_then(|socket| (!socket.actions.is_empty()).then(|| socket.actions.remove(0)))
        else {
            return;
        };
        let head = |kind: &str| format!("{kind}\r\nActionID: {id}\r\n").into_bytes();
        let is_list = how & 2 != 0 || (text.is_empty() && ["QueueStatus", "CoreShowChannels"].contains(&&*name));
        // A filter for each event would be most of what is said.
        let mut said = head(if how & 1 == 0 && name != "Filter" { "Response: Success" } else { "Response: Error" });
        match (&*name, is_list) {
            ("Challenge", _) => said.extend(b"Challenge: 1\r\n\r\n"),
            (_, true) => {
                said.extend(b"EventList: start\r\n\r\n");
                for item in text.split(|byte| *byte == 0).filter(|item| !item.is_empty()) {
                    said.extend([&head("Event: QueueMember"), &with_crlf(item)[..], b"\r\n\r\n"].concat());
                }
                said.extend([&head("Event: Complete")[..], b"EventList: Complete\r\n\r\n"].concat());
            }
            (_, false) => said.extend([b"Message: ", &with_crlf(text)[..], b"\r\n\r\n"].concat()),
        }
        if name == "Login" {
            said.extend(b"Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n");
        }
        self.say(&said).await;
    }

    /// Somebody who may do anything asks the gateway for something.
    fn command(&mut self, kind: u8, argument: u8) {
        let house = Arc::clone(&self.house);
        let by = Requester { session: SessionId(1), client: "fuzzer".into(), right: Right::Every };
        let number = 1 + u32::from(argument & 1);
        let agent = AgentId::new(&(1000 + number).to_string()).expect("an id");
        let device = device(&(3000 + number).to_string());
        let key = AgentKey { peripheral: PERIPHERAL, agent: agent.clone() };
        let forced = argument & 2 != 0;
        let reason = ReasonCode(u16::from(argument >> 2 & 7));
        self.asked += 1;
        match kind {
            0 => {
                let queues = match argument >> 2 & 3 {
                    0 => QueueChoice::AsAcdSays,
                    some => QueueChoice::Named(vec![QueueId(u32::from(some))]),
                };
                let login = Login { agent, password: Password::new("pw"), instrument: device, queues, forced };
                house.run(Arc::clone(&house).log_in(by, key, login, || (), self.answer()));
            }
            1 => {
                let queues = match argument >> 2 & 3 {
                    0 => QueueChoice::AsAcdSays,
                    some => QueueChoice::Named(vec![QueueId(u32::from(some))]),
                };
                let logout = Logout { agent, queues, reason, password: None, forced };
                house.run(Arc::clone(&house).log_out(by, key, logout, self.answer()));
            }
            2..=4 => {
                let wanted = [WantedState::Ready, WantedState::NotReady, WantedState::WorkReady][usize::from(kind - 2)];
                house.run(Arc::clone(&house).set_state(
                    by,
                    key,
                    StateChange { agent, wanted, reason },
                    Demands::default(),
                    self.answer(),
                ));
            }
            _ => {
                let command = self.call_command(kind, argument, device);
                house.run(Arc::clone(&house).control_call(by, PERIPHERAL, command, self.answer()));
            }
        }
    }

    fn call_command(&self, kind: u8, argument: u8, own: Instrument) -> CallCommand {
        let calls = self.house.table.calls(PERIPHERAL).lock().all();
        let nth = |n: u8| calls.get(usize::from(n) % calls.len().max(1)).map_or(CallId(7), |call| call.id);
        let active = Connection { call: nth(argument >> 2 & 3), device: own.clone() };
        let held = Connection { call: nth(argument >> 4 & 3), device: own.clone() };
        let to = device(["3002", "3001", "555", "9"][usize::from(argument >> 6)]);
        let data = Default::default();
        match kind {
            5 => CallCommand::Make { from: own, to, data },
            6 => CallCommand::Answer(active),
            7 => CallCommand::Hold(active),
            8 => CallCommand::Retrieve(active),
            9 => CallCommand::Alternate { active, held },
            10 => CallCommand::Reconnect { active, held },
            11 => CallCommand::Consult { active, to, kind: ConsultKind::Either, data },
            12 => CallCommand::Transfer { active, to: FarEnd::Held(held), data },
            13 => CallCommand::Transfer { active, to: FarEnd::Dialed(to), data },
            14 => CallCommand::Conference { active, with: FarEnd::Held(held), data },
            15 => CallCommand::Conference { active, with: FarEnd::Dialed(to), data },
            16 => CallCommand::Deflect { ringing: active, to },
            17 => CallCommand::Drop { at: active, party: to },
            18 => CallCommand::ClearCall(active.call),
            19 => CallCommand::Supervise { watched: active, by: to, how: Supervision::Listen },
            20 => CallCommand::Supervise { watched: active, by: to, how: Supervision::BargeIn },
            21 => CallCommand::Release(active),
            _ => CallCommand::ClearConnection(active),
        }
    }

    fn answer<T>(&self) -> Answer<T> {
        let answered = Arc::clone(&self.answered);
        Box::new(move |_| {
            answered.fetch_add(1, Ordering::Relaxed);
        })
    }

    async fn end(mut self) {
        self.answers_itself = true;
        self.pass(Duration::from_millis(1)).await;
        let done = tokio::time::timeout(COMMANDS_MAX, self.house.commands_done()).await;
        assert!(done.is_ok(), "a command has no end");
        assert_eq!(self.answered.load(Ordering::Relaxed), self.asked, "commands without an answer");
        self.house.end();
    }
}

impl Socket {
    /// Reads what is there. False if the gateway has closed its end.
    fn read(&mut self) -> bool {
        loop {
            match self.stream.try_read_buf(&mut self.read) {
                Ok(0) => return false,
                Ok(_) => (),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        while let Some(end) = self.read.windows(4).position(|end| end == b"\r\n\r\n") {
            let action = self.read.split_to(end + 4);
            let action = String::from_utf8_lossy(&action);
            let value =
                |name: &str| action.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
            self.actions.push((value("Action: "), value("ActionID: ")));
        }
        true
    }
}

/// Lines end as Asterisk's do.
fn with_crlf(text: &[u8]) -> Vec<u8> {
    text.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..])
}

fn device(number: &str) -> Instrument {
    Instrument::new(number).expect("a device")
}

const PERIPHERAL: PeripheralId = PeripheralId(5000);
/// How often what was asked for in answer to an answer is answered in turn.
const ROUNDS_MAX: usize = 32;
/// Longer than any command waits for the ACD.
const COMMANDS_MAX: Duration = Duration::from_secs(3_600);
const CONFIG: &str = r#"
[[acd]]
kind = "asterisk"
user = "ctigate"
secret = "secret"
dial_context = "agents"
phones_take_notify = true
chanspy = true
trunks = ["trunk"]
wrap_up = "10s"
waiting_max = 64
"#;
const QUEUES: &str = r#"
[[acd.queue]]
number = 1
name = "sales"
[[acd.queue]]
number = 2
name = "support"
[[acd.variable]]
name = "CUSTOMER"
data = 1
[[acd.reason]]
code = 7
text = "lunch"
"#;
