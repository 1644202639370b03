//! The Asterisk and the gateway that are measured: started, looked at, stopped.
//!
//! Must hold: what was started is stopped, however the bench ends.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Failure, Process, address_of};

/// An Asterisk of this bench's own.
pub(crate) struct Asterisk {
    pub(crate) port: u16,
    pub(crate) pid: u32,
    folder: PathBuf,
}

impl Asterisk {
    /// Starts one, and installs it first where that was not done yet. The failure is a line for people.
    pub(crate) fn start() -> Result<Asterisk, Failure> {
        let folder = match std::env::var_os("CTIGATE_ASTERISK") {
            Some(folder) => PathBuf::from(folder),
            None => Path::new(ROOT).join("target/asterisk"),
        };
        let port = PORTS.into_iter().find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
        let port = port.ok_or("no port is free for its manager interface")?;
        script(&folder, "stop", &[])?; // what a bench that was killed may have left
        let said = script(&folder, "up", &[&port.to_string()])?;
        let pid = said.trim_end().rsplit("pid ").next().and_then(|pid| pid.parse().ok());
        let pid = pid.ok_or_else(|| format!("the script does not say its pid: {said:?}"))?;
        Ok(Asterisk { port, pid, folder })
    }
}

impl Drop for Asterisk {
    fn drop(&mut self) {
        let _ = script(&self.folder, "stop", &[]); // the bench ends, whatever comes of it
    }
}

fn script(folder: &Path, verb: &str, arguments: &[&str]) -> Result<String, Failure> {
    let path = Path::new(ROOT).join(SCRIPT);
    let mut command = Command::new(&path);
    command.arg(verb).arg(folder).arg(INSTANCE).args(arguments).stdin(Stdio::null());
    let ran = command.output().map_err(|error| format!("{}: {error}", path.display()))?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr);
        return Err(said.lines().next().unwrap_or("the script says nothing").into());
    }
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}

/// A gateway that speaks to that Asterisk.
pub(crate) struct Gateway {
    pub(crate) address: String,
    process: Process,
}

impl Gateway {
    pub(crate) fn start(asterisk: &Asterisk) -> Result<Gateway, Failure> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (config, log) = (folder.join("bench-asterisk.toml"), folder.join("bench-asterisk.log"));
        fs::write(&config, CONFIG.replace("{port}", &asterisk.port.to_string()))?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_ctigate"));
        command.arg("serve").arg("-c").arg(config).stderr(fs::File::create(&log)?);
        let mut process = Process::start(command)?;
        let ready = process.line().map_err(|error| format!("the gateway: {error}, see {}", log.display()))?;
        Ok(Gateway { address: address_of(&ready)?, process })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }
}

/// The seconds of processor time that a process has used: user and system, fields 14 and 15 of its line, counted from
/// behind the name, which may hold anything.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64, Failure> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let behind_name = stat.rsplit_once(')').ok_or("no name in the process's line")?.1;
    let ticks = behind_name.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks: u64 = ticks.sum::<Result<_, _>>()?;
    Ok(ticks as f64 / TICKS_PER_SECOND)
}

pub(crate) const QUEUE: &str = "sales";
pub(crate) const USER: &str = "ctigate";
pub(crate) const SECRET: &str = "ctigate-secret";
const CONFIG: &str = r#"
[limits]
requests_per_second_max = 1000000
[[listener]]
address = "127.0.0.1:0"
[[acd]]
kind = "asterisk"
peripheral = 5000
port = {port}
user = "ctigate"
secret = "ctigate-secret"
interface = "Local/{instrument}@long-agents/n"
[[acd.queue]]
number = 1
name = "sales"
"#;
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Installs, starts and stops a real Asterisk: `up DIR NAME PORT`, `stop DIR NAME`.
const SCRIPT: &str = "tests/asterisk/asterisk";
const INSTANCE: &str = "bench";
/// Of its manager interface; SIP and RTP are a few above.
const PORTS: [u16; 4] = [15_238, 16_238, 17_238, 18_238];
/// USER_HZ, whatever the kernel's own clock.
const TICKS_PER_SECOND: f64 = 100.0;
