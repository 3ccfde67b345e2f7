//! Messages under which workers ended: processed alone, and only then taken for the cause.

use futures_util::StreamExt;
use lapin::BasicProperties;
use lapin::options::BasicConsumeOptions;
use lapin::types::FieldTable;
use serde_json::json;
use suppressd::domain::digest::HashKey;
use suppressd::service::quarantine::{ALONE_MAX, SUSPECT_AFTER};

use crate::scene::{Scene, event, job};
use crate::support::{SOON, Stage, eventually};

/// Takes the only message of a queue and drops the connection, so many times.
async fn crash_over(stage: &Stage, queue: &str, times: u64) {
    let looker = stage.connect("guest").await;
    for _ in 0..times {
        let client = stage.connect("guest").await;
        let channel = client.channel().await;
        let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
        let mut consumer = channel.basic_consume(queue.into(), "".into(), options, none).await.unwrap();
        consumer.next().await.unwrap().unwrap();
        drop((consumer, channel, client));
        looker.expect_count(queue, 1).await;
    }
}

/// What Redis remembers of a body that workers ended under.
fn suspect(stage: &Stage, body: &[u8]) -> String {
    let settings = std::fs::read_to_string(stage.directory().join("suppressd.toml")).unwrap();
    let (_, rest) = settings.split_once("key_files = [\"").unwrap();
    let (path, _) = rest.split_once('"').unwrap();
    let key = HashKey::from_file_text(&std::fs::read_to_string(path).unwrap()).unwrap();
    let hex = suppressd::codec::record::hex(&key.content_hash(body));
    format!("{{suppressd}}:suspect:{hex}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_ended_workers_alone_is_dead_and_an_unlucky_neighbour_is_not() {
    let mut scene = Scene::new().await;
    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    let poison_job = job("poison", "sms", json!([{"user_id": "U-canary"}])).to_string();
    let poison_event = event("poison", "opt_out", json!({"user_id": "U-canary"})).to_string();
    let unlucky = event("unlucky", "opt_out", json!({"user_id": "U-canary-2"})).to_string();
    let by = || BasicProperties::default().with_user_id("callcenter".into());
    scene
        .marketing
        .publish_with("suppressd.jobs", "sms", BasicProperties::default(), poison_job.as_bytes())
        .await;
    scene.callcenter.publish_with("suppressd.opt-outs", "call_center", by(), poison_event.as_bytes()).await;
    for queue in ["suppressd.jobs", "suppressd.opt-outs"] {
        crash_over(&scene.stage, queue, SUSPECT_AFTER).await;
    }
    for body in [&poison_job, &poison_event] {
        let key = suspect(&scene.stage, body.as_bytes());
        scene.stage.redis.run(&format!("SET {key} {ALONE_MAX}")).await;
    }
    scene.worker = scene.stage.start("w2");
    scene.worker.wait_ready().await;
    for letter in scene.dead.take(2).await {
        assert_eq!(letter.header("x-suppressd-reason").as_deref(), Some("crashed_worker"));
        let (queue, body) =
            (letter.header("x-suppressd-queue").unwrap(), String::from_utf8(letter.body).unwrap());
        assert_eq!(body, if queue == "suppressd.jobs" { &*poison_job } else { &*poison_event });
    }
    for body in [&poison_job, &poison_event] {
        let key = suspect(&scene.stage, body.as_bytes());
        let gone = async || {
            (scene.stage.redis.run(&format!("EXISTS {key}")).await == redis::Value::Int(0)).then_some(())
        };
        eventually("its twin has its own chances", SOON, gone).await;
    }

    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    scene.callcenter.publish_with("suppressd.opt-outs", "call_center", by(), unlucky.as_bytes()).await;
    crash_over(&scene.stage, "suppressd.opt-outs", SUSPECT_AFTER + 2).await;
    scene.worker = scene.stage.start("w3");
    scene.worker.wait_ready().await;
    assert_eq!(scene.receipts.next().await.json()["status"], "applied");
    scene.end().await;
}
