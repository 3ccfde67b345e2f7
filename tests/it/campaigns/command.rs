//! `suppressd campaign`: what is in, what is missing, and how to be rid of what never comes.

use serde_json::{Value, json};

use super::{CampaignScene, part};
use crate::scene::CANARIES;
use crate::support::{Finished, SOON, eventually};

fn campaign(campaigns: &CampaignScene, arguments: &[&str]) -> Finished {
    let told = campaigns.scene.stage.run(&[&["campaign"][..], arguments].concat());
    for text in [&told.stdout, &told.stderr] {
        let found = CANARIES.iter().find(|canary| text.contains(*canary));
        assert_eq!(found, None, "{told:?}");
    }
    told
}

fn json_of(campaigns: &CampaignScene, arguments: &[&str]) -> Value {
    let told = campaign(campaigns, &[arguments, &["--json"]].concat());
    assert_eq!(told.code, Some(0), "{told:?}");
    serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("{error}: {told:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_seen_until_it_comes() {
    let mut campaigns = CampaignScene::new().await;
    let none = campaign(&campaigns, &[]);
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), "no campaign\n"), "{none:?}");
    campaigns.publish([8, 2, 1].map(|index| part("nauryz", index, 9))).await;
    campaigns.scene.expect_metric("suppressd_campaign_parts_total", &[("outcome", "counted")], 3).await;

    let one = json_of(&campaigns, &["nauryz"]);
    assert_eq!(
        (&one["status"], &one["parts"], &one["parts_in"]),
        (&json!("incomplete"), &json!(9), &json!(3))
    );
    assert_eq!(one["missing"], json!([{"from": 0, "to": 0}, {"from": 3, "to": 7}]));
    assert_eq!(one["segments"][0]["received"], 3 + 4 + 5, "{one}");
    let told = campaign(&campaigns, &["nauryz"]);
    assert!(told.stdout.contains("incomplete, 3 of 9 parts are in") && told.code == Some(0), "{told:?}");
    assert!(told.stdout.contains("\nmissing: 0, 3-7\n"), "{told:?}");
    let unknown = campaign(&campaigns, &["nauryz-2"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(65), ""), "{unknown:?}");

    let list = json_of(&campaigns, &[]);
    assert_eq!(
        (&list["campaigns"][0]["campaign_id"], &list["more"]),
        (&json!("nauryz"), &json!(false)),
        "{list}"
    );
    campaigns.scene.expect_metric("suppressd_campaigns_incomplete", &[], 1).await;
    let since = campaigns.scene.metric("suppressd_campaigns_incomplete_since_seconds", &[]);
    let began: jiff::Timestamp = list["campaigns"][0]["began_at"].as_str().expect("a time").parse().unwrap();
    assert!((since - began.as_duration().as_secs_f64()).abs() < 1.0, "{since}, {began}");

    campaigns.publish([0, 3, 4, 5, 6, 7].map(|index| part("nauryz", index, 9))).await;
    assert_eq!(campaigns.reports.next().await.json()["parts"], 9);
    let look = async || {
        let list = json_of(&campaigns, &[]);
        let known = &list["campaigns"][0];
        (known["status"] == "reported")
            .then(|| assert_eq!(list["campaigns"].as_array().map(Vec::len), Some(1)))
    };
    eventually("the campaign is listed as reported", SOON, look).await;
    let one = json_of(&campaigns, &["nauryz"]);
    assert_eq!((&one["missing"], one["reported_at"].is_string()), (&json!([]), true), "{one}");
    campaigns.scene.expect_metric("suppressd_campaigns_incomplete", &[], 0).await;
    campaigns.scene.out.take(9).await;
    campaigns.scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_that_is_forgotten_begins_anew() {
    let mut campaigns = CampaignScene::new().await;
    campaigns.publish([part("nauryz", 0, 2)]).await;
    campaigns.scene.expect_metric("suppressd_campaigns_incomplete", &[], 1).await;
    assert_eq!(campaign(&campaigns, &["--forget"]).code, Some(64), "which one?");
    assert_eq!(campaign(&campaigns, &["nauryz", "--forget"]).stdout, "forgotten\n");
    assert_eq!(campaign(&campaigns, &["nauryz", "--forget"]).code, Some(65));
    campaigns.scene.expect_metric("suppressd_campaigns_incomplete", &[], 0).await;
    campaigns.publish([part("nauryz", 1, 2)]).await;
    campaigns.scene.expect_metric("suppressd_campaign_parts_total", &[("outcome", "counted")], 2).await;
    assert_eq!(json_of(&campaigns, &["nauryz"])["missing"], json!([{"from": 0, "to": 0}]));
    campaigns.publish([part("nauryz", 0, 2)]).await;
    campaigns.reports.next().await;
    campaigns.scene.out.take(3).await;
    campaigns.scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_the_command_says_so() {
    let campaigns = CampaignScene::new().await;
    campaigns.scene.stage.redis.kill9();
    assert_eq!(campaign(&campaigns, &["nauryz"]).code, Some(69));
    assert_eq!(campaign(&campaigns, &[]).code, Some(69));
}
