//! RabbitMQ frozen, then killed and started again, under load.

use std::time::{Duration, Instant};

use super::flow::{Flow, RECOVERY};
use super::say;
use crate::support::{Broker, Persistence, Stage, lasting};

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_and_a_killed_rabbitmq_are_survived_without_a_restart() {
    let broker = Broker::start();
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
