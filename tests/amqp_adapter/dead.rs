//! The dead queue in somebody's hands: what they let go of is back, and what workers cannot read is told as that.

use lapin::BasicProperties;
use suppressd::amqp::{Broker, BrokerSettings};
use suppressd::service::ports::{DeadFault, DeadQueue};

use crate::support::{Client, broker, broker_url, fresh_names, settings, soon};
use crate::unreadable::publish_unreadable;

#[tokio::test]
async fn what_is_let_go_of_is_back_and_what_is_acknowledged_is_gone() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, _inputs) = broker(&url, &names).await;
    let client = Client::connect(&url).await;
    for body in 0..50_u8 {
        client.publish(&names.dead, "k", &[body], BasicProperties::default()).await;
    }
    let mut dead = broker.dead_letters().await.unwrap();
    assert_eq!(dead.count(), 50);
    client.publish(&names.dead, "k", b"later", BasicProperties::default()).await;
    let mut bodies = Vec::new();
    while let Some(letter) = soon(dead.next()).await.unwrap() {
        bodies.push(letter.body[0]);
        if letter.body[0].is_multiple_of(5) {
            assert!(letter.acker.ack().await);
        }
    }
    assert_eq!(bodies, (0..50).collect::<Vec<_>>(), "what came later waits for the next look");
    soon(dead.settled()).await.unwrap();
    dead.close().await;
    soon(async { while client.ready(&names.dead).await != 41 {} }).await;
    broker.shutdown().await;
}

#[tokio::test]
async fn a_letter_that_nobody_can_read_is_told_and_those_before_it_are_seen() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, _inputs) = broker(&url, &names).await;
    let client = Client::connect(&url).await;
    client.publish(&names.dead, "k", b"first", BasicProperties::default()).await;
    publish_unreadable(&url, &names.dead);
    soon(async { while client.ready(&names.dead).await != 2 {} }).await;
    let mut dead = broker.dead_letters().await.unwrap();
    assert_eq!(soon(dead.next()).await.unwrap().unwrap().body, b"first");
    assert!(matches!(soon(dead.next()).await, Err(DeadFault::Unreadable)));
    dead.close().await;
    soon(async { while client.ready(&names.dead).await != 2 {} }).await;
    broker.shutdown().await;
}

#[tokio::test]
async fn a_letter_that_no_worker_can_read_is_legible_where_that_is_asked_for_and_hides_nobody() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, _inputs) = Broker::start(BrokerSettings { legible: true, ..settings(&url, &names) });
    let client = Client::connect(&url).await;
    broker.connected(std::time::Duration::from_secs(30)).await.unwrap();
    let large = vec![7; 300_000];
    client.publish(&names.dead, "k", &large, BasicProperties::default()).await;
    publish_unreadable(&url, &names.dead);
    soon(async { while client.ready(&names.dead).await != 2 {} }).await;
    let named = BasicProperties::default().with_message_id("жоқ".into());
    client.publish(&names.dead, "k", b"last", named).await;

    let mut dead = broker.dead_letters().await.unwrap();
    let mut letters = Vec::new();
    while let Some(letter) = soon(dead.next()).await.unwrap() {
        letters.push(letter);
    }
    let seen: Vec<_> = letters
        .iter()
        .map(|letter| (letter.body.len(), letter.as_published, letter.properties.message_id.as_deref()))
        .collect();
    assert_eq!(seen, [(large.len(), true, None), (2, false, Some("???")), (4, true, Some("жоқ"))]);
    assert!(letters.swap_remove(1).acker.ack().await, "it can be dropped");
    soon(dead.settled()).await.unwrap();
    dead.close().await;
    soon(async { while client.ready(&names.dead).await != 2 {} }).await;
    broker.shutdown().await;
}
