//! Opt-outs while jobs run at full speed: how long until one is in force, and whether it is.
//!
//! By the contract an opt-out is in force when its receipt comes. Every so many jobs one names all the people who
//! opt out during the run; none of its outputs with a receipt's revision or a later one may name that person.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::plan::Plan;
use crate::scene::{Scene, THOUSAND, persistent};
use crate::stats::percentile;
use crate::support::{Inbox, Message, SOON};
use serde_json::json;

/// Opt-outs a second.
const PER_SECOND: u64 = 20;

/// One job of so many names everybody who opts out.
const PROBE_EACH: u64 = 10;

/// They are on no list when the run begins, and in no other job.
const FIRST_PERSON: u64 = 400_000_000;

/// What was found, in milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Effects {
    /// How many opted out.
    pub(crate) opt_outs: usize,
    /// From when RabbitMQ had acknowledged an opt-out until its receipt came.
    pub(crate) acknowledged: Percentiles,
    /// From when an opt-out was to be published until its receipt came.
    pub(crate) published: Percentiles,
    /// From publishing an opt-out until the first looked-at job without that person came out.
    pub(crate) first_job: Option<Percentiles>,
    /// Outputs that were looked at.
    pub(crate) probes: usize,
    /// Times that a person was in an output of the receipt's revision or a later one. Must be 0.
    pub(crate) broken: usize,
    /// Recipients a second meanwhile.
    pub(crate) speed: f64,
}

/// Of many times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Percentiles {
    fn of(mut times: Vec<f64>) -> Option<Self> {
        times.sort_by(f64::total_cmp);
        let at = |percent| percentile(&times, percent);
        Some(Self { p50: at(50)?, p99: at(99)?, max: at(100)? })
    }
}

/// One who opted out.
struct Said {
    at: Instant,
    acknowledged: Instant,
    receipt: Instant,
    revision: u64,
}

/// Runs a worker on a full queue and opts people out meanwhile.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousand jobs")]
pub(crate) async fn measure(plan: &Plan, scene: &Scene, expected: f64) -> Effects {
    let seconds = plan.length.as_secs_f64() * 4.0;
    let people = (seconds * PER_SECOND as f64) as u64 * 2;
    let jobs = (expected * seconds / THOUSAND.recipients as f64) as u64;
    let mut receipts = scene.guest.inbox("bench.receipts", &[("suppressd.events", "receipt.operator")]).await;
    let probes = jobs / PROBE_EACH;
    fill(scene, jobs, people).await;
    let worker = scene.stage.start("in-force");
    worker.wait_ready().await;
    let run = Run {
        scene,
        people,
        done: Cell::new(false),
        sent: RefCell::default(),
        acknowledged: RefCell::default(),
    };
    let (outputs, (), heard) = tokio::join!(run.take(probes), run.opt_out(), run.hear(&mut receipts));
    worker.sigterm();
    worker.exit_code().await;
    let length = outputs[outputs.len() - 1].0 - outputs[0].0;
    let speed = ((probes - 1) * PROBE_EACH * THOUSAND.recipients) as f64 / length.as_secs_f64();
    let said = heard
        .into_iter()
        .map(|(person, (receipt, revision))| {
            let (at, acknowledged) = (run.sent.borrow()[&person], run.acknowledged.borrow()[&person]);
            (person, Said { at, acknowledged, receipt, revision })
        })
        .collect();
    judge(&said, &outputs, speed)
}

/// What goes on at the same time: jobs come out, people opt out, receipts come.
struct Run<'a> {
    scene: &'a Scene,
    people: u64,
    /// Every output that is looked at came.
    done: Cell<bool>,
    /// Who opted out, and when that was due.
    sent: RefCell<HashMap<u64, Instant>>,
    /// When RabbitMQ had acknowledged it.
    acknowledged: RefCell<HashMap<u64, Instant>>,
}

impl Run<'_> {
    async fn take(&self, probes: u64) -> Vec<(Instant, Message)> {
        let mut outputs = Vec::new();
        for _ in 0..probes {
            outputs.push(self.scene.next_mark(SOON).await);
        }
        self.done.set(true);
        outputs
    }

    /// At a steady pace, whatever becomes of those before: one that is published late has waited all the same.
    async fn opt_out(&self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(1000 / PER_SECOND));
        for person in FIRST_PERSON..FIRST_PERSON + self.people {
            let due = ticks.tick().await.into_std();
            if self.done.get() {
                break;
            }
            self.sent.borrow_mut().insert(person, due);
            let event = json!({
                "event_id": person.to_string(), "source": "operator", "kind": "opt_out",
                "occurred_at": "2026-11-01T10:00:00+05:00", "subject": {"user_id": format!("U-{person}")},
            });
            self.scene.guest.publish("suppressd.opt-outs", "operator", &event).await;
            self.acknowledged.borrow_mut().insert(person, Instant::now());
        }
    }

    /// When each receipt came, and its revision.
    async fn hear(&self, receipts: &mut Inbox) -> HashMap<u64, (Instant, u64)> {
        let mut said = HashMap::new();
        let mut last = Instant::now();
        while !self.done.get() || said.len() < self.sent.borrow().len() {
            assert!(last.elapsed() < SOON, "no receipt within {SOON:?}");
            let Some(receipt) = receipts.next_within(Duration::from_millis(50)).await else { continue };
            last = Instant::now();
            let receipt = receipt.json();
            assert_eq!(receipt["status"], "applied", "nobody opted out before");
            let person =
                receipt["event_id"].as_str().and_then(|id| id.parse().ok()).expect("it names its event");
            let revision = receipt["revision"].as_u64().expect("it is applied");
            said.insert(person, (last, revision));
        }
        said
    }
}

/// Ordinary jobs, and those that name everybody who will opt out.
async fn fill(scene: &Scene, jobs: u64, people: u64) {
    scene.empty().await;
    let ordinary = crate::people::job(0, THOUSAND.channel, THOUSAND.recipients, scene.people()).0;
    let recipients: Vec<_> =
        (0..people).map(|n| json!({"user_id": format!("U-{}", FIRST_PERSON + n)})).collect();
    let probe = json!({
        "job_id": "probe", "campaign_id": "bench", "channel": "sms", "brand": "lulla.kz",
        "segments": [{"region": "KZ-79", "recipients": recipients}],
    })
    .to_string();
    let messages = (1..=jobs).map(|n| {
        let (key, body) = if n % PROBE_EACH == 0 { ("mark.KZ-79", &probe) } else { ("sms.KZ-79", &ordinary) };
        (key.to_owned(), persistent(), body.clone().into_bytes())
    });
    scene.guest.publish_all("suppressd.jobs", messages).await;
}

fn judge(said: &HashMap<u64, Said>, outputs: &[(Instant, Message)], speed: f64) -> Effects {
    let millis = |length: Duration| length.as_secs_f64() * 1e3;
    let (mut broken, mut firsts) = (0, HashMap::new());
    for (at, output) in outputs {
        let body = output.json();
        let revision = body["suppression"]["revision"].as_u64().expect("an output has its revision");
        let kept = body["segments"][0]["recipients"].as_array().expect("recipients stay an array");
        let kept: HashSet<&str> = kept.iter().filter_map(|one| one["user_id"].as_str()).collect();
        for (person, said) in said {
            if kept.contains(format!("U-{person}").as_str()) {
                broken += usize::from(revision >= said.revision);
            } else {
                firsts.entry(*person).or_insert_with(|| millis(at.saturating_duration_since(said.at)));
            }
        }
    }
    let until_receipt = |from: fn(&Said) -> Instant| {
        let times = said.values().map(|said| millis(said.receipt.saturating_duration_since(from(said))));
        Percentiles::of(times.collect()).expect("somebody opted out")
    };
    Effects {
        opt_outs: said.len(),
        acknowledged: until_receipt(|said| said.acknowledged),
        published: until_receipt(|said| said.at),
        first_job: Percentiles::of(firsts.into_values().collect()),
        probes: outputs.len(),
        broken,
        speed,
    }
}
