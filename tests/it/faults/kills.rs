//! Workers that are killed at each step and at any moment: what they held comes again, and nobody can tell but by a
//! copy with the same message id.

use std::time::Duration;

use serde_json::json;

use super::flow::{Flow, RECOVERY};
use super::random::Random;
use super::say;
use crate::scene::{event, job};
use crate::support::{Inbox, Message, Stage, Worker, lasting};

/// As many as an ordinary run of the tests can spare.
const KILLS: u64 = 16;

/// Set by `tests/soak --kills`, with the seed.
const MANY: &str = "SUPPRESSD_SOAK_KILLS";
const SEED: &str = "SUPPRESSD_SOAK_SEED";

/// Between two steps of an event each: ledger, Redis, receipt, acknowledgement.
const EVENT_POINTS: [&str; 3] = ["die-after-append", "die-before-receipt", "die-before-event-ack"];

/// The same of a job: verdicts, publish, confirm, acknowledgement.
const JOB_POINTS: [&str; 3] = ["die-before-output", "die-before-confirm", "die-before-job-ack"];

/// A worker that dies at its first step of this kind.
fn doomed(stage: &Stage, point: &str) -> Worker {
    stage.start_with(point, |command| {
        command.env("SUPPRESSD_FAIL_POINTS", point);
    })
}

/// All that has come, when nobody is left who could send more.
async fn the_rest(inbox: &mut Inbox) -> Vec<Message> {
    let mut all = Vec::new();
    while let Some(message) = inbox.next_within(Duration::from_millis(200)).await {
        all.push(message);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_at_any_step_of_an_event_or_a_job_loses_and_leaks_nothing() {
    let stage = Stage::new();
    stage.init();
    let first = stage.start("first");
    first.wait_ready().await;
    let guest = stage.connect("guest").await;
    let mut receipts = guest.inbox("test.receipts", &[("suppressd.events", "receipt.#")]).await;
    let mut out = guest.inbox("test.out", &[("suppressd.filtered", "#")]).await;
    first.sigterm();
    assert_eq!(first.exit_code().await, Some(0));
    for point in EVENT_POINTS.iter().chain(&JOB_POINTS) {
        let dies = doomed(&stage, point);
        dies.wait_ready().await;
        let mut opt_out = event(point, "opt_out", json!({"user_id": point}));
        opt_out["source"] = json!("email");
        let asked = job(point, "sms", json!([{"user_id": point}, {"user_id": "U-2"}]));
        guest.publish("suppressd.opt-outs", "email", &opt_out).await;
        let (mut answers, mut copies) = (Vec::new(), Vec::new());
        if JOB_POINTS.contains(point) {
            // The opt-out is acknowledged first: from here on the promise holds.
            answers.push(receipts.next().await);
            guest.publish("suppressd.jobs", "sms.KZ-79", &asked).await;
        }
        assert_eq!(dies.exit_code().await, None, "{point}: a signal ended it");
        let heir = stage.start(&format!("after-{point}"));
        if EVENT_POINTS.contains(point) {
            answers.push(receipts.next().await);
            guest.publish("suppressd.jobs", "sms.KZ-79", &asked).await;
        }
        copies.push(out.next().await);
        heir.wait_ready().await;
        guest.expect_count("suppressd.jobs", 0).await;
        guest.expect_count("suppressd.opt-outs", 0).await;
        heir.sigterm();
        assert_eq!(heir.exit_code().await, Some(0), "it finishes what it holds");
        answers.extend(the_rest(&mut receipts).await);
        copies.extend(the_rest(&mut out).await);
        for answer in answers.iter().map(Message::json) {
            assert_eq!((&answer["event_id"], &answer["status"]), (&json!(point), &json!("applied")));
        }
        for copy in copies {
            assert_eq!(copy.json()["segments"][0]["recipients"], json!([{"user_id": "U-2"}]), "{point}");
            assert_eq!(copy.message_id(), Some(*point));
        }
        for queue in ["suppressd.jobs", "suppressd.opt-outs", "suppressd.dead"] {
            guest.expect_count(queue, 0).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_killed_at_random_times_lose_and_leak_nothing() {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let kills = number(MANY).unwrap_or(KILLS);
    let mut random = Random::new(number(SEED).unwrap_or(2));
    let stage = Stage::new();
    stage.init();
    let mut workers = ["w1", "w2"].map(|name| stage.start(name));
    workers[0].wait_ready().await;
    let flow = Flow::start(&stage, 16, 2).await;
    for kill in 0..kills {
        // By progress, so that something is in hand; every fourth by time alone, so that a start is hit too.
        if kill % 4 == 3 {
            lasting(Duration::from_millis(random.below(300).into())).await;
        } else {
            flow.more(1 + u64::from(random.below(40)), RECOVERY).await;
        }
        let victim = random.below(2) as usize;
        workers[victim].kill9();
        workers[victim] = stage.start(["w1", "w2"][victim]);
        if (kill + 1) % 100 == 0 {
            say(format_args!("{} kills", kill + 1));
        }
    }
    flow.more(100, RECOVERY).await;
    let verdict = flow.finish().await;
    say(format_args!("{kills} kills: {verdict:?}"));
    verdict.must_hold();
    assert!(
        stage.connect("guest").await.get("suppressd.dead").await.is_none(),
        "a kill is no message's fault"
    );
}
