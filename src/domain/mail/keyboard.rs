//! Text that was typed with the other keyboard layout: `jngbcrf` is отписка, `ыещз` is stop.
//!
//! A text is switched as a whole or in single stretches between blanks, and only where that turns unknown
//! words into known ones. The Kazakh layout has its own letters in place of digits.

use super::fold::forms;
use super::lexicon::Lexicon;

/// Letters of a stretch that is switched on its own; shorter ones follow their neighbours.
const STRETCH_LETTERS_MIN: usize = 4;

const LATIN: &str = "`qwertyuiop[]asdfghjkl;'zxcvbnm,.";
const RUSSIAN: &str = "ёйцукенгшщзхъфывапролджэячсмитьбю";
const LATIN_SHIFTED: &str = "~QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>";
const RUSSIAN_SHIFTED: &str = "ЁЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ";
const KAZAKH_ROW: &str = "2345890-=";
const KAZAKH: &str = "әіңғүұқөһ";

/// A layout that a text may have been typed in by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Latin letters where Russian ones were meant.
    LatinForRussian,
    /// The same with the Kazakh letters of the row of digits.
    LatinForKazakh,
    /// Cyrillic letters where Latin ones were meant.
    RussianForLatin,
}

impl Layout {
    const ALL: [Self; 3] = [Self::LatinForRussian, Self::LatinForKazakh, Self::RussianForLatin];

    fn switched(self, text: &str) -> String {
        text.chars().map(|c| self.letter(c).unwrap_or(c)).collect()
    }

    fn letter(self, c: char) -> Option<char> {
        let plain = [(LATIN, RUSSIAN), (LATIN_SHIFTED, RUSSIAN_SHIFTED)];
        let twin =
            |from: &str, to: &str| from.chars().position(|key| key == c).and_then(|at| to.chars().nth(at));
        match self {
            Self::LatinForRussian => plain.iter().find_map(|(latin, russian)| twin(latin, russian)),
            Self::LatinForKazakh => twin(KAZAKH_ROW, KAZAKH)
                .or_else(|| plain.iter().find_map(|(latin, russian)| twin(latin, russian))),
            Self::RussianForLatin => plain.iter().find_map(|(latin, russian)| twin(russian, latin)),
        }
    }
}

/// The text as it was meant, if it was typed in the wrong layout.
pub(super) fn meant(text: &str, lexicon: &Lexicon) -> Option<String> {
    let before = known_words(text, lexicon);
    let whole = Layout::ALL.into_iter().map(|layout| layout.switched(text));
    let best =
        whole.map(|switched| (known_words(&switched, lexicon), switched)).max_by_key(|(known, _)| *known);
    if let Some((known, switched)) = best
        && known > 2 * before
    {
        return Some(switched);
    }
    let mut any = false;
    let stretches = text.split_inclusive(char::is_whitespace).map(|stretch| {
        stretch_meant(stretch, lexicon).map_or_else(
            || stretch.to_owned(),
            |switched| {
                any = true;
                switched
            },
        )
    });
    let switched: String = stretches.collect();
    any.then_some(switched)
}

fn stretch_meant(stretch: &str, lexicon: &Lexicon) -> Option<String> {
    let letters = stretch.chars().filter(|c| c.is_alphabetic()).count();
    if letters + 1 < STRETCH_LETTERS_MIN || known_words(stretch, lexicon) > 0 {
        return None;
    }
    let switched = Layout::ALL.into_iter().map(|layout| layout.switched(stretch));
    switched.into_iter().find(|switched| {
        let is_long = |word: &str| word.chars().count() >= STRETCH_LETTERS_MIN;
        words(switched).any(is_long) && words(switched).all(|word| is_known(word, lexicon))
    })
}

/// How many letters the known words of a text have.
fn known_words(text: &str, lexicon: &Lexicon) -> usize {
    words(text).filter(|word| is_known(word, lexicon)).map(|word| word.chars().count()).sum()
}

fn is_known(word: &str, lexicon: &Lexicon) -> bool {
    lexicon.known(&forms(word)).is_some()
}

fn words(text: &str) -> impl Iterator<Item = &str> + Clone {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty())
}
