//! What a request and an event cost where there are few of everything, and where there are many.

use std::time::{Duration, Instant};

use crate::messages::{self, AGENTS, Frames};
use crate::report::{Report, Row, Target};
use crate::servers::{Kind, Server};
use crate::support::Failure;
use crate::swarm::Swarm;

const FEW: u32 = 100;
/// As many as one process can have sessions for, with what else it has open.
const MANY: u32 = 19_000;
const SLICE: Duration = Duration::from_millis(300);
/// How often each is measured. The first time is for warmth, and counts for nothing.
const ROUNDS: usize = 12;
/// Requests on their way at a time.
const AT_ONCE: usize = 16;

pub(crate) fn measure(report: &mut Report) -> Result<(), Failure> {
    requests_and_events(report)?;
    let path = format!("{MANY} sessions: a heartbeat of each in turn");
    let (ours, theirs) = (heartbeats(Crowd::gather)?, heartbeats(Crowd::gather_bare)?);
    let (figure, target) = ("times that of 100", Target::AtMost(1.2));
    report.add(Row::new(&path, figure, Kind::Epoll.name(), ours, theirs, target));
    Ok(())
}

/// How many times what it costs among few a heartbeat costs among many, whose sockets and sessions are in nobody's cache.
fn heartbeats(gather: fn(u32) -> Result<Crowd, Failure>) -> Result<Vec<f64>, Failure> {
    let (mut few, mut many) = (gather(FEW)?, gather(MANY)?);
    let mut figures = Vec::new();
    for round in 0..ROUNDS {
        let slices = (few.work(Work::Heartbeats, FEW)?, many.work(Work::Heartbeats, MANY)?);
        if round > 0 {
            figures.push(slices.1 / slices.0);
        }
    }
    Ok(figures)
}

fn requests_and_events(report: &mut Report) -> Result<(), Failure> {
    let (mut few, mut many) = (Crowd::gather(FEW)?, Crowd::gather(MANY)?);
    let mut figures: [(Vec<f64>, Vec<f64>, Vec<f64>); 2] = Default::default();
    for round in 0..ROUNDS {
        for (work, (of_few, of_same, of_all)) in [Work::Queries, Work::Changes].into_iter().zip(&mut figures) {
            let slices = (few.work(work, FEW)?, many.work(work, FEW)?, many.work(work, MANY)?);
            if round > 0 {
                of_few.push(slices.0);
                of_same.push(slices.1);
                of_all.push(slices.2);
            }
        }
    }
    for (what, figure, (of_few, of_same, of_all)) in
        [("a query", "CPU µs/request", &figures[0]), ("a change and its event", "CPU µs/event", &figures[1])]
    {
        let base = "100 agents";
        for (whose, ours) in [("the first 100", of_same), ("all in turn", of_all)] {
            let path = format!("{MANY} agents: {what}, {whose}");
            report.add(Row::new(&path, figure, base, ours.clone(), of_few.clone(), Target::AtMost(1.2)));
        }
    }
    Ok(())
}

/// What the one who commands asks for.
#[derive(Clone, Copy)]
enum Work {
    Queries,
    /// Ready or not ready: each is told to the agent's own desktop.
    Changes,
    /// Each desktop's own.
    Heartbeats,
}

/// A gateway with so many agents, each logged in and with a desktop that hears of it; and behind those one who commands.
struct Crowd {
    server: Server,
    swarm: Swarm,
    agents: u32,
    /// The agent whose turn was last: of the first ones, and of all.
    last: [u32; 2],
    /// Which of them are ready.
    ready: Vec<bool>,
}

impl Crowd {
    fn gather(agents: u32) -> Result<Crowd, Failure> {
        let server = Server::start(Kind::Gateway { agents })?.ok_or("it is part of this bench")?;
        let mut swarm = Swarm::connect(server.address, 0)?;
        for client in 0..agents as usize {
            swarm.add(server.address)?;
            swarm.each_asks(client..client + 1, 1, |client| messages::open_of_agent(AGENTS + client as u32))?;
        }
        let commander = swarm.add(server.address)?;
        swarm.each_asks(commander..commander + 1, 1, |_| messages::open_to_command())?;
        let mut crowd = Crowd { server, swarm, agents, last: [0; 2], ready: vec![false; agents as usize] };
        for step in [0, 2] {
            for first in (0..agents).step_by(AT_ONCE) {
                let few: Vec<_> = (first..agents.min(first + AT_ONCE as u32)).collect();
                let turns: Vec<u8> = few.iter().flat_map(|agent| messages::turn(AGENTS + agent, step)).collect();
                crowd.ask(&turns, few.len(), 0)?;
            }
        }
        while crowd.swarm.hear_for(SETTLED, |_, _| Ok(()))? {}
        Ok(crowd)
    }

    /// So many clients of a server that knows nothing, and one more.
    fn gather_bare(clients: u32) -> Result<Crowd, Failure> {
        let server = Server::start(Kind::Epoll)?.ok_or("it is part of this bench")?;
        let mut swarm = Swarm::connect(server.address, 0)?;
        for client in 0..=clients as usize {
            swarm.add(server.address)?;
            swarm.each_asks(client..client + 1, 1, |_| messages::open_to_command())?;
        }
        Ok(Crowd { server, swarm, agents: clients, last: [0; 2], ready: Vec::new() })
    }

    /// Processor time of each, the first so many agents in turn.
    fn work(&mut self, work: Work, agents: u32) -> Result<f64, Failure> {
        let (cpu, start, mut done) = (self.server.cpu()?, Instant::now(), 0);
        let mut requests = Vec::new();
        while start.elapsed() < SLICE {
            requests.clear();
            for _ in 0..AT_ONCE {
                // Far from the one before, in whatever order they are kept.
                let last = &mut self.last[usize::from(agents == self.agents)];
                *last = (*last + STRIDE) % agents;
                let (agent, client) = (AGENTS + *last, *last as usize);
                match work {
                    Work::Queries => requests.extend(messages::query(agent)),
                    Work::Changes => {
                        self.ready[client] = !self.ready[client];
                        requests.extend(messages::turn(agent, if self.ready[client] { 1 } else { 2 }));
                    }
                    Work::Heartbeats => self.swarm.send(client, &messages::heartbeat())?,
                }
            }
            let (confirms, heard) = match work {
                Work::Queries => (AT_ONCE, 0),
                Work::Changes => (AT_ONCE, AT_ONCE),
                Work::Heartbeats => (0, AT_ONCE),
            };
            self.ask(&requests, confirms, heard)?;
            done += AT_ONCE;
        }
        Ok((self.server.cpu()? - cpu).as_secs_f64() * 1e6 / done as f64)
    }

    /// The one who commands asks, and hears so many confirms; the others hear so many frames at least.
    fn ask(&mut self, requests: &[u8], confirms: usize, frames_of_others: usize) -> Result<(), Failure> {
        let commander = self.agents as usize;
        self.swarm.send(commander, requests)?;
        let (mut frames, mut confirmed, mut heard) = (Frames::default(), 0, 0);
        while confirmed < confirms || heard < frames_of_others {
            self.swarm.hear(|client, bytes| {
                match client {
                    _ if client == commander => confirmed += frames.count(bytes)?,
                    _ => heard += Frames::default().count(bytes)?,
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// Has no part in common with the numbers of agents.
const STRIDE: u32 = 7_919;
/// Nothing more comes by itself then.
const SETTLED: Duration = Duration::from_secs(1);
