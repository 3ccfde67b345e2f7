//! Random faults, one after another, under a load that never stops: what a month does to a worker, in minutes.
//!
//! The ordinary tests run the gentle faults for a short while on the shared broker; `tests/soak` runs all of them
//! for as long as it is told, on a broker of its own, and prints the table that the guide shows. Each kind comes
//! once before any comes twice.

mod breakage;
mod table;
mod usage;

use std::time::{Duration, Instant};

use self::breakage::Breakage;
use self::table::Table;
use self::usage::Watch;
use super::flow::{Mix, RECOVERY};
use super::random::Random;
use super::say;
use super::scene::Scene;
use crate::support::{Broker, LONG, Persistence, Rough, Stage, lasting};

/// Set by `tests/soak`.
const MINUTES: &str = "SUPPRESSD_SOAK_MINUTES";
const SEED: &str = "SUPPRESSD_SOAK_SEED";

/// As long as an ordinary run of the tests can spare.
const SHORT: Duration = Duration::from_secs(30);

/// From the beginning of one fault to that of the next, unless recovery takes longer.
const PAUSE_SECONDS: (u32, u32) = (5, 20);

/// The same in the short run.
const SHORT_PAUSE_SECONDS: (u32, u32) = (1, 4);

/// The load of the long run: a million recipients are soon through, and the ledger does not outgrow the half
/// minute in which a list is to be back.
const MIX: Mix = Mix { pairs: 60, jobs: 8 };

/// For the program, the mirror of some hundred thousand identifiers, and jobs that are held.
const MEMORY_MAX: u64 = 256 << 20;
const FILES_MAX: u64 = 128;
const THREADS_MAX: u64 = 64;
const TASKS_MAX: u64 = 1024;

/// How a run is done.
struct Plan {
    length: Duration,
    seed: u64,
    kinds: Vec<Breakage>,
    pause_seconds: (u32, u32),
}

impl Plan {
    /// The long one, if it is asked for; else the short one.
    fn of_environment() -> Self {
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        let seed = number(SEED).unwrap_or(1);
        let long = |minutes| Self {
            length: Duration::from_secs(60 * minutes),
            seed,
            kinds: Breakage::ALL.to_vec(),
            pause_seconds: PAUSE_SECONDS,
        };
        number(MINUTES).map_or_else(|| Self::short(seed), long)
    }

    fn short(seed: u64) -> Self {
        let kinds = Breakage::ALL.iter().copied().filter(|kind| kind.is_gentle()).collect();
        Self { length: SHORT, seed, kinds, pause_seconds: SHORT_PAUSE_SECONDS }
    }

    fn is_long(&self) -> bool {
        self.length > SHORT
    }
}

/// All kinds in a random order, and then again.
struct Deck {
    kinds: Vec<Breakage>,
    left: Vec<Breakage>,
}

impl Deck {
    fn draw(&mut self, random: &mut Random) -> Breakage {
        if self.left.is_empty() {
            self.left.clone_from(&self.kinds);
        }
        let at = random.below(u32::try_from(self.left.len()).expect("there are few kinds"));
        self.left.swap_remove(at as usize)
    }
}

/// The scene of a run, and the lock on a broker that is broken as a whole.
async fn scene(plan: &Plan) -> (Scene, Option<Rough>) {
    if plan.is_long() {
        let broker = Broker::rough().await;
        let stage = Stage::with(&broker, Persistence::EverySecond);
        return (Scene::with(stage, 2, plan.seed, MIX).await, Some(broker));
    }
    (Scene::new(2, plan.seed).await, None)
}

#[tokio::test(flavor = "multi_thread")]
async fn random_faults_one_after_another_lose_and_leak_nothing() {
    let plan = Plan::of_environment();
    let (mut scene, _broker) = scene(&plan).await;
    let mut random = Random::new(plan.seed);
    let watch = Watch::start(&scene.workers).await;
    let mut table = Table::new(&scene.flow, watch.now());
    let mut deck = Deck { kinds: plan.kinds.clone(), left: Vec::new() };
    let end = Instant::now() + plan.length;
    while Instant::now() < end {
        let began = Instant::now();
        let kind = deck.draw(&mut random);
        let before = scene.flow.verdict();
        say(format_args!("{}", kind.name()));
        kind.inflict(&mut scene, &mut random).await;
        watch.follow(&scene.workers);
        let ended = Instant::now();
        // Longer than what is promised, so that what took too long is known by its time.
        scene.flow.every_lane(LONG).await;
        let took = ended.elapsed();
        say(format_args!("    {:.1?}, recovered after {took:.1?}", began.elapsed()));
        table.add(kind, took, &before, &scene.flow.verdict());
        let (from, to) = plan.pause_seconds;
        let pause = Duration::from_secs((from + random.below(to - from + 1)).into());
        lasting(pause.saturating_sub(began.elapsed())).await;
    }
    for worker in &scene.workers {
        worker.wait_ready().await;
    }
    let (after, peak) = (watch.now(), watch.peak());
    let verdict = scene.end().await;
    say(format_args!("{}", table.show(&verdict, after, peak)));
    assert!(table.slowest() < RECOVERY, "a recovery took {:?}", table.slowest());
    assert!(peak.memory < MEMORY_MAX && peak.files < FILES_MAX, "{peak:?}");
    assert!(peak.threads < THREADS_MAX && peak.tasks < TASKS_MAX, "{peak:?}");
}
