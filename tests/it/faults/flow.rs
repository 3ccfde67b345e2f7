//! A load that never stops asking the product's one question: somebody opts out, has the receipt, and only
//! then a job with that person is published. Many lanes ask it side by side, through every fault.
//!
//! A lane waits for each answer before it goes on, so that a job is filtered at the sharpest moment, right
//! after the acknowledgement, and not seconds later in a backlog. Senders and listeners reconnect by
//! themselves: what is under test is the worker.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use lapin::BasicProperties;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, interval, timeout};

use super::random::Random;
use crate::checker::{Checker, Person, Verdict};
use crate::support::{Client, Inbox, LONG, Message, Sent, Stage, eventually};

/// Connections for each user; lanes share them.
const LINES: usize = 4;

/// A server that does not answer for so long gets a new connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the load is made of.
#[derive(Clone, Copy)]
pub(super) struct Mix {
    /// People beside the one whose round it is: so many pairs of one who opted out and one who never will.
    pub(super) pairs: u32,
    /// Jobs after each opt-out. The more, the slower the ledger grows, which an emptied Redis is filled from.
    pub(super) jobs: u32,
}

/// As sharp as it can be: every job comes right after an opt-out.
pub(super) const SHARP: Mix = Mix { pairs: 3, jobs: 1 };

/// Recipients of a job that is sent at the end, below what a job may have.
const LAST_JOB_PEOPLE: usize = 50_000;

/// How long the last answers may take.
pub(super) const RECOVERY: Duration = Duration::from_secs(30);

/// The load, running.
pub(super) struct Flow {
    shared: Arc<Shared>,
    lanes: JoinSet<()>,
    _listeners: JoinSet<()>,
}

struct Shared {
    checker: Checker,
    callcenter: Vec<Line>,
    marketing: Vec<Line>,
    /// Who waits for which receipt or output.
    waiting: Mutex<HashMap<String, oneshot::Sender<()>>>,
    persons: AtomicU32,
    jobs: AtomicU32,
    /// Rounds done, by lane.
    rounds: Vec<AtomicU64>,
    /// Messages that the load itself sent twice, because it did not know whether the first had arrived.
    sent_again: AtomicU64,
    mix: Mix,
    stopping: AtomicBool,
}

impl Flow {
    /// Starts as many lanes. A worker need not be there yet, but `init` must have been run and the topology
    /// declared: wait for one worker to be ready first.
    pub(super) async fn start(stage: &Stage, lanes: usize, seed: u64) -> Self {
        Self::with(stage, lanes, seed, SHARP).await
    }

    /// The same with another mix.
    pub(super) async fn with(stage: &Stage, lanes: usize, seed: u64, mix: Mix) -> Self {
        let connections = |user: &str| (0..LINES).map(|_| Line::new(stage.vhost.url(user))).collect();
        let shared = Arc::new(Shared {
            checker: Checker::default(),
            callcenter: connections("callcenter"),
            marketing: connections("marketing"),
            waiting: Mutex::default(),
            persons: AtomicU32::new(0),
            jobs: AtomicU32::new(0),
            rounds: (0..lanes).map(|_| AtomicU64::new(0)).collect(),
            sent_again: AtomicU64::new(0),
            mix,
            stopping: AtomicBool::new(false),
        });
        let mut listeners = JoinSet::new();
        let (callcenter, sender) = (stage.vhost.url("callcenter"), stage.vhost.url("sender"));
        let (receipts, outputs) = (Arc::clone(&shared), Arc::clone(&shared));
        listen(&mut listeners, callcenter, RECEIPTS, move |message| {
            receipts.answered(&receipts.checker.receipt(&message.json()));
        })
        .await;
        listen(&mut listeners, sender, OUTPUTS, move |message| {
            outputs.answered(&outputs.checker.output(&message, person_of));
        })
        .await;
        let mut running = JoinSet::new();
        for lane in 0..lanes {
            running.spawn(Arc::clone(&shared).lane(lane, Random::new(seed + lane as u64)));
        }
        Self { shared, lanes: running, _listeners: listeners }
    }

    /// Rounds done: opted out, acknowledged, jobs published, outputs seen.
    pub(super) fn rounds(&self) -> u64 {
        self.by_lane().iter().sum()
    }

    /// Messages that the load itself sent twice: so many duplicates are not the worker's.
    pub(super) fn sent_again(&self) -> u64 {
        self.shared.sent_again.load(Ordering::Relaxed)
    }

    fn by_lane(&self) -> Vec<u64> {
        self.shared.rounds.iter().map(|rounds| rounds.load(Ordering::Relaxed)).collect()
    }

    /// Waits until every lane has had an answer to all that it asks in a round: nobody is left hanging.
    pub(super) async fn every_lane(&self, deadline: Duration) {
        let before = self.by_lane();
        let on = async || {
            let now = self.by_lane();
            before.iter().zip(&now).all(|(before, now)| now > before).then_some(())
        };
        eventually("every lane of the load goes on", deadline, on).await;
    }

    /// How it stands now.
    pub(super) fn verdict(&self) -> Verdict {
        self.shared.checker.verdict()
    }

    /// Waits until so many more rounds are done.
    pub(super) async fn more(&self, rounds: u64, deadline: Duration) {
        let enough = self.rounds() + rounds;
        let what = format!("{rounds} more rounds of the load");
        eventually(&what, deadline, async || (self.rounds() >= enough).then_some(())).await;
    }

    /// Sends everybody there ever was, and waits for the outputs.
    pub(super) async fn everybody(&self, deadline: Duration) {
        for output in self.shared.publish_everybody().await {
            timeout(deadline, output).await.expect("a job is filtered").expect("its output is waited for");
        }
    }

    /// Receipts that came.
    pub(super) fn receipts(&self) -> usize {
        self.verdict().opt_outs.delivered
    }

    /// The list's revisions are counted from the beginning again, as in a ledger that began anew.
    pub(super) fn revisions_begin_anew(&self) {
        self.shared.checker.revisions_begin_anew();
    }

    /// Ends the lanes after their round, sends everybody there ever was once more, waits until everything
    /// is answered, and judges.
    pub(super) async fn finish(mut self) -> Verdict {
        self.shared.stopping.store(true, Ordering::Relaxed);
        while let Some(lane) = timeout(LONG, self.lanes.join_next()).await.expect("the lanes end") {
            lane.expect("a lane does not panic");
        }
        let _answers = self.shared.publish_everybody().await;
        let end = Instant::now() + RECOVERY;
        eventually("all is answered, or the time is over", RECOVERY * 2, async || {
            let verdict = self.verdict();
            let answered = verdict.jobs.lost + verdict.opt_outs.lost == 0;
            (answered || Instant::now() > end).then_some(())
        })
        .await;
        self.verdict()
    }
}

impl Shared {
    async fn lane(self: Arc<Self>, lane: usize, mut random: Random) {
        while !self.stopping.load(Ordering::Relaxed) {
            let number = self.persons.fetch_add(1, Ordering::Relaxed);
            let receipt = self.opt_out(lane, 2 * number, &mut random).await;
            if timeout(LONG, receipt).await.is_err() {
                return;
            }
            for _ in 0..self.mix.jobs {
                let output = self.publish_job(lane, &company(number, self.mix.pairs, &mut random)).await;
                if timeout(LONG, output).await.is_err() {
                    return;
                }
            }
            self.rounds[lane].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Publishes an opt-out by one or all of a person's identifiers; what is answered means the receipt.
    async fn opt_out(&self, lane: usize, person: Person, random: &mut Random) -> oneshot::Receiver<()> {
        let id = format!("cc-{person}");
        let all = recipient(person);
        let subject = match random.below(3) {
            0 => json!({"phone": all["phone"]}),
            1 => json!({"user_id": all["user_id"]}),
            _ => all,
        };
        let event = json!({
            "event_id": id, "source": "call_center", "kind": "opt_out",
            "occurred_at": "2026-11-20T10:15:00+05:00", "subject": subject
        });
        let answer = self.wait_for(&id);
        self.checker.asking(&id, person);
        let by = BasicProperties::default().with_user_id("callcenter".into());
        let through = &self.callcenter[lane % LINES];
        let again = through.publish("suppressd.opt-outs", "call_center", by, &event).await;
        self.sent_again.fetch_add(again, Ordering::Relaxed);
        self.checker.asked(&id);
        answer
    }

    async fn publish_job(&self, lane: usize, people: &[Person]) -> oneshot::Receiver<()> {
        let id = format!("j-{}", self.jobs.fetch_add(1, Ordering::Relaxed));
        let (here, there) = people.split_at(people.len() / 2);
        let segment = |region: &str, people: &[Person]| json!({"region": region, "recipients": people.iter().map(|person| recipient(*person)).collect::<Vec<_>>()});
        let job = json!({
            "job_id": id, "campaign_id": "nauryz-2027", "channel": "sms", "brand": "lulla.kz",
            "segments": [segment("KZ-79", here), segment("KZ-75", there)]
        });
        let answer = self.wait_for(&id);
        // The moment that counts: whoever is acknowledged by now must not come out.
        self.checker.publishing(&id, people);
        let through = &self.marketing[lane % LINES];
        let again = through.publish("suppressd.jobs", "sms.KZ", BasicProperties::default(), &job).await;
        self.sent_again.fetch_add(again, Ordering::Relaxed);
        self.checker.published(&id);
        answer
    }

    /// Publishes everybody there ever was, in jobs of an ordinary size.
    async fn publish_everybody(&self) -> Vec<oneshot::Receiver<()>> {
        let everybody: Vec<Person> = (0..2 * self.persons.load(Ordering::Relaxed)).collect();
        let mut outputs = Vec::new();
        for people in everybody.chunks(LAST_JOB_PEOPLE) {
            outputs.push(self.publish_job(0, people).await);
        }
        outputs
    }

    fn wait_for(&self, id: &str) -> oneshot::Receiver<()> {
        let (answered, answer) = oneshot::channel();
        self.waiting.lock().expect("nobody panics here").insert(id.to_owned(), answered);
        answer
    }

    fn answered(&self, id: &str) {
        if let Some(waits) = self.waiting.lock().expect("nobody panics here").remove(id) {
            // A lane that is gone needs no answer.
            let _ = waits.send(());
        }
    }
}

/// The person of this round, some who opted out before or are just doing so, and some who never will. People
/// with even numbers opt out.
fn company(number: u32, pairs: u32, random: &mut Random) -> Vec<Person> {
    let mut people = vec![2 * number];
    for _ in 0..pairs {
        people.push(2 * random.below(number + 1));
        people.push(2 * random.below(number + 1) + 1);
    }
    people.sort_unstable();
    people.dedup();
    people
}

fn recipient(person: Person) -> Value {
    json!({"user_id": format!("U-{person}"), "phone": format!("+7 777 {:03} {:04}", person / 10_000, person % 10_000)})
}

fn person_of(recipient: &Value) -> Person {
    let id = recipient["user_id"].as_str().and_then(|id| id.strip_prefix("U-"));
    id.and_then(|id| id.parse().ok()).unwrap_or(Person::MAX)
}

/// One connection of a publisher, made again when it fails.
struct Line {
    url: String,
    client: tokio::sync::Mutex<Option<Client>>,
}

impl Line {
    fn new(url: String) -> Self {
        Self { url, client: tokio::sync::Mutex::default() }
    }

    /// Publishes until RabbitMQ has confirmed it: what has an unknown result is sent again. Answers how often.
    async fn publish(&self, exchange: &str, key: &str, properties: BasicProperties, body: &Value) -> u64 {
        let body = body.to_string();
        let mut tries = Tries::new("RabbitMQ confirms no message");
        let mut again = 0;
        loop {
            tries.next().await;
            let mut client = self.client.lock().await;
            if client.is_none() {
                *client = timeout(PATIENCE, Client::connect(&self.url)).await.ok().and_then(Result::ok);
            }
            let Some(connected) = &*client else { continue };
            let publish = connected.try_publish(exchange, key, properties.clone(), body.as_bytes());
            match timeout(PATIENCE, publish).await {
                Ok(Ok(Sent::Confirmed)) => return again,
                Ok(Ok(Sent::Returned)) => {}
                _ => {
                    *client = None;
                    again += 1;
                }
            }
        }
    }
}

/// Tries of something, with a pause between two and a deadline. `eventually` cannot be sent between threads.
struct Tries {
    what_fails: &'static str,
    pace: Interval,
    end: Instant,
}

impl Tries {
    fn new(what_fails: &'static str) -> Self {
        Self { what_fails, pace: interval(Duration::from_millis(20)), end: Instant::now() + LONG }
    }

    /// The first is at once.
    async fn next(&mut self) {
        self.pace.tick().await;
        assert!(Instant::now() < self.end, "not within {LONG:?}: {}", self.what_fails);
    }
}

/// A queue, and the exchange and key that it is bound to.
type Source = (&'static str, (&'static str, &'static str));

const RECEIPTS: Source = ("callcenter.receipts", ("suppressd.events", "receipt.call_center"));
const OUTPUTS: Source = ("sender.sms", ("suppressd.filtered", "sms.#"));

/// Receives from a queue for ever; the queue is there when this returns.
async fn listen(
    listeners: &mut JoinSet<()>,
    url: String,
    source: Source,
    take: impl Fn(Message) + Send + 'static,
) {
    let mut open = Some(open(&url, source).await);
    listeners.spawn(async move {
        loop {
            let (_client, mut inbox) = match open.take() {
                Some(open) => open,
                None => self::open(&url, source).await,
            };
            while let Some(message) = inbox.next_until_ended().await {
                take(message);
            }
        }
    });
}

async fn open(url: &str, source: Source) -> (Client, Inbox) {
    let mut tries = Tries::new("a listener does not connect");
    loop {
        tries.next().await;
        if let Ok(Ok(open)) = timeout(PATIENCE, try_open(url, source)).await {
            return open;
        }
    }
}

async fn try_open(url: &str, (queue, binding): Source) -> lapin::Result<(Client, Inbox)> {
    let client = Client::connect(url).await?;
    let inbox = client.try_inbox(queue, &[binding]).await?;
    Ok((client, inbox))
}
