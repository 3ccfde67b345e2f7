//! Deliveries: what comes in, what settling answers, what pausing and halting do.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use suppressd::amqp::Consumption;
use suppressd::service::envelope::{self, Route};
use suppressd::service::message::Outgoing;
use suppressd::service::ports::{Delivered, Input, Outbox, WaitingRoom};

use crate::support::{Client, broker, broker_url, consume, fresh_names, registered, soon};

#[tokio::test]
async fn a_delivery_has_what_the_publisher_said_and_is_gone_once_acknowledged() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, mut inputs) = broker(&url, &names).await;
    let client = Client::connect(&url).await;
    consume(&broker, Input::Jobs).await;
    let mut headers = FieldTable::default();
    headers.insert("x-tenant".into(), AMQPValue::LongString("lulla".into()));
    headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(99));
    let properties = BasicProperties::default().with_user_id("guest".into()).with_headers(headers);
    client.publish(&names.jobs, "sms.KZ-79", b"{\"a\":1}", properties).await;
    let job = soon(inputs.jobs.next()).await.unwrap();
    assert_eq!((job.exchange.as_str(), job.routing_key.as_str()), (names.jobs.as_str(), "sms.KZ-79"));
    assert_eq!(job.body, b"{\"a\":1}");
    assert_eq!(job.properties.user_id.as_deref(), Some("guest"));
    assert!(job.properties.headers.iter().any(|(name, _)| name == "x-tenant"));
    assert!(!job.redelivered);
    assert_eq!(job.delivery_count, 0, "a publisher cannot make a message look like a troublemaker");
    assert!(job.acker.alive());
    assert!(job.acker.ack().await);
    broker.shutdown().await;
    assert_eq!(client.ready(&names.jobs).await, 0);
}

#[tokio::test]
async fn pausing_gives_back_what_is_unsettled_and_resuming_takes_it_again() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, mut inputs) = broker(&url, &names).await;
    let client = Client::connect(&url).await;
    consume(&broker, Input::OptOuts).await;
    for body in [b"1", b"2", b"3"] {
        client.publish(&names.opt_outs, "call_center", body, BasicProperties::default()).await;
    }
    let held = soon(inputs.opt_outs.next()).await.unwrap();
    broker.pause(Input::OptOuts);
    registered(&broker, Input::OptOuts, Consumption::Off).await;
    assert!(!held.acker.alive());
    assert!(!held.acker.ack().await, "it comes again, so it was not acknowledged");
    consume(&broker, Input::OptOuts).await;
    for body in [b"1", b"2", b"3"] {
        let event = soon(inputs.opt_outs.next()).await.unwrap();
        assert_eq!(event.body, body);
        assert!(event.redelivered);
        assert_eq!(event.delivery_count, 1);
        assert!(event.acker.ack().await);
    }
    broker.shutdown().await;
    assert_eq!(client.ready(&names.opt_outs).await, 0);
}

#[tokio::test]
async fn after_a_halt_nothing_comes_in_and_what_is_out_can_still_be_settled() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, mut inputs) = broker(&url, &names).await;
    let client = Client::connect(&url).await;
    consume(&broker, Input::Jobs).await;
    client.publish(&names.jobs, "sms", b"1", BasicProperties::default()).await;
    client.publish(&names.jobs, "sms", b"2", BasicProperties::default()).await;
    let out = soon(inputs.jobs.next()).await.unwrap();
    broker.halt();
    assert!(soon(inputs.jobs.next()).await.is_none());
    registered(&broker, Input::Jobs, Consumption::Off).await;
    assert!(out.acker.ack().await);
    broker.shutdown().await;
    assert_eq!(client.get(&names.jobs).await.data, b"2", "what was not handled is there for others");
}

#[tokio::test]
async fn no_more_is_out_than_the_prefetch_allows() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, mut inputs) = broker(&url, &names).await;
    let client = Client::connect(&url).await;
    for _ in 0..40 {
        client.publish(&names.jobs, "sms", b"{}", BasicProperties::default()).await;
    }
    consume(&broker, Input::Jobs).await;
    let mut out = Vec::new();
    for _ in 0..30 {
        out.push(soon(inputs.jobs.next()).await.unwrap());
    }
    assert_eq!(client.ready(&names.jobs).await, 10);
    assert!(out.pop().unwrap().acker.ack().await);
    assert!(soon(inputs.jobs.next()).await.is_some());
    broker.shutdown().await;
}

#[tokio::test]
async fn a_deleted_queue_is_declared_and_consumed_again() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, mut inputs) = broker(&url, &names).await;
    let client = Client::connect(&url).await;
    consume(&broker, Input::Jobs).await;
    client.delete_queue(&names.jobs).await;
    registered(&broker, Input::Jobs, Consumption::Pending).await;
    registered(&broker, Input::Jobs, Consumption::Registered).await;
    client.publish(&names.jobs, "sms", b"again", BasicProperties::default()).await;
    assert_eq!(soon(inputs.jobs.next()).await.unwrap().body, b"again");
    broker.shutdown().await;
}

#[tokio::test]
async fn a_waiting_job_comes_back_as_it_was_when_it_came_from_the_jobs_queue() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, mut inputs) = broker(&url, &names).await;
    let client = Client::connect(&url).await;
    assert!(broker.take().await.unwrap().is_none());
    consume(&broker, Input::Jobs).await;
    let properties = BasicProperties::default().with_user_id("guest".into()).with_expiration("1".into());
    // The queue holds it for a consumer that is there, so it does not expire on the way.
    client.publish(&names.jobs, "sms.KZ-79", b"job", properties).await;
    let job = soon(inputs.jobs.next()).await.unwrap();
    let route = Route { exchange: job.exchange.clone(), routing_key: job.routing_key.clone() };
    let moved = Outgoing {
        exchange: String::new(),
        routing_key: names.waiting.clone(),
        properties: envelope::enter_waiting(&job.properties, &route),
        body: job.body.clone(),
    };
    assert_eq!(broker.publish(&moved).await.unwrap(), Delivered::Confirmed);
    assert!(job.acker.ack().await);
    soon(async { while broker.count().await.unwrap() != 1 {} }).await;
    let again = broker.take().await.unwrap().unwrap();
    assert_eq!(again.input, Input::Jobs);
    assert_eq!((again.exchange, again.routing_key), (names.jobs.clone(), "sms.KZ-79".into()));
    assert_eq!(again.properties.user_id.as_deref(), Some("guest"));
    assert_eq!(again.properties.expiration.as_deref(), Some("1"));
    assert_eq!(again.body, b"job");
    assert!(broker.take().await.unwrap().is_none(), "taken once");
    assert!(again.acker.ack().await);
    broker.shutdown().await;
    assert_eq!(client.ready(&names.waiting).await, 0);
}
