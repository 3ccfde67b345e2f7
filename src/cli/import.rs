//! `suppressd import`: a file of opt-outs into the list, or what that would do.
//!
//! The sums go to standard output, progress and refused lines to standard error. No value of the file is told, only
//! where a line stands and which rule it breaks. The first Ctrl-C ends it in order, the second at once.

mod report;

use std::path::PathBuf;

use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use self::report::Report;
use super::console::Console;
use super::exit::{Exit, Failure};
use super::look_up::time;
use super::show::Bar;
use crate::bulk::Format;
use crate::daemon::{self, ImportFile, Imported, NotImported, Progress, Stop};
use crate::settings::Settings;

/// Import a file of opt-outs. It restricts and never lifts
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ImportArgs {
    /// The file: CSV with a header, NDJSON, or another product's export
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// How it is written: auto, csv, ndjson, sendgrid, ses, mailgun, mautic or listmonk
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = format)]
    format: Wanted,

    /// Tell what an import would do, and write nothing anywhere
    #[arg(long)]
    preview: bool,

    /// Since when holds what says no time (RFC 3339 with an offset); now by default
    #[arg(long, value_name = "TIME", value_parser = time)]
    occurred_at: Option<Timestamp>,

    /// Print the sums as JSON
    #[arg(long)]
    json: bool,
}

/// `None`: the file's first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted(Option<Format>);

fn format(text: &str) -> Result<Wanted, String> {
    match text {
        "auto" => Ok(Wanted(None)),
        text => Format::parse(text).map(|format| Wanted(Some(format))).ok_or_else(|| {
            let words: Vec<_> = Format::ALL.iter().map(|format| format.as_str()).collect();
            format!("must be one of auto, {}", words.join(", "))
        }),
    }
}

/// Imports, or says what an import would do.
pub(super) fn run(
    args: &ImportArgs,
    settings: &Settings,
    runtime: &Runtime,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let bar = Bar::of_bytes();
    let done = runtime.block_on(until_interrupted(args, settings, &bar));
    bar.clear();
    let imported = match done {
        Ok(imported) => imported,
        Err(NotImported::Stop(stop)) => return Err(stop),
        Err(NotImported::Beside(problem)) => return Ok(Failure::new(Exit::Internal, problem).told(console)),
        Err(fault @ NotImported::File(_)) => {
            return Ok(Failure::new(Exit::BadData, fault.to_string()).told(console));
        }
        Err(fault @ NotImported::Interrupted(_)) => {
            return Ok(Failure::new(Exit::Unavailable, fault.to_string()).told(console));
        }
    };
    tell(args, &imported, console)?;
    let whole = imported.counts.refused == 0 && !imported.cut_short;
    Ok(if whole { Exit::Fine } else { Exit::BadData })
}

async fn until_interrupted(
    args: &ImportArgs,
    settings: &Settings,
    bar: &Bar,
) -> Result<Imported, NotImported> {
    let file = ImportFile { path: args.file.clone(), format: args.format.0, undated: args.occurred_at };
    let interrupted = CancellationToken::new();
    let signals = |kind| signal(kind).map_err(|fault| Stop::Internal(format!("no signals: {fault}")));
    let (mut interrupt, mut terminate) =
        (signals(SignalKind::interrupt())?, signals(SignalKind::terminate())?);
    let work = async {
        if args.preview {
            daemon::preview(settings, &file, bar, &interrupted).await
        } else {
            daemon::import(settings, &file, bar, &interrupted).await
        }
    };
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if interrupted.is_cancelled() {
            let told = "interrupted at once: what was confirmed is in the ledger; run the same command again, and \
                        it goes on there";
            return Err(Stop::Unavailable(told.into()).into());
        }
        interrupted.cancel();
        bar.note("interrupted: what is on its way is still confirmed");
    }
}

fn tell(args: &ImportArgs, imported: &Imported, console: &mut Console<'_>) -> Result<(), Stop> {
    let report = Report { file: &args.file, preview: args.preview, imported };
    let text = if args.json { report.json() } else { report.text() };
    let printed = console.out.write_all(text.as_bytes()).and_then(|()| console.out.flush());
    printed.map_err(|fault| Stop::Internal(format!("the sums cannot be printed: {fault}")))?;
    if let Some(problems) = report.problems() {
        console.say(problems);
    }
    Ok(())
}
