//! `[sources.<name>]`: the one-way door. Which source may say what, and who may speak for it.

use std::collections::{BTreeMap, BTreeSet};

use config::Value;
use url::Url;

pub use crate::domain::event::SourceClock;
use crate::domain::words::EventKind;

use super::section::Section;
use super::values::{Parsed, list, text, word};
use super::{Amqp, Mailbox};

/// The source of files that an operator reads in: old lists must never bring people back.
pub const IMPORT: &str = "import";

/// The kinds of event that mails become.
const OF_MAIL: [EventKind; 4] = [EventKind::OptOut, EventKind::Hold, EventKind::Complaint, EventKind::Bounce];

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

/// What the mailbox's reader publishes: its source must be there, and let it.
pub(super) fn refuse_mailbox(
    root: &mut Section<'_>,
    sources: &BTreeMap<String, Source>,
    mailbox: &Mailbox,
    amqp: &Amqp,
) {
    let Some(source) = sources.get(&mailbox.source) else {
        root.refuse(
            &["mailbox", "source"],
            "",
            "is not configured: there is no [sources] section of that name",
        );
        return;
    };
    for kind in OF_MAIL.iter().filter(|kind| !source.may.contains(kind)) {
        let problem = format!("the mailbox's mails become {kind} events too; list it");
        root.refuse(&["sources", &mailbox.source, "may"], "", problem);
    }
    let user = Url::parse(amqp.url.reveal()).map(|url| url.username().to_owned()).unwrap_or_default();
    if source.users.as_ref().is_some_and(|users| !users.contains(&user)) {
        let problem = "the mailbox's mails are published by the user of amqp.url; list it";
        root.refuse(&["sources", &mailbox.source, "users"], "", problem);
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
