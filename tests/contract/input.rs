//! What the real codec says to a document. Every region and brand is configured: which ones are is no matter of form.

use std::sync::Arc;

use serde_json::Value;
use suppressd::codec::event::Body;
use suppressd::codec::fault::Fault;
use suppressd::codec::job::{self, JobLimits, Names};

/// Every name is configured.
pub(crate) struct Any;

impl Names for Any {
    fn region(&self, name: &str) -> Option<Arc<str>> {
        Some(name.into())
    }

    fn brand(&self, name: &str) -> Option<Arc<str>> {
        Some(name.into())
    }
}

/// What is read by the codec, by its schema.
pub(crate) type Input = (&'static str, fn(&str) -> Result<(), Fault>);

pub(crate) const JOB: Input = ("job.schema.json", read_job);
pub(crate) const EVENT: Input = ("event.schema.json", read_event);

fn read_job(text: &str) -> Result<(), Fault> {
    job::decode(text.as_bytes(), &JobLimits::default(), &Any).map(drop)
}

fn read_event(text: &str) -> Result<(), Fault> {
    Body::parse(text.as_bytes())?.event().map(drop)
}

/// Whether an event has a member that is malformed, but of no use for its kind. The codec passes it over; the
/// schemas refuse it, so that a program that is generated from them knows what stands there.
pub(crate) fn has_what_its_kind_passes_over(event: &Value) -> bool {
    let settles = event["kind"] == "dismiss" || event["kind"] == "apply";
    let changes = event["kind"] == "identifier_changed";
    let unused = [("subject", settles), ("also", settles), ("new_subject", !changes)];
    unused.iter().any(|(member, is_unused)| *is_unused && !event[*member].is_null())
}

/// Whether somebody in this job or event is named by what is neither text, nor whole number, nor nothing. The codec
/// reads on, because one such recipient must not stop a campaign, and an event like that is looked at by a person;
/// the schemas refuse it, because no publisher can want it.
pub(crate) fn has_an_identifier_of_another_type(value: &Value) -> bool {
    let other = |person: &Value| {
        ["user_id", "email", "phone"].iter().any(|name| match &person[*name] {
            Value::Null | Value::String(_) => false,
            Value::Number(number) => number.is_f64() && number.as_f64().is_some_and(|it| it.fract() != 0.0),
            _ => true,
        })
    };
    let segments = value["segments"].as_array().into_iter().flatten();
    let recipients = segments.flat_map(|segment| segment["recipients"].as_array().into_iter().flatten());
    let also = value["also"].as_array().into_iter().flatten();
    recipients.chain(also).chain([&value["subject"], &value["new_subject"]]).any(other)
}
