//! E-mail addresses: what a provider or a person treats as one address has one form here.
//!
//! The plain spelling (ASCII, no brackets, no name) is recognised at memory speed; everything else goes
//! through [`careful`], which gives the same answer for plain spellings too. Deliberately absent:
//! address literals (`a@[192.0.2.1]`), comments and percent-encoding, which no marketing list holds.

use std::borrow::Cow;

use idna::AsciiDenyList;

use super::Unusable;
use super::text::{folded, is_invisible, visible};

/// The longest value that is looked at, in bytes: an address with a display name around it.
const RAW_BYTES_MAX: usize = 1024;
/// The longest canonical form, in bytes: 64 for the local part, `@`, 255 for the domain.
const CANONICAL_BYTES_MAX: usize = 320;

const QUOTES: [(char, char); 6] = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’'), ('«', '»')];

/// Appends the canonical form.
pub(super) fn canonical(raw: &str, buffer: &mut String) -> Result<(), Unusable> {
    if raw.len() > RAW_BYTES_MAX {
        return Err(Unusable::TooLong);
    }
    let Some((local, domain)) = plain(raw) else {
        return careful(raw, buffer);
    };
    write(local, domain, buffer)?;
    buffer.make_ascii_lowercase();
    Ok(())
}

/// Splits an address of ASCII letters, digits and the commonest signs, which lower case alone makes
/// canonical. Anything that might be an A-label is not plain.
fn plain(raw: &str) -> Option<(&str, &str)> {
    let (local, domain) = raw.trim_ascii().split_once('@')?;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+');
    let both = !local.is_empty() && local.bytes().all(is_plain) && is_plain_domain(domain);
    both.then_some((local, domain))
}

fn is_plain_domain(domain: &str) -> bool {
    let mut previous = b'.';
    for byte in domain.bytes() {
        match byte {
            b'.' | b'-' if byte == previous => return false,
            b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => previous = byte,
            _ => return false,
        }
    }
    previous != b'.'
}

/// Every other spelling.
fn careful(raw: &str, buffer: &mut String) -> Result<(), Unusable> {
    // A no-break space is what a web page leaves behind, not a place where an address ends.
    let text = visible(&raw.replace(['\u{A0}', '\u{2007}', '\u{202F}'], ""));
    let text = peeled(&text);
    if text.is_empty() {
        return Err(Unusable::Empty);
    }
    let Some((name, address)) = named(text)? else {
        return bare(text, buffer);
    };
    bare(peeled(address), buffer)?;
    if names_another(name, buffer) { Err(Unusable::Several) } else { Ok(()) }
}

/// Takes off what may surround an address: spaces, list separators, a trailing dot, `mailto:`, quotes.
fn peeled(text: &str) -> &str {
    let mut rest = text;
    loop {
        let before = rest.len();
        rest = rest.trim_matches(|c: char| c.is_whitespace() || c == ',' || c == ';').trim_end_matches('.');
        if let Some((scheme, address)) = rest.split_at_checked("mailto:".len())
            && scheme.eq_ignore_ascii_case("mailto:")
        {
            rest = address.split_once('?').map_or(address, |(address, _subject)| address);
        }
        for (open, close) in QUOTES {
            rest = rest.strip_prefix(open).and_then(|inner| inner.strip_suffix(close)).unwrap_or(rest);
        }
        if rest.len() == before {
            return rest;
        }
    }
}

/// Splits `display name <address>`. `None`: there are no angle brackets.
fn named(text: &str) -> Result<Option<(&str, &str)>, Unusable> {
    match (unquoted(text, '<').as_slice(), unquoted(text, '>').as_slice()) {
        ([], []) => Ok(None),
        (&[open], &[close]) if open < close && text[close + 1..].trim().is_empty() => {
            Ok(Some((&text[..open], &text[open + 1..close])))
        }
        ([_, _, ..], _) => Err(Unusable::Several),
        _ => Err(Unusable::Malformed),
    }
}

/// Whether a display name holds an address that is not the one it stands in front of. Mail programs put
/// the address itself there; "Ivan @ work" is a name.
fn names_another(name: &str, canonical: &str) -> bool {
    let mut same = String::new();
    if bare(peeled(name), &mut same).is_ok() && same == canonical {
        return false;
    }
    let joins = |side: Option<char>| side.is_some_and(|c| !c.is_whitespace() && c != '"');
    name.match_indices('@')
        .any(|(at, _)| joins(name[..at].chars().next_back()) && joins(name[at + 1..].chars().next()))
}

/// Appends the canonical form of an address that nothing surrounds.
fn bare(address: &str, buffer: &mut String) -> Result<(), Unusable> {
    let (local, domain) = if let Some(end) = quoted_length(address) {
        let domain = address[end..].trim_start().strip_prefix('@').ok_or(Unusable::Malformed)?;
        (Cow::Borrowed(&address[..end]), domain)
    } else {
        let (local, domain) = address.split_once('@').ok_or(Unusable::Malformed)?;
        (Cow::Owned(unquoted_local(local.trim_end())?), domain)
    };
    if domain.contains('@') {
        return Err(Unusable::Several);
    }
    write(&local, &ascii_domain(domain.trim_start())?, buffer)
}

/// The local part in folded case, if it has no character that ends or separates addresses.
fn unquoted_local(local: &str) -> Result<String, Unusable> {
    let ends = |c: char| c.is_whitespace() || "()<>[]:;,\\\"".contains(c);
    if local.is_empty() || local.contains(ends) {
        return Err(Unusable::Malformed);
    }
    Ok(folded(local))
}

/// The domain as lower-case A-labels.
fn ascii_domain(domain: &str) -> Result<String, Unusable> {
    let bytes = domain.as_bytes();
    let ascii = if domain.is_ascii() && bytes.windows(4).any(|w| w.eq_ignore_ascii_case(b"xn--")) {
        // An A-label may hide joiners, which the other spelling of the same domain has lost.
        let (unicode, known) = idna::domain_to_unicode(domain);
        known.map_err(|_| Unusable::Malformed)?;
        let shown: String = unicode.chars().filter(|c| !is_invisible(*c)).collect();
        idna::domain_to_ascii(&shown)
    } else {
        idna::domain_to_ascii_cow(bytes, AsciiDenyList::EMPTY).map(Cow::into_owned)
    };
    let mut ascii = ascii.map_err(|_| Unusable::Malformed)?;
    ascii.truncate(ascii.trim_end_matches('.').len());
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if ascii.split('.').all(is_label) { Ok(ascii) } else { Err(Unusable::Malformed) }
}

/// Joins the parts, without what providers ignore: a tag everywhere, dots at Gmail.
fn write(local: &str, domain: &str, buffer: &mut String) -> Result<(), Unusable> {
    let is_gmail = domain.eq_ignore_ascii_case("gmail.com") || domain.eq_ignore_ascii_case("googlemail.com");
    let domain = if is_gmail { "gmail.com" } else { domain };
    if local.starts_with('"') {
        buffer.push_str(local);
    } else if is_gmail {
        untagged(local).split('.').for_each(|piece| buffer.push_str(piece));
        if !buffer.is_ascii() {
            // A dot kept a letter and its accent apart.
            *buffer = folded(buffer);
        }
    } else {
        buffer.push_str(untagged(local));
    }
    if buffer.is_empty() {
        return Err(Unusable::Malformed);
    }
    buffer.push('@');
    buffer.push_str(domain);
    if buffer.len() > CANONICAL_BYTES_MAX { Err(Unusable::TooLong) } else { Ok(()) }
}

/// Cuts the `+tag`. A plus in front is no tag: some people's address is their telephone number.
fn untagged(local: &str) -> &str {
    let cut = local.bytes().skip(1).position(|b| b == b'+').map_or(local.len(), |tag| tag + 1);
    &local[..cut]
}

/// Where a character stands outside of quoted strings.
fn unquoted(text: &str, wanted: char) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let quoted = quoted_length(&text[at..]);
        if quoted.is_none() && c == wanted {
            found.push(at);
        }
        at += quoted.unwrap_or(c.len_utf8());
    }
    found
}

/// How many bytes the quoted string has that the text begins with, if it does and the string ends.
fn quoted_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('"')?;
    let mut escaped = false;
    let end = inside.bytes().position(|b| {
        let ends = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        ends
    })?;
    Some(end + 2)
}

#[cfg(test)]
mod tests;
