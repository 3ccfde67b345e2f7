//! `suppressd export`: the whole list as lines, to standard output or into a file that only its owner may read.
//!
//! A file appears only when it is whole. On standard output the last line says that nothing is missing.

use std::io::Write;
use std::path::PathBuf;

use tokio::runtime::Runtime;

use super::console::Console;
use super::exit::{Exit, Failure};
use super::show::Bar;
use crate::clean::output::Output;
use crate::daemon::{self, Exported, NotExported, Stop};
use crate::settings::Settings;

/// Write the whole list down, as digests with their statements
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ExportArgs {
    /// Where it goes; a failed run leaves no file. Standard output by default
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Exports.
pub(super) fn run(
    args: &ExportArgs,
    settings: &Settings,
    runtime: &Runtime,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    match written(args, settings, runtime, &mut *console.out)? {
        Ok(Exported { identifiers, from, to }) => {
            let moment = if from == to {
                format!("revision {from}")
            } else {
                format!("revision {from}, and in part what came until {to}")
            };
            console.say(format_args!("exported {identifiers} digests: {moment}"));
            Ok(Exit::Fine)
        }
        Err(failure) => Ok(failure.told(console)),
    }
}

fn written(
    args: &ExportArgs,
    settings: &Settings,
    runtime: &Runtime,
    stream: &mut dyn Write,
) -> Result<Result<Exported, Failure>, Stop> {
    let output = match &args.file {
        Some(path) => Output::private(path),
        None => Ok(Output::stream(stream)),
    };
    let mut output = match output {
        Ok(output) => output,
        Err(fault) => {
            return Ok(Err(Failure::new(Exit::Usage, format!("FILE: cannot be created: {fault}"))));
        }
    };
    let bar = Bar::new("parts");
    let exported = runtime.block_on(daemon::export(settings, &mut output, &bar));
    bar.clear();
    let exported = exported.and_then(|exported| {
        output.finish()?;
        Ok(exported)
    });
    match exported {
        Ok(exported) => Ok(Ok(exported)),
        Err(NotExported::Stop(stop)) => Err(stop),
        Err(fault @ NotExported::Output(_)) => Ok(Err(Failure::new(Exit::Internal, fault.to_string()))),
    }
}
