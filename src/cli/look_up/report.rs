//! A look-up's answer, for people and for machines. Deliberately absent: identifiers, and their digests.

mod history;
mod said_by;

use std::fmt::Write;

use history::Told;
use jiff::Timestamp;
use said_by::SaidBy;
use serde::Serialize;

use super::super::table::{plain, table};
use super::super::wire::WireScope;
use crate::daemon::{Answer, Question};
use crate::domain::digest::{Digest, KeyCheck};
use crate::domain::in_force::lines;
use crate::domain::record::{Person, Record};
use crate::domain::statement::Families;
use crate::domain::trace::{Step, sources};
use crate::domain::words::IdentifierKind;

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

impl Report {
    pub(super) fn new(question: &Question, answer: &Answer) -> Self {
        let head = &answer.found.head;
        // The others are the ledger's own.
        let told = |step: &&Step| {
            matches!(step.entry.record, Record::Event(_) | Record::Restored { .. } | Record::Imported(_))
        };
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
            history: then.iter().flat_map(|step| Told::of(step, question, answer)).collect(),
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
            Some(said) => said.text(),
            None => "brought back by a rebuild".to_owned(),
        };
        let key = self.key.as_ref().map(|key| format!(" (key {key})")).unwrap_or_default();
        writeln!(text, "  {what} since {:.0}, {by}{key}", self.since).expect("a String takes text");
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
                said_by: SaidBy::find(&line, *digest, &from, answer, then),
                key: (!alike).then(|| key.to_string()),
            });
        }
    }
    About { kind: kind.as_str(), known: digests.iter().any(|digest| people.contains_key(digest)), in_force }
}
