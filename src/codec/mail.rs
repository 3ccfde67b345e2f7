//! A message (RFC 5322, MIME) to a [`Letter`]: whose words it holds, and what machines said of it.
//!
//! Anybody may write a mail, so nothing here trusts one. The work is bounded by [`Limits`], nothing recurses
//! with the input beyond them, and no input panics; should a library do, that is contained and the mail is
//! `Malformed`, never a crash. There is no state: the same bytes give the same letter. What cannot be read is
//! said in [`Letter::unread`] and everything else is read all the same, the sender above all, since an unclear
//! mail still leads to a hold on its sender. What a letter *asks for* is not decided here.

mod authentication;
mod body;
mod charset;
mod fields;
mod html;
mod identity;
mod limits;
mod report;
mod transfer;
mod tree;
mod vendor;
mod word;

pub use identity::{Identity, identity};
pub use limits::Limits;

use crate::domain::mail::letter::{Automatic, Letter, Unread};
use crate::domain::mail::quote;
use body::Body;
use fields::Fields;
use tree::{Part, Tree};

/// Reads a mail. Give it one byte more than `mail_bytes_max`, should there be more, and it says `TooLarge`.
pub fn read(raw: &[u8], limits: &Limits) -> Letter {
    let seen = &raw[..raw.len().min(limits.mail_bytes_max)];
    let mut letter =
        vendor::guarded(|| read_seen(seen, limits)).unwrap_or_else(|| header_alone(seen, limits));
    if seen.len() < raw.len() {
        letter.unread = letter.unread.max(Some(Unread::TooLarge));
    }
    letter
}

fn read_seen(raw: &[u8], limits: &Limits) -> Letter {
    let tree = tree::read(raw, limits);
    let Some(root) = tree.parts.first() else { return header_alone(raw, limits) };
    let mut letter = from_header(root, limits);
    letter.report = report::read(&tree, limits);
    let body = body::read(&tree, limits);
    let split = quote::split(&body.text, quote::is_forward(&letter.subject));
    letter.text = split.own;
    letter.signature = split.signature;
    letter.quotes = split.quotes;
    letter.attachments = body.attachments;
    letter.forwarded_from = forwarded_from(&tree, split.forwarded_from, limits);
    if tree.cut || body.cut {
        letter.unread = letter.unread.max(Some(Unread::TooLarge));
    }
    letter.unread = letter.unread.max(missing(&letter, &tree, &body));
    letter
}

/// What can be said when the rest made a parser panic.
fn header_alone(raw: &[u8], limits: &Limits) -> Letter {
    let read = || {
        let (fields, _) = Fields::take(raw, limits);
        senders(&fields, limits)
    };
    let (from, reply_to) = vendor::guarded(read).unwrap_or_default();
    Letter { from, reply_to, unread: Some(Unread::Malformed), ..Letter::default() }
}

fn from_header(root: &Part<'_>, limits: &Limits) -> Letter {
    let fields = &root.fields;
    let (from, reply_to) = senders(fields, limits);
    let charset = root.content.parameter("charset");
    let subject = fields.first("subject").map(|value| word::decode(value, charset));
    let undecoded = subject.as_ref().is_some_and(|subject| !subject.sure);
    Letter {
        authentication: authentication::read(fields, &from, limits),
        automatic: automatic(fields),
        subject: subject.map(|subject| one_line(&subject.text)).unwrap_or_default(),
        from,
        reply_to,
        unread: undecoded.then_some(Unread::Charset).max((!fields.any).then_some(Unread::Malformed)),
        ..Letter::default()
    }
}

/// The addresses in `From` and in `Reply-To`.
fn senders(fields: &Fields, limits: &Limits) -> (Vec<String>, Vec<String>) {
    (addresses(fields, "from", limits), addresses(fields, "reply-to", limits))
}

/// The addresses in all fields of a name, each once.
fn addresses(fields: &Fields, name: &'static str, limits: &Limits) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for value in fields.all(name) {
        let read = vendor::addresses(value).filter(|addresses| !addresses.is_empty());
        // Some programs encode the address together with the name.
        let read = read.or_else(|| vendor::addresses(word::decode(value, None).text.as_bytes()));
        for address in read.unwrap_or_default() {
            if found.len() < limits.addresses_max && !found.contains(&address) {
                found.push(address);
            }
        }
    }
    found
}

/// By which mark a machine wrote this. `Precedence`, `List-Unsubscribe` and `X-Auto-Response-Suppress` are not
/// among the marks: people's mail has them too.
fn automatic(fields: &Fields) -> Option<Automatic> {
    let submitted = fields.first("auto-submitted").map(|value| {
        let word = value.split(|byte| matches!(byte, b' ' | b';' | b'(' | b'\t')).next();
        word.unwrap_or_default().to_ascii_lowercase()
    });
    if submitted.is_some_and(|word| !word.is_empty() && word != b"no") {
        Some(Automatic::AutoSubmitted)
    } else if fields.first("x-autoreply").is_some_and(is_set) {
        Some(Automatic::XAutoreply)
    } else if fields.first("x-autorespond").is_some_and(is_set) {
        Some(Automatic::XAutorespond)
    } else if fields.first("return-path").is_some_and(is_empty_path) {
        Some(Automatic::EmptyReturnPath)
    } else {
        None
    }
}

/// `X-Autoreply: no` is a program that says it did not.
fn is_set(value: &[u8]) -> bool {
    !["no", "false", "0"].iter().any(|no| value.eq_ignore_ascii_case(no.as_bytes()))
}

fn is_empty_path(value: &[u8]) -> bool {
    value.starts_with(b"<") && value.ends_with(b">") && value[1..value.len() - 1].trim_ascii().is_empty()
}

/// What cannot be told from this letter, if anything.
fn missing(letter: &Letter, tree: &Tree<'_>, body: &Body) -> Option<Unread> {
    if body.undecoded {
        return Some(Unread::Charset);
    }
    let silent = letter.text.is_empty() && quote::plain_subject(&letter.subject).is_empty();
    let replied = letter.text.is_empty() && quote::plain_subject(&letter.subject) != letter.subject.trim();
    let nothing = silent && letter.forwarded_from.is_empty() && !letter.quotes;
    let pictures = body.attachments && (silent || replied) && !forwards(tree);
    (letter.report.is_none() && (nothing || pictures)).then_some(Unread::NoText)
}

fn forwards(tree: &Tree<'_>) -> bool {
    tree.parts.iter().any(|part| part.is("message", "rfc822"))
}

/// The senders of forwarded mails: those in the text and those that are attached whole.
fn forwarded_from(tree: &Tree<'_>, in_text: Vec<String>, limits: &Limits) -> Vec<String> {
    let mut senders = in_text;
    let root = &tree.parts[0];
    if root.is("multipart", "report") {
        return senders;
    }
    for part in tree.parts.iter().filter(|part| part.is("message", "rfc822") || part.is("message", "global"))
    {
        let (fields, _) = Fields::take(&part.bytes(), limits);
        for address in addresses(&fields, "from", limits) {
            if senders.len() < limits.addresses_max && !senders.contains(&address) {
                senders.push(address);
            }
        }
    }
    senders
}

/// A subject without control characters and double spaces.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).fold(
        String::new(),
        |mut line, word| {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            line
        },
    )
}

#[cfg(test)]
mod tests;
