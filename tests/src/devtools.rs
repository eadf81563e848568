//! Chromium as a person drives it: pages that are opened, looked at and typed into, by the protocol of its developer tools over a pipe.

use crate::PATIENCE;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

/// A browser with one page; it ends when it is dropped.
pub struct Browser {
    _child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    calls: u64,
    session: Option<String>,
    /// What it has told without being asked.
    events: Vec<Value>,
}

impl Browser {
    /// A browser with that folder as its home, and an empty page.
    ///
    /// # Panics
    /// If `CALLGATE_TEST_CHROMIUM` does not say where it is, or it cannot be run.
    pub async fn start(home: &Path) -> Browser {
        let program = std::env::var("CALLGATE_TEST_CHROMIUM").expect("where Chromium is");
        std::fs::create_dir_all(home).expect("a folder can be made");
        // It reads what it is told from descriptor 3, and answers on 4.
        let mut child = Command::new("bash")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>&2 2>/dev/null", &program])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", home.join("profile").display()))
            .env("HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
        let to = child.stdin.take().expect("its end is piped");
        let from = BufReader::new(child.stdout.take().expect("its end is piped"));
        let mut browser = Browser { _child: child, to, from, calls: 0, session: None, events: Vec::new() };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" })).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach).await;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({})).await;
        }
        browser
    }

    /// Asks for something of the protocol.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let mut message = json!({ "id": self.calls, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let mut text = message.to_string().into_bytes();
        text.push(0);
        self.to.write_all(&text).await.expect("the browser reads");
        loop {
            let mut read = Vec::new();
            let got = timeout(PATIENCE, self.from.read_until(0, &mut read)).await;
            assert!(got.is_ok_and(|got| got.is_ok_and(|n| n > 0)), "{method}: the browser says nothing");
            read.pop();
            let mut message: Value = serde_json::from_slice(&read).expect("the browser speaks JSON");
            if message["id"] == self.calls {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    /// How large the window is, and which colours the system likes.
    pub async fn look(&mut self, width: u32, height: u32, colours: &str) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": colours }, { "name": "prefers-reduced-motion", "value": "reduce" }] });
        self.call("Emulation.setEmulatedMedia", media).await;
    }

    /// Opens a page.
    pub async fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url })).await;
    }

    /// What an expression of JavaScript comes to.
    pub async fn value(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut told = self.call("Runtime.evaluate", asked).await;
        assert!(told["exceptionDetails"].is_null(), "{expression}: {}", told["exceptionDetails"]);
        told["result"]["value"].take()
    }

    /// Waits until an expression holds. Before a page is there, nothing does.
    pub async fn until(&mut self, expression: &str) {
        let asked = json!({ "expression": format!("Boolean({expression})"), "returnByValue": true });
        let holds = async {
            while self.call("Runtime.evaluate", asked.clone()).await["result"]["value"] != true {
                sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(timeout(PATIENCE, holds).await.is_ok(), "not within {PATIENCE:?}: {expression}");
    }

    /// Presses a key: `Tab`, `Enter`, `/`.
    pub async fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "Space" => (32, " "),
            other => (u32::from(other.as_bytes()[0]), other),
        };
        let name = if key == "Space" { " " } else { key };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({ "type": kind, "key": name, "windowsVirtualKeyCode": code, "text": text });
            self.call("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Types a text where the focus is.
    pub async fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// A picture of the page as a PNG, in base64, whole or as far as the window shows it.
    pub async fn picture(&mut self, whole: bool) -> String {
        let told = self.call("Page.captureScreenshot", json!({ "captureBeyondViewport": whole })).await;
        told["data"].as_str().unwrap_or_default().to_owned()
    }

    /// What the console has complained of, and what was not caught.
    pub fn complaints(&self) -> Vec<&Value> {
        let complains = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => event["params"]["type"] != "log",
            Some("Log.entryAdded") => event["params"]["entry"]["level"] != "verbose",
            _ => false,
        };
        self.events.iter().filter(complains).collect()
    }

    /// Where it has sent requests.
    pub fn requests(&self) -> Vec<&str> {
        let sent = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.filter_map(|event| event["params"]["request"]["url"].as_str()).collect()
    }
}
