//! Events: what sources say about people.
//!
//! `bad_json` comes before `bad_schema`. Members that the contract does not name are passed over, but they
//! count when two bodies are compared: the content hash is over the whole JSON value.

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
        let request_id = members.text("request_id", NAME_BYTES_MAX)?;
        if kind == EventKind::Dismiss && request_id.is_none() {
            return Err(members.wrong("request_id", "is required for dismiss"));
        }
        let requested_by = match members.text("requested_by", WORD_BYTES_MAX)? {
            None => RequestedBy::Subject,
            Some(word) => RequestedBy::parse(word).ok_or_else(|| {
                members.wrong("requested_by", "must be subject, representative or authority")
            })?,
        };
        let changed = kind == EventKind::IdentifierChanged;
        Ok(Event {
            event_id,
            source,
            kind,
            occurred_at,
            subject: identifiers(&members, "subject", "/subject", kind != EventKind::Dismiss)?,
            new_subject: identifiers(&members, "new_subject", "/new_subject", changed)?,
            scope: scope(&members)?,
            request_id,
            requested_by,
            agent: members.text("agent", WORD_BYTES_MAX)?,
        })
    }
}

fn identifiers<'a>(
    members: &Members<'a>,
    name: &'static str,
    pointer: &'static str,
    required: bool,
) -> Result<Identifiers<'a>, Fault> {
    let mut identifiers = Identifiers::default();
    let subject = match members.get(name)? {
        None | Some(Tree::Null) if !required => return Ok(identifiers),
        None | Some(Tree::Null) => return Err(members.wrong(name, "is required")),
        Some(tree) => Members::of(tree, pointer)?,
    };
    let mut any = false;
    for kind in IdentifierKind::ALL {
        let given = match subject.get(kind.as_str())? {
            None | Some(Tree::Null) => Given::Absent,
            Some(Tree::Text(text)) if text.is_empty() => Given::Absent,
            Some(Tree::Text(text)) => Given::Text(Cow::Borrowed(text)),
            Some(Tree::Number(number)) if number.is_u64() || number.is_i64() => {
                Given::Text(Cow::Owned(number.to_string()))
            }
            Some(_) => Given::Unusable,
        };
        any |= !matches!(given, Given::Absent);
        identifiers.set(*kind, given);
    }
    if required && !any {
        return Err(members.wrong(name, "must have a user_id, email or phone"));
    }
    Ok(identifiers)
}

fn scope<'a>(members: &Members<'a>) -> Result<Wanted<'a>, Fault> {
    let scope = match members.get("scope")? {
        None | Some(Tree::Null) => return Ok(Wanted::default()),
        Some(tree) => Members::of(tree, "/scope")?,
    };
    Ok(Wanted {
        regions: names(&scope, "regions")?,
        channels: names(&scope, "channels")?,
        brands: names(&scope, "brands")?,
    })
}

fn names<'a>(scope: &Members<'a>, name: &'static str) -> Result<Option<Vec<&'a str>>, Fault> {
    let items = match scope.get(name)? {
        None | Some(Tree::Null) => return Ok(None),
        Some(Tree::Array(items)) => items,
        Some(_) => return Err(scope.wrong(name, "must be an array of strings")),
    };
    if items.is_empty() {
        return Err(scope.wrong(name, "must not be empty: leave it out to mean all"));
    }
    if items.len() > SCOPE_NAMES_MAX {
        return Err(scope.wrong(name, format!("must have at most {SCOPE_NAMES_MAX} names")));
    }
    items
        .iter()
        .map(|item| match item {
            Tree::Text(text) => Ok(text.as_str()),
            _ => Err(scope.wrong(name, "must be an array of strings")),
        })
        .collect::<Result<_, _>>()
        .map(Some)
}
