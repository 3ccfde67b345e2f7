//! Every value comes back, and bytes that are no value never do.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::calendar::Deadline;
use crate::domain::digest::KeyCheck;
use crate::domain::fold::{Decision, Outcome};
use crate::domain::record::{RecordId, Remarks, Subject};
use crate::domain::request::{Ask, InReview, Request};
use crate::domain::scope::{Channels, Name, Names, Scope};
use crate::domain::statement::Kept;
use crate::domain::words::EventKind;

fn statement() -> impl Strategy<Value = Statement> {
    let names = || {
        prop_oneof![
            Just(Names::All),
            proptest::collection::vec("[A-ZА-Я]{1,9}", 1..4)
                .prop_map(|names| Names::only(names.into_iter().map(Name::from)).unwrap())
        ]
    };
    let kinds = proptest::sample::select(&EventKind::ALL[..6]);
    let times = prop_oneof![
        (-9_000_000_000i64..9_000_000_000).prop_map(|s| s * 1_000_000),
        any::<i32>().prop_map(i64::from)
    ];
    (kinds, times, names(), 1u8..=255, names()).prop_map(|(kind, micros, regions, channels, brands)| {
        let scope = Scope { regions, channels: Channels::from_bits(channels).unwrap(), brands };
        Statement::of(kind, Timestamp::from_microsecond(micros).unwrap(), scope).unwrap()
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        said in proptest::collection::vec(statement(), 0..5),
        link in any::<([u8; 16], i32)>(),
    ) {
        let kept = Kept::new(said);
        let standing = kept.standing.as_slice();
        for extras in [false, true] {
            let bytes = write_standing(standing, extras);
            if !bytes.is_empty() {
                prop_assert_eq!(read_standing(&bytes), Some((standing.to_vec(), extras)));
            }
        }
        let at = Timestamp::from_microsecond(i64::from(link.1)).unwrap();
        let links = vec![Link { to: Digest(link.0), kind: IdentifierKind::Email, at }];
        for holds in [vec![], vec![(RequestKey([7; 16]), at), (RequestKey([8; 16]), Timestamp::UNIX_EPOCH)]] {
            let holds = holds.into_iter().collect();
            let person = Person { kept: kept.clone(), links: links.clone(), holds };
            let (standing, extras) = read_standing(&write_standing(&person.standing(), true)).unwrap();
            prop_assert_eq!(&standing, &person.standing());
            prop_assert!(extras && has_extras(&person));
            prop_assert_eq!(read_extras(standing, &write_extras(&person)), Some(person));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = (read_standing(&bytes), read_extras(vec![], &bytes), read_outcome(&bytes, &[]));
        let _ = (read_changes(&bytes), read_request(&bytes, Some(&bytes)), read_review(&bytes));
    }

    #[test]
    fn outcomes_and_changes_come_back(
        revision in any::<u64>(),
        received in any::<i32>(),
        took in any::<i16>(),
        due in proptest::option::of((any::<i64>(), any::<bool>(), proptest::option::of(0usize..3))),
        flags in any::<(bool, bool)>(),
        hash in any::<[u8; 16]>(),
    ) {
        let received = i64::from(received);
        let at = |micros| Timestamp::from_microsecond(micros).unwrap();
        let named = [Name::from("kz-2026.2"), Name::from("kz-2026.3")];
        let calendars = [&named[..], &["spelt".into()]].concat();
        let outcome = Outcome {
            record: RecordId(hash),
            decision: Decision::Review,
            revision,
            received_at: at(received),
            decided_at: at(received + i64::from(took)),
            deadline: due.map(|(after, strict, calendar)| {
                let due_at = at(received + after % 1_000_000_000_000);
                let due_strict_at = if strict { at(received + 172_800_000_000) } else { due_at };
                Deadline { due_at, due_strict_at, calendar: calendar.map(|n| calendars[n].clone()) }
            }),
            held: flags.0,
            settled_own: flags.1,
            remarks: Remarks { widened: 5, ignored: 97 },
            content: vec![(KeyCheck([3; 8]), hash)],
        };
        let bytes = write_outcome(&outcome, &named);
        prop_assert_eq!(read_outcome(&bytes, &calendars), Some(outcome), "the head may name more by now");
        let changes = vec![(Digest(hash), &b"value"[..]), (Digest([0; 16]), &b""[..])];
        let bytes = write_changes(changes.clone());
        prop_assert_eq!(read_changes(&bytes), Some(changes));
    }
}

#[test]
fn bytes_that_no_value_has_are_not_guessed_at() {
    let at = "2026-11-22T05:15:00Z".parse().unwrap();
    let said = Statement::of(EventKind::OptOut, at, Scope::ALL).unwrap();
    let one = write_standing(&[said], true);
    assert!(read_standing(&one).is_some());
    assert_eq!(read_standing(&[&one[..], &one].concat()), None, "the mark of extras stands once, in front");
    assert_eq!(read_standing(&[2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]), None, "65 bits");
    assert_eq!(read_standing(&[]), None);
    assert_eq!(read_standing(&[0, 0]), None, "a statement of no family");
}

#[test]
fn an_opt_out_of_everything_takes_six_bytes() {
    let at = "2026-11-22T05:15:00Z".parse().unwrap();
    let said = Statement::of(EventKind::OptOut, at, Scope::ALL).unwrap();
    assert_eq!(write_standing(&[said], false).len(), 6);
}

fn outcome(decision: Decision) -> Outcome {
    let at = Timestamp::UNIX_EPOCH;
    Outcome {
        record: RecordId([1; 16]),
        decision,
        revision: 1,
        received_at: at,
        decided_at: at,
        deadline: None,
        held: false,
        settled_own: false,
        remarks: Remarks::default(),
        content: vec![],
    }
}

#[test]
fn decisions_keep_their_numbers() {
    for (number, decision) in (0u8..).zip(Decision::ALL) {
        let bytes = write_outcome(&outcome(decision), &[]);
        assert_eq!((bytes[0], read_outcome(&bytes, &[])), (number, Some(outcome(decision))));
    }
}

#[test]
fn a_deadline_adds_four_bytes_to_an_outcome_and_seven_over_a_weekend() {
    let calendars = [Name::from("kz-2026.2")];
    let length = |due_h: i64, strict_h: i64| {
        let received_at: Timestamp = "2026-11-20T13:30:00.123456Z".parse().unwrap();
        let at = |hours| received_at + jiff::SignedDuration::from_hours(hours);
        let deadline =
            Deadline { due_at: at(due_h), due_strict_at: at(strict_h), calendar: Some(calendars[0].clone()) };
        let due = Outcome {
            received_at,
            decided_at: received_at,
            deadline: Some(deadline),
            ..outcome(Decision::Applied)
        };
        let bytes = write_outcome(&due, &calendars);
        bytes.len() - write_outcome(&Outcome { deadline: None, ..due }, &calendars).len()
    };
    assert_eq!((length(24, 24), length(72, 48)), (4, 7));
}

fn in_review() -> InReview {
    let at = |text: &str| text.parse().unwrap();
    let ask = Ask {
        kind: EventKind::OptOut,
        rule: Some("unsure.object".into()),
        at: at("2026-11-20T13:30:00Z"),
        scope: Scope { regions: Names::only([Name::from("KZ-79")]).unwrap(), ..Scope::ALL },
        hold: true,
        keys: vec![KeyCheck([1; 8]), KeyCheck([2; 8])],
        subject: vec![Subject {
            kind: IdentifierKind::Email,
            digests: vec![Digest([3; 16]), Digest([4; 16])],
        }],
    };
    let bare = Ask { rule: None, hold: false, keys: vec![], subject: vec![], ..ask.clone() };
    InReview {
        request: "email:1".into(),
        source: "email".into(),
        received_at: at("2026-11-20T13:31:00.5Z"),
        starts_at: at("2026-11-20T13:30:00Z"),
        deadline: Deadline {
            due_at: at("2026-11-23T13:30:00Z"),
            due_strict_at: at("2026-11-22T13:30:00Z"),
            calendar: Some("kz-2026.2".into()),
        },
        asks: vec![ask, bare],
    }
}

#[test]
fn requests_come_back_and_those_settled_take_one_byte() {
    let mut open = in_review();
    for calendar in [open.deadline.calendar.clone(), None] {
        open.deadline.calendar = calendar;
        assert_eq!(read_review(&write_review(&open)), Some(open.clone()));
    }
    let request = Request::Review(Box::new(open.clone()));
    assert_eq!(read_request(&write_request(&request), Some(&write_review(&open))), Some(request.clone()));
    assert_eq!(read_request(&write_request(&request), None), None, "what is in review has more to it");
    for request in [Request::Applied, Request::Dismissed] {
        let bytes = write_request(&request);
        assert_eq!((bytes.len(), read_request(&bytes, None)), (1, Some(request)));
    }
}

#[test]
fn a_provisional_hold_is_told_from_every_other_statement() {
    let at: Timestamp = "2026-11-22T05:15:00.5Z".parse().unwrap();
    let provisional = Statement::provisional(at);
    let bytes = write_standing(std::slice::from_ref(&provisional), true);
    assert_eq!(read_standing(&bytes), Some((vec![provisional], true)));
}
