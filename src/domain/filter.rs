//! Who is taken out of a job: from identifiers to verdicts.
//!
//! Two phases, so that the expensive one runs outside every lock: [`prepare`] makes the canonical forms and
//! hashes them, [`judge`] asks the list, at one moment, for the whole job. Neither knows where recipients
//! come from. Every recipient gets exactly one verdict: received = kept + Σ removed, asserted here.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::digest::{Digest, Digests, KeyRing};
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
    /// What is given under the names of the kinds, in their order.
    pub fn new(given: [Given<'a>; IdentifierKind::ALL.len()]) -> Self {
        Self { given }
    }

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
    /// Where its digests end; they begin where those of the person before it end.
    digests_end: usize,
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
    let mut hashes = Digests::new(keys);
    let mut prepared = Prepared {
        channel,
        digests: Vec::new(),
        people: Vec::new(),
        segments: Vec::new(),
        ignored: Default::default(),
    };
    let mut buffer = String::new();
    let mut digests_end = 0;
    for (region, people) in segments {
        let first = prepared.people.len();
        for identifiers in people {
            let person = prepared.person(identifiers, digests_end, |kind, text| {
                buffer.clear();
                let form = canonical(kind, text, &mut buffer)?;
                hashes.add(kind, form);
                Some(hashes.of_each())
            });
            digests_end = person.digests_end;
            prepared.people.push(person);
        }
        prepared.segments.push(PreparedSegment { region, people: first..prepared.people.len() });
    }
    prepared.digests = hashes.finish();
    assert_eq!(prepared.digests.len(), digests_end, "every digest is somebody's");
    prepared
}

impl Prepared {
    /// Reads a recipient; `hash` answers how many digests a text has, or with nothing if it does not parse.
    fn person(
        &mut self,
        identifiers: &Identifiers<'_>,
        digests_start: usize,
        mut hash: impl FnMut(IdentifierKind, &str) -> Option<usize>,
    ) -> Person {
        let mut digests_end = digests_start;
        let mut own_address_unusable = false;
        for &kind in IdentifierKind::ALL {
            let digests = match identifiers.get(kind) {
                Given::Absent => continue,
                Given::Text(text) => hash(kind, text),
                Given::Unusable => None,
            };
            match digests {
                Some(digests) => digests_end += digests,
                None if kind == self.channel.address() => own_address_unusable = true,
                None => self.ignored[kind as usize] += 1,
            }
        }
        Person { digests_end, unidentifiable: own_address_unusable || digests_end == digests_start }
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
    let mut start = 0;
    for segment in &prepared.segments {
        let people = &prepared.people[segment.people.clone()];
        let end = people.last().map_or(start, |person| person.digests_end);
        let table = view.table(&segment.region, prepared.channel, brand);
        // One flat run of look-ups without a branch between them: the misses of the cache overlap.
        found.clear();
        found.extend(prepared.digests[start..end].iter().map(|digest| view.removal(&table, digest)));
        let mut found = found.as_slice();
        removals.extend(people.iter().map(|person| {
            let (own, rest) = found.split_at(person.digests_end - start);
            (found, start) = (rest, person.digests_end);
            verdict(own, person.unidentifiable, purpose)
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
