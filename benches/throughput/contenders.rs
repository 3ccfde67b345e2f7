//! Who empties the queue, and how fast: one measurement.
//!
//! Every contender is a process of its own, started on a full queue. Measured is from the first mark that comes out
//! to the last; start, loading and warm-up lie before, and the queue is not empty behind.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::plan::{Cell, Plan};
use crate::process::cpu_seconds;
use crate::scene::{Filled, Scene};
use crate::support::{Kept, Message, Redis, Worker};

/// In the order in which they take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Contender {
    /// The loop that looks at nothing.
    Limit,
    /// One worker, as shipped.
    Suppressd,
    /// Rust, asking Redis about every identifier.
    Direct,
    /// The same in Python.
    Script,
}

impl Contender {
    pub(crate) const ALL: [Self; 4] = [Self::Limit, Self::Suppressd, Self::Direct, Self::Script];

    /// What tables call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Suppressd => "suppressd",
            Self::Direct => "peer, direct",
            Self::Script => "peer, script",
        }
    }

    /// Recipients a second before anything was measured, to size the first queue.
    pub(crate) fn guess(self) -> f64 {
        match self {
            Self::Limit => 800_000.0,
            Self::Suppressd => 500_000.0,
            Self::Direct => 150_000.0,
            Self::Script => 30_000.0,
        }
    }
}

/// One measurement.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Whose jobs.
    pub(crate) cell: Cell,
    /// Who.
    pub(crate) contender: Contender,
    /// Identifiers on the list; for the limit, which knows none, of the installation that it ran on.
    pub(crate) list: u64,
    /// In which repetition.
    pub(crate) round: usize,
    /// Recipients a second.
    pub(crate) speed: f64,
    /// Cores that the contender, RabbitMQ and Redis were busy on.
    pub(crate) cores: [f64; 3],
    /// From its start until it was ready, of a worker.
    pub(crate) ready: Option<Duration>,
}

/// A started contender. Dropping it kills it.
pub(crate) enum Running {
    /// The product.
    Worker(Worker),
    /// Somebody else.
    Other(Kept),
}

impl Running {
    fn pid(&self) -> u32 {
        match self {
            Self::Worker(worker) => worker.pid(),
            Self::Other(process) => process.id(),
        }
    }
}

/// Where a contender runs.
pub(crate) struct Place<'a> {
    /// The plan.
    pub(crate) plan: &'a Plan,
    /// RabbitMQ, and the worker's list.
    pub(crate) scene: &'a Scene,
    /// The peers' Redis.
    pub(crate) peers: &'a Redis,
    /// Identifiers on the list that is asked.
    pub(crate) list: u64,
}

impl Place<'_> {
    /// Measures once. `expected` sizes the queue.
    pub(crate) async fn measure(
        &self,
        contender: Contender,
        cell: Cell,
        expected: f64,
        round: usize,
    ) -> Sample {
        let seconds = self.plan.length.as_secs_f64() / 0.9;
        let jobs = jobs(expected * seconds / cell.recipients as f64);
        let filled = self.scene.fill(cell, jobs, self.list).await;
        let started = Instant::now();
        let running = self.start(contender);
        let mut ready = None;
        if let Running::Worker(worker) = &running {
            worker.wait_ready().await;
            ready = Some(started.elapsed());
        }
        let redis =
            if contender == Contender::Suppressd { self.scene.stage.redis.pid() } else { self.peers.pid() };
        let pids = [running.pid(), self.scene.stage.vhost.broker().pid(), redis];
        let patience = Duration::from_secs_f64(40.0 + 10.0 * seconds);
        let watched = watch(self.scene, &filled, pids, patience).await;
        drop(running);
        filled.check(&watched.outputs, contender != Contender::Limit);
        let speed = watched.jobs as f64 * cell.recipients as f64 / watched.length.as_secs_f64();
        Sample { cell, contender, list: self.list, round, speed, cores: watched.cores, ready }
    }

    fn start(&self, contender: Contender) -> Running {
        let scene = self.scene;
        let (amqp, redis, list) = (scene.amqp(), self.peers.admin_url(), self.list.to_string());
        let own = || Command::new(std::env::current_exe().expect("this program has a path"));
        let command = match contender {
            Contender::Suppressd => return Running::Worker(scene.stage.start("suppressd")),
            Contender::Limit => with(own(), &["limit", &amqp]),
            Contender::Direct => with(own(), &["peer-direct", &amqp, &redis, &list]),
            Contender::Script => {
                let python = self.plan.python.as_deref().expect("the script runs only where Python is");
                let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peer_script.py");
                with(Command::new(python), &[&script.display().to_string(), &amqp, &redis, &list])
            }
        };
        Running::Other(Kept::start(command, scene.stage.directory(), "contender"))
    }
}

fn with(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}

/// At least so many that there are marks to time, at most what disks should hold.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped")]
fn jobs(wanted: f64) -> u64 {
    wanted.clamp(12.0, 200_000.0) as u64
}

/// What was seen between the first mark and the last.
pub(crate) struct Watched {
    /// How long that was.
    pub(crate) length: Duration,
    /// Jobs that came out.
    pub(crate) jobs: u64,
    /// Cores that each process was busy on.
    pub(crate) cores: [f64; 3],
    /// The marks.
    pub(crate) outputs: Vec<Message>,
}

/// Waits for every mark; the whole of it may take so long.
pub(crate) async fn watch(scene: &Scene, filled: &Filled, pids: [u32; 3], patience: Duration) -> Watched {
    let end = Instant::now() + patience;
    let mut outputs = Vec::new();
    let (mut from, mut to) = (None, (Instant::now(), [0.0; 3]));
    for _ in &filled.marks {
        let (at, output) = scene.next_mark(end.saturating_duration_since(Instant::now())).await;
        outputs.push(output);
        to = (at, pids.map(cpu_seconds));
        from.get_or_insert(to);
    }
    let (first, last) = (filled.marks[0], filled.marks[filled.marks.len() - 1]);
    let (started, before) = from.expect("there is a mark");
    let length = to.0 - started;
    let busy = |n: usize| (to.1[n] - before[n]) / length.as_secs_f64();
    Watched { length, jobs: last - first, cores: [busy(0), busy(1), busy(2)], outputs }
}
