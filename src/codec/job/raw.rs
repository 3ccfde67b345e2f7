//! Small readings of JSON text that `serde_json` has already found valid.
//!
//! Nothing here repeats a value, and nothing recurses: how deep a value lies is counted, not walked.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::fault::Fault;
use crate::domain::words::DeadReason;

/// What JSON calls white space, and nothing else is.
pub(super) const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// The text of a JSON string, escapes decoded; `None` for every other type and for a lone surrogate.
pub(super) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let quoted = raw.get();
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if inner.as_bytes().contains(&b'\\') {
        serde_json::from_str(quoted).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// The text of a JSON number without fraction and exponent.
pub(super) fn integer(raw: &RawValue) -> Option<&str> {
    let digits = raw.get().strip_prefix('-').unwrap_or(raw.get());
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| raw.get())
}

/// Whether the value is `null`.
pub(super) fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}

/// Where a part of a text lies in it.
pub(super) fn place(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    start..start + part.len()
}

/// Which of the named members a key is, escapes decoded.
pub(super) fn named<const N: usize>(names: &[&'static str; N], key: &RawValue) -> Option<usize> {
    let key = string(key)?;
    names.iter().position(|name| *name == key)
}

/// Whether objects and arrays lie inside each other deeper than allowed.
pub(super) fn deeper_than(levels_max: usize, text: &str) -> bool {
    // Nearly every value has fewer brackets than it may have levels; counting them is a vector loop.
    let brackets = text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count();
    brackets > levels_max && levels(text) > levels_max
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

/// Why the named members of an object cannot be taken out of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misshapen {
    /// It is no object.
    NoObject,
    /// This member stands in it twice.
    Twice(&'static str),
}

/// The named members of an object, each at the place of its name; all others are passed over.
pub(super) fn members<'a, const N: usize>(
    names: &[&'static str; N],
    object: &'a str,
) -> Result<[Option<&'a RawValue>; N], Misshapen> {
    struct Members<'n, 'a, const N: usize> {
        names: &'n [&'static str; N],
        found: [Option<&'a RawValue>; N],
        twice: &'n mut Option<&'static str>,
    }

    impl<'a, const N: usize> Visitor<'a> for Members<'_, 'a, N> {
        type Value = [Option<&'a RawValue>; N];

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
            while let Some(key) = map.next_key::<&RawValue>()? {
                let Some(index) = named(self.names, key) else {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                };
                if self.found[index].replace(map.next_value()?).is_some() {
                    self.twice.get_or_insert(self.names[index]);
                }
            }
            Ok(self.found)
        }
    }

    let mut twice = None;
    let visitor = Members { names, found: [None; N], twice: &mut twice };
    let mut object = serde_json::Deserializer::from_str(object);
    let found = serde::Deserializer::deserialize_map(&mut object, visitor);
    match (twice, found) {
        (Some(name), _) => Err(Misshapen::Twice(name)),
        (None, found) => found.map_err(|_| Misshapen::NoObject),
    }
}
