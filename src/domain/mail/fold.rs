//! Makes spellings of one word equal: the letters that people mix up become one letter.
//!
//! Cyrillic words lose the difference between Kazakh letters and their Russian look-alikes, ё/е, й/и, э/е,
//! щ/ш and the hard and soft signs; every word loses case, accents and doubled letters. A Latin word has a
//! second form, what it would be in Cyrillic, which covers both Kazakh Latin alphabets, ad-hoc Latin and
//! transliterated Russian. Folding what is folded changes nothing: the choice of script must not depend on what
//! folding takes away. The lexicon goes through the same folds.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::domain::identifier::is_invisible;

/// The longest word that is looked at, in characters; no word of these languages is longer.
pub(super) const WORD_CHARS_MAX: usize = 48;

/// The text as it is seen: compatibility forms unified, invisible characters dropped.
pub(super) fn visible(text: &str) -> String {
    text.chars().filter(|c| !is_invisible(*c)).nfkc().collect()
}

/// The folded forms of one word: in its own script, and in Cyrillic if it is Latin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Forms {
    /// In its own script.
    pub(super) own: String,
    /// Transliterated, if it is a Latin word.
    pub(super) cyrillic: Option<String>,
}

impl Forms {
    /// The form in Cyrillic, whatever the script.
    pub(super) fn cyrillic_or_own(&self) -> &str {
        self.cyrillic.as_deref().unwrap_or(&self.own)
    }
}

/// Folds one word.
pub(super) fn forms(word: &str) -> Forms {
    let letters: Vec<char> = word.chars().take(WORD_CHARS_MAX).collect();
    match script(&letters) {
        None => Forms { own: latin(&letters), cyrillic: None },
        Some(Script::Cyrillic) => {
            Forms { own: cyrillic(letters.into_iter().map(seen_as_cyrillic)), cyrillic: None }
        }
        Some(Script::Latin) => {
            let letters: Vec<char> = letters.into_iter().flat_map(seen_as_latin).collect();
            let own = latin(&letters);
            let is_latin = own.bytes().any(|b| b.is_ascii_alphabetic());
            Forms { own, cyrillic: is_latin.then(|| transliterated(&letters)) }
        }
    }
}

/// Whether a letter is Cyrillic.
pub(super) fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{52F}')
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}')
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Cyrillic,
}

/// The script that a word of two is meant in; `None` if it has letters of neither.
///
/// A letter that has no look-alike in the other script tells, a Cyrillic one first; only among look-alikes does
/// the number decide. Folding keeps the letters that tell and brings all others into the script that they told,
/// so that a folded word is of the same script again.
fn script(letters: &[char]) -> Option<Script> {
    let count = |is: fn(char) -> bool| letters.iter().filter(|c| is(**c)).count();
    let (cyrillic, latin) = (count(is_cyrillic), count(is_latin));
    if cyrillic + latin == 0 {
        return None;
    }
    let tells_cyrillic = |c: &char| is_cyrillic(*c) && folded(*c).is_some_and(|_| latin_twin(*c).is_none());
    let tells_latin = |c: &char| is_latin(*c) && cyrillic_twin(*c).is_none();
    let is_cyrillic =
        letters.iter().any(tells_cyrillic) || (!letters.iter().any(tells_latin) && cyrillic >= latin);
    Some(if is_cyrillic { Script::Cyrillic } else { Script::Latin })
}

/// A letter of a Cyrillic word by its looks.
fn seen_as_cyrillic(c: char) -> char {
    if c == '0' { 'о' } else { cyrillic_twin(c).unwrap_or(c) }
}

/// A letter of a Latin word by its looks: none if folding drops it.
fn seen_as_latin(c: char) -> impl Iterator<Item = char> {
    let seen = match c {
        '0' => [Some('o'), None],
        'ц' | 'Ц' => [Some('t'), Some('c')],
        c if is_cyrillic(c) => [latin_twin(c), None],
        c => [Some(c), None],
    };
    seen.into_iter().flatten()
}

/// The Cyrillic letter that a Latin one looks like, with or without its accents.
fn cyrillic_twin(c: char) -> Option<char> {
    let plain = std::iter::once(c).nfd().next().filter(|_| is_latin(c))?;
    TWINS.iter().find(|(latin, _)| *latin == plain).map(|(_, cyrillic)| *cyrillic)
}

/// The Latin letter that a Cyrillic one looks like, as it is or once it is folded.
fn latin_twin(c: char) -> Option<char> {
    let of = |c: char| TWINS.iter().find(|(_, cyrillic)| *cyrillic == c).map(|(latin, _)| *latin);
    // Folded it is two letters, which both have twins.
    if matches!(c, 'ц' | 'Ц') { Some('t') } else { of(c).or_else(|| of(folded(c)?)) }
}

/// Latin letters and the Cyrillic ones that look the same.
const TWINS: [(char, char); 29] = [
    ('A', 'А'),
    ('B', 'В'),
    ('C', 'С'),
    ('E', 'Е'),
    ('H', 'Н'),
    ('I', 'І'),
    ('K', 'К'),
    ('M', 'М'),
    ('O', 'О'),
    ('P', 'Р'),
    ('T', 'Т'),
    ('X', 'Х'),
    ('Y', 'У'),
    ('a', 'а'),
    ('c', 'с'),
    ('e', 'е'),
    ('h', 'һ'),
    ('i', 'і'),
    ('k', 'к'),
    ('o', 'о'),
    ('p', 'р'),
    ('x', 'х'),
    ('y', 'у'),
    ('m', 'м'),
    ('t', 'т'),
    ('j', 'ј'),
    ('J', 'Ј'),
    ('s', 'ѕ'),
    ('S', 'Ѕ'),
];

fn cyrillic(letters: impl Iterator<Item = char>) -> String {
    let lower = letters.flat_map(char::to_lowercase);
    let split = lower
        .flat_map(|c| if c == 'ц' { ['т', 'с'].into_iter().take(2) } else { [c, c].into_iter().take(1) });
    squeezed(split.filter_map(folded))
}

/// A Cyrillic letter folded, whatever its case; `None` if nothing is left of it.
fn folded(c: char) -> Option<char> {
    let lower = c.to_lowercase().next()?;
    Some(match lower {
        'ә' => 'а',
        'і' | 'ы' | 'й' | 'ї' => 'и',
        'ң' => 'н',
        'ғ' | 'ґ' => 'г',
        'ү' | 'ұ' | 'ў' | 'ӯ' => 'у',
        'қ' | 'ҡ' => 'к',
        'ө' => 'о',
        'һ' | 'ҳ' => 'х',
        'ё' | 'э' | 'є' => 'е',
        'щ' => 'ш',
        'ъ' | 'ь' => return None,
        c if is_combining_mark(c) || !c.is_alphanumeric() => return None,
        c => c,
    })
}

fn latin(letters: &[char]) -> String {
    let plain = letters.iter().flat_map(|c| c.to_lowercase()).nfd().filter(|c| !is_combining_mark(*c));
    squeezed(plain.map(|c| if c == 'ı' { 'i' } else { c }))
}

/// The text without a letter that repeats the one before it.
fn squeezed(letters: impl Iterator<Item = char>) -> String {
    let mut last = None;
    let fresh = letters.filter(|c| c.is_alphanumeric()).filter(|c| last.replace(*c) != Some(*c));
    fresh.take(WORD_CHARS_MAX).collect()
}

/// Several Latin letters for one Cyrillic, longest first, and what they become in folded Cyrillic.
const DIGRAPHS: [(&str, &str); 25] = [
    ("shch", "ш"),
    ("sch", "ш"),
    ("tch", "ч"),
    ("zh", "ж"),
    ("kh", "х"),
    ("ch", "ч"),
    ("sh", "ш"),
    ("gh", "г"),
    ("ts", "тс"),
    ("ph", "ф"),
    ("ng", "н"),
    ("ck", "к"),
    ("ya", "я"),
    ("ia", "я"),
    ("ja", "жа"),
    ("yu", "ю"),
    ("iu", "ю"),
    ("yo", "е"),
    ("jo", "жо"),
    ("ye", "е"),
    ("ie", "ие"),
    ("ei", "еи"),
    ("iy", "и"),
    ("yi", "и"),
    ("ij", "и"),
];

/// A Latin word in folded Cyrillic.
fn transliterated(letters: &[char]) -> String {
    let lower: String = letters.iter().flat_map(|c| c.to_lowercase()).nfc().collect();
    let mut text = String::new();
    let mut rest = lower.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some((from, to)) = DIGRAPHS.iter().find(|(from, _)| rest.starts_with(from)) {
            text.push_str(to);
            rest = &rest[from.len()..];
            continue;
        }
        text.push_str(in_cyrillic(c));
        rest = &rest[c.len_utf8()..];
    }
    squeezed(text.chars())
}

fn in_cyrillic(c: char) -> &'static str {
    match c {
        'a' | 'ä' | 'á' | 'à' | 'â' | 'ə' => "а",
        'b' => "б",
        'c' => "тс",
        'd' => "д",
        'e' | 'é' | 'è' | 'ë' => "е",
        'f' => "ф",
        'g' | 'ğ' | 'ǵ' | 'ģ' => "г",
        'h' | 'x' => "х",
        'i' | 'ı' | 'í' | 'ï' | 'y' | 'ý' => "и",
        'j' | 'ž' => "ж",
        'k' | 'q' => "к",
        'l' => "л",
        'm' => "м",
        'n' | 'ñ' | 'ń' | 'ŋ' => "н",
        'o' | 'ö' | 'ó' => "о",
        'p' => "п",
        'r' => "р",
        's' => "с",
        't' => "т",
        'u' | 'ü' | 'ú' | 'ū' | 'ŭ' | 'w' => "у",
        'v' => "в",
        'z' => "з",
        'ş' | 'ś' | 'š' | '6' => "ш",
        'ç' | 'č' | '4' => "ч",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn kazakh_letters_are_their_russian_look_alikes() {
        for (kazakh, plain) in [
            ("жібермеңіз", "жибермениз"),
            ("ҚОҢЫРАУ", "конирау"),
            ("Өшіріңіз", "ошириниз"),
            ("таратылымнан", "таратилимнан"),
            ("рассылку", "расилку"),
            ("отписаться", "отписатся"),
            ("объявление", "обявление"),
            ("ещё", "еше"),
            ("сто\u{AD}п", "стоп"),
        ] {
            assert_eq!(forms(&visible(kazakh)).own, plain);
        }
    }

    #[test]
    fn a_letter_of_the_other_script_is_read_by_its_looks() {
        assert_eq!(forms("Oтпиcaтьcя").own, "отписатся");
        assert_eq!(forms("жiбермеңiз").own, "жибермениз");
        assert_eq!(forms("СТ0П").own, "стоп");
        assert_eq!(forms("STОP").own, "stop");
        assert_eq!(forms("unsubsсribе").own, "unsubscribe");
        assert_eq!(forms("unsubscrіbe").own, "unsubscribe");
    }

    #[test]
    fn a_folded_word_of_two_scripts_stays_in_its_script() {
        for word in ["CȺЦ", "𞁈aa", "ъъёfg", "әf", "İсы", "Ѐ0x", "цccc"] {
            let once = forms(&visible(word)).own;
            assert_eq!(forms(&once).own, once, "{word}");
        }
    }

    #[test]
    fn latin_kazakh_and_transliterated_russian_have_a_cyrillic_form() {
        for (latin, cyrillic) in [
            ("zhazylymnan", "жазылымнан"),
            ("jazylymnan", "жазылымнан"),
            ("jibermeñiz", "жібермеңіз"),
            ("zhibermengiz", "жібермеңіз"),
            ("qoñyrau", "қоңырау"),
            ("şyğaryñyz", "шығарыңыз"),
            ("shygarynyz", "шығарыңыз"),
            ("otpishite", "отпишите"),
            ("otpisat'sya", "отписаться"),
            ("otkazyvayus", "отказываюсь"),
            ("rassylku", "рассылку"),
            ("ho4u", "хочу"),
        ] {
            assert_eq!(forms(latin).cyrillic.unwrap(), forms(cyrillic).own, "{latin}");
        }
    }

    proptest! {
        #[test]
        fn folding_what_is_folded_changes_nothing(word in "\\PC{0,20}|[а-яёәіңғүұқөһА-Я]{1,12}|[a-zA-Z]{1,12}") {
            let once = forms(&visible(&word));
            prop_assert_eq!(&forms(&once.own).own, &once.own);
            if let Some(cyrillic) = once.cyrillic {
                prop_assert_eq!(&forms(&cyrillic).own, &cyrillic);
            }
        }
    }
}
