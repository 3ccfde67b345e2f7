//! `[sources.<name>]`: the one-way door. Which source may say what, and who may speak for it.

use std::collections::{BTreeMap, BTreeSet};

use config::Value;

pub use crate::domain::event::SourceClock;
use crate::domain::words::EventKind;

use super::section::Section;
use super::values::{Parsed, list, text, word};

/// The source of files that an operator reads in: old lists must never bring people back.
pub const IMPORT: &str = "import";

const NAME_BYTES_MAX: usize = 64;
const USERS_MAX: usize = 100;
/// AMQP's limit for a user's name.
const USER_BYTES_MAX: usize = 255;

/// What one source may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The kinds of event that it may emit.
    pub may: BTreeSet<EventKind>,
    /// The AMQP users that may speak for it; `None` is everybody who may publish.
    pub users: Option<Vec<String>>,
    /// When its requests begin.
    pub clock: SourceClock,
}

/// Every source by its name.
pub(super) fn take(root: &mut Section<'_>) -> BTreeMap<String, Source> {
    root.sections("sources", |name, section| (name.to_owned(), source(name, section))).into_iter().collect()
}

fn source(name: &str, section: &mut Section<'_>) -> Source {
    let may = section.require("may", "may = [\"opt_out\", \"hold\"]", list(1..=EventKind::ALL.len(), kind));
    let may = may.unwrap_or_default();
    if !(1..=NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(in_names) {
        let problem =
            "must have a name of at most 64 letters a-z, digits, `_` and `-`: it is in routing keys";
        section.refuse(&[], "", problem);
    }
    if name == IMPORT {
        refuse_lifting(&may, section);
    }
    Source {
        may: may.into_iter().collect(),
        users: section.take("users", list(1..=USERS_MAX, text(USER_BYTES_MAX))),
        clock: section.or("clock", SourceClock::Received, clock),
    }
}

fn in_names(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte)
}

fn refuse_lifting(may: &[EventKind], section: &mut Section<'_>) {
    for (index, kind) in may.iter().enumerate().filter(|(_, kind)| !kind.restricts()) {
        let problem = format!("an import may only restrict, never {kind}; remove it");
        section.refuse(&["may"], &format!("[{index}]"), problem);
    }
}

fn kind(value: &Value) -> Parsed<EventKind> {
    let words: Vec<_> = EventKind::ALL.iter().map(|kind| (kind.as_str(), *kind)).collect();
    word(&words)(value)
}

fn clock(value: &Value) -> Parsed<SourceClock> {
    word(&[("received", SourceClock::Received), ("occurred_at", SourceClock::OccurredAt)])(value)
}
