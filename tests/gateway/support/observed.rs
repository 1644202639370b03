//! What an operator's tools see of a gateway: its HTTP, the series in its metrics, and its log lines.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracing::subscriber::DefaultGuard;

/// An answer of the listener.
#[derive(Debug)]
pub struct Seen {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// What should come comes long before this.
const PATIENCE: Duration = Duration::from_secs(20);

pub async fn get(address: SocketAddr, path: &str) -> Seen {
    asks(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n")).await
}

/// Sends a request as it is, and reads to the end of the connection.
pub async fn asks(address: SocketAddr, request: &str) -> Seen {
    let mut stream = TcpStream::connect(address).await.expect("a listener");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an answer").unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Seen { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// The series of a gateway's metrics, by name and sorted labels: `name{a="1",b="2"}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Series(pub BTreeMap<String, f64>);

impl Series {
    pub async fn of(address: SocketAddr) -> Series {
        let seen = get(address, "/metrics").await;
        assert_eq!(seen.status, 200, "{seen:?}");
        Series::read(&seen.body)
    }

    pub fn read(text: &str) -> Series {
        let mut series = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no series: {line:?}"));
            let name = match name.strip_suffix('}').and_then(|name| name.split_once('{')) {
                Some((name, labels)) => {
                    let mut labels: Vec<&str> = labels.split("\",").map(|label| label.trim_end_matches('"')).collect();
                    labels.sort_unstable();
                    format!("{name}{{{}\"}}", labels.join("\","))
                }
                None => name.to_owned(),
            };
            let is_new = series.insert(name, value.parse().expect("a number")).is_none();
            assert!(is_new, "twice: {line}");
        }
        Series(series)
    }

    /// The value of a series, its labels in alphabetical order.
    pub fn value(&self, series: &str) -> f64 {
        *self.0.get(series).unwrap_or_else(|| panic!("there is no {series} in {:#?}", self.0))
    }

    /// Those of one metric that are not 0.
    pub fn counted(&self, metric: &str) -> Vec<(String, f64)> {
        let own = self.0.iter().filter(|(name, value)| name.split('{').next() == Some(metric) && **value != 0.0);
        own.map(|(name, value)| (name[metric.len()..].to_owned(), *value)).collect()
    }
}

/// Log lines, from now on until this is dropped, of what this thread does: a test's runtime has one.
pub struct Lines {
    written: Buffer,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    pub fn captured() -> Lines {
        let written = Buffer::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        Lines { written, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// All of them, as they are written.
    pub fn text(&self) -> String {
        String::from_utf8(self.written.0.lock().unwrap().clone()).unwrap()
    }

    /// Those with that message.
    pub fn of(&self, message: &str) -> Vec<Value> {
        let lines: Vec<Value> = self.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        lines.into_iter().filter(|line| line["message"] == message).collect()
    }
}
