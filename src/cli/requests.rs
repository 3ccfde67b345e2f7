//! `suppressd requests`: what a person must decide, by when, and the decision.
//!
//! The list shows what is asked and never of whom: a request keeps digests. A decision is an event like any other,
//! in the name of a source that may take it.

mod report;

use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use tokio::runtime::Runtime;

use self::report::Report;
use super::console::Console;
use super::exit::Exit;
use super::receipt::{SendArgs, event_id, send};
use crate::codec::written_event::WrittenEvent;
use crate::daemon::{self, Stop};
use crate::domain::words::EventKind;
use crate::settings::Settings;

/// Which requests are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Listed {
    /// Not settled. Until a worker has taken its event, a request is a message in a queue and in no list
    Open,
    /// Somebody must decide: these are all that stay open
    Review,
    /// Past their strict deadline
    Overdue,
}

/// List the requests that a person must decide on, the one that is due first in front, or decide
#[derive(Debug, Clone, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct RequestsArgs {
    #[command(subcommand)]
    decision: Option<Decision>,

    /// Which
    #[arg(long, value_name = "STATUS", default_value = "open")]
    status: Listed,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Subcommand)]
enum Decision {
    /// Close a request without an opt-out: its provisional hold ends
    Dismiss(DecisionArgs),
    /// Do what the request asks, for the identifiers that came with it: its provisional hold ends
    Apply(DecisionArgs),
}

#[derive(Debug, Clone, clap::Args)]
struct DecisionArgs {
    /// The request, as the list names it
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    send: SendArgs,
}

/// Lists or decides.
pub(super) fn run(
    args: &RequestsArgs,
    settings: &Settings,
    runtime: &Runtime,
    now: Timestamp,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    match &args.decision {
        None => list(args, settings, runtime, now, console),
        Some(Decision::Dismiss(decision)) => {
            decide(EventKind::Dismiss, decision, settings, runtime, now, console)
        }
        Some(Decision::Apply(decision)) => {
            decide(EventKind::Apply, decision, settings, runtime, now, console)
        }
    }
}

fn list(
    args: &RequestsArgs,
    settings: &Settings,
    runtime: &Runtime,
    now: Timestamp,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let until = (args.status == Listed::Overdue).then_some(now);
    let found = runtime.block_on(daemon::requests(settings, until))?;
    let report = Report::new(&found, now);
    let text = if args.json { report.json() } else { report.text() };
    let printed = console.out.write_all(text.as_bytes()).and_then(|()| console.out.flush());
    printed.map_err(|fault| Stop::Internal(format!("the requests cannot be printed: {fault}")))?;
    Ok(Exit::Fine)
}

fn decide(
    kind: EventKind,
    args: &DecisionArgs,
    settings: &Settings,
    runtime: &Runtime,
    now: Timestamp,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let event_id = event_id();
    let event = WrittenEvent {
        event_id: &event_id,
        source: &args.send.source,
        kind,
        occurred_at: now,
        about: vec![],
        scope: [vec![], vec![], vec![]],
        request_id: Some(&args.id),
        requested_by: None,
        agent: args.send.agent.as_deref(),
        review: None,
        rule: None,
    };
    send(&event, &args.send, settings, runtime, console)
}
