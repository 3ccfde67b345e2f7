//! Lines into the ledger, confirmed, and never far ahead of the list.
//!
//! After every so many records a fence is appended, and the fence before it is waited for: until it is in the
//! list, everything before it is in force. So whoever opts out meanwhile waits behind two such windows at most.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};

use super::super::Stop;
use super::super::core::Core;
use super::comparing::unavailable;
use crate::codec::record;
use crate::domain::digest::KeyCheck;
use crate::domain::record::{
    Entry, IMPORT_DIGESTS_MAX, IMPORT_LINES_MAX, ImportLine, ImportRecord, Nonce, Record, WorkerId,
};
use crate::service::ports::{Ledger, List};
use crate::service::random;

/// Records between two fences. Of 256 lines each, the list takes such a window in well below a second.
const WINDOW: usize = 32;

/// How long the ledger may take no records.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long the list may stand still while it lacks what was written.
const STANDSTILL_MAX: Duration = Duration::from_mins(1);

/// Between tries to append.
const RETRY: Duration = Duration::from_millis(250);

/// Between looks for a fence.
const LOOK: Duration = Duration::from_millis(10);

/// Writes records.
pub(super) struct Recorder<'a> {
    pub(super) core: &'a Core,
    /// What look-ups call the import.
    pub(super) import: String,
    /// When the lines are read.
    pub(super) received_at: Timestamp,
    /// The keys of the digests.
    pub(super) keys: Vec<KeyCheck>,
}

impl Recorder<'_> {
    /// Appends lines. Answers how many records they were.
    pub(super) async fn append(&self, lines: Vec<ImportLine>) -> Result<usize, Stop> {
        let records = divided(lines);
        let count = records.len();
        for lines in records {
            let import = ImportRecord {
                import: self.import.clone(),
                received_at: self.received_at,
                keys: self.keys.clone(),
                lines,
            };
            append(self.core, Record::Imported(Box::new(import))).await?;
        }
        Ok(count)
    }
}

/// Lines as records hold them: hardly ever more than one, because parts of a file are cut to that size.
fn divided(lines: Vec<ImportLine>) -> Vec<Vec<ImportLine>> {
    let mut records: Vec<Vec<ImportLine>> = Vec::new();
    let mut digests = 0;
    for line in lines {
        let weight = line.weight();
        match records.last_mut() {
            Some(last) if last.len() < IMPORT_LINES_MAX && digests + weight <= IMPORT_DIGESTS_MAX => {
                digests += weight;
                last.push(line);
            }
            _ => {
                digests = weight;
                records.push(vec![line]);
            }
        }
    }
    records
}

/// Keeps the pace.
pub(in crate::daemon) struct Pace<'a> {
    core: &'a Core,
    /// By whom the fences are known: nobody else waits for them.
    worker: WorkerId,
    records: usize,
    /// The fence that was appended last.
    fence: Option<Nonce>,
}

impl<'a> Pace<'a> {
    pub(in crate::daemon) fn new(core: &'a Core) -> Self {
        Self { core, worker: random::worker_id(), records: 0, fence: None }
    }

    /// Takes note of records that are confirmed.
    pub(in crate::daemon) async fn wrote(&mut self, records: usize) -> Result<(), Stop> {
        self.records += records;
        if self.records >= WINDOW {
            self.records = 0;
            let before = self.fence.take();
            self.fence = Some(self.append_fence().await?);
            if let Some(before) = before {
                self.reach(before).await?;
            }
        }
        Ok(())
    }

    /// Waits until the list has everything.
    pub(in crate::daemon) async fn finish(&mut self) -> Result<(), Stop> {
        let fence = self.append_fence().await?;
        // From here on only this one will do.
        self.fence = Some(fence);
        self.reach(fence).await
    }

    async fn append_fence(&self) -> Result<Nonce, Stop> {
        let nonce = random::nonce();
        append(self.core, Record::Fence { worker: self.worker, nonce }).await?;
        Ok(nonce)
    }

    /// Waits until the list has this fence, or the one that was appended last.
    async fn reach(&self, fence: Nonce) -> Result<(), Stop> {
        let (mut position, mut moved_at) = (0, Instant::now());
        loop {
            // While Redis is away nothing moves, and after a while that is told.
            if let Ok(reading) = self.core.list.barrier(self.worker, &[]).await {
                if reading.fence.is_some_and(|seen| seen == fence || Some(seen) == self.fence) {
                    return Ok(());
                }
                if reading.position != position {
                    (position, moved_at) = (reading.position, Instant::now());
                }
            }
            if moved_at.elapsed() > STANDSTILL_MAX {
                return Err(unavailable(self.core));
            }
            sleep(LOOK).await;
        }
    }
}

/// Appends until it is confirmed. A record that is in twice changes nothing.
pub(in crate::daemon) async fn append(core: &Core, record: Record) -> Result<(), Stop> {
    let mut state = core.ledger_state.clone();
    let confirmed = async {
        loop {
            if state.wait_for(|state| state.whole).await.is_err() {
                return Err(Stop::Internal("the applier ended".into()));
            }
            let entry = Entry { id: random::record_id(), record: record.clone() };
            match core.broker.append(record::write(&entry)).await {
                Ok(()) => return Ok(()),
                Err(fault) => {
                    tracing::warn!(%fault, "a record is appended again");
                    sleep(RETRY).await;
                }
            }
        }
    };
    timeout(PATIENCE, confirmed).await.unwrap_or_else(|_| Err(unavailable(core)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest::Digest;
    use crate::domain::record::{ImportSubject, Subject};
    use crate::domain::scope::Scope;
    use crate::domain::words::{EventKind, IdentifierKind};

    fn sizes(digests: &[usize]) -> Vec<usize> {
        let line = |digests: &usize| {
            let subject = Subject { kind: IdentifierKind::Email, digests: vec![Digest([0; 16]); *digests] };
            let (kind, at, scope) = (EventKind::OptOut, Timestamp::UNIX_EPOCH, Scope::ALL);
            ImportLine { line: 1, kind, at, scope, subject: ImportSubject::Known(vec![subject]) }
        };
        divided(digests.iter().map(line).collect()).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_record_holds_no_more_lines_and_digests_than_it_may() {
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&[1; IMPORT_LINES_MAX + 1]), [IMPORT_LINES_MAX, 1]);
        assert_eq!(sizes(&[1, IMPORT_DIGESTS_MAX, 1]), [1, 1, 1]);
        assert_eq!(sizes(&[2, IMPORT_DIGESTS_MAX + 9, 3, IMPORT_DIGESTS_MAX - 3]), [1, 1, 2]);
    }
}
