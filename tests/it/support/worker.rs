//! The daemon under test, as the process that ships.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::{Mutex, MutexGuard};

use rustix::process::Signal;

use super::child::Kept;
use super::eventually::{LONG, eventually};
use super::http::{self, Answer};

/// A running `suppressd run`. Dropping it kills it.
pub(crate) struct Worker {
    name: String,
    directory: PathBuf,
    admin_port: u16,
    process: Mutex<Kept>,
}

impl Worker {
    pub(super) fn start(command: Command, directory: &Path, name: &str, admin_port: u16) -> Self {
        let process = Mutex::new(Kept::start(command, directory, name));
        Self { name: name.to_owned(), directory: directory.to_owned(), admin_port, process }
    }

    /// Waits until `/ready` answers 200. Panics with the end of its log if it does not, or if it ends.
    pub(crate) async fn wait_ready(&self) -> &Self {
        self.wait_for_readiness(200).await
    }

    /// Waits until `/ready` answers 503: it knows that something is wrong.
    pub(crate) async fn wait_not_ready(&self) -> &Self {
        self.wait_for_readiness(503).await
    }

    async fn wait_for_readiness(&self, status: u16) -> &Self {
        let last = Mutex::new(String::from("no answer"));
        let look = async || {
            if let Some(status) = self.lock().try_status() {
                panic!("{} ended with {status}:\n{}", self.name, self.log_end());
            }
            let answer = self.get("/ready").ok()?;
            (*last.lock().expect("one looker")).clone_from(&answer.body);
            (answer.status == status).then_some(())
        };
        let what = format!("/ready of {} answers {status}", self.name);
        if tokio::time::timeout(LONG, eventually(&what, LONG * 2, look)).await.is_err() {
            let last = last.lock().expect("one looker");
            panic!("not within {LONG:?}: {what}; it says {last}\n{}", self.log_end());
        }
        self
    }

    /// Asks the admin server, once.
    pub(crate) fn get(&self, path: &str) -> std::io::Result<Answer> {
        http::request(self.admin_port, "GET", path, "", "")
    }

    /// The metrics now.
    pub(crate) fn metrics(&self) -> Metrics {
        Metrics::of(self.admin_port).expect("the admin server answers")
    }

    /// The address of the admin server.
    pub(crate) fn admin_port(&self) -> u16 {
        self.admin_port
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.lock().id()
    }

    /// Asks it to finish.
    pub(crate) fn sigterm(&self) {
        self.lock().signal(Signal::TERM);
    }

    /// Kills it at once, as the kernel would.
    pub(crate) fn kill9(&self) {
        self.lock().kill();
    }

    /// Freezes it.
    pub(crate) fn freeze(&self) {
        self.lock().signal(Signal::STOP);
    }

    /// Ends [`Worker::freeze`].
    pub(crate) fn thaw(&self) {
        self.lock().signal(Signal::CONT);
    }

    /// Waits until it has ended, and how: `None` if a signal ended it.
    pub(crate) async fn exit_code(&self) -> Option<i32> {
        let what = format!("{} ends", self.name);
        let status: ExitStatus = eventually(&what, LONG, async || self.lock().try_status()).await;
        status.code()
    }

    /// All that it has printed so far: stdout, then stderr.
    pub(crate) fn output(&self) -> String {
        ["out", "err"]
            .map(|stream| {
                let bytes = std::fs::read(self.directory.join(format!("{}.{stream}", self.name)));
                String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
            })
            .concat()
    }

    fn log_end(&self) -> String {
        self.lock().last_words()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.process.lock().expect("nobody panics while holding the process")
    }
}

/// What `/metrics` said.
pub(crate) struct Metrics(pub(crate) String);

impl Metrics {
    /// Those of the worker whose admin server has this port, now.
    pub(crate) fn of(admin_port: u16) -> std::io::Result<Self> {
        http::request(admin_port, "GET", "/metrics", "", "").map(|answer| Self(answer.body))
    }

    /// The sum over all series of this name that carry these labels; 0 if there is none.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let carries = |series: &str| {
            let (own, rest) = series.split_once('{').unwrap_or((series, ""));
            own == name && labels.iter().all(|(key, value)| rest.contains(&format!("{key}=\"{value}\"")))
        };
        self.0
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.rsplit_once(' '))
            .filter(|(series, _)| carries(series))
            .filter_map(|(_, value)| value.parse::<f64>().ok())
            .sum()
    }
}
