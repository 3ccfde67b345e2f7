//! A small JSON tree that keeps what `serde_json::Value` drops: members given twice.
//!
//! For events only, which are small; jobs are never turned into a tree.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::fault::Fault;
use crate::domain::words::DeadReason;

/// A JSON value.
pub(super) enum Tree {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Array(Vec<Tree>),
    /// In the order given, with repetitions.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Reads a whole document.
    pub(super) fn read(body: &[u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(body).map_err(|_| bad_json("the body is not UTF-8"))?;
        serde_json::from_str(text).map_err(|error| {
            bad_json(&format!("not JSON at line {} column {}", error.line(), error.column()))
        })
    }

    /// The bytes that are equal for equal JSON values: members sorted, numbers in one form.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Null => bytes.extend(b"null"),
            Self::Bool(flag) => bytes.extend(if *flag { &b"true"[..] } else { b"false" }),
            Self::Number(number) => bytes.extend(one_form(number).as_bytes()),
            Self::Text(text) => put_text(bytes, text),
            Self::Array(items) => {
                bytes.push(b'[');
                for item in items {
                    item.write(bytes);
                    bytes.push(b',');
                }
                bytes.push(b']');
            }
            Self::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
                bytes.push(b'{');
                for (name, value) in sorted {
                    put_text(bytes, name);
                    bytes.push(b':');
                    value.write(bytes);
                    bytes.push(b',');
                }
                bytes.push(b'}');
            }
        }
    }
}

/// `1`, `1.0` and `1e0` are one number.
fn one_form(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if !number.is_i64() && !number.is_u64() && float.fract() == 0.0 && float.abs() < 1e15 => {
            format!("{float:.0}")
        }
        _ => number.to_string(),
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(bytes, text).expect("text is written to memory");
}

fn bad_json(rule: &str) -> Fault {
    Fault::whole(DeadReason::BadJson, rule)
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Tree, E> {
        Number::from_f64(number).map(Tree::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Tree, E> {
        Ok(Tree::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Tree::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Tree::Object(object))
    }
}

/// An object of the contract, with the place where it stands.
pub(super) struct Members<'a> {
    members: &'a [(String, Tree)],
    pointer: &'static str,
}

impl<'a> Members<'a> {
    /// The members of an object.
    pub(super) fn of(tree: &'a Tree, pointer: &'static str) -> Result<Self, Fault> {
        match tree {
            Tree::Object(members) => Ok(Self { members, pointer }),
            _ => Err(Fault::schema(pointer, "must be an object")),
        }
    }

    /// The value of a member, if it is there; given twice, it is an error.
    pub(super) fn get(&self, name: &'static str) -> Result<Option<&'a Tree>, Fault> {
        let mut found = self.members.iter().filter(|(member, _)| member == name).map(|(_, value)| value);
        let first = found.next();
        match found.next() {
            None => Ok(first),
            Some(_) => Err(self.wrong(name, "is given twice")),
        }
    }

    /// The text of a member; `null` is no member.
    pub(super) fn text(&self, name: &'static str, bytes_max: usize) -> Result<Option<&'a str>, Fault> {
        match self.get(name)? {
            None | Some(Tree::Null) => Ok(None),
            Some(Tree::Text(text)) if text.is_empty() => Err(self.wrong(name, "must not be empty")),
            Some(Tree::Text(text)) if text.len() <= bytes_max => Ok(Some(text)),
            Some(Tree::Text(_)) => Err(self.wrong(name, format!("must have at most {bytes_max} bytes"))),
            Some(_) => Err(self.wrong(name, "must be a string")),
        }
    }

    /// The text of a member that must be there.
    pub(super) fn required(&self, name: &'static str, bytes_max: usize) -> Result<&'a str, Fault> {
        self.text(name, bytes_max)?.ok_or_else(|| self.wrong(name, "is required"))
    }

    /// A fault of one member.
    pub(super) fn wrong(&self, name: &str, rule: impl std::fmt::Display) -> Fault {
        Fault::schema(format!("{}/{name}", self.pointer), rule)
    }
}
