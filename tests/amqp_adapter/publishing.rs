//! What a publish answers.

use std::time::Duration;

use futures_util::future::join_all;
use lapin::options::ExchangeDeleteOptions;
use suppressd::service::ports::{Delivered, Outbox};

use crate::support::{Client, broker, broker_url, fresh_names, outgoing};

#[tokio::test]
async fn each_of_many_publishes_under_one_message_id_learns_its_own_fate() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, _inputs) = broker(&url, &names).await;
    let client = Client::connect(&url).await;
    let queue = format!("{}.sender", names.filtered);
    client.bind(&queue, &names.filtered, "sms.#").await;
    for _ in 0..10 {
        // Transient, so that RabbitMQ confirms many at once.
        let key = |n| if n % 3 == 0 { "email.KZ-79" } else { "sms.KZ-79" };
        let messages: Vec<_> = (0..64).map(|n| outgoing(&names.filtered, key(n), b"{}")).collect();
        let publishes = messages.iter().map(|message| broker.publish(message));
        for (n, delivered) in join_all(publishes).await.into_iter().enumerate() {
            let expected = if n % 3 == 0 { Delivered::Returned } else { Delivered::Confirmed };
            assert_eq!(delivered.unwrap(), expected, "publish {n}");
        }
    }
    assert_eq!(client.ready(&queue).await, 10 * 42);
    broker.shutdown().await;
}

#[tokio::test]
async fn a_message_that_is_too_large_for_the_broker_is_told_from_a_fault() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, _inputs) = broker(&url, &names).await;
    let large = vec![b' '; (1 << 20) + 1];
    let delivered = broker.publish(&outgoing(&names.jobs, "sms", &large)).await;
    assert_eq!(delivered.unwrap(), Delivered::TooLarge);
    let delivered = broker.publish(&outgoing(&names.jobs, "sms", &large[1..])).await;
    assert_eq!(delivered.unwrap(), Delivered::Confirmed);
    broker.shutdown().await;
}

#[tokio::test]
async fn a_deleted_exchange_or_waiting_queue_is_declared_again_and_never_taken_for_unroutable() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, _inputs) = broker(&url, &names).await;
    let client = Client::connect(&url).await;
    for (exchange, key) in [(names.dead.as_str(), "any"), ("", names.waiting.as_str())] {
        let deleted =
            client.channel.exchange_delete(names.dead.as_str().into(), ExchangeDeleteOptions::default());
        deleted.await.unwrap();
        client.delete_queue(&names.waiting).await;
        let fault = broker.publish(&outgoing(exchange, key, b"{}")).await.unwrap_err();
        assert!(fault.to_string().contains("declared again"), "{fault}");
        let delivered = broker.publish(&outgoing(exchange, key, b"{}")).await;
        assert_eq!(delivered.unwrap(), Delivered::Confirmed);
    }
    broker.shutdown().await;
}

#[tokio::test]
async fn cancelled_publishes_leave_the_next_ones_right() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, _inputs) = broker(&url, &names).await;
    Client::connect(&url).await.bind(&format!("{}.q", names.events), &names.events, "known").await;
    for round in 0..50 {
        let unknown = outgoing(&names.events, "unknown", b"{}");
        let abandoned = broker.publish(&unknown);
        let _ = tokio::time::timeout(Duration::from_micros(round * 40), abandoned).await;
        let delivered = broker.publish(&outgoing(&names.events, "known", b"{}")).await;
        assert_eq!(delivered.unwrap(), Delivered::Confirmed, "round {round}");
    }
    broker.shutdown().await;
}
