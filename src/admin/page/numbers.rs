//! Numbers, shares, lengths of time and moments, as each language writes them.
//!
//! A moment is written year first, which no country reads as another day. A number is short enough for a
//! narrow column and never rounded to nothing: what is more than zero does not look like zero.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::language::Language;

/// Between groups of digits, and between a number and its unit: not broken into two lines.
const THIN_SPACE: char = '\u{202f}';
const NO_BREAK: char = '\u{a0}';

/// From here on numbers are written in thousands or millions.
const SHORTENED_FROM: u64 = 1_000_000;

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;

/// Of a length of time: milliseconds, seconds, minutes, hours, days; then millions and thousands of millions.
fn units(language: Language) -> [&'static str; 7] {
    match language {
        Language::English => ["ms", "s", "min", "h", "d", "M", "bn"],
        Language::Russian => ["мс", "с", "мин", "ч", "д", "млн", "млрд"],
        Language::Kazakh => ["мс", "с", "мин", "сағ", "күн", "млн", "млрд"],
    }
}

/// A count, exact: `12 345`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(THIN_SPACE);
        }
        text.push(digit);
    }
    text
}

/// A count where there is little room: `12 345`, `44.3 M`.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(super) fn short(language: Language, number: u64) -> String {
    let [.., millions, thousand_millions] = units(language);
    match number {
        0..SHORTENED_FROM => count(number),
        SHORTENED_FROM..1_000_000_000 => with_unit(decimal(language, number as f64 / 1e6, 1), millions),
        _ => with_unit(decimal(language, number as f64 / 1e9, 1), thousand_millions),
    }
}

/// How often a minute: `0.4`, `12`, `44.3 M`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are positive and saturate"
)]
pub(super) fn rate(language: Language, rate: f64) -> String {
    match rate {
        ..=0.0 => "0".to_owned(),
        // What happens is not nothing.
        ..0.95 => decimal(language, rate.max(0.1), 1),
        ..9.95 => decimal(language, rate, 1),
        _ => short(language, rate.round() as u64),
    }
}

/// A part of a whole: `4.9 %`; of nothing it is a dash.
#[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
pub(super) fn share(language: Language, part: u64, of: u64) -> String {
    if of == 0 {
        return "–".to_owned();
    }
    let percent = 100.0 * part as f64 / of as f64;
    let shown = if part > 0 { percent.max(0.1) } else { percent };
    // What is not all does not look like all.
    let shown = if part < of { shown.min(99.9) } else { shown };
    with_unit(decimal(language, shown, 1), "%")
}

/// A length of time: `8 ms`, `1.2 s`, `45 s`, `3 h 12 min`, `2 d 3 h`.
#[expect(clippy::cast_possible_truncation, reason = "far shorter than an i64 of seconds")]
pub(super) fn length(language: Language, seconds: f64) -> String {
    let [milliseconds, of_seconds, minutes, hours, days, ..] = units(language);
    let whole = seconds.round() as i64;
    match seconds {
        ..0.9995 => with_unit(decimal(language, (seconds * 1000.0).max(0.0), 0), milliseconds),
        ..9.95 => with_unit(decimal(language, seconds, 1), of_seconds),
        _ if whole < MINUTE_S => with_unit(whole, of_seconds),
        _ if whole < HOUR_S => with_unit(whole / MINUTE_S, minutes),
        _ if whole < DAY_S => two(whole / HOUR_S, hours, whole % HOUR_S / MINUTE_S, minutes),
        _ => two(whole / DAY_S, days, whole % DAY_S / HOUR_S, hours),
    }
}

fn two(more: i64, of_more: &str, less: i64, of_less: &str) -> String {
    let text = with_unit(more, of_more);
    if less == 0 { text } else { format!("{text} {}", with_unit(less, of_less)) }
}

/// `2026-11-24 13:30`.
pub(super) fn moment(zone: &TimeZone, at: Timestamp) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// `2026-11-24 13:30:59`.
pub(super) fn exact(zone: &TimeZone, at: Timestamp) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `13:30`.
pub(super) fn clock(zone: &TimeZone, at: Timestamp) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

/// `Asia/Almaty, UTC+05:00`.
pub(super) fn zone(zone: &TimeZone, at: Timestamp) -> String {
    let offset = at.to_zoned(zone.clone()).strftime("UTC%:z").to_string();
    zone.iana_name().filter(|name| *name != "UTC").map_or(offset.clone(), |name| format!("{name}, {offset}"))
}

fn decimal(language: Language, number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$}");
    if language == Language::English { text } else { text.replace('.', ",") }
}

fn with_unit(number: impl std::fmt::Display, unit: &str) -> String {
    format!("{number}{NO_BREAK}{unit}")
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZoneDatabase;

    use super::*;

    fn plain(text: &str) -> String {
        text.replace([THIN_SPACE, NO_BREAK], " ")
    }

    #[test]
    fn counts_have_groups_of_three() {
        for (number, expected) in
            [(0, "0"), (7, "7"), (999, "999"), (1000, "1 000"), (12_345, "12 345"), (1_234_567, "1 234 567")]
        {
            assert_eq!(plain(&count(number)), expected);
        }
        let shortened = Language::ALL.map(|language| plain(&short(language, 44_340_000)));
        assert_eq!(shortened, ["44,3 млн", "44,3 млн", "44.3 M"]);
        assert_eq!(plain(&short(Language::English, u64::MAX)), "18446744073.7 bn");
    }

    #[test]
    fn what_is_more_than_nothing_does_not_look_like_nothing() {
        let rates = [0.0, 0.001, 0.43, 0.96, 9.94, 9.96, 1234.4, f64::NAN];
        let shown = rates.map(|number| plain(&rate(Language::Russian, number)));
        assert_eq!(shown, ["0", "0,1", "0,4", "1,0", "9,9", "10", "1 234", "0"]);
        let shares = [(0, 0), (0, 5), (1, 1_000_000), (999_999, 1_000_000), (5, 5), (1, 8)];
        let shown = shares.map(|(part, of)| plain(&share(Language::English, part, of)));
        assert_eq!(shown, ["–", "0.0 %", "0.1 %", "99.9 %", "100.0 %", "12.5 %"]);
    }

    #[test]
    fn lengths_of_time_have_two_units_at_most() {
        let lengths = [0.0, 0.0084, 0.25, 1.23, 45.0, 61.0, 3600.0, 11_520.0, 183_600.0, -5.0];
        let shown = lengths.map(|seconds| plain(&length(Language::English, seconds)));
        let expected =
            ["0 ms", "8 ms", "250 ms", "1.2 s", "45 s", "1 min", "1 h", "3 h 12 min", "2 d 3 h", "0 ms"];
        assert_eq!(shown, expected);
        assert_eq!(plain(&length(Language::Kazakh, 11_520.0)), "3 сағ 12 мин");
    }

    #[test]
    fn moments_are_those_of_the_zone() {
        let almaty = TimeZoneDatabase::bundled().get("Asia/Almaty").unwrap();
        let at: Timestamp = "2026-11-23T20:15:09Z".parse().unwrap();
        assert_eq!(moment(&almaty, at), "2026-11-24 01:15");
        assert_eq!(exact(&almaty, at), "2026-11-24 01:15:09");
        assert_eq!(clock(&almaty, at), "01:15");
        assert_eq!(zone(&almaty, at), "Asia/Almaty, UTC+05:00");
        assert_eq!(zone(&TimeZone::UTC, at), "UTC+00:00");
    }
}
