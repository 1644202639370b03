//! baresip, a SIP phone that many people use, worked by its `ctrl_tcp` module. Not here: what a test wants of it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::rig::PATIENCE;

/// A phone that is switched on; it is switched off when this is dropped.
pub struct Baresip {
    child: Child,
    control: TcpStream,
    heard: Vec<u8>,
    sip_port: u16,
    folder: tempfile::TempDir,
}

impl Baresip {
    /// The phone of that name, registered. Nobody speaks into it.
    pub async fn registered(sip_port: u16, user: &str) -> Baresip {
        Baresip::with_voice(sip_port, user, 0).await
    }

    /// The same, into which somebody hums.
    pub async fn hummed_into(sip_port: u16, user: &str) -> Baresip {
        Baresip::with_voice(sip_port, user, 8_000).await
    }

    async fn with_voice(sip_port: u16, user: &str, loudness: i16) -> Baresip {
        let folder = tempfile::tempdir().expect("a folder");
        let control_port = free_port();
        let voice = folder.path().join("voice.wav");
        std::fs::write(&voice, hum(Duration::from_secs(120), loudness)).expect("a file");
        let (voice, heard) = (voice.display().to_string(), folder.path().display().to_string());
        let config = format!(
            "sip_listen 127.0.0.1:0\nnet_interface 127.0.0.1\nmodule_path {}\n\
             audio_source aufile,{voice}\naudio_alert aufile,{voice}\n\
             snd_path {heard}\n\
             module g711.so\nmodule aufile.so\nmodule sndfile.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
             ctrl_tcp_listen 127.0.0.1:{control_port}\n",
            modules().display(),
        );
        let account = format!(
            "<sip:{user}@127.0.0.1:{sip_port};transport=udp>;auth_user={user};auth_pass=phone-secret;answermode=manual;regint=60\n"
        );
        for (name, text) in [("config", config), ("accounts", account), ("contacts", String::new())] {
            let mut file = std::fs::File::create(folder.path().join(name)).expect("a file");
            file.write_all(text.as_bytes()).expect("a file that takes bytes");
        }
        let child = Command::new("baresip")
            .arg("-f")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("baresip starts");
        let connects = async {
            loop {
                match TcpStream::connect(("127.0.0.1", control_port)).await {
                    Ok(control) => return control,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        let control = tokio::time::timeout(PATIENCE, connects).await.expect("baresip listens");
        let mut phone = Baresip { child, control, heard: Vec::new(), sip_port, folder };
        let registers = async {
            loop {
                phone.does("reginfo", "").await;
                if phone.next().await["data"].as_str().is_some_and(|data| data.contains("OK ")) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, registers).await.expect("baresip registers");
        phone
    }

    pub async fn rings(&mut self) {
        self.shows("CALL_INCOMING").await;
    }

    pub async fn answers(&mut self) {
        self.does("accept", "").await;
        self.shows("CALL_ESTABLISHED").await;
    }

    pub async fn dials(&mut self, number: &str) {
        let number = format!("sip:{number}@127.0.0.1:{}", self.sip_port);
        self.does("dial", &number).await;
    }

    pub async fn holds(&mut self) {
        self.does("hold", "").await;
    }

    pub async fn retrieves(&mut self) {
        self.does("resume", "").await;
    }

    pub async fn hangs_up(&mut self) {
        self.does("hangup", "").await;
    }

    /// Whether somebody hums in what the phone plays from now on, for a quarter of a second.
    pub async fn hears_hum(&self) -> bool {
        let from = self.played().len();
        until_seen(|| {
            let heard = self.played();
            // Some may have been on its way before.
            (heard.len() >= from + 2 * QUARTER_SECOND).then(|| is_hum(&heard[from + QUARTER_SECOND..]))
        })
        .await
        .expect("a phone that plays something")
    }

    /// Waits until somebody hums in what the phone plays.
    pub async fn comes_to_hear_hum(&self) {
        let from = self.played().len();
        let hummed = until_seen(|| self.played().get(from..).filter(|heard| is_hum(heard)).map(drop)).await;
        hummed.expect("somebody who hums");
    }

    /// What the last call brings, as it is decoded: the module sndfile writes it down.
    fn played(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).into_iter().flatten().filter_map(Result::ok);
        let heard = files.map(|file| file.path()).filter(|path| path.to_string_lossy().ends_with("-dec.wav"));
        heard.max().and_then(|last| std::fs::read(last).ok()).unwrap_or_default()
    }

    /// Waits for an event of that type.
    pub async fn shows(&mut self, wanted: &str) {
        let shown = async { while self.next().await["type"] != wanted {} };
        tokio::time::timeout(PATIENCE, shown).await.unwrap_or_else(|_| panic!("the phone does not show {wanted}"));
    }

    async fn does(&mut self, command: &str, parameters: &str) {
        let text = json!({"command": command, "params": parameters, "token": "test"}).to_string();
        let text = format!("{}:{text},", text.len());
        self.control.write_all(text.as_bytes()).await.expect("a phone that is on");
    }

    /// The next message of its netstrings.
    async fn next(&mut self) -> Value {
        loop {
            if let Some(colon) = self.heard.iter().position(|byte| *byte == b':') {
                let length: usize = std::str::from_utf8(&self.heard[..colon]).unwrap().parse().expect("a length");
                let end = colon + 1 + length;
                if self.heard.len() > end {
                    let message = serde_json::from_slice(&self.heard[colon + 1..end]).expect("JSON");
                    self.heard.drain(..=end);
                    return message;
                }
            }
            assert!(self.control.read_buf(&mut self.heard).await.expect("a phone") > 0, "the phone is off");
        }
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again until there is something to be seen; none if there never is.
async fn until_seen<T>(look: impl Fn() -> Option<T>) -> Option<T> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        if let Some(seen) = look() {
            return Some(seen);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

/// Of samples of 16 bits whether one is loud.
fn is_hum(sound: &[u8]) -> bool {
    sound.chunks_exact(2).map(|sample| i16::from_le_bytes([sample[0], sample[1]])).any(|sample| sample > 1_000)
}

/// In bytes, of 8,000 samples a second.
const QUARTER_SECOND: usize = 4_000;

/// Above the Asterisks' and below those that the system gives to whoever asks for any: until the phone listens there, nobody
/// else is given it.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 31_700 + (std::process::id() % 500) as u16;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn modules() -> PathBuf {
    let folders =
        ["/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/local/lib/baresip/modules"];
    folders.iter().map(PathBuf::from).find(|folder| folder.is_dir()).expect("baresip's modules")
}

/// A wave file with a tone of 500 Hz.
fn hum(time: Duration, loudness: i16) -> Vec<u8> {
    const RATE: u32 = 8_000;
    let bytes = u32::try_from(time.as_secs()).expect("not long") * RATE * 2;
    let mut file = Vec::from(*b"RIFF");
    file.extend((bytes + 36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(bytes.to_le_bytes());
    let wave = (0..bytes / 2).map(|sample| if sample / 8 % 2 == 0 { loudness } else { -loudness });
    file.extend(wave.flat_map(i16::to_le_bytes));
    file
}
