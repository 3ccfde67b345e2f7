//! The status page of a whole worker: what happens to it is on its page.
//!
//! How the page looks, and that it is safe and whole in every language, is tested in `tests/page`.

use lapin::BasicProperties;
use lapin::options::QueueBindOptions;
use lapin::types::FieldTable;
use serde_json::json;

use crate::scene::{Scene, but, event, job};
use crate::support::{SOON, Worker, eventually};

/// Waits until the page shows all of these, whatever spaces are in them.
async fn shows(worker: &Worker, texts: &[&str]) {
    let what = format!("the page shows {texts:?}");
    eventually(&what, SOON, async || {
        let page = worker.get("/").ok()?.body.replace(['\u{a0}', '\u{202f}'], " ");
        texts.iter().all(|text| page.contains(text)).then_some(())
    })
    .await;
}

/// What the row of a table shows, without its markup.
fn row(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("<th scope=\"row\">{name}")).expect("there is such a row");
    let (row, _) = rest.split_once("</tr>").expect("a row ends");
    row.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_at_work_shows_what_went_through_and_what_it_removed() {
    let mut scene = Scene::new().await;
    shows(
        &scene.worker,
        &["Ready. Nobody needs to act.", "RabbitMQ: ready", "None since this worker started"],
    )
    .await;
    let ann = json!({"user_id": "U-canary", "phone": "87771113111"});
    assert_eq!(scene.apply(event("e-1", "opt_out", ann.clone())).await, 1);
    let people = json!([ann, {"user_id": "U-2"}, {"user_id": "U-3", "phone": "12"}, {"user_id": "U-4"}]);
    assert_eq!(scene.kept("sms", people).await.0.len(), 2);
    shows(
        &scene.worker,
        &["<th scope=\"row\">Opted out <code>opt_out</code></th><td>1</td><td>25.0 %</td><td>1</td>"],
    )
    .await;
    let page = scene.worker.get("/").expect("the admin server answers").body;
    assert!(row(&page, "SMS").contains("last hour 1"), "{}", row(&page, "SMS"));
    assert!(row(&page, "SMS").contains("most: 4 at "), "{}", row(&page, "SMS"));
    assert!(row(&page, "Шымкент").contains("50.0"), "{}", row(&page, "Шымкент"));
    assert!(row(&page, "Астана").trim_end().ends_with('–'), "{}", row(&page, "Астана"));
    shows(&scene.worker, &["half of them / 99 of 100", "customer numbers 1", "telephone numbers 1"]).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_redis_says_so_and_what_to_do() {
    let scene = Scene::new().await;
    shows(&scene.worker, &["Ready. Nobody needs to act."]).await;
    scene.stage.redis.freeze();
    scene.worker.wait_not_ready().await;
    let told = [
        "Not ready: this worker lets nothing out.",
        "The list in Redis: not ready</strong>. See that Redis runs",
        "<code>suppressd doctor</code>",
        "Last known figures",
    ];
    shows(&scene.worker, &told).await;
    scene.stage.redis.thaw();
    scene.worker.wait_ready().await;
    shows(&scene.worker, &["Ready. Nobody needs to act."]).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_request_is_the_first_thing_that_is_seen() {
    let mut scene = Scene::with("[sources.email]\nclock = \"occurred_at\"").await;
    let old = json!({
        "source": "email", "review": "hold", "occurred_at": "2026-03-20T16:00:00+05:00", "request_id": "CRM-canary"
    });
    let opened = scene.event(but(event("r-1", "opt_out", json!({"user_id": "U-canary"})), old)).await;
    assert_eq!(opened["status"], "review", "{opened}");
    let told = [
        "Ready, but requests are overdue.",
        "Requests are overdue",
        "1 in review, 0 in this worker’s hands",
        "overdue by ",
        // The strict deadline, as clocks in Almaty show it.
        "2026-03-22 16:00",
        "<code>email</code> 1",
    ];
    shows(&scene.worker, &told).await;
    let page = scene.worker.get("/").expect("the admin server answers").body;
    assert!(!page.contains("CRM-canary"), "a name of a request may name a person");
    let settled = json!({
        "source": "operator", "request_id": "CRM-canary", "occurred_at": jiff::Timestamp::now().to_string()
    });
    scene.event(but(event("a-1", "apply", json!({})), settled)).await;
    shows(&scene.worker, &["Ready. Nobody needs to act.", "Due next</dt><dd><strong>nothing"]).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_people_is_shown_until_somebody_has_seen_to_it() {
    let mut scene = Scene::new().await;
    // Nobody but the command reads the dead queue.
    scene.dead = scene.guest.inbox("test.nothing", &[]).await;
    let properties = BasicProperties::default();
    scene.marketing.publish_with("suppressd.jobs", "sms.KZ-79", properties, b"{no JSON").await;
    unbind(&scene).await;
    scene.marketing.publish("suppressd.jobs", "sms.unbound", &job("j-1", "sms", json!([]))).await;
    let told = [
        "Ready, but somebody must act.",
        "Jobs wait that nobody takes",
        "Dead letters: 1</strong>. <code>suppressd dead list",
        "Not JSON <code>bad_json</code></th><td>1</td><td>1</td>",
    ];
    shows(&scene.worker, &told).await;

    let dropped =
        scene.stage.run(&["dead", "drop", "--reason", "bad_json", "--why", "the publisher sent it again"]);
    assert_eq!(dropped.code, Some(0), "{dropped:?}");
    bind(&scene).await;
    assert_eq!(scene.out.next().await.message_id(), Some("j-1"));
    let told = ["Ready. Nobody needs to act.", "Not JSON <code>bad_json</code></th><td>1</td><td>1</td>"];
    shows(&scene.worker, &told).await;
    scene.end().await;
}

async fn bind(scene: &Scene) {
    let (channel, options) = (scene.guest.channel().await, QueueBindOptions::default());
    let (queue, exchange) = ("test.out".into(), "suppressd.filtered".into());
    channel.queue_bind(queue, exchange, "#".into(), options, FieldTable::default()).await.unwrap();
}

async fn unbind(scene: &Scene) {
    let channel = scene.guest.channel().await;
    let (queue, exchange) = ("test.out".into(), "suppressd.filtered".into());
    channel.queue_unbind(queue, exchange, "#".into(), FieldTable::default()).await.unwrap();
}
