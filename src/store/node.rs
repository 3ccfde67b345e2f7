//! One way into Redis servers that know us by the same login: in the clear, by a socket, or by TLS of ours.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo};

use super::connection::{RedisRefused, describe};
use super::secured::Secured;
use crate::tls::TlsFiles;

/// Host and port.
pub(super) type At = (String, u16);

/// How to log in, and where, unless another place is given.
pub(super) struct Node {
    info: ConnectionInfo,
    secured: Option<Secured>,
}

impl Node {
    /// Connects to nothing yet.
    pub(super) fn new(
        info: ConnectionInfo,
        files: &TlsFiles,
        silence_max: Duration,
    ) -> Result<Self, RedisRefused> {
        let tcp = TcpSettings::default().set_nodelay(true).set_user_timeout(silence_max);
        let info = info.set_tcp_settings(tcp);
        let secured = match info.addr() {
            ConnectionAddr::TcpTls { insecure: true, .. } => return Err(RedisRefused::Insecure),
            ConnectionAddr::TcpTls { host, .. } => {
                Some(Secured::new(host, info.redis_settings(), files, silence_max)?)
            }
            _ => None,
        };
        Ok(Self { info, secured })
    }

    /// A new connection, or where it was tried and why there is none. An address holds no password.
    pub(super) async fn connect(
        &self,
        elsewhere: Option<&At>,
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, String> {
        let addr = elsewhere.map(|(host, port)| ConnectionAddr::Tcp(host.clone(), *port));
        let addr = addr.unwrap_or_else(|| self.info.addr().clone());
        let connected = match (&self.secured, &addr) {
            (Some(secured), ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }) => {
                secured.connect((host, *port), config).await
            }
            _ => self.connect_plainly(addr.clone(), config).await,
        };
        connected.map_err(|why| format!("{addr} cannot be used: {why}"))
    }

    async fn connect_plainly(
        &self,
        addr: ConnectionAddr,
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, String> {
        let client = Client::open(self.info.clone().set_addr(addr)).map_err(|error| describe(&error))?;
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        connecting.await.map_err(|error| describe(&error))
    }
}
