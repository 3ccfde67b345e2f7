//! A receipt as a source reads it: what it says that people are told.

use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::words::Status;

/// What a receipt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What became of the event.
    pub status: Status,
    /// Its request.
    pub request_id: String,
    /// The list's revision after it.
    pub revision: Option<u64>,
    /// Since when it is in force.
    pub effective_at: Option<Timestamp>,
    /// By when the request must be done with.
    pub due_at: Option<Timestamp>,
    /// Dimensions that were widened.
    pub widened: Vec<String>,
    /// Identifiers that could not be used.
    pub ignored: Vec<String>,
    /// Why it was refused.
    pub reason: Option<String>,
}

#[derive(Deserialize)]
struct Wire {
    status: String,
    request_id: String,
    revision: Option<u64>,
    effective_at: Option<Timestamp>,
    due_at: Option<Timestamp>,
    #[serde(default)]
    widened: Vec<String>,
    #[serde(default)]
    ignored: Vec<String>,
    reason: Option<String>,
}

/// Reads a receipt; `None` if this version does not know its words.
pub fn read(body: &[u8]) -> Option<Answer> {
    let wire: Wire = serde_json::from_slice(body).ok()?;
    Some(Answer {
        status: Status::parse(&wire.status)?,
        request_id: wire.request_id,
        revision: wire.revision,
        effective_at: wire.effective_at,
        due_at: wire.due_at,
        widened: wire.widened,
        ignored: wire.ignored,
        reason: wire.reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_read_with_what_it_may_lack() {
        let body =
            br#"{"event_id":"e","source":"s","kind":"opt_out","request_id":"CRM-88","status":"applied",
            "revision":7,"received_at":"2026-11-22T05:15:00Z","effective_at":"2026-11-22T05:15:00.25Z",
            "widened":["regions"],"ignored":["phone"],"reason":null}"#;
        let answer = read(body).unwrap();
        assert_eq!((answer.status, answer.revision), (Status::Applied, Some(7)));
        assert_eq!((answer.widened, answer.ignored), (vec!["regions".into()], vec!["phone".into()]));
        assert_eq!((answer.due_at, answer.reason), (None, None));
        assert_eq!(read(br#"{"request_id":"r","status":"shelved"}"#), None);
        assert_eq!(read(b"{}"), None);
    }
}
