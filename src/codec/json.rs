//! A small JSON tree that keeps what `serde_json::Value` drops: members given twice, numbers as they are
//! written, and strings with a lone surrogate.
//!
//! What such a string or number says is of use to nobody, but an opt-out that has one in a remark is still an
//! opt-out, and an identifier of forty digits is the same identifier here as in a job. For events only,
//! which are small; jobs are never turned into a tree.

mod members;
mod number;
mod reader;

use serde::de::IgnoredAny;

use super::fault::Fault;
use crate::domain::words::DeadReason;

pub(super) use members::Members;

/// How deep objects and arrays may lie inside each other.
pub(super) const NESTING_LEVELS_MAX: usize = 127;

/// A JSON value.
pub(super) enum Tree {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    Text(Text),
    Array(Vec<Tree>),
    /// In the order given, with repetitions.
    Object(Vec<(Text, Tree)>),
}

/// A string with its escapes decoded: UTF-8, but for lone surrogates, which stand as WTF-8 has them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text(Vec<u8>);

impl Text {
    /// The text, if it is Unicode.
    pub(super) fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Tree {
    /// Reads a whole document.
    pub(super) fn read(body: &[u8]) -> Result<Self, Fault> {
        let bad_json = |rule: String| Fault::whole(DeadReason::BadJson, rule);
        let text = std::str::from_utf8(body)
            .map_err(|error| bad_json(format!("the body is not UTF-8 (at byte {})", error.valid_up_to())))?;
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| {
            bad_json(format!("the body is not JSON (line {}, column {})", error.line(), error.column()))
        })?;
        reader::read(text).ok_or_else(|| {
            let rule = format!("objects and arrays may lie in each other {NESTING_LEVELS_MAX} levels deep");
            Fault::schema("", rule)
        })
    }

    /// The bytes that are equal for equal JSON values and for no others: members sorted, strings with their
    /// lengths, numbers in one form.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Null => bytes.push(b'n'),
            Self::Bool(flag) => bytes.push(if *flag { b't' } else { b'f' }),
            Self::Number(number) => {
                bytes.push(b'#');
                bytes.extend(number::one_form(number).as_bytes());
                bytes.push(b';');
            }
            Self::Text(text) => text.write(bytes),
            Self::Array(items) => {
                bytes.push(b'[');
                for item in items {
                    item.write(bytes);
                }
                bytes.push(b']');
            }
            Self::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                // Stable: of a name given twice, which comes first may matter to somebody.
                sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
                bytes.push(b'{');
                for (name, value) in sorted {
                    name.write(bytes);
                    value.write(bytes);
                }
                bytes.push(b'}');
            }
        }
    }
}

impl Text {
    /// With its length in front, so that no text can look like what follows it.
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.0.len().to_string().as_bytes());
        bytes.push(b':');
        bytes.extend(&self.0);
    }
}

#[cfg(test)]
mod tests;
