//! What the codec writes is what the documents say, with no member more and none less.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use suppressd::codec::event_out::{self, EventOut};
use suppressd::codec::export::{self, End, Head};
use suppressd::codec::job::{self, JobLimits, Stamp};
use suppressd::codec::receipt::{self, Receipt, Refusal};
use suppressd::codec::review::{self, Opened};
use suppressd::codec::{campaign, written_event};
use suppressd::domain::calendar::Deadline;
use suppressd::domain::campaign::{Campaign, FilteredPart, Sums};
use suppressd::domain::digest::{Digest, HashKey, KeyCheck, KeyRing};
use suppressd::domain::filter::{judge, prepare};
use suppressd::domain::mail::reading::{Narrowed, Subject};
use suppressd::domain::record::{CampaignKey, JobMark, ListId, Remarks};
use suppressd::domain::scope::{Channels, Name, Names, Scope};
use suppressd::domain::statement::Statement;
use suppressd::domain::words::{
    Channel, DeadReason, EventKind, IdentifierKind, Purpose, RequestedBy, ReviewMode, Status,
};
use suppressd::mirror::Mirror;
use suppressd::service::envelope::{self, Grounds};
use suppressd::service::message::{HeaderValue, Properties};
use suppressd::service::traces::{Span, TRACEPARENT, TRACESTATE, TRACESTATE_BYTES_MAX};

use super::beyond::wrong_in;
use super::documents::{AS_WRITTEN, CLOSED, schema};
use super::input::{Any, EVENT};

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("the codec writes JSON")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::new(1_795_000_000 + seconds, 123_456_000).expect("it is in range")
}

fn deadline() -> Deadline {
    Deadline { due_at: at(86_400), due_strict_at: at(86_400), calendar: Some("kz-2026.2".into()) }
}

#[test]
fn receipts() {
    let all = Remarks { widened: u8::MAX, ignored: u8::MAX };
    for kind in EventKind::ALL {
        for status in Status::ALL {
            let reasons = match status {
                Status::Rejected => vec![
                    Some(Refusal::UnknownRequest),
                    Some(Refusal::Dead(DeadReason::FutureDated)),
                    Some(Refusal::Dead(DeadReason::UnknownScope)),
                    Some(Refusal::Dead(DeadReason::NoIdentifier)),
                ],
                Status::Duplicate => vec![None, Some(Refusal::UnknownRequest)],
                Status::Applied | Status::Superseded | Status::Review => vec![None],
            };
            for reason in reasons {
                let stands = reason.is_none();
                let written = receipt::write(&Receipt {
                    event_id: "cc-1",
                    source: "call_center",
                    kind: *kind,
                    request_id: "CRM-88",
                    status: *status,
                    revision: stands.then_some(7),
                    received_at: at(0),
                    effective_at: stands.then(|| at(1)),
                    deadline: stands.then(deadline),
                    remarks: if stands { all } else { Remarks::default() },
                    reason,
                });
                let written = parsed(&written);
                CLOSED.insist("receipt.schema.json", &written);
                assert_eq!(wrong_in("receipt.schema.json", &written), None, "{written}");
            }
        }
    }
}

#[test]
fn filtered_jobs_and_their_reports() {
    let keys = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    let keys = KeyRing::new(vec![HashKey::from_file_text(keys).unwrap()]).unwrap();
    let mirror = Mirror::new(ListId([0; 16]), 0, 0, None);
    let stamp = Stamp { revision: 7, filtered_at: at(0) };
    for example in schema("job.schema.json")["examples"].as_array().expect("it has examples") {
        let text = example.to_string();
        let job = job::decode(text.as_bytes(), &JobLimits::default(), &Any).unwrap();
        let prepared = prepare(job.channel, job.segments(), &keys, |_, text, _| Some(text));
        let verdicts = judge(&prepared, job.purpose, &job.brand, &mirror);
        let filtered = parsed(&job::filtered(&job, &verdicts, stamp));
        CLOSED.insist("filtered-job.schema.json", &filtered);
        assert_eq!(wrong_in("filtered-job.schema.json", &filtered), None, "{filtered}");
        AS_WRITTEN.insist("job.schema.json", &filtered);
        CLOSED.insist("report-job.schema.json", &parsed(&job::report(&job, &verdicts, stamp)));
    }
}

#[test]
fn reports_on_campaigns() {
    let part = |index: u32, channel, brand: &str, purpose| FilteredPart {
        campaign: CampaignKey::of("c"),
        name: "c".into(),
        job: JobMark::of(&index.to_string()),
        index,
        of: 2,
        channel,
        brand: brand.into(),
        purpose,
        revision: 7,
        filtered_at: at(0),
        past_send_until: index == 1,
        regions: vec![("KZ-79".into(), Sums::default())],
    };
    let first = part(0, Channel::Sms, "lulla.kz", Purpose::Marketing);
    let mut campaign = Campaign::begin(&first, at(0));
    let mut told = vec![campaign::report("c", &campaign)];
    campaign.add(&part(1, Channel::Call, "bilal.kz", Purpose::LegalNotice), at(1));
    told.push(campaign::report("c", &campaign));
    let told: Vec<_> = told.iter().map(|report| parsed(report)).collect();
    for report in &told {
        CLOSED.insist("report-campaign.schema.json", report);
    }
    assert!(told[0]["channel"] == "sms" && told[1]["channel"].is_null(), "{told:?}");
}

#[test]
fn openings_of_reviews() {
    let due = deadline();
    for kind in EventKind::ALL {
        for (rule, deadline) in [(None, None), (Some("unsure.annoyed"), Some(&due))] {
            let written = review::write(&Opened {
                request_id: "email:1",
                event_id: "1",
                source: "email",
                kind: *kind,
                rule,
                received_at: at(0),
                deadline,
                hold: rule.is_some(),
            });
            CLOSED.insist("review-opened.schema.json", &parsed(&written));
        }
    }
}

/// Holds an event that suppressd itself publishes to the schema, and to its own codec.
#[track_caller]
fn event_is_one(written: &[u8]) {
    let value = parsed(written);
    AS_WRITTEN.insist("event.schema.json", &value);
    let unknown: Vec<_> = {
        let schema = schema("event.schema.json");
        let named = schema["properties"].as_object().expect("it names members").clone();
        value
            .as_object()
            .expect("it is an object")
            .keys()
            .filter(|name| !named.contains_key(*name))
            .cloned()
            .collect()
    };
    assert!(unknown.is_empty(), "deploy/contract/event.schema.json does not name {unknown:?}");
    assert_eq!(EVENT.1(&value.to_string()), Ok(()));
}

#[test]
fn events_of_our_own() {
    for kind in EventKind::ALL {
        let people =
            [(IdentifierKind::Phone, "1"), (IdentifierKind::Phone, "2"), (IdentifierKind::Email, "a@b.kz")];
        // Our own commands send no change of identifiers: `new_subject` is never written.
        if *kind == EventKind::IdentifierChanged {
            continue;
        }
        event_is_one(&written_event::write(&written_event::WrittenEvent {
            event_id: "1",
            source: "operator",
            kind: *kind,
            occurred_at: at(0),
            about: if kind.settles() { vec![] } else { people.to_vec() },
            scope: [vec!["KZ-79"], vec!["sms"], vec!["lulla.kz"]],
            request_id: Some("CRM-88"),
            requested_by: Some(RequestedBy::Authority),
            agent: Some("op-17"),
            review: kind.restricts().then_some(ReviewMode::Hold),
            rule: None,
        }));
    }
    let subject = Subject { emails: vec!["a@b.kz".into(), "a@c.kz".into()], phones: vec!["1".into()] };
    let narrowed = Narrowed { channels: vec!["email"], ..Narrowed::default() };
    for (subject, scope) in [(&subject, Some(&narrowed)), (&Subject::default(), None)] {
        event_is_one(&event_out::write(&EventOut {
            event_id: "1",
            source: "email",
            kind: EventKind::OptOut,
            occurred_at: at(0),
            subject,
            scope,
            review: Some(ReviewMode::Ask),
            rule: "unsure.annoyed",
        }));
    }
}

#[test]
fn lines_of_exports() {
    let mut lines = Vec::new();
    let keys = vec![KeyCheck([1; 8])];
    export::write_head(&Head { keys, list: ListId([2; 16]), revision: 7, exported_at: at(0) }, &mut lines);
    let some = |name: &str| Names::only([Name::from(name)]).expect("one name is some");
    let narrow = Scope {
        regions: some("KZ-79"),
        channels: Channels::only([Channel::Sms]).expect("one channel is some"),
        brands: some("lulla.kz"),
    };
    for kind in EventKind::ALL.iter().filter(|kind| kind.restricts() || kind.lifts()) {
        for scope in [Scope::ALL, narrow.clone()] {
            let statement = Statement::of(*kind, at(0), scope).expect("such a kind states something");
            assert!(export::write_person(Digest([3; 16]), &[statement], &mut lines));
        }
    }
    export::write_end(End { identifiers: 12, revision: 8 }, &mut lines);
    let lines = String::from_utf8(lines).expect("lines are text");
    assert_eq!(lines.lines().count(), 14);
    lines.lines().for_each(|line| CLOSED.insist("export-line.schema.json", &parsed(line.as_bytes())));
}

/// Headers as a consumer sees them.
fn headers(properties: &Properties) -> Value {
    let value = |value: &HeaderValue| match value {
        HeaderValue::I64(number) => (*number).into(),
        HeaderValue::ShortText(text) => text.as_str().into(),
        HeaderValue::Text(bytes) => std::str::from_utf8(bytes).expect("ours are text").into(),
        _ => panic!("suppressd writes only texts and whole numbers into headers"),
    };
    properties
        .headers
        .iter()
        .map(|(name, it)| (name.clone(), value(it)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn headers_of_traces() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
    let long = "x".repeat(TRACESTATE_BYTES_MAX + 1);
    for (traceparent, tracestate, handed_on) in
        [(parent, "a=1", 2), (later, "a=1", 2), (parent, &*long, 1), ("wrong", "a=1", 0)]
    {
        let given = [(TRACEPARENT, traceparent), (TRACESTATE, tracestate), ("batch", "evening")];
        let given = given.map(|(name, text)| (name.to_owned(), HeaderValue::text(text)));
        let came = Properties { headers: given.into(), ..Properties::default() };
        let mut receipt = Properties::default();
        Span::none().hand_on(&came, &mut receipt);
        assert_eq!(receipt.headers.len(), handed_on, "{traceparent}");
        CLOSED.insist("trace-headers.schema.json", &headers(&receipt));
    }
}

#[test]
fn headers_of_ours() {
    let input = Properties {
        user_id: Some("marketing".into()),
        expiration: Some("60000".into()),
        headers: vec![("batch".into(), HeaderValue::text("evening"))],
        ..Properties::default()
    };
    let stamp = envelope::Stamp { revision: 7, kept: 1, removed: 2 };
    CLOSED.insist("filtered-headers.schema.json", &headers(&envelope::filtered(&input, "j", stamp)));
    for reason in DeadReason::ALL {
        let at = at(0).to_string();
        let grounds =
            Grounds { reason: *reason, detail: "/brand: must be one", queue: "suppressd.jobs", at: &at };
        CLOSED.insist("dead-letter-headers.schema.json", &headers(&envelope::dead_letter(&input, &grounds)));
    }
    let later = at(0).checked_add(SignedDuration::from_hours(1)).expect("it is in range").to_string();
    let huge = ("x".repeat(20), HeaderValue::text("x".repeat(envelope::PROPERTIES_BYTES_MAX)));
    let grounds = Grounds { reason: DeadReason::TooLarge, detail: "d", queue: "q", at: &later };
    let cut = headers(&envelope::dead_letter(&Properties { headers: vec![huge], ..input }, &grounds));
    assert_eq!(cut["x-suppressd-headers-cut"], 1);
    CLOSED.insist("dead-letter-headers.schema.json", &cut);
}
