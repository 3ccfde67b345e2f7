//! What people do not see must not keep two spellings apart: invisible characters and look-alike forms.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// The text without invisible characters, in compatibility form: full-width and other styled characters
/// become plain, no-break and wide spaces become a space.
pub(super) fn visible(raw: &str) -> String {
    raw.chars().filter(|c| !is_invisible(*c)).nfkc().collect()
}

/// Unicode's full case folding, with normalisation around it (`NFKC_Casefold`), so that folding what is
/// folded changes nothing.
pub(super) fn folded(text: &str) -> String {
    text.chars().nfd().default_case_fold().nfkc().default_case_fold().nfkc().collect()
}

/// Whether a character shows nothing and takes no room: control characters other than white space, and
/// Unicode's `Default_Ignorable_Code_Point` (soft hyphen, zero-width and direction marks, BOM, variation
/// selectors, fillers).
pub(in crate::domain) fn is_invisible(c: char) -> bool {
    let is_control = || c.is_control() && !c.is_whitespace();
    if c.is_ascii() {
        // Nearly all there is: not compared with the rest.
        return is_control();
    }
    match c {
        '\u{AD}'
        | '\u{34F}'
        | '\u{61C}'
        | '\u{115F}'..='\u{1160}'
        | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFF8}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}' => true,
        _ => is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_gone_and_styled_characters_are_plain() {
        assert_eq!(visible("\u{FEFF}a\u{AD}b\u{200B}c\u{202C}\u{7F}"), "abc");
        assert_eq!(visible("ａ＠Ｂ\u{A0}．\u{3000}７"), "a@B . 7");
    }

    #[test]
    fn case_folding_is_unicodes_full_one() {
        assert_eq!(folded("АЙГЕРІМ"), "айгерім");
        assert_eq!(folded("Straße STRASSE ẞ"), "strasse strasse ss");
        assert_eq!(folded("ΣΊΣΥΦΟΣ ς"), "σίσυφοσ σ");
    }
}
