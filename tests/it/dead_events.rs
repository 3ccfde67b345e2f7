//! Events that are not taken: each goes to the dead queue, and where it can be told, its source hears why.

use std::time::Duration;

use lapin::BasicProperties;
use serde_json::{Value, json};

use crate::scene::{CANARIES, Scene, but, event};
use crate::support::{Message, Sent};

const BRIEFLY: Duration = Duration::from_millis(300);

async fn letter(scene: &mut Scene, body: &[u8], reason: &str, detail: &str) -> Message {
    let letter = scene.dead.next().await;
    assert_eq!(letter.header("x-suppressd-reason").as_deref(), Some(reason), "{:?}", letter.properties);
    let told = letter.header("x-suppressd-detail").expect("a letter has a detail");
    assert!(told.contains(detail), "{reason}: {told:?} does not say {detail:?}");
    assert!(CANARIES.iter().all(|canary| !told.contains(canary)), "the detail tells of a person");
    assert_eq!(letter.header("x-suppressd-queue").as_deref(), Some("suppressd.opt-outs"));
    assert!(letter.header("x-suppressd-at").is_some());
    assert!(letter.body == body, "{reason}: the body is untouched");
    letter
}

async fn dies(scene: &mut Scene, event: &Value, reason: &str, detail: &str) -> Message {
    scene.send_event(event).await;
    letter(scene, event.to_string().as_bytes(), reason, detail).await
}

async fn dies_raw(scene: &mut Scene, properties: BasicProperties, body: &[u8], reason: &str, detail: &str) {
    let sent = scene.guest.publish_with("suppressd.opt-outs", "any", properties, body).await;
    assert_eq!(sent, Sent::Confirmed);
    letter(scene, body, reason, detail).await;
}

fn person() -> Value {
    json!({"user_id": "U-canary", "phone": "8 (777) 111-31-11", "email": "aigerim@x.kz"})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_read_goes_to_the_dead_queue_and_nowhere_else() {
    let mut scene = Scene::with("[limits]\nevent_bytes_max = 4096\n").await;
    let plain = BasicProperties::default;
    dies_raw(&mut scene, plain(), "{\"event_id\": \"Айгерім".as_bytes(), "bad_json", "").await;
    dies_raw(&mut scene, plain(), b"\xff\xfe", "bad_json", "").await;
    dies_raw(&mut scene, plain(), b"7", "bad_schema", "").await;
    let long = but(event("e", "opt_out", person()), json!({"note": "x".repeat(4096)})).to_string();
    dies_raw(&mut scene, plain(), long.as_bytes(), "too_large", "4096").await;
    let brotli = plain().with_content_encoding("br".into());
    dies_raw(&mut scene, brotli, b"{}", "unsupported_encoding", "content_encoding").await;
    dies_raw(&mut scene, plain().with_content_encoding("gzip".into()), b"{}", "bad_encoding", "").await;
    for member in ["event_id", "source", "kind", "occurred_at", "subject"] {
        let mut without = event("e", "opt_out", person());
        without.as_object_mut().unwrap().remove(member);
        dies(&mut scene, &without, "bad_schema", &format!("/{member}")).await;
    }
    for (members, place) in [
        (json!({"occurred_at": "2026-11-01T10:00:00"}), "/occurred_at"),
        (json!({"kind": "Айгерім"}), "/kind"),
        (json!({"subject": {}}), "/subject"),
        (json!({"subject": {"phone": "", "email": null}}), "/subject"),
        (json!({"subject": "aigerim@x.kz"}), "/subject"),
        (json!({"scope": {"regions": []}}), "/scope/regions"),
        (json!({"scope": {"channels": "sms"}}), "/scope/channels"),
        (json!({"requested_by": "neighbour"}), "/requested_by"),
    ] {
        let members = but(event("e", "opt_out", person()), members);
        dies(&mut scene, &members, "bad_schema", place).await;
    }
    scene.receipts.expect_silence(BRIEFLY).await;
    scene.expect_metric("suppressd_dead_letters_total", &[("queue", "opt-outs")], 19).await;
    scene.expect_metric("suppressd_dead_letters_total", &[("reason", "bad_json")], 2).await;
    scene.expect_metric("suppressd_revision", &[], 0).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_way_door_lets_only_those_lift_who_may() {
    let mut scene = Scene::new().await;
    let by = |user: &str| BasicProperties::default().with_user_id(user.into());
    let raw = |event: Value| event.to_string().into_bytes();
    let opt_in = event("e-1", "opt_in", person());
    let import = but(opt_in.clone(), json!({"source": "import"}));
    dies_raw(&mut scene, by("guest"), &raw(import), "not_permitted", "/kind").await;
    let mail = but(opt_in.clone(), json!({"source": "email"}));
    dies(&mut scene, &mail, "not_permitted", "/kind").await;
    let unknown = but(opt_in.clone(), json!({"source": "Айгерім"}));
    dies(&mut scene, &unknown, "not_permitted", "/source").await;
    dies_raw(&mut scene, by("guest"), &raw(opt_in.clone()), "not_permitted", "/source").await;
    dies_raw(&mut scene, BasicProperties::default(), &raw(opt_in), "not_permitted", "/source").await;
    scene.receipts.expect_silence(BRIEFLY).await;
    // The body says who speaks, not the routing key.
    let spam = but(event("e-2", "complaint", person()), json!({"source": "email"}));
    assert_eq!(scene.event(spam).await["source"], "email");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_source_can_mend_is_rejected_with_a_receipt_and_kept() {
    let mut scene = Scene::new().await;
    let ahead = json!({"occurred_at": "2999-01-01T00:00:00Z"});
    let other = json!({"new_subject": {"phone": "+7 777 222 33 44"}});
    let unreadable = json!({"phone": "7.77E+10", "email": "aigerim@"});
    let lifting = |id: &str| event(id, "opt_in", person());
    for (event, reason, detail) in [
        (but(lifting("f-1"), ahead.clone()), "future_dated", "/occurred_at"),
        (but(event("f-2", "release", person()), ahead.clone()), "future_dated", "/occurred_at"),
        (
            but(but(event("f-3", "identifier_changed", person()), other), ahead.clone()),
            "future_dated",
            "/occurred_at",
        ),
        (
            but(
                event("f-4", "dismiss", json!({})),
                json!({"request_id": "r", "occurred_at": "2999-01-01T00:00:00Z"}),
            ),
            "future_dated",
            "/occurred_at",
        ),
        (but(lifting("u-1"), json!({"scope": {"regions": ["Айгерім"]}})), "unknown_scope", "/scope/regions"),
        (but(lifting("u-2"), json!({"scope": {"channels": ["fax"]}})), "unknown_scope", "/scope/channels"),
        (
            but(lifting("u-3"), json!({"scope": {"brands": ["lulla.kz", "x"]}})),
            "unknown_scope",
            "/scope/brands",
        ),
        (event("n-1", "opt_in", unreadable.clone()), "no_identifier", "/subject"),
    ] {
        let id = event["event_id"].clone();
        dies(&mut scene, &event, reason, detail).await;
        let receipt = scene.receipts.next().await.json();
        assert_eq!((&receipt["event_id"], &receipt["status"]), (&id, &json!("rejected")), "{receipt}");
        assert_eq!((&receipt["reason"], &receipt["revision"]), (&json!(reason), &Value::Null), "{receipt}");
    }

    // A person asked: nobody may drop that.
    let review = event("n-2", "opt_out", unreadable);
    dies(&mut scene, &review, "no_identifier", "/subject").await;
    let receipt = scene.receipts.next().await.json();
    assert_eq!((&receipt["status"], &receipt["revision"]), (&json!("review"), &Value::Null), "{receipt}");
    scene.expect_metric("suppressd_events_total", &[("status", "rejected")], 8).await;
    scene.expect_metric("suppressd_events_total", &[("status", "review")], 1).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_content_of_an_event_id_counts_and_another_one_is_a_conflict() {
    let mut scene = Scene::new().await;
    let first = event("c-1", "opt_out", person());
    assert_eq!(scene.apply(first.clone()).await, 1);
    let second = but(first.clone(), json!({"kind": "opt_in", "occurred_at": "2026-11-02T10:00:00+05:00"}));
    dies(&mut scene, &second, "event_id_conflict", "/event_id").await;
    let alarm = scene.alarms.next().await;
    assert_eq!(alarm.routing_key, "alarm.event_id_conflict");
    assert!(CANARIES.iter().all(|canary| !alarm.json().to_string().contains(canary)));
    scene.receipts.expect_silence(BRIEFLY).await;
    let (kept, removed) = scene.kept("sms", json!([{"user_id": "U-canary"}, {"user_id": "U-2"}])).await;
    assert_eq!(kept, ["U-2"], "the opt-in that came second opened nothing: {removed}");
    // The same value written otherwise is the same event.
    let spaced = serde_json::to_string_pretty(&first).unwrap().replace("opt_out", "opt\\u005fout");
    let by = BasicProperties::default().with_user_id("callcenter".into());
    scene.callcenter.publish_with("suppressd.opt-outs", "call_center", by, spaced.as_bytes()).await;
    let receipt = scene.receipts.next().await.json();
    assert_eq!((&receipt["status"], &receipt["revision"]), (&json!("duplicate"), &json!(1)), "{receipt}");
    scene.end().await;
}
