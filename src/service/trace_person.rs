//! Tracing one person through the ledger, up to where the list stands, and holding the list to what comes of it.
//!
//! What is answered is folded from the records themselves, in memory, and compared with what the list in Redis has
//! at that very position: an answer that the two do not agree on is none. Bounded: only this person's records are
//! kept, however long the ledger is. The list is asked for one thing that a part of the ledger cannot tell: which
//! record decided about an event, where an event id was used more than once.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::timeout;

use super::ports::{BrokerFault, Ledger, LedgerReader, List, ListFault, Start};
use crate::codec::record::{self, UnreadableRecord};
use crate::domain::digest::Digest;
use crate::domain::fold::{FOLD_VERSION, FoldFault, Head, Missing, Outcome, Working};
use crate::domain::record::{Entry, EventKey, Record, RecordId};
use crate::domain::trace::{Seed, TooMany, Trace};
use crate::domain::words::EventKind;

/// How long the next record may take.
const RECORD_TIMEOUT: Duration = Duration::from_secs(20);

/// Passes over the ledger: each but the last found another identifier or request of this person.
const PASSES_MAX: usize = 64;

/// Times that the list may move on between being asked where it stands and what it has.
const MOVES_MAX: usize = 1000;

/// Events asked for at once.
const EVENTS_MAX: usize = 512;

/// Between reports of progress.
const RECORDS_PER_REPORT: u64 = 1024;

/// One person, as ledger and list agree.
#[derive(Debug)]
pub struct Found {
    /// The records.
    pub trace: Trace,
    /// Where the list stood.
    pub head: Head,
    /// What became of the events, as the list has it.
    pub outcomes: HashMap<EventKey, Outcome>,
    /// The record that decided about each event.
    pub deciding: HashMap<EventKey, RecordId>,
    /// This person's part of the list, folded from the records.
    pub now: Working,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Untraceable {
    /// RabbitMQ.
    #[error(transparent)]
    Broker(#[from] BrokerFault),
    /// Redis.
    #[error(transparent)]
    List(#[from] ListFault),
    /// No list, or one that is older than it was a moment ago.
    #[error("the list was lost meanwhile: a running worker fills it again from the ledger; ask again then")]
    Lost,
    /// It is written to faster than it can be read.
    #[error("the list moved on each time that it was read: ask again")]
    Moving,
    /// The stream is silent.
    #[error("the ledger's next record does not come")]
    Silent,
    /// The ledger has lost records.
    #[error("the ledger was trimmed: remove the policy that limits the stream of the ledger")]
    Trimmed,
    /// Written by a newer version.
    #[error(transparent)]
    Unreadable(#[from] UnreadableRecord),
    /// Not foldable.
    #[error(transparent)]
    Fold(#[from] FoldFault),
    /// Another version's list.
    #[error(
        "another version of suppressd keeps the list (fold {0}, this is {FOLD_VERSION}): look up with that one"
    )]
    Version(u32),
    /// No person.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// Another ledger.
    #[error("the ledger is not the one that the list was made from ({0}): run `suppressd rebuild`")]
    AnotherLedger(&'static str),
    /// The list says something else than the ledger.
    #[error(
        "the list in Redis and the ledger disagree about this person ({0}): nothing is answered. The ledger is right; \
         run `suppressd rebuild`, and find out who changed the list"
    )]
    Differs(&'static str),
}

/// Traces whoever has one of these digests, in a list that stands at `at_least` or beyond. `progress` hears how
/// many records were read, of how many.
pub async fn trace(
    ledger: &dyn Ledger,
    list: &dyn List,
    wanted: &BTreeSet<Digest>,
    at_least: u64,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Found, Untraceable> {
    let mut seed = Seed { digests: wanted.clone(), ..Seed::default() };
    for _ in 0..PASSES_MAX {
        let reader = ledger.read_from(Start::Offset(0)).await?;
        let mut pass = Pass { reader, trace: Trace::new(seed.clone()), position: 0, last: None, progress };
        match pass.finish(list, wanted, at_least).await? {
            Ended::Found(found) => return Ok(*found),
            Ended::Wider(wider) => seed = wider,
            Ended::Undecided(records) => {
                // What they linked is nobody's: from the beginning, without them.
                seed.undecided.extend(records);
                seed = Seed { digests: wanted.clone(), requests: BTreeSet::new(), ..seed };
            }
        }
    }
    Err(TooMany.into())
}

/// How one pass ended.
enum Ended {
    Found(Box<Found>),
    /// It began with too little.
    Wider(Seed),
    /// It followed links of records that did not decide.
    Undecided(Vec<RecordId>),
}

/// One pass over the ledger.
struct Pass<'a> {
    reader: Box<dyn LedgerReader>,
    trace: Trace,
    /// How many records were read.
    position: u64,
    /// The last of them.
    last: Option<RecordId>,
    progress: &'a (dyn Fn(u64, u64) + Sync),
}

impl Pass<'_> {
    /// Reads up to where the list stands, until it stands still for long enough to be compared.
    async fn finish(
        &mut self,
        list: &dyn List,
        wanted: &BTreeSet<Digest>,
        at_least: u64,
    ) -> Result<Ended, Untraceable> {
        for _ in 0..MOVES_MAX {
            let (head, fold) = list.head().await?.ok_or(Untraceable::Lost)?;
            if fold != FOLD_VERSION {
                return Err(Untraceable::Version(fold));
            }
            if head.position < at_least.max(self.position) {
                return Err(Untraceable::Lost);
            }
            self.read_up_to(&head).await?;
            if let Some(wider) = self.trace.wider() {
                return Ok(Ended::Wider(wider));
            }
            match self.kept(list, wanted, &head).await {
                Err(ListFault::Moved) => {}
                kept => return self.compared(head, kept?, wanted),
            }
        }
        Err(Untraceable::Moving)
    }

    /// Reads on to the list's position.
    async fn read_up_to(&mut self, head: &Head) -> Result<(), Untraceable> {
        while self.position < head.position {
            let next = timeout(RECORD_TIMEOUT, self.reader.next()).await;
            let (offset, bytes) = next.map_err(|_| Untraceable::Silent)??;
            if offset != self.position {
                return Err(Untraceable::Trimmed);
            }
            let entry = record::read(&bytes)?;
            if offset == 0 && !begins(&entry, head) {
                return Err(Untraceable::AnotherLedger("its first record"));
            }
            self.last = Some(entry.id);
            self.trace.take(offset, entry)?;
            self.position += 1;
            if self.position.is_multiple_of(RECORDS_PER_REPORT) {
                (self.progress)(self.position, head.position);
            }
        }
        (self.progress)(self.position, head.position);
        if self.last == head.last {
            Ok(())
        } else {
            Err(Untraceable::AnotherLedger("the list's last record"))
        }
    }

    /// What the list has of this person at this position.
    async fn kept(
        &self,
        list: &dyn List,
        wanted: &BTreeSet<Digest>,
        head: &Head,
    ) -> Result<Working, ListFault> {
        let mut kept = Working::new(head.clone());
        list.read(&Missing { people: wanted.clone(), ..Missing::default() }, &mut kept).await?;
        let events: Vec<EventKey> = self.trace.events().map(|(_, event)| event.key).collect();
        for events in events.chunks(EVENTS_MAX) {
            let missing = Missing { events: events.iter().copied().collect(), ..Missing::default() };
            list.read(&missing, &mut kept).await?;
        }
        Ok(kept)
    }

    /// Folds the records and compares.
    fn compared(&self, head: Head, kept: Working, wanted: &BTreeSet<Digest>) -> Result<Ended, Untraceable> {
        let outcomes: HashMap<EventKey, Outcome> =
            kept.events.into_iter().filter_map(|(key, outcome)| Some((key, outcome?))).collect();
        let deciding: HashMap<EventKey, RecordId> =
            outcomes.iter().map(|(key, outcome)| (*key, outcome.record)).collect();
        let undecided: Vec<RecordId> = self.undecided_links(&deciding);
        if !undecided.is_empty() {
            return Ok(Ended::Undecided(undecided));
        }
        let now = self.trace.fold(head.list, &deciding, None)?;
        for digest in wanted {
            let of = |working: &Working| working.people.get(digest).cloned().unwrap_or_default();
            let (ours, theirs) = (of(&now), kept.people.get(digest).cloned().unwrap_or_default());
            if ours != theirs {
                return Err(Untraceable::Differs("what was said"));
            }
        }
        for (key, ours) in &now.events {
            let decision = |outcome: &Outcome| (outcome.record, outcome.decision);
            if ours.as_ref().map(decision) != outcomes.get(key).map(decision) {
                return Err(Untraceable::Differs("what became of an event"));
            }
        }
        Ok(Ended::Found(Box::new(Found { trace: self.trace.clone(), head, outcomes, deciding, now })))
    }

    /// Records that link identifiers and did not decide about their event, and were followed.
    fn undecided_links(&self, deciding: &HashMap<EventKey, RecordId>) -> Vec<RecordId> {
        let links = self.trace.events().filter(|(_, event)| event.kind == EventKind::IdentifierChanged);
        let undecided = links.filter(|(step, event)| deciding.get(&event.key) != Some(&step.entry.id));
        let records = undecided.map(|(step, _)| step.entry.id);
        records.filter(|record| !self.trace.seed().undecided.contains(record)).collect()
    }
}

/// Whether this is the genesis that the list was folded from.
fn begins(entry: &Entry, head: &Head) -> bool {
    matches!(entry.record, Record::Genesis { ledger, .. } if Some(ledger) == head.ledger)
}
