//! Days without a worker: everything waits in RabbitMQ, and one worker alone works it off, in bounded memory.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use lapin::BasicProperties;
use serde_json::{Value, json};

use super::say;
use crate::scene::{event, job};
use crate::support::{LONG, Stage};

const JOBS: usize = 2_500;
const OPT_OUTS: usize = 500;

/// For the program, the list and what is in hand: a backlog is RabbitMQ's to keep.
const MEMORY_MAX: usize = 160 << 20;

fn person(number: usize) -> Value {
    json!({"user_id": format!("U-{number}"), "phone": format!("+7 777 000 {number:04}")})
}

fn jobs() -> impl Iterator<Item = (String, BasicProperties, Vec<u8>)> {
    (0..JOBS).map(|number| {
        // One who opts out, and nine who do not.
        let people: Vec<_> =
            (0..10).map(|of| if of == 0 { number % OPT_OUTS } else { OPT_OUTS + of }).map(person).collect();
        let body = job(&format!("j-{number}"), "sms", json!(people)).to_string();
        ("sms.KZ-79".to_owned(), BasicProperties::default(), body.into_bytes())
    })
}

fn opt_outs() -> impl Iterator<Item = (String, BasicProperties, Vec<u8>)> {
    let by = || BasicProperties::default().with_user_id("guest".into());
    (0..OPT_OUTS).map(move |number| {
        let mut opt_out = event(&format!("e-{number}"), "opt_out", person(number));
        opt_out["source"] = json!("email");
        ("email".to_owned(), by(), opt_out.to_string().into_bytes())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_of_days_is_worked_off_by_one_worker() {
    let stage = Stage::new();
    stage.init();
    // It declares what the messages wait in.
    let first = stage.start("w1");
    first.wait_ready().await;
    first.sigterm();
    assert_eq!(first.exit_code().await, Some(0));
    let guest = stage.connect("guest").await;
    let mut out = guest.inbox("test.out", &[("suppressd.filtered", "#")]).await;
    let mut receipts = guest.inbox("test.receipts", &[("suppressd.events", "receipt.#")]).await;
    guest.publish_all("suppressd.jobs", jobs()).await;
    guest.publish_all("suppressd.opt-outs", opt_outs()).await;

    let started = Instant::now();
    let worker = stage.start("w2");
    let (mut outputs, mut answered) = (BTreeSet::new(), BTreeSet::new());
    while answered.len() < OPT_OUTS {
        let receipt = receipts.next_within(LONG).await.expect("every opt-out is answered").json();
        assert_eq!(receipt["status"], "applied");
        assert!(answered.insert(receipt["event_id"].to_string()), "once");
    }
    while outputs.len() < JOBS {
        let output = out.next_within(LONG).await.expect("every job comes out");
        assert!(outputs.insert(output.message_id().unwrap().to_owned()), "once");
    }
    let peak = super::memory::memory(worker.pid(), "VmHWM");
    say(format_args!(
        "{JOBS} jobs and {OPT_OUTS} opt-outs took {:?}, {} MiB at most",
        started.elapsed(),
        peak >> 20
    ));
    assert!(peak < MEMORY_MAX, "{} MiB are used", peak >> 20);
    let everybody: Vec<_> = (0..OPT_OUTS).map(person).collect();
    guest.publish("suppressd.jobs", "sms.KZ-79", &job("last", "sms", json!(everybody))).await;
    assert_eq!(out.next().await.json()["segments"][0]["recipients"], json!([]));
    guest.expect_count("suppressd.dead", 0).await;
    out.expect_silence(Duration::from_millis(100)).await;
    worker.sigterm();
    assert_eq!(worker.exit_code().await, Some(0));
}
