//! Numbers as they are written, exactly: no value ever becomes a binary fraction, so none is rounded.

/// The text of a number without fraction and exponent.
pub(super) fn integer(number: &str) -> Option<&str> {
    let digits = number.strip_prefix('-').unwrap_or(number);
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(number)
}

/// One form for all ways to write a number: `1`, `1.0`, `10e-1` are `1e0`; `-0` is `0`.
pub(super) fn one_form(number: &str) -> String {
    let (written, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (sign, written) = written.strip_prefix('-').map_or(("", written), |rest| ("-", rest));
    let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
    let digits = [whole, fraction].concat();
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return "0".into();
    }
    match shifted(exponent, digits.len() - significant.len(), fraction.len()) {
        Some(exponent) => format!("{sign}{significant}e{exponent}"),
        // No form above has such an exponent, so it cannot be taken for another number.
        None => number.to_owned(),
    }
}

/// The exponent of the significant digits; `None` beyond 64 bits.
fn shifted(exponent: &str, zeros_dropped: usize, fraction_digits: usize) -> Option<i64> {
    let exponent: i64 = exponent.parse().ok()?;
    let right = i64::try_from(zeros_dropped).ok()?;
    let left = i64::try_from(fraction_digits).ok()?;
    exponent.checked_add(right)?.checked_sub(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_one_form_and_others_another() {
        let groups: [&[&str]; 10] = [
            &["0", "-0", "0.0", "-0e5", "0.000e-9"],
            &["1", "1.0", "1e0", "10e-1", "0.1e1", "1E+0", "0.01e2", "100e-2"],
            &["-1", "-1.00", "-0.1e+1"],
            &["1000", "1e3", "1E+03", "1000.000"],
            &["0.5", "5e-1", "0.50"],
            &["87771113111", "8.7771113111e10"],
            // As binary fractions the next three are one.
            &["9007199254740993", "9007199254740993.0"],
            &["9007199254740992"],
            &["1e400", "10e399"],
            &["1e99999999999999999999"],
        ];
        let forms: Vec<_> = groups.iter().map(|group| one_form(group[0])).collect();
        for (group, form) in groups.iter().zip(&forms) {
            for number in *group {
                assert_eq!(&one_form(number), form, "{number}");
            }
            assert_eq!(forms.iter().filter(|other| *other == form).count(), 1, "{form}");
        }
    }

    #[test]
    fn an_integer_is_written_without_fraction_and_exponent() {
        for number in ["0", "-7", "87771113111", "123456789012345678901234567890"] {
            assert_eq!(integer(number), Some(number));
        }
        for number in ["1.0", "7.77E+10", "1e3"] {
            assert_eq!(integer(number), None);
        }
    }
}
