//! What speaks against a request that the words alone would be: an order, a condition, a footer, a "not".
//!
//! In doubt a request is kept for a person, not dropped: dropping needs a reason of its own.

use super::class::{Class, Classes};
use super::patterns::Fit;
use super::rule::Rule;
use super::token::Word;

/// Words between a verb and an order that it is about.
const ORDER_REACH: usize = 4;
/// Words between a wish and the verb that it denies: "не хочу отписываться".
const WISH_REACH: usize = 4;
/// Words between a condition and the verb that hangs on it.
const CONDITION_REACH: usize = 4;

/// What becomes of a request when what is around it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is one.
    Stands,
    /// It may be one.
    Doubtful,
    /// It is none, for this reason.
    Falls(Rule),
}

/// What all words of the mail mean, its subject's included.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Around(Classes);

impl Around {
    /// What these words mean.
    pub(super) fn of<'w>(words: impl Iterator<Item = &'w Word>) -> Self {
        Self(words.fold(Classes::NONE, |all, word| all.with(word.classes)))
    }

    /// Whether the mail has a word of the class.
    pub(super) const fn has(self, class: Class) -> bool {
        self.0.has(class)
    }
}

/// What becomes of a request to stop marketing.
pub(super) fn standing(fit: &Fit, words: &[Word], around: Around) -> Standing {
    let has = |class| words.iter().any(|word| word.classes.has(class));
    if has(Class::Click) && !has(Class::Cannot) && !has(Class::Not) {
        return Standing::Falls(Rule::NothingOther);
    }
    if is_footer(words) {
        return Standing::Doubtful;
    }
    if around.has(Class::Offer) || around.has(Class::Mistake) {
        return Standing::Doubtful;
    }
    if denies(fit, words) {
        return Standing::Falls(Rule::NothingNegated);
    }
    if is_about_another_matter(fit, words, around) {
        return Standing::Doubtful;
    }
    match fit.rule {
        Rule::OptOutUnsubscribe => unsubscribing(fit, words, around),
        Rule::OptOutContact | Rule::OptOutBothered if is_about_the_reader(fit, words) => {
            Standing::Falls(Rule::NothingOther)
        }
        Rule::OptOutObject | Rule::OptOutContact | Rule::OptOutList | Rule::OptOutConsent => {
            about_goods(fit, words, around)
        }
        _ => Standing::Stands,
    }
}

/// Who applies for a job or complains of a courier says "do not call" and "do not send him" too; and who wants
/// fewer mails wants some.
fn is_about_another_matter(fit: &Fit, words: &[Word], around: Around) -> bool {
    let has = |class| words.iter().any(|word| word.classes.has(class));
    if matches!(fit.rule, Rule::OptOutContact | Rule::OptOutObject) && has(Class::LessOften) {
        return true;
    }
    if fit.rule != Rule::OptOutContact || [Class::Mailing, Class::Message, Class::Spam].into_iter().any(has) {
        return false;
    }
    let of_an_order = around.has(Class::Complain) || around.has(Class::WriteBack);
    around.has(Class::Job) || (of_an_order && around.has(Class::Order))
}

/// "Do not take me off the list": the verb of the request is there too, negated.
fn denies(fit: &Fit, words: &[Word]) -> bool {
    let head = fit.places[0];
    let near = words[head.saturating_sub(WISH_REACH)..words.len().min(head + WISH_REACH)].iter();
    let is_denied = |word: &Word| word.is_not(Class::Remove) || word.is_not(Class::Leave);
    fit.rule == Rule::OptOutList && !words[head].negated && near.into_iter().any(is_denied)
}

/// "I won't email you again": a promise of somebody who writes to us, not a request.
fn is_about_the_reader(fit: &Fit, words: &[Word]) -> bool {
    let head = fit.places[0];
    let near = &words[head.saturating_sub(1)..words.len().min(head + 2)];
    let promises = words[head].negated && near.iter().any(|word| word.classes.has(Class::You));
    promises && !words.iter().any(|word| word.classes.has(Class::Me))
}

/// "If you no longer wish to receive", which companies write to people and not the other way round.
fn is_footer(words: &[Word]) -> bool {
    let ifs = words.iter().enumerate().filter(|(_, word)| word.classes.has(Class::If));
    ifs.into_iter().any(|(at, _)| {
        let near = &words[at..words.len().min(at + CONDITION_REACH)];
        let is_you = near.iter().any(|word| word.classes.has(Class::You));
        is_you && near_wish(words, at)
    })
}

fn near_wish(words: &[Word], at: usize) -> bool {
    let wishes = Classes::of(&[Class::Want, Class::Unwanted, Class::Need]);
    words[at..words.len().min(at + 2 * CONDITION_REACH)].iter().any(|word| word.classes.any(wishes))
}

fn unsubscribing(fit: &Fit, words: &[Word], around: Around) -> Standing {
    let head = fit.places[0];
    let clause = words[head].clause;
    let before = &words[head.saturating_sub(WISH_REACH)..head];
    let unwished = before
        .iter()
        .any(|word| word.clause == clause && (word.is_not(Class::Want) || word.is_not(Class::Need)));
    if unwished {
        return Standing::Falls(Rule::NothingNegated);
    }
    let is_condition = |word: &&Word| word.classes.has(Class::If) && word.clause == clause;
    let condition = words[head.saturating_sub(CONDITION_REACH)..head].iter().any(|word| is_condition(&word));
    let has = |class| words.iter().any(|word| word.classes.has(class));
    let bare = ![Class::Me, Class::Mailing, Class::Message, Class::List].into_iter().any(has);
    if bare && around.has(Class::WriteBack) {
        return Standing::Falls(Rule::NothingWriteBack);
    }
    if has(Class::Mistake)
        || (has(Class::Topic) && !has(Class::Me))
        || (condition && !has(Class::Cannot))
        || (around.has(Class::Footer) && words.len() <= WISH_REACH)
    {
        return Standing::Doubtful;
    }
    Standing::Stands
}

/// Whether it is goods, not messages, that are refused, stopped or not to be sent.
fn about_goods(fit: &Fit, words: &[Word], around: Around) -> Standing {
    let head = fit.places[0];
    let distance = |class| {
        let places = words.iter().enumerate().filter(|(_, word)| word.classes.has(class));
        places.map(|(at, _)| at.abs_diff(head)).min()
    };
    let paid = words.iter().any(|word| word.classes.has(Class::Subscription))
        && words
            .iter()
            .all(|word| !word.classes.has(Class::Mailing) || word.classes.has(Class::Subscription));
    if paid && distance(Class::Order).is_some() {
        return Standing::Doubtful;
    }
    let own = [Class::Me, Class::My, Class::Address, Class::Mailing];
    let is_own = own.into_iter().any(|class| distance(class).is_some());
    if fit.rule == Rule::OptOutList && !is_own && distance(Class::Order).is_some() {
        return Standing::Falls(Rule::NothingOrder);
    }
    if distance(Class::Mailing).is_some() || distance(Class::Spam).is_some() {
        return Standing::Stands;
    }
    let Some(order) = distance(Class::Order) else {
        let is_plain =
            fit.rule == Rule::OptOutContact && !words.iter().any(|word| word.classes.has(Class::More));
        return if around.has(Class::Order) && is_plain { Standing::Doubtful } else { Standing::Stands };
    };
    let message =
        [Class::Message, Class::List, Class::Me, Class::Consent].into_iter().filter_map(distance).min();
    if order <= ORDER_REACH && message.is_none_or(|message| order < message) {
        return Standing::Falls(Rule::NothingOrder);
    }
    if fit.rule == Rule::OptOutContact || around.has(Class::WriteBack) {
        Standing::Doubtful
    } else {
        Standing::Stands
    }
}
