//! HTML to text, as a reader sees it: hidden text left out, quoted text behind `>`, signatures below `-- `.
//!
//! Written here and not taken from a crate: those at hand (`html2text`, `nanohtml2text`, `mail-parser`'s own)
//! build a tree with html5ever or give plain text alone, and what counts here is what they throw away, whose
//! words a text is and whether anybody saw it. One pass over the tokens, a bounded stack of open elements, no
//! recursion: the work is the number of bytes, times the depth for end tags that match nothing.

mod entity;
mod marks;
mod token;

use token::{Tag, Token};

/// Open elements. Programs stay far below a hundred; beyond this the rest is not read.
const DEPTH_MAX: usize = 1000;
/// Open elements among which an end tag looks for its start.
const SEARCH_MAX: usize = 200;

/// The text of a page.
pub(super) struct Page {
    pub(super) text: String,
    /// Whether it was nested too deep to be read to its end.
    pub(super) cut: bool,
}

/// Turns HTML into text.
pub(super) fn to_text(html: &str) -> Page {
    let mut writer = Writer::default();
    let mut cut = false;
    for token in token::tokens(html) {
        match token {
            Token::Text(text) => writer.text(text),
            Token::Start(tag) => cut = !writer.start(&tag),
            Token::End(name) => writer.end(&name),
        }
        if cut {
            break;
        }
    }
    writer.line_break();
    Page { text: writer.out, cut }
}

/// An open element, and what it inherits and passes on.
#[derive(Clone, Default)]
struct Element {
    name: String,
    hidden: bool,
    /// Font size zero, which an inner element may take back.
    tiny: bool,
    quoted: usize,
    preformatted: bool,
}

impl Element {
    fn is_block(&self) -> bool {
        marks::is_block(&self.name)
    }
}

#[derive(Default)]
struct Writer {
    out: String,
    line: String,
    open: Vec<Element>,
    /// From a mark on that everything below is quoted.
    rest_quoted: bool,
    /// White space was seen, and counts once more text follows.
    space: bool,
}

impl Writer {
    fn current(&self) -> Element {
        self.open.last().cloned().unwrap_or_default()
    }

    fn text(&mut self, text: &str) {
        let (hidden, preformatted) =
            self.open.last().map_or((false, false), |top| (top.hidden || top.tiny, top.preformatted));
        if hidden {
            return;
        }
        for c in entity::decoded(text) {
            if preformatted && c == '\n' {
                self.line_break();
            } else if c.is_whitespace() {
                self.space = true;
            } else if !marks::is_invisible(c) {
                if self.space && !self.line.is_empty() {
                    self.line.push(' ');
                }
                self.space = false;
                self.line.push(c);
            }
        }
    }

    /// Opens an element; false if that is one too many.
    fn start(&mut self, tag: &Tag<'_>) -> bool {
        let block = marks::is_block(&tag.name);
        if tag.name == "br" || tag.name == "hr" {
            self.line_break();
            return true;
        }
        if tag.name == "body" {
            // A head that was never closed would hide everything.
            self.end("head");
        }
        if block {
            self.end_implied(&tag.name);
            self.finish_line();
        } else if matches!(tag.name.as_str(), "td" | "th") {
            self.end_implied(&tag.name);
            self.space = true;
        }
        if marks::is_void(&tag.name) {
            return true;
        }
        if self.open.len() >= DEPTH_MAX {
            return false;
        }
        let outer = self.current();
        self.rest_quoted |= marks::quotes_the_rest(tag);
        let quotes = marks::is_quote(tag);
        if quotes || marks::is_signature(tag) && !outer.hidden {
            self.finish_line();
        }
        let font = marks::font_size_is_zero(tag);
        let element = Element {
            hidden: outer.hidden || marks::is_hidden(tag),
            tiny: font.unwrap_or(outer.tiny),
            quoted: outer.quoted + usize::from(quotes),
            preformatted: outer.preformatted || matches!(tag.name.as_str(), "pre" | "textarea"),
            name: tag.name.clone(),
        };
        let signature = marks::is_signature(tag) && !element.hidden;
        self.open.push(element);
        if signature {
            self.line.push_str("--");
            self.finish_line();
        }
        true
    }

    /// `<p>` ends the paragraph before it, and `<li>` the item.
    fn end_implied(&mut self, name: &str) {
        let implied = matches!(name, "p" | "li" | "tr" | "td" | "th" | "dt" | "dd" | "option");
        if implied && self.open.last().is_some_and(|top| top.name == name) {
            self.end(name);
        }
    }

    fn end(&mut self, name: &str) {
        let near = self.open.len().saturating_sub(SEARCH_MAX);
        let Some(at) = self.open[near..].iter().rposition(|element| element.name == name) else {
            if name == "p" {
                self.finish_line();
            }
            return;
        };
        if self.open[near + at..].iter().any(Element::is_block) {
            self.finish_line();
        }
        if name == "p" {
            self.blank_line();
        }
        self.open.truncate(near + at);
    }

    /// Ends the line, should anything stand in it.
    fn finish_line(&mut self) {
        if !self.line.is_empty() {
            self.line_break();
        }
        self.space = false;
    }

    fn blank_line(&mut self) {
        self.finish_line();
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.line_break();
        }
    }

    fn line_break(&mut self) {
        let quoted = self.open.last().map_or(0, |top| top.quoted) + usize::from(self.rest_quoted);
        for _ in 0..quoted.min(marks::QUOTE_DEPTH_MAX) {
            self.out.push_str("> ");
        }
        self.out.push_str(&self.line);
        self.out.push('\n');
        self.line.clear();
        self.space = false;
    }
}
