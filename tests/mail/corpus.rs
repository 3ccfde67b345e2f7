//! The labelled mails below `corpus/`: what each is taken for, and how often that is right.
//!
//! `development` is what the rules were made with; `held-out` was written by somebody else and stayed unseen
//! until the rules were done, and so was `second-held-out` when that had been mended. `ordinary` is what such a
//! mailbox gets on an ordinary day, and came last. A mail's labels are its own headers, which the product does
//! not read. The tables are printed (`cargo test --test mail -- --nocapture corpus`).

use std::path::{Path, PathBuf};

use suppressd::codec::mail::{self, Limits};
use suppressd::domain::identifier::{Country, canonical};
use suppressd::domain::mail::Reader;
use suppressd::domain::mail::reading::{Outcome, Reading, Subject};
use suppressd::domain::words::IdentifierKind;

use crate::label::Label;
use crate::report::Report;
use crate::support::{name, reader};

/// Of 100 explicit requests at least so many are applied without a person.
const APPLIED_PERCENT_MIN: usize = 98;

/// A mail of the corpus and what it was taken for.
pub(crate) struct Case {
    /// Where it is, below `corpus/`.
    pub path: String,
    /// The directory that it is in.
    pub language: String,
    /// What it should be taken for.
    pub label: Label,
    /// What it is taken for.
    pub reading: Reading,
}

fn cases(part: &str) -> Vec<Case> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/corpus");
    let reader = reader();
    let mut paths = Vec::new();
    collect(&top.join(part), &mut paths);
    paths.sort();
    paths.iter().map(|path| case(path, &top, &reader)).collect()
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(directory).expect("the corpus can be read").flatten().map(|e| e.path()) {
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "eml") {
            paths.push(path);
        }
    }
}

fn case(path: &Path, top: &Path, reader: &Reader) -> Case {
    let raw = std::fs::read(path).expect("a mail can be read");
    let (label, mail) = Label::split(&raw);
    let limits = Limits { authserv_id: Some("mx.bilal.kz".to_owned()), ..Limits::default() };
    let letter = mail::read(mail, &limits);
    let language = path.parent().and_then(Path::file_name).expect("a directory").to_string_lossy();
    Case {
        path: path.strip_prefix(top).expect("below the top").to_string_lossy().into_owned(),
        language: language.into_owned(),
        label,
        reading: reader.read(&letter),
    }
}

/// Who is spoken for.
fn subject(reading: &Reading) -> Subject {
    match &reading.outcome {
        Outcome::OptOut { subject, .. }
        | Outcome::Hold { subject }
        | Outcome::Unsure { subject }
        | Outcome::Review { subject }
        | Outcome::Complaint { subject }
        | Outcome::Bounce { subject } => subject.clone(),
        Outcome::Nothing => Subject::default(),
    }
}

/// Everything about an opt-out but its outcome that is not as labelled.
fn details(case: &Case) -> Vec<String> {
    let Outcome::OptOut { scope, .. } = &case.reading.outcome else { return Vec::new() };
    let mut wrong = Vec::new();
    if *scope != case.label.scope {
        wrong.push(format!("scope {scope:?}"));
    }
    if let Some((emails, phones)) = &case.label.suppress {
        let found = subject(&case.reading);
        let form = |kind, values: &[String]| -> Vec<String> {
            let country = Country::parse("KZ").expect("a country");
            let of = |v: &String| {
                canonical(kind, v, &country, &mut String::new()).map_or(v.clone(), str::to_owned)
            };
            let mut forms: Vec<String> = values.iter().map(of).collect();
            forms.sort();
            forms
        };
        for (kind, wanted, found) in
            [(IdentifierKind::Email, emails, &found.emails), (IdentifierKind::Phone, phones, &found.phones)]
        {
            if form(kind, wanted) != form(kind, found) {
                wrong.push(format!("{kind}: {found:?}"));
            }
        }
    }
    if case.label.also_person && !case.reading.for_a_person {
        wrong.push("a person should read it too".to_owned());
    }
    wrong
}

#[allow(clippy::print_stdout, reason = "the report is what this test is for")]
fn run(part: &str) {
    let cases = cases(part);
    assert!(cases.len() >= 100, "a corpus of {} mails says little", cases.len());
    println!("{}", Report::of(part, &cases));
    let mut faults = Vec::new();
    for case in &cases {
        let found = name(&case.reading);
        if !case.label.accepts(found) || (case.label.explicit && found != "opt_out") {
            println!("{}: {found} by {}", case.path, case.reading.rule);
        }
        let wrong = details(case);
        if !wrong.is_empty() {
            println!("{}: {}", case.path, wrong.join("; "));
        }
        if case.label.explicit && !["opt_out", "unsure", "hold"].contains(&found) {
            faults.push(format!("{}: an explicit request is {found} by {}", case.path, case.reading.rule));
        }
        let is_silent = ["nothing", "bounce"].contains(&case.label.outcome.as_str());
        if is_silent && found == "opt_out" && !case.label.accepts(found) {
            faults.push(format!("{}: an opt-out that is none, by {}", case.path, case.reading.rule));
        }
    }
    // Some explicit requests are for a person all the same: in a third language, forwarded by our staff.
    let for_us = cases.iter().filter(|case| case.label.explicit && case.label.outcome == "opt_out");
    let applied = for_us.clone().filter(|case| name(&case.reading) == "opt_out").count();
    let all = for_us.count();
    if applied * 100 < all * APPLIED_PERCENT_MIN {
        faults.push(format!("{applied} of {all} explicit requests are applied without a person"));
    }
    assert!(faults.is_empty(), "{part}:\n{}", faults.join("\n"));
}

#[test]
fn the_mails_that_the_rules_were_made_with_are_understood() {
    run("development");
}

#[test]
fn mails_that_nobody_had_seen_are_understood() {
    run("held-out");
}

#[test]
fn mails_that_came_after_the_first_corrections_are_understood() {
    run("second-held-out");
}

#[test]
fn the_mails_of_an_ordinary_day_are_understood() {
    run("ordinary");
}
