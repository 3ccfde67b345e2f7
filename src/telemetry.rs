//! The log: structured lines on standard error, and nothing in them that names a person.
//!
//! Our own lines keep to that where they are written. What others write is bounded here, in code and not by
//! an environment variable that somebody may lack or change: vendors log warnings at most, and what is known
//! to print messages is off. Nothing is ever written to standard output, which belongs to the commands.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogForm {
    /// One JSON object a line, for machines.
    Json,
    /// For people.
    Text,
}

/// What is logged, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// The form of a line.
    pub form: LogForm,
    /// The least important level of our own lines.
    pub level: Level,
}

/// The log was started already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log was started already in this process")]
pub struct AlreadyStarted;

/// Who logs what they were given, and says nothing that its caller does not learn from the error it returns.
///
/// lapin prints every returned message with its body as a warning (`lapin::returned_messages`), and what the
/// broker says of a refused one as an error (`lapin::channel`), which repeats routing keys and properties.
const SILENT: [&str; 4] = ["lapin", "amq_protocol", "async_rs", "redis"];

/// Starts the log of this process, panics included.
pub fn start(config: LogConfig) -> Result<(), AlreadyStarted> {
    subscriber(config, std::io::stderr, std::io::stderr().is_terminal())
        .try_init()
        .map_err(|_| AlreadyStarted)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

fn subscriber<W>(config: LogConfig, writer: W, colours: bool) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        // It would report a failed write to standard error by writing to standard error, and panic.
        .log_internal_errors(false);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match config.form {
        LogForm::Json => Box::new(lines.json().flatten_event(true).with_span_list(false)),
        LogForm::Text => Box::new(lines.with_ansi(colours)),
    };
    tracing_subscriber::registry().with(lines.with_filter(targets(config.level)))
}

fn targets(level: Level) -> Targets {
    let own = LevelFilter::from_level(level);
    let silent = SILENT.map(|target| (target, LevelFilter::OFF));
    Targets::new()
        .with_default(own.min(LevelFilter::WARN))
        .with_target(env!("CARGO_CRATE_NAME"), own)
        .with_targets(silent)
}

/// Logs where a panic happened. Its words only if they are a literal in the code: composed ones may quote what
/// was being worked on (a slice in the middle of a letter quotes the whole text).
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let words = literal(panic.payload()).unwrap_or("not shown: its words may quote data");
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(
        place,
        thread,
        words,
        backtrace,
        "a panic: this is a mistake in suppressd or in a library"
    );
}

/// The words of a panic that were written as they are into the code.
fn literal(payload: &(dyn Any + Send)) -> Option<&'static str> {
    payload.downcast_ref::<&'static str>().copied()
}
