//! The options that name a person: `--user-id`, `--email`, `--phone`.
//!
//! A value on a command line can be seen by every user of the machine for as long as the command runs; `-` stands
//! for a line of standard input. No message here repeats a value.

use std::io::BufRead;

use super::exit::{Exit, Failure};
use crate::domain::digest::{Digest, KeyRing};
use crate::domain::identifier::{Country, canonical};
use crate::domain::words::IdentifierKind;

/// By this name a value is the next line of standard input.
const STANDARD_INPUT: &str = "-";

/// Identifiers in one command.
pub(super) const IDENTIFIERS_MAX: usize = 16;

/// The most bytes that are read of one line of standard input.
const LINE_BYTES_MAX: u64 = 4096;

// Whom the command is about. Not a doc comment: it would stand in for that of the command.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = true)]
pub(super) struct IdentifierArgs {
    /// A customer number; `-` takes the next line of standard input
    #[arg(long, value_name = "VALUE")]
    pub(super) user_id: Vec<String>,

    /// An e-mail address; `-` takes the next line of standard input
    #[arg(long, value_name = "VALUE")]
    pub(super) email: Vec<String>,

    /// A telephone number; `-` takes the next line of standard input
    #[arg(long, value_name = "VALUE")]
    pub(super) phone: Vec<String>,
}

/// An identifier that can be parsed. Not `Debug`: it names a person.
pub(super) struct Named {
    /// What it is.
    pub(super) kind: IdentifierKind,
    /// As it was given.
    pub(super) text: String,
    /// In the form that is hashed.
    pub(super) canonical: String,
}

impl Named {
    /// Its digests, one a key.
    pub(super) fn digests(&self, keys: &KeyRing) -> Vec<Digest> {
        keys.digests(self.kind, &self.canonical).collect()
    }
}

impl IdentifierArgs {
    /// The identifiers: customer numbers, then addresses, then numbers, each in the order given. Lines of standard
    /// input are taken in that order too.
    pub(super) fn read(&self, mut input: impl BufRead, country: &Country) -> Result<Vec<Named>, Failure> {
        let mut named = Vec::new();
        for (kind, option, values) in [
            (IdentifierKind::UserId, "--user-id", &self.user_id),
            (IdentifierKind::Email, "--email", &self.email),
            (IdentifierKind::Phone, "--phone", &self.phone),
        ] {
            for value in values {
                let text = if value == STANDARD_INPUT { line(&mut input, option)? } else { value.clone() };
                let mut buffer = String::new();
                let form = canonical(kind, &text, country, &mut buffer);
                let form = form
                    .map_err(|fault| Failure::new(Exit::BadData, format!("{option}: the value {fault}")))?;
                let canonical = form.to_owned();
                named.push(Named { kind, text, canonical });
            }
        }
        if named.len() > IDENTIFIERS_MAX {
            let problem = format!("at most {IDENTIFIERS_MAX} identifiers in one command");
            return Err(Failure::new(Exit::Usage, problem));
        }
        Ok(named)
    }
}

fn line(input: &mut impl BufRead, option: &str) -> Result<String, Failure> {
    let mut line = String::new();
    let read = std::io::Read::take(input, LINE_BYTES_MAX).read_line(&mut line);
    match read {
        Ok(0) => Err(format!("{option}: standard input has no line for it")),
        Ok(_) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        Err(fault) => Err(format!("{option}: standard input cannot be read: {fault}")),
    }
    .map_err(|problem| Failure::new(Exit::BadData, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(user_id: &[&str], email: &[&str], phone: &[&str]) -> IdentifierArgs {
        let own = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        IdentifierArgs { user_id: own(user_id), email: own(email), phone: own(phone) }
    }

    fn read(args: &IdentifierArgs, input: &str) -> Result<Vec<String>, Failure> {
        let country = Country::parse("KZ").unwrap();
        args.read(input.as_bytes(), &country).map(|named| named.into_iter().map(|n| n.canonical).collect())
    }

    #[test]
    fn values_are_read_in_the_order_of_kinds_and_lines_likewise() {
        let args = args(&["-"], &["A@b.KZ"], &["8 (777) 111-31-11", "-"]);
        let expected = ["U-1", "a@b.kz", "+77771113111", "+77772223344"];
        assert_eq!(read(&args, "U-1\r\n87772223344").unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_read_names_its_option_and_not_its_value() {
        for (args, option) in [
            (args(&[], &[], &["7.77E+10"]), "--phone"),
            (args(&[], &["aigerim"], &[]), "--email"),
            (args(&[""], &[], &[]), "--user-id"),
            (args(&[], &[], &["-"]), "--phone"),
        ] {
            let failure = read(&args, "").unwrap_err();
            assert_eq!(failure.exit, Exit::BadData);
            assert!(failure.message.starts_with(option), "{failure}");
            assert!(!failure.message.contains("7.77") && !failure.message.contains("aigerim"), "{failure}");
        }
    }
}
