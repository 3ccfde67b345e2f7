//! An event as it arrived, and the decision on it that needs settings and a clock.
//!
//! Whatever is decided here is written into the record, so that the fold, today or in a rebuild next year,
//! has nothing left to ask. In doubt a restricting event is taken in its widest sense and a lifting one is
//! refused. What is refused here never repeats a value: details are fixed texts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::calendar::Calendar;
use super::catalogue::Catalogue;
use super::digest::{Digest, KeyCheck};
use super::filter::{Given, Identifiers};
use super::record::{EventKey, EventRecord, Remarks, Subject};
use super::scope::{Channels, Names, Scope};
use super::words::{Channel, DeadReason, EventKind, IdentifierKind, RequestedBy, ReviewMode};

/// An event that keeps every rule of the contract's form. Not `Debug`: it names a person.
pub struct Event<'a> {
    /// Its name at its source.
    pub event_id: &'a str,
    /// Who sent it.
    pub source: &'a str,
    /// What it does.
    pub kind: EventKind,
    /// When the person said it.
    pub occurred_at: Timestamp,
    /// Whom it is about.
    pub subject: Identifiers<'a>,
    /// By what else the same person is known.
    pub also: Vec<Identifiers<'a>>,
    /// For `identifier_changed`: the new identifiers.
    pub new_subject: Identifiers<'a>,
    /// Where it holds, in the source's words.
    pub scope: Wanted<'a>,
    /// The request it belongs to, if it says so.
    pub request_id: Option<&'a str>,
    /// On whose behalf.
    pub requested_by: RequestedBy,
    /// The operator.
    pub agent: Option<&'a str>,
    /// A person must decide, and what happens until then.
    pub review: Option<ReviewMode>,
    /// By which rule the source decided.
    pub rule: Option<&'a str>,
}

/// A scope in the source's words; a dimension left out means all.
#[derive(Default)]
pub struct Wanted<'a> {
    /// Regions: codes or aliases.
    pub regions: Option<Vec<&'a str>>,
    /// Channels.
    pub channels: Option<Vec<&'a str>>,
    /// Brands.
    pub brands: Option<Vec<&'a str>>,
}

/// The dimensions by the names that receipts give them, in the order of the bits in [`Remarks`].
pub const DIMENSIONS: [&str; 3] = ["regions", "channels", "brands"];

/// What one source may do.
#[derive(Debug, Clone)]
pub struct SourcePolicy {
    /// Which kinds it may send.
    pub may: BTreeSet<EventKind>,
    /// The AMQP users that may speak for it; `None`: any.
    pub users: Option<Vec<String>>,
    /// When the time of its requests begins to run.
    pub clock: SourceClock,
}

/// When the time for a request begins to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceClock {
    /// When suppressd received the event.
    Received,
    /// When the source says that it happened, and with its receipt at the latest.
    OccurredAt,
}

/// What the decision needs besides the event.
pub struct Policy<'a> {
    /// The sources.
    pub sources: &'a BTreeMap<String, SourcePolicy>,
    /// Regions and brands.
    pub catalogue: &'a Catalogue,
    /// Working days.
    pub calendar: &'a Calendar,
    /// How far ahead of our clock an event may be dated.
    pub future_max: SignedDuration,
}

/// Why an event is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// For its dead letter.
    pub reason: DeadReason,
    /// A place and a rule.
    pub detail: &'static str,
    /// Whether its source gets a `rejected` receipt.
    pub receipt: bool,
}

impl Refused {
    const fn new(reason: DeadReason, detail: &'static str, receipt: bool) -> Self {
        Self { reason, detail, receipt }
    }
}

/// The name of the event's request.
pub fn request_name(event: &Event<'_>) -> String {
    event.request_id.map_or_else(|| format!("{}:{}", event.source, event.event_id), ToOwned::to_owned)
}

/// Whether this user may send this kind in this source's name.
pub fn permit(event: &Event<'_>, user: Option<&str>, policy: &Policy<'_>) -> Result<(), Refused> {
    let refused = |detail| Refused::new(DeadReason::NotPermitted, detail, false);
    let source =
        policy.sources.get(event.source).ok_or(refused("/source: is not configured under [sources]"))?;
    if !source.may.contains(&event.kind) {
        return Err(refused("/kind: the source's `may` does not list it"));
    }
    match &source.users {
        Some(users) if !user.is_some_and(|user| users.iter().any(|u| u == user)) => {
            Err(refused("/source: the message's user_id is not one of the source's `users`"))
        }
        _ => Ok(()),
    }
}

/// The moment an event was taken, and under which keys it is written.
pub struct Taken<'a> {
    /// When a worker took it.
    pub received_at: Timestamp,
    /// The keys, in the order of the digests.
    pub keys: &'a [KeyCheck],
    /// The content's hash under each key.
    pub content: Vec<[u8; 16]>,
}

/// Decides what the ledger will say of a permitted event.
pub fn decide(
    event: &Event<'_>,
    taken: Taken<'_>,
    policy: &Policy<'_>,
    mut digests: impl FnMut(IdentifierKind, &str) -> Option<Vec<Digest>>,
) -> Result<EventRecord, Refused> {
    let at = date(event, taken.received_at, policy.future_max)?;
    let (scope, widened) = scope(event, policy.catalogue)?;
    let (mut subject, mut ignored) = identify(&event.subject, &mut digests);
    for also in &event.also {
        let (more, unread) = identify(also, &mut digests);
        ignored |= if unread == 0 { 0 } else { ALSO_IGNORED };
        for one in more {
            if !subject.contains(&one) {
                subject.push(one);
            }
        }
    }
    let (new_subject, ignored_new) = identify(&event.new_subject, &mut digests);
    let unread = match event.kind {
        EventKind::Dismiss | EventKind::Apply => None,
        _ if subject.is_empty() => Some("/subject: no identifier can be parsed"),
        EventKind::IdentifierChanged if new_subject.is_empty() => {
            Some("/new_subject: no identifier can be parsed")
        }
        _ => None,
    };
    if let Some(detail) = unread
        && !event.kind.restricts()
    {
        return Err(Refused::new(DeadReason::NoIdentifier, detail, true));
    }
    let starts_at = start(event, taken.received_at, policy);
    Ok(EventRecord {
        key: EventKey::of(event.source, event.event_id),
        source: event.source.to_owned(),
        event_id: event.event_id.to_owned(),
        kind: event.kind,
        at,
        received_at: taken.received_at,
        decided_at: taken.received_at,
        keys: taken.keys.to_vec(),
        content: taken.content,
        subject,
        new_subject,
        scope,
        remarks: Remarks { widened, ignored: ignored | ignored_new << 3 },
        request: request_name(event),
        requested_by: event.requested_by,
        agent: event.agent.map(ToOwned::to_owned),
        review: if unread.is_some() { event.review.or(Some(ReviewMode::Ask)) } else { event.review },
        rule: event.rule.map(ToOwned::to_owned),
        starts_at,
        deadline: (!event.kind.settles()).then(|| policy.calendar.deadline(starts_at)),
    })
}

/// When the time of the event's request begins to run.
fn start(event: &Event<'_>, received_at: Timestamp, policy: &Policy<'_>) -> Timestamp {
    match policy.sources.get(event.source).map(|source| source.clock) {
        Some(SourceClock::OccurredAt) => event.occurred_at.min(received_at),
        Some(SourceClock::Received) | None => received_at,
    }
}

/// What restricts from the future holds as of now; every other event from the future is refused.
fn date(event: &Event<'_>, now: Timestamp, future_max: SignedDuration) -> Result<Timestamp, Refused> {
    if event.occurred_at.duration_since(now) <= future_max {
        Ok(event.occurred_at)
    } else if event.kind.restricts() {
        Ok(now)
    } else {
        let rule = "/occurred_at: lies further ahead than limits.future_max_s";
        Err(Refused::new(DeadReason::FutureDated, rule, true))
    }
}

/// Why a lifting event is refused, in the order of [`DIMENSIONS`].
const UNKNOWN: [&str; 3] = [
    "/scope/regions: names a region that is not configured",
    "/scope/channels: names a channel that does not exist",
    "/scope/brands: names a brand that is not configured",
];

/// An unknown name widens its whole dimension when the event restricts, and refuses an event that lifts.
fn scope(event: &Event<'_>, catalogue: &Catalogue) -> Result<(Scope, u8), Refused> {
    // Where an identifier changed, and for a request, scope says nothing.
    if !event.kind.restricts() && !event.kind.lifts() {
        return Ok((Scope::ALL, 0));
    }
    let regions = regions(event.scope.regions.as_deref(), catalogue);
    let channels = channels(event.scope.channels.as_deref());
    let brands = brands(event.scope.brands.as_deref(), catalogue);
    let unknown = [regions.is_none(), channels.is_none(), brands.is_none()];
    if let Some(dimension) = unknown.iter().position(|unknown| *unknown)
        && event.kind.lifts()
    {
        return Err(Refused::new(DeadReason::UnknownScope, UNKNOWN[dimension], true));
    }
    let widened = (0..).zip(unknown).fold(0, |bits, (bit, unknown)| bits | u8::from(unknown) << bit);
    let scope = Scope {
        regions: regions.unwrap_or(Names::All),
        channels: channels.unwrap_or(Channels::ALL),
        brands: brands.unwrap_or(Names::All),
    };
    Ok((scope, widened))
}

/// The regions that the names mean, everything if there are none; `None` if one is unknown.
fn regions(names: Option<&[&str]>, catalogue: &Catalogue) -> Option<Names> {
    let Some(names) = names else { return Some(Names::All) };
    let mut codes = Vec::new();
    for name in names {
        let meant = catalogue.regions_of_scope(name);
        if meant.is_empty() {
            return None;
        }
        codes.extend(meant);
    }
    Names::only(codes)
}

/// The same for channels.
fn channels(names: Option<&[&str]>) -> Option<Channels> {
    let Some(names) = names else { return Some(Channels::ALL) };
    let known: Option<Vec<_>> = names.iter().map(|name| Channel::parse(name)).collect();
    Channels::only(known?)
}

/// The same for brands.
fn brands(names: Option<&[&str]>, catalogue: &Catalogue) -> Option<Names> {
    let Some(names) = names else { return Some(Names::All) };
    let known: Option<Vec<_>> = names.iter().map(|name| catalogue.brand(name).cloned()).collect();
    Names::only(known?)
}

/// In [`Remarks::ignored`]: something of `also`.
const ALSO_IGNORED: u8 = 1 << 6;

/// The identifiers that can be parsed, and bits for those that cannot.
fn identify(
    identifiers: &Identifiers<'_>,
    digests: &mut impl FnMut(IdentifierKind, &str) -> Option<Vec<Digest>>,
) -> (Vec<Subject>, u8) {
    let mut subjects = Vec::new();
    let mut ignored = 0;
    for kind in IdentifierKind::ALL {
        let found = match identifiers.get(*kind) {
            Given::Absent => continue,
            Given::Text(text) => digests(*kind, text),
            Given::Unusable => None,
        };
        match found {
            Some(digests) => subjects.push(Subject { kind: *kind, digests }),
            None => ignored |= 1 << *kind as u8,
        }
    }
    (subjects, ignored)
}

#[cfg(test)]
mod tests;
