//! The cable between a desktop and the gateway, which can be pulled, or fall silent. What passes is not looked at.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct Cable {
    /// The desktop's end.
    pub address: SocketAddr,
    far_end: watch::Sender<Option<SocketAddr>>,
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Whole,
    /// Every connection is gone, and none gets through.
    Pulled,
    /// Connections stand, and what is sent waits.
    Silent,
}

impl Cable {
    pub async fn new() -> Cable {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (far_end, gateway) = watch::channel(None);
        let state = Arc::new(watch::Sender::new(State::Whole));
        let cable = Cable { address, far_end, state: Arc::clone(&state) };
        tokio::spawn(async move {
            while let Ok((desktop, _)) = listener.accept().await {
                let far_end = gateway.borrow().expect("a cable that leads somewhere");
                if *state.borrow() == State::Pulled {
                    continue;
                }
                if let Ok(gateway) = TcpStream::connect(far_end).await {
                    let ((read, write), (back, forth)) = (desktop.into_split(), gateway.into_split());
                    tokio::spawn(carry(read, forth, state.subscribe()));
                    tokio::spawn(carry(back, write, state.subscribe()));
                }
            }
        });
        cable
    }

    pub fn leads_to(&self, gateway: SocketAddr) {
        self.far_end.send_replace(Some(gateway));
    }

    pub fn is_pulled(&self) {
        self.state.send_replace(State::Pulled);
    }

    pub fn falls_silent(&self) {
        self.state.send_replace(State::Silent);
    }

    pub fn is_mended(&self) {
        self.state.send_replace(State::Whole);
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut pulled = state.clone();
    let mut bytes = [0; 16_384];
    let carrying = async {
        loop {
            let read = from.read(&mut bytes).await.unwrap_or(0);
            let _ = state.wait_for(|state| *state != State::Silent).await;
            if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = pulled.wait_for(|state| *state == State::Pulled) => (),
        () = carrying => (),
    }
}
