//! Receipts: what the source of an event gets back, once what it asked for is durable.

use lapin::BasicProperties;
use lapin::options::{BasicConsumeOptions, BasicNackOptions};
use lapin::types::FieldTable;
use serde_json::{Value, json};

use futures_util::StreamExt;

use crate::scene::{Scene, but, event};
use crate::support::Client;

fn canary() -> Value {
    json!({"user_id": "U-canary", "phone": "87771113111"})
}

fn time(receipt: &Value, member: &str) -> jiff::Timestamp {
    receipt[member].as_str().unwrap_or_else(|| panic!("{member}: {receipt}")).parse().expect(member)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_says_what_became_of_the_event_and_at_which_revision() {
    let mut scene = Scene::new().await;
    let before = jiff::Timestamp::now();
    let receipt = scene.event(event("e-1", "opt_out", canary())).await;
    let expected = json!({
        "event_id": "e-1", "source": "call_center", "kind": "opt_out", "request_id": "call_center:e-1",
        "status": "applied", "revision": 1, "widened": [], "ignored": [], "reason": null,
    });
    assert_eq!(but(receipt.clone(), expected.clone()), receipt, "{receipt} lacks some of {expected}");
    assert!(before <= time(&receipt, "received_at"), "{receipt}");
    assert!(time(&receipt, "received_at") <= time(&receipt, "effective_at"), "{receipt}");

    let again = scene.event(event("e-1", "opt_out", canary())).await;
    assert_eq!((&again["status"], &again["revision"]), (&json!("duplicate"), &json!(1)), "{again}");
    assert_eq!(again["received_at"], receipt["received_at"], "of the first one: {again}");

    // The same point again, later: the list changes its time, and so its revision.
    let later = json!({"occurred_at": "2026-11-03T10:00:00+05:00", "request_id": "CRM-88"});
    let later = scene.event(but(event("e-2", "opt_out", canary()), later)).await;
    assert_eq!((&later["status"], &later["request_id"]), (&json!("applied"), &json!("CRM-88")), "{later}");
    let earlier = json!({"occurred_at": "2026-11-02T10:00:00+05:00"});
    let earlier = scene.event(but(event("e-3", "opt_out", canary()), earlier)).await;
    assert_eq!(
        (&earlier["status"], &earlier["revision"]),
        (&json!("superseded"), &later["revision"]),
        "{earlier}"
    );

    let partly = json!({"user_id": "U-canary", "phone": "7.77E+10", "email": "aigerim@"});
    let partly = scene.event(event("e-4", "complaint", partly)).await;
    assert_eq!(
        (&partly["status"], &partly["ignored"]),
        (&json!("applied"), &json!(["email", "phone"])),
        "{partly}"
    );

    let scope = json!({"scope": {"regions": ["KZ-79", "Айгерім"], "channels": ["sms"], "brands": ["x"]}});
    let wide = scene.event(but(event("e-5", "opt_out", json!({"user_id": "U-canary-2"})), scope)).await;
    assert_eq!(wide["widened"], json!(["regions", "brands"]), "{wide}");
    let (kept, _) = scene.kept("sms", json!([{"user_id": "U-canary-2"}])).await;
    assert!(kept.is_empty());
    let (kept, _) = scene.kept("call", json!([{"user_id": "U-canary-2"}])).await;
    assert_eq!(kept.len(), 1, "the channels were all known");
    let clock = but(
        event("e-6", "opt_out", json!({"user_id": "U-canary-3"})),
        json!({"occurred_at": "2999-01-01T00:00:00Z"}),
    );
    assert_eq!(scene.event(clock).await["status"], "applied", "as of its receipt");
    let lifted = scene
        .event(but(
            event("e-7", "opt_in", json!({"user_id": "U-canary-3"})),
            json!({"occurred_at": jiff::Timestamp::now().to_string()}),
        ))
        .await;
    assert_eq!(lifted["status"], "applied", "{lifted}");
    assert_eq!(scene.kept("sms", json!([{"user_id": "U-canary-3"}])).await.0, ["U-canary-3"]);
    scene.expect_metric("suppressd_events_total", &[("status", "duplicate")], 1).await;
    scene.expect_metric("suppressd_opt_out_effect_seconds_count", &[("source", "call_center")], 4).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_nobody_knows_cannot_be_dismissed() {
    let mut scene = Scene::new().await;
    let dismiss = |id: &str, request: &str| {
        let members = json!({"request_id": request, "occurred_at": "2026-11-20T10:00:00+05:00"});
        but(event(id, "dismiss", json!({})), members)
    };
    let unknown = scene.event(dismiss("d-1", "nobody's")).await;
    assert_eq!(
        (&unknown["status"], &unknown["reason"]),
        (&json!("rejected"), &json!("unknown_request")),
        "{unknown}"
    );
    assert_eq!(unknown["revision"], Value::Null);

    scene.send_event(&event("r-1", "opt_out", json!({"phone": "12"}))).await;
    let review = scene.receipts.next().await.json();
    assert_eq!((&review["status"], &review["revision"]), (&json!("review"), &Value::Null), "{review}");
    assert_eq!(scene.dead.next().await.header("x-suppressd-reason").as_deref(), Some("no_identifier"));
    let settled = scene.event(dismiss("d-2", "call_center:r-1")).await;
    assert_eq!(settled["status"], "applied", "{settled}");
    let twice = scene.event(dismiss("d-3", "call_center:r-1")).await;
    assert_eq!(twice["status"], "superseded", "{twice}");
    scene.end().await;
}

/// Gives the next message of a queue back as if its consumer had crashed.
async fn crash_over(client: &Client, queue: &str) {
    let channel = client.channel().await;
    let (name, none) = (queue.into(), FieldTable::default());
    let options = BasicConsumeOptions::default();
    let mut consumer = channel.basic_consume(name, "".into(), options, none).await.unwrap();
    let delivery = consumer.next().await.unwrap().unwrap();
    let requeue = BasicNackOptions { requeue: true, multiple: false };
    delivery.acker.nack(requeue).await.unwrap();
    channel.close(200, "done".into()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_goes_where_it_was_asked_for_and_comes_again_after_a_crash() {
    let mut scene = Scene::new().await;
    let mut replies = scene.callcenter.inbox("callcenter.replies", &[]).await;
    let properties = || {
        BasicProperties::default()
            .with_user_id("callcenter".into())
            .with_reply_to("callcenter.replies".into())
            .with_correlation_id("call-7".into())
    };
    let body = event("e-1", "opt_out", canary()).to_string();
    scene.callcenter.publish_with("suppressd.opt-outs", "call_center", properties(), body.as_bytes()).await;
    let reply = replies.next().await;
    assert_eq!(reply.properties.correlation_id().as_ref().unwrap().as_str(), "call-7");
    let receipt = scene.receipts.next().await;
    assert_eq!(receipt.routing_key, "receipt.call_center");
    assert_eq!(reply.body, receipt.body);
    assert_eq!(receipt.json()["status"], "applied");
    // Where nobody listens any more, nothing is held up.
    let gone = properties().with_reply_to("callcenter.gone".into());
    scene.callcenter.publish_with("suppressd.opt-outs", "call_center", gone, body.as_bytes()).await;
    assert_eq!(scene.receipts.next().await.json()["status"], "duplicate");

    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    scene.callcenter.publish_with("suppressd.opt-outs", "call_center", properties(), body.as_bytes()).await;
    crash_over(&scene.guest, "suppressd.opt-outs").await;
    scene.worker = scene.stage.start("w2");
    let again = scene.receipts.next().await.json();
    let first = receipt.json();
    for member in ["status", "revision", "received_at", "request_id"] {
        assert_eq!(again[member], first[member], "the receipt of its first processing: {again}");
    }
    assert_eq!(replies.next().await.json(), again);
    scene.worker.wait_ready().await;
    scene.end().await;
}
