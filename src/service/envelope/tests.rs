//! Each property and each kind of header, through each of the four ways.

use super::*;

const STAMP: Stamp = Stamp { revision: 18231, kept: 942, removed: 58 };

fn text(name: &str, value: &str) -> (String, HeaderValue) {
    (name.into(), HeaderValue::text(value))
}

fn full() -> Properties {
    Properties {
        content_type: Some("application/json".into()),
        content_encoding: Some("gzip".into()),
        headers: vec![text("x-tenant", "lulla"), text("campaign", "nauryz")],
        delivery_mode: Some(1),
        priority: Some(3),
        correlation_id: Some("c-1".into()),
        reply_to: Some("answers".into()),
        expiration: Some("60000".into()),
        message_id: Some("m-1".into()),
        timestamp: Some(1_700_000_000),
        kind: Some("campaign".into()),
        user_id: Some("orders".into()),
        app_id: Some("marketing".into()),
    }
}

fn grounds(detail: &str) -> Grounds<'_> {
    Grounds { reason: DeadReason::BadSchema, detail, queue: "suppressd.jobs", at: "2026-11-22T10:15:00Z" }
}

fn names(properties: &Properties) -> Vec<&str> {
    properties.headers.iter().map(|(name, _)| name.as_str()).collect()
}

fn header<'a>(properties: &'a Properties, name: &str) -> Option<&'a HeaderValue> {
    properties.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value)
}

#[test]
fn an_output_keeps_what_the_publisher_said_and_adds_what_the_filter_did() {
    let output = filtered(&full(), "job-1", STAMP);
    let expected = Properties {
        delivery_mode: Some(2),
        user_id: None,
        headers: vec![
            text("x-tenant", "lulla"),
            text("campaign", "nauryz"),
            text("x-suppressd-user-id", "orders"),
            ("x-suppressd-revision".into(), HeaderValue::I64(18231)),
            ("x-suppressd-kept".into(), HeaderValue::I64(942)),
            ("x-suppressd-removed".into(), HeaderValue::I64(58)),
        ],
        ..full()
    };
    assert!(output == expected);
}

#[test]
fn an_output_without_a_message_id_of_its_own_takes_the_job_id() {
    for (given, expected) in [(Some("m-1"), "m-1"), (Some(""), "job-1"), (None, "job-1")] {
        let input = Properties { message_id: given.map(Into::into), ..Properties::default() };
        assert_eq!(filtered(&input, "job-1", STAMP).message_id.as_deref(), Some(expected));
    }
}

#[test]
fn a_header_is_in_the_output_if_it_is_the_senders_own() {
    for (name, kept) in [
        ("x-tenant", true),
        ("x-delay", true),
        ("x-stream-filter-value", true),
        ("traceparent", true),
        ("cc", true),
        ("CC", false),
        ("BCC", false),
        ("x-death", false),
        ("x-first-death-queue", false),
        ("x-last-death-reason", false),
        ("x-delivery-count", false),
        ("x-acquired-count", false),
        ("x-stream-offset", false),
        ("x-opt-enqueued-time", false),
        ("x-received-from", false),
        ("x-routed-by", false),
        ("x-shovelled", false),
        ("x-suppressd-user-id", false),
        ("X-Suppressd-Kept", false),
        ("x-suppressd-", false),
        ("x-suppressé", true),
        ("", true),
    ] {
        let input = Properties { headers: vec![text(name, "v")], ..Properties::default() };
        let output = filtered(&input, "job-1", STAMP);
        assert_eq!(header(&output, name).is_some(), kept, "{name}");
    }
}

#[test]
fn a_publisher_cannot_sign_in_another_name() {
    let forged = Properties { headers: vec![text(USER_ID, "orders")], ..Properties::default() };
    let route = Route::default();
    for copy in [
        filtered(&forged, "job-1", STAMP),
        dead_letter(&forged, &grounds("")),
        enter_waiting(&forged, &route),
        leave_waiting(enter_waiting(&forged, &route)).1,
    ] {
        assert!(header(&copy, USER_ID).is_none());
        assert!(copy.user_id.is_none());
    }
}

#[test]
fn a_dead_letter_keeps_everything_and_says_why() {
    let mut input = full();
    input.headers.extend([text("CC", "a"), text("x-death", "d"), text("x-delivery-count", "9")]);
    let dead = dead_letter(&input, &grounds("/segments/0: missing region"));
    let expected = Properties {
        delivery_mode: Some(2),
        user_id: None,
        expiration: None,
        headers: vec![
            text("x-tenant", "lulla"),
            text("campaign", "nauryz"),
            text("CC", "a"),
            text("x-death", "d"),
            text("x-suppressd-user-id", "orders"),
            text("x-suppressd-expiration", "60000"),
            text("x-suppressd-reason", "bad_schema"),
            text("x-suppressd-detail", "/segments/0: missing region"),
            text("x-suppressd-queue", "suppressd.jobs"),
            text("x-suppressd-at", "2026-11-22T10:15:00Z"),
        ],
        ..full()
    };
    assert!(dead == expected);
}

#[test]
fn a_long_detail_is_cut_between_characters() {
    let detail = "ә".repeat(400);
    let dead = dead_letter(&full(), &grounds(&detail));
    assert!(header(&dead, "x-suppressd-detail") == Some(&HeaderValue::text("ә".repeat(256))));
}

#[test]
fn a_dead_letter_fits_into_a_frame_however_large_its_headers_were() {
    let mut input = full();
    input.headers.push(text("big", &"b".repeat(80_000)));
    input.headers.push(text("bigger", &"b".repeat(50_000)));
    assert!(is_oversized(&input));
    let dead = dead_letter(&input, &grounds(""));
    assert!(!is_oversized(&dead));
    assert!(names(&dead).contains(&"bigger"), "only the largest header goes");
    assert!(header(&dead, "x-suppressd-headers-cut") == Some(&HeaderValue::I64(1)));
}

#[test]
fn ordinary_properties_are_not_oversized_and_nested_headers_count() {
    assert!(!is_oversized(&full()));
    let nested = vec![HeaderValue::Table(vec![text("k", &"v".repeat(30_000))]); 5];
    let input = Properties { headers: vec![("list".into(), HeaderValue::Array(nested))], ..full() };
    assert!(is_oversized(&input));
}

#[test]
fn a_job_comes_out_of_the_waiting_room_as_it_went_in_however_often() {
    let mut job = full();
    job.headers.push(("CC".into(), HeaderValue::Array(vec![HeaderValue::text("elsewhere")])));
    let route = Route { exchange: "suppressd.jobs".into(), routing_key: "sms.KZ-79".into() };
    let once = enter_waiting(&job, &route);
    assert!(once.user_id.is_none() && once.expiration.is_none(), "neither refused nor expired there");
    assert!(header(&once, "CC").is_none(), "not copied to other queues");
    let (back, again) = leave_waiting(once);
    assert_eq!(back, route);
    let expected = Properties { delivery_mode: Some(2), ..job };
    assert!(again == expected);
    let (back, again) = leave_waiting(enter_waiting(&again, &back));
    assert_eq!(back, route);
    assert!(again == expected);
}

#[test]
fn a_waiting_job_without_publisher_or_expiration_gets_neither() {
    let (route, job) = leave_waiting(enter_waiting(&Properties::default(), &Route::default()));
    assert_eq!(route, Route::default());
    assert!(job == Properties { delivery_mode: Some(2), ..Properties::default() });
}
