//! One list's servers, the queue that every contender empties, and where its outputs go.
//!
//! Outputs are confirmed and dropped: nobody's reading is measured. A few jobs go out under another routing key
//! (*marks*); when their outputs arrive tells the speed in the same way for every contender, and what is in them
//! shows whether it filtered rightly.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lapin::BasicProperties;
use lapin::options::{QueueBindOptions, QueueDeclareOptions, QueuePurgeOptions};
use lapin::types::{AMQPValue, FieldTable};
use suppressd::domain::words::Channel;
use tokio::sync::Mutex;

use crate::people;
use crate::plan::Cell;
use crate::support::{Broker, Client, Inbox, Message, Persistence, Stage};

/// Bytes of different bodies in one queue: more than caches hold.
const BODIES_BYTES: usize = 32 << 20;
const BODIES_MAX: usize = 1024;

/// Bytes that are being published at once.
const FILL_BYTES: usize = 48 << 20;

/// Marks in one queue.
const MARKS: u64 = 10;

/// Jobs behind the last mark, so that a contender is never short of work before it.
const TAIL: u64 = 16;

/// One list.
pub(crate) struct Scene {
    /// A virtual host, a Redis, the settings.
    pub(crate) stage: Stage,
    /// How many identifiers are on the list.
    pub(crate) list: u64,
    /// May do everything.
    pub(crate) guest: Client,
    marks: Mutex<Inbox>,
}

/// What was filled in.
pub(crate) struct Filled {
    /// The places of the marks, in order.
    pub(crate) marks: Vec<u64>,
    /// How many recipients of each mark must be kept.
    kept: Vec<u64>,
    /// How many recipients each job has.
    recipients: u64,
}

impl Scene {
    /// An installation with an empty list.
    pub(crate) async fn new(broker: &Arc<Broker>, list: u64) -> Self {
        let stage = Stage::with(broker, Persistence::EverySecond);
        stage.init();
        let guest = stage.connect("guest").await;
        sink(&guest).await.expect("RabbitMQ makes the sender's queue");
        let marks = Mutex::new(guest.inbox("sender.marks", &[("suppressd.filtered", "mark.#")]).await);
        Self { stage, list, guest, marks }
    }

    /// People on the list.
    pub(crate) fn people(&self) -> u64 {
        self.list / people::IDENTIFIERS_PER_PERSON
    }

    /// The address that every contender connects to, as the same user.
    pub(crate) fn amqp(&self) -> String {
        self.stage.vhost.url("suppressd")
    }

    /// Where files may be put.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.stage.directory().join(name)
    }

    /// Puts so many jobs into the queue, which was emptied before; people are on a list of so many identifiers.
    pub(crate) async fn fill(&self, cell: Cell, jobs: u64, list: u64) -> Filled {
        self.empty().await;
        let bodies = bodies(cell, list / people::IDENTIFIERS_PER_PERSON, jobs);
        let tail = TAIL.min(jobs / 10);
        let marks: BTreeSet<u64> = (1..=MARKS).map(|n| ((jobs - tail) * n / MARKS).max(1) - 1).collect();
        let at_once = (FILL_BYTES / bodies[0].0.len()).max(1);
        let numbers: Vec<u64> = (0..jobs).collect();
        for some in numbers.chunks(at_once) {
            let messages = some.iter().map(|n| {
                let key = if marks.contains(n) { "mark.KZ-79" } else { "sms.KZ-79" };
                let body = &bodies[index(*n, bodies.len())].0;
                (key.to_owned(), persistent(), body.clone().into_bytes())
            });
            self.guest.publish_all("suppressd.jobs", messages).await;
        }
        let kept = marks.iter().map(|n| bodies[index(*n, bodies.len())].1).collect();
        Filled { marks: marks.into_iter().collect(), kept, recipients: cell.recipients }
    }

    /// Takes what is left out of the queue.
    pub(crate) async fn empty(&self) {
        let channel = self.guest.channel().await;
        let purged = channel.queue_purge("suppressd.jobs".into(), QueuePurgeOptions::default()).await;
        purged.expect("the queue can be emptied");
        let mut marks = self.marks.lock().await;
        while marks.next_within(Duration::from_millis(30)).await.is_some() {}
    }

    /// The next mark, with when it came. Panics if there is none in time.
    pub(crate) async fn next_mark(&self, patience: Duration) -> (Instant, Message) {
        let found = self.marks.lock().await.next_within(patience).await;
        let message = found.unwrap_or_else(|| panic!("no output within {patience:?}"));
        (Instant::now(), message)
    }
}

impl Filled {
    /// Panics unless exactly those who must be kept are in the outputs: everybody where nobody filters.
    pub(crate) fn check(&self, outputs: &[Message], filters: bool) {
        let mut must = self.kept.clone();
        if !filters {
            must.fill(self.recipients);
        }
        let mut kept: Vec<u64> = outputs.iter().map(kept).collect();
        must.sort_unstable();
        kept.sort_unstable();
        assert_eq!(kept, must, "recipients that are kept, in the outputs that were looked at");
    }
}

/// Recipients of an output.
fn kept(output: &Message) -> u64 {
    let body = output.json();
    let segments = body["segments"].as_array().expect("segments stay an array");
    let recipients = segments.iter().map(|s| s["recipients"].as_array().expect("so do recipients").len());
    recipients.sum::<usize>() as u64
}

fn bodies(cell: Cell, people: u64, jobs: u64) -> Vec<(String, u64)> {
    let body = |number| people::job(number, cell.channel, cell.recipients, people);
    let count = (BODIES_BYTES / body(0).0.len()).clamp(1, BODIES_MAX) as u64;
    (0..count.min(jobs)).map(body).collect()
}

fn index(number: u64, bodies: usize) -> usize {
    usize::try_from(number % bodies as u64).expect("below the number of bodies")
}

/// As a marketing system publishes.
pub(crate) fn persistent() -> BasicProperties {
    BasicProperties::default().with_content_type("application/json".into()).with_delivery_mode(2)
}

/// A queue that takes every output and keeps ten.
async fn sink(client: &Client) -> lapin::Result<()> {
    let channel = client.channel().await;
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(10));
    channel.queue_declare("sender.sink".into(), QueueDeclareOptions::durable(), arguments).await?;
    let (queue, exchange, key) = ("sender.sink".into(), "suppressd.filtered".into(), "#".into());
    channel.queue_bind(queue, exchange, key, QueueBindOptions::default(), FieldTable::default()).await
}

/// Jobs of a thousand for SMS, where nothing else is asked for.
pub(crate) const THOUSAND: Cell = Cell { recipients: 1_000, channel: Channel::Sms };
