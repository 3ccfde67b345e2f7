//! What is told of letters, and what is not.

use serde_json::{Value, json};

use super::*;
use crate::domain::words::DeadReason;
use crate::service::dead_letters::{LetterId, Pass};
use crate::service::envelope::grave::{Cause, Grave, Home};
use crate::service::message::{HeaderValue, Properties};

fn letter(reason: DeadReason) -> Letter {
    Letter {
        id: LetterId::parse("3f2a91c04b7d88e1").unwrap(),
        cause: Cause::Fault(reason),
        queue: Some("suppressd.jobs".into()),
        at: Some("2026-11-22T10:15:00.25Z".parse().unwrap()),
        detail: Some("/segments/0/region: is not configured\u{1b}".into()),
        bytes: 1204,
    }
}

fn shown() -> Shown {
    let grave = Grave {
        cause: Cause::Fault(DeadReason::UnknownRegion),
        home: Some(Home::Jobs),
        at: None,
        detail: None,
        publisher: Some("marketing".into()),
        expiration: None,
        headers: 1,
        headers_cut: 0,
    };
    let properties = Properties {
        content_type: Some("application/json".into()),
        content_encoding: Some("aigerim".into()),
        message_id: Some("87771113111".into()),
        headers: vec![("aigerim".into(), HeaderValue::text("87771113111"))],
        ..Properties::default()
    };
    let letter = letter(DeadReason::UnknownRegion);
    let body = b"{\"phone\": \"87771113111\"}\n\x1b".to_vec();
    Shown { letter, grave, routing_key: "sms.aigerim".into(), properties, body }
}

#[test]
fn the_list_for_machines_keeps_its_shape() {
    let looked = Looked {
        letters: vec![letter(DeadReason::UnknownRegion)],
        causes: [(Cause::Fault(DeadReason::UnknownRegion), 2)].into(),
        pass: Pass { of: 5, looked: 4, ..Pass::default() },
    };
    let value: Value = serde_json::from_str(&List::new(&looked).json()).unwrap();
    let row = json!({
        "id": "3f2a91c04b7d88e1", "at": "2026-11-22T10:15:00.25Z", "queue": "suppressd.jobs",
        "reason": "unknown_region", "detail": "/segments/0/region: is not configured\u{1b}", "bytes": 1204,
    });
    let expected = json!({"letters": [row], "reasons": {"unknown_region": 2}, "count": 5, "unseen": 1});
    assert_eq!(value, expected);
}

#[test]
fn the_list_for_people_steers_no_terminal_and_ends_with_the_sums() {
    let looked = Looked {
        letters: vec![letter(DeadReason::UnknownRegion)],
        causes: [(Cause::Fault(DeadReason::UnknownRegion), 2)].into(),
        pass: Pass::default(),
    };
    let text = List::new(&looked).text();
    let expected = "\
id                at                    queue           reason          bytes  detail
3f2a91c04b7d88e1  2026-11-22T10:15:00Z  suppressd.jobs  unknown_region  1204   /segments/0/region: is not configured\\u{1b}
and 1 more

reason          letters
unknown_region  2
";
    assert_eq!(text, expected);
    assert_eq!(List::new(&Looked::default()).text(), "no dead letter\n");
}

#[test]
fn a_letter_is_shown_without_anything_that_its_publisher_chose_unless_asked() {
    let shown = shown();
    let one = One::new(&shown);
    for told in [one.text(), one.json(false)] {
        for personal in ["8777", "aigerim", "phone"] {
            assert!(!told.contains(personal), "{told}");
        }
        assert!(told.contains("message_id") && told.contains("marketing"), "{told}");
    }
    let value: Value = serde_json::from_str(&one.json(true)).unwrap();
    assert_eq!(value["body"], "{\"phone\": \"87771113111\"}\n\u{1b}");
    assert_eq!(value["body_hex"], Value::Null);
    assert_eq!(value["properties"], json!({"routing_key": "sms.aigerim", "message_id": "87771113111"}));
    assert_eq!((&value["headers"], &value["content_encoding"]), (&json!(1), &json!("another")));
    assert_eq!(one.body_for_a_terminal(), "{\"phone\": \"87771113111\"}\n\\u{1b}\n");
    let packed = Shown { body: vec![0x1f, 0x8b], ..shown };
    let value: Value = serde_json::from_str(&One::new(&packed).json(true)).unwrap();
    assert_eq!((&value["body"], &value["body_hex"]), (&Value::Null, &json!("1f8b")));
}

#[test]
fn what_was_put_back_is_told_by_reason_with_what_stayed_and_why() {
    let done = Redriven {
        moved: vec![letter(DeadReason::UnknownRegion), letter(DeadReason::UnknownRegion)],
        stayed: vec![(letter(DeadReason::NoIdentifier), "it is all that is known")],
        pass: Pass { of: 7, looked: 3, ..Pass::default() },
    };
    let expected = "\
2 letters were put back to where they came from
reason          letters
unknown_region  2
3f2a91c04b7d88e1 (no_identifier) stays: it is all that is known
5 left in the dead queue
";
    assert_eq!(Moving::new(&done).text(), expected);
    let value: Value = serde_json::from_str(&Moving::new(&done).json()).unwrap();
    assert_eq!(value["reasons"], json!({"unknown_region": 2}));
    assert_eq!((&value["left"], &value["stayed"][0]["why"]), (&json!(5), &json!("it is all that is known")));
    assert_eq!(value["moved"][0]["id"], "3f2a91c04b7d88e1");
}

#[test]
fn what_is_dropped_is_told_with_who_and_why() {
    let dropped = Dropped {
        at: "2026-11-23T10:00:00Z".parse().unwrap(),
        os_user: "aigul".into(),
        login_user: None,
        host: "mq1".into(),
        amqp_user: "suppressd".into(),
        why: "a test of marketing's\n".into(),
        letters: vec![letter(DeadReason::BadJson)],
        pass: Pass::default(),
    };
    let report = Dropping::new(&dropped);
    assert!(
        report.text().starts_with("dropped by aigul on mq1: a test of marketing's\\u{a}\nid "),
        "{}",
        report.text()
    );
    let value: Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!((&value["why"], &value["os_user"]), (&json!("a test of marketing's\n"), &json!("aigul")));
    assert_eq!(value["dropped"][0]["reason"], "bad_json");
    assert_eq!(value["reasons"], json!({"bad_json": 1}));
}
