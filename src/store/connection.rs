//! Connections to Redis, one for each use that may block another, made anew after any doubt.
//!
//! A server that is stopped never closes its connections, and a demoted primary keeps answering: so a
//! connection is dropped at the first time-out, I/O error or refusal, and the next use makes a new one.
//! Nothing is retried here: who asked knows whether asking twice is harmless.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisError, ServerErrorKind,
};
use tokio::sync::Mutex;

use super::secured::Secured;
use crate::service::ports::ListFault;
use crate::tls::{TlsFiles, TlsRefused};

/// How to reach Redis.
#[derive(Clone)]
pub struct RedisConfig {
    /// `redis://[user[:password]@]host:port/db`; `rediss://` for TLS.
    pub url: String,
    /// The password, if it is not in the URL.
    pub password: Option<String>,
    /// By what a `rediss://` server is known, and we are known to it.
    pub tls: TlsFiles,
    /// What keys begin with, in braces.
    pub prefix: String,
    /// How long a reply may take.
    pub response_timeout: Duration,
    /// Replicas that must have a write before it counts.
    pub wait_replicas: usize,
}

/// Redis is set up so that it would lose opt-outs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedisRefused {
    /// The URL cannot be used. Its text may hold a password, so it is not repeated.
    #[error("redis.url is not a Redis URL: write redis://[user@]host:port/db")]
    Url,
    /// The check of the server is switched off.
    #[error("redis.url: #insecure would take any server for Redis: remove it, and set redis.ca_file")]
    Insecure,
    /// The certificates are of no use.
    #[error(transparent)]
    Tls(#[from] TlsRefused),
    /// Keys may be evicted.
    #[error(
        "Redis may evict keys (maxmemory-policy {policy}), which loses opt-outs silently: \
         set `maxmemory-policy noeviction` in its configuration"
    )]
    Evicts {
        /// The policy that it has.
        policy: String,
    },
}

/// What is said of a refused login, which somebody must mend; everything else may be an outage.
pub(super) const LOGIN_REFUSED: &str = "the user or password is refused";

/// How long making a connection may take.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// One connection that is made when it is needed.
pub(super) struct Connection {
    server: Server,
    response_timeout: Duration,
    /// Held while connecting too, so that a crowd makes one connection.
    current: Mutex<Option<MultiplexedConnection>>,
}

/// By whose means Redis is reached.
enum Server {
    /// The vendor's own: TCP, or a socket of this machine.
    Plain(Client),
    /// TCP and TLS of ours.
    Secured(Secured),
}

impl Connection {
    pub(super) fn new(config: &RedisConfig, response_timeout: Duration) -> Result<Self, RedisRefused> {
        let info = config.url.as_str().into_connection_info().map_err(|_| RedisRefused::Url)?;
        let tcp =
            redis::io::tcp::TcpSettings::default().set_nodelay(true).set_user_timeout(response_timeout * 2);
        let mut settings = info.redis_settings().clone();
        if let Some(password) = &config.password {
            settings = settings.set_password(password);
        }
        let info = info.set_tcp_settings(tcp).set_redis_settings(settings);
        let server = match info.addr() {
            ConnectionAddr::TcpTls { insecure: true, .. } => return Err(RedisRefused::Insecure),
            ConnectionAddr::TcpTls { host, port, .. } => {
                let login = info.redis_settings();
                Server::Secured(Secured::new((host, *port), login, &config.tls, response_timeout * 2)?)
            }
            _ => Server::Plain(Client::open(info).map_err(|_| RedisRefused::Url)?),
        };
        Ok(Self { server, response_timeout, current: Mutex::new(None) })
    }

    /// The connection there is, or a new one.
    pub(super) async fn get(&self) -> Result<MultiplexedConnection, ListFault> {
        let mut current = self.current.lock().await;
        if let Some(connection) = &*current {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(self.response_timeout));
        let connection = self.server.connect(config).await.map_err(ListFault::Unavailable)?;
        *current = Some(connection.clone());
        Ok(connection)
    }

    /// Drops the connection.
    pub(super) async fn refresh(&self) {
        *self.current.lock().await = None;
    }

    /// Takes a result; after one that leaves doubt about the connection, drops it.
    pub(super) async fn checked<T>(&self, result: Result<T, RedisError>) -> Result<T, ListFault> {
        match result {
            Ok(value) => Ok(value),
            Err(error) => {
                if !matches!(error.kind(), ErrorKind::Server(ServerErrorKind::NoScript)) {
                    self.refresh().await;
                }
                Err(ListFault::Unavailable(describe(&error)))
            }
        }
    }
}

impl Server {
    /// A new connection, or where it was tried and why there is none. An address holds no password.
    async fn connect(&self, config: AsyncConnectionConfig) -> Result<MultiplexedConnection, String> {
        match self {
            Self::Plain(client) => {
                let at = client.get_connection_info().addr();
                let connecting = client.get_multiplexed_async_connection_with_config(&config);
                connecting.await.map_err(|error| format!("{at} cannot be used: {}", describe(&error)))
            }
            Self::Secured(secured) => {
                let connecting = secured.connect(config);
                connecting.await.map_err(|why| format!("{} cannot be used: {why}", secured.address()))
            }
        }
    }
}

/// What went wrong, without the arguments of the command.
pub(super) fn describe(error: &RedisError) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ReadOnly) => "this server is a replica (READONLY)".into(),
        ErrorKind::Server(ServerErrorKind::BusyLoading) => "it is loading its data (LOADING)".into(),
        ErrorKind::Server(ServerErrorKind::NoPerm) => {
            "the user lacks a permission (NOPERM): compare deploy/redis/users.acl".into()
        }
        // Said by the barrier: see scripts/barrier.lua.
        _ if error.code() == Some("EVICTED") => {
            "it has evicted keys, and opt-outs with them: set `maxmemory-policy noeviction`, then empty it (FLUSHALL) \
             and restart it; the list is filled again from the ledger"
                .into()
        }
        ErrorKind::AuthenticationFailed => LOGIN_REFUSED.into(),
        ErrorKind::Io => format!("connection: {error}"),
        kind => format!("{} ({kind:?})", error.code().unwrap_or("unexpected reply")),
    }
}
