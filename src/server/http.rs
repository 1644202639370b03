//! The HTTP of a WebSocket listener: one request a connection, which becomes a WebSocket or is given a page.
//!
//! Lives here: handshake, refusals, security headers. Not here: which pages there are (`dialects`), messages (`websocket`).
//! Must hold: request and answer are done within the time for opening a session; nobody unseen by `origin` becomes a WebSocket.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tracing::{debug, warn};

use super::connection::{GOODBYE, close_both_ends};
use super::listener::Spoken;
use super::websocket::WebSocket;
use crate::dialects::{CloseReason, Departed, Page};

type Answer = Response<Full<Bytes>>;

/// Where a WebSocket can be had; every other path is a page or nothing.
const WEBSOCKET_PATHS: [&str; 2] = ["/", "/opencti"];
const HEAD_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;
/// RFC 6455.
const WEBSOCKET_VERSION: &str = "13";
/// A page gets its scripts and styles from here and talks to here; no other page shows it.
const SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                               base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers the connection's one request. None if it was not for a WebSocket: then the connection has ended.
pub(super) async fn answer<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: SocketAddr,
    accepted: Instant,
    spoken: &Spoken,
) -> Option<WebSocket<S>> {
    let status = AtomicU16::new(0);
    let service = service_fn(async |request: Request<Incoming>| {
        let answer = respond(&request, peer, spoken);
        status.store(answer.status().as_u16(), Ordering::Relaxed);
        Ok::<_, Infallible>(answer)
    });
    let answered = http1::Builder::new()
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .without_shutdown();
    let deadline = tokio::time::Instant::from_std(accepted + spoken.open);
    let ended = |reason: CloseReason| spoken.has_ended(peer, &reason, &Departed::default());
    let answered = tokio::select! {
        biased;
        () = spoken.goodbyes.stopping.cancelled() => {
            ended(CloseReason::Shutdown);
            return None;
        }
        answered = tokio::time::timeout_at(deadline, answered) => answered,
    };
    let parts = match answered {
        Ok(Ok(parts)) => parts,
        Ok(Err(error)) => {
            ended(CloseReason::BrokenHttp(error.into()));
            return None;
        }
        Err(_) => {
            ended(CloseReason::NotOpened { waited: spoken.open });
            return None;
        }
    };
    let stream = parts.io.into_inner();
    let status = status.load(Ordering::Relaxed);
    if status == StatusCode::SWITCHING_PROTOCOLS.as_u16() {
        return Some(WebSocket::new(stream, parts.read_buf, spoken.limits.message_bytes_max).await);
    }
    // A client that connects and goes, as those do that only look whether somebody listens, has asked nothing.
    ended(if status == 0 { CloseReason::ClientGone } else { CloseReason::HttpAnswered { status } });
    tokio::select! {
        () = spoken.goodbyes.cutting.cancelled() => (),
        _ = tokio::time::timeout(GOODBYE, close_both_ends(stream)) => (),
    }
    None
}

/// What whoever comes to a listener without room is given, unread.
pub(super) fn turn_away(reason: &CloseReason) -> Bytes {
    let body = format!("{reason}\n");
    let head = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close";
    Bytes::from(format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

fn respond(request: &Request<Incoming>, peer: SocketAddr, spoken: &Spoken) -> Answer {
    let path = request.uri().path();
    if request.method() != Method::GET {
        return with(refusal(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here"), header::ALLOW, "GET");
    }
    if WEBSOCKET_PATHS.contains(&path) {
        return handshake(request, peer, spoken);
    }
    match spoken.dialect.page(path) {
        Some(page) => {
            debug!(%peer, path, "page served");
            serve(page)
        }
        None => refusal(StatusCode::NOT_FOUND, "there is nothing at this path"),
    }
}

fn handshake(request: &Request<Incoming>, peer: SocketAddr, spoken: &Spoken) -> Answer {
    let headers = request.headers();
    let is_asked =
        has_token(headers, header::UPGRADE, "websocket") && has_token(headers, header::CONNECTION, "upgrade");
    if !is_asked || request.version() != Version::HTTP_11 {
        let refused = refusal(StatusCode::UPGRADE_REQUIRED, "this is the address of a WebSocket");
        return with(refused, header::UPGRADE, "websocket");
    }
    if !has_token(headers, header::SEC_WEBSOCKET_VERSION, WEBSOCKET_VERSION) {
        let refused = refusal(StatusCode::UPGRADE_REQUIRED, "this version of WebSocket is not spoken here");
        let refused = with(refused, header::UPGRADE, "websocket");
        return with(refused, header::SEC_WEBSOCKET_VERSION, WEBSOCKET_VERSION);
    }
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| is_key(key)) else {
        return refusal(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing, or no 16 bytes in base64");
    };
    if let Err(why) = spoken.origins.admit(headers) {
        let (origin, host) = (headers.get(header::ORIGIN), headers.get(header::HOST));
        warn!(%peer, ?origin, ?host, %why, "a web page may not connect");
        return refusal(StatusCode::FORBIDDEN, &why.to_string());
    }
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    answer = with(answer, header::CONNECTION, "upgrade");
    answer = with(answer, header::UPGRADE, "websocket");
    if let Ok(accept) = HeaderValue::try_from(derive_accept_key(key.as_bytes())) {
        answer.headers_mut().insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    answer
}

fn serve(page: Page) -> Answer {
    let mut answer = Response::new(Full::new(page.body));
    for (name, value) in [
        (header::CONTENT_TYPE, page.content_type),
        (header::CONTENT_SECURITY_POLICY, SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONNECTION, "close"),
    ] {
        answer = with(answer, name, value);
    }
    answer
}

/// One line that says why.
fn refusal(status: StatusCode, why: &str) -> Answer {
    let body = Bytes::from(format!("{why}\n"));
    let mut answer = serve(Page { content_type: "text/plain; charset=utf-8", body });
    *answer.status_mut() = status;
    answer
}

fn with(mut answer: Answer, name: HeaderName, value: &'static str) -> Answer {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer
}

fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|found| found.trim().eq_ignore_ascii_case(token))
}

/// 16 bytes in base64; which, is nobody's business.
fn is_key(key: &HeaderValue) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.as_bytes().strip_suffix(b"==").is_some_and(|digits| digits.len() == 22 && digits.iter().all(is_base64))
}
