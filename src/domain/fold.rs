//! The list as a fold of the ledger: the same records in the same order always give the same list, the same
//! revision, the same outcomes, in any Redis, before and after any loss.
//!
//! The fold works on a [`Working`] set: the part of the list that the records at hand touch. What is not
//! in it counts as absent, so the same code folds a batch of Redis's list (after [`Working::missing`] was
//! read) and a whole list in memory. Nothing here depends on clock, settings or permission: all that was
//! decided before the record was written.

mod outcome;
mod people;
mod requests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::digest::{Digest, KeyCheck};
use super::record::{
    Entry, EventKey, EventRecord, ImportLine, ImportRecord, ImportSubject, LedgerId, ListId, Nonce, Person,
    Record, RecordId, RequestKey, WorkerId,
};
use super::request::{InReview, Request};
use super::scope::Name;
use super::words::{EventKind, IdentifierKind};

use people::columns;

pub use outcome::{Decision, Outcome};

/// The version of this fold, kept with the list: only workers of the same version apply.
pub const FOLD_VERSION: u32 = 3;

/// Versions of calendars that the head names, so that each outcome only has a number. Beyond it outcomes have
/// the name itself.
pub const CALENDARS_MAX: usize = 100;

/// What a digest counts as whose kind is not known any more: nothing, since it comes without a key.
const UNCOUNTED: IdentifierKind = IdentifierKind::UserId;

/// Fences kept, the newest: more workers than this at once would wait for each other.
pub const FENCES_MAX: usize = 256;

/// Where a list stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// Its name.
    pub list: ListId,
    /// How many records of the ledger are in.
    pub position: u64,
    /// How many of them changed the list.
    pub revision: u64,
    /// The record at `position - 1`.
    pub last: Option<RecordId>,
    /// The ledger that it is folded from, known once its genesis is in.
    pub ledger: Option<LedgerId>,
    /// The keys that statements depend on.
    pub keys: BTreeSet<KeyCheck>,
    /// The keys that nothing depends on any more. None of them ever comes back.
    pub retired: BTreeSet<KeyCheck>,
    /// Identifiers with statements, by key and kind.
    pub counts: BTreeMap<(KeyCheck, IdentifierKind), u64>,
    /// Requests in review, by the source that opened them.
    pub reviews: BTreeMap<String, u64>,
    /// The versions of the calendars that deadlines were counted by, in the order in which they came up.
    pub calendars: Vec<Name>,
}

impl Head {
    /// An empty list.
    pub fn new(list: ListId) -> Self {
        Self {
            list,
            position: 0,
            revision: 0,
            last: None,
            ledger: None,
            keys: BTreeSet::new(),
            retired: BTreeSet::new(),
            counts: BTreeMap::new(),
            reviews: BTreeMap::new(),
            calendars: Vec::new(),
        }
    }
}

/// What the fold still has to be given before it can fold some records.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Digests with their statements and links.
    pub people: BTreeSet<Digest>,
    /// Events with their outcomes.
    pub events: BTreeSet<EventKey>,
    /// Requests with where they stand.
    pub requests: BTreeSet<RequestKey>,
    /// The fences.
    pub fences: bool,
}

impl Missing {
    /// Whether the fold can begin.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.events.is_empty() && self.requests.is_empty() && !self.fences
    }
}

/// What the folded records changed.
#[derive(Debug, Default)]
pub struct Changed {
    /// Digests whose standing statements are others now: what a mirror must hear of.
    pub standing: BTreeSet<Digest>,
    /// Digests of which anything changed.
    pub people: BTreeSet<Digest>,
    /// Digests on which a provisional hold ended.
    pub unheld: BTreeSet<Digest>,
    /// New outcomes.
    pub events: BTreeSet<EventKey>,
    /// Requests that stand elsewhere, or ask for more.
    pub requests: BTreeSet<RequestKey>,
    /// Requests that were in review before.
    pub closed: BTreeSet<RequestKey>,
    /// Whether the fences changed.
    pub fences: bool,
}

/// Why the records cannot be folded. Neither can happen to a ledger that only workers write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FoldFault {
    /// Record 0 is something else.
    #[error("the ledger does not begin with a genesis record")]
    NoGenesis,
    /// A record from another place.
    #[error("a record that does not follow the list's position")]
    OutOfOrder,
}

/// The newest fence of each worker, with its place in the ledger.
pub type Fences = BTreeMap<WorkerId, (u64, Nonce)>;

/// The part of a list that is being folded onto.
#[derive(Debug)]
pub struct Working {
    /// Where the list stands.
    pub head: Head,
    /// What is known of the digests at hand.
    pub people: HashMap<Digest, Person>,
    /// The outcomes at hand; `None`: there is none.
    pub events: HashMap<EventKey, Option<Outcome>>,
    /// The requests at hand; `None`: nobody knows it.
    pub requests: HashMap<RequestKey, Option<Request>>,
    /// The fences, if they are at hand.
    pub fences: Option<Fences>,
    /// Workers whose fences had to make room.
    pub dropped_fences: BTreeSet<WorkerId>,
    /// What changed.
    pub changed: Changed,
}

impl Working {
    /// A working set with nothing read yet: for a list in memory that is all there is.
    pub fn new(head: Head) -> Self {
        Self {
            head,
            people: HashMap::new(),
            events: HashMap::new(),
            requests: HashMap::new(),
            fences: None,
            dropped_fences: BTreeSet::new(),
            changed: Changed::default(),
        }
    }

    /// What must be read before these records can be folded. Ask again after reading: links lead on.
    pub fn missing<'a>(&self, entries: impl IntoIterator<Item = &'a Entry>) -> Missing {
        let mut missing = Missing::default();
        let mut seeds: Vec<Digest> = Vec::new();
        for entry in entries {
            match &entry.record {
                Record::Event(event) => {
                    self.want_event(event.key, &mut missing);
                    seeds.extend(self.want_request(&event.request, &mut missing));
                    let subjects = event.subject.iter().chain(&event.new_subject);
                    seeds.extend(subjects.flat_map(|subject| &subject.digests));
                }
                Record::Restored { people, requests } => {
                    for (digest, person) in people {
                        seeds.push(*digest);
                        seeds.extend(person.links.iter().map(|link| link.to));
                    }
                    for request in requests {
                        seeds.extend(self.want_request(&request.request, &mut missing));
                        seeds.extend(request.digests());
                    }
                }
                Record::Imported(import) => seeds.extend(import.lines.iter().flat_map(ImportLine::digests)),
                Record::Fence { .. } => missing.fences |= self.fences.is_none(),
                Record::Genesis { .. }
                | Record::KeyAdded { .. }
                | Record::KeyRetired { .. }
                | Record::Void => {}
            }
        }
        self.reach(seeds, &mut missing.people);
        missing
    }

    fn want_event(&self, key: EventKey, missing: &mut Missing) {
        if !self.events.contains_key(&key) {
            missing.events.insert(key);
        }
    }

    /// Answers whom the request names, as far as it is known.
    fn want_request(&self, name: &str, missing: &mut Missing) -> Vec<Digest> {
        if let Some(event) = EventKey::of_request(name) {
            self.want_event(event, missing);
        }
        let key = RequestKey::of(name);
        match self.requests.get(&key) {
            Some(Some(Request::Review(open))) => open.digests().collect(),
            Some(_) => vec![],
            None => {
                missing.requests.insert(key);
                vec![]
            }
        }
    }

    /// Follows the links that are known, and notes the digests that are not.
    fn reach(&self, mut open: Vec<Digest>, missing: &mut BTreeSet<Digest>) {
        let mut seen = BTreeSet::new();
        while let Some(digest) = open.pop() {
            if !seen.insert(digest) {
                continue;
            }
            match self.people.get(&digest) {
                Some(person) => open.extend(person.links.iter().map(|link| link.to)),
                None => drop(missing.insert(digest)),
            }
        }
    }

    /// Folds the record at `position`.
    pub fn fold(&mut self, position: u64, entry: &Entry) -> Result<(), FoldFault> {
        if position != self.head.position {
            return Err(FoldFault::OutOfOrder);
        }
        if position == 0 && !matches!(entry.record, Record::Genesis { .. }) {
            return Err(FoldFault::NoGenesis);
        }
        match &entry.record {
            Record::Genesis { ledger, keys } if position == 0 => {
                self.head.ledger = Some(*ledger);
                self.head.keys.extend(keys);
            }
            // `init` was run twice at once: the first one counts.
            Record::Genesis { .. } | Record::Void => {}
            Record::Event(event) => self.fold_event(entry.id, event),
            Record::Fence { worker, nonce } => self.fold_fence(position, *worker, *nonce),
            Record::KeyAdded { key } => self.add_key(*key),
            Record::KeyRetired { key, of } => self.retire_key(*key, of),
            Record::Restored { people, requests } => self.fold_restored(people, requests),
            Record::Imported(import) => self.fold_imported(import),
        }
        self.head.position += 1;
        self.head.last = Some(entry.id);
        Ok(())
    }

    /// The first record of an event decides; every later one of the same name changes nothing.
    fn fold_event(&mut self, record: RecordId, event: &EventRecord) {
        if self.events.get(&event.key).is_some_and(Option::is_some) {
            return;
        }
        // That worker cannot acknowledge the event, so it comes again to one that has the key, and that record
        // decides.
        if self.lacks_a_key(&event.keys) {
            return;
        }
        let folded = match (event.kind, event.review) {
            (EventKind::Dismiss, _) => self.dismiss(event),
            (EventKind::Apply, _) => self.apply_asked(event),
            (_, Some(mode)) => self.review(event, mode),
            (_, None) => self.apply(event),
        };
        self.head.revision += u64::from(folded.changed);
        if let Some(calendar) = folded.deadline.as_ref().and_then(|deadline| deadline.calendar.as_ref()) {
            self.name_calendar(calendar);
        }
        let stands_by_itself = !event.kind.settles() && folded.decision != Decision::Review;
        let outcome = Outcome {
            record,
            decision: folded.decision,
            revision: self.head.revision,
            received_at: event.received_at,
            decided_at: event.decided_at,
            deadline: folded.deadline,
            held: folded.held,
            settled_own: stands_by_itself && event.names_its_request(),
            remarks: event.remarks,
            content: event.keys.iter().copied().zip(event.content.iter().copied()).collect(),
        };
        self.events.insert(event.key, Some(outcome));
        self.changed.events.insert(event.key);
    }

    fn name_calendar(&mut self, calendar: &Name) {
        let named = &mut self.head.calendars;
        if named.len() < CALENDARS_MAX && !named.contains(calendar) {
            named.push(calendar.clone());
        }
    }

    fn fold_fence(&mut self, position: u64, worker: WorkerId, nonce: Nonce) {
        let fences = self.fences.get_or_insert_default();
        fences.insert(worker, (position, nonce));
        self.dropped_fences.remove(&worker);
        if fences.len() > FENCES_MAX
            && let Some(oldest) = fences.iter().min_by_key(|(_, (at, _))| *at).map(|(worker, _)| *worker)
        {
            fences.remove(&oldest);
            self.dropped_fences.insert(oldest);
        }
        self.changed.fences = true;
    }

    /// A worker that still has the file of a retired key must not make it needed again: what was said since does
    /// not stand under it.
    fn add_key(&mut self, key: KeyCheck) {
        if !self.head.retired.contains(&key) {
            self.head.keys.insert(key);
        }
    }

    /// Holds only while the keys are those that it was found out with: else two keys might be retired, each in the
    /// belief that everything stands under the other. What stands under the key stays, and nobody looks there.
    fn retire_key(&mut self, key: KeyCheck, of: &BTreeSet<KeyCheck>) {
        let others_stay = of.iter().any(|other| *other != key);
        if self.head.keys == *of && others_stay {
            self.head.keys.remove(&key);
            self.head.retired.insert(key);
            self.count_copied(key);
        }
    }

    /// What was copied from this key came without one, so it is not counted yet under those that stay.
    fn count_copied(&mut self, from: KeyCheck) {
        let counts = self.head.counts.iter().filter(|((key, _), _)| *key == from);
        let counts: Vec<_> = counts.map(|((_, kind), count)| (*kind, *count)).collect();
        for key in &self.head.keys {
            for (kind, count) in &counts {
                let there = self.head.counts.entry((*key, *kind)).or_default();
                *there = (*there).max(*count);
            }
        }
    }

    /// Each line that changes what stands is a revision. Its import is told to read the whole file again if it
    /// wrote without a key.
    fn fold_imported(&mut self, import: &ImportRecord) {
        if self.lacks_a_key(&import.keys) {
            return;
        }
        for line in &import.lines {
            let Some(statement) = line.statement() else { continue };
            let changed = match &line.subject {
                ImportSubject::Known(subjects) => {
                    self.say_of(&columns(subjects, &import.keys), &statement).changed
                }
                ImportSubject::Digest(digest) => self.state(*digest, UNCOUNTED, None, vec![statement]),
            };
            self.head.revision += u64::from(changed);
        }
    }

    /// Written by a worker that lacks a key: whoever looks up under that key would not find it.
    fn lacks_a_key(&self, keys: &[KeyCheck]) -> bool {
        self.head.keys.iter().any(|key| !keys.contains(key))
    }

    fn fold_restored(&mut self, people: &[(Digest, Person)], requests: &[InReview]) {
        let mut changed = false;
        for (digest, person) in people {
            changed |= self.state(*digest, UNCOUNTED, None, person.kept.all().cloned().collect());
            for link in &person.links {
                changed |= self.link(*digest, link, None);
            }
        }
        for request in requests {
            changed |= self.restore(request);
        }
        self.head.revision += u64::from(changed);
    }
}

#[cfg(test)]
mod tests;
