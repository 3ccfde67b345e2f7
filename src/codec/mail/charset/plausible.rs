//! How much a decoded text looks like one that somebody wrote.
//!
//! Only what is not ASCII is judged, since that is all that the encodings differ in: pairs of letters that are
//! frequent in Russian and Kazakh speak for a text; box drawings, letters of other alphabets and a capital
//! behind a small letter against it. The result does not depend on the length, so that one word is enough.

/// From this score on the text is believed.
pub(super) const SURE: i32 = 60;

/// The frequent pairs of letters in both languages. Wrong readings hit them too, but seldom in a row.
const PAIRS: &str = "\
    ст но то на ен ов ни ра во ко ос го ер ре пр по от ро ка ли ит та ет ал не ва ел ть ат ти те ор ие он ес де ол \
    ан ин ом ри ве ам ло да за ле об ми из ак тр вы мо до ся ла ма ме бе пи ше ши ис уд шл ыл лк пи сп сс бо ль мн \
    ня ей ем ют ки сы ик ар ас ба ын ды ер ру да се ит ши шт ай ым ин ың ің ғы ды ді ты ті қа ке ме ар ма ба ла ле \
    ре ат ет аз аб жа жі бе іб ер ем ен ңі ыз із ра ты тт ша ке ес ба рт ам ін ны ні ол ға ге нд лд ау ту ей ір бі \
    өш ші шы ұм үш қо оң ңы ау кк кт ср чи ча чт ее ей ый их их ую ая ою ее ее ир ви вл ву ды бл ез жд жи зв их уб \
    уж пу ры ск сл см сн со су сч те тв ую хо че чн щи эт это па пе пл си ск сь тп ую ыл ые ый ыт";

/// Says how plausible a text is: about 100 if every foreign letter is well placed, below zero for garbage.
pub(super) fn score(text: &str) -> i32 {
    let (mut sum, mut count) = (0_i64, 0_i64);
    let mut before = ' ';
    for c in text.chars() {
        if !c.is_ascii() {
            sum += i64::from(worth(before, c));
            count += 1;
        } else if c.is_ascii_alphabetic() && is_cyrillic(before) {
            sum -= 50;
        }
        before = c;
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
        // The Russian mail-order alphabet has none of these: they are what a wrong encoding shows.
        'Ѐ'..='ӿ' => -40,
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
    let pair = [lower(before), lower(c)];
    case + if PAIRS.split(' ').any(|known| known.chars().eq(pair)) { 60 } else { -10 }
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

fn is_cyrillic(c: char) -> bool {
    matches!(c, 'Ѐ'..='ӿ')
}

fn is_latin(c: char) -> bool {
    matches!(c, '\u{C0}'..='\u{24F}') && c.is_alphabetic()
}
