//! Campaigns in parts: one report each, and a command that says what is missing.

mod command;
mod faults;
mod script;

use std::collections::BTreeMap;
use std::time::Duration;

use lapin::BasicProperties;
use serde_json::{Value, json};

use crate::faults::random::Random;
use crate::scene::{Scene, but, event, job};
use crate::support::{Inbox, Worker};

/// After which a second report would have come.
const SILENCE: Duration = Duration::from_millis(500);

/// A scene with an inbox for the reports of campaigns.
struct CampaignScene {
    scene: Scene,
    reports: Inbox,
}

impl CampaignScene {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let reports = scene.guest.inbox("test.campaigns", &[("suppressd.events", "report.campaign")]).await;
        Self { scene, reports }
    }

    /// Publishes jobs, at once and in this order.
    async fn publish(&self, jobs: impl IntoIterator<Item = Value>) {
        let properties = BasicProperties::default;
        let jobs = jobs.into_iter().map(|job| ("sms.KZ".into(), properties(), job.to_string().into_bytes()));
        self.scene.guest.publish_all("suppressd.jobs", jobs).await;
    }

    /// Waits until the workers have taken and acknowledged everything.
    async fn settled(&self, worker: &Worker) {
        self.scene.guest.expect_count("suppressd.jobs", 0).await;
        // What a worker holds is in no count: it finishes that first when it ends.
        worker.sigterm();
        assert_eq!(worker.exit_code().await, Some(0), "{}", worker.output());
    }

    /// The reports that come, by campaign, besides those found before.
    async fn reported(&mut self, mut found: BTreeMap<String, Reported>) -> BTreeMap<String, Reported> {
        while let Some(report) = self.reports.next_within(SILENCE).await {
            let name = report.message_id().expect("a report has a name").to_owned();
            let body = report.json();
            let campaign = body["campaign_id"].as_str().expect("it names its campaign").to_owned();
            let first = Reported { copies: 0, body: body.clone(), name: name.clone() };
            let known = found.entry(campaign).or_insert(first);
            known.copies += 1;
            assert_eq!((&known.body, &known.name), (&body, &name), "a copy is the same");
        }
        found
    }
}

/// A report: how often it came, and what all its copies say.
#[derive(Debug, Clone)]
struct Reported {
    copies: usize,
    body: Value,
    name: String,
}

/// A part of a campaign: some people of Shymkent, and of another region in every third part.
fn part(campaign: &str, index: u32, of: u32) -> Value {
    let person = |n: u32| json!({"user_id": format!("{campaign}-{index}-{n}")});
    let people: Vec<_> = (0..=index % 5).map(person).chain([json!({"user_id": "U-canary"})]).collect();
    let mut job = but(
        job(&format!("{campaign}-j-{index}"), "sms", json!(people)),
        json!({"campaign_id": campaign, "part": {"index": index, "of": of}}),
    );
    if index.is_multiple_of(3) {
        let there = json!({"region": "Алматы", "recipients": [person(9), {"email": "нет"}]});
        job["segments"].as_array_mut().expect("segments are an array").push(there);
    }
    job
}

/// The segments that the report of such a campaign has, `U-canary` having opted out.
fn expected_segments(of: u32) -> Value {
    let here: u32 = (0..of).map(|index| index % 5 + 1).sum();
    let there = of.div_ceil(3);
    let segment = |region: &str, kept: u32, opt_out: u32, unidentifiable: u32| {
        json!({"region": region, "received": kept + opt_out + unidentifiable, "kept": kept, "removed": {
            "opt_out": opt_out, "hold": 0, "complaint": 0, "bounce": 0, "unidentifiable": unidentifiable}})
    };
    json!([segment("KZ-79", here, of, 0), segment("KZ-75", there, 0, there)])
}

/// In a random order.
fn shuffled<T>(mut things: Vec<T>, random: &mut Random) -> Vec<T> {
    for last in (1..things.len()).rev() {
        let end = u32::try_from(last + 1).expect("there are few");
        things.swap(last, random.below(end) as usize);
    }
    things
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_in_any_order_on_two_workers_some_of_them_twice_give_one_report() {
    const PARTS: u32 = 24;
    let mut random = Random::new(11);
    let mut campaigns = CampaignScene::new().await;
    let opted_out = event("e-1", "opt_out", json!({"user_id": "U-canary"}));
    let revision = campaigns.scene.apply(opted_out).await;
    let second = campaigns.scene.stage.start("w2");
    second.wait_ready().await;
    let twice = (0..PARTS).chain((0..PARTS).step_by(5)).map(|index| part("nauryz", index, PARTS)).collect();
    campaigns.publish(shuffled(twice, &mut random)).await;
    let report = campaigns.reports.next().await;
    assert!(report.message_id().is_some_and(|name| name.starts_with("report.campaign:")));
    let mut report = report.json();
    assert!(report["filtered_at"].as_str().is_some_and(|at| at.parse::<jiff::Timestamp>().is_ok()));
    report["filtered_at"] = Value::Null;
    let expected = json!({
        "campaign_id": "nauryz", "channel": "sms", "brand": "lulla.kz", "purpose": "marketing", "parts": PARTS,
        "revision": revision, "filtered_at": null, "past_send_until": false, "segments": expected_segments(PARTS),
    });
    assert_eq!(report, expected);
    campaigns.settled(&second).await;
    campaigns.reports.expect_silence(SILENCE).await;
    let told = second.output();
    assert!(!told.contains("does not fit"), "the same job again is no conflict: {told}");
    campaigns.scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_without_a_part_leaves_no_trace_of_a_campaign() {
    let mut campaigns = CampaignScene::new().await;
    campaigns.scene.kept("sms", json!([{"user_id": "U-2"}])).await;
    assert_eq!(campaigns.scene.reports.next().await.json()["part"], Value::Null);
    campaigns.scene.expect_metric("suppressd_jobs_total", &[("outcome", "filtered")], 1).await;
    assert_eq!(campaigns.scene.stage.redis.run("KEYS *campaign*").await, redis::Value::Array(vec![]));
    campaigns.reports.expect_silence(SILENCE).await;
    campaigns.scene.expect_metric("suppressd_campaign_parts_total", &[], 0).await;
    campaigns.scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_two_workers_complete_a_campaign_at_once_one_of_them_reports_it() {
    const CAMPAIGNS: u32 = 60;
    let mut campaigns = CampaignScene::new().await;
    let second = campaigns.scene.stage.start("w2");
    second.wait_ready().await;
    let name = |campaign: u32| format!("c-{campaign}");
    // Side by side in the queue, so that they are in hand at the same time; each with a copy besides.
    let jobs = (0..CAMPAIGNS).flat_map(|campaign| [0, 1, 1, 0].map(|index| part(&name(campaign), index, 2)));
    campaigns.publish(jobs).await;
    campaigns.settled(&second).await;
    let reported = campaigns.reported(BTreeMap::new()).await;
    assert_eq!(reported.len(), CAMPAIGNS as usize);
    assert!(reported.values().all(|report| report.copies == 1), "{reported:?}");
    campaigns.scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_does_not_fit_is_sent_and_counted_and_not_summed_up() {
    let mut campaigns = CampaignScene::new().await;
    campaigns.publish([part("nauryz", 0, 2)]).await;
    campaigns.scene.out.next().await;
    let other = but(part("nauryz", 0, 2), json!({"job_id": "another"}));
    let longer = but(part("nauryz", 1, 3), json!({"job_id": "longer"}));
    let huge = but(part("huge", 7, 2), json!({"part": {"index": 7, "of": 100_001}}));
    campaigns.publish([other, longer, huge]).await;
    assert_eq!(campaigns.scene.out.take(3).await.len(), 3, "who is to be sent to is another matter");
    let outcome = |outcome| [("outcome", outcome)];
    campaigns.scene.expect_metric("suppressd_campaign_parts_total", &outcome("conflicting"), 2).await;
    campaigns.scene.expect_metric("suppressd_campaign_parts_total", &outcome("uncounted"), 1).await;
    campaigns.reports.expect_silence(SILENCE).await;
    campaigns.publish([part("nauryz", 1, 2)]).await;
    let report = campaigns.reports.next().await.json();
    let mut expected = expected_segments(2);
    // Nobody has opted out here.
    let canaries = expected[0]["removed"]["opt_out"].as_u64().expect("a number");
    expected[0]["kept"] = json!(expected[0]["kept"].as_u64().expect("a number") + canaries);
    expected[0]["removed"]["opt_out"] = json!(0);
    assert_eq!((&report["parts"], &report["segments"]), (&json!(2), &expected));
    campaigns.scene.expect_metric("suppressd_campaigns_reported_total", &[], 1).await;
    campaigns.scene.out.next().await;
    campaigns.scene.end().await;
}
