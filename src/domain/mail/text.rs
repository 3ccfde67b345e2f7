//! What a letter says as a whole: its subject and its text together, in whatever keyboard layout.

use crate::domain::identifier::Country;

use super::class::{Class, Classes};
use super::context::Around;
use super::decide::{Asks, Hearing};
use super::fold::visible;
use super::keyboard;
use super::language;
use super::letter::Letter;
use super::lexicon::Lexicon;
use super::machine;
use super::numbers::{self, Named};
use super::quote::plain_subject;
use super::reading::Narrowed;
use super::rule::Rule;
use super::scope::{Names, Said};
use super::tag::tagged;
use super::token::{Kind, Lines, Tokens, Word};

/// Bytes of a text that are read; the codec cuts there too, and tells that there was more.
const TEXT_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a subject that are read.
const SUBJECT_BYTES_MAX: usize = 2 * 1024;
/// Words, besides the one that decides, in what still is a message of a single word: a name, a token.
const OTHER_WORDS_MAX: usize = 6;
/// Words in a mail that is short enough for a word without an object to be its point.
const SHORT_MAIL_WORDS: usize = 25;
/// What a mail that names marketing may be about without refusing it.
const HARMLESS: Classes = Classes::of(&[
    Class::Subscribe,
    Class::Keep,
    Class::Topic,
    Class::Offer,
    Class::Footer,
    Class::Click,
    Class::WriteBack,
    Class::Order,
    Class::Mistake,
    Class::LessOften,
    Class::Job,
]);
/// What words refuse, whatever it is that they refuse.
const REFUSALS: Classes = Classes::of(&[
    Class::None,
    Class::Unwanted,
    Class::Annoyed,
    Class::Stop,
    Class::Refuse,
    Class::Remove,
    Class::Forbid,
    Class::Cancel,
    Class::Withdraw,
]);
/// What else an answer to one of our mails may be about.
const OTHER_MATTERS: Classes = HARMLESS.with(Classes::of(&[
    Class::Complain,
    Class::BadService,
    Class::Access,
    Class::How,
    Class::Data,
    Class::Need,
]));

/// What was understood of a letter.
pub(super) struct Understanding {
    /// The words of the subject.
    pub(super) subject: Tokens,
    /// The words of the text.
    pub(super) tokens: Tokens,
    /// The texts that the words are of.
    texts: Texts,
    from_subject: Hearing,
    from_text: Hearing,
    /// Whether the subject is the writer's own.
    own_subject: bool,
    /// Whether a mail was quoted.
    quotes: bool,
    /// Whether the writer wrote nothing at all.
    is_empty: bool,
}

struct Texts {
    subject: String,
    text: String,
}

/// Understands a letter.
pub(super) fn understand(letter: &Letter, lexicon: &Lexicon) -> Understanding {
    let (own_subject, subject) = own_subject(cut(&letter.subject, SUBJECT_BYTES_MAX));
    let subject = visible(subject);
    let text = visible(cut(&letter.text, TEXT_BYTES_MAX));
    let subject = keyboard::meant(&subject, lexicon).unwrap_or(subject);
    let text = keyboard::meant(&text, lexicon).unwrap_or(text);
    let subject_tokens = tagged(&Tokens::of(&subject, Lines::AsWritten), lexicon);
    let own_words = if own_subject { subject_tokens.words.as_slice() } else { &[] };
    let (tokens, from_text) = listen(&text, own_words, lexicon);
    let from_subject = Hearing::of(&subject_tokens, Around::of(own_words.iter().chain(&tokens.words)));
    let is_empty = text.trim().is_empty() && (!own_subject || subject.trim().is_empty());
    Understanding {
        is_empty,
        subject: subject_tokens,
        tokens,
        texts: Texts { subject, text },
        from_subject,
        from_text,
        own_subject,
        quotes: letter.quotes,
    }
}

/// Listens to the lines as they are, and if that brings no request, to the lines joined.
fn listen(text: &str, subject: &[Word], lexicon: &Lexicon) -> (Tokens, Hearing) {
    let listen = |lines| {
        let tokens = tagged(&Tokens::of(text, lines), lexicon);
        let hearing = Hearing::of(&tokens, Around::of(subject.iter().chain(&tokens.words)));
        (tokens, hearing)
    };
    let found = |hearing: &Hearing| hearing.strongest().is_some_and(|heard| heard.asks >= Asks::OptOut);
    let as_written = listen(Lines::AsWritten);
    if found(&as_written.1) || !text.trim().contains('\n') {
        return as_written;
    }
    let joined = listen(Lines::Joined);
    if found(&joined.1) { joined } else { as_written }
}

/// A subject without the marks of replies, and whether it had none.
fn own_subject(subject: &str) -> (bool, &str) {
    let plain = plain_subject(subject);
    (plain.len() == subject.trim().len(), plain)
}

/// The beginning of a text, at a character's border.
fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

impl Understanding {
    /// What the letter asks for, and by which rule.
    pub(super) fn decision(&self) -> (Asks, Rule) {
        let said = self.said();
        if said.0 >= Asks::OptOut {
            return said;
        }
        if let Some(single) = self.single_word() {
            return single;
        }
        if self.is_empty {
            return (Asks::Unsure, Rule::UnsureEmpty);
        }
        if said.1 == Rule::UnsureNoObject && self.subject_names_marketing() {
            return (Asks::OptOut, Rule::OptOutObject);
        }
        if said.1 == Rule::UnsureNoObject && self.tokens.words.len() > SHORT_MAIL_WORDS && !self.refuses() {
            return (Asks::Nothing, Rule::NothingOther);
        }
        if said.0 == Asks::Nothing && language::is_foreign(&self.tokens) {
            return (Asks::Unsure, Rule::UnsureLanguage);
        }
        if said == (Asks::Nothing, Rule::NothingOther) && self.is_unclear() {
            return (Asks::Unsure, Rule::UnsureContext);
        }
        said
    }

    /// Whether a program wrote it because its user pressed a button.
    pub(super) fn is_button(&self, letter: &Letter) -> bool {
        machine::is_button(&letter.text, self.own_subject.then_some(&self.subject), &self.tokens)
    }

    /// The strongest of what subject and text say.
    fn said(&self) -> (Asks, Rule) {
        let of = |hearing: &Hearing| {
            hearing.strongest().map_or((Asks::Nothing, Rule::NothingOther), |h| (h.asks, h.rule))
        };
        let text = of(&self.from_text);
        let subject =
            if self.counts_subject() { of(&self.from_subject) } else { (Asks::Nothing, Rule::NothingOther) };
        if subject.0 > text.0 || (subject.0 == text.0 && text.1 == Rule::NothingOther) {
            subject
        } else {
            text
        }
    }

    /// A subject that was taken over from another mail is not the writer's, unless it is all there is.
    fn counts_subject(&self) -> bool {
        self.own_subject || (self.text_is_empty() && self.subject.words.len() <= 3)
    }

    fn text_is_empty(&self) -> bool {
        self.tokens.words.iter().all(|word| word.classes.has(Class::Polite))
    }

    fn subject_names_marketing(&self) -> bool {
        self.own_subject
            && self
                .subject
                .words
                .iter()
                .any(|word| word.classes.any(Classes::of(&[Class::Mailing, Class::Message])))
    }

    fn refuses(&self) -> bool {
        self.tokens.words.iter().any(|word| word.is(Class::Refuse))
    }

    /// Whether the text speaks of marketing in words that no rule knows: a person must see that it is no
    /// request.
    fn is_unclear(&self) -> bool {
        let speaks = |classes: Classes| self.tokens.words.iter().any(|word| word.classes.any(classes));
        let is_refused = |word: &Word| word.negated && !word.classes.has(Class::Coming);
        let refuses = !speaks(Classes::of(&[Class::Why]))
            && (speaks(REFUSALS) || self.tokens.words.iter().any(is_refused));
        let marketing = speaks(Classes::of(&[Class::Mailing]))
            || (refuses && speaks(Classes::of(&[Class::Message, Class::Send, Class::Sending])));
        (marketing && !speaks(HARMLESS)) || self.is_short_answer()
    }

    /// Whether it is a few words in answer to a mail of ours, about nothing that is known.
    fn is_short_answer(&self) -> bool {
        let words = || self.subject.words.iter().chain(&self.tokens.words);
        (self.quotes || !self.own_subject)
            && !self.text_is_empty()
            && self.tokens.words.len() <= SHORT_MAIL_WORDS
            && !self.tokens.sentences.iter().any(|sentence| sentence.asks)
            && !words().any(|word| word.classes.any(OTHER_MATTERS))
    }

    /// What a single word means that is the whole message.
    fn single_word(&self) -> Option<(Asks, Rule)> {
        let words = if self.text_is_empty() && self.counts_subject() { &self.subject } else { &self.tokens };
        let ballast = Classes::of(&[Class::Polite, Class::Filler, Class::Me, Class::You, Class::More]);
        let matters = |word: &&Word| {
            word.kind == Kind::Letters && !word.classes.any(ballast) && !word.forms.own.is_empty()
        };
        let alone = Classes::of(&[Class::Alone, Class::AloneUnsure]);
        let sentence =
            words.sentences.iter().map(|sentence| words.of_sentence(sentence)).find(|sentence| {
                let mut left = sentence.iter().filter(matters).peekable();
                left.peek().is_some() && left.all(|word| word.classes.any(alone))
            })?;
        let others = words.words.iter().filter(matters).filter(|word| !word.classes.any(alone));
        let (count, known) = others.fold((0, false), |(count, known), word| {
            (count + 1, known || !word.classes.without(Classes::of(&[Class::Common])).is_empty())
        });
        if known || count > OTHER_WORDS_MAX {
            return None;
        }
        if sentence.iter().filter(matters).all(|word| word.is(Class::Alone)) {
            return Some((Asks::OptOut, Rule::OptOutWord));
        }
        Some((Asks::Unsure, Rule::UnsureNoObject))
    }

    /// The sentences of the text that carry the request.
    fn requests(&self) -> Vec<usize> {
        let wanted = |asks: Asks| asks >= Asks::Unsure;
        self.from_text.heard.iter().filter(|heard| wanted(heard.asks)).map(|heard| heard.sentence).collect()
    }

    fn subject_requests(&self) -> Vec<usize> {
        if !self.counts_subject() {
            return Vec::new();
        }
        let wanted = self.from_subject.heard.iter().filter(|heard| heard.asks >= Asks::Unsure);
        wanted.map(|heard| heard.sentence).collect()
    }

    /// What the request is narrowed to.
    pub(super) fn narrowed(&self, names: &Names) -> Narrowed {
        let mut said = Said::default();
        let subject_requests = self.subject_requests();
        if self.requests().is_empty() {
            names.listen(&mut said, &self.subject, &subject_requests);
        }
        names.listen(&mut said, &self.tokens, &self.requests());
        names.narrowed(&said)
    }

    /// Numbers and addresses that the letter gives besides its sender's.
    pub(super) fn named(&self, country: &Country) -> Named {
        let mut named = numbers::named(&self.texts.text, &self.tokens, &self.requests(), country);
        let more = numbers::named(&self.texts.subject, &self.subject, &self.subject_requests(), country);
        named.phones.extend(more.phones);
        named.emails.extend(more.emails);
        named
    }

    /// Whether the letter asks for something else besides.
    pub(super) fn asks_more(&self) -> bool {
        let about = Classes::of(&[Class::Order, Class::Complain, Class::BadService, Class::Access]);
        self.tokens.words.iter().any(|word| word.classes.any(about))
    }
}
