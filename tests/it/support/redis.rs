//! A Redis of the test's own: it starts in milliseconds, so nothing is shared. It runs under the shipped
//! ACL, with one more user, `tests`, who may do everything.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use rustix::process::Signal;

use super::child::Kept;
use super::eventually::{SOON, eventually_blocking};
use super::ports::free_port;
use super::secrets;

/// What a restart finds again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// Nothing.
    None,
    /// Everything that was answered: each write is on disk first.
    Always,
    /// All but the last second: what is shipped.
    EverySecond,
    /// What was there at the last `SAVE`: kill it, start it again, and the tail is lost.
    Snapshots,
}

impl Persistence {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::None | Self::Snapshots => &["--appendonly", "no"],
            Self::Always => &["--appendonly", "yes", "--appendfsync", "always"],
            Self::EverySecond => &["--appendonly", "yes", "--appendfsync", "everysec"],
        }
    }
}

/// A Redis server.
pub(crate) struct Redis {
    directory: PathBuf,
    port: u16,
    persistence: Persistence,
    more: Vec<String>,
    server: Mutex<Option<Kept>>,
}

impl Redis {
    /// Starts a server that keeps its data below `parent`.
    pub(crate) fn start(parent: &Path, persistence: Persistence) -> Self {
        Self::start_with(parent, persistence, &[])
    }

    /// The same with more of `redis-server`'s arguments (`["--maxmemory-policy", "allkeys-lru"]`).
    pub(crate) fn start_with(parent: &Path, persistence: Persistence, more: &[&str]) -> Self {
        let port = free_port();
        let directory = parent.join(format!("redis-{port}"));
        std::fs::create_dir_all(directory.join("data")).expect("a directory can be made");
        let acl = secrets::text("users.acl") + "user tests on >tests ~* &* +@all\n";
        std::fs::write(directory.join("users.acl"), acl).expect("the directory is ours");
        let more = more.iter().map(ToString::to_string).collect();
        let redis = Self { directory, port, persistence, more, server: Mutex::new(None) };
        redis.start_again();
        redis
    }

    /// The worker's URL.
    pub(crate) fn url(&self) -> String {
        Self::url_at(self.port)
    }

    /// The worker's URL through a proxy on this port.
    pub(crate) fn url_at(port: u16) -> String {
        format!("redis://suppressd:{}@127.0.0.1:{port}/", secrets::redis_password())
    }

    /// The URL of a user who may do everything.
    pub(crate) fn admin_url(&self) -> String {
        format!("redis://tests:tests@127.0.0.1:{}/", self.port)
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.lock().as_ref().expect("Redis runs").id()
    }

    /// A connection that may do everything.
    pub(crate) async fn connect(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.admin_url()).expect("the URL is well formed");
        let patience = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(SOON))
            .set_response_timeout(Some(SOON));
        client.get_multiplexed_async_connection_with_config(&patience).await.expect("Redis takes connections")
    }

    /// One command, its words separated by blanks: `redis.run("FLUSHALL").await`.
    pub(crate) async fn run(&self, command: &str) -> redis::Value {
        let mut words = command.split_ascii_whitespace();
        let mut line = redis::cmd(words.next().expect("a command has a word"));
        words.for_each(|word| {
            line.arg(word);
        });
        line.query_async(&mut self.connect().await).await.expect("Redis obeys")
    }

    /// Where it writes its files.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Kills it, as a power cut of its process would.
    pub(crate) fn kill9(&self) {
        self.lock().take();
    }

    /// Lets it write what it has to, and stops it.
    pub(crate) fn stop(&self) {
        if let Some(mut server) = self.lock().take() {
            server.signal(Signal::TERM);
            eventually_blocking("Redis stops", SOON, || server.try_status());
        }
    }

    /// Freezes it: connections stay, nothing answers.
    pub(crate) fn freeze(&self) {
        self.lock().as_mut().expect("Redis runs").signal(Signal::STOP);
    }

    /// Ends [`Redis::freeze`].
    pub(crate) fn thaw(&self) {
        self.lock().as_mut().expect("Redis runs").signal(Signal::CONT);
    }

    /// Starts it on the port and the data that it had.
    pub(crate) fn start_again(&self) {
        let mut server = Kept::start(self.command(), &self.directory, "redis");
        eventually_blocking("Redis serves", SOON, || {
            assert!(server.try_status().is_none(), "Redis ended:\n{}", self.output());
            ping(self.port).ok().filter(|serves| *serves)
        });
        *self.lock() = Some(server);
    }

    /// Copies what is on disk now, to be put back by [`Redis::restore`]: an old backup.
    pub(crate) fn back_up(&self, name: &str) {
        copy_tree(&self.data(), &self.directory.join(name));
    }

    /// Kills it, puts a backup in the place of its data, and starts it again.
    pub(crate) fn restore(&self, name: &str) {
        self.kill9();
        std::fs::remove_dir_all(self.data()).expect("the data is ours");
        copy_tree(&self.directory.join(name), &self.data());
        self.start_again();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Kept>> {
        self.server.lock().expect("nobody panics while holding the server")
    }

    fn output(&self) -> String {
        std::fs::read_to_string(self.directory.join("redis.out")).unwrap_or_default()
    }

    fn command(&self) -> Command {
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .arg("--dir")
            .arg(self.data())
            .arg("--aclfile")
            .arg(self.directory.join("users.acl"))
            .args(self.persistence.arguments())
            .args(&self.more);
        command
    }
}

/// Whether the server answers, and not with `LOADING`.
fn ping(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(b"AUTH tests tests\r\nDBSIZE\r\nQUIT\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("+OK\r\n:"))
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory can be made");
    for entry in std::fs::read_dir(from).expect("the directory is there").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}
