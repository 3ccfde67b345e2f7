//! One person's part of the ledger: every record that names one of some digests, or one that a changed identifier
//! links with them, in either direction.
//!
//! A ledger is passed over from its first record to its last, and only this person's records are kept. Links lead
//! back: the record that links an identifier may come after the first one that names it. So a pass that found more
//! digests than it began with says so ([`Trace::wider`]), and the next one begins with those. What it took to be a
//! fold: the records of the ledger itself, and of every request that somebody had to decide on.
//!
//! Deliberately absent: whether a record decided about its event. Only the list knows that of records whose event
//! somebody else's record may have decided.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::digest::Digest;
use super::fold::{FoldFault, Head, Working};
use super::record::{Entry, EventKey, EventRecord, ListId, Record, RecordId, RequestKey};
use super::words::EventKind;

/// Records of one person that are kept. Whoever has more is no person.
pub const RECORDS_MAX: usize = 1 << 16;

/// Digests that may be linked with each other.
pub const DIGESTS_MAX: usize = 1 << 12;

/// This identifier has more records or links than any person has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {RECORDS_MAX} records or {DIGESTS_MAX} linked identifiers: this is no person's")]
pub struct TooMany;

/// What a pass begins with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seed {
    /// The digests to look for.
    pub digests: BTreeSet<Digest>,
    /// Requests of which every record counts.
    pub requests: BTreeSet<RequestKey>,
    /// Records that did not decide about their event: they link nothing.
    pub undecided: BTreeSet<RecordId>,
}

/// A record of this person with its place. Of an import it has this person's lines alone.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its place in the ledger.
    pub offset: u64,
    /// The record.
    pub entry: Entry,
    /// When it was decided, or read from a file; for a record that does not say, when the newest event before it was.
    pub decided_at: Option<Timestamp>,
    /// Whether it names one of the digests. Else it is the ledger's own, or of one of the requests.
    pub names: bool,
}

impl Step {
    /// The event, if it is one.
    pub fn event(&self) -> Option<&EventRecord> {
        match &self.entry.record {
            Record::Event(event) => Some(event),
            _ => None,
        }
    }
}

/// What one pass has found so far.
#[derive(Debug, Clone)]
pub struct Trace {
    seed: Seed,
    digests: BTreeSet<Digest>,
    requests: BTreeSet<RequestKey>,
    /// Requests that are missing from the seed.
    open_requests: BTreeSet<RequestKey>,
    newest: Option<Timestamp>,
    steps: Vec<Step>,
}

impl Trace {
    /// Nothing found yet.
    pub fn new(seed: Seed) -> Self {
        Self {
            digests: seed.digests.clone(),
            requests: seed.requests.clone(),
            open_requests: BTreeSet::new(),
            newest: None,
            steps: Vec::new(),
            seed,
        }
    }

    /// Takes the next record of the ledger, and keeps it if it is this person's.
    pub fn take(&mut self, offset: u64, mut entry: Entry) -> Result<(), TooMany> {
        let names = match &mut entry.record {
            Record::Event(event) => {
                self.newest = self.newest.max(Some(event.decided_at));
                let names = self.names(event, entry.id);
                if !names && !self.requests.contains(&event.request_key()) {
                    return Ok(());
                }
                if event.review.is_some() || event.kind.settles() {
                    self.follow(event.request_key());
                }
                self.requests.insert(event.request_key());
                names
            }
            Record::Restored { people, requests } => {
                let mut names = false;
                for (digest, person) in people {
                    for link in &person.links {
                        names |= self.link(*digest, link.to);
                    }
                    names |= self.digests.contains(digest);
                }
                let mut follows = false;
                for request in requests {
                    let held = request.digests().any(|digest| self.digests.contains(&digest));
                    if held || self.requests.contains(&request.key()) {
                        self.follow(request.key());
                        (names, follows) = (names || held, true);
                    }
                }
                if !names && !follows {
                    return Ok(());
                }
                names
            }
            Record::Imported(import) => {
                self.newest = self.newest.max(Some(import.received_at));
                // The other lines are other people's.
                import.lines.retain(|line| line.digests().any(|digest| self.digests.contains(&digest)));
                if import.lines.is_empty() {
                    return Ok(());
                }
                true
            }
            Record::Fence { .. } | Record::Void => return Ok(()),
            // Every fold needs them: which keys there were decides which records count.
            Record::Genesis { .. } | Record::KeyAdded { .. } | Record::KeyRetired { .. } => false,
        };
        let decided_at = match &entry.record {
            Record::Event(event) => Some(event.decided_at),
            Record::Imported(import) => Some(import.received_at),
            _ => self.newest,
        };
        self.steps.push(Step { offset, entry, decided_at, names });
        if self.steps.len() > RECORDS_MAX || self.digests.len() > DIGESTS_MAX { Err(TooMany) } else { Ok(()) }
    }

    /// Whether the event names one of the digests; notes those that it links with them.
    fn names(&mut self, event: &EventRecord, record: RecordId) -> bool {
        let mut all = event.subject.iter().chain(&event.new_subject).flat_map(|subject| &subject.digests);
        if !all.any(|digest| self.digests.contains(digest)) {
            return false;
        }
        if event.kind == EventKind::IdentifierChanged && !self.seed.undecided.contains(&record) {
            let mut known = 0;
            // What links one pair makes another pair this person's too.
            while known != self.digests.len() {
                known = self.digests.len();
                for (old, new) in pairs(event) {
                    self.link(old, new);
                }
            }
        }
        true
    }

    /// What this record does depends on what its request was before.
    fn follow(&mut self, request: RequestKey) {
        self.requests.insert(request);
        if !self.seed.requests.contains(&request) {
            self.open_requests.insert(request);
        }
    }

    /// Both ends are this person's if one is.
    fn link(&mut self, old: Digest, new: Digest) -> bool {
        let either = self.digests.contains(&old) || self.digests.contains(&new);
        if either {
            self.digests.extend([old, new]);
        }
        either
    }

    /// What the next pass must begin with, if this one began with too little.
    pub fn wider(&self) -> Option<Seed> {
        let complete = self.digests == self.seed.digests && self.open_requests.is_empty();
        (!complete).then(|| Seed {
            digests: self.digests.clone(),
            requests: self.seed.requests.union(&self.open_requests).copied().collect(),
            undecided: self.seed.undecided.clone(),
        })
    }

    /// What this pass began with.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// The records, in the order of the ledger.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Every digest of this person.
    pub fn digests(&self) -> &BTreeSet<Digest> {
        &self.digests
    }

    /// The events of this person.
    pub fn events(&self) -> impl Iterator<Item = (&Step, &EventRecord)> {
        self.steps.iter().filter_map(|step| Some((step, step.event()?)))
    }

    /// This person's part of the list as it stood when every record decided by `until` was in, and no other.
    ///
    /// `deciding` names the record that decided about each event.
    pub fn fold(
        &self,
        list: ListId,
        deciding: &HashMap<EventKey, RecordId>,
        until: Option<Timestamp>,
    ) -> Result<Working, FoldFault> {
        // Of what the list has now, only its name: which keys there are decides which records count.
        let mut working = Working::new(Head::new(list));
        for step in self.steps.iter().filter(|step| until.is_none_or(|until| step.is_by(until))) {
            if let Some(event) = step.event()
                && deciding.get(&event.key).is_some_and(|first| *first != step.entry.id)
            {
                continue;
            }
            working.head.position = step.offset;
            working.fold(step.offset, &step.entry)?;
        }
        Ok(working)
    }
}

impl Step {
    /// Whether it had been decided by then.
    pub fn is_by(&self, until: Timestamp) -> bool {
        self.decided_at.is_none_or(|decided| decided <= until)
    }
}

/// The digests that hold statements for this one: itself, and whatever links lead to it, however far.
pub fn sources(working: &Working, digest: Digest) -> BTreeSet<Digest> {
    let mut back: BTreeMap<Digest, Vec<Digest>> = BTreeMap::new();
    for (from, person) in &working.people {
        for link in &person.links {
            back.entry(link.to).or_default().push(*from);
        }
    }
    let (mut found, mut open) = (BTreeSet::new(), vec![digest]);
    while let Some(digest) = open.pop() {
        if found.insert(digest) {
            open.extend(back.get(&digest).into_iter().flatten());
        }
    }
    found
}

/// Old and new digests of a change, each pair under one key.
fn pairs(event: &EventRecord) -> impl Iterator<Item = (Digest, Digest)> {
    event.subject.iter().flat_map(|old| {
        event.new_subject.iter().flat_map(|new| old.digests.iter().copied().zip(new.digests.iter().copied()))
    })
}

#[cfg(test)]
mod tests;
