//! Connections to Redis over TLS of ours.
//!
//! The vendor's own gives up where one of this machine's many authorities is of no use, reads them all anew for each
//! connection even if none of them counts, and takes a switch that believes any server. What follows TLS, the login
//! included, is the vendor's.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo};
use rustix::net::sockopt::set_tcp_user_timeout;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connection::{CONNECT_TIMEOUT, RedisRefused, describe};
use crate::tls::{Named, Tls, TlsFiles};

/// How settings call what a certificate is checked against.
const NAMED: Named = Named { section: "redis", host: "redis.url" };

/// Servers that are reached over TLS.
pub(super) struct Secured {
    login: RedisConnectionInfo,
    tls: Tls,
    /// How long sent bytes may stay without an answer of the other machine.
    silence_max: Duration,
    /// What carries bytes for each connection, until all who hold it have let go of it.
    drivers: Mutex<JoinSet<()>>,
}

impl Secured {
    /// Connects to nothing yet.
    pub(super) fn new(
        host: &str,
        login: &RedisConnectionInfo,
        files: &TlsFiles,
        silence_max: Duration,
    ) -> Result<Self, RedisRefused> {
        let tls = Tls::new(NAMED, host, files)?;
        Ok(Self { login: login.clone(), tls, silence_max, drivers: Mutex::default() })
    }

    /// A new connection, or why there is none.
    pub(super) async fn connect(
        &self,
        at: (&str, u16),
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, String> {
        let connecting = timeout(CONNECT_TIMEOUT, self.open(at, config));
        connecting.await.unwrap_or_else(|_| Err("no answer in time".into()))
    }

    async fn open(
        &self,
        at: (&str, u16),
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, String> {
        let tls = self.tls.at(at.0).map_err(|refused| refused.to_string())?;
        let io = |error: std::io::Error| tls.advice(&error).unwrap_or_else(|| format!("connection: {error}"));
        let stream = self.reach(at).await.map_err(io)?;
        let stream = tls.secure(stream).await.map_err(io)?;
        let logging_in = MultiplexedConnection::new_with_config(&self.login, stream, config);
        // A server of TLS 1.3 refuses our certificate only now.
        let (connection, driver) =
            logging_in.await.map_err(|error| tls.advice(&error).unwrap_or_else(|| describe(&error)))?;
        let mut drivers = self.drivers.lock().unwrap_or_else(PoisonError::into_inner);
        while drivers.try_join_next().is_some() {}
        drivers.spawn(driver);
        Ok(connection)
    }

    /// Tries the host's addresses in turn.
    async fn reach(&self, at: (&str, u16)) -> std::io::Result<TcpStream> {
        let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the host has no address");
        for address in lookup_host(at).await? {
            match self.reach_at(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn reach_at(&self, address: SocketAddr) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        set_tcp_user_timeout(&stream, u32::try_from(self.silence_max.as_millis()).unwrap_or(u32::MAX))?;
        Ok(stream)
    }
}
