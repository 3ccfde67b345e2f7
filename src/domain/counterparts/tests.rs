//! A key that is retired takes nothing with it: whoever it would have held back is held back without it, whatever is
//! said afterwards.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::fold::{Head, Working};
use crate::domain::record::{
    Entry, EventKey, EventRecord, ImportLine, ImportRecord, LedgerId, ListId, RecordId, Remarks,
};
use crate::domain::scope::{Channels, Scope};
use crate::domain::statement::Statements;
use crate::domain::words::{Channel, EventKind, IdentifierKind, RequestedBy};

const OLD: KeyCheck = KeyCheck([1; 8]);
const NEW: KeyCheck = KeyCheck([2; 8]);
const PEOPLE: u8 = 4;

fn digest(person: u8, key: KeyCheck) -> Digest {
    Digest([person + 1 + 100 * (key.0[0] - 1); 16])
}

/// Something said: the kind, when, of whom, and whether of text messages alone.
type Said = (EventKind, i64, u8, bool);

fn subject(person: u8, keys: &[KeyCheck]) -> Subject {
    let digests = keys.iter().map(|key| digest(person % PEOPLE, *key)).collect();
    Subject { kind: IdentifierKind::Phone, digests }
}

fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn scope(narrow: bool) -> Scope {
    let channels = if narrow { Channels::only([Channel::Sms]).unwrap() } else { Channels::ALL };
    Scope { channels, ..Scope::ALL }
}

fn event(name: usize, (kind, second, person, narrow): Said, keys: &[KeyCheck]) -> Record {
    let changed = kind == EventKind::IdentifierChanged;
    Record::Event(Box::new(EventRecord {
        key: EventKey::of("crm", &name.to_string()),
        source: "crm".into(),
        event_id: name.to_string(),
        kind,
        at: instant(second),
        received_at: instant(100),
        decided_at: instant(100),
        keys: keys.to_vec(),
        content: vec![[0; 16]; keys.len()],
        subject: vec![subject(person, keys)],
        new_subject: if changed { vec![subject(person + 1, keys)] } else { vec![] },
        scope: scope(narrow),
        remarks: Remarks::default(),
        request: format!("crm:{name}"),
        requested_by: RequestedBy::Subject,
        agent: None,
        review: None,
        rule: None,
        starts_at: instant(100),
        deadline: None,
    }))
}

fn import(person: u8, second: i64) -> Record {
    let keys = vec![OLD, NEW];
    let subject = ImportSubject::Known(vec![subject(person, &keys)]);
    let (kind, at, scope) = (EventKind::OptOut, instant(second), Scope::ALL);
    let lines = vec![ImportLine { line: 1, kind, at, scope, subject }];
    Record::Imported(Box::new(ImportRecord { import: "x".into(), received_at: instant(100), keys, lines }))
}

/// A list and what its ledger tells of the keys.
struct World {
    list: Working,
    counterparts: Counterparts,
    registry: Registry,
}

impl World {
    fn new(records: impl IntoIterator<Item = Record>) -> Self {
        let mut world = Self {
            list: Working::new(Head::new(ListId([1; 16]))),
            counterparts: Counterparts::new([OLD, NEW]),
            registry: Registry::default(),
        };
        world.fold(Record::Genesis { ledger: LedgerId([1; 16]), keys: vec![OLD] });
        records.into_iter().for_each(|record| world.fold(record));
        world
    }

    fn fold(&mut self, record: Record) {
        let position = self.list.head.position;
        self.counterparts.take(&record);
        self.registry.take(position, &record);
        self.list.fold(position, &Entry { id: RecordId([9; 16]), record }).unwrap();
    }

    fn standings(&self) -> Vec<Standing> {
        let of = |person| standing(&self.counterparts, digest(person, OLD), NEW, &self.list.people);
        (0..PEOPLE).map(of).collect()
    }

    /// What has to be copied. `None`: somebody is known under the old key alone.
    fn carried(&self) -> Option<Record> {
        let mut people = Vec::new();
        for standing in self.standings() {
            match standing {
                Standing::Alone => return None,
                Standing::Covered => {}
                Standing::Short(to, person) => people.push((to, person)),
            }
        }
        Some(Record::Restored { people, requests: vec![] })
    }

    fn removed(&self, digest: Digest, channel: Channel) -> bool {
        let standing = self.list.people.get(&digest).map(Person::standing).unwrap_or_default();
        Statements::new(standing).removal("KZ-79", channel, "x").is_some()
    }
}

fn said(kinds: &'static [EventKind], max: usize) -> impl Strategy<Value = Vec<Said>> {
    proptest::collection::vec((proptest::sample::select(kinds), 0i64..8, 0..PEOPLE, any::<bool>()), 0..max)
}

fn events(first: usize, said: &[Said], keys: &[KeyCheck]) -> Vec<Record> {
    (first..).zip(said).map(|(name, said)| event(name, *said, keys)).collect()
}

fn retired() -> Record {
    Record::KeyRetired { key: OLD, of: [OLD, NEW].into() }
}

/// Under the old key, under both, imported again: everything that a ledger has before its old key is retired.
fn rotated(before: &[Said], both: &[Said], again: &[(u8, i64)]) -> Vec<Record> {
    let mut records = events(0, before, &[OLD]);
    records.push(Record::KeyAdded { key: NEW });
    records.extend(events(10, both, &[OLD, NEW]));
    records.extend(again.iter().map(|(person, second)| import(*person, *second)));
    records
}

/// Retires the old key of one of two equal lists, tells both the same, and compares.
fn nobody_is_lost(mut records: Vec<Record>, afterwards: &[Said]) -> Result<(), TestCaseError> {
    let Some(carried) = World::new(records.clone()).carried() else { return Ok(()) };
    records.push(carried);
    prop_assert!(World::new(records.clone()).standings().iter().all(|one| *one == Standing::Covered));
    let with = records.iter().cloned().chain(events(20, afterwards, &[OLD, NEW]));
    let without = records.iter().cloned().chain([retired()]).chain(events(20, afterwards, &[NEW]));
    let (with, without) = (World::new(with), World::new(without));
    prop_assert_eq!(&without.list.head.keys, &[NEW].into());
    for person in 0..PEOPLE {
        for channel in [Channel::Sms, Channel::Email] {
            let before =
                with.removed(digest(person, OLD), channel) || with.removed(digest(person, NEW), channel);
            prop_assert!(!before || without.removed(digest(person, NEW), channel), "{} {}", person, channel);
        }
    }
    Ok(())
}

const ANY: &[EventKind] = &[
    EventKind::OptOut,
    EventKind::OptIn,
    EventKind::Complaint,
    EventKind::Hold,
    EventKind::Release,
    EventKind::IdentifierChanged,
];
const RESTRICTING: &[EventKind] = &[EventKind::OptOut, EventKind::Complaint, EventKind::Hold];

proptest! {
    #[test]
    fn whoever_was_sent_again_is_removed_without_the_old_key_as_with_it_whatever_is_said_afterwards(
        before in said(ANY, 7), both in said(ANY, 5), dates in proptest::collection::vec(0i64..8, 4),
        afterwards in said(ANY, 6)
    ) {
        let again: Vec<_> = (0..PEOPLE).zip(dates).collect();
        let records = rotated(&before, &both, &again);
        prop_assert!(World::new(records.clone()).carried().is_some(), "everybody was named under both keys");
        nobody_is_lost(records, &afterwards)?;
    }

    #[test]
    fn a_key_that_may_be_retired_takes_nobody_with_it(
        before in said(RESTRICTING, 3), both in said(ANY, 6), afterwards in said(ANY, 6),
        again in proptest::collection::vec((0..PEOPLE, 0i64..8), 0..4)
    ) {
        nobody_is_lost(rotated(&before, &both, &again), &afterwards)?;
    }
}

fn of_one(before: &[Said], both: &[Said]) -> Standing {
    World::new(rotated(before, both, &[])).standings().swap_remove(0)
}

#[test]
fn what_is_in_force_or_linked_under_one_key_alone_keeps_it_and_who_came_back_does_not() {
    let (out, back) = ((EventKind::OptOut, 1, 0, false), (EventKind::OptIn, 2, 0, false));
    let changed = (EventKind::IdentifierChanged, 3, 0, false);
    assert_eq!(of_one(&[out], &[]), Standing::Alone);
    assert_eq!(
        of_one(&[changed], &[]),
        Standing::Alone,
        "what is said later and dated earlier would get lost"
    );
    assert_eq!(of_one(&[out, back], &[]), Standing::Covered);
    assert_eq!(of_one(&[], &[out]), Standing::Covered, "said under both keys");
    let to = digest(0, NEW);
    assert!(
        matches!(of_one(&[out], &[back]), Standing::Short(short, _) if short == to),
        "any record pairs them"
    );
}

#[test]
fn a_pair_is_known_in_both_directions_and_a_lone_digest_by_its_key() {
    let world =
        World::new(rotated(&[(EventKind::OptOut, 1, 1, false)], &[(EventKind::OptOut, 1, 0, false)], &[]));
    let known = &world.counterparts;
    assert_eq!(known.under(digest(0, OLD), NEW), Some(digest(0, NEW)));
    assert_eq!(known.under(digest(0, NEW), OLD), Some(digest(0, OLD)));
    assert_eq!((known.key_of(digest(0, NEW)), known.key_of(digest(1, OLD))), (Some(NEW), Some(OLD)));
    assert_eq!((known.under(digest(1, OLD), NEW), known.key_of(digest(2, OLD))), (None, None));
}

#[test]
fn the_newest_key_is_the_one_that_came_last_and_is_still_needed() {
    let mut world = World::new(rotated(&[(EventKind::OptOut, 1, 1, false)], &[], &[]));
    assert_eq!(world.registry.newest(&[OLD, NEW].into()), Some(NEW));
    assert_eq!(world.registry.newest(&[OLD].into()), Some(OLD));
    assert_eq!(world.registry.since(NEW), Some(Since { offset: 2, after: Some(instant(100)) }));
    world.fold(Record::KeyAdded { key: OLD });
    assert_eq!(world.registry.since(OLD), Some(Since { offset: 0, after: None }), "told twice");
}
