//! The laws of requests: a provisional hold is there exactly while its request is in review, whatever else was
//! said, in whichever order.

use super::*;
use crate::domain::request::{ASKS_MAX, HOLDS_MAX};
use crate::domain::words::ReviewMode;
use Decision::{Applied, Review, Superseded, UnknownRequest};

/// An event that a person must decide about, in a request of this name.
fn review(name: u32, second: i64, person: u8, request: &str, mode: ReviewMode) -> EventRecord {
    let request = request.into();
    EventRecord { review: Some(mode), request, ..event(name, EventKind::OptOut, second, person) }
}

fn settling(name: u32, kind: EventKind, request: &str) -> EventRecord {
    EventRecord { subject: vec![], request: request.into(), ..event(name, kind, 50, 0) }
}

/// An opt-out in whose subject nothing could be parsed.
fn unread(name: u32) -> EventRecord {
    EventRecord { subject: vec![], review: Some(ReviewMode::Ask), ..event(name, EventKind::OptOut, 5, 0) }
}

fn outcome(list: &Working, name: u32) -> Outcome {
    list.events[&EventKey::of("crm", &name.to_string())].clone().unwrap()
}

fn decisions(list: &Working, names: impl IntoIterator<Item = u32>) -> Vec<Decision> {
    names.into_iter().map(|name| outcome(list, name).decision).collect()
}

fn held(list: &Working, person: u8) -> bool {
    let held = |digest| list.people.get(digest).is_some_and(|person| !person.holds.is_empty());
    let subject = subject(person);
    assert_eq!(held(&subject.digests[0]), held(&subject.digests[1]), "under every key or under none");
    held(&subject.digests[0])
}

const HOLD: ReviewMode = ReviewMode::Hold;

/// What may happen to a few people and requests.
#[derive(Debug, Clone, Copy)]
enum Step {
    Say(EventKind),
    Review(ReviewMode),
    /// An event that carries the request's name.
    Carry(EventKind),
    Settle(EventKind),
}

fn history() -> impl Strategy<Value = Vec<EventRecord>> {
    let said = || proptest::sample::select(&EventKind::ALL[..7]);
    let step = prop_oneof![
        3 => said().prop_map(Step::Say),
        2 => Just(Step::Say(EventKind::IdentifierChanged)),
        4 => Just(Step::Review(HOLD)),
        1 => Just(Step::Review(ReviewMode::Ask)),
        1 => said().prop_map(Step::Carry),
        3 => proptest::sample::select(&[EventKind::Dismiss, EventKind::Apply][..]).prop_map(Step::Settle),
    ];
    let steps = proptest::collection::vec((step, 0i64..8, 0u8..4, 0u8..3), 1..14);
    steps.prop_map(|steps| {
        let made = |(name, (step, second, person, request)): (u32, (Step, i64, u8, u8))| {
            let request = format!("crm:r{request}");
            match step {
                Step::Say(kind) => event(name, kind, second, person),
                Step::Review(mode) => review(name, second, person, &request, mode),
                Step::Carry(kind) => EventRecord { request, ..event(name, kind, second, person) },
                Step::Settle(kind) => settling(name, kind, &request),
            }
        };
        (0..).zip(steps).map(made).collect()
    })
}

/// Who must be held by what, from the requests in review and all links, however they came about.
fn expected_holds(list: &Working) -> BTreeMap<Digest, BTreeMap<RequestKey, Timestamp>> {
    let mut expected: BTreeMap<Digest, BTreeMap<RequestKey, Timestamp>> = BTreeMap::new();
    for request in list.requests.values().flatten() {
        let Request::Review(open) = request else { continue };
        for ask in open.asks.iter().filter(|ask| ask.hold) {
            let mut reached: BTreeSet<Digest> =
                ask.subject.iter().flat_map(|subject| subject.digests.clone()).collect();
            for _ in 0..list.people.len() {
                let links = reached.iter().filter_map(|digest| list.people.get(digest));
                let links = links.flat_map(|person| &person.links).filter(|link| ask.at <= link.at);
                let next: Vec<_> = links.map(|link| link.to).collect();
                reached.extend(next);
            }
            for digest in reached {
                let since = expected.entry(digest).or_default().entry(open.key()).or_insert(ask.at);
                *since = ask.at.min(*since);
            }
        }
    }
    expected
}

proptest! {
    #[test]
    fn a_provisional_hold_is_there_exactly_while_its_request_is_in_review(history in history()) {
        let list = folded(&ledger(history));
        let holds: BTreeMap<_, _> = list
            .people
            .iter()
            .filter(|(_, person)| !person.holds.is_empty())
            .map(|(digest, person)| (*digest, person.holds.clone()))
            .collect();
        prop_assert_eq!(holds, expected_holds(&list));
        let in_review = list.requests.values().flatten().filter(|r| matches!(r, Request::Review(_))).count();
        prop_assert_eq!(list.head.reviews.get("crm").copied().unwrap_or_default(), in_review as u64);
    }

    #[test]
    fn what_is_said_for_good_is_the_same_with_and_without_reviews(history in history()) {
        let list = folded(&ledger(history.clone()));
        // What an `apply` did, as if it had been said outright.
        let mut plain = Vec::new();
        let mut asked: BTreeMap<String, Vec<EventRecord>> = BTreeMap::new();
        for event in history {
            let decision = list.events[&event.key].as_ref().unwrap().decision;
            if decision == Decision::Review {
                let outright = EventRecord { review: None, ..event.clone() };
                asked.entry(event.request.clone()).or_default().push(outright);
            } else if event.kind == EventKind::Apply && decision != Decision::UnknownRequest {
                plain.extend(asked.remove(&event.request).unwrap_or_default());
            } else if event.kind == EventKind::Dismiss {
                asked.remove(&event.request);
            } else if !event.kind.settles() {
                if event.kind != EventKind::IdentifierChanged {
                    asked.remove(&event.request);
                }
                plain.push(event);
            }
        }
        let said = |list: &Working| -> BTreeMap<_, _> {
            let people = list.people.iter().filter(|(_, person)| !person.kept.standing.is_empty());
            people.map(|(digest, person)| (*digest, person.kept.clone())).collect()
        };
        prop_assert_eq!(said(&list), said(&folded(&ledger(plain))));
    }

    #[test]
    fn any_batching_and_any_repetition_of_a_history_give_the_same_list(
        history in history(), batch in 1usize..5
    ) {
        let records = ledger(history.clone());
        let (whole, batched) = (folded(&records), folded_in_batches(&records, batch));
        prop_assert_eq!(&whole.head, &batched.head);
        prop_assert_eq!(standing(&whole), standing(&batched));
        prop_assert_eq!(&whole.events, &batched.events);
        for (key, request) in whole.requests {
            prop_assert_eq!(request, batched.requests.get(&key).cloned().flatten());
        }
        let twice = folded(&ledger(history.iter().chain(&history).cloned()));
        prop_assert_eq!(standing(&twice), standing(&batched));
        prop_assert_eq!(&twice.events, &batched.events);
        prop_assert_eq!(twice.head.revision, batched.head.revision);
    }

    #[test]
    fn the_order_of_what_comes_before_a_decision_changes_nothing(
        (reviews, shuffled) in proptest::collection::vec((0i64..8, 0u8..3, any::<bool>()), 1..7).prop_flat_map(|them| {
            let reviews: Vec<_> = (0..)
                .zip(them)
                .map(|(name, (second, person, link))| {
                    if link {
                        event(name, EventKind::IdentifierChanged, second, person)
                    } else {
                        review(name, second, person, &format!("crm:{name}"), HOLD)
                    }
                })
                .collect();
            (Just(reviews.clone()), Just(reviews).prop_shuffle())
        }),
        decided in proptest::collection::vec((0u32..7, any::<bool>()), 0..4),
    ) {
        let decided = || {
            (100..).zip(&decided).map(|(name, (request, apply))| {
                let kind = if *apply { EventKind::Apply } else { EventKind::Dismiss };
                settling(name, kind, &format!("crm:{request}"))
            })
        };
        let list = folded(&ledger(reviews.into_iter().chain(decided())));
        let other = folded(&ledger(shuffled.into_iter().chain(decided())));
        prop_assert_eq!(standing(&list), standing(&other));
    }
}

#[test]
fn a_dismiss_closes_what_is_in_review_and_nothing_else() {
    let list = folded(&ledger([
        unread(1),
        event(2, EventKind::OptOut, 5, 0),
        settling(3, EventKind::Dismiss, "crm:1"),
        settling(4, EventKind::Dismiss, "crm:1"),
        settling(5, EventKind::Dismiss, "crm:2"),
        settling(6, EventKind::Dismiss, "crm:9"),
        settling(7, EventKind::Apply, "crm:1"),
        settling(8, EventKind::Apply, "crm:9"),
    ]));
    let expected =
        [Review, Applied, Applied, Superseded, Superseded, UnknownRequest, Superseded, UnknownRequest];
    assert_eq!(decisions(&list, 1..=8), expected);
    assert_eq!(list.requests.get(&RequestKey::of("crm:2")), None, "its event's outcome says all of it");
}

#[test]
fn a_request_in_review_is_applied_by_an_event_that_carries_its_id() {
    let read = EventRecord { request: "crm:1".into(), ..event(2, EventKind::OptOut, 5, 0) };
    let request = RequestKey::of("crm:1");
    let list = folded(&ledger([unread(1)]));
    assert!(matches!(&list.requests[&request], Some(Request::Review(open)) if !open.names_anybody()));
    assert_eq!(list.head.revision, 0, "nobody is known yet");
    let list = folded(&ledger([unread(1), read]));
    assert_eq!(list.requests[&request], Some(Request::Applied));
    assert_eq!(
        outcome(&list, 2).deadline,
        unread(1).deadline,
        "the request has been due since it was opened"
    );
}

#[test]
fn a_provisional_hold_is_a_revision_when_it_comes_and_when_it_goes() {
    let list = folded(&ledger([
        review(1, 5, 0, "crm:1", HOLD),
        review(2, 6, 0, "crm:2", HOLD),
        review(3, 6, 1, "crm:3", ReviewMode::Ask),
        settling(4, EventKind::Dismiss, "crm:1"),
        settling(5, EventKind::Dismiss, "crm:2"),
        settling(6, EventKind::Dismiss, "crm:3"),
    ]));
    let revisions: Vec<_> = (1..=6).map(|name| outcome(&list, name).revision).collect();
    assert_eq!(revisions, [1, 1, 1, 1, 2, 2], "a second one on the same person changes nobody's answer");
    let flags: Vec<_> = (1..=6).map(|name| outcome(&list, name).held).collect();
    assert_eq!(flags, [true, true, false, false, false, false]);
    assert!(standing(&list).is_empty());
    assert_eq!(list.head.counts.get(&(KEY, IdentifierKind::Phone)), None, "nothing was ever said of them");
}

#[test]
fn a_hold_that_was_said_and_a_provisional_one_do_not_end_each_other() {
    let hold = event(1, EventKind::Hold, 5, 0);
    let open = review(2, 5, 0, "crm:2", HOLD);
    let list = folded(&ledger([hold.clone(), open.clone(), event(3, EventKind::Release, 9, 0)]));
    assert!(held(&list, 0), "a release does not end it");
    let removal = |list: &Working| {
        let standing = list.people[&subject(0).digests[0]].standing();
        let rules: Vec<_> = standing.iter().map(|s| (s.families, s.restricts, &s.scope)).collect();
        crate::domain::statement::strongest(
            &rules.into_iter(),
            "KZ-79",
            crate::domain::words::Channel::Sms,
            "lulla.kz",
        )
    };
    assert_eq!(removal(&list), Some(crate::domain::words::Removal::Hold));
    let list = folded(&ledger([hold, open, settling(3, EventKind::Dismiss, "crm:2")]));
    assert!(!held(&list, 0));
    assert_eq!(removal(&list), Some(crate::domain::words::Removal::Hold), "the hold that was said stays");
}

#[test]
fn an_apply_does_what_was_asked_as_of_when_it_was_said() {
    let asked = review(1, 5, 0, "crm:1", HOLD);
    let apply = || settling(2, EventKind::Apply, "crm:1");
    let list = folded(&ledger([asked.clone(), apply()]));
    assert_eq!(standing(&list), standing(&folded(&ledger([event(9, EventKind::OptOut, 5, 0)]))));
    assert_eq!(decisions(&list, [2]), [Decision::Applied]);
    assert_eq!(outcome(&list, 2).deadline, asked.deadline);
    let list = folded(&ledger([asked, event(3, EventKind::OptIn, 6, 0), apply()]));
    assert_eq!(decisions(&list, [2]), [Decision::Superseded], "the person said otherwise since");
    assert!(!held(&list, 0));
    assert_eq!(list.requests[&RequestKey::of("crm:1")], Some(Request::Applied));
}

#[test]
fn a_request_without_any_identifier_cannot_be_applied_and_stays_in_review() {
    let list = folded(&ledger([unread(1), settling(2, EventKind::Apply, "crm:1")]));
    assert_eq!(decisions(&list, [2]), [Decision::NoIdentifier]);
    assert!(matches!(list.requests[&RequestKey::of("crm:1")], Some(Request::Review(_))));
}

#[test]
fn a_new_number_is_no_answer_to_what_a_request_asks() {
    let changed = EventRecord { request: "crm:1".into(), ..event(2, EventKind::IdentifierChanged, 6, 0) };
    let list = folded(&ledger([review(1, 5, 0, "crm:1", HOLD), changed]));
    assert!(held(&list, 0) && held(&list, 1), "it holds whoever the person is now");
}

#[test]
fn a_settled_request_that_is_asked_about_again_is_in_review_again() {
    let list = folded(&ledger([
        review(1, 5, 0, "CRM-88", HOLD),
        settling(2, EventKind::Dismiss, "CRM-88"),
        review(3, 6, 1, "CRM-88", HOLD),
    ]));
    assert!(!held(&list, 0) && held(&list, 1));
    let Some(Request::Review(open)) = &list.requests[&RequestKey::of("CRM-88")] else { panic!("in review") };
    assert_eq!(Some(&open.deadline), event(3, EventKind::OptOut, 6, 1).deadline.as_ref());
    assert_eq!(list.head.reviews, [("crm".to_owned(), 1)].into());
}

#[test]
fn a_request_that_asks_too_much_is_applied_from_there_on() {
    let many = (0..=ASKS_MAX)
        .map(|n| review(u32::try_from(n).unwrap(), 5, u8::try_from(n).unwrap(), "CRM-88", ReviewMode::Ask));
    let list = folded(&ledger(many));
    let last = u32::try_from(ASKS_MAX).unwrap();
    assert_eq!(decisions(&list, [last - 1, last]), [Decision::Review, Decision::Applied]);
    assert_eq!(standing(&list).len(), 2, "one person under two keys");
}

#[test]
fn whom_too_many_requests_hold_is_held_for_good() {
    let many = (0..=HOLDS_MAX).map(|n| review(u32::try_from(n).unwrap(), 5, 0, &format!("crm:{n}"), HOLD));
    let dismissed = (0..=HOLDS_MAX)
        .map(|n| settling(1000 + u32::try_from(n).unwrap(), EventKind::Dismiss, &format!("crm:{n}")));
    let list = folded(&ledger(many.chain(dismissed)));
    assert!(!held(&list, 0));
    let said: Vec<_> = standing(&list)[&subject(0).digests[0]].iter().map(|s| s.families).collect();
    assert_eq!(said, [crate::domain::statement::Families::HOLD], "a release ends it");
}

#[test]
fn requests_that_a_ledger_lost_come_back_with_their_dates_and_holds() {
    let before = folded(&ledger([
        event(1, EventKind::IdentifierChanged, 9, 0),
        review(2, 5, 0, "crm:2", HOLD),
        review(3, 5, 2, "crm:3", HOLD),
    ]));
    let people: Vec<_> = before.people.iter().map(|(digest, person)| (*digest, person.clone())).collect();
    let requests = before.requests.values().flatten().filter_map(|request| match request {
        Request::Review(open) => Some((**open).clone()),
        _ => None,
    });
    let restored = Record::Restored { people, requests: requests.collect() };
    let mut list = folded(&ledger([event(3, EventKind::OptIn, 5, 3)]));
    list.fold(2, &entry(2, restored)).unwrap();
    assert!(held(&list, 0) && held(&list, 1), "along its links");
    assert!(!held(&list, 2), "the ledger knows another event of that name, which is settled");
    let request = RequestKey::of("crm:2");
    assert_eq!(list.requests[&request], before.requests[&request]);
    list.fold(3, &entry(3, Record::Event(Box::new(settling(4, EventKind::Dismiss, "crm:2"))))).unwrap();
    assert!(!held(&list, 0) && !held(&list, 1));
}

#[test]
fn the_head_names_each_calendar_once() {
    let mut later = event(2, EventKind::OptOut, 5, 0);
    later.deadline.as_mut().unwrap().calendar = Some("kz-2".into());
    let mut plain = event(3, EventKind::OptOut, 5, 0);
    plain.deadline.as_mut().unwrap().calendar = None;
    let list =
        folded(&ledger([event(1, EventKind::OptOut, 5, 0), later, plain, event(4, EventKind::OptIn, 6, 0)]));
    let named: Vec<_> = list.head.calendars.iter().map(|name| &**name).collect();
    assert_eq!(named, ["kz-1", "kz-2"]);
}
