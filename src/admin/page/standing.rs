//! The first thing that is read: are we ready, and if not why, and what to do.

use maud::{Markup, html};

use super::{View, marked, runbook, terms};
use crate::service::health::{Dependency, State};
use crate::service::status::Standing;

/// The sign of a standing, which says without colour what the colour says.
fn sign(standing: Standing) -> &'static str {
    match standing {
        Standing::NotReady => "✕",
        Standing::Overdue | Standing::Attention => "!",
        Standing::Well => "✓",
    }
}

fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::NotReady | Standing::Overdue => "bad",
        Standing::Attention => "look",
        Standing::Well => "well",
    }
}

/// The standing in one sentence.
pub(super) fn headline(view: View<'_>) -> &'static str {
    match view.status.standing() {
        Standing::NotReady => view.words.not_ready,
        Standing::Overdue => view.words.ready_but_overdue,
        Standing::Attention => view.words.attention,
        Standing::Well => view.words.well,
    }
}

/// The banner.
pub(super) fn standing(view: View<'_>) -> Markup {
    let standing = view.status.standing();
    html! {
        section #standing .standing .(class(standing)) data-live aria-labelledby="headline" {
            // Read out when it changes, and only then: what changes all the time is not in it.
            div #headline role="status" {
                h2 { span .sign aria-hidden="true" { (sign(standing)) } " " (headline(view)) }
            }
            @if standing == Standing::NotReady { p { (view.words.not_ready_means) } }
            @if standing != Standing::Well { ul .acts { (lacks(view)) (warnings(view)) (dead(view)) } }
            @if standing == Standing::NotReady { p { (view.words.doctor) " " code { "suppressd doctor" } } }
            (needs(view))
        }
    }
}

/// One thing to do: what is so, what to do, the program's own words for it, and where more is said.
fn act(view: View<'_>, what: &str, remedy: Option<&str>, detail: Option<&str>, entry: &str) -> Markup {
    html! {
        li {
            strong { (what) } ". "
            @if let Some(remedy) = remedy { (marked(remedy)) " " }
            span .detail {
                @if let Some(detail) = detail { (view.words.detail) ": " span lang="en" { (marked(detail)) } ". " }
                (runbook::link(view, entry))
            }
        }
    }
}

fn lacks(view: View<'_>) -> Markup {
    let states = view.status.health.states();
    let lacking = states.filter_map(|(dependency, state)| match state {
        State::NotReady(why) => Some((dependency, why)),
        State::Ready | State::Idle(_) => None,
    });
    html! {
        @for (dependency, why) in lacking {
            @let what = format!("{}: {}", view.say(&terms::dependency(dependency)), view.words.is_not_ready);
            @let remedy = view.say(&terms::remedy(dependency));
            (act(view, &what, Some(remedy), Some(why), runbook::of_dependency(dependency)))
        }
    }
}

fn warnings(view: View<'_>) -> Markup {
    let snapshot = &view.status.health;
    // The mailbox warns and is not ready for the same reason: once is enough.
    let said = |name: &str| name == "mailbox" && !snapshot.state(Dependency::Mailbox).is_well();
    let mut warnings: Vec<_> = snapshot.warnings().iter().filter(|(name, _)| !said(name)).collect();
    warnings.sort_by_key(|(name, _)| terms::urgency(name));
    html! {
        @for (name, why) in warnings {
            @let entry = runbook::of_warning(name);
            @match terms::warning(name) {
                Some((what, remedy)) => { (act(view, view.say(what), Some(view.say(remedy)), Some(why), entry)) }
                None => { (act(view, name, None, Some(why), entry)) }
            }
        }
    }
}

fn dead(view: View<'_>) -> Markup {
    let count = view.status.gauges.dead_waiting;
    html! {
        @if count > 0 {
            @let what = format!("{}: {}", view.words.dead_waiting, super::numbers::count(count));
            (act(view, &what, Some("`suppressd dead list`"), None, runbook::DEAD_LETTERS))
        }
    }
}

/// Everything that a worker needs, well or not, in one line.
fn needs(view: View<'_>) -> Markup {
    html! {
        ul .needs aria-label=(view.words.needs) {
            @for (dependency, state) in view.status.health.states() {
                @let (sign, said) = match state {
                    State::Ready => ("✓", view.words.is_ready),
                    State::Idle(_) => ("–", view.words.is_idle),
                    State::NotReady(_) => ("✕", view.words.is_not_ready),
                };
                li {
                    span .sign aria-hidden="true" { (sign) } " "
                    (view.say(&terms::dependency(dependency))) ": " (said)
                }
            }
        }
    }
}
