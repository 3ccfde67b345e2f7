//! Requests: one byte for where one stands, and all that is known of one in review.
//!
//! The latter goes into the ledger too when a list is saved from the loss of its ledger, so it spells its words
//! and has a version of its own.

use super::bytes::{Reader, put_distance, put_names, put_number, put_signed, put_text};
use crate::domain::calendar::Deadline;
use crate::domain::digest::{Digest, KeyCheck};
use crate::domain::record::Subject;
use crate::domain::request::{Ask, InReview, Request};
use crate::domain::scope::{Channels, Scope};
use crate::domain::words::{EventKind, IdentifierKind};

const REVIEW: u8 = 0;
const APPLIED: u8 = 1;
const DISMISSED: u8 = 2;

/// The form of what [`write_review`] writes.
const VERSION: u8 = 1;

/// Where a request stands.
pub fn write_request(request: &Request) -> Vec<u8> {
    vec![match request {
        Request::Review(_) => REVIEW,
        Request::Applied => APPLIED,
        Request::Dismissed => DISMISSED,
    }]
}

/// Reads what [`write_request`] wrote; `review` is what [`write_review`] wrote of the same request, if it did.
pub fn read_request(bytes: &[u8], review: Option<&[u8]>) -> Option<Request> {
    match bytes {
        [REVIEW] => Some(Request::Review(Box::new(read_review(review?)?))),
        [APPLIED] => Some(Request::Applied),
        [DISMISSED] => Some(Request::Dismissed),
        _ => None,
    }
}

/// All that is known of a request in review.
pub fn write_review(open: &InReview) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    put_text(&mut bytes, &open.request);
    put_text(&mut bytes, &open.source);
    put_signed(&mut bytes, open.received_at.as_microsecond());
    put_distance(&mut bytes, open.received_at, open.starts_at);
    put_distance(&mut bytes, open.received_at, open.deadline.due_at);
    put_distance(&mut bytes, open.received_at, open.deadline.due_strict_at);
    // No calendar has an empty name.
    put_text(&mut bytes, open.deadline.calendar.as_deref().unwrap_or_default());
    put_number(&mut bytes, open.asks.len() as u64);
    for ask in &open.asks {
        put_ask(&mut bytes, ask);
    }
    bytes
}

fn put_ask(bytes: &mut Vec<u8>, ask: &Ask) {
    put_text(bytes, ask.kind.as_str());
    put_text(bytes, ask.rule.as_deref().unwrap_or_default());
    put_signed(bytes, ask.at.as_microsecond());
    bytes.push(u8::from(ask.hold));
    bytes.push(ask.scope.channels.bits());
    put_names(bytes, &ask.scope.regions);
    put_names(bytes, &ask.scope.brands);
    put_number(bytes, ask.keys.len() as u64);
    for key in &ask.keys {
        bytes.extend(key.0);
    }
    put_number(bytes, ask.subject.len() as u64);
    for subject in &ask.subject {
        bytes.push(subject.kind as u8);
        for digest in &subject.digests {
            bytes.extend(digest.0);
        }
    }
}

/// Reads what [`write_review`] wrote.
pub fn read_review(bytes: &[u8]) -> Option<InReview> {
    let mut reader = Reader { rest: bytes };
    if reader.byte()? != VERSION {
        return None;
    }
    let (request, source) = (reader.text()?.to_owned(), reader.text()?.to_owned());
    let received_at = reader.time()?;
    let starts_at = reader.distance(received_at)?;
    let (due_at, due_strict_at) = (reader.distance(received_at)?, reader.distance(received_at)?);
    let calendar = Some(reader.text()?).filter(|name| !name.is_empty()).map(Into::into);
    let asks = (0..reader.number()?).map(|_| ask(&mut reader)).collect::<Option<_>>()?;
    let deadline = Deadline { due_at, due_strict_at, calendar };
    reader.is_empty().then_some(InReview { request, source, received_at, starts_at, deadline, asks })
}

fn ask(reader: &mut Reader<'_>) -> Option<Ask> {
    let kind = EventKind::parse(reader.text()?)?;
    let rule = Some(reader.text()?).filter(|rule| !rule.is_empty()).map(ToOwned::to_owned);
    let (at, hold) = (reader.time()?, reader.byte()? != 0);
    let channels = Channels::from_bits(reader.byte()?)?;
    let scope = Scope { channels, regions: reader.names()?, brands: reader.names()? };
    let keys: Vec<_> = (0..reader.number()?).map(|_| reader.array().map(KeyCheck)).collect::<Option<_>>()?;
    let subject = (0..reader.number()?).map(|_| {
        let kind = *IdentifierKind::ALL.get(usize::from(reader.byte()?))?;
        let digests = keys.iter().map(|_| reader.array().map(Digest)).collect::<Option<_>>()?;
        Some(Subject { kind, digests })
    });
    let subject = subject.collect::<Option<_>>()?;
    Some(Ask { kind, rule, at, scope, hold, keys, subject })
}
