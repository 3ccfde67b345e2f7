//! An event's outcome. There is one for every event ever accepted, so each byte counts.
//!
//! The calendar of a deadline is a number in the head's list of calendars. An outcome of the first fold has
//! none of the flags and is read as well.

use jiff::Timestamp;

use super::bytes::{Reader, put_distance, put_number, put_signed, put_text};
use crate::domain::calendar::Deadline;
use crate::domain::digest::KeyCheck;
use crate::domain::fold::{Decision, Outcome};
use crate::domain::record::{RecordId, Remarks};
use crate::domain::scope::Name;

const DECISION: u8 = 0x0f;
const HELD: u8 = 1 << 4;
const SETTLED_OWN: u8 = 1 << 5;
const DUE: u8 = 1 << 6;
/// The strict deadline is another.
const STRICT: u8 = 1 << 7;

/// No calendar.
const PLAIN: u64 = 0;
/// A calendar that the head does not name.
const SPELT: u64 = 1;
/// The head's first calendar.
const NAMED: u64 = 2;

/// Writes an outcome, under a head that names these calendars.
pub fn write_outcome(outcome: &Outcome, calendars: &[Name]) -> Vec<u8> {
    let due = outcome.deadline.as_ref();
    let strict = due.filter(|due| due.due_strict_at != due.due_at);
    let flags = [
        (outcome.held, HELD),
        (outcome.settled_own, SETTLED_OWN),
        (due.is_some(), DUE),
        (strict.is_some(), STRICT),
    ];
    let first =
        flags.iter().fold(outcome.decision as u8, |byte, (set, flag)| byte | if *set { *flag } else { 0 });
    let mut bytes = vec![first, outcome.remarks.widened, outcome.remarks.ignored];
    bytes.extend(outcome.record.0);
    put_number(&mut bytes, outcome.revision);
    let received_at = outcome.received_at;
    put_signed(&mut bytes, received_at.as_microsecond());
    put_signed(&mut bytes, outcome.decided_at.as_microsecond() - received_at.as_microsecond());
    if let Some(due) = due {
        put_distance(&mut bytes, received_at, due.due_at);
        if let Some(strict) = strict {
            put_distance(&mut bytes, received_at, strict.due_strict_at);
        }
        put_calendar(&mut bytes, due.calendar.as_ref(), calendars);
    }
    for (key, hash) in &outcome.content {
        bytes.extend(key.0);
        bytes.extend(hash);
    }
    bytes
}

fn put_calendar(bytes: &mut Vec<u8>, calendar: Option<&Name>, calendars: &[Name]) {
    match calendar.map(|calendar| (calendar, (NAMED..).zip(calendars).find(|(_, named)| *named == calendar)))
    {
        None => put_number(bytes, PLAIN),
        Some((_, Some((number, _)))) => put_number(bytes, number),
        Some((calendar, None)) => {
            put_number(bytes, SPELT);
            put_text(bytes, calendar);
        }
    }
}

/// Reads what [`write_outcome`] wrote under a head that named these calendars, or named fewer.
pub fn read_outcome(bytes: &[u8], calendars: &[Name]) -> Option<Outcome> {
    let mut reader = Reader { rest: bytes };
    let first = reader.byte()?;
    let decision = *Decision::ALL.get(usize::from(first & DECISION))?;
    let remarks = Remarks { widened: reader.byte()?, ignored: reader.byte()? };
    let (record, revision) = (RecordId(reader.array()?), reader.number()?);
    let received = reader.signed()?;
    let decided = received.checked_add(reader.signed()?)?;
    let received_at = Timestamp::from_microsecond(received).ok()?;
    let deadline = if first & DUE == 0 {
        None
    } else {
        let due_at = reader.distance(received_at)?;
        let due_strict_at = if first & STRICT == 0 { due_at } else { reader.distance(received_at)? };
        Some(Deadline { due_at, due_strict_at, calendar: calendar(&mut reader, calendars)? })
    };
    let mut content = Vec::new();
    while !reader.is_empty() {
        content.push((KeyCheck(reader.array()?), reader.array()?));
    }
    Some(Outcome {
        record,
        decision,
        revision,
        received_at,
        decided_at: Timestamp::from_microsecond(decided).ok()?,
        deadline,
        held: first & HELD != 0,
        settled_own: first & SETTLED_OWN != 0,
        remarks,
        content,
    })
}

#[expect(clippy::option_option, reason = "no calendar and no value are different answers")]
fn calendar(reader: &mut Reader<'_>, calendars: &[Name]) -> Option<Option<Name>> {
    match reader.number()? {
        PLAIN => Some(None),
        SPELT => Some(Some(reader.text()?.into())),
        number => calendars.get(usize::try_from(number - NAMED).ok()?).cloned().map(Some),
    }
}
