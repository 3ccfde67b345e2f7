//! Phrases of the lexicon: several words in a row that mean something only together.

use super::class::Classes;
use super::fold::Forms;
use super::lexicon::{Unfit, folded};
use super::suffix;

/// The most words that a gap in a phrase stands for.
const GAP_WORDS_MAX: usize = 2;

/// Words in a row with what they mean together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phrase {
    pub(super) pieces: Vec<Piece>,
    pub(super) classes: Classes,
}

/// One word of an entry, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Exactly this word.
    Whole(String),
    /// Every word that begins like this.
    Stem(String),
    /// A Kazakh verb stem with any ending.
    Verb(String),
    /// Up to two words, whatever they are.
    Gap,
}

impl Piece {
    /// Reads one word of an entry.
    pub(super) fn parse(word: &str) -> Result<Self, Unfit> {
        if word == "_" {
            return Ok(Self::Gap);
        }
        let (text, make): (&str, fn(String) -> Self) = match word.strip_suffix(['*', '-']) {
            Some(text) if word.ends_with('*') => (text, Self::Stem),
            Some(text) => (text, Self::Verb),
            None => (word, Self::Whole),
        };
        if !text.chars().all(|c| c.is_alphanumeric() || c == '\'' || c == '\u{306}') {
            return Err(Unfit::Mark);
        }
        let text = folded(text);
        if text.is_empty() { Err(Unfit::Empty) } else { Ok(make(text)) }
    }

    /// Its letters; none for a gap.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Whole(text) | Self::Stem(text) | Self::Verb(text) => text,
            Self::Gap => "",
        }
    }

    /// The letter that it begins with.
    pub(super) fn letter(&self) -> Option<char> {
        self.text().chars().next()
    }

    fn matches(&self, forms: &Forms) -> Option<bool> {
        let spellings = [Some(&forms.own), forms.cyrillic.as_ref()];
        spellings.into_iter().flatten().find_map(|word| match self {
            Self::Whole(text) => (word == text).then_some(false),
            Self::Stem(text) => word.starts_with(text).then_some(false),
            Self::Verb(text) => {
                word.strip_prefix(text.as_str()).map(|ending| suffix::mood(ending) != suffix::Mood::Plain)
            }
            Self::Gap => None,
        })
    }
}

/// Where a phrase stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Covered {
    /// The places of its own words, counted from the first; what stands in gaps is left out.
    pub(super) places: Vec<usize>,
    /// Whether its last verb is negated.
    pub(super) negated: bool,
}

impl Phrase {
    /// Where the phrase stands if it begins with the first of the words.
    pub(super) fn covers(&self, words: &[Forms]) -> Option<Covered> {
        let mut covered = Covered { places: Vec::with_capacity(self.pieces.len()), negated: false };
        let mut at = 0;
        let mut gap = 0;
        for piece in &self.pieces {
            if *piece == Piece::Gap {
                gap = GAP_WORDS_MAX;
                continue;
            }
            let near = words.get(at..)?.iter().take(gap + 1).enumerate();
            let (skipped, negated) =
                near.into_iter().find_map(|(skipped, word)| Some((skipped, piece.matches(word)?)))?;
            covered.places.push(at + skipped);
            covered.negated |= negated;
            at += skipped + 1;
            gap = 0;
        }
        Some(covered)
    }
}
