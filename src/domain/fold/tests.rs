//! The fold's laws: any order, any batching and any repetition give the same list.

mod imports;
mod requests;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::calendar::Deadline;
use crate::domain::record::{Remarks, Subject};
use crate::domain::scope::Scope;
use crate::domain::statement::Statement;
use crate::domain::words::RequestedBy;

const KEY: KeyCheck = KeyCheck([7; 8]);
const OTHER_KEY: KeyCheck = KeyCheck([8; 8]);

fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn subject(person: u8) -> Subject {
    Subject { kind: IdentifierKind::Phone, digests: vec![Digest([person; 16]), Digest([person + 100; 16])] }
}

/// An event about person `person`, who for `identifier_changed` becomes `person + 1` as well.
fn event(name: u32, kind: EventKind, second: i64, person: u8) -> EventRecord {
    let changed = kind == EventKind::IdentifierChanged;
    EventRecord {
        key: EventKey::of("crm", &name.to_string()),
        source: "crm".into(),
        event_id: name.to_string(),
        kind,
        at: instant(second),
        received_at: instant(100),
        decided_at: instant(101),
        keys: vec![KEY, OTHER_KEY],
        content: vec![[u8::try_from(name % 256).unwrap(); 16]; 2],
        subject: vec![subject(person)],
        new_subject: if changed { vec![subject(person + 1)] } else { vec![] },
        scope: Scope::ALL,
        remarks: Remarks::default(),
        request: format!("crm:{name}"),
        requested_by: RequestedBy::Subject,
        agent: None,
        review: None,
        rule: None,
        starts_at: instant(100),
        deadline: (!kind.settles()).then(|| Deadline {
            due_at: instant(1000 + i64::from(name)),
            due_strict_at: instant(900 + i64::from(name)),
            calendar: Some("kz-1".into()),
        }),
    }
}

fn entry(id: usize, record: Record) -> Entry {
    let mut name = [0; 16];
    name[..8].copy_from_slice(&id.to_be_bytes());
    Entry { id: RecordId(name), record }
}

/// A ledger with its genesis and these events.
fn ledger(events: impl IntoIterator<Item = EventRecord>) -> Vec<Entry> {
    let genesis = Record::Genesis { ledger: LedgerId([1; 16]), keys: vec![KEY] };
    std::iter::once(genesis)
        .chain(events.into_iter().map(|event| Record::Event(Box::new(event))))
        .enumerate()
        .map(|(id, record)| entry(id, record))
        .collect()
}

fn folded(ledger: &[Entry]) -> Working {
    let mut list = Working::new(Head::new(ListId([2; 16])));
    for (position, entry) in ledger.iter().enumerate() {
        list.fold(position as u64, entry).unwrap();
    }
    list
}

/// Folds in batches, each with only what it asked for, as the store does.
fn folded_in_batches(ledger: &[Entry], batch: usize) -> Working {
    let mut all = Working::new(Head::new(ListId([2; 16])));
    for (index, entries) in ledger.chunks(batch).enumerate() {
        let mut working = Working::new(all.head.clone());
        loop {
            let missing = working.missing(entries);
            if missing.is_empty() {
                break;
            }
            for digest in missing.people {
                working.people.insert(digest, all.people.get(&digest).cloned().unwrap_or_default());
            }
            for key in missing.events {
                working.events.insert(key, all.events.get(&key).cloned().flatten());
            }
            for key in missing.requests {
                working.requests.insert(key, all.requests.get(&key).cloned().flatten());
            }
            if missing.fences {
                working.fences = Some(all.fences.clone().unwrap_or_default());
            }
        }
        for (offset, entry) in entries.iter().enumerate() {
            working.fold((index * batch + offset) as u64, entry).unwrap();
        }
        for digest in &working.changed.people {
            all.people.insert(*digest, working.people[digest].clone());
        }
        for key in &working.changed.events {
            all.events.insert(*key, working.events[key].clone());
        }
        for key in &working.changed.requests {
            all.requests.insert(*key, working.requests[key].clone());
        }
        if working.changed.fences {
            all.fences = working.fences;
        }
        all.head = working.head;
    }
    all
}

fn standing(list: &Working) -> BTreeMap<Digest, Vec<Statement>> {
    list.people
        .iter()
        .map(|(digest, person)| (*digest, person.standing()))
        .filter(|(_, standing)| !standing.is_empty())
        .collect()
}

fn events() -> impl Strategy<Value = Vec<EventRecord>> {
    let one = (proptest::sample::select(&EventKind::ALL[..7]), 0i64..8, 0u8..4);
    proptest::collection::vec(one, 1..9).prop_map(|events| {
        (0..).zip(events).map(|(name, (kind, second, person))| event(name, kind, second, person)).collect()
    })
}

proptest! {
    #[test]
    fn any_order_of_arrival_gives_the_same_list(
        (events, shuffled) in events().prop_flat_map(|e| (Just(e.clone()), Just(e).prop_shuffle()))
    ) {
        prop_assert_eq!(standing(&folded(&ledger(events))), standing(&folded(&ledger(shuffled))));
    }

    #[test]
    fn any_batching_gives_the_same_list_revisions_and_outcomes(events in events(), batch in 1usize..5) {
        let ledger = ledger(events);
        let (whole, batched) = (folded(&ledger), folded_in_batches(&ledger, batch));
        prop_assert_eq!(&whole.head, &batched.head);
        prop_assert_eq!(standing(&whole), standing(&batched));
        prop_assert_eq!(&whole.events, &batched.events);
    }

    #[test]
    fn every_event_twice_changes_nothing(events in events()) {
        let once = folded(&ledger(events.clone()));
        let twice = folded(&ledger(events.iter().chain(&events).cloned()));
        prop_assert_eq!(standing(&once), standing(&twice));
        prop_assert_eq!(&once.events, &twice.events);
        prop_assert_eq!(once.head.revision, twice.head.revision);
    }

    #[test]
    fn a_change_of_identifier_carries_exactly_what_is_dated_no_later(
        second in 0i64..8, changed in 0i64..8, link_first in any::<bool>()
    ) {
        let mut both = vec![
            event(1, EventKind::OptOut, second, 0),
            event(2, EventKind::IdentifierChanged, changed, 0),
        ];
        if link_first {
            both.reverse();
        }
        let list = folded(&ledger(both));
        prop_assert_eq!(standing(&list).contains_key(&subject(1).digests[0]), second <= changed);
        prop_assert!(standing(&list).contains_key(&subject(0).digests[0]), "the old one keeps its own");
    }
}

#[test]
fn one_event_is_one_revision_and_one_that_changes_nothing_is_none() {
    let list = folded(&ledger([
        event(1, EventKind::OptOut, 5, 0),
        event(2, EventKind::OptOut, 4, 0),
        event(3, EventKind::OptOut, 5, 0),
        event(4, EventKind::OptOut, 5, 1),
    ]));
    assert_eq!(list.head.revision, 2);
    let outcome = |name: &str| list.events[&EventKey::of("crm", name)].clone().unwrap();
    assert_eq!((outcome("1").decision, outcome("1").revision), (Decision::Applied, 1));
    assert_eq!((outcome("2").decision, outcome("2").revision), (Decision::Superseded, 1));
    assert_eq!((outcome("3").decision, outcome("3").revision), (Decision::Applied, 1));
    assert_eq!((outcome("4").decision, outcome("4").revision), (Decision::Applied, 2));
    assert_eq!(list.head.counts[&(KEY, IdentifierKind::Phone)], 2);
}

#[test]
fn of_two_contents_under_one_name_the_first_in_the_ledger_counts() {
    let mut conflicting = event(1, EventKind::OptIn, 9, 0);
    conflicting.content = vec![[99; 16]; 2];
    let first = event(1, EventKind::OptOut, 5, 0);
    let list = folded(&ledger([first.clone(), conflicting]));
    assert_eq!(standing(&list), standing(&folded(&ledger([first.clone()]))));
    let outcome = list.events[&first.key].clone().unwrap();
    assert_eq!(outcome.content, vec![(KEY, [1; 16]), (OTHER_KEY, [1; 16])]);
}

#[test]
fn a_record_that_lacks_a_key_which_the_list_depends_on_leaves_the_decision_to_the_next() {
    let whole = event(1, EventKind::OptOut, 5, 0);
    let mut partial = whole.clone();
    partial.keys.truncate(1);
    partial.content.truncate(1);
    partial.subject[0].digests.truncate(1);
    let mut records = ledger([partial.clone()]);
    assert!(folded(&records).events[&whole.key].is_some(), "one key is enough while only it is needed");
    records.insert(1, entry(90, Record::KeyAdded { key: OTHER_KEY }));
    let list = folded(&records);
    assert!(standing(&list).is_empty() && !list.events.contains_key(&whole.key));
    records.push(entry(91, Record::Event(Box::new(whole.clone()))));
    let list = folded(&records);
    assert_eq!(standing(&list).len(), 2, "under both keys");
    assert_eq!(list.events[&whole.key].as_ref().unwrap().record, records[3].id);
    records.insert(2, entry(92, Record::KeyRetired { key: OTHER_KEY, of: [KEY, OTHER_KEY].into() }));
    assert_eq!(standing(&folded(&records)).len(), 1, "a retired key is not asked for");
}

#[test]
fn a_key_is_retired_only_with_the_keys_that_it_was_found_out_with_and_never_the_last_and_never_comes_back() {
    let added = |key| Record::KeyAdded { key };
    let retired = |key, of: &[KeyCheck]| Record::KeyRetired { key, of: of.iter().copied().collect() };
    let third = KeyCheck([3; 8]);
    for (records, keys) in [
        (vec![retired(KEY, &[KEY])], vec![KEY]),
        (vec![added(OTHER_KEY), retired(KEY, &[KEY, OTHER_KEY])], vec![OTHER_KEY]),
        (vec![added(OTHER_KEY), retired(KEY, &[KEY, OTHER_KEY]), added(KEY)], vec![OTHER_KEY]),
        // Two at once, each in the belief that the other stays.
        (
            vec![added(OTHER_KEY), retired(KEY, &[KEY, OTHER_KEY]), retired(OTHER_KEY, &[KEY, OTHER_KEY])],
            vec![OTHER_KEY],
        ),
        // A key that came meanwhile may be one that nothing stands under.
        (vec![added(OTHER_KEY), added(third), retired(KEY, &[KEY, OTHER_KEY])], vec![KEY, OTHER_KEY, third]),
    ] {
        let mut list = folded(&ledger([]));
        for (position, record) in (1..).zip(&records) {
            list.fold(position, &entry(7, record.clone())).unwrap();
        }
        assert_eq!(list.head.keys, keys.into_iter().collect(), "{records:?}");
    }
}

#[test]
fn a_retired_keys_identifiers_are_counted_under_those_that_stay() {
    let mut said = event(1, EventKind::OptOut, 5, 0);
    said.keys.truncate(1);
    said.content.truncate(1);
    said.subject[0].digests.truncate(1);
    let mut records = ledger([said]);
    records.push(entry(90, Record::KeyAdded { key: OTHER_KEY }));
    records.push(entry(91, Record::KeyRetired { key: KEY, of: [KEY, OTHER_KEY].into() }));
    let counts = folded(&records).head.counts;
    assert_eq!(counts[&(OTHER_KEY, IdentifierKind::Phone)], 1);
    assert_eq!(counts[&(KEY, IdentifierKind::Phone)], 1, "they are still there, and take room");
}

#[test]
fn the_same_change_of_identifier_again_is_one_link_of_the_latest_date() {
    let list = folded(&ledger([
        event(1, EventKind::IdentifierChanged, 3, 0),
        event(2, EventKind::IdentifierChanged, 7, 0),
        event(3, EventKind::IdentifierChanged, 5, 0),
        event(4, EventKind::OptOut, 6, 0),
    ]));
    let links = &list.people[&subject(0).digests[0]].links;
    assert_eq!(links.iter().map(|link| link.at).collect::<Vec<_>>(), [instant(7)]);
    assert!(standing(&list).contains_key(&subject(1).digests[0]));
}

#[test]
fn the_newest_fences_are_kept() {
    let fence = |worker: usize| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&worker.to_be_bytes());
        Record::Fence { worker: WorkerId(id), nonce: Nonce(id) }
    };
    let mut list = folded(&ledger([]));
    for worker in 0..=FENCES_MAX {
        list.fold(1 + worker as u64, &entry(worker, fence(worker))).unwrap();
    }
    let fences = list.fences.unwrap();
    assert_eq!(fences.len(), FENCES_MAX);
    assert!(!fences.contains_key(&WorkerId([0; 16])), "the oldest went");
    assert_eq!(list.head.revision, 0, "a fence is no change of the list");
}

#[test]
fn a_ledger_begins_with_its_genesis_and_a_second_one_changes_nothing() {
    let mut list = Working::new(Head::new(ListId([2; 16])));
    let fence = entry(0, Record::Fence { worker: WorkerId([0; 16]), nonce: Nonce([0; 16]) });
    assert_eq!(list.fold(0, &fence), Err(FoldFault::NoGenesis));
    assert_eq!(list.fold(1, &fence), Err(FoldFault::OutOfOrder));
    let mut list = folded(&ledger([]));
    let again = Record::Genesis { ledger: LedgerId([9; 16]), keys: vec![OTHER_KEY] };
    list.fold(1, &entry(1, again)).unwrap();
    assert_eq!(list.head.ledger, Some(LedgerId([1; 16])));
    assert!(!list.head.keys.contains(&OTHER_KEY));
}

#[test]
fn what_is_restored_joins_what_is_there() {
    let before =
        folded(&ledger([event(1, EventKind::OptOut, 5, 0), event(2, EventKind::IdentifierChanged, 6, 0)]));
    let people: Vec<_> = before.people.iter().map(|(digest, person)| (*digest, person.clone())).collect();
    let mut list = folded(&ledger([event(3, EventKind::OptIn, 4, 0)]));
    list.fold(2, &entry(2, Record::Restored { people, requests: vec![] })).unwrap();
    assert_eq!(
        standing(&list),
        standing(&folded(&ledger([
            event(3, EventKind::OptIn, 4, 0),
            event(1, EventKind::OptOut, 5, 0),
            event(2, EventKind::IdentifierChanged, 6, 0)
        ])))
    );
}
