//! Thousands of times "acknowledged, then published", and the proof that this test can fail.

use std::time::Instant;

use super::flow::Flow;
use super::say;
use crate::checker::Verdict;
use crate::support::{LONG, Redis, SOON, Stage, Worker, eventually};

const LANES: usize = 32;

/// Two workers on one queue do so many rounds at full speed, then as many with a feed that is cut all the
/// time: each cut leaves the mirrors up to 200 ms behind the list.
async fn rounds(fast: u64, behind: u64, fail_points: &'static str) -> Verdict {
    let stage = Stage::new();
    stage.init();
    let workers = ["w1", "w2"].map(|name| start(&stage, name, fail_points));
    for worker in &workers {
        worker.wait_ready().await;
    }
    let flow = Flow::start(&stage, LANES, 1).await;
    let started = Instant::now();
    flow.more(fast, LONG).await;
    let fast_for = started.elapsed();
    let cuts = cut_feeds(&stage.redis, async || flow.more(behind, LONG).await).await;
    let behind_for = started.elapsed() - fast_for;
    say(format_args!(
        "{fast} rounds in {fast_for:?}, {behind} in {behind_for:?} while the feed was cut {cuts} times"
    ));
    assert!(cuts > 2, "the feed was cut {cuts} times only");
    flow.finish().await
}

fn start(stage: &Stage, name: &str, fail_points: &str) -> Worker {
    stage.start_with(name, |command| {
        command.env("SUPPRESSD_FAIL_POINTS", fail_points);
    })
}

/// Cuts every connection that follows the feed, again and again until `work` is done. Answers how many.
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
    let verdict = rounds(2_400, 800, "").await;
    say(format_args!("{verdict:?}"));
    verdict.must_hold();
    assert!(verdict.jobs.delivered >= 3_000 && verdict.opt_outs.delivered >= 3_000, "{verdict:?}");
    assert_eq!(verdict.jobs.duplicated + verdict.opt_outs.duplicated, 0, "nothing failed: {verdict:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_barrier_the_same_test_reports_leaks() {
    let verdict = rounds(0, 300, "skip-barrier").await;
    say(format_args!("{verdict:?}"));
    assert!(verdict.leaked > 0, "the test cannot catch what it is for: {verdict:?}");
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
