//! Whether a text is in a language that is read here: whether enough of its words are known.
//!
//! The lexicon's common words make up a good part of every Kazakh, Russian and English text. A text in a
//! third language may refuse in words that nobody here looks for, so a person must see it.

use super::fold::is_cyrillic;
use super::token::{Kind, Tokens};

/// Words that a text needs before anything is said of its language.
const WORDS_MIN: usize = 3;
/// Of this many words one must be known.
const ONE_KNOWN_IN: usize = 4;
/// Of this many words in Cyrillic one must be known: few other languages of our customers are.
const ONE_KNOWN_IN_CYRILLIC: usize = 9;

/// Letters of a Latin word that says nothing of its language.
const SHORT_LATIN_LETTERS: usize = 2;

/// Whether a text is in none of the three languages.
pub(super) fn is_foreign(tokens: &Tokens) -> bool {
    let words = tokens.words.iter().filter(|word| word.kind == Kind::Letters && !word.forms.own.is_empty());
    let (mut all, mut known, mut cyrillic, mut scripts) = (0, 0, 0, 0);
    for word in words {
        all += 1;
        // In Latin a word of two letters may be anybody's.
        let says_little = word.forms.cyrillic.is_some() && word.forms.own.len() <= SHORT_LATIN_LETTERS;
        known += usize::from(!word.classes.is_empty() && !says_little);
        cyrillic += usize::from(word.forms.own.chars().any(is_cyrillic));
        let is_ours = word.forms.own.chars().all(|c| is_cyrillic(c) || c.is_ascii_alphanumeric());
        scripts += usize::from(!is_ours);
    }
    let share = if 2 * cyrillic > all { ONE_KNOWN_IN_CYRILLIC } else { ONE_KNOWN_IN };
    2 * scripts > all || (all >= WORDS_MIN && known * share < all)
}
