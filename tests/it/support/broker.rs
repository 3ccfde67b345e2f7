//! A RabbitMQ of the test process's own: its ports, its Erlang port mapper, its directory and cookie are
//! private, so that a broker that was there before is never seen or touched.
//!
//! Booting takes ten seconds, so tests share one and get a virtual host each ([`Broker::shared`]); a test
//! that stops or restarts the broker starts its own ([`Broker::start`]).

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::sync::{OnceCell, OwnedMutexGuard};

use super::amqp::Client;
use super::child::Kept;
use super::eventually::{LONG, eventually_blocking};
use super::http::{self, Answer};
use super::ports::free_port;
use super::{leash, secrets};

/// RabbitMQ's own programs: Debian's wrappers in `/usr/sbin` insist on the user and places of the package.
const PROGRAMS: &str = "/usr/lib/rabbitmq/bin";

/// Small and quiet: one scheduler, no busy waiting, no console, and no wrapping shell between us and it.
const VM: &str = "-noinput +S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none";

/// As RabbitMQ ships, but for busy waiting: where other processes share the cores, as RabbitMQ's own guide says.
const VM_OF_A_WHOLE_MACHINE: &str = "-noinput +sbwt none +sbwtdcpu none +sbwtdio none";

/// How much of the machine a broker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    /// One core and a gibibyte: several tests run at once.
    Small,
    /// What RabbitMQ takes by itself: where speed is measured.
    Whole,
}

impl Share {
    fn vm(self) -> &'static str {
        match self {
            Self::Small => VM,
            Self::Whole => VM_OF_A_WHOLE_MACHINE,
        }
    }

    fn memory(self) -> &'static str {
        match self {
            Self::Small => "absolute = 1GiB",
            Self::Whole => "relative = 0.4",
        }
    }
}

/// `guest:guest`, who may do everything on a fresh broker.
const ADMIN: &str = "Authorization: Basic Z3Vlc3Q6Z3Vlc3Q=\r\nContent-Type: application/json\r\n";

/// The only one who may be rough to a broker at a time.
pub(crate) type Rough = OwnedMutexGuard<Arc<Broker>>;

/// A broker.
pub(crate) struct Broker {
    directory: PathBuf,
    amqp_port: u16,
    http_port: u16,
    distribution_port: u16,
    mapper_port: u16,
    share: Share,
    server: Mutex<Option<Kept>>,
    _mapper: Kept,
}

impl Broker {
    /// The broker that all tests of this process share, booted when the first of them asks.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<Broker>> = OnceLock::new();
        Arc::clone(SHARED.get_or_init(Self::start))
    }

    /// A broker for one test, which may stop it.
    pub(crate) fn start() -> Arc<Self> {
        Self::with(Share::Small)
    }

    /// A broker that tests may stop, starve and set up otherwise, one at a time. Who is done leaves it as it was.
    pub(crate) async fn rough() -> Rough {
        static ROUGH: OnceCell<Arc<tokio::sync::Mutex<Arc<Broker>>>> = OnceCell::const_new();
        let boot = || async {
            let broker = tokio::task::spawn_blocking(Self::start).await.expect("a broker starts");
            Arc::new(tokio::sync::Mutex::new(broker))
        };
        Arc::clone(ROUGH.get_or_init(boot).await).lock_owned().await
    }

    /// The same with a share of the machine.
    pub(crate) fn with(share: Share) -> Arc<Self> {
        let directory = leash::directory("rabbitmq-");
        let mapper_port = free_port();
        let broker = Self {
            amqp_port: free_port(),
            http_port: free_port(),
            distribution_port: free_port(),
            mapper_port,
            share,
            server: Mutex::new(None),
            _mapper: start_mapper(&directory, mapper_port),
            directory,
        };
        broker.write_files();
        broker.start_again();
        broker.admin("POST", "definitions", &definitions());
        Arc::new(broker)
    }

    /// Kills the broker, as a power cut of its process would.
    pub(crate) fn kill9(&self) {
        self.lock().take();
    }

    /// Lets the broker finish what it does, and stops it.
    pub(crate) fn stop(&self) {
        if let Some(mut server) = self.lock().take() {
            server.signal(Signal::TERM);
            eventually_blocking("RabbitMQ stops", LONG, || server.try_status());
        }
    }

    /// Freezes the broker: connections stay, nothing answers.
    pub(crate) fn freeze(&self) {
        self.lock().as_mut().expect("the broker runs").signal(Signal::STOP);
    }

    /// Ends [`Broker::freeze`].
    pub(crate) fn thaw(&self) {
        self.lock().as_mut().expect("the broker runs").signal(Signal::CONT);
    }

    /// Starts the broker on the data and the ports that it had, and waits until it serves.
    pub(crate) fn start_again(&self) {
        let mut command = self.command("rabbitmq-server");
        // With input allowed the script becomes the server instead of staying as its parent.
        command.env("RABBITMQ_ALLOW_INPUT", "1").env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", self.share.vm());
        let mut server = Kept::start(command, &self.directory, "rabbitmq");
        eventually_blocking("RabbitMQ serves", LONG, || {
            if let Some(status) = server.try_status() {
                panic!("RabbitMQ ended with {status}:\n{}", server.last_words());
            }
            // The listeners open last, AMQP and HTTP in no certain order.
            TcpStream::connect(("127.0.0.1", self.amqp_port)).ok()?;
            let health = http::request(self.http_port, "GET", "/api/health/checks/local-alarms", ADMIN, "");
            health.ok().filter(|answer| answer.status == 200)
        });
        *self.lock() = Some(server);
    }

    /// A virtual host of its own with the shipped users' permissions. It is deleted when dropped.
    pub(crate) fn vhost(self: &Arc<Self>) -> Vhost {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("test-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.admin("PUT", &format!("vhosts/{name}"), "{}");
        let rights: Value = serde_json::from_str(&definitions()).expect("the definitions are JSON");
        for (list, kind) in [("permissions", "permissions"), ("topic_permissions", "topic-permissions")] {
            for right in rights[list].as_array().expect("the definitions have the list") {
                let user = right["user"].as_str().expect("a permission names its user");
                self.admin("PUT", &format!("{kind}/{name}/{user}"), &right.to_string());
            }
        }
        Vhost { broker: Arc::clone(self), name }
    }

    /// Calls the management API (`path` without `/api/`) and insists on success.
    pub(crate) fn admin(&self, method: &str, path: &str, body: &str) -> Answer {
        let answer = http::request(self.http_port, method, &format!("/api/{path}"), ADMIN, body)
            .unwrap_or_else(|error| panic!("management API, {method} {path}: {error}"));
        assert!(answer.status < 300, "management API, {method} {path}: {} {}", answer.status, answer.body);
        answer
    }

    /// Runs `rabbitmqctl`, which takes a second or two.
    pub(crate) async fn control(&self, arguments: &[&str]) {
        let mut command = self.command("rabbitmqctl");
        command.args(arguments).stdin(std::process::Stdio::null());
        let run = tokio::task::spawn_blocking(move || command.output()).await.expect("it does not panic");
        let run = run.expect("rabbitmqctl can be run");
        assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    }

    /// Where AMQP is served.
    pub(crate) fn amqp_port(&self) -> u16 {
        self.amqp_port
    }

    /// Evaluates an Erlang expression in the broker; what it answers.
    pub(crate) fn eval(&self, expression: &str) -> String {
        let run = self.command("rabbitmqctl").args(["eval", expression]).output();
        let run = run.expect("rabbitmqctl can be run");
        assert!(run.status.success(), "{expression}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8_lossy(&run.stdout).into_owned()
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.lock().as_ref().expect("the broker runs").id()
    }

    /// Where the broker keeps and logs everything.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Kept>> {
        self.server.lock().expect("nobody panics while holding the server")
    }

    fn write_files(&self) {
        let write = |name: &str, text: String| {
            std::fs::write(self.directory.join(name), text).expect("the broker's directory is ours");
        };
        write(
            "rabbitmq.conf",
            format!(
                "listeners.tcp.1 = 127.0.0.1:{}\n\
                 management.tcp.ip = 127.0.0.1\n\
                 management.tcp.port = {}\n\
                 vm_memory_high_watermark.{}\n\
                 disk_free_limit.absolute = 50MB\n\
                 log.console = false\n",
                self.amqp_port,
                self.http_port,
                self.share.memory()
            ),
        );
        write("plugins", "[rabbitmq_management].\n".into());
        write("environment", String::new());
        let cookie = self.directory.join(".erlang.cookie");
        write(".erlang.cookie", format!("cookie{}", self.amqp_port));
        std::fs::set_permissions(cookie, std::fs::Permissions::from_mode(0o400)).expect("the cookie is ours");
    }

    fn command(&self, program: &str) -> Command {
        let at = |name: &str| self.directory.join(name);
        let mut command = Command::new(Path::new(PROGRAMS).join(program));
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LANG", "C.UTF-8")
            .env("HOME", &self.directory)
            .env("ERL_EPMD_PORT", self.mapper_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODENAME", format!("test{}@localhost", self.amqp_port))
            .env("RABBITMQ_NODE_PORT", self.amqp_port.to_string())
            .env("RABBITMQ_DIST_PORT", self.distribution_port.to_string())
            .env("RABBITMQ_CONF_ENV_FILE", at("environment"))
            .env("RABBITMQ_CONFIG_FILE", at("rabbitmq.conf"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", at("plugins"))
            .env("RABBITMQ_MNESIA_BASE", at("data"))
            .env("RABBITMQ_LOG_BASE", at("log"))
            .current_dir(&self.directory);
        command
    }
}

/// Erlang's port mapper on a port of our own, in the foreground; left alone, the broker would start one
/// as a daemon that nobody stops.
fn start_mapper(directory: &Path, port: u16) -> Kept {
    let mut command = Command::new("epmd");
    command.args(["-port", &port.to_string(), "-address", "127.0.0.1"]);
    let mut mapper = Kept::start(command, directory, "epmd");
    eventually_blocking("the port mapper listens", LONG, || {
        assert!(mapper.try_status().is_none(), "epmd ended:\n{}", mapper.last_words());
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    mapper
}

fn definitions() -> String {
    secrets::text("definitions.json")
}

/// A virtual host for one test.
pub(crate) struct Vhost {
    broker: Arc<Broker>,
    name: String,
}

impl Vhost {
    /// The broker that it is on.
    pub(crate) fn broker(&self) -> &Arc<Broker> {
        &self.broker
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The URL by which `user` connects: a name of `deploy/rabbitmq/definitions.json`, or `guest`, who may
    /// do everything.
    pub(crate) fn url(&self, user: &str) -> String {
        self.url_at(self.broker.amqp_port, user)
    }

    /// The same through a proxy on this port.
    pub(crate) fn url_at(&self, port: u16, user: &str) -> String {
        let password = if user == "guest" { user.to_owned() } else { secrets::rabbitmq_password(user) };
        format!("amqp://{user}:{password}@127.0.0.1:{port}/{}", self.name)
    }

    /// Connects as `user`.
    pub(crate) async fn connect(&self, user: &str) -> Client {
        Client::connect(&self.url(user)).await.unwrap_or_else(|error| panic!("{user} connects: {error}"))
    }

    /// Sets a policy for the queues that match.
    pub(crate) fn policy(&self, name: &str, pattern: &str, definition: &Value) {
        let body = json!({"pattern": pattern, "definition": definition, "apply-to": "queues"});
        self.broker.admin("PUT", &format!("policies/{}/{name}", self.name), &body.to_string());
    }

    /// Takes a policy back.
    pub(crate) fn lift_policy(&self, name: &str) {
        self.broker.admin("DELETE", &format!("policies/{}/{name}", self.name), "");
    }

    /// Cuts every connection to it, as an operator or a network would. Clients may come back at once.
    pub(crate) fn drop_connections(&self) {
        // The management API learns of a connection only seconds after it was made; this command knows at once.
        let mut command = self.broker.command("rabbitmqctl");
        let run = command.args(["close_all_connections", "--vhost", &self.name, "test"]).output();
        let run = run.expect("rabbitmqctl can be run");
        assert!(run.status.success(), "rabbitmqctl: {}", String::from_utf8_lossy(&run.stderr));
    }

    /// Deletes a queue, as an operator would.
    pub(crate) fn delete_queue(&self, queue: &str) {
        self.broker.admin("DELETE", &format!("queues/{}/{queue}", self.name), "");
    }
}

impl Drop for Vhost {
    fn drop(&mut self) {
        // The broker may be stopped on purpose; then the virtual host goes with its directory.
        let path = format!("/api/vhosts/{}", self.name);
        let _answer = http::request(self.broker.http_port, "DELETE", &path, ADMIN, "");
    }
}
