//! The `suppressd` program: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    suppressd::cli::main()
}
