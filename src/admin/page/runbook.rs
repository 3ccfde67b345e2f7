//! The runbook: a worker hands out its own, and what the page lacks or warns of leads to the entry that says more.
//!
//! As it is written, in Markdown: it must be there when the network to everything else is not, and of the same version
//! as the worker. Entries have the names of the alerts, so whoever is paged and whoever looks read the same.

use maud::{Markup, html};

use super::View;
use crate::service::health::Dependency;

/// The whole of it.
pub(in crate::admin) const RUNBOOK: &str = include_str!("../../../deploy/RUNBOOK.md");

/// What lies in the dead queue.
pub(super) const DEAD_LETTERS: &str = "SuppressdDeadLetters";

/// While it is not ready.
pub(super) fn of_dependency(dependency: Dependency) -> &'static str {
    match dependency {
        Dependency::Mailbox => "SuppressdMailboxUnread",
        Dependency::Amqp | Dependency::Redis | Dependency::Ledger | Dependency::Mirror => "SuppressdNotReady",
    }
}

/// Of a warning; most have no entry of their own.
pub(super) fn of_warning(name: &str) -> &'static str {
    match name {
        "requests_overdue" => "SuppressdDeadlineMissed",
        "requests_due_soon" => "SuppressdDeadlineNear",
        "clock" => "SuppressdClockWrong",
        "unroutable_jobs" => "SuppressdUnroutable",
        "calendar" => "SuppressdCalendarEnds",
        "mailbox" => "SuppressdMailboxUnread",
        _ => "SuppressdWarning",
    }
}

/// A link to an entry. The runbook is a plain text: a browser that knows text fragments goes to the heading.
pub(super) fn link(view: View<'_>, entry: &str) -> Markup {
    html! {
        a href=(format!("runbook#:~:text=%23%23%23%20{entry}")) { (view.words.runbook) ": " span lang="en" { (entry) } }
    }
}
