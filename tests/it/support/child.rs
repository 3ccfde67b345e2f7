//! A process with its own process group, on the leash, its output in files.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use super::leash;

/// A started process. Dropping it kills the whole group.
pub(crate) struct Kept {
    child: Child,
    group: Pid,
    status: Option<ExitStatus>,
    stderr: PathBuf,
}

impl Kept {
    /// Starts `command`; what it prints goes to `<name>.out` and `<name>.err` in `directory`, appended.
    pub(crate) fn start(mut command: Command, directory: &Path, name: &str) -> Self {
        let stderr = directory.join(format!("{name}.err"));
        let child = command
            .stdin(Stdio::null())
            .stdout(append(&directory.join(format!("{name}.out"))))
            .stderr(append(&stderr))
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        leash::hold(child.id());
        let group = Pid::from_child(&child);
        Self { child, group, status: None, stderr }
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the group. A process that has ended already is no error.
    pub(crate) fn signal(&mut self, signal: Signal) {
        if self.try_status().is_none() {
            let _gone_meanwhile = kill_process_group(self.group, signal);
        }
    }

    /// How the process ended, if it has.
    pub(crate) fn try_status(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().expect("a child can be waited for");
            if self.status.is_some() {
                leash::forget(self.child.id());
            }
        }
        self.status
    }

    /// Kills the group and waits for its leader.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        if self.status.is_none() {
            self.status = self.child.wait().ok();
            leash::forget(self.child.id());
        }
    }

    /// The end of what it wrote to stderr, for a panic's message.
    pub(crate) fn last_words(&self) -> String {
        let text = std::fs::read(&self.stderr).unwrap_or_default();
        let start = text.len().saturating_sub(4000);
        String::from_utf8_lossy(&text[start..]).into_owned()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.kill();
    }
}

fn append(path: &Path) -> File {
    File::options().create(true).append(true).open(path).expect("an output file can be opened")
}
