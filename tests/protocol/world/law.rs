//! The parts of the law that look at the whole history: what was promised, and what only a broken worker does.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use suppressd::codec::record;
use suppressd::domain::record::{Entry, Record};
use suppressd::service::clock::Clock;
use suppressd::service::gate::Glance;
use tokio::sync::watch;

use super::{Output, Receipt, World};
use crate::fakes::redis::Flaw;
use crate::fakes::stream::Lens;

/// An output that is handed over has everybody whose opt-out was acknowledged this long before: its barrier was a
/// second old at most.
const BARRIER_AGE_MAX: Duration = Duration::from_millis(1500);

/// What a worker says of a list that has less than before.
const OLDER: &str = "Redis has an older list than before";

impl World {
    /// Nobody is in an output who was acknowledged before its job came, or long before it was handed over.
    pub(super) fn check_outputs(&self) {
        let promises = self.promises.lock().unwrap();
        for (message, handed) in self.mail.handed() {
            let Some(output) = Output::read(&message) else { continue };
            let leaked: Vec<_> = promises.jobs[&output.job].intersection(&output.kept).collect();
            assert!(leaked.is_empty(), "{} leaks {leaked:?}", output.job);
            let late =
                |person| promises.acknowledged.get(person).is_some_and(|at| *at + BARRIER_AGE_MAX < handed);
            let late: Vec<_> = output.kept.iter().filter(|person| late(person)).collect();
            assert!(
                late.is_empty(),
                "{} was published when its barrier was older than allowed: {late:?}",
                output.job
            );
        }
    }

    /// Only workers of the version that keeps a list write it.
    pub(super) fn check_versions(&self) {
        assert!(!self.redis.meddled.load(Ordering::Relaxed), "a list of another version was written");
    }

    /// Every event that was acknowledged has a receipt that says what became of it, besides those of repetitions.
    pub(crate) fn check_first_receipts(&self) {
        let receipts = self.receipts();
        let promises = self.promises.lock().unwrap();
        for (event, person) in promises.events.iter().filter(|(_, p)| promises.acknowledged.contains_key(p)) {
            let told = |receipt: &Receipt| receipt.event == *event && receipt.status != "duplicate";
            assert!(
                receipts.iter().any(told),
                "the source of {event} ({person:?}) only hears of repetitions"
            );
        }
    }

    /// Nothing was lost in this history, and nobody says so.
    pub(crate) fn check_no_false_loss(&self) {
        let told = self.promises.lock().unwrap().told_older;
        assert!(!told, "a worker tells of a loss, and nothing was lost");
    }

    /// The ledger was repaired: revisions begin anew.
    pub(crate) fn ledger_begins_anew(&self) {
        self.promises.lock().unwrap().ledger_since = self.mail.len();
    }

    /// Hears what a worker says of losses.
    pub(super) fn listen(&self, mut glance: watch::Receiver<Glance>) -> impl Future<Output = ()> + use<> {
        let promises = self.promises.clone();
        async move {
            while glance.changed().await.is_ok() {
                if glance.borrow_and_update().lost == Some(OLDER) {
                    promises.lock().unwrap().told_older = true;
                }
            }
        }
    }

    /// What readers of the ledger make of a record, if that is not what it says.
    pub(crate) fn lens(&self) -> Option<Lens> {
        let clock = self.clock;
        (self.redis.flaw == Some(Flaw::DecidedByReaders)).then(|| -> Lens {
            std::sync::Arc::new(move |bytes| {
                let entry = record::read(&bytes).expect("our records");
                record::write(&decided_at(entry, clock.now()))
            })
        })
    }

    /// The ledger as a worker that starts now reads it.
    pub(crate) fn ledger_as_read(&self) -> Vec<Entry> {
        let entries = self.stream.entries();
        match self.redis.flaw {
            Some(Flaw::DecidedByReaders) => {
                entries.into_iter().map(|entry| decided_at(entry, self.clock.now())).collect()
            }
            _ => entries,
        }
    }
}

/// An event that holds as of when it is read.
fn decided_at(mut entry: Entry, now: Timestamp) -> Entry {
    if let Record::Event(event) = &mut entry.record {
        event.at = now;
    }
    entry
}
