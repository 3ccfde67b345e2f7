//! Each member that a schema of an input names is one that the codec knows: given twice, it is refused by its name.
//!
//! An optional member that the code called otherwise would be passed over without a word; this notices.

use serde_json::{Value, json};
use suppressd::domain::words::DeadReason;

use super::documents::schema;
use super::input::{EVENT, Input, JOB};

/// Stands in a document for the name of the member that is put in once more.
const AGAIN: &str = "given-again";

/// Insists that each member which a schema names at `of` is known to the codec where `place` says.
fn known(input: Input, of: &str, place: &str, document: &Value) {
    let (name, read) = input;
    let schema = schema(name);
    let named = schema.pointer(of).and_then(Value::as_object);
    let named = named.unwrap_or_else(|| panic!("deploy/contract/{name} has no members at {of}"));
    for member in named.keys() {
        let mut document = document.clone();
        let object = document.pointer_mut(place).and_then(Value::as_object_mut).expect("the place is there");
        let value = object.entry(member).or_insert(Value::Null).clone();
        object.insert(AGAIN.into(), value);
        let once = document.to_string();
        let twice = once.replace(&format!("\"{AGAIN}\""), &format!("\"{member}\""));
        let fault = read(&twice).err().map(|fault| (fault.reason, fault.detail));
        let (reason, detail) = fault.unwrap_or_else(|| {
            panic!(
                "deploy/contract/{name}, {of}: the codec does not know {member}, which may stand at {place:?}"
            )
        });
        let twice = detail.starts_with(&format!("{place}/{member}: ")) && detail.ends_with("given twice");
        assert!(reason == DeadReason::BadSchema && twice, "deploy/contract/{name}, {member}: {detail}");
        assert_eq!(read(&once), Ok(()), "the sender's own members are not looked into");
    }
}

#[test]
fn every_member_of_the_schema_of_jobs_is_one_that_the_codec_knows() {
    let job = schema(JOB.0)["examples"][0].clone();
    known(JOB, "/properties", "", &job);
    known(JOB, "/properties/part/properties", "/part", &job);
    known(JOB, "/$defs/segment/properties", "/segments/0", &job);
    known(JOB, "/$defs/recipient/properties", "/segments/0/recipients/0", &job);
}

#[test]
fn every_member_of_the_schema_of_events_is_one_that_the_codec_knows() {
    let event = json!({
        "event_id": "e-1", "source": "call_center", "kind": "identifier_changed",
        "occurred_at": "2026-11-22T10:15:00+05:00", "subject": {"phone": "1"}, "also": [{"email": "a@b.kz"}],
        "new_subject": {"user_id": 2}, "scope": {"brands": ["lulla.kz"]}
    });
    known(EVENT, "/properties", "", &event);
    known(EVENT, "/properties/scope/properties", "/scope", &event);
    for place in ["/subject", "/also/0", "/new_subject"] {
        known(EVENT, "/$defs/person/properties", place, &event);
    }
}
