//! What somebody sees who opens `/try`.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use ctigate::config::Config;
use ctigate::server::Gateway;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::cable::Cable;
use super::chromium::Browser;
use super::node::{Node, Way};

/// A gateway with its example desktop, opened over a cable; and somebody else who can act on the same agents.
struct Desk {
    browser: Browser,
    cable: Cable,
    other: Node,
    gateway: Gateway,
}

impl Desk {
    async fn opened() -> Desk {
        let config = r#"
            [[listener]]
            dialect = "opencti"
            address = "127.0.0.1:0"
            [[listener]]
            dialect = "opencti"
            transport = "websocket"
            address = "127.0.0.1:0"
            try_page = true
            heartbeat = "1s"
            [[acd]]
            kind = "embedded"
        "#;
        let config = Config::from_toml("test", config).expect("a sound configuration");
        let gateway = Gateway::start(config).await.expect("a gateway that starts");
        let cable = Cable::to(gateway.listeners()[1].1).await;
        let other = Node::connected(Way::Tcp(gateway.listeners()[0].1)).await;
        let mut browser = Browser::start().await;
        browser.opens(&format!("http://{}/try", cable.address)).await;
        Desk { browser, cable, other, gateway }
    }

    /// With an agent logged in.
    async fn logged_in() -> Desk {
        let mut desk = Desk::opened().await;
        desk.browser.presses("connect").await;
        desk.shows("link", "Connected").await;
        desk.logs_in("pw1001").await;
        desk.shows("state", "Not ready").await;
        desk
    }

    async fn logs_in(&mut self, password: &str) {
        for (field, text) in [("agent-id", "1001"), ("password", password), ("dn", "3001"), ("queue", "sales")] {
            self.browser.types(field, text).await;
        }
        self.browser.presses("login").await;
    }

    /// Waits until a badge shows that.
    async fn shows(&mut self, badge: &str, text: &str) {
        self.browser.until(&format!("document.querySelector('#{badge}').textContent === {}", json!(text))).await;
    }

    async fn is_told(&mut self, words: &str) {
        let script = format!("document.querySelector('#messages').textContent.includes({})", json!(words));
        self.browser.until(&script).await;
    }

    /// The events listed, oldest first: seq, name, reason.
    async fn lists(&mut self) -> Vec<(u64, String, String)> {
        let script = "[...document.querySelectorAll('#events tr')].reverse().map((row) =>
            [0, 3, 6].map((cell) => row.cells[cell].textContent))";
        let rows = self.browser.runs(script).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let row = |row: &Value| (text(&row[0]).parse().unwrap(), text(&row[1]), text(&row[2]));
        rows.as_array().unwrap().iter().map(row).collect()
    }

    /// Somebody else makes the agent not ready for these reasons, one after another.
    async fn other_gives_reasons(&mut self, reasons: std::ops::Range<u32>) {
        for reason in reasons {
            let options = json!({"pyReasonCode": reason.to_string()});
            self.other
                .succeeds(json!({"activity": "SetAgentNotReady", "AgentID": "1001", "AgentOptions": options}))
                .await;
        }
    }

    /// Every event is listed once, in order, and among them are these reasons.
    async fn has_listed_all(&mut self, reasons: std::ops::Range<u32>) {
        let listed = self.lists().await;
        let numbers: Vec<u64> = listed.iter().map(|(seq, ..)| *seq).collect();
        assert_eq!(numbers, Vec::from_iter(1..=listed.len() as u64), "{listed:?}");
        let of_state = listed.iter().filter(|(_, name, _)| name == "NotReady").map(|(.., reason)| reason);
        let given: Vec<&String> = of_state.filter(|reason| reason.parse::<u32>().is_ok()).collect();
        assert_eq!(given, Vec::from_iter(&reasons.map(|reason| reason.to_string()).collect::<Vec<_>>()), "{listed:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_logs_in_changes_state_and_logs_out() {
    let mut desk = Desk::logged_in().await;
    desk.browser.presses("ready").await;
    desk.shows("state", "Ready").await;
    desk.browser.types("reason", "lunch").await;
    desk.browser.presses("not-ready").await;
    desk.shows("state", "Not ready: lunch").await;
    desk.browser.presses("after-call").await;
    desk.shows("state", "After-call work").await;
    desk.browser.presses("logout").await;
    desk.shows("state", "Logged out: lunch").await;
    desk.is_told("LogoutAgent: done.").await;
    let events = desk.lists().await;
    let names: Vec<(u64, &str)> = events.iter().map(|(seq, name, _)| (*seq, name.as_str())).collect();
    let told = ["Login", "NotReady", "Snapshot", "Ready", "NotReady", "NotReady", "Logout", "Snapshot"];
    assert_eq!(names, Vec::from_iter((1..).zip(told)));
    let asked = desk.other.asks(json!({"activity": "LogoutAgent", "AgentID": "1001"})).await;
    assert_eq!(asked["code"], "OPENCTI_AGENT_NOT_LOGGED_IN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_is_shown_with_its_reason() {
    let mut desk = Desk::opened().await;
    desk.browser.presses("connect").await;
    desk.logs_in("<b>wrong</b>").await;
    desk.is_told("agent id or password is not valid (OPENCTI_HTTP_ERROR_401)").await;
    desk.logs_in("pw1001").await;
    desk.shows("state", "Not ready").await;
    desk.browser.types("queue", "<img src=x onerror=globalThis.isFooled=true>").await;
    desk.browser.presses("login").await;
    desk.is_told("<img src=x").await; // as text
    assert_eq!(desk.browser.runs("globalThis.isFooled === undefined").await, true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_do_to_the_agent_is_shown() {
    let mut desk = Desk::logged_in().await;
    desk.other.succeeds(json!({"activity": "SetAgentReady", "AgentID": "1001"})).await;
    desk.shows("state", "Ready").await;
    let options = json!({"pyReasonCode": "end of shift"});
    desk.other.succeeds(json!({"activity": "LogoutAgent", "AgentID": "1001", "AgentOptions": options})).await;
    desk.shows("state", "Logged out: end of shift").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pulled_cable_costs_no_event_and_no_login() {
    let mut desk = Desk::logged_in().await;
    desk.cable.is_pulled();
    desk.shows("link", "Reconnecting").await;
    desk.other_gives_reasons(100..120).await;
    desk.cable.is_plugged_in();
    desk.shows("link", "Connected").await;
    desk.shows("state", "Not ready: 119").await;
    desk.is_told("The session goes on where it was.").await;
    desk.has_listed_all(100..120).await;
    desk.browser.presses("ready").await;
    desk.shows("state", "Ready").await;
    desk.browser.presses("logout").await;
    desk.shows("state", "Logged out").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cable_that_falls_silent_is_noticed_and_costs_nothing_either() {
    let mut desk = Desk::logged_in().await;
    desk.cable.falls_silent();
    desk.other_gives_reasons(200..210).await;
    desk.shows("link", "Reconnecting").await; // two heartbeats were not heard
    desk.other_gives_reasons(210..220).await;
    desk.cable.is_plugged_in();
    desk.shows("link", "Connected").await;
    desk.shows("state", "Not ready: 219").await;
    desk.has_listed_all(200..220).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_loaded_anew_takes_its_session_up() {
    let mut desk = Desk::logged_in().await;
    desk.browser.presses("ready").await;
    desk.shows("state", "Ready").await;
    desk.browser.reloads().await;
    desk.shows("link", "Connected").await;
    desk.shows("state", "Ready").await;
    desk.browser.presses("logout").await;
    desk.shows("state", "Logged out").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_stops_is_shown() {
    let Desk { mut browser, gateway, .. } = Desk::logged_in().await;
    tokio::time::timeout(Duration::from_secs(20), gateway.drain()).await.expect("it stops");
    browser.until("document.querySelector('#link').textContent === 'Reconnecting'").await;
    browser.until("document.querySelector('#messages').textContent.includes('shutting down')").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_another_origin_does_not_get_a_connection() {
    let mut desk = Desk::opened().await;
    let gateway = desk.gateway.listeners()[1].1;
    let script = format!(
        "new Promise((told) => {{ const socket = new WebSocket('ws://{gateway}/');
           socket.onopen = () => told('opened'); socket.onclose = () => told('refused'); }})"
    );
    desk.browser.opens(&format!("http://{}/", strangers_page().await)).await;
    assert_eq!(desk.browser.runs(&script).await, "refused");
    desk.browser.opens(&format!("http://{gateway}/try")).await;
    assert_eq!(desk.browser.runs(&script).await, "opened");
}

/// Somebody else's web server.
async fn strangers_page() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut browser, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = browser.read(&mut request).await;
            let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
            let _ = browser.write_all(page.as_bytes()).await; // one that asked for an icon may have gone
        }
    });
    address
}

/// `CTIGATE_WRITE_SCREENSHOT=FOLDER` keeps the pictures; `desktop.png` is the README's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_desktop_fits_a_wide_and_a_narrow_window() {
    let mut desk = Desk::logged_in().await;
    desk.browser.presses("ready").await;
    desk.shows("state", "Ready").await;
    desk.browser.types("reason", "lunch").await;
    desk.browser.presses("not-ready").await;
    desk.shows("state", "Not ready: lunch").await;
    desk.browser.presses("ready").await;
    desk.shows("state", "Ready").await;
    let folder = tempfile::tempdir().unwrap();
    for (name, width, scheme) in [("narrow", 400, "light"), ("dark", 1100, "dark"), ("desktop", 1100, "light")] {
        let file = folder.path().join(name).with_extension("png");
        desk.browser.takes_a_picture(&file, width, 820, scheme).await;
        let is_whole = desk.browser.runs("document.documentElement.scrollWidth <= innerWidth").await;
        assert_eq!(is_whole, true, "{width} wide, it has to be scrolled sideways");
        if let Some(to) = std::env::var_os("CTIGATE_WRITE_SCREENSHOT") {
            std::fs::copy(&file, Path::new(&to).join(name).with_extension("png")).unwrap();
        }
    }
}
