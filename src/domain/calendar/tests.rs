//! The table of deadlines and the edges of days, years and zones, each row worked out by hand.

use jiff::Zoned;
use jiff::civil::date;
use jiff::tz::TimeZoneDatabase;

use super::*;

const WEEKEND: [Weekday; 2] = [Weekday::Saturday, Weekday::Sunday];

pub(super) fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn year(days_off: &[Date], working_days: &[Date]) -> (i16, Year) {
    let year = Year {
        provisional: false,
        days_off: days_off.iter().copied().collect(),
        working_days: working_days.iter().copied().collect(),
    };
    (days_off[0].year(), year)
}

fn days(year: i16, days: &[(i8, i8)]) -> Vec<Date> {
    days.iter().map(|(month, day)| date(year, *month, *day)).collect()
}

fn of_2026() -> Vec<Date> {
    days(
        2026,
        &[
            (1, 1),
            (1, 2),
            (1, 7),
            (3, 9),
            (3, 23),
            (3, 24),
            (3, 25),
            (5, 1),
            (5, 7),
            (5, 11),
            (5, 27),
            (7, 6),
            (10, 26),
            (12, 16),
        ],
    )
}

fn of_2027() -> Vec<Date> {
    days(2027, &[(1, 1), (1, 4), (1, 7), (3, 8), (3, 15), (3, 22), (3, 23), (3, 24), (5, 3), (5, 7), (5, 10)])
}

fn calendar(zone_name: &str, years: impl IntoIterator<Item = (i16, Year)>) -> Calendar {
    Calendar::new("v".into(), zone(zone_name), WEEKEND.to_vec(), years.into_iter().collect())
}

fn kazakhstan() -> Calendar {
    calendar("Asia/Almaty", [year(&of_2026(), &[]), year(&of_2027(), &[])])
}

/// A clock on the wall of the zone: `2026-11-23T10:00`, with an offset only where two instants show it.
fn at(calendar: &Calendar, wall: &str) -> Timestamp {
    let bracket = calendar.zone.iana_name().unwrap();
    format!("{wall}[{bracket}]").parse::<Zoned>().unwrap().timestamp()
}

/// Due at, and due strictly at, by the clock on the wall.
#[track_caller]
fn check(calendar: &Calendar, start: &str, due_at: &str, due_strict_at: &str) {
    let deadline = calendar.deadline(at(calendar, start));
    assert_eq!(deadline.calendar.as_deref(), Some("v"));
    assert_eq!(deadline.due_at, at(calendar, due_at), "{start}");
    assert_eq!(deadline.due_strict_at, at(calendar, due_strict_at), "{start}");
}

#[test]
fn a_request_is_due_after_24_hours_of_working_days() {
    for (start, due_at, due_strict_at) in [
        ("2026-11-23T10:00", "2026-11-24T10:00", "2026-11-24T10:00"),
        ("2026-11-20T18:30", "2026-11-23T18:30", "2026-11-22T18:30"),
        ("2026-11-21T12:00", "2026-11-24T00:00", "2026-11-23T12:00"),
        ("2026-03-20T16:00", "2026-03-26T16:00", "2026-03-22T16:00"),
        ("2026-12-15T23:30", "2026-12-17T23:30", "2026-12-17T23:30"),
        ("2026-12-31T15:00", "2027-01-05T15:00", "2027-01-02T15:00"),
    ] {
        check(&kazakhstan(), start, due_at, due_strict_at);
    }
}

#[test]
fn nauryz_takes_144_hours_by_the_clock_on_the_wall() {
    let start = at(&kazakhstan(), "2026-03-20T16:00");
    let deadline = kazakhstan().deadline(start);
    assert_eq!(deadline.due_at.duration_since(start), SignedDuration::from_hours(144));
    assert_eq!(deadline.due_strict_at.duration_since(start), SignedDuration::from_hours(48));
}

#[test]
fn a_day_that_became_a_working_day_counts() {
    // Constitution Day moved away from 30 August, a Sunday, so the Monday after it is worked.
    check(&kazakhstan(), "2026-08-28T12:00", "2026-08-31T12:00", "2026-08-30T12:00");
}

#[test]
fn a_start_at_midnight_uses_up_exactly_its_own_day() {
    check(&kazakhstan(), "2026-11-20T00:00", "2026-11-21T00:00", "2026-11-21T00:00");
    check(
        &kazakhstan(),
        "2026-11-20T00:00:00.000001",
        "2026-11-23T00:00:00.000001",
        "2026-11-22T00:00:00.000001",
    );
}

#[test]
fn a_saturday_can_be_worked_and_a_day_off_wins() {
    let saturdays = days(2026, &[(11, 21), (11, 28)]);
    let off = days(2026, &[(11, 28)]);
    let calendar = calendar("Asia/Almaty", [year(&off, &saturdays)]);
    check(&calendar, "2026-11-20T18:30", "2026-11-21T18:30", "2026-11-21T18:30");
    check(&calendar, "2026-11-27T18:30", "2026-11-30T18:30", "2026-11-29T18:30");
}

#[test]
fn the_day_on_which_kazakhstan_set_its_clocks_back_has_25_hours() {
    // At the midnight that ended Thursday 2024-02-29 it was 23:00 of that Thursday again, now at UTC+5.
    let calendar = calendar("Asia/Almaty", [year(&days(2024, &[(1, 1)]), &[])]);
    check(&calendar, "2024-02-28T12:00", "2024-02-29T12:00", "2024-02-29T12:00");
    check(&calendar, "2024-02-29T12:00", "2024-03-01T11:00", "2024-03-01T11:00");
    check(&calendar, "2024-02-29T00:00", "2024-02-29T23:00+05:00", "2024-02-29T23:00+05:00");
    check(&calendar, "2024-02-29T23:30+06:00", "2024-03-01T22:30", "2024-03-01T22:30");
    check(&calendar, "2024-03-01T10:00", "2024-03-04T10:00", "2024-03-03T10:00");
}

#[test]
fn days_that_a_zone_makes_longer_shorter_or_skips_count_as_they_are() {
    let berlin =
        calendar("Europe/Berlin", [year(&days(2026, &[(1, 1)]), &[]), year(&days(2027, &[(1, 1)]), &[])]);
    let every_day = Calendar { weekly_days_off: Vec::new(), ..berlin };
    check(&every_day, "2026-03-28T12:00", "2026-03-29T13:00", "2026-03-29T13:00");
    check(&every_day, "2026-10-24T12:00", "2026-10-25T11:00", "2026-10-25T11:00");
    // Samoa went from Thursday 2011-12-29 to Saturday: the Friday in between never was.
    let samoa =
        calendar("Pacific/Apia", [year(&days(2011, &[(1, 3)]), &[]), year(&days(2012, &[(1, 2)]), &[])]);
    check(&samoa, "2011-12-29T18:00", "2012-01-03T18:00", "2012-01-01T18:00");
}

#[test]
fn without_data_for_a_day_in_question_it_is_plain_24_hours_and_says_so() {
    let only_2026 = calendar("Asia/Almaty", [year(&of_2026(), &[])]);
    check(&only_2026, "2026-12-31T00:00", "2027-01-01T00:00", "2027-01-01T00:00");
    for (calendar, start) in [
        (only_2026.clone(), "2026-12-31T15:00"),
        (only_2026.clone(), "2027-06-01T15:00"),
        (only_2026, "2025-12-31T23:59"),
        (Calendar { years: BTreeMap::new(), ..kazakhstan() }, "2026-11-23T10:00"),
    ] {
        let start = at(&calendar, start);
        let due = start + SignedDuration::from_hours(24);
        assert_eq!(calendar.deadline(start), Deadline { due_at: due, due_strict_at: due, calendar: None });
    }
    let start = Timestamp::UNIX_EPOCH;
    assert_eq!(Calendar::none().deadline(start).calendar, None);
}

#[test]
fn a_calendar_without_a_working_day_counts_as_none_and_is_given_up_soon() {
    let every = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
    let years = (1..=9999).map(|year| (year, Year::default())).collect();
    let calendar = Calendar::new("v".into(), zone("Asia/Almaty"), every.to_vec(), years);
    let deadline = calendar.deadline(Timestamp::UNIX_EPOCH);
    assert_eq!(deadline.calendar, None);
    assert_eq!(deadline.due_at, Timestamp::UNIX_EPOCH + ALLOWED);
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let years = [-9999, 9999].into_iter().map(|year| (year, Year::default())).collect();
    let calendar = Calendar::new("v".into(), zone("Asia/Almaty"), Vec::new(), years);
    assert_eq!(calendar.deadline(Timestamp::MAX).due_at, Timestamp::MAX);
    assert_eq!(calendar.deadline(Timestamp::MIN).due_at, Timestamp::MIN + ALLOWED);
    assert_eq!(calendar.lack(Timestamp::MAX), None);
}

#[test]
fn what_a_calendar_lacks_shows_30_days_ahead() {
    let mut calendar = calendar("Asia/Almaty", [year(&of_2026(), &[])]);
    let lack = |calendar: &Calendar, wall: &str| calendar.lack(at(calendar, wall));
    assert_eq!(lack(&calendar, "2026-12-01T23:59"), None);
    assert_eq!(lack(&calendar, "2026-12-02T00:00"), Some(Lack::Year(2027)));
    assert_eq!(lack(&calendar, "2027-05-01T00:00"), Some(Lack::Year(2027)));
    assert_eq!(lack(&calendar, "2025-12-31T00:00"), Some(Lack::Year(2025)));

    calendar.years.insert(2027, Year { provisional: true, ..Year::default() });
    assert_eq!(lack(&calendar, "2026-12-01T23:59"), None);
    assert_eq!(lack(&calendar, "2026-12-02T00:00"), Some(Lack::Announcement(2027)));
    assert_eq!(lack(&calendar, "2027-11-01T00:00"), Some(Lack::Announcement(2027)));
    assert_eq!(lack(&calendar, "2027-12-15T00:00"), Some(Lack::Year(2028)));
    assert_eq!(Calendar::none().lack(Timestamp::UNIX_EPOCH), Some(Lack::Calendar));
}
