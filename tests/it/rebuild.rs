//! The list from the ledger: by the command, and by a worker whose list is gone.

use std::time::Duration;

use serde_json::json;

use crate::scene::{CANARIES, Scene, but, event};
use crate::support::{Finished, Proxy, SOON, Stage, eventually};

async fn fill(scene: &mut Scene) -> u64 {
    for n in 0..20 {
        scene.apply(event(&format!("e-{n}"), "opt_out", json!({"user_id": format!("U-canary-{n}")}))).await;
    }
    let later = json!({"occurred_at": "2026-11-05T10:00:00+05:00"});
    scene.apply(but(event("in", "opt_in", json!({"user_id": "U-canary-3"})), later)).await
}

async fn expect_the_list(scene: &mut Scene, revision: u64) {
    let people = json!([{"user_id": "U-canary-3"}, {"user_id": "U-canary-4"}, {"user_id": "U-2"}]);
    let body = scene.filter(&crate::scene::job("j", "sms", people)).await.json();
    let expected = json!([{"user_id": "U-canary-3"}, {"user_id": "U-2"}]);
    assert_eq!(body["segments"][0]["recipients"], expected);
    assert_eq!(body["suppression"]["revision"], revision, "the same numbers again");
    let again = scene.event(event("e-5", "opt_out", json!({"user_id": "U-canary-5"}))).await;
    assert_eq!((&again["status"], &again["revision"]), (&json!("duplicate"), &json!(6)), "{again}");
}

fn rebuilt(told: &Finished, revision: u64) {
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(told.stdout.trim(), format!("the list is rebuilt: revision {revision}"));
    assert!(CANARIES.iter().all(|canary| !told.stderr.contains(canary)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_rebuilt_beside_a_serving_worker_with_the_same_revisions() {
    let mut scene = Scene::new().await;
    let revision = fill(&mut scene).await;
    assert_eq!(revision, 21);
    rebuilt(&scene.stage.run(&["rebuild"]), revision);
    expect_the_list(&mut scene, revision).await;
    scene.worker.wait_ready().await;

    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    scene.stage.redis.run("FLUSHALL").await;
    rebuilt(&scene.stage.run(&["rebuild"]), revision);
    scene.worker = scene.stage.start("w2");
    scene.worker.wait_ready().await;
    expect_the_list(&mut scene, revision).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_list_is_gone_rebuilds_it_by_itself_and_says_so() {
    let mut scene = Scene::new().await;
    let revision = fill(&mut scene).await;
    scene.stage.redis.run("FLUSHALL").await;
    assert_eq!(scene.alarms.next().await.routing_key, "alarm.list_lost");
    expect_the_list(&mut scene, revision).await;
    let raised_at = scene.metric("suppressd_alarm_raised_at_seconds", &[("alarm", "list_lost")]);
    assert!(raised_at > 1.7e9, "Prometheus learns of it too, and when: {raised_at}");
    scene.expect_metric("suppressd_alarm_active", &[], 0).await;
    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    scene.stage.redis.run("FLUSHALL").await;
    scene.worker = scene.stage.start("w2");
    scene.worker.wait_ready().await;
    expect_the_list(&mut scene, revision).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_another_version_of_the_fold_is_not_applied_to_until_it_is_rebuilt() {
    let mut scene = Scene::new().await;
    let revision = fill(&mut scene).await;
    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    let redis = &scene.stage.redis;
    redis.run("HSET {suppressd}:meta fold 2").await;
    let position = redis.run("HGET {suppressd}:meta position").await;
    scene.worker = scene.stage.start("w2");
    eventually("the worker says whose list it is", SOON, async || {
        let said = scene.worker.output();
        let clear = said.contains("another version of suppressd keeps the list (fold 2, this is 3)")
            && said.contains("run `suppressd rebuild`");
        clear.then_some(())
    })
    .await;
    scene.worker.wait_not_ready().await;
    assert_eq!(redis.run("HGET {suppressd}:meta position").await, position, "nothing is applied");
    rebuilt(&scene.stage.run(&["rebuild"]), revision);
    scene.worker.wait_ready().await;
    expect_the_list(&mut scene, revision).await;
    scene.end().await;
}

/// What deploy/OPERATING.md promises of an upgrade: a mark in Redis stands for workers of the other version.
#[tokio::test(flavor = "multi_thread")]
async fn while_another_version_keeps_the_list_a_worker_filters_and_takes_no_events() {
    let mut stage = Stage::new();
    let amqp = Proxy::start(stage.vhost.broker().amqp_port()).await;
    stage.configure(&format!("[amqp]\nurl = \"{}\"\n", stage.vhost.url_at(amqp.port(), "suppressd")));
    let mut scene = Scene::on(stage).await;
    let revision = fill(&mut scene).await;
    scene.stage.redis.run("HSET {suppressd}:meta fold 2").await;
    amqp.cut();
    scene.worker.wait_not_ready().await;
    eventually("the worker says why", SOON, async || {
        let said = scene.worker.get("/ready").unwrap().body;
        (said.contains("another version of suppressd keeps the list")
            && said.contains("\"mirror\":{\"ready\":true"))
        .then_some(())
    })
    .await;

    scene.send_event(&event("late", "opt_out", json!({"user_id": "U-2"}))).await;
    let people = json!([{"user_id": "U-canary-4"}, {"user_id": "U-2"}]);
    assert_eq!(scene.kept("sms", people.clone()).await.0, ["U-2"], "jobs go on");
    // A receipt whose confirm the cut swallowed comes again.
    while let Some(again) = scene.receipts.next_within(Duration::from_millis(500)).await {
        assert_eq!(again.json()["event_id"], "in", "nothing is taken");
    }

    rebuilt(&scene.stage.run(&["rebuild"]), revision);
    let mut receipt = scene.receipts.next().await.json();
    while receipt["event_id"] == "in" {
        receipt = scene.receipts.next().await.json();
    }
    assert_eq!((&receipt["event_id"], &receipt["status"]), (&json!("late"), &json!("applied")));
    assert_eq!(scene.kept("sms", people).await.0, [""; 0]);
    scene.worker.wait_ready().await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_ledger_and_a_list_there_is_nothing_to_rebuild() {
    let stage = crate::support::Stage::new();
    let told = stage.run(&["rebuild"]);
    assert_eq!(told.code, Some(78), "{told:?}");
    assert!(told.stderr.contains("suppressd init"), "{told:?}");
}
