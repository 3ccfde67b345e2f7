//! Sentinels of the test's own, which watch a Redis of the test's own: under the configuration and the users that are
//! shipped in `deploy/redis`, but for addresses, passwords and a second instead of five.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard};

use super::certificates::{certificate, key};
use super::child::Kept;
use super::eventually::{LONG, SOON, eventually};
use super::ports::free_port;
use super::redis::{Persistence, Redis};
use super::secrets;

/// How they call the primary.
const NAME: &str = "mymaster";

/// The shipped file of a Sentinel.
const SHIPPED: &str = include_str!("../../../deploy/redis/sentinel.conf");

/// The users of servers that follow each other.
const USERS: &str = include_str!("../../../deploy/redis/replicas.acl");

/// Servers of which each can follow any other: more arguments of `redis-server`.
const FOLLOWS: [&str; 4] = ["--masteruser", "replica", "--masterauth", "REPLICA_PASSWORD"];

/// A Redis that can become a replica.
pub(crate) async fn primary(parent: &Path) -> Redis {
    let redis = Redis::start_with(parent, Persistence::EverySecond, &FOLLOWS);
    add_users(&redis).await;
    redis
}

/// A replica of the server at a port, when it has all that the primary has.
pub(crate) async fn replica(parent: &Path, of: u16) -> Redis {
    let of = format!("127.0.0.1 {of}");
    let more = [&["--replicaof", &of], &FOLLOWS[..]].concat();
    let replica = Redis::start_with(parent, Persistence::EverySecond, &more);
    add_users(&replica).await;
    eventually("the replica has what the primary has", SOON, async || {
        format!("{:?}", replica.run("ROLE").await).contains("connected").then_some(())
    })
    .await;
    replica
}

/// Adds the users of replicas and Sentinels, for good.
pub(crate) async fn add_users(redis: &Redis) {
    for user in USERS.lines().filter_map(|line| line.strip_prefix("user ")) {
        redis.run(&format!("ACL SETUSER {user}")).await;
    }
    redis.run("ACL SAVE").await;
}

/// Some Sentinels.
pub(crate) struct Sentinels(Vec<Sentinel>);

struct Sentinel {
    directory: PathBuf,
    port: u16,
    process: Mutex<Option<Kept>>,
}

impl Sentinels {
    /// So many, not started yet: who watches which port of 127.0.0.1.
    pub(crate) fn of(parent: &Path, count: usize, primary: u16) -> Self {
        Self::with(parent, count, primary, "")
    }

    /// One that logs in as another user, and so hears nothing of the others.
    pub(crate) fn deaf(parent: &Path, primary: u16, user: &str) -> Self {
        Self::with(parent, 1, primary, &format!("sentinel auth-user {NAME} {user}\n"))
    }

    /// One that speaks TLS with everybody and shows this certificate.
    pub(crate) fn secured(parent: &Path, primary: u16, shown: &str) -> Self {
        let [shown, key, authority] = [certificate(shown), key(shown), certificate("ca")];
        let tls = format!(
            "tls-replication yes\ntls-auth-clients no\ntls-cert-file {shown}\ntls-key-file {key}\n\
             tls-ca-cert-file {authority}\n"
        );
        Self::with(parent, 1, primary, &tls)
    }

    fn with(parent: &Path, count: usize, primary: u16, more: &str) -> Self {
        let one = |_| {
            let port = free_port();
            let directory = parent.join(format!("sentinel-{port}"));
            std::fs::create_dir_all(&directory).expect("a directory can be made");
            let port_line = if more.contains("tls-") {
                format!("port 0\ntls-port {port}")
            } else {
                format!("port {port}")
            };
            let lines = SHIPPED
                .replace("port 26379", &port_line)
                .replace("/var/lib/redis", &directory.display().to_string())
                .replace("PRIMARY 6379", &format!("127.0.0.1 {primary}"))
                .replace("milliseconds mymaster 5000", "milliseconds mymaster 3000")
                .replace("timeout mymaster 30000", "timeout mymaster 5000");
            let lines = format!("{lines}bind 127.0.0.1\n{more}");
            std::fs::write(directory.join("sentinel.conf"), lines).expect("the directory is ours");
            Sentinel { directory, port, process: Mutex::default() }
        };
        Self((0..count).map(one).collect())
    }

    /// Starts those that do not run.
    pub(crate) fn start(&self) -> &Self {
        for sentinel in &self.0 {
            let mut process = sentinel.lock();
            if process.is_none() {
                let mut command = Command::new("redis-server");
                command.arg(sentinel.directory.join("sentinel.conf")).arg("--sentinel");
                *process = Some(Kept::start(command, &sentinel.directory, "sentinel"));
            }
        }
        self
    }

    /// Waits until each knows of so many replicas and, if there are others, of those.
    pub(crate) async fn know(&self, replicas: usize) -> &Self {
        let others = self.0.len() - 1;
        for index in 0..self.0.len() {
            eventually("a Sentinel knows the others and the replicas", LONG, async || {
                let about = self.ask(index, &["MASTER", NAME]).await?;
                let number = |name: &str| -> Option<usize> {
                    let at = about.iter().position(|field| field == name)?;
                    about.get(at + 1)?.parse().ok()
                };
                let known = (number("num-slaves")?, number("num-other-sentinels")?);
                (known == (replicas, others)).then_some(())
            })
            .await;
        }
        self
    }

    /// Waits until all that run name the server at this port.
    pub(crate) async fn name(&self, primary: u16) {
        let port = primary.to_string();
        for index in 0..self.0.len() {
            eventually("the Sentinels name the new primary", LONG, async || {
                let address = self.ask(index, &["GET-MASTER-ADDR-BY-NAME", NAME]).await?;
                (address.last()? == &port).then_some(())
            })
            .await;
        }
    }

    /// One `SENTINEL` command to one of them.
    pub(crate) async fn ask(&self, index: usize, words: &[&str]) -> Option<Vec<String>> {
        let url = format!("redis://:AMONG_SENTINELS@127.0.0.1:{}/", self.0[index].port);
        let client = redis::Client::open(url).expect("the URL is well formed");
        let mut connection = client.get_multiplexed_async_connection().await.ok()?;
        redis::cmd("SENTINEL").arg(words).query_async(&mut connection).await.ok()
    }

    /// Where they listen.
    pub(crate) fn ports(&self) -> Vec<u16> {
        self.0.iter().map(|sentinel| sentinel.port).collect()
    }

    /// Kills one.
    pub(crate) fn kill9(&self, index: usize) {
        self.0[index].lock().take();
    }

    /// The worker's settings.
    pub(crate) fn settings(&self) -> String {
        format!("[redis]\nurl = \"{}\"\n{}", url_at(&self.ports()), login(&self.0[0].directory))
    }
}

impl Sentinel {
    fn lock(&self) -> MutexGuard<'_, Option<Kept>> {
        self.process.lock().expect("nobody panics while holding the process")
    }
}

/// The worker's URL with Sentinels at these ports.
pub(crate) fn url_at(ports: &[u16]) -> String {
    let hosts: Vec<_> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let password = secrets::redis_password();
    format!("redis-sentinel://suppressd:{password}@{}/0?sentinelMasterId={NAME}", hosts.join(","))
}

/// The keys of the worker's login at the Sentinels.
fn login(directory: &Path) -> String {
    use std::os::unix::fs::PermissionsExt;
    let file = directory.join("sentinel.password");
    std::fs::write(&file, "WORKER_PASSWORD\n").expect("the directory is ours");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
    format!("sentinel_user = \"suppressd\"\nsentinel_password_file = \"{}\"\n", file.display())
}
