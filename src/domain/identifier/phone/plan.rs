//! From what would be dialled to E.164, by the numbering plans of the world.
//!
//! The library knows which prefixes lead abroad, which are trunk prefixes, and how long numbers are. It
//! is asked for little else: whether a number is in use decides only between two readings.
//! It gets nothing but ASCII digits, and a plus in front.

use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumber, PhoneNumberFormat};

use super::written::Dialled;
use super::{Country, PLAN_7_DIGITS};

/// Digits of an E.164 number, country code included.
const E164_DIGITS_MAX: usize = 15;
/// Fewer digits are no whole number even where the plan is unknown.
const UNKNOWN_PLAN_DIGITS_MIN: usize = 8;
/// How often a reading is read again until it stays: each round takes off a doubled prefix.
const ROUNDS_MAX: usize = 4;

/// The number in E.164, or `None` if it cannot be a whole number.
///
/// What was read is read again until it stays, so that a canonical form is its own.
pub(super) fn e164(dialled: &Dialled, country: &Country) -> Option<String> {
    let mut number = if dialled.is_international {
        international(&dialled.digits, country)?
    } else {
        domestic(&dialled.digits, country)?
    };
    for _ in 0..ROUNDS_MAX {
        let again = international(&number[1..], country)?;
        if again == number {
            return Some(number);
        }
        number = again;
    }
    None
}

/// A number as it is dialled in the country, home or abroad.
fn domestic(digits: &str, country: &Country) -> Option<String> {
    let abroad = digits_after_exit_code(digits, country);
    abroad
        .and_then(|number| possible(&format!("+{number}"), country))
        .or_else(|| possible(digits, country))
        .or_else(|| plain_national(digits, country))
        .or_else(|| abroad.and_then(unknown_plan))
        .or_else(|| missing_plus(digits, country))
}

/// A number with its country code in front. Some people put the plus before the exit code.
fn international(digits: &str, country: &Country) -> Option<String> {
    digits_after_exit_code(digits, country)
        .and_then(|number| in_use(&format!("+{number}"), country))
        .or_else(|| eight_for_seven(digits, country))
        .or_else(|| possible(&format!("+{digits}"), country))
        .or_else(|| unknown_plan(digits))
}

/// `+8` before ten digits: the trunk prefix was taken for the country code. Numbers of countries whose
/// code begins with 8 can look the same; one is meant only if ours is not in use and that one is, for
/// matching too much is the safe side.
fn eight_for_seven(digits: &str, country: &Country) -> Option<String> {
    let ten = digits.strip_prefix('8').filter(|ten| country.is_in_plan_7() && ten.len() == PLAN_7_DIGITS)?;
    let ours = format!("+7{ten}");
    let is_foreign = in_use(&ours, country).is_none() && in_use(&format!("+{digits}"), country).is_some();
    (!is_foreign).then_some(ours)
}

/// What follows `00`, which people write wherever they are, or the `8 10` of calling code 7.
fn digits_after_exit_code<'d>(digits: &'d str, country: &Country) -> Option<&'d str> {
    let eight_ten = || digits.strip_prefix("810").filter(|_| country.is_in_plan_7());
    digits.strip_prefix("00").or_else(eight_ten)
}

/// Ten digits of calling code 7, or eleven with the trunk prefix, that begin like the way abroad but do
/// not lead there.
fn plain_national(digits: &str, country: &Country) -> Option<String> {
    let ten = if digits.len() == PLAN_7_DIGITS { digits } else { digits.strip_prefix('8')? };
    (country.is_in_plan_7() && ten.len() == PLAN_7_DIGITS).then(|| format!("+7{ten}"))
}

/// A number whose country code no plan has: it is suppressed as it stands.
fn unknown_plan(digits: &str) -> Option<String> {
    let is_whole = (UNKNOWN_PLAN_DIGITS_MIN..=E164_DIGITS_MAX).contains(&digits.len());
    let is_unknown =
        PHONE_NUMBER_UTIL.parse(format!("+{digits}"), None) == Err(ParseError::InvalidCountryCode);
    (is_whole && is_unknown && !digits.starts_with('0')).then(|| format!("+{digits}"))
}

/// A number with its country code but no plus. A foreign one is a guess, so it must be in use, and in
/// calling code 7 it must not begin like a national number with a digit too many.
fn missing_plus(digits: &str, country: &Country) -> Option<String> {
    let with_plus = format!("+{digits}");
    if digits.starts_with(&country.calling_code.to_string()) {
        return possible(&with_plus, country);
    }
    if country.is_in_plan_7() && digits.starts_with('8') {
        return None;
    }
    in_use(&with_plus, country)
}

/// The library's reading, if the country has numbers of that length.
fn possible(dialled: &str, country: &Country) -> Option<String> {
    let (number, text) = parsed(dialled, country)?;
    let length = PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number);
    (length == Ok(NumberLengthType::IsPossible)).then_some(text)
}

/// The library's reading, if that number is in use.
fn in_use(dialled: &str, country: &Country) -> Option<String> {
    let (number, text) = parsed(dialled, country)?;
    PHONE_NUMBER_UTIL.is_valid_number(&number).then_some(text)
}

/// The library's reading, with its E.164 form, unless that has more digits than a number may have.
fn parsed(dialled: &str, country: &Country) -> Option<(PhoneNumber, String)> {
    let number = PHONE_NUMBER_UTIL.parse(dialled, Some(country.region)).ok()?;
    let text = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned();
    let digits_max = if number.country_code == 7 { 1 + PLAN_7_DIGITS } else { E164_DIGITS_MAX };
    (text.len() <= "+".len() + digits_max).then_some((number, text))
}
