//! The list in memory: digest → class, one look-up an identifier.
//!
//! A *class* is what restricts, without times. There are few of them, so a segment first works out one
//! answer a class ([`View::table`]) and then pays one look-up an identifier. The mirror has the list at
//! exactly one position; it changes only by whole feed entries that follow that position, and knows
//! nothing of Redis, tasks or locks.

mod classes;
mod index;

use classes::Classes;
use index::{ClassId, Index};

use crate::domain::digest::Digest;
use crate::domain::record::{ListId, RecordId};
use crate::domain::statement::Statement;
use crate::domain::view::View;
use crate::domain::words::{Channel, Removal};

/// The list of one moment, in memory.
#[derive(Debug)]
pub struct Mirror {
    list: ListId,
    position: u64,
    revision: u64,
    /// The record at `position - 1`.
    last: Option<RecordId>,
    classes: Classes,
    index: Index,
}

/// A feed entry that does not follow the mirror: entries in between were trimmed, or it follows other records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the feed goes on at {from} and does not follow the mirror at {position}")]
pub struct Gap {
    /// Where the entry begins.
    pub from: u64,
    /// Where the mirror is.
    pub position: u64,
}

/// One batch of the fold, as the mirror hears of it.
#[derive(Debug)]
pub struct FeedEntry {
    /// The position before it.
    pub from: u64,
    /// The position after it.
    pub to: u64,
    /// The record at `from - 1`.
    pub before: Option<RecordId>,
    /// The record at `to - 1`.
    pub last: Option<RecordId>,
    /// The revision after it.
    pub revision: u64,
    /// Every digest that changed, with what stands now.
    pub changes: Vec<(Digest, Vec<Statement>)>,
}

impl Mirror {
    /// An empty mirror of a list at a position, to be filled with [`Mirror::put`].
    pub fn new(list: ListId, position: u64, revision: u64, tip: Option<RecordId>) -> Self {
        Self { list, position, revision, last: tip, classes: Classes::default(), index: Index::default() }
    }

    /// Makes room for this many more identifiers at once.
    pub fn reserve(&mut self, identifiers: usize) {
        self.index.reserve(identifiers);
    }

    /// The list that it mirrors.
    pub fn list(&self) -> ListId {
        self.list
    }

    /// How many ledger records are in.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The record before that position.
    pub fn last(&self) -> Option<RecordId> {
        self.last
    }

    /// The revision at that position.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Identifiers that something restricts.
    pub fn restricted(&self) -> usize {
        self.index.len()
    }

    /// What stands for a digest, while loading.
    pub fn put(&mut self, digest: Digest, standing: &[Statement]) {
        match self.classes.of(standing) {
            Some(class) => self.index.insert(digest, class),
            None => self.index.remove(&digest),
        }
    }

    /// Follows the feed by one entry. An entry that is in already changes nothing.
    pub fn follow(&mut self, entry: &FeedEntry) -> Result<(), Gap> {
        if entry.to <= self.position {
            return Ok(());
        }
        if entry.from != self.position || entry.before != self.last {
            return Err(Gap { from: entry.from, position: self.position });
        }
        for (digest, standing) in &entry.changes {
            self.put(*digest, standing);
        }
        self.position = entry.to;
        self.revision = entry.revision;
        self.last = entry.last;
        Ok(())
    }
}

impl View for Mirror {
    type Table = Vec<Option<Removal>>;

    fn table(&self, region: &str, channel: Channel, brand: &str) -> Self::Table {
        self.classes.table(region, channel, brand)
    }

    fn removal(&self, table: &Self::Table, digest: &Digest) -> Option<Removal> {
        table[self.index.get(digest).map_or(0, ClassId::number)]
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::scope::{Channels, Name, Names, Scope};
    use crate::domain::statement::Statements;
    use crate::domain::words::EventKind;

    fn said(kind: EventKind, second: i64, scope: Scope) -> Statement {
        Statement::of(kind, Timestamp::from_second(second).unwrap(), scope).unwrap()
    }

    fn scope(region: Option<u8>, channel: Option<Channel>) -> Scope {
        Scope {
            regions: region.map_or(Names::All, |r| Names::only([Name::from(format!("KZ-{r}"))]).unwrap()),
            channels: channel.map_or(Channels::ALL, |c| Channels::only([c]).unwrap()),
            brands: Names::All,
        }
    }

    proptest! {
        #[test]
        fn the_mirror_answers_like_the_statements(
            people in proptest::collection::vec(
                proptest::collection::vec(
                    (
                        proptest::sample::select(&EventKind::ALL[..6]),
                        0i64..5,
                        proptest::option::of(1u8..3),
                        proptest::option::of(proptest::sample::select(Channel::ALL)),
                    ),
                    0..4,
                ),
                1..6,
            )
        ) {
            let mut mirror = Mirror::new(ListId([0; 16]), 0, 0, None);
            let people: Vec<Statements> = people
                .into_iter()
                .map(|person| Statements::new(person.into_iter().map(|(k, t, r, c)| said(k, t, scope(r, c)))))
                .collect();
            for (n, statements) in (0u8..).zip(&people) {
                mirror.put(Digest([n; 16]), statements.as_slice());
            }
            for region in ["KZ-1", "KZ-2", "KZ-3"] {
                for channel in Channel::ALL {
                    let table = mirror.table(region, *channel, "b");
                    for (n, statements) in (0u8..).zip(&people) {
                        prop_assert_eq!(
                            mirror.removal(&table, &Digest([n; 16])),
                            statements.removal(region, *channel, "b")
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn times_make_no_classes_and_what_lifts_nothing_is_not_kept() {
        let mut mirror = Mirror::new(ListId([0; 16]), 0, 0, None);
        for n in 0..200 {
            mirror.put(Digest([n; 16]), &[said(EventKind::OptOut, i64::from(n), Scope::ALL)]);
        }
        assert_eq!(mirror.table("KZ-1", Channel::Sms, "b"), [None, Some(Removal::OptOut)]);
        mirror.put(Digest([0; 16]), &[said(EventKind::OptIn, 500, Scope::ALL)]);
        assert_eq!(mirror.restricted(), 199);
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with what may be absent")]
    fn id(position: u64) -> Option<RecordId> {
        Some(RecordId(u128::from(position).to_be_bytes()))
    }

    #[test]
    fn an_entry_beyond_the_position_is_a_gap_and_one_before_it_is_nothing() {
        let entry =
            |from, to| FeedEntry { from, to, before: id(from), last: id(to), revision: to, changes: vec![] };
        let mut mirror = Mirror::new(ListId([0; 16]), 5, 3, id(5));
        assert_eq!(mirror.follow(&entry(6, 7)), Err(Gap { from: 6, position: 5 }));
        assert_eq!(mirror.follow(&entry(2, 4)), Ok(()));
        assert_eq!((mirror.position(), mirror.revision()), (5, 3));
        assert_eq!(mirror.follow(&entry(5, 9)), Ok(()));
        assert_eq!((mirror.position(), mirror.revision()), (9, 9));
        let other = FeedEntry { before: id(1), ..entry(9, 10) };
        assert_eq!(mirror.follow(&other), Err(Gap { from: 9, position: 9 }), "after other records");
    }
}
