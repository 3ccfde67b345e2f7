//! Random names, from the operating system.

use crate::domain::record::{LedgerId, ListId, Nonce, RecordId, WorkerId};

fn bytes() -> [u8; 16] {
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
