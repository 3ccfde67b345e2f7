//! What the list's values look like in Redis and in its feed: compact binary, since there are millions.
//!
//! A statement is one byte of flags and a time, six bytes in all for what covers everything. Numbers are
//! LEB128, signed ones zigzag. Names are words, so a changed configuration changes no old value. Reading is
//! total: bytes that are not a value give `None`, never a panic and never a guess.

use jiff::Timestamp;

use crate::domain::digest::{Digest, KeyCheck};
use crate::domain::fold::{Decision, Outcome, RequestState};
use crate::domain::record::{Link, RecordId, Remarks};
use crate::domain::scope::{Channels, Name, Names, Scope};
use crate::domain::statement::{Families, Statement};
use crate::domain::words::IdentifierKind;

const RESTRICTS: u8 = 1 << 4;
const SCOPED: u8 = 1 << 5;
const MICROS: u8 = 1 << 6;
/// On the first byte of a value: there are extras, read them before folding onto it.
const EXTRAS: u8 = 1 << 7;

/// The standing statements, and whether extras exist. Empty when there is nothing at all.
pub fn write_standing(statements: &[Statement], extras: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(6);
    for statement in statements {
        put_statement(&mut bytes, statement);
    }
    if extras {
        match bytes.first_mut() {
            Some(first) => *first |= EXTRAS,
            None => bytes.push(EXTRAS),
        }
    }
    bytes
}

/// Reads what [`write_standing`] wrote.
pub fn read_standing(bytes: &[u8]) -> Option<(Vec<Statement>, bool)> {
    let extras = bytes.first()? & EXTRAS != 0;
    if bytes == [EXTRAS] {
        return Some((vec![], true));
    }
    let mut reader = Reader { rest: bytes };
    let mut statements = Vec::with_capacity(1);
    while !reader.is_empty() {
        if !statements.is_empty() && reader.rest[0] & EXTRAS != 0 {
            return None;
        }
        statements.push(reader.statement()?);
    }
    Some((statements, extras))
}

/// Superseded statements and links.
pub fn write_extras(superseded: &[Statement], links: &[Link]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_number(&mut bytes, superseded.len() as u64);
    for statement in superseded {
        put_statement(&mut bytes, statement);
    }
    for link in links {
        bytes.extend(link.to.0);
        bytes.push(link.kind as u8);
        put_signed(&mut bytes, link.at.as_microsecond());
    }
    bytes
}

/// Reads what [`write_extras`] wrote.
pub fn read_extras(bytes: &[u8]) -> Option<(Vec<Statement>, Vec<Link>)> {
    let mut reader = Reader { rest: bytes };
    let superseded = (0..reader.number()?).map(|_| reader.statement()).collect::<Option<_>>()?;
    let mut links = Vec::new();
    while !reader.is_empty() {
        let to = Digest(reader.array()?);
        let kind = *IdentifierKind::ALL.get(usize::from(reader.byte()?))?;
        let at = Timestamp::from_microsecond(reader.signed()?).ok()?;
        links.push(Link { to, kind, at });
    }
    Some((superseded, links))
}

/// An event's outcome.
pub fn write_outcome(outcome: &Outcome) -> Vec<u8> {
    let mut bytes = vec![outcome.decision as u8, outcome.remarks.widened, outcome.remarks.ignored];
    bytes.extend(outcome.record.0);
    put_number(&mut bytes, outcome.revision);
    put_signed(&mut bytes, outcome.received_at.as_microsecond());
    put_signed(&mut bytes, outcome.decided_at.as_microsecond() - outcome.received_at.as_microsecond());
    for (key, hash) in &outcome.content {
        bytes.extend(key.0);
        bytes.extend(hash);
    }
    bytes
}

/// Reads what [`write_outcome`] wrote.
pub fn read_outcome(bytes: &[u8]) -> Option<Outcome> {
    let mut reader = Reader { rest: bytes };
    let decision = match reader.byte()? {
        0 => Decision::Applied,
        1 => Decision::Superseded,
        2 => Decision::Review,
        3 => Decision::UnknownRequest,
        _ => return None,
    };
    let remarks = Remarks { widened: reader.byte()?, ignored: reader.byte()? };
    let (record, revision) = (RecordId(reader.array()?), reader.number()?);
    let received = reader.signed()?;
    let decided = received.checked_add(reader.signed()?)?;
    let mut content = Vec::new();
    while !reader.is_empty() {
        content.push((KeyCheck(reader.array()?), reader.array()?));
    }
    Some(Outcome {
        record,
        decision,
        revision,
        received_at: Timestamp::from_microsecond(received).ok()?,
        decided_at: Timestamp::from_microsecond(decided).ok()?,
        remarks,
        content,
    })
}

/// A request's state.
pub fn write_request(state: RequestState) -> Vec<u8> {
    vec![state as u8]
}

/// Reads what [`write_request`] wrote.
pub fn read_request(bytes: &[u8]) -> Option<RequestState> {
    match bytes {
        [0] => Some(RequestState::Review),
        [1] => Some(RequestState::Applied),
        [2] => Some(RequestState::Dismissed),
        _ => None,
    }
}

/// The changes of a feed entry: each digest with its new value.
pub fn write_changes<'a>(changes: impl IntoIterator<Item = (Digest, &'a [u8])>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (digest, value) in changes {
        bytes.extend(digest.0);
        put_number(&mut bytes, value.len() as u64);
        bytes.extend(value);
    }
    bytes
}

/// Reads what [`write_changes`] wrote.
pub fn read_changes(bytes: &[u8]) -> Option<Vec<(Digest, &[u8])>> {
    let mut reader = Reader { rest: bytes };
    let mut changes = Vec::new();
    while !reader.is_empty() {
        let digest = Digest(reader.array()?);
        let length = usize::try_from(reader.number()?).ok()?;
        changes.push((digest, reader.slice(length)?));
    }
    Some(changes)
}

fn put_statement(bytes: &mut Vec<u8>, statement: &Statement) {
    let micros = statement.at.as_microsecond();
    let whole = micros % 1_000_000 == 0;
    let scoped = statement.scope != Scope::ALL;
    let mut flags = statement.families.bits();
    for (set, flag) in [(statement.restricts, RESTRICTS), (scoped, SCOPED), (!whole, MICROS)] {
        flags |= if set { flag } else { 0 };
    }
    bytes.push(flags);
    put_signed(bytes, if whole { micros / 1_000_000 } else { micros });
    if scoped {
        bytes.push(statement.scope.channels.bits());
        put_names(bytes, &statement.scope.regions);
        put_names(bytes, &statement.scope.brands);
    }
}

/// No names mean all.
fn put_names(bytes: &mut Vec<u8>, names: &Names) {
    put_number(bytes, names.listed().len() as u64);
    for name in names.listed() {
        put_number(bytes, name.len() as u64);
        bytes.extend(name.as_bytes());
    }
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn put_signed(bytes: &mut Vec<u8>, number: i64) {
    put_number(bytes, (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned());
}

/// Takes values off the front of some bytes; `None` when they are not there.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (slice, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(slice)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.slice(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn statement(&mut self) -> Option<Statement> {
        let flags = self.byte()?;
        let families = Families::from_bits(flags & 0x0f)?;
        let time = self.signed()?;
        let at = if flags & MICROS == 0 {
            Timestamp::from_second(time).ok()?
        } else {
            Timestamp::from_microsecond(time).ok()?
        };
        let scope = if flags & SCOPED == 0 {
            Scope::ALL
        } else {
            let channels = Channels::from_bits(self.byte()?)?;
            Scope { channels, regions: self.names()?, brands: self.names()? }
        };
        Some(Statement { families, restricts: flags & RESTRICTS != 0, at, scope })
    }

    fn names(&mut self) -> Option<Names> {
        let count = self.number()?;
        if count == 0 {
            return Some(Names::All);
        }
        let names: Option<Vec<Name>> = (0..count)
            .map(|_| {
                let length = usize::try_from(self.number()?).ok()?;
                Some(Name::from(std::str::from_utf8(self.slice(length)?).ok()?))
            })
            .collect();
        Names::only(names?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::statement::Kept;
    use crate::domain::words::EventKind;

    fn statement() -> impl Strategy<Value = Statement> {
        let names = || {
            prop_oneof![
                Just(Names::All),
                proptest::collection::vec("[A-ZА-Я]{1,9}", 1..4)
                    .prop_map(|names| Names::only(names.into_iter().map(Name::from)).unwrap())
            ]
        };
        let kinds = proptest::sample::select(&EventKind::ALL[..6]);
        let times = prop_oneof![
            (-9_000_000_000i64..9_000_000_000).prop_map(|s| s * 1_000_000),
            any::<i32>().prop_map(i64::from)
        ];
        (kinds, times, names(), 1u8..=255, names()).prop_map(|(kind, micros, regions, channels, brands)| {
            let scope = Scope { regions, channels: Channels::from_bits(channels).unwrap(), brands };
            Statement::of(kind, Timestamp::from_microsecond(micros).unwrap(), scope).unwrap()
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            said in proptest::collection::vec(statement(), 0..5),
            link in any::<([u8; 16], i32)>(),
        ) {
            let kept = Kept::new(said);
            let standing = kept.standing.as_slice();
            for extras in [false, true] {
                let bytes = write_standing(standing, extras);
                if !bytes.is_empty() {
                    prop_assert_eq!(read_standing(&bytes), Some((standing.to_vec(), extras)));
                }
            }
            let at = Timestamp::from_microsecond(i64::from(link.1)).unwrap();
            let links = vec![Link { to: Digest(link.0), kind: IdentifierKind::Email, at }];
            let bytes = write_extras(&kept.superseded, &links);
            prop_assert_eq!(read_extras(&bytes), Some((kept.superseded, links)));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = (read_standing(&bytes), read_extras(&bytes), read_outcome(&bytes), read_changes(&bytes));
        }

        #[test]
        fn outcomes_and_changes_come_back(
            revision in any::<u64>(), received in any::<i32>(), took in any::<i16>(), hash in any::<[u8; 16]>()
        ) {
            let received = i64::from(received);
            let outcome = Outcome {
                record: RecordId(hash),
                decision: Decision::Review,
                revision,
                received_at: Timestamp::from_microsecond(received).unwrap(),
                decided_at: Timestamp::from_microsecond(received + i64::from(took)).unwrap(),
                remarks: Remarks { widened: 5, ignored: 33 },
                content: vec![(KeyCheck([3; 8]), hash)],
            };
            prop_assert_eq!(read_outcome(&write_outcome(&outcome)), Some(outcome));
            let changes = vec![(Digest(hash), &b"value"[..]), (Digest([0; 16]), &b""[..])];
            let bytes = write_changes(changes.clone());
            prop_assert_eq!(read_changes(&bytes), Some(changes));
        }
    }

    #[test]
    fn bytes_that_no_value_has_are_not_guessed_at() {
        let at = "2026-11-22T05:15:00Z".parse().unwrap();
        let said = Statement::of(EventKind::OptOut, at, Scope::ALL).unwrap();
        let one = write_standing(&[said], true);
        assert!(read_standing(&one).is_some());
        assert_eq!(
            read_standing(&[&one[..], &one].concat()),
            None,
            "the mark of extras stands once, in front"
        );
        assert_eq!(
            read_standing(&[2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]),
            None,
            "65 bits"
        );
        assert_eq!(read_standing(&[]), None);
        assert_eq!(read_standing(&[0, 0]), None, "a statement of no family");
    }

    #[test]
    fn an_opt_out_of_everything_takes_six_bytes() {
        let at = "2026-11-22T05:15:00Z".parse().unwrap();
        let said = Statement::of(EventKind::OptOut, at, Scope::ALL).unwrap();
        assert_eq!(write_standing(&[said], false).len(), 6);
    }

    #[test]
    fn decisions_and_requests_keep_their_numbers() {
        for decision in [Decision::Applied, Decision::Superseded, Decision::Review, Decision::UnknownRequest]
        {
            let at = Timestamp::UNIX_EPOCH;
            let remarks = Remarks::default();
            let outcome = Outcome {
                record: RecordId([1; 16]),
                decision,
                revision: 1,
                received_at: at,
                decided_at: at,
                remarks,
                content: vec![],
            };
            assert_eq!(read_outcome(&write_outcome(&outcome)), Some(outcome));
        }
        for state in [RequestState::Review, RequestState::Applied, RequestState::Dismissed] {
            assert_eq!(read_request(&write_request(state)), Some(state));
        }
    }
}
