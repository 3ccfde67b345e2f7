//! A small plot of the last hour: one bar a minute, drawn as one path; its numbers are in its text.
//!
//! It says nothing by colour. A minute in which anything happened has a bar that can be seen.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::language::Language;
use super::numbers;
use super::words::words;
use crate::service::history::MINUTES;

/// The height of the drawing; its width is a unit a minute.
const HEIGHT: u64 = 40;

/// The lowest bar of a minute that is not empty.
const BAR_MIN: u64 = 4;

/// What a plot needs beside its values.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) language: Language,
    /// The end of the last minute.
    pub(super) at: Timestamp,
    pub(super) zone: &'a TimeZone,
}

/// A plot of what each minute added, the last one running; `what` names it.
pub(super) fn plot(frame: Frame<'_>, what: &str, now: f64, minutes: &[u64]) -> Markup {
    html! {
        svg role="img" viewBox=(format!("0 0 {MINUTES} {HEIGHT}")) preserveAspectRatio="none" {
            title { (what) }
            desc { (told(frame, now, minutes)) }
            path d=(bars(minutes));
        }
    }
}

/// The numbers for those who do not see the plot.
fn told(Frame { language, at, zone }: Frame<'_>, now: f64, minutes: &[u64]) -> String {
    let words = words(language);
    let most = minutes.iter().copied().max().unwrap_or_default();
    let ago = minutes.iter().rev().position(|count| *count == most).unwrap_or_default();
    let ago = jiff::SignedDuration::from_mins(i64::try_from(ago).unwrap_or_default());
    let then = numbers::clock(zone, at.checked_sub(ago).unwrap_or(at));
    let (now, in_all) = (numbers::rate(language, now), numbers::count(minutes.iter().sum()));
    format!(
        "{}: {now}; {}: {} {} {then}; {}: {in_all}",
        words.now,
        words.most,
        numbers::count(most),
        words.at,
        words.in_all
    )
}

/// The outline of the bars, from the left to the right and back along the ground. Equal neighbours are one bar.
fn bars(minutes: &[u64]) -> String {
    let most = minutes.iter().copied().max().unwrap_or_default().max(1);
    let height = |count: u64| match count {
        0 => 0,
        // Wide enough for any count: two counts of 64 bits do not fit in one.
        _ => u64::try_from(u128::from(count) * u128::from(HEIGHT) / u128::from(most))
            .unwrap_or(HEIGHT)
            .max(BAR_MIN),
    };
    let first = MINUTES.saturating_sub(minutes.len());
    // Writing to a String does not fail.
    let mut path = format!("M{first} {HEIGHT}");
    let mut at = 0;
    for (place, count) in minutes.iter().enumerate() {
        let next = height(*count);
        if next != at {
            let _ = write!(path, "H{}V{}", first + place, HEIGHT - next);
            at = next;
        }
    }
    let _ = write!(path, "H{MINUTES}V{HEIGHT}Z");
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(zone: &TimeZone) -> Frame<'_> {
        let at = "2026-11-23T20:15:09Z".parse().unwrap();
        Frame { language: Language::English, at, zone }
    }

    #[test]
    fn a_bar_is_as_high_as_its_share_of_the_highest() {
        assert_eq!(bars(&[]), "M60 40H60V40Z");
        assert_eq!(bars(&[0; MINUTES]), "M0 40H60V40Z");
        assert_eq!(bars(&[5; MINUTES]), "M0 40H0V0H60V40Z");
        assert_eq!(bars(&[0, 100, 50, 50, 1, 0]), "M54 40H55V0H56V20H58V36H59V40H60V40Z");
        assert_eq!(bars(&[u64::MAX, u64::MAX / 2]), "M58 40H58V0H59V21H60V40Z", "no overflow");
    }

    #[test]
    fn who_does_not_see_it_is_told_its_numbers() {
        let drawn = plot(frame(&TimeZone::UTC), "Jobs <per> minute", 12.0, &[1, 3400, 120]).into_string();
        assert!(drawn.contains("role=\"img\""), "{drawn}");
        assert!(drawn.contains("<title>Jobs &lt;per&gt; minute</title>"), "{drawn}");
        let told = "<desc>now: 12; most: 3\u{202f}400 at 20:14; in all: 3\u{202f}521</desc>";
        assert!(drawn.contains(told), "{drawn}");
    }
}
