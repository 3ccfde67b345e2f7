//! Who runs this program, as the system knows it: variables that anybody may set are not asked.

use std::fs;

use jiff::Timestamp;

use crate::service::status::Process;

/// The kernel's number for nobody having logged in.
const NOBODY: u32 = u32::MAX;

/// Who runs this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    /// The user that it runs as.
    pub(super) os_user: String,
    /// The user who logged in, through whatever `sudo`, if the kernel was told.
    pub(super) login_user: Option<String>,
    /// The machine.
    pub(super) host: String,
}

/// Asks the kernel, and the file of users for their names.
pub(super) fn who() -> Who {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let login = fs::read_to_string("/proc/self/loginuid").unwrap_or_default();
    Who {
        os_user: name(&users, rustix::process::getuid().as_raw()),
        login_user: login.trim().parse().ok().filter(|id| *id != NOBODY).map(|id| name(&users, id)),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
    }
}

/// This process, for the status page.
pub(super) fn process(started_at: Timestamp) -> Process {
    Process { host: who().host, pid: std::process::id(), version: env!("CARGO_PKG_VERSION"), started_at }
}

/// The user's name; its number if it has none here.
fn name(users: &str, id: u32) -> String {
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then_some(name)
    });
    named.map_or_else(|| id.to_string(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_called_by_name_or_else_by_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\n\nbroken\naigul:x:1001:1001::/home/aigul:/bin/sh\n";
        assert_eq!(name(users, 1001), "aigul");
        assert_eq!(name(users, 1), "1");
        assert_eq!(name("", 0), "0");
    }

    #[test]
    fn somebody_runs_this_somewhere() {
        let who = who();
        assert!(!who.os_user.is_empty() && !who.host.is_empty());
    }
}
