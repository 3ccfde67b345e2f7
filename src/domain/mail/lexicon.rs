//! The words that decide, by what they mean.
//!
//! An entry is one word or a phrase. A word matches as a whole; with `*` at its end it matches whatever
//! begins with it; with `-` it is a Kazakh verb stem, whose endings say whether it is negated. `_` in a
//! phrase stands for up to two words. `~` in front of a single word makes it one that may be misspelt; the
//! word itself is not known by that. All entries are folded as mails are, so they are written as the
//! languages write them.

use std::collections::HashMap;

use super::class::{Class, Classes};
use super::distance::distance;
use super::fold::{Forms, forms};
use super::phrase::{Phrase, Piece};
use super::sound;
use super::suffix;

/// Letters that a word needs before a misspelling of it is believed, and before two are.
const LETTERS_FOR_ONE_SLIP: usize = 6;
const LETTERS_FOR_TWO_SLIPS: usize = 10;

/// What a word that only sounds right counts for, beside one with slips of the pen.
const SLIPS_OF_A_SOUND: usize = 2;

/// Classes that a whole word has besides those of its stem; every other whole word is an exception to it.
const BESIDES: Classes =
    Classes::of(&[Class::Common, Class::Filler, Class::Polite, Class::Alone, Class::AloneUnsure]);

/// Words and phrases with their classes.
#[derive(Debug, Clone, Default)]
pub struct Lexicon {
    whole: HashMap<String, Classes>,
    stems: HashMap<String, Stem>,
    phrases: HashMap<char, Vec<Phrase>>,
    misspelt: Vec<Misspelt>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Stem {
    classes: Classes,
    /// Classes of a Kazakh verb, whose endings may negate it.
    verb: Classes,
}

#[derive(Debug, Clone)]
struct Misspelt {
    text: String,
    letters: Vec<char>,
    sound: String,
    skeleton: String,
    classes: Classes,
}

/// What is wrong with an entry. Never the entry itself: its place says which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nothing is left once it is folded.
    #[error("has no letters")]
    Empty,
    /// A mark where it means nothing.
    #[error("may have `*` or `-` only at the end of a word, and `~` only in front of a single word")]
    Mark,
    /// A gap that nothing closes.
    #[error("may have `_` only between words")]
    Gap,
}

/// What the lexicon knows of a word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Its classes.
    pub(super) classes: Classes,
    /// Whether its own ending negates it.
    pub(super) negated: bool,
}

impl Lexicon {
    /// Adds an entry, written as the file has it.
    pub fn add(&mut self, class: Class, entry: &str) -> Result<(), Unfit> {
        let classes = Classes::of(&[class]);
        let (entry, misspelt) = match entry.trim().strip_prefix('~') {
            Some(rest) => (rest, true),
            None => (entry.trim(), false),
        };
        let pieces = entry.split_whitespace().map(Piece::parse).collect::<Result<Vec<_>, _>>()?;
        match pieces.as_slice() {
            [] => return Err(Unfit::Empty),
            [Piece::Gap] => return Err(Unfit::Gap),
            [only] => self.add_word(only, classes, misspelt),
            [Piece::Gap, ..] | [.., Piece::Gap] => return Err(Unfit::Gap),
            _ if misspelt => return Err(Unfit::Mark),
            [first, ..] => {
                let letter = first.letter().ok_or(Unfit::Empty)?;
                self.phrases.entry(letter).or_default().push(Phrase { pieces, classes });
            }
        }
        Ok(())
    }

    fn add_word(&mut self, word: &Piece, classes: Classes, misspelt: bool) {
        let text = word.text().to_owned();
        if misspelt {
            self.misspelt.push(Misspelt::new(text, classes));
            return;
        }
        match word {
            Piece::Whole(_) => {
                let known = self.whole.entry(text).or_default();
                *known = known.with(classes);
            }
            Piece::Verb(_) => {
                let stem = self.stems.entry(text).or_default();
                stem.verb = stem.verb.with(classes);
            }
            _ => {
                let stem = self.stems.entry(text).or_default();
                stem.classes = stem.classes.with(classes);
            }
        }
    }

    /// What is known of a word, by its spelling alone.
    pub(super) fn known(&self, forms: &Forms) -> Option<Known> {
        self.spelt(&forms.own).or_else(|| self.spelt(forms.cyrillic.as_deref()?))
    }

    /// The whole word, or else the longest stem that it begins with.
    fn spelt(&self, word: &str) -> Option<Known> {
        let whole = self.whole.get(word);
        if let Some(classes) = whole.filter(|classes| !classes.without(BESIDES).is_empty()) {
            return Some(Known { classes: *classes, negated: false });
        }
        let besides = whole.copied().unwrap_or_default();
        let ends = word.char_indices().skip(1).map(|(at, _)| at).chain([word.len()]);
        let mut ends: Vec<usize> = ends.collect();
        ends.reverse();
        let stem = ends.into_iter().find_map(|end| Some(self.stems.get(&word[..end])?.read(&word[end..])));
        match stem {
            Some(known) => Some(Known { classes: known.classes.with(besides), ..known }),
            None => whole.map(|classes| Known { classes: *classes, negated: false }),
        }
    }

    /// What a word is known for if it is misspelt.
    pub(super) fn misspelt(&self, forms: &Forms) -> Option<Known> {
        let near = [Some(&forms.own), forms.cyrillic.as_ref()].into_iter().flatten();
        let near = near.filter_map(|form| {
            let letters: Vec<char> = form.chars().collect();
            let (sound, skeleton) = (sound::of(form), sound::without_vowels(form));
            let slips = self.misspelt.iter().filter_map(move |entry| {
                let is_heard = entry.sounds_like(&sound) || entry.is_short_for(skeleton.as_deref());
                let slips = entry.slips(&letters).or_else(|| is_heard.then_some(SLIPS_OF_A_SOUND))?;
                Some((slips, entry))
            });
            slips.min_by_key(|(slips, _)| *slips)
        });
        let (_, entry) = near.min_by_key(|(slips, _)| *slips)?;
        let negated = self.spelt(&entry.text).is_some_and(|known| known.negated);
        Some(Known { classes: entry.classes, negated })
    }

    /// The phrases that may begin with a word.
    pub(super) fn phrases(&self, forms: &Forms) -> impl Iterator<Item = &Phrase> {
        let letters =
            [forms.own.chars().next(), forms.cyrillic.as_ref().and_then(|form| form.chars().next())];
        letters.into_iter().flatten().filter_map(|letter| self.phrases.get(&letter)).flatten()
    }
}

impl Stem {
    /// The meaning of the stem with this ending.
    fn read(self, ending: &str) -> Known {
        if self.verb.is_empty() {
            return Known { classes: self.classes, negated: false };
        }
        let mood = suffix::mood(ending);
        let mut classes = self.verb.with(self.classes);
        if mood == suffix::Mood::NotDone && classes.has(Class::Send) {
            classes = classes.without(Classes::of(&[Class::Send])).with(Classes::of(&[Class::Sending]));
        }
        Known { classes, negated: mood != suffix::Mood::Plain }
    }
}

impl Misspelt {
    fn new(text: String, classes: Classes) -> Self {
        let (sound, skeleton) = (sound::of(&text), sound::skeleton(&text));
        Self { letters: text.chars().collect(), text, sound, skeleton, classes }
    }

    /// Whether it is heard like a word that somebody wrote by ear.
    fn sounds_like(&self, sound: &str) -> bool {
        self.letters.len() >= LETTERS_FOR_ONE_SLIP && self.sound == sound
    }

    /// Whether a word without vowels stands for it.
    fn is_short_for(&self, skeleton: Option<&str>) -> bool {
        self.letters.len() >= LETTERS_FOR_ONE_SLIP && skeleton == Some(self.skeleton.as_str())
    }

    fn slips(&self, letters: &[char]) -> Option<usize> {
        let most = match self.letters.len() {
            LETTERS_FOR_TWO_SLIPS.. => 2,
            LETTERS_FOR_ONE_SLIP.. => 1,
            _ => return None,
        };
        distance(letters, &self.letters, most)
    }
}

/// Folds one word of an entry.
pub(super) fn folded(word: &str) -> String {
    forms(&super::fold::visible(word)).own
}
