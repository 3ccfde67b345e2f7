//! Keys and passwords, made by the shipped `deploy/make-secrets`: every test runs on what an operator gets.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::leash;

/// The directory that `deploy/make-secrets` filled, one for the process.
fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let out = leash::root().join("secrets");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/make-secrets");
        let run = Command::new(script).arg(&out).output().expect("deploy/make-secrets can be run");
        assert!(run.status.success(), "deploy/make-secrets: {}", String::from_utf8_lossy(&run.stderr));
        out
    })
}

/// A file that was made.
pub(super) fn file(name: &str) -> PathBuf {
    directory().join(name)
}

/// The text of a file that was made.
pub(super) fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).expect("make-secrets has made the file")
}

/// The password of a RabbitMQ user of `deploy/rabbitmq/definitions.json`.
pub(super) fn rabbitmq_password(user: &str) -> String {
    text(&format!("rabbitmq-{user}.password")).trim().to_owned()
}

/// The worker's password in Redis.
pub(super) fn redis_password() -> String {
    text("redis-suppressd.password").trim().to_owned()
}
