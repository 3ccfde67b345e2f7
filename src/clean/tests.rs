//! What comes out of a file of recipients, row by row.

use std::cell::Cell;
use std::convert::Infallible;
use std::io::{BufReader, Read};

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::digest::HashKey;
use crate::domain::filter::judge;
use crate::domain::record::ListId;
use crate::domain::scope::Scope;
use crate::domain::statement::Statement;
use crate::domain::words::{EventKind, Purpose};
use crate::mirror::Mirror;
use IdentifierKind::{Email, Phone, UserId};

fn keys() -> KeyRing {
    let text = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    KeyRing::new(vec![HashKey::from_file_text(text).unwrap()]).unwrap()
}

fn campaign(channel: Channel) -> Campaign {
    Campaign { channel, region: "KZ-79".into(), brand: "lulla.kz".into() }
}

/// A list on which these canonical forms opted out.
fn list(opted_out: &[(IdentifierKind, &str)]) -> Mirror {
    let mut list = Mirror::new(ListId([0; 16]), 0, 0, None);
    let opt_out = Statement::of(EventKind::OptOut, Timestamp::UNIX_EPOCH, Scope::ALL).unwrap();
    for (kind, form) in opted_out {
        list.put(keys().keys()[0].digest(*kind, form), std::slice::from_ref(&opt_out));
    }
    list
}

type Cleaned = Result<(Vec<u8>, Summary), (Vec<u8>, Stopped<Infallible>)>;

fn cleaned(input: impl Read, format: Option<Format>, channel: Channel, list: &Mirror) -> Cleaned {
    let (keys, country, campaign) = (keys(), Country::parse("KZ").unwrap(), campaign(channel));
    let mut output = Vec::new();
    // A small buffer, so that rows lie across its ends.
    let summary = Recipients::open(BufReader::with_capacity(7, input), format)
        .map_err(Stopped::Input)
        .and_then(|all| {
            let hashing = Hashing { keys: &keys, country: &country };
            let by_list =
                |prepared: &Prepared| Ok(judge(prepared, Purpose::Marketing, &campaign.brand, list));
            clean(all, &mut output, &campaign, hashing, by_list, |_| ())
        });
    match summary {
        Ok(summary) => Ok((output, summary)),
        Err(stopped) => Err((output, stopped)),
    }
}

/// That of these pieces exactly the kept ones come out, when three people opted out.
#[track_caller]
fn check(pieces: &[(&str, bool)]) {
    let list = list(&[(UserId, "U-1"), (Email, "a@b.kz"), (Phone, "+77771113111")]);
    let input: String = pieces.iter().map(|(text, _)| *text).collect();
    let kept: String = pieces.iter().filter(|(_, kept)| *kept).map(|(text, _)| *text).collect();
    let (output, summary) = cleaned(input.as_bytes(), None, Channel::Sms, &list).ok().unwrap();
    assert_eq!(String::from_utf8(output).unwrap(), kept);
    assert_eq!(summary.received, summary.kept + summary.removed_in_all());
    assert_eq!(summary.removed_in_all(), pieces.iter().filter(|(_, kept)| !kept).count() as u64);
}

/// That the input is refused on these lines, that nothing more than `output` came out, and that no value is
/// repeated.
#[track_caller]
fn check_refused(input: &[u8], output: &str, lines: &[(u64, &str)]) {
    let (written, stopped) = cleaned(input, None, Channel::Sms, &list(&[])).err().unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), output);
    let Stopped::Input(Unreadable::Bad(bad)) = stopped else { panic!("{stopped}") };
    assert!(!bad.to_string().contains("U-"), "{bad}");
    let found: Vec<_> = bad.as_slice().iter().map(|bad| bad.line).collect();
    assert_eq!(found, lines.iter().map(|(line, _)| *line).collect::<Vec<_>>(), "{bad}");
    for (bad, (_, rule)) in bad.as_slice().iter().zip(lines) {
        assert!(bad.rule.contains(rule), "{bad:?} should contain {rule:?}");
    }
}

#[test]
fn a_person_is_recognised_by_any_identifier_in_any_spelling() {
    check(&[
        ("user_id,email,phone,name\n", true),
        ("U-1,,,Айгерім\n", false),
        ("U-2,A@B.kz,,Асель\n", false),
        ("U-3,,8 (777) 111-31-11,\"Б, В\"\n", false),
        ("U-4,c@d.kz,+77771113112,Г\n", true),
    ]);
}

#[test]
fn whoever_cannot_be_checked_is_taken_out() {
    check(&[
        ("phone;user_id\n", true),
        (";\n", false),
        ("7.77E+10;U-2\n", false),
        ("\"  \";U-2\n", true),
        ("87771113112;\n", true),
    ]);
}

#[test]
fn quoted_fields_may_hold_delimiters_quotes_and_line_ends() {
    check(&[
        ("\"User_ID\"\t\"na\r\nme\"\tPHONE \r\n", true),
        ("U-1\t\"a\r\n\"\"b\"\"\tc\n\"\t\r\n", false),
        ("U-2\t\"a\r\n\"\"b\"\"\tc\n\"\t\r\n", true),
        ("\"U-1\"\tx\t\r\n", false),
        ("U-3\tx\t\"8 777 111\n31 12\"", true),
    ]);
}

#[test]
fn marks_empty_lines_and_a_missing_last_line_end_come_out_as_they_went_in() {
    check(&[("\u{feff}\r\n  \nemail\r\n", true), ("\r\n", true), ("c@d.kz\n", true), ("a@b.kz", false)]);
    check(&[("\u{feff}", true), ("{\"email\":\"a@b.kz\"}\n", false), ("\n{\"user_id\":7}", true)]);
    check(&[("email\r", true), ("a@b.kz\r", false), ("c@d.kz\r", true)]);
    check(&[("\n\n\n\n", true), ("{\"user_id\":\"U-1\"}\r\n", false), (" \t\r\n", true)]);
}

#[test]
fn ndjson_recipients_are_read_as_those_of_a_job() {
    check(&[
        ("{\"user_id\": \"U-\\u0031\"}\n", false),
        (" {\"phone\": 87771113111, \"x\": [1e9]}\r\n", false),
        ("{\"user_id\":\"U-2\",\"phone\":null,\"email\":\"\"}\n", true),
        ("{\"user_id\":\"U-2\",\"phone\":7.5}\n", false),
        ("{\"name\":\"x\"}\n", false),
        ("{ \"vars\":{\"user_id\":\"U-1\"}, \"user_id\":17}", true),
    ]);
}

#[test]
fn a_file_without_recipients_is_clean() {
    check(&[("email\n", true)]);
    let (output, summary) = cleaned(&b""[..], Some(Format::Ndjson), Channel::Sms, &list(&[])).ok().unwrap();
    assert!(output.is_empty() && summary == Summary::default());
}

#[test]
fn every_row_that_cannot_be_understood_is_named_and_nothing_more_goes_out() {
    check_refused(
        b"user_id,name\nU-1,\"x\ny\"\nU-2\nU-3,y,z\nU-4,\"y\"z\nU-5,y\n",
        "user_id,name\n",
        &[(4, "has 1 fields, the header has 2"), (5, "has 3 fields"), (6, "quoted")],
    );
    check_refused(
        b"{\"user_id\":\"U-1\"}\n{\"user_id\":\"U-2\"\n[]\n\n{\"email\":1,\"email\":2}\n{\"name\":\"\xff\"}\n",
        "",
        &[(2, "not JSON"), (3, "must be an object"), (5, "/email: given twice"), (6, "not UTF-8")],
    );
}

#[test]
fn a_quote_that_swallows_the_next_person_is_refused() {
    check_refused(b"user_id,name\nU-1,\"x\nU-2,y\n", "user_id,name\n", &[(2, "never closed")]);
    check_refused(b"user_id,name\nU-1,\"x\nU-2,\"y\nU-3,z\n", "user_id,name\n", &[(2, "quoted")]);
    let mut long = b"user_id,name\nU-1\nU-2,\"".to_vec();
    long.extend(b"U-3,y\n".repeat(ROW_BYTES_MAX / 6 + 1));
    check_refused(&long, "user_id,name\n", &[(2, "1 fields"), (3, "longer than 1048576 bytes")]);
}

#[test]
fn a_table_without_a_usable_header_is_refused() {
    check_refused(b"", "", &[(1, "empty")]);
    check_refused(b"\n\nU-1,a@b.kz\n", "", &[(3, "user_id, email or phone")]);
    check_refused(b"\xff\xfee\0m\0a\0i\0l\0", "", &[(1, "UTF-16")]);
    check_refused(b"email,\"x\n", "", &[(1, "the header opens a quote")]);
}

#[test]
fn the_name_of_a_file_says_its_format() {
    for (name, format) in [
        ("a.csv", Some(Format::Csv)),
        ("a.TSV", Some(Format::Csv)),
        ("a.ndjson", Some(Format::Ndjson)),
        ("a.jsonl", Some(Format::Ndjson)),
        ("a.txt", None),
        ("csv", None),
    ] {
        assert_eq!(Format::of_name(name.as_ref()), format, "{name}");
    }
}

/// The recipients of a large file, made while they are read.
struct Many<'a> {
    row: u32,
    rest: Vec<u8>,
    bytes: &'a Cell<u64>,
}

const MANY: u32 = 100_000;

impl Read for Many<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.is_empty() && self.row < MANY {
            self.rest = format!("{},{}\n", self.row, "x".repeat(300)).into_bytes();
            self.row += 1;
        }
        let bytes = (&self.rest[..]).read(buffer)?;
        self.rest.drain(..bytes);
        self.bytes.set(self.bytes.get() + bytes as u64);
        Ok(bytes)
    }
}

/// Counts what is written, and the most that was read and neither written nor dropped.
struct Meter<'a> {
    read: &'a Cell<u64>,
    written: u64,
    held_max: u64,
}

impl Write for Meter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.held_max = self.held_max.max(self.read.get() - self.written);
        self.written += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn memory_does_not_grow_with_the_file_and_the_list_is_asked_for_each_batch() {
    let read = Cell::new(0);
    let many = Many { row: 0, rest: b"user_id,name\n".to_vec(), bytes: &read };
    let mut output = Meter { read: &read, written: 0, held_max: 0 };
    let (keys, country, campaign) = (keys(), Country::parse("KZ").unwrap(), campaign(Channel::Sms));
    let hashing = Hashing { keys: &keys, country: &country };
    let (list, mut batches, mut heard) = (list(&[]), 0, 0);
    let by_list = |prepared: &Prepared| {
        batches += 1;
        Ok::<_, Infallible>(judge(prepared, Purpose::Marketing, "lulla.kz", &list))
    };
    let all = Recipients::open(BufReader::new(many), Some(Format::Csv)).unwrap();
    let summary = clean(all, &mut output, &campaign, hashing, by_list, |bytes| heard = bytes).unwrap();
    assert_eq!((summary.kept, output.written, heard), (u64::from(MANY), read.get(), read.get()));
    assert_eq!(batches, MANY / u32::try_from(BATCH_RECIPIENTS_MAX).unwrap());
    assert!(output.held_max < 4 << 20, "{} bytes held", output.held_max);
}

/// A row of one person, with the number that is their customer number.
fn row() -> impl Strategy<Value = (u8, String)> {
    (0u8..20, "[a\",;\r\n é]{0,6}", any::<bool>(), prop::sample::select(vec!["\n", "\r\n"])).prop_map(
        |(number, name, quoted, end)| {
            let plain = !name.contains(['"', ',', '\r', '\n']);
            let name = if quoted || !plain { format!("\"{}\"", name.replace('"', "\"\"")) } else { name };
            (number, format!("{name},{number}{end}"))
        },
    )
}

proptest! {
    #[test]
    fn kept_rows_are_byte_identical_and_no_other_row_comes_out(
        rows in prop::collection::vec(row(), 0..30),
        opted_out in prop::collection::btree_set(0u8..20, 0..10),
    ) {
        let forms: Vec<_> = opted_out.iter().map(u8::to_string).collect();
        let list = list(&forms.iter().map(|form| (UserId, form.as_str())).collect::<Vec<_>>());
        let header = "name,user_id\n";
        let kept = rows.iter().filter(|(number, _)| !opted_out.contains(number));
        let expected: String = std::iter::once(header).chain(kept.clone().map(|(_, row)| row.as_str())).collect();
        let input: String = std::iter::once(header).chain(rows.iter().map(|(_, row)| row.as_str())).collect();
        let (output, summary) = cleaned(input.as_bytes(), None, Channel::Email, &list).ok().unwrap();
        prop_assert_eq!(String::from_utf8(output).unwrap(), expected);
        prop_assert_eq!((summary.received, summary.kept), (rows.len() as u64, kept.count() as u64));
        prop_assert_eq!(summary.removed(Removal::OptOut), summary.received - summary.kept);
    }

    #[test]
    fn what_comes_out_has_nobody_who_opted_out_when_another_reader_reads_it(
        text in "[U12,;\"\r\n]{0,40}",
    ) {
        let list = list(&[(UserId, "U1")]);
        let input = format!("user_id,name\n{text}");
        if let Ok((output, summary)) = cleaned(input.as_bytes(), None, Channel::Sms, &list) {
            let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(&output[..]);
            let rows: Vec<_> = reader.records().map(|row| row.unwrap()).collect();
            prop_assert!(rows.iter().all(|row| row.get(0) != Some("U1")));
            prop_assert_eq!(rows.iter().filter(|row| row.len() > 1).count() as u64, summary.kept);
        }
    }
}
