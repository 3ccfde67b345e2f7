//! `suppressd dead`: what could not be processed, listed, shown, put back to where it came from, or dropped.
//!
//! Nothing that a publisher wrote is told unless `--body` asks for it. What is dropped is told before it is gone; what
//! is put back is gone from the dead queue only when it is confirmed elsewhere.

mod report;

use std::collections::BTreeSet;

use clap::Subcommand;
use jiff::Timestamp;
use tokio::runtime::Runtime;

use self::report::{Dropping, List, Moving, One};
use super::console::Console;
use super::exit::{Exit, Failure};
use super::show::Bar;
use crate::daemon::{self, Stop};
use crate::service::dead_letters::{HELD_MAX, LetterId, Pass, Selection};
use crate::service::envelope::grave::Cause;
use crate::service::ports::DeadFault;
use crate::settings::Settings;

/// How many letters are told of, put back or dropped, unless `--limit` says otherwise.
const LIMIT: u64 = 100;

/// List dead letters, show one, put them back to where they came from, or drop them
#[derive(Debug, Clone, clap::Args)]
pub(super) struct DeadArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// List what lies in the dead queue, what died first in front; nothing of what its publishers wrote
    List(ListArgs),
    /// Show one letter: all that is no personal data, or its body
    Show(ShowArgs),
    /// Publish letters to where they came from, and take each out when that is confirmed
    Redrive(RedriveArgs),
    /// Take letters out for good
    Drop(DropArgs),
}

#[derive(Debug, Clone, clap::Args)]
struct ListArgs {
    /// Only those that died of this
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Option<Cause>,

    /// At most so many; the sums count all
    #[arg(long, value_name = "N", default_value_t = LIMIT, value_parser = limits())]
    limit: u64,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, clap::Args)]
struct ShowArgs {
    /// The letter, as the list names it
    #[arg(value_name = "ID")]
    id: String,

    /// Print its body, byte for byte, and nothing else. It is personal data: that it was shown is logged
    #[arg(long)]
    body: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which letters are moved.
#[derive(Debug, Clone, clap::Args)]
struct ChoiceArgs {
    /// These, as the list names them
    #[arg(value_name = "ID")]
    ids: Vec<String>,

    /// Only those that died of this
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Option<Cause>,

    /// At most so many: 100, or as many as are named
    #[arg(long, value_name = "N", value_parser = limits())]
    limit: Option<u64>,
}

#[derive(Debug, Clone, clap::Args)]
struct RedriveArgs {
    #[command(flatten)]
    choice: ChoiceArgs,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, clap::Args)]
struct DropArgs {
    #[command(flatten)]
    choice: ChoiceArgs,

    /// Why, in your own words and without personal data: it is told and logged
    #[arg(long, value_name = "TEXT")]
    why: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn reason(text: &str) -> Result<Cause, String> {
    let codes = || Cause::codes().collect::<Vec<_>>().join(", ");
    Cause::parse(text).ok_or_else(|| format!("must be one of {}", codes()))
}

fn limits() -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(1..=HELD_MAX as u64)
}

impl ChoiceArgs {
    fn selection(&self) -> Result<Selection, Failure> {
        let ids = self.ids.iter().map(|id| letter_id(id)).collect::<Result<BTreeSet<_>, _>>()?;
        let limit = self.limit.unwrap_or(if ids.is_empty() { LIMIT } else { ids.len() as u64 });
        Ok(Selection { ids, cause: self.reason, max: usize::try_from(limit).unwrap_or(HELD_MAX) })
    }

    /// Whether anything was said about which letters are meant.
    fn says_which(&self) -> bool {
        !self.ids.is_empty() || self.reason.is_some() || self.limit.is_some()
    }
}

fn letter_id(text: &str) -> Result<LetterId, Failure> {
    let problem = "ID: a letter is named by 16 hexadecimal digits, as `suppressd dead list` shows them";
    LetterId::parse(text).ok_or_else(|| Failure::new(Exit::Usage, problem))
}

/// Lists, shows, puts back or drops.
pub(super) fn run(
    args: &DeadArgs,
    settings: &Settings,
    runtime: &Runtime,
    now: Timestamp,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    match &args.what {
        What::List(args) => list(args, settings, runtime, console),
        What::Show(args) => show(args, settings, runtime, console),
        What::Redrive(args) => redrive(args, settings, runtime, console),
        What::Drop(args) => drop_letters(args, settings, runtime, now, console),
    }
}

fn list(
    args: &ListArgs,
    settings: &Settings,
    runtime: &Runtime,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let max = usize::try_from(args.limit).unwrap_or(HELD_MAX);
    let selection = Selection { ids: BTreeSet::new(), cause: args.reason, max };
    let bar = Bar::new("dead letters");
    let looked = runtime.block_on(daemon::list_dead(settings, &selection, &bar));
    bar.clear();
    let looked = looked?;
    let report = List::new(&looked);
    print(if args.json { report.json() } else { report.text() }.as_bytes(), console)?;
    Ok(end(&looked.pass, console))
}

fn show(
    args: &ShowArgs,
    settings: &Settings,
    runtime: &Runtime,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let id = match letter_id(&args.id) {
        Ok(id) => id,
        Err(failure) => return Ok(failure.told(console)),
    };
    let bar = Bar::new("dead letters");
    let found = runtime.block_on(daemon::show_dead(settings, id, args.body, &bar));
    bar.clear();
    let shown = match found? {
        Ok(Some(shown)) => shown,
        Ok(None) => return Ok(Failure::new(Exit::BadData, NO_SUCH_LETTER).told(console)),
        Err(fault) => return Ok(stopped(&fault, console)),
    };
    if args.body {
        console.say("this is personal data: keep it no longer than you need it");
    }
    let one = One::new(&shown);
    match (args.json, args.body) {
        (true, with_body) => print(one.json(with_body).as_bytes(), console)?,
        (false, false) => print(one.text().as_bytes(), console)?,
        (false, true) if console.out_is_terminal => print(one.body_for_a_terminal().as_bytes(), console)?,
        (false, true) => print(&shown.body, console)?,
    }
    Ok(Exit::Fine)
}

fn redrive(
    args: &RedriveArgs,
    settings: &Settings,
    runtime: &Runtime,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let selection = match args.choice.selection() {
        Ok(selection) => selection,
        Err(failure) => return Ok(failure.told(console)),
    };
    let bar = Bar::new("dead letters");
    let done = runtime.block_on(daemon::redrive_dead(settings, &selection, &bar));
    bar.clear();
    let done = done?;
    let report = Moving::new(&done);
    print(if args.json { report.json() } else { report.text() }.as_bytes(), console)?;
    let exit = end(&done.pass, console);
    Ok(if exit == Exit::Fine && !done.stayed.is_empty() { Exit::BadData } else { exit })
}

fn drop_letters(
    args: &DropArgs,
    settings: &Settings,
    runtime: &Runtime,
    now: Timestamp,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let vague = "say which letters to drop: name them, or give --reason or --limit";
    let unexplained = "--why: say why they are dropped, it is all that is kept of them";
    let selection = match args.choice.selection() {
        Err(failure) => return Ok(failure.told(console)),
        Ok(_) if !args.choice.says_which() => return Ok(Failure::new(Exit::Usage, vague).told(console)),
        Ok(_) if args.why.trim().is_empty() => {
            return Ok(Failure::new(Exit::Usage, unexplained).told(console));
        }
        Ok(selection) => selection,
    };
    let bar = Bar::new("dead letters");
    let tell = |dropped: &daemon::Dropped| {
        bar.clear();
        let report = Dropping::new(dropped);
        print(if args.json { report.json() } else { report.text() }.as_bytes(), console)
    };
    let pass = runtime.block_on(daemon::drop_dead(settings, &selection, &args.why, now, &bar, tell));
    bar.clear();
    Ok(end(&pass?, console))
}

const NO_SUCH_LETTER: &str = "no such letter in the dead queue: it was moved, somebody else is looking at it just now, \
     or the first of hashing.key_files is another than when it was listed";

/// Says what was not seen, and is the exit code.
fn end(pass: &Pass, console: &mut Console<'_>) -> Exit {
    if let Some(fault) = &pass.stopped {
        return stopped(fault, console);
    }
    let unseen = pass.of.saturating_sub(pass.looked);
    if pass.looked >= HELD_MAX as u64 && unseen > 0 {
        console.say(format_args!("{unseen} more letters lie behind these and were not looked at"));
    }
    if pass.missing.is_empty() {
        return Exit::Fine;
    }
    for id in &pass.missing {
        console.say(format_args!("suppressd: {id}: {NO_SUCH_LETTER}"));
    }
    Exit::BadData
}

fn stopped(fault: &DeadFault, console: &mut Console<'_>) -> Exit {
    let exit = match fault {
        DeadFault::Broker(_) => Exit::Unavailable,
        DeadFault::Unreadable => Exit::BadData,
    };
    Failure::new(exit, fault.to_string()).told(console)
}

fn print(text: &[u8], console: &mut Console<'_>) -> Result<(), Stop> {
    let printed = console.out.write_all(text).and_then(|()| console.out.flush());
    printed.map_err(|fault| Stop::Internal(format!("the answer cannot be printed: {fault}")))
}
