//! What Prometheus makes of a worker: its metrics, the alerts that are shipped, the dashboard.
//!
//! The rules are read by a real Prometheus and its promtool, never by us: a rule that only our reading understands would
//! be no alarm at all. Deliberately absent: Grafana itself, which no Debian has.

mod promql;
mod shipped;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::scene::{Scene, but, event, job};
use crate::support::{LONG, Prometheus, eventually, leash};

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs `promtool …` with this on its standard input; what it printed. It must be content.
fn promtool(arguments: &[&str], input: &str) -> String {
    let mut promtool = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool can be run");
    promtool.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("promtool reads");
    let output = promtool.wait_with_output().expect("promtool ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "promtool {arguments:?}:\n{said}");
    said
}

/// The files with the unit tests of the rules.
fn histories() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(top().join("tests/prometheus")).expect("the tests are there").flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "yml")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_fires_the_alarm_of_a_missed_deadline_once_for_two_workers_and_resolves_it() {
    let mut scene = Scene::with("[sources.email]\nclock = \"occurred_at\"").await;
    let second = scene.stage.start("w2");
    second.wait_ready().await;
    let targets = [scene.worker.admin_port(), second.admin_port()];
    let prometheus = Prometheus::start(scene.stage.directory(), &targets).await;
    let seen = async || {
        let seen = prometheus.query("suppressd_requests_overdue == 0");
        (seen.len() == 2).then_some(())
    };
    eventually("Prometheus has scraped both workers", LONG, seen).await;
    assert_eq!(prometheus.firing(), [""; 0], "all is well");

    // It came in March, and nobody was sure: its deadline is over the moment that it is known.
    let members = json!({
        "source": "email", "occurred_at": "2026-03-20T16:00:00+05:00", "review": "hold", "rule": "unsure.object",
    });
    let opened = scene.event(but(event("r-1", "opt_out", json!({"user_id": "U-canary"})), members)).await;
    assert_eq!((&opened["status"], &opened["late"]), (&json!("review"), &json!(true)), "{opened}");
    let missed = async || (prometheus.firing() == ["SuppressdDeadlineMissed"]).then_some(());
    eventually("the alarm of the deadline fires, and nothing else", LONG, missed).await;

    let applied = scene.stage.run(&["requests", "apply", "email:r-1"]);
    assert_eq!(applied.code, Some(0), "{applied:?}");
    // What is left to tell is that it was late.
    let resolved = async || (prometheus.firing() == ["SuppressdRequestLate"]).then_some(());
    eventually("the alarm is over", LONG, resolved).await;
    drop(prometheus);
    second.sigterm();
    assert_eq!(second.exit_code().await, Some(0));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_shows_is_as_prometheus_wants_it() {
    let mut scene = Scene::new().await;
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    let kept =
        scene.kept_of(&job("any", "sms", json!([{"user_id": "U-canary"}, {"user_id": "U-2"}]))).await.0;
    assert_eq!(kept, ["U-2"]);
    let metrics = scene.worker.metrics().0;
    let said = promtool(&["check", "metrics"], &metrics);
    assert_eq!(said, "", "promtool has nothing to say");
    scene.end().await;
}

#[test]
fn the_rules_do_what_their_unit_tests_say() {
    let files = histories();
    assert!(files.len() > 4, "{files:?}");
    let files: Vec<_> = files.iter().filter_map(|path| path.to_str()).collect();
    promtool(&[&["test", "rules"], &files[..]].concat(), "");
}

#[test]
fn the_configuration_that_is_shipped_is_right() {
    let file = top().join("deploy/prometheus/prometheus.yml");
    let said = promtool(&["check", "config", file.to_str().expect("our paths are UTF-8")], "");
    assert!(said.contains("suppressd.rules.yml"), "{said}");
}

/// A Prometheus that scrapes nobody and has read the rules.
async fn reader() -> Prometheus {
    Prometheus::start(&leash::directory("prometheus-"), &[]).await
}
