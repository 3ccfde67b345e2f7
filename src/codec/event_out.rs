//! Events that suppressd itself publishes: those that mails become.
//!
//! The same mail gives the same bytes, however often and by whomever it is read: a second copy of an event is
//! a duplicate only as long as it says the same.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::mail::reading::{Narrowed, Subject};
use crate::domain::words::{EventKind, ReviewMode};

/// Further subjects in one event, beyond the first.
pub const ALSO_MAX: usize = 16;

/// Stands for the address of a sender who gave none. It parses as nothing, so the request goes to review.
pub const NO_ADDRESS: &str = "no address";

/// One event.
pub struct EventOut<'a> {
    /// Its name at its source.
    pub event_id: &'a str,
    /// Its source.
    pub source: &'a str,
    /// What it does.
    pub kind: EventKind,
    /// When it was said.
    pub occurred_at: Timestamp,
    /// Whom it is about. Nobody: [`NO_ADDRESS`].
    pub subject: &'a Subject,
    /// Where it holds.
    pub scope: Option<&'a Narrowed>,
    /// Whether a person decides.
    pub review: Option<ReviewMode>,
    /// By which rule the source decided.
    pub rule: &'a str,
}

#[derive(Serialize)]
struct Wire<'a> {
    event_id: &'a str,
    source: &'a str,
    kind: &'a str,
    occurred_at: Timestamp,
    subject: WireSubject<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also: Vec<WireSubject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<WireScope<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<&'a str>,
    rule: &'a str,
}

#[derive(Serialize)]
struct WireSubject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
}

#[derive(Serialize)]
struct WireScope<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    regions: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    channels: &'a [&'static str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    brands: &'a [String],
}

/// Whether an event has room for all of a subject.
pub fn fits(subject: &Subject) -> bool {
    subject.emails.len().max(subject.phones.len()) <= 1 + ALSO_MAX
}

/// Writes an event. What does not [fit](fits) is left out.
pub fn write(event: &EventOut<'_>) -> Vec<u8> {
    let subject = event.subject;
    let nobody = WireSubject { email: Some(NO_ADDRESS), phone: None };
    let count = subject.emails.len().max(subject.phones.len()).min(1 + ALSO_MAX);
    let mut subjects = (0..count).map(|index| WireSubject {
        email: subject.emails.get(index).map(String::as_str),
        phone: subject.phones.get(index).map(String::as_str),
    });
    let wire = Wire {
        event_id: event.event_id,
        source: event.source,
        kind: event.kind.as_str(),
        occurred_at: event.occurred_at,
        subject: subjects.next().unwrap_or(nobody),
        also: subjects.collect(),
        scope: event.scope.and_then(scope),
        review: event.review.map(ReviewMode::as_str),
        rule: event.rule,
    };
    serde_json::to_vec(&wire).expect("its keys are text")
}

/// An empty scope is no scope: it would be an error.
fn scope(narrowed: &Narrowed) -> Option<WireScope<'_>> {
    let Narrowed { channels, brands, regions } = narrowed;
    let any = !(channels.is_empty() && brands.is_empty() && regions.is_empty());
    any.then_some(WireScope { regions, channels, brands })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::event::Body;

    fn subject(emails: &[&str], phones: &[&str]) -> Subject {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Subject { emails: owned(emails), phones: owned(phones) }
    }

    fn written(subject: &Subject, scope: Option<&Narrowed>, review: Option<ReviewMode>) -> serde_json::Value {
        let bytes = write(&EventOut {
            event_id: "e",
            source: "email",
            kind: EventKind::OptOut,
            occurred_at: "2026-11-22T05:15:00Z".parse().unwrap(),
            subject,
            scope,
            review,
            rule: "opt_out.object",
        });
        let body = Body::parse(&bytes).map_err(|fault| fault.to_string()).unwrap();
        assert!(body.event().is_ok(), "a worker takes what a worker publishes");
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn an_event_of_one_person_is_short() {
        let event = written(&subject(&["a@b.kz"], &["87771113111"]), Some(&Narrowed::default()), None);
        let expected = serde_json::json!({
            "event_id": "e", "source": "email", "kind": "opt_out", "occurred_at": "2026-11-22T05:15:00Z",
            "subject": {"email": "a@b.kz", "phone": "87771113111"}, "rule": "opt_out.object"
        });
        assert_eq!(event, expected);
    }

    #[test]
    fn further_addresses_scope_and_review_are_told() {
        let narrowed = Narrowed { channels: vec!["sms"], brands: vec!["lulla.kz".into()], regions: vec![] };
        let event = written(&subject(&["a@b.kz", "c@d.kz"], &[]), Some(&narrowed), Some(ReviewMode::Hold));
        assert_eq!(event["also"], serde_json::json!([{"email": "c@d.kz"}]));
        assert_eq!(event["scope"], serde_json::json!({"channels": ["sms"], "brands": ["lulla.kz"]}));
        assert_eq!(event["review"], "hold");
    }

    #[test]
    fn an_event_of_nobody_says_so_and_one_of_too_many_is_cut() {
        let event = written(&subject(&[], &[]), None, Some(ReviewMode::Ask));
        assert_eq!(event["subject"], serde_json::json!({"email": NO_ADDRESS}));
        let many: Vec<String> = (0..40).map(|number| format!("u{number}@b.kz")).collect();
        let many = Subject { emails: many, phones: vec![] };
        assert!(!fits(&many) && fits(&subject(&["a@b.kz"; 17], &[])));
        assert_eq!(written(&many, None, None)["also"].as_array().unwrap().len(), ALSO_MAX);
    }
}
