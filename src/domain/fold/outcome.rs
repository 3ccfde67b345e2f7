//! What became of an event, kept for as long as the list: who asks again gets the same answer.

use jiff::Timestamp;

use crate::domain::calendar::Deadline;
use crate::domain::digest::KeyCheck;
use crate::domain::record::{RecordId, Remarks};

/// What became of the first record of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The record that decided: the first of its event.
    pub record: RecordId,
    /// What was decided.
    pub decision: Decision,
    /// The revision after it.
    pub revision: u64,
    /// When a worker took the event.
    pub received_at: Timestamp,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// By when its request had to be settled; of an event that settles another request, when that one had to be.
    pub deadline: Option<Deadline>,
    /// Whether it put a provisional hold on somebody.
    pub held: bool,
    /// Whether its request is called after it and was settled with it: then nothing else is kept of the request.
    pub settled_own: bool,
    /// What was widened or could not be used.
    pub remarks: Remarks,
    /// The content's keyed hashes, by key.
    pub content: Vec<(KeyCheck, [u8; 16])>,
}

/// The fold's decision on an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It stands.
    Applied,
    /// It stands nowhere in its own family; or it settles what is settled already.
    Superseded,
    /// Somebody must look.
    Review,
    /// It settles a request that nobody knows.
    UnknownRequest,
    /// It applies a request that names nobody.
    NoIdentifier,
}

impl Decision {
    /// Every decision; its place is its number in the list.
    pub const ALL: [Self; 5] =
        [Self::Applied, Self::Superseded, Self::Review, Self::UnknownRequest, Self::NoIdentifier];
}
