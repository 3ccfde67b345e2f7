//! A reader for the company of the tests, and letters to it.

use suppressd::domain::catalogue::{Catalogue, Region};
use suppressd::domain::identifier::Country;
use suppressd::domain::mail::letter::Letter;
use suppressd::domain::mail::reading::{Outcome, Reading};
use suppressd::domain::mail::{Own, Reader};
use suppressd::settings::shipped_lexicon;

/// Who writes, unless a test says otherwise.
pub(crate) const SENDER: &str = "aigerim@pochta.example";

/// The reader of the company lulla.kz, lunafresh.kz, bilal.kz.
pub(crate) fn reader() -> Reader {
    let region = |code: &str, name: &str, aliases: &[&str]| Region {
        code: code.into(),
        name: name.to_owned(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
    };
    let regions = vec![
        region("KZ-75", "Алматы қаласы", &["Алматы", "Almaty"]),
        region("KZ-79", "Шымкент", &["Shymkent", "Шымкент қаласы"]),
    ];
    let brands = ["lulla.kz", "lunafresh.kz", "bilal.kz"].map(str::to_owned);
    let own =
        Own { domains: brands.to_vec(), addresses: Vec::new(), phones: vec!["+7 777 111 3 111".to_owned()] };
    let catalogue = Catalogue::new(regions, brands.to_vec());
    Reader::new(shipped_lexicon(), own, &catalogue, Country::parse("KZ").expect("a country"))
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
