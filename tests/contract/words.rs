//! Closed lists: each word that the code has is in the documents, and no other one.

use std::collections::BTreeSet;
use std::path::Path;

use regex::Regex;
use serde_json::Value;
use suppressd::codec::event::{NAME_BYTES_MAX, RULE_BYTES_MAX, SCOPE_NAMES_MAX, WORD_BYTES_MAX};
use suppressd::codec::job::{JOB_ID_BYTES_MAX, JobLimits};
use suppressd::codec::receipt::{Refusal, ignored, widened};
use suppressd::domain::event::DIMENSIONS;
use suppressd::domain::record::Remarks;
use suppressd::domain::words::{
    Channel, DeadReason, EventKind, IdentifierKind, Purpose, Removal, RequestedBy, ReviewMode, Status,
};
use suppressd::metrics::Alarm;
use suppressd::service::envelope::DETAIL_BYTES_MAX;
use suppressd::service::ports::Urgency;

use super::documents::{asyncapi, schema};

type Words = BTreeSet<String>;

fn words(of: impl IntoIterator<Item = impl ToString>) -> Words {
    of.into_iter().map(|word| word.to_string()).collect()
}

/// The strings of an `enum` or of `required`, or the names of `properties`. `""` stands for nothing.
fn listed(document: &str, pointer: &str) -> Words {
    let schema = if document == "asyncapi.yaml" { asyncapi() } else { schema(document) };
    match schema.pointer(pointer) {
        Some(Value::Array(items)) => {
            let words = items.iter().filter_map(Value::as_str).filter(|word| !word.is_empty());
            words.map(ToOwned::to_owned).collect()
        }
        Some(Value::Object(members)) => members.keys().cloned().collect(),
        _ => panic!("deploy/contract/{document} has no list at {pointer}"),
    }
}

/// Fails with every difference at once, if one document says something else than the code.
#[track_caller]
fn same(what: &str, code: &Words, document: &str, pointer: &str) {
    let listed = listed(document, pointer);
    let missing: Vec<_> = code.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(code).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "deploy/contract/{document}, {pointer}: {what} of the code that are missing: {missing:?}; \
         those that the code does not know: {unknown:?}"
    );
}

fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(path).expect("the source is there")
}

/// What a pattern's first group finds in a source.
fn found(path: &str, pattern: &str) -> Words {
    let pattern = Regex::new(pattern).expect("it is a pattern");
    let found = words(pattern.captures_iter(&source(path)).map(|found| found[1].to_owned()));
    assert!(!found.is_empty(), "{path} has nothing like {pattern}: this test looks in the wrong place");
    found
}

#[test]
fn the_words_of_jobs() {
    let (job, filtered, asyncapi) = ("job.schema.json", "filtered-job.schema.json", "asyncapi.yaml");
    same("channels", &words(Channel::ALL), job, "/$defs/channel/enum");
    same("channels", &words(Channel::ALL), asyncapi, "/components/parameters/channel/enum");
    same("purposes", &words(Purpose::ALL), job, "/$defs/purpose/enum");
    same("identifiers", &words(IdentifierKind::ALL), job, "/$defs/recipient/properties");
    same("reasons of removal", &words(Removal::ALL), filtered, "/$defs/removed/properties");
    same("reasons of removal", &words(Removal::ALL), filtered, "/$defs/removed/required");
}

#[test]
fn the_words_of_events() {
    let event = "event.schema.json";
    let kinds = |which: fn(EventKind) -> bool| words(EventKind::ALL.iter().filter(|kind| which(**kind)));
    same("kinds", &kinds(|_| true), event, "/$defs/kind/enum");
    let when = |place: &str| format!("/allOf/{place}/if/properties/kind/enum");
    same("restricting kinds", &kinds(EventKind::restricts), event, &when("2"));
    same("settling kinds", &kinds(EventKind::settles), event, &when("0"));
    same(
        "kinds",
        &kinds(|kind| kind.restricts() || kind.lifts()),
        "export-line.schema.json",
        "/$defs/kind/enum",
    );
    same("people", &words(RequestedBy::ALL), event, "/properties/requested_by/enum");
    same("modes of review", &words(ReviewMode::ALL), event, "/properties/review/enum");
    let refused = "/allOf/2/else/not/properties/review/enum";
    same("modes of review", &words(ReviewMode::ALL), event, refused);
    same("identifiers", &words(IdentifierKind::ALL), event, "/$defs/person/properties");
    same("dimensions", &words(DIMENSIONS), event, "/properties/scope/properties");
}

#[test]
fn the_words_of_answers() {
    let receipt = "receipt.schema.json";
    let all = Remarks { widened: u8::MAX, ignored: u8::MAX };
    same("statuses", &words(Status::ALL), receipt, "/$defs/status/enum");
    same("dimensions", &words(widened(all)), receipt, "/$defs/dimension/enum");
    same("identifiers", &words(ignored(all)), receipt, "/$defs/place/enum");
    let dead = DeadReason::ALL.iter().map(|reason| Refusal::Dead(*reason));
    let refusals = words(dead.chain([Refusal::UnknownRequest]).map(Refusal::as_str));
    let strange: Vec<_> =
        listed(receipt, "/$defs/reason/enum").into_iter().filter(|it| !refusals.contains(it)).collect();
    assert!(strange.is_empty(), "deploy/contract/{receipt}: the code refuses nothing for {strange:?}");
}

#[test]
fn the_words_of_dead_letters_and_alarms() {
    same("reasons", &words(DeadReason::ALL), "dead-letter-headers.schema.json", "/$defs/reason/enum");
    let alarms = words(Alarm::ALL);
    same("alarms", &alarms, "alarm.schema.json", "/$defs/alarm/enum");
    same("alarms", &alarms, "asyncapi.yaml", "/channels/alarms/parameters/name/enum");
    same("urgencies", &words(Urgency::ALL), "alarm.schema.json", "/$defs/urgency/enum");
}

/// The headers of a job in the waiting room, which nobody reads but the workers.
const OF_THE_WAITING_ROOM: [&str; 3] = ["x-suppressd-exchange", "x-suppressd-routing-key", "x-suppressd-cc"];

#[test]
fn every_header_of_ours_is_in_a_schema() {
    let headers = ["filtered-headers.schema.json", "dead-letter-headers.schema.json"];
    let ours = |name: &String| name.starts_with("x-suppressd-");
    let listed: Words = headers
        .into_iter()
        .flat_map(|document| listed(document, "/properties").into_iter().filter(ours))
        .chain(OF_THE_WAITING_ROOM.map(ToOwned::to_owned))
        .collect();
    let code = found("src/service/envelope.rs", r#": &str = "(x-suppressd-[a-z-]+[a-z])";"#);
    let missing: Vec<_> = code.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&code).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "deploy/contract/…-headers.schema.json lack {missing:?}, and name {unknown:?}, which the code does not know"
    );
}

#[test]
fn the_members_that_the_codec_looks_at() {
    let array = |name: &str| format!(r"const {name}: \[&str; \d+\] =\s*\[([^\]]*)\]");
    let names = |path: &str, name: &str| {
        let lists = found(path, &array(name));
        let names = lists.iter().flat_map(|list| list.split(',')).map(|name| name.trim().trim_matches('"'));
        words(names.filter(|name| !name.is_empty()))
    };
    let outline = "src/codec/job/outline.rs";
    let mut job = names(outline, "JOB");
    // Its own way through the code, beside the list.
    job.insert("segments".into());
    same("members", &job, "job.schema.json", "/properties");
    same("members", &names(outline, "SEGMENT"), "job.schema.json", "/$defs/segment/properties");
    same(
        "members",
        &names("src/codec/job/decode.rs", "NAMES"),
        "job.schema.json",
        "/properties/part/properties",
    );

    let event = "src/codec/event.rs";
    let mut members = found(event, r#"members\.(?:required|text|get)\(\s*"(\w+)""#);
    members.extend(found(event, r#"identifiers\(members, "(\w+)""#));
    same("members", &members, "event.schema.json", "/properties");
    same(
        "members",
        &found(event, r#"names\(scope, "(\w+)""#),
        "event.schema.json",
        "/properties/scope/properties",
    );
}

#[test]
fn the_limits() {
    let JobLimits { recipients_max, segments_max, .. } = JobLimits::default();
    let (job, event) = ("job.schema.json", "event.schema.json");
    for (document, pointer, limit) in [
        (job, "/properties/job_id/maxLength", JOB_ID_BYTES_MAX),
        (job, "/properties/segments/maxItems", segments_max),
        (job, "/$defs/segment/properties/recipients/maxItems", recipients_max),
        (event, "/properties/event_id/maxLength", NAME_BYTES_MAX),
        (event, "/properties/request_id/maxLength", NAME_BYTES_MAX),
        (event, "/properties/source/maxLength", WORD_BYTES_MAX),
        (event, "/properties/occurred_at/maxLength", WORD_BYTES_MAX),
        (event, "/properties/agent/maxLength", WORD_BYTES_MAX),
        (event, "/properties/rule/maxLength", RULE_BYTES_MAX),
        (event, "/$defs/names/maxItems", SCOPE_NAMES_MAX),
        ("dead-letter-headers.schema.json", "/properties/x-suppressd-detail/maxLength", DETAIL_BYTES_MAX),
    ] {
        let said = schema(document).pointer(pointer).and_then(Value::as_u64);
        assert_eq!(said, u64::try_from(limit).ok(), "deploy/contract/{document}, {pointer}");
    }
}
