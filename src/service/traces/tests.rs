//! What is recorded of a message, what is not, and how its trace goes on.

use async_trait::async_trait;

use super::*;
use crate::service::clock::SystemClock;
use crate::service::ports::{Acker, Input};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

#[derive(Default)]
struct Taken(Mutex<Vec<Vec<Ended>>>);

impl SpanSink for Taken {
    fn take(&self, spans: Vec<Ended>) {
        self.0.lock().unwrap().push(spans);
    }
}

impl Taken {
    /// The spans of the only message so far.
    fn message(&self) -> Vec<Ended> {
        let mut messages = std::mem::take(&mut *self.0.lock().unwrap());
        assert_eq!(messages.len(), 1, "a message's spans leave together");
        messages.remove(0)
    }
}

fn recording(sample_ratio: f64) -> (Arc<Taken>, Traces) {
    let taken = Arc::<Taken>::default();
    (taken.clone(), Traces::new(taken, Arc::new(SystemClock), sample_ratio))
}

struct Unsettled;

#[async_trait]
impl Acker for Unsettled {
    async fn ack(self: Box<Self>) -> bool {
        true
    }
}

fn headers(given: &[(&str, &str)]) -> Properties {
    let headers = given.iter().map(|(name, text)| ((*name).into(), HeaderValue::text(*text)));
    Properties { headers: headers.collect(), ..Properties::default() }
}

fn incoming(given: &[(&str, &str)]) -> Incoming {
    Incoming {
        input: Input::Jobs,
        exchange: String::new(),
        routing_key: "sms.KZ-79".into(),
        properties: headers(given),
        body: b"body".to_vec(),
        redelivered: false,
        delivery_count: 0,
        acker: Box::new(Unsettled),
    }
}

/// What a message that leaves, which said nothing of a trace, says after the hand-over.
fn handed_on(span: &Span, incoming: &Incoming) -> Vec<(String, String)> {
    let mut leaves = headers(&[("x-tenant", "lulla")]);
    span.hand_on(&incoming.properties, &mut leaves);
    told(leaves)
}

fn told(message: Properties) -> Vec<(String, String)> {
    let headers = message.headers.into_iter().filter(|(name, _)| name.starts_with("trace"));
    headers
        .map(|(name, value)| match value {
            HeaderValue::Text(text) => (name, String::from_utf8(text).unwrap()),
            _ => panic!("{name} is not text"),
        })
        .collect()
}

fn own(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn without_export_a_context_goes_on_as_it_came_and_a_wrong_one_is_not_copied() {
    let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
    let long = "a=".to_owned() + &"b".repeat(TRACESTATE_BYTES_MAX);
    for (came, leaves) in [
        (
            own(&[("traceparent", PARENT), ("tracestate", "a=1")]),
            own(&[("traceparent", PARENT), ("tracestate", "a=1")]),
        ),
        (own(&[("traceparent", UNSAMPLED)]), own(&[("traceparent", UNSAMPLED)])),
        (own(&[("traceparent", later)]), own(&[("traceparent", later)])),
        (own(&[("traceparent", PARENT), ("tracestate", &long)]), own(&[("traceparent", PARENT)])),
        (own(&[("traceparent", "wrong"), ("tracestate", "a=1")]), vec![]),
        (own(&[("tracestate", "a=1")]), vec![]),
        (vec![], vec![]),
    ] {
        let pairs: Vec<(&str, &str)> = came.iter().map(|(name, text)| (&**name, &**text)).collect();
        let incoming = incoming(&pairs);
        let span = Traces::off().process(&incoming, "suppressd.jobs");
        assert!(!span.is_recorded());
        assert_eq!(handed_on(&span.publish("suppressd.events"), &incoming), leaves, "{came:?}");
        // An output is the publisher's message still: what it said stays, right or wrong.
        let mut output = incoming.properties.clone();
        span.hand_on(&incoming.properties, &mut output);
        assert!(output == incoming.properties, "{came:?}");
    }
}

#[test]
fn with_export_what_leaves_names_the_span_that_published_it_within_the_publishers_trace() {
    let (taken, traces) = recording(0.0);
    let incoming = incoming(&[("traceparent", PARENT), ("tracestate", "a=1")]);
    let mut process = traces.process(&incoming, "suppressd.jobs");
    process.note("suppressd.channel", "sms");
    let publish = process.publish("suppressd.filtered");
    let mut output = incoming.properties.clone();
    publish.hand_on(&incoming.properties, &mut output);
    let [(_, state), (_, traceparent)] = &told(output)[..] else { panic!("both headers are there, once") };
    assert_eq!(state, "a=1");
    drop(publish);
    drop(process);

    let spans = taken.message();
    let [publish, process] = &spans[..] else { panic!("two spans: {spans:?}") };
    assert_eq!(*traceparent, publish.context.to_string());
    assert_eq!(publish.context.trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!((publish.parent, publish.parent_is_remote), (Some(process.context.span), false));
    assert_eq!(process.parent.unwrap().to_string(), "00f067aa0ba902b7");
    assert!(process.parent_is_remote);
    assert_eq!((&*publish.name, publish.role), ("publish suppressd.filtered", Role::Producer));
    assert_eq!((&*process.name, process.role), ("process suppressd.jobs", Role::Consumer));
    assert!(process.notes.contains(&("suppressd.channel", "sms".into())));
    assert!(process.notes.contains(&("messaging.destination.name", "suppressd.jobs".to_owned().into())));
    assert!(!format!("{spans:?}").contains("KZ-79"), "a routing key is the publisher's own");
}

#[test]
fn a_trace_that_nobody_records_goes_on_as_it_came() {
    let (taken, traces) = recording(1.0);
    let incoming = incoming(&[("traceparent", UNSAMPLED), ("tracestate", "a=1")]);
    let process = traces.process(&incoming, "suppressd.jobs");
    let expected = own(&[("traceparent", UNSAMPLED), ("tracestate", "a=1")]);
    assert_eq!(handed_on(&process.publish("suppressd.events"), &incoming), expected);
    drop(process);
    assert!(taken.0.lock().unwrap().is_empty());
}

#[test]
fn a_message_without_a_right_context_begins_a_trace_which_is_recorded_as_often_as_is_asked() {
    for came in [&[][..], &[("traceparent", "wrong"), ("tracestate", "a=1")]] {
        for (ratio, flags) in [(1.0, "-01"), (0.0, "-00")] {
            let (taken, traces) = recording(ratio);
            let incoming = incoming(came);
            let process = traces.process(&incoming, "suppressd.jobs");
            let mut output = incoming.properties.clone();
            process.publish("suppressd.filtered").hand_on(&incoming.properties, &mut output);
            let told = told(output);
            assert_eq!(told.len(), 1, "a tracestate of no trace means nothing: {told:?}");
            let context = TraceContext::parse(told[0].1.as_bytes()).expect("it is a right one");
            assert!(told[0].1.ends_with(flags), "{told:?}");
            assert_ne!(context.trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
            drop(process);
            assert_eq!(taken.0.lock().unwrap().len(), usize::from(ratio > 0.5));
        }
    }
    let (taken, traces) = recording(0.5);
    (0..400).for_each(|_| drop(traces.process(&incoming(&[]), "suppressd.jobs")));
    let recorded = taken.0.lock().unwrap().len();
    assert!((100..300).contains(&recorded), "half of them: {recorded}");
}

#[test]
fn a_message_that_stays_its_publishers_is_given_a_context_only_if_it_said_nothing_of_one() {
    let (_taken, traces) = recording(1.0);
    for (came, changed) in
        [(&[("traceparent", "wrong")][..], false), (&[("traceparent", PARENT)], false), (&[], true)]
    {
        let incoming = incoming(came);
        let span = traces.process(&incoming, "suppressd.jobs");
        let mut copy = incoming.properties.clone();
        span.publish("suppressd.dead").hand_on_to_a_copy(&incoming.properties, &mut copy);
        assert_eq!(copy != incoming.properties, changed, "{came:?}");
    }
}

#[test]
fn what_is_tried_a_thousand_times_leaves_a_few_spans_and_their_number() {
    let (taken, traces) = recording(1.0);
    let mut process = traces.process(&incoming(&[]), "suppressd.jobs");
    for _ in 0..1000 {
        let mut publish = process.publish("suppressd.filtered");
        publish.fail("unconfirmed");
    }
    process.fail("too_large");
    drop(process);
    let spans = taken.message();
    assert_eq!(spans.len(), PARTS_MAX + 1);
    let process = spans.last().unwrap();
    let left_out = u64::try_from(1000 - PARTS_MAX).unwrap();
    assert!(process.notes.contains(&("suppressd.parts_left_out", left_out.into())));
    assert_eq!(process.failed, Some("too_large"));
    assert!(spans[0].notes.contains(&("error.type", "unconfirmed".into())));
}

#[test]
fn a_message_that_is_not_worth_it_is_not_told_of() {
    let (taken, traces) = recording(1.0);
    let process = traces.process(&incoming(&[]), "suppressd.waiting");
    drop(process.step("barrier"));
    process.forget();
    assert!(taken.0.lock().unwrap().is_empty());
}
