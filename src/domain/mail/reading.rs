//! What a mail asks for.

/// The decision on a mail. Not `Debug`: its addresses are people's.
#[derive(Clone, PartialEq, Eq)]
pub struct Reading {
    /// What it asks for.
    pub outcome: Outcome,
    /// The rule that decided, in the words of the table in README.md: `opt_out.object`.
    pub rule: &'static str,
    /// Whether a person must read the mail as well: it asks for something else besides.
    pub for_a_person: bool,
}

/// What a mail asks for.
#[derive(Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The sender refuses marketing, within this scope.
    OptOut {
        /// Who.
        subject: Subject,
        /// From what; empty dimensions mean all.
        scope: Narrowed,
    },
    /// The sender wants data blocked or erased, or takes back the consent to processing: held until a person
    /// has looked.
    Hold {
        /// Who.
        subject: Subject,
    },
    /// It may be an opt-out: held until a person has looked.
    Unsure {
        /// Who.
        subject: Subject,
    },
    /// A request that a person must answer, but not a refusal: nothing is held.
    Review {
        /// Who.
        subject: Subject,
    },
    /// Somebody called our mail spam.
    Complaint {
        /// Who; nobody if the report does not tell.
        subject: Subject,
    },
    /// Addresses that take no mail.
    Bounce {
        /// Which.
        subject: Subject,
    },
    /// Nothing of ours: an automatic mail, an order, a question.
    Nothing,
}

/// The identifiers that a mail speaks for, as written.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Telephone numbers.
    pub phones: Vec<String>,
}

/// What an opt-out was narrowed to; an empty list means everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowed {
    /// Channels, in the contract's words.
    pub channels: Vec<&'static str>,
    /// Brands, as configured.
    pub brands: Vec<String>,
    /// Regions, as codes.
    pub regions: Vec<String>,
}
