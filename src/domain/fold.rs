//! The list as a fold of the ledger: the same records in the same order always give the same list, the same
//! revision, the same outcomes, in any Redis, before and after any loss.
//!
//! The fold works on a [`Working`] set: the part of the list that the records at hand touch. What is not
//! in it counts as absent, so the same code folds a batch of Redis's list (after [`Working::missing`] was
//! read) and a whole list in memory. Nothing here depends on clock, settings or permission: all that was
//! decided before the record was written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::digest::{Digest, KeyCheck};
use super::record::{
    Entry, EventKey, EventRecord, LedgerId, Link, ListId, Nonce, Person, Record, RecordId, Remarks,
    RequestKey, WorkerId,
};
use super::statement::Statement;
use super::words::{EventKind, IdentifierKind};

/// The version of this fold, kept with the list: only workers of the same version apply.
pub const FOLD_VERSION: u32 = 1;

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
    /// Identifiers with statements, by key and kind.
    pub counts: BTreeMap<(KeyCheck, IdentifierKind), u64>,
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
            counts: BTreeMap::new(),
        }
    }
}

/// What became of the first record of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The record that decided: the first of its event.
    pub record: RecordId,
    /// What was decided.
    pub decision: Decision,
    /// The revision after it.
    pub revision: u64,
    /// When a worker took the event.
    pub received_at: Timestamp,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// What was widened or could not be used.
    pub remarks: Remarks,
    /// The content's keyed hashes, by key.
    pub content: Vec<(KeyCheck, [u8; 16])>,
}

/// The fold's decision on an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It stands.
    Applied,
    /// It stands nowhere in its own family; or it dismisses what is settled already.
    Superseded,
    /// Somebody must look.
    Review,
    /// It dismisses a request that nobody knows.
    UnknownRequest,
}

/// Where a request stands, as far as the fold needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// A person must decide.
    Review,
    /// In force.
    Applied,
    /// Closed without an opt-out.
    Dismissed,
}

/// What the fold still has to be given before it can fold some records.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Digests with their statements and links.
    pub people: BTreeSet<Digest>,
    /// Events with their outcomes.
    pub events: BTreeSet<EventKey>,
    /// Requests with their states.
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
    /// New outcomes.
    pub events: BTreeSet<EventKey>,
    /// Requests in another state.
    pub requests: BTreeSet<RequestKey>,
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
    pub requests: HashMap<RequestKey, Option<RequestState>>,
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
                    if !self.events.contains_key(&event.key) {
                        missing.events.insert(event.key);
                    }
                    let request = event.request_key();
                    if !self.requests.contains_key(&request) {
                        missing.requests.insert(request);
                    }
                    let subjects = event.subject.iter().chain(&event.new_subject);
                    seeds.extend(subjects.flat_map(|subject| &subject.digests));
                }
                Record::Restored { people } => {
                    for (digest, person) in people {
                        seeds.push(*digest);
                        seeds.extend(person.links.iter().map(|link| link.to));
                    }
                }
                Record::Fence { .. } => missing.fences |= self.fences.is_none(),
                Record::Genesis { .. } | Record::KeyAdded { .. } | Record::KeyRetired { .. } => {}
            }
        }
        self.reach(seeds, &mut missing.people);
        missing
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
            Record::Genesis { .. } => {}
            Record::Event(event) => self.fold_event(entry.id, event),
            Record::Fence { worker, nonce } => self.fold_fence(position, *worker, *nonce),
            Record::KeyAdded { key } => drop(self.head.keys.insert(*key)),
            Record::KeyRetired { key } => drop(self.head.keys.remove(key)),
            Record::Restored { people } => self.fold_restored(people),
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
        // Written by a worker that lacks a key: whoever looks up under that key would not find it. That worker
        // cannot acknowledge the event, so it comes again to one that has the key, and that record decides.
        if self.head.keys.iter().any(|key| !event.keys.contains(key)) {
            return;
        }
        let request = event.request_key();
        let state = self.requests.get(&request).copied().flatten();
        let (decision, next) = match event.kind {
            EventKind::Dismiss => match state {
                None => (Decision::UnknownRequest, None),
                Some(RequestState::Review) => (Decision::Applied, Some(RequestState::Dismissed)),
                Some(RequestState::Applied | RequestState::Dismissed) => (Decision::Superseded, state),
            },
            _ if event.review => (Decision::Review, state.or(Some(RequestState::Review))),
            _ => (self.apply(event), Some(RequestState::Applied)),
        };
        if next != state {
            self.requests.insert(request, next);
            self.changed.requests.insert(request);
        }
        let outcome = Outcome {
            record,
            decision,
            revision: self.head.revision,
            received_at: event.received_at,
            decided_at: event.decided_at,
            remarks: event.remarks,
            content: event.keys.iter().copied().zip(event.content.iter().copied()).collect(),
        };
        self.events.insert(event.key, Some(outcome));
        self.changed.events.insert(event.key);
    }

    /// Puts the event's statement, or its link, on every digest that it names.
    fn apply(&mut self, event: &EventRecord) -> Decision {
        let mut changed = false;
        let mut stands = true;
        if let Some(statement) = Statement::of(event.kind, event.at, event.scope.clone()) {
            for subject in &event.subject {
                for (digest, key) in subject.digests.iter().zip(&event.keys) {
                    changed |= self.state(*digest, subject.kind, *key, vec![statement.clone()]);
                }
            }
            stands =
                event.subject.iter().flat_map(|subject| &subject.digests).any(|d| {
                    self.people.get(d).is_some_and(|person| person.kept.standing.stands(&statement))
                });
        } else {
            for subject in &event.subject {
                for new in &event.new_subject {
                    for ((old, to), key) in subject.digests.iter().zip(&new.digests).zip(&event.keys) {
                        let link = Link { to: *to, kind: new.kind, at: event.at };
                        changed |= self.link(*old, &link, *key);
                    }
                }
            }
        }
        self.head.revision += u64::from(changed);
        if stands { Decision::Applied } else { Decision::Superseded }
    }

    /// Adds statements to a digest and to all that its links lead to. True: something that stands changed.
    fn state(&mut self, digest: Digest, kind: IdentifierKind, key: KeyCheck, said: Vec<Statement>) -> bool {
        let mut changed = false;
        let mut open = vec![(digest, kind, said)];
        // Bounded: a round that adds nothing new to a digest does not go on from there.
        while let Some((digest, kind, said)) = open.pop() {
            let person = self.people.entry(digest).or_default();
            let kept = person.kept.with(said.iter().cloned());
            if kept == person.kept {
                continue;
            }
            if kept.standing != person.kept.standing {
                changed = true;
                self.changed.standing.insert(digest);
            }
            if person.kept.standing.is_empty() {
                *self.head.counts.entry((key, kind)).or_default() += 1;
            }
            person.kept = kept;
            self.changed.people.insert(digest);
            for link in &person.links {
                let passed: Vec<_> = said.iter().filter(|s| s.at <= link.at).cloned().collect();
                if !passed.is_empty() {
                    open.push((link.to, link.kind, passed));
                }
            }
        }
        changed
    }

    /// Adds a link, and what was said before it to its new end. True: something that stands changed.
    fn link(&mut self, old: Digest, link: &Link, key: KeyCheck) -> bool {
        if old == link.to {
            return false;
        }
        let person = self.people.entry(old).or_default();
        match person.links.iter_mut().find(|known| known.to == link.to) {
            // An earlier change carries nothing that the later one does not.
            Some(known) if known.at >= link.at => return false,
            Some(known) => known.at = link.at,
            None => person.links.push(link.clone()),
        }
        let passed: Vec<_> = person.kept.all().filter(|s| s.at <= link.at).cloned().collect();
        self.changed.people.insert(old);
        self.state(link.to, link.kind, key, passed)
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

    fn fold_restored(&mut self, people: &[(Digest, Person)]) {
        let mut changed = false;
        // Their kinds and keys are not known any more, so the counts leave them out.
        let counts = self.head.counts.clone();
        for (digest, person) in people {
            let nobody = KeyCheck([0; 8]);
            changed |=
                self.state(*digest, IdentifierKind::UserId, nobody, person.kept.all().cloned().collect());
            for link in &person.links {
                changed |= self.link(*digest, link, nobody);
            }
        }
        self.head.counts = counts;
        self.head.revision += u64::from(changed);
    }
}

#[cfg(test)]
mod tests;
