//! Names of keys, and which small hash holds a digest.

use crate::codec::record::hex;
use crate::domain::digest::Digest;
use crate::domain::record::{CampaignKey, ListId, RequestKey};
use crate::service::ports::Urgency;

/// Hashes that digests are spread over. At ten million identifiers each holds about 76, which Redis keeps as
/// one compact listpack. At a hundred million it is 763: Redis turns a hash of more than `hash-max-listpack-entries`
/// (512 or 128 by default, by its version) into a table of three times the size, so 1024 must be set before.
pub(super) const BUCKETS: u32 = 1 << 17;

/// Bits of a digest that its bucket tells already; whole bytes of them are left out of the field.
const BYTES_IN_BUCKET: usize = 2;

/// The families of small hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hash {
    Standing,
    Extras,
    Events,
    Requests,
}

impl Hash {
    fn letter(self) -> char {
        match self {
            Self::Standing => 's',
            Self::Extras => 'x',
            Self::Events => 'e',
            Self::Requests => 'r',
        }
    }

    /// The hash of this family that holds these 16 bytes, and the field in it.
    pub(super) fn place(self, id: &[u8; 16]) -> (String, [u8; 16 - BYTES_IN_BUCKET]) {
        let [a, b, c, ..] = *id;
        let bucket = u32::from_be_bytes([0, a, b, c]) >> (24 - BUCKETS.trailing_zeros());
        let mut field = [0; 16 - BYTES_IN_BUCKET];
        field.copy_from_slice(&id[BYTES_IN_BUCKET..]);
        (self.name(bucket), field)
    }

    /// The name of one hash, after the list's prefix.
    pub(super) fn name(self, bucket: u32) -> String {
        format!("{}{bucket}", self.letter())
    }
}

/// The digest in a field of a bucket.
pub(super) fn digest_in(bucket: u32, field: &[u8]) -> Option<Digest> {
    let mut id = [0; 16];
    let first = (bucket << (24 - BUCKETS.trailing_zeros())).to_be_bytes();
    id[..BYTES_IN_BUCKET].copy_from_slice(&first[1..=BYTES_IN_BUCKET]);
    let field: &[u8; 16 - BYTES_IN_BUCKET] = field.try_into().ok()?;
    id[BYTES_IN_BUCKET..].copy_from_slice(field);
    Some(Digest(id))
}

/// The hash with all that is known of the requests in review, by request, after the list's prefix. There are few
/// of them, and each is larger than what the small hashes hold.
pub(super) const REVIEW: &str = "review";

/// Names of keys under one prefix, all in one hash slot.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    tag: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self { tag: format!("{{{prefix}}}:") }
    }

    /// What every key begins with.
    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    /// The serving list's head.
    pub(super) fn meta(&self) -> String {
        format!("{}meta", self.tag)
    }

    /// The head of a list that is built aside.
    pub(super) fn meta_aside(&self, list: ListId) -> String {
        format!("{}building:{list}", self.tag)
    }

    pub(super) fn barriers(&self) -> String {
        format!("{}barriers", self.tag)
    }

    pub(super) fn suspect(&self, fingerprint: &[u8; 16]) -> String {
        format!("{}suspect:{}", self.tag, hex(fingerprint))
    }

    pub(super) fn look_ups(&self) -> String {
        format!("{}look-ups", self.tag)
    }

    pub(super) fn alarmed(&self, request: RequestKey, alarm: Urgency) -> String {
        format!("{}alarmed:{request}:{alarm}", self.tag)
    }

    pub(super) fn lease(&self) -> String {
        format!("{}lease", self.tag)
    }

    pub(super) fn mail_turn(&self) -> String {
        format!("{}mail-turn", self.tag)
    }

    /// What the key of every campaign begins with.
    pub(super) fn campaign_prefix(&self) -> String {
        format!("{}campaign:", self.tag)
    }

    /// All that is known of one campaign.
    pub(super) fn campaign(&self, campaign: CampaignKey) -> String {
        format!("{}{campaign}", self.campaign_prefix())
    }

    /// When each campaign is forgotten.
    pub(super) fn campaigns(&self) -> String {
        format!("{}campaigns", self.tag)
    }

    /// Since when each campaign waits for parts.
    pub(super) fn campaigns_incomplete(&self) -> String {
        format!("{}campaigns:incomplete", self.tag)
    }

    /// What every other key of a list begins with.
    pub(super) fn list(&self, list: ListId) -> String {
        format!("{}{list}:", self.tag)
    }

    /// Requests in review by their strict deadline.
    pub(super) fn due(&self, list: ListId) -> String {
        format!("{}due", self.list(list))
    }

    pub(super) fn feed(&self, list: ListId) -> String {
        format!("{}feed", self.list(list))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_digest_is_found_again_in_its_bucket(id in any::<[u8; 16]>()) {
            let (name, field) = Hash::Standing.place(&id);
            let bucket = name[1..].parse().unwrap();
            prop_assert!(bucket < BUCKETS);
            prop_assert_eq!(digest_in(bucket, &field), Some(Digest(id)));
        }
    }
}
