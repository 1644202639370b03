//! Sessions that come, stay and go.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::fan_out::greeting;
use crate::messages::{self, AGENTS, Frames};
use crate::report::{Report, Row, Target};
use crate::servers::{Kind, Server};
use crate::support::Failure;
use crate::swarm::Swarm;

const SLICE: Duration = Duration::from_millis(300);
/// How often each is measured. The first time is for warmth, and counts for nothing.
const ROUNDS: usize = 9;
/// Who shows life.
const ALIVE: usize = 1_000;
const IDLE: usize = 10_000;
/// Ten minutes of them.
const HEARTBEATS: u32 = 120;
const BETWEEN_HEARTBEATS: Duration = Duration::from_secs(5);
/// As many as one process can have, with what else it has open.
const IDLE_MOST: usize = 19_000;
const IDLE_BYTES_MAX: f64 = 2_048.0;

pub(crate) fn measure(report: &mut Report) -> Result<(), Failure> {
    come_and_go(report)?;
    show_life(report)?;
    stay(report)
}

/// Connect, OPEN_REQ, CLOSE_REQ.
fn come_and_go(report: &mut Report) -> Result<(), Failure> {
    let start = |kind| Server::start(kind)?.ok_or(Failure::from("it is part of this bench"));
    let servers = [start(Kind::Gateway { agents: 1 })?, start(Kind::Epoll)?];
    let [mut ours, mut theirs] = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for (server, all) in servers.iter().zip([&mut ours, &mut theirs]) {
            let (cpu, start, mut visits) = (server.cpu()?, Instant::now(), 0);
            while start.elapsed() < SLICE {
                visit(server)?;
                visits += 1;
            }
            if round > 0 {
                all.push((server.cpu()? - cpu).as_secs_f64() * 1e6 / f64::from(visits));
            }
        }
    }
    let path = "accept + OPEN + CLOSE";
    report.add(Row::new(path, "CPU µs/session", Kind::Epoll.name(), ours, theirs, Target::AtMost(1.3)));
    Ok(())
}

fn visit(server: &Server) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(server.address)?;
    stream.set_nodelay(true)?;
    let mut scratch = [0; 1_024];
    for request in [messages::open_to_command(), messages::close()] {
        stream.write_all(&request)?;
        let (mut frames, mut answers) = (Frames::default(), 0);
        while answers == 0 {
            let read = stream.read(&mut scratch)?;
            if read == 0 {
                return Err("a visitor was closed".into());
            }
            answers += frames.count(&scratch[..read])?;
        }
    }
    Ok(())
}

/// A sign of life of each client, and its answer.
fn show_life(report: &mut Report) -> Result<(), Failure> {
    let mut all = Vec::new();
    for kind in [Kind::Gateway { agents: 1 }, Kind::Epoll, Kind::Nats] {
        let Some(server) = Server::start(kind)? else { continue };
        let mut swarm = Swarm::connect(server.address, ALIVE)?;
        match kind {
            Kind::Nats => greet(&mut swarm, kind)?,
            _ => swarm.each_asks(0..ALIVE, 1, |_| messages::open_to_command())?,
        }
        all.push((server, swarm, Vec::new()));
    }
    for round in 0..ROUNDS {
        for (server, swarm, figures) in &mut all {
            let (sign, answer_bytes) = match server.kind {
                Kind::Nats => (b"PING\r\n".to_vec(), b"PONG\r\n".len()),
                _ => (messages::heartbeat(), messages::HEADER_BYTES + 4),
            };
            let (cpu, start, mut signs) = (server.cpu()?, Instant::now(), 0);
            while start.elapsed() < SLICE {
                for client in 0..ALIVE {
                    swarm.send(client, &sign)?;
                }
                let mut due = ALIVE * answer_bytes;
                while due > 0 {
                    swarm.hear(|_, bytes| {
                        due = due.checked_sub(bytes.len()).ok_or("more has come than was asked for")?;
                        Ok(())
                    })?;
                }
                signs += ALIVE;
            }
            if round > 0 {
                figures.push((server.cpu()? - cpu).as_secs_f64() * 1e6 / signs as f64);
            }
        }
    }
    let (ours, others) = all.split_first().ok_or("nobody was measured")?;
    for (server, _, theirs) in others {
        let target = if server.kind == Kind::Nats { 0.6 } else { 1.4 };
        let path = format!("heartbeat of {ALIVE}");
        let target = Target::AtMost(target);
        report.add(Row::new(&path, "CPU µs/heartbeat", server.kind.name(), ours.2.clone(), theirs.clone(), target));
    }
    Ok(())
}

/// What a session costs that does nothing.
fn stay(report: &mut Report) -> Result<(), Failure> {
    let limit = Target::AtMost(1.0);
    let deaf = idle(Kind::Gateway { agents: 1 }, IDLE, |_| messages::open_to_command())?;
    let path = format!("idle session that hears nothing, {IDLE} of them");
    let deaf = deaf.ok_or("it is part of this bench")?;
    report.add(Row::new(&path, "bytes", "2,048 bytes", vec![deaf], vec![IDLE_BYTES_MAX], limit));
    let ours = idle(Kind::Gateway { agents: IDLE as u32 }, IDLE, desktop)?.ok_or("it is part of this bench")?;
    let path = format!("idle session, {IDLE} of them");
    report.add(Row::new(&path, "bytes", "2,048 bytes", vec![ours], vec![IDLE_BYTES_MAX], limit));
    if let Some(theirs) = idle(Kind::Nats, IDLE, desktop)? {
        report.add(Row::new(&path, "bytes", Kind::Nats.name(), vec![ours], vec![theirs], Target::AtMost(0.12)));
    }
    if let Some(theirs) = idle(Kind::Redis, IDLE, desktop)? {
        report.add(Row::new(&path, "bytes", Kind::Redis.name(), vec![ours], vec![theirs], limit));
    }
    let mut most = Vec::new();
    for _ in 0..5 {
        most.extend(idle(Kind::Gateway { agents: IDLE_MOST as u32 }, IDLE_MOST, desktop)?);
    }
    let (path, limits) = (format!("idle session, {IDLE_MOST} of them"), vec![IDLE_BYTES_MAX; most.len()]);
    report.add(Row::new(&path, "bytes", "2,048 bytes", most, limits, limit));
    Ok(())
}

/// How a desktop opens its session: with an agent of its own, of whom it hears.
fn desktop(client: usize) -> Vec<u8> {
    messages::open_of_agent(AGENTS + client as u32)
}

/// Bytes of the server's memory for each of so many sessions; the gateway's are opened with that.
fn idle(kind: Kind, sessions: usize, open: fn(usize) -> Vec<u8>) -> Result<Option<f64>, Failure> {
    let Some(server) = Server::start(kind)? else { return Ok(None) };
    let mut swarm = Swarm::connect(server.address, 0)?;
    let before = server.memory()?;
    for client in 0..sessions {
        swarm.add(server.address)?;
        match kind {
            Kind::Gateway { .. } => {
                swarm.each_asks(client..client + 1, 1, open)?;
            }
            _ => {
                let (hello, subscribe) = greeting(kind);
                swarm.send(client, &[hello, subscribe].concat())?;
            }
        }
    }
    while swarm.hear_for(SETTLED, |_, _| Ok(()))? {}
    Ok(Some((server.memory()? - before) as f64 / sessions as f64))
}

/// Whether heartbeats leave anything behind: memory of the whole process after ten minutes of them, beside that after five. By then each of the
/// gateway's threads has taken its part in an audit, for which it keeps its room.
pub(crate) fn stay_alive(report: &mut Report) -> Result<(), Failure> {
    let server = Server::start(Kind::Gateway { agents: IDLE as u32 })?.ok_or("it is part of this bench")?;
    let mut swarm = Swarm::connect(server.address, IDLE)?;
    swarm.each_asks(0..IDLE, 1, desktop)?;
    let start = Instant::now();
    let mut memory = Vec::new();
    for round in 1..=HEARTBEATS {
        swarm.each_asks(0..IDLE, 1, |_| messages::heartbeat())?;
        memory.push(server.memory()? as f64 / IDLE as f64);
        std::thread::sleep((BETWEEN_HEARTBEATS * round).saturating_sub(start.elapsed()));
    }
    let (after_half, after_all) = (memory[memory.len() / 2], memory[memory.len() - 1]);
    let path = format!("{IDLE} sessions after 10 minutes of heartbeats");
    let target = Target::AtMost(1.01);
    report.add(Row::new(&path, "process bytes/session", "after 5", vec![after_all], vec![after_half], target));
    Ok(())
}

fn greet(swarm: &mut Swarm, kind: Kind) -> Result<(), Failure> {
    for client in 0..swarm.clients.len() {
        swarm.send(client, &greeting(kind).0)?;
    }
    while swarm.hear_for(SETTLED, |_, _| Ok(()))? {}
    Ok(())
}

/// Nothing more comes by itself then; NATS asks once whether a client lives, after two seconds.
const SETTLED: Duration = Duration::from_secs(3);
