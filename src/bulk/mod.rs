//! Whole lists, in and out: what stands in a file of opt-outs, and what a run of `import` knows of itself.
//!
//! Everything here is bytes to types, line by line and in bounded memory; who reads the live list and writes the
//! ledger is `daemon`. What must stay true: every line has one outcome and is counted under it, a line that cannot
//! be understood is refused by itself and never spoils its neighbours, and no rule that a line breaks repeats what
//! stands there. The files of other products are taken by what their products mean: where one says "not an
//! opt-out" nothing is imported, where it is in doubt it restricts.

mod decide;
mod fields;
mod moment;
mod objects;
mod open;
mod products;
mod ran;
mod standing;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use jiff::Timestamp;

use crate::codec::export::{End, Head, Stands};
use crate::domain::digest::Digest;
use crate::domain::filter::Identifiers;
use crate::domain::words::{EventKind, vocabulary};

pub use decide::{Decided, Refusal, Rules, Taking, decide};
pub use open::{Opened, open};
pub use ran::{Counts, State, fingerprint};
pub use standing::{Already, Found, already};

vocabulary! {
    /// Whose way of writing a file has.
    Format {
        /// A table with a header.
        Csv => "csv",
        /// One JSON object a line: events, flat objects, or an export of our own.
        Ndjson => "ndjson",
        /// SendGrid: CSV of its console, JSON of its API.
        Sendgrid => "sendgrid",
        /// Amazon SES: JSON of its command line, CSV.
        Ses => "ses",
        /// Mailgun: CSV of its console, JSON of its API.
        Mailgun => "mailgun",
        /// Mautic: CSV of contacts or reports that say who must not be contacted.
        Mautic => "mautic",
        /// listmonk: CSV of its subscribers, JSON of its bounces.
        Listmonk => "listmonk",
    }
}

/// What one line holds. Not `Debug`: it names a person.
pub enum Content<'a> {
    /// Something is said of somebody.
    Said(Said<'a>),
    /// Somebody who did not opt out.
    NotAnOptOut,
    /// The first line of an export.
    Head(Head),
    /// A line of an export.
    Exported(Digest, Vec<Stands>),
    /// The last line of an export.
    End(End),
    /// It cannot be understood: a place and a rule, never a value.
    Wrong(Cow<'static, str>),
}

/// What is said of one person.
pub struct Said<'a> {
    /// By what the person is known, at least one.
    pub people: Vec<Identifiers<'a>>,
    /// What is said, at least one.
    pub sayings: Vec<Saying>,
}

/// One thing that is said.
pub struct Saying {
    /// What it does.
    pub kind: EventKind,
    /// Since when, if the line says so.
    pub at: Option<Timestamp>,
    /// Where it holds, in the file's words: regions, channels, brands; `None` means all.
    pub place: [Option<Vec<String>>; 3],
}
