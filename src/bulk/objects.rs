//! Cuts a JSON document into the objects that are its lines: an array of them, or an answer of an API around one.
//!
//! `[{…}, {…}]`, `{"items": [{…}], "paging": {…}}`, several of these after each other, and pretty-printed NDJSON.
//! Objects inside an array, or at the top, are the lines; an object at the top that begins with a member of an
//! answer is looked into instead. Only the object at hand is held, bounded like every row. Whether an object is
//! JSON inside is not looked at here. Many of these documents are one line, so the objects are counted instead.

use std::io::{BufRead, Cursor};

use crate::clean::{ROW_BYTES_MAX, Row, RowFault, fill};

/// Members with which the answers of APIs begin.
const AROUND: [&[u8]; 9] = [
    b"SuppressedDestinationSummaries",
    b"NextToken",
    b"items",
    b"paging",
    b"total_count",
    b"data",
    b"results",
    b"result",
    b"_metadata",
];

/// What an array or object around the lines is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    Array,
    Answer,
}

/// How deep answers lie around their lines.
const DEPTH_MAX: usize = 16;

/// The objects of a stream.
pub(super) struct Objects<R> {
    input: R,
    around: Vec<Around>,
    /// How many objects began.
    count: u64,
    bytes_read: u64,
}

/// The object at hand.
struct Open {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// Where its first string begins and ends, once it is known: the name of its first member.
    name: (Option<usize>, Option<usize>),
}

impl<R: BufRead> Objects<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, around: Vec::new(), count: 0, bytes_read: 0 }
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Appends the next object; `None` at the end of the stream.
    pub(super) fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Row>, RowFault> {
        let first = buffer.len();
        let mut open: Option<Open> = None;
        // A string between the objects: the name of an answer's member, or its value.
        let mut outside = (false, false);
        loop {
            let available = fill(&mut self.input)?;
            if available.is_empty() {
                return self.end(open.is_some());
            }
            let mut taken = 0;
            let mut found = None;
            for byte in available {
                taken += 1;
                if let Some(object) = &mut open {
                    buffer.push(*byte);
                    if object.take(*byte, buffer.len() - 1) {
                        self.count += 1;
                        found = Some(Row { line: self.count, is_blank: false });
                        break;
                    }
                    if self.around.last() != Some(&Around::Array) && object.is_an_answer(buffer) {
                        buffer.truncate(first);
                        self.around.push(Around::Answer);
                        open = None;
                    }
                } else if outside.0 {
                    outside = match byte {
                        _ if outside.1 => (true, false),
                        b'\\' => (true, true),
                        b'"' => (false, false),
                        _ => (true, false),
                    };
                } else {
                    match byte {
                        b'{' if self.around.last() == Some(&Around::Answer) => {
                            self.around.push(Around::Answer);
                        }
                        b'{' => {
                            buffer.push(b'{');
                            open = Some(Open::new());
                        }
                        b'[' => self.around.push(Around::Array),
                        b']' if self.around.last() == Some(&Around::Array) => drop(self.around.pop()),
                        b'}' if self.around.last() == Some(&Around::Answer) => drop(self.around.pop()),
                        b'"' if !self.around.is_empty() => outside = (true, false),
                        b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => {}
                        b'0'..=b'9' | b'a'..=b'z' | b'E' | b'+' | b'-' | b'.' if !self.around.is_empty() => {}
                        _ => {
                            return Err(self.fault("no JSON: an object, or an array of objects, is expected"));
                        }
                    }
                }
                if self.around.len() > DEPTH_MAX {
                    return Err(self.fault("no lines: arrays lie too deep in each other"));
                }
                if buffer.len() - first > ROW_BYTES_MAX {
                    return Err(self.fault(&format!("an object of more than {ROW_BYTES_MAX} bytes")));
                }
            }
            self.input.consume(taken);
            self.bytes_read += taken as u64;
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn end(&self, is_open: bool) -> Result<Option<Row>, RowFault> {
        if is_open || !self.around.is_empty() {
            return Err(self.fault("the document ends before what began in it"));
        }
        Ok(None)
    }

    fn fault(&self, rule: &str) -> RowFault {
        RowFault::Row { line: self.count + 1, rule: rule.to_owned() }
    }
}

impl Open {
    fn new() -> Self {
        Self { depth: 1, in_string: false, escaped: false, name: (None, None) }
    }

    /// Takes the byte at this place; whether the object ends with it.
    fn take(&mut self, byte: u8, place: usize) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.in_string = false;
                    self.name.1.get_or_insert(place);
                }
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => {
                self.in_string = true;
                self.name.0.get_or_insert(place + 1);
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        self.depth == 0
    }

    /// Whether it is known by now that it is no line: right after the name of its first member.
    fn is_an_answer(&self, buffer: &[u8]) -> bool {
        match self.name {
            (Some(first), Some(end)) if end + 1 == buffer.len() => AROUND.contains(&&buffer[first..end]),
            _ => false,
        }
    }
}

/// The first object of a document's beginning, if it is whole.
pub(super) fn first(beginning: &[u8]) -> Option<Vec<u8>> {
    let mut object = Vec::new();
    Objects::new(Cursor::new(beginning)).next(&mut object).ok().flatten().map(|_| object)
}

/// Whether this is a whole object by itself, and one that is a line.
pub(super) fn is_line(text: &[u8]) -> bool {
    first(text).is_some_and(|object| object.len() == text.trim_ascii().len())
        && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn cut(text: &str) -> Result<Vec<(u64, String)>, String> {
        // A small buffer, so that objects lie across its ends.
        let mut objects = Objects::new(BufReader::with_capacity(3, text.as_bytes()));
        let (mut found, mut buffer) = (Vec::new(), Vec::new());
        loop {
            buffer.clear();
            match objects.next(&mut buffer) {
                Ok(Some(row)) => found.push((row.line, String::from_utf8(buffer.clone()).unwrap())),
                Ok(None) => return Ok(found),
                Err(RowFault::Row { line, rule }) => return Err(format!("line {line} {rule}")),
                Err(RowFault::Io(fault)) => panic!("{fault}"),
            }
        }
    }

    fn lines(found: &[(u64, &str)]) -> Vec<(u64, String)> {
        found.iter().map(|(line, text)| (*line, (*text).to_owned())).collect()
    }

    #[test]
    fn objects_are_found_in_arrays_answers_and_after_each_other() {
        for (text, found) in [
            ("", &[][..]),
            ("[]", &[]),
            ("[{\"a\": \"}\\\"{\"},\n {\"b\": [{}]}]", &[(1, "{\"a\": \"}\\\"{\"}"), (2, "{\"b\": [{}]}")]),
            ("{\"a\": 1}\n{\n\"b\": 2}\n", &[(1, "{\"a\": 1}"), (2, "{\n\"b\": 2}")]),
            ("{\n\"items\": [\n{\"a\": 1}], \"paging\": {\"next\": \"[{\"}}", &[(1, "{\"a\": 1}")]),
            (
                "{\"paging\": {\"next\": \"\\\"{\"}, \"items\": [{\"a\": 1}]}\n{\"items\": []}",
                &[(1, "{\"a\": 1}")],
            ),
            (
                "{\"data\": {\"results\": [{\"data\": 1}], \"total\": -1.5e3, \"x\": null}}",
                &[(1, "{\"data\": 1}")],
            ),
        ] {
            assert_eq!(cut(text), Ok(lines(found)), "{text}");
        }
    }

    #[test]
    fn what_does_not_end_or_is_no_json_is_a_fault() {
        for text in ["[{\"a\": 1}", "{\"a\": ", "[{\"a\": 1}]]", "{\"items\": [}", "a,b\n", "[\"a\", {\"b\""]
        {
            assert!(cut(text).is_err(), "{text}");
        }
        assert!(cut(&"[".repeat(DEPTH_MAX + 1)).is_err());
        let long = format!("[{{\"a\": \"{}\"}}]", "x".repeat(ROW_BYTES_MAX));
        assert!(cut(&long).unwrap_err().contains("more than"));
    }

    #[test]
    fn no_bytes_panic() {
        proptest::proptest!(|(text in "[\\[\\]{}\",:\\\\ a1\n]{0,60}")| { let _ = cut(&text); });
    }
}
