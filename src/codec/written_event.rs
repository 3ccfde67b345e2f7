//! An event as this program writes it: the form that [`super::event`] reads.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::words::{EventKind, IdentifierKind, RequestedBy, ReviewMode};

/// An event to be sent. Not `Debug`: it names a person.
pub struct WrittenEvent<'a> {
    /// Its name at its source.
    pub event_id: &'a str,
    /// Who sends it.
    pub source: &'a str,
    /// What it does.
    pub kind: EventKind,
    /// When the person said it.
    pub occurred_at: Timestamp,
    /// Whom it is about, as they were given. Several of one kind go to `also`.
    pub about: Vec<(IdentifierKind, &'a str)>,
    /// Where it holds: regions, channels and brands; none means all.
    pub scope: [Vec<&'a str>; 3],
    /// The request it belongs to.
    pub request_id: Option<&'a str>,
    /// On whose behalf.
    pub requested_by: Option<RequestedBy>,
    /// The operator.
    pub agent: Option<&'a str>,
    /// Whether a person decides.
    pub review: Option<ReviewMode>,
    /// By which rule the source decided.
    pub rule: Option<&'a str>,
}

#[derive(Serialize)]
struct Wire<'a> {
    event_id: &'a str,
    source: &'a str,
    kind: &'static str,
    occurred_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Subject<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also: Vec<Subject<'a>>,
    #[serde(skip_serializing_if = "Scope::is_all")]
    scope: Scope<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
}

#[derive(Default, Serialize)]
struct Subject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
}

#[derive(Serialize)]
struct Scope<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    regions: &'a [&'a str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    channels: &'a [&'a str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    brands: &'a [&'a str],
}

impl Scope<'_> {
    fn is_all(&self) -> bool {
        self.regions.is_empty() && self.channels.is_empty() && self.brands.is_empty()
    }
}

/// Writes an event.
pub fn write(event: &WrittenEvent<'_>) -> Vec<u8> {
    let mut subjects = subjects(&event.about).into_iter();
    let [regions, channels, brands] = &event.scope;
    let wire = Wire {
        event_id: event.event_id,
        source: event.source,
        kind: event.kind.as_str(),
        occurred_at: event.occurred_at,
        subject: subjects.next(),
        also: subjects.collect(),
        scope: Scope { regions, channels, brands },
        request_id: event.request_id,
        requested_by: event.requested_by.map(RequestedBy::as_str),
        agent: event.agent,
        review: event.review.map(ReviewMode::as_str),
        rule: event.rule,
    };
    serde_json::to_vec(&wire).expect("an event has only text keys")
}

/// The first of each kind in one, the second of each kind in the next, and so on.
fn subjects<'a>(about: &[(IdentifierKind, &'a str)]) -> Vec<Subject<'a>> {
    let mut subjects: Vec<Subject<'a>> = Vec::new();
    for (kind, text) in about {
        let place = |subject: &mut Subject<'a>| -> Option<()> {
            let place = match kind {
                IdentifierKind::UserId => &mut subject.user_id,
                IdentifierKind::Email => &mut subject.email,
                IdentifierKind::Phone => &mut subject.phone,
            };
            place.is_none().then(|| *place = Some(text))
        };
        if subjects.iter_mut().find_map(place).is_none() {
            let mut subject = Subject::default();
            place(&mut subject);
            subjects.push(subject);
        }
    }
    subjects
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::event::Body;
    use crate::domain::filter::Given;

    fn event<'a>(about: Vec<(IdentifierKind, &'a str)>, scope: [Vec<&'a str>; 3]) -> WrittenEvent<'a> {
        WrittenEvent {
            event_id: "e-1",
            source: "operator",
            kind: EventKind::OptOut,
            occurred_at: "2026-11-22T05:15:00Z".parse().unwrap(),
            about,
            scope,
            request_id: Some("CRM-88"),
            requested_by: Some(RequestedBy::Authority),
            agent: Some("op-17"),
            review: Some(ReviewMode::Hold),
            rule: Some("opt_out.object"),
        }
    }

    #[test]
    fn what_is_written_is_read_as_the_same_event() {
        let about = vec![(IdentifierKind::Email, "a@b.kz"), (IdentifierKind::Phone, "+7 \"777\"")];
        let bytes = write(&event(about, [vec!["KZ-79"], vec![], vec!["lulla.kz", "bilal.kz"]]));
        let body = Body::parse(&bytes).map_err(|fault| fault.to_string()).unwrap();
        let read = body.event().map_err(|fault| fault.to_string()).unwrap();
        assert_eq!((read.event_id, read.source, read.kind), ("e-1", "operator", EventKind::OptOut));
        assert_eq!(read.occurred_at.to_string(), "2026-11-22T05:15:00Z");
        assert!(*read.subject.get(IdentifierKind::Email) == Given::Text("a@b.kz".into()));
        assert!(*read.subject.get(IdentifierKind::Phone) == Given::Text("+7 \"777\"".into()));
        assert!(*read.subject.get(IdentifierKind::UserId) == Given::Absent);
        assert_eq!(read.scope.regions, Some(vec!["KZ-79"]));
        assert_eq!((read.scope.channels, read.scope.brands), (None, Some(vec!["lulla.kz", "bilal.kz"])));
        assert_eq!((read.request_id, read.agent), (Some("CRM-88"), Some("op-17")));
        assert_eq!(read.requested_by, RequestedBy::Authority);
        assert_eq!((read.review, read.rule), (Some(ReviewMode::Hold), Some("opt_out.object")));
    }

    #[test]
    fn several_identifiers_of_one_kind_are_the_same_persons() {
        let about = vec![
            (IdentifierKind::UserId, "U-1"),
            (IdentifierKind::Phone, "1"),
            (IdentifierKind::Phone, "2"),
            (IdentifierKind::Phone, "3"),
        ];
        let json: serde_json::Value =
            serde_json::from_slice(&write(&event(about, [vec![], vec![], vec![]]))).unwrap();
        assert_eq!(json["subject"], serde_json::json!({"user_id": "U-1", "phone": "1"}));
        assert_eq!(json["also"], serde_json::json!([{"phone": "2"}, {"phone": "3"}]));
        assert_eq!(json.get("scope"), None);
        let nobody = write(&event(vec![], [vec![], vec![], vec![]]));
        assert!(!String::from_utf8(nobody).unwrap().contains("subject"));
    }
}
