//! Statements, links and provisional holds, on one digest and along its links.
//!
//! Statements only ever join. Provisional holds come and go with their requests, so they are kept beside the
//! statements and never merged with them: no `release` ends one, and its end leaves every statement as it is.

use jiff::Timestamp;

use super::Working;
use crate::domain::digest::{Digest, KeyCheck};
use crate::domain::record::{EventRecord, Link, RequestKey, Subject};
use crate::domain::request::HOLDS_MAX;
use crate::domain::scope::Scope;
use crate::domain::statement::Statement;
use crate::domain::words::{EventKind, IdentifierKind};

/// Each digest of some identifiers, with what it is made of and under which key.
pub(super) fn columns(subjects: &[Subject], keys: &[KeyCheck]) -> Vec<(Digest, IdentifierKind, KeyCheck)> {
    let columns = subjects.iter().flat_map(|subject| {
        subject.digests.iter().zip(keys).map(|(digest, key)| (*digest, subject.kind, *key))
    });
    columns.collect()
}

/// What a statement came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    /// Something that stands changed.
    pub(super) changed: bool,
    /// It stands somewhere in its own family.
    pub(super) stands: bool,
}

impl Working {
    /// Puts the event's statement, or its link, on every digest that it names.
    pub(super) fn say(&mut self, event: &EventRecord) -> Said {
        if let Some(statement) = Statement::of(event.kind, event.at, event.scope.clone()) {
            return self.say_of(&columns(&event.subject, &event.keys), &statement);
        }
        let mut changed = false;
        for subject in &event.subject {
            for new in &event.new_subject {
                for ((old, to), key) in subject.digests.iter().zip(&new.digests).zip(&event.keys) {
                    let link = Link { to: *to, kind: new.kind, at: event.at };
                    changed |= self.link(*old, &link, Some(*key));
                }
            }
        }
        Said { changed, stands: true }
    }

    /// Puts one statement on some digests.
    pub(super) fn say_of(
        &mut self,
        whom: &[(Digest, IdentifierKind, KeyCheck)],
        statement: &Statement,
    ) -> Said {
        let mut changed = false;
        for (digest, kind, key) in whom {
            changed |= self.state(*digest, *kind, Some(*key), vec![statement.clone()]);
        }
        let stands = |digest| self.people.get(digest).is_some_and(|p| p.kept.standing.stands(statement));
        Said { changed, stands: whom.iter().any(|(digest, ..)| stands(digest)) }
    }

    /// Adds statements to a digest and to all that its links lead to. True: something that stands changed.
    ///
    /// Without a key nobody knows what kind of identifier it is: the counts leave it out.
    pub(super) fn state(
        &mut self,
        digest: Digest,
        kind: IdentifierKind,
        key: Option<KeyCheck>,
        said: Vec<Statement>,
    ) -> bool {
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
            if let Some(key) = key
                && person.kept.standing.is_empty()
            {
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
    pub(super) fn link(&mut self, old: Digest, link: &Link, key: Option<KeyCheck>) -> bool {
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
        let holds: Vec<_> = person.holds.iter().filter(|(_, at)| **at <= link.at).collect();
        let holds: Vec<_> = holds.into_iter().map(|(request, at)| (*request, *at)).collect();
        self.changed.people.insert(old);
        let mut changed = self.state(link.to, link.kind, key, passed);
        for (request, at) in holds {
            changed |= self.hold(link.to, link.kind, key, request, at);
        }
        changed
    }

    /// Puts the provisional hold of a request on a digest and on all that its links lead to.
    /// True: something that stands changed.
    pub(super) fn hold(
        &mut self,
        digest: Digest,
        kind: IdentifierKind,
        key: Option<KeyCheck>,
        request: RequestKey,
        at: Timestamp,
    ) -> bool {
        let mut changed = false;
        let mut open = vec![(digest, kind)];
        while let Some((digest, kind)) = open.pop() {
            let person = self.people.entry(digest).or_default();
            let known = person.holds.get(&request).copied();
            if known.is_some_and(|known| known <= at) {
                continue;
            }
            if known.is_none() && person.holds.len() >= HOLDS_MAX {
                let statement = Statement::of(EventKind::Hold, at, Scope::ALL);
                changed |= self.state(digest, kind, key, statement.into_iter().collect());
                continue;
            }
            if person.holds.is_empty() {
                changed = true;
                self.changed.standing.insert(digest);
            }
            person.holds.insert(request, at);
            self.changed.people.insert(digest);
            open.extend(person.links.iter().filter(|link| at <= link.at).map(|link| (link.to, link.kind)));
        }
        changed
    }

    /// Ends the provisional hold of a request on digests and on all that it spread to.
    /// True: something that stands changed.
    pub(super) fn unhold(&mut self, digests: impl Iterator<Item = Digest>, request: RequestKey) -> bool {
        let mut changed = false;
        let mut open: Vec<Digest> = digests.collect();
        // It spread along links from person to person, each of whom has it: nobody is left out.
        while let Some(digest) = open.pop() {
            let Some(person) = self.people.get_mut(&digest) else { continue };
            if person.holds.remove(&request).is_none() {
                continue;
            }
            self.changed.people.insert(digest);
            self.changed.unheld.insert(digest);
            if person.holds.is_empty() {
                changed = true;
                self.changed.standing.insert(digest);
            }
            open.extend(person.links.iter().map(|link| link.to));
        }
        changed
    }
}
