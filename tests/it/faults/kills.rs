//! Workers that are killed at any moment: what they held comes again, and nobody can tell but by a copy with
//! the same message id.

use std::time::Duration;

use super::flow::{Flow, RECOVERY};
use super::random::Random;
use super::say;
use crate::support::{Stage, lasting};

const KILLS: u32 = 16;

#[tokio::test(flavor = "multi_thread")]
async fn workers_killed_at_random_times_lose_and_leak_nothing() {
    let mut random = Random::new(2);
    let stage = Stage::new();
    stage.init();
    let mut workers = ["w1", "w2"].map(|name| stage.start(name));
    workers[0].wait_ready().await;
    let flow = Flow::start(&stage, 16, 2).await;
    for kill in 0..KILLS {
        // By progress, so that something is in hand; every fourth by time alone, so that a start is hit too.
        if kill % 4 == 3 {
            lasting(Duration::from_millis(random.below(300).into())).await;
        } else {
            flow.more(1 + u64::from(random.below(40)), RECOVERY).await;
        }
        let victim = random.below(2) as usize;
        workers[victim].kill9();
        workers[victim] = stage.start(["w1", "w2"][victim]);
    }
    flow.more(100, RECOVERY).await;
    let verdict = flow.finish().await;
    say(format_args!("{verdict:?}"));
    verdict.must_hold();
    assert!(
        stage.connect("guest").await.get("suppressd.dead").await.is_none(),
        "a kill is no message's fault"
    );
}
