//! Processes that are started, told what to do, and ended with the bench.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::Failure;

/// A process that is told something line by line, and says something line by line; ended with this.
pub(crate) struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Result<Process, Failure> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = BufReader::new(child.stdout.take().ok_or("no pipe")?);
        Ok(Process { child, stdout })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its next line, waited for.
    pub(crate) fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            return Err("a process ended before it should".into());
        }
        Ok(line.trim_end().to_owned())
    }

    pub(crate) fn tell(&mut self, line: &str) -> Result<(), Failure> {
        let stdin = self.child.stdin.as_mut().ok_or("no pipe")?;
        Ok(writeln!(stdin, "{line}")?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait()); // it may have ended by itself
    }
}

/// Where a gateway that says it is ready can be asked.
pub(crate) fn address_of(ready: &str) -> Result<String, Failure> {
    let listeners = ready.strip_prefix("ready ").ok_or_else(|| format!("the gateway says {ready:?}"))?;
    let listeners: serde_json::Value = serde_json::from_str(listeners)?;
    Ok(listeners["ged188"].as_str().ok_or("no listener")?.to_owned())
}

/// Lets all threads of the process run on that core only.
pub(crate) fn keep_to_core(pid: u32, core: usize) -> Result<(), Failure> {
    let ran = Command::new("taskset").args(["-acp", &core.to_string(), &pid.to_string()]).output();
    let ran = ran.map_err(|error| format!("taskset: {error}"))?;
    if ran.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&ran.stderr).trim_end().into()) }
}

/// The process's resident memory.
pub(crate) fn memory_bytes(pid: u32) -> Result<u64, Failure> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no memory is told")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
