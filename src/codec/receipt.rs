//! Receipts: what the source of an event gets back.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::event::DIMENSIONS;
use crate::domain::record::Remarks;
use crate::domain::words::{DeadReason, EventKind, IdentifierKind, Status};

/// A receipt's content. The deadline members come with requests.
#[derive(Debug, Clone)]
pub struct Receipt<'a> {
    /// The event.
    pub event_id: &'a str,
    /// Its source.
    pub source: &'a str,
    /// Its kind.
    pub kind: EventKind,
    /// Its request.
    pub request_id: &'a str,
    /// What became of it.
    pub status: Status,
    /// The list's revision after it.
    pub revision: Option<u64>,
    /// When a worker took it.
    pub received_at: Timestamp,
    /// Since when it is in force.
    pub effective_at: Option<Timestamp>,
    /// What was widened or could not be used.
    pub remarks: Remarks,
    /// Why it was refused.
    pub reason: Option<Refusal>,
}

/// Why an event was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// For the reason of its dead letter.
    Dead(DeadReason),
    /// It dismisses a request that nobody knows.
    UnknownRequest,
}

impl Refusal {
    /// The code on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dead(reason) => reason.as_str(),
            Self::UnknownRequest => "unknown_request",
        }
    }
}

#[derive(Serialize)]
struct Wire<'a> {
    event_id: &'a str,
    source: &'a str,
    kind: &'a str,
    request_id: &'a str,
    status: &'a str,
    revision: Option<u64>,
    received_at: Timestamp,
    effective_at: Option<Timestamp>,
    widened: Vec<&'static str>,
    ignored: Vec<String>,
    reason: Option<&'static str>,
}

/// Writes a receipt.
pub fn write(receipt: &Receipt<'_>) -> Vec<u8> {
    let wire = Wire {
        event_id: receipt.event_id,
        source: receipt.source,
        kind: receipt.kind.as_str(),
        request_id: receipt.request_id,
        status: receipt.status.as_str(),
        revision: receipt.revision,
        received_at: receipt.received_at,
        effective_at: receipt.effective_at,
        widened: widened(receipt.remarks),
        ignored: ignored(receipt.remarks),
        reason: receipt.reason.map(Refusal::as_str),
    };
    serde_json::to_vec(&wire).expect("a receipt has only text keys")
}

/// The dimensions that were widened, by name.
pub fn widened(remarks: Remarks) -> Vec<&'static str> {
    (0..).zip(DIMENSIONS).filter(|(bit, _)| remarks.widened & 1 << bit != 0).map(|(_, name)| name).collect()
}

/// The identifiers that could not be used: `phone` of the subject, `new_subject.phone` of the new one.
pub fn ignored(remarks: Remarks) -> Vec<String> {
    let both =
        ["", "new_subject."].into_iter().flat_map(|of| IdentifierKind::ALL.iter().map(move |k| (of, k)));
    (0..)
        .zip(both)
        .filter(|(bit, _)| remarks.ignored & 1 << bit != 0)
        .map(|(_, (of, k))| format!("{of}{k}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn receipt() -> Receipt<'static> {
        Receipt {
            event_id: "cc-000123",
            source: "call_center",
            kind: EventKind::OptOut,
            request_id: "CRM-88",
            status: Status::Applied,
            revision: Some(18_231),
            received_at: "2026-11-22T05:15:00Z".parse().unwrap(),
            effective_at: Some("2026-11-22T05:15:00.25Z".parse().unwrap()),
            remarks: Remarks::default(),
            reason: None,
        }
    }

    fn value(receipt: &Receipt<'_>) -> Value {
        serde_json::from_slice(&write(receipt)).unwrap()
    }

    #[test]
    fn a_receipt_has_the_contracts_members_in_its_order() {
        assert_eq!(
            String::from_utf8(write(&receipt())).unwrap(),
            concat!(
                r#"{"event_id":"cc-000123","source":"call_center","kind":"opt_out","request_id":"CRM-88","#,
                r#""status":"applied","revision":18231,"received_at":"2026-11-22T05:15:00Z","#,
                r#""effective_at":"2026-11-22T05:15:00.25Z","widened":[],"ignored":[],"reason":null}"#
            )
        );
    }

    #[test]
    fn what_does_not_apply_is_null() {
        let refusals = [
            (Refusal::Dead(DeadReason::FutureDated), "future_dated"),
            (Refusal::Dead(DeadReason::UnknownScope), "unknown_scope"),
            (Refusal::Dead(DeadReason::NoIdentifier), "no_identifier"),
            (Refusal::UnknownRequest, "unknown_request"),
        ];
        for (refusal, code) in refusals {
            let rejected = Receipt {
                status: Status::Rejected,
                revision: None,
                effective_at: None,
                reason: Some(refusal),
                ..receipt()
            };
            let value = value(&rejected);
            assert_eq!(value["status"], "rejected");
            assert_eq!(value["reason"], code);
            assert_eq!((&value["revision"], &value["effective_at"]), (&Value::Null, &Value::Null));
        }
    }

    #[test]
    fn what_was_widened_or_ignored_is_named_and_never_its_value() {
        let dimensions = ["regions", "channels", "brands"];
        for (bit, name) in dimensions.into_iter().enumerate() {
            let remarks = Remarks { widened: 1 << bit, ignored: 0 };
            assert_eq!(value(&Receipt { remarks, ..receipt() })["widened"], json!([name]));
        }
        let identifiers =
            ["user_id", "email", "phone", "new_subject.user_id", "new_subject.email", "new_subject.phone"];
        for (bit, name) in identifiers.into_iter().enumerate() {
            let remarks = Remarks { widened: 0, ignored: 1 << bit };
            assert_eq!(value(&Receipt { remarks, ..receipt() })["ignored"], json!([name]));
        }
        let all = value(&Receipt { remarks: Remarks { widened: 0b111, ignored: 0b11_1111 }, ..receipt() });
        assert_eq!((&all["widened"], &all["ignored"]), (&json!(dimensions), &json!(identifiers)));
    }
}
