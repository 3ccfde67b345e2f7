//! A world: servers, people, and workers made of the real parts; and its one law.
//!
//! The law: whoever's opt-out was acknowledged before a job was delivered is not in its output, and nobody is in an
//! output whose revision includes that person's opt-out; who was received was kept or removed; and a delivery is
//! acknowledged once its effect is confirmed. It is checked for everything in every test by [`World::check`], whatever
//! else the test looks at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use suppressd::domain::catalogue::{Catalogue, Region};
use suppressd::domain::digest::{Digest, HashKey, KeyCheck, KeyRing};
use suppressd::domain::identifier::{Country, canonical};
use suppressd::domain::record::{Entry, LedgerId, Record};
use suppressd::domain::words::{EventKind, IdentifierKind};
use suppressd::metrics::Metrics;
use suppressd::service::message::Outgoing;
use suppressd::service::random;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::fakes::outside::{FILTERED, Mail, WAITING, WorldClock};
use crate::fakes::redis::{Flaw, Redis};
use crate::fakes::redis_link::slice_of;
use crate::fakes::stream::Stream;

mod law;
mod worker;

pub(crate) use worker::{Setup, Worker};

/// Longer than everything that a worker waits for: what has not come by then does not come.
const EVER: Duration = Duration::from_mins(5);

/// Long enough for everything that is possible to have happened.
pub(crate) const A_WHILE: Duration = Duration::from_secs(30);

pub(crate) static KEYS: LazyLock<Arc<KeyRing>> = LazyLock::new(|| {
    let key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    Arc::new(KeyRing::new(vec![HashKey::from_file_text(key).unwrap()]).unwrap())
});

/// Another key, for those who change it.
pub(crate) static NEXT_KEY: LazyLock<HashKey> = LazyLock::new(|| {
    let key = "f0e1d2c3b4a5968778695a4b3c2d1e0f0f1e2d3c4b5a69788796a5b4c3d2e1f0\n";
    HashKey::from_file_text(key).unwrap()
});

/// The key that workers have.
pub(crate) fn first_key() -> HashKey {
    KEYS.keys()[0].clone()
}

static CATALOGUE: LazyLock<Arc<Catalogue>> = LazyLock::new(|| {
    let region = Region { code: "KZ-79".into(), name: "Shymkent".into(), aliases: vec![] };
    Arc::new(Catalogue::new(vec![region], vec!["lulla.kz".into()]))
});

static METRICS: LazyLock<Arc<Metrics>> =
    LazyLock::new(|| Arc::new(Metrics::new(&CATALOGUE, ["call_center", "email"])));

/// Somebody who may opt out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Person(pub u32);

impl Person {
    /// The `nth` person whose value lies in this slice.
    pub(crate) fn in_slice(slice: u32, nth: usize) -> Self {
        let lies = |person: &Self| slice_of(person.digest().0) == slice;
        (1000..).map(Self).filter(lies).nth(nth).unwrap()
    }

    pub(crate) fn digest(self) -> Digest {
        let (mut buffer, country) = (String::new(), Country::parse("KZ").unwrap());
        let name = self.name();
        let form = canonical(IdentifierKind::UserId, &name, &country, &mut buffer).unwrap();
        KEYS.digests(IdentifierKind::UserId, form).next().unwrap()
    }

    fn name(self) -> String {
        format!("U-{}", self.0)
    }
}

/// Waits for something that must come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(EVER, future).await.unwrap_or_else(|_| panic!("it never happens that {what}"))
}

/// Who was acknowledged, and what every job had to leave out when it came.
#[derive(Default)]
struct Promises {
    acknowledged: BTreeMap<Person, Instant>,
    jobs: BTreeMap<String, BTreeSet<Person>>,
    /// Whose opt-out each event is.
    events: BTreeMap<String, Person>,
    /// Acknowledgements that came too early.
    early: Vec<String>,
    /// Whether a worker said that the list is older than before.
    told_older: bool,
    /// From this message on revisions are of the ledger that there is.
    ledger_since: usize,
    named: u32,
}

impl Promises {
    /// A delivery is acknowledged. Its effect must be among what was published and confirmed by now, a receipt
    /// even since the delivery: whoever sends an event again waits for it again.
    fn settle(&mut self, what: &What, mail: &[Outgoing], since: usize) {
        let settled = match what {
            What::Job(job) => mail.iter().any(|message| is_of_job(message, job)),
            What::OptOut(Some((event, person))) => {
                self.acknowledged.entry(*person).or_insert_with(Instant::now);
                let receipt = |message: &Outgoing| Receipt::read(message).is_some_and(|r| r.event == *event);
                mail[since..].iter().any(receipt)
            }
            What::OptOut(None) => true,
        };
        if !settled {
            self.early.push(format!("{what:?}"));
        }
    }
}

/// Whether it is a job's output, the job waiting for somebody to be bound, or its dead letter.
fn is_of_job(message: &Outgoing, job: &str) -> bool {
    let place = [FILTERED, "dead"].contains(&message.exchange.as_str()) || message.routing_key == WAITING;
    place
        && serde_json::from_slice::<Value>(&message.body)
            .is_ok_and(|body| body["job_id"].as_str() == Some(job))
}

/// Servers and everything that was promised.
pub(crate) struct World {
    pub redis: Redis,
    pub stream: Stream,
    pub mail: Mail,
    pub clock: WorldClock,
    promises: Arc<Mutex<Promises>>,
}

impl World {
    /// One Redis, and a ledger with its genesis.
    pub(crate) fn new() -> Self {
        Self::with_redis(1, 0)
    }

    /// So many Redis servers, of which so many must have every write besides the primary.
    pub(crate) fn with_redis(nodes: usize, wait_replicas: usize) -> Self {
        Self {
            redis: Redis::new(nodes, wait_replicas),
            stream: Stream::new(&genesis()),
            mail: Mail::default(),
            clock: WorldClock::new(),
            promises: Arc::default(),
        }
    }

    /// The same with scripts that make a mistake.
    pub(crate) fn with_flaw(mut self, flaw: Option<Flaw>) -> Self {
        self.redis.flaw = flaw;
        self.redis.ledger = Some(self.stream.clone());
        self
    }

    /// A worker that starts.
    pub(crate) fn start(&self) -> Worker {
        self.start_as(&Setup::default())
    }

    /// A worker whose clock is ahead.
    pub(crate) fn start_ahead(&self, ahead_ms: i64) -> Worker {
        self.start_as(&Setup { ahead_ms, ..Setup::default() })
    }

    /// A worker with this of its own.
    pub(crate) fn start_as(&self, setup: &Setup) -> Worker {
        Worker::start(self, setup)
    }

    /// A worker that works already.
    pub(crate) async fn started(&self) -> Worker {
        let worker = self.start();
        worker.ready().await;
        worker
    }

    pub(crate) fn has(&self, person: Person) -> bool {
        self.redis.has(0, person.digest())
    }

    fn name(&self, kind: &str) -> String {
        let mut promises = self.promises.lock().unwrap();
        promises.named += 1;
        format!("{kind}-{}", promises.named)
    }

    /// The law. Every output that ever was counts.
    pub(crate) fn check(&self) {
        self.check_outputs();
        self.check_versions();
        let promises = self.promises.lock().unwrap();
        assert!(promises.early.is_empty(), "acknowledged without its effect: {:?}", promises.early);
        let stale = self.mail.stale();
        assert!(stale.is_empty(), "published when its barrier was older than allowed: {stale:?}");
        let mail = self.mail.all();
        let in_force: Vec<(u64, Person)> = mail[promises.ledger_since..]
            .iter()
            .filter_map(Receipt::read)
            .filter_map(|receipt| Some((receipt.revision?, *promises.events.get(&receipt.event)?)))
            .collect();
        for output in mail[promises.ledger_since..].iter().filter_map(Output::read) {
            let included = in_force.iter().filter(|(revision, _)| *revision <= output.revision);
            let named: Vec<_> = included.filter(|(_, person)| output.kept.contains(person)).collect();
            assert!(
                named.is_empty(),
                "{} leaks {named:?}, which revision {} has",
                output.job,
                output.revision
            );
            let kept = output.kept.len() as u64;
            assert_eq!(output.tally, (kept, output.tally.1), "{}: kept, as it says", output.job);
            assert_eq!(output.received, kept + output.tally.1, "{}: received = kept + removed", output.job);
        }
    }

    /// No identifier is anywhere but in outputs, waiting jobs and dead letters' bodies.
    pub(crate) fn check_privacy(&self) {
        let known: Vec<String> = self.promises.lock().unwrap().events.values().map(|p| p.name()).collect();
        let names = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            known.iter().any(|name| text.contains(&format!("\"{name}\"")))
        };
        assert!(!self.stream.raw().iter().any(|record| names(record)), "the ledger names somebody");
        for message in self.mail.all() {
            let about =
                message.exchange == FILTERED || message.routing_key == WAITING || message.exchange == "dead";
            assert!(about || !names(&message.body), "{} names somebody", message.routing_key);
        }
    }

    /// Every job that was acknowledged came out.
    pub(crate) async fn check_nothing_is_lost(&self) {
        let jobs: Vec<String> = self.promises.lock().unwrap().jobs.keys().cloned().collect();
        for job in jobs {
            let its = |message: &Outgoing| Output::read(message).filter(|output| output.job == job);
            soon(&format!("{job} comes out"), self.mail.first(its)).await;
        }
    }

    /// The bodies of what was told under this routing key.
    pub(crate) fn told(&self, routing_key: &str) -> Vec<Value> {
        let all = self.mail.all();
        let told = all.iter().filter(|message| message.routing_key == routing_key);
        told.map(|message| serde_json::from_slice(&message.body).unwrap()).collect()
    }

    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        self.mail.all().iter().filter_map(Receipt::read).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check();
        }
    }
}

/// A first record of another ledger than any before.
pub(crate) fn genesis() -> Entry {
    let keys = KEYS.keys().iter().map(HashKey::check).collect();
    entry(Record::Genesis { ledger: random::ledger_id(), keys })
}

/// The ledger's name that a genesis gives.
pub(crate) fn ledger_of(entry: &Entry) -> LedgerId {
    match &entry.record {
        Record::Genesis { ledger, .. } => *ledger,
        _ => panic!("not a genesis"),
    }
}

/// A record with a name of its own.
pub(crate) fn entry(record: Record) -> Entry {
    Entry { id: random::record_id(), record }
}

/// A fence of nobody here: something that fills a place in the ledger.
pub(crate) fn filler() -> Entry {
    entry(Record::Fence { worker: random::worker_id(), nonce: random::nonce() })
}

/// A key that no worker has.
pub(crate) const FOREIGN_KEY: KeyCheck = KeyCheck([0xee; 8]);

/// A delivery on its way through a worker.
pub(crate) struct Delivery {
    acked: watch::Receiver<bool>,
    alive: Arc<AtomicBool>,
    pub body: Vec<u8>,
    mail: Mail,
    what: What,
}

/// What was delivered.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// An opt-out; its event and whose it is, if its acknowledgement is a promise.
    OptOut(Option<(String, Person)>),
    /// A job of this name.
    Job(String),
}

impl Delivery {
    pub(crate) fn is_acked(&self) -> bool {
        *self.acked.borrow()
    }

    /// The session that delivered it ends: it comes again, and an acknowledgement is in vain.
    pub(crate) fn lose(&self) {
        self.alive.store(false, Ordering::Relaxed);
    }

    /// Waits until it is acknowledged.
    pub(crate) async fn done(&mut self) {
        let acked = self.acked.wait_for(|acked| *acked);
        let acked = soon("the delivery is acknowledged", acked).await;
        acked.expect("it never happens that the delivery is acknowledged: its worker let go of it");
    }

    /// The job's output.
    pub(crate) async fn output(&self) -> Output {
        let mine = |message: &Outgoing| Output::read(message).filter(|out| self.is_job(&out.job));
        soon("the job's output is published", self.mail.first(mine)).await
    }

    /// Whether it is published.
    pub(crate) fn is_out(&self) -> bool {
        self.mail.all().iter().filter_map(Output::read).any(|out| self.is_job(&out.job))
    }

    /// The name of the event.
    pub(crate) fn event(&self) -> Option<&str> {
        match &self.what {
            What::OptOut(Some((name, _))) => Some(name),
            _ => None,
        }
    }

    fn is_job(&self, name: &str) -> bool {
        matches!(&self.what, What::Job(job) if job == name)
    }
}

/// A filtered job.
pub(crate) struct Output {
    pub job: String,
    pub revision: u64,
    pub kept: BTreeSet<Person>,
    received: u64,
    /// How many it says that were kept, and removed.
    tally: (u64, u64),
}

impl Output {
    fn read(message: &Outgoing) -> Option<Self> {
        if message.exchange != FILTERED {
            return None;
        }
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        let recipients = body["segments"][0]["recipients"].as_array().unwrap();
        let person = |r: &Value| Person(r["user_id"].as_str().unwrap()[2..].parse().unwrap());
        let sums = &body["suppression"]["segments"][0];
        let removed = sums["removed"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        Some(Self {
            received: sums["received"].as_u64().unwrap(),
            tally: (sums["kept"].as_u64().unwrap(), removed),
            job: body["job_id"].as_str().unwrap().into(),
            revision: body["suppression"]["revision"].as_u64().unwrap(),
            kept: recipients.iter().map(person).collect(),
        })
    }
}

/// An event's receipt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub event: String,
    pub status: String,
    pub revision: Option<u64>,
}

impl Receipt {
    fn read(message: &Outgoing) -> Option<Self> {
        message.routing_key.strip_prefix("receipt.")?;
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Some(Self { event: text("event_id"), status: text("status"), revision: body["revision"].as_u64() })
    }
}

fn event_body(id: &str, kind: EventKind, person: Person) -> Vec<u8> {
    json!({
        "event_id": id, "source": "call_center", "kind": kind.as_str(),
        "occurred_at": "2026-11-01T10:15:00+05:00", "subject": {"user_id": person.name()}
    })
    .to_string()
    .into_bytes()
}

fn event_with(id: &str, members: &Value) -> Vec<u8> {
    let mut event = json!({
        "event_id": id, "source": "call_center", "kind": "opt_out", "occurred_at": "2026-11-01T10:15:00+05:00"
    });
    event.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    event.to_string().into_bytes()
}

fn job_body(id: &str, people: &[Person], part: Option<(u32, u32)>) -> Vec<u8> {
    let recipient = |p: &Person| json!({"user_id": p.name(), "phone": format!("+7777{:07}", p.0)});
    let recipients: Vec<_> = people.iter().map(recipient).collect();
    json!({
        "job_id": id, "campaign_id": "c", "channel": "sms", "brand": "lulla.kz",
        "part": part.map(|(index, of)| json!({"index": index, "of": of})),
        "segments": [{"region": "KZ-79", "recipients": recipients}]
    })
    .to_string()
    .into_bytes()
}
