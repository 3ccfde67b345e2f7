//! Lines that cannot be understood: where and which rule, never what stands there.

use std::fmt;
use std::io;

/// Bad lines that are listed one by one; at this number reading stops.
pub const BAD_LINES_MAX: usize = 1000;

/// One line that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Counts from 1; of a row of several lines it is the first.
    pub line: u64,
    /// The rule that it breaks.
    pub rule: String,
}

/// The lines of one file that cannot be understood, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BadLines(Vec<BadLine>);

impl BadLines {
    /// Takes note of one, unless there are enough.
    pub(super) fn note(&mut self, line: u64, rule: impl fmt::Display) {
        if !self.is_full() {
            self.0.push(BadLine { line, rule: rule.to_string() });
        }
    }

    /// Whether every line was understood.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether looking for more is pointless.
    pub fn is_full(&self) -> bool {
        self.0.len() >= BAD_LINES_MAX
    }

    /// Each of them.
    pub fn as_slice(&self) -> &[BadLine] {
        &self.0
    }
}

impl fmt::Display for BadLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, bad) in self.0.iter().enumerate() {
            let line_end = if index == 0 { "" } else { "\n" };
            write!(f, "{line_end}line {}: {}", bad.line, bad.rule)?;
        }
        if self.is_full() {
            write!(f, "\nreading stopped here: there may be more")?;
        }
        Ok(())
    }
}

impl std::error::Error for BadLines {}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The operating system does not give it.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It has lines that cannot be understood.
    #[error("{0}")]
    Bad(BadLines),
}

impl Unreadable {
    pub(crate) fn line(line: u64, rule: impl fmt::Display) -> Self {
        let mut bad = BadLines::default();
        bad.note(line, rule);
        Self::Bad(bad)
    }
}
