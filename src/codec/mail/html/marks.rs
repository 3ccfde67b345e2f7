//! What tags and attributes mean: the tables.
//!
//! Mail programs mark quotes by class names and ids of their own. Gmail's and Yandex's containers
//! are not among them: answers between the quotes stand inside them as well, and the quotes proper are
//! blockquotes.

use super::token::Tag;

/// Levels of quotation that are written out.
pub(super) const QUOTE_DEPTH_MAX: usize = 8;

/// What begins and ends a line.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "html",
    "li",
    "main",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tbody",
    "thead",
    "tr",
    "ul",
];

/// What has no end tag.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];

/// Classes of what quotes another mail, the line that says whose it is included.
const QUOTE_CLASSES: &[&str] = &[
    "gmail_attr",
    "gmail_quote_attribution",
    "moz-cite-prefix",
    "yahoo_quoted",
    "protonmail_quote",
    "tutanota_quote",
    "zmail_extra",
    "mail-quote-collapse",
    "js-mail-quote",
];

/// Ids behind which everything is quoted.
const REST_IDS: &[&str] = &[
    "divrplyfwdmsg",
    "appendonsend",
    "replysplit",
    "isreplycontent",
    "mail-editor-reference-message-container",
];

/// Classes behind which everything is quoted.
const REST_CLASSES: &[&str] = &["ms-outlook-mobile-reference-message", "outlookmessageheader"];

const SIGNATURE_CLASSES: &[&str] =
    &["gmail_signature", "moz-signature", "protonmail_signature_block", "signature-container"];
const SIGNATURE_IDS: &[&str] = &["signature", "applemailsignature", "lineBreakAtBeginningOfSignature"];

/// Classes of text that only a list of mails shows.
const HIDDEN_CLASSES: &[&str] = &["preheader", "mcnpreviewtext", "preview-text", "previewtext"];

pub(super) fn is_block(name: &str) -> bool {
    BLOCKS.contains(&name)
}

pub(super) fn is_void(name: &str) -> bool {
    VOID.contains(&name)
}

pub(super) fn is_quote(tag: &Tag<'_>) -> bool {
    tag.name == "blockquote" && style(tag).is_none_or(|style| !is_indent(&style))
        || has_class(tag, QUOTE_CLASSES)
}

/// An editor's way to indent a paragraph of one's own: a blockquote with margins and without any border or type.
fn is_indent(style: &str) -> bool {
    style.contains("border:none") && style.contains("40px")
}

pub(super) fn quotes_the_rest(tag: &Tag<'_>) -> bool {
    has_id(tag, REST_IDS)
        || has_class(tag, REST_CLASSES)
        // Outlook draws this line above the header of the mail that it quotes, and nowhere else.
        || tag.name == "div" && style(tag).is_some_and(|style| {
            style.contains("border:none;border-top:solid") && style.contains("padding:3.0pt0")
        })
}

pub(super) fn is_signature(tag: &Tag<'_>) -> bool {
    has_class(tag, SIGNATURE_CLASSES)
        || has_id(tag, SIGNATURE_IDS)
        || tag.attribute("data-signature-widget").is_some_and(|value| value == "container")
}

pub(super) fn is_hidden(tag: &Tag<'_>) -> bool {
    let by_style = style(tag).is_some_and(|style| {
        let zero = |property: &str| property_is_zero(&style, property) == Some(true);
        style.contains("display:none")
            || style.contains("visibility:hidden")
            || style.contains("mso-hide:all")
            || zero("opacity:")
            || zero("max-height:")
    });
    by_style
        || tag.attribute("hidden").is_some()
        || tag.name == "head"
        || tag.name == "select"
        || has_class(tag, HIDDEN_CLASSES)
}

/// Whether the element sets its font size, and to zero.
pub(super) fn font_size_is_zero(tag: &Tag<'_>) -> Option<bool> {
    property_is_zero(&style(tag)?, "font-size:")
}

/// Whether a style sets a length to zero, or near enough that nobody can read it.
fn property_is_zero(style: &str, property: &str) -> Option<bool> {
    let at = style.find(property)?;
    let value = &style[at + property.len()..];
    let digits = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let number: f32 = number.parse().ok()?;
    let relative = unit.starts_with("em") || unit.starts_with("rem") || unit.starts_with('%');
    let readable = if relative { 0.1 } else { 1.5 };
    // `opacity: 1` has no unit and is no length.
    Some(if property == "opacity:" { number <= 0.05 } else { number < readable })
}

/// The style without spaces.
fn style(tag: &Tag<'_>) -> Option<String> {
    let style = tag.attribute("style")?;
    Some(style.chars().filter(|c| !c.is_whitespace()).collect())
}

/// Outlook puts `x_` before every class and id that it passes on.
fn is_one_of(word: &str, words: &[&str]) -> bool {
    let word = word.trim_start_matches("x_");
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

fn has_class(tag: &Tag<'_>, classes: &[&str]) -> bool {
    tag.attribute("class")
        .is_some_and(|value| value.split_whitespace().any(|class| is_one_of(class, classes)))
}

fn has_id(tag: &Tag<'_>, ids: &[&str]) -> bool {
    tag.attribute("id").is_some_and(|id| is_one_of(id.trim(), ids))
}

/// Characters that take no room: some senders fill their preview with hundreds of them.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}')
}
