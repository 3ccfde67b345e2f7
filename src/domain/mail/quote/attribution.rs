//! The line that says whose words follow: `On …, X wrote:`, «20 нояб. 2026 г., 12:00, X <x@y.kz>:».
//!
//! Programs phrase it in every way, wrap it over three lines and translate it, so it is told by what it is made
//! of: it ends with a colon, and has two of a date, an address and a verb of writing.

use super::Line;
use super::block::address_in;
use super::markers::{MONTHS, WROTE, WROTE_BEGINS};

const LINES_MAX: usize = 3;
const CHARS_MAX: usize = 300;

/// How many lines such an announcement takes that begins here.
pub(super) fn at(lines: &[Line<'_>], at: usize) -> Option<usize> {
    for length in 1..=LINES_MAX {
        let window = lines.get(at..at + length)?;
        let last = window.last()?;
        if last.is_blank() || last.quoted || last.is_long() {
            return None;
        }
        if length > 1 && is_alone(last) {
            // It stands whole below, and what is above it is somebody's words.
            return None;
        }
        if !ends(&last.folded) {
            continue;
        }
        let text = window.iter().map(|line| line.folded.as_str()).collect::<Vec<_>>().join(" ");
        let begins = length == 1 || begins(&window[0].folded);
        return (begins && text.chars().count() <= CHARS_MAX && is_announcement(&text)).then_some(length);
    }
    None
}

fn is_alone(line: &Line<'_>) -> bool {
    // Without a date it is the end of one that began above: `<x@y.kz> wrote:`.
    ends(&line.folded) && has_date(&line.folded) && is_announcement(&line.folded)
}

/// With a colon, behind which only decoration may stand, or with a verb of writing.
fn ends(folded: &str) -> bool {
    let bare = folded.trim_end_matches(['*', '_', '>', ' ', '-']);
    bare.ends_with(':') || verb(bare)
}

fn verb(text: &str) -> bool {
    let bare = text.trim_end_matches([':', '*', '_', ' ', '-', '>', '«', '"']);
    WROTE
        .iter()
        .any(|verb| bare.strip_suffix(verb).is_some_and(|before| !before.ends_with(char::is_alphanumeric)))
}

/// With a digit or a word that dates begin with, and a digit in the line.
fn begins(folded: &str) -> bool {
    let bare = folded.trim_start_matches(|c: char| !c.is_alphanumeric());
    let first: String = bare.chars().take_while(|c| c.is_alphanumeric()).collect();
    let dated = bare.contains(|c: char| c.is_ascii_digit());
    dated && (first.starts_with(|c: char| c.is_ascii_digit()) || WROTE_BEGINS.contains(&first.as_str()))
}

fn is_announcement(text: &str) -> bool {
    let bare = text.trim_end_matches([':', '*', '_', ' ', '-']);
    let verb = verb(text);
    let anywhere = WROTE.iter().any(|verb| text.split(' ').any(|word| word == *verb));
    let address = address_in(text).is_some();
    let dated = has_date(text);
    let ends_with_address =
        bare.ends_with(['>', ')', ']']) || bare.rsplit(' ').next().is_some_and(|word| word.contains('@'));
    if verb || anywhere {
        // With an address alone it may be a sentence: «по адресу a@b.kz мне написали».
        dated || address && !text.contains(['.', '!', '?']) || address && text.contains('<')
    } else {
        dated && address && ends_with_address && begins(text)
    }
}

/// A year, a time of day or a date in digits.
fn has_date(text: &str) -> bool {
    let digits = |c: char| c.is_ascii_digit();
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '<' | '>'));
    let year = |word: &str| word.len() == 4 && word.starts_with("20") && word.chars().all(digits);
    let pair = |word: &str| {
        let mut parts = word.trim_end_matches(':').split([':', '.', '/', '-']);
        let whole = |part: Option<&str>| {
            part.is_some_and(|part| !part.is_empty() && part.len() <= 4 && part.chars().all(digits))
        };
        whole(parts.next()) && whole(parts.next())
    };
    let month = |word: &str| MONTHS.iter().any(|month| word.starts_with(month));
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let bare = word.trim_end_matches(['.', ':']);
        let day = !bare.is_empty() && bare.len() <= 2 && bare.chars().all(digits);
        if year(bare) || pair(word) || day && words.peek().is_some_and(|next| month(next)) {
            return true;
        }
    }
    false
}
