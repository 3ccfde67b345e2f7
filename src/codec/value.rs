//! What the list's values look like in Redis and in its feed: compact binary, since there are millions.
//!
//! A statement is one byte of flags and a time, six bytes in all for what covers everything. Names are
//! words, so a changed configuration changes no old value. Reading is total: bytes that are not a value give
//! `None`, never a panic and never a guess.

mod bytes;
mod outcome;
mod request;
#[cfg(test)]
mod tests;

use bytes::{Reader, put_number, put_signed, put_statement};

use crate::domain::digest::Digest;
use crate::domain::record::{Link, Person, RequestKey};
use crate::domain::statement::{Families, Kept, Statement};
use crate::domain::words::IdentifierKind;

pub use outcome::{read_outcome, write_outcome};
pub use request::{read_request, read_review, write_request, write_review};

/// On the first byte of a value: there are extras, read them before folding onto it.
const EXTRAS: u8 = 1 << 7;

/// Among the links, whose kinds count from 0: a provisional hold.
const HOLD: u8 = 0xff;

/// The standing statements, and whether extras exist. Empty when there is nothing at all.
pub fn write_standing(statements: &[Statement], extras: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(6);
    for statement in statements {
        put_statement(&mut bytes, statement);
    }
    if extras {
        match bytes.first_mut() {
            Some(first) => *first |= EXTRAS,
            None => bytes.push(EXTRAS),
        }
    }
    bytes
}

/// Reads what [`write_standing`] wrote.
pub fn read_standing(bytes: &[u8]) -> Option<(Vec<Statement>, bool)> {
    let extras = bytes.first()? & EXTRAS != 0;
    if bytes == [EXTRAS] {
        return Some((vec![], true));
    }
    let mut reader = Reader { rest: bytes };
    let mut statements = Vec::with_capacity(1);
    while !reader.is_empty() {
        if !statements.is_empty() && reader.rest[0] & EXTRAS != 0 {
            return None;
        }
        statements.push(reader.statement()?);
    }
    Some((statements, extras))
}

/// Whether a person has more than what stands.
pub fn has_extras(person: &Person) -> bool {
    !(person.kept.superseded.is_empty() && person.links.is_empty() && person.holds.is_empty())
}

/// Superseded statements, links and provisional holds.
pub fn write_extras(person: &Person) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_number(&mut bytes, person.kept.superseded.len() as u64);
    for statement in &person.kept.superseded {
        put_statement(&mut bytes, statement);
    }
    for link in &person.links {
        bytes.extend(link.to.0);
        bytes.push(link.kind as u8);
        put_signed(&mut bytes, link.at.as_microsecond());
    }
    for (request, at) in &person.holds {
        bytes.extend(request.0);
        bytes.push(HOLD);
        put_signed(&mut bytes, at.as_microsecond());
    }
    bytes
}

/// What [`write_standing`] and [`write_extras`] wrote, as one person again.
pub fn read_extras(standing: Vec<Statement>, bytes: &[u8]) -> Option<Person> {
    let mut reader = Reader { rest: bytes };
    let superseded: Vec<_> = (0..reader.number()?).map(|_| reader.statement()).collect::<Option<_>>()?;
    // The provisional hold among what stands is made of the holds that follow.
    let said = standing.into_iter().filter(|statement| statement.families != Families::PROVISIONAL);
    let mut person = Person { kept: Kept::new(said.chain(superseded)), ..Person::default() };
    while !reader.is_empty() {
        let (id, what, at) = (reader.array()?, reader.byte()?, reader.time()?);
        if what == HOLD {
            person.holds.insert(RequestKey(id), at);
        } else {
            let kind = *IdentifierKind::ALL.get(usize::from(what))?;
            person.links.push(Link { to: Digest(id), kind, at });
        }
    }
    Some(person)
}

/// The changes of a feed entry: each digest with its new value.
pub fn write_changes<'a>(changes: impl IntoIterator<Item = (Digest, &'a [u8])>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (digest, value) in changes {
        bytes.extend(digest.0);
        put_number(&mut bytes, value.len() as u64);
        bytes.extend(value);
    }
    bytes
}

/// Reads what [`write_changes`] wrote.
pub fn read_changes(bytes: &[u8]) -> Option<Vec<(Digest, &[u8])>> {
    let mut reader = Reader { rest: bytes };
    let mut changes = Vec::new();
    while !reader.is_empty() {
        let digest = Digest(reader.array()?);
        let length = usize::try_from(reader.number()?).ok()?;
        changes.push((digest, reader.slice(length)?));
    }
    Some(changes)
}
