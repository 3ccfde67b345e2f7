//! Nothing that a test process starts outlives it, however it ends.
//!
//! A shell waits on a pipe that only this process can write to. When the process ends (returns, panics,
//! is killed with SIGKILL) the kernel closes the pipe; the shell then kills every process group that is
//! still registered and removes the process's directory. Statics are never dropped in Rust, so the shared
//! broker relies on this even in a run that passes.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock};

/// `+ GROUP` registers, `- GROUP` forgets. The directory is removed only when its owners are gone: they
/// would write to it again.
const WATCH: &str = r#"
trap '' INT TERM HUP
groups=' '
while read -r what group; do
  case $what in
    +) groups="$groups$group " ;;
    -) groups="${groups%% $group *} ${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
tries=0
while ! rm -rf -- "$1" 2>/dev/null && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
"#;

struct Leash {
    pipe: Mutex<ChildStdin>,
    root: PathBuf,
}

#[expect(clippy::zombie_processes, reason = "the shell ends after this process, that is its purpose")]
fn leash() -> &'static Leash {
    static LEASH: OnceLock<Leash> = OnceLock::new();
    LEASH.get_or_init(|| {
        let root = tempfile::Builder::new()
            .prefix("suppressd-it-")
            .tempdir()
            .expect("a temporary directory can be made")
            .keep();
        let mut shell = Command::new("sh")
            .args(["-c", WATCH, "leash"])
            .arg(&root)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("sh can be started");
        let pipe = Mutex::new(shell.stdin.take().expect("the shell's input is piped"));
        Leash { pipe, root }
    })
}

/// The directory in which everything of this process lives; it is removed with the process.
pub(super) fn root() -> &'static Path {
    &leash().root
}

/// A new directory below [`root`].
pub(crate) fn directory(prefix: &str) -> PathBuf {
    tempfile::Builder::new().prefix(prefix).tempdir_in(root()).expect("a directory can be made").keep()
}

/// From now on this process group dies with the test process.
pub(super) fn hold(group: u32) {
    tell('+', group);
}

/// The group is gone already; its number may be used again by somebody else.
pub(super) fn forget(group: u32) {
    tell('-', group);
}

fn tell(what: char, group: u32) {
    let mut pipe = leash().pipe.lock().expect("nobody panics while telling");
    writeln!(pipe, "{what} {group}").expect("the watching shell lives as long as this process");
}
