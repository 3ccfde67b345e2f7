//! What the ledger says of a person, record by record.

use jiff::Timestamp;
use serde::Serialize;

use super::super::super::wire::WireScope;
use super::plain;
use crate::codec::receipt;
use crate::codec::record::hex;
use crate::daemon::{Answer, Question};
use crate::domain::digest::Digest;
use crate::domain::fold::{Decision, Outcome};
use crate::domain::record::{EventRecord, ImportLine, ImportRecord, Record};
use crate::domain::trace::Step;
use crate::domain::words::ReviewMode;

/// One record, or one line of an import.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    offset: u64,
    record: String,
    /// `identifier`, `link` or `request`: why the record is told.
    by: &'static str,
    /// Which of the identifiers asked about it names.
    names: Vec<&'static str>,
    #[serde(flatten)]
    event: Option<ToldEvent>,
    #[serde(flatten)]
    line: Option<ToldLine>,
    /// A record of `suppressd rebuild`, which brought back what the list had and the ledger lacked.
    restored: bool,
}

/// What an event said, and what became of it.
#[derive(Debug, Serialize)]
struct ToldEvent {
    event_id: String,
    source: String,
    kind: &'static str,
    status: &'static str,
    revision: Option<u64>,
    occurred_at: Timestamp,
    received_at: Timestamp,
    decided_at: Timestamp,
    scope: WireScope,
    request_id: String,
    requested_by: &'static str,
    agent: Option<String>,
    /// `hold` or `ask`: somebody must decide.
    review: Option<&'static str>,
    /// By which rule the source decided.
    rule: Option<String>,
    due_at: Option<Timestamp>,
    due_strict_at: Option<Timestamp>,
    calendar: Option<String>,
    widened: Vec<&'static str>,
    ignored: Vec<String>,
}

/// What a line of an import says.
#[derive(Debug, Serialize)]
struct ToldLine {
    import: String,
    line: u64,
    kind: &'static str,
    occurred_at: Timestamp,
    decided_at: Timestamp,
    scope: WireScope,
}

impl Told {
    /// What a record says of the identifiers asked about: an import says something in each of its lines.
    pub(super) fn of(step: &Step, question: &Question, answer: &Answer) -> Vec<Self> {
        let named = |is: &dyn Fn(&[Digest]) -> bool| -> Vec<&'static str> {
            let asked = question.about.iter().filter(|(_, digests)| is(digests));
            asked.map(|(kind, _)| kind.as_str()).collect()
        };
        let told = |names: Vec<&'static str>, event: Option<ToldEvent>, line: Option<ToldLine>| Self {
            offset: step.offset,
            record: hex(&step.entry.id.0),
            by: match (names.is_empty(), step.names) {
                (false, _) => "identifier",
                (true, true) => "link",
                (true, false) => "request",
            },
            names,
            restored: event.is_none() && line.is_none(),
            event,
            line,
        };
        match &step.entry.record {
            Record::Event(event) => {
                let names = named(&|digests| {
                    let subjects = event.subject.iter().chain(&event.new_subject);
                    subjects.flat_map(|subject| &subject.digests).any(|digest| digests.contains(digest))
                });
                vec![told(names, Some(ToldEvent::of(event, step, answer)), None)]
            }
            Record::Restored { people, .. } => {
                let names = named(&|digests| people.iter().any(|(digest, _)| digests.contains(digest)));
                vec![told(names, None, None)]
            }
            Record::Imported(import) => {
                let line = |line: &ImportLine| {
                    let names = named(&|digests| line.digests().any(|digest| digests.contains(&digest)));
                    told(names, None, Some(ToldLine::of(import, line)))
                };
                import.lines.iter().map(line).collect()
            }
            Record::Genesis { .. }
            | Record::Fence { .. }
            | Record::KeyAdded { .. }
            | Record::KeyRetired { .. }
            | Record::Void => vec![],
        }
    }

    /// The cells of its row, for people.
    pub(super) fn row(&self) -> [String; 10] {
        let names = if self.names.is_empty() { format!("({})", self.by) } else { self.names.join(" ") };
        let offset = self.offset.to_string();
        let dash = || "-".to_owned();
        let Some(event) = &self.event else {
            let Some(line) = &self.line else {
                let kind = "restored".to_owned();
                return [offset, dash(), dash(), kind, dash(), dash(), dash(), dash(), dash(), names];
            };
            return [
                offset,
                format!("{:.0}", line.decided_at),
                format!("{:.0}", line.occurred_at),
                line.kind.to_owned(),
                "imported".to_owned(),
                line.scope.words(),
                format!("import {}, line {}", plain(&line.import), line.line),
                dash(),
                dash(),
                names,
            ];
        };
        let by = match &event.agent {
            Some(agent) => format!("{} {}", event.requested_by, plain(agent)),
            None => event.requested_by.to_owned(),
        };
        [
            offset,
            format!("{:.0}", event.decided_at),
            format!("{:.0}", event.occurred_at),
            event.kind.to_owned(),
            event.status.to_owned(),
            event.scope.words(),
            plain(&event.source),
            plain(&event.request_id),
            by,
            names,
        ]
    }
}

impl ToldLine {
    fn of(import: &ImportRecord, line: &ImportLine) -> Self {
        Self {
            import: import.import.clone(),
            line: line.line,
            kind: line.kind.as_str(),
            occurred_at: line.at,
            decided_at: import.received_at,
            scope: WireScope::of(&line.scope),
        }
    }
}

impl ToldEvent {
    fn of(event: &EventRecord, step: &Step, answer: &Answer) -> Self {
        let outcome = answer.found.outcomes.get(&event.key);
        let status = status(event, step, outcome);
        let own = outcome.filter(|outcome| outcome.record == step.entry.id);
        let changed =
            own.filter(|outcome| matches!(outcome.decision, Decision::Applied | Decision::Superseded));
        Self {
            event_id: event.event_id.clone(),
            source: event.source.clone(),
            kind: event.kind.as_str(),
            status,
            revision: changed.map(|outcome| outcome.revision),
            occurred_at: event.at,
            received_at: event.received_at,
            decided_at: event.decided_at,
            scope: WireScope::of(&event.scope),
            request_id: event.request.clone(),
            requested_by: event.requested_by.as_str(),
            agent: event.agent.clone(),
            review: event.review.map(ReviewMode::as_str),
            rule: event.rule.clone(),
            due_at: event.deadline.as_ref().map(|deadline| deadline.due_at),
            due_strict_at: event.deadline.as_ref().map(|deadline| deadline.due_strict_at),
            calendar: event
                .deadline
                .as_ref()
                .and_then(|deadline| deadline.calendar.as_ref())
                .map(ToString::to_string),
            widened: receipt::widened(event.remarks),
            ignored: receipt::ignored(event.remarks),
        }
    }
}

/// What became of this record.
fn status(event: &EventRecord, step: &Step, outcome: Option<&Outcome>) -> &'static str {
    // Written by a worker that lacked a key: it decided about nothing, and came again.
    let Some(outcome) = outcome else { return "uncounted" };
    if outcome.record != step.entry.id {
        let mut hashes = event.keys.iter().zip(&event.content);
        let other = |(key, hash)| outcome.content.iter().any(|(k, h)| k == key && h != hash);
        return if hashes.any(other) { "event_id_conflict" } else { "duplicate" };
    }
    match outcome.decision {
        Decision::Applied => "applied",
        Decision::Superseded => "superseded",
        Decision::Review => "review",
        Decision::UnknownRequest | Decision::NoIdentifier => "rejected",
    }
}
