//! RabbitMQ frozen, killed and started again, short of memory and of disk, and impatient with its consumers,
//! under load.

use std::time::{Duration, Instant};

use super::flow::{Flow, RECOVERY};
use super::say;
use super::scene::Scene;
use crate::support::{Broker, Persistence, Stage, lasting};

/// What the tests' brokers have.
const ENOUGH_MEMORY: [&str; 3] = ["set_vm_memory_high_watermark", "absolute", "1GiB"];
const ENOUGH_DISK: [&str; 2] = ["set_disk_free_limit", "50MB"];

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_and_a_killed_rabbitmq_are_survived_without_a_restart() {
    let broker = Broker::rough().await;
    let stage = Stage::with(&broker, Persistence::EverySecond);
    stage.init();
    let workers = ["w1", "w2"].map(|name| stage.start(name));
    for worker in &workers {
        worker.wait_ready().await;
    }
    let flow = Flow::start(&stage, 16, 6).await;
    flow.more(150, RECOVERY).await;
    broker.freeze();
    lasting(Duration::from_secs(8)).await;
    broker.thaw();
    let thawed = Instant::now();
    flow.more(150, RECOVERY).await;
    say(format_args!("150 rounds {:?} after the thaw", thawed.elapsed()));
    broker.kill9();
    broker.start_again();
    let back = Instant::now();
    flow.more(150, RECOVERY).await;
    say(format_args!("150 rounds {:?} after the restart", back.elapsed()));
    for worker in &workers {
        worker.wait_ready().await;
    }
    let verdict = flow.finish().await;
    say(format_args!("{verdict:?}"));
    verdict.must_hold();
    for worker in workers {
        worker.sigterm();
        assert_eq!(worker.exit_code().await, Some(0), "the same processes to the end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rabbitmq_short_of_memory_or_disk_is_waited_for() {
    let broker = Broker::rough().await;
    let scene = Scene::on(Stage::with(&broker, Persistence::EverySecond), 2, 11).await;
    let short = [
        (&["set_vm_memory_high_watermark", "absolute", "1000"][..], &ENOUGH_MEMORY[..]),
        (&["set_disk_free_limit", "9000GB"], &ENOUGH_DISK),
    ];
    for (begins, ends) in short {
        broker.control(begins).await;
        scene.is_held_for(Duration::from_secs(4)).await;
        broker.control(ends).await;
        scene.recovers(begins[0]).await;
    }
    scene.end().await;
}

/// Makes a broker take deliveries back that are held for this long. Channels that are open keep what they have.
async fn consumer_timeout(broker: &Broker, milliseconds: &str, looks_every: &str) {
    let set = format!(
        "application:set_env(rabbit, consumer_timeout, {milliseconds}), \
         application:set_env(rabbit, channel_tick_interval, {looks_every})."
    );
    broker.control(&["eval", &set]).await;
}

async fn ordinary_consumer_timeout(broker: &Broker) {
    consumer_timeout(broker, "1800000", "60000").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_rabbitmq_closes_with_406_is_opened_again() {
    let broker = Broker::rough().await;
    consumer_timeout(&broker, "2000", "500").await;
    let scene = Scene::on(Stage::with(&broker, Persistence::EverySecond), 2, 12).await;
    // What is held cannot be settled, and RabbitMQ waits for less long than the worker does.
    scene.stage.redis.freeze();
    lasting(Duration::from_secs(7)).await;
    scene.stage.redis.thaw();
    scene.recovers("channels closed with 406").await;
    let told = scene.workers.iter().any(|worker| worker.output().contains("timed out"));
    assert!(told, "the fault took place: {}", scene.workers[0].output());
    ordinary_consumer_timeout(&broker).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stands_still_beyond_the_consumer_timeout_harms_nobody_when_it_goes_on() {
    let broker = Broker::rough().await;
    consumer_timeout(&broker, "3000", "500").await;
    let scene = Scene::on(Stage::with(&broker, Persistence::EverySecond), 2, 13).await;
    scene.workers[0].freeze();
    // What it holds goes to its neighbour, while it still stands.
    scene.flow.every_lane(RECOVERY).await;
    scene.flow.more(150, RECOVERY).await;
    lasting(Duration::from_secs(2)).await;
    scene.workers[0].thaw();
    scene.recovers("SIGSTOP, SIGCONT").await;
    ordinary_consumer_timeout(&broker).await;
    scene.end().await;
}
