//! The customer number of the marketing system: opaque, so only what surrounds it is taken off.

use super::Unusable;
use super::text::is_invisible;

/// The longest customer number, in bytes.
const USER_ID_BYTES_MAX: usize = 128;

/// Appends the canonical form: trimmed, otherwise exactly as given, case included.
pub(super) fn canonical(raw: &str, buffer: &mut String) -> Result<(), Unusable> {
    let id = raw.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
    match id.len() {
        0 => Err(Unusable::Empty),
        1..=USER_ID_BYTES_MAX => {
            buffer.push_str(id);
            Ok(())
        }
        _ => Err(Unusable::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expected: Result<&str, Unusable>) {
        let mut buffer = String::new();
        assert_eq!(canonical(raw, &mut buffer).map(|()| buffer.as_str()), expected, "{raw:?}");
    }

    #[test]
    fn a_customer_number_is_trimmed_and_otherwise_kept_as_it_is() {
        check("U-1", Ok("U-1"));
        check("u-1", Ok("u-1"));
        check(" \u{FEFF}U-1\u{A0}\r\n", Ok("U-1"));
        check("17", Ok("17"));
        check("017", Ok("017"));
        check("Иван Петров", Ok("Иван Петров"));
    }

    #[test]
    fn a_customer_number_has_1_to_128_bytes() {
        check("", Err(Unusable::Empty));
        check(" \u{200B} ", Err(Unusable::Empty));
        check(&"x".repeat(128), Ok(&"x".repeat(128)));
        check(&"x".repeat(129), Err(Unusable::TooLong));
        check(&"ж".repeat(64), Ok(&"ж".repeat(64)));
        check(&"ж".repeat(65), Err(Unusable::TooLong));
    }
}
