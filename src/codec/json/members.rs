//! The contract's own members of an object, each with the place where it stands.
//!
//! A member given twice is an error, whatever its values, but only where the contract names it: others are
//! the sender's own. `null` is no member.

use std::fmt::Display;

use super::super::fault::Fault;
use super::{Text, Tree, number};

/// An object of the contract.
#[derive(Clone, Copy)]
pub(in super::super) struct Members<'a> {
    members: &'a [(Text, Tree)],
    pointer: &'static str,
}

impl<'a> Members<'a> {
    /// The members of an object that stands at a JSON pointer.
    pub(in super::super) fn of(tree: &'a Tree, pointer: &'static str) -> Result<Self, Fault> {
        match tree {
            Tree::Object(members) => Ok(Self { members, pointer }),
            _ => Err(Fault::schema(pointer, "must be an object")),
        }
    }

    /// The value of a member, if there is one.
    pub(in super::super) fn get(&self, name: &'static str) -> Result<Option<&'a Tree>, Fault> {
        let mut found = self.members.iter().filter(|(member, _)| member.as_str() == Some(name));
        let first = found.next().map(|(_, value)| value);
        match found.next() {
            None => Ok(first.filter(|value| !matches!(value, Tree::Null))),
            Some(_) => Err(self.wrong(name, "is given twice")),
        }
    }

    /// The text of a member; `""` is no member either.
    pub(in super::super) fn text(
        &self,
        name: &'static str,
        bytes_max: usize,
    ) -> Result<Option<&'a str>, Fault> {
        let text = match self.get(name)? {
            None => return Ok(None),
            Some(Tree::Text(text)) if text.is_empty() => return Ok(None),
            Some(Tree::Text(text)) => text.as_str(),
            Some(_) => None,
        };
        match text {
            None => Err(self.wrong(name, "must be a string")),
            Some(text) if text.len() > bytes_max => {
                Err(self.wrong(name, format!("must have at most {bytes_max} bytes")))
            }
            Some(text) => Ok(Some(text)),
        }
    }

    /// The text of a member that must be there.
    pub(in super::super) fn required(&self, name: &'static str, bytes_max: usize) -> Result<&'a str, Fault> {
        self.text(name, bytes_max)?.ok_or_else(|| self.wrong(name, "is required"))
    }

    /// A fault of one member.
    pub(in super::super) fn wrong(&self, name: &'static str, rule: impl Display) -> Fault {
        Fault::schema(format_args!("{}/{name}", self.pointer), rule)
    }
}

impl Tree {
    /// A number without fraction and exponent, as written.
    pub(in super::super) fn integer(&self) -> Option<&str> {
        match self {
            Self::Number(number) => number::integer(number),
            _ => None,
        }
    }
}
