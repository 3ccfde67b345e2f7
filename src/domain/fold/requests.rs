//! Requests: opened by a review, settled by a decision.
//!
//! What is in review is kept whole; what is settled is one byte, or nothing where the outcome of the event that
//! the request is called after says it already.

use super::people::columns;
use super::{Decision, Working};
use crate::domain::calendar::Deadline;
use crate::domain::record::{EventKey, EventRecord, RequestKey};
use crate::domain::request::{ASKS_MAX, Ask, InReview, Request};
use crate::domain::words::{EventKind, ReviewMode};

/// What folding an event came to.
pub(super) struct Folded {
    pub(super) decision: Decision,
    /// Something that stands changed.
    pub(super) changed: bool,
    /// It put a provisional hold on somebody.
    pub(super) held: bool,
    /// By when its request must be settled.
    pub(super) deadline: Option<Deadline>,
}

impl Folded {
    fn settling(decision: Decision, changed: bool, deadline: Option<Deadline>) -> Self {
        Self { decision, changed, held: false, deadline }
    }
}

impl Working {
    /// What is known of a request.
    fn request(&self, name: &str) -> Option<Request> {
        if let Some(Some(known)) = self.requests.get(&RequestKey::of(name)) {
            return Some(known.clone());
        }
        let opened = self.events.get(&EventKey::of_request(name)?)?.as_ref()?;
        opened.settled_own.then_some(Request::Applied)
    }

    fn set_request(&mut self, key: RequestKey, next: Request) {
        if let Request::Review(opened) = &next {
            *self.head.reviews.entry(opened.source.clone()).or_default() += 1;
        }
        if let Some(Some(Request::Review(before))) = self.requests.insert(key, Some(next)) {
            if let Some(count) = self.head.reviews.get_mut(&before.source) {
                *count = count.saturating_sub(1);
            }
            self.head.reviews.retain(|_, count| *count > 0);
            self.changed.closed.insert(key);
        }
        self.changed.requests.insert(key);
    }

    /// An event that stands by itself. One that states something also settles its request, if that is in review.
    pub(super) fn apply(&mut self, event: &EventRecord) -> Folded {
        let said = self.say(event);
        let decision = if said.stands { Decision::Applied } else { Decision::Superseded };
        let mut folded = Folded::settling(decision, said.changed, event.deadline.clone());
        let key = event.request_key();
        match self.request(&event.request) {
            // Who has a new number has not said yet what the request asks.
            Some(Request::Review(_)) if event.kind == EventKind::IdentifierChanged => {}
            Some(Request::Review(open)) => {
                folded.changed |= self.unhold(open.digests(), key);
                folded.deadline = Some(open.deadline);
                self.set_request(key, Request::Applied);
            }
            Some(Request::Applied) => {}
            None if event.names_its_request() => {}
            Some(Request::Dismissed) | None => self.set_request(key, Request::Applied),
        }
        folded
    }

    /// An event that a person must decide about. A request that was settled before is in review again.
    pub(super) fn review(&mut self, event: &EventRecord, mode: ReviewMode) -> Folded {
        let mut open = match self.request(&event.request) {
            Some(Request::Review(open)) => open,
            _ => Box::new(InReview::opened_by(event)),
        };
        let full = open.asks.len() >= ASKS_MAX;
        if full && !event.subject.is_empty() {
            let said = self.say(event);
            let decision = if said.stands { Decision::Applied } else { Decision::Superseded };
            return Folded::settling(decision, said.changed, Some(open.deadline));
        }
        let ask = Ask::of(event, mode);
        let held = ask.hold && !ask.subject.is_empty();
        let changed = self.hold_for(&ask, event.request_key());
        let deadline = Some(open.deadline.clone());
        if !full {
            open.asks.push(ask);
        }
        self.set_request(event.request_key(), Request::Review(open));
        Folded { decision: Decision::Review, changed, held, deadline }
    }

    /// Puts the provisional hold that an ask wants.
    fn hold_for(&mut self, ask: &Ask, request: RequestKey) -> bool {
        let mut changed = false;
        for subject in ask.subject.iter().filter(|_| ask.hold) {
            for (digest, key) in subject.digests.iter().zip(&ask.keys) {
                changed |= self.hold(*digest, subject.kind, Some(*key), request, ask.at);
            }
        }
        changed
    }

    /// Closes a request without an opt-out.
    pub(super) fn dismiss(&mut self, event: &EventRecord) -> Folded {
        match self.request(&event.request) {
            None => Folded::settling(Decision::UnknownRequest, false, None),
            Some(Request::Review(open)) => {
                let changed = self.unhold(open.digests(), event.request_key());
                self.set_request(event.request_key(), Request::Dismissed);
                Folded::settling(Decision::Applied, changed, Some(open.deadline))
            }
            Some(_) => Folded::settling(Decision::Superseded, false, None),
        }
    }

    /// Does what a request in review asks for, as of when it was said.
    pub(super) fn apply_asked(&mut self, event: &EventRecord) -> Folded {
        let open = match self.request(&event.request) {
            None => return Folded::settling(Decision::UnknownRequest, false, None),
            Some(Request::Review(open)) => open,
            Some(_) => return Folded::settling(Decision::Superseded, false, None),
        };
        if !open.names_anybody() {
            return Folded::settling(Decision::NoIdentifier, false, Some(open.deadline));
        }
        let (mut changed, mut stands) = (false, false);
        for ask in &open.asks {
            let Some(statement) = ask.statement() else { continue };
            let said = self.say_of(&columns(&ask.subject, &ask.keys), &statement);
            changed |= said.changed;
            stands |= said.stands;
        }
        changed |= self.unhold(open.digests(), event.request_key());
        self.set_request(event.request_key(), Request::Applied);
        let decision = if stands { Decision::Applied } else { Decision::Superseded };
        Folded::settling(decision, changed, Some(open.deadline))
    }

    /// Brings back a request that a list had and its ledger lacks. One that the ledger knows stays as it is.
    pub(super) fn restore(&mut self, lost: &InReview) -> bool {
        if self.request(&lost.request).is_some() {
            return false;
        }
        let mut changed = false;
        for ask in &lost.asks {
            changed |= self.hold_for(ask, lost.key());
        }
        self.set_request(lost.key(), Request::Review(Box::new(lost.clone())));
        changed
    }
}
