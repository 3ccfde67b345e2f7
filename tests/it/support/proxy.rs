//! A TCP proxy of the tests' own, between a worker and a server, that breaks on demand.
//!
//! A broken network is not a closed connection: what matters is what neither side is told. So a way can lose
//! everything from now on while both sockets stay open, or hold everything and deliver it late. Each is done
//! from outside, to connections that are in use; new ones meet the network as it is then.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::eventually::lasting;

/// Bytes that pass at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Whose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The worker's.
    ToServer,
    /// The server's.
    FromServer,
}

/// How a way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passage {
    /// As it comes.
    Open,
    /// In pieces of at most so many bytes, each after a pause.
    Slow(Duration, usize),
    /// Nothing passes until it is open again, and then it comes late.
    Held,
}

/// How everything is at a moment.
#[derive(Debug, Clone)]
struct Network {
    server: u16,
    refusing: bool,
    passage: [Passage; 2],
    /// Connections born before this are cut.
    cut: u64,
    /// Connections born before this lose what goes this way.
    lost: [u64; 2],
    /// The next connection's number.
    born: u64,
}

/// A proxy. Dropping it cuts everything.
pub(crate) struct Proxy {
    port: u16,
    network: watch::Sender<Network>,
    _serving: JoinSet<()>,
}

impl Proxy {
    /// A whole network to a server on 127.0.0.1.
    pub(crate) async fn start(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let network =
            Network { server, refusing: false, passage: [Passage::Open; 2], cut: 0, lost: [0; 2], born: 0 };
        let network = watch::Sender::new(network);
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, network.clone()));
        Self { port, network, _serving: serving }
    }

    /// Where it listens on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Closes every connection that there is.
    pub(crate) fn cut(&self) {
        self.network.send_modify(|network| network.cut = network.born);
    }

    /// Every connection that there is loses what goes this way, for ever, and nobody is told: not even that
    /// the other side has gone. New ones are whole.
    pub(crate) fn half_open(&self, way: Way) {
        self.network.send_modify(|network| network.lost[way as usize] = network.born);
    }

    /// From now on what goes this way is held, on every connection, until [`Proxy::open`]: then it comes late.
    pub(crate) fn hold(&self, way: Way) {
        self.network.send_modify(|network| network.passage[way as usize] = Passage::Held);
    }

    /// Both ways pass pieces of at most so many bytes, each after a pause, until [`Proxy::open`].
    pub(crate) fn slow(&self, pause: Duration, piece_bytes: usize) {
        self.network.send_modify(|network| network.passage = [Passage::Slow(pause, piece_bytes); 2]);
    }

    /// Cuts every connection and closes every new one at once, until [`Proxy::open`].
    pub(crate) fn refuse(&self) {
        self.network.send_modify(|network| network.refusing = true);
        self.cut();
    }

    /// Everything passes again. What is lost stays lost.
    pub(crate) fn open(&self) {
        self.network.send_modify(|network| {
            network.refusing = false;
            network.passage = [Passage::Open; 2];
        });
    }

    /// Leads to another server from now on, as an address does that a failover moves. Cuts what there is.
    pub(crate) fn lead_to(&self, server: u16) {
        self.network.send_modify(|network| network.server = server);
        self.cut();
    }
}

async fn serve(listener: TcpListener, network: watch::Sender<Network>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((client, _)) = accepted else { continue };
        let (mut refusing, mut server, mut born) = (false, 0, 0);
        network.send_modify(|network| {
            (refusing, server, born) = (network.refusing, network.server, network.born);
            network.born += 1;
        });
        if !refusing {
            connections.spawn(connect(client, server, born, network.subscribe()));
        }
    }
}

/// One connection, until both ways have ended or it is cut.
async fn connect(client: TcpStream, server: u16, born: u64, mut network: watch::Receiver<Network>) {
    // A server that is away: the client's connection ends, as it would there.
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    for socket in [&client, &server] {
        let _slower_without = socket.set_nodelay(true);
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = pump(from_client, to_server, Way::ToServer, born, network.clone());
    let back = pump(from_server, to_client, Way::FromServer, born, network.clone());
    tokio::select! {
        ((), ()) = async { tokio::join!(there, back) } => {}
        _ = network.wait_for(|network| network.cut > born) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    way: Way,
    born: u64,
    mut network: watch::Receiver<Network>,
) {
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let room = match network.borrow().passage[way as usize] {
            Passage::Slow(_, piece_bytes) => piece_bytes.min(PIECE_BYTES),
            Passage::Open | Passage::Held => PIECE_BYTES,
        };
        let read = from.read(&mut buffer[..room]).await.unwrap_or(0);
        // What was read while nothing passed is late as well.
        let passes = |network: &Network| {
            network.lost[way as usize] > born || network.passage[way as usize] != Passage::Held
        };
        let Ok(now) = network.wait_for(passes).await.map(|now| now.clone()) else { return };
        if now.lost[way as usize] > born {
            if read == 0 {
                // Not even the end is told: the other socket stays open until the connection is cut.
                return std::future::pending().await;
            }
            continue;
        }
        if let Passage::Slow(pause, _) = now.passage[way as usize] {
            lasting(pause).await;
        }
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            // The other side may be gone already.
            let _ = to.shutdown().await;
            return;
        }
    }
}
