//! `[calendar]`: which days are worked, so that a request has a deadline.
//!
//! The zone comes from the database that is built in, never from the machine's, which may be years behind.
//! Every day that would have no effect (not of its year, free anyway, worked anyway, named twice) is a
//! mistake: it is a slip of the pen, and a wrong day is a wrong deadline. Without the section there is no
//! calendar, and deadlines are plain 24 hours.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use config::Value;
use jiff::civil::{Date, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::domain::calendar::{Calendar, Year};

use super::section::Section;
use super::values::{Parsed, hours, list, name, switch, text, word};

const VERSION_BYTES_MAX: usize = 64;
const ZONE_BYTES_MAX: usize = 64;
/// One day of the week must be left to work on.
const WEEKLY_DAYS_OFF_MAX: usize = 6;
const DAYS_MAX: usize = 366;
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];
const WEEKEND: [Weekday; 2] = [Weekday::Saturday, Weekday::Sunday];

/// By when requests are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlines {
    /// The calendar; if none is configured, one that knows no year.
    pub calendar: Arc<Calendar>,
    /// How long before it is due a request is due soon.
    pub soon: Duration,
}

impl Deadlines {
    pub(super) fn take(section: &mut Section<'_>) -> Self {
        let soon = section.or("soon_h", Duration::from_hours(4), hours(1..=24));
        let configured =
            ["version", "zone", "weekly_days_off", "years"].into_iter().any(|key| section.has(key));
        let calendar = configured.then(|| calendar(section)).flatten();
        Self { calendar: Arc::new(calendar.unwrap_or_else(Calendar::none)), soon }
    }
}

/// `None` only if a mistake is noted.
fn calendar(section: &mut Section<'_>) -> Option<Calendar> {
    let version = section.require("version", "version = \"kz-2026.2\"", name(VERSION_BYTES_MAX, "-_."));
    let zone = section.require("zone", "zone = \"Asia/Almaty\"", zone);
    let given = section.has("weekly_days_off");
    let weekly = section.take("weekly_days_off", weekly_days_off);
    let weekly = if given { weekly } else { Some(WEEKEND.to_vec()) };
    let years = section.sections("years", |name, section| {
        let number = year_number(name);
        if number.is_none() {
            section.refuse(&[], "", "must be named by its year in four digits: [calendar.years.2026]");
        }
        let year = year(number, weekly.as_deref(), section);
        number.map(|number| (number, year))
    });
    Some(Calendar::new(version?.into(), zone?, weekly?, years.into_iter().flatten().collect()))
}

fn year_number(name: &str) -> Option<i16> {
    let four_digits = name.len() == 4 && name.bytes().all(|byte| byte.is_ascii_digit());
    four_digits.then(|| name.parse().ok()).flatten()
}

/// The days of one year. What is a mistake already (`None`) makes no second one of a day.
fn year(number: Option<i16>, weekly: Option<&[Weekday]>, section: &mut Section<'_>) -> Year {
    let weekly_off = |date: &Date| weekly.map(|weekly| weekly.contains(&date.weekday()));
    let provisional = section.or("provisional", false, switch);
    let days_off =
        section.require("days_off", "days_off = [\"2026-05-01\"], or [] if there is none", |value| {
            days(value, number, |date| {
                let needless = weekly_off(date) == Some(true);
                needless.then_some("is a weekly day off, which needs no entry; correct or remove it")
            })
        });
    let working_days = section.take("working_days", |value| {
        days(value, number, |date| {
            let needless = weekly_off(date) == Some(false);
            needless.then_some("is no weekly day off, so it is worked anyway; correct or remove it")
        })
    });
    Year {
        provisional,
        days_off: days_off.unwrap_or_default(),
        working_days: working_days.unwrap_or_default(),
    }
}

/// Dates of this year, each once, with which nothing is wrong; as TOML writes them, in quotes or without.
fn days(
    value: &Value,
    year: Option<i16>,
    wrong: impl Fn(&Date) -> Option<&'static str>,
) -> Parsed<BTreeSet<Date>> {
    let seen = RefCell::new(BTreeSet::new());
    list(0..=DAYS_MAX, |value| {
        let written = value.clone().into_string().unwrap_or_default();
        let date = written.trim().parse::<Date>().ok().filter(|date| date.to_string() == written.trim());
        let date = date.filter(|date| year.is_none_or(|year| date.year() == year)).ok_or_else(|| {
            let year = year.unwrap_or(2026);
            format!("must be a date of {year}, written \"{year}-05-01\"")
        })?;
        if !seen.borrow_mut().insert(date) {
            return Err("is named before; remove it".into());
        }
        wrong(&date).map_or(Ok(()), |problem| Err(problem.into()))
    })(value)?;
    Ok(seen.into_inner())
}

fn zone(value: &Value) -> Parsed<TimeZone> {
    let zone = TimeZoneDatabase::bundled().get(&text(ZONE_BYTES_MAX)(value)?).ok();
    zone.filter(|zone| !zone.is_unknown()).ok_or_else(|| {
        "must be a zone of the tz database, such as \"Asia/Almaty\"; an offset alone is none".into()
    })
}

fn weekly_days_off(value: &Value) -> Parsed<Vec<Weekday>> {
    let mut days = list(0..=WEEKLY_DAYS_OFF_MAX, word(&WEEKDAYS))(value)?;
    days.sort_by_key(|day| day.to_monday_zero_offset());
    days.dedup();
    Ok(days)
}
