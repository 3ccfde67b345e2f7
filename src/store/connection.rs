//! Connections to Redis, one for each use that may block another, made anew after any doubt.
//!
//! A server that is stopped never closes its connections, and a demoted primary keeps answering: so a
//! connection is dropped at the first time-out, I/O error or refusal, and the next use makes a new one: with Sentinels
//! to whichever server they name by then, if it says of itself that it is a primary. Nothing is retried here: who asked knows whether asking twice is harmless.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisError, Role, ServerErrorKind,
    cmd,
};
use tokio::sync::Mutex;

use super::node::{At, Node};
use super::sentinels::{SentinelConfig, Sentinels};
use crate::service::ports::ListFault;
use crate::tls::{TlsFiles, TlsRefused};

/// How to reach Redis.
#[derive(Clone)]
pub struct RedisConfig {
    /// `redis://[user[:password]@]host:port/db`; `rediss://` for TLS. With Sentinels its host means nothing.
    pub url: String,
    /// Who is asked for the primary, if it is not always the same server.
    pub sentinels: Option<SentinelConfig>,
    /// The password, if it is not in the URL.
    pub password: Option<String>,
    /// By what a `rediss://` server is known, and we are known to it.
    pub tls: TlsFiles,
    /// What keys begin with, in braces.
    pub prefix: String,
    /// How long a reply may take.
    pub response_timeout: Duration,
    /// Replicas that must have a write before it counts; `None`: with Sentinels half of the servers, else 0.
    pub wait_replicas: Option<usize>,
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
    node: Node,
    /// Who says where the primary is, if it is not always the same server.
    sentinels: Option<Arc<Sentinels>>,
    response_timeout: Duration,
    /// Held while connecting too, so that a crowd makes one connection.
    current: Mutex<Option<Made>>,
}

/// A connection, and where it leads by the Sentinels' word.
struct Made {
    connection: MultiplexedConnection,
    at: Option<At>,
}

impl RedisConfig {
    /// How to log in, and where, unless Sentinels say where.
    fn info(&self) -> Result<ConnectionInfo, RedisRefused> {
        let info = self.url.as_str().into_connection_info().map_err(|_| RedisRefused::Url)?;
        let mut settings = info.redis_settings().clone();
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        Ok(info.set_redis_settings(settings))
    }

    /// Who is asked for the primary.
    pub(super) fn sentinels(&self) -> Result<Option<Arc<Sentinels>>, RedisRefused> {
        let Some(sentinels) = &self.sentinels else { return Ok(None) };
        Ok(Some(Arc::new(Sentinels::new(sentinels, &self.info()?, &self.tls)?)))
    }
}

impl Connection {
    pub(super) fn new(
        config: &RedisConfig,
        sentinels: Option<&Arc<Sentinels>>,
        response_timeout: Duration,
    ) -> Result<Self, RedisRefused> {
        let node = Node::new(config.info()?, &config.tls, response_timeout * 2)?;
        Ok(Self { node, sentinels: sentinels.cloned(), response_timeout, current: Mutex::default() })
    }

    /// The connection there is, or a new one.
    pub(super) async fn get(&self) -> Result<MultiplexedConnection, ListFault> {
        let mut current = self.current.lock().await;
        if let Some(made) = &*current {
            return Ok(made.connection.clone());
        }
        let made = self.connect().await.map_err(ListFault::Unavailable)?;
        Ok(current.insert(made).connection.clone())
    }

    async fn connect(&self) -> Result<Made, String> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(self.response_timeout));
        let Some(sentinels) = &self.sentinels else {
            return Ok(Made { connection: self.node.connect(None, config).await?, at: None });
        };
        let at = sentinels.primary().await?;
        let mut connection = self.node.connect(Some(&at), config).await?;
        let refused = |why: &str| {
            format!("{}:{}, the primary by the Sentinels' word, cannot be used: {why}", at.0, at.1)
        };
        match cmd("ROLE").query_async(&mut connection).await {
            Ok(Role::Primary { replicas, .. }) => sentinels.count(replicas.len()),
            Ok(_) => return Err(refused("it is a replica; a failover may be under way")),
            Err(error) => return Err(refused(&describe(&error))),
        }
        Ok(Made { connection, at: Some(at) })
    }

    /// Whether there is a connection, and to another server than this one.
    pub(super) async fn leads_elsewhere(&self, primary: &At) -> bool {
        let current = self.current.lock().await;
        current.as_ref().and_then(|made| made.at.as_ref()).is_some_and(|at| at != primary)
    }

    /// Where it leads by the Sentinels' word, if there is one.
    pub(super) async fn at(&self) -> Option<At> {
        self.current.lock().await.as_ref()?.at.clone()
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
