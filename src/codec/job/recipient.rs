//! One recipient: its identifiers, and nothing else of it.
//!
//! Every member but the three identifiers is the sender's own and is not looked into.

use serde_json::value::RawValue;

use super::super::fault::Fault;
use super::members::{Misshapen, members};
use super::raw;
use crate::domain::filter::{Given, Identifiers};
use crate::domain::words::{DeadReason, IdentifierKind};

use IdentifierKind::{Email, Phone, UserId};

const KINDS: [IdentifierKind; 3] = [UserId, Email, Phone];
const NAMES: [&str; 3] = [UserId.as_str(), Email.as_str(), Phone.as_str()];

/// Reads the identifiers of a recipient that stands by itself, in no job.
pub fn recipient(json: &[u8]) -> Result<Identifiers<'_>, Fault> {
    let text = std::str::from_utf8(json)
        .map_err(|_| Fault::whole(DeadReason::BadJson, "the recipient is not UTF-8"))?;
    let object: &RawValue = serde_json::from_str(text).map_err(|error| {
        Fault::whole(DeadReason::BadJson, format!("the recipient is not JSON (column {})", error.column()))
    })?;
    identifiers(object.get()).map_err(|misshapen| match misshapen {
        Misshapen::NoObject => Fault::schema("", "must be an object"),
        Misshapen::Twice(name) => Fault::schema(format_args!("/{name}"), "given twice"),
    })
}

/// Reads a recipient's identifiers.
pub(super) fn identifiers(recipient: &str) -> Result<Identifiers<'_>, Misshapen> {
    let members = members(&NAMES, recipient)?;
    let mut identifiers = Identifiers::default();
    for (kind, member) in KINDS.into_iter().zip(members) {
        identifiers.set(kind, member.map_or(Given::Absent, given));
    }
    Ok(identifiers)
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
