//! One event to many subscribers, beside whatever else copies bytes to many.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::messages::{self, AGENTS, PUBLISH, SUBSCRIBE};
use crate::report::{Report, Row, Target};
use crate::servers::{Kind, Server};
use crate::support::Failure;
use crate::swarm::Swarm;

/// How many events come at once in a burst, each of another agent.
const BURST: usize = 100;
const SLICE: Duration = Duration::from_millis(350);
/// How often each is measured. The first time is for warmth, and counts for nothing.
const ROUNDS: usize = 12;
/// By then a client that follows everything has shown that it reads.
const WARM_BYTES: u64 = 1024 * 1024;

/// What is at most so many times that of each server: one event at a time, and in a burst.
struct Targets {
    base: Kind,
    single: f64,
    burst: f64,
}

const TARGETS: [Targets; 4] = [
    Targets { base: Kind::Epoll, single: 1.15, burst: 1.3 },
    Targets { base: Kind::Nats, single: 0.6, burst: 0.25 },
    Targets { base: Kind::Redis, single: 0.95, burst: 0.6 },
    Targets { base: Kind::Mosquitto, single: 0.85, burst: 0.05 },
];

pub(crate) fn measure(report: &mut Report) -> Result<(), Failure> {
    for subscribers in [100, 1_000] {
        compare(report, subscribers)?;
    }
    burst_to_many(report, 5_000)?;
    Ok(())
}

fn compare(report: &mut Report, subscribers: usize) -> Result<(), Failure> {
    let mut audiences =
        vec![Audience::gateway(subscribers, Hearing::Everything)?, Audience::gateway(subscribers, Hearing::OneAgent)?];
    let event = audiences[0].event.clone();
    for Targets { base, .. } in TARGETS {
        audiences.extend(Audience::of(base, subscribers, &event)?);
    }
    let mut all: Vec<(Vec<Slice>, Vec<Slice>)> = audiences.iter().map(|_| Default::default()).collect();
    for round in 0..ROUNDS {
        for (audience, (singles, bursts)) in audiences.iter_mut().zip(&mut all) {
            let (single, burst) = (audience.publish(1)?, audience.publish(BURST)?);
            if round > 0 {
                singles.push(single);
                bursts.push(burst);
            }
        }
    }
    let of = |slices: &[Slice], of: fn(&Slice) -> f64| slices.iter().map(of).collect::<Vec<_>>();
    let cpu = |slices: &[Slice]| of(slices, |slice| slice.cpu_us);
    let [(singles, bursts), (own_singles, _)] = &all[..2] else { return Err("the gateway is missing".into()) };
    for Targets { base, single, burst } in TARGETS {
        let Some(at) = audiences.iter().position(|audience| audience.server.kind == base) else { continue };
        let (path, many) = (
            format!("fan-out to {subscribers:5}, one at a time"),
            format!("fan-out to {subscribers:5}, bursts of {BURST}"),
        );
        let figure = "CPU µs/delivery";
        report.add(Row::new(&path, figure, base.name(), cpu(singles), cpu(&all[at].0), Target::AtMost(single)));
        report.add(Row::new(&many, figure, base.name(), cpu(bursts), cpu(&all[at].1), Target::AtMost(burst)));
        if base == Kind::Epoll && subscribers == 1_000 {
            let last = |slices: &[Slice]| of(slices, |slice| slice.last_p99_us);
            let path = format!("the last of {subscribers}, one event");
            report.add(Row::new(&path, "p99 µs", base.name(), last(singles), last(&all[at].0), Target::AtMost(1.2)));
        }
    }
    let path = format!("fan-out to {subscribers:5}, each with a monitor of its own");
    report.add(Row::new(&path, "CPU µs/delivery", "without", cpu(own_singles), cpu(singles), Target::AtMost(1.1)));
    Ok(())
}

fn burst_to_many(report: &mut Report, subscribers: usize) -> Result<(), Failure> {
    let mut gateway = Audience::gateway(subscribers, Hearing::Everything)?;
    let event = gateway.event.clone();
    let Some(mut redis) = Audience::of(Kind::Redis, subscribers, &event)? else { return Ok(()) };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let slices = (gateway.publish(BURST)?, redis.publish(BURST)?);
        if round > 0 {
            ours.push(slices.0.cpu_us);
            theirs.push(slices.1.cpu_us);
        }
    }
    let path = format!("fan-out to {subscribers:5}, bursts of {BURST}");
    report.add(Row::new(&path, "CPU µs/delivery", Kind::Redis.name(), ours, theirs, Target::AtMost(0.85)));
    Ok(())
}

/// What the gateway's clients have subscribed to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hearing {
    /// All agents.
    Everything,
    /// The first agent, by a monitor each.
    OneAgent,
}

/// A server, its subscribers, and behind them in the swarm who publishes.
struct Audience {
    server: Server,
    swarm: Swarm,
    subscribers: usize,
    /// The bytes that a subscriber gets for one event.
    event: Vec<u8>,
    delivered_bytes: usize,
    /// What is sent for the next events, over and over.
    publish: Vec<Vec<u8>>,
    next: usize,
}

/// What one slice of time showed.
struct Slice {
    cpu_us: f64,
    /// How long after it was sent the last subscriber had it.
    last_p99_us: f64,
}

impl Audience {
    fn gateway(subscribers: usize, hearing: Hearing) -> Result<Audience, Failure> {
        let agents = BURST as u32;
        let server = Server::start(Kind::Gateway { agents })?.ok_or("it is part of this bench")?;
        let mut swarm = Swarm::connect(server.address, subscribers + 1)?;
        let all = AGENTS..AGENTS + agents;
        swarm.each_asks(subscribers..subscribers + 1, 1, |_| messages::open_to_command())?;
        for step in [0, 2] {
            let turns: Vec<u8> = all.clone().flat_map(|agent| messages::turn(agent, step)).collect();
            swarm.each_asks(subscribers..subscribers + 1, BURST, |_| turns.clone())?;
        }
        match hearing {
            // OPEN_CONF, and how the peripheral is.
            Hearing::Everything => swarm.each_asks(0..subscribers, 2, |_| messages::open_to_hear())?,
            Hearing::OneAgent => {
                swarm.each_asks(0..subscribers, 1, |_| messages::open_to_monitor())?;
                swarm.each_asks(0..subscribers, 1, |_| messages::monitor(AGENTS))?;
            }
        }
        let publish = match hearing {
            Hearing::Everything => {
                [1, 2].iter().flat_map(|step| all.clone().map(|agent| messages::turn(agent, *step))).collect()
            }
            Hearing::OneAgent => [1, 2].iter().map(|step| messages::turn(AGENTS, *step)).collect(),
        };
        let mut audience =
            Audience { server, swarm, subscribers, event: Vec::new(), delivered_bytes: 0, publish, next: 0 };
        audience.event = audience.next_event()?;
        audience.delivered_bytes = audience.event.len();
        if audience.next_event()?.len() != audience.delivered_bytes {
            return Err("the events differ in length".into());
        }
        let mut warm = 0;
        while hearing == Hearing::Everything && warm < WARM_BYTES {
            audience.publish_and_hear(BURST)?;
            warm += (BURST * audience.delivered_bytes) as u64;
        }
        Ok(audience)
    }

    /// What an event is for the first subscriber.
    fn next_event(&mut self) -> Result<Vec<u8>, Failure> {
        let mut first = Vec::new();
        self.swarm.send(self.subscribers, &self.publish[self.next % self.publish.len()])?;
        self.next += 1;
        let quiet = Duration::from_millis(300);
        while self.swarm.hear_for(quiet, |client, bytes| {
            if client == 0 {
                first.extend_from_slice(bytes);
            }
            Ok(())
        })? {}
        if first.is_empty() { Err("no event has come".into()) } else { Ok(first) }
    }

    /// Another server that is to copy the same bytes.
    fn of(kind: Kind, subscribers: usize, event: &[u8]) -> Result<Option<Audience>, Failure> {
        let Some(server) = Server::start(kind)? else { return Ok(None) };
        let mut swarm = Swarm::connect(server.address, subscribers + 1)?;
        let (hello, subscribe) = greeting(kind);
        for client in 0..=subscribers {
            swarm.send(client, &hello)?;
            if client < subscribers {
                swarm.send(client, &subscribe)?;
            }
        }
        // Some ask back whether the client lives, once.
        while swarm.hear_for(Duration::from_secs(if kind == Kind::Nats { 3 } else { 1 }), |_, _| Ok(()))? {}
        let (publish, delivered_bytes) = published(kind, event);
        Ok(Some(Audience {
            server,
            swarm,
            subscribers,
            event: event.to_vec(),
            delivered_bytes,
            publish: vec![publish],
            next: 0,
        }))
    }

    fn publish(&mut self, at_once: usize) -> Result<Slice, Failure> {
        let mut last = Histogram::<u64>::new(3)?;
        let (cpu, start, mut events) = (self.server.cpu()?, Instant::now(), 0);
        while start.elapsed() < SLICE || events == 0 {
            let took = self.publish_and_hear(at_once)?;
            last.record(u64::try_from(took.as_nanos())?)?;
            events += at_once;
        }
        let cpu = self.server.cpu()? - cpu;
        let deliveries = events * self.subscribers;
        Ok(Slice {
            cpu_us: cpu.as_secs_f64() * 1e6 / deliveries as f64,
            last_p99_us: last.value_at_quantile(0.99) as f64 / 1e3,
        })
    }

    /// Publishes so many events, and returns when each subscriber has each of them.
    fn publish_and_hear(&mut self, at_once: usize) -> Result<Duration, Failure> {
        let mut bytes = Vec::new();
        for _ in 0..at_once {
            bytes.extend_from_slice(&self.publish[self.next % self.publish.len()]);
            self.next += 1;
        }
        let (sent, mut due) = (Instant::now(), at_once * self.delivered_bytes * self.subscribers);
        self.swarm.send(self.subscribers, &bytes)?;
        while due > 0 {
            self.swarm.hear(|client, bytes| {
                if client < self.subscribers {
                    due = due.checked_sub(bytes.len()).ok_or("more has come than was sent")?;
                }
                Ok(())
            })?;
        }
        Ok(sent.elapsed())
    }
}

/// What a client says first, and what it says to subscribe.
pub(crate) fn greeting(kind: Kind) -> (Vec<u8>, Vec<u8>) {
    match kind {
        Kind::Nats => (b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPONG\r\n".to_vec(), b"SUB e 1\r\n".to_vec()),
        Kind::Redis => (Vec::new(), b"*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\ne\r\n".to_vec()),
        Kind::Mosquitto => {
            (b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00".to_vec(), b"\x82\x06\x00\x01\x00\x01e\x00".to_vec())
        }
        Kind::Epoll | Kind::Tokio | Kind::Gateway { .. } => (Vec::new(), messages::frame(SUBSCRIBE, b"")),
    }
}

/// What publishes the event, and how many bytes a subscriber gets for it.
fn published(kind: Kind, event: &[u8]) -> (Vec<u8>, usize) {
    let length = event.len();
    let with = |before: &str, after: &[u8]| [before.as_bytes(), event, after].concat();
    match kind {
        Kind::Nats => {
            (with(&format!("PUB e {length}\r\n"), b"\r\n"), format!("MSG e 1 {length}\r\n").len() + length + 2)
        }
        Kind::Redis => {
            let delivered = format!("*3\r\n$7\r\nmessage\r\n$1\r\ne\r\n${length}\r\n").len() + length + 2;
            (with(&format!("*3\r\n$7\r\nPUBLISH\r\n$1\r\ne\r\n${length}\r\n"), b"\r\n"), delivered)
        }
        Kind::Mosquitto => {
            let left = length + 3;
            // MQTT counts in sevens of bits, the lowest first.
            let size = if left < 128 { vec![left as u8] } else { vec![(left % 128) as u8 | 0x80, (left / 128) as u8] };
            let packet = [&[0x30], &size[..], b"\x00\x01e", event].concat();
            let delivered = packet.len();
            (packet, delivered)
        }
        Kind::Epoll | Kind::Tokio | Kind::Gateway { .. } => (messages::frame(PUBLISH, event), length),
    }
}
