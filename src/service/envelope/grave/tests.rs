//! Who is believed about a dead letter, and that what leaves is what came.

use proptest::prelude::*;

use super::*;
use crate::service::envelope::{
    Grounds, OWN_PREFIX, Route, Stamp, dead_letter, enter_waiting, filtered, readmit,
};

const OWN: &str = "suppressd";
const STAMP: Stamp = Stamp { revision: 7, kept: 2, removed: 1 };

fn home_of(queue: &str) -> Option<Home> {
    match queue {
        "s.jobs" => Some(Home::Jobs),
        "s.opt-outs" => Some(Home::OptOuts),
        "s.waiting" => Some(Home::Waiting),
        _ => None,
    }
}

fn header(name: &str, value: &str) -> (String, HeaderValue) {
    (name.into(), HeaderValue::text(value))
}

fn job() -> Properties {
    Properties {
        content_type: Some("application/json".into()),
        headers: vec![header("trace", "t-1")],
        delivery_mode: Some(2),
        expiration: Some("60000".into()),
        message_id: Some("m-1".into()),
        user_id: Some("orders".into()),
        ..Properties::default()
    }
}

fn buried(original: &Properties) -> Properties {
    let (reason, detail) = (DeadReason::UnknownRegion, "/segments/0/region: is not configured");
    let grounds = Grounds { reason, detail, queue: "s.jobs", at: "2026-11-22T10:15:00.5Z" };
    dead_letter(original, &grounds)
}

/// What RabbitMQ does when it moves a message itself.
fn moved_by_rabbitmq(original: &Properties, queue: &str, reason: &str) -> Properties {
    let mut moved = original.clone();
    let mut death = vec![header("queue", queue), header("reason", reason)];
    death.push(("time".into(), HeaderValue::Timestamp(1_795_000_000)));
    if let Some(expiration) = moved.expiration.take() {
        death.push(header("original-expiration", &expiration));
    }
    let older = moved.headers.iter().position(|(name, _)| name == "x-death");
    let older = older.map(|at| moved.headers.remove(at).1);
    let mut deaths = vec![HeaderValue::Table(death)];
    if let Some(HeaderValue::Array(older)) = older {
        deaths.extend(older);
    }
    moved.headers.push(("x-death".into(), HeaderValue::Array(deaths)));
    moved.headers.push(header("x-first-death-queue", queue));
    moved
}

/// Out of the dead queue, over RabbitMQ, into a worker.
fn redriven(letter: Properties) -> Properties {
    let grave = read(&letter, home_of);
    let (routing_key, mut incoming) = leave_dead(letter, "sms.KZ-79".into(), &grave, OWN);
    assert_eq!(routing_key, "sms.KZ-79");
    readmit(&mut incoming, OWN);
    incoming
}

#[test]
fn a_letter_says_why_where_and_when_it_died() {
    let grave = read(&buried(&job()), home_of);
    let expected = Grave {
        cause: Cause::Fault(DeadReason::UnknownRegion),
        home: Some(Home::Jobs),
        at: Some("2026-11-22T10:15:00.5Z".parse().unwrap()),
        detail: Some("/segments/0/region: is not configured".into()),
        publisher: Some("orders".into()),
        expiration: Some("60000".into()),
        headers: 1,
        headers_cut: 0,
    };
    assert_eq!(grave, expected);
    let grave = read(&moved_by_rabbitmq(&job(), "s.opt-outs", "expired"), home_of);
    let expected = Grave {
        cause: Cause::Broker(BrokerReason::Expired),
        home: Some(Home::OptOuts),
        at: Some(Timestamp::from_second(1_795_000_000).unwrap()),
        detail: None,
        ..expected
    };
    assert_eq!(grave, expected);
    let grave = read(&Properties::default(), home_of);
    assert_eq!((grave.cause, grave.home, grave.publisher), (Cause::Unknown, None, None));
}

#[test]
fn what_comes_out_is_what_went_in_whoever_put_it_there() {
    for letter in [buried(&job()), moved_by_rabbitmq(&job(), "s.jobs", "delivery_limit")] {
        let again = redriven(letter);
        assert!(filtered(&again, "j", STAMP) == filtered(&job(), "j", STAMP));
        assert_eq!((again.user_id.as_deref(), again.expiration.as_deref()), (Some("orders"), Some("60000")));
        assert!(buried(&again) == buried(&job()), "and it dies again as it did");
    }
    let nobody = Properties { user_id: None, ..job() };
    let again = redriven(buried(&nobody));
    assert_eq!(again.user_id, None, "who was not verified does not get our name");
}

#[test]
fn what_died_in_the_waiting_room_goes_back_to_where_it_was_published() {
    let route = Route { exchange: "s.jobs".into(), routing_key: "call.KZ-10".into() };
    let letter = moved_by_rabbitmq(&enter_waiting(&job(), &route), "s.waiting", "delivery_limit");
    let grave = read(&letter, home_of);
    assert_eq!(grave.home, Some(Home::Waiting));
    let (routing_key, mut again) = leave_dead(letter, "s.waiting".into(), &grave, OWN);
    readmit(&mut again, OWN);
    assert_eq!(routing_key, "call.KZ-10");
    assert_eq!((again.user_id.as_deref(), again.expiration.as_deref()), (Some("orders"), Some("60000")));
    assert!(filtered(&again, "j", STAMP) == filtered(&job(), "j", STAMP));
}

#[test]
fn a_publisher_that_writes_our_headers_and_lets_its_message_expire_speaks_for_nobody() {
    let mut forged = job();
    forged.user_id = None;
    forged.headers.extend([
        header(REASON, "bad_schema"),
        header(QUEUE, "s.opt-outs"),
        header(USER_ID, "callcenter"),
        header(EXPIRATION, "1"),
    ]);
    let grave = read(&moved_by_rabbitmq(&forged, "s.jobs", "expired"), home_of);
    assert_eq!(grave.cause, Cause::Broker(BrokerReason::Expired));
    assert_eq!((grave.home, grave.publisher), (None, None), "the two do not agree");
    let made_up = HeaderValue::Table(vec![header("queue", "s.opt-outs"), header("reason", "rejected")]);
    forged.headers.push(("x-death".into(), HeaderValue::Array(vec![made_up])));
    let grave = read(&moved_by_rabbitmq(&forged, "s.jobs", "expired"), home_of);
    assert_eq!((grave.home, grave.publisher), (None, None), "RabbitMQ's own entry is in front");
    let again = redriven(moved_by_rabbitmq(&forged, "s.jobs", "expired"));
    assert_eq!(again.user_id, None);
}

#[test]
fn an_entry_of_somebody_elses_queue_changes_nothing() {
    let mut retried = job();
    let elsewhere = HeaderValue::Table(vec![header("queue", "marketing.retry"), header("reason", "expired")]);
    retried.headers.push(("x-death".into(), HeaderValue::Array(vec![elsewhere])));
    let grave = read(&buried(&retried), home_of);
    assert_eq!(grave.cause, Cause::Fault(DeadReason::UnknownRegion));
    assert_eq!(grave.publisher.as_deref(), Some("orders"));
}

#[test]
fn every_cause_has_one_code() {
    let codes: Vec<_> = Cause::codes().collect();
    for code in &codes {
        assert_eq!(Cause::parse(code).map(Cause::as_str), Some(*code));
    }
    let distinct: std::collections::BTreeSet<_> = codes.iter().collect();
    assert_eq!(distinct.len(), codes.len());
    assert_eq!(Cause::parse("Unknown"), None);
}

proptest! {
    #[test]
    fn a_foreign_user_speaks_for_nobody_else_by_a_header(
        user in prop::option::of("[a-z]{1,10}"),
        names in prop::collection::vec(prop_oneof![
            Just(USER_ID.to_owned()),
            "[xX]-[sS]uppressd-[a-z-]{1,8}",
            "[a-z-]{1,8}",
        ], 0..5),
        claimed in "[a-z]{1,10}",
    ) {
        prop_assume!(user.as_deref() != Some(OWN));
        let headers = names.iter().map(|name| header(name, &claimed)).collect();
        let sent = Properties { user_id: user.clone(), headers, ..Properties::default() };
        let mut incoming = sent.clone();
        readmit(&mut incoming, OWN);
        prop_assert!(incoming == sent);
        let output = filtered(&incoming, "j", STAMP);
        let told = text(&output.headers, USER_ID);
        prop_assert_eq!(told, user.as_deref());
    }

    #[test]
    fn whoever_published_is_who_is_checked_after_any_number_of_burials(
        user in prop::option::of("[a-z]{1,10}"),
        burials in 1_usize..4,
    ) {
        let original = Properties { user_id: user, ..job() };
        let mut incoming = original.clone();
        for _ in 0..burials {
            incoming = redriven(buried(&incoming));
            prop_assert!(incoming.user_id == original.user_id);
        }
        prop_assert!(filtered(&incoming, "j", STAMP) == filtered(&original, "j", STAMP));
        prop_assert!(incoming.headers.iter().all(|(name, _)| !name.starts_with(OWN_PREFIX)));
    }
}
