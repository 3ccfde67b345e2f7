//! Workers in the states that a person on duty meets, made up of the parts that a worker is made of.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZoneDatabase;
use jiff::{SignedDuration, Timestamp};
use suppressd::domain::catalogue::Catalogue;
use suppressd::domain::digest::{Digest, HashKey, KeyRing};
use suppressd::domain::filter::{Given, Identifiers, Tally, judge, prepare};
use suppressd::domain::view::View;
use suppressd::domain::words::{Channel, DeadReason, IdentifierKind, Purpose, Removal};
use suppressd::metrics::{DeadQueue, JobOutcome, Metrics, Queue};
use suppressd::service::clock::Clock;
use suppressd::service::health::{Dependency, Health, State, Warning};
use suppressd::service::history::History;
use suppressd::service::status::{Board, Parts, Process};
use suppressd::service::watch_deadlines::Seen;
use suppressd::settings::load_rules;

/// When everything here happens: a Monday morning in Shymkent.
const NOW: &str = "2026-11-23T05:41:20Z";

/// A clock that stands still.
struct Now(Timestamp);

impl Clock for Now {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// What a worker is made of, to be changed before it is served.
pub(crate) struct Scene {
    pub(crate) catalogue: Catalogue,
    pub(crate) health: Health,
    pub(crate) metrics: Metrics,
    pub(crate) history: History,
    pub(crate) requests: Option<Seen>,
    pub(crate) host: String,
}

impl Scene {
    /// A worker that runs for this long and has counted nothing, with the regions that are shipped.
    pub(crate) fn idle(minutes: u64) -> Self {
        let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let shipped = ["suppressd.toml", "kazakhstan.toml"].map(|file| top.join("config").join(file));
        let rules = load_rules(&shipped, std::iter::empty()).expect("the shipped settings are right");
        Self::of(rules.catalogue, minutes)
    }

    pub(crate) fn of(catalogue: Catalogue, minutes: u64) -> Self {
        let metrics = Metrics::new(&catalogue, ["call_center", "email"]);
        let health = Health::default();
        for dependency in Dependency::ALL {
            health.set(*dependency, State::Ready);
        }
        let mut history = History::new(metrics.counts());
        history.record(Duration::from_secs(minutes * 60 + 40), metrics.counts());
        metrics.set_revision(18_231);
        metrics.set_mirror_revision(18_231);
        for (kind, count) in IdentifierKind::ALL.iter().zip([41_208, 288_100, 301_772]) {
            metrics.set_identifiers(*kind, count);
        }
        let seen = seen(2, 0, Some(SignedDuration::from_mins(26 * 60 + 15)));
        Self { catalogue, health, metrics, history, requests: Some(seen), host: "mq-1.lulla.kz".into() }
    }

    /// Nobody's campaign runs, and all is well.
    pub(crate) fn quiet() -> Self {
        let scene = Self::idle(75);
        scene.health.set(Dependency::Mailbox, State::Idle("another worker reads it".into()));
        scene
    }

    /// Every region has campaigns.
    pub(crate) fn busy() -> Self {
        let mut scene = Self::idle(0);
        let regions: Vec<Arc<str>> =
            scene.catalogue.regions().iter().map(|region| region.code.clone()).collect();
        let mut tallies = HashMap::new();
        for minute in 0..75_u64 {
            for (channel, every, people) in
                [(Channel::Email, 1, 400), (Channel::Sms, 2, 250), (Channel::Call, 7, 30)]
            {
                for (place, region) in regions.iter().enumerate() {
                    let place = place as u64;
                    // Each region is busy in its own way, and some not at all on some channels.
                    if !(minute + place * 3).is_multiple_of(every) || (place + every).is_multiple_of(6) {
                        continue;
                    }
                    let wave = 60 + (minute * (7 + place) + place * 13) % 50;
                    let people = people * wave / 100 / 10 * 10 * (1 + place % 4);
                    let of_some = tallies.entry(people).or_insert_with(|| tally(people, people / 17));
                    let mut tally = of_some.clone();
                    tally.region = region.clone();
                    scene.metrics.recipients(channel, &tally);
                    scene.metrics.job(Some(channel), JobOutcome::Filtered);
                }
            }
            scene.metrics.opt_out_effect("call_center", Duration::from_millis(8 + minute % 40));
            let running = if minute == 74 { 40 } else { 59 };
            scene.history.record(Duration::from_secs(minute * 60 + running), scene.metrics.counts());
        }
        scene.metrics.set_mirror_revision(18_230);
        scene.requests = Some(seen(5, 1, Some(SignedDuration::from_mins(11 * 60))));
        scene
    }

    /// Redis does not answer, and more besides.
    pub(crate) fn failing() -> Self {
        let mut scene = Self::idle(12);
        let unanswered = "Redis: no answer in time";
        scene.health.set(Dependency::Redis, State::NotReady(unanswered.into()));
        let mailbox = "mail.lulla.kz:993: no connection: connection refused";
        scene.health.set(Dependency::Mailbox, State::NotReady(mailbox.into()));
        scene.health.warn(Warning::Mailbox, Some(mailbox.into()));
        scene.health.warn(
            Warning::UnroutableJobs,
            Some(
                "3 jobs wait until somebody is bound to the exchange of filtered jobs for their routing keys"
                    .into(),
            ),
        );
        scene.metrics.set_unroutable_jobs(3);
        for (reason, count) in [(DeadReason::BadSchema, 4), (DeadReason::NoIdentifier, 1)] {
            for _ in 0..count {
                scene.metrics.dead_letter(DeadQueue::Jobs, reason);
            }
        }
        scene.metrics.set_queue_messages(Queue::Dead, 5);
        scene.history.record(Duration::from_secs(12 * 60 + 40), scene.metrics.counts());
        scene
    }

    /// Requests that nobody settled.
    pub(crate) fn overdue() -> Self {
        let mut scene = Self::idle(2000);
        let warning = |count, what| Some(format!("{count} {what}: settle them with `suppressd requests`"));
        scene.health.warn(Warning::RequestsOverdue, warning(2, "requests are past their strict deadline"));
        scene.health.warn(Warning::RequestsDueSoon, warning(1, "request is due soon"));
        scene.metrics.late_request("call_center");
        scene.history.record(Duration::from_secs(2000 * 60 + 42), scene.metrics.counts());
        scene.requests = Some(seen(7, 0, Some(SignedDuration::from_mins(-200))));
        scene
    }

    /// The four.
    pub(crate) fn all() -> [(&'static str, Self); 4] {
        [
            ("quiet", Self::quiet()),
            ("busy", Self::busy()),
            ("failing", Self::failing()),
            ("overdue", Self::overdue()),
        ]
    }

    /// A board that shows it.
    pub(crate) fn board(self) -> Board {
        let process = Process { host: self.host, pid: 4711, version: "0.1.0", started_at: before(75) };
        let parts = Parts {
            process,
            catalogue: Arc::new(self.catalogue),
            zone: TimeZoneDatabase::bundled().get("Asia/Almaty").unwrap(),
            metrics: Arc::new(self.metrics),
            health: self.health,
            requests: tokio::sync::watch::channel(self.requests).1,
            clock: Arc::new(Now(now())),
        };
        Board::with(parts, self.history)
    }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn before(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

fn seen(in_review: u64, in_hand: u64, next_due: Option<SignedDuration>) -> Seen {
    let overdue = if next_due.is_some_and(|left| left.is_negative()) { 2 } else { 0 };
    let sources = BTreeMap::from([("call_center".into(), 1), ("email".into(), in_review + in_hand - 1)]);
    Seen { at: now(), in_review, in_hand, sources, overdue, next_due: next_due.map(|left| now() + left) }
}

/// A list on which whoever is called after a reason is restricted for it.
struct Reasons {
    keys: KeyRing,
    list: HashMap<Digest, Removal>,
}

impl View for Reasons {
    type Table = ();

    fn table(&self, _: &str, _: Channel, _: &str) {}

    fn removal(&self, (): &(), digest: &Digest) -> Option<Removal> {
        self.list.get(digest).copied()
    }
}

impl Reasons {
    fn new() -> Self {
        let key = HashKey::from_file_text(&"000102030405060708090a0b0c0d0e0f".repeat(2)).unwrap();
        let keys = KeyRing::new(vec![key]).unwrap();
        let of = |reason: &Removal| {
            let digest = keys.digests(IdentifierKind::UserId, reason.as_str()).next().unwrap();
            (digest, *reason)
        };
        let list = Removal::ALL.iter().map(of).collect();
        Self { keys, list }
    }
}

/// What became of a segment of some region, of so many people, of whom so many are removed for all reasons in turn.
fn tally(people: u64, removed: u64) -> Tally {
    let list = Reasons::new();
    let reasons = ["opt_out", "opt_out", "opt_out", "complaint", "opt_out", "bounce", "", "hold"];
    let names = (0..people).map(|person| {
        if person < removed { reasons[usize::try_from(person).unwrap() % reasons.len()] } else { "U-1" }
    });
    let people: Vec<Identifiers<'_>> = names
        .map(|name| {
            let mut person = Identifiers::default();
            person.set(IdentifierKind::UserId, Given::Text(name.into()));
            person
        })
        .collect();
    let prepared = prepare(Channel::Sms, [("any".into(), &people)], &list.keys, |_, text, buffer| {
        buffer.push_str(text);
        (!text.is_empty()).then_some(buffer)
    });
    judge(&prepared, Purpose::Marketing, "lulla.kz", &list).tallies()[0].clone()
}
