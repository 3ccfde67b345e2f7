//! From a text that `serde_json` has already found valid to a [`Tree`].
//!
//! One pass, and total: a text that is not valid after all gives `None`, as one that is nested too deep does.

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::{NESTING_LEVELS_MAX, Text, Tree};

/// White space and the marks between values. In a valid text they only ever stand where they belong.
const BETWEEN: [char; 6] = [' ', '\t', '\n', '\r', ',', ':'];

/// Reads one value and all that lies in it; `None` if that lies too deep.
pub(super) fn read(text: &str) -> Option<Tree> {
    Reader { rest: text }.value(NESTING_LEVELS_MAX)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// The first byte of what comes next.
    fn next(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_start_matches(BETWEEN);
        self.rest.bytes().next()
    }

    fn take(&mut self, bytes: usize) -> Option<&'a str> {
        let (taken, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(taken)
    }

    fn value(&mut self, levels: usize) -> Option<Tree> {
        match self.next()? {
            b'{' => self.object(levels.checked_sub(1)?),
            b'[' => self.array(levels.checked_sub(1)?),
            b'"' => self.string().map(Tree::Text),
            _ => self.scalar(),
        }
    }

    fn object(&mut self, levels: usize) -> Option<Tree> {
        self.take(1)?;
        let mut members = Vec::new();
        while self.next()? != b'}' {
            let name = self.string()?;
            members.push((name, self.value(levels)?));
        }
        self.take(1)?;
        Some(Tree::Object(members))
    }

    fn array(&mut self, levels: usize) -> Option<Tree> {
        self.take(1)?;
        let mut items = Vec::new();
        while self.next()? != b']' {
            items.push(self.value(levels)?);
        }
        self.take(1)?;
        Some(Tree::Array(items))
    }

    fn scalar(&mut self) -> Option<Tree> {
        let is_over = |byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
        let bytes = self.rest.bytes().position(is_over).unwrap_or(self.rest.len());
        Some(match self.take(bytes)? {
            "null" => Tree::Null,
            "true" => Tree::Bool(true),
            "false" => Tree::Bool(false),
            number => Tree::Number((!number.is_empty()).then_some(number)?.to_owned()),
        })
    }

    fn string(&mut self) -> Option<Text> {
        let bytes = string_bytes(self.rest.as_bytes())?;
        let quoted = self.take(bytes)?;
        let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
        if inner.as_bytes().contains(&b'\\') {
            serde_json::from_str(quoted).ok()
        } else {
            Some(Text(inner.as_bytes().to_vec()))
        }
    }
}

/// How long the string is that a text begins with, quotes included.
fn string_bytes(text: &[u8]) -> Option<usize> {
    let mut at = text.starts_with(b"\"").then_some(1)?;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Asked for bytes, `serde_json` decodes a lone surrogate instead of refusing it.
        deserializer.deserialize_bytes(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
        Ok(Text(bytes.to_vec()))
    }
}
