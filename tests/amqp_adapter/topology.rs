//! What is declared, and what a start that cannot work says.

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use suppressd::amqp::{Broker, Fault};

use crate::support::{Client, PATIENCE, broker, broker_url, fresh_names, settings, soon};

#[tokio::test]
async fn a_second_worker_finds_the_objects_of_the_first_and_changes_nothing() {
    let (url, names) = (broker_url().await, fresh_names());
    let (first, _inputs) = broker(&url, &names).await;
    let (second, _inputs) = broker(&url, &names).await;
    let client = Client::connect(&url).await;
    for queue in [&names.jobs, &names.opt_outs, &names.waiting, &names.dead, &names.ledger] {
        assert_eq!(client.ready(queue).await, 0, "{queue}");
    }
    first.shutdown().await;
    second.shutdown().await;
}

#[tokio::test]
async fn objects_of_another_form_are_all_named_with_the_argument_that_differs() {
    let (url, names) = (broker_url().await, fresh_names());
    let client = Client::connect(&url).await;
    for queue in [&names.jobs, &names.ledger] {
        let classic = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let declared = client.channel.queue_declare(queue.as_str().into(), classic, FieldTable::default());
        declared.await.unwrap();
    }
    let (broker, _inputs) = Broker::start(settings(&url, &names));
    let fault = broker.connected(PATIENCE).await.unwrap_err();
    assert!(fault.is_configuration());
    let Fault::Mismatch(mismatches) = &fault else { panic!("{fault}") };
    assert_eq!(mismatches.len(), 2, "{fault}");
    for (mismatch, queue) in mismatches.iter().zip([&names.jobs, &names.ledger]) {
        assert_eq!(mismatch.object, format!("queue {queue}"));
        assert!(mismatch.why.contains("inequivalent arg 'x-"), "{fault}");
    }
    broker.shutdown().await;
}

#[tokio::test]
async fn a_refused_access_is_told_from_an_absent_server_and_no_password_is_shown() {
    let url = broker_url().await;
    let address = url.strip_prefix("amqp://").unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, configuration) in [
        (format!("amqp://guest:hunter2@{address}"), true),
        (format!("amqp://guest:guest@{address}/nowhere"), true),
        (format!("amqp://guest:hunter2@{nobody}"), false),
        ("amqp://guest:hunter2@no-such-host.invalid".into(), false),
    ] {
        let (broker, _inputs) = Broker::start(settings(&url, &fresh_names()));
        let fault = broker.connected(Duration::from_secs(3)).await.unwrap_err();
        assert_eq!(fault.is_configuration(), configuration, "{fault}");
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
        broker.shutdown().await;
    }
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_does_not_keep_a_start_or_a_stop_waiting() {
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("amqp://{}", mute.local_addr().unwrap());
    let (broker, _inputs) = Broker::start(settings(&url, &fresh_names()));
    let (held, _) = mute.accept().await.unwrap();
    assert!(!broker.connected(Duration::from_millis(200)).await.unwrap_err().is_configuration());
    broker.shutdown().await;
    // The abandoned connection is closed, not left behind.
    soon(async {
        loop {
            held.readable().await.unwrap();
            if matches!(held.try_read(&mut [0; 64]), Ok(0)) {
                break;
            }
        }
    })
    .await;
}
