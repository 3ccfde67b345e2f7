//! Times as the contract writes them: RFC 3339, with an offset.
//!
//! jiff's own parser takes more (a space, a missing second, a zone in brackets), so the form is checked
//! here and jiff only does the calendar. Times are cut to microseconds: that is what is stored.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// The digits of a second's fraction that count.
const FRACTION_DIGITS: usize = 6;

/// Reads `2026-11-22T10:15:00+05:00`: any fraction of a second, `Z` or an offset, `t` and `z` in either
/// case. A leap second `:60` is taken as the second before it.
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.as_bytes().split_at_checked(10)?;
    let [b'T' | b't', rest @ ..] = rest else { return None };
    let (time, rest) = rest.split_at_checked(8)?;
    let (micros, rest) = fraction(rest)?;
    let second = two(time, 6)?;
    if time[2] != b':' || time[5] != b':' || second > 60 {
        return None;
    }
    let time = Time::new(two(time, 0)?, two(time, 3)?, second.min(59), micros * 1000).ok()?;
    offset(rest)?.to_timestamp(DateTime::from_parts(day(date)?, time)).ok()
}

fn day(text: &[u8]) -> Option<Date> {
    if text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let year = i16::from(two(text, 0)?) * 100 + i16::from(two(text, 2)?);
    Date::new(year, two(text, 5)?, two(text, 8)?).ok()
}

/// Microseconds, and what follows the fraction.
fn fraction(text: &[u8]) -> Option<(i32, &[u8])> {
    let [b'.', rest @ ..] = text else { return Some((0, text)) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, rest) = rest.split_at_checked(digits)?;
    let mut padded = [b'0'; FRACTION_DIGITS];
    let counted = digits.min(FRACTION_DIGITS);
    padded[..counted].copy_from_slice(&fraction[..counted]);
    let micros = padded.iter().fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'));
    (digits > 0).then_some((micros, rest))
}

fn offset(text: &[u8]) -> Option<Offset> {
    let sign = match text {
        [b'Z' | b'z'] => return Some(Offset::UTC),
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let (hours, minutes) = (i32::from(two(text, 1)?), i32::from(two(text, 4)?));
    if hours > 23 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 60 + minutes) * 60).ok()
}

/// The number that two digits make. No caller asks beyond the length that it checked.
fn two(text: &[u8], at: usize) -> Option<i8> {
    let digit = |index: usize| {
        let byte = *text.get(index)?;
        byte.is_ascii_digit().then(|| i8::try_from(byte - b'0').ok())?
    };
    Some(digit(at)? * 10 + digit(at + 1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_instants_cut_to_microseconds() {
        for (text, instant) in [
            ("2026-11-22T10:15:00+05:00", "2026-11-22T05:15:00Z"),
            ("2026-11-22t10:15:00z", "2026-11-22T10:15:00Z"),
            ("2026-11-22T10:15:00.5Z", "2026-11-22T10:15:00.5Z"),
            ("2026-11-22T10:15:00.1234567890123-00:00", "2026-11-22T10:15:00.123456Z"),
            ("2026-12-31T23:59:60Z", "2026-12-31T23:59:59Z"),
            ("2024-02-29T00:00:00-23:59", "2024-02-29T23:59:00Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ] {
            assert_eq!(parse_rfc3339(text).map(|time| time.to_string()).as_deref(), Some(instant), "{text}");
        }
    }

    #[test]
    fn what_is_not_rfc_3339_is_refused() {
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T10:15:00",
            "2026-11-22 10:15:00Z",
            "2026-11-22T10:15Z",
            "2026-11-22T10:15:00.Z",
            "2026-11-22T10:15:00,5Z",
            "2026-11-22T10:15:00+05",
            "2026-11-22T10:15:00+0500",
            "2026-11-22T10:15:00+05:00[Asia/Almaty]",
            "2026-11-22T10:15:00Z ",
            "2026-11-22T10:15:61Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T10:15:00+24:00",
            "2026-11-22T10:15:00+05:60",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "+002026-11-22T10:15:00Z",
            "2026-1é-22T10:15:00Z",
            "9999-12-31T23:59:59-23:59",
            "20261122T101500Z",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn no_text_panics() {
        proptest::proptest!(|(text in "[-+0-9:.TtZzé]{0,40}")| { let _ = parse_rfc3339(&text); });
    }
}
