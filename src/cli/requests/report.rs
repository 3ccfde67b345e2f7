//! The requests in review, for people and for machines.

use jiff::Timestamp;
use serde::Serialize;

use super::super::table::{plain, table};
use super::super::wire::WireScope;
use crate::daemon::Listing;
use crate::domain::request::{Ask, InReview};
use crate::domain::words::IdentifierKind;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// What is listed.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The instant that `overdue` and `left_s` are counted from.
    now: Timestamp,
    requests: Vec<Row>,
    /// There are more than are listed.
    more: bool,
}

/// One request.
#[derive(Debug, Serialize)]
struct Row {
    request_id: String,
    source: String,
    status: &'static str,
    received_at: Timestamp,
    starts_at: Timestamp,
    due_at: Timestamp,
    due_strict_at: Timestamp,
    /// Past `due_strict_at`.
    overdue: bool,
    /// Seconds until `due_strict_at`; negative beyond it.
    left_s: i64,
    calendar: Option<String>,
    asks: Vec<Asked>,
}

/// What one event of it asks.
#[derive(Debug, Serialize)]
struct Asked {
    kind: &'static str,
    rule: Option<String>,
    occurred_at: Timestamp,
    scope: WireScope,
    /// Whether its identifiers are held until somebody decides.
    hold: bool,
    /// What it names somebody by.
    names: Vec<&'static str>,
}

impl Report {
    pub(super) fn new(found: &Listing, now: Timestamp) -> Self {
        let requests = found.requests.iter().map(|request| Row::of(request, now)).collect();
        Self { now, requests, more: found.more }
    }

    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("names and numbers are JSON") + "\n"
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        if self.requests.is_empty() {
            return "no request\n".to_owned();
        }
        let heading = [
            "request",
            "source",
            "status",
            "asks",
            "rule",
            "names",
            "received",
            "due",
            "due strictly",
            "left",
            "calendar",
        ];
        let rows: Vec<_> = self.requests.iter().map(Row::cells).collect();
        let more = if self.more { "there are more\n" } else { "" };
        table(heading, &rows) + more
    }
}

impl Row {
    fn of(request: &InReview, now: Timestamp) -> Self {
        let deadline = &request.deadline;
        let left_s = deadline.due_strict_at.as_second() - now.as_second();
        Self {
            request_id: request.request.clone(),
            source: request.source.clone(),
            status: "review",
            received_at: request.received_at,
            starts_at: request.starts_at,
            due_at: deadline.due_at,
            due_strict_at: deadline.due_strict_at,
            overdue: deadline.due_strict_at < now,
            left_s,
            calendar: deadline.calendar.as_ref().map(ToString::to_string),
            asks: request.asks.iter().map(Asked::of).collect(),
        }
    }

    fn cells(&self) -> [String; 11] {
        let each = |tell: &dyn Fn(&Asked) -> String| {
            let mut told: Vec<String> = self.asks.iter().map(tell).collect();
            told.dedup();
            told.join("; ")
        };
        [
            plain(&self.request_id),
            plain(&self.source),
            self.status.to_owned(),
            each(&|ask| if ask.hold { format!("{} (held)", ask.kind) } else { ask.kind.to_owned() }),
            each(&|ask| plain(ask.rule.as_deref().unwrap_or("-"))),
            each(&|ask| if ask.names.is_empty() { "nobody".to_owned() } else { ask.names.join(" ") }),
            format!("{:.0}", self.received_at),
            format!("{:.0}", self.due_at),
            format!("{:.0}", self.due_strict_at),
            left(self.left_s, self.overdue),
            self.calendar.as_deref().map_or_else(|| "none".to_owned(), plain),
        ]
    }
}

impl Asked {
    fn of(ask: &Ask) -> Self {
        let named = |kind: &&IdentifierKind| ask.subject.iter().any(|subject| subject.kind == **kind);
        let names = IdentifierKind::ALL.iter().filter(named).map(|kind| kind.as_str()).collect();
        Self {
            kind: ask.kind.as_str(),
            rule: ask.rule.clone(),
            occurred_at: ask.at,
            scope: WireScope::of(&ask.scope),
            hold: ask.hold,
            names,
        }
    }
}

/// `3 h 12 min`, or how long it is overdue.
fn left(seconds: i64, overdue: bool) -> String {
    let (hours, minutes) = (seconds.abs() / HOUR, seconds.abs() % HOUR / MINUTE);
    let late = if overdue { "overdue by " } else { "" };
    format!("{late}{hours} h {minutes:02} min")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::calendar::Deadline;
    use crate::domain::digest::{Digest, KeyCheck};
    use crate::domain::record::Subject;
    use crate::domain::scope::Scope;
    use crate::domain::words::EventKind;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn request() -> InReview {
        let subject = Subject { kind: IdentifierKind::Email, digests: vec![Digest([7; 16])] };
        let ask = Ask {
            kind: EventKind::OptOut,
            rule: Some("unsure.object".into()),
            at: time("2026-11-20T13:29:00Z"),
            scope: Scope::ALL,
            hold: true,
            keys: vec![KeyCheck([1; 8])],
            subject: vec![subject.clone(), subject],
        };
        InReview {
            request: "email:1\u{1b}".into(),
            source: "email".into(),
            received_at: time("2026-11-20T13:30:00Z"),
            starts_at: time("2026-11-20T13:29:00Z"),
            deadline: Deadline {
                due_at: time("2026-11-23T13:29:00Z"),
                due_strict_at: time("2026-11-22T13:29:00Z"),
                calendar: Some("kz-2026.2".into()),
            },
            asks: vec![ask],
        }
    }

    fn report(now: &str) -> Report {
        Report::new(&Listing { requests: vec![request()], more: false }, time(now))
    }

    #[test]
    fn the_list_for_machines_keeps_its_shape() {
        let value: Value = serde_json::from_str(&report("2026-11-22T13:29:10Z").json()).unwrap();
        let expected = json!({
            "now": "2026-11-22T13:29:10Z", "more": false,
            "requests": [{
                "request_id": "email:1\u{1b}", "source": "email", "status": "review",
                "received_at": "2026-11-20T13:30:00Z", "starts_at": "2026-11-20T13:29:00Z",
                "due_at": "2026-11-23T13:29:00Z", "due_strict_at": "2026-11-22T13:29:00Z",
                "overdue": true, "left_s": -10, "calendar": "kz-2026.2",
                "asks": [{
                    "kind": "opt_out", "rule": "unsure.object", "occurred_at": "2026-11-20T13:29:00Z",
                    "scope": {"regions": null, "channels": null, "brands": null}, "hold": true,
                    "names": ["email"],
                }],
            }],
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn the_list_for_people_says_what_is_left_and_steers_no_terminal() {
        let text = report("2026-11-22T10:17:00Z").text();
        let row = text.lines().nth(1).unwrap();
        assert!(
            row.starts_with(r"email:1\u{1b}  email   review  opt_out (held)  unsure.object  email"),
            "{text}"
        );
        assert!(row.ends_with("3 h 12 min  kz-2026.2"), "{text}");
        let overdue = report("2026-11-24T00:00:00Z").text();
        assert!(overdue.contains("overdue by 34 h 31 min"), "{overdue}");
        let none = Report::new(&Listing { requests: vec![], more: false }, time("2026-11-24T00:00:00Z"));
        assert_eq!(none.text(), "no request\n");
    }
}
