//! What every fault is done to: workers under load, with a proxy between them and each server.
//!
//! The load itself goes to the servers directly: what is under test is the worker. After a fault every lane of
//! the load must have an answer within the time that is promised, from workers that nobody has restarted.

use std::time::{Duration, Instant};

use super::flow::{Flow, Mix, RECOVERY, SHARP};
use super::say;
use crate::checker::Verdict;
use crate::support::{Broker, Inbox, LONG, Persistence, Proxy, Redis, Stage, Worker, lasting};

/// Enough opt-outs that what is lost would show in every job.
pub(super) const BEFORE: u64 = 150;

/// And afterwards, to show it.
const AFTER: u64 = 50;

/// What the load does at once.
const LANES: usize = 16;

/// What had its barrier before a fault may still come out for so long.
const SETTLING: Duration = Duration::from_secs(2);

/// A list under load, workers, the network, and somebody who hears the alarms.
pub(super) struct Scene {
    pub(super) stage: Stage,
    pub(super) workers: Vec<Worker>,
    pub(super) flow: Flow,
    /// Between the workers and RabbitMQ.
    pub(super) amqp: Proxy,
    /// Between the workers and Redis.
    pub(super) redis: Proxy,
    alarms: Inbox,
}

impl Scene {
    /// So many workers on the shared broker.
    pub(super) async fn new(workers: usize, seed: u64) -> Self {
        Self::on(Stage::new(), workers, seed).await
    }

    /// Two workers, and a Redis that keeps this much.
    pub(super) async fn keeping(persistence: Persistence, seed: u64) -> Self {
        Self::on(Stage::with(&Broker::shared(), persistence), 2, seed).await
    }

    /// On a stage that was prepared, but not initialised.
    pub(super) async fn on(stage: Stage, workers: usize, seed: u64) -> Self {
        Self::with(stage, workers, seed, SHARP).await
    }

    /// The same with another load.
    pub(super) async fn with(mut stage: Stage, workers: usize, seed: u64, mix: Mix) -> Self {
        let amqp = Proxy::start(stage.vhost.broker().amqp_port()).await;
        let redis = Proxy::start(stage.redis.port()).await;
        let through = (stage.vhost.url_at(amqp.port(), "suppressd"), Redis::url_at(redis.port()));
        stage.configure(&format!("[amqp]\nurl = \"{}\"\n[redis]\nurl = \"{}\"\n", through.0, through.1));
        stage.init();
        let workers: Vec<_> = (1..=workers).map(|number| stage.start(&format!("w{number}"))).collect();
        Self::playing(stage, workers, (amqp, redis), seed, mix).await
    }

    /// On a stage that was initialised, with workers that were started.
    pub(super) async fn playing(
        stage: Stage,
        workers: Vec<Worker>,
        (amqp, redis): (Proxy, Proxy),
        seed: u64,
        mix: Mix,
    ) -> Self {
        for worker in &workers {
            worker.wait_ready().await;
        }
        let ops = stage.connect("ops").await;
        let alarms = ops.inbox("ops.alarms", &[("suppressd.events", "alarm.#")]).await;
        let flow = Flow::with(&stage, LANES, seed, mix).await;
        flow.more(BEFORE, LONG).await;
        Self { stage, workers, flow, amqp, redis, alarms }
    }

    /// The load goes on within the time that is promised, in every lane, by the same processes.
    pub(super) async fn recovers(&self, from: &str) {
        let started = Instant::now();
        self.flow.every_lane(RECOVERY).await;
        let took = started.elapsed();
        self.flow.more(AFTER, RECOVERY).await;
        for worker in &self.workers {
            worker.wait_ready().await;
        }
        say(format_args!("{from}: every lane goes on after {took:?}"));
    }

    /// Nothing more comes out for so long, once what was under way has settled.
    pub(super) async fn is_held_for(&self, length: Duration) {
        lasting(SETTLING).await;
        let outputs = |verdict: &Verdict| (verdict.jobs.delivered, verdict.opt_outs.delivered);
        let held = outputs(&self.flow.verdict());
        lasting(length).await;
        assert_eq!(outputs(&self.flow.verdict()), held, "an output or a receipt in spite of the fault");
    }

    /// The next alarm must be this one.
    pub(super) async fn expect_alarm(&mut self, name: &str) {
        let alarm = self.alarms.next().await;
        assert_eq!(alarm.routing_key, format!("alarm.{name}"), "{}", alarm.json());
    }

    /// Nothing was lost, nobody leaked, nothing is left, and the processes end as they should.
    pub(super) async fn end(self) -> Verdict {
        let verdict = self.flow.finish().await;
        say(format_args!("{verdict:?}"));
        verdict.must_hold();
        for worker in &self.workers {
            worker.sigterm();
            assert_eq!(worker.exit_code().await, Some(0), "the same processes to the end");
        }
        let guest = self.stage.connect("guest").await;
        for queue in ["suppressd.jobs", "suppressd.opt-outs", "suppressd.waiting", "suppressd.dead"] {
            guest.expect_count(queue, 0).await;
        }
        verdict
    }
}
