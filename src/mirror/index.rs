//! Digest → class, for tens of millions of digests.
//!
//! The standard library's table keeps one byte of each entry's hash apart from the entries: of tens of millions
//! of them these bytes stay near the processor, and hardly anybody who is not on the list costs a read
//! of memory that does not. The index is cut into parts that grow one by one: nobody waits until the whole list
//! is laid out anew, and no second copy of it is made for that.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::num::NonZeroU32;

use crate::domain::digest::Digest;

/// Parts of an index.
const PARTS: usize = 64;

/// A class by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClassId(NonZeroU32);

impl ClassId {
    /// The class at this place of the list of classes.
    pub(super) fn at(place: usize) -> Self {
        let number = u32::try_from(place + 1).ok().and_then(NonZeroU32::new);
        Self(number.expect("classes are far fewer than identifiers"))
    }

    /// The class's number, from 1 on.
    pub(super) fn number(self) -> usize {
        self.0.get() as usize
    }
}

/// All entries.
#[derive(Debug)]
pub(super) struct Index {
    parts: Vec<HashMap<Digest, ClassId, BuildHasherDefault<DigestHasher>>>,
}

impl Default for Index {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| HashMap::default()).collect() }
    }
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(HashMap::len).sum()
    }

    /// Makes room for this many more entries at once.
    pub(super) fn reserve(&mut self, entries: usize) {
        self.parts.iter_mut().for_each(|part| part.reserve(entries / PARTS));
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<ClassId> {
        self.parts[part_of(digest)].get(digest).copied()
    }

    pub(super) fn insert(&mut self, digest: Digest, class: ClassId) {
        self.parts[part_of(&digest)].insert(digest, class);
    }

    pub(super) fn remove(&mut self, digest: &Digest) {
        self.parts[part_of(digest)].remove(digest);
    }
}

/// By the last byte: the hash is made of the first ones.
fn part_of(digest: &Digest) -> usize {
    usize::from(digest.0[15]) % PARTS
}

/// Digests are HMAC outputs: eight of their bytes are a hash already, and nobody outside can choose them.
#[derive(Debug, Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// The length that slices hash first says nothing here.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
