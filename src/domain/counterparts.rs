//! Digests of one identifier under several keys, and what one key alone knows: what must be known to retire a key.
//!
//! Nobody can make a digest under a new key out of one under an old key. But every record that names a person names
//! each identifier under every key of its writer, side by side: such a record pairs them, whatever it says. What
//! stands under the old key is then copied to the counterpart, word for word, superseded statements and links too;
//! so nothing that is said later, however it is dated, comes out differently under the new key.
//!
//! Deliberately absent: identifiers without a counterpart of which nothing is in force, because the person came
//! back. They are let go; nothing but a change of identifier dated before they came back, and told after the
//! retirement, could tell the difference.

use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher;

use jiff::Timestamp;

use super::digest::{Digest, KeyCheck};
use super::in_force::lines;
use super::record::{ImportSubject, Link, Person, Record, Subject};

/// No digest: one in 2^128 is this.
const NONE: Digest = Digest([0; 16]);

/// Which digests stand for the same identifier. It takes up to 200 bytes for an identifier under two keys.
#[derive(Debug, Clone)]
pub struct Counterparts {
    keys: Vec<KeyCheck>,
    /// For each identifier its digests, one a key.
    rows: Vec<Digest>,
    /// Where each digest's row begins.
    begins: HashMap<Digest, usize>,
}

impl Counterparts {
    /// Nothing known yet. Digests under other keys than these are passed over.
    pub fn new(keys: impl IntoIterator<Item = KeyCheck>) -> Self {
        Self { keys: keys.into_iter().collect(), rows: Vec::new(), begins: HashMap::new() }
    }

    /// Takes note of everybody whom a record names. It need not count for the list: a pair is a pair.
    pub fn take(&mut self, record: &Record) {
        match record {
            Record::Event(event) => {
                self.pair(&event.keys, event.subject.iter().chain(&event.new_subject));
            }
            Record::Imported(import) => {
                for line in &import.lines {
                    match &line.subject {
                        ImportSubject::Known(subjects) => self.pair(&import.keys, subjects),
                        // With several keys, nobody knows whose digest that of an export is.
                        ImportSubject::Digest(digest) => {
                            if let [key] = import.keys[..] {
                                self.row([(key, *digest)]);
                            }
                        }
                    }
                }
            }
            Record::Restored { requests, .. } => {
                for ask in requests.iter().flat_map(|request| &request.asks) {
                    self.pair(&ask.keys, &ask.subject);
                }
            }
            Record::Genesis { .. }
            | Record::Fence { .. }
            | Record::KeyAdded { .. }
            | Record::KeyRetired { .. }
            | Record::Void => {}
        }
    }

    fn pair<'a>(&mut self, keys: &[KeyCheck], subjects: impl IntoIterator<Item = &'a Subject>) {
        for subject in subjects {
            self.row(keys.iter().copied().zip(subject.digests.iter().copied()));
        }
    }

    /// One identifier.
    fn row(&mut self, digests: impl IntoIterator<Item = (KeyCheck, Digest)>) {
        let place = |key| self.keys.iter().position(|known| *known == key);
        let digests: Vec<_> =
            digests.into_iter().filter_map(|(key, digest)| Some((place(key)?, digest))).collect();
        let known = digests.iter().find_map(|(_, digest)| self.begins.get(digest).copied());
        if digests.is_empty() {
            return;
        }
        let row = known.unwrap_or(self.rows.len());
        self.rows.resize(self.rows.len().max(row + self.keys.len()), NONE);
        for (place, digest) in digests {
            self.rows[row + place] = digest;
            self.begins.insert(digest, row);
        }
    }

    /// The key that this digest is under. `None`: no record tells.
    pub fn key_of(&self, digest: Digest) -> Option<KeyCheck> {
        let row = *self.begins.get(&digest)?;
        let place = self.rows[row..row + self.keys.len()].iter().position(|other| *other == digest)?;
        self.keys.get(place).copied()
    }

    /// The digest of the same identifier under another key. `None`: no record names both.
    pub fn under(&self, digest: Digest, key: KeyCheck) -> Option<Digest> {
        let row = *self.begins.get(&digest)?;
        let place = self.keys.iter().position(|known| *known == key)?;
        Some(self.rows[row + place]).filter(|other| *other != NONE)
    }

    /// What a person has under a key that goes, as it must stand under the one that stays. `None`: the person, or
    /// somebody whom the person's statements hold for too, is not known under that key.
    pub fn carried(&self, digest: Digest, person: &Person, key: KeyCheck) -> Option<(Digest, Person)> {
        let to = self.under(digest, key)?;
        let links =
            person.links.iter().map(|link| Some(Link { to: self.under(link.to, key)?, ..link.clone() }));
        let links = links.collect::<Option<_>>()?;
        Some((to, Person { kept: person.kept.clone(), links, ..Person::default() }))
    }
}

/// How what a person has under a key that goes stands under the one that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Everything stands there too, or nothing is there to stand.
    Covered,
    /// This has to be copied to this digest.
    Short(Digest, Person),
    /// It is in force under this key alone.
    Alone,
}

/// Compares. `of` knows what the list has of a digest.
pub fn standing<S: BuildHasher>(
    counterparts: &Counterparts,
    digest: Digest,
    to: KeyCheck,
    of: &HashMap<Digest, Person, S>,
) -> Standing {
    let Some(person) = of.get(&digest) else { return Standing::Covered };
    let Some((other, carried)) = counterparts.carried(digest, person, to) else {
        return if matters(person) { Standing::Alone } else { Standing::Covered };
    };
    let nobody = Person::default();
    let there = of.get(&other).unwrap_or(&nobody);
    let held = person.holds.keys().all(|request| there.holds.contains_key(request));
    if has(there, &carried) && held { Standing::Covered } else { Standing::Short(other, carried) }
}

/// Whether something is in force, or would come to hold for somebody else.
pub fn matters(person: &Person) -> bool {
    !person.holds.is_empty() || !person.links.is_empty() || !lines(person.kept.standing.as_slice()).is_empty()
}

/// Whether a person has all that was carried.
fn has(there: &Person, carried: &Person) -> bool {
    let linked = |link: &Link| there.links.iter().any(|known| known.to == link.to && known.at >= link.at);
    there.kept.with(carried.kept.all().cloned()) == there.kept && carried.links.iter().all(linked)
}

/// The keys of a ledger in the order in which they came, each with when it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    keys: Vec<(KeyCheck, Since)>,
    newest: Option<Timestamp>,
}

/// When a key came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The record of the ledger that brought it.
    pub offset: u64,
    /// When the last event or import before it was; `None`: there was none.
    pub after: Option<Timestamp>,
}

impl Registry {
    /// Takes note of a record.
    pub fn take(&mut self, offset: u64, record: &Record) {
        let came = match record {
            Record::Genesis { keys, .. } if offset == 0 => keys.clone(),
            Record::KeyAdded { key } => vec![*key],
            Record::Event(event) => return self.newest = self.newest.max(Some(event.decided_at)),
            Record::Imported(import) => return self.newest = self.newest.max(Some(import.received_at)),
            _ => return,
        };
        for key in came {
            if self.since(key).is_none() {
                self.keys.push((key, Since { offset, after: self.newest }));
            }
        }
    }

    /// When a key came.
    pub fn since(&self, key: KeyCheck) -> Option<Since> {
        self.keys.iter().find(|(known, _)| *known == key).map(|(_, since)| *since)
    }

    /// The one among these keys that came last.
    pub fn newest(&self, among: &BTreeSet<KeyCheck>) -> Option<KeyCheck> {
        self.keys.iter().rev().map(|(key, _)| *key).find(|key| among.contains(key))
    }
}

#[cfg(test)]
mod tests;
