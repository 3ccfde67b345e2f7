//! The streams of a command, lent by `main` or by a test.

use std::io::{IsTerminal, Write};

/// Where results and messages go.
pub struct Console<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// Messages.
    pub err: &'a mut dyn Write,
    /// Whether a person sees the results as they come.
    pub out_is_terminal: bool,
    /// Whether a person sees the messages as they come.
    pub err_is_terminal: bool,
}

impl Console<'_> {
    /// Runs a command on the streams of this process.
    pub fn of_this_process<T>(command: impl FnOnce(&mut Console<'_>) -> T) -> T {
        let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
        let (out_is_terminal, err_is_terminal) = (out.is_terminal(), err.is_terminal());
        command(&mut Console { out: &mut out, err: &mut err, out_is_terminal, err_is_terminal })
    }

    /// Says something to the person. Nobody listening is no reason to fail.
    pub fn say(&mut self, text: impl std::fmt::Display) {
        let _ = writeln!(self.err, "{text}");
    }
}
