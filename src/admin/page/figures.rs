//! The figures that a person looks for first: requests and their deadlines, what waits for people, the list.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{View, numbers, terms};
use crate::domain::words::IdentifierKind;
use crate::service::health::Dependency;

/// A figure with its name; one that is `urgent` has a sign, and not only a colour.
fn tile(name: &str, urgent: bool, figure: &Markup, means: &Markup) -> Markup {
    html! {
        div .urgent[urgent] {
            dt { (name) }
            dd { @if urgent { span .sign aria-hidden="true" { "!" } " " } strong { (figure) } " " small { (means) } }
        }
    }
}

fn plain(text: impl AsRef<str>) -> Markup {
    html! { (text.as_ref()) }
}

/// That the figures are not new, if what tells them does not answer.
fn last_known(view: View<'_>, tellers: &[Dependency]) -> Markup {
    let current = tellers.iter().all(|teller| view.status.is_current(*teller));
    html! { @if !current { p .old { (view.words.last_known) } } }
}

fn moment(view: View<'_>, at: Timestamp) -> Markup {
    html! { time datetime=(at) { (numbers::moment(&view.status.zone, at)) } }
}

/// How many requests are open, and by when.
pub(super) fn requests(view: View<'_>) -> Markup {
    let words = view.words;
    html! {
        section #requests data-live aria-labelledby="requests-title" {
            h2 #requests-title { (words.requests) }
            p { (words.requests_shared) }
            (last_known(view, &[Dependency::Redis]))
            @match &view.status.requests {
                None => p { (words.not_known) },
                Some(seen) => {
                    dl {
                        (tile(
                            words.open,
                            false,
                            &plain(numbers::count(seen.in_review + seen.in_hand)),
                            &html! {
                                (numbers::count(seen.in_review)) " " (words.in_review) ", "
                                (numbers::count(seen.in_hand)) " " (words.in_hand)
                            },
                        ))
                        (tile(words.overdue, seen.overdue > 0, &plain(numbers::count(seen.overdue)), &html! {}))
                        (next_due(view, seen.next_due))
                        (tile(
                            words.late,
                            false,
                            &plain(numbers::count(view.status.hour.sum.late())),
                            &plain(words.last_hour),
                        ))
                    }
                    (by_source(view, seen.sources.iter().map(|(source, count)| (source.as_str(), *count))))
                }
            }
        }
    }
}

fn next_due(view: View<'_>, next: Option<Timestamp>) -> Markup {
    let words = view.words;
    let Some(next) = next else { return tile(words.next_due, false, &plain(words.nothing_due), &html! {}) };
    let left_s = next.duration_since(view.status.at).as_secs_f64();
    let word = if left_s < 0.0 { words.due_ago } else { words.due_in };
    let figure = html! { (word) " " (numbers::length(view.language(), left_s.abs())) };
    tile(words.next_due, left_s < 0.0, &figure, &moment(view, next))
}

fn by_source<'a>(view: View<'_>, sources: impl Iterator<Item = (&'a str, u64)>) -> Markup {
    let open: Vec<_> = sources.filter(|(_, count)| *count > 0).collect();
    html! {
        @if !open.is_empty() {
            p {
                (view.words.by_source) ": "
                @for (place, (source, count)) in open.iter().enumerate() {
                    @if place > 0 { ", " }
                    code { (source) } " " (numbers::count(*count))
                }
            }
        }
    }
}

/// Dead letters, jobs that nobody takes, campaigns that lack parts.
pub(super) fn waiting(view: View<'_>) -> Markup {
    let (words, gauges) = (view.words, &view.status.gauges);
    let since = html! {
        (words.campaigns_mean)
        @if let Some(since) = gauges.campaigns_since { ", " (words.since) " " (moment(view, since)) }
    };
    let figure = |count: u64| plain(numbers::count(count));
    let (dead, unroutable) = (gauges.dead_waiting, gauges.unroutable_jobs);
    html! {
        section #waiting data-live aria-labelledby="waiting-title" {
            h2 #waiting-title { (words.waiting) }
            (last_known(view, &[Dependency::Amqp, Dependency::Redis]))
            dl {
                (tile(words.dead_waiting, dead > 0, &figure(dead), &plain(words.dead_waiting_means)))
                (tile(words.unroutable, unroutable > 0, &figure(unroutable), &plain(words.unroutable_means)))
                (tile(words.campaigns, false, &figure(gauges.campaigns_incomplete), &since))
            }
        }
    }
}

/// The list, how far this worker's copy is, and how soon an opt-out counts.
pub(super) fn list(view: View<'_>) -> Markup {
    let (words, gauges, language) = (view.words, &view.status.gauges, view.language());
    let live = view.status.is_current(Dependency::Mirror);
    let behind = gauges.revision.saturating_sub(gauges.mirror_revision);
    let (behind, of_what) =
        if live { (numbers::count(behind), words.behind_means) } else { (words.not_loaded.into(), "") };
    let hour = &view.status.hour.sum;
    let effect = match (hour.effect_s(0.5), hour.effect_s(0.99)) {
        (Some(half), Some(nearly_all)) => {
            let [half, nearly_all] = [half, nearly_all].map(|seconds| effect(view, seconds));
            tile(words.effect, false, &html! { (half) " / " (nearly_all) }, &plain(words.effect_means))
        }
        _ => tile(words.effect, false, &plain("–"), &plain(words.no_effect)),
    };
    let identifiers = IdentifierKind::ALL.iter().zip(gauges.identifiers);
    html! {
        section #list data-live aria-labelledby="list-title" {
            h2 #list-title { (words.list) }
            (last_known(view, &[Dependency::Redis]))
            dl {
                (tile(words.revision, false, &plain(numbers::count(gauges.revision)), &html! {}))
                (tile(words.behind, false, &plain(behind), &plain(of_what)))
                (effect)
            }
            p {
                (words.identifiers) ": "
                @for (place, (kind, count)) in identifiers.enumerate() {
                    @if place > 0 { ", " }
                    (view.say(&terms::identifier(*kind))) " " (numbers::short(language, count))
                }
            }
        }
    }
}

/// Beyond the last bucket nobody knows how long it took.
fn effect(view: View<'_>, seconds: f64) -> String {
    if seconds.is_finite() { numbers::length(view.language(), seconds) } else { "∞".to_owned() }
}
