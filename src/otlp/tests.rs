//! What a collector is sent, and what becomes of spans when there is none.

use std::sync::Arc;

use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::post::{Endpoint, NotTaken};
use super::queue::MESSAGES_MAX;
use super::*;
use crate::domain::catalogue::Catalogue;
use crate::metrics::Metrics;
use crate::service::traces::{Ended, Role, SpanId, SpanSink, TraceContext};

fn collector(port: u16) -> Collector {
    Collector {
        secured: false,
        host: "127.0.0.1".into(),
        port,
        path: "/base".into(),
        tls: TlsFiles::default(),
        service_name: "suppressd-test".into(),
        instance: "i-1".into(),
    }
}

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new(&Catalogue::new(vec![], vec![]), [""; 0]))
}

#[track_caller]
fn check(metrics: &Metrics, expected: [(&str, usize); 3]) {
    let text = metrics.encode();
    for (outcome, count) in expected {
        let line = format!("suppressd_spans_total{{outcome=\"{outcome}\"}} {count}\n");
        assert!(text.contains(&line), "{line}{text}");
    }
}

fn ended() -> Ended {
    let context = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    Ended {
        context: TraceContext::parse(context).unwrap(),
        parent: Some(SpanId([7; 8])),
        parent_is_remote: true,
        name: "process suppressd.jobs".into(),
        role: Role::Consumer,
        began_at: Timestamp::from_second(1_800_000_000).unwrap(),
        took: std::time::Duration::from_millis(5),
        notes: vec![
            ("word", "sms".into()),
            ("words", vec!["KZ-75".into(), "KZ-79".into()].into()),
            ("count", 3_u64.into()),
            ("flag", true.into()),
        ],
        failed: Some("bad_schema"),
    }
}

fn attributes(given: &[KeyValue]) -> Vec<(&str, Value)> {
    let value = |pair: &KeyValue| pair.value.as_ref().and_then(|any| any.value.clone()).unwrap();
    given.iter().map(|pair| (&*pair.key, value(pair))).collect()
}

#[test]
fn a_span_goes_over_the_wire_with_all_that_is_known_of_it() {
    let bytes = wire::request(&wire::resource(&collector(1)), vec![ended()]);
    let request = ExportTraceServiceRequest::decode(&bytes[..]).unwrap();
    let resource = request.resource_spans[0].resource.as_ref().unwrap();
    let named = attributes(&resource.attributes);
    assert!(named.contains(&("service.name", Value::StringValue("suppressd-test".into()))), "{named:?}");
    let span: &Span = &request.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!(span.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes());
    assert_eq!(
        (&span.span_id[..], &span.parent_span_id[..]),
        (&[0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7][..], &[7; 8][..])
    );
    assert_eq!((span.flags, span.kind, &*span.name), (0x301, 5, "process suppressd.jobs"));
    assert_eq!(span.end_time_unix_nano - span.start_time_unix_nano, 5_000_000);
    assert_eq!(span.start_time_unix_nano, 1_800_000_000_000_000_000);
    let status = span.status.as_ref().unwrap();
    assert_eq!((status.code, &*status.message), (2, "bad_schema"));
    let noted = attributes(&span.attributes);
    assert_eq!(noted[0], ("word", Value::StringValue("sms".into())));
    assert!(matches!(&noted[1], ("words", Value::ArrayValue(words)) if words.values.len() == 2));
    assert_eq!(noted[2..], [("count", Value::IntValue(3)), ("flag", Value::BoolValue(true))]);
}

#[test]
fn what_the_queue_has_no_room_for_is_dropped_at_once_and_counted() {
    let metrics = metrics();
    let (queue, _exporter) = queue(&collector(1), metrics.clone()).unwrap();
    for _ in 0..MESSAGES_MAX + 3 {
        queue.take(vec![ended(), ended()]);
    }
    check(&metrics, [("exported", 0), ("no_room", 6), ("not_taken", 0)]);
}

/// Exports two spans to a collector that answers every request like this; how often it was asked.
async fn exported(answers: &[&[u8]]) -> (Arc<Metrics>, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let metrics = metrics();
    let collector = collector(listener.local_addr().unwrap().port());
    let (queue, exporter) = queue(&collector, metrics.clone()).unwrap();
    queue.take(vec![ended(), ended()]);
    drop(queue);
    let exports = TaskTracker::new();
    exports.spawn(exporter.run(CancellationToken::new()));
    exports.close();
    let mut asked = 0;
    let serve = async {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            asked += 1;
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            let head = String::from_utf8_lossy(&request[..read]).into_owned();
            assert!(head.starts_with("POST /base/v1/traces HTTP/1.1\r\n"), "{head}");
            assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
            stream.write_all(answer).await.unwrap();
        }
    };
    tokio::join!(serve, exports.wait());
    (metrics, asked)
}

fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_collector_that_says_yes_has_them() {
    let (metrics, asked) = exported(&[&answer("200 OK", b"")]).await;
    check(&metrics, [("exported", 2), ("no_room", 0), ("not_taken", 0)]);
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn a_collector_that_takes_only_some_says_how_many_it_does_not() {
    let partial = ExportTracePartialSuccess { rejected_spans: 1, error_message: "no".into() };
    let body = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    let (metrics, _) = exported(&[&answer("200 OK", &body)]).await;
    check(&metrics, [("exported", 1), ("no_room", 0), ("not_taken", 1)]);
}

#[tokio::test]
async fn a_collector_that_is_busy_is_asked_again() {
    let (metrics, asked) = exported(&[&answer("503 Service Unavailable", b""), &answer("200 OK", b"")]).await;
    check(&metrics, [("exported", 2), ("no_room", 0), ("not_taken", 0)]);
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn what_refuses_spans_for_good_is_not_asked_again() {
    let (metrics, asked) = exported(&[&answer("400 Bad Request", b"u1@example.kz")]).await;
    check(&metrics, [("exported", 0), ("no_room", 0), ("not_taken", 2)]);
    assert_eq!(asked, 1);
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_never_answers_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::new(&collector(listener.local_addr().unwrap().port())).unwrap();
    let posted = endpoint.post(hyper::body::Bytes::new()).await;
    assert!(matches!(posted, Err(NotTaken::Silent)), "{posted:?}");
}

#[tokio::test]
async fn words_about_a_collector_are_ours() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let endpoint = Endpoint::new(&collector(port)).unwrap();
    let refused = endpoint.post(hyper::body::Bytes::new()).await.unwrap_err();
    assert!(refused.to_string().starts_with("cannot be reached: "), "{refused}");
    assert!(refused.passes());
}
