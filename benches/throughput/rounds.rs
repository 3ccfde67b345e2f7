//! Side by side: every contender in turn, again and again, while there is time.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::attempt;
use crate::contenders::{Contender, Place};
use crate::findings::Findings;
use crate::plan::{Cell, Plan};
use crate::scene::Scene;
use crate::support::{Broker, Persistence, Redis, Share, leash};

/// One measurement takes longer only if something hangs.
const MEASUREMENT_TIME_MAX: Duration = Duration::from_mins(3);

/// The servers.
pub(crate) struct Bench {
    /// One installation a list, the smallest first.
    pub(crate) scenes: Vec<Scene>,
    /// Where the peers' sets are.
    pub(crate) peers: Redis,
    /// Whether the sets are there.
    pub(crate) peers_work: bool,
}

impl Bench {
    /// Starts everything, with empty lists.
    pub(crate) async fn start(plan: &Plan) -> Self {
        let broker: Arc<Broker> = Broker::with(Share::Whole);
        let mut scenes = Vec::new();
        for list in &plan.lists {
            scenes.push(Scene::new(&broker, *list).await);
        }
        // A store that is asked only, and never written to disk.
        let peers = Redis::start(&leash::directory("peers-"), Persistence::None);
        Self { scenes, peers, peers_work: false }
    }

    /// The installation with the longest list.
    pub(crate) fn large(&self) -> &Scene {
        self.scenes.last().expect("there is a list")
    }

    /// The lists that peers run on too.
    pub(crate) fn compared(&self) -> &[Scene] {
        &self.scenes[self.scenes.len().saturating_sub(2)..]
    }
}

/// Who runs on which list in one turn. The limit knows no list, so one measurement serves all; the shortest list is
/// for one question only, whether its length counts.
fn turns(plan: &Plan, bench: &Bench, cell: Cell) -> Vec<(Contender, usize)> {
    let last = bench.scenes.len() - 1;
    let first_compared = bench.scenes.len() - bench.compared().len();
    let mut turns = vec![(Contender::Limit, last)];
    if cell == plan.main_cell() && first_compared > 0 {
        turns.push((Contender::Suppressd, 0));
    }
    for contender in [Contender::Suppressd, Contender::Direct, Contender::Script] {
        let works = match contender {
            Contender::Direct => bench.peers_work,
            Contender::Script => bench.peers_work && plan.python.is_some(),
            _ => true,
        };
        turns.extend((first_compared..=last).rev().filter(|_| works).map(|scene| (contender, scene)));
    }
    turns
}

/// How fast each contender was last with jobs of a size: sizes the next queue.
pub(crate) type Speeds = HashMap<(Contender, u64), f64>;

/// What is expected of a contender.
pub(crate) fn expected(speeds: &Speeds, contender: Contender, cell: Cell) -> f64 {
    speeds.get(&(contender, cell.recipients)).copied().unwrap_or_else(|| contender.guess())
}

/// Rounds until all are done or the time is up: what is left of it after the last whole round goes to the kind of
/// jobs that is compared first. The first round, 0, is done whatever the time.
pub(crate) async fn measure(
    plan: &Plan,
    bench: &Bench,
    rounds: Range<usize>,
    speeds: &mut Speeds,
    findings: &mut Findings,
) {
    let main = [plan.main_cell()];
    for round in rounds {
        let left = plan.until.saturating_duration_since(Instant::now());
        let took = findings.took;
        let cells = if round == 0 || took.all < left {
            plan.cells.as_slice()
        } else if took.main < left {
            main.as_slice()
        } else {
            eprintln!("no time for round {} of {}", round + 1, plan.rounds);
            break;
        };
        let begun = Instant::now();
        for cell in cells {
            let started = Instant::now();
            for (contender, scene) in turns(plan, bench, *cell) {
                turn(&Turn { plan, bench, cell: *cell, contender, scene, round }, speeds, findings).await;
            }
            if *cell == main[0] {
                findings.took.main = took.main.max(started.elapsed());
            }
        }
        findings.took.all = took.all.max(begun.elapsed());
    }
}

/// How long the longest round took, and its first kind of jobs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Took {
    all: Duration,
    main: Duration,
}

struct Turn<'a> {
    plan: &'a Plan,
    bench: &'a Bench,
    cell: Cell,
    contender: Contender,
    scene: usize,
    round: usize,
}

async fn turn(turn: &Turn<'_>, speeds: &mut Speeds, findings: &mut Findings) {
    let Turn { plan, bench, cell, contender, round, .. } = *turn;
    let scene = &bench.scenes[turn.scene];
    let place = Place { plan, scene, peers: &bench.peers, list: scene.list };
    let what = format!(
        "{}, {} recipients a message, {}, {} identifiers",
        contender.name(),
        cell.recipients,
        cell.channel.as_str(),
        scene.list
    );
    let measured = place.measure(contender, cell, expected(speeds, contender, cell), round);
    let measured = attempt(&what, MEASUREMENT_TIME_MAX, measured).await;
    let Some(sample) = findings.note(measured) else { return };
    let [own, rabbitmq, redis] = sample.cores;
    eprintln!(
        "round {}: {what}: {:.0} recipients/s; cores: {own:.2} itself, {rabbitmq:.2} RabbitMQ, {redis:.2} Redis",
        round + 1,
        sample.speed,
    );
    speeds.insert((contender, cell.recipients), sample.speed);
    findings.samples.push(sample);
}
