//! One recipient: its identifiers, and nothing else of it.
//!
//! Every member but the three identifiers is the sender's own and is not looked into.

use serde::de::IgnoredAny;

use super::super::fault::Fault;
use super::cursor::{Cursor, Stop};
use super::members::{Misshapen, members};
use super::{NESTING_LEVELS_MAX, raw};
use crate::domain::filter::{Given, Identifiers};
use crate::domain::words::{DeadReason, IdentifierKind};

/// Reads the identifiers of a recipient that stands by itself, in no job.
pub fn recipient(json: &[u8]) -> Result<Identifiers<'_>, Fault> {
    let text = std::str::from_utf8(json)
        .map_err(|_| Fault::whole(DeadReason::BadJson, "the recipient is not UTF-8"))?;
    let mut cursor = Cursor::new(text);
    let read = identifiers(&mut cursor, NESTING_LEVELS_MAX);
    let ended = if cursor.is_at_end() { Ok(()) } else { Err(Misshapen::Stopped(Stop::NotJson)) };
    read.and_then(|(identifiers, _)| ended.map(|()| identifiers)).map_err(|misshapen| {
        let error = serde_json::from_str::<IgnoredAny>(text).err();
        let not_json = error.map(|error| format!("the recipient is not JSON (column {})", error.column()));
        match (not_json, misshapen) {
            (Some(rule), _) => Fault::whole(DeadReason::BadJson, rule),
            (None, Misshapen::NoObject) => Fault::schema("", "must be an object"),
            (None, Misshapen::Twice(kind)) => {
                Fault::schema(format_args!("/{}", IdentifierKind::ALL[kind]), "given twice")
            }
            (None, Misshapen::Stopped(stop)) => Fault::whole(DeadReason::BadJson, stop.rule()),
        }
    })
}

/// Reads a recipient's identifiers, and where it ends.
pub(super) fn identifiers<'a>(
    cursor: &mut Cursor<'a>,
    levels_max: usize,
) -> Result<(Identifiers<'a>, usize), Misshapen> {
    let place = |name: &str| IdentifierKind::parse(name).map(|kind| kind as usize);
    let (members, end) = members(cursor, levels_max, place)?;
    Ok((Identifiers::new(members.map(|member| member.map_or(Given::Absent, given))), end))
}

/// Strings and integers are texts; `null` and `""` are nothing; the rest is there and cannot be used.
fn given(value: &str) -> Given<'_> {
    match value.as_bytes().first() {
        Some(b'"') => match raw::string(value) {
            Some(text) if text.is_empty() => Given::Absent,
            Some(text) => Given::Text(text),
            None => Given::Unusable,
        },
        Some(b'-' | b'0'..=b'9') => {
            raw::integer(value).map_or(Given::Unusable, |digits| Given::Text(digits.into()))
        }
        _ if raw::is_null(value) => Given::Absent,
        _ => Given::Unusable,
    }
}
