//! A gateway as a process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A gateway; what is left of it ends with this.
pub struct Process {
    pub address: SocketAddr,
    child: Child,
    _directory: tempfile::TempDir,
}

/// How it is started.
pub struct Start {
    config: String,
    descriptors_max: Option<u64>,
    stderr: Stdio,
    environment: Vec<(&'static str, String)>,
}

/// What should happen happens long before this.
pub const PATIENCE: Duration = Duration::from_secs(60);

impl Start {
    /// With that configuration, and a GED-188 listener on a free port.
    pub fn with(config: &str) -> Start {
        let config = format!("{config}\n[[listener]]\naddress = \"127.0.0.1:0\"\n");
        Start { config, descriptors_max: None, stderr: Stdio::null(), environment: Vec::new() }
    }

    /// It may have so many descriptors.
    pub fn descriptors_max(mut self, max: u64) -> Start {
        self.descriptors_max = Some(max);
        self
    }

    /// Its log goes there.
    pub fn stderr(mut self, to: impl Into<Stdio>) -> Start {
        self.stderr = to.into();
        self
    }

    pub fn environment(mut self, name: &'static str, value: impl Into<String>) -> Start {
        self.environment.push((name, value.into()));
        self
    }

    /// Starts it, and waits until it says that it is ready.
    pub fn gateway(self) -> Process {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("gateway.toml");
        std::fs::write(&file, self.config).expect("a file");
        let limit = self.descriptors_max.map(|max| format!("ulimit -n {max}; ")).unwrap_or_default();
        let mut child = Command::new("sh")
            .args(["-c", &format!("{limit}exec \"$0\" serve -c \"$1\"")])
            .args([env!("CARGO_BIN_EXE_ctigate").as_ref(), file.as_os_str()])
            .envs(self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.stderr)
            .spawn()
            .expect("the gateway starts");
        let mut ready = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut ready).expect("a line");
        let listeners = ready.strip_prefix("ready ").expect("the line says ready");
        let listeners: serde_json::Value = serde_json::from_str(listeners).expect("JSON");
        let address = listeners["ged188"].as_str().expect("an address").parse().expect("an address");
        Process { address, child, _directory: directory }
    }
}

impl Process {
    /// SIGTERM.
    pub fn is_sent_away(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        assert!(status.success());
    }

    /// SIGKILL.
    pub fn dies(mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("the gateway ends");
    }

    /// Waits for its end.
    pub async fn ends(mut self) -> ExitStatus {
        let waited = tokio::task::spawn_blocking(move || self.child.wait());
        tokio::time::timeout(PATIENCE, waited).await.expect("an end").expect("no panic").expect("a status")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// How many descriptors a process may have here.
pub fn descriptors_max() -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("limits");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("one of files");
    line.split_whitespace().next().and_then(|soft| soft.parse().ok()).unwrap_or(u64::MAX)
}
