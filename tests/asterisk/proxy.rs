//! Between the gateway and Asterisk: what passes is seen, and can be lost on purpose.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone)]
pub struct Proxy {
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    actions: Mutex<Vec<String>>,
    swallows: Mutex<Option<&'static str>>,
    lost_id: Mutex<Option<String>>,
    cuts_after: Mutex<Option<&'static str>>,
    is_cut: AtomicBool,
}

impl Proxy {
    pub async fn to(port: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let proxy = Proxy { port: listener.local_addr().expect("bound").port(), state: Arc::default() };
        let state = Arc::clone(&proxy.state);
        tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { return };
                if state.is_cut.load(Ordering::Relaxed) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                tokio::spawn(pass(client, server, Arc::clone(&state)));
            }
        });
        proxy
    }

    /// How often an action of that name has passed.
    pub fn count(&self, name: &str) -> usize {
        let begin = format!("Action: {name}\r\n");
        self.state.actions.lock().iter().filter(|action| action.starts_with(&begin)).count()
    }

    /// The answer to the next action of that name is lost.
    pub fn swallow_answer_to(&self, name: &'static str) {
        *self.state.swallows.lock() = Some(name);
    }

    /// The link is cut when the next action of that name has got to Asterisk, and no new one is let through.
    pub fn cut_after(&self, name: &'static str) {
        *self.state.cuts_after.lock() = Some(name);
    }

    /// New links are let through again.
    pub fn mend(&self) {
        self.state.is_cut.store(false, Ordering::Relaxed);
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, state: Arc<State>) {
    let (mut up, mut down) = (Vec::new(), Vec::new());
    loop {
        let (mut from_client, mut from_server) = ([0; 16_384], [0; 16_384]);
        tokio::select! {
            read = client.read(&mut from_client) => match read {
                Ok(bytes) if bytes > 0 => up.extend_from_slice(&from_client[..bytes]),
                _ => return,
            },
            read = server.read(&mut from_server) => match read {
                Ok(bytes) if bytes > 0 => down.extend_from_slice(&from_server[..bytes]),
                _ => return,
            },
        }
        while let Some(action) = message(&mut up) {
            let name = action.split("\r\n").next().unwrap_or_default().trim_start_matches("Action: ").to_owned();
            if state.swallows.lock().take_if(|wanted| *wanted == name).is_some() {
                *state.lost_id.lock() = header(&action, "ActionID");
            }
            let is_last = state.cuts_after.lock().take_if(|wanted| *wanted == name).is_some();
            if is_last {
                state.is_cut.store(true, Ordering::Relaxed);
            }
            if server.write_all(action.as_bytes()).await.is_err() {
                return;
            }
            state.actions.lock().push(action);
            if is_last {
                // It has got there when its answer comes, which gets no further.
                let _ = server.read(&mut [0; 16_384]).await;
                return;
            }
        }
        if down.starts_with(b"Asterisk Call Manager") {
            let end = down.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let banner: Vec<u8> = down.drain(..end).collect();
            let _ = client.write_all(&banner).await;
        }
        while let Some(answer) = message(&mut down) {
            let is_lost = answer.starts_with("Response:")
                && state.lost_id.lock().take_if(|lost| header(&answer, "ActionID").as_ref() == Some(lost)).is_some();
            if !is_lost && client.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

fn message(buffer: &mut Vec<u8>) -> Option<String> {
    let end = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    Some(String::from_utf8_lossy(&buffer.drain(..end).collect::<Vec<_>>()).into_owned())
}

fn header(message: &str, key: &str) -> Option<String> {
    message.split("\r\n").find_map(|line| line.strip_prefix(key)?.strip_prefix(": ").map(str::to_owned))
}
