//! Working days, and by when a request must be in force.
//!
//! The law of the policy is "24 hours, on working days": real hours, counted only while the calendar on the
//! wall of the configured zone shows a working day. So a day has as many hours as the zone gives it, and a
//! start on a free day begins to count at the next working day's midnight. What is not known is not guessed:
//! a count that needs a year without data is plain 24 hours and says so. The zone is handed in, from a
//! database that ships with the program; nothing here depends on the machine's own zone or clock.

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::scope::Name;

/// What the policy allows, in hours of working days.
const ALLOWED: SignedDuration = SignedDuration::from_hours(24);
/// What mail providers allow, by the clock on the wall.
const ALLOWED_STRICTLY: SignedDuration = SignedDuration::from_hours(48);
/// How many stretches of time a count looks at, each at most a civil day. More than a year without a
/// working day is no calendar.
const STRETCHES_MAX: usize = 400;
/// How long before its data ends a calendar is lacking.
const WARNED_AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Which days are worked, where, and by which edition of the law.
///
/// The days are not checked here: a day in the table of another year has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    version: Name,
    zone: TimeZone,
    weekly_days_off: Vec<Weekday>,
    years: BTreeMap<i16, Year>,
}

/// What is particular about one year.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Year {
    /// Not all of it is announced: somebody should look again.
    pub provisional: bool,
    /// Days off beside the weekly ones.
    pub days_off: BTreeSet<Date>,
    /// Days that are worked although they are weekly days off.
    pub working_days: BTreeSet<Date>,
}

/// By when a request must be in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// What the policy obliges to.
    pub due_at: Timestamp,
    /// What is aimed at: `due_at`, and 48 hours after the start at the latest.
    pub due_strict_at: Timestamp,
    /// The version of the calendar that was counted by; `None`: no calendar knows the days in question, and
    /// both are plain 24 hours.
    pub calendar: Option<Name>,
}

/// What somebody should add to a calendar soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// There is no calendar at all.
    Calendar,
    /// No data for this year, which is the present one or begins within 30 days.
    Year(i16),
    /// The data for this year, which is the present one or begins within 30 days, is provisional.
    Announcement(i16),
}

impl Calendar {
    /// A calendar that knows the years given.
    pub fn new(
        version: Name,
        zone: TimeZone,
        weekly_days_off: Vec<Weekday>,
        years: BTreeMap<i16, Year>,
    ) -> Self {
        Self { version, zone, weekly_days_off, years }
    }

    /// The calendar of who has none: it knows no year.
    pub fn none() -> Self {
        Self::new("none".into(), TimeZone::UTC, Vec::new(), BTreeMap::new())
    }

    /// Whose clock is on the wall.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// By which edition it counts, and the last year that it knows; `None`: it knows none.
    pub fn horizon(&self) -> Option<(&Name, i16)> {
        let (last, _) = self.years.last_key_value()?;
        Some((&self.version, *last))
    }

    /// By when a request must be in force whose time begins to run at `start`.
    pub fn deadline(&self, start: Timestamp) -> Deadline {
        let counted = self.counted(start);
        let due_at = counted.unwrap_or_else(|| later(start, ALLOWED));
        Deadline {
            due_at,
            due_strict_at: due_at.min(later(start, ALLOWED_STRICTLY)),
            calendar: counted.map(|_| self.version.clone()),
        }
    }

    /// When the hours of working days since `start` are used up; `None` where a day is not known.
    ///
    /// Time is cut where the date or the offset changes. Between two cuts the clock on the wall runs like any
    /// other, so no day that is skipped, doubled, longer or shorter needs a rule of its own.
    fn counted(&self, start: Timestamp) -> Option<Timestamp> {
        let (mut at, mut left) = (start, ALLOWED);
        for _ in 0..STRETCHES_MAX {
            let (date, end) = self.stretch(at)?;
            if self.is_worked(date)? {
                let here = end.duration_since(at);
                if left <= here {
                    return at.checked_add(left).ok();
                }
                left -= here;
            }
            at = end;
        }
        None
    }

    /// The date at this instant, and until when it and the offset stay; `None` at the end of time.
    fn stretch(&self, at: Timestamp) -> Option<(Date, Timestamp)> {
        let offset = self.zone.to_offset(at);
        let date = offset.to_datetime(at).date();
        let midnight = date.tomorrow().ok()?.to_datetime(Time::midnight());
        let midnight = offset.to_timestamp(midnight).ok()?;
        let change = self.zone.following(at).next().map(|change| change.timestamp());
        Some((date, change.map_or(midnight, |change| change.min(midnight))))
    }

    /// `None`: nothing is known of that year.
    fn is_worked(&self, date: Date) -> Option<bool> {
        let year = self.years.get(&date.year())?;
        let usually = !self.weekly_days_off.contains(&date.weekday());
        Some((usually || year.working_days.contains(&date)) && !year.days_off.contains(&date))
    }

    /// What is missing now or will be within 30 days, the worst of it.
    pub fn lack(&self, now: Timestamp) -> Option<Lack> {
        if self.years.is_empty() {
            return Some(Lack::Calendar);
        }
        let ahead = later(now, WARNED_AHEAD);
        let years = [now, ahead].map(|at| self.zone.to_datetime(at).year());
        let unknown = years.into_iter().find(|year| !self.years.contains_key(year)).map(Lack::Year);
        let provisional = |year: &i16| self.years.get(year).is_some_and(|year| year.provisional);
        unknown.or_else(|| years.into_iter().find(provisional).map(Lack::Announcement))
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calendar => {
                f.write_str("no [calendar] is configured: deadlines are plain 24 hours, free days count too")
            }
            Self::Year(year) => write!(
                f,
                "the calendar has no days for {year}: deadlines that need them are plain 24 hours; \
                 add [calendar.years.{year}]"
            ),
            Self::Announcement(year) => write!(
                f,
                "the calendar's days for {year} are provisional: compare them with what was announced, then \
                 remove calendar.years.{year}.provisional"
            ),
        }
    }
}

/// An instant so much later, or the end of time.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
