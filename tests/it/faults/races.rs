//! Two workers that are told about one person at the same time: what counts is when it was said, not who was
//! told first, and each message is answered once.

use std::collections::BTreeMap;

use lapin::BasicProperties;
use serde_json::{Value, json};

use crate::scene::{Scene, but, event, job};
use crate::support::Client;

const EVENTS: usize = 100;

/// The person says yes and no in turn, a second apart; the last word is said at `second`.
fn said(round: usize, second: usize) -> Value {
    let kind = if second.is_multiple_of(2) { "opt_in" } else { "opt_out" };
    let at = format!("2026-11-{:02}T10:{:02}:{:02}+05:00", 10 + round, second / 60, second % 60);
    let one = event(&format!("e-{round}-{second}"), kind, json!({"user_id": "U-canary"}));
    but(one, json!({"occurred_at": at}))
}

async fn publish(callcenter: &Client, events: impl Iterator<Item = Value>) {
    let by = || BasicProperties::default().with_user_id("callcenter".into());
    let messages = events.map(|event| ("call_center".to_owned(), by(), event.to_string().into_bytes()));
    callcenter.publish_all("suppressd.opt-outs", messages).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_that_are_told_about_one_person_agree_on_the_last_word() {
    let mut scene = Scene::new().await;
    let second = scene.stage.start("w2");
    second.wait_ready().await;
    for (round, last) in [(0, EVENTS - 1), (1, EVENTS - 2), (2, EVENTS - 1)] {
        // The last word comes in the middle, and everything comes twice: to whom, RabbitMQ decides.
        let order = (0..=last).map(|place| (place + last / 2) % (last + 1));
        publish(&scene.callcenter, order.flat_map(|second| [said(round, second), said(round, second)])).await;
        let mut statuses = BTreeMap::<String, Vec<String>>::new();
        for receipt in scene.receipts.take(2 * (last + 1)).await {
            let receipt = receipt.json();
            let text = |member: &str| receipt[member].as_str().unwrap().to_owned();
            statuses.entry(text("event_id")).or_default().push(text("status"));
        }
        assert_eq!(statuses.len(), last + 1);
        for (event, mut both) in statuses {
            both.sort();
            let once = both.iter().filter(|status| *status == "duplicate").count() == 1;
            assert!(once && both.len() == 2, "{event}: {both:?}");
        }
        let restricted = !last.is_multiple_of(2);
        for number in 0..8 {
            // Either worker may filter it.
            let asked = job(&format!("j-{round}-{number}"), "sms", json!([{"user_id": "U-canary"}]));
            let (kept, _) = scene.kept_of(&asked).await;
            assert_eq!(kept.is_empty(), restricted, "round {round}");
        }
    }
    for worker in [&scene.worker, &second] {
        let taken = worker.metrics().sum("suppressd_events_total", &[]);
        assert!(taken > 0.0, "both were told");
    }
    second.sigterm();
    assert_eq!(second.exit_code().await, Some(0));
    scene.end().await;
}
