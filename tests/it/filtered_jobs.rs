//! The filtered job: what of the input comes through, byte by byte, and what is added.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldArray, FieldTable};
use serde_json::{Value, json};

use crate::scene::{Scene, but, event, job};
use crate::support::Message;

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

/// Odd on purpose: white space, escapes, long numbers, unknown members at every level, an old `suppression`.
const ODD: &str = r#" { "job_id":"odd-1", "suppression" : {"revision":1}, "campaign_id": "nauryz",
  "чужое": {"segments": [1, 2.50, 1e400]},
  "channel":"s\u006ds", "brand":"lulla.kz",
  "segments": [ {"note":"\u0041", "region": "Шымкент қаласы", "recipients": [
    {"user_id":"U-canary"} , {"n":1.10,  "user_id" : "U-2" ,"vars":{"ә":"\u04d9","phone":"8 777 111 31 11"}},
    {"phone":"+7 777 111 3 111","name":"Айгерім"},{"user_id":12345678901234567890123,"x":[]}
  ]}, {"region":"KZ-75","recipients":[ ]} ] , "part": {"index":0, "of": 2, "more": true} } "#;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_kept_to_the_byte_and_the_suppression_comes_last() {
    let mut scene = Scene::new().await;
    let subject = json!({"user_id": "U-canary", "phone": "8 (777) 111-31-11"});
    let revision = scene.apply(event("e-1", "opt_out", subject)).await;
    let properties = BasicProperties::default();
    scene.marketing.publish_with("suppressd.jobs", "sms.any", properties, ODD.as_bytes()).await;
    let out = scene.out.next().await;
    let body = String::from_utf8(out.body.clone()).unwrap();
    for kept in [
        r#"{"n":1.10,  "user_id" : "U-2" ,"vars":{"ә":"\u04d9","phone":"8 777 111 31 11"}}"#,
        r#"{"user_id":12345678901234567890123,"x":[]}"#,
        r#""чужое": {"segments": [1, 2.50, 1e400]}"#,
        r#"{"note":"\u0041", "region": "Шымкент қаласы""#,
        r#""part": {"index":0, "of": 2, "more": true}"#,
        r#""channel":"s\u006ds""#,
    ] {
        assert!(body.contains(kept), "{kept} is not in {body}");
    }
    assert!(!body.contains("U-canary") && !body.contains("Айгерім"), "{body}");
    assert!(body.find("U-2") < body.find("12345678901234567890123"), "the order is kept");
    assert_eq!(body.matches("\"suppression\"").count(), 1, "the old one is replaced");
    assert!(body.find("\"suppression\"") > body.find("\"part\""), "it is the last member");
    let parsed: Value = serde_json::from_str(&body.replace("1e400", "0")).unwrap();
    let suppression = &parsed["suppression"];
    assert_eq!(suppression["revision"], revision);
    let at = suppression["filtered_at"].as_str().unwrap();
    assert!(at.ends_with('Z') && at.parse::<jiff::Timestamp>().is_ok(), "{at}");
    let nobody = json!({"opt_out": 0, "hold": 0, "complaint": 0, "bounce": 0, "unidentifiable": 0});
    let segments = json!([
        {"region": "Шымкент қаласы", "received": 4, "kept": 2, "removed": but(nobody.clone(), json!({"opt_out": 2}))},
        {"region": "KZ-75", "received": 0, "kept": 0, "removed": nobody},
    ]);
    assert_eq!(suppression["segments"], segments);

    let report = scene.reports.next().await;
    assert_eq!(report.routing_key, "report.job");
    let expected = json!({
        "job_id": "odd-1", "campaign_id": "nauryz", "channel": "sms", "brand": "lulla.kz",
        "purpose": "marketing", "part": {"index": 0, "of": 2}, "revision": revision,
        "filtered_at": at, "past_send_until": false, "segments": segments,
    });
    assert_eq!(report.json(), expected);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_properties_that_are_the_senders_own_come_through() {
    let mut scene = Scene::new().await;
    let mut headers = FieldTable::default();
    for (name, value) in [
        ("trace", text("t-1")),
        ("x-own", text("kept")),
        ("x-delivery-count", AMQPValue::LongInt(7)),
        ("x-suppressd-revision", text("999")),
        ("x-suppressd-user-id", text("forged")),
        ("X-Suppressd-Kept", text("forged")),
        ("BCC", AMQPValue::FieldArray(FieldArray::default())),
        ("CC", AMQPValue::FieldArray(FieldArray::default())),
    ] {
        headers.insert(name.into(), value);
    }
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_correlation_id("c-1".into())
        .with_reply_to("marketing.replies".into())
        .with_priority(4)
        .with_type("job".into())
        .with_app_id("crm".into())
        .with_timestamp(1_795_000_000)
        .with_expiration("600000".into())
        .with_delivery_mode(1)
        .with_user_id("marketing".into())
        .with_headers(headers);
    let body = job("j-1", "sms", json!([{"user_id": "U-2"}, {}])).to_string();
    scene.marketing.publish_with("suppressd.jobs", "sms.kz.odd", properties, body.as_bytes()).await;
    let out = scene.out.next().await;
    assert_eq!((out.exchange.as_str(), out.routing_key.as_str()), ("suppressd.filtered", "sms.kz.odd"));
    assert_eq!(out.message_id(), Some("j-1"), "none was given: the job's");
    let kept = &out.properties;
    assert_eq!(kept.delivery_mode(), &Some(2));
    assert_eq!(kept.content_type().as_ref().unwrap().as_str(), "application/json");
    assert_eq!(kept.correlation_id().as_ref().unwrap().as_str(), "c-1");
    assert_eq!(kept.reply_to().as_ref().unwrap().as_str(), "marketing.replies");
    assert_eq!(kept.kind().as_ref().unwrap().as_str(), "job");
    assert_eq!(kept.app_id().as_ref().unwrap().as_str(), "crm");
    assert_eq!(kept.expiration().as_ref().unwrap().as_str(), "600000");
    assert_eq!((kept.priority(), kept.timestamp()), (&Some(4), &Some(1_795_000_000)));
    assert_eq!(kept.user_id(), &None, "nobody but us published this");
    let mut names: Vec<_> =
        kept.headers().as_ref().unwrap().inner().keys().map(ToString::to_string).collect();
    names.sort_unstable();
    let ours = ["x-suppressd-kept", "x-suppressd-removed", "x-suppressd-revision", "x-suppressd-user-id"];
    assert_eq!(names, [&["trace", "x-own"][..], &ours].concat());
    let counts = ["kept", "removed", "revision"].map(|name| out.header(&format!("x-suppressd-{name}")));
    assert_eq!(counts, ["1", "1", "0"].map(|count| Some(count.to_owned())));
    assert_eq!(out.header("x-suppressd-user-id").as_deref(), Some("marketing"));

    let own_id = BasicProperties::default().with_message_id("m-1".into());
    scene.marketing.publish_with("suppressd.jobs", "sms", own_id, body.as_bytes()).await;
    assert_eq!(scene.out.next().await.message_id(), Some("m-1"), "the input's own");
    scene.end().await;
}

/// Sends a packed job; what comes out.
async fn through(scene: &mut Scene, encoding: &str, body: &[u8]) -> Message {
    let properties = BasicProperties::default().with_content_encoding(encoding.into());
    scene.marketing.publish_with("suppressd.jobs", "sms", properties, body).await;
    let out = scene.out.next().await;
    assert_eq!(out.properties.content_encoding().as_ref().unwrap().as_str(), encoding);
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_job_comes_out_packed_in_the_same_way() {
    let mut scene = Scene::new().await;
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    let body = job("j", "sms", json!([{"user_id": "U-canary"}, {"user_id": "U-2"}])).to_string();
    let unpacked = |bytes: Vec<u8>| {
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value["segments"][0]["recipients"], json!([{"user_id": "U-2"}]));
    };
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(body.as_bytes()).unwrap();
    let out = through(&mut scene, "gzip", &gzip.finish().unwrap()).await;
    let mut bytes = Vec::new();
    GzDecoder::new(out.body.as_slice()).read_to_end(&mut bytes).unwrap();
    unpacked(bytes);
    let packed = zstd::bulk::compress(body.as_bytes(), 3).unwrap();
    let out = through(&mut scene, "zstd", &packed).await;
    unpacked(zstd::stream::decode_all(out.body.as_slice()).unwrap());
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_nobody_left_and_one_without_anybody_are_published_all_the_same() {
    let mut scene = Scene::new().await;
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    let (kept, removed) = scene.kept("sms", json!([{"user_id": "U-canary"}])).await;
    assert!(kept.is_empty() && removed["opt_out"] == 1);
    assert_eq!(scene.kept("sms", json!([])).await.0, Vec::<String>::new());
    let mut none = job("j", "sms", json!([]));
    none["segments"] = json!([]);
    none["send_until"] = json!("2020-01-01T00:00:00+05:00");
    let out = scene.filter(&none).await.json();
    assert_eq!((&out["segments"], &out["suppression"]["segments"]), (&json!([]), &json!([])));
    let reports: Vec<_> = scene.reports.take(3).await.iter().map(Message::json).collect();
    assert_eq!(reports[1]["past_send_until"], false);
    assert_eq!(reports[2]["past_send_until"], true, "it changes nothing but this mark");
    let labels = [("channel", "sms"), ("region", "KZ-79"), ("verdict", "opt_out")];
    scene.expect_metric("suppressd_recipients_total", &labels, 1).await;
    scene.expect_metric("suppressd_jobs_total", &[("outcome", "filtered")], 3).await;
    scene.expect_metric("suppressd_job_duration_seconds_count", &[("channel", "sms")], 3).await;
    scene.end().await;
}
