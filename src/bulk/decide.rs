//! What a line comes to: the same decision as for an event of the source `import`.
//!
//! Nothing is decided twice: the rules are those of `domain::event`. A restriction dated ahead counts as of now, an
//! unknown name in a scope widens it, what cannot be parsed is left out, and a line whose every identifier is left
//! out is refused, since nobody could be asked about it. What lifts is refused here before any setting is asked.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::codec::export::{End, Head, Stands};
use crate::domain::digest::{Digest, KeyRing};
use crate::domain::event::{self, Event, Policy, Taken, Wanted};
use crate::domain::filter::Identifiers;
use crate::domain::identifier::{Country, canonical};
use crate::domain::record::{EventRecord, ImportLine, ImportSubject, Remarks};
use crate::domain::scope::Names;
use crate::domain::words::{Channel, EventKind, RequestedBy};

use super::{Content, Said, Saying};

/// Identifiers of one kind on one line at most.
const PEOPLE_MAX: usize = 17;

/// By what lines are judged.
pub struct Rules<'a> {
    /// The source that files are read in by.
    pub source: &'a str,
    /// As whom it is spoken for.
    pub user: &'a str,
    /// What sources may say, regions, brands, and how far ahead a line may be dated.
    pub policy: Policy<'a>,
    /// Where numbers without a country code are dialled.
    pub country: &'a Country,
    /// Under which keys identifiers are hashed.
    pub keys: &'a KeyRing,
    /// Now.
    pub now: Timestamp,
    /// Since when holds what says no time.
    pub undated: Timestamp,
}

/// Why a line is refused: a place and a rule, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub Cow<'static, str>);

/// What a line comes to.
pub enum Decided {
    /// Statements for the ledger.
    Taken(Taking),
    /// Somebody who did not opt out.
    NotAnOptOut,
    /// The first line of an export.
    Head(Head),
    /// The last line of an export.
    End(End),
    /// Nothing.
    Refused(Refusal),
}

/// What a line says of somebody.
pub struct Taking {
    /// One for each thing that it says. None: all that it says lifts, as lines of exports may.
    pub lines: Vec<ImportLine>,
    /// What was widened or could not be used.
    pub remarks: Remarks,
    /// What it says that lifts.
    pub lifts: u64,
}

/// Decides about a line of this number.
pub fn decide(number: u64, content: &Content<'_>, rules: &Rules<'_>) -> Decided {
    let taken = match content {
        Content::Said(said) => person(number, said, rules),
        Content::Exported(digest, stands) => exported(number, *digest, stands, rules),
        Content::NotAnOptOut => return Decided::NotAnOptOut,
        Content::Head(head) => return Decided::Head(head.clone()),
        Content::End(end) => return Decided::End(*end),
        Content::Wrong(rule) => Err(Refusal(rule.clone())),
    };
    taken.map_or_else(Decided::Refused, Decided::Taken)
}

fn person(number: u64, said: &Said<'_>, rules: &Rules<'_>) -> Result<Taking, Refusal> {
    if said.people.len() > PEOPLE_MAX {
        return Err(Refusal(format!("names more than {PEOPLE_MAX} identifiers of one kind").into()));
    }
    let mut taking = Taking { lines: Vec::new(), remarks: Remarks::default(), lifts: 0 };
    for Saying { kind, at, place } in &said.sayings {
        let [regions, channels, brands] = place
            .each_ref()
            .map(|names| names.as_ref().map(|names| names.iter().map(String::as_str).collect()));
        let (first, also) = said.people.split_first().ok_or(NOBODY)?;
        let at = at.unwrap_or(rules.undated);
        let scope = Wanted { regions, channels, brands };
        let record = record(*kind, at, scope, first.clone(), also.to_vec(), rules)?;
        if record.subject.is_empty() {
            return Err(NOBODY);
        }
        taking.remarks.widened |= record.remarks.widened;
        taking.remarks.ignored |= record.remarks.ignored;
        let EventRecord { kind, at, scope, subject, .. } = record;
        let subject = ImportSubject::Known(subject);
        taking.lines.push(ImportLine { line: number, kind, at, scope, subject });
    }
    Ok(taking)
}

const NOBODY: Refusal = Refusal(Cow::Borrowed("no_identifier: no identifier can be parsed"));

/// A line of an export has a digest already. What lifts is left out; the head said so.
fn exported(number: u64, digest: Digest, all: &[Stands], rules: &Rules<'_>) -> Result<Taking, Refusal> {
    let mut taking = Taking { lines: Vec::new(), remarks: Remarks::default(), lifts: 0 };
    for stands in all {
        if stands.kind.lifts() {
            taking.lifts += 1;
            continue;
        }
        let names = |names: &Names| match names {
            Names::All => None,
            Names::Only(names) => Some(names.to_vec()),
        };
        let (regions, brands) = (names(&stands.scope.regions), names(&stands.scope.brands));
        let channels = Channel::ALL.iter().filter(|channel| stands.scope.channels.covers(**channel));
        let channels: Vec<&str> = channels.map(|channel| channel.as_str()).collect();
        let scope = Wanted {
            regions: regions.as_ref().map(|names| names.iter().map(|name| &**name).collect()),
            channels: (channels.len() < Channel::ALL.len()).then_some(channels),
            brands: brands.as_ref().map(|names| names.iter().map(|name| &**name).collect()),
        };
        let record = record(stands.kind, stands.at, scope, Identifiers::default(), vec![], rules)?;
        taking.remarks.widened |= record.remarks.widened;
        let EventRecord { kind, at, scope, .. } = record;
        let subject = ImportSubject::Digest(digest);
        taking.lines.push(ImportLine { line: number, kind, at, scope, subject });
    }
    Ok(taking)
}

/// Decides as if it were an event.
fn record<'a>(
    kind: EventKind,
    occurred_at: Timestamp,
    scope: Wanted<'a>,
    subject: Identifiers<'a>,
    also: Vec<Identifiers<'a>>,
    rules: &Rules<'a>,
) -> Result<EventRecord, Refusal> {
    if !kind.restricts() {
        let rule = "not_permitted: /kind: an import only restricts; it never lifts, links or settles";
        return Err(Refusal(rule.into()));
    }
    let event = Event {
        event_id: "",
        source: rules.source,
        kind,
        occurred_at,
        subject,
        also,
        new_subject: Identifiers::default(),
        scope,
        request_id: None,
        requested_by: RequestedBy::Subject,
        agent: None,
        review: None,
        rule: None,
    };
    let refused = |refused: event::Refused| Refusal(format!("{}: {}", refused.reason, refused.detail).into());
    event::permit(&event, Some(rules.user), &rules.policy).map_err(refused)?;
    let taken = Taken { received_at: rules.now, keys: &[], content: vec![] };
    let mut buffer = String::new();
    event::decide(&event, taken, &rules.policy, |kind, text| {
        let form = canonical(kind, text, rules.country, &mut buffer).ok()?;
        Some(rules.keys.digests(kind, form).collect())
    })
    .map_err(refused)
}
