//! Why a message is refused for its own fault: the reason code and the detail of its dead letter.
//!
//! The detail is a JSON pointer and the rule broken. It goes into headers and logs, so it never holds a
//! value of the message, and no name that the sender chose: pointers consist of the contract's own names
//! and of indexes.

use std::fmt::Display;

use crate::domain::words::DeadReason;

/// A message's own fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Fault {
    /// The code for `x-suppressd-reason`.
    pub reason: DeadReason,
    /// The text for `x-suppressd-detail`.
    pub detail: String,
}

impl Fault {
    /// A fault of the message as a whole.
    pub fn whole(reason: DeadReason, rule: impl Into<String>) -> Self {
        Self { reason, detail: rule.into() }
    }

    /// A fault at the place that a JSON pointer names; the empty pointer is the document itself.
    pub fn at(reason: DeadReason, pointer: impl Display, rule: impl Display) -> Self {
        let detail = format!("{pointer}: {rule}");
        Self::whole(reason, detail.strip_prefix(": ").unwrap_or(&detail))
    }

    /// `bad_schema` at the place that a JSON pointer names.
    pub fn schema(pointer: impl Display, rule: impl Display) -> Self {
        Self::at(DeadReason::BadSchema, pointer, rule)
    }
}
