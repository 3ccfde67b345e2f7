//! Tags and text of HTML, split without a tree and without a copy of the text.
//!
//! As browsers do it: a `<` that begins no tag is text, a comment or a tag that never ends swallows the rest,
//! and what stands in `<style>` and `<script>` is looked over up to the end tag.

/// Attributes that are looked at.
const ATTRIBUTES: &[&str] = &["class", "id", "style", "hidden", "type", "data-signature-widget"];

pub(super) enum Token<'a> {
    Text(&'a str),
    Start(Tag<'a>),
    End(String),
}

/// A start tag.
pub(super) struct Tag<'a> {
    /// In lower case.
    pub(super) name: String,
    attributes: Vec<(&'static str, &'a str)>,
}

impl Tag<'_> {
    /// An attribute's value, in lower case; empty if it has none.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let found = self.attributes.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.to_lowercase())
    }
}

/// Splits HTML into tags and text.
pub(super) fn tokens(html: &str) -> Tokens<'_> {
    Tokens { rest: html, skip_to: None }
}

pub(super) struct Tokens<'a> {
    rest: &'a str,
    /// Of an element whose text is none: its name.
    skip_to: Option<&'static str>,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(name) = self.skip_to.take() {
            self.rest = after_raw_text(self.rest, name);
        }
        while !self.rest.is_empty() {
            let Some(inner) = self.rest.strip_prefix('<') else {
                let end = self.rest.find('<').unwrap_or(self.rest.len());
                return Some(Token::Text(self.cut(end)));
            };
            if inner.starts_with(['!', '?']) {
                self.rest = after_declaration(inner);
            } else if inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
                if let Some(token) = self.tag(inner) {
                    return Some(token);
                }
            } else {
                let end = inner.find('<').map_or(self.rest.len(), |at| at + 1);
                return Some(Token::Text(self.cut(end)));
            }
        }
        None
    }
}

impl<'a> Tokens<'a> {
    fn cut(&mut self, end: usize) -> &'a str {
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        text
    }

    /// Reads a tag behind its `<`; `None` for an end tag without a name.
    fn tag(&mut self, inner: &'a str) -> Option<Token<'a>> {
        let (inner, ends) = inner.strip_prefix('/').map_or((inner, false), |inner| (inner, true));
        let length =
            inner.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/')).unwrap_or(inner.len());
        let (name, rest) = inner.split_at(length);
        let name = name.to_ascii_lowercase();
        let (attributes, rest) = attributes(rest);
        self.rest = rest;
        if ends {
            return (!name.is_empty()).then_some(Token::End(name));
        }
        self.skip_to = ["style", "script", "title", "template", "xml"].into_iter().find(|raw| *raw == name);
        Some(if self.skip_to.is_some() { Token::Text("") } else { Token::Start(Tag { name, attributes }) })
    }
}

/// Reads attributes up to the end of the tag; also gives what follows it.
fn attributes(mut rest: &str) -> (Vec<(&'static str, &str)>, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return (found, rest);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (found, after);
        }
        let is_end = |c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/');
        // An attribute may begin with anything, `=` included.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let length = rest[first..].find(is_end).map_or(rest.len(), |at| at + first);
        let (name, after) = rest.split_at(length);
        let (value, after) = value(after);
        rest = after;
        if let Some(known) = ATTRIBUTES.iter().find(|known| name.eq_ignore_ascii_case(known)) {
            found.push((known, value));
        }
    }
}

/// Reads `= value`, quoted or not; no value is an empty one.
fn value(rest: &str) -> (&str, &str) {
    let Some(rest) = rest.trim_ascii_start().strip_prefix('=') else { return ("", rest) };
    let rest = rest.trim_ascii_start();
    for quote in ['"', '\''] {
        if let Some(inner) = rest.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    rest.split_at(rest.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(rest.len()))
}

/// Skips a comment, `<!DOCTYPE…>` or `<![if …]>`; `inner` stands behind the `<`.
fn after_declaration(inner: &str) -> &str {
    if let Some(comment) = inner.strip_prefix("!--") {
        // `<!-->` is a whole comment.
        if let Some(rest) = comment.strip_prefix('>') {
            return rest;
        }
        return comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    inner.split_once('>').map_or("", |(_, rest)| rest)
}

/// Skips raw text up to its end tag; without one the rest is raw text.
fn after_raw_text<'a>(html: &'a str, name: &str) -> &'a str {
    let mut rest = html;
    while let Some((_, inner)) = rest.split_once("</") {
        let ends = inner.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        if ends {
            return inner.split_once('>').map_or("", |(_, rest)| rest);
        }
        rest = inner;
    }
    ""
}
