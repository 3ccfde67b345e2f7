//! Makes spellings of one word equal: the letters that people mix up become one letter.
//!
//! Cyrillic words lose the difference between Kazakh letters and their Russian look-alikes, ё/е, й/и, э/е,
//! щ/ш and the hard and soft signs; every word loses case, accents and doubled letters. A Latin word has a
//! second form, what it would be in Cyrillic, which covers both Kazakh Latin alphabets, ad-hoc Latin and
//! transliterated Russian. Folding what is folded changes nothing. The lexicon goes through the same folds.

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
    let letters = one_script(&letters);
    if letters.iter().any(|c| is_cyrillic(*c)) {
        return Forms { own: cyrillic(&letters), cyrillic: None };
    }
    let own = latin(&letters);
    let is_latin = own.bytes().any(|b| b.is_ascii_alphabetic());
    let cyrillic = is_latin.then(|| transliterated(&letters));
    Forms { own, cyrillic }
}

/// Whether a letter is Cyrillic.
pub(super) fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{52F}')
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}')
}

/// Brings a word of two scripts into the one that most of its letters are of, by the looks of the others.
fn one_script(letters: &[char]) -> Vec<char> {
    let cyrillic = letters.iter().filter(|c| is_cyrillic(**c)).count();
    let latin = letters.iter().filter(|c| is_latin(**c)).count();
    if cyrillic == 0 && latin == 0 {
        return letters.to_vec();
    }
    let to_cyrillic = cyrillic >= latin;
    letters
        .iter()
        .map(|c| {
            let twin = TWINS.iter().find(|(l, k)| if to_cyrillic { l == c } else { k == c });
            match twin {
                Some((_, k)) if to_cyrillic => *k,
                Some((l, _)) => *l,
                None if *c == '0' => zero(to_cyrillic),
                None => *c,
            }
        })
        .collect()
}

fn zero(to_cyrillic: bool) -> char {
    if to_cyrillic { 'о' } else { 'o' }
}

/// Latin letters and the Cyrillic ones that look the same.
const TWINS: [(char, char); 31] = [
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
    ('\u{EF}', 'ї'),
    ('\u{EB}', 'ё'),
    ('j', 'ј'),
    ('J', 'Ј'),
    ('s', 'ѕ'),
    ('S', 'Ѕ'),
];

fn cyrillic(letters: &[char]) -> String {
    let lower = letters.iter().flat_map(|c| c.to_lowercase());
    let split = lower
        .flat_map(|c| if c == 'ц' { ['т', 'с'].into_iter().take(2) } else { [c, c].into_iter().take(1) });
    squeezed(split.filter_map(|c| {
        Some(match c {
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
            c if is_combining_mark(c) => return None,
            c => c,
        })
    }))
}

fn latin(letters: &[char]) -> String {
    let plain = letters.iter().flat_map(|c| c.to_lowercase()).nfd().filter(|c| !is_combining_mark(*c));
    squeezed(plain.map(|c| if c == 'ı' { 'i' } else { c }))
}

/// The text without a letter that repeats the one before it.
fn squeezed(letters: impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    let mut last = None;
    for c in letters.filter(|c| c.is_alphanumeric()) {
        if last != Some(c) {
            text.push(c);
        }
        last = Some(c);
    }
    text
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
