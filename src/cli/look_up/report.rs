//! A look-up's answer, for people and for machines. Deliberately absent: identifiers, and their digests.

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;

use super::super::table::{plain, table};
use super::super::wire::WireScope;
use crate::codec::receipt;
use crate::codec::record::hex;
use crate::daemon::{Answer, Question};
use crate::domain::digest::{Digest, KeyCheck};
use crate::domain::fold::{Decision, Outcome};
use crate::domain::in_force::{Line, lines};
use crate::domain::record::{EventRecord, Person, Record};
use crate::domain::statement::{Families, Statement};
use crate::domain::trace::{Step, sources};
use crate::domain::words::{IdentifierKind, ReviewMode};

/// The answer.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The instant that it is the state of; `null`: now.
    as_of: Option<Timestamp>,
    /// By which name the look-up was written down.
    look_up: String,
    /// The list that agrees with it.
    list: String,
    /// How many records of the ledger were read.
    position: u64,
    /// The list's revision there.
    revision: u64,
    identifiers: Vec<About>,
    history: Vec<Told>,
    /// Records after `as_of`, which are not told.
    later: usize,
}

/// One identifier.
#[derive(Debug, Serialize)]
struct About {
    kind: &'static str,
    /// Whether any record names or reached it by then.
    known: bool,
    in_force: Vec<InForce>,
}

/// One statement that decides somewhere. Of those of one `reason`, a later one wins where two cover a point.
#[derive(Debug, Serialize)]
struct InForce {
    reason: &'static str,
    /// `false`: an exception to an earlier one.
    removed: bool,
    /// It ends with its request, which somebody must decide on.
    provisional: bool,
    scope: WireScope,
    /// Since when it is true.
    since: Timestamp,
    /// Where it lies within, or across, an earlier one.
    #[serde(skip)]
    within: bool,
    said_by: Option<SaidBy>,
    /// Set where the keys do not say the same.
    key: Option<String>,
}

/// The record that a statement comes from.
#[derive(Debug, Serialize)]
struct SaidBy {
    offset: u64,
    source: String,
    event_id: String,
    kind: &'static str,
    request_id: String,
    decided_at: Timestamp,
    /// It was said of another identifier, which an `identifier_changed` links with this one.
    linked: bool,
}

/// One record.
#[derive(Debug, Serialize)]
struct Told {
    offset: u64,
    record: String,
    /// `identifier`, `link` or `request`: why the record is told.
    by: &'static str,
    /// Which of the identifiers asked about it names.
    names: Vec<&'static str>,
    #[serde(flatten)]
    event: Option<ToldEvent>,
    /// A record of `suppressd rebuild`, which brought back what the list had and the ledger lacked.
    restored: bool,
}

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

impl Report {
    pub(super) fn new(question: &Question, answer: &Answer) -> Self {
        let head = &answer.found.head;
        let told = |step: &&Step| matches!(step.entry.record, Record::Event(_) | Record::Restored { .. });
        let by_then = |step: &Step| question.as_of.is_none_or(|as_of| step.is_by(as_of));
        let (then, later): (Vec<&Step>, Vec<&Step>) =
            answer.found.trace.steps().iter().filter(told).partition(|step| by_then(step));
        let about = question.about.iter();
        Self {
            as_of: question.as_of,
            look_up: answer.noted_as.clone(),
            list: head.list.to_string(),
            position: head.position,
            revision: head.revision,
            identifiers: about.map(|about| identifier(about, &question.keys, answer, &then)).collect(),
            history: then.iter().map(|step| record(step, question, answer)).collect(),
            later: later.len(),
        }
    }

    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("names and numbers are JSON") + "\n"
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for about in &self.identifiers {
            about.tell(&mut text);
        }
        let as_of = self.as_of.map_or_else(|| "now".to_owned(), |as_of| format!("as of {as_of:.0}"));
        let (position, revision) = (self.position, self.revision);
        writeln!(text, "\nhistory, {as_of} ({position} records of the ledger, revision {revision}):")
            .expect("a String takes text");
        if self.history.is_empty() {
            text += "  no record names or reaches this person\n";
        } else {
            let heading =
                ["record", "decided", "said", "kind", "status", "where", "source", "request", "by", "names"];
            let rows: Vec<_> = self.history.iter().map(Told::row).collect();
            text += &table(heading, &rows);
        }
        if self.later > 0 {
            writeln!(text, "{} later records are not told", self.later).expect("a String takes text");
        }
        text
    }
}

impl About {
    fn tell(&self, text: &mut String) {
        let nothing = match (self.in_force.is_empty(), self.known) {
            (false, _) => "",
            (true, true) => " nothing is in force",
            (true, false) => " nothing is known",
        };
        writeln!(text, "{}:{nothing}", self.kind).expect("a String takes text");
        for line in &self.in_force {
            line.tell(text);
        }
    }
}

impl InForce {
    fn tell(&self, text: &mut String) {
        let place = self.scope.words();
        let reason = if self.provisional { "hold, provisionally," } else { self.reason };
        let what = match (self.within, self.removed) {
            (false, _) => format!("{place}: removed as {reason}"),
            (true, true) => format!("  in {place}: removed as {reason}"),
            (true, false) => format!("  except {place}: not removed as {reason}"),
        };
        let by = match &self.said_by {
            Some(said) => {
                let linked = if said.linked { ", through a changed identifier" } else { "" };
                let (source, request) = (plain(&said.source), plain(&said.request_id));
                format!("{} from {source}, request {request}{linked} [{}]", said.kind, said.offset)
            }
            None => "brought back by a rebuild".to_owned(),
        };
        let key = self.key.as_ref().map(|key| format!(" (key {key})")).unwrap_or_default();
        writeln!(text, "  {what} since {:.0}, {by}{key}", self.since).expect("a String takes text");
    }
}

impl Told {
    fn row(&self) -> [String; 10] {
        let names = if self.names.is_empty() { format!("({})", self.by) } else { self.names.join(" ") };
        let offset = self.offset.to_string();
        let Some(event) = &self.event else {
            let [dash, kind] = ["-", "restored"].map(str::to_owned);
            let dash = || dash.clone();
            return [offset, dash(), dash(), kind, dash(), dash(), dash(), dash(), dash(), names];
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

/// What is in force for one identifier, under whichever keys say the same.
fn identifier(
    (kind, digests): &(IdentifierKind, Vec<Digest>),
    keys: &[KeyCheck],
    answer: &Answer,
    then: &[&Step],
) -> About {
    let people = &answer.then.people;
    let standing = |digest: &Digest| people.get(digest).map(Person::standing).unwrap_or_default();
    let alike = digests.windows(2).all(|pair| standing(&pair[0]) == standing(&pair[1]));
    let mut in_force = Vec::new();
    for (digest, key) in digests.iter().zip(keys).take(if alike { 1 } else { digests.len() }) {
        let from = sources(&answer.then, *digest);
        for line in lines(&standing(digest)) {
            in_force.push(InForce {
                reason: line.removal.as_str(),
                removed: line.statement.restricts,
                provisional: line.family == Families::PROVISIONAL,
                scope: WireScope::of(&line.statement.scope),
                since: line.statement.at,
                within: line.within,
                said_by: said_by(&line, *digest, &from, answer, then),
                key: (!alike).then(|| key.to_string()),
            });
        }
    }
    About { kind: kind.as_str(), known: digests.iter().any(|digest| people.contains_key(digest)), in_force }
}

/// The record that a line's statement comes from: one that names the identifier, before one that names another
/// that is linked with it.
fn said_by(
    line: &Line,
    digest: Digest,
    from: &BTreeSet<Digest>,
    answer: &Answer,
    then: &[&Step],
) -> Option<SaidBy> {
    let provisional = line.family == Families::PROVISIONAL;
    let says = |event: &EventRecord| {
        if provisional {
            return event.review == Some(ReviewMode::Hold) && event.at == line.statement.at;
        }
        Statement::of(event.kind, event.at, event.scope.clone()).is_some_and(|said| {
            let (ours, theirs) = (&line.statement, &said);
            (ours.at, ours.restricts, &ours.scope) == (theirs.at, theirs.restricts, &theirs.scope)
                && theirs.families.meets(line.family)
        })
    };
    let saying = || {
        let events = then.iter().filter_map(|step| Some((*step, step.event()?)));
        events.filter(|(step, event)| {
            answer.found.deciding.get(&event.key) == Some(&step.entry.id) && says(event)
        })
    };
    let direct = saying().find(|(_, event)| subject_meets(event, |named| *named == digest));
    let linked = || saying().find(|(_, event)| subject_meets(event, |named| from.contains(named)));
    let is_linked = direct.is_none();
    direct.or_else(linked).map(|(step, event)| SaidBy {
        offset: step.offset,
        source: event.source.clone(),
        event_id: event.event_id.clone(),
        kind: event.kind.as_str(),
        request_id: event.request.clone(),
        decided_at: event.decided_at,
        linked: is_linked,
    })
}

fn subject_meets(event: &EventRecord, is: impl Fn(&Digest) -> bool) -> bool {
    event.subject.iter().flat_map(|subject| &subject.digests).any(is)
}

fn record(step: &Step, question: &Question, answer: &Answer) -> Told {
    let asked = question.about.iter();
    let names = asked.filter(|(_, digests)| names_any(step, digests)).map(|(kind, _)| kind.as_str());
    let names: Vec<_> = names.collect();
    let by = match (names.is_empty(), step.names) {
        (false, _) => "identifier",
        (true, true) => "link",
        (true, false) => "request",
    };
    Told {
        offset: step.offset,
        record: hex(&step.entry.id.0),
        by,
        names,
        event: step.event().map(|event| told(event, step, answer)),
        restored: step.event().is_none(),
    }
}

fn names_any(step: &Step, digests: &[Digest]) -> bool {
    match &step.entry.record {
        Record::Event(event) => {
            let mut named =
                event.subject.iter().chain(&event.new_subject).flat_map(|subject| &subject.digests);
            named.any(|digest| digests.contains(digest))
        }
        Record::Restored { people, .. } => people.iter().any(|(digest, _)| digests.contains(digest)),
        _ => false,
    }
}

fn told(event: &EventRecord, step: &Step, answer: &Answer) -> ToldEvent {
    let outcome = answer.found.outcomes.get(&event.key);
    let status = status(event, step, outcome);
    let own = outcome.filter(|outcome| outcome.record == step.entry.id);
    let changed = own.filter(|outcome| matches!(outcome.decision, Decision::Applied | Decision::Superseded));
    ToldEvent {
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
