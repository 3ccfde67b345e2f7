//! Events: what sources say about people.
//!
//! `bad_json` comes before `bad_schema`. What the contract does not name, and `subject` or `new_subject` where
//! the kind has no use for them, is passed over, but it counts when two bodies are compared: the content hash
//! is over the whole JSON value. `null` and `""` are no member, everywhere.

use std::borrow::Cow;

use super::fault::Fault;
use super::json::{Members, Tree};
use super::time::parse_rfc3339;
use crate::domain::event::{Event, Wanted};
use crate::domain::filter::{Given, Identifiers};
use crate::domain::words::{EventKind, IdentifierKind, RequestedBy};

/// The most bytes that an event's or a request's name has.
pub const NAME_BYTES_MAX: usize = 256;

/// The most bytes that `source` and `agent` have.
pub const WORD_BYTES_MAX: usize = 128;

/// The most names in one dimension of a scope.
pub const SCOPE_NAMES_MAX: usize = 256;

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
        let (dismisses, changes) = (kind == EventKind::Dismiss, kind == EventKind::IdentifierChanged);
        let request_id = members.text("request_id", NAME_BYTES_MAX)?;
        if dismisses && request_id.is_none() {
            return Err(members.wrong("request_id", "is required for dismiss"));
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
            subject: identifiers(members, "subject", "/subject", !dismisses)?,
            new_subject: identifiers(members, "new_subject", "/new_subject", changes)?,
            scope: scope(members)?,
            request_id,
            requested_by,
            agent: members.text("agent", WORD_BYTES_MAX)?,
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
    let mut any = false;
    for kind in IdentifierKind::ALL {
        let given = person.get(kind.as_str())?.map_or(Given::Absent, identifier);
        any |= given != Given::Absent;
        identifiers.set(*kind, given);
    }
    if any { Ok(identifiers) } else { Err(members.wrong(name, "must have a user_id, email or phone")) }
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
    let scope = Members::of(scope, "/scope")?;
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
