//! The servers that are measured: started, kept to their core, looked at, stopped.
//!
//! Must hold: what was started is stopped, however the bench ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::messages::{AGENTS, INSTRUMENTS, PERIPHERAL};
use crate::support::{Failure, address_of, memory_bytes};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The gateway, with so many agents in its embedded ACD.
    Gateway {
        agents: u32,
    },
    /// See [`bases`](crate::bases).
    Epoll,
    /// See [`bases`](crate::bases).
    Tokio,
    Nats,
    Redis,
    Mosquitto,
}

/// The core of the server that is measured.
const SERVER_CORE: usize = 0;
/// The core of whoever makes the load.
pub(crate) const LOAD_CORE: usize = 1;

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Gateway { .. } => "gateway",
            Kind::Epoll => "bare epoll",
            Kind::Tokio => "plain tokio",
            Kind::Nats => "NATS",
            Kind::Redis => "Redis",
            Kind::Mosquitto => "Mosquitto",
        }
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Server {
    /// Starts one. None if it is not installed here.
    pub(crate) fn start(kind: Kind) -> Result<Option<Server>, Failure> {
        let port = || -> Result<u16, Failure> { Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port()) };
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let itself = std::env::current_exe()?.display().to_string();
        match kind {
            Kind::Epoll => Server::that_says_its_address(kind, &[&itself, "--serve", "epoll"]).map(Some),
            Kind::Tokio => Server::that_says_its_address(kind, &[&itself, "--serve", "tokio"]).map(Some),
            Kind::Gateway { agents } => {
                let config = folder.join(format!("compare-{agents}.toml"));
                fs::write(&config, config_of(agents))?;
                let config = config.display().to_string();
                Server::that_says_its_address(kind, &[env!("CARGO_BIN_EXE_ctigate"), "serve", "-c", &config]).map(Some)
            }
            Kind::Nats => {
                let (port, config) = (port()?, folder.join("compare-nats.conf"));
                fs::write(&config, format!("host: 127.0.0.1\nport: {port}\nping_interval: \"1h\"\n"))?;
                Server::at(kind, port, &["nats-server", "-c", &config.display().to_string()])
            }
            Kind::Redis => {
                let port = port()?;
                let number = port.to_string();
                let limit = "pubsub 0 0 0";
                let arguments = ["redis-server", "--port", &number, "--bind", "127.0.0.1", "--save", ""];
                let more = ["--maxclients", "19000", "--client-output-buffer-limit", limit];
                Server::at(kind, port, &[&arguments[..], &more].concat())
            }
            Kind::Mosquitto => {
                let (port, config) = (port()?, folder.join("compare-mosquitto.conf"));
                let lines = [
                    &format!("listener {port} 127.0.0.1"),
                    "allow_anonymous true",
                    "user root",
                    "set_tcp_nodelay true",
                    "max_queued_messages 0",
                    "max_inflight_messages 0",
                ];
                fs::write(&config, lines.join("\n") + "\n")?;
                Server::at(kind, port, &["mosquitto", "-c", &config.display().to_string()])
            }
        }
    }

    fn that_says_its_address(kind: Kind, command: &[&str]) -> Result<Server, Failure> {
        let mut child = on_its_core(command).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no pipe")?).read_line(&mut line)?;
        let line = line.trim_end();
        let address = if let Kind::Gateway { .. } = kind { address_of(line)? } else { line.to_owned() };
        let address = address.parse().map_err(|_| format!("{} has not begun", kind.name()))?;
        Ok(Server { kind, address, child })
    }

    fn at(kind: Kind, port: u16, command: &[&str]) -> Result<Option<Server>, Failure> {
        let is_installed = ["/usr/bin", "/usr/sbin"].iter().any(|folder| Path::new(folder).join(command[0]).exists());
        if !is_installed {
            println!("{} is not installed: it is left out", kind.name());
            return Ok(None);
        }
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let server = Server { kind, address, child: on_its_core(command).stdout(Stdio::null()).spawn()? };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if begun.elapsed() > PATIENCE {
                return Err(format!("{} has not begun", kind.name()).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(server))
    }

    /// The processor time that it has used, user's and system's, of all its threads that still run.
    pub(crate) fn cpu(&self) -> Result<Duration, Failure> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let Ok(line) = fs::read_to_string(task?.path().join("schedstat")) else { continue }; // just ended
            nanoseconds += line.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The process's resident memory, in bytes.
    pub(crate) fn memory(&self) -> Result<u64, Failure> {
        memory_bytes(self.child.id())
    }

    /// How many segments with data came in and went out on its sockets that are open now: as many as writes, at either end,
    /// while each fits into one.
    pub(crate) fn segments(&self) -> Result<(u64, u64), Failure> {
        let port = format!("sport = :{}", self.address.port());
        let said = Command::new("ss").args(["-tinH", &port]).output().map_err(|error| format!("ss: {error}"))?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let sum = |name: &str| {
            said.split_whitespace().filter_map(|word| word.strip_prefix(name)?.parse::<u64>().ok()).sum::<u64>()
        };
        Ok((sum("data_segs_in:"), sum("data_segs_out:")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait()); // it may have ended by itself
    }
}

fn on_its_core(command: &[&str]) -> Command {
    let mut on_core = Command::new("taskset");
    on_core.arg("-c").arg(SERVER_CORE.to_string()).args(command).stdin(Stdio::null()).stderr(Stdio::null());
    on_core
}

fn config_of(agents: u32) -> String {
    let instruments = AGENTS + INSTRUMENTS;
    format!(
        "[limits]\nrequests_per_second_max = 10000000\nconnections_per_address_max = 20000\n\
         sessions_per_client_max = 20000\n[[listener]]\naddress = \"127.0.0.1:0\"\n[[acd]]\nkind = \"embedded\"\n\
         peripheral = {PERIPHERAL}\n[[acd.agents]]\nfirst = {AGENTS}\ncount = {agents}\npassword = \"pw\"\nqueues = [1]\n\
         [[acd.instruments]]\nfirst = {instruments}\ncount = {agents}\n"
    )
}

const PATIENCE: Duration = Duration::from_secs(10);
