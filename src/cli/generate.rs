//! `suppressd generate`: the manual page and the shells' completions, made of the command line's own definition, so
//! that neither can name an option that is not there.
//!
//! A command of the program that ships, so that a package, an image and a copy by hand all have it, and it is
//! always that of this version. It reads no configuration and connects to nothing.

use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::console::Console;
use super::exit::{Exit, Failure};
use super::{Arguments, manual};

/// What can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The manual page, suppressd(1), for man
    Man,
    /// Completions for bash
    Bash,
    /// Completions for zsh
    Zsh,
    /// Completions for fish
    Fish,
}

/// Print the manual page, or a shell's completions
#[derive(Debug, Clone, clap::Args)]
pub(super) struct GenerateArgs {
    /// Which
    what: What,
}

/// Prints it.
pub(super) fn run(args: &GenerateArgs, console: &mut Console<'_>) -> Exit {
    let made = made(args.what);
    match console.out.write_all(&made).and_then(|()| console.out.flush()) {
        Ok(()) => Exit::Fine,
        Err(error) => Failure::new(Exit::Internal, format!("standard output: {error}")).told(console),
    }
}

fn made(what: What) -> Vec<u8> {
    let mut command = Arguments::command();
    let shell = match what {
        What::Man => return manual::page(command).into_bytes(),
        What::Bash => Shell::Bash,
        What::Zsh => Shell::Zsh,
        What::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "suppressd", &mut script);
    script
}
