//! Campaigns while workers die and servers pause: every part counts once, and the report comes once, or again with
//! the same name where that is documented.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{CampaignScene, Reported, SILENCE, expected_segments, part, shuffled};
use crate::faults::random::Random;
use crate::scene::event;
use crate::support::{LONG, SOON, eventually, lasting};

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_at_any_step_of_the_last_part_leaves_one_report() {
    let mut campaigns = CampaignScene::new().await;
    let revision = campaigns.scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    for (point, copies) in
        [("die-before-part", 1), ("die-after-part", 1), ("die-before-reported", 2), ("die-after-reported", 1)]
    {
        campaigns.publish([2, 0].map(|index| part(point, index, 3))).await;
        campaigns.scene.out.take(2).await;
        let worker = std::mem::replace(
            &mut campaigns.scene.worker,
            campaigns.scene.stage.start_with("dying", |command| {
                command.env("SUPPRESSD_FAIL_POINTS", point);
            }),
        );
        campaigns.settled(&worker).await;
        campaigns.scene.worker.wait_ready().await;
        campaigns.publish([part(point, 1, 3)]).await;
        assert_eq!(campaigns.scene.worker.exit_code().await, None, "{point}: it dies by a signal");
        campaigns.scene.worker = campaigns.scene.stage.start("alive");
        campaigns.scene.worker.wait_ready().await;
        let out = campaigns.scene.out.take(2).await;
        assert_eq!(out[0].message_id(), out[1].message_id(), "{point}: the job's copy");
        // Who died holding the claim is waited for, then the part is settled.
        campaigns.scene.expect_metric("suppressd_jobs_total", &[("outcome", "filtered")], 1).await;
        let mut found = vec![campaigns.reports.next().await];
        while let Some(more) = campaigns.reports.next_within(SILENCE).await {
            found.push(more);
        }
        assert_eq!(found.len(), copies, "{point}");
        for report in found {
            assert!(report.message_id().is_some_and(|name| name.starts_with("report.campaign:")));
            let report = report.json();
            let sums =
                json!([report["campaign_id"], report["parts"], report["revision"], report["segments"]]);
            assert_eq!(sums, json!([point, 3, revision, expected_segments(3)]));
        }
    }
    campaigns.scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_killed_at_random_times_count_every_part_once() {
    const PARTS: u32 = 60;
    const KILLS: u32 = 8;
    let mut random = Random::new(5);
    let mut campaigns = CampaignScene::new().await;
    campaigns.scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    let names: Vec<String> = (0..KILLS).map(|kill| format!("c-{kill}")).collect();
    let stage = &campaigns.scene.stage;
    let mut second = stage.start("w2");
    second.wait_ready().await;
    for (kill, name) in names.iter().enumerate() {
        let parts = (0..PARTS).map(|index| part(name, index, PARTS)).collect();
        campaigns.publish(shuffled(parts, &mut random)).await;
        // Somewhere in the middle of it.
        for _ in 0..random.below(PARTS) {
            campaigns.scene.out.next().await;
        }
        let victim = if kill % 2 == 0 { &mut second } else { &mut campaigns.scene.worker };
        victim.kill9();
        *victim = campaigns.scene.stage.start("again");
    }
    let mut found = BTreeMap::new();
    let end = Instant::now() + LONG;
    while found.len() < names.len() {
        assert!(Instant::now() < end, "reported are {found:?}");
        found = campaigns.reported(found).await;
        // Nobody counts copies of outputs here: they only must not pile up.
        while campaigns.scene.out.next_within(Duration::from_millis(1)).await.is_some() {}
    }
    for (name, Reported { body, .. }) in found {
        assert_eq!((&body["parts"], &body["segments"]), (&json!(PARTS), &expected_segments(PARTS)), "{name}");
    }
    second.wait_ready().await;
    campaigns.settled(&second).await;
    campaigns.scene.worker.wait_ready().await;
    campaigns.scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_redis_paused_between_parts_every_part_counts_once_and_every_output_is_out_once() {
    const PARTS: u32 = 200;
    let mut campaigns = CampaignScene::new().await;
    campaigns.scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    campaigns.publish((0..PARTS).map(|index| part("nauryz", index, PARTS))).await;
    let mut out = 0;
    for pause in 1..=3 {
        out += campaigns.scene.out.take(40).await.len();
        campaigns.scene.stage.redis.freeze();
        lasting(Duration::from_millis(1500 * pause)).await;
        campaigns.scene.stage.redis.thaw();
    }
    out += campaigns.scene.out.take(PARTS as usize - out).await.len();
    let report = campaigns.reports.next().await.json();
    assert_eq!((&report["parts"], &report["segments"]), (&json!(PARTS), &expected_segments(PARTS)));
    campaigns.reports.expect_silence(SILENCE).await;
    campaigns.scene.out.expect_silence(SILENCE).await;
    assert_eq!(out, PARTS as usize);
    campaigns.scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_loss_of_redis_a_campaign_is_shown_with_what_is_missing() {
    let mut campaigns = CampaignScene::new().await;
    campaigns.publish([0, 1].map(|index| part("nauryz", index, 3))).await;
    campaigns.scene.expect_metric("suppressd_campaign_parts_total", &[("outcome", "counted")], 2).await;
    campaigns.scene.stage.redis.run("FLUSHALL").await;
    assert_eq!(campaigns.scene.alarms.next().await.routing_key, "alarm.list_lost");
    campaigns.publish([part("nauryz", 2, 3)]).await;
    campaigns.scene.out.take(3).await;
    let missing = eventually("the part is written down", SOON, async || {
        let told = campaigns.scene.stage.run(&["campaign", "nauryz", "--json"]);
        (told.code == Some(0))
            .then(|| serde_json::from_str::<Value>(&told.stdout).unwrap()["missing"].clone())
    });
    assert_eq!(missing.await, json!([{"from": 0, "to": 1}]));
    campaigns.reports.expect_silence(SILENCE).await;
    campaigns.publish([0, 1].map(|index| part("nauryz", index, 3))).await;
    assert_eq!(campaigns.reports.next().await.json()["parts"], 3, "published again, they complete it");
    campaigns.scene.out.take(2).await;
    campaigns.scene.end().await;
}
