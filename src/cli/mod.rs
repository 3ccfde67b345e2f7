//! The command line: what the words mean, what goes to standard output, and the exit code.
//!
//! Results go to standard output, progress and logs to standard error. Nothing here decides anything about a
//! list or a job.

mod campaign;
pub mod console;
mod dead;
mod doctor;
pub mod exit;
mod export;
pub mod filter;
mod generate;
mod identifiers;
mod import;
mod keys;
mod live;
mod look_up;
mod manual;
mod opt_out;
mod read_mail;
mod receipt;
mod requests;
mod show;
mod table;
mod wire;

use std::panic::Location;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;

use self::campaign::CampaignArgs;
use self::console::Console;
use self::dead::DeadArgs;
use self::doctor::DoctorArgs;
use self::exit::{Exit, Failure};
use self::export::ExportArgs;
use self::filter::FilterArgs;
use self::generate::GenerateArgs;
use self::import::ImportArgs;
use self::keys::KeysArgs;
use self::look_up::LookUpArgs;
use self::opt_out::OptOutArgs;
use self::read_mail::ReadMailArgs;
use self::requests::RequestsArgs;
use crate::daemon::{self, Stop};
use crate::domain::identifier::Country;
use crate::fail_points;
use crate::service::clock::{Clock, SystemClock};
use crate::settings::{self, LogFormat, LogLevel, Settings};
use crate::telemetry::{self, LogConfig, LogForm};

const CONFIG_HELP: &str =
    "A configuration file; repeatable, later files win. Variables SUPPRESSD__SECTION__KEY win over files";

/// Takes everybody who opted out of campaign jobs on their way through RabbitMQ.
#[derive(Debug, Parser)]
#[command(name = "suppressd", version = fail_points::VERSION, disable_help_subcommand = true)]
struct Arguments {
    /// A configuration file. Repeatable, later files win.
    #[arg(long, global = true, value_name = "FILE", help = CONFIG_HELP)]
    config: Vec<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Works: takes events and jobs until it is told to stop.
    Run,
    /// Creates the ledger's first record and an empty list. Repeating it harms nothing.
    Init,
    /// Reports every mistake of the configuration. Connects to nothing.
    CheckConfig,
    /// Looks at everything that a worker needs, and says what to do. Changes nothing.
    Doctor(DoctorArgs),
    /// Makes the list anew from the ledger and puts it in place at once.
    Rebuild,
    /// Cleans a CSV or NDJSON file of recipients.
    Filter(FilterArgs),
    /// Tells what is in force for a person, and every record that says so.
    LookUp(LookUpArgs),
    /// Opts somebody out, or says something else about a person, by the same rules as every source.
    OptOut(OptOutArgs),
    /// Imports a file of opt-outs: CSV, NDJSON, or another product's export. It restricts and never lifts.
    Import(ImportArgs),
    /// Writes the whole list down, for another installation with the same keys.
    Export(ExportArgs),
    /// Lists the requests that a person must decide on, or decides.
    Requests(RequestsArgs),
    /// Tells what stands under each hashing key, or retires one that nothing depends on.
    Keys(KeysArgs),
    /// Tells which parts of campaigns are in, and which are missing.
    Campaign(CampaignArgs),
    /// Lists dead letters, shows one, puts them back to where they came from, or drops them.
    Dead(DeadArgs),
    /// Tells what mails in files ask for, and by which rule. Connects to nothing.
    ReadMail(ReadMailArgs),
    /// Prints the manual page, or a shell's completions.
    Generate(GenerateArgs),
}

/// A mistake of ours. Its message is left out: one of slicing a text, say, quotes the text.
struct Broken<'a>(Option<&'a Location<'a>>);

impl std::fmt::Display for Broken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a mistake in suppressd, please report it: panicked")?;
        self.0.map_or(Ok(()), |place| write!(f, " at {place}"))
    }
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|broken| show::error(&Broken(broken.location()))));
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            match stray(&error) {
                Some(mistake) => show::error(&mistake),
                // Help and version are no mistakes. A closed pipe is nobody's fault.
                None => drop(error.print()),
            }
            return if error.use_stderr() { Exit::Usage } else { Exit::Fine }.into();
        }
    };
    let exit = match arguments.command {
        Command::Filter(args) => filtered(&args, &arguments.config),
        Command::LookUp(args) => on_console(&arguments.config, |settings, runtime, console| {
            look_up::run(&args, &settings, runtime, SystemClock.now(), std::io::stdin().lock(), console)
        }),
        Command::OptOut(args) => on_console(&arguments.config, |settings, runtime, console| {
            opt_out::run(&args, &settings, runtime, SystemClock.now(), std::io::stdin().lock(), console)
        }),
        Command::Import(args) => on_console(&arguments.config, |settings, runtime, console| {
            import::run(&args, &settings, runtime, console)
        }),
        Command::Export(args) => on_console(&arguments.config, |settings, runtime, console| {
            export::run(&args, &settings, runtime, console)
        }),
        Command::Requests(args) => on_console(&arguments.config, |settings, runtime, console| {
            requests::run(&args, &settings, runtime, SystemClock.now(), console)
        }),
        Command::Keys(args) => on_console(&arguments.config, |settings, runtime, console| {
            keys::run(&args, &settings, runtime, console)
        }),
        Command::Campaign(args) => on_console(&arguments.config, |settings, runtime, console| {
            campaign::run(&args, &settings, runtime, SystemClock.now(), console)
        }),
        Command::Dead(args) => on_console(&arguments.config, |settings, runtime, console| {
            dead::run(&args, &settings, runtime, SystemClock.now(), console)
        }),
        Command::Doctor(args) => Console::of_this_process(|console| {
            doctor::run(&args, &arguments.config, settings::environment(), &SystemClock, console)
        }),
        Command::ReadMail(args) => Console::of_this_process(|console| {
            read_mail::run(&args, &arguments.config, settings::environment(), console)
        }),
        Command::Generate(args) => Console::of_this_process(|console| generate::run(&args, console)),
        command => with_settings(&arguments.config, |settings| execute(&command, settings)),
    };
    exit.into()
}

/// Reads the whole configuration, then does something with it.
fn with_settings(config: &[PathBuf], command: impl FnOnce(Settings) -> Result<(), Stop>) -> Exit {
    let settings = match settings::load(config, settings::environment()) {
        Ok(settings) => settings,
        Err(mistakes) => {
            show::error(&mistakes);
            return Exit::Configuration;
        }
    };
    match command(settings) {
        Ok(()) => Exit::Fine,
        Err(stop) => {
            show::error(&stop);
            exit_of(&stop)
        }
    }
}

/// Offline, with a file of events, or against the live list.
fn filtered(args: &FilterArgs, config: &[PathBuf]) -> Exit {
    Console::of_this_process(|console| {
        if let Some(opt_outs) = &args.opt_outs {
            let now = SystemClock.now();
            return filter::run_offline(args, opt_outs, config, settings::environment(), now, console);
        }
        on_servers(config, |settings, runtime| live::filter(args, &settings, runtime, console))
    })
}

/// A command on the servers that prints an answer.
fn on_console(
    config: &[PathBuf],
    command: impl FnOnce(Settings, &Runtime, &mut Console<'_>) -> Result<Exit, Stop>,
) -> Exit {
    Console::of_this_process(|console| {
        on_servers(config, |settings, runtime| command(settings, runtime, console))
    })
}

/// A command on the servers that ends in more ways than well or badly.
fn on_servers(config: &[PathBuf], command: impl FnOnce(Settings, &Runtime) -> Result<Exit, Stop>) -> Exit {
    let mut exit = Exit::Fine;
    let loaded = with_settings(config, |settings| {
        start_log(&settings)?;
        exit = command(settings, &runtime()?)?;
        Ok(())
    });
    if loaded == Exit::Fine { exit } else { loaded }
}

/// A value where none belongs may be somebody's number: it is not repeated.
fn stray(error: &clap::Error) -> Option<Failure> {
    let stray = match error.get(ContextKind::InvalidArg)? {
        ContextValue::String(argument) => !argument.starts_with('-'),
        _ => false,
    };
    let problem =
        "a value stands where none belongs (quote what has blanks, and name each by its option; see --help)";
    stray.then(|| Failure::new(Exit::Usage, problem))
}

/// The country of numbers without a country code.
fn country(settings: &Settings) -> Result<Country, Failure> {
    Country::parse(&settings.identifiers.default_country).ok_or_else(|| {
        let problem = "identifiers.default_country: no telephone numbering plan is known for this country";
        Failure::new(Exit::Configuration, problem)
    })
}

fn execute(command: &Command, settings: Settings) -> Result<(), Stop> {
    if !matches!(command, Command::CheckConfig) {
        start_log(&settings)?;
    }
    match command {
        Command::CheckConfig => {
            daemon::check(&settings)?;
            for warning in &settings.warnings {
                show::error(warning);
            }
            if let Some(lack) = settings.deadlines.calendar.lack(SystemClock.now()) {
                show::error(&lack.to_string());
            }
            show::result("the configuration is right");
        }
        Command::Run => runtime()?.block_on(daemon::run(settings))?,
        Command::Init => {
            for line in runtime()?.block_on(daemon::init(&settings))? {
                show::result(line);
            }
        }
        Command::Rebuild => {
            let bar = show::Bar::new("records");
            let rebuilt = runtime()?.block_on(daemon::rebuild(&settings, &bar));
            bar.end();
            show::result(&format!("the list is rebuilt: revision {}", rebuilt?));
        }
        Command::Doctor(_)
        | Command::Filter(_)
        | Command::LookUp(_)
        | Command::OptOut(_)
        | Command::Import(_)
        | Command::Export(_)
        | Command::Requests(_)
        | Command::Keys(_)
        | Command::Campaign(_)
        | Command::Dead(_)
        | Command::ReadMail(_)
        | Command::Generate(_) => {
            unreachable!("these are done on a console")
        }
    }
    Ok(())
}

fn start_log(settings: &Settings) -> Result<(), Stop> {
    let form = match settings.log.format {
        LogFormat::Json => LogForm::Json,
        LogFormat::Text => LogForm::Text,
    };
    let level = match settings.log.level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
        LogLevel::Trace => tracing::Level::TRACE,
    };
    telemetry::start(LogConfig { form, level }).map_err(|error| Stop::Internal(error.to_string()))?;
    if let Some(warning) = fail_points::WARNING {
        tracing::error!(armed = ?fail_points::all_armed(), "{warning}");
    }
    Ok(())
}

fn runtime() -> Result<Runtime, Stop> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::Internal(format!("no runtime: {error}")))
}

fn exit_of(stop: &Stop) -> Exit {
    match stop {
        Stop::Configuration(_) => Exit::Configuration,
        Stop::Unavailable(_) => Exit::Unavailable,
        Stop::Internal(_) => Exit::Internal,
    }
}
