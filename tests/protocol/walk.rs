//! Random histories: a few workers, everything that may go wrong in any order, and then nothing any more.
//!
//! What is checked: the law of [`World::check`] after every step; and once the faults stop, that everything
//! held is finished and every worker and a fresh fold of the ledger have the same list. A walk is a weak
//! instrument next to the histories that are told step by step: it finds what nobody thought of, not what is
//! rare. A failure prints its seed and its steps; the same seed walks the same way.

use std::time::Duration;

use suppressd::domain::fold::{Head, Working};
use suppressd::service::random;

use crate::fakes::outside::let_pass;
use crate::fakes::redis_link::Use;
use crate::fakes::steps::{Call, Step};
use crate::world::{Delivery, Person, Worker, World};

/// Walks of each kind.
const SEEDS: u64 = 100;

/// Steps of one walk.
const STEPS: u32 = 40;

const WORKERS: usize = 2;

const CALLS: [Call; 11] = [
    Call::Barrier,
    Call::Head,
    Call::Create,
    Call::Read,
    Call::Apply,
    Call::Lease,
    Call::Slice(0),
    Call::Slice(3),
    Call::Follow,
    Call::Append,
    Call::Publish,
];

#[test]
fn with_one_redis_nothing_leaks_and_everything_finishes() {
    walk_all(1, 0);
}

#[test]
fn with_three_redis_servers_nothing_leaks_and_everything_finishes() {
    walk_all(3, 1);
}

fn walk_all(nodes: usize, wait_replicas: usize) {
    for seed in 0..SEEDS {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut walk = Walk::new(seed, World::with_redis(nodes, wait_replicas));
            for _ in 0..STEPS {
                walk.step().await;
                walk.world.check();
            }
            walk.finish().await;
        });
    }
}

struct Walk {
    seed: u64,
    dice: Dice,
    log: Vec<String>,
    workers: Vec<Worker>,
    /// Deliveries that were not acknowledged when last looked at, with the worker that has them.
    held: Vec<(usize, Delivery)>,
    people: u32,
    serving: usize,
    world: World,
}

#[allow(clippy::print_stderr, reason = "how to replay a failure")]
impl Drop for Walk {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}:\n  {}", self.seed, self.log.join("\n  "));
        }
    }
}

impl Walk {
    fn new(seed: u64, world: World) -> Self {
        let workers = (0..WORKERS).map(|_| world.start()).collect();
        Self { seed, dice: Dice(seed), log: vec![], workers, held: vec![], people: 0, serving: 0, world }
    }

    async fn step(&mut self) {
        let worker = self.dice.below(WORKERS);
        match self.dice.below(20) {
            0..=4 => {
                self.people += 1;
                let delivery = self.workers[worker].opt_out(&self.world, Person(self.people));
                self.note(format!("W{worker} gets the opt-out of {}", self.people));
                self.held.push((worker, delivery));
            }
            5..=8 => {
                self.note(format!("W{worker} gets a job"));
                let delivery = self.workers[worker].job(&self.world, &self.everybody());
                self.held.push((worker, delivery));
            }
            9 | 10 => self.misfortune(worker),
            11 => self.crash(worker),
            12 => {
                self.note("the serving Redis saves".into());
                self.world.redis.save(self.serving);
            }
            13 => {
                self.note("the serving Redis restarts and loses its tail".into());
                self.world.redis.restart(self.serving);
            }
            14 => {
                self.note("the serving Redis is emptied".into());
                self.world.redis.flush(self.serving);
            }
            15 => {
                self.note("the feed is trimmed".into());
                let keep = self.dice.below(3);
                self.world.redis.trim_feed(self.serving, keep);
            }
            16 => {
                let end = self.world.stream.len();
                self.note(format!("W{worker} sees nothing new in the ledger"));
                self.workers[worker].broker.sees_until(end);
            }
            17 => {
                self.note(format!("W{worker} sees the whole ledger"));
                self.workers[worker].broker.sees_until(u64::MAX);
            }
            18 => self.sentinel(),
            _ => {
                self.note(format!("W{worker} hears from Sentinel"));
                self.workers[worker].redis.move_to(self.serving);
            }
        }
        let millis = [0, 1, 7, 60, 300, 1500][self.dice.below(6)];
        let_pass(Duration::from_millis(millis)).await;
    }

    /// A call fails, or a connection breaks.
    fn misfortune(&mut self, worker: usize) {
        if self.dice.below(4) == 0 {
            let line = [Use::Barriers, Use::Work, Use::Feed, Use::Bulk][self.dice.below(4)];
            self.note(format!("W{worker} loses its connection for {line:?}"));
            self.workers[worker].redis.hang_up(line);
            return;
        }
        let call = CALLS[self.dice.below(CALLS.len())];
        let step = if self.dice.below(2) == 0 { Step::Before(call) } else { Step::After(call) };
        self.note(format!("W{worker} will fail at {step:?}"));
        self.workers[worker].steps.fail(step);
    }

    /// A worker ends; another one starts and gets what it held, or its neighbour does.
    fn crash(&mut self, worker: usize) {
        self.note(format!("W{worker} crashes"));
        self.workers[worker] = self.world.start();
        self.workers[worker].redis.route(self.serving);
        for (holder, delivery) in std::mem::take(&mut self.held) {
            if delivery.is_acked() {
                continue;
            }
            if holder == worker {
                let next = self.dice.below(WORKERS);
                let again = self.workers[next].again(&self.world, &delivery);
                self.held.push((next, again));
            } else {
                self.held.push((holder, delivery));
            }
        }
    }

    /// A failover begins, or the one before comes to its end.
    fn sentinel(&mut self) {
        let nodes = self.world.redis.nodes().len();
        let astray = (0..nodes).find(|node| {
            let nodes = self.world.redis.nodes();
            *node != self.serving && (nodes[*node].copies != Some(self.serving) || !nodes[*node].up)
        });
        if let Some(node) = astray {
            self.note(format!("R{node} copies R{}", self.serving));
            self.world.redis.change(node, |node| node.up = true);
            self.world.redis.copy_from(node, self.serving);
        } else if nodes > 1 {
            let (old, dies) = (self.serving, self.dice.below(2) == 0);
            self.serving = (old + 1 + self.dice.below(nodes - 1)) % nodes;
            self.note(format!(
                "R{} serves; R{old} {}",
                self.serving,
                if dies { "dies" } else { "is cut off" }
            ));
            self.world.redis.change(old, |node| node.up = !dies);
            self.world.redis.promote(self.serving);
        }
    }

    /// No more faults: everything that is held gets done, and everybody has the same list.
    async fn finish(&mut self) {
        self.note("the faults stop".into());
        let nodes = self.world.redis.nodes().len();
        for node in (0..nodes).filter(|node| *node != self.serving) {
            self.world.redis.change(node, |node| node.up = true);
            self.world.redis.copy_from(node, self.serving);
        }
        for worker in &self.workers {
            worker.steps.clear();
            worker.broker.sees_until(u64::MAX);
            worker.redis.move_to(self.serving);
        }
        for (_, delivery) in &mut self.held {
            delivery.done().await;
        }
        for worker in &self.workers {
            let output = worker.job(&self.world, &self.everybody()).output().await;
            assert_eq!(output.kept, [Person(0)].into(), "everybody else was acknowledged");
        }
        let mut fold = Working::new(Head::new(random::list_id()));
        let applied = usize::try_from(self.world.redis.position(self.serving)).unwrap();
        for (position, entry) in (0..).zip(&self.world.stream.entries()[..applied]) {
            fold.fold(position, entry).unwrap();
        }
        let (revision, people, _) = self.world.redis.content(self.serving);
        assert_eq!((revision, people), (fold.head.revision, fold.people.into_iter().collect()));
        self.world.check();
    }

    /// Everybody who ever opted out, and one who never did.
    fn everybody(&self) -> Vec<Person> {
        (0..=self.people).map(Person).collect()
    }

    fn note(&mut self, line: String) {
        self.log.push(line);
    }
}

/// `SplitMix64`: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % sides as u64).expect("below a usize")
    }
}
