//! Who is taken out of a job: from identifiers to verdicts.
//!
//! Two phases, so that the expensive one runs outside every lock: [`prepare`] makes the canonical forms and
//! hashes them, [`judge`] asks the list, at one moment, for the whole job. Neither knows where recipients
//! come from. Every recipient gets exactly one verdict: received = kept + Σ removed, asserted here.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::digest::{Digest, KeyRing};
use super::view::View;
use super::words::{Channel, IdentifierKind, Purpose, Removal};

/// What a recipient says under the name of one identifier.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Given<'a> {
    /// Nothing.
    #[default]
    Absent,
    /// A text, as written.
    Text(Cow<'a, str>),
    /// Something that is no text: it counts as present and cannot be parsed.
    Unusable,
}

/// The identifiers of one recipient, as written. Not `Debug`: they name a person.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Identifiers<'a> {
    given: [Given<'a>; IdentifierKind::ALL.len()],
}

impl<'a> Identifiers<'a> {
    /// Says what is given under a kind's name.
    pub fn set(&mut self, kind: IdentifierKind, given: Given<'a>) {
        self.given[kind as usize] = given;
    }

    /// What is given under a kind's name.
    pub fn get(&self, kind: IdentifierKind) -> &Given<'a> {
        &self.given[kind as usize]
    }
}

/// A job's recipients as digests: all that the list needs to know of them.
pub struct Prepared {
    channel: Channel,
    /// Every digest of every recipient, under every key, in order.
    digests: Vec<Digest>,
    people: Vec<Person>,
    segments: Vec<PreparedSegment>,
    ignored: [u64; IdentifierKind::ALL.len()],
}

struct Person {
    digests: Range<usize>,
    unidentifiable: bool,
}

struct PreparedSegment {
    region: Arc<str>,
    people: Range<usize>,
}

impl Prepared {
    /// How many identifiers of a kind could not be parsed and were not the channel's own address.
    pub fn ignored(&self, kind: IdentifierKind) -> u64 {
        self.ignored[kind as usize]
    }
}

/// Canonicalises and hashes the recipients of each (region, recipients).
///
/// `canonical` answers with the canonical form of a text, in the text itself or in the buffer, or with
/// nothing if it does not parse.
pub fn prepare<'i, 'a: 'i, People>(
    channel: Channel,
    segments: impl IntoIterator<Item = (Arc<str>, People)>,
    keys: &KeyRing,
    mut canonical: impl for<'r> FnMut(IdentifierKind, &'r str, &'r mut String) -> Option<&'r str>,
) -> Prepared
where
    People: IntoIterator<Item = &'i Identifiers<'a>>,
{
    let mut prepared = Prepared {
        channel,
        digests: Vec::new(),
        people: Vec::new(),
        segments: Vec::new(),
        ignored: Default::default(),
    };
    let mut buffer = String::new();
    for (region, people) in segments {
        let first = prepared.people.len();
        for identifiers in people {
            prepared.add(identifiers, |kind, text, digests| {
                buffer.clear();
                let form = canonical(kind, text, &mut buffer);
                digests.extend(form.into_iter().flat_map(|form| keys.digests(kind, form)));
                form.is_some()
            });
        }
        prepared.segments.push(PreparedSegment { region, people: first..prepared.people.len() });
    }
    prepared
}

impl Prepared {
    /// Adds a recipient; `hash` appends a text's digests, or answers `false` if it does not parse.
    fn add(
        &mut self,
        identifiers: &Identifiers<'_>,
        mut hash: impl FnMut(IdentifierKind, &str, &mut Vec<Digest>) -> bool,
    ) {
        let first = self.digests.len();
        let mut own_address_unusable = false;
        for &kind in IdentifierKind::ALL {
            let usable = match identifiers.get(kind) {
                Given::Absent => continue,
                Given::Text(text) => hash(kind, text, &mut self.digests),
                Given::Unusable => false,
            };
            match usable {
                true => {}
                false if kind == self.channel.address() => own_address_unusable = true,
                false => self.ignored[kind as usize] += 1,
            }
        }
        let digests = first..self.digests.len();
        let unidentifiable = own_address_unusable || digests.is_empty();
        self.people.push(Person { digests, unidentifiable });
    }
}

/// What became of every recipient of a job, in order, and the sums.
pub struct Verdicts {
    removals: Vec<Option<Removal>>,
    tallies: Vec<Tally>,
}

impl Verdicts {
    /// For every recipient of the job, segment after segment, why it is removed; `None` is kept.
    pub fn removals(&self) -> &[Option<Removal>] {
        &self.removals
    }

    /// The sums, one a segment.
    pub fn tallies(&self) -> &[Tally] {
        &self.tallies
    }
}

/// The sums of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The region's configured code.
    pub region: Arc<str>,
    /// The recipients that came in.
    pub received: u64,
    /// The recipients that go out.
    pub kept: u64,
    removed: [u64; Removal::ALL.len()],
}

impl Tally {
    /// How many were removed for this reason.
    pub fn removed(&self, reason: Removal) -> u64 {
        self.removed[reason as usize]
    }

    /// How many were removed for whatever reason.
    pub fn removed_in_all(&self) -> u64 {
        self.removed.iter().sum()
    }

    fn of(region: Arc<str>, removals: &[Option<Removal>]) -> Self {
        let mut tally =
            Self { region, received: removals.len() as u64, kept: 0, removed: Default::default() };
        for removal in removals {
            match removal {
                None => tally.kept += 1,
                Some(reason) => tally.removed[*reason as usize] += 1,
            }
        }
        assert_eq!(tally.received, tally.kept + tally.removed_in_all(), "received = kept + Σ removed");
        tally
    }
}

/// Decides about every recipient, by one unchanging view of the list.
pub fn judge<V: View>(prepared: &Prepared, purpose: Purpose, brand: &str, view: &V) -> Verdicts {
    let mut removals = Vec::with_capacity(prepared.people.len());
    let mut tallies = Vec::with_capacity(prepared.segments.len());
    let mut found = Vec::new();
    for segment in &prepared.segments {
        let people = &prepared.people[segment.people.clone()];
        let first = people.first().map_or(0, |person| person.digests.start);
        let end = people.last().map_or(0, |person| person.digests.end);
        let table = view.table(&segment.region, prepared.channel, brand);
        // One flat run of look-ups without a branch between them: the misses of the cache overlap.
        found.clear();
        found.extend(prepared.digests[first..end].iter().map(|digest| view.removal(&table, digest)));
        removals.extend(people.iter().map(|person| {
            let found = &found[person.digests.start - first..person.digests.end - first];
            verdict(found, person.unidentifiable, purpose)
        }));
        tallies.push(Tally::of(Arc::clone(&segment.region), &removals[segment.people.clone()]));
    }
    assert_eq!(removals.len(), prepared.people.len(), "every recipient has one verdict");
    Verdicts { removals, tallies }
}

/// The strongest reason that counts for this purpose. `Removal` is ordered strongest first.
fn verdict(found: &[Option<Removal>], unidentifiable: bool, purpose: Purpose) -> Option<Removal> {
    let unidentifiable = unidentifiable.then_some(Removal::Unidentifiable);
    let reasons = found.iter().copied().flatten().chain(unidentifiable);
    reasons.filter(|reason| obeys(purpose, *reason)).min()
}

/// Whether a job of this purpose leaves people out for this reason.
const fn obeys(purpose: Purpose, reason: Removal) -> bool {
    match purpose {
        Purpose::Marketing => true,
        Purpose::Transactional | Purpose::ServiceNotice => {
            matches!(reason, Removal::Hold | Removal::Unidentifiable)
        }
        Purpose::LegalNotice => false,
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
