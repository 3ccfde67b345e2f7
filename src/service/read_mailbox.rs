//! The mailbox: each mail is read, becomes at most one event, and is marked; in this order.
//!
//! A mail is marked only after its event is confirmed, so that a crash at any point repeats and never skips;
//! a repetition publishes the same bytes under the same id, or finds that the event is known and publishes
//! nothing. One worker reads at a time, by a lease that is never needed for being right. Nothing is ever
//! deleted. Deliberately absent: what a mail means (`domain::mail`), and IMAP (the [`Mailbox`] port).

mod flood;
mod folder;
mod mail;
mod memory;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use self::memory::{Memory, Minds};
use super::alarms::Alarms;
use super::clock::Clock;
use super::gate::{Closed, Gate};
use super::health::{Dependency, Health, State, Warning};
use super::ports::{Folder, MAIL_TURN, Mail, MailFault, MailFaultKind, MailTurn, Mailbox};
use super::post::Post;
use crate::domain::digest::HashKey;
use crate::domain::mail::reading::Reading;
use crate::domain::record::{EventKey, WorkerId};
use crate::metrics::Metrics;

/// How often the turn to read is asked for, and renewed.
const TURN_RENEW: Duration = Duration::from_secs(2);

/// Between sessions after a fault, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));

/// The same after a refused login: servers lock accounts that try too often.
const LOGIN_PAUSE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_mins(15));

/// A session that lacks a folder ends after this, to look for it again.
const MISSING_RETRY: Duration = Duration::from_mins(5);

/// The rule of a mail that our own code could not read.
pub const CRASH_RULE: &str = "unsure.crash";

/// What a mail is and asks for.
pub struct Read {
    /// What tells it from every other mail, and is the same in every folder. It may name a person.
    pub identity: Vec<u8>,
    /// What it asks for.
    pub reading: Reading,
}

/// Reads a mail. It may panic: then a person must look.
pub type MailReader = Arc<dyn Fn(&Mail) -> Read + Send + Sync>;

/// Knows what became of events.
#[async_trait]
pub trait KnownEvents: Send + Sync {
    /// Whether the list has the outcome of this event.
    async fn known(&self, event: EventKey) -> Result<bool, Closed>;
}

#[async_trait]
impl KnownEvents for Gate {
    async fn known(&self, event: EventKey) -> Result<bool, Closed> {
        Ok(self.pass_with(event).await?.outcome.is_some())
    }
}

/// What the desk is told.
pub struct Plan {
    /// The folders that are read.
    pub folders: Vec<String>,
    /// In whose name events are published.
    pub source: String,
    /// The AMQP user that publishes them, where the source insists on one.
    pub user: Option<String>,
    /// How long a folder goes without being looked at as a whole.
    pub poll: Duration,
    /// The most bytes of a mail that are fetched.
    pub mail_bytes_max: usize,
    /// Where mails go that need nobody any more.
    pub move_to: Option<String>,
    /// Where mails go that a person must read.
    pub review_to: Option<String>,
    /// Forged requests in an hour before that is alarmed.
    pub forged_per_hour_max: usize,
}

/// What the desk works with.
pub struct Parts {
    /// The mailbox.
    pub mailbox: Arc<dyn Mailbox>,
    /// Whose turn it is.
    pub turn: Arc<dyn MailTurn>,
    /// What is known already.
    pub known: Arc<dyn KnownEvents>,
    /// Reads mails.
    pub reader: MailReader,
    /// Publishes events.
    pub post: Post,
    /// Alarms.
    pub alarms: Alarms,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The key under which mails are named: the first one.
    pub key: HashKey,
    /// This run of this worker.
    pub worker: WorkerId,
    /// Where faults are shown.
    pub health: Health,
    /// The metrics.
    pub metrics: Arc<Metrics>,
}

/// Reads the mailbox.
pub struct MailDesk {
    parts: Parts,
    plan: Plan,
    /// Held while a mail is worked on: one at a time is in memory, whatever folder it is in, and two copies of
    /// one mail in two folders are not taken for two.
    memory: Mutex<Memory>,
    minds: Minds,
    /// Whether a whole folder was looked at since the last fault.
    looked: AtomicBool,
}

/// Why a session with the mailbox ended.
enum Ended {
    /// The server's fault, or the network's.
    Fault(MailFault),
    /// To begin another.
    Again,
    /// The worker is shutting down.
    Closed,
}

impl From<MailFault> for Ended {
    fn from(fault: MailFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Closed> for Ended {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl MailDesk {
    /// A desk that has read nothing yet.
    pub fn new(parts: Parts, plan: Plan) -> Self {
        let memory = Mutex::new(Memory::new(plan.forged_per_hour_max));
        Self { parts, plan, memory, minds: Minds::default(), looked: AtomicBool::new(false) }
    }

    /// Reads whenever it is this worker's turn, until the worker shuts down.
    pub async fn run(&self) {
        let mut pauses = Pauses::new();
        loop {
            self.take_turn().await;
            let ended = tokio::select! {
                ended = self.session() => ended,
                () = self.turn_lost() => Ended::Again,
            };
            match ended {
                Ended::Closed => return,
                Ended::Again => {}
                Ended::Fault(fault) => {
                    self.show(&fault);
                    if self.looked.swap(false, Ordering::Relaxed) {
                        pauses = Pauses::new();
                    }
                    sleep(pauses.next(fault.kind)).await;
                }
            }
        }
    }

    /// Waits until it is this worker's turn.
    async fn take_turn(&self) {
        loop {
            match self.parts.turn.turn(self.parts.worker).await {
                Ok(true) => return,
                Ok(false) => {
                    let why = State::Idle("another worker reads it".into());
                    self.parts.health.set(Dependency::Mailbox, why);
                    self.parts.health.warn(Warning::Mailbox, None);
                }
                Err(fault) => {
                    let why = format!("nobody can say whose turn it is to read: {fault}");
                    self.parts.health.set(Dependency::Mailbox, State::NotReady(why));
                }
            }
            sleep(TURN_RENEW).await;
        }
    }

    /// Renews the turn until it is another's, or may be.
    async fn turn_lost(&self) {
        let mut held = Instant::now();
        loop {
            sleep(TURN_RENEW).await;
            let asked = Instant::now();
            match self.parts.turn.turn(self.parts.worker).await {
                Ok(true) => held = asked,
                Ok(false) => return,
                Err(_) if held.elapsed() + TURN_RENEW >= MAIL_TURN => return,
                Err(_) => {}
            }
        }
    }

    /// Opens every folder and reads until something fails.
    async fn session(&self) -> Ended {
        let mut open: Vec<(&str, Box<dyn Folder>)> = Vec::new();
        let mut missing = Vec::new();
        for name in &self.plan.folders {
            match self.parts.mailbox.open(name).await {
                Ok(Some(folder)) => open.push((name, folder)),
                Ok(None) => missing.push(name.as_str()),
                Err(fault) => return Ended::Fault(fault),
            }
        }
        let lacks = (!missing.is_empty()).then(|| format!("there is no folder {}", missing.join(", ")));
        if open.is_empty() {
            return Ended::Fault(MailFault::new(MailFaultKind::Refused, lacks.unwrap_or_default()));
        }
        self.parts.health.warn(Warning::MailboxFolders, lacks);
        self.parts.health.set(Dependency::Mailbox, State::Ready);
        self.parts.health.warn(Warning::Mailbox, None);
        let reading = open.into_iter().map(|(name, folder)| self.tend(name, folder));
        let reading = futures_util::future::select_all(reading.map(Box::pin));
        tokio::select! {
            (ended, ..) = reading => ended,
            () = sleep(MISSING_RETRY), if !missing.is_empty() => Ended::Again,
        }
    }

    fn show(&self, fault: &MailFault) {
        tracing::warn!(%fault, kind = fault.kind.as_str(), "the mailbox is not read");
        self.parts.metrics.mailbox_fault(fault.kind);
        self.parts.health.set(Dependency::Mailbox, State::NotReady(fault.what.clone()));
        self.parts.health.warn(Warning::Mailbox, Some(fault.what.clone()));
    }
}

/// How long to wait after a fault: longer each time, and much longer after a refused login.
struct Pauses {
    ordinary: ExponentialBackoff,
    login: ExponentialBackoff,
}

impl Pauses {
    fn new() -> Self {
        let within = |(least, most): (Duration, Duration)| {
            ExponentialBuilder::default()
                .with_min_delay(least)
                .with_max_delay(most)
                .with_jitter()
                .without_max_times()
                .build()
        };
        Self { ordinary: within(PAUSE), login: within(LOGIN_PAUSE) }
    }

    fn next(&mut self, kind: MailFaultKind) -> Duration {
        let (pauses, most) = match kind {
            MailFaultKind::Login => (&mut self.login, LOGIN_PAUSE.1),
            _ => (&mut self.ordinary, PAUSE.1),
        };
        pauses.next().unwrap_or(most)
    }
}
