//! Names of brands and regions as people write them: inflected, transliterated, in one word or two.

use super::fold::{Forms, forms, visible};

/// Endings that a name takes in Russian and Kazakh, folded; longer ones are other words.
const ENDINGS: [&str; 34] = [
    "", "а", "и", "у", "е", "ои", "ом", "ов", "ам", "ами", "s", "дан", "ден", "тан", "тен", "нан", "нен",
    "нин", "дин", "тин", "га", "ге", "ка", "ке", "да", "де", "та", "те", "ди", "ни", "ти", "мен", "а", "еи",
];
/// Letters that a region's name needs before other endings of it are recognised.
const STEM_LETTERS_MIN: usize = 4;

/// A brand and how it is called.
#[derive(Debug, Clone)]
pub(super) struct BrandName {
    /// As configured.
    pub(super) brand: String,
    name: Forms,
}

impl BrandName {
    /// The first label of a domain is what people call it.
    pub(super) fn new(brand: &str) -> Self {
        let label = brand.split('.').next().unwrap_or(brand);
        Self { brand: brand.to_owned(), name: forms(&visible(label)) }
    }

    /// Whether the word is the name with an ending, in the same script or transliterated.
    pub(super) fn is_in(&self, word: &Forms) -> bool {
        let cyrillic = self.name.cyrillic.as_deref().unwrap_or(&self.name.own);
        has_ending(&word.own, &self.name.own)
            || has_ending(&word.own, cyrillic)
            || word.cyrillic.as_deref().is_some_and(|word| has_ending(word, cyrillic))
    }
}

fn has_ending(word: &str, name: &str) -> bool {
    // Лулла, Луллы, Луллу.
    let root = name.strip_suffix(['а', 'a']).filter(|root| !root.is_empty());
    let ending = word.strip_prefix(name).or_else(|| word.strip_prefix(root?));
    ending.is_some_and(|ending| ENDINGS.contains(&ending))
}

/// One name of a region.
#[derive(Debug, Clone)]
pub(super) struct RegionName {
    /// The region's code.
    pub(super) code: String,
    words: Vec<String>,
}

impl RegionName {
    /// The longest name, in words.
    pub(super) const WORDS_MAX: usize = 4;

    /// A name that is long enough to be recognised in a text.
    pub(super) fn new(name: &str, code: &str) -> Option<Self> {
        let words: Vec<String> = name
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(|word| stem(&forms(word).own).to_owned())
            .collect();
        let letters: usize = words.iter().map(|word| word.chars().count()).sum();
        let fits = letters >= STEM_LETTERS_MIN && words.len() <= Self::WORDS_MAX && !words.is_empty();
        fits.then(|| Self { code: code.to_owned(), words })
    }

    /// How many letters of the words from the first on are the name, if they are.
    pub(super) fn fit(&self, words: &[&Forms]) -> Option<usize> {
        if words.len() < self.words.len() {
            return None;
        }
        let begins = |form: &Forms, stem: &String| {
            form.own.starts_with(stem.as_str())
                || form.cyrillic.as_ref().is_some_and(|form| form.starts_with(stem.as_str()))
        };
        let all = self.words.iter().zip(words).all(|(stem, form)| begins(form, stem));
        all.then(|| self.words.iter().map(|word| word.chars().count()).sum())
    }
}

/// A name's word without the vowels at its end, which change with the case.
fn stem(word: &str) -> &str {
    if word.chars().count() <= STEM_LETTERS_MIN {
        word
    } else {
        word.trim_end_matches(['а', 'я', 'и', 'о', 'е', 'a', 'y'])
    }
}
