//! The dead queue in somebody's hands: what they let go of is back, and what nobody can read is told as that.

use lapin::BasicProperties;
use suppressd::service::ports::{DeadFault, DeadQueue};

use crate::faults::publish_unreadable;
use crate::support::{Client, broker, broker_url, fresh_names, soon};

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
