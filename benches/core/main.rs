//! The core alone: bytes of a job in, bytes of the filtered job out, on one thread and without I/O.
//!
//! It runs the product's own functions in the worker's order and shows what each of them takes, so that a
//! change is judged by the stage that it touches. `--profile SECONDS` does nothing but the loop: for `perf`.
//!
//! `cargo bench --bench core [-- --list 10000000 --recipients 1000 --channel sms --profile 20]`
#![allow(clippy::print_stdout, reason = "a table is what it is for")]
#![allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]

#[path = "../shared/people.rs"]
mod people;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use suppressd::codec::job::{self, JobLimits, Stamp};
use suppressd::domain::catalogue::{Catalogue, Region};
use suppressd::domain::digest::{Digest, HashKey, KeyRing};
use suppressd::domain::filter::{judge, prepare};
use suppressd::domain::identifier::{Country, canonical};
use suppressd::domain::record::ListId;
use suppressd::domain::scope::Scope;
use suppressd::domain::statement::Statement;
use suppressd::domain::words::{Channel, EventKind};
use suppressd::mirror::Mirror;

/// Recipients that go through before anything is measured, and then in one repetition.
const RECIPIENTS_A_ROUND: u64 = 1_000_000;
const ROUNDS: usize = 7;

/// Bytes of different jobs: more than the processor's caches hold.
const BODIES_BYTES: usize = 64 << 20;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

const STAGES: [&str; 4] = ["decode", "prepare", "judge", "encode"];

fn main() {
    let options = Options::from_arguments();
    let bench = Core::new(&options);
    println!(
        "{} identifiers on the list, {} recipients a job, three identifiers a recipient, {}\n",
        bench.mirror.restricted(),
        options.recipients,
        options.channel.as_str()
    );
    let jobs = usize::try_from(RECIPIENTS_A_ROUND / options.recipients).expect("small").max(1);
    bench.round(jobs);
    if let Some(length) = options.profile {
        let end = Instant::now() + length;
        while Instant::now() < end {
            black_box(bench.round(jobs));
        }
        return;
    }
    let mut rounds: Vec<[Duration; 4]> = (0..ROUNDS).map(|_| bench.round(jobs)).collect();
    rounds.sort_by_key(|stages| stages.iter().sum::<Duration>());
    let done = jobs as f64 * options.recipients as f64;
    let each = |time: Duration| time.as_secs_f64() * 1e9 / done;
    let whole = |stages: &[Duration; 4]| stages.iter().sum::<Duration>();
    let median = rounds[ROUNDS / 2];
    println!("| stage | ns a recipient |\n|---|---|");
    for (stage, time) in STAGES.iter().zip(median) {
        println!("| {stage} | {:.1} |", each(time));
    }
    println!("| all | {:.1} |\n", each(whole(&median)));
    let speed = |stages: &[Duration; 4]| done / whole(stages).as_secs_f64() / 1e6;
    println!(
        "core: {:.3} M recipients/s on one core (median of {ROUNDS}; {:.3} to {:.3})",
        speed(&median),
        speed(&rounds[ROUNDS - 1]),
        speed(&rounds[0])
    );
}

/// What may be changed on the command line.
struct Options {
    list: u64,
    recipients: u64,
    channel: Channel,
    profile: Option<Duration>,
}

impl Options {
    fn from_arguments() -> Self {
        let mut options = Self { list: 10_000_000, recipients: 1_000, channel: Channel::Sms, profile: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            // Cargo adds it by itself.
            if name == "--bench" {
                continue;
            }
            let value = arguments.next().unwrap_or_default();
            let number = || value.parse::<u64>().unwrap_or_else(|_| panic!("{name} takes a whole number"));
            match name.as_str() {
                "--list" => options.list = number(),
                "--recipients" => options.recipients = number(),
                "--profile" => options.profile = Some(Duration::from_secs(number())),
                "--channel" => options.channel = Channel::parse(&value).expect("email, sms or call"),
                _ => panic!("{name}: there are --list, --recipients, --channel and --profile"),
            }
        }
        options
    }
}

struct Core {
    bodies: Vec<(String, u64)>,
    mirror: Mirror,
    keys: KeyRing,
    catalogue: Catalogue,
    country: Country,
    limits: JobLimits,
    stamp: Stamp,
}

impl Core {
    fn new(options: &Options) -> Self {
        let key = HashKey::from_file_text(KEY).expect("it is a key");
        let keys = KeyRing::new(vec![key]).expect("one key");
        let listed = options.list / people::IDENTIFIERS_PER_PERSON;
        let (body, _) = people::job(0, options.channel, options.recipients, listed);
        let jobs = (BODIES_BYTES / body.len()).max(8) as u64;
        let bodies = (0..jobs)
            .map(|number| people::job(number, options.channel, options.recipients, listed))
            .collect();
        let regions = ["KZ-79", "KZ-75", "KZ-71"].map(|code| Region {
            code: Arc::from(code),
            name: format!("region {code}"),
            aliases: vec![],
        });
        Self {
            bodies,
            mirror: list(&keys, listed),
            keys,
            catalogue: Catalogue::new(regions.to_vec(), vec!["lulla.kz".into(), "bilal.kz".into()]),
            country: Country::parse("KZ").expect("a country"),
            limits: JobLimits::default(),
            stamp: Stamp { revision: listed, filtered_at: Timestamp::UNIX_EPOCH },
        }
    }

    /// Takes so many jobs through every stage; how long each stage took in all.
    fn round(&self, jobs: usize) -> [Duration; 4] {
        let mut stages = [Duration::ZERO; 4];
        for (body, must_keep) in self.bodies.iter().cycle().take(jobs) {
            let mut from = Instant::now();
            let mut lap = |stage: usize| {
                let now = Instant::now();
                stages[stage] += now - from;
                from = now;
            };
            let job = job::decode(body.as_bytes(), &self.limits, &self.catalogue);
            let job = job.unwrap_or_else(|_| panic!("the job keeps every rule"));
            lap(0);
            let prepared = prepare(job.channel, job.segments(), &self.keys, |kind, text, buffer| {
                canonical(kind, text, &self.country, buffer).ok()
            });
            lap(1);
            let verdicts = judge(&prepared, job.purpose, &job.brand, &self.mirror);
            lap(2);
            let output = job::filtered(&job, &verdicts, self.stamp);
            lap(3);
            black_box(output);
            assert_eq!(verdicts.tallies()[0].kept, *must_keep, "who is on the list is taken out");
        }
        stages
    }
}

/// A mirror of everybody who is on the list.
fn list(keys: &KeyRing, listed: u64) -> Mirror {
    let statement = Statement::of(EventKind::OptOut, Timestamp::UNIX_EPOCH, Scope::ALL);
    let standing = [statement.expect("an opt-out restricts")];
    let mut mirror = Mirror::new(ListId([0; 16]), listed, listed, None);
    let identifiers = listed * people::IDENTIFIERS_PER_PERSON;
    mirror.reserve(usize::try_from(identifiers).expect("it fits in memory"));
    for person in 0..listed {
        for (kind, canonical) in people::identifiers(person) {
            let digests: Vec<Digest> = keys.digests(kind, &canonical).collect();
            for digest in digests {
                mirror.put(digest, &standing);
            }
        }
    }
    mirror
}
