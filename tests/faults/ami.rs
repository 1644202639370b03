//! Something that speaks like an Asterisk with queues, and outlives the gateways that ask it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ctigate::acd::asterisk::ami::challenge_key;
use ctigate::model::Password;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};

use crate::process::PATIENCE;

#[derive(Clone)]
pub struct Ami {
    pub port: u16,
    state: Arc<State>,
}

struct State {
    secret: Mutex<String>,
    answers: Mutex<Answers>,
    /// How many answers did not come as they should.
    distorted: AtomicUsize,
    /// The member whose change was said to have failed last.
    denied: Mutex<String>,
    /// The answers that are late come now.
    release: watch::Sender<()>,
    /// Every connection ends.
    cut: watch::Sender<()>,
    logins: watch::Sender<Logins>,
    /// Interface, member's name and whether it is paused, by queue.
    queues: Mutex<BTreeMap<String, BTreeMap<String, Member>>>,
    events: broadcast::Sender<String>,
}

/// How a change of a member's pause is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    Once,
    Twice,
    /// When that is asked for.
    Late,
    /// Of two, each is answered when both have come, and the second is said to have failed before that.
    ForAnother,
}

/// Who logged in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Logins {
    pub accepted: usize,
    pub refused: usize,
}

/// What the digest of the secret is made with.
const CHALLENGE: &str = "12345";

#[derive(Clone)]
struct Member {
    name: String,
    is_paused: bool,
}

impl Ami {
    pub async fn start() -> Ami {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let queues = ["sales", "support"].map(|queue| (queue.to_owned(), BTreeMap::new())).into();
        let state = Arc::new(State {
            secret: Mutex::new("ctigate-secret".to_owned()),
            answers: Mutex::new(Answers::Once),
            distorted: AtomicUsize::new(0),
            denied: Mutex::default(),
            release: watch::Sender::new(()),
            cut: watch::Sender::new(()),
            logins: watch::Sender::default(),
            queues: Mutex::new(queues),
            events: broadcast::Sender::new(4_096),
        });
        let ami = Ami { port, state: Arc::clone(&state) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&state)));
            }
        });
        ami
    }

    /// A configuration with this as the one ACD.
    pub fn config(&self) -> String {
        self.config_with("secret = \"ctigate-secret\"")
    }

    /// The same with these lines for its secret, and whatever else.
    pub fn config_with(&self, lines: &str) -> String {
        format!(
            r#"
            [[acd]]
            kind = "asterisk"
            host = "127.0.0.1"
            port = {}
            user = "ctigate"
            interface = "PJSIP/{{instrument}}"
            {lines}
            [[acd.queue]]
            number = 1
            name = "sales"
            [[acd.queue]]
            number = 2
            name = "support"
            "#,
            self.port
        )
    }

    /// From here on it answers like that.
    pub fn answers(&self, how: Answers) {
        *self.state.answers.lock() = how;
    }

    /// How many answers did not come as they should.
    pub fn distorted(&self) -> usize {
        self.state.distorted.load(Ordering::Relaxed)
    }

    /// What is late comes now.
    pub fn releases(&self) {
        self.state.release.send_replace(());
    }

    /// Only that secret is good from here on.
    pub fn takes_secret(&self, secret: &str) {
        secret.clone_into(&mut self.state.secret.lock());
    }

    /// Every link ends.
    pub fn cuts(&self) {
        self.state.cut.send_replace(());
    }

    /// How often somebody logged in.
    pub fn logged_in(&self) -> usize {
        self.state.logins.borrow().accepted
    }

    /// Whose change was said to have failed last, of two.
    pub fn denied(&self) -> String {
        self.state.denied.lock().clone()
    }

    /// Waits until there were such logins.
    pub async fn logins(&self, are: impl FnMut(&Logins) -> bool) {
        let mut logins = self.state.logins.subscribe();
        tokio::time::timeout(PATIENCE, logins.wait_for(are)).await.expect("a login").expect("it goes on");
    }

    /// Whether an agent is offered no calls, in every queue that it is in.
    pub fn is_paused(&self, agent: u32) -> bool {
        let queues = self.state.queues.lock();
        let of_agent = queues.values().flat_map(BTreeMap::values).filter(|member| member.name == agent.to_string());
        of_agent.into_iter().all(|member| member.is_paused)
    }

    /// In which queues an agent is, by number.
    pub fn queues_of(&self, agent: u32) -> BTreeSet<u32> {
        let queues = self.state.queues.lock();
        let is_in = |members: &BTreeMap<String, Member>| members.values().any(|one| one.name == agent.to_string());
        (1..).zip(queues.values()).filter(|(_, members)| is_in(members)).map(|(number, _)| number).collect()
    }
}

async fn converse(mut stream: TcpStream, state: Arc<State>) {
    let mut events = state.events.subscribe();
    let (mut release, mut cut) = (state.release.subscribe(), state.cut.subscribe());
    let mut held: Vec<String> = Vec::new();
    let (mut read, mut chunk) = (Vec::new(), [0; 16_384]);
    if stream.write_all(b"Asterisk Call Manager/9.0.0\r\n").await.is_err() {
        return;
    }
    loop {
        let mut out = String::new();
        tokio::select! {
            biased;
            event = events.recv() => out.push_str(&event.expect("a reader that keeps up")),
            _ = release.changed() => out.extend(held.drain(..)),
            _ = cut.changed() => return,
            bytes = stream.read(&mut chunk) => match bytes {
                Ok(bytes) if bytes > 0 => read.extend_from_slice(&chunk[..bytes]),
                _ => return,
            },
        }
        while let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let action: Vec<u8> = read.drain(..end + 4).collect();
            let action = Action(String::from_utf8_lossy(&action).into_owned());
            let answer = state.answer(&action);
            let is_distorted = action.get("Action") == "QueuePause";
            match if is_distorted { *state.answers.lock() } else { Answers::Once } {
                Answers::Once => out.push_str(&answer),
                how => {
                    state.distorted.fetch_add(1, Ordering::Relaxed);
                    match (how, held.pop()) {
                        (Answers::Twice, _) => out.push_str(&answer.repeat(2)),
                        (Answers::ForAnother, Some(first)) => {
                            action.get("Interface").clone_into(&mut state.denied.lock());
                            out.push_str(&(action.error("no") + &first + &answer));
                        }
                        (_, earlier) => held.extend(earlier.into_iter().chain([answer])),
                    }
                }
            }
            // In its order, what happened before its answer is told before it.
            while let Ok(event) = events.try_recv() {
                out.push_str(&event);
            }
        }
        if stream.write_all(out.as_bytes()).await.is_err() {
            return;
        }
    }
}

struct Action(String);

impl Action {
    fn get(&self, key: &str) -> &str {
        self.0.split("\r\n").find_map(|line| line.strip_prefix(key)?.strip_prefix(": ")).unwrap_or_default()
    }

    fn success(&self, more: &str) -> String {
        format!("Response: Success\r\nActionID: {}\r\n{more}\r\n", self.get("ActionID"))
    }

    fn error(&self, words: &str) -> String {
        format!("Response: Error\r\nActionID: {}\r\nMessage: {words}\r\n\r\n", self.get("ActionID"))
    }
}

impl State {
    fn answer(&self, action: &Action) -> String {
        let id = action.get("ActionID");
        let (queue, interface) = (action.get("Queue"), action.get("Interface"));
        let mut queues = self.queues.lock();
        match action.get("Action") {
            "Challenge" => action.success(&format!("Challenge: {CHALLENGE}\r\n")),
            "Login" => {
                let is_good = action.get("Key") == challenge_key(CHALLENGE, &Password::new(&*self.secret.lock()));
                self.logins.send_modify(|logins| match is_good {
                    true => logins.accepted += 1,
                    false => logins.refused += 1,
                });
                match is_good {
                    true => action.success("") + "Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n",
                    false => action.error("Authentication failed"),
                }
            }
            "QueueStatus" => {
                let mut list = action.success("EventList: start\r\n");
                let wanted = action.get("Member");
                for (queue, members) in &*queues {
                    list += &format!("Event: QueueParams\r\nActionID: {id}\r\nQueue: {queue}\r\n\r\n");
                    for (interface, member) in members.iter().filter(|(one, _)| wanted.is_empty() || *one == wanted) {
                        let of = facts(queue, interface, member, "Location", "Name");
                        list += &format!("Event: QueueMember\r\nActionID: {id}\r\n{of}\r\n");
                    }
                }
                list + &format!("Event: QueueStatusComplete\r\nActionID: {id}\r\nEventList: Complete\r\n\r\n")
            }
            "CoreShowChannels" => {
                action.success("EventList: start\r\n")
                    + &format!("Event: CoreShowChannelsComplete\r\nActionID: {id}\r\nEventList: Complete\r\n\r\n")
            }
            "QueueAdd" => {
                let Some(members) = queues.get_mut(queue) else { return action.error("No such queue") };
                if members.contains_key(interface) {
                    return action.error("Unable to add interface: Already there");
                }
                let (name, is_paused) = (action.get("MemberName").to_owned(), is_true(action.get("Paused")));
                let member = Member { name, is_paused };
                self.tell("QueueMemberAdded", queue, interface, &member);
                members.insert(interface.to_owned(), member);
                action.success("")
            }
            "QueueRemove" => {
                let Some(members) = queues.get_mut(queue) else { return action.error("No such queue") };
                let Some(member) = members.remove(interface) else {
                    return action.error("Unable to remove interface: Not there");
                };
                self.tell("QueueMemberRemoved", queue, interface, &member);
                action.success("")
            }
            "QueuePause" => {
                for (name, members) in queues.iter_mut().filter(|(name, _)| queue.is_empty() || *name == queue) {
                    if let Some(member) = members.get_mut(interface) {
                        member.is_paused = is_true(action.get("Paused"));
                        self.tell("QueueMemberPause", name, interface, member);
                    }
                }
                action.success("")
            }
            _ => action.success(""),
        }
    }

    fn tell(&self, event: &str, queue: &str, interface: &str, member: &Member) {
        let of = facts(queue, interface, member, "Interface", "MemberName");
        let _nobody_listens = self.events.send(format!("Event: {event}\r\n{of}\r\n"));
    }
}

fn facts(queue: &str, interface: &str, member: &Member, at: &str, name: &str) -> String {
    let Member { name: agent, is_paused } = member;
    let paused = u8::from(*is_paused);
    format!(
        "Queue: {queue}\r\n{at}: {interface}\r\n{name}: {agent}\r\nMembership: dynamic\r\nStatus: 1\r\nInCall: 0\r\n\
         Paused: {paused}\r\nPausedReason: \r\n"
    )
}

fn is_true(text: &str) -> bool {
    matches!(text, "1" | "true" | "yes")
}
