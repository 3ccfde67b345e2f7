//! Senders that do not take what comes out: a queue that refuses, a binding that goes and comes back.

use std::collections::BTreeSet;
use std::time::Duration;

use lapin::options::{QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::json;

use super::flow::RECOVERY;
use super::scene::Scene as Load;
use crate::scene::{Scene, job};
use crate::support::{eventually, lasting};

/// What the sender's queue takes.
const ROOM: i32 = 5;

/// Below the prefetch of jobs, so that a neighbour can pass.
const JOBS: usize = 20;

/// The binding that the load's sender has.
const BINDING: (&str, &str, &str) = ("sender.sms", "suppressd.filtered", "sms.#");

#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_queue_refuses_is_kept_and_sent_when_it_takes_it() {
    let mut scene = Scene::new().await;
    let channel = scene.guest.channel().await;
    let (queue, exchange, key) = BINDING;
    let mut full = FieldTable::default();
    full.insert("x-max-length".into(), AMQPValue::LongInt(ROOM));
    full.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), full).await.unwrap();
    let (options, none) = (QueueBindOptions::default, FieldTable::default);
    channel.queue_bind(queue.into(), exchange.into(), key.into(), options(), none()).await.unwrap();
    // Who takes everything would have a copy of each try.
    channel.queue_unbind("test.out".into(), exchange.into(), "#".into(), none()).await.unwrap();
    channel
        .queue_bind("test.out".into(), exchange.into(), "email.#".into(), options(), none())
        .await
        .unwrap();
    let people = json!([{"user_id": "U-2"}]);
    for number in 0..JOBS {
        let job = job(&format!("j-{number}"), "sms", people.clone());
        scene.marketing.publish("suppressd.jobs", "sms.KZ-79", &job).await;
    }
    let full = async || scene.guest.count(queue).await.filter(|count| *count >= ROOM.cast_unsigned());
    eventually("the queue is full", RECOVERY, full).await;
    scene.marketing.publish("suppressd.jobs", "email.KZ-79", &job("neighbour", "email", people)).await;
    assert_eq!(scene.out.next().await.message_id(), Some("neighbour"), "it passes");

    let mut inbox = scene.guest.consume(queue).await;
    let mut seen = BTreeSet::new();
    while seen.len() < JOBS {
        let copy = seen.insert(inbox.next().await.message_id().unwrap().to_owned());
        assert!(copy, "a refusal is a clear answer: nothing is sent twice");
    }
    scene.dead.expect_silence(Duration::ZERO).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binding_that_is_removed_and_restored_under_load_loses_nothing() {
    let scene = Load::new(2, 16).await;
    let channel = scene.stage.connect("guest").await.channel().await;
    let none = FieldTable::default;
    let (queue, exchange, key) = BINDING;
    for _ in 0..2 {
        channel.queue_unbind(queue.into(), exchange.into(), key.into(), none()).await.unwrap();
        scene.is_held_for(Duration::ZERO).await;
        lasting(Duration::from_secs(1)).await;
        let options = QueueBindOptions::default();
        channel.queue_bind(queue.into(), exchange.into(), key.into(), options, none()).await.unwrap();
        scene.recovers("bound again").await;
    }
    scene.end().await;
}
