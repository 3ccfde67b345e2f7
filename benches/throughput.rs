//! How much of the broker's own speed is left when recipients are filtered.
//!
//! In one run, on private servers, the same queue of jobs is emptied in turn by the worker (the shipped binary)
//! and by the same consume → publish with confirm → acknowledge loop over the same adapter with the same
//! settings, which looks at nothing. Printed are the medians and the ratio of pairs.
//!
//! `cargo bench --bench throughput`
#![allow(clippy::print_stdout, reason = "a table is what it is for")]
#![allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]

#[path = "../tests/it/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lapin::options::{QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use support::{LONG, Stage, Worker, eventually};
use suppressd::amqp::{Broker, BrokerSettings, Endpoint, Names};
use suppressd::codec::record;
use suppressd::domain::digest::HashKey;
use suppressd::domain::record::{Entry, EventKey, EventRecord, Record, Remarks, Subject};
use suppressd::domain::scope::Scope;
use suppressd::domain::words::{EventKind, IdentifierKind, RequestedBy};
use suppressd::service::message::Outgoing;
use suppressd::service::ports::{Input, Ledger, Outbox};
use suppressd::service::random;

/// Identifiers on the list: three a person.
const IDENTIFIERS: u64 = 1_000_000;
const PEOPLE: u64 = IDENTIFIERS / 3;
/// Recipients of one job; each twentieth is on the list.
const RECIPIENTS: u64 = 1_000;
/// Jobs in the queue of one round. The first tenth is not measured.
const JOBS: u64 = 1_500;
const ROUNDS: usize = 5;
/// Appends at once while the list is made.
const APPENDS: usize = 64;

#[tokio::main]
async fn main() {
    let stage = Stage::new();
    stage.init();
    let url = stage.vhost.url("suppressd");
    make_list(&stage, &url).await;
    // Outputs are confirmed and dropped: nobody's reading is measured.
    let sender = stage.connect("guest").await;
    sink(&sender.channel().await).await.expect("RabbitMQ makes the sender's queue");
    println!("| round | worker, recipients/s | same loop without filtering | ratio |\n|---|---|---|---|");
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        fill(&stage).await;
        let filtered = worker_round(&stage, round).await;
        fill(&stage).await;
        let limit = limit_round(&url).await;
        println!("| {round} | {filtered:.0} | {limit:.0} | {:.2} |", filtered / limit);
        rounds.push((filtered, limit, filtered / limit));
    }
    let median = |of: fn(&(f64, f64, f64)) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    println!("| median | {:.0} | {:.0} | {:.2} |", median(|r| r.0), median(|r| r.1), median(|r| r.2));
}

/// A queue that takes every output and keeps ten.
async fn sink(channel: &lapin::Channel) -> lapin::Result<()> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(10));
    channel.queue_declare("sender.sink".into(), QueueDeclareOptions::durable(), arguments).await?;
    let (queue, exchange, key) = ("sender.sink".into(), "suppressd.filtered".into(), "#".into());
    channel.queue_bind(queue, exchange, key, QueueBindOptions::default(), FieldTable::default()).await
}

/// Writes the list to the ledger and waits until a worker has applied it.
async fn make_list(stage: &Stage, url: &str) {
    let key = std::fs::read_to_string(Stage::key_file()).expect("the stage has a key");
    let key = Arc::new(HashKey::from_file_text(&key).expect("it is a key"));
    let (broker, _inputs) = broker(url);
    broker.connected(LONG).await.expect("RabbitMQ is there");
    let next = Arc::new(AtomicU64::new(0));
    let mut appends = tokio::task::JoinSet::new();
    for _ in 0..APPENDS {
        let (broker, key, next) = (broker.clone(), key.clone(), next.clone());
        appends.spawn(async move {
            loop {
                let person = next.fetch_add(1, Ordering::Relaxed);
                if person >= PEOPLE {
                    return;
                }
                broker.append(opt_out(&key, person)).await.expect("the ledger takes records");
            }
        });
    }
    while appends.join_next().await.is_some() {}
    broker.shutdown().await;
    let started = Instant::now();
    let worker = stage.start("maker");
    worker.wait_ready().await;
    eventually("the list is applied", LONG, async || {
        let revision = worker.metrics().sum("suppressd_mirror_revision", &[]);
        (revision >= PEOPLE as f64).then_some(())
    })
    .await;
    println!("{IDENTIFIERS} identifiers applied from the ledger in {:.1?}\n", started.elapsed());
    worker.sigterm();
    worker.exit_code().await;
}

fn opt_out(key: &HashKey, person: u64) -> Vec<u8> {
    let at = Timestamp::from_second(1_790_000_000).expect("a time");
    let name = format!("bench-{person}");
    let subject = |kind, canonical: String| Subject { kind, digests: vec![key.digest(kind, &canonical)] };
    let event = EventRecord {
        key: EventKey::of("import", &name),
        source: "import".into(),
        event_id: name.clone(),
        kind: EventKind::OptOut,
        at,
        received_at: at,
        decided_at: at,
        keys: vec![key.check()],
        content: vec![[0; 16]],
        subject: vec![
            subject(IdentifierKind::UserId, format!("U-{person}")),
            subject(IdentifierKind::Email, format!("person{person}@example.kz")),
            subject(IdentifierKind::Phone, format!("+7701{person:07}")),
        ],
        new_subject: vec![],
        scope: Scope::ALL,
        remarks: Remarks::default(),
        request: name,
        requested_by: RequestedBy::Subject,
        agent: None,
        review: None,
        rule: None,
        starts_at: at,
        deadline: None,
    };
    record::write(&Entry { id: random::record_id(), record: Record::Event(Box::new(event)) })
}

/// Each twentieth recipient is on the list.
fn job(number: u64) -> String {
    let recipients: Vec<String> = (0..RECIPIENTS)
        .map(|n| {
            let person = number * RECIPIENTS + n;
            let person = if n % 20 == 0 { person % PEOPLE } else { person + 5_000_000 };
            format!(
                r#"{{"user_id":"U-{person}","email":"person{person}@example.kz","phone":"8 701 {:03} {:02} {:02}","name":"Айгерім Сейітқызы","vars":{{"bonus":{n}}}}}"#,
                person / 10_000 % 1000,
                person / 100 % 100,
                person % 100
            )
        })
        .collect();
    format!(
        r#"{{"job_id":"j-{number}","campaign_id":"bench","channel":"sms","brand":"lulla.kz","segments":[{{"region":"KZ-79","recipients":[{}]}}]}}"#,
        recipients.join(",")
    )
}

async fn fill(stage: &Stage) {
    let marketing = stage.connect("marketing").await;
    let persistent = lapin::BasicProperties::default().with_delivery_mode(2);
    let jobs = (0..JOBS).map(|n| ("sms.KZ-79".to_owned(), persistent.clone(), job(n).into_bytes()));
    marketing.publish_all("suppressd.jobs", jobs).await;
}

/// The worker empties the queue. Measured from the first tenth of the jobs on.
async fn worker_round(stage: &Stage, round: usize) -> f64 {
    let worker = stage.start(&format!("w{round}"));
    worker.wait_ready().await;
    // Asked rarely: answering costs the worker time.
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let mut done = async |worker: &Worker, jobs: u64| loop {
        ticks.tick().await;
        let filtered = worker.metrics().sum("suppressd_jobs_total", &[("outcome", "filtered")]);
        if filtered >= jobs as f64 {
            break (filtered, Instant::now());
        }
    };
    let (first, from) = done(&worker, JOBS / 10).await;
    let (last, to) = done(&worker, JOBS).await;
    worker.sigterm();
    worker.exit_code().await;
    (last - first) * RECIPIENTS as f64 / (to - from).as_secs_f64()
}

/// The same loop, looking at nothing: the same adapter, the same prefetch, the same channels.
async fn limit_round(url: &str) -> f64 {
    let (broker, mut inputs) = broker(url);
    broker.connected(LONG).await.expect("RabbitMQ is there");
    broker.resume(Input::Jobs);
    let done = Arc::new(AtomicU64::new(0));
    let (mut taken, mut from) = (0, None);
    let mut moves = tokio::task::JoinSet::new();
    while taken < JOBS {
        let incoming = inputs.jobs.next().await.expect("the broker is not halted");
        taken += 1;
        let (broker, counted) = (broker.clone(), done.clone());
        moves.spawn(async move {
            let out = Outgoing {
                exchange: "suppressd.filtered".into(),
                routing_key: incoming.routing_key,
                properties: incoming.properties,
                body: incoming.body,
            };
            broker.publish(&out).await.expect("RabbitMQ takes it");
            assert!(incoming.acker.ack().await);
            counted.fetch_add(1, Ordering::Relaxed);
        });
        if from.is_none() && done.load(Ordering::Relaxed) >= JOBS / 10 {
            from = Some((done.load(Ordering::Relaxed), Instant::now()));
        }
    }
    while moves.join_next().await.is_some() {}
    let (first, from) = from.expect("a tenth was done before the last was taken");
    let speed = (JOBS - first) as f64 * RECIPIENTS as f64 / from.elapsed().as_secs_f64();
    broker.shutdown().await;
    speed
}

fn broker(url: &str) -> (Broker, suppressd::amqp::Inputs) {
    let endpoint = Endpoint::parse(url).expect("the stage has an address");
    let mut settings = BrokerSettings::new(endpoint, Names::new("suppressd").expect("a prefix"));
    settings.confirm_timeout = Duration::from_secs(30);
    Broker::start(settings)
}
