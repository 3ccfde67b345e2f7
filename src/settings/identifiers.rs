//! `[identifiers]`: how identifiers are read.

use config::Value;

use super::section::Section;
use super::values::{Parsed, text};

const LETTERS: usize = 2;

/// How identifiers are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifiers {
    /// The country (ISO 3166-1, two capitals) of telephone numbers without a country code.
    pub default_country: String,
}

impl Identifiers {
    pub(super) fn take(section: &mut Section<'_>) -> Self {
        Self { default_country: section.or("default_country", "KZ", country) }
    }
}

fn country(value: &Value) -> Parsed<String> {
    let problem = "must be a country of ISO 3166-1 in two capital letters, such as KZ";
    let text = text(LETTERS)(value).map_err(|_| problem)?;
    if text.len() == LETTERS && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(text);
    }
    Err(problem.into())
}
