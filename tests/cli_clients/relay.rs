//! A relay between clients and a gateway that records every frame, in the order in which it passed.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::BytesMut;
use cti_protocol::ged188::{FrameCodec, HEADER_BYTES};
use serde_json::{Value, json};
use tokio_util::codec::{Decoder, Encoder};

/// A relay in front of a gateway.
pub(crate) struct Relay {
    pub(crate) address: String,
    lines: Arc<Mutex<Vec<Value>>>,
}

impl Relay {
    pub(crate) fn start(gateway: &str) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (gateway, all, start) = (gateway.to_owned(), Arc::clone(&lines), Instant::now());
        std::thread::spawn(move || {
            for (connection, client) in listener.incoming().map_while(Result::ok).enumerate() {
                let server = TcpStream::connect(&gateway).expect("the gateway");
                for (from, name, to) in [(&client, "client", &server), (&server, "server", &client)] {
                    let (from, to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
                    let record = Record { lines: Arc::clone(&all), connection: connection + 1, from: name, start };
                    std::thread::spawn(move || pass(from, to, &record));
                }
            }
        });
        Relay { address, lines }
    }

    /// What passed until now.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.lines.lock().expect("a lock").clone()
    }
}

struct Record {
    lines: Arc<Mutex<Vec<Value>>>,
    connection: usize,
    from: &'static str,
    start: Instant,
}

impl Record {
    fn add(&self, hex: Option<String>) {
        let (connection, from, time) = (self.connection, self.from, self.start.elapsed().as_secs_f64());
        let mut line = json!({"connection": connection, "time": time, "from": from});
        if let Some(hex) = hex {
            line["hex"] = hex.into();
        }
        self.lines.lock().expect("a lock").push(line);
    }
}

/// Records each frame before it goes on, so that no answer can overtake its request.
fn pass(mut from: TcpStream, mut to: TcpStream, record: &Record) {
    let (mut frames, mut read, mut chunk) = (FrameCodec::default(), BytesMut::new(), [0; 4096]);
    while let Some(bytes) = from.read(&mut chunk).ok().filter(|bytes| *bytes > 0) {
        read.extend_from_slice(&chunk[..bytes]);
        while let Some(frame) = frames.decode(&mut read).expect("whole frames") {
            let mut whole = BytesMut::with_capacity(HEADER_BYTES);
            frames.encode(frame, &mut whole).expect("a frame");
            record.add(Some(data_encoding::HEXLOWER.encode(&whole)));
            if to.write_all(&whole).is_err() {
                return;
            }
        }
    }
    record.add(None);
    let _ = to.shutdown(Shutdown::Write);
}
