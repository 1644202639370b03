//! Something that speaks like an Asterisk with queues, and outlives the gateways that ask it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

#[derive(Clone)]
pub struct Ami {
    pub port: u16,
    state: Arc<State>,
}

struct State {
    /// Interface, member's name and whether it is paused, by queue.
    queues: Mutex<BTreeMap<String, BTreeMap<String, Member>>>,
    events: broadcast::Sender<String>,
}

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
        let state = Arc::new(State { queues: Mutex::new(queues), events: broadcast::Sender::new(4_096) });
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
        format!(
            r#"
            [[acd]]
            kind = "asterisk"
            host = "127.0.0.1"
            port = {}
            user = "ctigate"
            secret = "ctigate-secret"
            interface = "PJSIP/{{instrument}}"
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

    /// In which queues an agent is, by number.
    pub fn queues_of(&self, agent: u32) -> BTreeSet<u32> {
        let queues = self.state.queues.lock();
        let is_in = |members: &BTreeMap<String, Member>| members.values().any(|one| one.name == agent.to_string());
        (1..).zip(queues.values()).filter(|(_, members)| is_in(members)).map(|(number, _)| number).collect()
    }
}

async fn converse(mut stream: TcpStream, state: Arc<State>) {
    let mut events = state.events.subscribe();
    let (mut read, mut chunk) = (Vec::new(), [0; 16_384]);
    if stream.write_all(b"Asterisk Call Manager/9.0.0\r\n").await.is_err() {
        return;
    }
    loop {
        let mut out = String::new();
        tokio::select! {
            biased;
            event = events.recv() => out.push_str(&event.expect("a reader that keeps up")),
            bytes = stream.read(&mut chunk) => match bytes {
                Ok(bytes) if bytes > 0 => read.extend_from_slice(&chunk[..bytes]),
                _ => return,
            },
        }
        while let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let action: Vec<u8> = read.drain(..end + 4).collect();
            out.push_str(&state.answer(&Action(String::from_utf8_lossy(&action).into_owned())));
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
            "Challenge" => action.success("Challenge: 12345\r\n"),
            "Login" => action.success("") + "Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n",
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
