//! A Chromium without a window, and one page in it, by the DevTools protocol. Not here: which page, and what it should show.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// What should come comes long before this.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at a page.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// What the browser's processes are given to end.
const GOODBYE: Duration = Duration::from_secs(5);

/// A browser with a profile of its own; both are gone when this is dropped.
pub struct Chromium {
    devtools: WebSocketStream<TcpStream>,
    /// The page's name in this protocol.
    page: String,
    last_id: u64,
    /// What the page did by itself, in order.
    happened: Vec<Value>,
    _process: Process,
}

impl Chromium {
    pub async fn start() -> Chromium {
        let (process, address) = tokio::task::spawn_blocking(Process::start).await.expect("a browser");
        let host = address.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).expect("ws://HOST/…");
        let stream = TcpStream::connect(host).await.expect("the browser listens");
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None); // for pictures
        let connected = tokio_tungstenite::client_async_with_config(&address, stream, Some(config)).await;
        let (devtools, _) = connected.expect("a WebSocket");
        let mut chromium =
            Chromium { devtools, page: String::new(), last_id: 0, happened: Vec::new(), _process: process };
        let target = chromium.call("Target.createTarget", json!({"url": "about:blank"})).await;
        let target = json!({"targetId": target["targetId"], "flatten": true});
        let attached = chromium.call("Target.attachToTarget", target).await;
        chromium.page = attached["sessionId"].as_str().expect("a name").to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            chromium.call(&format!("{domain}.enable"), json!({})).await;
        }
        chromium
    }

    /// Asks the browser, or its page once there is one.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let mut request = json!({"id": self.last_id, "method": method, "params": params});
        if !self.page.is_empty() {
            request["sessionId"] = json!(self.page);
        }
        self.devtools.send(Message::text(request.to_string())).await.expect("the browser reads");
        let answer = timeout(PATIENCE, self.answer()).await;
        let mut answer = answer.unwrap_or_else(|_| panic!("the browser does not answer {method}"));
        assert!(answer.get("error").is_none(), "{method}: {}", answer["error"]);
        answer["result"].take()
    }

    async fn answer(&mut self) -> Value {
        loop {
            let message = self.devtools.next().await.expect("the browser lives").expect("a message");
            let Message::Text(text) = message else { continue };
            let message: Value = serde_json::from_str(&text).expect("JSON");
            if message["id"] == self.last_id {
                return message;
            }
            self.happened.push(message);
        }
    }

    /// Goes to another page, and waits until it is loaded.
    pub async fn open(&mut self, url: &str) {
        let answer = self.call("Page.navigate", json!({"url": url})).await;
        assert!(answer.get("errorText").is_none(), "{url}: {}", answer["errorText"]);
        self.is_loaded().await;
    }

    /// Loads the page anew, and waits until it is.
    pub async fn reload(&mut self) {
        self.evaluate("window.isOld = true").await;
        self.call("Page.reload", json!({})).await;
        self.becomes_true("!window.isOld").await.expect("another page");
        self.is_loaded().await;
    }

    async fn is_loaded(&mut self) {
        self.becomes_true("document.readyState === 'complete'").await.expect("the page loads");
    }

    /// What an expression is in the page; of a promise, what it gives.
    pub async fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut answer = self.call("Runtime.evaluate", params).await;
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true in the page; an error if it never is.
    pub async fn becomes_true(&mut self, expression: &str) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        while self.evaluate(expression).await != true {
            if Instant::now() > deadline {
                return Err(format!("this never became true: {expression}"));
            }
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// Presses the mouse on what an expression names, as a hand would: what is covered or switched off is not pressed.
    pub async fn click(&mut self, element: &str) {
        let centre = format!(
            "(() => {{ const it = {element}; it.scrollIntoView({{ block: 'nearest' }});
               const box = it.getBoundingClientRect();
               return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        let centre = self.evaluate(&centre).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let params = json!({"type": kind, "x": centre[0], "y": centre[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", params).await;
        }
    }

    /// Types over what the field with that id has.
    pub async fn write(&mut self, id: &str, text: &str) {
        self.evaluate(&format!("document.getElementById('{id}').select()")).await;
        self.call("Input.insertText", json!({"text": text})).await;
    }

    /// The events of that name that have come so far.
    pub fn happened(&self, method: &str) -> Vec<&Value> {
        self.happened.iter().filter(|event| event["method"] == method).map(|event| &event["params"]).collect()
    }

    /// What is wrong with the page by the browser's own judgement: uncaught errors, and what its policies forbid.
    pub fn complaints(&self) -> Vec<&Value> {
        let is_of_network = |entry: &&Value| entry["entry"]["source"] == "network"; // a cable is pulled on purpose
        let mut complaints = self.happened("Runtime.exceptionThrown");
        complaints.extend(self.happened("Log.entryAdded").into_iter().filter(|entry| !is_of_network(entry)));
        complaints
    }

    /// A window of that size, in the light or the dark.
    pub async fn looks(&mut self, width: u32, height: u32, scheme: &str) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", scheme).await;
    }

    /// A picture of what the window shows, the mouse out of the way.
    pub async fn picture(&mut self) -> Vec<u8> {
        self.call("Input.dispatchMouseEvent", json!({"type": "mouseMoved", "x": 1, "y": 1})).await;
        let picture = self.call("Page.captureScreenshot", json!({"format": "png"})).await;
        let text = picture["data"].as_str().expect("base64");
        data_encoding::BASE64.decode(text.as_bytes()).expect("base64")
    }
}

/// The browser's first process, and where it keeps its things.
struct Process {
    child: Child,
    profile: tempfile::TempDir,
}

impl Process {
    /// The browser, and where its DevTools listen.
    fn start() -> (Process, String) {
        let program = std::env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
        let profile = tempfile::tempdir().expect("a directory");
        let mut child = Command::new(&program)
            .args([
                "--headless=new",
                "--remote-debugging-port=0",
                "--no-first-run",
                "--disable-gpu",
                "--no-proxy-server",
            ])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"])
            .arg("--no-sandbox") // root gets none, and it sees no page but ours
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let mut errors = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
        let process = Process { child, profile };
        let address = errors.find_map(|line| line.strip_prefix("DevTools listening on ").map(str::to_owned));
        std::thread::spawn(move || errors.for_each(drop)); // a full pipe would stop it
        (process, address.unwrap_or_else(|| panic!("{program} does not say where its DevTools listen")))
    }
}

impl Drop for Process {
    /// The others of the browser's processes end a moment after the first, and write into the profile until then.
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
        let deadline = std::time::Instant::now() + GOODBYE;
        while std::fs::remove_dir_all(self.profile.path()).is_err() && std::time::Instant::now() < deadline {
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}
