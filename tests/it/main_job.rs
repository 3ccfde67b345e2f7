//! The main job, from the outside: a job goes in, the job without those who opted out comes out.

use serde_json::{Value, json};

use crate::support::{Sent, Stage};

/// A job of one SMS segment in Shymkent.
fn job(id: &str, recipients: &Value) -> Value {
    json!({
        "job_id": id, "campaign_id": "nauryz-2027", "channel": "sms", "brand": "lulla.kz",
        "segments": [{"region": "KZ-79", "recipients": recipients}]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_opted_out_is_not_in_the_output() {
    let stage = Stage::new();
    stage.init();
    let worker = stage.start("w1");
    worker.wait_ready().await;
    let callcenter = stage.connect("callcenter").await;
    let mut receipts =
        callcenter.inbox("callcenter.receipts", &[("suppressd.events", "receipt.call_center")]).await;
    let mut sms = stage.connect("sender").await.inbox("sender.sms", &[("suppressd.filtered", "sms.#")]).await;

    let event = json!({
        "event_id": "cc-1", "source": "call_center", "kind": "opt_out",
        "occurred_at": "2026-11-20T10:15:00+05:00", "subject": {"phone": "8 (777) 111-31-11"}
    });
    let by = lapin::BasicProperties::default().with_user_id("callcenter".into());
    callcenter.publish_with("suppressd.opt-outs", "call_center", by, event.to_string().as_bytes()).await;
    let receipt = receipts.next().await.json();
    assert_eq!(receipt["status"], "applied", "{receipt}");
    assert_eq!(receipt["revision"], 1);

    let marketing = stage.connect("marketing").await;
    let recipients = json!([
        {"user_id": "U-1", "phone": "+7 777 111 3 111", "name": "Айгерім"},
        {"user_id": "U-2", "phone": 87_772_223_344_u64, "vars": {"bonus": 5}},
    ]);
    let sent = marketing.publish("suppressd.jobs", "sms.KZ-79", &job("j-1", &recipients)).await;
    assert_eq!(sent, Sent::Confirmed);
    let out = sms.next().await;
    let body = out.json();
    assert_eq!(body["segments"][0]["recipients"], json!([recipients[1]]));
    assert_eq!(body["suppression"]["segments"][0]["removed"]["opt_out"], 1);
    assert_eq!(body["suppression"]["revision"], 1);
    assert_eq!(out.message_id(), Some("j-1"));

    worker.sigterm();
    assert_eq!(worker.exit_code().await, Some(0));
    assert!(stage.files_with(&["77771113111", "Айгерім"]).is_empty());
}
