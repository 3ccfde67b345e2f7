//! `suppressd rebuild`: the whole list made anew from the ledger, aside, and put in place at once.
//!
//! The serving list is never emptied: workers go on with it until the new one, which is at least as far, takes
//! its place. If the ledger lacks what the list has (a broker that lost its last records, a stream that was
//! deleted), that is appended to the ledger first, so that nothing known is lost. Positions are then no measure: nobody
//! applies such a ledger to the serving list, so it must merely stand where it stood when it was read.

use std::collections::BTreeSet;

use tokio::time::timeout;

use super::Stop;
use super::core::{broker_settings, configuration, redis_config};
use super::init::{CONNECT_TIMEOUT, connect, genesis};
use crate::amqp::Broker;
use crate::codec::record;
use crate::domain::digest::{HashKey, KeyCheck};
use crate::domain::fold::{Head, Missing, Working};
use crate::domain::record::{Entry, Nonce, Person, Record};
use crate::service::apply_ledger::{BATCH_WEIGHT_MAX, FoldOrList, fold_onto};
use crate::service::ports::{Ledger, LedgerReader, List, Page, Requests, Start};
use crate::service::random;
use crate::settings::Settings;
use crate::store::{Promoted, RedisList};

/// People in one record of what is restored.
const RESTORED_MAX: usize = 256;

/// Requests in one record of what is restored: each may be some 100 KB.
const RESTORED_REQUESTS_MAX: usize = 16;

/// How long the next record may take.
const RECORD_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(20);

/// Times that Redis may be emptied, or the list written to, meanwhile.
const ATTEMPTS_MAX: usize = 3;

/// What a rebuild tells while it works.
pub trait Progress {
    /// Records are being applied: so many of at least so many.
    fn applied(&self, records: u64, of: u64);

    /// Something worth a line.
    fn note(&self, line: &str);
}

/// Rebuilds. Answers the new list's revision.
pub async fn rebuild(settings: &Settings, progress: &dyn Progress) -> Result<u64, Stop> {
    let (broker, _inputs) = Broker::start(broker_settings(settings)?);
    let rebuilt = with_broker(settings, &broker, progress).await;
    broker.shutdown().await;
    rebuilt
}

async fn with_broker(settings: &Settings, broker: &Broker, progress: &dyn Progress) -> Result<u64, Stop> {
    let serving = RedisList::new(&redis_config(settings)).map_err(configuration)?;
    serving.eviction().await?.map_err(configuration)?;
    connect(broker, CONNECT_TIMEOUT).await?;
    let mut given = give_back(settings, &serving, broker, progress).await?;
    for _ in 0..ATTEMPTS_MAX {
        match once(settings, &serving, broker, given.as_ref(), progress).await? {
            Built::Serves(revision) => return Ok(revision),
            Built::Emptied => progress.note("Redis was emptied meanwhile; beginning again"),
            Built::Outrun => {
                progress.note("the list was written to meanwhile; beginning again");
                given = give_back(settings, &serving, broker, progress).await?;
            }
        }
    }
    let why = format!("Redis was emptied, or the list written to, {ATTEMPTS_MAX} times while it was rebuilt");
    Err(Stop::Unavailable(why))
}

/// What came of one rebuild.
enum Built {
    /// The new list serves, at this revision.
    Serves(u64),
    /// Redis was emptied under it.
    Emptied,
    /// The ledger was given back what the serving list had, and that has more by now.
    Outrun,
}

/// One rebuild. `given`: the list that the ledger was given back, where it stood then.
async fn once(
    settings: &Settings,
    serving: &RedisList,
    broker: &Broker,
    given: Option<&Head>,
    progress: &dyn Progress,
) -> Result<Built, Stop> {
    let name = random::list_id();
    let aside = RedisList::aside(&redis_config(settings), name).map_err(configuration)?;
    aside.create(name).await?;
    let mut copy =
        Copy { list: &aside, head: Head::new(name), reader: broker.read_from(Start::Offset(0)).await? };
    let serving_at = match given {
        // It counted the records of the lost ledger.
        Some(_) => 0,
        None => serving.head().await?.map_or(0, |(head, _)| head.position),
    };
    // Everything that was ever acknowledged stands before a fence that is appended now.
    let fence = fence(broker).await?;
    copy.apply_until(|_, entry| is_fence(entry, fence), serving_at, progress).await?;
    loop {
        match aside.promote(name, given).await? {
            Promoted::Gone => return Ok(Built::Emptied),
            Promoted::Behind(_) if given.is_some() => {
                serving.discard(name).await?;
                return Ok(Built::Outrun);
            }
            Promoted::Behind(position) => {
                copy.apply_until(|at, _| at + 1 >= position, position, progress).await?;
            }
            Promoted::Done(old) => {
                if let Some(old) = old.filter(|old| *old != name) {
                    let keys = serving.clear(old).await?;
                    progress.note(&format!("the list that served before is cleared away ({keys} keys)"));
                }
                return Ok(Built::Serves(copy.head.revision));
            }
        }
    }
}

/// A list that is made from the ledger.
struct Copy<'a> {
    list: &'a RedisList,
    head: Head,
    reader: Box<dyn LedgerReader>,
}

impl Copy<'_> {
    /// Applies records up to the first that is the last one wanted.
    async fn apply_until(
        &mut self,
        last: impl Fn(u64, &Entry) -> bool,
        expected: u64,
        progress: &dyn Progress,
    ) -> Result<(), Stop> {
        let mut done = false;
        while !done {
            let (mut batch, mut weight) = (Vec::new(), 0);
            while weight < BATCH_WEIGHT_MAX && !done {
                let next = timeout(RECORD_TIMEOUT, self.reader.next()).await;
                let (offset, bytes) =
                    next.map_err(|_| Stop::Unavailable("the ledger's next record does not come".into()))??;
                if offset != self.head.position + batch.len() as u64 {
                    let why =
                        "the ledger was trimmed: remove the policy that limits the stream suppressd.ledger";
                    return Err(configuration(why));
                }
                let entry = record::read(&bytes).map_err(configuration)?;
                done = last(offset, &entry);
                weight += entry.record.weight();
                batch.push(entry);
            }
            let entries: Vec<&Entry> = batch.iter().collect();
            let folded = fold_onto(self.list, self.head.clone(), &entries).await?;
            if !self.list.apply(&self.head, &folded).await? {
                return Err(Stop::Unavailable("the list that is built was lost: Redis was emptied".into()));
            }
            self.head = folded.head;
            progress.applied(self.head.position, expected.max(self.head.position));
        }
        Ok(())
    }
}

/// Appends to the ledger what the serving list has and the ledger lacks. Answers where that list stood, if it did.
async fn give_back(
    settings: &Settings,
    serving: &RedisList,
    broker: &Broker,
    progress: &dyn Progress,
) -> Result<Option<Head>, Stop> {
    let first = genesis(broker).await?;
    let head = serving.head().await?.map(|(head, _)| head);
    let first = first.map(|first| record::read(&first)).transpose().map_err(configuration)?;
    let begins = match first.map(|first| first.record) {
        None => None,
        Some(Record::Genesis { ledger, .. }) => Some(ledger),
        Some(_) => {
            let why = "the ledger's first record is no genesis: delete the stream suppressd.ledger and run this \
                       again; what the list has is written to the new one";
            return Err(configuration(why));
        }
    };
    let Some(head) = head.filter(|head| head.position > 0) else {
        let why = "there is neither a ledger nor a list: run `suppressd init`";
        return if begins.is_some() { Ok(None) } else { Err(configuration(why)) };
    };
    if begins.is_none() {
        progress.note("the ledger is empty; it begins anew with what the list has");
        let keys = settings.hashing.key_ring.keys().iter().map(HashKey::check);
        let keys = keys.filter(|key| !head.retired.contains(key));
        let keys: BTreeSet<KeyCheck> = head.keys.iter().copied().chain(keys).collect();
        let begins = Record::Genesis { ledger: random::ledger_id(), keys: keys.iter().copied().collect() };
        append(broker, begins).await?;
        // What was retired stays so in the new ledger too.
        for key in head.retired.iter().copied() {
            append(broker, Record::KeyRetired { key, of: keys.clone() }).await?;
        }
    } else if begins == head.ledger && holds(broker, &head).await? {
        return Ok(None);
    }
    progress.note("the ledger lacks what the list has; it is appended first");
    let mut restored = 0;
    for slice in 0..serving.slices() {
        let digests =
            serving.slice(head.list, slice).await?.people.into_iter().map(|(digest, _)| digest).collect();
        let mut read = Working::new(head.clone());
        serving.read(&Missing { people: digests, ..Missing::default() }, &mut read).await?;
        let people: Vec<(_, Person)> = read.people.into_iter().collect();
        for people in people.chunks(RESTORED_MAX) {
            append(broker, Record::Restored { people: people.to_vec(), requests: vec![] }).await?;
            restored += people.len();
        }
    }
    progress.note(&format!("{restored} identifiers of the list were appended to the ledger"));
    give_requests_back(serving, broker, progress).await?;
    Ok(Some(head))
}

/// What a person must still decide goes after the people: then their links are there, along which holds spread.
async fn give_requests_back(
    serving: &RedisList,
    broker: &Broker,
    progress: &dyn Progress,
) -> Result<(), Stop> {
    let mut restored = 0;
    loop {
        let page = Page { until: None, skip: restored, max: RESTORED_REQUESTS_MAX };
        let requests = serving.in_review(page).await?;
        if requests.is_empty() {
            break;
        }
        restored += requests.len();
        append(broker, Record::Restored { people: vec![], requests }).await?;
    }
    progress.note(&format!("{restored} requests in review were appended to the ledger"));
    Ok(())
}

/// Whether the ledger has the record that the list remembers as its last one.
async fn holds(broker: &Broker, head: &Head) -> Result<bool, Stop> {
    let mut reader = broker.read_from(Start::Offset(head.position - 1)).await?;
    // A reader beyond the end waits silently; an own fence shows where the end is.
    let mut from_last = broker.read_from(Start::Last).await?;
    let fence = fence(broker).await?;
    let end = loop {
        let next = timeout(RECORD_TIMEOUT, from_last.next()).await;
        let (offset, bytes) =
            next.map_err(|_| Stop::Unavailable("the ledger's last records do not come".into()))??;
        if is_fence(&record::read(&bytes).map_err(configuration)?, fence) {
            break offset;
        }
    };
    if end < head.position {
        return Ok(false);
    }
    let next = timeout(RECORD_TIMEOUT, reader.next()).await;
    let (offset, bytes) =
        next.map_err(|_| Stop::Unavailable("the ledger's records do not come".into()))??;
    Ok(offset == head.position - 1 && head.last == record::read(&bytes).ok().map(|entry| entry.id))
}

async fn fence(broker: &Broker) -> Result<Nonce, Stop> {
    let nonce = random::nonce();
    append(broker, Record::Fence { worker: random::worker_id(), nonce }).await?;
    Ok(nonce)
}

fn is_fence(entry: &Entry, wanted: Nonce) -> bool {
    matches!(entry.record, Record::Fence { nonce, .. } if nonce == wanted)
}

async fn append(broker: &Broker, record: Record) -> Result<(), Stop> {
    broker.append(record::write(&Entry { id: random::record_id(), record })).await?;
    Ok(())
}

impl From<FoldOrList> for Stop {
    fn from(either: FoldOrList) -> Self {
        match either {
            FoldOrList::List(fault) => fault.into(),
            FoldOrList::Fold(fault) => configuration(fault),
        }
    }
}
