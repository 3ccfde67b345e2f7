//! Small readings of JSON text that `serde_json` has already found valid.
//!
//! Nothing here repeats a value, and nothing recurses: how deep a value lies is counted, not walked.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::IgnoredAny;

use super::super::fault::Fault;
use crate::domain::words::DeadReason;

/// What JSON calls white space, and nothing else is.
pub(super) const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// The text of a JSON string, escapes decoded; `None` for every other type and for a lone surrogate.
pub(super) fn string(quoted: &str) -> Option<Cow<'_, str>> {
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if inner.as_bytes().contains(&b'\\') {
        serde_json::from_str(quoted).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
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

/// Which of the named members a key is, escapes decoded.
pub(super) fn named<const N: usize>(names: &[&'static str; N], key: &str) -> Option<usize> {
    let key = string(key)?;
    names.iter().position(|name| *name == key)
}

/// Whether objects and arrays lie inside each other deeper than allowed.
pub(super) fn deeper_than(levels_max: usize, text: &str) -> bool {
    // Each level takes two bytes; nearly every value is too short to be looked at.
    text.len() / 2 > levels_max && levels(text) > levels_max
}

fn levels(text: &str) -> usize {
    let (mut level, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                level += 1;
                deepest = deepest.max(level);
            }
            b'}' | b']' => level -= 1,
            _ => {}
        }
    }
    deepest
}

/// Why the document is not JSON, if it is not. Tells a fault of form from a fault of content, so it runs
/// only once a document is refused.
pub(super) fn not_json(text: &str) -> Option<Fault> {
    let error = serde_json::from_str::<IgnoredAny>(text).err()?;
    let rule = format!("the body is not JSON (line {}, column {})", error.line(), error.column());
    Some(Fault::whole(DeadReason::BadJson, rule))
}
