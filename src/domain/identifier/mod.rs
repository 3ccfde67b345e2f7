//! Canonical forms: what makes two spellings of one address the same person.
//!
//! Everything that is stored or looked up is the digest of a canonical form, so this module decides who
//! is recognised. Three things must stay true: a canonical form is its own canonical form; a form that
//! was once written never changes (old digests would no longer match); in doubt two spellings match,
//! because removing one person too many is the safe side.
//!
//! Deliberately absent: any test of whether an address exists or a prefix is in use. Nothing here keeps,
//! prints or returns the raw value.

mod country;
mod email;
mod phone;
#[cfg(test)]
mod properties;
mod text;
mod user_id;

pub use country::Country;
pub(super) use text::is_invisible;

use super::words::IdentifierKind;

/// Why a value is no usable identifier. Never holds a part of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Nothing is left once spaces and invisible characters are taken off.
    #[error("is empty")]
    Empty,
    /// More bytes or digits than any identifier of its kind has.
    #[error("is too long")]
    TooLong,
    /// Two addresses or numbers in one value: nobody can say which one is meant.
    #[error("holds more than one address or number")]
    Several,
    /// Cannot be a whole address or number.
    #[error("is not a whole address or number")]
    Malformed,
}

/// Writes the canonical form of a value into `buffer` (emptied first, and left empty if there is none) and
/// lends it out.
///
/// `country` is where a telephone number without a country code is dialled. The buffer is there to be
/// used again: the usual spellings need no allocation once it has grown.
pub fn canonical<'b>(
    kind: IdentifierKind,
    raw: &str,
    country: &Country,
    buffer: &'b mut String,
) -> Result<&'b str, Unusable> {
    buffer.clear();
    let result = match kind {
        IdentifierKind::UserId => user_id::canonical(raw, buffer),
        IdentifierKind::Email => email::canonical(raw, buffer),
        IdentifierKind::Phone => phone::canonical(raw, country, buffer),
    };
    if result.is_err() {
        buffer.clear();
    }
    result.map(|()| buffer.as_str())
}
