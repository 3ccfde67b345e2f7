//! A browser, driven over `WebDriver`: chromedriver as a child, one session a value.
//!
//! Absent: waiting by time. A command of `WebDriver` ends when it is done.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::http::ask;

/// Set by `tests/run` where no browser can be installed: it says then that nothing is looked at.
const WITHOUT: &str = "SUPPRESSD_TESTS_WITHOUT_BROWSER";

/// A browser with one window.
pub(crate) struct Browser {
    address: SocketAddr,
    session: String,
    process: Child,
    /// Kept open: a pipe that nobody reads from any more would end it.
    _output: BufReader<ChildStdout>,
    profile: PathBuf,
}

/// How a page is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) width: u32,
    pub(crate) dark: bool,
}

impl Browser {
    /// Starts one; `None` only where it was said that there is none.
    pub(crate) fn start() -> Option<Self> {
        if std::env::var_os(WITHOUT).is_some() {
            return None;
        }
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is there: tests/run installs it");
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        let port = output.by_ref().lines().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let address = SocketAddr::from(([127, 0, 0, 1], port.expect("chromedriver says its port")));
        let profile = tempfile::Builder::new().prefix("page-").tempdir().expect("there is room").keep();
        let mut browser = Self { address, session: String::new(), process, _output: output, profile };
        // Root may not use the sandbox, and nothing foreign is shown. A picture of a whole page has no bar to scroll it
        // with, so neither may the window have one: its width would be missing at the picture's edge.
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ];
        let profile = format!("--user-data-dir={}", browser.profile.display());
        let arguments: Vec<_> = arguments.into_iter().chain([profile.as_str()]).collect();
        let wanted = json!({
            "goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL"}
        });
        let opened = browser.call("POST", "/session", &json!({"capabilities": {"alwaysMatch": wanted}}));
        opened["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        Some(browser)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let headers = "Content-Type: application/json\r\n";
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let answer = ask(self.address, method, path, headers, &body);
        let value: Value = serde_json::from_str(&answer.body).expect("WebDriver speaks JSON");
        assert_eq!(answer.status, 200, "{path}: {value}");
        value["value"].clone()
    }

    fn command(&self, path: &str, body: &Value) -> Value {
        self.call("POST", &format!("/session/{}/{path}", self.session), body)
    }

    /// A command of the browser's own protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.command("goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// Opens a page.
    pub(crate) fn open(&self, at: SocketAddr, path: &str, Look { width, dark }: Look) {
        let size = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &media);
        self.command("url", &json!({"url": format!("http://{at}{path}")}));
    }

    /// The value of a function's body, run in the page.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.command("execute/sync", &json!({"script": script, "args": []}))
    }

    /// The same for a function's body that calls the last of its arguments when it is done.
    pub(crate) fn wait(&self, script: &str) -> Value {
        self.command("execute/async", &json!({"script": script, "args": []}))
    }

    /// Every role of the page with its name, as a screen reader is told.
    pub(crate) fn read_out(&self) -> Vec<(String, String)> {
        let tree = self.devtools("Accessibility.getFullAXTree", &json!({}));
        let said =
            |one: &Value, what: &str| one[what]["value"].as_str().unwrap_or_default().trim().to_owned();
        let nodes = tree["nodes"].as_array().expect("there is a tree").iter();
        nodes
            .filter(|one| one["ignored"] == false)
            .map(|one| (said(one, "role"), said(one, "name")))
            .collect()
    }

    /// What the page complained about since it was last asked.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let lines = self.command("se/log", &json!({"type": "browser"}));
        lines.as_array().into_iter().flatten().map(|line| line["message"].to_string()).collect()
    }

    /// A picture of the whole page, in `target/page`.
    pub(crate) fn picture(&self, name: &str) {
        let size = self.devtools("Page.getLayoutMetrics", &json!({}))["cssContentSize"].clone();
        let clip = json!({
            "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1
        });
        let taken =
            self.devtools("Page.captureScreenshot", &json!({"captureBeyondViewport": true, "clip": clip}));
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/page");
        std::fs::create_dir_all(&directory).expect("target/ is ours");
        let bytes = base64(taken["data"].as_str().expect("a picture"));
        assert!(bytes.starts_with(b"\x89PNG"), "a picture is a PNG");
        std::fs::write(directory.join(format!("{name}.png")), bytes).expect("there is room");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.call("DELETE", &format!("/session/{}", self.session), &json!({}));
        }
        // Its browser goes with it.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

fn base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut held) = (0_u32, 0);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = LETTERS.iter().position(|known| *known == letter).expect("it is Base64");
        bits = bits << 6 | u32::try_from(value).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    bytes
}
