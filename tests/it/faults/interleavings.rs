//! Thousands of times "acknowledged, then published", and the proof that this test can fail.

use super::flow::Flow;
use super::say;
use crate::support::{LONG, Redis, SOON, Stage, Worker, eventually};

const LANES: usize = 32;

/// One would do; several show that it was no accident.
const LEAKS: usize = 5;

/// Two workers on one queue, under load.
struct Scene {
    flow: Flow,
    _workers: [Worker; 2],
    stage: Stage,
}

impl Scene {
    async fn new(fail_points: &str) -> Self {
        let stage = Stage::new();
        stage.init();
        let workers = ["w1", "w2"].map(|name| start(&stage, name, fail_points));
        for worker in &workers {
            worker.wait_ready().await;
        }
        Self { flow: Flow::start(&stage, LANES, 1).await, _workers: workers, stage }
    }
}

fn start(stage: &Stage, name: &str, fail_points: &str) -> Worker {
    stage.start_with(name, |command| {
        command.env("SUPPRESSD_FAIL_POINTS", fail_points);
    })
}

/// Cuts every connection that follows the feed, again and again until `work` is done: each cut leaves a mirror
/// up to 200 ms behind the list. Answers how many.
async fn cut_feeds(redis: &Redis, work: impl AsyncFn()) -> u64 {
    let mut cuts = 0;
    let cutting = eventually::<()>("never: it ends with the work", LONG, async || {
        for id in feeds(&redis.run("CLIENT LIST").await) {
            cuts += u64::from(redis.run(&format!("CLIENT KILL ID {id}")).await == redis::Value::Int(1));
        }
        None
    });
    tokio::select! {
        () = cutting => {}
        () = work() => {}
    }
    cuts
}

/// The connections whose last command was `XREAD`.
fn feeds(clients: &redis::Value) -> Vec<String> {
    let text: String = redis::from_redis_value(clients.clone()).expect("a list of clients is text");
    let following = text.lines().filter(|line| line.contains(" cmd=xread "));
    following.filter_map(|line| Some(line.strip_prefix("id=")?.split(' ').next()?.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_acknowledged_before_a_job_was_published_is_in_its_output() {
    let scene = Scene::new("").await;
    // At full speed, then with mirrors that are behind the list most of the time.
    scene.flow.more(2_400, LONG).await;
    let cuts = cut_feeds(&scene.stage.redis, async || scene.flow.more(800, LONG).await).await;
    let verdict = scene.flow.finish().await;
    say(format_args!("the feed was cut {cuts} times; {verdict:?}"));
    verdict.must_hold();
    assert!(cuts > 2, "the feed was cut {cuts} times only");
    assert!(verdict.jobs.delivered >= 3_000 && verdict.opt_outs.delivered >= 3_000, "{verdict:?}");
    assert_eq!(verdict.jobs.duplicated + verdict.opt_outs.duplicated, 0, "nothing failed: {verdict:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_barrier_the_same_test_reports_leaks() {
    let scene = Scene::new("skip-barrier").await;
    let leaks = async || (scene.flow.verdict().leaked >= LEAKS).then_some(());
    let leaking = async || eventually("the checker reports leaks", LONG, leaks).await;
    cut_feeds(&scene.stage.redis, leaking).await;
    let verdict = scene.flow.finish().await;
    say(format_args!("without the barrier: {verdict:?}"));
    assert!(verdict.leaked >= LEAKS && verdict.jobs.lost == 0, "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_can_be_broken_says_so() {
    let stage = Stage::new();
    assert!(stage.run(&["--version"]).stdout.contains("WITH FAIL POINTS"));
    let worker = start(&stage, "w1", "skip-barrier");
    eventually("the log warns", SOON, async || {
        let log = worker.output();
        (log.contains("fail points: for tests only") && log.contains("SkipBarrier")).then_some(())
    })
    .await;
}
