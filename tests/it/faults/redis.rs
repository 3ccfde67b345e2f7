//! Redis emptied, restarted without its tail, put back to an old backup, and frozen: the list is a fold of the
//! ledger, so each of them heals by itself, and nothing is output before it has.

use std::time::{Duration, Instant};

use super::flow::{Flow, RECOVERY};
use super::say;
use crate::support::{Broker, Inbox, Persistence, Stage, Worker, lasting};

/// Enough opt-outs that what is lost would show in every job.
const BEFORE: u64 = 150;

/// A list under load, two workers, and somebody who hears the alarms.
struct Scene {
    stage: Stage,
    workers: [Worker; 2],
    flow: Flow,
    alarms: Inbox,
}

impl Scene {
    async fn new(persistence: Persistence, seed: u64) -> Self {
        let stage = Stage::with(&Broker::shared(), persistence);
        stage.init();
        let workers = ["w1", "w2"].map(|name| stage.start(name));
        for worker in &workers {
            worker.wait_ready().await;
        }
        let ops = stage.connect("ops").await;
        let alarms = ops.inbox("ops.alarms", &[("suppressd.events", "alarm.#")]).await;
        let flow = Flow::start(&stage, 16, seed).await;
        flow.more(BEFORE, RECOVERY).await;
        Self { stage, workers, flow, alarms }
    }

    /// The load goes on within the time that is promised, by the same processes.
    async fn goes_on(&self) {
        let started = Instant::now();
        self.flow.more(BEFORE, RECOVERY).await;
        say(format_args!("{BEFORE} rounds {:?} after the fault", started.elapsed()));
        for worker in &self.workers {
            worker.wait_ready().await;
        }
    }

    async fn expect_alarm(&mut self, name: &str) {
        let alarm = self.alarms.next().await;
        assert_eq!(alarm.routing_key, format!("alarm.{name}"), "{}", alarm.json());
    }

    async fn end(self) {
        self.flow.finish().await.must_hold();
        for worker in self.workers {
            worker.sigterm();
            assert_eq!(worker.exit_code().await, Some(0), "the same processes to the end");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flushed_redis_is_filled_again_before_anything_is_output() {
    let mut scene = Scene::new(Persistence::EverySecond, 3).await;
    for _ in 0..3 {
        scene.stage.redis.run("FLUSHALL").await;
        scene.goes_on().await;
    }
    scene.expect_alarm("list_lost").await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_lost_its_tail_or_is_an_old_backup_is_caught_up_first() {
    let mut scene = Scene::new(Persistence::Snapshots, 4).await;
    let redis = &scene.stage.redis;
    redis.run("SAVE").await;
    redis.back_up("monday");
    scene.flow.more(BEFORE, RECOVERY).await;
    redis.run("SAVE").await;
    scene.flow.more(BEFORE, RECOVERY).await;
    redis.kill9();
    redis.start_again();
    scene.goes_on().await;
    scene.stage.redis.restore("monday");
    scene.goes_on().await;
    scene.expect_alarm("list_lost").await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_redis_holds_everything_and_lets_go_of_nothing() {
    let scene = Scene::new(Persistence::EverySecond, 5).await;
    scene.stage.redis.freeze();
    // What had its barrier before may still come out; by then nothing more does.
    lasting(Duration::from_secs(2)).await;
    let held = scene.flow.verdict();
    lasting(Duration::from_secs(6)).await;
    let still = scene.flow.verdict();
    let outputs = |verdict: &crate::checker::Verdict| (verdict.jobs.delivered, verdict.opt_outs.delivered);
    assert_eq!(outputs(&still), outputs(&held), "an output or a receipt without Redis");
    scene.stage.redis.thaw();
    scene.goes_on().await;
    scene.end().await;
}
