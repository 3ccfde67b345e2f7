//! One connection that can be cut.
//!
//! lapin alone offers neither a time limit for connecting nor a way to throw away what it has not
//! written yet: an abandoned handshake leaves a thread and a socket behind, and frames queued while the
//! broker blocks publishers are sent hours later, when the message is wrong. So we open the socket
//! ourselves and keep a second handle to it. Whoever drops a [`Wire`] has cut it.

use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use lapin::tcp::{AsyncTcpStream, RustlsConnector};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Channel, Connection, ConnectionProperties, Event};
use tokio::net::TcpListener;
use tokio::time::{interval, timeout};

use super::endpoint::Endpoint;
use super::fault::Fault;
use super::relay::Relay;

/// How long one address may take to accept.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long everything up to an open connection may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the broker may take to answer a request that is not a publish.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a close may take before it is done the hard way.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the connection's status is looked at, in case its event was missed.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);

/// An open connection.
pub(super) struct Wire {
    connection: Connection,
    cut: Cut,
    endpoint: Endpoint,
    relay: Option<Arc<Relay>>,
}

/// What a connection says while it lives.
pub(super) enum Sign {
    /// The broker reads no more publishes, for this reason.
    Blocked(String),
    /// It does again.
    Unblocked,
}

impl Wire {
    /// Opens a connection under this name. Cancelling it leaves nothing behind.
    pub(super) async fn open(endpoint: &Endpoint, name: &str) -> Result<Self, Fault> {
        Self::open_through(endpoint, name, None).await
    }

    /// The same, with everything that comes in made legible.
    pub(super) async fn open_legible(endpoint: &Endpoint, name: &str) -> Result<Self, Fault> {
        Self::open_through(endpoint, name, Some(Arc::default())).await
    }

    async fn open_through(endpoint: &Endpoint, name: &str, relay: Option<Arc<Relay>>) -> Result<Self, Fault> {
        let doing = "connecting";
        let at_start = |error| Fault::at_start(endpoint, doing, &error);
        let cut = Cut::default();
        let socket = Arc::clone(&cut.0);
        let through = relay.clone();
        let connector = endpoint.tls().map(|tls| RustlsConnector::from(tls.config()));
        let options = ConnectionProperties::default().with_connection_name(name.into());
        let runtime = lapin::runtime::default_runtime().map_err(at_start)?;
        let opening = Connection::connector(
            endpoint.uri().clone(),
            runtime,
            async move |uri: AMQPUri, runtime| {
                let stream =
                    reach(&uri, async |address| AsyncTcpStream::connect(&runtime, address).await).await?;
                if let AsyncTcpStream::Plain(plain) = &stream {
                    hold(&socket, plain.get_ref().as_fd().try_clone_to_owned()?.into())?;
                }
                let stream = match (uri.scheme, &connector) {
                    (AMQPScheme::AMQP, _) => stream,
                    (AMQPScheme::AMQPS, Some(tls)) => stream.into_rustls(tls, &uri.authority.host).await?,
                    (AMQPScheme::AMQPS, None) => {
                        return Err(std::io::Error::other("TLS is not set up").into());
                    }
                };
                let Some(relay) = &through else { return Ok(stream) };
                // A socket that leads to ourselves.
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
                let near = AsyncTcpStream::connect(&runtime, listener.local_addr()?).await?;
                let ours = match &near {
                    AsyncTcpStream::Plain(plain) => plain.get_ref().local_addr()?,
                    _ => return Err(std::io::Error::other("a socket is plain").into()),
                };
                // Anybody on this machine may have been faster.
                let far = loop {
                    let (far, whose) = listener.accept().await?;
                    if whose == ours {
                        break far;
                    }
                };
                far.set_nodelay(true)?;
                relay.start(stream, far);
                Ok(near)
            },
            options,
        );
        let connection = timeout(HANDSHAKE_TIMEOUT, opening)
            .await
            .map_err(|_| Fault::too_slow(endpoint, doing, HANDSHAKE_TIMEOUT.as_secs()))?
            .map_err(at_start)?;
        Ok(Self { connection, cut, endpoint: endpoint.clone(), relay })
    }

    /// A new channel.
    pub(super) async fn channel(&self) -> lapin::Result<Channel> {
        answered(self.connection.create_channel()).await
    }

    /// How much of what came in was made legible.
    pub(super) fn made_legible(&self) -> u64 {
        self.relay.as_ref().map_or(0, |relay| relay.changed())
    }

    /// Where it leads.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Tells of every sign until the connection ends, and says why it did. To be called once: lapin
    /// gives each event to one listener only.
    pub(super) async fn attend(&self, mut tell: impl FnMut(Sign)) -> Fault {
        let mut events = self.connection.events_listener();
        let mut status = interval(STATUS_INTERVAL);
        loop {
            tokio::select! {
                event = events.next() => match event {
                    // lapin tells of a channel's error here, too; that is its users' affair.
                    Some(Event::Error(error)) => if !self.connection.status().connected() {
                        return Fault::ended(&error);
                    },
                    Some(Event::ConnectionBlocked(why)) => tell(Sign::Blocked(why)),
                    Some(Event::ConnectionUnblocked) => tell(Sign::Unblocked),
                    Some(_) => {}
                    None => return Fault::Lost("the connection is gone".into()),
                },
                _ = status.tick() => if !self.connection.status().connected() {
                    return Fault::Lost("the connection is closed".into());
                },
            }
        }
    }

    /// Whether the broker reads no more publishes at present.
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Takes leave if the broker listens, and cuts the connection in any case.
    pub(super) async fn close(&self) {
        if !self.connection.status().blocked() {
            // A time-out means that nobody listens.
            let _ = timeout(CLOSE_TIMEOUT, self.take_leave()).await;
        }
        self.cut.now();
    }

    /// lapin refuses to close a connection while one of its channels is being closed (by being dropped, say) and
    /// then never writes what waits. So there is one more question first: its answer shows that RabbitMQ has read
    /// what came before it, every acknowledgement among it.
    async fn take_leave(&self) {
        let _held_until_closed = self.connection.create_channel().await;
        // An error means that it is closed already, or refused.
        let _ = self.connection.close(200, "OK".into()).await;
    }

    /// Ends the connection at once; what was not written is never sent.
    pub(super) fn cut(&self) {
        self.cut.now();
    }
}

/// Waits for a broker's answer, but not for ever.
pub(super) async fn answered<T>(call: impl Future<Output = lapin::Result<T>>) -> lapin::Result<T> {
    let silent = || std::io::Error::new(std::io::ErrorKind::TimedOut, "RabbitMQ does not answer");
    timeout(ANSWER_TIMEOUT, call).await.unwrap_or_else(|_| Err(silent().into()))
}

/// Tries the host's addresses in turn.
async fn reach<S>(
    uri: &AMQPUri,
    connect: impl AsyncFn(std::net::SocketAddr) -> std::io::Result<S>,
) -> std::io::Result<S> {
    let host = (uri.authority.host.as_str(), uri.authority.port);
    let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the host has no address");
    for address in tokio::net::lookup_host(host).await? {
        match timeout(CONNECT_TIMEOUT, connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = std::io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

/// A second handle to a connection's socket.
#[derive(Default)]
struct Cut(Arc<Mutex<Socket>>);

#[derive(Default)]
enum Socket {
    /// Not connected yet.
    #[default]
    None,
    /// Connected.
    Held(TcpStream),
    /// Cut, or never to be used.
    Severed,
}

/// Keeps the handle, unless nobody waits for the connection any more.
fn hold(socket: &Mutex<Socket>, handle: TcpStream) -> std::io::Result<()> {
    let mut socket = socket.lock().unwrap_or_else(PoisonError::into_inner);
    if matches!(*socket, Socket::Severed) {
        return Err(std::io::ErrorKind::ConnectionAborted.into());
    }
    *socket = Socket::Held(handle);
    Ok(())
}

impl Cut {
    fn now(&self) {
        let mut socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Socket::Held(handle) = std::mem::replace(&mut *socket, Socket::Severed) {
            // The other side may have been faster; then there is nothing left to shut.
            let _ = handle.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.now();
    }
}
