//! `suppressd opt-out`: what an operator says about a person, by the same rules as every source.
//!
//! Nothing is decided here: an event is sent, and the receipt told. Names that the configuration does not know, and
//! identifiers that cannot be parsed, are refused before: an operator is there to mend them, so nothing is widened
//! or ignored.

use std::io::BufRead;

use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::console::Console;
use super::country;
use super::exit::{Exit, Failure};
use super::identifiers::IdentifierArgs;
use super::look_up::time;
use super::receipt::{SendArgs, event_id, send};
use crate::codec::written_event::WrittenEvent;
use crate::daemon::Stop;
use crate::domain::catalogue::Catalogue;
use crate::domain::words::{Channel, EventKind, RequestedBy};
use crate::settings::Settings;

/// Opt somebody out, or say something else about a person, by the same rules as every source
#[derive(Debug, Clone, clap::Args)]
pub(super) struct OptOutArgs {
    #[command(flatten)]
    who: IdentifierArgs,

    /// What is said: `opt_out`, `complaint`, `bounce`, `hold`, `opt_in` or `release`
    #[arg(long, value_name = "KIND", default_value = "opt_out", value_parser = kind)]
    kind: EventKind,

    /// Only in this region: a code or an alias; repeatable. Everywhere by default
    #[arg(long)]
    region: Vec<String>,

    /// Only on this channel: email, sms or call; repeatable. On all by default
    #[arg(long)]
    channel: Vec<String>,

    /// Only of this brand; repeatable. Of all by default
    #[arg(long)]
    brand: Vec<String>,

    /// The request that it belongs to; a new one by default
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,

    /// When the person said it (RFC 3339 with an offset); now by default
    #[arg(long, value_name = "TIME", value_parser = time)]
    occurred_at: Option<Timestamp>,

    /// On whose behalf: subject, representative or authority
    #[arg(long, value_name = "WHO", value_parser = requested_by)]
    requested_by: Option<RequestedBy>,

    #[command(flatten)]
    send: SendArgs,
}

fn kind(text: &str) -> Result<EventKind, String> {
    let kind = EventKind::parse(text).filter(|kind| kind.restricts() || kind.lifts());
    kind.ok_or_else(|| "must be one of opt_out, complaint, bounce, hold, opt_in, release".to_owned())
}

fn requested_by(text: &str) -> Result<RequestedBy, String> {
    RequestedBy::parse(text).ok_or_else(|| "must be one of subject, representative, authority".to_owned())
}

/// Sends what the operator says, and tells what became of it.
pub(super) fn run(
    args: &OptOutArgs,
    settings: &Settings,
    runtime: &Runtime,
    now: Timestamp,
    input: impl BufRead,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let named = args.known(&settings.catalogue).and_then(|()| args.who.read(input, &country(settings)?));
    let named = match named {
        Ok(named) => named,
        Err(failure) => return Ok(failure.told(console)),
    };
    let event_id = event_id();
    let event = WrittenEvent {
        event_id: &event_id,
        source: &args.send.source,
        kind: args.kind,
        occurred_at: args.occurred_at.unwrap_or(now),
        about: named.iter().map(|named| (named.kind, named.text.as_str())).collect(),
        scope: [&args.region, &args.channel, &args.brand]
            .map(|names| names.iter().map(String::as_str).collect()),
        request_id: args.request_id.as_deref(),
        requested_by: args.requested_by,
        agent: args.send.agent.as_deref(),
        review: None,
        rule: None,
    };
    send(&event, &args.send, settings, runtime, console)
}

impl OptOutArgs {
    /// Fails with every name that the configuration does not know. Names are no identifiers, but what was typed in
    /// the wrong place may be one: they are not repeated.
    fn known(&self, catalogue: &Catalogue) -> Result<(), Failure> {
        let mut unknown = Vec::new();
        if self.region.iter().any(|name| catalogue.regions_of_scope(name).is_empty()) {
            let codes: Vec<_> = catalogue.regions().iter().map(|region| &*region.code).collect();
            unknown.push(format!("--region: must be one of {}, or an alias", codes.join(", ")));
        }
        if self.channel.iter().any(|name| Channel::parse(name).is_none()) {
            unknown.push("--channel: must be one of email, sms, call".to_owned());
        }
        if self.brand.iter().any(|name| catalogue.brand(name).is_none()) {
            unknown.push(format!("--brand: must be one of {}", catalogue.brands().join(", ")));
        }
        if unknown.is_empty() { Ok(()) } else { Err(Failure::new(Exit::Usage, unknown.join("\n"))) }
    }
}
