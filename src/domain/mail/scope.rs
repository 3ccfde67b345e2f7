//! What a request is narrowed to: channels, brands, regions. In doubt everything.

use crate::domain::catalogue::Catalogue;
use crate::domain::words::Channel;

use super::class::Class;
use super::fold::{Forms, forms};
use super::reading::Narrowed;
use super::token::{Tokens, Word};

/// Endings that a brand's name takes in Russian and Kazakh, folded.
const ENDINGS: [&str; 30] = [
    "", "а", "и", "у", "е", "ои", "ом", "ов", "ам", "ы", "s", "дан", "ден", "тан", "тен", "нан", "нен",
    "нин", "дин", "тин", "га", "ге", "ка", "ке", "да", "де", "ди", "ни", "ти", "мен",
];
/// The longest region name, in words.
const REGION_WORDS_MAX: usize = 3;

/// Recognises the company's brands and regions in words.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// Folded first labels of the brands with the brands.
    brands: Vec<(Forms, String)>,
    catalogue: Catalogue,
}

impl Names {
    /// The names of the catalogue.
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        let brands = catalogue.brands().iter().map(|brand| {
            let label = brand.split('.').next().unwrap_or(brand);
            (forms(&super::fold::visible(label)), brand.to_string())
        });
        Self { brands: brands.collect(), catalogue: catalogue.clone() }
    }

    /// What the sentences of the request are narrowed to.
    pub(super) fn narrowed(&self, text: &str, tokens: &Tokens, requests: &[usize]) -> Narrowed {
        let words: Vec<&Word> = requests
            .iter()
            .filter_map(|index| tokens.sentences.get(*index))
            .flat_map(|sentence| tokens.of_sentence(sentence))
            .collect();
        let has = |class| words.iter().any(|word| word.classes.has(class));
        if has(Class::All) && !has(Class::Only) && !has(Class::Except) {
            return Narrowed::default();
        }
        let limits = has(Class::Only);
        let mut narrowed = Narrowed::default();
        if limits {
            narrowed.channels = channels(&words);
            narrowed.brands = self.brands_in(&words);
            narrowed.regions = self.regions_in(text, &words);
        }
        narrowed
    }

    fn brands_in(&self, words: &[&Word]) -> Vec<String> {
        let mut brands = Vec::new();
        for word in words {
            for (name, brand) in &self.brands {
                if is_name(&word.forms, name) && !brands.contains(brand) {
                    brands.push(brand.clone());
                }
            }
        }
        brands
    }

    fn regions_in(&self, text: &str, words: &[&Word]) -> Vec<String> {
        let mut regions: Vec<String> = Vec::new();
        for at in 0..words.len() {
            for length in (1..=REGION_WORDS_MAX.min(words.len() - at)).rev() {
                let span = words[at].span.start..words[at + length - 1].span.end;
                let Some(name) = text.get(span) else { continue };
                let found = self.catalogue.regions_of_scope(name);
                if !found.is_empty() {
                    regions.extend(found.iter().map(ToString::to_string));
                    break;
                }
            }
        }
        regions.sort();
        regions.dedup();
        regions
    }
}

fn channels(words: &[&Word]) -> Vec<&'static str> {
    let pairs =
        [(Class::ByEmail, Channel::Email), (Class::BySms, Channel::Sms), (Class::ByCall, Channel::Call)];
    let named = pairs.into_iter().filter(|(class, _)| words.iter().any(|word| word.classes.has(*class)));
    named.map(|(_, channel)| channel.as_str()).collect()
}

/// Whether a word is the name with an ending, in the same script or transliterated.
fn is_name(word: &Forms, name: &Forms) -> bool {
    let fits = |word: &str, name: &str| {
        let root = name.trim_end_matches(['а', 'a']);
        let ending =
            word.strip_prefix(name).or_else(|| word.strip_prefix(root).filter(|_| root.len() < name.len()));
        ending.is_some_and(|ending| ENDINGS.contains(&ending))
    };
    if fits(&word.own, &name.own) {
        return true;
    }
    let cyrillic = name.cyrillic.as_deref().unwrap_or(&name.own);
    fits(&word.own, cyrillic) || word.cyrillic.as_deref().is_some_and(|word| fits(word, cyrillic))
}
