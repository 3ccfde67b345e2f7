//! Redis emptied, restarted without its tail, put back to an old backup, frozen, full, read-only, evicting, and
//! replaced by a replica that lacks the last writes: the list is a fold of the ledger, so each of them heals by
//! itself, and nothing is output before it has.

use std::time::Duration;

use super::flow::RECOVERY;
use super::scene::{BEFORE, Scene};
use crate::support::{Persistence, Redis};

/// How long nothing may come out while a fault lasts.
const HELD: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn a_flushed_redis_is_filled_again_before_anything_is_output() {
    let mut scene = Scene::keeping(Persistence::EverySecond, 3).await;
    for _ in 0..3 {
        scene.stage.redis.run("FLUSHALL").await;
        scene.recovers("emptied").await;
    }
    scene.expect_alarm("list_lost").await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_lost_its_tail_or_is_an_old_backup_is_caught_up_first() {
    let mut scene = Scene::keeping(Persistence::Snapshots, 4).await;
    let redis = &scene.stage.redis;
    redis.run("SAVE").await;
    redis.back_up("monday");
    scene.flow.more(BEFORE, RECOVERY).await;
    redis.run("SAVE").await;
    scene.flow.more(BEFORE, RECOVERY).await;
    redis.kill9();
    redis.start_again();
    scene.recovers("without its tail").await;
    scene.stage.redis.restore("monday");
    scene.recovers("an old backup").await;
    scene.expect_alarm("list_lost").await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_killed_finds_in_its_file_what_it_was_told() {
    let scene = Scene::keeping(Persistence::Always, 7).await;
    let redis = &scene.stage.redis;
    let position = async || -> u64 {
        redis::from_redis_value(redis.run("HGET {suppressd}:meta position").await).unwrap()
    };
    // What comes between is not waited for: nothing is written while the workers stand still.
    scene.workers.iter().for_each(crate::support::Worker::freeze);
    let before = position().await;
    redis.kill9();
    redis.start_again();
    assert_eq!(position().await, before, "nothing has to be filled from the ledger");
    scene.workers.iter().for_each(crate::support::Worker::thaw);
    scene.recovers("killed and restarted").await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_redis_holds_everything_and_lets_go_of_nothing() {
    let scene = Scene::keeping(Persistence::EverySecond, 5).await;
    scene.stage.redis.freeze();
    scene.is_held_for(Duration::from_secs(8)).await;
    scene.stage.redis.thaw();
    scene.recovers("frozen for 10 s").await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_takes_no_writes_holds_everything_until_it_does() {
    let scene = Scene::keeping(Persistence::EverySecond, 8).await;
    let redis = &scene.stage.redis;
    // A replica of nobody: it answers, shows what it has, and refuses to write.
    for (begins, ends) in [
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"),
    ] {
        redis.run(begins).await;
        scene.is_held_for(HELD).await;
        redis.run(ends).await;
        scene.recovers(begins).await;
    }
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_has_evicted_is_not_believed_until_it_was_emptied_and_restarted() {
    let scene = Scene::keeping(Persistence::EverySecond, 9).await;
    let redis = &scene.stage.redis;
    // Keys go at once, while the workers serve.
    redis.run("CONFIG SET maxmemory-policy allkeys-random").await;
    redis.run("CONFIG SET maxmemory 1").await;
    scene.is_held_for(HELD).await;
    // Nobody knows what is missing: that no more will be evicted is not enough.
    redis.run("CONFIG SET maxmemory 0").await;
    redis.run("CONFIG SET maxmemory-policy noeviction").await;
    scene.is_held_for(HELD).await;
    for worker in &scene.workers {
        let ready = worker.get("/ready").unwrap();
        assert!(ready.status == 503 && ready.body.contains("evicted"), "{}", ready.body);
    }
    redis.run("FLUSHALL").await;
    redis.stop();
    redis.start_again();
    scene.recovers("evicted, emptied and restarted").await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_replica_that_lacks_the_last_writes_is_caught_up_first() {
    let mut scene = Scene::keeping(Persistence::EverySecond, 10).await;
    let primary = format!("127.0.0.1 {}", scene.stage.redis.port());
    let arguments = ["--replicaof", &primary, "--masteruser", "tests", "--masterauth", "tests"];
    let replica = Redis::start_with(scene.stage.directory(), Persistence::EverySecond, &arguments);
    crate::support::eventually("the replica has what the primary has", RECOVERY, async || {
        let role = format!("{:?}", replica.run("ROLE").await);
        role.contains("connected").then_some(())
    })
    .await;
    // It is cut off and promoted first, and the primary goes on for a while: then those writes are gone.
    replica.run("REPLICAOF NO ONE").await;
    scene.flow.more(BEFORE, RECOVERY).await;
    scene.stage.redis.kill9();
    scene.redis.lead_to(replica.port());
    scene.recovers("a promoted replica").await;
    scene.expect_alarm("list_lost").await;
    scene.end().await;
}
