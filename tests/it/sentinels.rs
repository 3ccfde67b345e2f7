//! Finding Redis by its Sentinels: the default of `redis.wait_replicas`, who is asked, and what is said when nobody
//! answers. Failovers under load are in [`faults::sentinels`](crate::faults).

use std::time::Duration;

use serde_json::json;

use crate::scene::{Scene, event};
use crate::support::certificates::{certificate, key};
use crate::support::ports::free_port;
use crate::support::sentinels::{Sentinels, add_users, primary, replica, url_at};
use crate::support::{Persistence, Redis, SOON, Stage, Worker, eventually};

/// A stage whose Redis can become a replica.
async fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.redis = primary(stage.directory()).await;
    stage
}

/// Waits until readiness has these words in it.
async fn says(worker: &Worker, words: &str) {
    let what = format!("/ready says {words}");
    let look = async || worker.get("/ready").ok()?.body.contains(words).then_some(());
    eventually(&what, SOON * 2, look).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_default_a_write_counts_when_half_of_the_servers_have_it() {
    let mut stage = stage().await;
    let replica = replica(stage.directory(), stage.redis.port()).await;
    let sentinels = Sentinels::of(stage.directory(), 3, stage.redis.port());
    sentinels.start().know(1).await;
    stage.configure(&sentinels.settings());
    let mut scene = Scene::on(stage).await;
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    let ready = scene.worker.get("/ready").unwrap();
    assert!(!ready.body.contains("wait_replicas"), "{}", ready.body);

    // The replica is there, and has nothing new: nothing is acknowledged.
    replica.freeze();
    scene.send_event(&event("e-2", "opt_out", json!({"user_id": "U-canary-2"}))).await;
    says(&scene.worker, "0 of 1 replicas confirmed").await;
    scene.receipts.expect_silence(Duration::from_secs(2)).await;
    replica.thaw();
    assert_eq!(scene.receipts.next().await.json()["status"], "applied");
    sentinels.name(scene.stage.redis.port()).await;

    // One Sentinel less is no matter, neither for this worker nor for whoever asks them next.
    sentinels.kill9(0);
    scene.apply(event("e-3", "opt_out", json!({"user_id": "U-canary-3"}))).await;
    let doctor = scene.stage.run(&["doctor"]).stdout;
    assert!(doctor.contains("2 of 3 that redis.url names answer"), "{doctor}");
    assert!(
        doctor.contains("1 replica, redis.wait_replicas is 1") || doctor.contains("min-replicas-to-write")
    );
    let (kept, _) = scene.kept("sms", json!([{"user_id": "U-canary-3"}, {"user_id": "U-1"}])).await;
    assert_eq!(kept, ["U-1"]);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_no_replica_is_warned_of_also_while_they_are_away() {
    let mut stage = stage().await;
    let replica = replica(stage.directory(), stage.redis.port()).await;
    let sentinels = Sentinels::of(stage.directory(), 1, stage.redis.port());
    sentinels.start().know(1).await;
    replica.kill9();
    stage.configure(&format!("{}wait_replicas = 0\n", sentinels.settings()));
    stage.init();
    let worker = stage.start("w1");
    worker.wait_ready().await;
    says(&worker, "redis.wait_replicas should be 1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sentinel_that_knows_nothing_begins_and_what_to_do_is_said() {
    let mut stage = stage().await;
    let sentinels = Sentinels::of(stage.directory(), 3, stage.redis.port());
    stage.configure(&sentinels.settings());
    let init = stage.run(&["init"]);
    assert_eq!(init.code, Some(69), "{}", init.stderr);
    let to_do = "no Sentinel says who the primary is: start them, or correct redis.url";
    assert!(init.stderr.contains(to_do), "{}", init.stderr);

    sentinels.start().know(0).await;
    stage.init();
    (0..3).for_each(|index| sentinels.kill9(index));
    let worker = stage.start("w1");
    says(&worker, to_do).await;
    sentinels.start();
    worker.wait_ready().await;

    for (change, words) in [
        ("url", "watches no primary of the name that redis.url has"),
        ("password", "set redis.sentinel_password_file"),
    ] {
        let mut command = stage.command(&["init"]);
        if change == "url" {
            let other = url_at(&sentinels.ports()).replace("mymaster", "another");
            command.env("SUPPRESSD__REDIS__URL", other);
        } else {
            command.env("SUPPRESSD__REDIS__SENTINEL_USER", "somebody");
        }
        let said = String::from_utf8(command.output().unwrap().stderr).unwrap();
        assert!(said.contains(words) && !said.contains("WORKER_PASSWORD"), "{change}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_and_the_servers_that_they_name_are_reached_over_tls() {
    let mut stage = Stage::new();
    let port = free_port();
    let files = [certificate("server"), key("server"), certificate("ca")];
    let tls = [
        ["--tls-port", &port.to_string()],
        ["--tls-cert-file", &files[0]],
        ["--tls-key-file", &files[1]],
        ["--tls-ca-cert-file", &files[2]],
        ["--tls-auth-clients", "no"],
    ];
    stage.redis = Redis::start_with(stage.directory(), Persistence::EverySecond, &tls.concat());
    add_users(&stage.redis).await;
    let sentinels = Sentinels::secured(stage.directory(), port, "server");
    sentinels.start();
    let settings = sentinels.settings().replace("redis-sentinel:", "rediss-sentinel:");
    stage.configure(&format!("{settings}ca_file = \"{}\"\n", certificate("ca")));
    stage.init();
    let worker = stage.start("w1");
    worker.wait_ready().await;

    let stranger = stage.start_with("w2", |command| {
        command.env("SUPPRESSD__REDIS__CA_FILE", certificate("stranger"));
    });
    says(&stranger, "redis.ca_file").await;
}
