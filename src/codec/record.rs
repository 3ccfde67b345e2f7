//! Ledger records as JSON, one a message, digests in hexadecimal.
//!
//! The ledger outlives every version of this program, so the form is self-describing and carries its
//! version. A record of an unknown version or kind is an error, never skipped: the fold may not guess.

mod import;

use import::WireImport;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::scope::WireScope;
use super::value;
use crate::domain::calendar::Deadline;
use crate::domain::digest::{Digest, KeyCheck};
use crate::domain::record::{
    Entry, EventKey, EventRecord, LedgerId, Nonce, Person, Record, RecordId, Remarks, Subject, WorkerId,
};
use crate::domain::scope::Name;
use crate::domain::words::{EventKind, IdentifierKind, RequestedBy, ReviewMode};

/// The version that is written.
const VERSION: u32 = 1;

/// Bytes in the ledger that this version cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a ledger record that this version cannot read ({why}); was it written by a newer suppressd?")]
pub struct UnreadableRecord {
    why: &'static str,
}

/// Writes a record.
pub fn write(entry: &Entry) -> Vec<u8> {
    let wire = Wire { v: VERSION, id: hex(&entry.id.0), body: Body::from(&entry.record) };
    serde_json::to_vec(&wire).expect("a record has only text keys and finite numbers")
}

/// Reads a record.
pub fn read(bytes: &[u8]) -> Result<Entry, UnreadableRecord> {
    let wire: Wire = serde_json::from_slice(bytes).map_err(|_| UnreadableRecord { why: "not its JSON" })?;
    if wire.v != VERSION {
        return Err(UnreadableRecord { why: "another version" });
    }
    let entry = || Some(Entry { id: RecordId(unhex(&wire.id)?), record: wire.body.record()? });
    entry().ok_or(UnreadableRecord { why: "a member breaks its rule" })
}

#[derive(Serialize, Deserialize)]
struct Wire {
    v: u32,
    id: String,
    #[serde(flatten)]
    body: Body,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Body {
    Genesis {
        ledger: String,
        keys: Vec<String>,
    },
    Event(Box<WireEvent>),
    Fence {
        worker: String,
        nonce: String,
    },
    KeyAdded {
        key: String,
    },
    KeyRetired {
        key: String,
        of: Vec<String>,
    },
    Restored {
        people: Vec<WirePerson>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        requests: Vec<String>,
    },
    Imported(WireImport),
    Void {},
}

#[derive(Serialize, Deserialize)]
struct WireEvent {
    source: String,
    event_id: String,
    kind: String,
    at: Timestamp,
    received_at: Timestamp,
    decided_at: Timestamp,
    keys: Vec<String>,
    content: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    subject: Vec<WireSubject>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    new_subject: Vec<WireSubject>,
    #[serde(default, skip_serializing_if = "WireScope::is_all")]
    scope: WireScope,
    #[serde(default, skip_serializing_if = "is_zero")]
    widened: u8,
    #[serde(default, skip_serializing_if = "is_zero")]
    ignored: u8,
    request: String,
    requested_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    review: Option<WireReview>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// Left out where it is `received_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starts_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<WireDeadline>,
}

/// Before there were modes, `true` said that no identifier could be parsed.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WireReview {
    Flag(bool),
    Mode(String),
}

#[derive(Serialize, Deserialize)]
struct WireDeadline {
    at: Timestamp,
    /// Left out where it is `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strict_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calendar: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct WireSubject {
    kind: String,
    digests: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct WirePerson {
    digest: String,
    said: String,
    extras: String,
}

impl From<&Record> for Body {
    fn from(record: &Record) -> Self {
        match record {
            Record::Genesis { ledger, keys } => {
                Self::Genesis { ledger: hex(&ledger.0), keys: keys.iter().map(|key| hex(&key.0)).collect() }
            }
            Record::Event(event) => Self::Event(Box::new(WireEvent::from(&**event))),
            Record::Fence { worker, nonce } => Self::Fence { worker: hex(&worker.0), nonce: hex(&nonce.0) },
            Record::KeyAdded { key } => Self::KeyAdded { key: hex(&key.0) },
            Record::KeyRetired { key, of } => {
                Self::KeyRetired { key: hex(&key.0), of: of.iter().map(|key| hex(&key.0)).collect() }
            }
            Record::Restored { people, requests } => Self::Restored {
                people: people.iter().map(|(digest, p)| WirePerson::of(*digest, p)).collect(),
                requests: requests.iter().map(|request| hex(&value::write_review(request))).collect(),
            },
            Record::Imported(import) => Self::Imported(WireImport::from(&**import)),
            Record::Void => Self::Void {},
        }
    }
}

impl Body {
    fn record(self) -> Option<Record> {
        Some(match self {
            Self::Genesis { ledger, keys } => {
                let keys = keys.iter().map(|key| Some(KeyCheck(unhex(key)?))).collect::<Option<_>>()?;
                Record::Genesis { ledger: LedgerId(unhex(&ledger)?), keys }
            }
            Self::Event(event) => Record::Event(Box::new(event.event()?)),
            Self::Fence { worker, nonce } => {
                Record::Fence { worker: WorkerId(unhex(&worker)?), nonce: Nonce(unhex(&nonce)?) }
            }
            Self::KeyAdded { key } => Record::KeyAdded { key: KeyCheck(unhex(&key)?) },
            Self::KeyRetired { key, of } => {
                let of = of.iter().map(|key| Some(KeyCheck(unhex(key)?))).collect::<Option<_>>()?;
                Record::KeyRetired { key: KeyCheck(unhex(&key)?), of }
            }
            Self::Restored { people, requests } => {
                let read = |request: &String| value::read_review(&unhex_all(request)?);
                Record::Restored {
                    people: people.iter().map(WirePerson::person).collect::<Option<_>>()?,
                    requests: requests.iter().map(read).collect::<Option<_>>()?,
                }
            }
            Self::Imported(import) => Record::Imported(Box::new(import.import()?)),
            Self::Void {} => Record::Void,
        })
    }
}

impl From<&EventRecord> for WireEvent {
    fn from(event: &EventRecord) -> Self {
        Self {
            source: event.source.clone(),
            event_id: event.event_id.clone(),
            kind: event.kind.to_string(),
            at: event.at,
            received_at: event.received_at,
            decided_at: event.decided_at,
            keys: event.keys.iter().map(|key| hex(&key.0)).collect(),
            content: event.content.iter().map(|hash| hex(hash)).collect(),
            subject: event.subject.iter().map(WireSubject::from).collect(),
            new_subject: event.new_subject.iter().map(WireSubject::from).collect(),
            scope: WireScope::from(&event.scope),
            widened: event.remarks.widened,
            ignored: event.remarks.ignored,
            request: event.request.clone(),
            requested_by: event.requested_by.to_string(),
            agent: event.agent.clone(),
            review: event.review.map(|mode| WireReview::Mode(mode.to_string())),
            rule: event.rule.clone(),
            starts_at: (event.starts_at != event.received_at).then_some(event.starts_at),
            due: event.deadline.as_ref().map(WireDeadline::from),
        }
    }
}

impl WireEvent {
    fn event(self) -> Option<EventRecord> {
        let subjects =
            |wire: &[WireSubject]| wire.iter().map(WireSubject::subject).collect::<Option<Vec<_>>>();
        let record = EventRecord {
            key: EventKey::of(&self.source, &self.event_id),
            kind: EventKind::parse(&self.kind)?,
            at: self.at,
            received_at: self.received_at,
            decided_at: self.decided_at,
            keys: self.keys.iter().map(|key| Some(KeyCheck(unhex(key)?))).collect::<Option<_>>()?,
            content: self.content.iter().map(|hash| unhex(hash)).collect::<Option<_>>()?,
            subject: subjects(&self.subject)?,
            new_subject: subjects(&self.new_subject)?,
            scope: self.scope.scope()?,
            remarks: Remarks { widened: self.widened, ignored: self.ignored },
            request: self.request,
            requested_by: RequestedBy::parse(&self.requested_by)?,
            agent: self.agent,
            review: match self.review {
                None | Some(WireReview::Flag(false)) => None,
                Some(WireReview::Flag(true)) => Some(ReviewMode::Ask),
                Some(WireReview::Mode(word)) => Some(ReviewMode::parse(&word)?),
            },
            rule: self.rule,
            starts_at: self.starts_at.unwrap_or(self.received_at),
            deadline: self.due.map(WireDeadline::deadline),
            source: self.source,
            event_id: self.event_id,
        };
        // A column short, a person would be opted out under some keys and not under others.
        let columns = record.keys.len();
        let mut subjects = record.subject.iter().chain(&record.new_subject);
        let whole = record.content.len() == columns && subjects.all(|s| s.digests.len() == columns);
        whole.then_some(record)
    }
}

impl From<&Deadline> for WireDeadline {
    fn from(deadline: &Deadline) -> Self {
        Self {
            at: deadline.due_at,
            strict_at: (deadline.due_strict_at != deadline.due_at).then_some(deadline.due_strict_at),
            calendar: deadline.calendar.as_ref().map(ToString::to_string),
        }
    }
}

impl WireDeadline {
    fn deadline(self) -> Deadline {
        Deadline {
            due_at: self.at,
            due_strict_at: self.strict_at.unwrap_or(self.at),
            calendar: self.calendar.map(Name::from),
        }
    }
}

impl From<&Subject> for WireSubject {
    fn from(subject: &Subject) -> Self {
        let digests = subject.digests.iter().map(|digest| hex(&digest.0)).collect();
        Self { kind: subject.kind.to_string(), digests }
    }
}

impl WireSubject {
    fn subject(&self) -> Option<Subject> {
        let digests =
            self.digests.iter().map(|digest| Some(Digest(unhex(digest)?))).collect::<Option<_>>()?;
        Some(Subject { kind: IdentifierKind::parse(&self.kind)?, digests })
    }
}

impl WirePerson {
    fn of(digest: Digest, person: &Person) -> Self {
        Self {
            digest: hex(&digest.0),
            said: hex(&value::write_standing(person.kept.standing.as_slice(), false)),
            extras: hex(&value::write_extras(person)),
        }
    }

    fn person(&self) -> Option<(Digest, Person)> {
        let said = match self.said.as_str() {
            "" => vec![],
            said => value::read_standing(&unhex_all(said)?)?.0,
        };
        let person = value::read_extras(said, &unhex_all(&self.extras)?)?;
        Some((Digest(unhex(&self.digest)?), person))
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]);
    digits.map(char::from).collect()
}

/// Exactly `N` bytes from hexadecimal.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    unhex_all(text)?.try_into().ok()
}

/// Any number of bytes from hexadecimal.
pub fn unhex_all(text: &str) -> Option<Vec<u8>> {
    let digit = |d: &u8| char::from(*d).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    odd.is_empty().then(|| pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect())?
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests;
