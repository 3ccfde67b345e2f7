//! `[hashing]`: the keys under which identifiers are hashed, read from their files at once.
//!
//! A start with a wrong key would not fail but find nobody opted out, so the files are held to their
//! form here and to the list's check values later. A key that others may read, or that can be guessed, protects
//! nobody: it is refused.

use std::path::Path;

use config::Value;

use crate::domain::digest::{HashKey, KeyRing};

use super::secret;
use super::section::Section;
use super::values::{PATH_BYTES_MAX, Parsed, list, text};

const KEYS_MAX: usize = 8;
const KEY_HEX_DIGITS: usize = 64;

/// The keys in use.
#[derive(Debug, Clone)]
pub struct Hashing {
    /// In the order of `key_files`.
    pub key_ring: KeyRing,
}

impl Hashing {
    /// `None` if anything is wrong, which is noted.
    pub(super) fn take(section: &mut Section<'_>) -> Option<Self> {
        let example = "key_files = [\"/etc/suppressd/keys/hashing.key\"]";
        let keys = section.require("key_files", example, list(1..=KEYS_MAX, key_in_file))?;
        let mut twice = false;
        for (index, key) in keys.iter().enumerate() {
            if let Some(first) = keys[..index].iter().position(|other| other.check() == key.check()) {
                twice = true;
                let problem = format!("holds the same key as key_files[{first}]; name each key once");
                section.refuse(&["key_files"], &format!("[{index}]"), problem);
            }
        }
        if twice { None } else { KeyRing::new(keys).map(|key_ring| Self { key_ring }) }
    }
}

fn key_in_file(value: &Value) -> Parsed<HashKey> {
    let path = text(PATH_BYTES_MAX)(value)?;
    if path.len() == KEY_HEX_DIGITS && path.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("is a key; name the file that holds it, and make a new key: this one was seen".into());
    }
    let key = secret::read_file(Path::new(&path))
        .and_then(|text| HashKey::from_file_text(&text).map_err(|fault| fault.to_string()));
    // Only what is certainly a path is repeated.
    let named = if path.starts_with('/') { format!("{path}: ") } else { String::new() };
    let key = key.map_err(|problem| format!("{named}{problem}"))?;
    if key.is_weak() {
        return Err(
            format!("{named}nobody drew this key at random; make one with `openssl rand -hex 32`").into()
        );
    }
    Ok(key)
}
