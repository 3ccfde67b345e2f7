//! Imports: only ever more restrictions, the same ones however a file is cut into records and in whatever order.

use super::*;
use crate::domain::record::{IMPORT_LINES_MAX, ImportLine, ImportRecord, ImportSubject};
use crate::domain::scope::{Channels, Names};
use crate::domain::words::Channel;

const KEYS: [KeyCheck; 2] = [KEY, OTHER_KEY];

fn line(kind: EventKind, second: i64, person: u8) -> ImportLine {
    let subject = ImportSubject::Known(vec![subject(person)]);
    ImportLine { line: 1, kind, at: instant(second), scope: Scope::ALL, subject }
}

fn import(keys: &[KeyCheck], lines: Vec<ImportLine>) -> Record {
    let (import, received_at) = ("old CRM".into(), instant(100));
    Record::Imported(Box::new(ImportRecord { import, received_at, keys: keys.to_vec(), lines }))
}

/// A ledger with its genesis, these events, and then these records.
fn followed(events: Vec<EventRecord>, records: impl IntoIterator<Item = Record>) -> Vec<Entry> {
    let mut entries = ledger(events);
    entries.extend((1000..).zip(records).map(|(id, record)| entry(id, record)));
    entries
}

fn any_scope() -> impl Strategy<Value = Scope> {
    let region = proptest::option::of(proptest::sample::select(vec!["KZ-75", "KZ-79"]));
    let channel = proptest::option::of(proptest::sample::select(Channel::ALL));
    (region, channel).prop_map(|(region, channel)| Scope {
        regions: region.and_then(|region| Names::only([region.into()])).unwrap_or(Names::All),
        channels: channel.and_then(|channel| Channels::only([channel])).unwrap_or(Channels::ALL),
        brands: Names::All,
    })
}

fn lines_of(kinds: &'static [EventKind]) -> impl Strategy<Value = Vec<ImportLine>> {
    let one = (proptest::sample::select(kinds), 0i64..8, 0u8..4, any::<bool>(), any_scope());
    let one = one.prop_map(|(kind, second, person, exported, scope)| {
        let mut line = ImportLine { scope, ..line(kind, second, person) };
        if exported {
            line.subject = ImportSubject::Digest(subject(person).digests[0]);
        }
        line
    });
    proptest::collection::vec(one, 1..12)
}

const RESTRICTING: &[EventKind] =
    &[EventKind::OptOut, EventKind::Complaint, EventKind::Bounce, EventKind::Hold];

const OTHERS: &[EventKind] = &[
    EventKind::OptIn,
    EventKind::Release,
    EventKind::IdentifierChanged,
    EventKind::Dismiss,
    EventKind::Apply,
];

proptest! {
    #[test]
    fn any_cut_and_any_order_of_the_lines_give_the_same_list(
        events in events(),
        (lines, shuffled) in lines_of(RESTRICTING).prop_flat_map(|l| (Just(l.clone()), Just(l).prop_shuffle())),
        cut in 1usize..5,
    ) {
        let whole = folded(&followed(events.clone(), [import(&KEYS, lines.clone())]));
        let records = |lines: &[ImportLine], cut| -> Vec<Record> {
            lines.chunks(cut).map(|lines| import(&KEYS, lines.to_vec())).collect()
        };
        let cut_up = folded(&followed(events.clone(), records(&lines, cut)));
        prop_assert_eq!(standing(&whole), standing(&cut_up));
        prop_assert_eq!(whole.head.revision, cut_up.head.revision, "a revision is of a line, not of a record");
        prop_assert_eq!(&whole.head.counts, &cut_up.head.counts);
        let other_order = folded(&followed(events, records(&shuffled, cut)));
        prop_assert_eq!(standing(&whole), standing(&other_order));
    }

    #[test]
    fn the_same_lines_again_change_nothing(events in events(), lines in lines_of(RESTRICTING)) {
        let once = folded(&followed(events.clone(), [import(&KEYS, lines.clone())]));
        let twice = folded(&followed(events, [import(&KEYS, lines.clone()), import(&KEYS, lines)]));
        prop_assert_eq!(&once.people, &twice.people);
        prop_assert_eq!(once.head.revision, twice.head.revision);
        prop_assert_eq!(&once.head.counts, &twice.head.counts);
    }

    #[test]
    fn a_line_that_lifts_links_or_settles_changes_nothing(events in events(), lines in lines_of(OTHERS)) {
        let before = folded(&ledger(events.clone()));
        let after = folded(&followed(events, [import(&KEYS, lines)]));
        prop_assert_eq!(&before.people, &after.people);
        prop_assert_eq!(&before.requests, &after.requests);
        prop_assert_eq!(before.head.revision, after.head.revision);
    }

    #[test]
    fn an_import_restricts_as_the_same_events_would(events in events(), lines in lines_of(RESTRICTING)) {
        let known = lines.into_iter().map(|line| {
            let person = line.digests().next().unwrap().0[0];
            ImportLine { subject: ImportSubject::Known(vec![subject(person)]), ..line }
        });
        let known: Vec<_> = known.collect();
        let said = (500..).zip(&known).map(|(name, line)| EventRecord {
            scope: line.scope.clone(),
            ..event(name, line.kind, line.at.as_second(), line.digests().next().unwrap().0[0])
        });
        let by_events = folded(&ledger(events.clone().into_iter().chain(said)));
        let by_import = folded(&followed(events.clone(), [import(&KEYS, known)]));
        prop_assert_eq!(&by_events.people, &by_import.people);
        prop_assert_eq!(by_events.head.revision, by_import.head.revision);
        prop_assert_eq!(by_events.head.counts, by_import.head.counts);
        prop_assert_eq!(by_import.events.len(), events.len(), "and no outcomes besides");
    }

    #[test]
    fn any_batching_gives_the_same_list_and_revision(
        events in events(), lines in lines_of(RESTRICTING), cut in 1usize..5, batch in 1usize..5
    ) {
        let records = lines.chunks(cut).map(|lines| import(&KEYS, lines.to_vec()));
        let ledger = followed(events, records);
        let (whole, batched) = (folded(&ledger), folded_in_batches(&ledger, batch));
        prop_assert_eq!(&whole.head, &batched.head);
        prop_assert_eq!(standing(&whole), standing(&batched));
    }
}

#[test]
fn each_line_that_changes_what_stands_is_a_revision_and_each_identifier_counts_once() {
    let lines = vec![
        line(EventKind::OptOut, 5, 0),
        line(EventKind::OptOut, 4, 0),
        line(EventKind::Bounce, 5, 0),
        line(EventKind::OptOut, 5, 1),
        ImportLine { subject: ImportSubject::Digest(Digest([50; 16])), ..line(EventKind::OptOut, 5, 0) },
    ];
    let list = folded(&followed(vec![], [import(&KEYS, lines)]));
    assert_eq!(list.head.revision, 4);
    assert_eq!(list.head.counts[&(KEY, IdentifierKind::Phone)], 2);
    assert_eq!(list.head.counts.len(), 2, "of a digest out of an export nobody knows the kind");
    assert_eq!(standing(&list).len(), 5);
    assert!(list.events.is_empty() && list.requests.is_empty(), "it leaves nothing else behind");
}

#[test]
fn an_import_that_lacks_a_key_which_the_list_depends_on_decides_nothing() {
    let one_key = |mut line: ImportLine| {
        if let ImportSubject::Known(subjects) = &mut line.subject {
            subjects[0].digests.truncate(1);
        }
        line
    };
    let lines = vec![one_key(line(EventKind::OptOut, 5, 0))];
    assert_eq!(folded(&followed(vec![], [import(&[KEY], lines.clone())])).head.revision, 1);
    let added = Record::KeyAdded { key: OTHER_KEY };
    let list = folded(&followed(vec![], [added, import(&[KEY], lines)]));
    assert!(standing(&list).is_empty());
    assert_eq!(list.head.revision, 0);
}

#[test]
fn what_is_imported_follows_links_as_far_as_their_dates_allow() {
    let changed = event(1, EventKind::IdentifierChanged, 5, 0);
    let (link, imports) =
        (Record::Event(Box::new(changed)), |second| import(&KEYS, vec![line(EventKind::OptOut, second, 0)]));
    for (second, carried) in [(4, true), (5, true), (6, false)] {
        for records in [[link.clone(), imports(second)], [imports(second), link.clone()]] {
            let list = folded(&followed(vec![], records));
            assert_eq!(standing(&list).contains_key(&subject(1).digests[0]), carried, "{second}");
        }
    }
}

#[test]
fn a_record_weighs_what_it_makes_the_list_read() {
    let lines = vec![line(EventKind::OptOut, 1, 0); IMPORT_LINES_MAX];
    assert_eq!(import(&KEYS, lines).weight(), 2 * IMPORT_LINES_MAX);
    assert_eq!(import(&KEYS, vec![]).weight(), 1, "nothing is free");
    assert_eq!(Record::Event(Box::new(event(1, EventKind::OptOut, 1, 0))).weight(), 4);
}
