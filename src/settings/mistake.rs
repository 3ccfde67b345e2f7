//! What is wrong with the configuration, all of it in one go.
//!
//! A mistake says where (file or variable), what (key) and what to do. It never repeats a value: the
//! wrong value may be a password that slipped into the wrong key.

use std::fmt;

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file or the environment variable that it comes from; `configuration` for what is nowhere.
    pub origin: String,
    /// The path of the key, such as `sources.call_center.may`; empty for a file as a whole.
    pub key: String,
    /// What is wrong and what to do.
    pub problem: String,
}

impl fmt::Display for Mistake {
    /// One line, whatever the names contain.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = match self.key.as_str() {
            "" => format!("{}: {}", self.origin, self.problem),
            key => format!("{}: {key}: {}", self.origin, self.problem),
        };
        f.write_str(&line.replace(char::is_control, "\u{fffd}"))
    }
}

/// Every mistake that was found, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            let line_end = if index == 0 { "" } else { "\n" };
            write!(f, "{line_end}{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
