//! What words mean together: the grammar of requests, as a table.
//!
//! A pattern is one word and others near it, in any order, because the three languages and people's haste
//! order them differently. The first pattern that fits a sentence is its meaning; what speaks against it
//! (an order, a condition, a newsletter's footer) is judged in `context.rs`.

use super::class::{Class, Classes};
use super::rule::Rule;
use super::token::Word;

/// A word of one of these classes, negated or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    classes: Classes,
    negated: bool,
}

/// A word and others near it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern {
    /// By which rule it decides.
    pub(super) rule: Rule,
    head: Need,
    near: &'static [Need],
    /// The most words from the head to any of the others.
    reach: usize,
}

/// Where a pattern fits in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fit {
    pub(super) rule: Rule,
    /// The places of its words in the sentence; the head first.
    pub(super) places: Vec<usize>,
}

const fn is(classes: &[Class]) -> Need {
    Need { classes: Classes::of(classes), negated: false }
}

const fn not(classes: &[Class]) -> Need {
    Need { classes: Classes::of(classes), negated: true }
}

const fn alone(rule: Rule, head: Need) -> Pattern {
    Pattern { rule, head, near: &[], reach: 0 }
}

const fn near(rule: Rule, head: Need, near: &'static [Need], reach: usize) -> Pattern {
    Pattern { rule, head, near, reach }
}

const NAMED: Need = is(&[Class::Mailing, Class::Message, Class::Spam]);
const LISTED: Need = is(&[Class::List, Class::Mailing]);
const SENT: Need = is(&[Class::Send, Class::Sending, Class::Coming, Class::Spam, Class::Bother]);
/// What refuses by itself, in the order in which people use it most.
const REFUSING: Need = is(&[Class::Stop, Class::Refuse, Class::Forbid, Class::Cancel, Class::Withdraw]);
const UNWISHED: Need = is(&[Class::Unwanted]);
const NOT_WISHED: Need = not(&[Class::Want, Class::Need]);

/// Requests to block or erase, or to end the processing of data.
pub(super) const HOLDS: &[Pattern] = &[
    near(Rule::HoldConsent, REFUSING, &[is(&[Class::Processing])], 10),
    near(Rule::HoldConsent, NOT_WISHED, &[is(&[Class::Processing])], 8),
    near(Rule::HoldConsent, UNWISHED, &[is(&[Class::Processing])], 8),
    near(Rule::HoldConsent, not(&[Class::Give, Class::Consent]), &[is(&[Class::Processing])], 8),
    near(Rule::HoldConsent, not(&[Class::Processing]), &[is(&[Class::Data])], 6),
    near(Rule::HoldData, is(&[Class::Remove, Class::Block]), &[is(&[Class::Data])], 8),
];

/// Requests to send no more marketing.
pub(super) const OPT_OUTS: &[Pattern] = &[
    alone(Rule::OptOutUnsubscribe, is(&[Class::Unsubscribe])),
    near(Rule::OptOutUnsubscribe, is(&[Class::Cannot]), &[not(&[Class::Unsubscribe])], 5),
    near(
        Rule::OptOutUnsubscribe,
        is(&[Class::Unsubscribed]),
        &[is(&[Class::Still, Class::Want, Class::Sending, Class::Coming])],
        10,
    ),
    alone(Rule::OptOutUnsubscribe, not(&[Class::Unsubscribed])),
    near(
        Rule::OptOutUnsubscribe,
        is(&[Class::BrushOff, Class::WriteBack]),
        &[is(&[Class::Mailing, Class::Spam])],
        4,
    ),
    near(Rule::OptOutConsent, REFUSING, &[is(&[Class::Consent])], 14),
    near(
        Rule::OptOutConsent,
        not(&[Class::Give]),
        &[is(&[Class::Consent]), is(&[Class::Mailing, Class::Message, Class::Receive, Class::Send])],
        8,
    ),
    near(
        Rule::OptOutConsent,
        not(&[Class::Consent]),
        &[is(&[Class::Mailing, Class::Message, Class::Receive, Class::Send])],
        8,
    ),
    near(Rule::OptOutList, is(&[Class::Remove, Class::Leave]), &[LISTED], 10),
    near(Rule::OptOutList, not(&[Class::Add]), &[LISTED], 6),
    near(Rule::OptOutList, is(&[Class::Remove]), &[is(&[Class::Me])], 4),
    near(Rule::OptOutList, is(&[Class::Remove]), &[is(&[Class::Address])], 5),
    near(Rule::OptOutList, is(&[Class::Add, Class::Remove]), &[is(&[Class::StopList])], 6),
    near(Rule::OptOutObject, is(&[Class::Remove]), &[NAMED], 5),
    near(Rule::OptOutObject, REFUSING, &[NAMED], 10),
    near(Rule::OptOutObject, not(&[Class::Send]), &[NAMED], 10),
    near(Rule::OptOutObject, UNWISHED, &[NAMED], 8),
    near(Rule::OptOutObject, NOT_WISHED, &[NAMED], 8),
    near(Rule::OptOutObject, is(&[Class::Annoyed]), &[NAMED], 8),
    near(Rule::OptOutObject, is(&[Class::None]), &[NAMED], 4),
    near(Rule::OptOutContact, REFUSING, &[SENT], 8),
    alone(Rule::OptOutContact, not(&[Class::Send])),
    alone(Rule::OptOutContact, not(&[Class::Spam])),
    // "If you do not stop".
    near(Rule::OptOutContact, not(&[Class::Stop]), &[is(&[Class::If]), SENT], 8),
    near(Rule::OptOutObject, not(&[Class::Stop]), &[is(&[Class::If]), NAMED], 8),
    near(
        Rule::OptOutContact,
        is(&[Class::SoThat]),
        &[not(&[Class::Sending, Class::Coming, Class::Receive])],
        8,
    ),
    near(Rule::OptOutContact, is(&[Class::More]), &[not(&[Class::Receive])], 4),
    near(Rule::OptOutContact, is(&[Class::Want]), &[not(&[Class::Receive])], 4),
    near(
        Rule::OptOutContact,
        UNWISHED,
        &[is(&[Class::Send, Class::Sending, Class::Coming, Class::Receive])],
        8,
    ),
    near(
        Rule::OptOutContact,
        NOT_WISHED,
        &[is(&[Class::Send, Class::Sending, Class::Coming, Class::Receive])],
        8,
    ),
    near(
        Rule::OptOutContact,
        is(&[Class::Annoyed]),
        &[is(&[Class::Stop, Class::Remove, Class::Sending, Class::Send])],
        8,
    ),
    near(Rule::OptOutContact, UNWISHED, &[is(&[Class::More])], 5),
    near(Rule::OptOutContact, NOT_WISHED, &[is(&[Class::More])], 5),
    near(Rule::OptOutObject, is(&[Class::More]), &[not(&[Class::Sending]), NAMED], 8),
    alone(Rule::OptOutBothered, not(&[Class::Bother])),
    alone(Rule::OptOutBothered, is(&[Class::LeaveAlone])),
    near(Rule::OptOutBothered, REFUSING, &[is(&[Class::Annoyed])], 5),
    alone(Rule::OptOutNeverAsked, is(&[Class::NeverAsked])),
];

/// What may be a request to send no more marketing, or an outburst.
pub(super) const UNSURE: &[Pattern] = &[
    alone(Rule::UnsureUnread, is(&[Class::Attached])),
    alone(Rule::UnsureNoObject, is(&[Class::Refuse, Class::Withdraw])),
    alone(Rule::UnsureNoObject, UNWISHED),
    alone(Rule::UnsureNoObject, is(&[Class::Remove, Class::Cancel, Class::Stop, Class::BrushOff])),
    alone(Rule::UnsureContext, is(&[Class::Unsubscribed])),
    alone(Rule::UnsureAnnoyed, is(&[Class::Annoyed, Class::Spam])),
];

/// Requests that a person must answer.
pub(super) const REVIEWS: &[Pattern] = &[
    alone(Rule::ReviewAccess, is(&[Class::Access])),
    near(Rule::ReviewChanged, is(&[Class::Changed, Class::New]), &[is(&[Class::Address])], 4),
    alone(Rule::ReviewComplaint, is(&[Class::Complain, Class::BadService])),
];

impl Need {
    fn meets(&self, word: &Word) -> bool {
        word.classes.any(self.classes) && word.negated == self.negated
    }
}

impl Pattern {
    /// Every place where the pattern fits.
    pub(super) fn fits(&self, words: &[Word]) -> impl Iterator<Item = Fit> {
        let heads = words.iter().enumerate().filter(|(_, word)| self.head.meets(word)).map(|(at, _)| at);
        heads.filter_map(|head| self.around(words, head))
    }

    fn around(&self, words: &[Word], head: usize) -> Option<Fit> {
        let mut places = vec![head];
        for need in self.near {
            let from = head.saturating_sub(self.reach);
            let to = words.len().min(head + self.reach + 1);
            // One word may mean both: a withdrawal of consent, in one phrase.
            let is_free = |at: &usize| *at == head || !places.contains(at);
            let candidates = (from..to).filter(|at| is_free(at) && need.meets(&words[*at]));
            places.push(candidates.min_by_key(|at| at.abs_diff(head))?);
        }
        Some(Fit { rule: self.rule, places })
    }
}
