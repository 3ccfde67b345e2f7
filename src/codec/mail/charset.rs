//! Bytes to text, whatever the label says.
//!
//! Mail in Russian and Kazakh comes in seven encodings, and its labels lie: old servers say `us-ascii`, old
//! programs say `windows-1251` of a text in KZ-1048, the Kazakh variant of it. So the label is one vote.
//! Bytes that are valid UTF-8 are UTF-8, since no text in another encoding happens to be; of everything else all
//! candidates are decoded and the most plausible text wins ([`plausible`]). A text that no candidate makes
//! plausible is still given, but not as `sure`.

mod kazakh;
mod plausible;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252};

use super::vendor;

/// A decoded text.
pub(super) struct Decoded {
    pub(super) text: String,
    /// Whether this is what was written, as far as one can tell.
    pub(super) sure: bool,
}

/// What has a charset's name.
#[derive(Clone, Copy)]
enum Charset {
    Known(&'static Encoding),
    /// windows-1251 with other letters in some places.
    Kazakh(kazakh::Letters),
}

/// Bytes that are looked at to tell encodings apart.
const SAMPLE_BYTES: usize = 4 << 10;
/// Of a thousand characters this many may be undecodable in a text whose encoding is known.
const STRAY_PER_MILLE: usize = 50;

/// The encodings that are tried whatever the label says, with what each is worth before a look at the text.
const CANDIDATES: &[(&str, i32)] = &[
    ("windows-1251", 12),
    ("koi8-r", 6),
    ("kz-1048", 4),
    ("ibm866", 0),
    ("x-mac-cyrillic", 0),
    ("iso-8859-5", 0),
    ("ptcp154", 0),
];
/// What a label is worth, in the same measure.
const LABEL_WORTH: i32 = 40;

/// Decodes a text that is labelled with `label`, if with anything.
pub(super) fn decode(bytes: &[u8], label: Option<&str>) -> Decoded {
    let label = label.map(plain_label).unwrap_or_default();
    if let Some((encoding, mark_bytes)) = Encoding::for_bom(bytes) {
        return strict(encoding, &bytes[mark_bytes..]);
    }
    if let Some(encoding) = wide(bytes, &label) {
        return strict(encoding, bytes);
    }
    if label == "utf7" || label == "unicode11utf7" {
        let text = vendor::rare_charset(bytes, "utf-7");
        return text.map_or_else(|| best(bytes, ""), |text| Decoded { text, sure: true });
    }
    let named = named(&label);
    if let Some(Charset::Known(encoding)) = named
        && !encoding.is_single_byte()
        && encoding != encoding_rs::UTF_8
    {
        let decoded = strict(encoding, bytes);
        let is_utf8 = !bytes.is_ascii()
            && std::str::from_utf8(sample(bytes)).is_ok_and(|text| plausible::score(text) >= plausible::SURE);
        if decoded.sure && !is_utf8 {
            return decoded;
        }
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Decoded { text: decoded_twice(text).unwrap_or_else(|| text.to_owned()), sure: true },
        Err(_) => best(bytes, &label),
    }
}

/// Decodes by one encoding; sure unless more than a stray character is lost.
fn strict(encoding: &'static Encoding, bytes: &[u8]) -> Decoded {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    let sure = few_are_lost(&text);
    Decoded { text: text.into_owned(), sure }
}

fn few_are_lost(text: &str) -> bool {
    let lost = text.chars().filter(|&c| c == char::REPLACEMENT_CHARACTER).count();
    lost == 0 || lost * 1000 <= text.chars().count() * STRAY_PER_MILLE
}

/// UTF-16 by its label or, without one that fits, by its zero bytes, which no other text has.
fn wide(bytes: &[u8], label: &str) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let zeros = |first: usize| sample.iter().skip(first).step_by(2).filter(|&&byte| byte == 0).count();
    let (high, low) = (zeros(0), zeros(1));
    let says_so = label.starts_with("utf16") || label == "unicode" || label == "ucs2";
    if says_so && label.ends_with("be") || high > low && high * 8 > sample.len() {
        Some(UTF_16BE)
    } else if says_so || low > high && low * 8 > sample.len() {
        Some(UTF_16LE)
    } else {
        None
    }
}

/// The most plausible reading of bytes that are no UTF-8.
fn best(bytes: &[u8], label: &str) -> Decoded {
    let sample = sample(bytes);
    let mut best: Option<(i32, Charset)> = None;
    let mut consider = |charset: Charset, worth: i32| {
        let (text, lost) = charset.decode(sample);
        let score = plausible::score(&text) + worth - if lost { plausible::SURE } else { 0 };
        if best.is_none_or(|(highest, _)| score > highest) {
            best = Some((score, charset));
        }
    };
    if let Some(charset) = named(label) {
        consider(charset, LABEL_WORTH);
    }
    consider(Charset::Known(encoding_rs::UTF_8), LABEL_WORTH / 2);
    for (candidate, worth) in CANDIDATES {
        if let Some(charset) = named(&plain_label(candidate)) {
            consider(charset, *worth);
        }
    }
    consider(Charset::Known(WINDOWS_1252), 0);
    let (score, charset) = best.expect("there are candidates whatever the label");
    Decoded { text: charset.decode(bytes).0, sure: score >= plausible::SURE }
}

/// What the encoding is told by: a text is long enough long before its end, and the letters may come late.
fn sample(bytes: &[u8]) -> &[u8] {
    let first = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
    let from = first.saturating_sub(64);
    &bytes[from..bytes.len().min(from + SAMPLE_BYTES)]
}

impl Charset {
    /// The text, and whether more than a stray character was lost.
    fn decode(self, bytes: &[u8]) -> (String, bool) {
        let text = match self {
            Self::Known(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
            Self::Kazakh(letters) => kazakh::decode(bytes, letters),
        };
        let lost = !few_are_lost(&text);
        (text, lost)
    }
}

/// A charset by a label of which only letters and digits are left.
fn named(label: &str) -> Option<Charset> {
    let known = |name: &str| Encoding::for_label_no_replacement(name.as_bytes()).map(Charset::Known);
    match label {
        "" => None,
        "cp1251" | "win1251" | "windows1251" | "1251" | "ansi1251" | "ansi" | "mswin1251" => {
            known("windows-1251")
        }
        "koi8" | "koi8r" | "cskoi8r" | "koi8ru" => known("koi8-r"),
        "koi8u" => known("koi8-u"),
        "cp866" | "ibm866" | "866" | "dos866" | "oem866" | "csibm866" => known("ibm866"),
        "maccyrillic" | "macintoshcyrillic" | "cp10007" | "10007" | "macukrainian" => known("x-mac-cyrillic"),
        "iso88595" | "88595" | "cyrillic" | "isoir144" => known("iso-8859-5"),
        "kz1048" | "strk10482002" | "rk1048" | "cskz1048" => Some(Charset::Kazakh(kazakh::KZ_1048)),
        "ptcp154" | "pt154" | "cp154" | "csptcp154" | "cyrillicasian" => {
            Some(Charset::Kazakh(kazakh::PTCP_154))
        }
        "utf8" | "unicode11utf8" => known("utf-8"),
        _ => with_hyphens(label).iter().find_map(|name| known(name)),
    }
}

/// Spellings under which `encoding_rs` may know a label whose hyphens are gone.
fn with_hyphens(label: &str) -> [String; 4] {
    let digits = label.find(|c: char| c.is_ascii_digit()).unwrap_or(label.len());
    let (word, number) = label.split_at(digits);
    let iso = label.strip_prefix("iso8859").unwrap_or_default();
    [label.to_owned(), format!("{word}-{number}"), format!("iso-8859-{iso}"), format!("x-{label}")]
}

/// A label without what programs add to it: case, quotes, hyphens, `x-`.
fn plain_label(label: &str) -> String {
    let label: String = label.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let label = label.to_ascii_lowercase();
    label.strip_prefix('x').map(ToOwned::to_owned).unwrap_or(label)
}

/// Undoes a second encoding: UTF-8 that somebody took for windows-1251 or latin-1 and encoded again.
fn decoded_twice(text: &str) -> Option<String> {
    if text.is_ascii() || text.len() > SAMPLE_BYTES {
        return None;
    }
    [WINDOWS_1251, WINDOWS_1252].into_iter().find_map(|wrong| {
        let (bytes, _, unmappable) = wrong.encode(text);
        let inner = std::str::from_utf8(&bytes).ok().filter(|_| !unmappable)?;
        (plausible::score(inner) > plausible::score(text) + LABEL_WORTH).then(|| inner.to_owned())
    })
}
