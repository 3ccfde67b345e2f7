//! Schema and codec agree about every document, but for what no schema can say, which is listed here.
//!
//! Documents are the examples with something changed at random. In one direction, what the codec takes is what the
//! schema allows; in the other, what the schema allows is taken by the codec.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::documents::{AS_WRITTEN, schema};
use super::input::{EVENT, Input, JOB, has_an_identifier_of_another_type, has_what_its_kind_passes_over};

/// What no schema can say: the rules, as the codec's faults end, by which it refuses what the schema allows.
const BEYOND_SCHEMAS: &[(&str, &str)] = &[
    ("job.schema.json", "/part/index: must be less than /part/of"),
    // 1.0 and 1e0 are whole numbers to a schema.
    ("job.schema.json", "/part/index: must be a whole number from 0 to 4294967295"),
    ("job.schema.json", "/part/of: must be a whole number from 0 to 4294967295"),
    // The 30th of February.
    ("job.schema.json", "/send_until: must be an RFC 3339 time with an offset"),
    ("event.schema.json", "/occurred_at: must be RFC 3339 with an offset"),
    // A schema counts characters.
    ("job.schema.json", "/job_id: must have 1 to 128 bytes"),
    ("event.schema.json", "/event_id: must have at most 256 bytes"),
    ("event.schema.json", "/source: must have at most 128 bytes"),
    ("event.schema.json", "/request_id: must have at most 256 bytes"),
    ("event.schema.json", "/agent: must have at most 128 bytes"),
];

/// Holds schema and codec against each other.
fn agree(input: Input, document: &Value) -> Result<(), String> {
    let (name, read) = input;
    let allowed = AS_WRITTEN.check(name, document);
    match (allowed, read(&document.to_string())) {
        (Ok(()), Ok(())) | (Err(_), Err(_)) => Ok(()),
        (Err(_), Ok(())) if has_an_identifier_of_another_type(document) => Ok(()),
        (Err(_), Ok(())) if name == EVENT.0 && has_what_its_kind_passes_over(document) => Ok(()),
        (Err(why), Ok(())) => Err(format!("the codec takes it, but {why}")),
        (Ok(()), Err(fault)) if BEYOND_SCHEMAS.contains(&(name, &fault.detail)) => Ok(()),
        (Ok(()), Err(fault)) => {
            Err(format!("deploy/contract/{name} allows what the codec refuses ({fault}): {document}"))
        }
    }
}

/// What is put somewhere.
fn values() -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(-1),
        json!(7),
        json!(1.0),
        json!(2.5),
        json!(4_294_967_294_u32),
        json!(4_294_967_295_u32),
        json!(4_294_967_296_u64),
        json!([]),
        json!({}),
        json!([{}]),
        json!([""]),
        json!([1]),
        json!([null]),
        json!(["sms", "fax"]),
        json!([{"email": "a@b.kz"}]),
        json!({"phone": null}),
        json!({"phone": ""}),
        json!({"email": true}),
        json!({"user_id": 5}),
        json!({"index": 3, "of": 3}),
        json!({"index": 2, "of": 3, "x": 1}),
        json!({"index": 1.0, "of": 2.0}),
        json!({"regions": []}),
        json!({"channels": ["fax"], "brands": null}),
        json!([{"region": "KZ-79", "recipients": [{}, {"phone": 1}]}]),
        json!(vec!["x"; 257]),
        json!(vec!["x"; 256]),
        json!(vec![json!({"phone": 1}); 17]),
        json!(vec![json!({"region": "KZ-79", "recipients": []}); 65]),
    ];
    let words = [
        "",
        "x",
        "sms",
        "fax",
        "marketing",
        "spam",
        "opt_out",
        "opt_in",
        "hold",
        "release",
        "bounce",
        "dismiss",
        "apply",
        "identifier_changed",
        "ask",
        "authority",
        "a.rule-1",
        "A Rule",
        "2026-11-22T10:15:00+05:00",
        "2026-11-22t10:15:60.123456789z",
        "2026-02-30T00:00:00Z",
        "2026-11-22 10:15:00Z",
        "2026-11-22T10:15:00",
        "2026-11-22T10:15:00+24:00",
        "2026-13-22T10:15:00Z",
    ];
    values.extend(words.into_iter().map(Value::from));
    let long = [64, 65, 128, 129, 256, 257];
    values.extend(long.map(|length| "x".repeat(length).into()));
    values.extend(long.map(|length| "қ".repeat(length).into()));
    values
}

/// One change of a document: where, and what is put there; nothing: the member or item goes.
#[derive(Debug, Clone)]
struct Change {
    place: prop::sample::Index,
    value: Option<Value>,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let value = prop_oneof![1 => Just(None), 5 => prop::sample::select(values()).prop_map(Some)];
    let change = (any::<prop::sample::Index>(), value).prop_map(|(place, value)| Change { place, value });
    prop::collection::vec(change, 1..4)
}

/// Every place below the document, those included where nothing stands yet.
fn places(document: &Value, named: &[String], at: &str, found: &mut Vec<String>) {
    match document {
        Value::Object(members) => {
            let missing = named.iter().filter(|name| at.is_empty() && !members.contains_key(*name));
            found.extend(missing.map(|name| format!("/{name}")));
            for (name, value) in members {
                found.push(format!("{at}/{name}"));
                places(value, named, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                found.push(format!("{at}/{index}"));
                places(value, named, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn change(document: &mut Value, named: &[String], Change { place, value }: Change) {
    let mut found = Vec::new();
    places(document, named, "", &mut found);
    if found.is_empty() {
        return;
    }
    let (parent, last) = place.get(&found).rsplit_once('/').expect("a place has a slash");
    match (document.pointer_mut(parent).expect("it was found"), value) {
        (Value::Object(members), Some(value)) => drop(members.insert(last.to_owned(), value)),
        (Value::Object(members), None) => drop(members.remove(last)),
        (Value::Array(items), value) => {
            let index: usize = last.parse().expect("items are numbered");
            match value {
                Some(value) => items[index] = value,
                None => drop(items.remove(index)),
            }
        }
        _ => unreachable!("only objects and arrays have places"),
    }
}

/// The examples of a schema, and the members that it names.
fn examples(input: Input) -> (Vec<Value>, Vec<String>) {
    let schema = schema(input.0);
    let named = schema["properties"].as_object().expect("it names members").keys().cloned();
    (schema["examples"].as_array().expect("it has examples").clone(), named.collect())
}

fn agree_after(input: Input, example: prop::sample::Index, changes: Vec<Change>) -> Result<(), String> {
    let (examples, named) = examples(input);
    let mut document = example.get(&examples).clone();
    for it in changes {
        change(&mut document, &named, it);
    }
    agree(input, &document)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn schema_and_codec_agree_about_jobs(example in any::<prop::sample::Index>(), changes in changes()) {
        agree_after(JOB, example, changes).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn schema_and_codec_agree_about_events(example in any::<prop::sample::Index>(), changes in changes()) {
        agree_after(EVENT, example, changes).map_err(TestCaseError::fail)?;
    }
}

/// An example with one member put in its place.
fn with(input: Input, example: usize, place: &str, value: Value) -> Value {
    let mut document = examples(input).0[example].clone();
    let (parent, name) = place.rsplit_once('/').expect("a place has a slash");
    document.pointer_mut(parent).expect("it is there")[name] = value;
    document
}

#[test]
fn each_rule_that_no_schema_can_say_is_one_of_the_codec_and_of_no_schema() {
    let long = |bytes: usize| Value::from("қ".repeat(bytes / 2 + 1));
    let made = [
        with(JOB, 0, "/part", json!({"index": 3, "of": 3})),
        with(JOB, 0, "/part", json!({"index": 0.0, "of": 3})),
        with(JOB, 0, "/part", json!({"index": 0, "of": 3.0})),
        with(JOB, 0, "/send_until", json!("2026-02-30T00:00:00Z")),
        with(EVENT, 0, "/occurred_at", json!("2026-02-30T00:00:00Z")),
        with(JOB, 0, "/job_id", long(128)),
        with(EVENT, 0, "/event_id", long(256)),
        with(EVENT, 0, "/source", long(128)),
        with(EVENT, 0, "/request_id", long(256)),
        with(EVENT, 0, "/agent", long(128)),
    ];
    assert_eq!(made.len(), BEYOND_SCHEMAS.len());
    for (document, (name, rule)) in made.iter().zip(BEYOND_SCHEMAS) {
        let (_, read) = if *name == JOB.0 { JOB } else { EVENT };
        AS_WRITTEN.insist(name, document);
        assert_eq!(read(&document.to_string()).map_err(|fault| fault.detail), Err((*rule).to_owned()));
    }
}

#[test]
fn an_identifier_of_another_type_is_refused_by_the_schemas_and_passed_on_by_the_codec() {
    for value in [json!(true), json!(7.5), json!([]), json!({})] {
        for (input, place) in [(JOB, "/segments/0/recipients/0/phone"), (EVENT, "/subject/phone")] {
            let document = with(input, 0, place, value.clone());
            assert!(AS_WRITTEN.check(input.0, &document).is_err(), "{document}");
            assert_eq!(input.1(&document.to_string()), Ok(()));
        }
    }
}
