//! One person's part of a ledger, found in as few passes as its links ask for.

use super::*;
use crate::domain::digest::KeyCheck;
use crate::domain::fold::Decision;
use crate::domain::record::{
    ImportLine, ImportRecord, ImportSubject, LedgerId, ListId, Person, Remarks, Subject,
};
use crate::domain::request::{Ask, InReview};
use crate::domain::scope::Scope;
use crate::domain::words::{IdentifierKind, RequestedBy, ReviewMode};

const KEYS: [KeyCheck; 2] = [KeyCheck([7; 8]), KeyCheck([8; 8])];

fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn digest(person: u8) -> Digest {
    Digest([person; 16])
}

fn subject(person: u8) -> Subject {
    Subject { kind: IdentifierKind::Phone, digests: vec![digest(person), digest(person + 100)] }
}

/// Said at `second`, decided a hundred seconds later.
fn event(name: &str, kind: EventKind, second: i64, person: u8) -> EventRecord {
    EventRecord {
        key: EventKey::of("crm", name),
        source: "crm".into(),
        event_id: name.into(),
        kind,
        at: instant(second),
        received_at: instant(second + 99),
        decided_at: instant(second + 100),
        keys: KEYS.to_vec(),
        content: vec![[1; 16]; 2],
        subject: vec![subject(person)],
        new_subject: vec![],
        scope: Scope::ALL,
        remarks: Remarks::default(),
        request: format!("crm:{name}"),
        requested_by: RequestedBy::Subject,
        agent: None,
        review: None,
        rule: None,
        starts_at: instant(second + 99),
        deadline: None,
    }
}

fn changed(name: &str, second: i64, from: u8, to: u8) -> EventRecord {
    EventRecord { new_subject: vec![subject(to)], ..event(name, EventKind::IdentifierChanged, second, from) }
}

fn ledger(events: impl IntoIterator<Item = EventRecord>) -> Vec<Entry> {
    let genesis = Record::Genesis { ledger: LedgerId([1; 16]), keys: KEYS.to_vec() };
    let events = events.into_iter().map(|event| Record::Event(Box::new(event)));
    let entry = |(id, record)| Entry { id: RecordId([id; 16]), record };
    (0..).zip(std::iter::once(genesis).chain(events)).map(entry).collect()
}

fn pass(ledger: &[Entry], seed: Seed) -> Trace {
    let mut trace = Trace::new(seed);
    for (offset, entry) in (0..).zip(ledger) {
        trace.take(offset, entry.clone()).unwrap();
    }
    trace
}

/// Passes until one began with enough. Answers how many it took, too.
fn traced(ledger: &[Entry], person: u8) -> (Trace, usize) {
    let mut seed = Seed { digests: [digest(person)].into(), ..Seed::default() };
    for passes in 1.. {
        let trace = pass(ledger, seed);
        match trace.wider() {
            None => return (trace, passes),
            Some(wider) => seed = wider,
        }
    }
    unreachable!("digests are finite")
}

fn names(trace: &Trace) -> Vec<&str> {
    trace.events().map(|(_, event)| event.event_id.as_str()).collect()
}

fn folded(trace: &Trace, until: Option<Timestamp>) -> Working {
    trace.fold(ListId([2; 16]), &HashMap::new(), until).unwrap()
}

#[test]
fn a_person_without_links_is_found_in_one_pass_and_nobody_else_is() {
    let ledger = ledger([
        event("1", EventKind::OptOut, 1, 1),
        event("2", EventKind::OptOut, 2, 2),
        event("3", EventKind::OptIn, 3, 1),
    ]);
    let (trace, passes) = traced(&ledger, 1);
    assert_eq!((names(&trace), passes), (vec!["1", "3"], 1));
    assert_eq!(trace.steps().iter().map(|step| step.offset).collect::<Vec<_>>(), [0, 1, 3]);
    assert_eq!(names(&traced(&ledger, 9).0), [""; 0]);
}

#[test]
fn a_changed_identifier_is_followed_both_ways_however_far() {
    let ledger = ledger([
        event("1", EventKind::OptOut, 1, 1),
        changed("2", 2, 1, 2),
        event("other", EventKind::OptOut, 2, 7),
        changed("3", 3, 2, 3),
        event("4", EventKind::Complaint, 4, 3),
    ]);
    for person in [1, 2, 3] {
        let (trace, passes) = traced(&ledger, person);
        assert_eq!(names(&trace), ["1", "2", "3", "4"], "person {person}");
        assert!(passes <= 4, "{passes}");
        // The other key's digests are somebody else's to look for: each is looked up under all keys.
        assert!((1..=3).all(|person| trace.digests().contains(&digest(person))));
        assert!(!trace.digests().contains(&digest(7)));
    }
    let (trace, _) = traced(&ledger, 3);
    let list = folded(&trace, None);
    assert_eq!(sources(&list, digest(3)), [digest(1), digest(2), digest(3)].into());
    assert_eq!(sources(&list, digest(1)), [digest(1)].into());
}

#[test]
fn a_change_that_did_not_decide_links_nobody() {
    let ledger = ledger([event("1", EventKind::OptOut, 1, 1), changed("2", 2, 1, 2)]);
    let digests: BTreeSet<_> = [digest(2)].into();
    let seed = Seed { digests: digests.clone(), undecided: [RecordId([2; 16])].into(), ..Seed::default() };
    let trace = pass(&ledger, seed);
    assert_eq!((names(&trace), trace.wider()), (vec!["2"], None));
    assert_eq!(trace.digests(), &digests);
}

#[test]
fn a_request_that_somebody_had_to_decide_on_comes_with_all_its_records() {
    let unreadable = EventRecord {
        subject: vec![],
        review: Some(ReviewMode::Hold),
        ..event("0", EventKind::OptOut, 1, 1)
    };
    let answer =
        |name, person| EventRecord { request: "crm:0".into(), ..event(name, EventKind::OptOut, 2, person) };
    let dismissed =
        EventRecord { subject: vec![], request: "crm:0".into(), ..event("2", EventKind::Dismiss, 3, 1) };
    // Nobody had to decide after the person was named: the request's past changes nothing.
    let plain = ledger([unreadable.clone(), answer("1", 1)]);
    assert_eq!(names(&traced(&plain, 1).0), ["1"]);
    let decided = ledger([unreadable, answer("1", 1), dismissed]);
    let (trace, passes) = traced(&decided, 1);
    assert_eq!((names(&trace), passes), (vec!["0", "1", "2"], 2));
    let folded = folded(&trace, None);
    let decision = |name| folded.events[&EventKey::of("crm", name)].as_ref().unwrap().decision;
    assert_eq!([decision("0"), decision("1")], [Decision::Review, Decision::Applied]);
    assert_eq!(decision("2"), Decision::Superseded, "the opt-out settled it");
    let named: Vec<_> = trace.events().map(|(step, _)| step.names).collect();
    assert_eq!(named, [false, true, false]);
}

#[test]
fn a_hold_that_another_persons_record_ended_is_not_in_force() {
    let review = EventRecord {
        review: Some(ReviewMode::Hold),
        request: "R".into(),
        ..event("1", EventKind::OptOut, 1, 1)
    };
    let answer = EventRecord { request: "R".into(), ..event("2", EventKind::OptOut, 2, 2) };
    let entries = ledger([review.clone(), answer]);
    let (trace, _) = traced(&entries, 1);
    assert_eq!(names(&trace), ["1", "2"]);
    assert!(folded(&trace, None).people[&digest(1)].holds.is_empty());
    assert_eq!(folded(&trace, Some(instant(101))).people[&digest(1)].holds.len(), 1);

    // The same request, brought back by a rebuild.
    let people = vec![(digest(1), Person::default())];
    let requests =
        vec![InReview { asks: vec![Ask::of(&review, ReviewMode::Hold)], ..InReview::opened_by(&review) }];
    let mut entries = ledger([]);
    entries.push(Entry { id: RecordId([9; 16]), record: Record::Restored { people, requests } });
    let dismissed =
        EventRecord { subject: vec![], request: "R".into(), ..event("3", EventKind::Dismiss, 3, 1) };
    entries.push(Entry { id: RecordId([10; 16]), record: Record::Event(Box::new(dismissed)) });
    let (trace, passes) = traced(&entries, 1);
    assert_eq!((names(&trace), passes), (vec!["3"], 2));
    assert_eq!(trace.steps().len(), 3);
    let folded = folded(&trace, None);
    assert!(folded.people[&digest(1)].holds.is_empty());
    let outcome = folded.events[&EventKey::of("crm", "3")].as_ref().unwrap();
    assert_eq!(outcome.decision, Decision::Applied);
}

#[test]
fn a_past_instant_sees_what_had_been_decided_by_then_whenever_it_was_said() {
    let late = EventRecord { decided_at: instant(900), ..event("late", EventKind::OptOut, 1, 1) };
    let ledger = ledger([event("1", EventKind::OptOut, 200, 1), event("2", EventKind::OptIn, 400, 1), late]);
    let (trace, _) = traced(&ledger, 1);
    let removed = |until| {
        let folded = folded(&trace, until);
        let person = folded.people.get(&digest(1)).cloned().unwrap_or_default();
        person.kept.standing.as_slice().iter().any(|statement| statement.restricts)
    };
    assert!(!removed(Some(instant(299))), "said, not decided");
    assert!(removed(Some(instant(300))));
    assert!(removed(Some(instant(499))) && !removed(Some(instant(500))));
    assert!(!removed(None), "said first and decided last: it was lifted since");
    let person = &folded(&trace, Some(instant(899))).people[&digest(1)];
    assert_eq!(person.kept.superseded.len(), 1);
    assert_eq!(folded(&trace, None).people[&digest(1)].kept.superseded.len(), 2);
}

#[test]
fn what_says_no_time_of_its_own_counts_from_the_newest_event_before_it() {
    let mut entries = ledger([event("1", EventKind::OptOut, 1, 1)]);
    let people = vec![(digest(2), Person::default())];
    entries.push(Entry { id: RecordId([9; 16]), record: Record::Restored { people, requests: vec![] } });
    let (trace, _) = traced(&entries, 2);
    let times: Vec<_> = trace.steps().iter().map(|step| step.decided_at).collect();
    assert_eq!(times, [None, Some(instant(101))]);
    assert!(trace.steps()[0].is_by(instant(0)) && !trace.steps()[1].is_by(instant(100)));
}

#[test]
fn of_the_records_of_one_event_only_the_one_that_decided_counts() {
    let ledger = ledger([event("1", EventKind::OptIn, 5, 1), event("1", EventKind::OptOut, 9, 1)]);
    let (trace, _) = traced(&ledger, 1);
    let deciding = [(EventKey::of("crm", "1"), RecordId([2; 16]))].into();
    let folded = trace.fold(ListId([2; 16]), &deciding, None).unwrap();
    assert!(folded.people[&digest(1)].kept.standing.as_slice()[0].restricts);
}

#[test]
fn an_identifier_with_more_records_than_a_person_has_is_refused() {
    let mut trace = Trace::new(Seed { digests: [digest(1)].into(), ..Seed::default() });
    let [genesis, entry] = ledger([event("1", EventKind::OptOut, 1, 1)]).try_into().unwrap();
    trace.take(0, genesis).unwrap();
    for offset in 1..RECORDS_MAX as u64 {
        trace.take(offset, entry.clone()).unwrap();
    }
    assert_eq!(trace.take(RECORDS_MAX as u64, entry), Err(TooMany));
}

#[test]
fn of_an_import_a_trace_has_this_persons_lines_and_those_of_the_identifiers_linked_with_theirs() {
    let mut ledger = ledger([changed("1", 20, 1, 2), event("2", EventKind::OptOut, 300, 9)]);
    let line = |line, person| ImportLine {
        line,
        kind: EventKind::OptOut,
        at: instant(10),
        scope: Scope::ALL,
        subject: ImportSubject::Known(vec![subject(person)]),
    };
    let exported = ImportLine { subject: ImportSubject::Digest(digest(2)), ..line(4, 0) };
    let import = ImportRecord {
        import: "old CRM".into(),
        received_at: instant(200),
        keys: KEYS.to_vec(),
        lines: vec![line(1, 1), line(2, 3), line(3, 4), exported],
    };
    // Before the link is known, so that the pass that finds it is not the last.
    ledger.insert(1, Entry { id: RecordId([9; 16]), record: Record::Imported(Box::new(import)) });
    let (trace, passes) = traced(&ledger, 2);
    assert_eq!(passes, 2);
    let lines = trace.steps().iter().find_map(|step| match &step.entry.record {
        Record::Imported(import) => Some(import.lines.iter().map(|line| line.line).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(lines, Some(vec![1, 4]));
    let imported = trace.steps().iter().find(|step| step.offset == 1).unwrap();
    assert_eq!((imported.decided_at, imported.names), (Some(instant(200)), true));
    let whole = folded(&trace, None);
    for person in [1, 2] {
        assert_eq!(whole.people[&digest(person)].standing().len(), 1, "person {person}");
    }
    assert!(!whole.people.contains_key(&digest(3)), "nobody else");
    assert!(!folded(&trace, Some(instant(150))).people.values().any(|person| !person.standing().is_empty()));
    assert_eq!(traced(&ledger, 5).0.steps().len(), 1, "of somebody it does not name it is no step");
}
