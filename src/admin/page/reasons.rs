//! Why recipients were removed, and why messages are in the dead queue.

use maud::{Markup, html};

use super::{View, numbers, terms};
use crate::domain::words::{DeadReason, Removal};

/// Recipients removed, by reason, strongest first.
pub(super) fn removed(view: View<'_>) -> Markup {
    let (words, status, language) = (view.words, view.status, view.language());
    let received = status.hour.sum.all().received();
    html! {
        section #removed data-live aria-labelledby="removed-title" {
            h2 #removed-title { (words.removed) }
            table {
                caption { (words.removed_own) }
                thead {
                    tr {
                        th scope="col" { (words.reason) }
                        th scope="col" { (words.last_hour_column) }
                        th scope="col" { (words.share) }
                        th scope="col" { (words.since_start) }
                    }
                }
                tbody {
                    @for reason in Removal::ALL {
                        @let in_hour = status.hour.sum.removed(*reason);
                        tr {
                            th scope="row" { (view.say(&terms::removal(*reason))) " " code { (reason) } }
                            td { (numbers::short(language, in_hour)) }
                            td { (numbers::share(language, in_hour, received)) }
                            td { (numbers::short(language, status.totals.removed(*reason))) }
                        }
                    }
                }
            }
        }
    }
}

/// Messages moved to the dead queue, by reason: only the reasons that there were.
pub(super) fn dead(view: View<'_>) -> Markup {
    let (words, status) = (view.words, view.status);
    let happened: Vec<_> = DeadReason::ALL.iter().filter(|reason| status.totals.dead(**reason) > 0).collect();
    html! {
        section #dead data-live aria-labelledby="dead-title" {
            h2 #dead-title { (words.dead) }
            @if happened.is_empty() {
                p { (words.no_dead) }
            } @else {
                table {
                    caption { (words.dead_own) " " code { "suppressd dead" } }
                    thead {
                        tr {
                            th scope="col" { (words.reason) }
                            th scope="col" { (words.last_hour_column) }
                            th scope="col" { (words.since_start) }
                        }
                    }
                    tbody {
                        @for reason in happened {
                            tr {
                                th scope="row" { (view.say(&terms::dead_reason(*reason))) " " code { (reason) } }
                                td { (numbers::count(status.hour.sum.dead(*reason))) }
                                td { (numbers::count(status.totals.dead(*reason))) }
                            }
                        }
                    }
                }
            }
        }
    }
}
