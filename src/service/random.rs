//! Random names, from the operating system; a simulation's from its seed.

use super::traces::{SpanId, TraceId};
use crate::domain::record::{LedgerId, ListId, Nonce, RecordId, WorkerId};
use crate::fail_points;

fn bytes() -> [u8; 16] {
    if let Some(bytes) = fail_points::seeded() {
        return bytes;
    }
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A name for one append.
pub fn record_id() -> RecordId {
    RecordId(bytes())
}

/// A name for a new list.
pub fn list_id() -> ListId {
    ListId(bytes())
}

/// A name for a new ledger.
pub fn ledger_id() -> LedgerId {
    LedgerId(bytes())
}

/// A name for this run of this worker.
pub fn worker_id() -> WorkerId {
    WorkerId(bytes())
}

/// What a fence carries.
pub fn nonce() -> Nonce {
    Nonce(bytes())
}

/// A name for a trace. The lowest bit is set: a name of zeros means nothing.
pub fn trace_id() -> TraceId {
    let mut bytes = bytes();
    bytes[15] |= 1;
    TraceId(bytes)
}

/// A name for a span.
pub fn span_id() -> SpanId {
    let [first @ .., _, _, _, _, _, _, _, _] = bytes();
    SpanId((u64::from_be_bytes(first) | 1).to_be_bytes())
}
