//! Who wrote which line of a mail: the sender's own words, the signature, quoted and forwarded mails.
//!
//! Lines are judged from the top down. A quote that is marked line by line (`>`) ends with its marks, and own
//! words may follow; a quote that is only announced (a header block, `Original Message`) reaches to the end,
//! since nothing says where it would end sooner. In doubt a line is the sender's: a quote that counts leads to
//! a question, a request taken for a quote to a fine. No state beyond the lines, and the work is their number.

mod attribution;
mod block;
mod markers;
mod signature;

use signature::Closing;

/// A mail's text, taken apart. Not `Debug`: it is somebody's letter.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// What the sender wrote.
    pub own: String,
    /// The signature, mobile programs' advertising and disclaimers.
    pub signature: String,
    /// Whether anything was quoted or forwarded and left out.
    pub quotes: bool,
    /// The senders of forwarded mails, the outermost first.
    pub forwarded_from: Vec<String>,
}

/// Forwarded mails within each other that are looked at.
const FORWARDS_MAX: usize = 8;
/// Lines below a mark within which the header block begins.
const NEAR_LINES: usize = 10;

/// Splits a decoded text. `forward`: the subject says that the mail is a forward.
pub fn split(text: &str, forward: bool) -> Split {
    let lines: Vec<Line<'_>> = text.lines().map(Line::new).collect();
    let mut splitter = Splitter { lines: &lines, own: Vec::new(), signature: Vec::new(), quotes: false };
    let rest = splitter.run();
    let quoted = &lines[rest..];
    let forwarded_from = if splitter.quotes { forwarded_from(&lines, quoted, forward) } else { Vec::new() };
    Split {
        own: joined(&splitter.own),
        signature: joined(&splitter.signature),
        quotes: splitter.quotes,
        forwarded_from,
    }
}

/// Whether a subject begins as those of forwarded mails do.
pub fn is_forward(subject: &str) -> bool {
    prefixes(subject).any(|prefix| markers::FORWARD_PREFIXES.contains(&prefix.as_str()))
}

/// The subject without `Re:`, `Fwd:` and the like.
pub fn plain_subject(subject: &str) -> &str {
    let mut rest = subject.trim();
    while let Some((_, behind)) = reply_prefix(rest) {
        rest = behind.trim_start();
    }
    rest
}

fn prefixes(subject: &str) -> impl Iterator<Item = String> {
    let mut rest = subject.trim();
    std::iter::from_fn(move || {
        let (prefix, behind) = reply_prefix(rest)?;
        rest = behind.trim_start();
        Some(prefix)
    })
}

/// Splits `Re[2]:` into `re` and what follows.
fn reply_prefix(subject: &str) -> Option<(String, &str)> {
    let (prefix, rest) = subject.split_once(':')?;
    let word: String = prefix.chars().take(24).collect::<String>().to_lowercase();
    let word =
        word.trim_end_matches(|c: char| matches!(c, '[' | ']' | '(' | ')' | '*' | ' ') || c.is_numeric());
    let known = markers::REPLY_PREFIXES.contains(&word) || markers::FORWARD_PREFIXES.contains(&word);
    known.then(|| (word.to_owned(), rest))
}

/// One line, and what is needed of it again and again.
struct Line<'a> {
    /// As written, without space at its end.
    raw: &'a str,
    /// Without quote marks and space around it.
    inner: &'a str,
    /// `inner` in lower case, one space between words.
    folded: String,
    quoted: bool,
}

/// Characters of a line that are looked at: marks stand in short lines.
const LINE_CHARS_MAX: usize = 400;

impl<'a> Line<'a> {
    fn new(raw: &'a str) -> Self {
        let raw = raw.trim_end();
        let start = raw.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
        let quoted = start.starts_with('>');
        let inner = start.trim_start_matches(|c: char| c == '>' || c.is_whitespace());
        Self { raw, inner, folded: markers::folded(inner, LINE_CHARS_MAX), quoted }
    }

    fn is_blank(&self) -> bool {
        self.inner.is_empty()
    }

    fn is_long(&self) -> bool {
        self.inner.len() > LINE_CHARS_MAX
    }
}

struct Splitter<'l, 'a> {
    lines: &'l [Line<'a>],
    own: Vec<&'a str>,
    signature: Vec<&'a str>,
    quotes: bool,
}

impl Splitter<'_, '_> {
    /// Sorts the lines; says from where on everything is quoted.
    fn run(&mut self) -> usize {
        let mut in_signature = false;
        let mut at = 0;
        while let Some(line) = self.lines.get(at) {
            if line.quoted {
                self.quotes = true;
                in_signature = false;
                at += 1;
            } else if line.is_blank() {
                if in_signature { &mut self.signature } else { &mut self.own }.push(line.raw);
                at += 1;
            } else if self.begins_the_rest(at) {
                self.quotes = true;
                return at;
            } else if let Some(length) = attribution::at(self.lines, at) {
                self.quotes = true;
                if !self.is_marked_below(at + length) {
                    return at;
                }
                at += length;
            } else {
                in_signature = self.sort(at, in_signature);
                at += 1;
            }
        }
        self.lines.len()
    }

    /// Puts a line that is not quoted where it belongs; says whether a signature goes on behind it.
    fn sort(&mut self, at: usize, in_signature: bool) -> bool {
        let line = &self.lines[at];
        if signature::is_program_line(line) || self.is_number_below_program_line(at) {
            self.signature.push(line.raw);
            return in_signature;
        }
        if signature::is_postscript(line) {
            self.own.push(line.raw);
            return false;
        }
        if in_signature || signature::begins(line) {
            self.signature.push(line.raw);
            return true;
        }
        match signature::closing(line) {
            Some(Closing::Line) => {
                self.signature.push(line.raw);
                true
            }
            None => {
                self.own.push(line.raw);
                false
            }
        }
    }

    /// People let their telephone add its number below its own name.
    fn is_number_below_program_line(&self, at: usize) -> bool {
        let above = at.checked_sub(1).and_then(|above| self.lines.get(above));
        above.is_some_and(signature::is_program_line) && !self.lines[at].inner.contains(char::is_alphabetic)
    }

    /// Whether everything from this line on is another mail.
    fn begins_the_rest(&self, at: usize) -> bool {
        let line = &self.lines[at];
        markers::is_forward_mark(line)
            || markers::is_original_mark(line)
            || block::at(self.lines, at).is_some()
            || markers::is_rule(line)
                && self.next_text(at + 1).is_some_and(|next| block::at(self.lines, next).is_some())
    }

    fn is_marked_below(&self, at: usize) -> bool {
        self.next_text(at).is_some_and(|next| self.lines[next].quoted)
    }

    fn next_text(&self, at: usize) -> Option<usize> {
        (at..self.lines.len()).find(|&at| self.lines[at].quoted || !self.lines[at].is_blank())
    }
}

/// The senders of forwarded mails. A mark of a forward counts wherever it stands in what is not the sender's
/// own; a bare header block only at the beginning of it, and only if the subject says that this is a forward.
fn forwarded_from(lines: &[Line<'_>], rest: &[Line<'_>], forward: bool) -> Vec<String> {
    let mut senders: Vec<String> = Vec::new();
    let mut push = |sender: Option<String>| {
        if let Some(sender) = sender
            && !senders.contains(&sender)
        {
            senders.push(sender);
        }
    };
    if forward {
        let first = (0..rest.len().min(NEAR_LINES)).find_map(|at| block::at(rest, at));
        push(first.and_then(|block| block.sender));
    }
    let marked = lines.iter().enumerate().filter(|(_, line)| markers::is_forward_mark(line));
    for (at, _) in marked.take(FORWARDS_MAX) {
        let near = (at + 1..lines.len().min(at + NEAR_LINES)).find_map(|at| block::at(lines, at));
        push(near.and_then(|block| block.sender));
    }
    senders
}

/// Lines as one text: without space around it, and never two empty lines.
fn joined(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut blank = 0;
    for line in lines {
        if line.trim().is_empty() {
            blank += 1;
            continue;
        }
        if !text.is_empty() {
            text.push_str(if blank > 0 { "\n\n" } else { "\n" });
        }
        blank = 0;
        text.push_str(line.trim());
    }
    text
}

#[cfg(test)]
mod tests;
