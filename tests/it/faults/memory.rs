//! The largest jobs together with a stream of small ones: the worker's memory stays below a bound that is
//! derived from its settings.
//!
//! The bound, for `n` large jobs in RabbitMQ (`n` at most the prefetch of 30) of at most `b` = 16 MiB each:
//!
//! * 96 MiB for the program, its mirror and the small jobs;
//! * `n · b` for deliveries that are held, each body once;
//! * for those among them that are processed at once, which `limits.body_budget_bytes` (64 MiB) keeps to four
//!   of them: `5 · 64 MiB`, because beside its body a job has its prepared digests and offsets (below twice
//!   the body for the shortest recipients), its output (at most the body and the sums), and the frames of
//!   both connections (the body once while it comes in, the output once while it goes out).
//!
//! With the shipped settings and a whole prefetch of the largest jobs that is 96 + 30 · 16 + 5 · 64 = 896 MiB.

use lapin::BasicProperties;

use super::flow::{Flow, RECOVERY};
use super::say;
use crate::support::{LONG, Sent, Stage};

const MIB: usize = 1 << 20;
/// Four are processed at once, and one is held beside them.
const JOBS: usize = 5;
const BODY_MAX: usize = 16 * MIB;
const BOUND: usize = 96 * MIB + JOBS * BODY_MAX + 5 * 64 * MIB;

/// A job of e-mail recipients, just below 16 MiB.
fn large_job(number: usize) -> Vec<u8> {
    let mut text = format!(
        r#"{{"job_id":"large-{number}","campaign_id":"c","channel":"email","brand":"lulla.kz","segments":[{{"region":"KZ-79","recipients":["#
    );
    for recipient in 0_u32.. {
        let more = format!(
            r#"{{"user_id":"L-{recipient:06}","email":"person-{recipient:06}@mail.example.kz","name":"Айгерім"}},"#
        );
        if text.len() + more.len() > BODY_MAX - 8 {
            break;
        }
        text.push_str(&more);
    }
    text.pop();
    text.push_str("]}]}");
    assert!(text.len() <= BODY_MAX && text.len() > BODY_MAX - 256);
    text.into_bytes()
}

/// A line of `/proc/PID/status`, in bytes.
pub(super) fn memory(pid: u32, line: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the worker runs");
    let found = status.lines().find_map(|text| text.strip_prefix(line)).expect("Linux tells it");
    let kib = found.trim_start_matches(':').split_whitespace().next().expect("a number");
    kib.parse::<usize>().expect("a number") * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_bounded_with_the_largest_jobs_among_small_ones() {
    let stage = Stage::new();
    stage.init();
    let worker = stage.start("w1");
    worker.wait_ready().await;
    let mut large =
        stage.connect("sender").await.inbox("sender.email", &[("suppressd.filtered", "email.#")]).await;
    let flow = Flow::start(&stage, 8, 7).await;
    flow.more(100, RECOVERY).await;
    let before = memory(worker.pid(), "VmRSS");
    let marketing = stage.connect("marketing").await;
    for number in 0..JOBS {
        let body = large_job(number);
        let sent =
            marketing.publish_with("suppressd.jobs", "email.KZ-79", BasicProperties::default(), &body).await;
        assert_eq!(sent, Sent::Confirmed);
    }
    for _ in 0..JOBS {
        let output = large.next_within(LONG).await.expect("every large job comes out");
        assert!(output.body.len() > BODY_MAX - 512, "nobody of these opted out");
    }
    flow.more(100, RECOVERY).await;
    let peak = memory(worker.pid(), "VmHWM");
    flow.finish().await.must_hold();
    say(format_args!(
        "memory: {} MiB before, {} MiB at most, bound {} MiB",
        before / MIB,
        peak / MIB,
        BOUND / MIB
    ));
    assert!(peak < BOUND, "{} MiB are used, {} MiB is the bound", peak / MIB, BOUND / MIB);
}
