//! What is said at which path. Not here: HTTP (`server`).

use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;
use serde_json::json;

use super::labels::Label;
use super::sight::{Readiness, Watched};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// Its Content-Type.
    pub content_type: &'static str,
    /// The text.
    pub body: String,
}

/// What is at the path; none if nothing is.
pub fn page(watched: &dyn Watched, path: &str) -> Option<Page> {
    match path {
        "/metrics" => Some(metrics(watched)),
        // Whoever can answer works: what is behind the gateway is /readyz's to say.
        "/healthz" => Some(Page { status: 200, content_type: PLAIN, body: "ok\n".to_owned() }),
        "/readyz" => Some(readiness(&watched.readiness())),
        "/config" => Some(configuration(watched)),
        _ => None,
    }
}

fn metrics(watched: &dyn Watched) -> Page {
    let (metrics, sight) = (watched.metrics(), watched.sight());
    let mut body = String::new();
    match metrics.write(&mut body).and_then(|()| sight.write(metrics, &mut body)) {
        Ok(()) => Page { status: 200, content_type: CONTENT_TYPE, body },
        Err(error) => Page { status: 500, content_type: PLAIN, body: format!("{error}\n") },
    }
}

fn readiness(readiness: &Readiness) -> Page {
    let listeners: serde_json::Map<_, _> =
        readiness.listeners.iter().map(|(name, address)| (name.clone(), address.clone().into())).collect();
    let acds: serde_json::Map<_, _> = (readiness.acds.iter())
        .map(|(peripheral, is_up)| (peripheral.to_string(), if *is_up { "up" } else { "down" }.into()))
        .collect();
    let (ready, phase) = (readiness.is_ready(), readiness.phase.label());
    let body = json!({"ready": ready, "phase": phase, "listeners": listeners, "acds": acds});
    Page { status: if ready { 200 } else { 503 }, content_type: "application/json", body: format!("{body}\n") }
}

fn configuration(watched: &dyn Watched) -> Page {
    Page { status: 200, content_type: "application/json", body: format!("{:#}\n", watched.configuration()) }
}

/// What a refusal is written as, too.
const PLAIN: &str = "text/plain; charset=utf-8";
