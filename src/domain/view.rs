//! What the filter asks of a list: one unchanging answer per identifier.

use super::digest::Digest;
use super::words::{Channel, Removal};

/// The list at one position. Nothing that is asked through one value of this changes while it is held.
pub trait View {
    /// What is worked out once per segment, so that each identifier costs one look-up.
    type Table;

    /// Prepares the answers for one (region, channel, brand).
    fn table(&self, region: &str, channel: Channel, brand: &str) -> Self::Table;

    /// The strongest statement in force against this identifier at the table's point.
    fn removal(&self, table: &Self::Table, digest: &Digest) -> Option<Removal>;
}
