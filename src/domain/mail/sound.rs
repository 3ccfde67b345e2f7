//! How folded words sound, for those who write by ear or leave the vowels out.
//!
//! Russian vowels without stress fall together (о and а; е, я and и), and so do voiced and voiceless consonants
//! at the end. Only whole words are compared so, and only with the lexicon's longer words: of short ones too
//! many would be equal. Nothing here is a spelling that is shown to anybody.

/// Fewest letters of an abbreviation that is believed: смс is none.
const SKELETON_LETTERS_MIN: usize = 4;

/// A folded word as it is heard.
pub(super) fn of(word: &str) -> String {
    let mut heard = String::with_capacity(word.len());
    for letter in word.chars() {
        let letter = match letter {
            'о' => 'а',
            'е' | 'я' => 'и',
            letter => letter,
        };
        if !heard.ends_with(letter) {
            heard.push(letter);
        }
    }
    let last = match heard.pop() {
        Some('б') => Some('п'),
        Some('в') => Some('ф'),
        Some('г') => Some('к'),
        Some('д') => Some('т'),
        Some('ж') => Some('ш'),
        Some('з') => Some('с'),
        last => last,
    };
    heard.extend(last);
    heard
}

/// The first letter of a word and its consonants.
pub(super) fn skeleton(word: &str) -> String {
    let mut last = None;
    let kept = word.char_indices().filter(|(at, letter)| *at == 0 || !is_vowel(*letter));
    kept.map(|(_, letter)| letter).filter(|letter| last.replace(*letter) != Some(*letter)).collect()
}

/// The word itself, if somebody left out its vowels but for one at its beginning.
pub(super) fn without_vowels(word: &str) -> Option<String> {
    let is_short = word.chars().count() >= SKELETON_LETTERS_MIN && !word.chars().skip(1).any(is_vowel);
    is_short.then(|| skeleton(word))
}

fn is_vowel(letter: char) -> bool {
    "аеиоуюяaeiou".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mail::fold::forms;

    fn folded(word: &str) -> String {
        forms(word).own
    }

    #[test]
    fn what_is_written_by_ear_sounds_as_it_should() {
        for (heard, right) in [
            ("атпешите", "отпишите"),
            ("росылко", "рассылка"),
            ("отказ", "атказ"),
            ("сообщенее", "сообщение"),
        ] {
            assert_eq!(of(&folded(heard)), of(&folded(right)), "{heard}");
        }
        assert_ne!(of("описат"), of("отписат"));
    }

    #[test]
    fn a_word_without_vowels_stands_for_the_one_with_them() {
        for (short, long) in [("рсслк", "рассылка"), ("отпшт", "отпишите"), ("unsbscrb", "unsubscribe")]
        {
            assert_eq!(without_vowels(&folded(short)), Some(skeleton(&folded(long))), "{short}");
        }
        assert_eq!(without_vowels("смс"), None);
        assert_eq!(without_vowels("расилка"), None);
    }
}
