//! `suppressd keys`: what stands under each key of the list, and retiring one that nothing depends on any more.
//!
//! Numbers only: whom one key alone knows, nobody can tell from a digest.

mod report;

use clap::{Args, Subcommand};
use tokio::runtime::Runtime;

use self::report::{Report, depends};
use super::console::Console;
use super::exit::{Exit, Failure};
use super::show::Bar;
use crate::codec::record::unhex;
use crate::daemon::{self, NotRetired, Retired, Stop};
use crate::domain::digest::KeyCheck;
use crate::settings::Settings;

/// Tell what the list holds under each key, and whom one key alone knows; or retire a key
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    retire: Option<Change>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Subcommand)]
enum Change {
    /// Retire a key for ever, once everything that stands under it stands under the newest one too
    Retire {
        /// By what the key is known, as the list of keys tells
        #[arg(value_name = "CHECK", value_parser = check)]
        key: KeyCheck,
    },
}

/// Lists or retires.
pub(super) fn run(
    args: &KeysArgs,
    settings: &Settings,
    runtime: &Runtime,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    let bar = Bar::new("steps");
    let Some(Change::Retire { key }) = args.retire else {
        let survey = runtime.block_on(daemon::keys(settings, &bar));
        bar.clear();
        let report = Report::new(survey?.as_ref());
        return print(&if args.json { report.json() } else { report.text() }, console);
    };
    let retired = runtime.block_on(daemon::retire_key(settings, key, &bar));
    bar.clear();
    match retired {
        Ok(Retired { before: true, .. }) => print("it was retired before\n", console),
        Ok(Retired { copied, .. }) => {
            let text = format!(
                "retired; copied to the newest key: {copied} identifiers\nnow take the file of {key} out of \
                 hashing.key_files of every worker, and restart them\n"
            );
            print(&text, console)
        }
        Err(NotRetired::Stop(stop)) => Err(stop),
        Err(NotRetired::Depends(survey)) => {
            Ok(Failure::new(Exit::BadData, depends(&survey, key)).told(console))
        }
        Err(fault @ NotRetired::NoSuchKey) => Ok(Failure::new(Exit::Usage, fault.to_string()).told(console)),
        Err(fault @ (NotRetired::Only | NotRetired::Changed)) => {
            Ok(Failure::new(Exit::BadData, fault.to_string()).told(console))
        }
    }
}

fn print(text: &str, console: &mut Console<'_>) -> Result<Exit, Stop> {
    let printed = console.out.write_all(text.as_bytes()).and_then(|()| console.out.flush());
    printed.map_err(|fault| Stop::Internal(format!("the answer cannot be printed: {fault}")))?;
    Ok(Exit::Fine)
}

fn check(text: &str) -> Result<KeyCheck, &'static str> {
    unhex(text).map(KeyCheck).ok_or("16 hexadecimal digits, as `suppressd keys` tells them")
}
