//! Servers and workers that end, and come back: nothing is lost, and nobody has to help.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use lapin::BasicProperties;
use lapin::options::QueueDeleteOptions;
use serde_json::json;

use crate::scene::{Scene, event, job};
use crate::support::{Broker, Inbox, Persistence, SOON, Stage, eventually};

fn jobs(count: usize) -> impl Iterator<Item = (String, BasicProperties, Vec<u8>)> {
    let people = json!([{"user_id": "U-canary"}, {"user_id": "U-2"}]);
    (0..count).map(move |n| {
        let body = job(&format!("j-{n}"), "sms", people.clone()).to_string();
        ("sms.KZ-79".to_owned(), BasicProperties::default(), body.into_bytes())
    })
}

/// Takes outputs until each of so many jobs was there, and none with the one who opted out.
async fn all_of(out: &mut Inbox, count: usize) {
    let mut seen = BTreeSet::new();
    while seen.len() < count {
        let message = out.next().await;
        assert_eq!(message.json()["segments"][0]["recipients"], json!([{"user_id": "U-2"}]));
        seen.insert(message.message_id().expect("an output has an id").to_owned());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_told_to_end_under_load_finishes_what_it_holds_and_loses_nothing() {
    let mut scene = Scene::new().await;
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    scene.guest.publish_all("suppressd.jobs", jobs(400)).await;
    let first = scene.out.next().await;
    assert!(first.message_id().is_some());
    let asked = Instant::now();
    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0), "{}", scene.worker.output());
    assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?}", asked.elapsed());
    let mut done = scene.out.take(0).await.len() + 1;
    while scene.out.next_within(Duration::from_millis(200)).await.is_some() {
        done += 1;
    }
    let left = scene.guest.count("suppressd.jobs").await.expect("the queue is there");
    assert_eq!(done + left as usize, 400, "each job is out once, or still there");

    // Killed, it may send a copy; it loses nothing either.
    scene.guest.publish_all("suppressd.jobs", jobs(400)).await;
    scene.worker = scene.stage.start("w2");
    scene.out.next().await;
    scene.worker.kill9();
    scene.worker = scene.stage.start("w3");
    all_of(&mut scene.out, 400).await;
    scene.guest.expect_count("suppressd.jobs", 0).await;
    scene.worker.wait_ready().await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_a_worker_that_cannot_finish_at_once() {
    let scene = Scene::new().await;
    // With Redis frozen, the job that is held cannot be finished.
    scene.stage.redis.freeze();
    scene.guest.publish_all("suppressd.jobs", jobs(1)).await;
    scene.guest.expect_count("suppressd.jobs", 0).await;
    scene.worker.sigterm();
    eventually("it says that it stops", SOON, async || {
        scene.worker.output().contains("stopping").then_some(())
    })
    .await;
    scene.worker.sigterm();
    let asked = Instant::now();
    assert_eq!(scene.worker.exit_code().await, Some(70), "{}", scene.worker.output());
    assert!(asked.elapsed() < Duration::from_secs(3));
    scene.stage.redis.thaw();
    scene.guest.expect_count("suppressd.jobs", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_queue_is_declared_and_consumed_again() {
    let mut scene = Scene::new().await;
    let channel = scene.guest.channel().await;
    for queue in ["suppressd.jobs", "suppressd.opt-outs", "suppressd.waiting"] {
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }
    let again = async |queue: &'static str| {
        eventually(queue, SOON, async || scene.guest.count(queue).await).await;
    };
    again("suppressd.jobs").await;
    again("suppressd.opt-outs").await;
    again("suppressd.waiting").await;
    scene.worker.wait_ready().await;
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    let (kept, _) = scene.kept("sms", json!([{"user_id": "U-canary"}, {"user_id": "U-2"}])).await;
    assert_eq!(kept, ["U-2"]);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_rabbitmq_and_of_redis_everything_works_again_without_help() {
    let broker = Broker::start();
    let stage = Stage::with(&broker, Persistence::Always);
    stage.init();
    let worker = stage.start("w1");
    worker.wait_ready().await;
    broker.kill9();
    worker.wait_not_ready().await;
    broker.start_again();
    let back = Instant::now();
    worker.wait_ready().await;
    assert!(back.elapsed() < Duration::from_secs(30), "it took {:?}", back.elapsed());
    let guest = stage.connect("guest").await;
    let mut out = guest.inbox("test.out", &[("suppressd.filtered", "#")]).await;
    let mut receipts = guest.inbox("test.receipts", &[("suppressd.events", "receipt.#")]).await;
    let callcenter = stage.connect("callcenter").await;
    let by = BasicProperties::default().with_user_id("callcenter".into());
    let body = event("e-1", "opt_out", json!({"user_id": "U-canary"})).to_string();
    callcenter.publish_with("suppressd.opt-outs", "call_center", by, body.as_bytes()).await;
    assert_eq!(receipts.next().await.json()["status"], "applied");
    guest.publish_all("suppressd.jobs", jobs(20)).await;
    all_of(&mut out, 20).await;

    stage.redis.kill9();
    worker.wait_not_ready().await;
    guest.publish_all("suppressd.jobs", jobs(20)).await;
    stage.redis.start_again();
    all_of(&mut out, 20).await;
    worker.wait_ready().await;
    worker.sigterm();
    assert_eq!(worker.exit_code().await, Some(0), "{}", worker.output());
}
