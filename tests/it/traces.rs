//! Traces: a publisher's goes on to all that comes of its message, and a collector learns what happened in between,
//! but nothing of anybody.

mod collector;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};

use self::collector::{Collector, Manners, hex};
use crate::scene::{CANARIES, Scene, event, job};
use crate::support::certificates::certificate;
use crate::support::{Message, SOON, Sent, eventually};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
const STATE: &str = "vendor=opaque";

/// What publishers make up, beside what they say about people.
const MADE_UP: &[&str] =
    &["j-canary", "nauryz-2027", "e-canary", "m-canary", "route-canary", "vendor=opaque"];

/// Settings with this collector.
fn exporting(collector: &Collector) -> String {
    format!("[tracing]\notlp_endpoint = \"http://127.0.0.1:{}\"\n", collector.port())
}

/// Properties with these headers.
fn with(headers: &[(&str, &str)]) -> BasicProperties {
    let mut table = FieldTable::default();
    for (name, text) in headers {
        table.insert((*name).into(), AMQPValue::LongString((*text).into()));
    }
    BasicProperties::default().with_headers(table).with_message_id("m-canary".into())
}

fn traced() -> BasicProperties {
    with(&[("traceparent", PARENT), ("tracestate", STATE)])
}

fn recipients() -> Value {
    json!([{"user_id": "U-canary", "phone": "87771113111", "name": "Айгерім"}, {"phone": "87011112233"}])
}

/// Sends a job; what comes of it.
async fn send_job(scene: &mut Scene, properties: BasicProperties) -> (Message, Message) {
    let body = job("j-canary", "sms", recipients()).to_string();
    let key = "route-canary";
    let sent = scene.marketing.publish_with("suppressd.jobs", key, properties, body.as_bytes()).await;
    assert_eq!(sent, Sent::Confirmed);
    (scene.out.next().await, scene.reports.next().await)
}

/// Sends an opt-out; its receipt, and the one to whoever asked.
async fn send_event(scene: &mut Scene, id: &str, properties: BasicProperties) -> (Message, Message) {
    let mut replies = scene.callcenter.inbox("callcenter.replies", &[]).await;
    let subject = json!({"user_id": "U-canary", "phone": "8 (777) 111-31-11", "email": "aigerim@x.kz"});
    let body = event(id, "opt_out", subject).to_string();
    let by = properties.with_user_id("callcenter".into()).with_reply_to(replies.queue().into());
    scene.callcenter.publish_with("suppressd.opt-outs", "call_center", by, body.as_bytes()).await;
    (scene.receipts.next().await, replies.next().await)
}

fn parent_of(message: &Message) -> Option<String> {
    message.header("traceparent")
}

/// The parts of a `traceparent` that was made here: trace and span.
fn place(message: &Message) -> (String, String) {
    let text = parent_of(message).expect("there is a traceparent");
    let [version, trace, span, flags] = text.split('-').collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert_eq!((version, flags), ("00", "01"), "{text}");
    (trace.to_owned(), span.to_owned())
}

/// The span of this trace that a message names, and the span which that is a part of.
fn published<'a>(spans: &'a [Span], message: &Message) -> (&'a Span, &'a Span) {
    let (trace, span) = place(message);
    let find = |id: &str| {
        let found = spans.iter().find(|span| hex(&span.trace_id) == trace && hex(&span.span_id) == id);
        found.unwrap_or_else(|| panic!("no span {id} among {spans:#?}"))
    };
    let publish = find(&span);
    (publish, find(&hex(&publish.parent_span_id)))
}

#[tokio::test(flavor = "multi_thread")]
async fn without_export_a_trace_goes_on_as_it_came() {
    let mut scene = Scene::new().await;
    for traceparent in [PARENT, UNSAMPLED] {
        let (out, report) =
            send_job(&mut scene, with(&[("traceparent", traceparent), ("tracestate", STATE)])).await;
        for message in [out, report] {
            assert_eq!(parent_of(&message).as_deref(), Some(traceparent), "{}", message.routing_key);
            assert_eq!(message.header("tracestate").as_deref(), Some(STATE), "{}", message.routing_key);
        }
    }
    let (out, report) = send_job(&mut scene, with(&[("traceparent", "wrong")])).await;
    assert_eq!(parent_of(&out).as_deref(), Some("wrong"), "a header of the sender's own");
    assert_eq!(parent_of(&report), None);
    let (receipt, reply) = send_event(&mut scene, "e-canary", traced()).await;
    for message in [receipt, reply] {
        assert_eq!(parent_of(&message).as_deref(), Some(PARENT), "{}", message.routing_key);
        assert_eq!(message.header("tracestate").as_deref(), Some(STATE), "{}", message.routing_key);
    }
    let (receipt, reply) = send_event(&mut scene, "e-canary-2", with(&[])).await;
    assert!(parent_of(&receipt).is_none() && parent_of(&reply).is_none());
    scene.marketing.publish_with("suppressd.jobs", "x", traced(), b"no job").await;
    assert_eq!(parent_of(&scene.dead.next().await).as_deref(), Some(PARENT));
    assert!(scene.metric("suppressd_spans_total", &[]).abs() < 0.1);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_learns_what_happened_to_a_job_and_to_an_event_and_nothing_of_anybody() {
    let collector = Collector::start(Manners::Takes);
    let mut scene = Scene::with(&exporting(&collector)).await;
    let (receipt, reply) = send_event(&mut scene, "e-canary", traced()).await;
    let (out, report) = send_job(&mut scene, traced()).await;
    scene.marketing.publish_with("suppressd.jobs", "route-canary", traced(), b"no job of Aigerim").await;
    let dead = scene.dead.next().await;
    assert_eq!(parent_of(&dead).as_deref(), Some(PARENT), "a dead letter stays what it was");
    assert_eq!(dead.header("x-suppressd-reason").as_deref(), Some("bad_json"));

    let spans = collector
        .spans_once(|spans| spans.iter().filter(|span| span.name.starts_with("process ")).count() == 3);
    let spans = spans.await;
    assert!(spans.iter().all(|span| hex(&span.trace_id) == TRACE), "{spans:#?}");
    for (message, exchange, queue) in [
        (&out, "suppressd.filtered", "suppressd.jobs"),
        (&report, "suppressd.events", "suppressd.jobs"),
        (&receipt, "suppressd.events", "suppressd.opt-outs"),
        (&reply, "amq.default", "suppressd.opt-outs"),
    ] {
        assert_eq!(message.header("tracestate").as_deref(), Some(STATE), "{exchange}");
        let (publish, process) = published(&spans, message);
        assert_eq!((&*publish.name, publish.kind), (&*format!("publish {exchange}"), 4));
        assert_eq!((&*process.name, process.kind), (&*format!("process {queue}"), 5));
        assert_eq!(hex(&process.parent_span_id), "00f067aa0ba902b7", "the publisher's span");
    }
    let names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
    for name in [
        "read",
        "barrier",
        "filter",
        "write",
        "append to ledger",
        "wait until in force",
        "publish suppressd.dead",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let (_, process) = published(&spans, &out);
    let noted = collector::notes(process);
    for (name, value) in [
        ("messaging.system", "rabbitmq"),
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", "suppressd.jobs"),
        ("suppressd.channel", "sms"),
        ("suppressd.regions", "KZ-79"),
        ("suppressd.recipients.received", "2"),
        ("suppressd.recipients.kept", "1"),
        ("suppressd.recipients.removed", "1"),
        ("suppressd.revision", "1"),
        ("suppressd.outcome", "filtered"),
    ] {
        assert_eq!(noted.get(name).map(String::as_str), Some(value), "{name}: {noted:?}");
    }
    let failed = spans.iter().find(|span| span.status.as_ref().is_some_and(|status| status.code == 2));
    assert_eq!(failed.unwrap().status.as_ref().unwrap().message, "bad_json");

    scene
        .expect_metric(
            "suppressd_spans_total",
            &[("outcome", "exported")],
            u32::try_from(spans.len()).unwrap(),
        )
        .await;
    let log = scene.worker.output();
    let line = log.lines().find(|line| line.contains("a message went to the dead queue")).unwrap();
    assert!(line.contains(&format!("\"trace_id\":\"{TRACE}\"")), "{line}");
    let sent = collector.bytes();
    for canary in CANARIES.iter().chain(MADE_UP) {
        let found = sent.windows(canary.len()).any(|window| window == canary.as_bytes());
        assert!(!found, "the collector is told {canary:?}");
    }
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_nobody_records_is_not_exported_and_one_without_a_beginning_begins_here() {
    let collector = Collector::start(Manners::Takes);
    let mut scene = Scene::with(&exporting(&collector)).await;
    let (out, report) = send_job(&mut scene, with(&[("traceparent", UNSAMPLED)])).await;
    assert!([&out, &report].iter().all(|message| parent_of(message).as_deref() == Some(UNSAMPLED)));
    let (receipt, _) = send_event(&mut scene, "e-canary", with(&[("traceparent", UNSAMPLED)])).await;
    assert_eq!(parent_of(&receipt).as_deref(), Some(UNSAMPLED));

    let (out, report) = send_job(&mut scene, with(&[("traceparent", "wrong"), ("tracestate", STATE)])).await;
    assert_eq!(place(&out).0, place(&report).0, "one trace");
    assert_eq!(out.header("tracestate"), None, "it belonged to no trace");
    // The last spans leave when the worker stops, if not before.
    scene.end().await;
    let spans = collector.spans_once(|spans| !spans.is_empty()).await;
    assert!(spans.iter().all(|span| hex(&span.trace_id) == place(&out).0), "{spans:#?}");
    assert_eq!(published(&spans, &out).1.parent_span_id, [0; 0], "nobody else began it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_down_or_never_answers_holds_nothing_up() {
    for manners in [Manners::Down, Manners::Silent] {
        let collector = Collector::start(manners);
        let mut scene = Scene::with(&exporting(&collector)).await;
        let begun = std::time::Instant::now();
        for _ in 0..20 {
            let (out, _) = send_job(&mut scene, traced()).await;
            assert_eq!(place(&out).0, TRACE);
        }
        let (receipt, _) = send_event(&mut scene, "e-canary", traced()).await;
        assert_eq!(place(&receipt).0, TRACE);
        assert!(begun.elapsed() < SOON, "{manners:?}: messages are as fast as ever");
        eventually("spans are counted as dropped", SOON * 2, async || {
            (scene.metric("suppressd_spans_total", &[("outcome", "not_taken")]) > 0.5).then_some(())
        })
        .await;
        let complaints = scene.worker.output().matches("the collector does not take spans").count();
        assert_eq!(complaints, 1, "{manners:?}: it is said once");
        scene.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_over_tls_is_told_only_if_its_authority_is_ours() {
    let collector = Collector::start(Manners::Secured("server"));
    let settings = |authority: &str| {
        let (port, authority) = (collector.port(), certificate(authority));
        format!("[tracing]\notlp_endpoint = \"https://localhost:{port}/\"\nca_file = \"{authority}\"\n")
    };
    let mut scene = Scene::with(&settings("stranger")).await;
    send_event(&mut scene, "e-canary", traced()).await;
    scene.expect_metric("suppressd_spans_total", &[("outcome", "not_taken")], 5).await;
    assert!(collector.bytes().is_empty());
    let log = scene.worker.output();
    assert!(log.contains("no authority in tracing.ca_file has signed"), "{log}");
    scene.end().await;

    let mut scene = Scene::with(&settings("ca")).await;
    let (receipt, _) = send_event(&mut scene, "e-canary", traced()).await;
    let spans = collector.spans_once(|spans| !spans.is_empty()).await;
    published(&spans, &receipt);
    scene.end().await;
}
