//! The harness tested by itself: if one of these fails, no other result means anything.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use lapin::BasicProperties;
use serde_json::json;

use crate::support::{Broker, Persistence, Redis, SOON, Sent, Stage, eventually, leash};

/// Set in the environment of the process that one of the tests kills.
const CHILD: &str = "SUPPRESSD_HARNESS_CHILD";

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_published_arrives_and_is_counted() {
    let stage = Stage::new();
    let client = stage.connect("guest").await;
    assert_eq!(client.count("mail.out").await, None);
    let mut inbox = client.inbox("mail.out", &[("amq.topic", "a.*")]).await;
    assert_eq!(client.publish("amq.topic", "a.b", &json!({"n": 1})).await, Sent::Confirmed);
    assert_eq!(client.publish("amq.topic", "b.a", &json!({"n": 2})).await, Sent::Returned);
    let message = inbox.next().await;
    assert_eq!((message.routing_key.as_str(), message.json()["n"].as_i64()), ("a.b", Some(1)));
    inbox.expect_silence(Duration::from_millis(50)).await;
    drop(inbox);
    let many = (0..500).map(|n: u32| ("a.n".into(), BasicProperties::default(), n.to_string().into_bytes()));
    client.publish_all("amq.topic", many).await;
    client.expect_count("mail.out", 500).await;
    assert_eq!(client.get("mail.out").await.unwrap().body, b"0");
    let rest = client.consume("mail.out").await.take(499).await;
    assert_eq!(rest.last().unwrap().body, b"499");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stages_do_not_see_each_other() {
    let (one, other) = (Stage::new(), Stage::new());
    let (here, there) = (one.connect("guest").await, other.connect("guest").await);
    let _inbox = here.inbox("suppressd.same", &[]).await;
    assert_eq!(there.count("suppressd.same").await, None);
    one.redis.run("SET key value").await;
    assert_eq!(other.redis.run("EXISTS key").await, redis::Value::Int(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_was_killed_comes_back_with_what_it_confirmed() {
    let broker = Broker::start();
    let stage = Stage::with(&broker, Persistence::None);
    let client = stage.connect("guest").await;
    drop(client.inbox("kept", &[("amq.topic", "#")]).await);
    assert_eq!(client.publish("amq.topic", "x", &json!(1)).await, Sent::Confirmed);
    broker.kill9();
    broker.start_again();
    let client = stage.connect("guest").await;
    client.expect_count("kept", 1).await;
    stage.vhost.drop_connections();
    eventually("the connection is cut", SOON, async || {
        client.try_publish("amq.topic", "x", BasicProperties::default(), b"2").await.err()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_keeps_loses_and_takes_back_what_it_is_told_to() {
    let stage = Stage::with(&Broker::shared(), Persistence::None);
    let kept = Redis::start(stage.directory(), Persistence::Always);
    kept.run("SET canary-1 x").await;
    kept.kill9();
    kept.start_again();
    assert_eq!(kept.run("DBSIZE").await, redis::Value::Int(1));
    assert!(!stage.files_with(&["canary-1"]).is_empty());
    assert!(stage.files_with(&["canary-2"]).is_empty());

    let tail = Redis::start(stage.directory(), Persistence::Snapshots);
    tail.run("SET a 1").await;
    tail.run("SAVE").await;
    tail.back_up("monday");
    tail.run("SET b 2").await;
    tail.kill9();
    tail.start_again();
    assert_eq!(tail.run("KEYS *").await, redis::Value::Array(vec![redis::Value::BulkString(b"a".to_vec())]));
    tail.run("FLUSHALL").await;
    tail.run("SAVE").await;
    tail.restore("monday");
    assert_eq!(tail.run("DBSIZE").await, redis::Value::Int(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_redis_answers_nobody_until_it_is_thawed() {
    let stage = Stage::new();
    let mut connection = stage.redis.connect().await;
    stage.redis.freeze();
    let ping = redis::cmd("PING");
    let asking = ping.query_async::<String>(&mut connection);
    assert!(tokio::time::timeout(Duration::from_millis(100), asking).await.is_err());
    stage.redis.thaw();
    assert_eq!(redis::cmd("PING").query_async::<String>(&mut connection).await.unwrap(), "PONG");
}

/// Reads a line that the child test below prints.
fn value_of<'a>(lines: &'a str, name: &str) -> &'a str {
    lines.lines().find_map(|line| line.strip_prefix(name)).expect("the child prints the line")
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outlives_a_test_process_that_is_killed() {
    // This very binary again, running the one test that follows, which waits to be killed.
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "harness::a_process_with_a_redis_says_where_it_is", "--nocapture"])
        .env(CHILD, "yes")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = String::new();
    while !lines.contains("\nport ") {
        assert_ne!(output.read_line(&mut lines).unwrap(), 0, "the child ended: {lines}");
    }
    let (directory, port) =
        (value_of(&lines, "directory "), value_of(&lines, "port ").parse::<u16>().unwrap());
    assert!(Path::new(directory).is_dir() && TcpStream::connect(("127.0.0.1", port)).is_ok());
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("Redis is gone, and its files", SOON, async || {
        let gone = TcpStream::connect(("127.0.0.1", port)).is_err() && !Path::new(directory).exists();
        gone.then_some(())
    })
    .await;
}

#[test]
fn a_process_with_a_redis_says_where_it_is() {
    let directory = leash::directory("redis-");
    let redis = Redis::start(&directory, Persistence::EverySecond);
    println!("\ndirectory {}\nport {}", directory.display(), redis.port());
    #[expect(clippy::disallowed_methods, reason = "tells the parent's child from the ordinary run")]
    if std::env::var(CHILD).is_ok() {
        // Until the parent kills us; if it dies first, its end of the pipe closes.
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    }
}
