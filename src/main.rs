//! The `suppressd` program: see the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A job's buffers come and go a thousand times a second: the C library gives their pages back to the kernel and asks for
/// them again each time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    suppressd::cli::main()
}
