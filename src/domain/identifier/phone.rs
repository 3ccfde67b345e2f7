//! Telephone numbers in E.164.
//!
//! Nearly all of them are Kazakh and Russian numbers in ASCII, read by [`plain`] at memory speed. Every
//! other spelling is first reduced to what would be dialled ([`written`]) and then read by the numbering
//! plans of the world ([`plan`]), which give the same answer for plain spellings too. A number's length
//! must be one that its country has; its prefix may be anything, in use or not.

mod plan;
mod written;

use super::{Country, Unusable};

/// The longest value that is looked at, in bytes.
const RAW_BYTES_MAX: usize = 256;
/// Digits of a number of calling code 7, without that code: always exactly as many.
const PLAN_7_DIGITS: usize = 10;

/// Appends the canonical form.
pub(super) fn canonical(raw: &str, country: &Country, buffer: &mut String) -> Result<(), Unusable> {
    if raw.len() > RAW_BYTES_MAX {
        return Err(Unusable::TooLong);
    }
    if country.is_in_plan_7() && plain(raw, buffer).is_some() {
        return Ok(());
    }
    let dialled = written::dialled(raw)?;
    buffer.push_str(&plan::e164(&dialled, country).ok_or(Unusable::Malformed)?);
    Ok(())
}

/// Appends a number of calling code 7 that is written with ASCII digits, spaces and `()-.+` alone, in a
/// way that leaves no doubt: ten digits, or eleven with 7 or 8 in front. `None`: not such a spelling, and
/// nothing is appended.
fn plain(raw: &str, buffer: &mut String) -> Option<()> {
    let mut digits = [0; PLAN_7_DIGITS + 1];
    let mut count = 0;
    let mut has_plus = false;
    for byte in raw.bytes() {
        match byte {
            b'0'..=b'9' => {
                *digits.get_mut(count)? = byte;
                count += 1;
            }
            b'+' if count == 0 && !has_plus => has_plus = true,
            b' ' | b'(' | b')' | b'-' | b'.' => {}
            _ => return None,
        }
    }
    let national = match (&digits[..count], has_plus) {
        ([b'7', national @ ..], _) if count == digits.len() => national,
        // `8 10` and `00` may be the way abroad.
        ([b'8', b'1', b'0', ..] | [b'0', b'0', ..], false) => return None,
        ([b'8', national @ ..], false) if count == digits.len() => national,
        (national, false) if count == PLAN_7_DIGITS => national,
        _ => return None,
    };
    // `7771113111.0` is a number that a spreadsheet took for an amount.
    if raw.ends_with(".0") || raw.ends_with(".00") {
        return None;
    }
    buffer.push_str("+7");
    buffer.push_str(std::str::from_utf8(national).ok()?);
    Some(())
}

#[cfg(test)]
mod tests;
