//! The machine that a worker runs on: a full disk under its log, and a clock that somebody sets back.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::scene::{Scene, event};
use crate::support::{SOON, Stage, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_log_cannot_be_written_does_its_work() {
    let mut scene = Scene::new().await;
    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    scene.worker = scene.stage.start_logging_to("w2", "/dev/full");
    scene.worker.wait_ready().await;
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    // What there is to be told of this cannot be told either.
    scene.stage.redis.kill9();
    scene.worker.wait_not_ready().await;
    scene.stage.redis.start_again();
    scene.worker.wait_ready().await;
    let people = json!([{"user_id": "U-canary"}, {"user_id": "U-2"}]);
    assert_eq!(scene.kept("sms", people).await.0, ["U-2"]);
    scene.end().await;
}

/// The library that lies about the time to a program that is started with it.
fn liar() -> PathBuf {
    let libraries = std::fs::read_dir("/usr/lib").expect("Linux has it").flatten();
    let found = libraries.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    found.into_iter().find(|path| path.exists()).expect("tests/run installs libfaketime")
}

/// By how much the worker's clock is off from now on.
fn set_clock(file: &Path, offset: &str) {
    std::fs::write(file, offset).expect("the directory is ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_holds_events_and_leaks_nobody() {
    let mut scene = Scene::new().await;
    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    let clock = scene.stage.directory().join("clock");
    set_clock(&clock, "+0");
    scene.worker = with_clock(&scene.stage, &clock);
    scene.worker.wait_ready().await;
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;

    set_clock(&clock, "-1h");
    let warned = async || {
        let ready = scene.worker.get("/ready").ok()?;
        let warnings = ready.json()["warnings"].clone();
        warnings.as_array()?.iter().any(|warning| warning["name"] == "clock").then_some(ready.status)
    };
    let status = eventually("/ready warns of the clock", SOON, warned).await;
    assert_eq!(status, 200, "jobs go on");
    let people = json!([{"user_id": "U-canary"}, {"user_id": "U-2"}]);
    assert_eq!(scene.kept("sms", people.clone()).await.0, ["U-2"]);
    scene.send_event(&event("e-2", "opt_out", json!({"user_id": "U-2"}))).await;
    scene.receipts.expect_silence(std::time::Duration::from_millis(500)).await;

    set_clock(&clock, "+0");
    assert_eq!(scene.receipts.next().await.json()["status"], "applied", "it waited for the clock");
    assert!(scene.kept("sms", people).await.0.is_empty());
    scene.end().await;
}

/// A worker that has the time from a file.
fn with_clock(stage: &Stage, clock: &Path) -> crate::support::Worker {
    stage.start_with("w2", |command| {
        command.env("LD_PRELOAD", liar()).env("FAKETIME_TIMESTAMP_FILE", clock);
        // Looked at each time; and what measures durations is not touched by whoever sets a clock.
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    })
}
