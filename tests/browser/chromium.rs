//! A headless Chromium, driven by its DevTools protocol. Not here: what a page is expected to show.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// What should come comes long before this.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser of a test's own with one page, ended when dropped.
pub struct Browser {
    process: Child,
    _profile: tempfile::TempDir,
    devtools: WebSocketStream<TcpStream>,
    page: String,
    last_id: u64,
}

impl Browser {
    pub async fn start() -> Browser {
        let program = std::env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
        let profile = tempfile::tempdir().expect("a folder");
        let mut process = Command::new(&program)
            // Without a sandbox, since that needs rights that a test may not have: it only sees this gateway's page.
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--remote-debugging-port=0", "--window-size=1100,760", "--hide-scrollbars", "about:blank"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let mut said = BufReader::new(process.stderr.take().expect("a pipe")).lines();
        let url = tokio::task::spawn_blocking(move || {
            let url = said.by_ref().find_map(|line| {
                let line = line.expect("text");
                line.strip_prefix("DevTools listening on ").map(str::to_owned)
            });
            std::thread::spawn(move || said.for_each(drop)); // it never waits for somebody to read
            url.expect("the address of its DevTools")
        });
        let url = url.await.expect("it says its address");
        let address: SocketAddr =
            url.trim_start_matches("ws://").split('/').next().expect("an address").parse().expect("it");
        let stream = TcpStream::connect(address).await.expect("DevTools");
        let (devtools, _) = tokio_tungstenite::client_async(url, stream).await.expect("DevTools");
        let mut browser = Browser { process, _profile: profile, devtools, page: String::new(), last_id: 0 };
        let target = browser.does("Target.createTarget", json!({"url": "about:blank"})).await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        browser.page =
            browser.does("Target.attachToTarget", attach).await["sessionId"].as_str().expect("a session").to_owned();
        browser
    }

    pub async fn opens(&mut self, url: &str) {
        self.does("Page.navigate", json!({"url": url})).await;
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'").await;
    }

    pub async fn reloads(&mut self) {
        self.runs("globalThis.isOfBefore = true").await;
        self.does("Page.reload", json!({})).await;
        self.until("!globalThis.isOfBefore && document.readyState === 'complete'").await;
    }

    /// What the script comes to, or what its promise brings.
    pub async fn runs(&mut self, script: &str) -> Value {
        let evaluate = json!({"expression": script, "returnByValue": true, "awaitPromise": true});
        let done = self.does("Runtime.evaluate", evaluate).await;
        assert!(done.get("exceptionDetails").is_none(), "{script}: {done}");
        done["result"]["value"].clone()
    }

    /// Waits until the script comes to something true.
    pub async fn until(&mut self, script: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        // A page that is just being left has nothing to say.
        loop {
            let evaluate = json!({"expression": script, "returnByValue": true});
            let done = self.does("Runtime.evaluate", evaluate).await;
            if done["result"]["value"] == true {
                return;
            }
            if tokio::time::Instant::now() >= deadline {
                let page = self.runs("document.body.innerText").await;
                panic!("waited in vain for {script}; the page shows:\n{}", page.as_str().unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn types(&mut self, field: &str, text: &str) {
        let (field, text) = (json!(format!("#{field}")), json!(text));
        self.runs(&format!(
            "{{ const field = document.querySelector({field}); field.value = {text};
               field.dispatchEvent(new Event('input', {{ bubbles: true }}));
               field.dispatchEvent(new Event('change', {{ bubbles: true }})); }}"
        ))
        .await;
    }

    /// Presses a button that can be pressed.
    pub async fn presses(&mut self, button: &str) {
        self.until(&format!("document.querySelector('#{button}')?.disabled === false")).await;
        self.runs(&format!("document.querySelector('#{button}').click()")).await;
    }

    /// The page as it would look in a window of that size, in the light or in the dark.
    pub async fn takes_a_picture(&mut self, file: &Path, width: u32, height: u32, scheme: &str) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.does("Emulation.setDeviceMetricsOverride", metrics).await;
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.does("Emulation.setEmulatedMedia", json!({"features": features})).await;
        let picture = self.does("Page.captureScreenshot", json!({"format": "png"})).await;
        let bytes = base64(picture["data"].as_str().expect("a picture"));
        std::fs::write(file, bytes).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    async fn does(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let mut command = json!({"id": self.last_id, "method": method, "params": params});
        if !self.page.is_empty() {
            command["sessionId"] = json!(self.page);
        }
        self.devtools.send(Message::text(command.to_string())).await.expect("DevTools that hear");
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let message = self.devtools.next().await.expect("DevTools that answer").expect("a message");
                let Message::Text(text) = message else { continue };
                let said: Value = serde_json::from_str(&text).expect("JSON");
                if said["id"] == self.last_id {
                    return said;
                }
            }
        });
        let answer = waited.await.unwrap_or_else(|_| panic!("{method} is not answered"));
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait()); // it may have ended by itself
    }
}

fn base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').map(value).collect();
    let bits =
        |four: &[u8]| four.iter().enumerate().fold(0_u32, |bits, (at, six)| bits | u32::from(*six) << (18 - 6 * at));
    digits.chunks(4).flat_map(|four| bits(four).to_be_bytes()[1..four.len()].to_vec()).collect()
}
