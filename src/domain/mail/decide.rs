//! From tagged words to what they ask for: every sentence by itself, then the mail as a whole.

use super::class::{Class, Classes};
use super::context::{Around, Standing, standing};
use super::patterns::{Fit, HOLDS, OPT_OUTS, Pattern, REVIEWS, UNSURE};
use super::rule::Rule;
use super::token::{Sentence, Tokens, Word};

/// What a sentence asks for, strongest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asks {
    /// Nothing of ours.
    Nothing,
    /// Something that a person must answer.
    Review,
    /// Perhaps an end to marketing.
    Unsure,
    /// An end to marketing.
    OptOut,
    /// Data to be blocked or erased.
    Hold,
}

/// What was heard in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) asks: Asks,
    pub(super) rule: Rule,
    /// The sentence's place among the sentences.
    pub(super) sentence: usize,
}

/// What was heard in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hearing {
    /// What each sentence asks for, in their order.
    pub(super) heard: Vec<Heard>,
}

const NAMES_MARKETING: Classes =
    Classes::of(&[Class::Mailing, Class::Message, Class::Spam, Class::Sending, Class::Coming]);

impl Hearing {
    /// Listens to every sentence.
    pub(super) fn of(tokens: &Tokens) -> Self {
        let says = |class| tokens.words.iter().any(|word| word.classes.has(class));
        let around = Around {
            orders: says(Class::Order),
            footer: says(Class::Footer),
            write_back: says(Class::WriteBack),
            offers: says(Class::Offer),
            mistaken: says(Class::Mistake),
        };
        let sentences = tokens.sentences.iter().enumerate();
        let mut heard: Vec<Heard> = sentences
            .map(|(index, sentence)| {
                let (asks, rule) = heard_in(tokens.of_sentence(sentence), around);
                Heard { asks, rule, sentence: index }
            })
            .collect();
        for index in 0..heard.len() {
            if heard[index].rule == Rule::UnsureNoObject && neighbour_names(tokens, index) {
                heard[index] = Heard { asks: Asks::OptOut, rule: Rule::OptOutObject, sentence: index };
            }
        }
        Self { heard }
    }

    /// The strongest request; of equals the first, of nothings the one with a reason.
    pub(super) fn strongest(&self) -> Option<&Heard> {
        let with_a_reason = |heard: &&Heard| heard.rule != Rule::NothingOther;
        let most = self.heard.iter().map(|heard| heard.asks).max()?;
        let mut equals = self.heard.iter().filter(|heard| heard.asks == most);
        equals.clone().find(with_a_reason).or_else(|| equals.next())
    }
}

/// Whether the sentence before or behind names what a bare "stop it" is about.
fn neighbour_names(tokens: &Tokens, index: usize) -> bool {
    let near = tokens.sentences.iter().enumerate().filter(|(at, _)| at.abs_diff(index) == 1);
    near.into_iter().any(|(_, sentence): (usize, &Sentence)| {
        tokens.of_sentence(sentence).iter().any(|word| word.classes.any(NAMES_MARKETING))
    })
}

fn heard_in(words: &[Word], around: Around) -> (Asks, Rule) {
    if let Some(fit) = first(HOLDS, words).next() {
        return (Asks::Hold, fit.rule);
    }
    let mut fallen = None;
    let mut doubtful = false;
    for fit in first(OPT_OUTS, words) {
        match standing(&fit, words, around) {
            Standing::Stands => return (Asks::OptOut, fit.rule),
            Standing::Doubtful => doubtful = true,
            Standing::Falls(rule) => fallen = fallen.or(Some(rule)),
        }
    }
    if doubtful {
        return (Asks::Unsure, Rule::UnsureContext);
    }
    if let Some(rule) = fallen {
        return (Asks::Nothing, rule);
    }
    if let Some(rule) = denied(words) {
        return (Asks::Nothing, rule);
    }
    let has = |class| words.iter().any(|word| word.is(class));
    if let Some(fit) = first(UNSURE, words).next() {
        let order_here = words.iter().any(|word| word.classes.has(Class::Order));
        let of_orders = [Class::Refuse, Class::Cancel].into_iter().any(has);
        if fit.rule == Rule::UnsureNoObject && (order_here || (around.orders && of_orders)) {
            return (Asks::Nothing, Rule::NothingOrder);
        }
        if !first(REVIEWS, words).any(|fit| fit.rule == Rule::ReviewAccess) {
            return (Asks::Unsure, fit.rule);
        }
    }
    if let Some(fit) = first(REVIEWS, words).next() {
        return (Asks::Review, fit.rule);
    }
    match () {
        () if has(Class::WriteBack) => (Asks::Nothing, Rule::NothingWriteBack),
        () if has(Class::Subscribe) => (Asks::Nothing, Rule::NothingSubscribing),
        () => (Asks::Nothing, Rule::NothingOther),
    }
}

/// "Do not unsubscribe me", "I do not refuse".
fn denied(words: &[Word]) -> Option<Rule> {
    let verbs = [Class::Unsubscribe, Class::Refuse, Class::Remove, Class::Stop, Class::Withdraw];
    words.iter().any(|word| verbs.into_iter().any(|verb| word.is_not(verb))).then_some(Rule::NothingNegated)
}

fn first<'w>(patterns: &'static [Pattern], words: &'w [Word]) -> impl Iterator<Item = Fit> + 'w {
    patterns.iter().flat_map(move |pattern| pattern.fits(words).collect::<Vec<_>>())
}
