//! From a letter to the decision on it: who wrote it comes before what it says.

use crate::domain::catalogue::Catalogue;
use crate::domain::identifier::Country;

use super::letter::{Letter, Report};
use super::lexicon::Lexicon;
use super::reading::{Outcome, Reading, Subject};
use super::rule::Rule;

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
    own: Own,
    catalogue: Catalogue,
    country: Country,
}

impl Reader {
    /// A reader for this company.
    pub fn new(lexicon: Lexicon, own: Own, catalogue: &Catalogue, country: Country) -> Self {
        Self { lexicon, own, catalogue: catalogue.clone(), country }
    }

    /// What a mail asks for.
    pub fn read(&self, letter: &Letter) -> Reading {
        match &letter.report {
            Some(Report::Delivery { failed }) if failed.is_empty() => {
                plain(Outcome::Nothing, Rule::NothingSoftBounce)
            }
            Some(Report::Delivery { failed }) => {
                plain(Outcome::Bounce { subject: subject_of(failed) }, Rule::BounceReport)
            }
            Some(Report::Abuse { complained }) => {
                plain(Outcome::Complaint { subject: subject_of(complained) }, Rule::ComplaintReport)
            }
            None if letter.automatic.is_some() => plain(Outcome::Nothing, Rule::NothingAutomatic),
            None => plain(Outcome::Unsure { subject: subject_of(&letter.from) }, Rule::UnsureNoObject),
        }
    }
}

fn subject_of(emails: &[String]) -> Subject {
    Subject { emails: emails.to_vec(), phones: Vec::new() }
}

fn plain(outcome: Outcome, rule: Rule) -> Reading {
    Reading { outcome, rule: rule.as_str(), for_a_person: false }
}
