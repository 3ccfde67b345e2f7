//! Times as exports write them: seconds of Unix, RFC 3339, RFC 2822, and what databases and spreadsheets print.
//!
//! What could be read in two ways (`03/04/2026`) is not read. A time without an offset is one of the configured
//! zone. A day without a time is its last second: in doubt the restriction is the later one.

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::rfc2822;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Unit};

use crate::codec::time::parse_rfc3339;

/// Seconds of Unix from here (1973) to [`SECONDS_MAX`] (2286); a thousand times as much are milliseconds.
const SECONDS_MIN: i64 = 100_000_000;
const SECONDS_MAX: i64 = 9_999_999_999;

static RFC_2822: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new().relaxed_weekday(true);

/// Reads a time; `None`: it is none, or more than one.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    let found =
        unix(text).or_else(|| parse_rfc3339(text)).or_else(|| mail(text)).or_else(|| civil(text, zone));
    // To the microsecond, as everything is stored.
    found.and_then(|at| {
        let cut = jiff::TimestampRound::new().smallest(Unit::Microsecond).mode(jiff::RoundMode::Floor);
        at.round(cut).ok()
    })
}

/// Seconds or milliseconds, with a fraction or without.
fn unix(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let micros: i64 = format!("{fraction:0<6}")[..6].parse().ok()?;
    match number {
        SECONDS_MIN..=SECONDS_MAX => Timestamp::from_microsecond(number * 1_000_000 + micros).ok(),
        _ if (SECONDS_MIN..=SECONDS_MAX).contains(&(number / 1000)) => {
            Timestamp::from_millisecond(number).ok()
        }
        _ => None,
    }
}

/// `Fri, 21 Oct 2011 11:02:55 GMT`; Mailgun ends it with `UTC`, which mail does not know.
fn mail(text: &str) -> Option<Timestamp> {
    let known = text.strip_suffix(" UTC").map(|rest| format!("{rest} +0000"));
    RFC_2822.parse_timestamp(known.as_deref().unwrap_or(text)).ok()
}

/// `2026-11-22 10:15:30.5 +0500 +05`, `22.11.2026 10:15`, `2026-11-22`.
fn civil(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let (day, rest) = text.split_at_checked(10)?;
    let day = date(day)?;
    let rest = rest.strip_prefix(['T', ',']).unwrap_or(rest).trim_start();
    if rest.is_empty() {
        let midnight = day.tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
        return midnight.timestamp().checked_sub(jiff::SignedDuration::from_secs(1)).ok();
    }
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(rest.len());
    let time = clock(&rest[..end])?;
    let at = DateTime::from_parts(day, time);
    // After the offset, programs repeat it as a name: `+0500 +05`, `+0000 UTC`.
    match rest[end..].split_whitespace().next() {
        None => zone.to_ambiguous_timestamp(at).compatible().ok(),
        Some(offset) => offset_of(offset)?.to_timestamp(at).ok(),
    }
}

/// The year first, or the day first with dots.
fn date(text: &str) -> Option<Date> {
    let number = |range: std::ops::Range<usize>| -> Option<i16> {
        let digits = text.get(range)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let small = |range| i8::try_from(number(range)?).ok();
    let bytes = text.as_bytes();
    match (bytes[2], bytes[4], bytes[5], bytes[7]) {
        (_, b'-', _, b'-') | (_, b'/', _, b'/') => Date::new(number(0..4)?, small(5..7)?, small(8..10)?).ok(),
        (b'.', _, b'.', _) => Date::new(number(6..10)?, small(3..5)?, small(0..2)?).ok(),
        _ => None,
    }
}

/// `10:15`, `10:15:30`, `10:15:30.123456`.
fn clock(text: &str) -> Option<Time> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = whole.split(':').map(|part| (part.len() <= 2).then(|| part.parse::<i8>().ok())?);
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?.min(59);
    if parts.next().is_some() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: i32 = format!("{fraction:0<9}")[..9].parse().ok()?;
    Time::new(hour, minute, second, nanos).ok()
}

/// `Z`, `UTC`, `GMT`, `+05`, `+0500`, `+05:00`.
fn offset_of(text: &str) -> Option<Offset> {
    if matches!(text, "Z" | "z" | "UTC" | "GMT") {
        return Some(Offset::UTC);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (digits.as_str(), "0"),
        4 => digits.split_at_checked(2)?,
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 23 && minutes <= 59).then(|| Offset::from_seconds(sign * (hours * 60 + minutes) * 60).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn almaty() -> TimeZone {
        TimeZone::fixed(Offset::from_hours(5).unwrap())
    }

    #[test]
    fn the_times_of_exports_are_read_as_instants() {
        for (text, instant) in [
            ("1443651125", "2015-09-30T22:12:05Z"),
            ("1586549395.49", "2020-04-10T20:09:55.49Z"),
            ("1700000000123", "2023-11-14T22:13:20.123Z"),
            ("2026-11-22T10:15:00+05:00", "2026-11-22T05:15:00Z"),
            ("2020-04-10T20:09:55.495000+00:00", "2020-04-10T20:09:55.495Z"),
            ("Fri, 21 Oct 2011 11:02:55 GMT", "2011-10-21T11:02:55Z"),
            ("Fri, 21 Oct 2011 11:02:55 UTC", "2011-10-21T11:02:55Z"),
            ("Mon, 21 Oct 2011 11:02:55 +0500", "2011-10-21T06:02:55Z"),
            ("2024-05-01 10:15:30.123456 +0500 +05", "2024-05-01T05:15:30.123456Z"),
            ("2024-05-01 10:15:30 +0000 UTC", "2024-05-01T10:15:30Z"),
            ("2024-05-01T10:15:30+0500", "2024-05-01T05:15:30Z"),
            ("2026-11-22 10:15:00", "2026-11-22T05:15:00Z"),
            ("22.11.2026 10:15", "2026-11-22T05:15:00Z"),
            ("22.11.2026, 9:05:07", "2026-11-22T04:05:07Z"),
            ("2026/11/22 10:15", "2026-11-22T05:15:00Z"),
            (" 2026-11-22 ", "2026-11-22T18:59:59Z"),
            ("22.11.2026", "2026-11-22T18:59:59Z"),
        ] {
            assert_eq!(moment(text, &almaty()).map(|at| at.to_string()).as_deref(), Some(instant), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_or_two_is_not_read() {
        for text in [
            "",
            "yesterday",
            "03/04/2026",
            "20261122",
            "12345",
            "2026-13-01",
            "2026-11-22 25:00",
            "22.11.26",
            "2026-11-22 10",
            "2026-11-22 10:15 Almaty",
            "1.5e9",
            "22-11-2026",
            "2026-11-22T10:15:00.x",
        ] {
            assert_eq!(moment(text, &almaty()), None, "{text}");
        }
    }

    #[test]
    fn no_text_panics() {
        proptest::proptest!(|(text in "[-+0-9:.,/TtZz éMon]{0,40}")| { let _ = moment(&text, &almaty()); });
        proptest::proptest!(|(text in ".{0,20}")| { let _ = moment(&text, &almaty()); });
    }
}
