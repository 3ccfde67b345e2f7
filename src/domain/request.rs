//! Requests: what people asked for, from the event that opens one to the decision that settles it.
//!
//! Most are settled with their event, and then little is worth keeping: the event's outcome says it all. One in
//! review keeps everything that a later `apply` or `dismiss`, which name no person, needs: digests, never
//! identifiers. Its dates are those of the event that opened it, whatever the calendar says by then.

use jiff::{SignedDuration, Timestamp};

use super::calendar::Deadline;
use super::digest::{Digest, KeyCheck};
use super::record::{EventRecord, RequestKey, Subject};
use super::scope::Scope;
use super::statement::Statement;
use super::words::{EventKind, ReviewMode};

/// Events that one request in review keeps. One more is applied at once: in doubt, it restricts.
pub const ASKS_MAX: usize = 16;

/// Requests in review that hold one identifier. One more puts an ordinary hold, which a `release` ends.
pub const HOLDS_MAX: usize = 256;

/// Where a request stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// A person must decide.
    Review(Box<InReview>),
    /// In force.
    Applied,
    /// Closed without an opt-out.
    Dismissed,
}

/// A request that a person must decide about.
#[derive(Debug, Clone, PartialEq)]
pub struct InReview {
    /// Its name.
    pub request: String,
    /// The source of the event that opened it.
    pub source: String,
    /// When a worker took that event.
    pub received_at: Timestamp,
    /// When its time began to run.
    pub starts_at: Timestamp,
    /// By when it must be settled.
    pub deadline: Deadline,
    /// What its events ask for, in the order of the ledger.
    pub asks: Vec<Ask>,
}

/// What one event of a request in review asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// What it would do.
    pub kind: EventKind,
    /// By which rule its source decided.
    pub rule: Option<String>,
    /// When the person said it.
    pub at: Timestamp,
    /// Where it would hold.
    pub scope: Scope,
    /// Whether it holds its identifiers until somebody decides.
    pub hold: bool,
    /// The keys of the digests' columns.
    pub keys: Vec<KeyCheck>,
    /// The identifiers, as far as they could be parsed.
    pub subject: Vec<Subject>,
}

impl InReview {
    /// The request that this event opens.
    pub fn opened_by(event: &EventRecord) -> Self {
        Self {
            request: event.request.clone(),
            source: event.source.clone(),
            received_at: event.received_at,
            starts_at: event.starts_at,
            deadline: event.deadline.clone().unwrap_or_else(|| without_calendar(event.starts_at)),
            asks: Vec::new(),
        }
    }

    /// By what it is known again.
    pub fn key(&self) -> RequestKey {
        RequestKey::of(&self.request)
    }

    /// Whether it can be applied as it is.
    pub fn names_anybody(&self) -> bool {
        self.asks.iter().any(|ask| !ask.subject.is_empty())
    }

    /// Whether it holds anybody.
    pub fn holds(&self) -> bool {
        self.asks.iter().any(|ask| ask.hold && !ask.subject.is_empty())
    }

    /// Every digest that its events name.
    pub fn digests(&self) -> impl Iterator<Item = Digest> {
        self.asks.iter().flat_map(|ask| &ask.subject).flat_map(|subject| &subject.digests).copied()
    }
}

impl Ask {
    /// What this event asks for.
    pub fn of(event: &EventRecord, mode: ReviewMode) -> Self {
        Self {
            kind: event.kind,
            rule: event.rule.clone(),
            at: event.at,
            scope: event.scope.clone(),
            hold: mode == ReviewMode::Hold,
            keys: event.keys.clone(),
            subject: event.subject.clone(),
        }
    }

    /// What it would state.
    pub fn statement(&self) -> Option<Statement> {
        Statement::of(self.kind, self.at, self.scope.clone())
    }
}

/// The dates of an event that was written before there were deadlines.
fn without_calendar(start: Timestamp) -> Deadline {
    let due = start.checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
    Deadline { due_at: due, due_strict_at: due, calendar: None }
}
