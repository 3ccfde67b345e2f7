//! A private RabbitMQ for these tests, and a plain client to play publishers, senders and operators.
//!
//! The server belongs to this process: it ends when the pipe to its shell closes, however the tests end.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions, QueueDeclareOptions,
    QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use suppressd::amqp::{Broker, BrokerSettings, Consumption, Endpoint, Inputs, Names};
use suppressd::service::message::{Outgoing, Properties};
use suppressd::service::ports::Input;
use tokio::sync::{Mutex, MutexGuard, OnceCell};

use crate::eventually::eventually;

/// Longer than anything here takes on a busy machine: whoever waits so long has found a fault.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A RabbitMQ server of our own.
pub(crate) struct Rabbit {
    home: tempfile::TempDir,
    ports: [u16; 3],
    shell: Child,
}

impl Rabbit {
    pub(crate) async fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let ports = [free_port(), free_port(), free_port()];
        let conf = format!("listeners.tcp.1 = 127.0.0.1:{}\nmax_message_size = 1048576\n", ports[0]);
        std::fs::write(home.path().join("rabbitmq.conf"), conf).unwrap();
        std::fs::write(home.path().join("plugins"), "[].\n").unwrap();
        let shell = Self::launch(&home, ports);
        let rabbit = Self { home, ports, shell };
        rabbit.wait().await;
        rabbit
    }

    fn launch(home: &tempfile::TempDir, ports: [u16; 3]) -> Child {
        let script = "/usr/lib/rabbitmq/bin/rabbitmq-server >out.log 2>&1 & server=$!; \
                      cat >/dev/null; kill $server; wait; epmd -port $ERL_EPMD_PORT -kill >/dev/null 2>&1";
        let mut shell = Command::new("sh");
        environment(&mut shell, home, ports);
        shell.args(["-c", script]).stdin(Stdio::piped()).spawn().unwrap()
    }

    async fn wait(&self) {
        eventually("RabbitMQ starts", PATIENCE, async || {
            Connection::connect(&self.url(), ConnectionProperties::default()).await.ok()
        })
        .await;
    }

    pub(crate) fn url(&self) -> String {
        format!("amqp://127.0.0.1:{}", self.ports[0])
    }

    /// Runs `rabbitmqctl`.
    pub(crate) async fn control(&self, arguments: &[&str]) -> Output {
        let mut control = Command::new("/usr/lib/rabbitmq/bin/rabbitmqctl");
        environment(&mut control, &self.home, self.ports);
        control.args(arguments).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || control.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Stops the server and starts it again with its data.
    pub(crate) async fn restart(&mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().unwrap();
        self.shell = Self::launch(&self.home, self.ports);
        self.wait().await;
    }
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

fn environment(command: &mut Command, home: &tempfile::TempDir, [port, dist, epmd]: [u16; 3]) {
    let path = |name: &str| -> PathBuf { home.path().join(name) };
    command
        .current_dir(home.path())
        .env("HOME", home.path())
        .env("RABBITMQ_NODENAME", format!("t{port}@localhost"))
        .env("RABBITMQ_NODE_PORT", port.to_string())
        .env("RABBITMQ_DIST_PORT", dist.to_string())
        .env("ERL_EPMD_PORT", epmd.to_string())
        .env("RABBITMQ_MNESIA_BASE", path("mnesia"))
        .env("RABBITMQ_LOG_BASE", path("log"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", path("plugins"))
        .env("RABBITMQ_CONFIG_FILE", path("rabbitmq"));
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The server that all gentle tests share.
pub(crate) async fn broker_url() -> String {
    static CALM: OnceCell<(String, ShellPipe)> = OnceCell::const_new();
    let start = || async {
        let mut rabbit = Rabbit::start().await;
        let pipe = ShellPipe(rabbit.shell.stdin.take());
        let url = rabbit.url();
        // The pipe closes with this process; until then nobody stops the server.
        std::mem::forget(rabbit);
        (url, pipe)
    };
    CALM.get_or_init(start).await.0.clone()
}

/// Held for as long as the server is to live.
struct ShellPipe(#[expect(dead_code, reason = "held, not used")] Option<std::process::ChildStdin>);

/// The server that tests may stop and starve, one at a time.
pub(crate) async fn rough_rabbit() -> MutexGuard<'static, Rabbit> {
    static ROUGH: OnceCell<Mutex<Rabbit>> = OnceCell::const_new();
    ROUGH.get_or_init(|| async { Mutex::new(Rabbit::start().await) }).await.lock().await
}

/// Names that no other test uses.
pub(crate) fn fresh_names() -> Names {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    Names::new(&format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed))).unwrap()
}

pub(crate) fn settings(url: &str, names: &Names) -> BrokerSettings {
    BrokerSettings::new(Endpoint::parse(url).unwrap(), names.clone())
}

/// A broker under test, connected.
pub(crate) async fn broker(url: &str, names: &Names) -> (Broker, Inputs) {
    let (broker, inputs) = Broker::start(settings(url, names));
    broker.connected(PATIENCE).await.unwrap();
    (broker, inputs)
}

/// Resumes an input and waits until RabbitMQ knows.
pub(crate) async fn consume(broker: &Broker, input: Input) {
    broker.resume(input);
    registered(broker, input, Consumption::Registered).await;
}

pub(crate) async fn registered(broker: &Broker, input: Input, wanted: Consumption) {
    let mut state = broker.state();
    let reached = state.wait_for(|state| state.consumption(input) == wanted);
    tokio::time::timeout(PATIENCE, reached).await.expect("the consumer's state is reached").unwrap();
}

/// Waits for something that must happen.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it happens in time")
}

/// Somebody else's connection.
pub(crate) struct Client {
    pub(crate) channel: Channel,
    connection: Connection,
}

impl Client {
    pub(crate) async fn connect(url: &str) -> Self {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        Self { channel, connection }
    }

    /// A queue for the tests, bound to an exchange.
    pub(crate) async fn bind(&self, queue: &str, exchange: &str, key: &str) {
        let options = QueueDeclareOptions::default();
        self.channel.queue_declare(queue.into(), options, FieldTable::default()).await.unwrap();
        let options = QueueBindOptions::default();
        let bound = self.channel.queue_bind(
            queue.into(),
            exchange.into(),
            key.into(),
            options,
            FieldTable::default(),
        );
        bound.await.unwrap();
    }

    pub(crate) async fn publish(&self, exchange: &str, key: &str, body: &[u8], properties: BasicProperties) {
        let options = BasicPublishOptions::default();
        let confirm = self.channel.basic_publish(exchange.into(), key.into(), options, body, properties);
        assert!(confirm.await.unwrap().await.unwrap().is_ack());
    }

    pub(crate) async fn delete_queue(&self, queue: &str) {
        self.channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }

    /// The next message of a queue that has one.
    pub(crate) async fn get(&self, queue: &str) -> lapin::message::Delivery {
        soon(async {
            loop {
                let options = BasicGetOptions { no_ack: true };
                if let Some(got) = self.channel.basic_get(queue.into(), options).await.unwrap() {
                    return got.delivery;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    /// How many messages are ready in a queue.
    pub(crate) async fn ready(&self, queue: &str) -> u32 {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let channel = self.connection.create_channel().await.unwrap();
        channel.queue_declare(queue.into(), options, FieldTable::default()).await.unwrap().message_count()
    }
}

/// A message for an exchange.
pub(crate) fn outgoing(exchange: &str, key: &str, body: &[u8]) -> Outgoing {
    Outgoing {
        exchange: exchange.into(),
        routing_key: key.into(),
        properties: Properties { message_id: Some("the-same".into()), ..Properties::default() },
        body: body.to_vec(),
    }
}
