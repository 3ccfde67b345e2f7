//! What makes two messages the same mail: in Inbox and in Junk, with other `Received` and other spam marks.
//!
//! The bytes here become part of event ids, so their form must not change: a mail that is read again after an
//! upgrade would be another request. Hence nothing that is decoded goes in, only what was sent, with white
//! space evened out.

use sha2::{Digest, Sha256};

use super::fields::{Fields, line_end, trim_line};
use super::limits::Limits;

/// The same for copies of one mail. Not `Debug`: it may hold a Message-ID.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity(Vec<u8>);

impl Identity {
    /// Its canonical bytes, for a keyed digest.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The Message-ID and Date, or without a Message-ID From ‖ Date ‖ Subject ‖ text. Programs that give every mail the
/// same Message-ID exist: at another time it is another mail.
pub fn identity(raw: &[u8]) -> Identity {
    let (fields, body) = Fields::take(raw, &Limits::default());
    let id = fields.first("message-id").map(squeezed).filter(|id| !id.is_empty());
    if let Some(id) = id {
        let date = fields.first("date").map(squeezed).unwrap_or_default();
        return Identity([b"id\0", id.as_slice(), b"\n", date.as_slice()].concat());
    }
    let mut digest = Sha256::new();
    for name in ["from", "date", "subject"] {
        let value = fields.first(name).map(squeezed).unwrap_or_default();
        digest.update(&value);
        // No field contains it, so that no two mails run together to the same bytes.
        digest.update(b"\n");
    }
    let mut at = body;
    let mut blank = 0_usize;
    while at < raw.len() {
        let end = line_end(raw, at);
        let line = trim_line(&raw[at..end]).trim_ascii_end();
        at = end;
        if line.is_empty() {
            blank += 1;
            continue;
        }
        (0..std::mem::take(&mut blank)).for_each(|_| digest.update(b"\n"));
        digest.update(line);
        digest.update(b"\n");
    }
    Identity([b"mail\0", digest.finalize().as_slice()].concat())
}

/// Without white space, which servers change when they fold a field anew.
fn squeezed(value: &[u8]) -> Vec<u8> {
    value.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}
