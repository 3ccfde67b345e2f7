//! From what people write to what would be dialled: an optional plus and ASCII digits.
//!
//! Takes off what is no part of a number (invisible characters, other scripts' digits, an extension, a
//! spreadsheet's traces) and refuses what cannot be one number. Knows no country.

use rlibphonenumber::PHONE_NUMBER_UTIL;

use super::Unusable;
use crate::domain::identifier::text::visible;

/// The most digits in one number: a prefix for dialling abroad in front of the 15 of E.164.
const DIALLED_DIGITS_MAX: usize = 20;
/// The most digits of an extension; more could be a second number.
const EXTENSION_DIGITS_MAX: usize = 6;
/// Digits before a slash that still separates an area code, without and with a country code in front.
const AREA_DIGITS_MAX: usize = 6;
const AREA_DIGITS_MAX_ABROAD: usize = 8;
/// Digits that must stand before `.0` for it to be a spreadsheet's trace and not a group.
const AMOUNT_DIGITS_MIN: usize = 10;

/// What announces an extension, in lower case: Russian, Kazakh, English.
const EXTENSION_LABELS: [&str; 17] = [
    "доб",
    "добав",
    "добавочный",
    "доп",
    "вн",
    "внут",
    "внутр",
    "внутренний",
    "ішкі",
    "қос",
    "қосымша",
    "ext",
    "extn",
    "extension",
    "x",
    "х",
    "#",
];

/// `+` if the number was given in international form, and its digits.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Dialled {
    pub(super) is_international: bool,
    pub(super) digits: String,
}

/// Reads what is written.
pub(super) fn dialled(raw: &str) -> Result<Dialled, Unusable> {
    let text: String = visible(raw).chars().map(plain_char).flat_map(char::to_lowercase).collect();
    let text = peeled(&text);
    if text.is_empty() {
        return Err(Unusable::Empty);
    }
    let text = without_zero_fraction(text);
    let end = text.find(|c| !is_in_number(c)).unwrap_or(text.len());
    check_rest(&text[end..])?;
    number(&text[..end])
}

/// A digit of any script as ASCII, a dash of any length as a hyphen, white space as a space.
fn plain_char(c: char) -> char {
    match c {
        _ if c.is_ascii_graphic() => c,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30FC}' | '\u{B7}' | '\u{2022}' => '-',
        '\u{2053}' | '\u{223C}' => '~',
        _ if c.is_whitespace() => ' ',
        _ => PHONE_NUMBER_UTIL.normalize_digits_only(c.encode_utf8(&mut [0; 4])).chars().next().unwrap_or(c),
    }
}

/// Takes off spaces, quotes (a spreadsheet's leading apostrophe) and `tel:`.
fn peeled(text: &str) -> &str {
    let around = |c: char| c.is_whitespace() || "'\"`‘’“”«»".contains(c);
    let text = text.trim_matches(around);
    text.strip_prefix("tel:").unwrap_or(text).trim_matches(around)
}

/// Takes off the `.0` of a number that was read as an amount.
fn without_zero_fraction(text: &str) -> &str {
    let Some((whole, "0" | "00")) = text.split_once(['.', ',']) else { return text };
    let digits = whole.strip_prefix('+').unwrap_or(whole);
    let is_amount = digits.len() >= AMOUNT_DIGITS_MIN && digits.bytes().all(|b| b.is_ascii_digit());
    if is_amount { whole } else { text }
}

fn is_in_number(c: char) -> bool {
    c.is_ascii_digit() || " +()-.~/[]_".contains(c)
}

/// Accepts what may follow a number: nothing, or an extension.
fn check_rest(rest: &str) -> Result<(), Unusable> {
    let separates = |c: char| " ,;".contains(c);
    let extension = rest.trim_matches(separates);
    if extension.is_empty() {
        return Ok(());
    }
    let label_end = extension.find(|c: char| !c.is_alphabetic() && c != '#').unwrap_or(extension.len());
    let (label, number) = extension.split_at(label_end);
    let number = number.trim_matches(|c| " .:=-#()".contains(c));
    if label.is_empty() && rest.starts_with(separates) {
        return Err(Unusable::Several);
    }
    let is_extension = EXTENSION_LABELS.contains(&label)
        && (1..=EXTENSION_DIGITS_MAX).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit());
    if is_extension { Ok(()) } else { Err(Unusable::Malformed) }
}

/// Drops the punctuation between the digits of one number.
fn number(text: &str) -> Result<Dialled, Unusable> {
    let mut dialled = Dialled { is_international: false, digits: String::with_capacity(DIALLED_DIGITS_MAX) };
    for c in text.chars() {
        match c {
            '0'..='9' if dialled.digits.len() == DIALLED_DIGITS_MAX => return Err(Unusable::TooLong),
            '0'..='9' => dialled.digits.push(c),
            '+' if dialled.digits.is_empty() && !dialled.is_international => dialled.is_international = true,
            '+' => return Err(Unusable::Several),
            '/' if dialled.digits.len() > dialled.area_digits_max() => return Err(Unusable::Several),
            _ => {}
        }
    }
    if dialled.digits.is_empty() { Err(Unusable::Malformed) } else { Ok(dialled) }
}

impl Dialled {
    fn area_digits_max(&self) -> usize {
        if self.is_international { AREA_DIGITS_MAX_ABROAD } else { AREA_DIGITS_MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: Result<&str, Unusable>) {
        let text = dialled(raw).map(|d| if d.is_international { format!("+{}", d.digits) } else { d.digits });
        assert_eq!(text.as_deref(), expected.as_deref(), "{raw:?}");
    }

    #[test]
    fn punctuation_and_what_spreadsheets_leave_is_taken_off() {
        check("8 (777) 111-31-11", Ok("87771113111"));
        check("(+7) 777.111_3 [111]", Ok("+77771113111"));
        check("0171/1234567", Ok("01711234567"));
        check("'87771113111", Ok("87771113111"));
        check("77771113111.0", Ok("77771113111"));
        check("+77771113111,00", Ok("+77771113111"));
        check("8~10 49", Ok("81049"));
        check("TEL:+7-777-111-31-11;ext=12", Ok("+77771113111"));
    }

    #[test]
    fn a_zero_group_is_not_a_fraction() {
        check("777.111.31.1.0", Ok("7771113110"));
        check("7771113.00", Ok("777111300"));
    }

    #[test]
    fn every_scripts_digits_and_dashes_are_understood() {
        check("８７７７１１１３１１１", Ok("87771113111"));
        check("٨٧٧٧١١١٣١١١", Ok("87771113111"));
        check("۸۷۷۷۱۱۱۳۱۱۱", Ok("87771113111"));
        check("८७७७१११३१११", Ok("87771113111"));
        check("＋7–777—111−31‑11", Ok("+77771113111"));
        check("\u{202A}+7\u{A0}777\u{AD}111\u{2009}31\t11\u{202C}", Ok("+77771113111"));
    }

    #[test]
    fn an_extension_is_taken_off_and_a_second_number_is_not() {
        for extension in [
            "доб. 12",
            ", доб 12",
            "(доб. 12)",
            "вн.12",
            " Внутр. 12",
            "ext. 12",
            "Ext12",
            "#12",
            " x12",
            "ішкі 12",
            ";ext=12",
        ] {
            check(&format!("87771113111{extension}"), Ok("87771113111"));
        }
        check("87771113111 доб. 87021234567", Err(Unusable::Malformed));
        check("87771113111, 87021234567", Err(Unusable::Several));
        check("87771113111; 12", Err(Unusable::Several));
        check("87771113111/87021234567", Err(Unusable::Several));
        check("+77771113111 +77021234567", Err(Unusable::Several));
        check("531111/531112", Ok("531111531112"));
        check("2531111/2531112", Err(Unusable::Several));
    }

    #[test]
    fn letters_do_not_become_digits() {
        for raw in [
            "8701123456a",
            "+3367a829916",
            "7.77E+10",
            "877711131O1",
            "тел. 87771113111",
            "870112345xx",
            "8701123456x",
        ] {
            check(raw, Err(Unusable::Malformed));
        }
        check("1-800-FLOWERS", Err(Unusable::Malformed));
    }
}
