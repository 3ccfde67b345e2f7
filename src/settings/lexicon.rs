//! The lexicon of the mailbox: `config/lexicon.toml`, which the program carries in itself, or another file.
//!
//! A section is a class of words, a key in it a language. Every mistake is reported at its place and without
//! the entry, as for every setting. What the words mean together is not configured: `domain::mail` knows.

use std::path::Path;

use config::Value;

use crate::domain::mail::class::Class;
use crate::domain::mail::lexicon::Lexicon;

use super::mistake::Mistakes;
use super::section::{Notes, Section, read};
use super::tree;
use super::values::{Parsed, list, text};

/// The languages that a class may have words of.
const LANGUAGES: [&str; 3] = ["ru", "kk", "en"];
/// The most entries in one list, and the most bytes in one entry.
const ENTRIES_MAX: usize = 2_000;
const ENTRY_BYTES_MAX: usize = 200;

const SHIPPED: &str = include_str!("../../config/lexicon.toml");

/// The lexicon that the program carries in itself.
pub fn shipped_lexicon() -> Lexicon {
    let tree = tree::parse(SHIPPED, "config/lexicon.toml").map_err(|mistake| Mistakes(vec![mistake]));
    tree.and_then(lexicon).expect("the shipped lexicon is right, as a test shows")
}

/// A lexicon from a file, or every mistake in it.
pub fn load_lexicon(path: &Path) -> Result<Lexicon, Mistakes> {
    lexicon(tree::read(path).map_err(|mistake| Mistakes(vec![mistake]))?)
}

fn lexicon(values: Value) -> Result<Lexicon, Mistakes> {
    let mut notes = Notes::default();
    let lexicon = read(values, &mut notes, take);
    if notes.mistakes.is_empty() { Ok(lexicon) } else { Err(Mistakes(notes.mistakes)) }
}

fn take(root: &mut Section<'_>) -> Lexicon {
    let mut lexicon = Lexicon::default();
    for class in Class::ALL {
        root.section(class.as_str(), |section| {
            for language in LANGUAGES {
                let entries = section.or(language, Vec::new(), list(0..=ENTRIES_MAX, entry));
                for (index, entry) in entries.iter().enumerate() {
                    if let Err(unfit) = lexicon.add(*class, entry) {
                        section.refuse(&[language], &format!("[{index}]"), unfit.to_string());
                    }
                }
            }
        });
    }
    lexicon
}

fn entry(value: &Value) -> Parsed<String> {
    text(ENTRY_BYTES_MAX)(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_lexicon_is_right() {
        let tree = tree::parse(SHIPPED, "config/lexicon.toml").unwrap();
        assert_eq!(lexicon(tree).err(), None);
    }

    #[test]
    fn every_mistake_is_reported_at_its_place_and_without_the_entry() {
        let file = "[send]\nru = ['слать', 'secr*t', 'a ~b', '_ c', '!']\nxx = []\n[sned]\nru = []\n[stop]\nru = 7\n";
        let mistakes = lexicon(tree::parse(file, "file").unwrap()).unwrap_err();
        let printed = mistakes.to_string();
        for place in ["send.ru[1]", "send.ru[2]", "send.ru[3]", "send.ru[4]", "send.xx", "sned", "stop.ru"] {
            assert!(printed.contains(&format!("file: {place}: ")), "{place} is missing in:\n{printed}");
        }
        assert!(!printed.contains("secr"));
    }
}
