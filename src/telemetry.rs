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

/// Who logs what they were given, by the beginnings of their modules' names. Nothing is missed: whatever goes
/// wrong there ends a session, and its owner says so in its own words.
///
/// lapin prints every returned message with its body as a warning, and what the broker says of a refused one,
/// which repeats routing keys and properties, as an error; `amq_protocol_tcp` prints URIs with their passwords.
/// Who logs through the `log` crate, as redis does, is not heard at all: nothing bridges it to here.
const SILENT: [&str; 2] = ["lapin", "amq_protocol"];

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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Takes what is logged.
    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Page {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is logged meanwhile.
    fn logged(form: LogForm, level: Level, work: impl FnOnce()) -> String {
        let page = Page::default();
        let copy = page.clone();
        let subscriber = subscriber(LogConfig { form, level }, move || copy.clone(), false);
        tracing::subscriber::with_default(subscriber, work);
        page.text()
    }

    #[test]
    fn a_line_for_machines_is_one_json_object() {
        let text = logged(LogForm::Json, Level::INFO, || {
            tracing::info!(jobs = 3, why = "two\nlines", "something happened");
            tracing::debug!("too small");
        });
        let line: serde_json::Value = serde_json::from_str(text.strip_suffix('\n').unwrap()).unwrap();
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["message"], "something happened");
        assert_eq!((&line["jobs"], &line["why"]), (&3.into(), &"two\nlines".into()));
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn a_line_for_people_reads_well() {
        let text = logged(LogForm::Text, Level::DEBUG, || tracing::debug!(jobs = 3, "something happened"));
        assert!(text.contains("DEBUG") && text.ends_with("something happened jobs=3\n"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn what_prints_messages_is_never_heard_and_other_vendors_only_with_warnings() {
        let text = logged(LogForm::Text, Level::TRACE, || {
            tracing::error!(target: concat!("lapin", "::returned_messages"), "secret");
            tracing::error!(target: "lapin", "secret");
            tracing::error!(target: "amq_protocol_tcp", "secret");
            tracing::info!(target: "tower::buffer", "secret");
            tracing::warn!(target: "tower::buffer", "vendor");
            tracing::trace!("own");
        });
        assert!(!text.contains("secret") && text.contains("vendor") && text.contains("own"), "{text}");
        let text = logged(LogForm::Text, Level::ERROR, || {
            tracing::warn!(target: "tower::buffer", "vendor");
            tracing::warn!("own");
        });
        assert_eq!(text, "");
    }

    #[test]
    fn a_panic_is_logged_with_its_place_and_without_the_data_that_its_words_quote() {
        let canary = "u1@example.kz";
        let text = logged(LogForm::Json, Level::ERROR, || {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(log_panic));
            let composed = std::panic::catch_unwind(|| panic!("no place for {canary}"));
            let literal = std::panic::catch_unwind(|| panic!("a rule is broken"));
            std::panic::set_hook(before);
            assert!(composed.is_err() && literal.is_err());
        });
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines.iter().all(|line| line["place"].as_str().unwrap().contains("src/telemetry.rs:")));
        assert_eq!(lines[1]["words"], "a rule is broken");
        assert!(!text.contains(canary), "{text}");
    }
}
