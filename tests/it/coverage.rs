//! Whom a statement covers: kinds, scopes, purposes, and every way to write the same person.

use lapin::BasicProperties;
use serde_json::{Value, json};

use crate::scene::{Scene, but, event, job};

const NOBODY: &[&str] = &[];

/// One job to one person of Shymkent: whether the person is in the output, else why not.
async fn verdict(scene: &mut Scene, channel: &str, region: &str, brand: &str) -> String {
    let person = json!({"user_id": "U-canary", "phone": "87771113111", "email": "aigerim@x.kz"});
    let mut job = but(job("j", channel, json!([person])), json!({"brand": brand}));
    job["segments"][0]["region"] = json!(region);
    let (kept, removed) = scene.kept_of(&job).await;
    if kept.len() == 1 {
        return "kept".into();
    }
    let removed = removed.as_object().expect("removed is an object").iter();
    removed.filter(|(_, count)| **count == 1).map(|(reason, _)| reason.clone()).collect()
}

fn at(event: Value, day: u8) -> Value {
    but(event, json!({"occurred_at": format!("2026-11-{day:02}T10:00:00+05:00")}))
}

fn canary() -> Value {
    json!({"user_id": "U-canary"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_covers_its_regions_channels_and_brands_and_no_others() {
    let mut scene = Scene::new().await;
    let scope =
        json!({"scope": {"regions": ["Shymkent"], "channels": ["sms", "call"], "brands": ["lulla.kz"]}});
    scene.apply(but(event("s-1", "opt_out", canary()), scope)).await;
    for (channel, region, brand, expected) in [
        ("sms", "KZ-79", "lulla.kz", "opt_out"),
        ("call", "SHY", "lulla.kz", "opt_out"),
        ("sms", "г. Шымкент", "lulla.kz", "opt_out"),
        ("email", "KZ-79", "lulla.kz", "kept"),
        ("sms", "KZ-75", "lulla.kz", "kept"),
        ("sms", "KZ-79", "bilal.kz", "kept"),
    ] {
        assert_eq!(verdict(&mut scene, channel, region, brand).await, expected, "{channel} {region} {brand}");
    }
    // An alias of two regions means both.
    scene.apply(but(event("s-2", "opt_out", canary()), json!({"scope": {"regions": ["YUZ"]}}))).await;
    assert_eq!(verdict(&mut scene, "email", "KZ-61", "bilal.kz").await, "opt_out");
    assert_eq!(verdict(&mut scene, "email", "KZ-79", "bilal.kz").await, "opt_out");
    assert_eq!(verdict(&mut scene, "email", "KZ-75", "bilal.kz").await, "kept");
    // A narrow opt-in opens a narrow gap.
    let gap = json!({"scope": {"channels": ["email"], "regions": ["KZ-61"]}});
    scene.apply(at(but(event("s-3", "opt_in", canary()), gap), 2)).await;
    assert_eq!(verdict(&mut scene, "email", "KZ-61", "bilal.kz").await, "kept");
    assert_eq!(verdict(&mut scene, "email", "KZ-79", "bilal.kz").await, "opt_out");
    assert_eq!(verdict(&mut scene, "sms", "KZ-61", "bilal.kz").await, "opt_out");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_strongest_reason_is_told_and_what_lifts_uncovers_what_lay_beneath() {
    let mut scene = Scene::new().await;
    for (day, kind, expected) in [
        (1, "bounce", "bounce"),
        (2, "complaint", "complaint"),
        (3, "opt_out", "opt_out"),
        (4, "hold", "hold"),
        (5, "release", "opt_out"),
        (6, "hold", "hold"),
        (7, "opt_in", "hold"),
        (8, "release", "kept"),
    ] {
        let source = if kind == "bounce" { "email" } else { "call_center" };
        let event = at(event(&format!("k-{day}"), kind, canary()), day);
        let receipt = scene.event(but(event, json!({"source": source}))).await;
        assert_eq!((&receipt["status"], &receipt["revision"]), (&json!("applied"), &json!(day)), "{receipt}");
        assert_eq!(verdict(&mut scene, "sms", "KZ-79", "lulla.kz").await, expected, "after {kind}");
    }
    // Late for its place in time: it stands nowhere, and is no revision.
    let late = scene.event(at(event("k-9", "opt_out", canary()), 3)).await;
    assert_eq!((&late["status"], &late["revision"]), (&json!("superseded"), &json!(8)), "{late}");
    let tie = scene.event(at(event("k-10", "opt_out", canary()), 7)).await;
    assert_eq!(tie["status"], "applied", "at equal times the restricting one wins");
    assert_eq!(verdict(&mut scene, "sms", "KZ-79", "lulla.kz").await, "opt_out");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_decides_which_statements_are_obeyed() {
    let mut scene = Scene::new().await;
    let person = |name: &str| json!({"user_id": name, "phone": "not a number"});
    scene.apply(event("p-1", "opt_out", json!({"user_id": "U-canary-out"}))).await;
    scene.apply(event("p-2", "hold", json!({"user_id": "U-canary-held"}))).await;
    let named = |name: &str| json!({"user_id": name});
    let people = json!([named("U-canary-out"), named("U-canary-held"), named("U-2"), person("U-3"), {}]);
    let orders = scene.stage.connect("orders").await;
    let all = &["U-canary-out", "U-canary-held", "U-2", "U-3", "?"][..];
    for (purpose, expected) in [
        ("marketing", &["U-2"][..]),
        ("transactional", &["U-canary-out", "U-2"]),
        ("service_notice", &["U-canary-out", "U-2"]),
        ("legal_notice", all),
    ] {
        let job = but(job("j", "sms", people.clone()), json!({"purpose": purpose}));
        let by = BasicProperties::default().with_user_id("orders".into());
        orders.publish_with("suppressd.jobs", "sms", by, job.to_string().as_bytes()).await;
        let body = scene.out.next().await.json();
        let kept = body["segments"][0]["recipients"].as_array().unwrap().iter();
        let kept: Vec<_> = kept.map(|person| person["user_id"].as_str().unwrap_or("?")).collect();
        assert_eq!(kept, expected, "{purpose}");
        let segment = &body["suppression"]["segments"][0];
        let removed: u64 = segment["removed"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert_eq!(segment["received"], segment["kept"].as_u64().unwrap() + removed, "{segment}");
    }
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_is_known_under_every_spelling() {
    let mut scene = Scene::new().await;
    let subject =
        json!({"phone": "8 (777) 111-31-11", "email": "aigerim.s+news@googlemail.com", "user_id": 17});
    let receipt = scene.event(event("w-1", "opt_out", subject)).await;
    assert_eq!(
        (&receipt["revision"], &receipt["ignored"]),
        (&json!(1), &json!([])),
        "one event is one revision"
    );
    let phones = json!([
        {"phone": "8 (777) 111-31-11"}, {"phone": "+7 777 111 3 111"}, {"phone": "7771113111"},
        {"phone": "87771113111"}, {"phone": 87_771_113_111_u64}, {"phone": "\u{200b}+7\u{a0}777\u{2011}1113111"},
        {"phone": "'87771113111"}, {"phone": "77771113111.0"}, {"phone": "8~10 7 777 111 31 11"},
        {"phone": "0077771113111"}, {"phone": "+87771113111"}, {"phone": "+7 777 111 31 11 доб. 12"},
        {"phone": "٨٧٧٧١١١٣١١١"}, {"user_id": "17"}, {"user_id": 17}, {"user_id": " 17 "},
        {"phone": "\u{38}7771113111", "user_id": null, "email": ""}, {"email": "aigerims@gmail.com"},
    ]);
    let count = phones.as_array().unwrap().len();
    let (kept, removed) = scene.kept("sms", phones).await;
    assert_eq!((kept.len(), &removed["opt_out"]), (0, &json!(count)), "{removed}");
    let emails = json!([
        {"email": "aigerim.s@gmail.com"}, {"email": " AIGERIM.S+x@GoogleMail.com "}, {"email": "mailto:aigerims@gmail.com"},
        {"email": "\"A\" <aigerim.s@gmail.com>"}, {"email": "ａigerims@gmail.com"}, {"email": "aigerims@gmail.com."},
    ]);
    let count = emails.as_array().unwrap().len();
    let (kept, removed) = scene.kept("email", emails).await;
    assert_eq!((kept.len(), &removed["opt_out"]), (0, &json!(count)), "{removed}");

    let unsure = json!([
        {"user_id": "a", "phone": "7.77E+10"}, {"user_id": "b", "phone": "12345"}, {"user_id": "c", "phone": true},
        {"user_id": "d", "phone": "87771113112, 87771113113"}, {}, {"phone": null, "email": ""}, {"name": "x"},
    ]);
    let (kept, removed) = scene.kept("sms", unsure).await;
    assert_eq!((kept.as_slice(), &removed["unidentifiable"]), (&[][..], &json!(7)), "{removed}");
    // Another channel's address that cannot be read does not matter.
    let other = json!([{"user_id": "a", "email": "aigerim@"}, {"user_id": "U 17"}, {"phone": "87772223344"}]);
    assert_eq!(scene.kept("sms", other).await.0, ["a", "U 17", "?"]);
    scene.expect_metric("suppressd_ignored_identifiers_total", &[("type", "email")], 1).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_identifier_carries_what_was_said_before_the_change_whenever_it_arrives() {
    let mut scene = Scene::new().await;
    let (old, new) = (json!({"phone": "87771113111"}), json!({"phone": "87772223344"}));
    let both =
        json!([{"user_id": "old", "phone": "87771113111"}, {"user_id": "new", "phone": "87772223344"}]);
    let change = but(event("i-1", "identifier_changed", old.clone()), json!({"new_subject": new.clone()}));
    assert_eq!(scene.event(at(change, 5)).await["status"], "applied");
    assert_eq!(scene.kept("sms", both.clone()).await.0, ["old", "new"]);
    scene.apply(at(event("i-2", "opt_out", old.clone()), 4)).await;
    assert_eq!(scene.kept("sms", both.clone()).await.0, NOBODY, "said before the change, arrived after it");
    scene.apply(at(event("i-3", "opt_in", new), 6)).await;
    assert_eq!(scene.kept("sms", both.clone()).await.0, ["new"], "the old one keeps its own");
    scene.apply(at(event("i-4", "hold", old), 7)).await;
    assert_eq!(scene.kept("sms", both).await.0, ["new"], "said after the change: not of the new one");
    scene.end().await;
}
