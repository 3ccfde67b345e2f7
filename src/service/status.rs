//! How the worker is, gathered at one moment for people: what the status page draws.
//!
//! Nothing is asked for a page: everything here was seen by the tasks that look anyway, so that a page costs
//! the worker's path nothing, however often it is loaded. Figures of one worker and those that all share are
//! told apart by their names. Absent: identifiers, names of requests, and any wording.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::watch;
use tokio::time::{Instant, interval};

use super::clock::Clock;
use super::health::{self, Dependency, Health, Warning};
use super::history::{History, Hour};
use super::watch_deadlines::Seen;
use crate::domain::catalogue::Catalogue;
use crate::metrics::{Counts, Gauges, Metrics};

/// How often what was counted is recorded.
const RECORD_EVERY: Duration = Duration::from_secs(2);

/// The program and where it runs, for those who have several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The machine.
    pub host: String,
    /// Its number there.
    pub pid: u32,
    /// The program's version.
    pub version: &'static str,
    /// Since when it runs.
    pub started_at: Timestamp,
}

/// Whether anybody must do anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Something vital is lacking: nothing goes out.
    NotReady,
    /// It works, and somebody waits longer than the law allows.
    Overdue,
    /// It works, and somebody should look at something.
    Attention,
    /// All is well.
    Well,
}

/// Everything at one moment.
#[derive(Debug, Clone)]
pub struct Status {
    /// That moment.
    pub at: Timestamp,
    /// This worker.
    pub process: Process,
    /// The regions, in the order of the counts.
    pub catalogue: Arc<Catalogue>,
    /// Where working days are counted.
    pub zone: TimeZone,
    /// What it has and lacks.
    pub health: health::Snapshot,
    /// What this worker counted in the last hour.
    pub hour: Hour,
    /// What it counted since its start.
    pub totals: Counts,
    /// What all workers share, and this one's list in memory.
    pub gauges: Gauges,
    /// The requests, when they were last looked at; `None`: not yet.
    pub requests: Option<Seen>,
}

impl Status {
    /// Whether anybody must do anything.
    pub fn standing(&self) -> Standing {
        if !self.health.ready() {
            Standing::NotReady
        } else if self.health.warnings().contains_key(Warning::RequestsOverdue.as_str()) {
            Standing::Overdue
        } else if !self.health.warnings().is_empty()
            || self.health.states().any(|(_, state)| !state.is_well())
            || self.gauges.dead_waiting > 0
        {
            Standing::Attention
        } else {
            Standing::Well
        }
    }

    /// Whether what this dependency tells is new: else it is what was last known.
    pub fn is_current(&self, dependency: Dependency) -> bool {
        self.health.state(dependency).is_well()
    }
}

/// Where the figures of a status come from. Clones are the same.
#[derive(Clone)]
pub struct Board {
    parts: Arc<Parts>,
    history: Arc<Mutex<History>>,
    began: Instant,
}

/// What a board looks at.
pub struct Parts {
    /// This worker.
    pub process: Process,
    /// The regions.
    pub catalogue: Arc<Catalogue>,
    /// Where working days are counted.
    pub zone: TimeZone,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What is lacking.
    pub health: Health,
    /// The requests.
    pub requests: watch::Receiver<Option<Seen>>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl Board {
    /// A board whose hour begins now.
    pub fn new(parts: Parts) -> Self {
        let history = History::new(parts.metrics.counts());
        Self::with(parts, history)
    }

    /// A board with an hour that was recorded before.
    pub fn with(parts: Parts, history: History) -> Self {
        Self { parts: Arc::new(parts), history: Arc::new(Mutex::new(history)), began: Instant::now() }
    }

    /// What is counted.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.parts.metrics
    }

    /// What is lacking.
    pub fn health(&self) -> &Health {
        &self.parts.health
    }

    /// Records what is counted, for ever.
    pub async fn keep(self) {
        let mut ticks = interval(RECORD_EVERY);
        loop {
            ticks.tick().await;
            self.record();
        }
    }

    /// Records what was counted by now.
    pub fn record(&self) {
        let (age, totals) = (self.began.elapsed(), self.parts.metrics.counts());
        self.history.lock().unwrap_or_else(PoisonError::into_inner).record(age, totals);
    }

    /// Everything as it was last seen.
    pub fn status(&self) -> Status {
        let (hour, totals) = {
            let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
            (history.hour(), history.totals().clone())
        };
        let parts = &self.parts;
        Status {
            at: parts.clock.now(),
            process: parts.process.clone(),
            catalogue: parts.catalogue.clone(),
            zone: parts.zone.clone(),
            health: parts.health.snapshot(),
            hour,
            totals,
            gauges: parts.metrics.gauges(),
            requests: parts.requests.borrow().clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Queue;
    use crate::service::clock::SystemClock;
    use crate::service::health::State;

    fn board() -> Board {
        let catalogue = Arc::new(Catalogue::new(vec![], vec![]));
        let started_at = Timestamp::UNIX_EPOCH;
        let process = Process { host: "mq-1".into(), pid: 1, version: "0.1.0", started_at };
        let metrics = Arc::new(Metrics::new(&catalogue, ["email"]));
        let (health, clock) = (Health::default(), Arc::new(SystemClock));
        let requests = watch::channel(None).1;
        Board::new(Parts { process, catalogue, zone: TimeZone::UTC, metrics, health, requests, clock })
    }

    #[test]
    fn somebody_must_act_if_anything_is_not_as_it_should_be() {
        let board = board();
        let standing = || board.status().standing();
        assert_eq!(standing(), Standing::NotReady, "it has only begun");
        for dependency in Dependency::ALL {
            board.health().set(*dependency, State::Ready);
        }
        assert_eq!(standing(), Standing::Well);
        board.health().warn(Warning::Clock, Some("90 s ahead of Redis".into()));
        assert_eq!(standing(), Standing::Attention);
        board.health().warn(Warning::RequestsOverdue, Some("1 request is past its strict deadline".into()));
        assert_eq!(standing(), Standing::Overdue, "whatever else there is");
        board.health().warn(Warning::RequestsOverdue, None);
        board.health().warn(Warning::Clock, None);
        board.metrics().set_queue_messages(Queue::Dead, 1);
        assert_eq!(standing(), Standing::Attention);
        board.metrics().set_queue_messages(Queue::Dead, 0);
        board.health().set(Dependency::Mailbox, State::NotReady("refused".into()));
        assert_eq!(
            (standing(), board.status().is_current(Dependency::Mailbox)),
            (Standing::Attention, false)
        );
        board.health().set(Dependency::Mailbox, State::Idle("there is none".into()));
        assert_eq!(standing(), Standing::Well);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_counted_is_recorded_by_itself() {
        let board = board();
        let late = |board: &Board| (board.status().totals.late(), board.status().hour.minutes.len());
        board.metrics().late_request("email");
        assert_eq!(late(&board), (0, 1), "a page counts nothing itself");
        let mut keeping = tokio::task::JoinSet::new();
        keeping.spawn(board.clone().keep());
        tokio::time::sleep(Duration::from_secs(121)).await;
        assert_eq!(late(&board), (1, 3));
    }
}
