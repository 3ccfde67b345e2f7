//! Sending an event from the command line, and telling what came back.
//!
//! The event is judged here by this machine's settings first, so that what would only fill the dead queue is not
//! sent; the worker judges it again, by its own.

use std::fmt::Write;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use tokio::runtime::Runtime;

use super::console::Console;
use super::exit::{Exit, Failure};
use super::table::plain;
use crate::codec::answer::{self, Answer};
use crate::codec::event::Body;
use crate::codec::record::hex;
use crate::codec::written_event::{WrittenEvent, write};
use crate::daemon::{self, Answered, Letter, Stop};
use crate::domain::event::{Policy, SourcePolicy, permit};
use crate::domain::words::Status;
use crate::service::random;
use crate::settings::Settings;

/// The options of every command that sends an event.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct SendArgs {
    /// In whose name: a source of the configuration
    #[arg(long, value_name = "SOURCE", default_value = "operator")]
    pub(super) source: String,

    /// Who took it down, by a name that means something to you; it is kept in the ledger
    #[arg(long, value_name = "NAME")]
    pub(super) agent: Option<String>,

    /// Seconds to wait for the receipt
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) timeout: u64,

    /// Print the receipt as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// A name that no event had before.
pub(super) fn event_id() -> String {
    hex(&random::nonce().0)
}

/// Sends the event and tells what became of it.
pub(super) fn send(
    event: &WrittenEvent<'_>,
    args: &SendArgs,
    settings: &Settings,
    runtime: &Runtime,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let body = write(event);
    if let Err(failure) = judge(&body, event, settings)? {
        return Ok(failure.told(console));
    }
    let letter = Letter { source: event.source.to_owned(), body };
    let id = event.event_id;
    let patience = Duration::from_secs(args.timeout);
    let queued = || console.say(format_args!("event {id} is queued; waiting for its receipt"));
    let answered = runtime.block_on(daemon::send(settings, letter, patience, queued))?;
    Ok(tell(&answered, event, args, console))
}

/// Whether this machine's settings let the event through.
fn judge(body: &[u8], event: &WrittenEvent<'_>, settings: &Settings) -> Result<Result<(), Failure>, Stop> {
    if !settings.sources.contains_key(event.source) {
        let known = settings.sources.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Ok(Err(Failure::new(Exit::Usage, format!("--source: must be one of {known}"))));
    }
    let user = daemon::amqp_user(settings)?;
    let sources = settings.sources.iter();
    let sources = sources.map(|(name, source)| {
        let (may, users) = (source.may.clone(), source.users.clone());
        (name.clone(), SourcePolicy { may, users, clock: source.clock })
    });
    let policy = Policy {
        sources: &sources.collect(),
        catalogue: &settings.catalogue,
        calendar: &settings.deadlines.calendar,
        future_max: SignedDuration::ZERO,
    };
    let judged = Body::parse(body).and_then(|body| {
        let event = body.event()?;
        Ok(permit(&event, Some(&user), &policy).map_err(|refused| (refused.reason, refused.detail)))
    });
    Ok(match judged {
        Ok(Ok(())) => Ok(()),
        Ok(Err((reason, detail))) => {
            Err(Failure::new(Exit::BadData, format!("refused before it was sent: {reason}: {detail}")))
        }
        Err(fault) => Err(Failure::new(Exit::BadData, format!("refused before it was sent: {fault}"))),
    })
}

fn tell(answered: &Answered, event: &WrittenEvent<'_>, args: &SendArgs, console: &mut Console<'_>) -> Exit {
    let id = event.event_id;
    let (exit, words, machine) = match answered {
        Answered::Receipt(body) => {
            let text = String::from_utf8_lossy(body).into_owned();
            let Some(answer) = answer::read(body) else {
                let problem = "the receipt cannot be understood; was it written by a newer suppressd?";
                return Failure::new(Exit::Internal, format!("{problem} The event was {id}")).told(console);
            };
            let exit = if answer.status == Status::Rejected { Exit::BadData } else { Exit::Fine };
            (exit, words(&answer), text)
        }
        Answered::Dead { reason, detail } => (
            Exit::BadData,
            format!(
                "refused: {}: {}\nit is in the dead queue, and nothing is in force",
                plain(reason),
                plain(detail)
            ),
            json!({"event_id": id, "status": "dead", "reason": reason, "detail": detail}).to_string(),
        ),
        Answered::Nothing => (
            Exit::Unavailable,
            format!(
                "no worker answered within {} s: nothing is in force yet. The event is queued and will be applied as \
                 soon as a worker runs; it cannot be lost. `suppressd look-up` shows it then",
                args.timeout
            ),
            json!({"event_id": id, "status": "queued"}).to_string(),
        ),
    };
    let text = if args.json { machine } else { format!("{words}\nevent {id}") };
    if writeln!(console.out, "{text}").is_err() {
        return Failure::new(Exit::Internal, "the answer cannot be printed").told(console);
    }
    exit
}

/// A receipt for people.
fn words(answer: &Answer) -> String {
    let at = answer.revision.map(|revision| format!(" (revision {revision})")).unwrap_or_default();
    let mut text = match answer.status {
        Status::Applied => format!("applied{at}: it counts for every job from now on"),
        Status::Duplicate => format!("duplicate{at}: this very event was taken before"),
        Status::Superseded => {
            format!("superseded{at}: valid, but something said later, or settled before, counts instead")
        }
        Status::Review => "review: a person must decide; see `suppressd requests --status review`".to_owned(),
        Status::Rejected => {
            let reason = plain(answer.reason.as_deref().unwrap_or("without a reason"));
            format!("rejected: {reason}; nothing has changed")
        }
    };
    let mut line = |name: &str, value: &str| {
        write!(text, "\n{name} {value}").expect("a String takes text");
    };
    line("request", &plain(&answer.request_id));
    if let Some(due_at) = answer.due_at.filter(|_| answer.status == Status::Review) {
        line("due at", &format!("{due_at:.0}"));
    }
    if !answer.widened.is_empty() {
        line("widened to all:", &plain(&answer.widened.join(", ")));
    }
    if !answer.ignored.is_empty() {
        line("ignored, because unreadable:", &plain(&answer.ignored.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: Status) -> Answer {
        Answer {
            status,
            request_id: "CRM-88\n".into(),
            revision: Some(7),
            effective_at: None,
            due_at: None,
            widened: vec!["brands".into()],
            ignored: vec![],
            reason: Some("unknown_request".into()),
        }
    }

    #[test]
    fn every_status_is_told_in_its_own_words_with_its_request() {
        let told: Vec<String> = Status::ALL.iter().map(|status| words(&answer(*status))).collect();
        for (status, told) in Status::ALL.iter().zip(&told) {
            assert!(told.starts_with(status.as_str()), "{told}");
            assert!(told.contains("\nrequest CRM-88\\u{a}\n") && told.ends_with("brands"), "{told}");
        }
        assert!(told[Status::Rejected as usize].contains("unknown_request"));
    }
}
