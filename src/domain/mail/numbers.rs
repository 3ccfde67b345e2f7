//! Telephone numbers and addresses that a mail gives for its writer, besides the one in `From`.
//!
//! A number counts if it is called the writer's own or stands in the sentence of the request; in a signature
//! it says only how to reach somebody. The company's own numbers and addresses are never anybody's.

use crate::domain::identifier::{Country, canonical};
use crate::domain::words::IdentifierKind;

use super::class::Class;
use super::token::{Kind, Tokens, Word};

/// The most identifiers that one mail may add.
const FOUND_MAX: usize = 12;
/// Digits of a number as people write it, at least and at most.
const DIGITS: std::ops::RangeInclusive<usize> = 10..=15;

/// What a mail names besides its sender, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) phones: Vec<String>,
    pub(super) emails: Vec<String>,
}

/// The numbers and addresses in the sentences of the request, and those that are called the writer's.
pub(super) fn named(text: &str, tokens: &Tokens, requests: &[usize], country: &Country) -> Named {
    let mut named = Named::default();
    for (index, sentence) in tokens.sentences.iter().enumerate() {
        let words = tokens.of_sentence(sentence);
        let is_next = requests.iter().any(|request| request.abs_diff(index) == 1);
        let in_request = requests.contains(&index) || is_line_below(text, tokens, requests, index);
        let mut at = 0;
        while at < words.len() && named.phones.len() + named.emails.len() < FOUND_MAX {
            let run = run_of_digits(text, &words[at..]);
            let counts = in_request
                || is_own(words)
                || (is_next && is_reached(words))
                || (at == 1 && is_called_a_number_at_once(text, tokens, requests, index));
            if words[at].kind == Kind::Email && (counts || is_next) {
                push(&mut named.emails, &text[words[at].span.clone()]);
            } else if run > 0
                && counts
                && !is_no_phone(&words[..at])
                && let Some(phone) = phone(text, &words[at..at + run], country)
            {
                push(&mut named.phones, &phone);
            }
            at += run.max(1);
        }
    }
    named
}

/// Whether a sentence is nothing but a number on the line below the request: one below a blank line or a name
/// is a signature.
fn is_line_below(text: &str, tokens: &Tokens, requests: &[usize], index: usize) -> bool {
    let above = index.checked_sub(1).filter(|above| requests.contains(above));
    let Some(above) = above.and_then(|above| tokens.of_sentence(&tokens.sentences[above]).last()) else {
        return false;
    };
    let words = tokens.of_sentence(&tokens.sentences[index]);
    let Some(first) = words.first() else { return false };
    let between = &text[above.span.end.min(first.span.start)..first.span.start];
    words.iter().all(|word| word.kind != Kind::Letters) && between.matches('\n').count() == 1
}

/// "Stop calling me! Number 8777…": on the line of the request, and called a number by the word before it. On a
/// line of its own the same may be a signature.
fn is_called_a_number_at_once(text: &str, tokens: &Tokens, requests: &[usize], index: usize) -> bool {
    let Some(above) = index.checked_sub(1).filter(|above| requests.contains(above)) else { return false };
    let Some(last) = tokens.of_sentence(&tokens.sentences[above]).last() else { return false };
    let Some(first) = tokens.of_sentence(&tokens.sentences[index]).first() else { return false };
    let between = &text[last.span.end.min(first.span.start)..first.span.start];
    first.classes.has(Class::Address) && !between.contains('\n')
}

fn push(list: &mut Vec<String>, value: &str) {
    if !list.iter().any(|known| known == value) {
        list.push(value.to_owned());
    }
}

/// How many words from the first on are groups of one number.
fn run_of_digits(text: &str, words: &[Word]) -> usize {
    let mut count = 0;
    let mut digits = 0;
    for (index, word) in words.iter().enumerate() {
        let length = text[word.span.clone()].chars().count();
        let joins = index == 0 || is_within_a_number(&text[words[index - 1].span.end..word.span.start]);
        if word.kind != Kind::Number
            || !joins
            || digits + length > *DIGITS.end()
            || digits_end(text, &words[..index], digits)
        {
            break;
        }
        digits += length;
        count += 1;
    }
    count
}

/// A number of eleven digits that begins with 7 or 8 is whole: what follows is another one.
fn digits_end(text: &str, words: &[Word], digits: usize) -> bool {
    let first = words.first().and_then(|word| text[word.span.clone()].chars().next());
    digits == 11 && matches!(first, Some('7' | '8'))
}

fn is_within_a_number(between: &str) -> bool {
    between.chars().count() <= 3
        && between.chars().all(|c| c == ' ' || c == '\u{A0}' || "-‐‑–—().~".contains(c))
}

fn phone(text: &str, words: &[Word], country: &Country) -> Option<String> {
    let (first, last) = (words.first()?, words.last()?);
    let start = first.span.start;
    let plus = text[..start].trim_end_matches(['(', ' ']).ends_with('+');
    let written = format!("{}{}", if plus { "+" } else { "" }, &text[start..last.span.end]);
    let digits = written.chars().filter(|c| c.is_numeric()).count();
    let is_phone = DIGITS.contains(&digits)
        && canonical(IdentifierKind::Phone, &written, country, &mut String::new()).is_ok();
    is_phone.then_some(written)
}

/// "Your texts come to this number": what the request beside it is about.
fn is_reached(words: &[Word]) -> bool {
    let has = |class| words.iter().any(|word| word.classes.has(class));
    let comes = [Class::Coming, Class::Sending, Class::Me, Class::My, Class::Message];
    !has(Class::Order) && has(Class::Address) && comes.into_iter().any(has)
}

/// "My number is": something of the writer's that is an address.
fn is_own(before: &[Word]) -> bool {
    let address = before.iter().any(|word| word.classes.has(Class::Address));
    let owned = before.iter().any(|word| word.classes.has(Class::My) || word.classes.has(Class::Me));
    address && owned
        || before.iter().any(|word| word.classes.has(Class::Address) && word.classes.has(Class::My))
}

/// The number of an order or a contract.
fn is_no_phone(before: &[Word]) -> bool {
    before.last().is_some_and(|word| word.classes.has(Class::Order))
}
