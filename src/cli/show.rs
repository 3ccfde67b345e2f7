//! The one place that writes to standard output and error.

use std::fmt::Display;
use std::io::Write;

use indicatif::{ProgressBar, ProgressStyle};

use crate::daemon::Progress;

/// A result, to standard output.
pub(super) fn result(line: &str) {
    // Nobody reads it: then nobody needs it.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// What is wrong, to standard error.
pub(super) fn error(error: &impl Display) {
    let _ = writeln!(std::io::stderr(), "suppressd: {error}");
}

/// Progress on standard error: a bar on a terminal, nothing elsewhere.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(what: &'static str) -> Self {
        let style = ProgressStyle::with_template("{msg} [{bar:40}] {human_pos}/{human_len} {per_sec} {eta}");
        let bar = ProgressBar::new(0).with_message(what);
        Self(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    /// The same over the bytes of a file.
    pub(super) fn of_bytes() -> Self {
        let style = ProgressStyle::with_template("[{bar:40}] {percent:>3} %  {binary_bytes_per_sec}  {eta}");
        Self(ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    pub(super) fn end(&self) {
        self.0.finish();
    }

    /// Leaves nothing on the screen.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn applied(&self, records: u64, of: u64) {
        self.0.set_length(of);
        self.0.set_position(records);
    }

    fn note(&self, line: &str) {
        self.0.suspend(|| error(&line));
    }
}
