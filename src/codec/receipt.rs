//! Receipts: what the source of an event gets back.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::calendar::Deadline;
use crate::domain::event::DIMENSIONS;
use crate::domain::record::Remarks;
use crate::domain::words::{DeadReason, EventKind, IdentifierKind, Status};

/// A receipt's content.
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
    /// By when its request had to be settled, if it has one.
    pub deadline: Option<Deadline>,
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
    due_at: Option<Timestamp>,
    due_strict_at: Option<Timestamp>,
    late: bool,
    calendar: Option<&'a str>,
    widened: Vec<&'static str>,
    ignored: Vec<String>,
    reason: Option<&'static str>,
}

impl Receipt<'_> {
    /// Whether what it tells of was in force only after its strict deadline.
    pub fn is_late(&self) -> bool {
        let due = self.deadline.as_ref().map(|deadline| deadline.due_strict_at);
        self.effective_at.zip(due).is_some_and(|(effective_at, due)| effective_at > due)
    }
}

/// Writes a receipt.
pub fn write(receipt: &Receipt<'_>) -> Vec<u8> {
    let deadline = receipt.deadline.as_ref();
    let wire = Wire {
        event_id: receipt.event_id,
        source: receipt.source,
        kind: receipt.kind.as_str(),
        request_id: receipt.request_id,
        status: receipt.status.as_str(),
        revision: receipt.revision,
        received_at: receipt.received_at,
        effective_at: receipt.effective_at,
        due_at: deadline.map(|deadline| deadline.due_at),
        due_strict_at: deadline.map(|deadline| deadline.due_strict_at),
        late: receipt.is_late(),
        calendar: deadline.and_then(|deadline| deadline.calendar.as_deref()),
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

/// The identifiers that could not be used: `phone` of the subject, `new_subject.phone` of the new one, `also` for anything in it.
pub fn ignored(remarks: Remarks) -> Vec<String> {
    let both = ["", "new_subject."]
        .into_iter()
        .flat_map(|of| IdentifierKind::ALL.iter().map(move |kind| format!("{of}{kind}")));
    let names = both.chain(["also".to_owned()]);
    (0..).zip(names).filter(|(bit, _)| remarks.ignored & 1 << bit != 0).map(|(_, name)| name).collect()
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
            deadline: Some(Deadline {
                due_at: "2026-11-23T19:00:00Z".parse().unwrap(),
                due_strict_at: "2026-11-23T05:15:00Z".parse().unwrap(),
                calendar: Some("kz-2026.2".into()),
            }),
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
                r#""effective_at":"2026-11-22T05:15:00.25Z","due_at":"2026-11-23T19:00:00Z","#,
                r#""due_strict_at":"2026-11-23T05:15:00Z","late":false,"calendar":"kz-2026.2","#,
                r#""widened":[],"ignored":[],"reason":null}"#
            )
        );
    }

    #[test]
    fn late_is_what_was_in_force_after_the_strict_deadline() {
        for (effective_at, late) in [
            (Some("2026-11-23T05:15:00Z"), false),
            (Some("2026-11-23T05:15:00.000001Z"), true),
            (None, false),
        ] {
            let effective_at = effective_at.map(|time| time.parse().unwrap());
            assert_eq!(value(&Receipt { effective_at, ..receipt() })["late"], late);
        }
        let without = Receipt { deadline: None, ..receipt() };
        assert_eq!(value(&without)["late"], false);
        assert_eq!(value(&without)["calendar"], Value::Null);
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
                deadline: None,
                reason: Some(refusal),
                ..receipt()
            };
            let value = value(&rejected);
            assert_eq!(value["status"], "rejected");
            assert_eq!(value["reason"], code);
            for name in ["revision", "effective_at", "due_at", "due_strict_at", "calendar"] {
                assert_eq!(value[name], Value::Null, "{name}");
            }
        }
    }

    #[test]
    fn what_was_widened_or_ignored_is_named_and_never_its_value() {
        let dimensions = ["regions", "channels", "brands"];
        for (bit, name) in dimensions.into_iter().enumerate() {
            let remarks = Remarks { widened: 1 << bit, ignored: 0 };
            assert_eq!(value(&Receipt { remarks, ..receipt() })["widened"], json!([name]));
        }
        let identifiers = [
            "user_id",
            "email",
            "phone",
            "new_subject.user_id",
            "new_subject.email",
            "new_subject.phone",
            "also",
        ];
        for (bit, name) in identifiers.into_iter().enumerate() {
            let remarks = Remarks { widened: 0, ignored: 1 << bit };
            assert_eq!(value(&Receipt { remarks, ..receipt() })["ignored"], json!([name]));
        }
        let all = value(&Receipt { remarks: Remarks { widened: 0b111, ignored: 0b111_1111 }, ..receipt() });
        assert_eq!((&all["widened"], &all["ignored"]), (&json!(dimensions), &json!(identifiers)));
    }
}
