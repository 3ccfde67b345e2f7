//! Files of opt-outs, as any product or person may write them: from the bytes to what each line does. Looked for, besides
//! panics and hangs: lines that depend on how the file is read, lines that cannot be found again after a break, and a file
//! that lifts anything.
#![no_main]

use std::collections::BTreeMap;
use std::io::{BufReader, Cursor};
use std::sync::LazyLock;

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;
use suppressd::bulk::{Decided, Format, Refusal, Rules, decide, open};
use suppressd::domain::calendar::Calendar;
use suppressd::domain::catalogue::{Catalogue, Region};
use suppressd::domain::digest::{HashKey, KeyRing};
use suppressd::domain::event::{Policy, SourceClock, SourcePolicy};
use suppressd::domain::identifier::Country;
use suppressd::domain::record::ImportLine;
use suppressd::domain::words::EventKind;

/// A file that is read in such pieces meets every boundary.
const PIECE_BYTES: usize = 5;

/// Shorter files, of which there are more, are tried in every way.
const SHORT_BYTES: usize = 2048;

struct House {
    sources: BTreeMap<String, SourcePolicy>,
    catalogue: Catalogue,
    calendar: Calendar,
    country: Country,
    keys: KeyRing,
}

/// Its source `import` may do everything, so that only the import itself stands against what lifts.
static HOUSE: LazyLock<House> = LazyLock::new(|| {
    let may = EventKind::ALL.iter().copied().collect();
    let import = SourcePolicy { may, users: None, clock: SourceClock::Received };
    let region = Region { code: "KZ-79".into(), name: "Шымкент".into(), aliases: vec!["YUZ".into()] };
    let key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    House {
        sources: BTreeMap::from([("import".to_owned(), import)]),
        catalogue: Catalogue::new(vec![region], vec!["lulla.kz".to_owned()]),
        calendar: Calendar::none(),
        country: Country::parse("KZ").expect("Kazakhstan has a numbering plan"),
        keys: KeyRing::new(vec![HashKey::from_file_text(key).expect("it is a key")]).expect("one key"),
    }
});

/// What a line did.
#[derive(Debug, PartialEq)]
enum Did {
    Took(Vec<ImportLine>),
    Refused(Refusal),
    Nothing,
}

fn rules(house: &House) -> Rules<'_> {
    let now: Timestamp = "2026-11-22T06:00:00Z".parse().expect("a time");
    Rules {
        source: "import",
        user: "suppressd",
        policy: Policy {
            sources: &house.sources,
            catalogue: &house.catalogue,
            calendar: &house.calendar,
            future_max: SignedDuration::from_mins(5),
        },
        country: &house.country,
        keys: &house.keys,
        now,
        undated: now,
    }
}

/// Reads a file from the line behind this one to its end, in pieces of so many bytes.
fn read(bytes: &[u8], format: Option<Format>, after: u64, piece_bytes: usize) -> Option<Vec<(u64, Did)>> {
    let rules = rules(&HOUSE);
    let zone = TimeZone::fixed(Offset::constant(5));
    let input = BufReader::with_capacity(piece_bytes, Cursor::new(bytes));
    let mut file = open(input, format, zone).ok()?;
    file.pass_over(after).expect("memory can be read");
    let (mut lines, mut buffer) = (Vec::new(), Vec::new());
    while let Some((number, content)) = file.next(&mut buffer).expect("memory can be read") {
        let did = match decide(number, &content, &rules) {
            Decided::Taken(taking) => Did::Took(taking.lines),
            Decided::Refused(refusal) => Did::Refused(refusal),
            Decided::NotAnOptOut | Decided::Head(_) | Decided::End(_) => Did::Nothing,
        };
        lines.push((number, did));
    }
    Some(lines)
}

fuzz_target!(|bytes: &[u8]| {
    let formats = Format::ALL.iter().copied().map(Some).filter(|_| bytes.len() < SHORT_BYTES);
    for format in std::iter::once(None).chain(formats) {
        let Some(whole) = read(bytes, format, 0, 64 << 10) else { continue };
        assert!(whole.is_sorted_by(|(one, _), (next, _)| one < next), "every line has its own number");
        let taken =
            whole.iter().filter_map(|(_, did)| if let Did::Took(lines) = did { Some(lines) } else { None });
        assert!(taken.flatten().all(|line| line.kind.restricts()), "a file only restricts");
        if bytes.len() < SHORT_BYTES {
            let pieces = read(bytes, format, 0, PIECE_BYTES);
            assert!(pieces.as_ref() == Some(&whole), "how a file is read says nothing");
            if let Some((middle, _)) = whole.get(whole.len() / 2) {
                let rest = read(bytes, format, *middle, 64 << 10).expect("it could be read before");
                assert!(whole.ends_with(&rest), "what was read before a break is passed over");
                assert_eq!(rest.len(), whole.len() - whole.len() / 2 - 1, "and nothing else");
            }
        }
    }
});
