//! What is left of the promises when the server misbehaves.

use std::time::{Duration, Instant};

use lapin::BasicProperties;
use suppressd::amqp::LinkState;
use suppressd::service::ports::{Delivered, Input, Ledger, Outbox, Start};

use crate::support::{Client, broker, broker_url, consume, fresh_names, outgoing, rough_rabbit, soon};
use crate::unreadable::publish_unreadable;

#[tokio::test]
async fn after_a_restart_of_the_broker_everything_works_again_by_itself() {
    let mut rabbit = rough_rabbit().await;
    let names = fresh_names();
    let (broker, mut inputs) = broker(&rabbit.url(), &names).await;
    consume(&broker, Input::Jobs).await;
    broker.append(b"before".to_vec()).await.unwrap();
    let mut reader = broker.read_from(Start::Offset(0)).await.unwrap();
    soon(reader.next()).await.unwrap();
    let client = Client::connect(&rabbit.url()).await;
    let durable = BasicProperties::default().with_delivery_mode(2);
    client.publish(&names.jobs, "sms", b"job", durable).await;
    let held = soon(inputs.jobs.next()).await.unwrap();

    rabbit.restart().await;
    let up = Instant::now();
    assert!(!held.acker.ack().await, "the session that delivered it is gone");
    assert!(soon(reader.next()).await.is_err());
    let again = soon(inputs.jobs.next()).await.unwrap();
    assert_eq!((again.body.as_slice(), again.redelivered), (b"job".as_slice(), true));
    assert!(again.acker.ack().await);
    soon(async { while broker.append(b"after".to_vec()).await.is_err() {} }).await;
    let mut reader = broker.read_from(Start::Offset(1)).await.unwrap();
    assert_eq!(soon(reader.next()).await.unwrap(), (1, b"after".to_vec()));
    assert!(up.elapsed() < Duration::from_secs(30), "{:?}", up.elapsed());
    broker.shutdown().await;
}

#[tokio::test]
async fn what_a_starved_broker_does_not_take_is_never_sent_later() {
    let rabbit = rough_rabbit().await;
    let names = fresh_names();
    let (broker, mut inputs) = broker(&rabbit.url(), &names).await;
    let client = Client::connect(&rabbit.url()).await;
    let queue = format!("{}.sender", names.filtered);
    client.bind(&queue, &names.filtered, "#").await;
    consume(&broker, Input::Jobs).await;
    client.publish(&names.jobs, "sms", b"job", BasicProperties::default()).await;
    let job = soon(inputs.jobs.next()).await.unwrap();

    rabbit.control(&["set_vm_memory_high_watermark", "absolute", "1000"]).await;
    let mut taken = 0;
    let mut refused = 0;
    while refused < 3 {
        match broker.publish(&outgoing(&names.filtered, "sms", b"{}")).await {
            Ok(_) => taken += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(job.acker.alive(), "only the publishing connection suffers");
    rabbit.control(&["set_vm_memory_high_watermark", "0.4"]).await;
    let last = outgoing(&names.filtered, "sms", b"last");
    soon(async { while broker.publish(&last).await.is_err() {} }).await;
    assert!(job.acker.ack().await);
    assert!(broker.state().borrow().connected().is_ok());
    // A message may have reached the server in the moment in which it stopped reading, not more.
    let arrived = client.ready(&queue).await;
    assert!((taken + 1..=taken + 1 + refused).contains(&arrived), "{taken} taken, {arrived} arrived");
    broker.shutdown().await;
}

#[tokio::test]
async fn a_message_that_nobody_can_read_ends_in_the_dead_queue_and_the_others_pass() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, mut inputs) = broker(&url, &names).await;
    let client = Client::connect(&url).await;
    publish_unreadable(&url, &names.opt_outs);
    client.publish(&names.opt_outs, "call_center", b"event", BasicProperties::default()).await;
    client.publish(&names.jobs, "sms", b"job", BasicProperties::default()).await;
    broker.resume(Input::Jobs);
    broker.resume(Input::OptOuts);
    for deliveries in [&mut inputs.jobs, &mut inputs.opt_outs] {
        soon(async { while !deliveries.next().await.unwrap().acker.ack().await {} }).await;
    }
    soon(async { while client.ready(&names.dead).await == 0 {} }).await;
    assert_eq!(client.ready(&names.dead).await, 1, "only that message is dead");
    let state = broker.state().borrow().clone();
    assert!(state.unreadable_total >= 100, "{}", state.unreadable_total);
    let delivered = broker.publish(&outgoing(&names.jobs, "sms", b"{}")).await;
    assert_eq!(delivered.unwrap(), Delivered::Confirmed);
    assert_eq!(state.opt_outs.publish, LinkState::Up { epoch: 1 }, "the publishing link never noticed");
    assert_eq!(state.jobs.intake, LinkState::Up { epoch: 1 }, "nor did the lane of jobs");
    broker.shutdown().await;
}
