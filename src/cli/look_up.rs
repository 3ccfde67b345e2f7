//! `suppressd look-up`: what is in force for a person, why, and since when.
//!
//! The answer goes to standard output, the note that somebody asked to standard error and to Redis. Neither holds
//! the identifier: the answer speaks of "phone".

mod report;

use std::io::BufRead;

use jiff::Timestamp;
use tokio::runtime::Runtime;

use self::report::Report;
use super::console::Console;
use super::exit::{Exit, Failure};
use super::identifiers::IdentifierArgs;
use super::{country, show};
use crate::codec::time::parse_rfc3339;
use crate::daemon::{self, Question, Stop};
use crate::domain::digest::HashKey;
use crate::settings::Settings;

/// Tell what is in force for a person, why, since when, and every record that says so
#[derive(Debug, Clone, clap::Args)]
pub(super) struct LookUpArgs {
    #[command(flatten)]
    who: IdentifierArgs,

    /// As of this instant (RFC 3339 with an offset) instead of now: by what had been decided by then
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Timestamp>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A time on a command line.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    parse_rfc3339(text).ok_or_else(|| "must be RFC 3339 with an offset: 2026-11-22T10:15:00+05:00".to_owned())
}

/// Looks up.
pub(super) fn run(
    args: &LookUpArgs,
    settings: &Settings,
    runtime: &Runtime,
    now: Timestamp,
    input: impl BufRead,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let question = match question(args, settings, now, input) {
        Ok(question) => question,
        Err(failure) => return Ok(failure.told(console)),
    };
    let bar = show::Bar::new("records");
    let answer = runtime.block_on(daemon::look_up(settings, &question, &bar));
    bar.clear();
    let report = Report::new(&question, &answer?);
    let text = if args.json { report.json() } else { report.text() };
    let printed = console.out.write_all(text.as_bytes()).and_then(|()| console.out.flush());
    printed.map_err(|fault| Stop::Internal(format!("the answer cannot be printed: {fault}")))?;
    Ok(Exit::Fine)
}

fn question(
    args: &LookUpArgs,
    settings: &Settings,
    now: Timestamp,
    input: impl BufRead,
) -> Result<Question, Failure> {
    if args.at.is_some_and(|at| at > now) {
        return Err(Failure::new(Exit::Usage, "--at: lies in the future, of which nothing is known"));
    }
    let named = args.who.read(input, &country(settings)?)?;
    let keys = &settings.hashing.key_ring;
    let about = named.iter().map(|named| (named.kind, named.digests(keys))).collect();
    let keys = keys.keys().iter().map(HashKey::check).collect();
    Ok(Question { about, keys, as_of: args.at })
}
