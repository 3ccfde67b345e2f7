//! `suppressd campaign`: which parts of a campaign are in, which are missing, and their sums so far.
//!
//! It reads what workers have written down in Redis, and needs neither RabbitMQ nor a worker. Nobody's identifiers
//! are there: a campaign is numbers.

mod report;

use clap::Args;
use jiff::Timestamp;
use tokio::runtime::Runtime;

use self::report::{List, One};
use super::console::Console;
use super::exit::{Exit, Failure};
use crate::daemon::{self, Stop};
use crate::settings::Settings;

/// List the campaigns that wait for parts and those reported within a day, or tell all of one
#[derive(Debug, Clone, Args)]
pub(super) struct CampaignArgs {
    /// The `campaign_id` of its jobs
    #[arg(value_name = "ID")]
    id: Option<String>,

    /// Forget it: no report comes of the parts that are in, and its next part begins it anew
    #[arg(long, requires = "id")]
    forget: bool,

    /// Print JSON
    #[arg(long, conflicts_with = "forget")]
    json: bool,
}

/// Lists, tells or forgets.
pub(super) fn run(
    args: &CampaignArgs,
    settings: &Settings,
    runtime: &Runtime,
    now: Timestamp,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let found = match &args.id {
        None => {
            let list = List::new(&runtime.block_on(daemon::campaigns(settings, now))?, now);
            Some(if args.json { list.json() } else { list.text() })
        }
        Some(id) if args.forget => {
            let known = runtime.block_on(daemon::forget_campaign(settings, id))?;
            known.then(|| "forgotten\n".to_owned())
        }
        Some(id) => {
            let known = runtime.block_on(daemon::campaign(settings, id))?;
            known.map(|campaign| {
                let one = One::new(id, &campaign);
                if args.json { one.json() } else { one.text() }
            })
        }
    };
    let Some(text) = found else {
        let why = "no such campaign: none of its jobs has a `part`, no part is filtered yet, it was too long ago \
                   (limits.campaign_kept_d), or Redis was emptied since";
        return Ok(Failure::new(Exit::BadData, why).told(console));
    };
    let printed = console.out.write_all(text.as_bytes()).and_then(|()| console.out.flush());
    printed.map_err(|fault| Stop::Internal(format!("the answer cannot be printed: {fault}")))?;
    Ok(Exit::Fine)
}
