//! What an event's outcome comes to: a conflict with an earlier one, or a receipt.
//!
//! Pure, but for what is noted of it in its trace.

use jiff::Timestamp;

use crate::codec::receipt::{Receipt, Refusal};
use crate::domain::digest::KeyCheck;
use crate::domain::event::Event;
use crate::domain::fold::{Decision, Outcome};
use crate::domain::record::EventRecord;
use crate::domain::words::{DeadReason, Status};
use crate::service::traces::Span;

/// Notes what became of it.
pub(super) fn tell_outcome(span: &mut Span, receipt: &Receipt<'_>) {
    span.note("suppressd.status", receipt.status.as_str());
    span.note("suppressd.late", receipt.is_late());
    if let Some(revision) = receipt.revision {
        span.note("suppressd.revision", revision);
    }
}

/// What is still asked of a record once it is written.
pub(super) struct Own {
    /// Its request.
    pub(super) request: String,
    /// What it says, hashed under each key.
    pub(super) content: Vec<(KeyCheck, [u8; 16])>,
    /// Whether no identifier in it could be parsed.
    pub(super) names_nobody: bool,
}

impl Own {
    pub(super) fn of(record: &EventRecord) -> Self {
        Self {
            request: record.request.clone(),
            content: record.keys.iter().copied().zip(record.content.iter().copied()).collect(),
            names_nobody: record.subject.is_empty(),
        }
    }
}

/// Whether two contents differ under a key that both were hashed with.
pub(super) fn conflict(ours: &[(KeyCheck, [u8; 16])], first: &[(KeyCheck, [u8; 16])]) -> bool {
    ours.iter().any(|(key, hash)| first.iter().any(|(k, h)| k == key && h != hash))
}

/// The receipt of an event whose outcome is known.
pub(super) fn receipt_of<'a>(
    event: &'a Event<'_>,
    request: &'a str,
    outcome: &Outcome,
    first: bool,
    effective_at: Timestamp,
) -> Receipt<'a> {
    let decided = match outcome.decision {
        Decision::Applied => Status::Applied,
        Decision::Superseded => Status::Superseded,
        Decision::Review => Status::Review,
        Decision::UnknownRequest | Decision::NoIdentifier => Status::Rejected,
    };
    // What was refused changed nothing, and what waits for a person only if it holds somebody.
    let stands = matches!(outcome.decision, Decision::Applied | Decision::Superseded) || outcome.held;
    Receipt {
        event_id: event.event_id,
        source: event.source,
        kind: event.kind,
        request_id: request,
        status: if first { decided } else { Status::Duplicate },
        revision: stands.then_some(outcome.revision),
        received_at: outcome.received_at,
        effective_at: stands.then_some(effective_at),
        deadline: outcome.deadline.clone(),
        remarks: outcome.remarks,
        reason: match outcome.decision {
            Decision::UnknownRequest => Some(Refusal::UnknownRequest),
            Decision::NoIdentifier => Some(Refusal::Dead(DeadReason::NoIdentifier)),
            Decision::Applied | Decision::Superseded | Decision::Review => None,
        },
    }
}
