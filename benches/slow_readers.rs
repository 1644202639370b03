//! What a thousand clients that read nothing cost a thousand others: their latency with and without them, in turns, in
//! one run.
//!
//! The thousand that are measured are agents' desktops that go ready and not ready all the time, together at even distances,
//! each seldom enough that it never waits for itself; a latency counts from the sending. The thousand that do not read have
//! subscribed to all of that and come one after the other; one that is closed for it comes back at once and goes on not
//! reading, so that at any time some have just come and their sockets still take something. Gateway, measured clients and the
//! others each have a process.
//!
//!     cargo bench --bench slow_readers
#![allow(clippy::print_stdout, reason = "a bench tells its figures there, and its processes talk to each other")]

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use bytes::BytesMut;
use cti_protocol::ged188::codes::{AgentState, AgentStateMask, CallMsgMask, ServiceMask};
use cti_protocol::ged188::{AnyMessage, Data, FrameCodec, HeartbeatReq, OpenReq, SetAgentStateReq, Text, Version};
use hdrhistogram::Histogram;
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep_until};
use tokio_util::codec::Decoder;

#[path = "support/mod.rs"]
mod support;

use support::{Failure, Process, Spread, address_of, memory_bytes};

const CLIENTS: u32 = 1_000;
/// Requests a second of all measured clients together. Each brings an event to each of those that do not read.
const PER_SECOND: u32 = 200;
const MEASURED: Duration = Duration::from_secs(15);
/// Over how long those that do not read come.
const COMING: Duration = Duration::from_secs(10);
/// How long they are there before it is measured: by then the first have been closed for it, and the others one by one.
const FILLING: Duration = Duration::from_secs(10);
const PAIRS: usize = 5;
const VERSION: Version = Version::new(20).unwrap();
const CONFIG: &str = r#"
[[listener]]
address = "127.0.0.1:0"
[[acd]]
kind = "embedded"
[[acd.agents]]
first = 10001
count = 1000
password = "pw{id}"
queues = [1, 2, 3]
[[acd.instruments]]
first = 20001
count = 1000
"#;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = match arguments[..] {
        ["--deaf", address] => deaf(address),
        ["--measured", address] => run(measured(address)),
        _ if arguments.contains(&"--bench") => bench(),
        _ => {
            println!("cargo bench runs this; cargo test does not");
            Ok(())
        }
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

// --- the order of a run ---------------------------------------------------------------------------------------------

fn bench() -> Result<(), Failure> {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let config = directory.join("bench-slow-readers.toml");
    std::fs::write(&config, CONFIG)?;
    let mut gateway = Command::new(env!("CARGO_BIN_EXE_ctigate"));
    gateway.arg("serve").arg("-c").arg(config).stderr(Stdio::null());
    let mut gateway = Process::start(gateway)?;
    let address = address_of(&gateway.line()?)?;

    let mut measured = Process::start(itself("--measured", &address)?)?;
    measured.line()?;
    println!("{CLIENTS} measured, {PER_SECOND} requests a second; latency in ms");
    println!("   without those that do not read    with {CLIENTS} of them               p99  gateway's memory");
    let mut ratios = Vec::new();
    for _ in 0..PAIRS {
        let without = measure(&mut measured)?;
        let mut deaf = Process::start(itself("--deaf", &address)?)?;
        deaf.line()?;
        std::thread::sleep(FILLING);
        let with = measure(&mut measured)?;
        let memory = memory_bytes(gateway.pid())? / 1_000_000;
        deaf.tell("end")?;
        let closed: u64 = deaf.line()?.parse()?;
        let ratio = with.p99 / without.p99;
        ratios.push(ratio);
        println!("   {without}   {with}   {ratio:.2}  {memory} MB; {closed} were closed for it and came back");
    }
    let median = Spread::of(ratios).median;
    println!("p99 with them is {median:.2} times that without, the median of {PAIRS} pairs; 2 at most is promised");
    if median <= 2.0 { Ok(()) } else { Err("the promise is not kept".into()) }
}

fn itself(as_what: &str, address: &str) -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([as_what, address]);
    Ok(command)
}

/// One slice of time of those that are measured.
fn measure(measured: &mut Process) -> Result<Latency, Failure> {
    measured.tell("measure")?;
    let line = measured.line()?;
    let mut numbers = line.split(' ').map(str::parse);
    let mut next = || numbers.next().ok_or("a figure is missing")?.map_err(|_| line.clone());
    Ok(Latency { p50: next()?, p99: next()?, max: next()? })
}

struct Latency {
    p50: f64,
    p99: f64,
    max: f64,
}

impl std::fmt::Display for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Latency { p50, p99, max } = self;
        write!(f, "p50 {p50:6.2} p99 {p99:6.2} max {max:7.2}")
    }
}

/// What the first process wants next.
fn orders() -> tokio::sync::mpsc::UnboundedReceiver<String> {
    let (send, receive) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        std::io::stdin().lines().map_while(Result::ok).for_each(|line| drop(send.send(line)));
    });
    receive
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

// --- those that do not read -----------------------------------------------------------------------------------------

/// On sockets that nobody watches: what comes in there costs this process nothing, since it reads nothing of it.
fn deaf(address: &str) -> Result<(), Failure> {
    let (address, mut orders, begun) = (address.parse()?, orders(), Instant::now());
    let (mut closed, mut come) = (0_u64, 0);
    // One after the other: as many as that come at once are another matter.
    let mut all: Vec<_> = (0..CLIENTS).map(|at| (begun + COMING / CLIENTS * at, None::<Socket>)).collect();
    while orders.is_empty() {
        for (due, socket) in &mut all {
            if *due > Instant::now() {
                continue;
            }
            match socket.as_mut().map(|socket| socket.write_all(&frame(HeartbeatReq::default()))) {
                Some(Ok(())) => (),
                gone => {
                    (closed, come) = if gone.is_some() { (closed + 1, come) } else { (closed, come + 1) };
                    *socket = Some(open_deaf(address)?);
                    if gone.is_none() && come == CLIENTS {
                        say("ready")?;
                    }
                }
            }
            *due += SIGN_OF_LIFE;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    orders.blocking_recv();
    say(&closed.to_string())
}

/// Not reading, a client learns only by what it sends that the other end has gone.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

fn open_deaf(address: SocketAddr) -> Result<Socket, Failure> {
    let mut socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_recv_buffer_size(4_096)?;
    socket.connect(&address.into())?;
    socket.write_all(&frame(open_req("deaf", ServiceMask::CTI_SERVICE_ALL_EVENTS)))?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    socket.set_write_timeout(Some(Duration::from_secs(5)))?;
    socket.peek(&mut [std::mem::MaybeUninit::uninit()])?;
    Ok(socket)
}

// --- those that are measured ----------------------------------------------------------------------------------------

async fn measured(address: &str) -> Result<(), Failure> {
    let (address, mut orders) = (address.parse()?, orders());
    let mut desks = Vec::new();
    for agent in 10_001..10_001 + CLIENTS {
        desks.push(Desk::open(address, agent).await?);
    }
    say("ready")?;
    let (heard, mut latencies) = tokio::sync::mpsc::unbounded_channel();
    let start = Instant::now() + Duration::from_millis(100);
    let mut working = tokio::task::JoinSet::new();
    for (at, desk) in (0..).zip(desks) {
        working.spawn(desk.work(start, at, heard.clone()));
    }
    loop {
        tokio::select! {
            order = orders.recv() => if order.is_none() { return Ok(()) },
            ended = working.join_next() => return ended.ok_or("nobody works")??,
        }
        while latencies.try_recv().is_ok() {} // of before
        let mut all = Histogram::<u64>::new(3)?;
        let end = Instant::now() + MEASURED;
        while let Ok(latency) = tokio::time::timeout_at(end, latencies.recv()).await {
            all.record(latency.ok_or("nobody works")?)?;
        }
        let ms = |microseconds: u64| microseconds as f64 / 1_000.0;
        let (p50, p99) = (ms(all.value_at_quantile(0.5)), ms(all.value_at_quantile(0.99)));
        say(&format!("{p50} {p99} {}", ms(all.max())))?;
    }
}

struct Desk {
    agent: u32,
    stream: TcpStream,
    read: BytesMut,
    frames: FrameCodec,
    invoke_id: u32,
}

impl Desk {
    async fn open(address: SocketAddr, agent: u32) -> Result<Desk, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut desk = Desk { agent, stream, read: BytesMut::new(), frames: FrameCodec::default(), invoke_id: 1 };
        let services = ServiceMask::CTI_SERVICE_CLIENT_EVENTS | ServiceMask::CTI_SERVICE_CLIENT_CONTROL;
        let request = OpenReq { agent_id: text(&agent.to_string())?, ..open_req("desktop", services) };
        desk.stream.write_all(&frame(request)).await?;
        desk.hear(|message| matches!(message, AnyMessage::OpenConf(_))).await?;
        desk.ask(AgentState::AGENT_STATE_LOGIN).await?;
        Ok(desk)
    }

    /// Every so often a request, measured or not.
    async fn work(mut self, start: Instant, at: u32, heard: UnboundedSender<u64>) -> Result<(), Failure> {
        let (pause, every) = (Duration::from_secs(1) / PER_SECOND, Duration::from_secs(1) / PER_SECOND * CLIENTS);
        let mut due = start + pause * at;
        loop {
            sleep_until(due).await;
            let states = [AgentState::AGENT_STATE_AVAILABLE, AgentState::AGENT_STATE_NOT_READY];
            let sent = Instant::now();
            self.ask(states[self.invoke_id as usize % 2]).await?;
            heard.send(u64::try_from(sent.elapsed().as_micros())?)?;
            due += every;
        }
    }

    async fn ask(&mut self, agent_state: AgentState) -> Result<(), Failure> {
        self.invoke_id += 1;
        let invoke_id = self.invoke_id;
        let agent_id = text(&self.agent.to_string())?;
        let mut request =
            SetAgentStateReq { invoke_id, peripheral_id: 5000, agent_state, agent_id, ..Default::default() };
        if agent_state == AgentState::AGENT_STATE_LOGIN {
            request.agent_instrument = text(&(self.agent + 10_000).to_string())?;
            request.agent_password = Some(Text::new(&format!("pw{}", self.agent))?.into());
        }
        self.stream.write_all(&frame(request)).await?;
        self.hear(|message| matches!(message, AnyMessage::SetAgentStateConf(said) if said.invoke_id == invoke_id)).await
    }

    async fn hear(&mut self, is_it: impl Fn(&AnyMessage) -> bool) -> Result<(), Failure> {
        loop {
            while let Some(frame) = self.frames.decode(&mut self.read)? {
                match AnyMessage::decode(&frame, VERSION)? {
                    message if is_it(&message) => return Ok(()),
                    AnyMessage::AgentStateEvent(_) | AnyMessage::SystemEvent(_) => (),
                    other => return Err(format!("agent {} heard {other:?}", self.agent).into()),
                }
            }
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err("a measured client was closed".into());
            }
        }
    }
}

fn open_req(client: &str, services: ServiceMask) -> OpenReq {
    OpenReq {
        invoke_id: 1,
        version_number: VERSION.number(),
        idle_timeout: 0xffff_ffff,
        peripheral_id: 0xffff_ffff,
        services_requested: services,
        call_msg_mask: CallMsgMask(0),
        agent_state_mask: AgentStateMask(0x3fff),
        client_id: Text::new(client).ok(),
        client_password: Data::new(&[0_u8][..]).ok().map(Into::into),
        ..Default::default()
    }
}

fn frame(message: impl Into<AnyMessage>) -> BytesMut {
    let mut bytes = BytesMut::new();
    if let Err(error) = message.into().encode(VERSION, &mut bytes) {
        unreachable!("a message of this bench cannot be written: {error}");
    }
    bytes
}

fn text<const MAX: usize>(content: &str) -> Result<Option<Text<MAX>>, Failure> {
    Ok(Some(Text::new(content)?))
}
