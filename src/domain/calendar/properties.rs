//! Laws of the deadline in every zone of the database, and a second computation that only looks at the
//! clock on the wall, minute by minute.

use std::ops::Range;

use jiff::ToSpan;
use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;

use super::*;

/// The years 1800 to 8999: from before there were zones to far beyond the last rule that is written down.
const EVER: Range<i64> = -5_364_662_400..221_845_392_000;
/// The years 1900 to 2037, in which zones change most.
const EVENTFUL: Range<i64> = -2_208_988_800..2_145_916_800;

/// A calendar by rules of its own: which days around a start are odd.
#[derive(Debug, Clone)]
struct Case {
    zone: String,
    start: Timestamp,
    weekly_days_off: Vec<Weekday>,
    /// Days from the start that are off, or worked.
    odd: Vec<(i64, bool)>,
}

impl Case {
    fn zone(&self) -> TimeZone {
        TimeZoneDatabase::bundled().get(&self.zone).unwrap()
    }

    fn odd_days(&self) -> Vec<(Date, bool)> {
        let today = self.zone().to_datetime(self.start).date();
        self.odd.iter().map(|(after, worked)| (today + after.days(), *worked)).collect()
    }

    fn calendar(&self) -> Calendar {
        let this = self.zone().to_datetime(self.start).year();
        let mut years: BTreeMap<_, _> = (this - 1..=this + 1).map(|year| (year, Year::default())).collect();
        for (date, worked) in self.odd_days() {
            let year = years.get_mut(&date.year()).unwrap();
            let days = if worked { &mut year.working_days } else { &mut year.days_off };
            days.insert(date);
        }
        Calendar::new("v".into(), self.zone(), self.weekly_days_off.clone(), years)
    }

    /// The 24 hours counted by looking at the wall's clock at each of its full minutes, and at each second of
    /// a minute in which the zone changes its offset (Alaska did so at 15:33:32 by the clock of Juneau).
    fn counted_by_minutes(&self, start: Timestamp) -> Timestamp {
        let zone = self.zone();
        let odd = self.odd_days();
        let (mut at, mut left) = (start.as_microsecond(), 24 * 3_600_000_000_i64);
        loop {
            let wall = Timestamp::from_microsecond(at).unwrap().to_zoned(zone.clone());
            let (today, second) = (wall.date(), i64::from(wall.second()));
            let said = |worked| odd.contains(&(today, worked));
            let off = said(false) || (self.weekly_days_off.contains(&today.weekday()) && !said(true));
            let until_next_second = 1_000_000 - at.rem_euclid(1_000_000);
            let until_next_minute = (59 - second) * 1_000_000 + until_next_second;
            let then = Timestamp::from_microsecond(at + until_next_minute).unwrap();
            let even = zone.to_offset(then) == wall.offset();
            let step = if even { until_next_minute } else { until_next_second };
            let here = if off { step } else { step.min(left) };
            at += here;
            left -= if off { 0 } else { here };
            if left == 0 {
                return Timestamp::from_microsecond(at).unwrap();
            }
        }
    }
}

fn zones() -> impl Strategy<Value = String> {
    let names: Vec<String> = TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
    prop_oneof![3 => proptest::sample::select(names), 1 => Just("Asia/Almaty".to_owned())]
}

/// Anywhere, or within two days of a change of the zone's clocks, where there is one.
fn starts(zone: String) -> impl Strategy<Value = Timestamp> {
    let second = prop_oneof![1 => EVER, 3 => EVENTFUL];
    (second, 0..1_000_000_i64, any::<bool>(), -172_800..172_800_i64).prop_map(
        move |(second, micros, near_a_change, away)| {
            let zone = TimeZoneDatabase::bundled().get(&zone).unwrap();
            let start = Timestamp::from_second(second).unwrap();
            let change = zone.following(start).next().map(|change| change.timestamp().as_second());
            let second =
                change.filter(|change| near_a_change && *change < EVER.end).map_or(second, |at| at + away);
            Timestamp::from_microsecond(second * 1_000_000 + micros).unwrap()
        },
    )
}

fn weekly() -> impl Strategy<Value = Vec<Weekday>> {
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    prop_oneof![
        3 => Just(vec![Saturday, Sunday]),
        1 => Just(vec![Friday, Saturday]),
        1 => Just(vec![Sunday]),
        1 => Just(vec![]),
        1 => Just(vec![Monday, Tuesday, Wednesday, Thursday, Friday, Saturday]),
    ]
}

fn cases() -> impl Strategy<Value = Case> {
    let odd = proptest::collection::vec((-1..15_i64, any::<bool>()), 0..6);
    zones().prop_flat_map(starts_in).prop_flat_map(move |(zone, start)| {
        (weekly(), odd.clone()).prop_map(move |(weekly_days_off, odd)| Case {
            zone: zone.clone(),
            start,
            weekly_days_off,
            odd,
        })
    })
}

fn starts_in(zone: String) -> impl Strategy<Value = (String, Timestamp)> {
    starts(zone.clone()).prop_map(move |start| (zone.clone(), start))
}

/// When America bought Alaska, its clocks went back by a day, at no full minute.
#[test]
fn a_zone_that_changes_its_offset_within_a_minute_is_counted_to_the_second() {
    let change: Timestamp = "1867-10-18T00:31:13Z".parse().unwrap();
    for hours in 0..48 {
        let case = Case {
            zone: "America/Juneau".into(),
            start: change - hours.hours(),
            weekly_days_off: vec![Weekday::Friday],
            odd: vec![],
        };
        assert_eq!(case.calendar().deadline(case.start).due_at, case.counted_by_minutes(case.start));
    }
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

proptest! {
    #[test]
    fn counting_minutes_on_the_wall_gives_the_same_deadline(case in cases()) {
        let deadline = case.calendar().deadline(case.start);
        prop_assert_eq!(deadline.due_at, case.counted_by_minutes(case.start));
        prop_assert!(deadline.calendar.is_some());
    }

    #[test]
    fn a_deadline_is_never_before_24_hours_and_the_strict_one_never_after_48(case in cases()) {
        let deadline = case.calendar().deadline(case.start);
        prop_assert!(deadline.due_at >= case.start + DAY);
        prop_assert!(deadline.due_strict_at >= case.start + DAY);
        prop_assert!(deadline.due_strict_at <= case.start + DAY * 2);
        prop_assert!(deadline.due_strict_at <= deadline.due_at);
    }

    #[test]
    fn who_asks_later_is_never_due_earlier(case in cases(), later in 0..2_000_000_000_000_i64) {
        let calendar = case.calendar();
        let (first, second) = (
            calendar.deadline(case.start),
            calendar.deadline(case.start + SignedDuration::from_micros(later)),
        );
        prop_assert!(first.due_at <= second.due_at);
        prop_assert!(first.due_strict_at <= second.due_strict_at);
    }

    #[test]
    fn a_year_less_in_the_calendar_makes_a_deadline_plain_or_leaves_it(case in cases(), next in any::<bool>()) {
        let whole = case.calendar();
        let mut less = whole.clone();
        less.years.remove(&(case.zone().to_datetime(case.start).year() + i16::from(next)));
        let (whole, less) = (whole.deadline(case.start), less.deadline(case.start));
        let plain = case.start + DAY;
        let flagged = Deadline { due_at: plain, due_strict_at: plain, calendar: None };
        prop_assert!(less == flagged || next && less == whole);
    }
}
