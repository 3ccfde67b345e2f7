//! The named members of an object whose text `serde_json` has already found valid.
//!
//! Recipients are most of a job's bytes and are walked here a second time, so this does no more than find
//! where names and values end: less than half of what a second parse costs. It never panics, and an object
//! that it cannot walk to the end is refused: an identifier that was overlooked would keep its person in.

use super::raw;

/// Why the named members of an object cannot be taken out of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misshapen {
    /// It is no object.
    NoObject,
    /// This member stands in it twice.
    Twice(&'static str),
}

/// The text of each named member's value, at the place of its name; all others are passed over.
pub(super) fn members<'a, const N: usize>(
    names: &[&'static str; N],
    object: &'a str,
) -> Result<[Option<&'a str>; N], Misshapen> {
    let mut walk = Walk { rest: object.strip_prefix('{').ok_or(Misshapen::NoObject)? };
    let mut found = [None; N];
    for (key, value) in walk.by_ref() {
        if let Some(index) = raw::named(names, key)
            && found[index].replace(value).is_some()
        {
            return Err(Misshapen::Twice(names[index]));
        }
    }
    if walk.rest == "}" { Ok(found) } else { Err(Misshapen::NoObject) }
}

/// Walks over `"name": value, …}`.
struct Walk<'a> {
    rest: &'a str,
}

impl<'a> Walk<'a> {
    /// Takes the text of this many bytes.
    fn take(&mut self, bytes: usize) -> Option<&'a str> {
        let (taken, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(taken)
    }

    /// Skips a mark and the white space around it.
    fn skip(&mut self, mark: u8) {
        let is_skipped = |byte: &u8| *byte == mark || matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let bytes = self.rest.bytes().take_while(is_skipped).count();
        self.rest = &self.rest[bytes..];
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip(b',');
        let key = self.take(string_bytes(self.rest.as_bytes())?)?;
        self.skip(b':');
        let value = self.take(value_bytes(self.rest.as_bytes())?)?;
        Some((key, value))
    }
}

/// How long the string is that a text begins with, quotes included.
fn string_bytes(text: &[u8]) -> Option<usize> {
    let mut at = text.starts_with(b"\"").then_some(1)?;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// How long the value is that a text begins with.
fn value_bytes(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => string_bytes(text),
        b'{' | b'[' => nested_bytes(text),
        _ => text.iter().position(|byte| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\n' | b'\r')),
    }
}

fn nested_bytes(text: &[u8]) -> Option<usize> {
    let (mut at, mut level) = (0, 0_usize);
    loop {
        match text.get(at)? {
            b'"' => at += string_bytes(&text[at..])? - 1,
            b'{' | b'[' => level += 1,
            b'}' | b']' if level == 1 => return Some(at + 1),
            b'}' | b']' => level -= 1,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_of_every_type_are_found_whole() {
        for value in [
            "1",
            "-1.5e+3",
            "null",
            "\"\"",
            r#""a\"}\\""#,
            "{}",
            r#"{"a":"]}","b":[{}]}"#,
            r#"[[],"]\\",{}]"#,
        ] {
            for object in [
                format!("{{\"x\":{value}}}"),
                format!("{{ \"\\\"\" : [{value},1] ,\n\t\"x\" : {value} ,\"y\":{value}}}"),
            ] {
                assert_eq!(members(&["x"], &object), Ok([Some(value)]), "{object}");
            }
        }
        assert_eq!(members(&["x"], "{}"), Ok([None]));
        assert_eq!(members(&["x"], "{\"x\":1,\"\\u0078\":1}"), Err(Misshapen::Twice("x")));
        for broken in ["[]", "{", "{\"x\":", "{\"x\":1", "{\"x\":1,\"y\":\"}", "{x}", "{\"x\":[}"] {
            assert_eq!(members(&["x"], broken), Err(Misshapen::NoObject), "{broken}");
        }
    }

    proptest! {
        #[test]
        fn a_text_that_is_not_valid_does_not_panic(text in "\\{[a\"\\\\{}\\[\\],: é]{0,40}") {
            let _ = members(&["a"], &text);
        }
    }
}
