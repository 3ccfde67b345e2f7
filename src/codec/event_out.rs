//! Events that suppressd itself publishes: those that mails become.
//!
//! The same mail gives the same bytes, however often and by whomever it is read: a second copy of an event is
//! a duplicate only as long as it says the same.

use jiff::Timestamp;

use super::written_event::{self, WrittenEvent};
use crate::domain::mail::reading::{Narrowed, Subject};
use crate::domain::words::{EventKind, IdentifierKind, ReviewMode};

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

/// Whether an event has room for all of a subject.
pub fn fits(subject: &Subject) -> bool {
    subject.emails.len().max(subject.phones.len()) <= 1 + ALSO_MAX
}

/// Writes an event. What does not [fit](fits) is left out.
pub fn write(event: &EventOut<'_>) -> Vec<u8> {
    let emails = event.subject.emails.iter().take(1 + ALSO_MAX);
    let phones = event.subject.phones.iter().take(1 + ALSO_MAX);
    let mut about: Vec<_> = emails.map(|email| (IdentifierKind::Email, email.as_str())).collect();
    about.extend(phones.map(|phone| (IdentifierKind::Phone, phone.as_str())));
    if about.is_empty() {
        about.push((IdentifierKind::Email, NO_ADDRESS));
    }
    written_event::write(&WrittenEvent {
        event_id: event.event_id,
        source: event.source,
        kind: event.kind,
        occurred_at: event.occurred_at,
        about,
        scope: event.scope.map(scope).unwrap_or_default(),
        request_id: None,
        requested_by: None,
        agent: None,
        review: event.review,
        rule: Some(event.rule),
    })
}

/// Regions, channels and brands.
fn scope(narrowed: &Narrowed) -> [Vec<&str>; 3] {
    let Narrowed { channels, brands, regions } = narrowed;
    let regions = regions.iter().map(String::as_str).collect();
    [regions, channels.clone(), brands.iter().map(String::as_str).collect()]
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
