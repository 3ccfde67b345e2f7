//! How much a decoded text looks like one that somebody wrote.
//!
//! Only what is not ASCII is judged, since that is all that the encodings differ in: pairs of letters that are
//! frequent in Russian and Kazakh speak for a text; box drawings, letters of other alphabets and a capital
//! behind a small letter against it. The result does not depend on the length, so that one word is enough.

/// From this score on the text is believed.
pub(super) const SURE: i32 = 60;

/// Says how plausible a text is: about 100 if every foreign letter is well placed, below zero for garbage.
pub(super) fn score(text: &str) -> i32 {
    let (mut sum, mut count) = (0_i64, 0_i64);
    let (mut upper, mut lower) = (0_i64, 0_i64);
    let mut before = ' ';
    for c in text.chars() {
        if !c.is_ascii() {
            sum += i64::from(worth(before, c));
            count += 1;
            upper += i64::from(c.is_uppercase());
            lower += i64::from(c.is_lowercase());
        } else if c.is_ascii_alphabetic() && is_cyrillic(before) {
            sum -= 50;
        }
        before = c;
    }
    // People write in capitals or not; wrong readings swap the two, and the first letter stands out.
    if lower > 0 && upper > lower {
        sum -= 40 * count;
    }
    if count == 0 { 100 } else { i32::try_from(sum / count).unwrap_or(i32::MIN) }
}

/// What one character is worth behind another.
fn worth(before: char, c: char) -> i32 {
    match c {
        'А'..='я' | 'Ё' | 'ё' => 40 + in_word(before, c),
        'Ә' | 'ә' | 'Ғ' | 'ғ' | 'Қ' | 'қ' | 'Ң' | 'ң' | 'Ө' | 'ө' | 'Ұ' | 'ұ' | 'Ү' | 'ү' | 'І' | 'і'
        | 'Һ' | 'һ' => 30 + in_word(before, c),
        '«' | '»' | '“' | '”' | '„' | '–' | '—' | '…' | '№' | '•' | '\u{A0}' | '’' | '‘' | '°' => {
            50
        }
        // Serbian, Macedonian and the like: what Kazakh letters turn into under the Russian label. One in ten
        // letters of Kazakh is such a one, and that must outweigh the label.
        'Ѐ'..='ӿ' => -1000,
        _ if is_latin(c) => latin(before, c),
        '\u{80}'..='\u{9F}' | char::REPLACEMENT_CHARACTER | '\u{2500}'..='\u{25FF}' => -120,
        '¤' | '¦' | '¬' | '¶' | '¯' | '¢' | '¸' | '±' | '·' | '´' | '¨' | '¥' | '¡' | '¿' => {
            -40
        }
        _ => 0,
    }
}

/// What a Cyrillic letter is worth for the character before it.
fn in_word(before: char, c: char) -> i32 {
    if !before.is_alphabetic() {
        // A word begins, and few begin with a sign.
        return if matches!(c, 'ь' | 'ъ' | 'ы' | 'Ь' | 'Ъ' | 'Ы') { -40 } else { 20 };
    }
    if !is_cyrillic(before) {
        return -60;
    }
    let lower = |c: char| c.to_lowercase().next().unwrap_or(c);
    let case = if before.is_lowercase() && c.is_uppercase() { -80 } else { 0 };
    let is_frequent = followers(lower(before)).contains(lower(c));
    case + if is_frequent { 60 } else { -10 }
}

/// Accents stand single and among plain letters; whole words of them are Cyrillic, wrongly decoded.
fn latin(before: char, c: char) -> i32 {
    if before.is_ascii_alphabetic() {
        if before.is_lowercase() && c.is_uppercase() { -40 } else { 70 }
    } else if before.is_alphabetic() {
        -60
    } else {
        40
    }
}

/// The letters that often follow a letter in either language. Wrong readings hit them too, but seldom in a row.
fn followers(letter: char) -> &'static str {
    match letter {
        'а' => "бзйклмнрстуя",
        'б' => "аелоі",
        'в' => "аеилоуы",
        'г' => "ео",
        'д' => "аеоыі",
        'е' => "езйлмнрст",
        'ж' => "адиі",
        'з' => "ав",
        'и' => "езкнрстх",
        'к' => "аеикот",
        'л' => "адеикоь",
        'м' => "аеино",
        'н' => "адеиоыяі",
        'о' => "бвлмнрстюң",
        'п' => "аеилору",
        'р' => "аеиотуы",
        'с' => "еиклмнопрстучыья",
        'т' => "авеиопртуыьі",
        'у' => "бджю",
        'х' => "о",
        'ч' => "аеинт",
        'ш' => "аеилтыі",
        'щ' => "и",
        'ы' => "езйлмнтң",
        'э' => "тлкм",
        'ю' => "тбщдсч",
        'ғ' => "аы",
        'қ' => "ао",
        'ң' => "ыі",
        'ө' => "зйлмнрсткшң",
        'ұ' => "жқлмнрсяты",
        'ү' => "йлнрсткшмз",
        'і' => "бзнрң",
        'ә' => "дзйлмнрскт",
        _ => "",
    }
}

fn is_cyrillic(c: char) -> bool {
    matches!(c, 'Ѐ'..='ӿ')
}

fn is_latin(c: char) -> bool {
    matches!(c, '\u{C0}'..='\u{24F}') && c.is_alphabetic()
}
