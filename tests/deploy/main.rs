//! What the program is delivered in and run by: its manual page and completions, the Debian package, the image, the
//! files for Kubernetes. No server is needed.
//!
//! The package is built of the program under test and installed below a directory of its own; the machine that runs
//! the tests is left as it is.
#![allow(clippy::unwrap_used, reason = "a test's helpers may panic as its body may")]
#![allow(
    clippy::disallowed_methods,
    reason = "a test stands outside: its files and its programs are the machine's"
)]

mod image;
mod kubernetes;
mod manual;
mod operating;
mod package;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_suppressd");

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a program printed, which must have ended well.
#[track_caller]
fn done(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("tests/run installs what is needed");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}{err}", output.status);
    out.into_owned()
}

/// A key file as a worker accepts it.
fn key_in(directory: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = directory.join("suppressd.key");
    std::fs::write(&path, "8f1d0c7be2a94536a7d3f0e1c2b4968570ad3e5f6b7c8d9e1f2031425364758a\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    path
}
