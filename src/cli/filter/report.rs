//! The sums of a cleaned file, for people and for machines.

use std::fmt::Write;

use serde::Serialize;

use crate::clean::opt_outs::OptOuts;
use crate::clean::{Campaign, Summary};
use crate::domain::words::{IdentifierKind, Removal};

/// What was read of the events.
pub(super) fn opt_outs(read: &OptOuts) -> String {
    let mut text = format!("opt-outs: {} events", read.events);
    for (count, what) in [
        (read.duplicates, "repeated"),
        (read.lines_ignoring, "with an identifier that cannot be read beside others that can"),
        (read.lines_widened, "widened because their scope names something unknown"),
    ] {
        if count > 0 {
            write!(text, ", {count} {what}").expect("a String takes text");
        }
    }
    write!(text, "; {} identifiers restricted", read.list.restricted()).expect("a String takes text");
    text
}

/// The sums, aligned.
pub(super) fn text(campaign: &Campaign, summary: &Summary) -> String {
    let Campaign { channel, region, brand } = campaign;
    let mut lines = format!("cleaned for {channel}, {region}, {brand}:");
    let mut line = |indent: usize, name: &str, count: u64| {
        let width = 20 - indent;
        write!(lines, "\n{:indent$}{name:width$}{count:>10}", "").expect("a String takes text");
    };
    line(2, "received", summary.received);
    line(2, "kept", summary.kept);
    line(2, "removed", summary.removed_in_all());
    for &reason in Removal::ALL {
        line(4, reason.as_str(), summary.removed(reason));
    }
    for &kind in IdentifierKind::ALL {
        if summary.ignored(kind) > 0 {
            line(2, &format!("unreadable {kind}"), summary.ignored(kind));
        }
    }
    lines
}

/// The sums in the names of a job's `suppression` member.
#[derive(Serialize)]
struct Sums<'a> {
    channel: &'static str,
    region: &'a str,
    brand: &'a str,
    received: u64,
    kept: u64,
    removed: Removed,
    ignored: Ignored,
}

#[derive(Serialize)]
struct Removed {
    opt_out: u64,
    hold: u64,
    complaint: u64,
    bounce: u64,
    unidentifiable: u64,
}

#[derive(Serialize)]
struct Ignored {
    user_id: u64,
    email: u64,
    phone: u64,
}

/// The sums on one line of JSON.
pub(super) fn json(campaign: &Campaign, summary: &Summary) -> String {
    let sums = Sums {
        channel: campaign.channel.as_str(),
        region: &campaign.region,
        brand: &campaign.brand,
        received: summary.received,
        kept: summary.kept,
        removed: Removed {
            opt_out: summary.removed(Removal::OptOut),
            hold: summary.removed(Removal::Hold),
            complaint: summary.removed(Removal::Complaint),
            bounce: summary.removed(Removal::Bounce),
            unidentifiable: summary.removed(Removal::Unidentifiable),
        },
        ignored: Ignored {
            user_id: summary.ignored(IdentifierKind::UserId),
            email: summary.ignored(IdentifierKind::Email),
            phone: summary.ignored(IdentifierKind::Phone),
        },
    };
    serde_json::to_string(&sums).expect("names and numbers are JSON")
}
