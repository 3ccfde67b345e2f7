//! A Prometheus of the test's own, with the configuration and the rules that are shipped: only its targets are others,
//! and it looks every second.

use std::path::Path;
use std::process::Command;

use super::child::Kept;
use super::eventually::{LONG, eventually};
use super::http;
use super::ports::free_port;

/// A running Prometheus. Dropping it kills it.
pub(crate) struct Prometheus {
    port: u16,
    _process: Kept,
}

impl Prometheus {
    /// Starts one that keeps everything in `directory` and scrapes these ports of 127.0.0.1; waits until it answers.
    pub(crate) async fn start(directory: &Path, targets: &[u16]) -> Self {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus");
        let configuration =
            std::fs::read_to_string(shipped.join("prometheus.yml")).expect("the configuration is there");
        let targets: Vec<_> = targets.iter().map(|port| format!("\"127.0.0.1:{port}\"")).collect();
        let changes = [
            ("[\"suppressd:9464\"]", format!("[{}]", targets.join(", "))),
            ("[suppressd.rules.yml]", format!("[{}]", shipped.join("suppressd.rules.yml").display())),
            ("interval: 15s", "interval: 1s".to_owned()),
        ];
        let configuration = changes.iter().fold(configuration, |text, (shipped, ours)| {
            assert!(text.contains(shipped), "prometheus.yml has {shipped}");
            text.replace(shipped, ours)
        });
        let file = directory.join("prometheus.yml");
        std::fs::write(&file, configuration).expect("the directory is ours");
        let port = free_port();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.join("prometheus").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=warn")
            .current_dir(directory);
        let mut process = Kept::start(command, directory, "prometheus");
        eventually("Prometheus is ready", LONG, async || {
            assert!(process.try_status().is_none(), "Prometheus ended:\n{}", process.last_words());
            let answer = http::request(port, "GET", "/-/ready", "", "").ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
        Self { port, _process: process }
    }

    /// What its API says at a path below `/api/v1/`.
    pub(crate) fn ask(&self, path: &str) -> serde_json::Value {
        let answer = http::request(self.port, "GET", &format!("/api/v1/{path}"), "", "");
        let answer = answer.expect("Prometheus answers").json();
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].clone()
    }

    /// What an expression gives now.
    pub(crate) fn query(&self, expression: &str) -> Vec<serde_json::Value> {
        let encoded = expression.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02x}"));
        let answer = self.ask(&format!("query?query={encoded}"));
        answer["result"].as_array().expect("series are a list").clone()
    }

    /// The names of the alerts that fire now, each as often as it does, in order.
    pub(crate) fn firing(&self) -> Vec<String> {
        let alerts = self.ask("alerts");
        let alerts = alerts["alerts"].as_array().expect("alerts are a list").iter();
        let firing = alerts.filter(|alert| alert["state"] == "firing");
        let mut names: Vec<_> =
            firing.filter_map(|alert| alert["labels"]["alertname"].as_str().map(str::to_owned)).collect();
        names.sort();
        names
    }

    /// Every rule that it has read: alerts, and what is recorded.
    pub(crate) fn rules(&self) -> Vec<serde_json::Value> {
        let groups = self.ask("rules");
        let groups = groups["groups"].as_array().expect("groups are a list").iter();
        groups.flat_map(|group| group["rules"].as_array().expect("rules are a list").clone()).collect()
    }
}
