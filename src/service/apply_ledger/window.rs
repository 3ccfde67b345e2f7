//! Records that were read and are not applied yet: without a gap, and never more than a few batches of them.
//!
//! Bounded by weight, not by number: one record may be one fence or hundreds of lines of an import.

use std::collections::VecDeque;

use futures_util::FutureExt;

use super::{Ended, LedgerReader};
use crate::codec::record;
use crate::domain::record::Entry;

/// What is folded and written at once, by [weight](crate::domain::record::Record::weight): one script of so much
/// keeps Redis from everybody else for about two milliseconds. A heavier record is written alone.
pub const BATCH_WEIGHT_MAX: usize = 512;

/// What is read ahead, by weight.
const WINDOW_WEIGHT_MAX: usize = 16 * BATCH_WEIGHT_MAX;

/// What is read ahead, in the ledger's order.
#[derive(Default)]
pub(super) struct Window {
    records: VecDeque<Ahead>,
    weight: usize,
}

struct Ahead {
    offset: u64,
    weight: usize,
    entry: Entry,
}

impl Window {
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether another record may be read.
    pub(super) fn has_room(&self) -> bool {
        self.weight < WINDOW_WEIGHT_MAX
    }

    /// Takes what is there already for the next two batches, without waiting.
    pub(super) fn fill(&mut self, reader: &mut dyn LedgerReader, position: u64) -> Result<(), Ended> {
        while self.weight < 2 * BATCH_WEIGHT_MAX {
            match reader.next().now_or_never() {
                Some(record) => self.take(record?, position)?,
                None => break,
            }
        }
        Ok(())
    }

    /// Takes a record. They must come without a gap from the list's position on.
    pub(super) fn take(&mut self, (offset, bytes): (u64, Vec<u8>), position: u64) -> Result<(), Ended> {
        if offset < position {
            return Ok(());
        }
        let expected = self.records.back().map_or(position, |last| last.offset + 1);
        if offset != expected {
            return Err(Ended::Again("the reader skipped records"));
        }
        let entry = record::read(&bytes)?;
        let weight = entry.record.weight();
        self.weight += weight;
        self.records.push_back(Ahead { offset, weight, entry });
        Ok(())
    }

    /// The next records that are written at once, after so many others.
    pub(super) fn batch_after(&self, others: usize) -> Vec<&Entry> {
        let mut weight = 0;
        let fits = |ahead: &&Ahead| {
            let first = weight == 0;
            weight += ahead.weight;
            first || weight <= BATCH_WEIGHT_MAX
        };
        self.records.iter().skip(others).take_while(fits).map(|ahead| &ahead.entry).collect()
    }

    /// Drops what a list at this position has.
    pub(super) fn drop_until(&mut self, position: u64) {
        while let Some(done) = self.records.pop_front_if(|ahead| ahead.offset < position) {
            self.weight -= done.weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest::Digest;
    use crate::domain::record::{Nonce, Person, Record, RecordId, WorkerId};

    fn bytes(record: Record) -> Vec<u8> {
        record::write(&Entry { id: RecordId([0; 16]), record })
    }

    fn fence() -> Vec<u8> {
        bytes(Record::Fence { worker: WorkerId([0; 16]), nonce: Nonce([0; 16]) })
    }

    fn heavy(weight: usize) -> Vec<u8> {
        let people = vec![(Digest([0; 16]), Person::default()); weight];
        bytes(Record::Restored { people, requests: vec![] })
    }

    fn sizes(records: impl IntoIterator<Item = Vec<u8>>) -> Vec<usize> {
        let mut window = Window::default();
        for (offset, bytes) in (5..).zip(records) {
            window.take((offset, bytes), 5).unwrap();
        }
        let (mut sizes, mut position) = (vec![], 5);
        while !window.is_empty() {
            let batch = window.batch_after(0).len();
            position += batch as u64;
            window.drop_until(position);
            sizes.push(batch);
        }
        assert_eq!(window.weight, 0);
        sizes
    }

    #[test]
    fn a_batch_is_bounded_by_what_its_records_weigh_and_a_record_that_is_too_heavy_is_alone() {
        assert_eq!(sizes(std::iter::repeat_with(fence).take(BATCH_WEIGHT_MAX + 3)), [BATCH_WEIGHT_MAX, 3]);
        let third = BATCH_WEIGHT_MAX / 3;
        assert_eq!(sizes([heavy(third), heavy(third), heavy(third), heavy(third)]), [3, 1]);
        assert_eq!(sizes([heavy(2 * BATCH_WEIGHT_MAX), fence(), heavy(BATCH_WEIGHT_MAX)]), [1, 1, 1]);
        assert_eq!(sizes([fence(), heavy(2 * BATCH_WEIGHT_MAX), fence()]), [1, 1, 1]);
    }

    #[test]
    fn what_is_read_ahead_is_bounded_by_weight_too() {
        let mut window = Window::default();
        window.take((0, heavy(WINDOW_WEIGHT_MAX - 1)), 0).unwrap();
        assert!(window.has_room());
        window.take((1, fence()), 0).unwrap();
        assert!(!window.has_room());
    }

    #[test]
    fn records_that_the_list_has_are_passed_over_and_a_gap_is_noticed() {
        let mut window = Window::default();
        window.take((3, fence()), 4).unwrap();
        assert!(window.is_empty());
        assert!(matches!(window.take((5, fence()), 4), Err(Ended::Again(_))));
        window.take((4, fence()), 4).unwrap();
        assert!(matches!(window.take((6, fence()), 4), Err(Ended::Again(_))));
        assert_eq!(window.batch_after(0).len(), 1);
        assert!(window.batch_after(1).is_empty());
    }
}
