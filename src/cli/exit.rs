//! How a command ends: the codes of `sysexits.h` that scripts may rely on.

use std::process::ExitCode;

use super::console::Console;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All is well.
    Fine = 0,
    /// The command line is wrong.
    Usage = 64,
    /// The input is wrong.
    BadData = 65,
    /// A server does not answer.
    Unavailable = 69,
    /// Something that is nobody's mistake, such as a full disk.
    Internal = 70,
    /// The configuration is wrong.
    Configuration = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was asked to: a text for people, and the code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The code.
    pub exit: Exit,
    /// What is wrong, where, and what to do. Never an identifier.
    pub message: String,
}

impl Failure {
    /// With this code and this text.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// Says it, and is the exit code.
    pub(super) fn told(&self, console: &mut Console<'_>) -> Exit {
        console.say(format_args!("suppressd: {self}"));
        self.exit
    }
}
