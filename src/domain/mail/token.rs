//! Cuts a text into words and sentences.
//!
//! People write without stops, with a stop in every line, and in lines that a mail program broke. A full
//! stop, a blank line and the end of a short line end a sentence; the end of a full line does not.
//! Addresses and numbers are words of their own; links are none.

use std::ops::Range;

use super::class::{Class, Classes};
use super::fold::{Forms, forms};

/// A line of at least this many characters was broken by a program, not by its writer.
const FULL_LINE_CHARS: usize = 50;
/// Fewest single letters in a row that are taken for one word with spaces between its letters.
const SPACED_LETTERS_MIN: usize = 4;

/// Abbreviations that a full stop follows within a sentence, folded.
const ABBREVIATIONS: [&str; 16] =
    ["см", "г", "ул", "тел", "моб", "им", "т", "д", "п", "н", "каб", "доб", "эл", "no", "st", "тг"];

/// One word of a text.
#[derive(Debug, Clone)]
pub(super) struct Word {
    /// Where it stands in the text, in bytes.
    pub(super) span: Range<usize>,
    /// Its folded forms; empty for an address or number.
    pub(super) forms: Forms,
    /// What it means; filled in by the lexicon.
    pub(super) classes: Classes,
    /// Whether it is negated.
    pub(super) negated: bool,
    /// What kind of word it is.
    pub(super) kind: Kind,
    /// Counts the parts between commas and the like, over the whole text.
    pub(super) clause: usize,
}

/// What kind of word it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters.
    Letters,
    /// An e-mail address.
    Email,
    /// Digits, perhaps a telephone number.
    Number,
}

/// A sentence: its words, and whether it ends with a question mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sentence {
    pub(super) words: Range<usize>,
    pub(super) asks: bool,
}

/// What the ends of lines mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// A short line is a sentence.
    AsWritten,
    /// Only blank lines separate: for people who break lines as they like.
    Joined,
}

/// A text in words and sentences.
#[derive(Debug, Clone, Default)]
pub(super) struct Tokens {
    pub(super) words: Vec<Word>,
    pub(super) sentences: Vec<Sentence>,
}

impl Tokens {
    /// Cuts a text that [`visible`](super::fold::visible) has been over.
    pub(super) fn of(text: &str, lines: Lines) -> Self {
        let mut cutter = Cutter { text, lines, tokens: Self::default(), clause: 0, begins: 0 };
        for (start, line) in lines_of(text) {
            cutter.line(start, line);
        }
        cutter.end_sentence(false);
        let mut tokens = cutter.tokens;
        tokens.join_spaced_letters(text);
        tokens
    }

    /// The words of a sentence.
    pub(super) fn of_sentence(&self, sentence: &Sentence) -> &[Word] {
        &self.words[sentence.words.clone()]
    }

    /// Makes `о т п и с к а` one word.
    fn join_spaced_letters(&mut self, text: &str) {
        let is_single =
            |word: &Word| word.kind == Kind::Letters && text[word.span.clone()].chars().count() == 1;
        for sentence in 0..self.sentences.len() {
            let range = self.sentences[sentence].words.clone();
            let mut at = range.start;
            while at < range.end {
                let run = self.words[at..range.end].iter().take_while(|word| is_single(word)).count();
                if run >= SPACED_LETTERS_MIN {
                    let joined: String =
                        self.words[at..at + run].iter().map(|word| &text[word.span.clone()]).collect();
                    let end = self.words[at + run - 1].span.end;
                    self.words[at].span.end = end;
                    self.words[at].forms = forms(&joined);
                    for word in &mut self.words[at + 1..at + run] {
                        word.forms = Forms::default();
                    }
                }
                at += run.max(1);
            }
        }
    }
}

/// Lines with the place where each begins.
fn lines_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line))
    })
}

struct Cutter<'t> {
    text: &'t str,
    lines: Lines,
    tokens: Tokens,
    clause: usize,
    /// The first word of the sentence that is being read.
    begins: usize,
}

impl Cutter<'_> {
    fn line(&mut self, start: usize, line: &str) {
        let mut at = start;
        for chunk in line.split_inclusive(char::is_whitespace) {
            self.chunk(at, chunk.trim_end());
            at += chunk.len();
        }
        let chars = line.trim().chars().count();
        if chars == 0 || (chars < FULL_LINE_CHARS && self.lines == Lines::AsWritten) {
            self.end_sentence(false);
        }
    }

    /// Reads what stands between two blanks.
    fn chunk(&mut self, start: usize, chunk: &str) {
        if is_link(chunk) {
            return;
        }
        if matches!(chunk, "-" | "--") {
            self.clause += 1;
        }
        if let Some(address) = address_in(chunk) {
            self.push(start + address.start..start + address.end, Kind::Email);
            self.marks(&chunk[address.end..]);
            return;
        }
        let mut word: Option<usize> = None;
        for (at, c) in chunk.char_indices() {
            let inside = c.is_alphanumeric() || is_mark(c) || is_inner(chunk, at, c);
            match (inside, word) {
                (true, None) => word = Some(at),
                (false, Some(begin)) => {
                    self.word(start, chunk, begin..at);
                    word = None;
                    self.mark(c, &chunk[at..]);
                }
                (false, None) => self.mark(c, &chunk[at..]),
                (true, Some(_)) => {}
            }
        }
        if let Some(begin) = word {
            self.word(start, chunk, begin..chunk.len());
        }
    }

    fn word(&mut self, start: usize, chunk: &str, at: Range<usize>) {
        let digits = chunk[at.clone()].chars().all(|c| c.is_numeric());
        self.push(start + at.start..start + at.end, if digits { Kind::Number } else { Kind::Letters });
    }

    fn push(&mut self, span: Range<usize>, kind: Kind) {
        let forms = if kind == Kind::Letters { forms(&self.text[span.clone()]) } else { Forms::default() };
        let word = Word { span, forms, classes: Classes::NONE, negated: false, kind, clause: self.clause };
        self.tokens.words.push(word);
    }

    fn marks(&mut self, rest: &str) {
        for (at, c) in rest.char_indices() {
            self.mark(c, &rest[at..]);
        }
    }

    /// What punctuation does; `rest` begins with it.
    fn mark(&mut self, c: char, rest: &str) {
        match c {
            '?' => self.end_sentence(true),
            '!' | ';' | '。' => self.end_sentence(false),
            // Not within lulla.kz or 8.777, nor behind an abbreviation such as "см." or "г.".
            '.' if !rest[1..].starts_with(|c: char| c.is_ascii_alphanumeric()) && !self.is_abbreviated() => {
                self.end_sentence(false);
            }
            ',' | ':' | '(' | ')' | '"' | '«' | '»' | '–' | '—' | '“' | '”' | '/' => {
                self.clause += 1
            }
            _ => {}
        }
    }

    /// Whether the last word is so short that a full stop behind it ends no sentence.
    fn is_abbreviated(&self) -> bool {
        let last = self.tokens.words.last().filter(|word| word.kind == Kind::Letters);
        last.is_some_and(|word| ABBREVIATIONS.contains(&word.forms.own.as_str()))
    }

    fn end_sentence(&mut self, asks: bool) {
        let end = self.tokens.words.len();
        if end > self.begins {
            self.tokens.sentences.push(Sentence { words: self.begins..end, asks });
        } else if asks && let Some(last) = self.tokens.sentences.last_mut() {
            last.asks = true;
        }
        self.begins = end;
        self.clause += 1;
    }
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// An apostrophe within a word: don't, otpisat'sya.
fn is_inner(chunk: &str, at: usize, c: char) -> bool {
    matches!(c, '\'' | '’' | '`' | 'ʼ' | '´' | '‘')
        && chunk[..at].ends_with(char::is_alphabetic)
        && chunk[at + c.len_utf8()..].starts_with(char::is_alphabetic)
}

fn is_link(chunk: &str) -> bool {
    chunk.contains("://") || chunk.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("www."))
}

/// Where an e-mail address stands in a chunk.
fn address_in(chunk: &str) -> Option<Range<usize>> {
    let sign = chunk.find('@')?;
    let is_part = |c: char| c.is_alphanumeric() || "._+-".contains(c);
    let before = chunk[..sign]
        .rfind(|c| !is_part(c))
        .map_or(0, |at| at + chunk[at..].chars().next().map_or(0, char::len_utf8));
    let after = &chunk[sign + 1..];
    let length = after.find(|c| !is_part(c)).unwrap_or(after.len());
    let domain = after[..length].trim_end_matches(['.', '-', '_', '+']);
    let is_whole = before < sign && domain.contains('.') && !domain.starts_with('.');
    is_whole.then_some(before..sign + 1 + domain.len())
}

impl Word {
    /// Whether it is of the class and not negated.
    pub(super) fn is(&self, class: Class) -> bool {
        self.classes.has(class) && !self.negated
    }

    /// Whether it is of the class and negated.
    pub(super) fn is_not(&self, class: Class) -> bool {
        self.classes.has(class) && self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(text: &str) -> Vec<String> {
        let tokens = Tokens::of(text, Lines::AsWritten);
        let words = |sentence: &Sentence| {
            let words: Vec<&str> =
                tokens.of_sentence(sentence).iter().map(|word| &text[word.span.clone()]).collect();
            words.join("|") + if sentence.asks { "?" } else { "" }
        };
        tokens.sentences.iter().map(words).collect()
    }

    #[test]
    fn stops_blank_lines_and_short_lines_end_a_sentence() {
        assert_eq!(sentences("Раз, два. Три! Как? Да"), ["Раз|два", "Три", "Как?", "Да"]);
        assert_eq!(sentences("СТОП\nИван"), ["СТОП", "Иван"]);
        assert_eq!(
            sentences("Прошу вас удалить мой адрес из вашего большого списка\nрассылки"),
            ["Прошу|вас|удалить|мой|адрес|из|вашего|большого|списка|рассылки"]
        );
        assert_eq!(sentences("Отпишите.Спасибо"), ["Отпишите", "Спасибо"]);
        assert_eq!(sentences("от lulla.kz да"), ["от|lulla|kz|да"]);
        assert_eq!(sentences("что ?! да"), ["что?", "да"]);
    }

    #[test]
    fn addresses_and_numbers_are_words_and_links_are_not() {
        assert_eq!(
            sentences("отпишите <a.b@mail.example>, https://x.kz/unsubscribe 8 777"),
            ["отпишите|a.b@mail.example|8|777"]
        );
        assert_eq!(sentences("don't, otpisat'sya"), ["don't|otpisat'sya"]);
    }

    #[test]
    fn letters_with_blanks_between_them_are_one_word() {
        let tokens = Tokens::of("о т п и с к а", Lines::AsWritten);
        assert_eq!(tokens.words[0].forms.own, "отписка");
        assert_eq!(tokens.words[1].forms.own, "");
    }
}
