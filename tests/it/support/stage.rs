//! All that one test needs: a virtual host, a Redis, a directory and the worker's configuration.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::amqp::Client;
use super::broker::{Broker, Vhost};
use super::ports::free_port;
use super::redis::{Persistence, Redis};
use super::worker::Worker;
use super::{leash, secrets};

/// What the contract shows as an example, which is what the tests speak of.
const POLICY: &str = r#"
[policy]
brands = ["lulla.kz", "lunafresh.kz", "bilal.kz"]
exempt_publishers = ["orders"]
[sources.call_center]
may = ["opt_out", "opt_in", "hold", "release", "complaint", "identifier_changed", "dismiss"]
users = ["callcenter"]
[sources.email]
may = ["opt_out", "hold", "complaint", "bounce"]
[sources.operator]
may = ["opt_out", "opt_in", "hold", "release", "complaint", "bounce", "identifier_changed", "dismiss", "apply"]
[sources.import]
may = ["opt_out", "hold", "complaint", "bounce"]
"#;

/// The scene of one test. Dropping it removes its virtual host, its servers and its directory.
pub(crate) struct Stage {
    /// The virtual host.
    pub(crate) vhost: Vhost,
    /// The Redis server.
    pub(crate) redis: Redis,
    directory: PathBuf,
    overlays: Vec<PathBuf>,
}

impl Stage {
    /// On the shared broker, with a Redis that keeps what it is told, as shipped.
    pub(crate) fn new() -> Self {
        Self::with(&Broker::shared(), Persistence::EverySecond)
    }

    /// On a given broker: a test that stops the broker brings its own.
    pub(crate) fn with(broker: &Arc<Broker>, persistence: Persistence) -> Self {
        let directory = leash::directory("stage-");
        let redis = Redis::start(&directory, persistence);
        let stage = Self { vhost: broker.vhost(), redis, directory, overlays: Vec::new() };
        std::fs::write(stage.directory.join("suppressd.toml"), stage.settings())
            .expect("the directory is ours");
        stage
    }

    fn settings(&self) -> String {
        // Names in front of the tables would be lost in the last of them: top-level tables only.
        format!(
            "[amqp]\nurl = \"{}\"\n[redis]\nurl = \"{}\"\n[hashing]\nkey_files = [\"{}\"]\n{POLICY}",
            self.vhost.url("suppressd"),
            self.redis.url(),
            Self::key_file().display(),
        )
    }

    /// The file with the key that the workers hash under.
    pub(crate) fn key_file() -> PathBuf {
        secrets::file("suppressd.key")
    }

    /// Adds a configuration file that later runs read last: `stage.configure("[limits]\njob_recipients_max = 5")`.
    pub(crate) fn configure(&mut self, toml: &str) -> &mut Self {
        let path = self.directory.join(format!("overlay-{}.toml", self.overlays.len()));
        std::fs::write(&path, toml).expect("the directory is ours");
        self.overlays.push(path);
        self
    }

    /// `suppressd COMMAND … --config …`, in an empty environment, ready to be changed further and started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_suppressd"));
        command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(&self.directory).args(arguments);
        for file in self.config_files() {
            command.arg("--config").arg(file);
        }
        command
    }

    /// The files that [`Stage::command`] names: the regions that are shipped, this stage's own settings,
    /// and what was added.
    pub(crate) fn config_files(&self) -> Vec<PathBuf> {
        let regions = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/kazakhstan.toml");
        let own = self.directory.join("suppressd.toml");
        [regions, own].into_iter().chain(self.overlays.iter().cloned()).collect()
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        let output = self.command(arguments).output().expect("suppressd can be run");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("suppressd prints UTF-8");
        Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// `suppressd init`, which must succeed.
    pub(crate) fn init(&self) -> &Self {
        let init = self.run(&["init"]);
        assert_eq!(init.code, Some(0), "suppressd init:\n{}", init.stderr);
        self
    }

    /// Starts a worker of this name. It is not waited for: see [`Worker::wait_ready`].
    pub(crate) fn start(&self, name: &str) -> Worker {
        self.start_with(name, |_| ())
    }

    /// The same with something changed first: an environment variable, an argument.
    pub(crate) fn start_with(&self, name: &str, change: impl FnOnce(&mut Command)) -> Worker {
        let port = free_port();
        let mut command = self.command(&["run"]);
        command.env("SUPPRESSD__ADMIN__LISTEN", format!("127.0.0.1:{port}"));
        change(&mut command);
        Worker::start(command, &self.directory, name, port)
    }

    /// Starts a worker with its standard error led elsewhere: to `/dev/full`, say.
    pub(crate) fn start_logging_to(&self, name: &str, place: &str) -> Worker {
        let port = free_port();
        let worker = self.command(&["run"]);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec \"$0\" \"$@\" 2>{place}")]);
        shell.arg(worker.get_program()).args(worker.get_args()).current_dir(&self.directory).env_clear();
        shell.env("PATH", "/usr/bin:/bin").env("SUPPRESSD__ADMIN__LISTEN", format!("127.0.0.1:{port}"));
        Worker::start(shell, &self.directory, name, port)
    }

    /// Starts a command that is not waited for, as if it were a worker without a port.
    pub(crate) fn begin(&self, name: &str, arguments: &[&str]) -> Worker {
        Worker::start(self.command(arguments), &self.directory, name, 0)
    }

    /// Connects as one of the shipped users, or as `guest`, who may do everything.
    pub(crate) async fn connect(&self, user: &str) -> Client {
        self.vhost.connect(user).await
    }

    /// Where everything of this stage is: configuration, the workers' output, Redis's data.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Files of this stage in which one of these texts occurs: logs, and what Redis has on disk.
    ///
    /// Redis writes at its leisure: stop it, or `SAVE`, before a search.
    pub(crate) fn files_with(&self, texts: &[&str]) -> Vec<PathBuf> {
        let mut found = Vec::new();
        search(&self.directory, texts, &mut found);
        found
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.redis.kill9();
        // Kept for reading when the test failed; it goes with the process then.
        if !std::thread::panicking() {
            let _removed_with_the_process_otherwise = std::fs::remove_dir_all(&self.directory);
        }
    }
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Its exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Its results.
    pub(crate) stdout: String,
    /// Its progress and its errors.
    pub(crate) stderr: String,
}

fn search(directory: &Path, texts: &[&str], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("the directory is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            search(&path, texts, found);
            continue;
        }
        // A server's pipes would be waited for.
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        let occurs = |text: &&str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        if texts.iter().any(occurs) {
            found.push(path);
        }
    }
}
