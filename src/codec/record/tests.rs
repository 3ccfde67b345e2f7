//! Records as they stand in the ledger, those of earlier versions too.

use super::*;
use crate::domain::record::{ImportLine, ImportRecord, ImportSubject, Link, RequestKey};
use crate::domain::request::{Ask, InReview};
use crate::domain::scope::{Channels, Names, Scope};
use crate::domain::statement::{Kept, Statement};
use crate::domain::words::Channel;

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn event() -> EventRecord {
    EventRecord {
        key: EventKey::of("call_center", "cc-000123"),
        source: "call_center".into(),
        event_id: "cc-000123".into(),
        kind: EventKind::OptOut,
        at: instant("2026-11-22T05:15:00Z"),
        received_at: instant("2026-11-22T05:15:01.25Z"),
        decided_at: instant("2026-11-22T05:15:01.250001Z"),
        keys: vec![KeyCheck([1; 8])],
        content: vec![[2; 16]],
        subject: vec![Subject { kind: IdentifierKind::Phone, digests: vec![Digest([3; 16])] }],
        new_subject: vec![],
        scope: Scope {
            regions: Names::only([Name::from("KZ-79")]).unwrap(),
            channels: Channels::only([Channel::Sms, Channel::Call]).unwrap(),
            brands: Names::All,
        },
        remarks: Remarks { widened: 4, ignored: 1 },
        request: "CRM-88".into(),
        requested_by: RequestedBy::Subject,
        agent: Some("op-17".into()),
        review: None,
        rule: Some("opt_out.object".into()),
        starts_at: instant("2026-11-22T05:15:00Z"),
        deadline: Some(Deadline {
            due_at: instant("2026-11-24T05:15:00Z"),
            due_strict_at: instant("2026-11-23T05:15:00Z"),
            calendar: Some("kz-2026.2".into()),
        }),
    }
}

fn import() -> ImportRecord {
    let line = |line, subject| ImportLine {
        line,
        kind: EventKind::Complaint,
        at: instant("2026-11-22T05:15:00Z"),
        scope: Scope::ALL,
        subject,
    };
    let email = Subject { kind: IdentifierKind::Email, digests: vec![Digest([4; 16])] };
    let scoped = ImportLine {
        scope: event().scope,
        ..line(2, ImportSubject::Known(vec![email.clone(), event().subject[0].clone()]))
    };
    ImportRecord {
        import: "sendgrid 2026-11".into(),
        received_at: instant("2026-11-22T05:15:01Z"),
        keys: vec![KeyCheck([1; 8])],
        lines: vec![
            line(1, ImportSubject::Known(vec![email])),
            scoped,
            line(3, ImportSubject::Digest(Digest([5; 16]))),
        ],
    }
}

#[test]
fn every_kind_of_record_comes_back() {
    let said = Statement::of(EventKind::Hold, instant("2026-01-01T00:00:00Z"), Scope::ALL).unwrap();
    let earlier = Statement::of(EventKind::Hold, instant("2025-01-01T00:00:00Z"), Scope::ALL).unwrap();
    let link = Link { to: Digest([5; 16]), kind: IdentifierKind::Email, at: said.at };
    let holds = [(RequestKey([8; 16]), said.at)].into();
    let person = Person { kept: Kept::new([said, earlier]), links: vec![link], holds };
    let plain = event();
    let plain = EventRecord {
        scope: Scope::ALL,
        review: Some(ReviewMode::Hold),
        agent: None,
        rule: None,
        starts_at: plain.received_at,
        deadline: plain.deadline.clone().map(|due| Deadline {
            due_strict_at: due.due_at,
            calendar: None,
            ..due
        }),
        ..plain
    };
    let mut request = InReview::opened_by(&plain);
    request.asks.push(Ask::of(&event(), ReviewMode::Ask));
    for record in [
        Record::Genesis { ledger: LedgerId([1; 16]), keys: vec![KeyCheck([2; 8])] },
        Record::Event(Box::new(event())),
        Record::Event(Box::new(plain)),
        Record::Event(Box::new(EventRecord { deadline: None, kind: EventKind::Dismiss, ..event() })),
        Record::Fence { worker: WorkerId([3; 16]), nonce: Nonce([4; 16]) },
        Record::KeyAdded { key: KeyCheck([5; 8]) },
        Record::KeyRetired { key: KeyCheck([5; 8]), of: [KeyCheck([5; 8]), KeyCheck([6; 8])].into() },
        Record::Restored {
            people: vec![(Digest([6; 16]), person), (Digest([7; 16]), Person::default())],
            requests: vec![request],
        },
        Record::Restored { people: vec![], requests: vec![] },
        Record::Imported(Box::new(import())),
        Record::Void,
    ] {
        let entry = Entry { id: RecordId([9; 16]), record };
        assert_eq!(read(&write(&entry)).unwrap(), entry);
    }
}

#[test]
fn a_record_whose_columns_do_not_fit_its_keys_is_an_error() {
    let short = |cut: fn(&mut EventRecord)| {
        let mut event = event();
        cut(&mut event);
        read(&write(&Entry { id: RecordId([9; 16]), record: Record::Event(Box::new(event)) })).is_err()
    };
    assert!(short(|event| event.content.clear()));
    assert!(short(|event| event.subject[0].digests.clear()));
    assert!(short(|event| event.keys.push(KeyCheck([2; 8]))));
    assert!(!short(|_| ()));
    let mut import = import();
    import.keys.push(KeyCheck([2; 8]));
    assert!(
        read(&write(&Entry { id: RecordId([9; 16]), record: Record::Imported(Box::new(import)) })).is_err()
    );
}

#[test]
fn a_line_of_an_import_says_only_what_it_has_to() {
    let mut import = import();
    import.lines.remove(1);
    let entry = Entry { id: RecordId([9; 16]), record: Record::Imported(Box::new(import)) };
    assert_eq!(
        String::from_utf8(write(&entry)).unwrap(),
        concat!(
            r#"{"v":1,"id":"09090909090909090909090909090909","record":"imported","import":"sendgrid 2026-11","#,
            r#""received_at":"2026-11-22T05:15:01Z","keys":["0101010101010101"],"lines":["#,
            r#"{"line":1,"kind":"complaint","at":"2026-11-22T05:15:00Z","#,
            r#""subject":[{"kind":"email","digests":["04040404040404040404040404040404"]}]},"#,
            r#"{"line":3,"kind":"complaint","at":"2026-11-22T05:15:00Z","digest":"05050505050505050505050505050505"}"#,
            "]}"
        )
    );
}

#[test]
fn a_record_of_another_version_or_kind_is_an_error_and_not_skipped() {
    for (bytes, why) in [
        (&b"{}"[..], "not its JSON"),
        (br#"{"v":2,"id":"00","record":"key_added","key":"00"}"#, "another version"),
        (br#"{"v":1,"id":"00","record":"lottery"}"#, "not its JSON"),
        (br#"{"v":1,"id":"00","record":"key_added","key":"00"}"#, "a member breaks its rule"),
    ] {
        assert_eq!(read(bytes).unwrap_err(), UnreadableRecord { why });
    }
}

#[test]
fn records_from_before_there_were_deadlines_are_read() {
    let review = |member: &str| {
        let bytes = format!(
            r#"{{"v":1,"id":"09090909090909090909090909090909","record":"event","source":"email","event_id":"1",
            "kind":"opt_out","at":"2026-11-22T05:15:00Z","received_at":"2026-11-22T05:15:01Z",
            "decided_at":"2026-11-22T05:15:01Z","keys":["0101010101010101"],
            "content":["02020202020202020202020202020202"],"request":"email:1","requested_by":"subject"{member}}}"#
        );
        match read(bytes.as_bytes()).unwrap().record {
            Record::Event(event) => *event,
            other => panic!("{other:?}"),
        }
    };
    let event = review("");
    assert_eq!((event.review, event.deadline), (None, None));
    assert_eq!(event.starts_at, event.received_at);
    assert_eq!(review(r#","review":true"#).review, Some(ReviewMode::Ask), "no identifier could be parsed");
    let restored = br#"{"v":1,"id":"09090909090909090909090909090909","record":"restored","people":[]}"#;
    assert_eq!(read(restored).unwrap().record, Record::Restored { people: vec![], requests: vec![] });
}
