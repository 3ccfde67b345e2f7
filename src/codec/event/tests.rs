//! Every rule of an event's form, with the place that its detail names.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::domain::words::DeadReason;

/// The contract's own example.
fn example() -> Value {
    json!({
        "event_id": "cc-000123", "source": "call_center",
        "kind": "opt_out", "occurred_at": "2026-11-22T10:15:00+05:00",
        "subject": {"user_id": "U-1", "phone": "+7 777 111 3 111", "email": "a@b.kz"},
        "scope": {"regions": ["KZ-79"], "channels": ["sms", "call"], "brands": ["lulla.kz"]},
        "request_id": "CRM-88", "requested_by": "subject", "agent": "op-17"
    })
}

/// The example with a member at a JSON pointer set to another value.
fn with(pointer: &str, value: Value) -> Value {
    let mut event = example();
    let (object, name) = pointer.rsplit_once('/').unwrap();
    let object = event.pointer_mut(object).and_then(Value::as_object_mut).unwrap();
    object.insert(name.to_owned(), value);
    event
}

fn without(pointer: &str) -> Value {
    let mut event = example();
    let (object, name) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(object).and_then(Value::as_object_mut).and_then(|o| o.remove(name)).unwrap();
    event
}

fn changed(new_subject: Value) -> Value {
    let mut event = with("/kind", json!("identifier_changed"));
    event["new_subject"] = new_subject;
    event
}

fn parse(event: &Value) -> Body {
    Body::parse(event.to_string().as_bytes()).unwrap()
}

/// Checks that the text is `bad_schema` at this place; no detail shows the canary.
fn check_text(text: &str, pointer: &str) {
    let body = Body::parse(text.as_bytes()).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    let fault = body.event().err().unwrap_or_else(|| panic!("accepted: {text}"));
    assert_eq!(fault.reason, DeadReason::BadSchema, "{text}");
    let place = fault.detail.split(": ").next().filter(|place| place.starts_with('/'));
    assert_eq!(place.unwrap_or_default(), pointer, "{text}: {fault}");
    assert!(!fault.detail.contains("CANARY"), "{fault}");
}

fn check(event: &Value, pointer: &str) {
    check_text(&event.to_string(), pointer);
}

fn text<'a>(identifiers: &'a Identifiers<'_>, kind: IdentifierKind) -> Option<&'a str> {
    match identifiers.get(kind) {
        Given::Text(text) => Some(text),
        Given::Absent | Given::Unusable => None,
    }
}

#[test]
fn the_contracts_example_is_read() {
    let body = parse(&example());
    let event = body.event().unwrap();
    assert_eq!((event.event_id, event.source, event.kind), ("cc-000123", "call_center", EventKind::OptOut));
    assert_eq!(event.occurred_at, "2026-11-22T05:15:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(text(&event.subject, IdentifierKind::UserId), Some("U-1"));
    assert_eq!(text(&event.subject, IdentifierKind::Email), Some("a@b.kz"));
    assert_eq!(text(&event.subject, IdentifierKind::Phone), Some("+7 777 111 3 111"));
    assert_eq!(event.scope.regions.as_deref(), Some(&["KZ-79"][..]));
    assert_eq!(event.scope.channels.as_deref(), Some(&["sms", "call"][..]));
    assert_eq!(event.scope.brands.as_deref(), Some(&["lulla.kz"][..]));
    assert_eq!((event.request_id, event.agent), (Some("CRM-88"), Some("op-17")));
    assert_eq!(event.requested_by, RequestedBy::Subject);
}

#[test]
fn what_may_be_left_out_may_be_null_or_empty_too() {
    for absent in [None, Some(Value::Null), Some(json!(""))] {
        for name in ["request_id", "requested_by", "agent"] {
            let pointer = format!("/{name}");
            let event = absent.clone().map_or_else(|| without(&pointer), |value| with(&pointer, value));
            let body = parse(&event);
            let event = body.event().unwrap();
            assert_eq!(event.request_id.is_none(), name == "request_id");
            assert_eq!(event.agent.is_none(), name == "agent");
            assert_eq!(event.requested_by, RequestedBy::Subject);
        }
    }
    for event in [without("/scope"), with("/scope", Value::Null), with("/scope", json!({}))] {
        let body = parse(&event);
        let scope = body.event().unwrap().scope;
        assert!(scope.regions.is_none() && scope.channels.is_none() && scope.brands.is_none());
    }
    let body = parse(&with("/scope/channels", Value::Null));
    let scope = body.event().unwrap().scope;
    assert!(scope.channels.is_none() && scope.regions.is_some());
}

#[test]
fn every_kind_and_every_person_on_whose_behalf_is_read() {
    for kind in EventKind::ALL {
        let mut event = changed(json!({"phone": "+7"}));
        event["kind"] = json!(kind.as_str());
        assert_eq!(parse(&event).event().unwrap().kind, *kind);
    }
    for word in RequestedBy::ALL {
        let event = with("/requested_by", json!(word.as_str()));
        assert_eq!(parse(&event).event().unwrap().requested_by, *word);
    }
}

#[test]
fn required_members_are_required() {
    for pointer in ["/event_id", "/source", "/kind", "/occurred_at", "/subject"] {
        check(&without(pointer), pointer);
        check(&with(pointer, Value::Null), pointer);
        for other in [json!(""), json!(17), json!(["CANARY"]), json!(false)] {
            check(&with(pointer, other), pointer);
        }
        check_text(&with(pointer, json!("@")).to_string().replace("\"@\"", "\"\\ud800\""), pointer);
    }
}

#[test]
fn words_and_times_keep_their_rules() {
    for (pointer, value) in [
        ("/kind", json!("CANARY")),
        ("/kind", json!("Opt_Out")),
        ("/occurred_at", json!("2026-11-22T10:15:00")),
        ("/occurred_at", json!("2026-11-22 10:15:00Z")),
        ("/occurred_at", json!("CANARY")),
        ("/requested_by", json!("CANARY")),
        ("/requested_by", json!(["subject"])),
        ("/request_id", json!(88)),
        ("/request_id", json!("é".repeat(NAME_BYTES_MAX / 2 + 1))),
        ("/event_id", json!("é".repeat(NAME_BYTES_MAX / 2 + 1))),
        ("/source", json!("x".repeat(WORD_BYTES_MAX + 1))),
        ("/agent", json!("x".repeat(WORD_BYTES_MAX + 1))),
        ("/agent", json!({"name": "CANARY"})),
    ] {
        check(&with(pointer, value), pointer);
    }
    let longest = with("/event_id", json!("é".repeat(NAME_BYTES_MAX / 2)));
    assert!(parse(&longest).event().is_ok());
}

#[test]
fn a_document_that_is_no_object_is_bad_schema_as_a_whole() {
    for text in ["[]", "null", "\"CANARY\"", "17"] {
        check_text(text, "");
    }
    check_text("{}", "/event_id");
}

#[test]
fn a_scope_is_an_object_of_arrays_of_strings() {
    for scope in [json!("CANARY"), json!([]), json!(1), json!(""), json!(true)] {
        check(&with("/scope", scope), "/scope");
    }
    for dimension in ["/scope/regions", "/scope/channels", "/scope/brands"] {
        for wrong in [json!([]), json!("CANARY"), json!({}), json!(["KZ-79", null]), json!([["KZ-79"]])] {
            check(&with(dimension, wrong), dimension);
        }
        check(&with(dimension, json!(vec!["x"; SCOPE_NAMES_MAX + 1])), dimension);
        assert!(parse(&with(dimension, json!(vec!["x"; SCOPE_NAMES_MAX]))).event().is_ok());
    }
    let odd = with("/scope/regions", json!(["@"])).to_string().replace("\"@\"", "\"\\ud800\"");
    let body = Body::parse(odd.as_bytes()).unwrap();
    assert_eq!(body.event().unwrap().scope.regions.as_deref(), Some(&[""][..]), "a name that nothing has");
}

#[test]
fn a_subject_has_an_identifier() {
    let nobody = [
        json!({}),
        json!({"phone": null}),
        json!({"phone": "", "email": null}),
        json!({"Phone": "+7", "name": "CANARY"}),
    ];
    for subject in &nobody {
        check(&with("/subject", subject.clone()), "/subject");
        check(&changed(subject.clone()), "/new_subject");
    }
    check(&changed(Value::Null), "/new_subject");
    check(&with("/kind", json!("identifier_changed")), "/new_subject");
    check(&changed(json!(["CANARY"])), "/new_subject");
}

#[test]
fn identifiers_are_strings_or_integers_as_in_jobs() {
    for (written, read) in [
        ("17", Some("17")),
        ("-17", Some("-17")),
        ("87771113111", Some("87771113111")),
        ("123456789012345678901234567890", Some("123456789012345678901234567890")),
        ("\"\\u0055-1\"", Some("U-1")),
        ("\" \"", Some(" ")),
        ("7.77E+10", None),
        ("1.0", None),
        ("true", None),
        ("[]", None),
        ("{\"phone\":1}", None),
        ("\"\\udead\"", None),
    ] {
        let body = with("/subject", json!({"user_id": "@"})).to_string().replace("\"@\"", written);
        let body = Body::parse(body.as_bytes()).unwrap();
        let subject = body.event().unwrap().subject;
        assert_eq!(text(&subject, IdentifierKind::UserId), read, "{written}");
        assert_eq!(*subject.get(IdentifierKind::UserId) == Given::Unusable, read.is_none(), "{written}");
        assert!(*subject.get(IdentifierKind::Email) == Given::Absent);
    }
}

#[test]
fn a_dismiss_names_its_request_and_needs_nobody() {
    let mut dismiss = with("/kind", json!("dismiss"));
    for subject in [json!({}), json!({"phone": true}), Value::Null, json!("CANARY")] {
        dismiss["subject"] = subject;
        let body = parse(&dismiss);
        assert!(body.event().unwrap().subject == Identifiers::default());
    }
    for request in [Value::Null, json!("")] {
        dismiss["request_id"] = request;
        check(&dismiss, "/request_id");
    }
}

#[test]
fn new_identifiers_say_nothing_where_none_changed() {
    for stray in [json!({"phone": "+7"}), json!("CANARY"), json!({})] {
        let body = parse(&with("/new_subject", stray));
        assert!(body.event().unwrap().new_subject == Identifiers::default());
    }
}

#[test]
fn a_named_member_stands_once_after_its_escapes_are_decoded() {
    let names = [
        "event_id",
        "source",
        "kind",
        "occurred_at",
        "subject",
        "scope",
        "request_id",
        "requested_by",
        "agent",
    ];
    let whole = changed(json!({"phone": "+7"})).to_string();
    for name in names.into_iter().chain(["new_subject"]) {
        let escaped = format!("\\u{:04x}{}", name.as_bytes()[0], &name[1..]);
        for again in [name, &escaped] {
            check_text(&whole.replacen('{', &format!("{{\"{again}\":null,"), 1), &format!("/{name}"));
        }
    }
    for (name, pointer) in
        [("user_id", "/subject/user_id"), ("email", "/subject/email"), ("phone", "/subject/phone")]
    {
        let body = whole.replace("\"subject\":{", &format!("\"subject\":{{\"{name}\":null,"));
        check_text(&body, pointer);
    }
    check_text(&whole.replace("{\"phone\":\"+7\"}", "{\"phone\":1,\"phone\":1}"), "/new_subject/phone");
    for name in ["regions", "channels", "brands"] {
        let body = whole.replace("\"scope\":{", &format!("\"scope\":{{\"{name}\":null,"));
        check_text(&body, &format!("/scope/{name}"));
    }
}

#[test]
fn the_senders_own_members_are_passed_over_but_count_for_equality() {
    let own = whole_with("\"comment\":\"\\ud800\",\"comment\":1e999,");
    let body = Body::parse(own.as_bytes()).unwrap();
    assert!(body.event().is_ok());
    assert_ne!(body.canonical(), parse(&example()).canonical());
}

fn whole_with(members: &str) -> String {
    example().to_string().replacen('{', &format!("{{{members}"), 1)
}

proptest! {
    #[test]
    fn any_value_under_any_named_member_is_read_or_refused_without_a_panic_and_without_being_repeated(
        name in proptest::sample::select(vec![
            "event_id", "source", "kind", "occurred_at", "subject", "new_subject", "scope", "request_id",
            "requested_by", "agent",
        ]),
        inner in proptest::sample::select(vec!["user_id", "email", "phone", "regions", "channels", "brands"]),
        value in prop_oneof![
            Just(json!(null)), Just(json!("")), Just(json!("CANARY")), Just(json!(["CANARY"])),
            Just(json!({"CANARY": "CANARY"})), Just(json!([])), any::<f64>().prop_map(|n| json!(n)),
        ],
        nested in any::<bool>(),
        kind in proptest::sample::select(EventKind::ALL),
    ) {
        let value = if nested { Value::Object(Map::from_iter([(inner.to_owned(), value)])) } else { value };
        let mut event = example();
        event["kind"] = json!(kind.as_str());
        event[name] = value;
        if let Err(fault) = parse(&event).event() {
            prop_assert!(!fault.detail.contains("CANARY"), "{}", fault);
            prop_assert!(fault.detail.starts_with('/'), "{}", fault);
        }
    }
}

#[test]
fn further_identifiers_of_the_same_person_are_read_from_also() {
    let event = with("/also", json!([{"email": "b@b.kz"}, {"phone": 87_771_113_111_u64, "other": [1]}]));
    let body = parse(&event);
    let event = body.event().unwrap();
    assert_eq!(event.also.len(), 2);
    assert_eq!(text(&event.also[0], IdentifierKind::Email), Some("b@b.kz"));
    assert_eq!(text(&event.also[1], IdentifierKind::Phone), Some("87771113111"));
    for none in [json!([]), Value::Null] {
        assert!(parse(&with("/also", none)).event().unwrap().also.is_empty());
    }
    let many = |count: usize| with("/also", Value::Array(vec![json!({"user_id": "U"}); count]));
    assert_eq!(parse(&many(16)).event().unwrap().also.len(), 16);
    check(&many(17), "/also");
    check(&with("/also", json!({"user_id": "CANARY"})), "/also");
    for nobody in [json!("CANARY"), json!({}), json!({"email": ""}), json!({"name": "CANARY"}), Value::Null] {
        check(&with("/also", json!([{"user_id": "U"}, nobody])), "/also/1");
    }
}

#[test]
fn only_what_restricts_can_wait_for_a_person() {
    for kind in EventKind::ALL {
        let mut event = changed(json!({"phone": "+7"}));
        (event["kind"], event["review"]) = (json!(kind.as_str()), json!("hold"));
        if kind.restricts() {
            assert_eq!(parse(&event).event().unwrap().review, Some(ReviewMode::Hold));
        } else {
            check(&event, "/review");
        }
    }
    assert_eq!(parse(&with("/review", json!("ask"))).event().unwrap().review, Some(ReviewMode::Ask));
    for other in [json!("CANARY"), json!("Hold"), json!(true), json!(["hold"])] {
        check(&with("/review", other), "/review");
    }
}

#[test]
fn the_name_of_a_rule_is_a_name() {
    for rule in ["opt_out.object", "a-1", &"r".repeat(64)] {
        assert_eq!(parse(&with("/rule", json!(rule))).event().unwrap().rule, Some(rule));
    }
    for other in [json!("CANARY"), json!("a b"), json!("а.б"), json!("r".repeat(65)), json!(7)] {
        check(&with("/rule", other), "/rule");
    }
}

#[test]
fn what_settles_a_request_names_it_and_no_person() {
    for kind in ["dismiss", "apply"] {
        let mut event = without("/subject");
        (event["kind"], event["also"]) = (json!(kind), json!("of no use"));
        assert_eq!(parse(&event).event().unwrap().request_id, Some("CRM-88"));
        event.as_object_mut().unwrap().remove("request_id");
        check(&event, "/request_id");
    }
}
