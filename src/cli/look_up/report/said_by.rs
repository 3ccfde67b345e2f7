//! The record that a statement in force comes from: an event, or a line of an import.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::plain;
use crate::daemon::Answer;
use crate::domain::digest::Digest;
use crate::domain::in_force::Line;
use crate::domain::record::{EventRecord, ImportLine, ImportRecord, Record};
use crate::domain::scope::Scope;
use crate::domain::statement::{Families, Statement};
use crate::domain::trace::Step;
use crate::domain::words::{EventKind, ReviewMode};

/// The record that a statement comes from.
#[derive(Debug, Serialize)]
pub(super) struct SaidBy {
    offset: u64,
    #[serde(flatten)]
    origin: Origin,
    kind: &'static str,
    decided_at: Timestamp,
    /// It was said of another identifier, which an `identifier_changed` links with this one.
    linked: bool,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Origin {
    Event { source: String, event_id: String, request_id: String },
    Import { import: String, line: u64 },
}

/// What a record, or a line of one, says.
enum Saying<'a> {
    Event(&'a EventRecord),
    Line(&'a ImportRecord, &'a ImportLine),
}

impl SaidBy {
    /// The record that a line's statement comes from: one that names the identifier, before one that names another
    /// that is linked with it.
    pub(super) fn find(
        line: &Line,
        digest: Digest,
        from: &BTreeSet<Digest>,
        answer: &Answer,
        then: &[&Step],
    ) -> Option<Self> {
        let saying = || {
            let all = then.iter().flat_map(|step| sayings(step, answer).map(|saying| (*step, saying)));
            all.filter(|(_, saying)| saying.says(line))
        };
        let direct = saying().find(|(_, saying)| saying.names(|named| named == digest));
        let linked = direct.is_none();
        let (step, saying) =
            direct.or_else(|| saying().find(|(_, saying)| saying.names(|named| from.contains(&named))))?;
        Some(saying.said_by(step.offset, linked))
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let (kind, offset) = (self.kind, self.offset);
        let linked = if self.linked { ", through a changed identifier" } else { "" };
        match &self.origin {
            Origin::Event { source, request_id, .. } => {
                let (source, request) = (plain(source), plain(request_id));
                format!("{kind} from {source}, request {request}{linked} [{offset}]")
            }
            Origin::Import { import, line } => {
                format!("{kind} from import {}, line {line}{linked} [{offset}]", plain(import))
            }
        }
    }
}

/// What counts of a record: the event if this record decided about it, or each line.
fn sayings<'a>(step: &'a Step, answer: &Answer) -> impl Iterator<Item = Saying<'a>> {
    let (event, import) = match &step.entry.record {
        Record::Event(event) => (Some(&**event), None),
        Record::Imported(import) => (None, Some(&**import)),
        _ => (None, None),
    };
    let decides = |event: &&EventRecord| answer.found.deciding.get(&event.key) == Some(&step.entry.id);
    let lines =
        import.into_iter().flat_map(|import| import.lines.iter().map(|line| Saying::Line(import, line)));
    event.filter(decides).map(Saying::Event).into_iter().chain(lines)
}

impl Saying<'_> {
    fn says(&self, line: &Line) -> bool {
        let provisional = line.family == Families::PROVISIONAL;
        match self {
            Self::Event(event) if provisional => {
                event.review == Some(ReviewMode::Hold) && event.at == line.statement.at
            }
            Self::Event(event) => states(line, event.kind, event.at, &event.scope),
            Self::Line(_, imported) => {
                !provisional && states(line, imported.kind, imported.at, &imported.scope)
            }
        }
    }

    fn names(&self, is: impl Fn(Digest) -> bool) -> bool {
        match self {
            Self::Event(event) => event.subject.iter().flat_map(|subject| &subject.digests).any(|d| is(*d)),
            Self::Line(_, line) => line.digests().any(is),
        }
    }

    fn said_by(&self, offset: u64, linked: bool) -> SaidBy {
        match self {
            Self::Event(event) => SaidBy {
                offset,
                origin: Origin::Event {
                    source: event.source.clone(),
                    event_id: event.event_id.clone(),
                    request_id: event.request.clone(),
                },
                kind: event.kind.as_str(),
                decided_at: event.decided_at,
                linked,
            },
            Self::Line(import, line) => SaidBy {
                offset,
                origin: Origin::Import { import: import.import.clone(), line: line.line },
                kind: line.kind.as_str(),
                decided_at: import.received_at,
                linked,
            },
        }
    }
}

/// Whether saying this puts the statement of the line there.
fn states(line: &Line, kind: EventKind, at: Timestamp, scope: &Scope) -> bool {
    Statement::of(kind, at, scope.clone()).is_some_and(|said| {
        let (ours, theirs) = (&line.statement, &said);
        (ours.at, ours.restricts, &ours.scope) == (theirs.at, theirs.restricts, &theirs.scope)
            && theirs.families.meets(line.family)
    })
}
