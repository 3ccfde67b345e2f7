//! Applying: every worker reads the ledger, any of them may fold the next records onto the list.
//!
//! Healing is not a procedure. After a restart, a failover that dropped the last writes or FLUSHALL, the list
//! stands at some position (a missing one is created, at position 0), and applying goes on from there.
//! Before anything is applied, the ledger is checked against the list: record 0 must be the genesis it was
//! folded from, and the record before its position the one it remembers. A lease keeps the other workers
//! idle; it is never needed for being right, because each write compares first.

mod window;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};
use window::Window;

use super::gate::Glance;
use super::ports::{BrokerFault, Ledger, LedgerReader, List, ListFault, Start};
use super::random;
use crate::codec::record::{self, UnreadableRecord};
use crate::domain::digest::KeyCheck;
use crate::domain::fold::{FOLD_VERSION, FoldFault, Head, Working};
use crate::domain::record::{Entry, ListId, Record, WorkerId};
use crate::fail_points::{FailPoint, armed};

pub use window::BATCH_WEIGHT_MAX;

/// Without the lease, a list that stands still for this long although records are left is applied to anyway.
const STANDSTILL: Duration = Duration::from_millis(200);

/// How often the holder renews its lease.
const RENEW: Duration = Duration::from_millis(700);

/// The first record is waited for this long, and looked for twice before a ledger counts as empty.
const GENESIS_TIMEOUT: Duration = Duration::from_millis(2500);

/// A record that must be there is waited for this long.
const RECORD_TIMEOUT: Duration = Duration::from_secs(4);

/// Between tries after a fault.
const FAULT_RETRY: Duration = Duration::from_millis(250);

/// Before the ledger is read anew because the list is not where it was.
const AGAIN_RETRY: Duration = Duration::from_millis(20);

/// A ledger must look lost or empty this often in a row, each time to a new reader, before that is believed.
const DOUBTS_MAX: u32 = 1;

/// Between looks at a ledger that lost records.
const LOST_RETRY: Duration = Duration::from_secs(2);

/// What the applier knows of the ledger, for readiness and for those who append.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is what somebody else has to know")]
pub struct LedgerState {
    /// The ledger is the one that the list was folded from: it may be appended to.
    pub whole: bool,
    /// It has no first record: `init` was never run here.
    pub empty: bool,
    /// It lacks what the list has.
    pub lost: bool,
    /// Workers of another version apply it: they bring a fence of this one into the list, and its jobs can be
    /// filtered.
    pub foreign: bool,
    /// What this worker found missing from the list before it was applied again: how often by now, and what.
    pub missed: Option<(u64, &'static str)>,
    /// What is wrong, for people.
    pub why: String,
}

/// Folds the ledger onto the list.
pub struct Applier {
    list: Arc<dyn List>,
    ledger: Arc<dyn Ledger>,
    worker: WorkerId,
    glance: watch::Receiver<Glance>,
    state: watch::Sender<LedgerState>,
    /// Somebody waits for an own record that does not come back.
    nudge: Arc<Notify>,
    leased_at: Option<Instant>,
    /// Without the lease: when it was asked for in vain.
    refused_at: Option<Instant>,
    /// How often in a row the ledger looked lost or empty: silence alone proves nothing.
    doubts: u32,
    /// Which list was seen, and how far it was applied.
    reached: Option<(ListId, u64)>,
    missed: Option<(u64, &'static str)>,
}

/// Why one reading of the ledger ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Broker(#[from] BrokerFault),
    #[error(transparent)]
    List(#[from] ListFault),
    #[error(transparent)]
    Unreadable(#[from] UnreadableRecord),
    #[error(transparent)]
    Fold(#[from] FoldFault),
    #[error("the ledger has no first record: run `suppressd init` once")]
    Empty,
    #[error("the ledger lacks what the list has ({0}): run `suppressd rebuild`")]
    Lost(&'static str),
    #[error(
        "another version of suppressd keeps the list (fold {0}, this is {FOLD_VERSION}): this worker filters and does not \
         apply; when all workers are of this version, run `suppressd rebuild`"
    )]
    Version(u32),
    #[error("the list depends on key {0}, which hashing.key_files does not have: add its file")]
    Key(KeyCheck),
    /// The list or the reader is not where it was: look again. Nothing is wrong.
    #[error("{0}")]
    Again(&'static str),
    #[error("the worker is shutting down")]
    Closed,
}

impl Applier {
    /// An applier that must be [run](Applier::run).
    pub fn new(
        list: Arc<dyn List>,
        ledger: Arc<dyn Ledger>,
        worker: WorkerId,
        glance: watch::Receiver<Glance>,
        nudge: Arc<Notify>,
        state: watch::Sender<LedgerState>,
    ) -> Self {
        Self {
            list,
            ledger,
            worker,
            glance,
            state,
            nudge,
            leased_at: None,
            refused_at: None,
            doubts: 0,
            reached: None,
            missed: None,
        }
    }

    /// Applies until the gate closes.
    pub async fn run(mut self) {
        loop {
            let Err(ended) = self.session().await;
            let pause = match &ended {
                Ended::Closed => return,
                Ended::Again(why) => {
                    tracing::debug!(why, "the ledger is read again");
                    tokio::time::sleep(AGAIN_RETRY).await;
                    continue;
                }
                Ended::Empty | Ended::Lost(_) if self.doubts < DOUBTS_MAX => {
                    tracing::debug!(why = %ended, "the ledger is read again, to be sure");
                    self.doubts += 1;
                    continue;
                }
                Ended::Broker(_) | Ended::List(_) => FAULT_RETRY,
                _ => LOST_RETRY,
            };
            self.show(LedgerState {
                whole: false,
                empty: matches!(ended, Ended::Empty),
                lost: matches!(ended, Ended::Lost(_)),
                foreign: matches!(ended, Ended::Version(_)),
                missed: self.missed,
                why: ended.to_string(),
            });
            tokio::time::sleep(pause).await;
        }
    }

    /// Reads and applies until something is not as it was.
    async fn session(&mut self) -> Result<std::convert::Infallible, Ended> {
        let genesis = match first_record(&*self.ledger).await {
            Err(Ended::Empty) if self.list.head().await?.is_some_and(|(head, _)| head.position > 0) => {
                return Err(Ended::Lost("it is empty"));
            }
            genesis => genesis?,
        };
        let head = match self.list.head().await? {
            Some((head, fold)) if fold == FOLD_VERSION || armed(FailPoint::AnyVersion) => head,
            Some((_, other)) => return Err(Ended::Version(other)),
            None => {
                if self.list.create(random::list_id()).await? {
                    tracing::warn!("an empty list was created; it is filled from the ledger");
                    self.misses("Redis has no list");
                }
                return Err(Ended::Again("the list was created"));
            }
        };
        self.has_keys(&head)?;
        if self.reached.is_some_and(|(list, position)| list == head.list && position > head.position) {
            self.misses("Redis has an older list than before");
        }
        self.reached = Some((head.list, head.position));
        let mut reader = open_at(&*self.ledger, &genesis, &head).await?;
        self.doubts = 0;
        self.show(LedgerState { whole: true, missed: self.missed, ..LedgerState::default() });
        self.apply_from(head, &mut *reader).await
    }

    /// Applies what the reader brings.
    async fn apply_from(
        &mut self,
        mut head: Head,
        reader: &mut dyn LedgerReader,
    ) -> Result<std::convert::Infallible, Ended> {
        let mut window = Window::default();
        let mut ahead = None;
        let mut stood_since = Instant::now();
        loop {
            self.reached = Some((head.list, head.position));
            window.fill(reader, head.position)?;
            let mut apply = !window.is_empty();
            if apply && !self.leased().await? && stood_since.elapsed() < STANDSTILL {
                apply = false;
            }
            if apply {
                let before = head.position;
                head = self.apply_batch(head, &mut window, &mut ahead).await?;
                self.has_keys(&head)?;
                if head.position > before {
                    stood_since = Instant::now();
                }
                continue;
            }
            let idle = window.is_empty();
            tokio::select! {
                biased;
                () = self.nudge.notified(), if !armed(FailPoint::NoNewReader) => return Err(Ended::Again("a record does not come back")),
                seen = self.glance.changed() => {
                    seen.map_err(|_| Ended::Closed)?;
                    self.still_there(&head)?;
                    self.has_keys(&head)?;
                }
                record = reader.next(), if window.has_room() => {
                    if idle {
                        stood_since = Instant::now();
                    }
                    window.take(record?, head.position)?;
                }
                () = tokio::time::sleep(STANDSTILL / 4), if !idle => {
                    let before = head.position;
                    head = self.refreshed(head, &mut window).await?;
                    self.has_keys(&head)?;
                    if head.position > before {
                        stood_since = Instant::now();
                    }
                }
            }
        }
    }

    /// A worker that lacks a key must not decide about what was written under it. Which keys are needed, only a
    /// list that is proven whole says: on the way there, one names keys that were retired later.
    fn has_keys(&self, head: &Head) -> Result<(), Ended> {
        match self.glance.borrow().lacks {
            Some(key) if head.keys.contains(&key) => Err(Ended::Key(key)),
            _ => Ok(()),
        }
    }

    /// Applying again may be quicker than the next barrier, which would then show nothing of it.
    fn misses(&mut self, what: &'static str) {
        let times = self.missed.map_or(0, |(times, _)| times);
        self.missed = Some((times + 1, what));
    }

    /// Redis must not have less than what was applied.
    fn still_there(&mut self, head: &Head) -> Result<(), Ended> {
        let glance = self.glance.borrow_and_update();
        match &glance.identity {
            Some(identity) if identity.list != head.list => Err(Ended::Again("another list serves")),
            None if glance.reachable => Err(Ended::Again("the list is gone")),
            Some(_) if glance.position < head.position && glance.lost.is_some() => {
                Err(Ended::Again("the list is older than before"))
            }
            _ => Ok(()),
        }
    }

    /// Whether this worker holds the lease; asks at most every so often.
    async fn leased(&mut self) -> Result<bool, Ended> {
        if self.leased_at.is_some_and(|at| at.elapsed() < RENEW) {
            return Ok(true);
        }
        if self.refused_at.is_some_and(|at| at.elapsed() < STANDSTILL / 4) {
            return Ok(false);
        }
        let leased = self.list.lease(self.worker).await?;
        self.leased_at = leased.then(Instant::now);
        self.refused_at = (!leased).then(Instant::now);
        Ok(leased)
    }

    /// Folds the next records and writes them; if somebody else was first, looks where the list is now. What the
    /// records after them need is read right behind the write, and put `ahead`.
    async fn apply_batch(
        &mut self,
        head: Head,
        window: &mut Window,
        ahead: &mut Option<Working>,
    ) -> Result<Head, Ended> {
        let batch = window.batch_after(0);
        let working = ahead.take().filter(|ahead| ahead.head == head);
        let working = working.unwrap_or_else(|| Working::new(head.clone()));
        let folded = match fold_working(&*self.list, working, &batch).await {
            Ok(folded) => Some(folded),
            Err(FoldOrList::List(ListFault::Moved)) => None,
            Err(fault) => return Err(fault.into()),
        };
        let written = match &folded {
            Some(folded) => {
                let next = window.batch_after(batch.len());
                let (written, read) =
                    tokio::join!(self.list.apply(&head, folded), read_ahead(&*self.list, folded, &next));
                *ahead = read;
                written?
            }
            None => false,
        };
        let Some(folded) = folded.filter(|_| written) else {
            self.leased_at = None;
            return self.refreshed(head, window).await;
        };
        window.drop_until(folded.head.position);
        Ok(folded.head)
    }

    /// Where the list is now; drops what somebody else applied.
    async fn refreshed(&self, head: Head, window: &mut Window) -> Result<Head, Ended> {
        let (now, _) = self.list.head().await?.ok_or(Ended::Again("the list is gone"))?;
        if now.list != head.list || now.position < head.position {
            return Err(Ended::Again("the list is another, or older than before"));
        }
        window.drop_until(now.position);
        Ok(now)
    }

    fn show(&self, state: LedgerState) {
        self.state.send_if_modified(|shown| {
            let another = *shown != state;
            if another && !state.whole {
                tracing::warn!(why = state.why, "the ledger is not applied");
            }
            *shown = state;
            another
        });
    }
}

/// Reads what these records need of the list, and folds them.
pub async fn fold_onto(list: &dyn List, head: Head, batch: &[&Entry]) -> Result<Working, FoldOrList> {
    fold_working(list, Working::new(head), batch).await
}

/// The same with some of it read already.
async fn fold_working(
    list: &dyn List,
    mut working: Working,
    batch: &[&Entry],
) -> Result<Working, FoldOrList> {
    let first = working.head.position;
    loop {
        let missing = working.missing(batch.iter().copied());
        if missing.is_empty() {
            break;
        }
        list.read(&missing, &mut working).await?;
    }
    for (position, entry) in (first..).zip(batch) {
        working.fold(position, entry)?;
    }
    Ok(working)
}

/// What the records after a batch need, as it is once the batch is in. The list answers that only if the batch is
/// in by then; else it is read when their turn comes, and so is what links lead on to.
async fn read_ahead(list: &dyn List, before: &Working, next: &[&Entry]) -> Option<Working> {
    let mut working = Working::new(before.head.clone());
    let missing = working.missing(next.iter().copied());
    list.read(&missing, &mut working).await.ok().filter(|()| !missing.is_empty())?;
    Some(working)
}

/// A batch could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum FoldOrList {
    /// The list could not be read.
    #[error(transparent)]
    List(#[from] ListFault),
    /// The ledger is not one.
    #[error(transparent)]
    Fold(#[from] FoldFault),
}

impl From<FoldOrList> for Ended {
    fn from(either: FoldOrList) -> Self {
        match either {
            FoldOrList::List(fault) => Self::List(fault),
            FoldOrList::Fold(fault) => Self::Fold(fault),
        }
    }
}

/// The genesis, if the ledger has its first record.
async fn first_record(ledger: &dyn Ledger) -> Result<Entry, Ended> {
    let mut reader = ledger.read_from(Start::Offset(0)).await?;
    let (offset, bytes) = timeout(GENESIS_TIMEOUT, reader.next()).await.map_err(|_| Ended::Empty)??;
    if offset != 0 {
        return Err(Ended::Lost("its first records were trimmed: remove the policy that limits the stream"));
    }
    let entry = record::read(&bytes)?;
    match entry.record {
        Record::Genesis { .. } => Ok(entry),
        _ => Err(Ended::Lost("its first record is no genesis")),
    }
}

/// A reader whose next record is the one at the list's position.
async fn open_at(ledger: &dyn Ledger, genesis: &Entry, head: &Head) -> Result<Box<dyn LedgerReader>, Ended> {
    let previous = head.position.checked_sub(1).filter(|_| !armed(FailPoint::AnyLedger));
    let Some(previous) = previous else {
        return Ok(ledger.read_from(Start::Offset(head.position)).await?);
    };
    match &genesis.record {
        Record::Genesis { ledger, .. } if head.ledger == Some(*ledger) => {}
        _ => return Err(Ended::Lost("it is another ledger")),
    }
    let mut reader = ledger.read_from(Start::Offset(previous)).await?;
    // A reader beyond the end waits silently.
    let next = timeout(RECORD_TIMEOUT, reader.next()).await;
    let (offset, bytes) = next.map_err(|_| Ended::Lost("it ends before the list's position"))??;
    if offset != previous || head.last != Some(record::read(&bytes)?.id) {
        return Err(Ended::Lost("another record stands before the list's position"));
    }
    Ok(reader)
}
