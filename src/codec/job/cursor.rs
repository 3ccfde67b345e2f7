//! JSON text, walked over once.
//!
//! Nearly all of a job is recipients, whose text goes out as it came in: nothing of it is built, copied or
//! decoded here, only where values begin and end is found, and that the text is JSON (RFC 8259), exactly as
//! strictly as `serde_json` says. Nothing recurses, and nothing panics on any text.

use super::NESTING_LEVELS_MAX;

/// Why a walk ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The text is not JSON.
    NotJson,
    /// Objects and arrays lie inside each other deeper than asked for.
    TooDeep,
}

impl Stop {
    /// The rule that is broken.
    pub(super) fn rule(self) -> String {
        match self {
            Self::NotJson => "it is not JSON".to_owned(),
            Self::TooDeep => format!("nested deeper than {NESTING_LEVELS_MAX} levels"),
        }
    }
}

/// A place in a text. Between values it stands on the next byte that is no white space.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the first value of a text.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: after_space(text.as_bytes(), 0) }
    }

    /// How many bytes lie before it.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The byte that it stands on.
    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Whether nothing is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Walks over an object; whoever is given a member's name, quotes included, walks over its value. Answers
    /// where the object ends.
    pub(super) fn object<E: From<Stop>>(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a str) -> Result<(), E>,
    ) -> Result<usize, E> {
        let text = self.text.as_bytes();
        self.at = after(text, self.at, b'{')?;
        if self.byte() != Some(b'}') {
            loop {
                let (name, value) = name(text, self.at)?;
                let name = &self.text[self.at..name];
                self.at = value;
                member(self, name)?;
                if self.byte() != Some(b',') {
                    break;
                }
                self.at = after_space(text, self.at + 1);
            }
        }
        let end = self.at + 1;
        self.at = after(text, self.at, b'}')?;
        Ok(end)
    }

    /// Walks over an array; whoever is called walks over one element.
    pub(super) fn array<E: From<Stop>>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let text = self.text.as_bytes();
        self.at = after(text, self.at, b'[')?;
        if self.byte() != Some(b']') {
            loop {
                element(self)?;
                if self.byte() != Some(b',') {
                    break;
                }
                self.at = after_space(text, self.at + 1);
            }
        }
        self.at = after(text, self.at, b']')?;
        Ok(())
    }

    /// Walks over a value of any type, in which no more than so many objects and arrays lie inside each
    /// other ([`NESTING_LEVELS_MAX`] at most), and answers with its text.
    pub(super) fn value(&mut self, levels_max: usize) -> Result<&'a str, Stop> {
        let text = self.text.as_bytes();
        let end = match self.byte() {
            Some(b'{' | b'[') => nested(text, self.at, levels_max)?,
            _ => scalar(text, self.at)?,
        };
        let value = &self.text[self.at..end];
        self.at = after_space(text, end);
        Ok(value)
    }
}

// Each of these walks over what begins at a place, and answers where it ends.

/// Objects and arrays inside each other.
fn nested(text: &[u8], mut at: usize, levels_max: usize) -> Result<usize, Stop> {
    const { assert!(NESTING_LEVELS_MAX < u128::BITS as usize) };
    // One bit for each that is open, the innermost lowest: whether it is an object.
    let (mut open, mut levels) = (0_u128, 0);
    loop {
        at = match text.get(at) {
            Some(bracket @ (b'{' | b'[')) => {
                if levels >= levels_max.min(NESTING_LEVELS_MAX) {
                    return Err(Stop::TooDeep);
                }
                let is_object = *bracket == b'{';
                levels += 1;
                open = open << 1 | u128::from(is_object);
                at = after_space(text, at + 1);
                match (text.get(at), is_object) {
                    (Some(b'}'), true) | (Some(b']'), false) => at,
                    (_, true) => {
                        at = name(text, at)?.1;
                        continue;
                    }
                    (_, false) => continue,
                }
            }
            _ => after_space(text, scalar(text, at)?),
        };
        // A value has ended, or there was none: so may those around it.
        loop {
            match (text.get(at), open & 1 == 1) {
                (Some(b','), is_object) => {
                    at = after_space(text, at + 1);
                    if is_object {
                        at = name(text, at)?.1;
                    }
                    break;
                }
                (Some(b'}'), true) | (Some(b']'), false) => {
                    levels -= 1;
                    open >>= 1;
                    if levels == 0 {
                        return Ok(at + 1);
                    }
                    at = after_space(text, at + 1);
                }
                _ => return Err(Stop::NotJson),
            }
        }
    }
}

/// A member's name, quotes included; and where the value begins behind it.
fn name(text: &[u8], at: usize) -> Result<(usize, usize), Stop> {
    let end = string(text, at)?;
    Ok((end, after(text, after_space(text, end), b':')?))
}

/// A value that holds no others.
fn scalar(text: &[u8], at: usize) -> Result<usize, Stop> {
    match text.get(at) {
        Some(b'"') => string(text, at),
        Some(b'-' | b'0'..=b'9') => number(text, at),
        Some(b't') => word(text, at, b"true"),
        Some(b'f') => word(text, at, b"false"),
        Some(b'n') => word(text, at, b"null"),
        _ => Err(Stop::NotJson),
    }
}

fn string(text: &[u8], at: usize) -> Result<usize, Stop> {
    if text.get(at) != Some(&b'"') {
        return Err(Stop::NotJson);
    }
    let mut at = at + 1;
    loop {
        at += plain_bytes(&text[at..]);
        match text.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at += escape_bytes(&text[at..]).ok_or(Stop::NotJson)?,
            _ => return Err(Stop::NotJson),
        }
    }
}

fn number(text: &[u8], at: usize) -> Result<usize, Stop> {
    let at = at + usize::from(text.get(at) == Some(&b'-'));
    let mut end = digits(text, at)?;
    if text[at] == b'0' && end > at + 1 {
        return Err(Stop::NotJson);
    }
    if text.get(end) == Some(&b'.') {
        end = digits(text, end + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(end) {
        let sign = matches!(text.get(end + 1), Some(b'+' | b'-'));
        end = digits(text, end + 1 + usize::from(sign))?;
    }
    Ok(end)
}

/// One digit or more.
fn digits(text: &[u8], at: usize) -> Result<usize, Stop> {
    let count = text.iter().skip(at).take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 { Err(Stop::NotJson) } else { Ok(at + count) }
}

fn word(text: &[u8], at: usize, word: &[u8]) -> Result<usize, Stop> {
    if text[at..].starts_with(word) { Ok(at + word.len()) } else { Err(Stop::NotJson) }
}

/// A mark and the white space behind it.
fn after(text: &[u8], at: usize, mark: u8) -> Result<usize, Stop> {
    if text.get(at) == Some(&mark) { Ok(after_space(text, at + 1)) } else { Err(Stop::NotJson) }
}

/// White space, of any length.
fn after_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}

/// How many bytes stand in front of the next quote, backslash or control character. Eight are looked at at once.
pub(super) fn plain_bytes(text: &[u8]) -> usize {
    let (eights, rest) = text.as_chunks::<8>();
    for (nth, eight) in eights.iter().enumerate() {
        let marks = marks(u64::from_le_bytes(*eight));
        if marks != 0 {
            return nth * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
    eights.len() * 8 + rest.iter().take_while(is_plain).count()
}

/// The highest bit of each byte that is a quote, a backslash or a control character. Above the lowest of
/// them there may be bits that mean nothing.
const fn marks(eight: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST: u64 = ONES << 7;
    let quotes = eight ^ (ONES * b'"' as u64);
    let backslashes = eight ^ (ONES * b'\\' as u64);
    let quotes = quotes.wrapping_sub(ONES) & !quotes;
    let backslashes = backslashes.wrapping_sub(ONES) & !backslashes;
    let controls = eight.wrapping_sub(ONES * 0x20) & !eight;
    (quotes | backslashes | controls) & HIGHEST
}

/// How long the escape is that a text begins with.
fn escape_bytes(text: &[u8]) -> Option<usize> {
    match text.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => text.get(2..6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// What the cursor takes for one value with nothing behind it.
    fn walked(text: &str) -> Result<&str, Stop> {
        let mut cursor = Cursor::new(text);
        let value = cursor.value(NESTING_LEVELS_MAX)?;
        if cursor.is_at_end() { Ok(value) } else { Err(Stop::NotJson) }
    }

    /// What `serde_json` takes for it.
    fn parsed(text: &str) -> Option<&str> {
        serde_json::from_str::<&RawValue>(text).ok().map(RawValue::get)
    }

    #[test]
    fn values_of_every_type_are_found_whole_and_nothing_else_is_a_value() {
        for text in [
            "0",
            "-0",
            "00",
            "01",
            "-",
            "-01",
            "1.",
            "1.5",
            ".5",
            "1e",
            "1e+",
            "1E-7",
            "1e5.0",
            "1.5e300000",
            "+1",
            "0x1",
            "null",
            "nul",
            "nulll",
            "true",
            "True",
            "false",
            "\"\"",
            "\"",
            "\"\\\"",
            r#""\u00e9\n\/""#,
            r#""\u00g0""#,
            r#""\ud800""#,
            r#""\x""#,
            "\"\t\"",
            "\"\u{7f}é\"",
            "\"1234567\u{1}\"",
            "\"12345678\\\"",
            "[]",
            "[",
            "]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{}",
            "{",
            "}",
            "{]",
            "[}",
            r#"{"a":1,}"#,
            r#"{"a"}"#,
            r#"{"a":}"#,
            "{1:1}",
            r#"{"a":1 "b":2}"#,
            r#"{"a":[{"b":"]}"},[[]],{}],"c":{"d":{}}}"#,
            " [ 1 , { \"a\" : [ ] } ] ",
            "[]]",
            "{}}",
            "",
            " ",
            "1 2",
            "\u{feff}1",
            "[\u{a0}1]",
            "[1\u{b}]",
        ] {
            assert_eq!(walked(text).ok(), parsed(text), "{text}");
        }
    }

    #[test]
    fn how_deep_a_value_may_lie_is_bounded() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for max in [0, 1, 2, NESTING_LEVELS_MAX] {
            assert!(max == 0 || Cursor::new(&nested(max)).value(max).is_ok());
            assert_eq!(Cursor::new(&nested(max + 1)).value(max), Err(Stop::TooDeep));
        }
        assert_eq!(Cursor::new(&nested(200)).value(1000), Err(Stop::TooDeep));
    }

    /// JSON, nearly JSON, and texts of its marks.
    fn texts() -> impl Strategy<Value = String> {
        let value = "(null|true|-?[0-9]{1,3}(\\.[0-9])?(e[0-9])?|\"[a-zé\\\\\"u0-9 ]{0,20}\"|\\[\\]|\\{\\})";
        prop_oneof![
            "[\\[\\]{}:,\"\\\\ 0-9a-fntrué.+-]{0,40}",
            proptest::collection::vec(value, 0..6).prop_map(|values| format!("[{}]", values.join(","))),
            proptest::collection::vec(value, 0..6)
                .prop_map(|values| format!("{{\"k\":{}}}", values.join(" ,\"k\" : "))),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn it_takes_for_json_what_serde_json_takes_for_it(text in texts()) {
            prop_assert_eq!(walked(&text).ok(), parsed(&text));
        }

        #[test]
        fn any_text_of_any_length_is_looked_through_like_byte_by_byte(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let slowly = text.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
            prop_assert_eq!(plain_bytes(&text), slowly);
        }
    }
}
