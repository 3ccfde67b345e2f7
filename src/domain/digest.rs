//! Keyed digests: the only form in which an identifier is stored, sent to Redis or written to the ledger.
//!
//! A digest is `HMAC-SHA-256(key, kind ‖ canonical form)` cut to 128 bits. The keys live in files outside
//! Redis: an unkeyed hash of every Kazakh mobile number is inverted in seconds. No kind's name is a
//! prefix of another's, so the plain concatenation is unambiguous.

use zeroize::Zeroize;

use super::hmac::{Keyed, ShortMessage};
use super::words::IdentifierKind;

/// 128 bits that stand for one identifier under one key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 16]);

impl std::fmt::Debug for Digest {
    /// Digests are pseudonyms of people: a log line shows that there is one, not which.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// Eight bytes by which a key is recognised without being known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyCheck(pub [u8; 8]);

impl std::fmt::Display for KeyCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Why a key file's text is not a key. Never holds a part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Not 64 hexadecimal digits and a newline.
    #[error("a key file is 64 hexadecimal digits and a newline (make one with `openssl rand -hex 32`)")]
    Form,
}

/// A key drawn at random has hardly ever fewer different bytes than this.
const DIFFERENT_BYTES_MIN: usize = 8;

/// Forms that wait to be hashed together: few enough to stay in the nearest cache.
const WAITING_MAX: usize = 64;

/// One secret key, ready to hash with.
#[derive(Clone)]
pub struct HashKey {
    keyed: Keyed,
    check: KeyCheck,
    weak: bool,
}

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HashKey({})", self.check)
    }
}

impl HashKey {
    /// Reads the text of a key file: 64 hexadecimal digits and a newline.
    pub fn from_file_text(text: &str) -> Result<Self, KeyFault> {
        let hex = text.strip_suffix('\n').unwrap_or(text);
        let hex = hex.strip_suffix('\r').unwrap_or(hex);
        if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(KeyFault::Form);
        }
        let mut key = [0u8; 32];
        for (byte, pair) in key.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            *byte = nibble(pair[0]) << 4 | nibble(pair[1]);
        }
        let mut seen = [false; 256];
        for byte in &key {
            seen[usize::from(*byte)] = true;
        }
        let weak = seen.iter().filter(|s| **s).count() < DIFFERENT_BYTES_MIN;
        let keyed = Keyed::new(&key);
        key.zeroize();
        let check = KeyCheck(first(&keyed.mac([b"suppressd key check", b""])));
        Ok(Self { keyed, check, weak })
    }

    /// Whether nobody drew this key at random.
    pub fn is_weak(&self) -> bool {
        self.weak
    }

    /// By what this key is recognised.
    pub fn check(&self) -> KeyCheck {
        self.check
    }

    /// The digest of a canonical form.
    pub fn digest(&self, kind: IdentifierKind, canonical: &str) -> Digest {
        Digest(first(&self.keyed.mac([kind.as_str().as_bytes(), canonical.as_bytes()])))
    }

    /// A keyed hash of arbitrary content, told apart from every identifier's digest by its label.
    pub fn content_hash(&self, content: &[u8]) -> [u8; 16] {
        first(&self.keyed.mac([b"content ", content]))
    }
}

/// The keys in use, in the order of `hashing.key_files`.
///
/// Everything is written under every key and looked up under every key, so that a lifting event reaches
/// what was written under an older one.
#[derive(Debug, Clone)]
pub struct KeyRing {
    keys: Vec<HashKey>,
}

impl KeyRing {
    /// A ring of at least one key, each once.
    pub fn new(keys: Vec<HashKey>) -> Option<Self> {
        let mut checks: Vec<_> = keys.iter().map(HashKey::check).collect();
        checks.sort_unstable();
        checks.dedup();
        (!keys.is_empty() && checks.len() == keys.len()).then_some(Self { keys })
    }

    /// The keys, first the one named first.
    pub fn keys(&self) -> &[HashKey] {
        &self.keys
    }

    /// The digests of a canonical form, one a key, in the order of the keys.
    pub fn digests(&self, kind: IdentifierKind, canonical: &str) -> impl Iterator<Item = Digest> {
        self.keys.iter().map(move |key| key.digest(kind, canonical))
    }
}

/// The digests of many canonical forms: what is written one by one is hashed side by side.
pub struct Digests<'k> {
    keys: &'k KeyRing,
    /// Forms that are not hashed yet.
    waiting: Vec<ShortMessage>,
    done: Vec<Digest>,
}

impl<'k> Digests<'k> {
    /// None yet.
    pub fn new(keys: &'k KeyRing) -> Self {
        Self { keys, waiting: Vec::with_capacity(WAITING_MAX), done: Vec::new() }
    }

    /// How many digests there will be of each form.
    pub fn of_each(&self) -> usize {
        self.keys.keys.len()
    }

    /// Adds a canonical form.
    pub fn add(&mut self, kind: IdentifierKind, canonical: &str) {
        if self.waiting.len() == WAITING_MAX {
            self.hash_waiting();
        }
        if !ShortMessage::push(&mut self.waiting, [kind.as_str().as_bytes(), canonical.as_bytes()]) {
            self.hash_waiting();
            self.done.extend(self.keys.digests(kind, canonical));
        }
    }

    /// The digests, in the order in which the forms came, one a key, in the order of the keys.
    pub fn finish(mut self) -> Vec<Digest> {
        self.hash_waiting();
        self.done
    }

    fn hash_waiting(&mut self) {
        let (first, step) = (self.done.len(), self.of_each());
        self.done.resize(first + self.waiting.len() * step, Digest([0; 16]));
        for (nth, key) in self.keys.keys.iter().enumerate() {
            key.keyed.macs(&self.waiting, |at, mac| {
                self.done[first + at * step + nth] = Digest(crate::domain::digest::first(&mac));
            });
        }
        self.waiting.clear();
    }
}

fn first<const N: usize>(bytes: &[u8; 32]) -> [u8; N] {
    let mut cut = [0; N];
    cut.copy_from_slice(&bytes[..N]);
    cut
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

    #[test]
    fn a_digest_is_the_hmac_of_kind_and_canonical_form_cut_to_128_bits() {
        // printf 'phone+77771113111' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0001…1f
        let key = HashKey::from_file_text(KEY).unwrap();
        let hex: String = key
            .digest(IdentifierKind::Phone, "+77771113111")
            .0
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert_eq!(hex, "ae4b7fa1602bbb12b7e41f946f14cc1f");
    }

    #[test]
    fn a_key_file_that_is_not_a_key_is_refused() {
        for (text, fault) in
            [("", KeyFault::Form), ("abc\n", KeyFault::Form), (&"g".repeat(64), KeyFault::Form)]
        {
            assert_eq!(HashKey::from_file_text(text).unwrap_err(), fault);
        }
    }

    #[test]
    fn a_key_that_nobody_drew_at_random_is_weak() {
        assert!(HashKey::from_file_text(&"00ff".repeat(16)).unwrap().is_weak());
        assert!(!HashKey::from_file_text(KEY).unwrap().is_weak());
    }

    #[test]
    fn a_ring_has_a_key_and_no_key_twice() {
        let key = HashKey::from_file_text(KEY).unwrap();
        assert!(KeyRing::new(vec![]).is_none());
        assert!(KeyRing::new(vec![key.clone(), key.clone()]).is_none());
        assert!(KeyRing::new(vec![key]).is_some());
    }
}
