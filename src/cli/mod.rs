//! The command line: arguments, messages for people, and exit codes.
//!
//! One file a command. Results go to standard output, everything else to standard error.

pub mod console;
pub mod exit;
pub mod filter;
