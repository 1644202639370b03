//! The HTTP at which metrics and health are had. Not here: what is said there (`observe`).
//!
//! Must hold: it answers from before the first client until after the last one, whatever becomes of those in between, and
//! nobody who asks keeps anybody else from being served: requests are few, short and cut when they take too long.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use crate::observe::{Page, Watched, page};

/// A listener that answers.
#[derive(Debug)]
pub(super) struct Observing {
    address: SocketAddr,
    ending: CancellationToken,
    tasks: TaskTracker,
}

/// Whoever comes while so many are there is not taken.
const CONNECTIONS_MAX: usize = 16;
/// From accept to the answer's last byte.
const TIME_MAX: Duration = Duration::from_secs(10);
const HEAD_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;
/// How long accepting rests when the system has nothing left for another connection.
const NO_RESOURCES_PAUSE: Duration = Duration::from_millis(100);

impl Observing {
    /// Binds the address and answers there until it is ended.
    pub(super) async fn start(address: SocketAddr, watched: Arc<dyn Watched>) -> io::Result<Observing> {
        let socket = TcpListener::bind(address).await?;
        let (address, ending, tasks) = (socket.local_addr()?, CancellationToken::new(), TaskTracker::new());
        info!(%address, "metrics and health are had");
        let accepting = accept(socket, watched, tasks.clone());
        let until = ending.clone();
        tasks.spawn(async move { until.run_until_cancelled(accepting).await });
        Ok(Observing { address, ending, tasks })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers whom it has accepted, and nobody else.
    pub(super) async fn end(self) {
        self.ending.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn accept(socket: TcpListener, watched: Arc<dyn Watched>, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // The table is looked through by one at a time.
    let turn = Arc::new(Semaphore::new(1));
    loop {
        let (stream, peer) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                debug!(%error, "nobody can be told of metrics and health for now");
                tokio::time::sleep(NO_RESOURCES_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            warn!(%peer, "too many ask for metrics and health, this one is not answered");
            continue;
        };
        let (watched, turn) = (Arc::clone(&watched), Arc::clone(&turn));
        tasks.spawn(async move {
            if tokio::time::timeout(TIME_MAX, answer(stream, watched, turn)).await.is_err() {
                debug!(%peer, "who asked for metrics or health took too long");
            }
            drop(place);
        });
    }
}

/// Answers the connection's one request.
async fn answer(stream: TcpStream, watched: Arc<dyn Watched>, turn: Arc<Semaphore>) {
    let service = service_fn(|request: Request<Incoming>| {
        let (watched, turn) = (Arc::clone(&watched), Arc::clone(&turn));
        async move { Ok::<_, Infallible>(respond(&request, watched, &turn).await) }
    });
    let answered = http1::Builder::new()
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = answered {
        debug!(%error, "no request for metrics or health could be read and answered");
    }
}

async fn respond(request: &Request<Incoming>, watched: Arc<dyn Watched>, turn: &Semaphore) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = written(plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here"));
        refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    let path = request.uri().path().to_owned();
    let _turn = turn.acquire().await;
    // Counting takes its time where there are many agents: not that of whoever serves them.
    let found = tokio::task::spawn_blocking(move || page(&*watched, &path)).await;
    written(match found {
        Ok(Some(page)) => page,
        Ok(None) => plain(StatusCode::NOT_FOUND, "here are /metrics, /healthz, /readyz and /config"),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "it could not be counted"),
    })
}

fn plain(status: StatusCode, why: &str) -> Page {
    Page { status: status.as_u16(), content_type: "text/plain; charset=utf-8", body: format!("{why}\n") }
}

fn written(page: Page) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(page.body)));
    *answer.status_mut() = StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in [
        (header::CONTENT_TYPE, page.content_type),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
