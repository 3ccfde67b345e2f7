//! Events: what sources say about people.
//!
//! `bad_json` comes before `bad_schema`. What the contract does not name, and `subject` or `new_subject` where
//! the kind has no use for them, is passed over, but it counts when two bodies are compared: the content hash
//! is over the whole JSON value. `null` and `""` are no member, everywhere.

mod line;

use std::borrow::Cow;

use super::fault::Fault;
use super::json::{Members, Tree};
use super::time::parse_rfc3339;
use crate::domain::event::{Event, Wanted};
use crate::domain::filter::{Given, Identifiers};
use crate::domain::words::{EventKind, IdentifierKind, RequestedBy, ReviewMode};

pub use line::EventLine;

/// The most bytes that an event's or a request's name has.
pub const NAME_BYTES_MAX: usize = 256;

/// The most bytes that `source` and `agent` have.
pub const WORD_BYTES_MAX: usize = 128;

/// The most names in one dimension of a scope.
pub const SCOPE_NAMES_MAX: usize = 256;

/// The most bytes that the name of a rule has.
pub const RULE_BYTES_MAX: usize = 64;

/// Where further identifiers stand; as many as there may be.
const ALSO: [&str; 16] = [
    "/also/0", "/also/1", "/also/2", "/also/3", "/also/4", "/also/5", "/also/6", "/also/7", "/also/8",
    "/also/9", "/also/10", "/also/11", "/also/12", "/also/13", "/also/14", "/also/15",
];

/// Stands for a name that is not Unicode: nothing is configured under it, so it is unknown.
const NO_NAME: &str = "";

/// An event's JSON, to be [read](Body::event).
pub struct Body(Tree);

impl Body {
    /// Parses the JSON.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        Tree::read(body).map(Self)
    }

    /// Bytes that are equal for equal JSON values. They hold a person: hash them under a key.
    pub fn canonical(&self) -> Vec<u8> {
        self.0.canonical()
    }

    /// Reads the event.
    pub fn event(&self) -> Result<Event<'_>, Fault> {
        let members = Members::of(&self.0, "")?;
        let event_id = members.required("event_id", NAME_BYTES_MAX)?;
        let source = members.required("source", WORD_BYTES_MAX)?;
        let kind = members.required("kind", WORD_BYTES_MAX)?;
        let kind = EventKind::parse(kind).ok_or_else(|| members.wrong("kind", "is not a kind of event"))?;
        let occurred_at = members.required("occurred_at", WORD_BYTES_MAX)?;
        let occurred_at = parse_rfc3339(occurred_at)
            .ok_or_else(|| members.wrong("occurred_at", "must be RFC 3339 with an offset"))?;
        let (settles, changes) = (kind.settles(), kind == EventKind::IdentifierChanged);
        let request_id = members.text("request_id", NAME_BYTES_MAX)?;
        if settles && request_id.is_none() {
            return Err(members.wrong("request_id", format_args!("is required for {kind}")));
        }
        let requested_by = match members.text("requested_by", WORD_BYTES_MAX)? {
            None => RequestedBy::Subject,
            Some(word) => RequestedBy::parse(word).ok_or_else(|| {
                members.wrong("requested_by", "must be subject, representative or authority")
            })?,
        };
        Ok(Event {
            event_id,
            source,
            kind,
            occurred_at,
            subject: identifiers(members, "subject", "/subject", !settles)?,
            also: also(members, !settles)?,
            new_subject: identifiers(members, "new_subject", "/new_subject", changes)?,
            scope: scope(members)?,
            request_id,
            requested_by,
            agent: members.text("agent", WORD_BYTES_MAX)?,
            review: review(members, kind)?,
            rule: rule(members)?,
        })
    }
}

/// The identifiers under a member's name, at least one; none where they are of no use.
fn identifiers<'a>(
    members: Members<'a>,
    name: &'static str,
    pointer: &'static str,
    used: bool,
) -> Result<Identifiers<'a>, Fault> {
    let mut identifiers = Identifiers::default();
    let given = members.get(name)?;
    if !used {
        return Ok(identifiers);
    }
    let person = Members::of(given.ok_or_else(|| members.wrong(name, "is required"))?, pointer)?;
    let any = read_person(person, &mut identifiers)?;
    if any { Ok(identifiers) } else { Err(members.wrong(name, NOBODY)) }
}

/// The rule that an object with no identifier breaks.
const NOBODY: &str = "must have a user_id, email or phone";

/// Answers whether there is any identifier.
fn read_person<'a>(person: Members<'a>, identifiers: &mut Identifiers<'a>) -> Result<bool, Fault> {
    let mut any = false;
    for kind in IdentifierKind::ALL {
        let given = person.get(kind.as_str())?.map_or(Given::Absent, identifier);
        any |= given != Given::Absent;
        identifiers.set(*kind, given);
    }
    Ok(any)
}

/// Further identifiers of the same person.
fn also<'a>(members: Members<'a>, used: bool) -> Result<Vec<Identifiers<'a>>, Fault> {
    let people = match members.get("also")? {
        None => return Ok(vec![]),
        Some(_) if !used => return Ok(vec![]),
        Some(Tree::Array(people)) => people,
        Some(_) => return Err(members.wrong("also", "must be an array of objects")),
    };
    if people.len() > ALSO.len() {
        return Err(members.wrong("also", format_args!("must have at most {} objects", ALSO.len())));
    }
    let read = |(person, pointer): (&'a Tree, &&'static str)| {
        let mut identifiers = Identifiers::default();
        let any = read_person(Members::of(person, pointer)?, &mut identifiers)?;
        if any { Ok(identifiers) } else { Err(Fault::schema(pointer, NOBODY)) }
    };
    people.iter().zip(&ALSO).map(read).collect()
}

/// What happens until a person has decided. Only what restricts can wait for that.
fn review(members: Members<'_>, kind: EventKind) -> Result<Option<ReviewMode>, Fault> {
    let Some(word) = members.text("review", WORD_BYTES_MAX)? else { return Ok(None) };
    let mode = ReviewMode::parse(word).ok_or_else(|| members.wrong("review", "must be hold or ask"))?;
    if kind.restricts() {
        Ok(Some(mode))
    } else {
        Err(members.wrong("review", "is only for opt_out, complaint, bounce and hold"))
    }
}

fn rule(members: Members<'_>) -> Result<Option<&str>, Fault> {
    let rule = members.text("rule", RULE_BYTES_MAX)?;
    let in_rules = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    match rule {
        Some(rule) if !rule.bytes().all(in_rules) => {
            Err(members.wrong("rule", "must consist of letters a-z, digits, `_`, `.` and `-`"))
        }
        rule => Ok(rule),
    }
}

/// Strings and integers are texts, as in jobs.
fn identifier(value: &Tree) -> Given<'_> {
    let text = match value {
        Tree::Text(text) if text.is_empty() => return Given::Absent,
        Tree::Text(text) => text.as_str(),
        other => other.integer(),
    };
    text.map_or(Given::Unusable, |text| Given::Text(Cow::Borrowed(text)))
}

fn scope(members: Members<'_>) -> Result<Wanted<'_>, Fault> {
    let Some(scope) = members.get("scope")? else { return Ok(Wanted::default()) };
    scope_of(Members::of(scope, "/scope")?)
}

fn scope_of(scope: Members<'_>) -> Result<Wanted<'_>, Fault> {
    Ok(Wanted {
        regions: names(scope, "regions")?,
        channels: names(scope, "channels")?,
        brands: names(scope, "brands")?,
    })
}

/// One dimension of a scope.
fn names<'a>(scope: Members<'a>, name: &'static str) -> Result<Option<Vec<&'a str>>, Fault> {
    let items = match scope.get(name)? {
        None => return Ok(None),
        Some(Tree::Array(items)) => items,
        Some(_) => return Err(scope.wrong(name, "must be an array of strings")),
    };
    if items.is_empty() {
        return Err(scope.wrong(name, "must not be empty: leave it out to mean all"));
    }
    if items.len() > SCOPE_NAMES_MAX {
        return Err(scope.wrong(name, format_args!("must have at most {SCOPE_NAMES_MAX} names")));
    }
    let name_of = |item: &'a Tree| match item {
        Tree::Text(text) => Ok(text.as_str().unwrap_or(NO_NAME)),
        _ => Err(scope.wrong(name, "must be an array of strings")),
    };
    items.iter().map(name_of).collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests;
