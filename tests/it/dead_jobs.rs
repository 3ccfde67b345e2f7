//! Jobs that are at fault themselves: each goes to the dead queue with its reason, its body untouched.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};

use crate::scene::{CANARIES, Scene, but, job};
use crate::support::{Message, Sent};

const LIMITS: &str = "[limits]\njob_bytes_max = 65536\njob_recipients_max = 5\njob_segments_max = 2\n";

/// Nobody is told more than the place and the rule.
fn assert_tells_nothing(letter: &Message) {
    for name in ["x-suppressd-reason", "x-suppressd-detail", "x-suppressd-queue", "x-suppressd-at"] {
        let value = letter.header(name).unwrap_or_else(|| panic!("header {name}"));
        assert!(CANARIES.iter().all(|canary| !value.contains(canary)), "{name} tells of a person");
    }
}

/// Sends a body and insists on its letter.
async fn dies(
    scene: &mut Scene,
    properties: BasicProperties,
    body: &[u8],
    reason: &str,
    detail: &str,
) -> Message {
    let sent = scene.guest.publish_with("suppressd.jobs", "sms.KZ-79", properties, body).await;
    assert_eq!(sent, Sent::Confirmed);
    let letter = scene.dead.next().await;
    assert_eq!(letter.header("x-suppressd-reason").as_deref(), Some(reason), "{:?}", letter.properties);
    let told = letter.header("x-suppressd-detail").expect("a letter has a detail");
    assert!(told.contains(detail), "{reason}: {told:?} does not say {detail:?}");
    assert_eq!(letter.header("x-suppressd-queue").as_deref(), Some("suppressd.jobs"));
    let at = letter.header("x-suppressd-at").expect("a letter has its time");
    assert!(at.parse::<jiff::Timestamp>().is_ok(), "{at}");
    assert_eq!(letter.properties.delivery_mode(), &Some(2));
    assert!(letter.body == body, "{reason}: the body is untouched");
    assert_tells_nothing(&letter);
    letter
}

async fn dies_plainly(scene: &mut Scene, job: &Value, reason: &str, detail: &str) {
    let body = job.to_string();
    dies(scene, BasicProperties::default(), body.as_bytes(), reason, detail).await;
}

fn good() -> Value {
    job("j", "sms", json!([{"user_id": "U-canary", "phone": "+7 777 111 31 11", "name": "Айгерім"}]))
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn encoded(encoding: &str) -> BasicProperties {
    BasicProperties::default().with_content_encoding(encoding.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_at_fault_goes_to_the_dead_queue_with_its_reason_and_the_place() {
    let mut scene = Scene::with(LIMITS).await;
    let plain = BasicProperties::default;
    dies(&mut scene, plain(), b"", "bad_json", "").await;
    dies(&mut scene, plain(), "{\"job_id\": \"Айгерім".as_bytes(), "bad_json", "").await;
    dies(&mut scene, plain(), b"{\"job_id\": \"\xff\"}", "bad_json", "UTF-8").await;
    dies(&mut scene, plain(), b"[]", "bad_schema", "").await;
    for member in ["job_id", "campaign_id", "channel", "brand", "segments"] {
        let mut without = good();
        without.as_object_mut().unwrap().remove(member);
        dies_plainly(&mut scene, &without, "bad_schema", &format!("/{member}: is required")).await;
    }
    for (members, reason, place) in [
        (json!({"job_id": ""}), "bad_schema", "/job_id"),
        (json!({"job_id": "x".repeat(129)}), "bad_schema", "/job_id"),
        (json!({"purpose": "Айгерім"}), "bad_schema", "/purpose"),
        (json!({"part": {"index": 3, "of": 3}}), "bad_schema", "/part/index"),
        (json!({"send_until": "tomorrow"}), "bad_schema", "/send_until"),
        (json!({"segments": [{"region": "KZ-79"}]}), "bad_schema", "/segments/0/recipients"),
        (json!({"segments": [{"recipients": []}]}), "bad_schema", "/segments/0/region"),
        (
            json!({"segments": [{"region": "KZ-79", "recipients": [1]}]}),
            "bad_schema",
            "/segments/0/recipients/0",
        ),
        (json!({"channel": "Айгерім"}), "unknown_channel", "/channel"),
        (json!({"brand": "aigerim@lulla.kz"}), "unknown_brand", "/brand"),
        (
            json!({"segments": [{"region": "Айгерім", "recipients": []}]}),
            "unknown_region",
            "/segments/0/region",
        ),
        // South Kazakhstan was cut into two: KZ-61 and KZ-79.
        (json!({"segments": [{"region": "YUZ", "recipients": []}]}), "unknown_region", "/segments/0/region"),
    ] {
        dies_plainly(&mut scene, &but(good(), members), reason, place).await;
    }
    let twice = br#"{"job_id":"j","campaign_id":"c","channel":"sms","brand":"lulla.kz","segments":[],"j\u006fb_id":"k"}"#;
    dies(&mut scene, plain(), twice, "bad_schema", "/job_id").await;
    scene
        .expect_metric("suppressd_dead_letters_total", &[("queue", "jobs"), ("reason", "bad_json")], 3)
        .await;
    scene.expect_metric("suppressd_dead_letters_total", &[("reason", "unknown_region")], 2).await;
    scene.expect_metric("suppressd_jobs_total", &[("outcome", "dead_lettered")], 22).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_beyond_a_limit_or_packed_in_a_way_nobody_can_undo_is_dead() {
    let mut scene = Scene::with(LIMITS).await;
    let plain = BasicProperties::default;
    let long = but(good(), json!({"text": "x".repeat(65_536)})).to_string();
    dies(&mut scene, plain(), long.as_bytes(), "too_large", "65536 bytes").await;
    dies(&mut scene, encoded("gzip"), &packed(long.as_bytes()), "too_large", "65536 bytes").await;
    let bomb = packed(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 100_000);
    dies(&mut scene, encoded("gzip"), &bomb, "too_large", "65536 bytes").await;
    let zstd_bomb = zstd::bulk::compress(&vec![b' '; 64 << 20], 3).unwrap();
    dies(&mut scene, encoded("zstd"), &zstd_bomb, "too_large", "").await;
    let six = job("j", "sms", json!([{}, {}, {}, {}, {}, {}]));
    dies_plainly(&mut scene, &six, "too_large", "5 recipients").await;
    let segment = json!({"region": "KZ-79", "recipients": []});
    let three = but(good(), json!({"segments": [segment, segment, segment]}));
    dies_plainly(&mut scene, &three, "too_large", "2 segments").await;

    let body = good().to_string();
    dies(&mut scene, encoded("br"), body.as_bytes(), "unsupported_encoding", "content_encoding").await;
    dies(&mut scene, encoded("gzip"), body.as_bytes(), "bad_encoding", "").await;
    dies(&mut scene, encoded("zstd"), body.as_bytes(), "bad_encoding", "").await;
    let whole = packed(body.as_bytes());
    dies(&mut scene, encoded("gzip"), &whole[..whole.len() - 4], "bad_encoding", "").await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_listed_publisher_may_write_to_people_who_opted_out() {
    let mut scene = Scene::new().await;
    let by = |user: &str| BasicProperties::default().with_user_id(user.into());
    for purpose in ["transactional", "service_notice", "legal_notice"] {
        let body = but(good(), json!({"purpose": purpose})).to_string();
        let plain = BasicProperties::default();
        dies(&mut scene, plain, body.as_bytes(), "purpose_not_allowed", "/purpose").await;
        let letter = dies(&mut scene, by("guest"), body.as_bytes(), "purpose_not_allowed", "/purpose").await;
        assert_eq!(letter.header("x-suppressd-user-id").as_deref(), Some("guest"));
        let orders = scene.stage.connect("orders").await;
        orders.publish_with("suppressd.jobs", "sms.KZ-79", by("orders"), body.as_bytes()).await;
        let out = scene.out.next().await;
        assert_eq!(out.json()["purpose"], purpose);
        assert_eq!(out.header("x-suppressd-user-id").as_deref(), Some("orders"));
    }
    // A header is not the property that RabbitMQ verifies.
    let mut headers = FieldTable::default();
    headers.insert("x-suppressd-user-id".into(), AMQPValue::LongString("orders".into()));
    let forged = BasicProperties::default().with_headers(headers);
    let body = but(good(), json!({"purpose": "legal_notice"})).to_string();
    let letter = dies(&mut scene, forged, body.as_bytes(), "purpose_not_allowed", "/purpose").await;
    assert_eq!(letter.header("x-suppressd-user-id"), None, "only ours is believed");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_keeps_the_properties_and_puts_by_what_would_end_it() {
    let mut scene = Scene::new().await;
    let mut headers = FieldTable::default();
    headers.insert("trace".into(), AMQPValue::LongString("t-1".into()));
    headers.insert("x-suppressd-reason".into(), AMQPValue::LongString("forged".into()));
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_message_id("m-1".into())
        .with_correlation_id("c-1".into())
        .with_reply_to("marketing.replies".into())
        .with_priority(3)
        .with_type("job".into())
        .with_app_id("crm".into())
        .with_timestamp(1_795_000_000)
        .with_expiration("600000".into())
        .with_delivery_mode(1)
        .with_user_id("guest".into())
        .with_headers(headers);
    let letter = dies(&mut scene, properties, b"{", "bad_json", "").await;
    assert_eq!((letter.exchange.as_str(), letter.routing_key.as_str()), ("suppressd.dead", "sms.KZ-79"));
    assert_eq!(letter.header("trace").as_deref(), Some("t-1"));
    assert_eq!(letter.header("x-suppressd-user-id").as_deref(), Some("guest"));
    assert_eq!(letter.header("x-suppressd-expiration").as_deref(), Some("600000"));
    let kept = &letter.properties;
    assert_eq!(letter.message_id(), Some("m-1"));
    assert_eq!(kept.correlation_id().as_ref().unwrap().as_str(), "c-1");
    assert_eq!(kept.reply_to().as_ref().unwrap().as_str(), "marketing.replies");
    assert_eq!(kept.kind().as_ref().unwrap().as_str(), "job");
    assert_eq!(kept.app_id().as_ref().unwrap().as_str(), "crm");
    assert_eq!((kept.priority(), kept.timestamp()), (&Some(3), &Some(1_795_000_000)));
    assert_eq!((kept.user_id(), kept.expiration()), (&None, &None));
    scene.end().await;
}
