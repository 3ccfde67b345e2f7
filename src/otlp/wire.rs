//! Spans in OTLP's own types.
//!
//! Every word that goes out stands in a [`Note`] or in the settings. `tracestate` is not repeated to the collector:
//! it is other people's, and nobody has read it.

use std::time::Duration;

use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

use super::Collector;
use crate::service::traces::{Ended, Note, Role};

/// The bits of a span's flags that say whether its parent is another service's.
const PARENT_IS_KNOWN: u32 = 0x100;
const PARENT_IS_REMOTE: u32 = 0x200;

/// Who made the spans.
pub(super) fn resource(collector: &Collector) -> Resource {
    let text = |name: &str, text: &str| attribute(name, Value::StringValue(text.into()));
    Resource {
        attributes: vec![
            text("service.name", &collector.service_name),
            text("service.version", env!("CARGO_PKG_VERSION")),
            text("service.instance.id", &collector.instance),
        ],
        ..Resource::default()
    }
}

/// A request with these spans.
pub(super) fn request(resource: &Resource, spans: Vec<Ended>) -> Vec<u8> {
    let scope = InstrumentationScope {
        name: env!("CARGO_PKG_NAME").into(),
        version: env!("CARGO_PKG_VERSION").into(),
        ..InstrumentationScope::default()
    };
    let spans = spans.into_iter().map(span).collect();
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
    let resource = Some(resource.clone());
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// How many spans a collector that said yes did not take all the same.
pub(super) fn rejected(answer: &[u8]) -> usize {
    let partial = ExportTraceServiceResponse::decode(answer).ok().and_then(|answer| answer.partial_success);
    partial.and_then(|partial| usize::try_from(partial.rejected_spans).ok()).unwrap_or(0)
}

fn span(ended: Ended) -> Span {
    let (began, ended_at) = (nanoseconds(ended.began_at), ended.took);
    let remote = if ended.parent_is_remote { PARENT_IS_REMOTE } else { 0 };
    Span {
        trace_id: ended.context.trace.0.into(),
        span_id: ended.context.span.0.into(),
        parent_span_id: ended.parent.map(|parent| parent.0.into()).unwrap_or_default(),
        flags: u32::from(ended.context.flags()) | PARENT_IS_KNOWN | remote,
        name: ended.name.into_owned(),
        kind: match ended.role {
            Role::Consumer => SpanKind::Consumer,
            Role::Producer => SpanKind::Producer,
            Role::Internal => SpanKind::Internal,
        }
        .into(),
        start_time_unix_nano: began,
        end_time_unix_nano: began.saturating_add(of(ended_at)),
        attributes: ended.notes.into_iter().map(|(name, note)| attribute(name, value(note))).collect(),
        status: ended.failed.map(|reason| Status { message: reason.into(), code: StatusCode::Error.into() }),
        ..Span::default()
    }
}

fn attribute(name: &str, value: Value) -> KeyValue {
    KeyValue { key: name.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn value(note: Note) -> Value {
    let text = |text: &str| AnyValue { value: Some(Value::StringValue(text.into())) };
    match note {
        Note::Word(word) => Value::StringValue(word.into_owned()),
        Note::Words(words) => {
            Value::ArrayValue(ArrayValue { values: words.iter().map(|word| text(word)).collect() })
        }
        Note::Count(count) => Value::IntValue(i64::try_from(count).unwrap_or(i64::MAX)),
        Note::Flag(flag) => Value::BoolValue(flag),
    }
}

fn nanoseconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_nanosecond()).unwrap_or(0)
}

fn of(took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}
