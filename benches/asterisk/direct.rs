//! The yardstick: a manager client without a gateway. One thread, one connection, no more work than the bytes need.
//!
//! Must hold: it logs in as the gateway does, hears the events that the gateway hears, and has as many actions in flight.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use md5::{Digest, Md5};

use crate::figures::{Figures, Tally};
use crate::house::{QUEUE, SECRET, USER};
use crate::starting_gun;
use crate::support::Failure;

/// One connection to the manager interface.
pub(crate) struct Manager {
    socket: TcpStream,
    scratch: Box<[u8]>,
    input: Vec<u8>,
    /// How much of the input was taken already.
    taken: usize,
}

impl Manager {
    /// Connects and proves the secret; `events` is the mask of event classes.
    pub(crate) fn log_in(port: u16, events: &str) -> Result<Manager, Failure> {
        let socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut manager = Manager { socket, scratch: vec![0; READ_BYTES].into(), input: Vec::new(), taken: 0 };
        while !manager.input.contains(&b'\n') {
            manager.read()?;
        }
        manager.taken = manager.input.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let answer = manager.ask("Action: Challenge\r\nAuthType: MD5\r\n\r\n")?;
        let challenge = value_of(&answer, "Challenge").ok_or("no challenge in the answer")?;
        let digest = Md5::new().chain_update(challenge).chain_update(SECRET).finalize();
        let key: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let login =
            format!("Action: Login\r\nAuthType: MD5\r\nUsername: {USER}\r\nKey: {key}\r\nEvents: {events}\r\n\r\n");
        must_succeed(&manager.ask(&login)?)?;
        Ok(manager)
    }

    /// Does one action, which must be done.
    pub(crate) fn must_do(&mut self, action: &str) -> Result<(), Failure> {
        must_succeed(&self.ask(action)?)
    }

    /// Sends an action and does not wait for its answer.
    pub(crate) fn send(&mut self, action: &str) -> Result<(), Failure> {
        Ok(self.socket.write_all(action.as_bytes())?)
    }

    /// Waits for the answers to so many actions that were sent; each must have been done.
    pub(crate) fn all_done(&mut self, actions: usize) -> Result<(), Failure> {
        for _ in 0..actions {
            must_succeed(&self.next()?)?;
        }
        Ok(())
    }

    /// The connection, on which nothing but such events as the gateway hears will come.
    pub(crate) fn filtered(mut self) -> Result<TcpStream, Failure> {
        self.filter_events()?;
        Ok(self.socket)
    }

    /// Has the events filtered as the gateway has them.
    fn filter_events(&mut self) -> Result<(), Failure> {
        for name in EVENTS {
            let criteria = format!("action(include),name({name})");
            let answer = self.ask(&format!("Action: Filter\r\nOperation: Add\r\nMatchCriteria: {criteria}\r\n\r\n"))?;
            if must_succeed(&answer).is_err() {
                let pattern = EVENTS.join("|");
                let older = format!("Action: Filter\r\nOperation: Add\r\nFilter: Event: ({pattern})\r\n\r\n");
                return must_succeed(&self.ask(&older)?);
            }
        }
        Ok(())
    }

    /// How many members the queue has.
    pub(crate) fn members(&mut self) -> Result<usize, Failure> {
        let status = format!("Action: QueueStatus\r\nQueue: {QUEUE}\r\n\r\n");
        must_succeed(&self.ask(&status)?)?;
        let mut members = 0;
        loop {
            let message = self.next()?;
            match value_of(&message, "Event") {
                Some("QueueMember") => members += 1,
                Some("QueueStatusComplete") => return Ok(members),
                _ => (),
            }
        }
    }

    /// Sends one action and waits for its answer, past whatever events come.
    fn ask(&mut self, action: &str) -> Result<String, Failure> {
        self.socket.write_all(action.as_bytes())?;
        loop {
            let message = self.next()?;
            if message.starts_with(RESPONSE) {
                return Ok(message);
            }
        }
    }

    fn next(&mut self) -> Result<String, Failure> {
        loop {
            if let Some(message) = self.take() {
                return Ok(String::from_utf8_lossy(message).into_owned());
            }
            self.read()?;
        }
    }

    /// The next whole message of what was read, with the end of its last line.
    fn take(&mut self) -> Option<&[u8]> {
        let rest = &self.input[self.taken..];
        let end = memchr::memmem::find(rest, b"\r\n\r\n")?;
        let message = self.taken..self.taken + end + 2;
        self.taken = message.end + 2;
        Some(&self.input[message])
    }

    fn read(&mut self) -> Result<(), Failure> {
        self.input.drain(..self.taken);
        self.taken = 0;
        let read = self.socket.read(&mut self.scratch)?;
        self.input.extend_from_slice(&self.scratch[..read]);
        if read == 0 { Err("Asterisk closed the connection".into()) } else { Ok(()) }
    }
}

/// Lets that many agents do their rounds until the time is over; each ends logged out.
pub(crate) fn run(port: u16, agents: usize, time: Duration) -> Result<Figures, Failure> {
    let mut manager = Manager::log_in(port, EVENT_CLASSES)?;
    manager.filter_events()?;
    let actions: Vec<[String; STEPS]> = (0..agents).map(round).collect();
    starting_gun()?;
    let mut tally = Tally::new();
    let start = Instant::now();
    let mut sent_at = vec![start; agents];
    let mut step = vec![0; agents];
    let mut ready: VecDeque<usize> = (0..agents).collect();
    let (mut in_flight, mut output) = (0, Vec::new());
    while in_flight > 0 || !ready.is_empty() {
        let now = Instant::now();
        while in_flight < IN_FLIGHT_MAX
            && let Some(agent) = ready.pop_front()
        {
            output.extend_from_slice(actions[agent][step[agent]].as_bytes());
            sent_at[agent] = now;
            in_flight += 1;
        }
        manager.socket.write_all(&output)?;
        output.clear();
        manager.read()?;
        let now = Instant::now();
        while let Some(message) = manager.take() {
            if !message.starts_with(RESPONSE.as_bytes()) {
                continue; // an event
            }
            let agent = answered(message)?;
            let sent_at = sent_at.get(agent).ok_or("an answer to nobody")?;
            tally.answered(now.duration_since(*sent_at));
            in_flight -= 1;
            step[agent] = (step[agent] + 1) % STEPS;
            if step[agent] != 0 || now.duration_since(start) < time {
                ready.push_back(agent);
            }
        }
    }
    Ok(tally.figures(start.elapsed()))
}

/// What an agent asks for, over and over. Its number is the ActionID: it has but one action in flight.
fn round(agent: usize) -> [String; STEPS] {
    let interface = format!("Local/{}@long-agents/n", 3001 + agent);
    let action =
        |name: &str, rest: &str| format!("Action: {name}\r\nActionID: {agent}\r\nInterface: {interface}\r\n{rest}\r\n");
    let name = 1001 + agent;
    [
        action("QueueAdd", &format!("Queue: {QUEUE}\r\nMemberName: {name}\r\nPaused: true\r\n")),
        action("QueuePause", "Paused: false\r\n"),
        action("QueuePause", "Paused: true\r\nReason: 7\r\n"),
        action("QueueRemove", &format!("Queue: {QUEUE}\r\n")),
    ]
}

/// Whose action was done. Asterisk answers with the ActionID in the second line.
fn answered(message: &[u8]) -> Result<usize, Failure> {
    let id = message.strip_prefix(DONE.as_bytes()).and_then(|rest| rest.split(|byte| *byte == b'\r').next());
    let id = id.and_then(|id| std::str::from_utf8(id).ok()?.parse().ok());
    id.ok_or_else(|| format!("an action was not done: {:?}", String::from_utf8_lossy(message)).into())
}

fn must_succeed(answer: &str) -> Result<(), Failure> {
    match value_of(answer, "Response") {
        Some("Success") => Ok(()),
        _ => Err(format!("an action was not done: {answer:?}").into()),
    }
}

fn value_of<'m>(message: &'m str, key: &str) -> Option<&'m str> {
    message.split("\r\n").find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
}

const STEPS: usize = 4;
const RESPONSE: &str = "Response: ";
const DONE: &str = "Response: Success\r\nActionID: ";
/// As the gateway's `in_flight_max` is where the configuration leaves it out.
const IN_FLIGHT_MAX: usize = 64;
/// As the gateway asks for.
pub(crate) const EVENT_CLASSES: &str = "system,call,agent";
/// The events that the gateway has itself sent, and no others.
const EVENTS: [&str; 15] = [
    "FullyBooted",
    "Shutdown",
    "Reload",
    "QueueMemberAdded",
    "QueueMemberRemoved",
    "QueueMemberPause",
    "QueueMemberStatus",
    "AgentCalled",
    "AgentConnect",
    "AgentComplete",
    "AgentRingNoAnswer",
    "AgentDump",
    "Hold",
    "Unhold",
    "Hangup",
];
const READ_BYTES: usize = 64 * 1024;
/// Asterisk answers in microseconds.
const PATIENCE: Duration = Duration::from_secs(10);
