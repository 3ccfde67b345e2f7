//! What a request is narrowed to: channels, brands, regions. In doubt everything.
//!
//! A name alone narrows nothing: people name the shop they know. A request is narrowed by "only", or because
//! the writer says that something else may go on. What may go on is never taken from the writer, and what is
//! refused is never left out.

use crate::domain::catalogue::Catalogue;
use crate::domain::words::Channel;

use super::class::{Class, Classes};
use super::fold::{Forms, visible};
use super::name::{BrandName, RegionName};
use super::reading::Narrowed;
use super::token::{Tokens, Word};

/// Recognises the company's brands and regions in words.
#[derive(Debug, Clone)]
pub(super) struct Names {
    brands: Vec<BrandName>,
    regions: Vec<RegionName>,
}

/// What a mail says of channels, brands and regions.
#[derive(Debug, Default)]
pub(super) struct Said {
    channels: Dimension<&'static str>,
    brands: Dimension<String>,
    regions: Dimension<String>,
    /// "Only" stands with what is refused.
    only: bool,
    /// Whatever is not named may go on.
    rest_kept: bool,
    /// Something besides calls is refused.
    more_than_calls: bool,
}

/// What is refused and what may go on.
#[derive(Debug)]
struct Dimension<T> {
    refused: Vec<T>,
    kept: Vec<T>,
    /// Named as the only ones that may go on.
    excepted: Vec<T>,
}

impl<T> Default for Dimension<T> {
    fn default() -> Self {
        Self { refused: Vec::new(), kept: Vec::new(), excepted: Vec::new() }
    }
}

impl<T: PartialEq + Clone> Dimension<T> {
    fn add(&mut self, name: T, fate: Fate) {
        let list = match fate {
            Fate::Refused => &mut self.refused,
            Fate::Kept => &mut self.kept,
            Fate::Excepted => &mut self.excepted,
        };
        if !list.contains(&name) {
            list.push(name);
        }
    }

    /// What the request covers in this dimension; empty for everything.
    fn covered(&self, only: bool, rest_kept: bool, all: &[T]) -> Vec<T> {
        if rest_kept && !self.refused.is_empty() {
            return self.refused.clone();
        }
        if !self.excepted.is_empty() {
            return all.iter().filter(|name| !self.excepted.contains(name)).cloned().collect();
        }
        let limited = only || !self.kept.is_empty();
        if limited { self.refused.clone() } else { Vec::new() }
    }
}

/// What is said of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Refused,
    Kept,
    Excepted,
}

/// Басқа, "but", which stands behind what it excepts.
const AFTER_THE_NAME: &str = "баска";

/// What refuses; a clause with one of these keeps nothing, whatever else it says.
const REFUSALS: Classes = Classes::of(&[
    Class::Unsubscribe,
    Class::Refuse,
    Class::Remove,
    Class::Leave,
    Class::Stop,
    Class::Unwanted,
    Class::Cancel,
    Class::Withdraw,
    Class::Forbid,
    Class::Annoyed,
]);

/// What ends or interrupts messages in words that are about one channel.
const NOT_CALLS: Classes = Classes::of(&[
    Class::Mailing,
    Class::Spam,
    Class::ByEmail,
    Class::BySms,
    Class::List,
    Class::Remove,
    Class::Unsubscribe,
    Class::Consent,
    Class::Bother,
    Class::LeaveAlone,
]);

impl Names {
    /// The names of the catalogue.
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        let brands = catalogue.brands().iter().map(|brand| BrandName::new(brand)).collect();
        let regions = catalogue.regions().iter().flat_map(|region| {
            let names = std::iter::once(&region.name).chain(&region.aliases);
            names.filter_map(|name| RegionName::new(&visible(name), &region.code)).collect::<Vec<_>>()
        });
        Self { brands, regions: regions.collect() }
    }

    /// Takes in what a text says; `requests` are the sentences that carry the request.
    pub(super) fn listen(&self, said: &mut Said, tokens: &Tokens, requests: &[usize]) {
        for (index, sentence) in tokens.sentences.iter().enumerate() {
            let words = tokens.of_sentence(sentence);
            let is_request = requests.contains(&index);
            // "The rest may go on" keeps nothing that is named beside it.
            let rest_alone =
                clauses(words).any(|clause| clause.iter().any(keeps) && clause.iter().any(is_rest));
            let keeps_all = !is_request && !rest_alone && words.iter().any(keeps);
            if !is_request && !words.iter().any(|word| keeps(word) || is_rest(word)) {
                continue;
            }
            if is_request {
                said.more_than_calls |= words.iter().any(|word| {
                    word.classes.any(NOT_CALLS)
                        || (word.classes.has(Class::Send) && !word.classes.has(Class::ByCall))
                });
            }
            let mut fate = None;
            for clause in clauses(words) {
                fate = fate_of(clause, is_request, keeps_all).or(fate);
                if let Some(fate) = fate {
                    self.listen_to_clause(said, clause, fate);
                }
            }
        }
    }

    fn listen_to_clause(&self, said: &mut Said, words: &[Word], fate: Fate) {
        let only = words.iter().any(|word| word.classes.has(Class::Only));
        said.only |= only && fate == Fate::Refused;
        said.rest_kept |= fate == Fate::Kept && words.iter().any(|word| word.classes.has(Class::Rest));
        let mut fate = if only && fate == Fate::Kept { Fate::Excepted } else { fate };
        for (at, word) in words.iter().enumerate() {
            // "All but lulla"; Kazakh puts its word behind the name.
            if word.classes.has(Class::Except) {
                fate = Fate::Excepted;
            }
            let behind = words[at + 1..].iter().take(2).any(|next| next.forms.own == AFTER_THE_NAME);
            let fate = if behind { Fate::Excepted } else { fate };
            for channel in channels_of(word) {
                said.channels.add(channel, fate);
            }
            for brand in self.brands.iter().filter(|brand| brand.is_in(&word.forms)) {
                said.brands.add(brand.brand.clone(), fate);
            }
            for code in self.regions_at(&words[at..]) {
                said.regions.add(code, fate);
            }
        }
    }

    /// The regions that the first of the words names: those of the longest name.
    fn regions_at(&self, words: &[Word]) -> Vec<String> {
        let forms: Vec<&Forms> = words.iter().take(RegionName::WORDS_MAX).map(|word| &word.forms).collect();
        let fits = self.regions.iter().filter_map(|name| Some((name.fit(&forms)?, name)));
        let fits: Vec<(usize, &RegionName)> = fits.collect();
        let longest = fits.iter().map(|(length, _)| *length).max();
        fits.iter()
            .filter(|(length, _)| Some(*length) == longest)
            .map(|(_, name)| name.code.clone())
            .collect()
    }

    /// What a request is narrowed to, by all that was said.
    pub(super) fn narrowed(&self, said: &Said) -> Narrowed {
        let channels: Vec<&'static str> = Channel::ALL.iter().map(|channel| channel.as_str()).collect();
        let brands: Vec<String> = self.brands.iter().map(|brand| brand.brand.clone()).collect();
        let calls_alone = said.channels.refused == [Channel::Call.as_str()] && !said.more_than_calls;
        let mut narrowed = Narrowed {
            channels: said.channels.covered(said.only || calls_alone, said.rest_kept, &channels),
            brands: said.brands.covered(said.only, said.rest_kept, &brands),
            regions: said.regions.covered(said.only, said.rest_kept, &[]),
        };
        // "Only the lulla emails" is about lulla: mail is what everything comes by.
        let by_name = !narrowed.brands.is_empty() || !narrowed.regions.is_empty();
        if by_name && narrowed.channels == [Channel::Email.as_str()] && said.channels.kept.is_empty() {
            narrowed.channels.clear();
        }
        narrowed.channels.sort_by_key(|channel| channels.iter().position(|known| known == channel));
        narrowed.regions.sort();
        narrowed.regions.dedup();
        narrowed
    }
}

/// Whether a word says that something may go on.
fn keeps(word: &Word) -> bool {
    word.is(Class::Keep)
}

/// What a clause says of the names in it; `None` if it goes on like the one before it.
fn fate_of(clause: &[Word], is_request: bool, keeps_all: bool) -> Option<Fate> {
    let refuses = clause.iter().any(|word| word.classes.any(REFUSALS) || word.negated);
    if is_request && refuses {
        return Some(Fate::Refused);
    }
    if clause.iter().any(|word| keeps(word) || (is_request && word.is(Class::Need))) {
        return Some(Fate::Kept);
    }
    if clause.iter().any(|word| word.classes.has(Class::Only)) {
        return Some(Fate::Refused);
    }
    keeps_all.then_some(Fate::Kept)
}

fn is_rest(word: &Word) -> bool {
    word.classes.has(Class::Rest)
}

fn channels_of(word: &Word) -> impl Iterator<Item = &'static str> {
    let pairs =
        [(Class::ByEmail, Channel::Email), (Class::BySms, Channel::Sms), (Class::ByCall, Channel::Call)];
    let classes = word.classes;
    pairs.into_iter().filter(move |(class, _)| classes.has(*class)).map(|(_, channel)| channel.as_str())
}

/// The parts of a sentence between commas, dashes and words such as "but".
fn clauses(words: &[Word]) -> impl Iterator<Item = &[Word]> {
    words.chunk_by(|before, word| before.clause == word.clause && !word.classes.has(Class::But))
}
