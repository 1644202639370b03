//! The replay itself: requests out in their order, answers and events in.
//!
//! Lives here: what waits for what. Not here: whether what came is right (`compare`).
//! Must hold: nothing is waited for without a bound; a request leaves after everything that came before it in the
//! recording has come again or was given up.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use bytes::BytesMut;
use cti_protocol::ged188::{AnyMessage, Frame, FrameCodec, FrameError, HeartbeatReq, MessageType, Version};
use futures_util::StreamExt;
use tokio::io::{AsyncWriteExt, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::codec::{Encoder, FramedRead};

use super::ids::{Ids, Ignored, agree};
use super::recording::{Recording, Step, What};
use crate::cli::client::Way;
use crate::tls::Stream;

/// What ties a message of the server to its counterpart of the recording: the n-th with a key is that of the n-th.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Answer {
        connection: usize,
        invoke_id: u32,
    },
    /// `monitor` is the recorded id of the subscription.
    Event {
        connection: usize,
        monitor: Option<u64>,
        message_type: MessageType,
    },
}

impl Key {
    fn connection(self) -> usize {
        match self {
            Key::Answer { connection, .. } | Key::Event { connection, .. } => connection,
        }
    }
}

/// What ties a message with the recorded ids.
pub(super) fn key(connection: usize, message: &AnyMessage, monitor: Option<u64>) -> Key {
    let is_answer = message.name().is_some_and(|name| name.ends_with("_CONF"));
    match message.invoke_id().filter(|_| is_answer) {
        Some(invoke_id) => Key::Answer { connection, invoke_id },
        None => Key::Event { connection, monitor, message_type: message.message_type() },
    }
}

/// The monitor that an event is of.
pub(super) fn monitor(fields: &serde_json::Value) -> Option<u64> {
    fields.get("MonitorID").and_then(serde_json::Value::as_u64)
}

/// What came back.
#[derive(Debug)]
pub(super) struct Replayed {
    /// For each connection, the server's messages in their order.
    pub(super) heard: Vec<Vec<AnyMessage>>,
    /// For each connection, why it ended before it was ended.
    pub(super) lost: Vec<Option<String>>,
    pub(super) ids: Ids,
    pub(super) requests: usize,
}

/// How fast, and how patiently.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// None: as fast as answers come.
    pub(super) speed: Option<f64>,
    pub(super) wait: Duration,
}

/// Plays the recording against a gateway.
pub(super) async fn play(
    recording: &Recording,
    way: &Way,
    pace: Pace,
    ignored: &Ignored,
) -> Result<Replayed, PlayError> {
    let connections = recording.connections.len();
    let (tell, told) = mpsc::channel(MESSAGES_WAITING_MAX);
    let mut player = Player {
        recording,
        ignored,
        counterparts: counterparts(recording),
        lines: (0..connections).map(|_| None).collect(),
        was_connected: vec![false; connections],
        readers: JoinSet::new(),
        tell,
        told,
        room: HEARD_MAX,
        seen: HashMap::new(),
        owed: HashMap::new(),
        early: HashMap::new(),
        barriers: vec![Barrier::None; connections],
        replayed: Replayed {
            heard: vec![Vec::new(); connections],
            lost: vec![None; connections],
            ids: Ids::default(),
            requests: 0,
        },
    };
    let start = Instant::now();
    for step in &recording.steps {
        player.step(step, way, start, pace).await?;
    }
    player.catch_up(pace.wait).await;
    player.all_is_quiet(pace.wait).await;
    Ok(player.replayed)
}

/// For each key, the recorded messages in their order.
fn counterparts(recording: &Recording) -> HashMap<Key, Vec<&AnyMessage>> {
    let mut all: HashMap<Key, Vec<&AnyMessage>> = HashMap::new();
    for step in &recording.steps {
        if let What::Heard(message) = &step.what {
            let version = recording.connections[step.connection].version;
            all.entry(key(step.connection, message, monitor(&message.to_json(version)))).or_default().push(message);
        }
    }
    all
}

struct Player<'a> {
    recording: &'a Recording,
    ignored: &'a Ignored,
    counterparts: HashMap<Key, Vec<&'a AnyMessage>>,
    lines: Vec<Option<WriteHalf<Stream>>>,
    was_connected: Vec<bool>,
    readers: JoinSet<()>,
    tell: mpsc::Sender<(usize, Told)>,
    told: mpsc::Receiver<(usize, Told)>,
    /// How many messages may still come.
    room: usize,
    /// How many came of each key.
    seen: HashMap<Key, usize>,
    /// What the recording has had by now and the replay has not.
    owed: HashMap<Key, usize>,
    /// The other way round.
    early: HashMap<Key, usize>,
    barriers: Vec<Barrier>,
    replayed: Replayed,
}

/// A heartbeat of our own at the end: behind its answer nothing is left to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Barrier {
    None,
    Sent { invoke_id: u32 },
    Back,
}

enum Told {
    Frame(Frame),
    Closed(Option<FrameError>),
}

impl Player<'_> {
    async fn step(&mut self, step: &Step, way: &Way, start: Instant, pace: Pace) -> Result<(), PlayError> {
        let (connection, version) = (step.connection, self.recording.connections[step.connection].version);
        match &step.what {
            What::Heard(message) => {
                let key = key(connection, message, monitor(&message.to_json(version)));
                if self.replayed.lost[connection].is_none() && !take_one(&mut self.early, key) {
                    *self.owed.entry(key).or_default() += 1;
                }
            }
            What::Sent { frame, .. } => {
                self.catch_up(pace.wait).await;
                if let Some(speed) = pace.speed {
                    let after = Duration::try_from_secs_f64(step.at.as_secs_f64() / speed).unwrap_or(PAUSE_MAX);
                    let due = start + after.min(PAUSE_MAX);
                    self.hear_until(due, |_| false).await;
                }
                if !std::mem::replace(&mut self.was_connected[connection], true) {
                    self.connect(connection, way).await?;
                }
                let frame = self.replayed.ids.translate(connection, frame, version);
                self.send(connection, frame, pace.wait).await;
                self.replayed.requests += 1;
            }
            What::Ended => {
                self.catch_up(pace.wait).await;
                // The reader then sees the gateway's end, which is no loss.
                self.barriers[connection] = Barrier::Back;
                if let Some(mut line) = self.lines[connection].take() {
                    let _ = line.shutdown().await;
                }
            }
        }
        Ok(())
    }

    async fn connect(&mut self, connection: usize, way: &Way) -> Result<(), PlayError> {
        let stream = way.connect().await.map_err(PlayError::Connect)?;
        let (read, write) = tokio::io::split(stream);
        self.lines[connection] = Some(write);
        let (mut frames, tell) = (FramedRead::new(read, FrameCodec::default()), self.tell.clone());
        self.readers.spawn(async move {
            let closed = loop {
                let frame = match frames.next().await {
                    Some(Ok(frame)) => frame,
                    Some(Err(error)) => break Some(error),
                    None => break None,
                };
                if tell.send((connection, Told::Frame(frame))).await.is_err() {
                    return;
                }
            };
            // Nobody listens any more when the replay is over.
            let _ = tell.send((connection, Told::Closed(closed))).await;
        });
        Ok(())
    }

    async fn send(&mut self, connection: usize, frame: Frame, wait: Duration) {
        let mut bytes = BytesMut::new();
        let Some(line) = self.lines[connection].as_mut() else { return };
        let sent = match FrameCodec::default().encode(frame, &mut bytes) {
            Ok(()) => {
                timeout(wait, line.write_all(&bytes)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            }
            Err(error) => Err(io::Error::other(error)),
        };
        if let Err(error) = sent {
            self.lose(connection, format!("the connection broke: {error}"));
        }
    }

    /// Waits for what the recording has had by now; what does not come in time is not waited for again.
    async fn catch_up(&mut self, wait: Duration) {
        self.hear_until(Instant::now() + wait, |player| player.owed.is_empty()).await;
        self.owed.clear();
    }

    /// Hears what comes until enough came, or the time is over: even where there is no end of what comes.
    async fn hear_until(&mut self, deadline: Instant, is_enough: impl Fn(&Self) -> bool) {
        while !is_enough(self) && Instant::now() < deadline {
            let Ok(Some((connection, told))) = timeout_at(deadline, self.told.recv()).await else { return };
            self.hear(connection, told);
        }
    }

    /// Hears what is still under way on each session that stands.
    async fn all_is_quiet(&mut self, wait: Duration) {
        for connection in 0..self.lines.len() {
            if self.lines[connection].is_some() && self.barriers[connection] == Barrier::None && self.stands(connection)
            {
                let invoke_id = self.unused_invoke_id(connection);
                let mut bytes = BytesMut::new();
                let heartbeat = <AnyMessage>::from(HeartbeatReq { invoke_id, ..Default::default() });
                let Some(line) = self.lines[connection].as_mut() else { continue };
                let version: Version = self.recording.connections[connection].version;
                if heartbeat.encode(version, &mut bytes).is_ok()
                    && timeout(wait, line.write_all(&bytes)).await.is_ok_and(|written| written.is_ok())
                {
                    self.barriers[connection] = Barrier::Sent { invoke_id };
                }
            }
        }
        let all_are_back =
            |player: &Self| !player.barriers.iter().any(|barrier| matches!(barrier, Barrier::Sent { .. }));
        self.hear_until(Instant::now() + wait, all_are_back).await;
    }

    /// Whether the replayed session was opened and not closed.
    fn stands(&self, connection: usize) -> bool {
        let heard = &self.replayed.heard[connection];
        let has = |message_type| heard.iter().any(|message| message.message_type() == message_type);
        has(MessageType::OPEN_CONF) && !has(MessageType::CLOSE_CONF)
    }

    fn unused_invoke_id(&self, connection: usize) -> u32 {
        let sent = |step: &Step| match &step.what {
            What::Sent { message, .. } if step.connection == connection => message.as_ref()?.invoke_id(),
            _ => None,
        };
        let used: std::collections::HashSet<u32> = self.recording.steps.iter().filter_map(sent).collect();
        (0..=u32::MAX).rev().find(|id| !used.contains(id)).unwrap_or_default()
    }

    fn hear(&mut self, connection: usize, told: Told) {
        if self.room == 0 {
            return self.lose(connection, format!("more than {HEARD_MAX} messages came"));
        }
        self.room -= 1;
        let version = self.recording.connections[connection].version;
        let message = match told {
            Told::Frame(frame) => AnyMessage::decode(&frame, version),
            Told::Closed(error) => {
                let is_right = self.barriers[connection] == Barrier::Back
                    || self.recording.connections[connection].ended_by_server
                    || self.has_said_goodbye(connection);
                if !is_right || error.is_some() {
                    self.lose(connection, error.map_or("the gateway closed it".to_owned(), |error| error.to_string()));
                }
                self.lines[connection] = None;
                self.barriers[connection] = Barrier::Back;
                return self.owed.retain(|key, _| key.connection() != connection);
            }
        };
        let message = match message {
            Ok(message) => message,
            Err(error) => return self.lose(connection, error.to_string()),
        };
        if let (AnyMessage::HeartbeatConf(back), Barrier::Sent { invoke_id }) = (&message, self.barriers[connection])
            && back.invoke_id == invoke_id
        {
            self.barriers[connection] = Barrier::Back;
            return;
        }
        let fields = message.to_json(version).as_object().cloned().unwrap_or_default();
        let in_recorded = serde_json::Value::Object(self.replayed.ids.as_recorded(connection, fields.clone()));
        let key = key(connection, &message, monitor(&in_recorded));
        let count = self.seen.entry(key).or_default();
        if let Some(counterpart) = self.counterparts.get(&key).and_then(|all| all.get(*count))
            && counterpart.message_type() == message.message_type()
            && let Some(recorded) = counterpart.to_json(version).as_object()
            // Where events are missing or out of order, the n-th is not that of the n-th.
            && (matches!(key, Key::Answer { .. })
                || agree(message.name().unwrap_or_default(), recorded, &fields, self.ignored))
        {
            self.replayed.ids.learn(connection, recorded, &fields);
        }
        *count += 1;
        if !take_one(&mut self.owed, key) {
            *self.early.entry(key).or_default() += 1;
        }
        self.replayed.heard[connection].push(message);
    }

    fn has_said_goodbye(&self, connection: usize) -> bool {
        self.replayed.heard[connection].iter().any(|message| matches!(message, AnyMessage::CloseConf(_)))
    }

    fn lose(&mut self, connection: usize, why: String) {
        self.replayed.lost[connection].get_or_insert(why);
        self.lines[connection] = None;
        self.barriers[connection] = Barrier::Back;
        self.owed.retain(|key, _| key.connection() != connection);
    }
}

/// Takes one of a key, if there is one.
fn take_one(counts: &mut HashMap<Key, usize>, key: Key) -> bool {
    let Some(count) = counts.get_mut(&key) else { return false };
    *count -= 1;
    if *count == 0 {
        counts.remove(&key);
    }
    true
}

/// Why a replay cannot be.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlayError {
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
}

/// The latest that a request is sent; a recording is not longer than a year.
const PAUSE_MAX: Duration = Duration::from_secs(365 * 24 * 3600);
const MESSAGES_WAITING_MAX: usize = 1024;
/// Those of the server that are kept, of all connections together: twice what a recording may have.
const HEARD_MAX: usize = 2_000_000;

#[cfg(test)]
mod tests {
    use cti_protocol::ged188::{OpenConf, OpenReq, SystemEvent};
    use tokio::net::TcpListener;

    use super::*;

    fn bytes_of(message: impl Into<AnyMessage>) -> BytesMut {
        let mut bytes = BytesMut::new();
        message.into().encode(VERSION, &mut bytes).unwrap();
        bytes
    }

    /// A session that was opened, as it is recorded.
    fn opened() -> Recording {
        let open = OpenReq { invoke_id: 1, version_number: VERSION.number(), ..Default::default() };
        let confirm = OpenConf { invoke_id: 1, ..Default::default() };
        let line =
            |from, bytes: BytesMut| format!("{{\"connection\": 1, \"from\": \"{from}\", \"hex\": \"{bytes:x}\"}}\n");
        let lines = line("client", bytes_of(open)) + &line("server", bytes_of(confirm));
        Recording::read(lines.as_bytes(), false).unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_gateway_that_never_stops_talking_and_never_answers_is_not_listened_to_without_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let events = bytes_of(SystemEvent::default()).repeat(1_000);
            while stream.write_all(&events).await.is_ok() {}
        });
        let (recording, ignored) = (opened(), Ignored::new(&[]));
        let pace = Pace { speed: None, wait: Duration::from_millis(50) };
        let replayed =
            timeout(Duration::from_secs(20), play(&recording, &address.as_str().into(), pace, &ignored)).await;
        let replayed = replayed.expect("it ends").unwrap();
        assert_eq!((replayed.requests, &replayed.lost[0]), (1, &None));
        assert!(replayed.heard[0].iter().all(|message| matches!(message, AnyMessage::SystemEvent(_))));
    }

    const VERSION: Version = Version::new(20).unwrap();
}
