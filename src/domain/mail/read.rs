//! From a letter to the decision on it: who wrote it comes before what it says.

use crate::domain::catalogue::Catalogue;
use crate::domain::identifier::{Country, canonical};
use crate::domain::words::IdentifierKind;

use super::decide::Asks;
use super::letter::{Authentication, Letter, Report};
use super::lexicon::Lexicon;
use super::numbers;
use super::reading::{Narrowed, Outcome, Reading, Subject};
use super::rule::Rule;
use super::scope::Names;
use super::text::{Understanding, understand};

/// What is the company's own and therefore nobody's to suppress.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Domains of the company's mail addresses; their subdomains are its own too.
    pub domains: Vec<String>,
    /// Addresses of its own at other domains.
    pub addresses: Vec<String>,
    /// Telephone numbers that it publishes.
    pub phones: Vec<String>,
}

/// Decides mails.
#[derive(Debug, Clone)]
pub struct Reader {
    lexicon: Lexicon,
    names: Names,
    country: Country,
    own_domains: Vec<String>,
    own_addresses: Vec<String>,
    own_phones: Vec<String>,
}

impl Reader {
    /// A reader for this company.
    pub fn new(lexicon: Lexicon, own: Own, catalogue: &Catalogue, country: Country) -> Self {
        let folded = |kind, values: Vec<String>| -> Vec<String> {
            let form =
                |value: String| canonical(kind, &value, &country, &mut String::new()).map(str::to_owned);
            values.into_iter().filter_map(|value| form(value).ok()).collect()
        };
        let own_addresses = folded(IdentifierKind::Email, own.addresses);
        let own_phones = folded(IdentifierKind::Phone, own.phones);
        let own_domains = own.domains.iter().map(|domain| domain.trim().to_lowercase()).collect();
        Self { lexicon, names: Names::new(catalogue), country, own_domains, own_addresses, own_phones }
    }

    /// What a mail asks for.
    pub fn read(&self, letter: &Letter) -> Reading {
        if let Some(report) = &letter.report {
            return self.of_report(report);
        }
        let understanding = understand(letter, &self.lexicon);
        if self.is_from_own(letter) && letter.automatic.is_none() {
            return self.of_own_staff(letter, &understanding);
        }
        if understanding.is_button(letter) {
            let subject = self.subject(letter, Some(&understanding));
            return Self::sent_by(letter, opt_out(subject, Narrowed::default(), Rule::OptOutButton));
        }
        if letter.automatic.is_some() {
            return plain(Outcome::Nothing, Rule::NothingAutomatic);
        }
        Self::sent_by(letter, self.of_a_person(letter, &understanding))
    }

    fn of_report(&self, report: &Report) -> Reading {
        match report {
            Report::Other => plain(Outcome::Nothing, Rule::NothingAutomatic),
            Report::Delivery { failed } if failed.is_empty() => {
                plain(Outcome::Nothing, Rule::NothingSoftBounce)
            }
            Report::Delivery { failed } => {
                plain(Outcome::Bounce { subject: self.subject_of(failed) }, Rule::BounceReport)
            }
            Report::Abuse { complained } => {
                plain(Outcome::Complaint { subject: self.subject_of(complained) }, Rule::ComplaintReport)
            }
        }
    }

    fn of_a_person(&self, letter: &Letter, understanding: &Understanding) -> Reading {
        let (asks, rule) = understanding.decision();
        let subject = || self.subject(letter, Some(understanding));
        match asks {
            Asks::Hold => Reading { for_a_person: true, ..plain(Outcome::Hold { subject: subject() }, rule) },
            Asks::OptOut => {
                let scope = understanding.narrowed(&self.names);
                Reading { for_a_person: understanding.asks_more(), ..opt_out(subject(), scope, rule) }
            }
            _ if letter.unread.is_some() => plain(Outcome::Unsure { subject: subject() }, Rule::UnsureUnread),
            Asks::Unsure => plain(Outcome::Unsure { subject: subject() }, rule),
            Asks::Review => plain(Outcome::Review { subject: subject() }, rule),
            Asks::Nothing => plain(Outcome::Nothing, rule),
        }
    }

    /// The staff's own mails suppress nobody by themselves: the sender of a forwarded mail may have refused.
    fn of_own_staff(&self, letter: &Letter, understanding: &Understanding) -> Reading {
        let inner = &letter.forwarded_from;
        let mut subject = self.subject_of(if inner.is_empty() { &letter.reply_to } else { inner });
        self.add_named(&mut subject, understanding);
        let (asks, _) = understanding.decision();
        if !inner.is_empty() {
            return plain(Outcome::Unsure { subject }, Rule::UnsureForwarded);
        }
        match asks {
            Asks::Hold | Asks::OptOut | Asks::Unsure => {
                plain(Outcome::Unsure { subject }, Rule::UnsureOwnSender)
            }
            Asks::Review | Asks::Nothing => plain(Outcome::Nothing, Rule::NothingOwn),
        }
    }

    /// What our own server knows about the sender: a refusal in somebody's name must not be applied.
    fn sent_by(letter: &Letter, reading: Reading) -> Reading {
        if letter.authentication != Authentication::Failed {
            return reading;
        }
        match reading.outcome {
            Outcome::OptOut { subject, .. } | Outcome::Hold { subject } => {
                plain(Outcome::Unsure { subject }, Rule::UnsureAuthentication)
            }
            _ => reading,
        }
    }

    fn is_from_own(&self, letter: &Letter) -> bool {
        !letter.from.is_empty() && letter.from.iter().all(|address| self.is_own_email(address))
    }

    fn is_own_email(&self, address: &str) -> bool {
        let mut buffer = String::new();
        let form = canonical(IdentifierKind::Email, address, &self.country, &mut buffer).unwrap_or_default();
        let domain = form.rsplit_once('@').map_or("", |(_, domain)| domain);
        let is_own = |own: &String| {
            domain == own || domain.strip_suffix(own.as_str()).is_some_and(|sub| sub.ends_with('.'))
        };
        self.own_domains.iter().any(is_own) || self.own_addresses.iter().any(|own| own == form)
    }

    fn is_own_phone(&self, phone: &str) -> bool {
        let mut buffer = String::new();
        let form = canonical(IdentifierKind::Phone, phone, &self.country, &mut buffer).unwrap_or_default();
        self.own_phones.iter().any(|own| own == form)
    }

    fn subject(&self, letter: &Letter, understanding: Option<&Understanding>) -> Subject {
        let mut subject = self.subject_of(&letter.from);
        if let Some(understanding) = understanding {
            self.add_named(&mut subject, understanding);
        }
        subject
    }

    fn subject_of(&self, emails: &[String]) -> Subject {
        let emails = emails.iter().filter(|address| !self.is_own_email(address)).cloned().collect();
        Subject { emails, phones: Vec::new() }
    }

    fn add_named(&self, subject: &mut Subject, understanding: &Understanding) {
        let numbers::Named { phones, emails } = understanding.named(&self.country);
        let known = subject.emails.clone();
        let is_new = |email: &String| {
            !self.is_own_email(email) && !known.iter().any(|k| k.eq_ignore_ascii_case(email))
        };
        subject.emails.extend(emails.into_iter().filter(is_new));
        subject.phones.extend(phones.into_iter().filter(|phone| !self.is_own_phone(phone)));
    }
}

fn opt_out(subject: Subject, scope: Narrowed, rule: Rule) -> Reading {
    plain(Outcome::OptOut { subject, scope }, rule)
}

fn plain(outcome: Outcome, rule: Rule) -> Reading {
    Reading { outcome, rule: rule.as_str(), for_a_person: false }
}
