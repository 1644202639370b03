//! Requests and their confirms, beside an echo of the same frames.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::messages::{self, AGENTS, Frames};
use crate::report::{Report, Row, Target};
use crate::servers::{Kind, Server};
use crate::support::Failure;
use crate::swarm::Swarm;

const CLIENTS: usize = 64;
const SLICE: Duration = Duration::from_millis(300);
/// How often each is measured. The first time is for warmth, and counts for nothing.
const ROUNDS: usize = 21;
const PIPELINED: usize = 16;

pub(crate) fn measure(report: &mut Report) -> Result<(), Failure> {
    let mut gateway = Peers::start(Kind::Gateway { agents: CLIENTS as u32 })?;
    let mut echo = Peers::start(Kind::Tokio)?;
    let agent = |client: usize| AGENTS + client as u32;
    gateway.swarm.each_asks(0..CLIENTS, 1, |_| messages::open_to_command())?;
    gateway.swarm.each_asks(0..CLIENTS, 1, |client| messages::turn(agent(client), 0))?;
    gateway.swarm.each_asks(0..CLIENTS, 1, |client| messages::turn(agent(client), 2))?;

    let queries: Vec<_> = (0..CLIENTS).map(|client| vec![messages::query(agent(client))]).collect();
    let states: Vec<_> =
        (0..CLIENTS).map(|client| [1, 2].map(|step| messages::turn(agent(client), step)).to_vec()).collect();
    let rounds: Vec<_> =
        (0..CLIENTS).map(|client| [3, 0, 1, 2].map(|step| messages::turn(agent(client), step)).to_vec()).collect();
    let mut figures: [Vec<Slice>; 6] = Default::default();
    for round in 0..ROUNDS {
        let slices = [
            gateway.ask(&queries, 1)?,
            echo.ask(&queries, 1)?,
            gateway.ask(&states, 1)?,
            gateway.ask(&queries, PIPELINED)?,
            echo.ask(&queries, PIPELINED)?,
            gateway.ask(&rounds, 1)?,
        ];
        if round > 0 {
            figures.iter_mut().zip(slices).for_each(|(all, slice)| all.push(slice));
        }
    }
    let [own, echo, hop, pipelined, echo_pipelined, logins] = figures;
    let mut row = |path: &str, figure, ours: &[Slice], theirs: &[Slice], of: fn(&Slice) -> f64, target| {
        let (ours, theirs) = (ours.iter().map(of).collect(), theirs.iter().map(of).collect());
        report.add(Row::new(path, figure, Kind::Tokio.name(), ours, theirs, target));
    };
    let query = "request/confirm, 64 × 1, answered in its own task";
    row(query, "CPU µs/request", &own, &echo, |slice| slice.cpu_us, Target::AtMost(1.10));
    row(query, "requests/s", &own, &echo, |slice| slice.per_second, Target::AtLeast(0.9));
    row(query, "p50 µs", &own, &echo, |slice| slice.p50_us, Target::AtMost(1.1));
    row(query, "p99 µs", &own, &echo, |slice| slice.p99_us, Target::AtMost(1.25));
    let change = "request/confirm, 64 × 1, over the ACD";
    row(change, "CPU µs/request", &hop, &echo, |slice| slice.cpu_us, Target::AtMost(1.35));
    row(change, "requests/s", &hop, &echo, |slice| slice.per_second, Target::AtLeast(0.9));
    row(change, "p50 µs", &hop, &echo, |slice| slice.p50_us, Target::AtMost(1.1));
    row(change, "p99 µs", &hop, &echo, |slice| slice.p99_us, Target::AtMost(1.25));
    let many = "request/confirm, 64 × 16 pipelined";
    row(many, "CPU µs/request", &pipelined, &echo_pipelined, |slice| slice.cpu_us, Target::AtMost(1.7));
    let mut row = |path, figure, base, ours: &[Slice], theirs: Vec<f64>, of: fn(&Slice) -> f64, target| {
        report.add(Row::new(path, figure, base, ours.iter().map(of).collect(), theirs, target));
    };
    row(many, "writes/read", "one", &pipelined, vec![1.0; pipelined.len()], |slice| slice.writes, Target::AtMost(1.1));
    let own = own.iter().map(|slice| slice.per_second).collect();
    row(
        "login → ready → not ready → logout",
        "requests/s",
        "own queries",
        &logins,
        own,
        |slice| slice.per_second,
        Target::AtLeast(0.5),
    );
    Ok(())
}

/// A server and its clients.
struct Peers {
    server: Server,
    swarm: Swarm,
    /// Which of its requests each client sends next.
    next: Vec<usize>,
}

/// What one slice of time showed.
struct Slice {
    cpu_us: f64,
    per_second: f64,
    p50_us: f64,
    p99_us: f64,
    /// The server's for each of its clients'.
    writes: f64,
}

impl Peers {
    fn start(kind: Kind) -> Result<Peers, Failure> {
        let server = Server::start(kind)?.ok_or("it is part of this bench")?;
        let swarm = Swarm::connect(server.address, CLIENTS)?;
        Ok(Peers { server, swarm, next: vec![0; CLIENTS] })
    }

    /// Each client has so many requests outstanding, and sends as many as were confirmed.
    fn ask(&mut self, requests: &[Vec<Vec<u8>>], depth: usize) -> Result<Slice, Failure> {
        self.next.fill(0);
        let (mut latencies, mut asked, mut answered) = (Histogram::<u64>::new(3)?, 0_u64, 0_u64);
        let mut frames = vec![Frames::default(); CLIENTS];
        let mut sent: Vec<VecDeque<(Instant, usize)>> = vec![VecDeque::new(); CLIENTS];
        let mut due: Vec<(usize, usize)> = (0..CLIENTS).map(|client| (client, depth)).collect();
        let (segments, cpu, start) = (self.server.segments()?, self.server.cpu()?, Instant::now());
        let mut bytes = Vec::new();
        while answered < asked || !due.is_empty() {
            for (client, count) in due.drain(..) {
                let of_client = &requests[client];
                bytes.clear();
                for _ in 0..count {
                    bytes.extend_from_slice(&of_client[self.next[client] % of_client.len()]);
                    self.next[client] += 1;
                }
                sent[client].push_back((Instant::now(), count));
                self.swarm.send(client, &bytes)?;
                asked += count as u64;
            }
            let is_over = start.elapsed() >= SLICE;
            self.swarm.hear(|client, bytes| {
                let now = Instant::now();
                let mut ended = frames[client].count(bytes)?;
                answered += ended as u64;
                // Whole rounds: each begins where the last one ended.
                if ended > 0 && (!is_over || !self.next[client].is_multiple_of(requests[client].len())) {
                    due.push((client, ended));
                }
                while ended > 0 {
                    let (at, left) = sent[client].front_mut().ok_or("an answer to nothing")?;
                    let of_these = ended.min(*left);
                    latencies.record_n(u64::try_from(now.duration_since(*at).as_nanos())?, of_these as u64)?;
                    (ended, *left) = (ended - of_these, *left - of_these);
                    if *left == 0 {
                        sent[client].pop_front();
                    }
                }
                Ok(())
            })?;
        }
        let (took, cpu) = (start.elapsed(), self.server.cpu()? - cpu);
        let (read, written) = self.server.segments()?;
        Ok(Slice {
            cpu_us: cpu.as_secs_f64() * 1e6 / answered as f64,
            per_second: answered as f64 / took.as_secs_f64(),
            p50_us: latencies.value_at_quantile(0.5) as f64 / 1e3,
            p99_us: latencies.value_at_quantile(0.99) as f64 / 1e3,
            writes: (written - segments.1) as f64 / (read - segments.0) as f64,
        })
    }
}
