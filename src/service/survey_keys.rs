//! What the list holds under each key, and whom one key alone knows: what must be known before a key is retired.
//!
//! Why it stays true until the retirement is in the ledger, although everybody goes on working meanwhile:
//!
//! - A record is folded only if it names every key that is needed where it stands. From the record on that registers
//!   a new key, whatever is folded names the old and the new one. So what is under the old key alone comes from
//!   before, and becomes less only. The exception is a request in review from before, which says what it says when it
//!   is applied: so those are looked for first, and no new one can come.
//! - Statements join and links stay: what was copied to a counterpart stays there. Provisional holds end with their
//!   request, under every key that it names.
//! - The retirement names the keys that it was found out with. If they are others where it comes to stand, it is void.
//! - After it a record of a worker that has the old key alone lacks the new one, and is not folded either.
//!
//! One thing escapes: an export that is imported at the same time says nothing of whose key made its digests. So the
//! import looks again when it is done.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::gate::{Closed, Gate, Pass};
use super::ports::{BrokerFault, Ledger, LedgerReader, List, ListFault, Page, Requests, Start};
use crate::codec::record::{self, UnreadableRecord};
use crate::domain::counterparts::{Counterparts, Registry, Since, Standing, standing};
use crate::domain::digest::{Digest, KeyCheck};
use crate::domain::fold::{Head, Missing, Working};
use crate::domain::in_force::lines;
use crate::domain::record::{ListId, Person};

/// How long the next record may take.
const RECORD_TIMEOUT: Duration = Duration::from_secs(20);

/// Before the list is read again because it moved on.
const MOVED_RETRY: Duration = Duration::from_millis(2);

/// Digests that the list is asked for at once, counterparts not counted.
const DIGESTS_MAX: usize = 512;

/// Requests that the list is asked for: all that people can have before them.
const REQUESTS_MAX: usize = 1 << 20;

/// Between reports of progress.
const RECORDS_PER_REPORT: u64 = 1024;

/// What is surveyed.
pub struct Ground<'a> {
    /// The ledger.
    pub ledger: &'a dyn Ledger,
    /// The list.
    pub list: &'a dyn List,
    /// Its requests.
    pub requests: &'a dyn Requests,
    /// The barrier.
    pub gate: &'a Gate,
    /// Hears how far it is, of how much.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
}

/// What is held under the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Under which key everything should stand: the newest of those that stay.
    pub to: KeyCheck,
    /// Every key that the list depends on.
    pub keys: BTreeMap<KeyCheck, OfKey>,
    /// Keys that nothing depends on any more.
    pub retired: BTreeSet<KeyCheck>,
    /// Digests of which no record tells the key, and of which something is in force.
    pub unknown: Vec<Digest>,
    /// Requests in review that name people, and do not name them under `to`.
    pub requests: u64,
}

/// What is held under one key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfKey {
    /// When it came.
    pub since: Option<Since>,
    /// Identifiers of which something is in force.
    pub identifiers: u64,
    /// Those that are known under the other key too, and lack something there: it can be copied.
    pub short: Vec<Digest>,
    /// Those that no record names under the other key.
    pub alone: Vec<Digest>,
}

/// Why nothing is known.
#[derive(Debug, thiserror::Error)]
pub enum Unsurveyed {
    /// RabbitMQ.
    #[error(transparent)]
    Broker(#[from] BrokerFault),
    /// Redis.
    #[error(transparent)]
    List(#[from] ListFault),
    /// Not ours.
    #[error(transparent)]
    Unreadable(#[from] UnreadableRecord),
    /// It was rebuilt, or lost.
    #[error("another list serves since this began: do it again")]
    Moved,
    /// The stream is silent.
    #[error("the ledger's next record does not come")]
    Silent,
    /// The ledger has lost records.
    #[error("the ledger was trimmed: remove the policy that limits the stream of the ledger")]
    Trimmed,
    /// The gate is gone.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// There is nothing to survey.
    #[error("the list depends on no key yet")]
    NoKeys,
}

/// Reads a ledger and its list, and goes on reading.
pub struct Surveyor<'a> {
    ground: Ground<'a>,
    reader: Box<dyn LedgerReader>,
    /// How many records were read.
    position: u64,
    /// The list, and its keys, when this began.
    head: Head,
    counterparts: Counterparts,
    registry: Registry,
}

impl<'a> Surveyor<'a> {
    /// Begins, on a list that is proven.
    pub async fn begin(ground: Ground<'a>) -> Result<Self, Unsurveyed> {
        let pass = ground.gate.pass().await?;
        let (head, _) = ground.list.head().await?.ok_or(Unsurveyed::Moved)?;
        if head.list != pass.identity.list {
            return Err(Unsurveyed::Moved);
        }
        let counterparts = Counterparts::new(head.keys.union(&head.retired).copied());
        let reader = ground.ledger.read_from(Start::Offset(0)).await?;
        Ok(Self { ground, reader, position: 0, head, counterparts, registry: Registry::default() })
    }

    /// The keys that the list depended on when this began.
    pub fn keys(&self) -> &BTreeSet<KeyCheck> {
        &self.head.keys
    }

    /// The keys that nothing depended on any more.
    pub fn retired(&self) -> &BTreeSet<KeyCheck> {
        &self.head.retired
    }

    /// Compares every key with the newest; if one is to go, with the newest of the others.
    pub async fn survey(&mut self, leaving: Option<KeyCheck>) -> Result<Survey, Unsurveyed> {
        self.catch_up().await?;
        let stay = self.head.keys.iter().copied().filter(|key| Some(*key) != leaving).collect();
        let to = self.registry.newest(&stay).ok_or(Unsurveyed::NoKeys)?;
        let of_key = |key: &KeyCheck| (*key, OfKey { since: self.registry.since(*key), ..OfKey::default() });
        let mut survey = Survey {
            to,
            keys: self.head.keys.iter().map(of_key).collect(),
            retired: self.head.retired.clone(),
            unknown: vec![],
            // First: one that is applied while the list is read would say something behind the reader's back.
            requests: self.requests_without(to).await?,
        };
        for slice in 0..self.ground.list.slices() {
            self.take_slice(slice, &mut survey).await?;
            let (done, of) = (self.position + u64::from(slice) + 1, self.steps());
            (self.ground.progress)(done, of);
        }
        // Who was named while the list was read is in records that were not read yet.
        self.catch_up().await?;
        let alone = survey.keys.values_mut().map(|of_key| std::mem::take(&mut of_key.alone));
        let again: Vec<Digest> = alone.flatten().chain(std::mem::take(&mut survey.unknown)).collect();
        self.judge(&again, &mut survey).await?;
        Ok(survey)
    }

    /// What must be copied of these digests, and to whom.
    pub async fn short(&self, digests: &[Digest], to: KeyCheck) -> Result<Vec<(Digest, Person)>, Unsurveyed> {
        let mut people = Vec::new();
        for digests in digests.chunks(DIGESTS_MAX) {
            let of = self.people(digests, to).await?;
            people.extend(digests.iter().filter_map(|digest| {
                match standing(&self.counterparts, *digest, to, &of) {
                    Standing::Short(other, person) => Some((other, person)),
                    Standing::Covered | Standing::Alone => None,
                }
            }));
        }
        Ok(people)
    }

    fn steps(&self) -> u64 {
        self.position + u64::from(self.ground.list.slices())
    }

    /// Reads on to where the list stands, proven now.
    async fn catch_up(&mut self) -> Result<(), Unsurveyed> {
        let Pass { identity, position, .. } = self.ground.gate.pass().await?;
        self.same(identity.list)?;
        while self.position < position {
            let next = timeout(RECORD_TIMEOUT, self.reader.next()).await;
            let (offset, bytes) = next.map_err(|_| Unsurveyed::Silent)??;
            if offset != self.position {
                return Err(Unsurveyed::Trimmed);
            }
            let record = record::read(&bytes)?.record;
            self.counterparts.take(&record);
            self.registry.take(offset, &record);
            self.position += 1;
            if self.position.is_multiple_of(RECORDS_PER_REPORT) {
                let slices = u64::from(self.ground.list.slices());
                (self.ground.progress)(self.position, position + slices);
            }
        }
        Ok(())
    }

    fn same(&self, list: ListId) -> Result<(), Unsurveyed> {
        if list == self.head.list { Ok(()) } else { Err(Unsurveyed::Moved) }
    }

    /// Counts whom a slice of the list has, and judges those who are not under the key that stays.
    async fn take_slice(&self, slice: u32, survey: &mut Survey) -> Result<(), Unsurveyed> {
        let slice = self.ground.list.slice(self.head.list, slice).await.map_err(|fault| match fault {
            ListFault::Moved => Unsurveyed::Moved,
            fault => Unsurveyed::List(fault),
        })?;
        let mut open = Vec::new();
        for (digest, statements) in slice.people {
            let key = self.counterparts.key_of(digest);
            if key.is_some_and(|key| self.head.retired.contains(&key)) {
                continue;
            }
            if let Some(of_key) = key.and_then(|key| survey.keys.get_mut(&key)) {
                of_key.identifiers += u64::from(!lines(&statements).is_empty());
            }
            if key != Some(survey.to) {
                open.push(digest);
            }
        }
        self.judge(&open, survey).await
    }

    /// Sorts digests that are not under the key that stays.
    async fn judge(&self, digests: &[Digest], survey: &mut Survey) -> Result<(), Unsurveyed> {
        for digests in digests.chunks(DIGESTS_MAX) {
            let of = self.people(digests, survey.to).await?;
            for digest in digests {
                let key = self.counterparts.key_of(*digest);
                // A digest that came meanwhile may be under the key that stays after all.
                if key == Some(survey.to) {
                    continue;
                }
                let of_key = key.and_then(|key| survey.keys.get_mut(&key));
                match (standing(&self.counterparts, *digest, survey.to, &of), of_key) {
                    (Standing::Covered, _) => {}
                    (Standing::Short(..), Some(of_key)) => of_key.short.push(*digest),
                    (Standing::Alone, Some(of_key)) => of_key.alone.push(*digest),
                    (Standing::Short(..) | Standing::Alone, None) => survey.unknown.push(*digest),
                }
            }
        }
        Ok(())
    }

    /// What the list has of some digests and of their counterparts, all at one moment.
    async fn people(&self, digests: &[Digest], to: KeyCheck) -> Result<HashMap<Digest, Person>, Unsurveyed> {
        let counterparts = digests.iter().filter_map(|digest| self.counterparts.under(*digest, to));
        let people = digests.iter().copied().chain(counterparts).collect();
        let missing = Missing { people, ..Missing::default() };
        if missing.is_empty() {
            return Ok(HashMap::new());
        }
        loop {
            let (head, _) = self.ground.list.head().await?.ok_or(Unsurveyed::Moved)?;
            self.same(head.list)?;
            let mut working = Working::new(head);
            match self.ground.list.read(&missing, &mut working).await {
                Ok(()) => return Ok(working.people),
                Err(ListFault::Moved) => sleep(MOVED_RETRY).await,
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// Requests in review that would be applied to people under another key alone.
    async fn requests_without(&self, to: KeyCheck) -> Result<u64, Unsurveyed> {
        // At one moment: of pages, one that is settled between two makes another be passed over.
        let page = Page { until: None, skip: 0, max: REQUESTS_MAX };
        let requests = self.ground.requests.in_review(page).await?;
        let without = requests.iter().filter(|request| {
            request.asks.iter().any(|ask| !ask.subject.is_empty() && !ask.keys.contains(&to))
        });
        Ok(without.count() as u64)
    }
}
