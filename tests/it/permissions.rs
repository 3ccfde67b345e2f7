//! The users that `deploy/rabbitmq/definitions.json` ships may do what their role needs, and nothing else.
//!
//! The harness imports that very file, so every other test runs under these permissions too.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, ExchangeKind};
use serde_json::Value;

use crate::support::{Client, Sent, Stage};

/// Declares, as the worker's user, what the contract lists.
async fn declare_as_the_worker(stage: &Stage) -> Client {
    let worker = stage.connect("suppressd").await;
    let channel = worker.channel().await;
    let exchange = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    for name in ["suppressd.jobs", "suppressd.filtered", "suppressd.opt-outs", "suppressd.events"] {
        let none = FieldTable::default();
        channel.exchange_declare(name.into(), ExchangeKind::Topic, exchange, none).await.expect(name);
    }
    let none = FieldTable::default();
    let fanout = ExchangeKind::Fanout;
    channel.exchange_declare("suppressd.dead".into(), fanout, exchange, none).await.expect("suppressd.dead");
    let queues = [
        ("suppressd.jobs", "quorum"),
        ("suppressd.opt-outs", "quorum"),
        ("suppressd.waiting", "quorum"),
        ("suppressd.dead", "quorum"),
        ("suppressd.ledger", "stream"),
    ];
    for (name, kind) in queues {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString(kind.into()));
        if ["suppressd.jobs", "suppressd.opt-outs"].contains(&name) {
            arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("suppressd.dead".into()));
        }
        channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments).await.expect(name);
    }
    for name in ["suppressd.jobs", "suppressd.opt-outs", "suppressd.dead"] {
        let (options, none) = (QueueBindOptions::default(), FieldTable::default());
        channel.queue_bind(name.into(), name.into(), "#".into(), options, none).await.expect(name);
    }
    worker
}

/// Whether `user` gets a message through to a queue.
async fn may_publish(client: &Client, exchange: &str, key: &str) -> bool {
    client.try_publish(exchange, key, BasicProperties::default(), b"{}").await == Ok(Sent::Confirmed)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_publisher_reaches_its_own_exchange_and_no_other() {
    let stage = Stage::new();
    let worker = declare_as_the_worker(&stage).await;
    let _sender = stage.connect("sender").await.inbox("sender.all", &[("suppressd.filtered", "#")]).await;
    let _alarms = stage.connect("ops").await.inbox("ops.alarms", &[("suppressd.events", "alarm.#")]).await;
    let places = [
        ("suppressd.jobs", "sms.KZ-79"),
        ("suppressd.filtered", "sms.KZ-79"),
        ("suppressd.opt-outs", "call_center"),
        ("suppressd.opt-outs", "email"),
        ("suppressd.events", "alarm.unroutable"),
        ("suppressd.dead", ""),
        ("", "suppressd.ledger"),
        ("", "suppressd.dead"),
    ];
    for (user, allowed) in [
        ("marketing", &places[0..1]),
        ("orders", &places[0..1]),
        ("callcenter", &places[2..3]),
        ("mail", &places[3..4]),
        ("sender", &[]),
        ("ops", &[]),
        ("suppressd", &places[..]),
    ] {
        let client = stage.connect(user).await;
        for place in places {
            let may = may_publish(&client, place.0, place.1).await;
            assert_eq!(may, allowed.contains(&place), "{user} publishes to {place:?}");
        }
    }
    assert!(worker.count("suppressd.jobs").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_listener_hears_its_own_messages_and_no_others() {
    let stage = Stage::new();
    let _worker = declare_as_the_worker(&stage).await;
    let bindings = [
        ("suppressd.filtered", "sms.#"),
        ("suppressd.events", "recall.sms"),
        ("suppressd.events", "receipt.call_center"),
        ("suppressd.events", "receipt.email"),
        ("suppressd.events", "alarm.#"),
        ("suppressd.events", "#"),
        ("suppressd.jobs", "#"),
        ("suppressd.opt-outs", "#"),
    ];
    for (user, prefix, allowed) in [
        ("marketing", "marketing", &[][..]),
        ("callcenter", "callcenter", &bindings[2..3]),
        ("mail", "mail", &bindings[3..4]),
        ("sender", "sender", &bindings[0..2]),
        ("ops", "ops", &bindings[4..5]),
    ] {
        for binding in bindings {
            let queue = format!("{prefix}.own");
            let client = stage.connect(user).await;
            let may = client.try_inbox(&queue, &[binding]).await.is_ok();
            assert_eq!(may, allowed.contains(&binding), "{user} listens to {binding:?}");
        }
        for queue in ["suppressd.jobs", "suppressd.opt-outs", "suppressd.ledger", "suppressd.dead"] {
            let client = stage.connect(user).await;
            assert!(client.try_consume(queue).await.is_err(), "{user} reads {queue}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_answers_to_a_sources_own_reply_queue() {
    let stage = Stage::new();
    let worker = declare_as_the_worker(&stage).await;
    let source = stage.connect("callcenter").await;
    let mut replies = source.inbox("callcenter.replies", &[]).await;
    let schema = include_str!("../../deploy/contract/receipt.schema.json");
    let receipt = serde_json::from_str::<Value>(schema).unwrap()["examples"][0].to_string();
    let properties =
        BasicProperties::default().with_content_type("application/json".into()).with_delivery_mode(2);
    let sent = worker.publish_with("", replies.queue(), properties, receipt.as_bytes()).await;
    assert_eq!(sent, Sent::Confirmed);
    assert_eq!(replies.next().await.body, receipt.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_speaks_under_another_users_name() {
    let stage = Stage::new();
    let _worker = declare_as_the_worker(&stage).await;
    let source = stage.connect("callcenter").await;
    let named = |user: &str| BasicProperties::default().with_user_id(user.into());
    let exchange = "suppressd.opt-outs";
    assert!(source.try_publish(exchange, "call_center", named("mail"), b"{}").await.is_err());
    let own = source.try_publish(exchange, "call_center", named("callcenter"), b"{}").await;
    assert_eq!(own, Ok(Sent::Confirmed));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workers_redis_user_reaches_its_own_keys_and_no_settings() {
    let stage = Stage::new();
    let client = redis::Client::open(stage.redis.url()).unwrap();
    let mut worker = client.get_multiplexed_async_connection().await.unwrap();
    let script = "redis.call('INFO', 'server') redis.call('TIME') \
                  redis.call('HSET', KEYS[1], 'a', '1') \
                  redis.call('XADD', KEYS[2], '1-0', 'a', '1') return redis.call('HINCRBY', KEYS[1], 'b', 1)";
    let may: [&[&str]; 6] = [
        &["EVAL", script, "2", "{suppressd}:meta", "{suppressd}:feed"],
        &["SCRIPT", "LOAD", "return 1"],
        &["RENAME", "{suppressd}:meta", "{suppressd}:meta.old"],
        &["XREAD", "STREAMS", "{suppressd}:feed", "0"],
        &["WAIT", "0", "1"],
        &["CONFIG", "GET", "maxmemory-policy"],
    ];
    for command in may {
        let answer: redis::RedisResult<redis::Value> = line(command).query_async(&mut worker).await;
        assert!(answer.is_ok(), "{command:?}: {answer:?}");
    }
    let may_not: [&[&str]; 6] = [
        &["GET", "somebody-elses"],
        &["EVAL", "return redis.call('GET', 'somebody-elses')", "0"],
        &["FLUSHALL"],
        &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"],
        &["KEYS", "*"],
        &["SHUTDOWN"],
    ];
    for command in may_not {
        let answer: redis::RedisResult<redis::Value> = line(command).query_async(&mut worker).await;
        assert!(answer.is_err(), "{command:?} is allowed");
    }
}

fn line(words: &[&str]) -> redis::Cmd {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command
}

#[test]
fn the_secrets_that_are_made_are_for_their_owner_alone() {
    let made = Stage::key_file().parent().unwrap().to_owned();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&made), 0o700, "nobody else comes to any of them");
    for entry in std::fs::read_dir(made).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let expected = match name.as_str() {
            // To a group: the container's.
            "suppressd.key" => 0o640,
            // Without a password in them, for the servers' own users.
            "definitions.json" | "users.acl" => 0o644,
            _ => 0o600,
        };
        assert_eq!(mode(&entry.path()), expected, "{name}");
    }
}
