//! Between the browser and the gateway: a cable that can be pulled and plugged in again.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct Cable {
    pub address: SocketAddr,
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Plugged,
    /// Connections are cut, and new ones as soon as they come.
    Pulled,
    /// Nothing passes and nothing ends: the worst kind.
    Silent,
}

impl Cable {
    pub async fn to(gateway: SocketAddr) -> Cable {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let state = Arc::new(watch::Sender::new(State::Plugged));
        let states = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((browser, _)) = listener.accept().await {
                tokio::spawn(pass(browser, gateway, states.subscribe()));
            }
        });
        Cable { address, state }
    }

    pub fn is_pulled(&self) {
        self.state.send_replace(State::Pulled);
    }

    pub fn falls_silent(&self) {
        self.state.send_replace(State::Silent);
    }

    /// What was silent until now is gone; what connects from here on gets through.
    pub fn is_plugged_in(&self) {
        self.state.send_replace(State::Pulled);
        self.state.send_replace(State::Plugged);
    }
}

async fn pass(mut browser: TcpStream, gateway: SocketAddr, mut state: watch::Receiver<State>) {
    let at_first = *state.borrow_and_update();
    if at_first == State::Plugged {
        let Ok(mut gateway) = TcpStream::connect(gateway).await else { return };
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut browser, &mut gateway) => return,
            _ = state.changed() => (),
        }
        if *state.borrow_and_update() == State::Silent {
            let _ = state.changed().await; // both ends are held, and hear nothing
        }
    } else if at_first == State::Silent {
        let _ = state.changed().await;
    }
}
