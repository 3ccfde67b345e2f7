//! The parts of a mail, found in one pass over its lines.
//!
//! A delimiter line is looked for among the boundaries that are open, the innermost first, so the work is the
//! number of bytes, times the depth only for lines that begin with `--`. Nothing here calls itself. A mail
//! inside a mail is one part and is not taken apart: what somebody else wrote is not this sender's word, and
//! of its header alone something may be asked.

use super::fields::{Fields, line_end, trim_line};
use super::limits::Limits;
use super::transfer::{self, Transfer};
use super::vendor::Parametric;

/// All parts; the first is the mail itself, and a part stands before those that lie in it.
pub(super) struct Tree<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// Whether a limit cut something off.
    pub(super) cut: bool,
}

/// One part.
pub(super) struct Part<'a> {
    pub(super) fields: Fields,
    pub(super) content: Parametric,
    pub(super) disposition: Parametric,
    /// The body as it came; of a multipart with parts the text before the first.
    body: &'a [u8],
    /// The parts that lie in this one.
    pub(super) inner: Vec<usize>,
    /// In a digest mails are what needs no type.
    digested: bool,
}

/// A multipart whose end has not been seen.
struct Open {
    part: usize,
    boundary: Vec<u8>,
}

impl Part<'_> {
    pub(super) fn is(&self, main: &str, sub: &str) -> bool {
        let (own_main, own_sub) = self.kind();
        own_main == main && (sub == "*" || own_sub == sub)
    }

    /// The media type; what has none is plain text.
    fn kind(&self) -> (&str, &str) {
        match self.content.main() {
            "" if self.digested => ("message", "rfc822"),
            "" => ("text", "plain"),
            "text" if self.content.sub().is_empty() => ("text", "plain"),
            // Nothing was found behind the boundary: the text is all there is.
            "multipart" if self.inner.is_empty() => ("text", "plain"),
            main => (main, self.content.sub()),
        }
    }

    pub(super) fn is_attachment(&self) -> bool {
        self.disposition.main() == "attachment"
    }

    pub(super) fn is_named(&self) -> bool {
        self.disposition.parameter("filename").or(self.content.parameter("name")).is_some()
    }

    /// The body with its transfer encoding undone.
    pub(super) fn bytes(&self) -> Vec<u8> {
        transfer::decode(self.body, Transfer::named(self.fields.first("content-transfer-encoding")))
    }
}

/// Takes a mail apart.
pub(super) fn read<'a>(raw: &'a [u8], limits: &Limits) -> Tree<'a> {
    let mut tree = Tree { parts: Vec::new(), cut: false };
    let mut open: Vec<Open> = Vec::new();
    let mut at = Some(0);
    while let Some(start) = at {
        if tree.parts.len() >= limits.parts_max {
            tree.cut = true;
            break;
        }
        let body = tree.begin(raw, start, &mut open, limits);
        let (end, next) = next_part(raw, body, &mut open);
        tree.parts.last_mut().expect("a part was just begun").body = &raw[body..end];
        at = next;
    }
    tree
}

impl<'a> Tree<'a> {
    /// Reads the header at `start`, adds the part and says where its body begins.
    fn begin(&mut self, raw: &'a [u8], start: usize, open: &mut Vec<Open>, limits: &Limits) -> usize {
        let (fields, length) = Fields::take(&raw[start..], limits);
        let content = fields.first("content-type").map(Parametric::read).unwrap_or_default();
        let disposition = fields.first("content-disposition").map(Parametric::read).unwrap_or_default();
        let index = self.parts.len();
        let outer = open.last().map(|open| open.part);
        let digested = outer.is_some_and(|outer| self.parts[outer].content.sub() == "digest");
        if let Some(outer) = outer {
            self.parts[outer].inner.push(index);
        }
        let boundary = content.parameter("boundary").map(|boundary| boundary.trim_end().as_bytes().to_vec());
        if content.main() == "multipart"
            && let Some(boundary) = boundary.filter(|boundary| !boundary.is_empty())
        {
            if open.len() < limits.depth_max {
                open.push(Open { part: index, boundary });
            } else {
                self.cut = true;
            }
        }
        self.cut |= fields.cut;
        let part = Part { fields, content, disposition, body: &[], inner: Vec::new(), digested };
        self.parts.push(part);
        start + length
    }
}

/// Where the body that begins at `body` ends, and where the next part begins, if there is one. Multiparts that
/// end on the way are closed, whether or not they said so themselves.
fn next_part(raw: &[u8], body: usize, open: &mut Vec<Open>) -> (usize, Option<usize>) {
    let mut end_of_body = None;
    let mut at = body;
    while at < raw.len() && !open.is_empty() {
        let end = line_end(raw, at);
        if let Some((level, closes)) = delimiter(trim_line(&raw[at..end]), open) {
            let end_of_body = *end_of_body.get_or_insert(before_line(raw, body, at));
            open.truncate(if closes { level } else { level + 1 });
            if !closes {
                return (end_of_body, Some(end));
            }
        }
        at = end;
    }
    (end_of_body.unwrap_or(raw.len()), None)
}

/// Which open multipart this line delimits, and whether it ends it.
fn delimiter(line: &[u8], open: &[Open]) -> Option<(usize, bool)> {
    let line = line.strip_prefix(b"--")?;
    open.iter().enumerate().rev().find_map(|(level, open)| {
        match line.strip_prefix(open.boundary.as_slice())?.trim_ascii() {
            b"" => Some((level, false)),
            b"--" => Some((level, true)),
            _ => None,
        }
    })
}

/// The line break before a delimiter belongs to the delimiter.
fn before_line(raw: &[u8], body: usize, at: usize) -> usize {
    body + trim_line(&raw[body..at]).len()
}
