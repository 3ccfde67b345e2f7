//! Small readings of JSON text that `serde_json` has already found valid.
//!
//! Nothing here repeats a value, and nothing recurses: how deep a value lies is counted, not walked.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::IgnoredAny;

use super::super::fault::Fault;
use super::cursor::plain_bytes;
use crate::domain::words::DeadReason;

/// What JSON calls white space, and nothing else is.
pub(super) const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// The text of a JSON string, escapes decoded; `None` for every other type and for a lone surrogate.
pub(super) fn string(quoted: &str) -> Option<Cow<'_, str>> {
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if plain_bytes(inner.as_bytes()) == inner.len() {
        Some(Cow::Borrowed(inner))
    } else {
        serde_json::from_str(quoted).ok().map(Cow::Owned)
    }
}

/// The text of a JSON number without fraction and exponent.
pub(super) fn integer(value: &str) -> Option<&str> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(value)
}

/// Whether the value is `null`.
pub(super) fn is_null(value: &str) -> bool {
    value == "null"
}

/// Where a part of a text lies in it.
pub(super) fn place(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    start..start + part.len()
}

/// What the name of a member says, escapes decoded. `known` should match against literals: then no name of the
/// sender's own costs more than a look at its length.
pub(super) fn named<T>(key: &str, known: impl Fn(&str) -> Option<T>) -> Option<T> {
    let written = key.strip_prefix('"')?.strip_suffix('"')?;
    known(written).or_else(|| if written.contains('\\') { known(&string(key)?) } else { None })
}

/// Why the document is not JSON, if it is not. Tells a fault of form from a fault of content, so it runs
/// only once a document is refused.
pub(super) fn not_json(text: &str) -> Option<Fault> {
    let error = serde_json::from_str::<IgnoredAny>(text).err()?;
    let rule = format!("the body is not JSON (line {}, column {})", error.line(), error.column());
    Some(Fault::whole(DeadReason::BadJson, rule))
}
