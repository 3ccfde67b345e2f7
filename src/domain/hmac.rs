//! HMAC-SHA-256 (RFC 2104) of short messages, many at a time.
//!
//! Two things make it cheap. What the key does to the two hashes is worked out once, as section 4 of the RFC
//! allows; and messages that fit into one block are hashed side by side, first the inner hashes, then the outer
//! ones: the rounds of one hash wait for each other, those of another do not. The compression function is the
//! `sha2` crate's, which takes the processor's own instructions where it has them.

use sha2::block_api::compress256;

/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;

/// The most bytes of a message that fits into one block, beside the byte that ends it and its length.
const SHORT_MAX: usize = BLOCK - 1 - size_of::<u64>();

/// Messages hashed side by side: more find no idle rounds to fill.
const SIDE_BY_SIDE: usize = 8;

/// The initial hash value of SHA-256 (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// A key, as the two hashes that have taken it in.
#[derive(Clone)]
pub(super) struct Keyed {
    inner: [u32; 8],
    outer: [u32; 8],
}

/// A message that fits into one block, padded as the second block of a hash.
pub(super) struct ShortMessage([u8; BLOCK]);

impl ShortMessage {
    /// Adds the parts, one after the other, as one message. False: they do not fit.
    pub(super) fn push(messages: &mut Vec<Self>, parts: [&[u8]; 2]) -> bool {
        let length = parts[0].len() + parts[1].len();
        if length > SHORT_MAX {
            return false;
        }
        // Written where it stays: there are millions.
        messages.push(Self([0; BLOCK]));
        if let Some(Self(block)) = messages.last_mut() {
            block[..parts[0].len()].copy_from_slice(parts[0]);
            block[parts[0].len()..length].copy_from_slice(parts[1]);
            pad(block, length);
        }
        true
    }
}

impl Keyed {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let state_after = |pad: u8| {
            let mut block = [pad; BLOCK];
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            let mut state = INITIAL;
            compress256(&mut state, &[block]);
            state
        };
        Self { inner: state_after(0x36), outer: state_after(0x5c) }
    }

    /// The MAC of a message of any length.
    pub(super) fn mac(&self, parts: [&[u8]; 2]) -> [u8; 32] {
        let mut message = parts.concat();
        let bits = bits(message.len());
        message.push(0x80);
        message.resize((message.len() + size_of::<u64>()).next_multiple_of(BLOCK) - size_of::<u64>(), 0);
        message.extend(bits);
        let mut inner = self.inner;
        compress256(&mut inner, message.as_chunks().0);
        self.outer_of(&inner)
    }

    /// The MACs of short messages, in their order.
    pub(super) fn macs(&self, messages: &[ShortMessage], mut take: impl FnMut(usize, [u8; 32])) {
        for (nth, messages) in messages.chunks(SIDE_BY_SIDE).enumerate() {
            let mut inner = [self.inner; SIDE_BY_SIDE];
            for (state, message) in inner.iter_mut().zip(messages) {
                compress256(state, &[message.0]);
            }
            for (at, state) in inner[..messages.len()].iter().enumerate() {
                take(nth * SIDE_BY_SIDE + at, self.outer_of(state));
            }
        }
    }

    fn outer_of(&self, inner: &[u32; 8]) -> [u8; 32] {
        let mut block = [0; BLOCK];
        block[..32].copy_from_slice(&bytes(inner));
        pad(&mut block, 32);
        let mut outer = self.outer;
        compress256(&mut outer, &[block]);
        bytes(&outer)
    }
}

/// Ends a message of this length, which is the last of its hash.
fn pad(block: &mut [u8; BLOCK], length: usize) {
    block[length] = 0x80;
    block[BLOCK - size_of::<u64>()..].copy_from_slice(&bits(length));
}

/// What SHA-256 writes at the end: how many bits there were, the block of the key included.
fn bits(length: usize) -> [u8; 8] {
    ((BLOCK + length) as u64 * 8).to_be_bytes()
}

fn bytes(state: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::prelude::*;
    use sha2::Sha256;

    use super::*;

    fn reference(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    proptest! {
        #[test]
        fn it_is_hmac_at_every_length(
            key: [u8; 32],
            message in proptest::collection::vec(any::<u8>(), 0..300),
            cut: proptest::sample::Index,
        ) {
            let (first, second) = message.split_at(cut.index(message.len() + 1));
            prop_assert_eq!(Keyed::new(&key).mac([first, second]), reference(&key, &message));
        }

        #[test]
        fn side_by_side_gives_what_each_gives_alone(
            key: [u8; 32],
            messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..=SHORT_MAX), 0..40),
        ) {
            let mut short = vec![];
            assert!(messages.iter().all(|message| ShortMessage::push(&mut short, [&[], message])));
            let mut macs = vec![];
            Keyed::new(&key).macs(&short, |at, mac| {
                assert_eq!(at, macs.len());
                macs.push(mac);
            });
            let expected: Vec<_> = messages.iter().map(|message| reference(&key, message)).collect();
            prop_assert_eq!(macs, expected);
        }
    }

    #[test]
    fn what_does_not_fit_into_one_block_is_not_short() {
        let mut messages = vec![];
        assert!(ShortMessage::push(&mut messages, [&[0; 5], &[0; SHORT_MAX - 5]]));
        assert!(!ShortMessage::push(&mut messages, [&[0; 5], &[0; SHORT_MAX - 4]]));
        assert_eq!(messages.len(), 1);
    }
}
