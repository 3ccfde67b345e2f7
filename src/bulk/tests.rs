//! What comes out of files as people have them. Everybody in them is invented.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::io::BufReader;

use jiff::SignedDuration;
use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;

use super::*;
use crate::domain::calendar::Calendar;
use crate::domain::catalogue::{Catalogue, Region};
use crate::domain::digest::{HashKey, KeyRing};
use crate::domain::event::{Policy, SourceClock, SourcePolicy};
use crate::domain::identifier::{Country, canonical};
use crate::domain::record::{ImportLine, ImportSubject};
use crate::domain::scope::{Channels, Names};
use crate::domain::words::{Channel, IdentifierKind};

/// Everybody whose digest a test may have to recognise.
const PEOPLE: [(IdentifierKind, &str); 22] = [
    (IdentifierKind::UserId, "U-1"),
    (IdentifierKind::UserId, "U-2"),
    (IdentifierKind::UserId, "U-4"),
    (IdentifierKind::UserId, "17"),
    (IdentifierKind::Email, "aizhan.b@example.kz"),
    (IdentifierKind::Email, "o'neil@example.com"),
    (IdentifierKind::Email, "bolat@example.kz"),
    (IdentifierKind::Email, "nobody@example.kz"),
    (IdentifierKind::Email, "gone@example.kz"),
    (IdentifierKind::Email, "angry@example.kz"),
    (IdentifierKind::Email, "next-page@example.kz"),
    (IdentifierKind::Email, "a.b@example.kz"),
    (IdentifierKind::Email, "asel@example.kz"),
    (IdentifierKind::Email, "who@exmaple.invalid"),
    (IdentifierKind::Email, "fine@example.kz"),
    (IdentifierKind::Email, "full@example.kz"),
    (IdentifierKind::Email, "off@example.kz"),
    (IdentifierKind::Email, "x@example.kz"),
    (IdentifierKind::Phone, "+77771113112"),
    (IdentifierKind::Phone, "+77771113113"),
    (IdentifierKind::Phone, "+77771113114"),
    (IdentifierKind::Phone, "+77771113111"),
];

struct House {
    sources: BTreeMap<String, SourcePolicy>,
    catalogue: Catalogue,
    calendar: Calendar,
    country: Country,
    keys: KeyRing,
}

impl House {
    fn new() -> Self {
        let key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
        let keys = KeyRing::new(vec![HashKey::from_file_text(key).unwrap()]).unwrap();
        let restricting: BTreeSet<_> =
            EventKind::ALL.iter().copied().filter(|kind| kind.restricts()).collect();
        let import = SourcePolicy { may: restricting, users: None, clock: SourceClock::Received };
        let region = |code: &str, name: &str| Region {
            code: code.into(),
            name: name.to_owned(),
            aliases: vec!["YUZ".to_owned()],
        };
        Self {
            sources: BTreeMap::from([("import".to_owned(), import)]),
            catalogue: Catalogue::new(
                vec![region("KZ-61", "Түркістан облысы"), region("KZ-79", "Шымкент")],
                vec!["lulla.kz".to_owned(), "bilal.kz".to_owned()],
            ),
            calendar: Calendar::none(),
            country: Country::parse("KZ").unwrap(),
            keys,
        }
    }

    fn rules(&self) -> Rules<'_> {
        Rules {
            source: "import",
            user: "suppressd",
            policy: Policy {
                sources: &self.sources,
                catalogue: &self.catalogue,
                calendar: &self.calendar,
                future_max: SignedDuration::from_mins(5),
            },
            country: &self.country,
            keys: &self.keys,
            now: "2026-11-22T06:00:00Z".parse().unwrap(),
            undated: "2026-11-22T05:59:00Z".parse().unwrap(),
        }
    }

    fn names(&self) -> HashMap<Digest, String> {
        let name = |(kind, text): &(IdentifierKind, &str)| {
            let mut buffer = String::new();
            let form = canonical(*kind, text, &self.country, &mut buffer).unwrap();
            (self.keys.keys()[0].digest(*kind, form), format!("{kind} {text}"))
        };
        PEOPLE.iter().map(name).collect()
    }
}

/// Reads a file to its end: what becomes of each line.
fn outcomes(file: &[u8], format: Option<Format>) -> Result<(Format, Vec<String>), String> {
    let house = House::new();
    let (rules, names) = (house.rules(), house.names());
    let zone = TimeZone::fixed(Offset::from_hours(5).unwrap());
    // A small buffer, so that lines lie across its ends.
    let mut opened =
        open(BufReader::with_capacity(11, file), format, zone).map_err(|fault| fault.to_string())?;
    let (mut told, mut buffer) = (Vec::new(), Vec::new());
    while let Some((number, content)) = opened.next(&mut buffer).unwrap() {
        match decide(number, &content, &rules) {
            Decided::Taken(taking) => {
                for line in &taking.lines {
                    told.push(line_of(line, &taking, &names));
                }
                if taking.lifts > 0 {
                    told.push(format!("{number} lifts {}", taking.lifts));
                }
            }
            Decided::NotAnOptOut => told.push(format!("{number} not an opt-out")),
            Decided::Head(_) => told.push(format!("{number} head")),
            Decided::End(_) => told.push(format!("{number} end")),
            Decided::Refused(Refusal(rule)) => told.push(format!("{number} refused: {rule}")),
        }
    }
    Ok((opened.format(), told))
}

fn line_of(line: &ImportLine, taking: &Taking, names: &HashMap<Digest, String>) -> String {
    let mut text = format!("{} {} at {}", line.line, line.kind, line.at);
    let people: Vec<String> = match &line.subject {
        ImportSubject::Digest(digest) => vec![format!("digest {:02x}", digest.0[0])],
        ImportSubject::Known(all) => all.iter().map(|one| names[&one.digests[0]].clone()).collect(),
    };
    for (dimension, listed) in [("regions", &line.scope.regions), ("brands", &line.scope.brands)] {
        if let Names::Only(listed) = listed {
            write!(text, ", {dimension} {}", listed.join("+")).unwrap();
        }
    }
    if line.scope.channels != Channels::ALL {
        let channels = Channel::ALL.iter().filter(|channel| line.scope.channels.covers(**channel));
        let channels: Vec<_> = channels.map(|channel| channel.as_str()).collect();
        write!(text, ", {}", channels.join("+")).unwrap();
    }
    if taking.remarks.widened != 0 {
        text += ", widened";
    }
    if taking.remarks.ignored != 0 {
        text += ", ignoring";
    }
    format!("{text}: {}", people.join(", "))
}

/// That a file is recognised, and what becomes of its lines.
#[track_caller]
fn check(file: &[u8], format: Format, expected: &[&str]) {
    let (found, told) = outcomes(file, None).unwrap();
    assert_eq!(found, format);
    assert_eq!(told, expected);
    // Named, it is read in the same way.
    assert_eq!(outcomes(file, Some(format)), Ok((format, told)));
}

macro_rules! kept {
    ($name:literal) => {
        include_bytes!(concat!("tests/files/", $name))
    };
}

#[test]
fn sendgrid_tells_unsubscribes_bounces_and_spam_reports_apart_by_their_columns() {
    check(
        kept!("sendgrid-unsubscribes.csv"),
        Format::Sendgrid,
        &[
            "2 opt_out at 2015-09-30T22:12:05Z: email aizhan.b@example.kz",
            "3 opt_out at 2015-09-30T22:12:06Z: email o'neil@example.com",
            "4 refused: no_identifier: no identifier can be parsed",
        ],
    );
    check(
        kept!("sendgrid-bounces.csv"),
        Format::Sendgrid,
        &[
            "2 bounce at 2015-09-30T22:12:05Z, email: email nobody@example.kz",
            "3 not an opt-out",
            "4 bounce at 2015-09-30T22:12:07Z, email: email who@exmaple.invalid",
        ],
    );
    check(
        kept!("sendgrid-spam-reports.csv"),
        Format::Sendgrid,
        &["2 complaint at 2015-09-30T22:12:21Z: email angry@example.kz"],
    );
    check(
        kept!("sendgrid-unsubscribes.json"),
        Format::Sendgrid,
        &[
            "1 opt_out at 2015-09-30T22:12:05Z: email aizhan.b@example.kz",
            "2 opt_out at 2015-09-30T22:12:06Z: email bolat@example.kz",
        ],
    );
    check(
        kept!("sendgrid-bounces.json"),
        Format::Sendgrid,
        &["1 bounce at 2009-08-15T12:00:00Z, email: email nobody@example.kz", "2 not an opt-out"],
    );
}

#[test]
fn ses_tells_bounces_and_complaints() {
    check(
        kept!("ses.json"),
        Format::Ses,
        &[
            "1 bounce at 2020-04-10T21:03:05.213Z, email: email nobody@example.kz",
            "2 complaint at 2020-04-10T20:09:55.49Z: email angry@example.kz",
            "3 refused: Reason: must be BOUNCE or COMPLAINT",
        ],
    );
    check(
        kept!("ses.csv"),
        Format::Ses,
        &[
            "2 bounce at 2020-04-10T21:03:05.213Z, email: email nobody@example.kz",
            "3 complaint at 2020-04-10T16:03:05Z: email angry@example.kz",
        ],
    );
    // Without a header nobody knows whose it is.
    let bulk = outcomes(kept!("ses-bulk.csv"), Some(Format::Ses)).unwrap().1;
    assert_eq!(
        bulk,
        [
            "1 bounce at 2026-11-22T05:59:00Z, email: email nobody@example.kz",
            "2 complaint at 2026-11-22T05:59:00Z: email angry@example.kz",
        ]
    );
    check(
        kept!("ses-bulk.json"),
        Format::Ses,
        &[
            "1 bounce at 2026-11-22T05:59:00Z, email: email nobody@example.kz",
            "2 complaint at 2026-11-22T05:59:00Z: email angry@example.kz",
        ],
    );
}

#[test]
fn mailgun_tells_bounces_unsubscribes_and_complaints_apart_by_their_columns() {
    check(
        kept!("mailgun-bounces.json"),
        Format::Mailgun,
        &[
            "1 bounce at 2011-10-21T11:02:55Z, email: email nobody@example.kz",
            "2 bounce at 2011-10-21T11:02:56Z, email: email gone@example.kz",
        ],
    );
    check(
        kept!("mailgun-unsubscribes.json"),
        Format::Mailgun,
        &[
            "1 opt_out at 2011-10-21T11:02:55Z: email aizhan.b@example.kz",
            "2 opt_out at 2011-10-21T11:02:56Z: email bolat@example.kz",
            "3 opt_out at 2011-10-21T11:02:57Z: email next-page@example.kz",
        ],
    );
    check(
        kept!("mailgun-unsubscribes.csv"),
        Format::Mailgun,
        &[
            "2 opt_out at 2011-10-21T11:02:55Z: email aizhan.b@example.kz",
            "3 opt_out at 2026-11-22T05:59:00Z: email bolat@example.kz",
        ],
    );
    check(
        kept!("mailgun-complaints.csv"),
        Format::Mailgun,
        &["2 complaint at 2011-10-21T11:02:55Z: email angry@example.kz"],
    );
    check(
        kept!("mailgun-bounces.csv"),
        Format::Mailgun,
        &["2 bounce at 2011-10-21T11:02:55Z, email: email nobody@example.kz"],
    );
}

#[test]
fn mautic_tells_who_must_not_be_contacted_and_on_which_channel() {
    check(
        kept!("mautic-report.csv"),
        Format::Mautic,
        &[
            "2 opt_out at 2026-11-22T05:59:00Z, email: email bolat@example.kz, phone +77771113112",
            "2 opt_out at 2026-11-22T05:59:00Z, sms: email bolat@example.kz, phone +77771113112",
            "3 bounce at 2026-11-22T05:59:00Z, email: email nobody@example.kz",
            "4 not an opt-out",
        ],
    );
    check(
        kept!("mautic-dnc.csv"),
        Format::Mautic,
        &[
            "2 opt_out at 2024-05-01T05:15:30Z, email: email bolat@example.kz",
            "3 opt_out at 2024-05-01T05:15:31Z, sms: phone +77771113112",
            "4 bounce at 2024-05-01T05:15:32Z, email: email nobody@example.kz",
            "5 not an opt-out",
            "6 refused: reason: must be 1 (unsubscribed), 2 (bounced), 3 (manual) or 0",
        ],
    );
}

#[test]
fn listmonk_tells_who_is_blocklisted_and_who_bounced() {
    check(
        kept!("listmonk-subscribers.csv"),
        Format::Listmonk,
        &[
            "2 opt_out at 2024-05-01T05:15:30.123456Z: email aizhan.b@example.kz",
            "3 not an opt-out",
            "4 not an opt-out",
        ],
    );
    check(
        kept!("listmonk-bounces.json"),
        Format::Listmonk,
        &[
            "1 bounce at 2024-05-01T10:15:30.5Z, email: email nobody@example.kz",
            "2 not an opt-out",
            "3 complaint at 2024-05-01T10:15:32Z: email angry@example.kz",
        ],
    );
}

#[test]
fn tables_may_name_their_columns_in_english_russian_and_kazakh() {
    check(
        kept!("usual-russian.csv"),
        Format::Csv,
        &[
            "2 opt_out at 2026-11-22T05:15:00Z, regions KZ-61+KZ-79, brands lulla.kz, sms+call: user_id U-1, email a.b@example.kz, phone +77771113112",
            "3 refused: no_identifier: the line names nobody",
            "4 opt_out at 2026-11-22T06:00:00Z, widened, ignoring: user_id U-2",
            "5 refused: the time: is none that is understood (RFC 3339, seconds of Unix, RFC 2822, 2026-11-22 10:15, 22.11.2026)",
            "6 refused: has 9 fields, the header has 8",
        ],
    );
    check(
        kept!("usual-kazakh.tsv"),
        Format::Csv,
        &["2 opt_out at 2026-11-22T06:00:00Z: user_id U-1, email asel@example.kz, phone +77771113113"],
    );
    check(
        kept!("usual.csv"),
        Format::Csv,
        &[
            "2 hold at 2026-11-22T05:15:00Z, brands lulla.kz: user_id U-1, phone +77771113112, phone +77771113113",
            "3 refused: not_permitted: /kind: an import only restricts; it never lifts, links or settles",
            "4 refused: kind: must be opt_out, complaint, bounce or hold",
            "5 bounce at 2026-11-22T06:00:00Z: user_id U-4",
        ],
    );
}

#[test]
fn lines_of_json_are_events_flat_objects_or_an_export_of_our_own() {
    check(
        kept!("usual.ndjson"),
        Format::Ndjson,
        &[
            "1 opt_out at 2026-11-22T05:15:00Z, sms: user_id 17, phone +77771113112",
            "2 opt_out at 2026-11-22T05:59:00Z: email asel@example.kz",
            "4 refused: not_permitted: /kind: an import only restricts; it never lifts, links or settles",
            "5 refused: bad_json: the body is not JSON (line 1, column 9)",
            "6 refused: no_identifier: no identifier can be parsed",
            "7 refused: not_permitted: /kind: an import only restricts; it never lifts, links or settles",
        ],
    );
    check(
        kept!("export.ndjson"),
        Format::Ndjson,
        &[
            "1 head",
            "2 opt_out at 2026-11-01T00:00:00Z, widened: digest 00",
            "2 hold at 2026-11-03T00:00:00Z, sms+call, widened: digest 00",
            "2 lifts 1",
            "3 lifts 1",
            "4 end",
        ],
    );
}

#[test]
fn a_file_that_cannot_say_who_opted_out_is_refused_as_a_whole() {
    for (file, format, problem) in [
        (&b""[..], None, "empty"),
        (b"\n \n", None, "empty"),
        (b"aizhan@example.kz\nbolat@example.kz\n", None, "user_id, email or phone"),
        (b"\xff\xfee\0", None, "UTF-16"),
        (b"email,phone\n", Some(Format::Mailgun), "address"),
        (b"email,firstname\n", Some(Format::Mautic), "reason or dnc_preferences"),
        (b"uuid,email\n", Some(Format::Listmonk), "status or type"),
        (b"email,created\n", Some(Format::Ses), "Reason"),
        (b"email,date,occurred_at\n", None, "the time twice"),
        (b"email,kind,kind\n", None, "the same thing twice"),
        (b"{\"email\": \"a@b.kz\"}", Some(Format::Csv), "is JSON"),
        (b"email\n", Some(Format::Ndjson), "not JSON"),
        (b"\"email\n", None, "never closed"),
    ] {
        let said = outcomes(file, format).unwrap_err();
        assert!(said.contains(problem) && !said.contains("aizhan"), "{said}");
    }
}

#[test]
fn what_cannot_be_cut_into_lines_any_more_is_one_refused_line_at_the_end() {
    let table = outcomes(b"email\nasel@example.kz\n\"bolat@example.kz\nx@example.kz\n", None).unwrap().1;
    assert_eq!(table.len(), 2);
    assert!(
        table[1].starts_with("3 refused: ") && table[1].ends_with("nothing after it is read"),
        "{table:?}"
    );
    let document = outcomes(b"[{\"email\": \"asel@example.kz\"},\n{\"email\": \"bol", None).unwrap().1;
    assert!(document[1].starts_with("2 refused: "), "{document:?}");
}

#[test]
fn a_line_that_names_more_people_than_one_is_refused() {
    let header: Vec<_> = std::iter::repeat_n("email", 18).collect();
    let row: Vec<_> = std::iter::repeat_n("asel@example.kz", 18).collect();
    let file = format!("{}\n{}\n", header.join(","), row.join(","));
    let told = outcomes(file.as_bytes(), None).unwrap().1;
    assert_eq!(told, ["2 refused: names more than 17 identifiers of one kind"]);
}

#[test]
fn a_scope_or_a_kind_that_cannot_be_read_is_not_guessed() {
    for file in [&b"email,kind\nasel@example.kz,\xf0\xe5\n"[..], b"email,region\nasel@example.kz,\xd8\n"] {
        let told = outcomes(file, None).unwrap().1;
        assert_eq!(told, ["2 refused: a field that is no identifier is no text, or not UTF-8"]);
    }
    let object = br#"[{"emailAddress": "nobody@example.kz", "reason": {"a": 1}}]"#;
    let told = outcomes(object, None).unwrap().1;
    assert!(told[0].starts_with("1 refused: "), "{told:?}");
}

#[test]
fn a_kind_that_the_source_may_not_say_is_refused() {
    let mut house = House::new();
    house.sources.get_mut("import").unwrap().may.remove(&EventKind::Hold);
    let hold = Saying { kind: EventKind::Hold, at: None, place: [None, None, None] };
    let said = Said { people: vec![Identifiers::default()], sayings: vec![hold] };
    let decided = decide(1, &Content::Said(said), &house.rules());
    assert!(matches!(decided, Decided::Refused(Refusal(rule)) if rule.starts_with("not_permitted")));
}

#[test]
fn a_file_is_gone_on_with_where_it_was_left() {
    let file = b"email\na@example.kz\n\n\"b@example.kz\"\nc@example.kz\n";
    for (left, next) in [(0, Some(2)), (1, Some(2)), (2, Some(4)), (3, Some(4)), (4, Some(5)), (5, None)] {
        let mut opened = open(&file[..], None, TimeZone::UTC).unwrap();
        opened.pass_over(left).unwrap();
        let mut buffer = Vec::new();
        assert_eq!(opened.next(&mut buffer).unwrap().map(|(number, _)| number), next, "after {left}");
    }
}

proptest! {
    #[test]
    fn any_file_is_read_to_its_end_without_panic(
        text in "(email|created|status|[,;{}\\[\\]\":@a1\n])*",
        format in prop::sample::select(vec![None, Some(Format::Ses), Some(Format::Mautic), Some(Format::Sendgrid)]),
    ) {
        if let Ok((_, told)) = outcomes_any(text.as_bytes(), format) {
            prop_assert!(told <= text.len());
        }
    }
}

/// How many lines come out.
fn outcomes_any(file: &[u8], format: Option<Format>) -> Result<(Format, usize), String> {
    let house = House::new();
    let mut opened = open(file, format, TimeZone::UTC).map_err(|fault| fault.to_string())?;
    let (mut count, mut buffer) = (0, Vec::new());
    while let Some((number, content)) = opened.next(&mut buffer).unwrap() {
        let _ = decide(number, &content, &house.rules());
        count += 1;
    }
    Ok((opened.format(), count))
}
