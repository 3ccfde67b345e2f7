//! Redis behind Sentinels: whoever is promoted, whatever it lacks, and whoever was cut off, nobody leaks and workers
//! find the primary by themselves.

use super::flow::{RECOVERY, SHARP};
use super::scene::Scene;
use crate::support::sentinels::{Sentinels, primary, replica, url_at};
use crate::support::{Proxy, Redis, Stage, Worker, eventually};

/// Rounds that a replica lacks. Sentinels promote no replica that was without its primary for ten times
/// `down-after-milliseconds`, which is 30 s here.
const LACKED: u64 = 20;

/// A stage with a primary that Sentinels can make a replica.
async fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.redis = primary(stage.directory()).await;
    stage
}

/// Whether it is a replica that has reached its primary.
async fn follows(redis: &Redis) -> Option<()> {
    format!("{:?}", redis.try_run("ROLE").await.ok()?).contains("connected").then_some(())
}

/// Jobs that this worker has filtered.
fn jobs(worker: &Worker) -> f64 {
    worker.metrics().sum("suppressd_jobs_total", &[])
}

/// Receipts and outputs that have come.
fn answers(scene: &Scene) -> usize {
    let verdict = scene.flow.verdict();
    verdict.opt_outs.delivered + verdict.jobs.delivered
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_sentinels_promote_without_the_last_writes_is_caught_up_first() {
    let mut stage = stage().await;
    let replica = replica(stage.directory(), stage.redis.port()).await;
    let sentinels = Sentinels::of(stage.directory(), 3, stage.redis.port());
    sentinels.start().know(1).await;
    // With the default nothing would be acknowledged that the replica lacks.
    stage.configure(&format!("{}wait_replicas = 0\n", sentinels.settings()));
    stage.init();
    let workers = vec![stage.start("w1"), stage.start("w2")];
    let network = (Proxy::start(1).await, Proxy::start(1).await);
    let mut scene = Scene::playing(stage, workers, network, 70, SHARP).await;

    replica.run("CONFIG SET masterauth wrong").await;
    scene.stage.redis.run("CLIENT KILL TYPE replica").await;
    scene.flow.more(LACKED, RECOVERY).await;
    scene.stage.redis.kill9();
    scene.recovers("a replica without the last writes, promoted by Sentinels").await;
    scene.expect_alarm("list_lost").await;
    sentinels.name(replica.port()).await;

    // The old primary comes back as one, with writes that are no longer the list's, until a Sentinel tells it.
    scene.stage.redis.start_again();
    scene.recovers("the old primary is back").await;
    eventually("the old primary follows the new one", RECOVERY, async || follows(&scene.stage.redis).await)
        .await;
    scene.recovers("the old primary is a replica").await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_cut_off_with_the_old_primary_outputs_nothing() {
    let mut stage = stage().await;
    // All but this worker see the primary through a network that breaks. The worker has a Sentinel on its side, which
    // hears nothing of the others: it names the old primary to the end.
    let network = Proxy::start(stage.redis.port()).await;
    let directory = stage.directory().to_owned();
    let replicas = [replica(&directory, network.port()).await, replica(&directory, network.port()).await];
    stage.redis.run("ACL SETUSER deaf on >SENTINEL_PASSWORD ~* +@all").await;
    let sentinels = Sentinels::of(&directory, 3, network.port());
    sentinels.start().know(2).await;
    let deaf = Sentinels::deaf(&directory, stage.redis.port(), "deaf");
    deaf.start().know(2).await;
    let mut ways = Vec::new();
    for port in sentinels.ports() {
        ways.push(Proxy::start(port).await);
    }
    stage.configure(&sentinels.settings());
    stage.init();
    let ports: Vec<u16> = deaf.ports().into_iter().chain(ways.iter().map(Proxy::port)).collect();
    let cut_off = stage.start_with("w1", |command| {
        command.env("SUPPRESSD__REDIS__URL", url_at(&ports));
        // Soon enough that the load does not wait for what it holds.
        command.env("SUPPRESSD__LIMITS__HOLD_MAX_S", "2");
    });
    let workers = vec![cut_off, stage.start("w2")];
    let scene = Scene::playing(stage, workers, (Proxy::start(1).await, network), 71, SHARP).await;

    ways.iter().for_each(Proxy::refuse);
    scene.redis.refuse();
    let (cut_off, other) = (&scene.workers[0], &scene.workers[1]);
    cut_off.wait_not_ready().await;
    let promoted = eventually("a replica is promoted", RECOVERY, async || {
        for replica in &replicas {
            // A Sentinel that makes it the primary ends its connections.
            let Ok(role) = replica.try_run("ROLE").await else { continue };
            if format!("{role:?}").contains("master") {
                return Some(replica);
            }
        }
        None
    })
    .await;
    let (held, so_far) = (jobs(cut_off), answers(&scene));
    // Two of three servers are on the other side: it acknowledges what the old primary never hears of.
    other.wait_ready().await;
    eventually("the other side goes on", RECOVERY, async || (answers(&scene) > so_far).then_some(())).await;
    let why = async || cut_off.get("/ready").ok()?.body.contains("0 of 1 replicas confirmed").then_some(());
    eventually("the worker that is cut off says why it waits", RECOVERY, why).await;
    assert!((jobs(cut_off) - held).abs() < 0.5, "a worker without a majority has filtered");

    ways.iter().for_each(Proxy::open);
    scene.redis.open();
    scene.recovers("no longer cut off with the old primary").await;
    sentinels.name(promoted.port()).await;
    scene.end().await;
}
