//! `review.opened`: a person must decide about an event. It names the request and no person.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::calendar::Deadline;
use crate::domain::words::EventKind;

/// What is told of a request that is in review now.
#[derive(Debug, Clone)]
pub struct Opened<'a> {
    /// The request.
    pub request_id: &'a str,
    /// The event.
    pub event_id: &'a str,
    /// Its source.
    pub source: &'a str,
    /// What it would do.
    pub kind: EventKind,
    /// By which rule its source decided.
    pub rule: Option<&'a str>,
    /// When a worker took it.
    pub received_at: Timestamp,
    /// By when the request must be settled.
    pub deadline: Option<&'a Deadline>,
    /// Whether somebody is held until then.
    pub hold: bool,
}

#[derive(Serialize)]
struct Wire<'a> {
    request_id: &'a str,
    event_id: &'a str,
    source: &'a str,
    kind: &'a str,
    rule: Option<&'a str>,
    received_at: Timestamp,
    due_at: Option<Timestamp>,
    due_strict_at: Option<Timestamp>,
    calendar: Option<&'a str>,
    hold: bool,
}

/// Writes it.
pub fn write(opened: &Opened<'_>) -> Vec<u8> {
    let deadline = opened.deadline;
    let wire = Wire {
        request_id: opened.request_id,
        event_id: opened.event_id,
        source: opened.source,
        kind: opened.kind.as_str(),
        rule: opened.rule,
        received_at: opened.received_at,
        due_at: deadline.map(|deadline| deadline.due_at),
        due_strict_at: deadline.map(|deadline| deadline.due_strict_at),
        calendar: deadline.and_then(|deadline| deadline.calendar.as_deref()),
        hold: opened.hold,
    };
    serde_json::to_vec(&wire).expect("it has only text keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_has_these_members_in_this_order() {
        let deadline = Deadline {
            due_at: "2026-11-23T05:15:00Z".parse().unwrap(),
            due_strict_at: "2026-11-22T05:15:00Z".parse().unwrap(),
            calendar: None,
        };
        let opened = Opened {
            request_id: "email:1",
            event_id: "1",
            source: "email",
            kind: EventKind::OptOut,
            rule: Some("unsure.object"),
            received_at: "2026-11-20T05:15:00Z".parse().unwrap(),
            deadline: Some(&deadline),
            hold: true,
        };
        assert_eq!(
            String::from_utf8(write(&opened)).unwrap(),
            concat!(
                r#"{"request_id":"email:1","event_id":"1","source":"email","kind":"opt_out","#,
                r#""rule":"unsure.object","received_at":"2026-11-20T05:15:00Z","due_at":"2026-11-23T05:15:00Z","#,
                r#""due_strict_at":"2026-11-22T05:15:00Z","calendar":null,"hold":true}"#
            )
        );
    }
}
