//! What a fold changed, as the arguments of `scripts/apply.lua`.

use std::collections::BTreeMap;

use redis::ScriptInvocation;

use super::keys::{Hash, REVIEW};
use crate::codec::record::hex;
use crate::codec::value;
use crate::domain::fold::Working;
use crate::domain::record::RequestKey;
use crate::domain::request::Request;

/// Fields of one hash with their new values; an empty value deletes.
type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// One batch, ready to be written.
#[derive(Default)]
pub(super) struct Batch {
    hashes: BTreeMap<String, Fields>,
    /// Requests with their new score in the due index, if they are still to be there.
    due: Vec<(RequestKey, Option<i64>)>,
    /// What mirrors hear.
    pub(super) changes: Vec<u8>,
}

impl Batch {
    /// What this fold changed.
    pub(super) fn of(working: &Working) -> Self {
        let mut batch = Self::default();
        batch.people(working);
        for key in &working.changed.events {
            let outcome = working.events[key].as_ref().expect("a changed outcome is there");
            batch.set(Hash::Events, &key.0, value::write_outcome(outcome, &working.head.calendars));
        }
        for key in &working.changed.requests {
            let request = working.requests[key].as_ref().expect("a changed request is there");
            batch.request(*key, request, working.changed.closed.contains(key));
        }
        if working.changed.fences {
            batch.hashes.insert("fences".into(), changed_fences(working));
        }
        batch
    }

    fn people(&mut self, working: &Working) {
        let mut standing = Vec::new();
        for digest in &working.changed.people {
            let person = &working.people[digest];
            let extras = value::has_extras(person);
            let value = value::write_standing(&person.standing(), extras);
            if working.changed.standing.contains(digest) {
                standing.push((*digest, value.clone()));
            }
            self.set(Hash::Standing, &digest.0, value);
            // Nothing but a provisional hold ever goes away again.
            if extras || working.changed.unheld.contains(digest) {
                let value = if extras { value::write_extras(person) } else { vec![] };
                self.set(Hash::Extras, &digest.0, value);
            }
        }
        self.changes = value::write_changes(standing.iter().map(|(digest, value)| (*digest, &value[..])));
    }

    fn request(&mut self, key: RequestKey, request: &Request, was_in_review: bool) {
        self.set(Hash::Requests, &key.0, value::write_request(request));
        let (review, due) = match request {
            Request::Review(open) => {
                (value::write_review(open), Some(open.deadline.due_strict_at.as_microsecond()))
            }
            Request::Applied | Request::Dismissed if was_in_review => (vec![], None),
            Request::Applied | Request::Dismissed => return,
        };
        self.hashes.entry(REVIEW.into()).or_default().push((key.0.to_vec(), review));
        self.due.push((key, due));
    }

    fn set(&mut self, hash: Hash, id: &[u8; 16], value: Vec<u8>) {
        let (name, field) = hash.place(id);
        self.hashes.entry(name).or_default().push((field.to_vec(), value));
    }

    /// The last arguments of the script.
    pub(super) fn put(&self, script: &mut ScriptInvocation<'_>) {
        script.arg(self.due.len());
        for (request, score) in &self.due {
            script.arg(&request.0).arg(score.map(|score| score.to_string()).unwrap_or_default());
        }
        for (name, fields) in &self.hashes {
            script.arg(name).arg(fields.len());
            for (field, value) in fields {
                script.arg(field).arg(value);
            }
        }
    }
}

/// Every fence there is, and an empty value for those that are no longer kept.
fn changed_fences(working: &Working) -> Fields {
    let fences = working.fences.iter().flatten().map(|(worker, (position, nonce))| {
        (hex(&worker.0).into_bytes(), format!("{position} {}", hex(&nonce.0)).into_bytes())
    });
    let dropped = working.dropped_fences.iter().map(|worker| (hex(&worker.0).into_bytes(), vec![]));
    fences.chain(dropped).collect()
}
