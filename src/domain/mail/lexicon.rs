//! The words that decide, by what they mean.

use super::class::Class;

/// Words and phrases with their classes.
#[derive(Debug, Clone, Default)]
pub struct Lexicon {
    entries: Vec<(Class, String)>,
}

impl Lexicon {
    /// A lexicon of these words.
    pub fn new(entries: Vec<(Class, String)>) -> Self {
        Self { entries }
    }

    /// How many words it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no words.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
