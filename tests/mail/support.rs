//! A reader for the company of the tests, and letters to it.

use std::path::Path;

use suppressd::domain::identifier::Country;
use suppressd::domain::mail::letter::Letter;
use suppressd::domain::mail::reading::{Outcome, Reading};
use suppressd::domain::mail::{Own, Reader};
use suppressd::settings::{load_rules, shipped_lexicon};

/// Who writes, unless a test says otherwise.
pub(crate) const SENDER: &str = "aigerim@pochta.example";

/// The reader of the company lulla.kz, lunafresh.kz, bilal.kz, in Kazakhstan.
pub(crate) fn reader() -> Reader {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let files = [config.join("suppressd.toml"), config.join("kazakhstan.toml")];
    let rules = load_rules(&files, std::iter::empty()).expect("the shipped configuration is right");
    let own = Own {
        domains: rules.catalogue.brands().iter().map(ToString::to_string).collect(),
        addresses: Vec::new(),
        phones: vec!["+7 777 111 3 111".to_owned()],
    };
    Reader::new(shipped_lexicon(), own, &rules.catalogue, Country::parse("KZ").expect("a country"))
}

/// A letter with this text and no subject.
pub(crate) fn letter(text: &str) -> Letter {
    Letter { from: vec![SENDER.to_owned()], text: text.to_owned(), ..Letter::default() }
}

/// The name of an outcome.
pub(crate) fn name(reading: &Reading) -> &'static str {
    match reading.outcome {
        Outcome::OptOut { .. } => "opt_out",
        Outcome::Hold { .. } => "hold",
        Outcome::Unsure { .. } => "unsure",
        Outcome::Review { .. } => "review",
        Outcome::Complaint { .. } => "complaint",
        Outcome::Bounce { .. } => "bounce",
        Outcome::Nothing => "nothing",
    }
}

/// Fails with every text that is taken for something else than one of `expected`.
#[track_caller]
pub(crate) fn check(expected: &[&str], texts: &[&str]) {
    let reader = reader();
    let wrong: Vec<String> = texts
        .iter()
        .map(|text| (text, reader.read(&letter(text))))
        .filter(|(_, reading)| !expected.contains(&name(reading)))
        .map(|(text, reading)| format!("{} by {}: {text}", name(&reading), reading.rule))
        .collect();
    assert!(wrong.is_empty(), "not {}:\n{}", expected.join(" or "), wrong.join("\n"));
}
