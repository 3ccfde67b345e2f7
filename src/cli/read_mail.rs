//! `suppressd read-mail`: what the mailbox would make of mails in files, and by which rule.
//!
//! For whoever changes the lexicon, or asks why a mail was understood as it was. It needs no server and no key,
//! and it changes nothing. No text and no address of a mail is printed, only how many it speaks for.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::console::Console;
use super::exit::{Exit, Failure};
use crate::codec::mail::{self, Limits};
use crate::daemon::mail_reader;
use crate::domain::identifier::Country;
use crate::domain::mail::Reader;
use crate::domain::mail::reading::{Narrowed, Outcome, Reading, Subject};
use crate::settings::load_mail_rules;

/// Tell what mails in files ask for, and by which rule; nothing is changed
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ReadMailArgs {
    /// The mails, one a file, as they came (RFC 5322); a directory means every .eml file below it
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,

    /// Print one JSON object a mail
    #[arg(long)]
    pub(super) json: bool,
}

/// One mail's line.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    outcome: &'static str,
    rule: &'static str,
    for_a_person: bool,
    emails: usize,
    phones: usize,
    channels: &'a [&'static str],
    brands: &'a [String],
    regions: &'a [String],
}

/// Reads every file; one that cannot be opened is told, and the others are read all the same.
pub(super) fn run(
    args: &ReadMailArgs,
    config: &[PathBuf],
    environment: impl Iterator<Item = (String, String)>,
    console: &mut Console<'_>,
) -> Exit {
    match readers(config, environment) {
        Ok((limits, reader)) => read_all(args, &limits, &reader, console),
        Err(failure) => failure.told(console),
    }
}

fn readers(
    config: &[PathBuf],
    environment: impl Iterator<Item = (String, String)>,
) -> Result<(Limits, Reader), Failure> {
    let wrong = |problem: String| Failure::new(Exit::Configuration, problem);
    let rules = load_mail_rules(config, environment).map_err(|mistakes| wrong(mistakes.to_string()))?;
    let country = Country::parse(&rules.identifiers.default_country).ok_or_else(|| {
        wrong("identifiers.default_country: no telephone numbering plan is known for this country".to_owned())
    })?;
    mail_reader(&rules.understanding, Vec::new(), &rules.catalogue, country)
        .map_err(|mistakes| wrong(mistakes.to_string()))
}

fn read_all(args: &ReadMailArgs, limits: &Limits, reader: &Reader, console: &mut Console<'_>) -> Exit {
    let mut exit = Exit::Fine;
    let mut open: Vec<PathBuf> = args.files.iter().rev().cloned().collect();
    while let Some(path) = open.pop() {
        let told = if path.is_dir() {
            mails_below(&path).map(|below| open.extend(below))
        } else {
            std::fs::read(&path)
                .and_then(|bytes| tell(&path, &reader.read(&mail::read(&bytes, limits)), args.json, console))
        };
        if let Err(error) = told {
            let problem = format!("{}: {error}", path.display());
            exit = Failure::new(Exit::BadData, problem).told(console);
        }
    }
    exit
}

/// The mails and directories in a directory, the last name first.
fn mails_below(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries: Result<Vec<_>, _> = std::fs::read_dir(directory)?.collect();
    let mut paths: Vec<PathBuf> = entries?.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "eml"));
    paths.sort_unstable_by(|a, b| b.cmp(a));
    Ok(paths)
}

fn tell(path: &Path, reading: &Reading, json: bool, console: &mut Console<'_>) -> std::io::Result<()> {
    let everywhere = Narrowed::default();
    let nobody = Subject::default();
    let (outcome, subject, scope) = match &reading.outcome {
        Outcome::OptOut { subject, scope } => ("opt_out", subject, scope),
        Outcome::Hold { subject } => ("hold", subject, &everywhere),
        Outcome::Unsure { subject } => ("unsure", subject, &everywhere),
        Outcome::Review { subject } => ("review", subject, &everywhere),
        Outcome::Complaint { subject } => ("complaint", subject, &everywhere),
        Outcome::Bounce { subject } => ("bounce", subject, &everywhere),
        Outcome::Nothing => ("nothing", &nobody, &everywhere),
    };
    let file = path.display().to_string();
    let line = Line {
        file: &file,
        outcome,
        rule: reading.rule,
        for_a_person: reading.for_a_person,
        emails: subject.emails.len(),
        phones: subject.phones.len(),
        channels: &scope.channels,
        brands: &scope.brands,
        regions: &scope.regions,
    };
    if json {
        let line = serde_json::to_string(&line).expect("a line has only text keys");
        return writeln!(console.out, "{line}");
    }
    let person = if line.for_a_person { ", and a person must read it" } else { "" };
    let names = scope.brands.iter().chain(&scope.regions).map(String::as_str);
    let narrowed: Vec<&str> = scope.channels.iter().copied().chain(names).collect();
    let narrowed = if narrowed.is_empty() { String::new() } else { format!(", only {}", narrowed.join(" ")) };
    writeln!(console.out, "{file}: {outcome} by {}{narrowed}{person}", line.rule)
}
