//! Text in a header: RFC 2047, what programs make of it, and raw 8-bit text.
//!
//! Programs cut encoded words in the middle of a character, so the bytes of neighbours with the same charset
//! are joined before they are decoded; base64 that was cut between its groups of four is joined even earlier.

use super::charset::{self, Decoded};
use super::transfer;

/// Bytes from an encoded word's start to its end. The standard says 75; programs write hundreds.
const WORD_BYTES_MAX: usize = 2048;

/// Decodes the text of a field. `fallback` is the charset of the body: raw text is most likely in the same.
pub(super) fn decode(value: &[u8], fallback: Option<&str>) -> Decoded {
    let mut text = Text { decoded: Decoded { text: String::new(), sure: true }, run: None };
    let mut rest = value;
    while !rest.is_empty() {
        if let Some((word, tail)) = encoded_word(rest) {
            text.add(word);
            rest = tail;
            continue;
        }
        let length = 1 + rest[1..].windows(2).position(|pair| pair == b"=?").unwrap_or(rest.len() - 1);
        let (raw, tail) = rest.split_at(length);
        // White space between two encoded words is not part of the text.
        if !(raw.trim_ascii().is_empty() && text.run.is_some() && encoded_word(tail).is_some()) {
            text.flush();
            text.push(&charset::decode(raw, fallback));
        }
        rest = tail;
    }
    text.flush();
    text.decoded
}

/// One encoded word.
#[derive(Clone, Copy)]
struct Word<'a> {
    charset: &'a [u8],
    base64: bool,
    data: &'a [u8],
}

/// Neighbouring encoded words of one charset.
struct Run {
    charset: Vec<u8>,
    bytes: Vec<u8>,
    /// Base64 whose last group is not whole yet.
    pending: Vec<u8>,
}

struct Text {
    decoded: Decoded,
    run: Option<Run>,
}

impl Text {
    fn add(&mut self, word: Word<'_>) {
        if self.run.as_ref().is_some_and(|run| !run.charset.eq_ignore_ascii_case(word.charset)) {
            self.flush();
        }
        let new = || Run { charset: word.charset.to_vec(), bytes: Vec::new(), pending: Vec::new() };
        let run = self.run.get_or_insert_with(new);
        if word.base64 {
            run.pending.extend(word.data);
            if run.pending.len().is_multiple_of(4) || run.pending.ends_with(b"=") {
                run.settle();
            }
        } else {
            run.settle();
            run.bytes.extend(q_encoded(word.data));
        }
    }

    fn flush(&mut self) {
        if let Some(mut run) = self.run.take() {
            run.settle();
            let label = String::from_utf8_lossy(&run.charset);
            self.push(&charset::decode(&run.bytes, Some(&label)));
        }
    }

    fn push(&mut self, decoded: &Decoded) {
        self.decoded.text.push_str(&decoded.text);
        self.decoded.sure &= decoded.sure;
    }
}

impl Run {
    fn settle(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        self.bytes.extend(transfer::base64(&pending).unwrap_or(pending));
    }
}

/// Splits an encoded word off the front.
fn encoded_word(bytes: &[u8]) -> Option<(Word<'_>, &[u8])> {
    let rest = bytes.get(..bytes.len().min(WORD_BYTES_MAX))?.strip_prefix(b"=?")?;
    let (charset, rest) = split_once(rest, b"?")?;
    let (encoding, rest) = split_once(rest, b"?")?;
    let base64 = match encoding {
        b"B" | b"b" => true,
        b"Q" | b"q" => false,
        _ => return None,
    };
    let (data, rest) = split_once(rest, b"?=")?;
    // RFC 2231 lets a language follow.
    let charset = split_once(charset, b"*").map_or(charset, |(charset, _)| charset);
    let length = bytes.len().min(WORD_BYTES_MAX) - rest.len();
    let named = !charset.is_empty() && charset.iter().all(u8::is_ascii_graphic);
    named.then(|| (Word { charset, base64, data }, &bytes[length..]))
}

fn split_once<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(mark.len()).position(|window| window == mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}

/// The Q encoding: quoted-printable with `_` for a space.
fn q_encoded(data: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = data.iter().map(|&byte| if byte == b'_' { b' ' } else { byte }).collect();
    transfer::quoted_printable(&spaced)
}
