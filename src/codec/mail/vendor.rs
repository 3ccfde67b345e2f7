//! The only home of `mail-parser`: single fields and encodings, never a whole mail.
//!
//! Its parser of whole mails nests mails in mails as deep as the input says, and dropping such a tree overflows
//! the stack, which nothing can catch; it also forgets the bytes of a text once it has decoded them, and with
//! them any hope of seeing through a wrong charset label. So the parts are found by [`super::tree`], and
//! `mail-parser` does what is hard to get right in one field: addresses, parameters (RFC 2231), base64 and rare
//! charsets. It has panicked on malformed input before, so every call of it stands in [`guarded`].

use std::panic::{UnwindSafe, catch_unwind};

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address, ContentType, HeaderValue};

/// Bytes of a field with parameters: the time to read them grows with the square of their number.
const PARAMETERS_BYTES_MAX: usize = 4096;

/// Runs `f` and gives `None` if it panicked. Nothing is shared with `f`, so nothing can be left half done.
pub(super) fn guarded<T>(f: impl FnOnce() -> T + UnwindSafe) -> Option<T> {
    catch_unwind(f).ok()
}

/// The addresses of a field, names and comments left out; `None` if the parser gave up.
pub(super) fn addresses(value: &[u8]) -> Option<Vec<String>> {
    let line = terminated(value);
    let parsed = guarded(|| match MessageStream::new(&line).parse_address() {
        HeaderValue::Address(address) => address.into_owned(),
        _ => Address::List(Vec::new()),
    })?;
    let of = |list: &[Addr<'_>]| -> Vec<String> {
        list.iter().filter_map(|address| address.address.as_deref()).filter_map(bare).collect()
    };
    Some(match &parsed {
        Address::List(list) => of(list),
        Address::Group(groups) => groups.iter().flat_map(|group| of(&group.addresses)).collect(),
    })
}

/// An address that could be one: with an `@`, without the angle brackets that sloppy programs double.
fn bare(address: &str) -> Option<String> {
    let address = address.trim().trim_matches(|c| c == '<' || c == '>' || c == '\'').trim();
    (address.contains('@') && !address.contains(char::is_whitespace)).then(|| address.to_owned())
}

/// A field with parameters: `Content-Type`, `Content-Disposition`.
#[derive(Default)]
pub(super) struct Parametric(Option<ContentType<'static>>);

impl Parametric {
    pub(super) fn read(value: &[u8]) -> Self {
        let line = terminated(&value[..value.len().min(PARAMETERS_BYTES_MAX)]);
        let read = guarded(|| match MessageStream::new(&line).parse_content_type().into_owned() {
            HeaderValue::ContentType(content_type) => Some(content_type),
            _ => None,
        });
        Self(read.flatten())
    }

    /// `text` of `text/plain`, `attachment`; empty if there is none. In lower case.
    pub(super) fn main(&self) -> &str {
        self.0.as_ref().map_or("", |content_type| content_type.ctype())
    }

    /// `plain` of `text/plain`.
    pub(super) fn sub(&self) -> &str {
        self.0.as_ref().and_then(|content_type| content_type.subtype()).unwrap_or_default()
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.0.as_ref().and_then(|content_type| content_type.attribute(name))
    }
}

/// Decodes clean base64: letters of the alphabet and padding only.
pub(super) fn base64(clean: &[u8]) -> Option<Vec<u8>> {
    guarded(|| base64_decode(clean)).flatten()
}

/// Decodes a charset that `encoding_rs` does not know, UTF-7 above all.
pub(super) fn rare_charset(bytes: &[u8], label: &str) -> Option<String> {
    guarded(|| charset_decoder(label.as_bytes()).map(|decode| decode(bytes))).flatten()
}

/// The parsers of fields want the line's end and stop at it.
fn terminated(value: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(value.len() + 1);
    line.extend(value.iter().map(|&byte| if byte == b'\n' { b' ' } else { byte }));
    line.push(b'\n');
    line
}
