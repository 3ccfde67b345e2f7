//! Jobs and recipients: by channel with larger plots, and by region and channel with small ones.
//!
//! The table of regions is as long as the configured list. A region without jobs on a channel has no plot there,
//! which keeps a page of many quiet regions small.

use maud::{Markup, html};

use super::plot::plot;
use super::{View, numbers, terms};
use crate::domain::words::Channel;
use crate::metrics::{Counts, Flow};

/// By channel, and all together.
pub(super) fn flow(view: View<'_>) -> Markup {
    let words = view.words;
    html! {
        section #flow data-live aria-labelledby="flow-title" {
            h2 #flow-title { (words.flow) }
            p { (words.flow_own) }
            table .flow {
                caption { (words.by_channel) }
                thead {
                    tr {
                        th scope="col" { (words.channel) }
                        th scope="col" { (words.jobs) }
                        th scope="col" { (words.recipients) }
                        th scope="col" { (words.removed_share) }
                    }
                }
                tbody {
                    (row(view, words.all_channels, Counts::all))
                    @for channel in Channel::ALL {
                        (row(view, view.say(&terms::channel(*channel)), |counts| counts.channel(*channel)))
                    }
                }
            }
        }
    }
}

fn row(view: View<'_>, name: &str, of: impl Fn(&Counts) -> Flow) -> Markup {
    let sum = of(&view.status.hour.sum);
    let received = |counts: &Counts| of(counts).received();
    html! {
        tr {
            th scope="row" { (name) }
            (drawn(view, view.words.jobs, |counts| of(counts).jobs))
            (drawn(view, view.words.recipients, received))
            td { strong { (numbers::share(view.language(), sum.removed, sum.received())) } }
        }
    }
}

/// A rate with its plot, and what it came to in the last hour.
fn drawn(view: View<'_>, what: &str, of: impl Fn(&Counts) -> u64) -> Markup {
    let (hour, language) = (&view.status.hour, view.language());
    let now = hour.a_minute(&of);
    let minutes: Vec<u64> = hour.minutes.iter().map(&of).collect();
    let what = format!("{what} {}", view.words.plot);
    html! {
        td {
            strong { (numbers::rate(language, now)) } " "
            small { (view.words.last_hour) " " (numbers::short(language, of(&hour.sum))) }
            // Nothing needs no plot.
            @if of(&hour.sum) > 0 { (plot(view.frame(), &what, now, &minutes)) }
        }
    }
}

/// By region and channel.
pub(super) fn regions(view: View<'_>) -> Markup {
    let words = view.words;
    html! {
        section #regions data-live aria-labelledby="regions-title" {
            h2 #regions-title { (words.regions) }
            table .regions {
                caption { (words.by_region) }
                thead {
                    tr {
                        th scope="col" { (words.region) }
                        @for channel in Channel::ALL {
                            th scope="col" { (view.say(&terms::channel(*channel))) }
                        }
                        th scope="col" { (words.removed_share) }
                    }
                }
                tbody {
                    @for (place, region) in view.status.catalogue.regions().iter().enumerate() {
                        tr {
                            th scope="row" { (region.name) " " small { (region.code) } }
                            @for channel in Channel::ALL { (cell(view, place, *channel)) }
                            (removed(view, place))
                        }
                    }
                }
            }
        }
    }
}

/// One region on one channel.
fn cell(view: View<'_>, region: usize, channel: Channel) -> Markup {
    let (hour, language) = (&view.status.hour, view.language());
    let of = |counts: &Counts| counts.flow(region, channel);
    if of(&hour.sum).jobs == 0 {
        return html! { td .none { "0" } };
    }
    let now = hour.a_minute(|counts| of(counts).received());
    let jobs = hour.a_minute(|counts| of(counts).jobs);
    let minutes: Vec<u64> = hour.minutes.iter().map(|counts| of(counts).received()).collect();
    html! {
        td {
            (numbers::rate(language, now)) " " small { "(" (numbers::rate(language, jobs)) ")" }
            (plot(view.frame(), view.words.recipients, now, &minutes))
        }
    }
}

/// How many of a region's recipients were removed in the last hour.
fn removed(view: View<'_>, region: usize) -> Markup {
    let flows = Channel::ALL.iter().map(|channel| view.status.hour.sum.flow(region, *channel));
    let (removed, received) =
        flows.fold((0, 0), |(removed, received), flow| (removed + flow.removed, received + flow.received()));
    html! { td { (numbers::share(view.language(), removed, received)) } }
}
