//! Jobs whose output nobody is bound to: not lost, in nobody's way, and out as soon as somebody is.

use std::time::Duration;

use lapin::BasicProperties;
use lapin::options::QueueBindOptions;
use lapin::types::FieldTable;
use serde_json::json;

use crate::scene::{Scene, event, job};
use crate::support::{SOON, eventually};

/// The contract's word.
const OUT_WITHIN: Duration = Duration::from_secs(10);

async fn bind(scene: &Scene, key: &str) {
    let (channel, options) = (scene.guest.channel().await, QueueBindOptions::default());
    let bound = channel.queue_bind(
        "test.out".into(),
        "suppressd.filtered".into(),
        key.into(),
        options,
        FieldTable::default(),
    );
    bound.await.unwrap();
}

async fn unbind(scene: &Scene, key: &str) {
    let channel = scene.guest.channel().await;
    let none = FieldTable::default();
    channel.queue_unbind("test.out".into(), "suppressd.filtered".into(), key.into(), none).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_nobody_is_bound_for_waits_and_goes_out_filtered_afresh() {
    let mut scene = Scene::new().await;
    unbind(&scene, "#").await;
    bind(&scene, "sms.bound").await;
    let people = json!([{"user_id": "U-canary"}, {"user_id": "U-2"}]);
    let by = BasicProperties::default().with_user_id("marketing".into()).with_expiration("600000".into());
    for id in ["j-1", "j-2"] {
        let body = job(id, "sms", people.clone()).to_string();
        scene.marketing.publish_with("suppressd.jobs", "sms.unbound", by.clone(), body.as_bytes()).await;
    }
    scene.expect_metric("suppressd_unroutable_jobs", &[], 2).await;
    assert_eq!(scene.alarms.next().await.routing_key, "alarm.unroutable");
    scene.alarms.expect_silence(Duration::from_millis(100)).await;

    scene.marketing.publish("suppressd.jobs", "sms.bound", &job("j-3", "sms", people)).await;
    assert_eq!(scene.out.next().await.message_id(), Some("j-3"), "a neighbour is not held up");
    let ready = eventually("the warning is shown", SOON, async || {
        let ready = scene.worker.get("/ready").expect("the admin server answers");
        let named = |warning: &serde_json::Value| warning["name"] == "unroutable_jobs";
        ready.json()["warnings"].as_array()?.iter().any(named).then_some(ready)
    });
    assert_eq!(ready.await.status, 200, "a warning is no reason to take the worker away");
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;

    bind(&scene, "sms.unbound").await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let out = scene.out.next_within(OUT_WITHIN).await.expect("it goes out in time");
        assert_eq!(out.json()["segments"][0]["recipients"], json!([{"user_id": "U-2"}]), "filtered afresh");
        assert_eq!(out.routing_key, "sms.unbound");
        assert_eq!(out.header("x-suppressd-user-id").as_deref(), Some("marketing"));
        assert_eq!(out.header("x-suppressd-exchange"), None, "the waiting room leaves no trace");
        assert_eq!(out.properties.expiration().as_ref().unwrap().as_str(), "600000");
        ids.push(out.message_id().unwrap().to_owned());
    }
    ids.sort();
    assert_eq!(ids, ["j-1", "j-2"]);
    scene.expect_metric("suppressd_unroutable_jobs", &[], 0).await;
    scene.out.expect_silence(Duration::from_millis(100)).await;
    scene.end().await;
}
