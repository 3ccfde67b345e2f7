//! What Prometheus is told: names, types, labels, and that nothing from outside becomes a label.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::domain::catalogue::Region;
use crate::domain::digest::{Digest, HashKey, KeyRing};
use crate::domain::filter::{Given, Identifiers, judge, prepare};
use crate::domain::view::View;
use crate::domain::words::Purpose;

fn metrics_of(regions: &[&str], sources: &[&str]) -> Metrics {
    let region = |code: &&str| Region { code: (*code).into(), name: String::new(), aliases: vec![] };
    Metrics::new(&Catalogue::new(regions.iter().map(region).collect(), vec![]), sources)
}

fn metrics() -> Metrics {
    metrics_of(&["KZ-75", "KZ-79"], &["call_center", "email"])
}

/// Every name with its type and help.
fn families(text: &str) -> BTreeMap<&str, (&str, &str)> {
    let mut families: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# ")) {
        let mut parts = line.splitn(3, ' ');
        let (what, name, rest) =
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap_or_default());
        let family = families.entry(name).or_default();
        *(if what == "TYPE" { &mut family.0 } else { &mut family.1 }) = rest;
    }
    families
}

/// Every series of ours with its value.
fn series(text: &str) -> BTreeMap<&str, f64> {
    let ours = text.lines().filter(|line| line.starts_with("suppressd_"));
    ours.filter_map(|line| line.rsplit_once(' '))
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect()
}

/// The series that are not at 0, `le` buckets left out.
fn counted(metrics: &Metrics) -> BTreeMap<String, f64> {
    let text = metrics.encode();
    let all = series(&text).into_iter();
    let counted = all.filter(|(name, value)| *value != 0.0 && !name.contains("_bucket"));
    let counted = counted.filter(|(name, _)| !name.starts_with("suppressd_build_info"));
    let counted = counted.filter(|(name, value)| *name != "suppressd_next_due_seconds" || value.is_finite());
    counted.map(|(name, value)| (name.to_owned(), value)).collect()
}

#[track_caller]
fn check(metrics: &Metrics, expected: &[(&str, f64)]) {
    let expected: BTreeMap<String, f64> =
        expected.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    assert_eq!(counted(metrics), expected);
}

#[test]
fn the_names_types_and_labels_are_those_of_the_contract_and_are_there_from_the_start() {
    let text = metrics().encode();
    let all = series(&text);
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for name in all.keys() {
        let (name, labels) = name.split_once('{').unwrap_or((name, ""));
        let name =
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let labels = labels.trim_end_matches('}').split("\",").filter_map(|label| label.split('=').next());
        found.entry(name).or_default().extend(labels.filter(|label| !matches!(*label, "" | "le")));
    }
    let families = families(&text);
    let found: Vec<String> = found
        .into_iter()
        .map(|(name, labels)| format!("{} {name} {}", families[name].0, Vec::from_iter(labels).join(",")))
        .collect();
    assert_eq!(
        found,
        [
            "gauge suppressd_alarm_active alarm",
            "gauge suppressd_alarm_raised_at_seconds alarm",
            "gauge suppressd_build_info fold,version",
            "counter suppressd_campaign_parts_total outcome",
            "gauge suppressd_campaigns_incomplete ",
            "gauge suppressd_campaigns_incomplete_since_seconds ",
            "counter suppressd_campaigns_reported_total ",
            "counter suppressd_dead_letters_total queue,reason",
            "counter suppressd_events_total kind,source,status",
            "gauge suppressd_identifiers type",
            "counter suppressd_ignored_identifiers_total type",
            "histogram suppressd_job_duration_seconds channel",
            "counter suppressd_jobs_total channel,outcome",
            "counter suppressd_late_requests_total source",
            "counter suppressd_mailbox_faults_total fault",
            "gauge suppressd_mailbox_looked_at_seconds ",
            "counter suppressd_mails_forged_total ",
            "counter suppressd_mails_total outcome",
            "gauge suppressd_mirror_revision ",
            "gauge suppressd_next_due_seconds ",
            "histogram suppressd_opt_out_effect_seconds source",
            "gauge suppressd_queue_messages queue",
            "gauge suppressd_ready dependency",
            "counter suppressd_recipients_total channel,region,verdict",
            "gauge suppressd_requests_open source",
            "gauge suppressd_requests_overdue ",
            "gauge suppressd_revision ",
            "counter suppressd_segments_total channel,region",
            "counter suppressd_spans_total outcome",
            "gauge suppressd_tasks ",
            "gauge suppressd_unroutable_jobs ",
            "gauge suppressd_warning name",
        ]
    );
    assert!(text.contains("\nprocess_resident_memory_bytes "));
}

#[test]
fn every_metric_keeps_the_rules_of_prometheus() {
    let text = metrics().encode();
    for (name, (kind, help)) in families(&text) {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        let moments = [
            "suppressd_next_due_seconds",
            "suppressd_alarm_raised_at_seconds",
            "suppressd_mailbox_looked_at_seconds",
            "suppressd_campaigns_incomplete_since_seconds",
        ];
        let timed = name.starts_with("suppressd_") && name.ends_with("_seconds");
        assert_eq!(kind == "histogram", timed && !moments.contains(&name), "{name}");
        if name.starts_with("suppressd_") {
            assert!(help.len() > 20 && !help.contains("  ") && help == help.trim(), "{name}: {help}");
            assert!(
                help.starts_with(|first: char| first.is_ascii_uppercase() || first == '1'),
                "{name}: {help}"
            );
        }
    }
    assert_eq!(families(&text)["suppressd_identifiers"].1, "Identifiers on the suppression list.");
}

#[test]
fn a_full_size_installation_has_few_series() {
    let codes: Vec<String> = (0..20).map(|n| format!("KZ-{n}")).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    let metrics = metrics_of(&codes, &["call_center", "email", "import", "operator", "web"]);
    let text = metrics.encode();
    assert_eq!(
        text.lines().filter(|line| line.starts_with("suppressd_recipients_total")).count(),
        3 * 20 * 6
    );
    assert!(series(&text).len() < 1500, "{}", series(&text).len());
}

/// A list on which each canonical form that is a reason's name is restricted for that reason.
struct Reasons(KeyRing);

impl View for Reasons {
    type Table = ();

    fn table(&self, _: &str, _: Channel, _: &str) {}

    fn removal(&self, (): &(), digest: &Digest) -> Option<Removal> {
        let named = |reason: &&Removal| {
            self.0.digests(IdentifierKind::UserId, reason.as_str()).any(|one| one == *digest)
        };
        Removal::ALL.iter().find(named).copied()
    }
}

fn tally(region: &str, people: &[&str]) -> Tally {
    let key = HashKey::from_file_text(&"000102030405060708090a0b0c0d0e0f".repeat(2)).unwrap();
    let list = Reasons(KeyRing::new(vec![key]).unwrap());
    let people: Vec<Identifiers<'_>> = people
        .iter()
        .map(|text| {
            let mut person = Identifiers::default();
            person.set(IdentifierKind::UserId, Given::Text((*text).into()));
            person
        })
        .collect();
    let prepared = prepare(Channel::Sms, [(region.into(), &people)], &list.0, |_, text, buffer| {
        buffer.push_str(text);
        (!text.is_empty()).then_some(buffer)
    });
    judge(&prepared, Purpose::Marketing, "lulla.kz", &list).tallies()[0].clone()
}

#[test]
fn the_recipients_of_a_segment_are_counted_by_their_verdicts() {
    let metrics = metrics();
    metrics.recipients(Channel::Sms, &tally("KZ-79", &["a", "b", "opt_out", "hold", "hold", "bounce", ""]));
    metrics.recipients(Channel::Email, &tally("KZ-75", &["a", "complaint"]));
    check(
        &metrics,
        &[
            (r#"suppressd_recipients_total{channel="email",region="KZ-75",verdict="complaint"}"#, 1.0),
            (r#"suppressd_recipients_total{channel="email",region="KZ-75",verdict="kept"}"#, 1.0),
            (r#"suppressd_recipients_total{channel="sms",region="KZ-79",verdict="bounce"}"#, 1.0),
            (r#"suppressd_recipients_total{channel="sms",region="KZ-79",verdict="hold"}"#, 2.0),
            (r#"suppressd_recipients_total{channel="sms",region="KZ-79",verdict="kept"}"#, 2.0),
            (r#"suppressd_recipients_total{channel="sms",region="KZ-79",verdict="opt_out"}"#, 1.0),
            (r#"suppressd_recipients_total{channel="sms",region="KZ-79",verdict="unidentifiable"}"#, 1.0),
            (r#"suppressd_segments_total{channel="email",region="KZ-75"}"#, 1.0),
            (r#"suppressd_segments_total{channel="sms",region="KZ-79"}"#, 1.0),
        ],
    );
}

#[test]
fn figures_for_people_are_those_for_machines() {
    let metrics = metrics();
    let before = metrics.counts();
    metrics.recipients(Channel::Sms, &tally("KZ-79", &["a", "b", "opt_out", "hold", "hold", ""]));
    metrics.recipients(Channel::Sms, &tally("KZ-75", &["a"]));
    metrics.job(Some(Channel::Sms), JobOutcome::Filtered);
    metrics.dead_letter(DeadQueue::Jobs, DeadReason::BadJson);
    metrics.dead_letter(DeadQueue::OptOuts, DeadReason::BadJson);
    metrics.late_request("email");
    let counts = metrics.counts().since(&before);
    assert_eq!(counts.flow(1, Channel::Sms), Flow { jobs: 1, kept: 2, removed: 4 });
    assert_eq!(counts.channel(Channel::Sms), Flow { jobs: 1, kept: 3, removed: 4 }, "one job in two regions");
    assert_eq!(
        (counts.all(), counts.channel(Channel::Email)),
        (counts.channel(Channel::Sms), Flow::default())
    );
    let removed = Removal::ALL.iter().map(|reason| counts.removed(*reason)).collect::<Vec<_>>();
    assert_eq!(removed, [2, 1, 0, 0, 1]);
    assert_eq!((counts.dead(DeadReason::BadJson), counts.dead(DeadReason::BadSchema)), (2, 0));
    assert_eq!(counts.late(), 1);
    assert_eq!(metrics.counts().since(&metrics.counts()), before);
}

#[test]
fn the_time_to_effect_is_as_exact_as_its_buckets() {
    let metrics = metrics();
    assert_eq!(metrics.counts().effect_s(0.5), None);
    for (source, ms, times) in [("email", 8, 98), ("call_center", 700, 1), ("email", 400_000_000, 1)] {
        for _ in 0..times {
            metrics.opt_out_effect(source, Duration::from_millis(ms));
        }
    }
    let counts = metrics.counts();
    assert_eq!(counts.effects(), 100);
    let half = counts.effect_s(0.5).unwrap();
    assert!((0.005..=0.01).contains(&half), "{half}");
    assert!((counts.effect_s(0.99).unwrap() - 1.0).abs() < 1e-9, "the upper bound of its bucket");
    assert_eq!(counts.effect_s(1.0), Some(f64::INFINITY));
}

#[test]
fn jobs_and_dead_letters_are_counted_by_what_became_of_them() {
    let metrics = metrics();
    metrics.job(Some(Channel::Call), JobOutcome::Filtered);
    metrics.job(Some(Channel::Call), JobOutcome::Unroutable);
    metrics.job(None, JobOutcome::DeadLettered);
    metrics.job_duration(Channel::Call, Duration::from_millis(1500));
    metrics.dead_letter(DeadQueue::Jobs, DeadReason::BadJson);
    metrics.dead_letter(DeadQueue::OptOuts, DeadReason::CrashedWorker);
    metrics.ignored_identifiers(IdentifierKind::Email, 7);
    check(
        &metrics,
        &[
            (r#"suppressd_dead_letters_total{queue="jobs",reason="bad_json"}"#, 1.0),
            (r#"suppressd_dead_letters_total{queue="opt-outs",reason="crashed_worker"}"#, 1.0),
            (r#"suppressd_ignored_identifiers_total{type="email"}"#, 7.0),
            (r#"suppressd_job_duration_seconds_count{channel="call"}"#, 1.0),
            (r#"suppressd_job_duration_seconds_sum{channel="call"}"#, 1.5),
            (r#"suppressd_jobs_total{channel="call",outcome="filtered"}"#, 1.0),
            (r#"suppressd_jobs_total{channel="call",outcome="unroutable"}"#, 1.0),
            (r#"suppressd_jobs_total{channel="unknown",outcome="dead_lettered"}"#, 1.0),
        ],
    );
}

#[test]
fn a_source_that_is_not_configured_is_counted_as_unknown_and_becomes_no_label() {
    let metrics = metrics();
    let before = series(&metrics.encode()).len();
    metrics.event("email", EventKind::Dismiss, Status::Rejected);
    metrics.event("email", EventKind::OptOut, Status::Applied);
    metrics.event("u1@example.kz", EventKind::OptOut, Status::Applied);
    metrics.event_dead(Some("+77771113111"), Some(EventKind::OptIn));
    metrics.event_dead(None, None);
    metrics.opt_out_effect("call_center", Duration::from_millis(250));
    check(
        &metrics,
        &[
            (r#"suppressd_events_total{kind="dismiss",source="email",status="rejected"}"#, 1.0),
            (r#"suppressd_events_total{kind="opt_in",source="unknown",status="dead"}"#, 1.0),
            (r#"suppressd_events_total{kind="opt_out",source="email",status="applied"}"#, 1.0),
            (r#"suppressd_events_total{kind="opt_out",source="unknown",status="applied"}"#, 1.0),
            (r#"suppressd_events_total{kind="unknown",source="unknown",status="dead"}"#, 1.0),
            (r#"suppressd_opt_out_effect_seconds_count{source="call_center"}"#, 1.0),
            (r#"suppressd_opt_out_effect_seconds_sum{source="call_center"}"#, 0.25),
        ],
    );
    assert_eq!(series(&metrics.encode()).len(), before);
}

#[test]
fn gauges_show_what_was_last_said() {
    let metrics = metrics();
    metrics.set_revision(3);
    metrics.set_revision(2);
    metrics.set_mirror_revision(u64::MAX);
    metrics.set_unroutable_jobs(4);
    metrics.set_identifiers(IdentifierKind::Phone, 1_000_000);
    metrics.set_ready(Dependency::Redis, true);
    metrics.set_ready(Dependency::Amqp, true);
    metrics.set_ready(Dependency::Amqp, false);
    metrics.set_queue_messages(Queue::Dead, 2);
    metrics.alarm_raised(Alarm::ListLost, Timestamp::from_second(1_700_000_000).unwrap());
    for lasts in [true, false] {
        metrics.set_alarm_active(Alarm::LedgerLost, lasts);
        metrics.set_warning(Warning::Fold, lasts);
        metrics.set_warning(Warning::Clock, true);
    }
    check(
        &metrics,
        &[
            (r#"suppressd_alarm_raised_at_seconds{alarm="list_lost"}"#, 1_700_000_000.0),
            (r#"suppressd_identifiers{type="phone"}"#, 1_000_000.0),
            (r#"suppressd_queue_messages{queue="dead"}"#, 2.0),
            (r#"suppressd_warning{name="clock"}"#, 1.0),
            ("suppressd_mirror_revision", 9_223_372_036_854_775_807.0),
            (r#"suppressd_ready{dependency="redis"}"#, 1.0),
            ("suppressd_revision", 2.0),
            ("suppressd_unroutable_jobs", 4.0),
        ],
    );
}

#[test]
fn what_runs_is_said_by_the_labels_of_build_info() {
    let line =
        format!(r#"suppressd_build_info{{fold="{FOLD_VERSION}",version="{}"}} 1"#, env!("CARGO_PKG_VERSION"));
    assert!(metrics().encode().lines().any(|shown| shown == line), "{line}");
}

#[test]
fn label_values_that_read_the_same_when_written_together_are_different_series() {
    let registry = Registry::new();
    let make = Maker { registry: &registry, help: "Both." };
    let labels = [("a", vec!["ab", "a"]), ("b", vec!["c", "bc"])];
    let family = make.counters("both_total", labels);
    family.at([0, 0]).inc();
    family.at([1, 1]).inc_by(5);
    let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    assert!(text.contains("both_total{a=\"ab\",b=\"c\"} 1\n"), "{text}");
    assert!(text.contains("both_total{a=\"a\",b=\"bc\"} 5\n"), "{text}");
}

#[test]
fn names_given_twice_or_called_unknown_are_one_series() {
    let metrics = metrics_of(&["KZ-79", "KZ-79"], &["unknown", "email", "email"]);
    metrics.event("unknown", EventKind::Hold, Status::Applied);
    metrics.event("web", EventKind::Hold, Status::Applied);
    check(&metrics, &[(r#"suppressd_events_total{kind="hold",source="unknown",status="applied"}"#, 2.0)]);
}

#[test]
fn open_requests_are_shown_by_their_source_and_with_the_next_that_is_due() {
    let metrics = metrics();
    let next_due = |metrics: &Metrics| series(&metrics.encode())["suppressd_next_due_seconds"];
    assert!(next_due(&metrics).is_infinite(), "nothing is due");
    metrics.set_requests([("email", 2), ("gone", 1), ("gone-too", 1)].into_iter(), 1, Some(-1.5));
    metrics.late_request("email");
    let expected = [
        (r#"suppressd_requests_open{source="email"}"#, 2.0),
        (r#"suppressd_requests_open{source="unknown"}"#, 2.0),
        ("suppressd_requests_overdue", 1.0),
        ("suppressd_next_due_seconds", -1.5),
        (r#"suppressd_late_requests_total{source="email"}"#, 1.0),
    ];
    check(&metrics, &expected);
    metrics.set_requests(std::iter::empty(), 0, None);
    check(&metrics, &expected[4..]);
}
