//! An event that stands on a line of a file: what names the message may be missing.
//!
//! A file has no sender who must know an answer, so `event_id`, `source` and whatever belongs to a request are
//! passed over, and the identifiers may stand at the top as well as under `subject`. The time is given as it is
//! written: files have more forms than the contract.

use super::{Body, WORD_BYTES_MAX, also, identifier, identifiers, read_person, scope};
use crate::codec::fault::Fault;
use crate::codec::json::{Members, Tree};
use crate::domain::event::Wanted;
use crate::domain::filter::Identifiers;
use crate::domain::words::{DeadReason, EventKind};

use super::NOBODY;

/// What a line says. Not `Debug`: it names a person.
pub struct EventLine<'a> {
    /// What it does; `None`: it does not say so.
    pub kind: Option<EventKind>,
    /// When, as it is written.
    pub occurred_at: Option<&'a str>,
    /// By what one person is known, at least one.
    pub people: Vec<Identifiers<'a>>,
    /// Where it holds.
    pub scope: Wanted<'a>,
}

impl Body {
    /// Reads a line of a file.
    pub fn line(&self) -> Result<EventLine<'_>, Fault> {
        let members = Members::of(&self.0, "")?;
        let kind = members.text("kind", WORD_BYTES_MAX)?;
        let parsed =
            |kind| EventKind::parse(kind).ok_or_else(|| members.wrong("kind", "is not a kind of event"));
        let kind = kind.map(parsed).transpose()?;
        let mut people = vec![if members.get("subject")?.is_some() {
            identifiers(members, "subject", "/subject", true)?
        } else {
            let mut person = Identifiers::default();
            if !read_person(members, &mut person)? {
                return Err(Fault::whole(DeadReason::BadSchema, NOBODY));
            }
            person
        }];
        people.extend(also(members, true)?);
        Ok(EventLine { kind, occurred_at: time(members)?, people, scope: scope(members)? })
    }

    /// Reads a scope that stands by itself.
    pub fn scope_alone(&self) -> Result<Wanted<'_>, Fault> {
        super::scope_of(Members::of(&self.0, "")?)
    }
}

/// A text, or an integer as it is written.
fn time(members: Members<'_>) -> Result<Option<&str>, Fault> {
    match members.get("occurred_at")? {
        None => Ok(None),
        Some(Tree::Text(text)) if text.is_empty() => Ok(None),
        Some(value) => match identifier(value) {
            crate::domain::filter::Given::Text(std::borrow::Cow::Borrowed(text)) => Ok(Some(text)),
            _ => Err(members.wrong("occurred_at", "must be a string or an integer")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::Given;
    use crate::domain::words::IdentifierKind;

    fn check(
        line: &str,
        kind: Option<EventKind>,
        at: Option<&str>,
        emails: &[&str],
        brands: Option<Vec<&str>>,
    ) {
        let body = Body::parse(line.as_bytes()).unwrap();
        let read = body.line().map_err(|fault| fault.to_string()).unwrap();
        let found: Vec<_> =
            read.people.iter().map(|person| person.get(IdentifierKind::Email).clone()).collect();
        let expected: Vec<_> = emails.iter().map(|email| Given::Text((*email).into())).collect();
        assert!(found == expected, "{line}");
        assert_eq!((read.kind, read.occurred_at, read.scope.brands), (kind, at, brands), "{line}");
    }

    #[test]
    fn a_line_is_an_event_or_an_identifier_with_what_is_known() {
        let time = "2026-11-22T10:15:00+05:00";
        check(r#"{"email": "a@b.kz"}"#, None, None, &["a@b.kz"], None);
        check(
            r#"{"email": "a@b.kz", "occurred_at": 1700000000}"#,
            None,
            Some("1700000000"),
            &["a@b.kz"],
            None,
        );
        check(
            &format!(
                r#"{{"kind": "bounce", "occurred_at": "{time}", "subject": {{"email": "a@b.kz"}},
                "also": [{{"email": "c@d.kz"}}], "scope": {{"brands": ["lulla.kz"]}}, "source": "x", "event_id": 7}}"#
            ),
            Some(EventKind::Bounce),
            Some(time),
            &["a@b.kz", "c@d.kz"],
            Some(vec!["lulla.kz"]),
        );
    }

    #[test]
    fn a_line_without_an_identifier_or_with_a_strange_word_is_refused() {
        for line in [
            "{}",
            r#"{"email": ""}"#,
            r#"{"subject": {}}"#,
            r#"{"email": "a@b.kz", "kind": "no"}"#,
            r#"{"email": "a@b.kz", "occurred_at": {}}"#,
            r#"{"email": "a@b.kz", "scope": {"regions": []}}"#,
            "[]",
        ] {
            assert!(Body::parse(line.as_bytes()).unwrap().line().is_err(), "{line}");
        }
    }
}
