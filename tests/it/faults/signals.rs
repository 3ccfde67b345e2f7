//! Workers that are told to end at any moment, once and twice: what they cannot finish comes again.

use std::time::Duration;

use super::flow::RECOVERY;
use super::random::Random;
use super::say;
use super::scene::Scene;
use crate::support::lasting;

const ENDS: u32 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn workers_told_to_end_at_random_points_finish_what_they_hold() {
    let mut random = Random::new(14);
    let mut scene = Scene::new(2, 14).await;
    for end in 0..ENDS {
        scene.flow.more(1 + u64::from(random.below(40)), RECOVERY).await;
        let (victim, name) = [(0, "w1"), (1, "w2")][random.below(2) as usize];
        scene.workers[victim].sigterm();
        assert_eq!(scene.workers[victim].exit_code().await, Some(0), "end {end}");
        scene.workers[victim] = scene.stage.start(name);
        scene.workers[victim].wait_ready().await;
    }
    say(format_args!("{} messages were sent again by the load itself", scene.flow.sent_again()));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_told_twice_end_at_once_and_lose_nothing() {
    let mut random = Random::new(15);
    let mut scene = Scene::new(2, 15).await;
    let mut at_once = 0;
    for _ in 0..ENDS {
        scene.flow.more(1 + u64::from(random.below(40)), RECOVERY).await;
        let (victim, name) = [(0, "w1"), (1, "w2")][random.below(2) as usize];
        scene.workers[victim].sigterm();
        lasting(Duration::from_millis(random.below(20).into())).await;
        scene.workers[victim].sigterm();
        // It may have been done already.
        let code = scene.workers[victim].exit_code().await;
        assert!(code == Some(0) || code == Some(70), "{code:?}");
        at_once += u32::from(code == Some(70));
        scene.workers[victim] = scene.stage.start(name);
        scene.workers[victim].wait_ready().await;
    }
    say(format_args!("{at_once} of {ENDS} ended at once"));
    scene.recovers("SIGTERM twice").await;
    scene.end().await;
}
