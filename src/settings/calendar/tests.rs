//! The calendar that ships, on machines of every zone, and what its editor sees who got something wrong.

use std::path::Path;
use std::process::Command;

use jiff::civil::DateTime;
use proptest::prelude::*;

use super::super::section::{self, Notes};
use super::super::tree;
use super::*;
use crate::domain::calendar::Lack;

/// Reads `[calendar]` of one text; every mistake as `key: problem`.
fn read(toml: &str) -> (Deadlines, Vec<String>) {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("a.toml");
    std::fs::write(&file, toml).unwrap();
    let mut notes = Notes::default();
    let deadlines = section::read(tree::read(&file).unwrap(), &mut notes, |root| {
        root.pass_over("regions");
        root.section("calendar", Deadlines::take)
    });
    let mistakes = notes.mistakes.iter().map(|mistake| format!("{}: {}", mistake.key, mistake.problem));
    (deadlines, mistakes.collect())
}

fn shipped() -> Calendar {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/kazakhstan.toml");
    let (deadlines, mistakes) = read(&std::fs::read_to_string(file).unwrap());
    assert_eq!(mistakes, [""; 0]);
    Arc::unwrap_or_clone(deadlines.calendar)
}

/// The clock on the wall in Kazakhstan.
fn almaty(wall: &str) -> jiff::Timestamp {
    let zone = TimeZoneDatabase::bundled().get("Asia/Almaty").unwrap();
    zone.to_timestamp(wall.parse::<DateTime>().unwrap()).unwrap()
}

#[test]
fn the_shipped_calendar_gives_the_deadlines_of_the_policy() {
    for (received, due_at, due_strict_at) in [
        ("2026-11-23T10:00", "2026-11-24T10:00", "2026-11-24T10:00"),
        ("2026-11-20T18:30", "2026-11-23T18:30", "2026-11-22T18:30"),
        ("2026-11-21T12:00", "2026-11-24T00:00", "2026-11-23T12:00"),
        ("2026-03-20T16:00", "2026-03-26T16:00", "2026-03-22T16:00"),
        ("2026-12-15T23:30", "2026-12-17T23:30", "2026-12-17T23:30"),
        ("2026-12-31T15:00", "2027-01-05T15:00", "2027-01-02T15:00"),
        // Constitution Day is no longer on 30 August, and Kurban Ait of 2027 is not announced.
        ("2026-08-28T15:00", "2026-08-31T15:00", "2026-08-30T15:00"),
        ("2027-05-14T15:00", "2027-05-17T15:00", "2027-05-16T15:00"),
    ] {
        let deadline = shipped().deadline(almaty(received));
        assert_eq!(deadline.due_at, almaty(due_at), "{received}");
        assert_eq!(deadline.due_strict_at, almaty(due_strict_at), "{received}");
        assert_eq!(deadline.calendar.as_deref(), Some("kz-2026.2"));
    }
}

#[test]
fn deadlines_do_not_depend_on_the_zone_of_the_machine() {
    let here = std::thread::current().name().unwrap_or_default().to_owned();
    let same = here.replace(
        "deadlines_do_not_depend_on_the_zone_of_the_machine",
        "the_shipped_calendar_gives_the_deadlines_of_the_policy",
    );
    for zone in ["Pacific/Kiritimati", "America/New_York", "XYZ-25:59:59", ":/nonexistent"] {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.env("TZ", zone).env("TZDIR", "/nonexistent").args(["--exact", &same]);
        let output = child.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "TZ={zone}: {said}");
    }
}

#[test]
fn the_shipped_calendar_warns_of_what_is_not_announced() {
    assert_eq!(shipped().lack(almaty("2026-11-22T12:00")), None);
    assert_eq!(shipped().lack(almaty("2026-12-22T12:00")), Some(Lack::Announcement(2027)));
    assert_eq!(shipped().lack(almaty("2027-12-22T12:00")), Some(Lack::Year(2028)));
}

#[test]
fn without_a_calendar_deadlines_are_plain_and_a_request_is_due_soon_all_the_same() {
    for text in ["", "[calendar]", "[calendar]\nsoon_h = 4"] {
        let (deadlines, mistakes) = read(text);
        assert_eq!(mistakes, [""; 0]);
        assert_eq!(*deadlines.calendar, Calendar::none());
        assert_eq!(deadlines.soon, Duration::from_hours(4));
    }
}

#[test]
fn days_may_be_dates_or_texts_and_the_week_may_be_another() {
    let (deadlines, mistakes) = read(
        "[calendar]\nversion = 'v'\nzone = 'asia/riyadh'\nweekly_days_off = ['friday', 'saturday']\n\
         [calendar.years.2026]\ndays_off = [2026-11-22, '2026-11-23']\nworking_days = [2026-11-20]",
    );
    assert_eq!(mistakes, [""; 0]);
    // Thursday to Friday, which is worked; Saturday to Wednesday, past the two days.
    for (start, due_at) in
        [("2026-11-19T12:00", "2026-11-20T12:00"), ("2026-11-21T12:00", "2026-11-25T00:00")]
    {
        let riyadh = |wall: &str| almaty(wall) + jiff::SignedDuration::from_hours(2);
        assert_eq!(deadlines.calendar.deadline(riyadh(start)).due_at, riyadh(due_at));
    }
}

/// A calendar with these lines in place of some that are right.
fn check(lines: &str, expected: &[&str]) {
    let right = ["version = 'v'", "zone = 'Asia/Almaty'"];
    let given = |line: &&str| !lines.contains(line.split(' ').next().unwrap());
    let right: Vec<_> = right.into_iter().filter(given).collect();
    let (_, mistakes) = read(&format!("[calendar]\n{}\n{lines}", right.join("\n")));
    assert_eq!(mistakes, expected);
}

const A_YEAR: &str = "[calendar.years.2026]\ndays_off = []\n";

#[test]
fn what_is_missing_is_named() {
    let example = "is missing; set it, for example";
    check(
        "# version zone\nsoon_h = 0\nweekly_days_off = []",
        &[
            "calendar.soon_h: must be a whole number from 1 to 24, without quotes",
            &format!("calendar.version: {example} version = \"kz-2026.2\""),
            &format!("calendar.zone: {example} zone = \"Asia/Almaty\""),
            "calendar.years: is missing; the configuration needs at least one",
        ],
    );
    check(
        "[calendar.years.2026]\nworking_days = []",
        &[&format!(
            "calendar.years.2026.days_off: {example} days_off = [\"2026-05-01\"], or [] if there is none"
        )],
    );
}

#[test]
fn a_zone_must_be_one_of_the_database() {
    let problem = "must be a zone of the tz database, such as \"Asia/Almaty\"; an offset alone is none";
    for zone in ["Asia/Shymkent", "+05:00", "local", "Etc/Unknown", "/etc/localtime", "<+05>-5"] {
        check(&format!("zone = '{zone}'\n{A_YEAR}"), &[&format!("calendar.zone: {problem}")]);
    }
}

#[test]
fn every_day_without_effect_is_a_mistake() {
    check(
        "[calendar.years.2026]\nprovisional = 1\n\
         days_off = ['2026-01-01', '2027-01-04', 20260107, '2026-01-03', '2026-01-01', '2026-02-30', '01.05.2026']\n\
         working_days = ['2026-01-04', '2026-01-05', '2026-01-04']\n\
         [calendar.years.26]\ndays_off = ['2026-01-01', '']",
        &[
            "calendar.years.2026.provisional: must be true or false, without quotes",
            "calendar.years.2026.days_off[1]: must be a date of 2026, written \"2026-05-01\"",
            "calendar.years.2026.days_off[2]: must be a date of 2026, written \"2026-05-01\"",
            "calendar.years.2026.days_off[3]: is a weekly day off, which needs no entry; correct or remove it",
            "calendar.years.2026.days_off[4]: is named before; remove it",
            "calendar.years.2026.days_off[5]: must be a date of 2026, written \"2026-05-01\"",
            "calendar.years.2026.days_off[6]: must be a date of 2026, written \"2026-05-01\"",
            "calendar.years.2026.working_days[1]: is no weekly day off, so it is worked anyway; correct or remove it",
            "calendar.years.2026.working_days[2]: is named before; remove it",
            "calendar.years.26: must be named by its year in four digits: [calendar.years.2026]",
            "calendar.years.26.days_off[1]: must be a date of 2026, written \"2026-05-01\"",
        ],
    );
}

#[test]
fn a_week_needs_a_day_to_work_on_and_its_mistake_is_told_once() {
    let days = WEEKDAYS.map(|(name, _)| format!("'{name}'")).join(", ");
    check(
        &format!("weekly_days_off = [{days}]\n[calendar.years.2026]\ndays_off = ['2026-01-03']"),
        &["calendar.weekly_days_off: must have 0 to 6 items"],
    );
}

proptest! {
    #[test]
    fn no_text_in_the_calendar_panics(zone in "\\PC{0,12}", year in "[0-9a]{0,5}", day in "[-+0-9T:Z\\[\\]]{0,16}") {
        let quoted = |text: &str| toml_text(text);
        read(&format!(
            "[calendar]\nversion = 'v'\nzone = {}\n[calendar.years.{}]\ndays_off = [{}]",
            quoted(&zone), quoted(&year), quoted(&day),
        ));
    }
}

/// A text as TOML quotes it.
fn toml_text(text: &str) -> String {
    let escaped = text.chars().map(|letter| format!("\\U{:08X}", u32::from(letter)));
    format!("\"{}\"", escaped.collect::<String>())
}
