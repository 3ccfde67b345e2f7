//! Header blocks: the `From: Sent: To: Subject:` that Outlook and forwarding programs put above a mail.

use super::Line;
use super::markers::{LABELS, Label};

/// Lines of a block, blank ones counted.
const LINES_MAX: usize = 16;
/// Lines in a row that may be the rest of a long list of recipients.
const WRAPPED_MAX: usize = 3;

/// What a block says.
pub(super) struct Block {
    /// The address behind `From`, if there is one.
    pub(super) sender: Option<String>,
}

/// Whether a header block begins at this line. Three different labels are one, if among them are a date and a
/// sender or a sender with an address: a formal letter has a `From` and a `To` as well.
pub(super) fn at(lines: &[Line<'_>], at: usize) -> Option<Block> {
    let (first, _) = label(lines.get(at)?)?;
    if first == Label::Other {
        return None;
    }
    let mut seen: Vec<Label> = Vec::new();
    let mut sender = None;
    let (mut addresses, mut wrapped, mut last) = (false, 0, first);
    for line in lines[at..].iter().take(LINES_MAX) {
        let rest = if let Some((label, rest)) = label(line) {
            if label != Label::Other && seen.contains(&label) {
                break;
            }
            seen.push(label);
            wrapped = 0;
            last = label;
            rest
        } else {
            wrapped += 1;
            if wrapped > WRAPPED_MAX {
                break;
            }
            line.inner
        };
        if line.is_blank() && last == Label::Subject && seen.len() > 3 {
            break;
        }
        let address = address_in(rest);
        addresses |= address.is_some();
        if last == Label::From && sender.is_none() {
            sender = address;
        }
    }
    let has = |label: Label| seen.contains(&label);
    let whole = seen.len() >= 3 && has(Label::From) && (has(Label::Date) || addresses);
    whole.then_some(Block { sender })
}

/// Splits `*От:* Иван` into what it names and the rest.
fn label<'a>(line: &Line<'a>) -> Option<(Label, &'a str)> {
    let decoration = |c: char| c == '*' || c == '_' || c.is_whitespace();
    let (name, _) = line.folded.split_once(':')?;
    let name = name.trim_matches(decoration);
    let (label, _) = LABELS.iter().find(|(_, names)| names.contains(&name))?;
    let (_, rest) = line.inner.split_once(':')?;
    Some((*label, rest.trim_start_matches(decoration)))
}

/// The first address in a text.
pub(super) fn address_in(text: &str) -> Option<String> {
    let is_end = |c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | '"' | ',' | ';' | '\'')
    };
    text.split(is_end).find_map(|word| {
        let word = word.strip_prefix("mailto:").unwrap_or(word).trim_end_matches(['.', ':']);
        let (local, domain) = word.split_once('@')?;
        (!local.is_empty() && domain.contains('.') && word.len() <= 254).then(|| word.to_owned())
    })
}
