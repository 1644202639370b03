//! Many who watch: each has to hear of every change of an agent's state, from Asterisk itself or from a gateway.
//!
//! One manager client changes states at a steady rate, whoever watches. The changes are done one after the other, so that the
//! n-th event that somebody hears of is that of the n-th change: how long it took is counted from when the change was asked for.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cti_protocol::ged188::codes::{AgentStateMask, ServiceMask};
use cti_protocol::ged188::{MessageType, OpenReq, Text};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use crate::clients::{PERIPHERAL, VERSION, encoded};
use crate::direct::{EVENT_CLASSES, Manager};
use crate::figures::Tally;
use crate::house::QUEUE;
use crate::starting_gun;
use crate::support::Failure;

/// How one side did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Watched {
    /// Of all that were due, to all who watch.
    pub(crate) heard: u64,
    pub(crate) due: u64,
    /// What was not heard counts as heard at the end of all patience.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Processor time in a second while states change: Asterisk's, and that of who watches and changes.
    #[serde(default)]
    pub(crate) busy: [f64; 2],
    /// The changes that were asked for in a second.
    pub(crate) changes_per_second: f64,
}

/// Changes states for a while, and says when those who watch heard of it: a gateway's clients, or else Asterisk's own.
pub(crate) fn run(port: u16, gateway: Option<&str>) -> Result<Watched, Failure> {
    let mut driver = Manager::log_in(port, "off")?;
    for agent in 0..AGENTS {
        driver.must_do(&action("QueueAdd", agent, &format!("Queue: {QUEUE}\r\nMemberName: {}\r\n", 1001 + agent)))?;
        driver.must_do(&pause(agent, true))?;
    }
    std::thread::sleep(SETTLED);
    let watchers: Vec<Watcher> = (0..WATCHERS)
        .map(|_| gateway.map_or_else(|| Watcher::of_asterisk(port), Watcher::of_gateway))
        .collect::<Result<_, _>>()?;
    starting_gun()?;
    let changes = CHANGES_PER_SECOND * TIME.as_secs() as usize;
    let asked: Arc<[AtomicU64]> = (0..changes).map(|_| AtomicU64::new(0)).collect();
    let begun = Instant::now();
    let heard_of = Arc::clone(&asked);
    let heard = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(all(watchers, &heard_of, begun))
    });
    for (change, at) in asked.iter().enumerate() {
        let due = begun + Duration::from_secs(1) * change as u32 / CHANGES_PER_SECOND as u32;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        at.store(begun.elapsed().as_nanos() as u64, Ordering::Release);
        driver.send(&pause(change % AGENTS, (change / AGENTS) % 2 == 1))?;
    }
    let took = begun.elapsed();
    driver.all_done(changes)?;
    let (tally, heard) = heard.join().map_err(|_| "who watches has failed")??;
    let (mut driver, due) = (Manager::log_in(port, "off")?, (WATCHERS * changes) as u64);
    for agent in 0..AGENTS {
        driver.must_do(&action("QueueRemove", agent, &format!("Queue: {QUEUE}\r\n")))?;
    }
    let figures = tally.figures(took);
    Ok(Watched {
        heard,
        due,
        p50_ms: figures.p50_us / 1e3,
        p99_ms: figures.p99_us / 1e3,
        busy: [0.0; 2],
        changes_per_second: changes as f64 / took.as_secs_f64(),
    })
}

/// What all hear, and how much of it.
async fn all(watchers: Vec<Watcher>, asked: &Arc<[AtomicU64]>, begun: Instant) -> Result<(Tally, u64), Failure> {
    let until = begun + TIME + PATIENCE;
    let mut hearing = JoinSet::new();
    for watcher in watchers {
        hearing.spawn(watcher.hear(Arc::clone(asked), begun, until));
    }
    let (mut all, mut heard) = (Tally::new(), 0);
    while let Some(done) = hearing.join_next().await {
        let tally = done??;
        heard += tally.figures(TIME).requests;
        all.add(&tally);
    }
    for _ in heard..(WATCHERS * asked.len()) as u64 {
        all.answered(TIME + PATIENCE);
    }
    Ok((all, heard))
}

/// One who watches.
struct Watcher {
    stream: TcpStream,
    stage: Stage,
}

/// What is looked for in the bytes that come, and how far it was found.
enum Stage {
    /// Frames that tell of an agent.
    Frames { header: [u8; HEADER_BYTES], known: usize, body_left: usize },
    /// This line.
    Line { matched: usize },
}

impl Watcher {
    fn of_asterisk(port: u16) -> Result<Watcher, Failure> {
        let stream = Manager::log_in(port, EVENT_CLASSES)?.filtered()?;
        Ok(Watcher { stream, stage: Stage::Line { matched: 0 } })
    }

    fn of_gateway(address: &str) -> Result<Watcher, Failure> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let request = OpenReq {
            invoke_id: 1,
            version_number: VERSION.number(),
            idle_timeout: u32::MAX,
            peripheral_id: PERIPHERAL,
            services_requested: ServiceMask::CTI_SERVICE_ALL_EVENTS,
            agent_state_mask: AgentStateMask::ALL,
            client_id: Some(Text::new("bench")?),
            client_password: Some(Default::default()),
            ..Default::default()
        };
        stream.write_all(&encoded(request)?)?;
        let mut header = [0; HEADER_BYTES];
        stream.read_exact(&mut header)?;
        stream.read_exact(&mut vec![0; number(&header[..4]) as usize])?;
        if MessageType(number(&header[4..])) != MessageType::OPEN_CONF {
            return Err("no session was opened".into());
        }
        Ok(Watcher { stream, stage: Stage::Frames { header, known: 0, body_left: 0 } })
    }

    async fn hear(self, asked: Arc<[AtomicU64]>, begun: Instant, until: Instant) -> Result<Tally, Failure> {
        let Watcher { stream, mut stage } = self;
        stream.set_nonblocking(true)?;
        let mut stream = tokio::net::TcpStream::from_std(stream)?;
        let (mut tally, mut heard, mut scratch) = (Tally::new(), 0, vec![0; READ_BYTES]);
        while heard < asked.len() {
            let Ok(read) = timeout_at(until.into(), stream.read(&mut scratch)).await else { break };
            let read = read?;
            if read == 0 {
                break; // it was too slow for the other side
            }
            let now = begun.elapsed();
            for _ in 0..stage.count(&scratch[..read]) {
                let at = asked.get(heard).ok_or("more events than changes")?.load(Ordering::Acquire);
                let after = now.checked_sub(Duration::from_nanos(at)).filter(|_| at > 0);
                tally.answered(after.ok_or("an event before its change was asked for")?);
                heard += 1;
            }
        }
        Ok(tally)
    }
}

impl Stage {
    /// How often it ends in these bytes.
    fn count(&mut self, mut bytes: &[u8]) -> usize {
        let mut count = 0;
        match self {
            Stage::Line { matched } => {
                // What a read may have cut first, then all at once.
                while *matched > 0 && !bytes.is_empty() {
                    match bytes[0] == LINE[*matched] {
                        true => (*matched, bytes) = (*matched + 1, &bytes[1..]),
                        false => *matched = 0,
                    }
                    if *matched == LINE.len() {
                        (count, *matched) = (count + 1, 0);
                    }
                }
                count += memchr::memmem::find_iter(bytes, LINE).count();
                let tails = (1..LINE.len()).rev();
                *matched = tails.into_iter().find(|len| bytes.ends_with(&LINE[..*len])).unwrap_or(*matched);
            }
            Stage::Frames { header, known, body_left } => {
                while !bytes.is_empty() {
                    let taken = bytes.len().min(HEADER_BYTES - *known);
                    header[*known..*known + taken].copy_from_slice(&bytes[..taken]);
                    (*known, bytes) = (*known + taken, &bytes[taken..]);
                    if *known < HEADER_BYTES {
                        break;
                    }
                    if taken > 0 {
                        *body_left = number(&header[..4]) as usize;
                    }
                    let taken = bytes.len().min(*body_left);
                    (*body_left, bytes) = (*body_left - taken, &bytes[taken..]);
                    if *body_left == 0 {
                        *known = 0;
                        count += usize::from(MessageType(number(&header[4..])) == MessageType::AGENT_STATE_EVENT);
                    }
                }
            }
        }
        count
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn pause(agent: usize, is_paused: bool) -> String {
    action("QueuePause", agent, &format!("Paused: {is_paused}\r\n"))
}

fn action(name: &str, agent: usize, rest: &str) -> String {
    format!("Action: {name}\r\nInterface: Local/{}@long-agents/n\r\n{rest}\r\n", 3001 + agent)
}

pub(crate) const WATCHERS: usize = 200;
const CHANGES_PER_SECOND: usize = 500;
const AGENTS: usize = 50;
const TIME: Duration = Duration::from_secs(5);
/// For what is late.
const PATIENCE: Duration = Duration::from_secs(5);
/// What the logins bring about has been told by then.
const SETTLED: Duration = Duration::from_millis(500);
const LINE: &[u8] = b"Event: QueueMemberPause\r\n";
const HEADER_BYTES: usize = 8;
const READ_BYTES: usize = 16 * 1024;
