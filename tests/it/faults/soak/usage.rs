//! What the workers' processes take, as the kernel tells it and, of tasks, they themselves; looked at all the time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::interval;

use crate::support::{Metrics, SOON, Worker, eventually};

const LOOKS: Duration = Duration::from_millis(250);

/// Rarer, since it makes the worker count and write.
const ASKS: Duration = Duration::from_secs(1);

/// What a process takes: the most that any worker takes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// Bytes that are resident.
    pub(super) memory: u64,
    /// Open files.
    pub(super) files: u64,
    /// Threads.
    pub(super) threads: u64,
    /// Tasks of the asynchronous runtime.
    pub(super) tasks: u64,
}

impl Usage {
    fn max(self, other: Self) -> Self {
        Self {
            memory: self.memory.max(other.memory),
            files: self.files.max(other.files),
            threads: self.threads.max(other.threads),
            tasks: self.tasks.max(other.tasks),
        }
    }

    /// What the kernel knows. `None`: the process has ended.
    fn of(pid: u32) -> Option<Self> {
        let entries =
            |name: &str| Some(std::fs::read_dir(format!("/proc/{pid}/{name}")).ok()?.count() as u64);
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(Self { memory: kib * 1024, files: entries("fd")?, threads: entries("task")?, tasks: 0 })
    }
}

/// Looks at processes until it is dropped.
pub(super) struct Watch {
    seen: Arc<Mutex<Seen>>,
    _looking: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    pids: Vec<u32>,
    admin_ports: Vec<u16>,
    now: Usage,
    peak: Usage,
}

impl Seen {
    fn saw(&mut self, found: Usage) {
        self.now = found;
        self.peak = self.peak.max(found);
    }
}

impl Watch {
    /// Returns when it has looked once.
    pub(super) async fn start(workers: &[Worker]) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let mut looking = JoinSet::new();
        looking.spawn(look(Arc::clone(&seen)));
        looking.spawn(ask(Arc::clone(&seen)));
        let watch = Self { seen, _looking: looking };
        watch.follow(workers);
        let looked = async || (watch.now().memory > 0 && watch.now().tasks > 0).then_some(());
        eventually("it is known what the workers take", SOON, looked).await;
        watch
    }

    /// These processes, from now on.
    pub(super) fn follow(&self, workers: &[Worker]) {
        let mut seen = self.seen.lock().expect("nobody panics here");
        seen.pids = workers.iter().map(Worker::pid).collect();
        seen.admin_ports = workers.iter().map(Worker::admin_port).collect();
    }

    pub(super) fn now(&self) -> Usage {
        self.seen.lock().expect("nobody panics here").now
    }

    pub(super) fn peak(&self) -> Usage {
        self.seen.lock().expect("nobody panics here").peak
    }
}

async fn look(seen: Arc<Mutex<Seen>>) {
    let mut looks = interval(LOOKS);
    loop {
        looks.tick().await;
        let mut seen = seen.lock().expect("nobody panics here");
        let found = seen.pids.iter().filter_map(|pid| Usage::of(*pid)).reduce(Usage::max);
        if let Some(found) = found {
            let tasks = seen.now.tasks;
            seen.saw(Usage { tasks, ..found });
        }
    }
}

async fn ask(seen: Arc<Mutex<Seen>>) {
    let mut asks = interval(ASKS);
    loop {
        asks.tick().await;
        let ports = seen.lock().expect("nobody panics here").admin_ports.clone();
        // One that is frozen or has ended does not answer, and keeps this waiting.
        let alive = move || {
            ports.into_iter().filter_map(|port| Metrics::of(port).ok()).map(|metrics| tasks(&metrics)).max()
        };
        let found = spawn_blocking(alive).await.expect("nobody panics there");
        if let Some(tasks) = found {
            let mut seen = seen.lock().expect("nobody panics here");
            let found = Usage { tasks, ..seen.now };
            seen.saw(found);
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a small count")]
fn tasks(metrics: &Metrics) -> u64 {
    metrics.sum("suppressd_tasks", &[]) as u64
}
