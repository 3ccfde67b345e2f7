//! What the workers' processes take, as the kernel tells it, looked at all the time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::interval;

use crate::support::{SOON, Worker, eventually};

const LOOKS: Duration = Duration::from_millis(250);

/// What a process takes: the most that any worker takes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// Bytes that are resident.
    pub(super) memory: u64,
    /// Open files.
    pub(super) files: u64,
    /// Threads.
    pub(super) threads: u64,
}

impl Usage {
    fn max(self, other: Self) -> Self {
        Self {
            memory: self.memory.max(other.memory),
            files: self.files.max(other.files),
            threads: self.threads.max(other.threads),
        }
    }

    /// `None`: the process has ended.
    fn of(pid: u32) -> Option<Self> {
        let entries =
            |name: &str| Some(std::fs::read_dir(format!("/proc/{pid}/{name}")).ok()?.count() as u64);
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(Self { memory: kib * 1024, files: entries("fd")?, threads: entries("task")? })
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
    now: Usage,
    peak: Usage,
}

impl Watch {
    /// Returns when it has looked once.
    pub(super) async fn start(workers: &[Worker]) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let mut looking = JoinSet::new();
        looking.spawn(look(Arc::clone(&seen)));
        let watch = Self { seen, _looking: looking };
        watch.follow(workers);
        let looked = async || (watch.now().memory > 0).then_some(());
        eventually("the kernel tells what the workers take", SOON, looked).await;
        watch
    }

    /// These processes, from now on.
    pub(super) fn follow(&self, workers: &[Worker]) {
        self.seen.lock().expect("nobody panics here").pids = workers.iter().map(Worker::pid).collect();
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
            seen.now = found;
            seen.peak = seen.peak.max(found);
        }
    }
}
