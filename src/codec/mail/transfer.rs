//! Transfer encodings, undone leniently: what does not decode stays as it is.
//!
//! A decoder that gives up on the first bad character loses the sentence that a person wrote around it.

use super::vendor;

/// How a body is encoded for its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transfer {
    Base64,
    QuotedPrintable,
    /// `7bit`, `8bit`, `binary`, nothing, and what nobody knows.
    Plain,
}

impl Transfer {
    pub(super) fn named(value: Option<&[u8]>) -> Self {
        let value = value.unwrap_or_default().trim_ascii();
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        let starts = |name: &str| {
            value.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        };
        if starts("base64") {
            Self::Base64
        } else if starts("quoted-printable") {
            Self::QuotedPrintable
        } else {
            Self::Plain
        }
    }
}

pub(super) fn decode(body: &[u8], transfer: Transfer) -> Vec<u8> {
    match transfer {
        Transfer::Plain => body.to_vec(),
        Transfer::QuotedPrintable => quoted_printable(body),
        Transfer::Base64 => base64(body).unwrap_or_else(|| body.to_vec()),
    }
}

/// Decodes base64 between which anything may stand; `None` if it is no base64 at all but text that claims to be.
pub(super) fn base64(body: &[u8]) -> Option<Vec<u8>> {
    let foreign = |byte: &&u8| !in_alphabet(**byte) && !matches!(byte, b'\r' | b'\n');
    let strange = body.trim_ascii().iter().filter(foreign).count();
    if strange * 20 > body.len() {
        return None;
    }
    let clean: Vec<u8> = body.iter().copied().filter(|&byte| in_alphabet(byte)).collect();
    vendor::base64(&clean)
}

fn in_alphabet(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

pub(super) fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'=' {
            decoded.push(byte);
        } else if let Some(next) = after_soft_break(tail) {
            rest = next;
        } else if let [high, low, after @ ..] = tail
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            decoded.push(high << 4 | low);
            rest = after;
        } else {
            decoded.push(byte);
        }
    }
    decoded
}

/// What follows a line break that is none, if `=` stands before one.
fn after_soft_break(tail: &[u8]) -> Option<&[u8]> {
    let blank = tail.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
    match tail.get(blank) {
        Some(b'\n') => Some(&tail[blank + 1..]),
        None => Some(&[]),
        Some(_) => None,
    }
}

pub(super) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
