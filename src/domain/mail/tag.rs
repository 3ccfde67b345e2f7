//! Gives words their meaning: classes from the lexicon, phrases, negation, words run together.

use super::class::{Class, Classes};
use super::fold::Forms;
use super::lexicon::Lexicon;
use super::split;
use super::token::{Kind, Sentence, Tokens, Word};

/// Words of one mail that are compared with the lexicon's longest words for misspellings or split: each
/// costs some thousand steps.
const UNKNOWN_WORDS_MAX: usize = 2_000;
/// Words that may stand between a negation and what it negates.
const NEGATION_REACH: usize = 6;
/// Words between a Kazakh verb and the auxiliary that negates it.
const AUXILIARY_REACH: usize = 2;
/// Digits that make an address of a number.
const PHONE_DIGITS_MIN: usize = 10;

/// What a negation passes over.
const TRANSPARENT: Classes =
    Classes::of(&[Class::Filler, Class::Me, Class::My, Class::More, Class::You, Class::Polite]);
/// What carries a negation on to the verb that depends on it, without taking it away from itself.
const NEGATED_BY_A_WORD: Classes = Classes::of(&[
    Class::Send,
    Class::Sending,
    Class::Coming,
    Class::Receive,
    Class::Want,
    Class::Need,
    Class::Bother,
    Class::Spam,
    Class::Unsubscribe,
    Class::Unsubscribed,
    Class::Remove,
    Class::Stop,
    Class::Cancel,
    Class::Refuse,
    Class::Withdraw,
    Class::Give,
    Class::Consent,
    Class::Subscribe,
    Class::Processing,
    Class::Block,
    Class::Leave,
    Class::Add,
    Class::Keep,
    Class::Changed,
    Class::Auxiliary,
    Class::Annoyed,
]);

/// The text's words with their meaning.
pub(super) fn tagged(mut tokens: Tokens, lexicon: &Lexicon) -> Tokens {
    tokens = split::apart(tokens, lexicon, UNKNOWN_WORDS_MAX);
    let mut unknown = 0;
    for word in tokens.words.iter_mut().filter(|word| word.kind == Kind::Letters) {
        let known = lexicon.known(&word.forms).or_else(|| {
            unknown += 1;
            (unknown <= UNKNOWN_WORDS_MAX).then(|| lexicon.misspelt(&word.forms)).flatten()
        });
        let known = known.unwrap_or_default();
        word.classes = known.classes;
        word.negated |= known.negated;
    }
    for sentence in tokens.sentences.clone() {
        phrases(&mut tokens.words, &sentence, lexicon);
        let words = &mut tokens.words[sentence.words.clone()];
        addresses(words);
        auxiliaries(words);
        negations(words);
    }
    tokens
}

/// Finds phrases: the longest at each place. Its meaning goes to its first word, its other words lose theirs.
fn phrases(words: &mut [Word], sentence: &Sentence, lexicon: &Lexicon) {
    let forms: Vec<Forms> = words[sentence.words.clone()].iter().map(|word| word.forms.clone()).collect();
    let mut at = 0;
    while at < forms.len() {
        let found = lexicon
            .phrases(&forms[at])
            .filter_map(|phrase| Some((phrase.covers(&forms[at..])?, phrase.classes)))
            .max_by_key(|(covered, _)| covered.places.len());
        let Some((covered, mut classes)) = found else {
            at += 1;
            continue;
        };
        for phrase in lexicon.phrases(&forms[at]) {
            if phrase.covers(&forms[at..]).is_some_and(|other| other.places == covered.places) {
                classes = classes.with(phrase.classes);
            }
        }
        let words = &mut words[sentence.words.clone()][at..];
        for place in &covered.places {
            words[*place].classes = Classes::of(&[Class::Common, Class::Filler]);
            words[*place].negated = false;
        }
        words[0].classes = classes;
        words[0].negated = covered.negated;
        at += covered.places.last().map_or(1, |last| last + 1);
    }
}

/// Addresses and long numbers are addresses, whatever is around them.
fn addresses(words: &mut [Word]) {
    let digits = |word: &Word| if word.kind == Kind::Number { word.span.len() } else { 0 };
    let mut at = 0;
    while at < words.len() {
        let run = words[at..].iter().take_while(|word| word.kind == Kind::Number).count();
        let total: usize = words[at..at + run].iter().map(digits).sum();
        if words[at].kind == Kind::Email || total >= PHONE_DIGITS_MIN {
            words[at].classes = Classes::of(&[Class::Address]);
        }
        at += run.max(1);
    }
}

/// Carries the negation of `жібере бермеңіз` from the auxiliary to the verb.
fn auxiliaries(words: &mut [Word]) {
    let verbs = Classes::of(&[Class::Send, Class::Bother, Class::Receive]);
    for at in 0..words.len() {
        let stops = words[at].classes.has(Class::Stop) && words[at].classes.has(Class::Auxiliary);
        // `Жіберуді қойыңыз` stops, `ауыстырып қойыңыз` only finishes.
        if stops && at > 0 && words[at - 1].forms.cyrillic_or_own().ends_with('п') {
            words[at].classes = Classes::of(&[Class::Common]);
        }
        if words[at].is_not(Class::Auxiliary) {
            let from = at.saturating_sub(AUXILIARY_REACH);
            let verb = words[from..at].iter_mut().rev().find(|word| word.classes.any(verbs));
            if let Some(verb) = verb {
                verb.negated = true;
            }
        }
    }
}

/// Carries `не` and `not` on to the verbs behind them.
fn negations(words: &mut [Word]) {
    for at in 0..words.len() {
        if !words[at].classes.has(Class::Not) {
            continue;
        }
        let clause = words[at].clause;
        let reach = words[at + 1..].iter_mut().take(NEGATION_REACH).take_while(|word| word.clause == clause);
        for word in reach {
            if word.classes.any(NEGATED_BY_A_WORD) {
                word.negated = !word.negated;
                break;
            }
            if !word.classes.any(TRANSPARENT) {
                break;
            }
        }
    }
}
