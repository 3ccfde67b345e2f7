//! Which parts of a mail are its text, and what that text is.
//!
//! Of alternatives the plain text wins, as it is nearest to what was typed, unless it is empty or only says
//! that the mail is to be read as HTML. Attachments are not the sender's words, whatever their type.

use super::charset;
use super::html;
use super::limits::Limits;
use super::tree::{Part, Tree};

/// The text of a mail, quotes still in it.
#[derive(Default)]
pub(super) struct Body {
    pub(super) text: String,
    /// A limit cut something off.
    pub(super) cut: bool,
    /// A part's text cannot be told.
    pub(super) undecoded: bool,
    /// There are pictures or attachments.
    pub(super) attachments: bool,
}

/// Words of a plain text that stands in for the HTML beside it. A person's own text may have them too: then
/// the HTML says the same, and nothing is lost by reading that.
const STUBS: &[&str] =
    &["html", "view this email in your browser", "view in browser", "в браузере", "браузерде"];
/// A text that says more than this is no stub.
const STUB_BYTES_MAX: usize = 600;

/// Gathers the text of a mail.
pub(super) fn read(tree: &Tree<'_>, limits: &Limits) -> Body {
    let mut body = Body::default();
    if !tree.parts.is_empty() {
        Gatherer { tree, limits }.part(0, true, &mut body);
    }
    body
}

struct Gatherer<'t, 'a> {
    tree: &'t Tree<'a>,
    limits: &'t Limits,
}

impl Gatherer<'_, '_> {
    /// Adds the text of a part. It calls itself as deep as multiparts lie in each other, which is limited.
    fn part(&self, index: usize, is_whole: bool, body: &mut Body) {
        let part = &self.tree.parts[index];
        if part.is("multipart", "alternative") {
            self.alternative(part, body);
        } else if part.is("multipart", "report") || part.is("multipart", "signed") {
            // What follows the text are the machine's data and the signature's.
            if let Some(&first) = part.inner.first() {
                self.part(first, false, body);
            }
        } else if part.is("multipart", "*") {
            part.inner.iter().for_each(|&inner| self.part(inner, false, body));
        } else if is_text(part)
            && (is_whole || !part.is_attachment() && (body.text.is_empty() || !part.is_named()))
        {
            self.text(part, body);
        } else {
            body.attachments = true;
        }
    }

    fn alternative(&self, part: &Part<'_>, body: &mut Body) {
        let mut versions: Vec<(bool, Body)> = Vec::new();
        for &inner in &part.inner {
            let mut version = Body::default();
            self.part(inner, false, &mut version);
            versions.push((self.tree.parts[inner].is("text", "plain"), version));
        }
        let says = |version: &Body| !version.text.trim().is_empty();
        let other = versions.iter().any(|(plain, version)| !plain && says(version));
        let best = versions
            .iter()
            .position(|(plain, version)| *plain && says(version) && !(other && is_stub(&version.text)))
            .or_else(|| versions.iter().rposition(|(_, version)| says(version)));
        // A picture that only the HTML shows is no attachment, but it is all there is if there is no text.
        body.attachments |= best.is_none() && !versions.is_empty();
        body.undecoded |= best.is_none() && versions.iter().any(|(_, version)| version.undecoded);
        if let Some(best) = best {
            let (_, version) = versions.swap_remove(best);
            body.add(&version.text, self.limits);
            body.undecoded |= version.undecoded;
            body.cut |= version.cut;
        }
    }

    fn text(&self, part: &Part<'_>, body: &mut Body) {
        let bytes = part.bytes();
        let room = self.limits.text_bytes_max.saturating_sub(body.text.len());
        body.cut |= bytes.len() > room;
        let bytes = &bytes[..bytes.len().min(room)];
        let html = part.is("text", "html") || part.content.main().is_empty() && looks_like_html(bytes);
        let label = part.content.parameter("charset");
        let declared = if html && label.is_none() { declared_in_html(bytes) } else { None };
        let decoded = charset::decode(bytes, label.or(declared.as_deref()));
        body.undecoded |= !decoded.sure;
        if html {
            let page = html::to_text(&decoded.text);
            body.cut |= page.cut;
            body.add(&page.text, self.limits);
        } else if part.content.parameter("format").is_some_and(|format| format.eq_ignore_ascii_case("flowed"))
        {
            let delete =
                part.content.parameter("delsp").is_some_and(|delsp| delsp.eq_ignore_ascii_case("yes"));
            body.add(&unflowed(&decoded.text, delete), self.limits);
        } else {
            body.add(&decoded.text, self.limits);
        }
    }
}

impl Body {
    fn add(&mut self, text: &str, limits: &Limits) {
        if !self.text.is_empty() && !text.trim().is_empty() {
            self.text.push('\n');
        }
        let room = limits.text_bytes_max.saturating_sub(self.text.len());
        self.cut |= text.len() > room;
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
    }
}

fn is_text(part: &Part<'_>) -> bool {
    ["plain", "html", "enriched", "richtext", "markdown"].iter().any(|sub| part.is("text", sub))
}

fn is_stub(text: &str) -> bool {
    let text = text.trim();
    let folded = text.to_lowercase();
    text.len() <= STUB_BYTES_MAX && STUBS.iter().any(|stub| folded.contains(stub))
}

/// A part without a type that is a page all the same.
fn looks_like_html(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    ["<html", "<!doctype html", "<body"]
        .iter()
        .any(|tag| start.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag.as_bytes())))
}

/// What `<meta charset>` says, near the beginning.
fn declared_in_html(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(2048)]).to_ascii_lowercase();
    let (_, rest) = head.split_once("charset=")?;
    let rest = rest.trim_start_matches(['"', '\'', ' ']);
    let label: String =
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    (!label.is_empty()).then_some(label)
}

/// Joins the lines that RFC 3676 says a program broke.
fn unflowed(text: &str, delete_space: bool) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut depth_before = None;
    for line in text.lines() {
        let depth = line.bytes().take_while(|&byte| byte == b'>').count();
        let stuffed = &line[depth..];
        let content = stuffed.strip_prefix(' ').unwrap_or(stuffed);
        if depth_before != Some(depth) {
            if depth_before.is_some() {
                joined.push('\n');
            }
            joined.extend(std::iter::repeat_n('>', depth));
            joined.push_str(if depth > 0 { " " } else { "" });
        }
        let flows = content.ends_with(' ') && content != "-- ";
        joined.push_str(if flows && delete_space { &content[..content.len() - 1] } else { content });
        depth_before = flows.then_some(depth);
        if !flows {
            joined.push('\n');
        }
    }
    joined
}
