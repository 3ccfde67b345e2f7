//! Bytes to domain types and back: the only home of message serde.
//!
//! Pure: borrowed bytes in, values or a [`DeadReason`](crate::domain::words::DeadReason) out. An error names
//! a place and a rule, never what stood there.

pub mod record;
pub mod value;
