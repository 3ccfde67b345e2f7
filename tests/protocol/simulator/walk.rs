//! One history: its beginning, its steps, its end.
//!
//! Which faults may happen is drawn for each history: with all of them at once, one undoes what another one needs.

use std::time::Duration;

use suppressd::domain::fold::{Head, Working};
use suppressd::service::random;
use tokio::task::JoinSet;

use crate::fakes::outside::let_pass;
use crate::fakes::redis_link::Use;
use crate::fakes::steps::{Call, Held, Step};
use crate::world::{Delivery, Person, Setup, Worker, World};

mod beginnings;
mod troubles;

/// Steps of one history.
const STEPS: u32 = 16;

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

/// How long a slow call takes: below what the real adapters allow one.
const SLOW: [u64; 4] = [3, 150, 700, 2500];

/// What comes after everything is done comes within this.
const LATE: Duration = Duration::from_secs(4);

/// Between two steps.
const PAUSES: [u64; 6] = [0, 1, 7, 60, 300, 1500];

/// What may go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Call,
    Slow,
    Line,
    Crash,
    Session,
    Restart,
    Flush,
    Trim,
    Deaf,
    Failover,
    Unbound,
    Blocked,
}

const FAULTS: [Fault; 12] = [
    Fault::Call,
    Fault::Slow,
    Fault::Line,
    Fault::Crash,
    Fault::Session,
    Fault::Restart,
    Fault::Flush,
    Fault::Trim,
    Fault::Deaf,
    Fault::Failover,
    Fault::Unbound,
    Fault::Blocked,
];

pub(super) struct Walk {
    seed: u64,
    dice: Dice,
    log: Vec<String>,
    /// Faults of this history.
    faults: Vec<Fault>,
    workers: Vec<Worker>,
    /// Deliveries that were not acknowledged when last looked at, with the worker that has them.
    held: Vec<(usize, Delivery)>,
    people: u32,
    serving: usize,
    /// What workers have that start now.
    setup: Setup,
    /// Whether Redis lost something, or might have.
    lossy: bool,
    /// What lets slow calls go.
    timers: JoinSet<()>,
    world: World,
}

#[allow(clippy::print_stderr, reason = "how to replay a failure")]
impl Drop for Walk {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}, faults {:?}:\n  {}", self.seed, self.faults, self.log.join("\n  "));
        }
    }
}

impl Walk {
    pub(super) fn new(seed: u64, world: World) -> Self {
        let workers = (0..WORKERS).map(|_| world.start()).collect();
        let mut dice = Dice(seed);
        let faults = FAULTS.into_iter().filter(|_| dice.below(3) == 0).collect();
        Self {
            seed,
            dice,
            log: vec![],
            faults,
            workers,
            held: vec![],
            people: 0,
            serving: 0,
            setup: Setup::default(),
            lossy: false,
            timers: JoinSet::new(),
            world,
        }
    }

    /// From the beginning to the end.
    pub(super) async fn all(&mut self) {
        match self.dice.below(6) {
            0 => {}
            1..=3 => self.begin().await,
            _ => self.be_in_trouble().await,
        }
        self.world.check();
        for _ in 0..STEPS {
            self.step().await;
            self.world.check();
        }
        self.finish().await;
    }

    /// What was done, and everything that came out, in its order.
    pub(super) fn seen(&self) -> Vec<String> {
        let sent = self.world.mail.all();
        let sent = sent.iter().map(|m| format!("{} {}", m.routing_key, String::from_utf8_lossy(&m.body)));
        self.log.iter().cloned().chain(sent).collect()
    }

    /// Until it is acknowledged, or for as long as it might take.
    async fn somebody_opts_out(&mut self, worker: usize) {
        self.people += 1;
        self.note(format!("{} opts out through W{worker}", self.people));
        let mut delivery = self.workers[worker].opt_out(&self.world, Person(self.people));
        let done = tokio::time::timeout(Duration::from_millis(1500), delivery.done()).await;
        if done.is_err() {
            self.held.push((worker, delivery));
        }
    }

    fn give_an_opt_out(&mut self, worker: usize) {
        self.people += 1;
        self.note(format!("W{worker} gets the opt-out of {}", self.people));
        let delivery = self.workers[worker].opt_out(&self.world, Person(self.people));
        self.held.push((worker, delivery));
    }

    fn give_a_job(&mut self, worker: usize) {
        self.note(format!("W{worker} gets a job"));
        // Among them is who opts out next.
        let people: Vec<_> = (0..=self.people + 1).map(Person).collect();
        let delivery = self.workers[worker].job(&self.world, &people);
        self.held.push((worker, delivery));
    }

    async fn step(&mut self) {
        let worker = self.dice.below(WORKERS);
        match self.dice.below(if self.faults.is_empty() { 10 } else { 20 }) {
            0..=3 => self.give_an_opt_out(worker),
            4..=8 => self.give_a_job(worker),
            9 => {
                self.note("the serving Redis saves".into());
                self.world.redis.save(self.serving);
            }
            _ => {
                let fault = self.faults[self.dice.below(self.faults.len())];
                self.strike(fault, worker);
            }
        }
        let millis = PAUSES[self.dice.below(PAUSES.len())];
        let_pass(Duration::from_millis(millis)).await;
    }

    fn strike(&mut self, fault: Fault, worker: usize) {
        self.lossy |= matches!(fault, Fault::Restart | Fault::Flush | Fault::Failover);
        match fault {
            Fault::Call => {
                let step = self.some_step();
                self.note(format!("W{worker} will fail at {step:?}"));
                self.workers[worker].steps.fail(step);
            }
            Fault::Slow => {
                let (step, millis) = (self.some_step(), SLOW[self.dice.below(SLOW.len())]);
                self.slow(worker, step, millis);
            }
            Fault::Line => {
                let line = [Use::Barriers, Use::Work, Use::Feed, Use::Bulk][self.dice.below(4)];
                self.note(format!("W{worker} loses its connection for {line:?}"));
                self.workers[worker].redis.hang_up(line);
            }
            Fault::Crash => {
                self.note(format!("W{worker} crashes"));
                self.start_again(worker, &self.setup.clone());
            }
            Fault::Session => {
                self.note(format!("W{worker} loses its session, and works on what it had"));
                self.redeliver(worker);
            }
            Fault::Restart => {
                self.note("the serving Redis restarts and loses its tail".into());
                self.world.redis.restart(self.serving);
            }
            Fault::Flush => {
                self.note("the serving Redis is emptied".into());
                self.world.redis.flush(self.serving);
            }
            Fault::Trim => {
                let keep = self.dice.below(3);
                self.note(format!("the feed is trimmed to {keep}"));
                self.world.redis.trim_feed(self.serving, keep);
            }
            Fault::Deaf => {
                let deaf = self.dice.below(2) == 0;
                self.note(format!(
                    "W{worker} sees {} in the ledger",
                    if deaf { "nothing new" } else { "all" }
                ));
                let until = if deaf { self.world.stream.len() } else { u64::MAX };
                self.workers[worker].broker.sees_until(until);
            }
            Fault::Failover if self.dice.below(2) == 0 => self.sentinel(),
            Fault::Failover => {
                self.note(format!("W{worker} hears from Sentinel"));
                self.workers[worker].redis.move_to(self.serving);
            }
            Fault::Unbound => {
                let bound = self.dice.below(2) == 0;
                self.note(format!("{} is bound", if bound { "somebody" } else { "nobody" }));
                self.world.mail.bind(bound);
            }
            Fault::Blocked => {
                let blocked = self.dice.below(2) == 0;
                self.note(format!("RabbitMQ takes {}", if blocked { "nothing" } else { "all" }));
                self.world.mail.block(blocked);
            }
        }
    }

    fn some_step(&mut self) -> Step {
        let call = CALLS[self.dice.below(CALLS.len())];
        if self.dice.below(2) == 0 { Step::Before(call) } else { Step::After(call) }
    }

    /// The next call of this kind takes so long.
    fn slow(&mut self, worker: usize, step: Step, millis: u64) {
        self.note(format!("W{worker} will take {millis} ms at {step:?}"));
        let held = self.workers[worker].steps.hold(step);
        self.let_go(held, millis);
    }

    /// Holds a call for so long from now.
    fn let_go(&mut self, held: Held, millis: u64) {
        self.timers.spawn(async move {
            let_pass(Duration::from_millis(millis)).await;
            held.go();
        });
    }

    /// Another process takes the worker's place.
    fn start_again(&mut self, worker: usize, setup: &Setup) {
        self.workers[worker] = self.world.start_as(setup);
        self.workers[worker].redis.route(self.serving);
        self.redeliver(worker);
    }

    /// What a worker held comes again, to it or to its neighbour.
    fn redeliver(&mut self, worker: usize) {
        for (holder, delivery) in std::mem::take(&mut self.held) {
            if delivery.is_acked() {
                continue;
            }
            if holder == worker {
                delivery.lose();
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
        self.world.mail.bind(true);
        self.world.mail.block(false);
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
            assert_eq!(output.kept, [Person(0)].into(), "it leaks: everybody else was acknowledged");
        }
        self.check_fold();
        self.world.check_nothing_is_lost().await;
        // What comes late is looked at, too.
        let_pass(LATE).await;
        self.world.check();
        self.world.check_first_receipts();
        if !self.lossy {
            self.world.check_no_false_loss();
        }
        self.world.check_privacy();
    }

    /// A fresh fold of the ledger is the list.
    fn check_fold(&self) {
        let mut fold = Working::new(Head::new(random::list_id()));
        let applied = usize::try_from(self.world.redis.position(self.serving)).unwrap();
        let ledger = self.world.ledger_as_read();
        let applied =
            ledger.get(..applied).expect("the list is not the fold of a ledger that ends before it");
        for (position, entry) in (0..).zip(applied) {
            fold.fold(position, entry).unwrap();
        }
        let (revision, people, _) = self.world.redis.content(self.serving);
        let folded = (fold.head.revision, fold.people.into_iter().collect());
        assert!((revision, people) == folded, "the list is not the fold of the ledger");
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
