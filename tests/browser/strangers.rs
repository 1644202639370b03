//! Pages that come from somewhere else.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::chromium::Chromium;
use crate::desktop::Desktop;
use crate::gateway::Gateway;

#[tokio::test]
async fn a_page_of_another_port_cannot_connect() {
    let gateway = Gateway::start();
    let mut browser = Chromium::start().await;
    browser.open(&format!("http://{}/", stranger().await)).await;
    assert_eq!(connects(&mut browser, gateway.web).await, "closed");
    let errors = browser.happened("Network.webSocketFrameError");
    let said = errors.first().and_then(|error| error["errorMessage"].as_str()).expect("an error");
    assert!(said.ends_with("Unexpected response code: 403"), "{said}");

    browser.open(&format!("http://{}/try", gateway.web)).await;
    assert_eq!(connects(&mut browser, gateway.web).await, "opened", "the gateway's own page can");
}

#[tokio::test]
async fn a_named_page_can_connect() {
    let stranger = stranger().await;
    let gateway = Gateway::with(&format!("origins = [\"http://{stranger}\"]\n"));
    let mut browser = Chromium::start().await;
    browser.open(&format!("http://{stranger}/")).await;
    assert_eq!(connects(&mut browser, gateway.web).await, "opened");
}

#[tokio::test]
async fn a_desktop_that_is_not_named_says_what_may_be_wrong() {
    let gateway = Gateway::with("origins = [\"https://crm.example\"]\n");
    let mut desktop = Desktop::at(gateway.web).await;
    desktop.presses("connect").await;
    desktop.says("is this page one of its origins?").await;
    desktop.shows_link("Connecting").await;
}

/// Whether the page that is open can have a WebSocket there.
async fn connects(browser: &mut Chromium, address: SocketAddr) -> Value {
    let tries = format!(
        "new Promise((told) => {{
           const socket = new WebSocket('ws://{address}/opencti');
           socket.onopen = () => told('opened');
           socket.onclose = () => told('closed');
         }})"
    );
    browser.evaluate(&tries).await
}

/// Serves a page that forbids itself nothing.
async fn stranger() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 16_384]).await;
            let page =
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 8\r\nConnection: close\r\n\r\n<p>hello";
            let _ = stream.write_all(page.as_bytes()).await;
        }
    });
    address
}
